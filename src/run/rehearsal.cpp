// SPDX-License-Identifier: Apache-2.0
#include "run/rehearsal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/demands.hpp"
#include "core/graph.hpp"
#include "core/rehearsal.hpp"
#include "core/text.hpp"
#include "crypto/signature.hpp"
#include "crypto/tls_engine.hpp"
#include "run/recordings.hpp"
#include "run/remedies.hpp"
#include "sources/rehearsal.hpp"
#include "sources/sources.hpp"

namespace mrascheck::run {
namespace {

using Chain = std::vector<CertificateRef>;
using ClientTrust = crypto::TlsContext::ClientTrust;

/// What these products speak with each other (Microsoft Learn, "Disable TLS 1.0/1.1 in Skype for Business Server");
/// the verdict on a certificate is the same in TLS 1.3.
constexpr const char* tls_version = "TLSv1.2";
/// Where Edge and Front End reach each other by SIP, either way.
constexpr std::uint16_t sip_port = 5061;
constexpr std::uint16_t mras_port = 5062;

/// What a server with this view of the world would build paths with. Windows builds all paths and takes the best, while
/// OpenSSL takes the first issuer that fits: so it is given the best path, and all that a name leads to where none is
/// valid, to say in its own words why not.
ClientTrust client_trust(const Chain& chain, const TrustView& view, const PathSet& found, UtcTime at) {
  ClientTrust trust;
  trust.at = at;
  trust.distrusted = view.distrusted;
  for (const Path& path : found.paths) {
    for (const PathProblem& problem : path.problems) {
      if (problem.kind == PathProblemKind::revoked) trust.revoked.insert(path.certificates[problem.index]->sha256);
    }
  }
  if (found.any_valid()) {
    const Chain& best = found.paths.front().certificates;
    trust.trusted.assign(best.begin() + (best.size() == 1 ? 0 : 1), best.end());
    trust.revoked.clear();
    return trust;
  }
  std::set<std::string> asked;
  std::set<Sha256> taken;
  std::vector<Name> names;
  const auto take = [&](const CertificateRef& certificate) {
    const bool stray = certificate->may_be_self_signed() && !view.anchors.contains(certificate->sha256);
    if (!stray && taken.insert(certificate->sha256).second) trust.trusted.push_back(certificate);
    names.push_back(certificate->issuer);
  };
  for (const CertificateRef& certificate : chain) {
    names.push_back(certificate->issuer);
    if (view.anchors.contains(certificate->sha256)) take(certificate);
  }
  while (!names.empty()) {
    const Name name = std::move(names.back());
    names.pop_back();
    if (!asked.emplace(name.canonical()).second) continue;
    for (const CertificateRef& issuer : view.index.named(name)) take(issuer);
  }
  return trust;
}

class Rehearsal {
 public:
  Rehearsal(const Config& config, const RehearsalOptions& options) : config_(config), options_(options) {}

  Result<void> prepare();
  Evidence at(UtcTime instant);

 private:
  struct Variant {
    std::string name;
    Chain chain;
  };

  void take_stores(const std::optional<Evidence>& recorded);
  void take_identities(const std::optional<Evidence>& recorded);
  void take_patches();
  void take_links();
  bool has_certificate(const std::string& server) const;
  SignatureOracle verifying();
  std::vector<Variant> variants_of(const Server& server, UtcTime instant);
  void look(Evidence& evidence, const Link& link);
  void add_gap(Evidence& evidence, Needs need, const std::string& about, ErrorKind kind, std::string reason,
               std::string remedy) const;
  const sources::LoadedIdentity* ready(Evidence& evidence, const Server& server) const;

  const Config& config_;
  const RehearsalOptions& options_;
  sources::CertificatePool pool_;
  crypto::SignatureVerifier verifier_;
  std::map<std::string, std::pair<std::string, std::size_t>> unverified_;  ///< by reason: the first, and how many
  Evidence base_;                                                          ///< what is the same at any date
  std::map<std::string, sources::LoadedIdentity> loaded_;                  ///< by Server::name
  std::map<std::string, TrustView> views_;                                 ///< the same
};

void Rehearsal::add_gap(Evidence& evidence, Needs need, const std::string& about, ErrorKind kind, std::string reason,
                        std::string remedy) const {
  const bool known = std::any_of(evidence.gaps.begin(), evidence.gaps.end(), [&](const Gap& gap) {
    return gap.need == need && gap.about == about && gap.reason == reason;
  });
  if (!known) evidence.gaps.push_back({need, about, kind, std::move(reason), std::move(remedy)});
}

SignatureOracle Rehearsal::verifying() {
  return [this](const Certificate& child, const Certificate& issuer) -> std::optional<SignatureState> {
    const Result<SignatureState> state = verifier_.verify(child, issuer);
    if (state) return *state;
    auto& [first, seen] = unverified_[state.error().text];
    if (seen++ == 0) first = fmt::format("{} ({})", short_name(child), thumbprint(child));
    return std::nullopt;
  };
}

/// Files are read as they are now; what a directory holds is known from a recording only.
void Rehearsal::take_stores(const std::optional<Evidence>& recorded) {
  for (std::size_t i = 0; i < config_.stores.size(); ++i) {
    const StoreSource& source = config_.stores[i];
    if (source.ldap_uris.empty()) {
      auto contents = sources::read_local_store(source, config_.site.stores[i].kind, pool_);
      if (contents) {
        base_.stores.push_back(*std::move(contents));
      } else {
        const Error& error = contents.error();
        add_gap(base_, Needs::stores, source.name, error.kind, error.text, store_remedy(source, error));
      }
      continue;
    }
    const auto found = [&]() -> const StoreContents* {
      if (!recorded) return nullptr;
      const auto same = std::find_if(recorded->stores.begin(), recorded->stores.end(),
                                     [&](const StoreContents& contents) { return contents.store == source.name; });
      return same == recorded->stores.end() ? nullptr : &*same;
    }();
    if (found != nullptr) {
      base_.stores.push_back(*found);
    } else {
      add_gap(base_, Needs::stores, source.name, ErrorKind::local,
              recorded ? "a directory service, which a rehearsal does not ask, and the recording does not hold it"
                       : "a directory service, and a rehearsal asks nobody",
              "Look once for real, with mrascheck check --record FILE, and give that recording with --evidence FILE.");
    }
  }
  if (!recorded) return;
  for (const StoreContents& contents : recorded->stores) {
    if (is_fetched(contents.store)) base_.stores.push_back(contents);
  }
}

void Rehearsal::take_patches() {
  for (const ServerFiles& of : config_.patches) {
    std::vector<sources::FileFailure> failed;
    for (PatchExport& patches : sources::read_patches(of, failed)) base_.patches.push_back(std::move(patches));
    for (const auto& [server, error] : failed)
      add_gap(base_, Needs::versions, server, error.kind, error.text,
              server_file_remedy(Needs::versions, server, error));
  }
}

void Rehearsal::take_identities(const std::optional<Evidence>& recorded) {
  for (const IdentitySource& source : config_.identities) {
    auto identity = sources::load_identity(source, pool_);
    if (identity) {
      base_.identities.push_back(identity->identity);
      loaded_.emplace(source.server, *std::move(identity));
    } else {
      const Error& error = identity.error().error;
      add_gap(base_, Needs::identities, source.server, error.kind, error.text,
              identity_remedy(source, identity.error()));
    }
  }
  if (!recorded) return;
  for (const Handshake& handshake : recorded->handshakes) {
    if (handshake.peer_chain.empty() || has_certificate(handshake.to) || config_.site.server(handshake.to) == nullptr)
      continue;
    sources::LoadedIdentity shown;
    shown.identity.server = config_.site.server(handshake.to)->name;
    shown.identity.certificate = handshake.peer_chain.front();
    shown.identity.chain.assign(handshake.peer_chain.begin() + 1, handshake.peer_chain.end());
    base_.identities.push_back(shown.identity);
    loaded_.emplace(shown.identity.server, std::move(shown));
  }
}

bool Rehearsal::has_certificate(const std::string& server) const {
  return std::any_of(config_.identities.begin(), config_.identities.end(),
                     [&](const IdentitySource& source) { return source.server == server; }) ||
         loaded_.contains(server);
}

/// Those of the site, those of Front Ends that are in none and have a certificate now, and all the other way round.
void Rehearsal::take_links() {
  std::vector<Link>& links = base_.site.links;
  const auto any = [&](auto fits) { return std::any_of(links.begin(), links.end(), fits); };
  for (const Server& from : base_.site.servers) {
    if (from.role != Role::front_end || !has_certificate(from.name) ||
        any([&](const Link& link) { return link.from == from.name || link.to == from.name; }))
      continue;
    for (const Server& to : base_.site.servers) {
      if (to.role == Role::edge) links.push_back({from.name, to.name, mras_port, Service::tls, Expectation::accept});
    }
  }
  const std::size_t forward = links.size();
  for (std::size_t i = 0; i < forward; ++i) {
    links[i].service = Service::tls;
    const Link back{links[i].to, links[i].from, sip_port, Service::tls, Expectation::accept};
    if (links[i].expect != Expectation::accept || !has_certificate(back.from) || !has_certificate(back.to)) continue;
    if (!any([&](const Link& link) { return link.from == back.from && link.to == back.to; })) links.push_back(back);
  }
}

Result<void> Rehearsal::prepare() {
  std::optional<Evidence> recorded;
  if (!options_.recordings.empty()) {
    auto read = read_recordings(options_.recordings, pool_);
    if (!read) return tl::unexpected(std::move(read).error());
    if (read->site.name != config_.site.name) {
      return fail(ErrorKind::config, fmt::format("{}: a recording of the site {}, while the configuration is of {}",
                                                 printable(options_.recordings.front()), printable(read->site.name, 80),
                                                 printable(config_.site.name, 80)));
    }
    recorded = *std::move(read);
  }
  base_.vantage = options_.vantage + ", rehearsed in memory without the network,";
  if (recorded) base_.vantage += fmt::format(" directories as recorded at {},", to_iso8601(recorded->collected_at));
  base_.site = config_.site;
  take_stores(recorded);
  take_identities(recorded);
  take_patches();
  take_links();
  normalise(base_);
  demand_crl_signatures(base_, [this](const Crl& crl, const Certificate& issuer) {
    const Result<SignatureState> state = verifier_.verify(crl, issuer);
    if (state) return;
    add_gap(base_, Needs::signatures,
            fmt::format("revocation list of {} from {}", crl.issuer.text(), to_iso8601(crl.this_update)),
            ErrorKind::local, state.error().text,
            "Look at it with openssl crl -text: its algorithm, or its issuer's key, is one that the OpenSSL of this "
            "host cannot use.");
  });
  base_.signatures = verifier_.proofs();
  for (const Server& server : base_.site.servers) views_.emplace(server.name, trust_of(base_, server));
  return {};
}

/// What can shake hands for `server`; null, and said why, where nothing can.
const sources::LoadedIdentity* Rehearsal::ready(Evidence& evidence, const Server& server) const {
  const auto found = loaded_.find(server.name);
  if (found == loaded_.end()) {
    const bool unreadable = std::any_of(evidence.gaps.begin(), evidence.gaps.end(), [&](const Gap& gap) {
      return gap.need == Needs::identities && gap.about == server.name;
    });
    add_gap(evidence, Needs::handshakes, server.name, ErrorKind::config,
            unreadable ? "without its certificate nothing can be rehearsed with it"
                       : "no certificate of it is at hand: nothing can be rehearsed with it",
            fmt::format("Set `certificate` and `key` of {0}, or give them with --assign {0}=FILE,FILE; of a server "
                        "whose certificate a recording shows (--evidence FILE), paths are judged.",
                        server.name));
    return nullptr;
  }
  if (found->second.key) return &found->second;
  const bool configured = std::any_of(config_.identities.begin(), config_.identities.end(),
                                      [&](const IdentitySource& source) { return source.server == server.name; });
  add_gap(
      evidence, Needs::handshakes, server.name, ErrorKind::config,
      fmt::format("{} without the private key: no TLS can be tried with it, only paths are judged",
                  configured ? "its certificate is here" : "a recording shows its certificate,"),
      fmt::format("Rehearse where the key of {} is, or see with mrascheck check once it is assigned.", server.name));
  return nullptr;
}

std::vector<Rehearsal::Variant> Rehearsal::variants_of(const Server& server, UtcTime instant) {
  const Identity& own = loaded_.at(server.name).identity;
  std::vector<Chain> chains;
  if (server.chain == ChainMode::from_stores) {
    chains = windows_chains(own.certificate, views_.at(server.name), instant, verifying());
  } else {
    chains.push_back({own.certificate});
    chains.front().insert(chains.front().end(), own.chain.begin(), own.chain.end());
  }
  std::vector<Variant> variants;
  for (Chain& chain : chains) {
    const std::string name =
        chains.size() == 1 ? std::string{} : fmt::format("{}/{}", variants.size() + 1, chains.size());
    variants.push_back({name, std::move(chain)});
  }
  return variants;
}

void Rehearsal::look(Evidence& evidence, const Link& link) {
  const Server* from = evidence.site.server(link.from);
  const Server* to = evidence.site.server(link.to);
  if (from == nullptr || to == nullptr) return;
  const sources::LoadedIdentity* ours = ready(evidence, *from);
  const sources::LoadedIdentity* theirs = ready(evidence, *to);
  if (ours == nullptr || theirs == nullptr) return;
  const TrustView& view = views_.at(to->name);
  if (!view.configured) {
    add_gap(evidence, Needs::handshakes, to->name, ErrorKind::config,
            "no store says what it trusts, so that whom it lets in cannot be rehearsed",
            fmt::format("Name the stores of {} under `trusts`.", to->name));
    return;
  }
  const UtcTime at = evidence.collected_at;
  const SignatureOracle signature = verifying();
  for (const Server* end : {from, to}) {
    const std::vector<std::string>& missing = views_.at(end->name).missing;
    if (end->chain != ChainMode::from_stores || missing.empty()) continue;
    add_gap(evidence, Needs::handshakes, link.id(), ErrorKind::local,
            fmt::format("what {} would send is not known: {} could not be read whole", end->name, enumerate(missing)),
            "Mend these stores first, or give a recording that holds them with --evidence FILE.");
    return;
  }
  for (const Variant& client : variants_of(*from, at)) {
    const PathSet paths = find_paths(client.chain.front(),
                                     {.trust = &view, .sent = std::span{client.chain}.subspan(1), .at = at}, signature);
    std::vector<std::string> unread = view.missing;
    unread.insert(unread.end(), view.damaged.begin(), view.damaged.end());
    if (!paths.any_valid() && !unread.empty()) {  // what could not be read might hold what is missing
      add_gap(evidence, Needs::handshakes, link.id(), ErrorKind::local,
              fmt::format("whether {} lets {} in cannot be told: something of {} could not be read", to->name,
                          from->name, enumerate(unread)),
              "Mend these stores first, or give a recording that holds them with --evidence FILE.");
      continue;
    }
    const auto options = [](const Chain& chain, const sources::LoadedIdentity& identity) {
      crypto::TlsContext::Options made;
      made.certificate = chain.front();
      made.chain.assign(chain.begin() + 1, chain.end());
      made.key = identity.key;
      made.max_version = tls_version;
      return made;
    };
    const auto client_end = crypto::TlsContext::client(options(client.chain, *ours));
    for (const Variant& server : variants_of(*to, at)) {
      const auto server_end =
          crypto::TlsContext::server(options(server.chain, *theirs), client_trust(client.chain, view, paths, at));
      if (!client_end || !server_end) {
        const Error& error = client_end ? server_end.error() : client_end.error();
        add_gap(evidence, Needs::handshakes, link.id(), error.kind, error.text,
                "Look at that certificate with openssl x509 -text: OpenSSL must be able to use it.");
        continue;
      }
      const std::string variant = server.name.empty()
                                      ? client.name
                                      : fmt::format("{} to {}", client.name.empty() ? "1/1" : client.name, server.name);
      evidence.handshakes.push_back(sources::rehearse({from, to, &link, variant, &*client_end, &*server_end,
                                                       client.chain, &views_.at(from->name), at, signature, &pool_}));
    }
  }
}

Evidence Rehearsal::at(UtcTime instant) {
  Evidence evidence = base_;
  evidence.collected_at = instant;
  unverified_.clear();
  for (const Link& link : base_.site.links) look(evidence, link);
  demand_signatures(evidence, verifying());
  evidence.signatures = verifier_.proofs();
  for (const auto& [reason, seen] : unverified_) {
    add_gap(evidence, Needs::signatures, seen.first, ErrorKind::local,
            seen.second == 1 ? reason : fmt::format("{} ({})", reason, count(seen.second, "signature")),
            "Look at it with openssl x509 -text: its algorithm, or its issuer's key, is one that the OpenSSL of this "
            "host cannot use.");
  }
  normalise(evidence);
  return evidence;
}

}  // namespace

Result<RehearsalEnd> rehearse(const Config& config, const RehearsalOptions& options, const Judge& judge) {
  const auto limit = Deadline::Clock::now() + config.limits.deadline;
  Rehearsal rehearsal(config, options);
  if (const auto prepared = rehearsal.prepare(); !prepared) return tl::unexpected(prepared.error());
  const Evidence first = rehearsal.at(options.at);
  judge(first);
  RehearsalEnd end;
  if (!options.through) return end;
  std::size_t done = 0;
  for (const UtcTime instant : turning_points(first, *options.through)) {
    const bool late = Deadline::Clock::now() >= limit;
    if (done == RehearsalOptions::most_instants || late) {
      end.first_left_out = instant;
      const std::chrono::duration<double> seconds = config.limits.deadline;
      end.why = late ? fmt::format("the deadline of {:g} s was over", seconds.count())
                     : fmt::format("{} days are judged at most", RehearsalOptions::most_instants);
      break;
    }
    judge(rehearsal.at(instant));
    ++done;
  }
  return end;
}

}  // namespace mrascheck::run

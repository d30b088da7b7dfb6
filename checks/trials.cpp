// SPDX-License-Identifier: Apache-2.0
#include "checks/trials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "checks/common.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

enum Kind : std::size_t {
  identity_let_in,
  identity_refused,
  trial_undecided,
  chain_matters,
  old_version_offered,
  nothing_for_windows,
  offer_unknown,
};

/// What became of a trial, and in which words.
struct Seen {
  enum class What { let_in, refused, undecided } what = What::undecided;
  std::string words;
};

/// RFC 8446, 6.2: alerts that are about something else than whom the server lets in.
bool about_tls_itself(std::uint8_t alert) {
  constexpr std::array<std::uint8_t, 11> own{10, 20, 21, 22, 30, 47, 50, 51, 70, 71, 80};
  return std::find(own.begin(), own.end(), alert) != own.end();
}

std::string how_it_ended(const Handshake& handshake) {
  const std::string outcome{to_string(handshake.outcome)};
  if (handshake.outcome == Outcome::rejected_by_peer && !handshake.alerts_received.empty())
    return handshake.alerts_received.back().name();
  return handshake.detail.empty() ? outcome : fmt::format("{}: {}", outcome, handshake.detail);
}

/// `own`: what the client's own certificate got at the same address; null when that was not seen.
Seen seen_of(const Trial& trial, const Handshake* own, UtcTime now) {
  using What = Seen::What;
  const Handshake& handshake = trial.handshake;
  const auto undecided = [](std::string why) { return Seen{What::undecided, std::move(why)}; };
  const bool asked = handshake.client_certificate_requested;
  if (trial.kind != TrialKind::none && asked && !handshake.certificate_sent)
    return undecided("it fits nothing that the server asked for, so it was not sent");
  if (handshake.certificate_sent && !handshake.sent_chain.empty()) {
    const Certificate& shown = *handshake.sent_chain.front();
    if (trial.kind == TrialKind::expired && shown.not_after >= now) return undecided("the certificate has not expired");
    if (trial.kind == TrialKind::server_only) {
      const auto& usage = shown.extended_key_usage;
      const bool client = !usage || std::any_of(usage->begin(), usage->end(), [](const std::string& oid) {
        return oid == client_auth_oid || oid == any_eku_oid;
      });
      if (client) return undecided("the certificate is not for servers only");
    }
  }
  if (handshake.accepted()) {
    return {What::let_in, !asked ? "let in, without being asked for a certificate"
                          : handshake.peer_answered
                              ? "let in: the server answered"
                              : fmt::format("let in: the server stayed quiet for {} ms", handshake.quiet_for.count())};
  }
  const std::string end = how_it_ended(handshake);
  switch (handshake.outcome) {
    case Outcome::rejected_by_peer:
      if (handshake.alerts_received.empty() || about_tls_itself(handshake.alerts_received.back().description))
        return undecided(end);
      return {What::refused, "refused: " + end};
    case Outcome::reset:
    case Outcome::closed:
      // Windows says no more. Where the client's own certificate was let in, only the certificate can be why.
      if (own != nullptr && own->accepted() && handshake.phase != Phase::connect)
        return {What::refused, "refused: " + end};
      return undecided(end);
    default:
      return undecided(end);
  }
}

std::string who(const Trial& trial) {
  const std::string about = trial.about.empty() ? "" : fmt::format(" ({})", trial.about);
  return trial.kind == TrialKind::none ? "no certificate" : fmt::format("{}{}", to_string(trial.kind), about);
}

const Handshake* own_of(const Evidence& evidence, const Handshake& trial) {
  const Handshake* found = nullptr;
  for (const Handshake& handshake : evidence.handshakes) {
    if (handshake.id() != trial.id()) continue;
    if (found == nullptr || handshake.accepted()) found = &handshake;
  }
  return found;
}

struct Tried {
  const Trial* trial;
  Seen seen;
};

/// The list of issuers that came with the request for a certificate, and whether one that leads to ours is in it.
std::string issuers_named(const Handshake& handshake) {
  if (handshake.accepted_issuer_count == 0) return "it names no issuers";
  const bool ours = std::any_of(
      handshake.accepted_issuers.begin(), handshake.accepted_issuers.end(), [&handshake](const Name& listed) {
        return std::any_of(
            handshake.sent_chain.begin(), handshake.sent_chain.end(),
            [&listed](const CertificateRef& sent) { return sent->issuer.canonical() == listed.canonical(); });
      });
  return fmt::format("it names {} in {} bytes{}", count(handshake.accepted_issuer_count, "issuer"),
                     handshake.accepted_issuer_bytes, ours ? ", ours among them" : "");
}

void judge_identities(const std::string& id, std::span<const Tried> tried, const Handshake* own, Verdict& verdict) {
  const Handshake& any = tried.front().trial->handshake;
  const bool asked = (own != nullptr && own->client_certificate_requested) ||
                     std::any_of(tried.begin(), tried.end(),
                                 [](const Tried& one) { return one.trial->handshake.client_certificate_requested; });
  std::string policy = asked ? "asked for" : "not asked for";
  std::vector<std::string> lines;
  std::vector<std::string> undecided;
  for (const auto& [trial, seen] : tried) {
    std::string line = fmt::format("{}: {}", who(*trial), seen.words);
    if (trial->expect) line += fmt::format(" (expected: {})", to_string(*trial->expect));
    if (trial->kind == TrialKind::none && asked) {
      if (seen.what == Seen::What::refused) policy = "required";
      if (seen.what == Seen::What::let_in) policy = "optional";
    }
    if (seen.what == Seen::What::undecided) undecided.push_back(line);
    lines.push_back(std::move(line));
  }
  if (own != nullptr && own->accepted()) lines.insert(lines.begin(), "its own certificate: let in");
  if (own != nullptr && own->client_certificate_requested) policy += "; " + issuers_named(*own);
  verdict.notes.push_back({id, fmt::format("client certificates are {}; {}", policy, fmt::join(lines, "; "))});

  bool no_one_asked = false;
  for (const auto& [trial, seen] : tried) {
    if (!trial->expect || seen.what == Seen::What::undecided) continue;
    if (*trial->expect == Expectation::refuse && seen.what == Seen::What::let_in) {
      if (!asked && std::exchange(no_one_asked, true)) continue;  // whoever comes is let in the same way
      // The stale CA was the site's own once, and whoever has a key from it most likely belongs to the site.
      const bool ours_once = trial->kind == TrialKind::stale_ca;
      Finding& open = verdict.findings.emplace_back(
          finding(trial_kinds[identity_let_in], ours_once ? Status::warning : Status::critical, id));
      open.summary = fmt::format("{} lets in who must be refused: {}", any.to, who(*trial));
      open.facts = lines;
      open.remedy =
          !asked ? fmt::format(
                       "Check that {} is the port of the service meant, and that no device in between ends TLS: "
                       "these services ask every peer for a certificate.",
                       any.endpoint())
          : trial->kind == TrialKind::none
              ? fmt::format(
                    "On {}, see who listens on port {}: the services of these products let nobody in without a "
                    "certificate between servers.",
                    any.to, any.port)
          : trial->kind == TrialKind::expired
              ? fmt::format(
                    "Compare the clock of {} with this host's, and see who listens on port {}: an expired "
                    "certificate is to be refused.",
                    any.to, any.port)
              : fmt::format(
                    "Remove the CA that signed it from the trusted roots of {}, if nobody else there needs it, "
                    "and restart its services.",
                    any.to);
    }
    if (*trial->expect == Expectation::accept && seen.what == Seen::What::refused && own != nullptr &&
        own->accepted()) {
      Finding& shut = verdict.findings.emplace_back(finding(trial_kinds[identity_refused], Status::warning, id));
      shut.summary = fmt::format("{} refuses who must be let in: {}", any.to, who(*trial));
      shut.facts = lines;
      shut.remedy = fmt::format(
          "Have the certificates of its clients issued with both server and client authentication "
          "(Request-CsCertificate "
          "-ClientEKU $true), or find out what on {} holds clients to that.",
          any.to);
    }
  }
  if (undecided.empty()) return;
  Finding& open = verdict.findings.emplace_back(finding(trial_kinds[trial_undecided], Status::unknown, id));
  open.summary = fmt::format("{} on {} gave no answer", count(undecided.size(), "trial"), any.to);
  open.facts = std::move(undecided);
  open.remedy =
      "Mend what stopped it (a file, a certificate that is not what it is tried as, the connection), and try "
      "again.";
}

void judge_chains(const std::string& id, std::span<const Tried> tried, Verdict& verdict) {
  const Handshake& any = tried.front().trial->handshake;
  std::vector<std::string> lines;
  std::vector<std::string> in;
  std::vector<std::string> out;
  std::vector<std::string> undecided;
  for (const auto& [trial, seen] : tried) {
    std::string line = fmt::format("{}: {}", who(*trial), seen.words);
    if (seen.what == Seen::What::undecided) {
      undecided.push_back(line);
    } else if (seen.what == Seen::What::let_in) {
      in.push_back(who(*trial));
    } else if (trial->kind != TrialKind::leaf_only) {  // to send no intermediate is wrong by itself (RFC 8446, 4.4.2)
      out.push_back(who(*trial));
    }
    lines.push_back(std::move(line));
  }
  verdict.notes.push_back({id, fmt::format("what is sent behind the certificate: {}", fmt::join(lines, "; "))});
  if (!in.empty() && !out.empty()) {
    Finding& matters = verdict.findings.emplace_back(finding(trial_kinds[chain_matters], Status::warning, id));
    matters.summary = fmt::format("{} lets {} in with {}, and refuses the same certificate with {}", any.to, any.from,
                                  enumerate(in), enumerate(out));
    matters.facts = lines;
    matters.remedy = fmt::format(
        "Import the intermediate certificates of {0} into the intermediate store of {1}, so that it does not depend on "
        "what is sent; and see that the stores of {0} make one that is let in.",
        any.from, any.to);
  }
  if (undecided.empty()) return;
  Finding& open = verdict.findings.emplace_back(finding(trial_kinds[trial_undecided], Status::unknown, id));
  open.summary = fmt::format("{} of {} on {} gave no answer", count(undecided.size(), "chain"), any.from, any.to);
  open.facts = std::move(undecided);
  open.remedy = "Mend the stores or the connection, and try again.";
}

/// What Schannel has enabled by default, as the pages "TLS Cipher Suites in Windows ..." of Microsoft list it; without
/// what no OpenSSL of today can ask for (3DES, RC4, DSS).
struct Release {
  std::string_view name;
  bool ecdhe_rsa_gcm;
  bool dhe_rsa_cbc;
  bool tls_1_3;
};
constexpr std::array releases{Release{"Windows Server 2012 R2", false, true, false},
                              Release{"Windows Server 2016 and 2019", true, true, false},
                              Release{"Windows Server 2022", true, false, true}};

bool has(const Release& release, TlsVersion version, std::string_view cipher) {
  if (version == TlsVersion::tls_1_3)
    return release.tls_1_3 && (cipher == "TLS_AES_256_GCM_SHA384" || cipher == "TLS_AES_128_GCM_SHA256");
  constexpr std::string_view prefix = "TLS_";
  if (!cipher.starts_with(prefix)) return false;
  cipher.remove_prefix(prefix.size());
  constexpr std::string_view with = "_WITH_";
  const std::size_t at = cipher.find(with);
  if (at == std::string_view::npos) return false;
  const std::string_view exchange = cipher.substr(0, at);
  const std::string_view rest = cipher.substr(at + with.size());
  const bool gcm = rest == "AES_256_GCM_SHA384" || rest == "AES_128_GCM_SHA256";
  const bool cbc = rest == "AES_256_CBC_SHA" || rest == "AES_128_CBC_SHA";
  if (exchange == "ECDHE_RSA")
    return cbc || rest == "AES_256_CBC_SHA384" || rest == "AES_128_CBC_SHA256" || (gcm && release.ecdhe_rsa_gcm);
  if (exchange == "ECDHE_ECDSA") return cbc || gcm || rest == "AES_256_CBC_SHA384" || rest == "AES_128_CBC_SHA256";
  if (exchange == "DHE_RSA") return gcm || (cbc && release.dhe_rsa_cbc);
  if (exchange == "RSA") return gcm || cbc || rest == "AES_256_CBC_SHA256" || rest == "AES_128_CBC_SHA256";
  return false;
}

/// Skype for Business Server 2019 does not run on anything older than Windows Server 2016.
bool concerns(const Release& release, const Server* from) {
  return &release != releases.data() || from == nullptr || !from->patch_level.starts_with("7.");
}

void judge_offer(const Evidence& evidence, const TlsOffer& offer, Verdict& verdict) {
  std::vector<std::string> versions;
  std::vector<std::string> old;
  std::vector<std::string> unknown;
  for (const TlsOffer::Version& version : offer.versions) {
    if (!version.complete) unknown.push_back(fmt::format("{}: {}", to_string(version.version), version.detail));
    if (!version.offered()) continue;
    versions.push_back(fmt::format("{} with {}", to_string(version.version), fmt::join(version.ciphers, ", ")));
    if (version.version <= TlsVersion::tls_1_1) old.emplace_back(to_string(version.version));
  }
  std::vector<std::string> agreements;
  for (const Release& release : releases) {
    std::vector<std::string> common;
    for (auto version = offer.versions.rbegin(); version != offer.versions.rend(); ++version) {
      for (const std::string& cipher : version->ciphers) {
        if (has(release, version->version, cipher))
          common.push_back(fmt::format("{} with {}", to_string(version->version), cipher));
      }
    }
    agreements.push_back(fmt::format("{}: {}", release.name,
                                     common.empty() ? "nothing"
                                     : common.size() == 1
                                         ? common.front()
                                         : fmt::format("{}, and {} more", common.front(), common.size() - 1)));
    if (!common.empty() || !unknown.empty() || !concerns(release, evidence.site.server(offer.from))) continue;
    Finding& nothing =
        verdict.findings.emplace_back(finding(trial_kinds[nothing_for_windows], Status::warning, offer.id()));
    nothing.summary =
        fmt::format("{} agrees to no cipher suite that {} has enabled by default", offer.to, release.name);
    nothing.facts = versions;
    nothing.remedy = fmt::format(
        "If {} or another peer of it runs on that, enable on {} one that both have (for {}: "
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 or TLS_DHE_RSA_WITH_AES_256_GCM_SHA384, in the group policy SSL Cipher "
        "Suite Order); if none does, this is of no concern.",
        offer.from, offer.to, release.name);
  }
  if (!versions.empty()) {
    verdict.notes.push_back({offer.id(), fmt::format("{} agrees to {}", offer.to, fmt::join(versions, "; "))});
    verdict.notes.push_back({offer.id(), fmt::format("with {}", fmt::join(agreements, "; with "))});
  }
  if (!old.empty()) {
    Finding& offered =
        verdict.findings.emplace_back(finding(trial_kinds[old_version_offered], Status::warning, offer.id()));
    offered.summary = fmt::format("{} agrees to {}", offer.to, enumerate(old));
    offered.facts = versions;
    offered.remedy = fmt::format(
        "When nobody needs them any more (Skype for Business Server works without them from 2015 CU9 and 2019 CU1 on, "
        "older products do not), disable them on {} under "
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols.",
        offer.to);
  }
  if (!unknown.empty()) {
    Finding& open = verdict.findings.emplace_back(finding(trial_kinds[offer_unknown], Status::unknown, offer.id()));
    open.summary = fmt::format("not all that {} agrees to could be found out", offer.to);
    open.facts = std::move(unknown);
    open.remedy =
        "See port-reachable and the other findings of handshake first; then give the run more time (deadline).";
  }
}

}  // namespace

void judge_trials(const Evidence& evidence, Verdict& verdict) {
  std::map<std::string, std::size_t> order;  // as in the evidence
  std::vector<std::pair<std::string, std::vector<Tried>>> links;
  for (const Trial& trial : evidence.trials) {
    const std::string id = trial.handshake.id();
    const auto [place, first] = order.try_emplace(id, links.size());
    if (first) links.push_back({id, {}});
    links[place->second].second.push_back(
        {&trial, seen_of(trial, own_of(evidence, trial.handshake), evidence.collected_at)});
  }
  for (const auto& [id, tried] : links) {
    std::vector<Tried> identities;
    std::vector<Tried> chains;
    for (const Tried& one : tried) (tries_identity(one.trial->kind) ? identities : chains).push_back(one);
    const Handshake* own = own_of(evidence, tried.front().trial->handshake);
    if (!identities.empty()) judge_identities(id, identities, own, verdict);
    if (!chains.empty()) judge_chains(id, chains, verdict);
  }
  for (const TlsOffer& offer : evidence.offers) judge_offer(evidence, offer, verdict);
}

}  // namespace mrascheck::checks

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "checks/common.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array kinds{
    FindingKind{"store-hygiene.not-self-signed-root",
                "a certificate that is not self-signed stands among trusted roots",
                {"KB2795828", "Cause"}},
    FindingKind{"store-hygiene.too-many-roots",
                "a server trusts more roots than Skype for Business supports",
                {"KB2464556", "Cause"}},
    FindingKind{"store-hygiene.issuer-list-too-long",
                "the names of a server's trusted roots do not fit into its certificate request",
                {"KB2464556", "Cause"}},
    FindingKind{"store-hygiene.pool-differs",
                "members of a pool hold different CA certificates of a name in use",
                {"RFC 4158", "3.5.12"}},
    FindingKind{"store-hygiene.sides-differ",
                "a Front End and an Edge each lack a CA certificate of a name in use that the other has",
                {"RFC 4158", "3.5.12"}},
    FindingKind{"store-hygiene.no-key-identifiers",
                "nothing but signatures tells the CAs of one name from each other",
                {"RFC 5280", "4.2.1.1"}},
    FindingKind{"store-hygiene.cng-key",
                "the private key of a server's certificate is kept by a CNG provider",
                {"Microsoft Learn, Environmental requirements for Skype for Business Server 2015", "Certificates"}},
};

enum Kind : std::size_t {
  not_self_signed_root,
  too_many_roots,
  issuer_list_too_long,
  pool_differs,
  sides_differ,
  no_key_identifiers,
  cng_key
};

/// What Microsoft's own rules for these products call too many in Local Computer\Trusted Root Certification
/// Authorities.
constexpr std::size_t most_roots = 100;
/// Schannel cuts the list of issuers that it sends here (KB2464556).
constexpr std::size_t most_issuer_list_bytes = std::size_t{16} * 1024;
constexpr std::size_t most_facts = 10;

void add_facts(Finding& finding, const std::vector<std::string>& lines) {
  finding.facts.insert(finding.facts.end(), lines.begin(),
                       lines.begin() + static_cast<std::ptrdiff_t>(std::min(lines.size(), most_facts)));
  if (lines.size() > most_facts) finding.facts.push_back(fmt::format("and {} more", lines.size() - most_facts));
}

std::string at(const StoreEntry& entry) {
  return fmt::format("{}, in {}", describe(*entry.certificate), entry.place.str());
}

/// By its signature where that was tried, else by its names.
bool self_signed(const Certificate& certificate, const SignatureOracle& signature) {
  return certificate.may_be_self_signed() && signature(certificate, certificate) != SignatureState::failed;
}

void judge_roots(const StoreContents& store, bool mixed, const SignatureOracle& signature, Verdict& verdict) {
  std::vector<std::string> misplaced;
  for (const StoreEntry& entry : store.entries) {
    // In a file that may hold anything, only what an export itself calls a root stands among roots.
    const bool told = entry.properties &&
                      (entry.properties->origin != StoreOrigin::unknown || !entry.properties->windows_store.empty());
    if (mixed && !told) continue;
    if (entry.kind == StoreKind::root && !self_signed(*entry.certificate, signature)) misplaced.push_back(at(entry));
  }
  if (misplaced.empty()) return;
  Finding& found = verdict.findings.emplace_back(finding(kinds[not_self_signed_root], Status::warning, store.store));
  found.summary = fmt::format("store {} holds {} among its trusted roots that {} not self-signed", store.store,
                              count(misplaced.size(), "certificate"), misplaced.size() == 1 ? "is" : "are");
  add_facts(found, misplaced);
  found.facts.push_back(
      "Windows Server 2012 and later refuse every client certificate while such a one is there, unless "
      "ClientAuthTrustMode is 2");
  found.remedy =
      "Move each to Intermediate Certification Authorities, by its full thumbprint, then restart the services:\n"
      "  certutil -addstore CA FILE.cer\n"
      "  certutil -delstore Root THUMBPRINT";
}

/// Of a server's own store of trusted roots.
void judge_size(const StoreContents& store, const std::string& host, Verdict& verdict) {
  std::set<Sha256> roots;
  std::set<std::string_view> names;
  std::vector<std::string> cut;
  std::size_t bytes = 0;
  for (const StoreEntry& entry : store.entries) {
    if (entry.kind != StoreKind::root || !roots.insert(entry.certificate->sha256).second) continue;
    if (!names.insert(as_text(entry.certificate->subject.der())).second) continue;
    bytes += 2 + entry.certificate->subject.der().size();  // RFC 5246, 7.4.4: each name behind its length
    if (bytes > most_issuer_list_bytes) cut.emplace_back(entry.certificate->subject.text());
  }
  if (roots.size() > most_roots) {
    Finding& found = verdict.findings.emplace_back(finding(kinds[too_many_roots], Status::warning, store.store));
    found.summary = fmt::format("{} trusts {} roots (store {}); more than {} are known to break its TLS", host,
                                roots.size(), store.store, most_roots);
    found.remedy = "Remove the roots that nothing of this server's peers chains to, after saving them to a file.";
  }
  if (!cut.empty()) {
    Finding& found = verdict.findings.emplace_back(finding(kinds[issuer_list_too_long], Status::warning, store.store));
    found.summary = fmt::format(
        "the names of the roots that {} trusts take {} bytes (store {}); the list that it sends to clients ends at {}",
        host, bytes, store.store, most_issuer_list_bytes);
    found.facts.push_back("left out, if the list is sent in the order of the store:");
    add_facts(found, cut);
    found.remedy =
        "Remove roots that are not needed, or stop sending the list (SendTrustedIssuerList = 0 under "
        "SecurityProviders\\SCHANNEL, which is the default since Windows Server 2012), then restart the server.";
  }
}

/// All CAs that some certification path of the site runs through, by their canonical names.
using Names = std::map<std::string_view, Name>;
Names names_in_use(const std::vector<PathJudgement>& judgements) {
  Names names;
  const auto add = [&names](const Name& name) { names.emplace(name.canonical(), name); };
  for (const PathJudgement& judgement : judgements) {
    for (const CertificateRef& certificate : judgement.chain) add(certificate->issuer);
    for (const Path& path : judgement.result.paths.paths) {
      for (const CertificateRef& certificate : path.certificates) add(certificate->issuer);
    }
  }
  return names;
}

/// What one member's own stores of one kind hold; nothing where they were not read, or not whole.
using Holdings = std::map<Sha256, CertificateRef>;

/// A line for each certificate that not all of them hold.
std::vector<std::string> differences(const std::map<std::string, Holdings>& members) {
  Holdings all;
  for (const auto& [member, holdings] : members) all.insert(holdings.begin(), holdings.end());
  std::vector<std::string> lines;
  for (const auto& [sha256, certificate] : all) {
    std::vector<std::string> with;
    std::vector<std::string> without;
    for (const auto& [member, holdings] : members) {
      (holdings.contains(sha256) ? with : without).push_back(member);
    }
    if (without.empty()) continue;
    lines.push_back(fmt::format("{}: on {}, not on {}", describe(*certificate), enumerate(with), enumerate(without)));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

void judge_pool(const std::string& pool, StoreKind kind, const std::map<std::string, Holdings>& members,
                Verdict& verdict) {
  const std::vector<std::string> lines = differences(members);
  if (lines.empty()) return;
  Finding& found = verdict.findings.emplace_back(
      finding(kinds[pool_differs], Status::warning, fmt::format("{} ({})", pool, to_string(kind))));
  found.summary =
      fmt::format("the members of {} differ in {} of {} that are in use", pool, count(lines.size(), "certificate"),
                  kind == StoreKind::root ? "roots" : "intermediate CAs");
  add_facts(found, lines);
  found.remedy =
      "Bring the stores of all members to the same state, then restart their services: what works on one member fails "
      "on another until then.";
}

void judge_pools(const Evidence& evidence, const Names& in_use, Verdict& verdict) {
  std::map<std::string, std::map<StoreKind, std::map<std::string, Holdings>>> pools;
  for (const StoreContents& contents : evidence.stores) {
    const StoreSpec* spec = evidence.site.store(contents.store);
    const Server* host = spec == nullptr ? nullptr : evidence.site.server(spec->host);
    if (host == nullptr || host->pool.empty() || !contents.truncated.empty() || !contents.unreadable.empty()) continue;
    if (spec->kind != StoreKind::mixed) pools[host->pool][spec->kind][host->name];
    for (const StoreEntry& entry : contents.entries) {
      if (!in_use.contains(entry.certificate->subject.canonical())) continue;
      pools[host->pool][entry.kind][host->name].emplace(entry.certificate->sha256, entry.certificate);
    }
  }
  for (const auto& [pool, by_kind] : pools) {
    for (const auto& [kind, members] : by_kind) {
      if (members.size() > 1 && (kind == StoreKind::root || kind == StoreKind::intermediate)) {
        judge_pool(pool, kind, members, verdict);
      }
    }
  }
}

/// What a server has at hand of a name, valid now; nothing where its stores were not read whole.
Holdings holdings_of(const TrustView& view, const Name& name, UtcTime at) {
  Holdings holdings;
  if (!view.configured || !view.missing.empty() || !view.damaged.empty()) return holdings;
  for (const CertificateRef& certificate : view.index.named(name)) {
    if (certificate->valid_at(at)) holdings.emplace(certificate->sha256, certificate);
  }
  return holdings;
}

/// Where one side has all that the other has it may well be as it should: an Edge needs no CA's former certificates.
void judge_sides(const Evidence& evidence, const Names& in_use, Verdict& verdict) {
  // Servers with the same stores have the same at hand.
  std::map<std::pair<std::vector<std::string>, std::vector<std::string>>, TrustView> by_stores;
  std::map<std::string, const TrustView*> views;
  for (const Server& server : evidence.site.servers) {
    const auto [place, added] = by_stores.try_emplace({server.trusts, server.intermediates});
    if (added) place->second = trust_of(evidence, server);
    views.emplace(server.name, &place->second);
  }
  const auto covers = [](const Holdings& all, const Holdings& some) {
    return std::all_of(some.begin(), some.end(), [&](const auto& one) { return all.contains(one.first); });
  };
  for (const auto& [canonical, name] : in_use) {
    std::map<std::string, Holdings> apart;
    for (const Link& link : evidence.site.links) {
      const auto from = views.find(link.from);
      const auto to = views.find(link.to);
      if (from == views.end() || to == views.end() || link.expect != Expectation::accept) continue;
      if (from->second == to->second) continue;
      Holdings one = holdings_of(*from->second, name, evidence.collected_at);
      Holdings other = holdings_of(*to->second, name, evidence.collected_at);
      if (covers(one, other) || covers(other, one)) continue;
      apart.emplace(link.from, std::move(one));
      apart.emplace(link.to, std::move(other));
    }
    if (apart.empty()) continue;
    Finding& found =
        verdict.findings.emplace_back(finding(kinds[sides_differ], Status::warning, std::string{name.text()}));
    std::vector<std::string> servers;
    servers.reserve(apart.size());
    for (const auto& [server, holdings] : apart) servers.push_back(server);
    found.summary = fmt::format("{} have different certificates of {} at hand, and each lacks one that another has",
                                enumerate(servers), name.text());
    found.servers = servers;
    add_facts(found, differences(apart));
    found.remedy =
        "See same-name-issuers for which of them is in use: import that one, by thumbprint, where it is missing; what "
        "is "
        "stale goes by the plan of mrascheck cleanup.";
  }
}

/// A certificate on some path, and the CA certificates that a server has at hand for its issuer's name.
struct Choice {
  CertificateRef child;
  std::map<Sha256, CertificateRef> candidates;
  std::set<std::string> judges;

  bool ambiguous() const {
    std::set<Sha256> keys;
    for (const auto& [sha256, candidate] : candidates) keys.insert(candidate->spki_sha256);
    return keys.size() > 1;
  }
  bool child_names_key() const { return child->authority_key_id && child->authority_key_id->key_id; }
};

/// RFC 4158, 2.4.2: an engine sorts the candidates of a name by their key identifiers before it tries a signature, and
/// OpenSSL tries none at all before it has chosen.
void judge_key_identifiers(const std::vector<PathJudgement>& judgements, Verdict& verdict) {
  std::map<Sha256, Choice> choices;
  for (const PathJudgement& judgement : judgements) {
    std::map<Sha256, Choice> of_judge;
    for (const Path& path : judgement.result.paths.paths) {
      for (std::size_t i = 0; i + 1 < path.certificates.size(); ++i) {
        Choice& choice = of_judge[path.certificates[i]->sha256];
        choice.child = path.certificates[i];
        choice.candidates.emplace(path.certificates[i + 1]->sha256, path.certificates[i + 1]);
      }
    }
    for (auto& [sha256, choice] : of_judge) {
      if (!choice.ambiguous()) continue;
      Choice& all = choices[sha256];
      all.child = choice.child;
      all.candidates.merge(choice.candidates);
      all.judges.insert(judgement.judge);
    }
  }
  for (const auto& [sha256, choice] : choices) {
    std::vector<std::string> lines;
    if (!choice.child_names_key())
      lines.push_back(fmt::format("{} does not say whose key signed it", describe(*choice.child)));
    for (const auto& [digest, candidate] : choice.candidates) {
      if (!candidate->subject_key_id) lines.push_back(fmt::format("{} does not name its key", describe(*candidate)));
    }
    if (lines.empty()) continue;
    Finding& found =
        verdict.findings.emplace_back(finding(kinds[no_key_identifiers], Status::warning, thumbprint(*choice.child)));
    found.summary = fmt::format("{} has {} named {} to choose from for {}, and no key identifiers to tell them apart",
                                enumerate({choice.judges.begin(), choice.judges.end()}),
                                count(choice.candidates.size(), "certificate"), choice.child->issuer.text(),
                                short_name(*choice.child));
    add_facts(found, lines);
    found.remedy = fmt::format(
        "See same-name-issuers for which of {} may go, and take it out of these stores; and have the certificates "
        "above "
        "issued again with subject and authority key identifiers, as AD CS writes them unless it is told not to.",
        choice.child->issuer.common_name().empty() ? choice.child->issuer.text() : choice.child->issuer.common_name());
  }
}

/// A CA that the directory knows and does not call alive: retired, or never of this directory's own (standalone).
void note_enrollment(const Evidence& evidence, const CertificateGraph& graph, const SignatureOracle& signature,
                     Verdict& verdict) {
  const auto stands = [&](const GraphEntry& entry, StoreKind kind) {
    return std::any_of(entry.locations.begin(), entry.locations.end(), [&](const Location& location) {
      const StoreSpec* spec = evidence.site.store(location.store->store);
      return location.entry->kind == kind && spec != nullptr && spec->directory;
    });
  };
  const bool any_enrolled = std::any_of(evidence.stores.begin(), evidence.stores.end(), [](const StoreContents& store) {
    return std::any_of(store.entries.begin(), store.entries.end(),
                       [](const StoreEntry& entry) { return entry.kind == StoreKind::enrollment; });
  });
  if (!any_enrolled) return;  // it may be hidden
  for (const CertificateRef& certificate : graph.live()) {
    const auto named = graph.named(certificate->issuer);
    const auto issuer = std::find_if(named.begin(), named.end(), [&](const GraphEntry& entry) {
      return stands(entry, StoreKind::intermediate) &&
             signature(*certificate, *entry.certificate) == SignatureState::verified;
    });
    if (issuer == named.end()) continue;
    const bool alive = std::any_of(named.begin(), named.end(), [&](const GraphEntry& entry) {
      return entry.certificate->spki_sha256 == issuer->certificate->spki_sha256 && stands(entry, StoreKind::enrollment);
    });
    if (alive) continue;
    verdict.notes.push_back(
        {thumbprint(*certificate),
         fmt::format("{}: its issuer {} is not in Enrollment Services: no CA of this directory will renew it with that "
                     "key (a retired or a standalone CA)",
                     short_name(*certificate), label(*issuer->certificate))});
  }
}

/// Worth knowing, and no fault by itself.
void note_details(const Evidence& evidence, const CertificateGraph& graph, Verdict& verdict) {
  for (const StoreContents& store : evidence.stores) {
    std::set<std::tuple<StoreKind, SharedText, Sha256>> seen;
    std::size_t twice = 0;
    for (const StoreEntry& entry : store.entries) {
      if (!seen.emplace(entry.kind, entry.place, entry.certificate->sha256).second) ++twice;
    }
    if (twice > 0) {
      verdict.notes.push_back({store.store, fmt::format("{} there more than once in one place",
                                                        count(twice, "certificate is", "certificates are"))});
    }
  }
  for (const CertificateRef& certificate : graph.live()) {
    const auto directory_only = [](const std::vector<std::string>& urls) {
      return !urls.empty() && std::all_of(urls.begin(), urls.end(),
                                          [](const std::string& url) { return to_lower(url).starts_with("ldap:"); });
    };
    std::vector<std::string> what;
    if (directory_only(certificate->ca_issuer_urls)) what.emplace_back("its issuer's certificate (AIA)");
    if (directory_only(certificate->crl_urls)) what.emplace_back("its revocation list (CDP)");
    if (what.empty()) continue;
    verdict.notes.push_back({thumbprint(*certificate),
                             fmt::format("{}: {} can be had by LDAP only: an Edge outside the domain cannot fetch that",
                                         short_name(*certificate), enumerate(what))});
  }
}

/// By the name that Windows gives it: the providers of CNG are called key storage providers, all but one.
bool is_cng(std::string_view provider) {
  return to_lower(provider).find("key storage provider") != std::string::npos ||
         equals_ignoring_case(provider, "Microsoft Platform Crypto Provider");
}

/// Of the certificates that servers present or are to present: a PKCS #12 file says who kept the key, and so does what
/// Windows keeps beside a certificate.
void judge_keys(const Evidence& evidence, Verdict& verdict) {
  struct Kept {
    CertificateRef certificate;
    std::set<std::string> servers;
    std::set<std::string> by;  ///< what says so
  };
  std::map<Sha256, Kept> own;
  for (const Identity& identity : evidence.identities) {
    if (evidence.site.stranger(identity.server)) continue;
    Kept& kept = own[identity.certificate->sha256];
    kept.certificate = identity.certificate;
    kept.servers.insert(identity.server);
    if (identity.key_provider && is_cng(*identity.key_provider))
      kept.by.insert(fmt::format("its PKCS #12 file: {}", *identity.key_provider));
  }
  for (const Handshake& handshake : evidence.handshakes) {
    if (handshake.peer_chain.empty()) continue;
    Kept& kept = own[handshake.peer_chain.front()->sha256];
    kept.certificate = handshake.peer_chain.front();
    kept.servers.insert(handshake.to);
  }
  for (const StoreContents& store : evidence.stores) {
    for (const StoreEntry& entry : store.entries) {
      if (!entry.properties || entry.properties->key_spec != "CNG") continue;
      const auto found = own.find(entry.certificate->sha256);
      if (found != own.end())
        found->second.by.insert(
            fmt::format("{}: {}: {}", store.store, entry.place.str(), entry.properties->key_provider));
    }
  }
  for (const auto& [sha256, kept] : own) {
    if (kept.by.empty()) continue;
    Finding& found =
        verdict.findings.emplace_back(finding(kinds[cng_key], Status::warning, thumbprint(*kept.certificate)));
    found.summary =
        fmt::format("the private key of {} of {} is kept by a CNG provider, which these products do not support",
                    short_name(*kept.certificate), enumerate({kept.servers.begin(), kept.servers.end()}));
    found.facts.push_back(describe(*kept.certificate));
    add_facts(found, {kept.by.begin(), kept.by.end()});
    found.remedy =
        "Request it again with a key of the kind before CNG (in the INF file of certreq: ProviderName = \"Microsoft "
        "RSA "
        "SChannel Cryptographic Provider\", KeySpec = 1), or import the PKCS #12 file with one, and assign it anew:\n"
        "  certutil -csp \"Microsoft RSA SChannel Cryptographic Provider\" -importpfx FILE.pfx AT_KEYEXCHANGE\n"
        "The services of Front Ends and Edges cannot use such a key, or fail in ways that look like missing trust.";
  }
}

Verdict judge(const Evidence& evidence) {
  Verdict verdict;
  const SignatureOracle signature = recorded_oracle(evidence.signatures);
  for (const StoreContents& store : evidence.stores) {
    ++verdict.examined;
    const StoreSpec* spec = evidence.site.store(store.store);
    judge_roots(store, spec != nullptr && spec->kind == StoreKind::mixed && !spec->directory, signature, verdict);
    if (spec != nullptr && spec->kind == StoreKind::root && !spec->host.empty()) judge_size(store, spec->host, verdict);
  }
  const std::vector<PathJudgement> judgements = judge_paths(evidence, signature);
  const Names in_use = names_in_use(judgements);
  judge_pools(evidence, in_use, verdict);
  judge_sides(evidence, in_use, verdict);
  judge_key_identifiers(judgements, verdict);
  judge_keys(evidence, verdict);
  const CertificateGraph graph{evidence};
  note_details(evidence, graph, verdict);
  note_enrollment(evidence, graph, signature, verdict);
  return verdict;
}

}  // namespace

extern const Check store_hygiene;
constinit const Check store_hygiene{.id = "store-hygiene",
                                    .title = "what stands in the stores is where it belongs",
                                    .needs = Needs::stores | Needs::signatures,
                                    .kinds = kinds,
                                    .judge = judge};

}  // namespace mrascheck::checks

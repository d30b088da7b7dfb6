// SPDX-License-Identifier: Apache-2.0
#include "core/demands.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "core/cleanup.hpp"
#include "core/issuers.hpp"
#include "core/orders.hpp"
#include "core/text.hpp"

namespace mrascheck {

// Judging asks through these functions and for these roots only, so asking once with a verifying oracle demands exactly
// what judging will look up.
void demand_signatures(const Evidence& evidence, const SignatureOracle& oracle) {
  const std::vector<PathJudgement> judgements = judge_paths(evidence, oracle);
  const CertificateGraph graph{evidence};
  for (const PathJudgement& judgement : judgements) prove_orders(evidence, graph, judgement, oracle);
  const std::vector<IssuerGroup> groups = issuer_groups(evidence, graph, oracle);
  if (any_stale(groups)) plan_cleanup(evidence, groups, oracle);
  // Whether a root that names itself as its issuer did sign itself: in doubt where another key has its name, and asked
  // of the first few hundred anyway (a server has a hundred at most, KB2464556). Not where a digest is older than SHA:
  // a root with an algorithm that OpenSSL has given up stands in nobody's way.
  constexpr std::size_t most_asked_anyway = 300;
  std::size_t asked_anyway = 0;
  std::map<std::string_view, std::set<Sha256>> keys_of;
  for (const StoreContents& store : evidence.stores) {
    for (const StoreEntry& entry : store.entries) {
      keys_of[entry.certificate->subject.canonical()].insert(entry.certificate->spki_sha256);
    }
  }
  for (const StoreContents& store : evidence.stores) {
    for (const StoreEntry& entry : store.entries) {
      if (!entry.anchor()) continue;
      const bool sha = to_lower(entry.certificate->signature_algorithm.str()).find("sha") != std::string::npos;
      const bool doubtful = keys_of[entry.certificate->subject.canonical()].size() > 1;
      if (!doubtful && (!sha || ++asked_anyway > most_asked_anyway)) continue;
      oracle(*entry.certificate, *entry.certificate);
    }
  }
  // Whose key signed it, of each certificate in use that a revocation list may name.
  std::set<std::string_view> listed;
  for (const StoreContents& store : evidence.stores) {
    for (const CrlEntry& entry : store.crls) listed.insert(entry.crl->issuer.canonical());
  }
  if (listed.empty()) return;
  const auto ask = [&](const CertificateRef& certificate) {
    if (!listed.contains(certificate->issuer.canonical())) return;
    for (const GraphEntry& issuer : graph.named(certificate->issuer)) oracle(*certificate, *issuer.certificate);
  };
  for (const CertificateRef& certificate : graph.live()) ask(certificate);
  for (const PathJudgement& judgement : judgements) {
    for (const Path& path : judgement.result.paths.paths) {
      for (const CertificateRef& certificate : path.certificates) ask(certificate);
    }
  }
}

void demand_crl_signatures(const Evidence& evidence,
                           const std::function<void(const Crl& crl, const Certificate& issuer)>& ask) {
  const bool any = std::any_of(evidence.stores.begin(), evidence.stores.end(),
                               [](const StoreContents& store) { return !store.crls.empty(); });
  if (!any) return;
  const CertificateGraph graph{evidence};
  std::set<std::pair<Sha256, Sha256>> asked;
  for (const StoreContents& store : evidence.stores) {
    for (const CrlEntry& entry : store.crls) {
      for (const GraphEntry& issuer : graph.named(entry.crl->issuer)) {
        if (asked.emplace(entry.crl->sha256, issuer.certificate->spki_sha256).second)
          ask(*entry.crl, *issuer.certificate);
      }
    }
  }
}

}  // namespace mrascheck

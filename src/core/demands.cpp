// SPDX-License-Identifier: Apache-2.0
#include "core/demands.hpp"

#include <map>
#include <set>
#include <string_view>

#include "core/issuers.hpp"
#include "core/orders.hpp"

namespace mrascheck {

// Judging asks through these functions and for these roots only, so asking once with a verifying oracle demands exactly
// what judging will look up.
void demand_signatures(const Evidence& evidence, const SignatureOracle& oracle) {
  const CertificateGraph graph{evidence};
  for (const PathJudgement& judgement : judge_paths(evidence, oracle)) prove_orders(evidence, graph, judgement, oracle);
  issuer_groups(evidence, graph, oracle);
  // Whether a root that names itself as its issuer did sign itself: in doubt where another key has its name. Of others
  // nobody asks, so that an old root with an algorithm that OpenSSL has given up stands in nobody's way.
  std::map<std::string_view, std::set<Sha256>> keys_of;
  for (const StoreContents& store : evidence.stores) {
    for (const StoreEntry& entry : store.entries) {
      keys_of[entry.certificate->subject.canonical].insert(entry.certificate->spki_sha256);
    }
  }
  for (const StoreContents& store : evidence.stores) {
    for (const StoreEntry& entry : store.entries) {
      if (!entry.anchor() || keys_of[entry.certificate->subject.canonical].size() < 2) continue;
      oracle(*entry.certificate, *entry.certificate);
    }
  }
}

}  // namespace mrascheck

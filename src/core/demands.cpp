// SPDX-License-Identifier: Apache-2.0
#include "core/demands.hpp"

#include "core/issuers.hpp"

namespace mrascheck {

// Judging asks through these two functions only, so asking through them once with a verifying oracle demands exactly
// what judging will look up.
void demand_signatures(const Evidence& evidence, const SignatureOracle& oracle) {
  judge_paths(evidence, oracle);
  const CertificateGraph graph{evidence};
  issuer_groups(evidence, graph, oracle);
}

}  // namespace mrascheck

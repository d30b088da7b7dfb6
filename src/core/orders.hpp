// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/engines.hpp"

namespace mrascheck {

/// The smallest change to a server's stores that turns the result of an engine that does not look back.
struct OrderProof {
  enum class Kind {
    order,     ///< of two certificates of one name, whichever stands first decides
    removal,   ///< refused as it is, accepted without one certificate
    addition,  ///< accepted as it is, refused with one more, which stands in a store of somebody else
  };
  Kind kind = Kind::order;
  CertificateRef first;   ///< of an order: with it in front it is refused; else the one that goes or comes
  CertificateRef second;  ///< of an order: with it in front it is accepted; else null
  EngineOutcome refusal;
  std::string text;  ///< one line: "if A1B2... stands before C3D4... in store x, OpenSSL fails with error 7 (...)"
};

/// All that turns OpenSSL's result (predict_openssl) for what `judgement` judges, by its judge's stores in the order of
/// the configuration: swaps first, then removals, then additions, each at most 8. Empty where trust is not configured,
/// where a store was not read, or where no change of one step turns it. Bounded: 24 certificates of the names that the
/// chain may lead through.
std::vector<OrderProof> prove_orders(const Evidence& evidence, const CertificateGraph& graph,
                                     const PathJudgement& judgement, const SignatureOracle& signature);

}  // namespace mrascheck

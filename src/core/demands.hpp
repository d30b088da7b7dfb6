// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/evidence.hpp"
#include "core/graph.hpp"

namespace mrascheck {

/// Calls `oracle` for every (certificate, issuer candidate) pair whose signature judging `evidence` will ask for, and
/// ignores what it says. While collecting, the oracle verifies and remembers; see Evidence::signatures.
void demand_signatures(const Evidence& evidence, const SignatureOracle& oracle);

/// Calls `ask` for every revocation list of `evidence` with every key of its issuer's name, each pair once.
void demand_crl_signatures(const Evidence& evidence,
                           const std::function<void(const Crl& crl, const Certificate& issuer)>& ask);

}  // namespace mrascheck

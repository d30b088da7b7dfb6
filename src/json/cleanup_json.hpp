// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/cleanup.hpp"
#include "core/issuers.hpp"

namespace mrascheck::json {

/// "mrascheck-issuers": every same-name group with its members, and the word of `plan` on who may go. The members are
/// described in mrascheck-issuers(1).
std::string write_issuers(const Evidence& evidence, const std::vector<IssuerGroup>& groups, const CleanupPlan& plan);

/// "mrascheck-cleanup": the proof, the values that go (DER as base64), and the steps; mrascheck-cleanup(1).
std::string write_cleanup(const CleanupPlan& plan);

}  // namespace mrascheck::json

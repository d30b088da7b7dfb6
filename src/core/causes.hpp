// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "core/report.hpp"

namespace mrascheck {

/// Which findings of `checks` follow from one another. One is put under another only where the evidence shows it, or
/// the words say "probably"; what belongs to no other stays by itself, and is in no cause.
std::vector<Cause> find_causes(const Evidence& evidence, std::span<const CheckResult> checks);

}  // namespace mrascheck

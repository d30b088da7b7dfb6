// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "core/finding.hpp"

namespace mrascheck::checks {

/// Every check there is, in the order of checks.def.
std::span<const Check* const> all();

/// The check of that id; null when there is none.
const Check* find(std::string_view id);

}  // namespace mrascheck::checks

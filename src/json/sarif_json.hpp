// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/report.hpp"

namespace mrascheck::json {

/// SARIF 2.1.0: a rule for everything that `checks` can find, a result for every finding, a notification for every
/// gap. Results are placed in `artifact`, the file that was judged, as a path; empty: in no file.
std::string write_sarif(const Report& report, std::span<const Check* const> checks, std::string_view version,
                        std::string_view artifact);

}  // namespace mrascheck::json

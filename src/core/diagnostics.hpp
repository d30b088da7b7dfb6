// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "core/mras.hpp"

namespace mrascheck {

/// Reads one ms-diagnostics header field value; tolerates blanks around ';' and '=', missing quotes and unknown
/// parameters. Nothing when it does not begin with a number. Bounded: 64 parameters, 4 KiB a value.
std::optional<MsDiagnostics> parse_diagnostics(std::string_view value);

}  // namespace mrascheck

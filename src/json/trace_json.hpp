// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/trace.hpp"

namespace mrascheck::json {

/// "mrascheck-trace": mrascheck-trace(1) describes the members.
std::string write_trace(const TraceStudy& study);

}  // namespace mrascheck::json

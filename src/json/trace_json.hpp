// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/trace.hpp"

namespace mrascheck::json {

/// "mrascheck-trace": mrascheck-trace(1) describes the members. `unread` are files that could not be read.
std::string write_trace(const TraceStudy& study, const std::vector<std::string>& unread);

}  // namespace mrascheck::json

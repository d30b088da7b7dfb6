// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/trace.hpp"
#include "render/render.hpp"

namespace mrascheck::render {

/// What `trace` shows: the verdict, whose traces these are, why requests failed, whether they reached the Edge, and the
/// counts by Edge and user. `unread` are files that could not be read, a line each. Verbosity: 1 lists every request
/// and user.
std::string trace(const TraceStudy& study, const std::vector<std::string>& unread, const Options& options);

}  // namespace mrascheck::render

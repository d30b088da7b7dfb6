// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/trace.hpp"
#include "render/render.hpp"

namespace mrascheck::render {

/// What `trace` shows: the verdict, whose traces these are, why requests failed, whether they reached the Edge, and the
/// counts by Edge and user. Verbosity: 1 lists every request and user.
std::string trace(const TraceStudy& study, const Options& options);

}  // namespace mrascheck::render

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/look_up.hpp"
#include "render/render.hpp"

namespace mrascheck::render {

/// Every meaning with who must act, what to do, how sure that is and who says so.
std::string explanation(const LookUp& found, const Options& options);

}  // namespace mrascheck::render

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

namespace mrascheck::module {

/// `symbol` of `file`, a part of this program that is loaded when it is first needed, from beside the program as it was
/// built or as it is installed; never by a search path, which others may set. It stays loaded. Error: local.
Result<void*> find(const char* file, const char* symbol);

}  // namespace mrascheck::module

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/evidence.hpp"

namespace mrascheck::test {

/// What --record wrote to that file; one that cannot be read fails the test.
Evidence recording(const std::string& path);

}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/config.hpp"

namespace mrascheck {

/// What will be looked at, each thing once, in configuration order. Indices point into the Config.
struct Plan {
  std::vector<std::size_t> stores;      ///< Config::stores
  std::vector<std::size_t> identities;  ///< Config::identities
  std::vector<std::string> names;       ///< to resolve, each once
  std::vector<std::size_t> links;       ///< Site::links
};

Plan make_plan(const Config& config);

}  // namespace mrascheck

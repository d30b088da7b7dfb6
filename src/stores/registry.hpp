// SPDX-License-Identifier: Apache-2.0
// Private to the room.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "stores/collector.hpp"

namespace mrascheck::stores {

/// What a registry key is to the certificate stores (Microsoft Learn, "System Store Locations").
struct RegistryKey {
  enum class Holds { certificate, other_context, nothing } holds = Holds::nothing;
  FoundEntry model;  ///< where, kind, origin, store, key name: what its Blob's certificate starts from
};

/// Of a key's path, with or without its hive; case does not matter. A Registry.pol has no hive: `in_policy`.
RegistryKey registry_key(std::string_view path, bool in_policy);

/// A value named Blob whose key is no certificate's, and that holds one nevertheless: a damaged path.
bool misplaced(std::string_view value_name, Bytes data);

}  // namespace mrascheck::stores

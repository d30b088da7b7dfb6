// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/evidence.hpp"

namespace mrascheck {

// What is asked for once a link is looked up here: of ten thousand links, each must not walk through all the others.
// What they were made of must outlive them.

/// Servers by name without regard to case; of two of one name the first, as Site::server().
class ServersByName {
 public:
  explicit ServersByName(const Site& site);
  /// Null when the site has none such.
  const Server* of(std::string_view name) const;

 private:
  std::map<std::string, const Server*, std::less<>> servers_;
};

/// Handshakes by who asked whom on which port, in the order of the evidence.
class HandshakesByEnds {
 public:
  explicit HandshakesByEnds(const Evidence& evidence);
  const std::vector<const Handshake*>& of(std::string_view from, std::string_view to, std::uint16_t port) const;

 private:
  std::map<std::tuple<std::string_view, std::string_view, std::uint16_t>, std::vector<const Handshake*>> handshakes_;
};

}  // namespace mrascheck

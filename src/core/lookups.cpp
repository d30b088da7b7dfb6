// SPDX-License-Identifier: Apache-2.0
#include "core/lookups.hpp"

#include "core/text.hpp"

namespace mrascheck {

ServersByName::ServersByName(const Site& site) {
  for (const Server& server : site.servers) servers_.try_emplace(to_lower(server.name), &server);
}

const Server* ServersByName::of(std::string_view name) const {
  const auto found = servers_.find(to_lower(name));
  return found == servers_.end() ? nullptr : found->second;
}

HandshakesByEnds::HandshakesByEnds(const Evidence& evidence) {
  for (const Handshake& handshake : evidence.handshakes)
    handshakes_[{handshake.from, handshake.to, handshake.port}].push_back(&handshake);
}

const std::vector<const Handshake*>& HandshakesByEnds::of(std::string_view from, std::string_view to,
                                                          std::uint16_t port) const {
  static const std::vector<const Handshake*> none;
  const auto found = handshakes_.find({from, to, port});
  return found == handshakes_.end() ? none : found->second;
}

}  // namespace mrascheck

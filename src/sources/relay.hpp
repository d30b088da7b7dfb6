// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/deadline.hpp"
#include "core/mras.hpp"
#include "core/relay.hpp"

namespace mrascheck::sources {

/// One answer may make us knock at so many places, and no more.
inline constexpr std::size_t most_relays = 16;
inline constexpr std::size_t most_relay_addresses = 8;

/// Where a relay of an answer is looked for by one transport.
struct RelayDoor {
  RelayTransport transport = RelayTransport::udp;
  std::uint16_t port = 0;
};
/// Those that the answer names. Where it names no port at all, the ones that Edges have unless somebody changed them:
/// 3478 by UDP, 443 by TCP.
std::vector<RelayDoor> doors_of(const MediaRelay& relay);

struct RelayProbe {
  RelayLook look;  ///< with all that is known before: whose, where, by what
  std::shared_ptr<const RelayCredentials> credentials;
  std::chrono::milliseconds step{};
  std::vector<std::string> sources;  ///< Network::sources
};

/// Connects, asks for an allocation, and gives it back. Never fails: everything that happened is in the record.
///
/// MS-TURN first, as these clients speak it; standard TURN where that is not understood. Over UDP a server that does
/// not know a dialect says nothing at all, so the time of the step is shared: MS-TURN has the first half, with four
/// sendings in the default of 10 s. Over TCP the ClientHello of pseudo-TLS is answered, or it is not: the second
/// dialect has a connection of its own. That the relay speaks only the standard is worth knowing, as no client of these
/// products can use it then: it is said, not taken for well.
boost::asio::awaitable<RelayLook> look_at_relay(RelayProbe task, Deadline run);

}  // namespace mrascheck::sources

// SPDX-License-Identifier: Apache-2.0
// Private to the transport room: what the system says of a socket, in the words of a StepEnd.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>
#include <string>
#include <vector>

#include "core/deadline.hpp"
#include "core/text.hpp"
#include "transport/connection.hpp"

namespace mrascheck::transport {

StepEnd out_of_time(const Deadline& step);
StepEnd ended(const boost::system::error_code& code);

inline bool would_block(const boost::system::error_code& code) {
  return code == asio::error::would_block || code == asio::error::try_again;
}

/// Why `socket`, which is to be connected to `peer`, cannot come from the source of its family; empty when it does, or
/// when there is none.
template <class Socket>
std::string bind_to(Socket& socket, const asio::ip::address& peer, const std::vector<std::string>& sources) {
  for (const std::string& text : sources) {
    boost::system::error_code failed;
    const auto source = asio::ip::make_address(text, failed);
    if (failed) return "not an IP address: " + printable(text);
    if (source.is_v6() != peer.is_v6()) continue;
    // The port is chosen with the peer's in view, or so many peers could use up all of them.
    const int no_port_yet = 1;
    ::setsockopt(socket.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &no_port_yet, sizeof no_port_yet);
    socket.bind({source, 0}, failed);
    if (failed) return "not from " + printable(text) + ": " + printable(failed.message());
    return {};
  }
  return {};
}

}  // namespace mrascheck::transport

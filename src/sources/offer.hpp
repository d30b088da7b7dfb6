// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/deadline.hpp"
#include "core/trial.hpp"
#include "crypto/private_key.hpp"

namespace mrascheck::sources {

/// One address to find out about. The client shows its certificate, or servers that want one would break off.
struct OfferProbe {
  std::string from;
  std::string to;
  std::string address;  ///< literal
  std::uint16_t port = 0;
  std::string server_name;            ///< SNI; empty: none
  std::vector<CertificateRef> chain;  ///< its own first
  std::optional<crypto::PrivateKey> key;
  std::chrono::milliseconds step{};
  std::vector<std::string> sources;  ///< Network::sources
};

/// Asks for one version of TLS after the other, and of each for one cipher suite less each time, until the server
/// refuses: one connection at a time, at most most_connections in all. Never fails: what was not found out is not
/// complete.
boost::asio::awaitable<TlsOffer> find_offer(OfferProbe task, Deadline run);
inline constexpr unsigned most_connections = 96;

}  // namespace mrascheck::sources

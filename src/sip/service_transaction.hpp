// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/mras.hpp"
#include "core/relay.hpp"
#include "core/site.hpp"

namespace mrascheck::sip {

/// What must be known to ask. Nothing is read from clock or randomness: the caller brings both.
struct ServiceRequest {
  Service service = Service::mras;  ///< mras: SERVICE with a credentials request; sip: OPTIONS
  std::string front_end;            ///< FQDN of the server that asks, for Via
  std::string front_end_address;    ///< local address literal of the connection, and its port
  std::uint16_t front_end_port = 0;
  std::string edge;  ///< FQDN of the server (or its pool) asked, for the request-URI
  std::uint16_t edge_port = 5062;
  MrasQuestion question;
  MrasLocation location = MrasLocation::intranet;  ///< of this request: one of the two
  std::string version = {};                        ///< of MRAS; empty: the one that the profile has
  bool keep_credentials = false;                   ///< for the relays: see take_credentials()
  std::string random;  ///< at least 64 hexadecimal digits, fresh for each request: tags, branch, Call-ID, ids
};

/// RFC 3261, 17.1.1.1: the estimate of a round trip.
inline constexpr std::chrono::milliseconds t1{500};
/// How long a transaction waits for its final answer (RFC 3261, 17.1.2.2).
inline constexpr std::chrono::milliseconds timer_f = 64 * t1;

/// A non-INVITE client transaction over a reliable transport (RFC 3261, 17.1.2) without socket and clock: bytes in,
/// bytes out. Over such a transport nothing is sent again (no timer E), and nothing is awaited behind the final answer
/// (timer K is 0).
class ServiceTransaction {
 public:
  /// RFC 3261, figure 6. A completed one is terminated at once.
  enum class Stage { trying, proceeding, terminated };
  enum class State {
    waiting,   ///< for more bytes
    answered,  ///< the final answer is whole: see exchange()
    broken,    ///< what came is not SIP, or its framing cannot be followed: exchange().problem says why
    expired,   ///< timer F fired: exchange().problem says what had come until then
  };

  explicit ServiceTransaction(const ServiceRequest& request);
  /// The next one on the same connection: what has come behind the answer to `before` is the beginning of what comes.
  ServiceTransaction(const ServiceRequest& request, ServiceTransaction&& before);
  ~ServiceTransaction();
  ServiceTransaction(ServiceTransaction&&) noexcept;
  ServiceTransaction& operator=(ServiceTransaction&&) noexcept;

  /// The request's bytes.
  const std::string& request() const;
  /// Plaintext from the peer. Skips 1xx, keep-alives (double CRLF) and answers that are not ours; bounded: 64 KiB of
  /// header, 2 MiB of body, 32 messages besides 1,000 provisional answers.
  State feed(std::string_view bytes);
  /// Bytes to send to the peer: answers to requests of its own, usually empty. Taken.
  std::string take_output();
  /// The peer closed: what was waited for will not come. Names what was missing ("body ends after 120 of 341 bytes").
  void end();
  /// Timer F fired, or the caller's patience was over before.
  State expire();

  Stage stage() const;
  /// Whether another request can be asked on this connection: what has come could be followed so far.
  bool can_go_on() const;
  const MrasExchange& exchange() const;
  /// What was granted, where it was to be kept and is well formed; empty otherwise. Taken.
  RelayCredentials take_credentials();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mrascheck::sip

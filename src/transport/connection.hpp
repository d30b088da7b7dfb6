// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/deadline.hpp"
#include "core/handshake.hpp"

namespace mrascheck::transport {

namespace asio = boost::asio;

/// How one step on a connection ended: completed, or why not.
struct StepEnd {
  Outcome outcome = Outcome::completed;
  int error = 0;       ///< errno, where the system said it
  std::string detail;  ///< one line; empty when completed

  bool ok() const { return outcome == Outcome::completed; }
};

/// A TCP connection. Every wait ends when its deadline is over: outcome timed_out, and detail says whether that was the
/// step's time or an interruption.
class Connection {
 public:
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  std::string local_address() const;  ///< literal
  std::uint16_t local_port() const;
  /// How long what came lay here before it was read, while it was waited for, in all: other connections were being
  /// computed for. By the kernel's word on when it arrived; zero where it has none.
  std::chrono::nanoseconds left_lying() const;
  /// How long the peer took to take the connection, by the kernel's word, which no computing of ours delays; nothing
  /// where it has none, as when the first packet was lost.
  std::optional<std::chrono::microseconds> first_round_trip() const;

  /// Sends all of `bytes`.
  asio::awaitable<StepEnd> send(Bytes bytes, Deadline step);
  /// Appends what is there to `into`, waiting for the first byte. The peer's end of stream is `closed`.
  asio::awaitable<StepEnd> receive(ByteString& into, Deadline step);
  /// The same, of what has already arrived, without waiting: timed_out when there is nothing.
  StepEnd receive_arrived(ByteString& into);
  /// Sends as much of `bytes` as goes without waiting.
  void send_if_possible(Bytes bytes);

 private:
  friend struct Connecting;
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct Connected {
  StepEnd end;
  std::optional<Connection> connection;  ///< there exactly when end.ok()
};

/// `address` is a literal, and so are `sources`: the first of its family is where the connection comes from. refused,
/// unreachable, timed_out, reset and local_failure are told apart.
asio::awaitable<Connected> connect(std::string address, std::uint16_t port, Deadline step,
                                   std::vector<std::string> sources = {});

}  // namespace mrascheck::transport

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "core/bytes.hpp"
#include "core/relay.hpp"

namespace mrascheck::turn {

inline constexpr std::size_t hello_random = 32;  ///< four of them a time, where TLS is meant

/// The ClientHello of pseudo-TLS ([MS-TURN], 2.1): it looks like TLS 1.0 to whoever inspects port 443, and no key comes
/// of it: what follows is in clear.
ByteString client_hello(const std::array<std::uint8_t, hello_random>& random);

/// Message in a frame as [MS-TURN] (2.1) sends it over TCP: 2 (a control message), 0, its size.
ByteString framed(Bytes message);

/// What a relay sends over TCP, taken apart: bytes in, messages out. Bounded: one frame of 64 KiB.
class StreamReader {
 public:
  /// `pseudo_tls`: a ServerHello comes first, and frames after it; else the messages follow each other as they are
  /// (RFC 8489, 6.2.2).
  explicit StreamReader(RelayDialect dialect) : dialect_(dialect), greeted_(dialect == RelayDialect::standard) {}

  enum class Step {
    more,     ///< for more bytes
    greeted,  ///< the ServerHello was there
    message,  ///< see take()
    broken,   ///< what came is neither: see problem()
  };
  void feed(Bytes bytes);
  /// To be called until it says more or broken.
  Step next();
  ByteString take() { return std::move(message_); }
  const std::string& problem() const { return problem_; }
  std::size_t pending() const { return buffer_.size(); }
  /// What has come and is not taken yet, for who must say what it is.
  Bytes pending_bytes() const { return buffer_; }

 private:
  Step greet();
  Step broken(std::string why);
  RelayDialect dialect_;
  bool greeted_;
  bool broken_ = false;
  ByteString buffer_;
  ByteString message_;
  std::string problem_;
};

/// What `bytes`, the first that came, look like, as the end of a sentence: "a TLS alert, handshake_failure", "HTTP",
/// "4 bytes that begin with 00000000".
std::string describe(Bytes bytes);

}  // namespace mrascheck::turn

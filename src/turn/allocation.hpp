// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/bytes.hpp"
#include "core/deadline.hpp"
#include "core/relay.hpp"
#include "turn/message.hpp"

namespace mrascheck::turn {

/// Base64 (RFC 4648, 4) with blanks between taken away; nothing when it is none.
std::optional<Secret> decode_base64(std::string_view text);

/// What must be known to ask. The caller brings clock and randomness.
struct Question {
  RelayDialect dialect = RelayDialect::ms_turn;
  RelayTransport transport = RelayTransport::udp;
  std::shared_ptr<const RelayCredentials> credentials;
  std::array<std::uint8_t, 256> random{};  ///< of the system, fresh for each
};

/// An Allocate and what follows it, without socket and timers: the question without credentials, the challenge, the
/// question with them, and when that was granted, the release. Bytes in, bytes out.
///
/// [MS-TURN]: Allocate with MS-Version 1, which every server knows and answers with HMAC-SHA1 and Mapped Address; user
/// name and password go in as the bytes that their base64 stands for. Released by an Allocate with lifetime 0 and the
/// MS-Sequence Number that came, counted up: so does one relay that is not Microsoft's; inferred for theirs. A relay
/// that does not follow keeps the allocation for its lifetime, and `released` says so.
///
/// Standard: RFC 8656 with the long-term credentials of RFC 8489, 9.2; the base64 text is name and password. Released
/// by a Refresh with lifetime 0.
class Allocation {
 public:
  using TimePoint = Deadline::Clock::time_point;
  enum class State {
    asking,     ///< for the first answer
    proving,    ///< challenged, and answered with the credentials
    releasing,  ///< it has the allocation, and gives it back
    ended,
  };

  Allocation(Question question, TimePoint now);
  ~Allocation();
  Allocation(Allocation&&) noexcept;
  Allocation& operator=(Allocation&&) noexcept;

  State state() const;
  /// What is to be sent now: over UDP one datagram; empty when nothing is. Whoever takes it wipes it.
  ByteString take_output();
  /// Over UDP when to call tick(): half a second after the first sending, then each time twice as long after the last,
  /// seven sendings in all (RFC 8489, 6.2.1). Nothing over TCP, and when all have been sent.
  std::optional<TimePoint> due() const;
  void tick(TimePoint now);
  /// The last request goes out again from the first timer on, to somebody else: see alternate().
  void send_again(TimePoint now);
  /// One datagram, or what came of the stream.
  void feed(Bytes bytes, TimePoint now);
  /// Nothing more will come. What had been granted stays so; else `outcome` and `detail` say how it ended.
  void end(RelayOutcome outcome, std::string detail);

  /// Over UDP the challenge names a server, and the request that answers it goes there ([MS-TURN], on the Alternate
  /// Server attribute); nothing when it does not.
  const std::optional<Address>& alternate() const;
  /// Whether anything of TURN has come.
  bool understood() const;
  /// Its outcome to server and alternate; the rest is the caller's.
  const RelayLook& look() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mrascheck::turn

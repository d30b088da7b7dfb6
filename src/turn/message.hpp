// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/relay.hpp"
#include "core/result.hpp"

namespace mrascheck::turn {

/// What stands behind type and length in a header: 16 random bytes in [MS-TURN] (2.2.1); in RFC 8489 (5) the cookie
/// 0x2112A442, then 12 of them. Both mask the XOR- addresses with its first bytes.
using TransactionId = std::array<std::uint8_t, 16>;

inline constexpr std::size_t header_size = 20;
inline constexpr std::size_t max_attributes = 64;
inline constexpr std::size_t integrity_size = 24;  ///< the attribute with its header

/// Message types: RFC 8489, 5, and RFC 8656, 17; [MS-TURN], 2.2.1. Allocate is the same in both.
namespace type {
inline constexpr std::uint16_t allocate = 0x0003;
inline constexpr std::uint16_t allocate_success = 0x0103;
inline constexpr std::uint16_t allocate_error = 0x0113;
inline constexpr std::uint16_t refresh = 0x0004;  ///< RFC 8656 only: in [MS-TURN] it is Send
inline constexpr std::uint16_t refresh_success = 0x0104;
inline constexpr std::uint16_t refresh_error = 0x0114;
}  // namespace type

/// Attribute types. Those of RFC 8489 (18.3) and RFC 8656 (18), and of [MS-TURN] (2.2.2) where they are others.
namespace attribute {
inline constexpr std::uint16_t mapped_address = 0x0001;  ///< MS-TURN: the address that was allocated
inline constexpr std::uint16_t username = 0x0006;
inline constexpr std::uint16_t message_integrity = 0x0008;
inline constexpr std::uint16_t error_code = 0x0009;
inline constexpr std::uint16_t lifetime = 0x000D;
inline constexpr std::uint16_t ms_alternate_server = 0x000E;
inline constexpr std::uint16_t ms_magic_cookie = 0x000F;
inline constexpr std::uint16_t ms_nonce = 0x0014;  ///< swapped: in RFC 8489 this is REALM
inline constexpr std::uint16_t ms_realm = 0x0015;  ///< and this NONCE
inline constexpr std::uint16_t realm = 0x0014;
inline constexpr std::uint16_t nonce = 0x0015;
inline constexpr std::uint16_t xor_relayed_address = 0x0016;
inline constexpr std::uint16_t requested_transport = 0x0019;
inline constexpr std::uint16_t xor_mapped_address = 0x0020;
inline constexpr std::uint16_t ms_version = 0x8008;
inline constexpr std::uint16_t ms_xor_mapped_address = 0x8020;
inline constexpr std::uint16_t software = 0x8022;
inline constexpr std::uint16_t alternate_server = 0x8023;
inline constexpr std::uint16_t fingerprint = 0x8028;
inline constexpr std::uint16_t ms_sequence_number = 0x8050;
}  // namespace attribute

inline constexpr std::array<std::uint8_t, 4> ms_magic{0x72, 0xC6, 0x4B, 0xC6};
inline constexpr std::array<std::uint8_t, 4> stun_magic{0x21, 0x12, 0xA4, 0x42};

/// A message as it came.
struct Message {
  struct Attribute {
    std::uint16_t type = 0;
    std::size_t at = 0;  ///< of its header, in `bytes`
    std::size_t size = 0;
  };
  std::uint16_t type = 0;
  TransactionId id{};
  ByteString bytes;
  std::vector<Attribute> attributes;  ///< of several of one type, the first counts (RFC 8489, 14)

  std::optional<Bytes> find(std::uint16_t wanted) const;
  std::optional<std::uint32_t> number(std::uint16_t wanted) const;
};

/// One message, nothing behind it. In [MS-TURN] values are not padded, and its Magic Cookie must come first; but what
/// pads them all the same is read, too: its sources leave open whether every server leaves that away. In the standard
/// the cookie in the header must be there. Error: malformed.
Result<Message> read_message(Bytes bytes, RelayDialect dialect);

/// Builds one message. What it holds is wiped with it.
class MessageWriter {
 public:
  /// In [MS-TURN] the Magic Cookie is put first.
  MessageWriter(std::uint16_t type, const TransactionId& id, RelayDialect dialect);
  ~MessageWriter();
  MessageWriter(const MessageWriter&) = delete;
  MessageWriter& operator=(const MessageWriter&) = delete;

  void add(std::uint16_t type, Bytes value);
  void add_number(std::uint16_t type, std::uint32_t value);
  /// Adds MESSAGE-INTEGRITY, the last attribute. Error: local.
  Result<void> sign(Bytes key);
  /// The message; whoever takes it wipes it.
  ByteString take();

 private:
  void set_length();
  ByteString bytes_;
  RelayDialect dialect_;
};

enum class Integrity { missing, wrong, holds };

/// Whether the message was signed with `key`. HMAC-SHA1 over all before the attribute, the length in the header
/// counting it; in [MS-TURN] (2.2.2.8, by draft-ietf-behave-rfc3489bis-02) with zeros up to a multiple of 64 bytes
/// behind. Error: local.
Result<Integrity> check_integrity(const Message& message, RelayDialect dialect, Bytes key);

/// MD5(username ":" realm ":" password). Error: local.
Result<std::array<std::uint8_t, 16>> long_term_key(Bytes username, Bytes realm, Bytes password);

struct Address {
  std::string literal;
  std::uint16_t port = 0;
  std::string text() const;  ///< "192.0.2.1:3478", "[2001:db8::1]:3478"
};
/// RFC 8489, 14.1 and 14.2; `mask` for the XOR- forms. Nothing when the value is no address.
std::optional<Address> read_address(Bytes value, const TransactionId* mask = nullptr);

struct ErrorCode {
  unsigned code = 0;
  std::string text;  ///< printable
};
/// RFC 8489, 14.8. Nothing when the value is no error.
std::optional<ErrorCode> read_error(Bytes value);

/// Overwrites and empties.
void wipe(ByteString& bytes);

}  // namespace mrascheck::turn

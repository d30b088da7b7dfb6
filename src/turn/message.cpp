// SPDX-License-Identifier: Apache-2.0
#include "turn/message.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <string.h>

#include <algorithm>

#include "core/text.hpp"
#include "crypto/mac.hpp"

namespace mrascheck::turn {
namespace {

constexpr std::size_t attribute_header = 4;
constexpr std::size_t hash_block = 64;

std::uint16_t two_bytes(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8U | bytes[at + 1]);
}

std::size_t padded(std::size_t size) {
  return (size + 3) / 4 * 4;
}

void append_number(ByteString& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> (8 * i) & 0xFFU));
}

/// Empty when all is well.
std::string read_attributes(Message& message, bool padding) {
  message.attributes.clear();
  const Bytes bytes = message.bytes;
  std::size_t at = header_size;
  while (at < bytes.size()) {
    if (bytes.size() - at < attribute_header) return fmt::format("an attribute breaks off at byte {}", at);
    const std::size_t size = two_bytes(bytes, at + 2);
    const std::size_t whole = attribute_header + (padding ? padded(size) : size);
    // The last one may come without its padding.
    const bool ends = at + attribute_header + size == bytes.size();
    if (whole > bytes.size() - at && !ends)
      return fmt::format("an attribute of {} bytes at byte {} of {}", size, at, bytes.size());
    if (message.attributes.size() == max_attributes) return fmt::format("more than {} attributes", max_attributes);
    message.attributes.push_back({two_bytes(bytes, at), at, size});
    at += std::min(whole, bytes.size() - at);
  }
  return {};
}

bool begins_with_magic_cookie(const Message& message) {
  if (message.attributes.empty() || message.attributes.front().type != attribute::ms_magic_cookie) return false;
  const auto value = message.find(attribute::ms_magic_cookie);
  return value && std::equal(value->begin(), value->end(), ms_magic.begin(), ms_magic.end());
}

/// What is hashed of `text`, whose length field is set.
Result<Sha1> code_of(Bytes text, RelayDialect dialect, Bytes key) {
  if (dialect == RelayDialect::standard) return crypto::hmac_sha1(key, text);
  ByteString whole(text.begin(), text.end());
  whole.resize((text.size() + hash_block - 1) / hash_block * hash_block);
  auto code = crypto::hmac_sha1(key, whole);
  wipe(whole);
  return code;
}

void write_length(ByteString& bytes, std::size_t length) {
  bytes[2] = static_cast<std::uint8_t>(length >> 8U & 0xFFU);
  bytes[3] = static_cast<std::uint8_t>(length & 0xFFU);
}

}  // namespace

void wipe(ByteString& bytes) {
  if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
  bytes.clear();
}

std::optional<Bytes> Message::find(std::uint16_t wanted) const {
  for (const Attribute& each : attributes) {
    if (each.type == wanted) return Bytes{bytes}.subspan(each.at + attribute_header, each.size);
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Message::number(std::uint16_t wanted) const {
  const auto value = find(wanted);
  if (!value || value->size() != 4) return std::nullopt;
  return std::uint32_t{two_bytes(*value, 0)} << 16U | two_bytes(*value, 2);
}

Result<Message> read_message(Bytes bytes, RelayDialect dialect) {
  if (bytes.size() < header_size)
    return fail(ErrorKind::malformed,
                fmt::format("{}, and a header takes {}", count(bytes.size(), "byte"), header_size));
  Message message;
  message.type = two_bytes(bytes, 0);
  if ((message.type & 0xC000U) != 0) return fail(ErrorKind::malformed, "the first two bits are not zero");
  const std::size_t length = two_bytes(bytes, 2);
  if (length != bytes.size() - header_size) {
    return fail(ErrorKind::malformed, fmt::format("the header says {} behind it, and {} came", count(length, "byte"),
                                                  bytes.size() - header_size));
  }
  std::copy_n(bytes.begin() + 4, message.id.size(), message.id.begin());
  message.bytes.assign(bytes.begin(), bytes.end());
  if (dialect == RelayDialect::standard) {
    if (!std::equal(stun_magic.begin(), stun_magic.end(), message.id.begin()))
      return fail(ErrorKind::malformed, "the header lacks the cookie of STUN");
    if (std::string why = read_attributes(message, true); !why.empty())
      return fail(ErrorKind::malformed, std::move(why));
    return message;
  }
  std::string why = read_attributes(message, false);
  if (!why.empty() && !read_attributes(message, true).empty()) return fail(ErrorKind::malformed, std::move(why));
  if (!begins_with_magic_cookie(message))
    return fail(ErrorKind::malformed, "it does not begin with the Magic Cookie of MS-TURN");
  return message;
}

MessageWriter::MessageWriter(std::uint16_t type, const TransactionId& id, RelayDialect dialect) : dialect_(dialect) {
  append_number(bytes_, type, 2);
  append_number(bytes_, 0, 2);
  bytes_.insert(bytes_.end(), id.begin(), id.end());
  if (dialect == RelayDialect::ms_turn) add(attribute::ms_magic_cookie, ms_magic);
}

MessageWriter::~MessageWriter() {
  wipe(bytes_);
}

void MessageWriter::add(std::uint16_t type, Bytes value) {
  const std::size_t room = value.size() + attribute_header + 3;
  if (bytes_.capacity() - bytes_.size() < room) {  // what grows by itself leaves a copy behind
    ByteString larger;
    larger.reserve(2 * (bytes_.size() + room));
    larger = bytes_;
    wipe(bytes_);
    bytes_ = std::move(larger);
  }
  append_number(bytes_, type, 2);
  append_number(bytes_, value.size(), 2);
  bytes_.insert(bytes_.end(), value.begin(), value.end());
  if (dialect_ == RelayDialect::standard) bytes_.resize(padded(bytes_.size()));
  set_length();
}

void MessageWriter::add_number(std::uint16_t type, std::uint32_t value) {
  ByteString number;
  append_number(number, value, 4);
  add(type, number);
}

void MessageWriter::set_length() {
  write_length(bytes_, bytes_.size() - header_size);
}

Result<void> MessageWriter::sign(Bytes key) {
  write_length(bytes_, bytes_.size() - header_size + integrity_size);
  const auto code = code_of(bytes_, dialect_, key);
  if (!code) return tl::unexpected(code.error());
  add(attribute::message_integrity, *code);
  return {};
}

ByteString MessageWriter::take() {
  ByteString taken = std::move(bytes_);
  bytes_.clear();
  return taken;
}

Result<Integrity> check_integrity(const Message& message, RelayDialect dialect, Bytes key) {
  const auto found = std::find_if(message.attributes.begin(), message.attributes.end(),
                                  [](const auto& each) { return each.type == attribute::message_integrity; });
  if (found == message.attributes.end()) return Integrity::missing;
  if (found->size != integrity_size - attribute_header) return Integrity::wrong;
  ByteString text(message.bytes.begin(), message.bytes.begin() + static_cast<std::ptrdiff_t>(found->at));
  write_length(text, found->at - header_size + integrity_size);
  const auto code = code_of(text, dialect, key);
  if (!code) return tl::unexpected(code.error());
  const Bytes given = Bytes{message.bytes}.subspan(found->at + attribute_header, found->size);
  return crypto::equal_in_constant_time(*code, given) ? Integrity::holds : Integrity::wrong;
}

Result<std::array<std::uint8_t, 16>> long_term_key(Bytes username, Bytes realm, Bytes password) {
  ByteString text;
  text.reserve(username.size() + realm.size() + password.size() + 2);
  text.insert(text.end(), username.begin(), username.end());
  text.push_back(':');
  text.insert(text.end(), realm.begin(), realm.end());
  text.push_back(':');
  text.insert(text.end(), password.begin(), password.end());
  auto key = crypto::md5(text);
  wipe(text);
  return key;
}

std::string Address::text() const {
  return fmt::format(fmt::runtime(literal.find(':') == std::string::npos ? "{}:{}" : "[{}]:{}"), literal, port);
}

std::optional<Address> read_address(Bytes value, const TransactionId* mask) {
  constexpr std::size_t before = 4;  // zero, family, port
  if (value.size() < before) return std::nullopt;
  const std::uint8_t family = value[1];
  const std::size_t size = family == 1 ? 4 : family == 2 ? 16 : 0;
  if (size == 0 || value.size() != before + size) return std::nullopt;
  std::array<std::uint8_t, 16> octets{};
  std::copy_n(value.begin() + before, size, octets.begin());
  Address address;
  address.port = two_bytes(value, 2);
  if (mask != nullptr) {
    address.port = static_cast<std::uint16_t>(address.port ^ two_bytes(*mask, 0));
    for (std::size_t i = 0; i < size; ++i) octets.at(i) ^= mask->at(i);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(family == 1 ? AF_INET : AF_INET6, octets.data(), text.data(), text.size()) == nullptr)
    return std::nullopt;
  address.literal = text.data();
  return address;
}

std::optional<ErrorCode> read_error(Bytes value) {
  if (value.size() < 4) return std::nullopt;
  const unsigned hundreds = value[2] & 7U;
  const unsigned rest = value[3];
  if (hundreds < 3 || hundreds > 6 || rest > 99) return std::nullopt;
  constexpr std::size_t longest_text = 128;
  std::string_view text = as_text(value.subspan(4));
  while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  return ErrorCode{hundreds * 100 + rest, printable(trim(text), longest_text)};
}

}  // namespace mrascheck::turn

// SPDX-License-Identifier: Apache-2.0
#include "turn/stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/handshake.hpp"
#include "core/text.hpp"
#include "turn/message.hpp"

namespace mrascheck::turn {
namespace {

// [MS-TURN], 2.1; the very bytes as libnice and the OfficeSIP TURN server have them.
constexpr std::array<std::uint8_t, 11> client_hello_head{0x16, 0x03, 0x01, 0x00, 0x2D, 0x01,
                                                         0x00, 0x00, 0x29, 0x03, 0x01};
constexpr std::array<std::uint8_t, 7> client_hello_tail{0x00, 0x00, 0x02, 0x00, 0x18, 0x01, 0x00};
constexpr std::array<std::uint8_t, 11> server_hello_head{0x16, 0x03, 0x01, 0x00, 0x4E, 0x02,
                                                         0x00, 0x00, 0x46, 0x03, 0x01};
constexpr std::size_t session_id_length_at = server_hello_head.size() + hello_random;
constexpr std::uint8_t session_id_length = 0x20;
constexpr std::array<std::uint8_t, 7> server_hello_tail{0x00, 0x18, 0x00, 0x0E, 0x00, 0x00, 0x00};
constexpr std::size_t server_hello_size = session_id_length_at + 1 + session_id_length + server_hello_tail.size();
constexpr std::size_t frame_header = 4;
constexpr std::uint8_t control_message = 2;
constexpr std::uint8_t end_to_end_data = 3;

/// Whether `bytes` can be the beginning of a ServerHello; what is random in it is not looked at.
bool may_be_server_hello(Bytes bytes) {
  const auto agree = [bytes](std::size_t at, Bytes wanted) {
    if (bytes.size() <= at) return true;
    const std::size_t size = std::min(wanted.size(), bytes.size() - at);
    return std::equal(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(size),
                      bytes.begin() + static_cast<std::ptrdiff_t>(at));
  };
  const std::array<std::uint8_t, 1> length{session_id_length};
  return agree(0, server_hello_head) && agree(session_id_length_at, length) &&
         agree(server_hello_size - server_hello_tail.size(), server_hello_tail);
}

}  // namespace

ByteString client_hello(const std::array<std::uint8_t, hello_random>& random) {
  ByteString hello(client_hello_head.begin(), client_hello_head.end());
  hello.insert(hello.end(), random.begin(), random.end());
  hello.insert(hello.end(), client_hello_tail.begin(), client_hello_tail.end());
  return hello;
}

ByteString framed(Bytes message) {
  ByteString frame;
  frame.reserve(frame_header + message.size());
  frame.push_back(control_message);
  frame.push_back(0);
  frame.push_back(static_cast<std::uint8_t>(message.size() >> 8U & 0xFFU));
  frame.push_back(static_cast<std::uint8_t>(message.size() & 0xFFU));
  frame.insert(frame.end(), message.begin(), message.end());
  return frame;
}

void StreamReader::feed(Bytes bytes) {
  if (!broken_) buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

StreamReader::Step StreamReader::broken(std::string why) {
  broken_ = true;
  problem_ = std::move(why);
  return Step::broken;
}

StreamReader::Step StreamReader::greet() {
  if (!may_be_server_hello(buffer_)) return broken(describe(buffer_));
  if (buffer_.size() < server_hello_size) return Step::more;
  buffer_.erase(buffer_.begin(), buffer_.begin() + server_hello_size);
  greeted_ = true;
  return Step::greeted;
}

StreamReader::Step StreamReader::next() {
  if (broken_) return Step::broken;
  if (!greeted_) return buffer_.empty() ? Step::more : greet();
  while (true) {
    if (buffer_.size() < frame_header) return Step::more;
    const std::size_t size = static_cast<std::size_t>(buffer_[2]) << 8U | buffer_[3];
    const bool framing = dialect_ == RelayDialect::ms_turn;
    if (framing ? (buffer_[0] != control_message && buffer_[0] != end_to_end_data) || buffer_[1] != 0
                : (buffer_[0] & 0xC0U) != 0 || size % 4 != 0)
      return broken(describe(buffer_));
    const std::size_t whole = size + (framing ? frame_header : header_size);
    if (buffer_.size() < whole) return Step::more;
    const auto begin = buffer_.begin() + (framing ? static_cast<std::ptrdiff_t>(frame_header) : 0);
    const auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(whole);
    const bool data = framing && buffer_[0] == end_to_end_data;  // of a call: none is ours
    if (!data) message_.assign(begin, end);
    buffer_.erase(buffer_.begin(), end);
    if (!data) return Step::message;
  }
}

std::string describe(Bytes bytes) {
  if (bytes.empty()) return "nothing";
  const std::string_view text = as_text(bytes);
  if (text.starts_with("HTTP/"))
    return fmt::format("HTTP: {}", printable(text.substr(0, text.find_first_of("\r\n")), 80));
  if (text.starts_with("SSH-")) return "SSH";
  if (text.starts_with("SIP/2.0")) return "SIP";
  // RFC 8446, 5.1: type, version, length; an alert is two bytes.
  const bool tls = bytes.size() >= 2 && bytes[0] >= 20 && bytes[0] <= 23 && bytes[1] == 3;
  if (tls && bytes[0] == 21 && bytes.size() >= 7)
    return fmt::format("a TLS alert, {}", Alert{bytes[6], bytes[5] == 2}.name());
  if (tls) return "TLS, and not the pretended one of a relay";
  constexpr std::size_t shown = 16;
  const bool words =
      std::all_of(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), shown)),
                  [](std::uint8_t c) { return (c >= 32 && c < 127) || c == '\r' || c == '\n'; });
  if (words && bytes.size() > 3)
    return fmt::format("text: {}", printable(text.substr(0, text.find_first_of("\r\n")), 80));
  return fmt::format("{}{} {}", count(bytes.size(), "byte"), bytes.size() > shown ? " that begin with" : ":",
                     to_hex(bytes.first(std::min(bytes.size(), shown))));
}

}  // namespace mrascheck::turn

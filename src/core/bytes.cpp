// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.hpp"

namespace mrascheck {
namespace {

std::string hex_with(Bytes bytes, const char* digits) {
  std::string text(bytes.size() * 2, '\0');
  char* out = text.data();
  for (const std::uint8_t byte : bytes) {
    *out++ = digits[byte >> 4U];
    *out++ = digits[byte & 15U];
  }
  return text;
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_hex(Bytes bytes) {
  return hex_with(bytes, "0123456789abcdef");
}

std::string to_upper_hex(Bytes bytes) {
  return hex_with(bytes, "0123456789ABCDEF");
}

ByteString from_hex(std::string_view text) {
  ByteString bytes;
  int high = -1;
  for (const char c : text) {
    const int value = digit_value(c);
    if (value < 0) {
      if ((c == ' ' || c == ':') && high < 0) continue;
      return {};
    }
    if (high < 0) {
      high = value;
    } else {
      bytes.push_back(static_cast<std::uint8_t>(high * 16 + value));
      high = -1;
    }
  }
  return high < 0 ? bytes : ByteString{};
}

}  // namespace mrascheck

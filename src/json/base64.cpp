// SPDX-License-Identifier: Apache-2.0
#include "json/base64.hpp"

#include <array>
#include <cstdint>

namespace mrascheck::json {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 64;

constexpr std::array<std::uint8_t, 256> digit_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

}  // namespace

std::string to_base64(Bytes bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t rest = bytes.size() - i;
    std::uint32_t group = static_cast<std::uint32_t>(bytes[i]) << 16U;
    if (rest > 1) group |= static_cast<std::uint32_t>(bytes[i + 1]) << 8U;
    if (rest > 2) group |= bytes[i + 2];
    text.push_back(alphabet[group >> 18U]);
    text.push_back(alphabet[group >> 12U & 63U]);
    text.push_back(rest > 1 ? alphabet[group >> 6U & 63U] : '=');
    text.push_back(rest > 2 ? alphabet[group & 63U] : '=');
  }
  return text;
}

std::optional<ByteString> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::string_view digits = text.substr(0, text.size() - padding);
  ByteString bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const char c : digits) {
    const std::uint8_t value = digit_values[static_cast<std::uint8_t>(c)];
    if (value == no_digit) return std::nullopt;
    pending = pending << 6U | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<std::uint8_t>(pending >> bits));
    pending &= (1U << bits) - 1U;
  }
  if (pending != 0) return std::nullopt;
  return bytes;
}

}  // namespace mrascheck::json

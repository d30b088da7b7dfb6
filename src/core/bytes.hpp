// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mrascheck {

using Bytes = std::span<const std::uint8_t>;
using ByteString = std::vector<std::uint8_t>;

using Sha1 = std::array<std::uint8_t, 20>;
using Sha256 = std::array<std::uint8_t, 32>;

/// How the rooms below crypto get at digests without knowing who computes them; crypto::hasher() is the one in use.
struct Hasher {
  Sha1 (*sha1)(Bytes);
  Sha256 (*sha256)(Bytes);
};

/// Lower-case hexadecimal, two digits a byte, no separators.
std::string to_hex(Bytes bytes);

/// Upper-case hexadecimal, as Windows shows a thumbprint.
std::string to_upper_hex(Bytes bytes);

/// The bytes of a hexadecimal string in either case, with or without blanks and colons between the bytes.
/// Empty, when a character is none of these or a digit is missing.
ByteString from_hex(std::string_view text);

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace mrascheck

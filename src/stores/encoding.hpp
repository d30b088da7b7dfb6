// SPDX-License-Identifier: Apache-2.0
// Private to the room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.hpp"

namespace mrascheck::stores {

inline std::uint32_t u32(Bytes bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at]) | static_cast<std::uint32_t>(bytes[at + 1]) << 8U |
         static_cast<std::uint32_t>(bytes[at + 2]) << 16U | static_cast<std::uint32_t>(bytes[at + 3]) << 24U;
}

/// Whether a text file is UTF-16, by its byte order mark or by the zeros of its first two characters.
bool is_utf16(Bytes content);

/// A text file as UTF-8: UTF-16 with either mark, or little-endian without one; of other files the bytes as they are,
/// without their mark. A half character at the end is dropped.
std::string decode_text(Bytes content);

/// UTF-16LE up to its first NUL, as UTF-8; a lone surrogate becomes U+FFFD.
std::string utf16le(Bytes content);

/// Takes the line at the front of `text` away, without its CR LF, LF or CR.
std::string_view take_line(std::string_view& text);

}  // namespace mrascheck::stores

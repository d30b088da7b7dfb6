// SPDX-License-Identifier: Apache-2.0
#include "stores/encoding.hpp"

#include <algorithm>

namespace mrascheck::stores {

static void append(std::string& text, std::uint32_t c) {
  const auto octet = [&text](std::uint32_t value) {
    text.push_back(static_cast<char>(static_cast<std::uint8_t>(value)));
  };
  if (c < 0x80) {
    octet(c);
  } else if (c < 0x800) {
    octet(0xC0U | c >> 6U);
    octet(0x80U | (c & 0x3FU));
  } else if (c < 0x10000) {
    octet(0xE0U | c >> 12U);
    octet(0x80U | (c >> 6U & 0x3FU));
    octet(0x80U | (c & 0x3FU));
  } else {
    octet(0xF0U | c >> 18U);
    octet(0x80U | (c >> 12U & 0x3FU));
    octet(0x80U | (c >> 6U & 0x3FU));
    octet(0x80U | (c & 0x3FU));
  }
}

static std::string from_utf16(Bytes content, bool big_endian) {
  std::string text;
  text.reserve(content.size() / 2);
  const auto unit = [&](std::size_t i) {
    return static_cast<std::uint32_t>(content[big_endian ? i : i + 1]) << 8U | content[big_endian ? i + 1 : i];
  };
  for (std::size_t i = 0; i + 1 < content.size(); i += 2) {
    const std::uint32_t c = unit(i);
    if (c < 0xD800 || c > 0xDFFF) {
      append(text, c);
    } else if (c < 0xDC00 && i + 3 < content.size() && (unit(i + 2) & 0xFC00U) == 0xDC00) {
      append(text, 0x10000U + ((c & 0x3FFU) << 10U | (unit(i + 2) & 0x3FFU)));
      i += 2;
    } else {
      append(text, 0xFFFD);
    }
  }
  return text;
}

static bool marked(Bytes content, std::uint8_t first, std::uint8_t second) {
  return content.size() >= 2 && content[0] == first && content[1] == second;
}

bool is_utf16(Bytes content) {
  if (marked(content, 0xFF, 0xFE) || marked(content, 0xFE, 0xFF)) return true;
  return content.size() >= 4 && content[0] != 0 && content[1] == 0 && content[2] != 0 && content[3] == 0;
}

std::string decode_text(Bytes content) {
  if (marked(content, 0xFE, 0xFF)) return from_utf16(content.subspan(2), true);
  if (marked(content, 0xFF, 0xFE)) return from_utf16(content.subspan(2), false);
  if (is_utf16(content)) return from_utf16(content, false);
  std::string_view text = as_text(content);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return std::string{text};
}

std::string utf16le(Bytes content) {
  std::string text = from_utf16(content, false);
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end);
  if (text.starts_with("\r\n")) {
    text.remove_prefix(2);
  } else if (!text.empty()) {
    text.remove_prefix(1);
  }
  return line;
}

}  // namespace mrascheck::stores

// SPDX-License-Identifier: Apache-2.0
#include "core/ca_name.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "core/text.hpp"

namespace mrascheck {
namespace {

constexpr std::size_t longest = 51;
constexpr std::size_t escape_length = 5;  // '!' and four digits
constexpr char32_t replacement = 0xfffd;

/// Takes one code point off the front of UTF-8.
char32_t take_code_point(std::string_view& text) {
  const auto octet = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = octet(0);
  const std::size_t length = first < 0x80 ? 1 : (first & 0xe0U) == 0xc0 ? 2 : (first & 0xf0U) == 0xe0 ? 3 : 4;
  char32_t point = length == 1 ? first : first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size() || (octet(i) & 0xc0U) != 0x80) {
      text.remove_prefix(1);
      return replacement;
    }
    point = point << 6U | (octet(i) & 0x3fU);
  }
  text.remove_prefix(length);
  return point;
}

std::vector<std::uint16_t> to_utf16(std::string_view text) {
  std::vector<std::uint16_t> units;
  while (!text.empty()) {
    const char32_t point = take_code_point(text);
    if (point < 0x10000) {
      units.push_back(static_cast<std::uint16_t>(point));
    } else {
      units.push_back(static_cast<std::uint16_t>(0xd800U + ((point - 0x10000) >> 10U & 0x3ffU)));
      units.push_back(static_cast<std::uint16_t>(0xdc00U + (point & 0x3ffU)));
    }
  }
  return units;
}

void append_utf8(std::string& text, char32_t point) {
  const auto tail = [&](unsigned shift) { text += static_cast<char>(0x80U | (point >> shift & 0x3fU)); };
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xc0U | point >> 6U);
    tail(0);
  } else if (point < 0x10000) {
    text += static_cast<char>(0xe0U | point >> 12U);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xf0U | point >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
}

bool allowed(std::uint16_t unit) {
  constexpr std::string_view disallowed = "!\"#%&'()*+,/:;<=>?[\\]^`{|}";
  return unit >= 0x20 && unit < 0x7f && disallowed.find(static_cast<char>(unit)) == std::string_view::npos;
}

/// The UTF-16 unit that an escape at the front of `text` stands for.
std::optional<std::uint16_t> escaped_unit(std::string_view text) {
  if (text.size() < escape_length || text[0] != '!') return std::nullopt;
  unsigned unit = 0;
  for (const char c : text.substr(1, escape_length - 1)) {
    const unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                           : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10
                           : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A') + 10
                                                  : 16;
    if (digit == 16) return std::nullopt;
    unit = unit << 4U | digit;
  }
  return static_cast<std::uint16_t>(unit);
}

}  // namespace

std::string ca_object_name(std::string_view name) {
  std::string sanitised;
  for (const std::uint16_t unit : to_utf16(name)) {
    if (allowed(unit)) {
      sanitised += static_cast<char>(unit);
    } else {
      sanitised += fmt::format("!{:04x}", unit);
    }
  }
  if (sanitised.size() <= longest) return sanitised;
  std::size_t kept = longest;
  for (std::size_t tail = 1; tail < escape_length; ++tail) {
    if (sanitised[longest - tail] == '!') kept = longest - tail;
  }
  unsigned hash = 0;
  for (const char c : sanitised.substr(kept)) {
    hash = ((hash << 1U | hash >> 15U) + static_cast<unsigned char>(c)) & 0xffffU;
  }
  return fmt::format("{}-{:05}", sanitised.substr(0, kept), hash);
}

std::string unescaped_ca_name(std::string_view object_name) {
  std::string name;
  bool any = false;
  while (!object_name.empty()) {
    const auto unit = escaped_unit(object_name);
    if (!unit) {
      name += object_name.front();
      object_name.remove_prefix(1);
      continue;
    }
    any = true;
    object_name.remove_prefix(escape_length);
    char32_t point = *unit;
    if (*unit >= 0xd800 && *unit < 0xe000) {  // half of a pair
      const auto low = *unit < 0xdc00 ? escaped_unit(object_name) : std::nullopt;
      if (low && *low >= 0xdc00 && *low < 0xe000) {
        object_name.remove_prefix(escape_length);
        point = 0x10000 + ((point & 0x3ffU) << 10U | (*low & 0x3ffU));
      } else {
        point = replacement;
      }
    }
    append_utf8(name, point);
  }
  return any ? printable(name) : std::string{};
}

std::string with_ca_name(const std::string& place, std::string_view common_name) {
  constexpr std::string_view prefix = "CN=";
  if (!equals_ignoring_case(place.substr(0, prefix.size()), prefix)) return place;
  const std::string_view object =
      std::string_view{place}.substr(prefix.size(), std::min(place.find(','), place.size()) - prefix.size());
  std::string real;
  if (!common_name.empty() && object != common_name && equals_ignoring_case(object, ca_object_name(common_name))) {
    real = common_name;
  } else {
    real = unescaped_ca_name(object);
  }
  return real.empty() || equals_ignoring_case(real, object) ? place : fmt::format("{} ({})", place, real);
}

}  // namespace mrascheck

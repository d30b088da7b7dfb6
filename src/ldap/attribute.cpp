// SPDX-License-Identifier: Apache-2.0
#include "ldap/attribute.hpp"

#include <charconv>
#include <system_error>

#include "core/text.hpp"

namespace mrascheck::ldap {

static std::optional<std::size_t> parse_number(std::string_view text) {
  std::size_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return number;
}

static std::optional<AttributeDescription::Range> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = parse_number(text.substr(0, dash));
  if (!first) return std::nullopt;
  const auto high = text.substr(dash + 1);
  if (high == "*") return AttributeDescription::Range{*first, std::nullopt};
  const auto last = parse_number(high);
  if (!last || *last < *first) return std::nullopt;
  return AttributeDescription::Range{*first, last};
}

bool AttributeDescription::is(std::string_view name) const {
  return equals_ignoring_case(type, name);
}

std::optional<AttributeDescription> parse_attribute(std::string_view text) {
  constexpr std::string_view range_option = "range=";
  AttributeDescription description;
  auto semicolon = text.find(';');
  description.type = text.substr(0, semicolon);
  if (description.type.empty()) return std::nullopt;
  while (semicolon != std::string_view::npos) {
    text.remove_prefix(semicolon + 1);
    semicolon = text.find(';');
    const auto option = text.substr(0, semicolon);
    if (!equals_ignoring_case(option.substr(0, range_option.size()), range_option)) continue;
    const auto range = parse_range(option.substr(range_option.size()));
    if (!range || description.range) return std::nullopt;
    description.range = range;
  }
  return description;
}

}  // namespace mrascheck::ldap

// SPDX-License-Identifier: Apache-2.0
#include "core/diagnostics.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "core/text.hpp"

namespace mrascheck {

namespace {

constexpr std::size_t max_parameters = 64;
constexpr std::size_t max_value = 4096;
constexpr std::size_t max_name = 128;

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

// Up to the closing quote, which may be missing. Only \" and \\ are escapes: Windows puts bare backslashes into
// reasons.
std::string take_quoted(std::string_view& text) {
  std::string value;
  text.remove_prefix(1);
  while (!text.empty() && text.front() != '"') {
    if (text.front() == '\\' && text.size() > 1 && (text[1] == '"' || text[1] == '\\')) text.remove_prefix(1);
    if (value.size() <= max_value) value += text.front();
    text.remove_prefix(1);
  }
  if (!text.empty()) text.remove_prefix(1);
  return value;
}

std::string_view take_until(std::string_view& text, std::string_view stops) {
  const auto taken = text.substr(0, std::min(text.find_first_of(stops), text.size()));
  text.remove_prefix(taken.size());
  return trim(taken);
}

}  // namespace

std::optional<MsDiagnostics> parse_diagnostics(std::string_view value) {
  MsDiagnostics diagnostics;
  std::string_view rest = trim(value);
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), diagnostics.id);
  if (error != std::errc{} || !is_digit(rest.front())) return {};
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  if (!rest.empty() && rest.front() == '.') {
    const auto digits = std::find_if_not(rest.begin() + 1, rest.end(), is_digit);
    diagnostics.sub = printable(std::string_view(rest.begin() + 1, digits), 32);
  }
  take_until(rest, ";");
  while (!rest.empty() && diagnostics.parameters.size() < max_parameters) {
    rest.remove_prefix(1);  // ';'
    skip_blanks(rest);
    const std::string_view name = take_until(rest, ";=");
    std::string text;
    if (!rest.empty() && rest.front() == '=') {
      rest.remove_prefix(1);
      skip_blanks(rest);
      if (!rest.empty() && rest.front() == '"') {
        text = take_quoted(rest);
        take_until(rest, ";");
      } else {
        text = take_until(rest, ";");
      }
    }
    if (!name.empty()) diagnostics.parameters.emplace_back(printable(name, max_name), printable(text, max_value));
  }
  return diagnostics;
}

}  // namespace mrascheck

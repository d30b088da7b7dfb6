// SPDX-License-Identifier: Apache-2.0
#include "stores/registry_text.hpp"

#include <charconv>
#include <string>

#include "core/text.hpp"
#include "stores/encoding.hpp"

namespace mrascheck::stores {

static bool take_hexadecimal_prefix(std::string_view& text, std::optional<unsigned>& type) {
  if (!equals_ignoring_case(text.substr(0, 3), "hex")) return false;
  std::string_view rest = text.substr(3);
  unsigned number = 3;  // REG_BINARY
  if (rest.starts_with('(')) {
    const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), number, 16);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (error != std::errc{} || !rest.starts_with(')')) return false;
    rest.remove_prefix(1);
  }
  if (!rest.starts_with(':')) return false;
  type = number;
  text = rest.substr(1);
  return true;
}

/// "03,00,...": two digits a byte.
static bool hexadecimal_bytes(std::string_view text, ByteString& into) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  int high = -1;
  for (const char c : text) {
    const int value = digit(c);
    if (value < 0) {
      if (high >= 0 || (c != ',' && c != ' ' && c != '\t')) return false;
    } else if (high < 0) {
      high = value;
    } else {
      into.push_back(static_cast<std::uint8_t>(high * 16 + value));
      high = -1;
    }
  }
  return high < 0;
}

bool is_registry_text(std::string_view text) {
  return text.starts_with("Windows Registry Editor Version") || text.starts_with("REGEDIT4");
}

RegistryText::RegistryText(std::string_view text) : text_(text) {
  take_line(text_);
}

std::optional<RegistryLine> RegistryText::next() {
  while (!text_.empty()) {
    RegistryLine found;
    found.line = trim(take_line(text_));
    found.number = ++line_;
    const std::string_view line = found.line;
    if (line.empty() || line.starts_with(';')) continue;
    if (line.starts_with('[')) {
      found.is = line.starts_with("[-") ? RegistryLine::Is::removed_key
                 : !line.ends_with(']') ? RegistryLine::Is::broken_key
                                        : RegistryLine::Is::key;
      if (found.is == RegistryLine::Is::key) found.name = line.substr(1, line.size() - 2);
    } else if (line.starts_with('"') || line.starts_with('@')) {
      value(found);
    }
    return found;
  }
  return std::nullopt;
}

void RegistryText::value(RegistryLine& found) {
  found.is = RegistryLine::Is::value;
  const std::string_view line = found.line;
  const std::size_t quote = line.starts_with('@') ? 0 : line.find('"', 1);
  const std::size_t equals = quote == std::string_view::npos ? quote : line.find('=', quote);
  if (quote != 0 && quote != std::string_view::npos) found.name = line.substr(1, quote - 1);
  found.has_value = equals != std::string_view::npos;
  found.text = found.has_value ? trim(line.substr(equals + 1)) : std::string_view{};
  std::string_view rest = found.text;
  const bool bytes = take_hexadecimal_prefix(rest, found.type);
  // Continued lines belong to it whatever becomes of it.
  for (bool more = true; more;) {
    more = rest.ends_with('\\');
    if (more) rest.remove_suffix(1);
    if (bytes && found.hexadecimal) found.hexadecimal = hexadecimal_bytes(rest, found.data);
    if (!more || text_.empty()) return;
    // A key's line can be no continuation: the backslash is what is damaged, or the rest is missing.
    if (trim(text_.substr(0, 64)).starts_with('[')) return;
    rest = trim(take_line(text_));
    ++line_;
  }
}

std::optional<std::string> registry_string(const RegistryLine& value) {
  if (value.type) {
    const bool text = *value.type == 1 || *value.type == 2 || *value.type == 7;
    return text && value.hexadecimal ? std::optional{utf16le(value.data)} : std::nullopt;
  }
  std::string_view rest = value.text;
  if (!rest.starts_with('"')) return std::nullopt;
  rest.remove_prefix(1);
  std::string text;
  while (!rest.empty() && rest.front() != '"') {
    if (rest.front() == '\\' && rest.size() > 1) rest.remove_prefix(1);
    text.push_back(rest.front());
    rest.remove_prefix(1);
  }
  return text;
}

}  // namespace mrascheck::stores

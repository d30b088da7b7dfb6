// SPDX-License-Identifier: Apache-2.0
// Private to the room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"

namespace mrascheck::stores {

/// What stands on one line of a .reg, and of a value that is continued by a \ on several: [KEY], "NAME"=VALUE, @=VALUE.
struct RegistryLine {
  enum class Is { key, removed_key, broken_key, value, neither } is = Is::neither;
  std::size_t number = 0;          ///< of its first line, from 1
  std::string_view line;           ///< the first line, trimmed
  std::string_view name;           ///< a key's path; a value's name, as it stands between the quotes; empty for @
  bool has_value = false;          ///< there is a =
  std::string_view text;           ///< behind the =, on the first line
  std::optional<unsigned> type{};  ///< of a value in hexadecimal: 3 (REG_BINARY) for "hex:", N for "hex(N):"
  bool hexadecimal = true;         ///< whether that is what follows
  ByteString data;                 ///< as far as it is
};

/// Whether it begins with the signature of either version, and so is an export: "Windows Registry Editor Version 5.00"
/// or "REGEDIT4". Of decoded text.
bool is_registry_text(std::string_view text);

/// The keys and values of a .reg, one at a time.
class RegistryText {
 public:
  /// `text`: decoded; lasts as long as this. Its first line, the signature, is passed over.
  explicit RegistryText(std::string_view text);
  /// Nothing at the end.
  std::optional<RegistryLine> next();

 private:
  void value(RegistryLine& found);

  std::string_view text_;
  std::size_t line_ = 1;
};

/// What stands in a value of text: "..." with its escapes undone, or hex(1), hex(2) or hex(7) as UTF-16LE. Nothing for
/// any other value.
std::optional<std::string> registry_string(const RegistryLine& value);

}  // namespace mrascheck::stores

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "yaml/problems.hpp"

namespace mrascheck::yaml {

struct Value;
using ValueRef = std::shared_ptr<const Value>;

/// One "key: value" of a mapping; `at` is where the key stands.
struct Entry {
  Position at;
  std::string key;
  ValueRef value;
};

/// A YAML value with its place. An alias is the very node of its anchor, so positions are those of the anchor.
struct Value {
  enum class Type { nothing, text, list, mapping };

  Type type = Type::nothing;
  Position at;
  std::string text;             ///< of a scalar, whatever its style: types are the reader's business
  std::vector<ValueRef> items;  ///< of a list
  std::vector<Entry> entries;   ///< of a mapping, each key once
};

/// "nothing", "a string", "a list", "a mapping".
const char* to_string(Value::Type type);

inline constexpr std::size_t max_file_bytes = std::size_t{4} * 1024 * 1024;
inline constexpr std::size_t max_line_bytes = std::size_t{8} * 1024;  ///< yaml-cpp's time grows with its square
inline constexpr std::size_t max_nodes = 100'000;  ///< with every alias counted as what it stands for
inline constexpr std::size_t max_depth = 32;

/// The one document in `text`. What is wrong goes to `problems`; null when that leaves nothing to look at. Refused
/// beyond plain YAML 1.2: other encodings than UTF-8, control characters, tabs as indentation, tags, a second document,
/// duplicate keys, keys that are not text, aliases of what they stand in, and anything beyond the limits above.
ValueRef parse_document(std::string text, std::size_t file, Problems& problems);

}  // namespace mrascheck::yaml

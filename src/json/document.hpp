// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace mrascheck::json {

/// Members stay in the order in which they were added or read.
using Json = nlohmann::ordered_json;

inline constexpr std::size_t max_document_bytes = std::size_t{256} * 1024 * 1024;
inline constexpr std::size_t max_depth = 64;
inline constexpr std::size_t max_members = 1024;       ///< of one object
inline constexpr std::size_t max_values = 16'000'000;  ///< of the whole document

/// One JSON text (RFC 8259) within the bounds above; a member name that stands twice in an object is an error.
/// Error: malformed, "line 3, column 7: ..."; a column counts bytes.
Result<Json> parse_document(std::string_view text);

/// Two blanks of indent and a newline at the end; invalid UTF-8 becomes U+FFFD.
std::string print_document(const Json& document);
/// Appends a member to what print_document() made of an object with at least one: an array whose elements are made one
/// after the other, and forgotten again, so that a long document takes no memory but its own.
void append_array(std::string& document, std::string_view name, std::size_t size,
                  const std::function<Json(std::size_t)>& element);

/// `text` as it may stand in a document and come back the same: printable() without its limit.
std::string safe_text(std::string_view text);

/// The same, keeping line ends.
std::string safe_lines(std::string_view text);

}  // namespace mrascheck::json

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mrascheck {

/// Text of foreign origin made safe to show on one line: control characters (C0, C1, DEL), bidirectional controls, line
/// separators and invalid UTF-8 become '?' or U+FFFD; cut at `limit` bytes (never inside a character) with "..."
/// behind. Everything from a peer, a certificate, a file or a directory goes through here before it stands in evidence
/// or output.
std::string printable(std::string_view text, std::size_t limit = 512);

/// Lower-cases ASCII only.
std::string to_lower(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Without blanks, tabs, CR and LF at both ends.
std::string_view trim(std::string_view text);

/// The candidate nearest to `word` by edit distance, when near enough to be what was meant; else empty.
std::string_view did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

/// The first label of a host name: "fe1" of "fe1.contoso.example". An address stays whole.
std::string short_host(std::string_view host);

/// "a, b and c".
std::string enumerate(const std::vector<std::string>& words);

/// "1 certificate", "3 certificates"; `plural` is `singular` + "s" when left out.
std::string count(std::size_t n, std::string_view singular, std::string_view plural = {});

}  // namespace mrascheck

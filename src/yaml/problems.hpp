// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace mrascheck::yaml {

/// Where something stands. `file` is a number from Problems::add_file; line and column count from 1, the column in
/// characters. Line 0 means the file as a whole.
struct Position {
  std::size_t file = 0;
  std::size_t line = 0;
  std::size_t column = 0;
  friend bool operator==(const Position&, const Position&) = default;
  friend bool operator<(const Position& a, const Position& b) {
    return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
  }
};

/// A piece of text and where it stands.
struct Located {
  std::string text;
  Position at;
};

/// Collects what is wrong in any order and gives it back in file order, each line once.
class Problems {
 public:
  static constexpr std::size_t max_lines = 1000;

  std::size_t add_file(std::string name);
  const std::string& file(std::size_t number) const { return files_[number]; }
  std::size_t file_count() const { return files_.size(); }

  void add(Position at, std::string text);
  bool empty() const { return entries_.empty(); }

  /// "site.yaml:12:7".
  std::string where(Position at) const;

  /// "; did you mean 'kind'?", or nothing when no candidate is near. Looks at the first few hundred words only, so that
  /// a long list of strangers costs no more than its reading.
  std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

  /// At most max_lines of them; a last line then says how many were left out.
  std::vector<std::string> lines() const;

 private:
  struct Entry {
    Position at;
    std::string text;
  };
  std::vector<std::string> files_;
  std::vector<Entry> entries_;
  std::size_t suggestions_ = 0;
};

/// 'text' in quotes, printable and short enough for a line.
std::string in_quotes(std::string_view text);

/// "a, b and c".
std::string enumerate(std::span<const std::string_view> words);

}  // namespace mrascheck::yaml

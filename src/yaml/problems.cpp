// SPDX-License-Identifier: Apache-2.0
#include "yaml/problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/text.hpp"

namespace mrascheck::yaml {

std::size_t Problems::add_file(std::string name) {
  files_.push_back(std::move(name));
  return files_.size() - 1;
}

void Problems::add(Position at, std::string text) {
  entries_.push_back({at, std::move(text)});
}

std::string Problems::where(Position at) const {
  const std::string name = printable(files_[at.file], 1024);
  return at.line == 0 ? name : fmt::format("{}:{}:{}", name, at.line, at.column);
}

std::string Problems::suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  static constexpr std::size_t max_suggestions = 200;
  if (++suggestions_ > max_suggestions) return {};
  const std::string_view meant = did_you_mean(word, candidates);
  return meant.empty() ? std::string{} : fmt::format("; did you mean {}?", in_quotes(meant));
}

std::vector<std::string> Problems::lines() const {
  std::vector<Entry> sorted = entries_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Entry& a, const Entry& b) { return a.at < b.at; });
  // What stands behind an anchor is read once for each alias, and says the same each time.
  const auto last = std::unique(sorted.begin(), sorted.end(),
                                [](const Entry& a, const Entry& b) { return a.at == b.at && a.text == b.text; });
  sorted.erase(last, sorted.end());
  std::vector<std::string> lines;
  for (const Entry& entry : sorted) {
    if (lines.size() == max_lines) {
      lines.push_back(fmt::format("{} more {}", sorted.size() - max_lines, "problems are left out here"));
      break;
    }
    lines.push_back(fmt::format("{}: {}", where(entry.at), entry.text));
  }
  return lines;
}

std::string in_quotes(std::string_view text) {
  return fmt::format("'{}'", printable(text, 80));
}

std::string enumerate(std::span<const std::string_view> words) {
  return mrascheck::enumerate(std::vector<std::string>{words.begin(), words.end()});
}

}  // namespace mrascheck::yaml

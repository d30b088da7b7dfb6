// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/report.hpp"

namespace mrascheck::render {

/// One line, whatever `text` holds: line ends and tabs become blanks, the rest is as printable() makes it, at any
/// length.
std::string one_line(std::string_view text);

/// How many columns `text` takes: its code points.
std::size_t columns(std::string_view text);

/// At most `limit` columns, cut between words where there are any, with "..." behind what was cut.
std::string shortened(std::string_view text, std::size_t limit);

/// `text` in lines of at most `width` columns. Words are not broken: one that is too long has a line of its own. The
/// first line begins in column `start`, which the caller has filled; the others with `indent` blanks.
std::string wrapped(std::string_view text, std::size_t start, std::size_t indent, std::size_t width);

/// Lines of at most `width` columns, 20 at least; a list item begins with a dash.
class Page {
 public:
  explicit Page(std::size_t width) : width_(std::max<std::size_t>(width, 20)) {}

  void line(std::string_view text, std::size_t indent = 0);
  void item(std::string_view text, std::size_t indent);
  void verbatim(std::string_view text, std::size_t indent);  ///< to be copied: never broken
  void raw(std::string_view text) { out_ += text; }
  void blank();  ///< none above the first line
  std::string take() { return std::move(out_); }

 private:
  std::size_t width_;
  std::string out_;
};

/// A line of a remedy, and whether it is to be copied as it stands: it then begins with a blank (Finding::remedy).
struct RemedyLine {
  std::string text;  ///< leading blanks kept, trailing ones dropped
  bool verbatim = false;
};
std::vector<RemedyLine> remedy_lines(std::string_view remedy);

const Finding& finding_at(const Report& report, const FindingRef& at);

/// What is to be told of: a cause with all that ends with it, or a finding that stands in none.
struct Entry {
  Status status;
  const Cause* cause;      ///< null: `finding` alone
  const Finding* finding;  ///< of a cause, its root
};
/// Worst first; of one status, causes before findings, else in the order of the checks.
std::vector<Entry> worst_first(const Report& report);

/// "2 of 9 checks failed, 1 with warnings, 1 unknown"; "all 9 checks passed"; "nothing could be checked".
std::string tally(const Report& report);

/// "stores ad", for a gap.
std::string subject(const Gap& gap);

/// Ids of the checks that gap number `index` leaves unknown.
std::vector<std::string> left_unknown(const Report& report, std::size_t index);

std::vector<std::string> not_applicable(const Report& report);

/// "RFC 5280, 4.1.2.5"; empty when there is none.
std::string source(const Citation& citation);

/// Remembers remedies, so that the same words are printed once.
class Remedies {
 public:
  /// What to print instead of `remedy`, when it has been printed before: "as above, for edge1"; else empty.
  std::string seen(const std::string& remedy, std::string_view about);

 private:
  std::vector<std::pair<std::string, std::string>> printed_;
};

}  // namespace mrascheck::render

// SPDX-License-Identifier: Apache-2.0
#include "render/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/text.hpp"

namespace mrascheck::render {
namespace {

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string blanked{text};
  for (char& c : blanked) {
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  }
  return printable(blanked, blanked.size() * 3 + 3);  // U+FFFD takes three bytes
}

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

std::string shortened(std::string_view text, std::size_t limit) {
  static constexpr std::string_view ellipsis = "...";
  if (columns(text) <= limit) return std::string{text};
  if (limit < ellipsis.size()) return std::string(limit, '.');
  std::size_t end = 0;
  for (std::size_t room = limit - ellipsis.size(); end < text.size(); ++end) {
    if (continues_character(text[end])) continue;
    if (room-- == 0) break;
  }
  std::string_view kept = text.substr(0, end);
  const std::size_t blank = text[end] == ' ' ? end : kept.rfind(' ');
  // Half of a name says more than a blank space of its length.
  static constexpr std::size_t longest_word_dropped = 16;
  if (blank != std::string_view::npos && blank + longest_word_dropped >= end) kept = kept.substr(0, blank);
  while (!kept.empty() && (kept.back() == ' ' || kept.back() == ',' || kept.back() == ':')) kept.remove_suffix(1);
  return std::string{kept}.append(ellipsis);
}

std::string wrapped(std::string_view text, std::size_t start, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = start;
  bool line_empty = true;
  while (true) {
    const std::size_t first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) break;
    text.remove_prefix(first);
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    const std::size_t length = columns(word);
    const bool fits = column + (line_empty ? 0 : 1) + length <= width;
    if (!fits && (!line_empty || start > indent) && column > indent) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
      line_empty = true;
    }
    if (!line_empty) {
      out += ' ';
      ++column;
    }
    out += word;
    column += length;
    line_empty = false;
  }
  out += '\n';
  return out;
}

void Page::line(std::string_view text, std::size_t indent) {
  out_.append(indent, ' ');
  out_ += wrapped(one_line(text), indent, indent + 2, width_);
}

void Page::item(std::string_view text, std::size_t indent) {
  out_.append(indent, ' ');
  out_ += "- ";
  out_ += wrapped(one_line(text), indent + 2, indent + 2, width_);
}

void Page::verbatim(std::string_view text, std::size_t indent) {
  out_.append(indent, ' ');
  out_ += one_line(text);
  out_ += '\n';
}

void Page::blank() {
  if (!out_.empty()) out_ += '\n';
}

std::vector<RemedyLine> remedy_lines(std::string_view remedy) {
  std::vector<RemedyLine> lines;
  while (!remedy.empty()) {
    const std::string_view line = remedy.substr(0, remedy.find('\n'));
    remedy.remove_prefix(std::min(remedy.size(), line.size() + 1));
    std::string clean = one_line(line);
    clean.erase(clean.find_last_not_of(' ') + 1);
    if (clean.empty()) continue;
    const bool verbatim = clean.front() == ' ';
    lines.push_back({std::move(clean), verbatim});
  }
  return lines;
}

const Finding& finding_at(const Report& report, const FindingRef& at) {
  return report.checks[at.check].verdict.findings[at.finding];
}

std::vector<Entry> worst_first(const Report& report) {
  std::vector<Entry> entries;
  std::set<FindingRef> told;
  for (const Cause& cause : report.causes) {
    entries.push_back({cause.status, &cause, &finding_at(report, cause.root)});
    told.insert(cause.root);
    told.insert(cause.symptoms.begin(), cause.symptoms.end());
  }
  for (std::size_t check = 0; check < report.checks.size(); ++check) {
    const std::vector<Finding>& findings = report.checks[check].verdict.findings;
    for (std::size_t i = 0; i < findings.size(); ++i) {
      if (!told.contains({check, i})) entries.push_back({findings[i].status, nullptr, &findings[i]});
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.status > b.status; });
  return entries;
}

std::string tally(const Report& report) {
  std::size_t applicable = 0;
  std::size_t failed = 0;
  std::size_t warned = 0;
  std::size_t unknown = 0;
  for (const CheckResult& check : report.checks) {
    applicable += check.applicable ? 1 : 0;
    failed += check.status == Status::critical ? 1 : 0;
    warned += check.status == Status::warning ? 1 : 0;
    unknown += check.status == Status::unknown ? 1 : 0;
  }
  if (applicable == 0) return "nothing could be checked";
  std::string text;
  const auto add = [&](std::size_t n, std::string_view how) {
    if (n == 0) return;
    text += text.empty() ? fmt::format("{} of {} {}", n, applicable, how)
                         : fmt::format(", {} {}", n, how.substr(how.find(' ') + 1));
  };
  const std::string_view noun = applicable == 1 ? "check" : "checks";
  add(failed, fmt::format("{} failed", noun));
  add(warned, fmt::format("{} with warnings", noun));
  add(unknown, fmt::format("{} unknown", noun));
  if (!text.empty()) return text;
  text = applicable == 1 ? "the one check passed" : fmt::format("all {} checks passed", applicable);
  if (!report.gaps.empty()) text += fmt::format(", {} could not be looked at", count(report.gaps.size(), "thing"));
  return text;
}

std::string subject(const Gap& gap) {
  if (gap.need == Needs::none) return one_line(gap.about);
  return one_line(gap.about.empty() ? to_string(gap.need) : fmt::format("{} {}", to_string(gap.need), gap.about));
}

std::vector<std::string> left_unknown(const Report& report, std::size_t index) {
  std::vector<std::string> ids;
  for (const CheckResult& check : report.checks) {
    if (std::find(check.gaps.begin(), check.gaps.end(), index) != check.gaps.end()) ids.push_back(one_line(check.id));
  }
  return ids;
}

std::vector<std::string> not_applicable(const Report& report) {
  std::vector<std::string> ids;
  for (const CheckResult& check : report.checks) {
    if (!check.applicable) ids.push_back(one_line(check.id));
  }
  return ids;
}

std::string source(const Citation& citation) {
  if (citation.document.empty()) return {};
  return one_line(citation.section.empty() ? std::string{citation.document}
                                           : fmt::format("{}, {}", citation.document, citation.section));
}

std::string Remedies::seen(const std::string& remedy, std::string_view about) {
  const auto found =
      std::find_if(printed_.begin(), printed_.end(), [&](const auto& known) { return known.first == remedy; });
  if (found == printed_.end()) {
    printed_.emplace_back(remedy, one_line(about));
    return {};
  }
  return found->second.empty() ? "as above" : "as above, for " + found->second;
}

}  // namespace mrascheck::render

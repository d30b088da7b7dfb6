// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "render/layout.hpp"
#include "render/render.hpp"

namespace mrascheck::render {
namespace {

constexpr std::size_t first_line_columns = 80;
constexpr std::size_t rich_line_columns = 240;
constexpr std::size_t label_characters = 19;  // of a perfdata label must be unique

/// A '|' would turn the rest of the line into performance data.
std::string without_pipes(std::string_view text) {
  std::string clean = one_line(text);
  std::replace(clean.begin(), clean.end(), '|', ' ');
  return clean;
}

std::string_view head_of(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80) --bytes;
  return text.substr(0, bytes);
}

/// FNV-1a; four digits of it tell labels apart in the same way in every run.
std::string short_hash(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
  return fmt::format("{:04x}", hash >> 16U ^ (hash & 0xFFFFU));
}

/// Labels that agree in their first 19 characters get a hash of the whole label there instead; it depends on nothing
/// else in the report, so that a graph keeps its name.
void make_unique(std::vector<Perfdata>& items) {
  std::map<std::string, std::size_t> sharing;
  for (Perfdata& item : items) {
    item.label = without_pipes(item.label);
    for (char& c : item.label) {
      if (c == '=' || c == '\'') c = '_';
    }
    ++sharing[std::string{head_of(item.label, label_characters)}];
  }
  std::set<std::string> taken;
  for (const auto& [head, n] : sharing) taken.insert(head);
  for (Perfdata& item : items) {
    if (sharing.at(std::string{head_of(item.label, label_characters)}) == 1) continue;
    const std::string whole = item.label;
    for (unsigned n = 1;; ++n) {
      const std::string suffix = "_" + short_hash(n == 1 ? whole : fmt::format("{} {}", whole, n));
      item.label = std::string{head_of(whole, label_characters - suffix.size())} + suffix;
      if (taken.insert(item.label).second) break;
    }
  }
}

std::vector<std::string> perfdata_of(const Report& report, ThresholdForm form) {
  std::vector<Perfdata> items;
  for (const CheckResult& check : report.checks) {
    items.insert(items.end(), check.verdict.perfdata.begin(), check.verdict.perfdata.end());
  }
  make_unique(items);
  std::vector<std::string> texts;
  texts.reserve(items.size());
  for (const Perfdata& item : items) texts.push_back(without_pipes(to_string(item, form)));
  return texts;
}

std::string first_line(const Report& report, int verbosity) {
  const auto entries = worst_first(report);
  const std::string head = fmt::format("MRAS {} - ", to_string(report.status));
  std::string body;
  std::size_t told = 0;
  if (!entries.empty() && entries.front().status == report.status) {
    const Entry& worst_one = entries.front();
    body = without_pipes(worst_one.cause != nullptr ? worst_one.cause->summary : worst_one.finding->summary);
    told = 1;
  } else if (!report.gaps.empty()) {
    body = without_pipes(
        fmt::format("could not look at {}: {}", subject(report.gaps.front()), report.gaps.front().reason));
    told = 1;
  }
  const std::string overview = without_pipes(fmt::format("{}: {}", report.site, tally(report)));
  if (body.empty()) return shortened(head + overview, verbosity > 0 ? rich_line_columns : first_line_columns);

  const std::size_t more = entries.size() + report.gaps.size() - told;
  const std::string tail = more > 0 ? fmt::format(" (+{} more)", more) : "";
  if (verbosity > 0) body = fmt::format("{}: {}", overview, body);
  const std::size_t room = (verbosity > 0 ? rich_line_columns : first_line_columns) - head.size() - tail.size();
  return head + shortened(body, room) + tail;
}

/// The lines below the first, by verbosity.
class LongOutput {
 public:
  LongOutput(const Report& report, int verbosity) : verbosity_(verbosity) {
    for (const Entry& entry : worst_first(report)) {
      if (entry.cause != nullptr) {
        add(*entry.cause, report);
      } else {
        add(*entry.finding);
      }
    }
    for (std::size_t i = 0; i < report.gaps.size(); ++i) add(report, i);
    if (verbosity_ >= 2) add_what_is_fine(report);
    if (verbosity_ >= 3) add_circumstances(report);
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  /// A line of its own, or the trunk of what is below a cause.
  void line(std::string_view text) {
    lines_.push_back(without_pipes(fmt::format("{}{}", below_ ? "  \\_ " : "", text)));
  }
  void branch(std::string_view text, bool deeper = true) {
    lines_.push_back(without_pipes(fmt::format("{}  \\_ {}", below_ && deeper ? "   " : "", text)));
  }
  void what_to_do(const std::string& remedy, std::string_view about) {
    if (verbosity_ < 1 || remedy.empty()) return;
    if (const std::string again = remedies_.seen(remedy, about); !again.empty()) {
      return branch(fmt::format("what to do: {}", again));
    }
    bool first = true;
    for (const RemedyLine& words : remedy_lines(remedy)) {
      if (first) {
        branch(fmt::format("what to do: {}", trim(words.text)));
      } else {
        lines_.push_back(without_pipes(fmt::format("{}     {}", below_ ? "   " : "", words.text)));
      }
      first = false;
    }
  }
  void add(const Finding& finding) {
    line(fmt::format("[{}] {}: {}", to_string(finding.status), finding.code, finding.summary));
    if (verbosity_ >= 2) {
      for (const std::string& fact : finding.facts) branch(fact);
    }
    what_to_do(finding.remedy, finding.about);
    if (verbosity_ >= 3) {
      if (const std::string cited = source(finding.citation); !cited.empty()) branch("source: " + cited);
    }
  }
  void add(const Cause& cause, const Report& report) {
    line(fmt::format("[{}] cause: {}", to_string(cause.status), cause.summary));
    const Finding& root = finding_at(report, cause.root);
    below_ = true;
    add(root);
    for (const FindingRef& at : cause.symptoms) {
      const Finding& symptom = finding_at(report, at);
      if (verbosity_ >= 2 || !cause.shown) {
        add(symptom);
      } else {
        branch(fmt::format("{}: [{}] {}: {}", symptom.code == root.code ? "the same" : "ends with it",
                           to_string(symptom.status), symptom.code, symptom.summary),
               false);
      }
    }
    below_ = false;
  }
  void add(const Report& report, std::size_t index) {
    const Gap& gap = report.gaps[index];
    lines_.push_back(without_pipes(fmt::format("[{}] {}: {}", to_string(gap.status), subject(gap), gap.reason)));
    what_to_do(gap.remedy, gap.about);
    const auto ids = left_unknown(report, index);
    if (verbosity_ >= 2 && !ids.empty()) branch(fmt::format("unknown because of this: {}", enumerate(ids)));
  }
  void add_what_is_fine(const Report& report) {
    for (const CheckResult& check : report.checks) {
      if (check.applicable && check.status == Status::ok) {
        lines_.push_back(
            without_pipes(fmt::format("[OK] {}: {} ({} looked at)", check.id, check.title, check.verdict.examined)));
      } else if (!check.verdict.notes.empty()) {
        lines_.push_back(without_pipes(fmt::format("[OK] {}, in part: {}", check.id, check.title)));
      }
      for (const Note& note : check.verdict.notes) {
        branch(note.about.empty() ? note.text : fmt::format("{}: {}", note.about, note.text));
      }
    }
  }
  void add_circumstances(const Report& report) {
    if (const auto ids = not_applicable(report); !ids.empty()) {
      lines_.push_back(without_pipes(fmt::format("not applicable here: {}", enumerate(ids))));
    }
    lines_.push_back(without_pipes(
        fmt::format("{}: seen from {} at {}", report.site, report.vantage, to_iso8601(report.collected_at))));
  }

  int verbosity_;
  bool below_ = false;  ///< a cause
  std::vector<std::string> lines_;
  Remedies remedies_;
};

std::string left_out(std::size_t lines, std::size_t values) {
  std::vector<std::string> what;
  if (lines > 0) what.push_back(count(lines, "line"));
  if (values > 0) what.push_back(count(values, "performance value"));
  return fmt::format("{} left out; run mrascheck check for the whole report\n", enumerate(what));
}

/// As much as `budget` bytes hold: the first line, then whole performance values, then whole lines, then what is
/// missing.
std::string fit(const std::string& first, const std::vector<std::string>& perfdata,
                const std::vector<std::string>& lines, std::size_t budget) {
  const auto compose = [&](std::string_view head, std::size_t values, std::size_t rows) {
    std::string out{head};
    for (std::size_t i = 0; i < values; ++i) out += (i == 0 ? " | " : " ") + perfdata[i];
    out += '\n';
    for (std::size_t i = 0; i < rows; ++i) out += lines[i] + "\n";
    if (values < perfdata.size() || rows < lines.size()) {
      out += left_out(lines.size() - rows, perfdata.size() - values);
    }
    return out;
  };
  std::string whole = compose(first, perfdata.size(), lines.size());
  if (whole.size() <= budget) return whole;

  // The words about what is left out grow with the numbers in them, so the sizes are taken with all of both left out.
  const std::size_t note = left_out(lines.size(), perfdata.size()).size();
  std::size_t used = first.size() + 1 + note;
  std::size_t values = 0;
  while (values < perfdata.size()) {
    const std::size_t needed = perfdata[values].size() + (values == 0 ? 3 : 1);
    if (used + needed > budget) break;
    used += needed;
    ++values;
  }
  std::size_t rows = 0;
  while (rows < lines.size() && used + lines[rows].size() + 1 <= budget) used += lines[rows++].size() + 1;
  std::string part = compose(first, values, rows);
  if (part.size() <= budget) return part;
  // Not even the first line fits beside the note: the verdict comes first.
  const std::size_t room = budget > note + 1 ? budget - note - 1 : 0;
  if (room >= std::string_view{"MRAS CRITICAL"}.size()) return compose(head_of(first, room), 0, 0);
  return budget == 0 ? std::string{} : std::string{head_of(first, budget - 1)} + "\n";
}

}  // namespace

std::string plugin(const Report& report, const Options& options) {
  return fit(first_line(report, options.verbosity), perfdata_of(report, options.thresholds),
             LongOutput{report, options.verbosity}.take(), options.max_output);
}

}  // namespace mrascheck::render

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "render/layout.hpp"
#include "render/render.hpp"

namespace mrascheck::render {
namespace {

constexpr std::size_t notes_per_check = 5;  // unless -v
constexpr std::size_t least_width = 20;

std::string_view color_of(Status status) {
  switch (status) {
    case Status::ok:
      return "\033[1;32m";
    case Status::unknown:
      return "\033[1;35m";
    case Status::warning:
      return "\033[1;33m";
    case Status::critical:
      return "\033[1;31m";
  }
  return "";
}

class ReportPage {
 public:
  explicit ReportPage(const Options& options)
      : color_(options.color), width_(std::max(options.width, least_width)), verbosity_(options.verbosity) {}

  std::string print(const Report& report) {
    paragraph(fmt::format("{}: ", to_string(report.status)), report.status,
              fmt::format("{}: {} (seen from {} at {})", one_line(report.site), tally(report), one_line(report.vantage),
                          to_iso8601(report.collected_at)),
              2);
    for (const Entry& entry : worst_first(report)) {
      if (entry.cause != nullptr) {
        print(*entry.cause, report);
      } else {
        print(*entry.finding);
      }
    }
    print_gaps(report);
    print_what_is_fine(report);
    if (verbosity_ >= 2) print_measured(report);
    if (const auto ids = not_applicable(report); !ids.empty()) {
      out_ += '\n';
      item("", fmt::format("Not applicable here: {}.", enumerate(ids)), 0, 2);
    }
    return std::move(out_);
  }

 private:
  /// A status word (or a heading) in its colour, then text, wrapped as one.
  void paragraph(std::string_view head, Status status, std::string_view body, std::size_t indent) {
    const std::size_t word = head.find_last_not_of(" :") + 1;
    if (color_) out_ += color_of(status);
    out_ += head.substr(0, word);
    if (color_) out_ += "\033[0m";
    out_ += head.substr(word);
    out_ += wrapped(body, columns(head), indent, width_);
  }
  void heading(std::string_view words) {
    out_ += '\n';
    out_ += color_ ? fmt::format("\033[1m{}\033[0m\n", words) : fmt::format("{}\n", words);
  }
  /// `lead` behind `indent` blanks, then text; further lines `hang` blanks deep.
  void item(std::string_view lead, std::string_view body, std::size_t indent, std::size_t hang) {
    out_.append(indent, ' ');
    out_ += lead;
    out_ += wrapped(body, indent + columns(lead), hang, width_);
  }
  void what_to_do(const std::string& remedy, std::string_view about) {
    if (remedy.empty()) return;
    const std::string again = remedies_.seen(remedy, about);
    if (!again.empty()) return item("What to do: ", again + ".", 2, 4);
    bool first = true;
    for (const RemedyLine& line : remedy_lines(remedy)) {
      if (line.verbatim) {
        if (first) out_ += "  What to do:\n";
        out_ += fmt::format("    {}\n", line.text);
      } else {
        item(first ? "What to do: " : "", line.text, first ? 2 : 4, 4);
      }
      first = false;
    }
  }

  void print(const Finding& finding) {
    out_ += '\n';
    paragraph(fmt::format("{} ", to_string(finding.status)), finding.status,
              fmt::format("[{}] {}", one_line(finding.code), one_line(finding.summary)), 2);
    if (!finding.about.empty() && finding.summary.find(finding.about) == std::string::npos) {
      item("- ", fmt::format("concerns {}", one_line(finding.about)), 2, 4);
    }
    for (const std::string& fact : finding.facts) {
      // A fact that begins with blanks belongs to the one above it.
      const std::size_t depth = fact.starts_with(' ') ? 4 : 2;
      item("- ", one_line(fact), depth, depth + 2);
    }
    what_to_do(finding.remedy, finding.about);
    if (const std::string cited = source(finding.citation); !cited.empty()) item("Source: ", cited, 2, 4);
  }

  /// The cause in words, the finding that ends it, and what ends with it: whole where it is only likely, or where much
  /// was asked for.
  void print(const Cause& cause, const Report& report) {
    out_ += '\n';
    paragraph(fmt::format("{}: ", to_string(cause.status)), cause.status, one_line(cause.summary), 2);
    const Finding& root = finding_at(report, cause.root);
    print(root);
    if (verbosity_ > 0 || !cause.shown) {
      for (const FindingRef& symptom : cause.symptoms) print(finding_at(report, symptom));
      return;
    }
    print_folded("The same is to be done for", cause, report, [&](const Finding& f) { return f.code == root.code; });
    print_folded("Ends with it", cause, report, [&](const Finding& f) { return f.code != root.code; });
  }
  template <class Wanted>
  void print_folded(std::string_view heading, const Cause& cause, const Report& report, Wanted wanted) {
    bool first = true;
    for (const FindingRef& at : cause.symptoms) {
      const Finding& symptom = finding_at(report, at);
      if (!wanted(symptom)) continue;
      if (first) item("", fmt::format("{} (-v shows it whole):", heading), 2, 4);
      first = false;
      item("- ",
           fmt::format("{} [{}] {}", to_string(symptom.status), one_line(symptom.code), one_line(symptom.summary)), 2,
           4);
    }
  }

  void print_gaps(const Report& report) {
    if (report.gaps.empty()) return;
    heading("Could not be looked at");
    for (std::size_t i = 0; i < report.gaps.size(); ++i) {
      const Gap& gap = report.gaps[i];
      paragraph(fmt::format("{} ", to_string(gap.status)), gap.status,
                fmt::format("{}: {}", subject(gap), one_line(gap.reason)), 2);
      what_to_do(gap.remedy, gap.about);
      if (const auto ids = left_unknown(report, i); !ids.empty()) {
        item("", fmt::format("Unknown because of this: {}.", enumerate(ids)), 2, 4);
      }
    }
  }

  void print_what_is_fine(const Report& report) {
    bool headed = false;
    for (const CheckResult& check : report.checks) {
      const std::vector<Note>& notes = check.verdict.notes;
      if (!check.applicable || (check.status != Status::ok && notes.empty())) continue;
      if (!headed) heading("Fine");
      headed = true;
      const std::string id = one_line(check.id);
      const std::string_view limits = check.status == Status::ok        ? ""
                                      : check.status == Status::unknown ? ", as far as it could be looked at"
                                                                        : ", apart from the above";
      item("", fmt::format("{}: {}{} ({} looked at)", id, one_line(check.title), limits, check.verdict.examined), 2, 4);
      const std::size_t shown = verbosity_ > 0 || notes.size() <= notes_per_check ? notes.size() : notes_per_check - 1;
      for (std::size_t i = 0; i < shown; ++i) {
        const Note& note = notes[i];
        item("- ", one_line(note.about.empty() ? note.text : fmt::format("{}: {}", note.about, note.text)), 4, 6);
      }
      if (shown < notes.size()) item("- ", fmt::format("and {} more (-v lists them)", notes.size() - shown), 4, 6);
    }
  }

  void print_measured(const Report& report) {
    bool headed = false;
    for (const CheckResult& check : report.checks) {
      for (const Perfdata& perfdata : check.verdict.perfdata) {
        if (!headed) heading("Measured");
        headed = true;
        item("- ", one_line(to_string(perfdata)), 2, 4);
      }
    }
  }

  bool color_;
  std::size_t width_;
  int verbosity_;
  std::string out_;
  Remedies remedies_;
};

}  // namespace

std::string text(const Report& report, const Options& options) {
  return ReportPage{options}.print(report);
}

}  // namespace mrascheck::render

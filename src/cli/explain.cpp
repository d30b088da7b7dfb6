// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <vector>

#include "checks/registry.hpp"
#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/support.hpp"
#include "core/look_up.hpp"
#include "core/text.hpp"
#include "render/explanation.hpp"
#include "render/layout.hpp"

namespace mrascheck::cli {
namespace {

using Texts = std::vector<std::string>;

constexpr std::size_t max_line = 64UL * 1024;
constexpr std::size_t max_lines = 1000;

po::options_description explain_options() {
  po::options_description all{"Options", 80};
  all.add_options()("help,h", "this text");
  return all;
}

/// Of a finding code such as "handshake.refused-by-peer"; empty when there is none of that name.
std::string explain_finding(std::string_view code) {
  for (const Check* check : checks::all()) {
    for (const FindingKind& kind : check->kinds) {
      if (!equals_ignoring_case(kind.code, code)) continue;
      return render::wrapped(fmt::format("Finding {}: {}", kind.code, kind.meaning), 0, 2, 80) +
             render::wrapped(fmt::format("  Of the check {}: {}", check->id, check->title), 0, 4, 80) +
             "  What to do: the report says it under each finding;\n"
             "    man mrascheck-checks has the rest\n" +
             render::wrapped(fmt::format("  Source: {}", render::source(kind.citation)), 0, 4, 80);
    }
  }
  return {};
}

/// Status ok when something is known of it.
Status explain_one(const std::string& text, Streams io) {
  if (const std::string finding = explain_finding(trim(text)); !finding.empty()) {
    io.out << finding;
    return Status::ok;
  }
  const LookUp found = look_up(text);
  io.out << render::explanation(found, {});
  if (!found.empty()) return Status::ok;
  io.err << fmt::format("UNKNOWN: nothing is known of '{}'{}\n", printable(text, 200),
                        found.near.empty() ? std::string{} : fmt::format("; did you mean {}?", found.near));
  return Status::unknown;
}

/// Each line of standard input that is not empty.
Status explain_lines(Streams io) {
  Status status = Status::ok;
  std::string line;
  std::size_t lines = 0;
  char c = 0;
  const auto tell = [&] {
    if (trim(line).empty()) return;
    if (lines++ != 0) io.out << '\n';
    status = worst(status, explain_one(line, io));
  };
  while (lines < max_lines && std::cin.get(c)) {
    if (c == '\n') {
      tell();
      line.clear();
    } else if (line.size() < max_line) {
      line += c;
    }
  }
  tell();
  if (lines > 0) return status;
  io.err << "UNKNOWN: standard input held nothing\n";
  return Status::unknown;
}

int run_explain(const Texts& arguments, Streams io) {
  const po::options_description known = explain_options();
  // An HRESULT may be written as a negative number, which looks like an option.
  Texts given;
  Texts words;
  for (const std::string& argument : arguments) {
    const bool code = argument == "-" ||
                      (argument.size() > 1 && argument[0] == '-' &&
                       std::all_of(argument.begin() + 1, argument.end(), [](char c) { return c >= '0' && c <= '9'; }));
    (code || argument.empty() || argument[0] != '-' ? words : given).push_back(argument);
  }
  const auto args = parse(given, known);
  if (!args) return refuse(io.err, args.error().text, {});
  if (args->has("help")) {
    io.out << "Usage: mrascheck explain CODE-OR-NAME\n"
              "       mrascheck explain -\n"
              "Says in plain words what a code means on the way from a Front End to an Edge,\n"
              "who must act, and what to do: finding codes, ms-diagnostics ids and whole\n"
              "headers, HRESULTs, Winsock errors, TLS alerts, OpenSSL verify errors, reasons of\n"
              "MRAS, errors of the media relay, events; and both byte orders of a serial\n"
              "number. With - it reads standard input, a code or header a line.\n\n"
           << help(known)
           << "\nExamples:\n"
              "  mrascheck explain 0xc3e93c69\n"
              "  mrascheck explain unknown ca\n"
              "  mrascheck explain same-name-issuers.stale\n"
              "  mrascheck explain '1038;reason=\"Failed\";WinsockFailureCode=\"10061\"'\n"
              "  grep -i ms-diagnostics trace.txt | mrascheck explain -\n"
              "\nExit codes: 0 something is known of it, 3 nothing is.\n";
    return 0;
  }
  if (words.empty()) return refuse(io.err, "explain what? a code, a name, a header, or - for standard input", {});
  if (words == Texts{"-"}) return exit_code(flushed(io, explain_lines(io)));
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return exit_code(flushed(io, explain_one(text, io)));
}

}  // namespace

extern const Command explain_command;
constinit const Command explain_command{"explain", "say what a code, a name or an ms-diagnostics header means",
                                        run_explain, explain_options};

}  // namespace mrascheck::cli

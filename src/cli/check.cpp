// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/site_command.hpp"
#include "cli/support.hpp"
#include "core/report.hpp"
#include "core/text.hpp"
#include "json/evidence_json.hpp"
#include "render/render.hpp"

namespace mrascheck::cli {
namespace {

using Texts = std::vector<std::string>;

po::options_description options() {
  po::options_description all{"Options", 80};
  offer_sources(all, "judge");
  // clang-format off
  all.add_options()
      ("record", po::value<std::string>()->value_name("FILE"), "write what was seen, to be judged again with --evidence")
      ("format", po::value<Texts>()->composing()->value_name("NAME[=FILE]"),
       "text, plugin or json, to standard output or a file; repeatable (default text)")
      ("only", po::value<Texts>()->composing()->value_name("CHECK"), "only this check; repeatable")
      ("skip", po::value<Texts>()->composing()->value_name("CHECK"), "all but this check; repeatable")
      ("what-if", po::value<Texts>()->composing()->value_name("CHANGES"), what_if_help)
      ("warning,w", po::value<Texts>()->composing()->value_name("[METRIC=]RANGE"),
       "warning threshold; a bare range is for expiry, in days (default 30:)")
      ("critical,C", po::value<Texts>()->composing()->value_name("[METRIC=]RANGE"), "critical threshold (default 10:)");
  // clang-format on
  offer_limits(all);
  // clang-format off
  all.add_options()
      ("max-output", po::value<std::string>()->value_name("BYTES"), "limit of the plugin format (default 4096)")
      ("color", po::value<std::string>()->value_name("WHEN"), "auto, always or never (default auto; NO_COLOR is honoured)")
      ("verbose,v", "more of the report; up to three times")
      ("help,h", "this text");
  // clang-format on
  return all;
}

Result<bool> color(const Arguments& args) {
  const std::string when = args.has("color") ? args.text("color") : "auto";
  if (when == "always") return true;
  if (when == "never") return false;
  if (when != "auto")
    return fail(ErrorKind::config, fmt::format("--color {}: it is auto, always or never", printable(when, 40)));
  const char* no_color = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

int run_check(const std::vector<std::string>& arguments, Streams io) {
  const po::options_description known = options();
  const auto args = parse(arguments, known);
  if (!args) return refuse(io.err, args.error().text, {});
  if (args->has("help")) {
    io.out << "Usage: mrascheck check [-c FILE] [options]\n"
              "Looks at a site, judges what it saw, prints it, and exits with 0 (OK),\n1 (WARNING), "
              "2 (CRITICAL) or 3 (UNKNOWN).\n\n"
           << help(known)
           << "\nExamples:\n"
              "  mrascheck check -c site.yaml\n"
              "  mrascheck check -c site.yaml --record monday.json --format plugin\n"
              "  mrascheck check --evidence fe1.json --evidence fe2.json --format json=all.json\n"
              "  mrascheck check --evidence fe1.json --what-if at:2027-03-01\n";
    return 0;
  }
  if (!args->positional.empty()) {
    return refuse(io.err,
                  fmt::format("{}: mrascheck check takes options only", printable(args->positional.front(), 80)), {});
  }
  if (args->has("what-if") && args->has("record")) {
    return refuse(io.err, "--record keeps what was seen, and --what-if changes it: use one of them", {});
  }
  const auto wanted = formats(*args, {"text", "plugin", "json"});
  const auto colored = color(*args);
  const auto selected = select_checks(args->texts("only"), args->texts("skip"));
  const auto max_output = parse_max_output(args->has("max-output") ? args->text("max-output") : "4096");
  if (!wanted) return refuse(io.err, wanted.error().text, {});
  if (!max_output) return refuse(io.err, max_output.error().text, {});
  if (!colored) return refuse(io.err, colored.error().text, {});
  if (!selected) return refuse(io.err, selected.error().text, {});
  Policy overrides;
  for (const bool critical : {false, true}) {
    for (const std::string& text : args->texts(critical ? "critical" : "warning")) {
      if (const auto set = set_threshold(overrides, text, critical); !set) return refuse(io.err, set.error().text, {});
    }
  }
  auto gathered = evidence_of(*args, io.err);
  if (!gathered) return gathered.error();
  if (args->has("what-if")) {
    if (const auto done = apply_what_if(*args, *gathered); !done) return refuse(io.err, done.error().text, {});
    if (const auto done = complete(*gathered); !done) return refuse(io.err, done.error().text, {});
  }
  // Never freed: the process is about to end, and thousands of certificates freed one by one are time spent for nobody.
  static Evidence* evidence = nullptr;
  evidence = new Evidence(*std::move(gathered));
  for (const auto& [metric, thresholds] : overrides.thresholds) {
    Thresholds& present = evidence->site.policy.thresholds[metric];
    if (thresholds.warning) present.warning = thresholds.warning;
    if (thresholds.critical) present.critical = thresholds.critical;
  }
  std::vector<std::string> complaints;
  if (args->has("record")) {
    if (const auto done = write_file(args->text("record"), json::write_evidence(*evidence)); !done) {
      complaints.push_back(done.error().text);
    }
  }
  const Report report = judge(*evidence, *selected);
  render::Options how;
  how.color = *colored;
  how.verbosity = args->verbosity;
  how.max_output = *max_output;
  const auto failed = write_formats(*wanted, io, [&](const Format& format) {
    render::Options here = how;
    here.color = how.color && format.file.empty();
    return format.name == "json"     ? json::write_report(report)
           : format.name == "plugin" ? render::plugin(report, here)
                                     : render::text(report, here);
  });
  complaints.insert(complaints.end(), failed.begin(), failed.end());
  for (const std::string& complaint : complaints) io.err << "could not be written: " << complaint << '\n';
  const Status status = complaints.empty() ? report.status : worst(report.status, Status::unknown);
  return exit_code(flushed(io, status));
}

}  // namespace

extern const Command check_command;
constinit const Command check_command{"check", "look at a site, judge it, print, exit with its status", run_check};

}  // namespace mrascheck::cli

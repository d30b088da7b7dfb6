// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/site_command.hpp"
#include "cli/support.hpp"
#include "core/report.hpp"
#include "core/text.hpp"
#include "json/evidence_json.hpp"

namespace mrascheck::cli {
namespace {

using Texts = std::vector<std::string>;

constexpr std::array check_groups{
    OptionGroup{"What is looked at", "config"},   OptionGroup{"What is written", "record"},
    OptionGroup{"How it is judged", "only"},      OptionGroup{"Limits", "timeout"},
    OptionGroup{"How it is shown", "max-output"},
};

po::options_description check_options() {
  po::options_description all{"Options", 80};
  offer_sources(all, "judge");
  // clang-format off
  all.add_options()
      ("ocsp", ocsp_help)
      ("revocation", po::value<std::string>()->value_name("MODE"), revocation_help)
      ("identities", identities_help)
      ("enumerate", enumerate_help)
      ("chain-variants", chain_variants_help)
      ("profile", po::value<std::string>()->value_name("NAME"), profile_help)
      ("options-first", options_first_help)
      ("relay", relay_help)
      ("trace", po::value<Texts>()->composing()->value_name("SERVER=FILE"),
       "also judge this SIPStack trace of a server of the configuration; repeatable")
      ("record", po::value<std::string>()->value_name("FILE"), "write what was seen, to be judged again with --evidence")
      ("format", po::value<Texts>()->composing()->value_name("NAME[=FILE]"),
       "text, plugin, json, jsonl, junit, sarif or prometheus, to standard output or a file; repeatable (default "
       "text)")
      ("strict", strict_help)
      ("prometheus-compat", po::value<Texts>()->composing()->value_name("NAME"),
       "in prometheus, also the names of blackbox, ssl_exporter or x509 (x509-certificate-exporter); repeatable")
      ("only", po::value<Texts>()->composing()->value_name("CHECK"), "only this check; repeatable")
      ("skip", po::value<Texts>()->composing()->value_name("CHECK"), "all but this check; repeatable")
      ("what-if", po::value<Texts>()->composing()->value_name("CHANGES"), what_if_help)
      ("warning,w", po::value<Texts>()->composing()->value_name("[METRIC=]RANGE"),
       "warning threshold; a bare range is for expiry, in days, or as 80% of a lifetime (default 30:)")
      ("critical,C", po::value<Texts>()->composing()->value_name("[METRIC=]RANGE"), "critical threshold (default 10:)");
  // clang-format on
  offer_results(all);
  offer_limits(all);
  offer_report(all);
  all.add_options()("help,h", "this text");
  return all;
}

int run_check(const std::vector<std::string>& arguments, Streams io) {
  const po::options_description known = check_options();
  const auto args = parse(arguments, known);
  if (!args) return refuse(io.err, args.error().text, {});
  if (args->has("help")) {
    io.out << "Usage: mrascheck check [-c FILE] [options]\n"
              "Looks at a site, judges what it saw, prints it, and exits with 0 (OK),\n1 (WARNING), "
              "2 (CRITICAL) or 3 (UNKNOWN).\n\n"
           << help(known, check_groups)
           << "\nExamples:\n"
              "  mrascheck check -c site.yaml\n"
              "  mrascheck check -c site.yaml --record monday.json --format plugin\n"
              "  mrascheck check -c site.yaml --trace fe1.contoso.example=fe1.txt\n"
              "  mrascheck check --evidence fe1.json --evidence fe2.json --format json=all.json\n"
              "  mrascheck check -c site.yaml --format text \\\n"
              "      --format prometheus=/var/lib/prometheus/node-exporter/mrascheck.prom\n"
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
  const auto wanted = formats(*args, {"text", "plugin", "json", "jsonl", "junit", "sarif", "prometheus"});
  const auto how = report_options(*args);
  const auto results = result_options(*args);
  const auto compat = prometheus_compat(*args);
  const auto selected = select_checks(args->texts("only"), args->texts("skip"));
  if (!wanted) return refuse(io.err, wanted.error().text, {});
  if (!how) return refuse(io.err, how.error().text, {});
  if (!results) return refuse(io.err, results.error().text, {});
  if (!compat) return refuse(io.err, compat.error().text, {});
  if (!selected) return refuse(io.err, selected.error().text, {});
  Policy overrides;
  for (const bool critical : {false, true}) {
    for (const std::string& text : args->texts(critical ? "critical" : "warning")) {
      if (const auto set = set_threshold(overrides, text, critical); !set) return refuse(io.err, set.error().text, {});
    }
  }
  const auto revocation = revocation_mode(*args);
  if (!revocation) return refuse(io.err, revocation.error().text, {});
  auto gathered = evidence_of(*args, io.err);
  if (!gathered) return gathered.error();
  if (args->has("what-if")) {
    if (const auto done = apply_what_if(*args, *gathered); !done) return refuse(io.err, done.error().text, {});
    if (const auto done = complete(*gathered); !done) return refuse(io.err, done.error().text, {});
  }
  // Never freed: the process is about to end, and thousands of certificates freed one by one are time spent for nobody.
  static Evidence* evidence = nullptr;
  evidence = new Evidence(*std::move(gathered));
  if (*revocation) evidence->site.policy.revocation = **revocation;
  override_thresholds(evidence->site.policy, overrides);
  std::vector<std::string> complaints;
  if (args->has("record")) {
    if (const auto done = write_file(args->text("record"), json::write_evidence(*evidence)); !done) {
      complaints.push_back(done.error().text);
    }
  }
  Report report = judge(*evidence, *selected);
  regrade(*results, *evidence, report);
  const auto failed =
      write_report(report, {*evidence, *selected, artifact_of(*args), args->has("strict"), *compat}, *wanted, *how, io);
  complaints.insert(complaints.end(), failed.begin(), failed.end());
  return end_with(report, complaints, io);
}

}  // namespace

extern const Command check_command;
constinit const Command check_command{"check", "look at a site, judge it, print, exit with its status", run_check,
                                      check_options, check_groups};

}  // namespace mrascheck::cli

// SPDX-License-Identifier: Apache-2.0
// What the commands that judge a site share: where its evidence comes from, and where their words go.
#pragma once

#include <functional>
#include <initializer_list>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/cli.hpp"
#include "core/evidence.hpp"
#include "core/report.hpp"
#include "core/result.hpp"
#include "core/results.hpp"
#include "render/prometheus.hpp"
#include "render/render.hpp"

namespace mrascheck::cli {

/// Adds --config and --evidence, where the command is one to `verb` ("judge") a recording.
void offer_sources(po::options_description& options, std::string_view verb);
/// Adds --timeout, --deadline, --parallel and --per-host.
void offer_limits(po::options_description& options);
inline constexpr const char* what_if_help =
    "judge a changed copy: remove:THUMBPRINT, add:FILE or add:FILE@STORE, at:DATE; several with commas between";

/// What the command looks at: the certificates of the files that stand among its arguments, else the recordings of
/// --evidence, else the site of --config within --timeout and --deadline. When there is nothing, `err` is told why, and
/// the error is the exit code.
/// Of files each is a store of kind mixed by its path, with no configuration and no network. They tell nothing of
/// servers; what in them is no CA's counts as a certificate in use.
tl::expected<Evidence, int> evidence_of(const Arguments& args, std::ostream& err);

/// Adds the proofs of signatures that judging and plan_cleanup() need and a recording may lack. Error: local.
Result<void> complete(Evidence& evidence);

/// What --what-if says, done to `evidence`, whose vantage then tells of it. Error: config or local.
Result<void> apply_what_if(const Arguments& args, Evidence& evidence);

struct Format {
  std::string name;
  std::string file;  ///< empty: standard output
};

/// --format, repeatable; the first of `known` when it is not there. Error: config.
Result<std::vector<Format>> formats(const Arguments& args, std::initializer_list<std::string_view> known);

/// Writes each where it is to go; what could not be written, a line each.
std::vector<std::string> write_formats(const std::vector<Format>& wanted, Streams io,
                                       const std::function<std::string(const Format&)>& bytes_of);

inline constexpr const char* strict_help = "in junit, a warning is a failure";
/// The file that is judged: what reports that name one are about.
std::string artifact_of(const Arguments& args);

/// Adds --timeout-result, --refused-result and --source-result.
void offer_results(po::options_description& options);
/// What they say. Error: config.
Result<Results> result_options(const Arguments& args);

/// The value of --perfdata-thresholds. Error: config.
Result<ThresholdForm> parse_threshold_form(const std::string& text);
inline constexpr const char* threshold_form_help =
    "thresholds in performance data: range, plain (one number, for Icinga 2) or none (default range)";

/// Adds --max-output, --perfdata-thresholds, --color and --verbose.
void offer_report(po::options_description& options);
/// What they say. Error: config.
Result<render::Options> report_options(const Arguments& args);

/// What --prometheus-compat says: one or several with commas between, repeatable. Error: config.
Result<render::PrometheusCompat> prometheus_compat(const Arguments& args);

/// What a report was made of, for the forms of it that tell more.
struct Judged {
  const Evidence& evidence;
  std::span<const Check* const> checks;
  std::string artifact;  ///< the file that was judged: the configuration or the first recording
  bool strict = false;   ///< in junit, a warning is a failure
  render::PrometheusCompat compat = {};
};

/// Writes `report` as each of `wanted` says; what could not be written, a line each.
std::vector<std::string> write_report(const Report& report, const Judged& judged, const std::vector<Format>& wanted,
                                      const render::Options& how, Streams io);
/// Tells of what could not be written; the exit code, by the report and by that.
int end_with(const Report& report, const std::vector<std::string>& complaints, Streams io);

}  // namespace mrascheck::cli

// SPDX-License-Identifier: Apache-2.0
// What the commands that judge a site share: where its evidence comes from, and where their words go.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/cli.hpp"
#include "core/evidence.hpp"
#include "core/result.hpp"

namespace mrascheck::cli {

/// From the recordings of --evidence, or from the site of --config within --timeout and --deadline. Error: all that is
/// wrong, a line each.
tl::expected<Evidence, std::vector<std::string>> gather(const Arguments& args);

/// The certificates of `files`, each a store of kind mixed by its path; no configuration, no network. Files tell
/// nothing of servers; what in them is no CA's counts as a certificate in use. What could not be read is in the
/// evidence. Error: local.
Result<Evidence> read_files(const std::vector<std::string>& files);

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

}  // namespace mrascheck::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace mrascheck::cli {

namespace po = boost::program_options;

struct Arguments {
  po::variables_map values;
  std::vector<std::string> positional;
  int verbosity = 0;  ///< how many -v stood there, "-vv" being two

  bool has(const char* name) const { return values.count(name) > 0; }
  /// The value of a string option; empty when it was not given.
  std::string text(const char* name) const;
  /// The values of a repeatable option, in their order.
  std::vector<std::string> texts(const char* name) const;
};

/// No abbreviations are guessed. Error: config, one line: "unknown option --trsut; did you mean --trust?".
Result<Arguments> parse(const std::vector<std::string>& arguments, const po::options_description& options);

/// A heading in --help, above the options from `first` on, in the order in which they are declared.
struct OptionGroup {
  std::string_view title;
  std::string_view first;  ///< long name
};

/// The options as --help shows them, within 80 columns. Without groups, under one heading.
std::string help(const po::options_description& options, std::span<const OptionGroup> groups = {});

}  // namespace mrascheck::cli

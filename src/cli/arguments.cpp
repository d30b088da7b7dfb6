// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <sstream>

#include "core/text.hpp"

namespace mrascheck::cli {
namespace {

bool is_verbosity(const std::string& argument) {
  return argument.size() >= 2 && argument[0] == '-' &&
         std::all_of(argument.begin() + 1, argument.end(), [](char c) { return c == 'v'; });
}

std::string unknown_option(const std::string& given, const po::options_description& options) {
  std::vector<std::string> names;
  for (const auto& option : options.options()) names.push_back("--" + option->long_name());
  const std::vector<std::string_view> candidates{names.begin(), names.end()};
  const std::string_view near = did_you_mean(given, candidates);
  const std::string hint = near.empty() ? "; --help lists them" : fmt::format("; did you mean {}?", near);
  return fmt::format("unknown option {}{}", printable(given, 80), hint);
}

}  // namespace

std::string Arguments::text(const char* name) const {
  return has(name) ? values[name].as<std::string>() : std::string{};
}

std::vector<std::string> Arguments::texts(const char* name) const {
  return has(name) ? values[name].as<std::vector<std::string>>() : std::vector<std::string>{};
}

Result<Arguments> parse(const std::vector<std::string>& arguments, const po::options_description& options) {
  Arguments parsed;
  std::vector<std::string> rest;
  for (const std::string& argument : arguments) {
    if (is_verbosity(argument)) {
      parsed.verbosity += static_cast<int>(argument.size()) - 1;
    } else if (argument == "--verbose") {
      ++parsed.verbosity;
    } else {
      rest.push_back(argument);
    }
  }
  try {
    constexpr auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    const po::parsed_options found =
        po::command_line_parser(rest).options(options).style(style).allow_unregistered().run();
    for (const auto& option : found.options) {
      if (option.unregistered) return fail(ErrorKind::config, unknown_option(option.original_tokens.front(), options));
      if (option.position_key >= 0)
        parsed.positional.insert(parsed.positional.end(), option.value.begin(), option.value.end());
    }
    po::store(found, parsed.values);
    po::notify(parsed.values);
  } catch (const po::error& problem) {
    return fail(ErrorKind::config, printable(problem.what()));
  }
  return parsed;
}

std::string help(const po::options_description& options, std::span<const OptionGroup> groups) {
  std::ostringstream text;
  if (groups.empty()) {
    text << options;
    return text.str();
  }
  po::options_description parted{80};
  std::vector<po::options_description> parts;
  for (const auto& option : options.options()) {
    const auto begun = std::find_if(groups.begin(), groups.end(),
                                    [&](const OptionGroup& group) { return group.first == option->long_name(); });
    if (begun != groups.end() || parts.empty())
      parts.emplace_back(std::string{begun != groups.end() ? begun->title : groups.front().title}, 80);
    parts.back().add(option);
  }
  for (const po::options_description& part : parts) parted.add(part);
  text << parted;
  const std::string shown = text.str();
  return shown.substr(std::min(shown.find_first_not_of('\n'), shown.size()));
}

}  // namespace mrascheck::cli

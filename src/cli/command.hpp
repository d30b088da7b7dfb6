// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/cli.hpp"

namespace mrascheck::cli {

/// A row of the subcommand table: one file each.
struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(const std::vector<std::string>& arguments, Streams io);
  po::options_description (*options)();      ///< the one table of its options: --help, completion, definitions
  std::span<const OptionGroup> groups = {};  ///< how --help parts them
};

/// The subcommands, in the order of --help.
std::span<const Command* const> commands();

extern const Command check_command;
extern const Command issuers_command;
extern const Command cleanup_command;
extern const Command graph_command;
extern const Command rehearse_command;
extern const Command explain_command;
extern const Command trace_command;
extern const Command list_command;
extern const Command plugin_command;  ///< no subcommand: check_mras

/// The same program under its Monitoring Plugins name, check_mras(1).
int run_plugin(const std::vector<std::string>& arguments, Streams io);

}  // namespace mrascheck::cli

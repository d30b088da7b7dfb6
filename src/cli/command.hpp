// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/cli.hpp"

namespace mrascheck::cli {

/// A row of the subcommand table: one file each.
struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(const std::vector<std::string>& arguments, Streams io);
};

extern const Command check_command;
extern const Command issuers_command;
extern const Command cleanup_command;
extern const Command graph_command;
extern const Command rehearse_command;
extern const Command explain_command;
extern const Command trace_command;
extern const Command list_command;

/// The same program under its Monitoring Plugins name, check_mras(1).
int run_plugin(const std::vector<std::string>& arguments, Streams io);

}  // namespace mrascheck::cli

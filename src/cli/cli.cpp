// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "checks/registry.hpp"
#include "cli/command.hpp"
#include "cli/support.hpp"
#include "core/text.hpp"

namespace mrascheck::cli {
namespace {

constexpr std::array all_commands{&check_command, &rehearse_command, &issuers_command, &cleanup_command,
                                  &graph_command, &trace_command,    &explain_command, &list_command};

void print_help(std::ostream& out) {
  out << "Usage: mrascheck COMMAND [options]; mrascheck COMMAND --help says more\n\n"
         "Can every Front End get media relay credentials from every Edge, and if not,\n"
         "which certificate, store, name, port or patch is to blame?\n\nCommands:\n";
  for (const Command* command : all_commands) out << fmt::format("  {:<10}{}\n", command->name, command->summary);
  out << "\nChecks and what they can find:\n";
  for (const Check* check : checks::all()) {
    out << fmt::format("  {}\n", check->id);
    for (const FindingKind& kind : check->kinds) out << fmt::format("    {}\n", kind.code);
  }
  out << "\nExit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.\n";
}

}  // namespace

std::span<const Command* const> commands() {
  return all_commands;
}

int run(int argc, const char* const* argv, Streams io) {
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const std::string_view self = argc > 0 ? argv[0] : "";
  if (self.substr(self.rfind('/') + 1) == "check_mras") return run_plugin(arguments, io);
  if (arguments.empty()) {
    return refuse(io.err, "no command; mrascheck --help lists them", {});
  }
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    print_help(io.out);
    return 0;
  }
  if (name == "--version" || name == "-V") {
    io.out << "mrascheck " << version << '\n';
    return 0;
  }
  std::vector<std::string_view> names;
  for (const Command* command : all_commands) {
    if (command->name == name) return command->run({arguments.begin() + 1, arguments.end()}, io);
    names.push_back(command->name);
  }
  const std::string_view near = did_you_mean(name, names);
  return refuse(io.err,
                fmt::format("unknown command {}; {}", printable(name, 40),
                            near.empty() ? "mrascheck --help lists them" : fmt::format("did you mean {}?", near)),
                {});
}

}  // namespace mrascheck::cli

// SPDX-License-Identifier: Apache-2.0
// What is made at build time from the options that the commands declare: completion, and the definitions of monitoring
// systems. Nothing of it is written by hand, so none of it can lag behind.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.hpp"

namespace mrascheck::cli {

/// One option as it was declared.
struct OptionRow {
  std::string name;    ///< "hostname"
  char letter = '\0';  ///< 'H'; NUL for none
  std::string value;   ///< "EDGE"; empty for a switch
  bool repeatable = false;
  std::string text;                  ///< what --help says
  std::vector<std::string> choices;  ///< the words that it takes, where --help lists them: "mras, sip or tls"
};
std::vector<OptionRow> rows_of(const po::options_description& options);

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();
/// CheckCommand "mras" for check_mras and "mrascheck" for a whole site, an argument an option.
std::string icinga2_commands();
/// Command definitions for Nagios, Naemon and NRPE.
std::string nagios_commands();
std::string nrpe_commands();

/// The program that writes one of them, by its name: "bash", "zsh", "fish", "icinga2", "nagios" or "nrpe"; empty for
/// any other.
std::string table(std::string_view name);

}  // namespace mrascheck::cli

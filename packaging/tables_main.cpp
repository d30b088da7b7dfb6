// SPDX-License-Identifier: Apache-2.0
// mrascheck-tables NAME: writes one of the files that are made from the options, as the build asks for it.
#include <exception>
#include <iostream>

#include "cli/tables.hpp"

int main(int argc, char** argv) {
  try {
    const std::string text = argc == 2 ? mrascheck::cli::table(argv[1]) : std::string{};
    if (text.empty()) {
      std::cerr << "usage: mrascheck-tables bash|zsh|fish|icinga2|nagios|nrpe\n";
      return 3;
    }
    std::cout << text << std::flush;
    return std::cout ? 0 : 3;
  } catch (const std::exception& problem) {
    std::cerr << problem.what() << '\n';
    return 3;
  }
}

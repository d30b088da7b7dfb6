// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <exception>
#include <iostream>

#include "cli/cli.hpp"
#include "core/status.hpp"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer or a reader that goes away is an error to report, not an end
  try {
    return mrascheck::cli::run(argc, argv, {std::cout, std::cerr});
  } catch (const std::exception& problem) {
    std::cout << "UNKNOWN: this is a bug in mrascheck, please report it: " << problem.what() << '\n';
  } catch (...) {
    std::cout << "UNKNOWN: this is a bug in mrascheck, please report it\n";
  }
  return mrascheck::exit_code(mrascheck::Status::unknown);
}

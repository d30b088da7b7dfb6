// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>

#include <csignal>
#include <exception>
#include <iostream>

#include "cli/cli.hpp"
#include "core/status.hpp"

int main(int argc, char** argv) {
  // Thousands of small values are made while reading stores; sources/memory.hpp takes the room for them in large
  // pieces, which must neither come from elsewhere than the heap nor go back at once. Two threads shall not wait for
  // one heap.
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_TOP_PAD, 1 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
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

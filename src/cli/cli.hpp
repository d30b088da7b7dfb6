// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ostream>

namespace mrascheck::cli {

struct Streams {
  std::ostream& out;
  std::ostream& err;
};

/// The whole program: picks the subcommand, or the plugin when it is called check_mras. Returns the exit code.
int run(int argc, const char* const* argv, Streams io);

}  // namespace mrascheck::cli

// SPDX-License-Identifier: Apache-2.0
// Programs by turns in one run (A B A B ...), and the median of the per-turn ratios of what they cost. Every answer is
// checked before its cost counts.
#pragma once

#include <string>
#include <vector>

namespace mrascheck::bench {

inline const std::string bin = MRASCHECK_BIN_DIR;

/// A program to run, standard output into a file, and what its answer must be.
struct Runner {
  std::vector<std::string> arguments;
  int exit_code = 0;
  std::string must_contain;
  std::string must_equal = {};  ///< a file with the whole answer; empty: anything
};

struct Cost {
  double wall = 0;  ///< seconds from spawn to exit
  double cpu = 0;   ///< seconds, user and system (getrusage(2))
  double peak = 0;  ///< MiB resident at most
};

/// An exception, so that the lab and the slapd of the part that failed are ended.
[[noreturn]] void give_up(const std::string& why);

Cost cost_of(const Runner& runner, const std::string& output);

/// Prints the ratio of ours to theirs, with the smallest and the greatest. `unit` scales theirs: what ours is allowed
/// to take more because it does more of the same.
void compare(const std::string& what, const Runner& ours, const Runner& theirs, double Cost::*figure, double bound,
             int turns, double unit = 1.0);

}  // namespace mrascheck::bench

// SPDX-License-Identifier: Apache-2.0
#include "runner.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include "support/temp_dir.hpp"

extern char** environ;

namespace mrascheck::bench {
namespace {

using Clock = std::chrono::steady_clock;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

void give_up(const std::string& why) {
  throw std::runtime_error(why);
}

Cost cost_of(const Runner& runner, const std::string& output) {
  std::vector<char*> argv;
  for (const std::string& argument : runner.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const auto begin = Clock::now();
  if (::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ) != 0)
    give_up("cannot run " + runner.arguments[0]);
  int status = 0;
  rusage usage{};
  ::wait4(pid, &status, 0, &usage);
  Cost cost;
  cost.wall = std::chrono::duration<double>(Clock::now() - begin).count();
  cost.cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  cost.peak = static_cast<double>(usage.ru_maxrss) / 1024;
  posix_spawn_file_actions_destroy(&actions);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != runner.exit_code) {
    give_up(fmt::format("{} ended with {}, see {}", runner.arguments[0], WEXITSTATUS(status), output));
  }
  if (!runner.must_contain.empty()) {
    const std::string text = content_of(output);
    if (text.find(runner.must_contain) == std::string::npos) {
      give_up(
          fmt::format("{} did not say '{}' but: {}", runner.arguments[0], runner.must_contain, text.substr(0, 800)));
    }
  }
  if (!runner.must_equal.empty()) {
    const std::string text = content_of(output);
    if (text != content_of(runner.must_equal)) {
      give_up(fmt::format("{} says another thing than {}: {}", runner.arguments[0], runner.must_equal,
                          text.substr(0, 200)));
    }
  }
  return cost;
}

void compare(const std::string& what, const Runner& ours, const Runner& theirs, double Cost::*figure, double bound,
             int turns, double unit) {
  const test::TempDir dir;
  std::vector<double> ratios;
  cost_of(ours, dir / "ours");
  cost_of(theirs, dir / "theirs");
  for (int turn = 0; turn < turns; ++turn) {
    const double a = cost_of(ours, dir / "ours").*figure;
    const double b = cost_of(theirs, dir / "theirs").*figure;
    ratios.push_back(a / (b * unit));
  }
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  std::cout << fmt::format("{}: {:.2f} ({:.2f} to {:.2f} over {} turns; bound {:.2f})\n", what, median(ratios), *least,
                           *most, turns, bound)
            << std::flush;
}

}  // namespace mrascheck::bench

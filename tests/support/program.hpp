// SPDX-License-Identifier: Apache-2.0
// The built programs as their users run them: child processes with arguments, an environment and an input of their own,
// judged by their output, their errors and their exit code.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace mrascheck::test {

/// How a program ended.
struct Ended {
  int code = -1;  ///< its exit code, or 128 + the signal that killed it
  std::string out;
  std::string err;
};

struct Command {
  std::vector<std::string> words;                                ///< the program first: a path, or found in PATH
  std::vector<std::pair<std::string, std::string>> environment;  ///< on top of this process's own
  std::string input;                                             ///< all of its standard input
};

/// A child process. It is killed when this goes out of scope while it still runs.
class Child {
 public:
  explicit Child(const Command& command);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }
  void signal(int number) const;

  /// Waits for its end, at most a minute; a child that does not end by then is killed, and fails the test.
  Ended wait();

 private:
  pid_t pid_ = -1;
  int ended_ = -1;  ///< a pidfd
  Ended result_;
  std::thread out_;
  std::thread err_;
  std::thread in_;
};

/// Runs it to its end.
Ended run(const Command& command);

/// mrascheck, check_mras or mrascheck-lab of this build.
std::string built(std::string_view program);
Ended mrascheck(std::vector<std::string> arguments);
Ended check_mras(std::vector<std::string> arguments);

/// Whether a socket listens on that port of any IPv4 address of this machine, by 20 seconds from now. Nothing is
/// connected to find out: to some servers that would be the one call they wait for.
bool listens_soon(int port);

}  // namespace mrascheck::test

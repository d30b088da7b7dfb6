// SPDX-License-Identifier: Apache-2.0
#include "support/sipp.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include "support/slapd.hpp"

extern char** environ;

namespace mrascheck::test {

namespace {

// Whether the kernel has a socket listening at that port of 127.0.0.1, and not at another address of loopback. A
// connection to try would be a call to sipp.
bool kernel_listens(int port) {
  std::ifstream table("/proc/net/tcp");
  std::string number;
  std::string local;
  std::string remote;
  std::string state;
  std::string rest;
  while (table >> number >> local >> remote >> state && std::getline(table, rest)) {
    const std::size_t colon = local.find(':');
    if (state == "0A" && local.substr(0, colon) == "0100007F" &&
        std::stoi(local.substr(colon + 1), nullptr, 16) == port) {
      return true;
    }
  }
  return false;
}

}  // namespace

Sipp::Sipp(std::string_view scenario, int calls) : calls_(calls) {
  const std::string file = std::string(MRASCHECK_SOURCE_DIR) + "/tests/sip/scenarios/" + std::string(scenario) + ".xml";
  // Another process may take the port that was free a moment ago.
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (start(file)) return;
  }
  throw std::runtime_error("sipp did not start: " + errors());
}

Sipp::~Sipp() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Sipp::start(const std::string& file) {
  port_ = free_port();
  std::vector<std::string> words{"/usr/bin/sipp",
                                 "-sf",
                                 file,
                                 "-t",
                                 "t1",
                                 "-i",
                                 "127.0.0.1",
                                 "-p",
                                 std::to_string(port_),
                                 "-m",
                                 std::to_string(calls_),
                                 "-nostdin",
                                 "-timeout",
                                 "30s",
                                 "-timeout_error",
                                 "-trace_err",
                                 "-error_file",
                                 dir_ / "errors.log"};
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, dir_.path().c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "screen.log", O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  const int error = ::posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    pid_ = -1;
    throw std::runtime_error("no sipp (Debian package sip-tester)");
  }
  while (!kernel_listens(port_)) {
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return false;
    }
    ::poll(nullptr, 0, 2);
  }
  return true;
}

int Sipp::exit_code() {
  int status = 0;
  if (pid_ < 0 || ::waitpid(pid_, &status, 0) != pid_) return -1;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string Sipp::errors() const {
  std::string text;
  for (const char* name : {"errors.log", "screen.log"}) {
    std::ifstream file(dir_ / name, std::ios::binary);
    text.append(std::istreambuf_iterator<char>(file), {});
    if (!text.empty()) break;
  }
  return text;
}

}  // namespace mrascheck::test

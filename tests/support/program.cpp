// SPDX-License-Identifier: Apache-2.0
#include "support/program.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <stdexcept>

extern char** environ;

namespace mrascheck::test {

namespace {

using Pipe = std::array<int, 2>;

Pipe make_pipe() {
  Pipe ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  return ends;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  result.reserve(words.size() + 1);
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& more) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    bool replaced = false;
    for (const auto& [name, value] : more) replaced |= text.starts_with(name + "=");
    if (!replaced) all.emplace_back(text);
  }
  for (const auto& [name, value] : more) all.emplace_back(name).append("=").append(value);
  return all;
}

void read_all(int file, std::string& into) {
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = ::read(file, buffer.data(), buffer.size());
    if (got <= 0) break;
    into.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(file);
}

void write_all(int file, const std::string& text) {
  // A program that ends without reading its input is no reason to die of SIGPIPE.
  sigset_t pipe_signal;
  ::sigemptyset(&pipe_signal);
  ::sigaddset(&pipe_signal, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(file, rest.data(), rest.size());
    if (written <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  ::close(file);
}

}  // namespace

Child::Child(const Command& command) {
  std::vector<std::string> words = command.words;
  std::vector<std::string> variables = environment_with(command.environment);
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(variables);
  const Pipe in = make_pipe();
  const Pipe out = make_pipe();
  const Pipe err = make_pipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
  const int error = ::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  for (const int end : {in[0], out[1], err[1]}) ::close(end);
  if (error != 0) {
    for (const int end : {in[1], out[0], err[0]}) ::close(end);
    throw std::runtime_error("cannot start " + words.front());
  }
  ended_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  out_ = std::thread(read_all, out[0], std::ref(result_.out));
  err_ = std::thread(read_all, err[0], std::ref(result_.err));
  in_ = std::thread(write_all, in[1], command.input);
}

Child::~Child() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  for (std::thread* each : {&in_, &out_, &err_}) {
    if (each->joinable()) each->join();
  }
  ::close(ended_);
}

void Child::signal(int number) const {
  ::kill(pid_, number);
}

Ended Child::wait() {
  pollfd ended{ended_, POLLIN, 0};
  if (::poll(&ended, 1, 60'000) != 1) {
    ADD_FAILURE() << "still running after a minute";
    ::kill(pid_, SIGKILL);
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  for (std::thread* each : {&in_, &out_, &err_}) each->join();
  result_.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result_;
}

Ended run(const Command& command) {
  return Child(command).wait();
}

std::string built(std::string_view program) {
  return std::string(MRASCHECK_BIN_DIR "/").append(program);
}

static Ended run_built(std::string_view program, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), built(program));
  return run({std::move(arguments), {}, {}});
}

Ended mrascheck(std::vector<std::string> arguments) {
  return run_built("mrascheck", std::move(arguments));
}

Ended check_mras(std::vector<std::string> arguments) {
  return run_built("check_mras", std::move(arguments));
}

static bool listens(int port) {
  std::ifstream table("/proc/net/tcp");
  std::string number;
  std::string local;
  std::string remote;
  std::string state;
  std::string rest;
  while (table >> number >> local >> remote >> state && std::getline(table, rest)) {
    const std::size_t colon = local.find(':');
    if (state == "0A" && colon != std::string::npos && std::stoi(local.substr(colon + 1), nullptr, 16) == port)
      return true;
  }
  return false;
}

bool listens_soon(int port) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!listens(port)) {
    if (std::chrono::steady_clock::now() > limit) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

}  // namespace mrascheck::test

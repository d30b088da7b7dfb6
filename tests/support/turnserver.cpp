// SPDX-License-Identifier: Apache-2.0
#include "support/turnserver.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>
#include <vector>

#include "support/program.hpp"

extern char** environ;

namespace mrascheck::test {
namespace {

/// Its output, both streams, comes out of `said`.
pid_t begin(std::vector<std::string> command, int& said) {
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::array<int, 2> out{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDERR_FILENO);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, command.front().c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  said = out[0];
  if (error != 0) throw std::runtime_error(command.front() + " did not start");
  return pid;
}

void end(pid_t pid, int said) {
  if (pid > 0) {
    ::kill(pid, SIGTERM);
    ::waitpid(pid, nullptr, 0);
  }
  if (said >= 0) ::close(said);
}

/// Everything that was said up to `words`; what else when the output ends before.
std::string said_until(int said, const std::string& words) {
  std::string text;
  while (text.find(words) == std::string::npos) {
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(said, buffer.data(), buffer.size());
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

/// One that is free for UDP and TCP now; another program may take it before the server does.
std::uint16_t free_port() {
  for (;;) {
    std::array<int, 2> sockets{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                               ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof where;
    bool free = true;
    for (const int fd : sockets) {
      free = free && ::bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size);
    }
    for (const int fd : sockets) ::close(fd);
    if (free) return ntohs(where.sin_port);
  }
}

}  // namespace

TurnServer::TurnServer(const std::string& user, const std::string& password) {
  for (int attempt = 0; attempt < 10; ++attempt) {
    port_ = free_port();
    pid_ = begin({"turnserver", "-n", fmt::format("--listening-port={}", port_), "--listening-ip=127.0.0.1",
                  "--relay-ip=127.0.0.1", "--relay-threads=1", "--no-tls", "--no-dtls", "--no-cli", "--lt-cred-mech",
                  "--realm=contoso.example", fmt::format("--user={}:{}", user, password), "--log-file=stdout",
                  "--simple-log", "-v", "--pidfile=" + dir_ / "pid", "--userdb=" + dir_ / "db"},
                 said_);
    // The database is the last thing that it opens, with its listeners open.
    const std::string said = said_until(said_, "SQLite DB connection success");
    const bool up = said.find(fmt::format("UDP listener opened on: 127.0.0.1:{}", port_)) != std::string::npos &&
                    said.find("SQLite DB connection success") != std::string::npos;
    if (up) return;
    end(std::exchange(pid_, -1), std::exchange(said_, -1));
  }
  throw std::runtime_error("turnserver did not come up");
}

TurnServer::~TurnServer() {
  end(pid_, said_);
}

LabRelay::LabRelay(const std::string& username, const std::string& password, const std::string& fault) {
  std::vector<std::string> command{built("mrascheck-lab"), "relay", "--username", username, "--password", password};
  if (!fault.empty()) command.insert(command.end(), {"--relay-fault", fault});
  pid_ = begin(std::move(command), said_);
  const std::string said = said_until(said_, "\n");
  const std::size_t udp = said.find(" udp=");
  const std::size_t tcp = said.find(" tcp=");
  if (udp == std::string::npos || tcp == std::string::npos) throw std::runtime_error("mrascheck-lab relay: " + said);
  udp_port_ = static_cast<std::uint16_t>(std::stoul(said.substr(udp + 5)));
  tcp_port_ = static_cast<std::uint16_t>(std::stoul(said.substr(tcp + 5)));
}

LabRelay::~LabRelay() {
  end(pid_, said_);
}

}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
#include "support/kdc.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <stdexcept>

#include "support/slapd.hpp"

extern char** environ;

namespace mrascheck::test {

/// Its output goes to `output`.
static pid_t spawn(const std::vector<std::string>& command, int output) {
  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  pid_t pid = -1;
  const int code = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) throw std::runtime_error("cannot start " + command.front());
  return pid;
}

Kdc::Kdc() {
  dir_.write("kdc.conf", fmt::format("[realms]\n{0} = {{\n database_name = {1}/principal\n key_stash_file = {1}/stash\n"
                                     " max_life = 10h\n}}\n[logging]\n kdc = FILE:{1}/kdc.log\n",
                                     realm, dir_.path().string()));
  set("KRB5_CONFIG", dir_ / "krb5.conf");
  set("KRB5_KDC_PROFILE", dir_ / "kdc.conf");
  set("KRB5CCNAME", "FILE:" + (dir_ / "ccache"));
  set("KRB5_KTNAME", "FILE:" + keytab());
  set("KRB5RCACHEDIR", dir_.path());
  start();
}

void Kdc::start() {
  // Somebody else may take a free port before the KDC does: another one, then.
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = free_port();
    dir_.write("krb5.conf",
               fmt::format("[libdefaults]\n default_realm = {0}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n"
                           " dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n"
                           "[realms]\n {0} = {{\n  kdc = 127.0.0.1:{1}\n }}\n"
                           "[domain_realm]\n .contoso.example = {0}\n contoso.example = {0}\n"
                           "[kdcdefaults]\n kdc_listen = 127.0.0.1:{1}\n kdc_tcp_listen = 127.0.0.1:{1}\n",
                           realm, port_));
    // The database wants a master password; nobody else ever sees it.
    if (attempt == 0) run({"/usr/sbin/kdb5_util", "create", "-s", "-r", realm, "-P", "only for this test"});
    std::array<int, 2> pipe{};
    if (pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    pid_ = spawn({"/usr/bin/setpriv", "--pdeathsig", "KILL", "/usr/sbin/krb5kdc", "-n"}, pipe[1]);
    close(pipe[1]);
    // It says when it is ready: "krb5kdc: starting...".
    std::string said;
    std::array<char, 512> buffer{};
    while (said.find("starting...") == std::string::npos) {
      const ssize_t got = read(pipe[0], buffer.data(), buffer.size());
      if (got <= 0) break;
      said.append(buffer.data(), static_cast<std::size_t>(got));
    }
    close(pipe[0]);
    if (said.find("starting...") != std::string::npos) return;
    stop();
  }
  throw std::runtime_error("krb5kdc does not start");
}

void Kdc::stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Kdc::set(const char* name, const std::string& value) {
  const char* before = getenv(name);
  before_.emplace_back(name, before == nullptr ? std::nullopt : std::optional<std::string>{before});
  setenv(name, value.c_str(), 1);
}

Kdc::~Kdc() {
  stop();
  for (const auto& [name, before] : before_) {
    if (before) {
      setenv(name, before->c_str(), 1);
    } else {
      unsetenv(name);
    }
  }
}

void Kdc::run(const std::vector<std::string>& command) const {
  const int log = open((dir_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int status = -1;
  waitpid(spawn(command, log), &status, 0);
  close(log);
  if (status != 0) throw std::runtime_error(command.front() + ": " + dir_.read("log"));
}

void Kdc::add(const std::string& principal) const {
  run({"/usr/sbin/kadmin.local", "-r", realm, "addprinc", "-randkey", principal});
  run({"/usr/sbin/kadmin.local", "-r", realm, "ktadd", "-k", keytab(), principal});
}

void Kdc::log_in(const std::string& principal, const std::vector<std::string>& more) const {
  std::vector<std::string> command{"/usr/bin/kinit", "-k", "-t", keytab()};
  command.insert(command.end(), more.begin(), more.end());
  command.push_back(principal);
  run(command);
}

void Kdc::log_out() const {
  std::filesystem::remove(dir_ / "ccache");
}

}  // namespace mrascheck::test

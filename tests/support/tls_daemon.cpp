// SPDX-License-Identifier: Apache-2.0
#include "support/tls_daemon.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace mrascheck::test {

using namespace std::chrono_literals;

namespace {

/// A socket that listens on a free port of 127.0.0.1.
int listening_socket(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof local;
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&local), size) != 0 || ::listen(fd, SOMAXCONN) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) != 0) {
    throw std::runtime_error("no socket on 127.0.0.1");
  }
  port = ntohs(local.sin_port);
  return fd;
}

/// The port of IPv4 on which that process listens; 0: on none, yet.
std::uint16_t port_of(pid_t pid) {
  std::error_code gone;
  std::string sockets;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid), gone))
    sockets += std::filesystem::read_symlink(entry.path(), gone).string() + " ";
  std::ifstream table("/proc/net/tcp");
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::array<std::string, 10> field;  // sl, local, remote, state, queues, timer, retransmits, uid, timeout, inode
    for (std::string& word : field) words >> word;
    if (field[3] == "0A" && sockets.find("socket:[" + field[9] + "]") != std::string::npos)
      return static_cast<std::uint16_t>(std::stoul(field[1].substr(field[1].find(':') + 1), nullptr, 16));
  }
  return 0;
}

}  // namespace

void TlsDaemon::start(std::vector<std::string> command, const std::vector<std::string>& environment, int listener) {
  std::vector<std::string> variables = environment;
  for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
  std::vector<char*> argv;
  std::vector<char*> envp;
  for (std::string& word : command) argv.push_back(word.data());
  for (std::string& variable : variables) envp.push_back(variable.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);

  std::array<int, 2> out{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDERR_FILENO);
  constexpr int inherited = 3;
  if (listener >= 0) posix_spawn_file_actions_adddup2(&actions, listener, inherited);
  const int error = ::posix_spawnp(&pid_, argv.front(), &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  out_ = out[0];
  if (error != 0) {
    pid_ = -1;
    throw std::runtime_error(command.front() + " did not start");
  }
  reader_ = std::thread([this] {
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(out_, buffer.data(), buffer.size())) > 0;) {
      const std::lock_guard lock(mutex_);
      said_.append(buffer.data(), static_cast<std::size_t>(got));
      heard_.notify_all();
    }
  });
}

void TlsDaemon::end() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  if (reader_.joinable()) reader_.join();
}

TlsDaemon::~TlsDaemon() {
  end();
  if (out_ >= 0) ::close(out_);
}

bool TlsDaemon::says(const std::string& words) {
  std::unique_lock lock(mutex_);
  return heard_.wait_for(lock, 20s, [&] { return said_.find(words) != std::string::npos; });
}

std::string TlsDaemon::said() {
  const std::lock_guard lock(mutex_);
  return said_;
}

const std::string& TlsDaemon::last_words() {
  end();
  return said_;
}

/// "NGINX=3;" is how it hands its sockets to a newer process of itself.
TlsDaemon::TlsDaemon(const Nginx& nginx) {
  const int listener = listening_socket(port_);
  const std::string conf = dir_.write(
      "nginx.conf", fmt::format("daemon off;\nworker_processes 1;\npid {0}/pid;\nerror_log stderr info;\n"
                                "events {{ worker_connections 64; }}\nhttp {{\n"
                                "log_format tls 'tls=$ssl_protocol cipher=$ssl_cipher client=$ssl_client_verify "
                                "sha1=$ssl_client_fingerprint';\naccess_log /dev/stderr tls;\n"
                                "client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c;\n"
                                "uwsgi_temp_path {0}/d; scgi_temp_path {0}/e;\n"
                                "server {{\nlisten 127.0.0.1:{1} ssl;\nssl_certificate {2};\nssl_certificate_key {3};\n"
                                "ssl_client_certificate {4};\n{5}\nlocation / {{ return 204; }}\n}}\n}}\n",
                                dir_.path().string(), port_, nginx.identity.certificate, nginx.identity.key,
                                nginx.identity.client_ca, nginx.rules));
  start({"nginx", "-p", dir_.path().string(), "-e", "stderr", "-c", conf}, {"NGINX=3;"}, listener);
  ::close(listener);
}

TlsDaemon::TlsDaemon(const Stunnel& stunnel) {
  const std::string conf = dir_.write(
      "stunnel.conf",
      fmt::format("foreground = yes\ndebug = 7\nsyslog = no\npid =\n[edge]\naccept = 127.0.0.1:0\ncert = {}\nkey = "
                  "{}\nCAfile = {}\nconnect = 127.0.0.1:{}\n{}\n",
                  stunnel.identity.certificate, stunnel.identity.key, stunnel.identity.client_ca, stunnel.backend,
                  stunnel.rules));
  start({"stunnel", conf}, {}, -1);
  const bool ready = says("Accepting new connections");
  const std::lock_guard lock(mutex_);
  const std::string sign = "bound to 127.0.0.1:";
  const std::size_t at = said_.find(sign);
  if (!ready || at == std::string::npos) throw std::runtime_error("stunnel: " + said_);
  port_ = static_cast<std::uint16_t>(std::stoul(said_.substr(at + sign.size())));
}

TlsDaemon::TlsDaemon(const GnutlsServ& gnutls_serv) {
  const Identity& identity = gnutls_serv.identity;
  std::vector<std::string> command{"gnutls-serv", "--port", "0"};
  command.insert(command.end(), {"--x509certfile", identity.certificate, "--x509keyfile", identity.key});
  if (!identity.client_ca.empty()) command.insert(command.end(), {"--x509cafile", identity.client_ca});
  command.insert(command.end(), gnutls_serv.arguments.begin(), gnutls_serv.arguments.end());
  start(command, {}, -1);
  const auto limit = std::chrono::steady_clock::now() + 20s;
  while ((port_ = port_of(pid_)) == 0) {
    if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("gnutls-serv: " + last_words());
    ::poll(nullptr, 0, 5);
  }
}

}  // namespace mrascheck::test

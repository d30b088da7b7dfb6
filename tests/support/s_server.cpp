// SPDX-License-Identifier: Apache-2.0
#include "support/s_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace mrascheck::test {

using namespace std::chrono_literals;

SServer::SServer(std::vector<std::string> arguments, Answer answer, const std::string& address)
    : answer_(std::move(answer)) {
  std::vector<std::string> command{"openssl", "s_server", "-accept", address + ":0"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);

  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDERR_FILENO);
  const int error = ::posix_spawnp(&pid_, "openssl", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  in_ = in[1];
  out_ = out[0];
  if (error != 0) throw std::runtime_error("openssl s_server did not start");

  const std::string sign = "ACCEPT " + address + ":";
  while (port_ == 0) {
    if (!read_more()) throw std::runtime_error("openssl s_server: " + said_);
    const std::size_t at = said_.find(sign);
    if (at == std::string::npos || said_.find('\n', at) == std::string::npos) continue;
    port_ = static_cast<std::uint16_t>(std::stoul(said_.substr(at + sign.size())));
  }
  seen_ = said_.size();
  reader_ = std::thread([this] {
    while (read_more()) listen();
  });
}

SServer::~SServer() {
  end();
  ::close(in_);
  ::close(out_);
}

void SServer::end() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  if (reader_.joinable()) reader_.join();
}

bool SServer::says(const std::string& words) {
  std::unique_lock lock(mutex_);
  return heard_.wait_for(lock, 20s, [&] { return said_.find(words) != std::string::npos; });
}

std::string SServer::said() {
  const std::lock_guard lock(mutex_);
  return said_;
}

const std::string& SServer::last_words() {
  end();
  return said_;
}

bool SServer::read_more() {
  std::array<char, 4096> buffer{};
  const ssize_t got = ::read(out_, buffer.data(), buffer.size());
  if (got <= 0) return false;
  const std::lock_guard lock(mutex_);
  said_.append(buffer.data(), static_cast<std::size_t>(got));
  heard_.notify_all();
  return true;
}

void SServer::listen() {
  if (!answer_) return;
  for (;;) {
    const std::size_t start = std::min(said_.find("SERVICE sip:", seen_), said_.find("OPTIONS sip:", seen_));
    if (start == std::string::npos) return;
    const std::size_t end = said_.find("\r\n\r\n", start);
    const std::size_t length = said_.find("Content-Length:", start);
    if (end == std::string::npos || length == std::string::npos || length > end) return;
    const std::size_t whole = end + 4 + std::stoul(said_.substr(length + 15)) - start;
    if (said_.size() < start + whole) return;
    seen_ = start + whole;
    const std::string reply = answer_(said_.substr(start, whole));
    if (reply.empty()) continue;
    // s_server takes a line that begins with some letters for a command; an empty line before a message is none.
    const std::string typed = reply == hang_up ? reply : "\r\n" + reply;
    if (::write(in_, typed.data(), typed.size()) != static_cast<ssize_t>(typed.size())) return;
  }
}

std::string sip_answer(const std::string& request, const std::string& status, const std::string& body) {
  std::string answer = "SIP/2.0 " + status + "\r\n";
  std::istringstream lines(request);
  std::string line;
  while (std::getline(lines, line) && line != "\r") {
    for (const char* name : {"Via:", "From:", "To:", "Call-ID:", "CSeq:"}) {
      if (line.starts_with(name)) answer += line + "\n";
    }
  }
  if (!body.empty()) answer += "Content-Type: application/msrtc-media-relay-auth+xml\r\n";
  return answer + fmt::format("Server: RTC/5.0\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

static std::string attribute(const std::string& xml, const std::string& name) {
  const std::size_t at = xml.find(" " + name + "=\"");
  if (at == std::string::npos) return {};
  const std::size_t value = at + name.size() + 3;
  return xml.substr(value, xml.find('"', value) - value);
}

std::string mras_body(const std::string& request) {
  return fmt::format(
      R"(<?xml version="1.0"?>
<response xmlns="http://schemas.microsoft.com/2006/09/sip/mrasp" requestID="{}" version="{}" serverVersion="2.0"
 to="{}" from="{}" reasonPhrase="OK"><credentialsResponse credentialsRequestID="{}"><credentials>
<username>AAECAwQFBgc=</username><password>CAkKCwwNDg8=</password><duration>480</duration></credentials>
<mediaRelayList><mediaRelay><location>intranet</location><hostName>edge1.contoso.example</hostName>
<udpPort>3478</udpPort><tcpPort>443</tcpPort></mediaRelay></mediaRelayList></credentialsResponse></response>)",
      attribute(request, "requestID"), attribute(request, "version"), attribute(request, "to"),
      attribute(request, "from"), attribute(request, "credentialsRequestID"));
}

}  // namespace mrascheck::test

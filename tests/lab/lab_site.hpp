// SPDX-License-Identifier: Apache-2.0
// Starts mrascheck-lab as a person would, and looks at it with programs that we did not write.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/temp_dir.hpp"

namespace mrascheck::test {

/// A program with a pipe to its input and one from its output, both streams.
class Program {
 public:
  explicit Program(const std::vector<std::string>& argv) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    std::vector<char*> arguments;
    for (const std::string& each : argv) arguments.push_back(const_cast<char*>(each.c_str()));
    arguments.push_back(nullptr);
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGTERM);  // a test that is killed runs no destructor
      dup2(in[0], 0);
      dup2(out[1], 1);
      dup2(out[1], 2);
      execvp(arguments[0], arguments.data());
      _exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    in_ = in[1];
    out_ = out[0];
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    close_input();
    ::close(out_);
    if (pid_ > 0) {
      kill(pid_, SIGTERM);
      waitpid(pid_, nullptr, 0);
    }
  }

  pid_t pid() const { return pid_; }
  const std::string& output() const { return output_; }
  void signal(int number) const { kill(pid_, number); }

  void send(std::string_view text) const {
    // A program that has ended already does not read it: that is for the caller to see in its output.
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    (void)!write(in_, text.data(), text.size());
    std::signal(SIGPIPE, before);
  }
  void close_input() {
    if (in_ >= 0) ::close(in_);
    in_ = -1;
  }

  /// Reads on until `enough` says so (true) or the output ends (false); after 20 seconds it gives up (false).
  bool read_until(const std::function<bool(const std::string&)>& enough) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!enough(output_)) {
      pollfd ready{out_, POLLIN, 0};
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(limit - std::chrono::steady_clock::now());
      if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
      std::array<char, 65536> bytes{};
      const auto got = read(out_, bytes.data(), bytes.size());
      if (got <= 0) return false;
      output_.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return true;
  }
  bool read_until(std::string_view text) {
    return read_until([&](const std::string& output) { return output.find(text) != std::string::npos; });
  }

  /// Closes its input, reads the rest and waits for its end; the exit code, or 128 + signal.
  int finish() {
    close_input();
    read_until([](const std::string&) { return false; });
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::string output_;
};

inline const std::string lab_program = MRASCHECK_BIN_DIR "/mrascheck-lab";

/// Whether that process has ended, by 20 seconds from now. A process that nobody has reaped has ended as well.
inline bool ends(pid_t pid) {
  const auto handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) return true;
  pollfd ended{handle, POLLIN, 0};
  const bool did = poll(&ended, 1, 20000) == 1;
  ::close(handle);
  return did;
}

/// A site that is up, in a directory of its own.
class LabSite {
 public:
  explicit LabSite(const std::string& world, const std::vector<std::string>& more = {})
      : program_(argv(world, dir_ / "site", dir_ / "ports", more)) {
    if (!program_.read_until("ready: ")) throw std::runtime_error("the lab did not come up: " + program_.output());
    std::istringstream lines(dir_.read("ports"));
    for (std::string line; std::getline(lines, line);) {
      const auto equals = line.find('=');
      std::string value = line.substr(equals + 1);
      if (value.starts_with('\'')) value = value.substr(1, value.size() - 2);
      ports_[line.substr(0, equals)] = value;
    }
  }

  Program& program() { return program_; }
  const TempDir& dir() const { return dir_; }
  std::string file(const std::string& name) const { return dir_ / ("site/" + name); }
  std::string read(const std::string& name) const { return dir_.read("site/" + name); }
  const std::string& port(const std::string& name) const { return ports_.at(name); }
  pid_t slapd() const { return std::stoi(port("slapd_pid")); }
  std::string edge(int member) const {
    return port("edge" + std::to_string(member) + "_address") + ":" + port("edge_port");
  }

  /// Runs a shell command in the site's directory, its ports in the environment; what it prints. Its exit code goes to
  /// `code`, where somebody wants it.
  std::string shell(const std::string& command, int* code = nullptr) const {
    std::string script = "cd '" + file("") + "'\n";
    for (const auto& [name, value] : ports_) script += name + "='" + value + "'\n";
    Program shell({"bash", "-c", script + command});
    const int exit_code = shell.finish();
    if (code != nullptr) *code = exit_code;
    return shell.output();
  }

  /// openssl s_client towards a member, as the Front End or with other options; nothing is checked of the server unless
  /// `more` says so.
  std::vector<std::string> s_client(int member, const std::vector<std::string>& more) const {
    std::vector<std::string> result{"openssl", "s_client", "-connect", edge(member), "-quiet", "-no_ign_eof"};
    result.insert(result.end(), more.begin(), more.end());
    return result;
  }
  std::vector<std::string> front_end(const std::string& chain = "fe1-chain") const {
    return {"-cert", file("pki/fe1.pem"), "-key", file("pki/fe1.key"), "-cert_chain", file("pki/" + chain + ".pem")};
  }

 private:
  static std::vector<std::string> argv(const std::string& world, const std::string& dir, const std::string& ports,
                                       const std::vector<std::string>& more) {
    std::vector<std::string> result{lab_program, "up", world, "--dir", dir, "--ports-file", ports};
    result.insert(result.end(), more.begin(), more.end());
    return result;
  }

  TempDir dir_;
  Program program_;
  std::map<std::string, std::string> ports_;
};

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("not in the text: " + std::string(from));
  return text.replace(at, from.size(), to);
}

inline std::string sip_request(const std::string& method, const std::string& content_type, const std::string& body,
                               const std::string& call_id = "3f1c0a") {
  return method +
         " sip:edge.contoso.example:5062;grid SIP/2.0\r\n"
         "Via: SIP/2.0/TLS 127.0.0.1:49152;branch=z9hG4bK0A1B2C3D\r\n"
         "From: \"Probe\"<sip:probe@contoso.example>;tag=1234567890;epid=0123456789\r\n"
         "To: <sip:edge.contoso.example@contoso.example;gruu;opaque=srvr:MRAS:AAECAwQFBgcICQoLDA0ODwAA>\r\n"
         "Call-ID: " +
         call_id + "\r\nCSeq: 1 " + method + "\r\nMax-Forwards: 70\r\n" +
         (content_type.empty() ? "" : "Content-Type: " + content_type + "\r\n") +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

inline constexpr std::string_view service_body =
    "<?xml version=\"1.0\"?>\n"
    "<request xmlns=\"http://schemas.microsoft.com/2006/09/sip/mrasp\" requestID=\"4711\" version=\"2.0\" "
    "to=\"sip:edge.contoso.example@contoso.example;gruu;opaque=srvr:MRAS:AAECAwQFBgcICQoLDA0ODwAA\" "
    "from=\"sip:probe@contoso.example\">"
    "<credentialsRequest credentialsRequestID=\"c1\"><identity>sip:probe@contoso.example</identity>"
    "<location>intranet</location><duration>600</duration></credentialsRequest></request>";

inline std::string service(const std::string& body = std::string(service_body), const std::string& call_id = "3f1c0a") {
  return sip_request("SERVICE", "application/msrtc-media-relay-auth+xml", body, call_id);
}

/// What a member answers to `request`, up to the end of a whole answer that is final, or all that came before the end.
/// Standard error of s_client is in it as well.
inline std::string ask(Program& client, const std::string& request) {
  client.send(request);
  client.read_until([](const std::string& output) {
    auto at = output.find("SIP/2.0 ");
    while (at != std::string::npos && output.compare(at + 8, 1, "1") == 0) at = output.find("SIP/2.0 ", at + 8);
    const auto end = at == std::string::npos ? at : output.find("\r\n\r\n", at);
    if (end == std::string::npos) return false;
    const auto length = output.find("CONTENT-LENGTH: ", at);
    return output.size() >= end + 4 + std::stoul(output.substr(length + 16));
  });
  client.finish();
  return client.output();
}

inline std::string ask(const LabSite& site, int member, const std::vector<std::string>& options,
                       const std::string& request = service()) {
  Program client(site.s_client(member, options));
  return ask(client, request);
}

inline std::vector<std::string> operator+(std::vector<std::string> list, const std::vector<std::string>& more) {
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

}  // namespace mrascheck::test

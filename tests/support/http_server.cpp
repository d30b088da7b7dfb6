// SPDX-License-Identifier: Apache-2.0
#include "support/http_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace mrascheck::test {

static bool read_more(int from, std::string& into) {
  std::array<char, 4096> buffer{};
  const ssize_t got = ::read(from, buffer.data(), buffer.size());
  if (got > 0) into.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0;
}

constexpr const char* answering_posts = R"(
import functools, http.server, subprocess, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        said = subprocess.run(sys.argv[2], shell=True, input=asked, stdout=subprocess.PIPE, cwd=sys.argv[1]).stdout
        self.send_response(200)
        self.send_header("Content-Type", sys.argv[3])
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=sys.argv[1]))
print("Serving HTTP on 127.0.0.1 port", server.server_port)
server.serve_forever()
)";

HttpServer::HttpServer(const std::string& directory) {
  start({"/usr/bin/python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", directory});
}

HttpServer::HttpServer(const std::string& directory, const std::string& command, const std::string& type) {
  start({"/usr/bin/python3", "-u", "-c", answering_posts, directory, command, type});
}

void HttpServer::start(std::vector<std::string> command) {
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::array<int, 2> out{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDERR_FILENO);
  const int error = ::posix_spawnp(&pid_, command.front().c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  said_ = out[0];
  if (error != 0) throw std::runtime_error("python3 -m http.server did not start");
  const std::string sign = "127.0.0.1 port ";
  for (;;) {
    const std::size_t at = log_.find(sign);
    if (at != std::string::npos && log_.find('\n', at) != std::string::npos) {
      port_ = static_cast<std::uint16_t>(std::stoul(log_.substr(at + sign.size())));
      return;
    }
    if (!read_more(said_, log_)) throw std::runtime_error("python3 -m http.server: " + log_);
  }
}

HttpServer::~HttpServer() {
  requests();
  ::close(said_);
}

std::string HttpServer::url(const std::string& host, const std::string& file) const {
  return fmt::format("http://{}:{}/{}", host, port_, file);
}

std::vector<std::string> HttpServer::requests() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
    while (read_more(said_, log_)) {
    }
  }
  std::vector<std::string> asked;
  std::istringstream lines(log_);
  std::string line;
  while (std::getline(lines, line)) {
    const std::size_t begin = std::min(line.find("\"GET "), line.find("\"POST "));
    const std::size_t end = line.find('"', begin + 1);
    if (begin != std::string::npos && end != std::string::npos)
      asked.push_back(line.substr(begin + 1, end - begin - 1));
  }
  std::sort(asked.begin(), asked.end());
  return asked;
}

}  // namespace mrascheck::test

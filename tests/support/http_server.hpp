// SPDX-License-Identifier: Apache-2.0
// A web server that we did not write: python3's http.server.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mrascheck::test {

class HttpServer {
 public:
  /// Hands out the files of `directory` on a free port of 127.0.0.1.
  explicit HttpServer(const std::string& directory);
  /// The same; what is POSTed is given to a shell's `command`, and what that writes is the answer, of `type`.
  HttpServer(const std::string& directory, const std::string& command, const std::string& type);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  std::uint16_t port() const { return port_; }
  /// "http://`host`:12345/`file`".
  std::string url(const std::string& host, const std::string& file) const;
  /// Ends it: what it was asked for, sorted: "GET /root.crt HTTP/1.1", "POST / HTTP/1.1".
  std::vector<std::string> requests();

 private:
  void start(std::vector<std::string> command);

  pid_t pid_ = -1;
  int said_ = -1;  ///< the reading end of its output
  std::string log_;
  std::uint16_t port_ = 0;
};

}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
// A DNS server (RFC 1035, over UDP on 127.0.0.1) that says what a test wants it to say.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace mrascheck::test {

class NameServer {
 public:
  struct Reply {
    int code = 0;                          ///< RCODE: 0, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED
    std::vector<std::string> addresses{};  ///< literals of the family asked for; empty with code 0: no data
    bool silent = false;
  };
  /// Is asked on the server's thread. `six`: AAAA, else A.
  using Script = std::function<Reply(const std::string& name, bool six)>;

  /// `delay`: so long after a question its answer goes out, however many are asked meanwhile.
  explicit NameServer(Script script, std::chrono::milliseconds delay = {});
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;
  ~NameServer();

  /// "127.0.0.1:12345".
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int questions() const { return questions_; }

 private:
  void serve();

  Script script_;
  std::chrono::milliseconds delay_;
  int fd_ = -1;
  int ended_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> questions_ = 0;
  std::thread server_;
};

}  // namespace mrascheck::test

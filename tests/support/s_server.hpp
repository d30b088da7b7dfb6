// SPDX-License-Identifier: Apache-2.0
// A real `openssl s_server` on a port of loopback that it chooses itself.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mrascheck::test {

class SServer {
 public:
  /// Makes the plaintext to send of one whole request (header and body); empty: nothing. hang_up: closes the
  /// connection, and waits for the next.
  using Answer = std::function<std::string(const std::string& request)>;

  static constexpr const char* hang_up = "q\n";
  /// `arguments` of s_server besides -accept. `answer` is called for every SIP request that s_server prints; what it
  /// gives goes to s_server's standard input.
  /// `address`: where it listens; in brackets when it is one of IPv6.
  explicit SServer(std::vector<std::string> arguments, Answer answer = {}, const std::string& address = "127.0.0.1");
  SServer(const SServer&) = delete;
  SServer& operator=(const SServer&) = delete;
  ~SServer();

  std::uint16_t port() const { return port_; }
  /// Whether it has said this by 20 seconds from now: what it does for a peer, it may say after the peer has gone.
  bool says(const std::string& words);
  /// What it has said so far.
  std::string said();
  /// Everything that it has said until now, on both of its streams. Ends it first, so that it is all.
  const std::string& last_words();

 private:
  void listen();
  bool read_more();
  void end();

  Answer answer_;
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;  ///< of said_
  std::condition_variable heard_;
  std::string said_;
  std::size_t seen_ = 0;  ///< up to where requests have been answered
  std::thread reader_;
};

/// A SIP answer to `request`: its Via, From, To, Call-ID and CSeq, with `status` ("200 OK") and `body`.
std::string sip_answer(const std::string& request, const std::string& status, const std::string& body = {});

/// The document that grants what `request` asks for, with one relay.
std::string mras_body(const std::string& request);

}  // namespace mrascheck::test

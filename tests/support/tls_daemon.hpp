// SPDX-License-Identifier: Apache-2.0
// Real servers with mutual TLS that are not made of OpenSSL's s_server: nginx, stunnel and gnutls-serv, each on a port
// of loopback that it is given or chooses itself.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/temp_dir.hpp"

namespace mrascheck::test {

class TlsDaemon {
 public:
  struct Identity {
    std::string certificate;  ///< PEM file, with what is sent behind it
    std::string key;          ///< PEM file
    std::string client_ca;    ///< PEM file
  };
  /// Each request is logged with what it made of the client: "tls=TLSv1.2 cipher=... client=SUCCESS sha1=...". It lets
  /// everybody through TLS, and refuses in HTTP whom it does not like.
  struct Nginx {
    Identity identity;
    std::string rules;  ///< lines of its server block, as "ssl_verify_client on;"
  };
  struct Stunnel {
    Identity identity;
    std::string rules;          ///< lines of its service, as "verifyChain = yes"
    std::uint16_t backend = 0;  ///< the port of 127.0.0.1 to which it hands on what comes in
  };
  /// It listens on all addresses: it has no option for less.
  struct GnutlsServ {
    Identity identity;
    std::vector<std::string> arguments;  ///< besides the port and the identity
  };
  explicit TlsDaemon(const Nginx& nginx);
  explicit TlsDaemon(const Stunnel& stunnel);
  explicit TlsDaemon(const GnutlsServ& gnutls_serv);
  TlsDaemon(const TlsDaemon&) = delete;
  TlsDaemon& operator=(const TlsDaemon&) = delete;
  ~TlsDaemon();

  std::uint16_t port() const { return port_; }
  /// Whether it has said this by 20 seconds from now.
  bool says(const std::string& words);
  /// What it has said so far.
  std::string said();
  /// Everything that it has said until now, on both of its streams. Ends it first, so that it is all.
  const std::string& last_words();

 private:
  /// `listener`: a socket that it finds as its descriptor 3; -1: none.
  void start(std::vector<std::string> command, const std::vector<std::string>& environment, int listener);
  void end();

  TempDir dir_;
  pid_t pid_ = -1;
  int out_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;  ///< of said_
  std::condition_variable heard_;
  std::string said_;
  std::thread reader_;
};

}  // namespace mrascheck::test

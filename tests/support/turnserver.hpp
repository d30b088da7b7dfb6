// SPDX-License-Identifier: Apache-2.0
// A TURN server that we did not write: coturn, on a free port of 127.0.0.1, UDP and TCP.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "support/temp_dir.hpp"

namespace mrascheck::test {

class TurnServer {
 public:
  /// Knows one user, with long-term credentials in the realm contoso.example.
  TurnServer(const std::string& user, const std::string& password);
  TurnServer(const TurnServer&) = delete;
  TurnServer& operator=(const TurnServer&) = delete;
  ~TurnServer();

  std::uint16_t port() const { return port_; }

 private:
  TempDir dir_;
  pid_t pid_ = -1;
  int said_ = -1;  ///< the reading end of its output
  std::uint16_t port_ = 0;
};

/// mrascheck-lab's relay by itself: MS-TURN on 127.0.0.11, with one user.
class LabRelay {
 public:
  LabRelay(const std::string& username, const std::string& password, const std::string& fault = "");
  LabRelay(const LabRelay&) = delete;
  LabRelay& operator=(const LabRelay&) = delete;
  ~LabRelay();

  std::string address() const { return "127.0.0.11"; }
  std::uint16_t udp_port() const { return udp_port_; }
  std::uint16_t tcp_port() const { return tcp_port_; }

 private:
  pid_t pid_ = -1;
  int said_ = -1;
  std::uint16_t udp_port_ = 0;
  std::uint16_t tcp_port_ = 0;
};

}  // namespace mrascheck::test

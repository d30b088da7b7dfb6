// SPDX-License-Identifier: Apache-2.0
// A real sipp that answers one call from a scenario file, on a free port of 127.0.0.1 (TCP; Debian builds it without
// TLS).
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "support/temp_dir.hpp"

namespace mrascheck::test {

class Sipp {
 public:
  /// `scenario` is the name of a file of tests/sip/scenarios, without its ending. Ready to accept when it returns.
  /// It ends after `calls` of them.
  explicit Sipp(std::string_view scenario, int calls = 1);
  Sipp(const Sipp&) = delete;
  Sipp& operator=(const Sipp&) = delete;
  ~Sipp();

  int port() const { return port_; }
  /// Waits for its end. 0: it got the request that the scenario describes, and sent all its answers.
  int exit_code();
  /// What it complained of; for a test's failure message.
  std::string errors() const;

 private:
  bool start(const std::string& file);

  TempDir dir_;
  int calls_;
  pid_t pid_ = -1;
  int port_ = 0;
};

}  // namespace mrascheck::test

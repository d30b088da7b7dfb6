// SPDX-License-Identifier: Apache-2.0
// A real Kerberos KDC (MIT) on a free port of 127.0.0.1, with a realm of its own.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/temp_dir.hpp"

namespace mrascheck::test {

/// Serves CONTOSO.EXAMPLE. As long as it is there, KRB5_CONFIG, KRB5CCNAME and KRB5_KTNAME of this process, and of
/// those that it starts, lead to it: make it, and let it go, when there is one thread.
class Kdc {
 public:
  static constexpr const char* realm = "CONTOSO.EXAMPLE";

  Kdc();
  Kdc(Kdc&&) = delete;
  ~Kdc();

  /// A principal "ldap/dc1.contoso.example" or "reader" with its keys in keytab().
  void add(const std::string& principal) const;
  /// Of everything that was added; slapd finds it by KRB5_KTNAME.
  std::string keytab() const { return dir_ / "keytab"; }

  /// Puts a ticket for `principal` into the cache that KRB5CCNAME names; `more`: options of kinit.
  void log_in(const std::string& principal, const std::vector<std::string>& more = {}) const;
  void log_out() const;
  /// No KDC any more.
  void stop();

 private:
  void set(const char* name, const std::string& value);
  void start();
  void run(const std::vector<std::string>& command) const;

  TempDir dir_;
  std::vector<std::pair<const char*, std::optional<std::string>>> before_;  ///< the environment without it
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "support/temp_dir.hpp"

namespace mrascheck::test {

/// Makes keys and certificates with the openssl(1) command, so that what we read was not written by us.
class OpensslCli {
 public:
  /// Runs a shell command line in the directory; its output, both streams. A status other than 0 fails the test.
  std::string shell(const std::string& command) const;

  /// A self-signed certificate NAME.crt (PEM) with its key NAME.key. `key` is what -newkey takes: "rsa:2048",
  /// "ec -pkeyopt ec_paramgen_curve:P-256", "ed25519". `extensions` are lines of an openssl.cnf section, `more` further
  /// options of openssl req.
  void self_signed(const std::string& name, const std::string& subject, const std::string& extensions,
                   const std::string& key = "ec -pkeyopt ec_paramgen_curve:P-256", const std::string& more = {}) const;

  /// NAME.crt and NAME.key, issued by ISSUER.crt.
  void issued(const std::string& name, const std::string& subject, const std::string& issuer,
              const std::string& extensions, const std::string& key = "ec -pkeyopt ec_paramgen_curve:P-256",
              const std::string& more = {}) const;

  /// The DER of NAME.crt.
  ByteString der(const std::string& name) const;

  const TempDir& dir() const { return dir_; }

 private:
  TempDir dir_;
};

/// Lines for a certificate authority of the usual kind.
inline constexpr const char* ca_extensions =
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n";

}  // namespace mrascheck::test

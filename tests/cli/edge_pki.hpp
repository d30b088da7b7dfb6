// SPDX-License-Identifier: Apache-2.0
// Certificates of one Front End and one Edge, made by openssl, and check_mras in the shoes of that Front End.
#pragma once

#include <string>
#include <vector>

#include "support/openssl_cli.hpp"
#include "support/program.hpp"

namespace mrascheck::test {

inline constexpr const char* server_extensions =
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\n"
    "extendedKeyUsage=serverAuth,clientAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";

class EdgePki {
 public:
  EdgePki() {
    openssl_.self_signed("root", "/CN=Contoso Root CA", ca_extensions);
    openssl_.issued("issuing", "/CN=Contoso Issuing CA", "root",
                    std::string(ca_extensions) + "authorityKeyIdentifier=keyid\n");
    issue("edge", "edge.contoso.example", "issuing");
    issue("fe1", "fe1.contoso.example", "issuing");
  }

  void issue(const std::string& name, const std::string& host, const std::string& issuer,
             const std::string& more = {}) const {
    openssl_.issued(name, "/CN=" + host, issuer, server_extensions + ("subjectAltName=DNS:" + host + "\n"),
                    "ec -pkeyopt ec_paramgen_curve:P-256", more);
  }
  std::string file(const std::string& name) const { return openssl_.dir() / name; }
  const OpensslCli& openssl() const { return openssl_; }

  /// check_mras of the Edge on that port of 127.0.0.1, as the Front End that has `name`.crt and `name`.key and trusts
  /// root.crt; `more` comes behind.
  std::vector<std::string> ask(int port, const std::string& name, const std::vector<std::string>& more) const {
    std::vector<std::string> words{"-H",
                                   "edge.contoso.example",
                                   "--resolve",
                                   "edge.contoso.example=127.0.0.1",
                                   "-p",
                                   std::to_string(port),
                                   "--certificate",
                                   file(name + ".crt"),
                                   "--key",
                                   file(name + ".key"),
                                   "--trust",
                                   file("root.crt"),
                                   "--store",
                                   file("issuing.crt"),
                                   "-t",
                                   "20s"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

 private:
  OpensslCli openssl_;
};

}  // namespace mrascheck::test

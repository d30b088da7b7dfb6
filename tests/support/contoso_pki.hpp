// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "support/openssl_cli.hpp"
#include "support/tls_peer.hpp"

namespace mrascheck::test {

/// fe1, fe2, edge1 and edge2 of one CA ("root"), and a CA that none of them knows ("other"). Made once a program.
class ContosoPki {
 public:
  static const ContosoPki& get() {
    static const ContosoPki made;
    return made;
  }
  /// The path of "edge1.crt", "edge1.key" and so on.
  std::string operator/(const std::string& name) const { return openssl_.dir() / name; }
  const OpensslCli& openssl() const { return openssl_; }

  /// A TlsPeer that presents `server` and lets in whoever has a certificate of `client_ca`.
  TlsPeer::Options peer(const std::string& server = "edge1", const std::string& client_ca = "root") const {
    TlsPeer::Options options;
    options.certificate = *this / (server + ".crt");
    options.key = *this / (server + ".key");
    options.client_ca = *this / (client_ca + ".crt");
    return options;
  }

 private:
  ContosoPki() {
    openssl_.self_signed("root", "/CN=Contoso Root CA", ca_extensions);
    openssl_.self_signed("other", "/CN=Fabrikam Root CA", ca_extensions);
    for (const std::string name : {"fe1", "fe2", "edge1", "edge2"}) {
      const std::string host = name + ".contoso.example";
      openssl_.issued(name, "/CN=" + host, "root",
                      "extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:" + host);
    }
  }
  OpensslCli openssl_;
};

}  // namespace mrascheck::test

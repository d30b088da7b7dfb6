// SPDX-License-Identifier: Apache-2.0
// openssl s_server as the Edge: what check_mras says of a handshake is what the other side says of it.
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/edge_pki.hpp"
#include "support/s_server.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Every row is tried with both versions of TLS.
struct SServerCase {
  const char* name;
  const char* version;      ///< option of s_server
  const char* shown;        ///< as the report names it
  const char* client;       ///< who comes: NAME.crt and NAME.key
  bool sends_chain;         ///< with issuing.crt behind it
  const char* server_says;  ///< of the certificate; nullptr: nothing, it is accepted
  const char* alert;        ///< as s_server names the one that it wrote
  const char* named;        ///< and we
};

class SServerAsEdge : public testing::TestWithParam<SServerCase> {};

TEST_P(SServerAsEdge, AgreesWithTheVerdictAndTheAlert) {
  const SServerCase& c = GetParam();
  const EdgePki pki;
  pki.openssl().self_signed("stranger-root", "/CN=Fabrikam Root CA", ca_extensions);
  pki.issue("stranger", "fe1.contoso.example", "stranger-root");
  pki.openssl().shell(
      "openssl req -new -key fe1.key -subj /CN=fe1.contoso.example -out expired.csr && cp fe1.key expired.key && "
      "openssl x509 -req -in expired.csr -CA issuing.crt -CAkey issuing.key -out expired.crt -days -1 "
      "-extfile fe1.cnf -extensions ext");
  SServer server({"-cert", pki.file("edge.crt"), "-key", pki.file("edge.key"), "-cert_chain", pki.file("issuing.crt"),
                  "-CAfile", pki.file("root.crt"), "-Verify", "3", "-verify_return_error", "-state", c.version});
  std::vector<std::string> more{"--no-mras", "-vv"};
  if (c.sends_chain) more.insert(more.end(), {"--chain", pki.file("issuing.crt")});
  const Ended check = check_mras(pki.ask(server.port(), c.client, more));
  const bool agrees = server.says(c.alert == nullptr ? "verify return:1" : c.alert);
  const std::string said = server.last_words();

  EXPECT_EQ(check.err, "");
  EXPECT_THAT(check.out, HasSubstr(c.shown));
  if (c.server_says == nullptr) {
    EXPECT_EQ(check.code, 0) << check.out << said;
    EXPECT_THAT(check.out, AllOf(StartsWith("MRAS OK - "), HasSubstr("stayed quiet for")));
    EXPECT_TRUE(agrees) << said;
    EXPECT_THAT(said, Not(HasSubstr("verify error")));
    return;
  }
  EXPECT_EQ(check.code, 2) << check.out;
  EXPECT_THAT(check.out, StartsWith("MRAS CRITICAL - "));
  EXPECT_THAT(check.out, HasSubstr("handshake.rejected-by-peer"));
  EXPECT_THAT(check.out, HasSubstr(std::string("with the TLS alert ") + c.named));
  EXPECT_THAT(said, HasSubstr(c.server_says));
  EXPECT_TRUE(agrees) << said;
}

constexpr const char* no_issuer = "verify error:num=20:unable to get local issuer certificate";
constexpr const char* expired = "verify error:num=10:certificate has expired";

INSTANTIATE_TEST_SUITE_P(
    CommandLine, SServerAsEdge,
    testing::Values(SServerCase{"AcceptedByTls12", "-tls1_2", "TLSv1.2", "fe1", true, nullptr, nullptr, nullptr},
                    SServerCase{"AcceptedByTls13", "-tls1_3", "TLSv1.3", "fe1", true, nullptr, nullptr, nullptr},
                    SServerCase{"ForeignCaTls12", "-tls1_2", "TLSv1.2", "stranger", false, no_issuer,
                                "SSL3 alert write:fatal:unknown CA", "unknown_ca"},
                    SServerCase{"ForeignCaTls13", "-tls1_3", "TLSv1.3", "stranger", false, no_issuer,
                                "SSL3 alert write:fatal:unknown CA", "unknown_ca"},
                    SServerCase{"ExpiredTls12", "-tls1_2", "TLSv1.2", "expired", true, expired,
                                "SSL3 alert write:fatal:certificate expired", "certificate_expired"},
                    SServerCase{"ExpiredTls13", "-tls1_3", "TLSv1.3", "expired", true, expired,
                                "SSL3 alert write:fatal:certificate expired", "certificate_expired"},
                    SServerCase{"ChainNotSentTls12", "-tls1_2", "TLSv1.2", "fe1", false, no_issuer,
                                "SSL3 alert write:fatal:unknown CA", "unknown_ca"},
                    SServerCase{"ChainNotSentTls13", "-tls1_3", "TLSv1.3", "fe1", false, no_issuer,
                                "SSL3 alert write:fatal:unknown CA", "unknown_ca"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::test

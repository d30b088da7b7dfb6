// SPDX-License-Identifier: Apache-2.0
// What else is tried on a link on request, with openssl s_server as the Edge.
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "cli/edge_pki.hpp"
#include "support/s_server.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

/// EdgePki with certificates of those who must not be let in, and a configuration that tries them.
class TrialSite {
 public:
  TrialSite() {
    pki_.openssl().self_signed("foreign-root", "/CN=Fabrikam Root CA", ca_extensions);
    pki_.openssl().self_signed("stale-root", "/CN=Contoso Root CA", ca_extensions);
    pki_.issue("foreign", "fe1.contoso.example", "foreign-root");
    pki_.issue("stale", "fe1.contoso.example", "stale-root");
    pki_.openssl().issued("server-only", "/CN=fe1.contoso.example", "root",
                          "extendedKeyUsage=serverAuth\nsubjectAltName=DNS:fe1.contoso.example");
    pki_.openssl().shell(
        "openssl req -new -key fe1.key -subj /CN=fe1.contoso.example -out expired.csr && cp fe1.key expired.key && "
        "openssl x509 -req -in expired.csr -CA root.crt -CAkey root.key -out expired.crt -days -1 "
        "-extfile fe1.cnf -extensions ext");
  }

  const EdgePki& pki() const { return pki_; }
  std::string site_of(int port, const std::string& link) const {
    return pki_.openssl().dir().write("site.yaml", R"(site: Contoso
strangers:
  - {kind: foreign-ca, certificate: foreign.crt, key: foreign.key}
  - {kind: stale-ca, certificate: stale.crt, key: stale.key}
  - {kind: expired, certificate: expired.crt, key: expired.key}
  - {kind: server-only, certificate: server-only.crt, key: server-only.key}
stores:
  - {name: roots, kind: root, file: root.crt}
  - {name: intermediates, kind: intermediate, file: issuing.crt}
servers:
  - {name: fe1.contoso.example, role: front-end, certificate: fe1.crt, key: fe1.key, chain: issuing.crt,
     trusts: roots, intermediates: intermediates}
  - {name: edge.contoso.example, role: edge, addresses: 127.0.0.1}
limits: {quiet: 300ms}
links:
  - {from: fe1.contoso.example, to: edge.contoso.example, service: tls, port: )" +
                                                       std::to_string(port) + link + "}\n");
  }
  Words server(const Words& more) const {
    Words words{"-cert", pki_.file("edge.crt"), "-key", pki_.file("edge.key"), "-cert_chain", pki_.file("issuing.crt")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

 private:
  EdgePki pki_;
};

const TrialSite& trial_site() {
  static const TrialSite site;
  return site;
}

Ended check_site(const std::string& config, Words more) {
  more.insert(more.begin(), {"check", "-c", config, "--format", "plugin", "-vv", "--max-output", "100000"});
  return mrascheck(more);
}

struct PolicyCase {
  const char* name;
  Words server;
  const char* policy;
  int code;
  Words said;
};
class ClientPolicies : public testing::TestWithParam<PolicyCase> {};

TEST_P(ClientPolicies, AreToldByWhoIsLetIn) {
  const PolicyCase& c = GetParam();
  const TrialSite& site = trial_site();
  Words arguments =
      site.server({"-CAfile", site.pki().file("root.crt"), "-no-CApath", "-no-CAstore", "-purpose", "any"});
  arguments.insert(arguments.end(), c.server.begin(), c.server.end());
  SServer server(arguments);
  const Ended check = check_site(site.site_of(server.port(), ""), {"--identities"});
  EXPECT_EQ(check.err, "");
  EXPECT_EQ(check.code, c.code) << check.out << server.last_words();
  EXPECT_THAT(check.out, HasSubstr(std::string{"client certificates are "} + c.policy + ";"));
  for (const std::string& words : c.said) EXPECT_THAT(check.out, HasSubstr(words));
}
INSTANTIATE_TEST_SUITE_P(
    CommandLine, ClientPolicies,
    testing::Values(
        PolicyCase{
            "RequiredTls12",
            {"-tls1_2", "-Verify", "3", "-verify_return_error"},
            "required",
            0,
            {"no certificate: refused: handshake_failure (expected: refuse)",
             "foreign-ca (fe1.contoso.example): refused: unknown_ca (expected: refuse)",
             "expired (fe1.contoso.example): refused: certificate_expired (expected: refuse)",
             "server-only (fe1.contoso.example): let in: the server stayed quiet for 300 ms (expected: accept)"}},
        PolicyCase{"RequiredTls13",
                   {"-tls1_3", "-Verify", "3", "-verify_return_error"},
                   "required",
                   0,
                   {"no certificate: refused: certificate_required (expected: refuse)",
                    "foreign-ca (fe1.contoso.example): refused: unknown_ca (expected: refuse)"}},
        PolicyCase{"Optional",
                   {"-verify", "3", "-verify_return_error"},
                   "optional",
                   2,
                   {"handshake.identity-let-in", "edge.contoso.example lets in who must be refused: no certificate",
                    "foreign-ca (fe1.contoso.example): refused: unknown_ca"}},
        PolicyCase{"NotAskedFor",
                   {},
                   "not asked for",
                   2,
                   {"handshake.no-client-certificate-asked", "lets in who must be refused: no certificate",
                    "let in, without being asked for a certificate"}},
        PolicyCase{"AskedForAndNotLookedAt",
                   {"-Verify", "3"},
                   "required",
                   2,
                   {"lets in who must be refused: foreign-ca", "lets in who must be refused: expired",
                    "lets in who must be refused: stale-ca"}}),
    [](const auto& row) { return row.param.name; });

TEST(Trials, AServerThatHoldsClientsToTheirUsageIsTold) {
  const TrialSite& site = trial_site();
  SServer server(site.server({"-CAfile", site.pki().file("root.crt"), "-no-CApath", "-no-CAstore", "-Verify", "3",
                              "-verify_return_error", "-purpose", "sslclient"}));
  const Ended check = check_site(site.site_of(server.port(), ", try: identities"), {});
  EXPECT_EQ(check.code, 1) << check.out << server.last_words();
  EXPECT_THAT(check.out, AllOf(HasSubstr("handshake.identity-refused"),
                               HasSubstr("edge.contoso.example refuses who must be let in: server-only")));
}

TEST(Trials, WhichChainIsAccepted) {
  const TrialSite& site = trial_site();
  SServer server(site.server(
      {"-CAfile", site.pki().file("root.crt"), "-no-CApath", "-no-CAstore", "-Verify", "3", "-verify_return_error"}));
  const Ended check = check_site(site.site_of(server.port(), ""), {"--chain-variants"});
  EXPECT_EQ(check.code, 0) << check.out << server.last_words();
  EXPECT_THAT(check.out, AllOf(HasSubstr("leaf-only: refused: unknown_ca"), HasSubstr("full-chain: let in"),
                               HasSubstr("with-root: let in"), HasSubstr("from-stores: let in"),
                               Not(HasSubstr("handshake.chain-matters"))));
  SServer knowing(site.server({"-CAfile", site.pki().file("issuing.crt"), "-partial_chain", "-no-CApath", "-no-CAstore",
                               "-Verify", "3", "-verify_return_error"}));
  const Ended second = check_site(site.site_of(knowing.port(), ", try: chain-variants"), {});
  EXPECT_EQ(second.code, 0) << second.out << knowing.last_words();
  EXPECT_THAT(second.out, HasSubstr("leaf-only: let in"));
}

TEST(Trials, AChainOfTheStoresThatIsRefusedIsTold) {
  const TrialSite& site = trial_site();
  SServer server(site.server(
      {"-CAfile", site.pki().file("root.crt"), "-no-CApath", "-no-CAstore", "-Verify", "3", "-verify_return_error"}));
  std::ifstream file(site.site_of(server.port(), ""));
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string fed = ", intermediates: intermediates";
  text.erase(text.find(fed), fed.size());  // its stores lack the issuing CA, and so does what Windows makes of them
  const Ended check = check_site(site.pki().openssl().dir().write("lacking.yaml", text), {"--chain-variants"});
  EXPECT_EQ(check.code, 1) << check.out << server.last_words();
  EXPECT_THAT(check.out, AllOf(HasSubstr("handshake.chain-matters"),
                               HasSubstr("in with full-chain and with-root, and refuses the same certificate with "
                                         "from-stores")));
}

TEST(Trials, WhatAServerAgreesTo) {
  const TrialSite& site = trial_site();
  SServer server(site.server({"-CAfile", site.pki().file("root.crt"), "-Verify", "3", "-tls1_2", "-cipher",
                              "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA256", "-serverpref"}));
  const std::string recording = site.pki().file("recording.json");
  const Ended check = check_site(site.site_of(server.port(), ""), {"--enumerate", "--record", recording});
  EXPECT_EQ(check.code, 0) << check.out << server.last_words();
  EXPECT_THAT(check.out,
              AllOf(HasSubstr("agrees to TLSv1.2 with TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "
                              "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
                    HasSubstr("Windows Server 2012 R2: TLSv1.2 with TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, and 1 "
                              "more")));
  const Ended again =
      mrascheck({"check", "--evidence", recording, "--format", "plugin", "-vv", "--max-output", "100000"});
  EXPECT_EQ(again.out, check.out);
  const Ended refused = mrascheck({"check", "--evidence", recording, "--enumerate"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("--enumerate tries something on the network"));
}

TEST(PluginTrials, OfRelaysNeedTheCredentialsOfMras) {
  const EdgePki& pki = trial_site().pki();
  for (const std::vector<std::string>& without :
       {std::vector<std::string>{"--no-mras"}, std::vector<std::string>{"--service", "sip"}}) {
    std::vector<std::string> options{"--relay"};
    options.insert(options.end(), without.begin(), without.end());
    const Ended refused = check_mras(pki.ask(5062, "fe1", options));
    EXPECT_EQ(refused.code, 3);
    EXPECT_THAT(refused.out, HasSubstr("--relay needs the credentials that MRAS grants"));
  }
}

TEST(PluginTrials, TellWhoElseIsLetIn) {
  const EdgePki& pki = trial_site().pki();
  pki.openssl().shell("openssl pkcs8 -topk8 -in stale.key -out stale-locked.key -passout pass:hidden");
  pki.openssl().dir().write("stale.pass", "hidden\n");
  SServer server(trial_site().server({"-CAfile", pki.file("root.crt"), "-no-CApath", "-no-CAstore", "-purpose", "any",
                                      "-Verify", "3", "-verify_return_error"}));
  const auto stranger = [&](const std::string& kind, const std::string& certificate, const std::string& key) {
    return kind + "=" + pki.file(certificate) + "," + pki.file(key);
  };
  const Ended check = check_mras(
      pki.ask(server.port(), "fe1",
              {"--no-mras", "-vv", "--chain", pki.file("issuing.crt"), "--max-output", "100000", "--identities",
               "--stranger", stranger("foreign-ca", "foreign.crt", "foreign.key"), "--stranger",
               stranger("stale-ca", "stale.crt", "stale-locked.key") + ",file:" + pki.file("stale.pass"), "--stranger",
               stranger("expired", "expired.crt", "expired.key"), "--stranger",
               stranger("server-only", "server-only.crt", "server-only.key")}));
  EXPECT_EQ(check.code, 0) << check.out << server.last_words();
  for (const char* said : {"client certificates are required; it names 1 issuer in 30 bytes, ours among them; its own "
                           "certificate: let in; "
                           "no certificate: refused: certificate_required "
                           "(expected: refuse);",
                           "foreign-ca (fe1.contoso.example): refused: unknown_ca (expected: refuse)",
                           "stale-ca (fe1.contoso.example): refused: unknown_ca (expected: refuse)",
                           "expired (fe1.contoso.example): refused: certificate_expired (expected: refuse)",
                           "server-only (fe1.contoso.example): let in: the server stayed quiet for"})
    EXPECT_THAT(check.out, HasSubstr(said));
}

struct StrangerCase {
  const char* name;
  Words words;
  const char* said;
};
class WrongStranger : public testing::TestWithParam<StrangerCase> {};

TEST_P(WrongStranger, IsRefused) {
  Words words = GetParam().words;
  words.emplace_back("--no-mras");
  const Ended check = check_mras(trial_site().pki().ask(5062, "fe1", words));
  EXPECT_EQ(check.code, 3);
  EXPECT_THAT(check.out, testing::StartsWith(std::string{"MRAS UNKNOWN - "} + GetParam().said));
}
INSTANTIATE_TEST_SUITE_P(
    CommandLine, WrongStranger,
    testing::Values(
        StrangerCase{"NotTried", {"--stranger", "expired=a,b"}, "--stranger without --identities: nothing would be"},
        StrangerCase{"NoKind",
                     {"--identities", "--stranger", "guest=a,b"},
                     "--stranger guest=a,b: KIND is foreign-ca, stale-ca, expired or server-only"},
        StrangerCase{"NoKey",
                     {"--identities", "--stranger", "expired=a"},
                     "--stranger expired=a: not KIND=FILE,KEY or KIND=FILE,KEY,SOURCE"},
        StrangerCase{"EmptyKey",
                     {"--identities", "--stranger", "expired=a,,file:x"},
                     "--stranger expired=a,: not KIND=FILE,KEY or KIND=FILE,KEY,SOURCE"},
        StrangerCase{"PassphraseItself",
                     {"--identities", "--stranger", "expired=a,b,hidden"},
                     "--stranger expired=a,b: a secret must not stand here itself"},
        StrangerCase{"OfALinkThatIsToBeRefused",
                     {"--identities", "--expect", "refuse"},
                     "--identities and --expect refuse exclude each other"},
        StrangerCase{"ChainsOfALinkThatIsToBeRefused",
                     {"--chain-variants", "--expect", "refuse"},
                     "--chain-variants and --expect refuse exclude each other"}),
    [](const auto& row) { return row.param.name; });

TEST(Trials, AFileThatCannotBeReadIsUnknown) {
  const TrialSite& site = trial_site();
  SServer server(site.server({"-CAfile", site.pki().file("root.crt"), "-no-CApath", "-no-CAstore", "-Verify", "3",
                              "-verify_return_error", "-purpose", "any"}));
  site.pki().openssl().dir().write("broken.crt", "nothing");
  std::ifstream file(site.site_of(server.port(), ""));
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t at = text.find("foreign.crt");
  text.replace(at, 11, "broken.crt");
  const Ended check = check_site(site.pki().openssl().dir().write("broken.yaml", text), {"--identities"});
  EXPECT_EQ(check.code, 3) << check.out;
  EXPECT_THAT(check.out, AllOf(HasSubstr("handshake.trial-undecided"), HasSubstr("broken.crt: neither PEM nor DER")));
}

}  // namespace
}  // namespace mrascheck::test

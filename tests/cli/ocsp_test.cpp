// SPDX-License-Identifier: Apache-2.0
// --ocsp and stapling as their user sees them: openssl ocsp answers behind python's http.server, openssl s_server
// staples.
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "cli/words.hpp"
#include "support/http_server.hpp"
#include "support/openssl_cli.hpp"
#include "support/program.hpp"
#include "support/s_server.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// fe1 and edge1 of one CA, whose responder both name. fe1 is revoked, and edge1 is not.
class OcspOption : public testing::Test {
 protected:
  OcspOption()
      : web_(
            openssl_.dir().path().string(),
            "openssl ocsp -index index.txt -CA issuing.crt -rsigner $(cat signer).crt -rkey $(cat signer).key -reqin - "
            "-respout - -ndays 1 -noverify 2>/dev/null",
            "application/ocsp-response") {
    openssl_.self_signed("root", "/CN=Contoso Root CA", ca_extensions);
    openssl_.issued("issuing", "/CN=Contoso Issuing CA", "root", ca_extensions);
    openssl_.issued("responder", "/CN=OCSP", "issuing", "extendedKeyUsage=OCSPSigning\n");
    for (const std::string name : {"fe1", "edge1"}) {
      openssl_.issued(name, fmt::format("/CN={}.contoso.example", name), "issuing",
                      fmt::format("extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:{}.contoso.example\n"
                                  "authorityInfoAccess=OCSP;URI:{}",
                                  name, url()));
    }
    openssl_.shell(
        "touch index.txt; printf responder > signer; cat fe1.crt issuing.crt > fe1.pem;"
        "printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=index.txt\\ndefault_md=sha256\\n' > ca.cnf;"
        "ca='openssl ca -config ca.cnf -keyfile issuing.key -cert issuing.crt'; $ca -valid edge1.crt;"
        "$ca -revoke fe1.crt -crl_reason keyCompromise");
  }

  std::string file(const std::string& name) const { return openssl_.dir() / name; }
  std::string url() const { return web_.url("pki.contoso.example", "ocsp"); }
  void edge(std::vector<std::string> more = {}) {
    std::vector<std::string> all{"-cert",       file("edge1.crt"),   "-key",    file("edge1.key"),
                                 "-cert_chain", file("issuing.crt"), "-Verify", "3",
                                 "-CAfile",     file("root.crt")};
    all.insert(all.end(), more.begin(), more.end());
    edge_ = std::make_unique<SServer>(std::move(all));
  }
  std::string site(const std::string& more = {}) const {
    return openssl_.dir().write(
        "site.yaml",
        fmt::format("site: Contoso\n"
                    "stores:\n  - {{name: roots, kind: root, file: root.crt}}\n"
                    "servers:\n"
                    "  - {{name: fe1.contoso.example, role: front-end, certificate: fe1.pem, key: fe1.key, trusts: "
                    "roots}}\n"
                    "  - {{name: edge1.contoso.example, role: edge, addresses: 127.0.0.1, trusts: roots}}\n"
                    "links:\n"
                    "  - {{from: fe1.contoso.example, to: edge1.contoso.example, port: {}, service: tls}}\n"
                    "resolve: {{pki.contoso.example: 127.0.0.1}}\n{}",
                    edge_->port(), more));
  }
  Ended check(const std::vector<std::string>& more, const std::string& configured = {}) const {
    std::vector<std::string> all{"check", "-c", site(configured), "-vv"};
    all.insert(all.end(), more.begin(), more.end());
    return mrascheck(all);
  }

  OpensslCli openssl_;
  HttpServer web_;
  std::unique_ptr<SServer> edge_;
};

TEST_F(OcspOption, ARevokedCertificateIsToldAndAGoodOneNoted) {
  edge();
  const Ended without = check({});
  EXPECT_EQ(without.code, 0) << without.out;
  EXPECT_THAT(without.out, Not(HasSubstr("ocsp-state: ")));
  const std::string recording = file("recording.json");
  const Ended ended = check({"--ocsp", "--record", recording});
  EXPECT_EQ(ended.code, 2) << ended.err;
  EXPECT_THAT(
      flat(ended.out),
      AllOf(HasSubstr("CRITICAL [ocsp-state.revoked] fe1.contoso.example of fe1.contoso.example is revoked, says " +
                      url()),
            HasSubstr("reason keyCompromise"), HasSubstr("signed by CN=OCSP, which the CA named"),
            HasSubstr(fmt::format("edge1.contoso.example is not revoked, says the responder {}", url()))));
  EXPECT_EQ(web_.requests(), (std::vector<std::string>{"POST /ocsp HTTP/1.1", "POST /ocsp HTTP/1.1"}));
  const Ended again = mrascheck({"check", "--evidence", recording, "-vv", "--record", file("again.json")});
  EXPECT_EQ(again.out, ended.out);
  EXPECT_EQ(openssl_.dir().read("again.json"), openssl_.dir().read("recording.json"));
}

TEST_F(OcspOption, AResponderThatIsSignedForByTheWrongOneIsNotBelieved) {
  edge();
  openssl_.issued("unfit", "/CN=Web", "issuing", "extendedKeyUsage=serverAuth\n");
  openssl_.shell("printf unfit > signer");
  const Ended ended = check({}, "ocsp: true\n");
  EXPECT_EQ(ended.code, 1) << ended.out;
  EXPECT_THAT(flat(ended.out), AllOf(HasSubstr("WARNING [ocsp-state.untrusted]"), HasSubstr("it says: revoked"),
                                     HasSubstr("CN=Web, which signed it, is not for OCSP signing"),
                                     Not(HasSubstr("ocsp-state.revoked"))));
}

TEST_F(OcspOption, WhoGivesNoAnswerIsToldOnceForEachAndInsistedOnOnlyOnRequest) {
  edge();
  openssl_.shell("rm index.txt");
  const Ended soft = check({"--ocsp"});
  EXPECT_EQ(soft.code, 1) << soft.out;
  EXPECT_THAT(flat(soft.out), AllOf(HasSubstr("WARNING [ocsp-state.no-answer] whether edge1.contoso.example of "
                                              "edge1.contoso.example is revoked could not be told by the responder"),
                                    HasSubstr("not an OCSP response"), Not(HasSubstr("crl-state.not-shown"))));
  const Ended hard = check({"--ocsp", "--revocation", "hard"});
  EXPECT_EQ(hard.code, 2) << hard.out;
  EXPECT_THAT(flat(hard.out),
              HasSubstr("CRITICAL [crl-state.not-shown] nothing at hand shows that edge1.contoso.example "
                        "of edge1.contoso.example is not revoked"));
  web_.requests();  // and it is gone
  const Ended gone = check({"--ocsp"}, "revocation: hard\n");
  EXPECT_EQ(gone.code, 2) << gone.out;
  EXPECT_THAT(flat(gone.out), AllOf(HasSubstr("ocsp-state.no-answer"), HasSubstr("crl-state.not-shown"),
                                    HasSubstr("See that the responder runs")));
  const Ended word = check({"--revocation", "often"});
  EXPECT_EQ(word.code, 3);
  EXPECT_THAT(word.err, HasSubstr("--revocation often: it is soft or hard"));
}

TEST_F(OcspOption, WhatAServerStaplesIsReadUnasked) {
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    openssl_.shell(
        "openssl ocsp -issuer issuing.crt -cert edge1.crt -no_nonce -reqout edge1.req;"
        "openssl ocsp -index index.txt -CA issuing.crt -rsigner responder.crt -rkey responder.key -reqin edge1.req "
        "-respout edge1.resp -ndays 1");
    edge({"-status_file", file("edge1.resp"), version});
    const Ended good = check({});
    EXPECT_EQ(good.code, 0) << good.out;
    EXPECT_THAT(flat(good.out), HasSubstr("edge1.contoso.example is not revoked, says the answer that came along with "
                                          "fe1.contoso.example -> edge1.contoso.example (127.0.0.1:"));
  }
  openssl_.shell(
      "openssl ca -config ca.cnf -keyfile issuing.key -cert issuing.crt -revoke edge1.crt;"
      "openssl ocsp -index index.txt -CA issuing.crt -rsigner responder.crt -rkey responder.key -reqin edge1.req "
      "-respout edge1.resp -ndays 1");
  edge({"-status_file", file("edge1.resp")});
  const Ended revoked = check({"--record", file("stapled.json")});
  EXPECT_EQ(revoked.code, 2) << revoked.out;
  EXPECT_THAT(flat(revoked.out), HasSubstr("CRITICAL [ocsp-state.revoked] edge1.contoso.example of "
                                           "edge1.contoso.example is revoked, says what its server staples"));
  EXPECT_EQ(mrascheck({"check", "--evidence", file("stapled.json"), "-vv"}).out, revoked.out);
}

TEST_F(OcspOption, ThePluginHasIt) {
  edge();
  const Ended ended = check_mras({"-H", "edge1.contoso.example", "--resolve", "edge1.contoso.example=127.0.0.1",
                                  "--resolve", "pki.contoso.example=127.0.0.1", "-p", std::to_string(edge_->port()),
                                  "--certificate", file("fe1.pem"), "--key", file("fe1.key"), "--trust",
                                  file("root.crt"), "--no-mras", "--ocsp", "--revocation", "hard", "-vv"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(flat(ended.out), AllOf(HasSubstr("ocsp-state.revoked"), HasSubstr("crl-state.not-shown"),
                                     HasSubstr("Contoso Issuing CA")));
  const Ended wrong = check_mras({"-H", "edge1.contoso.example", "--certificate", file("fe1.pem"), "--key",
                                  file("fe1.key"), "--trust", file("root.crt"), "--no-mras", "--revocation", "no"});
  EXPECT_EQ(wrong.code, 3);
  EXPECT_THAT(wrong.out, HasSubstr("--revocation no: it is soft or hard"));
}

TEST(OcspOptionAlone, DoesNotGoWithARecording) {
  const Ended replayed = mrascheck({"check", "--evidence", world("healthy-pool"), "--ocsp"});
  EXPECT_EQ(replayed.code, 3);
  EXPECT_THAT(replayed.err, HasSubstr("--ocsp asks the network, and a recording is judged without it"));
}

}  // namespace
}  // namespace mrascheck::test

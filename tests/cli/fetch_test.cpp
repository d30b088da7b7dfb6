// SPDX-License-Identifier: Apache-2.0
// --fetch as its user sees it: python's http.server hands out what the certificates name, openssl s_server is the Edge.
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <sstream>
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

/// fe1 and edge1 of "Contoso Issuing CA", which stands in no store: only by http can one get at it.
class FetchOption : public testing::Test {
 protected:
  FetchOption() : web_(openssl_.dir().path().string()) {
    openssl_.self_signed("root", "/CN=Contoso Root CA", ca_extensions);
    openssl_.issued("issuing", "/CN=Contoso Issuing CA", "root", ca_extensions);
    for (const std::string name : {"fe1", "edge1"}) {
      openssl_.issued(name, fmt::format("/CN={}.contoso.example", name), "issuing",
                      fmt::format("extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:{}.contoso.example\n"
                                  "authorityInfoAccess=caIssuers;URI:{}\ncrlDistributionPoints=URI:{}",
                                  name, url("issuing.crt"), url("issuing.crl")));
    }
    openssl_.shell(
        "touch index.txt; printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=index.txt\\ndefault_md=sha256\\n' > ca.cnf;"
        "openssl ca -config ca.cnf -revoke fe1.crt -keyfile issuing.key -cert issuing.crt;"
        "openssl ca -config ca.cnf -gencrl -crldays 7 -keyfile issuing.key -cert issuing.crt -out issuing.crl");
    edge_ = std::make_unique<SServer>(std::vector<std::string>{"-cert", file("edge1.crt"), "-key", file("edge1.key")});
  }

  std::string file(const std::string& name) const { return openssl_.dir() / name; }
  std::string url(const std::string& name) const { return web_.url("pki.contoso.example", name); }
  std::string site(const std::string& more = {}) const {
    return openssl_.dir().write(
        "site.yaml",
        fmt::format("site: Contoso\n"
                    "stores:\n  - {{name: roots, kind: root, file: root.crt}}\n"
                    "servers:\n"
                    "  - {{name: fe1.contoso.example, role: front-end, certificate: fe1.crt, key: fe1.key, trusts: "
                    "roots}}\n"
                    "  - {{name: edge1.contoso.example, role: edge, addresses: 127.0.0.1, trusts: roots}}\n"
                    "links:\n"
                    "  - {{from: fe1.contoso.example, to: edge1.contoso.example, port: {}, service: tls}}\n"
                    "resolve: {{pki.contoso.example: 127.0.0.1}}\n{}",
                    edge_->port(), more));
  }

  OpensslCli openssl_;
  HttpServer web_;
  std::unique_ptr<SServer> edge_;
};

TEST_F(FetchOption, WhatIsFetchedIsJudgedAndCompletesNoPath) {
  const Ended without = mrascheck({"check", "-c", site(), "-vv"});
  EXPECT_THAT(without.out, Not(HasSubstr("fetched")));
  EXPECT_THAT(without.out, Not(HasSubstr("crl-state.revoked")));

  const Ended ended = mrascheck({"check", "-c", site(), "--fetch", "-vv"});
  EXPECT_EQ(ended.code, 2) << ended.err;
  EXPECT_THAT(
      flat(ended.out),
      AllOf(HasSubstr("crl-state.revoked"), HasSubstr("fe1.contoso.example of fe1.contoso.example is revoked"),
            HasSubstr(fmt::format("in {}: fetched", url("issuing.crl"))), HasSubstr("certification-path.incomplete"),
            HasSubstr(
                fmt::format("the missing issuer should be at {} (fetched: 1 certificate there)", url("issuing.crt")))));
  EXPECT_EQ(web_.requests(), (std::vector<std::string>{"GET /issuing.crl HTTP/1.1", "GET /issuing.crt HTTP/1.1"}));
}

TEST_F(FetchOption, ARecordingIsJudgedToTheSameBytesWithoutTheWebServer) {
  const std::string recording = file("recording.json");
  const Ended live = mrascheck({"check", "-c", site("fetch: true\n"), "-vv", "--record", recording});
  EXPECT_EQ(live.code, 2) << live.err;
  EXPECT_THAT(live.out, HasSubstr("crl-state.revoked"));
  web_.requests();  // and it is gone
  const std::string again = file("again.json");
  const Ended replayed = mrascheck({"check", "--evidence", recording, "-vv", "--record", again});
  EXPECT_EQ(replayed.out, live.out);
  EXPECT_EQ(replayed.code, live.code);
  EXPECT_EQ(openssl_.dir().read("again.json"), openssl_.dir().read("recording.json"));
  const Ended graph = mrascheck({"graph", "--evidence", recording});
  EXPECT_THAT(graph.out, HasSubstr(url("issuing.crt")));
}

TEST_F(FetchOption, WhatIsNotToBeHadIsUnknownBecauseOfThat) {
  openssl_.shell("rm issuing.crt issuing.crl; printf '<html>Sign in</html>' > issuing.crl");
  const Ended ended = mrascheck({"check", "-c", site(), "--fetch", "--only", "crl-state"});
  EXPECT_EQ(ended.code, 3) << ended.out;
  EXPECT_THAT(flat(ended.out),
              AllOf(HasSubstr(fmt::format("{}: the web server answers 404 (Not Found)", url("issuing.crt"))),
                    HasSubstr(fmt::format("{}: what is there is neither a certificate nor a revocation list",
                                          url("issuing.crl"))),
                    HasSubstr("certutil -crl on the CA")));
  const Ended path = mrascheck({"check", "-c", site(), "--fetch", "--only", "certification-path"});
  EXPECT_THAT(flat(path.out),
              HasSubstr(fmt::format("{} (not to be had: the web server answers 404 (Not Found))", url("issuing.crt"))));
}

TEST_F(FetchOption, TheOtherCommandsHaveItToo) {
  openssl_.shell("rm issuing.crl");
  for (const char* command : {"issuers", "cleanup", "graph"}) {
    EXPECT_EQ(mrascheck({command, "-c", site()}).code, 0) << command;
    const Ended ended = mrascheck({command, "-c", site(), "--fetch"});
    EXPECT_EQ(ended.code, 3) << command << ended.err;
  }
  const std::vector<std::string> asked = web_.requests();
  EXPECT_EQ(std::count(asked.begin(), asked.end(), "GET /issuing.crl HTTP/1.1"), 3);
  EXPECT_EQ(std::count(asked.begin(), asked.end(), "GET /issuing.crt HTTP/1.1"), 3);
}

TEST_F(FetchOption, ThePluginHasIt) {
  const Ended ended = check_mras({"-H", "edge1.contoso.example", "--resolve", "edge1.contoso.example=127.0.0.1",
                                  "--resolve", "pki.contoso.example=127.0.0.1", "-p", std::to_string(edge_->port()),
                                  "--certificate", file("fe1.crt"), "--key", file("fe1.key"), "--trust",
                                  file("root.crt"), "--no-mras", "--fetch", "-vv"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.out, HasSubstr("crl-state.revoked"));
}

TEST(FetchOptionAlone, DoesNotGoWithWhatLooksAtNothing) {
  const std::string recording = MRASCHECK_SOURCE_DIR "/fixtures/worlds/healthy-pool/evidence.json";
  const Ended replayed = mrascheck({"check", "--evidence", recording, "--fetch"});
  EXPECT_EQ(replayed.code, 3);
  EXPECT_EQ(replayed.err,
            "UNKNOWN: nothing was looked at: 1 problem\n"
            "--fetch asks the network, and a recording is judged without it\n");
  const std::string certificate = MRASCHECK_SOURCE_DIR "/fixtures/pki/issuers/root-r1.pem";
  for (const char* command : {"issuers", "graph"}) {
    const Ended files = mrascheck({command, certificate, "--fetch"});
    EXPECT_EQ(files.code, 3);
    EXPECT_EQ(files.err, "UNKNOWN: --fetch does not go with files of certificates\n") << command;
  }
}

}  // namespace
}  // namespace mrascheck::test

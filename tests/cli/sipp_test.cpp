// SPDX-License-Identifier: Apache-2.0
// sipp behind stunnel as the Edge: TLS by one foreign hand, SIP by another, and check_mras in between asks for
// credentials.
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "cli/edge_pki.hpp"
#include "support/sipp.hpp"
#include "support/slapd.hpp"

namespace mrascheck::test {
namespace {

using testing::HasSubstr;

/// stunnel with mutual TLS on a free port of 127.0.0.1, handing on what comes to another port. It is gone with this.
class Stunnel {
 public:
  Stunnel(const EdgePki& pki, int behind)
      : port_(free_port()),
        child_({{"stunnel4",
                 dir_.write("stunnel.conf",
                            "foreground = yes\npid =\nsyslog = no\n[edge]\naccept = 127.0.0.1:" +
                                std::to_string(port_) + "\nconnect = 127.0.0.1:" + std::to_string(behind) +
                                "\ncert = " + pki.file("edge-and-chain.pem") + "\nkey = " + pki.file("edge.key") +
                                "\nCAfile = " + pki.file("root.crt") + "\nverifyChain = yes\n")},
                {},
                {}}) {
    if (!listens_soon(port_)) throw std::runtime_error("stunnel4 did not start");
  }

  int port() const { return port_; }
  /// Stops it; what it logged.
  std::string last_words() {
    child_.signal(SIGTERM);
    return child_.wait().err;
  }

 private:
  TempDir dir_;
  int port_;
  Child child_;
};

struct SippCase {
  const char* name;
  const char* scenario;
  int code;
  std::vector<const char*> shows;
  int calls = 1;
  std::vector<std::string> options = {"--location", "intranet"};
};

class SippAsEdge : public testing::TestWithParam<SippCase> {};

TEST_P(SippAsEdge, AcceptsTheRequestAndIsReported) {
  const SippCase& c = GetParam();
  const EdgePki pki;
  pki.openssl().shell("cat edge.crt issuing.crt > edge-and-chain.pem");
  Sipp sipp(c.scenario, c.calls);
  Stunnel stunnel(pki, sipp.port());
  std::vector<std::string> more{"--chain", pki.file("issuing.crt"), "--identity", "sip:probe@contoso.example", "-vv"};
  more.insert(more.end(), c.options.begin(), c.options.end());
  const Ended check = check_mras(pki.ask(stunnel.port(), "fe1", more));
  EXPECT_EQ(sipp.exit_code(), 0) << sipp.errors();
  EXPECT_EQ(check.code, c.code) << check.out << stunnel.last_words();
  EXPECT_EQ(check.err, "");
  // The report is broken into lines for a terminal; what it says is looked for without them.
  std::string flat;
  for (const char byte : check.out) {
    if (byte != '\n' && byte != ' ')
      flat += byte;
    else if (!flat.ends_with(' '))
      flat += ' ';
  }
  for (const char* text : c.shows) EXPECT_THAT(flat, HasSubstr(text));
}

INSTANTIATE_TEST_SUITE_P(
    CommandLine, SippAsEdge,
    testing::Values(
        SippCase{
            "Granted",
            "mras-200",
            0,
            {"MRAS OK - ", "edge1.contoso.example", "av.contoso.example",
             "edge1.contoso.example udp 3478 tcp 443 (intranet)", "av.contoso.example udp 3478 tcp 443 (internet)"}},
        SippCase{"GrantedAfterProvisional", "mras-200-after-provisional", 0, {"MRAS OK - ", "av.contoso.example"}},
        SippCase{"BothLocations",
                 "mras-200",
                 0,
                 {"MRAS OK - ", "edge1.contoso.example udp 3478 tcp 443 (intranet)",
                  "av.contoso.example udp 3478 tcp 443 (internet)"},
                 2,
                 {}},
        SippCase{"Internet", "mras-internet", 0, {"MRAS OK - ", "(internet)"}, 1, {"--location", "internet"}},
        SippCase{"Ocs2007R2",
                 "mras-version-1",
                 0,
                 {"MRAS OK - ", "credentials for 480 min; of version 1"},
                 1,
                 {"--location", "intranet", "--profile", "ocs2007r2"}},
        SippCase{"AnotherVersion",
                 "mras-version-mismatch",
                 1,
                 {"mras-credentials.version-differs", "does not speak version 2.0, which", "asks in as lync2010",
                  "asked again in its own, 1.0", "credentials for 480 min"},
                 2},
        SippCase{"SeveralRelays",
                 "mras-several-relays",
                 0,
                 {"192.0.2.11 udp 3478 (intranet)", "edge2.contoso.example tcp 443 (intranet)",
                  "av.contoso.example udp 3478 tcp 443 (internet)"}},
        SippCase{"CompactForms", "mras-compact", 0, {"MRAS OK - ", "credentials for 480 min"}},
        SippCase{"RefusedInsideA200", "mras-not-ok", 2, {"mras-credentials.refused", "Not Supported"}},
        SippCase{"OptionsAlone", "options-200", 0, {"OPTIONS answered: 200 OK"}, 1, {"--service", "sip"}},
        SippCase{"Answered403", "mras-403", 2, {"mras-credentials.sip-error", "with 403 "}},
        SippCase{"Answered404", "mras-404", 2, {"mras-credentials.sip-error", "with 404 "}},
        SippCase{"Answered500", "mras-500", 2, {"mras-credentials.sip-error", "with 500 "}},
        SippCase{"Answered504With1038",
                 "mras-504-1038",
                 2,
                 {"mras-credentials.sip-error", "1038", "10061", "same name and different thumbprints"}},
        SippCase{"Answered504With2",
                 "mras-504-2",
                 2,
                 {"mras-credentials.sip-error", "0xC3E93C69", "patch the Edge to the Front End's level"}}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
// The whole program against every world of the lab, by exit code and finding; and the demo that ./bootstrap plays.
#include <gmock/gmock-matchers.h>

#include <filesystem>

#include "lab/lab_site.hpp"

namespace mrascheck::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string program = MRASCHECK_BIN_DIR "/mrascheck";

/// `text` with every run of white space as one blank: lines are broken where they are full.
std::string unwrapped(const std::string& text) {
  std::istringstream words(text);
  std::string result;
  for (std::string word; words >> word;) result += (result.empty() ? "" : " ") + word;
  return result;
}

struct DemoCase {
  const char* name;
  const char* world;
  const char* fault;  ///< or nothing
  int code;
  const char* says;
};

class LabCheck : public testing::TestWithParam<DemoCase> {};

TEST_P(LabCheck, EndsAsTheWorldDeserves) {
  const DemoCase& c = GetParam();
  const LabSite site(c.world,
                     c.fault == nullptr ? std::vector<std::string>{} : std::vector<std::string>{"--fault", c.fault});
  Program check({program, "check", "-c", site.file("site.yaml"), "--timeout", "2s"});
  EXPECT_EQ(check.finish(), c.code) << check.output();
  EXPECT_THAT(unwrapped(check.output()), HasSubstr(c.says));
}

INSTANTIATE_TEST_SUITE_P(
    Worlds, LabCheck,
    testing::Values(
        DemoCase{"Healthy", "healthy", nullptr, 0, "relay edge.contoso.example udp "},
        DemoCase{"StaleIssuingCa", "stale-issuing-ca", nullptr, 2, "[same-name-issuers.stale]"},
        DemoCase{"UnpatchedEdge", "unpatched-edge", nullptr, 2, "SIPPROXY_E_CONNECTION_FAILED"},
        DemoCase{"EdgeRefusesConnection", "edge-refuses-connection", nullptr, 2, "[port-reachable.refused]"},
        DemoCase{"EdgeDistrustsFrontEnd", "edge-distrusts-front-end", nullptr, 2, "[handshake.rejected-by-peer]"},
        DemoCase{"FrontEndDistrustsEdge", "front-end-distrusts-edge", nullptr, 2, "[handshake.rejected-by-us]"},
        DemoCase{"ExpiredEdge", "expired-edge", nullptr, 2, "[validity.expired]"},
        DemoCase{"EdgeGoesSilent", "edge-goes-silent", nullptr, 2, "[mras-credentials.no-answer]"},
        DemoCase{"Http", "healthy", "http", 2, "[handshake.not-tls]"},
        DemoCase{"Reset", "healthy", "reset", 2, "[handshake.reset]"},
        DemoCase{"SilentAccept", "healthy", "silent-accept", 2, "[handshake.timed-out]"},
        DemoCase{"NoClientCert", "healthy", "no-client-cert", 1, "[handshake.no-client-certificate-asked]"},
        DemoCase{"LongHeader", "healthy", "long-header", 2, "[mras-credentials.not-sip]"},
        DemoCase{"ShortBody", "healthy", "short-body", 2, "[mras-credentials.no-answer]"},
        DemoCase{"LongBody", "healthy", "long-body", 2, "[mras-credentials.unreadable]"},
        DemoCase{"BadXml", "healthy", "bad-xml", 2, "[mras-credentials.unreadable]"},
        DemoCase{"OtherCallId", "healthy", "other-call-id", 2, "[mras-credentials.no-answer]"},
        DemoCase{"Sip403", "healthy", "sip-403", 2, "with 403"},
        DemoCase{"Sip404", "healthy", "sip-404", 2, "with 404"},
        DemoCase{"Sip500", "healthy", "sip-500", 2, "with 500"},
        DemoCase{"Sip504Bare", "healthy", "sip-504-bare", 2, "with 504"},
        DemoCase{"Sip504With1038", "healthy", "sip-504-1038", 2, "ms-diagnostics: 1038"},
        DemoCase{"Tls12Only", "healthy", "tls12-only", 0, "TLSv1.2"},
        DemoCase{"Tls13Only", "healthy", "tls13-only", 0, "TLSv1.3"},
        DemoCase{"MrasNotOk", "healthy", "mras-not-ok", 2, "[mras-credentials.refused]"},
        DemoCase{"Provisional", "healthy", "provisional", 0, "relay edge.contoso.example"}),
    [](const auto& row) { return row.param.name; });

TEST(LabCheckOrder, AsksNobodyForCredentialsWhomTheFrontEndDistrusts) {
  const LabSite site("front-end-distrusts-edge");
  Program check({program, "check", "-c", site.file("site.yaml")});
  check.finish();
  EXPECT_THAT(site.read("edge1.log") + site.read("edge2.log"), Not(HasSubstr("SERVICE received")));
}

/// The demo's working directories that exist now.
std::vector<std::string> demo_directories() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/tmp")) {
    if (entry.path().filename().string().starts_with("mrascheck-demo.")) found.push_back(entry.path());
  }
  return found;
}

std::string told_directory(const std::string& output) {
  const auto at = output.find("The files were in ");
  return at == std::string::npos ? "" : output.substr(at + 18, output.find(';', at) - at - 18);
}

TEST(Demo, TellsTheStoryToItsGoodEnd) {
  Program demo({MRASCHECK_SOURCE_DIR "/fixtures/demo/demo.sh", MRASCHECK_BIN_DIR});
  EXPECT_EQ(demo.finish(), 0) << demo.output();
  EXPECT_THAT(demo.output(), HasSubstr("exit code 2, as expected"));
  EXPECT_THAT(demo.output(), HasSubstr("verify error 20: unable to get local issuer certificate"));
  EXPECT_THAT(demo.output(), HasSubstr("exit code 0, as expected"));
  EXPECT_THAT(demo.output(), HasSubstr("nothing is left running"));
  EXPECT_THAT(demo_directories(), Not(testing::Contains(told_directory(demo.output()))));
}

TEST(Demo, FailsAndCleansUpWhenACheckEndsOtherwise) {
  const TempDir bin;
  std::filesystem::create_symlink(lab_program, bin / "mrascheck-lab");
  bin.write("mrascheck", "#!/bin/sh\nexit 0\n");
  std::filesystem::permissions(bin / "mrascheck", std::filesystem::perms::owner_all);
  Program demo({MRASCHECK_SOURCE_DIR "/fixtures/demo/demo.sh", bin.path().string()});
  EXPECT_EQ(demo.finish(), 1);
  EXPECT_THAT(demo.output(), HasSubstr("the check ended with exit code 0, and 2 was expected"));
  EXPECT_THAT(demo.output(), HasSubstr("nothing is left running"));
  EXPECT_THAT(demo_directories(), Not(testing::Contains(told_directory(demo.output()))));
}

}  // namespace
}  // namespace mrascheck::test

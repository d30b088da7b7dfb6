// SPDX-License-Identifier: Apache-2.0
// Every world and every fault of the lab through the whole program, and every world once more from its recording.
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "lab/lab_site.hpp"
#include "support/program.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::ElementsAreArray;
using testing::HasSubstr;
using Codes = std::set<std::string>;

/// The finding codes in a report or in its JSON.
Codes codes_in(const std::string& json) {
  static constexpr std::string_view key = "\"code\": \"";
  Codes codes;
  for (std::size_t at = json.find(key); at != std::string::npos; at = json.find(key, at + 1)) {
    const std::size_t begin = at + key.size();
    codes.insert(json.substr(begin, json.find('"', begin) - begin));
  }
  return codes;
}

struct WorldCase {
  const char* name;
  const char* world;
  int code;
  Codes findings;
  const char* leads = "";  ///< what the report begins with behind its headline; empty: nothing is wrong
};

/// The second paragraph of a report, its lines joined.
std::string lead_of(const std::string& text) {
  const std::size_t begin = text.find("\n\n");
  if (begin == std::string::npos) return {};
  std::string lead = text.substr(begin + 2, text.find("\n\n", begin + 2) - begin - 2);
  for (std::size_t at = lead.find("\n  "); at != std::string::npos; at = lead.find("\n  ", at))
    lead.replace(at, 3, " ");
  return lead;
}

/// A site that a report was made of, in every format.
class LabReports {
 public:
  explicit LabReports(std::optional<LabSite>& site) : site_(site) {}

  Ended look() const { return check({"-c", site_->file("site.yaml"), "--record", dir_ / "recording.json"}, "first"); }
  Ended replay() const { return check({"--evidence", dir_ / "recording.json"}, "again"); }
  std::string read(const std::string& name) const { return dir_.read(name); }

 private:
  Ended check(std::vector<std::string> words, const std::string& run) const {
    words.insert(words.begin(), "check");
    for (const char* format : {"text", "plugin", "json"}) {
      words.insert(words.end(), {"--format", std::string(format) + "=" + (dir_ / (run + "." + format))});
    }
    words.insert(words.end(), {"--format", "json", "-vv"});
    return mrascheck(words);
  }

  std::optional<LabSite>& site_;
  TempDir dir_;
};

class WorldOfTheLab : public testing::TestWithParam<WorldCase> {};

TEST_P(WorldOfTheLab, IsFoundAndIsTheSameFromItsRecording) {
  const WorldCase& c = GetParam();
  std::optional<LabSite> site(c.world);
  const LabReports reports(site);
  const Ended look = reports.look();
  EXPECT_EQ(look.code, c.code) << look.out;
  EXPECT_EQ(look.err, "");
  EXPECT_THAT(codes_in(look.out), ElementsAreArray(c.findings));
  EXPECT_EQ(reports.read("first.json"), look.out);
  const std::string lead = lead_of(reports.read("first.text"));
  if (c.leads[0] == '\0') {
    EXPECT_TRUE(lead.starts_with("Fine")) << lead;
  } else {
    EXPECT_THAT(lead, testing::MatchesRegex(c.leads));
  }

  site.reset();
  const Ended replay = reports.replay();
  EXPECT_EQ(replay.code, c.code);
  EXPECT_EQ(replay.err, "");
  EXPECT_EQ(replay.out, look.out);
  for (const std::string format : {"text", "plugin", "json"}) {
    const std::string first = reports.read("first." + format);
    EXPECT_FALSE(first.empty()) << format;
    EXPECT_EQ(reports.read("again." + format), first);
  }
}

INSTANTIATE_TEST_SUITE_P(
    CommandLine, WorldOfTheLab,
    testing::Values(
        WorldCase{"Healthy", "healthy", 0, {}},
        WorldCase{"StaleIssuingCa",
                  "stale-issuing-ca",
                  2,
                  {"handshake.rejected-by-peer", "same-name-issuers.stale", "certification-path.signature"},
                  "CRITICAL: edge1 and edge2 refuse fe1, because fe1 sends a stale Contoso Issuing CA "
                  "\\([0-9A-F]{8}\\)"},
        WorldCase{"UnpatchedEdge",
                  "unpatched-edge",
                  2,
                  {"mras-credentials.sip-error", "server-versions.edge-behind", "server-versions.out-of-support"},
                  "CRITICAL: edge1.contoso.example answered the SERVICE of fe1.contoso.example with 504 Server "
                  "time-out; likewise edge2, probably because edge1.contoso.example has fewer updates than "
                  "fe1.contoso.example, which asks it for credentials"},
        WorldCase{"EdgeRefusesConnection",
                  "edge-refuses-connection",
                  2,
                  {"port-reachable.refused", "handshake.not-tried", "mras-credentials.not-asked"},
                  "CRITICAL: edge1.contoso.example refuses connections from here: nothing listens on "
                  "127.0.0.11:[0-9]+; likewise edge2"},
        WorldCase{"EdgeDistrustsFrontEnd",
                  "edge-distrusts-front-end",
                  2,
                  {"handshake.rejected-by-peer", "certification-path.incomplete", "mras-credentials.not-asked"},
                  "CRITICAL: edge1 and edge2 refuse fe1, because no certificate named CN=Contoso Root "
                  "CA,DC=contoso,DC=example, which issued Contoso Issuing CA \\([0-9A-F]{8}\\), is in their stores"},
        WorldCase{"FrontEndDistrustsEdge",
                  "front-end-distrusts-edge",
                  2,
                  {"handshake.rejected-by-us", "certification-path.incomplete", "mras-credentials.not-asked"},
                  "CRITICAL: fe1 refuses edge1 and edge2, because no certificate named CN=Fabrikam Root "
                  "CA,DC=contoso,DC=example, which issued Fabrikam Issuing CA \\([0-9A-F]{8}\\), is in its stores"},
        WorldCase{"ExpiredEdge",
                  "expired-edge",
                  2,
                  {"handshake.rejected-by-us", "certification-path.not-valid-now", "validity.expired",
                   "mras-credentials.not-asked"},
                  "CRITICAL: fe1 refuses edge[12], because edge.contoso.example of edge[12].contoso.example expired on "
                  "[-0-9T:]+Z.*"},
        WorldCase{"EdgeGoesSilent",
                  "edge-goes-silent",
                  2,
                  {"mras-credentials.no-answer"},
                  "CRITICAL: edge1.contoso.example took the SERVICE of fe1.contoso.example and gave no whole answer: "
                  "no answer: not one byte came; likewise edge2"}),
    [](const auto& row) { return row.param.name; });

TEST(StaleIssuingCaOfTheLab, IsToldByThumbprintWithItsStandingAndItsPlaces) {
  const LabSite site("stale-issuing-ca");
  const Ended check = mrascheck({"check", "-c", site.file("site.yaml"), "--format", "json"});
  EXPECT_EQ(check.code, 2);
  const auto thumbprint = [&](const std::string& file) {
    std::string print = site.shell("openssl x509 -noout -fingerprint -sha1 -in pki/" + file + ".pem");
    print.erase(0, print.find('=') + 1);
    std::erase_if(print, [](char c) { return c == ':' || c == '\n'; });
    return print;
  };
  const auto judged = [&](const std::string& file, const std::string& standing, const std::string& ca) {
    return standing + ": " + ca + ", thumbprint " + thumbprint(file) + ",";
  };
  EXPECT_THAT(check.out, AllOf(HasSubstr(judged("issuing", "current", "Contoso Issuing CA")),
                               HasSubstr(judged("issuing-1", "stale", "Contoso Issuing CA")),
                               HasSubstr(judged("issuing-2", "stale", "Contoso Issuing CA")),
                               HasSubstr(judged("issuing-3-old", "stale", "Contoso Issuing CA")),
                               HasSubstr(judged("root", "current", "Contoso Root CA")),
                               HasSubstr(judged("root-old", "stale", "Contoso Root CA"))));
  // The lab's own list is all that is called stale.
  std::istringstream listed(site.read("stale-thumbprints"));
  std::size_t stale = 0;
  for (std::string print; std::getline(listed, print); ++stale) {
    EXPECT_THAT(check.out, HasSubstr("thumbprint " + print)) << print;
  }
  std::size_t said = 0;
  for (std::size_t at = check.out.find("\"stale: "); at != std::string::npos; at = check.out.find("\"stale: ", at + 1))
    ++said;
  EXPECT_EQ(said, stale);
  EXPECT_THAT(check.out,
              AllOf(HasSubstr("reinstallation on the same key"), HasSubstr("redeployment"),
                    HasSubstr("cn=NTAuthCertificates,cn=Public Key Services"),
                    HasSubstr("stores/fe1-intermediate.pem (value 3)"), HasSubstr("with the TLS alert unknown_ca")));
  EXPECT_THAT(site.read("edge1.log"), HasSubstr("alert sent: fatal unknown CA (48)"));
}

struct FaultCase {
  const char* name;
  const char* fault;
  int code;
  Codes findings;
};

class FaultOfTheLab : public testing::TestWithParam<FaultCase> {};

TEST_P(FaultOfTheLab, IsFound) {
  const FaultCase& c = GetParam();
  const LabSite site("healthy", {"--fault", c.fault});
  const Ended check = mrascheck({"check", "-c", site.file("site.yaml"), "--format", "json"});
  EXPECT_EQ(check.code, c.code) << check.out;
  EXPECT_EQ(check.err, "");
  EXPECT_THAT(codes_in(check.out), ElementsAreArray(c.findings));
}

INSTANTIATE_TEST_SUITE_P(
    CommandLine, FaultOfTheLab,
    testing::Values(FaultCase{"Http", "http", 2, {"handshake.not-tls", "mras-credentials.not-asked"}},
                    FaultCase{"Reset", "reset", 2, {"handshake.reset", "mras-credentials.not-asked"}},
                    FaultCase{
                        "SilentAccept", "silent-accept", 2, {"handshake.timed-out", "mras-credentials.not-asked"}},
                    FaultCase{"LongHeader", "long-header", 2, {"mras-credentials.not-sip"}},
                    FaultCase{"ShortBody", "short-body", 2, {"mras-credentials.no-answer"}},
                    FaultCase{"LongBody", "long-body", 2, {"mras-credentials.unreadable"}},
                    FaultCase{"BadXml", "bad-xml", 2, {"mras-credentials.unreadable"}},
                    FaultCase{"OtherCallId", "other-call-id", 2, {"mras-credentials.no-answer"}},
                    FaultCase{"Sip403", "sip-403", 2, {"mras-credentials.sip-error"}},
                    FaultCase{"Sip404", "sip-404", 2, {"mras-credentials.sip-error"}},
                    FaultCase{"Sip500", "sip-500", 2, {"mras-credentials.sip-error"}},
                    FaultCase{"Sip504Bare", "sip-504-bare", 2, {"mras-credentials.sip-error"}},
                    FaultCase{"Sip504With1038", "sip-504-1038", 2, {"mras-credentials.sip-error"}},
                    FaultCase{"Tls12Only", "tls12-only", 0, {}}, FaultCase{"Tls13Only", "tls13-only", 0, {}},
                    FaultCase{"NoClientCertificate", "no-client-cert", 1, {"handshake.no-client-certificate-asked"}},
                    FaultCase{"MrasNotOk", "mras-not-ok", 2, {"mras-credentials.refused"}},
                    FaultCase{"Provisional", "provisional", 0, {}}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::test

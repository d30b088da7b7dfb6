// SPDX-License-Identifier: Apache-2.0
// The credentials of the lab's MRAS on the lab's relays: proven, rejected, and nowhere to be found afterwards.
#include <gmock/gmock-matchers.h>

#include <sstream>

#include "lab/lab_site.hpp"
#include "support/program.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Every word of credentials that was granted must be in none of `texts`, not in hexadecimal either.
void expect_no_credentials(const LabSite& site, const std::vector<std::string>& texts) {
  std::istringstream words(site.read("granted"));
  std::size_t seen = 0;
  for (std::string word; words >> word; ++seen) {
    ASSERT_GE(word.size(), 28U);
    const std::string bytes = site.shell("base64 -d <<<'" + word + "' | od -An -v -tx1 | tr -d ' \\n'");
    ASSERT_GE(bytes.size(), 40U);
    for (const std::string& text : texts) {
      EXPECT_THAT(text, Not(HasSubstr(word)));
      EXPECT_THAT(text, Not(HasSubstr(word.substr(8, 16)))) << "a part of it";
      EXPECT_THAT(text, Not(HasSubstr(bytes.substr(16, 32))));
    }
  }
  EXPECT_GE(seen, 4U) << "names and passwords of two Edges";
}

TEST(LabRelays, TakeWhatMrasGrants) {
  const LabSite site("healthy");
  const std::string recording = site.file("recording.json");
  const Ended check =
      mrascheck({"check", "-c", site.file("site.yaml"), "--relay", "-vvv", "--record", recording, "--format", "text",
                 "--format", "json=" + site.file("report.json"), "--format", "plugin=" + site.file("plugin.txt")});
  EXPECT_EQ(check.code, 0) << check.out << check.err;
  EXPECT_THAT(check.out, AllOf(HasSubstr("takes the credentials"), HasSubstr("given back"),
                               HasSubstr("relay_udp_edge1"), HasSubstr("relay_tcp_edge2")));
  expect_no_credentials(site, {check.out, check.err, site.read("recording.json"), site.read("report.json"),
                               site.read("plugin.txt"), site.read("edge1.log")});
  const Ended again = mrascheck({"check", "--evidence", recording, "-vvv"});
  EXPECT_EQ(again.code, 0) << again.out;
  EXPECT_THAT(again.out, HasSubstr("takes the credentials"));
  const Ended refused = mrascheck({"check", "--evidence", recording, "--relay"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("--relay tries something on the network"));

  const Ended unasked = mrascheck({"check", "-c", site.file("site.yaml"), "--record", site.file("unasked.json")});
  EXPECT_EQ(unasked.code, 0);
  EXPECT_THAT(site.read("unasked.json"), Not(HasSubstr("\"allocate_time_us\"")));

  const Ended plugin = check_mras({"-H",
                                   "127.0.0.11",
                                   "--name",
                                   "edge1.contoso.example",
                                   "--pool",
                                   "edge.contoso.example",
                                   "-p",
                                   site.port("edge_port"),
                                   "--certificate",
                                   site.file("pki/fe1.pem"),
                                   "--key",
                                   site.file("pki/fe1.key"),
                                   "--chain",
                                   site.file("pki/fe1-chain.pem"),
                                   "--trust",
                                   site.file("stores/edge-root.pem"),
                                   "--identity",
                                   "sip:probe@contoso.example",
                                   "--relay",
                                   "-vv",
                                   "-w",
                                   "relay-time=30"});
  EXPECT_THAT(plugin.out, HasSubstr("takes the credentials of edge1")) << plugin.err;
  EXPECT_THAT(plugin.out, HasSubstr("relay_udp_edge1="));
  expect_no_credentials(site, {plugin.out, plugin.err});
}

TEST(LabRelays, ThatRejectAreNamedWithTheirWord) {
  const LabSite site("healthy", {"--relay-fault", "wrong-integrity"});
  site.shell("echo 'relay: true' >> site.yaml");
  const Ended check =
      mrascheck({"check", "-c", site.file("site.yaml"), "-vvv", "--record", site.file("recording.json")});
  EXPECT_EQ(check.code, 2) << check.out << check.err;
  EXPECT_THAT(check.out, AllOf(HasSubstr("relay.credentials-rejected"), HasSubstr("431 Integrity Check Failure"),
                               HasSubstr("A/V authentication certificate")));
  expect_no_credentials(site, {check.out, check.err, site.read("recording.json")});
}

TEST(LabRelays, WithoutCredentialsAreNotTriedAndNotWell) {
  const LabSite site("healthy", {"--fault", "mras-not-ok"});
  const Ended check = mrascheck({"check", "-c", site.file("site.yaml"), "--relay", "--only", "relay"});
  EXPECT_EQ(check.code, 3) << check.out << check.err;
  EXPECT_THAT(check.out, AllOf(HasSubstr("relay.not-tried"), HasSubstr("MRAS granted no credentials there")));
}

}  // namespace
}  // namespace mrascheck::test

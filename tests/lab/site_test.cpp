// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock-matchers.h>

#include <filesystem>

#include "lab/lab_site.hpp"

namespace mrascheck::test {
namespace {

using testing::HasSubstr;

const std::string services = "CN=Public Key Services,CN=Services,CN=Configuration,DC=contoso,DC=example";
const std::string issuing_object = "CN=Contoso Issuing CA,CN=AIA," + services;
const std::string roots_object = "CN=Contoso Root CA,CN=Certification Authorities," + services;
const std::string ntauth_object = "CN=NTAuthCertificates," + services;
const std::string enrollment_object = "CN=Contoso Issuing CA,CN=Enrollment Services," + services;

/// Thumbprints of an object's cACertificate values, sorted, each on a line.
std::string published(const LabSite& site, const std::string& dn) {
  return site.shell("ldapsearch -LLL -x -o ldif_wrap=no -H ldap://127.0.0.1:$ldap_port -s base -b '" + dn +
                    "' cACertificate | sed -n 's/^cACertificate;binary:: //p' | while read -r value; do\n"
                    "  base64 -d <<<\"$value\" | openssl x509 -inform der -noout -fingerprint -sha1\ndone | sort");
}

std::string thumbprints(const LabSite& site, const std::string& files) {
  return site.shell("cd pki; for each in " + files +
                    "; do openssl x509 -in $each.pem -noout -fingerprint -sha1; done | sort");
}

TEST(LabDirectory, PublishesAHealthySite) {
  const LabSite site("healthy");
  EXPECT_EQ(site.shell("ldapsearch -LLL -x -H ldap://127.0.0.1:$ldap_port -s base -b '' configurationNamingContext"),
            "dn:\nconfigurationNamingContext: CN=Configuration,DC=contoso,DC=example\n\n");
  EXPECT_EQ(published(site, issuing_object), thumbprints(site, "issuing"));
  EXPECT_EQ(published(site, roots_object), thumbprints(site, "root"));
  EXPECT_EQ(published(site, ntauth_object), thumbprints(site, "issuing"));
  EXPECT_EQ(published(site, enrollment_object), thumbprints(site, "issuing"));
  EXPECT_FALSE(std::filesystem::exists(site.file("cleanup.ldif")));
}

TEST(LabDirectory, HoldsTheStaleOnesUntilTheyAreCleanedUp) {
  const LabSite site("stale-issuing-ca");
  EXPECT_EQ(published(site, issuing_object), thumbprints(site, "issuing-1 issuing-2 issuing-3-old issuing"));
  EXPECT_EQ(published(site, ntauth_object), thumbprints(site, "issuing-1 issuing-2 issuing-3-old issuing"));
  EXPECT_EQ(published(site, roots_object), thumbprints(site, "root-old root"));
  EXPECT_EQ(published(site, enrollment_object), thumbprints(site, "issuing"));
  int code = 0;
  const std::string said = site.shell(
      "ldapmodify -x -H $ldapi_uri -D CN=admin,DC=contoso,DC=example -y ldap-admin.pass -f cleanup.ldif 2>&1", &code);
  EXPECT_EQ(code, 0) << said;
  EXPECT_EQ(published(site, issuing_object), thumbprints(site, "issuing"));
  EXPECT_EQ(published(site, ntauth_object), thumbprints(site, "issuing"));
  EXPECT_EQ(published(site, roots_object), thumbprints(site, "root"));
}

TEST(LabStory, IsOneOfReinstallationsThatOpensslConfirms) {
  const LabSite site("stale-issuing-ca");
  const auto fact = [&](const std::string& file, const std::string& option) {
    return site.shell("openssl x509 -in pki/" + file + ".pem -noout " + option);
  };
  for (const char* stale : {"issuing-1", "issuing-2", "issuing-3-old"}) {
    EXPECT_EQ(fact(stale, "-subject"), fact("issuing", "-subject")) << stale;
    EXPECT_EQ(fact(stale, "-issuer"), fact("issuing", "-issuer")) << stale;
    EXPECT_NE(fact(stale, "-serial"), fact("issuing", "-serial")) << stale;
  }
  EXPECT_EQ(fact("issuing-3-old", "-pubkey"), fact("issuing", "-pubkey"));
  EXPECT_NE(fact("issuing-1", "-pubkey"), fact("issuing", "-pubkey"));
  EXPECT_NE(fact("issuing-2", "-pubkey"), fact("issuing", "-pubkey"));
  EXPECT_NE(fact("issuing-1", "-pubkey"), fact("issuing-2", "-pubkey"));
  EXPECT_EQ(fact("root-old", "-subject"), fact("root", "-subject"));
  EXPECT_NE(fact("root-old", "-pubkey"), fact("root", "-pubkey"));
  for (const char* file : {"root-old", "root", "issuing-1", "issuing-2", "issuing-3-old", "issuing"}) {
    EXPECT_THAT(fact(file, "-checkend 0"), HasSubstr("will not expire")) << file;
    // CA version 0: an INTEGER of one zero byte.
    EXPECT_THAT(site.shell("openssl asn1parse -in pki/" + std::string(file) + ".pem | grep -A1 1.3.6.1.4.1.311.21.1"),
                HasSubstr("[HEX DUMP]:020100"))
        << file;
  }
  // Both chains hold, each under its own root, and neither under the other.
  const auto verifies = [&](const std::string& root, const std::string& issuing) {
    return site.shell("openssl verify -CAfile pki/" + root + ".pem -untrusted pki/" + issuing +
                      ".pem pki/fe1.pem 2>&1");
  };
  EXPECT_THAT(verifies("root", "issuing"), HasSubstr("fe1.pem: OK"));
  EXPECT_THAT(verifies("root-old", "issuing-3-old"), HasSubstr("fe1.pem: OK"));
  EXPECT_THAT(verifies("root", "issuing-3-old"), HasSubstr("error 20 "));
  EXPECT_THAT(verifies("root-old", "issuing"), HasSubstr("error 20 "));
  EXPECT_THAT(verifies("root", "issuing-1"), HasSubstr("error 20 "));
  EXPECT_EQ(site.shell("cmp stores/edge-root.pem pki/root.pem"), "");
  EXPECT_EQ(site.shell("cat pki/issuing-1.pem pki/issuing-2.pem pki/issuing-3-old.pem pki/issuing.pem | "
                       "cmp - stores/fe1-intermediate.pem"),
            "");
  EXPECT_EQ(site.shell("openssl pkcs7 -inform der -in stores/fe1-intermediate.p7b -print_certs | grep -c BEGIN"),
            "4\n");
  EXPECT_THAT(site.read("site.yaml"), HasSubstr("    chain: stores\n"));
}

TEST(LabExit, LeavesNoProcessAndNoSocket) {
  LabSite site("healthy");
  Program open_connection(site.s_client(1, site.front_end()));
  open_connection.send(service());
  ASSERT_TRUE(open_connection.read_until("</response>"));
  ASSERT_TRUE(std::filesystem::exists(site.file("ldap/ldapi")));

  site.program().signal(SIGTERM);
  EXPECT_EQ(site.program().finish(), 0);
  EXPECT_EQ(site.program().output(), "ready: " + site.file("site.yaml") + "\n");
  EXPECT_NE(kill(site.slapd(), 0), 0);
  EXPECT_FALSE(std::filesystem::exists(site.file("ldap/ldapi")));
  EXPECT_TRUE(std::filesystem::exists(site.file("edge1.log")));
  EXPECT_THAT(site.shell("exec 3<>/dev/tcp/$edge2_address/$edge_port"), HasSubstr("Connection refused"));
  EXPECT_THAT(site.shell("exec 3<>/dev/tcp/127.0.0.1/$ldap_port"), HasSubstr("Connection refused"));
}

TEST(LabExit, TakesSlapdAlongEvenWhenKilled) {
  LabSite site("healthy");
  site.program().signal(SIGKILL);
  EXPECT_EQ(site.program().finish(), 128 + SIGKILL);
  EXPECT_TRUE(ends(site.slapd()));
}

TEST(LabExit, ComesWithTheEndOfInputWhereAskedFor) {
  LabSite site("edge-refuses-connection", {"--until-eof"});
  EXPECT_EQ(site.program().finish(), 0);
  EXPECT_NE(kill(site.slapd(), 0), 0);
}

TEST(LabExit, SaysSoWhenSlapdEndsByItself) {
  LabSite site("healthy");
  kill(site.slapd(), SIGKILL);
  EXPECT_EQ(site.program().finish(), 1);
  EXPECT_THAT(site.program().output(), HasSubstr("mrascheck-lab: slapd ended by itself: "));
}

struct UsageCase {
  const char* name;
  std::vector<std::string> arguments;
  int code;
  const char* says;
};

class LabUsage : public testing::TestWithParam<UsageCase> {};

TEST_P(LabUsage, IsAnsweredInWords) {
  const UsageCase& c = GetParam();
  const TempDir dir;
  dir.write("occupied", "x");
  std::vector<std::string> argv{lab_program};
  for (const std::string& word : c.arguments) argv.push_back(word == "DIR" ? dir.path().string() : word);
  Program laboratory(argv);
  EXPECT_EQ(laboratory.finish(), c.code);
  EXPECT_THAT(laboratory.output(), HasSubstr(c.says));
}

INSTANTIATE_TEST_SUITE_P(
    CommandLine, LabUsage,
    testing::Values(
        UsageCase{"Help", {"--help"}, 0, "--until-eof"},
        UsageCase{"Worlds", {"worlds"}, 0, "stale-issuing-ca          the Issuing CA was deployed several times"},
        UsageCase{"Faults", {"faults"}, 0, "provisional     answers 100, then 200"},
        UsageCase{"Nothing", {}, 3, "usage: "}, UsageCase{"NoWorld", {"up", "--dir", "DIR"}, 3, "which world?"},
        UsageCase{"NoSuchWorld", {"up", "sunny", "--dir", "DIR"}, 3, "no world is named 'sunny'"},
        UsageCase{"NoSuchFault", {"up", "healthy", "--dir", "DIR", "--fault", "rain"}, 3, "no fault is named 'rain'"},
        UsageCase{"NoDirectory", {"up", "healthy"}, 3, "--dir is missing"},
        UsageCase{"FaultInABrokenWorld",
                  {"up", "expired-edge", "--dir", "DIR", "--fault", "http"},
                  3,
                  "--fault goes with the healthy world"},
        UsageCase{"OccupiedDirectory", {"up", "healthy", "--dir", "DIR"}, 1, "is not an empty directory"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::test

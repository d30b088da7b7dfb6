// SPDX-License-Identifier: Apache-2.0
// The committed certificates of fixtures/pki/issuers are what their README says, as openssl reads them.
#include <gmock/gmock-matchers.h>

#include <filesystem>

#include "lab/lab_site.hpp"

namespace mrascheck::test {
namespace {

using testing::HasSubstr;

constexpr const char* now = "1780272000";  // 2026-06-01T00:00:00Z

std::string in_issuers(const std::string& command) {
  Program shell({"bash", "-c", "cd '" MRASCHECK_SOURCE_DIR "/fixtures/pki/issuers' && " + command});
  shell.finish();
  return shell.output();
}
std::string fact(const std::string& file, const std::string& option) {
  return in_issuers("openssl x509 -in " + file + ".pem -noout " + option);
}

/// The content octets of one of Microsoft's extensions; empty when it is not there.
std::string extension(const std::string& file, const std::string& oid) {
  const std::string dump = in_issuers("openssl asn1parse -in " + file + ".pem | grep -A1 ':" + oid + "$'");
  const auto at = dump.find("[HEX DUMP]:");
  return at == std::string::npos ? "" : dump.substr(at + 11, dump.find('\n', at) - at - 11);
}

struct Pair {
  const char* name;
  bool same_key;
  bool same_issuer;
  const char* version_a;
  const char* version_b;
  bool linked;  ///< b carries the hash of a
};

class IssuerPair : public testing::TestWithParam<Pair> {};

TEST_P(IssuerPair, IsWhatItsNameSays) {
  const Pair& p = GetParam();
  const std::string a = std::string(p.name) + "-a";
  const std::string b = std::string(p.name) + "-b";
  EXPECT_EQ(fact(a, "-subject"), fact(b, "-subject"));
  EXPECT_NE(fact(a, "-fingerprint"), fact(b, "-fingerprint"));
  EXPECT_EQ(fact(a, "-pubkey") == fact(b, "-pubkey"), p.same_key);
  const auto key_identifier = [](const std::string& file) { return fact(file, "-ext authorityKeyIdentifier"); };
  EXPECT_EQ(key_identifier(a) == key_identifier(b), p.same_issuer);
  EXPECT_EQ(extension(a, "1.3.6.1.4.1.311.21.1"), p.version_a);
  EXPECT_EQ(extension(b, "1.3.6.1.4.1.311.21.1"), p.version_b);
  std::string hash = fact(a, "-fingerprint -sha1");
  hash = hash.substr(hash.find('=') + 1);
  std::erase(hash, ':');
  std::erase(hash, '\n');
  EXPECT_EQ(extension(b, "1.3.6.1.4.1.311.21.2"), p.linked ? "0414" + hash : "");
}

INSTANTIATE_TEST_SUITE_P(Fixtures, IssuerPair,
                         testing::Values(Pair{"serial-collision", false, true, "020100", "020100", false},
                                         Pair{"same-key-renewal", true, true, "020100", "020101", true},
                                         Pair{"same-key-plain", true, true, "", "", false},
                                         Pair{"reinstall-same-key", true, true, "020100", "020100", false},
                                         Pair{"cross-certificate", true, false, "020100", "020100", false},
                                         Pair{"cross-root", true, false, "", "", false},
                                         Pair{"rekey-renewal", false, true, "020100", "0203010001", true},
                                         Pair{"redeployment", false, true, "020100", "020100", false},
                                         Pair{"redeployment-plain", false, true, "", "", false},
                                         Pair{"redeployment-other-root", false, false, "020100", "020100", false},
                                         Pair{"expired-sibling", false, false, "020100", "020100", false}),
                         [](const auto& row) {
                           std::string name = row.param.name;
                           std::erase(name, '-');
                           return name;
                         });

struct Verification {
  const char* name;
  const char* untrusted;
  const char* leaf;
  const char* verdict;
};

class IssuerLeaf : public testing::TestWithParam<Verification> {};

TEST_P(IssuerLeaf, VerifiesAsDocumented) {
  const Verification& v = GetParam();
  EXPECT_THAT(in_issuers(std::string("cat ") + v.untrusted + " | openssl verify -attime " + now +
                         " -trusted root-r2.pem -untrusted /dev/stdin " + v.leaf + " 2>&1"),
              HasSubstr(v.verdict));
}

INSTANTIATE_TEST_SUITE_P(
    Fixtures, IssuerLeaf,
    testing::Values(
        Verification{"Live", "redeployment-b.pem", "redeployment-leaf-keyid.pem", ": OK"},
        Verification{"StaleBesideLive", "redeployment-a.pem redeployment-b.pem", "redeployment-leaf-keyid.pem", ": OK"},
        Verification{"StaleAlone", "redeployment-a.pem", "redeployment-leaf-keyid.pem", "error 20 "},
        Verification{"StaleAloneForExact", "redeployment-a.pem", "redeployment-leaf-exact.pem", "error 20 "},
        Verification{"StaleFirstForNone", "redeployment-a.pem redeployment-b.pem", "redeployment-leaf-none.pem",
                     "error 7 "},
        Verification{"LiveFirstWithoutIdentifiers", "redeployment-plain-b.pem redeployment-plain-a.pem",
                     "redeployment-plain-leaf.pem", ": OK"},
        Verification{"StaleFirstWithoutIdentifiers", "redeployment-plain-a.pem redeployment-plain-b.pem",
                     "redeployment-plain-leaf.pem", "error 7 "},
        Verification{"RenewedOnItsKey", "same-key-renewal-a.pem", "same-key-renewal-leaf.pem", ": OK"},
        Verification{"ExactOfTheOtherOne", "same-key-renewal-b.pem", "same-key-renewal-leaf-exact.pem", "error 20 "},
        Verification{"Reinstalled", "reinstall-same-key-a.pem", "reinstall-same-key-leaf.pem", ": OK"},
        Verification{"CrossUnderTheOtherRoot", "cross-certificate-a.pem", "cross-certificate-leaf.pem", "error 20 "},
        Verification{"ExpiredSibling", "expired-sibling-a.pem expired-sibling-b.pem", "expired-sibling-leaf.pem",
                     ": OK"},
        Verification{"NoCertSign", "no-cert-sign.pem", "no-cert-sign-leaf.pem", "error 32 "},
        Verification{"PathLength", "path-length.pem path-length-below.pem", "path-length-leaf.pem", "error 25 "}),
    [](const auto& row) { return row.param.name; });

TEST(IssuerFixtures, AreEachNamedInTheReadme) {
  Program cat({"cat", MRASCHECK_SOURCE_DIR "/fixtures/pki/README.md"});
  cat.finish();
  for (const auto& entry : std::filesystem::directory_iterator(MRASCHECK_SOURCE_DIR "/fixtures/pki/issuers")) {
    std::string name = entry.path().stem().string();
    // "`x-a`, `-b`" names x-b as well, "`no-cert-sign`, `-leaf`" the leaf.
    const auto dash = name.rfind('-');
    const std::string tail = dash == std::string::npos ? name : name.substr(dash);
    const std::string head = name.substr(0, dash);
    const bool named = cat.output().find("`" + name + "`") != std::string::npos ||
                       (cat.output().find("`" + head) != std::string::npos &&
                        cat.output().find("`" + tail + "`") != std::string::npos);
    EXPECT_TRUE(named) << name;
  }
}

TEST(IssuerFixtures, HoldTwiceTheSameWhereADuplicateIsMeant) {
  EXPECT_EQ(fact("duplicate-a", "-fingerprint"), fact("duplicate-b", "-fingerprint"));
  EXPECT_NE(in_issuers("cmp duplicate-a.pem duplicate-b.pem"), "");
}

}  // namespace
}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
#include "render/cleanup.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/worlds.hpp"

namespace mrascheck {
namespace {

using render::cleanup_ldif;
using render::LdifDialect;
using render::LdifWay;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view aia =
    "CN=Contoso Issuing CA,CN=AIA,CN=Public Key Services,CN=Services,CN=Configuration,DC=x";

/// `values` values of one object, of as many as `there` are.
CleanupPlan plan_for(std::string_view dn, std::size_t there = 3) {
  CleanupPlan plan;
  plan.site = "Contoso";
  plan.vantage = "monitor";
  plan.at = test::issuers_clock();
  CleanupVerdict& verdict = plan.verdicts.emplace_back();
  verdict.certificate = test::issuer_fixture("redeployment-a");
  verdict.standing = Standing::stale;
  verdict.may_go = MayGo::now;
  verdict.because = {"nobody needs it"};
  StoredCopy copy;
  copy.store = "ad";
  copy.source = "ldap://dc1.contoso.example";
  copy.directory = true;
  copy.place = dn;
  verdict.copies = {copy};
  plan.removals.push_back({.place = copy, .values = {verdict.certificate}, .values_there = there, .whole = there == 1});
  return plan;
}

/// RFC 2849, read as its readers do: comments out, folded lines joined.
std::vector<std::string> logical_lines(const std::string& ldif) {
  std::vector<std::string> lines;
  std::istringstream in(ldif);
  for (std::string line; std::getline(in, line);) {
    EXPECT_TRUE(line.size() <= 76 || line.starts_with('#')) << line;
    if (line.starts_with(' ') && !lines.empty()) {
      lines.back() += line.substr(1);
    } else {
      lines.push_back(line);
    }
  }
  std::erase_if(lines, [](const std::string& line) { return line.empty() || line.starts_with('#'); });
  return lines;
}

struct DialectCase {
  const char* name;
  LdifDialect dialect;
  LdifWay way;
  const char* change;
  const char* value;
};
class CleanupLdif : public testing::TestWithParam<DialectCase> {};
TEST_P(CleanupLdif, IsOneRecordAnObjectWithTheValueItself) {
  const DialectCase& c = GetParam();
  const std::vector<std::string> lines = logical_lines(cleanup_ldif(plan_for(aia), c.dialect, c.way));
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[0], "dn: " + std::string{aia});
  EXPECT_EQ(lines[1], "changetype: modify");
  EXPECT_EQ(lines[2], c.change);
  EXPECT_THAT(lines[3], StartsWith(std::string{c.value} + ":: MII"));
  EXPECT_EQ(lines[4], "-");
}
INSTANTIATE_TEST_SUITE_P(Dialects, CleanupLdif,
                         testing::Values(DialectCase{"OpenLdap", LdifDialect::openldap, LdifWay::remove,
                                                     "delete: cACertificate;binary", "cACertificate;binary"},
                                         DialectCase{"OpenLdapUndo", LdifDialect::openldap, LdifWay::undo,
                                                     "add: cACertificate;binary", "cACertificate;binary"},
                                         DialectCase{"ActiveDirectory", LdifDialect::active_directory, LdifWay::remove,
                                                     "delete: cACertificate", "cACertificate"},
                                         DialectCase{"ActiveDirectoryUndo", LdifDialect::active_directory,
                                                     LdifWay::undo, "add: cACertificate", "cACertificate"}),
                         [](const auto& row) { return std::string{row.param.name}; });

struct NameCase {
  const char* name;
  const char* dn;
  const char* line;
};
class CleanupDn : public testing::TestWithParam<NameCase> {};
TEST_P(CleanupDn, IsBase64WhereItIsNotPlain) {
  EXPECT_EQ(logical_lines(cleanup_ldif(plan_for(GetParam().dn), LdifDialect::openldap, LdifWay::remove))[0],
            GetParam().line);
}
INSTANTIATE_TEST_SUITE_P(Names, CleanupDn,
                         testing::Values(NameCase{"Plain", "CN=A!002fB,DC=x", "dn: CN=A!002fB,DC=x"},
                                         NameCase{"Umlaut", "CN=\xC3\x84,DC=x", "dn:: Q049w4QsREM9eA=="},
                                         NameCase{"BlankFirst", " CN=A", "dn:: IENOPUE="},
                                         NameCase{"BlankLast", "CN=A ", "dn:: Q049QSA="},
                                         NameCase{"LineEnd", "CN=A\ndn: CN=B", "dn:: Q049QQpkbjogQ049Qg=="}),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(CleanupLdif, OfTheLastValueIsNoRecordButAComment) {
  const std::string ldif = cleanup_ldif(plan_for(aia, 1), LdifDialect::active_directory, LdifWay::remove);
  EXPECT_TRUE(logical_lines(ldif).empty()) << ldif;
  EXPECT_THAT(ldif, AllOf(HasSubstr("# CN=Contoso Issuing CA,CN=AIA"), HasSubstr("mandatory")));
  const std::string text = render::cleanup(plan_for(aia, 1), {});
  EXPECT_THAT(text, AllOf(HasSubstr("certutil -f -dspublish CURRENT.cer SubCA"), Not(HasSubstr("ldifde -i"))));
}

TEST(CleanupLdif, OfADnThatWasCutIsNoRecord) {
  EXPECT_TRUE(
      logical_lines(cleanup_ldif(plan_for("CN=A very long name..."), LdifDialect::openldap, LdifWay::undo)).empty());
}

TEST(IssuersText, SaysWhatAStoreKeepsBesideACertificate) {
  test::SmallSite site;
  site.own("redeployment-leaf-keyid")
      .store("root-r2", StoreKind::root)
      .store("redeployment-a", StoreKind::intermediate)
      .store("redeployment-b", StoreKind::intermediate)
      .store("redeployment-a", StoreKind::disallowed);
  EntryProperties policy;
  policy.origin = StoreOrigin::group_policy;
  policy.windows_store = "CA";
  site.evidence.stores[0].entries[1].properties = std::make_shared<EntryProperties>(policy);
  const Evidence evidence = site.ready();
  const SignatureOracle oracle = recorded_oracle(evidence.signatures);
  const CertificateGraph graph{evidence};
  const std::string text = render::issuers(evidence, issuer_groups(evidence, graph, oracle),
                                           plan_cleanup(evidence, oracle), {.width = 1'000});
  EXPECT_THAT(text, AllOf(HasSubstr("group policy store CA: comes back at the next refresh"),
                          HasSubstr("among the untrusted ones (Disallowed) of ad: every path through it is refused")));
}

TEST(CleanupText, IsEightyColumnsWideButForWhatIsCopied) {
  const std::string text = render::cleanup(plan_for(aia), {});
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const bool copied = line.starts_with("       ");
    EXPECT_TRUE(copied || line.size() <= 80) << line;
  }
  EXPECT_THAT(text, AllOf(StartsWith("Contoso: 1 certificate may go now"), HasSubstr("nobody needs it"),
                          HasSubstr("ldifde -i -f cleanup.ldf"), HasSubstr("ldifde -i -f undo.ldf")));
}

TEST(CleanupText, HoldsTheBytesThatGoAsOpensslReadsThem) {
  const std::string text = render::cleanup(plan_for(aia), {});
  std::ifstream file(MRASCHECK_SOURCE_DIR "/fixtures/pki/issuers/redeployment-a.pem");
  std::string pem;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    inside = inside || line.starts_with("-----BEGIN");
    if (inside) pem += line + '\n';
  }
  EXPECT_THAT(text, HasSubstr(pem));  // written by openssl
}

TEST(CleanupText, OfNothingSaysSo) {
  CleanupPlan plan;
  plan.site = "Contoso";
  plan.vantage = "monitor";
  EXPECT_THAT(render::cleanup(plan, {}), StartsWith("Contoso: nothing to clean up: no stale CA certificate"));
  EXPECT_TRUE(logical_lines(cleanup_ldif(plan, LdifDialect::openldap, LdifWay::remove)).empty());
}

}  // namespace
}  // namespace mrascheck

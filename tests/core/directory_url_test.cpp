// SPDX-License-Identifier: Apache-2.0
#include "core/directory_url.hpp"

#include <gtest/gtest.h>

namespace mrascheck {
namespace {

struct HostlessUrl {
  const char* name;
  const char* url;
  const char* dn;  ///< null: it is none
  const char* attribute = "";
};
void PrintTo(const HostlessUrl& row, std::ostream* out) {
  *out << row.name;
}
class HostlessTest : public testing::TestWithParam<HostlessUrl> {};

TEST_P(HostlessTest, SaysWhichEntryAndAttribute) {
  const auto reference = hostless_reference(GetParam().url);
  ASSERT_EQ(reference.has_value(), GetParam().dn != nullptr);
  if (!reference) return;
  EXPECT_EQ(reference->dn, GetParam().dn);
  EXPECT_EQ(reference->attribute, GetParam().attribute);
}

INSTANTIATE_TEST_SUITE_P(
    Hostless, HostlessTest,
    testing::Values(
        HostlessUrl{"OfAdCs",
                    "ldap:///CN=Contoso%20CA,CN=AIA,CN=Public%20Key%20Services,CN=Services,CN=Configuration,DC=x?"
                    "cACertificate?base?objectClass=certificationAuthority",
                    "CN=Contoso CA,CN=AIA,CN=Public Key Services,CN=Services,CN=Configuration,DC=x", "cACertificate"},
        HostlessUrl{"EscapedCommas", "LDAP:///CN=a%2CCN=CDP?certificateRevocationList", "CN=a,CN=CDP",
                    "certificateRevocationList"},
        HostlessUrl{"SeveralAttributes", "ldap:///CN=a?x,y?base", "CN=a", "x"},
        HostlessUrl{"NoAttribute", "ldap:///CN=a??base", "CN=a"}, HostlessUrl{"DnAlone", "ldap:///CN=a", "CN=a"},
        HostlessUrl{"WithAHost", "ldap://dc1.contoso.example/CN=a?x", nullptr},
        HostlessUrl{"NoDn", "ldap:///", nullptr}, HostlessUrl{"NoDnButAnAttribute", "ldap:///?x", nullptr},
        HostlessUrl{"Http", "http:///CN=a", nullptr}, HostlessUrl{"BadEscape", "ldap:///CN=a%2", nullptr},
        HostlessUrl{"BadDigits", "ldap:///CN=a%zz", nullptr},
        HostlessUrl{"BadEscapeInTheAttribute", "ldap:///CN=a?%z", nullptr}, HostlessUrl{"Empty", "", nullptr}),
    [](const auto& row) { return row.param.name; });

struct Pair {
  const char* name;
  const char* a;
  const char* b;
  bool same;
};
void PrintTo(const Pair& row, std::ostream* out) {
  *out << row.name;
}
class SameDnTest : public testing::TestWithParam<Pair> {};

TEST_P(SameDnTest, IsTheSameBothWays) {
  EXPECT_EQ(same_dn(GetParam().a, GetParam().b), GetParam().same);
  EXPECT_EQ(same_dn(GetParam().b, GetParam().a), GetParam().same);
}

INSTANTIATE_TEST_SUITE_P(Dn, SameDnTest,
                         testing::Values(Pair{"Equal", "CN=a,DC=x", "CN=a,DC=x", true},
                                         Pair{"Case", "CN=Contoso CA,DC=x", "cn=contoso ca,dc=X", true},
                                         Pair{"Blanks", "CN=a, DC = x", "CN=a,DC=x", true},
                                         Pair{"BlanksInside", "CN=a b", "CN=ab", false},
                                         Pair{"Another", "CN=a,DC=x", "CN=b,DC=x", false},
                                         Pair{"Longer", "CN=a,DC=x", "CN=a,DC=x,DC=y", false},
                                         Pair{"EscapedComma", "CN=a\\,DC=x", "CN=a,DC=x", false},
                                         Pair{"TrailingBackslash", "CN=a\\", "CN=a", false},
                                         Pair{"Nothing", "", "CN=a", false}, Pair{"BothNothing", "", "", true}),
                         [](const auto& row) { return row.param.name; });

TEST(RemoteReference, IsALdapUrlWithAHost) {
  const auto found = remote_reference("LDAP://dc1.contoso.example:3389/CN=a%20b,DC=x?cACertificate?base");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->server, "ldap://dc1.contoso.example:3389");
  EXPECT_EQ(found->entry.dn, "CN=a b,DC=x");
  EXPECT_EQ(found->entry.attribute, "cACertificate");
  EXPECT_EQ(remote_reference("ldaps://[::1]/CN=a")->server, "ldaps://[::1]");
  for (const char* other :
       {"ldap:///CN=a", "ldap://dc1", "ldap://dc1/", "ldap://dc1/?x", "http://dc1/CN=a", "ldap://dc1/%zz"})
    EXPECT_FALSE(remote_reference(other)) << other;
}

}  // namespace
}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ldap/socket.hpp"

namespace mrascheck::ldap {
namespace {

struct UriRow {
  const char* name;
  const char* uri;
  bool global_catalog;
  bool encrypted;
  bool local;
};
void PrintTo(const UriRow& row, std::ostream* out) {
  *out << row.name;
}
class UriTest : public testing::TestWithParam<UriRow> {};

TEST_P(UriTest, SaysWhatAnswersThere) {
  const auto uri = parse_uri(GetParam().uri);
  ASSERT_TRUE(uri) << uri.error().text;
  EXPECT_EQ(uri->global_catalog(), GetParam().global_catalog);
  EXPECT_EQ(uri->encrypted(), GetParam().encrypted);
  EXPECT_EQ(uri->local(), GetParam().local);
}

INSTANTIATE_TEST_SUITE_P(Ports, UriTest,
                         testing::Values(UriRow{"Usual", "ldap://dc1", false, false, false},
                                         UriRow{"UsualTls", "ldaps://dc1", false, true, false},
                                         UriRow{"Catalog", "ldap://dc1:3268", true, false, false},
                                         UriRow{"CatalogTls", "ldaps://dc1:3269/CN=x", true, true, false},
                                         UriRow{"Other", "ldap://dc1:3270", false, false, false},
                                         UriRow{"Local", "ldapi://%2Frun%2Fldapi", false, false, true}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::ldap

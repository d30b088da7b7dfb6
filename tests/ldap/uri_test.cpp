// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ldap/socket.hpp"

namespace mrascheck::ldap {
namespace {

struct Row {
  const char* name;
  const char* uri;
  bool global_catalog;
  bool encrypted;
  bool local;
};
void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name;
}
class UriTest : public testing::TestWithParam<Row> {};

TEST_P(UriTest, SaysWhatAnswersThere) {
  const auto uri = parse_uri(GetParam().uri);
  ASSERT_TRUE(uri) << uri.error().text;
  EXPECT_EQ(uri->global_catalog(), GetParam().global_catalog);
  EXPECT_EQ(uri->encrypted(), GetParam().encrypted);
  EXPECT_EQ(uri->local(), GetParam().local);
}

INSTANTIATE_TEST_SUITE_P(Ports, UriTest,
                         testing::Values(Row{"Usual", "ldap://dc1", false, false, false},
                                         Row{"UsualTls", "ldaps://dc1", false, true, false},
                                         Row{"Catalog", "ldap://dc1:3268", true, false, false},
                                         Row{"CatalogTls", "ldaps://dc1:3269/CN=x", true, true, false},
                                         Row{"Other", "ldap://dc1:3270", false, false, false},
                                         Row{"Local", "ldapi://%2Frun%2Fldapi", false, false, true}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::ldap

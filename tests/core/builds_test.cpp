// SPDX-License-Identifier: Apache-2.0
#include "core/builds.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mrascheck {
namespace {

struct BuildRow {
  const char* name;
  std::string_view version;
  std::string_view product;  ///< empty: none
  std::string_view release;
};
class BuildTest : public testing::TestWithParam<BuildRow> {};

TEST_P(BuildTest, IsOfItsProductAndUpdate) {
  const BuildRow& row = GetParam();
  const auto version = parse_server_version(row.version);
  ASSERT_TRUE(version.has_value());
  const ServerProduct* product = product_of(*version);
  EXPECT_EQ(product == nullptr ? std::string_view{} : product->name, row.product);
  EXPECT_EQ(release_of(*version), row.release);
}

INSTANTIATE_TEST_SUITE_P(
    Builds, BuildTest,
    testing::Values(BuildRow{"Lync2010", "4.0.7577.230", "Lync Server 2010", "CU12, April 2014"},
                    BuildRow{"Unpatched", "5.0.8308.0", "Lync Server 2013", "the first release, October 2012"},
                    BuildRow{"Between", "6.0.9319.300", "Skype for Business Server 2015", "later than CU5, May 2017"},
                    BuildRow{"BeyondTheLast", "4.0.7577.9999", "Lync Server 2010", "later than CU17, April 2016"},
                    BuildRow{"Before2019BecomesSe", "7.0.2046.819", "Skype for Business Server 2019", "later than CU8"},
                    BuildRow{"SubscriptionEdition", "7.0.2046.820", "Skype for Business Server Subscription Edition",
                             "the first release"},
                    BuildRow{"NoProduct", "5.0.8309.1", "", ""}, BuildRow{"FarBelow", "1.0.0.0", "", ""}),
    [](const auto& row) { return row.param.name; });

TEST(Builds, VersionIsFourNumbers) {
  for (const std::string_view text : {"", "4.0.7577", "4.0.7577.230.1", "4.0.7577.", ".0.7577.230", "4.0.7577.23x",
                                      "4.0.7577.99999999999", " 4.0.7577.230", "-4.0.7577.230"})
    EXPECT_FALSE(parse_server_version(text)) << text;
}

TEST(Builds, BannerNamesAProductOnlyWhereItIsTheOnlyOne) {
  ASSERT_NE(product_of_banner("RTC/5.0"), nullptr);
  EXPECT_EQ(product_of_banner("RTC/5.0")->name, "Lync Server 2013");
  EXPECT_EQ(product_of_banner("RTC/3.5 something")->name, "Office Communications Server 2007 R2");
  EXPECT_EQ(product_of_banner("RTC/7.0"), nullptr) << "2019 and the Subscription Edition say the same";
  EXPECT_EQ(product_of_banner("nginx"), nullptr);
  EXPECT_EQ(product_of_banner(""), nullptr);
}

}  // namespace
}  // namespace mrascheck

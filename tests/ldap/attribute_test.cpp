// SPDX-License-Identifier: Apache-2.0
#include "ldap/attribute.hpp"

#include <gtest/gtest.h>

namespace mrascheck::ldap {
namespace {

struct Description {
  const char* name;
  std::string_view text;
  std::string_view type;
  bool ranged = false;
  std::size_t first = 0;
  std::optional<std::size_t> last = std::nullopt;
};
class AttributeTest : public testing::TestWithParam<Description> {};

TEST_P(AttributeTest, IsTakenApart) {
  const Description& expected = GetParam();
  const auto attribute = parse_attribute(expected.text);
  ASSERT_TRUE(attribute);
  EXPECT_EQ(attribute->type, expected.type);
  ASSERT_EQ(attribute->range.has_value(), expected.ranged);
  if (!expected.ranged) return;
  EXPECT_EQ(attribute->range->first, expected.first);
  EXPECT_EQ(attribute->range->last, expected.last);
}

INSTANTIATE_TEST_SUITE_P(
    Options, AttributeTest,
    testing::Values(Description{"Plain", "cACertificate", "cACertificate"},
                    Description{"Binary", "cACertificate;binary", "cACertificate"},
                    Description{"AnyOther", "cACertificate;lang-de;x-", "cACertificate"},
                    Description{"EmptyOption", "cACertificate;", "cACertificate"},
                    Description{"FirstSlice", "cACertificate;range=0-1499", "cACertificate", true, 0, 1499},
                    Description{"LastSlice", "cACertificate;range=1500-*", "cACertificate", true, 1500},
                    Description{"AnyCaseAndOrder", "CACERTIFICATE;Range=3-3;Binary", "CACERTIFICATE", true, 3, 3}),
    [](const auto& row) { return row.param.name; });

struct Nonsense {
  const char* name;
  std::string_view text;
};
class NonsenseTest : public testing::TestWithParam<Nonsense> {};

TEST_P(NonsenseTest, IsNoDescription) {
  EXPECT_FALSE(parse_attribute(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(Ranges, NonsenseTest,
                         testing::Values(Nonsense{"Nothing", ""}, Nonsense{"OptionOnly", ";binary"},
                                         Nonsense{"NoDash", "a;range=5"}, Nonsense{"NoLow", "a;range=-5"},
                                         Nonsense{"NoHigh", "a;range=5-"}, Nonsense{"Backwards", "a;range=5-4"},
                                         Nonsense{"Negative", "a;range=0--1"}, Nonsense{"Words", "a;range=0-x"},
                                         Nonsense{"Trailing", "a;range=0-1 "}, Nonsense{"StarFirst", "a;range=*-1"},
                                         Nonsense{"TooBig", "a;range=0-99999999999999999999999"},
                                         Nonsense{"Twice", "a;range=0-1;range=2-3"}),
                         [](const auto& row) { return row.param.name; });

TEST(AttributeTest, ComparesTypesIgnoringCase) {
  EXPECT_TRUE(parse_attribute("CACERTIFICATE;binary")->is("cACertificate"));
  EXPECT_FALSE(parse_attribute("cACertificateDN")->is("cACertificate"));
}

}  // namespace
}  // namespace mrascheck::ldap

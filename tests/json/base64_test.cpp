// SPDX-License-Identifier: Apache-2.0
#include "json/base64.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mrascheck {
namespace {

struct Vector {
  const char* name;
  std::string bytes;
  std::string text;
};
class Base64Test : public testing::TestWithParam<Vector> {};

TEST_P(Base64Test, GoesBothWays) {
  const Vector& row = GetParam();
  EXPECT_EQ(json::to_base64(as_bytes(row.bytes)), row.text);
  const auto bytes = json::from_base64(row.text);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(as_text(*bytes), row.bytes);
}

// RFC 4648, 10, and the two digits that are neither letter nor number.
INSTANTIATE_TEST_SUITE_P(Rfc4648, Base64Test,
                         testing::Values(Vector{"None", "", ""}, Vector{"One", "f", "Zg=="},
                                         Vector{"Two", "fo", "Zm8="}, Vector{"Three", "foo", "Zm9v"},
                                         Vector{"Four", "foob", "Zm9vYg=="}, Vector{"Five", "fooba", "Zm9vYmE="},
                                         Vector{"Six", "foobar", "Zm9vYmFy"},
                                         Vector{"PlusAndSlash", "\xFB\xFF\xBF", "+/+/"}),
                         [](const auto& row) { return row.param.name; });

class NotBase64Test : public testing::TestWithParam<const char*> {};
TEST_P(NotBase64Test, IsRefused) {
  EXPECT_FALSE(json::from_base64(GetParam()));
}
INSTANTIATE_TEST_SUITE_P(Strict, NotBase64Test,
                         testing::Values("Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zm=v",
                                         "Zg==Zg==", "-_-_", "Z\xC3\xBC="));

TEST(Base64, EveryByteComesBackAtEveryLength) {
  ByteString bytes;
  for (int i = 0; i < 300; ++i) {
    const auto back = json::from_base64(json::to_base64(bytes));
    ASSERT_TRUE(back) << i;
    ASSERT_EQ(*back, bytes);
    bytes.push_back(static_cast<std::uint8_t>(i * 7));
  }
}

}  // namespace
}  // namespace mrascheck

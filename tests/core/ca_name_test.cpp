// SPDX-License-Identifier: Apache-2.0
#include "core/ca_name.hpp"

#include <gtest/gtest.h>

namespace mrascheck {
namespace {

struct CaNameRow {
  const char* name;
  const char* real;
  const char* object;
  const char* unescaped;  ///< of the object's name; empty: it says it already
};
void PrintTo(const CaNameRow& row, std::ostream* out) {
  *out << row.name;
}
class CaNameTest : public testing::TestWithParam<CaNameRow> {};

TEST_P(CaNameTest, IsSanitisedAndShownAgain) {
  EXPECT_EQ(ca_object_name(GetParam().real), GetParam().object);
  EXPECT_EQ(unescaped_ca_name(GetParam().object), GetParam().unescaped);
}

INSTANTIATE_TEST_SUITE_P(
    Wcce, CaNameTest,
    testing::Values(CaNameRow{"Plain", "Contoso Issuing CA", "Contoso Issuing CA", ""},
                    CaNameRow{"AllThatIsAllowed", "a Z9$@-._~", "a Z9$@-._~", ""},
                    CaNameRow{"TheSpecificationsOwn", "LongCAName(WithSpeci@#$%^Characters",
                              "LongCAName!0028WithSpeci@!0023$!0025!005eCharacters",
                              "LongCAName(WithSpeci@#$%^Characters"},
                    CaNameRow{"Umlauts", "M\xC3\xBCller & S\xC3\xB6hne", "M!00fcller !0026 S!00f6hne",
                              "M\xC3\xBCller & S\xC3\xB6hne"},
                    CaNameRow{"ExclamationMark", "Go!0041", "Go!00210041", "Go!0041"},
                    CaNameRow{"BeyondTheBasicPlane", "CA \xF0\x9F\x94\x91", "CA !d83d!dd11", "CA \xF0\x9F\x94\x91"},
                    CaNameRow{"Long", "Contoso Corporation Europe Issuing Certification Authority 02",
                              "Contoso Corporation Europe Issuing Certification Au-48443", ""},
                    CaNameRow{"LongAndCutInAnEscape",
                              "M\xC3\xBCller & S\xC3\xB6hne Zertifizierungsstelle f\xC3\xBCr Unternehmen (Nord) 2",
                              "M!00fcller !0026 S!00f6hne Zertifizierungsstelle f-19038",
                              "M\xC3\xBCller & S\xC3\xB6hne Zertifizierungsstelle f-19038"},
                    CaNameRow{"JustShortEnough", "123456789012345678901234567890123456789012345678901",
                              "123456789012345678901234567890123456789012345678901", ""},
                    CaNameRow{"Empty", "", "", ""}),
    [](const auto& row) { return row.param.name; });

struct Odd {
  const char* name;
  const char* object;
  const char* unescaped;
};
void PrintTo(const Odd& row, std::ostream* out) {
  *out << row.name;
}
class OddNameTest : public testing::TestWithParam<Odd> {};

TEST_P(OddNameTest, IsShownAsFarAsItCanBe) {
  EXPECT_EQ(unescaped_ca_name(GetParam().object), GetParam().unescaped);
}

INSTANTIATE_TEST_SUITE_P(Object, OddNameTest,
                         testing::Values(Odd{"UpperCaseDigits", "M!00FCller", "M\xC3\xBCller"},
                                         Odd{"CutOff", "CA!00f", ""}, Odd{"NoDigits", "CA!zzzz", ""},
                                         Odd{"HalfAPair", "CA !d83d", "CA \xEF\xBF\xBD"},
                                         Odd{"TheOtherHalf", "CA !dd11", "CA \xEF\xBF\xBD"},
                                         Odd{"ControlCharacter", "CA!001b[2J", "CA?[2J"}),
                         [](const auto& row) { return row.param.name; });

TEST(CaName, StandsBehindAPlaceOnlyWhereTheObjectsNameIsAnother) {
  EXPECT_EQ(with_ca_name("CN=Contoso CA,CN=AIA,DC=x", ""), "CN=Contoso CA,CN=AIA,DC=x");
  EXPECT_EQ(with_ca_name("CN=M!00fcller CA,CN=AIA,DC=x", ""), "CN=M!00fcller CA,CN=AIA,DC=x (M\xC3\xBCller CA)");
  EXPECT_EQ(with_ca_name("cn=m!00fcller", ""), "cn=m!00fcller (m\xC3\xBCller)");
  EXPECT_EQ(with_ca_name("/srv/a!00fc.pem", ""), "/srv/a!00fc.pem");
}

TEST(CaName, IsSaidInFullWhenACertificateOfThatNameStandsThere) {
  const std::string full = "Contoso Corporation Europe Issuing Certification Authority 02";
  const std::string place = "CN=Contoso Corporation Europe Issuing Certification Au-48443,CN=AIA,DC=x";
  EXPECT_EQ(with_ca_name(place, full), place + " (" + full + ")");
  EXPECT_EQ(with_ca_name(place, "Another CA"), place);
  EXPECT_EQ(with_ca_name("CN=NTAuthCertificates,DC=x", "Contoso CA"), "CN=NTAuthCertificates,DC=x");
}

}  // namespace
}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/d2i_agreement.hpp"
#include "x509/certificate_reader.hpp"

namespace mrascheck::x509 {

using namespace std::string_literals;
using namespace std::string_view_literals;

/// A TLV of less than 128 octets.
static std::string tlv(char tag, const std::string& content) {
  return tag + std::string(1, static_cast<char>(content.size())) + content;
}

static const std::string cn = "\x55\x04\x03";
static const std::string o = "\x55\x04\x0a";
static const std::string ou = "\x55\x04\x0b";

static std::string attribute(const std::string& type, char tag, const std::string& value) {
  return tlv('\x30', tlv('\x06', type) + tlv(tag, value));
}
static std::string relative(const std::vector<std::string>& attributes) {
  std::string all;
  for (const std::string& one : attributes) all += one;
  return tlv('\x31', all);
}
static std::string name(const std::vector<std::string>& relatives) {
  std::string all;
  for (const std::string& one : relatives) all += one;
  return tlv('\x30', all);
}
/// A name of one CN.
static std::string common(char tag, const std::string& value) {
  return name({relative({attribute(cn, tag, value)})});
}

static constexpr char utf8 = '\x0c';
static constexpr char numeric = '\x12';
static constexpr char printable_string = '\x13';
static constexpr char teletex = '\x14';
static constexpr char ia5 = '\x16';
static constexpr char universal = '\x1c';
static constexpr char bmp = '\x1e';

struct Pair {
  const char* name;
  std::string a;
  std::string b;
  bool match;
  bool openssl_differs = false;  ///< it lower-cases ASCII only, and knows ASCII blanks only
};
class NameTest : public testing::TestWithParam<Pair> {};

TEST_P(NameTest, MatchesByRfc5280) {
  const Pair& c = GetParam();
  const Result<Name> a = read_name(as_bytes(c.a));
  const Result<Name> b = read_name(as_bytes(c.b));
  ASSERT_TRUE(a) << a.error().text;
  ASSERT_TRUE(b) << b.error().text;
  EXPECT_EQ(matches(*a, *b), c.match) << a->canonical() << " and " << b->canonical();
}

TEST_P(NameTest, MatchesAsInOpenssl) {
  const Pair& c = GetParam();
  const auto theirs = [](const std::string& der) {
    const auto* cursor = reinterpret_cast<const unsigned char*>(der.data());
    return std::unique_ptr<X509_NAME, test::FreedBy<X509_NAME_free>>{
        d2i_X509_NAME(nullptr, &cursor, static_cast<long>(der.size()))};
  };
  const auto a = theirs(c.a);
  const auto b = theirs(c.b);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(X509_NAME_cmp(a.get(), b.get()) == 0, c.match != c.openssl_differs);
}

INSTANTIATE_TEST_SUITE_P(
    Section7_1, NameTest,
    testing::Values(
        Pair{"Same", common(utf8, "Corp CA"), common(utf8, "Corp CA"), true},
        Pair{"Case", common(utf8, "Corp CA"), common(utf8, "CORP ca"), true},
        Pair{"StringType", common(utf8, "Corp CA"), common(printable_string, "Corp CA"), true},
        Pair{"InnerBlanks", common(utf8, "Corp CA"), common(utf8, "Corp    CA"), true},
        Pair{"OuterBlanks", common(utf8, "Corp CA"), common(utf8, "  Corp CA "), true},
        Pair{"AllOfThem", common(utf8, "Corp CA"), common(printable_string, " CORP  ca"), true},
        Pair{"BlanksMatter", common(utf8, "Corp CA"), common(utf8, "CorpCA"), false},
        Pair{"Different", common(utf8, "Corp CA"), common(utf8, "Corp CB"), false},
        Pair{"Bmp", common(utf8, "Corp"), common(bmp, "\0C\0o\0R\0p"s), true},
        Pair{"Universal", common(utf8, "Co"), common(universal, "\0\0\0c\0\0\0O"s), true},
        Pair{"Teletex", common(utf8, "M\xc3\xbcller"), common(teletex, "m\xfcller"), true},
        Pair{"Ia5", common(utf8, "a@b"), common(ia5, "A@B"), true},
        Pair{"UmlautCase", common(utf8, "M\xc3\x9cLLER"), common(utf8, "m\xc3\xbcller"), true, true},
        Pair{"SharpS",
             common(utf8,
                    "Stra\xc3\x9f"
                    "e"),
             common(utf8, "STRASSE"), true, true},
        Pair{"GreekCase", common(utf8, "\xce\x91\xce\xa3"), common(utf8, "\xce\xb1\xcf\x82"), true, true},
        Pair{"CyrillicCase", common(utf8, "\xd0\x9f\xd0\x81"), common(utf8, "\xd0\xbf\xd1\x91"), true, true},
        Pair{"LatinExtendedCase", common(utf8, "\xc4\x8c\xc5\xbd"), common(utf8, "\xc4\x8d\xc5\xbe"), true, true},
        Pair{"TimesIsNoLetter", common(utf8, "\xc3\x97"), common(utf8, "\xc3\xb7"), false},
        Pair{"NoBreakSpace",
             common(utf8,
                    "Corp\xc2\xa0"
                    "CA"),
             common(utf8, "Corp CA"), true, true},
        Pair{"SoftHyphen", common(utf8, "Cor\xc2\xadp"), common(utf8, "Corp"), true, true},
        Pair{"NulMatters", common(utf8, "Corp\0"s), common(utf8, "Corp"), false},
        Pair{"AttributeType", common(utf8, "x"), name({relative({attribute(o, utf8, "x")})}), false},
        Pair{"Order", name({relative({attribute(o, utf8, "x")}), relative({attribute(cn, utf8, "y")})}),
             name({relative({attribute(cn, utf8, "y")}), relative({attribute(o, utf8, "x")})}), false},
        Pair{"Prefix", name({relative({attribute(o, utf8, "x")})}),
             name({relative({attribute(o, utf8, "x")}), relative({attribute(cn, utf8, "y")})}), false},
        Pair{"OneRelativeNameOrTwo", name({relative({attribute(o, utf8, "x"), attribute(ou, utf8, "y")})}),
             name({relative({attribute(o, utf8, "x")}), relative({attribute(ou, utf8, "y")})}), false},
        Pair{"SetInAnyOrder", name({relative({attribute(o, utf8, "x"), attribute(ou, utf8, "y")})}),
             name({relative({attribute(ou, utf8, "Y"), attribute(o, printable_string, "X")})}), true},
        Pair{"SeparatorsInside", common(utf8, "a,55040a=b"),
             name({relative({attribute(cn, utf8, "a")}), relative({attribute(o, utf8, "b")})}), false},
        Pair{"PlusInside", common(utf8, "a+55040a=b"),
             name({relative({attribute(cn, utf8, "a"), attribute(o, utf8, "b")})}), false},
        Pair{"BackslashAndComma", common(utf8, "a\\,b"), common(utf8, "a,b"), false},
        Pair{"BitsAreNoText", common('\x03', "\0a"s), common(utf8, "#03020061"), false},
        Pair{"Empty", common(utf8, ""), common(utf8, "  "), true},
        Pair{"NobodyAtAll", name({}), common(utf8, ""), false}),
    [](const auto& row) { return row.param.name; });

TEST(NameReaderTest, TakesNumericStringForText) {
  const Result<Name> name = read_name(as_bytes(common(numeric, "12 34")));
  ASSERT_TRUE(name);
  EXPECT_EQ(name->text(), "CN=12 34");
}

TEST(NameReaderTest, ShowsWhatHasNoNameInHexadecimal) {
  const Result<Name> found = read_name(as_bytes(name({relative({attribute("\x2a\x03\x04", utf8, "odd")})})));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->text(), "1.2.3.4=#0c036f6464");  // RFC 4514, 2.4
}

TEST(NameReaderTest, ShowsTheLastCommonName) {
  const Result<Name> found =
      read_name(as_bytes(name({relative({attribute(cn, utf8, "first")}), relative({attribute(cn, utf8, "last")})})));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->common_name(), "last");
  EXPECT_EQ(found->text(), "CN=last,CN=first");
}

TEST(NameReaderTest, LetsNothingThroughThatATerminalWouldObey) {
  const Result<Name> found = read_name(as_bytes(common(utf8,
                                                       "a\x1b[31m\nb\xe2\x80\xae"
                                                       "c\0d"s)));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->common_name(), "a?[31m?b?c?d");
  EXPECT_EQ(found->text(), "CN=a?[31m?b?c\\00d");
}

TEST(NameReaderTest, CutsWhatIsTooLongToShow) {
  // 30 82 .. 31 82 .. 30 82 .. 06 03 55 04 03 0c 82 ..
  const auto wide = [](char tag, const std::string& content) {
    return tag + "\x82"s + static_cast<char>(content.size() >> 8U) + static_cast<char>(content.size() & 0xffU) +
           content;
  };
  const std::string der =
      wide('\x30', wide('\x31', wide('\x30', tlv('\x06', cn) + wide(utf8, std::string(5000, 'x')))));
  const Result<Name> found = read_name(as_bytes(der));
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->common_name(), std::string(509, 'x') + "...");
  EXPECT_EQ(found->text().size(), 512U);
  EXPECT_GT(found->canonical().size(), 5000U);  // what matches is never cut
}

struct Refused {
  const char* name;
  std::string der;
  const char* says;
};
class RefusedNameTest : public testing::TestWithParam<Refused> {};
TEST_P(RefusedNameTest, SaysWhy) {
  const Result<Name> found = read_name(as_bytes(GetParam().der));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().text, GetParam().says);
}
INSTANTIATE_TEST_SUITE_P(Malformed, RefusedNameTest,
                         testing::Values(Refused{"Nothing", "", "not a name at byte 0"},
                                         Refused{"NoSequence", "\x31\x00"s, "not a name at byte 0"},
                                         Refused{"EmptySet", name({relative({})}), "an empty relative name at byte 2"},
                                         Refused{"Behind", name({}) + "x", "something behind the name at byte 2"},
                                         Refused{"OddBmp", common(bmp, "abc"),
                                                 "an attribute value that is not the text its type says at byte 11"},
                                         Refused{"OverlongUtf8", common(utf8, "\xc0\x80"),
                                                 "an attribute value that is not the text its type says at byte 11"},
                                         Refused{"IntegerValue", common('\x02', "\x01"),
                                                 "an attribute value that is not the text its type says at byte 11"},
                                         Refused{"TooManyRelativeNames",
                                                 [] {
                                                   std::string all;
                                                   for (int i = 0; i < 65; ++i)
                                                     all += relative({attribute(cn, utf8, "x")});
                                                   return "\x30\x82"s + static_cast<char>(all.size() >> 8U) +
                                                          static_cast<char>(all.size() & 0xffU) + all;
                                                 }(),
                                                 "more than 64 relative names at byte 772"}),
                         [](const auto& row) { return row.param.name; });

}  // namespace mrascheck::x509

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>

#include "core/bytes.hpp"
#include "core/handshake.hpp"
#include "core/perfdata.hpp"
#include "core/range.hpp"
#include "core/status.hpp"
#include "core/text.hpp"
#include "core/time.hpp"

namespace mrascheck {
namespace {

struct RangeCase {
  const char* name;
  const char* range;
  double value;
  bool alerts;
};
class RangeTest : public testing::TestWithParam<RangeCase> {};
TEST_P(RangeTest, AlertsAsTheGuidelinesSay) {
  const RangeCase& c = GetParam();
  const auto range = parse_range(c.range);
  ASSERT_TRUE(range.has_value());
  EXPECT_EQ(range->alerts_on(c.value), c.alerts) << c.range << " given " << c.value;
  EXPECT_EQ(parse_range(to_string(*range)), range) << "parsing what is printed gives the same range";
}
INSTANTIATE_TEST_SUITE_P(
    MonitoringPlugins, RangeTest,
    testing::Values(RangeCase{"BelowZero", "10", -1, true}, RangeCase{"AtEnd", "10", 10, false},
                    RangeCase{"AboveEnd", "10", 10.01, true}, RangeCase{"LowSide", "10:", 9.9, true},
                    RangeCase{"LowSideEndless", "10:", 1e9, false}, RangeCase{"HighSide", "~:10", 11, true},
                    RangeCase{"HighSideBelow", "~:10", -1e9, false}, RangeCase{"Within", "10:20", 20, false},
                    RangeCase{"Outside", "10:20", 21, true}, RangeCase{"Inverted", "@10:20", 20, true},
                    RangeCase{"InvertedOutside", "@10:20", 9, false}, RangeCase{"Fraction", "0.5:1.5", 1.6, true}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(Range, RefusesWhatIsNone) {
  for (const char* text : {"", "@", "a", "10:5", "1:2:3", "10;", " 10", "1e3:", "inf", "nan:", "--5"}) {
    const auto range = parse_range(text);
    ASSERT_FALSE(range.has_value()) << text;
    EXPECT_EQ(range.error().kind, ErrorKind::config);
    EXPECT_NE(range.error().text.find(text), std::string::npos);
  }
}

TEST(Status, WorstWinsAndExitsAsThePluginsDo) {
  EXPECT_EQ(worst(Status::ok, Status::unknown), Status::unknown);
  EXPECT_EQ(worst(Status::warning, Status::unknown), Status::warning);
  EXPECT_EQ(worst(Status::critical, Status::warning), Status::critical);
  EXPECT_EQ(exit_code(Status::ok), 0);
  EXPECT_EQ(exit_code(Status::warning), 1);
  EXPECT_EQ(exit_code(Status::critical), 2);
  EXPECT_EQ(exit_code(Status::unknown), 3);
}

struct PerfdataCase {
  const char* name;
  Perfdata perfdata;
  const char* text;
};
class PerfdataTest : public testing::TestWithParam<PerfdataCase> {};
TEST_P(PerfdataTest, PrintsAsTheGuidelinesSay) {
  EXPECT_EQ(to_string(GetParam().perfdata), GetParam().text);
}
INSTANTIATE_TEST_SUITE_P(
    MonitoringPlugins, PerfdataTest,
    testing::Values(PerfdataCase{"Whole",
                                 {"days", 30, "", parse_range("30:").value(), parse_range("10:").value(), {}, {}},
                                 "days=30;30:;10:"},
                    PerfdataCase{"Seconds", {"t", 0.0123456789, "s", {}, {}, 0, {}}, "t=0.012346s;;;0"},
                    PerfdataCase{"Missing", {"t", std::nullopt, "s", {}, {}, {}, {}}, "t=U"},
                    PerfdataCase{"Quoted", {"two words", 1, "", {}, {}, {}, {}}, "'two words'=1"},
                    PerfdataCase{"Forbidden", {"a=b'c", 1, "", {}, {}, {}, {}}, "a_b_c=1"},
                    PerfdataCase{"NeverAnExponent", {"big", 1e15, "B", {}, {}, {}, {}}, "big=1000000000000000B"},
                    PerfdataCase{"Negative", {"days", -1.5, "", {}, {}, {}, {}}, "days=-1.5"},
                    PerfdataCase{"NegativeZero", {"days", -0.0000001, "", {}, {}, {}, {}}, "days=0"},
                    PerfdataCase{"Infinite", {"x", std::numeric_limits<double>::infinity(), "", {}, {}, {}, {}}, "x=U"},
                    PerfdataCase{"AllFields",
                                 {"x", 1, "%", parse_range("5").value(), parse_range("@1:2").value(), 0, 100},
                                 "x=1%;5;@1:2;0;100"}),
    [](const auto& row) { return std::string{row.param.name}; });

struct PrintableCase {
  const char* name;
  std::string text;
  const char* shown;
};
class PrintableTest : public testing::TestWithParam<PrintableCase> {};
TEST_P(PrintableTest, LeavesNothingThatDistortsALine) {
  EXPECT_EQ(printable(GetParam().text), GetParam().shown);
}
INSTANTIATE_TEST_SUITE_P(
    ForeignText, PrintableTest,
    testing::Values(PrintableCase{"Plain", "Contoso CA", "Contoso CA"}, PrintableCase{"LineEnd", "a\r\nb", "a??b"},
                    PrintableCase{"Escape", "\x1b[31mred", "?[31mred"},
                    PrintableCase{"Umlaut", "M\xc3\xbcller", "M\xc3\xbcller"},
                    PrintableCase{"C1",
                                  "a\xc2\x9b"
                                  "b",
                                  "a?b"},
                    PrintableCase{"RightToLeft",
                                  "a\xe2\x80\xae"
                                  "b",
                                  "a?b"},
                    PrintableCase{"Nul", std::string("a\0b", 3), "a?b"},
                    PrintableCase{"NotUtf8",
                                  "a\xff"
                                  "b",
                                  "a\xef\xbf\xbd"
                                  "b"},
                    PrintableCase{"Overlong", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
                    PrintableCase{"Surrogate", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
                    PrintableCase{"CutInTheMiddle", "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(Printable, CutsBetweenCharactersAndSaysSo) {
  const std::string umlauts = "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc";
  for (std::size_t limit = 0; limit <= 8; ++limit) {
    const std::string shown = printable(umlauts, limit);
    EXPECT_LE(shown.size(), limit);
    EXPECT_EQ(printable(shown), shown) << "still whole characters at limit " << limit;
  }
  EXPECT_EQ(printable("abcdefgh", 6), "abc...");
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
}

TEST(DidYouMean, FindsWhatWasMeantAndNothingElse) {
  static constexpr std::array<std::string_view, 3> words{"addresses", "certificate", "chain"};
  EXPECT_EQ(did_you_mean("adresses", words), "addresses");
  EXPECT_EQ(did_you_mean("Certificat", words), "certificate");
  EXPECT_EQ(did_you_mean("zebra", words), "");
  EXPECT_EQ(did_you_mean(std::string(1000, 'a'), words), "");
}

TEST(Enumerate, ReadsAsASentence) {
  EXPECT_EQ(enumerate({}), "");
  EXPECT_EQ(enumerate({"a"}), "a");
  EXPECT_EQ(enumerate({"a", "b", "c"}), "a, b and c");
  EXPECT_EQ(count(1, "entry", "entries"), "1 entry");
  EXPECT_EQ(count(0, "entry", "entries"), "0 entries");
}

TEST(Time, PrintsAndReadsBack) {
  for (const char* text :
       {"1970-01-01T00:00:00Z", "2026-02-28T23:59:59Z", "2000-02-29T12:00:00Z", "9999-12-31T23:59:59Z"}) {
    const auto time = parse_iso8601(text);
    ASSERT_TRUE(time.has_value()) << text;
    EXPECT_EQ(to_iso8601(*time), text);
  }
  EXPECT_EQ(to_iso8601(parse_iso8601("2026-11-22").value()), "2026-11-22T00:00:00Z");
  for (const char* text : {"", "2026-02-29", "2026-13-01", "2026-01-01T24:00:00Z", "2026-01-01 00:00:00Z", "2026-1-1",
                           "26-01-01T00:00:00"}) {
    EXPECT_FALSE(parse_iso8601(text).has_value()) << text;
  }
}

TEST(Time, IsReadFromTheHeaderDate) {
  for (const auto& [text, time] : {std::pair{"Sat, 13 Nov 2010 23:29:00 GMT", "2010-11-13T23:29:00Z"},  // RFC 3261
                                   std::pair{"Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"},  // RFC 9110
                                   std::pair{"Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59Z"}}) {
    const auto read = parse_rfc1123(text);
    ASSERT_TRUE(read.has_value()) << text;
    EXPECT_EQ(to_iso8601(*read), time);
  }
  for (const char* text :
       {"", "Sat, 13 Nov 2010 23:29:00 CET", "Sat, 13 nov 2010 23:29:00 GMT", "Sat, 31 Nov 2010 23:29:00 GMT",
        "Sat, 13 Nov 2010 24:29:00 GMT", "Saturday, 13-Nov-10 23:29:00 GMT", "Sat  13 Nov 2010 23:29:00 GMT",
        "Sat, 13 ovD 2010 23:29:00 GMT", "Sat, 13 Nov 2010 23:29:00GMT "}) {
    EXPECT_FALSE(parse_rfc1123(text).has_value()) << text;
  }
}

TEST(Time, DaysRoundDown) {
  const UtcTime noon = parse_iso8601("2026-01-10T12:00:00Z").value();
  EXPECT_EQ(days_between(noon, noon + std::chrono::days{30}), 30);
  EXPECT_EQ(days_between(noon, noon + std::chrono::days{30} - std::chrono::seconds{1}), 29);
  EXPECT_EQ(days_between(noon, noon - std::chrono::seconds{1}), -1);
}

TEST(Time, DurationsHaveUnits) {
  using std::chrono::milliseconds;
  EXPECT_EQ(parse_duration("10"), milliseconds{10'000});
  EXPECT_EQ(parse_duration("500ms"), milliseconds{500});
  EXPECT_EQ(parse_duration("8h"), milliseconds{28'800'000});
  EXPECT_EQ(parse_duration("0s"), milliseconds{0});
  for (const char* text : {"", "s", "-1", "1.5s", "10 s", "10sec", "99999999999999999999", "2000000000d"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(Hex, ReadsWhatPeoplePaste) {
  EXPECT_EQ(to_hex(from_hex("a1:B2 c3")), "a1b2c3");
  EXPECT_EQ(to_upper_hex(from_hex("a1b2")), "A1B2");
  EXPECT_TRUE(from_hex("a1b").empty());
  EXPECT_TRUE(from_hex("a 1").empty());
  EXPECT_TRUE(from_hex("xyz").empty());
}

TEST(Handshake, SaysAcceptedOnlyWhenThePeerDid) {
  Handshake handshake;
  handshake.outcome = Outcome::completed;
  EXPECT_FALSE(handshake.accepted()) << "nothing was heard, and no quiet time was waited for";
  handshake.quiet_for = std::chrono::milliseconds{500};
  EXPECT_TRUE(handshake.accepted());
  handshake.outcome = Outcome::rejected_by_peer;
  EXPECT_FALSE(handshake.accepted()) << "TLS 1.3 refuses late";
  handshake.outcome = Outcome::timed_out;
  EXPECT_TRUE(handshake.accepted()) << "it let us in, and then did not answer";
  handshake.address = "2001:db8::1";
  handshake.port = 5062;
  EXPECT_EQ(handshake.endpoint(), "[2001:db8::1]:5062");
}

TEST(Alert, HasANameOrItsNumber) {
  EXPECT_EQ((Alert{48, true}.name()), "unknown_ca");
  EXPECT_EQ((Alert{116, true}.name()), "certificate_required");
  EXPECT_EQ((Alert{200, true}.name()), "alert 200");
}

}  // namespace
}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "sip/message.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mrascheck::sip {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Step = MessageReader::Step;

/// What a reader made of a whole stream.
struct Reading {
  std::vector<Message> messages;
  bool broken = false;
  std::string problem;
  std::string missing;
  std::size_t pending = 0;
};

Reading take(std::string_view stream, std::size_t piece = std::string_view::npos) {
  MessageReader reader;
  Reading reading;
  while (!stream.empty() && !reading.broken) {
    std::string_view bytes = stream.substr(0, piece);
    stream.remove_prefix(bytes.size());
    while (!bytes.empty()) {
      const Step step = reader.read(bytes);
      if (step == Step::message) reading.messages.push_back(reader.take());
      reading.broken = step == Step::broken;
    }
  }
  reading.problem = reader.problem();
  reading.missing = reader.missing();
  reading.pending = reader.pending_bytes();
  return reading;
}

std::string flat(const Message& message) {
  std::string text = message.method + "|" + message.uri + "|" + std::to_string(message.status) + "|" + message.reason;
  for (const auto& field : message.fields) text += "\n" + field.name + ":" + field.value;
  return text + "\n\n" + message.body;
}

std::string flat(const Reading& reading) {
  std::string text;
  for (const auto& message : reading.messages) text += flat(message) + "\n----\n";
  return text + (reading.broken ? "broken: " : "") + reading.problem + reading.missing;
}

std::string answer(std::string_view fields, std::string_view start = "SIP/2.0 200 OK") {
  return std::string(start) + "\r\n" + std::string(fields) + "\r\n";
}

// Line ends written as '\n' for the eye, CR LF on the wire.
std::string wire(std::string_view text) {
  std::string bytes;
  for (const char c : text) bytes += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return bytes;
}

TEST(Message, HoldsWhatStandsInAnAnswer) {
  const auto reading =
      take(wire("SIP/2.0 504 Server time-out\nv: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK1 ,\n"
                "\tSIP/2.0/TLS 192.0.2.2;branch=z9hG4bK2\nFROM : <sip:a@b>;tag=1\ni:abc\n"
                "VIA: SIP/2.0/TCP c;branch=x\nl: 4\n\nbody"));
  ASSERT_EQ(reading.messages.size(), 1U) << reading.problem;
  const Message& message = reading.messages[0];
  EXPECT_FALSE(message.is_request());
  EXPECT_EQ(message.status, 504U);
  EXPECT_EQ(message.reason, "Server time-out");
  EXPECT_EQ(message.body, "body");
  EXPECT_EQ(message.field("from"), "<sip:a@b>;tag=1");
  EXPECT_EQ(message.field("call-id"), "abc");
  EXPECT_EQ(message.field("To"), std::nullopt);
  EXPECT_THAT(message.list("Via"), ElementsAre("SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK1",
                                               "SIP/2.0/TLS 192.0.2.2;branch=z9hG4bK2", "SIP/2.0/TCP c;branch=x"));
  EXPECT_EQ(message.all("Via").size(), 2U);
}

TEST(Message, CommasInQuotesAndBracketsDivideNothing) {
  EXPECT_THAT(split_list(R"("a, \" b" <sip:x,y@z>;q=1 , <sip:c>,, d )"),
              ElementsAre(R"("a, \" b" <sip:x,y@z>;q=1)", "<sip:c>", "d"));
  EXPECT_TRUE(split_list("").empty());
  EXPECT_TRUE(split_list(" , ").empty());
  EXPECT_THAT(split_list(R"("never closed, )"), ElementsAre(R"("never closed,)"));
}

TEST(Message, ParametersAreFoundOutsideOfQuotesAndBrackets) {
  const std::string_view from = R"("x;tag=no" <sip:a@b;tag=no>;Tag = yes;epid=1;lr)";
  EXPECT_EQ(parameter_of(from, "tag"), "yes");
  EXPECT_EQ(parameter_of(from, "EPID"), "1");
  EXPECT_EQ(parameter_of(from, "lr"), "");
  EXPECT_EQ(parameter_of(from, "none"), "");
}

TEST(Message, KeepAlivesBetweenMessagesAreSkipped) {
  const std::string one = answer("Content-Length: 0\r\n");
  const auto reading = take("\r\n\r\n" + one + "\r\n\r\n\r\n" + one + "\r\n");
  EXPECT_EQ(reading.messages.size(), 2U);
  EXPECT_FALSE(reading.broken);
}

struct Good {
  const char* name;
  std::string_view text;
  std::string_view expected;
};

class WellFormed : public testing::TestWithParam<Good> {};

TEST_P(WellFormed, IsReadWholeAndTheSameFromEverySplit) {
  const std::string bytes = wire(GetParam().text);
  const auto whole = take(bytes);
  EXPECT_FALSE(whole.broken) << whole.problem;
  ASSERT_FALSE(whole.messages.empty()) << whole.missing;
  EXPECT_THAT(flat(whole), HasSubstr(std::string(GetParam().expected)));
  EXPECT_EQ(flat(take(bytes, 1)), flat(whole));
  for (std::size_t piece = 2; piece < bytes.size(); ++piece) ASSERT_EQ(flat(take(bytes, piece)), flat(whole)) << piece;
}

// The situations of RFC 4475, 3.1.1 and 3.3, as far as they touch framing and start line, in messages of our own.
INSTANTIATE_TEST_SUITE_P(
    TortureTests, WellFormed,
    testing::Values(
        Good{"TortuousFolding_3_1_1_1",
             "INVITE sip:vivekg@chair.example;unknownparam SIP/2.0\nTO :\n sip:vivekg@chair.example ;   tag    = 1918\n"
             "CSeq: 0009\n  INVITE\nMax-Forwards: 0068\ns :\nNewFangledHeader:   newfangled value\n continued "
             "newfangled\n"
             "L: 2\nv:  SIP  / 2.0  / TCP     192.0.2.2   ;\n  branch  =   390skdjuw\n\nv=",
             "INVITE|sip:vivekg@chair.example;unknownparam|0|\nTO:sip:vivekg@chair.example ;   tag    = 1918\n"
             "CSeq:0009 INVITE\nMax-Forwards:0068\nSubject:\nNewFangledHeader:newfangled value continued newfangled\n"
             "Content-Length:2\nVia:SIP  / 2.0  / TCP     192.0.2.2   ; branch  =   390skdjuw\n\nv="},
        Good{"EveryTokenCharacter_3_1_1_2",
             "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@x "
             "SIP/2.0\n"
             "extensionHeader-!.%*+_`'~: \xEF\xBB\xBF\xE5\xA4\xA7\nContent-Length: 0\n\n",
             "!interesting-Method0123456789_*+`.%indeed'~|sip:1_unusual.URI"},
        Good{"PercentThatIsNoEscape_3_1_1_5", "RE%47IST%45R sip:x SIP/2.0\nContent-Length: 0\n\n",
             "RE%47IST%45R|sip:x|"},
        Good{"NoBlankBeforeBracket_3_1_1_6", "OPTIONS sip:u@x SIP/2.0\nFrom: caller<sip:c@x>;tag=323\nl: 0\n\n",
             "From:caller<sip:c@x>;tag=323"},
        Good{"SurplusIsTheNextMessage_3_1_1_8",
             "REGISTER sip:x SIP/2.0\nl: 0\n\nINVITE sip:joe@x SIP/2.0\nContent-Length: 3\n\nv=0", "INVITE|sip:joe@x|"},
        Good{"ReasonInUtf8_3_1_1_12", "SIP/2.0 200 = 2**3 * 5**2 \xD0\xBD\xD0\xBE\nContent-Length: 0\n\n",
             "||200|= 2**3 * 5**2 \xD0\xBD\xD0\xBE"},
        Good{"NoReason_3_1_1_13", "SIP/2.0 100 \nContent-Length: 0\n\n", "||100|\n"},
        Good{"NoReasonAndNoBlank", "SIP/2.0 100\nContent-Length: 0\n\n", "||100|\n"},
        Good{"VersionInLowerCase", "sip/2.0 200 ok\nContent-Length: 0\n\n", "||200|ok"},
        Good{"UnknownScheme_3_3_2", "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\nl:0\n\n",
             "OPTIONS|nobodyKnowsThisScheme:totallyopaquecontent"},
        Good{"UnterminatedQuoteInTo_3_1_2_6", "INVITE sip:u@x SIP/2.0\nTo: \"Mr. J. User <sip:j@x>\nl: 0\n\n",
             "To:\"Mr. J. User <sip:j@x>"},
        Good{"AnswerWithAnothersVia_3_3_10",
             "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\nContent-Length: 0\n\n", "||200|OK"},
        Good{"ContentLengthTwiceTheSame", "SIP/2.0 200 OK\nContent-Length: 1\nl: 1\n\nx", "\n\nx"},
        Good{"ContentLengthWithBlanks", "SIP/2.0 200 OK\nContent-Length:    2\t\n\nxy", "\n\nxy"},
        Good{"EmptyValue", "SIP/2.0 200 OK\nAllow:\nContent-Length: 0\n\n", "Allow:\n"},
        Good{"FoldOfBlanksOnly", "SIP/2.0 200 OK\nSubject: a\n   \n b\nContent-Length: 0\n\n", "Subject:a b\n"}),
    [](const auto& row) { return row.param.name; });

TEST(Message, NullBytesAreBytesLikeOthers) {  // RFC 4475, 3.1.1.4
  std::string bytes = "SIP/2.0 200 OK\r\nReason: \"a";
  bytes += '\0';
  bytes += "b\"\r\nContent-Length: 3\r\n\r\nx";
  bytes += '\0';
  bytes += "y";
  const auto reading = take(bytes);
  ASSERT_EQ(reading.messages.size(), 1U);
  EXPECT_EQ(reading.messages[0].body, std::string("x\0y", 3));
  EXPECT_EQ(reading.messages[0].field("Reason"), std::string_view("\"a\0b\"", 5));
}

struct BadMessage {
  const char* name;
  std::string bytes;
  std::string_view problem;
};

class Broken : public testing::TestWithParam<BadMessage> {};

TEST_P(Broken, EndsWithTheSameProblemFromEverySplit) {
  const BadMessage& bad = GetParam();
  const auto whole = take(bad.bytes);
  EXPECT_TRUE(whole.broken) << whole.missing;
  EXPECT_THAT(whole.problem, HasSubstr(std::string(bad.problem)));
  EXPECT_EQ(whole.problem.find('\n'), std::string::npos);
  EXPECT_LE(whole.problem.size(), 300U);
  for (std::size_t piece = 1; piece < std::min<std::size_t>(bad.bytes.size(), 200); ++piece) {
    ASSERT_EQ(take(bad.bytes, piece).problem, whole.problem) << piece;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Streams, Broken,
    testing::Values(
        BadMessage{"NegativeLength_4475_3_1_2_3", answer("Content-Length: -999\r\n"),
                   "Content-Length is \"-999\", no number"},
        BadMessage{"HexLength", answer("Content-Length: 0x10\r\n"), "Content-Length is \"0x10\""},
        BadMessage{"PlusLength", answer("Content-Length: +5\r\n"), "Content-Length is \"+5\""},
        BadMessage{"JoinedLength", answer("Content-Length: 5, 5\r\n"), "Content-Length is \"5, 5\""},
        BadMessage{"EmptyLength", answer("Content-Length:\r\n"), "Content-Length is \"\""},
        BadMessage{"HugeLength", answer("Content-Length: 99999999999999999999999\r\n"), "at most 2097152 are read"},
        BadMessage{"OverLimit", answer("Content-Length: 2097153\r\n"), "announces 2097153 bytes of body"},
        BadMessage{"TwoLengths_4475_3_3_9", answer("Content-Length: 5\r\nl: 6\r\n"), "Content-Length stands 2 times"},
        BadMessage{"NoLength", answer("Call-ID: x\r\n"), "framing: no Content-Length"},
        BadMessage{"TwoCallIds_4475_3_3_8", answer("Call-ID: x\r\ni: y\r\nl: 0\r\n"), "Call-ID stands 2 times"},
        BadMessage{"TwoCSeqs", answer("CSeq: 1 A\r\nCSeq: 2 A\r\nCSeq: 1 A\r\nl: 0\r\n"), "CSeq stands 3 times"},
        BadMessage{"BigStatus_4475_3_1_2_19", answer("l: 0\r\n", "SIP/2.0 4294967301 better not break"),
                   "no SIP status"},
        BadMessage{"LowStatus", answer("l: 0\r\n", "SIP/2.0 099 x"), "no SIP status between 100 and 699"},
        BadMessage{"ShortStatus", answer("l: 0\r\n", "SIP/2.0 20"), "no SIP status"},
        BadMessage{"StatusWithoutBlank", answer("l: 0\r\n", "SIP/2.0 200OK"), "no SIP status"},
        BadMessage{"AnswerVersion", answer("l: 0\r\n", "SIP/3.0 200 OK"), "the peer speaks \"SIP/3.0\", not SIP/2.0"},
        BadMessage{"Http", "HTTP/1.1 400 BadMessage Request\r\nContent-Length: 0\r\n\r\n",
                   "the peer speaks HTTP, not SIP: \"HTTP/1.1 400 BadMessage Request\""},
        BadMessage{"Smtp", "220 mail.contoso.example ESMTP\r\n",
                   "no SIP start line: \"220 mail.contoso.example ESMTP\""},
        BadMessage{"LfAlone", "SIP/2.0 200 OK\nContent-Length: 0\n\n", "no SIP message: line 1 ends in LF alone"},
        BadMessage{"LfAloneLater", "SIP/2.0 200 OK\r\nA: b\nC: d\r\n", "line 2 ends in LF alone"},
        BadMessage{"CrAlone", "SIP/2.0 200 OK\r\nA: b\rC: d\r\n", "line 2 holds a CR without LF"},
        BadMessage{"NoColon", answer("A b c\r\nl: 0\r\n"), "header line 2 is no header field: \"A b c\""},
        BadMessage{"NoName", answer(": x\r\n"), "header line 2 is no header field"},
        BadMessage{"NameWithBlank", answer("Call ID: x\r\n"), "header line 2 is no header field"},
        BadMessage{"FoldOfNothing", answer(" x\r\n"), "continues a field, and there is none"},
        BadMessage{"Terminal", answer("\x1b[31mred\r\n"), "is no header field: \"?[31mred\""},
        BadMessage{"MebibyteLine", "SIP/2.0 200 OK\r\nA: " + std::string(1'048'576, 'x') + "\r\nl: 0\r\n\r\n",
                   "the header has no end within 65536 bytes (line 2)"},
        BadMessage{"MebibyteStartLine", std::string(1'048'576, 'x'),
                   "the header has no end within 65536 bytes (line 1)"}),
    [](const auto& row) { return row.param.name; });

TEST(Message, LimitsAreInclusive) {
  std::string fields;
  for (std::size_t i = 1; i < max_fields; ++i) fields += "A: b\r\n";
  EXPECT_EQ(take(answer(fields + "l: 0\r\n")).messages.size(), 1U);
  EXPECT_THAT(take(answer(fields + "A: b\r\nl: 0\r\n")).problem, HasSubstr("more than 256 fields"));

  const std::string frame = answer("A: \r\nl: 0\r\n");
  const std::string fill(max_header_bytes - frame.size(), 'x');
  EXPECT_EQ(take(answer("A: " + fill + "\r\nl: 0\r\n")).messages.size(), 1U);
  EXPECT_THAT(take(answer("A: " + fill + "x\r\nl: 0\r\n")).problem, HasSubstr("no end within 65536 bytes (line 4)"));

  const auto big = take(answer("l: 2097152\r\n") + std::string(max_body_bytes, 'x'));
  ASSERT_EQ(big.messages.size(), 1U);
  EXPECT_EQ(big.messages[0].body.size(), max_body_bytes);
}

TEST(Message, MissingSaysHowMuchCame) {
  EXPECT_EQ(take(answer("l: 341\r\n") + std::string(120, 'x')).missing,
            "its body ends after 120 of 341 bytes (Content-Length)");
  EXPECT_EQ(take("SIP/2.0 200 OK\r\nA: b").missing, "its header ends after 20 bytes without the empty line behind it");
  EXPECT_EQ(take("SIP").missing, "its header ends after 3 bytes without the empty line behind it");
  EXPECT_EQ(take("<html>").missing, "what came is no SIP: \"<html>\"");
  EXPECT_EQ(take("\r\n\r\n").missing, "");
}

struct CSeqCase {
  const char* name;
  std::string_view text;
  bool good;
};

class CSeqTest : public testing::TestWithParam<CSeqCase> {};

TEST_P(CSeqTest, IsANumberBelow2To31AndAMethod) {
  EXPECT_EQ(parse_cseq(GetParam().text).has_value(), GetParam().good);
}

INSTANTIATE_TEST_SUITE_P(Rfc3261, CSeqTest,
                         testing::Values(CSeqCase{"Plain", "1 SERVICE", true},
                                         CSeqCase{"Blanks", "0009 \t INVITE", true},
                                         CSeqCase{"Most", "2147483647 X", true},
                                         CSeqCase{"Over", "2147483648 X", false},
                                         CSeqCase{"Scalar", "36893488147419103232 REGISTER", false},
                                         CSeqCase{"NoMethod", "1", false}, CSeqCase{"Empty", "", false},
                                         CSeqCase{"TwoMethods", "1 A B", false}, CSeqCase{"Negative", "-1 A", false}),
                         [](const auto& row) { return row.param.name; });

TEST(Wipe, OverwritesSpareCapacityToo) {
  std::string text(64, 'p');
  text.resize(3);
  const char* bytes = text.data();
  wipe(text);
  EXPECT_TRUE(text.empty());
  text.resize(text.capacity() < 64 ? text.capacity() : 64);
  EXPECT_EQ(text.data(), bytes);
  EXPECT_EQ(text.find('p'), std::string::npos);
}

}  // namespace
}  // namespace mrascheck::sip

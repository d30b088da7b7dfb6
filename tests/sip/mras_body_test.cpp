// SPDX-License-Identifier: Apache-2.0
#include "sip/mras_body.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>

#include "answers.hpp"

namespace mrascheck::sip {
namespace {

using test::credentials_xml;
using test::good_xml;
using test::response_xml;
using testing::HasSubstr;
using namespace std::chrono_literals;

MrasExchange read(std::string body, std::string_view id = "4711") {
  MrasExchange exchange;
  read_credentials_response(std::move(body), id, exchange);
  return exchange;
}

TEST(CredentialsRequest, IsTheDocumentThatLync2010Sends) {
  EXPECT_EQ(credentials_request({.id = "4711",
                                 .to = "sip:edge1@contoso.example;gruu;opaque=srvr:MRAS:x",
                                 .from = "sip:probe@contoso.example",
                                 .location = MrasLocation::internet,
                                 .duration = 480min}),
            "<request requestID=\"4711\" version=\"2.0\" to=\"sip:edge1@contoso.example;gruu;opaque=srvr:MRAS:x\" "
            "from=\"sip:probe@contoso.example\" xmlns=\"http://schemas.microsoft.com/2006/09/sip/mrasp\" "
            "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><credentialsRequest credentialsRequestID=\"4711\">"
            "<identity>sip:probe@contoso.example</identity><location>internet</location><duration>480</duration>"
            "</credentialsRequest></request>");
}

TEST(CredentialsRequest, EscapesWhatXmlWouldTakeForMarkup) {
  const std::string xml =
      credentials_request({.id = "1", .to = "a\"b", .from = "<&>'\x01\r\n\x7f</identity>", .duration = 1min});
  EXPECT_THAT(xml, HasSubstr(" to=\"a&quot;b\" "));
  EXPECT_THAT(xml, HasSubstr("<identity>&lt;&amp;&gt;'&lt;/identity&gt;</identity>"));
}

TEST(CredentialsResponse, TellsAllButTheCredentials) {
  const auto e = read(good_xml("4711"));
  EXPECT_EQ(e.problem, "");
  EXPECT_TRUE(e.body_present);
  EXPECT_EQ(e.reason_phrase, "OK");
  EXPECT_EQ(e.server_version, "2.0");
  EXPECT_TRUE(e.credentials_present);
  EXPECT_TRUE(e.credentials_well_formed);
  EXPECT_EQ(e.granted, 480min);
  EXPECT_EQ(e.realm, "contoso.example");
  ASSERT_EQ(e.relays.size(), 1U);
  EXPECT_EQ(e.relays[0].location, "intranet");
  EXPECT_EQ(e.relays[0].host, "edge1.contoso.example");
  EXPECT_FALSE(e.relays[0].direct_address);
  EXPECT_EQ(e.relays[0].udp_port, 3478);
  EXPECT_EQ(e.relays[0].tcp_port, 443);
}

/// The layout is that of OfficeSIP; a vector made by it, and what fits in no such token.
TEST(CredentialsResponse, TellsWhenTheCredentialsEndWhereTheySaySo) {
  const auto read_username = [](const std::string& username) {
    std::string xml = good_xml("4711");
    const std::size_t at = xml.find(test::sample_username);
    return read(xml.replace(at, test::sample_username.size(), username));
  };
  for (const auto& [username, version] :
       {std::pair{"AQAAIKAFwAAB4PbASfw4WaCeLzqeGsSwMBBuVHgzhjOwSDRQxVHrE+L//mLHNIoownrH8w==", 1U},
        std::pair{"AgAAJKAFwAAB4PbASfw4WaCeLzqeGsSwMBBuVHgzhjMAAAAAMoc94bXMJ0C9IzZYFzEPQKtxYwM=", 2U},
        std::pair{" AgAA JKAF\n wAAB4PbA ", 2U}}) {
    const auto e = read_username(username);
    EXPECT_EQ(e.token_version, version);
    ASSERT_TRUE(e.token_expiry) << username;
    EXPECT_EQ(to_iso8601(*e.token_expiry), "2030-01-01T00:00:00Z");
    EXPECT_EQ(e.token_client, std::string_view{username}.size() > 30 ? "49fc3859a09e2f3a" : "");
  }
  EXPECT_EQ(read_username("AgAAJAAAAAAAAAAA").token_version, 2U);
  for (const char* opaque : {"AgAAJAAAAAAAAAAA", "AgAAJP//////////", "AgAAIKAFwAAB4PbA", "AwAAJKAFwAAB4PbA", "AgAAJKAF",
                             "QUJD", "AgAAJKAFwAAB4Pb"}) {
    EXPECT_FALSE(read_username(opaque).token_expiry) << opaque;
    EXPECT_EQ(read_username(opaque).token_client, "") << opaque;
  }
}

TEST(CredentialsResponse, TakesTheBodyAway) {
  std::string body = good_xml("4711");
  MrasExchange exchange;
  read_credentials_response(std::move(body), "4711", exchange);
  EXPECT_TRUE(exchange.credentials_present);
  EXPECT_TRUE(body.empty());  // NOLINT(bugprone-use-after-move): that nothing is left is the contract
}

TEST(CredentialsResponse, PortsAreOptionalAndAddressesMayStandForNames) {
  const auto e = read(response_xml(
      "4711", credentials_xml() + "<mediaRelayList><mediaRelay><location>internet</location>"
                                  "<directIPAddress>192.0.2.7</directIPAddress></mediaRelay></mediaRelayList>"));
  EXPECT_EQ(e.problem, "");
  ASSERT_EQ(e.relays.size(), 1U);
  EXPECT_TRUE(e.relays[0].direct_address);
  EXPECT_EQ(e.relays[0].host, "192.0.2.7");
  EXPECT_FALSE(e.relays[0].udp_port);
  EXPECT_FALSE(e.relays[0].tcp_port);
}

TEST(CredentialsResponse, NamespacesPrefixesAndUnknownElementsAreNoProblem) {
  const auto e = read(
      "<m:response xmlns:m=\"urn:other\" requestID=\"4711\" reasonPhrase=\"OK\" serverVersion=\"3.0\"><m:new/>"
      "<m:credentialsResponse credentialsRequestID=\"4711\"><m:credentials><m:flags>1</m:flags>"
      "<m:username>QUJD</m:username><m:password>QUJE</m:password><m:duration> 60 </m:duration></m:credentials>"
      "<m:mediaRelayList><other/><m:mediaRelay><hostName>a.example</hostName></m:mediaRelay></m:mediaRelayList>"
      "</m:credentialsResponse></m:response>");
  EXPECT_EQ(e.problem, "");
  EXPECT_TRUE(e.credentials_well_formed);
  EXPECT_EQ(e.granted, 60min);
  EXPECT_EQ(e.server_version, "3.0");
  EXPECT_EQ(e.relays.size(), 1U);
}

TEST(CredentialsResponse, IsReadInUtf16) {
  std::string wide = "\xFF\xFE";
  for (const char c : good_xml("4711")) {
    wide += c;
    wide += '\0';
  }
  const auto e = read(wide);
  EXPECT_EQ(e.problem, "");
  EXPECT_TRUE(e.credentials_well_formed);
  EXPECT_EQ(e.relays.size(), 1U);
}

TEST(CredentialsResponse, ARefusalHasNoChildAndNeedsNoId) {
  const auto e = read(
      "<response xmlns=\"http://schemas.microsoft.com/2006/09/sip/mrasp\" serverVersion=\"2.0\" "
      "reasonPhrase=\"Version Mismatch\"/>");
  EXPECT_EQ(e.problem, "");
  EXPECT_TRUE(e.body_present);
  EXPECT_EQ(e.reason_phrase, "Version Mismatch");
  EXPECT_FALSE(e.credentials_present);
}

TEST(CredentialsResponse, PicksOursAmongSeveral) {
  const std::string two =
      "<response requestID=\"4711\" reasonPhrase=\"OK\"><credentialsResponse credentialsRequestID=\"1\"/>"
      "<credentialsResponse credentialsRequestID=\"4711\">" +
      credentials_xml() + "</credentialsResponse></response>";
  const auto e = read(two);
  EXPECT_EQ(e.problem, "");
  EXPECT_TRUE(e.credentials_present);
}

TEST(CredentialsResponse, KeepsTheFirst256Relays) {
  std::string relays = "<mediaRelayList>";
  for (int i = 0; i < 10'000; ++i) relays += "<mediaRelay><hostName>h" + std::to_string(i) + "</hostName></mediaRelay>";
  const auto e = read(response_xml("4711", credentials_xml() + relays + "</mediaRelayList>"));
  EXPECT_EQ(e.relays.size(), 256U);
  EXPECT_EQ(e.relays.back().host, "h255");
  EXPECT_EQ(e.problem, "10000 media relays, only the first 256 are read");
  EXPECT_TRUE(e.credentials_present);
}

TEST(CredentialsResponse, AMebibyteForAUserNameIsOneProblemAndLosesNothingElse) {
  const std::string blob(std::size_t{4} * ((std::size_t{1024} * 1024 + 2) / 3), 'A');  // 1 MiB of bytes
  std::string xml = good_xml("4711");
  xml.replace(xml.find(test::sample_username), test::sample_username.size(), blob);
  ASSERT_LE(xml.size(), max_body_bytes);
  const auto e = read(xml);
  EXPECT_EQ(e.problem, "the user name has 1398104 characters, where some 76 are usual");
  EXPECT_TRUE(e.credentials_well_formed);
  EXPECT_EQ(e.reason_phrase, "OK");
  EXPECT_EQ(e.granted, std::chrono::minutes{480});
  EXPECT_EQ(e.relays.size(), 1U);
}

struct ForeignCase {
  const char* name;
  const char* request;      ///< attribute of the response
  const char* credentials;  ///< attribute of the credentialsResponse
  bool ours;
};
class Foreign : public testing::TestWithParam<ForeignCase> {};

TEST_P(Foreign, CredentialsAreNotOurs) {
  const ForeignCase& c = GetParam();
  const auto e = read(std::string("<response ") + c.request + " reasonPhrase=\"OK\"><credentialsResponse " +
                      c.credentials + ">" + credentials_xml() + "</credentialsResponse></response>");
  EXPECT_NE(e.problem, "");
  EXPECT_EQ(e.credentials_present, c.ours);
  EXPECT_EQ(e.granted.has_value(), c.ours);
}
INSTANTIATE_TEST_SUITE_P(
    Ids, Foreign,
    testing::Values(ForeignCase{"AnotherRequest", "requestID=\"1\"", "credentialsRequestID=\"4711\"", false},
                    ForeignCase{"AnotherCredentialsRequest", "requestID=\"4711\"", "credentialsRequestID=\"1\"", false},
                    ForeignCase{"NoCredentialsRequest", "requestID=\"4711\"", "", true},
                    ForeignCase{"NoRequest", "", "credentialsRequestID=\"4711\"", true}),
    [](const auto& row) { return row.param.name; });

TEST(CredentialsResponse, NoMinutesAtAllAreRead) {
  const auto e = read(response_xml("4711", "<credentials><duration>0</duration></credentials>"));
  EXPECT_EQ(e.granted, 0min);
  EXPECT_THAT(e.problem, HasSubstr("duration \"0\" is no number of minutes"));
}

std::string nested(std::size_t depth) {
  std::string xml = "<response requestID=\"4711\" reasonPhrase=\"OK\">";
  for (std::size_t i = 1; i < depth; ++i) xml += "<a>";
  for (std::size_t i = 1; i < depth; ++i) xml += "</a>";
  return xml + "</response>";
}

struct Bad {
  const char* name;
  std::string body;
  std::string_view problem;
};

class BadBody : public testing::TestWithParam<Bad> {};

TEST_P(BadBody, IsAProblemOfOneLine) {
  const auto e = read(GetParam().body);
  EXPECT_THAT(e.problem, HasSubstr(std::string(GetParam().problem)));
  EXPECT_EQ(e.problem.find('\n'), std::string::npos);
  EXPECT_LT(e.problem.size(), 1000U);
  EXPECT_EQ(e.problem.find(test::sample_password), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Hostile, BadBody,
    testing::Values(
        Bad{"Empty", "", "malformed XML"}, Bad{"Text", "not XML at all", "malformed XML"},
        Bad{"Truncated", good_xml("4711").substr(0, 700), "malformed XML"},
        Bad{"TruncatedBeforeEnd", good_xml("4711").substr(0, good_xml("4711").size() - 8), "malformed XML"},
        Bad{"NullByte", std::string("<response\0/>", 12), "malformed XML"},
        Bad{"WrongRoot", "<request requestID=\"4711\"/>", "root element is \"request\""},
        Bad{"Dtd", "<!DOCTYPE response SYSTEM \"http://192.0.2.1/x.dtd\">" + good_xml("4711").substr(23), "(DTD)"},
        Bad{"Entities",
            "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><response requestID=\"4711\" "
            "reasonPhrase=\"&b;\"/>",
            "(DTD)"},
        Bad{"TenThousandDeep", nested(10'000), "nested more than 16 deep"},
        Bad{"SeventeenDeep", nested(17), "nested more than 16 deep"},
        Bad{"TooManyTags",
            "<response>" +
                [] {
                  std::string tags;
                  for (int i = 0; i < 70'000; ++i) tags += "<a/>";
                  return tags;
                }() +
                "</response>",
            "more than 65536 XML tags"},
        Bad{"AnotherRequest", good_xml("4712"), "it answers request \"4712\", ours is \"4711\""},
        Bad{"NoRequestId", "<response reasonPhrase=\"OK\"/>", "it answers request \"\", ours is \"4711\""},
        Bad{"AnotherCredentialsRequest",
            "<response requestID=\"4711\" reasonPhrase=\"OK\"><credentialsResponse "
            "credentialsRequestID=\"c1\"/></response>",
            "it answers credentials request \"c1\", ours is \"4711\""},
        Bad{"NoReason", "<response requestID=\"4711\"/>", "no reasonPhrase"},
        Bad{"BadPort",
            response_xml("4711",
                         "<mediaRelayList><mediaRelay><hostName>h</hostName><udpPort>65536</udpPort>"
                         "<tcpPort>443x</tcpPort></mediaRelay></mediaRelayList>"),
            "udpPort \"65536\" is no port; tcpPort \"443x\" is no port"},
        Bad{"NoHost", response_xml("4711", "<mediaRelayList><mediaRelay/></mediaRelayList>"),
            "media relay 1 has neither hostName nor directIPAddress"},
        Bad{"BadDuration", response_xml("4711", "<credentials><duration>-480</duration></credentials>"),
            "duration \"-480\" is no number of minutes from 1 to 259200"},
        Bad{"HugeDuration", response_xml("4711", "<credentials><duration>99999999999999</duration></credentials>"),
            "is no number of minutes"},
        Bad{"Controls", response_xml("4\x1b[31m|", ""), "it answers request"}),
    [](const auto& row) { return row.param.name; });

TEST(CredentialsResponse, SixteenDeepIsRead) {
  EXPECT_EQ(read(nested(16)).problem, "");
}

struct Blob {
  const char* name;
  std::string_view text;
  bool present;
  bool well_formed;
};

class BlobTest : public testing::TestWithParam<Blob> {};

TEST_P(BlobTest, IsBase64OrNot) {
  const auto e = read(response_xml("4711", "<credentials><username>QUJD</username><password>" +
                                               std::string(GetParam().text) + "</password></credentials>"));
  EXPECT_EQ(e.credentials_present, GetParam().present);
  EXPECT_EQ(e.credentials_well_formed, GetParam().well_formed);
}

INSTANTIATE_TEST_SUITE_P(
    Base64, BlobTest,
    testing::Values(Blob{"Token", test::sample_password, true, true}, Blob{"Empty", "", false, false},
                    Blob{"Blanks", "  \r\n ", false, false}, Blob{"OneByte", "QQ==", true, true},
                    Blob{"TwoBytes", "QUI=", true, true}, Blob{"Lines", "QUJD\r\n QUJD", true, true},
                    Blob{"NoPadding", "QQ", true, false}, Blob{"OnlyPadding", "====", true, false},
                    Blob{"TooMuchPadding", "QQ===", true, false}, Blob{"OneDigit", "Q===", true, false},
                    Blob{"UrlAlphabet", "QUJ_", true, false}, Blob{"Inside", "QQ==QQ==", true, false},
                    Blob{"Words", "not base64!", true, false}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::sip

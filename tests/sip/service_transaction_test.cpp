// SPDX-License-Identifier: Apache-2.0
#include "sip/service_transaction.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "answers.hpp"

namespace mrascheck::sip {
namespace {

using State = ServiceTransaction::State;
using test::answer_to;
using test::attribute_of;
using test::body_of;
using test::field_of;
using test::good_answer;
using test::good_xml;
using test::mras_type;
using test::response_xml;
using test::sample_request;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;
using namespace std::chrono_literals;

std::string start_line(const std::string& message) {
  return message.substr(0, message.find("\r\n"));
}

std::string id_of(const std::string& request) {
  return attribute_of(body_of(request), "requestID");
}

std::string sample_id() {
  return id_of(ServiceTransaction(sample_request()).request());
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

// ---- the request

TEST(ServiceRequest, HasTheShapeThatAFrontEndSends) {
  const ServiceTransaction transaction(sample_request());
  const std::string& request = transaction.request();
  EXPECT_EQ(start_line(request), "SERVICE sip:edge1.contoso.example:5062;grid SIP/2.0");
  EXPECT_THAT(field_of(request, "Via"),
              MatchesRegex("SIP/2.0/TLS 192.0.2.10:49152;branch=z9hG4bK[0-9A-F]{8}.[0-9A-F]{16};branched=FALSE"));
  EXPECT_EQ(field_of(request, "Max-Forwards"), "69");
  EXPECT_THAT(field_of(request, "From"),
              MatchesRegex("<sip:probe@contoso.example>;tag=[0-9a-f]{10};epid=[0-9a-f]{10}"));
  EXPECT_THAT(field_of(request, "To"),
              MatchesRegex("<sip:edge1.contoso.example@contoso.example;gruu;opaque=srvr:MRAS:[A-Za-z0-9_-]{22}AA>"));
  EXPECT_THAT(field_of(request, "Call-ID"), MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(field_of(request, "CSeq"), "1 SERVICE");
  EXPECT_THAT(field_of(request, "Contact"),
              MatchesRegex("<sip:probe@contoso.example;opaque=user:epid:[A-Za-z0-9_-]{24};gruu>"));
  EXPECT_EQ(field_of(request, "User-Agent"), "UCCAPI/4.0.7577.0 OC/4.0.7577.0 (Microsoft Lync 2010) mrascheck");
  EXPECT_EQ(field_of(request, "Content-Type"), "application/msrtc-media-relay-auth+xml");
  EXPECT_EQ(field_of(request, "Content-Length"), std::to_string(body_of(request).size()));
  EXPECT_EQ("<" + attribute_of(body_of(request), "to") + ">", field_of(request, "To"));
  EXPECT_EQ(attribute_of(body_of(request), "credentialsRequestID"), id_of(request));
  EXPECT_EQ(transaction.exchange().method, "SERVICE");
  EXPECT_EQ(transaction.exchange().request_uri, "sip:edge1.contoso.example:5062;grid");
  EXPECT_EQ(transaction.exchange().version, "2.0");
  EXPECT_EQ(transaction.exchange().asked, 480min);
}

TEST(ServiceRequest, GivenGruuIsUsed) {
  auto asked = sample_request();
  asked.question.service_uri = "sip:edge1@contoso.example;gruu;opaque=srvr:MRAS:tmsOHGdb9lGxCPJSi2p6eAAA";
  const ServiceTransaction transaction(asked);
  EXPECT_EQ(field_of(transaction.request(), "To"), "<" + asked.question.service_uri + ">");
}

struct GenerationCase {
  const char* name;
  Profile profile;
  std::string_view uri;  ///< "GRUU": that of To
  std::string_view version;
  std::string_view client;
};
class Generations : public testing::TestWithParam<GenerationCase> {};

TEST_P(Generations, AskEachInItsOwnWay) {
  auto asked = sample_request();
  asked.question.profile = GetParam().profile;
  const ServiceTransaction transaction(asked);
  const std::string& request = transaction.request();
  const std::string to = field_of(request, "To");
  EXPECT_THAT(to,
              MatchesRegex("<sip:edge1.contoso.example@contoso.example;gruu;opaque=srvr:MRAS:[A-Za-z0-9_-]{22}AA>"));
  const std::string uri = GetParam().uri == "GRUU" ? to.substr(1, to.size() - 2) : std::string(GetParam().uri);
  EXPECT_EQ(start_line(request), "SERVICE " + uri + " SIP/2.0");
  EXPECT_EQ(transaction.exchange().request_uri, uri);
  EXPECT_EQ(attribute_of(body_of(request), "version"), GetParam().version);
  EXPECT_EQ(transaction.exchange().version, GetParam().version);
  EXPECT_THAT(field_of(request, "User-Agent"), HasSubstr(std::string(GetParam().client)));
}

constexpr std::string_view grid_uri = "sip:edge1.contoso.example:5062;grid";
INSTANTIATE_TEST_SUITE_P(Profiles, Generations,
                         testing::Values(GenerationCase{"Ocs2007R2", Profile::ocs2007r2, "GRUU", "1.0",
                                                        "Communicator 2007 R2"},
                                         GenerationCase{"Lync2010", Profile::lync2010, grid_uri, "2.0", "UCCAPI/4.0"},
                                         GenerationCase{"Lync2013", Profile::lync2013, grid_uri, "2.0", "UCCAPI/15.0"},
                                         GenerationCase{"Sfb", Profile::sfb, grid_uri, "2.0", "UCCAPI/16.0"}),
                         [](const auto& row) { return row.param.name; });

TEST(ServiceRequest, AGivenVersionGoesBeforeTheProfiles) {
  auto asked = sample_request();
  asked.version = "1.0";
  asked.location = MrasLocation::internet;
  const ServiceTransaction transaction(asked);
  EXPECT_EQ(attribute_of(body_of(transaction.request()), "version"), "1.0");
  EXPECT_THAT(body_of(transaction.request()), HasSubstr("<location>internet</location>"));
  EXPECT_EQ(transaction.exchange().location, MrasLocation::internet);
}

// RFC 3261, figure 6, over a reliable transport: no timer E, timer K is 0.
TEST(ServiceTransaction, GoesThroughTheStagesOfANonInviteTransaction) {
  using Stage = ServiceTransaction::Stage;
  EXPECT_EQ(timer_f, 64 * 500ms);
  ServiceTransaction answered(sample_request());
  EXPECT_EQ(answered.stage(), Stage::trying);
  answered.feed(answer_to(answered.request(), "100 Trying"));
  EXPECT_EQ(answered.stage(), Stage::proceeding);
  answered.feed(answer_to(answered.request(), "183 Session Progress"));
  EXPECT_EQ(answered.stage(), Stage::proceeding);
  EXPECT_EQ(answered.feed(good_answer(answered.request())), State::answered);
  EXPECT_EQ(answered.stage(), Stage::terminated);
  EXPECT_EQ(answered.expire(), State::answered);
  answered.feed(answer_to(answered.request(), "500 Server Internal Error"));  // nothing is awaited any more
  EXPECT_EQ(answered.exchange().sip_status, 200U);
  EXPECT_EQ(answered.exchange().strangers, 1U);

  ServiceTransaction silent(sample_request());
  EXPECT_EQ(silent.expire(), State::expired);
  EXPECT_EQ(silent.stage(), Stage::terminated);
  EXPECT_EQ(silent.exchange().problem, "no answer: not one byte came");
  EXPECT_EQ(silent.feed(good_answer(silent.request())), State::expired);
  EXPECT_FALSE(silent.exchange().answered);
  EXPECT_TRUE(silent.can_go_on());

  ServiceTransaction waiting(sample_request());
  waiting.feed(answer_to(waiting.request(), "100 Trying"));
  EXPECT_EQ(waiting.expire(), State::expired);
  EXPECT_EQ(waiting.exchange().problem, "no final answer, only 1 provisional one");
}

TEST(ServiceTransaction, TheNextOneTakesUpWhereThisOneEnded) {
  ServiceTransaction first(sample_request());
  const std::string late = answer_to(first.request(), "200 OK");
  EXPECT_EQ(first.feed(good_answer(first.request()) + late.substr(0, 40)), State::answered);
  ASSERT_TRUE(first.can_go_on());
  auto asked = sample_request();
  asked.random = std::string(64, '7');
  ServiceTransaction second(asked, std::move(first));
  EXPECT_EQ(second.feed(late.substr(40) + good_answer(second.request())), State::answered);
  EXPECT_EQ(second.exchange().strangers, 1U);
  EXPECT_EQ(second.exchange().problem, "");

  ServiceTransaction garbled(sample_request());
  garbled.feed(good_answer(garbled.request()) + "\x16\x03\x01 is no SIP\r\n");
  EXPECT_FALSE(garbled.can_go_on());
}

TEST(ServiceTransaction, AnAnswerThatAnotherHostAskedForIsNotOurs) {
  ServiceTransaction transaction(sample_request());
  const std::string answer = replaced(good_answer(transaction.request()), "192.0.2.10:49152", "255.255.255.255");
  EXPECT_EQ(transaction.feed(answer), State::waiting);
  transaction.end();
  EXPECT_THAT(transaction.exchange().problem, HasSubstr("an answer to a request that 255.255.255.255 sent"));
}

TEST(ServiceRequest, OptionsHasNoBody) {
  auto asked = sample_request();
  asked.service = Service::sip;
  const ServiceTransaction transaction(asked);
  const std::string& request = transaction.request();
  EXPECT_EQ(start_line(request), "OPTIONS sip:edge1.contoso.example:5062 SIP/2.0");
  EXPECT_EQ(field_of(request, "CSeq"), "1 OPTIONS");
  EXPECT_EQ(field_of(request, "Contact"), "<sip:fe1.contoso.example:49152;transport=tls>");
  EXPECT_EQ(field_of(request, "Content-Length"), "0");
  EXPECT_EQ(body_of(request), "");
}

TEST(ServiceRequest, AddressLiteralsOfIpv6AreBracketed) {
  auto asked = sample_request();
  asked.front_end_address = "2001:db8::10";
  asked.edge = "2001:db8::1";
  const ServiceTransaction transaction(asked);
  EXPECT_THAT(field_of(transaction.request(), "Via"), StartsWith("SIP/2.0/TLS [2001:db8::10]:49152;branch="));
  EXPECT_EQ(start_line(transaction.request()), "SERVICE sip:[2001:db8::1]:5062;grid SIP/2.0");
}

TEST(ServiceRequest, NothingGivenCanEndALine) {
  auto asked = sample_request();
  asked.question.identity = "sip:a\r\nEvil: 1\r\n\r\n@b>\x7f\xC3\xA4\"<x";
  asked.question.service_uri = "sip:x>\r\nEvil: 2";
  asked.edge = "edge\r\nEvil: 3";
  asked.front_end_address = "fe\nEvil: 4";
  const ServiceTransaction transaction(asked);
  const std::string& request = transaction.request();
  EXPECT_EQ(request.find("\nEvil"), std::string::npos);
  EXPECT_EQ(request.find("\rEvil"), std::string::npos);
  EXPECT_THAT(field_of(request, "From"), StartsWith("<sip:a%0D%0AEvil:%201%0D%0A%0D%0A@b%3E%7F%C3%A4%22%3Cx>;tag="));
  EXPECT_EQ(field_of(request, "Content-Length"), std::to_string(body_of(request).size()));
}

TEST(ServiceRequest, OtherDigitsMakeAnotherTransaction) {
  auto asked = sample_request();
  const ServiceTransaction first(asked);
  asked.random = "ffeeddccbbaa99887766554433221100fedcba9876543210fedcba9876543210";
  const ServiceTransaction second(asked);
  for (const char* name : {"Via", "From", "To", "Call-ID"}) {
    EXPECT_NE(field_of(first.request(), name), field_of(second.request(), name)) << name;
  }
  EXPECT_NE(id_of(first.request()), id_of(second.request()));
}

TEST(ServiceRequest, LacksNoIdWithoutDigits) {
  auto asked = sample_request();
  asked.random = "";
  EXPECT_EQ(field_of(ServiceTransaction(asked).request(), "Call-ID"), std::string(32, '0'));
}

// ---- answers, from every split point the same

std::string flat(const MrasExchange& e) {
  std::string text = e.answered ? "answered" : "unanswered";
  text += " " + std::to_string(e.sip_status) + " " + e.sip_reason + " banner=" + e.server_banner;
  text += " provisional=" + std::to_string(e.provisional) + " strangers=" + std::to_string(e.strangers);
  text += e.body_present ? " body" : "";
  text += e.credentials_present ? " credentials" : "";
  text += e.credentials_well_formed ? "+" : "";
  text += " mras=" + e.reason_phrase + " relays=" + std::to_string(e.relays.size());
  for (const auto& d : e.diagnostics) text += " diag=" + std::to_string(d.id);
  return text + " problem=" + e.problem;
}

struct Outcome {
  State state;
  std::string text;
  std::string output;
};

Outcome play(const std::function<std::string(const std::string&)>& peer, std::size_t piece, bool end,
             Service service = Service::mras) {
  auto asked = sample_request();
  asked.service = service;
  ServiceTransaction transaction(asked);
  const std::string stream = peer(transaction.request());
  Outcome outcome{State::waiting, "", ""};
  for (std::size_t at = 0; at < stream.size(); at += std::min(piece, stream.size() - at)) {
    outcome.state = transaction.feed(std::string_view(stream).substr(at, piece));
    outcome.output += transaction.take_output();
  }
  if (end) transaction.end();
  outcome.text = flat(transaction.exchange());
  return outcome;
}

std::string other_call(const std::string& request) {
  return replaced(good_answer(request), field_of(request, "Call-ID"), "0123456789abcdef");
}

std::string other_branch(const std::string& request) {
  return replaced(good_answer(request), "branch=z9hG4bK", "branch=z9hG4bKX");
}

std::string peer_request(std::string_view method) {
  return std::string(method) +
         " sip:fe1.contoso.example SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1:5062;branch=z9hG4bKpeer1\r\n"
         "v: SIP/2.0/TLS 192.0.2.2;branch=z9hG4bKpeer2\r\nFrom: <sip:edge1>;tag=e\r\nTo: <sip:fe1>\r\n"
         "Call-ID: theirs\r\nCSeq: 7 " +
         std::string(method) + "\r\nContent-Length: 4\r\n\r\nbody";
}

struct ServiceTransactionRow {
  const char* name;
  std::function<std::string(const std::string&)> peer;
  State state;
  std::string expected;  ///< of flat(), when the peer closes behind it
};

class Answers : public testing::TestWithParam<ServiceTransactionRow> {};

TEST_P(Answers, AreReadTheSameFromEverySplit) {
  const ServiceTransactionRow& row = GetParam();
  const Outcome whole = play(row.peer, std::string::npos, true);
  EXPECT_EQ(whole.state, row.state);
  EXPECT_EQ(whole.text, row.expected);
  const std::string stream = row.peer(ServiceTransaction(sample_request()).request());
  const std::size_t most = std::min<std::size_t>(stream.size(), 700);
  for (std::size_t piece = 1; piece < most; piece += piece < 8 ? 1 : 13) {
    const Outcome split = play(row.peer, piece, true);
    ASSERT_EQ(split.state, whole.state) << piece;
    ASSERT_EQ(split.text, whole.text) << piece;
    ASSERT_EQ(split.output, whole.output) << piece;
  }
}

const std::string granted =
    "answered 200 OK banner=RTC/4.0 provisional=0 strangers=0 body credentials+ mras=OK relays=1 problem=";
const std::string nothing = "unanswered 0  banner= provisional=0 strangers=0 mras= relays=0 problem=";

std::string bare(std::string_view status, std::string_view rest = "") {
  return "answered " + std::string(status) + " banner= provisional=0 strangers=0 mras= relays=0" + std::string(rest) +
         " problem=";
}

const std::string diagnostics_1038 =
    "ms-diagnostics: 1038;reason=\"Failed to connect to a peer "
    "server\";WinsockFailureCode=\"10061(WSAECONNREFUSED)\"\r\n";

INSTANTIATE_TEST_SUITE_P(
    Granted, Answers,
    testing::Values(
        ServiceTransactionRow{"Plain", good_answer, State::answered, granted},
        ServiceTransactionRow{"KeepAlivesAround",
                              [](const std::string& r) { return "\r\n\r\n" + good_answer(r) + "\r\n\r\n"; },
                              State::answered, granted},
        ServiceTransactionRow{
            "BehindProvisionals",
            [](const std::string& r) {
              return answer_to(r, "100 Trying") + answer_to(r, "180 Ringing") + good_answer(r);
            },
            State::answered,
            "answered 200 OK banner=RTC/4.0 provisional=2 strangers=0 body credentials+ mras=OK relays=1 problem="},
        ServiceTransactionRow{
            "BehindStrangers", [](const std::string& r) { return other_call(r) + other_branch(r) + good_answer(r); },
            State::answered,
            "answered 200 OK banner=RTC/4.0 provisional=0 strangers=2 body credentials+ mras=OK relays=1 problem="},
        ServiceTransactionRow{
            "BehindARequestOfThePeer", [](const std::string& r) { return peer_request("NEGOTIATE") + good_answer(r); },
            State::answered,
            "answered 200 OK banner=RTC/4.0 provisional=0 strangers=1 body credentials+ mras=OK relays=1 problem="},
        ServiceTransactionRow{
            "SecondViaBehindComma",
            [](const std::string& r) { return replaced(good_answer(r), ";branched=FALSE", ",SIP/2.0/TLS 192.0.2.3"); },
            State::answered, granted},
        ServiceTransactionRow{
            "NextMessageBehind", [](const std::string& r) { return good_answer(r) + peer_request("OPTIONS"); },
            State::answered,
            "answered 200 OK banner=RTC/4.0 provisional=0 strangers=1 body credentials+ mras=OK relays=1 problem="},
        ServiceTransactionRow{"TypeWithParameter",
                              [](const std::string& r) {
                                return replaced(good_answer(r), "auth+xml\r\nServer: RTC/4.0",
                                                "AUTH+XML ; charset=utf-8\r\nuser-agent: RTC/4.0");
                              },
                              State::answered, granted},
        ServiceTransactionRow{"CapitalsAndCompactForms",
                              [](const std::string& r) {
                                return replaced(
                                    replaced(replaced(good_answer(r), "Via:", "v :"), "Call-ID:", "CALL-ID:"),
                                    "CSeq: 1 ", "cseq:\r\n 1\t");
                              },
                              State::answered, granted}),
    [](const auto& row) { return row.param.name; });

TEST(ServiceTransaction, TellsTheDateOfTheAnswer) {
  ServiceTransaction transaction(sample_request());
  transaction.feed(answer_to(transaction.request(), "403 Forbidden", "Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n"));
  ASSERT_TRUE(transaction.exchange().date);
  EXPECT_EQ(to_iso8601(*transaction.exchange().date), "2010-11-13T23:29:00Z");
  ServiceTransaction odd(sample_request());
  odd.feed(answer_to(odd.request(), "403 Forbidden", "Date: yesterday\r\n"));
  EXPECT_TRUE(odd.exchange().answered);
  EXPECT_FALSE(odd.exchange().date);
}

INSTANTIATE_TEST_SUITE_P(
    Refused, Answers,
    testing::Values(
        ServiceTransactionRow{"Forbidden", [](const std::string& r) { return answer_to(r, "403 Forbidden"); },
                              State::answered, bare("403 Forbidden")},
        ServiceTransactionRow{"NotFound", [](const std::string& r) { return answer_to(r, "404 Not Found"); },
                              State::answered, bare("404 Not Found")},
        ServiceTransactionRow{"ServerError",
                              [](const std::string& r) { return answer_to(r, "500 Server Internal Error"); },
                              State::answered, bare("500 Server Internal Error")},
        ServiceTransactionRow{"TimeOut", [](const std::string& r) { return answer_to(r, "504 Server time-out"); },
                              State::answered, bare("504 Server time-out")},
        ServiceTransactionRow{"ForbiddenWithDiagnostics",
                              [](const std::string& r) {
                                return answer_to(r, "403 Forbidden", "ms-diagnostics: 1002;reason=\"no\"\r\n");
                              },
                              State::answered, bare("403 Forbidden", " diag=1002")},
        ServiceTransactionRow{
            "NotFoundWithTwoDiagnostics",
            [](const std::string& r) {
              return answer_to(
                  r, "404 Not Found",
                  "MS-DIAGNOSTICS: 1003;reason=\"a, 5\"\r\nms-diagnostics: 1034;reason=b, c,0;source=d\r\n");
            },
            State::answered, bare("404 Not Found", " diag=1003 diag=1034 diag=0")},
        ServiceTransactionRow{"PublicDiagnosticsOnce",
                              [](const std::string& r) {
                                return answer_to(
                                    r, "504 Server time-out",
                                    "ms-diagnostics-public: 1010;reason=\"x\"\r\nms-diagnostics: 1010;reason=\"x\"\r\n"
                                    "ms-diagnostics-public: 1\r\nms-diagnostics: broken\r\n");
                              },
                              State::answered, bare("504 Server time-out", " diag=1010 diag=1")},
        ServiceTransactionRow{
            "ConnectionRefused",
            [](const std::string& r) { return answer_to(r, "504 Server time-out", diagnostics_1038); }, State::answered,
            bare("504 Server time-out", " diag=1038")},
        ServiceTransactionRow{
            "HtmlBodyOfARefusal",
            [](const std::string& r) { return answer_to(r, "500 Oops", "Content-Type: text/html\r\n", "<html>"); },
            State::answered, bare("500 Oops")},
        ServiceTransactionRow{
            "MrasSaysNo",
            [](const std::string& r) {
              return answer_to(r, "200 OK", mras_type, response_xml(id_of(r), "", "Forbidden"));
            },
            State::answered, "answered 200 OK banner= provisional=0 strangers=0 body mras=Forbidden relays=0 problem="},
        ServiceTransactionRow{
            "MrasSaysNoIn400",
            [](const std::string& r) {
              return answer_to(r, "400 Bad Request", mras_type,
                               "<response serverVersion=\"2.0\" reasonPhrase=\"Request Malformed\"/>");
            },
            State::answered,
            "answered 400 Bad Request banner= provisional=0 strangers=0 body mras=Request Malformed relays=0 problem="},
        ServiceTransactionRow{"NoBody", [](const std::string& r) { return answer_to(r, "200 OK"); }, State::answered,
                              bare("200 OK") + "the answer has no body, so it grants no credentials"},
        ServiceTransactionRow{
            "WrongType",
            [](const std::string& r) { return answer_to(r, "200 OK", "Content-Type: text/html\r\n", "<html/>"); },
            State::answered,
            bare("200 OK") +
                "the body of the answer is of type \"text/html\", not application/msrtc-media-relay-auth+xml"},
        ServiceTransactionRow{
            "NoType", [](const std::string& r) { return answer_to(r, "200 OK", "", "<html/>"); }, State::answered,
            bare("200 OK") + "the body of the answer is of type \"\", not application/msrtc-media-relay-auth+xml"},
        ServiceTransactionRow{"Compressed",
                              [](const std::string& r) {
                                return answer_to(r, "200 OK", std::string(mras_type) + "e: gzip\r\n", "\x1f\x8b");
                              },
                              State::answered,
                              bare("200 OK") + "the body of the answer is coded (gzip); we asked for none"},
        ServiceTransactionRow{
            "NotOurRequestId",
            [](const std::string& r) { return answer_to(r, "200 OK", mras_type, response_xml("999", "")); },
            State::answered,
            "answered 200 OK banner= provisional=0 strangers=0 body mras=OK relays=0 problem=it answers request "
            "\"999\", ours "
            "is \"" +
                sample_id() + "\"; it answers credentials request \"999\", ours is \"" + sample_id() + "\""}),
    [](const auto& row) { return row.param.name; });

std::string with_length(const std::string& request, int more) {
  const std::string answer = good_answer(request);
  const std::size_t size = body_of(answer).size();
  return replaced(answer, "Content-Length: " + std::to_string(size),
                  "Content-Length: " + std::to_string(static_cast<int>(size) + more));
}

INSTANTIATE_TEST_SUITE_P(
    Unfinished, Answers,
    testing::Values(
        ServiceTransactionRow{"NotOneByte", [](const std::string&) { return ""; }, State::waiting,
                              nothing + "no answer: not one byte came"},
        ServiceTransactionRow{"OnlyKeepAlives", [](const std::string&) { return "\r\n\r\n"; }, State::waiting,
                              nothing + "no answer: only empty lines came"},
        ServiceTransactionRow{
            "OnlyProvisional", [](const std::string& r) { return answer_to(r, "100 Trying"); }, State::waiting,
            "unanswered 0  banner= provisional=1 strangers=0 mras= relays=0 problem=no final answer, only 1 "
            "provisional one"},
        ServiceTransactionRow{
            "HalfAHeader", [](const std::string&) { return "SIP/2.0 200 OK\r\nVia:"; }, State::waiting,
            nothing + "the answer is not whole: its header ends after 20 bytes without the empty line behind it"},
        ServiceTransactionRow{
            "BodyTooShort",
            [](const std::string& r) {
              return answer_to(r, "200 OK", mras_type, std::string(341, 'x'))
                  .substr(0, answer_to(r, "200 OK", mras_type, std::string(341, 'x')).size() - 221);
            },
            State::waiting,
            "unanswered 200 OK banner= provisional=0 strangers=0 mras= relays=0 problem=the answer is not whole: its "
            "body "
            "ends after 120 of 341 bytes (Content-Length)"},
        ServiceTransactionRow{
            "LengthTooGreatByOne", [](const std::string& r) { return with_length(r, 1); }, State::waiting,
            "unanswered 200 OK banner=RTC/4.0 provisional=0 strangers=0 mras= relays=0 problem=the answer is not "
            "whole: its "
            "body ends after " +
                std::to_string(good_xml(sample_id()).size()) + " of " +
                std::to_string(good_xml(sample_id()).size() + 1) + " bytes (Content-Length)"},
        ServiceTransactionRow{
            "AnotherCallId", other_call, State::waiting,
            "unanswered 0  banner= provisional=0 strangers=1 mras= relays=0 problem=no answer to our request: all that "
            "came "
            "is an answer to another Call-ID (0123456789abcdef)"},
        ServiceTransactionRow{
            "NoCallId", [](const std::string& r) { return replaced(good_answer(r), "Call-ID", "X-ID"); },
            State::waiting,
            "unanswered 0  banner= provisional=0 strangers=1 mras= relays=0 problem=no answer to our request: all that "
            "came "
            "is an answer to another Call-ID (none)"},
        ServiceTransactionRow{
            "AnotherCSeq",
            [](const std::string& r) { return replaced(good_answer(r), "CSeq: 1 SERVICE", "CSeq: 1 OPTIONS"); },
            State::waiting,
            "unanswered 0  banner= provisional=0 strangers=1 mras= relays=0 problem=no answer to our request: all that "
            "came "
            "is an answer to another CSeq (1 OPTIONS)"},
        ServiceTransactionRow{
            "NoVia", [](const std::string& r) { return replaced(good_answer(r), "Via", "X-Via"); }, State::waiting,
            "unanswered 0  banner= provisional=0 strangers=1 mras= relays=0 problem=no answer to our request: all that "
            "came "
            "is an answer to another branch (none)"},
        ServiceTransactionRow{
            "OnlyARequest", [](const std::string&) { return peer_request("OPTIONS"); }, State::waiting,
            "unanswered 0  banner= provisional=0 strangers=1 mras= relays=0 problem=no answer to our request: all that "
            "came "
            "is a request of the peer's own (OPTIONS)"},
        ServiceTransactionRow{
            "HalfARequest",
            [](const std::string&) { return peer_request("OPTIONS").substr(0, peer_request("OPTIONS").size() - 2); },
            State::waiting,
            nothing + "a request of the peer is not whole: its body ends after 2 of 4 bytes (Content-Length)"},
        ServiceTransactionRow{"HalfText", [](const std::string&) { return "<html><body>"; }, State::waiting,
                              nothing + "what came is no SIP: \"<html><body>\""}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    NotFollowed, Answers,
    testing::Values(
        ServiceTransactionRow{"Http",
                              [](const std::string&) { return "HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"; },
                              State::broken, nothing + "the peer speaks HTTP, not SIP: \"HTTP/1.1 400 Bad Request\""},
        ServiceTransactionRow{
            "NoContentLength",
            [](const std::string& r) {
              return replaced(answer_to(r, "504 Server time-out", diagnostics_1038), "Content-Length: 0\r\n", "");
            },
            State::broken,
            "unanswered 504 Server time-out banner= provisional=0 strangers=0 mras= relays=0 diag=1038 "
            "problem=framing: no "
            "Content-Length, so the end of the message cannot be found on a stream (RFC 3261, 18.3)"},
        ServiceTransactionRow{
            "MebibyteLine",
            [](const std::string&) { return "SIP/2.0 200 OK\r\nServer: " + std::string(1'048'576, 'x') + "\r\n"; },
            State::broken, nothing + "the header has no end within 65536 bytes (line 2); more is not read"},
        ServiceTransactionRow{
            "TooManyStrangers",
            [](const std::string& r) {
              std::string stream;
              for (int i = 0; i < 32; ++i) stream += other_call(r);
              return stream + good_answer(r);
            },
            State::broken,
            "unanswered 0  banner= provisional=0 strangers=32 mras= relays=0 problem=no answer to our request among 32 "
            "messages, the last an answer to another Call-ID (0123456789abcdef)"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    LengthTooSmall, Answers,
    testing::Values(
        ServiceTransactionRow{
            "JunkBehind", [](const std::string& r) { return good_answer(r) + "<"; }, State::answered,
            granted +
                "1 byte behind the answer is no SIP message: the Content-Length of the answer is probably too small"},
        ServiceTransactionRow{
            "LinesOfJunkBehind", [](const std::string& r) { return good_answer(r) + "\r\nsome words\r\nand more\r\n"; },
            State::answered,
            granted + "22 bytes behind the answer are no SIP message: the Content-Length of the answer is probably too "
                      "small"},
        ServiceTransactionRow{
            "WordBehind", [](const std::string& r) { return good_answer(r) + "word"; }, State::answered,
            granted + "4 bytes behind the answer are no SIP message: the Content-Length of the answer is probably too "
                      "small"}),
    [](const auto& row) { return row.param.name; });

TEST(ServiceTransaction, ABodyCutOffByItsLengthIsMalformedAndHasSurplus) {
  const auto cut = [](const std::string& request) { return with_length(request, -58); };
  const Outcome whole = play(cut, std::string::npos, true);
  EXPECT_EQ(whole.state, State::answered);
  EXPECT_THAT(whole.text, HasSubstr("problem=malformed XML in the body: "));
  EXPECT_THAT(whole.text,
              testing::EndsWith("; 58 bytes behind the answer are no SIP message: the Content-Length of the "
                                "answer is probably too small"));
  for (std::size_t piece = 1; piece < 100; ++piece) ASSERT_EQ(play(cut, piece, true).text, whole.text) << piece;
}

TEST(ServiceTransaction, IsAnsweredWithTheLastByte) {
  ServiceTransaction transaction(sample_request());
  const std::string answer = good_answer(transaction.request());
  EXPECT_EQ(transaction.feed(std::string_view(answer).substr(0, answer.size() - 1)), State::waiting);
  EXPECT_FALSE(transaction.exchange().answered);
  EXPECT_EQ(transaction.feed(std::string_view(answer).substr(answer.size() - 1)), State::answered);
  EXPECT_EQ(transaction.exchange().granted, 480min);
}

TEST(ServiceTransaction, StaysBroken) {
  ServiceTransaction transaction(sample_request());
  EXPECT_EQ(transaction.feed("HTTP/1.0 200\r\n"), State::broken);
  EXPECT_EQ(transaction.feed(good_answer(transaction.request())), State::broken);
  const std::string problem = transaction.exchange().problem;
  transaction.end();
  EXPECT_EQ(transaction.exchange().problem, problem);
}

TEST(ServiceTransaction, APoliteNoToRequestsOfThePeer) {
  const auto outcome = play([](const std::string&) { return peer_request("NEGOTIATE"); }, 5, false);
  EXPECT_EQ(outcome.state, State::waiting);
  EXPECT_EQ(start_line(outcome.output), "SIP/2.0 405 Method Not Allowed");
  EXPECT_THAT(outcome.output, HasSubstr("\r\nVia: SIP/2.0/TLS 192.0.2.1:5062;branch=z9hG4bKpeer1\r\nVia: SIP/2.0/TLS "
                                        "192.0.2.2;branch=z9hG4bKpeer2\r\nFrom: <sip:edge1>;tag=e\r\n"));
  EXPECT_THAT(field_of(outcome.output, "To"), MatchesRegex("<sip:fe1>;tag=[0-9a-f]{10}"));
  EXPECT_EQ(field_of(outcome.output, "Call-ID"), "theirs");
  EXPECT_EQ(field_of(outcome.output, "CSeq"), "7 NEGOTIATE");
  EXPECT_THAT(outcome.output, HasSubstr("\r\nAllow: OPTIONS\r\n"));
  EXPECT_EQ(field_of(outcome.output, "Content-Length"), "0");
  EXPECT_EQ(body_of(outcome.output), "");
}

TEST(ServiceTransaction, AnAckIsNotAnswered) {
  EXPECT_EQ(play([](const std::string&) { return peer_request("ACK"); }, 99, false).output, "");
}

TEST(ServiceTransaction, ARequestThatCannotBeEchoedIsNotAnswered) {
  const auto without_via = [](const std::string&) {
    return replaced(replaced(peer_request("INFO"), "Via:", "X:"), "v:", "X:");
  };
  EXPECT_EQ(play(without_via, 99, false).output, "");
}

TEST(ServiceTransaction, OptionsAreAnsweredByAnyBody) {
  const auto outcome =
      play([](const std::string& r) { return answer_to(r, "200 OK", "Content-Type: application/sdp\r\n", "v=0\r\n"); },
           std::string::npos, true, Service::sip);
  EXPECT_EQ(outcome.text, bare("200 OK"));
}

TEST(ServiceTransaction, WhatThePeerSaysIsPrintable) {
  ServiceTransaction transaction(sample_request());
  transaction.feed(
      answer_to(transaction.request(), "500 \x1b[31mno\x07", "Server: a\x1b]0;b\r\nms-diagnostics: 1;x=\"\x9b\"\r\n"));
  const auto& e = transaction.exchange();
  EXPECT_EQ(e.sip_reason, "?[31mno?");
  EXPECT_EQ(e.server_banner, "a?]0;b");
  ASSERT_EQ(e.diagnostics.size(), 1U);
  EXPECT_EQ(e.diagnostics[0].parameters[0].second.find('\x9b'), std::string::npos);
}

TEST(ServiceTransaction, MovesWithItsState) {
  ServiceTransaction first(sample_request());
  const std::string answer = good_answer(first.request());
  first.feed(std::string_view(answer).substr(0, 100));
  ServiceTransaction second = std::move(first);
  EXPECT_EQ(second.feed(std::string_view(answer).substr(100)), State::answered);
}

}  // namespace
}  // namespace mrascheck::sip

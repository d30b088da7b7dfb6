// SPDX-License-Identifier: Apache-2.0
#include "trace/reader.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace mrascheck {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string fixture(std::string_view name) {
  std::ifstream file(fmt::format("{}/fixtures/traces/{}", MRASCHECK_SOURCE_DIR, name), std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

void feed(trace::Reader& reader, std::string_view name, std::string_view bytes, std::size_t piece = SIZE_MAX,
          TraceRole role = TraceRole::unknown) {
  reader.begin(name, role);
  while (!bytes.empty()) {
    const auto space = reader.space();
    const std::size_t n = std::min({piece, space.size(), bytes.size()});
    std::copy_n(bytes.data(), n, space.data());
    reader.filled(n);
    bytes.remove_prefix(n);
  }
  reader.end();
}

TraceStudy study_of(std::string_view bytes, std::size_t piece = SIZE_MAX, trace::Limits limits = {}) {
  trace::Reader reader{limits};
  feed(reader, "trace.txt", bytes, piece);
  return study(reader.take());
}

TraceStudy study_of_files(const std::vector<std::string>& fixtures) {
  trace::Reader reader;
  for (const std::string& name : fixtures) feed(reader, name, fixture(name));
  return study(reader.take());
}

std::string utf16(std::string_view ascii, bool big_endian = false) {
  std::string wide;
  for (const char c : ascii) {
    if (big_endian) wide += '\0';
    wide += c;
    if (!big_endian) wide += '\0';
  }
  return wide;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

/// Everything that a study says of the requests, in words that a test can compare.
std::vector<std::string> calls_of(const TraceStudy& found) {
  std::vector<std::string> calls;
  for (const TraceCall& call : found.calls) {
    calls.push_back(
        fmt::format("{} {} {} {} {}", call.call_id, call.user, call.edge, to_text(call.at), to_string(call.outcome)));
  }
  return calls;
}

struct FixtureRow {
  const char* name;
  std::vector<std::string> files;
  Status status;
  TraceOutcome outcome;
  std::string cause;  ///< a part of the first cause's title; empty: no cause
  std::string user;
  std::string edge;
};
class TraceFixture : public testing::TestWithParam<FixtureRow> {};

TEST_P(TraceFixture, SaysWhatBecameOfTheRequest) {
  const FixtureRow& row = GetParam();
  const TraceStudy found = study_of_files(row.files);
  EXPECT_EQ(found.status, row.status);
  ASSERT_FALSE(found.calls.empty());
  EXPECT_EQ(found.calls.front().outcome, row.outcome);
  EXPECT_EQ(found.calls.front().user, row.user);
  EXPECT_EQ(found.calls.front().edge, row.edge);
  if (row.cause.empty()) {
    EXPECT_TRUE(found.causes.empty());
  } else {
    ASSERT_FALSE(found.causes.empty());
    EXPECT_THAT(found.causes.front().title, HasSubstr(row.cause));
    EXPECT_FALSE(found.causes.front().explanation.empty());
  }
}

const std::string probe = "sip:probe@contoso.example";
const std::string edge_name = "edge-int.contoso.example";

INSTANTIATE_TEST_SUITE_P(
    Fixtures, TraceFixture,
    testing::Values(
        FixtureRow{"Granted", {"granted-front-end.txt"}, Status::ok, TraceOutcome::granted, "", probe, edge_name},
        FixtureRow{
            "GrantedAsTheEdgeSeesIt", {"granted-edge.txt"}, Status::ok, TraceOutcome::granted, "", probe, edge_name},
        FixtureRow{"PortRefused",
                   {"port-refused-front-end.txt"},
                   Status::critical,
                   TraceOutcome::failed,
                   "504 Server time-out, ms-diagnostics 1038, WinsockFailureCode 10061(WSAECONNREFUSED)",
                   probe,
                   edge_name},
        FixtureRow{"PortRefusedInUtf16",
                   {"port-refused-front-end-utf16.txt"},
                   Status::critical,
                   TraceOutcome::failed,
                   "504 Server time-out, ms-diagnostics 1038",
                   probe,
                   edge_name},
        FixtureRow{"ConnectionFailed",
                   {"connection-failed-front-end.txt"},
                   Status::critical,
                   TraceOutcome::failed,
                   "ms-diagnostics 2, HRESULT 0xC3E93C69(SIPPROXY_E_CONNECTION_FAILED)",
                   probe,
                   edge_name},
        FixtureRow{"QueueExpired",
                   {"queue-expired-front-end.txt"},
                   Status::critical,
                   TraceOutcome::failed,
                   "Message expired in the outbound queue",
                   probe,
                   edge_name},
        FixtureRow{"CertificateTrouble",
                   {"certificate-trouble-cls.txt"},
                   Status::critical,
                   TraceOutcome::failed,
                   "SIPPROXY_E_ROUTING_MSG_CERT_MISMATCH",
                   "",
                   edge_name},
        FixtureRow{"VersionMismatch",
                   {"version-mismatch-front-end.txt"},
                   Status::critical,
                   TraceOutcome::failed,
                   "200 OK with the reasonPhrase \"Version Mismatch\"",
                   "",
                   edge_name},
        FixtureRow{"Excerpt", {"excerpt-of-a-trace.txt"}, Status::ok, TraceOutcome::granted, "", probe, edge_name},
        FixtureRow{"PastedFromAPageThatAteTheBrackets",
                   {"pasted-from-a-page.txt"},
                   Status::ok,
                   TraceOutcome::granted,
                   "",
                   "Probe User",
                   "srvr:MRAS:tmsOHGdb9lGxCPJSi2p6eAAA"},
        FixtureRow{"QuotedByAForum",
                   {"quoted-by-a-forum.txt"},
                   Status::critical,
                   TraceOutcome::failed,
                   "ms-diagnostics 1038, WinsockFailureCode 10061(WSAECONNREFUSED)",
                   probe,
                   edge_name}),
    [](const auto& row) { return row.param.name; });

TEST(Traces, OfBothSidesTellWhatNeverReachedTheEdge) {
  const TraceStudy found = study_of_files({"port-refused-front-end.txt", "port-refused-edge.txt"});
  ASSERT_TRUE(found.compared);
  EXPECT_EQ(found.never_reached, 2U);
  EXPECT_EQ(found.reached_answered, 0U);
  ASSERT_EQ(found.clocks.size(), 1U);
  EXPECT_EQ(found.clocks[0].messages, 2U);
  EXPECT_TRUE(found.clocks[0].both_ways);
  EXPECT_EQ(found.clocks[0].ahead.count(), -2000);
}

TEST(Traces, OfBothSidesTellWhatWasAnswered) {
  const TraceStudy found = study_of_files({"granted-front-end.txt", "granted-edge.txt"});
  EXPECT_EQ(found.reached_answered, 1U);
  EXPECT_EQ(found.never_reached, 0U);
  ASSERT_EQ(found.clocks.size(), 1U);
  EXPECT_EQ(found.clocks[0].ahead.count(), 1250);
  EXPECT_EQ(found.all.requests, 1U) << "one request, although two servers saw it";
}

TEST(Traces, OfAnotherTimeTellNothing) {
  const TraceStudy found = study_of_files({"port-refused-front-end.txt", "granted-edge.txt"});
  EXPECT_EQ(found.never_reached, 0U) << "the Edge's trace ends four minutes before";
  EXPECT_EQ(found.not_told, 2U);
}

TEST(Traces, OfAnotherEdgeTellNothing) {
  const std::string other = replaced(fixture("port-refused-edge.txt"), "$$end_record", "$$end_record");
  const std::string elsewhere =
      replaced(replaced(fixture("granted-edge.txt"), "edge-int.", "edge9-int."), "09:26:54", "09:31:05");
  trace::Reader reader;
  feed(reader, "fe.txt", fixture("port-refused-front-end.txt"));
  feed(reader, "edge.txt", other + elsewhere);
  const TraceStudy found = study(reader.take());
  EXPECT_EQ(found.never_reached, 0U) << "what it was asked shows that it is edge9";
  EXPECT_EQ(found.not_told, 2U);
}

TEST(Traces, ARoleCanBeSaid) {
  // Nothing in this trace shows whose it is.
  const std::string quiet = replaced(replaced(fixture("port-refused-edge.txt"), ";source=\"internal edge\"", ""),
                                     ";source=\"external edge\"", "");
  const std::string blank =
      replaced(replaced(quiet, ";destination=\"internal edge\"", ""), ";destination=\"external edge\"", "");
  trace::Reader unsaid;
  feed(unsaid, "fe.txt", fixture("port-refused-front-end.txt"));
  feed(unsaid, "edge.txt", blank);
  EXPECT_FALSE(study(unsaid.take()).compared);
  trace::Reader said;
  feed(said, "fe.txt", fixture("port-refused-front-end.txt"));
  feed(said, "edge.txt", blank, SIZE_MAX, TraceRole::edge);
  EXPECT_EQ(study(said.take()).never_reached, 2U);
}

TEST(Traces, UserWhoGetsCredentialsLaterIsNotLeftWithout) {
  const std::string later = replaced(fixture("granted-front-end.txt"), "-09:26:", "-10:26:");
  const TraceStudy found = study_of(fixture("connection-failed-front-end.txt") + later);
  EXPECT_EQ(found.status, Status::warning);
  ASSERT_EQ(found.users.size(), 1U);
  EXPECT_FALSE(found.users[0].left_without);
  EXPECT_EQ(found.users[0].failed, 1U);
  EXPECT_EQ(found.users[0].granted, 1U);
}

TEST(Traces, WithoutAnyRequestAreUnknown) {
  for (const std::string& text :
       {std::string{}, fixture("port-refused-edge.txt"), std::string(100'000, '\0'), std::string("\n\n")}) {
    const TraceStudy found = study_of(text);
    EXPECT_EQ(found.status, Status::unknown);
    EXPECT_FALSE(found.unknown_because.empty());
  }
}

TEST(Traces, ChallengeIsNoFailure) {
  const std::string text =
      replaced(fixture("connection-failed-front-end.txt"), "504 Server time-out", "407 Proxy Authentication Required");
  const TraceStudy found = study_of(text);
  ASSERT_EQ(found.calls.size(), 1U);
  EXPECT_EQ(found.calls[0].outcome, TraceOutcome::challenged);
  EXPECT_EQ(found.status, Status::unknown);
}

TEST(Traces, RequestWithoutAnAnswerIsUnansweredOnlyWhenTheTraceGoesOn) {
  const std::string granted = fixture("granted-front-end.txt");
  const std::string asked = granted.substr(0, granted.find("TL_INFO", 10));
  EXPECT_EQ(study_of(asked).calls.at(0).outcome, TraceOutcome::unfinished);
  EXPECT_EQ(study_of(asked).status, Status::unknown);
  const TraceStudy goes_on = study_of(asked + fixture("port-refused-front-end.txt"));
  EXPECT_EQ(goes_on.calls.at(0).outcome, TraceOutcome::unanswered);
}

TEST(Traces, Answer200WithoutMrasIsUnclear) {
  const std::string text = replaced(fixture("granted-edge.txt"), "reasonPhrase=\"OK\"", "");
  const TraceStudy found = study_of(text);
  EXPECT_EQ(found.calls.at(0).outcome, TraceOutcome::unclear);
  EXPECT_EQ(found.status, Status::unknown);
}

TEST(Traces, ComponentsAreHeardOnTheSameCall) {
  const TraceStudy found = study_of_files({"certificate-trouble-cls.txt"});
  ASSERT_EQ(found.causes.size(), 2U);
  EXPECT_THAT(found.causes[0].errors, Contains(AllOf(HasSubstr("component error"), HasSubstr("0xC3E93D67"))));
  EXPECT_THAT(found.causes[0].errors, Contains(HasSubstr("expected-fqdn=\"edge-int.contoso.example\"")));
  EXPECT_TRUE(found.causes[1].errors.empty()) << "that was another call";
  EXPECT_THAT(found.causes[1].explanation, HasSubstr("SEC_E_UNTRUSTED_ROOT"));
}

TEST(Traces, LogThatGrowsFasterThanItsTrafficIsSaidToDoSo) {
  std::string text = fixture("granted-front-end.txt");
  EXPECT_TRUE(study_of(text).growing.empty());
  const std::string noise =
      "TL_ERROR(TF_CONNECTION) [0]0BE8.0D10::03/14/2011-09:26:53.600.0000b001 "
      "(SIPStack,SIPAdminLog::TraceConnectionRecord:SIPAdminLog.cpp(160))$$begin_record\nLogType: "
      "connection\nSeverity: "
      "error\nText: TLS negotiation failed\nPeer-IP: 192.0.2.20:5062\n$$end_record\n\n";
  for (int i = 0; i < 200; ++i) text += noise;
  EXPECT_THAT(study_of(text).growing, ElementsAre(0U));
}

TEST(Traces, PasswordsAreNotKept) {
  const TraceStudy found = study_of_files({"granted-front-end.txt", "granted-edge.txt"});
  for (const TraceLog& log : found.traces.logs) {
    for (const TraceAnswer& answer : log.answers) {
      EXPECT_THAT(answer.reason_phrase, Not(HasSubstr("BrEfHXj3")));
      EXPECT_THAT(answer.relays, ElementsAre("edge-int.contoso.example"));
    }
    for (const std::string& name : log.names) EXPECT_THAT(name, Not(HasSubstr("BrEfHXj3")));
  }
}

struct FormRow {
  const char* name;
  std::string text;
};
class TraceForm : public testing::TestWithParam<FormRow> {};

TEST_P(TraceForm, IsReadLikeTheOriginal) {
  const std::vector<std::string> expected = calls_of(study_of(fixture("port-refused-front-end.txt")));
  ASSERT_EQ(expected.size(), 2U);
  EXPECT_EQ(calls_of(study_of(GetParam().text)), expected);
  for (const std::size_t piece : {1U, 7U, 1000U}) {
    EXPECT_EQ(calls_of(study_of(GetParam().text, piece)), expected) << piece << " bytes at a time";
  }
}

std::string original() {
  return fixture("port-refused-front-end.txt");
}

INSTANTIATE_TEST_SUITE_P(
    Forms, TraceForm,
    testing::Values(
        FormRow{"AsItIs", original()}, FormRow{"LineFeeds", replaced(original(), "\r", "")},
        FormRow{"Utf8Mark", "\xEF\xBB\xBF" + original()}, FormRow{"Utf16LittleEndian", "\xFF\xFE" + utf16(original())},
        FormRow{"Utf16BigEndian", "\xFE\xFF" + utf16(original(), true)}, FormRow{"Utf16WithoutMark", utf16(original())},
        FormRow{"Utf16BigEndianWithoutMark", utf16(original(), true)},
        FormRow{"Utf16WhoseFirstByteIsLost", utf16("\r\n" + original()).substr(1)},
        FormRow{"DoubleSpaced", replaced(original(), "\r\n", "\r\n\r\n")},
        FormRow{"TrailingBlanks", replaced(original(), "\r\n", "  \r\n")},
        FormRow{"Indented", "    " + replaced(original(), "\n", "\n    ")},
        FormRow{"Quoted", "> " + replaced(original(), "\n", "\n> ")},
        FormRow{"HeadsBroken", replaced(original(), "$$begin_record", "\r\n$$begin_record")},
        FormRow{"EntitiesOfHtml", replaced(replaced(replaced(original(), "<", "&lt;"), ">", "&gt;"), "\"", "&quot;")},
        FormRow{"AnsiNames", replaced(original(), "Probe User",
                                      "Pr\xFC"
                                      "fer \x80")},
        FormRow{"WithoutEnds", replaced(original(), "$$end_record\r\n", "")},
        FormRow{"Joined", replaced(original(), "$$end_record\r\n\r\n", "$$end_record\r\n")}),
    [](const auto& row) { return row.param.name; });

/// The Call-IDs of all requests that failed with 1038.
std::vector<std::string> refused(const TraceStudy& found) {
  std::vector<std::string> ids;
  for (const TraceCall& call : found.calls) {
    if (call.outcome == TraceOutcome::failed && call.at != undated) ids.push_back(call.call_id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

struct CutRow {
  const char* name;
  bool wide;
  bool front;  ///< the front is lost, else the back
};
class TraceCut : public testing::TestWithParam<CutRow> {};

TEST_P(TraceCut, AtEveryByteLosesNoOtherRecord) {
  const auto record = [](char id) {
    const std::string all = fixture("connection-failed-front-end.txt");
    return replaced(all.substr(all.find("TL_INFO", 10)), "ffeeddccbbaa99887766554433221100", std::string(32, id)) +
           "TL_ERROR(TF_COMPONENT) [0]0BE8.0F2C::03/14/2011-10:02:01.260.0000a1ff (SIPStack,CThing::Do:Thing.cpp(9))( "
           "0000000002AB00C0 ) said\r\n";
  };
  const auto as_written = [](const std::string& text) { return GetParam().wide ? utf16(text) : text; };
  const std::string first = as_written(record('a'));
  const std::string middle = as_written(record('b'));
  const std::string last = as_written(record('c') + record('d'));
  const std::uint64_t others = 6;
  for (std::size_t at = 0; at <= middle.size(); ++at) {
    const std::string left = GetParam().front ? middle.substr(at) : middle.substr(0, at);
    const TraceStudy found = study_of(first + left + last);
    std::vector<std::string> ids = refused(found);
    ids.erase(std::remove(ids.begin(), ids.end(), std::string(32, 'b')), ids.end());
    ASSERT_THAT(ids, ElementsAre(std::string(32, 'a'), std::string(32, 'c'), std::string(32, 'd'))) << "cut at " << at;
    ASSERT_GE(found.traces.logs.at(0).records, others) << "cut at " << at;
    ASSERT_LE(found.traces.logs.at(0).records, others + 2) << "cut at " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(Cuts, TraceCut,
                         testing::Values(CutRow{"Back", false, false}, CutRow{"Front", false, true},
                                         CutRow{"BackInUtf16", true, false}, CutRow{"FrontInUtf16", true, true}),
                         [](const auto& row) { return row.param.name; });

TEST(Traces, LongRecordsAndLinesArePassedOver) {
  trace::Limits small;
  small.buffer = 8192;
  const std::string record = original();
  const std::vector<std::string> expected = calls_of(study_of(record));
  for (const std::string& between :
       {std::string(50'000, 'x') + "\r\n", std::string("TL_INFO(TF_PROTOCOL) [0]1.2::03/14/2011-09:00:00.000.0 "
                                                       "(SIPStack,F:f.cpp(1))$$begin_record\r\nStart-Line: MESSAGE x "
                                                       "SIP/2.0\r\nMessage-Body: ") +
                                               replaced(std::string(20'000, 'y'), "yyyyyyyyyy", "yyyyyyyy\r\n") +
                                               "$$end_record\r\n"}) {
    EXPECT_EQ(calls_of(study_of(between + record, SIZE_MAX, small)), expected);
    EXPECT_EQ(calls_of(study_of(record + between + record, 100, small)).size(), expected.size());
  }
}

TEST(Traces, LongLineInUtf16IsPassedOver) {
  trace::Limits small;
  small.buffer = 4096;
  for (const std::size_t length : {2000U, 3000U, 4000U, 50'000U}) {
    const std::string text = utf16(std::string(length, 'x') + "\r\n" + fixture("connection-failed-front-end.txt"));
    EXPECT_EQ(study_of(text, SIZE_MAX, small).all.failed, 1U) << length;
  }
}

TEST(Traces, MoreRequestsThanTheBoundAreSaid) {
  trace::Limits few;
  few.transactions = 1;
  const TraceStudy found = study_of(original(), SIZE_MAX, few);
  EXPECT_EQ(found.calls.size(), 1U);
  EXPECT_GT(found.traces.left_out, 0U);
  EXPECT_THAT(found.unknown_because, Contains(HasSubstr("smaller parts")));
}

}  // namespace
}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
// Records in the forms that OCSLogger (OCS 2007 R2, Lync Server 2010) and CLS (Skype for Business Server) write, one by
// one, and the excerpts of a page whose software ate everything between angle brackets.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "trace/reader.hpp"

namespace mrascheck {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

TraceStudy studied(std::string_view bytes) {
  trace::Reader reader;
  reader.begin("trace.txt");
  while (!bytes.empty()) {
    const auto space = reader.space();
    const std::size_t n = std::min(space.size(), bytes.size());
    std::copy_n(bytes.data(), n, space.data());
    reader.filled(n);
    bytes.remove_prefix(n);
  }
  reader.end();
  return study(reader.take());
}

std::string ocs_head(std::string_view flag, std::string_view time, std::string_view function = "TraceProtocolRecord") {
  return fmt::format("{}({}) [0]0BE8.0F2C::03/14/2011-{}.0000a1b2 (SIPStack,SIPAdminLog::{}:SIPAdminLog.cpp(125))",
                     flag == "TF_DIAG" ? "TL_ERROR" : "TL_INFO", flag, time, function);
}

const std::string gruu = "sip:edge-int.contoso.example@contoso.example;gruu;opaque=srvr:MRAS:AAECAwQFBgcICQoLDA0ODwAA";

std::string request_to_edge() {
  return ocs_head("TF_PROTOCOL", "09:26:53.589") +
         "$$begin_record\n"
         "Trace-Correlation-Id: 1618033988\n"
         "Instance-Id: 0000B1E5\n"
         "Direction: outgoing\n"
         "Peer: edge-int.contoso.example:5062\n"
         "Message-Type: request\n"
         "Start-Line: SERVICE sip:edge-int.contoso.example:5062;grid SIP/2.0\n"
         "From: \"Probe User\"<sip:probe@contoso.example>;tag=2718281828;epid=0badc0ffee\n"
         "To: <" +
         gruu +
         ">\n"
         "CSeq: 1 SERVICE\n"
         "Call-ID: 00112233445566778899aabbccddeeff\n"
         "Via: SIP/2.0/TLS 192.0.2.10:51234;branch=z9hG4bK0A1B2C3D.0011223344556677;branched=FALSE\n"
         "Max-Forwards: 69\n"
         "Content-Type: application/msrtc-media-relay-auth+xml\n"
         "Content-Length: 341\n"
         "Message-Body: <?xml version=\"1.0\"?>\n"
         "<request requestID=\"4711\" version=\"2.0\"><credentialsRequest/></request>\n"
         "$$end_record\n\n";
}

std::string good_answer() {
  return ocs_head("TF_PROTOCOL", "09:26:53.640") +
         "$$begin_record\n"
         "Trace-Correlation-Id: 1618033988\n"
         "Instance-Id: 0000B1E6\n"
         "Direction: incoming\n"
         "Peer: edge-int.contoso.example:5062\n"
         "Message-Type: response\n"
         "Start-Line: SIP/2.0 200 OK\n"
         "CSeq: 1 SERVICE\n"
         "Call-ID: 00112233445566778899aabbccddeeff\n"
         "Content-Type: application/msrtc-media-relay-auth+xml\n"
         "Message-Body: <?xml version=\"1.0\"?>\n"
         "<response requestID=\"4711\" version=\"2.0\" serverVersion=\"2.0\" reasonPhrase=\"OK\">\n"
         "<credentialsResponse><mediaRelayList><mediaRelay><hostName>av.contoso.example</hostName></mediaRelay>\n"
         "</mediaRelayList></credentialsResponse></response>\n"
         "$$end_record\n\n";
}

/// The last lines of a 504 to the client; `diagnostics` behind "ms-diagnostics: ".
std::string timeout_with(const std::string& diagnostics) {
  return ocs_head("TF_PROTOCOL", "09:31:02.100") +
         "$$begin_record\n"
         "Trace-Correlation-Id: 3141592653\n"
         "Instance-Id: 0000B777\n"
         "Direction: outgoing\n"
         "Peer: 198.51.100.7:50123\n"
         "Message-Type: response\n"
         "Start-Line: SIP/2.0 504 Server time-out\n"
         "CSeq: 1 SERVICE\n"
         "Call-ID: ffeeddccbbaa99887766554433221100\n"
         "ms-diagnostics: " +
         diagnostics +
         "\n"
         "Server: RTC/4.0\n"
         "Content-Length: 0\n"
         "Message-Body: -\n"
         "$$end_record\n\n";
}

TEST(TraceGrammar, RequestAndGoodAnswerOfOcsLogger) {
  const TraceStudy found = studied(request_to_edge() + good_answer());
  ASSERT_EQ(found.calls.size(), 1U);
  EXPECT_EQ(found.calls[0].outcome, TraceOutcome::granted);
  EXPECT_EQ(found.calls[0].user, "sip:probe@contoso.example");
  EXPECT_EQ(found.calls[0].edge, "edge-int.contoso.example");
  EXPECT_EQ(to_text(found.calls[0].at), "2011-03-14 09:26:53.589");
  EXPECT_EQ(found.traces.logs[0].role, TraceRole::front_end);
  EXPECT_EQ(found.traces.logs[0].requests, 1U);
  EXPECT_EQ(found.traces.logs[0].records, 2U);
}

TEST(TraceGrammar, RequestAloneHasNoEnd) {
  const TraceStudy found = studied(request_to_edge());
  ASSERT_EQ(found.calls.size(), 1U);
  EXPECT_EQ(found.calls[0].outcome, TraceOutcome::unfinished);
  EXPECT_EQ(found.status, Status::unknown);
}

TEST(TraceGrammar, TimeoutGivenToTheClient) {
  const TraceStudy found = studied(
      timeout_with("1038;reason=\"Failed to connect to a peer server\";WinsockFailureCode=\"10061(WSAECONNREFUSED)\";"
                   "WinsockFailureDescription=\"refused\";Peer=\"edge-int.contoso.example\";Port=\"5062\";"
                   "source=\"fe01.contoso.example\""));
  ASSERT_EQ(found.causes.size(), 1U);
  EXPECT_THAT(found.causes[0].title, HasSubstr("ms-diagnostics 1038"));
  EXPECT_THAT(found.causes[0].explanation, HasSubstr("same name and different thumbprints"));
  EXPECT_EQ(found.calls[0].edge, "edge-int.contoso.example") << "only the diagnostics name it";
}

TEST(TraceGrammar, QueueExpiry) {
  const TraceStudy found = studied(
      ocs_head("TF_DIAG", "09:31:32.101", "WriteDiagnosticEvent") +
      "$$begin_record\nLogType: diagnostic\nSeverity: error\nText: Message expired in the outbound queue before "
      "it could be sent\nSIP-Start-Line: SERVICE sip:edge-int.contoso.example:5062;grid SIP/2.0\nSIP-Call-ID: "
      "ffeeddccbbaa99887766554433221100\nSIP-CSeq: 1 SERVICE\nPeer: "
      "edge-int.contoso.example:5062\n$$end_record\n");
  ASSERT_EQ(found.causes.size(), 1U);
  EXPECT_THAT(found.causes[0].explanation, HasSubstr("clock"));
  EXPECT_EQ(found.calls[0].edge, "edge-int.contoso.example");
}

std::string cls_head(std::string_view level, std::string_view flag, std::string_view time, std::string_view function,
                     std::string_view correlation) {
  return fmt::format(
      "{}({}) [fepool\\fe01]0B60.0D6C::05/20/2019-{}.00005602 (SIPStack,SIPAdminLog::{}:SIPAdminLog.cpp(833)) [{}] "
      "$$begin_record\n",
      level, flag, time, function, correlation);
}

TEST(TraceGrammar, CertificateMismatchOfCls) {
  const TraceStudy found = studied(
      cls_head("TL_ERROR", "TF_DIAG", "14:15:16.017", "WriteDiagnosticEvent", "2236067977") +
      "Severity: error\nText: Message cannot be routed because the peer's certificate does not contain a matching "
      "FQDN\nResult-Code: 0xc3e93d67 SIPPROXY_E_ROUTING_MSG_CERT_MISMATCH\nSIP-Start-Line: SERVICE "
      "sip:edge-int.contoso.example:5062;grid SIP/2.0\nSIP-Call-ID: 1234567890abcdef1234567890abcdef\nSIP-CSeq: 1 "
      "SERVICE\nPeer: edge-int.contoso.example:5062\nData: "
      "expected-fqdn=\"edge-int.contoso.example\";certName=\"edge01.dmz.example\";info=\"The peer certificate does not "
      "contain a matching FQDN\"\n$$end_record\n");
  ASSERT_EQ(found.causes.size(), 1U);
  EXPECT_THAT(found.causes[0].title, HasSubstr("SIPPROXY_E_ROUTING_MSG_CERT_MISMATCH"));
  EXPECT_THAT(found.causes[0].errors, Contains(HasSubstr("edge01.dmz.example")));
  EXPECT_EQ(found.traces.logs[0].server, "fe01");
  EXPECT_EQ(found.traces.logs[0].pool, "fepool");
}

TEST(TraceGrammar, UntrustedRootOfCls) {
  const TraceStudy found = studied(
      cls_head("TL_INFO", "TF_PROTOCOL", "14:20:00.250", "TraceProtocolRecord", "1414213562") +
      "Trace-Correlation-Id: 1414213562\nInstance-Id: 0001F00D\nDirection: outgoing;source=\"local\"\nPeer: "
      "198.51.100.8:50777\nMessage-Type: response\nStart-Line: SIP/2.0 504 Server time-out\nCSeq: 1 "
      "SERVICE\nCall-ID: abcdef0123456789abcdef0123456789\nms-diagnostics: 1010;reason=\"Certificate trust with "
      "another server could not be established\";ErrorType=\"The peer certificate is not chained off a trusted "
      "root\";tls-target=\"edge-int.contoso.example\";PeerServer=\"edge-int.contoso.example\";HRESULT="
      "\"0x80090325(SEC_E_UNTRUSTED_ROOT)\";source=\"fe01.contoso.example\"\nServer: RTC/6.0\nContent-Length: "
      "0\nMessage-Body: -\n$$end_record\n");
  ASSERT_EQ(found.causes.size(), 1U);
  EXPECT_THAT(found.causes[0].title, HasSubstr("0x80090325(SEC_E_UNTRUSTED_ROOT)"));
  EXPECT_THAT(found.causes[0].explanation, HasSubstr("Trusted Root"));
}

TEST(TraceGrammar, ComponentLineWithoutMarksAndARelayedBusinessError) {
  const TraceStudy found = studied(
      "TL_ERROR(TF_COMPONENT) [0]0BE8.0F2C::03/14/2011-09:39:59.998.0000bfff "
      "(SIPStack,CSIPRequest::SampleFunction:SIPRequest.cpp(1234))( 0000000002AB00C0 ) sample text. Result "
      "0xC3E93C5E(SIPPROXY_E_ROUTING)\n\n" +
      ocs_head("TF_PROTOCOL", "09:40:00.000") +
      "$$begin_record\nTrace-Correlation-Id: 1732050807\nInstance-Id: 0000C0DE\nDirection: incoming\nPeer: "
      "edge-int.contoso.example:5062\nMessage-Type: response\nStart-Line: SIP/2.0 200 OK\nCSeq: 1 SERVICE\nCall-ID: "
      "0f1e2d3c4b5a69788796a5b4c3d2e1f0\nContent-Type: application/msrtc-media-relay-auth+xml\nContent-Length: "
      "192\nMessage-Body: <?xml version=\"1.0\"?>\n<response "
      "xmlns=\"http://schemas.microsoft.com/2006/09/sip/mrasp\" requestID=\"1\" version=\"3.0\" serverVersion=\"2.0\" "
      "to=\"sip:x\" from=\"sip:y\" reasonPhrase=\"Version Mismatch\"/>\n$$end_record\n");
  ASSERT_EQ(found.causes.size(), 1U);
  EXPECT_THAT(found.causes[0].title, HasSubstr("Version Mismatch"));
  EXPECT_THAT(found.causes[0].errors, ElementsAre(HasSubstr("SIPPROXY_E_ROUTING")));
  EXPECT_EQ(found.traces.logs[0].records, 2U);
}

struct PageRow {
  const char* name;
  std::string diagnostics;
  const char* title;
  const char* remedy;
};
class TracePageRow : public testing::TestWithParam<PageRow> {};

/// As the page has them, their names eaten, and as they were.
TEST_P(TracePageRow, SaysTheSameWithAndWithoutItsNames) {
  for (const std::string& fqdn : {std::string{}, std::string{"edge-int.contoso.example"}}) {
    std::string diagnostics = GetParam().diagnostics;
    for (std::size_t at = diagnostics.find("\"\""); at != std::string::npos; at = diagnostics.find("\"\"", at + 1))
      diagnostics.insert(at + 1, fqdn);
    const TraceStudy found = studied(timeout_with(diagnostics));
    ASSERT_EQ(found.causes.size(), 1U) << diagnostics;
    EXPECT_THAT(found.causes[0].title, HasSubstr(GetParam().title));
    EXPECT_THAT(found.causes[0].explanation, HasSubstr(GetParam().remedy));
    EXPECT_EQ(found.status, Status::critical);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Page, TracePageRow,
    testing::Values(PageRow{"FirstIncident",
                            "1038;reason=\"Failed to connect to a peer server\";WinsockFailureCode=\"10061("
                            "WSAECONNREFUSED)\";WinsockFailureDescription=\"The peer actively refused the connection "
                            "attempt\";Peer=\"\";Port=\"5062\";source=\"\"",
                            "WinsockFailureCode 10061(WSAECONNREFUSED)", "same name and different thumbprints"},
                    PageRow{"SecondIncident",
                            "2;reason=\"See response code and reason phrase\";source=\"\";HRESULT=\"0xC3E93C69("
                            "SIPPROXY_E_CONNECTION_FAILED)\"",
                            "ms-diagnostics 2, HRESULT 0xC3E93C69(SIPPROXY_E_CONNECTION_FAILED)",
                            "patch the Edge to the Front End's level"}),
    [](const auto& row) { return row.param.name; });

TEST(TraceGrammar, ThePagesExchangeIsTheSameWithItsBracketsAndWithout) {
  const auto fixture_text = [](const char* name) {
    std::ifstream file(fmt::format("{}/fixtures/traces/{}", MRASCHECK_SOURCE_DIR, name), std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(file), {}};
  };
  const TraceStudy whole = studied(fixture_text("excerpt-of-a-trace.txt"));
  const TraceStudy broken = studied(fixture_text("pasted-from-a-page.txt"));
  ASSERT_EQ(whole.calls.size(), 1U);
  ASSERT_EQ(broken.calls.size(), 1U);
  EXPECT_EQ(broken.calls[0].call_id, whole.calls[0].call_id);
  EXPECT_EQ(broken.calls[0].outcome, whole.calls[0].outcome);
  EXPECT_EQ(whole.calls[0].user, "sip:probe@contoso.example");
  EXPECT_EQ(broken.calls[0].user, "Probe User") << "its address was between brackets";
}

/// Where each record of `text` ends: behind its mark and line end.
std::vector<std::size_t> ends_of(const std::string& text) {
  constexpr std::string_view mark = "$$end_record\n";
  std::vector<std::size_t> ends;
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1))
    ends.push_back(at + mark.size());
  return ends;
}

TEST(TraceGrammar, ARecordCutAtAnyByteLeavesAllOthersFound) {
  // One record a request, of each kind, so that every one of them is found by itself.
  const std::vector<std::string> ids{"00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100",
                                     "1234567890abcdef1234567890abcdef"};
  const std::string diagnostic =
      cls_head("TL_ERROR", "TF_DIAG", "14:15:16.017", "WriteDiagnosticEvent", "2236067977") +
      "Severity: error\nText: Message cannot be routed\nResult-Code: 0xc3e93d67 "
      "SIPPROXY_E_ROUTING_MSG_CERT_MISMATCH\nSIP-Start-Line: SERVICE sip:edge-int.contoso.example:5062;grid "
      "SIP/2.0\nSIP-Call-ID: " +
      ids[2] + "\nSIP-CSeq: 1 SERVICE\nPeer: edge-int.contoso.example:5062\n$$end_record\n\n";
  const std::string text = request_to_edge() + timeout_with("1038;reason=\"x\"") + diagnostic;
  const std::vector<std::size_t> ends = ends_of(text);
  ASSERT_EQ(ends.size(), ids.size());
  std::size_t begin = 0;
  for (std::size_t record = 0; record < ends.size(); ++record) {
    for (std::size_t at = begin; at <= ends[record]; ++at) {
      for (const bool front : {false, true}) {
        // Its back or its front is lost.
        const std::string left =
            front ? text.substr(0, begin) + text.substr(at) : text.substr(0, at) + text.substr(ends[record]);
        std::set<std::string> found;
        for (const TraceCall& call : studied(left).calls) found.insert(call.call_id);
        for (std::size_t other = 0; other < ids.size(); ++other) {
          if (other == record) continue;
          ASSERT_TRUE(found.contains(ids[other]))
              << "record " << record << (front ? " without its front up to " : " cut at ") << at << ": " << ids[other];
        }
      }
    }
    begin = ends[record];
  }
}

}  // namespace
}  // namespace mrascheck

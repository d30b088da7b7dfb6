// SPDX-License-Identifier: Apache-2.0
#include "core/explain.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <charconv>
#include <initializer_list>
#include <set>
#include <string>

#include "core/handshake.hpp"

namespace mrascheck {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Found {
  std::string name;
  const Explanation* row;
};

std::vector<Found> all_rows() {
  std::vector<Found> rows;
  each_explanation([&rows](CodeKind kind, const Explanation& row) {
    rows.push_back({std::string{to_string(kind)}, &row});
  });
  return rows;
}

TEST(Explain, EveryRowIsWholeAndReadsAsSentences) {
  const auto rows = all_rows();
  EXPECT_GE(rows.size(), 195U);
  for (const auto& [what, row] : rows) {
    SCOPED_TRACE(what + " " + std::string(row->key));
    EXPECT_FALSE(row->key.empty());
    EXPECT_FALSE(row->who.empty());
    EXPECT_FALSE(row->source.empty());
    for (const auto sentence : {row->meaning, row->remedy}) {
      ASSERT_GE(sentence.size(), 10U);
      EXPECT_EQ(sentence.back(), '.');
      EXPECT_TRUE(sentence.front() >= 'A' && sentence.front() <= 'Z') << sentence;
      EXPECT_EQ(sentence.find('\n'), std::string_view::npos);
    }
    EXPECT_EQ(row->source.find(".md"), std::string_view::npos);
    if (row->source.find("unconfirmed") != std::string_view::npos) {
      EXPECT_THAT(row->meaning, HasSubstr("probably"));
    }
  }
}

TEST(Explain, WinsockHasEveryCodeOfTheTable) {
  for (const int code : {10013, 10048, 10049, 10050, 10051, 10052, 10053, 10054, 10055, 10060, 10061, 10064, 10065,
                         11001, 11002, 11003, 11004}) {
    const auto* row = explain_winsock(code);
    ASSERT_NE(row, nullptr) << code;
    EXPECT_EQ(row->key, std::to_string(code));
    EXPECT_TRUE(row->name.starts_with("WSA"));
  }
  EXPECT_EQ(explain_winsock(0), nullptr);
  EXPECT_EQ(explain_winsock(-10061), nullptr);
}

struct Errno {
  const char* name;
  int error;
  std::string_view winsock;
};

class ErrnoTest : public testing::TestWithParam<Errno> {};

TEST_P(ErrnoTest, HasTheNameThatAWindowsAdministratorKnows) {
  const auto* row = explain_errno(GetParam().error);
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->name, GetParam().winsock);
}

INSTANTIATE_TEST_SUITE_P(
    Posix, ErrnoTest,
    testing::Values(Errno{"Refused", ECONNREFUSED, "WSAECONNREFUSED"}, Errno{"Reset", ECONNRESET, "WSAECONNRESET"},
                    Errno{"Aborted", ECONNABORTED, "WSAECONNABORTED"}, Errno{"TimedOut", ETIMEDOUT, "WSAETIMEDOUT"},
                    Errno{"HostUnreachable", EHOSTUNREACH, "WSAEHOSTUNREACH"},
                    Errno{"NetUnreachable", ENETUNREACH, "WSAENETUNREACH"},
                    Errno{"NotAvailable", EADDRNOTAVAIL, "WSAEADDRNOTAVAIL"}, Errno{"Access", EACCES, "WSAEACCES"}),
    [](const auto& row) { return row.param.name; });

TEST(Explain, ErrnoWithoutWinsockIsNothing) {
  EXPECT_EQ(explain_errno(0), nullptr);
  EXPECT_EQ(explain_errno(EISDIR), nullptr);
}

// RFC 8446, B.2, and RFC 5246, A.3: every number that either gives a name to.
TEST(Explain, AlertsHaveAllNamesOfTls12And13) {
  for (const int code : {0,  10, 20, 21, 22, 30, 40, 41,  42,  43,  44,  45,  46,  47,  48,  49,  50,
                         51, 60, 70, 71, 80, 86, 90, 100, 109, 110, 111, 112, 113, 114, 115, 116, 120}) {
    const auto* row = explain_alert(static_cast<std::uint8_t>(code));
    ASSERT_NE(row, nullptr) << code;
    EXPECT_EQ(row->key, std::to_string(code));
  }
  for (const unsigned code : {42U, 43U, 44U, 45U, 46U, 48U, 49U, 51U, 70U, 80U, 112U, 116U}) {
    const auto description = static_cast<std::uint8_t>(code);
    EXPECT_EQ(explain_alert(description)->name, (Alert{description, true}.name()));
  }
  EXPECT_EQ(explain_alert(255), nullptr);
}

TEST(Explain, HresultsOfWin32AreTheirWinsockCodes) {
  EXPECT_EQ(explain_hresult(0x8007274D), explain_winsock(10061));
  EXPECT_EQ(explain_hresult(0x8007274C), explain_winsock(10060));
  EXPECT_EQ(explain_hresult(0x80072746), explain_winsock(10054));
  EXPECT_EQ(explain_hresult(0x80072AF9), explain_winsock(11001));
  EXPECT_EQ(explain_hresult(0x80070005), nullptr);
}

TEST(Explain, HresultKeysAreTheirCodes) {
  for (const std::uint32_t code : {0x80090322U, 0x80090325U, 0x800B0109U, 0x800B010AU, 0x80096004U, 0xC3E93C69U,
                                   0xC3E93D67U, 0xC3EE78F8U, 0x00090320U}) {
    const auto* row = explain_hresult(code);
    ASSERT_NE(row, nullptr) << code;
    std::uint32_t read = 0;
    std::from_chars(row->key.data() + 2, row->key.data() + row->key.size(), read, 16);
    EXPECT_EQ(read, code);
  }
}

TEST(Explain, MrasReasonsAreFoundInAnyCase) {
  EXPECT_EQ(explain_mras_reason("version mismatch"), explain_mras_reason(" Version Mismatch "));
  EXPECT_NE(explain_mras_reason("Version Mismatch"), nullptr);
  EXPECT_EQ(explain_mras_reason("No Such Reason"), nullptr);
  EXPECT_EQ(explain_mras_reason(""), nullptr);
}

MsDiagnostics header(unsigned id, std::vector<std::pair<std::string, std::string>> parameters) {
  return {id, "", std::move(parameters)};
}

TEST(Explain, TheSeedsFirstIncident) {
  const std::string text = explain(header(1038, {{"reason", "Failed to connect to a peer server"},
                                                 {"WinsockFailureCode", "10061(WSAECONNREFUSED)"},
                                                 {"Peer", "edge1.contoso.example"},
                                                 {"Port", "5062"}}));
  EXPECT_THAT(text,
              AllOf(HasSubstr("The server that reports this reached edge1.contoso.example, but nothing there accepted"),
                    HasSubstr("port 5062"), HasSubstr("probably refuses after a certificate problem"),
                    HasSubstr("Issuing CA certificates with the same name and different thumbprints"),
                    HasSubstr("whether the Edge's own trace shows any SERVICE at all")));
}

TEST(Explain, TheSeedsFirstIncidentWithItsParametersEmpty) {
  const std::string text = explain(header(1038, {{"winsockfailurecode", "10061"}, {"Peer", ""}, {"Port", ""}}));
  EXPECT_THAT(text, AllOf(HasSubstr("reached the host of the Edge"), HasSubstr("port 5062")));
}

TEST(Explain, TheSeedsSecondIncident) {
  const std::string text = explain(header(2, {{"reason", "See response code and reason phrase"},
                                              {"source", ""},
                                              {"HRESULT", "0xC3E93C69(SIPPROXY_E_CONNECTION_FAILED)"}}));
  EXPECT_THAT(text, AllOf(HasSubstr("The connection from the Front End to the Edge failed"),
                          HasSubstr("Check port 5062, DNS"), HasSubstr("probably"),
                          HasSubstr("Compare the patch levels"), HasSubstr("patch the Edge to the Front End's level")));
}

struct Combination {
  const char* name;
  MsDiagnostics diagnostics;
  std::string_view text;
};

class Combinations : public testing::TestWithParam<Combination> {};

TEST_P(Combinations, SayWhatAndWhatToDo) {
  const std::string text = explain(GetParam().diagnostics);
  EXPECT_EQ(text, GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Headers, Combinations,
    testing::Values(
        Combination{
            "TimedOut",
            header(1038, {{"WinsockFailureCode", "10060(WSAETIMEDOUT)"}, {"Peer", "edge1"}, {"Port", "5062"}}),
            "The server could not connect to the next one (edge1, port 5062: 10060 WSAETIMEDOUT). Nothing answered "
            "the connection attempt: its packets are probably dropped. Check the firewall rule for the port, the "
            "address that the name resolves to, and the route back."},
        Combination{"PortStandsInPeer",
                    header(1038, {{"WinsockFailureCode", "10055"}, {"Peer", "edge1:5062"}, {"Port", "5062"}}),
                    "The server could not connect to the next one (edge1:5062: 10055 WSAENOBUFS). The host ran out of "
                    "buffers or ports. Check the load and the open connections of the host that reported it."},
        Combination{
            "HresultWins",
            header(1010, {{"HRESULT", "0x80090325(SEC_E_UNTRUSTED_ROOT)"}, {"WinsockFailureCode", "10054"}}),
            "The certificate of the next server was not accepted (0x80090325 SEC_E_UNTRUSTED_ROOT). The peer's chain "
            "ends in a root that this server does not trust. Import the peer's root CA into Trusted Root of the "
            "local computer on the server that reports it."},
        Combination{
            "UnknownCodes", header(1014, {{"HRESULT", "0xDEADBEEF"}, {"WinsockFailureCode", "x"}}),
            "The name of the next server was not found. Publish its DNS A record where the Front End looks, or put "
            "it into the hosts file."},
        Combination{"UnknownIdWithReason", header(9123, {{"reason", "Something\nnew"}}),
                    "The server said: Something?new. Read the trace of the server that sent it."},
        Combination{"UnknownIdOfARange", header(9123, {}),
                    "An error of MRAS, which has no explanation here. Read the trace of the server that sent it."},
        Combination{"UnknownIdOfNoRange", header(4'000'000'000U, {}),
                    "An error that has no explanation here. Read the trace of the server that sent it."}),
    [](const auto& row) { return row.param.name; });

TEST(Explain, RefusedAsHresultIsTheSame) {
  EXPECT_THAT(explain(header(1038, {{"HRESULT", "0x8007274D"}})), HasSubstr("same name and different thumbprints"));
}

TEST(Explain, SecondIdWithAnotherHresultIsNotTheIncident) {
  EXPECT_THAT(explain(header(2, {{"HRESULT", "0x80090322"}})), Not(HasSubstr("patch")));
}

}  // namespace
}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "core/look_up.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mrascheck {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

/// "HRESULT 0xC3E93C69", for each meaning.
std::vector<std::string> meanings(std::string_view pasted) {
  std::vector<std::string> all;
  for (const Meaning& meaning : look_up(pasted).meanings)
    all.push_back(std::string{to_string(meaning.kind)} + " " + std::string{meaning.row->key});
  return all;
}

struct PastedRow {
  const char* name;
  const char* pasted;
  const char* meant;
};
void PrintTo(const PastedRow& row, std::ostream* out) {
  *out << row.name;
}
class LookUpTest : public testing::TestWithParam<PastedRow> {};

TEST_P(LookUpTest, FindsWhatWasMeant) {
  EXPECT_THAT(meanings(GetParam().pasted), Contains(GetParam().meant));
}

INSTANTIATE_TEST_SUITE_P(
    Pasted, LookUpTest,
    testing::Values(
        PastedRow{"HexWithPrefix", "0xc3e93c69", "HRESULT 0xC3E93C69"},
        PastedRow{"HexWithout", "C3E93C69", "HRESULT 0xC3E93C69"},
        PastedRow{"HexOfDecimalDigits", "80090325", "HRESULT 0x80090325"},
        PastedRow{"Negative", "-1008124823", "HRESULT 0xC3E93C69"},
        PastedRow{"Unsigned", "3286842473", "HRESULT 0xC3E93C69"},
        PastedRow{"HresultWithItsName", "0xC3E93C69(SIPPROXY_E_CONNECTION_FAILED)", "HRESULT 0xC3E93C69"},
        PastedRow{"HresultBesideItsName", "0xc3e93c69 SIPPROXY_E_CONNECTION_FAILED", "HRESULT 0xC3E93C69"},
        PastedRow{"SocketErrorAsHresult", "0x8007274D", "Winsock error 10061"},
        PastedRow{"Winsock", "10061", "Winsock error 10061"},
        PastedRow{"WinsockWithItsName", " 10061(WSAECONNREFUSED) ", "Winsock error 10061"},
        PastedRow{"WinsockByName", "wsaeconnrefused", "Winsock error 10061"},
        PastedRow{"ErrnoByName", "ECONNREFUSED", "Winsock error 10061"},
        PastedRow{"ErrnoByWords", "Connection refused", "Winsock error 10061"},
        PastedRow{"AlertByWords", "unknown ca", "TLS alert 48"}, PastedRow{"AlertByName", "UNKNOWN_CA", "TLS alert 48"},
        PastedRow{"AlertOfOpenssl", "tlsv1 alert unknown ca", "TLS alert 48"},
        PastedRow{"AlertInALine",
                  "40E7:error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:rec.c:1:SSL alert number 48",
                  "TLS alert 48"},
        PastedRow{"Turn", "TURN 401", "error of the media relay 401"},
        PastedRow{"TurnWithItsText", "turn error 431 (Integrity Check Failure)", "error of the media relay 431"},
        PastedRow{"MsTurn", "MS-TURN 436", "error of the media relay 436"},
        PastedRow{"VerifyByName", "X509_V_ERR_CERT_HAS_EXPIRED", "OpenSSL verify error 10"},
        PastedRow{"VerifyInALine", "error 20 at 0 depth lookup: unable to get local issuer certificate",
                  "OpenSSL verify error 20"},
        PastedRow{"VerifyOfSClient", "verify error:num=20:unable to get local issuer certificate",
                  "OpenSSL verify error 20"},
        PastedRow{"VerifyReturnCode", "Verify return code: 19 (self-signed certificate in certificate chain)",
                  "OpenSSL verify error 19"},
        PastedRow{"MrasReason", "request malformed", "MRAS reasonPhrase Request Malformed"},
        PastedRow{"RelayError", "436", "error of the media relay 436"}, PastedRow{"Event", "14428", "event 14428"},
        PastedRow{"DiagnosticsId", "1038", "ms-diagnostics 1038"},
        PastedRow{"DiagnosticsIdBehindItsName", "ms-diagnostics: 1038", "ms-diagnostics 1038"}),
    [](const auto& row) { return row.param.name; });

TEST(LookUp, ANumberOfSeveralKindsMeansAllOfThem) {
  EXPECT_THAT(meanings("48"), ElementsAre("TLS alert 48", "OpenSSL verify error 48"));
}

TEST(LookUp, AHeaderIsExplainedWholeAndInItsParts) {
  constexpr std::string_view line =
      "TL_INFO ms-diagnostics: 1038;reason=\"Failed to connect to a peer server\";WinsockFailureCode=\"10061("
      "WSAECONNREFUSED)\";Peer=\"edge1.contoso.example\";Port=\"5062\"";
  EXPECT_THAT(look_up(line).summary, AllOf(HasSubstr("edge1.contoso.example"), HasSubstr("5062")));
  EXPECT_THAT(meanings(line), ElementsAre("ms-diagnostics 1038", "Winsock error 10061"));
}

TEST(LookUp, ACodeThatNoTableHoldsIsTakenApart) {
  const LookUp sip = look_up("0xC3E93FFF");
  EXPECT_TRUE(sip.meanings.empty());
  EXPECT_THAT(sip.remarks, ElementsAre(AllOf(HasSubstr("0xC3E93FFF is a failure"), HasSubstr("facility 1001"),
                                             HasSubstr("the SIP stack"), HasSubstr("0x3FFF"))));
  EXPECT_THAT(look_up("0x80070005").remarks, ElementsAre(HasSubstr("net helpmsg 5")));
  EXPECT_THAT(look_up("9777").remarks, ElementsAre(HasSubstr("MRAS")));
  EXPECT_THAT(look_up("2;HRESULT=\"0xC3E93FFF\"").remarks, ElementsAre(HasSubstr("facility 1001")));
}

TEST(LookUp, ASerialNumberIsShownInBothByteOrders) {
  for (const char* pasted : {"610102030405", "61 01 02 03 04 05", "61:01:02:03:04:05"}) {
    EXPECT_THAT(look_up(pasted).remarks,
                ElementsAre(AllOf(HasSubstr("610102030405"), HasSubstr("050403020161"), HasSubstr("14397"))));
  }
  EXPECT_THAT(look_up("6698081FFCB977C91CD4F8CE2CE88CFECA5CED96").remarks, Contains(HasSubstr("SHA-1 thumbprint")));
}

TEST(LookUp, WhatIsNotKnownGetsTheNearestName) {
  const LookUp found = look_up("unkown_ca");
  EXPECT_TRUE(found.empty());
  EXPECT_EQ(found.near, "unknown_ca");
  for (const char* pasted : {"", "  ", "-", ";", "0x", "-99999999999", "(", "\xff\x01"})
    EXPECT_TRUE(look_up(pasted).empty()) << pasted;
}

TEST(LookUp, EveryRowIsFoundByItsKeyAndByItsName) {
  each_explanation([](CodeKind kind, const Explanation& row) {
    const std::string meant = std::string{to_string(kind)} + " " + std::string{row.key};
    EXPECT_THAT(meanings(row.key), Contains(meant));
    if (!row.name.empty() && row.name.find(';') == std::string_view::npos && !row.name.ends_with(')')) {
      EXPECT_THAT(meanings(row.name), Contains(meant)) << row.name;
    }
  });
}

}  // namespace
}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "core/diagnostics.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mrascheck {
namespace {

struct DiagnosticsRow {
  const char* name;
  std::string_view value;
  std::string_view read;  ///< "id.sub;name=value;..."
};

std::string flat(const std::optional<MsDiagnostics>& diagnostics) {
  if (!diagnostics) return "nothing";
  std::string text = std::to_string(diagnostics->id);
  if (!diagnostics->sub.empty()) text += "." + diagnostics->sub;
  for (const auto& [name, value] : diagnostics->parameters) text.append(";").append(name).append("=").append(value);
  return text;
}

class DiagnosticsTest : public testing::TestWithParam<DiagnosticsRow> {};

TEST_P(DiagnosticsTest, IsReadAsFarAsItGoes) {
  EXPECT_EQ(flat(parse_diagnostics(GetParam().value)), GetParam().read);
}

INSTANTIATE_TEST_SUITE_P(
    Values, DiagnosticsTest,
    testing::Values(
        DiagnosticsRow{
            "Refused",
            R"x(1038;reason="Failed to connect to a peer server";WinsockFailureCode="10061(WSAECONNREFUSED)";)x"
            R"x(WinsockFailureDescription="The peer actively refused the connection attempt";Peer="edge1";Port="5062")x",
            "1038;reason=Failed to connect to a peer server;WinsockFailureCode=10061(WSAECONNREFUSED);"
            "WinsockFailureDescription=The peer actively refused the connection attempt;Peer=edge1;Port=5062"},
        DiagnosticsRow{
            "ConnectionFailed",
            R"x(2;reason="See response code and reason phrase";source="";HRESULT="0xC3E93C69(SIPPROXY_E_CONNECTION_FAILED)")x",
            "2;reason=See response code and reason phrase;source=;HRESULT=0xC3E93C69(SIPPROXY_E_CONNECTION_FAILED)"},
        DiagnosticsRow{"OnlyNumber", "1011", "1011"}, DiagnosticsRow{"Sub", "1034.7;source=x", "1034.7;source=x"},
        DiagnosticsRow{"SubMissing", "1034.;source=x", "1034;source=x"},
        DiagnosticsRow{"BlanksEverywhere", " 1010 ; reason = \"a b\" ;\tsource=fe1 ", "1010;reason=a b;source=fe1"},
        DiagnosticsRow{"NoQuotes", "1;reason=Service unavailable;source=fe1",
                       "1;reason=Service unavailable;source=fe1"},
        DiagnosticsRow{"SemicolonInQuotes", R"(1;reason="a;b=c";source="d")", "1;reason=a;b=c;source=d"},
        DiagnosticsRow{"EscapedQuote", R"(1;reason="say \"no\"";source="d")", "1;reason=say \"no\";source=d"},
        DiagnosticsRow{"WindowsPath", R"(1;file="C:\temp\x")", R"(1;file=C:\temp\x)"},
        DiagnosticsRow{"QuoteNeverClosed", R"(1;reason="abc;source=d)", "1;reason=abc;source=d"},
        DiagnosticsRow{"TextBehindQuote", R"(1;reason="abc" junk;source=d)", "1;reason=abc;source=d"},
        DiagnosticsRow{"ParameterWithoutValue", "1;flag;source=d", "1;flag=;source=d"},
        DiagnosticsRow{"NamelessParameter", "1;=x;;source=d", "1;source=d"},
        DiagnosticsRow{"TextBehindId", "1 x;source=d", "1;source=d"},
        DiagnosticsRow{"Controls", "1;reason=\"a\x1b[0mb\"", "1;reason=a?[0mb"},
        DiagnosticsRow{"Most", "4294967295", "4294967295"},
        DiagnosticsRow{"TooGreat", "4294967296;reason=x", "nothing"}, DiagnosticsRow{"Empty", "", "nothing"},
        DiagnosticsRow{"NoNumber", "reason=x", "nothing"}, DiagnosticsRow{"Negative", "-1;reason=x", "nothing"},
        DiagnosticsRow{"OnlySemicolons", ";;;", "nothing"}),
    [](const auto& row) { return row.param.name; });

TEST(Diagnostics, IsBounded) {
  std::string value = "1;reason=\"" + std::string(10'000, 'x') + "\"";
  for (int i = 0; i < 1000; ++i) value += ";p=v";
  const auto read = parse_diagnostics(value);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->parameters.size(), 64U);
  EXPECT_LE(read->parameters[0].second.size(), 4096U + 3U);
}

TEST(Diagnostics, ParametersAreFoundInAnyCase) {
  const auto read = parse_diagnostics("1038;winsockfailurecode=10061;WinsockFailureCode=1");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->parameter("WinsockFailureCode"), "10061");
  EXPECT_EQ(read->parameter("HRESULT"), "");
}

}  // namespace
}  // namespace mrascheck

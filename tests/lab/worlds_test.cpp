// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock-matchers.h>

#include "lab/lab_site.hpp"

namespace mrascheck::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What openssl s_client sees at every member, in the shoes of the Front End.
struct WorldsCase {
  const char* name;
  const char* world;
  const char* chain;   ///< file in pki/ that is sent behind fe1's certificate
  const char* trusts;  ///< file in pki/ that the Edge's certificate is judged by
  const char* shows;   ///< stands in what s_client prints
  const char* logged;  ///< stands in the member's log
  bool asked;          ///< whether the SERVICE gets as far as the Edge
};

class LabWorld : public testing::TestWithParam<WorldsCase> {};

TEST_P(LabWorld, LooksToOpensslAsItsNameSays) {
  const WorldsCase& c = GetParam();
  const LabSite site(c.world);
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    for (const int member : {1, 2}) {
      SCOPED_TRACE(std::string(version) + " edge" + std::to_string(member));
      const std::string log = "edge" + std::to_string(member) + ".log";
      const std::string before = site.read(log);
      const std::string output = ask(
          site, member,
          site.front_end(c.chain) +
              std::vector<std::string>{"-CAfile", site.file(std::string("pki/") + c.trusts + ".pem"),
                                       "-verify_return_error", "-verify_hostname", "edge.contoso.example", version});
      EXPECT_THAT(output, HasSubstr(c.shows));
      const std::string events = site.read(log).substr(before.size());
      EXPECT_THAT(events, HasSubstr(c.logged));
      EXPECT_EQ(events.find("SERVICE received") != std::string::npos, c.asked) << events;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Worlds, LabWorld,
    testing::Values(
        WorldsCase{"Healthy", "healthy", "fe1-chain", "root", "SIP/2.0 200 OK\r\n", "answered 200", true},
        WorldsCase{"StaleIssuingCaWithTheLiveChain", "stale-issuing-ca", "issuing", "root", "SIP/2.0 200 OK\r\n",
                   "answered 200", true},
        WorldsCase{"StaleIssuingCaWithTheStaleChain", "stale-issuing-ca", "issuing-3-old", "root",
                   "SSL alert number 48", "verify error 20: unable to get local issuer certificate", false},
        WorldsCase{"UnpatchedEdge", "unpatched-edge", "fe1-chain", "root",
                   "ms-diagnostics: 2;reason=\"See response code and reason phrase\";source=\"fe1.contoso.example\";"
                   "HRESULT=\"0xC3E93C69(SIPPROXY_E_CONNECTION_FAILED)\"\r\n",
                   "answered 504", true},
        WorldsCase{"EdgeRefusesConnection", "edge-refuses-connection", "fe1-chain", "root", "Connection refused", "",
                   false},
        WorldsCase{"EdgeDistrustsFrontEnd", "edge-distrusts-front-end", "fe1-chain", "root", "SSL alert number 48",
                   "alert sent: fatal unknown CA (48)", false},
        WorldsCase{"FrontEndDistrustsEdge", "front-end-distrusts-edge", "fe1-chain", "root",
                   "unable to get local issuer certificate", "alert received: fatal unknown CA (48)", false},
        WorldsCase{"FrontEndThatWouldTrustEdge", "front-end-distrusts-edge", "fe1-chain", "root-other",
                   "SIP/2.0 200 OK\r\n", "answered 200", true},
        WorldsCase{"ExpiredEdge", "expired-edge", "fe1-chain", "root", "certificate has expired",
                   "alert received: fatal certificate expired (45)", false}),
    [](const auto& row) { return row.param.name; });

TEST(LabSilence, SwallowsTheServiceAndAnswersOptionsAfterIt) {
  const LabSite site("edge-goes-silent");
  Program client(site.s_client(1, site.front_end()));
  const std::string output = ask(client, service() + sip_request("OPTIONS", "", "", "behind-it"));
  EXPECT_THAT(output, HasSubstr("CALL-ID: behind-it\r\n"));
  EXPECT_THAT(output, Not(HasSubstr("CALL-ID: 3f1c0a")));
  EXPECT_THAT(site.read("edge1.log"), HasSubstr("SERVICE received"));
}

TEST(LabAnswer, HandsOutCredentialsAsTheProtocolLaysThemOut) {
  const LabSite site("healthy");
  const std::string output = ask(site, 1, site.front_end());
  EXPECT_THAT(output, HasSubstr("CONTENT-TYPE: application/msrtc-media-relay-auth+xml\r\n"));
  EXPECT_THAT(output, HasSubstr("CSEQ: 1 SERVICE\r\n"));
  EXPECT_THAT(output, HasSubstr("reasonPhrase=\"OK\""));
  EXPECT_THAT(output, HasSubstr("<duration>480</duration>"));  // 600 were asked for
  EXPECT_THAT(output, HasSubstr("<hostName>edge.contoso.example</hostName>"));
  EXPECT_THAT(output, HasSubstr("<udpPort>"));
  EXPECT_THAT(output, HasSubstr("<tcpPort>"));
  const auto element = [&](const std::string& name) {
    const auto begin = output.find("<" + name + ">") + name.size() + 2;
    return output.substr(begin, output.find("</" + name + ">") - begin);
  };
  // Major and minor version, size, and behind expiry and identity the flags; then 20 bytes of HMAC.
  const std::string token = site.shell("base64 -d <<<'" + element("username") + "' | od -An -v -tx1 | tr -d ' \\n'");
  EXPECT_EQ(token.size(), 2 * 56U);
  EXPECT_EQ(token.substr(0, 8), "02000024");
  EXPECT_EQ(token.substr(64, 8), "00000000");
  const std::string ticks = token.substr(16, 8) + token.substr(8, 8);
  const std::string left = site.shell("echo $((0x" + ticks + " / 10000000 - 11644473600 - $(date +%s)))");
  EXPECT_NEAR(std::stod(left), 480 * 60, 60);
  EXPECT_EQ(site.shell("base64 -d <<<'" + element("password") + "' | wc -c"), "20\n");

  const std::string older = ask(site, 2, site.front_end(),
                                service(replaced(std::string(service_body), "version=\"2.0\"", "version=\"1.0\"")));
  const auto begin = older.find("<username>") + 10;
  EXPECT_EQ(older.find("</username>") - begin, 72U);  // 52 bytes in base64
}

TEST(LabAnswer, RefusesWhatIsNotWellFormed) {
  struct Row {
    const char* name;
    std::string request;
    const char* answer;
  };
  const std::string good = service();
  const auto body = [](std::string_view from, std::string_view to) {
    return service(replaced(std::string(service_body), from, to));
  };
  const std::vector<Row> rows{
      {"options", sip_request("OPTIONS", "", ""), "SIP/2.0 200 OK"},
      {"keep-alive first", "\r\n\r\n" + good, "SIP/2.0 200 OK"},
      {"compact names", replaced(replaced(good, "From:", "f:"), "Content-Length:", "l :"), "SIP/2.0 200 OK"},
      {"another method", sip_request("INVITE", "", ""), "SIP/2.0 405 "},
      {"another content type", replaced(good, "msrtc-media-relay-auth+xml", "sdp"), "SIP/2.0 400 "},
      {"no content length", replaced(sip_request("OPTIONS", "", ""), "Content-Length: 0\r\n", ""), "SIP/2.0 400 "},
      {"no tag", replaced(good, ";tag=1234567890", ""), "SIP/2.0 400 "},
      {"old branch", replaced(good, "z9hG4bK", "old"), "SIP/2.0 400 "},
      {"cseq of another method", replaced(good, "1 SERVICE", "1 OPTIONS"), "SIP/2.0 400 "},
      {"not XML", service("credentials, please"), "SIP/2.0 400 "},
      {"another namespace", body("2006/09", "2007/09"), "SIP/2.0 400 "},
      {"no request id", body("requestID=\"4711\"", ""), "SIP/2.0 400 "},
      {"no identity", body("<identity>sip:probe@contoso.example</identity>", ""), "SIP/2.0 400 "},
      {"no location", body("<location>intranet</location>", ""), "SIP/2.0 400 "},
      {"somewhere else", body("intranet", "moon"), "SIP/2.0 400 "},
      {"no duration", body("<duration>600</duration>", ""), "SIP/2.0 400 "},
      {"no time at all", body("600", "0"), "SIP/2.0 400 "},
      {"wrong order",
       body("<location>intranet</location><duration>600</duration>",
            "<duration>600</duration><location>intranet</location>"),
       "SIP/2.0 400 "},
      {"another version", body("version=\"2.0\"", "version=\"9.9\""), "reasonPhrase=\"Version Mismatch\""},
  };
  const LabSite site("healthy");
  for (const Row& row : rows)
    EXPECT_THAT(ask(site, 1, site.front_end(), row.request), HasSubstr(row.answer)) << row.name;
}

struct FaultCase {
  const char* name;
  const char* fault;
  std::vector<const char*> shows;
  std::vector<const char*> hides;
};

class LabFault : public testing::TestWithParam<FaultCase> {};

TEST_P(LabFault, LooksToOpensslAsItsNameSays) {
  const FaultCase& c = GetParam();
  const LabSite site("healthy", {"--fault", c.fault});
  const std::string output = ask(site, 1, site.front_end());
  for (const char* text : c.shows) EXPECT_THAT(output, HasSubstr(text));
  for (const char* text : c.hides) EXPECT_THAT(output, Not(HasSubstr(text)));
}

INSTANTIATE_TEST_SUITE_P(
    Faults, LabFault,
    testing::Values(
        FaultCase{"Http", "http", {"wrong version number"}, {"SIP/2.0"}},
        FaultCase{"Reset", "reset", {"errno=104"}, {"SIP/2.0"}},
        FaultCase{"BadXml", "bad-xml", {"SIP/2.0 200 OK\r\n", "<response "}, {"</response>"}},
        FaultCase{"OtherCallId", "other-call-id", {"SIP/2.0 200 OK\r\n", "CALL-ID: 0000000000"}, {"3f1c0a"}},
        FaultCase{"Sip403", "sip-403", {"SIP/2.0 403 Forbidden\r\n"}, {"ms-diagnostics"}},
        FaultCase{"Sip404", "sip-404", {"SIP/2.0 404 Not Found\r\n"}, {"ms-diagnostics"}},
        FaultCase{"Sip500", "sip-500", {"SIP/2.0 500 Server Internal Error\r\n"}, {"ms-diagnostics"}},
        FaultCase{"Sip504Bare", "sip-504-bare", {"SIP/2.0 504 Server time-out\r\n"}, {"ms-diagnostics"}},
        FaultCase{
            "Sip504With1038",
            "sip-504-1038",
            {"SIP/2.0 504 Server time-out\r\n", "ms-diagnostics: 1038;reason=\"Failed to connect to a peer server\";",
             "WinsockFailureCode=\"10061(WSAECONNREFUSED)\";", "Port=\"5062\";"},
            {}},
        FaultCase{
            "MrasNotOk", "mras-not-ok", {"SIP/2.0 200 OK\r\n", "reasonPhrase=\"Not Supported\""}, {"<credentials"}},
        FaultCase{"Provisional", "provisional", {"SIP/2.0 100 Trying\r\n", "SIP/2.0 200 OK\r\n", "</response>"}, {}}),
    [](const auto& row) { return row.param.name; });

TEST(LabFaultOf, HttpSpeaksHttpToWhoeverListens) {
  const LabSite site("healthy", {"--fault", "http"});
  const std::string output = site.shell("exec 3<>/dev/tcp/$edge1_address/$edge_port; echo hello >&3; cat <&3");
  EXPECT_TRUE(output.starts_with("HTTP/1.1 400 Bad Request\r\n")) << output;
}

TEST(LabFaultOf, SilentAcceptTakesTheClientHelloAndSaysNothing) {
  const LabSite site("healthy", {"--fault", "silent-accept"});
  int code = 0;
  site.shell("timeout 1 openssl s_client -connect $edge1_address:$edge_port </dev/null", &code);
  EXPECT_EQ(code, 124);  // timeout ended it, not the peer
  EXPECT_THAT(site.read("edge1.log"), HasSubstr("accepted 127.0.0.1:"));
}

TEST(LabFaultOf, LongHeaderIsAMebibyteInOneLine) {
  const LabSite site("healthy", {"--fault", "long-header"});
  const std::string output = ask(site, 1, site.front_end());
  const auto begin = output.find("X-Padding: ");
  ASSERT_NE(begin, std::string::npos);
  EXPECT_EQ(output.find("\r\n", begin) - begin, 11U + (1U << 20U));
  EXPECT_THAT(output, HasSubstr("</response>"));
}

/// Bytes behind the head, and what Content-Length says of them.
std::pair<std::size_t, std::size_t> body_size(const std::string& output) {
  const auto head = output.find("SIP/2.0 200");
  const auto end = output.find("\r\n\r\n", head);
  const auto length = output.find("CONTENT-LENGTH: ", head);
  if (end == std::string::npos || length == std::string::npos) return {0, 0};
  return {output.rfind("</response>") + 12 - (end + 4), std::stoul(output.substr(length + 16))};
}

TEST(LabFaultOf, ShortBodyEndsBeforeContentLength) {
  const LabSite site("healthy", {"--fault", "short-body"});
  Program client(site.s_client(1, site.front_end()));
  client.send(service());
  EXPECT_FALSE(client.read_until([](const std::string&) { return false; }));  // until the Edge closes
  const auto [came, said] = body_size(client.output());
  EXPECT_EQ(came + 100, said);
}

TEST(LabFaultOf, LongBodyGoesOnBehindContentLength) {
  const LabSite site("healthy", {"--fault", "long-body"});
  Program client(site.s_client(1, site.front_end()));
  client.send(service());
  ASSERT_TRUE(client.read_until("</response>\n"));
  const auto [came, said] = body_size(client.output());
  EXPECT_EQ(came, said + 40);
}

struct VersionCase {
  const char* name;
  const char* fault;
  const char* speaks;
  const char* refuses;
};

class LabVersion : public testing::TestWithParam<VersionCase> {};

TEST_P(LabVersion, IsTheOnlyOneSpoken) {
  const VersionCase& c = GetParam();
  const LabSite site("healthy", {"--fault", c.fault});
  EXPECT_THAT(ask(site, 1, site.front_end() + std::vector<std::string>{c.speaks}), HasSubstr("SIP/2.0 200 OK"));
  EXPECT_THAT(ask(site, 1, site.front_end() + std::vector<std::string>{c.refuses}), HasSubstr("SSL alert number 70"));
}

INSTANTIATE_TEST_SUITE_P(Tls, LabVersion,
                         testing::Values(VersionCase{"Tls12Only", "tls12-only", "-tls1_2", "-tls1_3"},
                                         VersionCase{"Tls13Only", "tls13-only", "-tls1_3", "-tls1_2"}),
                         [](const auto& row) { return row.param.name; });

TEST(LabClientCertificate, IsRequiredAndItsIssuersAreNamed) {
  const LabSite site("healthy");
  EXPECT_THAT(ask(site, 1, {"-tls1_3"}), HasSubstr("SSL alert number 116"));
  EXPECT_THAT(ask(site, 1, {"-tls1_2"}), HasSubstr("SSL alert number 40"));
  EXPECT_THAT(site.shell("openssl s_client -connect $edge1_address:$edge_port -tls1_2 </dev/null 2>&1"),
              HasSubstr("Acceptable client certificate CA names\nDC = example, DC = contoso, CN = Contoso Root CA\n"));
}

TEST(LabClientCertificate, IsNotAskedForWithThatFault) {
  const LabSite site("healthy", {"--fault", "no-client-cert"});
  EXPECT_THAT(ask(site, 1, {}), HasSubstr("SIP/2.0 200 OK"));
  EXPECT_THAT(site.shell("openssl s_client -connect $edge1_address:$edge_port </dev/null 2>&1"),
              HasSubstr("No client certificate CA names sent"));
}

}  // namespace
}  // namespace mrascheck::test

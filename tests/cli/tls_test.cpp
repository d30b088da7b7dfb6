// SPDX-License-Identifier: Apache-2.0
// How TLS begins and by which way, by the options of check_mras, with openssl s_server as the Edge.
#include <arpa/inet.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <fstream>
#include <string>
#include <vector>

#include "cli/edge_pki.hpp"
#include "support/name_server.hpp"
#include "support/raw_peer.hpp"
#include "support/s_server.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Words = std::vector<std::string>;

const EdgePki& tls_pki() {
  static const EdgePki pki;
  return pki;
}

Words edge_arguments(const Words& more) {
  const EdgePki& pki = tls_pki();
  Words words{"-cert",          pki.file("edge.crt"),
              "-key",           pki.file("edge.key"),
              "-CAfile",        pki.file("root.crt"),
              "-Verify",        "3",
              "-state",         "-cipher",
              "ALL:@SECLEVEL=0"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Ended look_at(const SServer& server, Words more) {
  more.insert(more.end(), {"--no-mras", "-vv", "--chain", tls_pki().file("issuing.crt")});
  return check_mras(tls_pki().ask(server.port(), "fe1", more));
}

struct VersionCase {
  const char* name;
  const char* server;   ///< what it is limited to
  const char* allowed;  ///< --tls
  const char* version;
  int code;
};
class TlsVersions : public testing::TestWithParam<VersionCase> {};

TEST_P(TlsVersions, AreChosenAndOldOnesAreWeak) {
  const VersionCase& c = GetParam();
  SServer server(edge_arguments({c.server}));
  const Ended check = look_at(server, {"--tls", c.allowed});
  EXPECT_EQ(check.err, "");
  EXPECT_EQ(check.code, c.code) << check.out << server.last_words();
  EXPECT_THAT(check.out, HasSubstr(std::string{c.version} + ", TLS_")) << server.last_words();
  if (c.code == 0) {
    EXPECT_THAT(check.out, Not(HasSubstr("handshake.weak-version")));
  } else {
    EXPECT_THAT(check.out, AllOf(StartsWith("MRAS WARNING - "), HasSubstr("handshake.weak-version"),
                                 HasSubstr(std::string{"agree on "} + c.version + ",")));
  }
}
INSTANTIATE_TEST_SUITE_P(CommandLine, TlsVersions,
                         testing::Values(VersionCase{"Tls10", "-tls1", "1.0-1.3", "TLSv1", 1},
                                         VersionCase{"Tls11", "-tls1_1", "1.0-1.2", "TLSv1.1", 1},
                                         VersionCase{"Tls12", "-tls1_2", "1.0-1.3", "TLSv1.2", 0},
                                         VersionCase{"Tls13", "-tls1_3", "1.3", "TLSv1.3", 0},
                                         VersionCase{"NoMoreThanAllowed", "-no_tls1_3", "1.1", "TLSv1.1", 1}),
                         [](const auto& row) { return row.param.name; });

TEST(TlsOptions, WithoutLeaveOldVersionsAreNoCommonTls) {
  SServer server(edge_arguments({"-tls1"}));
  const Ended check = look_at(server, {});
  EXPECT_THAT(check.out, AllOf(HasSubstr("TLSv1.2 to TLSv1.3"), HasSubstr("`tls` of the link")));
  EXPECT_NE(check.code, 0);
}

TEST(TlsOptions, TheServerNameIsAsGiven) {
  const EdgePki& pki = tls_pki();
  const Words by_name{"-servername", "x", "-cert2", pki.file("edge.crt"), "-key2", pki.file("edge.key")};
  for (const auto& [option, heard] :
       std::vector<std::pair<Words, std::string>>{{{}, "edge.contoso.example"},
                                                  {{"--sni", "sip.contoso.example"}, "sip.contoso.example"},
                                                  {{"--sni", "off"}, ""}}) {
    SServer server(edge_arguments(by_name));
    const Ended check = look_at(server, option);
    EXPECT_EQ(check.code, 0) << check.out;
    const std::string said = server.last_words();
    if (heard.empty()) {
      EXPECT_THAT(said, Not(HasSubstr("Hostname in TLS extension")));
    } else {
      EXPECT_THAT(said, HasSubstr("Hostname in TLS extension: \"" + heard + "\""));
    }
  }
}

TEST(TlsOptions, TheNameServerIsTheOneGiven) {
  NameServer names([](const std::string& name, bool six) {
    NameServer::Reply reply;
    if (!six && name == "edge.contoso.example") reply.addresses = {"127.0.0.1"};
    return reply;
  });
  SServer server(edge_arguments({}));
  Words words = tls_pki().ask(server.port(), "fe1", {"--no-mras", "-v", "--name-server", names.address()});
  words.erase(words.begin() + 2, words.begin() + 4);  // --resolve
  const Ended check = check_mras(words);
  EXPECT_EQ(check.code, 0) << check.out;
  EXPECT_EQ(names.questions(), 2);
}

TEST(TlsOptions, ALiteralOfIpv6) {
  if (std::ifstream("/proc/net/if_inet6").peek() == std::ifstream::traits_type::eof()) GTEST_SKIP() << "no IPv6 here";
  SServer server(edge_arguments({}), {}, "[::1]");
  Words words =
      tls_pki().ask(server.port(), "fe1", {"--no-mras", "-vv", "--name", "edge.contoso.example", "--source", "::1"});
  words.erase(words.begin() + 2, words.begin() + 4);
  words[1] = "[::1]";
  const Ended check = check_mras(words);
  EXPECT_EQ(check.code, 0) << check.out;
  EXPECT_THAT(check.out, HasSubstr("([::1]:" + std::to_string(server.port()) + ")"));
}

TEST(TlsOptions, TheServerSeesTheSourceThatIsGiven) {
  for (const std::string source : {"127.0.0.1", "127.0.0.9"}) {
    std::string seen;
    RawPeer peer([&](RawPeer::Talk& talk) {
      sockaddr_in from{};
      socklen_t size = sizeof from;
      std::array<char, INET_ADDRSTRLEN> text{};
      ::getpeername(talk.descriptor(), reinterpret_cast<sockaddr*>(&from), &size);
      seen = ::inet_ntop(AF_INET, &from.sin_addr, text.data(), text.size());
    });
    const Ended check = check_mras(tls_pki().ask(peer.port(), "fe1", {"--no-mras", "--source", source}));
    EXPECT_EQ(check.code, 2) << check.out;  // it hangs up at once
    EXPECT_EQ(seen, source);
  }
}

TEST(TlsOptions, ASourceThatIsNotOursIsUnknown) {
  const RefusingPort port;
  const Ended check = check_mras(tls_pki().ask(port.port(), "fe1", {"--no-mras", "--source", "192.0.2.1"}));
  EXPECT_EQ(check.code, 3) << check.out;
  EXPECT_THAT(check.out, HasSubstr("not from 192.0.2.1: Cannot assign requested address"));
}

struct OptionCase {
  const char* name;
  Words words;
  const char* said;
};
class WrongTlsOption : public testing::TestWithParam<OptionCase> {};

TEST_P(WrongTlsOption, IsRefused) {
  const RefusingPort port;
  Words words = GetParam().words;
  words.emplace_back("--no-mras");
  const Ended check = check_mras(tls_pki().ask(port.port(), "fe1", words));
  EXPECT_EQ(check.code, 3);
  EXPECT_THAT(check.out, StartsWith(std::string{"MRAS UNKNOWN - "} + GetParam().said));
}
INSTANTIATE_TEST_SUITE_P(
    CommandLine, WrongTlsOption,
    testing::Values(
        OptionCase{"NoVersion", {"--tls", "1.4"}, "--tls: '1.4' is not one of 1.0, 1.1, 1.2 and 1.3"},
        OptionCase{"OtherWayRound", {"--tls", "1.3-1.2"}, "--tls 1.3-1.2: the older version comes first"},
        OptionCase{"AddressAsSni", {"--sni", "192.0.2.1"}, "--sni 192.0.2.1: not a host name; or write off"},
        OptionCase{"NameAsSource", {"--source", "eth0"}, "--source eth0: not an IPv4 or IPv6 address"},
        OptionCase{"NameAsNameServer", {"--name-server", "dns1"}, "--name-server dns1: write ADDRESS or ADDRESS:PORT"},
        OptionCase{"PortOfNameServer",
                   {"--name-server", "192.0.2.53:x"},
                   "--name-server 192.0.2.53:x: write ADDRESS or ADDRESS:PORT"}),
    [](const auto& row) { return row.param.name; });

TEST(TlsRefusal, SameNameOtherKeyIsTold) {
  const EdgePki& pki = tls_pki();
  pki.openssl().self_signed("namesake", "/CN=Contoso Root CA", ca_extensions);
  SServer server({"-cert", pki.file("edge.crt"), "-key", pki.file("edge.key"), "-cert_chain", pki.file("issuing.crt"),
                  "-CAfile", pki.file("namesake.crt"), "-no-CApath", "-no-CAstore", "-Verify", "3",
                  "-verify_return_error"});
  const Ended check = look_at(server, {});
  EXPECT_EQ(check.code, 2) << check.out;
  EXPECT_THAT(check.out,
              AllOf(HasSubstr("with the TLS alert unknown_ca"), HasSubstr("most likely the same name with another key"),
                    HasSubstr("Compare, by thumbprint")));
}

}  // namespace
}  // namespace mrascheck::test

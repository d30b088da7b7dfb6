// SPDX-License-Identifier: Apache-2.0
// Servers that show what nobody should: certificates of a mebibyte, chains of 200, names by the ten thousand, and names
// made to write over a terminal or into the performance data. All by the real openssl, over real TLS.
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "support/long_chain.hpp"
#include "support/openssl_cli.hpp"
#include "support/program.hpp"
#include "support/recording.hpp"
#include "support/s_server.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using Words = std::vector<std::string>;

/// Clears the screen, rings, turns the line around, and adds lines and figures of its own.
constexpr const char* spiteful = "\x1b[2J\x07 x|load=99;;;0 \xe2\x80\xae\xe2\x81\xa6 \xc2\x9b 1m\nOK - fine | time=0s";

class HostilePki {
 public:
  HostilePki() {
    openssl_.self_signed("root", "/CN=Contoso Root CA", ca_extensions);
    openssl_.self_signed("spiteful-root", fmt::format("/CN={} CA/O={}", spiteful, spiteful), ca_extensions,
                         "ec -pkeyopt ec_paramgen_curve:P-256", "-utf8");
    edge("edge", "DNS:edge1.contoso.example");
    openssl_.issued("fe", "/CN=fe1.contoso.example", "root",
                    "extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:fe1.contoso.example");
    std::string many = "DNS:edge1.contoso.example";
    for (int i = 0; i < 10'000; ++i) many += fmt::format(",DNS:h{:05}.y.example", i);
    edge("many-names", many);
    edge("big", "DNS:edge1.contoso.example\n1.2.3.4=ASN1:UTF8String:" + std::string(std::size_t{300} * 1024, 'x'));
    edge("huge", "DNS:edge1.contoso.example\n1.2.3.4=ASN1:UTF8String:" + std::string(std::size_t{1024} * 1024, 'x'));
    openssl_.issued(
        "spiteful", fmt::format("/O={0}/CN={0}", spiteful), "root",
        "extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:x|y=1;\x1b[31m\xe2\x80\xae.contoso.example",
        "ec -pkeyopt ec_paramgen_curve:P-256 -utf8");
    // 200 CAs, each issued by the one before, and the server's own by the last. One key is enough for all.
    write_long_chain(openssl_.dir() / "root", 200, openssl_.dir() / "chain.crt", openssl_.dir() / "above.crt");
    openssl_.shell("cp root.key above.key");
    openssl_.issued("deep", "/CN=edge1.contoso.example", "above",
                    "extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:edge1.contoso.example");
  }

  std::string file(const std::string& name) const { return openssl_.dir() / name; }
  const OpensslCli& openssl() const { return openssl_; }

 private:
  void edge(const std::string& name, const std::string& names) const {
    openssl_.issued(name, "/CN=edge1.contoso.example", "root",
                    "extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=" + names + "\n");
  }

  OpensslCli openssl_;
};

const HostilePki& hostile_pki() {
  static const HostilePki pki;
  return pki;
}

struct HostileCase {
  const char* name;
  const char* edge;
  Words server;  ///< more options of s_server, where files are meant relative to the certificates
  int code;
  const char* said;  ///< with -vv
};

void PrintTo(const HostileCase& row, std::ostream* out) {
  *out << row.name;
}

/// Nothing that a terminal would obey: no control character but the line end, nothing that turns the direction.
void expect_plain(const std::string& text) {
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    ASSERT_TRUE(c == '\n' || (octet >= 0x20 && octet != 0x7F)) << static_cast<int>(octet) << " in " << text;
  }
  for (const char* bad :
       {"\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7",
        "\xe2\x81\xa8", "\xe2\x81\xa9", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xc2\x9b"})
    EXPECT_EQ(text.find(bad), std::string::npos) << text;
}

class HostilePeers : public testing::TestWithParam<HostileCase> {};

TEST_P(HostilePeers, LeaveABoundedRecordAndAClearLine) {
  const HostileCase& row = GetParam();
  const HostilePki& pki = hostile_pki();
  Words words{"-cert",      pki.file(std::string(row.edge) + ".crt"),
              "-key",       pki.file(std::string(row.edge) + ".key"),
              "-Verify",    "300",
              "-no-CApath", "-no-CAstore",
              "-tls1_2"};
  for (const std::string& word : row.server) words.push_back(word.ends_with(".crt") ? pki.file(word) : word);
  SServer server(words, [](const std::string& request) { return sip_answer(request, "200 OK"); });

  const std::string recorded = pki.file(std::string(row.name) + ".json");
  const Ended plugin = check_mras({"-H", "edge1.contoso.example", "--resolve", "edge1.contoso.example=127.0.0.1", "-p",
                                   std::to_string(server.port()), "--certificate", pki.file("fe.crt"), "--key",
                                   pki.file("fe.key"), "--trust", pki.file("root.crt"), "--service", "sip", "-vv",
                                   "--max-output", "60000", "--record", recorded});
  EXPECT_EQ(plugin.err, "");
  EXPECT_EQ(plugin.code, row.code) << plugin.out;
  EXPECT_THAT(plugin.out, AllOf(StartsWith("MRAS "), HasSubstr(row.said)));
  EXPECT_EQ(std::count(plugin.out.begin(), plugin.out.end(), '|'), 1) << plugin.out;
  expect_plain(plugin.out);

  EXPECT_LT(std::filesystem::file_size(recorded), 2U * 1024 * 1024);
  const Evidence evidence = recording(recorded);
  ASSERT_EQ(evidence.handshakes.size(), 1U);
  EXPECT_EQ(evidence.handshakes.front().port, server.port());
  for (const char* format : {"text", "json", "plugin"}) {
    const Ended again = mrascheck({"check", "--evidence", recorded, "--format", format, "-vvv"});
    EXPECT_EQ(again.code, row.code) << format;
    EXPECT_EQ(again.err, "");
    EXPECT_LT(again.out.size(), std::size_t{256} * 1024) << format;
    expect_plain(again.out);
  }
}

INSTANTIATE_TEST_SUITE_P(
    CommandLine, HostilePeers,
    testing::Values(
        HostileCase{"TenThousandNames", "many-names", {}, 0, "edge1.contoso.example"},
        HostileCase{"CertificateOf300KiB", "big", {}, 2, "certificate 1 of 1: larger than 256 KiB"},
        HostileCase{"CertificateOfAMebibyte",
                    "huge",
                    {},
                    2,
                    "what edge1.contoso.example sent is no sound TLS: excessive message size"},
        HostileCase{
            "AndWhatWeSaidToIt", "huge", {}, 2, "fe1.contoso.example ended it with the TLS alert illegal_parameter"},
        HostileCase{"ChainOf200", "deep", {"-cert_chain", "chain.crt"}, 3, "[UNKNOWN] certification-path.undecided: "},
        HostileCase{"SpitefulNames", "spiteful", {}, 2, "[CRITICAL] certificate-names.mismatch: "},
        HostileCase{
            "SpitefulIssuers", "edge", {"-CAfile", "spiteful-root.crt"}, 1, "[WARNING] handshake.issuer-not-listed: "}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::test

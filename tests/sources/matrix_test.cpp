// SPDX-License-Identifier: Apache-2.0
// openssl s_server in many configurations: our record of the handshake must agree with what openssl s_client prints of
// the same server, and with the server's own log.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "sources/handshake.hpp"
#include "support/on_loop.hpp"
#include "support/openssl_cli.hpp"
#include "support/program.hpp"
#include "support/s_server.hpp"
#include "x509/scan.hpp"

namespace mrascheck::sources {
namespace {

using test::ca_extensions;
using test::SServer;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

constexpr const char* leaf_extensions =
    "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n"
    "subjectAltName=DNS:edge1.contoso.example\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";
constexpr const char* p256 = "ec -pkeyopt ec_paramgen_curve:P-256";

/// All certificates of the matrix, by the openssl command, made once.
class MatrixPki {
 public:
  static const MatrixPki& get() {
    static const MatrixPki made;
    return made;
  }
  std::string operator/(const std::string& name) const { return cli_.dir() / name; }
  const test::OpensslCli& cli() const { return cli_; }
  /// What OpenSSL calls a cipher suite, by its IANA name.
  const std::map<std::string, std::string>& ciphers() const { return ciphers_; }

 private:
  MatrixPki() {
    cli_.self_signed("root", "/CN=Contoso Root CA", ca_extensions);
    cli_.self_signed("namesake", "/CN=Contoso Root CA", ca_extensions);
    cli_.self_signed("other", "/CN=Fabrikam Root CA", ca_extensions);
    cli_.issued("issuing", "/CN=Contoso Issuing CA", "root",
                std::string{ca_extensions} + "authorityKeyIdentifier=keyid\n");
    cli_.issued("stale-issuing", "/CN=Contoso Issuing CA", "namesake",
                std::string{ca_extensions} + "authorityKeyIdentifier=keyid\n");
    leaf("edge", p256);
    leaf("fe1", p256);
    leaf("rsa1024", "rsa:1024");
    leaf("rsa2048", "rsa:2048");
    leaf("rsa4096", "rsa:4096");
    leaf("p384", "ec -pkeyopt ec_paramgen_curve:P-384");
    leaf("ed25519", "ed25519");
    leaf("pss", "rsa-pss -pkeyopt rsa_keygen_bits:2048");
    leaf("sha1", p256, "-sha1");
    cli_.issued("elsewhere", "/CN=other.contoso.example", "issuing", "subjectAltName=DNS:other.contoso.example");
    cli_.issued("foreign", "/CN=fe1.contoso.example", "other", leaf_extensions);
    cli_.shell(
        "cp edge.key expired.key && cp edge.key future.key && openssl x509 -req -in edge.csr -CA issuing.crt -CAkey "
        "issuing.key -out expired.crt -days -1 -extfile edge.cnf -extensions ext");
    // Not before tomorrow: only openssl ca can be told so.
    cli_.shell(
        "mkdir ca && touch ca/index.txt && echo 0A > ca/serial && printf '[ca]\\ndefault_ca=d\\n[d]\\n"
        "database=ca/index.txt\\nserial=ca/serial\\nnew_certs_dir=ca\\ndefault_md=sha256\\npolicy=p\\n[p]\\n"
        "commonName=supplied\\n' > ca.cnf && openssl ca -batch -config ca.cnf -cert issuing.crt -keyfile issuing.key "
        "-in edge.csr -out future.crt -startdate 20990101000000Z -enddate 21000101000000Z -extfile edge.cnf "
        "-extensions ext");
    cli_.shell("cat root.crt issuing.crt > reversed.pem && cat issuing.crt root.crt > whole.pem");
    cli_.shell(
        "openssl req -new -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout many.key -subj "
        "/CN=many -out many.crt && for i in $(seq 150); do openssl req -new -x509 -key many.key -subj "
        "\"/O=Contoso/OU=Certification Authorities of the organisation/OU=Laboratory/CN=Authority of many names number "
        "$i\" -days 30; done > many.pem");
    std::istringstream lines(cli_.shell("openssl ciphers -stdname ALL:@SECLEVEL=0"));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string standard, dash, own;
      if (words >> standard >> dash >> own) ciphers_[standard] = own;
    }
  }
  void leaf(const std::string& name, const std::string& key, const std::string& more = {}) const {
    cli_.issued(name, "/CN=" + name + ".contoso.example", "issuing", leaf_extensions, key, more);
  }
  test::OpensslCli cli_;
  std::map<std::string, std::string> ciphers_;
};

struct MatrixRow {
  const char* name;
  std::string server = "edge";        ///< its certificate
  std::string chain = "issuing.crt";  ///< what it sends behind; empty: nothing
  std::string client = "fe1";         ///< empty: nobody's
  bool sends_chain = true;
  std::string trusted = "root.crt";  ///< -CAfile of the server
  Words more = {"-Verify", "3", "-verify_return_error"};
  TlsRange versions = {TlsVersion::tls_1_0, TlsVersion::tls_1_3};
};

class Matrix : public testing::TestWithParam<MatrixRow> {
 protected:
  Handshake record_of(std::uint16_t port) {
    const MatrixRow& row = GetParam();
    Server from;
    from.name = "fe1.contoso.example";
    Server to;
    to.name = "edge1.contoso.example";
    to.role = Role::edge;
    Link link;
    link.from = from.name;
    link.to = to.name;
    link.port = port;
    link.service = Service::tls;
    Limits limits;
    limits.step = 20s;
    limits.quiet = 200ms;
    crypto::TlsContext::Options options;
    std::vector<CertificateRef> chain;
    if (!row.client.empty()) {
      const std::string behind = row.sends_chain ? MatrixPki::get() / "issuing.crt" : std::string{};
      auto loaded = load_identity(
          {from.name, MatrixPki::get() / (row.client + ".crt"), MatrixPki::get() / (row.client + ".key"), behind, {}},
          pool_);
      if (!loaded) throw std::runtime_error(loaded.error().error.text);
      options.certificate = loaded->identity.certificate;
      options.chain = loaded->identity.chain;
      options.key = loaded->key;
      chain = loaded->identity.chain;
      chain.insert(chain.begin(), loaded->identity.certificate);
    }
    options.min_version = to_string(row.versions.min);
    options.max_version = to_string(row.versions.max);
    const TrustView nothing;
    Probe task{
        &from,       &to,       &link,
        "127.0.0.1", "",        crypto::TlsContext::client(options).value(),
        chain,       &nothing,  {},
        limits,      UtcTime{}, [](const Certificate&, const Certificate&) { return std::optional<SignatureState>{}; },
        &pool_};
    transport::Loop loop;
    return test::run_on(loop, probe(std::move(task), test::in(50s)));
  }

  /// What openssl s_client prints, which asks for a page so that a refusal in TLS 1.3 comes before its end.
  std::string client_output(std::uint16_t port) const {
    const MatrixRow& row = GetParam();
    const MatrixPki& pki = MatrixPki::get();
    Words words{"openssl",     "s_client",
                "-connect",    fmt::format("127.0.0.1:{}", port),
                "-servername", "edge1.contoso.example",
                "-showcerts",  "-ign_eof",
                "-cipher",     "ALL:@SECLEVEL=0",
                "-CAfile",     pki / "root.crt"};
    static const std::map<TlsVersion, std::string> names{{TlsVersion::tls_1_0, "TLSv1"},
                                                         {TlsVersion::tls_1_1, "TLSv1.1"},
                                                         {TlsVersion::tls_1_2, "TLSv1.2"},
                                                         {TlsVersion::tls_1_3, "TLSv1.3"}};
    words.insert(words.end(),
                 {"-min_protocol", names.at(row.versions.min), "-max_protocol", names.at(row.versions.max)});
    if (!row.client.empty())
      words.insert(words.end(), {"-cert", pki / (row.client + ".crt"), "-key", pki / (row.client + ".key")});
    if (!row.client.empty() && row.sends_chain) words.insert(words.end(), {"-cert_chain", pki / "issuing.crt"});
    const test::Ended ended = test::run({words, {}, "GET / HTTP/1.0\r\n\r\n"});
    return ended.out + ended.err;
  }

  CertificatePool pool_;
};

std::string match_of(const std::string& text, const char* pattern) {
  std::smatch found;
  return std::regex_search(text, found, std::regex(pattern)) ? found[1].str() : "";
}

TEST_P(Matrix, AgreesWithSClientAndTheServersLog) {
  const MatrixRow& row = GetParam();
  const MatrixPki& pki = MatrixPki::get();
  Words arguments{"-cert",      pki / (row.server + ".crt"),
                  "-key",       pki / (row.server + ".key"),
                  "-CAfile",    pki / row.trusted,
                  "-no-CApath", "-no-CAstore",
                  "-state",     "-www"};
  if (!row.chain.empty()) arguments.insert(arguments.end(), {"-cert_chain", pki / row.chain});
  if (std::find(row.more.begin(), row.more.end(), "-cipher") == row.more.end())
    arguments.insert(arguments.end(), {"-cipher", "ALL:@SECLEVEL=0"});
  arguments.insert(arguments.end(), row.more.begin(), row.more.end());
  SServer server(arguments);
  const Handshake record = record_of(server.port());
  const std::string client = client_output(server.port());
  const std::string log = server.last_words();
  const std::string both = "---- s_client\n" + client + "\n---- s_server\n" + log;

  // Version and cipher suite. Up to TLS 1.2, "New, ..." names the version that the suite came with.
  std::string version = match_of(client, "\n\\s+Protocol\\s+: (TLSv[0-9.]+)");
  if (client.find("New, TLSv1.3") != std::string::npos) version = "TLSv1.3";
  const std::string cipher = match_of(client, "New, TLSv[0-9.]+, Cipher is ([A-Z0-9_a-z-]+)\n");
  if (!cipher.empty()) {
    EXPECT_EQ(record.tls_version, version) << both;
    const auto own = pki.ciphers().find(record.cipher);
    ASSERT_NE(own, pki.ciphers().end()) << record.cipher;
    EXPECT_EQ(own->second, cipher) << both;
  }

  // The certificates, in their order.
  const auto shown =
      x509::scan_certificates(as_bytes(std::string_view{client}.substr(0, client.find("HTTP/1.0 200")))).certificates;
  ASSERT_FALSE(shown.empty()) << both;
  ASSERT_EQ(record.peer_chain.size(), shown.size()) << both;
  for (std::size_t i = 0; i < record.peer_chain.size(); ++i) EXPECT_EQ(record.peer_chain[i]->der, shown[i].der) << i;

  // Who is accepted as an issuer.
  std::size_t names = 0;
  if (const std::size_t at = client.find("Acceptable client certificate CA names\n"); at != std::string::npos) {
    std::istringstream lines(client.substr(at));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line) && line.find(" = ") != std::string::npos) ++names;
  }
  EXPECT_EQ(record.accepted_issuer_count, names) << both;
  EXPECT_EQ(record.accepted_issuers.size(), names);
  const bool asked = client.find("Requested Signature Algorithms") != std::string::npos ||
                     client.find("Client Certificate Types") != std::string::npos;
  EXPECT_EQ(record.client_certificate_requested, asked) << both;

  // What TLS 1.2 and before has besides.
  if (!cipher.empty() && version != "TLSv1.3") {
    EXPECT_EQ(record.secure_renegotiation, client.find("Secure Renegotiation IS supported") != std::string::npos);
    EXPECT_EQ(record.session_ticket, client.find("TLS session ticket:") != std::string::npos) << both;
  } else if (!cipher.empty()) {
    EXPECT_EQ(record.secure_renegotiation, std::nullopt);
    EXPECT_EQ(record.session_ticket, std::nullopt);
  }

  // Whether we are let in, and the alert if not.
  const std::string alert = match_of(client, "SSL alert number ([0-9]+)");
  const bool let_in = client.find("HTTP/1.0 200") != std::string::npos;
  EXPECT_EQ(record.accepted(), let_in) << record.detail << "\n" << both;
  EXPECT_EQ(let_in, alert.empty()) << both;
  EXPECT_EQ(log.find("alert write:fatal") == std::string::npos, let_in) << both;
  if (!alert.empty()) {
    ASSERT_FALSE(record.alerts_received.empty()) << record.detail << both;
    EXPECT_EQ(std::to_string(record.alerts_received.back().description), alert) << both;
    EXPECT_EQ(to_string(record.outcome), to_string(Outcome::rejected_by_peer));
  }
}

constexpr TlsRange only(TlsVersion version) {
  return {version, version};
}
constexpr TlsRange tls12 = only(TlsVersion::tls_1_2);
constexpr TlsRange tls13 = only(TlsVersion::tls_1_3);

MatrixRow row(const char* name, const std::function<void(MatrixRow&)>& change) {
  MatrixRow made{name};
  change(made);
  return made;
}
MatrixRow with_server(const char* name, const std::string& server) {
  return row(name, [&](MatrixRow& r) { r.server = server; });
}
MatrixRow with_more(const char* name, Words more, bool verify = true) {
  return row(name, [&](MatrixRow& r) {
    if (!verify) r.more.clear();
    r.more.insert(r.more.end(), more.begin(), more.end());
  });
}
MatrixRow with_client(const char* name, const std::string& client, TlsRange versions, bool chain = true) {
  return row(name, [&](MatrixRow& r) {
    r.client = client;
    r.versions = versions;
    r.sends_chain = chain;
  });
}
MatrixRow with_chain(const char* name, const std::string& chain) {
  return row(name, [&](MatrixRow& r) { r.chain = chain; });
}

INSTANTIATE_TEST_SUITE_P(
    SServer, Matrix,
    testing::Values(row("Tls10", [](MatrixRow& r) { r.versions = only(TlsVersion::tls_1_0); }),
                    row("Tls11", [](MatrixRow& r) { r.versions = only(TlsVersion::tls_1_1); }),
                    row("Tls12", [](MatrixRow& r) { r.versions = tls12; }),
                    row("Tls13", [](MatrixRow& r) { r.versions = tls13; }),
                    with_more("ServerUpTo11", {"-no_tls1_2", "-no_tls1_3"}), with_more("ServerUpTo12", {"-no_tls1_3"}),
                    with_more("AsksForNothing", {}, false), with_more("AsksAndTakesNone", {"-verify", "3"}, false),
                    with_more("AsksAndLooksAtNothing", {"-Verify", "3"}, false), with_client("Nobody12", "", tls12),
                    with_client("Nobody13", "", tls13), with_client("Foreign12", "foreign", tls12, false),
                    with_client("Foreign13", "foreign", tls13, false), with_client("Expired12", "expired", tls12),
                    with_client("Expired13", "expired", tls13), with_client("NotYet13", "future", tls13),
                    with_client("WithoutIntermediate12", "fe1", tls12, false),
                    with_client("WithoutIntermediate13", "fe1", tls13, false),
                    with_client("Rsa4096Client", "rsa4096", tls13), with_client("Ed25519Client", "ed25519", tls12),
                    with_client("PssClient", "pss", tls13),
                    row("NamesakeRoot", [](MatrixRow& r) { r.trusted = "namesake.crt"; }), with_chain("LeafOnly", ""),
                    with_chain("WholeChain", "whole.pem"), with_chain("ReversedChain", "reversed.pem"),
                    with_chain("WrongChain", "other.crt"), with_chain("StaleChain", "stale-issuing.crt"),
                    with_server("Rsa1024", "rsa1024"), with_server("Rsa2048", "rsa2048"),
                    with_server("Rsa4096", "rsa4096"), with_server("P384", "p384"), with_server("Ed25519", "ed25519"),
                    with_server("Pss", "pss"), with_server("Sha1", "sha1"), with_server("Expired", "expired"),
                    with_server("NotYetValid", "future"), with_server("AnotherName", "elsewhere"),
                    row("MoreNamesThanWindowsSends",
                        [](MatrixRow& r) {
                          r.more = {"-Verify", "3"};
                          r.trusted = "many.pem";
                        }),
                    row("RsaKeyExchange",
                        [](MatrixRow& r) {
                          r.server = "rsa2048";
                          r.more.insert(r.more.end(), {"-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"});
                        }),
                    with_more("AnotherGroup", {"-groups", "P-521"}), with_more("NoTickets", {"-no_ticket", "-tls1_2"})),
    [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace mrascheck::sources

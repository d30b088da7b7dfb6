// SPDX-License-Identifier: Apache-2.0
// Servers that others wrote, in the shapes in which they are met: what our record says of a connection is what the
// server's own log says of it, and what openssl s_client and gnutls-cli print of theirs to the same server. And a
// rehearsal in memory of the same certificates comes to the verdict that the real handshake came to.
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/verdicts.hpp"
#include "core/handshake.hpp"
#include "core/text.hpp"
#include "json/base64.hpp"
#include "support/openssl_cli.hpp"
#include "support/program.hpp"
#include "support/raw_peer.hpp"
#include "support/recording.hpp"
#include "support/s_server.hpp"
#include "support/tls_daemon.hpp"

namespace mrascheck::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;
using Verdicts = std::set<std::string>;

constexpr const char* front_end = "fe1.contoso.example";
constexpr const char* the_edge = "edge1.contoso.example";
constexpr const char* ec = "ec -pkeyopt ec_paramgen_curve:P-256";
constexpr int most_names = 400;

/// Certificates made by openssl, once for all rows.
class PeerPki {
 public:
  PeerPki() {
    openssl_.self_signed("root", "/CN=Contoso Root CA", ca_extensions);
    openssl_.self_signed("root-rsa", "/CN=Contoso RSA Root CA", ca_extensions, "rsa:2048");
    openssl_.self_signed("twin", "/CN=Contoso Root CA", ca_extensions);
    openssl_.self_signed("fabrikam", "/CN=Fabrikam Root CA", ca_extensions);
    const std::string intermediate = std::string(ca_extensions) + "authorityKeyIdentifier=keyid\n";
    openssl_.issued("issuing", "/CN=Contoso Issuing CA", "root", intermediate);
    openssl_.issued("stale", "/CN=Contoso Issuing CA", "root", intermediate);
    pair("", "root");
    pair("-below", "issuing");
    pair("-1024", "root", "rsa:1024");
    pair("-2048", "root", "rsa:2048");
    pair("-4096", "root", "rsa:4096");
    pair("-p384", "root", "ec -pkeyopt ec_paramgen_curve:P-384");
    pair("-ed25519", "root", "ed25519");
    pair("-sha1", "root-rsa", ec, "-sha1");
    pair("-pss", "root-rsa", ec, "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1");
    pair("-psskey", "root", "rsa-pss -pkeyopt rsa_keygen_bits:2048");
    pair("-expired", "root", ec, "-days -1");
    pair("-foreign", "fabrikam");
    leaf("fe-twin", front_end, "twin", ec, "");
    leaf("edge-named", "edge9.contoso.example", "root", ec, "");
    openssl_.dir().write(
        "ca.cnf",
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nrand_serial=yes\nnew_certs_dir=.\nunique_subject="
        "no\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n");
    openssl_.shell(": >index.txt");
    for (const std::string side : {"fe", "edge"}) {
      openssl_.shell(
          fmt::format("cp {0}.key {0}-early.key && openssl ca -batch -notext -config ca.cnf -cert root.crt "
                      "-keyfile root.key -in {0}.csr -out {0}-early.crt -startdate 20900101000000Z -enddate "
                      "20910101000000Z -extfile {0}.cnf -extensions ext",
                      side));
    }
    openssl_.shell("cat root.crt root-rsa.crt >roots.crt; cat root.crt issuing.crt >reversed.crt; mkfifo silence");
    write_many_names();
    for (const auto& [own, iana] : ciphers()) names_[own] = iana;
  }

  std::string file(const std::string& name) const { return openssl_.dir() / name; }
  const OpensslCli& openssl() const { return openssl_; }
  /// What TLS calls what OpenSSL calls so.
  std::string iana(const std::string& openssl_name) const {
    const auto found = names_.find(openssl_name);
    return found == names_.end() ? openssl_name : found->second;
  }

 private:
  void leaf(const std::string& name, const std::string& host, const std::string& issuer, const std::string& key,
            const std::string& more) const {
    openssl_.issued(
        name, "/CN=" + host, issuer,
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,"
        "clientAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nsubjectAltName=DNS:" +
            host + "\n",
        key, more);
  }
  void pair(const std::string& suffix, const std::string& issuer, const std::string& key = ec,
            const std::string& more = {}) const {
    leaf("fe" + suffix, front_end, issuer, key, more);
    leaf("edge" + suffix, the_edge, issuer, key, more);
  }

  /// roots.crt, and so many certificates with names of their own that the list of them is longer than Windows' longest:
  /// one that openssl made, with another number in it each time. Nobody verifies the signature of a trust anchor.
  void write_many_names() const {
    openssl_.self_signed("name", "/O=Contoso Subsidiary/CN=Contoso CA 000 of many", ca_extensions);
    const std::string one{as_text(openssl_.der("name"))};
    std::string all = openssl_.dir().read("roots.crt");
    for (int i = 2; i < most_names; ++i) {
      std::string der = one;
      for (std::size_t at = der.find("CA 000"); at != std::string::npos; at = der.find("CA 000"))
        der.replace(at + 3, 3, fmt::format("{:03}", i));
      const std::string base64 = json::to_base64(as_bytes(der));
      all += "-----BEGIN CERTIFICATE-----\n";
      for (std::size_t at = 0; at < base64.size(); at += 64) all += base64.substr(at, 64) + "\n";
      all += "-----END CERTIFICATE-----\n";
    }
    openssl_.dir().write("many.crt", all);
  }

  std::map<std::string, std::string> ciphers() const {
    std::map<std::string, std::string> found;
    const std::string text = openssl_.shell("openssl ciphers -stdname ALL:@SECLEVEL=0");
    static const std::regex line{"(TLS_\\S+) +- (\\S+)"};
    for (std::sregex_iterator at{text.begin(), text.end(), line}, end; at != end; ++at)
      found[(*at)[2].str()] = (*at)[1].str();
    return found;
  }

  OpensslCli openssl_;
  std::map<std::string, std::string> names_;
};

const PeerPki& peer_pki() {
  static const PeerPki pki;
  return pki;
}

enum class Kind { s_server, gnutls_serv, nginx, stunnel };

struct Row {
  const char* name;
  Kind kind;
  const char* edge;         ///< NAME.crt and NAME.key
  const char* edge_chain;   ///< NAME.crt, sent behind it; nullptr: nothing
  const char* edge_trusts;  ///< NAME.crt
  const char* fe;
  const char* fe_chain;
  Words server;         ///< options, or lines of its configuration
  const char* version;  ///< of TLS
  int names;            ///< of issuers that are asked for; -1: no certificate is asked for
  Verdicts verdict;
  std::optional<Verdicts> rehearsed = {};  ///< where it is another: the row says why
};

/// What somebody said of one connection. Empty or nothing: he did not say.
struct Account {
  std::string version;
  std::string cipher;
  std::optional<int> alert;     ///< that the server sent
  std::optional<int> names;     ///< of issuers; -1: no certificate was asked for
  std::optional<bool> trusted;  ///< the server's certificate
};

struct Outcomes {
  Handshake ours;
  std::string printed;  ///< the report on it
  Verdicts verdict;
  Verdicts rehearsed;
  std::string rehearsal;  ///< the report on that
  std::string log;        ///< the server's, of our connection
  std::string s_client;
  std::string gnutls_cli;
};

/// The configuration of the row; the Edge listens at `port` of 127.0.0.1.
std::string site_of(const Row& row, int port) {
  const auto server = [](const char* name, const char* role, const char* identity, const char* chain,
                         const char* store) {
    return fmt::format(
        "  - name: {}\n    role: {}\n    addresses: [127.0.0.1]\n    certificate: {}.crt\n    key: {}.key\n"
        "    trusts: [{}]\n{}",
        name, role, identity, identity, store, chain == nullptr ? "" : fmt::format("    chain: {}.crt\n", chain));
  };
  return fmt::format(
             "site: contoso\nlimits: {{quiet: 500ms, step: 20s}}\nstores:\n  - {{name: of-fe, file: roots.crt}}\n"
             "  - {{name: of-edge, file: {}.crt}}\nservers:\n",
             row.edge_trusts) +
         server(front_end, "front-end", row.fe, row.fe_chain, "of-fe") +
         server(the_edge, "edge", row.edge, row.edge_chain, "of-edge") +
         fmt::format("links:\n  - {{from: {}, to: {}, port: {}, service: {}, tls: {{min: 1.0, max: 1.3}}}}\n",
                     front_end, the_edge, port, row.kind == Kind::gnutls_serv ? "tls" : "sip");
}

constexpr const char* goodbye = "OPTIONS sip:bye SIP/2.0\r\nContent-Length: 0\r\n\r\n";

std::string answer(const std::string& request) {
  return request.starts_with("OPTIONS sip:bye") ? SServer::hang_up : sip_answer(request, "200 OK");
}

/// A server of the row, by whatever program.
class Peer {
 public:
  explicit Peer(const Row& row) : trace_(peer_pki().file(std::string(row.name) + ".trace")) {
    const PeerPki& pki = peer_pki();
    const auto file = [&](const char* name, const char* suffix) { return pki.file(std::string(name) + suffix); };
    TlsDaemon::Identity identity{file(row.edge, ".crt"), file(row.edge, ".key"), file(row.edge_trusts, ".crt")};
    std::string rules;
    for (const std::string& word : row.server) rules += word + "\n";
    switch (row.kind) {
      case Kind::s_server: {
        // What these products do not ask for, and OpenSSL does by default: a use for clients, strong keys.
        Words words{"-cert",
                    identity.certificate,
                    "-key",
                    identity.key,
                    "-no-CAfile",
                    "-no-CApath",
                    "-no-CAstore",
                    "-purpose",
                    "any",
                    "-cipher",
                    "ALL:@SECLEVEL=0",
                    "-trace",
                    "-msgfile",
                    trace_};
        // What it names to its clients is -CAfile's.
        words.insert(words.end(), {row.names == 0 ? "-verifyCAfile" : "-CAfile", identity.client_ca});
        if (row.edge_chain != nullptr) words.insert(words.end(), {"-cert_chain", file(row.edge_chain, ".crt")});
        words.insert(words.end(), row.server.begin(), row.server.end());
        s_server_ = std::make_unique<SServer>(words, answer);
        break;
      }
      case Kind::gnutls_serv:
        daemon_ = std::make_unique<TlsDaemon>(TlsDaemon::GnutlsServ{identity, row.server});
        break;
      case Kind::nginx:
        daemon_ = std::make_unique<TlsDaemon>(TlsDaemon::Nginx{identity, rules});
        break;
      case Kind::stunnel:
        backend_ = std::make_unique<RawPeer>([](RawPeer::Talk& talk) {
          std::string heard;
          while (heard.find("\r\n\r\n") == std::string::npos) {
            const std::string more = talk.receive();
            if (more.empty()) return;
            heard += more;
          }
          if (heard.starts_with("OPTIONS sip:bye")) return;
          talk.send(sip_answer(heard, "200 OK"));
          talk.stay_silent();
        });
        daemon_ = std::make_unique<TlsDaemon>(TlsDaemon::Stunnel{identity, rules, backend_->port()});
        break;
    }
  }

  int port() const { return s_server_ ? s_server_->port() : daemon_->port(); }
  /// What it wrote of the first connection, when others have come after it: s_server writes by the buffer.
  std::string log_of_the_first() {
    if (!s_server_) return daemon_->last_words();
    s_server_->last_words();
    std::ifstream file(trace_);
    const std::string all{std::istreambuf_iterator<char>(file), {}};
    const std::string sign = "ClientHello, Length";
    return all.substr(0, all.find(sign, all.find(sign) + 1));
  }

 private:
  std::string trace_;                 // where s_server writes what it sees
  std::unique_ptr<RawPeer> backend_;  // outlives the one who connects to it
  std::unique_ptr<SServer> s_server_;
  std::unique_ptr<TlsDaemon> daemon_;
};

Ended s_client(const Row& row, int port) {
  const PeerPki& pki = peer_pki();
  Words words{"openssl",
              "s_client",
              "-connect",
              fmt::format("127.0.0.1:{}", port),
              "-servername",
              the_edge,
              "-ign_eof",
              "-min_protocol",
              "TLSv1",
              "-cipher",
              "DEFAULT:!aNULL:@SECLEVEL=0",
              "-CAfile",
              pki.file("roots.crt"),
              "-no-CApath",
              "-no-CAstore",
              "-purpose",
              "sslserver",
              "-verify_hostname",
              the_edge,
              "-cert",
              pki.file(std::string(row.fe) + ".crt"),
              "-key",
              pki.file(std::string(row.fe) + ".key")};
  if (row.fe_chain != nullptr) words.insert(words.end(), {"-cert_chain", pki.file(std::string(row.fe_chain) + ".crt")});
  Ended ended = run({words, {{"OPENSSL_CONF", "/dev/null"}}, goodbye});
  ended.out += ended.err;
  return ended;
}

/// It leaves when its standard input ends: so that stays open.
Ended gnutls_cli(const Row& row, int port) {
  const PeerPki& pki = peer_pki();
  std::string sent = pki.openssl().dir().read(std::string(row.fe) + ".crt");
  if (row.fe_chain != nullptr) sent += pki.openssl().dir().read(std::string(row.fe_chain) + ".crt");
  const std::string chain = pki.openssl().dir().write(std::string(row.name) + ".sent.crt", sent);
  const std::string input = pki.file(std::string(row.name) + ".fifo");
  ::mkfifo(input.c_str(), 0600);
  const std::string command = fmt::format(
      "exec 3<>{0}; printf '{1}' >&3; exec gnutls-cli --port {2} --insecure --verify-hostname {3} --sni-hostname {3} "
      "--x509cafile {4} --x509certfile {5} --x509keyfile {6} --priority "
      "NORMAL:+VERS-TLS1.0:+VERS-TLS1.1:+SIGN-RSA-SHA1 "
      "127.0.0.1 <&3 2>&1",
      input, "OPTIONS sip:bye SIP/2.0\\r\\nContent-Length: 0\\r\\n\\r\\n", port, the_edge, pki.file("roots.crt"), chain,
      pki.file(std::string(row.fe) + ".key"));
  return run({{"/bin/sh", "-c", command}, {}, {}});
}

std::string group(const std::string& text, const std::string& pattern) {
  std::smatch found;
  return std::regex_search(text, found, std::regex(pattern)) ? found[1].str() : std::string{};
}

std::optional<int> number(const std::string& text, const std::string& pattern) {
  const std::string found = group(text, pattern);
  return found.empty() ? std::nullopt : std::optional<int>{std::stoi(found)};
}

int count_of(const std::string& text, std::string_view words) {
  int seen = 0;
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++seen;
  return seen;
}

/// Between the first `from` and the next `to` behind it, or the end.
std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t begin = text.find(from);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find(to, begin + from.size()) - begin);
}

Outcomes look_at(const Row& row) {
  const PeerPki& pki = peer_pki();
  Outcomes seen;
  Peer peer(row);
  const std::string config = pki.openssl().dir().write(std::string(row.name) + ".yaml", site_of(row, peer.port()));
  const std::string recording = pki.file(std::string(row.name) + ".json");
  const Ended check =
      mrascheck({"check", "-c", config, "--only", "handshake", "--format", "json", "--record", recording});
  EXPECT_EQ(check.err, "");
  seen.printed = check.out;
  seen.verdict = verdicts(check.out, front_end, the_edge);
  const Evidence evidence = test::recording(recording);
  if (evidence.handshakes.size() == 1) seen.ours = evidence.handshakes.front();
  seen.s_client = s_client(row, peer.port()).out;
  seen.gnutls_cli = gnutls_cli(row, peer.port()).out;
  seen.log = peer.log_of_the_first();
  const Ended rehearsed = mrascheck({"rehearse", "-c", config, "--only", "handshake", "--format", "json"});
  EXPECT_EQ(rehearsed.err, "");
  seen.rehearsal = rehearsed.out;
  seen.rehearsed = verdicts(rehearsed.out, front_end, the_edge);
  return seen;
}

Account account_of(const Handshake& handshake) {
  Account told{handshake.tls_version, handshake.cipher, std::nullopt, -1, true};
  for (const Alert& alert : handshake.alerts_received) {
    if (alert.fatal) told.alert = alert.description;
  }
  if (handshake.client_certificate_requested) told.names = static_cast<int>(handshake.accepted_issuer_count);
  return told;
}

/// From what openssl's -trace says of the messages.
Account trace_of(const std::string& log) {
  Account told;
  const std::string hello = between(log, "ServerHello, Length", "\n\n");
  told.version = hello.find("TLS 1.3 (772)") != std::string::npos
                     ? "TLSv1.3"
                     : "TLSv" + group(hello, "server_version=\\S+ \\(TLS ([0-9.]+)\\)");
  if (told.version == "TLSv1.0") told.version = "TLSv1";
  told.cipher = group(hello, "cipher_suite \\{[^}]*\\} (\\S+)");
  const std::string request = between(log, "CertificateRequest, Length", "\n\n");
  told.names = request.empty() ? -1 : count_of(request, "DistinguishedName (len=");
  if (told.version == "TLSv1.3" && !request.empty()) told.names.reset();  // shown in hexadecimal
  const std::size_t at = log.find("Level=fatal");
  if (at != std::string::npos && log.rfind("Sent Record", at) > log.rfind("Received Record", at) + 1)
    told.alert = number(log.substr(at), "description=[^\\n]*\\(([0-9]+)\\)");
  return told;
}

Account s_client_of(const std::string& text) {
  Account told;
  told.version = group(text, "Protocol *: (\\S+)");
  if (told.version.empty() && text.find("New, TLSv1.3,") != std::string::npos) told.version = "TLSv1.3";
  const std::string cipher = group(text, "Cipher is (\\S+)");
  if (cipher != "(NONE)") told.cipher = peer_pki().iana(cipher);
  told.alert = number(text, "SSL alert number ([0-9]+)");
  const std::string names = between(text, "Acceptable client certificate CA names\n", "\nClient Certificate Types");
  const std::string until = names.substr(0, names.find("\nRequested Signature"));
  if (!names.empty()) told.names = count_of(until, "\n");
  // It says that there were no names also where no certificate was asked for.
  if (text.find("No client certificate CA names sent") != std::string::npos)
    told.names = text.find("\nRequested Signature Algorithms:") == std::string::npos ? -1 : 0;
  if (text.find("Verification: OK") != std::string::npos) told.trusted = true;
  if (text.find("Verification error:") != std::string::npos) told.trusted = false;
  return told;
}

Account gnutls_of(const std::string& text) {
  Account told;
  const std::string version = group(text, "- Description: \\(TLS([0-9.]+)");
  if (!version.empty()) told.version = version == "1.0" ? "TLSv1" : "TLSv" + version;
  told.alert = number(text, "\\*\\*\\* Received alert \\[([0-9]+)\\]");
  const std::string names = between(text, "- Server's trusted authorities:", "\n- ");
  if (!names.empty()) told.names = count_of(names, "]: ");
  if (text.find("- Status: The certificate is trusted.") != std::string::npos) told.trusted = true;
  if (text.find("- Status: The certificate is NOT trusted.") != std::string::npos) told.trusted = false;
  return told;
}

void compare(const Account& ours, const Account& theirs, const char* whose, const std::string& said) {
  SCOPED_TRACE(whose);
  if (!theirs.version.empty()) EXPECT_EQ(ours.version, theirs.version) << said;
  EXPECT_TRUE(!theirs.version.empty() || theirs.alert) << said;
  if (!theirs.cipher.empty()) EXPECT_EQ(ours.cipher, theirs.cipher) << said;
  EXPECT_EQ(ours.alert, theirs.alert) << said;
  if (theirs.names) EXPECT_EQ(ours.names, theirs.names) << said;
  if (theirs.trusted) EXPECT_EQ(ours.trusted, theirs.trusted) << said;
}

Verdicts none() {
  return {};
}
Verdicts server(const std::string& alert) {
  return {"server: " + alert};
}
Verdicts client() {
  return {"client"};
}

const Words must12{"-tls1_2", "-Verify", "3", "-verify_return_error"};
const Words must13{"-tls1_3", "-Verify", "3", "-verify_return_error"};

const std::vector<Row>& rows() {
  constexpr Kind s = Kind::s_server;
  const std::string ssl12 = "ssl_protocols TLSv1.2;";
  const std::string ssl13 = "ssl_protocols TLSv1.3;";
  const Words gnutls12{"--http", "--require-client-cert", "--verify-client-cert", "--priority",
                       "NORMAL:-VERS-ALL:+VERS-TLS1.2"};
  const Words gnutls13{"--http", "--require-client-cert", "--verify-client-cert", "--priority",
                       "NORMAL:-VERS-ALL:+VERS-TLS1.3"};
  const Words stunnel12{"verifyChain = yes", "sslVersion = TLSv1.2"};
  const Words stunnel13{"verifyChain = yes", "sslVersion = TLSv1.3"};
  static const std::vector<Row> all{
      {"Tls10",
       s,
       "edge",
       nullptr,
       "root",
       "fe",
       nullptr,
       {"-tls1", "-Verify", "3", "-verify_return_error"},
       "TLSv1",
       1,
       none()},
      {"Tls11",
       s,
       "edge",
       nullptr,
       "root",
       "fe",
       nullptr,
       {"-tls1_1", "-Verify", "3", "-verify_return_error"},
       "TLSv1.1",
       1,
       none()},
      {"Tls12", s, "edge", nullptr, "root", "fe", nullptr, must12, "TLSv1.2", 1, none()},
      {"Tls13", s, "edge", nullptr, "root", "fe", nullptr, must13, "TLSv1.3", 1, none()},
      {"NotAsked12", s, "edge", nullptr, "root", "fe", nullptr, {"-tls1_2"}, "TLSv1.2", -1, none()},
      {"NotAsked13", s, "edge", nullptr, "root", "fe", nullptr, {"-tls1_3"}, "TLSv1.3", -1, none()},
      {"Optional12",
       s,
       "edge",
       nullptr,
       "root",
       "fe",
       nullptr,
       {"-tls1_2", "-verify", "3", "-verify_return_error"},
       "TLSv1.2",
       1,
       none()},
      {"Optional13",
       s,
       "edge",
       nullptr,
       "root",
       "fe",
       nullptr,
       {"-tls1_3", "-verify", "3", "-verify_return_error"},
       "TLSv1.3",
       1,
       none()},
      // A server that does not look is no server of these products: a rehearsal has none such.
      {"NotLookedAt",
       s,
       "edge",
       nullptr,
       "root",
       "fe-foreign",
       nullptr,
       {"-tls1_2", "-Verify", "3"},
       "TLSv1.2",
       1,
       none(),
       server("unknown_ca")},
      {"NoListOfIssuers12", s, "edge", nullptr, "root", "fe", nullptr, must12, "TLSv1.2", 0, none()},
      {"NoListOfIssuers13", s, "edge", nullptr, "root", "fe", nullptr, must13, "TLSv1.3", 0, none()},
      {"ManyIssuers12", s, "edge", nullptr, "many", "fe", nullptr, must12, "TLSv1.2", most_names, none()},
      {"ManyIssuers13", s, "edge", nullptr, "many", "fe", nullptr, must13, "TLSv1.3", most_names, none()},
      {"EdgeChainSent", s, "edge-below", "issuing", "root", "fe", nullptr, must12, "TLSv1.2", 1, none()},
      {"EdgeChainMissing", s, "edge-below", nullptr, "root", "fe", nullptr, must12, "TLSv1.2", 1, client()},
      {"EdgeChainWrong", s, "edge-below", "fabrikam", "root", "fe", nullptr, must12, "TLSv1.2", 1, client()},
      {"EdgeChainStale", s, "edge-below", "stale", "root", "fe", nullptr, must12, "TLSv1.2", 1, client()},
      {"EdgeChainReversed", s, "edge-below", "reversed", "root", "fe", nullptr, must12, "TLSv1.2", 1, none()},
      {"OwnChainSent", s, "edge", nullptr, "root", "fe-below", "issuing", must13, "TLSv1.3", 1, none()},
      {"OwnChainMissing", s, "edge", nullptr, "root", "fe-below", nullptr, must12, "TLSv1.2", 1, server("unknown_ca")},
      {"OwnChainWrong", s, "edge", nullptr, "root", "fe-below", "fabrikam", must12, "TLSv1.2", 1, server("unknown_ca")},
      {"OwnChainStale", s, "edge", nullptr, "root", "fe-below", "stale", must12, "TLSv1.2", 1, server("unknown_ca")},
      {"OwnChainStale13", s, "edge", nullptr, "root", "fe-below", "stale", must13, "TLSv1.3", 1, server("unknown_ca")},
      {"OwnChainReversed", s, "edge", nullptr, "root", "fe-below", "reversed", must12, "TLSv1.2", 1, none()},
      {"Rsa1024", s, "edge-1024", nullptr, "root", "fe-1024", nullptr, must12, "TLSv1.2", 1, none()},
      {"Rsa2048", s, "edge-2048", nullptr, "root", "fe-2048", nullptr, must12, "TLSv1.2", 1, none()},
      {"Rsa4096", s, "edge-4096", nullptr, "root", "fe-4096", nullptr, must13, "TLSv1.3", 1, none()},
      {"P384", s, "edge-p384", nullptr, "root", "fe-p384", nullptr, must12, "TLSv1.2", 1, none()},
      {"Ed25519Tls12", s, "edge-ed25519", nullptr, "root", "fe-ed25519", nullptr, must12, "TLSv1.2", 1, none()},
      {"Ed25519Tls13", s, "edge-ed25519", nullptr, "root", "fe-ed25519", nullptr, must13, "TLSv1.3", 1, none()},
      {"Sha1", s, "edge-sha1", nullptr, "roots", "fe-sha1", nullptr, must12, "TLSv1.2", 2, none()},
      {"SignedWithPss12", s, "edge-pss", nullptr, "roots", "fe-pss", nullptr, must12, "TLSv1.2", 2, none()},
      {"SignedWithPss13", s, "edge-pss", nullptr, "roots", "fe-pss", nullptr, must13, "TLSv1.3", 2, none()},
      {"KeyForPssAlone", s, "edge-psskey", nullptr, "root", "fe-psskey", nullptr, must12, "TLSv1.2", 1, none()},
      {"EdgeExpired", s, "edge-expired", nullptr, "root", "fe", nullptr, must12, "TLSv1.2", 1, client()},
      {"EdgeNotYetValid", s, "edge-early", nullptr, "root", "fe", nullptr, must13, "TLSv1.3", 1, client()},
      {"EdgeOfAnotherName", s, "edge-named", nullptr, "root", "fe", nullptr, must12, "TLSv1.2", 1, client()},
      {"EdgeOfAnotherCa", s, "edge-foreign", nullptr, "root", "fe", nullptr, must13, "TLSv1.3", 1, client()},
      {"OwnExpired12", s, "edge", nullptr, "root", "fe-expired", nullptr, must12, "TLSv1.2", 1,
       server("certificate_expired")},
      {"OwnExpired13", s, "edge", nullptr, "root", "fe-expired", nullptr, must13, "TLSv1.3", 1,
       server("certificate_expired")},
      {"OwnNotYetValid", s, "edge", nullptr, "root", "fe-early", nullptr, must12, "TLSv1.2", 1,
       server("bad_certificate")},
      {"OwnOfAnotherCa", s, "edge", nullptr, "root", "fe-foreign", nullptr, must13, "TLSv1.3", 1, server("unknown_ca")},
      {"EdgeTrustsTheTwin", s, "edge", nullptr, "twin", "fe", nullptr, must12, "TLSv1.2", 1, server("unknown_ca")},
      {"OwnOfTheTwin", s, "edge", nullptr, "root", "fe-twin", nullptr, must13, "TLSv1.3", 1, server("unknown_ca")},
      {"BothAreWrong", s, "edge-expired", nullptr, "root", "fe-foreign", nullptr, must12, "TLSv1.2", 1,
       server("unknown_ca")},
      // There the server refuses when the client is through, which has refused by then; rehearsed is TLS 1.2.
      {"BothAreWrong13", s, "edge-expired", nullptr, "root", "fe-foreign", nullptr, must13, "TLSv1.3", 1, client(),
       server("unknown_ca")},

      // What is no error of a chain to gnutls-serv is no reason of TLS either: whom it does not trust has no access.
      {"GnutlsAccepts12", Kind::gnutls_serv, "edge", nullptr, "root", "fe", nullptr, gnutls12, "TLSv1.2", 1, none()},
      {"GnutlsAccepts13", Kind::gnutls_serv, "edge", nullptr, "root", "fe", nullptr, gnutls13, "TLSv1.3", 1, none()},
      {"GnutlsRefuses12", Kind::gnutls_serv, "edge", nullptr, "root", "fe-foreign", nullptr, gnutls12, "TLSv1.2", 1,
       server("access_denied"), server("unknown_ca")},
      {"GnutlsRefuses13", Kind::gnutls_serv, "edge", nullptr, "root", "fe-foreign", nullptr, gnutls13, "TLSv1.3", 1,
       server("access_denied"), server("unknown_ca")},

      // nginx lets everybody through TLS, and says no in HTTP: that is what our record has of it.
      {"NginxAccepts12",
       Kind::nginx,
       "edge",
       nullptr,
       "root",
       "fe",
       nullptr,
       {ssl12, "ssl_verify_client on;"},
       "TLSv1.2",
       1,
       none()},
      {"NginxAccepts13",
       Kind::nginx,
       "edge",
       nullptr,
       "root",
       "fe",
       nullptr,
       {ssl13, "ssl_verify_client on;"},
       "TLSv1.3",
       1,
       none()},
      {"NginxRefuses12",
       Kind::nginx,
       "edge",
       nullptr,
       "root",
       "fe-foreign",
       nullptr,
       {ssl12, "ssl_verify_client on;"},
       "TLSv1.2",
       1,
       none(),
       server("unknown_ca")},
      {"NginxRefuses13",
       Kind::nginx,
       "edge",
       nullptr,
       "root",
       "fe-expired",
       nullptr,
       {ssl13, "ssl_verify_client on;"},
       "TLSv1.3",
       1,
       none(),
       server("certificate_expired")},
      {"NginxDoesNotAsk", Kind::nginx, "edge", nullptr, "root", "fe", nullptr, {ssl12}, "TLSv1.2", -1, none()},

      {"StunnelAccepts12", Kind::stunnel, "edge", nullptr, "root", "fe", nullptr, stunnel12, "TLSv1.2", 1, none()},
      {"StunnelAccepts13", Kind::stunnel, "edge", nullptr, "root", "fe", nullptr, stunnel13, "TLSv1.3", 1, none()},
      {"StunnelRefuses12", Kind::stunnel, "edge", nullptr, "root", "fe-foreign", nullptr, stunnel12, "TLSv1.2", 1,
       server("unknown_ca")},
      {"StunnelRefuses13", Kind::stunnel, "edge", nullptr, "root", "fe-foreign", nullptr, stunnel13, "TLSv1.3", 1,
       server("unknown_ca")},
      {"StunnelRefusesExpired", Kind::stunnel, "edge", nullptr, "root", "fe-expired", nullptr, stunnel13, "TLSv1.3", 1,
       server("certificate_expired")},
  };
  return all;
}

/// All rows, looked at by some threads at once when the first is asked for: they wait more than they compute.
const Outcomes& outcomes_of(const Row& asked) {
  static const std::map<const Row*, Outcomes> all = [] {
    peer_pki();
    std::vector<const Row*> wanted;
    const testing::TestSuite& suite = *testing::UnitTest::GetInstance()->current_test_suite();
    for (int i = 0; i < suite.total_test_count(); ++i) {
      const testing::TestInfo& test = *suite.GetTestInfo(i);
      if (test.should_run() && test.value_param() != nullptr) wanted.push_back(&rows()[static_cast<std::size_t>(i)]);
    }
    std::map<const Row*, Outcomes> seen;
    for (const Row* row : wanted) seen[row];
    std::atomic<std::size_t> next = 0;
    std::vector<std::thread> workers;
    for (int i = 0; i < 4; ++i) {
      workers.emplace_back([&] {
        for (std::size_t at = next++; at < wanted.size(); at = next++) {
          SCOPED_TRACE(wanted[at]->name);
          try {
            seen[wanted[at]] = look_at(*wanted[at]);
          } catch (const std::exception& cause) {
            ADD_FAILURE() << cause.what();
          }
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    return seen;
  }();
  return all.at(&asked);
}

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name;
}

class Peers : public testing::TestWithParam<Row> {};

TEST_P(Peers, AgreeWithOurRecordAndWithARehearsal) {
  std::size_t index = 0;
  while (std::string_view{rows()[index].name} != GetParam().name) ++index;
  const Row& row = rows()[index];
  const Outcomes& seen = outcomes_of(row);
  const Handshake& ours = seen.ours;
  EXPECT_EQ(ours.tls_version, row.version) << seen.printed;
  EXPECT_EQ(ours.client_certificate_requested ? static_cast<int>(ours.accepted_issuer_count) : -1, row.names);
  EXPECT_EQ(ours.certificate_sent, row.names >= 0);
  EXPECT_EQ(seen.verdict, row.verdict) << seen.printed << seen.log;
  EXPECT_EQ(seen.rehearsed, row.rehearsed.value_or(row.verdict));

  if (std::string_view{row.name}.starts_with("BothAreWrong")) {  // who is refused first is not all
    const std::string refused_too = std::string(front_end) + " would refuse it: ";
    EXPECT_THAT(seen.printed, HasSubstr(refused_too));
    EXPECT_THAT(seen.printed, HasSubstr("alert unknown_ca"));
    EXPECT_THAT(seen.rehearsal, HasSubstr(refused_too));
    EXPECT_THAT(seen.rehearsal, HasSubstr("alert unknown_ca"));
  }
  EXPECT_EQ(seen.printed.find("handshake.issuer-list-too-long") != std::string::npos, row.names == most_names);
  Account told = account_of(ours);
  told.trusted = !row.verdict.contains("client") && !std::string_view{row.edge}.ends_with("-expired");
  compare(told, s_client_of(seen.s_client), "openssl s_client", seen.s_client);
  compare(told, gnutls_of(seen.gnutls_cli), "gnutls-cli", seen.gnutls_cli);
  EXPECT_TRUE(s_client_of(seen.s_client).trusted.has_value()) << seen.s_client;
  EXPECT_TRUE(gnutls_of(seen.gnutls_cli).trusted.has_value()) << seen.gnutls_cli;
  told.trusted.reset();
  switch (row.kind) {
    case Kind::s_server: {
      compare(told, trace_of(seen.log), "openssl s_server", seen.log);
      const std::string sent = between(seen.log, "    Certificate, Length", "\n\n");
      EXPECT_EQ(ours.peer_chain.size(), static_cast<std::size_t>(count_of(sent, "ASN.1Cert, length")));
      if (row.names >= 0) {
        const std::size_t first = seen.log.find("    Certificate, Length");
        const std::string received = between(seen.log.substr(first + 1), "    Certificate, Length", "\n\n");
        EXPECT_EQ(ours.sent_chain.size(), static_cast<std::size_t>(count_of(received, "ASN.1Cert, length")))
            << seen.log;
      }
      if (row.names > 0 && ours.tls_version == "TLSv1.3") {
        const auto length = number(seen.log, "certificate_authorities\\(47\\), length=([0-9]+)");
        EXPECT_EQ(ours.accepted_issuer_bytes, static_cast<std::size_t>(length.value_or(0)) - 2);
      }
      break;
    }
    case Kind::gnutls_serv:
      if (row.verdict.empty())
        EXPECT_THAT(seen.log, HasSubstr("- Version: TLS" + ours.tls_version.substr(4)));
      else
        EXPECT_THAT(seen.log, HasSubstr("Error"));
      break;
    case Kind::nginx: {
      const bool refused = row.rehearsed.has_value();
      EXPECT_THAT(seen.log, HasSubstr(fmt::format("tls={} cipher=", ours.tls_version)));
      EXPECT_EQ(peer_pki().iana(group(seen.log, "cipher=(\\S+)")), ours.cipher) << seen.log;
      EXPECT_THAT(seen.log, HasSubstr(refused                   ? "client=FAILED:"
                                      : ours.sent_chain.empty() ? "client=NONE"
                                                                : "client=SUCCESS"));
      if (!ours.sent_chain.empty())
        EXPECT_EQ(group(seen.log, "sha1=([0-9a-f]{40})"), to_lower(thumbprint(*ours.sent_chain.front())));
      EXPECT_TRUE(ours.accepted());
      break;
    }
    case Kind::stunnel:
      EXPECT_THAT(seen.log, HasSubstr(row.verdict.empty() ? "Certificate accepted at depth=0" : "Rejected by CERT"));
      EXPECT_EQ(row.verdict.empty(), seen.log.find("TLS alert (write): fatal") == std::string::npos) << seen.log;
      if (row.verdict.empty()) {
        EXPECT_EQ(peer_pki().iana(group(seen.log, "ciphersuite: (\\S+)")), ours.cipher);
        EXPECT_THAT(seen.log, HasSubstr(ours.tls_version + " ciphersuite:"));
      }
      break;
  }
}

INSTANTIATE_TEST_SUITE_P(CommandLine, Peers, testing::ValuesIn(rows()),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace mrascheck::test

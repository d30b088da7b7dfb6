// SPDX-License-Identifier: Apache-2.0
// A rehearsal against the real thing: for each pair of certificates, who refuses whom in memory, and who does over a
// socket, with openssl s_server at one end and mrascheck check at the other.
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/verdicts.hpp"
#include "core/time.hpp"
#include "support/openssl_cli.hpp"
#include "support/program.hpp"
#include "support/s_server.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* fe_name = "fe1.contoso.example";
constexpr const char* edge_name = "edge1.contoso.example";
constexpr const char* p256 = "ec -pkeyopt ec_paramgen_curve:P-256";
constexpr const char* key_ids = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";
constexpr const char* usual = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n";

/// Certificates of a Front End and an Edge, good and bad, made by openssl once for all tests here.
class Pairs {
 public:
  static const Pairs& get() {
    static const Pairs pairs;
    return pairs;
  }

  const OpensslCli& openssl() const { return openssl_; }
  std::string file(const std::string& name) const { return openssl_.dir() / name; }

  void leaf(const std::string& name, const std::string& host, const std::string& issuer, const std::string& more = {},
            const char* key = p256, const char* uses = "serverAuth,clientAuth",
            const char* identifiers = key_ids) const {
    openssl_.issued(name, "/CN=" + host, issuer,
                    fmt::format("{}extendedKeyUsage={}\n{}subjectAltName=DNS:{}\n", usual, uses, identifiers, host),
                    key, more);
  }

 private:
  Pairs() {
    openssl_.self_signed("root", "/CN=Contoso Root CA", ca_extensions);
    openssl_.self_signed("twin", "/CN=Contoso Root CA", ca_extensions);
    openssl_.self_signed("fabrikam", "/CN=Fabrikam Root CA", ca_extensions);
    for (const char* name : {"bare", "bare-twin"}) {
      openssl_.self_signed(name, "/CN=Bare Root CA",
                           "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier="
                           "none\nauthorityKeyIdentifier=none\n");
    }
    openssl_.issued("issuing", "/CN=Contoso Issuing CA", "root",
                    std::string(ca_extensions) + "authorityKeyIdentifier=keyid\n");
    leaf("fe", fe_name, "root", "-days 400");  // ends before the others
    leaf("edge", edge_name, "root");
    leaf("fe-below", fe_name, "issuing");
    leaf("fe-expired", fe_name, "root", "-days -1");
    leaf("edge-expired", edge_name, "root", "-days -1");
    leaf("fe-foreign", fe_name, "fabrikam");
    leaf("edge-foreign", edge_name, "fabrikam");
    leaf("edge-named", "edge9.contoso.example", "root");
    leaf("fe-server-only", fe_name, "root", {}, p256, "serverAuth");
    leaf("edge-client-only", edge_name, "root", {}, p256, "clientAuth");
    leaf("fe-bare", fe_name, "bare", {}, p256, "serverAuth,clientAuth",
         "subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n");
    leaf("fe-1024", fe_name, "root", {}, "rsa:1024");
    leaf("fe-2048", fe_name, "root", {}, "rsa:2048");
    leaf("edge-1024", edge_name, "root", {}, "rsa:1024");
    leaf("fe-ed25519", fe_name, "root", {}, "ed25519");
    leaf("edge-ed25519", edge_name, "root", {}, "ed25519");
    leaf("fe-early", fe_name, "root");
    openssl_.dir().write("ca.cnf",
                         "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nrand_serial=yes\nnew_certs_dir=.\n"
                         "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n");
    openssl_.shell(
        ": >index.txt; openssl ca -batch -notext -config ca.cnf -cert root.crt -keyfile root.key -in fe-early.csr "
        "-out fe-early.crt -startdate 20900101000000Z -enddate 20910101000000Z -extfile fe-early.cnf -extensions ext");
    openssl_.shell(
        "cat twin.crt root.crt >twins.crt; cat fe-below.crt issuing.crt >fe-chain.crt; "
        "cp fe-below.key fe-chain.key");
  }

  OpensslCli openssl_;
};

struct Pair {
  const char* name;
  const char* fe;         ///< NAME.crt and NAME.key
  const char* edge;       ///< the same
  const char* fe_trusts;  ///< NAME.crt
  const char* edge_trusts;
  const char* version;          ///< option of s_server
  std::set<std::string> forth;  ///< how it ends when the Front End connects to the Edge
  std::set<std::string> back;   ///< and the other way round
};

/// The configuration of one link that ends at that port of 127.0.0.1.
std::string site(const Pair& pair, const char* from, const char* to, int port, const char* service) {
  const auto server = [](const char* name, const char* role, const char* identity, const char* store) {
    return fmt::format(
        "  - name: {}\n    role: {}\n    addresses: [127.0.0.1]\n    certificate: {}.crt\n    key: {}.key\n"
        "    trusts: [{}]\n",
        name, role, identity, identity, store);
  };
  return fmt::format(
             "site: contoso\nlimits: {{quiet: 50ms}}\nstores:\n  - {{name: of-fe, file: {}.crt}}\n  - {{name: of-edge, "
             "file: {}.crt}}\n"
             "servers:\n",
             pair.fe_trusts, pair.edge_trusts) +
         server(fe_name, "front-end", pair.fe, "of-fe") + server(edge_name, "edge", pair.edge, "of-edge") +
         fmt::format("links:\n  - {{from: {}, to: {}, port: {}, service: {}}}\n", from, to, port, service);
}

/// verdicts() of a real handshake with openssl s_server as `to`.
std::set<std::string> real(const Pair& pair, bool forth) {
  const Pairs& pairs = Pairs::get();
  const std::string own = forth ? pair.edge : pair.fe;
  const std::string trusts = forth ? pair.edge_trusts : pair.fe_trusts;
  // These products do not ask for the use "client authentication", and a check of old keys wants to know more than
  // that they are old.
  SServer server({"-cert", pairs.file(own + ".crt"), "-key", pairs.file(own + ".key"), "-cert_chain",
                  pairs.file(own + ".crt"), "-CAfile", pairs.file(trusts + ".crt"), "-Verify", "3",
                  "-verify_return_error", "-purpose", "any", "-cipher", "ALL:@SECLEVEL=0", pair.version},
                 [](const std::string& request) { return sip_answer(request, "200 OK"); });
  const char* from = forth ? fe_name : edge_name;
  const char* to = forth ? edge_name : fe_name;
  const std::string config = pairs.openssl().dir().write("real.yaml", site(pair, from, to, server.port(), "sip"));
  const Ended ended = mrascheck({"check", "-c", config, "--only", "handshake", "--format", "json"});
  EXPECT_EQ(ended.err, "");
  return verdicts(ended.out, from, to);
}

class Rehearsal : public testing::TestWithParam<Pair> {};

TEST_P(Rehearsal, AgreesWithTheRealHandshakeBothWays) {
  const Pair& pair = GetParam();
  const std::string config =
      Pairs::get().openssl().dir().write("rehearsed.yaml", site(pair, fe_name, edge_name, 5062, "tls"));
  const Ended rehearsed = mrascheck({"rehearse", "-c", config, "--only", "handshake", "--format", "json"});
  EXPECT_EQ(rehearsed.err, "");
  EXPECT_EQ(rehearsed.code, pair.forth.empty() && pair.back.empty() ? 0 : 2);
  EXPECT_EQ(verdicts(rehearsed.out, fe_name, edge_name), pair.forth) << rehearsed.out;
  EXPECT_EQ(verdicts(rehearsed.out, edge_name, fe_name), pair.back) << rehearsed.out;
  EXPECT_EQ(real(pair, true), pair.forth);
  EXPECT_EQ(real(pair, false), pair.back);
}

INSTANTIATE_TEST_SUITE_P(
    CommandLine, Rehearsal,
    testing::Values(
        Pair{"Good12", "fe", "edge", "root", "root", "-tls1_2", {}, {}},
        Pair{"Good13", "fe", "edge", "root", "root", "-tls1_3", {}, {}},
        Pair{"Rsa2048", "fe-2048", "edge", "root", "root", "-tls1_2", {}, {}},
        Pair{"Rsa1024", "fe-1024", "edge-1024", "root", "root", "-tls1_2", {}, {}},
        Pair{"Ed25519", "fe-ed25519", "edge-ed25519", "root", "root", "-tls1_3", {}, {}},
        Pair{"FrontEndForServersOnly", "fe-server-only", "edge", "root", "root", "-tls1_2", {}, {}},
        Pair{"EdgeForClientsOnly", "fe", "edge-client-only", "root", "root", "-tls1_2", {"client"}, {}},
        Pair{"FrontEndExpired12",
             "fe-expired",
             "edge",
             "root",
             "root",
             "-tls1_2",
             {"server: certificate_expired"},
             {"client"}},
        Pair{"FrontEndExpired13",
             "fe-expired",
             "edge",
             "root",
             "root",
             "-tls1_3",
             {"server: certificate_expired"},
             {"client"}},
        Pair{"FrontEndNotYetValid",
             "fe-early",
             "edge",
             "root",
             "root",
             "-tls1_2",
             {"server: bad_certificate"},
             {"client"}},
        Pair{"EdgeExpired",
             "fe",
             "edge-expired",
             "root",
             "root",
             "-tls1_2",
             {"client"},
             {"server: certificate_expired"}},
        Pair{
            "FrontEndOfAnotherCa", "fe-foreign", "edge", "root", "root", "-tls1_2", {"server: unknown_ca"}, {"client"}},
        Pair{"EdgeOfAnotherCa", "fe", "edge-foreign", "root", "root", "-tls1_2", {"client"}, {"server: unknown_ca"}},
        Pair{"EdgeOfAnotherName", "fe", "edge-named", "root", "root", "-tls1_2", {"client"}, {}},
        Pair{"EdgeTrustsTheStaleTwin", "fe", "edge", "root", "twin", "-tls1_2", {"server: unknown_ca"}, {"client"}},
        Pair{"EdgeTrustsTheStaleTwinWithoutKeyIdentifiers",
             "fe-bare",
             "edge",
             "root",
             "bare-twin",
             "-tls1_2",
             {"server: decrypt_error"},
             {"client"}},
        Pair{"EdgeTrustsBothTwins", "fe", "edge", "root", "twins", "-tls1_2", {}, {}},
        Pair{"IntermediateSent", "fe-chain", "edge", "root", "root", "-tls1_2", {}, {}},
        Pair{"IntermediateMissing", "fe-below", "edge", "root", "root", "-tls1_2", {"server: unknown_ca"}, {"client"}}),
    [](const auto& row) { return row.param.name; });

/// A configuration in which all is well; where a row says DIR, its directory is meant.
class RehearseCommand : public testing::Test {
 protected:
  static Ended rehearse(const std::vector<std::string>& more) {
    const Pair good{"", "fe", "edge", "root", "root", "", {}, {}};
    std::vector<std::string> words{
        "rehearse", "-c", Pairs::get().openssl().dir().write("good.yaml", site(good, fe_name, edge_name, 5062, "tls"))};
    for (std::string word : more) {
      for (std::size_t at = word.find("DIR"); at != std::string::npos; at = word.find("DIR"))
        word.replace(at, 3, Pairs::get().openssl().dir().path().string());
      words.push_back(word);
    }
    return mrascheck(words);
  }
  /// notAfter of NAME.crt, by openssl.
  static UtcTime end_of(const std::string& name) {
    std::string said =
        Pairs::get().openssl().shell(fmt::format("openssl x509 -in {}.crt -noout -enddate -dateopt iso_8601", name));
    said = said.substr(said.find('=') + 1, std::string_view{"2027-12-28 13:11:30Z"}.size());
    said[10] = 'T';
    return parse_iso8601(said).value();
  }
};

TEST_F(RehearseCommand, SaysThatItIsOneAndWhatWouldHappen) {
  const Ended good = rehearse({});
  EXPECT_EQ(good.code, 0) << good.out;
  EXPECT_THAT(good.out, AllOf(StartsWith("OK: contoso: "), HasSubstr("rehearsed in memory without the"),
                              HasSubstr("fe1.contoso.example -> edge1.contoso.example (in memory:5062)"),
                              HasSubstr("edge1.contoso.example -> fe1.contoso.example (in memory:5061)"),
                              Not(HasSubstr("mras-credentials")), Not(HasSubstr("0.0 ms"))));
  EXPECT_EQ(rehearse({"--at", "2089-12-31"}).code, 2);
}

TEST_F(RehearseCommand, JudgesWhatIsToBeAssigned) {
  const Ended expired = rehearse({"--assign", "fe1.contoso.example=DIR/fe-expired.crt,DIR/fe-expired.key"});
  EXPECT_EQ(expired.code, 2);
  EXPECT_THAT(expired.out, AllOf(HasSubstr("with the TLS alert certificate_expired"), HasSubstr("[validity.expired]")));
  const Ended named = rehearse({"--assign", "FE1.contoso.example=DIR/edge-named.crt,DIR/edge-named.key"});
  EXPECT_EQ(named.code, 2);
  EXPECT_THAT(named.out, HasSubstr("[certificate-names.mismatch]"));
  const Ended foreign = rehearse({"-v", "--assign", "edge1.contoso.example=DIR/edge-foreign.crt,DIR/edge-foreign.key"});
  EXPECT_EQ(foreign.code, 2);
  EXPECT_THAT(foreign.out,
              AllOf(HasSubstr("with the TLS alert unknown_ca"), HasSubstr("Here the Edge of this advice is"),
                    HasSubstr("[certification-path.incomplete]")));
  const Ended good = rehearse({"--assign", "fe1.contoso.example=DIR/fe-chain.crt,DIR/fe-chain.key"});
  EXPECT_EQ(good.code, 0) << good.out;
}

TEST_F(RehearseCommand, TakesAPkcs12FileAsItIsAndSaysWhoKeptTheKey) {
  Pairs::get().openssl().shell(
      "openssl pkcs12 -export -in fe.crt -inkey fe.key -CSP 'Microsoft Software Key Storage Provider' -passout pass: "
      "-out cng.pfx;"
      "openssl pkcs12 -export -in fe.crt -inkey fe.key -CSP 'Microsoft RSA SChannel Cryptographic Provider' -passout "
      "pass: -out csp.pfx");
  const Ended cng = rehearse({"--assign", "fe1.contoso.example=DIR/cng.pfx,DIR/cng.pfx"});
  EXPECT_EQ(cng.code, 1) << cng.out << cng.err;
  EXPECT_THAT(cng.out, AllOf(HasSubstr("WARNING [store-hygiene.cng-key]"), HasSubstr("-importpfx FILE.pfx")));
  const Ended csp = rehearse({"--assign", "fe1.contoso.example=DIR/csp.pfx,DIR/csp.pfx"});
  EXPECT_EQ(csp.code, 0) << csp.out << csp.err;
}

TEST_F(RehearseCommand, FindsTheSecondInWhichACertificateEnds) {
  const UtcTime end = end_of("fe");
  const std::string after = to_iso8601(end + std::chrono::seconds{1});
  EXPECT_EQ(rehearse({"--only", "handshake", "--at", to_iso8601(end)}).code, 0);
  EXPECT_EQ(rehearse({"--only", "handshake", "--at", after}).code, 2);

  const Ended before = rehearse({"--at", to_iso8601(end - std::chrono::hours{24 * 60}), "--through", to_iso8601(end)});
  EXPECT_EQ(before.code, 0) << before.out;
  const Ended through = rehearse(
      {"--at", to_iso8601(end - std::chrono::hours{24 * 60}), "--through", to_date(end + std::chrono::hours{24})});
  EXPECT_EQ(through.code, 2) << through.out;
  EXPECT_THAT(through.out, AllOf(HasSubstr("CRITICAL [validity.expired] from " + after + " on:"),
                                 HasSubstr("CRITICAL [handshake.rejected-by-peer] from " + after + " on:")));
}

TEST_F(RehearseCommand, JudgesPathsAloneWhereTheKeyIsElsewhere) {
  const Ended alone = rehearse({"--assign", "fe1.contoso.example=DIR/fe.crt"});
  EXPECT_EQ(alone.code, 3) << alone.out;
  EXPECT_THAT(alone.out, AllOf(StartsWith("UNKNOWN"), HasSubstr("only paths are judged"),
                               HasSubstr("edge1.contoso.example judges fe1.contoso.example")));
  const Ended foreign = rehearse({"--assign", "fe1.contoso.example=DIR/fe-foreign.crt"});
  EXPECT_EQ(foreign.code, 2) << foreign.out;
  EXPECT_THAT(foreign.out, HasSubstr("[certification-path.incomplete]"));
}

TEST_F(RehearseCommand, SaysInOneLineWhatIsWrongWithItsOptions) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> rows{
      {{"fe1"}, "fe1: mrascheck rehearse takes options only"},
      {{"--trough", "2030-01-01"}, "unknown option --trough; did you mean --through?"},
      {{"--at", "Monday"}, "--at Monday: not a date such as 2026-11-22 or 2026-11-22T09:30:00Z"},
      {{"--at", "2026-11-22", "--through", "2026-11-21"},
       "--through 2026-11-21: before 2026-11-22T00:00:00Z, which is to be rehearsed first"},
      {{"--only", "names-resolve"}, "--only names-resolve: that needs the network, and a rehearsal uses none"},
      {{"--only", "handshakes"}, "unknown check 'handshakes'; did you mean 'handshake'?"},
      {{"--format", "xml"}, "unknown format 'xml': it is text, plugin, json, jsonl, junit or sarif"},
      {{"--assign", "fe1.contoso.example"}, "--assign fe1.contoso.example: not SERVER=FILE or SERVER=FILE,KEY"},
      {{"--assign", "fe1.contoso.example=a.crt,"},
       "--assign fe1.contoso.example=a.crt,: not SERVER=FILE or SERVER=FILE,KEY"},
      {{"--assign", "fe2.contoso.example=a.crt"},
       "--assign fe2.contoso.example=a.crt: no such server in the configuration; did you mean fe1.contoso.example?"},
      {{"--assign", "fe1.contoso.example=nowhere.crt"},
       "--assign fe1.contoso.example: nowhere.crt: No such file or directory"},
      {{"--evidence", "nowhere.json"}, "nowhere.json: No such file or directory"}};
  for (const auto& [words, says] : rows) {
    const Ended ended = rehearse(words);
    EXPECT_EQ(ended.code, 3) << says;
    EXPECT_EQ(ended.err, fmt::format("UNKNOWN: {}\n", says));
    EXPECT_EQ(ended.out, "");
  }
  const Ended pair = rehearse({"--assign", "fe1.contoso.example=DIR/fe.crt,DIR/edge.key"});
  EXPECT_EQ(pair.code, 3);
  EXPECT_THAT(pair.err, AllOf(StartsWith("UNKNOWN: --assign fe1.contoso.example: "),
                              HasSubstr("edge.key: not the private key of ")));
}

/// A directory is asked by nobody; what it holds comes from a recording of the same site.
TEST_F(RehearseCommand, TakesFromARecordingWhatADirectoryHolds) {
  const Pairs& pairs = Pairs::get();
  const TempDir& dir = pairs.openssl().dir();
  const Pair pair{"", "fe", "edge", "root", "root", "", {}, {}};
  const std::string files = site(pair, fe_name, edge_name, 1, "tls");
  std::string directory = files;
  const std::string store = "{name: of-edge, file: root.crt}";
  directory.replace(directory.find(store), store.size(), "{name: of-edge, ldap: ldap://127.0.0.1:1}");
  const std::string recording = dir / "recorded.json";
  mrascheck({"check", "-c", dir.write("files.yaml", files), "--record", recording});
  const std::string config = dir.write("directory.yaml", directory);

  const Ended without = mrascheck({"rehearse", "-c", config});
  EXPECT_EQ(without.code, 3) << without.out;
  EXPECT_THAT(without.out,
              AllOf(HasSubstr("a directory service, and a rehearsal asks nobody"), HasSubstr("cannot be told")));
  const Ended with = mrascheck({"rehearse", "-c", config, "--evidence", recording});
  EXPECT_EQ(with.code, 0) << with.out << with.err;
  EXPECT_THAT(with.out, HasSubstr("directories as recorded at"));

  std::string other = files;
  other.replace(other.find("contoso"), 7, "fabrikam");
  const Ended foreign = mrascheck({"rehearse", "-c", dir.write("other.yaml", other), "--evidence", recording});
  EXPECT_EQ(foreign.code, 3);
  EXPECT_THAT(foreign.err, HasSubstr("recorded.json: a recording of the site contoso, while the configuration is of "
                                     "fabrikam\n"));
}

/// Of an Edge whose files nobody has here, a recording knows the certificate.
TEST_F(RehearseCommand, TakesFromARecordingWhatAServerShowed) {
  const Pairs& pairs = Pairs::get();
  const TempDir& dir = pairs.openssl().dir();
  SServer edge({"-cert", pairs.file("edge-named.crt"), "-key", pairs.file("edge-named.key"), "-Verify", "3"},
               [](const std::string& request) { return sip_answer(request, "200 OK"); });
  std::string bare = site({"", "fe", "edge", "root", "root", "", {}, {}}, fe_name, edge_name, edge.port(), "sip");
  const std::string files = "    certificate: edge.crt\n    key: edge.key\n";
  bare.erase(bare.find(files), files.size());
  const std::string config = dir.write("bare.yaml", bare);
  mrascheck({"check", "-c", config, "--record", dir / "shown.json"});

  const Ended without = mrascheck({"rehearse", "-c", config});
  EXPECT_EQ(without.code, 3) << without.out;
  EXPECT_THAT(without.out, HasSubstr("no certificate of it is at hand"));
  const Ended with = mrascheck({"rehearse", "-c", config, "--evidence", dir / "shown.json"});
  EXPECT_EQ(with.code, 2) << with.out;
  EXPECT_THAT(with.out, AllOf(HasSubstr("a recording shows its certificate"), HasSubstr("[certificate-names.mismatch]"),
                              HasSubstr("fe1.contoso.example judges edge1.contoso.example")));
}

}  // namespace
}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
// SASL binds, against a real slapd and a real KDC.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <memory>

#include "ldap/directory.hpp"
#include "ldap/session.hpp"
#include "support/kdc.hpp"
#include "support/ldap_responder.hpp"
#include "support/slapd.hpp"

namespace mrascheck::ldap {
namespace {

using namespace std::chrono_literals;
using test::ca_entry;
using test::Kdc;
using test::LdapResponder;
using test::Slapd;
using test::SlapdSettings;
using test::TestCa;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

static constexpr const char* dc1 = "dc1.contoso.example";

struct Reading {
  Result<DirectoryAnswer> answer = fail(ErrorKind::bug, "not read");
  std::size_t values = 0;
  std::string error() const { return answer ? "" : answer.error().text; }
  ErrorKind kind() const { return answer ? ErrorKind::bug : answer.error().kind; }
};

static Reading read(const StoreSource& source) {
  Reading reading;
  NameService names;
  for (const char* name : {dc1, "dc9.contoso.example"}) names.addresses[name] = {"127.0.0.1"};
  reading.answer =
      read_directory(source, Secret{}, 20s, {},
                     {[&](const DirectoryValue&) { ++reading.values; }, [&] { reading.values = 0; }}, names);
  return reading;
}

/// The address of a test's server under a name of its own.
static std::string named(std::string uri, const std::string& name = dc1) {
  return uri.replace(uri.find("127.0.0.1"), 9, name);
}

/// One certificate, which only the reader may see, and over no connection that anybody could have changed.
static SlapdSettings for_the_reader_only(const std::string& reader) {
  const TestCa ca{"Contoso Root CA"};
  SlapdSettings settings;
  settings.entries = ca_entry("CN=Contoso Root CA,CN=AIA", {ca.own_certificate()});
  settings.database = fmt::format("access to * by dn.exact=\"{}\" ssf=1 read by * auth\n", reader);
  return settings;
}

class KerberosTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    kdc = std::make_unique<Kdc>();
    kdc->add(fmt::format("ldap/{}", dc1));
    kdc->add("reader");
    SlapdSettings settings = for_the_reader_only(Slapd::reader);
    settings.global =
        fmt::format("sasl-host {}\nsasl-realm {}\nauthz-regexp \"uid=reader,(cn=[^,]*,)?cn=gssapi,cn=auth\" \"{}\"\n",
                    dc1, Kdc::realm, Slapd::reader);
    slapd = std::make_unique<Slapd>(settings);
    settings.global += "sasl-cbinding tls-endpoint\n";
    binding_slapd = std::make_unique<Slapd>(settings);
  }
  static void TearDownTestSuite() {
    slapd.reset();
    binding_slapd.reset();
    kdc.reset();
  }
  KerberosTest() { kdc->log_in("reader"); }

  static StoreSource source(const std::string& uri, const Slapd& server) {
    StoreSource store;
    store.name = "ad";
    store.ldap_uris = {uri};
    store.ca_file = server.ca_file();
    store.bind = LdapBind{.dn = {}, .password = {}, .method = LdapBind::Method::gssapi};
    return store;
  }

  static inline std::unique_ptr<Kdc> kdc;
  static inline std::unique_ptr<Slapd> slapd;
  static inline std::unique_ptr<Slapd> binding_slapd;
};

struct Way {
  const char* name;
  std::string (Slapd::*uri)() const;
  StartTls starttls;
  bool channel_binding;
};
void PrintTo(const Way& way, std::ostream* out) {
  *out << way.name;
}
class KerberosWayTest : public KerberosTest, public testing::WithParamInterface<Way> {};

TEST_P(KerberosWayTest, LeadsToTheCertificates) {
  const Slapd& server = GetParam().channel_binding ? *binding_slapd : *slapd;
  StoreSource store = source(named((server.*GetParam().uri)()), server);
  store.starttls = GetParam().starttls;
  store.bind->channel_binding = GetParam().channel_binding;
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(reading.values, 1U);
}

INSTANTIATE_TEST_SUITE_P(Slapd, KerberosWayTest,
                         testing::Values(Way{"SignedInTheClear", &Slapd::ldap, StartTls::automatic, false},
                                         Way{"NoTlsWanted", &Slapd::ldap, StartTls::off, false},
                                         Way{"StartTls", &Slapd::ldap, StartTls::required, false},
                                         Way{"Ldaps", &Slapd::ldaps, StartTls::automatic, false},
                                         Way{"LdapsBoundToTheCertificate", &Slapd::ldaps, StartTls::automatic, true},
                                         Way{"StartTlsBoundToTheCertificate", &Slapd::ldap, StartTls::required, true}),
                         [](const auto& row) { return row.param.name; });

TEST_F(KerberosTest, WithoutABindNobodyReadsAnything) {
  StoreSource store = source(named(slapd->ldap()), *slapd);
  store.bind.reset();
  EXPECT_FALSE(read(store).answer);
}

TEST_F(KerberosTest, NoTicketIsSaidWithWhatToDo) {
  kdc->log_out();
  const Reading reading = read(source(named(slapd->ldap()), *slapd));
  EXPECT_EQ(reading.kind(), ErrorKind::local);
  EXPECT_THAT(reading.error(),
              AllOf(StartsWith(named(slapd->ldap()) + ": Kerberos (SASL GSSAPI) bind: no Kerberos ticket"),
                    HasSubstr("run kinit")));
}

TEST_F(KerberosTest, AnUnknownServiceIsSaidWithWhatToDo) {
  const Reading reading = read(source(named(slapd->ldap(), "dc9.contoso.example"), *slapd));
  EXPECT_EQ(reading.kind(), ErrorKind::config);
  EXPECT_THAT(reading.error(), HasSubstr("Kerberos knows no such service"));
}

TEST_F(KerberosTest, AServerThatKnowsNoKerberosSaysNo) {
  const LdapResponder server{[](const LdapResponder::Request& request) -> LdapResponder::Reply {
    return {LdapResponder::bind_done(request.id, 7, "no such mechanism")};
  }};
  const Reading reading = read(source(named(server.uri()), *slapd));
  EXPECT_EQ(reading.kind(), ErrorKind::rejected_by_peer);
  EXPECT_THAT(reading.error(), AllOf(StartsWith(named(server.uri())), HasSubstr("no such mechanism")));
}

TEST(KerberosOfItsOwn, AKdcThatIsGoneIsSaid) {
  Kdc kdc;
  kdc.add("ldap/dc1.contoso.example");
  kdc.add("reader");
  kdc.log_in("reader");
  kdc.stop();
  const LdapResponder server{[](const LdapResponder::Request&) -> LdapResponder::Reply { return {}; }};
  StoreSource store;
  store.ldap_uris = {named(server.uri())};
  store.bind = LdapBind{.dn = {}, .password = {}, .method = LdapBind::Method::gssapi};
  const Reading reading = read(store);
  EXPECT_EQ(reading.kind(), ErrorKind::unreachable);
  EXPECT_THAT(reading.error(), HasSubstr("no Kerberos server answers"));
}

struct Sentence {
  const char* name;
  const char* diagnostic;
  const char* words;  ///< how they begin; null: none
  ErrorKind kind = ErrorKind::local;
};
void PrintTo(const Sentence& row, std::ostream* out) {
  *out << row.name;
}
class SentenceTest : public testing::TestWithParam<Sentence> {};

TEST_P(SentenceTest, IsPutIntoWords) {
  const KerberosReason* reason = kerberos_reason(GetParam().diagnostic);
  ASSERT_EQ(reason != nullptr, GetParam().words != nullptr);
  if (reason == nullptr) return;
  EXPECT_THAT(std::string{reason->words}, HasSubstr(GetParam().words));
  EXPECT_EQ(reason->kind, GetParam().kind);
}

INSTANTIATE_TEST_SUITE_P(
    Kerberos, SentenceTest,
    testing::Values(
        Sentence{"ClockSkew",
                 "SASL(-1): generic failure: GSSAPI Error: Unspecified GSS failure.  Minor code may provide "
                 "more information (Clock skew too great)",
                 "set them right"},
        Sentence{"Expired", "... (Ticket expired)", "run kinit again"},
        Sentence{"NoTicket", "... (No Kerberos credentials available (default cache: FILE:/tmp/x))", "run kinit as"},
        Sentence{"NoService", "... (Server ldap/127.0.0.1@CONTOSO.EXAMPLE not found in Kerberos database)",
                 "by its full name", ErrorKind::config},
        Sentence{"NoKdcKnown", "... (Cannot find KDC for realm \"CONTOSO.EXAMPLE\")", "krb5.conf"},
        Sentence{"Other", "... (Wrong principal in request)", nullptr}, Sentence{"Nothing", "", nullptr}),
    [](const auto& row) { return row.param.name; });

TEST(ExternalTest, TheUserOfALocalSocketIsWhoItIs) {
  SlapdSettings settings = for_the_reader_only(
      fmt::format("gidNumber={}+uidNumber={},cn=peercred,cn=external,cn=auth", ::getegid(), ::geteuid()));
  const Slapd slapd{settings};
  StoreSource store;
  store.ldap_uris = {slapd.ldapi()};
  EXPECT_FALSE(read(store).answer) << "without a bind nobody reads anything";
  store.bind = LdapBind{.dn = {}, .password = {}, .method = LdapBind::Method::external};
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(reading.values, 1U);
}

struct ClientCertificate {
  const char* name;
  std::string (Slapd::*uri)() const;
};
class ClientCertificateTest : public testing::TestWithParam<ClientCertificate> {};

TEST_P(ClientCertificateTest, IsWhoItIs) {
  SlapdSettings settings = for_the_reader_only("cn=dc1.contoso.example");
  settings.global = "TLSVerifyClient try\n";
  const Slapd slapd{settings};
  StoreSource store;
  store.ldap_uris = {(slapd.*GetParam().uri)()};
  store.ca_file = slapd.ca_file();
  store.bind = LdapBind{.dn = {},
                        .password = {},
                        .method = LdapBind::Method::external,
                        .certificate = slapd.certificate_file(),
                        .key = slapd.key_file()};
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(reading.values, 1U);
  store.bind->key = "/nonexistent/key.pem";
  EXPECT_EQ(read(store).error(), store.ldap_uris.front() + ": /nonexistent/key.pem: cannot be read");
}

INSTANTIATE_TEST_SUITE_P(Over, ClientCertificateTest,
                         testing::Values(ClientCertificate{"Ldaps", &Slapd::ldaps},
                                         ClientCertificate{"StartTls", &Slapd::ldap}),
                         [](const auto& row) { return row.param.name; });

TEST(ExternalTest, WithNothingToGoByNoServerIsAsked) {
  StoreSource store;
  store.ldap_uris = {fmt::format("ldaps://127.0.0.1:{}", test::free_port())};
  store.bind = LdapBind{.dn = {}, .password = {}, .method = LdapBind::Method::external};
  const Reading reading = read(store);
  EXPECT_EQ(reading.kind(), ErrorKind::config);
  EXPECT_THAT(reading.error(), HasSubstr("name certificate and key"));
  store.ldap_uris = {fmt::format("ldap://127.0.0.1:{}", test::free_port())};
  store.starttls = StartTls::off;
  EXPECT_THAT(read(store).error(), HasSubstr("there is no TLS here"));
}

}  // namespace
}  // namespace mrascheck::ldap

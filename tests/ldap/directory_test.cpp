// SPDX-License-Identifier: Apache-2.0
// The ldap room against a real slapd.
#include "ldap/directory.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include "support/slapd.hpp"

namespace mrascheck::ldap {
namespace {

using namespace std::chrono_literals;
using test::ca_entry;
using test::Slapd;
using test::SlapdSettings;
using test::TestCa;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;

/// Every test of this program runs under settings of libldap that would spoil each of them, if anybody read them.
struct HostileLdapConf {
  std::filesystem::path path;
  HostileLdapConf() {
    std::string pattern = std::filesystem::temp_directory_path() / "ldap-conf-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) abort();
    path = pattern;
    const std::string_view conf =
        "URI ldap://127.0.0.1:1\nBASE dc=nowhere\nSIZELIMIT 1\nTIMELIMIT 1\nTLS_REQCERT never\nREFERRALS on\n";
    test::write_file(path / "ldap.conf", conf);
    test::write_file(path / ".ldaprc", conf);
    setenv("LDAPCONF", (path / "ldap.conf").c_str(), 1);
    setenv("LDAPTLS_REQCERT", "never", 1);
    setenv("HOME", path.c_str(), 1);
  }
  HostileLdapConf(HostileLdapConf&&) = delete;
  ~HostileLdapConf() { std::filesystem::remove_all(path); }
};
static const HostileLdapConf hostile_ldap_conf;

struct Value {
  DirectoryValue::Content content;
  std::string dn;
  StoreKind kind;
  std::size_t index;
  ByteString bytes;
};

struct Reading {
  Result<DirectoryAnswer> answer = fail(ErrorKind::bug, "not read");
  std::vector<Value> values;

  std::string error() const { return answer ? "" : answer.error().text; }
  ErrorKind kind() const { return answer ? ErrorKind::bug : answer.error().kind; }
};

static Reading read(const StoreSource& source, const std::string& password = Slapd::password,
                    const NameService& names = {}, const Deadline& deadline = {},
                    std::chrono::milliseconds step = 20s) {
  Reading reading;
  reading.answer =
      read_directory(source, Secret{password}, step, deadline,
                     {[&](const DirectoryValue& value) {
                        reading.values.push_back({value.content, std::string{value.dn}, value.kind, value.index,
                                                  ByteString(value.value.begin(), value.value.end())});
                      },
                      [&] { reading.values.clear(); }},
                     names);
  return reading;
}

static std::string dn(const std::string& rdns) {
  return fmt::format("{},{}", rdns, Slapd::services);
}

static std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// One server for all tests that need nothing special of it.
class DirectoryTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const TestCa ca{"Contoso Root CA"};
    first = ca.ca_certificate("Contoso Issuing CA", 10);
    second = ca.ca_certificate("Contoso Issuing CA", 11);
    root = ca.own_certificate();
    SlapdSettings settings;
    settings.entries = ca_entry("CN=Contoso Issuing CA,CN=AIA", {first, second}) +
                       ca_entry("CN=Contoso Root CA,CN=Certification Authorities", {root}) +
                       ca_entry("CN=Contoso Issuing CA,CN=Enrollment Services", {second}) + ca_entry("CN=KRA", {first});
    // 71 is the strength that slapd takes a local socket for; clear text over TCP has none.
    settings.database = "security simple_bind=71\n";
    slapd = std::make_unique<Slapd>(settings);
  }
  static void TearDownTestSuite() { slapd.reset(); }

  static StoreSource source(std::vector<std::string> uris) {
    StoreSource store;
    store.name = "ad";
    store.ldap_uris = std::move(uris);
    store.ca_file = slapd->ca_file();
    return store;
  }
  static StoreSource bound(std::vector<std::string> uris) {
    StoreSource store = source(std::move(uris));
    store.bind = LdapBind{.dn = Slapd::reader, .password = {}};
    return store;
  }

  static inline std::unique_ptr<Slapd> slapd;
  static inline ByteString first;
  static inline ByteString second;
  static inline ByteString root;
};

TEST_F(DirectoryTest, GivesEveryValueWithItsContainer) {
  const Reading reading = read(source({slapd->ldap()}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(reading.answer->server, slapd->ldap());
  EXPECT_EQ(reading.answer->base, Slapd::services);
  EXPECT_EQ(reading.answer->truncated, "");
  ASSERT_EQ(reading.values.size(), 4U);
  std::multimap<StoreKind, ByteString> by_kind;
  for (const Value& value : reading.values) by_kind.emplace(value.kind, value.bytes);
  EXPECT_EQ(by_kind.count(StoreKind::intermediate), 2U);
  EXPECT_EQ(by_kind.find(StoreKind::root)->second, root);
  EXPECT_EQ(by_kind.find(StoreKind::enrollment)->second, second);
  std::set<std::pair<std::string, std::size_t>> places;
  for (const Value& value : reading.values) places.emplace(lower(value.dn), value.index);
  EXPECT_TRUE(places.contains({lower(dn("CN=Contoso Issuing CA,CN=AIA")), 0}));
  EXPECT_TRUE(places.contains({lower(dn("CN=Contoso Issuing CA,CN=AIA")), 1}));
  EXPECT_THAT(reading.answer->remarks, ElementsAre(StartsWith("1 value outside the known containers: ignored")));
}

struct WayIn {
  const char* name;
  std::string (Slapd::*uri)() const;
  bool bind;
  StartTls starttls;
};
class WayInTest : public DirectoryTest, public testing::WithParamInterface<WayIn> {};

TEST_P(WayInTest, LeadsToTheCertificates) {
  const WayIn& way = GetParam();
  const std::string uri = (*slapd.*way.uri)();
  StoreSource store = way.bind ? bound({uri}) : source({uri});
  store.starttls = way.starttls;
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(reading.answer->server, uri);
  EXPECT_EQ(reading.values.size(), 4U);
}

INSTANTIATE_TEST_SUITE_P(Slapd, WayInTest,
                         testing::Values(WayIn{"AnonymousClear", &Slapd::ldap, false, StartTls::automatic},
                                         WayIn{"AnonymousStartTls", &Slapd::ldap, false, StartTls::required},
                                         WayIn{"AnonymousLdaps", &Slapd::ldaps, false, StartTls::required},
                                         WayIn{"AnonymousLocal", &Slapd::ldapi, false, StartTls::automatic},
                                         WayIn{"PasswordStartTls", &Slapd::ldap, true, StartTls::automatic},
                                         WayIn{"PasswordLdaps", &Slapd::ldaps, true, StartTls::off},
                                         WayIn{"PasswordLocal", &Slapd::ldapi, true, StartTls::off}),
                         [](const auto& row) { return row.param.name; });

struct Base {
  const char* name;
  const char* base;
};
class BaseTest : public DirectoryTest, public testing::WithParamInterface<Base> {};

TEST_P(BaseTest, IsFound) {
  StoreSource store = source({slapd->ldap()});
  store.base = GetParam().base;
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(lower(reading.answer->base), lower(Slapd::services));
  EXPECT_EQ(reading.values.size(), 4U);
}

INSTANTIATE_TEST_SUITE_P(Configured, BaseTest,
                         testing::Values(Base{"NotSet", ""}, Base{"Container", Slapd::services},
                                         Base{"AnyCase",
                                              "cn=public key services,cn=services,cn=configuration,"
                                              "dc=contoso,dc=example"},
                                         Base{"ConfigurationContext", Slapd::configuration}),
                         [](const auto& row) { return row.param.name; });

TEST_F(DirectoryTest, TakesTheBaseFromTheUri) {
  const Reading reading = read(source({slapd->ldapi() + "/CN=Public%20Key%20Services,CN=Services,"
                                                        "CN=Configuration,dc=contoso,dc=example"}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(reading.answer->server, slapd->ldapi());
  EXPECT_EQ(reading.values.size(), 4U);
}

TEST_F(DirectoryTest, SaysWhichBaseIsNotThere) {
  StoreSource store = source({slapd->ldap()});
  store.base = "CN=Public Key Services,CN=Services,DC=fabrikam,DC=example";
  const Reading reading = read(store);
  EXPECT_EQ(reading.kind(), ErrorKind::config);
  EXPECT_THAT(reading.error(), AllOf(StartsWith(slapd->ldap() + ": " + store.base + ": not there"), EndsWith("(32)")));
}

TEST_F(DirectoryTest, RefusesABaseThatIsNoDn) {
  StoreSource store = source({slapd->ldap()});
  store.base = "public key services";
  const Reading reading = read(store);
  EXPECT_EQ(reading.kind(), ErrorKind::config);
  EXPECT_THAT(reading.error(), EndsWith("base is not a DN: public key services"));
}

TEST_F(DirectoryTest, WrongPasswordIsRefusedByTheServerAndTheNextOneIsNotAsked) {
  const Reading reading = read(bound({slapd->ldap(), slapd->ldapi()}), "battery staple");
  EXPECT_EQ(reading.kind(), ErrorKind::rejected_by_peer);
  EXPECT_EQ(reading.error(), slapd->ldap() + ": bind as cn=reader,dc=contoso,dc=example: Invalid credentials (49)");
}

struct Unsent {
  const char* name;
  const char* dn;
  const char* password;
  StartTls starttls;
  const char* reason;
};
class UnsentTest : public testing::TestWithParam<Unsent> {};

TEST_P(UnsentTest, NoServerIsAsked) {
  StoreSource store;
  store.ldap_uris = {fmt::format("ldap://127.0.0.1:{}", test::free_port())};  // would be refused
  store.bind = LdapBind{.dn = GetParam().dn, .password = {}};
  store.starttls = GetParam().starttls;
  const Reading reading = read(store, GetParam().password);
  EXPECT_EQ(reading.kind(), ErrorKind::config);
  EXPECT_THAT(reading.error(), AllOf(StartsWith(store.ldap_uris.front() + ": bind"), HasSubstr(GetParam().reason)));
}

INSTANTIATE_TEST_SUITE_P(Password, UnsentTest,
                         testing::Values(Unsent{"Empty", Slapd::reader, "", StartTls::required, "empty password"},
                                         Unsent{"ClearText", Slapd::reader, "x", StartTls::off,
                                                "would travel in clear text"},
                                         Unsent{"NobodysPassword", "", "x", StartTls::required, "no DN"}),
                         [](const auto& row) { return row.param.name; });

TEST_F(DirectoryTest, SlapdItselfSeesNoPasswordInClearText) {
  // The server refuses such a bind with confidentialityRequired: if StartTLS were forgotten, WayInTest would fail.
  StoreSource store = bound({slapd->ldap()});
  store.starttls = StartTls::required;
  EXPECT_TRUE(read(store).answer);
}

struct BadCertificate {
  const char* name;
  bool ldaps;
};
class BadCertificateTest : public DirectoryTest, public testing::WithParamInterface<BadCertificate> {
 protected:
  static std::string uri() { return GetParam().ldaps ? slapd->ldaps() : slapd->ldap(); }
};

TEST_P(BadCertificateTest, OfAnUntrustedCaIsRefused) {
  StoreSource store = bound({uri(), slapd->ldapi()});
  store.ca_file = slapd->other_ca_file();
  const Reading reading = read(store);
  EXPECT_EQ(reading.kind(), ErrorKind::rejected_by_us);
  EXPECT_EQ(reading.error(),
            fmt::format("{}: TLS handshake: its certificate is not accepted: it must lead to a CA in {}, "
                        "be valid today, and be for the name 127.0.0.1: Connect error (-11)",
                        uri(), store.ca_file));
}

TEST_P(BadCertificateTest, OfAnUntrustedCaIsRemarkedWhenNotVerified) {
  StoreSource store = bound({uri()});
  store.ca_file = slapd->other_ca_file();
  store.verify_server = false;
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(reading.answer->remarks.front(), uri() + ": its certificate was not checked: verify is off");
}

TEST_P(BadCertificateTest, ForAnotherNameIsRefused) {
  std::string named = uri();
  named.replace(named.find("127.0.0.1"), 9, "dc2.contoso.example");
  const NameService names{.addresses = {{"DC2.contoso.example", {"127.0.0.1"}}}};
  const Reading reading = read(bound({named}), Slapd::password, names);
  EXPECT_EQ(reading.kind(), ErrorKind::rejected_by_us);
  EXPECT_THAT(reading.error(), HasSubstr("its certificate is not for the name dc2.contoso.example"));
}

TEST_P(BadCertificateTest, ForTheNameAtAnotherAddressIsRight) {
  std::string named = uri();
  named.replace(named.find("127.0.0.1"), 9, "dc1.contoso.example");
  const NameService names{.addresses = {{"dc1.contoso.example", {"127.0.0.1"}}}};
  EXPECT_TRUE(read(bound({named}), Slapd::password, names).answer);
}

INSTANTIATE_TEST_SUITE_P(Over, BadCertificateTest,
                         testing::Values(BadCertificate{"StartTls", false}, BadCertificate{"Ldaps", true}),
                         [](const auto& row) { return row.param.name; });

TEST_F(DirectoryTest, AnExpiredServerCertificateIsRefused) {
  SlapdSettings settings;
  settings.certificate_days = -1;
  const Slapd expired{settings};
  StoreSource store = source({expired.ldaps()});
  store.ca_file = expired.ca_file();
  EXPECT_EQ(read(store).kind(), ErrorKind::rejected_by_us);
}

TEST_F(DirectoryTest, AMissingOrEmptyCaFileIsSaid) {
  StoreSource store = source({slapd->ldaps()});
  store.ca_file = "/nonexistent/ca.pem";
  EXPECT_EQ(read(store).error(), slapd->ldaps() + ": /nonexistent/ca.pem: cannot be read");
  store.ca_file = "/etc/passwd";
  EXPECT_EQ(read(store).error(), slapd->ldaps() + ": /etc/passwd: no PEM certificate in it");
}

TEST_F(DirectoryTest, TheNextServerAnswersWhenOneIsDown) {
  const std::string down = fmt::format("ldap://127.0.0.1:{}", test::free_port());
  const Reading reading = read(bound({down, slapd->ldap()}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(reading.answer->server, slapd->ldap());
  EXPECT_THAT(reading.answer->remarks.front(),
              AllOf(StartsWith(down + ": connect to 127.0.0.1 port "), HasSubstr("connection refused"),
                    EndsWith(slapd->ldap() + " answered")));
}

TEST_F(DirectoryTest, AllServersDown) {
  const std::string down = fmt::format("ldap://127.0.0.1:{}", test::free_port());
  const Reading reading = read(source({down, "ldapi://%2Fnonexistent%2Fldapi"}));
  EXPECT_EQ(reading.kind(), ErrorKind::unreachable);
  EXPECT_THAT(reading.error(), AllOf(StartsWith(down),
                                     HasSubstr("; ldapi://%2Fnonexistent%2Fldapi: connect to "
                                               "/nonexistent/ldapi: no such file or directory"),
                                     EndsWith("Can't contact LDAP server (-1)")));
}

TEST_F(DirectoryTest, ANameThatDoesNotResolveIsUnreachable) {
  const Reading reading = read(source({"ldap://dc.invalid"}));
  EXPECT_EQ(reading.kind(), ErrorKind::unreachable);
  EXPECT_THAT(reading.error(), StartsWith("ldap://dc.invalid: resolve dc.invalid: "));
}

TEST_F(DirectoryTest, TheConfiguredFamilyIsKept) {
  const NameService names{.addresses = {}, .family = Config::Family::v6};
  const Reading reading = read(source({slapd->ldap()}), Slapd::password, names);
  EXPECT_EQ(reading.kind(), ErrorKind::unreachable);
}

TEST_F(DirectoryTest, SizeLimitCutsAndSaysSo) {
  StoreSource store = source({slapd->ldap()});
  store.size_limit = 3;
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(reading.values.size(), 3U);
  EXPECT_THAT(reading.answer->truncated, HasSubstr("size_limit: stopped after 3 certificates"));
}

TEST_F(DirectoryTest, ASizeLimitThatIsJustReachedCutsNothing) {
  StoreSource store = source({slapd->ldap()});
  store.size_limit = 4;
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(reading.values.size(), 4U);
  EXPECT_EQ(reading.answer->truncated, "");
}

TEST(DirectoryOfItsOwn, WithoutAConfigurationContextABaseMustBeSet) {
  SlapdSettings settings;
  settings.names_configuration_context = false;
  const Slapd slapd{settings};
  StoreSource store;
  store.ldap_uris = {slapd.ldap()};
  const Reading reading = read(store);
  EXPECT_EQ(reading.kind(), ErrorKind::config);
  EXPECT_THAT(reading.error(), AllOf(StartsWith(slapd.ldap()), HasSubstr("set base to")));
  store.base = Slapd::services;
  EXPECT_TRUE(read(store).answer);
}

/// What an access control list hides is not there, as far as the answer tells.
struct Hidden {
  const char* name;
  std::vector<const char*> filled;  ///< containers with an entry in them
  std::string missing;              ///< what the answer is said to lack
};

class HiddenEntries : public testing::TestWithParam<Hidden> {};

TEST_P(HiddenEntries, AreNotTakenForAnEmptyContainer) {
  const TestCa ca{"Root"};
  SlapdSettings settings;
  for (const char* container : GetParam().filled)
    settings.entries += ca_entry(fmt::format("CN=Issuing,CN={}", container), {ca.ca_certificate("Issuing", 2)});
  const Slapd slapd{settings};
  StoreSource store;
  store.ldap_uris = {slapd.ldapi()};
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(reading.answer->truncated,
            GetParam().missing.empty() ? "" : fmt::format("{}: {}", slapd.ldapi(), GetParam().missing));
}

INSTANTIATE_TEST_SUITE_P(
    Containers, HiddenEntries,
    testing::Values(Hidden{"All", {}, "no CA certificate in any container, or none shown without a bind"},
                    Hidden{"Aia",
                           {"Certification Authorities", "Enrollment Services"},
                           "AIA: empty, or nothing in it is shown without a bind"},
                    Hidden{"Roots",
                           {"AIA", "Enrollment Services"},
                           "Certification Authorities: empty, or nothing in it is shown without a bind"},
                    Hidden{"RootsWithoutACaThatIssuesHere", {"AIA"}, ""},
                    Hidden{"Nothing", {"AIA", "Certification Authorities"}, ""}),
    [](const auto& row) { return row.param.name; });

TEST(DirectoryOfItsOwn, AMissingContainerIsToldAndAnEmptyOneIsNot) {
  SlapdSettings settings;
  settings.containers = {"AIA", "Enrollment Services"};
  const Slapd slapd{settings};
  StoreSource store;
  store.ldap_uris = {slapd.ldap()};
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_THAT(reading.answer->remarks,
              ElementsAre("NTAuthCertificates: no such entry", "CDP: no such entry, so no revocation lists"));
  EXPECT_EQ(reading.answer->truncated, slapd.ldap() +
                                           ": Certification Authorities: no such entry, or not shown to this account; "
                                           "no CA certificate in any container, or none shown without a bind");
}

TEST(DirectoryOfItsOwn, NTAuthCertificatesIsAnEntryWithValues) {
  const TestCa ca{"Root"};
  SlapdSettings settings;
  settings.containers = {"AIA", "Certification Authorities", "Enrollment Services", "CDP"};
  settings.entries = ca_entry("CN=NTAuthCertificates", {ca.ca_certificate("A", 2), ca.ca_certificate("B", 3)});
  const Slapd slapd{settings};
  StoreSource store;
  store.ldap_uris = {slapd.ldapi()};
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  ASSERT_EQ(reading.values.size(), 2U);
  EXPECT_EQ(reading.values[1].kind, StoreKind::ntauth);
  EXPECT_THAT(reading.answer->remarks, SizeIs(0));
}

TEST(DirectoryOfItsOwn, RevocationListsAreReadWhereverTheyStand) {
  const TestCa ca{"Contoso Root CA"};
  const ByteString list = ca.revocation_list(7);
  SlapdSettings settings;
  settings.entries = fmt::format("dn: CN=ca1,CN=CDP,{}\nobjectClass: container\ncn: ca1\n\n", Slapd::services) +
                     test::crl_entry("CN=Contoso Root CA,CN=ca1,CN=CDP", list) +
                     test::crl_entry("CN=Contoso Root CA(1),CN=ca1,CN=CDP", ca.revocation_list(8)) +
                     ca_entry("CN=Contoso Root CA,CN=Certification Authorities", {ca.own_certificate()});
  settings.entries.insert(settings.entries.size() - 1, test::binary_line("authorityRevocationList", list));
  const Slapd slapd{settings};
  StoreSource store;
  store.ldap_uris = {slapd.ldap()};
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_THAT(reading.answer->truncated, HasSubstr("AIA: empty")) << "lists, and no CA that signed them";
  EXPECT_THAT(reading.answer->remarks, SizeIs(0));
  std::map<std::string, ByteString> lists;
  for (const Value& value : reading.values) {
    if (value.content == DirectoryValue::Content::crl) lists.emplace(lower(value.dn), value.bytes);
  }
  ASSERT_EQ(lists.size(), 3U);
  EXPECT_EQ(lists[lower(dn("CN=Contoso Root CA,CN=ca1,CN=CDP"))], list);
  EXPECT_EQ(lists[lower(dn("CN=Contoso Root CA,CN=Certification Authorities"))], list);
  EXPECT_EQ(reading.values.size(), 4U);
}

TEST(DirectoryOfItsOwn, CrossCertificatePairsAreHandedOverWhole) {
  const TestCa ca{"Contoso Root CA"};
  const ByteString pair = test::certificate_pair(ca.ca_certificate("A", 2), ca.ca_certificate("B", 3));
  SlapdSettings settings;
  settings.entries = ca_entry("CN=Contoso Root CA,CN=AIA", {ca.own_certificate()});
  settings.entries.insert(settings.entries.size() - 1, test::binary_line("crossCertificatePair", pair));
  const Slapd slapd{settings};
  StoreSource store;
  store.ldap_uris = {slapd.ldap()};
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  ASSERT_EQ(reading.values.size(), 2U);
  const Value& value = *std::find_if(reading.values.begin(), reading.values.end(), [](const Value& v) {
    return v.content == DirectoryValue::Content::certificate_pair;
  });
  EXPECT_EQ(value.bytes, pair);
  EXPECT_EQ(value.kind, StoreKind::intermediate);
}

TEST(DirectoryOfItsOwn, KeyRecoveryAgentsAreCountedAndNotRead) {
  const TestCa ca{"Contoso Root CA"};
  SlapdSettings settings;
  settings.containers.emplace_back("KRA");
  for (const char* name : {"agent 1", "agent 2"}) {
    settings.entries +=
        fmt::format("dn: CN={0},CN=KRA,{1}\nobjectClass: container\nobjectClass: pkiUser\ncn: {0}\n{2}\n", name,
                    Slapd::services, test::binary_line("userCertificate", ca.own_certificate()));
  }
  const Slapd slapd{settings};
  StoreSource store;
  store.ldap_uris = {slapd.ldap()};
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_THAT(reading.values, SizeIs(0));
  EXPECT_THAT(reading.answer->remarks,
              testing::Contains("KRA: 2 key recovery agents not read: no path goes through their certificates"));
}

TEST(DirectoryOfItsOwn, ReferralsAreReportedAndNotFollowed) {
  const TestCa ca{"Root"};
  SlapdSettings settings;
  settings.entries = test::referral_entry("CN=Far CA,CN=AIA", "ldap://127.0.0.1:1/cn=far") +
                     ca_entry("CN=Near CA,CN=AIA", {ca.own_certificate()});
  const Slapd slapd{settings};
  StoreSource store;
  store.ldap_uris = {slapd.ldap()};
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(reading.values.size(), 1U);
  EXPECT_THAT(reading.answer->referrals, ElementsAre(StartsWith("ldap://127.0.0.1:1/cn=far")));
  EXPECT_THAT(reading.answer->truncated, HasSubstr(": referral not followed: ldap://127.0.0.1:1/cn=far"));
}

TEST(DirectoryOfItsOwn, NoPermissionIsTheServersNo) {
  SlapdSettings settings;
  settings.database =
      "access to dn.subtree=\"CN=Services,CN=Configuration,dc=contoso,dc=example\" by * disclose\n"
      "access to * by * read\n";
  const Slapd slapd{settings};
  StoreSource store;
  store.ldap_uris = {slapd.ldap()};
  const Reading reading = read(store);
  EXPECT_EQ(reading.kind(), ErrorKind::rejected_by_peer);
  EXPECT_THAT(reading.error(), AllOf(HasSubstr("refused without a bind"), EndsWith("Insufficient access (50)")));
}

TEST(DirectoryOfItsOwn, ASpecialNameIsFoundInItsContainer) {
  const TestCa ca{"Root"};
  SlapdSettings settings;
  settings.entries = ca_entry("CN=Contoso\\, Inc\\2C \\C3\\84 CA,CN=AIA", {ca.own_certificate()});
  settings.entries.replace(settings.entries.find("cn: "),
                           settings.entries.find("\ncACert") - settings.entries.find("cn: "),
                           "cn: Contoso, Inc, \xC3\x84 CA");
  const Slapd slapd{settings};
  StoreSource store;
  store.ldap_uris = {slapd.ldap()};
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  ASSERT_EQ(reading.values.size(), 1U);
  EXPECT_EQ(reading.values.front().kind, StoreKind::intermediate);
}

/// As a domain controller's MaxPageSize ([MS-ADTS] 3.1.1.3.4.6).
static SlapdSettings two_thousand(const std::string& limits) {
  const TestCa ca{"Contoso Root CA"};
  SlapdSettings settings;
  for (long i = 0; i < 2000; ++i) {
    const std::string name = fmt::format("CA {}", i);
    settings.entries += ca_entry(fmt::format("CN={},CN=AIA", name), {ca.ca_certificate(name, i + 2)});
  }
  settings.database = limits;
  return settings;
}

TEST(LargeDirectory, IsReadInPagesBeyondTheServersLimit) {
  const Slapd slapd{two_thousand("sizelimit size.soft=1000 size.hard=1000 size.pr=unlimited size.prtotal=unlimited\n")};
  for (const std::string& uri : {slapd.ldap(), slapd.ldaps(), slapd.ldapi()}) {
    StoreSource store;
    store.ldap_uris = {uri};
    store.ca_file = slapd.ca_file();
    const Reading reading = read(store);
    ASSERT_TRUE(reading.answer) << reading.error();
    EXPECT_EQ(reading.answer->truncated, "");
    std::set<std::string> names;
    for (const Value& value : reading.values) names.insert(value.dn);
    EXPECT_EQ(names.size(), 2000U) << uri;
  }
}

TEST(LargeDirectory, KeepsWhatCameBeforeTheServersLimit) {
  const Slapd slapd{two_thousand("sizelimit size.soft=1000 size.hard=1000 size.pr=1000 size.prtotal=1200\n")};
  StoreSource store;
  store.ldap_uris = {slapd.ldap()};
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_GT(reading.values.size(), 0U);
  EXPECT_LT(reading.values.size(), 2000U);
  EXPECT_THAT(reading.answer->truncated,
              HasSubstr(fmt::format("the server stopped after {} certificates: ", reading.values.size())));
}

struct Silence {
  const char* name;
  std::string (Slapd::*uri)() const;
  bool bind;
};
class SilenceTest : public testing::TestWithParam<Silence> {
 protected:
  SilenceTest() {
    store.ldap_uris = {(slapd.*GetParam().uri)()};
    store.ca_file = slapd.ca_file();
    if (GetParam().bind) store.bind = LdapBind{.dn = Slapd::reader, .password = {}};
    slapd.freeze();
  }
  Slapd slapd;
  StoreSource store;
};

TEST_P(SilenceTest, EndsAfterTheStep) {
  const auto begun = Deadline::Clock::now();
  const Reading reading = read(store, Slapd::password, {}, {}, 300ms);
  EXPECT_EQ(reading.kind(), ErrorKind::timed_out);
  EXPECT_THAT(reading.error(), AllOf(StartsWith(store.ldap_uris.front()), HasSubstr("no answer within 300 ms"),
                                     EndsWith("Timed out (-5)")));
  EXPECT_LT(Deadline::Clock::now() - begun, 5s);
}

TEST_P(SilenceTest, EndsAtTheDeadline) {
  const auto begun = Deadline::Clock::now();
  store.ldap_uris.push_back(store.ldap_uris.front());
  const Reading reading = read(store, Slapd::password, {}, Deadline{.at = begun + 300ms, .stop = {}});
  EXPECT_EQ(reading.kind(), ErrorKind::timed_out);
  EXPECT_THAT(reading.error(), HasSubstr("no time left"));
  EXPECT_LT(Deadline::Clock::now() - begun, 5s);
}

TEST_P(SilenceTest, EndsWhenStopped) {
  std::stop_source stop;
  stop.request_stop();
  const Reading reading = read(store, Slapd::password, {}, Deadline{.stop = stop.get_token()});
  EXPECT_EQ(reading.kind(), ErrorKind::timed_out);
  EXPECT_THAT(reading.error(), HasSubstr("stopped"));
}

INSTANTIATE_TEST_SUITE_P(Over, SilenceTest,
                         testing::Values(Silence{"Clear", &Slapd::ldap, false}, Silence{"StartTls", &Slapd::ldap, true},
                                         Silence{"Ldaps", &Slapd::ldaps, false},
                                         Silence{"Local", &Slapd::ldapi, false}),
                         [](const auto& row) { return row.param.name; });

struct BadUri {
  const char* name;
  const char* uri;
  const char* error;
};
class BadUriTest : public testing::TestWithParam<BadUri> {};

TEST_P(BadUriTest, IsRefusedBeforeAnyServerIsAsked) {
  StoreSource store;
  store.ldap_uris = {"ldap://127.0.0.1:1", GetParam().uri};
  const Reading reading = read(store);
  EXPECT_EQ(reading.kind(), ErrorKind::config);
  EXPECT_EQ(reading.error(), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Uri, BadUriTest,
    testing::Values(BadUri{"Http", "http://dc1", "http://dc1: not an ldap, ldaps or ldapi uri"},
                    BadUri{"Udp", "cldap://dc1", "cldap://dc1: not an ldap, ldaps or ldapi uri"},
                    BadUri{"NoHost", "ldap:///dc=x", "ldap://: no server name in it"},
                    BadUri{"NoPath", "ldapi://", "ldapi://: no socket's path, with %2F for each slash, in it"},
                    BadUri{"Password", "ldap://me:secret@dc1/x",
                           "ldap uri of dc1: holds a user name or password: these belong under bind"}),
    [](const auto& row) { return row.param.name; });

TEST(DirectoryOfItsOwn, NoUriAtAllIsAnErrorOfTheConfiguration) {
  EXPECT_EQ(read({}).kind(), ErrorKind::config);
}

}  // namespace
}  // namespace mrascheck::ldap

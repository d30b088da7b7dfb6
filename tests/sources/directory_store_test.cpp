// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "core/text.hpp"
#include "sources/sources.hpp"
#include "support/ldap_responder.hpp"
#include "support/slapd.hpp"

namespace mrascheck::sources {
namespace {

using namespace std::chrono_literals;
using test::ca_entry;
using test::LdapResponder;
using test::Slapd;
using test::SlapdSettings;
using test::TestCa;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

TEST(DirectoryStoreTest, HoldsEveryCertificateWithItsPlace) {
  const TestCa ca{"Contoso Root CA"};
  const ByteString issuing = ca.ca_certificate("Contoso Issuing CA", 10);
  SlapdSettings settings;
  settings.entries = ca_entry("CN=Contoso Issuing CA,CN=AIA", {issuing, ca.ca_certificate("Contoso Issuing CA", 11)}) +
                     ca_entry("CN=Contoso Root CA,CN=Certification Authorities", {ca.own_certificate()}) +
                     ca_entry("CN=Contoso Issuing CA,CN=Enrollment Services", {issuing});
  const Slapd slapd{settings};
  test::write_file(slapd.directory() / "password", std::string{Slapd::password} + '\n');
  StoreSource source;
  source.name = "active-directory";
  source.ldap_uris = {slapd.ldap()};
  source.ca_file = slapd.ca_file();
  source.bind = LdapBind{.dn = Slapd::reader,
                         .password = {.kind = SecretSource::Kind::file, .value = slapd.directory() / "password"}};
  CertificatePool pool;
  const auto contents = read_directory_store(source, pool, 20s, Deadline{});
  ASSERT_TRUE(contents) << contents.error().text;
  EXPECT_EQ(contents->store, "active-directory");
  EXPECT_EQ(contents->source, slapd.ldap());
  EXPECT_THAT(contents->unreadable, SizeIs(0));
  EXPECT_THAT(contents->remarks, SizeIs(0));
  ASSERT_EQ(contents->entries.size(), 4U);
  const auto of = [&](StoreKind kind) {
    return *std::find_if(contents->entries.begin(), contents->entries.end(),
                         [&](const StoreEntry& entry) { return entry.kind == kind; });
  };
  EXPECT_TRUE(of(StoreKind::root).anchor());
  EXPECT_EQ(of(StoreKind::root).certificate->subject.common_name(), "Contoso Root CA");
  EXPECT_EQ(of(StoreKind::enrollment).certificate->der, issuing);
  EXPECT_THAT(to_lower(of(StoreKind::enrollment).place.str()),
              StartsWith("cn=contoso issuing ca,cn=enrollment services,"));
  // Equal bytes are one value, wherever they stand.
  const auto same = std::count_if(contents->entries.begin(), contents->entries.end(), [&](const StoreEntry& entry) {
    return entry.certificate == of(StoreKind::enrollment).certificate;
  });
  EXPECT_EQ(same, 2);
}

TEST(DirectoryStoreTest, HoldsRevocationListsAndWhatStandsInCrossCertificatePairs) {
  const TestCa ca{"Contoso Root CA"};
  const ByteString forward = ca.ca_certificate("Cross CA", 2);
  const ByteString reverse = ca.ca_certificate("Other CA", 3);
  SlapdSettings settings;
  settings.entries = ca_entry("CN=Contoso Root CA,CN=AIA", {ca.own_certificate()});
  settings.entries.insert(settings.entries.size() - 1,
                          test::binary_line("crossCertificatePair", test::certificate_pair(forward, reverse)));
  settings.entries += fmt::format("dn: CN=ca1,CN=CDP,{}\nobjectClass: container\ncn: ca1\n\n", Slapd::services) +
                      test::crl_entry("CN=Contoso Root CA,CN=ca1,CN=CDP", ca.revocation_list(7));
  const Slapd slapd{settings};
  StoreSource source;
  source.ldap_uris = {slapd.ldap()};
  CertificatePool pool;
  const auto contents = read_directory_store(source, pool, 20s, Deadline{});
  ASSERT_TRUE(contents) << contents.error().text;
  EXPECT_THAT(contents->unreadable, SizeIs(0));
  ASSERT_EQ(contents->crls.size(), 1U);
  EXPECT_EQ(contents->crls[0].crl->issuer.common_name(), "Contoso Root CA");
  EXPECT_TRUE(contents->crls[0].crl->lists("07"));
  EXPECT_THAT(to_lower(contents->crls[0].place), StartsWith("cn=contoso root ca,cn=ca1,cn=cdp,"));
  std::vector<std::string> crossed;
  for (const StoreEntry& entry : contents->entries) {
    if (!in_certificate_pair(entry.place.str())) continue;
    EXPECT_TRUE(entry.place.str().ends_with(entry.certificate->subject.common_name() == "Cross CA" ? forward_mark
                                                                                                   : reverse_mark));
    crossed.emplace_back(entry.certificate->subject.common_name());
    EXPECT_EQ(entry.kind, StoreKind::intermediate);
  }
  std::sort(crossed.begin(), crossed.end());
  EXPECT_EQ(crossed, (std::vector<std::string>{"Cross CA", "Other CA"}));
  EXPECT_EQ(contents->entries.size(), 3U);
}

TEST(DirectoryStoreTest, WhatIsNoListAndNoPairIsUnreadable) {
  const std::string dn = "CN=Root,CN=AIA,CN=Public Key Services,CN=Services,DC=x";
  const LdapResponder server{[&](const LdapResponder::Request& request) -> LdapResponder::Reply {
    return {LdapResponder::entry(request.id, dn,
                                 {{"crossCertificatePair", {"\x30\x02\x05\x0a"}},
                                  {"certificateRevocationList", {std::string(1, '\0')}},
                                  {"authorityRevocationList", {"garbage"}}}) +
            LdapResponder::search_done(request.id)};
  }};
  StoreSource source;
  source.ldap_uris = {server.uri()};
  source.base = "CN=Public Key Services,CN=Services,DC=x";
  CertificatePool pool;
  const auto contents = read_directory_store(source, pool, 20s, Deadline{});
  ASSERT_TRUE(contents) << contents.error().text;
  EXPECT_THAT(contents->entries, SizeIs(0));
  EXPECT_THAT(contents->crls, SizeIs(0));
  ASSERT_EQ(contents->unreadable.size(), 2U);
  EXPECT_THAT(contents->unreadable[0].reason, StartsWith("crossCertificatePair, value 1: certificate pair: "));
  EXPECT_THAT(contents->unreadable[1].reason, StartsWith("revocation list, value 1: "));
}

TEST(DirectoryStoreTest, NothingIsKeptOfAServerThatWasLostInTheMiddle) {
  const TestCa ca{"Root"};
  const std::string own{as_text(ca.own_certificate())};
  const std::string base = "CN=Public Key Services,CN=Services,DC=x";
  const auto entry = [&](const LdapResponder::Request& request, const std::vector<std::string>& values) {
    return LdapResponder::entry(request.id, "CN=Root,CN=AIA," + base, {{"cACertificate", values}});
  };
  const LdapResponder lost{[&](const LdapResponder::Request& request) -> LdapResponder::Reply {
    return {entry(request, {"garbage", own}), true};
  }};
  const LdapResponder good{[&](const LdapResponder::Request& request) -> LdapResponder::Reply {
    return {entry(request, {own}) + LdapResponder::search_done(request.id)};
  }};
  StoreSource source;
  source.ldap_uris = {lost.uri(), good.uri()};
  source.base = base;
  CertificatePool pool;
  const auto contents = read_directory_store(source, pool, 20s, Deadline{});
  ASSERT_TRUE(contents) << contents.error().text;
  EXPECT_THAT(contents->entries, SizeIs(1));
  EXPECT_THAT(contents->unreadable, SizeIs(0));
  EXPECT_EQ(contents->source, good.uri());
  EXPECT_THAT(contents->remarks, testing::Contains(HasSubstr("; " + good.uri() + " answered")));
}

/// An export that ldapsearch(1) made says what the directory itself said.
TEST(DirectoryStoreTest, AnLdifOfItIsTheSame) {
  const TestCa ca{"Contoso Root CA"};
  const ByteString issuing = ca.ca_certificate("Contoso Issuing CA", 10);
  SlapdSettings settings;
  settings.entries = ca_entry("CN=Contoso Issuing CA,CN=AIA", {issuing, ca.ca_certificate("Contoso Issuing CA", 11)}) +
                     ca_entry("CN=Contoso Root CA,CN=AIA", {ca.own_certificate()}) +
                     ca_entry("CN=Contoso Root CA,CN=Certification Authorities", {ca.own_certificate()}) +
                     ca_entry("CN=NTAuthCertificates", {issuing}) +
                     ca_entry("CN=Contoso Issuing CA,CN=Enrollment Services", {issuing});
  settings.containers = {"AIA", "Certification Authorities", "Enrollment Services"};
  const Slapd slapd{settings};
  StoreSource source;
  source.ldap_uris = {slapd.ldap()};
  source.bind = LdapBind{.dn = Slapd::reader,
                         .password = {.kind = SecretSource::Kind::file, .value = slapd.directory() / "password"}};
  source.ca_file = slapd.ca_file();
  test::write_file(slapd.directory() / "password", std::string{Slapd::password} + '\n');
  CertificatePool pool;
  const auto directory = read_directory_store(source, pool, 20s, Deadline{});
  ASSERT_TRUE(directory) << directory.error().text;

  const std::string ldif = slapd.directory() / "export.ldif";
  const std::string command =
      fmt::format("ldapsearch -H {} -x -D '{}' -w '{}' -b '{}' '(cACertificate=*)' > {} 2>/dev/null", slapd.ldapi(),
                  Slapd::reader, Slapd::password, Slapd::services, ldif);
  ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
  StoreSource file;
  file.name = "export";
  file.paths = {ldif};
  const auto exported = read_local_store(file, StoreKind::mixed, pool);
  ASSERT_TRUE(exported) << exported.error().text;
  EXPECT_THAT(exported->unreadable, SizeIs(0));
  EXPECT_EQ(exported->truncated, "");

  const auto lines = [](const StoreContents& contents) {
    std::vector<std::string> all;
    for (const StoreEntry& entry : contents.entries)
      all.push_back(
          fmt::format("{} {} {}", to_lower(entry.place.str()), to_string(entry.kind), thumbprint(*entry.certificate)));
    std::sort(all.begin(), all.end());
    return all;
  };
  EXPECT_EQ(lines(*exported), lines(*directory));
  EXPECT_THAT(exported->entries, SizeIs(6));
}

TEST(DirectoryStoreTest, WhatIsNoCertificateIsUnreadableAndTheRestIsKept) {
  const TestCa ca{"Root"};
  const ByteString good = ca.own_certificate();
  const std::string dn = "CN=Root,CN=AIA,CN=Public Key Services,CN=Services,DC=x";
  const LdapResponder server{[&](const LdapResponder::Request& request) -> LdapResponder::Reply {
    const std::vector<std::string> values{"", "\x30\x82", std::string{as_text(good)},
                                          std::string{as_text(good).substr(0, good.size() - 1)}, "garbage"};
    return {LdapResponder::entry(request.id, dn, {{"cACertificate", values}}) + LdapResponder::search_done(request.id)};
  }};
  StoreSource source;
  source.ldap_uris = {server.uri()};
  source.base = "CN=Public Key Services,CN=Services,DC=x";
  CertificatePool pool;
  const auto contents = read_directory_store(source, pool, 20s, Deadline{});
  ASSERT_TRUE(contents) << contents.error().text;
  ASSERT_EQ(contents->entries.size(), 1U);
  EXPECT_EQ(contents->entries.front().index, 2U);
  EXPECT_EQ(contents->entries.front().certificate->der, good);
  ASSERT_EQ(contents->unreadable.size(), 4U);
  for (const Unreadable& unreadable : contents->unreadable) EXPECT_EQ(unreadable.place, dn);
  EXPECT_THAT(contents->unreadable.front().reason, StartsWith("value 1: "));
  EXPECT_THAT(contents->unreadable.back().reason, StartsWith("value 5: "));
}

TEST(DirectoryStoreTest, ALimitThatCutTheAnswerIsSaid) {
  const TestCa ca{"Root"};
  const LdapResponder server{[&](const LdapResponder::Request& request) -> LdapResponder::Reply {
    const std::vector<std::string> values{std::string{as_text(ca.own_certificate())},
                                          std::string{as_text(ca.ca_certificate("CN=Sub", 2))}};
    return {LdapResponder::entry(request.id, "CN=Root,CN=AIA,CN=Public Key Services,CN=Services,DC=x",
                                 {{"cACertificate", values}}) +
            LdapResponder::search_done(request.id)};
  }};
  StoreSource source;
  source.ldap_uris = {server.uri()};
  source.base = "CN=Public Key Services,CN=Services,DC=x";
  source.size_limit = 1;
  CertificatePool pool;
  const auto contents = read_directory_store(source, pool, 20s, Deadline{});
  ASSERT_TRUE(contents) << contents.error().text;
  EXPECT_EQ(contents->entries.size(), 1U);
  EXPECT_THAT(contents->truncated, HasSubstr("size_limit: stopped after 1 certificate"));
}

TEST(DirectoryStoreTest, APasswordThatCannotBeReadIsSaidBeforeAnyServerIsAsked) {
  StoreSource source;
  source.ldap_uris = {fmt::format("ldap://127.0.0.1:{}", test::free_port())};
  source.bind =
      LdapBind{.dn = "cn=reader", .password = {.kind = SecretSource::Kind::file, .value = "/nonexistent/password"}};
  CertificatePool pool;
  const auto contents = read_directory_store(source, pool, 20s, Deadline{});
  ASSERT_FALSE(contents);
  EXPECT_THAT(contents.error().text, HasSubstr("/nonexistent/password"));
}

TEST(DirectoryStoreTest, AServerThatIsDownIsAnError) {
  StoreSource source;
  source.ldap_uris = {fmt::format("ldap://127.0.0.1:{}", test::free_port())};
  CertificatePool pool;
  const auto contents = read_directory_store(source, pool, 20s, Deadline{});
  ASSERT_FALSE(contents);
  EXPECT_EQ(contents.error().kind, ErrorKind::unreachable);
}

}  // namespace
}  // namespace mrascheck::sources

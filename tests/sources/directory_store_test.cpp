// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

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
  EXPECT_EQ(of(StoreKind::root).certificate->subject.common_name, "Contoso Root CA");
  EXPECT_EQ(of(StoreKind::enrollment).certificate->der, issuing);
  EXPECT_THAT(to_lower(of(StoreKind::enrollment).place), StartsWith("cn=contoso issuing ca,cn=enrollment services,"));
  // Equal bytes are one value, wherever they stand.
  const auto same = std::count_if(contents->entries.begin(), contents->entries.end(), [&](const StoreEntry& entry) {
    return entry.certificate == of(StoreKind::enrollment).certificate;
  });
  EXPECT_EQ(same, 2);
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

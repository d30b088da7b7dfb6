// SPDX-License-Identifier: Apache-2.0
#include "x509/crl_reader.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "support/d2i_crl_agreement.hpp"
#include "support/openssl_cli.hpp"

namespace mrascheck::x509 {

using test::disagreement;
using test::OpensslCli;
using test::plain_hasher;

namespace {

struct Recipe {
  const char* name;
  const char* extensions;  ///< of the list; none: version 1, unless an entry has some
  const char* index;       ///< openssl ca's database
  const char* more = "-crldays 7";
  const char* key = "ec -pkeyopt ec_paramgen_curve:P-256";
};

}  // namespace

static const std::vector<Recipe>& recipes() {
  static const char* const three =
      "R\t300101000000Z\t260101000000Z\t0A\tunknown\t/CN=a\n"
      "R\t300101000000Z\t260101000000Z,keyCompromise\t00F1E2D3\tunknown\t/CN=b\n"
      "R\t300101000000Z\t260101000000Z,removeFromCRL\t02\tunknown\t/CN=c\n"
      "R\t300101000000Z\t260101000000Z,certificateHold\t7F0102030405060708090A0B0C0D0E0F10111213\tunknown\t/CN=d\n"
      "V\t300101000000Z\t\t04\tunknown\t/CN=e\n";
  static const std::vector<Recipe> all{
      {"Empty", nullptr, ""},
      {"Version1", nullptr, "R\t300101000000Z\t260101000000Z\t0A\tunknown\t/CN=a\n"},
      {"Revoked", "authorityKeyIdentifier=keyid:always\n", three},
      {"ActiveDirectory",
       "authorityKeyIdentifier=keyid:always\n1.3.6.1.4.1.311.21.1=ASN1:INTEGER:65537\n"
       "1.3.6.1.4.1.311.21.4=ASN1:UTCTIME:261201000000Z\n"
       "1.3.6.1.4.1.311.21.14=ASN1:SEQUENCE:x\n[x]\na=UTF8:CN=CDP\n",
       three},
      {"Delta", "2.5.29.27=critical,ASN1:INTEGER:5\nauthorityKeyIdentifier=keyid:always\n", three},
      {"Scoped", "issuingDistributionPoint=critical,@scope\n[scope]\nonlyuser=TRUE\n", three},
      {"UnknownCritical", "1.2.3.4=critical,ASN1:NULL\n1.2.3.5=ASN1:NULL\n", three},
      {"After2050", "authorityKeyIdentifier=keyid:always\n", three,
       "-crl_lastupdate 20491231235959Z -crl_nextupdate 20510101000000Z"},
      {"Rsa", "authorityKeyIdentifier=keyid:always\n", three, "-crldays 7", "rsa:2048"},
      {"Ed25519", "authorityKeyIdentifier=keyid:always\n", three, "-crldays 7 -md null", "ed25519"},
  };
  return all;
}

/// The list of that recipe, made by openssl(1) when it is first asked for.
static const ByteString& made(const std::string& name) {
  static const OpensslCli openssl;
  static std::map<std::string, ByteString> lists;
  const auto known = lists.find(name);
  if (known != lists.end()) return known->second;
  const auto recipe =
      std::find_if(recipes().begin(), recipes().end(), [&](const Recipe& candidate) { return candidate.name == name; });
  EXPECT_NE(recipe, recipes().end()) << name;
  openssl.self_signed(name, "/DC=example/DC=contoso/CN=Contoso Issuing CA", test::ca_extensions, recipe->key);
  openssl.dir().write(name + ".index", recipe->index);
  openssl.dir().write(name + ".number", "0100\n");
  openssl.dir().write(name + ".ca", fmt::format("[ca]\ndefault_ca=it\n[it]\ndatabase={0}.index\ncrlnumber={0}.number\n"
                                                "default_md=sha256\n[ext]\n{1}",
                                                name, recipe->extensions == nullptr ? "" : recipe->extensions));
  openssl.shell(
      fmt::format("openssl ca -gencrl -config {0}.ca {1} -keyfile {0}.key -cert {0}.crt {2} -out {0}.pem && "
                  "openssl crl -in {0}.pem -outform DER -out {0}.crl",
                  name, recipe->extensions == nullptr ? "" : "-crlexts ext", recipe->more));
  const std::string content = openssl.dir().read(name + ".crl");
  return lists[name] = ByteString(content.begin(), content.end());
}

static Crl read(const std::string& name) {
  Result<Crl> crl = read_crl(made(name), plain_hasher);
  EXPECT_TRUE(crl.has_value()) << name << ": " << crl.error().text;
  return crl.value_or(Crl{});
}

class CrlCorpusTest : public testing::TestWithParam<Recipe> {};
TEST_P(CrlCorpusTest, IsReadAsOpensslReadsIt) {
  EXPECT_EQ(disagreement(read(GetParam().name)), "");
}

TEST_P(CrlCorpusTest, NoBeginningIsAList) {
  const ByteString& whole = made(GetParam().name);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto crl = read_crl(Bytes{whole}.first(size), plain_hasher);
    ASSERT_FALSE(crl) << size;
    EXPECT_EQ(crl.error().kind, ErrorKind::malformed);
  }
}

TEST_P(CrlCorpusTest, AChangedByteIsAnErrorOrReadAsOpensslReadsIt) {
  std::mt19937 random{20'261'122};
  for (int i = 0; i < 1000; ++i) {
    ByteString changed = made(GetParam().name);
    changed[random() % changed.size()] ^= static_cast<std::uint8_t>(1U << random() % 8U);
    const auto crl = read_crl(changed, plain_hasher);
    if (crl) {
      EXPECT_EQ(disagreement(*crl), "") << to_hex(changed);
    } else {
      EXPECT_FALSE(crl.error().text.empty());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(MadeByOpenssl, CrlCorpusTest, testing::ValuesIn(recipes()),
                         [](const auto& row) { return row.param.name; });

TEST(CrlReaderTest, SaysWhatStandsInTheListOfAnEnterpriseCa) {
  const Crl crl = read("ActiveDirectory");
  EXPECT_EQ(crl.issuer.text(), "CN=Contoso Issuing CA,DC=contoso,DC=example");
  EXPECT_EQ(crl.signature_algorithm, "ecdsa-with-SHA256");
  EXPECT_EQ(crl.number, "0100");
  EXPECT_EQ(crl.ca_version, (CaVersion{.certificate_index = 1, .key_index = 1}));
  EXPECT_TRUE(crl.authority_key_id && crl.authority_key_id->size() == 20);
  EXPECT_FALSE(crl.delta);
  EXPECT_TRUE(crl.unknown_critical.empty());
  EXPECT_EQ(crl.revoked, (std::vector<std::string>{"0a", "7f0102030405060708090a0b0c0d0e0f10111213", "f1e2d3"}));
  ASSERT_TRUE(crl.next_update);
  EXPECT_EQ(*crl.next_update - crl.this_update, std::chrono::days{7});
  EXPECT_FALSE(crl.overdue_at(*crl.next_update));
  EXPECT_TRUE(crl.overdue_at(*crl.next_update + std::chrono::seconds{1}));
}

TEST(CrlReaderTest, TellsHoldsReleasesAndScope) {
  const Crl crl = read("Scoped");
  EXPECT_EQ(crl.held, std::vector<std::string>{"7f0102030405060708090a0b0c0d0e0f10111213"});
  EXPECT_EQ(crl.taken_off, std::vector<std::string>{"02"});
  EXPECT_TRUE(crl.only_users);
  EXPECT_FALSE(crl.only_authorities);
  EXPECT_FALSE(crl.scope.empty());
  EXPECT_TRUE(read("Revoked").scope.empty());
}

TEST(CrlReaderTest, TellsADeltaListAndWhatItDoesNotKnow) {
  EXPECT_TRUE(read("Delta").delta);
  EXPECT_TRUE(read("Scoped").unknown_critical.empty());
  EXPECT_EQ(read("UnknownCritical").unknown_critical, std::vector<std::string>{"1.2.3.4"});
  EXPECT_EQ(to_iso8601(*read("After2050").next_update), "2051-01-01T00:00:00Z");
}

TEST(CrlReaderTest, WhatAnIndirectListSaysOfOtherIssuersIsNotOurs) {
  const unsigned char* cursor = made("Revoked").data();
  const std::unique_ptr<X509_CRL, test::FreedBy<X509_CRL_free>> list{
      d2i_X509_CRL(nullptr, &cursor, static_cast<long>(made("Revoked").size()))};
  const auto add = [&](long serial, const X509_NAME* issuer) {
    X509_REVOKED* entry = X509_REVOKED_new();
    const std::unique_ptr<ASN1_INTEGER, test::FreedBy<ASN1_INTEGER_free>> number{ASN1_INTEGER_new()};
    ASN1_INTEGER_set(number.get(), serial);
    X509_REVOKED_set_serialNumber(entry, number.get());
    const std::unique_ptr<ASN1_TIME, test::FreedBy<ASN1_TIME_free>> since{ASN1_TIME_set(nullptr, 1'767'225'600)};
    X509_REVOKED_set_revocationDate(entry, since.get());
    if (issuer != nullptr) {
      const std::unique_ptr<GENERAL_NAMES, test::FreedBy<GENERAL_NAMES_free>> names{sk_GENERAL_NAME_new_null()};
      GENERAL_NAME* name = GENERAL_NAME_new();
      GENERAL_NAME_set0_value(name, GEN_DIRNAME, X509_NAME_dup(issuer));
      sk_GENERAL_NAME_push(names.get(), name);
      X509_REVOKED_add1_ext_i2d(entry, NID_certificate_issuer, names.get(), 1, X509V3_ADD_DEFAULT);
    }
    X509_CRL_add0_revoked(list.get(), entry);
  };
  const std::unique_ptr<X509_NAME, test::FreedBy<X509_NAME_free>> stranger{X509_NAME_new()};
  X509_NAME_add_entry_by_txt(stranger.get(), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("Fabrikam CA"),
                             -1, -1, 0);
  add(0x21, nullptr);
  add(0x22, stranger.get());
  add(0x23, nullptr);  // still the stranger's
  add(0x24, X509_CRL_get_issuer(list.get()));
  unsigned char* der = nullptr;
  const int size = i2d_X509_CRL(list.get(), &der);  // its old signature does not matter here
  const ByteString bytes(der, der + size);
  OPENSSL_free(der);
  const auto crl = read_crl(bytes, plain_hasher);
  ASSERT_TRUE(crl) << crl.error().text;
  EXPECT_TRUE(crl->lists("21"));
  EXPECT_FALSE(crl->lists("22"));
  EXPECT_FALSE(crl->lists("23"));
  EXPECT_TRUE(crl->lists("24"));
}

TEST(CrlReaderTest, ACertificateIsNone) {
  static const OpensslCli openssl;
  openssl.self_signed("a", "/CN=a", test::ca_extensions);
  const auto crl = read_crl(openssl.der("a"), plain_hasher);
  ASSERT_FALSE(crl);
  EXPECT_EQ(crl.error().kind, ErrorKind::malformed);
  EXPECT_EQ(read_crl(ByteString(max_crl_size + 1, 0x30), plain_hasher).error().text, "larger than 16 MiB");
  EXPECT_EQ(read_crl({}, plain_hasher).error().text, "no bytes at all");
}

}  // namespace mrascheck::x509

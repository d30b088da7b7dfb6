// SPDX-License-Identifier: Apache-2.0
#include "x509/certificate_reader.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "core/text.hpp"
#include "support/d2i_agreement.hpp"
#include "support/openssl_cli.hpp"
#include "x509/scan.hpp"

namespace mrascheck::x509 {

using test::disagreement;
using test::OpensslCli;
using test::plain_hasher;

namespace {

struct Recipe {
  const char* name;
  const char* subject;
  const char* extensions;
  const char* key = "ec -pkeyopt ec_paramgen_curve:P-256";
  const char* more = "";
  const char* issuer = nullptr;
};

}  // namespace

static const std::vector<Recipe>& recipes() {
  static const char* const active_directory =
      "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=digitalSignature,keyCertSign,cRLSign\n"
      "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid,issuer:always\n"
      "1.3.6.1.4.1.311.21.1=ASN1:INTEGER:65537\n"
      "1.3.6.1.4.1.311.21.2=ASN1:FORMAT:HEX,OCT:000102030405060708090a0b0c0d0e0f10111213\n"
      "1.3.6.1.4.1.311.20.2=ASN1:BMP:SubCA\n"
      "crlDistributionPoints=URI:ldap:///CN=x%2CCN=CDP?certificateRevocationList,URI:http://pki.contoso.example/x.crl\n"
      "authorityInfoAccess=caIssuers;URI:http://pki.contoso.example/root.crt,OCSP;URI:http://ocsp.contoso.example\n"
      "certificatePolicies=1.2.3.4,2.5.29.32.0\n";
  static const char* const server =
      "extendedKeyUsage=serverAuth,clientAuth,1.3.6.1.4.1.311.20.2.2\nkeyUsage=critical,digitalSignature,"
      "keyEncipherment\n"
      "subjectAltName=DNS:pool.contoso.example,DNS:fe1.contoso.example,IP:192.0.2.7,IP:2001:db8::7,email:a@b.example,"
      "URI:sip:x@contoso.example,RID:1.2.3.4,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:x@contoso.example,dirName:dir\n"
      "basicConstraints=CA:FALSE\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n[dir]\nCN=somewhere\n";
  static const std::vector<Recipe> all{
      {"rsa", "/DC=example/DC=contoso/CN=Contoso Root CA", test::ca_extensions, "rsa:2048"},
      {"issuing", "/DC=example/DC=contoso/CN=Contoso Issuing CA", active_directory, "rsa:2048",
       "-set_serial 0x00f1e2d3", "rsa"},
      {"front-end", "/CN=pool.contoso.example", server, "rsa:2048", "-sha384", "issuing"},
      {"p256", "/CN=P-256", test::ca_extensions},
      {"p384", "/CN=P-384", test::ca_extensions, "ec -pkeyopt ec_paramgen_curve:P-384", "-sha384"},
      {"p521", "/CN=P-521", test::ca_extensions, "ec -pkeyopt ec_paramgen_curve:P-521", "-sha512"},
      {"ed25519", "/CN=Ed25519", test::ca_extensions, "ed25519"},
      {"ed448", "/CN=Ed448", test::ca_extensions, "ed448"},
      {"pss", "/CN=PSS", test::ca_extensions, "rsa:2048", "-sigopt rsa_padding_mode:pss -sha256"},
      {"pss-key", "/CN=PSS key", test::ca_extensions, "rsa-pss -pkeyopt rsa_keygen_bits:2048"},
      {"sha1", "/CN=SHA-1", test::ca_extensions, "rsa:2048", "-sha1"},
      {"explicit-curve", "/CN=Explicit", test::ca_extensions,
       "ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit"},
      {"no-ids", "/CN=No identifiers",
       "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n"},
      {"utf8", "/C=DE/O=Müller \xc3\x9f \xd0\x9f\xd0\xa0/CN=\xe2\x82\xac", test::ca_extensions,
       "ec -pkeyopt ec_paramgen_curve:P-256", "-utf8"},
      {"bmp", "/C=DE/O=Müller/CN=Größe",
       "[req]\ndistinguished_name=dn\nx509_extensions=ext\nstring_mask=MASK:0x800\n[dn]\n[ext]\nbasicConstraints=CA:"
       "TRUE\n",
       "ec -pkeyopt ec_paramgen_curve:P-256", "-utf8"},
      {"teletex", "/C=DE/O=Müller/CN=Größe",
       "[req]\ndistinguished_name=dn\nx509_extensions=ext\nstring_mask=MASK:0x4\n[dn]\n[ext]\nbasicConstraints=CA:"
       "TRUE\n",
       "ec -pkeyopt ec_paramgen_curve:P-256", "-utf8"},
      {"multi-valued", "/C=DE+O=Contoso+OU=Voice/CN=a+UID=b", test::ca_extensions,
       "ec -pkeyopt ec_paramgen_curve:P-256", "-multivalue-rdn"},
      {"escapes", "/CN=#a, b\\+c\"d\\\\e;<f>=g /O= x /emailAddress=a@b.example/serialNumber=42", test::ca_extensions},
      {"after-2050", "/CN=Forever", test::ca_extensions, "ec -pkeyopt ec_paramgen_curve:P-256", "-days 20000"},
      {"nobody", "/", "subjectAltName=critical,DNS:x.example\n", "ec -pkeyopt ec_paramgen_curve:P-256", "", "rsa"},
      {"critical", "/CN=Critical",
       "nameConstraints=critical,permitted;DNS:contoso.example\n1.2.3.4.5=critical,ASN1:NULL\n"
       "2.25.329800735698586629295641978511506172918=critical,ASN1:NULL\n1.3.6.1.4.1.311.21.7=critical,ASN1:NULL\n"
       "1.2.3.4.6=ASN1:NULL\n"},
      {"negative-serial", "/CN=Negative", test::ca_extensions, "ec -pkeyopt ec_paramgen_curve:P-256",
       "-set_serial -129"},
      {"zero-serial", "/CN=Zero", test::ca_extensions, "ec -pkeyopt ec_paramgen_curve:P-256", "-set_serial 0"},
      {"template-by-the-book", "/CN=Template",
       "1.3.6.1.4.1.311.20.2=ASN1:SEQUENCE:t\n1.3.6.1.4.1.311.21.1=ASN1:INTEGER:4294967295\n[t]\nn=UTF8:WebServer\n"},
  };
  return all;
}

/// The certificate of that recipe, made by openssl(1) when it is first asked for.
static const ByteString& made(const std::string& name) {
  static const OpensslCli openssl;
  static std::map<std::string, ByteString> certificates;
  const auto known = certificates.find(name);
  if (known != certificates.end()) return known->second;
  const auto recipe =
      std::find_if(recipes().begin(), recipes().end(), [&](const Recipe& candidate) { return candidate.name == name; });
  EXPECT_NE(recipe, recipes().end()) << name;
  if (recipe->issuer != nullptr) {
    made(recipe->issuer);
    openssl.issued(name, recipe->subject, recipe->issuer, recipe->extensions, recipe->key, recipe->more);
  } else {
    openssl.self_signed(name, recipe->subject, recipe->extensions, recipe->key, recipe->more);
  }
  return certificates[name] = openssl.der(name);
}

static Certificate read(const std::string& name) {
  Result<Certificate> certificate = read_certificate(made(name), plain_hasher);
  EXPECT_TRUE(certificate.has_value()) << name << ": " << certificate.error().text;
  return certificate.value_or(Certificate{});
}

class CorpusTest : public testing::TestWithParam<Recipe> {};
TEST_P(CorpusTest, IsReadAsOpensslReadsIt) {
  EXPECT_EQ(disagreement(read(GetParam().name)), "");
}
INSTANTIATE_TEST_SUITE_P(MadeByOpenssl, CorpusTest, testing::ValuesIn(recipes()), [](const auto& row) {
  std::string name = row.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(CertificateReaderTest, SaysWhatStandsInAnIssuingCa) {
  const Certificate ca = read("issuing");
  EXPECT_EQ(ca.subject.text(), "CN=Contoso Issuing CA,DC=contoso,DC=example");
  EXPECT_EQ(ca.subject.common_name(), "Contoso Issuing CA");
  EXPECT_EQ(ca.issuer.text(), "CN=Contoso Root CA,DC=contoso,DC=example");
  EXPECT_EQ(ca.serial, "f1e2d3");
  EXPECT_EQ(ca.signature_algorithm, "sha256WithRSAEncryption");
  EXPECT_EQ(ca.key_algorithm, "RSA");
  EXPECT_EQ(ca.key_bits, 2048U);
  EXPECT_EQ(ca.is_ca, true);
  EXPECT_EQ(ca.path_length, 0U);
  EXPECT_EQ(ca.key_usage, digital_signature | key_cert_sign | crl_sign);
  EXPECT_FALSE(ca.extended_key_usage);
  EXPECT_EQ(ca.ca_version, (CaVersion{.certificate_index = 1, .key_index = 1}));
  ASSERT_TRUE(ca.previous_ca_hash);
  EXPECT_EQ(to_hex(*ca.previous_ca_hash), "000102030405060708090a0b0c0d0e0f10111213");
  EXPECT_EQ(ca.template_name, "SubCA");
  EXPECT_EQ(ca.crl_urls, (std::vector<std::string>{"ldap:///CN=x%2CCN=CDP?certificateRevocationList",
                                                   "http://pki.contoso.example/x.crl"}));
  EXPECT_EQ(ca.ca_issuer_urls, std::vector<std::string>{"http://pki.contoso.example/root.crt"});
  EXPECT_EQ(ca.ocsp_urls, std::vector<std::string>{"http://ocsp.contoso.example"});
  EXPECT_TRUE(ca.unknown_critical.empty());
  EXPECT_FALSE(ca.self_issued());

  const Certificate root = read("rsa");
  EXPECT_TRUE(root.self_issued());
  ASSERT_TRUE(ca.authority_key_id);
  EXPECT_EQ(ca.authority_key_id->key_id, root.subject_key_id);
  ASSERT_TRUE(ca.authority_key_id->issuer);
  EXPECT_TRUE(matches(*ca.authority_key_id->issuer, root.issuer));
  EXPECT_EQ(ca.authority_key_id->serial, root.serial);
  EXPECT_FALSE(root.path_length);
}

TEST(CertificateReaderTest, SaysWhatStandsInAServerCertificate) {
  const Certificate server = read("front-end");
  EXPECT_EQ(server.dns_names, (std::vector<std::string>{"pool.contoso.example", "fe1.contoso.example"}));
  ASSERT_EQ(server.ip_addresses.size(), 2U);
  EXPECT_EQ(to_hex(server.ip_addresses[0]), "c0000207");
  EXPECT_EQ(to_hex(server.ip_addresses[1]), "20010db8000000000000000000000007");
  EXPECT_EQ(server.extended_key_usage,
            (std::vector<std::string>{server_auth_oid, client_auth_oid, "1.3.6.1.4.1.311.20.2.2"}));
  EXPECT_EQ(server.key_usage, digital_signature | key_encipherment);
  EXPECT_EQ(server.is_ca, false);
  EXPECT_EQ(server.signature_algorithm, "sha384WithRSAEncryption");
}

struct Key {
  const char* name;
  const char* algorithm;
  unsigned bits;
  const char* signature;
};
class KeyTest : public testing::TestWithParam<Key> {};
TEST_P(KeyTest, IsNamed) {
  const Certificate certificate = read(GetParam().name);
  EXPECT_EQ(certificate.key_algorithm, GetParam().algorithm);
  EXPECT_EQ(certificate.key_bits, GetParam().bits);
  EXPECT_EQ(certificate.signature_algorithm, GetParam().signature);
}
INSTANTIATE_TEST_SUITE_P(Algorithms, KeyTest,
                         testing::Values(Key{"p256", "EC P-256", 256, "ecdsa-with-SHA256"},
                                         Key{"p384", "EC P-384", 384, "ecdsa-with-SHA384"},
                                         Key{"p521", "EC P-521", 521, "ecdsa-with-SHA512"},
                                         Key{"ed25519", "Ed25519", 256, "Ed25519"}, Key{"ed448", "Ed448", 456, "Ed448"},
                                         Key{"pss", "RSA", 2048, "RSASSA-PSS"},
                                         Key{"pss-key", "RSASSA-PSS", 2048, "RSASSA-PSS"},
                                         Key{"sha1", "RSA", 2048, "sha1WithRSAEncryption"},
                                         Key{"explicit-curve", "EC", 0, "ecdsa-with-SHA256"}),
                         [](const auto& row) {
                           std::string name = row.param.name;
                           std::erase(name, '-');
                           return name;
                         });

TEST(CertificateReaderTest, ListsWhatIsCriticalAndNotEvaluated) {
  EXPECT_EQ(read("critical").unknown_critical,
            (std::vector<std::string>{"1.2.3.4.5", "2.25.329800735698586629295641978511506172918"}));
}

TEST(CertificateReaderTest, ReadsNameConstraints) {
  const OpensslCli openssl;
  openssl.self_signed("ca", "/CN=CA",
                      "nameConstraints=permitted;DNS:contoso.example,permitted;dirName:dir,excluded;DNS:.x.example,"
                      "excluded;IP:0.0.0.0/0.0.0.0\nsubjectAltName=dirName:dir,email:a@contoso.example\n"
                      "[dir]\nO=Contoso\n");
  const Result<Certificate> read = read_certificate(openssl.der("ca"), plain_hasher);
  ASSERT_TRUE(read) << read.error().text;
  ASSERT_TRUE(read->name_constraints);
  const NameConstraints& constraints = *read->name_constraints;
  EXPECT_EQ(constraints.permitted.dns, std::vector<std::string>{"contoso.example"});
  ASSERT_EQ(constraints.permitted.directories.size(), 1U);
  EXPECT_EQ(constraints.permitted.directories.front().text(), "O=Contoso");
  EXPECT_EQ(constraints.permitted.forms, 1U << form_dns | 1U << form_directory);
  EXPECT_EQ(constraints.excluded.dns, std::vector<std::string>{".x.example"});
  EXPECT_EQ(constraints.excluded.forms, 1U << form_dns | 1U << 7U);
  EXPECT_FALSE(constraints.permitted.bounded || constraints.excluded.bounded);
  ASSERT_EQ(read->directory_names.size(), 1U);
  EXPECT_EQ(read->alt_name_forms, 1U << form_rfc822 | 1U << form_directory);
}

TEST(CertificateReaderTest, ReadsTheTemplateAsSpecifiedToo) {
  const Certificate certificate = read("template-by-the-book");
  EXPECT_EQ(certificate.template_name, "WebServer");
  EXPECT_EQ(certificate.ca_version, (CaVersion{.certificate_index = 0xffff, .key_index = 0xffff}));
}

/// openssl req has no option for version 1.
TEST(CertificateReaderTest, ReadsVersion1) {
  const OpensslCli openssl;
  openssl.self_signed("any", "/CN=any", test::ca_extensions);
  openssl.shell(
      "openssl req -new -key any.key -subj /CN=v1 -config any.cnf -out v1.csr && "
      "openssl x509 -req -in v1.csr -signkey any.key -days 30 -out v1.crt");
  const Result<Certificate> certificate = read_certificate(openssl.der("v1"), plain_hasher);
  ASSERT_TRUE(certificate) << certificate.error().text;
  EXPECT_EQ(disagreement(*certificate), "");
  EXPECT_FALSE(certificate->is_ca);
  EXPECT_FALSE(certificate->key_usage);
  EXPECT_FALSE(certificate->subject_key_id);
  EXPECT_FALSE(certificate->authority_key_id);
}

TEST(CertificateReaderTest, KeepsWhatIsAbsentApartFromWhatIsEmpty) {
  const Certificate no_ids = read("no-ids");
  EXPECT_EQ(no_ids.is_ca, true);
  EXPECT_FALSE(no_ids.subject_key_id);
  EXPECT_FALSE(no_ids.authority_key_id);
  EXPECT_TRUE(read("nobody").subject.empty());
}

TEST(CertificateReaderTest, WritesSerialNumbersAsTheyStand) {
  EXPECT_EQ(read("zero-serial").serial, "00");
  EXPECT_EQ(read("negative-serial").serial, "ff7f");
}

TEST(CertificateReaderTest, WritesNamesByRfc4514) {
  EXPECT_EQ(read("escapes").subject.text(),
            "serialNumber=42,emailAddress=a@b.example,O=\\ x\\ ,"
            "CN=\\#a\\, b\\+c\\\"d\\\\e\\;\\<f\\>=g\\ ");
  EXPECT_EQ(read("multi-valued").subject.text(), "CN=a+UID=b,C=DE+OU=Voice+O=Contoso");
  EXPECT_EQ(read("utf8").subject.text(), "CN=\xe2\x82\xac,O=Müller \xc3\x9f \xd0\x9f\xd0\xa0,C=DE");
  EXPECT_EQ(read("bmp").subject.text(), "CN=Größe,O=Müller,C=DE");
  EXPECT_EQ(read("teletex").subject.text(), "CN=Größe,O=Müller,C=DE");
}

TEST(CertificateReaderTest, MatchesOneNameInTwoStringTypes) {
  EXPECT_TRUE(matches(read("bmp").subject, read("teletex").subject));
  EXPECT_FALSE(same_bytes(read("bmp").subject, read("teletex").subject));
}

TEST(CertificateReaderTest, AgreesWithTheFingerprintsOfOpenssl) {
  const OpensslCli openssl;
  openssl.self_signed("a", "/CN=a", test::ca_extensions);
  const Result<Certificate> certificate = read_certificate(openssl.der("a"), plain_hasher);
  ASSERT_TRUE(certificate);
  const std::string sha1 = openssl.shell("openssl x509 -in a.crt -noout -fingerprint -sha1");
  const std::string sha256 = openssl.shell("openssl x509 -in a.crt -noout -fingerprint -sha256");
  EXPECT_EQ(thumbprint(*certificate), to_upper_hex(from_hex(trim(sha1.substr(sha1.find('=') + 1)))));
  EXPECT_EQ(certificate->sha256.size(), 32U);
  EXPECT_EQ(to_upper_hex(certificate->sha256), to_upper_hex(from_hex(trim(sha256.substr(sha256.find('=') + 1)))));
  const std::string key = openssl.shell(
      "openssl x509 -in a.crt -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r");
  EXPECT_EQ(to_hex(certificate->spki_sha256), key.substr(0, 64));
}

// Broken bytes

TEST(CertificateReaderTest, RefusesEveryTruncation) {
  for (const char* name : {"issuing", "front-end", "p256"}) {
    const ByteString& whole = made(name);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      // A buffer of its own, so that a sanitizer sees a read behind the end.
      const ByteString cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      const Result<Certificate> certificate = read_certificate(cut, plain_hasher);
      ASSERT_FALSE(certificate) << name << " cut at " << size;
      EXPECT_EQ(certificate.error().kind, ErrorKind::malformed);
      EXPECT_EQ(certificate.error().text, size == 0 ? "no bytes at all" : fmt::format("truncated at byte {}", size));
    }
  }
}

TEST(CertificateReaderTest, RefusesWhatStandsBehind) {
  ByteString der = made("p256");
  const std::size_t size = der.size();
  der.push_back(0);
  const Result<Certificate> certificate = read_certificate(der, plain_hasher);
  ASSERT_FALSE(certificate);
  EXPECT_EQ(certificate.error().text, fmt::format("something behind the certificate at byte {}", size));
}

TEST(CertificateReaderTest, RefusesWhatIsTooLarge) {
  const ByteString der(max_certificate_size + 1, 0x30);
  EXPECT_EQ(read_certificate(der, plain_hasher).error().text, "larger than 256 KiB");
}

/// Replaces the only occurrence of some bytes by as many others.
static ByteString patched(const std::string& name, std::string_view from, std::string_view to) {
  std::string der{as_text(made(name))};
  const std::string old{as_text(from_hex(from))};
  const std::string fresh{as_text(from_hex(to))};
  const std::size_t at = der.find(old);
  EXPECT_NE(at, std::string::npos) << name << " has no " << from;
  EXPECT_EQ(old.size(), fresh.size());
  if (at != std::string::npos) der.replace(at, old.size(), fresh);
  return {der.begin(), der.end()};
}

struct Broken {
  const char* name;
  const char* certificate;
  const char* from;
  const char* to;
  const char* says;
};
class BrokenTest : public testing::TestWithParam<Broken> {};
TEST_P(BrokenTest, IsRefusedWithTheReason) {
  const Broken& c = GetParam();
  const Result<Certificate> certificate = read_certificate(patched(c.certificate, c.from, c.to), plain_hasher);
  ASSERT_FALSE(certificate);
  const std::string& text = certificate.error().text;
  EXPECT_TRUE(text.starts_with(std::string{c.says} + " at byte ")) << text;
}
INSTANTIATE_TEST_SUITE_P(
    Rfc5280, BrokenTest,
    testing::Values(
        Broken{"Version4", "p256", "a003020102", "a003020103", "version: neither 1, 2 nor 3"},
        Broken{"Version1WithExtensions", "p256", "a003020102", "a003020100",
               "extensions: there are some, but it is no version 3 certificate"},
        Broken{"IndefiniteLength", "p256", "a003020102", "a080020102",
               "version: an indefinite length, which DER forbids"},
        Broken{"PaddedSerial", "issuing", "020400f1e2d3", "02040001e2d3",
               "serial number: an INTEGER in more octets than needed"},
        Broken{"HalfAnOid", "p256", "2a8648ce3d040302", "2a8648ce3d040382",
               "signature algorithm: an object identifier that breaks off"},
        Broken{"PaddedOid", "p256", "2a8648ce3d040302", "2a8648ce3d800302",
               "signature algorithm: an object identifier in more octets than needed"},
        Broken{"TwoSignatureAlgorithms", "p256", "2a8648ce3d040302", "2a8648ce3d040303",
               "signature algorithm: the one outside differs from the one inside"},
        Broken{"BadUtf8InTheIssuer", "utf8", "0c03e282ac", "0c03e28241",
               "issuer: an attribute value that is not the text its type says"},
        Broken{"SurrogateInTheIssuer", "bmp", "00470072", "d8000072",
               "issuer: an attribute value that is not the text its type says"},
        Broken{"BooleanOfOne", "p256", "0603551d130101ff", "0603551d13010101",
               "extensions: a BOOLEAN that is neither 00 nor FF"},
        Broken{"SameExtensionTwice", "p256", "0603551d0f", "0603551d13", "extensions: the same extension twice"},
        Broken{"BrokenBasicConstraints", "p256", "30030101ff", "30030201ff",
               "basic constraints: a negative path length"},
        Broken{"BrokenKeyUsage", "p256", "03020106", "03020806", "key usage: a BIT STRING with wrong padding"},
        Broken{"DirtyKeyUsage", "p256", "03020106", "03020206", "key usage: a BIT STRING whose padding is not zero"},
        Broken{"BrokenAddress", "front-end", "8704c0000207", "0704c0000207",
               "subject alternative name: not a GeneralName"},
        Broken{"BrokenPreviousHash", "issuing", "0414000102030405", "0514000102030405",
               "previous CA hash: not an OCTET STRING"},
        Broken{"BrokenCaVersion", "issuing", "04050203010001", "04050203810001", "CA version: a negative version"},
        Broken{"BrokenTemplate", "issuing", "1e0a005300750062", "040a005300750062", "template name: not a text"}),
    [](const auto& row) { return row.param.name; });

struct Moment {
  const char* name;
  std::string_view tag_and_text;  ///< "U" UTCTime or "G" GeneralizedTime, then its text
  const char* reads;              ///< ISO 8601; or how the error begins
};

/// A certificate whose notAfter is the given time; all lengths around it made to fit.
static ByteString with_not_after(std::string_view moment) {
  const std::string_view whole = as_text(made("p384"));  // 30 82 xx xx 30 82 xx xx ...: both are longer than 255
  static constexpr std::size_t header = 4;
  const auto size_at = [whole](std::size_t at) {
    return static_cast<std::size_t>(static_cast<std::uint8_t>(whole[at + 2])) << 8U |
           static_cast<std::uint8_t>(whole[at + 3]);
  };
  const std::size_t body = 2 * header;
  const std::size_t body_end = body + size_at(header);
  const std::size_t validity = whole.find("\x30\x1e\x17\x0d");  // two UTCTimes
  EXPECT_NE(validity, std::string_view::npos);
  std::string times{whole.substr(validity + 2, 15)};
  times += moment[0] == 'U' ? '\x17' : '\x18';
  times += static_cast<char>(moment.size() - 1);
  times += moment.substr(1);
  std::string inside{whole.substr(body, validity - body)};
  inside += '\x30';
  inside += static_cast<char>(times.size());
  inside += times;
  inside += whole.substr(validity + 32, body_end - validity - 32);
  const auto sequence = [](const std::string& content) {
    std::string out = "\x30\x82";
    out += static_cast<char>(content.size() >> 8U);
    out += static_cast<char>(content.size() & 0xffU);
    return out + content;
  };
  const std::string changed = sequence(sequence(inside) + std::string{whole.substr(body_end)});
  return {changed.begin(), changed.end()};
}

class MomentTest : public testing::TestWithParam<Moment> {};
TEST_P(MomentTest, IsReadByRfc5280) {
  const Moment& c = GetParam();
  const Result<Certificate> certificate = read_certificate(with_not_after(c.tag_and_text), plain_hasher);
  if (certificate) {
    EXPECT_EQ(to_iso8601(certificate->not_after), c.reads);
    EXPECT_EQ(disagreement(*certificate), "");
  } else {
    EXPECT_TRUE(certificate.error().text.starts_with(c.reads)) << certificate.error().text;
  }
}
INSTANTIATE_TEST_SUITE_P(
    Section4_1_2_5, MomentTest,
    testing::Values(Moment{"Utc49", "U491231235959Z", "2049-12-31T23:59:59Z"},
                    Moment{"Utc50", "U500101000000Z", "1950-01-01T00:00:00Z"},
                    Moment{"Utc99", "U991231235959Z", "1999-12-31T23:59:59Z"},
                    Moment{"Generalized2050", "G20500101000000Z", "2050-01-01T00:00:00Z"},
                    Moment{"GeneralizedTooEarlyButUsual", "G20260228120000Z", "2026-02-28T12:00:00Z"},
                    Moment{"NoEnd", "G99991231235959Z", "9999-12-31T23:59:59Z"},
                    Moment{"LeapDay", "U280229000000Z", "2028-02-29T00:00:00Z"},
                    Moment{"NoLeapDay", "U270229000000Z", "validity: a time that does not exist"},
                    Moment{"CenturyIsNoLeapYear", "G21000229000000Z", "validity: a time that does not exist"},
                    Moment{"Hour24", "U270101240000Z", "validity: a time that does not exist"},
                    Moment{"LeapSecond", "U270101235960Z", "validity: a time that does not exist"},
                    Moment{"Month0", "U270001000000Z", "validity: a time that does not exist"},
                    Moment{"WithoutSeconds", "U2701010000Z", "validity: not a time"},
                    Moment{"WithZone", "U270101000000+0100", "validity: not a time"},
                    Moment{"WithFraction", "G20500101000000.5Z", "validity: not a time"},
                    Moment{"Local", "G20500101000000", "validity: not a time"},
                    Moment{"Letters", "U27010100000xZ", "validity: not a time"},
                    Moment{"Empty", "U", "validity: not a time"}),
    [](const auto& row) { return row.param.name; });

/// Whatever we accept of a damaged certificate, OpenSSL accepts with the same fields; d2i_agreement.hpp says where we
/// are stricter.
TEST(CertificateReaderTest, AgreesWithOpensslOnDamagedCertificates) {
  std::mt19937 random(20261122);  // the same damage in every run
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (const Recipe& recipe : recipes()) {
    const std::string name = recipe.name;
    const ByteString& der = made(name);
    for (int i = 0; i < 500; ++i) {
      ByteString damaged = der;
      // Mostly in the signed body, where the fields are.
      const std::size_t body =
          std::min<std::size_t>(damaged.size(), 8 + (static_cast<std::size_t>(der[6]) << 8U | der[7]));
      for (std::size_t n = 1 + below(3); n > 0; --n) {
        std::uint8_t& octet = damaged[below(body)];
        switch (below(4)) {
          case 0:
            octet = static_cast<std::uint8_t>(octet ^ (1U << below(8)));
            break;
          case 1:
            octet = static_cast<std::uint8_t>(random());
            break;
          case 2:
            octet = static_cast<std::uint8_t>(octet + 1);
            break;
          default:
            octet = std::array<std::uint8_t, 12>{
                0x00, 0x80, 0xff, 0x30, 0x31, 0x02, 0x04, 0x0c, 0x13, 0x1e, 0x17, 0xa0}[below(12)];
        }
      }
      const Result<Certificate> certificate = read_certificate(damaged, plain_hasher);
      if (!certificate) {
        ++refused;
        continue;
      }
      ++accepted;
      ASSERT_EQ(disagreement(*certificate), "") << name << " " << i << ": " << to_hex(damaged);
    }
  }
  EXPECT_GT(accepted, 500U);  // else this has compared nothing
  EXPECT_GT(refused, 500U);
}

TEST(CertificateReaderTest, AgreesWithOpensslOnTheSystemsRoots) {
  const char* const bundle = "/etc/ssl/certs/ca-certificates.crt";
  ASSERT_TRUE(std::filesystem::exists(bundle)) << bundle << ": install ca-certificates";
  std::ifstream file(bundle, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  const Scan scan = scan_certificates(as_bytes(content));
  EXPECT_TRUE(scan.unreadable.empty());
  EXPECT_GT(scan.certificates.size(), 50U);
  for (const FoundCertificate& found : scan.certificates) {
    const Result<Certificate> certificate = read_certificate(found.der, plain_hasher);
    ASSERT_TRUE(certificate) << found.where << ": " << certificate.error().text;
    EXPECT_EQ(disagreement(*certificate), "") << certificate->subject.text();
    EXPECT_TRUE(certificate->self_issued()) << certificate->subject.text();
  }
}

}  // namespace mrascheck::x509

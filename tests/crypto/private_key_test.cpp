// SPDX-License-Identifier: Apache-2.0
#include "crypto/private_key.hpp"

#include <gtest/gtest.h>

#include "pki.hpp"

namespace mrascheck::crypto {
namespace {

using test::Pki;
using test::read_file;

constexpr const char* rsa_key = "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out made.key";
constexpr const char* p256 = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out made.key";
constexpr const char* ed25519 = "openssl genpkey -algorithm ED25519 -out made.key";

struct Form {
  const char* name;
  const char* make;        ///< makes made.key
  const char* convert;     ///< makes form.key out of it
  const char* passphrase;  ///< null: none configured
};

void PrintTo(const Form& form, std::ostream* out) {
  *out << form.name;
}

class PrivateKeyForm : public testing::TestWithParam<Form> {};

TEST_P(PrivateKeyForm, IsReadAndBelongsToItsCertificateOnly) {
  const Form& form = GetParam();
  const Pki pki;
  pki.shell(form.make);
  pki.shell(form.convert);
  pki.shell("openssl req -x509 -key made.key -subj /CN=fe1 -out fe1.pem");
  const Secret secret{form.passphrase ? form.passphrase : ""};

  const auto key = PrivateKey::read(read_file(pki.path("form.key")), form.passphrase ? &secret : nullptr, "fe1.key");
  ASSERT_TRUE(key) << key.error().text;
  EXPECT_TRUE(key->belongs_to(*test::load_certificate(pki.path("fe1.pem"))));
  EXPECT_FALSE(key->belongs_to(*pki.root("somebody").certificate));
}

INSTANTIATE_TEST_SUITE_P(
    OpenSsl, PrivateKeyForm,
    testing::Values(
        Form{"Pkcs8Rsa", rsa_key, "openssl pkey -in made.key -out form.key", nullptr},
        Form{"Pkcs8Ec", p256, "openssl pkey -in made.key -out form.key", nullptr},
        Form{"Pkcs8Ed25519", ed25519, "openssl pkey -in made.key -out form.key", nullptr},
        Form{"Pkcs1", rsa_key, "openssl rsa -in made.key -traditional -out form.key", nullptr},
        Form{"Sec1", p256, "openssl ec -in made.key -out form.key", nullptr},
        Form{"Sec1BehindItsParameters", p256,
             "openssl ec -in made.key -out sec1.key && openssl ecparam -name prime256v1 -out parameters.pem && "
             "cat parameters.pem sec1.key > form.key",
             nullptr},
        Form{"EncryptedPkcs8", rsa_key, "openssl pkcs8 -topk8 -in made.key -passout pass:tarn -out form.key", "tarn"},
        Form{"EncryptedPkcs8Ed25519", ed25519, "openssl pkcs8 -topk8 -in made.key -passout pass:tarn -out form.key",
             "tarn"},
        Form{"EncryptedPkcs8Scrypt", p256, "openssl pkcs8 -topk8 -scrypt -in made.key -passout pass:tarn -out form.key",
             "tarn"},
        Form{"EncryptedPkcs8AsWindowsExports", rsa_key,
             "openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -in made.key -passout pass:tarn -out form.key", "tarn"},
        Form{"EncryptedPkcs1", rsa_key,
             "openssl rsa -in made.key -traditional -aes256 -passout pass:tarn -out form.key", "tarn"},
        Form{"EncryptedSec1", p256, "openssl ec -in made.key -aes128 -passout pass:tarn -out form.key", "tarn"},
        Form{"DerPkcs8", rsa_key, "openssl pkcs8 -topk8 -nocrypt -in made.key -outform DER -out form.key", nullptr},
        Form{"DerPkcs1", rsa_key, "openssl rsa -in made.key -traditional -outform DER -out form.key", nullptr},
        Form{"DerSec1", p256, "openssl ec -in made.key -outform DER -out form.key", nullptr},
        Form{"DerEncryptedPkcs8", rsa_key,
             "openssl pkcs8 -topk8 -in made.key -passout pass:tarn -outform DER -out form.key", "tarn"},
        Form{
            "BehindACertificate", rsa_key,
            "openssl req -x509 -key made.key -subj /CN=fe1 -text -out before.pem && cat before.pem made.key > form.key",
            nullptr},
        Form{"BehindABrokenBlock", rsa_key,
             "{ printf -- '-----BEGIN CERTIFICATE-----\\n!!!!\\n-----END CERTIFICATE-----\\n'; cat "
             "made.key; } "
             "> form.key",
             nullptr},
        Form{"WithCarriageReturns", rsa_key, "sed 's/$/\\r/' made.key > form.key", nullptr},
        Form{"BehindAnUtf8Mark", rsa_key, "{ printf '\\357\\273\\277'; cat made.key; } > form.key", nullptr},
        Form{"InUtf16", rsa_key, "{ printf '\\377\\376'; iconv -f ASCII -t UTF-16LE made.key; } > form.key", nullptr},
        Form{"UnusedPassphrase", rsa_key, "openssl pkey -in made.key -out form.key", "tarn"}),
    [](const auto& row) { return row.param.name; });

struct Refusal {
  const char* name;
  const char* make;  ///< makes form.key
  const char* passphrase;
  const char* text;  ///< the error, or how it begins where it ends in a colon
};

void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.name;
}

class PrivateKeyRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(PrivateKeyRefusal, SaysWhy) {
  const Refusal& refusal = GetParam();
  const Pki pki;
  pki.shell(refusal.make);
  const Secret secret{refusal.passphrase ? refusal.passphrase : ""};

  const auto key = PrivateKey::read(read_file(pki.path("form.key")), refusal.passphrase ? &secret : nullptr, "fe1.key");
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind, ErrorKind::config);
  const std::string_view expected = refusal.text;
  if (expected.ends_with(':'))
    EXPECT_TRUE(key.error().text.starts_with(expected) && key.error().text.size() > expected.size() + 1)
        << key.error().text;
  else
    EXPECT_EQ(key.error().text, expected);
}

constexpr const char* no_key = "fe1.key: no private key in it";
constexpr const char* wrong = "fe1.key: wrong passphrase";
constexpr const char* locked = "fe1.key: encrypted, and no passphrase is configured";
constexpr const char* undecodable = "fe1.key: a private key that OpenSSL cannot decode:";
constexpr const char* pkcs8 =
    "openssl genrsa -out made.key 1024 && openssl pkcs8 -topk8 -in made.key -passout pass:tarn -out form.key";
constexpr const char* pkcs8_der =
    "openssl genrsa -out made.key 1024 && openssl pkcs8 -topk8 -in made.key -passout pass:tarn -outform DER -out "
    "form.key";
constexpr const char* pkcs1 =
    "openssl genrsa -out made.key 1024 && openssl rsa -in made.key -traditional -aes256 -passout pass:tarn -out "
    "form.key";

INSTANTIATE_TEST_SUITE_P(
    OpenSsl, PrivateKeyRefusal,
    testing::Values(
        Refusal{"WrongPassphrasePkcs8", pkcs8, "tern", wrong}, Refusal{"WrongPassphraseDer", pkcs8_der, "tern", wrong},
        Refusal{"WrongPassphrasePkcs1", pkcs1, "tern", wrong}, Refusal{"EmptyPassphrase", pkcs8, "", wrong},
        Refusal{"EmptyPassphrasePkcs1", pkcs1, "", wrong}, Refusal{"NoPassphrasePkcs8", pkcs8, nullptr, locked},
        Refusal{"NoPassphraseDer", pkcs8_der, nullptr, locked}, Refusal{"NoPassphrasePkcs1", pkcs1, nullptr, locked},
        Refusal{"Certificate", "openssl req -x509 -newkey rsa:1024 -nodes -subj /CN=fe1 -keyout made.key -out form.key",
                nullptr, no_key},
        Refusal{"CertificateInDer",
                "openssl req -x509 -newkey rsa:1024 -nodes -subj /CN=fe1 -keyout made.key -outform DER -out form.key",
                nullptr, no_key},
        Refusal{"PublicKey", "openssl genrsa -out made.key 1024 && openssl pkey -in made.key -pubout -out form.key",
                nullptr, no_key},
        Refusal{"Empty", ": > form.key", nullptr, no_key},
        Refusal{"Garbage", "openssl rand -out form.key 3000", nullptr, no_key},
        Refusal{"Prose", "echo 'the key is with the other administrator' > form.key", nullptr, no_key},
        Refusal{"BadBase64", "printf -- '-----BEGIN PRIVATE KEY-----\\n!!!!\\n-----END PRIVATE KEY-----\\n' > form.key",
                nullptr, undecodable},
        Refusal{"CutShort", "openssl genrsa -out made.key 1024 && head -5 made.key > form.key", nullptr, undecodable},
        Refusal{"NotAsn1",
                "printf -- '-----BEGIN RSA PRIVATE KEY-----\\nAAAA\\n-----END RSA PRIVATE KEY-----\\n' > "
                "form.key",
                nullptr, undecodable}),
    [](const auto& row) { return row.param.name; });

// One wrong passphrase in 256 leaves padding that looks right.
TEST(PrivateKeyRead, SaysTheSameOfEveryWrongPassphrase) {
  for (const char* make : {pkcs8, pkcs8_der, pkcs1}) {
    const Pki pki;
    pki.shell(make);
    const ByteString content = read_file(pki.path("form.key"));
    for (int i = 0; i < 600; ++i) {
      const Secret secret{"guess " + std::to_string(i)};
      const auto key = PrivateKey::read(content, &secret, "fe1.key");
      ASSERT_FALSE(key);
      ASSERT_EQ(key.error().text, wrong) << make << ' ' << i;
    }
  }
}

TEST(PrivateKeyRead, NeverKeepsMoreThanAKeyFileHolds) {
  const ByteString huge((4U << 20U) + 1, 'A');
  const auto key = PrivateKey::read(huge, nullptr, "fe1.key");
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().text, "fe1.key: no private key in it: it is larger than 4194304 bytes");
}

TEST(PrivateKeyRead, ShowsTheOriginPrintable) {
  const auto key = PrivateKey::read({}, nullptr, "fe1\x1b[2J.key");
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().text.find('\x1b'), std::string::npos);
}

TEST(PrivateKeyBelongsTo, ToleratesAnotherCodingOfTheSameKey) {
  const Pki pki;
  pki.shell("openssl ecparam -genkey -name prime256v1 -noout -out made.key");
  pki.shell("openssl ec -in made.key -conv_form compressed -out compressed.key");
  pki.shell("openssl req -x509 -key compressed.key -subj /CN=fe1 -out fe1.pem");
  const auto key = PrivateKey::read(read_file(pki.path("made.key")), nullptr, "fe1.key");
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->belongs_to(*test::load_certificate(pki.path("fe1.pem"))));
}

}  // namespace
}  // namespace mrascheck::crypto

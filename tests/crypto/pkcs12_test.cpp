// SPDX-License-Identifier: Apache-2.0
#include "crypto/pkcs12.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "support/openssl_cli.hpp"
#include "x509/certificate_reader.hpp"

namespace mrascheck::crypto {
namespace {

using namespace std::string_literals;
using test::OpensslCli;

/// a with its key, and b and c beside it, as openssl(1) and certtool(1) pack them; made once a process.
const OpensslCli& files() {
  static const OpensslCli openssl;
  static const bool once = [] {
    for (const char* name : {"a", "b", "c"}) openssl.self_signed(name, "/CN="s + name, test::ca_extensions);
    openssl.shell("cat b.crt c.crt > rest.crt");
    const std::string make = "openssl pkcs12 -export -in a.crt -inkey a.key -certfile rest.crt -name 'the first' ";
    openssl.shell(make + "-passout pass:geheim -out aes.p12");
    openssl.shell(make +
                  "-passout pass:gr\xC3\xBC\xC3\x9F"
                  "e -out utf8.p12");
    openssl.shell(make + "-passout pass: -out empty.p12");
    openssl.shell(make + "-passout pass:geheim -legacy -certpbe PBE-SHA1-RC2-40 -keypbe PBE-SHA1-3DES -out rc2.p12");
    openssl.shell(make +
                  "-passout pass:geheim -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1 -out 3des.p12");
    openssl.shell(make + "-passout pass:geheim -nomac -certpbe AES-256-CBC -out nomac.p12");
    openssl.shell(make + "-passout pass: -certpbe NONE -keypbe NONE -nomac -out plain.p12");
    openssl.shell(make + "-passout pass:geheim -iter 2000001 -nomaciter -out slow.p12");
    openssl.shell(make + "-passout pass:geheim -iter 2000001 -out slowmac.p12");
    openssl.shell("openssl pkcs12 -export -nokeys -in rest.crt -passout pass:geheim -out nokey.p12");
    openssl.shell(
        "certtool --to-p12 --load-certificate a.crt --load-privkey a.key --load-ca-certificate b.crt --p12-name x "
        "--password geheim --outder --outfile certtool.p12");
    return true;
  }();
  EXPECT_TRUE(once);
  return openssl;
}

Result<Pkcs12> read(const std::string& content, const std::optional<std::string>& passphrase) {
  const Secret secret(passphrase.value_or(""));
  return read_pkcs12(as_bytes(content), passphrase ? &secret : nullptr);
}

std::string names(const Pkcs12& file) {
  std::string all;
  for (const Pkcs12::Certificate& one : file.certificates) {
    const auto certificate = x509::read_certificate(one.der, hasher());
    all += certificate ? certificate->subject.common_name() : "!";
  }
  std::sort(all.begin(), all.end());
  return all;
}

struct Good {
  const char* name;
  const char* file;
  std::optional<std::string> passphrase;
  const char* names = "abc";
  const char* old_encryption = "";
};
class GoodTest : public testing::TestWithParam<Good> {};
TEST_P(GoodTest, GivesItsCertificates) {
  const auto file = read(files().dir().read(GetParam().file), GetParam().passphrase);
  ASSERT_TRUE(file) << file.error().text;
  EXPECT_EQ(names(*file), GetParam().names);
  EXPECT_EQ(file->old_encryption, GetParam().old_encryption);
  EXPECT_TRUE(file->trouble.empty());
  EXPECT_TRUE(file->keys.empty());  // nobody asked
  const Secret secret(GetParam().passphrase.value_or(""));
  const auto with_keys = read_pkcs12(as_bytes(files().dir().read(GetParam().file)),
                                     GetParam().passphrase ? &secret : nullptr, Pkcs12Keys::read);
  ASSERT_TRUE(with_keys) << with_keys.error().text;
  const bool has_key = std::string_view{GetParam().file} != "nokey.p12";
  ASSERT_EQ(with_keys->keys.size(), has_key ? 1U : 0U);
  if (has_key) EXPECT_TRUE(with_keys->keys[0].key.belongs_to(*x509::read_certificate(files().der("a"), hasher())));
}
INSTANTIATE_TEST_SUITE_P(
    Pkcs12, GoodTest,
    testing::Values(Good{"Aes", "aes.p12", "geheim"},
                    Good{"Utf8", "utf8.p12",
                         "gr\xC3\xBC\xC3\x9F"
                         "e"},
                    Good{"EmptyPassphraseTriedUnasked", "empty.p12", std::nullopt},
                    Good{"EmptyPassphraseGiven", "empty.p12", ""}, Good{"Rc2", "rc2.p12", "geheim", "abc", "RC2-40"},
                    Good{"TripleDes", "3des.p12", "geheim"}, Good{"WithoutMac", "nomac.p12", "geheim"},
                    Good{"NotEncrypted", "plain.p12", std::nullopt}, Good{"WithoutKey", "nokey.p12", "geheim", "bc"},
                    Good{"OfCerttool", "certtool.p12", "geheim", "ab"}),
    [](const auto& row) { return row.param.name; });

TEST(Pkcs12, KeepsTheFriendlyName) {
  const auto file = read(files().dir().read("aes.p12"), "geheim");
  ASSERT_TRUE(file);
  std::size_t named = 0;
  for (const Pkcs12::Certificate& one : file->certificates) named += one.friendly_name == "the first" ? 1U : 0U;
  EXPECT_EQ(named, 1U);
}

struct Bad {
  const char* name;
  const char* file;
  std::optional<std::string> passphrase;
  ErrorKind kind;
  const char* says;
};
class BadTest : public testing::TestWithParam<Bad> {};
TEST_P(BadTest, IsOneClearLine) {
  const auto file = read(files().dir().read(GetParam().file), GetParam().passphrase);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error(), (Error{GetParam().kind, GetParam().says}));
}
INSTANTIATE_TEST_SUITE_P(
    Pkcs12, BadTest,
    testing::Values(Bad{"WrongPassphrase", "aes.p12", "falsch", ErrorKind::config, "wrong passphrase"},
                    Bad{"WrongForOldOne", "rc2.p12", "falsch", ErrorKind::config, "wrong passphrase"},
                    Bad{"WrongWithoutMac", "nomac.p12", "falsch", ErrorKind::config, "wrong passphrase"},
                    Bad{"None", "aes.p12", std::nullopt, ErrorKind::config,
                        "encrypted, and no passphrase is configured"},
                    Bad{"TooSlow", "slow.p12", "geheim", ErrorKind::malformed,
                        "its key derivation takes 2000001 rounds, of which 2000000 are done at most"},
                    Bad{"TooSlowToCheck", "slowmac.p12", "geheim", ErrorKind::malformed,
                        "its key derivation takes 2000001 rounds, of which 2000000 are done at most"}),
    [](const auto& row) { return row.param.name; });

TEST(Pkcs12, CutAnywhereIsALine) {
  const std::string content = files().dir().read("plain.p12");
  for (std::size_t size = 0; size < content.size(); ++size) {
    const auto file = read(content.substr(0, size), std::nullopt);
    ASSERT_FALSE(file) << size;
    EXPECT_EQ(file.error().kind, ErrorKind::malformed);
    EXPECT_EQ(printable(file.error().text, 4'096), file.error().text);
  }
}

TEST(Pkcs12, AFlippedByteIsAResultOrALine) {
  const std::string content = files().dir().read("plain.p12");
  std::mt19937 random(20261123);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same flips every time
  for (int round = 0; round < 1'000; ++round) {
    std::string damaged = content;
    const std::size_t at = random() % damaged.size();
    damaged[at] =
        static_cast<char>(static_cast<std::uint8_t>(damaged[at]) ^ static_cast<std::uint8_t>(random() % 255 + 1));
    const auto file = read(damaged, std::nullopt);
    if (!file) {
      EXPECT_FALSE(file.error().text.empty());
    } else {
      EXPECT_LE(file->certificates.size(), 3U);
      for (const std::string& trouble : file->trouble) EXPECT_EQ(printable(trouble, 4'096), trouble);
    }
  }
}

}  // namespace
}  // namespace mrascheck::crypto

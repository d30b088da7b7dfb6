// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <stdlib.h>

#include "sources/sources.hpp"
#include "support/openssl_cli.hpp"

namespace mrascheck::sources {

using test::OpensslCli;
using test::TempDir;

/// A server below an intermediate below a root, and another server, made once a process.
static const OpensslCli& pki() {
  static const OpensslCli openssl;
  static const bool once = [] {
    openssl.self_signed("root", "/CN=Root", test::ca_extensions);
    openssl.issued("sub", "/CN=Sub", "root", test::ca_extensions);
    openssl.issued("fe1", "/CN=fe1", "sub", "subjectAltName=DNS:fe1.example\n");
    openssl.issued("fe2", "/CN=fe2", "sub", "subjectAltName=DNS:fe2.example\n");
    openssl.shell("cat sub.crt root.crt > above.crt");
    const std::string make =
        "openssl pkcs12 -export -in fe1.crt -inkey fe1.key -certfile above.crt -passout pass:geheim ";
    openssl.shell(make + "-CSP 'Microsoft Software Key Storage Provider' -out cng.pfx");
    openssl.shell(make + "-CSP 'Microsoft RSA SChannel Cryptographic Provider' -out csp.pfx");
    openssl.shell("openssl pkcs12 -export -in fe1.crt -inkey fe1.key -passout pass: -out open.pfx");
    openssl.shell("openssl pkcs12 -export -in fe1.crt -nokeys -passout pass:geheim -out public.pfx");
    return true;
  }();
  EXPECT_TRUE(once);
  return openssl;
}
static std::string file(const std::string& name) {
  return pki().dir().read(name);
}

class IdentityTest : public testing::Test {
 protected:
  /// Loads it, and says in one line what came of it: "fe1 [Sub Root] key", or the field and the error.
  std::string load() {
    source_.server = "fe1.example";
    const auto loaded = load_identity(source_, pool_);
    if (!loaded) {
      kind_ = loaded.error().error.kind;
      std::string text = loaded.error().error.text;
      const std::string prefix = dir_.path().string() + "/";
      for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
        text.erase(at, prefix.size());
      return loaded.error().field + ": " + text;
    }
    EXPECT_EQ(loaded->identity.server, "fe1.example");
    EXPECT_EQ(loaded->key.has_value(), loaded->identity.key_matches);
    std::string text = std::string{loaded->identity.certificate->subject.common_name()} + " [";
    for (const CertificateRef& one : loaded->identity.chain) text += std::string{one->subject.common_name()} + " ";
    if (text.back() == ' ') text.pop_back();
    return text + (loaded->key ? "] key" : "]");
  }

  const TempDir dir_;
  CertificatePool pool_;
  IdentitySource source_;
  ErrorKind kind_ = ErrorKind::bug;
};

TEST_F(IdentityTest, IsCertificateAndKey) {
  source_.certificate = dir_.write("fe1.crt", file("fe1.crt"));
  source_.key = dir_.write("fe1.key", file("fe1.key"));
  EXPECT_EQ(load(), "fe1 [] key");
}

TEST_F(IdentityTest, MayLackTheKey) {
  source_.certificate = dir_.write("fe1.crt", file("fe1.crt") + file("sub.crt"));
  EXPECT_EQ(load(), "fe1 [Sub]");
}

TEST_F(IdentityTest, ReadsTextAsWindowsWritesIt) {
  std::string wide = "\xff\xfe";
  for (const char c : file("fe1.crt")) (wide += c) += '\0';
  source_.certificate = dir_.write("fe1.cer", wide);
  EXPECT_EQ(load(), "fe1 []");
}

TEST_F(IdentityTest, TakesTheRestOfTheFileAsChain) {
  source_.certificate = dir_.write("fe1.crt", file("fe1.crt") + file("sub.crt") + file("root.crt"));
  source_.key = dir_.write("fe1.key", file("fe1.key"));
  EXPECT_EQ(load(), "fe1 [Sub Root] key");
}

TEST_F(IdentityTest, FindsTheCertificateOfTheKey) {
  source_.certificate = dir_.write("fe1.crt", file("root.crt") + file("sub.crt") + file("fe1.crt"));
  source_.key = dir_.write("fe1.key", file("fe1.key"));
  EXPECT_EQ(load(), "fe1 [Root Sub] key");
}

TEST_F(IdentityTest, TakesTheChainFileInstead) {
  source_.certificate = dir_.write("fe1.crt", file("fe1.crt") + file("root.crt"));
  source_.key = dir_.write("fe1.key", file("fe1.key"));
  source_.chain = dir_.write("chain.crt", file("sub.crt"));
  EXPECT_EQ(load(), "fe1 [Sub] key");
}

TEST_F(IdentityTest, LeavesItselfOutOfTheChain) {
  source_.certificate = dir_.write("fe1.crt", file("fe1.crt"));
  source_.chain = dir_.write("fullchain.crt", file("fe1.crt") + file("sub.crt"));
  EXPECT_EQ(load(), "fe1 [Sub]");
}

TEST_F(IdentityTest, MayHaveItsKeyInTheSameFile) {
  source_.certificate = source_.key = dir_.write("fe1.pem", file("fe1.key") + file("fe1.crt") + file("sub.crt"));
  EXPECT_EQ(load(), "fe1 [Sub] key");
}

TEST_F(IdentityTest, RefusesTheKeyOfAnother) {
  source_.certificate = dir_.write("fe1.crt", file("fe1.crt"));
  source_.key = dir_.write("fe1.key", file("fe2.key"));
  const std::string own = thumbprint(*pool_.intern(pki().der("fe1")).value());
  EXPECT_EQ(load(), "key: fe1.key: not the private key of fe1.crt (thumbprint " + own + ")");
  EXPECT_EQ(kind_, ErrorKind::config);
  source_.certificate = dir_.write("fe1.crt", file("fe1.crt") + file("sub.crt"));
  EXPECT_EQ(load(), "key: fe1.key: not the private key of fe1.crt (thumbprint " + own + "), nor of the others in it");
}

TEST_F(IdentityTest, OpensAnEncryptedKey) {
  pki().shell("openssl pkey -in fe1.key -aes256 -passout pass:hunter2 -out fe1.enc");
  source_.certificate = dir_.write("fe1.crt", file("fe1.crt"));
  source_.key = dir_.write("fe1.key", file("fe1.enc"));
  source_.passphrase = {SecretSource::Kind::file, dir_.write("pass", "hunter2\n")};
  EXPECT_EQ(load(), "fe1 [] key");

  source_.passphrase = {SecretSource::Kind::file, dir_.write("pass", "hunter3\n")};
  EXPECT_EQ(load(), "passphrase: fe1.key: wrong passphrase");
  EXPECT_EQ(kind_, ErrorKind::config);

  source_.passphrase = {SecretSource::Kind::file, dir_ / "none"};
  EXPECT_EQ(load(), "passphrase: file:none: No such file or directory");
  EXPECT_EQ(kind_, ErrorKind::config);

  source_.passphrase.reset();
  EXPECT_EQ(load(), "key: fe1.key: encrypted, and no passphrase is configured");
  EXPECT_EQ(kind_, ErrorKind::config);
}

TEST_F(IdentityTest, NamesTheFileThatIsMissing) {
  source_.certificate = dir_ / "none.crt";
  source_.key = dir_ / "none.key";
  EXPECT_EQ(load(), "certificate: none.crt: No such file or directory");
  EXPECT_EQ(kind_, ErrorKind::local);
  source_.certificate = dir_.write("fe1.crt", file("fe1.crt"));
  EXPECT_EQ(load(), "key: none.key: No such file or directory");
  EXPECT_EQ(kind_, ErrorKind::local);
  source_.key = dir_.write("fe1.key", file("fe1.key"));
  source_.chain = dir_ / "none.chain";
  EXPECT_EQ(load(), "chain: none.chain: No such file or directory");
  EXPECT_EQ(kind_, ErrorKind::local);
}

TEST_F(IdentityTest, RefusesAFileWithoutCertificateOrKey) {
  source_.certificate = dir_.write("fe1.crt", file("fe1.key"));
  EXPECT_EQ(load(), "certificate: fe1.crt: no certificate in it, only a private key");
  EXPECT_EQ(kind_, ErrorKind::config);
  source_.certificate = dir_.write("fe1.crt", file("fe1.crt"));
  source_.key = dir_.write("fe1.key", file("fe1.crt"));
  EXPECT_EQ(load(), "key: fe1.key: no private key in it");
  EXPECT_EQ(kind_, ErrorKind::config);
}

TEST_F(IdentityTest, RefusesAHalfGoodFile) {
  source_.certificate = dir_.write("fe1.crt", file("fe1.crt") + "-----BEGIN CERTIFICATE-----\nMAA=\n");
  EXPECT_TRUE(load().starts_with("certificate: fe1.crt: block 2: truncated: no END line")) << load();
  EXPECT_EQ(kind_, ErrorKind::config);
  std::string der{as_text(pki().der("fe1"))};
  der[der.find("\xa0\x03\x02\x01\x02") + 4] = '\x07';
  source_.certificate = dir_.write("fe1.der", der);
  EXPECT_TRUE(load().starts_with("certificate: fe1.der: not a certificate: version: neither 1, 2 nor 3")) << load();
}

TEST_F(IdentityTest, IsAWholePkcs12File) {
  ASSERT_EQ(::setenv("IDENTITY_TEST_PFX", "geheim", 1), 0);
  source_.passphrase = SecretSource{SecretSource::Kind::env, "IDENTITY_TEST_PFX"};
  for (const auto& [name, provider] : {std::pair{"cng.pfx", "Microsoft Software Key Storage Provider"},
                                       std::pair{"csp.pfx", "Microsoft RSA SChannel Cryptographic Provider"}}) {
    source_.certificate = source_.key = dir_.write(name, file(name));
    EXPECT_EQ(load(), "fe1 [Sub Root] key") << name;
    EXPECT_EQ(load_identity(source_, pool_)->identity.key_provider, provider);
  }
  source_.key.clear();
  EXPECT_EQ(load(), "fe1 [Sub Root]");
  source_.certificate = dir_.write("fe1.crt", file("fe1.crt"));
  source_.key = dir_.write("cng.pfx", file("cng.pfx"));
  EXPECT_EQ(load(), "fe1 [] key");
  source_.certificate = dir_.write("fe2.crt", file("fe2.crt"));
  EXPECT_EQ(load().substr(0, 43), "key: cng.pfx: not the private key of fe2.cr");
}

TEST_F(IdentityTest, SaysWhatIsWrongWithAPkcs12File) {
  source_.certificate = source_.key = dir_.write("cng.pfx", file("cng.pfx"));
  EXPECT_EQ(load(), "certificate: cng.pfx: encrypted, and no passphrase is configured");
  ASSERT_EQ(::setenv("IDENTITY_TEST_PFX", "wrong", 1), 0);
  source_.passphrase = SecretSource{SecretSource::Kind::env, "IDENTITY_TEST_PFX"};
  EXPECT_EQ(load(), "passphrase: cng.pfx: wrong passphrase");
  ASSERT_EQ(::setenv("IDENTITY_TEST_PFX", "geheim", 1), 0);
  source_.key = dir_.write("public.pfx", file("public.pfx"));
  EXPECT_EQ(load(), "key: public.pfx: no private key in it: export it with its key");
  source_.passphrase.reset();
  source_.certificate = source_.key = dir_.write("open.pfx", file("open.pfx"));
  EXPECT_EQ(load(), "fe1 [] key");
  source_.chain = dir_.write("cut.pfx", file("open.pfx").substr(0, 300));
  EXPECT_EQ(load().substr(0, 7), "chain: ");
}

}  // namespace mrascheck::sources

// SPDX-License-Identifier: Apache-2.0
#include "crypto/name_hash.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "crypto/digest.hpp"
#include "support/openssl_cli.hpp"
#include "x509/certificate_reader.hpp"

namespace mrascheck::crypto {
namespace {

TEST(NameHash, IsThatOfTheOpensslCommand) {
  const test::OpensslCli openssl;
  for (const char* subject : {"/CN=Contoso Issuing CA", "/DC=example/DC=contoso/CN=Contoso  Issuing   CA",
                              "/O=x+OU=y/CN=z", "/CN=Gr\xC3\xBC\xC3\x9F e", "/C=DE/emailAddress=A@B.example"}) {
    openssl.self_signed("a", subject, test::ca_extensions, "ed25519", "-utf8 -multivalue-rdn");
    const auto certificate = x509::read_certificate(openssl.der("a"), hasher());
    ASSERT_TRUE(certificate) << subject;
    const std::string told = openssl.shell("openssl x509 -in a.crt -noout -subject_hash -subject_hash_old");
    const auto hash = name_hash(certificate->subject);
    const auto old = old_name_hash(certificate->subject);
    ASSERT_TRUE(hash && old) << subject;
    EXPECT_EQ(fmt::format("{:08x}\n{:08x}\n", *hash, *old), told) << subject;
  }
}

TEST(NameHash, IsNoneOfWhatIsNoName) {
  const ByteString der{0x31, 0x00};
  const Name name{{.der = der}};
  EXPECT_FALSE(name_hash(name));
  EXPECT_FALSE(old_name_hash(name));
}

}  // namespace
}  // namespace mrascheck::crypto

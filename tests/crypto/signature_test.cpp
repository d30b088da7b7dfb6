// SPDX-License-Identifier: Apache-2.0
#include "crypto/signature.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "pki.hpp"
#include "x509/crl_reader.hpp"

namespace mrascheck::crypto {
namespace {

using test::Issued;
using test::Pki;

struct Algorithm {
  const char* name;
  const char* issuer_key;
  const char* extra;  ///< to the child's `openssl req`
};

void PrintTo(const Algorithm& algorithm, std::ostream* out) {
  *out << algorithm.name;
}

class SignatureAlgorithm : public testing::TestWithParam<Algorithm> {};

TEST_P(SignatureAlgorithm, VerifiesUnderItsIssuersKeyAlone) {
  const Algorithm& algorithm = GetParam();
  const Pki pki;
  const Issued issuer = pki.root("issuing", algorithm.issuer_key);
  const Issued twin = pki.root("twin", algorithm.issuer_key);
  const Issued child = pki.leaf("fe1", issuer, test::p256, algorithm.extra);

  SignatureVerifier verifier;
  EXPECT_EQ(verifier.verify(*child.certificate, *issuer.certificate), SignatureState::verified);
  EXPECT_EQ(verifier.verify(*child.certificate, *twin.certificate), SignatureState::failed);
  EXPECT_EQ(verifier.verify(*issuer.certificate, *issuer.certificate), SignatureState::verified);
  EXPECT_EQ(verifier.proofs().size(), 3U);

  Certificate forged = *child.certificate;
  forged.der.back() ^= 1U;
  forged.sha256[0] ^= 1U;
  EXPECT_EQ(verifier.verify(forged, *issuer.certificate), SignatureState::failed);
}

INSTANTIATE_TEST_SUITE_P(OpenSsl, SignatureAlgorithm,
                         testing::Values(Algorithm{"RsaSha256", "rsa:2048", "-sha256"},
                                         Algorithm{"RsaSha1", "rsa:1024", "-sha1"},
                                         Algorithm{"RsaMd5", "rsa:1024", "-md5"},
                                         Algorithm{"RsaPss", "rsa:2048", "-sigopt rsa_padding_mode:pss"},
                                         Algorithm{"EcdsaP256", test::p256, "-sha256"},
                                         Algorithm{"EcdsaP384", "ec -pkeyopt ec_paramgen_curve:P-384", "-sha384"},
                                         Algorithm{"Ed25519", "ed25519", ""}),
                         [](const auto& row) { return row.param.name; });

TEST(SignatureVerifier, SaysNoToAnIssuerWithAKeyOfAnotherKind) {
  const Pki pki;
  const Issued rsa = pki.root("rsa", "rsa:1024");
  const Issued ec = pki.root("ec");
  const Issued edwards = pki.root("edwards", "ed25519");
  SignatureVerifier verifier;
  EXPECT_EQ(verifier.verify(*rsa.certificate, *ec.certificate), SignatureState::failed);
  EXPECT_EQ(verifier.verify(*ec.certificate, *rsa.certificate), SignatureState::failed);
  EXPECT_EQ(verifier.verify(*ec.certificate, *edwards.certificate), SignatureState::failed);
  EXPECT_EQ(verifier.verify(*edwards.certificate, *rsa.certificate), SignatureState::failed);
}

TEST(SignatureVerifier, SaysNoWhenTheAlgorithmOutsideIsNotTheOneInside) {
  const Pki pki;
  const Issued root = pki.root("root", "rsa:1024");
  Certificate doctored = *root.certificate;
  // sha256WithRSAEncryption, 1.2.840.113549.1.1.11, becomes sha384WithRSAEncryption, but only where it is not signed.
  const ByteString oid = from_hex("2a864886f70d01010b");
  const auto last = std::find_end(doctored.der.begin(), doctored.der.end(), oid.begin(), oid.end());
  ASSERT_NE(last, doctored.der.end());
  *(last + 8) = 0x0c;
  doctored.sha256[0] ^= 1U;
  SignatureVerifier verifier;
  EXPECT_EQ(verifier.verify(doctored, *root.certificate), SignatureState::failed);
}

TEST(SignatureVerifier, CannotSayOfAnAlgorithmThatOpenSslDoesNotKnow) {
  const Pki pki;
  const Issued root = pki.root("root", "rsa:1024");
  Certificate strange = *root.certificate;
  const ByteString oid = from_hex("2a864886f70d01010b");
  for (auto at = strange.der.begin();
       at = std::search(at, strange.der.end(), oid.begin(), oid.end()), at != strange.der.end();)
    *(at + 8) = 0x7f;  // 1.2.840.113549.1.1.127 is nobody's, inside and outside
  strange.sha256[0] ^= 1U;
  strange.signature_algorithm = "1.2.840.113549.1.1.127";
  SignatureVerifier verifier;
  const auto answer = verifier.verify(strange, *root.certificate);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::local);
  EXPECT_EQ(answer.error().text,
            "root: OpenSSL cannot verify a 1.2.840.113549.1.1.127 signature: unknown signature algorithm");
  EXPECT_TRUE(verifier.proofs().empty());
}

TEST(SignatureVerifier, CannotSayOfBytesThatAreNoCertificate) {
  const Pki pki;
  const Issued root = pki.root("root");
  Certificate nothing;
  nothing.subject = Name{{.common_name = "nothing"}};
  nothing.key_algorithm = "1.2.3";
  SignatureVerifier verifier;
  EXPECT_EQ(verifier.verify(nothing, *root.certificate).error().kind, ErrorKind::local);
  const auto answer = verifier.verify(*root.certificate, nothing);
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().text.starts_with("nothing: OpenSSL cannot decode its public key (1.2.3): "))
      << answer.error().text;

  // Cut anywhere, it is an error or a no, and never read past.
  for (std::size_t size = 0; size < root.certificate->der.size(); ++size) {
    Certificate cut = *root.certificate;
    cut.der =
        ByteString(root.certificate->der.begin(), root.certificate->der.begin() + static_cast<std::ptrdiff_t>(size));
    cut.sha256[0] = static_cast<std::uint8_t>(size);
    cut.sha256[1] = static_cast<std::uint8_t>(size >> 8U);
    EXPECT_NE(verifier.verify(cut, *root.certificate), SignatureState::verified);
  }
}

TEST(SignatureVerifier, TellsWhichTwinSignedARevocationList) {
  const Pki pki;
  const Issued root = pki.root("root");
  const Issued twin = pki.root("twin");
  pki.shell(
      "touch index; printf '[ca]\\ndefault_ca=it\\n[it]\\ndatabase=index\\ndefault_md=sha256\\n' > ca.cnf;"
      "openssl ca -gencrl -config ca.cnf -crldays 7 -keyfile root.key -cert root.crt -out list.pem;"
      "openssl crl -in list.pem -outform DER -out list.crl");
  const auto crl = x509::read_crl(test::read_file(pki.path("list.crl")), hasher());
  ASSERT_TRUE(crl) << crl.error().text;
  SignatureVerifier verifier;
  EXPECT_EQ(verifier.verify(*crl, *root.certificate), SignatureState::verified);
  EXPECT_EQ(verifier.verify(*crl, *twin.certificate), SignatureState::failed);
  const std::vector<SignatureProof> proofs = verifier.proofs();
  ASSERT_EQ(proofs.size(), 2U);
  for (const SignatureProof& proof : proofs) EXPECT_EQ(proof.child, crl->sha256);

  // One bit anywhere in the signed part or the signature, and it verifies no more.
  for (const std::size_t from_end : {std::size_t{1}, crl->der.size() / 2}) {
    Crl changed = *crl;
    changed.der[changed.der.size() - from_end] ^= 1U;
    changed.sha256[0] ^= static_cast<std::uint8_t>(from_end);
    EXPECT_NE(verifier.verify(changed, *root.certificate), SignatureState::verified);
  }
  Crl cut = *crl;
  for (std::size_t size = 0; size < crl->der.size(); ++size) {
    cut.der.resize(crl->der.size() - size - 1);
    cut.sha256[1] = static_cast<std::uint8_t>(size);
    cut.sha256[2] = static_cast<std::uint8_t>(size >> 8U);
    EXPECT_NE(verifier.verify(cut, *root.certificate), SignatureState::verified);
  }
}

TEST(SignatureVerifier, RemembersEachPairOnceAndInOrder) {
  const Pki pki;
  const Issued root = pki.root("root");
  const Issued twin = pki.root("twin");
  const Issued child = pki.leaf("fe1", root);
  SignatureVerifier verifier;
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(verifier.verify(*child.certificate, *twin.certificate), SignatureState::failed);
    EXPECT_EQ(verifier.verify(*root.certificate, *root.certificate), SignatureState::verified);
    EXPECT_EQ(verifier.verify(*child.certificate, *root.certificate), SignatureState::verified);
  }
  const SignatureVerifier moved = std::move(verifier);
  const std::vector<SignatureProof> proofs = moved.proofs();
  ASSERT_EQ(proofs.size(), 3U);
  EXPECT_TRUE(std::is_sorted(proofs.begin(), proofs.end(), [](const SignatureProof& a, const SignatureProof& b) {
    return std::tie(a.child, a.issuer_key) < std::tie(b.child, b.issuer_key);
  }));
}

}  // namespace
}  // namespace mrascheck::crypto

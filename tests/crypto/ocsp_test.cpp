// SPDX-License-Identifier: Apache-2.0
// Requests that openssl ocsp reads, and responses that it writes.
#include "crypto/ocsp.hpp"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <memory>

#include "support/openssl_cli.hpp"

namespace mrascheck::crypto {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A CA with a twin of its name, what it issued, and several who sign for it or pretend to.
class Responders {
 public:
  Responders() {
    cli_.self_signed("ca", "/CN=Contoso Issuing CA", mrascheck::test::ca_extensions);
    cli_.self_signed("twin", "/CN=Contoso Issuing CA", mrascheck::test::ca_extensions);
    const std::string delegate = "extendedKeyUsage=OCSPSigning\nkeyUsage=digitalSignature\n";
    cli_.issued("delegate", "/CN=OCSP 1", "ca", delegate);
    cli_.issued("unfit", "/CN=OCSP 2", "ca", "extendedKeyUsage=serverAuth\n");
    cli_.issued("of-twin", "/CN=OCSP 3", "twin", delegate);
    for (const char* name : {"good", "bad", "held", "strange"})
      cli_.issued(name, fmt::format("/CN={}", name), "ca", "");
    cli_.shell(
        "touch index.txt; printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=index.txt\\ndefault_md=sha256\\n"
        "unique_subject=no\\n' > ca.cnf; ca='openssl ca -config ca.cnf -keyfile ca.key -cert ca.crt';"
        "$ca -valid good.crt; $ca -revoke bad.crt -crl_reason keyCompromise; $ca -revoke held.crt -crl_reason "
        "certificateHold");
    ca_ = load("ca");
  }

  CertificateRef load(const std::string& name) const {
    Certificate certificate;
    certificate.der = cli_.der(name);
    return std::make_shared<const Certificate>(std::move(certificate));
  }
  const CertificateRef& ca() const { return ca_; }
  const mrascheck::test::OpensslCli& cli() const { return cli_; }

  /// What `signer` answers about `subject`, as openssl ocsp does it.
  ByteString response(const std::string& subject, const std::string& signer, const std::string& more = {},
                      const std::string& digest = "-sha1") const {
    cli_.shell(
        fmt::format("openssl ocsp {1} -issuer ca.crt -cert {0}.crt -no_nonce -reqout {0}.req;"
                    "openssl ocsp -index index.txt -CA ca.crt -rsigner {2}.crt -rkey {2}.key -reqin {0}.req "
                    "-respout {0}.resp {3}",
                    subject, digest, signer, more));
    const std::string bytes = cli_.dir().read(subject + ".resp");
    return {bytes.begin(), bytes.end()};
  }
  Result<OcspAnswer> read(const std::string& subject, const std::string& signer, const std::string& more = {}) const {
    const std::vector<CertificateRef> issuers{ca_};
    return read_ocsp_response(response(subject, signer, more.empty() ? "-ndays 1" : more), *load(subject), issuers,
                              now());
  }
  static UtcTime now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

 private:
  mrascheck::test::OpensslCli cli_;
  CertificateRef ca_;
};

const Responders& responders() {
  static const Responders* const made = new Responders;
  return *made;
}

TEST(Ocsp, ARequestIsReadByOpenssl) {
  const auto request = ocsp_request(*responders().load("good"), *responders().ca());
  ASSERT_TRUE(request) << request.error().text;
  responders().cli().dir().write("ours.req", std::string{as_text(*request)});
  const std::string text = responders().cli().shell("openssl ocsp -reqin ours.req -req_text");
  const std::string theirs = responders().cli().shell("openssl ocsp -issuer ca.crt -cert good.crt -no_nonce -req_text");
  EXPECT_EQ(text, theirs);
  EXPECT_THAT(text, HasSubstr("Hash Algorithm: sha1"));
}

TEST(Ocsp, TheCaItselfAnswers) {
  const auto good = responders().read("good", "ca");
  ASSERT_TRUE(good) << good.error().text;
  EXPECT_EQ(good->status, OcspStatus::good);
  EXPECT_EQ(good->signer, OcspSigner::issuer);
  EXPECT_EQ(good->responder, "CN=Contoso Issuing CA");
  EXPECT_FALSE(good->revoked_at);
  ASSERT_TRUE(good->next_update);
  EXPECT_EQ(*good->next_update - good->this_update, std::chrono::hours{24});
  EXPECT_TRUE(good->holds_at(Responders::now()));
  EXPECT_FALSE(good->holds_at(Responders::now() + std::chrono::hours{25}));
  EXPECT_FALSE(good->holds_at(Responders::now() - std::chrono::hours{1}));
}

TEST(Ocsp, ItSaysWhenAndWhyItWasRevoked) {
  const auto bad = responders().read("bad", "delegate");
  ASSERT_TRUE(bad) << bad.error().text;
  EXPECT_EQ(bad->status, OcspStatus::revoked);
  EXPECT_EQ(bad->signer, OcspSigner::delegate);
  EXPECT_EQ(bad->reason, "keyCompromise");
  EXPECT_TRUE(bad->revoked_at);
  const auto held = responders().read("held", "delegate", "-ndays 1 -resp_key_id");
  ASSERT_TRUE(held) << held.error().text;
  EXPECT_EQ(held->reason, "certificateHold");
  EXPECT_EQ(held->signer, OcspSigner::delegate);
  EXPECT_THAT(held->responder, testing::StartsWith("key "));
}

TEST(Ocsp, WhatIsNotInItsDatabaseItDoesNotKnow) {
  const auto strange = responders().read("strange", "delegate");
  ASSERT_TRUE(strange) << strange.error().text;
  EXPECT_EQ(strange->status, OcspStatus::unknown);
}

TEST(Ocsp, NewerIsToBeHadAtAnyTimeWhereNoEndIsSaid) {
  const auto good = responders().read("good", "delegate", "-resp_key_id");
  ASSERT_TRUE(good) << good.error().text;
  EXPECT_FALSE(good->next_update);
  EXPECT_TRUE(good->holds_at(Responders::now() + std::chrono::hours{24 * 365}));
}

TEST(Ocsp, WhoMayNotSignIsNobody) {
  const auto unfit = responders().read("good", "unfit");
  ASSERT_TRUE(unfit) << unfit.error().text;
  EXPECT_EQ(unfit->signer, OcspSigner::nobody);
  EXPECT_EQ(unfit->doubt, "CN=OCSP 2, which signed it, is not for OCSP signing by its extended key usage");
  EXPECT_FALSE(unfit->holds_at(Responders::now()));
  const auto twin = responders().read("good", "of-twin");
  ASSERT_TRUE(twin) << twin.error().text;
  EXPECT_EQ(twin->doubt, "CN=OCSP 3, which signed it, was not issued by the CA that issued the certificate");
  const auto impostor = responders().read("good", "twin");
  ASSERT_TRUE(impostor) << impostor.error().text;
  EXPECT_EQ(impostor->signer, OcspSigner::nobody);
  const auto nobody = responders().read("good", "delegate", "-ndays 1 -resp_no_certs");
  ASSERT_TRUE(nobody) << nobody.error().text;
  EXPECT_EQ(nobody->doubt,
            "it is not signed by the CA that issued the certificate, and brings no certificate of who signed it");
  const std::vector<CertificateRef> issuers{responders().ca()};
  const auto later = read_ocsp_response(responders().response("good", "delegate"), *responders().load("good"), issuers,
                                        Responders::now() + std::chrono::hours{24 * 365 * 100});
  ASSERT_TRUE(later) << later.error().text;
  EXPECT_EQ(later->doubt, "the certificate of CN=OCSP 1, which signed it, has expired");
}

TEST(Ocsp, DigestsOfTheQuestionMayBeOthers) {
  const std::vector<CertificateRef> issuers{responders().ca()};
  const auto good = read_ocsp_response(responders().response("good", "ca", "-ndays 1", "-sha256"),
                                       *responders().load("good"), issuers, Responders::now());
  ASSERT_TRUE(good) << good.error().text;
  EXPECT_EQ(good->status, OcspStatus::good);
}

TEST(Ocsp, AnAnswerAboutAnotherCertificateIsNone) {
  const std::vector<CertificateRef> issuers{responders().ca()};
  const std::vector<CertificateRef> twin{responders().load("twin")};
  const ByteString response = responders().response("good", "ca");
  const auto other = read_ocsp_response(response, *responders().load("bad"), issuers, Responders::now());
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::malformed);
  EXPECT_EQ(other.error().text, "an OCSP response that says nothing of this certificate");
  EXPECT_FALSE(read_ocsp_response(response, *responders().load("good"), twin, Responders::now()));
  EXPECT_FALSE(read_ocsp_response(response, *responders().load("good"), {}, Responders::now()));
}

TEST(Ocsp, AResponderThatGivesNoAnswerSaysWhy) {
  const std::vector<CertificateRef> issuers{responders().ca()};
  const std::pair<std::uint8_t, const char*> rows[] = {{1, "malformedRequest"}, {2, "internalError"}, {3, "tryLater"},
                                                       {5, "sigRequired"},      {6, "unauthorized"},  {4, "status 4"}};
  for (const auto& [status, word] : rows) {
    const ByteString response{0x30, 0x03, 0x0A, 0x01, status};
    const auto answer = read_ocsp_response(response, *responders().load("good"), issuers, Responders::now());
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::rejected_by_peer);
    EXPECT_EQ(answer.error().text, fmt::format("the responder gives no answer: {}", word));
  }
}

TEST(Ocsp, WhatIsDamagedIsNeverGood) {
  const std::vector<CertificateRef> issuers{responders().ca()};
  const CertificateRef subject = responders().load("good");
  const ByteString whole = responders().response("good", "delegate", "-ndays 1");
  for (std::size_t size = 0; size < whole.size(); size += 7)
    EXPECT_FALSE(read_ocsp_response(Bytes{whole}.first(size), *subject, issuers, Responders::now())) << size;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    ByteString flipped = whole;
    flipped[at] ^= 1U;
    const auto answer = read_ocsp_response(flipped, *subject, issuers, Responders::now());
    // Beside the signed part stand the signature and the certificate; of that one, unsigned bytes do not count.
    if (answer && answer->signer != OcspSigner::nobody) EXPECT_EQ(answer->status, OcspStatus::good) << at;
  }
  const auto html = read_ocsp_response(as_bytes("<html>Sign in</html>"), *subject, issuers, Responders::now());
  ASSERT_FALSE(html);
  EXPECT_THAT(html.error().text, testing::StartsWith("not an OCSP response: "));
  EXPECT_EQ(read_ocsp_response(ByteString(300 * 1024), *subject, issuers, Responders::now()).error().text,
            "an OCSP response of more than 256 KiB");
}

}  // namespace
}  // namespace mrascheck::crypto

// SPDX-License-Identifier: Apache-2.0
// Certificates that openssl(1) made, through the reader that the program uses.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "crypto/digest.hpp"
#include "json/evidence_json.hpp"
#include "samples.hpp"
#include "support/openssl_cli.hpp"
#include "support/sample_evidence.hpp"
#include "x509/certificate_reader.hpp"

namespace mrascheck {
namespace {

Result<CertificateRef> decode(Bytes der) {
  auto certificate = x509::read_certificate(der, crypto::hasher());
  if (!certificate) return tl::unexpected(certificate.error());
  return std::make_shared<const Certificate>(std::move(*certificate));
}

TEST(EvidenceOfRealCertificates, ComesBackWithTheSameValues) {
  const test::OpensslCli openssl;
  openssl.self_signed("root",
                      "/DC=example/DC=contoso/CN=Contoso R\xC3\xB6"
                      "ot, \\\"CA\\\"",
                      test::ca_extensions, "ec -pkeyopt ec_paramgen_curve:P-256", "-utf8");
  openssl.issued("edge1", "/CN=edge1.contoso.example", "root", "subjectAltName=DNS:edge1.contoso.example\n");
  const auto root = decode(openssl.der("root"));
  const auto edge = decode(openssl.der("edge1"));
  ASSERT_TRUE(root) << root.error().text;
  ASSERT_TRUE(edge) << edge.error().text;

  Evidence evidence = test::sample_evidence();
  evidence.identities[0].certificate = *edge;
  evidence.identities[0].chain = {*root};
  evidence.handshakes = {evidence.handshakes[1]};
  evidence.handshakes[0].peer_chain = {*edge, *root};
  evidence.handshakes[0].accepted_issuers = {(*root)->subject};
  for (StoreContents& store : evidence.stores) store.entries.clear();
  evidence.stores[0].entries = {{*root, StoreKind::root, "root.pem", 0}};
  evidence.identities.resize(1);
  evidence.trials.clear();
  evidence.ocsp.clear();

  const std::string written = json::write_evidence(evidence);
  const auto read = json::read_evidence(written, "incident.json", decode, test::decode_sample_crl);
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(json::write_evidence(*read), written);
  const Certificate& back = *read->identities[0].certificate;
  EXPECT_EQ(back.der, (*edge)->der);
  EXPECT_EQ(back.sha256, (*edge)->sha256);
  EXPECT_EQ(back.dns_names, (*edge)->dns_names);
  EXPECT_TRUE(matches(read->handshakes[0].accepted_issuers[0], back.issuer));
  EXPECT_EQ(read->handshakes[0].accepted_issuers[0].text(), (*root)->subject.text());
  EXPECT_EQ(read->stores[0].entries[0].certificate, read->identities[0].chain[0]) << "one value, shared";
}

TEST(EvidenceOfRealCertificates, SaysWhatIsWrongWithOne) {
  const std::string written = json::write_evidence(test::sample_evidence());
  const auto read = json::read_evidence(written, "incident.json", decode, test::decode_sample_crl);
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().text.starts_with("incident.json: not evidence: /certificates/0/der: ")) << read.error().text;
}

}  // namespace
}  // namespace mrascheck

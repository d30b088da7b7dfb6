// SPDX-License-Identifier: Apache-2.0
// A responder's or a server's bytes, as an OCSP response about redeployment-leaf-keyid of fixtures/pki/issuers. Nobody
// here has a key by which one could be signed for it.
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "crypto/ocsp.hpp"

using namespace mrascheck;

namespace {

CertificateRef load(const char* name) {
  const std::string path = std::string{MRASCHECK_SOURCE_DIR "/fixtures/pki/issuers/"} + name + ".pem";
  std::FILE* file = std::fopen(path.c_str(), "r");
  X509* decoded = file == nullptr ? nullptr : PEM_read_X509(file, nullptr, nullptr, nullptr);
  if (decoded == nullptr) std::abort();
  std::fclose(file);
  unsigned char* der = nullptr;
  const int size = i2d_X509(decoded, &der);
  Certificate certificate;
  certificate.der.assign(der, der + size);
  OPENSSL_free(der);
  X509_free(decoded);
  return std::make_shared<const Certificate>(std::move(certificate));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const CertificateRef subject = load("redeployment-leaf-keyid");
  static const std::vector<CertificateRef> issuers{load("redeployment-b")};
  const auto answer =
      crypto::read_ocsp_response({data, size}, *subject, issuers, UtcTime{std::chrono::hours{24} * 20'000});
  if (!answer) {
    if (answer.error().text.empty()) std::abort();
    return 0;
  }
  if (answer->signer != OcspSigner::nobody || answer->doubt.empty()) std::abort();
  return 0;
}

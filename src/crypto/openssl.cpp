// SPDX-License-Identifier: Apache-2.0
#include "crypto/openssl.hpp"

#include <openssl/err.h>

#include <cstring>

#include "core/text.hpp"

namespace mrascheck::crypto {

void start_openssl() {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, nullptr);
}

std::string drain_errors() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  if (ERR_SYSTEM_ERROR(code)) return printable(std::strerror(ERR_GET_REASON(code)));
  const char* reason = ERR_reason_error_string(code);
  return reason ? printable(reason) : "error " + std::to_string(code);
}

X509Ptr decode_certificate(Bytes der) {
  const unsigned char* cursor = der.data();
  X509Ptr certificate{d2i_X509(nullptr, &cursor, static_cast<long>(der.size()))};
  if (cursor != der.data() + der.size()) certificate.reset();
  return certificate;
}

}  // namespace mrascheck::crypto

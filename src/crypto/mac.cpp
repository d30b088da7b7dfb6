// SPDX-License-Identifier: Apache-2.0
#include "crypto/mac.hpp"

#include <fmt/format.h>

#include "crypto/openssl.hpp"

namespace mrascheck::crypto {

Result<Md5> md5(Bytes bytes) {
  start_openssl();
  Md5 digest{};
  std::size_t size = 0;
  if (EVP_Q_digest(nullptr, "MD5", nullptr, bytes.data(), bytes.size(), digest.data(), &size) != 1 ||
      size != digest.size())
    return fail(ErrorKind::local, fmt::format("OpenSSL gives no MD5: {}", drain_errors()));
  return digest;
}

Result<Sha1> hmac_sha1(Bytes key, Bytes message) {
  start_openssl();
  Sha1 code{};
  std::size_t size = 0;
  if (EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA1", nullptr, key.data(), key.size(), message.data(), message.size(),
                code.data(), code.size(), &size) == nullptr ||
      size != code.size())
    return fail(ErrorKind::local, fmt::format("OpenSSL gives no HMAC-SHA1: {}", drain_errors()));
  return code;
}

bool equal_in_constant_time(Bytes a, Bytes b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace mrascheck::crypto

// SPDX-License-Identifier: Apache-2.0
#include "crypto/name_hash.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "crypto/openssl.hpp"

namespace mrascheck::crypto {

using NamePtr = std::unique_ptr<X509_NAME, Freed<X509_NAME_free>>;

static NamePtr decode(const Name& name) {
  start_openssl();
  const Bytes der = name.der();
  const unsigned char* cursor = der.data();
  NamePtr decoded{d2i_X509_NAME(nullptr, &cursor, static_cast<long>(der.size()))};
  ERR_clear_error();
  return decoded;
}

std::optional<std::uint32_t> name_hash(const Name& name) {
  const NamePtr decoded = decode(name);
  if (!decoded) return std::nullopt;
  int done = 0;
  const unsigned long hash = X509_NAME_hash_ex(decoded.get(), nullptr, nullptr, &done);
  ERR_clear_error();
  return done == 1 ? std::optional{static_cast<std::uint32_t>(hash)} : std::nullopt;
}

std::optional<std::uint32_t> old_name_hash(const Name& name) {
  const NamePtr decoded = decode(name);
  if (!decoded) return std::nullopt;
  return static_cast<std::uint32_t>(X509_NAME_hash_old(decoded.get()));
}

}  // namespace mrascheck::crypto

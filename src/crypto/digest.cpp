// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"

#include <openssl/evp.h>

#include <cstdlib>

#include "crypto/openssl.hpp"

namespace mrascheck::crypto {
namespace {

using MdPtr = std::unique_ptr<EVP_MD, Freed<EVP_MD_free>>;
using MdContextPtr = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;

MdPtr fetch(const char* name) {
  start_openssl();
  return MdPtr{EVP_MD_fetch(nullptr, name, nullptr)};
}

/// Fetching costs more than hashing a certificate does, hence once a process; contexts are reused, one a thread.
/// There is no answer to give without SHA-1 or SHA-256: an OpenSSL without them, or no memory, ends the program.
template <class Digest>
Digest digest(const EVP_MD* algorithm, Bytes bytes) {
  thread_local const MdContextPtr context{EVP_MD_CTX_new()};
  Digest result{};
  if (!algorithm || !context || EVP_DigestInit_ex2(context.get(), algorithm, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), result.data(), nullptr) != 1)
    std::abort();
  return result;
}

Sha1 sha1(Bytes bytes) {
  static const MdPtr algorithm = fetch("SHA1");
  return digest<Sha1>(algorithm.get(), bytes);
}

Sha256 sha256(Bytes bytes) {
  static const MdPtr algorithm = fetch("SHA256");
  return digest<Sha256>(algorithm.get(), bytes);
}

}  // namespace

Hasher hasher() {
  return {.sha1 = sha1, .sha256 = sha256};
}

}  // namespace mrascheck::crypto

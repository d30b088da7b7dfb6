// SPDX-License-Identifier: Apache-2.0
// Private to the crypto room: the only header that names OpenSSL's types.
#pragma once

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "core/bytes.hpp"
#include "crypto/private_key.hpp"

namespace mrascheck::crypto {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

using BioPtr = std::unique_ptr<BIO, Freed<BIO_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;

/// Starts libcrypto without openssl.cnf: what a probe finds must not depend on the machine it runs on. Every door of
/// this room calls it first; whoever comes first decides for the process (OPENSSL_init_crypto(3)).
void start_openssl();

/// The reason of the oldest error in this thread's queue, on one line; empties the queue. "unknown error" when it is
/// empty.
std::string drain_errors();

/// Exactly one certificate, nothing behind it; null when OpenSSL cannot decode it (the queue says why).
X509Ptr decode_certificate(Bytes der);

struct PrivateKey::Handle {
  PkeyPtr key;
  Sha256 spki_sha256{};
};

}  // namespace mrascheck::crypto

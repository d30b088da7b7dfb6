// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/certificate.hpp"
#include "core/crl.hpp"
#include "core/evidence.hpp"
#include "core/result.hpp"

namespace mrascheck::crypto {

/// Verifies the signatures of certificates and revocation lists, each (child, issuer key) pair once; remembers what it
/// was asked. One thread.
class SignatureVerifier {
 public:
  SignatureVerifier();
  ~SignatureVerifier();
  SignatureVerifier(SignatureVerifier&&) noexcept;
  SignatureVerifier& operator=(SignatureVerifier&&) noexcept;

  /// Error: local, when OpenSSL does not know the algorithm or cannot decode either one (it says why).
  /// A signature that is simply wrong is not an error.
  Result<SignatureState> verify(const Certificate& child, const Certificate& issuer);
  Result<SignatureState> verify(const Crl& crl, const Certificate& issuer);

  /// Everything answered without error so far, sorted by child, then issuer key.
  std::vector<SignatureProof> proofs() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mrascheck::crypto

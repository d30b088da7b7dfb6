// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "core/bytes.hpp"
#include "core/certificate.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"

namespace mrascheck::crypto {

/// A private key in memory. Shared, never copied out: only the TLS engine uses it.
class PrivateKey {
 public:
  /// PEM (PKCS#1, SEC1, PKCS#8, encrypted or not) or DER; other PEM blocks around it are passed over. `passphrase` may
  /// be null. Never asks on a terminal. Error: config, "fe1.key: wrong passphrase", "fe1.key: encrypted, and no
  /// passphrase is configured", "fe1.key: no private key in it", "fe1.key: a private key that OpenSSL cannot decode:
  /// ...".
  static Result<PrivateKey> read(Bytes content, const Secret* passphrase, std::string_view origin);

  /// Whether `certificate` carries the public half.
  bool belongs_to(const Certificate& certificate) const;

  struct Handle;
  const std::shared_ptr<Handle>& handle() const { return handle_; }

 private:
  explicit PrivateKey(std::shared_ptr<Handle> handle) : handle_(std::move(handle)) {}
  std::shared_ptr<Handle> handle_;
};

}  // namespace mrascheck::crypto

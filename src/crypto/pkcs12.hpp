// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"

namespace mrascheck::crypto {

/// What a PKCS#12 file (RFC 7292) holds beside its private keys, which are neither decrypted nor kept.
struct Pkcs12 {
  struct Certificate {
    ByteString der;
    std::string friendly_name;  ///< printable; mostly empty
  };
  std::vector<Certificate> certificates;
  /// What its certificates are encrypted with, where that is so old that OpenSSL has it in its legacy provider only:
  /// "RC2-40". That provider is loaded for this file alone and serves nothing else.
  std::string old_encryption;
  std::vector<std::string> trouble;  ///< parts that could not be read
};

/// `passphrase` null: files without one are read, and with the empty one. Text in UTF-8, as OpenSSL and Windows take
/// it. Error: config, "wrong passphrase", "encrypted, and no passphrase is configured"; malformed, "not a PKCS#12 file
/// that OpenSSL can decode: ...", "its key derivation takes 5000000 rounds"; local, where the legacy provider is
/// missing.
Result<Pkcs12> read_pkcs12(Bytes content, const Secret* passphrase);

}  // namespace mrascheck::crypto

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"
#include "crypto/private_key.hpp"

namespace mrascheck::crypto {

/// What a PKCS#12 file (RFC 7292) holds.
struct Pkcs12 {
  struct Certificate {
    ByteString der;
    std::string friendly_name;  ///< printable; mostly empty
  };
  std::vector<Certificate> certificates;
  struct Key {
    PrivateKey key;
    std::string provider;  ///< Microsoft CSP Name, 1.3.6.1.4.1.311.17.1: who kept it; printable, may be empty
  };
  std::vector<Key> keys;  ///< only if they are asked for
  /// What its certificates are encrypted with, where that is so old that OpenSSL has it in its legacy provider only:
  /// "RC2-40". That provider is loaded for this file alone and serves nothing else.
  std::string old_encryption;
  std::vector<std::string> trouble;  ///< parts that could not be read
};

/// `passphrase` null: files without one are read, and with the empty one. Text in UTF-8, as OpenSSL and Windows take
/// it. Error: config, "wrong passphrase", "encrypted, and no passphrase is configured"; malformed, "not a PKCS#12 file
/// that OpenSSL can decode: ...", "its key derivation takes 5000000 rounds"; local, where the legacy provider is
/// missing.
/// `keys` pass: they are neither decrypted nor kept. Read, one that cannot be decoded is trouble.
enum class Pkcs12Keys { pass, read };
Result<Pkcs12> read_pkcs12(Bytes content, const Secret* passphrase, Pkcs12Keys keys = Pkcs12Keys::pass);

}  // namespace mrascheck::crypto

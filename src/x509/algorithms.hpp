// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/bytes.hpp"
#include "core/shared_text.hpp"

namespace mrascheck::x509 {

/// What a signature algorithm is called (RFC 4055, RFC 5758, RFC 8410 ...); the dotted OID where we have no name for
/// it.
SharedText signature_algorithm_name(Bytes oid);

/// A public key's algorithm and size, from an AlgorithmIdentifier and the key's octets.
struct KeyKind {
  std::string name;   ///< "RSA", "EC P-256", "Ed25519"; else the dotted OID
  unsigned bits = 0;  ///< 0 when unknown, or when the octets are not a key of that algorithm
};
/// `parameters` is the whole element behind the OID; empty when there is none.
KeyKind key_kind(Bytes oid, Bytes parameters, Bytes key);

}  // namespace mrascheck::x509

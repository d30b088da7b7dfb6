// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"

namespace mrascheck::x509 {

/// A crossCertificatePair's value (X.509, 11.2.3; RFC 4523, 2.5), its certificates not decoded: slices of what was
/// given, empty where there is none.
struct CertificatePair {
  Bytes forward;  ///< issued to the CA in whose entry it stands
  Bytes reverse;  ///< issued by it
};

/// Error: malformed, "certificate pair: not a SEQUENCE at byte 0"; a pair of neither certificate too.
Result<CertificatePair> read_certificate_pair(Bytes der);

}  // namespace mrascheck::x509

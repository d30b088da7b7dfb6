// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"

/// The outside of what stands in certificate files, looked at no deeper than needed to tell what it is. Unlike
/// certificates, envelopes come in BER as well: indefinite lengths are followed here.
namespace mrascheck::x509 {

enum class DerKind { certificate, signed_data, other_pkcs7, pkcs12, private_key, crl, request, public_key, unknown };

struct DerSize {
  std::optional<std::size_t> whole;  ///< of the element at the front, all of which is there
  std::size_t announced = 0;         ///< what its length octets say, where it is not all there
};

/// Whether `content` starts like a SEQUENCE large enough to be of interest, and unlike any text.
bool looks_like_der(Bytes content);

/// How long the SEQUENCE at the front of `content` is. Neither number is set for what is no BER SEQUENCE.
DerSize der_size(Bytes content);

/// What one whole element seems to be. A certificate by this is still to be decoded.
DerKind classify(Bytes element);

/// The certificates and revocation lists of a PKCS#7 SignedData (RFC 5652, 5.1); signatures and the rest are passed
/// over.
struct Envelope {
  std::vector<Bytes> certificates;
  std::vector<Bytes> crls;
  std::string trouble;  ///< why the rest could not be read; empty when all was
};
Envelope open_pkcs7(Bytes element);

}  // namespace mrascheck::x509

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/certificate.hpp"
#include "core/result.hpp"

namespace mrascheck::x509 {

/// Largest certificate that is read; a longer one is malformed.
inline constexpr std::size_t max_certificate_size = std::size_t{256} * 1024;

/// Decodes exactly one DER certificate (RFC 5280, 4.1), strictly: definite and minimal lengths, nothing behind the end.
/// An extension whose content cannot be decoded makes the whole certificate malformed, unless it is unknown to us.
/// Error: malformed; the text says what and at which byte, without naming the file: "validity: not a time at byte 97".
Result<Certificate> read_certificate(Bytes der, const Hasher& hasher);

/// The same for a caller who shares it, and who has computed the SHA-256 of `der` already, to look it up.
Result<CertificateRef> read_shared_certificate(Bytes der, const Hasher& hasher, const Sha256& sha256);

/// Decodes one RDNSequence, as it stands in a CertificateRequest's certificate_authorities (RFC 8446, 4.2.4).
Result<Name> read_name(Bytes der);

}  // namespace mrascheck::x509

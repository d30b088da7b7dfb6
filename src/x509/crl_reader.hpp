// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/crl.hpp"
#include "core/result.hpp"

namespace mrascheck::x509 {

/// Largest list that is read; a longer one is malformed. Active Directory allows 10 MiB ([MS-ADA1]
/// certificateRevocationList).
inline constexpr std::size_t max_crl_size = std::size_t{16} * 1024 * 1024;

/// Decodes exactly one DER certificate revocation list (RFC 5280, 5.1), as strictly as read_certificate() does.
/// Error: malformed; "revoked certificates: not a time at byte 97".
Result<Crl> read_crl(Bytes der, const Hasher& hasher);

/// The same for a caller who has computed the SHA-256 of `der` already, to look it up.
Result<Crl> read_crl(Bytes der, const Sha256& sha256);

}  // namespace mrascheck::x509

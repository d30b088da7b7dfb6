// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "core/bytes.hpp"
#include "core/certificate.hpp"
#include "core/ocsp.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace mrascheck::crypto {

/// Asks whether `subject`, which `issuer` signed, is revoked (RFC 6960, 4.1.1): one CertID of SHA-1, which every
/// responder knows (RFC 5019, 2.1.1), unsigned, without a nonce. Error: local, when OpenSSL cannot decode either one.
Result<ByteString> ocsp_request(const Certificate& subject, const Certificate& issuer);

/// What `response` says of `subject`, of which each of `issuers` has the key that signed it. A delegate's own validity
/// is held against `at`. Error: rejected_by_peer, when the responder gives no answer ("tryLater"); malformed, when it
/// is no OCSP response, or says nothing of this certificate.
Result<OcspAnswer> read_ocsp_response(Bytes response, const Certificate& subject,
                                      std::span<const CertificateRef> issuers, UtcTime at);

}  // namespace mrascheck::crypto

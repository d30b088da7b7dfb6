// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/store.hpp"

namespace mrascheck::x509 {

/// The DER of one certificate as it was found in some file, not yet decoded.
struct FoundCertificate {
  ByteString der;
  std::string where;  ///< "block 3", "certificate 2 of the PKCS#7"; empty where the file is just that certificate
};

struct Scan {
  std::vector<FoundCertificate> certificates;
  std::vector<Unreadable> unreadable;  ///< place left empty: the caller knows it
  bool private_keys = false;           ///< there were PRIVATE KEY blocks; passed over, never decoded
};

/// Takes a file apart by its content, never its name: PEM (any text between blocks, CRLF, UTF-8 or UTF-16 byte order
/// mark, labels CERTIFICATE, X509 CERTIFICATE, TRUSTED CERTIFICATE, PKCS7, CMS, and PKCS#7 mislabelled CERTIFICATE),
/// DER (several one behind the other too), PKCS#7 SignedData in DER. The good part of a half-good file is returned, and
/// one Unreadable for each bad part. Empty input and input without any certificate are Unreadable too.
Scan scan_certificates(Bytes content);

/// A certificate at the moment when it is found; `der` is there during the call only.
struct CertificateView {
  Bytes der;
  std::string where;       ///< as FoundCertificate::where
  std::size_t behind = 0;  ///< so many bytes of the content are not looked at again
};
using TakeCertificate = std::function<void(const CertificateView& found)>;

/// The same for a caller who keeps no copies: each certificate is handed over as it is found. Scan::certificates stays
/// empty.
Scan scan_certificates(Bytes content, const TakeCertificate& take);

}  // namespace mrascheck::x509

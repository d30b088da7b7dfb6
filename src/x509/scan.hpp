// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/store.hpp"

namespace mrascheck::x509 {

/// What OpenSSL is told beside a certificate in a TRUSTED CERTIFICATE block (openssl-x509(1), Trust Settings).
struct TrustSettings {
  std::optional<std::vector<std::string>> purposes;  ///< dotted OIDs that it is trusted for; nothing: not restricted
  std::vector<std::string> rejected;                 ///< dotted OIDs that it must not be used for
  std::string alias;                                 ///< printable
};

/// The DER of one certificate as it was found in some file, not yet decoded.
struct FoundCertificate {
  ByteString der;
  std::string where;  ///< "block 3", "certificate 2 of the PKCS#7"; empty where the file is just that certificate
  std::shared_ptr<const TrustSettings> trust = {};  ///< null where none are given
};

/// The same for a revocation list.
using FoundCrl = FoundCertificate;

struct Scan {
  std::vector<FoundCertificate> certificates;
  std::vector<FoundCrl> crls;
  std::vector<Unreadable> unreadable;  ///< place left empty: the caller knows it
  bool private_keys = false;           ///< there were PRIVATE KEY blocks; passed over, never decoded
};

struct Base64 {
  ByteString bytes;
  std::string trouble;     ///< empty when it was base64
  std::size_t offset = 0;  ///< of the trouble in the text
};
/// RFC 7468, 3: lines of any length, blanks anywhere.
Base64 decode_base64(std::string_view text);

/// Takes a file apart by its content, never its name: PEM (any text between blocks, CRLF, UTF-8 or UTF-16 byte order
/// mark, labels CERTIFICATE, X509 CERTIFICATE, TRUSTED CERTIFICATE, X509 CRL, PKCS7, CMS, and PKCS#7 mislabelled
/// CERTIFICATE), DER (several one behind the other too), PKCS#7 SignedData in DER. The good part of a half-good file is
/// returned, and one Unreadable for each bad part: a block whose label is misspelt, and an END line without its BEGIN,
/// are such. Empty input and input without any certificate or revocation list are Unreadable too.
Scan scan_certificates(Bytes content);

/// A certificate at the moment when it is found; `der` and `encoded` are there during the call only.
struct CertificateView {
  Bytes der;
  std::string where;  ///< as FoundCertificate::where
  std::shared_ptr<const TrustSettings> trust;
  std::size_t behind = 0;         ///< so many bytes of the content are not looked at again
  std::string_view encoded = {};  ///< the base64 of which it alone was made; empty where it stood otherwise
};
using TakeCertificate = std::function<void(const CertificateView& found)>;
/// Asked before a PEM block is decoded, `der` being empty: true when the caller knows what such a block holds, and has
/// taken it.
using TakeKnown = std::function<bool(const CertificateView& found)>;

/// The same for a caller who keeps no copies: each certificate is handed over as it is found. Scan::certificates stays
/// empty.
Scan scan_certificates(Bytes content, const TakeCertificate& take, const TakeKnown& take_known = {});

}  // namespace mrascheck::x509

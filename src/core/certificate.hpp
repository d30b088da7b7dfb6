// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/name.hpp"
#include "core/shared_text.hpp"
#include "core/time.hpp"

namespace mrascheck {

/// RFC 5280, 4.2.1.1.
struct AuthorityKeyId {
  std::optional<ByteString> key_id;
  std::optional<Name> issuer;         ///< the first directoryName of authorityCertIssuer
  std::optional<std::string> serial;  ///< as Certificate::serial
};

/// Microsoft CA Version, 1.3.6.1.4.1.311.21.1: certificate index in the low, key index in the high 16 bits (MS-WCCE).
struct CaVersion {
  std::uint16_t certificate_index = 0;
  std::uint16_t key_index = 0;
  friend bool operator==(const CaVersion&, const CaVersion&) = default;
};

/// RFC 5280, 4.2.1.10. What is evaluated here: dNSName and directoryName, without a minimum or a maximum.
struct NameConstraints {
  struct Subtrees {
    std::vector<std::string> dns;   ///< as written: "example.com" takes in itself and all below; "" takes in all
    std::vector<Name> directories;  ///< an empty one takes in all
    std::uint16_t forms = 0;        ///< bit n: a subtree of GeneralName's form n is there (RFC 5280, 4.2.1.6)
    bool bounded = false;           ///< one of them has a minimum or a maximum
  };
  Subtrees permitted;
  Subtrees excluded;
};

/// Forms of a GeneralName, by their numbers there.
enum GeneralNameForm : std::uint8_t { form_rfc822 = 1, form_dns = 2, form_directory = 4 };

/// Bits of Certificate::key_usage, numbered as in RFC 5280, 4.2.1.3.
enum KeyUsage : std::uint16_t {
  digital_signature = 1U << 0U,
  key_encipherment = 1U << 2U,
  key_agreement = 1U << 4U,
  key_cert_sign = 1U << 5U,
  crl_sign = 1U << 6U,
};

/// A certificate as a value: what its bytes say, nothing about whether it is true. Times are UTC, both ends inclusive.
struct Certificate {
  ByteString der;
  Sha1 thumbprint{};  ///< SHA-1 of `der`, as Windows shows it
  Sha256 sha256{};

  Name subject;
  Name issuer;
  UtcTime not_before;
  UtcTime not_after;  ///< RFC 5280, 4.1.2.5: this second is still valid

  // What certificates of one name are compared by stands together: of a hundred thousand, each look costs memory.
  std::optional<bool> is_ca;               ///< basicConstraints cA; nothing when the extension is absent
  std::optional<std::uint16_t> key_usage;  ///< KeyUsage bits; nothing when the extension is absent
  std::optional<CaVersion> ca_version;
  std::optional<Sha1> previous_ca_hash;  ///< Microsoft 1.3.6.1.4.1.311.21.2
  std::optional<unsigned> path_length;   ///< pathLenConstraint
  Sha256 spki_sha256{};                  ///< of the whole SubjectPublicKeyInfo: equal exactly when the keys are

  std::string serial;  ///< the INTEGER's content octets as lower-case hexadecimal, leading zero octets dropped

  SharedText signature_algorithm;  ///< "sha256WithRSAEncryption"; the dotted OID where we have no name for it
  std::string key_algorithm;       ///< "RSA", "EC P-256", "Ed25519"; else the dotted OID
  unsigned key_bits = 0;           ///< 0 when unknown

  std::optional<ByteString> subject_key_id;
  std::optional<AuthorityKeyId> authority_key_id;
  std::optional<std::vector<std::string>> extended_key_usage;  ///< dotted OIDs; nothing when absent
  std::vector<std::string> dns_names;                          ///< subjectAltName dNSName, printable
  std::vector<ByteString> ip_addresses;                        ///< subjectAltName iPAddress, 4 or 16 octets
  std::vector<Name> directory_names;                           ///< subjectAltName directoryName
  std::uint16_t alt_name_forms = 0;                            ///< as NameConstraints::Subtrees::forms
  std::shared_ptr<const NameConstraints> name_constraints;     ///< null when the extension is absent, as it mostly is
  SharedTexts ca_issuer_urls;
  SharedTexts crl_urls;
  SharedTexts ocsp_urls;                      ///< authorityInfoAccess, id-ad-ocsp (RFC 6960, 3.1)
  std::vector<std::string> unknown_critical;  ///< dotted OIDs of critical extensions this program does not evaluate

  std::string template_name;  ///< Microsoft 1.3.6.1.4.1.311.20.2

  bool self_issued() const { return matches(subject, issuer); }
  /// Self-issued, and no authority key identifier says that another key or certificate than this one signed it: one CA
  /// signs the new certificate of its own name with its old key when it changes keys (RFC 4210, 4.4). The signature
  /// alone proves it.
  bool may_be_self_signed() const;
  bool valid_at(UtcTime at) const { return not_before <= at && at <= not_after; }
};

/// Shared and never changed: equal bytes are decoded once a run, and everything points at the one value.
using CertificateRef = std::shared_ptr<const Certificate>;

/// "A1B2C3...": 40 upper-case hexadecimal digits.
std::string thumbprint(const Certificate& certificate);

/// The common name where there is one, else the whole subject.
std::string short_name(const Certificate& certificate);

/// "Contoso Issuing CA (A1B2C3...)": short_name() and thumbprint().
std::string label(const Certificate& certificate);

/// Time until `certificate` stops being valid; negative once it has expired, 0 in its last second.
std::chrono::seconds remaining_validity(const Certificate& certificate, UtcTime at);

/// Extended key usages by their RFC 5280 OIDs.
inline constexpr const char* server_auth_oid = "1.3.6.1.5.5.7.3.1";
inline constexpr const char* client_auth_oid = "1.3.6.1.5.5.7.3.2";
inline constexpr const char* any_eku_oid = "2.5.29.37.0";

}  // namespace mrascheck

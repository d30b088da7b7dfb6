// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/certificate.hpp"

namespace mrascheck {

/// A certificate revocation list as a value (RFC 5280, 5): what its bytes say, nothing about whether it is true.
struct Crl {
  ByteString der;
  Sha256 sha256{};

  Name issuer;
  UtcTime this_update;
  std::optional<UtcTime> next_update;  ///< this second is still covered; nothing when the list does not say
  std::string signature_algorithm;     ///< as Certificate::signature_algorithm

  std::optional<ByteString> authority_key_id;  ///< the key identifier in it
  std::optional<std::string> number;           ///< crlNumber, as Certificate::serial
  std::optional<CaVersion> ca_version;         ///< Microsoft: of the CA whose key signed it
  bool delta = false;                          ///< deltaCRLIndicator: only what changed since a base list
  std::vector<std::string> unknown_critical;   ///< dotted OIDs, of the list or an entry: it must not be relied on (5.2)
  ByteString scope;                            ///< issuingDistributionPoint (5.2.5), its DER; empty: everything
  bool only_users = false;                     ///< by that scope: no CA certificates,
  bool only_authorities = false;               ///< or nothing but them

  /// Serial numbers of certificates that `issuer` issued, as Certificate::serial, sorted. Those of other issuers in an
  /// indirect list are left out.
  std::vector<std::string> revoked;
  std::vector<std::string> held;  ///< those of `revoked` with the reason certificateHold, sorted
  std::vector<std::string>
      taken_off;  ///< of a delta list: what its base held and is good again (removeFromCRL), sorted

  bool lists(const std::string& serial) const { return among(revoked, serial); }
  static bool among(const std::vector<std::string>& serials, const std::string& serial) {
    return std::binary_search(serials.begin(), serials.end(), serial);
  }
  /// Whether its scope has `certificate`, of its issuer.
  bool covers(const Certificate& certificate) const {
    return !(certificate.is_ca.value_or(false) ? only_users : only_authorities);
  }
  bool revokes(const Certificate& certificate) const { return covers(certificate) && lists(certificate.serial); }
  /// Whether it, signed by the same key as `older`, takes back what that says of `certificate`: a hold that was
  /// released.
  bool takes_back(const Crl& older, const Certificate& certificate) const {
    if (this_update <= older.this_update || !unknown_critical.empty() || revokes(certificate)) return false;
    return delta ? among(taken_off, certificate.serial) : scope == older.scope;
  }
  bool overdue_at(UtcTime at) const { return next_update && *next_update < at; }
};

/// As CertificateRef: equal bytes are decoded once a run.
using CrlRef = std::shared_ptr<const Crl>;

}  // namespace mrascheck

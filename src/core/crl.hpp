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

  /// Serial numbers of certificates that `issuer` issued, as Certificate::serial, sorted. Those of other issuers in an
  /// indirect list, and those that a delta list takes off its base, are left out.
  std::vector<std::string> revoked;

  bool lists(const std::string& serial) const { return std::binary_search(revoked.begin(), revoked.end(), serial); }
  bool overdue_at(UtcTime at) const { return next_update && *next_update < at; }
};

/// As CertificateRef: equal bytes are decoded once a run.
using CrlRef = std::shared_ptr<const Crl>;

}  // namespace mrascheck

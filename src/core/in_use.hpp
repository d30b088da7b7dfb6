// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/evidence.hpp"
#include "core/graph.hpp"

namespace mrascheck {

/// A certificate that servers use, and where.
struct CertificateInUse {
  CertificateRef certificate;
  std::set<std::string> users;     ///< whose own it is, or whose every path goes through it
  std::set<std::string> ways_out;  ///< who has other paths as well

  std::string users_text() const;  ///< both: "fe1.contoso.example and edge1.contoso.example"
};

/// What servers present, send or are configured with, and the CAs on their paths, which are those that are valid but
/// for revocation, or where there are none, the best. Strangers' are left out. By SHA-256.
std::map<Sha256, CertificateInUse> certificates_in_use(const Evidence& evidence, const SignatureOracle& signature);

/// The certificates whose key signed `certificate`.
std::vector<CertificateRef> issuers_of(const Certificate& certificate, const CertificateGraph& graph,
                                       const SignatureOracle& signature);

}  // namespace mrascheck

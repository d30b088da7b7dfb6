// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/issuers.hpp"
#include "core/orders.hpp"

namespace mrascheck {

/// From a certificate to one that bears its issuer's name.
struct Arc {
  std::size_t child;   ///< into Drawing::nodes
  std::size_t issuer;  ///< into Drawing::nodes
  IssuerMatch match = IssuerMatch::name;
  std::optional<SignatureState> signature;  ///< nothing: was not tried
};

struct DrawnCertificate {
  CertificateRef certificate;
  std::vector<Location> places;  ///< where it stands, in the evidence that was drawn
  bool twin = false;             ///< another CA certificate bears its name
  bool live = false;             ///< presented, sent or configured
  bool anchor = false;           ///< stands among the roots somewhere and names itself as its issuer
  bool time_valid = false;
  std::optional<Standing> standing;  ///< of twins
};

/// One server's view of what another presents: every path, and what two engines would make of it.
struct Outlook {
  PathJudgement judgement;
  std::vector<std::string> unknown;  ///< why the engines were not asked; else empty
  EngineOutcome openssl;
  WindowsOutcome windows;
  std::vector<OrderProof> proofs;
};

/// The certificate graph (RFC 4158, 2.3) of a site as it is printed, in one order whatever the order of the evidence.
struct Drawing {
  std::vector<DrawnCertificate> nodes;  ///< by name, then by SHA-256
  std::vector<Arc> arcs;                ///< by child, then issuer; a certificate's arc to itself is left out
  std::vector<Outlook> outlooks;        ///< in the order of the links
  std::string bound;                    ///< which limit was reached: "20000 arcs"; empty when none was
};

/// Asks `signature` for every arc and all that judging asks for. Refers to `evidence`.
Drawing draw(const Evidence& evidence, const SignatureOracle& signature);

}  // namespace mrascheck

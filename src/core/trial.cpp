// SPDX-License-Identifier: Apache-2.0
#include "core/trial.hpp"

namespace mrascheck {

std::string_view to_string(TrialKind kind) {
  switch (kind) {
    case TrialKind::none:
      return "none";
    case TrialKind::foreign_ca:
      return "foreign-ca";
    case TrialKind::stale_ca:
      return "stale-ca";
    case TrialKind::expired:
      return "expired";
    case TrialKind::server_only:
      return "server-only";
    case TrialKind::leaf_only:
      return "leaf-only";
    case TrialKind::full_chain:
      return "full-chain";
    case TrialKind::with_root:
      return "with-root";
    case TrialKind::from_stores:
      return "from-stores";
  }
  return "none";
}

bool tries_identity(TrialKind kind) {
  return kind <= TrialKind::server_only;
}

std::optional<Expectation> expected(TrialKind kind, Role role) {
  switch (kind) {
    case TrialKind::none:
      // A Front End has clients that show no certificate on the same port: users.
      if (role == Role::front_end) return std::nullopt;
      return Expectation::refuse;
    case TrialKind::foreign_ca:
    case TrialKind::stale_ca:
    case TrialKind::expired:
      return Expectation::refuse;
    case TrialKind::server_only:  // these products hold no client to its extended key usage
      return Expectation::accept;
    default:
      return std::nullopt;
  }
}

std::string TlsOffer::id() const {
  Handshake where;
  where.from = from;
  where.to = to;
  where.address = address;
  where.port = port;
  return where.id();
}

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/handshake.hpp"
#include "core/site.hpp"

namespace mrascheck {

/// What a client of a link comes with on request, instead of its own certificate and chain.
enum class TrialKind {
  none,         ///< no certificate
  foreign_ca,   ///< one of a CA that the server must not know
  stale_ca,     ///< one with the client's name, of a CA that has only the name of the one in use
  expired,      ///< one that is no longer valid
  server_only,  ///< one whose extended key usage allows servers only
  leaf_only,    ///< its own certificate, nothing behind it
  full_chain,   ///< its own, with the intermediates of a path to a root that it trusts
  with_root,    ///< the same with that root
  from_stores,  ///< its own, with what Windows would make of its host's stores
};
std::string_view to_string(TrialKind kind);  ///< "none", "foreign-ca", ..., "leaf-only", "full-chain", ...
/// Whether it is about who comes, and not about what he sends behind his certificate.
bool tries_identity(TrialKind kind);
/// What is right of a server of `role`; nothing where both are.
std::optional<Expectation> expected(TrialKind kind, Role role);

/// One more connection to an address of a link: the handshake alone, and the wait for a refusal.
struct Trial {
  TrialKind kind = TrialKind::none;
  std::string about;                  ///< whose certificate, or which of several chains: "1/2"; may be empty
  std::optional<Expectation> expect;  ///< nothing: either is right
  Handshake handshake;                ///< its accepted_issuers are left out; that of the link has them
};

/// What one address of a server agrees to, found out by asking for less and less.
struct TlsOffer {
  struct Version {
    TlsVersion version = TlsVersion::tls_1_2;
    std::vector<std::string> ciphers;  ///< by their IANA names, as the server chose them from what was left
    bool complete = false;             ///< it refused when only others were left
    std::string detail;                ///< how the last connection ended
    bool offered() const { return !ciphers.empty(); }
  };
  std::string from;  ///< Server::name
  std::string to;    ///< Server::name
  std::string address;
  std::uint16_t port = 0;
  std::vector<Version> versions;

  std::string id() const;  ///< as Handshake::id
};

}  // namespace mrascheck

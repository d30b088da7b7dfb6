// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/graph.hpp"
#include "core/handshake.hpp"
#include "core/site.hpp"
#include "crypto/tls_engine.hpp"
#include "sources/sources.hpp"

namespace mrascheck::sources {

/// One look without a network: both ends of a link are here. What the pointers show must outlive it.
struct Rehearsed {
  const Server* from = nullptr;
  const Server* to = nullptr;
  const Link* link = nullptr;
  std::string variant;  ///< Handshake::variant
  const crypto::TlsContext* client = nullptr;
  const crypto::TlsContext* server = nullptr;
  std::vector<CertificateRef> chain;  ///< what `client` sends, its own first
  const TrustView* trust = nullptr;   ///< of `from`
  UtcTime at;
  SignatureOracle signature;
  CertificatePool* pool = nullptr;
};

/// Instead of an address, in the records of rehearse().
inline constexpr const char* in_memory = "in memory";

/// Joins a TLS client and a TLS server in memory and tells how it ended, as probe() would of a look at such a server
/// that then stays quiet: a record of phase tls or confirm, or a completed one. Takes no time, and says of none.
Handshake rehearse(const Rehearsed& look);

}  // namespace mrascheck::sources

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/deadline.hpp"
#include "core/graph.hpp"
#include "core/handshake.hpp"
#include "core/relay.hpp"
#include "core/site.hpp"
#include "crypto/tls_engine.hpp"
#include "sources/sources.hpp"

namespace mrascheck::sources {

/// What one answer granted, and for which relays.
struct RelayGrant {
  std::vector<MediaRelay> relays;
  RelayCredentials credentials;
};

/// One look: one address of one link, with one chain. What the pointers show must outlive it.
struct Probe {
  const Server* from = nullptr;
  const Server* to = nullptr;
  const Link* link = nullptr;
  std::string address;  ///< literal
  std::string variant;  ///< Handshake::variant
  crypto::TlsContext context;
  std::vector<CertificateRef> chain;  ///< what `context` sends, our own first
  const TrustView* trust = nullptr;   ///< of `from`
  MrasQuestion question;
  Limits limits;
  UtcTime now;
  SignatureOracle signature;
  CertificatePool* pool = nullptr;
  std::vector<std::string> sources = {};                       ///< Network::sources
  Deadline::Clock::time_point began = Deadline::Clock::now();  ///< when it was `now`
  std::vector<RelayGrant>* grants = nullptr;                   ///< where to leave what MRAS grants; null: nowhere
};

/// Connects, shakes hands, and for the services mras and sip asks. A peer that `from` would not have accepted, by its
/// path or its name, is not asked: it is given the quiet time to say what it thinks of us, and the outcome is
/// rejected_by_us. Never fails: everything that happened is in the record. Ended by `run.stop` it is a local_failure:
/// whoever is interrupted while he waits has not seen that nothing came.
boost::asio::awaitable<Handshake> probe(Probe task, Deadline run);

/// Writes down what TLS showed `record.from`, which sends `chain` when it is asked. May be called again as more comes.
void observe(const crypto::TlsFacts& facts, const std::vector<CertificateRef>& chain, CertificatePool& pool,
             Handshake& record);

/// Why `record.from`, which trusts `trust`, would not have gone on with `to` as it was observed, in one line; nothing
/// when it would, or when that cannot be told.
std::optional<std::string> refusal(const Handshake& record, const Server& to, const TrustView& trust, UtcTime at,
                                   const SignatureOracle& signature);

}  // namespace mrascheck::sources

// SPDX-License-Identifier: Apache-2.0
#include "sources/rehearsal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/text.hpp"
#include "sources/handshake.hpp"

namespace mrascheck::sources {
namespace {

using crypto::TlsEngine;
using State = TlsEngine::State;

/// Hands bytes over until neither end has any for the other.
void exchange(TlsEngine& client, TlsEngine& server) {
  for (bool moved = true; moved;) {
    client.handshake();
    const ByteString up = client.take_output();
    server.feed(up);
    server.handshake();
    const ByteString down = server.take_output();
    client.feed(down);
    moved = !up.empty() || !down.empty();
  }
}

/// How `client` ended, with the server's reason, which on a wire nobody would be told.
void end(Handshake& record, Phase phase, const TlsEngine& client, const TlsEngine& server) {
  record.phase = phase;
  const bool alert = std::any_of(record.alerts_received.begin(), record.alerts_received.end(),
                                 [](const Alert& received) { return received.fatal; });
  record.outcome = alert ? Outcome::rejected_by_peer : Outcome::rejected_by_us;
  const std::string reason = server.complaint().empty() ? server.error() : server.complaint();
  record.detail = alert ? fmt::format("{} says in OpenSSL's words: {}", record.to, reason) : client.error();
}

}  // namespace

Handshake rehearse(const Rehearsed& look) {
  Handshake record;
  record.from = look.from->name;
  record.to = look.to->name;
  record.address = in_memory;
  record.port = look.link->port;
  record.variant = look.variant;
  Result<TlsEngine> client = TlsEngine::client(*look.client, look.to->name);
  Result<TlsEngine> server = TlsEngine::server(*look.server);
  if (!client || !server) {
    record.phase = Phase::tls;
    record.detail = (client ? server : client).error().text;
    return record;
  }
  exchange(*client, *server);
  const bool through = client->handshake() == State::ready;
  std::string heard;
  if (through) {
    // In TLS 1.3 the server judges our certificate after we are through: it speaks, or its alert comes.
    server->write("\r\n");
    client->feed(server->take_output());
    client->read(heard);
  }
  observe(client->facts(), look.chain, *look.pool, record);
  const auto refused = refusal(record, *look.to, *look.trust, look.at, look.signature);
  if (!through) {
    end(record, Phase::tls, *client, *server);
    if (refused) record.detail += "; " + *refused;
    return record;
  }
  record.peer_answered = !heard.empty();
  record.phase = Phase::done;
  record.outcome = Outcome::completed;
  if (!record.peer_answered) end(record, Phase::confirm, *client, *server);
  if (refused && (record.peer_answered || look.link->expect == Expectation::accept)) {
    const std::string theirs = record.peer_answered ? std::string{} : "; the peer refuses too: " + record.detail;
    record.phase = Phase::confirm;
    record.outcome = Outcome::rejected_by_us;
    record.detail = *refused + theirs;
  }
  return record;
}

}  // namespace mrascheck::sources

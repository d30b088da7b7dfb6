// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/deadline.hpp"
#include "crypto/tls_engine.hpp"
#include "transport/connection.hpp"

namespace mrascheck::transport {

/// A TlsEngine on a Connection. Whatever a step ends with, engine().facts() keeps what was seen until then.
/// Outcomes besides those of a Connection: rejected_by_peer (a fatal alert came), rejected_by_us (OpenSSL gave up on
/// what came), not_tls. An alert that has arrived counts for more than the reset or close behind it.
class TlsStream {
 public:
  TlsStream(Connection connection, crypto::TlsEngine engine)
      : connection_(std::move(connection)), engine_(std::move(engine)) {}

  asio::awaitable<StepEnd> handshake(Deadline step);
  asio::awaitable<StepEnd> write(std::string_view plaintext, Deadline step);
  /// Appends plaintext to `into`, waiting for the first byte. `closed`: with or without close_notify, detail says
  /// which.
  asio::awaitable<StepEnd> read(std::string& into, Deadline step);
  /// Sends close_notify, as far as it goes without waiting.
  void close();

  const crypto::TlsEngine& engine() const { return engine_; }
  const Connection& connection() const { return connection_; }

 private:
  asio::awaitable<StepEnd> flush(Deadline step);
  void drain();
  StepEnd engine_failed() const;

  Connection connection_;
  crypto::TlsEngine engine_;
  std::string early_;              ///< plaintext that came while we were writing
  std::optional<StepEnd> broken_;  ///< what the connection ended with, once it has
};

}  // namespace mrascheck::transport

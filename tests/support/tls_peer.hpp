// SPDX-License-Identifier: Apache-2.0
// A TLS server made of OpenSSL alone that does after the handshake what a test tells it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "support/raw_peer.hpp"

namespace mrascheck::test {

class TlsPeer {
 public:
  struct Options {
    std::string certificate;  ///< PEM file; what stands behind the first one is sent as chain
    std::string key;          ///< PEM file
    std::string client_ca;    ///< PEM file: asks for a client certificate and demands that it chains to this
    bool tls12 = false;       ///< at most TLS 1.2
    std::string address = "127.0.0.1";
  };
  class Session {
   public:
    struct State;
    explicit Session(State& state) : state_(state) {}
    /// Plaintext; empty at the end.
    std::string receive();
    /// A SIP request, whole with its body; empty at the end.
    std::string receive_request();
    void send(std::string_view plaintext);
    /// Sends close_notify. Without it, returning from the script just closes the connection.
    void close();
    RawPeer::Talk& raw();

   private:
    State& state_;
    std::string unread_;
  };
  using Script = std::function<void(Session&)>;

  /// `script` runs when the handshake was successful.
  TlsPeer(const Options& options, Script script);
  ~TlsPeer();

  std::uint16_t port() const { return peer_->port(); }
  int connections() const { return peer_->connections(); }

 private:
  std::shared_ptr<void> context_;
  std::unique_ptr<RawPeer> peer_;
};

}  // namespace mrascheck::test

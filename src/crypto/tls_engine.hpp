// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/certificate.hpp"
#include "core/handshake.hpp"
#include "core/result.hpp"
#include "crypto/private_key.hpp"

namespace mrascheck::crypto {

/// What one side brings to its handshakes: an SSL_CTX, made once an identity and shared by all its engines.
/// No trust store inside: a client engine accepts and records whatever it is shown, and the certificate graph judges
/// it.
class TlsContext {
 public:
  struct Options {
    CertificateRef certificate;         ///< nothing: anonymous
    std::vector<CertificateRef> chain;  ///< sent behind it, exactly so (SSL_MODE_NO_AUTO_CHAIN), in this order
    std::optional<PrivateKey> key;
    std::string min_version;  ///< "TLSv1.2" when empty
    std::string max_version;  ///< "TLSv1.3" when empty
  };
  static Result<TlsContext> client(const Options& options);

  struct Handle;
  const std::shared_ptr<Handle>& handle() const { return handle_; }

 private:
  explicit TlsContext(std::shared_ptr<Handle> handle) : handle_(std::move(handle)) {}
  std::shared_ptr<Handle> handle_;
};

/// What TLS showed so far. Certificates are raw: decode them with x509.
struct TlsFacts {
  std::string version;  ///< "TLSv1.3"; empty before the ServerHello
  std::string cipher;
  bool client_certificate_requested = false;
  bool certificate_sent = false;
  std::vector<ByteString> accepted_issuers;  ///< RDNSequences of the CertificateRequest, at most Handshake's maximum
  std::size_t accepted_issuer_count = 0;
  std::size_t accepted_issuer_bytes = 0;
  std::vector<ByteString> peer_chain;  ///< as presented, kept whatever happened afterwards
  std::vector<Alert> alerts_sent;
  std::vector<Alert> alerts_received;
};

/// A TLS connection without a socket: bytes from the peer go in, bytes for the peer come out.
class TlsEngine {
 public:
  enum class State {
    want_bytes,  ///< feed() more from the peer
    ready,       ///< handshake: through; read: plaintext was returned
    closed,      ///< the peer sent close_notify
    failed,      ///< see error(); facts() says which alerts went which way
  };

  /// `server_name`: SNI; empty or an address literal sends none (RFC 6066, 3).
  static Result<TlsEngine> client(const TlsContext& context, const std::string& server_name);

  TlsEngine(TlsEngine&&) noexcept;
  TlsEngine& operator=(TlsEngine&&) noexcept;
  ~TlsEngine();

  void feed(Bytes from_peer);
  /// Takes what must be sent to the peer now; call after every step, also after failed (the alert is in there).
  ByteString take_output();

  State handshake();
  /// Appends plaintext to `into`, at most `limit` bytes a call.
  State read(std::string& into, std::size_t limit = 16 * 1024);
  /// Before the handshake is through: failed.
  State write(std::string_view plaintext);
  /// Queues close_notify.
  void shutdown();
  /// Queues the fatal alert that says why we do not go on, as far as OpenSSL allows after the handshake; else
  /// close_notify.
  void abort(std::uint8_t alert_description);

  TlsFacts facts() const;
  /// OpenSSL's words on what failed, one line, printable: "tlsv1 alert unknown ca". Empty when nothing did.
  const std::string& error() const;
  /// The first bytes from the peer were no TLS record; what they looked like: "HTTP", "SIP without TLS", "text",
  /// "binary".
  std::optional<std::string> not_tls() const;

 private:
  struct Impl;
  explicit TlsEngine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mrascheck::crypto

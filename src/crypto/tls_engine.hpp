// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/certificate.hpp"
#include "core/handshake.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "crypto/private_key.hpp"

namespace mrascheck::crypto {

/// Says, before any context is made, that so many handshakes are to come that preparing for them pays.
void expect_many_handshakes();

/// What one side brings to its handshakes: an SSL_CTX, made once an identity and shared by all its engines.
/// A client has no trust store inside: its engine accepts and records whatever it is shown, and the certificate graph
/// judges it. As Schannel's clients do, it asks for a stapled OCSP response (RFC 6066, 8).
class TlsContext {
 public:
  struct Options {
    CertificateRef certificate;         ///< nothing: anonymous
    std::vector<CertificateRef> chain;  ///< sent behind it, exactly so (SSL_MODE_NO_AUTO_CHAIN), in this order
    std::optional<PrivateKey> key;
    std::string min_version;  ///< "TLSv1", "TLSv1.1", "TLSv1.2" or "TLSv1.3"; "TLSv1.2" when empty
    std::string max_version;  ///< the same; "TLSv1.3" when empty
    /// By their IANA names. Given, everything that OpenSSL has is offered but these; that it is nothing is no error
    /// here.
    std::optional<std::vector<std::string>> all_ciphers_but;
  };
  /// Error: config, when certificate and key do not belong together, one of them is missing, OpenSSL cannot decode a
  /// certificate, or a version has no such name.
  static Result<TlsContext> client(const Options& options);

  /// What a server holds its clients' certificates against. OpenSSL verifies: a self-signed certificate of `trusted`
  /// ends a path, the others there are issuers like those that were sent, and preferred to these.
  struct ClientTrust {
    std::vector<CertificateRef> trusted;
    std::set<Sha256> distrusted;  ///< no path may lead through one of these (bad_certificate)
    std::set<Sha256> revoked;     ///< nor through one of these (certificate_revoked)
    UtcTime at;  ///< when it is held to be; notAfter itself is still valid (RFC 5280, 4.1.2.5), other than in OpenSSL
  };
  /// A server that asks every client for a certificate and lets nobody in without a good one. Of its extended key usage
  /// nothing is asked: these products do not hold a client to it. Sends no list of issuers, as Windows does not since
  /// Server 2012. Error: as client(); a server without an identity too.
  static Result<TlsContext> server(const Options& options, const ClientTrust& clients);

  struct Handle;
  const std::shared_ptr<Handle>& handle() const { return handle_; }

 private:
  explicit TlsContext(std::shared_ptr<Handle> handle) : handle_(std::move(handle)) {}
  std::shared_ptr<Handle> handle_;
};

/// What TLS showed so far. Certificates are raw: decode them with x509.
struct TlsFacts {
  std::string version;  ///< "TLSv1.3", as the ServerHello says, even when we refuse to go on with it; empty before that
  std::string cipher;   ///< by its IANA name, which is also what Windows calls it: "TLS_AES_256_GCM_SHA384"
  bool client_certificate_requested = false;
  bool certificate_sent = false;             ///< one was asked for, and ours went out
  std::optional<bool> secure_renegotiation;  ///< of a server, up to TLS 1.2: RFC 5746
  std::optional<bool> session_ticket;        ///< the same: one came (RFC 5077)
  ByteString ocsp_staple;                    ///< an OCSP response that came along (RFC 6066, 8); empty: none did
  std::vector<ByteString> accepted_issuers;  ///< RDNSequences of the CertificateRequest, at most Handshake's maximum
  std::size_t accepted_issuer_count = 0;
  std::size_t accepted_issuer_bytes = 0;
  /// As presented, byte for byte, at most max_peer_chain, whether OpenSSL could decode them or not.
  std::vector<ByteString> peer_chain;
  std::vector<Alert> alerts_sent;      ///< at most max_alerts, the first ones
  std::vector<Alert> alerts_received;  ///< the same; fatal as the protocol's version defines it

  static constexpr std::size_t max_peer_chain = 256;
  static constexpr std::size_t max_alerts = 32;
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

  /// `server_name`: SNI; empty or an address literal sends none (RFC 6066, 3). Error: config, when it is too long for
  /// SNI.
  static Result<TlsEngine> client(const TlsContext& context, const std::string& server_name);
  /// The other end, with the context of a server.
  static Result<TlsEngine> server(const TlsContext& context);

  TlsEngine(TlsEngine&&) noexcept;
  TlsEngine& operator=(TlsEngine&&) noexcept;
  ~TlsEngine();

  void feed(Bytes from_peer);
  /// Takes what must be sent to the peer now; call after every step, also after failed (the alert is in there).
  ByteString take_output();

  State handshake();
  /// Appends plaintext to `into`, at most `limit` bytes a call.
  State read(std::string& into, std::size_t limit = std::size_t{16} * 1024);
  /// Takes all of it. Before the handshake is through: failed.
  State write(std::string_view plaintext);
  /// Queues close_notify, once the handshake is through; before that there is nothing to say goodbye to. This is also
  /// how to leave a peer whose certificate is not good enough: OpenSSL offers no way to send an alert of one's own
  /// choice.
  void shutdown();

  TlsFacts facts() const;
  /// OpenSSL's words on what failed, one line, printable: "tlsv1 alert unknown ca". Empty when nothing did.
  const std::string& error() const;
  /// Of a server: what OpenSSL holds against the client's certificate, "certificate has expired". Empty when nothing
  /// is.
  std::string complaint() const;
  /// The first bytes from the peer were no TLS record; what they looked like: "HTTP", "SIP without TLS", "plain text",
  /// "binary data".
  std::optional<std::string> not_tls() const;

 private:
  struct Impl;
  static Result<std::unique_ptr<Impl>> prepare(const TlsContext& context);
  explicit TlsEngine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mrascheck::crypto

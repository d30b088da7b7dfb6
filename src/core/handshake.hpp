// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/certificate.hpp"
#include "core/mras.hpp"
#include "core/store.hpp"

namespace mrascheck {

/// How far a look at a peer came. In order of time.
enum class Phase { connect, tls, confirm, sip, done };

/// How it ended, told apart as far as the wire tells it.
enum class Outcome {
  completed,         ///< all that was asked for took place
  refused,           ///< connect: RST, nothing listens
  unreachable,       ///< connect: no route, host or network unreachable
  timed_out,         ///< nothing came within the step's time
  reset,             ///< the connection was reset after it stood (no alert seen)
  closed,            ///< it was closed, with or without close_notify, before the phase was through (no alert seen)
  rejected_by_peer,  ///< a fatal TLS alert from the peer
  rejected_by_us,    ///< our side ended it: the peer's certificate would not have been accepted, or its TLS was wrong
  not_tls,           ///< what came back was no TLS record
  not_sip,           ///< what came back inside TLS was not SIP, or broke its framing
  local_failure,     ///< our own means failed (no socket, no memory), or the run ended before the step's time did
};

std::string_view to_string(Phase phase);      ///< "connect", "tls", "confirm", "sip", "done"
std::string_view to_string(Outcome outcome);  ///< "completed", "rejected-by-peer", ...

/// RFC 8446, 6: a TLS alert.
struct Alert {
  std::uint8_t description = 0;
  bool fatal = false;
  std::string name() const;  ///< "unknown_ca"; "alert 123" for one without a name
  friend bool operator==(const Alert&, const Alert&) = default;
};

/// One address of one link, as it really went. Everything seen is kept, however it ended.
struct Handshake {
  std::string from;     ///< Server::name
  std::string to;       ///< Server::name
  std::string address;  ///< literal, without brackets
  std::uint16_t port = 0;
  std::string variant;  ///< which of several equally good chains was sent: "" when there was only one, else "1/2"

  Phase phase = Phase::connect;  ///< the one it ended in; done when completed
  Outcome outcome = Outcome::local_failure;
  std::string detail;  ///< the system's, OpenSSL's or our own words, printable; may be empty

  std::chrono::microseconds connect_time{0};  ///< 0 when that phase was not completed
  std::chrono::microseconds tls_time{0};
  std::chrono::microseconds sip_time{0};

  std::string tls_version;  ///< "TLSv1.3"; empty before the ServerHello
  std::string cipher;
  bool client_certificate_requested = false;
  std::vector<Name> accepted_issuers;  ///< as sent in the CertificateRequest, at most max_accepted_issuers of them
  std::size_t accepted_issuer_count = 0;
  std::size_t accepted_issuer_bytes = 0;  ///< their DER with the two length octets each, as they count on the wire
  std::vector<Alert> alerts_sent;
  std::vector<Alert> alerts_received;
  std::vector<CertificateRef> peer_chain;  ///< as presented, the server's own first
  std::vector<Unreadable> peer_chain_unreadable;
  std::vector<CertificateRef> sent_chain;  ///< as sent, our own first; empty when we were not asked
  bool certificate_sent = false;
  /// Up to TLS 1.2, where the ServerHello came: whether it speaks of secure renegotiation (RFC 5746, 3.4), and whether
  /// a session ticket came, which it was free to send (RFC 5077, 3.3). Nothing: not seen, or not looked for.
  std::optional<bool> secure_renegotiation;
  std::optional<bool> session_ticket;
  ByteString ocsp_staple;  ///< an OCSP response that the server sent along (RFC 6066, 8), its DER; empty: none

  /// After the handshake, before any claim: did the peer answer, or stay quiet for `quiet_for`? TLS 1.3 refuses late,
  /// and what a server says there before it has seen our certificate is no answer (RFC 8446, 4.4.4).
  bool peer_answered = false;
  std::chrono::milliseconds quiet_for{0};

  std::optional<MrasExchange> mras;  ///< what came of the SIP part, when it was reached
  /// What else was asked on the same connection, in order: an OPTIONS before, a SERVICE in a version that was not
  /// spoken, and one for the other location. How the record ended is told of `mras` alone.
  std::vector<MrasExchange> further;

  static constexpr std::size_t max_accepted_issuers = 4096;

  std::string endpoint() const;  ///< "192.0.2.1:5062", "[2001:db8::1]:5062"
  std::string id() const;        ///< "fe1.contoso.example -> edge1.contoso.example (192.0.2.1:5062)"
  /// The peer let us in: it answered inside TLS, or stayed quiet long enough after the handshake.
  bool accepted() const;
};

}  // namespace mrascheck

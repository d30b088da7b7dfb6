// SPDX-License-Identifier: Apache-2.0
#include "core/handshake.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "core/text.hpp"

namespace mrascheck {
namespace {

// RFC 8446, B.2, with the ones that only TLS 1.2 and before send (RFC 5246, 7.2).
constexpr std::array<std::pair<std::uint8_t, std::string_view>, 35> alert_names{{
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {30, "decompression_failure"},
    {40, "handshake_failure"},
    {41, "no_certificate"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {60, "export_restriction"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {111, "certificate_unobtainable"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {114, "bad_certificate_hash_value"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
    {255, "unknown"},
}};

}  // namespace

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::connect:
      return "connect";
    case Phase::tls:
      return "tls";
    case Phase::confirm:
      return "confirm";
    case Phase::sip:
      return "sip";
    case Phase::done:
      return "done";
  }
  return "done";
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::completed:
      return "completed";
    case Outcome::refused:
      return "refused";
    case Outcome::unreachable:
      return "unreachable";
    case Outcome::timed_out:
      return "timed-out";
    case Outcome::reset:
      return "reset";
    case Outcome::closed:
      return "closed";
    case Outcome::rejected_by_peer:
      return "rejected-by-peer";
    case Outcome::rejected_by_us:
      return "rejected-by-us";
    case Outcome::not_tls:
      return "not-tls";
    case Outcome::not_sip:
      return "not-sip";
    case Outcome::local_failure:
      return "local-failure";
  }
  return "local-failure";
}

std::string Alert::name() const {
  for (const auto& [number, text] : alert_names) {
    if (number == description) return std::string{text};
  }
  return fmt::format("alert {}", description);
}

std::string Handshake::endpoint() const {
  return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, port)
                                                : fmt::format("[{}]:{}", address, port);
}

std::string Handshake::id() const {
  const std::string chain = variant.empty() ? "" : fmt::format(", chain {}", variant);
  return fmt::format("{} -> {} ({}{})", from, to, endpoint(), chain);
}

bool Handshake::accepted() const {
  if (outcome == Outcome::rejected_by_peer && !(mras && mras->answered)) return false;
  if (peer_answered) return true;
  return quiet_for.count() > 0 && outcome != Outcome::rejected_by_peer && outcome != Outcome::reset &&
         outcome != Outcome::closed;
}

std::string_view MsDiagnostics::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return {};
}

}  // namespace mrascheck

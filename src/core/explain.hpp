// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/mras.hpp"

namespace mrascheck {

/// One code in plain words, as it is meant on the way from a Front End to an Edge on port 5062. Whatever is inferred or
/// could not be confirmed by a public document says "probably", or "unconfirmed" in its source.
struct Explanation {
  std::string_view key;      ///< "10061", "0x80090325", "48", "1038", "Forbidden"
  std::string_view name;     ///< "WSAECONNREFUSED", "unknown_ca"; for ms-diagnostics its reason text
  std::string_view meaning;  ///< one sentence
  std::string_view who;      ///< who must act: "Edge administrator", "network administrator", "nobody"
  std::string_view remedy;   ///< one sentence, an instruction
  std::string_view source;   ///< the public document
};

/// Each is nothing for a code that the table does not know.
const Explanation* explain_winsock(int code);
/// `error` is an errno value of this host; the answer is the Winsock row that a Windows administrator knows.
const Explanation* explain_errno(int error);
/// As meant when an Edge sends it after it has seen our client certificate.
const Explanation* explain_alert(std::uint8_t description);
const Explanation* explain_hresult(std::uint32_t code);
const Explanation* explain_diagnostics(unsigned id);
/// `reason` is an MRAS reasonPhrase, in any case.
const Explanation* explain_mras_reason(std::string_view reason);
/// What `openssl verify` prints as "error 20 at 0 depth lookup": X509_V_ERR_* of OpenSSL 3.
const Explanation* explain_verify_error(int error);
/// An error code of the media relay (MS-TURN, RFC 8656).
const Explanation* explain_relay_error(unsigned code);
/// The number of an event that Lync and Skype for Business servers write.
const Explanation* explain_event(unsigned id);

/// What a row is a code of.
enum class CodeKind { winsock, alert, hresult, diagnostics, mras_reason, verify_error, relay_error, event };
/// "Winsock error", "TLS alert".
std::string_view to_string(CodeKind kind);

/// Every row of every table, for a search by name.
void each_explanation(const std::function<void(CodeKind, const Explanation&)>& visit);

/// Whose number an ms-diagnostics id is, by its range: "MRAS", "the SIP stack"; empty for a range without an owner.
std::string_view component_of(unsigned diagnostics_id);

/// One to three sentences: the id, with its WinsockFailureCode and HRESULT parameters, and what to do about it.
/// An unknown id gets its own reason text, or the number range it is of.
std::string explain(const MsDiagnostics& diagnostics);

}  // namespace mrascheck

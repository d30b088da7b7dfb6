// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
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

/// One to three sentences: the id, with its WinsockFailureCode and HRESULT parameters, and what to do about it.
/// An unknown id gets its own reason text, or the number range it is of.
std::string explain(const MsDiagnostics& diagnostics);

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/certificate.hpp"

namespace mrascheck {

/// RFC 6960, 2.2.
enum class OcspStatus { good, revoked, unknown };
std::string_view to_string(OcspStatus status);  ///< "good", "revoked", "unknown"

/// Who signed a response, of those who may (RFC 6960, 4.2.2.2): the CA that issued the certificate, or whom it named.
enum class OcspSigner { issuer, delegate, nobody };
std::string_view to_string(OcspSigner signer);  ///< "issuer", "delegate", "nobody"

/// What a response that could be read says of one certificate. The signature was verified when it came. Times are UTC.
struct OcspAnswer {
  OcspStatus status = OcspStatus::unknown;
  UtcTime produced_at;
  UtcTime this_update;
  std::optional<UtcTime> next_update;  ///< this second is still covered; nothing: newer is to be had at any time
  std::optional<UtcTime> revoked_at;
  std::string reason;     ///< why it was revoked, as RFC 5280, 5.3.1, has it: "keyCompromise"; empty when not said
  std::string responder;  ///< the name, or the SHA-1 of the key, that it was signed by in its own words; printable
  OcspSigner signer = OcspSigner::nobody;
  std::string doubt;  ///< of nobody: why; one line

  /// Whether its times have `at`, and one who may signed it.
  bool holds_at(UtcTime at) const { return signer != OcspSigner::nobody && !early_at(at) && !late_at(at); }
  bool early_at(UtcTime at) const { return this_update > at + clock_tolerance; }
  bool late_at(UtcTime at) const { return next_update && *next_update + clock_tolerance < at; }
  static constexpr std::chrono::minutes clock_tolerance{5};
};

/// One look at the status of one certificate in use: a responder that it names was asked, or a server sent what a
/// responder had said along with it (RFC 6066, 8).
struct OcspLook {
  CertificateRef certificate;
  std::string source;  ///< the URL; where it was stapled, Handshake::id
  bool stapled = false;
  bool asked = true;  ///< of a responder; else `problem` says why it was not
  std::optional<OcspAnswer> answer;
  std::string problem;  ///< why there is no answer; one line, printable
  std::string remedy;   ///< what to do about that
};

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/site.hpp"
#include "core/time.hpp"

namespace mrascheck {

/// One ms-diagnostics header field, Microsoft Learn "Ms-Diagnostics Header": id;name="value";...
struct MsDiagnostics {
  unsigned id = 0;
  std::string sub;  ///< what stood behind a dot in the id; usually empty
  std::vector<std::pair<std::string, std::string>>
      parameters;  ///< in their order, names as sent, values unquoted, printable

  /// The first parameter of that name, in any case; empty when there is none.
  std::string_view parameter(std::string_view name) const;
};

/// One mediaRelay of an MRAS response ([MS-AVEDGEA]).
struct MediaRelay {
  std::string location;  ///< "intranet", "internet", or as sent
  std::string host;      ///< hostName or directIPAddress
  bool direct_address = false;
  std::optional<std::uint16_t> udp_port;
  std::optional<std::uint16_t> tcp_port;
};

/// A SERVICE (or OPTIONS) and its final answer. The password is not here, nor anything that it could be made from.
struct MrasExchange {
  std::string method;  ///< "SERVICE" or "OPTIONS"
  /// Where the user was said to be; nothing for OPTIONS, and in recordings of older versions, where the site says it.
  std::optional<MrasLocation> location;
  std::string request_uri;
  bool answered = false;    ///< a final answer to this very request arrived whole
  unsigned sip_status = 0;  ///< 0 when none arrived
  std::string sip_reason;
  std::string server_banner;  ///< Server, else User-Agent, printable
  std::vector<MsDiagnostics> diagnostics;
  unsigned provisional = 0;  ///< answers 1xx that came before
  unsigned strangers = 0;    ///< messages that belonged to no request of ours

  bool body_present = false;  ///< an MRAS response document could be read
  std::string reason_phrase;  ///< MRAS reasonPhrase: "OK"
  std::string version;        ///< asked for
  std::string server_version;
  std::vector<MediaRelay> relays;
  std::chrono::minutes asked{0};
  std::optional<std::chrono::minutes> granted;
  std::string realm;
  bool credentials_present = false;      ///< username and password both there
  bool credentials_well_formed = false;  ///< both decode as base64 to something
  /// The clock of whoever answered, by Date (RFC 3261, 20.17), and ours when the answer was there.
  std::optional<UtcTime> date;
  std::optional<UtcTime> answered_at;
  /// What the head of the MRAS username says, where it reads as such: its version (1 or 2), and when the credentials
  /// end. No document of Microsoft's has its layout; that of the time is inferred from its name (low, high) and its
  /// size.
  std::optional<unsigned> token_version;
  std::optional<UtcTime> token_expiry;
  std::string
      token_client;  ///< the first 8 of the 20 bytes that stand for the user in it, in hexadecimal; may be empty
  bool asked_again = false;  ///< refused as "Version Mismatch", and asked once more in the version of the server
  std::string problem;       ///< why an answer could not be read or framed, one line; empty when it could
};

}  // namespace mrascheck

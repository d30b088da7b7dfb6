// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace mrascheck {

/// What a URL of the scheme http (RFC 9110, 4.2.1) asks for, and of whom.
struct HttpUrl {
  std::string host;  ///< a name or an address literal, without brackets
  std::uint16_t port = 80;
  std::string target;  ///< path and query (RFC 9112, 3.2.1): graphic ASCII, never empty

  std::string authority() const;  ///< as the Host field has it: "[2001:db8::1]:8080", "pki.contoso.example"
  std::string text() const;
};

/// By their schemes alone.
bool is_http(std::string_view url);
bool is_https(std::string_view url);

/// Blanks in the path, which some CAs write, are escaped; a fragment is left out. Error: rejected_by_us for https,
/// which nobody should have to trust to find out whom to trust (RFC 5280, 8), and for a user name; else malformed.
Result<HttpUrl> parse_http_url(std::string_view url);

/// Where a Location leads, seen from `base` (RFC 9110, 10.2.2). Error: as parse_http_url.
Result<HttpUrl> redirected(const HttpUrl& base, std::string_view location);

}  // namespace mrascheck

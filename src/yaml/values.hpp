// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace mrascheck::yaml {

// Each says why a text is not what it should be, or nothing (an empty string) when it is.

/// A DNS name (RFC 1123, 2.1) of one or more labels; '_' is tolerated, an address is not a name.
std::string not_a_host_name(std::string_view text);

/// An IPv4 or IPv6 literal, without brackets, prefix or zone.
std::string not_an_address(std::string_view text);

/// "192.0.2.53", "192.0.2.53:5353", "2001:db8::53" or "[2001:db8::53]:5353".
std::string not_a_name_server(std::string_view text);

/// "sip:user@domain" (RFC 3261, 25.1) without parameters or port.
std::string not_a_sip_user(std::string_view text);

/// "sip:user@domain;parameter...": what can stand as a To of its own.
std::string not_a_sip_service(std::string_view text);

/// "ldap://host[:port]", "ldaps://...", "ldapi://%2Fpath": without DN, query or credentials.
std::string not_a_directory_uri(std::string_view text);

/// "4.0.7577.230": four numbers.
std::string not_a_patch_level(std::string_view text);

/// A store's name: letters, digits, '-', '.' and '_', at most 64.
std::string not_a_store_name(std::string_view text);

}  // namespace mrascheck::yaml

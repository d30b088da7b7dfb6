// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mrascheck {

/// What an LDAP URL without a host (RFC 4516) asks for: AD CS writes such ones into AIA and CDP, and whoever follows
/// them asks the directory of his own forest.
struct DirectoryReference {
  std::string dn;
  std::string attribute;  ///< the first one named; empty when none is
};

/// Nothing for another scheme, for a URL with a host, without a DN, or with percent signs that are not escapes.
std::optional<DirectoryReference> hostless_reference(std::string_view url);

/// What an LDAP URL with a host asks for, and of whom.
struct RemoteReference {
  std::string server;  ///< scheme, host and port: "ldap://dc1.contoso.example:389"
  DirectoryReference entry;
};

/// Of ldap:// and ldaps://. Nothing where hostless_reference() is nothing, but for the host.
std::optional<RemoteReference> remote_reference(std::string_view url);

/// Whether two DNs in the form of RFC 4514 name one entry: case is ignored, and so are blanks around commas and equals
/// signs. Escapes are compared as they are spelt: what CAs publish has none ([MS-WCCE] 3.1.1.4.1.1).
bool same_dn(std::string_view a, std::string_view b);

}  // namespace mrascheck

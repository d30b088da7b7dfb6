// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace mrascheck {

/// The name of the directory object of the CA with the common name `name` (UTF-8): [MS-WCCE] 3.1.1.4.1.1, sanitised
/// and, where it is long, cut and given a hash at its end. Of two readings of the cut ([MS-WCCE] says both "of the
/// sanitised name" and "of the full name"), the first one: they differ only for long names with escapes.
std::string ca_object_name(std::string_view name);

/// What stands behind the escapes ("!00fc") of a CA's object name, in UTF-8 and printable; empty when it has none.
std::string unescaped_ca_name(std::string_view object_name);

/// `place`, a DN, with the CA's real name behind it where the name of its object is not it: "CN=M!00fcller
/// CA,CN=AIA,... (Müller CA)". `common_name` is of a certificate that stands there: it is taken when the object's name
/// is made of it, and so may be said in full; else, or when it is empty, the escapes are undone.
std::string with_ca_name(const std::string& place, std::string_view common_name);

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "core/name.hpp"
#include "x509/der.hpp"

namespace mrascheck::x509 {

/// Reads one Name (RFC 5280, 4.1.2.4). At most 64 relative names of 16 attributes each.
/// Attribute values are the character string types and BIT STRING (x500UniqueIdentifier); another type is trouble, as
/// it is to OpenSSL.
/// `known` is a name that may stand here again, and is then copied.
bool take_name(der::Reader& in, der::Trouble& trouble, Name& into, const Name& known = {});

/// The UTF-8 of a character string element; nothing when `tag` is not one or its octets are not what the type allows.
/// PrintableString, NumericString, TeletexString and IA5String are read as Latin-1, as OpenSSL does: '@', '_' and
/// umlauts stand in them in the field.
std::optional<std::string> to_utf8(const der::Element& element);

}  // namespace mrascheck::x509

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/name.hpp"
#include "x509/der.hpp"

namespace mrascheck::x509 {

/// Reads one Name (RFC 5280, 4.1.2.4). At most 64 relative names of 16 attributes each.
/// Attribute values are the character string types and BIT STRING (x500UniqueIdentifier); another type is trouble, as
/// it is to OpenSSL.
bool take_name(der::Reader& in, der::Trouble& trouble, Name& into);
/// The same where `known` may stand again: what it holds is shared then, and nothing taken apart.
bool take_name(der::Reader& in, der::Trouble& trouble, Name& into, const Name& known);

/// Names that stood somewhere before, of which many certificates have the same. Bounded: each has one place that it may
/// stand in, and takes it from the one that stood there.
class KnownNames {
 public:
  const Name* find(Bytes der) const;
  void keep(const Name& name);

 private:
  static std::size_t place_of(Bytes der);
  std::vector<Name> names_;
};
/// As above, where any of `known` may stand again; `found` says whether one did.
bool take_name(der::Reader& in, der::Trouble& trouble, Name& into, const KnownNames& known, bool& found);

/// The UTF-8 of a character string element; nothing when `tag` is not one or its octets are not what the type allows.
/// PrintableString, NumericString, TeletexString and IA5String are read as Latin-1, as OpenSSL does: '@', '_' and
/// umlauts stand in them in the field.
std::optional<std::string> to_utf8(const der::Element& element);

}  // namespace mrascheck::x509

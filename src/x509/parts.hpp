// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/certificate.hpp"
#include "x509/der.hpp"

/// What certificates and revocation lists are both made of. All of these return false after trouble, and only then.
namespace mrascheck::x509 {

constexpr std::size_t max_extensions = 128;
/// 1.3.6.1.4.1.311, below which Microsoft's own extensions stand.
constexpr std::string_view microsoft_arc = "\x2b\x06\x01\x04\x01\x82\x37";

/// An INTEGER of at most 64 octets, as Certificate::serial.
bool take_serial(der::Reader& in, der::Trouble& trouble, std::string& into);

struct AlgorithmIdentifier {
  Bytes whole;
  Bytes oid;
  Bytes parameters;  ///< the whole element; empty when there is none
};
/// Parameters are absent, NULL, an OID or a SEQUENCE in every algorithm that certificates use.
bool take_algorithm(der::Reader& in, der::Trouble& trouble, AlgorithmIdentifier& into);

/// A Time: UTCTime or GeneralizedTime.
bool take_time(der::Reader& in, der::Trouble& trouble, UtcTime& into);

/// One GeneralName (RFC 5280, 4.2.1.6).
bool take_general_name(der::Reader& in, der::Trouble& trouble, der::Element& into);

/// The single SEQUENCE that most extensions are.
bool take_only_sequence(Bytes value, der::Trouble& trouble, der::Element& into);

struct Extension {
  Bytes oid;
  bool critical = false;
  Bytes value;  ///< the content of extnValue
  Bytes whole;
};
/// One Extension (RFC 5280, 4.2) of a list.
bool take_extension(der::Reader& in, der::Trouble& trouble, Extension& into);

/// RFC 5280, 4.2.1.1.
bool read_authority_key_id(Bytes value, der::Trouble& trouble, AuthorityKeyId& id);

/// MS-WCCE 3.2.1.4.3.2.39: a DWORD.
bool read_ca_version(Bytes value, der::Trouble& trouble, CaVersion& into);

}  // namespace mrascheck::x509

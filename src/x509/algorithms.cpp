// SPDX-License-Identifier: Apache-2.0
#include "x509/algorithms.hpp"

#include <array>
#include <bit>
#include <iterator>

#include "x509/der.hpp"

namespace mrascheck::x509 {

using namespace std::string_view_literals;

namespace {

struct NamedOid {
  std::string_view oid;  ///< its content octets
  std::string_view name;
};
struct Curve {
  std::string_view oid;
  std::string_view name;
  unsigned bits;
};

}  // namespace

static constexpr NamedOid signatures[] = {
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"sv, "sha256WithRSAEncryption"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"sv, "sha1WithRSAEncryption"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"sv, "sha384WithRSAEncryption"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"sv, "sha512WithRSAEncryption"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e"sv, "sha224WithRSAEncryption"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"sv, "RSASSA-PSS"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"sv, "md5WithRSAEncryption"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"sv, "md2WithRSAEncryption"},
    {"\x2b\x0e\x03\x02\x1d"sv, "sha1WithRSAEncryption"},  // OIW's own number for it
    {"\x2a\x86\x48\xce\x3d\x04\x03\x02"sv, "ecdsa-with-SHA256"},
    {"\x2a\x86\x48\xce\x3d\x04\x03\x03"sv, "ecdsa-with-SHA384"},
    {"\x2a\x86\x48\xce\x3d\x04\x03\x04"sv, "ecdsa-with-SHA512"},
    {"\x2a\x86\x48\xce\x3d\x04\x03\x01"sv, "ecdsa-with-SHA224"},
    {"\x2a\x86\x48\xce\x3d\x04\x01"sv, "ecdsa-with-SHA1"},
    {"\x2b\x65\x70"sv, "Ed25519"},
    {"\x2b\x65\x71"sv, "Ed448"},
    {"\x2a\x86\x48\xce\x38\x04\x03"sv, "dsa-with-sha1"},
    {"\x60\x86\x48\x01\x65\x03\x04\x03\x02"sv, "dsa-with-sha256"},
};

static constexpr Curve curves[] = {
    {"\x2a\x86\x48\xce\x3d\x03\x01\x07"sv, "EC P-256", 256},
    {"\x2b\x81\x04\x00\x22"sv, "EC P-384", 384},
    {"\x2b\x81\x04\x00\x23"sv, "EC P-521", 521},
    {"\x2b\x81\x04\x00\x21"sv, "EC P-224", 224},
    {"\x2a\x86\x48\xce\x3d\x03\x01\x01"sv, "EC P-192", 192},
    {"\x2b\x81\x04\x00\x0a"sv, "EC secp256k1", 256},
    {"\x2b\x24\x03\x03\x02\x08\x01\x01\x07"sv, "EC brainpoolP256r1", 256},
    {"\x2b\x24\x03\x03\x02\x08\x01\x01\x0b"sv, "EC brainpoolP384r1", 384},
    {"\x2b\x24\x03\x03\x02\x08\x01\x01\x0d"sv, "EC brainpoolP512r1", 512},
};

SharedText signature_algorithm_name(Bytes oid) {
  // One a thread: two would wait for each other's counting of the copies.
  thread_local const std::array<SharedText, std::size(signatures)> names = [] {
    std::array<SharedText, std::size(signatures)> all;
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = std::string{signatures[i].name};
    return all;
  }();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (signatures[i].oid == as_text(oid)) return names[i];
  }
  return der::dotted(oid);
}

/// Significant bits of an INTEGER's content; 0 for one that is not positive.
static unsigned bit_length(Bytes integer) {
  if (integer.empty() || (integer[0] & 0x80U) != 0) return 0;
  std::size_t i = 0;
  while (i < integer.size() && integer[i] == 0) ++i;
  if (i == integer.size()) return 0;
  return static_cast<unsigned>((integer.size() - i - 1) * 8) + static_cast<unsigned>(std::bit_width(integer[i]));
}

/// RFC 8017, A.1.1: SEQUENCE { modulus, publicExponent }.
static unsigned rsa_bits(Bytes key) {
  der::Trouble ignored(key);
  der::Reader in(key, ignored);
  der::Element sequence;
  der::Element modulus;
  if (!in.take(der::sequence, sequence, "no key") || !in.empty()) return 0;
  der::Reader inside(sequence.content, ignored);
  return inside.take(der::integer, modulus, "no modulus") ? bit_length(modulus.content) : 0;
}

/// RFC 3279, 2.3.2: SEQUENCE { p, q, g } in the parameters.
static unsigned dsa_bits(Bytes parameters) {
  return rsa_bits(parameters);  // it is the first INTEGER of a SEQUENCE, too
}

KeyKind key_kind(Bytes oid, Bytes parameters, Bytes key) {
  const std::string_view id = as_text(oid);
  if (id == "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"sv) return {"RSA", rsa_bits(key)};
  if (id == "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"sv) return {"RSASSA-PSS", rsa_bits(key)};
  if (id == "\x2b\x65\x70"sv) return {"Ed25519", 256};
  if (id == "\x2b\x65\x71"sv) return {"Ed448", 456};
  if (id == "\x2a\x86\x48\xce\x38\x04\x01"sv) return {"DSA", dsa_bits(parameters)};
  if (id != "\x2a\x86\x48\xce\x3d\x02\x01"sv) return {der::dotted(oid), 0};

  der::Trouble ignored(parameters);
  der::Reader in(parameters, ignored);
  der::Element curve;
  if (!in.take(der::object_identifier, curve, "no named curve") || !der::check_oid(curve.content, ignored)) {
    return {"EC", 0};
  }
  for (const Curve& known : curves) {
    if (known.oid == as_text(curve.content)) return {std::string{known.name}, known.bits};
  }
  return {"EC " + der::dotted(curve.content), 0};
}

}  // namespace mrascheck::x509

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>

#include <memory>
#include <optional>
#include <string>

#include "core/certificate.hpp"

/// A second opinion on what our reader made of some bytes: OpenSSL's.
///
/// Where we refuse what d2i_X509 takes, on purpose: anything but DER (indefinite or long-winded lengths, BOOLEANs other
/// than 00 and FF, padding bits that are not zero), bytes behind the certificate, tag numbers above 30, more than 256
/// KiB, 64 relative names, 16 attributes in one or 128 extensions, serial numbers above 64 octets, versions above 3,
/// extensions or unique identifiers that the version does not have, the same extension twice, an empty list of
/// extensions, an empty issuer, times that RFC 5280 (4.1.2.5) does not allow, names that are not the text they say, the
/// two signature algorithms not being the same, and extensions known to us whose content does not decode (d2i_X509
/// looks at them later).
namespace mrascheck::test {

template <auto Free>
struct FreedBy {
  void operator()(auto* object) const noexcept { Free(object); }
};

inline ByteString name_der(const X509_NAME* name) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_NAME(name, &bytes);
  ByteString copy(bytes, bytes + (size > 0 ? size : 0));
  OPENSSL_free(bytes);
  return copy;
}

inline ByteString name_der(const Name& name) {
  const Bytes der = name.der();
  return {der.begin(), der.end()};
}

inline std::optional<UtcTime> time_of(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return UtcTime{std::chrono::seconds{timegm(&parts)}};
}

inline ByteString string_bytes(const ASN1_STRING* string) {
  const unsigned char* data = ASN1_STRING_get0_data(string);
  return {data, data + ASN1_STRING_length(string)};
}

/// Serial numbers are kept by OpenSSL as sign and magnitude; this makes content octets of them again.
inline std::string serial_of(const ASN1_INTEGER* serial) {
  unsigned char* bytes = nullptr;
  const int size = i2d_ASN1_INTEGER(serial, &bytes);
  const std::unique_ptr<unsigned char, FreedBy<[](void* p) { OPENSSL_free(p); }>> owner{bytes};
  if (size < 3) return {};
  std::size_t header = bytes[1] < 0x80 ? 2 : 2 + (bytes[1] & 0x7fU);
  const auto end = static_cast<std::size_t>(size);
  while (header + 1 < end && bytes[header] == 0) ++header;
  return to_hex(Bytes{bytes + header, end - header});
}

inline Sha256 sha256_of(Bytes bytes) {
  Sha256 digest{};
  SHA256(bytes.data(), bytes.size(), digest.data());
  return digest;
}

inline Sha1 sha1_of(Bytes bytes) {
  Sha1 digest{};
  SHA1(bytes.data(), bytes.size(), digest.data());
  return digest;
}

/// Digests without our crypto room.
inline constexpr Hasher plain_hasher{.sha1 = sha1_of, .sha256 = sha256_of};

template <class T, auto Free>
std::unique_ptr<T, FreedBy<Free>> extension_of(const X509* certificate, int nid) {
  return std::unique_ptr<T, FreedBy<Free>>{static_cast<T*>(X509_get_ext_d2i(certificate, nid, nullptr, nullptr))};
}

/// What OpenSSL says differently from `certificate`, which our reader made; empty when it agrees. An extension is
/// compared when OpenSSL can decode it.
inline std::string disagreement(const Certificate& certificate) {
  const unsigned char* cursor = certificate.der.data();
  const std::unique_ptr<X509, FreedBy<X509_free>> other{
      d2i_X509(nullptr, &cursor, static_cast<long>(certificate.der.size()))};
  if (!other) return "d2i_X509 refuses it";
  if (cursor != certificate.der.data() + certificate.der.size()) return "d2i_X509 leaves something behind";
  if (name_der(X509_get_subject_name(other.get())) != name_der(certificate.subject)) return "subject";
  if (name_der(X509_get_issuer_name(other.get())) != name_der(certificate.issuer)) return "issuer";
  if (serial_of(X509_get0_serialNumber(other.get())) != certificate.serial) return "serial number";
  if (time_of(X509_get0_notBefore(other.get())) != certificate.not_before) return "notBefore";
  if (time_of(X509_get0_notAfter(other.get())) != certificate.not_after) return "notAfter";

  unsigned char* spki = nullptr;
  const int spki_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(other.get()), &spki);
  const Sha256 spki_digest = spki_size > 0 ? sha256_of({spki, static_cast<std::size_t>(spki_size)}) : Sha256{};
  OPENSSL_free(spki);
  if (spki_digest != certificate.spki_sha256) return "public key";
  if (const EVP_PKEY* key = X509_get0_pubkey(other.get()); key != nullptr && certificate.key_bits != 0) {
    if (EVP_PKEY_get_bits(key) != static_cast<int>(certificate.key_bits)) return "key size";
  }

  const auto ski = extension_of<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>(other.get(), NID_subject_key_identifier);
  if (ski && string_bytes(ski.get()) != certificate.subject_key_id) return "subject key identifier";
  const auto aki = extension_of<AUTHORITY_KEYID, AUTHORITY_KEYID_free>(other.get(), NID_authority_key_identifier);
  if (aki) {
    if (!certificate.authority_key_id) return "authority key identifier";
    const AuthorityKeyId& ours = *certificate.authority_key_id;
    if ((aki->keyid != nullptr) != ours.key_id.has_value()) return "authority key identifier's key";
    if (aki->keyid != nullptr && string_bytes(aki->keyid) != *ours.key_id) return "authority key identifier's key";
    if ((aki->serial != nullptr) != ours.serial.has_value()) return "authority key identifier's serial number";
    if (aki->serial != nullptr && serial_of(aki->serial) != *ours.serial)
      return "authority key identifier's serial number";
    const X509_NAME* issuer = nullptr;
    for (int i = 0; i < sk_GENERAL_NAME_num(aki->issuer) && issuer == nullptr; ++i) {
      const GENERAL_NAME* name = sk_GENERAL_NAME_value(aki->issuer, i);
      if (name->type == GEN_DIRNAME) issuer = name->d.directoryName;
    }
    if ((issuer != nullptr) != ours.issuer.has_value()) return "authority key identifier's issuer";
    if (issuer != nullptr && name_der(issuer) != name_der(*ours.issuer)) return "authority key identifier's issuer";
  }
  const auto basic = extension_of<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>(other.get(), NID_basic_constraints);
  if (basic) {
    if (certificate.is_ca != (basic->ca != 0)) return "basic constraints";
    if ((basic->pathlen != nullptr) != certificate.path_length.has_value()) return "path length";
    if (basic->pathlen != nullptr && certificate.path_length < 0x7fffffffU &&
        ASN1_INTEGER_get(basic->pathlen) != static_cast<long>(*certificate.path_length)) {
      return "path length";
    }
  }
  const auto usage = extension_of<ASN1_BIT_STRING, ASN1_BIT_STRING_free>(other.get(), NID_key_usage);
  if (usage) {
    unsigned bits = 0;
    for (int bit = 0; bit < 16; ++bit) bits |= static_cast<unsigned>(ASN1_BIT_STRING_get_bit(usage.get(), bit)) << bit;
    if (certificate.key_usage != bits) return "key usage";
  }
  const auto purposes = extension_of<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>(other.get(), NID_ext_key_usage);
  if (purposes) {
    std::vector<std::string> oids;
    for (int i = 0; i < sk_ASN1_OBJECT_num(purposes.get()); ++i) {
      char text[600];
      OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(purposes.get(), i), 1);
      oids.emplace_back(text);
    }
    if (certificate.extended_key_usage != oids) return "extended key usage";
  }
  const auto names = extension_of<GENERAL_NAMES, GENERAL_NAMES_free>(other.get(), NID_subject_alt_name);
  if (names) {
    std::size_t dns = 0;
    std::vector<ByteString> addresses;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
      const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
      if (name->type == GEN_DNS) ++dns;
      if (name->type == GEN_IPADD) addresses.push_back(string_bytes(name->d.iPAddress));
    }
    if (dns != certificate.dns_names.size() || addresses != certificate.ip_addresses) return "subject alternative name";
  }
  return {};
}

}  // namespace mrascheck::test

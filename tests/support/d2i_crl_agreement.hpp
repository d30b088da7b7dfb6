// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "core/crl.hpp"
#include "d2i_agreement.hpp"

/// OpenSSL's opinion on what our reader made of a revocation list. Where we refuse what d2i_X509_CRL takes: see
/// d2i_agreement.hpp; extensions that the version does not have, and those known to us whose content does not decode.
namespace mrascheck::test {

template <class T, auto Free>
std::unique_ptr<T, FreedBy<Free>> extension_of(const X509_CRL* crl, int nid) {
  return std::unique_ptr<T, FreedBy<Free>>{static_cast<T*>(X509_CRL_get_ext_d2i(crl, nid, nullptr, nullptr))};
}

/// What OpenSSL says differently from `crl`, which our reader made; empty when it agrees. Serial numbers that an
/// indirect list has of other issuers, and those that stand there twice, are not compared.
inline std::string disagreement(const Crl& crl) {
  const unsigned char* cursor = crl.der.data();
  const std::unique_ptr<X509_CRL, FreedBy<X509_CRL_free>> other{
      d2i_X509_CRL(nullptr, &cursor, static_cast<long>(crl.der.size()))};
  if (!other) return "d2i_X509_CRL refuses it";
  if (cursor != crl.der.data() + crl.der.size()) return "d2i_X509_CRL leaves something behind";
  if (name_der(X509_CRL_get_issuer(other.get())) != name_der(crl.issuer)) return "issuer";
  if (time_of(X509_CRL_get0_lastUpdate(other.get())) != crl.this_update) return "thisUpdate";
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(other.get());
  if ((next != nullptr) != crl.next_update.has_value()) return "nextUpdate";
  if (next != nullptr && time_of(next) != *crl.next_update) return "nextUpdate";

  const auto number = extension_of<ASN1_INTEGER, ASN1_INTEGER_free>(other.get(), NID_crl_number);
  if (number && serial_of(number.get()) != crl.number) return "CRL number";
  const auto aki = extension_of<AUTHORITY_KEYID, AUTHORITY_KEYID_free>(other.get(), NID_authority_key_identifier);
  if (aki && aki->keyid != nullptr && string_bytes(aki->keyid) != crl.authority_key_id) return "key identifier";
  const bool delta = X509_CRL_get_ext_by_NID(other.get(), NID_delta_crl, -1) >= 0;
  if (delta != crl.delta) return "delta indicator";

  std::map<std::string, int> times;
  bool indirect = false;
  STACK_OF(X509_REVOKED)* revoked = X509_CRL_get_REVOKED(other.get());
  for (int i = 0; i < sk_X509_REVOKED_num(revoked); ++i) {
    const X509_REVOKED* entry = sk_X509_REVOKED_value(revoked, i);
    ++times[serial_of(X509_REVOKED_get0_serialNumber(entry))];
    indirect = indirect || X509_REVOKED_get_ext_by_NID(entry, NID_certificate_issuer, -1) >= 0;
  }
  if (indirect) return {};
  std::size_t listed = 0;
  for (int i = 0; i < sk_X509_REVOKED_num(revoked); ++i) {
    const X509_REVOKED* entry = sk_X509_REVOKED_value(revoked, i);
    const std::string serial = serial_of(X509_REVOKED_get0_serialNumber(entry));
    if (times[serial] > 1) continue;
    const std::unique_ptr<ASN1_ENUMERATED, FreedBy<ASN1_ENUMERATED_free>> reason{
        static_cast<ASN1_ENUMERATED*>(X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, nullptr, nullptr))};
    const bool removed = reason && ASN1_ENUMERATED_get(reason.get()) == CRL_REASON_REMOVE_FROM_CRL;
    if (crl.lists(serial) == removed) return "revoked: " + serial;
    if (!removed) ++listed;
  }
  for (const auto& [serial, count] : times) {
    if (count > 1 && crl.lists(serial)) ++listed;
  }
  return listed == crl.revoked.size() ? "" : "number of revoked certificates";
}

}  // namespace mrascheck::test

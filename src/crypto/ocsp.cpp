// SPDX-License-Identifier: Apache-2.0
#include "crypto/ocsp.hpp"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "crypto/openssl.hpp"

namespace mrascheck::crypto {
namespace {

using RequestPtr = std::unique_ptr<OCSP_REQUEST, Freed<OCSP_REQUEST_free>>;
using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, Freed<OCSP_RESPONSE_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, Freed<OCSP_BASICRESP_free>>;
using CertIdPtr = std::unique_ptr<OCSP_CERTID, Freed<OCSP_CERTID_free>>;

struct FreeList {
  void operator()(STACK_OF(X509) * list) const noexcept { sk_X509_free(list); }
};

constexpr std::size_t longest_response = std::size_t{256} * 1024;

std::optional<UtcTime> time_of(const ASN1_GENERALIZEDTIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return UtcTime{std::chrono::seconds{::timegm(&parts)}};
}

/// RFC 6960, 4.2.1.
std::string status_word(int status) {
  switch (status) {
    case OCSP_RESPONSE_STATUS_MALFORMEDREQUEST:
      return "malformedRequest";
    case OCSP_RESPONSE_STATUS_INTERNALERROR:
      return "internalError";
    case OCSP_RESPONSE_STATUS_TRYLATER:
      return "tryLater";
    case OCSP_RESPONSE_STATUS_SIGREQUIRED:
      return "sigRequired";
    case OCSP_RESPONSE_STATUS_UNAUTHORIZED:
      return "unauthorized";
    default:
      return fmt::format("status {}", status);
  }
}

std::string responder_text(const OCSP_BASICRESP* basic) {
  const ASN1_OCTET_STRING* key = nullptr;
  const X509_NAME* name = nullptr;
  if (OCSP_resp_get0_id(basic, &key, &name) != 1) return {};
  if (key != nullptr) {
    return fmt::format("key {}",
                       to_hex({ASN1_STRING_get0_data(key), static_cast<std::size_t>(ASN1_STRING_length(key))}));
  }
  const BioPtr text{BIO_new(BIO_s_mem())};
  if (!text || X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return printable({data, static_cast<std::size_t>(std::max(size, 0L))}, 256);
}

/// The same certificate by the same digests as `id` has.
CertIdPtr same_kind(const OCSP_CERTID* id, X509* subject, X509* issuer) {
  ASN1_OBJECT* algorithm = nullptr;
  if (OCSP_id_get0_info(nullptr, &algorithm, nullptr, nullptr, const_cast<OCSP_CERTID*>(id)) != 1) return nullptr;
  const EVP_MD* digest = EVP_get_digestbyobj(algorithm);
  return CertIdPtr{digest == nullptr ? nullptr : OCSP_cert_to_id(digest, subject, issuer)};
}

OCSP_SINGLERESP* single_about(OCSP_BASICRESP* basic, X509* subject, const std::vector<X509Ptr>& issuers) {
  constexpr int most = 1000;
  for (int i = 0; i < std::min(OCSP_resp_count(basic), most); ++i) {
    OCSP_SINGLERESP* single = OCSP_resp_get0(basic, i);
    const OCSP_CERTID* id = OCSP_SINGLERESP_get0_id(single);
    for (const X509Ptr& issuer : issuers) {
      const CertIdPtr wanted = same_kind(id, subject, issuer.get());
      if (wanted && OCSP_id_cmp(wanted.get(), id) == 0) return single;
    }
  }
  return nullptr;
}

/// The signature alone, by the key of `signer` where the response names that as its responder.
bool signed_by(OCSP_BASICRESP* basic, X509* signer) {
  const std::unique_ptr<STACK_OF(X509), FreeList> only{sk_X509_new_null()};
  return only && sk_X509_push(only.get(), signer) > 0 &&
         OCSP_basic_verify(basic, only.get(), nullptr, OCSP_TRUSTOTHER | OCSP_NOINTERN) == 1;
}

/// RFC 6960, 4.2.2.2: its certificate comes with the response, names OCSP signing as its use, and was issued by the
/// very key that issued the certificate in question. Empty: it may.
std::string why_no_delegate(X509* signer, const std::vector<X509Ptr>& issuers, UtcTime at) {
  const std::string name = [&] {
    const BioPtr text{BIO_new(BIO_s_mem())};
    char* data = nullptr;
    if (!text || X509_NAME_print_ex(text.get(), X509_get_subject_name(signer), 0, XN_FLAG_RFC2253) < 0)
      return std::string{};
    const long size = BIO_get_mem_data(text.get(), &data);
    return printable({data, static_cast<std::size_t>(std::max(size, 0L))}, 256);
  }();
  const bool issued = std::any_of(issuers.begin(), issuers.end(), [&](const X509Ptr& issuer) {
    return X509_NAME_cmp(X509_get_issuer_name(signer), X509_get_subject_name(issuer.get())) == 0 &&
           X509_verify(signer, X509_get0_pubkey(issuer.get())) == 1;
  });
  if (!issued) return fmt::format("{}, which signed it, was not issued by the CA that issued the certificate", name);
  const bool may_sign = (X509_get_extension_flags(signer) & EXFLAG_XKUSAGE) != 0 &&
                        (X509_get_extended_key_usage(signer) & XKU_OCSP_SIGN) != 0;
  if (!may_sign) return fmt::format("{}, which signed it, is not for OCSP signing by its extended key usage", name);
  std::time_t now = at.time_since_epoch().count();
  if (X509_cmp_time(X509_get0_notBefore(signer), &now) > 0)
    return fmt::format("the certificate of {}, which signed it, is not valid yet", name);
  if (X509_cmp_time(X509_get0_notAfter(signer), &now) < 0)
    return fmt::format("the certificate of {}, which signed it, has expired", name);
  return {};
}

void find_signer(OCSP_BASICRESP* basic, const std::vector<X509Ptr>& issuers, UtcTime at, OcspAnswer& answer) {
  for (const X509Ptr& issuer : issuers) {
    if (!signed_by(basic, issuer.get())) continue;
    answer.signer = OcspSigner::issuer;
    return;
  }
  X509* signer = nullptr;
  if (OCSP_resp_get0_signer(basic, &signer, nullptr) != 1 || signer == nullptr) {
    answer.doubt = "it is not signed by the CA that issued the certificate, and brings no certificate of who signed it";
  } else if (!signed_by(basic, signer)) {
    answer.doubt = "its signature does not verify";
  } else {
    answer.doubt = why_no_delegate(signer, issuers, at);
    if (answer.doubt.empty()) answer.signer = OcspSigner::delegate;
  }
}

}  // namespace

Result<ByteString> ocsp_request(const Certificate& subject, const Certificate& issuer) {
  start_openssl();
  ERR_clear_error();
  const X509Ptr of = decode_certificate(subject.der);
  const X509Ptr by = decode_certificate(issuer.der);
  const RequestPtr request{OCSP_REQUEST_new()};
  CertIdPtr id{of && by ? OCSP_cert_to_id(EVP_sha1(), of.get(), by.get()) : nullptr};
  if (request && id && OCSP_request_add0_id(request.get(), id.get()) != nullptr) {
    static_cast<void>(id.release());
    unsigned char* der = nullptr;
    const int size = i2d_OCSP_REQUEST(request.get(), &der);
    if (size > 0) {
      ByteString bytes(der, der + size);
      OPENSSL_free(der);
      return bytes;
    }
  }
  return fail(ErrorKind::local,
              fmt::format("{}: no OCSP request can be made: {}", short_name(subject), drain_errors()));
}

Result<OcspAnswer> read_ocsp_response(Bytes response, const Certificate& subject,
                                      std::span<const CertificateRef> issuers, UtcTime at) {
  start_openssl();
  ERR_clear_error();
  if (response.size() > longest_response)
    return fail(ErrorKind::malformed, fmt::format("an OCSP response of more than {} KiB", longest_response / 1024));
  const unsigned char* cursor = response.data();
  const ResponsePtr whole{d2i_OCSP_RESPONSE(nullptr, &cursor, static_cast<long>(response.size()))};
  const auto no_response = [] {
    return fail(ErrorKind::malformed, fmt::format("not an OCSP response: {}", drain_errors()));
  };
  if (!whole) return no_response();
  const int status = OCSP_response_status(whole.get());
  if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
    return fail(ErrorKind::rejected_by_peer, fmt::format("the responder gives no answer: {}", status_word(status)));
  const BasicPtr basic{OCSP_response_get1_basic(whole.get())};
  if (!basic) return no_response();

  const X509Ptr certificate = decode_certificate(subject.der);
  std::vector<X509Ptr> signers;
  for (const CertificateRef& issuer : issuers) {
    if (X509Ptr decoded = decode_certificate(issuer->der)) signers.push_back(std::move(decoded));
  }
  OCSP_SINGLERESP* single = certificate ? single_about(basic.get(), certificate.get(), signers) : nullptr;
  if (single == nullptr) {
    ERR_clear_error();
    return fail(ErrorKind::malformed, "an OCSP response that says nothing of this certificate");
  }
  OcspAnswer answer;
  ASN1_GENERALIZEDTIME* revoked_at = nullptr;
  ASN1_GENERALIZEDTIME* this_update = nullptr;
  ASN1_GENERALIZEDTIME* next_update = nullptr;
  int reason = -1;
  const int said = OCSP_single_get0_status(single, &reason, &revoked_at, &this_update, &next_update);
  answer.status = said == V_OCSP_CERTSTATUS_GOOD      ? OcspStatus::good
                  : said == V_OCSP_CERTSTATUS_REVOKED ? OcspStatus::revoked
                                                      : OcspStatus::unknown;
  const auto since = time_of(this_update);
  const auto produced = time_of(OCSP_resp_get0_produced_at(basic.get()));
  answer.next_update = time_of(next_update);
  if (!since || !produced || (next_update != nullptr && !answer.next_update))
    return fail(ErrorKind::malformed, "an OCSP response with a time that is none");
  answer.this_update = *since;
  answer.produced_at = *produced;
  if (answer.status == OcspStatus::revoked) {
    answer.revoked_at = time_of(revoked_at);
    if (reason >= 0) answer.reason = printable(OCSP_crl_reason_str(reason), 40);
  }
  answer.responder = responder_text(basic.get());
  find_signer(basic.get(), signers, at, answer);
  ERR_clear_error();
  return answer;
}

}  // namespace mrascheck::crypto

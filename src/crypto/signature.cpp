// SPDX-License-Identifier: Apache-2.0
#include "crypto/signature.hpp"

#include <fmt/core.h>
#include <openssl/asn1.h>
#include <openssl/asn1err.h>
#include <openssl/err.h>

#include <initializer_list>
#include <map>
#include <optional>
#include <utility>

#include "crypto/openssl.hpp"

namespace mrascheck::crypto {
namespace {

using AlgorithmPtr = std::unique_ptr<X509_ALGOR, Freed<X509_ALGOR_free>>;
using BitStringPtr = std::unique_ptr<ASN1_BIT_STRING, Freed<ASN1_BIT_STRING_free>>;
using AnyPtr = std::unique_ptr<ASN1_TYPE, Freed<ASN1_TYPE_free>>;

/// One DER element; `whole` is empty where there was none.
struct Element {
  Bytes whole;
  Bytes content;
  int tag = -1;
  int tag_class = 0;
};

Element next(Bytes& rest) {
  const unsigned char* cursor = rest.data();
  long length = 0;
  Element element;
  const int flags = rest.empty() ? 0x80
                                 : ASN1_get_object(&cursor, &length, &element.tag, &element.tag_class,
                                                   static_cast<long>(rest.size()));
  if ((flags & 0x81) != 0) return {};  // an error, or the indefinite form that DER does not have
  const auto header = static_cast<std::size_t>(cursor - rest.data());
  element.whole = rest.first(header + static_cast<std::size_t>(length));
  element.content = element.whole.subspan(header);
  rest = rest.subspan(element.whole.size());
  return element;
}

/// What of a certificate or revocation list its signature is about (RFC 5280, 4.1). d2i_X509 would do, but decodes the
/// subject's public key on the way, which costs more than verifying does, and which of a child nobody needs.
struct Parts {
  Bytes tbs;
  Bytes inner_algorithm;
  Bytes public_key;
  Bytes algorithm;
  Bytes signature;
};

/// What both kinds of signed things have in common; `rest` is left at what the signed part holds.
Parts dissect_signed(Bytes der, Bytes& rest) {
  Parts parts;
  Bytes whole = next(der).content;
  const Element tbs = next(whole);
  parts.tbs = tbs.whole;
  parts.algorithm = next(whole).whole;
  parts.signature = next(whole).whole;
  rest = tbs.content;
  return parts;
}

/// A revocation list (RFC 5280, 5.1): it has no public key.
Parts dissect_crl(Bytes der) {
  Bytes rest;
  Parts parts = dissect_signed(der, rest);
  if (Bytes ahead = rest; next(ahead).tag == V_ASN1_INTEGER) rest = ahead;  // version
  parts.inner_algorithm = next(rest).whole;
  return parts;
}

Parts dissect(Bytes der) {
  Bytes rest;
  Parts parts = dissect_signed(der, rest);
  if (Bytes ahead = rest; next(ahead).tag_class == V_ASN1_CONTEXT_SPECIFIC) rest = ahead;  // version
  next(rest);                                                                              // serialNumber
  parts.inner_algorithm = next(rest).whole;
  next(rest);  // issuer
  next(rest);  // validity
  next(rest);  // subject
  parts.public_key = next(rest).whole;
  return parts;
}

template <auto Decode>
auto decode(Bytes der) {
  const unsigned char* cursor = der.data();
  return Decode(nullptr, &cursor, static_cast<long>(der.size()));
}

/// Empties the queue. What it says when OpenSSL lacks something that it would need for an answer; nothing when the
/// answer is no, which includes a key of another kind and a signature that is no signature at all.
std::optional<std::string> lacking() {
  std::optional<std::string> words;
  while (const unsigned long code = ERR_get_error()) {
    const int reason = ERR_GET_REASON(code);
    const bool asn1 = ERR_GET_LIB(code) == ERR_LIB_ASN1;
    if (reason == ERR_R_UNSUPPORTED || reason == ERR_R_MALLOC_FAILURE ||
        (ERR_GET_LIB(code) == ERR_LIB_EVP && reason == EVP_R_UNSUPPORTED_ALGORITHM) ||
        (asn1 && (reason == ASN1_R_UNKNOWN_MESSAGE_DIGEST_ALGORITHM || reason == ASN1_R_UNKNOWN_SIGNATURE_ALGORITHM ||
                  reason == ASN1_R_UNKNOWN_PUBLIC_KEY_TYPE)))
      words = ERR_reason_error_string(code);
  }
  return words;
}

}  // namespace

struct SignatureVerifier::Impl {
  std::map<Sha256, PkeyPtr> keys;
  std::map<std::pair<Sha256, Sha256>, SignatureState> answers;

  /// `child` and `child_algorithm` are for messages.
  Result<SignatureState> verify(const std::pair<Sha256, Sha256>& pair, const Parts& parts, const Certificate& issuer,
                                const std::string& child, const std::string& child_algorithm);

  Result<EVP_PKEY*> key_of(const Certificate& issuer) {
    if (const auto known = keys.find(issuer.spki_sha256); known != keys.end()) return known->second.get();
    PkeyPtr key{decode<d2i_PUBKEY>(dissect(issuer.der).public_key)};
    if (!key)
      return fail(ErrorKind::local, fmt::format("{}: OpenSSL cannot decode its public key ({}): {}", short_name(issuer),
                                                issuer.key_algorithm, drain_errors()));
    return keys.emplace(issuer.spki_sha256, std::move(key)).first->second.get();
  }
};

SignatureVerifier::SignatureVerifier() : impl_(std::make_unique<Impl>()) {}
SignatureVerifier::~SignatureVerifier() = default;
SignatureVerifier::SignatureVerifier(SignatureVerifier&&) noexcept = default;
SignatureVerifier& SignatureVerifier::operator=(SignatureVerifier&&) noexcept = default;

Result<SignatureState> SignatureVerifier::verify(const Certificate& child, const Certificate& issuer) {
  const auto pair = std::make_pair(child.sha256, issuer.spki_sha256);
  if (const auto known = impl_->answers.find(pair); known != impl_->answers.end()) return known->second;
  return impl_->verify(pair, dissect(child.der), issuer, short_name(child), child.signature_algorithm.str());
}

Result<SignatureState> SignatureVerifier::verify(const Crl& crl, const Certificate& issuer) {
  const auto pair = std::make_pair(crl.sha256, issuer.spki_sha256);
  if (const auto known = impl_->answers.find(pair); known != impl_->answers.end()) return known->second;
  return impl_->verify(pair, dissect_crl(crl.der), issuer,
                       fmt::format("the revocation list of {} from {}", crl.issuer.text(), to_iso8601(crl.this_update)),
                       crl.signature_algorithm);
}

Result<SignatureState> SignatureVerifier::Impl::verify(const std::pair<Sha256, Sha256>& pair, const Parts& parts,
                                                       const Certificate& issuer, const std::string& child,
                                                       const std::string& child_algorithm) {
  start_openssl();
  ERR_clear_error();

  const Result<EVP_PKEY*> key = key_of(issuer);
  if (!key) return tl::unexpected(key.error());
  const AlgorithmPtr algorithm{decode<d2i_X509_ALGOR>(parts.algorithm)};
  const AlgorithmPtr inner{decode<d2i_X509_ALGOR>(parts.inner_algorithm)};
  const BitStringPtr signature{decode<d2i_ASN1_BIT_STRING>(parts.signature)};
  const AnyPtr signed_part{decode<d2i_ASN1_TYPE>(parts.tbs)};  // kept as its very bytes, which are what was signed
  if (!algorithm || !inner || !signature || !signed_part)
    return fail(ErrorKind::local, fmt::format("{}: OpenSSL cannot decode its signature: {}", child, drain_errors()));

  auto state = SignatureState::failed;
  // RFC 5280, 4.1.1.2: the algorithm outside, which is not signed, must be the one inside.
  if (X509_ALGOR_cmp(algorithm.get(), inner.get()) == 0) {
    if (ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), algorithm.get(), signature.get(), signed_part.get(), *key) == 1)
      state = SignatureState::verified;
    else if (const auto words = lacking())
      return fail(ErrorKind::local,
                  fmt::format("{}: OpenSSL cannot verify a {} signature: {}", child, child_algorithm, *words));
  }
  ERR_clear_error();
  answers.emplace(pair, state);
  return state;
}

std::vector<SignatureProof> SignatureVerifier::proofs() const {
  std::vector<SignatureProof> proofs;
  proofs.reserve(impl_->answers.size());
  for (const auto& [pair, state] : impl_->answers)
    proofs.push_back({.child = pair.first, .issuer_key = pair.second, .state = state});
  return proofs;
}

}  // namespace mrascheck::crypto

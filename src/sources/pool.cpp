// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "crypto/digest.hpp"
#include "sources/memory.hpp"
#include "sources/sources.hpp"
#include "x509/certificate_reader.hpp"
#include "x509/crl_reader.hpp"

namespace mrascheck::sources {

std::size_t CertificatePool::Hash::operator()(const Sha256& digest) const {
  std::size_t head = 0;
  std::memcpy(&head, digest.data(), sizeof head);
  return head;
}

Result<CertificateRef> CertificatePool::intern(Bytes der) {
  if (der.size() > x509::max_certificate_size) return fail(ErrorKind::malformed, "larger than 256 KiB");
  const Hasher hasher = crypto::hasher();
  const Sha256 digest = hasher.sha256(der);
  const auto same = [&digest](const CertificateRef& known) { return known->sha256 == digest; };
  {
    const std::lock_guard lock(mutex_);
    if (const CertificateRef* known = known_.find(Hash{}(digest), same)) return *known;
  }
  // Beside its bytes: the value, its names and lists.
  expect_small_values(sizeof(Certificate) + der.size() + 512);
  Result<CertificateRef> certificate = x509::read_shared_certificate(der, hasher, digest);
  if (!certificate) return certificate;
  const std::lock_guard lock(mutex_);
  return known_.add(Hash{}(digest), same, *std::move(certificate)).first;  // another thread may have been quicker
}

std::size_t CertificatePool::EndHash::operator()(std::string_view encoded) const {
  constexpr std::size_t enough = 64;
  return std::hash<std::string_view>{}(encoded.substr(encoded.size() - std::min(encoded.size(), enough)));
}

CertificateRef CertificatePool::recall(std::string_view encoded) {
  const std::lock_guard lock(mutex_);
  const auto known = remembered_.find(encoded);
  return known == remembered_.end() ? nullptr : known->second;
}

void CertificatePool::remember(std::string_view encoded, const CertificateRef& certificate) {
  constexpr std::size_t most = 4'096;
  constexpr std::size_t longest = 8'192;
  if (encoded.size() > longest) return;
  const std::lock_guard lock(mutex_);
  if (remembered_.size() == most) remembered_.clear();
  remembered_.try_emplace(std::string{encoded}, certificate);
}

/// Of what two exports of the same certificates share; those of others differ in the last signature.
static std::size_t hash_of_text(std::string_view text) {
  constexpr std::size_t enough = 256;
  return std::hash<std::string_view>{}(text.substr(text.size() - std::min(text.size(), enough))) + text.size();
}

std::shared_ptr<const CertificatePool::Certificates> CertificatePool::recall_all(std::string_view text) {
  std::shared_ptr<const Text> known;
  {
    const std::lock_guard lock(mutex_);
    const auto found = texts_.find(hash_of_text(text));
    if (found != texts_.end()) known = found->second;
  }
  if (!known || known->text != text) return nullptr;
  return {known, &known->certificates};
}

void CertificatePool::remember_all(std::string_view text, Certificates certificates) {
  constexpr std::size_t most_octets = std::size_t{16} * 1024 * 1024;
  const auto made = std::make_shared<const Text>(Text{std::string{text}, std::move(certificates)});
  const std::lock_guard lock(mutex_);
  if (text_octets_ + text.size() > most_octets) {
    texts_.clear();
    text_octets_ = 0;
  }
  if (texts_.try_emplace(hash_of_text(text), made).second) text_octets_ += text.size();
}

Result<CrlRef> CertificatePool::intern_crl(Bytes der) {
  if (der.size() > x509::max_crl_size) return fail(ErrorKind::malformed, "larger than 16 MiB");
  const Sha256 digest = crypto::hasher().sha256(der);
  {
    const std::lock_guard lock(mutex_);
    const auto known = crls_by_bytes_.find(digest);
    if (known != crls_by_bytes_.end()) return known->second;
  }
  Result<Crl> crl = x509::read_crl(der, digest);
  if (!crl) return tl::unexpected(std::move(crl).error());
  auto shared = std::make_shared<const Crl>(*std::move(crl));
  const std::lock_guard lock(mutex_);
  return crls_by_bytes_.try_emplace(digest, std::move(shared)).first->second;
}

}  // namespace mrascheck::sources

// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "crypto/digest.hpp"
#include "sources/sources.hpp"
#include "x509/certificate_reader.hpp"
#include "x509/crl_reader.hpp"

namespace mrascheck::sources {

std::size_t CertificatePool::FirstOctets::operator()(const Sha256& digest) const noexcept {
  std::size_t value = 0;
  std::memcpy(&value, digest.data(), sizeof value);
  return value;
}

Result<CertificateRef> CertificatePool::intern(Bytes der) {
  if (der.size() > x509::max_certificate_size) return fail(ErrorKind::malformed, "larger than 256 KiB");
  const Hasher hasher = crypto::hasher();
  const Sha256 digest = hasher.sha256(der);
  {
    const std::lock_guard lock(mutex_);
    const auto known = by_bytes_.find(digest);
    if (known != by_bytes_.end()) return known->second;
  }
  Result<Certificate> certificate = x509::read_certificate(der, hasher, digest);
  if (!certificate) return tl::unexpected(std::move(certificate).error());
  auto shared = std::make_shared<const Certificate>(*std::move(certificate));
  const std::lock_guard lock(mutex_);
  return by_bytes_.try_emplace(digest, std::move(shared)).first->second;  // another thread may have been quicker
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

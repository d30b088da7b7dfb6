// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "sources/sources.hpp"
#include "stores/encoding.hpp"
#include "x509/scan.hpp"

namespace mrascheck::sources {

static tl::unexpected<IdentityError> refuse(Error error, std::string field) {
  return tl::unexpected<IdentityError>(IdentityError{std::move(error), std::move(field)});
}

/// All certificates of a file, in its order. A server would present a broken file just as broken, so that here, unlike
/// in a store, a half-good file is an error.
static Result<std::vector<CertificateRef>> read_certificates(const std::string& path, CertificatePool& pool) {
  const Result<ByteString> content = read_file(path);
  if (!content) return tl::unexpected(content.error());
  const std::string place = printable(path);
  // PowerShell's Out-File and the editors of Windows write text as UTF-16.
  const std::string text = stores::is_utf16(*content) ? stores::decode_text(*content) : std::string{};
  const x509::Scan scan = x509::scan_certificates(text.empty() ? Bytes{*content} : as_bytes(text));
  if (!scan.unreadable.empty()) {
    return fail(ErrorKind::config, fmt::format("{}: {}", place, scan.unreadable.front().reason));
  }
  if (scan.certificates.empty()) {
    return fail(ErrorKind::config, fmt::format("{}: no certificate in it, only a certificate revocation list", place));
  }
  std::vector<CertificateRef> certificates;
  for (const x509::FoundCertificate& found : scan.certificates) {
    Result<CertificateRef> certificate = pool.intern(found.der);
    if (!certificate) {
      return fail(ErrorKind::config, fmt::format("{}: {}{}not a certificate: {}", place, found.where,
                                                 found.where.empty() ? "" : ": ", certificate.error().text));
    }
    certificates.push_back(*std::move(certificate));
  }
  return certificates;
}

static tl::expected<crypto::PrivateKey, IdentityError> read_key(const IdentitySource& source) {
  std::optional<Secret> passphrase;
  if (source.passphrase) {
    Result<Secret> secret = read_secret(*source.passphrase);
    if (!secret) return refuse(std::move(secret).error(), "passphrase");
    passphrase.emplace(*std::move(secret));
  }
  Result<ByteString> content = read_file(source.key);
  if (!content) return refuse(std::move(content).error(), "key");
  Result<crypto::PrivateKey> key =
      crypto::PrivateKey::read(*content, passphrase ? &*passphrase : nullptr, printable(source.key));
  explicit_bzero(content->data(), content->size());
  if (key) return *std::move(key);
  const bool wrong_passphrase = passphrase && key.error().text.find("passphrase") != std::string::npos;
  return refuse(std::move(key).error(), wrong_passphrase ? "passphrase" : "key");
}

tl::expected<LoadedIdentity, IdentityError> load_identity(const IdentitySource& source, CertificatePool& pool) {
  Result<std::vector<CertificateRef>> certificates = read_certificates(source.certificate, pool);
  if (!certificates) return refuse(std::move(certificates).error(), "certificate");
  auto own = certificates->begin();

  LoadedIdentity loaded;
  loaded.identity.server = source.server;
  if (!source.key.empty()) {
    tl::expected<crypto::PrivateKey, IdentityError> key = read_key(source);
    if (!key) return tl::unexpected(std::move(key).error());
    own = std::find_if(certificates->begin(), certificates->end(),
                       [&](const CertificateRef& candidate) { return key->belongs_to(*candidate); });
    if (own == certificates->end()) {
      const std::string_view others = certificates->size() > 1 ? ", nor of the others in it" : "";
      return refuse(
          {ErrorKind::config, fmt::format("{}: not the private key of {} (thumbprint {}){}", printable(source.key),
                                          printable(source.certificate), thumbprint(*certificates->front()), others)},
          "key");
    }
    loaded.key = *std::move(key);
    loaded.identity.key_matches = true;
  }
  loaded.identity.certificate = *own;

  if (!source.chain.empty()) {
    certificates = read_certificates(source.chain, pool);
    if (!certificates) return refuse(std::move(certificates).error(), "chain");
  }
  for (CertificateRef& certificate : *certificates) {  // one value a certificate: the pool makes pointers comparable
    if (certificate != loaded.identity.certificate) loaded.identity.chain.push_back(std::move(certificate));
  }
  return loaded;
}

}  // namespace mrascheck::sources

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "crypto/pkcs12.hpp"
#include "sources/sources.hpp"
#include "stores/encoding.hpp"
#include "x509/envelope.hpp"
#include "x509/scan.hpp"

namespace mrascheck::sources {

static tl::unexpected<IdentityError> refuse(Error error, std::string field) {
  return tl::unexpected<IdentityError>(IdentityError{std::move(error), std::move(field)});
}

static bool is_pkcs12(Bytes content) {
  return x509::looks_like_der(content) && x509::classify(content) == x509::DerKind::pkcs12;
}

static Result<std::optional<Secret>> passphrase_of(const IdentitySource& source) {
  if (!source.passphrase) return std::nullopt;
  Result<Secret> secret = read_secret(*source.passphrase);
  if (!secret) return tl::unexpected(std::move(secret).error());
  return std::optional<Secret>{*std::move(secret)};
}

/// A file of certificates: PEM, DER, PKCS #7 or PKCS #12, in its order. A server would present a broken file just as
/// broken, so that here, unlike in a store, a half-good file is an error.
static tl::expected<std::vector<CertificateRef>, IdentityError> read_certificates(const std::string& path,
                                                                                  const IdentitySource& source,
                                                                                  std::string field,
                                                                                  CertificatePool& pool) {
  const std::string place = printable(path);
  const auto no = [&](std::string text) { return refuse({ErrorKind::config, std::move(text)}, field); };
  const Result<ByteString> content = read_file(path);
  if (!content) return refuse(content.error(), field);
  std::vector<CertificateRef> certificates;
  const auto add = [&](Bytes der, const std::string& where) -> std::optional<Error> {
    Result<CertificateRef> certificate = pool.intern(der);
    if (certificate) {
      certificates.push_back(*std::move(certificate));
      return std::nullopt;
    }
    return Error{ErrorKind::config, fmt::format("{}: {}{}not a certificate: {}", place, where,
                                                where.empty() ? "" : ": ", certificate.error().text)};
  };
  if (is_pkcs12(*content)) {
    const auto passphrase = passphrase_of(source);
    if (!passphrase) return refuse(passphrase.error(), "passphrase");
    const Result<crypto::Pkcs12> file = crypto::read_pkcs12(*content, *passphrase ? &**passphrase : nullptr);
    if (!file) {
      const bool wrong = source.passphrase && file.error().text.find("passphrase") != std::string::npos;
      return refuse({file.error().kind, fmt::format("{}: {}", place, file.error().text)},
                    wrong ? std::string{"passphrase"} : field);
    }
    if (!file->trouble.empty()) return no(fmt::format("{}: {}", place, file->trouble.front()));
    if (file->certificates.empty()) return no(fmt::format("{}: no certificate in it", place));
    for (const crypto::Pkcs12::Certificate& found : file->certificates) {
      if (auto error = add(found.der, {})) return refuse(*std::move(error), field);
    }
    return certificates;
  }
  // PowerShell's Out-File and the editors of Windows write text as UTF-16.
  const std::string text = stores::is_utf16(*content) ? stores::decode_text(*content) : std::string{};
  const x509::Scan scan = x509::scan_certificates(text.empty() ? Bytes{*content} : as_bytes(text));
  if (!scan.unreadable.empty()) return no(fmt::format("{}: {}", place, scan.unreadable.front().reason));
  if (scan.certificates.empty())
    return no(fmt::format("{}: no certificate in it, only a certificate revocation list", place));
  for (const x509::FoundCertificate& found : scan.certificates) {
    if (auto error = add(found.der, found.where)) return refuse(*std::move(error), field);
  }
  return certificates;
}

/// Of the keys in a PKCS#12 file, that of one of `certificates`.
static tl::expected<crypto::Pkcs12::Key, IdentityError> read_pkcs12_key(
    Bytes content, const Secret* passphrase, const std::string& path, const std::vector<CertificateRef>& certificates) {
  Result<crypto::Pkcs12> file = crypto::read_pkcs12(content, passphrase, crypto::Pkcs12Keys::read);
  if (!file) {
    const bool wrong = passphrase != nullptr && file.error().text.find("passphrase") != std::string::npos;
    return refuse({file.error().kind, fmt::format("{}: {}", printable(path), file.error().text)},
                  wrong ? "passphrase" : "key");
  }
  for (crypto::Pkcs12::Key& key : file->keys) {
    if (std::any_of(certificates.begin(), certificates.end(),
                    [&](const CertificateRef& candidate) { return key.key.belongs_to(*candidate); }))
      return std::move(key);
  }
  if (!file->keys.empty()) return std::move(file->keys.front());  // and the caller says whose it is not
  return refuse({ErrorKind::config, fmt::format("{}: {}", printable(path),
                                                file->trouble.empty() ? "no private key in it: export it with its key"
                                                                      : file->trouble.front())},
                "key");
}

static tl::expected<crypto::Pkcs12::Key, IdentityError> read_key(const IdentitySource& source,
                                                                 const std::vector<CertificateRef>& certificates) {
  const auto passphrase = passphrase_of(source);
  if (!passphrase) return refuse(passphrase.error(), "passphrase");
  const Secret* const secret = *passphrase ? &**passphrase : nullptr;
  Result<ByteString> content = read_file(source.key);
  if (!content) return refuse(std::move(content).error(), "key");
  if (is_pkcs12(*content)) return read_pkcs12_key(*content, secret, source.key, certificates);
  Result<crypto::PrivateKey> key = crypto::PrivateKey::read(*content, secret, printable(source.key));
  explicit_bzero(content->data(), content->size());
  if (key) return crypto::Pkcs12::Key{*std::move(key), {}};
  const bool wrong_passphrase = secret != nullptr && key.error().text.find("passphrase") != std::string::npos;
  return refuse(std::move(key).error(), wrong_passphrase ? "passphrase" : "key");
}

tl::expected<LoadedIdentity, IdentityError> load_identity(const IdentitySource& source, CertificatePool& pool) {
  auto certificates = read_certificates(source.certificate, source, "certificate", pool);
  if (!certificates) return tl::unexpected(std::move(certificates).error());
  auto own = certificates->begin();

  LoadedIdentity loaded;
  loaded.identity.server = source.server;
  if (!source.key.empty()) {
    auto key = read_key(source, *certificates);
    if (!key) return tl::unexpected(std::move(key).error());
    own = std::find_if(certificates->begin(), certificates->end(),
                       [&](const CertificateRef& candidate) { return key->key.belongs_to(*candidate); });
    if (own == certificates->end()) {
      const std::string_view others = certificates->size() > 1 ? ", nor of the others in it" : "";
      return refuse(
          {ErrorKind::config, fmt::format("{}: not the private key of {} (thumbprint {}){}", printable(source.key),
                                          printable(source.certificate), thumbprint(*certificates->front()), others)},
          "key");
    }
    if (!key->provider.empty()) loaded.identity.key_provider = key->provider;
    loaded.key = std::move(key->key);
    loaded.identity.key_matches = true;
  }
  loaded.identity.certificate = *own;

  if (!source.chain.empty()) {
    certificates = read_certificates(source.chain, source, "chain", pool);
    if (!certificates) return tl::unexpected(std::move(certificates).error());
  }
  for (CertificateRef& certificate : *certificates) {  // one value a certificate: the pool makes pointers comparable
    if (certificate != loaded.identity.certificate) loaded.identity.chain.push_back(std::move(certificate));
  }
  return loaded;
}

}  // namespace mrascheck::sources

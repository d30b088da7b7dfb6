// SPDX-License-Identifier: Apache-2.0
// Certificates and keys for the tests of the crypto room, made by the openssl command.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/certificate.hpp"
#include "crypto/digest.hpp"
#include "crypto/private_key.hpp"
#include "support/openssl_cli.hpp"

namespace mrascheck::crypto::test {

inline ByteString read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A certificate with the fields that this room looks at, by OpenSSL's own reader.
inline CertificateRef certificate_of(X509* x509) {
  auto certificate = std::make_shared<Certificate>();
  unsigned char* der = nullptr;
  const int size = i2d_X509(x509, &der);
  certificate->der.assign(der, der + size);
  OPENSSL_free(der);
  certificate->sha256 = hasher().sha256(certificate->der);
  unsigned char* spki = nullptr;
  const int spki_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &spki);
  certificate->spki_sha256 = hasher().sha256({spki, static_cast<std::size_t>(spki_size)});
  OPENSSL_free(spki);
  unsigned char* name = nullptr;
  const int name_size = i2d_X509_NAME(X509_get_subject_name(x509), &name);
  std::array<char, 256> common_name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, common_name.data(), common_name.size());
  certificate->subject = Name{{.der = {name, static_cast<std::size_t>(name_size)},
                               .text = common_name.data(),
                               .common_name = common_name.data()}};
  OPENSSL_free(name);
  return certificate;
}

inline CertificateRef load_certificate(const std::filesystem::path& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file{fopen(path.c_str(), "r"), fclose};
  const std::unique_ptr<X509, void (*)(X509*)> x509{
      file ? PEM_read_X509(file.get(), nullptr, nullptr, nullptr) : nullptr, X509_free};
  if (!x509) {
    ADD_FAILURE() << "no certificate in " << path;
    return std::make_shared<Certificate>();
  }
  return certificate_of(x509.get());
}

/// One certificate with its key, in files and in memory.
struct Issued {
  std::filesystem::path certificate_file;
  std::filesystem::path key_file;
  CertificateRef certificate;
  std::optional<PrivateKey> key;
};

inline constexpr const char* p256 = "ec -pkeyopt ec_paramgen_curve:P-256";

/// A PKI in a temporary directory, below roots of its own.
class Pki {
 public:
  std::filesystem::path path(const std::string& name) const { return cli_.dir().path() / name; }
  void shell(const std::string& line) const { cli_.shell(line); }

  Issued root(const std::string& name, const std::string& key = p256,
              const std::string& extensions = mrascheck::test::ca_extensions) const {
    cli_.self_signed(name, "/CN=" + name, extensions, key);
    return load(name);
  }
  Issued authority(const std::string& name, const Issued& issuer) const {
    cli_.issued(name, "/CN=" + name, issuer.certificate_file.stem(), mrascheck::test::ca_extensions);
    return load(name);
  }
  /// `more`: options for what signs it, openssl x509.
  Issued leaf(const std::string& name, const Issued& issuer, const std::string& key = p256,
              const std::string& more = "") const {
    cli_.issued(name, "/CN=" + name, issuer.certificate_file.stem(), "basicConstraints=CA:FALSE\n", key, more);
    return load(name);
  }

 private:
  Issued load(const std::string& name) const {
    Issued issued{path(name + ".crt"), path(name + ".key"), nullptr, std::nullopt};
    issued.certificate = load_certificate(issued.certificate_file);
    auto read = PrivateKey::read(read_file(issued.key_file), nullptr, name + ".key");
    if (!read)
      ADD_FAILURE() << read.error().text;
    else
      issued.key = *read;
    return issued;
  }

  mrascheck::test::OpensslCli cli_;
};

}  // namespace mrascheck::crypto::test

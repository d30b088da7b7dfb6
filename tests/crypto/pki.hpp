// SPDX-License-Identifier: Apache-2.0
// Certificates and keys for the tests of the crypto room, made by the openssl command.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include <cstdio>
#include <cstdlib>
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
  certificate->subject.der.assign(name, name + name_size);
  OPENSSL_free(name);
  std::array<char, 256> common_name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, common_name.data(), common_name.size());
  certificate->subject.common_name = certificate->subject.text = common_name.data();
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

/// A temporary directory with a PKI; it goes with everything in it.
class Pki {
 public:
  Pki() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mrascheck-crypto-XXXXXX").string();
    if (mkdtemp(pattern.data())) directory_ = pattern;
  }
  ~Pki() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  Pki(const Pki&) = delete;
  Pki& operator=(const Pki&) = delete;

  std::filesystem::path path(const std::string& name) const { return directory_ / name; }

  /// `openssl ARGUMENTS` in this directory.
  bool openssl(const std::string& arguments) const { return shell("openssl " + arguments); }

  bool shell(const std::string& line) const {
    const std::string command = "cd '" + directory_.string() + "' && { " + line + "; } >>shell.log 2>&1 </dev/null";
    // The commands are this file's own, and a shell is what a reader can repeat them in.
    const bool done = std::system(command.c_str()) == 0;  // NOLINT(cert-env33-c)
    if (!done) {
      const ByteString log = read_file(path("shell.log"));
      ADD_FAILURE() << command << '\n' << as_text(log);
    }
    return done;
  }

  Issued root(const std::string& name, const std::string& key = p256) const {
    return issue(name, nullptr, true, key, "");
  }
  Issued authority(const std::string& name, const Issued& issuer, const std::string& key = p256) const {
    return issue(name, &issuer, true, key, "");
  }
  Issued leaf(const std::string& name, const Issued& issuer, const std::string& key = p256,
              const std::string& extra = "") const {
    return issue(name, &issuer, false, key, extra);
  }

 private:
  Issued issue(const std::string& name, const Issued* issuer, bool is_ca, const std::string& key,
               const std::string& extra) const {
    Issued issued{path(name + ".pem"), path(name + ".key"), nullptr, std::nullopt};
    std::string command = "req -x509 -newkey " + key + " -nodes -days 30 -subj /CN=" + name + " -keyout " + name +
                          ".key -out " + name + ".pem " + extra;
    command += is_ca ? " -addext basicConstraints=critical,CA:TRUE" : " -addext basicConstraints=CA:FALSE";
    if (issuer) command += " -CA " + issuer->certificate_file.string() + " -CAkey " + issuer->key_file.string();
    if (!openssl(command)) return issued;
    issued.certificate = load_certificate(issued.certificate_file);
    auto read = PrivateKey::read(read_file(issued.key_file), nullptr, name + ".key");
    if (!read)
      ADD_FAILURE() << read.error().text;
    else
      issued.key = *read;
    return issued;
  }

  std::filesystem::path directory_;
};

/// Files one after the other, as a PEM bundle.
inline void concatenate(const std::filesystem::path& to, const std::vector<std::filesystem::path>& from) {
  std::ofstream out(to, std::ios::binary);
  for (const auto& file : from) {
    const ByteString content = read_file(file);
    out << as_text(content);
  }
}

}  // namespace mrascheck::crypto::test

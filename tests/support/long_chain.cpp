// SPDX-License-Identifier: Apache-2.0
#include "support/long_chain.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace mrascheck::test {

namespace {

using LongChainBio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using LongChainCertificate = std::unique_ptr<X509, decltype(&X509_free)>;

LongChainBio chain_file(const std::string& path, const char* mode) {
  LongChainBio file{BIO_new_file(path.c_str(), mode), BIO_free_all};
  if (!file) throw std::runtime_error("cannot open " + path);
  return file;
}

}  // namespace

void write_long_chain(const std::string& root, int length, const std::string& chain, const std::string& last) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
      PEM_read_bio_PrivateKey(chain_file(root + ".key", "r").get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
  LongChainCertificate issuer{PEM_read_bio_X509(chain_file(root + ".crt", "r").get(), nullptr, nullptr, nullptr),
                              X509_free};
  if (!key || !issuer) throw std::runtime_error("no CA at " + root);
  std::string all;
  std::string newest;
  for (int i = 1; i <= length; ++i) {
    LongChainCertificate made{X509_new(), X509_free};
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), i);
    const std::string name = fmt::format("CA {} of many", i);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(made.get(), X509_get_subject_name(issuer.get()));
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 90L * 24 * 3600);
    X509_set_pubkey(made.get(), key.get());
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> constraints{
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE"), X509_EXTENSION_free};
    X509_add_ext(made.get(), constraints.get(), -1);
    if (X509_sign(made.get(), key.get(), EVP_sha256()) == 0) throw std::runtime_error("cannot sign");
    const LongChainBio text{BIO_new(BIO_s_mem()), BIO_free_all};
    PEM_write_bio_X509(text.get(), made.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(text.get(), &data);
    newest.assign(data, static_cast<std::size_t>(size));
    all.insert(0, newest);
    issuer = std::move(made);
  }
  BIO_write(chain_file(chain, "w").get(), all.data(), static_cast<int>(all.size()));
  BIO_write(chain_file(last, "w").get(), newest.data(), static_cast<int>(newest.size()));
}

}  // namespace mrascheck::test

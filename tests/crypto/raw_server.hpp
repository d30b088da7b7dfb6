// SPDX-License-Identifier: Apache-2.0
// A TLS server made of OpenSSL alone, in memory, for the engine to meet.
#pragma once

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <functional>

#include "crypto/tls_engine.hpp"
#include "pki.hpp"

namespace mrascheck::crypto::test {

struct ServerOptions {
  const Issued* identity = nullptr;
  std::vector<CertificateRef> chain{};
  int version = TLS1_3_VERSION;
  bool ask = true;                    ///< for a client certificate
  const Issued* trusted = nullptr;    ///< the only root; nothing: every client certificate is good enough
  std::int64_t at = 0;                ///< when it believes to live; 0: now
  std::vector<ByteString> issuers{};  ///< RDNSequences for the CertificateRequest
};

class RawServer {
 public:
  explicit RawServer(const ServerOptions& options) : context_{SSL_CTX_new(TLS_server_method()), SSL_CTX_free} {
    SSL_CTX* context = context_.get();
    SSL_CTX_set_min_proto_version(context, options.version);
    SSL_CTX_set_max_proto_version(context, options.version);
    SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0");
    SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
    const X509Owner own = decode(*options.identity->certificate);
    const PkeyOwner key = load_key(options.identity->key_file);
    EXPECT_EQ(SSL_CTX_use_certificate(context, own.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context, key.get()), 1);
    for (const CertificateRef& element : options.chain) SSL_CTX_add1_chain_cert(context, decode(*element).get());
    if (options.ask) {
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                         options.trusted ? nullptr : accept_any);
      if (options.trusted)
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), decode(*options.trusted->certificate).get());
      if (options.at != 0) X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context), options.at);
    }
    STACK_OF(X509_NAME)* names = sk_X509_NAME_new_null();
    for (const ByteString& name : options.issuers) {
      const unsigned char* cursor = name.data();
      sk_X509_NAME_push(names, d2i_X509_NAME(nullptr, &cursor, static_cast<long>(name.size())));
    }
    SSL_CTX_set_client_CA_list(context, names);

    ssl_.reset(SSL_new(context));
    BIO* in = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl_.get(), in, BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
  }

  void feed(Bytes bytes) {
    if (!bytes.empty()) BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
  }
  ByteString take_output() {
    char* data = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
    ByteString output(data, data + size);
    BIO_reset(SSL_get_wbio(ssl_.get()));
    return output;
  }
  /// Goes on as far as it can: the handshake first, then whatever plaintext there is.
  void step() {
    ERR_clear_error();
    if (SSL_do_handshake(ssl_.get()) != 1) return;
    std::array<char, 4096> buffer{};
    int size = 0;
    while ((size = SSL_read(ssl_.get(), buffer.data(), buffer.size())) > 0)
      received.append(buffer.data(), static_cast<std::size_t>(size));
  }
  void write(std::string_view text) { SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())); }
  void shutdown() { SSL_shutdown(ssl_.get()); }

  bool through() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  bool saw_goodbye() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
  std::string cipher() const { return SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl_.get())); }
  std::string server_name() const {
    const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name ? name : "";
  }
  /// What the client presented, its own certificate first.
  std::vector<ByteString> client_chain() const {
    std::vector<ByteString> chain;
    const std::unique_ptr<X509, void (*)(X509*)> own{SSL_get1_peer_certificate(ssl_.get()), X509_free};
    if (own) chain.push_back(certificate_of(own.get())->der);
    STACK_OF(X509)* rest = SSL_get_peer_cert_chain(ssl_.get());
    for (int i = 0; i < sk_X509_num(rest); ++i) chain.push_back(certificate_of(sk_X509_value(rest, i))->der);
    return chain;
  }

  std::string received;

 private:
  using X509Owner = std::unique_ptr<X509, void (*)(X509*)>;
  using PkeyOwner = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;

  static int accept_any(int, X509_STORE_CTX*) { return 1; }
  static X509Owner decode(const Certificate& certificate) {
    const unsigned char* cursor = certificate.der.data();
    return {d2i_X509(nullptr, &cursor, static_cast<long>(certificate.der.size())), X509_free};
  }
  static PkeyOwner load_key(const std::filesystem::path& path) {
    const std::unique_ptr<FILE, int (*)(FILE*)> file{fopen(path.c_str(), "r"), fclose};
    return {PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
  }

  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, SSL_free};
};

/// Does something to what the server says before the engine gets it; the number counts the server's flights from 0.
using Tamper = std::function<void(ByteString& flight, int number)>;

/// Lets both talk until neither has anything to say, or the engine is at an end.
inline TlsEngine::State shake_hands(TlsEngine& engine, RawServer& server, const Tamper& tamper = {}) {
  for (int flight = 0; flight < 32; ++flight) {
    const TlsEngine::State state = engine.handshake();
    const ByteString up = engine.take_output();
    server.feed(up);
    server.step();
    ByteString down = server.take_output();
    if (tamper && !down.empty()) tamper(down, flight);
    engine.feed(down);
    if (state != TlsEngine::State::want_bytes || down.empty()) return state;
  }
  ADD_FAILURE() << "the handshake does not end";
  return TlsEngine::State::want_bytes;
}

}  // namespace mrascheck::crypto::test

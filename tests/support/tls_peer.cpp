// SPDX-License-Identifier: Apache-2.0
#include "support/tls_peer.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace mrascheck::test {

struct TlsPeer::Session::State {
  SSL* ssl;
  RawPeer::Talk& talk;

  void flush() {
    std::array<char, 16 * 1024> buffer{};
    for (int got = 0; (got = BIO_read(SSL_get_wbio(ssl), buffer.data(), static_cast<int>(buffer.size()))) > 0;) {
      talk.send({buffer.data(), static_cast<std::size_t>(got)});
    }
  }
  /// Until `step` succeeds; false when it fails, or nothing more comes.
  bool pump(const std::function<int()>& step) {
    for (;;) {
      const int result = step();
      flush();
      if (result > 0) return true;
      if (SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ) return false;
      const std::string more = talk.receive();
      if (more.empty()) return false;
      BIO_write(SSL_get_rbio(ssl), more.data(), static_cast<int>(more.size()));
    }
  }
};

std::string TlsPeer::Session::receive() {
  if (!unread_.empty()) return std::exchange(unread_, {});
  std::string plaintext(std::size_t{16} * 1024, '\0');
  int got = 0;
  const bool there = state_.pump([&] {
    got = SSL_read(state_.ssl, plaintext.data(), static_cast<int>(plaintext.size()));
    return got;
  });
  plaintext.resize(there ? static_cast<std::size_t>(got) : 0);
  return plaintext;
}

std::string TlsPeer::Session::receive_request() {
  std::string request;
  for (;;) {
    const std::size_t end = request.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::size_t length = request.find("Content-Length:");
      const std::size_t whole = end + 4 + (length < end ? std::stoul(request.substr(length + 15)) : 0);
      if (request.size() >= whole) {
        unread_ = request.substr(whole);
        request.resize(whole);
        return request;
      }
    }
    const std::string more = receive();
    if (more.empty()) return {};
    request += more;
  }
}

void TlsPeer::Session::send(std::string_view plaintext) {
  while (!plaintext.empty()) {
    const int sent = SSL_write(state_.ssl, plaintext.data(), static_cast<int>(plaintext.size()));
    state_.flush();
    if (sent <= 0) return;
    plaintext.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void TlsPeer::Session::close() {
  SSL_shutdown(state_.ssl);
  state_.flush();
}

RawPeer::Talk& TlsPeer::Session::raw() {
  return state_.talk;
}

TlsPeer::TlsPeer(const Options& options, Script script)
    : context_(SSL_CTX_new(TLS_server_method()), [](void* made) { SSL_CTX_free(static_cast<SSL_CTX*>(made)); }) {
  auto* context = static_cast<SSL_CTX*>(context_.get());
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    throw std::runtime_error("no identity for the peer: " + options.certificate);
  }
  if (options.tls12) SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  if (!options.client_ca.empty()) {
    SSL_CTX_load_verify_file(context, options.client_ca.c_str());
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(options.client_ca.c_str()));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  const auto converse = [context, script = std::move(script)](RawPeer::Talk& talk) {
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context), SSL_free);
    SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    Session::State state{ssl.get(), talk};
    if (state.pump([&] { return SSL_accept(ssl.get()); })) {
      Session session(state);
      script(session);
    }
    ERR_clear_error();
  };
  peer_ = std::make_unique<RawPeer>(converse, options.address);
}

TlsPeer::~TlsPeer() {
  peer_.reset();
}

}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_engine.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <climits>
#include <ctime>

#include "core/text.hpp"
#include "crypto/library.hpp"
#include "crypto/openssl.hpp"
#include "crypto/tls_messages.hpp"

namespace mrascheck::crypto {
namespace {

using SslCtxPtr = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Freed<SSL_free>>;

/// A list of 4,096 issuers or a hundred certificates fits; more is an error before it is memory.
constexpr long max_message = 1L << 20U;

/// Security level 0 (SSL_CTX_set_security_level(3)): at any other, OpenSSL itself breaks off at a peer with an RSA-1024
/// key or a SHA-1 signature, and all that we learned of an old Edge would be "ee key too small". It is recorded
/// instead, and the checks judge it. It is also what lets our own old certificate be tried.
constexpr const char* ciphers = "DEFAULT:!aNULL:@SECLEVEL=0";
constexpr const char* tls13_ciphers = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
constexpr const char* groups = "X25519:P-256:P-384:P-521";

/// What OpenSSL offers of everything that it has, without `others`: up to TLS 1.2, and from 1.3 on.
std::pair<std::string, std::string> ciphers_but(const std::vector<std::string>& others) {
  std::string list = "ALL:!aNULL:!eNULL:!PSK:!SRP";
  for (const std::string& name : others) {
    const char* own = OPENSSL_cipher_name(name.c_str());
    if (own != nullptr && std::string_view{own} != "(NONE)" && !name.starts_with("TLS_AES") &&
        !name.starts_with("TLS_CHACHA"))
      list += fmt::format(":!{}", own);
  }
  std::string modern;
  for (const char* const name : {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256",
                                 "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"}) {
    if (std::find(others.begin(), others.end(), name) == others.end())
      modern += (modern.empty() ? "" : ":") + std::string{name};
  }
  return {list + ":@SECLEVEL=0", modern};
}

std::optional<int> version_number(std::string_view name) {
  if (name == "TLSv1") return TLS1_VERSION;
  if (name == "TLSv1.1") return TLS1_1_VERSION;
  if (name == "TLSv1.2") return TLS1_2_VERSION;
  if (name == "TLSv1.3") return TLS1_3_VERSION;
  return std::nullopt;
}

/// The certificate graph judges the peer's chain; here it only has to get through.
int accept_any(X509_STORE_CTX* store_context, void*) {
  X509_STORE_CTX_set_error(store_context, X509_V_OK);
  return 1;
}

bool is_address(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

Result<void> load_identity(SSL_CTX* context, const TlsContext::Options& options) {
  if (!options.certificate && !options.key) return {};
  if (!options.certificate) return fail(ErrorKind::config, "a private key without its certificate");
  const std::string name = short_name(*options.certificate);
  if (!options.key) return fail(ErrorKind::config, name + ": a certificate without its private key");
  if (!options.key->belongs_to(*options.certificate))
    return fail(ErrorKind::config, name + ": the private key belongs to another certificate");

  const X509Ptr certificate = decode_certificate(options.certificate->der);
  if (!certificate)
    return fail(ErrorKind::config, fmt::format("{}: OpenSSL cannot decode it: {}", name, drain_errors()));
  if (SSL_CTX_use_certificate(context, certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, options.key->handle()->key.get()) != 1)
    return fail(ErrorKind::config, fmt::format("{}: OpenSSL cannot use it in TLS: {}", name, drain_errors()));
  for (const CertificateRef& element : options.chain) {
    const X509Ptr decoded = decode_certificate(element->der);
    if (!decoded || SSL_CTX_add1_chain_cert(context, decoded.get()) != 1)
      return fail(ErrorKind::config,
                  fmt::format("{}: OpenSSL cannot decode it: {}", short_name(*element), drain_errors()));
  }
  return {};
}

}  // namespace

struct TlsContext::Handle {
  SslCtxPtr context;
  std::set<Sha256> distrusted;  // of a server
  std::set<Sha256> revoked;
};

namespace {

/// What both ends have in common, and `options` on top of it.
Result<SslCtxPtr> make_context(const TlsContext::Options& options, const SSL_METHOD* method) {
  const std::string_view min_name = options.min_version.empty() ? "TLSv1.2" : std::string_view{options.min_version};
  const std::string_view max_name = options.max_version.empty() ? "TLSv1.3" : std::string_view{options.max_version};
  const std::optional<int> min = version_number(min_name);
  const std::optional<int> max = version_number(max_name);
  if (!min || !max)
    return fail(ErrorKind::config, fmt::format("TLS version {}: not one of TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3",
                                               printable(min ? max_name : min_name, 32)));
  if (*min > *max) return fail(ErrorKind::config, fmt::format("TLS versions {} to {}: none", min_name, max_name));

  start_openssl();
  ERR_clear_error();
  SslCtxPtr context{SSL_CTX_new_ex(tls_library(), nullptr, method)};
  const auto [older, modern] = options.all_ciphers_but ? ciphers_but(*options.all_ciphers_but)
                                                       : std::pair<std::string, std::string>{ciphers, tls13_ciphers};
  if (!context || SSL_CTX_set_min_proto_version(context.get(), *min) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), *max) != 1 ||
      SSL_CTX_set_cipher_list(context.get(), older.c_str()) != 1 ||
      SSL_CTX_set_ciphersuites(context.get(), modern.c_str()) != 1 ||
      SSL_CTX_set1_groups_list(context.get(), groups) != 1)
    return fail(ErrorKind::local, fmt::format("OpenSSL: no TLS: {}", drain_errors()));

  // No renegotiation: what is recorded is the one handshake that took place. Servers that cannot do it safely (RFC
  // 5746) are recorded like others; nothing that an attacker could prefix (CVE-2009-3555) is worth anything here.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_LEGACY_SERVER_CONNECT);
  SSL_CTX_set_mode(context.get(), SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context.get(), max_message);

  if (Result<void> loaded = load_identity(context.get(), options); !loaded) return tl::unexpected(loaded.error());
  return context;
}

bool listed(const std::set<Sha256>& digests, const X509* certificate) {
  Sha256 digest{};
  return !digests.empty() && X509_digest(certificate, EVP_sha256(), digest.data(), nullptr) == 1 &&
         digests.contains(digest);
}

/// A trust anchor without basicConstraints: OpenSSL calls it no CA, and RFC 5280, 6.1, holds an anchor to nothing.
bool anchor_that_does_not_say_what_it_is(X509_STORE_CTX* store_context, X509* certificate) {
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(store_context);
  return X509_STORE_CTX_get_error(store_context) == X509_V_ERR_INVALID_CA &&
         X509_STORE_CTX_get_error_depth(store_context) + 1 == sk_X509_num(chain) &&
         (X509_get_extension_flags(certificate) & (EXFLAG_BCONS | EXFLAG_KUSAGE)) == 0 &&
         X509_self_signed(certificate, 0) == 1;
}

/// OpenSSL's verdict on one certificate of the client's path, and where ours is another.
int judge_element(int good, X509_STORE_CTX* store_context) {
  const auto& handle = *static_cast<const TlsContext::Handle*>(X509_STORE_CTX_get_app_data(store_context));
  X509* certificate = X509_STORE_CTX_get_current_cert(store_context);
  if (certificate == nullptr) return good;
  if (good == 0 && anchor_that_does_not_say_what_it_is(store_context, certificate)) {
    X509_STORE_CTX_set_error(store_context, X509_V_OK);
    good = 1;
  }
  if (good == 0 && X509_STORE_CTX_get_error(store_context) == X509_V_ERR_CERT_HAS_EXPIRED) {
    std::time_t before = X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(store_context)) - 1;
    if (X509_cmp_time(X509_get0_notAfter(certificate), &before) > 0) {  // in its last second
      X509_STORE_CTX_set_error(store_context, X509_V_OK);
      return 1;
    }
  }
  if (good == 0) return 0;
  const int error = listed(handle.distrusted, certificate) ? X509_V_ERR_CERT_REJECTED
                    : listed(handle.revoked, certificate)  ? X509_V_ERR_CERT_REVOKED
                                                           : X509_V_OK;
  if (error == X509_V_OK) return 1;
  X509_STORE_CTX_set_error(store_context, error);
  return 0;
}

int verify_client(X509_STORE_CTX* store_context, void* handle) {
  X509_STORE_CTX_set_app_data(store_context, handle);
  X509_STORE_CTX_set_verify_cb(store_context, judge_element);
  return X509_verify_cert(store_context);
}

}  // namespace

Result<TlsContext> TlsContext::client(const Options& options) {
  Result<SslCtxPtr> context = make_context(options, TLS_client_method());
  if (!context) return tl::unexpected(std::move(context).error());
  SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context->get(), accept_any, nullptr);
  if (SSL_CTX_set_tlsext_status_type(context->get(), TLSEXT_STATUSTYPE_ocsp) != 1)
    return fail(ErrorKind::local, fmt::format("OpenSSL: no TLS: {}", drain_errors()));
  return TlsContext{std::make_shared<Handle>(Handle{*std::move(context), {}, {}})};
}

Result<TlsContext> TlsContext::server(const Options& options, const ClientTrust& clients) {
  if (!options.certificate) return fail(ErrorKind::config, "a TLS server without a certificate");
  Result<SslCtxPtr> made = make_context(options, TLS_server_method());
  if (!made) return tl::unexpected(std::move(made).error());
  auto handle = std::make_shared<Handle>(Handle{*std::move(made), clients.distrusted, clients.revoked});
  SSL_CTX* context = handle->context.get();
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, verify_client, handle.get());
  X509_VERIFY_PARAM* how = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_time(how, clients.at.time_since_epoch().count());
  if (X509_VERIFY_PARAM_set_purpose(how, X509_PURPOSE_ANY) != 1)
    return fail(ErrorKind::local, fmt::format("OpenSSL: no TLS server: {}", drain_errors()));
  for (const CertificateRef& certificate : clients.trusted) {
    const X509Ptr decoded = decode_certificate(certificate->der);
    if (!decoded || X509_STORE_add_cert(SSL_CTX_get_cert_store(context), decoded.get()) != 1)
      return fail(ErrorKind::config,
                  fmt::format("{}: OpenSSL cannot decode it: {}", short_name(*certificate), drain_errors()));
  }
  return TlsContext{std::move(handle)};
}

struct TlsEngine::Impl {
  SslPtr ssl;
  BIO* from_peer = nullptr;  // both owned by ssl
  BIO* to_peer = nullptr;
  std::shared_ptr<TlsContext::Handle> context;
  TlsFacts facts;
  std::uint16_t version = 0;  // as in the ServerHello
  ByteString first_bytes;
  std::string error;
  std::optional<State> ended;  // closed during the handshake, or failed: for good

  static constexpr std::size_t first_bytes_kept = 64;

  static void on_message(int sent, int, int content_type, const void* bytes, std::size_t size, SSL*, void* self) {
    const Bytes message{static_cast<const std::uint8_t*>(bytes), size};
    auto& impl = *static_cast<Impl*>(self);
    if (content_type == SSL3_RT_ALERT && size == 2)
      impl.on_alert(sent != 0, message[0], message[1]);
    else if (content_type == SSL3_RT_HANDSHAKE && size > 0)
      sent != 0 ? impl.on_sent(message) : impl.on_received(message);
  }

  void on_alert(bool sent, std::uint8_t level, std::uint8_t description) {
    // RFC 8446, 6: the level no longer counts; all but these two end the connection.
    const bool fatal = version >= TLS1_3_VERSION
                           ? description != SSL_AD_CLOSE_NOTIFY && description != SSL_AD_USER_CANCELLED
                           : level == SSL3_AL_FATAL;
    std::vector<Alert>& alerts = sent ? facts.alerts_sent : facts.alerts_received;
    if (alerts.size() < TlsFacts::max_alerts) alerts.push_back({.description = description, .fatal = fatal});
  }

  void on_server_hello(Bytes message) {
    const auto hello = read_server_hello(message);
    if (!hello) return;
    version = hello->version;
    facts.version = version_name(hello->version);
    facts.cipher = cipher_name(hello->cipher);
    if (version >= TLS1_3_VERSION) {
      facts.secure_renegotiation.reset();
      facts.session_ticket.reset();
    } else {
      facts.secure_renegotiation = hello->secure_renegotiation;
      facts.session_ticket = false;
    }
  }

  void on_sent(Bytes message) {
    if (message[0] == SSL3_MT_SERVER_HELLO) on_server_hello(message);
    if (message[0] == SSL3_MT_CERTIFICATE) facts.certificate_sent = !read_certificates(message, version, 1).empty();
  }

  void on_received(Bytes message) {
    switch (message[0]) {
      case SSL3_MT_SERVER_HELLO:
        on_server_hello(message);
        break;
      case SSL3_MT_NEWSESSION_TICKET:
        if (facts.session_ticket) facts.session_ticket = true;
        break;
      case SSL3_MT_CERTIFICATE:
        facts.peer_chain = read_certificates(message, version, TlsFacts::max_peer_chain);
        break;
      case SSL3_MT_CERTIFICATE_REQUEST: {
        AcceptedIssuers issuers = read_certificate_request(message, version, Handshake::max_accepted_issuers);
        facts.client_certificate_requested = true;
        facts.accepted_issuers = std::move(issuers.names);
        facts.accepted_issuer_count = issuers.count;
        facts.accepted_issuer_bytes = issuers.bytes;
        break;
      }
      default:
        break;
    }
  }

  std::string cipher_name(std::uint16_t cipher) const {
    const std::array<unsigned char, 2> octets{static_cast<unsigned char>(cipher >> 8U),
                                              static_cast<unsigned char>(cipher & 0xFFU)};
    const SSL_CIPHER* known = SSL_CIPHER_find(ssl.get(), octets.data());
    const char* name = known ? SSL_CIPHER_standard_name(known) : nullptr;
    return name ? name : fmt::format("{:#06x}", cipher);
  }

  State fail_with(std::string words) {
    error = std::move(words);
    ended = State::failed;
    return State::failed;
  }

  /// What an SSL_... call that did not succeed means.
  State outcome_of(int result) {
    switch (SSL_get_error(ssl.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return State::want_bytes;
      case SSL_ERROR_ZERO_RETURN:
        return State::closed;
      default:
        return fail_with(drain_errors());
    }
  }
};

TlsEngine::TlsEngine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsEngine::TlsEngine(TlsEngine&&) noexcept = default;
TlsEngine& TlsEngine::operator=(TlsEngine&&) noexcept = default;
TlsEngine::~TlsEngine() = default;

Result<std::unique_ptr<TlsEngine::Impl>> TlsEngine::prepare(const TlsContext& context) {
  ERR_clear_error();
  auto impl = std::make_unique<Impl>();
  impl->context = context.handle();
  impl->ssl.reset(SSL_new(context.handle()->context.get()));
  BioPtr in{BIO_new(BIO_s_mem())};
  BioPtr out{BIO_new(BIO_s_mem())};
  if (!impl->ssl || !in || !out) return fail(ErrorKind::local, fmt::format("OpenSSL: {}", drain_errors()));
  BIO_set_mem_eof_return(in.get(), -1);  // empty means: wait for more
  impl->from_peer = in.get();
  impl->to_peer = out.get();
  SSL_set_bio(impl->ssl.get(), in.release(), out.release());
  SSL_set_msg_callback(impl->ssl.get(), Impl::on_message);
  SSL_set_msg_callback_arg(impl->ssl.get(), impl.get());
  return impl;
}

Result<TlsEngine> TlsEngine::client(const TlsContext& context, const std::string& server_name) {
  auto impl = prepare(context);
  if (!impl) return tl::unexpected(std::move(impl).error());
  SSL* ssl = (*impl)->ssl.get();
  SSL_set_connect_state(ssl);
  std::string name = server_name;
  if (name.ends_with('.')) name.pop_back();  // RFC 6066, 3: without a trailing dot
  if (!name.empty() && !is_address(name) && SSL_set_tlsext_host_name(ssl, name.c_str()) != 1) {
    ERR_clear_error();
    return fail(ErrorKind::config, fmt::format("{}: too long for a server name in TLS", printable(name, 64)));
  }
  return TlsEngine{*std::move(impl)};
}

Result<TlsEngine> TlsEngine::server(const TlsContext& context) {
  auto impl = prepare(context);
  if (!impl) return tl::unexpected(std::move(impl).error());
  SSL_set_accept_state((*impl)->ssl.get());
  return TlsEngine{*std::move(impl)};
}

void TlsEngine::feed(Bytes from_peer) {
  const std::size_t wanted = Impl::first_bytes_kept - impl_->first_bytes.size();
  const Bytes first = from_peer.first(std::min(wanted, from_peer.size()));
  impl_->first_bytes.insert(impl_->first_bytes.end(), first.begin(), first.end());
  while (!impl_->ended && !from_peer.empty()) {
    const auto size = static_cast<int>(std::min<std::size_t>(from_peer.size(), INT_MAX));
    if (BIO_write(impl_->from_peer, from_peer.data(), size) != size) {
      impl_->fail_with(drain_errors());
      return;
    }
    from_peer = from_peer.subspan(static_cast<std::size_t>(size));
  }
}

ByteString TlsEngine::take_output() {
  char* data = nullptr;
  const long size = BIO_get_mem_data(impl_->to_peer, &data);
  ByteString output(data, data + std::max(size, 0L));
  BIO_reset(impl_->to_peer);
  return output;
}

TlsEngine::State TlsEngine::handshake() {
  if (impl_->ended) return *impl_->ended;
  ERR_clear_error();
  const int result = SSL_do_handshake(impl_->ssl.get());
  if (result == 1) return State::ready;
  const State state = impl_->outcome_of(result);
  if (state == State::closed) impl_->ended = state;
  return state;
}

TlsEngine::State TlsEngine::read(std::string& into, std::size_t limit) {
  if (impl_->ended) return *impl_->ended;
  if (limit == 0) return State::ready;
  ERR_clear_error();
  const std::size_t before = into.size();
  into.resize(before + limit);
  std::size_t got = 0;
  const int result = SSL_read_ex(impl_->ssl.get(), into.data() + before, limit, &got);
  into.resize(before + (result == 1 ? got : 0));
  return result == 1 ? State::ready : impl_->outcome_of(result);
}

TlsEngine::State TlsEngine::write(std::string_view plaintext) {
  if (impl_->ended || SSL_is_init_finished(impl_->ssl.get()) != 1) return State::failed;
  if (plaintext.empty()) return State::ready;
  ERR_clear_error();
  std::size_t written = 0;
  const int result = SSL_write_ex(impl_->ssl.get(), plaintext.data(), plaintext.size(), &written);
  return result == 1 ? State::ready : impl_->outcome_of(result);
}

void TlsEngine::shutdown() {
  if (impl_->ended || SSL_is_init_finished(impl_->ssl.get()) != 1) return;
  ERR_clear_error();
  SSL_shutdown(impl_->ssl.get());
  ERR_clear_error();
}

TlsFacts TlsEngine::facts() const {
  TlsFacts facts = impl_->facts;
  const unsigned char* staple = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(impl_->ssl.get(), &staple);
  if (staple != nullptr && size > 0) facts.ocsp_staple.assign(staple, staple + size);
  return facts;
}

const std::string& TlsEngine::error() const {
  return impl_->error;
}

std::string TlsEngine::complaint() const {
  const long verdict = SSL_get_verify_result(impl_->ssl.get());
  return verdict == X509_V_OK ? std::string{} : X509_verify_cert_error_string(verdict);
}

std::optional<std::string> TlsEngine::not_tls() const {
  const Bytes first = impl_->first_bytes;
  if (first.empty()) return std::nullopt;
  const bool record = first[0] >= SSL3_RT_CHANGE_CIPHER_SPEC && first[0] <= SSL3_RT_APPLICATION_DATA;
  if (record && (first.size() < 2 || first[1] == SSL3_VERSION_MAJOR)) return std::nullopt;
  const std::string_view text = as_text(first);
  if (text.starts_with("HTTP/")) return "HTTP";
  if (text.starts_with("SIP/2.0 ")) return "SIP without TLS";
  if (text.starts_with("SSH-")) return "SSH";
  const bool readable = std::all_of(first.begin(), first.end(), [](std::uint8_t octet) {
    return (octet >= 0x20 && octet < 0x7F) || octet == '\r' || octet == '\n' || octet == '\t';
  });
  return readable ? "plain text" : "binary data";
}

}  // namespace mrascheck::crypto

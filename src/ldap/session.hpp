// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inside this room only: libldap's types stand here.
#include <ldap.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"
#include "ldap/channel.hpp"
#include "ldap/socket.hpp"

namespace mrascheck::ldap {

template <auto Free>
struct Released {
  void operator()(auto* object) const noexcept { Free(object); }
};
struct Unbind {
  void operator()(LDAP* session) const noexcept { ldap_unbind_ext(session, nullptr, nullptr); }
};
struct FreeBer {
  void operator()(BerElement* ber) const noexcept { ber_free(ber, 0); }
};
struct FreeControls {
  void operator()(LDAPControl** controls) const noexcept { ldap_controls_free(controls); }
};
struct FreeList {
  void operator()(char** list) const noexcept { ldap_memvfree(reinterpret_cast<void**>(list)); }
};
using LdapPtr = std::unique_ptr<LDAP, Unbind>;
using MessagePtr = std::unique_ptr<LDAPMessage, Released<ldap_msgfree>>;
using BerPtr = std::unique_ptr<BerElement, FreeBer>;
using MemoryPtr = std::unique_ptr<char, Released<ldap_memfree>>;
using ControlPtr = std::unique_ptr<LDAPControl, Released<ldap_control_free>>;
using ControlsPtr = std::unique_ptr<LDAPControl*, FreeControls>;

/// What a server answered to an operation as a whole (RFC 4511, 4.1.9).
struct Answer {
  int code = LDAP_SUCCESS;
  std::string diagnostic;  ///< the server's own words, printable; often empty
  std::vector<std::string> referrals;
  std::string cookie;  ///< of paged results (RFC 2696): empty after the last page
};

struct Query {
  std::string base;
  int scope = LDAP_SCOPE_BASE;
  std::string filter = "(objectClass=*)";
  std::vector<std::string> attributes;  ///< the only ones asked for
  /// Asks for a page (RFC 2696); empty for the first one. Not with the rootDSE: Active Directory allows no control with
  /// an anonymous question to it ([MS-ADTS] 3.1.1.3.2).
  std::optional<std::string> cookie = std::nullopt;
};

/// What one of libkrb5's sentences in a diagnostic means for whoever runs this: what is wrong and what to do.
struct KerberosReason {
  std::string_view sentence;
  std::string_view words;
  ErrorKind kind;
};
/// Null when there is none that is known.
const KerberosReason* kerberos_reason(std::string_view diagnostic);

/// How much of the server's certificate must be right.
enum class Trust {
  certificate_and_name,
  nothing,
  any_certificate,  ///< to look at it only
};

/// One connection to one server. All options are its own: no global one of libldap is set or believed.
class Session {
 public:
  /// Connects, nothing more.
  static Result<Session> open(const Uri& uri, const NameService& names, std::chrono::milliseconds step,
                              const Deadline& deadline);

  /// Asks for TLS in the middle of a clear-text connection (RFC 4511, 4.14); shake_hands() comes next.
  Result<void> start_tls();
  /// The TLS handshake. `ca_file` empty: the system's. Error: unreachable for a certificate that is not right as for
  /// all else, because libldap on GnuTLS does not tell.
  Result<void> shake_hands(const std::string& ca_file, Trust trust);
  /// Before shake_hands(): what to show when the server asks for a certificate. PEM files.
  Result<void> present(const std::string& certificate, const std::string& key);
  /// DER; empty without TLS.
  std::string server_certificate();
  /// Simple bind. The caller has made sure that nobody reads along.
  Result<void> bind(const std::string& dn, const Secret& password);
  /// SASL EXTERNAL (RFC 4422, appendix A): by what the connection itself shows.
  Result<void> bind_external();
  /// SASL GSSAPI (RFC 4752): by the Kerberos ticket of whoever runs this. Where nothing else protects the connection,
  /// what is said afterwards is signed, or there is no bind; under TLS it is not, which Active Directory forbids
  /// ([MS-ADTS] 5.1.2.1). `channel_binding`: to the TLS server's certificate. libkrb5 asks its servers by itself, and
  /// its patience is krb5.conf's, not ours.
  Result<void> bind_gssapi(bool channel_binding);

  /// Sends a search; its number is for next().
  Result<int> search(const Query& query);
  /// The next message that belongs to the operation `id`.
  Result<MessagePtr> next(int id);
  void abandon(int id);

  /// Of a message that ends an operation.
  Result<Answer> answer(LDAPMessage* message);
  Result<std::vector<std::string>> references(LDAPMessage* message);

  /// An error that begins with the URI and ends with LDAP's words and code.
  tl::unexpected<Error> error(std::string_view what, int code, std::string_view diagnostic = {}) const;

  LDAP* get() const { return ldap_.get(); }
  const Uri& uri() const { return uri_; }

 private:
  Session(std::unique_ptr<Channel> channel, LdapPtr ldap, const Uri& uri, std::chrono::milliseconds step,
          const Deadline& deadline)
      : channel_(std::move(channel)), ldap_(std::move(ldap)), uri_(uri), step_(step), deadline_(deadline) {}
  template <class Value>
  int set(int option, const Value& value) {
    return ldap_set_option(ldap_.get(), option, &value);
  }
  Result<void> configure();
  /// What a bind came to.
  Result<void> bound(const std::string& what, LDAPMessage* message);
  /// What an operation just begun may take.
  Deadline begin();
  /// What libldap itself found wrong, not the server.
  tl::unexpected<Error> own_error(std::string_view what, int code) const;

  std::unique_ptr<Channel> channel_;  ///< outlives ldap_, which uses it
  LdapPtr ldap_;
  Uri uri_;
  std::chrono::milliseconds step_;
  Deadline deadline_;
  bool encrypted_ = false;
};

}  // namespace mrascheck::ldap

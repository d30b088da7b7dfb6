// SPDX-License-Identifier: Apache-2.0
// The SASL binds of a session. libldap leaves them to Cyrus SASL, and that the Kerberos one to libkrb5.
#include <fmt/format.h>
#include <sasl/sasl.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/text.hpp"
#include "ldap/session.hpp"

namespace mrascheck::ldap {

namespace {

constexpr std::array reasons{
    KerberosReason{"No Kerberos credentials available",
                   "no Kerberos ticket: run kinit as the user who runs this, or set KRB5_CLIENT_KTNAME to a keytab",
                   ErrorKind::local},
    KerberosReason{"No credentials cache found",
                   "no Kerberos ticket: run kinit as the user who runs this, or set KRB5_CLIENT_KTNAME to a keytab",
                   ErrorKind::local},
    KerberosReason{"Ticket expired", "the Kerberos ticket has expired: run kinit again", ErrorKind::local},
    KerberosReason{"Clock skew too great",
                   "the clocks of this host and of the Kerberos server differ by more than 5 minutes: set them right",
                   ErrorKind::local},
    KerberosReason{
        "not found in Kerberos database",
        "Kerberos knows no such service: name the server in the URI by its full name, as its servicePrincipalName "
        "has it, not by an address or an alias",
        ErrorKind::config},
    KerberosReason{"Cannot find KDC for realm", "no Kerberos server of this realm is known: name it in krb5.conf",
                   ErrorKind::local},
    KerberosReason{"Cannot contact any KDC", "no Kerberos server answers: check krb5.conf, and UDP and TCP port 88",
                   ErrorKind::unreachable},
    KerberosReason{"Preauthentication failed", "the keytab does not fit the account any more: make a new one",
                   ErrorKind::local},
};

/// Asks nobody: what would have to be asked for takes its default.
int no_interaction(LDAP*, unsigned, void*, void* questions) {
  for (auto* question = static_cast<sasl_interact_t*>(questions); question->id != SASL_CB_LIST_END; ++question) {
    question->result = question->defresult == nullptr ? "" : question->defresult;
    question->len = static_cast<unsigned>(std::string_view{static_cast<const char*>(question->result)}.size());
  }
  return LDAP_SUCCESS;
}

std::string diagnostic_of(LDAP* ldap) {
  char* words = nullptr;
  ldap_get_option(ldap, LDAP_OPT_DIAGNOSTIC_MESSAGE, &words);
  const MemoryPtr owner{words};
  return words == nullptr ? "" : printable(words);
}

}  // namespace

const KerberosReason* kerberos_reason(std::string_view diagnostic) {
  const auto reason = std::find_if(reasons.begin(), reasons.end(), [&](const KerberosReason& candidate) {
    return diagnostic.find(candidate.sentence) != std::string_view::npos;
  });
  return reason == reasons.end() ? nullptr : reason;
}

Result<void> Session::bind_external() {
  const std::string what = "SASL EXTERNAL bind";
  berval nobody{.bv_len = 0, .bv_val = const_cast<char*>("")};  // as whoever the connection shows
  begin();
  int id = 0;
  const int code = ldap_sasl_bind(ldap_.get(), "", "EXTERNAL", &nobody, nullptr, nullptr, &id);
  if (code != LDAP_SUCCESS) return own_error(what, code);
  const auto message = next(id);
  if (!message) return tl::unexpected(message.error());
  return bound(what, message->get());
}

Result<void> Session::bind_gssapi(bool channel_binding) {
  const std::string what = "Kerberos (SASL GSSAPI) bind";
  const ber_len_t least = encrypted_ || uri_.local() ? 0 : 1;  // 1 is integrity alone
  const ber_len_t most = encrypted_ ? 0 : 65'536;
  const int binding = LDAP_OPT_X_SASL_CBINDING_TLS_ENDPOINT;
  if (set(LDAP_OPT_X_SASL_SSF_MIN, least) != LDAP_OPT_SUCCESS ||
      set(LDAP_OPT_X_SASL_SSF_MAX, most) != LDAP_OPT_SUCCESS ||
      ldap_set_option(ldap_.get(), LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON) != LDAP_OPT_SUCCESS ||
      (channel_binding && encrypted_ && set(LDAP_OPT_X_SASL_CBINDING, binding) != LDAP_OPT_SUCCESS)) {
    return error("an option of SASL", LDAP_LOCAL_ERROR);
  }
  MessagePtr message;
  const char* mechanism = nullptr;
  int id = 0;
  for (;;) {
    begin();
    const int code = ldap_sasl_interactive_bind(ldap_.get(), nullptr, "GSSAPI", nullptr, nullptr, LDAP_SASL_QUIET,
                                                no_interaction, nullptr, message.get(), &mechanism, &id);
    if (code == LDAP_SUCCESS) return {};
    if (code != LDAP_SASL_BIND_IN_PROGRESS) {
      if (code == LDAP_AUTH_UNKNOWN) {
        return error(
            fmt::format("{}: the SASL module for Kerberos is missing here: install libsasl2-modules-gssapi-mit", what),
            code);
      }
      const std::string said = diagnostic_of(ldap_.get());
      if (const KerberosReason* reason = kerberos_reason(said); reason != nullptr)
        return fail(reason->kind, error(fmt::format("{}: {}", what, reason->words), code, said).value().text);
      // The server's no comes with its message; what is missing then is only what Kerberos would have to say.
      if (message && code != LDAP_LOCAL_ERROR && code != LDAP_SERVER_DOWN) return bound(what, message.get());
      return own_error(what, code);
    }
    auto received = next(id);
    if (!received) return tl::unexpected(received.error());
    message = std::move(*received);
  }
}

}  // namespace mrascheck::ldap

// SPDX-License-Identifier: Apache-2.0
#include "ldap/session.hpp"

#include <fmt/format.h>
#include <openldap.h>
#include <stdlib.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/text.hpp"

namespace mrascheck::ldap {

using namespace std::chrono_literals;

/// A message is one entry, and Active Directory gives at most 1,500 values of at most 32 KiB in one ([MS-ADTS]
/// 3.1.1.3.4.6, [MS-ADA1]).
static constexpr ber_len_t largest_message = ber_len_t{64} * 1024 * 1024;
/// What Debian's ldap.conf names as the system's trust; GnuTLS, which Debian's libldap is built on, has none by itself.
static constexpr const char* system_ca_file = "/etc/ssl/certs/ca-certificates.crt";

/// The one supported way to keep libldap from reading ldap.conf, ~/.ldaprc and LDAP* variables (ldap.conf(5)) is this
/// variable, looked at when the library is first used. setenv is safe only as long as there is one thread: before main.
/// Where this room is loaded later, its loader has set the variable then, and nothing is changed here. Children inherit
/// it, and there are none.
[[gnu::constructor]] static void ignore_ldap_conf() {
  setenv("LDAPNOINIT", "1", 0);
}

static timeval to_timeval(std::chrono::milliseconds time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return {.tv_sec = static_cast<time_t>(seconds.count()),
          .tv_usec = static_cast<suseconds_t>(std::chrono::microseconds{time - seconds}.count())};
}

static ErrorKind kind_of(int code) {
  switch (code) {
    case LDAP_SERVER_DOWN:
    case LDAP_CONNECT_ERROR:
    case LDAP_UNAVAILABLE:
    case LDAP_BUSY:
      return ErrorKind::unreachable;
    case LDAP_TIMEOUT:
      return ErrorKind::timed_out;
    case LDAP_DECODING_ERROR:
      return ErrorKind::malformed;
    case LDAP_NO_MEMORY:
    case LDAP_LOCAL_ERROR:
    case LDAP_ENCODING_ERROR:
      return ErrorKind::local;
    case LDAP_PARAM_ERROR:
    case LDAP_FILTER_ERROR:
      return ErrorKind::bug;
    case LDAP_NO_SUCH_OBJECT:
    case LDAP_INVALID_DN_SYNTAX:
    case LDAP_REFERRAL:
      return ErrorKind::config;
    default:
      return ErrorKind::rejected_by_peer;
  }
}

tl::unexpected<Error> Session::error(std::string_view what, int code, std::string_view diagnostic) const {
  const std::string_view separator = diagnostic.empty() ? "" : ": ";
  return fail(kind_of(code),
              fmt::format("{}: {}{}{}: {} ({})", uri_.text, what, separator, diagnostic, ldap_err2string(code), code));
}

static std::string last_words(LDAP* ldap) {
  char* words = nullptr;
  ldap_get_option(ldap, LDAP_OPT_DIAGNOSTIC_MESSAGE, &words);
  const MemoryPtr owner{words};
  return words == nullptr ? "" : printable(words);
}

tl::unexpected<Error> Session::own_error(std::string_view what, int code) const {
  if (channel_->expired()) return error(fmt::format("{}: {}", what, why_over(step_, deadline_)), LDAP_TIMEOUT);
  if (code == LDAP_SERVER_DOWN) return error(what, code, "the connection was closed");
  return error(what, code, last_words(ldap_.get()));
}

Result<Session> Session::open(const Uri& uri, const NameService& names, std::chrono::milliseconds step,
                              const Deadline& deadline) {
  auto socket = connect_to(uri, names, step, deadline);
  if (!socket) {
    const ErrorKind kind = socket.error().kind;
    std::string text = fmt::format("{}: {}", uri.text, socket.error().text);
    if (kind == ErrorKind::timed_out || kind == ErrorKind::unreachable) {
      const int code = kind == ErrorKind::timed_out ? LDAP_TIMEOUT : LDAP_SERVER_DOWN;
      text += fmt::format(": {} ({})", ldap_err2string(code), code);
    }
    return fail(kind, std::move(text));
  }
  // The URI tells libldap the name that the server's certificate must carry. IPv6 literals want their brackets back.
  // A local socket speaks through the same functions as TCP.
  const bool literal = uri.host.find(':') != std::string::npos;
  const std::string name = uri.local() ? "ldap://localhost"
                           : literal   ? fmt::format("ldap://[{}]:{}", uri.host, uri.port)
                                       : fmt::format("ldap://{}:{}", uri.host, uri.port);
  auto channel = std::make_unique<Channel>(std::move(*socket));
  LDAP* ldap = nullptr;
  const int code = ldap_init_fd(channel->fd(), LDAP_PROTO_EXT, name.c_str(), &ldap);
  if (code != LDAP_SUCCESS) {
    return fail(ErrorKind::local, fmt::format("{}: no session: {} ({})", uri.text, ldap_err2string(code), code));
  }
  Session session{std::move(channel), LdapPtr{ldap}, uri, step, deadline};
  if (auto configured = session.configure(); !configured) return tl::unexpected(configured.error());
  return session;
}

Result<void> Session::configure() {
  const int version = LDAP_VERSION3;
  const int never = LDAP_DEREF_NEVER;
  const int no_limit = LDAP_NO_LIMIT;
  int code = set(LDAP_OPT_PROTOCOL_VERSION, version);
  if (code == LDAP_OPT_SUCCESS) code = set(LDAP_OPT_DEREF, never);
  if (code == LDAP_OPT_SUCCESS) code = set(LDAP_OPT_SIZELIMIT, no_limit);
  if (code == LDAP_OPT_SUCCESS) code = set(LDAP_OPT_TIMELIMIT, no_limit);
  if (code == LDAP_OPT_SUCCESS) code = ldap_set_option(ldap_.get(), LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
  if (code == LDAP_OPT_SUCCESS) code = ldap_set_option(ldap_.get(), LDAP_OPT_RESTART, LDAP_OPT_ON);
  // A connection that is lost is not to be opened again behind our back, without TLS: nobody listens there. The name
  // that the certificate is compared with stays what it was.
  if (code == LDAP_OPT_SUCCESS) code = ldap_set_option(ldap_.get(), LDAP_OPT_URI, "ldapi://%2Fdev%2Fnull");
  Sockbuf* buffer = nullptr;
  ber_len_t limit = largest_message;
  if (code == LDAP_OPT_SUCCESS) code = ldap_get_option(ldap_.get(), LDAP_OPT_SOCKBUF, &buffer);
  if (code != LDAP_OPT_SUCCESS || ber_sockbuf_ctrl(buffer, LBER_SB_OPT_SET_MAX_INCOMING, &limit) != 1 ||
      ber_sockbuf_add_io(buffer, Channel::layer(), LBER_SBIOD_LEVEL_PROVIDER, channel_.get()) != 0) {
    return error("an option of the session", LDAP_LOCAL_ERROR);
  }
  return {};
}

Deadline Session::begin() {
  Deadline limit = deadline_.within(step_);
  channel_->until(limit);
  return limit;
}

Result<void> Session::start_tls() {
  begin();
  int id = 0;
  if (const int code = ldap_start_tls(ldap_.get(), nullptr, nullptr, &id); code != LDAP_SUCCESS) {
    return own_error("StartTLS", code);
  }
  const auto message = next(id);
  if (!message) return tl::unexpected(message.error());
  const auto answered = answer(message->get());
  if (!answered) return tl::unexpected(answered.error());
  if (answered->code != LDAP_SUCCESS) return error("StartTLS refused", answered->code, answered->diagnostic);
  return {};
}

/// libldap takes a file without certificates for one that trusts nobody, and says nothing.
static Result<void> check_ca_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) return fail(ErrorKind::local, fmt::format("{}: cannot be read", printable(path)));
  for (std::string line; std::getline(file, line);) {
    if (line.find("-----BEGIN ") != std::string::npos && line.find("CERTIFICATE-----") != std::string::npos) return {};
  }
  return fail(ErrorKind::config, fmt::format("{}: no PEM certificate in it", printable(path)));
}

Result<void> Session::shake_hands(const std::string& ca_file, Trust trust) {
  const std::string trusted = ca_file.empty() ? system_ca_file : ca_file;
  const int demand = trust == Trust::certificate_and_name ? LDAP_OPT_X_TLS_DEMAND
                     : trust == Trust::any_certificate    ? LDAP_OPT_X_TLS_ALLOW
                                                          : LDAP_OPT_X_TLS_NEVER;
  const int client = 0;
  int code = set(LDAP_OPT_X_TLS_REQUIRE_CERT, demand);
  if (code == LDAP_OPT_SUCCESS && trust != Trust::nothing) {
    if (auto readable = check_ca_file(trusted); !readable) {
      return fail(readable.error().kind, fmt::format("{}: {}", uri_.text, readable.error().text));
    }
    code = ldap_set_option(ldap_.get(), LDAP_OPT_X_TLS_CACERTFILE, trusted.c_str());
  }
  if (code != LDAP_OPT_SUCCESS) return error("an option of TLS", LDAP_LOCAL_ERROR);
  if (set(LDAP_OPT_X_TLS_NEWCTX, client) != LDAP_OPT_SUCCESS) {
    return error(printable(trusted), LDAP_LOCAL_ERROR, last_words(ldap_.get()));
  }
  begin();
  code = ldap_install_tls(ldap_.get());
  encrypted_ = code == LDAP_SUCCESS;
  if (encrypted_) return {};
  return own_error("TLS handshake", code);
}

Result<void> Session::present(const std::string& certificate, const std::string& key) {
  for (const std::string& path : {certificate, key}) {
    if (!std::ifstream{path, std::ios::binary})
      return fail(ErrorKind::local, fmt::format("{}: {}: cannot be read", uri_.text, printable(path)));
  }
  if (ldap_set_option(ldap_.get(), LDAP_OPT_X_TLS_CERTFILE, certificate.c_str()) != LDAP_OPT_SUCCESS ||
      ldap_set_option(ldap_.get(), LDAP_OPT_X_TLS_KEYFILE, key.c_str()) != LDAP_OPT_SUCCESS) {
    return error("an option of TLS", LDAP_LOCAL_ERROR);
  }
  return {};
}

std::string Session::server_certificate() {
  berval certificate{};
  ldap_get_option(ldap_.get(), LDAP_OPT_X_TLS_PEERCERT, &certificate);
  const MemoryPtr owner{certificate.bv_val};
  return owner ? std::string{certificate.bv_val, certificate.bv_len} : std::string{};
}

/// What Active Directory means by the Windows error code in "... AcceptSecurityContext error, data 52e, v2580".
static std::string_view windows_reason(std::string_view diagnostic) {
  struct Reason {
    std::string_view data;
    std::string_view meaning;
  };
  static constexpr std::array reasons{
      Reason{"525", "no such user"},
      Reason{"52e", "wrong password"},
      Reason{"530", "not allowed to log on at this time"},
      Reason{"531", "not allowed to log on from this computer"},
      Reason{"532", "the password has expired"},
      Reason{"533", "the account is disabled"},
      Reason{"568", "the account is in too many groups"},
      Reason{"701", "the account has expired"},
      Reason{"773", "the password must be changed first"},
      Reason{"775", "the account is locked out"},
  };
  constexpr std::string_view mark = ", data ";
  const auto at = diagnostic.find(mark);
  if (at == std::string_view::npos) return {};
  const auto data = diagnostic.substr(at + mark.size(), 3);
  const auto found =
      std::find_if(reasons.begin(), reasons.end(), [&](const Reason& reason) { return reason.data == data; });
  return found == reasons.end() ? std::string_view{} : found->meaning;
}

Result<void> Session::bind(const std::string& dn, const Secret& password) {
  const std::string_view revealed = password.reveal();
  berval credentials{.bv_len = revealed.size(), .bv_val = const_cast<char*>(revealed.data())};
  const std::string what = fmt::format("bind as {}", printable(dn));
  begin();
  int id = 0;
  const int code = ldap_sasl_bind(ldap_.get(), dn.c_str(), LDAP_SASL_SIMPLE, &credentials, nullptr, nullptr, &id);
  if (code != LDAP_SUCCESS) return own_error(what, code);
  const auto message = next(id);
  if (!message) return tl::unexpected(message.error());
  return bound(what, message->get());
}

Result<void> Session::bound(const std::string& what, LDAPMessage* message) {
  const auto answered = answer(message);
  if (!answered) return tl::unexpected(answered.error());
  if (answered->code == LDAP_SUCCESS) return {};
  if (const auto reason = windows_reason(answered->diagnostic); !reason.empty()) {
    return error(fmt::format("{}: {}", what, reason), answered->code, answered->diagnostic);
  }
  return error(what, answered->code, answered->diagnostic);
}

Result<int> Session::search(const Query& query) {
  // Not critical, so that a server without paging answers at all.
  ControlPtr page;
  if (query.cookie) {
    berval cookie{.bv_len = query.cookie->size(), .bv_val = const_cast<char*>(query.cookie->data())};
    LDAPControl* made = nullptr;
    const int code = ldap_create_page_control(ldap_.get(), 1000, &cookie, 0, &made);
    page.reset(made);
    if (code != LDAP_SUCCESS) return own_error("paged search", code);
  }
  std::array<LDAPControl*, 2> controls{page.get(), nullptr};
  std::vector<char*> names;
  for (const std::string& attribute : query.attributes) names.push_back(const_cast<char*>(attribute.c_str()));
  names.push_back(nullptr);
  int id = 0;
  const int code = ldap_search_ext(ldap_.get(), query.base.c_str(), query.scope, query.filter.c_str(), names.data(), 0,
                                   page ? controls.data() : nullptr, nullptr, nullptr, LDAP_NO_LIMIT, &id);
  if (code != LDAP_SUCCESS) return own_error("search", code);
  return id;
}

Result<MessagePtr> Session::next(int id) {
  const Deadline limit = begin();
  // The first look does not wait, the others do: a stream of entries costs no clock.
  for (timeval wait{};; wait = to_timeval(std::min(stop_latency, limit.remaining()))) {
    LDAPMessage* received = nullptr;
    const int type = ldap_result(ldap_.get(), id, LDAP_MSG_ONE, &wait, &received);
    MessagePtr message{received};
    if (type > 0) return message;
    if (type < 0) {
      int code = LDAP_SERVER_DOWN;
      ldap_get_option(ldap_.get(), LDAP_OPT_RESULT_CODE, &code);
      return own_error("waiting for an answer", code);
    }
    if (limit.over()) return error(why_over(step_, deadline_), LDAP_TIMEOUT);
  }
}

void Session::abandon(int id) {
  ldap_abandon_ext(ldap_.get(), id, nullptr, nullptr);
}

static std::vector<std::string> to_strings(char** list) {
  std::vector<std::string> strings;
  for (char** text = list; text != nullptr && *text != nullptr; ++text) strings.push_back(printable(*text));
  return strings;
}

Result<Answer> Session::answer(LDAPMessage* message) {
  Answer answer;
  char* words = nullptr;
  char** referrals = nullptr;
  LDAPControl** controls = nullptr;
  const int code = ldap_parse_result(ldap_.get(), message, &answer.code, nullptr, &words, &referrals, &controls, 0);
  const MemoryPtr words_owner{words};
  const std::unique_ptr<char*, FreeList> referrals_owner{referrals};
  const ControlsPtr controls_owner{controls};
  if (code != LDAP_SUCCESS) return error("an answer that cannot be read", code);
  if (words != nullptr) answer.diagnostic = printable(words);
  answer.referrals = to_strings(referrals);
  if (LDAPControl* page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, nullptr)) {
    ber_int_t estimate = 0;
    berval cookie{};
    if (ldap_parse_pageresponse_control(ldap_.get(), page, &estimate, &cookie) != LDAP_SUCCESS) {
      return error("a page control that cannot be read", LDAP_DECODING_ERROR);
    }
    const MemoryPtr cookie_owner{cookie.bv_val};
    if (cookie.bv_val != nullptr) answer.cookie.assign(cookie.bv_val, cookie.bv_len);
  }
  return answer;
}

Result<std::vector<std::string>> Session::references(LDAPMessage* message) {
  char** referrals = nullptr;
  const int code = ldap_parse_reference(ldap_.get(), message, &referrals, nullptr, 0);
  const std::unique_ptr<char*, FreeList> owner{referrals};
  if (code != LDAP_SUCCESS) return error("a referral that cannot be read", code);
  return to_strings(referrals);
}

}  // namespace mrascheck::ldap

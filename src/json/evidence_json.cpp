// SPDX-License-Identifier: Apache-2.0
#include "json/evidence_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <exception>
#include <limits>
#include <map>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "json/base64.hpp"
#include "json/document.hpp"
#include "json/words.hpp"

namespace mrascheck::json {
namespace {

constexpr std::string_view format_name = "mrascheck-evidence";
constexpr std::size_t max_name_bytes =
    std::size_t{1024} * 1024 * 1024;  // of all names together, each as often as it is used

template <class T, class U>
concept As = std::same_as<std::remove_const_t<T>, U>;

template <class T>
concept Enumeration = std::is_enum_v<T>;

// The format, once for both directions: an archive `a` takes each member with its key. What an older version of the
// format did not have is taken with since().

template <class A, As<StoreSpec> T>
void fields(A& a, T& s) {
  a("name", s.name);
  a("kind", s.kind);
  a("host", s.host);
  a("directory", s.directory);
}

template <class A, As<Server> T>
void fields(A& a, T& s) {
  a("name", s.name);
  a("role", s.role);
  a("pool", s.pool);
  a("dns", s.dns);
  a("addresses", s.addresses);
  a("trusts", s.trusts);
  a("intermediates", s.intermediates);
  a("chain", s.chain);
  a("has_identity", s.has_identity);
  a("patch_level", s.patch_level);
  a.where_any("profile", s.profile);
}

template <class A, As<TlsRange> T>
void fields(A& a, T& r) {
  a("min", r.min);
  a("max", r.max);
}

template <class A, As<Link> T>
void fields(A& a, T& l) {
  a("from", l.from);
  a("to", l.to);
  a("port", l.port);
  a("service", l.service);
  a("expect", l.expect);
  a.where_any("tls", l.tls);
  a.where_any("server_name", l.server_name);
  a.where_any("profile", l.profile);
}

template <class A, As<MrasQuestion> T>
void fields(A& a, T& q) {
  a("identity", q.identity);
  a("location", q.location);
  a("duration_minutes", q.duration);
  a("service_uri", q.service_uri);
  a.where_any("profile", q.profile);
  a.where_any("options_first", q.options_first);
}

template <class A, As<Thresholds> T>
void fields(A& a, T& t) {
  a("warning", t.warning);
  a("critical", t.critical);
}

template <class A, As<Policy> T>
void fields(A& a, T& p) {
  a("thresholds", p.thresholds);
  a.where_any("revocation", p.revocation);
}

template <class A, As<Site> T>
void fields(A& a, T& s) {
  a("name", s.name);
  a("stores", s.stores);
  a("servers", s.servers);
  a("links", s.links);
  a("mras", s.mras);
  a("policy", s.policy);
}

template <class A, As<EntryProperties> T>
void fields(A& a, T& p) {
  a("origin", p.origin);
  a("windows_store", p.windows_store);
  a("friendly_name", p.friendly_name);
  a("archived", p.archived);
  a("purposes", p.purposes);
  a("rejected_purposes", p.rejected_purposes);
  a("key_provider", p.key_provider);
  a("key_spec", p.key_spec);
}

template <class A, As<StoreEntry> T>
void fields(A& a, T& e) {
  a("certificate", e.certificate);
  a("kind", e.kind);
  a("place", e.place);
  a("index", e.index);
  a.where_any("properties", e.properties);
}

template <class A, As<CrlEntry> T>
void fields(A& a, T& e) {
  a("crl", e.crl);
  a("place", e.place);
  a("index", e.index);
}

template <class A, As<Unreadable> T>
void fields(A& a, T& u) {
  a("place", u.place);
  a("reason", u.reason);
}

template <class A, As<StoreContents> T>
void fields(A& a, T& s) {
  a("store", s.store);
  a("source", s.source);
  a("entries", s.entries);
  a("unreadable", s.unreadable);
  a("referrals", s.referrals);
  a("truncated", s.truncated);
  a("remarks", s.remarks);
  a.where_any("faults", s.faults);
  a.since(2, "crls", s.crls);
}

template <class A, As<Identity> T>
void fields(A& a, T& i) {
  a("server", i.server);
  a("certificate", i.certificate);
  a("chain", i.chain);
  a("key_matches", i.key_matches);
  a.where_any("key_provider", i.key_provider);
}

template <class A, As<Resolution> T>
void fields(A& a, T& r) {
  a("name", r.name);
  a("addresses", r.addresses);
  a("not_found", r.not_found);
  a("configured", r.configured);
  a("error", r.error);
}

template <class A, As<Alert> T>
void fields(A& a, T& alert) {
  a("description", alert.description);
  a("fatal", alert.fatal);
}

template <class A, As<std::pair<std::string, std::string>> T>
void fields(A& a, T& parameter) {
  a("name", parameter.first);
  a("value", parameter.second);
}

template <class A, As<MsDiagnostics> T>
void fields(A& a, T& d) {
  a("id", d.id);
  a("sub", d.sub);
  a("parameters", d.parameters);
}

template <class A, As<MediaRelay> T>
void fields(A& a, T& r) {
  a("location", r.location);
  a("host", r.host);
  a("direct_address", r.direct_address);
  a("udp_port", r.udp_port);
  a("tcp_port", r.tcp_port);
}

template <class A, As<MrasExchange> T>
void fields(A& a, T& m) {
  a("method", m.method);
  a.where_any("location", m.location);
  a("request_uri", m.request_uri);
  a("answered", m.answered);
  a("sip_status", m.sip_status);
  a("sip_reason", m.sip_reason);
  a("server_banner", m.server_banner);
  a("diagnostics", m.diagnostics);
  a("provisional", m.provisional);
  a("strangers", m.strangers);
  a("body_present", m.body_present);
  a("reason_phrase", m.reason_phrase);
  a("version", m.version);
  a("server_version", m.server_version);
  a("relays", m.relays);
  a("asked_minutes", m.asked);
  a("granted_minutes", m.granted);
  a("realm", m.realm);
  a("credentials_present", m.credentials_present);
  a("credentials_well_formed", m.credentials_well_formed);
  a.where_any("date", m.date);
  a.where_any("answered_at", m.answered_at);
  a.where_any("token_version", m.token_version);
  a.where_any("token_expiry", m.token_expiry);
  a.where_any("token_client", m.token_client);
  a.where_any("asked_again", m.asked_again);
  a("problem", m.problem);
}

template <class A, As<Handshake> T>
void fields(A& a, T& h) {
  a("from", h.from);
  a("to", h.to);
  a("address", h.address);
  a("port", h.port);
  a("variant", h.variant);
  a("phase", h.phase);
  a("outcome", h.outcome);
  a("detail", h.detail);
  a("connect_time_us", h.connect_time);
  a("tls_time_us", h.tls_time);
  a("sip_time_us", h.sip_time);
  a("tls_version", h.tls_version);
  a("cipher", h.cipher);
  a("client_certificate_requested", h.client_certificate_requested);
  a("accepted_issuers", h.accepted_issuers);
  a("accepted_issuer_count", h.accepted_issuer_count);
  a("accepted_issuer_bytes", h.accepted_issuer_bytes);
  a("alerts_sent", h.alerts_sent);
  a("alerts_received", h.alerts_received);
  a("peer_chain", h.peer_chain);
  a("peer_chain_unreadable", h.peer_chain_unreadable);
  a("sent_chain", h.sent_chain);
  a("certificate_sent", h.certificate_sent);
  a.where_any("secure_renegotiation", h.secure_renegotiation);
  a.where_any("session_ticket", h.session_ticket);
  a.where_any("ocsp_staple", h.ocsp_staple);
  a("peer_answered", h.peer_answered);
  a("quiet_for_ms", h.quiet_for);
  a("mras", h.mras);
  a.where_any("further", h.further);
}

template <class A, As<Trial> T>
void fields(A& a, T& t) {
  a("kind", t.kind);
  a("about", t.about);
  a("expect", t.expect);
  a("handshake", t.handshake);
}

template <class A, As<TlsOffer::Version> T>
void fields(A& a, T& v) {
  a("version", v.version);
  a("ciphers", v.ciphers);
  a("complete", v.complete);
  a("detail", v.detail);
}

template <class A, As<TlsOffer> T>
void fields(A& a, T& o) {
  a("from", o.from);
  a("to", o.to);
  a("address", o.address);
  a("port", o.port);
  a("versions", o.versions);
}

template <class A, As<OcspAnswer> T>
void fields(A& a, T& o) {
  a("status", o.status);
  a("produced_at", o.produced_at);
  a("this_update", o.this_update);
  a.where_any("next_update", o.next_update);
  a.where_any("revoked_at", o.revoked_at);
  a("reason", o.reason);
  a("responder", o.responder);
  a("signer", o.signer);
  a("doubt", o.doubt);
}

template <class A, As<OcspLook> T>
void fields(A& a, T& l) {
  a("certificate", l.certificate);
  a("source", l.source);
  a("stapled", l.stapled);
  a("asked", l.asked);
  a.where_any("answer", l.answer);
  a("problem", l.problem);
  a.lines("remedy", l.remedy);
}

template <class A, As<RelayLook> T>
void fields(A& a, T& r) {
  a("from", r.from);
  a("to", r.to);
  a("link_port", r.link_port);
  a("granted_at", r.granted_at);
  a("relay", r.relay);
  a("address", r.address);
  a("port", r.port);
  a("transport", r.transport);
  a("dialect", r.dialect);
  a("outcome", r.outcome);
  a("detail", r.detail);
  a("error_code", r.error_code);
  a("error_text", r.error_text);
  a("connect_time_us", r.connect_time);
  a("allocate_time_us", r.allocate_time);
  a("relayed", r.relayed);
  a("reflexive", r.reflexive);
  a("lifetime_s", r.lifetime);
  a("integrity", r.integrity);
  a("released", r.released);
  a("realm", r.realm);
  a("server", r.server);
  a("alternate", r.alternate);
}

template <class A, As<InstalledComponent> T>
void fields(A& a, T& c) {
  a("name", c.name);
  a("version", c.version);
}

template <class A, As<PatchExport> T>
void fields(A& a, T& p) {
  a("server", p.server);
  a("source", p.source);
  a("kind", p.kind);
  a("components", p.components);
}

template <class A, As<TraceError> T>
void fields(A& a, T& e) {
  a("component", e.component);
  a("error", e.grave);
  a("text", e.text);
  a("result", e.result);
  a.where_any("code", e.code);
  a("data", e.data);
  a("peer", e.peer);
  a("count", e.count);
  a("about_no_request", e.loose);
  a("first", e.first.at);
  a("last", e.last.at);
}

template <class A, As<TraceAnswer> T>
void fields(A& a, T& answer) {
  a("status", answer.status);
  a("reason", answer.reason);
  a("diagnostics", answer.diagnostics);
  a("body", answer.body);
  a("reason_phrase", answer.reason_phrase);
  a("server_version", answer.server_version);
  a("relays", answer.relays);
}

template <class A, As<TracedServer> T>
void fields(A& a, T& s) {
  a("server", s.server);
  a("files", s.files);
  a("first", s.first);
  a("last", s.last);
  a("records", s.records);
  a("requests", s.requests);
  a("errors_noted", s.errors_noted);
  a("other_timeouts", s.other_timeouts);
  a("broken", s.broken);
  a("at_mras", s.at_mras);
  a("errors", s.errors);
}

template <class A, As<TracedRequests> T>
void fields(A& a, T& r) {
  a("from", r.from);
  a("to", r.to);
  a("outcome", r.outcome);
  a("title", r.title);
  a("answer", r.answer);
  a("errors", r.errors);
  a("requests", r.requests);
  a("users", r.users);
  a("left_without", r.left_without);
  a("never_reached", r.never_reached);
  a("reached_unanswered", r.reached_unanswered);
  a("reached_answered", r.reached_answered);
  a("not_told", r.not_told);
  a("first", r.first);
  a("last", r.last);
  a("call_ids", r.call_ids);
}

template <class A, As<TracedClock> T>
void fields(A& a, T& c) {
  a("server", c.server);
  a("reference", c.reference);
  a("messages", c.messages);
  a("both_ways", c.both_ways);
  a("ahead_ms", c.ahead);
  a("spread_ms", c.spread);
}

template <class A, As<SignatureProof> T>
void fields(A& a, T& s) {
  a("child", s.child);
  a("issuer_key", s.issuer_key);
  a("state", s.state);
}

template <class A, As<Gap> T>
void fields(A& a, T& g) {
  a("need", g.need);
  a("about", g.about);
  a("kind", g.kind);
  a("reason", g.reason);
  a.lines("remedy", g.remedy);
}

template <class A, As<Evidence> T>
void fields(A& a, T& e) {
  a("collected_at", e.collected_at);
  a("vantage", e.vantage);
  a("site", e.site);
  a("stores", e.stores);
  a("identities", e.identities);
  a("resolutions", e.resolutions);
  a("handshakes", e.handshakes);
  a.where_any("trials", e.trials);
  a.where_any("offers", e.offers);
  a.where_any("ocsp", e.ocsp);
  a.where_any("relays", e.relays);
  a.where_any("patches", e.patches);
  a.where_any("traced_servers", e.traced.servers);
  a.where_any("traced_requests", e.traced.requests);
  a.where_any("traced_clocks", e.traced.clocks);
  a("signatures", e.signatures);
  a("gaps", e.gaps);
}

template <class T>
struct IsDuration : std::false_type {};
template <class Rep, class Period>
struct IsDuration<std::chrono::duration<Rep, Period>> : std::true_type {};

/// So many of `Duration` can be converted to microseconds without overflow.
template <class Duration>
constexpr std::int64_t most = std::chrono::duration_cast<Duration>(std::chrono::microseconds::max()).count();

/// Names and certificates stand once; what uses them refers to them.
using NameKey = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>;

NameKey name_key(const Name& name) {
  return {as_text(name.der()), name.canonical(), name.text(), name.common_name()};
}

struct WrittenTables {
  std::map<NameKey, std::size_t> names;  // numbered in their order
  std::map<Sha256, CertificateRef> certificates;
  std::map<Sha256, CrlRef> crls;
};

class Writer {
 public:
  explicit Writer(WrittenTables& tables) : tables_(tables) {}

  template <class T>
  void operator()(const char* key, const T& member) {
    object_[key] = value(member);
  }
  template <class T>
  void since(unsigned, const char* key, const T& member) {
    (*this)(key, member);
  }
  void lines(const char* key, const std::string& text) { object_[key] = safe_lines(text); }
  /// A member that most do not have, and that recordings of older versions never have: left out when there is none.
  template <class T>
  void where_any(const char* key, const std::vector<T>& member) {
    if (!member.empty()) object_[key] = value(member);
  }
  template <class T>
  void where_any(const char* key, const std::optional<T>& member) {
    if (member) object_[key] = value(*member);
  }
  void where_any(const char* key, const std::string& text) {
    if (!text.empty()) object_[key] = value(text);
  }
  void where_any(const char* key, bool member) {
    if (member) object_[key] = true;
  }
  void where_any(const char* key, const PropertiesRef& member) {
    if (member) object_[key] = value(*member);
  }
  void where_any(const char* key, const ByteString& bytes) {
    if (!bytes.empty()) object_[key] = to_base64(bytes);
  }

  Json& object() { return object_; }

 private:
  Json value(const std::string& text) { return safe_text(text); }
  Json value(const SharedText& text) { return safe_text(text.str()); }
  Json value(bool yes) { return yes; }
  template <std::unsigned_integral T>
  Json value(const T& number) {
    return static_cast<std::uint64_t>(number);
  }
  template <Enumeration T>
  Json value(const T& word) {
    return std::string{to_word(word)};
  }
  Json value(UtcTime time) { return to_iso8601(time); }
  Json value(TraceTime time) { return time == undated ? Json(nullptr) : Json(to_text(time)); }
  Json value(const Sha256& digest) { return to_hex(digest); }
  Json value(const Range& range) { return to_string(range); }
  Json value(const Name& name) { return tables_.names.at(name_key(name)); }
  Json value(const CertificateRef& certificate) {
    tables_.certificates.emplace(certificate->sha256, certificate);
    return to_hex(certificate->sha256);
  }
  Json value(const CrlRef& crl) {
    tables_.crls.emplace(crl->sha256, crl);
    return to_hex(crl->sha256);
  }
  template <class T>
  Json value(const std::optional<T>& optional) {
    return optional ? value(*optional) : Json(nullptr);
  }
  template <class T>
  Json value(const std::vector<T>& list) {
    Json array = Json::array();
    for (const T& item : list) array.push_back(value(item));
    return array;
  }
  template <class T>
  Json value(const std::map<std::string, T>& map) {
    Json object = Json::object();
    for (const auto& [key, item] : map) object[safe_text(key)] = value(item);
    return object;
  }
  template <class T>
  Json value(const T& object) {
    if constexpr (IsDuration<T>::value) {
      return std::clamp(static_cast<std::int64_t>(object.count()), -most<T>, most<T>);
    } else {
      Writer inner{tables_};
      fields(inner, object);
      return std::move(inner.object_);
    }
  }

  WrittenTables& tables_;
  Json object_ = Json::object();
};

/// Where in the document; becomes a JSON pointer (RFC 6901) only when there is something to say about it.
struct Place {
  const Place* parent = nullptr;
  std::string_view key;
  std::size_t index = 0;
  bool in_array = false;

  std::string pointer() const {
    if (parent == nullptr) return {};
    if (in_array) return fmt::format("{}/{}", parent->pointer(), index);
    std::string escaped;
    for (const char c : printable(key, 64)) escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return fmt::format("{}/{}", parent->pointer(), escaped);
  }
};

struct ReadTables {
  std::vector<Name> names;
  std::map<Sha256, CertificateRef> certificates;
  PropertiesPool properties;
  std::map<Sha256, CrlRef> crls;
  unsigned version = 0;  // of the document
  std::size_t name_bytes = 0;
  std::optional<Error> error;  // the first one; from then on nothing more is read

  void refuse(const Place& place, std::string_view why) {
    const std::string pointer = place.pointer();
    if (!error) error = Error{ErrorKind::malformed, fmt::format("{}: {}", pointer.empty() ? "/" : pointer, why)};
  }
};

std::string_view kind_of(const Json& node) {
  switch (node.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::string:
      return "text";
    case Json::value_t::boolean:
      return "true or false";
    case Json::value_t::number_float:
      return "a number with a fraction";
    default:
      return "a number";
  }
}

class Reader {
 public:
  Reader(ReadTables& tables, const Json& node, const Place& place) : tables_(tables), node_(node), place_(place) {
    if (!node.is_object()) tables_.refuse(place, fmt::format("an object expected, found {}", kind_of(node)));
  }

  template <class T>
  void operator()(const char* key, T& member) {
    if (const Json* node = take(key)) read(*node, {&place_, key, 0, false}, member);
  }
  /// Of a document of that version or a newer one; in an older one there is no such key.
  template <class T>
  void since(unsigned version, const char* key, T& member) {
    if (tables_.version >= version) (*this)(key, member);
  }
  void lines(const char* key, std::string& text) {
    const Json* node = take(key);
    if (node == nullptr) return;
    const Place place{&place_, key, 0, false};
    if (node->is_string()) {
      text = safe_lines(node->get_ref<const std::string&>());
    } else {
      expected("text", *node, place);
    }
  }
  template <class T>
  void where_any(const char* key, std::vector<T>& member) {
    if (const Json* node = take_optional(key)) read(*node, {&place_, key, 0, false}, member);
  }
  template <class T>
  void where_any(const char* key, std::optional<T>& member) {
    if (const Json* node = take_optional(key)) read(*node, {&place_, key, 0, false}, member.emplace());
  }
  void where_any(const char* key, std::string& text) {
    if (const Json* node = take_optional(key)) read(*node, {&place_, key, 0, false}, text);
  }
  void where_any(const char* key, bool& member) {
    if (const Json* node = take_optional(key)) read(*node, {&place_, key, 0, false}, member);
  }
  void where_any(const char* key, PropertiesRef& member) {
    const Json* node = take_optional(key);
    if (node == nullptr) return;
    EntryProperties properties;
    read(*node, {&place_, key, 0, false}, properties);
    member = tables_.properties.share(properties);
  }
  void where_any(const char* key, ByteString& bytes) {
    const Json* node = take_optional(key);
    if (node == nullptr) return;
    const Place place{&place_, key, 0, false};
    std::string text;
    read(*node, place, text);
    const auto decoded = from_base64(text);
    if (!decoded) return tables_.refuse(place, "not base64");
    bytes = *decoded;
  }
  const Json* take_optional(const char* key) { return tables_.error || !node_.contains(key) ? nullptr : take(key); }
  /// The member, counted as known; nothing when it is missing or something has gone wrong before.
  const Json* take(const char* key) {
    if (tables_.error) return nullptr;
    const auto found = node_.find(key);
    if (found == node_.end()) {
      tables_.refuse(place_, fmt::format("'{}' is missing", key));
      return nullptr;
    }
    known_.emplace_back(key);
    return &*found;
  }
  /// To be called last: whatever was not taken is unknown.
  void finish() {
    if (tables_.error || node_.size() == known_.size()) return;
    for (const auto& [key, value] : node_.items()) {
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      const std::string_view meant = did_you_mean(key, known_);
      tables_.refuse({&place_, key, 0, false},
                     meant.empty() ? "unknown key" : fmt::format("unknown key; did you mean '{}'?", meant));
      return;
    }
  }

  template <class T>
  void read(const Json& node, const Place& place, std::vector<T>& list) {
    if (tables_.error) return;
    if (!node.is_array()) return expected("an array", node, place);
    if constexpr (std::same_as<T, Name>) {
      if (node.size() > Handshake::max_accepted_issuers) {
        return tables_.refuse(place, fmt::format("more than {} names", Handshake::max_accepted_issuers));
      }
    }
    list.reserve(node.size());
    for (std::size_t i = 0; i < node.size() && !tables_.error; ++i) {
      read(node[i], {&place, {}, i, true}, list.emplace_back());
    }
  }

 private:
  void expected(std::string_view what, const Json& node, const Place& place) {
    tables_.refuse(place, fmt::format("{} expected, found {}", what, kind_of(node)));
  }
  const std::string* text_of(std::string_view what, const Json& node, const Place& place) {
    if (node.is_string()) return &node.get_ref<const std::string&>();
    expected(what, node, place);
    return nullptr;
  }
  std::optional<std::int64_t> number_of(const Json& node, const Place& place, std::int64_t least,
                                        std::int64_t greatest) {
    if (!node.is_number_integer()) {
      expected("a whole number", node, place);
      return std::nullopt;
    }
    const bool too_big = node.is_number_unsigned() && node.get<std::uint64_t>() > static_cast<std::uint64_t>(greatest);
    const std::int64_t number = too_big ? greatest : node.get<std::int64_t>();
    if (too_big || number < least || number > greatest) {
      tables_.refuse(place, fmt::format("not between {} and {}", least, greatest));
      return std::nullopt;
    }
    return number;
  }
  /// Nothing when it is not the hexadecimal form of a SHA-256.
  std::optional<Sha256> digest_of(const Json& node, const Place& place) {
    const std::string* text = text_of("a SHA-256", node, place);
    if (text == nullptr) return std::nullopt;
    const ByteString bytes = from_hex(*text);
    Sha256 digest{};
    if (bytes.size() != digest.size() || to_hex(bytes) != *text) {
      tables_.refuse(place, "not a SHA-256: 64 lower-case hexadecimal digits expected");
      return std::nullopt;
    }
    std::copy(bytes.begin(), bytes.end(), digest.begin());
    return digest;
  }

  void read(const Json& node, const Place& place, std::string& out) {
    if (const std::string* text = text_of("text", node, place)) out = safe_text(*text);
  }
  void read(const Json& node, const Place& place, bool& out) {
    if (!node.is_boolean()) return expected("true or false", node, place);
    out = node.get<bool>();
  }
  template <std::unsigned_integral T>
  void read(const Json& node, const Place& place, T& out) {
    static constexpr std::uint64_t greatest =
        std::min<std::uint64_t>(std::numeric_limits<T>::max(), std::numeric_limits<std::int64_t>::max());
    if (const auto number = number_of(node, place, 0, static_cast<std::int64_t>(greatest))) {
      out = static_cast<T>(*number);
    }
  }
  template <Enumeration E>
  void read(const Json& node, const Place& place, E& out) {
    const std::string* text = text_of("text", node, place);
    if (text == nullptr) return;
    std::vector<std::string_view> words;
    for (const E candidate : all_of<E>) {
      if (to_word(candidate) == *text) {
        out = candidate;
        return;
      }
      words.push_back(to_word(candidate));
    }
    tables_.refuse(place, fmt::format("'{}' is none of {}", printable(*text, 64), fmt::join(words, ", ")));
  }
  void read(const Json& node, const Place& place, UtcTime& out) {
    const std::string* text = text_of("a time", node, place);
    if (text == nullptr) return;
    const auto time = parse_iso8601(*text);
    if (!time || to_iso8601(*time) != *text) {
      return tables_.refuse(place, "not a time: 2026-11-22T09:30:00Z expected");
    }
    out = *time;
  }
  void read(const Json& node, const Place& place, TraceTime& out) {
    if (node.is_null()) return;
    const std::string* text = text_of("a time", node, place);
    if (text == nullptr) return;
    const auto time = parse_trace_time(*text);
    if (!time) return tables_.refuse(place, "not a time of a trace: 2011-03-14 09:26:53.589 expected");
    out = *time;
  }
  void read(const Json& node, const Place& place, Sha256& out) {
    if (const auto digest = digest_of(node, place)) out = *digest;
  }
  void read(const Json& node, const Place& place, Range& out) {
    const std::string* text = text_of("a threshold range", node, place);
    if (text == nullptr) return;
    const auto range = parse_range(*text);
    if (!range) return tables_.refuse(place, printable(range.error().text));
    out = *range;
  }
  void read(const Json& node, const Place& place, CertificateRef& out) {
    look_up(node, place, tables_.certificates, "no such certificate in /certificates", out);
  }
  void read(const Json& node, const Place& place, CrlRef& out) {
    look_up(node, place, tables_.crls, "no such revocation list in /crls", out);
  }
  template <class T>
  void look_up(const Json& node, const Place& place, const std::map<Sha256, T>& table, std::string_view otherwise,
               T& out) {
    const auto digest = digest_of(node, place);
    if (!digest) return;
    const auto found = table.find(*digest);
    if (found == table.end()) return tables_.refuse(place, otherwise);
    out = found->second;
  }
  void read(const Json& node, const Place& place, SharedText& out) {
    std::string text;
    read(node, place, text);
    out = std::move(text);
  }
  void read(const Json& node, const Place& place, Name& out) {
    const auto number = number_of(node, place, 0, std::numeric_limits<std::int64_t>::max());
    if (!number) return;
    const auto index = static_cast<std::size_t>(*number);
    if (index >= tables_.names.size()) return tables_.refuse(place, "no such name in /names");
    out = tables_.names[index];
    tables_.name_bytes += out.der().size() + out.canonical().size() + out.text().size() + out.common_name().size();
    if (tables_.name_bytes > max_name_bytes) tables_.refuse(place, "names of more than 1 GiB");
  }
  template <class T>
  void read(const Json& node, const Place& place, std::optional<T>& out) {
    if (!node.is_null()) read(node, place, out.emplace());
  }
  template <class T>
  void read(const Json& node, const Place& place, std::map<std::string, T>& out) {
    if (!node.is_object()) return expected("an object", node, place);
    for (const auto& [key, item] : node.items()) {
      if (tables_.error) return;
      read(item, {&place, key, 0, false}, out[safe_text(key)]);
    }
  }
  template <class T>
  void read(const Json& node, const Place& place, T& out) {
    if constexpr (IsDuration<T>::value) {
      if (const auto number = number_of(node, place, -most<T>, most<T>)) out = T{*number};
    } else {
      Reader inner{tables_, node, place};
      fields(inner, out);
      inner.finish();
    }
  }

  ReadTables& tables_;
  const Json& node_;
  const Place& place_;
  std::vector<std::string_view> known_;
};

// The three tables.

struct WrittenName {
  std::string der;        // base64
  std::string canonical;  // base64: an opaque key, not text
  std::string text;
  std::string common_name;
};
template <class A, As<WrittenName> T>
void fields(A& a, T& n) {
  a("text", n.text);
  a("common_name", n.common_name);
  a("canonical", n.canonical);
  a("der", n.der);
}

struct WrittenCertificate {
  Sha256 sha256{};
  std::string subject;  // for whoever reads the file; the DER decides
  std::string der;      // base64
};
template <class A, As<WrittenCertificate> T>
void fields(A& a, T& c) {
  a("sha256", c.sha256);
  a("subject", c.subject);
  a("der", c.der);
}

struct WrittenCrl {
  Sha256 sha256{};
  std::string issuer;  // for whoever reads the file; the DER decides
  std::string der;     // base64
};
template <class A, As<WrittenCrl> T>
void fields(A& a, T& c) {
  a("sha256", c.sha256);
  a("issuer", c.issuer);
  a("der", c.der);
}

void read_names(ReadTables& tables, const Json& node, const Place& place) {
  std::vector<WrittenName> written;
  Reader{tables, Json::object(), place}.read(node, place, written);
  for (std::size_t i = 0; i < written.size() && !tables.error; ++i) {
    const WrittenName& name = written[i];
    const auto der = from_base64(name.der);
    const auto canonical = from_base64(name.canonical);
    const Place item{&place, {}, i, true};
    if (!der) return tables.refuse({&item, "der", 0, false}, "not base64");
    if (!canonical) return tables.refuse({&item, "canonical", 0, false}, "not base64");
    tables.names.emplace_back(
        Name::Forms{.der = *der, .canonical = as_text(*canonical), .text = name.text, .common_name = name.common_name});
  }
}

/// Certificates or revocation lists; `what` is one of them.
template <class Written, class Table, class Decoder>
void read_decoded(ReadTables& tables, const Json& node, const Place& place, const Decoder& decode,
                  std::string_view what, Table& table) {
  std::vector<Written> written;
  Reader{tables, Json::object(), place}.read(node, place, written);
  for (std::size_t i = 0; i < written.size() && !tables.error; ++i) {
    const Place item{&place, {}, i, true};
    const Place der_place{&item, "der", 0, false};
    const Place sha256_place{&item, "sha256", 0, false};
    const auto der = from_base64(written[i].der);
    if (!der) return tables.refuse(der_place, "not base64");
    if (table.contains(written[i].sha256)) return tables.refuse(sha256_place, "stands twice");
    const auto decoded = decode(*der);
    if (!decoded) return tables.refuse(der_place, printable(decoded.error().text));
    if ((*decoded)->sha256 != written[i].sha256) {
      return tables.refuse(sha256_place, fmt::format("is not that of the {} beside it", what));
    }
    table.emplace(written[i].sha256, *decoded);
  }
}

/// Judging looks servers up by name: nothing may be about a server that the site does not have.
void check_references(ReadTables& tables, const Evidence& evidence) {
  static constexpr Place root{};
  const auto demand = [&](const Place& list, std::size_t index, std::string_view key, const std::string& server) {
    if (evidence.site.server(server) != nullptr) return;
    const Place item{&list, {}, index, true};
    tables.refuse({&item, key, 0, false}, fmt::format("no server '{}' in /site/servers", printable(server, 64)));
  };
  static constexpr Place site{&root, "site", 0, false};
  static constexpr Place links{&site, "links", 0, false};
  static constexpr Place identities{&root, "identities", 0, false};
  static constexpr Place handshakes{&root, "handshakes", 0, false};
  for (std::size_t i = 0; i < evidence.site.links.size(); ++i) {
    demand(links, i, "from", evidence.site.links[i].from);
    demand(links, i, "to", evidence.site.links[i].to);
  }
  for (std::size_t i = 0; i < evidence.identities.size(); ++i) {
    demand(identities, i, "server", evidence.identities[i].server);
  }
  for (std::size_t i = 0; i < evidence.handshakes.size(); ++i) {
    demand(handshakes, i, "from", evidence.handshakes[i].from);
    demand(handshakes, i, "to", evidence.handshakes[i].to);
  }
  static constexpr Place trials{&root, "trials", 0, false};
  static constexpr Place offers{&root, "offers", 0, false};
  for (std::size_t i = 0; i < evidence.trials.size(); ++i) {
    demand(trials, i, "from", evidence.trials[i].handshake.from);
    demand(trials, i, "to", evidence.trials[i].handshake.to);
  }
  for (std::size_t i = 0; i < evidence.offers.size(); ++i) {
    demand(offers, i, "from", evidence.offers[i].from);
    demand(offers, i, "to", evidence.offers[i].to);
  }
  static constexpr Place relays{&root, "relays", 0, false};
  for (std::size_t i = 0; i < evidence.relays.size(); ++i) {
    demand(relays, i, "from", evidence.relays[i].from);
    demand(relays, i, "to", evidence.relays[i].to);
  }
  static constexpr Place patches{&root, "patches", 0, false};
  static constexpr Place traced_servers{&root, "traced_servers", 0, false};
  static constexpr Place traced_requests{&root, "traced_requests", 0, false};
  static constexpr Place traced_clocks{&root, "traced_clocks", 0, false};
  for (std::size_t i = 0; i < evidence.patches.size(); ++i) demand(patches, i, "server", evidence.patches[i].server);
  for (std::size_t i = 0; i < evidence.traced.servers.size(); ++i)
    demand(traced_servers, i, "server", evidence.traced.servers[i].server);
  for (std::size_t i = 0; i < evidence.traced.requests.size(); ++i)
    demand(traced_requests, i, "from", evidence.traced.requests[i].from);
  for (std::size_t i = 0; i < evidence.traced.clocks.size(); ++i) {
    demand(traced_clocks, i, "server", evidence.traced.clocks[i].server);
    demand(traced_clocks, i, "reference", evidence.traced.clocks[i].reference);
  }
}

Result<Evidence> read_document(const Json& document, const CertificateDecoder& decode, const CrlDecoder& decode_crl) {
  ReadTables tables;
  const Place root{};
  Reader reader{tables, document, root};
  std::string format;
  reader("format", format);
  if (!tables.error && format != format_name) {
    tables.refuse({&root, "format", 0, false}, fmt::format("'{}' expected", format_name));
  }
  unsigned version = 0;
  reader("version", version);
  if (!tables.error && version > Evidence::format_version) {
    return fail(ErrorKind::config, fmt::format("written by a newer version of mrascheck (evidence format {}, this one "
                                               "reads {}): judge it with that version",
                                               version, Evidence::format_version));
  }
  if (!tables.error && version < 1) tables.refuse({&root, "version", 0, false}, "must be 1 or more");
  tables.version = version;
  if (const Json* names = reader.take("names")) read_names(tables, *names, {&root, "names", 0, false});
  if (const Json* certificates = reader.take("certificates")) {
    read_decoded<WrittenCertificate>(tables, *certificates, {&root, "certificates", 0, false}, decode, "certificate",
                                     tables.certificates);
  }
  if (version >= 2) {
    if (const Json* crls = reader.take("crls"))
      read_decoded<WrittenCrl>(tables, *crls, {&root, "crls", 0, false}, decode_crl, "revocation list", tables.crls);
  }
  Evidence evidence;
  fields(reader, evidence);
  reader.finish();
  if (!tables.error) check_references(tables, evidence);
  if (tables.error) return tl::unexpected(*tables.error);
  return evidence;
}

}  // namespace

std::string write_evidence(const Evidence& evidence) {
  WrittenTables tables;
  for (const Handshake& handshake : evidence.handshakes) {
    for (const Name& name : handshake.accepted_issuers) tables.names.emplace(name_key(name), 0);
  }
  for (const Trial& trial : evidence.trials) {
    for (const Name& name : trial.handshake.accepted_issuers) tables.names.emplace(name_key(name), 0);
  }
  std::size_t number = 0;
  for (auto& [name, index] : tables.names) index = number++;

  Writer writer{tables};
  Json& document = writer.object();
  document["format"] = format_name;
  document["version"] = Evidence::format_version;
  fields(writer, evidence);
  Json& names = document["names"] = Json::array();
  for (const auto& [key, index] : tables.names) {
    const auto& [der, canonical, text, common_name] = key;
    Writer item{tables};
    const WrittenName written{to_base64(as_bytes(der)), to_base64(as_bytes(canonical)), std::string{text},
                              std::string{common_name}};
    fields(item, written);
    names.push_back(std::move(item.object()));
  }
  Json& certificates = document["certificates"] = Json::array();
  for (const auto& [sha256, certificate] : tables.certificates) {
    Writer item{tables};
    const WrittenCertificate written{sha256, std::string{certificate->subject.text()}, to_base64(certificate->der)};
    fields(item, written);
    certificates.push_back(std::move(item.object()));
  }
  Json& crls = document["crls"] = Json::array();
  for (const auto& [sha256, crl] : tables.crls) {
    Writer item{tables};
    const WrittenCrl written{sha256, std::string{crl->issuer.text()}, to_base64(crl->der)};
    fields(item, written);
    crls.push_back(std::move(item.object()));
  }
  return print_document(document);
}

Result<Evidence> read_evidence(std::string_view text, std::string_view origin, const CertificateDecoder& decode,
                               const CrlDecoder& decode_crl) {
  const std::string file = printable(origin);
  const auto not_evidence = [&](std::string_view why) {
    return fail(ErrorKind::malformed, fmt::format("{}: not evidence: {}", file, why));
  };
  try {
    const auto document = parse_document(text);
    if (!document) return not_evidence(document.error().text);
    auto evidence = read_document(*document, decode, decode_crl);
    if (evidence) return evidence;
    if (evidence.error().kind != ErrorKind::malformed) {
      return fail(evidence.error().kind, fmt::format("{}: {}", file, evidence.error().text));
    }
    return not_evidence(evidence.error().text);
  } catch (const std::exception& e) {
    return not_evidence(printable(e.what(), 200));
  }
}

}  // namespace mrascheck::json

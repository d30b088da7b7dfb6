// SPDX-License-Identifier: Apache-2.0
#include "core/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "core/text.hpp"

namespace mrascheck {
namespace {

template <class T>
concept Number = std::is_integral_v<T> || std::is_enum_v<T>;

/// A value's content as bytes, such that equal keys mean equal values and keys compare as their parts do in turn.
class Key {
 public:
  Key& operator<<(std::string_view text) {
    for (std::size_t nul = text.find('\0'); nul != std::string_view::npos; nul = text.find('\0')) {
      bytes_.append(text.substr(0, nul + 1)).push_back('\x01');
      text.remove_prefix(nul + 1);
    }
    bytes_.append(text).append(2, '\0');
    return *this;
  }
  Key& operator<<(const std::string& text) { return *this << std::string_view{text}; }
  Key& operator<<(const ByteString& bytes) { return *this << as_text(bytes); }
  Key& operator<<(const Sha256& digest) {
    bytes_.append(as_text(digest));
    return *this;
  }

  template <Number T>
  Key& operator<<(T value) {
    auto number = static_cast<std::uint64_t>(value);
    if constexpr (std::is_signed_v<T>) number ^= std::uint64_t{1} << 63U;
    std::array<char, 8> octets{};
    for (std::size_t i = octets.size(); i-- > 0; number >>= 8U) octets[i] = static_cast<char>(number);
    bytes_.append(octets.data(), octets.size());
    return *this;
  }
  template <class Rep, class Period>
  Key& operator<<(std::chrono::duration<Rep, Period> duration) {
    return *this << static_cast<std::int64_t>(duration.count());
  }
  Key& operator<<(UtcTime time) { return *this << time.time_since_epoch(); }

  template <class T>
  Key& operator<<(const std::optional<T>& value) {
    *this << value.has_value();
    return value ? *this << *value : *this;
  }
  template <class T>
  Key& operator<<(const std::vector<T>& list) {
    for (const T& item : list) *this << true << item;
    return *this << false;
  }
  template <class A, class B>
  Key& operator<<(const std::pair<A, B>& pair) {
    return *this << pair.first << pair.second;
  }

  Key& operator<<(const CertificateRef& c) { return *this << c->sha256; }
  Key& operator<<(const CrlRef& c) { return *this << c->sha256; }
  Key& operator<<(const Name& n) { return *this << as_text(n.der()) << n.canonical() << n.text() << n.common_name(); }
  Key& operator<<(const Range& r) { return *this << to_string(r); }
  Key& operator<<(const Thresholds& t) { return *this << t.warning << t.critical; }
  Key& operator<<(const StoreSpec& s) { return *this << s.name << s.kind << s.host << s.directory; }
  Key& operator<<(const Server& s) {
    return *this << s.name << s.role << s.pool << s.dns << s.addresses << s.trusts << s.intermediates << s.chain
                 << s.has_identity << s.patch_level << s.profile;
  }
  Key& operator<<(const Link& l) {
    return *this << l.from << l.to << l.port << l.service << l.expect << l.tls << l.server_name << l.profile;
  }
  Key& operator<<(const TlsRange& r) { return *this << r.min << r.max; }
  Key& operator<<(const Site& s) {
    *this << s.name << s.stores << s.servers << s.links << s.mras.identity << s.mras.location << s.mras.duration
          << s.mras.service_uri << s.mras.profile << s.mras.options_first << s.policy.revocation;
    for (const auto& item : s.policy.thresholds) *this << true << item;
    return *this << false;
  }
  Key& operator<<(const EntryProperties& p) {
    return *this << p.origin << p.windows_store << p.friendly_name << p.archived << p.purposes << p.rejected_purposes
                 << p.key_provider << p.key_spec;
  }
  Key& operator<<(const StoreEntry& e) {
    *this << e.place.str() << e.index << e.kind << e.certificate << (e.properties != nullptr);
    return e.properties ? *this << *e.properties : *this;
  }
  Key& operator<<(const CrlEntry& e) { return *this << e.place << e.index << e.crl; }
  Key& operator<<(const Unreadable& u) { return *this << u.place << u.reason; }
  Key& operator<<(const StoreContents& s) {
    return *this << s.store << s.source << s.entries << s.unreadable << s.referrals << s.truncated << s.remarks
                 << s.faults << s.crls;
  }
  Key& operator<<(const Identity& i) {
    return *this << i.server << i.certificate << i.chain << i.key_matches << i.key_provider;
  }
  Key& operator<<(const Resolution& r) {
    return *this << r.name << r.addresses << r.not_found << r.configured << r.error;
  }
  Key& operator<<(const Alert& a) { return *this << a.description << a.fatal; }
  Key& operator<<(const MsDiagnostics& d) { return *this << d.id << d.sub << d.parameters; }
  Key& operator<<(const MediaRelay& r) {
    return *this << r.location << r.host << r.direct_address << r.udp_port << r.tcp_port;
  }
  Key& operator<<(const MrasExchange& m) {
    return *this << m.method << m.location << m.request_uri << m.answered << m.sip_status << m.sip_reason
                 << m.server_banner << m.diagnostics << m.provisional << m.strangers << m.body_present
                 << m.reason_phrase << m.version << m.server_version << m.relays << m.asked << m.granted << m.realm
                 << m.credentials_present << m.credentials_well_formed << m.date << m.answered_at << m.token_version
                 << m.token_expiry << m.token_client << m.asked_again << m.problem;
  }
  Key& operator<<(const Handshake& h) {
    return *this << h.from << h.to << h.port << h.address << h.variant << h.phase << h.outcome << h.detail
                 << h.connect_time << h.tls_time << h.sip_time << h.tls_version << h.cipher
                 << h.client_certificate_requested << h.accepted_issuers << h.accepted_issuer_count
                 << h.accepted_issuer_bytes << h.alerts_sent << h.alerts_received << h.peer_chain
                 << h.peer_chain_unreadable << h.sent_chain << h.certificate_sent << h.secure_renegotiation
                 << h.session_ticket << h.ocsp_staple << h.peer_answered << h.quiet_for << h.mras << h.further;
  }
  Key& operator<<(const OcspAnswer& a) {
    return *this << a.status << a.produced_at << a.this_update << a.next_update << a.revoked_at << a.reason
                 << a.responder << a.signer << a.doubt;
  }
  Key& operator<<(const OcspLook& l) {
    return *this << l.certificate << l.stapled << l.asked << l.source << l.answer << l.problem << l.remedy;
  }
  Key& operator<<(const Trial& t) { return *this << t.handshake << t.kind << t.about << t.expect; }
  Key& operator<<(const TlsOffer::Version& v) { return *this << v.version << v.ciphers << v.complete << v.detail; }
  Key& operator<<(const TlsOffer& o) { return *this << o.from << o.to << o.port << o.address << o.versions; }
  Key& operator<<(const RelayLook& r) {
    return *this << r.from << r.to << r.link_port << r.granted_at << r.relay << r.address << r.port << r.transport
                 << r.dialect << r.outcome << r.detail << r.error_code << r.error_text << r.connect_time
                 << r.allocate_time << r.relayed << r.reflexive << r.lifetime << r.integrity << r.released << r.realm
                 << r.server << r.alternate;
  }
  Key& operator<<(const SignatureProof& s) { return *this << s.child << s.issuer_key << s.state; }
  Key& operator<<(const InstalledComponent& c) { return *this << c.name << c.version; }
  Key& operator<<(const PatchExport& p) { return *this << p.server << p.kind << p.source << p.components; }
  Key& operator<<(TraceTime t) { return *this << t.time_since_epoch(); }
  Key& operator<<(const TraceError& e) {
    return *this << e.text << e.result << e.code << e.data << e.peer << e.component << e.grave << e.count << e.loose
                 << e.first.at << e.last.at;
  }
  Key& operator<<(const TraceAnswer& a) {
    return *this << a.status << a.reason << a.diagnostics << a.body << a.reason_phrase << a.server_version << a.relays;
  }
  Key& operator<<(const TracedServer& s) {
    return *this << s.server << s.files << s.first << s.last << s.records << s.requests << s.errors_noted
                 << s.other_timeouts << s.broken << s.at_mras << s.errors;
  }
  Key& operator<<(const TracedRequests& r) {
    return *this << r.from << r.to << r.outcome << r.title << r.answer << r.errors << r.requests << r.users
                 << r.left_without << r.never_reached << r.reached_unanswered << r.reached_answered << r.not_told
                 << r.first << r.last << r.call_ids;
  }
  Key& operator<<(const TracedClock& c) {
    return *this << c.server << c.reference << c.messages << c.both_ways << c.ahead << c.spread;
  }
  Key& operator<<(const Gap& g) { return *this << g.need << g.about << g.kind << g.reason << g.remedy; }
  Key& operator<<(const Evidence& e) {
    return *this << e.vantage << e.site << e.stores << e.identities << e.resolutions << e.handshakes << e.trials
                 << e.offers << e.ocsp << e.relays << e.patches << e.traced.servers << e.traced.requests
                 << e.traced.clocks << e.signatures << e.gaps;
  }

  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Sorts by `rank` (a number) first, then by the whole content.
template <class T, class Rank>
void arrange(std::vector<T>& items, Rank rank) {
  std::vector<std::pair<std::string, std::size_t>> order;
  order.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) order.emplace_back((Key{} << rank(items[i]) << items[i]).take(), i);
  std::sort(order.begin(), order.end());
  std::vector<T> sorted;
  sorted.reserve(items.size());
  for (const auto& [key, i] : order) sorted.push_back(std::move(items[i]));
  items = std::move(sorted);
}

template <class T>
void arrange(std::vector<T>& items) {
  arrange(items, [](const T&) { return 0U; });
}

/// Of neighbours with equal content, keeps one.
template <class T>
void drop_repeated(std::vector<T>& sorted) {
  const auto same = [](const T& a, const T& b) { return (Key{} << a).take() == (Key{} << b).take(); };
  sorted.erase(std::unique(sorted.begin(), sorted.end(), same), sorted.end());
}

template <class T>
void arrange_once(std::vector<T>& items) {
  arrange(items);
  drop_repeated(items);
}

template <class T, class Matches>
std::size_t position(const std::vector<T>& list, Matches matches) {
  return static_cast<std::size_t>(std::find_if(list.begin(), list.end(), matches) - list.begin());
}

/// Where things stand in the configuration; what it does not name comes last.
struct PlanOrder {
  const Site& site;

  std::size_t store(std::string_view name) const {
    return position(site.stores, [&](const StoreSpec& s) { return s.name == name; });
  }
  std::size_t server(std::string_view name) const {
    return position(site.servers, [&](const Server& s) { return equals_ignoring_case(s.name, name); });
  }
  std::size_t resolved(std::string_view name) const {
    return position(site.servers, [&](const Server& s) { return equals_ignoring_case(s.resolved_name(), name); });
  }
  std::size_t link(const TlsOffer& o) const {
    return position(site.links, [&](const Link& l) {
      return l.port == o.port && equals_ignoring_case(l.from, o.from) && equals_ignoring_case(l.to, o.to);
    });
  }
  std::size_t link(const RelayLook& r) const {
    return position(site.links, [&](const Link& l) {
      return l.port == r.link_port && equals_ignoring_case(l.from, r.from) && equals_ignoring_case(l.to, r.to);
    });
  }
  std::size_t link(const Handshake& h) const {
    return position(site.links, [&](const Link& l) {
      return l.port == h.port && equals_ignoring_case(l.from, h.from) && equals_ignoring_case(l.to, h.to);
    });
  }
  std::size_t gap(const Gap& g) const {
    switch (g.need) {
      case Needs::stores:
        return store(g.about);
      case Needs::identities:
      case Needs::versions:
      case Needs::traces:
        return server(g.about);
      case Needs::names:
        return std::min(server(g.about), resolved(g.about));
      case Needs::handshakes: {
        const std::size_t found = position(site.links, [&](const Link& l) { return l.id() == g.about; });
        return found < site.links.size() ? found : site.links.size() + server(g.about);
      }
      case Needs::none:
      case Needs::signatures:
        break;
    }
    return 0;
  }
};

/// `text` with those parts of `more` behind it that it does not hold yet; parts are separated by ", ".
void join(std::string& text, std::string_view more) {
  static constexpr std::string_view separator = ", ";
  const auto holds = [&](std::string_view part) {
    const std::string all = fmt::format("{0}{1}{0}", separator, text);
    return all.find(fmt::format("{0}{1}{0}", separator, part)) != std::string::npos;
  };
  while (!more.empty()) {
    const std::string_view part = more.substr(0, more.find(separator));
    more.remove_prefix(std::min(more.size(), part.size() + separator.size()));
    if (part.empty() || holds(part)) continue;
    if (!text.empty()) text += separator;
    text += part;
  }
}

template <class T>
void append(std::vector<T>& list, std::vector<T>&& more) {
  list.insert(list.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// The same thing in the same place counts once, whatever its number there: a directory returns the values of an
/// attribute in any order (RFC 4511, 4.1.7). Twice in one place in one recording stays twice.
template <class T, class Spot>
void unite(std::vector<T>& list, std::vector<T>&& more, Spot spot) {
  std::map<decltype(spot(list.front())), std::size_t> known;
  for (const T& item : list) ++known[spot(item)];
  for (T& item : more) {
    const auto found = known.find(spot(item));
    if (found != known.end() && found->second > 0) {
      --found->second;
    } else {
      list.push_back(std::move(item));
    }
  }
}

/// Adds what `more` saw.
void join(StoreContents& contents, StoreContents&& more) {
  join(contents.source, more.source);
  unite(contents.entries, std::move(more.entries), [](const StoreEntry& e) {
    return std::tuple{e.kind, e.place, e.certificate->sha256};
  });
  unite(contents.crls, std::move(more.crls), [](const CrlEntry& e) { return std::tuple{e.place, e.crl->sha256}; });
  append(contents.unreadable, std::move(more.unreadable));
  append(contents.referrals, std::move(more.referrals));
  append(contents.remarks, std::move(more.remarks));
  append(contents.faults, std::move(more.faults));
  // merge() has cleared what the other saw whole.
  if (contents.truncated.empty()) contents.truncated = std::move(more.truncated);
}

void join(Site& site, const Site& older) {
  for (const StoreSpec& spec : older.stores) {
    if (site.store(spec.name) == nullptr) site.stores.push_back(spec);
  }
  for (const Server& server : older.servers) {
    const std::size_t at =
        position(site.servers, [&](const Server& s) { return equals_ignoring_case(s.name, server.name); });
    if (at == site.servers.size()) {
      site.servers.push_back(server);
    } else {
      site.servers[at].has_identity = site.servers[at].has_identity || server.has_identity;
    }
  }
  for (const Link& link : older.links) {
    const bool known = std::any_of(site.links.begin(), site.links.end(), [&](const Link& l) {
      return l.port == link.port && l.service == link.service && equals_ignoring_case(l.from, link.from) &&
             equals_ignoring_case(l.to, link.to);
    });
    if (!known) site.links.push_back(link);
  }
}

/// Whether what `other` saw may stand for what `recording` could not see. What was seen before is no answer to what is
/// missing now: not from the same vantage, and from another one only where both belong to one round.
bool speaks_for(const Evidence& other, const Evidence& recording) {
  if (other.collected_at >= recording.collected_at) return true;
  return other.vantage != recording.vantage && recording.collected_at - other.collected_at <= longest_round;
}

/// Which stores of each recording were read in part there, and whole by another that speaks for it.
void complete_stores(std::vector<Evidence>& recordings) {
  std::vector<StoreContents*> completed;
  for (Evidence& recording : recordings) {
    for (StoreContents& partial : recording.stores) {
      if (partial.truncated.empty()) continue;
      const bool seen_whole = std::any_of(recordings.begin(), recordings.end(), [&](const Evidence& other) {
        return &other != &recording && speaks_for(other, recording) &&
               std::any_of(other.stores.begin(), other.stores.end(), [&](const StoreContents& whole) {
                 return whole.store == partial.store && whole.truncated.empty();
               });
      });
      if (seen_whole) completed.push_back(&partial);
    }
  }
  for (StoreContents* contents : completed) contents->truncated.clear();
}

/// Whether `other` saw what `gap` is about, and saw it whole.
bool fills(const Evidence& other, const Gap& gap) {
  const bool same_gap = std::any_of(other.gaps.begin(), other.gaps.end(), [&](const Gap& g) {
    return g.need == gap.need && equals_ignoring_case(g.about, gap.about);
  });
  if (same_gap) return false;
  switch (gap.need) {
    case Needs::stores:
      return std::any_of(other.stores.begin(), other.stores.end(),
                         [&](const StoreContents& s) { return s.store == gap.about; });
    case Needs::identities:
      return std::any_of(other.identities.begin(), other.identities.end(),
                         [&](const Identity& i) { return equals_ignoring_case(i.server, gap.about); });
    case Needs::versions:
      return std::any_of(other.patches.begin(), other.patches.end(),
                         [&](const PatchExport& p) { return equals_ignoring_case(p.server, gap.about); });
    case Needs::traces:
      return std::any_of(other.traced.servers.begin(), other.traced.servers.end(),
                         [&](const TracedServer& s) { return equals_ignoring_case(s.server, gap.about); });
    case Needs::names: {
      const Server* server = other.site.server(gap.about);
      const std::string_view name = server == nullptr ? std::string_view{gap.about} : server->resolved_name();
      return std::any_of(other.resolutions.begin(), other.resolutions.end(),
                         [&](const Resolution& r) { return equals_ignoring_case(r.name, name); });
    }
    case Needs::handshakes:
      return std::any_of(other.handshakes.begin(), other.handshakes.end(), [&](const Handshake& h) {
        return equals_ignoring_case(fmt::format("{} -> {}:{}", h.from, h.to, h.port), gap.about);
      });
    case Needs::none:
    case Needs::signatures:
      break;
  }
  return false;
}

template <class A, class B>
bool same_link(const A& a, const B& b) {
  return a.port == b.port && equals_ignoring_case(a.from, b.from) && equals_ignoring_case(a.to, b.to);
}

/// Takes out of `older` what `newer`, made later from the same vantage, has looked at again and seen whole.
void supersede(Evidence& older, const Evidence& newer) {
  std::erase_if(older.stores, [&](const StoreContents& was) {
    return std::any_of(newer.stores.begin(), newer.stores.end(), [&](const StoreContents& is) {
      return is.store == was.store && is.truncated.empty() && is.unreadable.empty();
    });
  });
  std::erase_if(older.identities, [&](const Identity& was) {
    return std::any_of(newer.identities.begin(), newer.identities.end(),
                       [&](const Identity& is) { return equals_ignoring_case(is.server, was.server); });
  });
  std::erase_if(older.resolutions, [&](const Resolution& was) {
    return std::any_of(newer.resolutions.begin(), newer.resolutions.end(),
                       [&](const Resolution& is) { return equals_ignoring_case(is.name, was.name); });
  });
  std::erase_if(older.handshakes, [&](const Handshake& was) {
    return std::any_of(newer.handshakes.begin(), newer.handshakes.end(),
                       [&](const Handshake& is) { return same_link(is, was); });
  });
  std::erase_if(older.trials, [&](const Trial& was) {
    return std::any_of(newer.trials.begin(), newer.trials.end(),
                       [&](const Trial& is) { return is.kind == was.kind && same_link(is.handshake, was.handshake); });
  });
  std::erase_if(older.offers, [&](const TlsOffer& was) {
    return std::any_of(newer.offers.begin(), newer.offers.end(),
                       [&](const TlsOffer& is) { return same_link(is, was); });
  });
  std::erase_if(older.ocsp, [&](const OcspLook& was) {
    return std::any_of(newer.ocsp.begin(), newer.ocsp.end(), [&](const OcspLook& is) {
      return is.source == was.source && is.certificate->sha256 == was.certificate->sha256;
    });
  });
  std::erase_if(older.relays, [&](const RelayLook& was) {
    return std::any_of(newer.relays.begin(), newer.relays.end(), [&](const RelayLook& is) {
      return is.link_port == was.link_port && equals_ignoring_case(is.from, was.from) &&
             equals_ignoring_case(is.to, was.to);
    });
  });
  std::erase_if(older.patches, [&](const PatchExport& was) {
    return std::any_of(newer.patches.begin(), newer.patches.end(), [&](const PatchExport& is) {
      return is.kind == was.kind && equals_ignoring_case(is.server, was.server);
    });
  });
  const auto traced_again = [&](const std::string& server) {
    return std::any_of(newer.traced.servers.begin(), newer.traced.servers.end(),
                       [&](const TracedServer& is) { return equals_ignoring_case(is.server, server); });
  };
  std::erase_if(older.traced.requests, [&](const TracedRequests& was) { return traced_again(was.from); });
  std::erase_if(older.traced.clocks, [&](const TracedClock& was) { return traced_again(was.server); });
  std::erase_if(older.traced.servers, [&](const TracedServer& was) { return traced_again(was.server); });
  std::erase_if(older.gaps, [&](const Gap& was) {
    return std::any_of(newer.gaps.begin(), newer.gaps.end(),
                       [&](const Gap& is) { return is.need == was.need && equals_ignoring_case(is.about, was.about); });
  });
}

void join(Evidence& evidence, Evidence&& older) {
  join(evidence.vantage, older.vantage);
  join(evidence.site, older.site);
  for (StoreContents& contents : older.stores) {
    const std::size_t at = position(evidence.stores, [&](const StoreContents& s) { return s.store == contents.store; });
    if (at == evidence.stores.size()) {
      evidence.stores.push_back(std::move(contents));
    } else {
      join(evidence.stores[at], std::move(contents));
    }
  }
  for (Identity& identity : older.identities) {
    const auto certificates = [](const Identity& i) { return (Key{} << i.server << i.certificate << i.chain).take(); };
    const std::size_t at =
        position(evidence.identities, [&](const Identity& i) { return certificates(i) == certificates(identity); });
    if (at == evidence.identities.size()) {
      evidence.identities.push_back(std::move(identity));
    } else {
      evidence.identities[at].key_matches = evidence.identities[at].key_matches || identity.key_matches;
    }
  }
  append(evidence.resolutions, std::move(older.resolutions));
  append(evidence.handshakes, std::move(older.handshakes));
  append(evidence.trials, std::move(older.trials));
  append(evidence.offers, std::move(older.offers));
  append(evidence.ocsp, std::move(older.ocsp));
  append(evidence.relays, std::move(older.relays));
  append(evidence.patches, std::move(older.patches));
  append(evidence.traced.servers, std::move(older.traced.servers));
  append(evidence.traced.requests, std::move(older.traced.requests));
  append(evidence.traced.clocks, std::move(older.traced.clocks));
  append(evidence.signatures, std::move(older.signatures));
  append(evidence.gaps, std::move(older.gaps));
}

}  // namespace

std::string_view to_string(Needs need) {
  switch (need) {
    case Needs::none:
      return "none";
    case Needs::stores:
      return "stores";
    case Needs::identities:
      return "identities";
    case Needs::names:
      return "names";
    case Needs::handshakes:
      return "handshakes";
    case Needs::signatures:
      return "signatures";
    case Needs::versions:
      return "versions";
    case Needs::traces:
      return "traces";
  }
  return "several";
}

void normalise(Evidence& evidence) {
  const PlanOrder order{evidence.site};
  for (StoreContents& contents : evidence.stores) {
    arrange(contents.entries);
    arrange(contents.crls);
    arrange_once(contents.unreadable);
    arrange_once(contents.referrals);
    arrange_once(contents.remarks);
    arrange_once(contents.faults);
  }
  for (Resolution& resolution : evidence.resolutions) {
    arrange_once(resolution.addresses);
  }
  arrange(evidence.stores, [&](const StoreContents& s) { return order.store(s.store); });
  arrange(evidence.identities, [&](const Identity& i) { return order.server(i.server); });
  arrange(evidence.resolutions, [&](const Resolution& r) { return order.resolved(r.name); });
  arrange(evidence.handshakes, [&](const Handshake& h) { return order.link(h); });
  arrange(evidence.trials, [&](const Trial& t) {
    return (Key{} << order.link(t.handshake) << t.handshake.address << t.kind << t.about).take();
  });
  drop_repeated(evidence.trials);
  arrange(evidence.offers, [&](const TlsOffer& o) { return order.link(o); });
  drop_repeated(evidence.offers);
  arrange_once(evidence.ocsp);
  arrange(evidence.relays, [&](const RelayLook& r) { return order.link(r); });
  drop_repeated(evidence.relays);
  for (PatchExport& patches : evidence.patches) arrange_once(patches.components);
  arrange(evidence.patches, [&](const PatchExport& p) { return order.server(p.server); });
  drop_repeated(evidence.patches);
  Traced& traced = evidence.traced;
  arrange(traced.servers, [&](const TracedServer& s) { return order.server(s.server); });
  drop_repeated(traced.servers);
  arrange(traced.requests,
          [&](const TracedRequests& r) { return (Key{} << order.server(r.from) << order.server(r.to)).take(); });
  drop_repeated(traced.requests);
  arrange(traced.clocks, [&](const TracedClock& c) { return order.server(c.server); });
  drop_repeated(traced.clocks);
  arrange(evidence.gaps, [&](const Gap& g) { return (Key{} << g.need << order.gap(g)).take(); });
  drop_repeated(evidence.resolutions);
  drop_repeated(evidence.handshakes);
  drop_repeated(evidence.gaps);
  // One signature cannot be both; should two recordings say so, what verified once did verify.
  arrange(evidence.signatures);
  const auto same_pair = [](const SignatureProof& a, const SignatureProof& b) {
    return a.child == b.child && a.issuer_key == b.issuer_key;
  };
  evidence.signatures.erase(std::unique(evidence.signatures.begin(), evidence.signatures.end(), same_pair),
                            evidence.signatures.end());
}

Result<Evidence> merge(std::vector<Evidence> recordings) {
  if (recordings.empty()) return fail(ErrorKind::config, "no recording to judge");
  for (const Evidence& recording : recordings) {
    const Evidence& first = recordings.front();
    if (recording.site.name == first.site.name) continue;
    return fail(ErrorKind::config,
                fmt::format("recordings of different sites cannot be judged together: '{}' (seen from {}) and '{}' "
                            "(seen from {})",
                            printable(first.site.name), printable(first.vantage), printable(recording.site.name),
                            printable(recording.vantage)));
  }
  for (Evidence& recording : recordings) normalise(recording);
  // Newest first: where two contradict each other about the site itself, it wins.
  arrange(recordings, [](const Evidence& e) { return -e.collected_at.time_since_epoch(); });
  drop_repeated(recordings);
  if (recordings.size() == 1) return std::move(recordings.front());

  for (std::size_t older = 1; older < recordings.size(); ++older) {
    for (std::size_t newer = 0; newer < older; ++newer) {
      if (recordings[newer].vantage == recordings[older].vantage &&
          recordings[newer].collected_at > recordings[older].collected_at) {
        supersede(recordings[older], recordings[newer]);
      }
    }
  }
  for (Evidence& recording : recordings) {
    std::erase_if(recording.gaps, [&](const Gap& gap) {
      return std::any_of(recordings.begin(), recordings.end(), [&](const Evidence& other) {
        return &other != &recording && speaks_for(other, recording) && fills(other, gap);
      });
    });
  }
  complete_stores(recordings);
  Evidence whole;
  whole.collected_at = recordings.front().collected_at;
  whole.site.name = recordings.front().site.name;
  whole.site.mras = recordings.front().site.mras;
  whole.site.policy = recordings.front().site.policy;
  for (Evidence& recording : recordings) join(whole, std::move(recording));
  normalise(whole);
  return whole;
}

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "checks/common.hpp"
#include "checks/tls_quality.hpp"
#include "checks/trials.hpp"
#include "core/explain.hpp"
#include "core/issuers.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array own_kinds{
    FindingKind{"handshake.rejected-by-peer", "the peer refused us with a TLS alert", {"RFC 8446", "6.2"}},
    FindingKind{
        "handshake.rejected-by-us", "a real server would have refused the peer's certificate", {"RFC 5280", "6.1"}},
    FindingKind{"handshake.reset", "the peer reset the connection during the handshake", {"RFC 9293", "3.5.3"}},
    FindingKind{"handshake.closed", "the peer closed the connection during the handshake", {"RFC 8446", "6.1"}},
    FindingKind{"handshake.timed-out", "the peer stopped answering during the handshake", {"RFC 8446", "4"}},
    FindingKind{"handshake.not-tls", "what answers on the port does not speak TLS", {"RFC 8446", "5.1"}},
    FindingKind{"handshake.stranger-accepted", "a client that must be refused was let in", {"RFC 8446", "4.4.2.4"}},
    FindingKind{
        "handshake.no-client-certificate-asked", "the peer asks its clients for no certificate", {"RFC 8446", "4.3.2"}},
    FindingKind{"handshake.no-client-certificate-sent",
                "our certificate fits nothing that the peer asked for",
                {"RFC 8446", "4.4.2.3"}},
    FindingKind{
        "handshake.unreadable-certificate", "a certificate that the peer sent cannot be read", {"RFC 5280", "4.1"}},
    FindingKind{"handshake.issuer-not-listed",
                "the peer asks for certificates of other issuers than ours",
                {"RFC 8446", "4.2.4"}},
    FindingKind{"handshake.broken-tls", "what the peer sent is no sound TLS", {"RFC 8446", "6.2"}},
    FindingKind{"handshake.no-common-tls", "this host and the peer agree on no TLS", {"RFC 8446", "4.1.1"}},
    FindingKind{"handshake.slow", "the handshake took longer than its threshold allows", {"RFC 8446", "2"}},
    FindingKind{
        "handshake.untested-refusal", "whether the peer would refuse could not be tried", {"RFC 8446", "4.4.2.4"}},
    FindingKind{"handshake.not-tried", "links on which no handshake could begin", {"RFC 8446", "4.1"}},
};

constexpr auto kinds = [] {
  std::array<FindingKind, own_kinds.size() + tls_quality_kinds.size() + trial_kinds.size()> all{};
  auto next = std::copy(own_kinds.begin(), own_kinds.end(), all.begin());
  next = std::copy(tls_quality_kinds.begin(), tls_quality_kinds.end(), next);
  std::copy(trial_kinds.begin(), trial_kinds.end(), next);
  return all;
}();

enum Kind : std::size_t {
  rejected_by_peer,
  rejected_by_us,
  reset,
  closed,
  timed_out,
  not_tls,
  stranger_accepted,
  no_client_certificate_asked,
  no_client_certificate_sent,
  unreadable_certificate,
  issuer_not_listed,
  broken_tls,
  no_common_tls,
  slow,
  untested_refusal,
  not_tried,
};

/// Ended while the peer could still refuse us, or by a refusal that came later (TLS 1.3 sends it with the first read).
bool ended_in_handshake(const Handshake& handshake) {
  return handshake.phase == Phase::tls || handshake.phase == Phase::confirm ||
         handshake.outcome == Outcome::rejected_by_peer;
}

/// What every handshake is judged against, made once.
class Background {
 public:
  explicit Background(const Evidence& all) : evidence{all}, graph{all}, links{all} {
    for (const Handshake& handshake : all.handshakes) {
      if (!handshake.variant.empty() && handshake.accepted())
        let_in_.try_emplace({handshake.from, handshake.to, handshake.endpoint()}, &handshake);
    }
  }

  /// The other variant of a refused link that was let in, when equally good chains were tried one after the other.
  const Handshake* accepted_variant(const Handshake& refused) const {
    if (refused.variant.empty()) return nullptr;
    const auto found = let_in_.find({refused.from, refused.to, refused.endpoint()});
    return found == let_in_.end() ? nullptr : found->second;
  }

  bool is_stale(const Certificate& certificate) {
    if (!stale_) {
      stale_.emplace();
      for (const IssuerGroup& group : issuer_groups(evidence, graph, signature)) {
        for (const IssuerMember& member : group.members) {
          if (member.standing == Standing::stale) stale_->insert(member.entry->certificate->sha256);
        }
      }
    }
    return stale_->contains(certificate.sha256);
  }

  const Evidence& evidence;
  const CertificateGraph graph;
  const LinksByEnds links;
  const SignatureOracle signature = recorded_oracle(evidence.signatures);

 private:
  std::map<std::tuple<std::string, std::string, std::string>, const Handshake*> let_in_;
  std::optional<std::set<Sha256>> stale_;
};

std::vector<std::string> what_was_shown(const Handshake& handshake) {
  std::vector<std::string> facts;
  if (!handshake.tls_version.empty())
    facts.push_back(fmt::format("{} with {}", handshake.tls_version, handshake.cipher));
  if (handshake.certificate_sent) {
    for (std::size_t i = 0; i < handshake.sent_chain.size(); ++i) {
      facts.push_back(
          fmt::format("{} sent: {}{}", handshake.from, describe(*handshake.sent_chain[i]),
                      i == 0 ? "" : fmt::format(", issued by {}", handshake.sent_chain[i]->issuer.common_name())));
    }
  } else if (handshake.client_certificate_requested) {
    facts.push_back(fmt::format("{} was asked for a certificate and sent none", handshake.from));
  }
  if (!handshake.peer_chain.empty()) {
    facts.push_back(fmt::format("{} sent: {}", handshake.to, describe(*handshake.peer_chain.front())));
  }
  if (!handshake.detail.empty()) facts.push_back(handshake.detail);
  const auto ours = std::find_if(handshake.alerts_sent.begin(), handshake.alerts_sent.end(),
                                 [](const Alert& alert) { return alert.fatal; });
  if (ours != handshake.alerts_sent.end())
    facts.push_back(fmt::format("{} ended it with the TLS alert {}", handshake.from, ours->name()));
  return facts;
}

std::string chain_text(const Handshake& handshake) {
  std::vector<std::string> names;
  for (std::size_t i = 1; i < handshake.sent_chain.size(); ++i)
    names.push_back(fmt::format("{} ({})", short_name(*handshake.sent_chain[i]), thumbprint(*handshake.sent_chain[i])));
  return names.empty() ? "no CA certificate" : enumerate(names);
}

/// What an Edge that says unknown_ca may lack: the issuers of what was sent that were not sent along.
void add_unsent_issuers(const Background& known, const Handshake& handshake, std::vector<std::string>& facts) {
  constexpr std::size_t most_steps = 10;
  if (handshake.sent_chain.empty()) return;
  CertificateRef last = handshake.sent_chain.back();
  if (handshake.sent_chain.size() == 1) facts.push_back("no intermediate was sent, only the certificate itself");
  for (std::size_t step = 0; step < most_steps && !last->self_issued(); ++step) {
    const auto named = known.graph.named(last->issuer);
    const auto issuer = std::find_if(named.begin(), named.end(), [&](const GraphEntry& entry) {
      return known.signature(*last, *entry.certificate) == SignatureState::verified;
    });
    if (issuer == named.end()) return;
    last = issuer->certificate;
    facts.push_back(fmt::format("{}: {}", last->self_issued() ? "it leads to the root" : "not sent, and above it",
                                describe(*last)));
  }
}

/// A peer that does not know who signed our certificate, and names him among those that it accepts: the names agree,
/// and most likely the keys do not. Where another chain was let in, it knows him, and something between is the reason.
void add_namesake(const Background& known, const Handshake& handshake, Finding& refused) {
  if (handshake.sent_chain.empty() || known.accepted_variant(handshake) != nullptr) return;
  const Certificate& last = *handshake.sent_chain.back();
  const bool listed = std::any_of(handshake.accepted_issuers.begin(), handshake.accepted_issuers.end(),
                                  [&](const Name& name) { return name.canonical() == last.issuer.canonical(); });
  if (!listed) return;
  refused.facts.push_back(
      fmt::format("{} names {} among the issuers that it accepts: it has a CA of this name, and what {} sent does not "
                  "lead to that one: most likely the same name with another key",
                  handshake.to, last.issuer.text(), handshake.from));
  std::string ours;
  for (const GraphEntry& entry : known.graph.named(last.issuer)) {
    if (known.signature(last, *entry.certificate) != SignatureState::verified) continue;
    ours = fmt::format(", which has the thumbprint {}", thumbprint(*entry.certificate));
    break;
  }
  refused.remedy = fmt::format(
      "Compare, by thumbprint, the certificates of {0} in the stores of {1} with the CA that signed here{2}; import "
      "that "
      "one there, and restart its services. {3}",
      last.issuer.text(), handshake.to, ours, refused.remedy);
}

/// Which of two equally good chains should be left over: never the one that is refused, before it is let in as well.
std::string one_chain_remedy(Background& known, const Handshake& refused, const Handshake& let_in) {
  const auto sends_stale = [&known](const Handshake& handshake) {
    return std::any_of(handshake.sent_chain.begin(), handshake.sent_chain.end(),
                       [&known](const CertificateRef& sent) { return known.is_stale(*sent); });
  };
  const bool clear = sends_stale(refused) && !sends_stale(let_in);
  if (clear) {
    return fmt::format(
        "Take what same-name-issuers says may go out of the stores that feed {}, then restart its services, so that "
        "only the chain with {} is left to send. Until then it depends on chance which one {} gets.",
        refused.from, chain_text(let_in), refused.to);
  }
  return fmt::format(
      "The chain that is let in is the one with {}: take nothing of it away. First import, on {}, the root that the "
      "other chain leads to ({}), if it is your CA in use; when {} lets both in, remove what same-name-issuers then "
      "says may go. Until then it depends on chance which one {} gets.",
      chain_text(let_in), refused.to, chain_text(refused), refused.to, refused.to);
}

std::string versions_of(const Background& known, const Handshake& handshake) {
  const Link* link = known.links.of(handshake);
  return to_string(link == nullptr ? TlsRange{} : link->versions());
}

Finding alert_finding(Background& known, const Handshake& handshake) {
  const Evidence& evidence = known.evidence;
  Finding refused = finding(kinds[rejected_by_peer], Status::critical, handshake.id());
  const std::string alert =
      handshake.alerts_received.empty() ? "a fatal alert" : handshake.alerts_received.back().name();
  refused.summary = fmt::format("{} refused {} with the TLS alert {}", handshake.to, handshake.from, alert);
  refused.facts = what_was_shown(handshake);
  const Explanation* explained =
      handshake.alerts_received.empty() ? nullptr : explain_alert(handshake.alerts_received.back().description);
  if (explained != nullptr) {
    refused.facts.push_back(fmt::format("{}: {}", alert, explained->meaning));
    refused.remedy = std::string{explained->remedy};
    const Server* to = evidence.site.server(handshake.to);
    if (to != nullptr && to->role == Role::front_end) {  // the table speaks of the usual way
      refused.remedy = fmt::format("Here the Edge of this advice is {}, and ours is what {} has. {}", handshake.to,
                                   handshake.from, refused.remedy);
    }
    constexpr std::uint8_t unknown_ca = 48;
    constexpr std::uint8_t certificate_required = 116;
    const bool had_one = std::any_of(evidence.identities.begin(), evidence.identities.end(), [&](const Identity& own) {
      return own.server == handshake.from && own.certificate && own.key_matches;
    });
    if (handshake.alerts_received.back().description == certificate_required && had_one) {
      refused.remedy = fmt::format(
          "{} has a certificate and key, and TLS did not let it send them: {} asks for another kind of key or "
          "signature "
          "than the certificate has, or for none that is signed so. Compare the signature algorithms that {} accepts "
          "with the certificate, and have one issued that fits.",
          handshake.from, handshake.to, handshake.to);
    }
    if (handshake.alerts_received.back().description == unknown_ca) {
      add_unsent_issuers(known, handshake, refused.facts);
      add_namesake(known, handshake, refused);
    }
    constexpr std::uint8_t protocol_version = 70;
    if (handshake.alerts_received.back().description == protocol_version) {
      refused.facts.push_back(fmt::format("this link allows {}", versions_of(known, handshake)));
      refused.remedy += " To look at it as it is, let this link use older versions: `tls` of the link.";
    }
  } else {
    refused.remedy =
        fmt::format("Read the Schannel events (36874 to 36888) on {}: they say why it sent the alert.", handshake.to);
  }
  if (const Handshake* better = known.accepted_variant(handshake)) {
    refused.facts.push_back(fmt::format(
        "with the equally good chain {} it let {} in: the stores of {} hold two ways to build the chain, and Windows "
        "may send either",
        better->variant, handshake.from, handshake.from));
    refused.remedy = one_chain_remedy(known, handshake, *better);
  }
  return refused;
}

/// RFC 8446, 6.2: our side could not make sense of what came, which is no verdict on a certificate: that one sends no
/// alert. Behind the handshake any alert of ours means that; in it, those that are not about what both could agree on.
bool broken(const Background& known, const Handshake& handshake) {
  const Link* link = known.links.of(handshake);
  const TlsRange range = link == nullptr ? TlsRange{} : link->versions();
  bool agreed = false;  // on a version
  for (int version = static_cast<int>(range.min); version <= static_cast<int>(range.max); ++version)
    agreed = agreed || handshake.tls_version == to_string(static_cast<TlsVersion>(version));
  return std::any_of(handshake.alerts_sent.begin(), handshake.alerts_sent.end(), [&](const Alert& alert) {
    // unexpected_message, bad_record_mac, ..., bad_certificate (its octets, not what it says), illegal_parameter, ...
    constexpr std::array<std::uint8_t, 9> nonsense{10, 20, 21, 22, 30, 42, 47, 50, 51};
    constexpr std::uint8_t protocol_version = 70;  // of a record, once a version is agreed on
    if (!alert.fatal) return false;
    return handshake.phase != Phase::tls || (alert.description == protocol_version && agreed) ||
           std::find(nonsense.begin(), nonsense.end(), alert.description) != nonsense.end();
  });
}

/// RFC 5246, 7.2.2: the peer wanted to negotiate anew (HelloRequest), and we do not.
bool declined_to_renegotiate(const Handshake& handshake) {
  constexpr std::uint8_t no_renegotiation = 100;
  return std::any_of(handshake.alerts_sent.begin(), handshake.alerts_sent.end(),
                     [](const Alert& alert) { return alert.description == no_renegotiation; });
}

/// Whether our request was on its way when the connection ended: a server may fail on it, too.
bool request_was_sent(const Handshake& handshake) {
  return handshake.phase != Phase::tls && handshake.mras.has_value();
}

std::string when_it_broke(const Handshake& handshake) {
  if (handshake.phase == Phase::tls) return "during the handshake";
  return request_was_sent(handshake)
             ? fmt::format("behind the handshake, when the {} had been sent", handshake.mras->method)
             : "right after the handshake";
}

std::string or_it_failed(const Handshake& handshake) {
  if (!request_was_sent(handshake)) return "";
  return fmt::format(" Or it failed on the {}: look on {} for a service that ended, in its application log.",
                     handshake.mras->method, handshake.to);
}

Finding failure(Background& known, const Handshake& handshake) {
  const std::string id = handshake.id();
  const auto make = [&](Kind kind, std::string summary, std::string remedy) {
    Finding made = finding(kinds[kind], Status::critical, id);
    made.summary = std::move(summary);
    made.facts = what_was_shown(handshake);
    made.remedy = std::move(remedy);
    return made;
  };
  switch (handshake.outcome) {
    case Outcome::rejected_by_peer:
      if (declined_to_renegotiate(handshake)) {
        Finding made = make(no_common_tls,
                            fmt::format("{} wanted to negotiate TLS anew, which this program does not do, and then "
                                        "refused to go on",
                                        handshake.to),
                            fmt::format("Whether {} itself would get through cannot be told from here: let {} ask for "
                                        "the client certificate at once, as these products do.",
                                        handshake.from, handshake.to));
        made.status = Status::unknown;
        return made;
      }
      return alert_finding(known, handshake);
    case Outcome::rejected_by_us:
      if (broken(known, handshake)) {
        return make(broken_tls, fmt::format("what {} sent is no sound TLS: {}", handshake.to, handshake.detail),
                    fmt::format("Look for a device between this host and {} that changes or cuts what passes it, and "
                                "run this check from another place; then read the Schannel events of {}.",
                                handshake.to, handshake.to));
      }
      if (handshake.phase == Phase::tls) {
        Finding made = make(
            no_common_tls,
            fmt::format("{} and this host agree on no TLS: {}", handshake.to,
                        handshake.detail.empty() ? "the handshake failed" : handshake.detail),
            fmt::format("Compare the TLS versions and cipher suites that {} is allowed to use with those of this link "
                        "({}; `tls` of the link allows others) and of this host's OpenSSL. Whether {} itself would get "
                        "through cannot be told from here.",
                        handshake.to, versions_of(known, handshake), handshake.from));
        made.status = Status::unknown;
        return made;
      }
      return make(rejected_by_us,
                  fmt::format("{} would refuse {}: its certificate is not acceptable", handshake.from, handshake.to),
                  fmt::format("See certification-path and certificate-names for what is wrong with it; mend the "
                              "certificate of {} or the "
                              "stores of {}. No SIP was sent: a real Front End would not have sent any either.",
                              handshake.to, handshake.from));
    case Outcome::reset:
    case Outcome::closed:
      if (handshake.phase == Phase::tls && !handshake.certificate_sent) {
        const bool was_reset = handshake.outcome == Outcome::reset;
        return make(
            was_reset ? reset : closed,
            fmt::format("{} {} the connection of {} before any certificate was sent", handshake.to,
                        was_reset ? "reset" : "closed", handshake.from),
            fmt::format("Check that port {} is the one of the service meant, that {} runs and has a certificate "
                        "assigned, that both share a TLS version, and that no device in between cuts TLS.",
                        handshake.port, handshake.to));
      }
      if (handshake.outcome == Outcome::closed) {
        return make(
            closed,
            fmt::format("{} closed the connection of {} {}, without saying why", handshake.to, handshake.from,
                        when_it_broke(handshake)),
            fmt::format("Check on {} that it trusts the issuers of what {} sent, and that {} is in the topology "
                        "it knows.{}",
                        handshake.to, handshake.from, handshake.from, or_it_failed(handshake)));
      }
      return make(
          reset,
          fmt::format("{} reset the connection of {} {}", handshake.to, handshake.from, when_it_broke(handshake)),
          fmt::format("Windows resets (10054, WSAECONNRESET) when it does not like a certificate and says "
                      "nothing more: look on {} for "
                      "Schannel events and check that it trusts the issuers of what {} sent, and that no "
                      "device in between cuts TLS.{}",
                      handshake.to, handshake.from, or_it_failed(handshake)));
    case Outcome::timed_out:
      return make(
          timed_out,
          fmt::format("{} accepted the connection of {} and then went silent in the handshake", handshake.to,
                      handshake.from),
          fmt::format(
              "Check the load and the services of {}; a device in between that swallows TLS records looks the same.",
              handshake.to));
    default:
      return make(not_tls,
                  fmt::format("what answers on {} does not speak TLS: {}", handshake.endpoint(), handshake.detail),
                  "Check the port: this link needs the one that speaks SIP over mutual TLS (5062 for A/V "
                  "authentication, 5061 for SIP).");
  }
}

/// Not for a TLS version, a cipher suite or a fault of its own: it saw our certificate, and then refused. Nor because
/// the certificate has expired or is of an unknown kind: that one would be let in, were it renewed.
bool refused_as_a_stranger(const Handshake& handshake) {
  if (!handshake.client_certificate_requested || !handshake.certificate_sent) return false;
  const bool inside = handshake.phase == Phase::tls;
  // Windows resets and says nothing. After the handshake, that may be about anything.
  if (handshake.outcome == Outcome::reset || handshake.outcome == Outcome::closed) return inside;
  if (handshake.outcome != Outcome::rejected_by_peer || handshake.alerts_received.empty()) return false;
  if (declined_to_renegotiate(handshake)) return false;
  constexpr std::uint8_t handshake_failure = 40;
  const std::uint8_t alert = handshake.alerts_received.back().description;
  // Up to TLS 1.2 the server has judged the certificate when the handshake is through.
  if (alert == handshake_failure) return inside || handshake.tls_version == "TLSv1.3";
  // RFC 8446, 6.2: bad_certificate, certificate_unknown, unknown_ca, access_denied, certificate_required.
  return alert == 42 || alert == 46 || alert == 48 || alert == 49 || alert == 116;
}

std::string how_it_ended(const Handshake& handshake) {
  const std::string_view outcome = to_string(handshake.outcome);
  if (handshake.outcome != Outcome::rejected_by_peer || handshake.alerts_received.empty()) return std::string{outcome};
  return fmt::format("{}: {}", outcome, handshake.alerts_received.back().name());
}

void judge_refusal(const Handshake& handshake, Verdict& verdict) {
  if (handshake.accepted() && handshake.client_certificate_requested && !handshake.certificate_sent) {
    Finding& untested =
        verdict.findings.emplace_back(finding(kinds[untested_refusal], Status::unknown, handshake.id()));
    untested.summary = fmt::format(
        "whether {} refuses the certificate of {} could not be tried: it fits none of the "
        "signature algorithms that were asked for, so none was sent",
        handshake.to, handshake.from);
    untested.remedy = fmt::format("Give {} a certificate of another key type.", handshake.from);
  } else if (handshake.accepted()) {
    Finding& open = verdict.findings.emplace_back(finding(kinds[stranger_accepted], Status::critical, handshake.id()));
    open.summary = fmt::format("{} let {} in, though it must be refused", handshake.to, handshake.from);
    open.facts = what_was_shown(handshake);
    open.remedy = fmt::format(
        "Check which certification authorities {} trusts and whether it asks for a client certificate at all; remove "
        "what does "
        "not belong into its trusted roots.",
        handshake.to);
  } else if (refused_as_a_stranger(handshake)) {
    verdict.notes.push_back({handshake.id(), fmt::format("refused, as it must be ({})", how_it_ended(handshake))});
  } else {
    Finding& untested =
        verdict.findings.emplace_back(finding(kinds[untested_refusal], Status::unknown, handshake.id()));
    untested.summary = fmt::format("whether {} refuses {} as a stranger could not be told: it ended with {}",
                                   handshake.to, handshake.from, how_it_ended(handshake));
    untested.facts = what_was_shown(handshake);
    untested.remedy =
        "Mend what stopped the handshake (an expired certificate proves nothing here, nor does a connection that is "
        "cut "
        "after the handshake), then run this check again.";
  }
}

/// Whether the peer sent a whole list of issuers, and no CA above our certificate is in it, however its chain is made
/// from anything that was seen.
bool none_listed(const CertificateGraph& graph, const Handshake& handshake) {
  if (handshake.accepted_issuers.empty() || handshake.sent_chain.empty() ||
      handshake.accepted_issuers.size() != handshake.accepted_issuer_count)
    return false;
  std::set<std::string_view> listed;
  for (const Name& name : handshake.accepted_issuers) listed.insert(name.canonical());
  std::set<std::string_view> seen;
  std::vector<Name> above{handshake.sent_chain.front()->issuer};
  while (!above.empty()) {
    const Name name = std::move(above.back());
    above.pop_back();
    if (!seen.insert(name.canonical()).second) continue;
    if (listed.contains(name.canonical())) return false;
    for (const GraphEntry& entry : graph.named(name)) above.push_back(entry.certificate->issuer);
  }
  return true;
}

Verdict judge(const Evidence& evidence) {
  Verdict verdict;
  Labels labels;
  Background known{evidence};
  const Thresholds thresholds = evidence.site.policy.of("tls-time");
  for (const Handshake& handshake : evidence.handshakes) {
    if (handshake.phase == Phase::connect) continue;
    ++verdict.examined;
    const Link* link = known.links.of(handshake);
    const std::string label =
        labels.unique(fmt::format("tls_{}_{}", short_host(handshake.from), short_host(handshake.to)));
    std::optional<double> seconds;
    if (handshake.tls_time.count() > 0) seconds = std::chrono::duration<double>(handshake.tls_time).count();
    verdict.perfdata.push_back({label, seconds, "s", thresholds.warning, thresholds.critical, 0, std::nullopt});
    if (!handshake.peer_chain_unreadable.empty()) {
      Finding& garbled =
          verdict.findings.emplace_back(finding(kinds[unreadable_certificate], Status::unknown, handshake.id()));
      garbled.summary = fmt::format("what {} sent could not be judged whole: {} cannot be read", handshake.to,
                                    count(handshake.peer_chain_unreadable.size(), "certificate"));
      for (const Unreadable& unreadable : handshake.peer_chain_unreadable)
        garbled.facts.push_back(fmt::format("{}: {}", unreadable.place, unreadable.reason));
      garbled.remedy =
          fmt::format("Replace it on {}: issue the certificate again, or import its issuer anew.", handshake.to);
    }
    if (link != nullptr && link->expect == Expectation::refuse) {
      judge_refusal(handshake, verdict);
      continue;
    }
    if (handshake.outcome != Outcome::completed && ended_in_handshake(handshake)) {
      if (handshake.outcome == Outcome::local_failure) continue;  // not the peer's doing: a gap says why
      Finding& failed = verdict.findings.emplace_back(failure(known, handshake));
      failed.servers = {handshake.from, handshake.to};
      if (handshake.outcome == Outcome::rejected_by_peer && !handshake.alerts_received.empty())
        failed.reason = handshake.alerts_received.back().name();
      failed.certificates = handshake.outcome == Outcome::rejected_by_us ? handshake.peer_chain
                            : handshake.certificate_sent                 ? handshake.sent_chain
                                                                         : std::vector<CertificateRef>{};
      continue;
    }
    if (!handshake.client_certificate_requested) {
      Finding& open =
          verdict.findings.emplace_back(finding(kinds[no_client_certificate_asked], Status::warning, handshake.id()));
      open.summary =
          fmt::format("{} did not ask {} for a certificate: this is not mutual TLS", handshake.to, handshake.from);
      open.remedy = fmt::format(
          "Check that {} is the port of the service meant, and not behind a device that ends TLS: the services of "
          "these products "
          "ask every peer for a certificate.",
          handshake.endpoint());
    } else if (!handshake.certificate_sent) {
      Finding& bare =
          verdict.findings.emplace_back(finding(kinds[no_client_certificate_sent], Status::warning, handshake.id()));
      bare.summary = fmt::format(
          "{} asked {} for a certificate of other algorithms than it has, and let it in with none: this is not mutual "
          "TLS",
          handshake.to, handshake.from);
      bare.remedy = fmt::format(
          "Give {} a certificate with a key that {} asks for (RSA, as a rule), and see why {} lets "
          "clients in without one.",
          handshake.from, handshake.to, handshake.to);
    }
    if (handshake.certificate_sent && none_listed(known.graph, handshake)) {
      Finding& unlisted =
          verdict.findings.emplace_back(finding(kinds[issuer_not_listed], Status::warning, handshake.id()));
      unlisted.summary = fmt::format(
          "the list of issuers that {} sends names none of those of the certificate of {}: a Windows client would send "
          "no "
          "certificate at all",
          handshake.to, handshake.from);
      unlisted.facts.push_back(
          fmt::format("our certificate is issued by {}", handshake.sent_chain.front()->issuer.text()));
      for (std::size_t i = 0; i < std::min<std::size_t>(handshake.accepted_issuers.size(), 8); ++i)
        unlisted.facts.push_back(fmt::format("listed: {}", handshake.accepted_issuers[i].text()));
      if (handshake.accepted_issuers.size() > 8)
        unlisted.facts.push_back(fmt::format("and {} more", handshake.accepted_issuers.size() - 8));
      unlisted.remedy = fmt::format(
          "Import the root of {} into the trusted roots of {}, or stop it from sending the list (SendTrustedIssuerList "
          "= 0 "
          "under SecurityProviders\\SCHANNEL), then restart its services.",
          handshake.from, handshake.to);
    }
    const Status late = seconds ? status_of(*seconds, thresholds) : Status::ok;
    if (late != Status::ok) {
      Finding& tardy = verdict.findings.emplace_back(finding(kinds[slow], late, handshake.id()));
      tardy.summary = fmt::format("the handshake with {} took {:.3f} s", handshake.to, *seconds);
      tardy.remedy =
          "Look at the load of both servers and at revocation checks that time out, or set other thresholds for "
          "tls-time.";
    }
    const std::string confirmed = handshake.peer_answered
                                      ? std::string{"the peer answered"}
                                      : fmt::format("the peer stayed quiet for {} ms", handshake.quiet_for.count());
    const std::string took = seconds ? fmt::format(", {:.1f} ms", *seconds * 1000) : std::string{};  // not in memory
    verdict.notes.push_back(
        {handshake.id(), fmt::format("{}, {}{}; {}", handshake.tls_version, handshake.cipher, took, confirmed)});
  }
  judge_tls_quality(evidence, verdict);
  judge_trials(evidence, verdict);
  auto untried = links_not_reaching(evidence, Phase::tls, [](const Link&) { return true; });
  if (!untried.empty()) {
    Finding& skipped = verdict.findings.emplace_back(finding(kinds[not_tried], Status::unknown, evidence.site.name));
    skipped.summary = fmt::format("on {} no handshake could begin", count(untried.size(), "link"));
    skipped.facts = std::move(untried);
    skipped.remedy = "See names-resolve and port-reachable: these come first.";
  }
  return verdict;
}

}  // namespace

extern const Check handshake;
constinit const Check handshake{.id = "handshake",
                                .title = "every link's mutual TLS handshake ends as it should",
                                .needs = Needs::handshakes | Needs::names | Needs::identities,
                                .kinds = kinds,
                                .judge = judge};

}  // namespace mrascheck::checks

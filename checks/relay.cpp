// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "checks/common.hpp"
#include "core/explain.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array relay_kinds{
    FindingKind{"relay.credentials-rejected", "a relay rejects what MRAS has just granted", {"RFC 8489", "9.2.5"}},
    FindingKind{"relay.error", "a relay answers with another error of TURN", {"RFC 8656", "7.4"}},
    FindingKind{"relay.not-a-relay", "what answers at a relay's address speaks no TURN", {"MS-TURN", "2.1"}},
    FindingKind{"relay.no-answer", "a relay gave no answer in time", {"RFC 8489", "6.2.1"}},
    FindingKind{
        "relay.not-reached", "a relay's port is closed, or no route leads to it, or it hangs up", {"RFC 8489", "6.2"}},
    FindingKind{"relay.name-not-found", "the name of a relay has no address", {"RFC 1035", "4.1.1"}},
    FindingKind{"relay.not-proven", "a relay grants what it did not check", {"RFC 8489", "9.2.5"}},
    FindingKind{"relay.standard-only", "a relay speaks standard TURN and not MS-TURN", {"MS-TURN", "2.2"}},
    FindingKind{"relay.not-released", "a relay keeps an allocation that was given back", {"RFC 8656", "7.1"}},
    FindingKind{"relay.slow", "an allocation took longer than its threshold allows", {"RFC 8656", "7"}},
    FindingKind{"relay.not-tried", "a relay that was to be asked could not be", {"RFC 8656", "7"}},
};

enum RelayKind : std::size_t {
  relay_rejects,
  relay_error,
  not_a_relay,
  relay_silent,
  not_reached,
  no_relay_name,
  not_proven,
  standard_only,
  not_released,
  relay_slow,
  not_tried,
};

Finding relay_finding(RelayKind kind, Status status, const RelayLook& look, std::string summary, std::string remedy) {
  Finding found = finding(relay_kinds[kind], status, look.id());
  found.servers = {look.to};
  found.summary = std::move(summary);
  found.remedy = std::move(remedy);
  found.facts.push_back(fmt::format("credentials granted by {}{} to {}", look.to,
                                    look.granted_at.empty() ? "" : fmt::format(" ({})", look.granted_at), look.from));
  if (!look.detail.empty() && kind != not_a_relay) found.facts.push_back(look.detail);
  if (!look.server.empty()) found.facts.push_back(fmt::format("the relay says that it is {}", look.server));
  if (!look.alternate.empty() && look.endpoint() != look.alternate + "/udp")
    found.facts.push_back(fmt::format("it names {} as the address to go on with", look.alternate));
  return found;
}

std::string with_text(const RelayLook& look) {
  return look.error_text.empty() ? std::to_string(look.error_code.value_or(0))
                                 : fmt::format("{} {}", look.error_code.value_or(0), look.error_text);
}

/// Several Edges may send to one relay: what is wrong with it alike is one finding.
void add(Verdict& verdict, Finding found) {
  for (Finding& known : verdict.findings) {
    if (known.code != found.code || known.about != found.about || known.summary != found.summary) continue;
    for (std::string& fact : found.facts) {
      if (std::find(known.facts.begin(), known.facts.end(), fact) == known.facts.end())
        known.facts.push_back(std::move(fact));
    }
    for (std::string& server : found.servers) {
      if (std::find(known.servers.begin(), known.servers.end(), server) == known.servers.end())
        known.servers.push_back(std::move(server));
    }
    return;
  }
  verdict.findings.push_back(std::move(found));
}

void add_explained(const RelayLook& look, Finding& found) {
  const Explanation* row = look.error_code ? explain_relay_error(*look.error_code) : nullptr;
  if (row != nullptr) found.facts.push_back(fmt::format("TURN {} ({}): {}", row->key, row->name, row->meaning));
}

/// The port as an administrator opens it, and what it is for.
std::string port_text(const RelayLook& look) {
  return look.transport == RelayTransport::udp ? fmt::format("UDP {}", look.port) : fmt::format("TCP {}", look.port);
}

Finding rejection(const RelayLook& look) {
  Finding found = relay_finding(
      relay_rejects, Status::critical, look,
      fmt::format("{} rejects the credentials that {} has just granted: {}", look.id(), look.to, with_text(look)),
      fmt::format("Compare the A/V authentication certificate on all Edges of the pool (the keys of MRAS and relay "
                  "come of it), and the clocks of the Edges; check that {} is a relay of the pool of {}; then restart "
                  "the A/V Authentication and A/V Edge services there.",
                  look.relay, look.to));
  add_explained(look, found);
  found.reason = fmt::format("the relay rejects MRAS' credentials ({})", with_text(look));
  return found;
}

Finding other_error(const RelayLook& look) {
  const Explanation* row = explain_relay_error(look.error_code.value_or(0));
  Finding found = relay_finding(
      relay_error, Status::critical, look, fmt::format("{} gives no allocation: {}", look.id(), with_text(look)),
      row != nullptr ? std::string{row->remedy} : "Read the event log of the Edge that this relay is on.");
  add_explained(look, found);
  return found;
}

/// What a client is left with when this door is closed to it.
std::string consequence(const RelayLook& look) {
  return look.transport == RelayTransport::udp ? "Media then goes over TCP at best, with worse sound and picture."
                                               : "Clients whose network lets no UDP out then have no media at all.";
}

void judge_look(const RelayLook& look, const std::set<std::string>& well, Verdict& verdict) {
  // A relay that takes one way keeps calls going, if not well.
  const bool other_way = well.contains(look.relay + " " + look.address);
  const Status closed = other_way ? Status::warning : Status::critical;
  switch (look.outcome) {
    case RelayOutcome::accepted:
      break;
    case RelayOutcome::credentials_rejected:
      add(verdict, rejection(look));
      break;
    case RelayOutcome::error:
      add(verdict, other_error(look));
      break;
    case RelayOutcome::not_a_relay:
      add(verdict,
          relay_finding(
              not_a_relay, closed, look, fmt::format("what answers at {} is no relay: {}", look.id(), look.detail),
              fmt::format(
                  "Check in the topology which address and port the A/V Edge service of {} has, and that {} leads "
                  "there: on 443 a reverse proxy, a web server or a device that inspects TLS may stand in its "
                  "place. What comes to a relay there only looks like TLS, and has to be passed through unchanged. {}",
                  look.to, look.endpoint(), consequence(look))));
      break;
    case RelayOutcome::no_answer:
      add(verdict,
          relay_finding(
              relay_silent, closed, look, fmt::format("{} does not answer", look.id()),
              fmt::format(
                  "Open {} from this network to {} in every firewall between, in both directions, and check that "
                  "the A/V Edge service runs there (Get-CsWindowsService). {}",
                  port_text(look), look.address, consequence(look))));
      break;
    case RelayOutcome::refused:
    case RelayOutcome::unreachable:
    case RelayOutcome::closed:
      add(verdict,
          relay_finding(
              not_reached, closed, look, fmt::format("{} could not be asked: {}", look.id(), to_string(look.outcome)),
              look.outcome == RelayOutcome::unreachable
                  ? fmt::format("Add the route from this network to {}, and the one back: the internal interface of an "
                                "Edge has no default gateway.",
                                look.address)
              : look.outcome == RelayOutcome::refused
                  ? fmt::format("Check that the A/V Edge service runs on {} (Get-CsWindowsService, netstat -ano) and "
                                "listens on {}, as the topology says. {}",
                                look.relay, port_text(look), consequence(look))
                  : fmt::format(
                        "Something between, or the relay itself, hangs up on {}: look for a device that lets only "
                        "real TLS through, and read the event log of the Edge. {}",
                        port_text(look), consequence(look))));
      break;
    case RelayOutcome::name_not_found:
      add(verdict,
          relay_finding(
              no_relay_name, Status::critical, look,
              fmt::format("MRAS on {} sends clients to {}, a name without an address", look.to, look.relay),
              fmt::format("Enter {} in the DNS that clients of this network ask, or correct the name of the A/V Edge "
                          "service in the topology and publish it.",
                          look.relay)));
      break;
    case RelayOutcome::not_asked:
    case RelayOutcome::local_failure:
      break;
  }
}

void judge_accepted(const RelayLook& look, const Thresholds& thresholds, double seconds, Verdict& verdict) {
  if (!look.integrity) {
    add(verdict,
        relay_finding(not_proven, Status::warning, look,
                      fmt::format("{} gives an allocation, and does not show that it knows the password", look.id()),
                      "Check that the address is the Edge's own: what answers there grants to anybody, or is not the "
                      "relay that MRAS "
                      "shares its keys with."));
  }
  if (look.dialect == RelayDialect::standard) {
    add(verdict, relay_finding(standard_only, Status::warning, look,
                               fmt::format("{} takes the credentials, but in standard TURN alone", look.id()),
                               "Clients of Lync and Skype for Business speak MS-TURN: put the A/V Edge service there, "
                               "or correct the relay "
                               "that the topology names."));
  }
  if (look.released && !*look.released) {
    add(verdict,
        relay_finding(not_released, Status::warning, look,
                      fmt::format("{} did not take its allocation back{}", look.id(),
                                  look.lifetime ? fmt::format(", and keeps it for {} s", look.lifetime->count()) : ""),
                      "Nothing has to be done for this one, which ends by itself; when each run says so, look at how "
                      "many ports of "
                      "the relay are in use, and run this check less often."));
  }
  const Status late = status_of(seconds, thresholds);
  if (late != Status::ok) {
    add(verdict,
        relay_finding(relay_slow, late, look, fmt::format("{} took {:.3f} s to give an allocation", look.id(), seconds),
                      "Look at the load of the Edge and at the way to it, or set other thresholds for relay-time."));
  }
}

std::string accepted_text(const RelayLook& look) {
  std::string text = fmt::format("takes the credentials of {}", look.to);
  if (look.dialect == RelayDialect::standard) text += " (standard TURN)";
  if (!look.relayed.empty()) text += fmt::format("; allocation {}", look.relayed);
  if (!look.reflexive.empty()) text += fmt::format(", we are seen as {}", look.reflexive);
  if (look.lifetime) text += fmt::format(", for {} s", look.lifetime->count());
  if (look.released && *look.released) text += ", given back";
  return text;
}

Verdict judge_relays(const Evidence& evidence) {
  Verdict verdict;
  Labels labels;
  const Thresholds thresholds = evidence.site.policy.of("relay-time");
  std::set<std::string> well;
  for (const RelayLook& look : evidence.relays) {
    if (look.outcome == RelayOutcome::accepted) well.insert(look.relay + " " + look.address);
  }
  std::vector<std::string> open;
  for (const RelayLook& look : evidence.relays) {
    if (look.outcome == RelayOutcome::not_asked || look.outcome == RelayOutcome::local_failure) {
      open.push_back(fmt::format("{}, for {} -> {}: {}", look.id(), look.from, look.to, look.detail));
      continue;
    }
    ++verdict.examined;
    std::optional<double> seconds;
    if (look.outcome == RelayOutcome::accepted) seconds = std::chrono::duration<double>(look.allocate_time).count();
    verdict.perfdata.push_back(
        {labels.unique(fmt::format("relay_{}_{}", to_string(look.transport), short_host(look.to))), seconds, "s",
         thresholds.warning, thresholds.critical, 0, std::nullopt});
    judge_look(look, well, verdict);
    if (!seconds) continue;
    judge_accepted(look, thresholds, *seconds, verdict);
    verdict.notes.push_back({look.id(), accepted_text(look)});
  }
  if (!open.empty()) {
    Finding& skipped =
        verdict.findings.emplace_back(finding(relay_kinds[not_tried], Status::unknown, evidence.site.name));
    skipped.summary = fmt::format("{} could not be asked for an allocation", count(open.size(), "relay"));
    skipped.facts = std::move(open);
    skipped.remedy =
        "Mend the findings of names-resolve, port-reachable, handshake and mras-credentials first; where "
        "the run's end came before, give it more time (--deadline).";
  }
  return verdict;
}

}  // namespace

extern const Check relay;
constinit const Check relay{.id = "relay",
                            .title = "the relays take the credentials that MRAS grants (when asked for)",
                            .needs = Needs::none,
                            .kinds = relay_kinds,
                            .judge = judge_relays};

}  // namespace mrascheck::checks

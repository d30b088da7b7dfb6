// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checks/common.hpp"
#include "core/explain.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array kinds{
    FindingKind{"mras-credentials.sip-error", "the request was answered with a SIP error", {"RFC 3261", "21"}},
    FindingKind{"mras-credentials.refused", "MRAS answered, and granted nothing", {"MS-AVEDGEA", "2.2"}},
    FindingKind{
        "mras-credentials.unreadable", "the answer carries no MRAS response that can be read", {"MS-AVEDGEA", "2.2"}},
    FindingKind{
        "mras-credentials.no-credentials", "the answer says OK and holds no usable credentials", {"MS-AVEDGEA", "2.2"}},
    FindingKind{"mras-credentials.no-relay", "the answer names no relay", {"MS-AVEDGEA", "2.2"}},
    FindingKind{"mras-credentials.faulty",
                "credentials were granted, in an answer that is not as it should be",
                {"MS-AVEDGEA", "2.2"}},
    FindingKind{
        "mras-credentials.no-answer", "the peer accepted the request and did not answer it", {"RFC 3261", "17.1.2"}},
    FindingKind{"mras-credentials.not-sip", "what came back inside TLS is not SIP", {"RFC 3261", "7"}},
    FindingKind{"mras-credentials.version-differs",
                "MRAS does not speak the version that the Front End asks in",
                {"MS-AVEDGEA", "2.2"}},
    FindingKind{"mras-credentials.slow", "the answer took longer than its threshold allows", {"RFC 3261", "17.1.2"}},
    FindingKind{"mras-credentials.clock-differs",
                "the clock of a server and that of this host differ by more than the threshold allows",
                {"RFC 3261", "20.17"}},
    FindingKind{"mras-credentials.pool-differs",
                "the Edges of a pool do not answer alike",
                {"Plan for Edge Server deployments in Skype for Business Server", "Edge pool"}},
    FindingKind{"mras-credentials.not-asked", "links on which nothing could be asked", {"MS-AVEDGEA", "1.3"}},
};

enum Kind : std::size_t {
  sip_error,
  refused,
  unreadable,
  no_credentials,
  no_relay,
  faulty,
  no_answer,
  not_sip,
  version_differs,
  slow,
  clock_differs,
  pool_differs,
  not_asked
};

bool asks(const Link& link) {
  return link.service != Service::tls && link.expect == Expectation::accept;
}

std::string relay_text(const MediaRelay& relay) {
  std::string text = relay.host;
  if (relay.udp_port) text += fmt::format(" udp {}", *relay.udp_port);
  if (relay.tcp_port) text += fmt::format(" tcp {}", *relay.tcp_port);
  if (!relay.location.empty()) text += fmt::format(" ({})", relay.location);
  return text;
}

void add_patch_levels(const Evidence& evidence, const Handshake& handshake, Finding& found) {
  for (const std::string& name : {handshake.from, handshake.to}) {
    const Server* server = evidence.site.server(name);
    if (server != nullptr && !server->patch_level.empty()) {
      found.facts.push_back(fmt::format("patch level of {}: {}", name, server->patch_level));
    }
  }
}

/// For an answer that does not give its reason in ms-diagnostics.
std::string remedy_for(const Handshake& handshake, unsigned sip_status) {
  switch (sip_status) {
    case 401:
    case 407:
      return fmt::format(
          "{} takes {} for a client that has to log in, not for a server of the topology: check that the name in its "
          "certificate stands in the topology that {} holds, and that 5062 of the internal interface is what was "
          "asked.",
          handshake.to, handshake.from, handshake.to);
    case 403:
      return fmt::format(
          "The certificate was accepted, the request was not: check that {} stands in the topology that {} holds "
          "(Enable-CsTopology, replication on port 4443).",
          handshake.from, handshake.to);
    case 404:
      return "The service that was asked is not known there: set mras.service in the configuration to the mrasUri that "
             "a client is given, and check that an Edge is assigned to the pool in the topology.";
    case 408:
    case 504:
      return fmt::format("{} could not pass the request on, and does not say why: take a SIPStack trace there.",
                         handshake.to);
    case 503:
      return fmt::format(
          "{} is overloaded, starting or stopping: look at its services (Get-CsWindowsService) and its application "
          "log, "
          "then run this check again.",
          handshake.to);
    default:
      break;
  }
  if (sip_status >= 300 && sip_status < 400) {
    return fmt::format(
        "{} sends the request elsewhere, which no Edge does: check that the address and the port are the Edge's own, "
        "and no load balancer's or proxy's.",
        handshake.to);
  }
  return fmt::format("Take a SIPStack trace on {} while this check runs: it names the reason.", handshake.to);
}

Finding sip_error_finding(const Evidence& evidence, const Handshake& handshake, const MrasExchange& exchange) {
  Finding found = finding(kinds[sip_error], Status::critical, handshake.id());
  found.summary = fmt::format("{} answered the {} of {} with {} {}", handshake.to, exchange.method, handshake.from,
                              exchange.sip_status, exchange.sip_reason);
  for (const MsDiagnostics& diagnostics : exchange.diagnostics) {
    std::string line = fmt::format("ms-diagnostics: {}", diagnostics.id);
    for (const auto& [name, value] : diagnostics.parameters) line += fmt::format("; {}=\"{}\"", name, value);
    found.facts.push_back(std::move(line));
    const std::string words = explain(diagnostics);
    if (words.empty()) continue;
    found.remedy += (found.remedy.empty() ? "" : " ") + words;
  }
  found.servers = {handshake.from, handshake.to};
  found.reason = fmt::format("{} {}", exchange.sip_status, exchange.sip_reason);
  for (const MsDiagnostics& diagnostics : exchange.diagnostics) {
    found.reason += fmt::format(", ms-diagnostics {}", diagnostics.id);
    for (const auto& [name, value] : diagnostics.parameters) {
      if (equals_ignoring_case(name, "HRESULT")) found.reason += " " + value;
    }
  }
  if (!exchange.server_banner.empty()) found.facts.push_back(fmt::format("answered by {}", exchange.server_banner));
  add_patch_levels(evidence, handshake, found);
  if (found.remedy.empty()) found.remedy = remedy_for(handshake, exchange.sip_status);
  return found;
}

Finding mras_finding(Kind kind, const Handshake& handshake, const MrasExchange& exchange, std::string summary,
                     std::string remedy) {
  Finding found = finding(kinds[kind], Status::critical, handshake.id());
  found.servers = {handshake.from, handshake.to};
  found.summary = std::move(summary);
  found.remedy = std::move(remedy);
  if (exchange.sip_status != 0)
    found.facts.push_back(fmt::format("SIP {} {}", exchange.sip_status, exchange.sip_reason));
  if (!exchange.server_version.empty()) {
    found.facts.push_back(
        fmt::format("asked in version {}, answered by version {}", exchange.version, exchange.server_version));
  }
  if (exchange.strangers > 0) {
    found.facts.push_back(
        fmt::format("{} that belonged to no request of ours came instead", count(exchange.strangers, "message")));
  }
  if (&exchange == &*handshake.mras && !handshake.detail.empty() && handshake.detail != exchange.problem)
    found.facts.push_back(handshake.detail);
  return found;
}

/// A server may grant less than it was asked for; but a client fetches these once, and uses them for hours.
constexpr std::chrono::minutes shortest_useful{10};

/// What is wrong with an answer that grants credentials; empty when a client can use it.
std::string fault_of(const MrasExchange& exchange, MrasLocation asked) {
  if (!exchange.problem.empty()) return exchange.problem;
  if (!exchange.granted) return "it does not say how long they last";
  if (*exchange.granted < std::min(exchange.asked, shortest_useful)) {
    return fmt::format("its credentials last for {} only, and {} were asked for",
                       count(static_cast<std::size_t>(exchange.granted->count()), "minute"),
                       count(static_cast<std::size_t>(exchange.asked.count()), "minute"));
  }
  bool fits = false;
  for (const MediaRelay& relay : exchange.relays) {
    if (!relay.udp_port && !relay.tcp_port) return fmt::format("relay {} has no port", relay.host);
    if (relay.host.starts_with("127.") || relay.host == "0.0.0.0" || relay.host == "::1" || relay.host == "::") {
      return fmt::format("relay {} is an address that no client can reach", relay.host);
    }
    fits = fits || asked == MrasLocation::both || relay.location.empty() ||
           equals_ignoring_case(relay.location, to_string(asked));
  }
  return fits ? "" : fmt::format("it names no relay for the {}, which was asked for", to_string(asked));
}

/// Nothing when credentials were granted.
std::optional<Finding> judge_exchange(const Evidence& evidence, const Handshake& handshake,
                                      const MrasExchange& exchange, bool credentials_wanted) {
  const std::string& to = handshake.to;
  const std::string why = exchange.problem.empty() ? std::string{to_string(handshake.outcome)} : exchange.problem;
  if (exchange.sip_status >= 300 && !exchange.answered) {  // no as clear as can be, though the rest is not whole
    Finding refusal = sip_error_finding(evidence, handshake, exchange);
    refusal.facts.push_back(fmt::format("the answer broke off or broke the rules of SIP: {}", why));
    return refusal;
  }
  if (handshake.outcome == Outcome::not_sip && exchange.sip_status != 0) {
    return mras_finding(
        not_sip, handshake, exchange,
        fmt::format("{} answers in SIP that cannot be followed: {}", handshake.endpoint(), why),
        fmt::format("The port is right, as the answer begins with SIP: look for a proxy or an inspection device that "
                    "changes messages on the way, and take a SIPStack trace on {}.",
                    to));
  }
  if (handshake.outcome == Outcome::not_sip) {
    return mras_finding(not_sip, handshake, exchange,
                        fmt::format("what {} answers inside TLS is not SIP: {}", handshake.endpoint(), why),
                        "Check the port: A/V authentication listens on 5062 of the Edge's internal interface.");
  }
  if (!exchange.answered) {
    return mras_finding(
        no_answer, handshake, exchange,
        fmt::format("{} took the {} of {} and gave no whole answer: {}", to, exchange.method, handshake.from, why),
        fmt::format("Check on {} that the A/V Authentication service runs, that its clock and time zone are right, and "
                    "look into its SIPStack trace for the request.",
                    to));
  }
  if (!credentials_wanted) {
    // Any final answer to OPTIONS shows that SIP is spoken (RFC 3261, 11), but not that the server is well.
    if (exchange.sip_status < 500 || exchange.sip_status == 501) return std::nullopt;
    Finding ill = sip_error_finding(evidence, handshake, exchange);
    ill.status = Status::warning;
    return ill;
  }
  if (exchange.sip_status < 200 || exchange.sip_status > 299) return sip_error_finding(evidence, handshake, exchange);
  if (!exchange.body_present) {
    return mras_finding(unreadable, handshake, exchange,
                        fmt::format("the answer of {} carries no MRAS response that can be read: {}", to,
                                    exchange.problem.empty() ? "no body of that kind" : exchange.problem),
                        fmt::format("Check that the A/V Authentication service of {} is the one that answers, and that "
                                    "no device changes SIP on the way.",
                                    to));
  }
  if (!equals_ignoring_case(exchange.reason_phrase, "OK")) {
    const Explanation* explained = explain_mras_reason(exchange.reason_phrase);
    Finding found = mras_finding(
        refused, handshake, exchange, fmt::format("MRAS on {} answered \"{}\"", to, exchange.reason_phrase),
        explained != nullptr ? std::string{explained->remedy}
                             : fmt::format("Look into the application log and the SIPStack trace of {}.", to));
    if (explained != nullptr) found.facts.push_back(fmt::format("{}: {}", exchange.reason_phrase, explained->meaning));
    return found;
  }
  const bool expired = exchange.granted && exchange.granted->count() <= 0;
  if (!exchange.credentials_present || !exchange.credentials_well_formed || expired) {
    std::string how = !exchange.credentials_present ? "missing"
                      : expired                     ? fmt::format("valid for {} minutes", exchange.granted->count())
                                                    : "not base64";
    if (!exchange.problem.empty()) how += ": " + exchange.problem;
    return mras_finding(
        no_credentials, handshake, exchange, fmt::format("MRAS on {} says OK, but its credentials are {}", to, how),
        fmt::format("Restart the A/V Authentication service of {}; compare its patch level with the Front End's.", to));
  }
  if (exchange.relays.empty()) {
    return mras_finding(no_relay, handshake, exchange,
                        fmt::format("MRAS on {} grants credentials and names no relay{}", to,
                                    exchange.problem.empty() ? "" : ": " + exchange.problem),
                        "Check the A/V Edge settings of the topology (external and internal FQDN and ports), publish "
                        "it, and let it replicate.");
  }
  return std::nullopt;
}

/// How far the clock of whoever answered is ahead of ours, and by what that shows.
struct ClockReading {
  std::chrono::seconds ahead{0};
  std::string by;
};

std::optional<ClockReading> clock_by_date(const MrasExchange& exchange) {
  if (!exchange.answered_at || !exchange.date) return std::nullopt;
  return ClockReading{*exchange.date - *exchange.answered_at, "the Date of its answer"};
}

std::optional<ClockReading> clock_by_token(const MrasExchange& exchange) {
  if (!exchange.answered_at || !exchange.token_expiry || !exchange.granted) return std::nullopt;
  // That credentials end so long after they were granted as the answer says is inferred, and so is the form of the
  // time in them: what is off by a day is no clock that is wrong but another form.
  const std::chrono::seconds ahead = *exchange.token_expiry - *exchange.granted - *exchange.answered_at;
  if (std::chrono::abs(ahead) >= std::chrono::hours{24}) return std::nullopt;
  return ClockReading{ahead, "the time at which the credentials end"};
}

void judge_clock(const Handshake& handshake, const Thresholds& thresholds, Labels& labels, Verdict& verdict) {
  const auto token = clock_by_token(*handshake.mras);
  const auto date = clock_by_date(*handshake.mras);
  const auto clock = date ? date : token;
  if (!clock) return;
  const std::string ends = fmt::format("{}_{}", short_host(handshake.from), short_host(handshake.to));
  const auto seconds = static_cast<double>(clock->ahead.count());
  verdict.perfdata.push_back({labels.unique("clock_" + ends), seconds, "s", thresholds.warning, thresholds.critical,
                              std::nullopt, std::nullopt});
  // Date may be that of whoever passed the answer on, the credentials are the Edge's own; but what is inferred does not
  // alert beside what is said.
  if (date && token)
    verdict.perfdata.push_back({labels.unique("token_clock_" + ends), static_cast<double>(token->ahead.count()), "s",
                                std::nullopt, std::nullopt, std::nullopt, std::nullopt});
  const Status status = status_of(seconds, thresholds);
  if (status == Status::ok) return;
  Finding& differs = verdict.findings.emplace_back(finding(kinds[clock_differs], status, handshake.id()));
  differs.servers = {handshake.to};
  const auto words = [](const ClockReading& reading) {
    return fmt::format("{} s {}", std::abs(reading.ahead.count()), reading.ahead.count() < 0 ? "behind" : "ahead of");
  };
  differs.summary = fmt::format("the clock of {} is {} that of this host", handshake.to, words(*clock));
  differs.facts.push_back(fmt::format("by {}; it was {} here", clock->by, to_iso8601(*handshake.mras->answered_at)));
  if (date && token) differs.facts.push_back(fmt::format("by {} it is {} that of this host", token->by, words(*token)));
  differs.remedy = fmt::format(
      "Compare both clocks and time zones with a third one (w32tm /stripchart /computer:NAME on {}, chronyc tracking "
      "or timedatectl here), and set right the wrong one. Credentials end by the clock of the Edge that granted them, "
      "and a Front End whose clock is wrong lets requests expire before they are sent.",
      handshake.to);
}

using Exchanges = std::vector<const MrasExchange*>;

/// The requests for credentials that count, in their order: not those that were asked again in another version.
Exchanges requests_of(const Handshake& handshake) {
  Exchanges all{&*handshake.mras};
  for (const MrasExchange& exchange : handshake.further) {
    if (exchange.method == "SERVICE" && !exchange.asked_again) all.push_back(&exchange);
  }
  return all;
}

std::vector<std::string> relays_of(const Exchanges& exchanges) {
  std::vector<std::string> relays;
  for (const MrasExchange* exchange : exchanges) {
    for (const MediaRelay& relay : exchange->relays) {
      std::string text = relay_text(relay);
      if (std::find(relays.begin(), relays.end(), text) == relays.end()) relays.push_back(std::move(text));
    }
  }
  return relays;
}

/// What must be the same whichever Edge of a pool answers: clients take the credentials of one to another.
std::string promise_of(const Exchanges& exchanges) {
  std::vector<std::string> relays = relays_of(exchanges);
  std::sort(relays.begin(), relays.end());
  const MrasExchange& exchange = *exchanges.front();
  std::string text = fmt::format("relay {}", enumerate(relays));
  if (!exchange.realm.empty()) text += fmt::format("; realm {}", exchange.realm);
  if (!exchange.server_version.empty()) text += fmt::format("; MRAS version {}", exchange.server_version);
  if (exchange.token_version) text += fmt::format("; credentials of version {}", *exchange.token_version);
  return text;
}

/// What the members of one pool answered, whoever asked them.
struct Pool {
  std::map<std::string, std::set<std::string>> promises;    ///< by promise, who made it
  std::map<std::string, std::vector<std::string>> clients;  ///< by member, the user as in each of its tokens
};
using Pools = std::map<std::string, Pool>;

/// The keys behind credentials never show. But of one user the same keys make the same 20 bytes (HMAC, as OfficeSIP has
/// it; inferred for others), so that members which each say the same every time, and not what the others say, have
/// probably different keys. Nothing is concluded from a member that was seen once.
void judge_keys(const std::string& name, const Pool& pool, Verdict& verdict) {
  std::map<std::string, std::vector<std::string>> by_client;
  for (const auto& [member, seen] : pool.clients) {
    const std::string& first = seen.front();
    const bool same = std::count(seen.begin(), seen.end(), first) == static_cast<std::ptrdiff_t>(seen.size());
    if (seen.size() < 2 || !same || first.empty()) return;
    by_client[first].push_back(member);
  }
  if (by_client.size() < 2) return;
  Finding& differ = verdict.findings.emplace_back(finding(kinds[pool_differs], Status::warning, name));
  differ.summary = fmt::format(
      "the credentials of {} are probably made with different keys, so that a relay of the pool rejects "
      "those of another member",
      name);
  for (const auto& [client, members] : by_client)
    differ.facts.push_back(fmt::format("{}: the user stands in them as {}...", enumerate(members), client));
  differ.remedy = fmt::format(
      "Assign the same certificate for media relay authentication (Get-CsCertificate -Type AudioVideoAuthentication, "
      "compare the thumbprints) to every Edge of {}, with its private key, and restart their A/V authentication "
      "services.",
      name);
}

void judge_pools(const Pools& pools, Verdict& verdict) {
  for (const auto& [pool, answers] : pools) {
    judge_keys(pool, answers, verdict);
    if (answers.promises.size() < 2) continue;
    Finding& differ = verdict.findings.emplace_back(finding(kinds[pool_differs], Status::warning, pool));
    differ.summary = fmt::format("the Edges of {} do not answer alike when they are asked for credentials", pool);
    for (const auto& [promise, members] : answers.promises)
      differ.facts.push_back(fmt::format("{}: {}", enumerate({members.begin(), members.end()}), promise));
    std::sort(differ.facts.begin(), differ.facts.end());
    differ.remedy = fmt::format(
        "The Edges of one pool share the topology and the certificate for media relay authentication: see that each "
        "has the current topology (Get-CsManagementStoreReplicationStatus), the same updates and that certificate, "
        "and restart the A/V authentication service of the one of {} that differs.",
        pool);
  }
}

/// "intranet" where a request says where, else empty.
std::string_view place_of(const MrasExchange& exchange) {
  return exchange.location ? to_string(*exchange.location) : std::string_view{};
}

/// Adds `found`, or to `first`, where that is the same of another location, that it is so there, too.
void add_once(std::optional<Finding>& first, Finding found, const MrasExchange& exchange, Verdict& verdict) {
  const bool same = first && first->code == found.code && first->summary == found.summary;
  if (same) {
    first->facts.push_back(fmt::format("it is the same for the {}", place_of(exchange)));
    return;
  }
  if (first) verdict.findings.push_back(std::exchange(first, std::nullopt).value());
  if (!place_of(exchange).empty()) found.facts.push_back(fmt::format("asked for the {}", place_of(exchange)));
  first = std::move(found);
}

/// Judges every request on one link; whether all of them were granted.
bool judge_requests(const Evidence& evidence, const Handshake& handshake, const Exchanges& exchanges,
                    bool credentials_wanted, Verdict& verdict) {
  bool granted = true;
  std::optional<Finding> last;
  for (const MrasExchange* exchange : exchanges) {
    if (auto found = judge_exchange(evidence, handshake, *exchange, credentials_wanted)) {
      add_once(last, std::move(*found), *exchange, verdict);
      granted = false;
      continue;
    }
    const MrasLocation asked = exchange->location.value_or(evidence.site.mras.location);
    const std::string fault = credentials_wanted ? fault_of(*exchange, asked) : std::string{};
    if (fault.empty()) continue;
    Finding odd = mras_finding(
        faulty, handshake, *exchange,
        fmt::format("MRAS on {} grants credentials, but its answer is faulty: {}", handshake.to, fault),
        fmt::format("Look at the MRAS service of {}, its version and its relays; then run this check again.",
                    handshake.to));
    odd.status = Status::warning;
    add_once(last, std::move(odd), *exchange, verdict);
  }
  if (last) verdict.findings.push_back(std::move(*last));
  return granted;
}

/// What else was asked on the connection: an OPTIONS, and a version that is not spoken.
void judge_besides(const Evidence& evidence, const Handshake& handshake, const Link& link, Verdict& verdict) {
  for (const MrasExchange& exchange : handshake.further) {
    if (exchange.method == "OPTIONS") {
      verdict.notes.push_back(
          {handshake.id(), exchange.answered
                               ? fmt::format("OPTIONS answered: {} {}{}{}", exchange.sip_status, exchange.sip_reason,
                                             exchange.server_banner.empty() ? "" : ", ", exchange.server_banner)
                               : fmt::format("OPTIONS not answered: {}", exchange.problem)});
    }
    if (!exchange.asked_again) continue;
    Finding differs = mras_finding(
        version_differs, handshake, exchange,
        fmt::format("MRAS on {} does not speak version {}, which {} asks in as {}; it was asked again in its own, {}",
                    handshake.to, exchange.version, handshake.from, to_string(evidence.site.profile_of(link)),
                    exchange.server_version),
        fmt::format("A Front End that asks in {} only gets no credentials here: compare product and updates of {} and "
                    "{}. Where {} is of another generation, set its 'profile' in the configuration.",
                    exchange.version, handshake.from, handshake.to, handshake.from));
    differs.status = Status::warning;
    verdict.findings.push_back(std::move(differs));
  }
}

std::string grant_text(const Exchanges& exchanges) {
  const MrasExchange& exchange = *exchanges.front();
  std::string text = fmt::format("relay {}", enumerate(relays_of(exchanges)));
  if (!exchange.granted) return text;
  text += fmt::format("; credentials for {} min", exchange.granted->count());
  if (*exchange.granted < exchange.asked) text += fmt::format(" ({} were asked for)", exchange.asked.count());
  if (exchange.token_version) text += fmt::format("; of version {}", *exchange.token_version);
  if (exchange.token_expiry) text += fmt::format(", until {}", to_iso8601(*exchange.token_expiry));
  return text;
}

Verdict judge(const Evidence& evidence) {
  Verdict verdict;
  Labels labels;
  const LinksByEnds links{evidence};
  const Thresholds thresholds = evidence.site.policy.of("mras-time");
  const Thresholds clock_thresholds = evidence.site.policy.of("clock-difference");
  Pools pools;
  std::vector<std::string> half_asked;
  for (const Handshake& handshake : evidence.handshakes) {
    const Link* link = links.of(handshake);
    if (!handshake.mras || link == nullptr || !asks(*link)) continue;
    if (handshake.outcome == Outcome::rejected_by_peer)
      continue;  // refused late, with the first read: handshake's finding
    // Not the peer's doing: a gap says why. Cut off before it had let us in: handshake says so.
    if (handshake.outcome == Outcome::local_failure && !handshake.mras->answered) continue;
    if (handshake.phase < Phase::sip && !handshake.mras->answered) continue;
    ++verdict.examined;
    const MrasExchange& exchange = *handshake.mras;
    std::optional<double> seconds;
    if (exchange.answered) seconds = std::chrono::duration<double>(handshake.sip_time).count();
    const std::string label =
        labels.unique(fmt::format("mras_{}_{}", short_host(handshake.from), short_host(handshake.to)));
    verdict.perfdata.push_back({label, seconds, "s", thresholds.warning, thresholds.critical, 0, std::nullopt});
    judge_clock(handshake, clock_thresholds, labels, verdict);
    const bool credentials_wanted = link->service == Service::mras;
    const Exchanges exchanges = requests_of(handshake);
    judge_besides(evidence, handshake, *link, verdict);
    const std::size_t before = verdict.findings.size();
    const bool granted = judge_requests(evidence, handshake, exchanges, credentials_wanted, verdict);
    if (credentials_wanted && exchange.location && evidence.site.mras.location == MrasLocation::both &&
        exchanges.size() < 2 && verdict.findings.size() == before)
      half_asked.push_back(fmt::format("{}: credentials for the internet", handshake.id()));
    if (!granted) continue;
    const Status late = seconds ? status_of(*seconds, thresholds) : Status::ok;
    if (late != Status::ok) {
      Finding& tardy = verdict.findings.emplace_back(finding(kinds[slow], late, handshake.id()));
      tardy.summary = fmt::format("{} took {:.3f} s to answer", handshake.to, *seconds);
      tardy.remedy = "Look at the load of the Edge, or set other thresholds for mras-time.";
    }
    if (!credentials_wanted) {
      verdict.notes.push_back(
          {handshake.id(), fmt::format("OPTIONS answered: {} {}", exchange.sip_status, exchange.sip_reason)});
      continue;
    }
    if (const Server* to = evidence.site.server(handshake.to); to != nullptr && !to->pool.empty()) {
      pools[to->pool].promises[promise_of(exchanges)].insert(to->name);
      for (const MrasExchange* each : exchanges) pools[to->pool].clients[to->name].push_back(each->token_client);
    }
    verdict.notes.push_back({handshake.id(), grant_text(exchanges)});
  }
  judge_pools(pools, verdict);
  auto silent = links_not_reaching(evidence, Phase::sip, asks);
  const bool none_reached = !silent.empty();
  silent.insert(silent.end(), half_asked.begin(), half_asked.end());
  if (!silent.empty()) {
    Finding& skipped = verdict.findings.emplace_back(finding(kinds[not_asked], Status::unknown, evidence.site.name));
    skipped.summary = fmt::format("on {} MRAS could not be asked, or nothing came back", count(silent.size(), "link"));
    skipped.facts = std::move(silent);
    skipped.remedy = none_reached ? "Mend the findings of names-resolve, port-reachable and handshake first."
                                  : "Give the run more time with --deadline.";
  }
  return verdict;
}

}  // namespace

extern const Check mras_credentials;
constinit const Check mras_credentials{
    .id = "mras-credentials",
    .title = "every Edge grants media relay credentials when asked as a Front End asks",
    .needs = Needs::handshakes | Needs::names | Needs::identities,
    .kinds = kinds,
    .judge = judge};

}  // namespace mrascheck::checks

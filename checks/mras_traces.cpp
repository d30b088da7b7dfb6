// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "checks/common.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array kinds{
    FindingKind{"mras-traces.never-reached",
                "requests that failed stand in the trace of the Front End, and not in that of the Edge",
                {"dodeitte, Issues with MRAS and Limited External Calling", "issue 1"}},
    FindingKind{"mras-traces.failed", "requests in the traces were answered with an error", {"RFC 3261", "21"}},
    FindingKind{"mras-traces.unanswered", "requests in the traces got no answer", {"RFC 3261", "17.1.2"}},
    FindingKind{"mras-traces.noted",
                "a server noted errors about port 5062 that belong to no request",
                {"Microsoft Learn, Using OCSLogger", "SIPStack"}},
    FindingKind{"mras-traces.growing",
                "a log grows far faster than its traffic",
                {"dodeitte, Issues with MRAS and Limited External Calling", "issue 1"}},
    FindingKind{"mras-traces.untold",
                "the traces do not say how MRAS requests ended",
                {"Microsoft Learn, Using OCSLogger", "SIPStack"}},
};

enum Kind : std::size_t { never_reached, failed, unanswered, noted, growing, untold };

constexpr std::size_t errors_shown = 5;

std::string when_traced(TraceTime first, TraceTime last) {
  if (first == undated) return "at an unknown time";
  return first == last ? fmt::format("at {}", to_text(first))
                       : fmt::format("from {} to {}", to_text(first), to_text(last));
}

std::string error_line(const TraceError& error) {
  const std::string code = error.result.substr(0, error.result.find(' '));
  const bool said = error.result.empty() || to_lower(error.text).find(code) != std::string::npos;
  return fmt::format("{}: {}{}{}{}", error.grave ? "error" : "warning", error.text,
                     said ? "" : fmt::format(" ({})", error.result),
                     error.peer.empty() ? "" : fmt::format(", peer {}", error.peer),
                     error.data.empty() ? "" : fmt::format("; {}", error.data));
}

std::string edge_named(const TracedRequests& group) {
  return group.to.empty() ? std::string{"an Edge that is not named"} : group.to;
}

bool is_failure(const TracedRequests& group) {
  return group.outcome == TraceOutcome::failed || group.outcome == TraceOutcome::unanswered;
}

/// Ids of the SIP stack that say why the next hop could not be connected to ([MS-OCER] 2.2.1; 2 in OCS 2007 R2 says it
/// by its HRESULT only).
bool is_about_connection(const MsDiagnostics& diagnostics) {
  constexpr std::array ids{1007U, 1008U, 1010U, 1014U, 1038U, 1046U, 1047U};
  return std::find(ids.begin(), ids.end(), diagnostics.id) != ids.end() ||
         !diagnostics.parameter("WinsockFailureCode").empty() ||
         to_lower(diagnostics.parameter("HRESULT")).find("0xc3e93c69") != std::string::npos;
}

/// Who had it, and every server that it may have been for.
std::vector<std::string> servers_of(const Evidence& evidence, const TracedRequests& group) {
  std::vector<std::string> servers{group.from};
  for (const Server* member : evidence.site.members(group.to)) {
    if (member->role == Role::edge && member->name != group.from) servers.push_back(member->name);
  }
  return servers;
}

void add_remedy(const TracedRequests& group, Finding& found) {
  std::vector<const TraceError*> errors;
  for (const TraceError& error : group.errors) errors.push_back(&error);
  const bool answered = group.answer.status != 0 || !group.answer.diagnostics.empty();
  found.remedy = explain_trace(answered ? &group.answer : nullptr, errors);
  if (group.never_reached > 0) {
    found.remedy += fmt::format(
        "{}What never reaches the Edge fails before any SIP is exchanged: on the network, in TLS, or over a "
        "certificate "
        "that one side refuses. Where port, name and route are in order, it usually is the certificates: see what the "
        "other checks say of {} and {}, and give this run the certificate and the stores of both.",
        found.remedy.empty() ? "" : " ", group.from, edge_named(group));
  }
  if (group.reached_unanswered > 0 && group.outcome != TraceOutcome::granted) {
    found.remedy += fmt::format("{}Look at the service that hands out credentials, RTCMRAUTH, on {}, and its events.",
                                found.remedy.empty() ? "" : " ", edge_named(group));
  }
  if (found.remedy.empty())
    found.remedy =
        fmt::format("Read the trace of {} by these Call-IDs: mrascheck trace -v shows every request.", group.from);
  found.remedy += " Once it is mended, take new traces: these stay as they are.";
}

/// Of the Edges that a request may have gone to, those whose trace is here, and those of which there is none.
struct Watched {
  std::vector<std::string> traced, untraced;
};
Watched edges_watched(const Evidence& evidence, const TracedRequests& group) {
  Watched watched;
  for (const Server* member : evidence.site.members(group.to)) {
    if (member->role != Role::edge) continue;
    const bool here =
        std::any_of(evidence.traced.servers.begin(), evidence.traced.servers.end(),
                    [&](const auto& server) { return server.server == member->name && server.records > 0; });
    (here ? watched.traced : watched.untraced).push_back(member->name);
  }
  return watched;
}

void judge_group(const Evidence& evidence, const TracedRequests& group, Verdict& verdict) {
  const Kind kind = group.never_reached > 0                     ? never_reached
                    : group.outcome == TraceOutcome::unanswered ? unanswered
                                                                : failed;
  const Status status = group.left_without > 0 ? Status::critical : Status::warning;
  Finding found = finding(kinds[kind], status, fmt::format("{} -> {}", group.from, edge_named(group)));
  const std::string requests = count(group.requests, "MRAS request");
  switch (kind) {
    case never_reached: {
      const Watched watched = edges_watched(evidence, group);
      const bool in_part = !watched.untraced.empty() && !watched.traced.empty();
      const std::string how = in_part
                                  ? fmt::format("for {} never reached {}", edge_named(group), enumerate(watched.traced))
                                  : fmt::format("never reached {}", edge_named(group));
      found.summary =
          group.never_reached == group.requests
              ? fmt::format("{} of {} {}", requests, group.from, how)
              : fmt::format("{} of {} failed, and {} of them {}", requests, group.from, group.never_reached, how);
      if (in_part)
        found.facts.push_back(
            fmt::format("of {} there is no trace here: they may have gone there", enumerate(watched.untraced)));
      break;
    }
    case unanswered:
      found.summary = fmt::format("{} of {} for {} got no answer", requests, group.from, edge_named(group));
      break;
    default:
      found.summary = fmt::format("{} of {} for {} failed: {}", requests, group.from, edge_named(group), group.title);
      break;
  }
  if (kind != failed) found.facts.push_back(group.title);
  found.facts.push_back(fmt::format(
      "{}, by the clock of {}; {}{}", when_traced(group.first, group.last), group.from, count(group.users, "user"),
      group.left_without == 0             ? ", left with credentials all the same"
      : group.left_without == group.users ? ", left without credentials"
                                          : fmt::format(", {} of them left without credentials", group.left_without)));
  if (group.reached_answered > 0)
    found.facts.push_back(fmt::format("{} came to the Edge and got an answer there",
                                      count(group.reached_answered, "of them", "of them")));
  if (group.reached_unanswered > 0)
    found.facts.push_back(fmt::format("{} came to the Edge, and no answer left it within its trace",
                                      count(group.reached_unanswered, "of them", "of them")));
  if (group.not_told > 0)
    found.facts.push_back(fmt::format(
        "of {} the trace of the Edge does not tell whether they came: it does not cover that time, or is another's",
        group.not_told));
  for (std::size_t i = 0; i < group.errors.size() && i < errors_shown; ++i)
    found.facts.push_back(fmt::format("on the same call: {}", error_line(group.errors[i])));
  if (group.errors.size() > errors_shown)
    found.facts.push_back(fmt::format("and {} more", group.errors.size() - errors_shown));
  found.facts.push_back(fmt::format("Call-ID {}{}", enumerate(group.call_ids),
                                    group.requests > group.call_ids.size() ? ", and more" : ""));
  found.servers = servers_of(evidence, group);
  for (const MsDiagnostics& diagnostics : group.answer.diagnostics) {
    if (found.reason.empty()) found.reason = std::string{diagnostics.parameter("HRESULT")};
    found.about_connection = found.about_connection || is_about_connection(diagnostics);
  }
  add_remedy(group, found);
  verdict.findings.push_back(std::move(found));
}

void judge_server(const TracedServer& server, Verdict& verdict) {
  if (grows_too_fast(server.records, server.requests)) {
    Finding found = finding(kinds[growing], Status::warning, server.server);
    found.summary = fmt::format("the log of {} grows far faster than its traffic: {} for {}", server.server,
                                count(server.records, "record"), count(server.requests, "SIP transaction"));
    found.facts.push_back(when_traced(server.first, server.last));
    if (server.errors_noted > 0)
      found.facts.push_back(fmt::format("{} of level error", count(server.errors_noted, "record")));
    found.servers = {server.server};
    found.remedy =
        "Connections that fail again and again, as over a certificate that is refused, do that; so does tracing of "
        "many "
        "components at level All. See what the other checks say of certificates; else trace SIPStack alone.";
    verdict.findings.push_back(std::move(found));
  }
  std::vector<const TraceError*> grave;
  for (const TraceError& error : server.errors) {
    if (error.grave) grave.push_back(&error);
  }
  if (grave.empty()) return;
  Finding found = finding(kinds[noted], Status::warning, server.server);
  std::uint64_t times = 0;
  for (const TraceError* error : grave) times += error->loose;
  found.summary = fmt::format("{} noted {} about port 5062, on no request", server.server, count(times, "error"));
  for (std::size_t i = 0; i < grave.size() && i < errors_shown; ++i) {
    found.facts.push_back(fmt::format("{}; {}, {}", error_line(*grave[i]),
                                      grave[i]->loose == 1 ? "once" : fmt::format("{} times", grave[i]->loose),
                                      when_traced(grave[i]->first.at, grave[i]->last.at)));
  }
  if (grave.size() > errors_shown) found.facts.push_back(fmt::format("and {} more", grave.size() - errors_shown));
  found.servers = {server.server};
  found.remedy = explain_trace(nullptr, grave);
  if (found.remedy.empty())
    found.remedy =
        "Look at what it names: mrascheck explain takes each of these codes, and mrascheck trace -v lists "
        "them all.";
  verdict.findings.push_back(std::move(found));
}

/// Traces that say nothing of what is asked: no request, or none with an end.
void judge_silence(const Evidence& evidence, Verdict& verdict) {
  std::uint64_t told = 0;
  std::uint64_t unclear = 0;
  std::uint64_t unfinished = 0;
  for (const TracedRequests& group : evidence.traced.requests) {
    if (group.outcome == TraceOutcome::granted || is_failure(group)) {
      told += group.requests;
    } else {
      (group.outcome == TraceOutcome::unclear ? unclear : unfinished) += group.requests;
    }
  }
  if (told > 0 && unclear == 0) return;
  Finding found = finding(kinds[untold], Status::unknown, evidence.site.name);
  for (const TracedServer& server : evidence.traced.servers) {
    found.servers.push_back(server.server);
    found.facts.push_back(fmt::format("{}: {}, {}", server.server, count(server.records, "record"),
                                      when_traced(server.first, server.last)));
  }
  if (unclear > 0) {
    found.summary =
        fmt::format("of {} the traces hold the answer 200, but not what MRAS says in it", count(unclear, "request"));
  } else if (unfinished > 0) {
    found.summary = "no MRAS request in the traces has an answer that says how it ended";
  } else {
    found.summary = "no MRAS request stands in the traces";
  }
  found.remedy =
      "Take SIPStack traces (flags TF_PROTOCOL and TF_DIAG) on the Front End and the Edge while a user signs in, until "
      "a minute after it, and give them to this run.";
  verdict.findings.push_back(std::move(found));
}

Verdict judge_traces(const Evidence& evidence) {
  Verdict verdict;
  const Traced& traced = evidence.traced;
  verdict.examined = traced.servers.size();
  if (traced.servers.empty()) return verdict;
  for (const TracedRequests& group : traced.requests) {
    if (is_failure(group)) {
      judge_group(evidence, group, verdict);
    } else if (group.outcome == TraceOutcome::granted) {
      verdict.notes.push_back({fmt::format("{} -> {}", group.from, edge_named(group)),
                               fmt::format("{} got credentials, {}", count(group.requests, "request"),
                                           when_traced(group.first, group.last))});
    }
  }
  for (const TracedServer& server : traced.servers) judge_server(server, verdict);
  judge_silence(evidence, verdict);
  for (const TracedServer& server : traced.servers) {
    const double each =
        server.requests == 0 ? 0.0 : static_cast<double>(server.records) / static_cast<double>(server.requests);
    verdict.notes.push_back(
        {server.server, fmt::format("{} in its traces, {}{}", count(server.records, "record"),
                                    count(server.requests, "SIP transaction"),
                                    server.requests == 0 ? "" : fmt::format(": {:.1f} records a transaction", each))});
  }
  for (const TracedClock& clock : traced.clocks) {
    const auto distance = clock.ahead < std::chrono::milliseconds{0} ? -clock.ahead : clock.ahead;
    verdict.notes.push_back(
        {clock.server, fmt::format("its clock is {:.3f} s {} that of {}, by {} that both traces hold{}",
                                   static_cast<double>(distance.count()) / 1000.0,
                                   clock.ahead < std::chrono::milliseconds{0} ? "behind" : "ahead of", clock.reference,
                                   count(clock.messages, "message"),
                                   clock.both_ways ? "" : ", one way, with the time on the way in it")});
  }
  return verdict;
}

}  // namespace

extern const Check mras_traces;
constinit const Check mras_traces{.id = "mras-traces",
                                  .title = "the requests in the servers' traces got credentials",
                                  .needs = Needs::traces,
                                  .kinds = kinds,
                                  .judge = judge_traces};

}  // namespace mrascheck::checks

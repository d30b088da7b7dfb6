// SPDX-License-Identifier: Apache-2.0
#include "core/traced.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "core/text.hpp"

namespace mrascheck {
namespace {

constexpr std::size_t most_groups = 500;
constexpr std::size_t most_loose_errors = 50;
constexpr std::size_t most_call_ids = 5;

/// The server that a name in a trace means: by its FQDN, else by its first label, where one alone has it.
const Server* server_of(const Site& site, std::string_view machine) {
  if (machine.empty()) return nullptr;
  const Server* found = nullptr;
  for (const Server& server : site.servers) {
    if (equals_ignoring_case(server.name, machine)) return &server;
    if (!equals_ignoring_case(short_host(server.name), short_host(std::string{machine}))) continue;
    if (found != nullptr) return nullptr;
    found = &server;
  }
  return found;
}

/// Of an Edge that was asked, by the name in the request.
std::string place_of(const Site& site, std::string_view name) {
  for (const Server& server : site.servers) {
    if (equals_ignoring_case(server.name, name) || equals_ignoring_case(server.resolved_name(), name))
      return server.name;
  }
  for (const Server& server : site.servers) {
    if (!server.pool.empty() && equals_ignoring_case(server.pool, name)) return server.pool;
  }
  return std::string{name};
}

void stretch(TraceTime& first, TraceTime& last, TraceTime from, TraceTime to) {
  if (from != undated && (first == undated || from < first)) first = from;
  if (to != undated && (last == undated || to > last)) last = to;
}

}  // namespace

void assign_traces(Traces& traces, const Site& site, const std::map<std::string, std::string>& owners) {
  for (TraceLog& log : traces.logs) {
    const Server* server = server_of(site, log.server);
    for (const std::string& file : log.files) {
      const auto owner = owners.find(file);
      if (server == nullptr && owner != owners.end()) server = site.server(owner->second);
    }
    if (server == nullptr) continue;
    log.server = server->name;
    if (!server->pool.empty()) log.pool = server->pool;
    log.role = server->role == Role::edge ? TraceRole::edge : TraceRole::front_end;
    log.role_given = true;
  }
}

Traced summarise(const TraceStudy& study, const Site& site) {
  Traced traced;
  const std::vector<TraceLog>& logs = study.traces.logs;
  std::map<std::string, std::size_t> by_server;
  for (const TraceLog& log : logs) {
    const auto [found, added] = by_server.try_emplace(log.server, traced.servers.size());
    if (added) traced.servers.emplace_back().server = log.server;
    TracedServer& server = traced.servers[found->second];
    server.files.insert(server.files.end(), log.files.begin(), log.files.end());
    stretch(server.first, server.last, log.first, log.last);
    server.records += log.records;
    server.requests += log.requests;
    server.errors_noted += log.errors_noted;
    server.other_timeouts += log.other_timeouts;
    server.broken += log.broken;
    server.at_mras += log.at_mras;
    for (const TraceError& error : log.errors) {
      if (error.loose > 0 && server.errors.size() < most_loose_errors) server.errors.push_back(error);
    }
  }

  std::set<std::string_view> without;
  for (const TraceTally& user : study.users) {
    if (user.left_without) without.insert(user.name);
  }
  using GroupKey = std::tuple<std::string, std::string, TraceOutcome, std::string>;
  std::map<GroupKey, std::size_t> groups;
  std::vector<std::set<std::string_view>> users;
  for (const TraceCall& call : study.calls) {
    if (call.log >= logs.size()) continue;
    const TraceCause* cause = call.cause < study.causes.size() ? &study.causes[call.cause] : nullptr;
    GroupKey key{logs[call.log].server, place_of(site, call.edge), call.outcome,
                 cause == nullptr ? std::string{} : cause->title};
    if (groups.size() >= most_groups && !groups.contains(key)) {
      std::get<1>(key).clear();
      std::get<3>(key) = cause == nullptr ? "" : "other causes";
      cause = nullptr;
    }
    const auto [found, added] = groups.try_emplace(key, traced.requests.size());
    if (added) {
      TracedRequests& made = traced.requests.emplace_back();
      std::tie(made.from, made.to, made.outcome, made.title) = key;
      if (cause != nullptr) {
        made.answer = cause->answer.value_or(TraceAnswer{});
        made.errors = cause->noted;
      }
      users.emplace_back();
    }
    TracedRequests& group = traced.requests[found->second];
    ++group.requests;
    if (users[found->second].insert(call.user).second) {
      ++group.users;
      if (cause != nullptr && without.contains(call.user)) ++group.left_without;
    }
    group.never_reached += call.reach == TraceReach::never ? 1U : 0U;
    group.reached_unanswered += call.reach == TraceReach::unanswered ? 1U : 0U;
    group.reached_answered += call.reach == TraceReach::answered ? 1U : 0U;
    group.not_told += call.reach == TraceReach::not_told ? 1U : 0U;
    stretch(group.first, group.last, call.at, call.at);
    if (group.call_ids.size() < most_call_ids) group.call_ids.push_back(call.call_id);
  }

  for (const TraceClock& clock : study.clocks) {
    const std::string& server = logs[clock.log].server;
    const std::string& reference = logs[clock.reference].server;
    if (clock.messages == 0 || server == reference) continue;
    traced.clocks.push_back({server, reference, clock.messages, clock.both_ways, clock.ahead, clock.spread});
  }
  return traced;
}

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "json/trace_json.hpp"

#include <algorithm>

#include "json/document.hpp"

namespace mrascheck::json {
namespace {

constexpr int trace_format_version = 1;
constexpr std::size_t max_listed = 5000;  // users and requests, each

Json stamp(TraceTime time) {
  if (time == undated) return nullptr;
  std::string text = to_text(time);
  text[10] = 'T';
  return text;
}

Json texts(const std::vector<std::string>& list) {
  Json array = Json::array();
  for (const std::string& text : list) array.push_back(safe_text(text));
  return array;
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(safe_text(text));
}

Json tally_json(const TraceTally& tally) {
  Json object;
  object["requests"] = tally.requests;
  object["granted"] = tally.granted;
  object["failed"] = tally.failed;
  object["unanswered"] = tally.unanswered;
  object["unclear"] = tally.unclear;
  object["unfinished"] = tally.unfinished;
  object["never_reached"] = tally.never_reached;
  object["first"] = stamp(tally.first);
  object["last"] = stamp(tally.last);
  object["first_failure"] = stamp(tally.first_failure);
  object["last_failure"] = stamp(tally.last_failure);
  return object;
}

Json error_json(const TraceError& error) {
  Json object;
  object["component"] = error.component;
  object["level"] = error.grave ? "error" : "warning";
  object["text"] = safe_text(error.text);
  object["result"] = safe_text(error.result);
  object["peer"] = safe_text(error.peer);
  object["data"] = safe_text(error.data);
  object["count"] = error.count;
  object["about_no_request"] = error.loose;
  object["first"] = stamp(error.first.at);
  object["last"] = stamp(error.last.at);
  return object;
}

Json log_json(const TraceLog& log, bool growing) {
  Json object;
  object["server"] = safe_text(log.server);
  object["pool"] = safe_text(log.pool);
  object["files"] = texts(log.files);
  object["role"] = to_string(log.role);
  object["role_given"] = log.role_given;
  object["first"] = stamp(log.first);
  object["last"] = stamp(log.last);
  object["records"] = log.records;
  object["sip_transactions"] = log.requests;
  object["records_per_transaction"] =
      log.requests == 0 ? Json(nullptr) : Json(static_cast<double>(log.records) / static_cast<double>(log.requests));
  object["grows_faster_than_traffic"] = growing;
  object["errors_noted"] = log.errors_noted;
  object["cut_off"] = log.broken;
  object["other_504"] = log.other_timeouts;
  Json errors = Json::array();
  for (const TraceError& error : log.errors) errors.push_back(error_json(error));
  object["errors"] = std::move(errors);
  return object;
}

Json named_tally(const TraceTally& tally) {
  Json object;
  object["name"] = text_or_null(tally.name);
  object["tally"] = tally_json(tally);
  return object;
}

}  // namespace

std::string write_trace(const TraceStudy& study) {
  Json document;
  document["format"] = "mrascheck-trace";
  document["version"] = trace_format_version;
  document["status"] = to_string(study.status);
  document["exit_code"] = exit_code(study.status);
  document["unknown_because"] = texts(study.unknown_because);
  document["not_read"] = texts(study.traces.unread);
  document["all"] = tally_json(study.all);
  Json files = Json::array();
  for (const TraceFile& file : study.traces.files) {
    files.push_back(
        {{"name", safe_text(file.name)}, {"bytes", file.bytes}, {"records", file.records}, {"utf16", file.utf16}});
  }
  document["files"] = std::move(files);
  Json servers = Json::array();
  for (std::size_t i = 0; i < study.traces.logs.size(); ++i) {
    const bool growing = std::find(study.growing.begin(), study.growing.end(), i) != study.growing.end();
    servers.push_back(log_json(study.traces.logs[i], growing));
  }
  document["servers"] = std::move(servers);
  Json clocks = Json::array();
  for (const TraceClock& clock : study.clocks) {
    Json object;
    object["server"] = safe_text(study.traces.logs[clock.log].server);
    object["reference"] = safe_text(study.traces.logs[clock.reference].server);
    object["messages"] = clock.messages;
    object["both_ways"] = clock.both_ways;
    object["ahead_ms"] = clock.messages == 0 ? Json(nullptr) : Json(clock.ahead.count());
    object["spread_ms"] = clock.messages == 0 ? Json(nullptr) : Json(clock.spread.count());
    clocks.push_back(std::move(object));
  }
  document["clocks"] = std::move(clocks);
  document["reach"] = study.compared ? Json{{"answered", study.reached_answered},
                                            {"unanswered", study.reached_unanswered},
                                            {"never", study.never_reached},
                                            {"not_told", study.not_told}}
                                     : Json(nullptr);
  Json causes = Json::array();
  for (const TraceCause& cause : study.causes) {
    Json object;
    object["title"] = safe_text(cause.title);
    object["explanation"] = safe_text(cause.explanation);
    object["tally"] = tally_json(cause.tally);
    object["users"] = cause.users;
    object["edges"] = texts(cause.edges);
    object["errors"] = texts(cause.errors);
    object["call_ids"] = texts(cause.call_ids);
    causes.push_back(std::move(object));
  }
  document["causes"] = std::move(causes);
  Json edges = Json::array();
  for (const TraceTally& edge : study.edges) edges.push_back(named_tally(edge));
  document["edges"] = std::move(edges);
  Json users = Json::array();
  for (std::size_t i = 0; i < study.users.size() && i < max_listed; ++i) {
    Json user = named_tally(study.users[i]);
    user["left_without"] = study.users[i].left_without;
    users.push_back(std::move(user));
  }
  document["users"] = std::move(users);
  document["users_not_listed"] = study.users.size() - std::min(study.users.size(), max_listed);
  Json requests = Json::array();
  for (std::size_t i = 0; i < study.calls.size() && i < max_listed; ++i) {
    const TraceCall& call = study.calls[i];
    Json object;
    object["call_id"] = safe_text(call.call_id);
    object["cseq"] = call.cseq == 0 ? Json(nullptr) : Json(call.cseq);
    object["at"] = stamp(call.at);
    object["user"] = text_or_null(call.user);
    object["edge"] = text_or_null(call.edge);
    object["outcome"] = to_string(call.outcome);
    object["reach"] = to_string(call.reach);
    object["cause"] = call.cause < study.causes.size() ? Json(call.cause) : Json(nullptr);
    requests.push_back(std::move(object));
  }
  document["requests"] = std::move(requests);
  document["requests_not_listed"] = study.calls.size() - std::min(study.calls.size(), max_listed);
  return print_document(document);
}

}  // namespace mrascheck::json

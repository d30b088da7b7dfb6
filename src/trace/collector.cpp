// SPDX-License-Identifier: Apache-2.0
#include "trace/collector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>

#include "core/diagnostics.hpp"
#include "core/text.hpp"

namespace mrascheck::trace {
namespace {

constexpr std::size_t max_waiting = 16;
constexpr std::size_t max_recent = 64;
constexpr std::size_t max_relays = 16;
constexpr std::size_t max_body = std::size_t{16} * 1024;
constexpr std::chrono::milliseconds same_moment{1000};
constexpr std::string_view mras_port = ":5062";

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool is_decimal(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// What "Direction: incoming;source="internal edge";destination="external edge"" says.
struct Direction {
  bool in = false, out = false;
  bool from_internal = false, from_external = false, to_internal = false;
};

Direction direction_of(std::string_view text) {
  Direction direction;
  direction.in = begins(text, "in");
  direction.out = begins(text, "out");
  if (!contains(text, "edge")) return direction;
  const std::string plain = to_lower(cleaned(text, 256));
  const auto side = [&plain](std::string_view name) -> std::string_view {
    const std::size_t at = plain.find(name);
    if (at == std::string::npos) return {};
    const std::string_view rest = std::string_view(plain).substr(at + name.size());
    return rest.substr(0, rest.find(';'));
  };
  direction.from_internal = contains(side("source"), "internal edge");
  direction.from_external = contains(side("source"), "external edge");
  direction.to_internal = contains(side("destination"), "internal edge");
  return direction;
}

/// The sip: or sips: URI of a From or To, in lower case and without its parameters; empty when a forum ate it.
std::string uri_of(const std::string& field) {
  const std::string plain = to_lower(field);
  std::size_t at = plain.find("<sip:");
  if (at == std::string::npos) at = plain.find("<sips:");
  at = at == std::string::npos ? plain.find("sip:") : at + 1;
  if (at == std::string::npos) return {};
  const std::string uri = plain.substr(at, plain.find_first_of(">; \t\"", at) - at);
  return uri.find('@') == std::string::npos ? std::string{} : printable(uri, 256);
}

std::string display_name(const std::string& field) {
  const std::size_t open = field.find('"');
  if (open == std::string::npos) return {};
  const std::size_t close = field.find('"', open + 1);
  if (close == std::string::npos) return {};
  return printable(trim(std::string_view(field).substr(open + 1, close - open - 1)), 256);
}

/// "edge-int.contoso.example" of the MRAS address
/// <sip:edge-int.contoso.example@contoso.example;gruu;opaque=srvr:MRAS:..>
/// ([MS-AVEDGEA]); of one that lost its front, "srvr:MRAS:..."
std::string edge_of_to(const std::string& to) {
  const std::string plain = to_lower(to);
  const std::size_t service = plain.find("srvr:mras");
  if (service == std::string::npos) return {};
  const std::size_t scheme = plain.rfind("sip:", service);
  if (scheme != std::string::npos) {
    const std::size_t at = plain.find('@', scheme);
    if (at != std::string::npos && at < service) return printable(plain.substr(scheme + 4, at - scheme - 4), 256);
  }
  return printable(to.substr(service, to.find_first_of(">; \t\"", service) - service), 256);
}

/// The host of "SERVICE sip:edge-int.contoso.example:5062;grid SIP/2.0".
std::string edge_of_uri(std::string_view start_line) {
  const std::size_t port = start_line.find(mras_port);
  if (port == std::string_view::npos) return {};
  const std::size_t scheme = start_line.rfind("sip:", port);
  if (scheme == std::string_view::npos) return {};
  return to_lower(printable(start_line.substr(scheme + 4, port - scheme - 4), 256));
}

std::string edge_of_peer(std::string_view peer) {
  const std::size_t port = peer.find(mras_port);
  return port == std::string_view::npos ? std::string{} : to_lower(printable(peer.substr(0, port), 256));
}

/// A request-URI as a Front End writes it for the MRAS service: sip:<Edge>:5062;grid.
bool for_mras_port(std::string_view start_line) {
  return contains(start_line, mras_port) || contains(start_line, ";grid");
}

std::uint32_t number_of_cseq(std::string_view cseq) {
  std::uint32_t number = 0;
  std::from_chars(cseq.data(), cseq.data() + cseq.size(), number);
  return number;
}

std::uint64_t mix(std::uint64_t hash, std::string_view text) {
  // A CSeq or a Max-Forwards is as long as a number: it is its own hash.
  std::uint64_t word = 0;
  if (text.size() <= sizeof word) {
    if (!text.empty()) std::memcpy(&word, text.data(), text.size());
  } else {
    word = std::hash<std::string_view>{}(text);
  }
  return (hash ^ word) * 0x9E3779B97F4A7C15U + 1;
}

bool of_service(std::string_view cseq) {
  return cseq.size() >= 7 && ends(cseq, "SERVICE");
}

/// The value of name="..." in XML, where the quotes may be either kind.
std::string attribute(const std::string& xml, std::string_view name) {
  for (std::size_t at = xml.find(name); at != std::string::npos; at = xml.find(name, at + 1)) {
    std::size_t i = at + name.size();
    while (i < xml.size() && xml[i] == ' ') ++i;
    if (i >= xml.size() || xml[i] != '=') continue;
    ++i;
    while (i < xml.size() && xml[i] == ' ') ++i;
    if (i >= xml.size() || (xml[i] != '"' && xml[i] != '\'')) continue;
    const std::size_t end = xml.find(xml[i], i + 1);
    if (end == std::string::npos) return {};
    return printable(xml.substr(i + 1, end - i - 1), 128);
  }
  return {};
}

std::vector<std::string> relays_of(const std::string& xml) {
  std::vector<std::string> relays;
  for (const std::string_view tag : {"<hostName>", "<directIPAddress>"}) {
    for (std::size_t at = xml.find(tag); at != std::string::npos && relays.size() < max_relays;
         at = xml.find(tag, at + 1)) {
      const std::size_t from = at + tag.size();
      std::string relay = printable(xml.substr(from, std::min(xml.find('<', from), from + 256) - from), 256);
      if (!relay.empty() && std::find(relays.begin(), relays.end(), relay) == relays.end())
        relays.push_back(std::move(relay));
    }
  }
  return relays;
}

void see(Sighting& sighting, TraceTime at) {
  if (!sighting.seen || (at != undated && (sighting.at == undated || at < sighting.at))) sighting = {true, at};
}

}  // namespace

void Collector::begin(std::string_view file, TraceRole role, std::string_view server) {
  file_ = printable(file, 1024);
  server_ = server.empty() ? file_ : std::string{server};
  role_ = role;
  records_before_ = records_;
  last_log_ = nullptr;
  // A file that holds nothing is a log all the same: it says that nothing was there.
  if (role != TraceRole::unknown) log_of({});
}

void Collector::end(std::uint64_t bytes, bool utf16) {
  if (records_ == records_before_) log_of({});
  files_.push_back({file_, bytes, records_ - records_before_, utf16});
  for (Log& log : logs_) {
    log.waiting.clear();
    log.recent.clear();
  }
}

Collector::Log& Collector::log_of(std::string_view host) {
  // A record that lost its first line is of the server of the one before.
  if (last_log_ != nullptr && (host == last_host_ || host.empty())) return *last_log_;
  last_host_ = host;
  const std::size_t slash = host.rfind('\\');
  const std::string_view machine = slash == std::string_view::npos ? host : host.substr(slash + 1);
  std::string key = host.empty() || is_decimal(host) ? server_ : to_lower(printable(machine, 128));
  auto found = by_server_.find(key);
  if (found == by_server_.end()) {
    if (logs_.size() >= limits_.servers) key = file_;  // what no tracing writes: all that is left over is one
    found = by_server_.find(key);
  }
  if (found == by_server_.end()) {
    if (logs_.size() > 2 * limits_.servers) {
      last_log_ = &logs_.back();
      return *last_log_;
    }
    found = by_server_.emplace(key, logs_.size()).first;
    logs_.emplace_back();
    logs_.back().log.server = key;
    if (slash != std::string_view::npos) logs_.back().log.pool = to_lower(printable(host.substr(0, slash), 128));
  }
  Log& log = logs_[found->second];
  if (log.last_file != file_) {
    log.last_file = file_;
    if (std::find(log.log.files.begin(), log.log.files.end(), file_) == log.log.files.end())
      log.log.files.push_back(file_);
  }
  if (role_ != TraceRole::unknown) {
    log.log.role = role_;
    log.log.role_given = true;
  }
  last_log_ = &log;
  return log;
}

void Collector::record(const Record& record, bool whole) {
  const Head head = parse_head(record.head);
  Log& log = log_of(head.host);
  ++records_;
  ++log.log.records;
  if (!whole || !record.marked) ++log.log.broken;
  if (head.level == "TL_ERROR") ++log.log.errors_noted;
  if (head.at != undated) {
    if (log.log.first == undated || head.at < log.log.first) log.log.first = head.at;
    if (log.log.last == undated || head.at > log.log.last) log.log.last = head.at;
  }
  if (!record.start_line.empty() || (!record.call_id.empty() && record.diagnostics_count > 0)) {
    message(log, record, head);
  } else if (!record.text.empty() || !record.sip_call_id.empty() || !record.result_code.empty()) {
    diagnostic(log, record, head);
  }
}

void Collector::sample(Log& log, const Record& record, bool out, TraceTime at) const {
  if (record.max_forwards.empty() || record.call_id.empty() || at == undated) return;
  const std::uint64_t key = mix(mix(mix(0, record.call_id), record.cseq), record.max_forwards);
  // The smallest keys of all: the same messages in every trace.
  const auto greater = [](const TraceSample& a, const TraceSample& b) { return a.key < b.key; };
  if (log.samples.size() >= limits_.samples) {
    if (key >= log.samples.front().key) return;
    std::pop_heap(log.samples.begin(), log.samples.end(), greater);
    log.samples.pop_back();
  }
  log.samples.push_back({key, out, at});
  std::push_heap(log.samples.begin(), log.samples.end(), greater);
}

TraceTransaction* Collector::find(Log& log, std::string_view call_id, std::uint32_t cseq) {
  const auto [begin, end] = log.calls.equal_range(std::hash<std::string_view>{}(call_id));
  TraceTransaction* found = nullptr;
  for (auto it = begin; it != end; ++it) {
    TraceTransaction& candidate = log.log.transactions[it->second];
    if (candidate.call_id != call_id) continue;
    if (candidate.cseq == cseq) return &candidate;
    // A copy may have lost the CSeq: then the last one of that call is meant.
    if ((candidate.cseq == 0 || cseq == 0) && (found == nullptr || candidate.cseq > found->cseq)) found = &candidate;
  }
  return found;
}

TraceTransaction* Collector::find_or_add(Log& log, std::string_view call_id, std::uint32_t cseq) {
  if (TraceTransaction* found = find(log, call_id, cseq)) {
    if (found->cseq == 0) found->cseq = cseq;
    return found;
  }
  if (transactions_ >= limits_.transactions) {
    ++left_out_;
    return nullptr;
  }
  ++transactions_;
  log.calls.emplace(std::hash<std::string_view>{}(call_id), static_cast<std::uint32_t>(log.log.transactions.size()));
  TraceTransaction& added = log.log.transactions.emplace_back();
  added.call_id = call_id;
  added.cseq = cseq;
  return &added;
}

std::uint32_t Collector::name(Log& log, const std::string& text) const {
  if (text.empty()) return TraceTransaction::none;
  const auto found = log.names.find(text);
  if (found != log.names.end()) return found->second;
  if (log.log.names.size() >= limits_.names) return TraceTransaction::none;
  const auto index = static_cast<std::uint32_t>(log.log.names.size());
  log.names.emplace(text, index);
  log.log.names.push_back(text);
  return index;
}

std::uint32_t Collector::answer(Log& log, const Record& record) const {
  TraceAnswer answer;
  const std::string start = cleaned(record.start_line, 512);
  if (begins(start, "SIP/2.0 ")) {
    const std::string_view rest = std::string_view(start).substr(8);
    std::from_chars(rest.data(), rest.data() + rest.size(), answer.status);
    answer.reason = printable(trim(rest.substr(std::min<std::size_t>(rest.size(), 3))), 128);
  }
  std::string key = fmt::format("{} {}", answer.status, answer.reason);
  for (std::size_t i = 0; i < record.diagnostics_count; ++i) {
    auto diagnostics = parse_diagnostics(cleaned(record.diagnostics[i]));
    if (!diagnostics) continue;
    key += fmt::format(";{}", diagnostics->id);
    for (const std::string_view name : {"reason", "WinsockFailureCode", "HRESULT", "ErrorType", "Peer", "PeerServer"})
      key += fmt::format(";{}", diagnostics->parameter(name));
    answer.diagnostics.push_back(*std::move(diagnostics));
  }
  if (record.body.size() > 1) {
    const std::string body = cleaned(record.body, max_body);
    answer.body = contains(body, "<response") || contains(body, "credentialsResponse");
    if (answer.body) {
      answer.reason_phrase = attribute(body, "reasonPhrase");
      answer.server_version = attribute(body, "serverVersion");
      answer.relays = relays_of(body);
    }
  }
  key += fmt::format(";{};{};{}", answer.body, answer.reason_phrase, answer.server_version);
  for (const std::string& relay : answer.relays) key += ";" + relay;
  const auto found = log.answers.find(key);
  if (found != log.answers.end()) return found->second;
  if (log.log.answers.size() >= limits_.answers) {
    // More kinds of answers than any server has: what tells them apart is dropped, that they failed is not.
    answer.diagnostics.clear();
    answer.relays.clear();
    answer.server_version.clear();
    answer.reason.clear();
    key = fmt::format("{} {}", answer.status, to_lower(answer.reason_phrase) == "ok");
    if (to_lower(answer.reason_phrase) != "ok") answer.reason_phrase.clear();
    const auto coarse = log.answers.find(key);
    if (coarse != log.answers.end()) return coarse->second;
  }
  const auto index = static_cast<std::uint32_t>(log.log.answers.size());
  log.answers.emplace(std::move(key), index);
  log.log.answers.push_back(std::move(answer));
  return index;
}

std::uint32_t Collector::error(Log& log, TraceError error, Sighting at) const {
  std::string key = fmt::format("{};{};{};{};{}", error.component, error.grave, error.text, error.result, error.peer);
  auto found = log.errors.find(key);
  if (found == log.errors.end() && log.log.errors.size() >= limits_.errors) {
    error.text = error.component ? "other errors of components" : "other errors";
    error.data.clear();
    error.result.clear();
    error.peer.clear();
    error.code.reset();
    key = error.text;
    found = log.errors.find(key);
  }
  if (found == log.errors.end()) {
    found = log.errors.emplace(std::move(key), static_cast<std::uint32_t>(log.log.errors.size())).first;
    log.log.errors.push_back(std::move(error));
  }
  TraceError& kept = log.log.errors[found->second];
  ++kept.count;
  see(kept.first, at.at);
  if (!kept.last.seen || (at.at != undated && at.at > kept.last.at)) kept.last = at;
  return found->second;
}

void Collector::attach(Log& log, TraceTransaction& transaction, TraceError error, Sighting at) const {
  const std::uint32_t index = this->error(log, std::move(error), at);
  see(transaction.noted, at.at);
  for (std::uint32_t& slot : transaction.errors) {
    if (slot == index) return;
    if (slot == TraceTransaction::none) {
      slot = index;
      return;
    }
  }
}

void Collector::settle(Log& log, const Head& head, std::string_view correlation, TraceTransaction* transaction) const {
  if (log.waiting.empty()) return;
  const std::string_view said = head.correlation.empty() ? correlation : head.correlation;
  for (auto it = log.waiting.begin(); it != log.waiting.end();) {
    const bool same_call = !said.empty() && it->correlation == said;
    const bool same_thread = it->correlation.empty() && !head.thread.empty() && it->thread == head.thread;
    const bool soon = head.at != undated && it->at.at != undated && head.at - it->at.at <= same_moment &&
                      it->at.at - head.at <= same_moment;
    if (transaction != nullptr && (same_call || (same_thread && soon))) {
      attach(log, *transaction, std::move(it->error), it->at);
      it = log.waiting.erase(it);
    } else if (same_thread || same_call) {
      it = log.waiting.erase(it);  // it was about something else
    } else {
      ++it;
    }
  }
}

void Collector::component(std::string_view line) {
  const Head head = parse_head(line);
  Log& log = log_of(head.host);
  ++records_;
  ++log.log.records;
  if (head.at != undated) {
    if (log.log.first == undated || head.at < log.log.first) log.log.first = head.at;
    if (log.log.last == undated || head.at > log.log.last) log.log.last = head.at;
  }
  if (head.level != "TL_ERROR") return;
  ++log.log.errors_noted;
  TraceError error;
  error.component = true;
  error.grave = true;
  const std::string text = cleaned(head.rest, 1024);
  if (auto result = find_result_code(text)) {
    error.result = std::move(result->words);
    error.code = result->code;
  }
  error.text = printable(text, 256);
  const Sighting at{true, head.at};
  if (!head.correlation.empty()) {
    for (const Recent& recent : log.recent) {
      if (recent.correlation != head.correlation) continue;
      attach(log, log.log.transactions[recent.transaction], std::move(error), at);
      return;
    }
  }
  if (log.waiting.size() >= max_waiting) log.waiting.pop_front();
  log.waiting.push_back({std::move(error), at, std::string{head.correlation}, std::string{head.thread}});
}

void Collector::message(Log& log, const Record& record, const Head& head) {
  const bool request = !record.start_line.empty() && !begins(record.start_line, "SIP/2.0");
  const bool out = begins(record.direction, "out");
  bool final = true;
  if (contains(record.direction, "nal edge")) ++log.log.at_edges;
  if (request) {
    if (!begins(record.start_line, "ACK") && !begins(record.start_line, "CANCEL")) ++log.log.requests;
    sample(log, record, out, head.at);
  } else {
    final = record.start_line.size() < 9 || record.start_line[8] != '1';
    if (final) ++log.log.responses;
  }
  const bool service = request ? begins(record.start_line, "SERVICE") : of_service(record.cseq) || record.cseq.empty();
  const bool of_mras = service && (contains(record.to, "srvr:MRAS") || contains(record.start_line, "srvr:MRAS") ||
                                   contains(record.content_type, "media-relay-auth") ||
                                   (request && contains(record.start_line, mras_port)));
  const bool timed_out = !request && begins(record.start_line, "SIP/2.0 504");
  const std::uint32_t cseq = number_of_cseq(record.cseq);
  TraceTransaction* transaction = nullptr;
  if (service && !record.call_id.empty() && final) {
    const std::string call_id = printable(record.call_id, 128);
    // An excerpt may have lost its To: an answer that tells of an error is taken for one of MRAS then.
    const bool likely = !request && of_service(record.cseq) && record.to.empty() &&
                        (record.start_line.empty() || record.start_line.size() < 9 || record.start_line[8] > '2');
    transaction = of_mras || likely ? find_or_add(log, call_id, cseq) : find(log, call_id, cseq);
  }
  settle(log, head, record.correlation, transaction);
  if (transaction == nullptr) {
    if (timed_out && !of_mras) ++log.log.other_timeouts;
    return;
  }
  const std::string to = cleaned(record.to, 1024);
  if (transaction->user == TraceTransaction::none && !record.from.empty()) {
    const std::string from = cleaned(record.from, 1024);
    std::string user = uri_of(from);
    if (user.empty()) user = display_name(from);
    transaction->user = name(log, user);
  }
  if (transaction->edge == TraceTransaction::none) {
    std::string edge = edge_of_to(to);
    if (edge.empty() || begins(edge, "srvr:")) {
      for (std::string better : {edge_of_uri(record.start_line), edge_of_peer(record.peer)}) {
        if (!better.empty()) edge = std::move(better);
      }
    }
    transaction->edge = name(log, edge);
  }
  const Direction direction = direction_of(record.direction);
  const bool peer_is_mras = contains(record.peer, mras_port);
  if (request) {
    if (direction.out) {
      const bool to_mras = peer_is_mras || for_mras_port(record.start_line);
      if (to_mras) ++log.log.to_mras;
      see(to_mras ? transaction->sent : transaction->passed_on, head.at);
    } else {
      const bool at_mras =
          direction.in && !direction.from_external && (for_mras_port(record.start_line) || direction.from_internal);
      if (at_mras) ++log.log.at_mras;
      see(at_mras ? transaction->arrived : transaction->taken, head.at);
    }
  } else {
    const std::uint32_t index = answer(log, record);
    if (transaction->edge == TraceTransaction::none && index < log.log.answers.size()) {
      for (const MsDiagnostics& diagnostics : log.log.answers[index].diagnostics) {
        for (const std::string_view field : {"Peer", "PeerServer", "tls-target"}) {
          if (transaction->edge == TraceTransaction::none)
            transaction->edge = name(log, to_lower(diagnostics.parameter(field)));
        }
      }
    }
    const bool by_edge =
        direction.out && transaction->arrived.seen && (!transaction->taken.seen || direction.to_internal);
    if (by_edge) {
      see(transaction->answered, head.at);
      transaction->answer_answered = index;
    } else if (direction.in) {
      see(transaction->returned, head.at);
      transaction->answer_returned = index;
    } else {
      see(transaction->replied, head.at);
      transaction->answer_replied = index;
    }
  }
  const std::string_view correlation = head.correlation.empty() ? record.correlation : head.correlation;
  if (!correlation.empty()) {
    if (log.recent.size() >= max_recent) log.recent.pop_front();
    log.recent.push_back(
        {static_cast<std::size_t>(transaction - log.log.transactions.data()), std::string{correlation}});
  }
}

void Collector::diagnostic(Log& log, const Record& record, const Head& head) {
  const bool service = begins(record.sip_start_line, "SERVICE") || of_service(record.sip_cseq);
  const std::string call_id = printable(record.sip_call_id, 128);
  const std::uint32_t cseq = number_of_cseq(record.sip_cseq);
  const bool of_port = contains(record.peer, mras_port) || contains(record.sip_start_line, mras_port);
  TraceTransaction* transaction = nullptr;
  if (service && !call_id.empty()) {
    transaction = of_port || contains(record.sip_start_line, "srvr:MRAS") ? find_or_add(log, call_id, cseq)
                                                                          : find(log, call_id, cseq);
  }
  settle(log, head, {}, transaction);
  const std::string severity = to_lower(record.severity.substr(0, 16));
  TraceError error;
  error.grave = severity.empty() ? head.level == "TL_ERROR" : severity == "error";
  const bool warning = severity.empty() ? head.level == "TL_WARN" : severity == "warning";
  if ((!error.grave && !warning) || (transaction == nullptr && !of_port)) return;
  error.text = cleaned(record.text, 1024);
  // Some servers put the code behind the text.
  const std::string code = record.result_code.empty() ? error.text : cleaned(record.result_code, 256);
  if (auto result = find_result_code(code)) {
    error.result = std::move(result->words);
    error.code = result->code;
  }
  if (const std::size_t pasted = error.text.find("Result-Code:"); pasted != std::string::npos)
    error.text.resize(pasted);
  error.text = printable(trim(error.text), 256);
  error.data = printable(cleaned(record.data, 2048), 1024);
  error.peer = printable(record.peer, 256);
  const Sighting at{true, head.at};
  if (transaction == nullptr) {
    ++log.log.errors[this->error(log, std::move(error), at)].loose;
    return;
  }
  if (transaction->edge == TraceTransaction::none) {
    const std::string edge = edge_of_uri(record.sip_start_line);
    transaction->edge = name(log, edge.empty() ? edge_of_peer(record.peer) : edge);
  }
  attach(log, *transaction, std::move(error), at);
}

Traces Collector::take() {
  Traces traces;
  traces.files = std::move(files_);
  traces.left_out = left_out_;
  for (Log& log : logs_) {
    if (!log.log.role_given) {
      // By what only one of them writes; where that contradicts itself, nothing is claimed.
      const bool edge = log.log.at_edges > 0 || log.log.at_mras > 0;
      const bool front_end = log.log.to_mras > 0;
      if (edge != front_end) log.log.role = edge ? TraceRole::edge : TraceRole::front_end;
      if (!edge && !front_end) {
        // A Front End that never gets as far as to send: it notes errors about port 5062, or answers in its place.
        const bool asked = std::any_of(log.log.transactions.begin(), log.log.transactions.end(),
                                       [](const TraceTransaction& t) { return t.replied.seen; });
        if (log.log.first != undated && (asked || !log.log.errors.empty())) log.log.role = TraceRole::front_end;
      }
    }
    std::sort(log.samples.begin(), log.samples.end(),
              [](const TraceSample& a, const TraceSample& b) { return a.key < b.key; });
    log.log.samples = std::move(log.samples);
    traces.logs.push_back(std::move(log.log));
  }
  *this = Collector{limits_};
  return traces;
}

}  // namespace mrascheck::trace

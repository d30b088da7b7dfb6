// SPDX-License-Identifier: Apache-2.0
#include "core/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <tuple>

#include "core/explain.hpp"
#include "core/text.hpp"
#include "core/traced.hpp"

namespace mrascheck {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

/// Timer F of RFC 3261, 17.1.2.2: no transaction but INVITE's lasts longer.
constexpr milliseconds longest_transaction = 32s;
/// How far from the ends of an Edge's trace a request must be for its absence to say something.
constexpr milliseconds margin = 1s;
constexpr std::size_t examples = 5;
constexpr std::size_t max_error_lines = 20;

TraceTime earlier(TraceTime a, TraceTime b) {
  if (a == undated) return b;
  return b == undated ? a : std::min(a, b);
}
TraceTime later(TraceTime a, TraceTime b) {
  return std::max(a, b);  // undated is the least
}

std::string_view first_label(std::string_view name) {
  return name.substr(0, name.find('.'));
}

struct Ref {
  std::size_t log;
  const TraceTransaction* transaction;
};

/// How one server saw a request, by what that server is.
struct View {
  const TraceLog* log = nullptr;
  bool edge = false;
  Sighting entered;   ///< the request came to it, or left it when that is all there is
  Sighting sent;      ///< to the Edge
  Sighting answered;  ///< its final answer
  const TraceAnswer* answer = nullptr;
  const TraceAnswer* returned = nullptr;  ///< what it got itself, from the next hop
};

const TraceAnswer* answer_at(const TraceLog& log, std::uint32_t index) {
  return index < log.answers.size() ? &log.answers[index] : nullptr;
}

View view_of(const TraceLog& log, const TraceTransaction& t) {
  View view;
  view.log = &log;
  view.edge = log.role == TraceRole::edge;
  if (view.edge) {
    // On its way in from outside a request passes the Edge as well: that is not the MRAS service.
    const bool passes = t.passed_on.seen && !t.arrived.seen;
    view.entered = t.arrived.seen ? t.arrived : passes ? Sighting{} : t.taken;
    view.answered = t.answered.seen ? t.answered : passes || t.passed_on.seen ? Sighting{} : t.replied;
    view.answer = answer_at(log, t.answered.seen      ? t.answer_answered
                                 : view.answered.seen ? t.answer_replied
                                                      : TraceTransaction::none);
    return view;
  }
  for (const Sighting& sighting : {t.taken, t.arrived, t.sent, t.passed_on}) {
    if (sighting.seen && !view.entered.seen) view.entered = sighting;
  }
  view.sent = t.sent;
  view.answered = t.replied.seen ? t.replied : t.answered;
  view.answer = answer_at(log, t.replied.seen ? t.answer_replied : t.answer_answered);
  view.returned = answer_at(log, t.answer_returned);
  if (view.answer == nullptr && t.returned.seen) {
    view.answer = view.returned;
    view.answered = t.returned;
  }
  return view;
}

bool is_success(const TraceAnswer& answer) {
  return answer.status >= 200 && answer.status < 300;
}

TraceOutcome outcome_of(const TraceAnswer& answer) {
  if (answer.status == 401 || answer.status == 407) return TraceOutcome::challenged;
  if (!is_success(answer)) return TraceOutcome::failed;
  if (answer.reason_phrase.empty()) return TraceOutcome::unclear;
  return equals_ignoring_case(answer.reason_phrase, "OK") ? TraceOutcome::granted : TraceOutcome::failed;
}

std::string title_of(const TraceAnswer& answer) {
  std::string title = answer.status == 0 ? std::string{"an answer whose first line is not in the trace"}
                                         : fmt::format("{} {}", answer.status, answer.reason);
  title = std::string{trim(title)};
  if (is_success(answer)) return fmt::format("{} with the reasonPhrase \"{}\"", title, answer.reason_phrase);
  for (const MsDiagnostics& diagnostics : answer.diagnostics) {
    title += fmt::format(", ms-diagnostics {}", diagnostics.id);
    for (const std::string_view name : {"WinsockFailureCode", "HRESULT"}) {
      if (const std::string_view value = diagnostics.parameter(name); !value.empty())
        title += fmt::format(", {} {}", name, value);
    }
  }
  if (answer.diagnostics.empty() && answer.status >= 300) title += ", without ms-diagnostics";
  if (answer.body && !answer.reason_phrase.empty())
    title += fmt::format(", with the reasonPhrase \"{}\"", answer.reason_phrase);
  return title;
}

void add_sentence(std::string& text, std::string_view sentence) {
  if (sentence.empty() || text.find(sentence) != std::string::npos) return;
  if (!text.empty()) text += ' ';
  text += sentence;
}

std::string explanation_of(const TraceAnswer& answer) {
  std::string text;
  for (const MsDiagnostics& diagnostics : answer.diagnostics) add_sentence(text, explain(diagnostics));
  if (!answer.reason_phrase.empty()) {
    if (const Explanation* row = explain_mras_reason(answer.reason_phrase)) {
      add_sentence(text, row->meaning);
      add_sentence(text, row->remedy);
    }
  }
  if (text.empty() && answer.status >= 300)
    text = "Nothing in the answer says why: the trace of the server that gave it does, see its Server and Via.";
  return text;
}

std::string title_of(const TraceError& error) {
  const std::string code = error.result.substr(0, error.result.find(' '));
  return error.result.empty() || to_lower(error.text).find(code) != std::string::npos
             ? error.text
             : fmt::format("{} ({})", error.text, error.result);
}

/// What servers note in words, without a code.
std::string_view meaning_of(const TraceError& error) {
  if (error.text.find("expired in the outbound queue") != std::string::npos)
    return "The Front End could not send the request for so long that it gave up: it found no connection to port 5062 "
           "of the Edge, or its own clock or time zone is wrong, which has been seen to do this "
           "(confusedamused.com, It's About Time). Compare clock and time zone of both servers, then check name, route "
           "and firewall on the way to port 5062.";
  return {};
}

std::string line_of(const TraceError& error) {
  return fmt::format("{}{}: {}{}{}", error.component ? "component " : "", error.grave ? "error" : "warning",
                     title_of(error), error.peer.empty() ? "" : fmt::format(", peer {}", error.peer),
                     error.data.empty() ? "" : fmt::format("; {}", error.data));
}

void count(TraceTally& tally, const TraceCall& call) {
  ++tally.requests;
  switch (call.outcome) {
    case TraceOutcome::granted:
      ++tally.granted;
      break;
    case TraceOutcome::failed:
      ++tally.failed;
      break;
    case TraceOutcome::unanswered:
      ++tally.unanswered;
      break;
    case TraceOutcome::unclear:
      ++tally.unclear;
      break;
    case TraceOutcome::unfinished:
    case TraceOutcome::challenged:
      ++tally.unfinished;
      break;
  }
  if (call.reach == TraceReach::never) ++tally.never_reached;
  tally.first = earlier(tally.first, call.at);
  tally.last = later(tally.last, call.at);
  if (call.outcome == TraceOutcome::failed || call.outcome == TraceOutcome::unanswered) {
    tally.first_failure = earlier(tally.first_failure, call.at);
    tally.last_failure = later(tally.last_failure, call.at);
  }
}

milliseconds quantile(std::vector<milliseconds>& values, std::size_t numerator, std::size_t denominator) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) * numerator / denominator);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// Messages that left one server and came to the other, in both directions.
TraceClock compare_clocks(const Traces& traces, std::size_t reference, std::size_t log) {
  TraceClock clock;
  clock.log = log;
  clock.reference = reference;
  std::vector<milliseconds> forth;  // the other's clock less the reference's, and the time on the way
  std::vector<milliseconds> back;   // the reference's less the other's, and the time on the way
  const TraceLog& a = traces.logs[reference];
  const TraceLog& b = traces.logs[log];
  // Of one key a trace may hold the message as it came and as it went.
  for (std::size_t i = 0, j = 0; i < a.samples.size() && j < b.samples.size();) {
    if (a.samples[i].key != b.samples[j].key) {
      a.samples[i].key < b.samples[j].key ? ++i : ++j;
      continue;
    }
    const std::uint64_t key = a.samples[i].key;
    const TraceSample* ours = &a.samples[i];
    const TraceSample* theirs = &b.samples[j];
    std::size_t n = 0;
    std::size_t m = 0;
    for (; i < a.samples.size() && a.samples[i].key == key; ++i) ++n;
    for (; j < b.samples.size() && b.samples[j].key == key; ++j) ++m;
    if (n != 1 || m != 1 || ours->out == theirs->out) continue;
    if (ours->out) {
      forth.push_back(theirs->at - ours->at);
    } else {
      back.push_back(ours->at - theirs->at);
    }
  }
  std::map<std::string_view, const TraceTransaction*> known;
  for (const TraceTransaction& t : a.transactions) known.emplace(t.call_id, &t);
  for (const TraceTransaction& t : b.transactions) {
    const auto found = known.find(t.call_id);
    if (found == known.end() || found->second->cseq != t.cseq) continue;
    const TraceTransaction& ours = *found->second;
    const auto both = [](const Sighting& x, const Sighting& y) {
      return x.seen && y.seen && x.at != undated && y.at != undated;
    };
    if (both(ours.sent, t.arrived)) forth.push_back(t.arrived.at - ours.sent.at);
    if (both(ours.returned, t.answered)) back.push_back(ours.returned.at - t.answered.at);
  }
  clock.messages = forth.size() + back.size();
  if (clock.messages == 0) return clock;
  clock.both_ways = !forth.empty() && !back.empty();
  milliseconds ahead{0};
  if (!forth.empty()) ahead += quantile(forth, 1, 2);
  if (!back.empty()) ahead -= quantile(back, 1, 2);
  clock.ahead = clock.both_ways ? ahead / 2 : ahead;
  std::vector<milliseconds> all = forth;
  for (const milliseconds value : back) all.push_back(-value);
  clock.spread = quantile(all, 3, 4) - quantile(all, 1, 4);
  return clock;
}

class Student {
 public:
  explicit Student(Traces traces) { study_.traces = std::move(traces); }

  TraceStudy run() {
    compare();
    collect();
    for (const auto& [call_id, refs] : groups_) add_call(refs);
    std::stable_sort(study_.calls.begin(), study_.calls.end(),
                     [](const TraceCall& a, const TraceCall& b) { return a.at < b.at; });
    sum_up();
    conclude();
    return std::move(study_);
  }

 private:
  const std::vector<TraceLog>& logs() const { return study_.traces.logs; }

  void compare() {
    std::size_t reference = logs().size();
    bool edges = false;
    for (std::size_t i = 0; i < logs().size(); ++i) {
      if (logs()[i].role == TraceRole::front_end && reference == logs().size()) reference = i;
      edges = edges || logs()[i].role == TraceRole::edge;
    }
    study_.compared = edges && reference < logs().size();
    if (reference == logs().size()) return;
    reference_ = reference;
    for (std::size_t i = 0; i < logs().size(); ++i) {
      if (i != reference) study_.clocks.push_back(compare_clocks(study_.traces, reference, i));
    }
  }

  /// What all servers know of one request. Where a copy lost the CSeq, the Call-ID alone must do.
  void collect() {
    std::map<std::string_view, std::vector<Ref>> by_call;
    for (std::size_t i = 0; i < logs().size(); ++i) {
      for (const TraceTransaction& t : logs()[i].transactions) {
        by_call[t.call_id].push_back({i, &t});
        const std::string_view edge = logs()[i].name(t.edge);
        if (logs()[i].role == TraceRole::edge) {
          if (view_of(logs()[i], t).entered.seen) own_names_[i].insert(edge);
        } else if (!edge.empty()) {
          asked_edges_.insert(edge);
        }
      }
    }
    for (auto& [call_id, refs] : by_call) {
      std::stable_sort(refs.begin(), refs.end(),
                       [](const Ref& a, const Ref& b) { return a.transaction->cseq < b.transaction->cseq; });
      std::vector<Ref> group;
      for (const Ref& ref : refs) {
        const std::uint32_t last = group.empty() ? 0 : group.back().transaction->cseq;
        if (!group.empty() && last != 0 && ref.transaction->cseq != last) {
          groups_.emplace_back(call_id, std::move(group));
          group.clear();
        }
        group.push_back(ref);
      }
      groups_.emplace_back(call_id, std::move(group));
    }
  }

  TraceReach reach_of(const TraceCall& call, const View& front_end, bool tried) const {
    if (!study_.compared || !tried) return TraceReach::not_compared;
    const TraceTime at = front_end.sent.seen ? front_end.sent.at : call.at;
    if (at == undated) return TraceReach::not_told;
    for (std::size_t i = 0; i < logs().size(); ++i) {
      const TraceLog& log = logs()[i];
      if (log.role != TraceRole::edge || !may_be(i, call.edge) || log.first == undated) continue;
      const TraceTime there = at + ahead_of(i);
      if (there >= log.first + margin && there + margin <= log.last) return TraceReach::never;
    }
    return TraceReach::not_told;
  }

  /// Whether the trace of an Edge is of the Edge of that name.
  bool may_be(std::size_t log, std::string_view edge) const {
    const auto own = own_names_.find(log);
    if (own != own_names_.end() && own->second.contains(edge)) return true;
    for (const std::string_view name : {std::string_view(logs()[log].server), std::string_view(logs()[log].pool)}) {
      if (!name.empty() && !edge.empty() && first_label(name) == first_label(edge)) return true;
    }
    const bool other = own != own_names_.end() && !own->second.empty();
    return !other && asked_edges_.size() <= 1;
  }

  milliseconds ahead_of(std::size_t log) const {
    for (const TraceClock& clock : study_.clocks) {
      if (clock.log == log) return clock.ahead;
    }
    return 0ms;
  }

  void add_call(const std::vector<Ref>& refs) {
    TraceCall call;
    call.call_id = refs.front().transaction->call_id;
    View front_end;
    View edge;
    std::vector<const TraceError*> errors;
    for (const Ref& ref : refs) {
      const TraceLog& log = logs()[ref.log];
      const TraceTransaction& t = *ref.transaction;
      call.cseq = std::max(call.cseq, t.cseq);
      if (call.user.empty()) call.user = log.name(t.user);
      if (call.edge.empty() || call.edge.starts_with("srvr:")) {
        if (const std::string_view name = log.name(t.edge); !name.empty()) call.edge = name;
      }
      const View view = view_of(log, t);
      if (view.edge) {
        if (view.entered.seen && !edge.entered.seen) edge = view;
      } else if (front_end.log == nullptr || (front_end.answer == nullptr && view.answer != nullptr)) {
        front_end = view;
      }
      for (const std::uint32_t index : t.errors) {
        if (index < log.errors.size()) errors.push_back(&log.errors[index]);
      }
    }
    const View& leading = front_end.log != nullptr ? front_end : edge;
    if (leading.log == nullptr) return;  // it passed an Edge on its way in from outside, and that is all
    call.log = static_cast<std::size_t>(leading.log - logs().data());
    call.at = leading.entered.at != undated ? leading.entered.at : leading.answered.at;
    for (const Ref& ref : refs) {
      if (call.at == undated && ref.transaction->noted.seen) call.at = ref.transaction->noted.at;
    }
    const TraceAnswer* answer = leading.answer != nullptr ? leading.answer : edge.answer;
    if (answer != nullptr && is_success(*answer) && answer->reason_phrase.empty()) {
      for (const TraceAnswer* other : {front_end.returned, edge.answer}) {
        if (other != nullptr && !other->reason_phrase.empty()) answer = other;
      }
    }
    const bool noted = std::any_of(errors.begin(), errors.end(), [](const TraceError* e) { return e->grave; });
    if (answer != nullptr) {
      call.outcome = outcome_of(*answer);
    } else if (noted) {
      call.outcome = TraceOutcome::failed;
    } else if (call.at != undated && leading.log->last != undated && leading.log->responses > 0 &&
               leading.log->last - call.at > longest_transaction) {
      call.outcome = TraceOutcome::unanswered;
    } else {
      call.outcome = TraceOutcome::unfinished;
    }
    if (edge.log != nullptr && front_end.log != nullptr) {
      call.reach = edge.answered.seen ? TraceReach::answered : TraceReach::unanswered;
    } else if (front_end.log != nullptr) {
      const bool server_side = answer == nullptr || answer->status == 0 || answer->status == 408 ||
                               answer->status == 480 || answer->status >= 500;
      const bool tried = front_end.sent.seen || (server_side && call.outcome == TraceOutcome::failed) ||
                         call.outcome == TraceOutcome::unanswered;
      call.reach = reach_of(call, front_end, tried);
    }
    if (call.outcome == TraceOutcome::failed || call.outcome == TraceOutcome::unanswered)
      add_cause(call, answer, errors);
    study_.calls.push_back(std::move(call));
  }

  void add_cause(TraceCall& call, const TraceAnswer* answer, const std::vector<const TraceError*>& errors) {
    std::string title;
    const std::string explanation = explain_trace(answer, errors);
    if (answer != nullptr) {
      title = title_of(*answer);
    } else if (call.outcome == TraceOutcome::failed) {
      // A diagnostic record is about this very call; a component's line is in its own words.
      const TraceError* noted = nullptr;
      for (const TraceError* error : errors) {
        if (error->grave && (noted == nullptr || (noted->component && !error->component))) noted = error;
      }
      title = fmt::format("no answer in the trace; the server noted: {}", noted == nullptr ? "" : title_of(*noted));
    } else {
      title = "no answer in the trace";
    }
    const auto [found, added] = cause_by_title_.try_emplace(title, study_.causes.size());
    if (added) {
      study_.causes.emplace_back();
      study_.causes.back().title = title;
      cause_users_.emplace_back();
    }
    call.cause = found->second;
    TraceCause& cause = study_.causes[call.cause];
    if (explanation.size() > cause.explanation.size()) cause.explanation = explanation;
    if (answer != nullptr && !cause.answer) cause.answer = *answer;
    for (const TraceError* error : errors) {
      std::string line = line_of(*error);
      if (cause.errors.size() < max_error_lines &&
          std::find(cause.errors.begin(), cause.errors.end(), line) == cause.errors.end()) {
        cause.errors.push_back(std::move(line));
        cause.noted.push_back(*error);
      }
    }
  }

  void sum_up() {
    std::map<std::string, TraceTally> users;
    std::map<std::string, TraceTally> edges;
    for (const TraceCall& call : study_.calls) {
      count(study_.all, call);
      TraceTally& user = users[call.user];
      count(user, call);
      count(edges[call.edge], call);
      if (call.outcome == TraceOutcome::failed || call.outcome == TraceOutcome::unanswered) user.left_without = true;
      if (call.outcome == TraceOutcome::granted) user.left_without = false;
      if (call.cause < study_.causes.size()) {
        TraceCause& cause = study_.causes[call.cause];
        count(cause.tally, call);
        if (cause_users_[call.cause].insert(call.user).second) ++cause.users;
        if (std::find(cause.edges.begin(), cause.edges.end(), call.edge) == cause.edges.end() &&
            cause.edges.size() < 100)
          cause.edges.push_back(call.edge);
        if (cause.call_ids.size() < examples) cause.call_ids.push_back(call.call_id);
      }
      switch (call.reach) {
        case TraceReach::answered:
          ++study_.reached_answered;
          break;
        case TraceReach::unanswered:
          ++study_.reached_unanswered;
          break;
        case TraceReach::never:
          ++study_.never_reached;
          break;
        case TraceReach::not_told:
          ++study_.not_told;
          break;
        case TraceReach::not_compared:
          break;
      }
    }
    const auto sorted = [](std::map<std::string, TraceTally>& tallies) {
      std::vector<TraceTally> list;
      for (auto& [name, tally] : tallies) {
        tally.name = name;
        list.push_back(std::move(tally));
      }
      std::stable_sort(list.begin(), list.end(), [](const TraceTally& a, const TraceTally& b) {
        return a.failed + a.unanswered > b.failed + b.unanswered;
      });
      return list;
    };
    study_.users = sorted(users);
    study_.edges = sorted(edges);
    sort_causes();
    for (std::size_t i = 0; i < logs().size(); ++i) {
      const TraceLog& log = logs()[i];
      if (grows_too_fast(log.records, log.requests)) study_.growing.push_back(i);
    }
  }

  void sort_causes() {
    std::vector<std::size_t> order(study_.causes.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      return study_.causes[a].tally.requests > study_.causes[b].tally.requests;
    });
    std::vector<TraceCause> causes;
    std::vector<std::size_t> place(order.size());
    for (const std::size_t old : order) {
      place[old] = causes.size();
      causes.push_back(std::move(study_.causes[old]));
    }
    study_.causes = std::move(causes);
    for (TraceCall& call : study_.calls) {
      if (call.cause < place.size()) call.cause = place[call.cause];
    }
  }

  void conclude() {
    bool failed_for_good = false;
    for (const TraceCall& call : study_.calls)
      failed_for_good = failed_for_good || call.outcome == TraceOutcome::failed;
    const bool left_without = std::any_of(study_.users.begin(), study_.users.end(),
                                          [](const TraceTally& user) { return user.left_without && user.failed > 0; });
    const bool loose = std::any_of(logs().begin(), logs().end(), [](const TraceLog& log) {
      return std::any_of(log.errors.begin(), log.errors.end(),
                         [](const TraceError& error) { return error.grave && error.loose > 0; });
    });
    if (study_.traces.left_out > 0)
      study_.unknown_because.push_back(fmt::format(
          "{} MRAS requests more than one run looks at: give it the traces in smaller parts", study_.traces.left_out));
    std::vector<std::string> foreign;
    bool records = false;
    for (const TraceFile& file : study_.traces.files) {
      if (file.records == 0 && file.bytes > 0) foreign.push_back(file.name);
      records = records || file.records > 0;
    }
    if (!foreign.empty())
      study_.unknown_because.push_back(
          fmt::format("no log record stands in {}: give the text that SIPStack, OCSLogger or CLS write; a binary trace "
                      "(.etl) has to be converted to text first",
                      some_of(foreign)));
    if (study_.calls.empty() && !records) {
      if (foreign.empty() && !study_.traces.files.empty())
        study_.unknown_because.emplace_back(
            "nothing stands in these traces: see that tracing was started, and stopped again, before they were copied");
    } else if (study_.calls.empty()) {
      study_.unknown_because.emplace_back(
          "no MRAS request stands in these traces: take SIPStack traces (flags TF_PROTOCOL and TF_DIAG) on the Front "
          "End and the Edge while a user signs in");
    } else if (study_.all.granted == 0 && study_.all.failed + study_.all.unanswered == 0) {
      study_.unknown_because.emplace_back("no MRAS request in these traces has an answer that says how it ended");
    } else if (study_.all.unclear > 0) {
      study_.unknown_because.push_back(fmt::format("of {} the trace has the answer 200, but not what MRAS says in it",
                                                   count_of(study_.all.unclear)));
    }
    study_.status = study_.unknown_because.empty() ? Status::ok : Status::unknown;
    if (failed_for_good || study_.all.unanswered > 0 || loose) study_.status = Status::warning;
    if (left_without) study_.status = Status::critical;
    if (!study_.traces.unread.empty()) study_.status = worst(study_.status, Status::unknown);
  }

  /// "a.log, b.log, c.log and 4 more"
  static std::string some_of(std::vector<std::string> names) {
    constexpr std::size_t most = 3;
    if (names.size() > most) {
      const std::size_t more = names.size() - most;
      names.resize(most);
      names.push_back(fmt::format("{} more", more));
    }
    return enumerate(names);
  }
  static std::string count_of(std::size_t n) { return mrascheck::count(n, "request"); }

  TraceStudy study_;
  std::size_t reference_ = 0;
  std::vector<std::pair<std::string_view, std::vector<Ref>>> groups_;
  std::map<std::size_t, std::set<std::string_view>> own_names_;  ///< of Edges, by what was asked of them
  std::set<std::string_view> asked_edges_;
  std::map<std::string, std::size_t> cause_by_title_;
  std::vector<std::set<std::string>> cause_users_;
};

}  // namespace

std::string to_text(TraceTime time) {
  if (time == undated) return "an unknown time";
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::optional<TraceTime> parse_trace_time(std::string_view text) {
  constexpr std::string_view form = "0000-00-00 00:00:00.000";
  if (text.size() != form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return std::nullopt;
  }
  const auto number = [text](std::size_t at, std::size_t digits) {
    int value = 0;
    for (const char c : text.substr(at, digits)) value = value * 10 + (c - '0');
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year{number(0, 4)},
                                         std::chrono::month{static_cast<unsigned>(number(5, 2))},
                                         std::chrono::day{static_cast<unsigned>(number(8, 2))}};
  if (!date.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 60) return std::nullopt;
  const TraceTime time = std::chrono::local_days{date} + number(11, 2) * 1h + number(14, 2) * 1min +
                         number(17, 2) * 1s + milliseconds{number(20, 3)};
  return to_text(time) == text ? std::optional{time} : std::nullopt;
}

bool grows_too_fast(std::uint64_t records, std::uint64_t requests) {
  return records >= min_growing_records &&
         static_cast<double>(records) > many_records_per_transaction * static_cast<double>(requests);
}

std::string explain_trace(const TraceAnswer* answer, const std::vector<const TraceError*>& errors) {
  std::string explanation = answer == nullptr ? std::string{} : explanation_of(*answer);
  for (const TraceError* error : errors) {
    add_sentence(explanation, meaning_of(*error));
    if (!error->code) continue;
    if (const Explanation* row = explain_hresult(*error->code)) {
      add_sentence(explanation, row->meaning);
      add_sentence(explanation, row->remedy);
    }
  }
  return explanation;
}

std::string_view to_string(TraceRole role) {
  switch (role) {
    case TraceRole::unknown:
      return "unknown";
    case TraceRole::front_end:
      return "front-end";
    case TraceRole::edge:
      return "edge";
  }
  return "unknown";
}

std::string_view to_string(TraceOutcome outcome) {
  switch (outcome) {
    case TraceOutcome::granted:
      return "granted";
    case TraceOutcome::failed:
      return "failed";
    case TraceOutcome::unanswered:
      return "unanswered";
    case TraceOutcome::unfinished:
      return "unfinished";
    case TraceOutcome::challenged:
      return "challenged";
    case TraceOutcome::unclear:
      return "unclear";
  }
  return "unclear";
}

std::string_view to_string(TraceReach reach) {
  switch (reach) {
    case TraceReach::not_compared:
      return "not-compared";
    case TraceReach::not_told:
      return "not-told";
    case TraceReach::never:
      return "never";
    case TraceReach::unanswered:
      return "unanswered";
    case TraceReach::answered:
      return "answered";
  }
  return "not-compared";
}

TraceStudy study(Traces traces) {
  return Student{std::move(traces)}.run();
}

}  // namespace mrascheck

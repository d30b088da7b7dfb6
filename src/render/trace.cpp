// SPDX-License-Identifier: Apache-2.0
#include "render/trace.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "render/layout.hpp"

namespace mrascheck::render {
namespace {

constexpr std::size_t users_shown = 20;
constexpr std::size_t loose_errors_shown = 10;

std::string when(TraceTime first, TraceTime last) {
  if (first == undated) return "at an unknown time";
  return first == last ? fmt::format("at {}", to_text(first))
                       : fmt::format("from {} to {}", to_text(first), to_text(last));
}

std::string named(const std::string& name, std::string_view otherwise) {
  return name.empty() ? std::string{otherwise} : one_line(name);
}

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{:.3f} s", static_cast<double>(time.count()) / 1000.0);
}

std::string role_of(const TraceLog& log) {
  if (log.records == 0) return "no log record";
  switch (log.role) {
    case TraceRole::front_end:
      return log.role_given ? "a Front End, as given" : "a Front End, by what it writes";
    case TraceRole::edge:
      return log.role_given ? "an Edge, as given" : "an Edge, by what it writes";
    case TraceRole::unknown:
      return "of what server is not to be seen: say it with --front-end or --edge";
  }
  return {};
}

std::string tally_of(const TraceTally& tally) {
  std::string text = count(tally.requests, "request");
  const auto add = [&text](std::size_t n, std::string_view words) {
    if (n > 0) text += fmt::format(", {} {}", n, words);
  };
  add(tally.granted, "granted");
  add(tally.failed, "failed");
  add(tally.unanswered, "unanswered");
  add(tally.unclear, "answered 200 with nothing to be seen of MRAS");
  add(tally.unfinished, "not at its end in the trace");
  return text;
}

std::string failures_of(const TraceTally& tally) {
  return tally.failed + tally.unanswered == 0
             ? std::string{}
             : fmt::format("; failures {}", when(tally.first_failure, tally.last_failure));
}

class TracePage {
 public:
  TracePage(const TraceStudy& study, const Options& options)
      : study_(study), page_(options.width), verbosity_(options.verbosity) {}

  std::string print() {
    headline();
    servers();
    causes();
    reach();
    loose_errors();
    tallies("Edges", study_.edges, "(the Edge is not named)", study_.edges.size());
    tallies("Users", study_.users, "(the user is not named)", verbosity_ > 0 ? study_.users.size() : users_shown);
    if (verbosity_ > 0) calls();
    return page_.take();
  }

 private:
  void headline() {
    const TraceTally& all = study_.all;
    const auto left = std::count_if(study_.users.begin(), study_.users.end(),
                                    [](const TraceTally& user) { return user.left_without; });
    const bool nothing_read = study_.traces.files.empty() && !study_.traces.unread.empty();
    std::string text = nothing_read        ? "no trace could be read"
                       : all.requests == 0 ? "no MRAS request found"
                                           : fmt::format("MRAS: {}", tally_of(all));
    if (left > 0)
      text += fmt::format("; {} left without credentials", left == 1 ? "1 user is" : fmt::format("{} users are", left));
    page_.line(fmt::format("{}: {}", to_string(study_.status), text));
    for (const std::string& reason : study_.unknown_because) page_.line(fmt::format("UNKNOWN because {}", reason), 2);
    for (const std::string& complaint : study_.traces.unread)
      page_.line(fmt::format("UNKNOWN: could not be read: {}", complaint), 2);
  }

  void heading(std::string_view words) {
    page_.blank();
    page_.line(words);
  }

  void servers() {
    if (study_.traces.logs.empty()) return;
    heading("Traces");
    for (std::size_t i = 0; i < study_.traces.logs.size(); ++i) {
      const TraceLog& log = study_.traces.logs[i];
      page_.item(fmt::format("{}: {}", one_line(log.server), role_of(log)), 2);
      if (log.files.size() != 1 || log.files.front() != log.server)
        page_.line(fmt::format("in {}", one_line(enumerate(log.files))), 4);
      if (log.first != undated) page_.line(when(log.first, log.last), 4);
      std::string text =
          fmt::format("{}, {}", count(log.records, "log record"), count(log.requests, "SIP transaction"));
      if (log.requests > 0)
        text += fmt::format(": {:.1f} records a transaction",
                            static_cast<double>(log.records) / static_cast<double>(log.requests));
      if (log.errors_noted > 0) text += fmt::format("; {} of level error", count(log.errors_noted, "record"));
      if (log.broken > 0) text += fmt::format("; {} cut off", count(log.broken, "record"));
      page_.line(text, 4);
      if (log.other_timeouts > 0)
        page_.line(fmt::format("{} 504 to other requests than those of MRAS", count(log.other_timeouts, "answer")), 4);
      if (std::find(study_.growing.begin(), study_.growing.end(), i) != study_.growing.end())
        page_.line(
            "this log grows far faster than its traffic: connections that fail again and again, as over a certificate "
            "that is refused, do that; so does tracing of many components at level All",
            4);
    }
    for (const TraceClock& clock : study_.clocks) {
      const std::string& one = study_.traces.logs[clock.log].server;
      const std::string& other = study_.traces.logs[clock.reference].server;
      if (clock.messages == 0) {
        page_.item(fmt::format("{} and {} hold no message in common: their clocks cannot be compared", one_line(one),
                               one_line(other)),
                   2);
        continue;
      }
      const auto distance = clock.ahead < std::chrono::milliseconds{0} ? -clock.ahead : clock.ahead;
      page_.item(fmt::format("the clock of {} is {} {} that of {}, by {}{}{}", one_line(one), seconds(distance),
                             clock.ahead < std::chrono::milliseconds{0} ? "behind" : "ahead of", one_line(other),
                             count(clock.messages, "message"),
                             clock.both_ways ? " both ways" : " one way, with the time on the way in it",
                             clock.messages > 1 ? fmt::format("; they differ by {}", seconds(clock.spread)) : ""),
                 2);
    }
  }

  void causes() {
    if (study_.causes.empty()) return;
    heading("Why requests failed");
    for (const TraceCause& cause : study_.causes) {
      page_.item(fmt::format("{}: {}", count(cause.tally.requests, "request"), one_line(cause.title)), 2);
      std::vector<std::string> edges;
      for (const std::string& edge : cause.edges) {
        if (!edge.empty()) edges.push_back(one_line(edge));
      }
      page_.line(fmt::format("{}; {}{}", when(cause.tally.first, cause.tally.last), count(cause.users, "user"),
                             edges.empty() ? "" : fmt::format("; Edge {}", enumerate(edges))),
                 4);
      if (!cause.explanation.empty()) page_.line(cause.explanation, 4);
      for (const std::string& error : cause.errors) page_.line(fmt::format("on the same call: {}", error), 4);
      page_.line(
          fmt::format("Call-ID{} {}{}", cause.call_ids.size() == 1 ? "" : "s", one_line(enumerate(cause.call_ids)),
                      cause.tally.requests > cause.call_ids.size() ? ", and more" : ""),
          4);
    }
  }

  void reach() {
    if (!study_.compared) return;
    const std::size_t reached = study_.reached_answered + study_.reached_unanswered;
    const std::size_t told = reached + study_.never_reached + study_.not_told;
    if (told == 0) return;
    heading("What of the Front End's requests stands in the trace of the Edge");
    const auto item = [this](std::size_t n, std::string_view words) {
      if (n > 0) page_.item(fmt::format("{} {}", count(n, "request"), words), 2);
    };
    item(study_.reached_answered, "came to the Edge and got an answer there");
    item(study_.reached_unanswered, "came to the Edge, and no answer left it within its trace");
    item(study_.never_reached, "never reached the Edge");
    item(study_.not_told, "cannot be told: the trace of the Edge does not cover that time, or is of another Edge");
    if (study_.never_reached > 0) {
      page_.line(
          "What never reaches the Edge fails before any SIP is exchanged: on the network, in TLS, or over a "
          "certificate "
          "that one side refuses. Where port, name and route are in order, it usually is the certificates.",
          2);
      page_.line(
          "What to do: run mrascheck check from the Front End, with its certificate and the stores of both servers; "
          "where the pool of the Edge has other members, take their traces as well.",
          2);
      const bool blind = std::any_of(study_.clocks.begin(), study_.clocks.end(), [this](const TraceClock& clock) {
        return clock.messages == 0 && study_.traces.logs[clock.log].role == TraceRole::edge;
      });
      if (blind)
        page_.line(
            "That both traces are of the same time is taken from their own clocks: they hold no message in common.", 2);
    }
    if (study_.reached_unanswered > 0)
      page_.line("What to do: look at the service that hands out credentials, RTCMRAUTH, on the Edge, and its events.",
                 2);
  }

  void loose_errors() {
    std::vector<std::string> lines;
    for (const TraceLog& log : study_.traces.logs) {
      for (const TraceError& error : log.errors) {
        if (error.loose == 0) continue;
        lines.push_back(fmt::format("{}: {}{}{}{}; {}, {}", one_line(log.server), one_line(error.text),
                                    error.result.empty() ? "" : fmt::format(" ({})", one_line(error.result)),
                                    error.peer.empty() ? "" : fmt::format(", peer {}", one_line(error.peer)),
                                    error.data.empty() ? "" : fmt::format("; {}", one_line(error.data)),
                                    error.loose == 1 ? "once" : fmt::format("{} times", error.loose),
                                    when(error.first.at, error.last.at)));
      }
    }
    if (lines.empty()) return;
    heading("Noted about port 5062, but about no request");
    for (std::size_t i = 0; i < lines.size() && (verbosity_ > 0 || i < loose_errors_shown); ++i)
      page_.item(lines[i], 2);
    if (verbosity_ == 0 && lines.size() > loose_errors_shown)
      page_.line(fmt::format("and {} more: -v lists them", lines.size() - loose_errors_shown), 4);
  }

  void tallies(std::string_view title, const std::vector<TraceTally>& tallies, std::string_view otherwise,
               std::size_t limit) {
    if (tallies.empty()) return;
    heading(title);
    for (std::size_t i = 0; i < tallies.size() && i < limit; ++i) {
      const TraceTally& tally = tallies[i];
      page_.item(fmt::format("{}: {}{}{}", named(tally.name, otherwise), tally_of(tally), failures_of(tally),
                             tally.left_without ? "; left without credentials" : ""),
                 2);
    }
    if (tallies.size() > limit) page_.line(fmt::format("and {} more: -v lists them", tallies.size() - limit), 4);
  }

  void calls() {
    if (study_.calls.empty()) return;
    heading("Requests");
    for (const TraceCall& call : study_.calls) {
      std::string text = fmt::format("{}: {}, {}, {}", to_text(call.at), named(call.user, "(no user)"),
                                     named(call.edge, "(no Edge)"), to_string(call.outcome));
      if (call.cause < study_.causes.size()) text += fmt::format(": {}", study_.causes[call.cause].title);
      if (call.reach == TraceReach::never) text += "; never reached the Edge";
      page_.item(fmt::format("{}; Call-ID {}", text, call.call_id), 2);
    }
  }

  const TraceStudy& study_;
  Page page_;
  int verbosity_;
};

}  // namespace

std::string trace(const TraceStudy& study, const Options& options) {
  return TracePage{study, options}.print();
}

}  // namespace mrascheck::render

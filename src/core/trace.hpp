// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/mras.hpp"
#include "core/status.hpp"

namespace mrascheck {

/// What a trace says of time: the clock of the server that wrote it, in that server's own time zone, which no trace
/// names.
using TraceTime = std::chrono::local_time<std::chrono::milliseconds>;
inline constexpr TraceTime undated = TraceTime::min();

/// "2011-03-14 09:26:53.589"; "an unknown time" for undated.
std::string to_text(TraceTime time);
/// Nothing for anything that to_text() does not make of a time that is known.
std::optional<TraceTime> parse_trace_time(std::string_view text);

/// Whether something stands in a trace, and when; undated where the record's first line was lost.
struct Sighting {
  bool seen = false;
  TraceTime at = undated;
};

enum class TraceRole { unknown, front_end, edge };
std::string_view to_string(TraceRole role);  ///< "unknown", "front-end", "edge"

/// A final answer to an MRAS request; those that differ only in their times and users are one.
struct TraceAnswer {
  unsigned status = 0;
  std::string reason;
  std::vector<MsDiagnostics> diagnostics;  ///< of the first such answer
  bool body = false;                       ///< an MRAS response document, or some of it, stands in the trace
  std::string reason_phrase;               ///< of MRAS; empty when it is not in the trace
  std::string server_version;              ///< of MRAS
  std::vector<std::string> relays;         ///< host names or addresses in it, as it names them
};

/// An error or a warning that a server noted: a diagnostic record (TF_DIAG) or a line of a component (TF_COMPONENT).
struct TraceError {
  bool component = false;
  bool grave = false;  ///< an error, not a warning
  std::string text;
  std::string result;                 ///< "0xc3e93d67 SIPPROXY_E_ROUTING_MSG_CERT_MISMATCH"; may be empty
  std::optional<std::uint32_t> code;  ///< the number in it
  std::string data;                   ///< of the first such error
  std::string peer;                   ///< "edge-int.contoso.example:5062"; may be empty
  std::size_t count = 0;
  std::size_t loose = 0;  ///< of these, about port 5062 but about no request
  Sighting first, last;
};

/// One MRAS request (Call-ID and CSeq) as one server saw it: on its way from the client through the server, and on its
/// way to the MRAS service of an Edge, port 5062.
struct TraceTransaction {
  static constexpr std::uint32_t none = UINT32_MAX;
  static constexpr std::size_t max_errors = 4;

  std::string call_id;
  std::uint32_t cseq = 0;                ///< 0: not in the trace
  std::uint32_t user = none;             ///< index into TraceLog::names
  std::uint32_t edge = none;             ///< likewise: the Edge that is asked, by the user part of To
  Sighting taken;                        ///< the request came in, from the client or the hop before
  Sighting passed_on;                    ///< it went out again, but not to port 5062
  Sighting sent;                         ///< it went out to port 5062 of an Edge
  Sighting arrived;                      ///< it came in at port 5062: this is the Edge
  Sighting answered;                     ///< the Edge's own answer went out
  Sighting returned;                     ///< an answer came back in
  Sighting replied;                      ///< an answer went out to the client or the hop before
  Sighting noted;                        ///< an error about it
  std::uint32_t answer_answered = none;  ///< index into TraceLog::answers
  std::uint32_t answer_returned = none;
  std::uint32_t answer_replied = none;
  std::array<std::uint32_t, max_errors> errors{none, none, none, none};  ///< indices into TraceLog::errors
};

/// One message that other servers' traces may hold as well, by which clocks can be compared.
struct TraceSample {
  std::uint64_t key = 0;  ///< of Call-ID, CSeq and Max-Forwards: the same at both ends of one hop
  bool out = false;
  TraceTime at = undated;
};

/// All that the files say of one server.
struct TraceLog {
  std::string server;  ///< the machine that CLS names in each record, else whose the file is, else the file
  std::string pool;    ///< that CLS names
  std::vector<std::string> files;
  TraceRole role = TraceRole::unknown;
  bool role_given = false;  ///< by whoever asks, and not by what stands in the trace
  TraceTime first = undated;
  TraceTime last = undated;
  std::uint64_t records = 0;         ///< of any kind, and lines of components
  std::uint64_t requests = 0;        ///< SIP requests but ACK and CANCEL, one a hop: so many SIP transactions
  std::uint64_t responses = 0;       ///< final ones
  std::uint64_t errors_noted = 0;    ///< records and lines of level error
  std::uint64_t other_timeouts = 0;  ///< answers 504 to what is no MRAS request
  std::uint64_t broken = 0;          ///< records whose begin or end is missing
  std::uint64_t to_mras = 0;         ///< SERVICE requests that went out to port 5062
  std::uint64_t at_mras = 0;         ///< that came in there
  std::uint64_t at_edges = 0;        ///< messages that crossed an interface of an Edge, by its own words
  std::vector<TraceTransaction> transactions;
  std::vector<TraceAnswer> answers;
  std::vector<TraceError> errors;  ///< about MRAS requests or port 5062
  std::vector<std::string> names;
  std::vector<TraceSample> samples;  ///< sorted by key

  std::string_view name(std::uint32_t index) const { return index < names.size() ? names[index] : std::string_view{}; }
};

struct TraceFile {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  bool utf16 = false;
};

/// What was read, bounded whatever the size of the files.
struct Traces {
  std::vector<TraceFile> files;
  std::vector<std::string> unread;  ///< what could not be read, and why: "fe1.txt: No such file or directory"
  std::vector<TraceLog> logs;
  std::uint64_t left_out = 0;  ///< MRAS requests beyond the bounds, not looked at
};

/// What became of one MRAS request, by all traces together.
enum class TraceOutcome {
  granted,
  failed,
  unanswered,  ///< the trace goes on for longer than a SIP transaction may last, and holds no answer
  unfinished,  ///< the trace ends too early to tell
  challenged,  ///< the server asked for credentials of the user (401, 407): the client asks again
  unclear,     ///< 200, but what MRAS says in it is not in the trace
};
std::string_view to_string(TraceOutcome outcome);

/// Whether a request that a Front End had for an Edge stands in the trace of that Edge.
enum class TraceReach {
  not_compared,  ///< there is no trace of an Edge, or none of a Front End
  not_told,      ///< the trace of the Edge does not cover that time, or is of another Edge
  never,
  unanswered,  ///< it came there, and no answer left
  answered,
};
std::string_view to_string(TraceReach reach);

struct TraceCall {
  std::size_t log = 0;  ///< index into Traces::logs: of the Front End that had it, else of the Edge
  std::string call_id;
  std::uint32_t cseq = 0;
  std::string user, edge;
  TraceTime at = undated;  ///< of its first record
  TraceOutcome outcome = TraceOutcome::unclear;
  TraceReach reach = TraceReach::not_compared;
  std::size_t cause = SIZE_MAX;  ///< index into TraceStudy::causes
};

/// How many, and when: of a user, an Edge or a cause. By the clock of the server that has the record.
struct TraceTally {
  std::string name;  ///< empty: not in the trace
  std::size_t requests = 0, granted = 0, failed = 0, unanswered = 0, unclear = 0, unfinished = 0;
  std::size_t never_reached = 0;
  TraceTime first = undated, last = undated;                  ///< of its requests
  TraceTime first_failure = undated, last_failure = undated;  ///< undated: none, or not known
  bool left_without = false;  ///< a user: the last thing that the trace says is no credentials
};

/// Why requests failed, as far as the traces say.
struct TraceCause {
  std::string title;        ///< "504 Server time-out, ms-diagnostics 1038, WinsockFailureCode 10061"
  std::string explanation;  ///< plain words and what to do; empty when nothing is known of it
  TraceTally tally;
  std::size_t users = 0;
  std::vector<std::string> edges;
  std::vector<std::string> errors;    ///< what servers noted on the same calls, one line each
  std::vector<TraceError> noted;      ///< the same, as it was read
  std::optional<TraceAnswer> answer;  ///< of the first of them that had one
  std::vector<std::string> call_ids;  ///< the first few
};

/// A clock, against that of the first Front End.
struct TraceClock {
  std::size_t log = 0, reference = 0;   ///< indices into Traces::logs
  std::size_t messages = 0;             ///< that both traces hold; 0: nothing is known
  bool both_ways = false;               ///< messages went both ways, so that the time on the way cancels out
  std::chrono::milliseconds ahead{0};   ///< how much later than the reference this clock is
  std::chrono::milliseconds spread{0};  ///< between the middle half of all messages
};

struct TraceStudy {
  Traces traces;
  std::vector<TraceCall> calls;    ///< by time
  std::vector<TraceCause> causes;  ///< the most frequent first
  std::vector<TraceTally> edges;   ///< likewise by failures, then by name
  std::vector<TraceTally> users;
  TraceTally all;
  std::vector<TraceClock> clocks;
  bool compared = false;  ///< there is a trace of a Front End and one of an Edge
  std::size_t reached_answered = 0, reached_unanswered = 0, never_reached = 0, not_told = 0;
  std::vector<std::size_t> growing;  ///< indices of logs that grow far faster than their traffic
  std::vector<std::string> unknown_because;
  Status status = Status::unknown;
};

/// A log with more records than this for each SIP transaction grows far faster than its traffic, which connections that
/// fail again and again do to it.
inline constexpr double many_records_per_transaction = 10;
/// That is said of logs of so many records only.
inline constexpr std::uint64_t min_growing_records = 100;
bool grows_too_fast(std::uint64_t records, std::uint64_t requests);

/// Puts the logs together: by Call-ID, with the difference of clocks taken from the traffic itself. Pure.
TraceStudy study(Traces traces);

}  // namespace mrascheck

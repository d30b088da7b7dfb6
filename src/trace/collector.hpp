// SPDX-License-Identifier: Apache-2.0
// Private to the room.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/trace.hpp"
#include "trace/reader.hpp"
#include "trace/record.hpp"

namespace mrascheck::trace {

/// Puts records where they belong: to a server, and what is of MRAS to its request.
class Collector {
 public:
  explicit Collector(const Limits& limits) : limits_(limits) {}

  void begin(std::string_view file, TraceRole role, std::string_view server);
  void end(std::uint64_t bytes, bool utf16);
  void record(const Record& record, bool whole);
  /// A line of a component: a head without a record.
  void component(std::string_view line);
  Traces take();

 private:
  /// Something that a component said, waiting for the record of a call on the same thread.
  struct Waiting {
    TraceError error;
    Sighting at;
    std::string correlation, thread;
  };
  struct Recent {
    std::size_t transaction;
    std::string correlation;
  };
  struct Log {
    TraceLog log;
    std::unordered_multimap<std::uint64_t, std::uint32_t> calls;  ///< by the hash of a Call-ID
    std::unordered_map<std::string, std::uint32_t> names, answers, errors;
    std::vector<TraceSample> samples;  ///< a heap with the greatest key on top
    std::deque<Waiting> waiting;
    std::deque<Recent> recent;
    std::string last_file;
  };

  Log& log_of(std::string_view host);
  void message(Log& log, const Record& record, const Head& head);
  void diagnostic(Log& log, const Record& record, const Head& head);
  void sample(Log& log, const Record& record, bool out, TraceTime at) const;
  TraceTransaction* find(Log& log, std::string_view call_id, std::uint32_t cseq);
  TraceTransaction* find_or_add(Log& log, std::string_view call_id, std::uint32_t cseq);
  std::uint32_t name(Log& log, const std::string& text) const;
  std::uint32_t answer(Log& log, const Record& record) const;
  std::uint32_t error(Log& log, TraceError error, Sighting at) const;
  void attach(Log& log, TraceTransaction& transaction, TraceError error, Sighting at) const;
  /// What components said just before on the same call is its.
  void settle(Log& log, const Head& head, std::string_view correlation, TraceTransaction* transaction) const;

  Limits limits_;
  std::string file_;
  std::string server_;  ///< whose records of no named machine are
  TraceRole role_ = TraceRole::unknown;
  std::uint64_t records_before_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t transactions_ = 0;
  std::uint64_t left_out_ = 0;
  std::deque<Log> logs_;
  std::map<std::string, std::size_t, std::less<>> by_server_;
  std::string last_host_;
  Log* last_log_ = nullptr;
  std::vector<TraceFile> files_;
};

}  // namespace mrascheck::trace

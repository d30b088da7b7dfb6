// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/site.hpp"
#include "core/trace.hpp"

namespace mrascheck {

/// What the traces of one server say of it as a whole.
struct TracedServer {
  std::string server;  ///< Server::name
  std::vector<std::string> files;
  TraceTime first = undated;
  TraceTime last = undated;
  std::uint64_t records = 0;  ///< as in TraceLog, and so are these
  std::uint64_t requests = 0;
  std::uint64_t errors_noted = 0;
  std::uint64_t other_timeouts = 0;
  std::uint64_t broken = 0;
  std::uint64_t at_mras = 0;
  std::vector<TraceError> errors;  ///< errors and warnings about port 5062 and no request: those that are loose
};

/// MRAS requests of one server for one Edge that ended alike.
struct TracedRequests {
  std::string
      from;        ///< Server::name of the Front End that had them; of the Edge where no trace of a Front End has them
  std::string to;  ///< Server::name, or the pool's name; as the trace names it where the site does not know it
  TraceOutcome outcome = TraceOutcome::unclear;
  std::string title;               ///< TraceCause::title; empty for what did not fail
  TraceAnswer answer;              ///< of the first of them; status 0 where there was none
  std::vector<TraceError> errors;  ///< what servers noted on the same calls
  std::uint64_t requests = 0;
  std::uint64_t users = 0;
  std::uint64_t left_without = 0;   ///< of these users: the last thing that the traces say is no credentials
  std::uint64_t never_reached = 0;  ///< by the trace of the Edge; and so are these
  std::uint64_t reached_unanswered = 0;
  std::uint64_t reached_answered = 0;
  std::uint64_t not_told = 0;
  TraceTime first = undated;
  TraceTime last = undated;
  std::vector<std::string> call_ids;  ///< the first few
};

/// The clock of one server against that of another, by the messages that both traces hold.
struct TracedClock {
  std::string server, reference;  ///< Server::name
  std::uint64_t messages = 0;
  bool both_ways = false;
  std::chrono::milliseconds ahead{0};
  std::chrono::milliseconds spread{0};
};

/// What a configuration's traces say, as evidence.
struct Traced {
  std::vector<TracedServer> servers;
  std::vector<TracedRequests> requests;
  std::vector<TracedClock> clocks;
};

/// Each log gets the name and the role of the server whose it is: the one that CLS names in its records, where the site
/// has one of that first label, else the one that the configuration gives the file to (`owners`: file, Server::name).
void assign_traces(Traces& traces, const Site& site, const std::map<std::string, std::string>& owners);

/// `study` of assigned traces as it is kept: bounded, whatever there were of requests.
Traced summarise(const TraceStudy& study, const Site& site);

/// Plain words and what to do, by ms-diagnostics, MRAS' reason phrase and what servers noted; empty when nothing is
/// known of it.
std::string explain_trace(const TraceAnswer* answer, const std::vector<const TraceError*>& errors);

}  // namespace mrascheck

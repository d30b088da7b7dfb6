// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "core/trace.hpp"

namespace mrascheck::trace {

struct Limits {
  std::size_t buffer = std::size_t{256} * 1024;  ///< bytes of text held at once; a longer record counts as broken
  std::size_t transactions = 50'000;             ///< of all files together
  std::size_t answers = 2'000;                   ///< different ones, of a server
  std::size_t errors = 1'000;                    ///< different ones, of a server
  std::size_t names = 50'000;                    ///< users and Edges, of a server
  std::size_t samples = 8'192;                   ///< of a server
  std::size_t servers = 200;
};

/// Reads what SIPStack tracing, OCSLogger and CLS write, of any size, in a memory that is bounded by `Limits`: UTF-8,
/// UTF-16 or ANSI; records may be cut off, glued together, quoted by a mail program or escaped by a forum. The outcome
/// depends on the bytes alone, not on the pieces they come in. MRAS user names and passwords are not kept.
///
///     reader.begin("fe1.txt");
///     while (const std::size_t n = read_into(reader.space())) reader.filled(n);
///     reader.end();
class Reader {
 public:
  explicit Reader(const Limits& limits = {});
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader();

  /// `role` other than unknown is what the file is of, whatever stands in it. `server` is whose records are in it,
  /// where they do not say so themselves.
  void begin(std::string_view file, TraceRole role = TraceRole::unknown, std::string_view server = {});
  std::span<char> space();     ///< where the next bytes go; never empty between begin() and end()
  void filled(std::size_t n);  ///< so many of them are there
  void end();
  Traces take();  ///< all files so far; the reader is empty then

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace mrascheck::trace

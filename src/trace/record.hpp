// SPDX-License-Identifier: Apache-2.0
// Private to the room.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "core/trace.hpp"

namespace mrascheck::trace {

inline constexpr std::string_view begin_mark = "$$begin_record";
inline constexpr std::string_view end_mark = "$$end_record";

/// As starts_with() and ends_with() of a text whose size is known while this is compiled: no call of memcmp.
template <std::size_t N>
bool begins(std::string_view text, const char (&with)[N]) {
  return text.size() >= N - 1 && std::memcmp(text.data(), with, N - 1) == 0;
}
template <std::size_t N>
bool ends(std::string_view text, const char (&with)[N]) {
  return text.size() >= N - 1 && std::memcmp(text.data() + (text.size() - (N - 1)), with, N - 1) == 0;
}

/// One record as it stands in the buffer: everything points into it. Values are as written, blanks around them
/// included.
struct Record {
  static constexpr std::size_t max_diagnostics = 4;

  std::string_view head;  ///< its first line; empty when that was lost
  bool marked = false;    ///< its $$begin_record is there
  bool settled = false;   ///< all is known that matters of a message which is not about MRAS
  std::string_view correlation, direction, peer, start_line, from, to, call_id, cseq, max_forwards, content_type;
  std::string_view body;  ///< from Message-Body on
  std::array<std::string_view, max_diagnostics> diagnostics;
  std::size_t diagnostics_count = 0;
  std::string_view severity, text, result_code, sip_start_line, sip_call_id, sip_cseq, data;

  /// Takes the field on `line`, or what a mail program has broken off the line before; passes over anything else.
  void take(std::string_view line);
  /// `line` begins the body.
  static bool begins_body(std::string_view line);
  /// Whether a record without its beginning may begin with this line.
  static bool could_begin(std::string_view line);
  /// Whether `line` is the start of another record than this one, where nothing marks it.
  bool another(std::string_view line) const;
  /// As new, without writing what nobody reads.
  void clear();
  bool empty() const { return call_id.empty() && sip_call_id.empty() && start_line.empty() && text.empty(); }

 private:
  void settle();

  std::string_view* last_ = nullptr;
};

/// TL_ERROR(TF_DIAG) [pool\host]0B60.0D6C::05/20/2019-14:15:16.017.00005602 (SIPStack,F:f.cpp(833)) [2236067977] rest
struct Head {
  std::string_view level;   ///< "TL_ERROR"
  std::string_view flag;    ///< "TF_DIAG"
  std::string_view host;    ///< between the brackets
  std::string_view thread;  ///< "0B60.0D6C"
  TraceTime at = undated;
  std::string_view correlation;  ///< between the second brackets
  std::string_view rest;         ///< behind all that, without the pointer to an object
};
/// Takes what it finds; a head whose front is missing still has a time.
Head parse_head(std::string_view line);

/// Where a head begins in `text`, at or after `from`; npos when none does.
std::size_t find_head(std::string_view text, std::size_t from);
/// The last of them.
std::size_t find_last_head(std::string_view text);

/// As it was before mail programs and forums had it: entities, typographic quotes, hard blanks and broken lines undone;
/// what is no UTF-8 is read as Windows-1252. At most `limit` bytes of `text` are looked at.
std::string cleaned(std::string_view text, std::size_t limit = 8192);

/// Without the blanks, hard blanks and quotation marks ("> ") that stand in front of a quoted line.
std::string_view unquoted(std::string_view line);

/// "0xC3E93C5E(SIPPROXY_E_ROUTING)" or "0xc3e93c5e SIPPROXY_E_ROUTING" anywhere in `text`: as the latter.
struct ResultCode {
  std::string words;
  std::uint32_t code = 0;
};
std::optional<ResultCode> find_result_code(std::string_view text);

}  // namespace mrascheck::trace

// SPDX-License-Identifier: Apache-2.0
#include "trace/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/text.hpp"

namespace mrascheck::trace {
namespace {

using namespace std::chrono_literals;

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// `size` octets of which `lower_case` has no capital; bit 0x20 tells only the case of what stands in names.
inline bool same_ignoring_case(const char* text, const char* lower_case, std::size_t size) {
  constexpr std::size_t word = sizeof(std::uint64_t);
  if (size < word) {
    for (std::size_t i = 0; i < size; ++i) {
      if (lower(text[i]) != lower_case[i]) return false;
    }
    return true;
  }
  const auto differ = [&](std::size_t at) {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::memcpy(&a, text + at, word);
    std::memcpy(&b, lower_case + at, word);
    return (a | 0x2020202020202020U) != b;
  };
  for (std::size_t at = 0; at + word < size; at += word) {
    if (differ(at)) return false;
  }
  return !differ(size - word);
}

/// `name` in lower case, with its colon.
inline bool is_field(std::string_view line, std::string_view name) {
  return line.size() >= name.size() && line[name.size() - 1] == ':' &&
         same_ignoring_case(line.data(), name.data(), name.size());
}

constexpr bool is_name_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// "Name: value", where Name is a SIP token.
bool has_field_form(std::string_view line) {
  std::size_t i = 0;
  while (i < line.size() && is_name_char(line[i])) ++i;
  return i > 0 && i < line.size() && line[i] == ':';
}

std::string_view value_behind(std::string_view line, std::size_t name_size) {
  line.remove_prefix(name_size);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

int digits(std::string_view text, std::size_t at, std::size_t n) {
  int value = 0;
  for (std::size_t i = at; i < at + n; ++i) {
    const char c = text[i];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

constexpr std::size_t stamp_size = 23;  // mm/dd/yyyy-hh:mm:ss.mmm

TraceTime parse_stamp(std::string_view text) {
  if (text.size() < stamp_size || text[2] != '/' || text[5] != '/' || text[10] != '-' || text[13] != ':' ||
      text[16] != ':' || text[19] != '.')
    return undated;
  // Most stamps are of the day of the one before.
  thread_local std::array<char, 10> last_date{};
  thread_local std::chrono::local_days last_day{};
  if (!std::equal(last_date.begin(), last_date.end(), text.begin())) {
    int month = digits(text, 0, 2);
    int day = digits(text, 3, 2);
    const int year = digits(text, 6, 4);
    if (month > 12 && day <= 12) std::swap(month, day);
    if (month < 1 || day < 1 || year < 1990) return undated;
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return undated;
    last_day = std::chrono::local_days{date};
    std::copy_n(text.begin(), last_date.size(), last_date.begin());
  }
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  const int milli = digits(text, 20, 3);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 || milli < 0) return undated;
  return last_day + hour * 1h + minute * 1min + second * 1s + milli * 1ms;
}

bool is_head_at(std::string_view text, std::size_t at) {
  std::size_t i = at + 3;
  while (i < text.size() && text[i] >= 'A' && text[i] <= 'Z') ++i;
  return i > at + 3 && begins(text.substr(std::min(i, text.size())), "(TF_");
}

/// Windows-1252, 0x80 to 0x9F; the rest is as in Latin-1.
constexpr std::array<std::uint16_t, 32> windows_1252{0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                     0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
                                                     0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                     0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};

void append_code_point(std::string& out, std::uint32_t c) {
  const auto octet = [&out](std::uint32_t value) {
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(value)));
  };
  if (c < 0x80) {
    octet(c);
  } else if (c < 0x800) {
    octet(0xC0U | c >> 6U);
    octet(0x80U | (c & 0x3FU));
  } else {
    octet(0xE0U | c >> 12U);
    octet(0x80U | (c >> 6U & 0x3FU));
    octet(0x80U | (c & 0x3FU));
  }
}

struct Replacement {
  std::string_view from;
  std::string_view to;
};
constexpr std::array replacements{
    Replacement{"&lt;", "<"},          Replacement{"&gt;", ">"},          Replacement{"&quot;", "\""},
    Replacement{"&amp;", "&"},         Replacement{"&apos;", "'"},        Replacement{"&#39;", "'"},
    Replacement{"&#34;", "\""},        Replacement{"&nbsp;", " "},        Replacement{"\xC2\xA0", " "},
    Replacement{"\xE2\x80\x9C", "\""}, Replacement{"\xE2\x80\x9D", "\""}, Replacement{"\xE2\x80\x98", "'"},
    Replacement{"\xE2\x80\x99", "'"},  Replacement{"\xE2\x80\x9E", "\""}, Replacement{"\xE2\x80\x8B", ""},
};

/// The length of the UTF-8 character at the front; 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto first = static_cast<std::uint8_t>(text[0]);
  std::size_t length = 0;
  if (first >= 0xC2 && first <= 0xDF) length = 2;
  if (first >= 0xE0 && first <= 0xEF) length = 3;
  if (first >= 0xF0 && first <= 0xF4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<std::uint8_t>(text[i]) & 0xC0U) != 0x80) return 0;
  }
  return length;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
  return -1;
}

}  // namespace

bool Record::begins_body(std::string_view line) {
  return is_field(line, "message-body:");
}

void Record::clear() {
  head = {};
  marked = settled = false;
  for (std::string_view* const field :
       {&correlation, &direction, &peer, &start_line, &from, &to, &call_id, &cseq, &max_forwards, &content_type, &body,
        &severity, &text, &result_code, &sip_start_line, &sip_call_id, &sip_cseq, &data})
    *field = {};
  diagnostics_count = 0;
  last_ = nullptr;
}

void Record::take(std::string_view line) {
  if (line.empty()) return;
  const auto keep = [&](std::string_view name, std::string_view Record::*member) {
    if (!is_field(line, name)) return false;
    // Of a field that stands there twice the first counts: where two records run into one, that is the outer one's.
    if ((this->*member).empty()) this->*member = value_behind(line, name.size());
    last_ = nullptr;
    return true;
  };
  switch (lower(line[0])) {
    case 'c':
      if (keep("call-id:", &Record::call_id) || keep("cseq:", &Record::cseq)) return settle();
      if (keep("content-type:", &Record::content_type)) return;
      break;
    case 'd':
      if (keep("direction:", &Record::direction)) return;
      if (keep("data:", &Record::data)) {
        last_ = &data;
        return;
      }
      break;
    case 'f':
      if (keep("from:", &Record::from)) return;
      break;
    case 'm':
      if (keep("max-forwards:", &Record::max_forwards)) return settle();
      for (const std::string_view name : {"ms-diagnostics:", "ms-diagnostics-public:"}) {
        if (!is_field(line, name)) continue;
        last_ = nullptr;
        // The public one says less, and stands for one that is not there.
        if (name.size() > 15 && diagnostics_count > 0) return;
        if (diagnostics_count < max_diagnostics) {
          last_ = &diagnostics[diagnostics_count++];
          *last_ = value_behind(line, name.size());
        }
        return;
      }
      break;
    case 'p':
      if (keep("peer:", &Record::peer)) return;
      break;
    case 'r':
      if (keep("result-code:", &Record::result_code)) return;
      break;
    case 's':
      if (keep("start-line:", &Record::start_line)) return settle();
      if (keep("severity:", &Record::severity)) return;
      if (keep("sip-start-line:", &Record::sip_start_line) || keep("sip-call-id:", &Record::sip_call_id)) return;
      if (keep("sip-cseq:", &Record::sip_cseq)) return;
      break;
    case 't':
      if (keep("to:", &Record::to)) return;
      if (keep("trace-correlation-id:", &Record::correlation)) return;
      if (keep("text:", &Record::text)) {
        last_ = &text;
        return;
      }
      break;
    default:
      break;
  }
  if (last_ == nullptr) return;
  if (last_->empty() || has_field_form(line)) {
    last_ = nullptr;
    return;
  }
  // The rest of a line that was broken: the bytes in between are in the buffer as well.
  *last_ = std::string_view(last_->data(), static_cast<std::size_t>(line.data() + line.size() - last_->data()));
}

void Record::settle() {
  if (!marked || start_line.empty() || cseq.empty()) return;
  settled = begins(start_line, "SIP/2.0") ? !ends(cseq, "SERVICE")
                                          : !call_id.empty() && !max_forwards.empty() && !begins(start_line, "SERVICE");
}

bool Record::could_begin(std::string_view line) {
  if (line.size() < 4 || std::string_view{"tidpmslcfv"}.find(lower(line[0])) == std::string_view::npos) return false;
  static constexpr std::array<std::string_view, 17> names{"trace-correlation-id:",
                                                          "instance-id:",
                                                          "direction:",
                                                          "peer:",
                                                          "message-type:",
                                                          "start-line:",
                                                          "logtype:",
                                                          "severity:",
                                                          "text:",
                                                          "sip-start-line:",
                                                          "sip-call-id:",
                                                          "call-id:",
                                                          "cseq:",
                                                          "from:",
                                                          "to:",
                                                          "via:",
                                                          "ms-diagnostics:"};
  return std::any_of(names.begin(), names.end(), [line](std::string_view name) { return is_field(line, name); });
}

bool Record::another(std::string_view line) const {
  if (line.empty()) return false;
  switch (lower(line[0])) {
    case 's':
      return (is_field(line, "start-line:") && (!start_line.empty() || !text.empty() || !call_id.empty())) ||
             (is_field(line, "severity:") && (!start_line.empty() || !severity.empty()));
    case 't':
      return is_field(line, "trace-correlation-id:") && !empty();
    case 'i':
      return is_field(line, "instance-id:") && !start_line.empty();
    case 'l':
      return is_field(line, "logtype:") && !empty();
    default:
      return false;
  }
}

Head parse_head(std::string_view line) {
  Head head;
  const std::size_t open = line.find('(');
  if (begins(line, "TL_") && open != std::string_view::npos) {
    head.level = line.substr(0, open);
    const std::size_t close = line.find(')', open);
    if (close != std::string_view::npos) head.flag = line.substr(open + 1, close - open - 1);
  }
  const std::size_t colons = line.find("::");
  if (colons == std::string_view::npos) return head;
  const std::string_view before = line.substr(0, colons);
  const std::size_t bracket = before.rfind(']');
  if (bracket != std::string_view::npos) {
    head.thread = before.substr(bracket + 1);
    const std::size_t from = before.rfind('[', bracket);
    if (from != std::string_view::npos) head.host = before.substr(from + 1, bracket - from - 1);
  }
  std::string_view rest = line.substr(colons + 2);
  head.at = parse_stamp(rest);
  const std::size_t source = rest.find("))");  // of "(SIPStack,Function:File.cpp(125))"
  if (source == std::string_view::npos) return head;
  rest = trim(rest.substr(source + 2));
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end != std::string_view::npos) {
      head.correlation = rest.substr(1, end - 1);
      rest = trim(rest.substr(end + 1));
    }
  }
  if (begins(rest, "( ")) {
    const std::size_t end = rest.find(')');
    if (end < 24) rest = trim(rest.substr(end + 1));
  }
  head.rest = rest;
  return head;
}

std::size_t find_head(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find("TL_", from); at != std::string_view::npos; at = text.find("TL_", at + 3)) {
    if (is_head_at(text, at)) return at;
  }
  return std::string_view::npos;
}

std::size_t find_last_head(std::string_view text) {
  // Hardly any line holds more than one: the marks of one and its flag are all the underscores there are.
  std::size_t last = std::string_view::npos;
  for (std::size_t at = text.find('_'); at != std::string_view::npos; at = text.find('_', at + 1)) {
    if (at >= 2 && text[at - 2] == 'T' && text[at - 1] == 'L' && is_head_at(text, at - 2)) last = at - 2;
  }
  return last;
}

std::string cleaned(std::string_view text, std::size_t limit) {
  text = text.substr(0, limit);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const char c = text.front();
    if (c == '\r' || c == '\n') {
      // A line that was broken, with whatever quotes its next line.
      const std::size_t next = text.find_first_not_of("\r\n");
      text = next == std::string_view::npos ? std::string_view{} : unquoted(text.substr(next));
      continue;
    }
    if (c == '&' || static_cast<std::uint8_t>(c) >= 0x80) {
      const auto* found = std::find_if(replacements.begin(), replacements.end(),
                                       [&](const Replacement& row) { return text.starts_with(row.from); });
      if (found != replacements.end()) {
        out += found->to;
        text.remove_prefix(found->from.size());
        continue;
      }
    }
    if (static_cast<std::uint8_t>(c) < 0x80) {
      std::size_t plain = 1;
      while (plain < text.size() && static_cast<std::uint8_t>(text[plain]) < 0x80 && text[plain] != '&' &&
             text[plain] != '\r' && text[plain] != '\n')
        ++plain;
      out.append(text.data(), plain);
      text.remove_prefix(plain);
    } else if (const std::size_t length = utf8_length(text); length > 0) {
      out += text.substr(0, length);
      text.remove_prefix(length);
    } else {
      const auto byte = static_cast<std::uint8_t>(c);
      append_code_point(out, byte < 0xA0 ? windows_1252[byte - 0x80U] : byte);
      text.remove_prefix(1);
    }
  }
  return out;
}

std::string_view unquoted(std::string_view line) {
  for (;;) {
    if (line.starts_with(' ') || line.starts_with('\t') || line.starts_with('>') || line.starts_with('|')) {
      line.remove_prefix(1);
    } else if (begins(line, "\xC2\xA0")) {
      line.remove_prefix(2);
    } else if (begins(line, "&gt;")) {
      line.remove_prefix(4);
    } else if (begins(line, "&nbsp;")) {
      line.remove_prefix(6);
    } else {
      return line;
    }
  }
}

std::optional<ResultCode> find_result_code(std::string_view text) {
  for (std::size_t at = text.find("0x"); at != std::string_view::npos; at = text.find("0x", at + 2)) {
    std::uint32_t code = 0;
    std::size_t i = at + 2;
    while (i < text.size() && i < at + 10 && hex_digit(text[i]) >= 0)
      code = code << 4U | static_cast<std::uint32_t>(hex_digit(text[i++]));
    if (i != at + 10 || (i < text.size() && hex_digit(text[i]) >= 0)) continue;
    if ((code & 0x80000000U) == 0) continue;  // a pointer or a count
    std::string_view rest = text.substr(i);
    while (rest.starts_with(' ') || rest.starts_with('(')) rest.remove_prefix(1);
    std::size_t n = 0;
    while (n < rest.size() && n < 80 && is_name_char(rest[n])) ++n;
    const bool named = rest.substr(0, n).find('_') != std::string_view::npos;
    return ResultCode{fmt::format("0x{:08x}{}{}", code, named ? " " : "", named ? rest.substr(0, n) : ""), code};
  }
  return {};
}

}  // namespace mrascheck::trace

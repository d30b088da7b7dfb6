// SPDX-License-Identifier: Apache-2.0
#include "trace/reader.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "trace/collector.hpp"
#include "trace/record.hpp"

namespace mrascheck::trace {
namespace {

constexpr std::size_t sniffed = 512;
/// Of plain text so much is looked at together: what was just read is still near then.
constexpr std::size_t largest_piece = std::size_t{64} * 1024;
constexpr std::size_t body_field = std::string_view{"Message-Body:"}.size();

/// Whether text is UTF-16, also when its first byte was cut off: every other byte of mostly ASCII text is zero.
bool looks_like_utf16(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return true;
  const std::string_view front = text.substr(0, sniffed);
  const auto zeros = static_cast<std::size_t>(std::count(front.begin(), front.end(), '\0'));
  return zeros >= 2 && zeros * 3 >= front.size();
}

/// UTF-16 as UTF-8, in pieces. Where a byte was lost, the halves of the characters behind it are put together again.
class Decoder {
  static constexpr std::size_t lookahead = 10;

 public:
  void begin(bool big_endian) { *this = Decoder{}, big_endian_ = big_endian; }

  /// Appends to `out` (room for 3 bytes a unit) and returns how many bytes of `bytes` are used up: all but an
  /// unfinished character.
  std::size_t decode(std::string_view bytes, char*& out, bool last) {
    std::size_t i = 0;
    while (i + lookahead <= bytes.size()) {
      std::uint64_t four = 0;
      std::memcpy(&four, bytes.data() + i, sizeof four);
      if ((four & (big_endian_ ? 0x80FF80FF80FF80FFU : 0xFF80FF80FF80FF80U)) == 0 && !any_nul(four)) {
        for (int unit = 0; unit < 4; ++unit)
          *out++ = bytes[i + static_cast<std::size_t>(unit) * 2 + (big_endian_ ? 1 : 0)];
        i += 8;
        continue;
      }
      if (shifted(bytes.substr(i, 8)) || shifted(bytes.substr(i + 2, 8))) {
        ++i;
        continue;
      }
      i += one(bytes.substr(i), out);
    }
    if (!last) return i;
    while (i + 2 <= bytes.size()) i += one(bytes.substr(i), out);
    return bytes.size();
  }

 private:
  bool any_nul(std::uint64_t four) const {
    const std::uint64_t low = big_endian_ ? four >> 8U : four;
    const std::uint64_t ascii = low & 0x007F007F007F007FU;
    return ((ascii - 0x0001000100010001U) & ~ascii & 0x8000800080008000U) != 0;
  }
  /// Four units that would all be U+XX00, with XX ASCII: nobody writes that.
  bool shifted(std::string_view eight) const {
    for (std::size_t i = 0; i < 8; i += 2) {
      const auto low = static_cast<std::uint8_t>(eight[i + (big_endian_ ? 1 : 0)]);
      const auto high = static_cast<std::uint8_t>(eight[i + (big_endian_ ? 0 : 1)]);
      if (low != 0 || high == 0 || high >= 0x80) return false;
    }
    return true;
  }
  std::uint32_t unit(std::string_view bytes, std::size_t i) const {
    const auto first = static_cast<std::uint8_t>(bytes[i]);
    const auto second = static_cast<std::uint8_t>(bytes[i + 1]);
    return big_endian_ ? static_cast<std::uint32_t>(first) << 8U | second
                       : static_cast<std::uint32_t>(second) << 8U | first;
  }
  static void put(char*& out, std::uint32_t value) { *out++ = static_cast<char>(static_cast<std::uint8_t>(value)); }

  std::size_t one(std::string_view bytes, char*& out) const {
    std::uint32_t c = unit(bytes, 0);
    std::size_t used = 2;
    if (c >= 0xD800 && c < 0xDC00 && bytes.size() >= 4 && (unit(bytes, 2) & 0xFC00U) == 0xDC00) {
      c = 0x10000U + ((c & 0x3FFU) << 10U | (unit(bytes, 2) & 0x3FFU));
      used = 4;
    } else if (c >= 0xD800 && c <= 0xDFFF) {
      c = 0xFFFD;
    }
    if (c == 0xFEFF || c == 0) return used;  // the mark, also where files were joined
    if (c < 0x80) {
      put(out, c);
    } else if (c < 0x800) {
      put(out, 0xC0U | c >> 6U), put(out, 0x80U | (c & 0x3FU));
    } else if (c < 0x10000) {
      put(out, 0xE0U | c >> 12U), put(out, 0x80U | (c >> 6U & 0x3FU)), put(out, 0x80U | (c & 0x3FU));
    } else {
      put(out, 0xF0U | c >> 18U), put(out, 0x80U | (c >> 12U & 0x3FU));
      put(out, 0x80U | (c >> 6U & 0x3FU)), put(out, 0x80U | (c & 0x3FU));
    }
    return used;
  }

  bool big_endian_ = false;
};

/// What unquoted() takes away begins with one of these.
constexpr std::array<bool, 256> may_be_quoted = [] {
  std::array<bool, 256> table{};
  for (const char c : {' ', '\t', '>', '|', '&', '\xC2'}) table[static_cast<std::uint8_t>(c)] = true;
  return table;
}();

/// The beginning of the next line from `p` on that may hold a mark; `end` when none does.
const char* next_mark(const char* p, const char* end) {
  const char* const from = p;
  while (p < end) {
    const auto* dollar = static_cast<const char*>(std::memchr(p, '$', static_cast<std::size_t>(end - p)));
    if (dollar == nullptr) return end;
    if (dollar + 1 == end || dollar[1] == '$') {
      while (dollar > from && dollar[-1] != '\n') --dollar;
      return dollar;
    }
    p = dollar + 1;
  }
  return end;
}

}  // namespace

class Reader::State {
 public:
  explicit State(const Limits& limits)
      : collector(limits),
        text_(std::max<std::size_t>(limits.buffer, 4 * sniffed)),
        piece_(std::min(text_.size() / 4, largest_piece)) {}

  void begin(std::string_view file, TraceRole role, std::string_view server) {
    collector.begin(file, role, server);
    filled_ = raw_filled_ = unscanned_ = 0;
    bytes_ = 0;
    decided_ = utf16_ = drop_line_ = false;
  }

  std::span<char> space() {
    if (utf16_) return std::span<char>(raw_).subspan(raw_filled_);
    const std::span<char> left = std::span<char>(text_).subspan(filled_);
    return left.first(std::min(left.size(), piece_));
  }

  void filled(std::size_t n) {
    bytes_ += n;
    if (utf16_) {
      raw_filled_ += n;
      if (raw_filled_ == raw_.size()) decode(false);
      return;
    }
    filled_ += n;
    if (!decided_ && filled_ >= sniffed) decide();
    unscanned_ += n;
    if (!utf16_ && (filled_ == text_.size() || unscanned_ >= piece_)) {
      unscanned_ = 0;
      scan(false);
    }
  }

  void end() {
    if (!decided_) decide();
    if (utf16_) decode(true);
    scan(true);
    collector.end(bytes_, utf16_);
  }

  Collector collector;

 private:
  void decide() {
    decided_ = true;
    const std::string_view text(text_.data(), filled_);
    utf16_ = looks_like_utf16(text);
    if (utf16_) {
      decoder_.begin(text.starts_with("\xFE\xFF"));
      // Each piece of it fits into the text after it was scanned: at most 3 bytes a unit.
      raw_.resize(text_.size() / 4);
      // What has come so far may be more than that: it is moved on in pieces.
      const std::string all(text);
      filled_ = 0;
      std::string_view rest = all;
      while (!rest.empty()) {
        const std::size_t n = std::min(rest.size(), raw_.size() - raw_filled_);
        std::copy_n(rest.data(), n, raw_.data() + raw_filled_);
        raw_filled_ += n;
        rest.remove_prefix(n);
        if (raw_filled_ == raw_.size()) decode(false);
      }
    } else if (text.starts_with("\xEF\xBB\xBF")) {
      std::copy(text_.begin() + 3, text_.begin() + static_cast<std::ptrdiff_t>(filled_), text_.begin());
      filled_ -= 3;
    }
  }

  void decode(bool last) {
    // 3 bytes a unit at most, so 3/2 of the raw bytes; the text has room for that after at most two scans.
    if (text_.size() - filled_ < raw_filled_ * 3 / 2 + 4) scan(false);
    if (text_.size() - filled_ < raw_filled_ * 3 / 2 + 4) give_up_record();
    char* out = text_.data() + filled_;
    const std::size_t used = decoder_.decode({raw_.data(), raw_filled_}, out, last);
    filled_ = static_cast<std::size_t>(out - text_.data());
    std::copy(raw_.begin() + static_cast<std::ptrdiff_t>(used), raw_.begin() + static_cast<std::ptrdiff_t>(raw_filled_),
              raw_.begin());
    raw_filled_ -= used;
  }

  /// A record that fills the buffer is told of as it is, and the rest of it is passed over.
  void give_up_record() {
    scan(false, true);
    // What is left is the beginning of one line.
    if (filled_ > text_.size() / 2) {
      filled_ = 0;
      drop_line_ = true;
    }
  }

  void close(const Record& record, std::string_view span, bool whole) {
    if (!record.empty()) collector.record(record, whole && !record.head.empty());
    // Where a record breaks off, the line behind it may have run into it.
    if (!whole) {
      const std::size_t after = record.head.empty() ? 0 : 3;
      for (std::size_t at = find_head(span, after); at != std::string_view::npos; at = find_head(span, at + 3)) {
        const std::string_view rest = span.substr(at);
        const std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
        if (!ends(line, "$$begin_record")) collector.component(line);
      }
    }
  }

  /// Takes every line that is whole; keeps what begins a record that is not.
  void scan(bool last, bool give_up = false) {
    const char* p = text_.data();
    const char* const end = p + filled_;
    const char* resume = p;          // where the next scan begins
    const char* deferred = nullptr;  // a head whose next line tells whether it is a record's
    std::string_view deferred_line;
    Record record;
    bool inside = false;
    bool body = false;
    const char* record_begin = p;
    const auto span_to = [&](const char* to) {
      return std::string_view(record_begin, static_cast<std::size_t>(to - record_begin));
    };
    const auto settle_deferred = [&] {
      if (deferred != nullptr) collector.component(deferred_line);
      deferred = nullptr;
    };
    const auto finish_body = [&](const char* to) {
      if (body) record.body = std::string_view(record.body.data(), static_cast<std::size_t>(to - record.body.data()));
      body = false;
    };
    while (p < end) {
      // Most of a trace is what nobody needs: the rest of other messages, and bodies.
      if (inside && record.marked && (body || record.settled)) p = next_mark(p, end);
      if (p == end) break;
      const auto* eol = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
      if (eol == nullptr) {
        if (!last) break;
        eol = end;
      }
      std::string_view line(p, static_cast<std::size_t>(eol - p));
      const char* const next = eol < end ? eol + 1 : end;
      const char* const line_begin = p;
      p = next;
      if (drop_line_) {
        drop_line_ = false;
        resume = p;
        continue;
      }
      while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
      if (line.empty()) {
        if (!inside && deferred == nullptr) resume = p;
        continue;
      }
      // Either mark, also behind what a cut has left of another line.
      if (line.back() == 'd' && ends(line, "_record")) {
        if (ends(line, "$$begin_record")) {
          if (inside) {
            finish_body(line_begin);
            close(record, span_to(line_begin), false);
          }
          const std::size_t head = find_last_head(line);
          record.clear();
          record.marked = true;
          record_begin = line_begin;
          if (head != std::string_view::npos) {
            settle_deferred();
            record.head = line.substr(head);
            record_begin = line_begin + head;
            if (head > 0) stray(line.substr(0, head));
          } else if (deferred != nullptr) {
            record.head = deferred_line;  // a head that was broken in two
            record_begin = deferred;
            deferred = nullptr;
          } else {
            record.head = line;
          }
          inside = true;
          resume = record_begin;
          continue;
        }
        if (ends(line, "$$end_record")) {
          settle_deferred();
          if (inside) {
            finish_body(line_begin + (line.size() - end_mark.size()));
            close(record, span_to(p), true);
          }
          inside = false;
          resume = p;
          continue;
        }
      }
      if (may_be_quoted[static_cast<std::uint8_t>(line[0])]) {
        line = unquoted(line);
        if (line.empty()) continue;
      }
      if (line[0] == 'T' && line.size() > 2 && line[1] == 'L' && begins(line, "TL_") && find_head(line, 0) == 0) {
        if (inside) {
          finish_body(line_begin);
          close(record, span_to(line_begin), false);
          inside = false;
        }
        settle_deferred();
        deferred = line_begin;
        deferred_line = line;
        resume = deferred;
        continue;
      }
      if (!inside) {
        if (!Record::could_begin(line)) {
          if (deferred == nullptr) resume = p;
          // A head may be broken off before its mark by a blank line, but by no other.
          settle_deferred();
          resume = p;
          continue;
        }
        settle_deferred();
        record.clear();
        record_begin = line_begin;
        resume = line_begin;
        inside = true;
      } else if (!record.marked && record.another(line)) {
        finish_body(line_begin);
        close(record, span_to(line_begin), false);
        record.clear();
        record_begin = line_begin;
        resume = line_begin;
      }
      if (body) continue;
      if (Record::begins_body(line)) {
        record.body = line.substr(body_field);
        body = true;
        continue;
      }
      record.take(line);
    }
    if (last || give_up) {
      settle_deferred();
      if (inside) {
        finish_body(p);
        close(record, span_to(p), false);
      }
      if (last) {
        filled_ = 0;
        return;
      }
      resume = p;
    }
    std::size_t kept = static_cast<std::size_t>(end - resume);
    if (kept == filled_ && !give_up && kept == text_.size()) {
      scan(false, true);
      return;
    }
    if (give_up && kept == text_.size()) {
      // One line that fills the buffer.
      drop_line_ = true;
      kept = 0;
      resume = end;
    }
    std::memmove(text_.data(), resume, kept);
    filled_ = kept;
  }

  /// What stands before a head on its line: the rest of a line that was cut off may hold another head.
  void stray(std::string_view text) {
    const std::size_t head = find_last_head(text);
    if (head != std::string_view::npos && !text.ends_with(begin_mark)) collector.component(text.substr(head));
  }

  std::vector<char> text_;
  std::size_t piece_;
  std::vector<char> raw_;
  Decoder decoder_;
  std::size_t filled_ = 0;
  std::size_t unscanned_ = 0;
  std::size_t raw_filled_ = 0;
  std::uint64_t bytes_ = 0;
  bool decided_ = false;
  bool utf16_ = false;
  bool drop_line_ = false;
};

Reader::Reader(const Limits& limits) : state_(std::make_unique<State>(limits)) {}
Reader::~Reader() = default;

void Reader::begin(std::string_view file, TraceRole role, std::string_view server) {
  state_->begin(file, role, server);
}

std::span<char> Reader::space() {
  return state_->space();
}

void Reader::filled(std::size_t n) {
  state_->filled(n);
}

void Reader::end() {
  state_->end();
}

Traces Reader::take() {
  return state_->collector.take();
}

}  // namespace mrascheck::trace

// SPDX-License-Identifier: Apache-2.0
#include "sip/message.hpp"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "core/text.hpp"

namespace mrascheck::sip {

namespace {

struct CompactForm {
  char letter;
  std::string_view name;
};

// RFC 3261, 7.3.3 and 20; RFC 3515; RFC 3841; RFC 3892; RFC 4028; RFC 4474; RFC 6665.
constexpr std::array compact_forms{
    CompactForm{'a', "Accept-Contact"},
    CompactForm{'b', "Referred-By"},
    CompactForm{'c', "Content-Type"},
    CompactForm{'d', "Request-Disposition"},
    CompactForm{'e', "Content-Encoding"},
    CompactForm{'f', "From"},
    CompactForm{'i', "Call-ID"},
    CompactForm{'j', "Reject-Contact"},
    CompactForm{'k', "Supported"},
    CompactForm{'l', "Content-Length"},
    CompactForm{'m', "Contact"},
    CompactForm{'n', "Identity-Info"},
    CompactForm{'o', "Event"},
    CompactForm{'r', "Refer-To"},
    CompactForm{'s', "Subject"},
    CompactForm{'t', "To"},
    CompactForm{'u', "Allow-Events"},
    CompactForm{'v', "Via"},
    CompactForm{'x', "Session-Expires"},
    CompactForm{'y', "Identity"},
};

// Fields that stand once in a message (RFC 3261, 7.3.1): two that differ leave open which one is meant.
constexpr std::array<std::string_view, 6> single_fields{"Content-Length", "Call-ID", "CSeq",
                                                        "From",           "To",      "Max-Forwards"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// RFC 3261, 25.1: token.
bool is_token_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c != '\0' && std::string_view("-.!%*_+`'~").find(c) != std::string_view::npos);
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view full_name(std::string_view name) {
  if (name.size() != 1) return name;
  const char letter = static_cast<char>(name[0] | 0x20);
  for (const auto& form : compact_forms) {
    if (form.letter == letter) return form.name;
  }
  return name;
}

std::string in_quotes(std::string_view foreign, std::size_t limit = 60) {
  return fmt::format("\"{}\"", printable(foreign, limit));
}

// Calls `visit` with each position that stands outside of quoted strings and angle brackets, until it returns false.
template <class Visit>
void outside_of_quotes(std::string_view text, Visit visit) {
  bool in_quotes = false;
  bool in_brackets = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_quotes) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_quotes = false;
      }
    } else if (in_brackets) {
      in_brackets = c != '>';
    } else if (c == '"') {
      in_quotes = true;
    } else if (c == '<') {
      in_brackets = true;
    } else if (!visit(i)) {
      return;
    }
  }
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

std::optional<std::size_t> parse_digits(std::string_view text) {
  std::size_t number = 0;
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return {};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // More digits than fit are a number all the same, and a limit is what it has to meet.
  if (error == std::errc::result_out_of_range) return std::numeric_limits<std::size_t>::max();
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::size_t find_outside_quotes(std::string_view text, char c) {
  bool quoted = false;
  bool bracketed = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!quoted && !bracketed && text[i] == c) return i;
    if (quoted) {
      if (text[i] == '\\')
        ++i;
      else
        quoted = text[i] != '"';
    } else if (bracketed) {
      bracketed = text[i] != '>';
    } else {
      quoted = text[i] == '"';
      bracketed = text[i] == '<';
    }
  }
  return std::string_view::npos;
}

bool quotes_are_closed(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      quoted = !quoted;
  }
  return !quoted;
}

std::optional<std::string_view> Message::field(std::string_view name) const {
  for (const auto& field : fields) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

std::vector<std::string_view> Message::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& field : fields) {
    if (equals_ignoring_case(field.name, name)) values.push_back(field.value);
  }
  return values;
}

std::vector<std::string_view> Message::list(std::string_view name) const {
  std::vector<std::string_view> elements;
  for (const auto& field : fields) {
    if (!equals_ignoring_case(field.name, name)) continue;
    const auto divided = split_list(field.value);
    elements.insert(elements.end(), divided.begin(), divided.end());
  }
  return elements;
}

std::vector<std::string_view> split_list(std::string_view value) {
  std::vector<std::string_view> elements;
  std::size_t begin = 0;
  const auto add = [&](std::size_t end) {
    if (const auto element = trim(value.substr(begin, end - begin)); !element.empty()) elements.push_back(element);
    begin = end + 1;
  };
  outside_of_quotes(value, [&](std::size_t i) {
    if (value[i] == ',') add(i);
    return true;
  });
  if (begin <= value.size()) add(value.size());
  return elements;
}

std::string_view parameter_of(std::string_view element, std::string_view name) {
  std::vector<std::size_t> semicolons;
  outside_of_quotes(element, [&](std::size_t i) {
    if (element[i] == ';') semicolons.push_back(i);
    return true;
  });
  for (std::size_t n = 0; n < semicolons.size(); ++n) {
    const std::size_t begin = semicolons[n] + 1;
    const std::size_t end = n + 1 < semicolons.size() ? semicolons[n + 1] : element.size();
    const std::string_view parameter = element.substr(begin, end - begin);
    const std::size_t equals = parameter.find('=');
    if (!equals_ignoring_case(trim(parameter.substr(0, equals)), name)) continue;
    return equals == std::string_view::npos ? std::string_view{} : trim(parameter.substr(equals + 1));
  }
  return {};
}

std::optional<CSeq> parse_cseq(std::string_view value) {
  const std::size_t blank = value.find_first_of(" \t");
  if (blank == std::string_view::npos) return {};
  const auto number = parse_digits(value.substr(0, blank));
  const auto method = trim(value.substr(blank));
  if (!number || *number > 0x7FFFFFFF || !is_token(method)) return {};
  return CSeq{static_cast<std::uint32_t>(*number), method};
}

void wipe(std::string& text) {
  text.resize(text.capacity());
  explicit_bzero(text.data(), text.size());
  text.clear();
}

MessageReader::~MessageReader() {
  wipe(message_.body);
}

MessageReader::Step MessageReader::fail(std::string problem) {
  problem_ = std::move(problem);
  stage_ = Stage::broken;
  wipe(message_.body);
  return Step::broken;
}

MessageReader::Step MessageReader::read(std::string_view& bytes) {
  while (!bytes.empty()) {
    switch (stage_) {
      case Stage::whole:
        return Step::message;
      case Stage::broken:
        pending_bytes_ += bytes.size();
        bytes = {};
        return Step::broken;
      case Stage::idle: {
        const std::size_t first = std::min(bytes.find_first_not_of("\r\n"), bytes.size());
        saw_keep_alive_ = saw_keep_alive_ || first > 0;
        bytes.remove_prefix(first);
        if (bytes.empty()) return Step::more;
        stage_ = Stage::start_line;
        break;
      }
      case Stage::start_line:
      case Stage::fields: {
        const std::size_t newline = bytes.find('\n');
        const std::size_t length = newline == std::string_view::npos ? bytes.size() : newline + 1;
        if (length > max_header_bytes - header_bytes_) {
          pending_bytes_ += bytes.size();
          bytes = {};
          return fail(fmt::format("the header has no end within {} bytes (line {}); more is not read", max_header_bytes,
                                  line_number_ + 1));
        }
        header_bytes_ += length;
        pending_bytes_ += length;
        line_.append(bytes.substr(0, length));
        bytes.remove_prefix(length);
        if (newline != std::string_view::npos && !read_line()) {
          pending_bytes_ += bytes.size();
          bytes = {};
          return Step::broken;
        }
        break;
      }
      case Stage::body: {
        const std::size_t length = std::min(bytes.size(), body_bytes_ - message_.body.size());
        message_.body.append(bytes.substr(0, length));
        pending_bytes_ += length;
        bytes.remove_prefix(length);
        if (message_.body.size() == body_bytes_) stage_ = Stage::whole;
        break;
      }
    }
  }
  if (stage_ == Stage::whole) return Step::message;
  return stage_ == Stage::broken ? Step::broken : Step::more;
}

Message MessageReader::take() {
  stage_ = Stage::idle;
  line_.clear();
  line_number_ = header_bytes_ = pending_bytes_ = body_bytes_ = 0;
  header_whole_ = false;
  return std::exchange(message_, {});
}

bool MessageReader::read_line() {
  ++line_number_;
  std::string_view line = line_;
  line.remove_suffix(1);
  bool going_on = false;
  if (line.empty() || line.back() != '\r') {
    const bool start = stage_ == Stage::start_line;
    fail(fmt::format("{}line {} ends in LF alone, not in CR LF (RFC 3261, 7): {}", start ? "no SIP message: " : "",
                     line_number_, in_quotes(line)));
  } else if (line.remove_suffix(1); line.find('\r') != std::string_view::npos) {
    fail(fmt::format("header line {} holds a CR without LF: {}", line_number_, in_quotes(line)));
  } else if (stage_ == Stage::start_line) {
    going_on = read_start_line(line);
  } else {
    going_on = line.empty() ? end_of_header() : read_field(line);
  }
  line_.clear();
  return going_on;
}

bool MessageReader::read_start_line(std::string_view line) {
  stage_ = Stage::fields;
  if (line.size() >= 4 && equals_ignoring_case(line.substr(0, 4), "SIP/")) return read_status_line(line);
  if (read_request_line(line)) return true;
  if (line.size() >= 5 && equals_ignoring_case(line.substr(0, 5), "HTTP/")) {
    fail(fmt::format("the peer speaks HTTP, not SIP: {}", in_quotes(line)));
  } else {
    fail(fmt::format("no SIP start line: {}", in_quotes(line)));
  }
  return false;
}

// RFC 3261, 7.1. What has a method in front and a version of SIP at its end is a request, however it is written
// between.
bool MessageReader::read_request_line(std::string_view line) {
  const std::string_view whole = trim(line);
  const std::size_t first = whole.find(' ');
  const std::size_t last = whole.rfind(' ');
  if (first == std::string_view::npos || first == last || !is_token(whole.substr(0, first))) return false;
  const std::string_view uri = trim(whole.substr(first + 1, last - first - 1));
  const std::string_view version = whole.substr(last + 1);
  const std::size_t dot = version.find('.');
  const bool versioned = version.size() > 4 && equals_ignoring_case(version.substr(0, 4), "SIP/") &&
                         dot != std::string_view::npos && parse_digits(version.substr(4, dot - 4)) &&
                         parse_digits(version.substr(dot + 1));
  if (!versioned || uri.empty()) return false;
  message_.method = whole.substr(0, first);
  message_.uri = uri;
  message_.version = version;
  const bool plain = std::none_of(uri.begin(), uri.end(), [](char c) { return static_cast<unsigned char>(c) <= ' '; });
  if (!plain || line.size() != message_.method.size() + uri.size() + version.size() + 2)
    message_.fault = "the request line has blanks where none belong";
  return true;
}

// RFC 3261, 7.2; without the SP that ends it when the reason is empty, too: some leave it out.
bool MessageReader::read_status_line(std::string_view line) {
  const std::string_view version = line.substr(0, line.find(' '));
  if (!equals_ignoring_case(version, "SIP/2.0")) {
    fail(fmt::format("the peer speaks {}, not SIP/2.0", in_quotes(version)));
    return false;
  }
  const std::string_view rest = line.substr(std::min(line.size(), version.size() + 1));
  const std::string_view code = rest.substr(0, rest.find(' '));
  const auto status = parse_digits(code);
  if (!status || code.size() != 3 || *status < 100 || *status > 699) {
    fail(fmt::format("no SIP status between 100 and 699: {}", in_quotes(line)));
    return false;
  }
  message_.status = static_cast<unsigned>(*status);
  message_.reason = trim(rest.substr(std::min(rest.size(), code.size() + 1)));
  return true;
}

bool MessageReader::read_field(std::string_view line) {
  if (is_blank(line.front())) {
    if (message_.fields.empty()) {
      fail(fmt::format("header line {} continues a field, and there is none before it", line_number_));
      return false;
    }
    auto& value = message_.fields.back().value;
    const std::string_view more = trim(line);
    if (!value.empty() && !more.empty()) value += ' ';
    value += more;
    return true;
  }
  const std::size_t colon = line.find(':');
  const std::string_view name = trim(line.substr(0, colon));
  if (colon == std::string_view::npos || !is_token(name)) {
    fail(fmt::format("header line {} is no header field: {}", line_number_, in_quotes(line)));
    return false;
  }
  if (message_.fields.size() == max_fields) {
    fail(fmt::format("the header has more than {} fields; more are not read", max_fields));
    return false;
  }
  message_.fields.push_back({std::string(full_name(name)), std::string(trim(line.substr(colon + 1)))});
  return true;
}

bool MessageReader::end_of_header() {
  header_whole_ = true;
  for (const std::string_view name : single_fields) {
    const auto values = message_.all(name);
    const auto differs = [&](std::string_view value) { return value != values.front(); };
    if (std::any_of(values.begin(), values.end(), differs)) {
      if (message_.is_request() && name != "Content-Length") {
        if (message_.fault.empty())
          message_.fault = fmt::format("{} stands {} times in it, with different values", name, values.size());
        continue;
      }
      fail(fmt::format("{} stands {} times in one header, with different values", name, values.size()));
      return false;
    }
  }
  const auto announced = message_.field("Content-Length");
  if (!announced) {
    fail("framing: no Content-Length, so the end of the message cannot be found on a stream (RFC 3261, 18.3)");
    return false;
  }
  const auto length = parse_digits(*announced);
  if (!length) {
    fail(fmt::format("framing: Content-Length is {}, no number (RFC 3261, 20.14)", in_quotes(*announced)));
    return false;
  }
  if (*length > max_body_bytes) {
    fail(fmt::format("framing: Content-Length announces {} bytes of body; at most {} are read",
                     printable(*announced, 24), max_body_bytes));
    return false;
  }
  body_bytes_ = *length;
  message_.body.reserve(body_bytes_);  // at once, so that no outgrown copy of a credential stays in the heap
  stage_ = body_bytes_ == 0 ? Stage::whole : Stage::body;
  return true;
}

bool MessageReader::could_be_sip() const {
  if (stage_ == Stage::broken) return header_whole_ || line_number_ > 1;
  if (stage_ != Stage::start_line) return true;
  const std::string_view line = line_;
  const std::string_view word = line.substr(0, line.find(' '));
  if (is_token(word)) return true;
  constexpr std::string_view version = "SIP/2.0";
  return equals_ignoring_case(word, version.substr(0, word.size()));
}

std::string MessageReader::missing() const {
  switch (stage_) {
    case Stage::start_line:
    case Stage::fields:
      if (!could_be_sip()) return fmt::format("what came is no SIP: {}", in_quotes(line_));
      return fmt::format("its header ends after {} without the empty line behind it", count(header_bytes_, "byte"));
    case Stage::body:
      return fmt::format("its body ends after {} of {} bytes (Content-Length)", message_.body.size(), body_bytes_);
    case Stage::idle:
    case Stage::whole:
    case Stage::broken:
      break;
  }
  return {};
}

}  // namespace mrascheck::sip

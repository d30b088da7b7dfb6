// SPDX-License-Identifier: Apache-2.0
#include "core/look_up.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/diagnostics.hpp"
#include "core/pairings.hpp"
#include "core/text.hpp"

namespace mrascheck {
namespace {

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

template <class Number>
std::optional<Number> whole_number(std::string_view text, int base) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

/// "TLSV1_ALERT_UNKNOWN_CA" as "tlsv1 alert unknown ca".
std::string spoken(std::string_view name) {
  std::string words;
  for (const char c : to_lower(name)) {
    const bool blank = c == '_' || c == '-' || c == ' ' || c == '\t';
    if (!blank) {
      words += c;
    } else if (!words.empty() && words.back() != ' ') {
      words += ' ';
    }
  }
  return std::string{trim(words)};
}

/// What programs write in front of a name, the longer before its beginning.
constexpr std::array prefixes{"tlsv1 alert ",  "tlsv13 alert ", "sslv3 alert ", "ssl alert ", "tls alert ",
                              "fatal alert: ", "fatal ",        "alert ",       "x509 v err "};

std::string without_prefix(std::string name) {
  for (const std::string_view prefix : prefixes) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return name;
}

void add(LookUp& found, CodeKind kind, const Explanation* row) {
  if (row == nullptr) return;
  const bool known = std::any_of(found.meanings.begin(), found.meanings.end(),
                                 [row](const Meaning& meaning) { return meaning.row == row; });
  if (!known) found.meanings.push_back({kind, row});
}

/// MS-ERREF, 2.1: bit 31 says failure, bit 29 a vendor's own, bits 16 to 26 whose.
std::string parts_of(std::uint32_t code) {
  struct Facility {
    std::uint32_t number;
    std::string_view name;
  };
  constexpr auto facilities = std::to_array<Facility>({{0, "the system"},
                                                       {7, "Win32"},
                                                       {9, "SSPI: Schannel, Kerberos, NTLM"},
                                                       {11, "the certificate engine"},
                                                       {1000, "the server core of Lync and Skype for Business"},
                                                       {1001, "the SIP stack of Lync and Skype for Business"},
                                                       {1006, "the user services of Lync and Skype for Business"}});
  const std::uint32_t number = (code >> 16U) & 0x7FFU;
  const auto* const facility = std::find_if(facilities.begin(), facilities.end(),
                                            [number](const Facility& each) { return each.number == number; });
  std::string text =
      fmt::format("0x{:08X} is {}, facility {}", code, (code >> 31U) != 0 ? "a failure" : "no failure", number);
  if (facility != facilities.end()) text += fmt::format(" ({})", facility->name);
  text += fmt::format(", code {} (0x{:04X})", code & 0xFFFFU, code & 0xFFFFU);
  if (number == 7) text += fmt::format("; as a Windows system error: net helpmsg {}", code & 0xFFFFU);
  return text + "; no table here holds it.";
}

void add_hresult(LookUp& found, std::uint32_t code) {
  if (const Explanation* row = explain_hresult(code)) {
    add(found, code >> 16U == 0x8007U ? CodeKind::winsock : CodeKind::hresult, row);
  } else {
    found.remarks.push_back(parts_of(code));
  }
}

void add_number(LookUp& found, std::uint32_t number) {
  add(found, CodeKind::winsock, explain_winsock(static_cast<int>(std::min(number, 0x7FFFFFFFU))));
  add(found, CodeKind::diagnostics, explain_diagnostics(number));
  if (number < 256) add(found, CodeKind::alert, explain_alert(static_cast<std::uint8_t>(number)));
  add(found, CodeKind::verify_error, explain_verify_error(static_cast<int>(std::min(number, 0x7FFFFFFFU))));
  add(found, CodeKind::relay_error, explain_relay_error(number));
  add(found, CodeKind::event, explain_event(number));
  if (!found.meanings.empty()) return;
  if (const std::string_view owner = component_of(number); !owner.empty()) {
    found.remarks.push_back(
        fmt::format("As an ms-diagnostics id {} is of {}; no table here holds it, so read its reason.", number, owner));
  }
}

void add_header(LookUp& found, const MsDiagnostics& diagnostics) {
  found.summary = explain(diagnostics);
  add(found, CodeKind::diagnostics, explain_diagnostics(diagnostics.id));
  for (const char* name : {"HRESULT", "WinsockFailureCode"}) {
    const LookUp part = look_up(diagnostics.parameter(name));
    for (const Meaning& meaning : part.meanings) add(found, meaning.kind, meaning.row);
    if (std::string_view{name} == "HRESULT")
      found.remarks.insert(found.remarks.end(), part.remarks.begin(), part.remarks.end());
  }
}

void add_named(LookUp& found, std::string_view text) {
  const std::string wanted = without_prefix(spoken(text));
  if (wanted.empty()) return;
  each_explanation([&](CodeKind kind, const Explanation& row) {
    // A sentence is known again with more around it.
    constexpr std::size_t sentence = 24;
    const std::string name = without_prefix(spoken(row.name));
    const bool within =
        name.size() >= sentence && name.find(' ') != std::string::npos && wanted.find(name) != std::string::npos;
    if (name == wanted || within) add(found, kind, &row);
  });
}

std::string_view nearest(std::string_view text) {
  std::vector<std::string_view> names;
  each_explanation([&names](CodeKind, const Explanation& row) {
    if (!row.name.empty()) names.push_back(row.name);
  });
  return did_you_mean(text, names);
}

/// "61 23 4f", "61:23:4F", "61234f": its octets; nothing unless it is hexadecimal and at least six of them, which no
/// code has. A thumbprint has 20 or 32.
std::optional<std::string> long_hex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (is_hex(c)) {
      digits += c;
    } else if (c != ' ' && c != ':') {
      return {};
    }
  }
  if (digits.size() % 2 != 0) digits.insert(digits.begin(), '0');
  if (digits.size() < 12 || digits.size() > 64) return {};
  return to_lower(digits);
}

void add_serial_number(LookUp& found, const std::string& digits) {
  if (digits.size() == 40 || digits.size() == 64) {
    found.remarks.push_back(
        fmt::format("As a {} thumbprint: mrascheck graph and issuers say which certificate has it and where it stands; "
                    "on a server: certutil -store My {}.",
                    digits.size() == 40 ? "SHA-1" : "SHA-256", digits));
  }
  // RFC 5280, 4.1.2.2.
  if (digits.size() > 40) return;
  std::string backwards;
  for (std::size_t at = digits.size(); at >= 2; at -= 2) backwards += digits.substr(at - 2, 2);
  found.remarks.push_back(
      fmt::format("As a serial number: {}, and with its bytes in reverse order {}. Some events of Lync Server (12303, "
                  "14397, 14694) print it in reverse; on a server: certutil -store My {}, then certutil -store My {}.",
                  digits, backwards, backwards, digits));
}

/// What stands behind the name of the header, wherever in a line of a trace that is.
std::string_view header_value(std::string_view text) {
  const std::string lower = to_lower(text);
  for (const std::string_view name : {"ms-diagnostics:", "ms-diagnostics-public:"}) {
    if (const std::size_t at = lower.find(name); at != std::string::npos) return trim(text.substr(at + name.size()));
  }
  return text;
}

std::optional<unsigned> number_at(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} ? std::optional{number} : std::nullopt;
}

/// What programs that use OpenSSL print: "...:SSL alert number 48", "verify error:num=20:...", "Verify return code: 20
/// (...)", "error 20 at 0 depth lookup: ...".
void add_openssl_line(LookUp& found, std::string_view text) {
  const std::string lower = to_lower(text);
  const auto number_behind = [&lower](std::string_view mark) {
    const std::size_t at = lower.find(mark);
    return at == std::string::npos ? std::nullopt : number_at(std::string_view{lower}.substr(at + mark.size()));
  };
  if (const auto alert = number_behind("alert number "); alert && *alert < 256)
    add(found, CodeKind::alert, explain_alert(static_cast<std::uint8_t>(*alert)));
  for (const std::string_view mark : {"error:num=", "return code: ", "error "}) {
    const auto error = number_behind(mark);
    if (error && *error < 1000 && (mark != "error " || lower.find(" depth") != std::string::npos))
      add(found, CodeKind::verify_error, explain_verify_error(static_cast<int>(*error)));
  }
}

/// "TURN 401", "STUN error 431 (Integrity Check Failure)": an error of a relay, and of nothing else.
bool add_relay_error(LookUp& found, std::string_view text) {
  const std::string lower = to_lower(text);
  std::string_view rest = lower;
  for (const std::string_view word : {"ms-turn ", "turn ", "stun "}) {
    if (!rest.starts_with(word)) continue;
    rest = trim(rest.substr(word.size()));
    if (rest.starts_with("error ")) rest = trim(rest.substr(6));
    const auto code = number_at(rest);
    if (code) add(found, CodeKind::relay_error, explain_relay_error(*code));
    if (code && found.empty())
      found.remarks.push_back(fmt::format("{} is no error of TURN that a table here holds.", *code));
    return code.has_value();
  }
  return false;
}

/// "ECONNREFUSED", "Connection refused": the Winsock row.
void add_errno(LookUp& found, const std::string& wanted) {
  for (int error = 1; error < 200; ++error) {
    const Explanation* row = explain_errno(error);
    if (row != nullptr && (spoken(::strerrorname_np(error)) == wanted || spoken(::strerrordesc_np(error)) == wanted))
      add(found, CodeKind::winsock, row);
  }
}

}  // namespace

LookUp look_up(std::string_view pasted) {
  LookUp found;
  std::string_view text = header_value(trim(pasted));
  if (text.empty()) return found;
  if (text.find(';') != std::string_view::npos) {
    if (const auto diagnostics = parse_diagnostics(text)) {
      add_header(found, *diagnostics);
      return found;
    }
  }
  if (add_relay_error(found, text)) return found;
  // "10061(WSAECONNREFUSED)", "0xC3E93C69(SIPPROXY_E_CONNECTION_FAILED)"
  if (const std::size_t bracket = text.find('(');
      bracket != std::string_view::npos && bracket > 0 && text.ends_with(')'))
    text = trim(text.substr(0, bracket));
  // "0xc3e93c69 SIPPROXY_E_CONNECTION_FAILED"
  const bool prefixed = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  const std::string_view digits = prefixed ? text.substr(2, text.find(' ') - 2) : text;
  const bool eight = digits.size() == 8 && std::all_of(digits.begin(), digits.end(), is_hex);
  if (prefixed || eight) {
    if (const auto code = whole_number<std::uint32_t>(digits, 16)) {
      if (prefixed && *code < 0x10000) add_number(found, *code);
      if (found.empty()) add_hresult(found, *code);
      return found;
    }
  }
  if (text.front() == '-') {
    if (const auto code = whole_number<std::int32_t>(text, 10)) add_hresult(found, static_cast<std::uint32_t>(*code));
    return found;
  }
  if (const auto number = whole_number<std::uint32_t>(text, 10)) {
    *number > 0x7FFFFFFF ? add_hresult(found, *number) : add_number(found, *number);
    if (!found.empty()) return found;
  }
  add_named(found, text);
  add(found, CodeKind::winsock, explain_posix_name(text));
  add_errno(found, spoken(text));
  add_openssl_line(found, text);
  if (found.empty()) {
    if (const auto octets = long_hex(text)) add_serial_number(found, *octets);
  }
  constexpr std::size_t longest_name = 80;
  if (found.empty() && text.size() <= longest_name) found.near = nearest(text);
  return found;
}

}  // namespace mrascheck

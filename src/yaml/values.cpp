// SPDX-License-Identifier: Apache-2.0
#include "yaml/values.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "yaml/problems.hpp"

namespace mrascheck::yaml {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter_or_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_name_character(char c) {
  return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Without quoting `text`: the caller's message shows the whole.
std::string host_name_fault(std::string_view text) {
  if (text.empty()) return "a name is missing";
  if (text.size() > 253) return "longer than 253 characters";
  const auto* const foreign = std::find_if_not(text.begin(), text.end(), is_name_character);
  if (foreign != text.end()) return "a name has letters, digits, '-' and '.' only";
  for (std::string_view rest = text;;) {
    const std::size_t dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    if (part.empty()) return "a part between two dots is empty";
    if (part.size() > 63) return "a part is longer than 63 characters";
    if (part.front() == '-' || part.back() == '-') return "a part begins or ends with '-'";
    if (dot == std::string_view::npos) return {};
    rest.remove_prefix(dot + 1);
  }
}

/// Splits "sip:user@domain<rest>" and judges user and domain; `rest` begins with ';' or is empty.
std::string sip_fault(std::string_view text, std::string_view& rest) {
  if (!equals_ignoring_case(text.substr(0, 4), "sip:")) return "it must begin with sip:";
  text.remove_prefix(4);
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return "there is no '@'";
  const std::string_view user = text.substr(0, at);
  if (user.empty()) return "the user before '@' is missing";
  for (std::size_t i = 0; i < user.size(); ++i) {
    static constexpr std::string_view marks = "-_.!~*'()&=+$,;?/";
    const bool escaped = user[i] == '%' && i + 2 < user.size() && is_hex(user[i + 1]) && is_hex(user[i + 2]);
    if (!escaped && !is_letter_or_digit(user[i]) && marks.find(user[i]) == std::string_view::npos) {
      return "the user before '@' holds a character that a SIP URI cannot have there";
    }
  }
  text.remove_prefix(at + 1);
  const std::string_view domain = text.substr(0, text.find(';'));
  rest = text.substr(domain.size());
  const std::string fault = host_name_fault(domain);
  return fault.empty() ? fault : fmt::format("the domain after '@': {}", fault);
}

}  // namespace

std::string not_a_host_name(std::string_view text) {
  if (not_an_address(text).empty()) {
    return fmt::format("{} is an address; give the name that stands in the certificate", in_quotes(text));
  }
  const std::string fault = host_name_fault(text);
  return fault.empty() ? fault : fmt::format("{} is not a host name: {}", in_quotes(text), fault);
}

std::string not_an_address(std::string_view text) {
  const std::string address{text};
  std::array<unsigned char, sizeof(in6_addr)> buffer{};
  if (address.find('\0') == std::string::npos && (::inet_pton(AF_INET, address.c_str(), buffer.data()) == 1 ||
                                                  ::inet_pton(AF_INET6, address.c_str(), buffer.data()) == 1)) {
    return {};
  }
  return fmt::format("{} is not an address; give an IPv4 or IPv6 literal such as 192.0.2.1 or \"2001:db8::1\"",
                     in_quotes(text));
}

std::string not_a_name_server(std::string_view text) {
  if (not_an_address(text).empty()) return {};
  std::string_view address = text;
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    address = text.substr(0, colon);
    if (address.starts_with('[') && address.ends_with(']') && address.find(':') != std::string_view::npos) {
      address = address.substr(1, address.size() - 2);
    } else if (address.find(':') != std::string_view::npos) {
      address = {};
    }
    const std::string_view port = text.substr(colon + 1);
    unsigned number = 0;
    for (const char c : port) number = is_digit(c) && number < 100'000 ? number * 10 + unsigned(c - '0') : 100'000;
    if (number >= 1 && number <= 65'535 && !address.empty() && not_an_address(address).empty()) return {};
  }
  return fmt::format(
      "{} is not the address of a name server; write 192.0.2.53, \"192.0.2.53:5353\" or "
      "\"[2001:db8::53]:53\"",
      in_quotes(text));
}

std::string not_a_sip_user(std::string_view text) {
  std::string_view rest;
  std::string fault = sip_fault(text, rest);
  if (fault.empty() && !rest.empty()) fault = "it has parameters behind the domain";
  return fault.empty()
             ? fault
             : fmt::format("{} is not a user's SIP URI such as sip:probe@contoso.example: {}", in_quotes(text), fault);
}

std::string not_a_sip_service(std::string_view text) {
  std::string_view rest;
  std::string fault = sip_fault(text, rest);
  const auto strange = [](char c) {
    static constexpr std::string_view marks = "-_.!~*'()[]/:&+$%;=";
    return !is_letter_or_digit(c) && marks.find(c) == std::string_view::npos;
  };
  if (fault.empty() && std::any_of(rest.begin(), rest.end(), strange)) {
    fault = "its parameters hold a character that a SIP URI cannot have there";
  }
  return fault.empty()
             ? fault
             : fmt::format(
                   "{} is not a service's SIP URI such as sip:edge@contoso.example;gruu;opaque=srvr:MRAS:ID: {}",
                   in_quotes(text), fault);
}

std::string not_a_directory_uri(std::string_view text) {
  static constexpr std::string_view form =
      "ldap://host, ldaps://host (with :port where it is not 389 or 636) or ldapi://%2Fpath";
  const std::size_t mark = text.find("://");
  const std::string scheme = to_lower(text.substr(0, mark == std::string_view::npos ? 0 : mark));
  if (scheme != "ldap" && scheme != "ldaps" && scheme != "ldapi") {
    return fmt::format("not a directory's URI; write {}", form);
  }
  std::string_view host = text.substr(mark + 3);
  // What may be a password is not repeated.
  if (host.find('@') != std::string_view::npos) return "no user or password can stand in the URI; use 'bind'";
  if (scheme == "ldapi") {
    const bool path = std::all_of(host.begin(), host.end(), [](char c) { return is_name_character(c) || c == '%'; });
    return path ? std::string{}
                : fmt::format("{}: the path behind ldapi:// is written with %2F for '/'", in_quotes(text));
  }
  if (host.ends_with('/')) host.remove_suffix(1);
  if (host.find_first_of("/?") != std::string_view::npos) {
    return fmt::format("{}: nothing can stand behind the host; give a DN as 'base'", in_quotes(text));
  }
  std::string_view port;
  std::string fault;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    fault = end == std::string_view::npos ? "']' is missing" : not_an_address(host.substr(1, end - 1));
    port = end == std::string_view::npos ? std::string_view{} : host.substr(end + 1);
  } else {
    const std::size_t colon = host.find(':');
    fault = host_name_fault(host.substr(0, colon));
    port = colon == std::string_view::npos ? std::string_view{} : host.substr(colon);
  }
  if (!fault.empty()) return fmt::format("{}: {}", in_quotes(text), fault);
  if (port.empty()) return {};
  port.remove_prefix(1);
  const bool digits = !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit);
  unsigned number = 0;
  if (digits) {
    for (const char c : port) number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number >= 1 && number <= 65535 ? std::string{}
                                        : fmt::format("{}: a port is a number from 1 to 65535", in_quotes(text));
}

std::string not_a_patch_level(std::string_view text) {
  std::size_t numbers = 0;
  bool sound = text.size() <= 40;
  for (std::string_view rest = text; sound;) {
    const std::size_t dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    sound = !part.empty() && std::all_of(part.begin(), part.end(), is_digit);
    ++numbers;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (sound && numbers == 4) return {};
  return fmt::format("{} is not a version of four numbers such as 4.0.7577.230 (Get-CsServerPatchVersion shows it)",
                     in_quotes(text));
}

std::string not_a_store_name(std::string_view text) {
  if (text.size() <= 64 && std::all_of(text.begin(), text.end(), is_name_character)) return {};
  return fmt::format("{} is not a store's name; use at most 64 letters, digits, '-', '.' and '_'", in_quotes(text));
}

}  // namespace mrascheck::yaml

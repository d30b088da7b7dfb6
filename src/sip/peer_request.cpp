// SPDX-License-Identifier: Apache-2.0
#include "sip/peer_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/text.hpp"

namespace mrascheck::sip {

namespace {

bool has_blank(std::string_view text) {
  return text.find_first_of(" \t") != std::string_view::npos;
}

/// RFC 3261, 25.1: a display name is a quoted string, or tokens.
bool is_display_name(std::string_view name) {
  if (name.starts_with('"')) return name.size() > 1 && name.ends_with('"');
  return std::all_of(name.begin(), name.end(), [](char c) {
    return c == ' ' || c == '\t' || is_token(std::string_view{&c, 1});
  });
}

/// Every parameter behind the first `;` has a name.
bool parameters_are_whole(std::string_view text) {
  const std::size_t first = find_outside_quotes(text, ';');
  if (first == std::string_view::npos) return true;
  for (std::string_view rest = text.substr(first + 1);;) {
    const std::size_t end = std::min(find_outside_quotes(rest, ';'), rest.size());
    const std::string_view parameter = rest.substr(0, end);
    if (!is_token(trim(parameter.substr(0, parameter.find('='))))) return false;
    if (end == rest.size()) return true;
    rest.remove_prefix(end + 1);
  }
}

/// What is wrong with one value of From, To or Contact (RFC 3261, 20.10, 20.20 and 25.1); empty when nothing is.
std::string_view fault_of_address(std::string_view value) {
  if (!quotes_are_closed(value)) return "has a quote that does not end";
  const std::size_t open = find_outside_quotes(value, '<');
  if (open == std::string_view::npos) {
    const std::string_view uri = trim(value.substr(0, value.find(';')));
    // Whose are a question mark and what follows, the URI's or the field's?
    if (uri.empty() || has_blank(uri) || uri.find_first_of("?,") != std::string_view::npos)
      return "holds a URI that needs angle brackets";
    return parameters_are_whole(value) ? "" : "has a parameter without a name";
  }
  if (!is_display_name(trim(value.substr(0, open)))) return "has a display name that needs quotes";
  const std::size_t close = value.find('>', open);
  if (close == std::string_view::npos) return "has an angle bracket that does not end";
  const std::string_view uri = value.substr(open + 1, close - open - 1);
  if (uri.empty() || has_blank(uri)) return "has blanks in its URI";
  return parameters_are_whole(value.substr(close + 1)) ? "" : "has a parameter without a name";
}

/// What is wrong with a Via field: an element that is empty or has no host, a parameter without a name.
std::string_view fault_of_via(std::string_view field) {
  if (!quotes_are_closed(field)) return "has a quote that does not end";
  for (std::string_view rest = field;;) {
    const std::size_t end = std::min(find_outside_quotes(rest, ','), rest.size());
    const std::string_view element = trim(rest.substr(0, end));
    const std::string_view head = trim(element.substr(0, element.find(';')));
    const std::size_t slash = head.rfind('/');
    if (slash == std::string_view::npos || !has_blank(trim(head.substr(slash + 1))))
      return "has an element without a host";
    if (!parameters_are_whole(element)) return "has a parameter without a name";
    if (end == rest.size()) return {};
    rest.remove_prefix(end + 1);
  }
}

/// "sip" of "sip:user@example.com".
std::string_view scheme_of(std::string_view uri) {
  return uri.substr(0, uri.find(':'));
}

}  // namespace

std::string malformed(const Message& request) {
  if (!request.fault.empty()) return request.fault;
  for (const std::string_view name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
    if (!request.field(name)) return fmt::format("{} is missing", name);
  }
  const auto cseq = parse_cseq(*request.field("CSeq"));
  if (!cseq) return "CSeq is no number below 2^31 and a method";
  if (cseq->method != request.method) return "CSeq is of another method";
  constexpr std::size_t most_forwards = 255;
  if (const auto forwards = request.field("Max-Forwards")) {
    const auto number = parse_digits(*forwards);
    if (!number || *number > most_forwards) return "Max-Forwards is no number up to 255";
  }
  for (const auto field : request.all("Via")) {
    if (const auto fault = fault_of_via(field); !fault.empty()) return fmt::format("Via {}", fault);
  }
  for (const char* name : {"From", "To"}) {
    if (const auto fault = fault_of_address(*request.field(name)); !fault.empty())
      return fmt::format("{} {}", name, fault);
  }
  for (const auto contact : request.list("Contact")) {
    if (contact == "*") continue;
    if (const auto fault = fault_of_address(contact); !fault.empty()) return fmt::format("Contact {}", fault);
  }
  // RFC 3261, 19.1.1 and 19.1.5: no header fields in a Request-URI. A user part may hold a question mark.
  const std::size_t at = request.uri.rfind('@');
  if (request.uri.find_first_of("<>\"") != std::string::npos) return "the Request-URI stands in brackets or quotes";
  if (request.uri.find('?', at == std::string::npos ? 0 : at) != std::string::npos)
    return "the Request-URI holds header fields";
  return {};
}

std::string answer_to_request(const Message& request, std::string_view local_tag) {
  const auto vias = request.all("Via");
  if (request.method == "ACK" || vias.empty()) return {};
  std::string status;
  std::string more;
  const std::string_view scheme = scheme_of(request.uri);
  if (!equals_ignoring_case(request.version, "SIP/2.0")) {
    status = "505 Version Not Supported";
  } else if (const std::string fault = malformed(request); !fault.empty()) {
    status = fmt::format("400 Bad Request ({})", fault);
  } else if (request.method == "CANCEL") {
    status = "481 Call/Transaction Does Not Exist";  // RFC 3261, 9.2
  } else if (request.method != "OPTIONS") {
    status = "405 Method Not Allowed";
    more = "Allow: OPTIONS\r\n";
  } else if (!equals_ignoring_case(scheme, "sip") && !equals_ignoring_case(scheme, "sips")) {
    status = "416 Unsupported URI Scheme";
  } else if (const auto required = request.list("Require"); !required.empty()) {
    status = "420 Bad Extension";
    more = fmt::format("Unsupported: {}\r\n", fmt::join(required, ", "));
  } else {
    status = "200 OK";
    more = "Allow: OPTIONS\r\n";
  }
  std::string text = fmt::format("SIP/2.0 {}\r\n", status);
  for (const auto via : vias) text += fmt::format("Via: {}\r\n", via);
  for (const std::string_view name : {"From", "To", "Call-ID", "CSeq"}) {
    const auto value = request.field(name);
    if (!value) continue;
    // A quote that does not end would take the tag into itself.
    const bool tagged = name != "To" || !parameter_of(*value, "tag").empty() || !quotes_are_closed(*value);
    text += tagged ? fmt::format("{}: {}\r\n", name, *value) : fmt::format("To: {};tag={}\r\n", *value, local_tag);
  }
  return text + more + "User-Agent: mrascheck\r\nContent-Length: 0\r\n\r\n";
}

}  // namespace mrascheck::sip

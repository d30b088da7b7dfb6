// SPDX-License-Identifier: Apache-2.0
#include "sip/mras_body.hpp"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <pugixml.hpp>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "sip/message.hpp"

namespace mrascheck::sip {

namespace {

constexpr std::size_t max_name = 255;
constexpr std::size_t max_credential = 4096;  // characters; tokens of 56 bytes have 76
constexpr unsigned max_minutes =
    259'200;  // 180 days, the most that MaxTokenLifetime can be (New-CsAVEdgeConfiguration)

// pugixml's memory, with its size in front, so that it can be wiped when it is given back: a document holds the
// password.
constexpr std::size_t size_prefix = alignof(std::max_align_t);

void* allocate(std::size_t size) {
  if (size > SIZE_MAX - size_prefix) return nullptr;
  auto* memory = static_cast<std::uint8_t*>(std::malloc(size + size_prefix));
  if (memory == nullptr) return nullptr;
  ::new (memory) std::size_t{size};
  return memory + size_prefix;
}

void release(void* pointer) {
  if (pointer == nullptr) return;
  auto* memory = static_cast<std::uint8_t*>(pointer) - size_prefix;
  explicit_bzero(pointer, *std::launder(reinterpret_cast<std::size_t*>(memory)));
  std::free(memory);
}

void use_wiped_memory() {
  [[maybe_unused]] static const bool once = [] {
    pugi::set_memory_management_functions(allocate, release);
    return true;
  }();
}

std::string escaped(std::string_view text) {
  std::string xml;
  for (const char c : text) {
    switch (c) {
      case '&':
        xml += "&amp;";
        break;
      case '<':
        xml += "&lt;";
        break;
      case '>':
        xml += "&gt;";
        break;
      case '"':
        xml += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= ' ' && c != '\x7f') xml += c;
    }
  }
  return xml;
}

std::string_view local_name(const char* name) {
  const std::string_view whole = name;
  const std::size_t colon = whole.find(':');
  return colon == std::string_view::npos ? whole : whole.substr(colon + 1);
}

bool is(const pugi::xml_node& node, std::string_view name) {
  return node.type() == pugi::node_element && local_name(node.name()) == name;
}

pugi::xml_node child(const pugi::xml_node& parent, std::string_view name) {
  return parent.find_child([&](const pugi::xml_node& node) { return is(node, name); });
}

std::string_view text_of(const pugi::xml_node& node) {
  return trim(node.child_value());
}

std::optional<unsigned> parse_number(std::string_view text, unsigned least, unsigned most) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < least || number > most) return {};
  return number;
}

constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// RFC 4648, 4, with blanks and line ends allowed between (XML Schema, base64Binary); at least one byte.
bool is_base64(std::string_view text) {
  std::size_t digits = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    if (base64_digits.find(c) == std::string_view::npos || padding > 0) return false;
    ++digits;
  }
  return digits >= 2 && padding <= 2 && (digits + padding) % 4 == 0;
}

// The layout of the decoded username is that of OfficeSIP's TokenBlob, which is no document of Microsoft's: version,
// size, and when it ends, the low half first. That the time is a FILETIME is inferred. What does not fit is opaque.
void read_token(std::string_view username, MrasExchange& exchange) {
  constexpr std::size_t head_size = 12;
  constexpr std::size_t with_client = 21;  // in whole groups of three: 8 bytes of the user behind the head
  std::vector<std::uint8_t> head;
  std::uint32_t bits = 0;
  std::size_t digits = 0;
  for (const char c : username) {
    const auto digit = base64_digits.find(c);
    if (digit == std::string_view::npos) continue;  // blanks: is_base64 has seen it
    bits = bits << 6U | static_cast<std::uint32_t>(digit);
    if (++digits % 4 != 0) continue;
    for (const unsigned shift : {16U, 8U, 0U}) head.push_back(static_cast<std::uint8_t>(bits >> shift & 0xFFU));
    if (head.size() == with_client) break;
  }
  if (head.size() < head_size) return;
  const auto word = [&](std::size_t at) {
    return std::uint64_t{head[at]} << 24U | std::uint64_t{head[at + 1]} << 16U | std::uint64_t{head[at + 2]} << 8U |
           head[at + 3];
  };
  constexpr std::uint64_t version_1 = 0x01000020;
  constexpr std::uint64_t version_2 = 0x02000024;
  if (word(0) != version_1 && word(0) != version_2) return;
  exchange.token_version = head[0];
  constexpr std::size_t client_size = 8;
  if (head.size() == with_client) exchange.token_client = to_hex(std::span(head).subspan(head_size, client_size));
  constexpr std::int64_t ticks_a_second = 10'000'000;
  constexpr std::int64_t epoch = 11'644'473'600;  // from 1601-01-01 to 1970-01-01, in seconds
  const std::uint64_t ticks = word(8) << 32U | word(4);
  constexpr std::uint64_t year_9999 = 2'650'467'744'000'000'000;
  if (ticks == 0 || ticks > year_9999) return;
  exchange.token_expiry = UtcTime{std::chrono::seconds{static_cast<std::int64_t>(ticks) / ticks_a_second - epoch}};
}

class Problems {
 public:
  explicit Problems(std::string& text) : text_(text) {}
  void add(std::string_view problem) {
    if (++count_ > 8) return;  // the first ones say enough
    if (!text_.empty()) text_ += "; ";
    text_ += problem;
  }

 private:
  std::string& text_;
  unsigned count_ = 0;
};

// Depth first without recursion: depth is what a hostile document attacks.
struct Bounds : pugi::xml_tree_walker {
  bool too_deep = false;
  bool dtd = false;
  bool for_each(pugi::xml_node& node) override {
    too_deep = too_deep || depth() >= static_cast<int>(max_xml_depth);
    dtd = dtd || node.type() == pugi::node_doctype;
    return !too_deep && !dtd;
  }
};

std::optional<std::uint16_t> read_port(const pugi::xml_node& relay, std::string_view name, Problems& problems) {
  const auto node = child(relay, name);
  if (!node) return {};  // both ports are optional
  const auto port = parse_number(text_of(node), 1, 65'535);
  if (port) return static_cast<std::uint16_t>(*port);
  problems.add(fmt::format("{} \"{}\" is no port", name, printable(text_of(node), 24)));
  return {};
}

void read_relays(const pugi::xml_node& answer, MrasExchange& exchange, Problems& problems) {
  std::size_t seen = 0;
  for (const auto& list : answer.children()) {
    if (!is(list, "mediaRelayList")) continue;
    for (const auto& node : list.children()) {
      if (!is(node, "mediaRelay") || ++seen > max_relays) continue;
      MediaRelay relay;
      relay.location = printable(text_of(child(node, "location")), 32);
      const auto host = child(node, "hostName");
      const auto address = child(node, "directIPAddress");
      relay.direct_address = !host && address;
      relay.host = printable(text_of(host ? host : address), max_name);
      relay.udp_port = read_port(node, "udpPort", problems);
      relay.tcp_port = read_port(node, "tcpPort", problems);
      if (relay.host.empty()) {
        problems.add(fmt::format("media relay {} has neither hostName nor directIPAddress", seen));
        continue;
      }
      exchange.relays.push_back(std::move(relay));
    }
  }
  if (seen > max_relays) problems.add(fmt::format("{} media relays, only the first {} are read", seen, max_relays));
}

void read_credentials(const pugi::xml_node& answer, MrasExchange& exchange, Problems& problems,
                      RelayCredentials* keep) {
  const auto credentials = child(answer, "credentials");
  if (!credentials) return;
  const auto name = text_of(child(credentials, "username"));
  const auto password = text_of(child(credentials, "password"));
  exchange.credentials_present = !name.empty() && !password.empty();
  exchange.credentials_well_formed = exchange.credentials_present && is_base64(name) && is_base64(password);
  if (exchange.credentials_well_formed) read_token(name, exchange);
  const bool usable = name.size() <= max_credential && password.size() <= max_credential;
  if (exchange.credentials_well_formed && usable && keep != nullptr) {
    keep->username = Secret{std::string{name}};
    keep->password = Secret{std::string{password}};
  }
  for (const auto& [what, text] : {std::pair{"user name", name}, std::pair{"password", password}}) {
    if (text.size() > max_credential)
      problems.add(fmt::format("the {} has {} characters, where some 76 are usual", what, text.size()));
  }
  exchange.realm = printable(text_of(child(credentials, "realm")), max_name);
  if (const auto duration = child(credentials, "duration")) {
    const auto minutes = parse_number(text_of(duration), 0, max_minutes);
    if (minutes) exchange.granted = std::chrono::minutes{*minutes};
    if (!minutes || *minutes == 0) {
      problems.add(fmt::format("duration \"{}\" is no number of minutes from 1 to {}", printable(text_of(duration), 24),
                               max_minutes));
    }
  }
}

std::string_view id_of(const pugi::xml_node& answer) {
  return trim(std::string_view(answer.attribute("credentialsRequestID").value()));
}

// The one that answers us; when none does, the first, so that what it says is seen all the same.
pugi::xml_node find_answer(const pugi::xml_node& root, std::string_view id, Problems& problems) {
  const auto mine =
      root.find_child([&](const pugi::xml_node& node) { return is(node, "credentialsResponse") && id_of(node) == id; });
  if (mine) return mine;
  const auto first = child(root, "credentialsResponse");
  if (first) {
    problems.add(fmt::format("it answers credentials request \"{}\", ours is \"{}\"", printable(id_of(first), 64), id));
  }
  return first;
}

void read_document(const pugi::xml_document& document, std::string_view id, MrasExchange& exchange, Problems& problems,
                   RelayCredentials* keep) {
  const auto root = document.document_element();
  if (!is(root, "response")) {
    problems.add(fmt::format("the body is no MRAS response: its root element is \"{}\"", printable(root.name(), 64)));
    return;
  }
  exchange.body_present = true;
  exchange.reason_phrase = printable(trim(std::string_view(root.attribute("reasonPhrase").value())), 128);
  exchange.server_version = printable(trim(std::string_view(root.attribute("serverVersion").value())), 32);
  if (exchange.reason_phrase.empty()) problems.add("the MRAS response has no reasonPhrase");
  // A service that could not parse the request has no requestID to echo, so its refusal may lack it.
  const auto request_id = root.attribute("requestID");
  const auto answered_id = trim(std::string_view(request_id.value()));
  if (request_id ? answered_id != id : exchange.reason_phrase == "OK") {
    problems.add(fmt::format("it answers request \"{}\", ours is \"{}\"", printable(answered_id, 64), id));
  }
  if (const auto answer = find_answer(root, id, problems)) {
    // What was granted to another request is not ours; an answer that names no request at all may be.
    const bool foreign = (!answered_id.empty() && answered_id != id) || (!id_of(answer).empty() && id_of(answer) != id);
    if (!foreign) read_credentials(answer, exchange, problems, keep);
    read_relays(answer, exchange, problems);
  }
}

void parse(std::string& body, std::string_view id, MrasExchange& exchange, RelayCredentials* keep) {
  Problems problems(exchange.problem);
  // In UTF-16, too, each markup has its '<' byte.
  if (static_cast<std::size_t>(std::count(body.begin(), body.end(), '<')) > max_xml_markup) {
    problems.add(fmt::format("the body has more than {} XML tags; it is not read", max_xml_markup));
    return;
  }
  use_wiped_memory();
  pugi::xml_document document;
  const auto parsed = document.load_buffer_inplace(body.data(), body.size(), pugi::parse_default | pugi::parse_doctype);
  if (!parsed) {
    problems.add(fmt::format("malformed XML in the body: {} near byte {}", to_lower(parsed.description()),
                             std::max<std::ptrdiff_t>(parsed.offset, 0)));
    return;
  }
  Bounds bounds;
  document.traverse(bounds);
  if (bounds.dtd) {
    problems.add("the body has a document type declaration (DTD); it is not read");
  } else if (bounds.too_deep) {
    problems.add(fmt::format("the body's XML is nested more than {} deep; it is not read", max_xml_depth));
  } else {
    read_document(document, id, exchange, problems, keep);
  }
}

}  // namespace

std::string credentials_request(const CredentialsRequest& request) {
  const std::string id = escaped(request.id);
  const std::string from = escaped(request.from);
  // identity, location, duration in this order: they are an XML Schema sequence. No route: Lync 2010 sends none.
  return fmt::format(
      R"(<request requestID="{}" version="{}" to="{}" from="{}" xmlns="{}" )"
      R"(xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><credentialsRequest credentialsRequestID="{}">)"
      R"(<identity>{}</identity><location>{}</location><duration>{}</duration></credentialsRequest></request>)",
      id, escaped(request.version), escaped(request.to), from, mras_namespace, id, from, to_string(request.location),
      request.duration.count());
}

void read_credentials_response(std::string&& body, std::string_view id, MrasExchange& exchange,
                               RelayCredentials* keep) {
  std::string own = std::move(body);
  wipe(body);  // a short one is copied, not moved
  parse(own, id, exchange, keep);
  wipe(own);
}

}  // namespace mrascheck::sip

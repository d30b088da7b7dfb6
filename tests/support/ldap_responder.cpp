// SPDX-License-Identifier: Apache-2.0
#include "support/ldap_responder.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace mrascheck::test {

static std::string tlv(int tag, const std::string& content) {
  std::string length;
  if (content.size() < 128) {
    length += static_cast<char>(content.size());
  } else {
    length += static_cast<char>(0x84);
    for (int shift = 24; shift >= 0; shift -= 8)
      length += static_cast<char>(content.size() >> static_cast<unsigned>(shift));
  }
  return static_cast<char>(tag) + length + content;
}

static std::string integer(int value) {
  std::string content;
  for (int shift = 24; shift >= 0; shift -= 8) content += static_cast<char>(value >> shift);
  return tlv(0x02, content);
}

static std::string message(int id, const std::string& operation, const std::string& controls = "") {
  return tlv(0x30, integer(id) + operation + controls);
}

static std::string result(int code, const std::string& diagnostic, const std::string& more = "") {
  return tlv(0x0a, std::string(1, static_cast<char>(code))) + tlv(0x04, "") + tlv(0x04, diagnostic) + more;
}

std::string LdapResponder::entry(int id, const std::string& dn, const std::vector<Attribute>& attributes) {
  std::string list;
  for (const auto& [name, values] : attributes) {
    std::string set;
    for (const std::string& value : values) set += tlv(0x04, value);
    list += tlv(0x30, tlv(0x04, name) + tlv(0x31, set));
  }
  return message(id, tlv(0x64, tlv(0x04, dn) + tlv(0x30, list)));
}

std::string LdapResponder::reference(int id, const std::string& uri) {
  return message(id, tlv(0x73, tlv(0x04, uri)));
}

std::string LdapResponder::search_done(int id, int code, const std::string& diagnostic, const char* cookie) {
  std::string controls;
  if (cookie != nullptr) {
    const std::string value = tlv(0x30, integer(0) + tlv(0x04, cookie));
    controls = tlv(0xa0, tlv(0x30, tlv(0x04, "1.2.840.113556.1.4.319") + tlv(0x04, value)));
  }
  return message(id, tlv(0x65, result(code, diagnostic)), controls);
}

std::string LdapResponder::referral_done(int id, const std::string& uri) {
  return message(id, tlv(0x65, result(10, "", tlv(0xa3, tlv(0x04, uri)))));
}

std::string LdapResponder::bind_done(int id, int code, const std::string& diagnostic) {
  return message(id, tlv(0x61, result(code, diagnostic)));
}

std::string LdapResponder::extended_done(int id, int code, const std::string& diagnostic) {
  return message(id, tlv(0x78, result(code, diagnostic)));
}

namespace {

/// Takes elements off the front of what a well-behaved client sent.
struct Cursor {
  std::string_view rest;

  /// Nothing, when the element is not there in full.
  std::optional<std::pair<unsigned char, std::string_view>> take() {
    if (rest.size() < 2) return std::nullopt;
    const auto tag = static_cast<unsigned char>(rest[0]);
    std::size_t length = static_cast<unsigned char>(rest[1]);
    std::size_t header = 2;
    if (length >= 0x80) {
      const std::size_t octets = length & 0x7fU;
      length = 0;
      if (rest.size() < header + octets) return std::nullopt;
      for (; header < 2 + octets; ++header) length = length << 8U | static_cast<unsigned char>(rest[header]);
    }
    if (rest.size() < header + length) return std::nullopt;
    const auto content = rest.substr(header, length);
    rest.remove_prefix(header + length);
    return std::pair{tag, content};
  }
};

LdapResponder::Request parse(std::string_view content) {
  LdapResponder::Request request;
  Cursor cursor{content};
  const auto id = cursor.take();
  for (const char octet : id->second) request.id = request.id << 8 | static_cast<unsigned char>(octet);
  const auto operation = cursor.take();
  request.operation = operation->first;
  request.paged = !cursor.rest.empty();
  if (request.operation != 0x63) return request;
  Cursor search{operation->second};
  request.base = search.take()->second;
  for (int skipped = 0; skipped < 6; ++skipped) search.take();  // scope, aliases, size, time, types, filter
  Cursor attributes{search.take()->second};
  while (const auto attribute = attributes.take()) request.attributes.emplace_back(attribute->second);
  return request;
}

}  // namespace

LdapResponder::LdapResponder(Script script, Listen where) : script_(std::move(script)) {
  wake_ = eventfd(0, EFD_CLOEXEC);
  bool listening = false;
  if (where == Listen::tcp) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    listening = bind(listener_, generic, length) == 0 && listen(listener_, 8) == 0 &&
                getsockname(listener_, generic, &length) == 0;
    uri_ = fmt::format("ldap://127.0.0.1:{}", ntohs(address.sin_port));
  } else {
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    directory_ = "/tmp/ldap-responder-XXXXXX";
    if (mkdtemp(directory_.data()) == nullptr) throw std::runtime_error("no temporary directory");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (directory_ + "/ldapi").copy(address.sun_path, sizeof address.sun_path - 1);
    listening =
        bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && listen(listener_, 8) == 0;
    uri_ = "ldapi://%2Ftmp%2F" + directory_.substr(5) + "%2Fldapi";
  }
  if (!listening) throw std::runtime_error("nowhere to listen");
  thread_ = std::thread([this] { serve(); });
}

LdapResponder::~LdapResponder() {
  eventfd_write(wake_, 1);
  thread_.join();
  close(listener_);
  close(wake_);
  if (directory_.empty()) return;
  unlink((directory_ + "/ldapi").c_str());
  rmdir(directory_.c_str());
}

/// Whether `fd` has something to read; false, when it is time to end.
static bool wait_for(int fd, int wake) {
  std::array<pollfd, 2> events{pollfd{fd, POLLIN, 0}, pollfd{wake, POLLIN, 0}};
  while (poll(events.data(), events.size(), -1) < 0) continue;
  return events[1].revents == 0;
}

void LdapResponder::serve() {
  while (wait_for(listener_, wake_)) {
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    const int fd = accept4(listener_, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_CLOEXEC);
    if (fd < 0) continue;
    if (peer.sin_family == AF_INET) peer_ = ntohl(peer.sin_addr.s_addr);
    ++connections_;
    converse(fd);
    close(fd);
  }
}

void LdapResponder::converse(int fd) {
  std::string received;
  std::array<char, 4096> buffer{};
  while (wait_for(fd, wake_)) {
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size <= 0) return;
    received.append(buffer.data(), static_cast<std::size_t>(size));
    Cursor cursor{received};
    while (const auto element = cursor.take()) {
      const Request request = parse(element->second);
      if (request.operation == 0x42) return;    // unbind
      if (request.operation == 0x50) continue;  // abandon
      ++requests_;
      const Reply reply = script_(request);
      for (std::string_view rest = reply.bytes; !rest.empty();) {
        const ssize_t sent = send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        rest.remove_prefix(static_cast<std::size_t>(sent));
      }
      if (reply.close) return;
    }
    received.erase(0, received.size() - cursor.rest.size());
  }
}

}  // namespace mrascheck::test

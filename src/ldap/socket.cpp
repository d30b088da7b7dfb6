// SPDX-License-Identifier: Apache-2.0
#include "ldap/socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <ldap.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "core/text.hpp"

namespace mrascheck::ldap {

using namespace std::chrono_literals;

template <auto Free>
struct Freed {
  void operator()(auto* object) const noexcept { Free(object); }
};
using UrlPtr = std::unique_ptr<LDAPURLDesc, Freed<ldap_free_urldesc>>;
using AddressList = std::unique_ptr<addrinfo, Freed<freeaddrinfo>>;

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

std::string why_over(std::chrono::milliseconds step, const Deadline& deadline) {
  if (deadline.stop.stop_requested()) return "stopped";
  if (Deadline::Clock::now() >= deadline.at) return "no time left";
  return step % 1s == 0ms ? fmt::format("no answer within {} s", step / 1s)
                          : fmt::format("no answer within {} ms", step / 1ms);
}

Result<Uri> parse_uri(std::string_view text) {
  const auto authority = text.find("://");
  const auto end = authority == std::string_view::npos ? authority : text.find('/', authority + 3);
  Uri uri;
  uri.text = printable(text.substr(0, end));
  if (const auto at = uri.text.rfind('@'); at != std::string::npos) {
    return fail(ErrorKind::config, fmt::format("ldap uri of {}: holds a user name or password: these belong under bind",
                                               uri.text.substr(at + 1)));
  }
  LDAPURLDesc* parsed = nullptr;
  const int code = ldap_url_parse(std::string{text}.c_str(), &parsed);
  const UrlPtr url{parsed};
  if (code != LDAP_URL_SUCCESS || !url || text.find('\0') != std::string_view::npos) {
    return fail(ErrorKind::config, fmt::format("{}: not an ldap, ldaps or ldapi uri", uri.text));
  }
  const std::string_view scheme = url->lud_scheme;
  if (scheme == "ldap") {
    uri.scheme = Uri::Scheme::ldap;
  } else if (scheme == "ldaps") {
    uri.scheme = Uri::Scheme::ldaps;
  } else if (scheme == "ldapi") {
    uri.scheme = Uri::Scheme::ldapi;
  } else {
    return fail(ErrorKind::config, fmt::format("{}: not an ldap, ldaps or ldapi uri", uri.text));
  }
  uri.host = url->lud_host == nullptr ? "" : url->lud_host;
  uri.port = uri.scheme == Uri::Scheme::ldapi ? 0 : url->lud_port;
  uri.dn = url->lud_dn == nullptr ? "" : url->lud_dn;
  if (uri.host.empty()) {
    return fail(ErrorKind::config,
                fmt::format("{}: no {} in it", uri.text,
                            uri.local() ? "socket's path, with %2F for each slash," : "server name"));
  }
  return uri;
}

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  std::string text;  ///< "10.0.0.1 port 389"
};

static void append(std::vector<Address>& addresses, const addrinfo* list, int port) {
  for (; list != nullptr; list = list->ai_next) {
    if (list->ai_addrlen > sizeof(sockaddr_storage)) continue;
    Address address;
    std::memcpy(&address.storage, list->ai_addr, list->ai_addrlen);
    address.length = list->ai_addrlen;
    std::array<char, NI_MAXHOST> host{};
    if (getnameinfo(list->ai_addr, list->ai_addrlen, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0)
      continue;
    address.text = fmt::format("{} port {}", host.data(), port);
    addresses.push_back(std::move(address));
  }
}

struct Lookup {
  std::mutex mutex;
  std::condition_variable_any finished;
  bool done = false;
  int code = 0;
  AddressList list;
};

static std::pair<int, AddressList> look_up(const std::string& host, const std::string& port, int family, int flags) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* list = nullptr;
  const int code = getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  return {code, AddressList{code == 0 ? list : nullptr}};
}

static Result<std::vector<Address>> resolve(const Uri& uri, const NameService& names, std::chrono::milliseconds step,
                                            const Deadline& deadline) {
  const int family = names.family == Config::Family::v4   ? AF_INET
                     : names.family == Config::Family::v6 ? AF_INET6
                                                          : AF_UNSPEC;
  const std::string port = std::to_string(uri.port);
  std::vector<std::string> literals{uri.host};
  for (const auto& [name, given] : names.addresses) {
    if (equals_ignoring_case(name, uri.host)) literals = given;
  }
  std::vector<Address> addresses;
  for (const std::string& literal : literals) {
    append(addresses, look_up(literal, port, family, AI_NUMERICHOST).second.get(), uri.port);
  }
  if (!addresses.empty()) return addresses;

  // getaddrinfo cannot be interrupted: a thread of its own waits for it, and is left behind when nobody waits any
  // longer.
  const auto lookup = std::make_shared<Lookup>();
  try {
    std::thread([lookup, host = uri.host, port, family] {
      auto [code, list] = look_up(host, port, family, AI_ADDRCONFIG);
      const std::lock_guard lock{lookup->mutex};
      lookup->code = code;
      lookup->list = std::move(list);
      lookup->done = true;
      lookup->finished.notify_all();
    }).detach();
  } catch (const std::system_error& error) {
    return fail(ErrorKind::local, fmt::format("resolve {}: no thread for it: {}", printable(uri.host), error.what()));
  }
  const Deadline limit = deadline.within(step);
  std::unique_lock lock{lookup->mutex};
  if (!lookup->finished.wait_until(lock, limit.stop, limit.at, [&] { return lookup->done; })) {
    return fail(ErrorKind::timed_out, fmt::format("resolve {}: {}", printable(uri.host), why_over(step, deadline)));
  }
  append(addresses, lookup->list.get(), uri.port);
  if (addresses.empty()) {
    const char* reason = lookup->code == 0 ? "no address of the wanted family" : gai_strerror(lookup->code);
    return fail(ErrorKind::unreachable, fmt::format("resolve {}: {}", printable(uri.host), to_lower(reason)));
  }
  return addresses;
}

static tl::unexpected<Error> refused(const Address& address, int code) {
  ErrorKind kind = ErrorKind::unreachable;
  if (code == ETIMEDOUT) kind = ErrorKind::timed_out;
  if (code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM || code == EACCES) kind = ErrorKind::local;
  return fail(kind, fmt::format("connect to {}: {}", address.text, to_lower(std::generic_category().message(code))));
}

/// Of a family of which none is given, the system chooses.
static Result<void> bind_to_source(const Socket& socket, int family, const std::vector<std::string>& sources) {
  for (const std::string& source : sources) {
    const AddressList list = look_up(source, "0", family, AI_NUMERICHOST).second;
    if (!list) continue;
    // The port is chosen with the peer's in view, or so many peers could use up all of them.
    const int no_port_yet = 1;
    setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &no_port_yet, sizeof no_port_yet);
    if (bind(socket.get(), list->ai_addr, list->ai_addrlen) == 0) return {};
    return fail(ErrorKind::local,
                fmt::format("not from {}: {}", printable(source), to_lower(std::generic_category().message(errno))));
  }
  return {};
}

static Result<Socket> connect_to(const Address& address, const std::vector<std::string>& sources,
                                 std::chrono::milliseconds step, const Deadline& deadline) {
  Socket socket{::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (socket.get() < 0) return refused(address, errno);
  if (address.storage.ss_family != AF_UNIX) {
    const int on = 1;
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (auto bound = bind_to_source(socket, address.storage.ss_family, sources); !bound)
      return tl::unexpected(std::move(bound).error());
  }
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length) == 0) return socket;
  if (errno != EINPROGRESS) return refused(address, errno);
  for (const Deadline limit = deadline.within(step); !limit.over();) {
    pollfd event{.fd = socket.get(), .events = POLLOUT, .revents = 0};
    if (poll(&event, 1, static_cast<int>(std::min(stop_latency, limit.remaining()).count())) <= 0) continue;
    int code = 0;
    socklen_t length = sizeof code;
    getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &code, &length);
    if (code != 0) return refused(address, code);
    return socket;
  }
  return fail(ErrorKind::timed_out, fmt::format("connect to {}: {}", address.text, why_over(step, deadline)));
}

static Result<Address> socket_path(const Uri& uri) {
  sockaddr_un path{};
  path.sun_family = AF_UNIX;
  if (uri.host.size() >= sizeof path.sun_path) {
    return fail(ErrorKind::config, fmt::format("the socket's path is longer than {} bytes", sizeof path.sun_path - 1));
  }
  uri.host.copy(path.sun_path, uri.host.size());
  Address address;
  address.length = sizeof path;
  address.text = printable(uri.host);
  std::memcpy(&address.storage, &path, sizeof path);
  return address;
}

Result<Socket> connect_to(const Uri& uri, const NameService& names, std::chrono::milliseconds step,
                          const Deadline& deadline) {
  if (uri.local()) {
    const auto address = socket_path(uri);
    if (!address) return tl::unexpected(address.error());
    return connect_to(*address, {}, step, deadline);
  }
  const auto addresses = resolve(uri, names, step, deadline);
  if (!addresses) return tl::unexpected(addresses.error());
  std::optional<Error> failed;
  for (const Address& address : *addresses) {
    auto socket = connect_to(address, names.sources, step, deadline);
    if (socket) return socket;
    if (failed) socket.error().text = fmt::format("{}; {}", failed->text, socket.error().text);
    failed = std::move(socket.error());
    if (deadline.over()) break;
  }
  return tl::unexpected(*failed);
}

}  // namespace mrascheck::ldap

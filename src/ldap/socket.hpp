// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "ldap/directory.hpp"

namespace mrascheck::ldap {

/// How soon a wait notices that it was asked to stop.
inline constexpr std::chrono::milliseconds stop_latency{50};

/// A directory's address taken apart.
struct Uri {
  enum class Scheme { ldap, ldaps, ldapi } scheme = Scheme::ldap;
  std::string text;  ///< scheme and authority only, printable: what messages call the server
  std::string host;  ///< without brackets; the socket's path for ldapi
  int port = 0;      ///< 0 for ldapi
  std::string dn;    ///< what stood in the URI's path; usually empty

  bool encrypted() const { return scheme == Scheme::ldaps; }
  /// Whether it is Active Directory's global catalog, by its port ([MS-ADTS] 3.1.1.3.1.10), which holds only part of
  /// each entry: of those read here, no cross certificates and no revocation lists ([MS-ADA1]).
  bool global_catalog() const { return port == 3268 || port == 3269; }
  /// Whether what is sent stays on this machine.
  bool local() const { return scheme == Scheme::ldapi; }
};

/// Error: config, for another scheme, for one without an address, for credentials inside.
Result<Uri> parse_uri(std::string_view text);

/// A file descriptor with an owner.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket();
  int get() const { return fd_; }

 private:
  int fd_;
};

/// A connected, non-blocking socket. Every address of the name is tried, in the resolver's order; name resolution and
/// each address have `step` each. libldap's own connect is not used: it can be neither interrupted nor told an address.
/// Errors: unreachable, timed_out, local; the text is without the URI: "connect to 10.0.0.1 port 389: connection
/// refused".
Result<Socket> connect_to(const Uri& uri, const NameService& names, std::chrono::milliseconds step,
                          const Deadline& deadline);

/// "no answer within 10 s", "no time left" or "stopped": why a wait that began with `step` ended without an event.
std::string why_over(std::chrono::milliseconds step, const Deadline& deadline);

}  // namespace mrascheck::ldap

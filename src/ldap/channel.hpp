// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inside this room only: liblber's types stand here.
#include <lber.h>

#include <array>
#include <cstddef>
#include <utility>

#include "core/deadline.hpp"
#include "ldap/socket.hpp"

namespace mrascheck::ldap {

/// What carries libldap's bytes instead of its own functions. Those write without MSG_NOSIGNAL, and Debian's build
/// knows no limit of time in a TLS handshake or in the middle of a message; here every read and write ends by the
/// limit, and soon after it was asked to stop. It also reads ahead, where libldap asks the kernel twice for each entry.
class Channel {
 public:
  /// `socket` is connected and does not block.
  explicit Channel(Socket socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }
  /// From now on.
  void until(Deadline limit) { limit_ = std::move(limit); }
  /// Whether something ended for want of time, or because it was asked to: what libldap reports as a server that is
  /// down.
  bool expired() const { return expired_; }

  /// For ber_sockbuf_add_io, with the channel as argument, which must outlive the buffer.
  static Sockbuf_IO* layer();

 private:
  ber_slen_t read(void* to, ber_len_t size);
  ber_slen_t write(const void* from, ber_len_t size);
  bool wait(short events);
  static Channel& of(const Sockbuf_IO_Desc* descriptor) { return *static_cast<Channel*>(descriptor->sbiod_pvt); }

  Socket socket_;
  Deadline limit_;
  bool expired_ = false;
  std::array<char, std::size_t{64} * 1024> ahead_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace mrascheck::ldap

// SPDX-License-Identifier: Apache-2.0
#include "ldap/channel.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace mrascheck::ldap {

bool Channel::wait(short events) {
  while (!limit_.over()) {
    pollfd event{.fd = fd(), .events = events, .revents = 0};
    const auto time = std::min(stop_latency, limit_.remaining());
    if (poll(&event, 1, static_cast<int>(time.count())) > 0) return true;
  }
  expired_ = true;
  errno = ETIMEDOUT;
  return false;
}

ber_slen_t Channel::read(void* to, ber_len_t size) {
  if (begin_ == end_) {
    for (;;) {
      const ssize_t received = recv(fd(), ahead_.data(), ahead_.size(), 0);
      if (received == 0) return 0;
      if (received > 0) {
        begin_ = 0;
        end_ = static_cast<std::size_t>(received);
        break;
      }
      if (errno == EINTR) continue;
      if (errno != EAGAIN || !wait(POLLIN)) return -1;
    }
  }
  const std::size_t taken = std::min<std::size_t>(size, end_ - begin_);
  std::memcpy(to, ahead_.data() + begin_, taken);
  begin_ += taken;
  return static_cast<ber_slen_t>(taken);
}

ber_slen_t Channel::write(const void* from, ber_len_t size) {
  for (;;) {
    const ssize_t sent = send(fd(), from, size, MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    if (errno == EINTR) continue;
    if (errno != EAGAIN || !wait(POLLOUT)) return -1;
  }
}

Sockbuf_IO* Channel::layer() {
  static Sockbuf_IO functions{
      .sbi_setup =
          [](Sockbuf_IO_Desc* descriptor, void* channel) {
            descriptor->sbiod_pvt = channel;
            return 0;
          },
      .sbi_remove = [](Sockbuf_IO_Desc*) { return 0; },
      .sbi_ctrl =
          [](Sockbuf_IO_Desc* descriptor, int option, void*) {
            const Channel& channel = of(descriptor);
            return option == LBER_SB_OPT_DATA_READY && channel.begin_ < channel.end_ ? 1 : 0;
          },
      .sbi_read = [](Sockbuf_IO_Desc* descriptor, void* to, ber_len_t size) { return of(descriptor).read(to, size); },
      .sbi_write = [](Sockbuf_IO_Desc* descriptor, void* from,
                      ber_len_t size) { return of(descriptor).write(from, size); },
      .sbi_close = [](Sockbuf_IO_Desc*) { return 0; },  // the channel's socket closes with the channel
  };
  return &functions;
}

}  // namespace mrascheck::ldap

// SPDX-License-Identifier: Apache-2.0
#include "support/raw_peer.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace mrascheck::test {

namespace {

int bound_socket(const std::string& address, std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in local{};
  local.sin_family = AF_INET;
  ::inet_pton(AF_INET, address.c_str(), &local.sin_addr);
  socklen_t size = sizeof local;
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&local), size) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) != 0) {
    throw std::runtime_error("no socket on " + address);
  }
  port = ntohs(local.sin_port);
  return fd;
}

/// Whether `fd` can be read before `ended` can.
bool readable(int fd, int ended) {
  std::array<pollfd, 2> both{pollfd{fd, POLLIN, 0}, pollfd{ended, POLLIN, 0}};
  while (::poll(both.data(), both.size(), -1) < 0) {
  }
  return both[1].revents == 0;
}

}  // namespace

std::string RawPeer::Talk::receive() {
  if (!unread_.empty()) return std::exchange(unread_, {});
  if (!readable(fd_, ended_)) return {};
  std::string bytes(std::size_t{16} * 1024, '\0');
  const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), 0);
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

std::string RawPeer::Talk::receive_record() {
  std::string bytes;
  for (;;) {
    if (bytes.size() >= 5) {
      const std::size_t whole = 5 + (static_cast<std::size_t>(static_cast<unsigned char>(bytes[3])) << 8U) +
                                static_cast<unsigned char>(bytes[4]);
      if (bytes.size() >= whole) {
        unread_ = bytes.substr(whole);
        bytes.resize(whole);
        return bytes;
      }
    }
    const std::string more = receive();
    if (more.empty()) return {};
    bytes += more;
  }
}

void RawPeer::Talk::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void RawPeer::Talk::stay_silent() {
  while (!receive().empty()) {
  }
}

void RawPeer::Talk::reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void RawPeer::Talk::half_close() {
  ::shutdown(fd_, SHUT_WR);
}

RawPeer::RawPeer(Script script, const std::string& address)
    : script_(std::move(script)), listener_(bound_socket(address, port_)), ended_(::eventfd(0, EFD_CLOEXEC)) {
  if (::listen(listener_, SOMAXCONN) != 0) throw std::runtime_error("cannot listen on " + address);
  server_ = std::thread([this] { serve(); });
}

RawPeer::~RawPeer() {
  const std::uint64_t one = 1;
  if (::write(ended_, &one, sizeof one) != sizeof one) std::terminate();
  server_.join();
  for (std::thread& talk : talks_) talk.join();
  ::close(listener_);
  ::close(ended_);
}

void RawPeer::serve() {
  while (readable(listener_, ended_)) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int at_once = 1;  // what was sent before a reset must have left
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    ++connections_;
    talks_.emplace_back([this, fd] {
      Talk talk(fd, ended_);
      script_(talk);
      ::close(fd);
    });
  }
}

FullBacklog::FullBacklog() : listener_(bound_socket("127.0.0.1", port_)) {
  if (::listen(listener_, 0) != 0) throw std::runtime_error("cannot listen");
  // Linux queues one more than the backlog says, and then lets further attempts go unanswered.
  for (int i = 0; i < 4; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port_);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    static_cast<void>(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to));
    fillers_.push_back(fd);
  }
}

FullBacklog::~FullBacklog() {
  for (const int fd : fillers_) ::close(fd);
  ::close(listener_);
}

RefusingPort::RefusingPort() : fd_(bound_socket("127.0.0.1", port_)) {}
RefusingPort::~RefusingPort() {
  ::close(fd_);
}

}  // namespace mrascheck::test

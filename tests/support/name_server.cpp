// SPDX-License-Identifier: Apache-2.0
#include "support/name_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <utility>

namespace mrascheck::test {

NameServer::NameServer(Script script, std::chrono::milliseconds delay)
    : script_(std::move(script)), delay_(delay), ended_(::eventfd(0, EFD_CLOEXEC)) {
  fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof local;
  if (fd_ < 0 || ::bind(fd_, reinterpret_cast<sockaddr*>(&local), size) != 0 ||
      ::getsockname(fd_, reinterpret_cast<sockaddr*>(&local), &size) != 0) {
    throw std::runtime_error("no socket for the name server");
  }
  port_ = ntohs(local.sin_port);
  server_ = std::thread([this] { serve(); });
}

NameServer::~NameServer() {
  const std::uint64_t one = 1;
  if (::write(ended_, &one, sizeof one) != sizeof one) std::terminate();
  server_.join();
  ::close(fd_);
  ::close(ended_);
}

void NameServer::serve() {
  using Clock = std::chrono::steady_clock;
  struct Letter {
    Clock::time_point due;
    std::string text;
    sockaddr_in to{};
  };
  std::deque<Letter> letters;  // as they are due
  for (;;) {
    int wait = -1;
    while (!letters.empty()) {
      const Letter& first = letters.front();
      wait = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(first.due - Clock::now()).count());
      if (wait > 0) break;
      static_cast<void>(::sendto(fd_, first.text.data(), first.text.size(), 0,
                                 reinterpret_cast<const sockaddr*>(&first.to), sizeof first.to));
      letters.pop_front();
      wait = -1;
    }
    std::array<pollfd, 2> both{pollfd{fd_, POLLIN, 0}, pollfd{ended_, POLLIN, 0}};
    if (::poll(both.data(), both.size(), wait) < 0) continue;
    if (both[1].revents != 0) return;
    if (both[0].revents == 0) continue;
    std::string query(512, '\0');
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t got = ::recvfrom(fd_, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 17) continue;
    query.resize(static_cast<std::size_t>(got));
    std::string name;
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      const auto length = static_cast<unsigned char>(query[at]);
      if (!name.empty()) name += '.';
      name += query.substr(at + 1, length);
      at += 1U + length;
    }
    const std::size_t end = at + 5;
    if (end > query.size()) continue;
    const bool six = query[at + 2] == 28;
    ++questions_;
    const Reply reply = script_(name, six);
    if (reply.silent) continue;
    std::string answer = query.substr(0, end);
    answer[2] = static_cast<char>(0x81);  // a response, recursion desired
    answer[3] = static_cast<char>(0x80 | reply.code);
    answer[7] = static_cast<char>(reply.addresses.size());
    for (std::size_t i = 8; i < 12; ++i) answer[i] = 0;
    for (const std::string& literal : reply.addresses) {
      std::array<char, 16> bytes{};
      ::inet_pton(six ? AF_INET6 : AF_INET, literal.c_str(), bytes.data());
      const std::size_t length = six ? 16 : 4;
      answer += std::string{"\xC0\x0C\x00", 3} + static_cast<char>(six ? 28 : 1) +
                std::string{"\x00\x01\x00\x00\x00\x3C\x00", 7} + static_cast<char>(length) +
                std::string(bytes.data(), length);
    }
    letters.push_back({Clock::now() + delay_, std::move(answer), from});
  }
}

}  // namespace mrascheck::test

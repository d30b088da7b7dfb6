// SPDX-License-Identifier: Apache-2.0
// A peer on 127.0.0.1 that does with each connection what a test tells it, below and beside any protocol.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace mrascheck::test {

class RawPeer {
 public:
  /// One connection, on a thread of its own.
  class Talk {
   public:
    Talk(int fd, int ended) : fd_(fd), ended_(ended) {}
    /// What comes next; empty when the other side has closed or reset, or the test is over.
    std::string receive();
    void send(std::string_view bytes);
    /// One TLS record (RFC 8446, 5.1) taken whole, header included; empty at the end.
    std::string receive_record();
    /// Holds the connection without a word until the other side closes, or the test is over.
    void stay_silent();
    /// Ends it with RST (SO_LINGER 0).
    void reset();
    /// Sends FIN; what the other side says can still be received.
    void half_close();
    /// The socket, for those who wait for more than this one.
    int descriptor() const { return fd_; }

   private:
    int fd_;
    int ended_;
    std::string unread_;
  };
  using Script = std::function<void(Talk&)>;

  /// Listens on a free port of `address` (a literal of 127.0.0.0/8). The connection is closed when `script` returns.
  explicit RawPeer(Script script, const std::string& address = "127.0.0.1");
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer();

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void serve();

  Script script_;
  std::uint16_t port_ = 0;  // before the socket, which sets it
  int listener_ = -1;
  int ended_ = -1;  ///< an eventfd: readable from the end on
  std::atomic<int> connections_ = 0;
  std::list<std::thread> talks_;  ///< touched by server_ alone until it has ended
  std::thread server_;
};

/// Never answers a connection attempt: it listens, and its backlog is full.
class FullBacklog {
 public:
  FullBacklog();
  FullBacklog(const FullBacklog&) = delete;
  FullBacklog& operator=(const FullBacklog&) = delete;
  ~FullBacklog();
  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::list<int> fillers_;
};

/// A port of 127.0.0.1 that is bound and not listened on: whoever connects is refused.
class RefusingPort {
 public:
  RefusingPort();
  RefusingPort(const RefusingPort&) = delete;
  RefusingPort& operator=(const RefusingPort&) = delete;
  ~RefusingPort();
  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  int fd_ = -1;
};

}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
// A farm of mutual-TLS servers on loopback that answer the SERVICE, for handshakes.cpp: mrascheck-bench-farm DIRECTORY,
// with the words "ADDRESS BEHAVIOUR" on standard input, a line each, and an empty line. It prints "ADDRESS PORT" of
// each in the same order. After that, every further line is answered with the handshakes that were completed and the
// requests that were answered whole since the last one; the end of input ends it.
//
// DIRECTORY has edge.pem (the server's certificate and what is sent behind it), edge.key, root.pem (which clients must
// chain to) and stranger.pem (of the server that refuses them all). Nothing of the program's own code is in here.
//   good      answers
//   tarpit    takes the connection and never says a word
//   full      does not take it: its backlog is full
//   mute      shakes hands and is silent
//   half      answers with half an answer
//   refuse    has a port on which nothing listens
//   reset     resets the connection at the first byte
//   reject    refuses the client's certificate
//   endless   shakes hands and sends without end
//   drip      shakes hands and answers with a byte every 50 ms
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <vector>

namespace {

std::atomic<long> shaken{0};
std::atomic<long> answered{0};

enum class Behaviour { good, tarpit, full, mute, half, refuse, reset, reject, endless, drip };

Behaviour behaviour_of(std::string_view word) {
  constexpr std::array<std::string_view, 10> words{"good",   "tarpit", "full",   "mute",    "half",
                                                   "refuse", "reset",  "reject", "endless", "drip"};
  const auto* const found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) throw std::runtime_error("no such behaviour: " + std::string{word});
  return static_cast<Behaviour>(found - words.begin());
}

/// What is watched: a listener, or a connection to it.
struct Watched {
  int fd = -1;
  Behaviour behaviour = Behaviour::good;
  bool listener = false;
  SSL* ssl = nullptr;
  bool through = false;
  std::string in;
  std::string out;
  std::size_t sent = 0;
  std::string kept_back;  // drip
};

std::string field(std::string_view message, std::string_view name) {
  const std::size_t at = message.find("\r\n" + std::string{name} + ":");
  if (at == std::string_view::npos) return {};
  return std::string{message.substr(at + 2, message.find("\r\n", at + 2) - at)};
}

std::string attribute(std::string_view xml, std::string_view name) {
  const std::size_t at = xml.find(" " + std::string{name} + "=\"");
  if (at == std::string_view::npos) return {};
  const std::size_t value = at + name.size() + 3;
  return std::string{xml.substr(value, xml.find('"', value) - value)};
}

/// What grants a request that is whole; empty before.
std::string answer_to(std::string_view request) {
  const std::size_t end = request.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  const std::string length = field(request, "Content-Length");
  const std::size_t size = length.empty() ? 0 : static_cast<std::size_t>(std::atol(length.c_str() + 15));
  if (request.size() < end + 4 + size) return {};
  const std::string_view body = request.substr(end + 4, size);
  const std::string grant =
      "<?xml version=\"1.0\"?>\r\n<response xmlns=\"http://schemas.microsoft.com/2006/09/sip/mrasp\" requestID=\"" +
      attribute(body, "requestID") + "\" version=\"" + attribute(body, "version") + "\" serverVersion=\"2.0\" to=\"" +
      attribute(body, "to") + "\" from=\"" + attribute(body, "from") +
      "\" reasonPhrase=\"OK\"><credentialsResponse credentialsRequestID=\"" + attribute(body, "credentialsRequestID") +
      "\"><credentials><username>AAECAwQFBgc=</username><password>CAkKCwwNDg8=</password><duration>480</duration>"
      "</credentials><mediaRelayList><mediaRelay><location>intranet</location><hostName>edge.contoso.example</hostName>"
      "<udpPort>3478</udpPort><tcpPort>443</tcpPort></mediaRelay></mediaRelayList></credentialsResponse></response>";
  return "SIP/2.0 200 OK\r\n" + field(request, "Via") + field(request, "From") + field(request, "To") +
         field(request, "Call-ID") + field(request, "CSeq") +
         "Content-Type: application/msrtc-media-relay-auth+xml\r\nServer: RTC/6.0\r\nContent-Length: " +
         std::to_string(grant.size()) + "\r\n\r\n" + grant;
}

/// One thread, with OpenSSL's things for itself: two threads that share a library context hinder each other.
class Hall {
 public:
  explicit Hall(const std::string& directory)
      : library_(OSSL_LIB_CTX_new()),
        ordinary_(context(directory, "/root.pem")),
        strict_(context(directory, "/stranger.pem")),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        ticks_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
    const itimerspec every{{0, 50'000'000}, {0, 50'000'000}};
    ::timerfd_settime(ticks_, 0, &every, nullptr);
  }

  void add_listener(int fd, Behaviour behaviour) {
    auto listener = std::make_unique<Watched>();
    listener->fd = fd;
    listener->behaviour = behaviour;
    listener->listener = true;
    watch(listener.get(), EPOLLIN);
    listeners_.push_back(std::move(listener));
  }

  void serve() {
    epoll_event clock{};
    clock.events = EPOLLIN;
    bool ticking = false;
    std::array<epoll_event, 128> events{};
    for (;;) {
      if (!slow_.empty() && !ticking) {
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, ticks_, &clock);
        ticking = true;
      }
      const int count = ::epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        auto* const one = static_cast<Watched*>(events.at(static_cast<std::size_t>(i)).data.ptr);
        if (one == nullptr) {
          tick();
        } else if (one->listener) {
          accept_all(*one);
        } else if (!go_on(*one)) {
          forget(one);
        }
      }
    }
  }

 private:
  SSL_CTX* context(const std::string& directory, const std::string& trusted) const {
    SSL_CTX* const made = SSL_CTX_new_ex(library_, nullptr, TLS_server_method());
    if (made == nullptr || SSL_CTX_use_certificate_chain_file(made, (directory + "/edge.pem").c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(made, (directory + "/edge.key").c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_load_verify_locations(made, (directory + trusted).c_str(), nullptr) != 1)
      throw std::runtime_error("no TLS server of what is in " + directory);
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_mode(made, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                               SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    return made;
  }

  void watch(Watched* one, std::uint32_t what) const {
    epoll_event event{};
    event.events = what;
    event.data.ptr = one;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, one->fd, &event);
  }

  void accept_all(const Watched& listener) {
    for (;;) {
      const int fd = ::accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      auto* const one = new Watched;
      one->fd = fd;
      one->behaviour = listener.behaviour;
      if (one->behaviour != Behaviour::tarpit && one->behaviour != Behaviour::reset) {
        one->ssl = SSL_new(one->behaviour == Behaviour::reject ? strict_ : ordinary_);
        SSL_set_fd(one->ssl, fd);
        SSL_set_accept_state(one->ssl);
      }
      watch(one, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    }
  }

  void forget(Watched* one) {
    slow_.erase(one);
    if (one->ssl != nullptr) SSL_free(one->ssl);
    ::close(one->fd);
    delete one;
  }

  /// False when it is over.
  bool go_on(Watched& one) {
    std::array<char, 16'384> buffer{};
    if (one.ssl == nullptr) {
      const ssize_t got = ::recv(one.fd, buffer.data(), buffer.size(), 0);
      if (got < 0) return errno == EAGAIN;
      if (one.behaviour == Behaviour::tarpit) return got > 0;
      const linger at_once{1, 0};
      ::setsockopt(one.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      return false;
    }
    ERR_clear_error();
    if (!one.through) {
      const int result = SSL_do_handshake(one.ssl);
      if (result != 1) return waits(one, result);
      one.through = true;
      ++shaken;
      if (one.behaviour == Behaviour::endless) slow_.insert(&one);
    }
    for (;;) {
      const int result = flush(one);
      if (result <= 0) return waits(one, result);
      const int got = SSL_read(one.ssl, buffer.data(), buffer.size());
      if (got <= 0) return waits(one, got);
      if (one.behaviour == Behaviour::endless) continue;
      one.in.append(buffer.data(), static_cast<std::size_t>(got));
      if (one.behaviour == Behaviour::mute) continue;
      std::string answer = answer_to(one.in);
      if (answer.empty()) continue;
      one.in.clear();
      if (one.behaviour == Behaviour::half) answer.resize(answer.size() / 2);
      if (one.behaviour == Behaviour::good) ++answered;
      (one.behaviour == Behaviour::drip ? one.kept_back : one.out) += answer;
      if (one.behaviour == Behaviour::drip) slow_.insert(&one);
    }
  }

  static bool waits(const Watched& one, int result) {
    const int why = SSL_get_error(one.ssl, result);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
  }

  /// What SSL_write says at last; 1 when all is sent.
  static int flush(Watched& one) {
    while (one.sent < one.out.size()) {
      const int result = SSL_write(one.ssl, one.out.data() + one.sent, static_cast<int>(one.out.size() - one.sent));
      if (result <= 0) return result;
      one.sent += static_cast<std::size_t>(result);
    }
    one.out.clear();
    one.sent = 0;
    return 1;
  }

  /// Every 50 ms: the next byte of an answer, or as much as fits of what never ends.
  void tick() {
    constexpr std::size_t at_a_time = std::size_t{1} << 20U;
    std::uint64_t ticks = 0;
    if (::read(ticks_, &ticks, sizeof ticks) != sizeof ticks) return;
    for (Watched* const one : slow_) {
      if (one->behaviour == Behaviour::endless && one->out.empty()) one->out.assign(at_a_time, 'x');
      if (!one->kept_back.empty()) {
        one->out += one->kept_back.front();
        one->kept_back.erase(0, 1);
      }
      ERR_clear_error();
      flush(*one);
    }
  }

  OSSL_LIB_CTX* library_;
  SSL_CTX* ordinary_;
  SSL_CTX* strict_;
  int epoll_;
  int ticks_;
  std::vector<std::unique_ptr<Watched>> listeners_;
  std::unordered_set<Watched*> slow_;
};

sockaddr_in any_port_of(const std::string& address) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  if (::inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1) throw std::runtime_error("no address: " + address);
  return where;
}

/// Bound, and listening unless nothing is to.
int open_port(const std::string& address, Behaviour behaviour, int& port) {
  sockaddr_in where = any_port_of(address);
  socklen_t size = sizeof where;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&where), size) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size) != 0)
    throw std::runtime_error("no port of " + address);
  port = ntohs(where.sin_port);
  if (behaviour == Behaviour::refuse) return fd;
  if (::listen(fd, behaviour == Behaviour::full ? 0 : 4096) != 0) throw std::runtime_error("cannot listen");
  if (behaviour != Behaviour::full) return fd;
  for (int i = 0; i < 3; ++i) {  // one more than such a backlog holds; they stay
    const int filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (::connect(filler, reinterpret_cast<sockaddr*>(&where), size) != 0 && errno != EINPROGRESS)
      throw std::runtime_error("cannot fill a backlog");
  }
  return fd;
}

void run(const std::string& directory) {
  ::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);

  std::array<Hall, 2> halls{Hall(directory), Hall(directory)};
  std::string ports;
  std::size_t next = 0;
  for (std::string line; std::getline(std::cin, line) && !line.empty();) {
    const std::size_t space = line.find(' ');
    const Behaviour behaviour = behaviour_of(std::string_view{line}.substr(std::min(space + 1, line.size())));
    const std::string address = line.substr(0, space);
    int port = 0;
    const int fd = open_port(address, behaviour, port);
    if (behaviour != Behaviour::refuse && behaviour != Behaviour::full)
      halls.at(next++ % halls.size()).add_listener(fd, behaviour);
    ports += address + " " + std::to_string(port) + "\n";
  }
  for (Hall& hall : halls) std::thread([&hall] { hall.serve(); }).detach();
  std::cout << ports << std::flush;
  for (std::string line; std::getline(std::cin, line);)
    std::cout << shaken.exchange(0) << " " << answered.exchange(0) << std::endl;
  std::_Exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw std::runtime_error("give a directory");
    run(argv[1]);
  } catch (const std::exception& problem) {
    std::cerr << "farm: " << problem.what() << '\n';
  }
  return 1;
}

// SPDX-License-Identifier: Apache-2.0
// The floor of handshakes.cpp: a bare client with none of the program's own code. mrascheck-bench-dialler DIRECTORY
// TARGETS reads "ADDRESS PORT" a line from the file TARGETS, shakes hands with each over mutual TLS as fe.pem, verifies
// the chain against root.pem and the name, sends a SERVICE, reads the answer to its end, and keeps nothing. One thread,
// one SSL_CTX, 64 connections at a time. Prints how many said 200 OK.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t at_once = 64;
constexpr const char* server = "edge.contoso.example";

struct Target {
  sockaddr_in where{};
};

struct Call {
  int fd = -1;
  SSL* ssl = nullptr;
  bool through = false;
  std::string answer;
};

std::string service_request(std::size_t number) {
  const std::string id = std::to_string(number);
  const std::string body =
      "<?xml version=\"1.0\"?>\r\n<request xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
      "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns=\"http://schemas.microsoft.com/2006/09/sip/mrasp\" "
      "requestID=\"" +
      id + "\" version=\"3.0\" to=\"sip:" + server +
      "\" from=\"sip:probe@contoso.example\"><credentialsRequest "
      "credentialsRequestID=\"" +
      id +
      "\"><identity>sip:probe@contoso.example</identity><location>intranet</location><duration>480</duration>"
      "</credentialsRequest></request>";
  return "SERVICE sip:" + std::string{server} +
         ":5062;grid SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:40000;branch=z9hG4bK7A1B2C3D." + id +
         "\r\nMax-Forwards: 69\r\nFrom: <sip:probe@contoso.example>;tag=0123456789;epid=0123456789\r\nTo: <sip:" +
         server + ">\r\nCall-ID: " + id +
         "a84b4c76e66710\r\nCSeq: 1 SERVICE\r\nContact: <sip:fe.contoso.example:40000;transport=tls>\r\n"
         "Content-Type: application/msrtc-media-relay-auth+xml\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

bool whole(std::string_view answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string_view::npos) return false;
  const std::size_t at = answer.find("Content-Length: ");
  if (at == std::string_view::npos || at > end) return false;
  return answer.size() >= end + 4 + static_cast<std::size_t>(std::atol(answer.data() + at + 16));
}

class Dialler {
 public:
  explicit Dialler(const std::string& directory)
      : context_(SSL_CTX_new(TLS_client_method())), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (context_ == nullptr || SSL_CTX_use_certificate_chain_file(context_, (directory + "/fe.pem").c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context_, (directory + "/fe.key").c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_load_verify_locations(context_, (directory + "/root.pem").c_str(), nullptr) != 1)
      throw std::runtime_error("no TLS client of what is in " + directory);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context_, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  }

  std::size_t dial(const std::vector<Target>& targets) {
    std::array<epoll_event, 64> events{};
    while (begun_ < targets.size() || open_ > 0) {
      while (begun_ < targets.size() && open_ < at_once) begin(targets[begun_]);
      const int count = ::epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        auto* const call = static_cast<Call*>(events.at(static_cast<std::size_t>(i)).data.ptr);
        if (!go_on(*call)) end(call);
      }
    }
    return good_;
  }

 private:
  void begin(const Target& target) {
    auto* const call = new Call;
    call->fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(call->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(call->fd, reinterpret_cast<const sockaddr*>(&target.where), sizeof target.where) != 0 &&
        errno != EINPROGRESS)
      throw std::runtime_error("cannot connect");
    call->ssl = SSL_new(context_);
    SSL_set_fd(call->ssl, call->fd);
    SSL_set_connect_state(call->ssl);
    SSL_set_tlsext_host_name(call->ssl, server);
    SSL_set1_host(call->ssl, server);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = call;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, call->fd, &event);
    ++begun_;
    ++open_;
  }

  /// False when it is over.
  bool go_on(Call& call) {
    if (!call.through) {
      const int result = SSL_do_handshake(call.ssl);
      if (result != 1) return waits(call, result);
      call.through = true;
      const std::string request = service_request(begun_);
      if (SSL_write(call.ssl, request.data(), static_cast<int>(request.size())) <= 0) return false;
    }
    std::array<char, 16'384> buffer;  // NOLINT: SSL_read fills it
    for (;;) {
      const int got = SSL_read(call.ssl, buffer.data(), buffer.size());
      if (got <= 0) return waits(call, got);
      call.answer.append(buffer.data(), static_cast<std::size_t>(got));
      if (!whole(call.answer)) continue;
      if (call.answer.starts_with("SIP/2.0 200 ")) ++good_;
      SSL_shutdown(call.ssl);
      return false;
    }
  }

  static bool waits(const Call& call, int result) {
    const int why = SSL_get_error(call.ssl, result);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
  }

  void end(Call* call) {
    SSL_free(call->ssl);
    ::close(call->fd);
    delete call;
    --open_;
  }

  SSL_CTX* context_;
  int epoll_;
  std::size_t begun_ = 0;
  std::size_t open_ = 0;
  std::size_t good_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 3) throw std::runtime_error("give a directory and a file of targets");
    std::vector<Target> targets;
    std::ifstream file(argv[2]);
    std::string address;
    for (std::uint16_t port = 0; file >> address >> port;) {
      Target& target = targets.emplace_back();
      target.where.sin_family = AF_INET;
      target.where.sin_port = htons(port);
      ::inet_pton(AF_INET, address.c_str(), &target.where.sin_addr);
    }
    std::cout << Dialler(argv[1]).dial(targets) << " said 200 OK\n";
    return 0;
  } catch (const std::exception& problem) {
    std::cerr << "dialler: " << problem.what() << '\n';
    return 1;
  }
}

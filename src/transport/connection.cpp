// SPDX-License-Identifier: Apache-2.0
#include "transport/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "core/text.hpp"
#include "transport/alarm.hpp"
#include "transport/socket_ends.hpp"

namespace mrascheck::transport {

using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

struct Connection::Impl {
  explicit Impl(const asio::any_io_executor& executor) : socket(executor) {}
  Tcp::socket socket;
  Tcp::endpoint local;
  std::optional<Deadline::Clock::time_point> waited_from;  ///< since then for what is not yet read
  std::chrono::nanoseconds left_lying{0};
};

namespace {

Outcome outcome_of(const ErrorCode& code) {
  if (code == asio::error::eof) return Outcome::closed;
  switch (code.value()) {
    case ECONNREFUSED:
      return Outcome::refused;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EACCES:  // ICMPv6 "administratively prohibited"
      return Outcome::unreachable;
    case ETIMEDOUT:
      return Outcome::timed_out;
    case ECONNRESET:
    case ECONNABORTED:
      return Outcome::reset;
    case EPIPE:  // it had closed before it reset
      return Outcome::closed;
    default:
      return Outcome::local_failure;
  }
}

}  // namespace

StepEnd out_of_time(const Deadline& step) {
  return {Outcome::timed_out, 0, step.stop.stop_requested() ? "interrupted" : "no answer in time"};
}

StepEnd ended(const ErrorCode& code) {
  if (code == asio::error::eof) return {Outcome::closed, 0, "the peer closed the connection"};
  return {outcome_of(code), code.value(), printable(code.message())};
}

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

std::string Connection::local_address() const {
  return impl_->local.address().to_string();
}
std::uint16_t Connection::local_port() const {
  return impl_->local.port();
}

std::chrono::nanoseconds Connection::left_lying() const {
  return impl_->left_lying;
}

std::optional<std::chrono::microseconds> Connection::first_round_trip() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(impl_->socket.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_rtt == 0 ||
      info.tcpi_total_retrans != 0)
    return std::nullopt;
  return std::chrono::microseconds{info.tcpi_rtt};
}

struct Connecting {
  static asio::awaitable<Connected> run(std::string address, std::uint16_t port, Deadline step,
                                        std::vector<std::string> sources) {
    const auto executor = co_await asio::this_coro::executor;
    Connected connected;
    ErrorCode failed;
    const auto literal = asio::ip::make_address(address, failed);
    if (failed) {
      connected.end = {Outcome::local_failure, 0, "not an IP address: " + printable(address)};
      co_return connected;
    }
    const Tcp::endpoint endpoint(literal, port);
    auto impl = std::make_unique<Connection::Impl>(executor);
    Tcp::socket& socket = impl->socket;
    socket.open(endpoint.protocol(), failed);
    if (!failed) {
      if (auto refused = bind_to(socket, literal, sources); !refused.empty()) {
        connected.end = {Outcome::local_failure, 0, std::move(refused)};
        co_return connected;
      }
    }
    if (!failed) socket.non_blocking(true, failed);
    if (!failed) socket.set_option(Tcp::no_delay(true), failed);
    if (failed) {
      connected.end = {Outcome::local_failure, failed.value(), "no socket: " + printable(failed.message())};
      co_return connected;
    }
    {
      const Alarm alarm(executor, step, [&socket] {
        ErrorCode ignored;
        socket.cancel(ignored);
      });
      if (alarm.rang()) {
        connected.end = out_of_time(step);
        co_return connected;
      }
      const auto [code] = co_await socket.async_connect(endpoint, waiting);
      if (code == asio::error::operation_aborted) {
        connected.end = out_of_time(step);
      } else if (code) {
        connected.end = ended(code);
      }
    }
    if (!connected.end.ok()) co_return connected;
    impl->local = socket.local_endpoint(failed);
    const int on = 1;
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    connected.connection = Connection(std::move(impl));
    co_return connected;
  }
};

asio::awaitable<Connected> connect(std::string address, std::uint16_t port, Deadline step,
                                   std::vector<std::string> sources) {
  return Connecting::run(std::move(address), port, std::move(step), std::move(sources));
}

asio::awaitable<StepEnd> Connection::send(Bytes bytes, Deadline step) {
  Tcp::socket& socket = impl_->socket;
  const Alarm alarm(socket.get_executor(), step, [&socket] {
    ErrorCode ignored;
    socket.cancel(ignored);
  });
  while (!bytes.empty()) {
    ErrorCode failed;
    const std::size_t sent = socket.write_some(asio::buffer(bytes.data(), bytes.size()), failed);
    bytes = bytes.subspan(sent);
    if (!failed) continue;
    if (!would_block(failed)) co_return ended(failed);
    if (alarm.rang()) co_return out_of_time(step);
    const auto [code] = co_await socket.async_wait(Tcp::socket::wait_write, waiting);
    if (code && code != asio::error::operation_aborted) co_return ended(code);
  }
  co_return StepEnd{};
}

/// A peer that has sent its session tickets and joins small segments (RFC 896) keeps the answer back until they are
/// acknowledged, which the kernel otherwise puts off by 40 ms. tcp(7): the option is not permanent.
static void acknowledge_at_once(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

/// When the last byte of what was read arrived, by the clock of the day (socket(7), SO_TIMESTAMPNS); nothing when the
/// kernel does not say.
static std::optional<timespec> arrival(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec at{};
    std::memcpy(&at, CMSG_DATA(part), sizeof at);
    return at;
  }
  return std::nullopt;
}

/// The clock of the day may be set meanwhile: never longer than was waited at all.
static std::chrono::nanoseconds lying_since(const timespec& arrived, Deadline::Clock::time_point waited_from) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto lay =
      std::chrono::seconds(now.tv_sec - arrived.tv_sec) + std::chrono::nanoseconds(now.tv_nsec - arrived.tv_nsec);
  return std::clamp<std::chrono::nanoseconds>(lay, std::chrono::nanoseconds{0}, Deadline::Clock::now() - waited_from);
}

StepEnd Connection::receive_arrived(ByteString& into) {
  std::array<std::uint8_t, 16'384> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): recvmsg fills it
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec))> control{};
  iovec where{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &where;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(impl_->socket.native_handle(), &message, 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    const ErrorCode failed(errno, boost::system::system_category());
    if (would_block(failed)) return {Outcome::timed_out, 0, "nothing arrived"};
    return ended(failed);
  }
  if (got == 0) return ended(asio::error::eof);
  if (impl_->waited_from) {
    if (const auto arrived = arrival(message)) impl_->left_lying += lying_since(*arrived, *impl_->waited_from);
    impl_->waited_from.reset();
  }
  into.insert(into.end(), buffer.begin(), buffer.begin() + got);
  return {};
}

asio::awaitable<StepEnd> Connection::receive(ByteString& into, Deadline step) {
  Tcp::socket& socket = impl_->socket;
  const Alarm alarm(socket.get_executor(), step, [&socket] {
    ErrorCode ignored;
    socket.cancel(ignored);
  });
  for (;;) {
    // Read before looking at the clock: what arrived while this machine was busy has arrived in time.
    const StepEnd end = receive_arrived(into);
    if (end.outcome != Outcome::timed_out || end.error != 0) co_return end;
    if (alarm.rang()) co_return out_of_time(step);
    acknowledge_at_once(socket.native_handle());
    impl_->waited_from = Deadline::Clock::now();
    const auto [code] = co_await socket.async_wait(Tcp::socket::wait_read, waiting);
    if (code && code != asio::error::operation_aborted) co_return ended(code);
  }
}

void Connection::send_if_possible(Bytes bytes) {
  ErrorCode ignored;
  impl_->socket.write_some(asio::buffer(bytes.data(), bytes.size()), ignored);
}

}  // namespace mrascheck::transport

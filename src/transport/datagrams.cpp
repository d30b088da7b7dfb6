// SPDX-License-Identifier: Apache-2.0
#include "transport/datagrams.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/udp.hpp>
#include <utility>

#include "core/text.hpp"
#include "transport/alarm.hpp"
#include "transport/socket_ends.hpp"

namespace mrascheck::transport {

using Udp = asio::ip::udp;

struct Datagrams::Impl {
  explicit Impl(const asio::any_io_executor& executor) : socket(executor) {}
  Udp::socket socket;
};

static constexpr std::size_t largest_datagram = 65'536;

Datagrams::Datagrams(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Datagrams::Datagrams(Datagrams&&) noexcept = default;
Datagrams& Datagrams::operator=(Datagrams&&) noexcept = default;
Datagrams::~Datagrams() = default;

OpenedDatagrams open_datagrams(const asio::any_io_executor& executor, const std::string& address, std::uint16_t port,
                               const std::vector<std::string>& sources) {
  OpenedDatagrams opened;
  boost::system::error_code failed;
  const auto literal = asio::ip::make_address(address, failed);
  if (failed) {
    opened.end = {Outcome::local_failure, 0, "not an IP address: " + printable(address)};
    return opened;
  }
  auto impl = std::make_unique<Datagrams::Impl>(executor);
  impl->socket.open(literal.is_v6() ? Udp::v6() : Udp::v4(), failed);
  if (!failed) impl->socket.non_blocking(true, failed);
  if (failed) {
    opened.end = {Outcome::local_failure, failed.value(), "no socket: " + printable(failed.message())};
    return opened;
  }
  if (auto refused = bind_to(impl->socket, literal, sources); !refused.empty()) {
    opened.end = {Outcome::local_failure, 0, std::move(refused)};
    return opened;
  }
  impl->socket.connect({literal, port}, failed);
  if (failed) {
    opened.end = ended(failed);
    return opened;
  }
  opened.datagrams = Datagrams(std::move(impl));
  return opened;
}

StepEnd Datagrams::turn_to(const std::string& address, std::uint16_t port) {
  boost::system::error_code failed;
  const auto literal = asio::ip::make_address(address, failed);
  if (failed) return {Outcome::local_failure, 0, "not an IP address: " + printable(address)};
  impl_->socket.connect({literal, port}, failed);
  return failed ? ended(failed) : StepEnd{};
}

StepEnd Datagrams::send(Bytes datagram) {
  boost::system::error_code failed;
  impl_->socket.send(asio::buffer(datagram.data(), datagram.size()), 0, failed);
  if (!failed || would_block(failed)) return {};  // a full queue loses it, as the network may
  return ended(failed);
}

asio::awaitable<StepEnd> Datagrams::receive(ByteString& into, Deadline step) {
  Udp::socket& socket = impl_->socket;
  const Alarm alarm(socket.get_executor(), step, [&socket] {
    boost::system::error_code ignored;
    socket.cancel(ignored);
  });
  for (;;) {
    into.resize(largest_datagram);
    boost::system::error_code failed;
    const std::size_t got = socket.receive(asio::buffer(into), 0, failed);
    into.resize(failed ? 0 : got);
    if (!failed) co_return StepEnd{};
    if (!would_block(failed)) co_return ended(failed);
    if (alarm.rang()) co_return out_of_time(step);
    const auto [code] = co_await socket.async_wait(Udp::socket::wait_read, waiting);
    if (code && code != asio::error::operation_aborted) co_return ended(code);
  }
}

}  // namespace mrascheck::transport

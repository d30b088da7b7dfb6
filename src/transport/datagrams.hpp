// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/deadline.hpp"
#include "transport/connection.hpp"

namespace mrascheck::transport {

/// UDP with one peer at a time: what others send is not seen, and the ICMP errors of ours are (RFC 1122, 4.1.3.3), as
/// refused or unreachable of the next step.
class Datagrams {
 public:
  Datagrams(Datagrams&&) noexcept;
  Datagrams& operator=(Datagrams&&) noexcept;
  ~Datagrams();

  StepEnd send(Bytes datagram);
  /// The next one, instead of what was in `into`. timed_out when its time is over.
  asio::awaitable<StepEnd> receive(ByteString& into, Deadline step);
  /// From now on the peer is another one, of the same family; our own port stays.
  StepEnd turn_to(const std::string& address, std::uint16_t port);

 private:
  friend struct OpenedDatagrams open_datagrams(const asio::any_io_executor&, const std::string&, std::uint16_t,
                                               const std::vector<std::string>&);
  struct Impl;
  explicit Datagrams(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct OpenedDatagrams {
  StepEnd end;
  std::optional<Datagrams> datagrams;  ///< there exactly when end.ok()
};

/// As connect(): `address` is a literal, and so are `sources`. Nothing is sent.
OpenedDatagrams open_datagrams(const asio::any_io_executor& executor, const std::string& address, std::uint16_t port,
                               const std::vector<std::string>& sources = {});

}  // namespace mrascheck::transport

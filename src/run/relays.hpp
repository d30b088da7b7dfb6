// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/deadline.hpp"
#include "core/handshake.hpp"
#include "core/relay.hpp"
#include "run/slots.hpp"
#include "sources/handshake.hpp"
#include "transport/loop.hpp"

namespace mrascheck::run {

/// Looks at the relays that MRAS' answers name, as soon as an answer is there: what it granted is in memory until the
/// last of these looks has ended, and no longer. On the loop's thread, which must not outlive it while something runs.
class Relays {
 public:
  static constexpr unsigned most_at_once = 16;

  struct Setting {
    const Config* config = nullptr;
    std::vector<std::string> name_servers;
    Deadline deadline;
    std::function<void()> began;                          ///< with each relay that is to be looked at
    std::function<void(const std::string& relay)> ended;  ///< as often
  };
  Relays(transport::Loop& loop, Setting setting);

  /// Begins with the relays of all answers that `handshake` brought, each with the credentials of the first answer that
  /// names it.
  void want(const Handshake& handshake, std::vector<sources::RelayGrant> grants);
  /// There is nothing to come to a relay with; `handshake` says only whose link it is.
  void not_asked(const Handshake& handshake, std::string why);
  /// At the end of all time: what waits for its turn need not wait.
  void hurry();
  std::vector<RelayLook> take() { return std::move(looks_); }

 private:
  using Task = boost::asio::awaitable<void>;
  using Credentials = std::shared_ptr<const RelayCredentials>;
  struct Host {
    explicit Host(transport::Loop& loop) : ready(loop) {}
    transport::Gate ready;
    std::vector<std::string> addresses;
    RelayOutcome outcome = RelayOutcome::local_failure;  ///< where there is no address
    std::string why;
  };
  Task look_at(RelayLook about, MediaRelay relay, Credentials credentials);
  Task knock(RelayLook about, Credentials credentials, std::shared_ptr<std::size_t> open);
  boost::asio::awaitable<const Host*> host_of(std::string name);
  std::vector<std::string> configured_addresses(const std::string& name) const;

  transport::Loop& loop_;
  Setting setting_;
  Slots at_once_;
  std::map<std::string, Host> hosts_;  ///< by lower case
  std::vector<RelayLook> looks_;
};

}  // namespace mrascheck::run

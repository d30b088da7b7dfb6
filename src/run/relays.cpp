// SPDX-License-Identifier: Apache-2.0
#include "run/relays.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "core/text.hpp"
#include "sources/relay.hpp"
#include "transport/resolve.hpp"

namespace mrascheck::run {

Relays::Relays(transport::Loop& loop, Setting setting)
    : loop_(loop),
      setting_(std::move(setting)),
      at_once_(loop, std::min(setting_.config->limits.parallel, unsigned{most_at_once})) {}

void Relays::hurry() {
  at_once_.lift();
}

static RelayLook about(const Handshake& handshake) {
  RelayLook look;
  look.from = handshake.from;
  look.to = handshake.to;
  look.link_port = handshake.port;
  look.granted_at = handshake.address;
  return look;
}

void Relays::not_asked(const Handshake& handshake, std::string why) {
  RelayLook look = about(handshake);
  look.outcome = RelayOutcome::not_asked;
  look.detail = std::move(why);
  looks_.push_back(std::move(look));
}

void Relays::want(const Handshake& handshake, std::vector<sources::RelayGrant> grants) {
  // Those of the intranet and of the internet may be the same.
  std::set<std::tuple<std::string, std::optional<std::uint16_t>, std::optional<std::uint16_t>>> known;
  std::size_t left_out = 0;
  for (sources::RelayGrant& grant : grants) {
    const auto shared = std::make_shared<const RelayCredentials>(std::move(grant.credentials));
    for (const MediaRelay& relay : grant.relays) {
      if (!known.insert({to_lower(relay.host), relay.udp_port, relay.tcp_port}).second) continue;
      if (known.size() > sources::most_relays) {
        ++left_out;
        continue;
      }
      RelayLook look = about(handshake);
      look.relay = relay.host;
      setting_.began();
      loop_.spawn(look_at(std::move(look), relay, shared));
    }
  }
  if (known.empty()) not_asked(handshake, "the answer names no relay");
  if (left_out > 0) {
    not_asked(handshake, fmt::format("{} more than the {} that are looked at of one answer", count(left_out, "relay"),
                                     sources::most_relays));
  }
}

/// The configuration's word on a name: that of a server, or of a pool, whose members stand behind it.
std::vector<std::string> Relays::configured_addresses(const std::string& name) const {
  const Config& config = *setting_.config;
  for (const auto& [known, addresses] : config.resolve) {
    if (equals_ignoring_case(known, name)) return addresses;
  }
  std::vector<std::string> addresses;
  for (const Server& server : config.site.servers) {
    if (!equals_ignoring_case(server.name, name) && !equals_ignoring_case(server.resolved_name(), name) &&
        !equals_ignoring_case(server.pool, name))
      continue;
    addresses.insert(addresses.end(), server.addresses.begin(), server.addresses.end());
  }
  return addresses;
}

boost::asio::awaitable<const Relays::Host*> Relays::host_of(std::string name) {
  const auto [place, first] = hosts_.try_emplace(to_lower(name), loop_);
  Host& host = place->second;
  if (!first) {
    co_await host.ready.opened();
    co_return &host;
  }
  const Config& config = *setting_.config;
  if (const auto given = configured_addresses(name); !given.empty()) {
    host.addresses = transport::literals(given, config.family);
    if (host.addresses.empty()) {
      host.outcome = RelayOutcome::not_asked;
      host.why = "none of its configured addresses is of the family that was asked for";
    }
  } else {
    const transport::NameServers servers{config.family, setting_.name_servers};
    const transport::Resolved found =
        co_await transport::resolve(name, servers, setting_.deadline.within(config.limits.step));
    host.addresses = found.record.addresses;
    // Only a name server's word is the relay's fault; silence is nobody's.
    host.outcome =
        found.answer == transport::Answer::not_found ? RelayOutcome::name_not_found : RelayOutcome::local_failure;
    host.why = found.record.error.empty() ? "it has no address" : found.record.error;
  }
  host.ready.open();
  co_return &host;
}

Relays::Task Relays::look_at(RelayLook about, MediaRelay relay, Credentials credentials) {
  const Host* host = co_await host_of(relay.host);
  const auto doors = sources::doors_of(relay);
  std::vector<RelayLook> wanted;
  for (std::size_t i = 0; i < std::min(host->addresses.size(), sources::most_relay_addresses); ++i) {
    for (const sources::RelayDoor& door : doors) {
      RelayLook& look = wanted.emplace_back(about);
      look.address = host->addresses[i];
      look.port = door.port;
      look.transport = door.transport;
    }
  }
  if (host->addresses.empty()) {
    about.outcome = host->outcome;
    about.detail = host->why;
    looks_.push_back(about);
  } else if (host->addresses.size() > sources::most_relay_addresses) {
    about.outcome = RelayOutcome::not_asked;
    about.detail =
        fmt::format("{} addresses, of which {} are looked at", host->addresses.size(), sources::most_relay_addresses);
    looks_.push_back(about);
  }
  if (wanted.empty()) {
    setting_.ended("relay " + relay.host);
    co_return;
  }
  const auto open = std::make_shared<std::size_t>(wanted.size());
  for (RelayLook& look : wanted) loop_.spawn(knock(std::move(look), credentials, open));
}

Relays::Task Relays::knock(RelayLook about, Credentials credentials, std::shared_ptr<std::size_t> open) {
  co_await at_once_.taken();
  const std::string name = "relay " + about.relay;
  sources::RelayProbe probe;
  probe.look = std::move(about);
  probe.credentials = std::move(credentials);
  probe.step = setting_.config->limits.step;
  probe.sources = setting_.config->network.sources;
  RelayLook seen = co_await sources::look_at_relay(std::move(probe), setting_.deadline);
  looks_.push_back(std::move(seen));
  at_once_.give_back();
  if (--*open == 0) setting_.ended(name);
}

}  // namespace mrascheck::run

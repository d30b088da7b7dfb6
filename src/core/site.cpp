// SPDX-License-Identifier: Apache-2.0
#include "core/site.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace mrascheck {
namespace {

constexpr std::array<Metric, 7> known_metrics{{
    {"expiry", "days", "days left before a certificate in use expires"},
    {"lifetime", "%", "how much of the validity of a certificate in use is over"},
    {"connect-time", "s", "time until the TCP connection stood"},
    {"tls-time", "s", "time of the TLS handshake"},
    {"mras-time", "s", "time from the SERVICE to its final answer"},
    {"relay-time", "s", "time from the first Allocate to a relay until it gave the allocation"},
    {"clock-difference", "s", "how far the clock of a server is ahead of ours"},
}};

}  // namespace

std::string_view to_string(StoreKind kind) {
  switch (kind) {
    case StoreKind::intermediate:
      return "intermediate";
    case StoreKind::root:
      return "root";
    case StoreKind::ntauth:
      return "ntauth";
    case StoreKind::enrollment:
      return "enrollment";
    case StoreKind::disallowed:
      return "disallowed";
    case StoreKind::mixed:
      return "mixed";
  }
  return "mixed";
}

std::string_view to_string(Role role) {
  return role == Role::edge ? "edge" : "front-end";
}

std::string_view to_string(Service service) {
  switch (service) {
    case Service::mras:
      return "mras";
    case Service::sip:
      return "sip";
    case Service::tls:
      return "tls";
  }
  return "tls";
}

std::string_view to_string(Expectation expectation) {
  return expectation == Expectation::accept ? "accept" : "refuse";
}

std::string_view to_string(ChainMode mode) {
  return mode == ChainMode::as_given ? "file" : "stores";
}

std::string_view to_string(RevocationMode mode) {
  return mode == RevocationMode::soft ? "soft" : "hard";
}

std::string_view to_string(MrasLocation location) {
  switch (location) {
    case MrasLocation::intranet:
      return "intranet";
    case MrasLocation::internet:
      return "internet";
    case MrasLocation::both:
      return "both";
  }
  return "both";
}

std::string_view to_string(Profile profile) {
  switch (profile) {
    case Profile::ocs2007r2:
      return "ocs2007r2";
    case Profile::lync2010:
      return "lync2010";
    case Profile::lync2013:
      return "lync2013";
    case Profile::sfb:
      return "sfb";
  }
  return "lync2010";
}

std::string_view to_string(TlsVersion version) {
  switch (version) {
    case TlsVersion::tls_1_0:
      return "TLSv1";
    case TlsVersion::tls_1_1:
      return "TLSv1.1";
    case TlsVersion::tls_1_2:
      return "TLSv1.2";
    case TlsVersion::tls_1_3:
      return "TLSv1.3";
  }
  return "TLSv1.3";
}

std::string to_string(const TlsRange& range) {
  if (range.min == range.max) return std::string{to_string(range.min)};
  return fmt::format("{} to {}", to_string(range.min), to_string(range.max));
}

std::string Link::id() const {
  return fmt::format("{} -> {}:{}", from, to, port);
}

Thresholds Policy::of(const std::string& metric) const {
  const auto found = thresholds.find(metric);
  return found == thresholds.end() ? Thresholds{} : found->second;
}

Policy Policy::defaults() {
  const double endless = parse_range("30:").value().end;
  return {{{"expiry", {Range{30, endless, false}, Range{10, endless, false}}},
           {"clock-difference", {Range{-60, 60, false}, std::nullopt}}}};
}

std::span<const Metric> metrics() {
  return known_metrics;
}

bool Site::stranger(std::string_view client) const {
  bool refused = false;
  for (const Link& link : links) {
    if (link.expect == Expectation::accept && (link.from == client || link.to == client)) return false;
    if (link.expect == Expectation::refuse && link.to == client) return false;
    refused = refused || (link.expect == Expectation::refuse && link.from == client);
  }
  return refused;
}

const Server* Site::server(std::string_view wanted) const {
  const auto found = std::find_if(servers.begin(), servers.end(),
                                  [&](const Server& s) { return equals_ignoring_case(s.name, wanted); });
  return found == servers.end() ? nullptr : &*found;
}

const StoreSpec* Site::store(std::string_view wanted) const {
  const auto found = std::find_if(stores.begin(), stores.end(), [&](const StoreSpec& s) { return s.name == wanted; });
  return found == stores.end() ? nullptr : &*found;
}

std::vector<const Server*> Site::members(std::string_view pool) const {
  std::vector<const Server*> found;
  for (const Server& candidate : servers) {
    if (equals_ignoring_case(candidate.name, pool) ||
        (!candidate.pool.empty() && equals_ignoring_case(candidate.pool, pool))) {
      found.push_back(&candidate);
    }
  }
  return found;
}

Profile Site::profile_of(const Link& link) const {
  if (link.profile) return *link.profile;
  const Server* client = server(link.from);
  if (client != nullptr && client->profile) return *client->profile;
  return mras.profile.value_or(Profile::lync2010);
}

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "core/relay.hpp"

#include <fmt/format.h>

namespace mrascheck {

std::string_view to_string(RelayTransport transport) {
  return transport == RelayTransport::udp ? "udp" : "tcp";
}

std::string_view to_string(RelayDialect dialect) {
  return dialect == RelayDialect::ms_turn ? "ms-turn" : "turn";
}

std::string_view to_string(RelayOutcome outcome) {
  switch (outcome) {
    case RelayOutcome::accepted:
      return "accepted";
    case RelayOutcome::credentials_rejected:
      return "credentials-rejected";
    case RelayOutcome::error:
      return "error";
    case RelayOutcome::not_a_relay:
      return "not-a-relay";
    case RelayOutcome::no_answer:
      return "no-answer";
    case RelayOutcome::refused:
      return "refused";
    case RelayOutcome::unreachable:
      return "unreachable";
    case RelayOutcome::closed:
      return "closed";
    case RelayOutcome::name_not_found:
      return "name-not-found";
    case RelayOutcome::not_asked:
      return "not-asked";
    case RelayOutcome::local_failure:
      return "local-failure";
  }
  return "local-failure";
}

std::string RelayLook::endpoint() const {
  if (address.empty()) return relay;
  const bool v6 = address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}/{}", v6 ? "[" : "", address, v6 ? "]" : "", port, to_string(transport));
}

std::string RelayLook::id() const {
  if (relay.empty()) return fmt::format("relays of {}", to);
  return address.empty() ? relay : fmt::format("{} ({})", relay, endpoint());
}

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/secret.hpp"

namespace mrascheck {

/// What MRAS granted, as it stood in its answer: base64. In memory only, from the answer to the end of the looks at the
/// relays; no evidence, no text of an error holds anything of it.
struct RelayCredentials {
  Secret username;
  Secret password;
};

enum class RelayTransport { udp, tcp };
enum class RelayDialect {
  ms_turn,   ///< [MS-TURN]: what these clients and Edges speak
  standard,  ///< RFC 8656 with long-term credentials
};

/// How a look at one address of a relay ended.
enum class RelayOutcome {
  accepted,              ///< it gave an allocation for the credentials
  credentials_rejected,  ///< it answered, and takes them for wrong: error_code, error_text
  error,                 ///< it answered with another error of TURN
  not_a_relay,           ///< what answered speaks no TURN: detail says what it was
  no_answer,             ///< nothing came in time
  refused,               ///< nothing listens there
  unreachable,           ///< no route
  closed,                ///< the connection was closed or reset without an answer
  name_not_found,        ///< the relay's name has no address
  not_asked,             ///< there were no credentials to come with, or it was one relay too many
  local_failure,         ///< our own means failed, or the run ended before the step's time did
};

std::string_view to_string(RelayTransport transport);  ///< "udp", "tcp"
std::string_view to_string(RelayDialect dialect);      ///< "ms-turn", "turn"
std::string_view to_string(RelayOutcome outcome);      ///< "accepted", "credentials-rejected", ...

/// One address of one relay of an MRAS answer, asked for an allocation by one transport. Everything seen is kept.
struct RelayLook {
  std::string from;             ///< Server::name: whose link it was
  std::string to;               ///< Server::name: who granted the credentials
  std::uint16_t link_port = 0;  ///< of the link
  std::string granted_at;       ///< the address of `to` that granted them

  std::string relay;    ///< as the answer names it; empty when there was no answer
  std::string address;  ///< literal; empty when its name was not found, or nothing was asked
  std::uint16_t port = 0;
  RelayTransport transport = RelayTransport::udp;

  RelayDialect dialect = RelayDialect::ms_turn;  ///< the one that was understood; ms_turn when none was
  RelayOutcome outcome = RelayOutcome::local_failure;
  std::string detail;                  ///< one line, printable; may be empty
  std::optional<unsigned> error_code;  ///< of TURN: the last one that ended something, never that of the challenge
  std::string error_text;

  std::chrono::microseconds connect_time{0};   ///< tcp: until the connection stood
  std::chrono::microseconds allocate_time{0};  ///< from the first Allocate to the allocation; 0 when there is none
  std::string relayed;                         ///< the relay's own address for the client: "192.0.2.7:50123"
  std::string reflexive;                       ///< where the relay saw us
  std::optional<std::chrono::seconds> lifetime;
  bool integrity = false;        ///< the answer that gave it was signed with the password, which the relay so knew
  std::optional<bool> released;  ///< whether the allocation was given back; nothing when there was none
  std::string realm;
  std::string server;     ///< what it says it is: SOFTWARE, or "MS-Version 2"
  std::string alternate;  ///< where it sends us instead, ALTERNATE-SERVER

  std::string endpoint() const;  ///< "192.0.2.1:3478/udp"; the relay's name where there is no address
  std::string id() const;        ///< "edge.contoso.example (192.0.2.1:3478/udp)"
};

}  // namespace mrascheck

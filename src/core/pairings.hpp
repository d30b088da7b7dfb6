// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/explain.hpp"

namespace mrascheck {

/// One fault as three ways of looking at it name it: Windows by an HRESULT, OpenSSL by a verify error where it is the
/// one that checks, and TLS by the alert that the other side gets to see. That they belong together is inferred.
struct Pairing {
  std::uint32_t hresult = 0;             ///< 0: Windows has none
  std::span<const int> verify_errors;    ///< may be empty
  std::span<const std::uint8_t> alerts;  ///< may be empty
};
std::span<const Pairing> pairings();

/// What POSIX and getaddrinfo(3) call a Winsock error: "ECONNREFUSED"; empty when they do not.
std::string_view posix_name(int winsock);
/// The Winsock row of "ECONNREFUSED" or "EAI_NONAME", in any case; nothing for another word.
const Explanation* explain_posix_name(std::string_view name);

/// What the fault of a row is called elsewhere: "OpenSSL verify error 19, 18 or 20; TLS alert 48, unknown_ca"; empty
/// when nothing goes with it.
std::string counterparts(CodeKind kind, const Explanation& row);

}  // namespace mrascheck

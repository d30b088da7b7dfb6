// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace mrascheck {

/// "5.0.8308.291", as Get-CsServerPatchVersion and the Uninstall keys of the registry show it.
struct ServerVersion {
  std::array<std::uint32_t, 4> parts{};
  auto operator<=>(const ServerVersion&) const = default;  // NOLINT(modernize-use-nullptr)
};
/// Nothing for anything but four numbers with dots between.
std::optional<ServerVersion> parse_server_version(std::string_view text);

struct ServerProduct {
  std::string_view name;    ///< "Lync Server 2013"
  ServerVersion base;       ///< its first release
  std::string_view banner;  ///< what its SIP Server header says: "RTC/5.0"; two products may share one
  std::optional<UtcTime> support_ended;
};

/// Whose version it is, by its first three numbers; null when that is no product's.
const ServerProduct* product_of(const ServerVersion& version);
/// By the SIP Server header of an answer, "RTC/5.0"; null when none, or more than one, is meant.
const ServerProduct* product_of_banner(std::string_view banner);

/// "CU1, February 2013"; of a version that is in no table what is below it: "later than CU1, February 2013". Builds of
/// components differ within one update, so that a version between two of the table is nothing unusual.
std::string release_of(const ServerVersion& version);

}  // namespace mrascheck

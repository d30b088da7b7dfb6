// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// Where that is said in public: "Microsoft Learn, Get-CsServerPatchVersion"; empty where release_of() is.
std::string_view source_of(const ServerVersion& version);

/// What stands installed on a server, by its display name: "Lync Server 2013, Core Components", or as much of it as a
/// console left.
struct InstalledComponent {
  std::string name;
  std::string version;  ///< as it stands there; mostly four numbers
  friend auto operator<=>(const InstalledComponent&,
                          const InstalledComponent&) = default;  // NOLINT(modernize-use-nullptr)
};

enum class PatchSource {
  report,    ///< what Get-CsServerPatchVersion prints or reports, or any text of that form
  registry,  ///< an export of the Uninstall keys
};
std::string_view to_string(PatchSource source);  ///< "report", "registry"

/// One export of one server.
struct PatchExport {
  std::string server;  ///< Server::name
  std::string source;  ///< the file, printable
  PatchSource kind = PatchSource::report;
  std::vector<InstalledComponent> components;  ///< of the product, sorted, each once
};

/// Whether a component is of one of the products above, by its name.
bool is_of_product(std::string_view component);
/// The version of its Core Components, which tells the update (Get-InstalledLyncVersion.ps1); where an older product
/// was left beside a newer one, that of the newer. Nothing: they are not there, or have no version of four numbers.
std::optional<ServerVersion> update_level(const PatchExport& patches);

std::string to_text(const ServerVersion& version);  ///< "5.0.8308.291"

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "core/builds.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "core/text.hpp"

namespace mrascheck {
namespace {

using namespace std::chrono_literals;

constexpr UtcTime day(std::chrono::year_month_day date) {
  return UtcTime{std::chrono::sys_days{date}};
}

/// Base builds: the version numbers that the set-up of each product registers. Ends of from_support: Microsoft
/// Lifecycle, the day after the extended end date.
constexpr std::array products{
    ServerProduct{"Office Communications Server 2007 R2", {{3, 5, 6907, 0}}, "RTC/3.5", day(2019y / 1 / 9)},
    ServerProduct{"Lync Server 2010", {{4, 0, 7577, 0}}, "RTC/4.0", day(2021y / 4 / 14)},
    ServerProduct{"Lync Server 2013", {{5, 0, 8308, 0}}, "RTC/5.0", day(2023y / 4 / 12)},
    ServerProduct{"Skype for Business Server 2015", {{6, 0, 9319, 0}}, "RTC/6.0", day(2025y / 10 / 15)},
    ServerProduct{"Skype for Business Server 2019", {{7, 0, 2046, 0}}, "RTC/7.0", day(2025y / 10 / 15)},
    ServerProduct{"Skype for Business Server Subscription Edition", {{7, 0, 2046, 820}}, "RTC/7.0", std::nullopt},
};

// Where builds are named. Dates of updates: Microsoft Learn, "Updates for Skype for Business Server".
constexpr std::string_view from_client_strings =
    "pidgin-sipe, sipe-test (client strings of Office Communicator 2007 R2)";
constexpr std::string_view from_installed_lync = "Get-InstalledLyncVersion.ps1 (Hansen, Sanna)";
constexpr std::string_view from_eku = "Skype for Business Server 2015, general availability, May 2015";
constexpr std::string_view from_patch_version = "Microsoft Learn, Get-CsServerPatchVersion";
constexpr std::string_view from_hybrid = "Microsoft Learn, Plan from_hybrid connectivity";
constexpr std::string_view from_auth = "Microsoft Learn, Get-CsAuthConfig";
constexpr std::string_view from_tls_page = "Microsoft Learn, Disable TLS 1.0/1.1 in Skype for Business Server";
constexpr std::string_view from_interop = "Microsoft Learn, minimum versions for interoperability";
constexpr std::string_view from_rooms = "Microsoft Learn, Teams Rooms system accounts";
constexpr std::string_view from_client_pages = "Microsoft Learn, Skype for Business client experience";
constexpr std::string_view from_support = "Microsoft Support, OfficeDocs-Support articles on cumulative updates";
constexpr std::string_view from_kb = "Microsoft Support, KB5000675";
constexpr std::string_view from_hiez = "M. Hiez, Skype for Business Server builds, August 2025";

struct Release {
  ServerVersion version;
  std::string_view name;
  std::string_view source;
};

/// Builds of the core components. Of CU3, CU6 and CU8 of Skype for Business Server 2015 and CU18 of Lync Server 2010 no
/// public number was found.
constexpr std::array releases{
    Release{{{3, 5, 6907, 0}}, "the first release", from_client_strings},
    Release{{{4, 0, 7577, 0}}, "the first release, November 2010", from_installed_lync},
    Release{{{4, 0, 7577, 108}}, "CU1, January 2011", from_installed_lync},
    Release{{{4, 0, 7577, 137}}, "CU2, April 2011", from_installed_lync},
    Release{{{4, 0, 7577, 166}}, "CU3, July 2011", from_installed_lync},
    Release{{{4, 0, 7577, 183}}, "CU4, November 2011", from_installed_lync},
    Release{{{4, 0, 7577, 190}}, "CU5, February 2012", from_installed_lync},
    Release{{{4, 0, 7577, 199}}, "CU6, June 2012", from_installed_lync},
    Release{{{4, 0, 7577, 203}}, "CU7, October 2012", from_installed_lync},
    Release{{{4, 0, 7577, 216}}, "CU8, March 2013", from_installed_lync},
    Release{{{4, 0, 7577, 217}}, "CU9, July 2013", from_installed_lync},
    Release{{{4, 0, 7577, 223}}, "CU10, October 2013", from_installed_lync},
    Release{{{4, 0, 7577, 225}}, "CU11, January 2014", from_installed_lync},
    Release{{{4, 0, 7577, 230}}, "CU12, April 2014", from_installed_lync},
    Release{{{4, 0, 7577, 710}}, "CU15, February 2015", from_client_pages},
    Release{{{4, 0, 7577, 728}}, "CU17, April 2016", from_support},
    Release{{{5, 0, 8308, 0}}, "the first release, October 2012", from_installed_lync},
    Release{{{5, 0, 8308, 291}}, "CU1, February 2013", from_installed_lync},
    Release{{{5, 0, 8308, 420}}, "CU2, July 2013", from_installed_lync},
    Release{{{5, 0, 8308, 556}}, "CU3, October 2013", from_installed_lync},
    Release{{{5, 0, 8308, 577}}, "CU4, January 2014", from_installed_lync},
    Release{{{5, 0, 8308, 738}}, "CU5, August 2014", from_installed_lync},
    Release{{{5, 0, 8308, 815}}, "CU5 with its hotfix 2, September 2014", from_installed_lync},
    Release{{{5, 0, 8308, 834}}, "CU5 with its hotfix 6, November 2014", from_installed_lync},
    Release{{{5, 0, 8308, 857}}, "CU5 with its hotfix 7, December 2014", from_installed_lync},
    Release{{{5, 0, 8308, 887}}, "CU5 with its hotfix 9, May 2015", from_support},
    Release{{{5, 0, 8308, 920}}, "CU5 with its hotfix 10, July 2015", from_hybrid},
    Release{{{5, 0, 8308, 945}}, "CU6 with its hotfix 2, January 2016", from_support},
    Release{{{5, 0, 8308, 974}}, "CU8 with its hotfix 1, November 2016", from_support},
    Release{{{5, 0, 8308, 992}}, "CU9, July 2017", from_rooms},
    Release{{{5, 0, 8308, 1182}}, "CU10 with its hotfix 7", from_interop},
    Release{{{6, 0, 9319, 0}}, "the first release, May 2015", from_eku},
    Release{{{6, 0, 9319, 102}}, "CU1, November 2015", from_patch_version},
    Release{{{6, 0, 9319, 235}}, "CU2, March 2016", from_hybrid},
    Release{{{6, 0, 9319, 272}}, "CU4, November 2016", from_support},
    Release{{{6, 0, 9319, 281}}, "CU5, May 2017", from_rooms},
    Release{{{6, 0, 9319, 534}}, "CU7, July 2018", from_auth},
    Release{{{6, 0, 9319, 548}}, "CU9, May 2019", from_tls_page},
    Release{{{6, 0, 9319, 601}}, "the security update KB5000675", from_kb},
    Release{{{6, 0, 9319, 619}}, "CU12", from_interop},
    Release{{{6, 0, 9319, 881}}, "CU13", from_hiez},
    Release{{{7, 0, 2046, 0}}, "the first release", from_tls_page},
    Release{{{7, 0, 2046, 123}}, "CU1, June 2019", from_tls_page},
    Release{{{7, 0, 2046, 385}}, "CU6", from_interop},
    Release{{{7, 0, 2046, 553}}, "CU8", from_hiez},
    Release{{{7, 0, 2046, 820}}, "the first release", from_hiez},
};
static_assert(std::is_sorted(releases.begin(), releases.end(),
                             [](const Release& a, const Release& b) { return a.version < b.version; }));

bool of_one_generation(const ServerVersion& a, const ServerVersion& b) {
  return std::equal(a.parts.begin(), a.parts.begin() + 3, b.parts.begin());
}

const Release* release_below(const ServerVersion& version) {
  const auto next =
      std::upper_bound(releases.begin(), releases.end(), version,
                       [](const ServerVersion& v, const Release& release) { return v < release.version; });
  return next == releases.begin() || !of_one_generation((next - 1)->version, version) ? nullptr : &*(next - 1);
}

/// "Lync Server 2013, Core Components", also where a console has cut off its end: "..., Core Compo...".
bool is_core(std::string_view component) {
  static constexpr std::string_view words = "core components";
  const std::string name = to_lower(component);
  if (name.find(words) != std::string::npos) return true;
  std::string_view rest = name;
  for (const std::string_view dots : {"...", "\xE2\x80\xA6"}) {
    if (!rest.ends_with(dots)) continue;
    rest.remove_suffix(dots.size());
    const std::size_t comma = rest.rfind(", ");
    if (comma == std::string_view::npos) return false;
    rest.remove_prefix(comma + 2);
    return rest.size() >= std::string_view{"core c"}.size() && words.starts_with(rest);
  }
  return false;
}

}  // namespace

std::optional<ServerVersion> parse_server_version(std::string_view text) {
  ServerVersion version;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < version.parts.size(); ++i) {
    if (i > 0 && (at == end || *at++ != '.')) return {};
    const auto [next, error] = std::from_chars(at, end, version.parts[i]);
    if (error != std::errc{}) return {};
    at = next;
  }
  return at == end ? std::optional{version} : std::nullopt;
}

const ServerProduct* product_of(const ServerVersion& version) {
  const ServerProduct* found = nullptr;
  for (const ServerProduct& product : products) {
    if (of_one_generation(product.base, version) && product.base <= version) found = &product;
  }
  return found;
}

const ServerProduct* product_of_banner(std::string_view banner) {
  const std::string_view word = banner.substr(0, banner.find(' '));
  const ServerProduct* found = nullptr;
  for (const ServerProduct& product : products) {
    if (product.banner != word) continue;
    if (found != nullptr) return nullptr;
    found = &product;
  }
  return found;
}

std::string release_of(const ServerVersion& version) {
  const Release* const below = release_below(version);
  if (below == nullptr) return {};
  return below->version == version ? std::string{below->name} : fmt::format("later than {}", below->name);
}

std::string_view source_of(const ServerVersion& version) {
  const Release* const below = release_below(version);
  return below == nullptr ? std::string_view{} : below->source;
}

std::string_view to_string(PatchSource source) {
  return source == PatchSource::report ? "report" : "registry";
}

bool is_of_product(std::string_view component) {
  const std::string name = to_lower(component);
  const auto says = [&](std::string_view words) { return name.find(words) != std::string::npos; };
  return says("lync server") || says("skype for business server") || says("communications server");
}

std::optional<ServerVersion> update_level(const PatchExport& patches) {
  std::optional<ServerVersion> newest;
  for (const InstalledComponent& component : patches.components) {
    const auto version = parse_server_version(component.version);
    if (version && is_core(component.name) && (!newest || *newest < *version)) newest = version;
  }
  return newest;
}

std::string to_text(const ServerVersion& version) {
  return fmt::format("{}", fmt::join(version.parts, "."));
}

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "core/builds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mrascheck {
namespace {

using namespace std::chrono_literals;

constexpr UtcTime day(std::chrono::year_month_day date) {
  return UtcTime{std::chrono::sys_days{date}};
}

/// Base builds: the version numbers that the set-up of each product registers. Ends of support: Microsoft Lifecycle,
/// the day after the extended end date.
constexpr std::array products{
    ServerProduct{"Office Communications Server 2007 R2", {{3, 5, 6907, 0}}, "RTC/3.5", day(2019y / 1 / 9)},
    ServerProduct{"Lync Server 2010", {{4, 0, 7577, 0}}, "RTC/4.0", day(2021y / 4 / 14)},
    ServerProduct{"Lync Server 2013", {{5, 0, 8308, 0}}, "RTC/5.0", day(2023y / 4 / 12)},
    ServerProduct{"Skype for Business Server 2015", {{6, 0, 9319, 0}}, "RTC/6.0", day(2025y / 10 / 15)},
    ServerProduct{"Skype for Business Server 2019", {{7, 0, 2046, 0}}, "RTC/7.0", day(2025y / 10 / 15)},
    ServerProduct{"Skype for Business Server Subscription Edition", {{7, 0, 2046, 820}}, "RTC/7.0", std::nullopt},
};

struct Release {
  ServerVersion version;
  std::string_view name;
};

/// Builds of the core components. Sources: Get-InstalledLyncVersion.ps1 (Lync Server 2010 and 2013 up to December
/// 2014); Microsoft Learn: "Updates for Skype for Business Server" (names and dates), Get-CsServerPatchVersion (.102),
/// "Plan hybrid connectivity" (.235, .920), Get-CsAuthConfig (.534), "Disable TLS 1.0/1.1" (.548, 2019 .123), minimum
/// versions for interoperability (.619, .385, .1182), room systems (.992, .281), client experience (.710, .857),
/// support articles (.728, .887, .945, .974, .272).
constexpr std::array releases{
    Release{{{3, 5, 6907, 0}}, "the first release"},
    Release{{{4, 0, 7577, 0}}, "the first release, November 2010"},
    Release{{{4, 0, 7577, 108}}, "CU1, January 2011"},
    Release{{{4, 0, 7577, 137}}, "CU2, April 2011"},
    Release{{{4, 0, 7577, 166}}, "CU3, July 2011"},
    Release{{{4, 0, 7577, 183}}, "CU4, November 2011"},
    Release{{{4, 0, 7577, 190}}, "CU5, February 2012"},
    Release{{{4, 0, 7577, 199}}, "CU6, June 2012"},
    Release{{{4, 0, 7577, 203}}, "CU7, October 2012"},
    Release{{{4, 0, 7577, 216}}, "CU8, March 2013"},
    Release{{{4, 0, 7577, 217}}, "CU9, July 2013"},
    Release{{{4, 0, 7577, 223}}, "CU10, October 2013"},
    Release{{{4, 0, 7577, 225}}, "CU11, January 2014"},
    Release{{{4, 0, 7577, 230}}, "CU12, April 2014"},
    Release{{{4, 0, 7577, 710}}, "CU15, February 2015"},
    Release{{{4, 0, 7577, 728}}, "CU17, April 2016"},
    Release{{{5, 0, 8308, 0}}, "the first release, October 2012"},
    Release{{{5, 0, 8308, 291}}, "CU1, February 2013"},
    Release{{{5, 0, 8308, 420}}, "CU2, July 2013"},
    Release{{{5, 0, 8308, 556}}, "CU3, October 2013"},
    Release{{{5, 0, 8308, 577}}, "CU4, January 2014"},
    Release{{{5, 0, 8308, 738}}, "CU5, August 2014"},
    Release{{{5, 0, 8308, 815}}, "CU5 with its hotfix 2, September 2014"},
    Release{{{5, 0, 8308, 834}}, "CU5 with its hotfix 6, November 2014"},
    Release{{{5, 0, 8308, 857}}, "CU5 with its hotfix 7, December 2014"},
    Release{{{5, 0, 8308, 887}}, "CU5 with its hotfix 9, May 2015"},
    Release{{{5, 0, 8308, 920}}, "CU5 with its hotfix 10, July 2015"},
    Release{{{5, 0, 8308, 945}}, "CU6 with its hotfix 2, January 2016"},
    Release{{{5, 0, 8308, 974}}, "CU8 with its hotfix 1, November 2016"},
    Release{{{5, 0, 8308, 992}}, "CU9, July 2017"},
    Release{{{5, 0, 8308, 1182}}, "CU10 with its hotfix 7"},
    Release{{{6, 0, 9319, 0}}, "the first release, May 2015"},
    Release{{{6, 0, 9319, 102}}, "CU1, November 2015"},
    Release{{{6, 0, 9319, 235}}, "CU2, March 2016"},
    Release{{{6, 0, 9319, 272}}, "CU4, November 2016"},
    Release{{{6, 0, 9319, 281}}, "CU5, May 2017"},
    Release{{{6, 0, 9319, 534}}, "CU7, July 2018"},
    Release{{{6, 0, 9319, 548}}, "CU9, May 2019"},
    Release{{{6, 0, 9319, 601}}, "the security update KB5000675"},
    Release{{{6, 0, 9319, 619}}, "CU12"},
    Release{{{6, 0, 9319, 881}}, "CU13"},
    Release{{{7, 0, 2046, 0}}, "the first release"},
    Release{{{7, 0, 2046, 123}}, "CU1, June 2019"},
    Release{{{7, 0, 2046, 385}}, "CU6"},
    Release{{{7, 0, 2046, 553}}, "CU8"},
    Release{{{7, 0, 2046, 820}}, "the first release"},
};
static_assert(std::is_sorted(releases.begin(), releases.end(),
                             [](const Release& a, const Release& b) { return a.version < b.version; }));

bool of_one_generation(const ServerVersion& a, const ServerVersion& b) {
  return std::equal(a.parts.begin(), a.parts.begin() + 3, b.parts.begin());
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
  const auto next =
      std::upper_bound(releases.begin(), releases.end(), version,
                       [](const ServerVersion& v, const Release& release) { return v < release.version; });
  if (next == releases.begin() || !of_one_generation((next - 1)->version, version)) return {};
  const Release& below = *(next - 1);
  return below.version == version ? std::string{below.name} : fmt::format("later than {}", below.name);
}

}  // namespace mrascheck

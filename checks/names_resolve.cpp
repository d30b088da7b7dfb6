// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "checks/common.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array kinds{
    FindingKind{"names-resolve.not-found", "a server's name has no address", {"RFC 1035", "4.1.1"}},
    FindingKind{"names-resolve.failed", "the name servers did not answer for a server's name", {"RFC 1035", "4.1.1"}},
};

Verdict judge(const Evidence& evidence) {
  Verdict verdict;
  for (const Resolution& resolution : evidence.resolutions) {
    ++verdict.examined;
    if (!resolution.addresses.empty()) {
      verdict.notes.push_back({resolution.name, fmt::format("{}{}", enumerate(resolution.addresses),
                                                            resolution.configured ? " (configured)" : "")});
      if (resolution.error.empty()) continue;
      Finding& half = verdict.findings.emplace_back(finding(kinds[1], Status::unknown, resolution.name));
      half.summary = fmt::format("{} could be resolved in part only: {}", resolution.name, resolution.error);
      half.remedy =
          "Check why the name servers fail for that family, then run this check again; use -4 (or -6), or list the "
          "addresses, if only one family is wanted.";
    } else if (resolution.not_found) {
      Finding& missing = verdict.findings.emplace_back(finding(kinds[0], Status::critical, resolution.name));
      missing.summary = fmt::format("{} has no address: {}", resolution.name,
                                    resolution.error.empty() ? "no such name" : resolution.error);
      missing.servers = {resolution.name};
      missing.facts.push_back("on Windows: 11001 (WSAHOST_NOT_FOUND) or 11004 (WSANO_DATA)");
      missing.remedy = fmt::format(
          "Create the A or AAAA record of {} in the internal zone that the Front Ends use, or its line in their hosts "
          "files; an "
          "Edge is usually not in the domain and registers nothing by itself.",
          resolution.name);
    } else {
      Finding& failed = verdict.findings.emplace_back(finding(kinds[1], Status::unknown, resolution.name));
      failed.summary = fmt::format("{} could not be resolved: {}", resolution.name, resolution.error);
      failed.remedy = "Check that this host can reach its name servers (/etc/resolv.conf), then run this check again.";
    }
  }
  return verdict;
}

}  // namespace

extern const Check names_resolve;
constinit const Check names_resolve{.id = "names-resolve",
                                    .title = "every server's name has an address",
                                    .needs = Needs::names,
                                    .kinds = kinds,
                                    .judge = judge};

}  // namespace mrascheck::checks

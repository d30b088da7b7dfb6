// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>

#include "core/issuers.hpp"
#include "core/report.hpp"

namespace mrascheck {

Report judge(const Evidence& evidence, std::span<const Check* const> checks) {
  Report report;
  report.site = evidence.site.name;
  report.vantage = evidence.vantage;
  report.collected_at = evidence.collected_at;
  report.gaps = evidence.gaps;
  // What a limit cut off was not looked at, for every check that looks at stores.
  for (const StoreContents& store : evidence.stores) {
    if (store.truncated.empty()) continue;
    report.gaps.push_back({Needs::stores, store.store, ErrorKind::local, "not read to its end: " + store.truncated,
                           "Raise the limit that is named (size-limit in the configuration, or the directory's own), "
                           "let this account read what is named, or give the export that is asked for, so that no "
                           "certificate is overlooked."});
  }
  report.status = Status::ok;
  bool looked_at_something = false;
  for (const Check* check : checks) {
    CheckResult& result = report.checks.emplace_back();
    result.id = check->id;
    result.title = check->title;
    result.verdict = check->judge(evidence);
    auto& findings = result.verdict.findings;
    std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
      return std::tuple{b.status, std::string_view{a.code}, std::string_view{a.about}} <
             std::tuple{a.status, std::string_view{b.code}, std::string_view{b.about}};
    });
    for (const Finding& finding : findings) result.status = worst(result.status, finding.status);
    for (std::size_t i = 0; i < report.gaps.size(); ++i) {
      if (meet(check->needs, report.gaps[i].need)) result.gaps.push_back(i);
    }
    if (!result.gaps.empty()) result.status = worst(result.status, Status::unknown);
    result.applicable = result.verdict.examined > 0 || !findings.empty() || !result.gaps.empty();
    looked_at_something = looked_at_something || result.verdict.examined > 0;
    report.status = worst(report.status, result.status);
  }
  // What a selection of checks does not say by a finding of its own: nobody's certificate is in order unseen.
  if (report.status == Status::ok) {
    constexpr auto looks_at_certificates = [](const Check* check) {
      return meet(check->needs, Needs::identities) && meet(check->needs, Needs::handshakes);
    };
    const bool certificates = std::any_of(checks.begin(), checks.end(), looks_at_certificates);
    for (const std::string& server : certificates ? unseen_servers(evidence) : std::vector<std::string>{}) {
      for (std::size_t i = 0; i < checks.size(); ++i) {
        if (!looks_at_certificates(checks[i])) continue;
        report.checks[i].gaps.push_back(report.gaps.size());
        report.checks[i].status = Status::unknown;
        report.checks[i].applicable = true;
      }
      report.gaps.push_back({Needs::handshakes, server, ErrorKind::unreachable,
                             "none of its certificates was seen: no connection got that far, and none is configured",
                             "Run all checks, without --only and --skip: they say why no connection got that far."});
    }
  }
  // A gap that no selected check needs is still something that was asked for and not seen.
  if (!report.gaps.empty() || !looked_at_something) report.status = worst(report.status, Status::unknown);
  return report;
}

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "core/rehearsal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "core/graph.hpp"

namespace mrascheck {

std::vector<UtcTime> turning_points(const Evidence& evidence, UtcTime through) {
  std::set<UtcTime> instants;
  const auto turn = [&](UtcTime instant) {
    if (instant > evidence.collected_at && instant <= through) instants.insert(instant);
  };
  const CertificateGraph graph{evidence};
  std::set<Sha256> seen;
  std::set<std::string, std::less<>> issuers;
  std::vector<CertificateRef> open{graph.live().begin(), graph.live().end()};
  while (!open.empty()) {
    const CertificateRef certificate = std::move(open.back());
    open.pop_back();
    if (!seen.insert(certificate->sha256).second) continue;
    turn(certificate->not_before);
    turn(certificate->not_after + std::chrono::seconds{1});  // RFC 5280, 4.1.2.5: notAfter itself is valid
    if (!issuers.emplace(certificate->issuer.canonical()).second) continue;
    for (const GraphEntry& issuer : graph.named(certificate->issuer)) open.push_back(issuer.certificate);
  }
  for (const StoreContents& store : evidence.stores) {
    for (const CrlEntry& entry : store.crls) {
      if (entry.crl->next_update && issuers.contains(entry.crl->issuer.canonical()))
        turn(*entry.crl->next_update + std::chrono::seconds{1});
    }
  }
  return {instants.begin(), instants.end()};
}

void add_day(Report& whole, const Report& before, const Report& day) {
  const std::string from = fmt::format("from {} on: ", to_iso8601(day.collected_at));
  std::vector<std::size_t> places(day.gaps.size());  // of day's gaps in whole's
  for (std::size_t i = 0; i < day.gaps.size(); ++i) {
    const Gap& gap = day.gaps[i];
    const auto known = std::find_if(whole.gaps.begin(), whole.gaps.end(), [&](const Gap& other) {
      return gap.need == other.need && gap.about == other.about &&
             (gap.reason == other.reason || other.reason.ends_with(" on: " + gap.reason));
    });
    places[i] = static_cast<std::size_t>(known - whole.gaps.begin());
    if (known != whole.gaps.end()) continue;
    whole.gaps.push_back(gap);
    whole.gaps.back().reason.insert(0, from);
  }
  for (std::size_t i = 0; i < day.checks.size(); ++i) {
    const CheckResult& then = day.checks[i];
    CheckResult& result = whole.checks[i];
    std::vector<Finding>& findings = result.verdict.findings;
    for (const Finding& finding : then.verdict.findings) {
      const std::vector<Finding>& known = before.checks[i].verdict.findings;
      const bool old = std::any_of(known.begin(), known.end(), [&](const Finding& other) {
        return other.code == finding.code && other.about == finding.about && other.status >= finding.status;
      });
      if (old) continue;
      findings.push_back(finding);
      findings.back().summary.insert(0, from);
    }
    std::stable_sort(findings.begin(), findings.end(),
                     [](const Finding& a, const Finding& b) { return a.status > b.status; });
    for (const std::size_t gap : then.gaps) {
      if (std::find(result.gaps.begin(), result.gaps.end(), places[gap]) == result.gaps.end())
        result.gaps.push_back(places[gap]);
    }
    result.status = worst(result.status, then.status);
    result.applicable = result.applicable || then.applicable;
    whole.status = worst(whole.status, then.status);
  }
  whole.status = worst(whole.status, day.status);
}

}  // namespace mrascheck

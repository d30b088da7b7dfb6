// SPDX-License-Identifier: Apache-2.0
#include "core/results.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace mrascheck {
namespace {

bool is_timeout(const Finding& finding, const std::set<std::string>& timed_out) {
  return finding.code == "port-reachable.timed-out" || finding.code == "handshake.timed-out" ||
         (finding.code == "mras-credentials.no-answer" && timed_out.contains(finding.about));
}

bool is_refusal(const Finding& finding) {
  return finding.code == "port-reachable.refused" || finding.code == "handshake.reset";
}

bool is_of_source(const Gap& gap) {
  return gap.need == Needs::stores && (gap.kind == ErrorKind::unreachable || gap.kind == ErrorKind::timed_out);
}

/// Worst first again, as judging leaves them; the new place of each.
std::vector<std::size_t> sort_again(std::vector<Finding>& findings) {
  std::vector<std::size_t> order(findings.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple{findings[b].status, std::string_view{findings[a].code}, std::string_view{findings[a].about}} <
           std::tuple{findings[a].status, std::string_view{findings[b].code}, std::string_view{findings[b].about}};
  });
  std::vector<Finding> sorted;
  std::vector<std::size_t> place(findings.size());
  for (const std::size_t i : order) {
    place[i] = sorted.size();
    sorted.push_back(std::move(findings[i]));
  }
  findings = std::move(sorted);
  return place;
}

}  // namespace

void regrade(const Results& results, const Evidence& evidence, Report& report) {
  if (!results.timeout && !results.refused && !results.source) return;
  std::set<std::string> timed_out;
  for (const Handshake& handshake : evidence.handshakes) {
    if (handshake.outcome == Outcome::timed_out) timed_out.insert(handshake.id());
  }
  for (Gap& gap : report.gaps) {
    if (results.source && is_of_source(gap)) gap.status = *results.source;
  }
  std::vector<std::vector<std::size_t>> places;
  report.status = Status::ok;
  bool looked_at_something = false;
  for (CheckResult& check : report.checks) {
    check.status = Status::ok;
    for (Finding& finding : check.verdict.findings) {
      if (results.timeout && is_timeout(finding, timed_out)) finding.status = *results.timeout;
      if (results.refused && is_refusal(finding)) finding.status = *results.refused;
      check.status = worst(check.status, finding.status);
    }
    for (const std::size_t gap : check.gaps) check.status = worst(check.status, report.gaps[gap].status);
    report.status = worst(report.status, check.status);
    looked_at_something = looked_at_something || check.verdict.examined > 0;
    places.push_back(sort_again(check.verdict.findings));
  }
  for (const Gap& gap : report.gaps) report.status = worst(report.status, gap.status);
  if (!looked_at_something) report.status = worst(report.status, Status::unknown);
  const auto move_to = [&](FindingRef& at) { at.finding = places[at.check][at.finding]; };
  const auto status_of = [&](const FindingRef& at) {
    return report.checks[at.check].verdict.findings[at.finding].status;
  };
  for (Cause& cause : report.causes) {
    move_to(cause.root);
    cause.status = status_of(cause.root);
    for (FindingRef& at : cause.symptoms) {
      move_to(at);
      cause.status = worst(cause.status, status_of(at));
    }
    std::sort(cause.symptoms.begin(), cause.symptoms.end());
  }
  std::stable_sort(report.causes.begin(), report.causes.end(),
                   [](const Cause& a, const Cause& b) { return b.status < a.status; });
}

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/evidence.hpp"
#include "core/finding.hpp"

namespace mrascheck {

struct CheckResult {
  std::string_view id;
  std::string_view title;
  Status status = Status::ok;
  bool applicable = true;         ///< false: nothing to look at and nothing missing either; status is then ok
  Verdict verdict;                ///< findings worst first
  std::vector<std::size_t> gaps;  ///< indices into Report::gaps: unknown, because of these
};

struct Report {
  std::string site;
  std::string vantage;
  UtcTime collected_at;
  Status status = Status::unknown;
  std::vector<CheckResult> checks;  ///< in the order of checks.def
  std::vector<Gap> gaps;
};

/// Runs `checks` over `evidence`. Pure; the order of lists in `evidence` does not matter (see normalise()).
/// A check is unknown when it found nothing wrong and a gap meets its needs. The whole is unknown, never ok, when no
/// check had anything to look at.
Report judge(const Evidence& evidence, std::span<const Check* const> checks);

}  // namespace mrascheck

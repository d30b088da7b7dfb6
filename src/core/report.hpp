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

/// Report::checks[check].verdict.findings[finding]
struct FindingRef {
  std::size_t check = 0;
  std::size_t finding = 0;
  friend auto operator<=>(const FindingRef&, const FindingRef&) = default;  // NOLINT(modernize-use-nullptr)
};

/// Several findings that end together.
struct Cause {
  Status status = Status::critical;  ///< the worst of its findings
  std::string summary;  ///< "edge1 and edge2 refuse fe1, because it sends a stale Contoso Issuing CA (A1B2C3D4)"
  bool shown = true;    ///< false: likely, not proved; the summary says "probably"
  FindingRef root;      ///< whose remedy ends them; those of its code need the same where they are
  std::vector<FindingRef> symptoms;  ///< the others, in the order of the checks
};

struct Report {
  std::string site;
  std::string vantage;
  UtcTime collected_at;
  Status status = Status::unknown;
  std::vector<CheckResult> checks;  ///< in the order of checks.def
  std::vector<Cause> causes;        ///< worst first; most findings stand in none
  std::vector<Gap> gaps;
};

/// Runs `checks` over `evidence`. Pure; the order of lists in `evidence` does not matter (see normalise()).
/// A check is unknown when it found nothing wrong and a gap meets its needs. The whole is unknown, never ok, when no
/// check had anything to look at.
Report judge(const Evidence& evidence, std::span<const Check* const> checks);

}  // namespace mrascheck

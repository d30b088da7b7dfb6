// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace mrascheck {

/// A threshold range of the Monitoring Plugins Development Guidelines, "Threshold and Ranges": [@]start:end.
/// It alerts outside start..end, end points being fine; with '@' it alerts inside, end points included.
struct Range {
  double start = 0;  ///< may be -infinity
  double end = 0;    ///< may be +infinity
  bool inside = false;

  bool alerts_on(double value) const;
  friend bool operator==(const Range&, const Range&) = default;
};

/// Error: config, when `text` is not a range or start exceeds end.
Result<Range> parse_range(std::string_view text);

/// The shortest text that parse_range reads back to the same range.
std::string to_string(const Range& range);

struct Thresholds {
  std::optional<Range> warning;
  std::optional<Range> critical;
  friend bool operator==(const Thresholds&, const Thresholds&) = default;
};

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "core/range.hpp"

namespace mrascheck {

/// One performance value, Monitoring Plugins Development Guidelines, "Performance data". `label` must be unique in its
/// first 19 characters; `value` is nothing when it could not be found, which prints as U. `unit` is "", "s", "B", "%"
/// or "c".
struct Perfdata {
  std::string label;
  std::optional<double> value;
  std::string unit;
  std::optional<Range> warning;
  std::optional<Range> critical;
  std::optional<double> min;
  std::optional<double> max;
};

/// How the thresholds of a value are written. Some programs (Icinga 2) take nothing but a number.
enum class ThresholdForm {
  range,  ///< "30:"
  plain,  ///< the bound that is there, "30"; of two the upper one
  none,
};

/// 'label'=value[unit];[warn];[crit];[min];[max], quoted only when it must be, trailing semicolons dropped, never an
/// exponent and never a decimal comma.
std::string to_string(const Perfdata& perfdata, ThresholdForm form = ThresholdForm::range);

}  // namespace mrascheck

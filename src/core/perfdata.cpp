// SPDX-License-Identifier: Apache-2.0
#include "core/perfdata.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mrascheck {
namespace {

/// Fixed notation with up to six decimals, trailing zeros dropped.
std::string number(double value) {
  if (!std::isfinite(value)) return "U";
  std::string text = fmt::format("{:.6f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string in_quotes(const std::string& label) {
  std::string safe;
  for (const char c : label) safe.push_back(c == '\'' || c == '=' || static_cast<unsigned char>(c) < 0x20 ? '_' : c);
  const bool plain =
      !safe.empty() && std::all_of(safe.begin(), safe.end(), [](char c) { return c != ' ' && c != '|'; });
  return plain ? safe : "'" + safe + "'";
}

}  // namespace

std::string to_string(const Perfdata& perfdata, ThresholdForm form) {
  const auto optional_number = [](const std::optional<double>& value) {
    return value ? number(*value) : std::string{};
  };
  const auto optional_range = [&](const std::optional<Range>& range) {
    if (!range || form == ThresholdForm::none) return std::string{};
    if (form == ThresholdForm::range) return to_string(*range);
    return std::isfinite(range->end) ? number(range->end) : std::isfinite(range->start) ? number(range->start) : "";
  };
  std::string text =
      fmt::format("{}={}{};{};{};{};{}", in_quotes(perfdata.label), perfdata.value ? number(*perfdata.value) : "U",
                  perfdata.value ? perfdata.unit : "", optional_range(perfdata.warning),
                  optional_range(perfdata.critical), optional_number(perfdata.min), optional_number(perfdata.max));
  text.erase(text.find_last_not_of(';') + 1);
  return text;
}

}  // namespace mrascheck

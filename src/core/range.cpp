// SPDX-License-Identifier: Apache-2.0
#include "core/range.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace mrascheck {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

bool Range::alerts_on(double value) const {
  const bool within = start <= value && value <= end;
  return within == inside;
}

Result<Range> parse_range(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::config,
                fmt::format("'{}': not a threshold range: {} (write 10, 10:, ~:10, 10:20 or @10:20)", text, why));
  };
  Range range;
  std::string_view rest = text;
  if (!rest.empty() && rest.front() == '@') {
    range.inside = true;
    rest.remove_prefix(1);
  }
  if (rest.empty()) return refuse("nothing in it");
  const std::size_t colon = rest.find(':');
  const std::string_view start = colon == std::string_view::npos ? std::string_view{} : rest.substr(0, colon);
  const std::string_view end = colon == std::string_view::npos ? rest : rest.substr(colon + 1);
  if (start == "~") {
    range.start = -infinity;
  } else if (!start.empty()) {
    const auto number = parse_number(start);
    if (!number) return refuse(fmt::format("'{}' is not a number", start));
    range.start = *number;
  }
  if (end.empty()) {
    range.end = infinity;
  } else {
    const auto number = parse_number(end);
    if (!number) return refuse(fmt::format("'{}' is not a number", end));
    range.end = *number;
  }
  if (range.start > range.end) return refuse("its start is greater than its end");
  return range;
}

std::string to_string(const Range& range) {
  const std::string at = range.inside ? "@" : "";
  if (range.start == 0 && range.end != infinity) return fmt::format("{}{}", at, range.end);
  const std::string start = range.start == -infinity ? "~" : fmt::format("{}", range.start);
  return range.end == infinity ? fmt::format("{}{}:", at, start) : fmt::format("{}{}:{}", at, start, range.end);
}

}  // namespace mrascheck

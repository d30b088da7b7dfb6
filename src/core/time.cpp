// SPDX-License-Identifier: Apache-2.0
#include "core/time.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace mrascheck {
namespace {

/// `width` decimal digits at `at`; -1 when one of them is something else.
int number_at(std::string_view text, std::size_t at, std::size_t width) {
  int value = 0;
  for (std::size_t i = at; i < at + width; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

std::string to_date(UtcTime time) {
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                     static_cast<unsigned>(day.day()));
}

std::string to_iso8601(UtcTime time) {
  const std::chrono::hh_mm_ss clock{time - std::chrono::floor<std::chrono::days>(time)};
  return fmt::format("{}T{:02}:{:02}:{:02}Z", to_date(time), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::optional<UtcTime> parse_iso8601(std::string_view text) {
  const bool with_clock = text.size() == 20;
  if (!with_clock && text.size() != 10) return std::nullopt;
  const int year = number_at(text, 0, 4);
  const int month = number_at(text, 5, 2);
  const int day = number_at(text, 8, 2);
  if (year < 0 || month < 0 || day < 0 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  UtcTime time = std::chrono::sys_days{date};
  if (!with_clock) return time;
  const int hour = number_at(text, 11, 2);
  const int minute = number_at(text, 14, 2);
  const int second = number_at(text, 17, 2);
  if (text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z') return std::nullopt;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return std::nullopt;
  return time + std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second};
}

std::optional<UtcTime> parse_rfc1123(std::string_view text) {
  constexpr std::string_view shape = "Sat, 13 Nov 2010 23:29:00 GMT";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != shape.size() || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) return std::nullopt;
  const std::size_t month = months.find(text.substr(8, 3));
  const int number = month % 3 == 0 && month < months.size() ? static_cast<int>(month / 3) + 1 : 0;
  if (text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || number == 0) return std::nullopt;
  return parse_iso8601(
      fmt::format("{}-{:02}-{}T{}Z", text.substr(12, 4), number, text.substr(5, 2), text.substr(17, 8)));
}

long days_between(UtcTime from, UtcTime to) {
  return static_cast<long>(std::chrono::floor<std::chrono::days>(to - from).count());
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> units{
      {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0 || number > 1'000'000'000) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const auto& [name, factor] : units) {
    if (unit == name) return std::chrono::milliseconds{number * factor};
  }
  return std::nullopt;
}

}  // namespace mrascheck

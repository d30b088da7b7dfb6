// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace mrascheck {

/// Always UTC, whole seconds. The clock is read once a run, into Evidence::collected_at.
using UtcTime = std::chrono::sys_seconds;

/// "2026-11-22T09:30:00Z".
std::string to_iso8601(UtcTime time);

/// Reads what to_iso8601 writes, and a bare date "2026-11-22" as its midnight. Nothing else.
std::optional<UtcTime> parse_iso8601(std::string_view text);

/// Reads the one form of date that HTTP and SIP write today: "Sat, 13 Nov 2010 23:29:00 GMT" (RFC 3261, 20.17), the
/// day of the week unread. Nothing else.
std::optional<UtcTime> parse_rfc1123(std::string_view text);

/// "2026-11-22", for people.
std::string to_date(UtcTime time);

/// Whole days from `from` to `to`, rounded down: -1 as soon as `to` is one second before `from`.
long days_between(UtcTime from, UtcTime to);

/// "10s", "500ms", "2m", "8h", "1d"; a bare number is seconds. Nothing for anything else, negatives included.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace mrascheck

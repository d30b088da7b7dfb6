// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace mrascheck {

/// In the order in which they win: the worst of several is the greatest.
enum class Status { ok, unknown, warning, critical };

constexpr Status worst(Status a, Status b) {
  return a < b ? b : a;
}

/// Monitoring Plugins Development Guidelines, "Plugin Return Codes": OK 0, WARNING 1, CRITICAL 2, UNKNOWN 3.
constexpr int exit_code(Status status) {
  switch (status) {
    case Status::ok:
      return 0;
    case Status::warning:
      return 1;
    case Status::critical:
      return 2;
    case Status::unknown:
      return 3;
  }
  return 3;
}

/// "OK", "UNKNOWN", "WARNING", "CRITICAL".
constexpr std::string_view to_string(Status status) {
  switch (status) {
    case Status::ok:
      return "OK";
    case Status::warning:
      return "WARNING";
    case Status::critical:
      return "CRITICAL";
    case Status::unknown:
      return "UNKNOWN";
  }
  return "UNKNOWN";
}

}  // namespace mrascheck

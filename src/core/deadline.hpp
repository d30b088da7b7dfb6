// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <stop_token>

namespace mrascheck {

/// An instant by which work must be over, handed down whole: two timeouts in a row add up, two uses of one deadline do
/// not. Monotonic. `stop` asks for an end before that (SIGTERM, SIGINT).
struct Deadline {
  using Clock = std::chrono::steady_clock;

  Clock::time_point at = Clock::time_point::max();
  std::stop_token stop;

  bool over() const { return stop.stop_requested() || Clock::now() >= at; }
  /// Never negative; rounded up to whole milliseconds.
  std::chrono::milliseconds remaining() const {
    if (at == Clock::time_point::max()) return std::chrono::milliseconds::max();
    return std::max(std::chrono::milliseconds{0}, std::chrono::ceil<std::chrono::milliseconds>(at - Clock::now()));
  }
  /// The earlier of this one and `step` from now.
  Deadline within(std::chrono::milliseconds step) const { return {std::min(at, Clock::now() + step), stop}; }
};

}  // namespace mrascheck

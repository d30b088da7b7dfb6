// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "transport/loop.hpp"

namespace mrascheck::test {

template <class T>
boost::asio::awaitable<void> keep(boost::asio::awaitable<T> task, std::optional<T>& result) {
  result = co_await std::move(task);
}

/// Runs `task` on `loop` to its end; what it gave.
template <class T>
T run_on(transport::Loop& loop, boost::asio::awaitable<T> task) {
  std::optional<T> result;
  loop.spawn(keep(std::move(task), result));
  EXPECT_TRUE(loop.run_until(Deadline::Clock::now() + std::chrono::seconds(60))) << "still running after a minute";
  if (!result) throw std::runtime_error("the task did not end");
  return std::move(*result);
}

inline Deadline in(std::chrono::milliseconds time) {
  return Deadline{}.within(time);
}
inline Deadline plenty() {
  return in(std::chrono::seconds(30));
}

}  // namespace mrascheck::test

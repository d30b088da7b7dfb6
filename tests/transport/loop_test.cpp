// SPDX-License-Identifier: Apache-2.0
#include "transport/loop.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include "support/on_loop.hpp"

namespace mrascheck::transport {
namespace {

using namespace std::chrono_literals;
using Clock = Deadline::Clock;

asio::awaitable<void> pass(Gate& gate, std::vector<int>& order, int number) {
  co_await gate.opened();
  order.push_back(number);
}
asio::awaitable<void> open(Gate& gate, std::vector<int>& order) {
  order.push_back(0);
  gate.open();
  co_return;
}
asio::awaitable<void> fails() {
  co_await pause(test::in(0ms));
  throw std::runtime_error("as planned");
}

TEST(Loop, EndsWhenNothingIsLeftToDo) {
  Loop loop;
  EXPECT_TRUE(loop.run_until(Clock::now() + 30s));
}

TEST(Loop, HoldsAndEndsAtItsTime) {
  Loop loop;
  const auto hold = loop.hold();
  const auto start = Clock::now();
  EXPECT_FALSE(loop.run_until(start + 20ms));
  EXPECT_GE(Clock::now() - start, 20ms);
}

TEST(Loop, GateLetsAllPassInTheirOrder) {
  Loop loop;
  Gate gate(loop);
  std::vector<int> order;
  for (int i = 1; i <= 3; ++i) loop.spawn(pass(gate, order, i));
  loop.spawn(open(gate, order));
  EXPECT_TRUE(loop.run_until(Clock::now() + 30s));
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
  loop.spawn(pass(gate, order, 4));  // open stays open
  EXPECT_TRUE(loop.run_until(Clock::now() + 30s));
  EXPECT_EQ(order.back(), 4);
}

TEST(Loop, CourierBringsWorkFromAnotherThreadAndSurvivesTheLoop) {
  Loop::Courier courier;
  {
    Loop loop;
    courier = loop.courier();
    auto hold = loop.hold();
    std::thread::id ran;
    std::thread other([&] {
      courier([&] {
        ran = std::this_thread::get_id();
        hold.reset();
      });
    });
    EXPECT_TRUE(loop.run_until(Clock::now() + 30s));
    other.join();
    EXPECT_EQ(ran, std::this_thread::get_id());
  }
  bool done = false;
  courier([&] { done = true; });
  EXPECT_FALSE(done);
}

TEST(Loop, LeavesWhenTold) {
  Loop loop;
  const auto hold = loop.hold();
  loop.courier()([&] { loop.leave(); });
  EXPECT_FALSE(loop.run_until(Clock::now() + 30s));
}

TEST(Loop, WhatATaskThrowsComesOut) {
  Loop loop;
  loop.spawn(fails());
  EXPECT_THROW(loop.run_until(Clock::now() + 30s), std::runtime_error);
}

TEST(Loop, WaitingTasksGoWithIt) {
  std::vector<int> order;
  {
    Loop loop;
    Gate gate(loop);
    loop.spawn(pass(gate, order, 1));
    EXPECT_FALSE(loop.run_until(Clock::now() + 5ms));
  }
  EXPECT_TRUE(order.empty());
}

asio::awaitable<void> wait_for(Deadline deadline, bool& over) {
  co_await pause(deadline);
  over = true;
}

TEST(Pause, EndsByStopFromAnotherThread) {
  Loop loop;
  std::stop_source stop;
  bool over = false;
  loop.spawn(wait_for({Clock::time_point::max(), stop.get_token()}, over));
  std::thread other([&] { stop.request_stop(); });
  EXPECT_TRUE(loop.run_until(Clock::now() + 30s));
  other.join();
  EXPECT_TRUE(over);
}

}  // namespace
}  // namespace mrascheck::transport

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "core/deadline.hpp"

namespace mrascheck::transport {

namespace asio = boost::asio;

/// One thread's event loop: everything spawned runs on the thread that calls run_until(), one thing at a time.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// What `task` throws comes out of run_until().
  void spawn(asio::awaitable<void> task);
  /// How other threads hand work to this one: may be called from any thread, also when the loop is gone (it does
  /// nothing then).
  using Courier = std::function<void(std::function<void()>)>;
  Courier courier();
  /// While it lives, run_until() does not take the loop for finished. It must not outlive the loop.
  std::shared_ptr<void> hold();
  /// Runs until nothing is left to do (true), or until `at`, or until leave() (false).
  bool run_until(Deadline::Clock::time_point at);
  /// Makes run_until() return; for use on the loop's thread.
  void leave();

 private:
  friend class Gate;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Closed until opened, once. Only on the loop's thread.
class Gate {
 public:
  explicit Gate(Loop& loop);
  ~Gate();
  Gate(Gate&&) noexcept;
  Gate& operator=(Gate&&) noexcept;

  void open();
  bool is_open() const;
  /// Everybody who waits goes on when it opens, in the order of arrival, each in a turn of its own.
  asio::awaitable<void> opened();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// Lets time pass on the loop, at most until `deadline` is over.
asio::awaitable<void> pause(Deadline deadline);

}  // namespace mrascheck::transport

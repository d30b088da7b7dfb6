// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <deque>
#include <memory>

#include "transport/loop.hpp"

namespace mrascheck::run {

/// So many at a time, first come, first served. On the loop's thread.
class Slots {
 public:
  Slots(transport::Loop& loop, unsigned count) : loop_(loop), free_(std::max(1U, count)) {}

  boost::asio::awaitable<void> taken() {
    if (free_ > 0 || unlimited_) {
      if (!unlimited_) --free_;
      co_return;
    }
    const auto mine = std::make_shared<transport::Gate>(loop_);
    waiting_.push_back(mine);
    co_await mine->opened();
  }
  void give_back() {
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    waiting_.front()->open();
    waiting_.pop_front();
  }
  /// From now on there is room for all.
  void lift() {
    unlimited_ = true;
    for (const auto& gate : waiting_) gate->open();
    waiting_.clear();
  }
  bool lifted() const { return unlimited_; }
  bool anybody_waits() const { return !waiting_.empty(); }

 private:
  transport::Loop& loop_;
  unsigned free_;
  bool unlimited_ = false;
  std::deque<std::shared_ptr<transport::Gate>> waiting_;
};

}  // namespace mrascheck::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "core/deadline.hpp"

namespace mrascheck::transport {

/// What is waited for answers with its error code beside its value, and throws nothing.
constexpr auto waiting = boost::asio::as_tuple(boost::asio::use_awaitable);

/// While it lives: calls `ring` once on the loop's thread when `deadline` is over, by time or by stop. `ring` cancels
/// what is being waited for; a wait begun later must ask rang() first.
class Alarm {
 public:
  Alarm(const boost::asio::any_io_executor& executor, const Deadline& deadline, std::function<void()> ring)
      : state_(std::make_shared<State>(executor, std::move(ring))) {
    if (deadline.over()) {
      state_->rang = true;
      return;
    }
    const std::weak_ptr<State> weak = state_;
    if (deadline.at != Deadline::Clock::time_point::max()) {
      state_->timer.expires_at(deadline.at);
      state_->timer.async_wait([weak](const boost::system::error_code& failed) {
        if (!failed) go(weak);
      });
    }
    if (deadline.stop.stop_possible()) {
      stopped_.emplace(deadline.stop, [weak, executor] { boost::asio::post(executor, [weak] { go(weak); }); });
    }
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  bool rang() const { return state_->rang; }

 private:
  struct State {
    State(const boost::asio::any_io_executor& executor, std::function<void()> what)
        : timer(executor), ring(std::move(what)) {}
    boost::asio::steady_timer timer;
    std::function<void()> ring;
    bool rang = false;
  };
  static void go(const std::weak_ptr<State>& weak) {
    const auto state = weak.lock();
    if (!state || state->rang) return;
    state->rang = true;
    state->ring();
  }

  std::shared_ptr<State> state_;
  std::optional<std::stop_callback<std::function<void()>>> stopped_;
};

}  // namespace mrascheck::transport

// SPDX-License-Identifier: Apache-2.0
#include "transport/loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <mutex>
#include <utility>

#include "transport/alarm.hpp"

namespace mrascheck::transport {

namespace {
struct Mailbox {
  std::mutex mutex;
  asio::io_context* io = nullptr;  ///< nothing: the loop is gone
};
}  // namespace

struct Loop::Impl {
  Impl() { mailbox->io = &io; }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    const std::lock_guard lock(mailbox->mutex);
    mailbox->io = nullptr;
  }
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();
  asio::io_context io;
  bool left = false;
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::spawn(asio::awaitable<void> task) {
  asio::co_spawn(impl_->io, std::move(task), [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

Loop::Courier Loop::courier() {
  return [mailbox = impl_->mailbox](std::function<void()> work) {
    const std::lock_guard lock(mailbox->mutex);
    if (mailbox->io != nullptr) asio::post(*mailbox->io, std::move(work));
  };
}

std::shared_ptr<void> Loop::hold() {
  return std::make_shared<asio::executor_work_guard<asio::io_context::executor_type>>(impl_->io.get_executor());
}

bool Loop::run_until(Deadline::Clock::time_point at) {
  impl_->left = false;
  impl_->io.restart();
  impl_->io.run_until(at);
  return impl_->io.stopped() && !impl_->left;
}

void Loop::leave() {
  impl_->left = true;
  impl_->io.stop();
}

struct Gate::Impl {
  explicit Impl(asio::io_context& io) : timer(io, asio::steady_timer::time_point::max()) {}
  asio::steady_timer timer;
  bool open = false;
};

Gate::Gate(Loop& loop) : impl_(std::make_shared<Impl>(loop.impl_->io)) {}
Gate::~Gate() = default;
Gate::Gate(Gate&&) noexcept = default;
Gate& Gate::operator=(Gate&&) noexcept = default;

void Gate::open() {
  impl_->open = true;
  impl_->timer.cancel();
}

bool Gate::is_open() const {
  return impl_->open;
}

asio::awaitable<void> Gate::opened() {
  const auto alive = impl_;
  while (!alive->open) co_await alive->timer.async_wait(waiting);
}

asio::awaitable<void> pause(Deadline deadline) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer never(executor, asio::steady_timer::time_point::max());
  const Alarm alarm(executor, deadline, [&never] { never.cancel(); });
  if (!alarm.rang()) co_await never.async_wait(waiting);
}

}  // namespace mrascheck::transport

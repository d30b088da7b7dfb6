// SPDX-License-Identifier: Apache-2.0
#include "transport/connection.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <future>
#include <optional>
#include <thread>

#include "support/on_loop.hpp"
#include "support/raw_peer.hpp"

namespace mrascheck::transport {
namespace {

using test::in;
using test::plenty;
using test::RawPeer;
using test::run_on;
using namespace std::chrono_literals;

Connection connected(Loop& loop, std::uint16_t port) {
  Connected made = run_on(loop, connect("127.0.0.1", port, plenty()));
  EXPECT_TRUE(made.end.ok()) << made.end.detail;
  return std::move(*made.connection);
}

TEST(Connect, KnowsItsOwnEnd) {
  RawPeer peer([](RawPeer::Talk& talk) { talk.stay_silent(); });
  Loop loop;
  const Connection connection = connected(loop, peer.port());
  EXPECT_EQ(connection.local_address(), "127.0.0.1");
  EXPECT_NE(connection.local_port(), 0);
}

TEST(Connect, ComesFromTheSourceOfItsFamily) {
  RawPeer peer([](RawPeer::Talk& talk) { talk.stay_silent(); });
  Loop loop;
  Connected made = run_on(loop, connect("127.0.0.1", peer.port(), plenty(), {"::1", "127.0.0.9"}));
  ASSERT_TRUE(made.end.ok()) << made.end.detail;
  EXPECT_EQ(made.connection->local_address(), "127.0.0.9");
  made = run_on(loop, connect("127.0.0.1", peer.port(), plenty(), {"::1"}));
  ASSERT_TRUE(made.end.ok()) << made.end.detail;
  EXPECT_EQ(made.connection->local_address(), "127.0.0.1") << "of another family the system chooses";
}

TEST(Connect, ASourceThatIsNotThisHostsIsOurOwnFailure) {
  const test::RefusingPort port;
  Loop loop;
  const Connected made = run_on(loop, connect("127.0.0.1", port.port(), plenty(), {"192.0.2.1"}));
  EXPECT_EQ(made.end.outcome, Outcome::local_failure);
  EXPECT_EQ(made.end.detail, "not from 192.0.2.1: Cannot assign requested address");
}

TEST(Connect, Refused) {
  const test::RefusingPort port;
  Loop loop;
  const Connected made = run_on(loop, connect("127.0.0.1", port.port(), plenty()));
  EXPECT_EQ(made.end.outcome, Outcome::refused);
  EXPECT_EQ(made.end.error, ECONNREFUSED);
  EXPECT_EQ(made.end.detail, "Connection refused");
  EXPECT_FALSE(made.connection);
}

TEST(Connect, TimedOutFromItsOwnStart) {
  const test::FullBacklog mute;
  Loop loop;
  const auto start = Deadline::Clock::now();
  const Connected made = run_on(loop, connect("127.0.0.1", mute.port(), in(200ms)));
  EXPECT_EQ(made.end.outcome, Outcome::timed_out) << made.end.detail;
  EXPECT_GE(Deadline::Clock::now() - start, 200ms);
  EXPECT_LT(Deadline::Clock::now() - start, 20s);
}

TEST(Connect, StoppedFromAnotherThread) {
  const test::FullBacklog mute;
  Loop loop;
  std::stop_source stop;
  std::thread other([&] { stop.request_stop(); });
  const Connected made =
      run_on(loop, connect("127.0.0.1", mute.port(), {Deadline::Clock::now() + 50s, stop.get_token()}));
  other.join();
  EXPECT_EQ(made.end.outcome, Outcome::timed_out);
  EXPECT_EQ(made.end.detail, "interrupted");
}

TEST(Connect, NothingBeginsWhenTheDeadlineIsOver) {
  RawPeer peer([](RawPeer::Talk& talk) { talk.stay_silent(); });
  Loop loop;
  const Connected made = run_on(loop, connect("127.0.0.1", peer.port(), in(0ms)));
  EXPECT_EQ(made.end.outcome, Outcome::timed_out);
}

TEST(Connect, UnreachableIsNotRefused) {
  // The limited broadcast address (RFC 919, 7): TCP cannot get there, whatever the network here.
  Loop loop;
  const Connected made = run_on(loop, connect("255.255.255.255", 5062, plenty()));
  EXPECT_EQ(made.end.outcome, Outcome::unreachable) << made.end.detail;
}

TEST(Connect, NeedsALiteral) {
  Loop loop;
  const Connected made = run_on(loop, connect("edge1.contoso.example", 5062, plenty()));
  EXPECT_EQ(made.end.outcome, Outcome::local_failure);
  EXPECT_EQ(made.end.detail, "not an IP address: edge1.contoso.example");
}

TEST(Receive, BytesThenTheEndOfTheStream) {
  RawPeer peer([](RawPeer::Talk& talk) { talk.send("hello"); });
  Loop loop;
  Connection connection = connected(loop, peer.port());
  ByteString got;
  while (got.size() < 5) ASSERT_TRUE(run_on(loop, connection.receive(got, plenty())).ok());
  EXPECT_EQ(as_text(got), "hello");
  const StepEnd end = run_on(loop, connection.receive(got, plenty()));
  EXPECT_EQ(end.outcome, Outcome::closed);
  EXPECT_EQ(end.detail, "the peer closed the connection");
}

TEST(Receive, ResetIsNotClosed) {
  RawPeer peer([](RawPeer::Talk& talk) { talk.reset(); });
  Loop loop;
  Connection connection = connected(loop, peer.port());
  ByteString got;
  const StepEnd end = run_on(loop, connection.receive(got, plenty()));
  EXPECT_EQ(end.outcome, Outcome::reset);
  EXPECT_EQ(end.error, ECONNRESET);
}

TEST(Receive, SilenceEndsWithTheStepAndTheConnectionLivesOn) {
  std::promise<void> speak;
  RawPeer peer([&](RawPeer::Talk& talk) {
    speak.get_future().wait();
    talk.send("late");
    talk.stay_silent();
  });
  Loop loop;
  Connection connection = connected(loop, peer.port());
  ByteString got;
  EXPECT_EQ(run_on(loop, connection.receive(got, in(50ms))).outcome, Outcome::timed_out);
  speak.set_value();
  EXPECT_TRUE(run_on(loop, connection.receive(got, plenty())).ok());
  EXPECT_EQ(as_text(got), "late");
}

TEST(Receive, WhatHasArrivedCountsEvenWhenTheTimeIsOver) {
  std::promise<void> sent;
  RawPeer peer([&](RawPeer::Talk& talk) {
    talk.send("there");
    sent.set_value();
    talk.stay_silent();
  });
  Loop loop;
  Connection connection = connected(loop, peer.port());
  sent.get_future().wait();  // on loopback, what is sent has arrived
  ByteString got;
  EXPECT_TRUE(run_on(loop, connection.receive(got, in(0ms))).ok());
  EXPECT_EQ(as_text(got), "there");
}

/// Computes for somebody else from the moment on at which the peer has spoken.
asio::awaitable<void> busy(std::promise<void>& speak, std::future<void> spoken, std::chrono::milliseconds time) {
  speak.set_value();
  spoken.wait();
  const auto end = Deadline::Clock::now() + time;
  while (Deadline::Clock::now() < end) {
  }
  co_return;
}

TEST(Receive, KnowsHowLongAnAnswerLayUnread) {
  constexpr auto computing = 60ms;
  std::promise<void> speak;
  std::promise<void> spoken;
  RawPeer peer([&](RawPeer::Talk& talk) {
    speak.get_future().wait();
    talk.send("here");
    spoken.set_value();
    talk.stay_silent();
  });
  Loop loop;
  Connection connection = connected(loop, peer.port());
  EXPECT_EQ(connection.left_lying(), 0ns);
  const auto begin = Deadline::Clock::now();
  ByteString got;
  std::optional<StepEnd> end;
  loop.spawn(test::keep(connection.receive(got, plenty()), end));
  loop.spawn(busy(speak, spoken.get_future(), computing));
  EXPECT_TRUE(loop.run_until(Deadline::Clock::now() + 60s));
  ASSERT_TRUE(end && end->ok());
  EXPECT_GE(connection.left_lying(), computing);
  EXPECT_LE(connection.left_lying(), Deadline::Clock::now() - begin);
}

TEST(Connect, KnowsTheFirstRoundTrip) {
  RawPeer peer([](RawPeer::Talk& talk) { talk.stay_silent(); });
  Loop loop;
  const auto begin = Deadline::Clock::now();
  const Connection connection = connected(loop, peer.port());
  const auto time = connection.first_round_trip();
  ASSERT_TRUE(time.has_value());
  EXPECT_GT(*time, 0us);
  EXPECT_LE(*time, Deadline::Clock::now() - begin + 1ms);
}

TEST(Send, APeerThatDoesNotReadEndsInTime) {
  std::promise<void> over;
  RawPeer deaf([&](RawPeer::Talk&) { over.get_future().wait(); });
  Loop loop;
  Connection connection = connected(loop, deaf.port());
  const ByteString much(std::size_t{64} * 1024 * 1024, 'x');
  EXPECT_EQ(run_on(loop, connection.send(much, in(200ms))).outcome, Outcome::timed_out);
  over.set_value();
}

TEST(Send, AReadingPeerGetsAll) {
  constexpr std::size_t size = std::size_t{8} * 1024 * 1024;
  std::promise<std::size_t> got;
  RawPeer peer([&](RawPeer::Talk& talk) {
    std::size_t all = 0;
    for (std::string more = talk.receive(); !more.empty(); more = talk.receive()) all += more.size();
    got.set_value(all);
  });
  Loop loop;
  {
    Connection connection = connected(loop, peer.port());
    EXPECT_TRUE(run_on(loop, connection.send(ByteString(size, 'x'), plenty())).ok());
  }
  EXPECT_EQ(got.get_future().get(), size);
}

}  // namespace
}  // namespace mrascheck::transport

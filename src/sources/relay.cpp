// SPDX-License-Identifier: Apache-2.0
#include "sources/relay.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <tuple>
#include <utility>

#include "core/text.hpp"
#include "transport/connection.hpp"
#include "transport/datagrams.hpp"
#include "turn/allocation.hpp"

namespace mrascheck::sources {
namespace {

using boost::asio::awaitable;
using turn::Allocation;
using RelayClock = Deadline::Clock;
using std::chrono::milliseconds;

constexpr std::uint16_t default_udp_port = 3478;
constexpr std::uint16_t default_tcp_port = 443;
/// An allocation that is not given back ends by itself: that is not worth a whole step's wait.
constexpr milliseconds longest_release{2'000};

RelayOutcome relay_outcome(Outcome outcome) {
  switch (outcome) {
    case Outcome::refused:
      return RelayOutcome::refused;
    case Outcome::unreachable:
      return RelayOutcome::unreachable;
    case Outcome::timed_out:
      return RelayOutcome::no_answer;
    case Outcome::reset:
    case Outcome::closed:
      return RelayOutcome::closed;
    default:
      return RelayOutcome::local_failure;
  }
}

/// Whether the other dialect may have more luck.
bool not_understood(const Allocation& allocation) {
  if (allocation.understood()) return false;
  const RelayOutcome outcome = allocation.look().outcome;
  return outcome == RelayOutcome::no_answer || outcome == RelayOutcome::not_a_relay || outcome == RelayOutcome::closed;
}

class RelayAsker {
 public:
  RelayAsker(RelayProbe task, Deadline run) : task_(std::move(task)), run_(std::move(run)) {}
  awaitable<RelayLook> go();

 private:
  struct Wait {
    RelayClock::time_point began;
    milliseconds limit{};
  };
  awaitable<std::optional<Allocation>> ask(RelayDialect dialect, milliseconds patience);
  awaitable<void> by_udp(Allocation& allocation, milliseconds patience);
  awaitable<void> by_tcp(Allocation& allocation, transport::Connection& connection, milliseconds patience);
  awaitable<transport::StepEnd> next_datagram(transport::Datagrams& peer, Allocation& allocation, ByteString& into,
                                              const Deadline& until);
  awaitable<void> turn_to_alternate(transport::Datagrams& peer, Allocation& allocation);
  Wait wait_of(Allocation::State state, milliseconds patience) const;
  void end(Allocation& allocation, const transport::StepEnd& how, const Wait& wait) const;
  std::pair<RelayOutcome, std::string> words_of(const transport::StepEnd& how, const Wait& wait) const;
  void take(const RelayLook& seen);

  RelayProbe task_;
  Deadline run_;
};

RelayAsker::Wait RelayAsker::wait_of(Allocation::State state, milliseconds patience) const {
  if (state == Allocation::State::releasing) return {RelayClock::now(), std::min(task_.step, longest_release)};
  return {RelayClock::now(), state == Allocation::State::asking ? patience : task_.step};
}

/// A wait that the run's end cut short blames nobody.
std::pair<RelayOutcome, std::string> RelayAsker::words_of(const transport::StepEnd& how, const Wait& wait) const {
  if (how.outcome != Outcome::timed_out || how.error != 0) return {relay_outcome(how.outcome), how.detail};
  const auto waited = RelayClock::now() - wait.began;
  const auto seconds = [](RelayClock::duration time) {
    return fmt::format("{:g} s", std::chrono::duration<double>(std::chrono::round<milliseconds>(time)).count());
  };
  if (run_.stop.stop_requested())
    return {RelayOutcome::local_failure, fmt::format("interrupted after {}", seconds(waited))};
  if (run_.over() && waited < wait.limit) {
    return {RelayOutcome::local_failure,
            fmt::format("no answer within {}, when the run's deadline came", seconds(waited))};
  }
  return {RelayOutcome::no_answer, fmt::format("no answer within {}", seconds(wait.limit))};
}

void RelayAsker::end(Allocation& allocation, const transport::StepEnd& how, const Wait& wait) const {
  auto [outcome, detail] = words_of(how, wait);
  if (allocation.state() == Allocation::State::proving) detail = "it asked for credentials, and then: " + detail;
  allocation.end(outcome, std::move(detail));
}

/// The next datagram, with all sendings of ours that fall due meanwhile.
awaitable<transport::StepEnd> RelayAsker::next_datagram(transport::Datagrams& peer, Allocation& allocation,
                                                        ByteString& into, const Deadline& until) {
  for (;;) {
    if (ByteString output = allocation.take_output(); !output.empty()) {
      const transport::StepEnd sent = peer.send(output);
      turn::wipe(output);
      if (!sent.ok()) co_return sent;
    }
    Deadline next = until;
    if (allocation.due()) next.at = std::min(next.at, *allocation.due());
    const transport::StepEnd got = co_await peer.receive(into, next);
    if (got.ok() || got.outcome != Outcome::timed_out || got.error != 0 || until.over()) co_return got;
    allocation.tick(RelayClock::now());
  }
}

/// Over UDP the request that answers the challenge goes where the challenge says ([MS-TURN], on the Alternate Server
/// attribute): the relay's own address, as it knows it. Behind a NAT that may be one that cannot be reached from here,
/// so half of the step is enough for it, and then the address that was asked first is asked again.
awaitable<void> RelayAsker::turn_to_alternate(transport::Datagrams& peer, Allocation& allocation) {
  if (!allocation.alternate()) co_return;
  const turn::Address other = *allocation.alternate();
  boost::system::error_code failed;
  const auto there = boost::asio::ip::make_address(other.literal, failed);
  const auto here = boost::asio::ip::make_address(task_.look.address, failed);
  const bool same = there == here && other.port == task_.look.port;
  if (failed || same || there.is_v6() != here.is_v6() || there.is_unspecified() || there.is_multicast() ||
      other.port == 0)
    co_return;
  const Deadline half = run_.within(task_.step / 2);
  ByteString datagram;
  if (peer.turn_to(other.literal, other.port).ok()) {
    while (allocation.state() == Allocation::State::proving) {
      const transport::StepEnd got = co_await next_datagram(peer, allocation, datagram, half);
      if (!got.ok()) break;
      allocation.feed(datagram, RelayClock::now());
    }
  }
  if (allocation.state() != Allocation::State::proving) co_return;
  if (peer.turn_to(task_.look.address, task_.look.port).ok()) allocation.send_again(RelayClock::now());
}

awaitable<void> RelayAsker::by_udp(Allocation& allocation, milliseconds patience) {
  auto opened = transport::open_datagrams(co_await boost::asio::this_coro::executor, task_.look.address,
                                          task_.look.port, task_.sources);
  Wait wait = wait_of(allocation.state(), patience);
  if (!opened.end.ok()) {
    end(allocation, opened.end, wait);
    co_return;
  }
  Deadline until = run_.within(wait.limit);
  ByteString datagram;
  while (allocation.state() != Allocation::State::ended) {
    const transport::StepEnd got = co_await next_datagram(*opened.datagrams, allocation, datagram, until);
    if (!got.ok()) {
      end(allocation, got, wait);
      co_return;
    }
    const Allocation::State before = allocation.state();
    allocation.feed(datagram, RelayClock::now());
    if (allocation.state() == before) continue;
    if (before == Allocation::State::asking && allocation.state() == Allocation::State::proving)
      co_await turn_to_alternate(*opened.datagrams, allocation);
    wait = wait_of(allocation.state(), patience);
    until = run_.within(wait.limit);
  }
}

awaitable<void> RelayAsker::by_tcp(Allocation& allocation, transport::Connection& connection, milliseconds patience) {
  Wait wait = wait_of(allocation.state(), patience);
  Deadline until = run_.within(wait.limit);
  while (allocation.state() != Allocation::State::ended) {
    transport::StepEnd step;
    if (ByteString output = allocation.take_output(); !output.empty()) {
      step = co_await connection.send(output, until);
      turn::wipe(output);
    }
    ByteString bytes;
    if (step.ok()) step = co_await connection.receive(bytes, until);
    if (!step.ok()) {
      end(allocation, step, wait);
      co_return;
    }
    const Allocation::State before = allocation.state();
    allocation.feed(bytes, RelayClock::now());
    if (allocation.state() == before) continue;
    wait = wait_of(allocation.state(), patience);
    until = run_.within(wait.limit);
  }
}

/// Nothing where not even a connection came about; the record says why then.
awaitable<std::optional<Allocation>> RelayAsker::ask(RelayDialect dialect, milliseconds patience) {
  turn::Question question;
  question.dialect = dialect;
  question.transport = task_.look.transport;
  question.credentials = task_.credentials;
  const auto random_size = static_cast<ssize_t>(question.random.size());
  if (getrandom(question.random.data(), question.random.size(), 0) != random_size) {
    task_.look.outcome = RelayOutcome::local_failure;
    task_.look.detail = "the system gave no random numbers";
    co_return std::nullopt;
  }
  if (task_.look.transport == RelayTransport::udp) {
    Allocation allocation(std::move(question), RelayClock::now());
    co_await by_udp(allocation, patience);
    co_return allocation;
  }
  const Wait wait{RelayClock::now(), task_.step};
  transport::Connected connected =
      co_await transport::connect(task_.look.address, task_.look.port, run_.within(task_.step), task_.sources);
  if (!connected.end.ok()) {
    std::tie(task_.look.outcome, task_.look.detail) = words_of(connected.end, wait);
    co_return std::nullopt;
  }
  task_.look.connect_time =
      std::max(std::chrono::microseconds{1},
               std::chrono::duration_cast<std::chrono::microseconds>(RelayClock::now() - wait.began));
  Allocation allocation(std::move(question), RelayClock::now());
  co_await by_tcp(allocation, *connected.connection, patience);
  co_return allocation;
}

void RelayAsker::take(const RelayLook& seen) {
  RelayLook& look = task_.look;
  look.dialect = seen.dialect;
  look.outcome = seen.outcome;
  look.detail = printable(seen.detail);
  look.error_code = seen.error_code;
  look.error_text = seen.error_text;
  look.allocate_time = seen.allocate_time;
  look.relayed = seen.relayed;
  look.reflexive = seen.reflexive;
  look.lifetime = seen.lifetime;
  look.integrity = seen.integrity;
  look.released = seen.released;
  look.realm = seen.realm;
  look.server = seen.server;
  look.alternate = seen.alternate;
}

awaitable<RelayLook> RelayAsker::go() {
  if (run_.over()) {
    task_.look.outcome = RelayOutcome::local_failure;
    task_.look.detail =
        run_.stop.stop_requested() ? "interrupted before it was asked" : "not asked before the run's deadline";
    co_return std::move(task_.look);
  }
  const auto first = co_await ask(RelayDialect::ms_turn, task_.step / 2);
  if (!first) co_return std::move(task_.look);
  take(first->look());
  if (!not_understood(*first)) co_return std::move(task_.look);
  const RelayLook before = task_.look;
  const auto second = co_await ask(RelayDialect::standard, task_.step - task_.step / 2);
  if (second && (second->understood() || second->look().outcome == RelayOutcome::local_failure)) {
    take(second->look());
    co_return std::move(task_.look);
  }
  // The more telling of two answers that are none of TURN's.
  const bool second_tells =
      before.outcome == RelayOutcome::no_answer && second && second->look().outcome != RelayOutcome::no_answer;
  if (second_tells) take(second->look());
  if (!second_tells) task_.look = before;
  task_.look.dialect = RelayDialect::ms_turn;
  task_.look.detail += task_.look.outcome == RelayOutcome::no_answer ? " to MS-TURN, nor as long again to standard TURN"
                                                                     : "; it speaks neither MS-TURN nor standard TURN";
  co_return std::move(task_.look);
}

}  // namespace

std::vector<RelayDoor> doors_of(const MediaRelay& relay) {
  std::vector<RelayDoor> doors;
  const bool none = !relay.udp_port && !relay.tcp_port;
  if (relay.udp_port || none) doors.push_back({RelayTransport::udp, relay.udp_port.value_or(default_udp_port)});
  if (relay.tcp_port || none) doors.push_back({RelayTransport::tcp, relay.tcp_port.value_or(default_tcp_port)});
  return doors;
}

awaitable<RelayLook> look_at_relay(RelayProbe task, Deadline run) {
  RelayAsker asker(std::move(task), std::move(run));
  RelayLook look = co_await asker.go();
  co_return look;
}

}  // namespace mrascheck::sources

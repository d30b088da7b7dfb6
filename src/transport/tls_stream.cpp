// SPDX-License-Identifier: Apache-2.0
#include "transport/tls_stream.hpp"

#include <algorithm>

namespace mrascheck::transport {

using State = crypto::TlsEngine::State;

static StepEnd tls_closed() {
  return {Outcome::closed, 0, "the peer closed TLS (close_notify)"};
}

StepEnd TlsStream::engine_failed() const {
  if (const auto what = engine_.not_tls()) return {Outcome::not_tls, 0, *what};
  const crypto::TlsFacts facts = engine_.facts();
  const auto fatal = std::find_if(facts.alerts_received.begin(), facts.alerts_received.end(),
                                  [](const Alert& alert) { return alert.fatal; });
  if (fatal != facts.alerts_received.end()) return {Outcome::rejected_by_peer, 0, "alert " + fatal->name()};
  return {Outcome::rejected_by_us, 0, engine_.error()};
}

/// Sends what the engine has to say. Where the peer no longer listens, its last words may still wait in our socket.
asio::awaitable<StepEnd> TlsStream::flush(Deadline step) {
  const ByteString output = engine_.take_output();
  if (output.empty()) co_return StepEnd{};
  StepEnd sent = co_await connection_.send(output, step);
  if (sent.ok() || sent.outcome == Outcome::timed_out) co_return sent;
  broken_ = std::move(sent);
  drain();
  co_return *broken_;
}

void TlsStream::drain() {
  ByteString arrived;
  while (connection_.receive_arrived(arrived).ok()) {
    engine_.feed(arrived);
    arrived.clear();
    State state = engine_.handshake();
    while (state == State::ready) state = engine_.read(early_);
    if (state == State::failed) broken_ = engine_failed();
    if (state == State::closed) broken_ = tls_closed();
    if (state != State::want_bytes) return;
  }
}

asio::awaitable<StepEnd> TlsStream::handshake(Deadline step) {
  for (;;) {
    const State state = engine_.handshake();
    if (state == State::failed) {
      connection_.send_if_possible(engine_.take_output());
      co_return engine_failed();
    }
    StepEnd end = co_await flush(step);
    if (!end.ok()) co_return end;
    if (state == State::ready) co_return StepEnd{};
    if (state == State::closed) co_return tls_closed();
    ByteString arrived;
    end = co_await connection_.receive(arrived, step);
    if (!end.ok()) co_return end;
    engine_.feed(arrived);
  }
}

asio::awaitable<StepEnd> TlsStream::write(std::string_view plaintext, Deadline step) {
  if (broken_) co_return *broken_;
  if (engine_.write(plaintext) == State::failed) co_return engine_failed();
  StepEnd end = co_await flush(step);
  if (broken_ && !early_.empty()) co_return StepEnd{};  // an answer came before the end: read() has both
  co_return end;
}

asio::awaitable<StepEnd> TlsStream::read(std::string& into, Deadline step) {
  if (!early_.empty()) {
    into += early_;
    early_.clear();
    co_return StepEnd{};
  }
  if (broken_) co_return *broken_;
  for (;;) {
    const State state = engine_.read(into);
    if (state == State::ready) co_return StepEnd{};
    if (state == State::closed) co_return tls_closed();
    if (state == State::failed) {
      connection_.send_if_possible(engine_.take_output());
      co_return engine_failed();
    }
    StepEnd end = co_await flush(step);
    if (!early_.empty()) {
      into += early_;
      early_.clear();
      co_return StepEnd{};
    }
    if (!end.ok()) co_return end;
    ByteString arrived;
    end = co_await connection_.receive(arrived, step);
    if (!end.ok()) co_return end;
    engine_.feed(arrived);
  }
}

void TlsStream::close() {
  engine_.shutdown();
  connection_.send_if_possible(engine_.take_output());
}

}  // namespace mrascheck::transport

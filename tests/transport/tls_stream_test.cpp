// SPDX-License-Identifier: Apache-2.0
#include "transport/tls_stream.hpp"

#include <gtest/gtest.h>

#include <future>

#include "support/on_loop.hpp"
#include "support/raw_peer.hpp"

namespace mrascheck::transport {
namespace {

using test::in;
using test::plenty;
using test::RawPeer;
using test::run_on;
using namespace std::chrono_literals;
using namespace std::string_literals;

const std::string unknown_ca = "\x15\x03\x03\x00\x02\x02\x30"s;  // a fatal alert in the clear (RFC 8446, 6)

struct Shaken {
  StepEnd end;
  crypto::TlsFacts facts;
};

asio::awaitable<Shaken> shake(std::uint16_t port, Deadline step) {
  Connected connected = co_await connect("127.0.0.1", port, plenty());
  auto context = crypto::TlsContext::client({});
  auto engine = crypto::TlsEngine::client(*context, "edge1.contoso.example");
  TlsStream stream(std::move(*connected.connection), std::move(*engine));
  Shaken shaken;
  shaken.end = co_await stream.handshake(step);
  shaken.facts = stream.engine().facts();
  co_return shaken;
}

struct TlsStreamCase {
  const char* name;
  RawPeer::Script script;
  Outcome outcome;
  const char* detail;
};

class TlsStreamTest : public testing::TestWithParam<TlsStreamCase> {};

TEST_P(TlsStreamTest, TellsHowTheHandshakeEnded) {
  RawPeer peer(GetParam().script);
  Loop loop;
  const Shaken shaken = run_on(loop, shake(peer.port(), plenty()));
  EXPECT_EQ(shaken.end.outcome, GetParam().outcome) << shaken.end.detail;
  EXPECT_EQ(shaken.end.detail, GetParam().detail);
}

INSTANTIATE_TEST_SUITE_P(Peers, TlsStreamTest,
                         testing::Values(TlsStreamCase{"ClosesAtOnce",
                                                       [](RawPeer::Talk& talk) { talk.receive_record(); },
                                                       Outcome::closed, "the peer closed the connection"},
                                         TlsStreamCase{"Resets",
                                                       [](RawPeer::Talk& talk) {
                                                         talk.receive_record();
                                                         talk.reset();
                                                       },
                                                       Outcome::reset, "Connection reset by peer"},
                                         TlsStreamCase{"AlertThenClose",
                                                       [](RawPeer::Talk& talk) {
                                                         talk.receive_record();
                                                         talk.send(unknown_ca);
                                                       },
                                                       Outcome::rejected_by_peer, "alert unknown_ca"},
                                         TlsStreamCase{"AlertThenReset",
                                                       [](RawPeer::Talk& talk) {
                                                         talk.receive_record();
                                                         talk.send(unknown_ca);
                                                         talk.reset();
                                                       },
                                                       Outcome::rejected_by_peer, "alert unknown_ca"},
                                         TlsStreamCase{"HalfARecordThenClose",
                                                       [](RawPeer::Talk& talk) {
                                                         talk.receive_record();
                                                         talk.send("\x16\x03\x03\x01\x00\x02\x00");
                                                       },
                                                       Outcome::closed, "the peer closed the connection"},
                                         TlsStreamCase{"Http",
                                                       [](RawPeer::Talk& talk) {
                                                         talk.receive_record();
                                                         talk.send("HTTP/1.1 400 Bad Request\r\n\r\n");
                                                       },
                                                       Outcome::not_tls, "HTTP"},
                                         TlsStreamCase{"SipInTheClear",
                                                       [](RawPeer::Talk& talk) {
                                                         talk.receive_record();
                                                         talk.send("SIP/2.0 400 Bad Request\r\n\r\n");
                                                       },
                                                       Outcome::not_tls, "SIP without TLS"}),
                         [](const auto& row) { return row.param.name; });

TEST(TlsStream, ASilentPeerTakesTheStepAndNoLonger) {
  RawPeer peer([](RawPeer::Talk& talk) { talk.stay_silent(); });
  Loop loop;
  const Shaken shaken = run_on(loop, shake(peer.port(), in(100ms)));
  EXPECT_EQ(shaken.end.outcome, Outcome::timed_out);
  EXPECT_EQ(shaken.facts.version, "");
}

TEST(TlsStream, StopEndsAHandshakeThatHangs) {
  std::stop_source stop;
  RawPeer peer([&](RawPeer::Talk& talk) {
    talk.receive_record();
    stop.request_stop();
    talk.stay_silent();
  });
  Loop loop;
  const Shaken shaken = run_on(loop, shake(peer.port(), {Deadline::Clock::now() + 50s, stop.get_token()}));
  EXPECT_EQ(shaken.end.outcome, Outcome::timed_out);
  EXPECT_EQ(shaken.end.detail, "interrupted");
}

}  // namespace
}  // namespace mrascheck::transport

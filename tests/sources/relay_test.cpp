// SPDX-License-Identifier: Apache-2.0
// A look at a relay: standard TURN of coturn, MS-TURN of the lab's relay, and peers that are none.
#include "sources/relay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "support/on_loop.hpp"
#include "support/raw_peer.hpp"
#include "support/turnserver.hpp"

namespace mrascheck::sources {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string user = "AQAAIKAFwAAB4PbASfw4WaCeLzqeGsSwMBBuVHgzhjOwSDRQxVHrE+L//mLHNIoownrH8w==";
const std::string word = "Zx5lOauRTizOcZdwpuiEz0jzFBg=";

struct Knock {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  RelayTransport transport = RelayTransport::udp;
  std::chrono::milliseconds step = 20s;
  std::string password = word;
  Deadline run = test::plenty();
};

RelayLook look_at(const Knock& at) {
  RelayProbe probe;
  probe.look.relay = "edge.contoso.example";
  probe.look.address = at.address;
  probe.look.port = at.port;
  probe.look.transport = at.transport;
  auto credentials = std::make_shared<RelayCredentials>();
  credentials->username = Secret{std::string{user}};
  credentials->password = Secret{std::string{at.password}};
  probe.credentials = credentials;
  probe.step = at.step;
  transport::Loop loop;
  return test::run_on(loop, look_at_relay(std::move(probe), at.run));
}

class Transports : public testing::TestWithParam<RelayTransport> {};
INSTANTIATE_TEST_SUITE_P(Both, Transports, testing::Values(RelayTransport::udp, RelayTransport::tcp),
                         [](const auto& row) { return std::string{to_string(row.param)}; });

TEST_P(Transports, CoturnGrantsReleasesAndRejects) {
  const test::TurnServer server(user, word);
  // coturn drops MS-TURN over UDP, and resets at the ClientHello of pseudo-TLS.
  const RelayLook look = look_at({.port = server.port(), .transport = GetParam(), .step = 2s});
  EXPECT_EQ(look.outcome, RelayOutcome::accepted) << look.detail;
  EXPECT_EQ(look.dialect, RelayDialect::standard);
  EXPECT_THAT(look.relayed, StartsWith("127.0.0.1:"));
  EXPECT_THAT(look.reflexive, StartsWith("127.0.0.1:"));
  EXPECT_EQ(look.lifetime, 600s);
  EXPECT_TRUE(look.integrity);
  EXPECT_EQ(look.released, true) << look.detail;
  EXPECT_EQ(look.realm, "contoso.example");
  EXPECT_THAT(look.server, StartsWith("Coturn-"));
  EXPECT_GT(look.allocate_time, 0us);
  EXPECT_EQ(look.connect_time > 0us, GetParam() == RelayTransport::tcp);

  const RelayLook refused =
      look_at({.port = server.port(), .transport = GetParam(), .step = 2s, .password = "AAECAwQFBgc="});
  EXPECT_EQ(refused.outcome, RelayOutcome::credentials_rejected) << refused.detail;
  EXPECT_EQ(refused.error_code, 401U);
  EXPECT_EQ(refused.error_text, "Unauthorized");
  EXPECT_FALSE(refused.released);
}

struct LabCase {
  const char* name;
  const char* fault;
  RelayTransport transport;
  RelayOutcome outcome;
  const char* words;  ///< in the detail
  unsigned code = 0;
  bool integrity = false;
  int released = -1;  ///< -1: nothing to release
  std::chrono::milliseconds step = 20s;
};
constexpr auto udp = RelayTransport::udp;
constexpr auto tcp = RelayTransport::tcp;

class LabRelays : public testing::TestWithParam<LabCase> {};

TEST_P(LabRelays, AreToldApart) {
  const LabCase& c = GetParam();
  const test::LabRelay relay(user, word, c.fault);
  const RelayLook look = look_at({.address = relay.address(),
                                  .port = c.transport == udp ? relay.udp_port() : relay.tcp_port(),
                                  .transport = c.transport,
                                  .step = c.step});
  EXPECT_EQ(to_string(look.outcome), to_string(c.outcome)) << look.detail;
  EXPECT_THAT(look.detail, HasSubstr(c.words));
  EXPECT_EQ(look.error_code.value_or(0), c.code);
  EXPECT_EQ(look.integrity, c.integrity);
  EXPECT_EQ(look.released ? static_cast<int>(*look.released) : -1, c.released);
  EXPECT_EQ(look.dialect, RelayDialect::ms_turn);
  if (c.outcome == RelayOutcome::accepted) {
    EXPECT_THAT(look.relayed, StartsWith("127.0.0.11:"));
    EXPECT_THAT(look.reflexive, StartsWith("127.0.0.1:"));
    EXPECT_EQ(look.lifetime, 600s);
    EXPECT_EQ(look.server, "MS-Version 2");
  } else {
    EXPECT_EQ(look.allocate_time, 0us);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Faults, LabRelays,
    testing::Values(
        LabCase{"Well", "", udp, RelayOutcome::accepted, "", 0, true, 1},
        LabCase{"WellByTcp", "", tcp, RelayOutcome::accepted, "", 0, true, 1},
        LabCase{"Padded", "padded", udp, RelayOutcome::accepted, "", 0, true, 1},
        LabCase{"FirstDatagramLost", "drops-first", udp, RelayOutcome::accepted, "", 0, true, 1},
        LabCase{"StaleNonce", "stale-nonce", udp, RelayOutcome::accepted, "", 0, true, 1},
        LabCase{"ProofTakenElsewhere", "elsewhere", udp, RelayOutcome::accepted, "", 0, true, 1},
        LabCase{"ElsewhereCannotBeReached", "nat", udp, RelayOutcome::accepted, "", 0, true, 1, 4s},
        LabCase{"Forged", "forged", udp, RelayOutcome::accepted, "", 0, false, 1},
        LabCase{"Open", "open", udp, RelayOutcome::accepted, "", 0, false, 1},
        LabCase{"Keeps", "keeps", tcp, RelayOutcome::accepted, "not released: 437 No Binding", 0, true, 0},
        LabCase{"Unauthorized", "unauthorized", udp, RelayOutcome::credentials_rejected, "", 401},
        LabCase{"UnauthorizedByTcp", "unauthorized", tcp, RelayOutcome::credentials_rejected, "", 401},
        LabCase{"StaleCredentials", "stale-credentials", udp, RelayOutcome::credentials_rejected, "", 430},
        LabCase{"WrongIntegrity", "wrong-integrity", udp, RelayOutcome::credentials_rejected, "", 431},
        LabCase{"UnknownUser", "unknown-user", tcp, RelayOutcome::credentials_rejected, "", 436},
        LabCase{"Full", "full", udp, RelayOutcome::error, "", 300},
        LabCase{"Refuse", "refuse", udp, RelayOutcome::refused, "Connection refused"},
        LabCase{"RefuseByTcp", "refuse", tcp, RelayOutcome::refused, "Connection refused"},
        LabCase{"Silent", "silent", udp, RelayOutcome::no_answer,
                "no answer within 0.1 s to MS-TURN, nor as long again to standard TURN", 0, false, -1, 200ms},
        LabCase{"SilentByTcp", "silent", tcp, RelayOutcome::no_answer, "no answer within 0.1 s", 0, false, -1, 200ms},
        LabCase{"Web", "web", tcp, RelayOutcome::not_a_relay,
                "HTTP: HTTP/1.1 400 Bad Request; it speaks neither MS-TURN nor standard TURN"},
        LabCase{"Datagrams", "web", udp, RelayOutcome::not_a_relay, "text: what?"},
        LabCase{"RealTls", "tls", tcp, RelayOutcome::not_a_relay, "a TLS alert, handshake_failure"},
        LabCase{"CutBehindTheHello", "cut", tcp, RelayOutcome::closed, ""}),
    [](const auto& row) { return row.param.name; });

TEST(RelayLooks, WithAnotherPasswordAreRejectedByTheRelaysOwnSum) {
  const test::LabRelay relay(user, word);
  const RelayLook look = look_at({.address = relay.address(), .port = relay.udp_port(), .password = "AAECAwQFBgc="});
  EXPECT_EQ(look.outcome, RelayOutcome::credentials_rejected) << look.detail;
  EXPECT_EQ(look.error_code, 431U);
}

TEST(RelayLooks, OfAPeerThatClosesWithoutAWord) {
  const test::RawPeer peer([](test::RawPeer::Talk& talk) { talk.receive(); });
  const RelayLook look = look_at({.port = peer.port(), .transport = tcp});
  EXPECT_EQ(look.outcome, RelayOutcome::closed) << look.detail;
  EXPECT_EQ(peer.connections(), 2) << "one for each dialect";
}

TEST(RelayLooks, EndWithTheRunAndBlameNobody) {
  const test::RawPeer peer([](test::RawPeer::Talk& talk) { talk.stay_silent(); });
  for (const RelayTransport transport : {udp, tcp}) {
    const test::LabRelay silent(user, word, "silent");
    const RelayLook look = look_at({.address = silent.address(),
                                    .port = transport == udp ? silent.udp_port() : silent.tcp_port(),
                                    .transport = transport,
                                    .run = test::in(100ms)});
    EXPECT_EQ(look.outcome, RelayOutcome::local_failure);
    EXPECT_THAT(look.detail, HasSubstr("when the run's deadline came"));
  }
  const RelayLook late = look_at({.port = peer.port(), .transport = tcp, .run = test::in(0ms)});
  EXPECT_EQ(late.outcome, RelayOutcome::local_failure);
  EXPECT_EQ(late.detail, "not asked before the run's deadline");
  EXPECT_EQ(peer.connections(), 0);
}

TEST(RelayDoors, AreThoseOfTheAnswerOrTheUsualOnes) {
  const auto text = [](const MediaRelay& relay) {
    std::string all;
    for (const RelayDoor& door : doors_of(relay))
      all += std::string{to_string(door.transport)} + " " + std::to_string(door.port) + " ";
    return all;
  };
  EXPECT_EQ(text({"intranet", "edge", false, 13478, 10443}), "udp 13478 tcp 10443 ");
  EXPECT_EQ(text({"intranet", "edge", false, 3478, {}}), "udp 3478 ");
  EXPECT_EQ(text({"intranet", "edge", false, {}, 443}), "tcp 443 ");
  EXPECT_EQ(text({"intranet", "edge", false, {}, {}}), "udp 3478 tcp 443 ");
}

}  // namespace
}  // namespace mrascheck::sources

// SPDX-License-Identifier: Apache-2.0
// The exchange without socket and clock: what is sent, when, and what becomes of each answer.
#include "turn/allocation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>

#include "turn/stream.hpp"

namespace mrascheck::turn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using State = Allocation::State;

constexpr std::string_view base64_name = "AQAAIKAFwAAB4PbASfw4WaCeLzqeGsSwMBBuVHgzhjOwSDRQxVHrE+L//mLHNIoownrH8w==";
constexpr std::string_view base64_word = "Zx5lOauRTizOcZdwpuiEz0jzFBg=";

Question question(RelayDialect dialect, RelayTransport transport = RelayTransport::udp) {
  Question asked;
  asked.dialect = dialect;
  asked.transport = transport;
  auto credentials = std::make_shared<RelayCredentials>();
  credentials->username = Secret{std::string{base64_name}};
  credentials->password = Secret{std::string{base64_word}};
  asked.credentials = credentials;
  for (std::size_t i = 0; i < asked.random.size(); ++i) asked.random.at(i) = static_cast<std::uint8_t>(i);
  return asked;
}

/// A relay that answers as it is told, with keys of its own making.
class Peer {
 public:
  explicit Peer(RelayDialect dialect, RelayTransport transport = RelayTransport::udp)
      : dialect_(dialect), allocation_(question(dialect, transport), now_) {}

  Allocation& allocation() { return allocation_; }
  Message asked() {
    last_ = read_message(allocation_.take_output(), dialect_).value();
    return last_;
  }
  void say(std::uint16_t type, const std::function<void(MessageWriter&)>& fill, bool sign = false) {
    MessageWriter writer(type, last_.id, dialect_);
    fill(writer);
    if (sign) ASSERT_TRUE(writer.sign(key()));
    allocation_.feed(writer.take(), now_);
  }
  void fail(
      unsigned code, const std::function<void(MessageWriter&)>& fill = [](MessageWriter&) {},
      std::uint16_t type = type::allocate_error) {
    say(type, [&](MessageWriter& writer) {
      ByteString value = from_hex("0000");
      value.push_back(static_cast<std::uint8_t>(code / 100));
      value.push_back(static_cast<std::uint8_t>(code % 100));
      for (const char c : std::string_view{"Because"}) value.push_back(static_cast<std::uint8_t>(c));
      writer.add(attribute::error_code, value);
      fill(writer);
    });
  }
  void challenge(std::string_view nonce = "nonce") {
    fail(401, [&](MessageWriter& writer) { add_challenge(writer, nonce); });
  }
  void add_challenge(MessageWriter& writer, std::string_view nonce) const {
    const bool standard = dialect_ == RelayDialect::standard;
    writer.add(standard ? attribute::realm : attribute::ms_realm, as_bytes("contoso.example"));
    writer.add(standard ? attribute::nonce : attribute::ms_nonce, as_bytes(nonce));
  }
  void grant(bool sign = true) {
    say(
        type::allocate_success,
        [&](MessageWriter& writer) {
          const bool standard = dialect_ == RelayDialect::standard;
          writer.add(standard ? attribute::xor_relayed_address : attribute::mapped_address,
                     standard ? from_hex("0001e243e112a645") : from_hex("0001c351c0000207"));
          writer.add_number(attribute::lifetime, 600);
          if (!standard) {
            ByteString number(24, 0x77);
            std::fill(number.end() - 4, number.end(), std::uint8_t{0xff});
            writer.add(attribute::ms_sequence_number, number);
          }
        },
        sign);
  }
  void release() {
    const bool standard = dialect_ == RelayDialect::standard;
    say(
        standard ? type::refresh_success : type::allocate_success,
        [](MessageWriter& writer) { writer.add_number(attribute::lifetime, 0); }, true);
  }
  std::array<std::uint8_t, 16> key() const {
    const bool standard = dialect_ == RelayDialect::standard;
    const auto name = decode_base64(base64_name);
    const auto word = decode_base64(base64_word);
    return long_term_key(as_bytes(standard ? base64_name : name->reveal()), as_bytes("contoso.example"),
                         as_bytes(standard ? base64_word : word->reveal()))
        .value();
  }
  Deadline::Clock::time_point now() const { return now_; }

 private:
  RelayDialect dialect_;
  Deadline::Clock::time_point now_{};
  Allocation allocation_;
  Message last_;
};

class BothDialects : public testing::TestWithParam<RelayDialect> {};
INSTANTIATE_TEST_SUITE_P(Dialects, BothDialects, testing::Values(RelayDialect::ms_turn, RelayDialect::standard),
                         [](const auto& row) {
                           return std::string(row.param == RelayDialect::ms_turn ? "MsTurn" : "Standard");
                         });

TEST_P(BothDialects, AnAllocationIsAskedForProvedAndGivenBack) {
  const bool standard = GetParam() == RelayDialect::standard;
  Peer peer(GetParam());
  const Message first = peer.asked();
  EXPECT_EQ(first.type, type::allocate);
  EXPECT_FALSE(first.find(attribute::username));
  EXPECT_EQ(first.number(attribute::ms_version).has_value(), !standard);
  EXPECT_EQ(first.find(attribute::requested_transport).has_value(), standard);
  peer.challenge();
  EXPECT_EQ(peer.allocation().state(), State::proving);
  const Message proof = peer.asked();
  EXPECT_NE(proof.id, first.id);
  EXPECT_EQ(check_integrity(proof, GetParam(), peer.key()), Integrity::holds);
  EXPECT_EQ(as_text(*proof.find(attribute::username)).size(), standard ? base64_name.size() : 52U);
  peer.grant();
  EXPECT_EQ(peer.allocation().state(), State::releasing);
  const Message last = peer.asked();
  EXPECT_EQ(last.type, standard ? type::refresh : type::allocate);
  EXPECT_EQ(last.number(attribute::lifetime), 0U);
  EXPECT_EQ(check_integrity(last, GetParam(), peer.key()), Integrity::holds);
  if (!standard) {
    const auto number = last.find(attribute::ms_sequence_number);
    ASSERT_TRUE(number);
    EXPECT_EQ(to_hex(number->last(5)), "7700000000") << "counted up, and the connection's id left as it is";
  }
  peer.release();
  EXPECT_EQ(peer.allocation().state(), State::ended);
  const RelayLook& look = peer.allocation().look();
  EXPECT_EQ(look.outcome, RelayOutcome::accepted);
  EXPECT_EQ(look.relayed, "192.0.2.7:50001");
  EXPECT_EQ(look.lifetime, 600s);
  EXPECT_EQ(look.realm, "contoso.example");
  EXPECT_TRUE(look.integrity);
  EXPECT_EQ(look.released, true);
  EXPECT_GT(look.allocate_time, 0us);
}

TEST_P(BothDialects, EachNoToTheProofIsARejection) {
  for (const unsigned code : {401U, 430U, 431U, 432U, 434U, 435U, 436U, 441U}) {
    Peer peer(GetParam());
    peer.asked();
    peer.challenge();
    peer.asked();
    peer.fail(code, [&](MessageWriter& writer) { peer.add_challenge(writer, "another"); });
    const RelayLook& look = peer.allocation().look();
    EXPECT_EQ(look.outcome, RelayOutcome::credentials_rejected) << code;
    EXPECT_EQ(look.error_code, code);
    EXPECT_EQ(look.error_text, "Because");
    EXPECT_FALSE(look.released);
    EXPECT_TRUE(peer.allocation().take_output().empty());
  }
}

TEST_P(BothDialects, OtherErrorsAreNoWordOnTheCredentials) {
  for (const unsigned code : {300U, 400U, 403U, 420U, 437U, 486U, 500U, 508U, 600U}) {
    for (const bool proved : {false, true}) {
      Peer peer(GetParam());
      peer.asked();
      if (proved) {
        peer.challenge();
        peer.asked();
      }
      peer.fail(code, [&](MessageWriter& writer) {
        writer.add(GetParam() == RelayDialect::standard ? attribute::alternate_server : attribute::ms_alternate_server,
                   from_hex("00010d96c0000263"));
      });
      EXPECT_EQ(peer.allocation().look().outcome, RelayOutcome::error) << code;
      EXPECT_EQ(peer.allocation().look().error_code, code);
      EXPECT_EQ(peer.allocation().look().alternate, "192.0.2.99:3478");
    }
  }
}

TEST_P(BothDialects, AStaleNonceIsChangedForTheNewOneTwiceAtMost) {
  Peer peer(GetParam());
  peer.asked();
  peer.challenge("old");
  for (int i = 0; i < 3; ++i) {
    const Message proof = peer.asked();
    const auto nonce = proof.find(GetParam() == RelayDialect::standard ? attribute::nonce : attribute::ms_nonce);
    EXPECT_EQ(as_text(*nonce), i == 0 ? "old" : "new");
    EXPECT_EQ(peer.allocation().state(), State::proving);
    peer.fail(438, [&](MessageWriter& writer) { peer.add_challenge(writer, "new"); });
  }
  EXPECT_EQ(peer.allocation().state(), State::ended);
  EXPECT_EQ(peer.allocation().look().outcome, RelayOutcome::error);
  EXPECT_EQ(peer.allocation().look().error_code, 438U);
}

TEST_P(BothDialects, AGrantThatIsNotSignedWithThePasswordProvesNothing) {
  Peer peer(GetParam());
  peer.asked();
  peer.challenge();
  peer.asked();
  peer.grant(false);
  EXPECT_EQ(peer.allocation().look().outcome, RelayOutcome::accepted);
  EXPECT_FALSE(peer.allocation().look().integrity);
}

TEST_P(BothDialects, AGrantWithoutAChallengeIsGivenBackUnsigned) {
  Peer peer(GetParam());
  peer.asked();
  peer.grant(false);
  EXPECT_FALSE(peer.allocation().look().integrity);
  const Message last = peer.asked();
  EXPECT_EQ(last.number(attribute::lifetime), 0U);
  EXPECT_FALSE(last.find(attribute::username));
}

TEST_P(BothDialects, WhatIsNotReleasedIsToldAndStaysAccepted) {
  Peer peer(GetParam());
  peer.asked();
  peer.challenge();
  peer.asked();
  peer.grant();
  peer.asked();
  peer.fail(
      437, [](MessageWriter&) {}, GetParam() == RelayDialect::standard ? type::refresh_error : type::allocate_error);
  EXPECT_EQ(peer.allocation().look().outcome, RelayOutcome::accepted);
  EXPECT_EQ(peer.allocation().look().released, false);
  EXPECT_EQ(peer.allocation().look().detail, "not released: 437 Because");
}

TEST_P(BothDialects, AChallengeThatNobodyCanAnswerIsNone) {
  Peer peer(GetParam());
  peer.asked();
  peer.fail(401);
  EXPECT_EQ(peer.allocation().look().outcome, RelayOutcome::not_a_relay);
  EXPECT_THAT(peer.allocation().look().detail, HasSubstr("without realm and nonce"));
}

TEST_P(BothDialects, AnswersToOtherQuestionsArePassedOver) {
  Peer peer(GetParam());
  const Message first = peer.asked();
  peer.challenge();
  peer.asked();
  TransactionId other = first.id;
  other.back() ^= 1U;
  MessageWriter writer(type::allocate_success, other, GetParam());
  peer.allocation().feed(writer.take(), peer.now());
  EXPECT_EQ(peer.allocation().state(), State::proving);
  MessageWriter late(type::allocate_error, first.id, GetParam());  // the challenge, once more
  peer.allocation().feed(late.take(), peer.now());
  EXPECT_EQ(peer.allocation().state(), State::proving);
}

TEST_P(BothDialects, WhatIsNoMessageEndsIt) {
  for (const std::string_view bytes : {"HTTP/1.1 400 Bad Request\r\n\r\n", "", "\x01\x13"}) {
    Peer peer(GetParam());
    peer.asked();
    peer.allocation().feed(as_bytes(bytes), peer.now());
    EXPECT_EQ(peer.allocation().look().outcome, RelayOutcome::not_a_relay) << bytes;
    EXPECT_FALSE(peer.allocation().understood());
  }
}

TEST(Timers, SendSevenTimesEachTimeTwiceAsLongAfterTheLast) {
  const Deadline::Clock::time_point start{};
  Allocation allocation(question(RelayDialect::ms_turn), start);
  const ByteString first = allocation.take_output();
  std::vector<std::chrono::milliseconds> at;
  while (const auto due = allocation.due()) {
    allocation.tick(*due - 1ms);
    EXPECT_TRUE(allocation.take_output().empty());
    allocation.tick(*due);
    EXPECT_EQ(allocation.take_output(), first) << "the same bytes each time";
    at.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(*due - start));
  }
  EXPECT_THAT(at, testing::ElementsAre(500ms, 1500ms, 3500ms, 7500ms, 15500ms, 31500ms));
  EXPECT_EQ(allocation.state(), State::asking);
  allocation.end(RelayOutcome::no_answer, "no answer within 5 s");
  EXPECT_EQ(allocation.look().outcome, RelayOutcome::no_answer);
}

TEST(Timers, AreNoneOnAConnection) {
  Allocation allocation(question(RelayDialect::standard, RelayTransport::tcp), {});
  EXPECT_FALSE(allocation.due());
}

TEST(Alternate, IsWhereTheProofGoesOverUdpInMsTurnAlone) {
  for (const RelayDialect dialect : {RelayDialect::ms_turn, RelayDialect::standard}) {
    Peer peer(dialect);
    peer.asked();
    peer.fail(401, [&](MessageWriter& writer) {
      peer.add_challenge(writer, "nonce");
      writer.add(dialect == RelayDialect::standard ? attribute::alternate_server : attribute::ms_alternate_server,
                 from_hex("00010d96c0000263"));
    });
    EXPECT_EQ(peer.allocation().look().alternate, "192.0.2.99:3478");
    EXPECT_EQ(peer.allocation().alternate().has_value(), dialect == RelayDialect::ms_turn);
    const ByteString proof = peer.allocation().take_output();
    peer.allocation().send_again(peer.now());
    EXPECT_EQ(peer.allocation().take_output(), proof);
  }
}

TEST(Connections, BeginWithPseudoTlsAndFrames) {
  Allocation allocation(question(RelayDialect::ms_turn, RelayTransport::tcp), {});
  EXPECT_EQ(allocation.take_output().size(), 50U);
  EXPECT_TRUE(allocation.take_output().empty()) << "nothing before the answer";
  ByteString hello = from_hex("160301004e020000460301");
  hello.resize(43);
  hello.push_back(0x20);
  hello.resize(76);
  for (const int each : {0x00, 0x18, 0x00, 0x0e, 0x00, 0x00, 0x00}) hello.push_back(static_cast<std::uint8_t>(each));
  for (const std::uint8_t each : hello) allocation.feed({&each, 1}, {});
  const ByteString frame = allocation.take_output();
  ASSERT_GT(frame.size(), 4U);
  EXPECT_EQ(to_hex(Bytes{frame}.first(4)), "02000024");
  EXPECT_TRUE(read_message(Bytes{frame}.subspan(4), RelayDialect::ms_turn));
  EXPECT_TRUE(allocation.understood());
}

TEST(Connections, ThatBreakOffInTheHelloSayWhatCame) {
  Allocation allocation(question(RelayDialect::ms_turn, RelayTransport::tcp), {});
  allocation.take_output();
  allocation.feed(from_hex("160301"), {});
  allocation.end(RelayOutcome::closed, "the peer closed the connection");
  EXPECT_EQ(allocation.look().outcome, RelayOutcome::not_a_relay);
  EXPECT_THAT(allocation.look().detail, HasSubstr("the peer closed the connection"));
}

TEST(Credentials, ThatAreNotBase64AreNotTaken) {
  Question asked = question(RelayDialect::ms_turn);
  auto credentials = std::make_shared<RelayCredentials>();
  credentials->username = Secret{"not base64!"};
  credentials->password = Secret{"AAEC"};
  asked.credentials = credentials;
  Allocation allocation(std::move(asked), {});
  EXPECT_EQ(allocation.state(), State::ended);
  EXPECT_EQ(allocation.look().outcome, RelayOutcome::not_asked);
  EXPECT_EQ(allocation.look().detail.find("not base64!"), std::string::npos);
}

}  // namespace
}  // namespace mrascheck::turn

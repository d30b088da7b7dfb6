// SPDX-License-Identifier: Apache-2.0
#include "turn/stream.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mrascheck::turn {
namespace {

ByteString server_hello(std::uint8_t random) {
  ByteString hello = from_hex("160301004e0200004603 01");
  hello.insert(hello.end(), 32, random);
  hello.push_back(0x20);
  hello.insert(hello.end(), 32, static_cast<std::uint8_t>(~random));
  for (const int each : {0x00, 0x18, 0x00, 0x0e, 0x00, 0x00, 0x00}) hello.push_back(static_cast<std::uint8_t>(each));
  return hello;
}

/// What came of `bytes`, given in pieces of `size`: "hello", each message in hexadecimal, and what is broken.
std::string read(RelayDialect dialect, const ByteString& bytes, std::size_t size) {
  StreamReader reader(dialect);
  std::string seen;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    reader.feed(Bytes{bytes}.subspan(at, std::min(size, bytes.size() - at)));
    for (auto step = reader.next(); step != StreamReader::Step::more; step = reader.next()) {
      if (step == StreamReader::Step::greeted) seen += "hello ";
      if (step == StreamReader::Step::message) seen += to_hex(reader.take()) + " ";
      if (step == StreamReader::Step::broken) return seen + "broken: " + reader.problem();
    }
  }
  return seen;
}

ByteString joined(std::initializer_list<ByteString> parts) {
  ByteString all;
  for (const ByteString& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

TEST(PseudoTls, SaysHelloInFiftyBytes) {
  std::array<std::uint8_t, hello_random> random{};
  random.fill(0xab);
  const std::string hello = to_hex(client_hello(random));
  std::string noise;
  for (int i = 0; i < 32; ++i) noise += "ab";
  EXPECT_EQ(hello, "160301002d010000290301" + noise + "00000200180100");
}

TEST(PseudoTls, TheServersHelloMayBringWhatItLikesForRandom) {
  for (const std::uint8_t random : std::array<std::uint8_t, 3>{0x00, 0x55, 0xff}) {
    const ByteString stream = joined({server_hello(random), framed(from_hex("0113"))});
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, stream.size()})
      EXPECT_EQ(read(RelayDialect::ms_turn, stream, size), "hello 0113 ");
  }
}

TEST(PseudoTls, AnotherHelloIsNone) {
  const ByteString whole = server_hello(0x11);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    ByteString hello = whole;
    hello[at] ^= 0x40U;
    const bool random = (at >= 11 && at < 43) || (at >= 44 && at < 76);
    EXPECT_EQ(read(RelayDialect::ms_turn, hello, 16), random ? "hello " : read(RelayDialect::ms_turn, hello, 16)) << at;
    if (!random) EXPECT_NE(read(RelayDialect::ms_turn, hello, 16).find("broken: "), std::string::npos) << at;
  }
}

TEST(Frames, CarryMessagesOfAnySizeAndDataIsPassedOver) {
  const ByteString largest(65'535, 0x41);
  const ByteString stream = joined({server_hello(1), framed({}), from_hex("03000003616263"), framed(largest)});
  EXPECT_EQ(read(RelayDialect::ms_turn, stream, 1000), "hello  " + to_hex(largest) + " ");
  EXPECT_NE(read(RelayDialect::ms_turn, joined({server_hello(1), from_hex("04000000")}), 100).find("broken"),
            std::string::npos);
}

TEST(Streams, OfTheStandardHoldMessagesOneBehindTheOther) {
  const std::string one = "011300042112a442000102030405060708090a0b00000000";
  EXPECT_EQ(read(RelayDialect::standard, from_hex(one + one), 5), one + " " + one + " ");
  EXPECT_NE(read(RelayDialect::standard, from_hex("40000004"), 4).find("broken"), std::string::npos) << "channel data";
  EXPECT_NE(read(RelayDialect::standard, from_hex("01130003"), 4).find("broken"), std::string::npos) << "no multiple";
}

struct StrangeCase {
  const char* name;
  std::string bytes;
  const char* words;
};
class Strangers : public testing::TestWithParam<StrangeCase> {};

TEST_P(Strangers, AreDescribed) {
  EXPECT_EQ(describe(as_bytes(GetParam().bytes)), GetParam().words);
}
INSTANTIATE_TEST_SUITE_P(
    Protocols, Strangers,
    testing::Values(
        StrangeCase{"Nothing", "", "nothing"},
        StrangeCase{"Alert", std::string("\x15\x03\x03\x00\x02\x02\x28", 7), "a TLS alert, handshake_failure"},
        StrangeCase{"Hello", std::string("\x16\x03\x03\x00\x7a\x02", 6), "TLS, and not the pretended one of a relay"},
        StrangeCase{"Http", "HTTP/1.1 400 Bad Request\r\nServer: x\r\n", "HTTP: HTTP/1.1 400 Bad Request"},
        StrangeCase{"Ssh", "SSH-2.0-OpenSSH_9.2\r\n", "SSH"}, StrangeCase{"Sip", "SIP/2.0 400 No", "SIP"},
        StrangeCase{"Text", "220 mail.contoso.example\r\n", "text: 220 mail.contoso.example"},
        StrangeCase{"FewBytes", std::string("\0\1", 2), "2 bytes: 0001"},
        StrangeCase{"ManyBytes", std::string(40, '\x80'), "40 bytes that begin with 80808080808080808080808080808080"},
        StrangeCase{"Escape", "abc\x1b[31m", "8 bytes: 6162631b5b33316d"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::turn

// SPDX-License-Identifier: Apache-2.0
#include "turn/message.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <string>

#include "turn/allocation.hpp"

namespace mrascheck::turn {
namespace {

// Vectors of MS-TURN, made once by other hands, and by two implementations.
constexpr std::string_view vector_username = "AQAAIKAFwAAB4PbASfw4WaCeLzqeGsSwMBBuVHgzhjOwSDRQxVHrE+L//mLHNIoownrH8w==";
constexpr std::string_view vector_password = "Zx5lOauRTizOcZdwpuiEz0jzFBg=";
constexpr std::string_view vector_ask = "00030010101112131415161718191a1b1c1d1e1f000f000472c64bc68008000400000001";
constexpr std::string_view vector_proof =
    "00030087101112131415161718191a1b1c1d1e1f000f000472c64bc680080004000000010006003401000020a005c00001e0f6c049fc3859a0"
    "9e2f3a9e1ac4b030106e5478338633b0483450c551eb13e2fffe62c7348a28c27ac7f300140010303132333435363738396162636465660015"
    "000f636f6e746f736f2e6578616d706c6500080014ce7a247ac4e1f1f58fb57e3a3996f087fea97ec2";
// RFC 5769, 2.4: a request with long-term credentials, USERNAME, NONCE and REALM padded.
constexpr std::string_view rfc5769_long_term =
    "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b90000"
    "0015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f726700"
    "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666";
constexpr std::string_view rfc5769_user = "\xE3\x83\x9E\xE3\x83\x88\xE3\x83\xAA\xE3\x83\x83\xE3\x82\xAF\xE3\x82\xB9";
// RFC 5769, 2.2 and 2.3: XOR-MAPPED-ADDRESS 192.0.2.1 and 2001:db8:1234:5678:11:2233:4455:6677, port 32853.
constexpr std::string_view rfc5769_id = "2112a442b7e7a701bc34d686fa87dfae";

TransactionId id_of(std::string_view hex) {
  TransactionId id{};
  const ByteString bytes = from_hex(hex);
  std::copy_n(bytes.begin(), id.size(), id.begin());
  return id;
}

TransactionId counting_id() {
  TransactionId id{};
  std::iota(id.begin(), id.end(), std::uint8_t{0x10});
  return id;
}

ByteString with(std::string_view hex, std::size_t at, std::uint8_t value) {
  ByteString bytes = from_hex(hex);
  bytes.at(at) = value;
  return bytes;
}

std::array<std::uint8_t, 16> vector_key() {
  const auto name = decode_base64(vector_username);
  const auto word = decode_base64(vector_password);
  return long_term_key(as_bytes(name->reveal()), as_bytes("contoso.example"), as_bytes(word->reveal())).value();
}

TEST(MsTurn, AsksAsTheVectorHasIt) {
  MessageWriter writer(type::allocate, counting_id(), RelayDialect::ms_turn);
  writer.add_number(attribute::ms_version, 1);
  EXPECT_EQ(to_hex(writer.take()), vector_ask);
}

TEST(MsTurn, MakesTheKeyAndTheIntegrityOfTheVector) {
  const auto key = vector_key();
  EXPECT_EQ(to_hex(key), "5c443e9938ccf3166d3b12bb73f6102a");
  const auto name = decode_base64(vector_username);
  MessageWriter writer(type::allocate, counting_id(), RelayDialect::ms_turn);
  writer.add_number(attribute::ms_version, 1);
  writer.add(attribute::username, as_bytes(name->reveal()));
  writer.add(attribute::ms_nonce, as_bytes("0123456789abcdef"));
  writer.add(attribute::ms_realm, as_bytes("contoso.example"));
  ASSERT_TRUE(writer.sign(key));
  EXPECT_EQ(to_hex(writer.take()), vector_proof);
}

TEST(MsTurn, ChecksTheIntegrityOfTheVector) {
  const auto message = read_message(from_hex(vector_proof), RelayDialect::ms_turn);
  ASSERT_TRUE(message) << message.error().text;
  EXPECT_EQ(check_integrity(*message, RelayDialect::ms_turn, vector_key()), Integrity::holds);
  EXPECT_EQ(check_integrity(*message, RelayDialect::standard, vector_key()), Integrity::wrong) << "no zeros behind it";
  EXPECT_EQ(check_integrity(*message, RelayDialect::ms_turn, as_bytes("another key")), Integrity::wrong);
  const auto asked = read_message(from_hex(vector_ask), RelayDialect::ms_turn);
  EXPECT_EQ(check_integrity(*asked, RelayDialect::ms_turn, vector_key()), Integrity::missing);
}

TEST(MsTurn, EveryBitOfASignedMessageCounts) {
  const ByteString whole = from_hex(vector_proof);
  const auto key = vector_key();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    ByteString bytes = whole;
    bytes[at] ^= 1U;
    const auto message = read_message(bytes, RelayDialect::ms_turn);
    if (message) EXPECT_NE(check_integrity(*message, RelayDialect::ms_turn, key), Integrity::holds) << at;
  }
}

TEST(Rfc5769, TheLongTermVectorHolds) {
  const auto message = read_message(from_hex(rfc5769_long_term), RelayDialect::standard);
  ASSERT_TRUE(message) << message.error().text;
  EXPECT_EQ(as_text(*message->find(attribute::username)), rfc5769_user);
  EXPECT_EQ(as_text(*message->find(attribute::realm)), "example.org");
  // SASLprep of the password leaves "TheMatrIX".
  const auto key = long_term_key(as_bytes(rfc5769_user), as_bytes("example.org"), as_bytes("TheMatrIX"));
  EXPECT_EQ(check_integrity(*message, RelayDialect::standard, *key), Integrity::holds);
  MessageWriter writer(0x0001, message->id, RelayDialect::standard);
  writer.add(attribute::username, as_bytes(rfc5769_user));
  writer.add(attribute::nonce, as_bytes("f//499k954d6OL34oL9FSTvy64sA"));
  writer.add(attribute::realm, as_bytes("example.org"));
  ASSERT_TRUE(writer.sign(*key));
  EXPECT_EQ(to_hex(writer.take()), rfc5769_long_term);
}

struct AddressCase {
  const char* name;
  const char* value;
  const char* mask;  ///< null: none
  const char* text;  ///< empty: no address
};
class Addresses : public testing::TestWithParam<AddressCase> {};

TEST_P(Addresses, AreRead) {
  const AddressCase& c = GetParam();
  const TransactionId mask = c.mask == nullptr ? TransactionId{} : id_of(c.mask);
  const auto read = read_address(from_hex(c.value), c.mask == nullptr ? nullptr : &mask);
  EXPECT_EQ(read ? read->text() : "", c.text);
}
INSTANTIATE_TEST_SUITE_P(
    Values, Addresses,
    testing::Values(AddressCase{"Rfc5769Ipv4", "0001a147e112a643", rfc5769_id.data(), "192.0.2.1:32853"},
                    AddressCase{"Rfc5769Ipv6", "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9", rfc5769_id.data(),
                                "[2001:db8:1234:5678:11:2233:4455:6677]:32853"},
                    AddressCase{"Plain", "00010d96c0000207", nullptr, "192.0.2.7:3478"},
                    AddressCase{"MaskedByMsTurnsId", "00011d87d0111017", "101112131415161718191a1b1c1d1e1f",
                                "192.0.2.4:3478"},
                    AddressCase{"Short", "00010d96c00002", nullptr, ""},
                    AddressCase{"Long", "00010d96c000020700", nullptr, ""},
                    AddressCase{"FamilyThree", "00030d96c0000207", nullptr, ""}, AddressCase{"Empty", "", nullptr, ""}),
    [](const auto& row) { return row.param.name; });

TEST(Errors, AreReadWithinTheirBounds) {
  const auto read = read_error(from_hex("0000041f416c6c20676f6e65"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->code, 431U);
  EXPECT_EQ(read->text, "All gone");
  EXPECT_EQ(read_error(from_hex("00000401"))->text, "");
  EXPECT_FALSE(read_error(from_hex("000004")));
  EXPECT_FALSE(read_error(from_hex("00000264"))) << "class 2";
  EXPECT_FALSE(read_error(from_hex("00000464"))) << "100 of its class";
  const std::string ugly = std::string("\0\0\4\1", 4) + "a\x1b[31mb\r\n";
  EXPECT_EQ(read_error(as_bytes(ugly))->text.find('\x1b'), std::string::npos);
}

struct BrokenCase {
  const char* name;
  ByteString bytes;
  RelayDialect dialect;
  const char* why;
};
class BrokenMessages : public testing::TestWithParam<BrokenCase> {};

TEST_P(BrokenMessages, AreToldWhy) {
  const BrokenCase& c = GetParam();
  const auto message = read_message(c.bytes, c.dialect);
  ASSERT_FALSE(message);
  EXPECT_NE(message.error().text.find(c.why), std::string::npos) << message.error().text;
}
INSTANTIATE_TEST_SUITE_P(
    Bytes, BrokenMessages,
    testing::Values(
        BrokenCase{"Nothing", {}, RelayDialect::ms_turn, "0 bytes, and a header takes 20"},
        BrokenCase{"HeaderCut", ByteString(19), RelayDialect::standard, "19 bytes"},
        BrokenCase{"NoCookieAttribute", with(vector_ask, 21, 1), RelayDialect::ms_turn, "Magic Cookie"},
        BrokenCase{"OtherMagic", with(vector_ask, 24, 1), RelayDialect::ms_turn, "Magic Cookie"},
        BrokenCase{"LengthTooLarge", with(vector_ask, 3, 0x20), RelayDialect::ms_turn, "the header says 32 bytes"},
        BrokenCase{"FirstBits", with(vector_ask, 0, 0x80), RelayDialect::ms_turn, "first two bits"},
        BrokenCase{"AttributeTooLong", with(vector_ask, 31, 0x90), RelayDialect::ms_turn, "an attribute of 144 bytes"},
        BrokenCase{"NoStunCookie", from_hex(vector_ask), RelayDialect::standard, "the cookie of STUN"},
        BrokenCase{"StandardAttributeTooLong", with(rfc5769_long_term, 23, 0xff), RelayDialect::standard,
                   "an attribute of 255 bytes"}),
    [](const auto& row) { return row.param.name; });

TEST(Messages, OfMsTurnMayBePadded) {
  // Realm of 15 bytes with one of padding, then Nonce.
  const std::string id = "101112131415161718191a1b1c1d1e1f";
  const auto message = read_message(
      from_hex("01130024" + id + "000f000472c64bc60015000f636f6e746f736f2e6578616d706c6500" + "0014000430313233"),
      RelayDialect::ms_turn);
  ASSERT_TRUE(message) << message.error().text;
  EXPECT_EQ(as_text(*message->find(attribute::ms_realm)), "contoso.example");
  EXPECT_EQ(as_text(*message->find(attribute::ms_nonce)), "0123");
}

TEST(Messages, HoldSoManyAttributesAndNoMore) {
  for (const std::size_t many : {max_attributes, max_attributes + 1}) {
    MessageWriter writer(type::allocate, id_of(rfc5769_id), RelayDialect::standard);
    for (std::size_t i = 0; i < many; ++i) writer.add(0x8022, {});
    EXPECT_EQ(read_message(writer.take(), RelayDialect::standard).has_value(), many == max_attributes) << many;
  }
}

TEST(Messages, CutOrChangedAnywhereAreNeverReadPastTheirEnd) {
  std::mt19937 random(7);
  for (const auto& [hex, dialect] :
       {std::pair{vector_proof, RelayDialect::ms_turn}, std::pair{rfc5769_long_term, RelayDialect::standard}}) {
    const ByteString whole = from_hex(hex);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      ByteString cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(read_message(cut, dialect)) << size;
      if (size < header_size) continue;
      cut[2] = static_cast<std::uint8_t>((size - header_size) >> 8U);
      cut[3] = static_cast<std::uint8_t>(size - header_size);
      if (const auto read = read_message(cut, dialect)) {
        for (const auto& each : read->attributes) EXPECT_LE(each.at + 4 + each.size, cut.size());
      }
    }
    for (int i = 0; i < 2000; ++i) {
      ByteString bytes = whole;
      for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
      if (const auto read = read_message(bytes, dialect)) {
        for (const auto& each : read->attributes) EXPECT_LE(each.at + 4 + each.size, bytes.size());
      }
    }
  }
}

TEST(Base64, IsDecodedOrRefused) {
  EXPECT_EQ(decode_base64("AAEC")->reveal(), std::string_view("\0\1\2", 3));
  EXPECT_EQ(decode_base64(" AA\r\nE= ")->reveal(), std::string_view("\0\1", 2));
  for (const char* bad : {"", "A", "AAA", "A===", "AA=A", "AAEC=", "A*EC", "===="})
    EXPECT_FALSE(decode_base64(bad)) << bad;
}

}  // namespace
}  // namespace mrascheck::turn

// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_messages.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mrascheck::crypto {
namespace {

constexpr std::uint16_t tls_1_0 = 0x0301;
constexpr std::uint16_t tls_1_2 = 0x0303;
constexpr std::uint16_t tls_1_3 = 0x0304;

/// The octets of `number`, big-endian, and of a vector with such a length before it (RFC 8446, 3.4).
std::string number(std::size_t value, std::size_t octets) {
  std::string bytes;
  for (std::size_t i = octets; i-- > 0;) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFFU));
  return bytes;
}
std::string vector(const std::string& content, std::size_t octets) {
  return number(content.size(), octets) + content;
}
std::string message(int type, const std::string& body) {
  return std::string(1, static_cast<char>(type)) + vector(body, 3);
}
std::string extension(std::uint16_t type, const std::string& content) {
  return number(type, 2) + vector(content, 2);
}

ByteString bytes(std::string_view text) {
  return {text.begin(), text.end()};
}

std::string server_hello(std::uint16_t legacy_version, const std::string& extensions) {
  return message(2, number(legacy_version, 2) + std::string(32, 'r') + vector("session", 1) + number(0xC02F, 2) +
                        std::string(1, '\0') + extensions);
}

std::string request_1_2(const std::string& names) {
  return message(13, vector("\x01\x40", 1) + vector("\x04\x01\x04\x03", 2) + vector(names, 2));
}
std::string request_1_3(const std::string& names) {
  return message(13, vector("", 1) + vector(extension(13, vector("\x04\x03", 2)) + extension(47, vector(names, 2)), 2));
}

TEST(ServerHello, SaysItsVersionWhereverItStands) {
  const auto version_of = [](const std::string& hello) { return read_server_hello(as_bytes(hello))->version; };
  EXPECT_EQ(version_of(server_hello(tls_1_0, "")), tls_1_0);
  EXPECT_EQ(version_of(server_hello(tls_1_2, vector(extension(0xFF01, std::string(1, '\0')), 2))), tls_1_2);
  EXPECT_EQ(version_of(server_hello(tls_1_2, vector(extension(51, "key") + extension(43, number(tls_1_3, 2)), 2))),
            tls_1_3);
  EXPECT_EQ(version_of(server_hello(tls_1_2, vector(extension(43, "\x03"), 2))), tls_1_2) << "half a version is none";
  EXPECT_EQ(read_server_hello(as_bytes(server_hello(tls_1_2, "")))->cipher, 0xC02F);
}

TEST(ServerHello, SaysWhetherItKnowsSecureRenegotiation) {
  const auto knows = [](const std::string& hello) { return read_server_hello(as_bytes(hello))->secure_renegotiation; };
  EXPECT_FALSE(knows(server_hello(tls_1_2, "")));
  EXPECT_FALSE(knows(server_hello(tls_1_2, vector(extension(35, ""), 2))));
  EXPECT_TRUE(knows(server_hello(tls_1_2, vector(extension(35, "") + extension(0xFF01, std::string(1, '\0')), 2))));
}

TEST(ServerHello, IsNothingWhenCutShort) {
  const std::string whole = server_hello(tls_1_2, "");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read_server_hello(as_bytes(whole).first(size))) << size;
}

TEST(Certificates, AreTakenOutInBothForms) {
  const std::vector<ByteString> expected{bytes("own"), bytes("issuing"), bytes("")};
  const std::string in_1_2 = message(11, vector(vector("own", 3) + vector("issuing", 3) + vector("", 3), 3));
  EXPECT_EQ(read_certificates(as_bytes(in_1_2), tls_1_2, 10), expected);
  EXPECT_EQ(read_certificates(as_bytes(in_1_2), tls_1_0, 10), expected);
  const std::string in_1_3 =
      message(11, vector("", 1) + vector(vector("own", 3) + vector(extension(5, "staple"), 2) + vector("issuing", 3) +
                                             vector("", 2) + vector("", 3) + vector("", 2),
                                         3));
  EXPECT_EQ(read_certificates(as_bytes(in_1_3), tls_1_3, 10), expected);
  EXPECT_EQ(read_certificates(as_bytes(in_1_3), tls_1_3, 2).size(), 2U);
  EXPECT_TRUE(read_certificates(as_bytes(message(11, vector("", 3))), tls_1_2, 10).empty());
}

TEST(Certificates, AreTakenUpToTheBreak) {
  const std::string whole = message(11, vector(vector("own", 3) + vector("issuing", 3), 3));
  EXPECT_TRUE(read_certificates({}, tls_1_2, 10).empty());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto taken = read_certificates(as_bytes(whole).first(size), tls_1_2, 10);
    EXPECT_EQ(taken.size(), size >= 4 + 3 + 3 + 3 ? 1U : 0U) << size;
  }
}

TEST(CertificateRequest, NamesTheIssuersInBothForms) {
  const std::string names = vector("Contoso Root CA", 2) + vector("Contoso Issuing CA", 2);
  for (const auto& [request, version] : {std::pair{request_1_2(names), tls_1_2}, {request_1_3(names), tls_1_3}}) {
    const AcceptedIssuers issuers = read_certificate_request(as_bytes(request), version, 10);
    EXPECT_EQ(issuers.names, (std::vector<ByteString>{bytes("Contoso Root CA"), bytes("Contoso Issuing CA")}));
    EXPECT_EQ(issuers.count, 2U);
    EXPECT_EQ(issuers.bytes, names.size());
  }
  // RFC 2246, 7.4.4: no signature algorithms yet.
  const std::string old = message(13, vector("\x01", 1) + vector(names, 2));
  EXPECT_EQ(read_certificate_request(as_bytes(old), tls_1_0, 10).count, 2U);
}

TEST(CertificateRequest, MayNameNobody) {
  EXPECT_EQ(read_certificate_request(as_bytes(request_1_2("")), tls_1_2, 10).count, 0U);
  EXPECT_EQ(read_certificate_request(as_bytes(request_1_3("")), tls_1_3, 10).count, 0U);
  const std::string without = message(13, vector("", 1) + vector(extension(13, vector("\x04\x03", 2)), 2));
  EXPECT_EQ(read_certificate_request(as_bytes(without), tls_1_3, 10).count, 0U);
}

TEST(CertificateRequest, CountsWhatItDoesNotKeep) {
  std::string names;
  for (int i = 0; i < 16'000; ++i) names += number(2, 2) + std::string("0\0", 2);
  const AcceptedIssuers issuers = read_certificate_request(as_bytes(request_1_2(names)), tls_1_2, 4096);
  EXPECT_EQ(issuers.names.size(), 4096U);
  EXPECT_EQ(issuers.count, 16'000U);
  EXPECT_EQ(issuers.bytes, names.size());
}

TEST(CertificateRequest, IsReadUpToTheBreak) {
  const std::string names = vector("Contoso Root CA", 2) + vector("Contoso Issuing CA", 2);
  for (const auto& [whole, version] : {std::pair{request_1_2(names), tls_1_2}, {request_1_3(names), tls_1_3}})
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_LE(read_certificate_request(as_bytes(whole).first(size), version, 10).count, 1U) << size;
}

TEST(VersionName, IsTheUsualOne) {
  EXPECT_EQ(version_name(0x0300), "SSLv3");
  EXPECT_EQ(version_name(tls_1_0), "TLSv1");
  EXPECT_EQ(version_name(0x0302), "TLSv1.1");
  EXPECT_EQ(version_name(tls_1_2), "TLSv1.2");
  EXPECT_EQ(version_name(tls_1_3), "TLSv1.3");
  EXPECT_EQ(version_name(0x7F1C), "0x7f1c");
}

}  // namespace
}  // namespace mrascheck::crypto

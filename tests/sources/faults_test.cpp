// SPDX-License-Identifier: Apache-2.0
// What goes wrong between us and a server that is fine: somebody stands on the way to the real openssl s_server, and at
// a chosen place of TLS falls silent, resets, closes, speaks up, or takes its time.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "sources/handshake_look.hpp"
#include "support/raw_peer.hpp"
#include "support/s_server.hpp"

namespace mrascheck::sources {
namespace {

using test::RawPeer;
using test::SServer;

/// In order of time, up to TLS 1.2; in TLS 1.3 the request for a certificate comes before the server's own.
enum class Place {
  before_server_hello,
  after_server_hello,
  amid_certificate,
  after_certificate_request,
  after_finished,  ///< of both sides
  after_request,   ///< our SIP, inside TLS
};
enum class Fault { silence, reset, close, half_close, alert, delay, garbage, oversized };

constexpr std::array places{"BeforeServerHello",       "AfterServerHello", "AmidCertificate",
                            "AfterCertificateRequest", "AfterFinished",    "AfterOurRequest"};
constexpr std::array faults{"Silence", "Reset", "Close", "HalfClose", "Alert", "Delay", "Garbage", "OversizedRecord"};

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int at_once = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  return fd;
}

/// Takes a whole record from the front of `bytes`; empty when there is none yet.
std::string take_record(std::string& bytes) {
  if (bytes.size() < 5) return {};
  const std::size_t whole =
      5 + static_cast<unsigned char>(bytes[3]) * std::size_t{256} + static_cast<unsigned char>(bytes[4]);
  if (bytes.size() < whole) return {};
  std::string record = bytes.substr(0, whole);
  bytes.erase(0, whole);
  return record;
}

/// Octets that are the same in each run, and like nothing else. Enough to fill any record that has begun.
std::string garbage() {
  std::string octets;
  std::uint32_t state = 1;
  while (octets.size() < 20'000) {
    state = state * 1'664'525 + 1'013'904'223;
    octets.push_back(static_cast<char>(state >> 24U));
  }
  return octets;
}

/// What stands on the way, for one connection.
class OnTheWay {
 public:
  OnTheWay(RawPeer::Talk& client, std::uint16_t server, bool tls13, Place place, Fault fault)
      : client_(client), server_(connect_to(server)), tls13_(tls13), place_(place), fault_(fault) {}
  ~OnTheWay() { ::close(server_); }

  void go() {
    std::string from_client;
    std::string from_server;
    while (!over_) {
      std::array<pollfd, 2> both{pollfd{client_.descriptor(), POLLIN, 0}, pollfd{server_, POLLIN, 0}};
      if (::poll(both.data(), both.size(), -1) < 0) continue;
      if (both[0].revents != 0) {
        if (!more(client_.descriptor(), from_client)) return;
        for (std::string record; !over_ && !(record = take_record(from_client)).empty();) up(record);
      }
      if (!over_ && both[1].revents != 0) {
        if (!more(server_, from_server)) return;
        for (std::string record; !over_ && !(record = take_record(from_server)).empty();) down(record);
      }
    }
  }

 private:
  enum Message { server_hello = 2, certificate = 11, certificate_request = 13, finished = 20, other = 0 };

  static bool more(int fd, std::string& into) {
    std::array<char, 16'384> buffer{};
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got > 0) into.append(buffer.data(), static_cast<std::size_t>(got));
    return got > 0;
  }

  /// What a record of the server's holds: each message has its own. In TLS 1.3 all but the first are encrypted.
  Message message(const std::string& record) {
    constexpr char change_cipher_spec = 20;
    constexpr char handshake = 22;
    constexpr char application_data = 23;
    if (record[0] == change_cipher_spec) changed_ = true;
    if (tls13_ && record[0] == application_data) {
      constexpr std::array order{other, certificate_request, certificate, other, finished};  // EncryptedExtensions, ...
      return encrypted_ < order.size() ? order[encrypted_++] : other;
    }
    if (record[0] != handshake) return other;
    return !tls13_ && changed_ ? finished : static_cast<Message>(record[5]);
  }

  void up(const std::string& record) {
    constexpr char application_data = 23;
    if (record[0] == application_data) {
      ++ours_;
      // In TLS 1.3: Certificate, CertificateVerify and Finished come before the request.
      if (place_ == Place::after_request && ours_ == (tls13_ ? 4 : 1)) return strike(record);
    }
    EXPECT_EQ(::send(server_, record.data(), record.size(), MSG_NOSIGNAL), static_cast<ssize_t>(record.size()));
    if (tls13_ && place_ == Place::after_finished && ours_ == 3) strike({});
  }

  void down(const std::string& record) {
    switch (message(record)) {
      case server_hello:
        if (place_ == Place::before_server_hello) return strike(record);
        client_.send(record);
        if (place_ == Place::after_server_hello) strike({});
        return;
      case certificate:
        if (place_ != Place::amid_certificate) break;
        client_.send(std::string_view{record}.substr(0, record.size() / 2));
        return strike(record.substr(record.size() / 2));
      case certificate_request:
        client_.send(record);
        if (place_ == Place::after_certificate_request) strike({});
        return;
      case finished:
        client_.send(record);
        if (!tls13_ && place_ == Place::after_finished) strike({});
        return;
      default:
        break;
    }
    client_.send(record);
  }

  /// `held`: what comes next, should it go on.
  void strike(const std::string& held) {
    using namespace std::string_literals;
    if (struck_) return;
    struck_ = true;
    over_ = fault_ != Fault::delay;
    switch (fault_) {
      case Fault::silence:
        client_.stay_silent();
        break;
      case Fault::reset:
        client_.reset();
        break;
      case Fault::close:
        break;
      case Fault::half_close:
        client_.half_close();
        client_.stay_silent();
        break;
      case Fault::alert:
        client_.send("\x15\x03\x03\x00\x02\x02\x28"s);  // fatal, handshake_failure
        client_.stay_silent();
        break;
      case Fault::garbage:
        client_.send(garbage());
        client_.stay_silent();
        break;
      case Fault::oversized:
        client_.send("\x16\x03\x03\x50\x00"s + std::string(0x5000, '\0'));  // RFC 8446, 5.2: at most 2^14 + 256 octets
        client_.stay_silent();
        break;
      case Fault::delay:
        ::poll(nullptr, 0, 150);
        if (place_ == Place::after_request) {
          EXPECT_EQ(::send(server_, held.data(), held.size(), MSG_NOSIGNAL), static_cast<ssize_t>(held.size()));
        } else {
          client_.send(held);
        }
        break;
    }
  }

  RawPeer::Talk& client_;
  int server_;
  bool tls13_;
  Place place_;
  Fault fault_;
  bool over_ = false;
  bool struck_ = false;
  bool changed_ = false;
  std::size_t encrypted_ = 0;
  int ours_ = 0;
};

/// One for all tests of a version: the peer of each look is on the way to it.
SServer& server_of(bool tls13) {
  const auto make = [](const char* version) {
    return std::make_unique<SServer>(std::vector<std::string>{"-cert", pki() / "edge1.crt", "-key", pki() / "edge1.key",
                                                              "-Verify", "3", "-CAfile", pki() / "root.crt", version},
                                     [](const std::string& request) { return test::sip_answer(request, "200 OK"); });
  };
  static const auto tls12_server = make("-tls1_2");
  static const auto tls13_server = make("-tls1_3");
  return tls13 ? *tls13_server : *tls12_server;
}

using FaultCase = std::tuple<bool, Place, Fault>;

class Faults : public HandshakeTest, public testing::WithParamInterface<FaultCase> {};

/// What is no wire at all: an alert in the clear where all is encrypted, or in the middle of a record; and a close with
/// our request in its way, which the kernel makes a reset of, or does not.
bool makes_sense(bool tls13, Place place, Fault fault) {
  if (fault == Fault::alert) {
    return place == Place::before_server_hello ||
           (!tls13 && (place == Place::after_server_hello || place == Place::after_certificate_request));
  }
  return !(fault == Fault::close && place == Place::after_finished);
}

TEST_P(Faults, AreToldWithTheirPhase) {
  const auto& [tls13, place, fault] = GetParam();
  RawPeer on_the_way([&, tls13 = tls13, place = place, fault = fault, port = server_of(tls13).port()](
                         RawPeer::Talk& talk) { OnTheWay(talk, port, tls13, place, fault).go(); });
  const bool inside = place < Place::after_finished;
  // Silence is waited for: as short as a busy machine allows. Whatever else comes, comes before it would be acceptance.
  limits_.quiet = fault == Fault::silence ? 100ms : 10s;
  if (fault == Fault::silence) limits_.step = inside ? 400ms : 1000ms;
  link_.service = Service::sip;
  const Handshake record = look_at(on_the_way.port());

  switch (fault) {
    case Fault::silence:
      EXPECT_ENDED(record, inside ? Phase::tls : Phase::sip, Outcome::timed_out);
      EXPECT_EQ(record.detail, inside ? "no answer within 0.4 s" : "no answer within 1 s");
      break;
    case Fault::reset:
      EXPECT_ENDED(record, inside ? Phase::tls : Phase::confirm, Outcome::reset);
      EXPECT_EQ(record.detail, "Connection reset by peer");
      break;
    case Fault::close:
    case Fault::half_close:
      EXPECT_ENDED(record, inside ? Phase::tls : Phase::confirm, Outcome::closed);
      EXPECT_EQ(record.detail, "the peer closed the connection");
      break;
    case Fault::alert:
      EXPECT_ENDED(record, Phase::tls, Outcome::rejected_by_peer);
      EXPECT_EQ(record.detail, "alert handshake_failure");
      break;
    case Fault::garbage:
    case Fault::oversized:
      if (fault == Fault::garbage && place == Place::before_server_hello) {
        EXPECT_ENDED(record, Phase::tls, Outcome::not_tls);
        EXPECT_EQ(record.detail, "binary data");
      } else {
        EXPECT_ENDED(record, inside ? Phase::tls : Phase::confirm, Outcome::rejected_by_us);
        EXPECT_NE(record.detail, "");
        EXPECT_LT(record.detail.size(), 200U);
      }
      EXPECT_TRUE(record.outcome == Outcome::not_tls ||
                  (!record.alerts_sent.empty() && record.alerts_sent.back().fatal));
      break;
    case Fault::delay: {
      EXPECT_ENDED(record, Phase::done, Outcome::completed);
      EXPECT_GE(record.tls_time + record.sip_time, 140ms);
      EXPECT_TRUE(record.accepted());
      break;
    }
  }
  // All that passed until then is in the record, and nothing that did not.
  const bool whole = fault == Fault::delay;
  EXPECT_EQ(record.tls_version.empty(), !whole && place == Place::before_server_hello);
  const Place shown = tls13 ? Place::after_finished : Place::after_certificate_request;
  // What is left of a certificate when something else fills its record is a certificate that cannot be read.
  const bool filled =
      !tls13 && place == Place::amid_certificate && (fault == Fault::garbage || fault == Fault::oversized);
  EXPECT_EQ(record.peer_chain.empty() && record.peer_chain_unreadable.empty(), !whole && !filled && place < shown);
  const Place asked = tls13 ? Place::amid_certificate : Place::after_certificate_request;
  EXPECT_EQ(record.client_certificate_requested, whole || place >= asked);
  EXPECT_EQ(record.certificate_sent, whole || place >= Place::after_finished);
  EXPECT_EQ(record.tls_time.count() > 0, whole || place >= Place::after_finished);
  EXPECT_EQ(record.alerts_received.size(), fault == Fault::alert ? 1U : 0U);
}

std::vector<FaultCase> fault_cases() {
  std::vector<FaultCase> cases;
  for (const bool tls13 : {false, true}) {
    for (std::size_t place = 0; place < places.size(); ++place) {
      for (std::size_t fault = 0; fault < faults.size(); ++fault) {
        if (makes_sense(tls13, static_cast<Place>(place), static_cast<Fault>(fault)))
          cases.emplace_back(tls13, static_cast<Place>(place), static_cast<Fault>(fault));
      }
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Handshakes, Faults, testing::ValuesIn(fault_cases()), [](const auto& row) {
  return fmt::format("{}{}{}", faults[static_cast<std::size_t>(std::get<2>(row.param))],
                     places[static_cast<std::size_t>(std::get<1>(row.param))],
                     std::get<0>(row.param) ? "Tls13" : "Tls12");
});

/// Lets all pass, one octet at a time with `pause` between two of the server's.
void drip(RawPeer::Talk& talk, std::uint16_t port, int pause) {
  const int server = connect_to(port);
  for (;;) {
    std::array<pollfd, 2> both{pollfd{talk.descriptor(), POLLIN, 0}, pollfd{server, POLLIN, 0}};
    if (::poll(both.data(), both.size(), -1) < 0) continue;
    char octet = 0;
    if (both[0].revents != 0) {
      if (::recv(talk.descriptor(), &octet, 1, 0) != 1 || ::send(server, &octet, 1, MSG_NOSIGNAL) != 1) break;
    }
    if (both[1].revents != 0) {
      if (::recv(server, &octet, 1, 0) != 1) break;
      talk.send({&octet, 1});
      ::poll(nullptr, 0, pause);
    }
  }
  ::close(server);
}

class Drips : public HandshakeTest, public testing::WithParamInterface<bool> {};

TEST_P(Drips, AByteAtATimeIsAsGoodAsARecord) {
  RawPeer peer([port = server_of(GetParam()).port()](RawPeer::Talk& talk) { drip(talk, port, 0); });
  link_.service = Service::sip;
  const Handshake record = look_at(peer.port());
  EXPECT_ENDED(record, Phase::done, Outcome::completed);
  EXPECT_FALSE(record.peer_chain.empty());
  EXPECT_EQ(record.mras->sip_status, 200);
}

TEST_P(Drips, OneThatTakesLongerThanTheStepIsOver) {
  RawPeer peer([port = server_of(GetParam()).port()](RawPeer::Talk& talk) { drip(talk, port, 5); });
  limits_.step = 400ms;  // time for 80 octets, of a thousand
  const Handshake record = look_at(peer.port());
  EXPECT_ENDED(record, Phase::tls, Outcome::timed_out);
  EXPECT_EQ(record.detail, "no answer within 0.4 s");
}

INSTANTIATE_TEST_SUITE_P(Handshakes, Drips, testing::Bool(),
                         [](const auto& row) { return row.param ? "Tls13" : "Tls12"; });

}  // namespace
}  // namespace mrascheck::sources

// SPDX-License-Identifier: Apache-2.0
// Our request judged, and our reading tested, by a SIP implementation that is not ours: sipp as the Edge, over plain
// TCP.
#include <arpa/inet.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>

#include "answers.hpp"
#include "core/explain.hpp"
#include "sip/service_transaction.hpp"
#include "support/sipp.hpp"

namespace mrascheck::sip {
namespace {

using test::sample_request;
using test::Sipp;
using testing::HasSubstr;
using namespace std::chrono_literals;
using State = ServiceTransaction::State;

class Connection {
 public:
  explicit Connection(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(static_cast<std::uint16_t>(port));
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    EXPECT_EQ(::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&peer), sizeof peer), 0);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::close(fd_); }

  void send(std::string_view bytes) const {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// Empty at the end.
  std::string receive() const {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }

 private:
  int fd_;
};

/// Asks until there is an answer or the end.
void ask(const Sipp& sipp, ServiceTransaction& transaction) {
  const Connection connection(sipp.port());
  connection.send(transaction.request());
  State state = State::waiting;
  while (state == State::waiting) {
    const std::string bytes = connection.receive();
    if (bytes.empty()) {
      transaction.end();
      return;
    }
    state = transaction.feed(bytes);
    EXPECT_EQ(transaction.take_output(), "");
  }
}

struct SippCase {
  const char* scenario;
  unsigned status;
  unsigned provisional;
  std::string_view banner;
  std::vector<unsigned> diagnostics;
  bool granted;
  Service service = Service::mras;
};

class SippTest : public testing::TestWithParam<SippCase> {};

TEST_P(SippTest, AcceptsTheRequestAndIsUnderstood) {
  const SippCase& c = GetParam();
  Sipp sipp(c.scenario);
  auto asked = sample_request();
  asked.service = c.service;
  asked.edge_port = static_cast<std::uint16_t>(sipp.port());
  ServiceTransaction transaction(asked);
  ask(sipp, transaction);
  EXPECT_EQ(sipp.exit_code(), 0) << sipp.errors();

  const MrasExchange& e = transaction.exchange();
  EXPECT_EQ(e.problem, "");
  EXPECT_TRUE(e.answered);
  EXPECT_EQ(e.sip_status, c.status);
  EXPECT_EQ(e.provisional, c.provisional);
  EXPECT_EQ(e.strangers, 0U);
  EXPECT_EQ(e.server_banner, c.banner);
  std::vector<unsigned> ids;
  for (const auto& diagnostics : e.diagnostics) ids.push_back(diagnostics.id);
  EXPECT_EQ(ids, c.diagnostics);
  EXPECT_EQ(e.body_present, c.granted);
  EXPECT_EQ(e.credentials_well_formed, c.granted);
  if (!c.granted) return;
  EXPECT_EQ(e.reason_phrase, "OK");
  EXPECT_EQ(e.granted, 480min);
  ASSERT_EQ(e.relays.size(), 2U);
  EXPECT_EQ(e.relays[1].location, "internet");
  EXPECT_EQ(e.relays[1].host, "av.contoso.example");
}

std::string name_of(const testing::TestParamInfo<SippCase>& row) {
  std::string name;
  for (const char c : std::string_view(row.param.scenario)) {
    if (c != '-') name += c;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Scenarios, SippTest,
                         testing::Values(SippCase{"mras-200", 200, 0, "RTC/4.0", {}, true},
                                         SippCase{"mras-200-after-provisional", 200, 2, "RTC/4.0", {}, true},
                                         SippCase{"mras-403", 403, 0, "", {}, false},
                                         SippCase{"mras-404", 404, 0, "", {}, false},
                                         SippCase{"mras-500", 500, 0, "", {}, false},
                                         SippCase{"mras-504-1038", 504, 0, "RTC/4.0", {1038}, false},
                                         SippCase{"mras-504-2", 504, 0, "RTC/3.5", {2}, false},
                                         SippCase{"options-200", 200, 0, "RTC/6.0", {}, false, Service::sip}),
                         name_of);

TEST(Sipp, TheSeedsFirstIncidentIsExplainedFromTheWire) {
  Sipp sipp("mras-504-1038");
  ServiceTransaction transaction(sample_request());
  ask(sipp, transaction);
  EXPECT_EQ(sipp.exit_code(), 0) << sipp.errors();
  ASSERT_EQ(transaction.exchange().diagnostics.size(), 1U);
  EXPECT_THAT(explain(transaction.exchange().diagnostics[0]), HasSubstr("same name and different thumbprints"));
}

TEST(Sipp, TheSeedsSecondIncidentIsExplainedFromTheWire) {
  Sipp sipp("mras-504-2");
  ServiceTransaction transaction(sample_request());
  ask(sipp, transaction);
  EXPECT_EQ(sipp.exit_code(), 0) << sipp.errors();
  ASSERT_EQ(transaction.exchange().diagnostics.size(), 1U);
  EXPECT_THAT(explain(transaction.exchange().diagnostics[0]), HasSubstr("patch the Edge to the Front End's level"));
}

struct Fault {
  const char* name;
  std::string_view what;
  std::string_view by;
};

class SippRefusal : public testing::TestWithParam<Fault> {};

// That the scenarios judge at all: each of these is our request with one thing wrong, of the same length.
TEST_P(SippRefusal, AWrongRequestIsNotAccepted) {
  Sipp sipp("mras-200");
  std::string request = ServiceTransaction(sample_request()).request();
  const std::size_t at = request.find(GetParam().what);
  ASSERT_NE(at, std::string::npos);
  ASSERT_EQ(GetParam().what.size(), GetParam().by.size());
  request.replace(at, GetParam().what.size(), GetParam().by);
  {
    const Connection connection(sipp.port());
    connection.send(request);
    connection.receive();  // sipp ends such a call in its own way; what counts is its exit code
  }
  EXPECT_EQ(sipp.exit_code(), 1);  // "at least one call failed"
  EXPECT_THAT(sipp.errors(), HasSubstr("regexp"));
}

INSTANTIATE_TEST_SUITE_P(Faults, SippRefusal,
                         testing::Values(Fault{"StartLine", ";grid SIP", ";gird SIP"},
                                         Fault{"ToIsNoGruu", ";gruu;opaque=srvr:MRAS", ";gurr;opaque=srvr:MRAS"},
                                         Fault{"ContentType", "media-relay-auth+xml", "media-relay-auth-xml"},
                                         Fault{"CSeq", "CSeq: 1 SERVICE", "CSeq: 2 SERVICE"},
                                         Fault{"BodyVersion", "version=\"2.0\"", "version=\"1.0\""},
                                         Fault{"ChildOrder", "<location>", "<lacotion>"}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::sip

// SPDX-License-Identifier: Apache-2.0
#include "transport/resolve.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <stop_token>

#include "support/name_server.hpp"
#include "support/on_loop.hpp"
#include "support/raw_peer.hpp"

namespace mrascheck::transport {
namespace {

using test::in;
using test::NameServer;
using test::plenty;
using test::run_on;
using namespace std::chrono_literals;
using Family = Config::Family;
using Addresses = std::vector<std::string>;

struct ResolveCase {
  const char* name;
  NameServer::Reply four;
  NameServer::Reply six;
  Family family;
  Answer answer;
  Addresses addresses;
  bool not_found;
  const char* error;  ///< a part of it
};

class ResolveTest : public testing::TestWithParam<ResolveCase> {};

TEST_P(ResolveTest, SaysWhatTheNameServerSaid) {
  const ResolveCase& c = GetParam();
  NameServer server([&](const std::string&, bool six) { return six ? c.six : c.four; });
  Loop loop;
  const Resolved resolved = run_on(loop, resolve("edge1.contoso.example", {c.family, {server.address()}}, plenty()));
  EXPECT_EQ(resolved.answer, c.answer);
  EXPECT_EQ(resolved.record.name, "edge1.contoso.example");
  EXPECT_EQ(resolved.record.addresses, c.addresses);
  EXPECT_EQ(resolved.record.not_found, c.not_found);
  EXPECT_FALSE(resolved.record.configured);
  if (*c.error == '\0') {
    EXPECT_EQ(resolved.record.error, "");
  } else {
    EXPECT_NE(resolved.record.error.find(c.error), std::string::npos) << resolved.record.error;
  }
}

const NameServer::Reply none{0};
const NameServer::Reply nxdomain{3};
const NameServer::Reply servfail{2};
const NameServer::Reply refused{5};

INSTANTIATE_TEST_SUITE_P(
    Dns, ResolveTest,
    testing::Values(
        ResolveCase{"EveryAddressOfBothFamilies",
                    {0, {"192.0.2.1", "192.0.2.2"}},
                    {0, {"2001:db8::1"}},
                    Family::any,
                    Answer::found,
                    {"192.0.2.1", "192.0.2.2", "2001:db8::1"},
                    false,
                    ""},
        ResolveCase{"TheSameOneOnce",
                    {0, {"192.0.2.1", "192.0.2.1"}},
                    none,
                    Family::any,
                    Answer::found,
                    {"192.0.2.1"},
                    false,
                    ""},
        ResolveCase{
            "OnlyIpv4", {0, {"192.0.2.1"}}, {0, {"2001:db8::1"}}, Family::v4, Answer::found, {"192.0.2.1"}, false, ""},
        ResolveCase{"OnlyIpv6",
                    {0, {"192.0.2.1"}},
                    {0, {"2001:db8::1"}},
                    Family::v6,
                    Answer::found,
                    {"2001:db8::1"},
                    false,
                    ""},
        ResolveCase{
            "NoSuchName", nxdomain, nxdomain, Family::any, Answer::not_found, {}, true, "Domain name not found"},
        ResolveCase{"NoAddress", none, none, Family::any, Answer::not_found, {}, true, "no data"},
        ResolveCase{"NoIpv6Address", {0, {"192.0.2.1"}}, none, Family::v6, Answer::not_found, {}, true, "no data"},
        ResolveCase{
            "ServerFailure", servfail, servfail, Family::any, Answer::server_failure, {}, false, "general failure"},
        ResolveCase{"HalfAFailureHidesNoAddress",
                    {0, {"192.0.2.1"}},
                    servfail,
                    Family::any,
                    Answer::found,
                    {"192.0.2.1"},
                    false,
                    "IPv6 addresses: DNS server returned general failure"},
        ResolveCase{"HalfAFailureIsNoNo",
                    nxdomain,
                    servfail,
                    Family::any,
                    Answer::server_failure,
                    {},
                    false,
                    "general failure"}),
    [](const auto& row) { return row.param.name; });

TEST(Resolve, RefusalByTheNameServerIsNoAnswerAboutTheName) {
  NameServer server([](const std::string&, bool) { return refused; });
  Loop loop;
  const Resolved resolved = run_on(loop, resolve("edge1.contoso.example", {Family::any, {server.address()}}, plenty()));
  EXPECT_FALSE(resolved.record.not_found);
  EXPECT_EQ(resolved.answer, Answer::server_failure);
  EXPECT_NE(resolved.record.error, "");
}

TEST(Resolve, ASilentNameServerTakesTheStepAndNoLonger) {
  NameServer server([](const std::string&, bool) { return NameServer::Reply{.silent = true}; });
  Loop loop;
  const auto start = Deadline::Clock::now();
  const Resolved resolved =
      run_on(loop, resolve("edge1.contoso.example", {Family::any, {server.address()}}, in(300ms)));
  EXPECT_GE(Deadline::Clock::now() - start, 300ms);
  EXPECT_LT(Deadline::Clock::now() - start, 20s);
  EXPECT_EQ(resolved.answer, Answer::no_answer);
  EXPECT_FALSE(resolved.record.not_found);
  EXPECT_EQ(resolved.record.error, "Timeout while contacting DNS servers");
}

TEST(Resolve, WhatWasFoundInTimeCounts) {
  NameServer server([](const std::string&, bool six) {
    return six ? NameServer::Reply{.silent = true} : NameServer::Reply{0, {"192.0.2.1"}};
  });
  Loop loop;
  const Resolved resolved =
      run_on(loop, resolve("edge1.contoso.example", {Family::any, {server.address()}}, in(500ms)));
  EXPECT_EQ(resolved.answer, Answer::found);
  EXPECT_EQ(resolved.record.addresses, Addresses{"192.0.2.1"});
  EXPECT_EQ(resolved.record.error, "IPv6 addresses: Timeout while contacting DNS servers");
}

TEST(Resolve, ALostDatagramIsSentAgain) {
  std::atomic<int> lost = 0;
  NameServer server([&](const std::string&, bool) {
    return lost++ == 0 ? NameServer::Reply{.silent = true} : NameServer::Reply{0, {"192.0.2.1"}};
  });
  Loop loop;
  const Resolved resolved = run_on(loop, resolve("edge1.contoso.example", {Family::v4, {server.address()}}, plenty()));
  EXPECT_EQ(resolved.record.addresses, Addresses{"192.0.2.1"});
  EXPECT_EQ(server.questions(), 2);
}

TEST(Resolve, NothingListensWhereTheNameServerShouldBe) {
  const test::RefusingPort port;
  Loop loop;
  const Resolved resolved = run_on(
      loop, resolve("edge1.contoso.example", {Family::any, {"127.0.0.1:" + std::to_string(port.port())}}, plenty()));
  EXPECT_EQ(resolved.answer, Answer::no_answer);
  EXPECT_FALSE(resolved.record.not_found);
  EXPECT_EQ(resolved.record.error, "Could not contact DNS servers");
}

TEST(Resolve, StopsWhenAskedTo) {
  std::stop_source stop;
  NameServer server([&](const std::string&, bool) {
    stop.request_stop();
    return NameServer::Reply{.silent = true};
  });
  Loop loop;
  const Deadline deadline{Deadline::Clock::now() + 50s, stop.get_token()};
  const Resolved resolved = run_on(loop, resolve("edge1.contoso.example", {Family::any, {server.address()}}, deadline));
  EXPECT_EQ(resolved.answer, Answer::no_answer);
  EXPECT_EQ(resolved.record.error, "interrupted");
}

TEST(Resolve, TheHostsFileComesFirst) {
  NameServer server([](const std::string&, bool) { return NameServer::Reply{0, {"192.0.2.1"}}; });
  Loop loop;
  const Resolved resolved = run_on(loop, resolve("localhost", {Family::v4, {server.address()}}, plenty()));
  EXPECT_EQ(resolved.record.addresses, Addresses{"127.0.0.1"});
  EXPECT_EQ(server.questions(), 0);
}

TEST(Resolve, AnAddressAnswersForItself) {
  Loop loop;
  Resolved resolved = run_on(loop, resolve("2001:DB8:0::1", {Family::any, {}}, plenty()));
  EXPECT_EQ(resolved.record.addresses, Addresses{"2001:db8::1"});
  EXPECT_TRUE(resolved.record.configured);
  resolved = run_on(loop, resolve("2001:db8::1", {Family::v4, {}}, plenty()));
  EXPECT_TRUE(resolved.record.addresses.empty());
  EXPECT_EQ(resolved.record.error, "an IPv6 address, and only IPv4 is asked for");
}

TEST(Resolve, ManyNamesAreAskedForAtOnce) {
  // Says nothing until it has been asked for every name: one name after the other would never get an answer.
  constexpr int names = 20;
  std::set<std::string> asked;
  NameServer server([&](const std::string& name, bool) {
    asked.insert(name);
    if (asked.size() < names) return NameServer::Reply{.silent = true};
    return NameServer::Reply{0, {"192.0.2.1"}};
  });
  Loop loop;
  std::vector<std::optional<Resolved>> results(names);
  for (std::size_t i = 0; i < names; ++i) {
    const std::string name = "edge" + std::to_string(i) + ".contoso.example";
    loop.spawn(test::keep(resolve(name, {Family::v4, {server.address()}}, plenty()), results[i]));
  }
  ASSERT_TRUE(loop.run_until(Deadline::Clock::now() + 60s));
  for (const auto& result : results) {
    ASSERT_TRUE(result);
    EXPECT_EQ(result->record.addresses, Addresses{"192.0.2.1"});
  }
}

TEST(Literals, FilteredAndInOneSpelling) {
  const Addresses given{"192.0.2.1", "2001:DB8::0:1", "edge1", "192.0.2.1"};
  EXPECT_EQ(literals(given, Family::any), (Addresses{"192.0.2.1", "2001:db8::1"}));
  EXPECT_EQ(literals(given, Family::v4), Addresses{"192.0.2.1"});
  EXPECT_EQ(literals(given, Family::v6), Addresses{"2001:db8::1"});
}

}  // namespace
}  // namespace mrascheck::transport

// SPDX-License-Identifier: Apache-2.0
// A run that somebody ends says what it knows, and does not take its own end for the Edge's failure.
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <chrono>
#include <string>
#include <vector>

#include "lab/lab_site.hpp"
#include "support/program.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct SignalCase {
  const char* name;
  int number;
  const char* world;
  std::vector<std::string> fault;
  const char* logged;  ///< by both members, when the run has come as far as it will
  const char* known;   ///< by then
};

class SignalInMidRun : public testing::TestWithParam<SignalCase> {};

TEST_P(SignalInMidRun, PrintsWhatIsKnownAndExitsWithUnknown) {
  const SignalCase& c = GetParam();
  const LabSite site(c.world, c.fault);
  Child check({{built("mrascheck"), "check", "-c", site.file("site.yaml"), "-t", "55s", "--deadline", "60s"}, {}, {}});
  const auto begun = std::chrono::steady_clock::now();
  for (const char* log : {"edge1.log", "edge2.log"}) {
    while (site.read(log).find(c.logged) == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20)) << log;
      ::poll(nullptr, 0, 5);
    }
  }
  check.signal(c.number);
  const Ended ended = check.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(40));
  EXPECT_EQ(ended.code, 3) << ended.out;
  EXPECT_THAT(ended.out, AllOf(HasSubstr("interrupted"), HasSubstr(c.known)));
  EXPECT_THAT(ended.out, Not(HasSubstr("CRITICAL")));
  EXPECT_EQ(ended.err, "");
}

INSTANTIATE_TEST_SUITE_P(
    CommandLine, SignalInMidRun,
    testing::Values(SignalCase{"TermInTheHandshake",
                               SIGTERM,
                               "healthy",
                               {"--fault", "silent-accept"},
                               "accepted",
                               "active-directory: 4 certificates"},
                    SignalCase{"IntInTheHandshake",
                               SIGINT,
                               "healthy",
                               {"--fault", "silent-accept"},
                               "accepted",
                               "active-directory: 4 certificates"},
                    SignalCase{
                        "TermBeforeTheAnswer", SIGTERM, "edge-goes-silent", {}, "SERVICE received", "connection in "}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::test

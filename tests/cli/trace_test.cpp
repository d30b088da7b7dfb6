// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "support/program.hpp"
#include "support/temp_dir.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string traces = MRASCHECK_SOURCE_DIR "/fixtures/traces/";

/// With its text on one line: where it is broken depends on how long the path of the sources is.
Ended trace(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "trace");
  Ended ended = mrascheck(std::move(arguments));
  ended.out = std::regex_replace(ended.out, std::regex{"\\s+"}, " ");
  return ended;
}

TEST(TraceCommand, SaysWhatFailedAndThatItNeverReachedTheEdge) {
  const Ended ended = trace({traces + "port-refused-front-end.txt", traces + "port-refused-edge.txt"});
  EXPECT_EQ(ended.code, 2) << ended.err;
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(ended.out, AllOf(HasSubstr("CRITICAL: MRAS: 2 requests, 2 failed; 2 users are left without credentials"),
                               HasSubstr("ms-diagnostics 1038"), HasSubstr("2 requests never reached the Edge"),
                               HasSubstr("is 2.000 s"), HasSubstr("sip:probe@contoso.example")));
}

TEST(TraceCommand, IsFineWithWhatIsFine) {
  const Ended ended =
      trace({"-v", "--front-end", traces + "granted-front-end.txt", "--edge", traces + "granted-edge.txt"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, AllOf(HasSubstr("OK: MRAS: 1 request, 1 granted"), HasSubstr("a Front End, as given"),
                               HasSubstr("Call-ID 00112233445566778899aabbccddeeff"),
                               Not(HasSubstr("BrEfHXj3fQ1DHPiYTwAfS2nVgYA="))));
}

TEST(TraceCommand, ReadsStandardInputAndWritesJson) {
  const TempDir dir;
  std::string input;
  for (int i = 0; i < 3; ++i) input += "no trace at all\n";
  const Ended ended = run({{built("mrascheck"), "trace", "-", "--format", "json=" + dir / "out.json"}, {}, input});
  EXPECT_EQ(ended.code, 3) << ended.err;
  EXPECT_THAT(dir.read("out.json"), AllOf(HasSubstr("\"format\": \"mrascheck-trace\""), HasSubstr("\"exit_code\": 3"),
                                          HasSubstr("no log record stands in standard input")));
}

TEST(TraceCommand, WhatCannotBeReadIsUnknown) {
  const Ended gone = trace({traces + "granted-front-end.txt", "/nonexistent/trace.txt"});
  EXPECT_EQ(gone.code, 3);
  EXPECT_THAT(gone.out, HasSubstr("/nonexistent/trace.txt: No such file or directory"));
  EXPECT_THAT(trace({traces}).out, HasSubstr("Is a directory"));
  const Ended nothing = trace({"/nonexistent/trace.txt"});
  EXPECT_EQ(nothing.code, 3);
  EXPECT_THAT(nothing.out, AllOf(HasSubstr("UNKNOWN: no trace could be read"), Not(HasSubstr("no MRAS request"))));
  EXPECT_EQ(trace({}).code, 3);
  EXPECT_THAT(trace({}).err, HasSubstr("which trace?"));
  EXPECT_EQ(trace({"--nonsense"}).code, 3);
  EXPECT_EQ(trace({"--format", "yaml", traces + "granted-edge.txt"}).code, 3);
}

TEST(TraceCommand, WhatIsNoTraceIsUnknown) {
  const TempDir dir;
  const std::string other = dir.write("app.log", "2011-03-14 start\n2011-03-14 stop\n");
  const Ended mixed = trace({traces + "granted-front-end.txt", other});
  EXPECT_EQ(mixed.code, 3);
  EXPECT_THAT(mixed.out, AllOf(HasSubstr("UNKNOWN because no log record stands in " + other), HasSubstr("1 granted"),
                               HasSubstr("app.log: no log record")));
  const Ended empty = trace({dir.write("empty.log", "")});
  EXPECT_EQ(empty.code, 3);
  EXPECT_THAT(empty.out, HasSubstr("UNKNOWN because nothing stands in these traces"));
}

}  // namespace
}  // namespace mrascheck::test

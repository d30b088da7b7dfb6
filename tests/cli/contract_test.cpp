// SPDX-License-Identifier: Apache-2.0
// The contract of the Monitoring Plugins, as the programs keep it.
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "support/program.hpp"
#include "support/temp_dir.hpp"
#include "words.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Ended judged(const std::string& name, const std::vector<std::string>& more) {
  std::vector<std::string> words{"check", "--evidence", world(name), "--format", "plugin"};
  words.insert(words.end(), more.begin(), more.end());
  return mrascheck(words);
}

struct ResultCase {
  const char* name;
  const char* world;
  std::vector<std::string> words;
  int code;
};
class ResultTest : public testing::TestWithParam<ResultCase> {};

TEST_P(ResultTest, IsAsWanted) {
  const Ended ended = judged(GetParam().world, GetParam().words);
  EXPECT_EQ(ended.code, GetParam().code) << ended.out;
  static constexpr const char* words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
  EXPECT_THAT(ended.out, StartsWith(fmt::format("MRAS {} - ", words[GetParam().code])));
  EXPECT_THAT(ended.out.substr(0, ended.out.find('\n')), HasSubstr(" | ")) << "performance data, however it ended";
}

INSTANTIATE_TEST_SUITE_P(
    Contract, ResultTest,
    testing::Values(ResultCase{"Timeout", "edge-silent-after-handshake", {}, 2},
                    ResultCase{"TimeoutWarns", "edge-silent-after-handshake", {"--timeout-result", "warning"}, 1},
                    ResultCase{"TimeoutUnknown", "edge-silent-after-handshake", {"--timeout-result", "UNKNOWN"}, 3},
                    ResultCase{"TimeoutIsNoRefusal", "edge-silent-after-handshake", {"--refused-result", "warning"}, 2},
                    ResultCase{"Refused", "port-closed", {}, 2},
                    ResultCase{"RefusedUnknown", "port-closed", {"--refused-result", "unknown"}, 3},
                    ResultCase{"Source", "directory-down", {}, 3},
                    ResultCase{"SourceCritical", "directory-down", {"--source-result", "critical"}, 2},
                    ResultCase{"SourceWarns", "directory-down", {"--source-result", "warning"}, 1},
                    ResultCase{"LifetimeWarns", "healthy-pool", {"-w", "1%"}, 1},
                    ResultCase{"LifetimeCritical", "healthy-pool", {"-w", "expiry=1%", "-C", "expiry=2%"}, 2},
                    ResultCase{"LifetimeByName", "healthy-pool", {"-w", "lifetime=1"}, 1},
                    ResultCase{"LifetimeFine", "healthy-pool", {"-w", "80%", "-C", "90%"}, 0},
                    ResultCase{"LifetimeInsteadOfDays", "healthy-pool", {"-w", "80%", "-C", "10000:"}, 2},
                    ResultCase{"LifetimeBesideDays", "healthy-pool", {"-w", "80%", "-w", "10000:"}, 1}),
    [](const auto& row) { return row.param.name; });

TEST(Contract, WhatWasNotLookedAtIsNeverOk) {
  for (const char* option : {"--timeout-result", "--refused-result", "--source-result"}) {
    const Ended ended = judged("port-closed", {option, "ok"});
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err, HasSubstr(fmt::format("{} ok: it is critical, warning or unknown", option)));
  }
}

TEST(Contract, ThresholdsStandInPerformanceDataAsWanted) {
  const std::string days = "days_edge1=304.9999";
  EXPECT_THAT(judged("healthy-pool", {}).out, HasSubstr(days + ";30:;10: "));
  EXPECT_THAT(judged("healthy-pool", {"--perfdata-thresholds", "plain"}).out, HasSubstr(days + ";30;10 "));
  EXPECT_THAT(judged("healthy-pool", {"--perfdata-thresholds", "none"}).out, HasSubstr(days + " "));
  EXPECT_THAT(judged("healthy-pool", {"--perfdata-thresholds", "some"}).err,
              HasSubstr("--perfdata-thresholds some: it is range, plain or none"));
}

TEST(Contract, LabelsAreUniqueInTheirFirstNineteenCharactersAndStable) {
  for (const char* name : {"healthy-pool", "edge-knows-another-root", "port-closed"}) {
    std::vector<std::string> before;
    for (int run = 0; run < 2; ++run) {
      const std::string out = judged(name, {}).out;
      const std::string line = out.substr(0, out.find('\n'));
      std::istringstream values(line.substr(line.find(" | ") + 3));
      std::vector<std::string> labels;
      std::set<std::string> heads;
      for (std::string value; values >> value;) {
        labels.push_back(value.substr(0, value.find('=')));
        EXPECT_TRUE(heads.insert(labels.back().substr(0, 19)).second) << labels.back();
      }
      EXPECT_GT(labels.size(), 3U);
      if (run > 0) EXPECT_EQ(labels, before);
      before = labels;
    }
  }
}

TEST(Contract, WhatBelongsToACauseStandsBelowIt) {
  const std::string out = judged("edge-knows-another-root", {"-v"}).out;
  EXPECT_THAT(out,
              ContainsRegex("\n\\[CRITICAL\\] cause: [^\n]*\n  \\\\_ \\[CRITICAL\\] [^\n]*\n     \\\\_ what to do: "));
  EXPECT_THAT(out, ContainsRegex("\n  \\\\_ ends with it: \\[CRITICAL\\] handshake"));
}

Ended with_ini(const std::string& ini, const std::vector<std::string>& words, const std::string& how = "--extra-opts") {
  const TempDir dir;
  std::vector<std::string> all{built("check_mras")};
  all.insert(all.end(), words.begin(), words.end());
  all.push_back(how);
  return run({all, {{"MP_CONFIG_FILE", dir.write("monitoring-plugins.ini", ini)}}, ""});
}

TEST(ExtraOptions, AreTakenFromTheSectionOfThePlugin) {
  const std::string ini =
      "# a comment\n[other]\nhostname = elsewhere\n[check_mras]\n  hostname = not a name \n; another\n"
      "certificate=c\nkey=k\ntrust=t\n";
  EXPECT_THAT(with_ini(ini, {}).out, StartsWith("MRAS UNKNOWN - -H not a name: neither a host name nor an address"));
  EXPECT_THAT(with_ini(ini, {"-H", "192.0.2.1"}).out,
              StartsWith("MRAS UNKNOWN - -H 192.0.2.1 is an address: say with --name"))
      << "the command line comes first";
  EXPECT_THAT(with_ini("[check_mras]\nH=a b\ncertificate=c\nkey=k\ntrust=t\n", {}).out, HasSubstr("-H a b: neither"));
  EXPECT_THAT(with_ini("[check_mras]\nversion\n", {}).out, StartsWith("check_mras 0."));
  EXPECT_THAT(with_ini(ini, {}, "--extra-opts=other").out, HasSubstr("--certificate is missing"));
}

TEST(ExtraOptions, AreTakenFromTheFileThatIsNamed) {
  const TempDir dir;
  const std::string file = dir.write("own.ini", "[mine]\nversion\n");
  const Ended ended = check_mras({"--extra-opts=mine@" + file});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.out, StartsWith("check_mras 0."));
  EXPECT_THAT(check_mras({"--extra-opts=@" + file}).out, HasSubstr("it has no section [check_mras]"));
}

struct BadIniCase {
  const char* name;
  std::string ini;
  const char* says;
};
class BadIniTest : public testing::TestWithParam<BadIniCase> {};

TEST_P(BadIniTest, IsToldInOneLine) {
  const Ended ended = with_ini(GetParam().ini, {});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.out, AllOf(StartsWith("MRAS UNKNOWN - "), HasSubstr(GetParam().says)));
  EXPECT_EQ(ended.err, "");
}

INSTANTIATE_TEST_SUITE_P(
    Contract, BadIniTest,
    testing::Values(BadIniCase{"NoSection", "hostname = x\n", "it has no section [check_mras]"},
                    BadIniCase{"OpenSection", "[check_mras\n", ":1: a section ends with ]"},
                    BadIniCase{"Dashes", "[check_mras]\n--hostname = x\n",
                               ":2: write the name of an option, without dashes"},
                    BadIniCase{"NoKey", "[check_mras]\n= x\n", ":2: write the name of an option"},
                    BadIniCase{"UnknownOption", "[check_mras]\nhostnam = x\n", "unknown option --hostnam"},
                    BadIniCase{"TooLarge", "[check_mras]\n" + std::string(70'000, '#'), "larger than 65536 bytes"}),
    [](const auto& row) { return row.param.name; });

TEST(ExtraOptions, WithoutAFileAreToldSo) {
  const Ended lost = check_mras({"--extra-opts=@/nowhere/plugins.ini"});
  EXPECT_EQ(lost.code, 3);
  EXPECT_THAT(lost.out, HasSubstr("/nowhere/plugins.ini: No such file or directory"));
}

}  // namespace
}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
// What servers say of themselves in files, through the whole program: their traces, and what is installed on them.
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "lab/lab_site.hpp"
#include "support/program.hpp"
#include "support/temp_dir.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string fixture_traces = MRASCHECK_SOURCE_DIR "/fixtures/traces/";
const std::string fixture_versions = MRASCHECK_SOURCE_DIR "/fixtures/versions/";

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A Front End and the Edge that the traces of the fixtures speak of.
class TracedSite {
 public:
  TracedSite(const std::string& of_front_end, const std::string& of_edge) {
    dir_.write("site.yaml", "site: traced\nservers:\n  - name: fe01.contoso.example\n    role: front-end\n" +
                                of_front_end + "  - name: edge-int.contoso.example\n    role: edge\n" + of_edge);
  }
  Ended check(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"check", "-c", dir_ / "site.yaml"});
    return judged(std::move(arguments));
  }
  Ended replay(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"check", "--evidence", dir_ / "seen.json"});
    return judged(std::move(arguments));
  }
  std::string record() const { return dir_ / "seen.json"; }

 private:
  /// With its text on one line: where it is broken depends on how long paths are.
  static Ended judged(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--only", "mras-traces", "--only", "server-versions", "-v"});
    Ended ended = mrascheck(std::move(arguments));
    ended.out = std::regex_replace(ended.out, std::regex{"\\s+"}, " ");
    return ended;
  }
  TempDir dir_;
};

TEST(ServerFiles, TracesOfTheConfigurationAreJudgedAndReplayed) {
  const TracedSite site("    traces: " + fixture_traces + "port-refused-front-end.txt\n",
                        "    traces: [" + fixture_traces + "port-refused-edge.txt]\n");
  const Ended look = site.check({"--record", site.record()});
  EXPECT_EQ(look.code, 2) << look.err;
  EXPECT_THAT(look.out, AllOf(HasSubstr("CRITICAL [mras-traces.never-reached] 2 MRAS requests of fe01.contoso.example "
                                        "never reached edge-int.contoso.example"),
                              HasSubstr("its clock is 2.000 s behind"), HasSubstr("records a transaction")));
  const Ended again = site.replay({});
  EXPECT_EQ(again.code, look.code);
  EXPECT_EQ(again.out, look.out);
  EXPECT_THAT(content(site.record()), Not(HasSubstr("probe@contoso.example"))) << "users are counted, not named";
}

TEST(ServerFiles, TracesCanBeGivenAsOptions) {
  const TracedSite site("", "");
  const Ended fine = site.check({"--trace", "fe01.contoso.example=" + fixture_traces + "granted-front-end.txt",
                                 "--trace", "EDGE-INT.contoso.example=" + fixture_traces + "granted-edge.txt"});
  EXPECT_EQ(fine.code, 0) << fine.out << fine.err;
  EXPECT_THAT(fine.out, HasSubstr("1 request got credentials"));
  const Ended stranger = site.check({"--trace", "fe1.contoso.example=x"});
  EXPECT_EQ(stranger.code, 3);
  EXPECT_THAT(stranger.err + stranger.out, HasSubstr("did you mean 'fe01.contoso.example'?"));
  const Ended nothing = site.check({"--trace", "fe01.contoso.example"});
  EXPECT_EQ(nothing.code, 3);
  EXPECT_THAT(nothing.err + nothing.out, HasSubstr("SERVER=FILE is needed"));
  const Ended gone = site.check({"--trace", "fe01.contoso.example=/nonexistent"});
  EXPECT_EQ(gone.code, 3);
  EXPECT_THAT(gone.out, HasSubstr("UNKNOWN traces fe01.contoso.example: /nonexistent: No such file or directory"));
  const Ended foreign = site.check({"--trace", "fe01.contoso.example=" + fixture_versions + "edge-list.txt"});
  EXPECT_EQ(foreign.code, 3);
  EXPECT_THAT(foreign.out, HasSubstr("no log record in it"));
}

TEST(ServerFiles, WhatIsSaidOfOneVersionTwiceMustAgree) {
  const TracedSite site("",
                        "    patch-level: 5.0.8308.0\n    patch-report: " + fixture_versions + "edge-uninstall.reg\n");
  const Ended ended = site.check({});
  EXPECT_EQ(ended.code, 1) << ended.out;
  EXPECT_THAT(ended.out, AllOf(HasSubstr("WARNING [server-versions.sources-differ]"), HasSubstr("5.0.8308.291"),
                               HasSubstr("patch-level in the configuration: 5.0.8308.0"),
                               HasSubstr("everything else here goes by its registry export")));
}

TEST(ServerFiles, AReportThatSaysNothingIsUnknown) {
  const TracedSite site("", "    patch-report: " + fixture_traces + "granted-edge.txt\n");
  const Ended ended = site.check({});
  EXPECT_EQ(ended.code, 3) << ended.out;
  EXPECT_THAT(ended.out, AllOf(HasSubstr("UNKNOWN versions edge-int.contoso.example"),
                               HasSubstr("Get-CsServerPatchVersion -Report")));
}

/// A trace of the fixtures in a site of the lab, whose Edges are a pool.
std::string for_the_lab(const TempDir& dir, const std::string& name) {
  const std::string text = content(fixture_traces + name);
  return dir.write(name, std::regex_replace(text, std::regex{"edge-int\\.contoso\\.example"}, "edge.contoso.example"));
}

TEST(ServerFiles, TheSecondIncidentLeadsWithTheEdgeThatIsBehindAndDoesNotClaimIt) {
  std::optional<LabSite> lab("unpatched-edge");
  const TempDir dir;
  const std::string trace = for_the_lab(dir, "connection-failed-front-end.txt");
  Ended ended = mrascheck({"check", "-c", lab->file("site.yaml"), "--trace", "fe1.contoso.example=" + trace});
  EXPECT_EQ(ended.code, 2) << ended.err;
  ended.out = std::regex_replace(ended.out, std::regex{"\\s+"}, " ");
  const std::size_t cause = ended.out.find("probably because edge1.contoso.example has fewer updates");
  ASSERT_NE(cause, std::string::npos) << ended.out;
  EXPECT_LT(cause, ended.out.find("[mras-traces.failed]"));
  EXPECT_THAT(ended.out, AllOf(HasSubstr("the trace of fe1.contoso.example holds 1 answer with"),
                               HasSubstr("that it is the cause is not shown")));
}

TEST(ServerFiles, ATraceThatIsNotReadInTimeIsUnknown) {
  const TempDir dir;
  const std::string large = dir.write("large.txt", "");
  constexpr std::uintmax_t more_than_a_second_of_reading = std::uintmax_t{64} << 30U;  // a hole: it takes no room
  std::filesystem::resize_file(large, more_than_a_second_of_reading);
  const TracedSite site("    traces: " + large + "\n", "");
  const Ended ended = site.check({"--deadline", "1500ms"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.out, HasSubstr("not read to its end before the deadline"));
}

TEST(ServerFiles, TheFirstIncidentLeadsWithTheStaleCaAndFoldsTheTraceBelowIt) {
  std::optional<LabSite> lab("stale-issuing-ca");
  const TempDir dir;
  const std::string ours = for_the_lab(dir, "port-refused-front-end.txt");
  const std::string theirs = for_the_lab(dir, "port-refused-edge.txt");
  const Ended ended = mrascheck({"check", "-c", lab->file("site.yaml"), "--trace", "fe1.contoso.example=" + ours,
                                 "--trace", "edge1.contoso.example=" + theirs});
  EXPECT_EQ(ended.code, 2) << ended.err;
  const std::size_t cause = ended.out.find("because fe1 sends a stale Contoso Issuing");
  const std::size_t below = ended.out.find("Ends with it");
  const std::size_t never = ended.out.find("[mras-traces.never-reached]");
  ASSERT_NE(cause, std::string::npos) << ended.out;
  ASSERT_NE(never, std::string::npos) << ended.out;
  EXPECT_LT(cause, below);
  EXPECT_LT(below, never);
  EXPECT_EQ(ended.out.find("[mras-traces.never-reached]", never + 1), std::string::npos) << "it stands below the cause";
}

}  // namespace
}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
#include "core/results.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "core/perfdata.hpp"

namespace mrascheck {
namespace {

Handshake ended_with(const std::string& to, Outcome outcome) {
  Handshake handshake;
  handshake.from = "fe1";
  handshake.to = to;
  handshake.address = "192.0.2.1";
  handshake.port = 5062;
  handshake.outcome = outcome;
  return handshake;
}

Finding graded(std::string_view code, Status status, const std::string& about) {
  Finding finding;
  finding.code = code;
  finding.status = status;
  finding.about = about;
  return finding;
}

struct Graded {
  Evidence evidence;
  Report report;

  /// Two Edges that do not answer MRAS, of which one was reset; a third does not listen; a directory is down.
  Graded() {
    evidence.handshakes = {ended_with("silent", Outcome::timed_out), ended_with("hasty", Outcome::closed)};
    CheckResult port;
    port.id = "port-reachable";
    port.verdict.examined = 3;
    port.verdict.findings = {graded("port-reachable.refused", Status::critical, "fe1 -> deaf (192.0.2.1:5062)"),
                             graded("port-reachable.slow", Status::warning, "fe1 -> hasty (192.0.2.1:5062)")};
    CheckResult mras;
    mras.id = "mras-credentials";
    mras.verdict.examined = 2;
    mras.verdict.findings = {graded("mras-credentials.no-answer", Status::critical, "fe1 -> hasty (192.0.2.1:5062)"),
                             graded("mras-credentials.no-answer", Status::critical, "fe1 -> silent (192.0.2.1:5062)")};
    CheckResult stores;
    stores.id = "store-contents";
    stores.gaps = {0};
    stores.status = Status::unknown;
    report.gaps = {{Needs::stores, "ad", ErrorKind::unreachable, "down", "Start it."}};
    report.checks = {port, mras, stores};
    report.checks[0].status = report.checks[1].status = report.status = Status::critical;
    Cause cause;
    cause.root = {0, 0};
    cause.symptoms = {{1, 1}};
    report.causes = {cause};
  }
  void apply(const Results& results) { regrade(results, evidence, report); }
};

TEST(Regrade, WithoutAWishChangesNothing) {
  Graded graded;
  graded.apply({});
  EXPECT_EQ(graded.report.status, Status::critical);
  EXPECT_EQ(graded.report.gaps[0].status, Status::unknown);
}

TEST(Regrade, OfTimeoutsIsOfThoseAlone) {
  Graded graded;
  graded.apply({.timeout = Status::warning, .refused = {}, .source = {}});
  const auto& findings = graded.report.checks[1].verdict.findings;
  EXPECT_EQ(findings[0].about, "fe1 -> hasty (192.0.2.1:5062)");
  EXPECT_EQ(findings[0].status, Status::critical);
  EXPECT_EQ(findings[1].status, Status::warning);
  EXPECT_EQ(graded.report.status, Status::critical);
}

TEST(Regrade, SortsAgainAndCausesFollow) {
  Graded graded;
  graded.apply({.timeout = Status::unknown, .refused = Status::unknown, .source = {}});
  const auto& findings = graded.report.checks[0].verdict.findings;
  EXPECT_EQ(findings[0].code, "port-reachable.slow");
  EXPECT_EQ(findings[1].code, "port-reachable.refused");
  EXPECT_EQ(graded.report.checks[0].status, Status::warning);
  const Cause& cause = graded.report.causes[0];
  EXPECT_EQ(cause.root, (FindingRef{0, 1})) << "the refused one, where it stands now";
  EXPECT_EQ(cause.symptoms.at(0), (FindingRef{1, 1}));
  EXPECT_EQ(cause.status, Status::unknown);
  EXPECT_EQ(graded.report.status, Status::critical) << "the one that was closed is no timeout";
}

TEST(Regrade, OfSourcesIsOfGapsThatTheNetworkMade) {
  Graded graded;
  graded.report.gaps.push_back({Needs::stores, "file", ErrorKind::local, "Permission denied", "Read it."});
  graded.report.checks[0].verdict.findings.clear();
  graded.report.checks[1].verdict.findings.clear();
  graded.report.causes.clear();
  graded.apply({.timeout = {}, .refused = {}, .source = Status::warning});
  EXPECT_EQ(graded.report.gaps[0].status, Status::warning);
  EXPECT_EQ(graded.report.gaps[1].status, Status::unknown);
  EXPECT_EQ(graded.report.checks[2].status, Status::warning);
  EXPECT_EQ(graded.report.status, Status::warning);
}

struct FormCase {
  const char* name;
  ThresholdForm form;
  const char* range;
  const char* printed;
};
class ThresholdFormTest : public testing::TestWithParam<FormCase> {};

TEST_P(ThresholdFormTest, PrintsWhatItSays) {
  Perfdata perfdata;
  perfdata.label = "days";
  perfdata.value = 5;
  perfdata.warning = parse_range(GetParam().range).value();
  EXPECT_EQ(to_string(perfdata, GetParam().form), GetParam().printed);
}

INSTANTIATE_TEST_SUITE_P(Perfdata, ThresholdFormTest,
                         testing::Values(FormCase{"Range", ThresholdForm::range, "30:", "days=5;30:"},
                                         FormCase{"LowerBound", ThresholdForm::plain, "30:", "days=5;30"},
                                         FormCase{"UpperBound", ThresholdForm::plain, "~:10", "days=5;10"},
                                         FormCase{"Both", ThresholdForm::plain, "-60:60", "days=5;60"},
                                         FormCase{"Inside", ThresholdForm::plain, "@10:20", "days=5;20"},
                                         FormCase{"None", ThresholdForm::none, "30:", "days=5"}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck

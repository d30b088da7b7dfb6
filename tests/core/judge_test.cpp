// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "core/report.hpp"

namespace mrascheck {
namespace {

constexpr std::array kinds{FindingKind{"sample.bad", "something is bad", {"RFC 5280", "4"}}};

Verdict passes(const Evidence&) {
  Verdict verdict;
  verdict.examined = 1;
  return verdict;
}
Verdict sees_nothing(const Evidence&) {
  return {};
}
Verdict warns(const Evidence&) {
  Verdict verdict;
  verdict.examined = 1;
  for (const Status status : {Status::warning, Status::critical}) {
    Finding& finding = verdict.findings.emplace_back();
    finding.code = kinds.front().code;
    finding.status = status;
    finding.summary = "something is bad";
  }
  return verdict;
}

constexpr Check passing{"passing", "passes", Needs::stores, kinds, passes};
constexpr Check idle{"idle", "has nothing to look at", Needs::names, kinds, sees_nothing};
constexpr Check warning{"warning", "warns", Needs::handshakes, kinds, warns};

Gap gap(Needs need) {
  return {need, "ad", ErrorKind::unreachable, "ldap://dc1: connection refused", "look at dc1"};
}

TEST(Judge, NothingWrongIsOk) {
  const std::array checks{&passing, &idle};
  const Report report = judge(Evidence{}, checks);
  EXPECT_EQ(report.status, Status::ok);
  EXPECT_TRUE(report.checks[0].applicable);
  EXPECT_FALSE(report.checks[1].applicable);
}

TEST(Judge, AGapIsUnknownForTheChecksThatNeedIt) {
  Evidence evidence;
  evidence.gaps.push_back(gap(Needs::stores));
  const std::array checks{&passing, &warning};
  const Report report = judge(evidence, checks);
  EXPECT_EQ(report.checks[0].status, Status::unknown);
  EXPECT_EQ(report.checks[0].gaps, std::vector<std::size_t>{0});
  EXPECT_TRUE(report.checks[1].gaps.empty());
  EXPECT_EQ(report.status, Status::critical) << "what is known to be bad stays bad";
}

TEST(Judge, AStoreThatWasCutShortIsUnknownForEveryCheckThatLooksAtStores) {
  Evidence evidence;
  StoreContents& store = evidence.stores.emplace_back();
  store.store = "ad";
  store.truncated = "the server gives 1000 at most";
  const std::array checks{&passing, &idle};
  const Report report = judge(evidence, checks);
  EXPECT_EQ(report.status, Status::unknown);
  EXPECT_EQ(report.checks[0].status, Status::unknown);
  EXPECT_EQ(report.checks[1].status, Status::ok);
  ASSERT_EQ(report.gaps.size(), 1U);
  EXPECT_EQ(report.gaps[0].reason, "not read to its end: the server gives 1000 at most");
}

TEST(Judge, AGapThatNoChosenCheckNeedsIsStillNotOk) {
  Evidence evidence;
  evidence.gaps.push_back(gap(Needs::handshakes));
  const std::array checks{&passing};
  EXPECT_EQ(judge(evidence, checks).status, Status::unknown);
}

TEST(Judge, LookingAtNothingIsNeverOk) {
  const std::array checks{&idle};
  EXPECT_EQ(judge(Evidence{}, checks).status, Status::unknown);
  EXPECT_EQ(judge(Evidence{}, {}).status, Status::unknown);
}

TEST(Judge, NobodysCertificateIsInOrderUnseen) {
  constexpr Check certificates{"certificates", "are in order", Needs::identities | Needs::handshakes, kinds, passes};
  Evidence evidence;
  evidence.site.links.push_back({"fe1", "edge1", 5062, Service::mras, Expectation::accept});
  Handshake& refused = evidence.handshakes.emplace_back();
  refused.from = "fe1";
  refused.to = "edge1";
  refused.sent_chain.push_back(std::make_shared<Certificate>());
  const std::array both{&passing, &certificates};
  const Report report = judge(evidence, both);
  EXPECT_EQ(report.status, Status::unknown);
  EXPECT_EQ(report.checks[0].status, Status::ok);
  EXPECT_EQ(report.checks[1].status, Status::unknown);
  ASSERT_EQ(report.gaps.size(), 1U);
  EXPECT_EQ(report.gaps[0].about, "edge1");
  EXPECT_EQ(report.checks[1].gaps, std::vector<std::size_t>{0});
  // Where a finding says it already, it is not said twice; a check that looks at no certificate does not mind.
  const std::array with_finding{&certificates, &warning};
  EXPECT_TRUE(judge(evidence, with_finding).gaps.empty());
  const std::array no_certificates{&passing};
  EXPECT_EQ(judge(evidence, no_certificates).status, Status::ok);
  refused.peer_chain = refused.sent_chain;
  EXPECT_EQ(judge(evidence, both).status, Status::ok);
}

struct Hole {
  const char* name;
  std::function<void(Evidence&)> make;
  const char* about;
  const char* reason;
};

class HoleTest : public testing::TestWithParam<Hole> {};

TEST_P(HoleTest, InARecordingIsUnknown) {
  Evidence evidence;
  evidence.site.stores.emplace_back().name = "ad";
  evidence.stores.emplace_back().store = "ad";
  for (const char* name : {"fe1", "edge1"}) evidence.site.servers.emplace_back().name = name;
  evidence.site.links.push_back({"fe1", "edge1", 5062, Service::mras, Expectation::accept});
  Handshake& handshake = evidence.handshakes.emplace_back();
  handshake.from = "fe1";
  handshake.to = "edge1";
  handshake.port = 5062;
  handshake.phase = Phase::done;
  handshake.outcome = Outcome::completed;
  handshake.peer_chain = handshake.sent_chain = {std::make_shared<Certificate>()};
  handshake.mras.emplace();
  const std::array checks{&passing};
  ASSERT_EQ(judge(evidence, checks).status, Status::ok);
  GetParam().make(evidence);
  const Report report = judge(evidence, checks);
  EXPECT_EQ(report.status, Status::unknown);
  ASSERT_EQ(report.gaps.size(), 1U);
  EXPECT_EQ(report.gaps[0].about, GetParam().about);
  EXPECT_NE(report.gaps[0].reason.find(GetParam().reason), std::string::npos) << report.gaps[0].reason;
  EXPECT_FALSE(report.gaps[0].remedy.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Recordings, HoleTest,
    testing::Values(Hole{"AStoreThatIsNeitherThereNorMissing", [](Evidence& e) { e.stores.clear(); }, "ad",
                         "neither holds it nor says why not"},
                    Hole{"CompletedWithoutACertificate", [](Evidence& e) { e.handshakes[0].peer_chain.clear(); },
                         "fe1 -> edge1:5062", "without a certificate"},
                    Hole{"CompletedWithAFatalAlert",
                         [](Evidence& e) {
                           e.handshakes[0].alerts_received = {{48, true}};
                         },
                         "fe1 -> edge1:5062", "with a fatal alert"},
                    Hole{"CompletedWithoutTheRequest", [](Evidence& e) { e.handshakes[0].mras.reset(); },
                         "fe1 -> edge1:5062", "without the request"}),
    [](const auto& row) { return row.param.name; });

TEST(Judge, AServerThatNothingIsAskedOfIsAGapWhereCertificatesAreLookedAt) {
  constexpr Check certificates{"certificates", "are in order", Needs::identities | Needs::handshakes, kinds, passes};
  Evidence evidence;
  evidence.site.servers.emplace_back().name = "fe2";
  const std::array both{&passing, &certificates};
  const Report report = judge(evidence, both);
  EXPECT_EQ(report.status, Status::unknown);
  ASSERT_EQ(report.gaps.size(), 1U);
  EXPECT_EQ(report.gaps[0].about, "fe2");
  EXPECT_NE(report.gaps[0].reason.find("in no link"), std::string::npos) << report.gaps[0].reason;
  EXPECT_NE(report.gaps[0].remedy.find("Name fe2 in a link"), std::string::npos) << report.gaps[0].remedy;
  const std::array stores{&passing};
  EXPECT_EQ(judge(evidence, stores).status, Status::ok) << "a look at stores alone misses nothing";
}

TEST(Judge, AServerWithAStoreOfItsOwnIsLookedAt) {
  constexpr Check certificates{"certificates", "are in order", Needs::identities | Needs::handshakes, kinds, passes};
  Evidence evidence;
  evidence.site.servers.emplace_back().name = "fe2";
  evidence.site.stores.push_back({"fe2-root", StoreKind::root, "fe2", false});
  evidence.stores.emplace_back().store = "fe2-root";
  const std::array checks{&passing, &certificates};
  EXPECT_EQ(judge(evidence, checks).status, Status::ok);
}

TEST(Judge, FindingsStandWorstFirst) {
  const std::array checks{&warning};
  const Report report = judge(Evidence{}, checks);
  ASSERT_EQ(report.checks[0].verdict.findings.size(), 2U);
  EXPECT_EQ(report.checks[0].verdict.findings[0].status, Status::critical);
  EXPECT_EQ(report.status, Status::critical);
}

}  // namespace
}  // namespace mrascheck

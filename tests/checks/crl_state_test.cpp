// SPDX-License-Identifier: Apache-2.0
// What the check makes of the revocation lists of a CA that was deployed twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "checks/registry.hpp"
#include "core/report.hpp"
#include "support/worlds.hpp"

namespace mrascheck {
namespace {

using test::revocation_fixture;
using test::SmallSite;
using testing::Contains;
using testing::HasSubstr;

/// fe1 is configured with the leaf of the second installation; the store "ad" holds both.
SmallSite site_with(const std::vector<const char*>& lists) {
  SmallSite site;
  site.evidence.identities.push_back({"fe1.contoso.example", revocation_fixture("leaf"), {}, true});
  site.evidence.identities.push_back({"edge1.contoso.example", revocation_fixture("leaf"), {}, true});
  auto& entries = site.evidence.stores.front().entries;
  entries.push_back({revocation_fixture("root"), StoreKind::root, "CN=root", 0});
  for (const char* name : {"issuing-a", "issuing-b"})
    entries.push_back({revocation_fixture(name), StoreKind::intermediate, std::string{"CN="} + name, 0});
  for (const char* list : lists) site.crl(list);
  return site;
}

CheckResult judged(SmallSite& site) {
  const std::vector<const Check*> one{checks::find("crl-state")};
  return judge(site.ready(), one).checks.front();
}

std::vector<std::string> codes(const CheckResult& result) {
  std::vector<std::string> all;
  for (const Finding& finding : result.verdict.findings)
    all.push_back(std::string{to_string(finding.status)} + " " + std::string{finding.code});
  return all;
}

struct CrlStateRow {
  const char* name;
  std::vector<const char*> lists;
  std::vector<std::string> found;
};
void PrintTo(const CrlStateRow& row, std::ostream* out) {
  *out << row.name;
}
class CrlStateTest : public testing::TestWithParam<CrlStateRow> {};

TEST_P(CrlStateTest, FindsWhatItShould) {
  SmallSite site = site_with(GetParam().lists);
  const CheckResult result = judged(site);
  EXPECT_EQ(codes(result), GetParam().found);
  EXPECT_EQ(result.applicable, !GetParam().lists.empty());
  EXPECT_EQ(result.verdict.examined, GetParam().lists.size());
}

INSTANTIATE_TEST_SUITE_P(
    Lists, CrlStateTest,
    testing::Values(
        CrlStateRow{"None", {}, {}}, CrlStateRow{"InOrder", {"list-b", "list-root"}, {}},
        CrlStateRow{"OfTheRootAlone", {"list-root"}, {}},
        CrlStateRow{"Overdue", {"list-b-overdue"}, {"WARNING crl-state.overdue"}},
        CrlStateRow{"OverdueBesideANewerOne", {"list-b-overdue", "list-b"}, {"WARNING crl-state.overdue"}},
        CrlStateRow{"OfTheOtherTwin", {"list-a"}, {"WARNING crl-state.other-key"}},
        CrlStateRow{"OfBothTwins", {"list-a", "list-b"}, {}},
        CrlStateRow{"TheOtherTwinNamesTheSerialNumber", {"list-a-names-leaf", "list-b"}, {}},
        CrlStateRow{"LeafRevoked", {"list-b-revokes-leaf"}, {"CRITICAL crl-state.revoked"}},
        CrlStateRow{
            "LeafRevokedInOneOfSeveral", {"list-b", "list-b-revokes-leaf", "list-a"}, {"CRITICAL crl-state.revoked"}},
        CrlStateRow{"AuthorityRevoked", {"list-b", "list-root-revokes-b"}, {"CRITICAL crl-state.revoked"}},
        CrlStateRow{"UnknownCriticalExtension", {"list-b-unknown-critical"}, {"UNKNOWN crl-state.undecided"}}),
    [](const auto& row) { return row.param.name; });

TEST(CrlState, TheSecondOfNextUpdateIsStillCovered) {
  SmallSite site = site_with({"list-b"});
  site.evidence.collected_at = *test::crl_fixture("list-b")->next_update;
  EXPECT_EQ(codes(judged(site)), std::vector<std::string>{});
  site.evidence.collected_at += std::chrono::seconds{1};
  EXPECT_EQ(codes(judged(site)), std::vector<std::string>{"WARNING crl-state.overdue"});
}

TEST(CrlState, AnOverdueListSaysWhereANewerOneIs) {
  SmallSite site = site_with({"list-b-overdue", "list-b"});
  const CheckResult result = judged(site);
  ASSERT_EQ(result.verdict.findings.size(), 1U);
  EXPECT_THAT(result.verdict.findings[0].facts, Contains(HasSubstr("a newer one is at hand: list number 05")));
  EXPECT_THAT(result.verdict.findings[0].facts, Contains("  in ad: CN=list-b,CN=CDP"));
}

TEST(CrlState, AnAddressWithoutAHostIsInTheConfiguredDirectory) {
  constexpr const char* dn =
      "CN=Revocation Issuing CA,CN=ca1,CN=CDP,CN=Public Key "
      "Services,CN=Services,CN=Configuration,DC=contoso,DC=example";
  SmallSite site = site_with({"list-a"});
  const auto facts = [&site] { return judged(site).verdict.findings.at(0).facts; };
  EXPECT_THAT(facts(), Contains(testing::EndsWith("(in the directory ad: nothing there)")));
  site.evidence.stores.front().crls.front().place = dn;
  EXPECT_THAT(facts(), Contains(testing::EndsWith("(in the directory ad: 1 revocation list there)")));
  site.evidence.site.stores.front().directory = false;
  EXPECT_THAT(facts(), Contains(testing::EndsWith("(in the directory of the forest, and none is configured here)")));
}

TEST(CrlState, AnObjectsNameIsShownWithTheAuthoritysOwn) {
  SmallSite site = site_with({"list-b-revokes-leaf"});
  site.evidence.stores.front().crls.front().place = "CN=M!00fcller CA,CN=CDP";
  EXPECT_THAT(judged(site).verdict.findings.at(0).facts,
              Contains("  in ad: CN=M!00fcller CA,CN=CDP (M\xC3\xBCller CA)"));
}

TEST(CrlState, AListOfAnExpiredAuthorityNeedsNoRenewal) {
  SmallSite site = site_with({"list-b"});
  site.evidence.collected_at = revocation_fixture("issuing-b")->not_after + std::chrono::seconds{1};
  EXPECT_EQ(codes(judged(site)), std::vector<std::string>{});
}

TEST(CrlState, ARenewalOnANewKeyIsNoOtherAuthority) {
  // By what their certificates say, b is the renewal of a: a list by a's key is then one of the same CA.
  SmallSite site = site_with({"list-a-names-leaf"});
  auto renewed = std::make_shared<Certificate>(*revocation_fixture("issuing-b"));
  renewed->previous_ca_hash = revocation_fixture("issuing-a")->thumbprint;
  renewed->ca_version = CaVersion{.certificate_index = 1, .key_index = 1};
  site.evidence.stores.front().entries.back().certificate = renewed;
  EXPECT_EQ(codes(judged(site)), std::vector<std::string>{"CRITICAL crl-state.revoked"});
}

TEST(CrlState, AListWhoseSignerIsNotKnownDecidesNothing) {
  SmallSite site = site_with({"list-b-revokes-leaf"});
  site.evidence.stores.front().entries.resize(1);  // the root alone
  EXPECT_EQ(codes(judged(site)), std::vector<std::string>{"UNKNOWN crl-state.undecided"});
}

TEST(CrlState, AListOfAnUnknownKeyThatNamesALiveCertificateDecidesNothingEvenBesideAGoodOne) {
  SmallSite site = site_with({"list-b", "list-a-names-leaf"});
  auto& entries = site.evidence.stores.front().entries;
  entries.erase(entries.begin() + 1);  // issuing-a, whose key signed the second list
  EXPECT_EQ(codes(judged(site)), std::vector<std::string>{"UNKNOWN crl-state.undecided"});
}

TEST(CrlState, AListOfAnUnknownKeyAloneIsAnotherKeys) {
  SmallSite site = site_with({"list-a"});
  auto& entries = site.evidence.stores.front().entries;
  entries.erase(entries.begin() + 1);
  EXPECT_EQ(codes(judged(site)), std::vector<std::string>{"WARNING crl-state.other-key"});
}

TEST(CrlState, WhatWasNotVerifiedIsNotHeldAgainstAnybody) {
  SmallSite site = site_with({"list-b-revokes-leaf"});
  Evidence evidence = site.ready();
  evidence.signatures.clear();
  const std::vector<const Check*> one{checks::find("crl-state")};
  EXPECT_EQ(codes(judge(evidence, one).checks.front()), std::vector<std::string>{"UNKNOWN crl-state.undecided"});
}

/// The list `name` as `change` makes it; its signature still holds, as proofs go by the bytes.
void change(SmallSite& site, std::size_t at, const std::function<void(Crl&)>& how) {
  CrlRef& list = site.evidence.stores.front().crls.at(at).crl;
  auto changed = std::make_shared<Crl>(*list);
  how(*changed);
  list = changed;
}

TEST(CrlState, AHoldThatWasReleasedIsOver) {
  const auto later = [](Crl& list) { list.this_update += std::chrono::hours{1}; };
  SmallSite released = site_with({"list-b-revokes-leaf", "list-b", "list-root"});
  change(released, 1, later);
  const CheckResult result = judged(released);
  EXPECT_EQ(codes(result), std::vector<std::string>{});
  EXPECT_THAT(result.verdict.notes, Contains(testing::Field(&Note::text, HasSubstr("and no longer in the list"))));

  for (const bool takes_off : {false, true}) {
    SmallSite by_delta = site_with({"list-b-revokes-leaf", "list-b", "list-root"});
    change(by_delta, 1, [&](Crl& list) {
      later(list);
      list.delta = true;
      if (takes_off) list.taken_off = {revocation_fixture("leaf")->serial};
    });
    const std::vector<std::string> revoked{"CRITICAL crl-state.revoked"};
    EXPECT_EQ(codes(judged(by_delta)), takes_off ? std::vector<std::string>{} : revoked);
  }

  SmallSite of_another_scope = site_with({"list-b-revokes-leaf", "list-b", "list-root"});
  change(of_another_scope, 1, [&](Crl& list) {
    later(list);
    list.scope = {0x30, 0x00};
  });
  EXPECT_EQ(codes(judged(of_another_scope)), std::vector<std::string>{"CRITICAL crl-state.revoked"});
}

TEST(CrlState, AHoldIsCalledOne) {
  SmallSite site = site_with({"list-b-revokes-leaf"});
  change(site, 0, [](Crl& list) { list.held = list.revoked; });
  const CheckResult result = judged(site);
  EXPECT_EQ(codes(result), std::vector<std::string>{"CRITICAL crl-state.revoked"});
  EXPECT_THAT(result.verdict.findings.at(0).summary, HasSubstr("on hold"));
  EXPECT_THAT(result.verdict.findings.at(0).remedy, HasSubstr("unrevoke"));
}

TEST(CrlState, AListOfOtherCertificatesSaysNothing) {
  SmallSite site = site_with({"list-b-revokes-leaf", "list-root"});
  change(site, 0, [](Crl& list) { list.only_authorities = true; });
  const CheckResult result = judged(site);
  EXPECT_EQ(codes(result), std::vector<std::string>{});
  EXPECT_THAT(result.verdict.notes, Contains(testing::Field(&Note::text, HasSubstr("was not looked at"))));
}

TEST(CrlState, AListThatNamesTheKeyAndDoesNotVerifyIsDamaged) {
  SmallSite site = site_with({"list-a"});
  change(site, 0, [](Crl& list) { list.authority_key_id = revocation_fixture("issuing-b")->subject_key_id; });
  auto& entries = site.evidence.stores.front().entries;
  entries.erase(entries.begin() + 1);  // whose key signed it
  const CheckResult result = judged(site);
  EXPECT_EQ(codes(result), std::vector<std::string>{"WARNING crl-state.other-key"});
  EXPECT_THAT(result.verdict.findings.at(0).remedy, HasSubstr("damaged"));
}

TEST(CrlState, OfWhomNoListIsAtHandIsSaid) {
  SmallSite site = site_with({"list-root"});
  const CheckResult result = judged(site);
  EXPECT_EQ(codes(result), std::vector<std::string>{});
  const auto of_the_leaf = HasSubstr("whether pool.contoso.example is revoked was not looked at: no list");
  EXPECT_THAT(result.verdict.notes, Contains(testing::Field(&Note::text, of_the_leaf)));
  SmallSite whole = site_with({"list-root", "list-b"});
  EXPECT_THAT(judged(whole).verdict.notes, Not(Contains(testing::Field(&Note::text, HasSubstr("was not looked at")))));
}

TEST(CrlState, AServerWhoseCertificateWasNotSeenLeavesItOpen) {
  SmallSite site = site_with({"list-b"});
  site.evidence.identities.pop_back();
  const CheckResult result = judged(site);
  EXPECT_EQ(codes(result), std::vector<std::string>{"UNKNOWN crl-state.undecided"});
  EXPECT_THAT(result.verdict.findings[0].summary, HasSubstr("edge1.contoso.example"));
}

}  // namespace
}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "core/issuers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>

#include "support/worlds.hpp"

namespace mrascheck {
namespace {

using test::issuer_fixture;
using test::SmallSite;

struct RelationCase {
  const char* name;
  const char* a;
  const char* b;
  Relation relation;
  Confidence confidence;
};
class RelationTest : public testing::TestWithParam<RelationCase> {};
TEST_P(RelationTest, IsToldInEitherOrder) {
  const RelationCase& c = GetParam();
  const Classification forth = classify(*issuer_fixture(c.a), *issuer_fixture(c.b));
  const Classification back = classify(*issuer_fixture(c.b), *issuer_fixture(c.a));
  EXPECT_EQ(to_string(forth.relation), to_string(c.relation)) << forth.because;
  EXPECT_EQ(to_string(back.relation), to_string(c.relation)) << back.because;
  EXPECT_EQ(to_string(forth.confidence), to_string(c.confidence));
  EXPECT_FALSE(forth.because.empty());
}
INSTANTIATE_TEST_SUITE_P(
    DecisionTable, RelationTest,
    testing::Values(
        RelationCase{"Duplicate", "duplicate-a", "duplicate-b", Relation::duplicate_publication, Confidence::certain},
        RelationCase{"SerialCollision", "serial-collision-a", "serial-collision-b", Relation::serial_collision,
                     Confidence::certain},
        RelationCase{"SameKeyRenewal", "same-key-renewal-a", "same-key-renewal-b", Relation::same_key_renewal,
                     Confidence::certain},
        RelationCase{"SameKeyRenewalStepMissing", "same-key-renewal-a", "same-key-renewal-c",
                     Relation::same_key_renewal, Confidence::high},
        RelationCase{"SameKeyWithoutVersions", "same-key-plain-a", "same-key-plain-b", Relation::same_key_renewal,
                     Confidence::medium},
        RelationCase{"ReinstallOnTheKey", "reinstall-same-key-a", "reinstall-same-key-b", Relation::reinstall_same_key,
                     Confidence::high},
        RelationCase{"RekeyRenewal", "rekey-renewal-a", "rekey-renewal-b", Relation::rekey_renewal,
                     Confidence::certain},
        RelationCase{"RolloverNewByOld", "rollover-new-by-old", "rollover-new", Relation::rollover, Confidence::high},
        RelationCase{"RolloverOldByNew", "rollover-old-by-new", "rollover-new", Relation::rollover, Confidence::high},
        RelationCase{"CrossRoot", "cross-root-a", "cross-root-b", Relation::cross_certificate, Confidence::high},
        RelationCase{"Redeployment", "redeployment-a", "redeployment-b", Relation::redeployment, Confidence::high},
        RelationCase{"RedeploymentWithoutVersions", "redeployment-plain-a", "redeployment-plain-b",
                     Relation::redeployment, Confidence::medium}),
    [](const auto& row) { return std::string{row.param.name}; });

const IssuerGroup* group_of(const std::vector<IssuerGroup>& groups, const CertificateRef& certificate) {
  const auto found = std::find_if(groups.begin(), groups.end(),
                                  [&](const IssuerGroup& g) { return matches(g.subject, certificate->subject); });
  return found == groups.end() ? nullptr : &*found;
}

Standing standing_of(const IssuerGroup& group, const CertificateRef& certificate) {
  for (const IssuerMember& member : group.members) {
    if (member.entry->certificate->sha256 == certificate->sha256) return member.standing;
  }
  ADD_FAILURE() << "not a member: " << thumbprint(*certificate);
  return Standing::undecided;
}

/// Nobody but fe1, so that no certificate is unseen.
SmallSite site_without_links() {
  SmallSite site;
  site.evidence.site.links.clear();
  return site;
}

struct StandingCase {
  const char* name;
  const char* leaf;
  std::vector<std::pair<const char*, Standing>> members;
};
class StandingTest : public testing::TestWithParam<StandingCase> {};
TEST_P(StandingTest, FollowsTheKeysThatSignedWhatIsInUse) {
  const StandingCase& c = GetParam();
  SmallSite site = site_without_links();
  site.own(c.leaf).store("root-r1", StoreKind::root).store("root-r2", StoreKind::root);
  for (const auto& [name, standing] : c.members) site.store(name, StoreKind::intermediate);
  const Evidence evidence = site.ready();
  const CertificateGraph graph{evidence};
  const auto groups = issuer_groups(evidence, graph, recorded_oracle(evidence.signatures));
  const IssuerGroup* group = group_of(groups, issuer_fixture(c.members.front().first));
  ASSERT_NE(group, nullptr);
  EXPECT_TRUE(group->concerns_live);
  for (const auto& [name, standing] : c.members) {
    EXPECT_EQ(to_string(standing_of(*group, issuer_fixture(name))), to_string(standing)) << name;
  }
}
INSTANTIATE_TEST_SUITE_P(
    Worlds, StandingTest,
    testing::Values(
        StandingCase{"Redeployed",
                     "redeployment-leaf-keyid",
                     {{"redeployment-a", Standing::stale}, {"redeployment-b", Standing::current}}},
        StandingCase{"RedeployedWithoutIdentifiers",
                     "redeployment-plain-leaf",
                     {{"redeployment-plain-a", Standing::stale}, {"redeployment-plain-b", Standing::current}}},
        StandingCase{"RenewedWithNewKey",
                     "rekey-renewal-leaf",
                     {{"rekey-renewal-a", Standing::superseded},
                      {"rekey-renewal-b", Standing::current},
                      {"rekey-renewal-c", Standing::superseded}}},
        StandingCase{"RenewedWithSameKey",
                     "same-key-renewal-leaf",
                     {{"same-key-renewal-a", Standing::superseded},
                      {"same-key-renewal-b", Standing::superseded},
                      {"same-key-renewal-c", Standing::current}}},
        StandingCase{"ReinstalledOnTheKey",
                     "reinstall-same-key-leaf",
                     {{"reinstall-same-key-a", Standing::stale}, {"reinstall-same-key-b", Standing::current}}},
        StandingCase{"NobodySigned",
                     "redeployment-leaf-keyid",
                     {{"redeployment-a", Standing::undecided}, {"impostor", Standing::undecided}}}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(Standing, EnrollmentServicesDecideBetweenCertificatesOfOneKey) {
  SmallSite site = site_without_links();
  site.own("reinstall-same-key-leaf").store("root-r2", StoreKind::root);
  site.store("reinstall-same-key-a", StoreKind::intermediate).store("reinstall-same-key-b", StoreKind::intermediate);
  site.store("reinstall-same-key-a", StoreKind::enrollment);
  const Evidence evidence = site.ready();
  const CertificateGraph graph{evidence};
  const auto groups = issuer_groups(evidence, graph, recorded_oracle(evidence.signatures));
  const IssuerGroup* group = group_of(groups, issuer_fixture("reinstall-same-key-a"));
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(standing_of(*group, issuer_fixture("reinstall-same-key-a")), Standing::current);
  EXPECT_EQ(standing_of(*group, issuer_fixture("reinstall-same-key-b")), Standing::stale);
}

TEST(Standing, WithoutSignaturesNothingIsCalledStale) {
  SmallSite site;
  site.own("redeployment-leaf-keyid")
      .store("redeployment-a", StoreKind::intermediate)
      .store("redeployment-b", StoreKind::intermediate);
  const CertificateGraph graph{site.evidence};
  const std::vector<SignatureProof> none;
  for (const IssuerGroup& group : issuer_groups(site.evidence, graph, recorded_oracle(none))) {
    for (const IssuerMember& member : group.members) EXPECT_EQ(member.standing, Standing::undecided);
  }
}

TEST(Standing, WhileAServerIsUnseenNothingIsCalledStale) {
  SmallSite site;
  site.own("redeployment-leaf-keyid").store("root-r2", StoreKind::root);
  site.store("redeployment-a", StoreKind::intermediate).store("redeployment-b", StoreKind::intermediate);
  const Evidence evidence = site.ready();
  EXPECT_EQ(unseen_servers(evidence), std::vector<std::string>{"edge1.contoso.example"});
  const CertificateGraph graph{evidence};
  const auto groups = issuer_groups(evidence, graph, recorded_oracle(evidence.signatures));
  const IssuerGroup* group = group_of(groups, issuer_fixture("redeployment-a"));
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(standing_of(*group, issuer_fixture("redeployment-b")), Standing::current);
  EXPECT_EQ(standing_of(*group, issuer_fixture("redeployment-a")), Standing::undecided);
}

TEST(Standing, WhatEnrollmentServicesNameIsAlive) {
  SmallSite site = site_without_links();
  site.own("redeployment-leaf-keyid").store("root-r2", StoreKind::root);
  site.store("redeployment-a", StoreKind::enrollment).store("redeployment-b", StoreKind::intermediate);
  const Evidence evidence = site.ready();
  const CertificateGraph graph{evidence};
  const auto groups = issuer_groups(evidence, graph, recorded_oracle(evidence.signatures));
  const IssuerGroup* group = group_of(groups, issuer_fixture("redeployment-a"));
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(standing_of(*group, issuer_fixture("redeployment-a")), Standing::alive);
  EXPECT_EQ(group->installations, 2U);
}

TEST(Standing, WhatARenewalJoinsToAnAliveOneIsNotStale) {
  // In use: a plain redeployment. Alive by the directory: another installation, renewed once with its key.
  SmallSite site = site_without_links();
  site.own("redeployment-leaf-keyid")
      .store("root-r2", StoreKind::root)
      .store("redeployment-b", StoreKind::intermediate);
  site.store("same-key-renewal-a", StoreKind::intermediate).store("same-key-renewal-b", StoreKind::enrollment);
  const auto renamed = [&](StoreEntry& entry) {
    Certificate made = *entry.certificate;
    made.subject = issuer_fixture("redeployment-b")->subject;
    entry.certificate = std::make_shared<const Certificate>(std::move(made));
  };
  for (StoreEntry& entry : site.evidence.stores[0].entries) {
    if (entry.certificate == issuer_fixture("same-key-renewal-a") ||
        entry.certificate == issuer_fixture("same-key-renewal-b"))
      renamed(entry);
  }
  const Evidence evidence = site.ready();
  const CertificateGraph graph{evidence};
  const auto groups = issuer_groups(evidence, graph, recorded_oracle(evidence.signatures));
  const IssuerGroup* group = group_of(groups, issuer_fixture("redeployment-b"));
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(standing_of(*group, issuer_fixture("redeployment-b")), Standing::current);
  EXPECT_EQ(standing_of(*group, issuer_fixture("same-key-renewal-b")), Standing::alive);
  EXPECT_EQ(standing_of(*group, issuer_fixture("same-key-renewal-a")), Standing::superseded);
}

/// A certificate that is nothing but its names and its key.
CertificateRef sketch(const std::string& subject, const std::string& issuer, std::uint8_t key) {
  Certificate made = *issuer_fixture("redeployment-plain-a");
  for (const auto& [name, text] : {std::pair{&made.subject, subject}, std::pair{&made.issuer, issuer}}) {
    name->canonical = text;
    name->text = "CN=" + text;
    name->common_name = text;
  }
  made.spki_sha256.fill(key);
  made.sha256.fill(key);
  made.is_ca = true;
  return std::make_shared<const Certificate>(std::move(made));
}

TEST(Standing, ANameAboveSeveralLevelsIsJudgedByAllOfThem) {
  // Two issuing CAs, each under a root of its own; the roots share a name.
  const CertificateRef root_1 = sketch("root", "root", 1);
  const CertificateRef root_2 = sketch("root", "root", 2);
  const CertificateRef issuing_a = sketch("a", "root", 3);
  const CertificateRef issuing_b = sketch("b", "root", 4);
  Evidence evidence;
  evidence.collected_at = test::issuers_clock();
  StoreContents& store = evidence.stores.emplace_back();
  store.store = "ad";
  for (const CertificateRef& one : {root_1, root_2, issuing_a, issuing_b})
    store.entries.push_back({one, one->self_issued() ? StoreKind::root : StoreKind::intermediate, "CN=x", 0});
  evidence.identities.push_back({"fe1", sketch("fe1", "a", 5), {}, true});
  evidence.identities.push_back({"edge1", sketch("edge1", "b", 6), {}, true});
  const std::map<std::uint8_t, std::uint8_t> signers{{1, 1}, {2, 2}, {3, 1}, {4, 2}, {5, 3}, {6, 4}};
  const SignatureOracle oracle = [&](const Certificate& child, const Certificate& issuer) {
    return std::optional{signers.at(child.spki_sha256[0]) == issuer.spki_sha256[0] ? SignatureState::verified
                                                                                   : SignatureState::failed};
  };
  const CertificateGraph graph{evidence};
  const auto groups = issuer_groups(evidence, graph, oracle);
  ASSERT_EQ(groups.size(), 1U);
  for (const IssuerMember& member : groups.front().members) EXPECT_EQ(member.standing, Standing::current);
  EXPECT_EQ(groups.front().installations, 2U);
}

TEST(Standing, NamesThatNothingChainsToAreUnrelated) {
  SmallSite site = site_without_links();
  site.store("redeployment-a", StoreKind::intermediate).store("redeployment-b", StoreKind::intermediate);
  const Evidence evidence = site.ready();
  const CertificateGraph graph{evidence};
  const auto groups = issuer_groups(evidence, graph, recorded_oracle(evidence.signatures));
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_FALSE(groups.front().concerns_live);
  EXPECT_EQ(groups.front().members.front().standing, Standing::unrelated);
}

TEST(Groups, TheOrderOfStoresChangesNothing) {
  SmallSite site;
  site.own("redeployment-leaf-keyid").store("root-r2", StoreKind::root);
  for (const char* name : {"redeployment-a", "redeployment-b", "impostor"}) site.store(name, StoreKind::intermediate);
  Evidence forth = site.ready();
  Evidence back = forth;
  std::reverse(back.stores.front().entries.begin(), back.stores.front().entries.end());
  const auto describe = [](const Evidence& evidence) {
    const CertificateGraph graph{evidence};
    std::vector<std::string> lines;
    for (const IssuerGroup& group : issuer_groups(evidence, graph, recorded_oracle(evidence.signatures))) {
      for (const IssuerMember& member : group.members) {
        lines.push_back(thumbprint(*member.entry->certificate) + std::string{to_string(member.standing)});
      }
    }
    return lines;
  };
  EXPECT_EQ(describe(forth), describe(back));
}

}  // namespace
}  // namespace mrascheck

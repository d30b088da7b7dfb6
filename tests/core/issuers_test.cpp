// SPDX-License-Identifier: Apache-2.0
#include "core/issuers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

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
                     Relation::redeployment, Confidence::medium},
        RelationCase{"OnlyOneIsOfCertificateServices", "redeployment-b", "impostor", Relation::redeployment,
                     Confidence::medium}),
    [](const auto& row) { return std::string{row.param.name}; });

/// Nobody but fe1, so that no certificate is unseen.
SmallSite site_without_links() {
  SmallSite site;
  site.evidence.site.links.clear();
  return site;
}

/// Two certificates among others, with what the site knows of them.
struct LineageCase {
  const char* name;
  const char* a;
  const char* b;
  std::vector<const char*> others;
  Relation relation;
  Confidence confidence;
};
class LineageTest : public testing::TestWithParam<LineageCase> {};
TEST_P(LineageTest, TellsMoreThanThePairItself) {
  const LineageCase& c = GetParam();
  SmallSite site = site_without_links();
  site.store("root-r1", StoreKind::root).store("root-r2", StoreKind::root);
  for (const char* name : c.others) site.store(name, StoreKind::intermediate);
  site.store(c.a, StoreKind::intermediate).store(c.b, StoreKind::intermediate);
  const Evidence evidence = site.ready();
  const CertificateGraph graph{evidence};
  const Lineage lineage{graph.named(issuer_fixture(c.a)->subject), graph, evidence,
                        recorded_oracle(evidence.signatures)};
  const Classification forth = lineage.classify(*issuer_fixture(c.a), *issuer_fixture(c.b));
  const Classification back = lineage.classify(*issuer_fixture(c.b), *issuer_fixture(c.a));
  EXPECT_EQ(to_string(forth.relation), to_string(c.relation)) << forth.because;
  EXPECT_EQ(to_string(back.relation), to_string(c.relation)) << back.because;
  EXPECT_EQ(to_string(forth.confidence), to_string(c.confidence));
  EXPECT_FALSE(meaning(forth.relation).empty());
  EXPECT_TRUE(lineage.contradictions().empty());
}
INSTANTIATE_TEST_SUITE_P(
    DecisionTable, LineageTest,
    testing::Values(
        LineageCase{"SeveralStepsWithOneKey",
                    "same-key-renewal-a",
                    "same-key-renewal-c",
                    {"same-key-renewal-b"},
                    Relation::same_key_renewal,
                    Confidence::certain},
        LineageCase{"SeveralStepsWithNewKeys",
                    "rekey-renewal-a",
                    "rekey-renewal-c",
                    {"rekey-renewal-b"},
                    Relation::rekey_renewal,
                    Confidence::certain},
        LineageCase{
            "StepMissing", "rekey-renewal-a", "rekey-renewal-c", {}, Relation::predecessor_missing, Confidence::medium},
        LineageCase{"RolloverByItsSignature",
                    "rollover-new-by-old",
                    "rollover-new",
                    {"rollover-old"},
                    Relation::rollover,
                    Confidence::high},
        LineageCase{"RolloverOfTheOtherKey",
                    "rollover-new-by-old",
                    "rollover-old",
                    {"rollover-new"},
                    Relation::rollover,
                    Confidence::high},
        LineageCase{
            "TwoParentsOfTwoNames", "cross-root-a", "cross-root-b", {}, Relation::cross_certificate, Confidence::high},
        LineageCase{"SameRequestTwice",
                    "cross-certificate-a",
                    "cross-certificate-b",
                    {},
                    Relation::reinstall_same_key,
                    Confidence::high},
        LineageCase{"Redeployed", "redeployment-a", "redeployment-b", {}, Relation::redeployment, Confidence::high},
        LineageCase{"RedeployedUnderAnotherRoot",
                    "redeployment-other-root-a",
                    "redeployment-other-root-b",
                    {},
                    Relation::other_hierarchy,
                    Confidence::high},
        LineageCase{"Misfiled", "misfiled", "redeployment-b", {}, Relation::misfiled, Confidence::certain}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(LineageKnows, AForeignOneOnlyWhereADirectoryWasReadAndLacksIt) {
  for (const bool published : {false, true}) {
    SmallSite site = site_without_links();
    site.store("root-r2", StoreKind::root).store("redeployment-b", StoreKind::intermediate);
    if (published) site.store("impostor", StoreKind::intermediate);
    StoreContents& edge = site.evidence.stores.emplace_back();
    edge.store = "edge";
    edge.entries.push_back({issuer_fixture("impostor"), StoreKind::root, "edge.pem", 0});
    const Evidence evidence = site.ready();
    const CertificateGraph graph{evidence};
    const Lineage lineage{graph.named(issuer_fixture("impostor")->subject), graph, evidence,
                          recorded_oracle(evidence.signatures)};
    EXPECT_EQ(lineage.classify(*issuer_fixture("redeployment-b"), *issuer_fixture("impostor")).relation,
              published ? Relation::redeployment : Relation::foreign);
  }
}

struct ContradictionCase {
  const char* name;
  void (*change)(Certificate& older, Certificate& newer);
  const char* says;  ///< nullptr: nothing
};
class ContradictionTest : public testing::TestWithParam<ContradictionCase> {};
TEST_P(ContradictionTest, IsSaid) {
  const ContradictionCase& c = GetParam();
  Certificate older = *issuer_fixture("rekey-renewal-a");
  Certificate newer = *issuer_fixture("rekey-renewal-b");
  c.change(older, newer);
  SmallSite site = site_without_links();
  for (Certificate* one : {&older, &newer}) {
    site.evidence.stores[0].entries.push_back(
        {std::make_shared<const Certificate>(*one), StoreKind::intermediate, "CN=x", 0});
  }
  const CertificateGraph graph{site.evidence};
  const std::vector<SignatureProof> none;
  const auto said = Lineage{graph.named(older.subject), graph, site.evidence, recorded_oracle(none)}.contradictions();
  if (c.says == nullptr) {
    EXPECT_TRUE(said.empty()) << said.front();
    return;
  }
  ASSERT_EQ(said.size(), 1U);
  EXPECT_NE(said.front().find(c.says), std::string::npos) << said.front();
}
INSTANTIATE_TEST_SUITE_P(
    Pairs, ContradictionTest,
    testing::Values(
        ContradictionCase{"Nothing", [](Certificate&, Certificate&) {}, nullptr},
        ContradictionCase{"TwoKeysOneNumber", [](Certificate&, Certificate& b) { b.ca_version->key_index = 0; },
                          "give two keys one number"},
        ContradictionCase{"OneKeyTwoNumbers",
                          [](Certificate& a, Certificate& b) {
                            b.spki_sha256 = a.spki_sha256;
                            b.subject_key_id = a.subject_key_id;
                          },
                          "number one key twice"},
        ContradictionCase{"KeyIndexAbove", [](Certificate&, Certificate& b) { b.ca_version->key_index = 7; },
                          "a key index above its certificate index"},
        ContradictionCase{"NotRising",
                          [](Certificate&, Certificate& b) {
                            b.ca_version->certificate_index = 0;
                            b.ca_version->key_index = 0;
                          },
                          "is no earlier one"},
        ContradictionCase{"Itself", [](Certificate&, Certificate& b) { b.previous_ca_hash = b.thumbprint; },
                          "names itself"},
        ContradictionCase{"YoungerPredecessor",
                          [](Certificate& a, Certificate& b) { a.not_before = b.not_before + std::chrono::days{1}; },
                          "which is younger"},
        ContradictionCase{"OneIdentifierTwoKeys",
                          [](Certificate& a, Certificate& b) { b.subject_key_id = a.subject_key_id; },
                          "one subject key identifier and two keys"}),
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
        // The issuing CA in use was replaced ahead of its end: nothing is from the new one yet.
        StandingCase{"OneIsYoungerThanAllInUse",
                     "redeployment-leaf-keyid",
                     {{"redeployment-b", Standing::current}, {"impostor", Standing::unused}}},
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

TEST(Standing, AForeignOneIsMarkedWhetherItIsInUseOrNot) {
  for (const bool in_use : {false, true}) {
    SmallSite site = site_without_links();
    site.own("redeployment-leaf-keyid")
        .store("root-r2", StoreKind::root)
        .store("redeployment-b", StoreKind::intermediate);
    StoreContents& edge = site.evidence.stores.emplace_back();
    edge.store = "edge";
    edge.entries.push_back({issuer_fixture("impostor"), StoreKind::root, "edge.pem", 0});
    const Evidence evidence = site.ready();
    const SignatureOracle real = recorded_oracle(evidence.signatures);
    const SignatureOracle oracle = [&](const Certificate& child, const Certificate& issuer) {
      if (!in_use || child.sha256 != issuer_fixture("redeployment-leaf-keyid")->sha256) return real(child, issuer);
      return std::optional{issuer.sha256 == issuer_fixture("impostor")->sha256 ? SignatureState::verified
                                                                               : SignatureState::failed};
    };
    const CertificateGraph graph{evidence};
    const auto groups = issuer_groups(evidence, graph, oracle);
    const IssuerGroup* group = group_of(groups, issuer_fixture("redeployment-b"));
    ASSERT_NE(group, nullptr);
    EXPECT_EQ(standing_of(*group, issuer_fixture("impostor")), in_use ? Standing::current : Standing::foreign);
    EXPECT_EQ(standing_of(*group, issuer_fixture("redeployment-b")), in_use ? Standing::stale : Standing::current);
    for (const IssuerMember& member : group->members)
      EXPECT_EQ(member.foreign, member.entry->certificate->sha256 == issuer_fixture("impostor")->sha256);
  }
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
  for (const auto& [name, text] : {std::pair{&made.subject, subject}, std::pair{&made.issuer, issuer}})
    *name = Name{{.canonical = text, .text = "CN=" + text, .common_name = text}};
  made.spki_sha256.fill(key);
  made.sha256.fill(key);
  made.is_ca = true;
  return std::make_shared<const Certificate>(std::move(made));
}

TEST(LineageKnows, TwoParentsOfOneNameByTheirSignatures) {
  // One key, certified by two installations of a root; nothing but the signatures tells them apart.
  const CertificateRef root_1 = sketch("root", "root", 1);
  const CertificateRef root_2 = sketch("root", "root", 2);
  Certificate made = *sketch("a", "root", 3);
  const CertificateRef first = std::make_shared<const Certificate>(made);
  made.sha256.fill(4);
  made.serial = "99";
  made.not_after += std::chrono::days{100};
  const CertificateRef second = std::make_shared<const Certificate>(made);
  Evidence evidence;
  StoreContents& store = evidence.stores.emplace_back();
  for (const CertificateRef& one : {root_1, root_2, first, second})
    store.entries.push_back({one, one->self_issued() ? StoreKind::root : StoreKind::intermediate, "CN=x", 0});
  const CertificateGraph graph{evidence};
  for (const bool told : {false, true}) {
    const SignatureOracle oracle = [&](const Certificate& child, const Certificate& issuer) {
      const std::uint8_t signer = child.sha256[0] == 4 ? 2 : 1;
      return told ? std::optional{issuer.spki_sha256[0] == signer ? SignatureState::verified : SignatureState::failed}
                  : std::nullopt;
    };
    const Lineage lineage{graph.named(first->subject), graph, evidence, oracle};
    EXPECT_EQ(lineage.classify(*first, *second).relation, told ? Relation::second_parent : Relation::same_key_renewal);
  }
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

/// Roots of one name; fe1's certificate is by the key 1. Who signed whom is said by keys.
struct RootSite {
  Evidence evidence;
  std::map<std::uint8_t, std::uint8_t> signers{{1, 1}, {2, 2}, {5, 1}};

  RootSite() {
    evidence.collected_at = test::issuers_clock();
    evidence.stores.emplace_back().store = "fe1-root";
    evidence.identities.push_back({"fe1", sketch("fe1", "root", 5), {}, true});
    store(sketch("root", "root", 1), StoreKind::root);
  }
  void store(const CertificateRef& one, StoreKind kind) {
    evidence.stores[0].entries.push_back({one, kind, "CN=x", 0});
  }
  IssuerGroup group() {
    const SignatureOracle oracle = [&](const Certificate& child, const Certificate& issuer) {
      const auto found = signers.find(child.spki_sha256[0]);
      return std::optional{found != signers.end() && found->second == issuer.spki_sha256[0] ? SignatureState::verified
                                                                                            : SignatureState::failed};
    };
    graph.emplace(evidence);
    auto groups = issuer_groups(evidence, *graph, oracle);
    EXPECT_EQ(groups.size(), 1U);
    return groups.empty() ? IssuerGroup{} : groups.front();
  }
  std::optional<CertificateGraph> graph;
};

CertificateRef dated(const CertificateRef& one, std::chrono::days later) {
  Certificate made = *one;
  made.not_before += later;
  return std::make_shared<const Certificate>(std::move(made));
}

TEST(Standing, AYoungerRootThatNothingIsFromIsNotStale) {
  using std::chrono::days;
  for (const int later : {-1, 0, 1}) {
    RootSite site;
    const CertificateRef other = dated(sketch("root", "root", 2), days{later});
    site.store(other, StoreKind::root);
    EXPECT_EQ(to_string(standing_of(site.group(), other)), later > 0 ? "not used yet" : "stale") << later;
  }
}

TEST(Standing, ARootWhoseKeySignedALivingCaIsNotStale) {
  for (const bool expired : {false, true}) {
    RootSite site;
    const CertificateRef other = dated(sketch("root", "root", 2), std::chrono::days{-1});
    site.store(other, StoreKind::root);
    Certificate child = *sketch("issuing 2", "root", 7);
    if (expired) child.not_after = site.evidence.collected_at - std::chrono::seconds{1};
    site.signers[7] = 2;
    site.store(std::make_shared<const Certificate>(std::move(child)), StoreKind::intermediate);
    EXPECT_EQ(to_string(standing_of(site.group(), other)), expired ? "stale" : "alive");
  }
}

TEST(Standing, NothingIsStaleBesideOneThatNobodyVouchesFor) {
  RootSite site;
  // The one in use was only sent along; the one that is trusted signed nothing that is in use.
  const CertificateRef trusted = dated(sketch("root", "root", 2), std::chrono::days{-1});
  site.evidence.identities[0].chain = {site.evidence.stores[0].entries[0].certificate};
  site.evidence.stores[0].entries[0].certificate = trusted;
  const IssuerGroup group = site.group();
  EXPECT_EQ(to_string(standing_of(group, trusted)), "undecided");
  EXPECT_EQ(group.members.front().voucher, Voucher::nobody);
}

TEST(Standing, OfOneKeyTheTrustedCertificateIsTheOneToKeep) {
  RootSite site;
  const CertificateRef trusted = site.evidence.stores[0].entries[0].certificate;
  Certificate made = *dated(trusted, std::chrono::days{1});
  made.sha256.fill(9);
  made.serial = "99";
  const CertificateRef sent = std::make_shared<const Certificate>(std::move(made));
  site.evidence.identities[0].chain = {sent};
  const IssuerGroup group = site.group();
  EXPECT_EQ(to_string(standing_of(group, trusted)), "current");
  EXPECT_EQ(group.members.front().voucher, Voucher::root);
  EXPECT_NE(to_string(standing_of(group, sent)), "stale") << "it may be the coming one";
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

/// CAs that have all signed each other, and no root: as many ways up as there are orders of them.
TEST(IssuerGroups, OfAMeshAreLookedAtOnceEach) {
  constexpr std::size_t authorities = 30;
  const auto named = [](std::size_t number) {
    const std::string text = fmt::format("CN=Mesh CA {:02}", number);
    return Name{{.canonical = text, .text = text}};
  };
  Evidence evidence;
  evidence.collected_at = UtcTime{std::chrono::hours{12}};
  evidence.site.stores.push_back({.name = "mesh", .kind = StoreKind::intermediate});
  StoreContents store;
  store.store = "mesh";
  for (std::size_t subject = 0; subject <= authorities; ++subject) {
    for (std::size_t issuer = 0; issuer < authorities; ++issuer) {
      if (subject == issuer) continue;
      auto made = std::make_shared<Certificate>();
      made->subject = named(subject);
      made->issuer = named(issuer);
      made->is_ca = subject < authorities;
      made->not_after = UtcTime{std::chrono::hours{24}};
      made->spki_sha256[0] = made->sha256[0] = static_cast<std::uint8_t>(subject);
      made->sha256[1] = static_cast<std::uint8_t>(issuer);
      if (subject == authorities) {  // what is in use: issued by the first
        Identity identity;
        identity.server = "fe1.contoso.example";
        identity.certificate = made;
        evidence.identities.push_back(identity);
        break;
      }
      store.entries.push_back({made, StoreKind::intermediate, "mesh.pem", store.entries.size()});
    }
  }
  evidence.site.servers.push_back({.name = "fe1.contoso.example", .role = Role::front_end, .intermediates = {"mesh"}});
  evidence.stores.push_back(std::move(store));
  std::size_t asked = 0;
  const SignatureOracle verified = [&asked](const Certificate&, const Certificate&) {
    ++asked;
    return SignatureState::verified;
  };
  const CertificateGraph graph{evidence};
  const auto groups = issuer_groups(evidence, graph, verified);
  ASSERT_FALSE(groups.empty());
  EXPECT_EQ(groups.front().members.size(), authorities - 1);
  EXPECT_LT(asked, 1'000'000U);
}

}  // namespace
}  // namespace mrascheck

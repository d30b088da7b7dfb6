// SPDX-License-Identifier: Apache-2.0
#include "core/graph.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>

#include "support/temp_dir.hpp"
#include "support/worlds.hpp"

namespace mrascheck {
namespace {

using test::issuer_fixture;
using test::issuers_clock;

std::string fixture_path(const std::string& name) {
  return fmt::format("{}/fixtures/pki/issuers/{}.pem", MRASCHECK_SOURCE_DIR, name);
}

struct PathCase {
  const char* name;
  const char* leaf;
  std::vector<const char*> roots;
  std::vector<const char*> intermediates;  ///< in the order in which openssl verify meets them
  bool valid;                              ///< our verdict
  bool openssl_agrees = true;
};

PathSet paths_of(const PathCase& c, crypto::SignatureVerifier& verifier) {
  TrustView trust;
  trust.configured = true;
  for (const char* root : c.roots) {
    trust.index.add(issuer_fixture(root));
    trust.anchors.insert(issuer_fixture(root)->sha256);
  }
  std::vector<CertificateRef> sent;
  for (const char* name : c.intermediates) sent.push_back(issuer_fixture(name));
  return find_paths(issuer_fixture(c.leaf), {.trust = &trust, .sent = sent, .at = issuers_clock()},
                    test::verifying_oracle(verifier));
}

bool openssl_verifies(const PathCase& c) {
  const test::TempDir dir;
  std::string command = fmt::format("cd '{}' && : > roots.pem && : > untrusted.pem", dir.path().string());
  for (const char* root : c.roots) command += fmt::format(" && cat '{}' >> roots.pem", fixture_path(root));
  for (const char* name : c.intermediates) command += fmt::format(" && cat '{}' >> untrusted.pem", fixture_path(name));
  command += fmt::format(
      " && openssl verify -attime {} -no-CApath -no-CAstore -CAfile roots.pem -untrusted untrusted.pem '{}' > out 2>&1",
      issuers_clock().time_since_epoch().count(), fixture_path(c.leaf));
  const int status = std::system(command.c_str());
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status) == 0;
}

class PathTest : public testing::TestWithParam<PathCase> {};
TEST_P(PathTest, IsJudgedAsOpensslVerifyDoesOrForAKnownReasonOtherwise) {
  const PathCase& c = GetParam();
  crypto::SignatureVerifier verifier;
  const PathSet set = paths_of(c, verifier);
  std::string reasons;
  for (const Path& path : set.paths) {
    for (const PathProblem& problem : path.problems) reasons += problem.text + "\n";
  }
  EXPECT_EQ(set.any_valid(), c.valid) << reasons;
  EXPECT_FALSE(set.undecided());
  EXPECT_EQ(openssl_verifies(c) == set.any_valid(), c.openssl_agrees);
}
INSTANTIATE_TEST_SUITE_P(
    AgainstOpenssl, PathTest,
    testing::Values(
        PathCase{"KeyIdentifierStaleFirst",
                 "redeployment-leaf-keyid",
                 {"root-r2"},
                 {"redeployment-a", "redeployment-b"},
                 true},
        PathCase{"KeyIdentifierRightFirst",
                 "redeployment-leaf-keyid",
                 {"root-r2"},
                 {"redeployment-b", "redeployment-a"},
                 true},
        PathCase{"OnlyTheStaleOne", "redeployment-leaf-keyid", {"root-r2"}, {"redeployment-a"}, false},
        PathCase{"ExactIdentifier", "redeployment-leaf-exact", {"root-r2"}, {"redeployment-a", "redeployment-b"}, true},
        PathCase{"AllIdentifiers", "redeployment-leaf-both", {"root-r2"}, {"redeployment-a", "redeployment-b"}, true},
        PathCase{"NoIssuerAtAll", "redeployment-leaf-keyid", {"root-r2"}, {}, false},
        PathCase{"WrongRootOfTheSameName", "redeployment-leaf-keyid", {"root-r1"}, {"redeployment-b"}, false},
        PathCase{"BothRoots", "redeployment-leaf-keyid", {"root-r1", "root-r2"}, {"redeployment-b"}, true},
        PathCase{"Rekeyed",
                 "rekey-renewal-leaf",
                 {"root-r2"},
                 {"rekey-renewal-a", "rekey-renewal-c", "rekey-renewal-b"},
                 true},
        PathCase{"SameKeyAny", "same-key-renewal-leaf", {"root-r2"}, {"same-key-renewal-c"}, true},
        PathCase{"SameKeyOtherSerialWanted", "same-key-renewal-leaf-exact", {"root-r2"}, {"same-key-renewal-b"}, false},
        PathCase{"SameKeyThatSerial", "same-key-renewal-leaf-exact", {"root-r2"}, {"same-key-renewal-a"}, true},
        PathCase{"NotSigningCa", "no-cert-sign-leaf", {"root-r2"}, {"no-cert-sign"}, false},
        PathCase{"PathLength", "path-length-leaf", {"root-r2"}, {"path-length", "path-length-below"}, false},
        PathCase{"ExpiredSiblingAside",
                 "expired-sibling-leaf",
                 {"root-r2"},
                 {"expired-sibling-b", "expired-sibling-a"},
                 true},
        PathCase{"Misfiled", "redeployment-leaf-keyid", {"root-r2"}, {"misfiled", "redeployment-b"}, true},
        PathCase{"Impostor", "redeployment-leaf-keyid", {"root-r2"}, {"impostor"}, false}),
    [](const auto& row) { return std::string{row.param.name}; });
// OpenSSL takes the first certificate of the right name and does not look back (openssl issue 2495, 16304); we do.
INSTANTIATE_TEST_SUITE_P(WhereOpensslDoesNotLookBack, PathTest,
                         testing::Values(PathCase{"NoIdentifierStaleFirst",
                                                  "redeployment-plain-leaf",
                                                  {"root-r2"},
                                                  {"redeployment-plain-a", "redeployment-plain-b"},
                                                  true,
                                                  false},
                                         PathCase{"NoIdentifierRightFirst",
                                                  "redeployment-plain-leaf",
                                                  {"root-r2"},
                                                  {"redeployment-plain-b", "redeployment-plain-a"},
                                                  true,
                                                  true},
                                         PathCase{"LeafWithoutIdentifier",
                                                  "redeployment-leaf-none",
                                                  {"root-r2"},
                                                  {"redeployment-a", "redeployment-b"},
                                                  true,
                                                  false}),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(Paths, EveryOneIsFoundWithItsReason) {
  crypto::SignatureVerifier verifier;
  const PathSet set = paths_of(
      {"", "redeployment-plain-leaf", {"root-r2"}, {"redeployment-plain-a", "redeployment-plain-b"}, true}, verifier);
  ASSERT_EQ(set.paths.size(), 2U);
  EXPECT_TRUE(set.paths[0].valid());
  EXPECT_TRUE(set.paths[1].has(PathProblemKind::signature));
  EXPECT_EQ(set.paths[0].certificates.size(), 3U);
}

TEST(Paths, ABoundThatWasReachedIsSaid) {
  TrustView trust;
  trust.anchors.insert(issuer_fixture("root-r2")->sha256);
  trust.index.add(issuer_fixture("root-r2"));
  const std::vector<CertificateRef> sent{issuer_fixture("redeployment-plain-a"),
                                         issuer_fixture("redeployment-plain-b")};
  crypto::SignatureVerifier verifier;
  PathQuery query{.trust = &trust, .sent = sent, .at = issuers_clock()};
  query.max_depth = 2;
  const PathSet shallow =
      find_paths(issuer_fixture("redeployment-plain-leaf"), query, test::verifying_oracle(verifier));
  EXPECT_FALSE(shallow.bound.empty());
  EXPECT_TRUE(shallow.undecided()) << "a cut search proves nothing";
}

TEST(Paths, UntriedSignaturesAreUndecidedNotValid) {
  TrustView trust;
  trust.anchors.insert(issuer_fixture("root-r2")->sha256);
  trust.index.add(issuer_fixture("root-r2"));
  trust.index.add(issuer_fixture("redeployment-b"));
  const std::vector<SignatureProof> none;
  const PathSet set = find_paths(issuer_fixture("redeployment-leaf-keyid"),
                                 {.trust = &trust, .sent = {}, .at = issuers_clock()}, recorded_oracle(none));
  EXPECT_FALSE(set.any_valid());
  EXPECT_TRUE(set.undecided());
}

TEST(Paths, ValidityIsInclusiveAtBothEnds) {
  const CertificateRef leaf = issuer_fixture("redeployment-leaf-keyid");
  EXPECT_TRUE(leaf->valid_at(leaf->not_before));
  EXPECT_TRUE(leaf->valid_at(leaf->not_after));
  EXPECT_FALSE(leaf->valid_at(leaf->not_after + std::chrono::seconds{1}));
  EXPECT_FALSE(leaf->valid_at(leaf->not_before - std::chrono::seconds{1}));
}

TEST(IssuerMatch, FollowsTheAuthorityKeyIdentifier) {
  const auto match = [](const char* child, const char* issuer) {
    return match_issuer(*issuer_fixture(child), *issuer_fixture(issuer));
  };
  EXPECT_EQ(match("redeployment-leaf-keyid", "redeployment-b"), IssuerMatch::key);
  EXPECT_EQ(match("redeployment-leaf-keyid", "redeployment-a"), IssuerMatch::none);
  EXPECT_EQ(match("redeployment-leaf-exact", "redeployment-b"), IssuerMatch::exact);
  EXPECT_EQ(match("redeployment-leaf-exact", "redeployment-a"), IssuerMatch::none);
  EXPECT_EQ(match("redeployment-leaf-none", "redeployment-a"), IssuerMatch::name);
  EXPECT_EQ(match("redeployment-plain-leaf", "redeployment-plain-a"), IssuerMatch::name);
}

TEST(WindowsChains, ATieIsReportedAsOne) {
  crypto::SignatureVerifier verifier;
  TrustView trust;
  for (const char* root : {"root-r1", "root-r2"}) {
    trust.index.add(issuer_fixture(root));
    trust.anchors.insert(issuer_fixture(root)->sha256);
  }
  trust.index.add(issuer_fixture("reinstall-same-key-a"));
  trust.index.add(issuer_fixture("reinstall-same-key-b"));
  const auto chains = windows_chains(issuer_fixture("reinstall-same-key-leaf"), trust, issuers_clock(),
                                     test::verifying_oracle(verifier));
  ASSERT_EQ(chains.size(), 2U);
  for (const auto& chain : chains) EXPECT_EQ(chain.size(), 2U) << "leaf and intermediate; the root is not sent";
}

TEST(WindowsChains, AWrongKeyLosesAndNothingFittingSendsTheLeaf) {
  crypto::SignatureVerifier verifier;
  const auto oracle = test::verifying_oracle(verifier);
  TrustView trust;
  trust.index.add(issuer_fixture("root-r2"));
  trust.anchors.insert(issuer_fixture("root-r2")->sha256);
  trust.index.add(issuer_fixture("redeployment-plain-a"));
  trust.index.add(issuer_fixture("redeployment-plain-b"));
  const auto chains = windows_chains(issuer_fixture("redeployment-plain-leaf"), trust, issuers_clock(), oracle);
  ASSERT_EQ(chains.size(), 1U);
  ASSERT_EQ(chains.front().size(), 2U);
  EXPECT_EQ(chains.front()[1], issuer_fixture("redeployment-plain-b"));
  const TrustView empty;
  const auto bare = windows_chains(issuer_fixture("redeployment-plain-leaf"), empty, issuers_clock(), oracle);
  ASSERT_EQ(bare.size(), 1U);
  EXPECT_EQ(bare.front().size(), 1U);
}

/// A Front End whose chain its stores make, and an Edge that was never reached.
Evidence unseen_link() {
  Evidence evidence;
  evidence.collected_at = issuers_clock();
  Server front_end;
  front_end.name = "fe1.contoso.example";
  front_end.trusts = {"roots"};
  front_end.intermediates = {"directory"};
  front_end.chain = ChainMode::from_stores;
  Server edge;
  edge.name = "edge1.contoso.example";
  edge.role = Role::edge;
  edge.trusts = {"roots"};
  evidence.site.servers = {front_end, edge};
  evidence.site.links.push_back({.from = front_end.name, .to = edge.name});
  StoreContents& roots = evidence.stores.emplace_back();
  roots.store = "roots";
  roots.entries.emplace_back().certificate = issuer_fixture("root-r2");
  roots.entries.back().kind = StoreKind::root;
  Identity& identity = evidence.identities.emplace_back();
  identity.server = front_end.name;
  identity.certificate = issuer_fixture("redeployment-plain-leaf");
  return evidence;
}

TEST(PathJudgements, OfWhatWasNotSeenTakeTheChainThatTheStoresMake) {
  crypto::SignatureVerifier verifier;
  Evidence evidence = unseen_link();
  StoreContents& directory = evidence.stores.emplace_back();
  directory.store = "directory";
  for (const char* name : {"redeployment-plain-a", "redeployment-plain-b"}) {
    directory.entries.emplace_back().certificate = issuer_fixture(name);
    directory.entries.back().kind = StoreKind::intermediate;
  }
  const auto judgements = judge_paths(evidence, test::verifying_oracle(verifier));
  ASSERT_EQ(judgements.size(), 1U);
  EXPECT_EQ(judgements.front().chain,
            (std::vector{issuer_fixture("redeployment-plain-leaf"), issuer_fixture("redeployment-plain-b")}));
  EXPECT_TRUE(judgements.front().result.trusted());
  EXPECT_TRUE(judgements.front().missing_stores.empty());
}

TEST(PathJudgements, OfWhatWasNotSeenWantTheStoresThatMakeTheChain) {
  crypto::SignatureVerifier verifier;
  const auto judgements = judge_paths(unseen_link(), test::verifying_oracle(verifier));
  ASSERT_EQ(judgements.size(), 1U);
  EXPECT_FALSE(judgements.front().result.trusted());
  EXPECT_EQ(judgements.front().missing_stores, std::vector<std::string>{"directory"})
      << "that the Edge would refuse is not known while the Front End's directory was not read";
}

TEST(Names, InACertificateCountWithoutWildcards) {
  const Certificate& leaf = *issuer_fixture("redeployment-leaf-keyid");
  EXPECT_TRUE(certificate_has_name(leaf, "pool.contoso.example"));
  EXPECT_TRUE(certificate_has_name(leaf, "FE1.contoso.EXAMPLE"));
  EXPECT_FALSE(certificate_has_name(leaf, "fe2.contoso.example"));
  Certificate wildcard = leaf;
  wildcard.dns_names = {"*.contoso.example"};
  EXPECT_FALSE(certificate_has_name(wildcard, "fe2.contoso.example"));
}

}  // namespace
}  // namespace mrascheck

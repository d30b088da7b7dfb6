// SPDX-License-Identifier: Apache-2.0
#include "json/cleanup_json.hpp"

#include <gtest/gtest.h>

#include <set>

#include "json/base64.hpp"
#include "json/document.hpp"
#include "samples.hpp"
#include "support/worlds.hpp"

namespace mrascheck::json {
namespace {

using test::issuer_fixture;

std::set<std::string> members_of(const Json& object) {
  std::set<std::string> names;
  for (const auto& [name, value] : object.items()) names.insert(name);
  return names;
}

TEST(CleanupJson, HoldsTheProofTheBytesAndTheSteps) {
  const Evidence evidence = test::redeployed_site();
  crypto::SignatureVerifier verifier;
  const CleanupPlan plan = plan_cleanup(evidence, test::verifying_oracle(verifier));
  const Json document = parse_document(write_cleanup(plan)).value();
  EXPECT_EQ(members_of(document),
            (std::set<std::string>{"format", "version", "site", "vantage", "collected_at", "may_go_now", "not_yet",
                                   "cannot_be_told", "certificates", "stand", "better", "not_known", "steps"}));
  EXPECT_EQ(document["format"], "mrascheck-cleanup");
  EXPECT_EQ(document["may_go_now"], 1);
  ASSERT_EQ(document["certificates"].size(), 1U);
  const Json& gone = document["certificates"][0];
  EXPECT_EQ(gone["thumbprint"], thumbprint(*issuer_fixture("redeployment-a")));
  EXPECT_EQ(from_base64(gone["der"].get<std::string>()), issuer_fixture("redeployment-a")->der);
  EXPECT_EQ(gone["may_go"], "may go now");
  EXPECT_FALSE(gone["because"].empty());
  EXPECT_EQ(gone["places"][0]["directory"], true);
  for (const Json& step : document["steps"]) {
    EXPECT_EQ(members_of(step),
              (std::set<std::string>{"title", "notes", "before", "commands", "instead", "after", "undo"}));
  }
}

TEST(IssuersJson, HoldsEveryMemberWithItsStandingAndItsPlaces) {
  const Evidence evidence = test::redeployed_site();
  crypto::SignatureVerifier verifier;
  const SignatureOracle oracle = test::verifying_oracle(verifier);
  const CertificateGraph graph{evidence};
  const auto groups = issuer_groups(evidence, graph, oracle);
  const Json document = parse_document(write_issuers(evidence, groups, plan_cleanup(evidence, oracle))).value();
  EXPECT_EQ(document["format"], "mrascheck-issuers");
  ASSERT_EQ(document["groups"].size(), 1U);
  const Json& members = document["groups"][0]["members"];
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0]["standing"], "current");
  EXPECT_TRUE(members[0]["to_first"].is_null());
  EXPECT_TRUE(members[0]["may_go"].is_null());
  EXPECT_EQ(members[0]["signs"].size(), 1U);
  EXPECT_EQ(members[1]["standing"], "stale");
  EXPECT_EQ(members[1]["to_first"]["relation"], "redeployment");
  EXPECT_EQ(members[1]["may_go"], "may go now");
  EXPECT_EQ(members[1]["ca_version"], "V0.0");
  EXPECT_EQ(members[1]["places"][0]["kind"], "intermediate");
  EXPECT_EQ(members_of(members[1]),
            (std::set<std::string>{"subject", "issuer", "thumbprint", "sha256", "serial", "key", "key_bits",
                                   "key_sha256", "not_before", "not_after", "ca_version", "standing", "time_valid",
                                   "enrolled", "to_first", "signs", "may_go", "because", "places"}));
  EXPECT_TRUE(document["not_looked_at"].empty());
}

}  // namespace
}  // namespace mrascheck::json

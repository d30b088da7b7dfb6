// SPDX-License-Identifier: Apache-2.0
#include "core/orders.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/demands.hpp"
#include "support/worlds.hpp"

namespace mrascheck {
namespace {

using test::issuer_fixture;
using test::SmallSite;

struct OrderCase {
  const char* name;
  std::vector<const char*> chain;      ///< as presented
  std::vector<const char*> stored;     ///< intermediates of the judging server, in their order
  std::vector<const char*> elsewhere;  ///< in a store of nobody
  std::vector<OrderProof::Kind> proofs;
  const char* says = "";
};
class OrderTest : public testing::TestWithParam<OrderCase> {};
TEST_P(OrderTest, IsProvedByTheSmallestChange) {
  const OrderCase& c = GetParam();
  SmallSite site;
  site.store("root-r2", StoreKind::root);
  for (const char* name : c.stored) site.store(name, StoreKind::intermediate);
  StoreContents& other = site.evidence.stores.emplace_back();
  other.store = "elsewhere";
  for (const char* name : c.elsewhere)
    other.entries.push_back({issuer_fixture(name), StoreKind::intermediate, "x.pem", 0});
  Handshake& handshake = site.evidence.handshakes.emplace_back();
  handshake.from = "fe1.contoso.example";
  handshake.to = "edge1.contoso.example";
  handshake.port = site.evidence.site.links.front().port;
  for (const char* name : c.chain) handshake.peer_chain.push_back(issuer_fixture(name));
  const Evidence evidence = site.ready();
  const CertificateGraph graph{evidence};
  const auto judgements = judge_paths(evidence, recorded_oracle(evidence.signatures));
  ASSERT_EQ(judgements.size(), 1U);
  const auto proofs = prove_orders(evidence, graph, judgements.front(), recorded_oracle(evidence.signatures));
  std::vector<OrderProof::Kind> found;
  std::string texts;
  for (const OrderProof& proof : proofs) {
    found.push_back(proof.kind);
    texts += proof.text + "\n";
    EXPECT_TRUE(proof.refusal.refused());
  }
  EXPECT_EQ(found, c.proofs) << texts;
  EXPECT_NE(texts.find(c.says), std::string::npos) << texts;
}
INSTANTIATE_TEST_SUITE_P(
    Worlds, OrderTest,
    testing::Values(
        OrderCase{"WithIdentifiersNone", {"redeployment-leaf-keyid"}, {"redeployment-a", "redeployment-b"}, {}, {}},
        OrderCase{"WithoutIdentifiersTheFirstDecides",
                  {"redeployment-plain-leaf"},
                  {"redeployment-plain-a", "redeployment-plain-b"},
                  {},
                  {OrderProof::Kind::order},
                  "OpenSSL fails with error 7 (certificate signature failure); the other way round it succeeds"},
        OrderCase{"WhatWasSentIsOverlooked",
                  {"redeployment-plain-leaf", "redeployment-plain-b"},
                  {"redeployment-plain-a"},
                  {},
                  {OrderProof::Kind::removal},
                  "in store ad, OpenSSL fails with error 7 (certificate signature failure); without it, it succeeds"},
        OrderCase{"OneMoreBreaksIt",
                  {"redeployment-plain-leaf"},
                  {"redeployment-plain-b"},
                  {"redeployment-plain-a"},
                  {OrderProof::Kind::addition},
                  "which stands in elsewhere, came into the stores of fe1.contoso.example as well"},
        OrderCase{"RenewedOnItsKey", {"same-key-renewal-leaf"}, {"same-key-renewal-a", "same-key-renewal-b"}, {}, {}},
        OrderCase{"NothingHelps", {"redeployment-plain-leaf"}, {"redeployment-plain-a"}, {}, {}}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(Orders, OfAStoreThatWasNotReadAreNotProved) {
  SmallSite site;
  site.store("root-r2", StoreKind::root)
      .store("redeployment-plain-a", StoreKind::intermediate)
      .store("redeployment-plain-b", StoreKind::intermediate);
  const CertificateGraph graph{site.evidence};
  PathJudgement judgement;
  judgement.judge = "fe1.contoso.example";
  judgement.chain = {issuer_fixture("redeployment-plain-leaf")};
  judgement.trust_configured = true;
  crypto::SignatureVerifier verifier;
  const auto oracle = test::verifying_oracle(verifier);
  EXPECT_EQ(prove_orders(site.evidence, graph, judgement, oracle).size(), 1U);
  judgement.missing_stores = {"ad"};
  EXPECT_TRUE(prove_orders(site.evidence, graph, judgement, oracle).empty());
}

}  // namespace
}  // namespace mrascheck

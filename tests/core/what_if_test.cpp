// SPDX-License-Identifier: Apache-2.0
#include "core/what_if.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "support/worlds.hpp"

namespace mrascheck {
namespace {

using test::issuer_fixture;
using test::SmallSite;
using testing::HasSubstr;

struct BadCase {
  const char* name;
  const char* text;
};
class BadChange : public testing::TestWithParam<BadCase> {};
TEST_P(BadChange, IsRefusedInOneLine) {
  const auto words = parse_change(GetParam().text);
  ASSERT_FALSE(words);
  EXPECT_EQ(words.error().kind, ErrorKind::config);
  EXPECT_THAT(words.error().text, HasSubstr("remove:THUMBPRINT, add:FILE or at:DATE"));
}
INSTANTIATE_TEST_SUITE_P(WhatIf, BadChange,
                         testing::Values(BadCase{"Nothing", ""}, BadCase{"NoValue", "remove:"},
                                         BadCase{"NoVerb", "root.pem"}, BadCase{"OtherVerb", "move:x"},
                                         BadCase{"EmptyPart", "at:2026-01-01,"}),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(WhatIf, IsReadInItsOrderWithDoubledCommas) {
  const auto words = parse_change("remove:AB CD,add:a,,b.pem@ad,at:2027-01-01T00:00:00Z").value();
  ASSERT_EQ(words.size(), 3U);
  EXPECT_EQ(words[0].kind, ChangeWord::Kind::remove);
  EXPECT_EQ(words[0].value, "AB CD");
  EXPECT_EQ(words[1].kind, ChangeWord::Kind::add);
  EXPECT_EQ(words[1].value, "a,b.pem@ad");
  EXPECT_EQ(words[2].kind, ChangeWord::Kind::at);
  EXPECT_EQ(words[2].value, "2027-01-01T00:00:00Z");
}

Evidence site() {
  SmallSite site;
  site.own("redeployment-leaf-keyid")
      .store("root-r2", StoreKind::root)
      .store("redeployment-a", StoreKind::intermediate)
      .store("redeployment-a", StoreKind::enrollment);
  site.evidence.identities[0].chain = {issuer_fixture("redeployment-a")};
  Handshake& handshake = site.evidence.handshakes.emplace_back();
  handshake.from = "fe1.contoso.example";
  handshake.to = "edge1.contoso.example";
  handshake.sent_chain = {issuer_fixture("redeployment-leaf-keyid"), issuer_fixture("redeployment-a")};
  handshake.peer_chain = handshake.sent_chain;
  return site.evidence;
}

TEST(WhatIf, WhatIsRemovedGoesEverywhereButFromEnrollmentServices) {
  const Evidence after =
      changed(site(), {.remove = {issuer_fixture("redeployment-a")->sha256}, .add = {}, .at = std::nullopt});
  ASSERT_EQ(after.stores[0].entries.size(), 2U);
  EXPECT_EQ(after.stores[0].entries[1].kind, StoreKind::enrollment);
  EXPECT_TRUE(after.identities[0].chain.empty());
  EXPECT_EQ(after.handshakes[0].peer_chain.size(), 1U);
  EXPECT_EQ(after.handshakes[0].sent_chain.size(), 1U);
  // A server's own certificate is never taken away from it.
  const Evidence leafless =
      changed(site(), {.remove = {issuer_fixture("redeployment-leaf-keyid")->sha256}, .add = {}, .at = std::nullopt});
  EXPECT_EQ(leafless.handshakes[0].peer_chain.size(), 2U);
}

TEST(WhatIf, WhatIsUntrustedStaysSo) {
  Evidence evidence = site();
  evidence.stores[0].entries.push_back({issuer_fixture("redeployment-a"), StoreKind::disallowed, "fe1.sst", 0});
  const Evidence after =
      changed(evidence, {.remove = {issuer_fixture("redeployment-a")->sha256}, .add = {}, .at = std::nullopt});
  EXPECT_EQ(after.stores[0].entries.back().kind, StoreKind::disallowed);
}

TEST(WhatIf, WhatIsAddedGoesWhereItsKindBelongsOrWhereItIsSaid) {
  Evidence evidence = site();
  const auto add = [&](const char* store, StoreKind kind) {
    StoreSpec spec;
    spec.name = store;
    spec.kind = kind;
    evidence.site.stores.push_back(spec);
    evidence.stores.emplace_back().store = store;
  };
  add("roots", StoreKind::root);
  add("cas", StoreKind::intermediate);
  const auto sizes = [&](const std::string& store) {
    const Evidence after = changed(evidence, {.remove = {},
                                              .add = {{issuer_fixture("root-r1"), "r1.pem", store},
                                                      {issuer_fixture("redeployment-b"), "b.pem", store}},
                                              .at = std::nullopt});
    return std::vector<std::size_t>{after.stores[0].entries.size(), after.stores[1].entries.size(),
                                    after.stores[2].entries.size()};
  };
  EXPECT_EQ(sizes(""), (std::vector<std::size_t>{5, 1, 1}));
  EXPECT_EQ(sizes("cas"), (std::vector<std::size_t>{3, 0, 2}));
}

TEST(WhatIf, NothingIsAddedToWhatWasFetched) {
  Evidence evidence = site();
  evidence.stores.emplace_back().store = "http://pki.contoso.example/issuing.crt";
  const Change change{.remove = {}, .add = {{issuer_fixture("redeployment-b"), "b.pem", ""}}, .at = std::nullopt};
  EXPECT_TRUE(changed(evidence, change).stores.back().entries.empty());
}

TEST(WhatIf, ADateMovesTheNowAndWhatIsBuiltFromStoresIsBuiltAnew) {
  Evidence evidence = site();
  const UtcTime later = parse_iso8601("2030-01-01").value();
  EXPECT_EQ(changed(evidence, {.remove = {}, .add = {}, .at = later}).collected_at, later);
  EXPECT_EQ(changed(evidence, {}).handshakes[0].sent_chain.size(), 2U);
  evidence.site.servers[0].chain = ChainMode::from_stores;
  EXPECT_TRUE(changed(evidence, {}).handshakes[0].sent_chain.empty());
}

TEST(WhatIf, AThumbprintIsFoundInEitherLengthAndForm) {
  const Evidence evidence = site();
  const CertificateRef wanted = issuer_fixture("redeployment-a");
  const std::string print = thumbprint(*wanted);
  EXPECT_EQ(by_thumbprint(evidence, print).value(), wanted);
  EXPECT_EQ(by_thumbprint(evidence, to_hex(wanted->sha256)).value(), wanted);
  std::string spaced;
  for (std::size_t i = 0; i < print.size(); i += 2) spaced += print.substr(i, 2) + " ";
  EXPECT_EQ(by_thumbprint(evidence, spaced).value(), wanted);
  EXPECT_THAT(by_thumbprint(evidence, "ABCD").error().text, HasSubstr("is no thumbprint"));
  EXPECT_THAT(by_thumbprint(evidence, std::string(40, '0')).error().text, HasSubstr("no certificate that was seen"));
}

}  // namespace
}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "core/cleanup.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "core/cleanup_steps.hpp"
#include "support/worlds.hpp"
#include "x509/certificate_pair.hpp"

namespace mrascheck {
namespace {

using test::issuer_fixture;
using test::SmallSite;
using testing::HasSubstr;

using Signers = std::map<std::string, std::string>;

/// fe1 and edge1, both with a certificate by the first of `members` that is current; both trust "ad".
SmallSite site_of(const char* leaf, const std::vector<const char*>& members) {
  SmallSite site;
  site.own(leaf).store("root-r2", StoreKind::root, "CN=Contoso Root CA,CN=Certification Authorities,CN=x");
  site.evidence.identities.push_back({"edge1.contoso.example", issuer_fixture(leaf), {}, true});
  for (const char* member : members) site.store(member, StoreKind::intermediate, "CN=Issuing,CN=AIA,CN=x");
  return site;
}

/// As it stands, but another certificate.
CertificateRef altered(const std::string& fixture, const std::function<void(Certificate&)>& alter) {
  Certificate made = *issuer_fixture(fixture);
  made.sha256[0] ^= 0xFFU;
  made.thumbprint[0] ^= 0xFFU;
  alter(made);
  return std::make_shared<const Certificate>(std::move(made));
}

CleanupPlan plan_of(Evidence evidence, const SignatureOracle& oracle) {
  normalise(evidence);
  return plan_cleanup(evidence, oracle);
}
CleanupPlan plan_of(const SmallSite& site) {
  crypto::SignatureVerifier verifier;
  return plan_of(site.evidence, test::verifying_oracle(verifier));
}

const CleanupVerdict& verdict_on(const CleanupPlan& plan, const CertificateRef& certificate) {
  static const CleanupVerdict none;
  const auto found = std::find_if(plan.verdicts.begin(), plan.verdicts.end(), [&](const CleanupVerdict& verdict) {
    return verdict.certificate->sha256 == certificate->sha256;
  });
  if (found != plan.verdicts.end()) return *found;
  ADD_FAILURE() << "no verdict on " << thumbprint(*certificate);
  return none;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

StoreContents& add_store(SmallSite& site, const std::string& name) {
  StoreContents& contents = site.evidence.stores.emplace_back();
  contents.store = name;
  StoreSpec& spec = site.evidence.site.stores.emplace_back();
  spec.name = name;
  return contents;
}

/// edge1 trusts nothing but root-r2, from its own store; fe1 sends `chain`.
void edge_knows_the_root_only(SmallSite& site, std::vector<CertificateRef> chain) {
  add_store(site, "edge").entries.push_back({issuer_fixture("root-r2"), StoreKind::root, "edge.pem", 0});
  site.evidence.site.servers[1].trusts = {"edge"};
  site.evidence.identities[0].chain = std::move(chain);
}

/// edge1 let fe1 in, which sent `chain`.
void let_in(SmallSite& site, std::vector<CertificateRef> chain) {
  Handshake& handshake = site.evidence.handshakes.emplace_back();
  handshake.from = "fe1.contoso.example";
  handshake.to = "edge1.contoso.example";
  handshake.port = site.evidence.site.links[0].port;
  handshake.phase = Phase::done;
  handshake.outcome = Outcome::completed;
  handshake.client_certificate_requested = true;
  handshake.certificate_sent = true;
  handshake.peer_answered = true;
  handshake.sent_chain = std::move(chain);
}

enum class Said { verified, failed, untried };
/// A revocation list of the name of `issuer`, in force until tomorrow, or overdue since yesterday.
SmallSite with_list(SmallSite site, const char* issuer, Said said, bool overdue = false) {
  auto crl = std::make_shared<Crl>();
  crl->issuer = issuer_fixture(issuer)->subject;
  crl->sha256.fill(7);
  crl->this_update = test::issuers_clock() - std::chrono::days{9};
  crl->next_update = test::issuers_clock() + (overdue ? -std::chrono::days{1} : std::chrono::days{1});
  site.evidence.stores[0].crls.push_back({crl, "CN=Issuing,CN=ca1,CN=CDP,CN=x", 0});
  if (said != Said::untried) {
    site.evidence.signatures.push_back({crl->sha256, issuer_fixture(issuer)->spki_sha256,
                                        said == Said::verified ? SignatureState::verified : SignatureState::failed});
  }
  return site;
}

struct CleanupCase {
  const char* name;
  std::function<SmallSite()> make;
  const char* about;
  MayGo may_go;
  const char* because;
};
class CleanupTest : public testing::TestWithParam<CleanupCase> {};
TEST_P(CleanupTest, IsToldWithTheReason) {
  const CleanupCase& c = GetParam();
  const CleanupPlan plan = plan_of(c.make());
  const CleanupVerdict& verdict = verdict_on(plan, issuer_fixture(c.about));
  EXPECT_EQ(to_string(verdict.may_go), to_string(c.may_go)) << joined(verdict.because);
  EXPECT_THAT(joined(verdict.because), HasSubstr(c.because));
  // Nothing is removed that may not go.
  for (const Removal& removal : plan.removals) {
    for (const CertificateRef& value : removal.values)
      EXPECT_EQ(to_string(verdict_on(plan, value).may_go), to_string(MayGo::now));
  }
  EXPECT_EQ(plan.removals.empty(), plan.count(MayGo::now) == 0);
}

SmallSite redeployed() {
  return site_of("redeployment-leaf-keyid", {"redeployment-a", "redeployment-b"});
}
SmallSite reinstalled() {
  return site_of("reinstall-same-key-leaf", {"reinstall-same-key-a", "reinstall-same-key-b"});
}

INSTANTIATE_TEST_SUITE_P(
    Worlds, CleanupTest,
    testing::Values(
        CleanupCase{"Redeployed", redeployed, "redeployment-a", MayGo::now,
                    "no unexpired certificate that was seen verifies under its key, of 1 that name it"},
        CleanupCase{"RedeployedWithoutIdentifiers",
                    [] {
                      return site_of("redeployment-plain-leaf", {"redeployment-plain-a", "redeployment-plain-b"});
                    },
                    "redeployment-plain-a", MayGo::now, "every path that is valid now still is"},
        CleanupCase{"ReinstalledOnItsKey", reinstalled, "reinstall-same-key-a", MayGo::now, "as well, which stays"},
        CleanupCase{"IdentifierNamesTheOldOne",
                    [] {
                      SmallSite site = reinstalled();
                      // Sent by nobody, but about: it fits the old certificate alone, by issuer and serial number.
                      const CertificateRef exact = altered("reinstall-same-key-leaf", [](Certificate& made) {
                        AuthorityKeyId& wanted = made.authority_key_id.emplace();
                        wanted.issuer = issuer_fixture("reinstall-same-key-a")->issuer;
                        wanted.serial = issuer_fixture("reinstall-same-key-a")->serial;
                      });
                      site.evidence.stores[0].entries.push_back({exact, StoreKind::intermediate, "CN=users", 0});
                      return site;
                    },
                    "reinstall-same-key-a", MayGo::not_yet, "no certificate that stays has this key and fits"},
        CleanupCase{"EveryPathGoesThroughIt",
                    [] {
                      SmallSite site = reinstalled();
                      edge_knows_the_root_only(site, {issuer_fixture("reinstall-same-key-a")});
                      return site;
                    },
                    "reinstall-same-key-a", MayGo::not_yet,
                    "where edge1.contoso.example judges fe1.contoso.example, every valid path goes through it"},
        CleanupCase{
            "OneOfTwoMustStay",
            [] {
              SmallSite site = reinstalled();
              const CertificateRef twin =
                  altered("reinstall-same-key-a", [](Certificate& made) { made.serial = "77"; });
              site.evidence.stores[0].entries.push_back({twin, StoreKind::intermediate, "CN=Issuing,CN=AIA,CN=x", 9});
              edge_knows_the_root_only(site, {issuer_fixture("reinstall-same-key-a"), twin});
              return site;
            },
            "reinstall-same-key-a", MayGo::not_yet, "goes through it or others that would go as well"},
        CleanupCase{
            "AStoreWasNotRead",
            [] {
              SmallSite site = redeployed();
              site.evidence.gaps.push_back({Needs::stores, "edge", ErrorKind::unreachable, "no answer", "mend it"});
              return site;
            },
            "redeployment-a", MayGo::unknown, "store edge could not be read: no answer"},
        CleanupCase{"AStoreWasNotReadWhole",
                    [] {
                      SmallSite site = redeployed();
                      site.evidence.stores[0].truncated = "the server gives 1000 at most";
                      return site;
                    },
                    "redeployment-a", MayGo::unknown, "store ad was not read whole: the server gives 1000 at most"},
        CleanupCase{"AServerWasNotSeen",
                    [] {
                      SmallSite site = redeployed();
                      site.evidence.identities.pop_back();
                      return site;
                    },
                    "redeployment-a", MayGo::unknown, "no certificate of edge1.contoso.example was seen"},
        CleanupCase{"AServerWithoutALinkWasNotSeen",
                    [] {
                      SmallSite site = redeployed();
                      site.evidence.site.servers.emplace_back().name = "edge9.contoso.example";
                      return site;
                    },
                    "redeployment-a", MayGo::unknown, "no certificate of edge9.contoso.example was seen"},
        CleanupCase{"NoLinkWasJudged",
                    [] {
                      SmallSite site = redeployed();
                      site.evidence.site.links.clear();
                      return site;
                    },
                    "redeployment-a", MayGo::unknown, "no link between servers was judged"},
        CleanupCase{"NobodySaysWhatTheJudgeTrusts",
                    [] {
                      SmallSite site = reinstalled();
                      site.evidence.site.servers[1].trusts.clear();
                      site.evidence.identities[0].chain = {issuer_fixture("reinstall-same-key-a")};
                      return site;
                    },
                    "reinstall-same-key-a", MayGo::unknown, "nothing says what the judging server trusts"},
        CleanupCase{"APathCannotBeTold",
                    [] {
                      SmallSite site = redeployed();
                      edge_knows_the_root_only(site, {});
                      site.evidence.site.servers[1].trusts.push_back("lost");
                      return site;
                    },
                    "redeployment-a", MayGo::unknown, "it cannot be told whether there is a valid path"},
        CleanupCase{"TheCertificateOfTheServerHasExpired",
                    [] {
                      SmallSite site = reinstalled();
                      edge_knows_the_root_only(site, {issuer_fixture("reinstall-same-key-a")});
                      site.evidence.identities[0].certificate =
                          altered("reinstall-same-key-leaf", [](Certificate& made) {
                            made.sha256[0] ^= 0xFFU;  // as it was: its signature is the same
                            made.not_after = test::issuers_clock() - std::chrono::seconds{1};
                          });
                      return site;
                    },
                    "reinstall-same-key-a", MayGo::not_yet, "every valid path goes through it"},
        CleanupCase{"APathIsBrokenAnyhow",
                    [] {
                      SmallSite site = redeployed();
                      edge_knows_the_root_only(site, {});
                      site.evidence.stores[1].entries[0].certificate = issuer_fixture("root-r1");
                      return site;
                    },
                    "redeployment-a", MayGo::unknown, "there is no valid path, with them or without"},
        CleanupCase{"ItsChainAloneWasLetIn",
                    [] {
                      SmallSite site = reinstalled();
                      site.evidence.site.servers[1].trusts.clear();
                      let_in(site, {issuer_fixture("reinstall-same-key-leaf"), issuer_fixture("reinstall-same-key-a")});
                      return site;
                    },
                    "reinstall-same-key-a", MayGo::not_yet, "a chain with it was let in"},
        CleanupCase{"ItsChainWasLetInAndTheOtherAsWell",
                    [] {
                      SmallSite site = reinstalled();
                      site.evidence.site.servers[1].trusts.clear();
                      let_in(site, {issuer_fixture("reinstall-same-key-leaf"), issuer_fixture("reinstall-same-key-b")});
                      return site;
                    },
                    "reinstall-same-key-a", MayGo::now, "as well, which stays"},
        CleanupCase{"WhatWasLetInIsNoProofWhereAStoreIsDamaged",
                    [] {
                      SmallSite site = redeployed();
                      edge_knows_the_root_only(site, {});
                      site.evidence.stores[1].entries.clear();
                      site.evidence.stores[1].unreadable.push_back({"edge.pem", "block 1: truncated"});
                      let_in(site, {issuer_fixture("redeployment-leaf-keyid"), issuer_fixture("redeployment-b")});
                      return site;
                    },
                    "redeployment-a", MayGo::unknown, "it cannot be told whether there is a valid path"},
        CleanupCase{"AListInForceIsSignedByIt",
                    [] { return with_list(redeployed(), "redeployment-a", Said::verified); }, "redeployment-a",
                    MayGo::not_yet, "its key signed the revocation list of 2026-05-23"},
        CleanupCase{"AnOverdueListIsSignedByIt",
                    [] { return with_list(redeployed(), "redeployment-a", Said::verified, true); }, "redeployment-a",
                    MayGo::now, "no unexpired certificate"},
        CleanupCase{"AListIsSignedByAnother", [] { return with_list(redeployed(), "redeployment-a", Said::failed); },
                    "redeployment-a", MayGo::now, "no unexpired certificate"},
        CleanupCase{"NobodyTriedWhoSignedTheList",
                    [] { return with_list(redeployed(), "redeployment-a", Said::untried); }, "redeployment-a",
                    MayGo::unknown, "whether its key signed the revocation list"},
        CleanupCase{"AListIsSignedByAKeyThatStays",
                    [] { return with_list(reinstalled(), "reinstall-same-key-a", Said::verified); },
                    "reinstall-same-key-a", MayGo::now, "as well, which stays"},
        CleanupCase{
            "AForeignOne",
            [] {
              SmallSite site = redeployed();
              add_store(site, "fe1").entries.push_back({issuer_fixture("impostor"), StoreKind::root, "fe1.pem", 0});
              return site;
            },
            "impostor", MayGo::unknown, "nobody here issued or published it"},
        CleanupCase{"NothingChainsToIt",
                    [] {
                      return site_of("redeployment-leaf-keyid",
                                     {"redeployment-b", "redeployment-plain-a", "redeployment-plain-b"});
                    },
                    "redeployment-plain-a", MayGo::unknown, "nothing that was seen chains to this name"}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(Cleanup, WhatSignedSomethingUnexpiredStays) {
  SmallSite site = redeployed();
  const CertificateRef child = altered("redeployment-leaf-keyid", [](Certificate&) {});
  site.evidence.stores[0].entries.push_back({child, StoreKind::intermediate, "CN=users", 0});
  crypto::SignatureVerifier verifier;
  const SignatureOracle real = test::verifying_oracle(verifier);
  const auto judged = [&](std::optional<SignatureState> said) {
    return plan_of(site.evidence, [&, said](const Certificate& signed_one, const Certificate& issuer) {
      const bool asked =
          signed_one.sha256 == child->sha256 && issuer.spki_sha256 == issuer_fixture("redeployment-a")->spki_sha256;
      return asked ? said : real(signed_one, issuer);
    });
  };
  const CleanupPlan signed_by_it = judged(SignatureState::verified);
  EXPECT_EQ(to_string(verdict_on(signed_by_it, issuer_fixture("redeployment-a")).may_go), "not yet");
  EXPECT_TRUE(signed_by_it.removals.empty());
  const CleanupPlan untried = judged(std::nullopt);
  const CleanupVerdict& open = verdict_on(untried, issuer_fixture("redeployment-a"));
  EXPECT_EQ(to_string(open.may_go), "cannot be told");
  EXPECT_THAT(joined(open.because), HasSubstr("could not be verified"));
  EXPECT_EQ(to_string(verdict_on(judged(SignatureState::failed), issuer_fixture("redeployment-a")).may_go),
            "may go now");
  // One that has expired holds nobody back.
  site.evidence.stores[0].entries.back().certificate = altered("redeployment-leaf-keyid", [](Certificate& made) {
    made.not_after = test::issuers_clock() - std::chrono::seconds{1};
  });
  EXPECT_EQ(to_string(verdict_on(judged(SignatureState::verified), issuer_fixture("redeployment-a")).may_go),
            "may go now");
}

TEST(Cleanup, NothingGoesInFavourOfAnImpostor) {
  // The certificate in use was signed by a self-signed CA that fe1 sends along and no directory knows.
  SmallSite site = redeployed();
  const CertificateRef leaf = altered("redeployment-leaf-keyid", [](Certificate& made) {
    made.sha256[0] ^= 0xFFU;  // as it was
    made.authority_key_id.reset();
  });
  for (Identity& identity : site.evidence.identities) {
    identity.certificate = leaf;
    identity.chain = {issuer_fixture("impostor")};
  }
  crypto::SignatureVerifier verifier;
  const SignatureOracle real = test::verifying_oracle(verifier);
  const SignatureOracle oracle = [&](const Certificate& child, const Certificate& issuer) {
    if (child.sha256 != issuer_fixture("redeployment-leaf-keyid")->sha256) return real(child, issuer);
    return std::optional{issuer.sha256 == issuer_fixture("impostor")->sha256 ? SignatureState::verified
                                                                             : SignatureState::failed};
  };
  const CleanupPlan plan = plan_of(site.evidence, oracle);
  for (const char* honest : {"redeployment-a", "redeployment-b"}) {
    const CleanupVerdict& verdict = verdict_on(plan, issuer_fixture(honest));
    EXPECT_EQ(to_string(verdict.may_go), "cannot be told");
    EXPECT_THAT(joined(verdict.because), HasSubstr("impostor"));
  }
  EXPECT_TRUE(plan.removals.empty());
  // Once the directory knows it, it is one of the CAs of this site.
  site.store("impostor", StoreKind::root, "CN=Contoso Issuing CA,CN=Certification Authorities,CN=x");
  const CleanupPlan known = plan_of(site.evidence, oracle);
  EXPECT_EQ(to_string(verdict_on(known, issuer_fixture("redeployment-a")).may_go), "may go now");
}

TEST(Cleanup, AStaleRootGoesWithWhatItSigned) {
  // root-r1 signed nothing but the old issuing CA; both are stale.
  SmallSite site = site_of("redeployment-other-root-leaf", {"redeployment-other-root-a", "redeployment-other-root-b"});
  site.store("root-r1", StoreKind::root, "CN=Contoso Root CA,CN=Certification Authorities,CN=x");
  const CleanupPlan plan = plan_of(site);
  const CleanupVerdict& root = verdict_on(plan, issuer_fixture("root-r1"));
  EXPECT_EQ(to_string(root.may_go), "may go now") << joined(root.because);
  EXPECT_THAT(joined(root.because), HasSubstr("which may go as well"));
  ASSERT_EQ(plan.removals.size(), 2U);
  EXPECT_EQ(plan.removals[0].place.kind, StoreKind::root);  // the root's container comes before AIA
  EXPECT_EQ(plan.removals[0].values_there, 2U);
  EXPECT_FALSE(plan.removals[0].whole);
}

TEST(Cleanup, WhatTwoPathsNeedHoldsBackNobodyElse) {
  SmallSite site = reinstalled();
  site.store("root-r1", StoreKind::root, "CN=Contoso Root CA,CN=Certification Authorities,CN=x");
  const CertificateRef twin = altered("reinstall-same-key-a", [](Certificate& made) { made.serial = "77"; });
  site.evidence.stores[0].entries.push_back({twin, StoreKind::intermediate, "CN=Issuing,CN=AIA,CN=x", 9});
  edge_knows_the_root_only(site, {issuer_fixture("reinstall-same-key-a"), twin});
  Server second = site.evidence.site.servers[1];
  second.name = "edge2.contoso.example";
  site.evidence.site.servers.push_back(second);
  Link link = site.evidence.site.links[0];
  link.to = second.name;
  site.evidence.site.links.push_back(link);
  site.evidence.identities.push_back({second.name, site.evidence.identities[1].certificate, {}, true});
  const CleanupPlan plan = plan_of(site);
  EXPECT_EQ(to_string(verdict_on(plan, twin).may_go), "not yet");
  EXPECT_EQ(verdict_on(plan, twin).because.size(), 2U);
  EXPECT_EQ(to_string(verdict_on(plan, issuer_fixture("root-r1")).may_go), "may go now");
}

TEST(Cleanup, WhatOnlyAnEngineThatNeverLooksBackNeedsStays) {
  // Without key identifiers OpenSSL takes the first certificate of the name. Without the stale one, which has the right
  // key, that would be one of another installation, alive and of the wrong key; the right one stands behind it.
  CertificateRef stale = issuer_fixture("redeployment-plain-b");
  CertificateRef current = altered("redeployment-plain-b", [](Certificate& made) { made.serial = "77"; });
  if (current->sha256 < stale->sha256) std::swap(current, stale);
  SmallSite site = site_of("redeployment-plain-leaf", {});
  auto& entries = site.evidence.stores[0].entries;
  entries.push_back({stale, StoreKind::intermediate, "CN=1,CN=AIA,CN=x", 0});
  entries.push_back({issuer_fixture("redeployment-plain-a"), StoreKind::intermediate, "CN=2,CN=AIA,CN=x", 0});
  entries.push_back({current, StoreKind::intermediate, "CN=3,CN=AIA,CN=x", 0});
  const auto judged = [&](bool other_is_alive) {
    SmallSite copy = site;
    if (other_is_alive) copy.store("redeployment-plain-a", StoreKind::enrollment, "CN=A,CN=Enrollment Services,CN=x");
    return plan_of(copy);
  };
  const CleanupPlan plan = judged(true);
  const CleanupVerdict& verdict = verdict_on(plan, stale);
  EXPECT_EQ(to_string(verdict.may_go), "not yet") << joined(verdict.because);
  EXPECT_THAT(joined(verdict.because), HasSubstr("by the model of OpenSSL"));
  // When the wrong one is stale as well, both go.
  EXPECT_EQ(to_string(verdict_on(judged(false), stale).may_go), "may go now");
}

TEST(Cleanup, WhatIsAliveOrRenewedIsNotProposed) {
  SmallSite alive = redeployed();
  alive.store("redeployment-a", StoreKind::enrollment, "CN=Contoso,CN=Enrollment Services,CN=x");
  EXPECT_TRUE(plan_of(alive).verdicts.empty());
  EXPECT_TRUE(plan_of(site_of("rekey-renewal-leaf", {"rekey-renewal-a", "rekey-renewal-b", "rekey-renewal-c"}))
                  .verdicts.empty());
}

TEST(Cleanup, OneDirectoryReadTwiceIsOnePlace) {
  SmallSite site = redeployed();
  StoreContents copy = site.evidence.stores[0];
  copy.store = "dc2";
  StoreSpec spec = site.evidence.site.stores[0];
  spec.name = "dc2";
  site.evidence.site.stores.push_back(spec);
  site.evidence.stores.push_back(copy);
  const CleanupPlan plan = plan_of(site);
  ASSERT_EQ(plan.removals.size(), 1U);
  EXPECT_EQ(plan.removals[0].values.size(), 1U);
  EXPECT_EQ(plan.removals[0].values_there, 2U);
}

TEST(Cleanup, TheOneThatLastsLongerIsKept) {
  // Two certificates of one key: the younger ends in five days, long before what they signed.
  SmallSite site = reinstalled();
  StoreEntry& younger = site.evidence.stores[0].entries[2];
  ASSERT_EQ(younger.certificate, issuer_fixture("reinstall-same-key-b"));
  younger.certificate = altered(
      "reinstall-same-key-b", [](Certificate& made) { made.not_after = test::issuers_clock() + std::chrono::days{5}; });
  const CertificateRef short_lived = younger.certificate;
  crypto::SignatureVerifier verifier;
  const SignatureOracle real = test::verifying_oracle(verifier);
  const SignatureOracle oracle = [&](const Certificate& child, const Certificate& issuer) {
    // What was altered is signed as it was.
    return child.sha256 == short_lived->sha256 ? real(*issuer_fixture("reinstall-same-key-b"), issuer)
                                               : real(child, issuer);
  };
  const CleanupPlan plan = plan_of(site.evidence, oracle);
  ASSERT_EQ(plan.verdicts.size(), 1U);
  EXPECT_EQ(plan.verdicts[0].certificate, short_lived);
  EXPECT_EQ(to_string(plan.verdicts[0].may_go), "may go now") << joined(plan.verdicts[0].because);

  // The younger one enrolled, it is the current one: the other must stay until it is renewed.
  site.evidence.stores[0].entries.push_back(
      {short_lived, StoreKind::enrollment, "CN=Issuing,CN=Enrollment Services,CN=x", 0});
  const CleanupPlan held = plan_of(site.evidence, oracle);
  ASSERT_EQ(held.verdicts.size(), 1U);
  EXPECT_EQ(held.verdicts[0].certificate, issuer_fixture("reinstall-same-key-a"));
  EXPECT_EQ(to_string(held.verdicts[0].may_go), "not yet");
  EXPECT_THAT(joined(held.verdicts[0].because), HasSubstr("ends before, on"));
}

TEST(Cleanup, AValueOfCrossCertificatePairGoesWholeOrByHand) {
  const std::string dn = "CN=Issuing,CN=AIA,CN=x";
  SmallSite site = redeployed();
  site.store("redeployment-a", StoreKind::intermediate, dn + std::string{forward_mark});
  const auto removal_of_pairs = [&] {
    const CleanupPlan plan = plan_of(site);
    const auto found = std::find_if(plan.removals.begin(), plan.removals.end(),
                                    [](const Removal& removal) { return removal.place.in_pair; });
    EXPECT_NE(found, plan.removals.end());
    return found == plan.removals.end() ? Removal{} : *found;
  };
  const Removal alone = removal_of_pairs();
  EXPECT_EQ(alone.place.place, dn);
  EXPECT_EQ(by_hand_because(alone), "") << "the attribute is not mandatory";
  ASSERT_EQ(alone.pairs.size(), 1U);
  const auto pair = x509::read_certificate_pair(alone.pairs[0]);
  ASSERT_TRUE(pair) << pair.error().text;
  const auto& der = issuer_fixture("redeployment-a")->der;
  EXPECT_TRUE(std::equal(pair->forward.begin(), pair->forward.end(), der.begin(), der.end()));
  EXPECT_TRUE(pair->reverse.empty());
  // The other half of the same value stays.
  site.store("redeployment-b", StoreKind::intermediate, dn + std::string{reverse_mark});
  EXPECT_THAT(by_hand_because(removal_of_pairs()), HasSubstr(thumbprint(*issuer_fixture("redeployment-b"))));
}

TEST(CleanupSteps, TheLastValueOfAnObjectIsDoneByHand) {
  SmallSite site = redeployed();
  site.evidence.stores[0].entries[1].place = "CN=Old,CN=AIA,CN=x";
  ASSERT_EQ(site.evidence.stores[0].entries[1].certificate, issuer_fixture("redeployment-a"));
  const CleanupPlan plan = plan_of(site);
  ASSERT_EQ(plan.removals.size(), 1U);
  EXPECT_TRUE(plan.removals[0].whole);
  EXPECT_THAT(by_hand_because(plan.removals[0]), HasSubstr("mandatory"));
}

TEST(CleanupSteps, ComeInTheSafeOrderAndNeverGoByName) {
  SmallSite site = redeployed();
  StoreContents& host = add_store(site, "fe1-ca");
  site.evidence.site.stores.back().host = "fe1.contoso.example";
  host.entries.push_back({issuer_fixture("redeployment-a"), StoreKind::intermediate, "fe1.p7b", 0});
  site.store("redeployment-a", StoreKind::ntauth, "CN=NTAuthCertificates,CN=x");
  site.store("redeployment-b", StoreKind::ntauth, "CN=NTAuthCertificates,CN=x");
  const std::vector<CleanupStep> steps = cleanup_steps(plan_of(site));
  std::vector<std::string> titles;
  std::string all;
  for (const CleanupStep& step : steps) {
    titles.push_back(step.title);
    for (const auto* lines : {&step.notes, &step.before, &step.commands, &step.instead, &step.after, &step.undo})
      all += joined(*lines);
    const bool removes = step.title.starts_with("In the directory") || step.title.starts_with("On ");
    if (!removes) continue;
    for (const auto* lines : {&step.before, &step.commands, &step.after, &step.undo})
      EXPECT_FALSE(lines->empty()) << step.title;
  }
  EXPECT_THAT(titles, testing::ElementsAre("Keep what is there", "In the directory, from NTAuthCertificates: 1 value",
                                           "In the directory, from AIA: 1 value",
                                           "On fe1.contoso.example, from the store CA of the computer: 1 certificate",
                                           "Let it reach the servers", "Restart the services", "Look again"));
  EXPECT_EQ(all.find("-dsdel"), std::string::npos);
  const std::string print = thumbprint(*issuer_fixture("redeployment-a"));
  EXPECT_THAT(all, HasSubstr("certutil -delstore CA " + print));
  EXPECT_THAT(all, HasSubstr("Remove-Item -Path Cert:\\LocalMachine\\CA\\" + print));
}

struct FeedCase {
  const char* name;
  StoreOrigin origin;
  const char* command;
  const char* words;
};
class FedCopy : public testing::TestWithParam<FeedCase> {};
TEST_P(FedCopy, GoesWhereItComesFrom) {
  const FeedCase& c = GetParam();
  SmallSite site = redeployed();
  EntryProperties properties;
  properties.origin = c.origin;
  properties.windows_store = "CA";
  add_store(site, "fe1-ca")
      .entries.push_back({issuer_fixture("redeployment-a"), StoreKind::intermediate, "fe1.reg", 0,
                          std::make_shared<const EntryProperties>(properties)});
  site.evidence.site.stores.back().host = "fe1.contoso.example";
  const std::vector<CleanupStep> steps = cleanup_steps(plan_of(site));
  const auto step = std::find_if(steps.begin(), steps.end(), [](const CleanupStep& one) {
    return one.title.starts_with("On ") || one.title.find("fe1.reg") != std::string::npos;
  });
  ASSERT_NE(step, steps.end());
  EXPECT_THAT(joined(step->commands), HasSubstr(c.command));
  EXPECT_THAT(joined(step->notes) + step->title, HasSubstr(c.words));
  for (const auto* lines : {&step->before, &step->commands, &step->after, &step->undo}) EXPECT_FALSE(lines->empty());
}
INSTANTIATE_TEST_SUITE_P(
    CleanupSteps, FedCopy,
    testing::Values(FeedCase{"Local", StoreOrigin::local, "certutil -delstore CA ", "the computer"},
                    FeedCase{"User", StoreOrigin::user, "certutil -user -delstore CA ", "the user"},
                    FeedCase{"GroupPolicy", StoreOrigin::group_policy, "gpupdate /force", "take it out of the policy"},
                    FeedCase{"Enterprise", StoreOrigin::enterprise, "certutil -pulse", "It comes from the directory"}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(CleanupSteps, AnExportOfTheDirectoryIsTheDirectory) {
  SmallSite site = redeployed();
  EntryProperties properties;
  properties.origin = StoreOrigin::directory;
  StoreContents& ldif = add_store(site, "export");
  for (const char* each : {"redeployment-a", "redeployment-b"}) {
    ldif.entries.push_back({issuer_fixture(each), StoreKind::intermediate, "cn=issuing,cn=aia,cn=x", 0,
                            std::make_shared<const EntryProperties>(properties)});
  }
  const CleanupPlan plan = plan_of(site);
  ASSERT_EQ(plan.removals.size(), 1U);
  EXPECT_TRUE(plan.removals[0].place.directory);
  EXPECT_EQ(plan.removals[0].values_there, 2U);
}

TEST(CleanupSteps, WhatAWebServerHandsOutIsReplacedThere) {
  SmallSite site = redeployed();
  for (const char* url : {"http://pki.contoso.example/issuing.crt", "http://pki.contoso.example/$(x).crt"}) {
    StoreContents& fetched = site.evidence.stores.emplace_back();
    fetched.store = fetched.source = url;
    fetched.entries.push_back({issuer_fixture("redeployment-a"), StoreKind::intermediate, "fetched", 0});
  }
  std::vector<CleanupStep> steps = cleanup_steps(plan_of(site));
  std::erase_if(steps, [](const CleanupStep& step) { return !step.title.starts_with("On "); });
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].title, "On the web server, at http://pki.contoso.example/$(x).crt: 1 certificate");
  EXPECT_TRUE(steps[0].before.empty()) << "an address that a shell would read";
  EXPECT_EQ(steps[1].title, "On the web server, at http://pki.contoso.example/issuing.crt: 1 certificate");
  EXPECT_EQ(joined(steps[1].before), "certutil -urlcache -f \"http://pki.contoso.example/issuing.crt\" before.cer\n");
  EXPECT_TRUE(steps[1].commands.empty());
  EXPECT_THAT(joined(steps[1].notes), HasSubstr(thumbprint(*issuer_fixture("redeployment-a"))));
}

TEST(CleanupSteps, ANameThatAShellWouldReadIsInNoCommand) {
  SmallSite site = redeployed();
  for (StoreEntry& entry : site.evidence.stores[0].entries) {
    if (entry.kind == StoreKind::intermediate) entry.place = "CN=A\"; rm -rf $HOME `x`,CN=AIA,CN=x";
  }
  for (const CleanupStep& step : cleanup_steps(plan_of(site))) {
    for (const auto* lines : {&step.before, &step.commands, &step.instead, &step.after, &step.undo}) {
      for (const std::string& line : *lines) EXPECT_EQ(line.find("rm -rf"), std::string::npos) << line;
    }
  }
}

}  // namespace
}  // namespace mrascheck

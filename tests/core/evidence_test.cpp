// SPDX-License-Identifier: Apache-2.0
#include "core/evidence.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/sample_evidence.hpp"

namespace mrascheck {
namespace {

using test::sample_certificate;
using test::sample_evidence;

/// What the order of the lists is, in words.
std::string outline(const Evidence& e) {
  std::string text = e.vantage + "\n";
  for (const StoreSpec& s : e.site.stores) text += "spec " + s.name + "\n";
  for (const Server& s : e.site.servers) text += "server " + s.name + (s.has_identity ? " with key\n" : "\n");
  for (const Link& l : e.site.links) text += "link " + l.id() + "\n";
  for (const StoreContents& s : e.stores) {
    text += "store " + s.store + " from " + s.source + "\n";
    for (const StoreEntry& entry : s.entries) {
      text += "  " + entry.place.str() + " " + std::to_string(entry.index) + " " + std::string(to_string(entry.kind)) +
              " " + std::string{entry.certificate->subject.text()} + "\n";
    }
    for (const Unreadable& u : s.unreadable) text += "  unreadable " + u.place + ": " + u.reason + "\n";
    for (const std::string& r : s.referrals) text += "  referral " + r + "\n";
    for (const std::string& r : s.remarks) text += "  remark " + r + "\n";
    for (const CrlEntry& c : s.crls)
      text += "  list " + c.place + " " + std::to_string(c.index) + " " + std::string{c.crl->issuer.text()} + "\n";
  }
  for (const Identity& i : e.identities) text += "identity " + i.server + (i.key_matches ? " with key\n" : "\n");
  for (const Resolution& r : e.resolutions) {
    text += "name " + r.name;
    for (const std::string& address : r.addresses) text += " " + address;
    text += "\n";
  }
  for (const Handshake& h : e.handshakes)
    text += "handshake " + h.id() + " " + std::string(to_string(h.outcome)) + "\n";
  for (const RelayLook& r : e.relays) text += "relay " + r.id() + " " + std::string(to_string(r.outcome)) + "\n";
  for (const SignatureProof& s : e.signatures) {
    text += "signature " + to_hex(s.child) + " " + to_hex(s.issuer_key) +
            (s.state == SignatureState::verified ? " verified\n" : " failed\n");
  }
  for (const Gap& g : e.gaps) text += "gap " + std::string(to_string(g.need)) + " " + g.about + ": " + g.reason + "\n";
  return text;
}

std::string normal_outline(Evidence e) {
  normalise(e);
  return outline(e);
}

std::string merged_outline(std::vector<Evidence> recordings) {
  const auto merged = merge(std::move(recordings));
  return merged ? outline(*merged) : merged.error().text;
}

TEST(Needs, HaveNames) {
  EXPECT_EQ(to_string(Needs::stores), "stores");
  EXPECT_EQ(to_string(Needs::identities), "identities");
  EXPECT_EQ(to_string(Needs::names), "names");
  EXPECT_EQ(to_string(Needs::handshakes), "handshakes");
  EXPECT_EQ(to_string(Needs::signatures), "signatures");
  EXPECT_EQ(to_string(Needs::versions), "versions");
  EXPECT_EQ(to_string(Needs::traces), "traces");
}

TEST(Normalise, PutsThingsInConfigurationOrderAndThenByContent) {
  Evidence e = sample_evidence();
  normalise(e);
  EXPECT_EQ(e.stores.at(0).store, "ad") << "as in site.stores";
  EXPECT_EQ(e.identities.at(0).server, "fe1.contoso.example") << "as in site.servers";
  EXPECT_EQ(e.handshakes.at(0).from, "fe1.contoso.example") << "as in site.links";
  EXPECT_EQ(e.handshakes.at(0).address, "192.0.2.1");
  EXPECT_EQ(e.stores.at(0).entries.at(0).place.str(), "CN=Issuing,CN=AIA");
  EXPECT_EQ(e.stores.at(0).entries.at(0).index, 0U);
  EXPECT_EQ(e.resolutions.at(1).addresses.front(), "192.0.2.1");
  EXPECT_EQ(e.gaps.at(0).need, Needs::stores);
  EXPECT_TRUE(std::is_sorted(e.signatures.begin(), e.signatures.end(), [](const auto& a, const auto& b) {
    return std::pair{a.child, a.issuer_key} < std::pair{b.child, b.issuer_key};
  }));
}

TEST(Normalise, LeavesSequencesThatMeanSomethingAlone) {
  Evidence e = sample_evidence();
  normalise(e);
  const Handshake& h = e.handshakes.at(0);
  EXPECT_EQ(h.peer_chain.at(0)->subject.text(), "CN=edge1");
  EXPECT_EQ(h.accepted_issuers.at(0).text(), "CN=Contoso Root");
  EXPECT_EQ(h.alerts_received.at(0).description, 48);
  EXPECT_EQ(h.mras->diagnostics.at(0).id, 1038U);
}

TEST(Normalise, IsTheSameWhateverTheOrder) {
  const std::string expected = normal_outline(sample_evidence());
  std::mt19937 random{7};
  for (int i = 0; i < 50; ++i) {
    Evidence e = sample_evidence();
    const auto shuffle = [&](auto& list) { std::shuffle(list.begin(), list.end(), random); };
    shuffle(e.stores);
    for (StoreContents& s : e.stores) {
      shuffle(s.entries);
      shuffle(s.unreadable);
      shuffle(s.referrals);
      shuffle(s.remarks);
    }
    shuffle(e.identities);
    shuffle(e.resolutions);
    for (Resolution& r : e.resolutions) shuffle(r.addresses);
    shuffle(e.handshakes);
    shuffle(e.signatures);
    shuffle(e.gaps);
    ASSERT_EQ(normal_outline(e), expected) << "shuffle " << i;
  }
}

TEST(Normalise, OrdersByEveryMember) {
  // Two handshakes that differ in their last member only still have one order.
  Evidence a = sample_evidence();
  Handshake other = a.handshakes.at(2);
  other.mras->problem = "";
  a.handshakes.push_back(other);
  Evidence b = a;
  std::reverse(b.handshakes.begin(), b.handshakes.end());
  normalise(a);
  normalise(b);
  for (std::size_t i = 0; i < a.handshakes.size(); ++i) {
    EXPECT_EQ(a.handshakes[i].mras.has_value(), b.handshakes[i].mras.has_value());
    if (a.handshakes[i].mras && b.handshakes[i].mras) {
      EXPECT_EQ(a.handshakes[i].mras->problem, b.handshakes[i].mras->problem);
    }
  }
}

TEST(Normalise, KeepsEachSignatureOnceAndVerifiedBeforeFailed) {
  Evidence e = sample_evidence();
  const std::size_t before = e.signatures.size();
  SignatureProof contradiction = e.signatures.at(0);
  contradiction.state = SignatureState::failed;
  e.signatures.insert(e.signatures.begin(), contradiction);
  e.signatures.push_back(e.signatures.at(1));
  normalise(e);
  EXPECT_EQ(e.signatures.size(), before);
  EXPECT_EQ(std::count(e.signatures.begin(), e.signatures.end(), contradiction), 0);
}

TEST(Merge, OfNothingIsAnError) {
  EXPECT_EQ(merge({}).error().kind, ErrorKind::config);
}

TEST(Merge, OfOneIsThatOneInOrder) {
  EXPECT_EQ(merged_outline({sample_evidence()}), normal_outline(sample_evidence()));
}

TEST(Merge, OfTheSameTwiceIsThatOnce) {
  EXPECT_EQ(merged_outline({sample_evidence(), sample_evidence()}), normal_outline(sample_evidence()));
  Evidence later = sample_evidence();
  later.collected_at += std::chrono::hours{1};
  const auto merged = merge({sample_evidence(), later});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->collected_at, later.collected_at);
  EXPECT_EQ(outline(*merged), normal_outline(sample_evidence()));
}

TEST(Merge, RefusesRecordingsOfDifferentSites) {
  Evidence other = sample_evidence();
  other.site.name = "fabrikam";
  other.vantage = "fe9.fabrikam.example";
  const auto merged = merge({sample_evidence(), other});
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().kind, ErrorKind::config);
  EXPECT_EQ(merged.error().text,
            "recordings of different sites cannot be judged together: 'contoso' (seen from fe1.contoso.example) and "
            "'fabrikam' (seen from fe9.fabrikam.example)");
}

TEST(Merge, WhatOneVantageLookedAtTwiceCountsAsItWasSeenLast) {
  Evidence later = sample_evidence();
  later.collected_at += std::chrono::hours{1};
  later.stores.at(1).entries.erase(later.stores.at(1).entries.begin());
  later.stores.at(1).truncated.clear();
  later.stores.at(1).unreadable.clear();
  later.handshakes.at(2).outcome = Outcome::timed_out;
  later.relays.at(0).outcome = RelayOutcome::no_answer;
  later.gaps.at(1).reason = "/srv/export/edge1.pem: Input/output error";
  EXPECT_EQ(merged_outline({sample_evidence(), later}), normal_outline(later));
  EXPECT_EQ(merged_outline({later, sample_evidence()}), normal_outline(later));
  // What the later look saw in part only, the earlier one completes.
  later.stores.at(1).truncated = "the server gives 1000 at most";
  EXPECT_NE(merged_outline({sample_evidence(), later}), normal_outline(later));
}

struct Age {
  const char* name;
  const char* vantage;  ///< of the later recording, to which what the earlier one saw is a gap
  std::chrono::hours later;
  bool gap_stays;
};

class AgeTest : public testing::TestWithParam<Age> {};

TEST_P(AgeTest, OfWhatFillsAGapDecides) {
  const Age& row = GetParam();
  Evidence earlier = sample_evidence();
  earlier.gaps.clear();
  earlier.stores.at(1).truncated.clear();
  Evidence later = sample_evidence();
  later.vantage = row.vantage;
  later.collected_at += row.later;
  const StoreContents read = later.stores.at(0);
  later.stores.erase(later.stores.begin());
  later.handshakes.clear();
  later.gaps = {{Needs::stores, read.store, ErrorKind::local, "Permission denied", "Read it."},
                {Needs::handshakes, "fe1.contoso.example -> edge1.contoso.example:5062", ErrorKind::local, "no socket",
                 "Try again."}};
  for (const bool swapped : {false, true}) {
    const auto merged = swapped ? merge({later, earlier}) : merge({earlier, later});
    ASSERT_TRUE(merged);
    EXPECT_EQ(merged->gaps.size(), row.gap_stays ? 2U : 0U);
    const auto ad = std::find_if(merged->stores.begin(), merged->stores.end(),
                                 [](const StoreContents& s) { return s.store == "ad"; });
    ASSERT_NE(ad, merged->stores.end());
    EXPECT_EQ(!ad->truncated.empty(), row.gap_stays) << "what was read in part now, and whole then";
  }
}

INSTANTIATE_TEST_SUITE_P(
    TwoRecordings, AgeTest,
    testing::Values(Age{"OfOneVantageAtOnce", "fe1.contoso.example", std::chrono::hours{0}, false},
                    Age{"OfOneVantageAnHourLater", "fe1.contoso.example", std::chrono::hours{1}, true},
                    Age{"OfTwoVantagesInOneRound", "edge1.contoso.example", longest_round, false},
                    Age{"OfTwoVantagesLater", "edge1.contoso.example", longest_round + std::chrono::hours{1}, true}),
    [](const auto& row) { return row.param.name; });

struct Difference {
  const char* name;
  std::function<void(Evidence&)> apply;  ///< to the second recording, made an hour later on edge1
  std::vector<std::string> lines;        ///< that the outline of both together has
  std::vector<std::string> no_lines;     ///< that it does not have
};

class MergeTest : public testing::TestWithParam<Difference> {};

TEST_P(MergeTest, KeepsWhatEachHasSeenInEitherOrder) {
  const Difference& row = GetParam();
  Evidence later = sample_evidence();
  later.vantage = "edge1.contoso.example";
  later.collected_at += std::chrono::hours{1};
  row.apply(later);
  const std::string both = merged_outline({sample_evidence(), later});
  EXPECT_EQ(both, merged_outline({later, sample_evidence()}));
  EXPECT_EQ(both, merged_outline({later, sample_evidence(), later}));
  EXPECT_EQ(both.substr(0, both.find('\n')), "edge1.contoso.example, fe1.contoso.example");
  const auto has = [&](const std::string& line) { return ("\n" + both).find("\n" + line + "\n") != std::string::npos; };
  for (const std::string& line : row.lines) EXPECT_TRUE(has(line)) << line << "\nnot in\n" << both;
  for (const std::string& line : row.no_lines) EXPECT_FALSE(has(line)) << line << "\nin\n" << both;
}

INSTANTIATE_TEST_SUITE_P(
    TwoRecordings, MergeTest,
    testing::Values(
        Difference{
            "SameStoreWithOneCertificateMore",
            [](Evidence& e) {
              e.stores.at(1).source = "ldap://dc2.contoso.example";
              e.stores.at(1).entries = {
                  {sample_certificate("issuing-new"), StoreKind::intermediate, "CN=Issuing,CN=AIA", 5},
                  {sample_certificate("issuing-third"), StoreKind::intermediate, "CN=Issuing,CN=AIA", 6}};
            },
            {"store ad from ldap://dc2.contoso.example, ldap://dc1.contoso.example",
             "  CN=Issuing,CN=AIA 5 intermediate CN=issuing-new", "  CN=Issuing,CN=AIA 6 intermediate CN=issuing-third",
             "  CN=Issuing,CN=AIA 1 intermediate CN=issuing-old"},
            {"  CN=Issuing,CN=AIA 0 intermediate CN=issuing-new"}},
        Difference{"TwiceInOnePlaceStaysTwice",
                   [](Evidence& e) {
                     e.stores.at(0).entries.push_back(
                         {sample_certificate("root"), StoreKind::root, "/srv/export/fe1-root.pem", 4});
                   },
                   {"  /srv/export/fe1-root.pem 0 root CN=root", "  /srv/export/fe1-root.pem 4 root CN=root"},
                   {}},
        Difference{"ARevocationListThatOnlyTheOtherSawAndOneUnderAnotherNumber",
                   [](Evidence& e) {
                     e.stores.at(0).crls.at(0).index = 3;
                     e.stores.at(0).crls.push_back({test::sample_crl("third"), "/srv/export/fe1-root.pem", 1});
                   },
                   {"  list /srv/export/fe1-root.pem 1 CN=third", "  list /srv/export/fe1-root.pem 3 CN=list"},
                   {"  list /srv/export/fe1-root.pem 0 CN=list"}},
        Difference{"AStoreThatOnlyTheOtherCouldRead",
                   [](Evidence& e) {
                     e.stores.push_back({"edge1-root", "/srv/edge1.pem", {}, {}, {}, "", {}, {}});
                     std::erase_if(e.gaps, [](const Gap& g) { return g.need == Needs::stores; });
                   },
                   {"store edge1-root from /srv/edge1.pem"},
                   {"gap stores edge1-root: /srv/export/edge1.pem: Permission denied"}},
        Difference{"AnotherUrlThatWasFetchedFillsNoGapOfOne",
                   [](Evidence& e) {
                     e.gaps.at(1).about = "http://pki.contoso.example/root.crl";
                     e.stores.push_back({"http://pki.contoso.example/other.crl", "", {}, {}, {}, "", {}, {}});
                   },
                   {"gap stores http://pki.contoso.example/root.crl: /srv/export/edge1.pem: Permission denied",
                    "gap stores edge1-root: /srv/export/edge1.pem: Permission denied",
                    "store http://pki.contoso.example/other.crl from "},
                   {}},
        Difference{"AGapOfBothStays",
                   [](Evidence& e) { e.gaps.at(1).reason = "/srv/export/edge1.pem: Input/output error"; },
                   {"gap stores edge1-root: /srv/export/edge1.pem: Permission denied",
                    "gap stores edge1-root: /srv/export/edge1.pem: Input/output error"},
                   {}},
        Difference{"ALinkThatOnlyTheOtherCouldTry",
                   [](Evidence& e) { std::erase_if(e.gaps, [](const Gap& g) { return g.need == Needs::handshakes; }); },
                   {},
                   {"gap handshakes edge1.contoso.example -> fe1.contoso.example:5061: the deadline came first"}},
        Difference{"AnotherOutcomeOfTheSameLink",
                   [](Evidence& e) { e.handshakes.at(2).outcome = Outcome::timed_out; },
                   {"handshake fe1.contoso.example -> edge1.contoso.example (192.0.2.1:5062, chain 1/2) timed-out",
                    "handshake fe1.contoso.example -> edge1.contoso.example (192.0.2.1:5062, chain 1/2) "
                    "rejected-by-peer"},
                   {}},
        Difference{"AKeyThatOnlyOneOfThemHas",
                   [](Evidence& e) {
                     e.identities.at(0).key_matches = true;
                     e.identities.at(1).key_matches = false;
                     e.site.servers.at(0).has_identity = false;
                     e.site.servers.at(1).has_identity = true;
                   },
                   {"identity edge1.contoso.example with key", "identity fe1.contoso.example with key",
                    "server fe1.contoso.example with key", "server edge1.contoso.example with key"},
                   {"identity edge1.contoso.example", "identity fe1.contoso.example"}},
        Difference{"AServerAndALinkMore",
                   [](Evidence& e) {
                     Server fe2 = e.site.servers.at(0);
                     fe2.name = "fe2.contoso.example";
                     e.site.servers.push_back(fe2);
                     e.site.links.push_back({"fe2.contoso.example", "edge1.contoso.example"});
                   },
                   {"server fe2.contoso.example with key", "link fe2.contoso.example -> edge1.contoso.example:5062",
                    "link fe1.contoso.example -> edge1.contoso.example:5062"},
                   {}},
        Difference{"AnotherAnswerForTheSameName",
                   [](Evidence& e) { e.resolutions.at(0).addresses = {"198.51.100.7"}; },
                   {"name edge1.contoso.example 192.0.2.1 2001:db8::1", "name edge1.contoso.example 198.51.100.7"},
                   {}}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck

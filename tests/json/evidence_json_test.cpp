// SPDX-License-Identifier: Apache-2.0
#include "json/evidence_json.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "samples.hpp"

namespace mrascheck {
namespace {

using Json = nlohmann::ordered_json;
using test::read_sample;
using test::sample_evidence;

/// Does not compile when a type of the evidence gains a member: give it a key in evidence_json.cpp, a place in the
/// order of evidence.cpp, a value in sample_evidence(), a line in the schema and in mrascheck-evidence(5), and then
/// count it.
[[maybe_unused]] void every_member_has_a_key(const Evidence& evidence) {
  [[maybe_unused]] const auto& [e1, e2, e3, e4, e5, e6, e7, e8, e9, e10, e11, e12, e13, e14, e15] = evidence;
  [[maybe_unused]] const auto& [s1, s2, s3, s4, s5, s6] = evidence.site;
  [[maybe_unused]] const auto& [t1, t2, t3, t4] = evidence.site.stores[0];
  [[maybe_unused]] const auto& [v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11] = evidence.site.servers[0];
  [[maybe_unused]] const auto& [l1, l2, l3, l4, l5, l6, l7, l8] = evidence.site.links[0];
  [[maybe_unused]] const auto& [f1, f2] = *l6;
  [[maybe_unused]] const auto& [q1, q2, q3, q4, q5, q6] = evidence.site.mras;
  [[maybe_unused]] const auto& [p1, p2] = evidence.site.policy;
  [[maybe_unused]] const auto& [h1, h2] = p1.begin()->second;
  [[maybe_unused]] const auto& [c1, c2, c3, c4, c5, c6, c7, c8, c9] = evidence.stores[0];
  [[maybe_unused]] const auto& [n1, n2, n3, n4, n5] = c3[0];
  [[maybe_unused]] const auto& [o1, o2, o3, o4, o5, o6, o7, o8] = *n5;
  [[maybe_unused]] const auto& [b1, b2, b3] = c9[0];
  [[maybe_unused]] const auto& [u1, u2] = c4[0];
  [[maybe_unused]] const auto& [i1, i2, i3, i4, i5] = evidence.identities[0];
  [[maybe_unused]] const auto& [r1, r2, r3, r4, r5] = evidence.resolutions[0];
  [[maybe_unused]] const auto& [k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11, k12, k13, k14, k15, k16, k17, k18, k19,
                                k20, k21, k22, k23, k24, k25, k26, k27, k28, k29, k30] = evidence.handshakes[0];
  [[maybe_unused]] const auto& [a1, a2] = k18[0];
  [[maybe_unused]] const auto& [m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19,
                                m20, m21, m22, m23, m24, m25, m26, m27] = *k29;
  [[maybe_unused]] const auto& [d1, d2, d3] = m8[0];
  [[maybe_unused]] const auto& [y1, y2, y3, y4, y5] = m15[0];
  [[maybe_unused]] const auto& [j1, j2, j3, j4] = evidence.trials[0];
  [[maybe_unused]] const auto& [z1, z2, z3, z4, z5] = evidence.offers[0];
  [[maybe_unused]] const auto& [aa1, aa2, aa3, aa4] = z5[0];
  [[maybe_unused]] const auto& [bb1, bb2, bb3, bb4, bb5, bb6, bb7] = evidence.ocsp[0];
  [[maybe_unused]] const auto& [cc1, cc2, cc3, cc4, cc5, cc6, cc7, cc8, cc9] = *bb5;
  [[maybe_unused]] const auto& [rr1, rr2, rr3, rr4, rr5, rr6, rr7, rr8, rr9, rr10, rr11, rr12, rr13, rr14, rr15, rr16,
                                rr17, rr18, rr19, rr20, rr21, rr22, rr23] = evidence.relays[0];
  [[maybe_unused]] const auto& [ab1, ab2, ab3, ab4] = evidence.patches[0];
  [[maybe_unused]] const auto& [ac1, ac2] = ab4[0];
  [[maybe_unused]] const auto& [ad1, ad2, ad3] = evidence.traced;
  [[maybe_unused]] const auto& [ae1, ae2, ae3, ae4, ae5, ae6, ae7, ae8, ae9, ae10, ae11] = ad1[0];
  [[maybe_unused]] const auto& [af1, af2, af3, af4, af5, af6, af7, af8, af9, af10, af11, af12, af13, af14, af15, af16] =
      ad2[0];
  [[maybe_unused]] const auto& [ag1, ag2, ag3, ag4, ag5, ag6] = ad3[0];
  [[maybe_unused]] const auto& [ah1, ah2, ah3, ah4, ah5, ah6, ah7, ah8, ah9, ah10, ah11] = ae11[0];
  [[maybe_unused]] const auto& [ai1, ai2, ai3, ai4, ai5, ai6, ai7] = af5;
  [[maybe_unused]] const auto& [g1, g2, g3] = evidence.signatures[0];
  [[maybe_unused]] const auto& [w1, w2, w3, w4, w5, status_in_a_report] = evidence.gaps[0];
  [[maybe_unused]] const auto& [x1, x2, x3, x4] = Name::Forms{};
}

std::string error_of(const std::string& text) {
  const auto read = read_sample(text);
  return read ? "no error" : read.error().text;
}

TEST(EvidenceJson, WrittenReadAndWrittenAgainIsTheSame) {
  const std::string written = json::write_evidence(sample_evidence());
  const auto read = read_sample(written);
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(json::write_evidence(*read), written);
}

TEST(EvidenceJson, NothingGetsLost) {
  const Evidence before = sample_evidence();
  const auto after = read_sample(json::write_evidence(before));
  ASSERT_TRUE(after) << after.error().text;
  EXPECT_EQ(after->collected_at, before.collected_at);
  EXPECT_EQ(after->vantage, before.vantage);
  EXPECT_EQ(after->site.policy.thresholds, before.site.policy.thresholds);
  EXPECT_EQ(after->site.mras.duration, before.site.mras.duration);
  EXPECT_EQ(after->site.servers.at(0).chain, ChainMode::from_stores);
  EXPECT_EQ(after->stores.at(1).truncated, before.stores.at(1).truncated);
  ASSERT_TRUE(after->stores.at(0).entries.at(0).properties);
  EXPECT_EQ(*after->stores.at(0).entries.at(0).properties, *before.stores.at(0).entries.at(0).properties);
  EXPECT_EQ(after->stores.at(1).entries.at(0).properties, nullptr);
  EXPECT_EQ(after->stores.at(0).faults.size(), 2U);
  EXPECT_EQ(after->signatures, before.signatures);
  EXPECT_EQ(after->gaps.at(1).remedy, before.gaps.at(1).remedy) << "line ends are kept";
  const Handshake& h = after->handshakes.at(2);
  EXPECT_EQ(h.connect_time, before.handshakes.at(2).connect_time);
  EXPECT_EQ(h.alerts_received, before.handshakes.at(2).alerts_received);
  EXPECT_EQ(h.mras->granted, std::chrono::minutes{480});
  EXPECT_EQ(h.mras->relays.at(0).tcp_port, std::nullopt);
  EXPECT_EQ(h.mras->diagnostics.at(0).parameters, before.handshakes.at(2).mras->diagnostics.at(0).parameters);
  EXPECT_TRUE(same_bytes(h.accepted_issuers.at(1), before.handshakes.at(2).accepted_issuers.at(1)));
  EXPECT_EQ(h.accepted_issuers.at(1).canonical(), before.handshakes.at(2).accepted_issuers.at(1).canonical());
  EXPECT_FALSE(after->handshakes.at(1).mras);
}

TEST(EvidenceJson, ARecordingOfAnOlderVersionHasNoProperties) {
  Json document = Json::parse(json::write_evidence(sample_evidence()));
  document["stores"][0].erase("faults");
  document["stores"][0]["entries"][0].erase("properties");
  const auto read = read_sample(document.dump());
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_TRUE(read->stores.at(0).faults.empty());
  EXPECT_EQ(read->stores.at(0).entries.at(0).properties, nullptr);
  const std::string written = json::write_evidence(*read);
  EXPECT_EQ(written.find("\"properties\""), std::string::npos) << "nothing, rather than an empty something";
  EXPECT_EQ(written.find("\"faults\""), std::string::npos);
}

TEST(EvidenceJson, EqualPropertiesAreOneValue) {
  Evidence evidence = sample_evidence();
  StoreEntry second = evidence.stores[0].entries[0];
  second.index = 1;
  evidence.stores[0].entries.push_back(second);
  const auto read = read_sample(json::write_evidence(evidence));
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->stores[0].entries[0].properties, read->stores[0].entries[1].properties);
}

TEST(EvidenceJson, EmptyEvidenceComesBack) {
  const std::string written = json::write_evidence({});
  const auto read = read_sample(written);
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(json::write_evidence(*read), written);
}

TEST(EvidenceJson, EachCertificateStandsOnceAndIsDecodedOnce) {
  const std::string written = json::write_evidence(sample_evidence());
  EXPECT_EQ(Json::parse(written)["certificates"].size(), 5U);
  std::size_t decoded = 0;
  const auto read = json::read_evidence(
      written, "incident.json",
      [&](Bytes der) {
        ++decoded;
        return test::decode_sample(der);
      },
      test::decode_sample_crl);
  ASSERT_TRUE(read);
  EXPECT_EQ(decoded, 5U);
  EXPECT_EQ(read->stores.at(1).entries.at(1).certificate, read->stores.at(1).entries.at(3).certificate)
      << "one value, shared";
}

TEST(EvidenceJson, EachRevocationListStandsOnceAndIsShared) {
  const std::string written = json::write_evidence(sample_evidence());
  EXPECT_EQ(Json::parse(written)["crls"].size(), 2U);
  const auto read = read_sample(written);
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->stores.at(0).crls.at(0).crl, read->stores.at(1).crls.at(1).crl);
  EXPECT_EQ(read->stores.at(1).crls.at(0).place, "CN=Issuing,CN=CDP");
  EXPECT_EQ(read->stores.at(1).crls.at(0).index, 1U);
}

/// What a document of version 1 holds: the same without revocation lists.
Json version_1() {
  Json document = Json::parse(json::write_evidence(sample_evidence()));
  document["version"] = 1;
  document.erase("crls");
  for (Json& store : document["stores"]) store.erase("crls");
  return document;
}

TEST(EvidenceJson, ARecordingOfVersion1IsStillRead) {
  const auto read = read_sample(version_1().dump());
  ASSERT_TRUE(read) << read.error().text;
  Evidence expected = sample_evidence();
  for (StoreContents& store : expected.stores) store.crls.clear();
  EXPECT_EQ(json::write_evidence(*read), json::write_evidence(expected));
}

TEST(EvidenceJson, ARecordingOfVersion1HasNoKeysOfVersion2) {
  Json document = version_1();
  document["stores"][0]["crls"] = Json::array();
  EXPECT_EQ(error_of(document.dump()), "incident.json: not evidence: /stores/0/crls: unknown key");
}

TEST(EvidenceJson, EachNameStandsOnce) {
  const Json document = Json::parse(json::write_evidence(sample_evidence()));
  EXPECT_EQ(document["names"].size(), 2U);
  EXPECT_EQ(document["handshakes"][2]["accepted_issuers"].size(), 3U);
}

TEST(EvidenceJson, HasTheFormOfTheManPage) {
  const std::string written = json::write_evidence(sample_evidence());
  EXPECT_TRUE(
      written.starts_with("{\n  \"format\": \"mrascheck-evidence\",\n  \"version\": 2,\n"
                          "  \"collected_at\": \"2026-11-22T09:00:00Z\",\n"))
      << written.substr(0, 200);
  EXPECT_TRUE(written.ends_with("}\n"));
  EXPECT_NE(written.find("\"tls_time_us\": 31007"), std::string::npos);
  EXPECT_NE(written.find("\"outcome\": \"rejected-by-peer\""), std::string::npos);
  EXPECT_NE(written.find("\"warning\": \"30:\""), std::string::npos);
}

TEST(EvidenceJson, ForeignBytesComeBackPrintableAndStayThatWay) {
  Evidence evidence = sample_evidence();
  evidence.vantage = "caf\xE9\xFF";
  evidence.handshakes[0].detail = std::string("\033[31m\0\n\xE2\x80\xAE", 10);
  evidence.stores[0].source = std::string(5000, '\xFF');
  const std::string written = json::write_evidence(evidence);
  const auto read = read_sample(written);
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(json::write_evidence(*read), written);
  EXPECT_EQ(read->vantage, "caf\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(read->handshakes[0].detail, "?[31m???");
  EXPECT_EQ(read->stores[0].source.size(), 15'000U) << "replaced, not cut";
}

TEST(EvidenceJson, WhatADocumentSmugglesInIsMadePrintable) {
  Json document = Json::parse(json::write_evidence(sample_evidence()));
  document["vantage"] = "\033]0;owned\007";
  const auto read = read_sample(document.dump());
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->vantage, "?]0;owned?");
}

TEST(EvidenceJson, TheOrderOfKeysDoesNotMatter) {
  const std::string written = json::write_evidence(sample_evidence());
  const auto read = read_sample(nlohmann::json::parse(written).dump());  // this one sorts its keys
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(json::write_evidence(*read), written);
}

TEST(EvidenceJson, ExtremeNumbersComeBack) {
  Evidence evidence = sample_evidence();
  Handshake& h = evidence.handshakes[2];
  h.accepted_issuer_count = std::numeric_limits<std::int64_t>::max();
  h.port = 65535;
  h.tls_time = std::chrono::microseconds::max();
  h.quiet_for = std::chrono::milliseconds{-1};
  h.mras->granted = std::chrono::minutes::max();  // more than microseconds can say: the most of them
  h.mras->sip_status = std::numeric_limits<unsigned>::max();
  const std::string written = json::write_evidence(evidence);
  const auto read = read_sample(written);
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(json::write_evidence(*read), written);
  EXPECT_EQ(read->handshakes[2].tls_time, std::chrono::microseconds::max());
  EXPECT_GT(std::chrono::microseconds{*read->handshakes[2].mras->granted}.count(), 0) << "no overflow";
}

// What is wrong with a document, and what is said about it.

struct Wrong {
  const char* name;
  std::function<void(Json&)> apply;
  std::string error;  ///< behind "incident.json: "
};
class WrongTest : public testing::TestWithParam<Wrong> {};

TEST_P(WrongTest, IsSaidWithItsPlace) {
  Json document = Json::parse(json::write_evidence(sample_evidence()));
  GetParam().apply(document);
  EXPECT_EQ(error_of(document.dump()), "incident.json: " + GetParam().error);
}

const std::string some_sha256(64, 'a');

INSTANTIATE_TEST_SUITE_P(
    EvidenceJson, WrongTest,
    testing::Values(
        Wrong{"NewerVersion", [](Json& d) { d["version"] = 3; },
              "written by a newer version of mrascheck (evidence format 3, this one reads 2): judge it with that "
              "version"},
        Wrong{"NewerVersionWithOtherKeys",
              [](Json& d) {
                d = {{"format", "mrascheck-evidence"}, {"version", 7}, {"wormholes", Json::array()}};
              },
              "written by a newer version of mrascheck (evidence format 7, this one reads 2): judge it with that "
              "version"},
        Wrong{"VersionZero", [](Json& d) { d["version"] = 0; }, "not evidence: /version: must be 1 or more"},
        Wrong{"AnotherFormat", [](Json& d) { d["format"] = "mrascheck-report"; },
              "not evidence: /format: 'mrascheck-evidence' expected"},
        Wrong{"NoObject", [](Json& d) { d = Json::array(); }, "not evidence: /: an object expected, found an array"},
        Wrong{"UnknownProperty", [](Json& d) { d["stores"][0]["entries"][0]["properties"]["friendly-name"] = "x"; },
              "not evidence: /stores/0/entries/0/properties/friendly-name: unknown key; did you mean 'friendly_name'?"},
        Wrong{"UnknownOrigin", [](Json& d) { d["stores"][0]["entries"][0]["properties"]["origin"] = "mars"; },
              "not evidence: /stores/0/entries/0/properties/origin: 'mars' is none of unknown, local, user, service, "
              "group-policy, enterprise, directory"},
        Wrong{"MissingKey", [](Json& d) { d["handshakes"][1].erase("phase"); },
              "not evidence: /handshakes/1: 'phase' is missing"},
        Wrong{"UnknownKey", [](Json& d) { d["handshakes"][1]["phaze"] = 1; },
              "not evidence: /handshakes/1/phaze: unknown key; did you mean 'phase'?"},
        Wrong{"UnknownKeyUnlikeAny", [](Json& d) { d["site"]["w/ry~"] = 1; },
              "not evidence: /site/w~1ry~0: unknown key"},
        Wrong{"UnknownWord", [](Json& d) { d["handshakes"][1]["phase"] = "lunch"; },
              "not evidence: /handshakes/1/phase: 'lunch' is none of connect, tls, confirm, sip, done"},
        Wrong{"TextForNumber", [](Json& d) { d["handshakes"][1]["port"] = "5062"; },
              "not evidence: /handshakes/1/port: a whole number expected, found text"},
        Wrong{"Fraction", [](Json& d) { d["handshakes"][1]["port"] = 50.5; },
              "not evidence: /handshakes/1/port: a whole number expected, found a number with a fraction"},
        Wrong{"PortTooBig", [](Json& d) { d["handshakes"][1]["port"] = 65536; },
              "not evidence: /handshakes/1/port: not between 0 and 65535"},
        Wrong{"PortNegative", [](Json& d) { d["handshakes"][1]["port"] = -1; },
              "not evidence: /handshakes/1/port: not between 0 and 65535"},
        Wrong{"NumberBeyondAll", [](Json& d) { d["handshakes"][1]["tls_time_us"] = 18446744073709551615U; },
              "not evidence: /handshakes/1/tls_time_us: not between -9223372036854775807 and 9223372036854775807"},
        Wrong{"NotATime", [](Json& d) { d["collected_at"] = "yesterday"; },
              "not evidence: /collected_at: not a time: 2026-11-22T09:30:00Z expected"},
        Wrong{"ADateOnly", [](Json& d) { d["collected_at"] = "2026-11-22"; },
              "not evidence: /collected_at: not a time: 2026-11-22T09:30:00Z expected"},
        Wrong{"NotARange", [](Json& d) { d["site"]["policy"]["thresholds"]["expiry"]["warning"] = "20:10"; },
              "not evidence: /site/policy/thresholds/expiry/warning: '20:10': not a threshold range: its start is "
              "greater than its end (write 10, 10:, ~:10, 10:20 or @10:20)"},
        Wrong{"NotASha256", [](Json& d) { d["signatures"][0]["child"] = "ABC"; },
              "not evidence: /signatures/0/child: not a SHA-256: 64 lower-case hexadecimal digits expected"},
        Wrong{"NoSuchCertificate", [](Json& d) { d["identities"][0]["certificate"] = some_sha256; },
              "not evidence: /identities/0/certificate: no such certificate in /certificates"},
        Wrong{"NoSuchName", [](Json& d) { d["handshakes"][2]["accepted_issuers"][0] = 2; },
              "not evidence: /handshakes/2/accepted_issuers/0: no such name in /names"},
        Wrong{"TooManyNames", [](Json& d) { d["handshakes"][2]["accepted_issuers"] = std::vector<int>(4097, 0); },
              "not evidence: /handshakes/2/accepted_issuers: more than 4096 names"},
        Wrong{"NotBase64", [](Json& d) { d["certificates"][3]["der"] = "AAA"; },
              "not evidence: /certificates/3/der: not base64"},
        Wrong{"UnusedBitsInBase64", [](Json& d) { d["names"][0]["der"] = "AB=="; },
              "not evidence: /names/0/der: not base64"},
        Wrong{"NotACertificate", [](Json& d) { d["certificates"][3]["der"] = ""; },
              "not evidence: /certificates/3/der: truncated at byte 0"},
        Wrong{"AnotherCertificate", [](Json& d) { d["certificates"][3]["der"] = d["certificates"][2]["der"]; },
              "not evidence: /certificates/3/sha256: is not that of the certificate beside it"},
        Wrong{"CertificateTwice", [](Json& d) { d["certificates"].push_back(d["certificates"][0]); },
              "not evidence: /certificates/5/sha256: stands twice"},
        Wrong{"LinkToNoServer", [](Json& d) { d["site"]["links"][1]["to"] = "nowhere"; },
              "not evidence: /site/links/1/to: no server 'nowhere' in /site/servers"},
        Wrong{"HandshakeOfNoServer", [](Json& d) { d["handshakes"][0]["from"] = "nowhere"; },
              "not evidence: /handshakes/0/from: no server 'nowhere' in /site/servers"},
        Wrong{"IdentityOfNoServer", [](Json& d) { d["identities"][1]["server"] = "nowhere"; },
              "not evidence: /identities/1/server: no server 'nowhere' in /site/servers"}),
    [](const auto& row) { return row.param.name; });

struct Text {
  const char* name;
  std::string text;
  std::string error;
};
class BadTextTest : public testing::TestWithParam<Text> {};

TEST_P(BadTextTest, IsSaidWithLineAndColumn) {
  const auto read = read_sample(GetParam().text);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::malformed);
  EXPECT_TRUE(read.error().text.starts_with("incident.json: not evidence: " + GetParam().error)) << read.error().text;
  EXPECT_EQ(printable(read.error().text), read.error().text);
}

INSTANTIATE_TEST_SUITE_P(EvidenceJson, BadTextTest,
                         testing::Values(Text{"Empty", "", "line 1, column 1: "},
                                         Text{"NotJson", "# evidence\n", "line 1, column 1: "},
                                         Text{"BrokenOff", "{\n  \"format\": ", "line 2, column 13: "},
                                         Text{"SomethingBehind", "{}\n}", "line 2, column 1: "},
                                         Text{"KeyTwice", R"({"version": 1, "version": 2})", "'version' stands twice"},
                                         Text{"InvalidUtf8", "{\"\xFF\": 1}", "line 1, column 3: "},
                                         Text{"ControlCharacter", "{\"a\033\": 1}", "line 1, column 4: "},
                                         Text{"TooDeep", std::string(65, '['), "more than 64 levels deep"},
                                         Text{"MuchTooDeep", std::string(1'000'000, '['), "more than 64 levels deep"},
                                         Text{"TooManyMembers",
                                              [] {
                                                std::string text = "{";
                                                for (int i = 0; i < 1025; ++i)
                                                  text += "\"k" + std::to_string(i) + "\":0,";
                                                return text + "\"z\":0}";
                                              }(),
                                              "more than 1024 members in one object"},
                                         Text{"NumberTooBig", "{\"a\": 1e999}", "line 1, column 1"},
                                         Text{"Null", "null", "/: an object expected, found null"}),
                         [](const auto& row) { return row.param.name; });

TEST(EvidenceJson, TooLargeIsRefusedUnread) {
  EXPECT_EQ(error_of(std::string(256 * 1024 * 1024 + 1, ' ')), "incident.json: not evidence: larger than 256 MiB");
}

TEST(EvidenceJson, TheKindSaysWhoMustAct) {
  Json document = Json::parse(json::write_evidence(sample_evidence()));
  document["version"] = Evidence::format_version + 1;
  EXPECT_EQ(read_sample(document.dump()).error().kind, ErrorKind::config);
  document["version"] = "1";
  EXPECT_EQ(read_sample(document.dump()).error().kind, ErrorKind::malformed);
}

// Every place of a document, changed in every way.

using Change = std::function<void(Json& whole, const Json::json_pointer& at)>;

void for_each_place(const Json& node, const Json::json_pointer& at,
                    const std::function<void(const Json::json_pointer&)>& visit) {
  if (!at.empty()) visit(at);
  if (node.is_object()) {
    for (const auto& [key, value] : node.items()) for_each_place(value, at / key, visit);
  } else if (node.is_array()) {
    for (std::size_t i = 0; i < node.size(); ++i) for_each_place(node[i], at / i, visit);
  }
}

void expect_one_clear_error(const Json& mutant, const std::string& what) {
  const auto read = read_sample(mutant.dump());
  ASSERT_FALSE(read) << what;
  const std::string& text = read.error().text;
  EXPECT_TRUE(text.starts_with("incident.json: ")) << what << ": " << text;
  EXPECT_EQ(printable(text, 1000), text) << what << ": one line";
  EXPECT_NE(text.find('/'), std::string::npos) << what << ": no place: " << text;
}

/// Evidence with one of everything is enough to visit every kind of place.
Json small_document() {
  Evidence evidence = sample_evidence();
  evidence.handshakes.erase(evidence.handshakes.begin());
  evidence.stores.erase(evidence.stores.begin());
  return Json::parse(json::write_evidence(evidence));
}

TEST(EvidenceMutation, EveryKeyIsNeeded) {
  const Json whole = small_document();
  std::size_t removed = 0;
  for_each_place(whole, Json::json_pointer{}, [&](const Json::json_pointer& at) {
    Json mutant = whole;
    Json& parent = mutant.at(at.parent_pointer());
    const std::string where = at.to_string();
    if (!parent.is_object() || at.parent_pointer().to_string() == "/site/policy/thresholds") return;
    static const std::set<std::string> may_be_absent{"tls",
                                                     "server_name",
                                                     "secure_renegotiation",
                                                     "session_ticket",
                                                     "trials",
                                                     "offers",
                                                     "date",
                                                     "answered_at",
                                                     "token_version",
                                                     "token_expiry",
                                                     "token_client",
                                                     "asked_again",
                                                     "further",
                                                     "profile",
                                                     "options_first",
                                                     "ocsp_staple",
                                                     "ocsp",
                                                     "answer",
                                                     "key_provider",
                                                     "next_update",
                                                     "revoked_at",
                                                     "revocation",
                                                     "code",
                                                     "patches",
                                                     "traced_servers",
                                                     "traced_requests",
                                                     "traced_clocks"};
    const bool of_exchange = at.back() == "location" && parent.contains("method");
    if (of_exchange || where == "/relays" || may_be_absent.contains(at.back())) return;
    parent.erase(at.back());
    ++removed;
    expect_one_clear_error(mutant, "without " + where);
  });
  EXPECT_GT(removed, 150U);
}

struct Stranger {
  const char* name;
  Json value;
};
class StrangerTest : public testing::TestWithParam<Stranger> {};

TEST_P(StrangerTest, IsRefusedWhereverAnotherTypeBelongs) {
  const Json whole = small_document();
  const Json& stranger = GetParam().value;
  std::size_t tried = 0;
  for_each_place(whole, Json::json_pointer{}, [&](const Json::json_pointer& at) {
    const Json& original = whole.at(at);
    if (stranger.type() == original.type()) return;
    if (stranger.is_number_integer() && original.is_number_integer()) return;
    // What may be absent may be null, and what is null may be something.
    const std::string key = at.back();
    const bool optional = key == "mras" || key == "granted_minutes" || key == "udp_port" || key == "tcp_port" ||
                          key == "warning" || key == "critical" || key == "error_code" || key == "first" ||
                          key == "last" || key == "lifetime_s" || key == "released" ||
                          (key == "expect" && at.to_string().starts_with("/trials/"));
    if (optional && (stranger.is_null() || original.is_null())) return;
    Json mutant = whole;
    mutant.at(at) = stranger;
    ++tried;
    expect_one_clear_error(mutant, at.to_string() + " = " + stranger.dump());
  });
  EXPECT_GT(tried, 50U);
}

INSTANTIATE_TEST_SUITE_P(EvidenceMutation, StrangerTest,
                         testing::Values(Stranger{"Null", nullptr}, Stranger{"True", true}, Stranger{"Number", 7},
                                         Stranger{"Fraction", 7.5}, Stranger{"Negative", -1},
                                         Stranger{"Text", "stranger"}, Stranger{"Array", Json::array()},
                                         Stranger{"Object", Json::object()}),
                         [](const auto& row) { return row.param.name; });

TEST(EvidenceMutation, NoKeyTooMany) {
  const Json whole = small_document();
  for_each_place(whole, Json::json_pointer{}, [&](const Json::json_pointer& at) {
    if (!whole.at(at).is_object()) return;
    Json mutant = whole;
    mutant.at(at)["unheard of"] = 1;
    expect_one_clear_error(mutant, "one more in " + at.to_string());
  });
}

TEST(EvidenceMutation, NoBeginningIsEvidence) {
  const std::string whole = json::write_evidence(sample_evidence());
  for (std::size_t length = 0; length + 2 < whole.size(); length += 37) {
    const auto read = read_sample(std::string_view(whole).substr(0, length));
    ASSERT_FALSE(read) << length;
    ASSERT_EQ(read.error().kind, ErrorKind::malformed);
  }
}

}  // namespace
}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "core/engines.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "support/openssl_cli.hpp"
#include "support/worlds.hpp"
#include "x509/scan.hpp"

namespace mrascheck {
namespace {

/// Certificates of make-engine-worlds.sh, made once.
class Shelf {
 public:
  static Shelf& get() {
    static Shelf shelf;
    return shelf;
  }
  CertificateRef certificate(const std::string& name) {
    CertificateRef& found = known_[name];
    if (found) return found;
    const std::string content = cli_.dir().read(name + ".pem");
    const x509::Scan scan = x509::scan_certificates(as_bytes(content));
    if (scan.certificates.size() != 1) throw std::runtime_error(name + ": not one certificate");
    found = pool_.intern(scan.certificates.front().der).value();
    return found;
  }
  const test::OpensslCli& cli() const { return cli_; }
  SignatureOracle oracle() { return test::verifying_oracle(verifier_); }

 private:
  Shelf() { cli_.shell(fmt::format("bash '{}/fixtures/pki/make-engine-worlds.sh' .", MRASCHECK_SOURCE_DIR)); }
  test::OpensslCli cli_;
  sources::CertificatePool pool_;
  crypto::SignatureVerifier verifier_;
  std::map<std::string, CertificateRef> known_;
};

struct World {
  const char* name;
  std::vector<const char*> targets;
  std::vector<const char*> others;  ///< in every order, and every order cut into trusted and sent at every place
  std::vector<const char*> times{"2024-06-01T00:00:00Z"};
  std::vector<const char*> purposes{""};  ///< as openssl verify -purpose has them
  std::vector<unsigned> levels{0};
  std::size_t max_depth = 100;
};

/// One run of openssl verify: its targets share everything else.
struct Verify {
  std::vector<std::string> trusted;
  std::vector<std::string> untrusted;
  std::string time;
  std::string purpose;
  unsigned level = 0;
};

std::vector<Verify> runs_of(const World& world) {
  std::vector<Verify> runs;
  std::vector<std::size_t> order(world.others.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  do {
    for (std::size_t cut = 0; cut <= order.size(); ++cut) {
      Verify run;
      for (std::size_t i = 0; i < order.size(); ++i)
        (i < cut ? run.trusted : run.untrusted).emplace_back(world.others[order[i]]);
      for (const char* time : world.times) {
        for (const char* purpose : world.purposes) {
          for (const unsigned level : world.levels) {
            run.time = time;
            run.purpose = purpose;
            run.level = level;
            runs.push_back(run);
          }
        }
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
  return runs;
}

/// What openssl verify said of each target: "accepted", or its first error, which is where a TLS peer ends.
std::map<std::string, std::string> verdicts(const std::string& said) {
  std::map<std::string, std::string> found;
  std::string first;
  for (std::size_t at = 0; at < said.size();) {
    const std::size_t end = std::min(said.find('\n', at), said.size());
    const std::string line = said.substr(at, end - at);
    at = end + 1;
    int error = 0;
    unsigned depth = 0;
    const std::size_t words = line.find(" depth lookup: ");
    if (line.ends_with(".pem: OK")) {
      found[line.substr(0, line.size() - 8)] = "accepted";
    } else if (words != std::string::npos && std::sscanf(line.c_str(), "error %d at %u", &error, &depth) == 2) {
      if (first.empty()) first = fmt::format("error {} at depth {}: {}", error, depth, line.substr(words + 15));
    } else if (line.starts_with("error ") && line.ends_with(".pem: verification failed")) {
      found[line.substr(6, line.size() - 6 - 25)] = first;
      first.clear();
    }
  }
  return found;
}

std::string names(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

class OpensslModel : public testing::TestWithParam<World> {};
TEST_P(OpensslModel, PredictsWhatOpensslVerifySaysInEveryOrder) {
  const World& world = GetParam();
  Shelf& shelf = Shelf::get();
  const std::vector<Verify> runs = runs_of(world);
  std::string script;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Verify& run = runs[i];
    const auto files = [](const std::vector<std::string>& of) {
      std::string list;
      for (const std::string& name : of) list += fmt::format(" {}.pem", name);
      return list;
    };
    if (!run.trusted.empty()) script += fmt::format("cat{} >trusted\n", files(run.trusted));
    if (!run.untrusted.empty()) script += fmt::format("cat{} >sent\n", files(run.untrusted));
    script += "openssl verify -no-CApath -no-CAstore";
    script += run.trusted.empty() ? " -no-CAfile" : " -CAfile trusted";
    if (!run.untrusted.empty()) script += " -untrusted sent";
    if (!run.purpose.empty()) script += " -purpose " + run.purpose;
    script += fmt::format(" -auth_level {} -verify_depth {} -attime {}", run.level, world.max_depth,
                          parse_iso8601(run.time).value().time_since_epoch().count());
    for (const char* target : world.targets) script += fmt::format(" {}.pem", target);
    script += fmt::format(" >said.{} 2>&1\n", i);
  }
  shelf.cli().dir().write("script", script + "true\n");
  shelf.cli().shell("sh ./script");

  std::size_t compared = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Verify& run = runs[i];
    const auto said = verdicts(shelf.cli().dir().read(fmt::format("said.{}", i)));
    const auto certificates = [&](const std::vector<std::string>& of) {
      std::vector<CertificateRef> list;
      for (const std::string& name : of) list.push_back(shelf.certificate(name));
      return list;
    };
    const auto trusted = certificates(run.trusted);
    const auto untrusted = certificates(run.untrusted);
    OpensslQuery query{.trusted = trusted, .untrusted = untrusted, .at = parse_iso8601(run.time).value()};
    query.purpose = run.purpose == "sslserver"   ? server_auth_oid
                    : run.purpose == "sslclient" ? client_auth_oid
                                                 : nullptr;
    query.security_level = run.level;
    query.max_depth = world.max_depth;
    for (const char* target : world.targets) {
      const EngineOutcome outcome = predict_openssl(shelf.certificate(target), query, shelf.oracle());
      const auto real = said.find(target);
      ASSERT_NE(real, said.end()) << "openssl said nothing of " << target;
      EXPECT_EQ(outcome.text(), real->second)
          << target << " at " << run.time << ", trusted: " << names(run.trusted) << ", sent: " << names(run.untrusted)
          << ", purpose '" << run.purpose << "', level " << run.level;
      ++compared;
    }
  }
  RecordProperty("compared", static_cast<int>(compared));
}

const std::vector<const char*> four_times{"2022-06-01T00:00:00Z", "2024-06-01T00:00:00Z", "2027-06-01T00:00:00Z",
                                          "2033-06-01T00:00:00Z"};
const std::vector<const char*> two_times{"2024-06-01T00:00:00Z", "2027-06-01T00:00:00Z"};
INSTANTIATE_TEST_SUITE_P(
    AgainstTheCommand, OpensslModel,
    testing::Values(
        World{"RedeployedWithIdentifiers",
              {"two-keyid", "two-none", "two-both", "two-exact-ids"},
              {"root", "a-ids", "b-ids"},
              two_times},
        World{"RedeployedWithout",
              {"two-keyid", "two-none", "two-exact-plain"},
              {"root", "a-plain", "b-plain"},
              four_times},
        World{"OnlyTheRightOneHasIdentifiers", {"two-keyid", "two-none"}, {"root", "a-plain", "b-ids"}, two_times},
        World{"OnlyTheStaleOneHasIdentifiers", {"two-keyid", "two-none"}, {"root", "a-ids", "b-plain"}, two_times},
        World{"RenewedOnItsKey",
              {"one-keyid", "one-none", "one-exact-old-ids", "one-exact-new-ids"},
              {"root", "a-ids", "c-ids"},
              two_times},
        World{"RenewedOnItsKeyWithoutIdentifiers",
              {"one-keyid", "one-none", "one-exact-old-plain", "one-exact-new-plain"},
              {"root", "a-plain", "c-plain"},
              four_times},
        World{"ThreeOfAName", {"two-none", "one-none"}, {"root", "a-plain", "b-plain", "c-plain"}},
        World{"RolledOver", {"rolled"}, {"old-root", "new-root", "new-by-old", "old-by-new"}},
        World{"NothingButCrossCertificates", {"rolled"}, {"new-by-old", "old-by-new"}},
        World{"TwoParents", {"crossed-leaf"}, {"parent-1", "parent-2", "crossed-1", "crossed-2"}},
        World{"CertifiedRoot", {"parent-2-leaf"}, {"parent-1", "parent-2", "parent-2-by-1"}, two_times},
        World{"RootOfTheSameName", {"two-keyid", "two-none", "root", "mimic-root"}, {"root", "mimic-root", "b-ids"}},
        World{"IssuerThatIsForeign", {"two-keyid", "two-none", "mimic-issuer"}, {"root", "b-plain", "mimic-issuer"}},
        World{"MayNotSign", {"no-sign-leaf"}, {"root", "no-sign"}},
        World{"NoAuthority", {"no-ca-leaf"}, {"root", "no-ca"}},
        World{"UsageInPlaceOfConstraints", {"usage-only-leaf"}, {"root", "usage-only"}},
        World{"RootWithUsageOnly", {"usage-only-root-leaf"}, {"usage-only-root"}},
        World{"NothingSaid", {"nothing-said-leaf"}, {"root", "nothing-said"}},
        World{"PathLength", {"below-short-leaf"}, {"root", "short", "below-short"}},
        World{"Critical", {"critical-leaf"}, {"root", "critical"}},
        World{"Policies", {"policies-leaf"}, {"root", "policies"}},
        World{"PurposesOfIssuers",
              {"clients-leaf", "any-usage-leaf"},
              {"root", "clients"},
              {"2024-06-01T00:00:00Z"},
              {"", "sslserver", "sslclient"}},
        World{"PurposesOfKeys",
              {"gated-leaf", "agreeing-leaf", "crl-leaf"},
              {"usage-only-root"},
              {"2024-06-01T00:00:00Z"},
              {"", "sslserver", "sslclient"}},
        World{"Strength",
              {"weak-leaf", "weak-key", "sha1-leaf"},
              {"root", "weak"},
              {"2024-06-01T00:00:00Z"},
              {""},
              {0, 1, 2, 3, 4}},
        World{"SpelledCurve", {"spelled-leaf", "spelled"}, {"root", "spelled"}},
        World{"Version1", {"root-v1-leaf", "issuer-v1-leaf"}, {"root", "root-v1", "issuer-v1"}},
        World{"FoldedNames", {"two-keyid", "two-none"}, {"root", "folded"}},
        World{"CaseOfOtherLetters", {"umlaut-leaf"}, {"root", "umlaut-small", "umlaut-large"}},
        World{"TheFirstAndTheLastSecond",
              {"two-none"},
              {"root", "b-plain"},
              {"2022-12-31T23:59:59Z", "2023-01-01T00:00:00Z", "2029-12-31T23:59:59Z", "2030-01-01T00:00:00Z"}},
        World{"NoDepthAllowed", {"two-keyid", "root"}, {"root", "b-ids"}, {"2024-06-01T00:00:00Z"}, {""}, {0}, 0},
        World{"NobodyHere", {"two-keyid", "root"}, {}}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(OpensslModelKnows, WhatItCannotTell) {
  Shelf& shelf = Shelf::get();
  const std::vector<CertificateRef> right{shelf.certificate("root"), shelf.certificate("b-ids")};
  const std::vector<CertificateRef> wrong{shelf.certificate("root"), shelf.certificate("a-ids")};
  const std::vector<SignatureProof> none;
  const UtcTime at = parse_iso8601("2024-06-01").value();
  const EngineOutcome open = predict_openssl(shelf.certificate("two-keyid"),
                                             {.trusted = right, .untrusted = {}, .at = at}, recorded_oracle(none));
  EXPECT_FALSE(open.accepted());
  EXPECT_FALSE(open.refused());
  EXPECT_TRUE(open.text().starts_with("undecided: ")) << open.text();
  // A failure lower down is certain, whatever is not known above it.
  const SignatureOracle only_failures = [&](const Certificate& child, const Certificate& issuer) {
    const auto state = shelf.oracle()(child, issuer);
    return state == SignatureState::failed ? state : std::nullopt;
  };
  const EngineOutcome sure =
      predict_openssl(shelf.certificate("two-none"), {.trusted = wrong, .untrusted = {}, .at = at}, only_failures);
  EXPECT_EQ(sure.text(), "error 7 at depth 0: certificate signature failure");
}

TEST(TrustedInOrder, IsTheOrderOfTheConfigurationWithoutRootsThatNobodyTrusts) {
  test::SmallSite site;
  site.store("redeployment-b", StoreKind::intermediate)
      .store("root-r2", StoreKind::root)
      .store("impostor", StoreKind::intermediate)
      .store("redeployment-a", StoreKind::enrollment)
      .store("redeployment-b", StoreKind::intermediate, "CN=again");
  Server server = site.evidence.site.servers.front();
  const auto found = trusted_in_order(site.evidence, server);
  EXPECT_EQ(found, (std::vector{test::issuer_fixture("redeployment-b"), test::issuer_fixture("root-r2")}));
  std::swap(server.trusts, server.intermediates);
  EXPECT_EQ(trusted_in_order(site.evidence, server), std::vector{test::issuer_fixture("redeployment-b")});
}

TEST(Weaknesses, AreToldAndMakeNoPathInvalid) {
  Shelf& shelf = Shelf::get();
  TrustView trust;
  trust.index.add(shelf.certificate("root"));
  trust.anchors.insert(shelf.certificate("root")->sha256);
  const std::vector<CertificateRef> sent{shelf.certificate("weak"), shelf.certificate("b-ids")};
  const auto of = [&](const char* target) {
    const PathQuery query{.trust = &trust, .sent = sent, .at = parse_iso8601("2024-06-01").value()};
    const PathSet set = find_paths(shelf.certificate(target), query, shelf.oracle());
    EXPECT_TRUE(set.any_valid()) << target;
    std::string texts;
    for (const PathProblem& weakness : set.paths.front().weaknesses) texts += weakness.text + "\n";
    return texts;
  };
  EXPECT_NE(of("weak-leaf").find("has an RSA key of 1024 bits\n"), std::string::npos);
  EXPECT_NE(of("sha1-leaf").find("is signed with ecdsa-with-SHA1\n"), std::string::npos);
  EXPECT_EQ(of("two-keyid"), "");
}

struct WindowsCase {
  const char* name;
  const char* target;
  std::vector<const char*> roots;
  std::vector<const char*> others;
  const char* time;
  const char* text;
  std::size_t best = 1;
};
class WindowsModel : public testing::TestWithParam<WindowsCase> {};
TEST_P(WindowsModel, FollowsTheDocumentedOrder) {
  const WindowsCase& c = GetParam();
  Shelf& shelf = Shelf::get();
  TrustView trust;
  for (const char* root : c.roots) {
    trust.index.add(shelf.certificate(root));
    trust.anchors.insert(shelf.certificate(root)->sha256);
  }
  std::vector<CertificateRef> sent;
  for (const char* other : c.others) sent.push_back(shelf.certificate(other));
  const WindowsOutcome outcome =
      predict_windows(shelf.certificate(c.target), {.trust = &trust, .sent = sent, .at = parse_iso8601(c.time).value()},
                      shelf.oracle());
  EXPECT_EQ(outcome.text(), c.text);
  EXPECT_EQ(outcome.best.size(), c.best);
  EXPECT_EQ(outcome.accepted(), std::string_view{c.text}.starts_with("accepted"));
  EXPECT_NE(outcome.accepted(), outcome.refused());
}
INSTANTIATE_TEST_SUITE_P(
    Model, WindowsModel,
    testing::Values(
        WindowsCase{"KeyMatch", "two-keyid", {"root"}, {"a-ids", "b-ids"}, "2024-06-01", "accepted"},
        WindowsCase{"NameMatchTriesBoth", "two-none", {"root"}, {"a-plain", "b-plain"}, "2024-06-01", "accepted"},
        WindowsCase{"OnlyTheWrongKey", "two-none", {"root"}, {"a-plain"}, "2024-06-01", "NOT_SIGNATURE_VALID"},
        WindowsCase{"KeyIdentifierOfAnother", "two-keyid", {"root"}, {"a-ids"}, "2024-06-01", "PARTIAL_CHAIN"},
        WindowsCase{"SerialOfTheRemoved", "one-exact-old-ids", {"root"}, {"c-ids"}, "2024-06-01", "PARTIAL_CHAIN"},
        WindowsCase{"SameKeyTwiceTies",
                    "one-keyid",
                    {"root"},
                    {"a-ids", "c-ids"},
                    "2024-06-01",
                    "accepted, by any of 2 chains that tie",
                    2},
        WindowsCase{"TheExpiredOneLoses", "one-keyid", {"root"}, {"a-ids", "c-ids"}, "2027-06-01", "accepted"},
        WindowsCase{"Expired", "two-keyid", {"root"}, {"b-ids"}, "2033-06-01", "NOT_TIME_VALID"},
        WindowsCase{"NoIssuer", "two-keyid", {"root"}, {}, "2024-06-01", "PARTIAL_CHAIN"},
        WindowsCase{"RootOfTheSameName", "two-keyid", {"mimic-root"}, {"b-ids"}, "2024-06-01", "NOT_SIGNATURE_VALID"},
        WindowsCase{"RootNotTrusted", "two-keyid", {"mimic-issuer"}, {"b-ids", "root"}, "2024-06-01", "UNTRUSTED_ROOT"},
        WindowsCase{"NoAuthority", "no-ca-leaf", {"root"}, {"no-ca"}, "2024-06-01", "INVALID_BASIC_CONSTRAINTS"},
        WindowsCase{"MayNotSign", "no-sign-leaf", {"root"}, {"no-sign"}, "2024-06-01", "NOT_VALID_FOR_USAGE"},
        WindowsCase{
            "Critical", "critical-leaf", {"root"}, {"critical"}, "2024-06-01", "HAS_NOT_SUPPORTED_CRITICAL_EXT"},
        WindowsCase{"NamesAreComparedByteByByte", "two-none", {"root"}, {"folded"}, "2024-06-01", "PARTIAL_CHAIN"}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(WindowsModelKnows, WhatItCannotTell) {
  Shelf& shelf = Shelf::get();
  TrustView trust;
  trust.index.add(shelf.certificate("root"));
  trust.anchors.insert(shelf.certificate("root")->sha256);
  const std::vector<CertificateRef> sent{shelf.certificate("b-ids")};
  const std::vector<SignatureProof> none;
  const PathQuery query{.trust = &trust, .sent = sent, .at = parse_iso8601("2024-06-01").value()};
  const WindowsOutcome outcome = predict_windows(shelf.certificate("two-keyid"), query, recorded_oracle(none));
  EXPECT_FALSE(outcome.accepted());
  EXPECT_FALSE(outcome.refused());
  EXPECT_TRUE(outcome.text().starts_with("undecided: ")) << outcome.text();
}

}  // namespace
}  // namespace mrascheck

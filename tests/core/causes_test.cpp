// SPDX-License-Identifier: Apache-2.0
#include "core/causes.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "support/sample_evidence.hpp"

namespace mrascheck {
namespace {

const std::string fe1 = "fe1.contoso.example";

/// A site under construction: its findings, each in a check of its own, and the handshakes that they are about.
class Scene {
 public:
  Scene() {
    for (const char* name : {"fe1", "edge1", "edge2", "edge3", "edge4"}) server(std::string{name} + ".contoso.example");
  }
  Scene& server(const std::string& name) {
    evidence_.site.servers.emplace_back().name = name;
    return *this;
  }
  Scene& finding(std::string_view code, std::vector<std::string> servers, std::vector<std::string> certificates = {},
                 std::string reason = {}, Status status = Status::critical) {
    CheckResult& check = checks_.emplace_back();
    check.id = code.substr(0, code.find('.'));
    Finding& made = check.verdict.findings.emplace_back();
    made.code = code;
    made.status = status;
    made.summary = "summary of " + std::string{code};
    made.servers = std::move(servers);
    for (const std::string& word : certificates) made.certificates.push_back(certificate(word));
    made.reason = std::move(reason);
    return *this;
  }
  /// The peer's alert, none for a reset; our own certificate first in what was sent.
  Scene& refusal(const std::string& to, std::optional<std::uint8_t> alert, std::vector<std::string> sent) {
    Handshake& handshake = add(to, "");
    handshake.outcome = alert ? Outcome::rejected_by_peer : Outcome::reset;
    if (alert) handshake.alerts_received.push_back({*alert, true});
    finding(alert ? "handshake.rejected-by-peer" : "handshake.reset", {fe1, to}, std::move(sent),
            alert ? "alert " + std::to_string(*alert) : "");
    checks_.back().verdict.findings.back().about = handshake.id();
    return *this;
  }
  /// Of the last finding.
  Scene& remedy(std::string text) {
    checks_.back().verdict.findings.back().remedy = std::move(text);
    return *this;
  }
  Scene& let_in(const std::string& to) {
    Handshake& handshake = add(to, "2/2");
    handshake.phase = Phase::done;
    handshake.outcome = Outcome::completed;
    handshake.peer_answered = true;
    return *this;
  }
  /// Answered with a SIP error over a handshake that went through.
  Scene& answered(const std::string& to, std::vector<std::string> sent, std::string reason) {
    Handshake& handshake = add(to, "");
    handshake.phase = Phase::done;
    handshake.outcome = Outcome::completed;
    for (const std::string& word : sent) handshake.sent_chain.push_back(certificate(word));
    finding("mras-credentials.sip-error", {fe1, to}, {}, std::move(reason));
    checks_.back().verdict.findings.back().about = handshake.id();
    return *this;
  }
  /// "summary | code of the root | codes of the symptoms", a line each.
  std::string causes() const {
    std::string lines;
    for (const Cause& cause : find_causes(evidence_, checks_)) {
      const auto code = [&](const FindingRef& at) {
        return std::string{checks_[at.check].verdict.findings[at.finding].code};
      };
      lines += (lines.empty() ? "" : "\n") + cause.summary + " | " + code(cause.root) + " |";
      for (const FindingRef& at : cause.symptoms) lines += " " + code(at);
      EXPECT_EQ(cause.shown, cause.summary.find("probably") == std::string::npos);
    }
    return lines;
  }

 private:
  Handshake& add(const std::string& to, std::string variant) {
    Handshake& handshake = evidence_.handshakes.emplace_back();
    handshake.from = fe1;
    handshake.to = to;
    handshake.variant = std::move(variant);
    handshake.phase = Phase::confirm;
    return handshake;
  }
  CertificateRef certificate(const std::string& word) {
    return made_.try_emplace(word, test::sample_certificate(word)).first->second;
  }

  Evidence evidence_;
  std::vector<CheckResult> checks_;
  std::map<std::string, CertificateRef> made_;
};

const std::string edge1 = "edge1.contoso.example";
const std::string edge2 = "edge2.contoso.example";
constexpr std::uint8_t handshake_failure = 40;
constexpr std::uint8_t bad_certificate = 42;
constexpr std::uint8_t expired = 45;
constexpr std::uint8_t unknown_ca = 48;
constexpr std::uint8_t protocol_version = 70;

struct CauseCase {
  const char* name;
  std::function<void(Scene&)> build;
  std::string causes;
};
void PrintTo(const CauseCase& c, std::ostream* out) {
  *out << c.name;
}
class CausesTest : public testing::TestWithParam<CauseCase> {};

TEST_P(CausesTest, AreWhatTheFindingsShareAndTheEvidenceShows) {
  Scene scene;
  GetParam().build(scene);
  EXPECT_EQ(scene.causes(), GetParam().causes);
}

INSTANTIATE_TEST_SUITE_P(
    Causes, CausesTest,
    testing::Values(
        CauseCase{"NothingWrong", [](Scene&) {}, ""},
        CauseCase{"OneFindingAlone", [](Scene& s) { s.finding("certificate-names.mismatch", {edge1}); }, ""},
        CauseCase{"ThePathOfThePeerExplainsItsRefusal",
                  [](Scene& s) {
                    s.refusal(edge1, unknown_ca, {"fe1", "issuing"});
                    s.finding("certification-path.untrusted-root", {edge1, fe1}, {"root"},
                              "Root (0123456789ABCDEF0123456789ABCDEF01234567) is no trusted root here");
                  },
                  "edge1 refuses fe1, because Root (01234567) is no trusted root in its stores | "
                  "certification-path.untrusted-root | handshake.rejected-by-peer"},
        CauseCase{"OneTroubleOfFourEdgesIsSaidOnce",
                  [](Scene& s) {
                    for (const char* name : {"edge1", "edge2", "edge3", "edge4"}) {
                      const std::string edge = std::string{name} + ".contoso.example";
                      s.refusal(edge, unknown_ca, {"fe1"});
                      s.finding("certification-path.incomplete", {edge, fe1}, {"fe1"}, "an issuer is not here");
                    }
                  },
                  "edge1, edge2 and 2 more refuse fe1, because an issuer is not in their stores | "
                  "certification-path.incomplete | handshake.rejected-by-peer handshake.rejected-by-peer "
                  "certification-path.incomplete handshake.rejected-by-peer certification-path.incomplete "
                  "handshake.rejected-by-peer certification-path.incomplete"},
        CauseCase{"TheOtherChainShowsThatTheStaleOneIsToBlame",
                  [](Scene& s) {
                    s.refusal(edge1, unknown_ca, {"fe1", "stale"}).let_in(edge1);
                    s.finding("same-name-issuers.stale", {}, {"stale"});
                    s.finding("certification-path.signature", {edge1, fe1}, {"stale", "root"}, "not signed");
                  },
                  "edge1 refuses fe1, because fe1 sends a stale stale (00000000) | same-name-issuers.stale | "
                  "handshake.rejected-by-peer certification-path.signature"},
        CauseCase{"WithoutTheOtherChainThePathComesFirst",
                  [](Scene& s) {
                    s.refusal(edge1, unknown_ca, {"fe1", "stale"});
                    s.finding("same-name-issuers.stale", {}, {"stale"});
                    s.finding("certification-path.signature", {edge1, fe1}, {"stale", "root"}, "not signed");
                  },
                  "edge1 refuses fe1, because not signed | certification-path.signature | "
                  "handshake.rejected-by-peer"},
        CauseCase{"AStaleOneThatWasSentIsLikely",
                  [](Scene& s) {
                    s.refusal(edge1, bad_certificate, {"fe1", "stale"});
                    s.finding("same-name-issuers.stale", {}, {"stale"});
                  },
                  "edge1 refuses fe1, probably because fe1 sends a stale stale (00000000) | same-name-issuers.stale | "
                  "handshake.rejected-by-peer"},
        CauseCase{"AndWindowsSaysNothing",
                  [](Scene& s) {
                    s.refusal(edge1, std::nullopt, {"fe1", "stale"});
                    s.finding("same-name-issuers.stale", {}, {"stale"});
                  },
                  "edge1 refuses fe1, probably because fe1 sends a stale stale (00000000) | same-name-issuers.stale | "
                  "handshake.reset"},
        CauseCase{"AStaleOneElsewhereIsNotToBlame",
                  [](Scene& s) {
                    s.refusal(edge1, unknown_ca, {"fe1", "issuing"});
                    s.finding("same-name-issuers.stale", {}, {"stale"});
                  },
                  ""},
        CauseCase{"AnAlertAboutSomethingElseIsNotItsFault",
                  [](Scene& s) {
                    s.refusal(edge1, handshake_failure, {"fe1", "stale"});
                    s.finding("same-name-issuers.stale", {}, {"stale"});
                  },
                  ""},
        CauseCase{"AnExpiredOneThatThePeerNames",
                  [](Scene& s) {
                    s.refusal(edge1, expired, {"fe1"});
                    s.finding("validity.expired", {}, {"fe1"});
                  },
                  "edge1 refuses fe1, because summary of validity.expired | validity.expired | "
                  "handshake.rejected-by-peer"},
        CauseCase{"AnExpiredOneThatItDoesNotName",
                  [](Scene& s) {
                    s.refusal(edge1, bad_certificate, {"fe1"});
                    s.finding("validity.expired", {}, {"fe1"});
                  },
                  "edge1 refuses fe1, probably because summary of validity.expired | validity.expired | "
                  "handshake.rejected-by-peer"},
        CauseCase{"AWrongNameIsWhyWeRefuse",
                  [](Scene& s) {
                    s.finding("handshake.rejected-by-us", {fe1, edge1}, {"edge1"});
                    s.finding("certificate-names.mismatch", {edge1});
                  },
                  "fe1 refuses edge1, because summary of certificate-names.mismatch | certificate-names.mismatch | "
                  "handshake.rejected-by-us"},
        CauseCase{"RevokedOnBothSides",
                  [](Scene& s) {
                    s.finding("certification-path.revoked", {fe1, edge1}, {"shared"}, "revoked");
                    s.finding("certification-path.revoked", {edge1, fe1}, {"shared"}, "revoked");
                    s.finding("crl-state.revoked", {}, {"shared"});
                  },
                  "fe1 and edge1 have no valid path to each other, because summary of crl-state.revoked | "
                  "crl-state.revoked | certification-path.revoked certification-path.revoked"},
        CauseCase{"OneAnswerOfTwoEdges",
                  [](Scene& s) {
                    s.finding("mras-credentials.sip-error", {fe1, edge1}, {}, "504");
                    s.finding("mras-credentials.sip-error", {fe1, edge2}, {}, "504");
                  },
                  "summary of mras-credentials.sip-error; likewise edge2 | mras-credentials.sip-error | "
                  "mras-credentials.sip-error"},
        CauseCase{"TwoAnswersOfTwoEdges",
                  [](Scene& s) {
                    s.finding("mras-credentials.sip-error", {fe1, edge1}, {}, "504");
                    s.finding("mras-credentials.sip-error", {fe1, edge2}, {}, "403");
                  },
                  ""},
        CauseCase{"FewerUpdatesAreTheSuspectOfAFailedConnection",
                  [](Scene& s) {
                    s.finding("mras-credentials.sip-error", {fe1, edge1}, {}, "504, ms-diagnostics 2 0xC3E93C69(X)");
                    s.finding("mras-credentials.sip-error", {fe1, edge2}, {}, "504, ms-diagnostics 2 0xC3E93C69(X)");
                    s.finding("server-versions.edge-behind", {fe1, edge1}, {}, "", Status::warning);
                    s.finding("server-versions.edge-behind", {fe1, edge2}, {}, "", Status::warning);
                  },
                  "summary of mras-credentials.sip-error; likewise edge2, probably because summary of "
                  "server-versions.edge-behind | server-versions.edge-behind | mras-credentials.sip-error "
                  "mras-credentials.sip-error server-versions.edge-behind"},
        CauseCase{"AStaleCaIsTheSuspectOfAConnectionThatTheFrontEndCouldNotMake",
                  [](Scene& s) {
                    s.finding("same-name-issuers.stale", {}, {"stale"});
                    s.answered(edge1, {"fe1", "stale"}, "504 Server time-out, ms-diagnostics 1038");
                    s.answered(edge2, {"fe1", "stale"}, "504 Server time-out, ms-diagnostics 1038");
                  },
                  "summary of mras-credentials.sip-error; likewise edge2, probably because a stale stale (00000000) "
                  "stands in the stores | same-name-issuers.stale | mras-credentials.sip-error "
                  "mras-credentials.sip-error"},
        CauseCase{"AndNotWhereTheStaleOneIsOfAnotherName",
                  [](Scene& s) {
                    s.finding("same-name-issuers.stale", {}, {"stale"});
                    s.answered(edge1, {"fe1", "issuing"}, "504 Server time-out, ms-diagnostics 1038");
                  },
                  ""},
        CauseCase{"NorOfAnotherAnswer",
                  [](Scene& s) {
                    s.finding("same-name-issuers.stale", {}, {"stale"});
                    s.answered(edge1, {"fe1", "stale"}, "503 Service Unavailable");
                  },
                  ""},
        CauseCase{"OnlyTheEdgeThatFailedIsSuspected",
                  [](Scene& s) {
                    s.finding("server-versions.edge-behind", {fe1, edge1}, {}, "", Status::warning);
                    s.finding("server-versions.edge-behind", {fe1, edge2}, {}, "", Status::warning);
                    s.finding("mras-credentials.sip-error", {fe1, edge2}, {}, "504, ms-diagnostics 2 0xC3E93C69(X)");
                  },
                  "summary of mras-credentials.sip-error, probably because summary of server-versions.edge-behind | "
                  "server-versions.edge-behind | mras-credentials.sip-error"},
        CauseCase{"AnotherRemedyIsAnotherTrouble",
                  [](Scene& s) {
                    s.finding("port-reachable.refused", {fe1, edge1}).remedy("start the service of " + edge1);
                    s.finding("port-reachable.refused", {fe1, edge2}).remedy("open the firewall of " + edge2);
                  },
                  ""},
        CauseCase{"OneRemedyForTwoServers",
                  [](Scene& s) {
                    s.finding("port-reachable.refused", {fe1, edge1}).remedy("start the service of " + edge1);
                    s.finding("port-reachable.refused", {fe1, edge2}).remedy("start the service of " + edge2);
                  },
                  "summary of port-reachable.refused; likewise edge2 | port-reachable.refused | "
                  "port-reachable.refused"},
        CauseCase{"AnAlertAboutTheVersionIsNoMatterOfThePath",
                  [](Scene& s) {
                    s.refusal(edge1, protocol_version, {"fe1"});
                    s.finding("certification-path.incomplete", {edge1, fe1}, {"fe1"}, "an issuer is not here");
                  },
                  ""},
        CauseCase{"AResetMayBeAboutThePath",
                  [](Scene& s) {
                    s.refusal(edge1, std::nullopt, {"fe1"});
                    s.finding("certification-path.incomplete", {edge1, fe1}, {"fe1"}, "an issuer is not here");
                  },
                  "edge1 refuses fe1, probably because an issuer is not in its stores | "
                  "certification-path.incomplete | handshake.reset"},
        CauseCase{"NobodyIsSaidToRefuseWhomHeDoesNot",
                  [](Scene& s) {
                    s.finding("certification-path.incomplete", {edge1, fe1}, {"fe1"}, "an issuer is not here");
                    s.finding("certification-path.incomplete", {edge2, "edge3.contoso.example"}, {"fe1"},
                              "an issuer is not here");
                  },
                  "edge1 has no valid path to fe1 (and so on 1 more link), because an issuer is not in their stores | "
                  "certification-path.incomplete | certification-path.incomplete"},
        CauseCase{"FewerUpdatesAreNotTheSuspectOfAnotherAnswer",
                  [](Scene& s) {
                    s.finding("mras-credentials.sip-error", {fe1, edge1}, {}, "403 Forbidden");
                    s.finding("server-versions.edge-behind", {fe1, edge1}, {}, "", Status::warning);
                  },
                  ""},
        CauseCase{"WhatCouldNotBeginBehindOneObstacle",
                  [](Scene& s) {
                    s.finding("names-resolve.not-found", {edge1});
                    s.finding("handshake.not-tried", {}, {}, "", Status::unknown);
                  },
                  "summary of names-resolve.not-found | names-resolve.not-found | handshake.not-tried"},
        CauseCase{"WhatCouldNotBeginBehindTwo",
                  [](Scene& s) {
                    s.finding("names-resolve.not-found", {edge1});
                    s.finding("port-reachable.refused", {fe1, edge2});
                    s.finding("handshake.not-tried", {}, {}, "", Status::unknown);
                  },
                  ""},
        CauseCase{"NamesThatAreNotUniqueStayWhole",
                  [](Scene& s) {
                    s.server("edge1.fabrikam.example");
                    s.refusal(edge1, unknown_ca, {"fe1"});
                    s.finding("certification-path.incomplete", {edge1, fe1}, {"fe1"}, "an issuer is not here");
                  },
                  "edge1.contoso.example refuses fe1, because an issuer is not in its stores | "
                  "certification-path.incomplete | handshake.rejected-by-peer"}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(Causes, TheWorstComesFirst) {
  Scene scene;
  scene.finding("port-reachable.refused", {fe1, edge1}, {}, "", Status::unknown);
  scene.finding("port-reachable.refused", {fe1, edge2}, {}, "", Status::unknown);
  scene.finding("mras-credentials.sip-error", {fe1, "edge3.contoso.example"}, {}, "504");
  scene.finding("mras-credentials.sip-error", {fe1, "edge4.contoso.example"}, {}, "504");
  EXPECT_TRUE(scene.causes().starts_with("summary of mras-credentials.sip-error; likewise edge4")) << scene.causes();
}

}  // namespace
}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sources/handshake_look.hpp"
#include "support/raw_peer.hpp"
#include "support/s_server.hpp"
#include "support/tls_peer.hpp"

namespace mrascheck::sources {
namespace {

using test::RawPeer;
using test::SServer;
using test::TlsPeer;
using namespace std::chrono_literals;
using namespace std::string_literals;

// ---- peers that speak no TLS
// -----------------------------------------------------------------------------------------

struct RawCase {
  const char* name;
  RawPeer::Script script;
  Phase phase;
  Outcome outcome;
  const char* detail;
};

class RawPeers : public HandshakeTest, public testing::WithParamInterface<RawCase> {};

TEST_P(RawPeers, AreToldApart) {
  RawPeer peer(GetParam().script);
  limits_.step = 500ms;
  const Handshake record = look_at(peer.port());
  EXPECT_ENDED(record, GetParam().phase, GetParam().outcome);
  EXPECT_NE(record.detail.find(GetParam().detail), std::string::npos) << record.detail;
  EXPECT_GT(record.connect_time.count(), 0);
  EXPECT_EQ(record.tls_time.count(), 0);
  EXPECT_FALSE(record.accepted());
  EXPECT_FALSE(record.mras);
}

void after_client_hello(RawPeer::Talk& talk, std::string_view bytes, bool reset) {
  talk.receive_record();
  talk.send(bytes);
  if (reset) talk.reset();
}

INSTANTIATE_TEST_SUITE_P(
    Handshakes, RawPeers,
    testing::Values(
        RawCase{"Http", [](auto& talk) { after_client_hello(talk, "HTTP/1.1 400 Bad Request\r\n\r\n", false); },
                Phase::tls, Outcome::not_tls, "HTTP"},
        RawCase{"Sip", [](auto& talk) { after_client_hello(talk, "SIP/2.0 400 Bad Request\r\n\r\n", false); },
                Phase::tls, Outcome::not_tls, "SIP"},
        RawCase{"Silence", [](auto& talk) { talk.stay_silent(); }, Phase::tls, Outcome::timed_out,
                "no answer within 0.5"},
        RawCase{"Reset", [](auto& talk) { after_client_hello(talk, "", true); }, Phase::tls, Outcome::reset, "reset"},
        RawCase{"Close", [](auto& talk) { after_client_hello(talk, "", false); }, Phase::tls, Outcome::closed,
                "closed"},
        RawCase{"AlertThenReset", [](auto& talk) { after_client_hello(talk, "\x15\x03\x03\x00\x02\x02\x28"s, true); },
                Phase::tls, Outcome::rejected_by_peer, "handshake_failure"}),
    [](const auto& row) { return row.param.name; });

TEST_F(HandshakeTest, Refused) {
  const test::RefusingPort port;
  const Handshake record = look_at(port.port());
  EXPECT_ENDED(record, Phase::connect, Outcome::refused);
  EXPECT_EQ(record.detail, "Connection refused");
  EXPECT_EQ(record.connect_time.count(), 0);
}

TEST_F(HandshakeTest, NoAnswerToTheConnection) {
  const test::FullBacklog mute;
  limits_.step = 200ms;
  const Handshake record = look_at(mute.port());
  EXPECT_ENDED(record, Phase::connect, Outcome::timed_out);
  EXPECT_TRUE(record.detail.starts_with("no answer within 0.2")) << record.detail;
}

TEST_F(HandshakeTest, TheRunsDeadlineSaysSo) {
  RawPeer peer([](RawPeer::Talk& talk) { talk.stay_silent(); });
  const Handshake record = look_at(peer.port(), test::in(200ms));
  EXPECT_ENDED(record, Phase::tls, Outcome::local_failure);
  EXPECT_NE(record.detail.find("when the run's deadline came"), std::string::npos) << record.detail;
}

TEST_F(HandshakeTest, StoppedInMidHandshake) {
  std::stop_source stop;
  RawPeer peer([&](RawPeer::Talk& talk) {
    talk.receive_record();
    stop.request_stop();
    talk.stay_silent();
  });
  const Handshake record = look_at(peer.port(), {Deadline::Clock::now() + 50s, stop.get_token()});
  EXPECT_ENDED(record, Phase::tls, Outcome::local_failure);
  EXPECT_TRUE(record.detail.starts_with("interrupted")) << record.detail;
}

// ---- the real openssl s_server
// ---------------------------------------------------------------------------------------

struct VersionCase {
  const char* name;
  const char* option;
  const char* version;
};

class RealServer : public HandshakeTest, public testing::WithParamInterface<VersionCase> {
 protected:
  std::vector<std::string> arguments(std::vector<std::string> more) const {
    std::vector<std::string> all{"-cert",  pki() / "edge1.crt", "-key", pki() / "edge1.key",
                                 "-state", GetParam().option};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, RealServer,
                         testing::Values(VersionCase{"Tls12", "-tls1_2", "TLSv1.2"},
                                         VersionCase{"Tls13", "-tls1_3", "TLSv1.3"}),
                         [](const auto& row) { return row.param.name; });

TEST_P(RealServer, LetsUsInAndAnswers) {
  SServer server(
      arguments({"-Verify", "3", "-verify_return_error", "-CAfile", pki() / "root.crt"}),
      [](const std::string& request) { return test::sip_answer(request, "200 OK", test::mras_body(request)); });
  const Handshake record = look_at(server.port());
  EXPECT_ENDED(record, Phase::done, Outcome::completed);
  EXPECT_EQ(record.tls_version, GetParam().version);
  EXPECT_NE(record.cipher, "");
  EXPECT_TRUE(record.client_certificate_requested);
  EXPECT_TRUE(record.certificate_sent);
  ASSERT_EQ(record.sent_chain.size(), 1U);
  EXPECT_EQ(short_name(*record.sent_chain[0]), "fe1.contoso.example");
  ASSERT_FALSE(record.peer_chain.empty());
  EXPECT_EQ(short_name(*record.peer_chain[0]), "edge1.contoso.example");
  ASSERT_EQ(record.accepted_issuers.size(), 1U);
  EXPECT_EQ(record.accepted_issuers[0].common_name(), "Contoso Root CA");
  EXPECT_EQ(record.accepted_issuer_count, 1U);
  EXPECT_TRUE(record.peer_answered);
  EXPECT_TRUE(record.accepted());
  EXPECT_GT(record.tls_time.count(), 0);
  EXPECT_GT(record.sip_time.count(), 0);
  ASSERT_TRUE(record.mras);
  EXPECT_EQ(record.mras->sip_status, 200U);
  EXPECT_TRUE(record.mras->credentials_present);
  EXPECT_EQ(record.mras->problem, "");
  ASSERT_EQ(record.mras->relays.size(), 1U);
  EXPECT_TRUE(server.says("SERVICE sip:"));
  EXPECT_TRUE(server.says("verify return:1")) << server.last_words();
}

TEST_P(RealServer, RefusesUsAndWeSayWhatItSays) {
  SServer server(arguments({"-Verify", "3", "-verify_return_error", "-CAfile", pki() / "other.crt"}));
  const Handshake record = look_at(server.port());
  EXPECT_ENDED(record, GetParam().version == "TLSv1.2"s ? Phase::tls : Phase::confirm, Outcome::rejected_by_peer);
  ASSERT_EQ(record.alerts_received.size(), 1U);
  EXPECT_EQ(record.alerts_received[0].name(), "unknown_ca");
  EXPECT_TRUE(record.alerts_received[0].fatal);
  EXPECT_FALSE(record.peer_answered);
  EXPECT_FALSE(record.accepted());
  EXPECT_TRUE(record.certificate_sent);
  EXPECT_EQ(record.peer_chain.size(), 1U) << "what was seen is kept when the handshake fails";
  EXPECT_TRUE(server.says("alert write:fatal:unknown CA")) << server.last_words();
}

TEST_P(RealServer, OfOnlyTlsRefusesUsToo) {
  link_.service = Service::tls;
  SServer server(arguments({"-Verify", "3", "-verify_return_error", "-CAfile", pki() / "other.crt"}));
  const Handshake record = look_at(server.port());
  EXPECT_ENDED(record, GetParam().version == "TLSv1.2"s ? Phase::tls : Phase::confirm, Outcome::rejected_by_peer);
  EXPECT_FALSE(record.accepted());
}

TEST_P(RealServer, QuietIsAcceptanceWhenOnlyTlsIsAskedFor) {
  link_.service = Service::tls;
  SServer server(arguments({"-Verify", "3", "-verify_return_error", "-CAfile", pki() / "root.crt"}));
  const Handshake record = look_at(server.port());
  EXPECT_ENDED(record, Phase::done, Outcome::completed);
  EXPECT_FALSE(record.peer_answered);
  EXPECT_EQ(record.quiet_for, 300ms);
  EXPECT_TRUE(record.accepted());
  EXPECT_FALSE(record.mras);
}

TEST_P(RealServer, ThatAsksForNoCertificateGetsNone) {
  SServer server(arguments({}), [](const std::string& request) { return test::sip_answer(request, "403 Forbidden"); });
  const Handshake record = look_at(server.port());
  EXPECT_ENDED(record, Phase::done, Outcome::completed);
  EXPECT_FALSE(record.client_certificate_requested);
  EXPECT_FALSE(record.certificate_sent);
  EXPECT_TRUE(record.sent_chain.empty());
  ASSERT_TRUE(record.mras);
  EXPECT_EQ(record.mras->sip_status, 403U);
}

TEST_P(RealServer, ThatOurSideWouldRefuseIsNotAsked) {
  trust("other");
  SServer server(arguments({"-Verify", "3", "-verify_return_error", "-CAfile", pki() / "root.crt"}));
  const Handshake record = look_at(server.port());
  EXPECT_ENDED(record, Phase::confirm, Outcome::rejected_by_us);
  EXPECT_TRUE(record.detail.starts_with("fe1.contoso.example would refuse it: ")) << record.detail;
  EXPECT_TRUE(record.accepted()) << "the peer, for its part, was content";
  EXPECT_FALSE(record.mras);
  EXPECT_EQ(server.last_words().find("SERVICE"), std::string::npos);
}

TEST_P(RealServer, BothWouldRefuseEachOther) {
  trust("other");
  SServer server(arguments({"-Verify", "3", "-verify_return_error", "-CAfile", pki() / "other.crt"}));
  const Handshake record = look_at(server.port());
  if (GetParam().version == "TLSv1.2"s) {  // its refusal comes before our turn to judge
    EXPECT_ENDED(record, Phase::tls, Outcome::rejected_by_peer);
    EXPECT_TRUE(record.detail.starts_with("alert unknown_ca; fe1.contoso.example would refuse it: ")) << record.detail;
    return;
  }
  EXPECT_ENDED(record, Phase::confirm, Outcome::rejected_by_us);
  EXPECT_NE(record.detail.find("; the peer refuses too: alert unknown_ca"), std::string::npos) << record.detail;
  EXPECT_FALSE(record.accepted());
  link_.expect = Expectation::refuse;
  SServer second(arguments({"-Verify", "3", "-verify_return_error", "-CAfile", pki() / "other.crt"}));
  EXPECT_ENDED(look_at(second.port()), Phase::confirm, Outcome::rejected_by_peer);
}

TEST_F(HandshakeTest, AnOldPeerIsRefusedByOurTls) {
  SServer server({"-cert", pki() / "edge1.crt", "-key", pki() / "edge1.key", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"});
  const Handshake record = look_at(server.port());
  EXPECT_EQ(record.phase, Phase::tls);
  EXPECT_FALSE(record.alerts_sent.empty() && record.alerts_received.empty()) << record.detail;
  EXPECT_TRUE(record.outcome == Outcome::rejected_by_peer || record.outcome == Outcome::rejected_by_us)
      << record.detail;
}

// ---- a TLS peer that behaves as told
// ---------------------------------------------------------------------------------

using ScriptedPeer = HandshakeTest;

TlsPeer::Options options() {
  return pki().peer();
}

TEST_F(ScriptedPeer, AnotherNameIsRefusedBeforeAnySip) {
  to_.name = "edge2.contoso.example";
  to_.pool = "edges.contoso.example";
  std::string heard;
  {
    TlsPeer peer(options(), [&](TlsPeer::Session& session) { heard = session.receive(); });
    const Handshake record = look_at(peer.port());
    EXPECT_ENDED(record, Phase::confirm, Outcome::rejected_by_us);
    EXPECT_EQ(record.detail,
              "fe1.contoso.example would refuse it: its certificate is for edge1.contoso.example, not for "
              "edge2.contoso.example or edges.contoso.example");
  }
  EXPECT_EQ(heard, "");
}

TEST_F(ScriptedPeer, ACertificateThatCannotBeReadIsNotAsked) {
  // Its validity begins in month 99.
  ByteString der = pki().openssl().der("edge1");
  const ByteString utc_time = from_hex("170d");
  const auto at = std::search(der.begin(), der.end(), utc_time.begin(), utc_time.end());
  ASSERT_NE(at, der.end());
  *(at + 4) = *(at + 5) = '9';
  pki().openssl().dir().write("garbled.der", der);
  pki().openssl().shell("openssl x509 -inform DER -in garbled.der -out garbled.crt");
  TlsPeer::Options garbled = options();
  garbled.certificate = pki() / "garbled.crt";
  std::string heard;
  {
    TlsPeer peer(garbled, [&](TlsPeer::Session& session) { heard = session.receive(); });
    const Handshake record = look_at(peer.port());
    EXPECT_ENDED(record, Phase::confirm, Outcome::rejected_by_us);
    EXPECT_TRUE(record.detail.starts_with("its certificate cannot be read: ")) << record.detail;
    EXPECT_FALSE(record.mras);
  }
  EXPECT_EQ(heard, "");
}

TEST_F(ScriptedPeer, ThePoolsNameWillDo) {
  to_.name = "edge2.contoso.example";
  to_.pool = "edge1.contoso.example";
  TlsPeer peer(options(), [](TlsPeer::Session& session) {
    session.send(test::sip_answer(session.receive_request(), "200 OK"));
    session.raw().stay_silent();
  });
  EXPECT_ENDED(look_at(peer.port()), Phase::done, Outcome::completed);
}

struct GoOnCase {
  const char* name;
  void (*change)(TrustView&);
};
class NotJudged : public ScriptedPeer, public testing::WithParamInterface<GoOnCase> {};

TEST_P(NotJudged, GoesOn) {
  trust("other");
  GetParam().change(trust_);
  TlsPeer peer(options(), [](TlsPeer::Session& session) {
    session.send(test::sip_answer(session.receive_request(), "200 OK"));
    session.raw().stay_silent();
  });
  EXPECT_ENDED(look_at(peer.port()), Phase::done, Outcome::completed);
}
INSTANTIATE_TEST_SUITE_P(
    Trust, NotJudged,
    testing::Values(GoOnCase{"WithoutConfiguredTrust", [](TrustView& trust) { trust.configured = false; }},
                    GoOnCase{"WithAStoreThatCouldNotBeRead", [](TrustView& trust) { trust.missing = {"ad"}; }}),
    [](const auto& row) { return row.param.name; });

TEST_F(ScriptedPeer, SilenceAfterTlsIsASipTimeout) {
  limits_.step = 1s;
  TlsPeer peer(options(), [](TlsPeer::Session& session) { session.raw().stay_silent(); });
  const Handshake record = look_at(peer.port());
  EXPECT_ENDED(record, Phase::sip, Outcome::timed_out);
  EXPECT_FALSE(record.peer_answered);
  EXPECT_EQ(record.quiet_for, limits_.quiet);
  EXPECT_TRUE(record.accepted());
  ASSERT_TRUE(record.mras);
  EXPECT_FALSE(record.mras->answered);
  EXPECT_NE(record.mras->problem, "");
}

TEST_F(ScriptedPeer, SilenceCutByTheRunIsNoAcceptance) {
  limits_.quiet = 30s;
  TlsPeer peer(options(), [](TlsPeer::Session& session) { session.raw().stay_silent(); });
  const Handshake record = look_at(peer.port(), test::in(1s));
  EXPECT_ENDED(record, Phase::confirm, Outcome::local_failure);
  EXPECT_EQ(record.quiet_for, 0ms);
  EXPECT_FALSE(record.accepted());
}

TEST_F(ScriptedPeer, SilenceCutByTheRunIsNoAcceptanceOfTlsEither) {
  link_.service = Service::tls;
  limits_.quiet = 30s;
  TlsPeer peer(options(), [](TlsPeer::Session& session) { session.raw().stay_silent(); });
  const Handshake record = look_at(peer.port(), test::in(1s));
  EXPECT_ENDED(record, Phase::confirm, Outcome::local_failure);
  EXPECT_FALSE(record.accepted());
}

struct SipCase {
  const char* name;
  TlsPeer::Script script;
  Phase phase;
  Outcome outcome;
  bool answered;           ///< anything at all
  const char* in_problem;  ///< a part of MrasExchange::problem; nothing: empty
};

class SipPeers : public ScriptedPeer, public testing::WithParamInterface<SipCase> {};

TEST_P(SipPeers, AreToldApart) {
  const SipCase& c = GetParam();
  limits_.step = 1s;
  limits_.quiet = 900ms;
  TlsPeer peer(options(), c.script);
  const Handshake record = look_at(peer.port());
  EXPECT_ENDED(record, c.phase, c.outcome);
  EXPECT_EQ(record.peer_answered, c.answered);
  ASSERT_TRUE(record.mras);
  if (c.in_problem == nullptr) {
    EXPECT_EQ(record.mras->problem, "");
  } else {
    EXPECT_NE(record.mras->problem.find(c.in_problem), std::string::npos) << record.mras->problem;
    EXPECT_FALSE(record.mras->answered);
    EXPECT_NE(record.detail, "");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Exchanges, SipPeers,
    testing::Values(SipCase{"ClosesWithoutAWord", [](auto& session) { session.receive_request(); }, Phase::confirm,
                            Outcome::closed, false, ""},
                    SipCase{"SaysGoodByeInsteadOfAnAnswer",
                            [](auto& session) {
                              session.receive_request();
                              session.close();
                            },
                            Phase::confirm, Outcome::closed, false, ""},
                    SipCase{"ResetsInsteadOfAnAnswer",
                            [](auto& session) {
                              session.receive_request();
                              session.raw().reset();
                            },
                            Phase::confirm, Outcome::reset, false, ""},
                    SipCase{"BodyShorterThanItsContentLength",
                            [](auto& session) {
                              const std::string request = session.receive_request();
                              const std::string answer = test::sip_answer(request, "200 OK", test::mras_body(request));
                              session.send(answer.substr(0, answer.size() - 100));
                            },
                            Phase::sip, Outcome::closed, true, "body"},
                    SipCase{"BodyThatNeverEnds",
                            [](auto& session) {
                              const std::string request = session.receive_request();
                              const std::string answer = test::sip_answer(request, "200 OK", test::mras_body(request));
                              session.send(answer.substr(0, answer.size() - 100));
                              session.raw().stay_silent();
                            },
                            Phase::sip, Outcome::timed_out, true, "body"},
                    SipCase{"AnswerToAnotherCallId",
                            [](auto& session) {
                              std::string request = session.receive_request();
                              request.replace(request.find("Call-ID: ") + 9, 4, "xxxx");
                              session.send(test::sip_answer(request, "200 OK"));
                              session.raw().stay_silent();
                            },
                            Phase::sip, Outcome::timed_out, true, ""},
                    SipCase{"HttpInsideTls",
                            [](auto& session) {
                              session.receive_request();
                              session.send("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n");
                              session.raw().stay_silent();
                            },
                            Phase::sip, Outcome::not_sip, true, ""},
                    SipCase{"AHeaderLineOfAMebibyte",
                            [](auto& session) {
                              session.receive_request();
                              session.send("SIP/2.0 200 OK\r\nX: " + std::string(std::size_t{1024} * 1024, 'x') +
                                           "\r\n\r\n");
                              session.raw().stay_silent();
                            },
                            Phase::sip, Outcome::not_sip, true, ""},
                    SipCase{"AProvisionalAnswerFirst",
                            [](auto& session) {
                              const std::string request = session.receive_request();
                              session.send(test::sip_answer(request, "101 Progress Report"));
                              session.send(test::sip_answer(request, "504 Server time-out"));
                              session.raw().stay_silent();
                            },
                            Phase::done, Outcome::completed, true, nullptr},
                    SipCase{"AnswersAndResetsAtOnce",
                            [](auto& session) {
                              session.send(test::sip_answer(session.receive_request(), "503 Service Unavailable"));
                              session.raw().reset();
                            },
                            Phase::done, Outcome::completed, true, nullptr}),
    [](const auto& row) { return row.param.name; });

TEST_F(ScriptedPeer, ItsOwnRequestIsAnsweredAndOursGoesOn) {
  std::string reply;
  {
    TlsPeer peer(options(), [&](TlsPeer::Session& session) {
      const std::string request = session.receive_request();
      session.send(
          "NEGOTIATE sip:127.0.0.1:5061 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:5062;branch=z9hG4bK1\r\nFrom: "
          "<sip:edge1>;tag=1\r\nTo: <sip:fe1>\r\nCall-ID: theirs\r\nCSeq: 1 NEGOTIATE\r\nContent-Length: 0\r\n\r\n");
      reply = session.receive_request();
      session.send(test::sip_answer(request, "200 OK"));
      session.raw().stay_silent();
    });
    EXPECT_ENDED(look_at(peer.port()), Phase::done, Outcome::completed);
  }
  EXPECT_TRUE(reply.starts_with("SIP/2.0 405")) << reply;
}

TEST_F(ScriptedPeer, EveryRequestHasItsOwnCallId) {
  std::vector<std::string> ids;
  for (int i = 0; i < 2; ++i) {
    TlsPeer peer(options(), [&](TlsPeer::Session& session) {
      const std::string request = session.receive_request();
      const std::size_t at = request.find("Call-ID: ");
      ids.push_back(request.substr(at, request.find("\r\n", at) - at));
      session.send(test::sip_answer(request, "200 OK"));
      session.raw().stay_silent();
    });
    look_at(peer.port());
  }
  ASSERT_EQ(ids.size(), 2U);
  EXPECT_NE(ids[0], ids[1]);
}

TEST_F(ScriptedPeer, SipIsOptions) {
  link_.service = Service::sip;
  std::string request;
  {
    TlsPeer peer(options(), [&](TlsPeer::Session& session) {
      request = session.receive_request();
      session.send(test::sip_answer(request, "405 Method Not Allowed"));
      session.raw().stay_silent();
    });
    const Handshake record = look_at(peer.port());
    EXPECT_ENDED(record, Phase::done, Outcome::completed);
    EXPECT_EQ(record.mras->method, "OPTIONS");
  }
  EXPECT_TRUE(request.starts_with("OPTIONS ")) << request;
}

// ---- several requests on one connection
// ------------------------------------------------------------------------------

/// The answer that a service of MRAS `version` gives.
std::string service_answer(const std::string& request, const std::string& version) {
  std::string body = test::mras_body(request);
  if (request.find(" version=\"" + version + "\"") == std::string::npos)
    body = body.replace(body.find("reasonPhrase=\"OK\""), 17, "reasonPhrase=\"Version Mismatch\"");
  const std::string known = "serverVersion=\"2.0\"";
  body.replace(body.find(known), known.size(), "serverVersion=\"" + version + "\"");
  if (request.find("<location>internet<") != std::string::npos) {
    body.replace(body.find("<location>intranet"), 18, "<location>internet");
    body.replace(body.find("edge1.contoso.example</hostName>"), 5, "av");
  }
  return test::sip_answer(request, "200 OK", body);
}

TEST_F(ScriptedPeer, BothLocationsAreAskedOnOneConnection) {
  question_.location = MrasLocation::both;
  std::vector<std::string> requests;
  TlsPeer peer(options(), [&](TlsPeer::Session& session) {
    for (int i = 0; i < 2; ++i) {
      requests.push_back(session.receive_request());
      session.send(service_answer(requests.back(), "2.0"));
    }
    session.raw().stay_silent();
  });
  const Handshake record = look_at(peer.port());
  EXPECT_ENDED(record, Phase::done, Outcome::completed);
  EXPECT_EQ(peer.connections(), 1);
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_NE(requests[0].find("<location>intranet<"), std::string::npos);
  EXPECT_NE(requests[1].find("<location>internet<"), std::string::npos);
  const auto id = [](const std::string& request) { return request.substr(request.find("Call-ID: "), 41); };
  EXPECT_NE(id(requests[0]), id(requests[1]));
  ASSERT_EQ(record.further.size(), 1U);
  EXPECT_EQ(record.mras->location, MrasLocation::intranet);
  EXPECT_EQ(record.further[0].location, MrasLocation::internet);
  ASSERT_EQ(record.further[0].relays.size(), 1U);
  EXPECT_EQ(record.further[0].relays[0].host, "av.contoso.example");
  EXPECT_TRUE(record.further[0].answered_at.has_value());
}

TEST_F(ScriptedPeer, OneLocationIsAskedAlone) {
  question_.location = MrasLocation::internet;
  TlsPeer peer(options(), [](TlsPeer::Session& session) {
    session.send(service_answer(session.receive_request(), "2.0"));
    session.raw().stay_silent();
  });
  const Handshake record = look_at(peer.port());
  EXPECT_ENDED(record, Phase::done, Outcome::completed);
  EXPECT_EQ(record.mras->location, MrasLocation::internet);
  EXPECT_TRUE(record.further.empty());
}

TEST_F(ScriptedPeer, SilenceAboutTheOtherLocationIsToldOfThatAlone) {
  question_.location = MrasLocation::both;
  limits_.step = 1s;
  TlsPeer peer(options(), [](TlsPeer::Session& session) {
    session.send(service_answer(session.receive_request(), "2.0"));
    session.raw().stay_silent();
  });
  const Handshake record = look_at(peer.port());
  EXPECT_ENDED(record, Phase::done, Outcome::completed);
  EXPECT_TRUE(record.mras->answered);
  ASSERT_EQ(record.further.size(), 1U);
  EXPECT_FALSE(record.further[0].answered);
  EXPECT_EQ(record.further[0].problem, "no answer within 1 s: no answer: not one byte came");
}

TEST_F(ScriptedPeer, WhatTheEndOfTheRunCutsOffWasNotAsked) {
  question_.location = MrasLocation::both;
  TlsPeer peer(options(), [](TlsPeer::Session& session) {
    session.send(service_answer(session.receive_request(), "2.0"));
    session.raw().stay_silent();
  });
  const Handshake record = look_at(peer.port(), test::in(1500ms));
  EXPECT_ENDED(record, Phase::done, Outcome::completed);
  EXPECT_TRUE(record.further.empty());
}

TEST_F(ScriptedPeer, AVersionThatIsNotSpokenIsAskedAgainInTheServers) {
  question_.location = MrasLocation::both;
  std::vector<std::string> requests;
  TlsPeer peer(options(), [&](TlsPeer::Session& session) {
    for (int i = 0; i < 3; ++i) {
      requests.push_back(session.receive_request());
      session.send(service_answer(requests.back(), "1.0"));
    }
    session.raw().stay_silent();
  });
  const Handshake record = look_at(peer.port());
  EXPECT_ENDED(record, Phase::done, Outcome::completed);
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_NE(requests[0].find(" version=\"2.0\""), std::string::npos);
  EXPECT_NE(requests[1].find(" version=\"1.0\""), std::string::npos);
  EXPECT_NE(requests[2].find(" version=\"1.0\""), std::string::npos);
  EXPECT_EQ(record.mras->version, "1.0");
  EXPECT_EQ(record.mras->reason_phrase, "OK");
  ASSERT_EQ(record.further.size(), 2U);
  EXPECT_TRUE(record.further[0].asked_again);
  EXPECT_EQ(record.further[0].reason_phrase, "Version Mismatch");
  EXPECT_EQ(record.further[0].version, "2.0");
  EXPECT_FALSE(record.further[1].asked_again);
  EXPECT_EQ(record.further[1].location, MrasLocation::internet);
}

TEST_F(ScriptedPeer, AVersionIsAskedAgainOnce) {
  int requests = 0;
  TlsPeer peer(options(), [&](TlsPeer::Session& session) {
    for (const char* version : {"1.0", "3.0"}) {
      session.send(service_answer(session.receive_request(), version));
      ++requests;
    }
    session.raw().stay_silent();
  });
  const Handshake record = look_at(peer.port());
  EXPECT_ENDED(record, Phase::done, Outcome::completed);
  EXPECT_EQ(requests, 2);
  EXPECT_EQ(record.mras->reason_phrase, "Version Mismatch");
  EXPECT_FALSE(record.mras->asked_again);
}

TEST_F(ScriptedPeer, OptionsGoFirstWhereThatIsWanted) {
  question_.options_first = true;
  std::vector<std::string> methods;
  TlsPeer peer(options(), [&](TlsPeer::Session& session) {
    for (int i = 0; i < 2; ++i) {
      const std::string request = session.receive_request();
      methods.push_back(request.substr(0, request.find(' ')));
      session.send(i == 0 ? test::sip_answer(request, "405 Method Not Allowed") : service_answer(request, "2.0"));
    }
    session.raw().stay_silent();
  });
  const Handshake record = look_at(peer.port());
  EXPECT_ENDED(record, Phase::done, Outcome::completed);
  EXPECT_EQ(methods, (std::vector<std::string>{"OPTIONS", "SERVICE"}));
  ASSERT_EQ(record.further.size(), 1U);
  EXPECT_EQ(record.further[0].method, "OPTIONS");
  EXPECT_EQ(record.further[0].sip_status, 405U);
  EXPECT_EQ(record.further[0].server_banner, "RTC/5.0");
  EXPECT_FALSE(record.further[0].location.has_value());
  EXPECT_EQ(record.mras->method, "SERVICE");
}

TEST_F(ScriptedPeer, OptionsWithoutAnAnswerHoldNothingUp) {
  question_.options_first = true;
  limits_.step = 1s;
  TlsPeer peer(options(), [](TlsPeer::Session& session) {
    const std::string first = session.receive_request();
    const std::string second = session.receive_request();
    session.send(test::sip_answer(first, "200 OK"));  // late, and no answer to the second
    session.send(service_answer(second, "2.0"));
    session.raw().stay_silent();
  });
  const Handshake record = look_at(peer.port());
  EXPECT_ENDED(record, Phase::done, Outcome::completed);
  ASSERT_EQ(record.further.size(), 1U);
  EXPECT_FALSE(record.further[0].answered);
  EXPECT_TRUE(record.mras->answered);
  EXPECT_EQ(record.mras->strangers, 1U);
}

TEST_F(ScriptedPeer, AConnectionThatEndsAtTheOptionsEndsTheLook) {
  question_.options_first = true;
  TlsPeer peer(options(), [](TlsPeer::Session& session) {
    session.receive_request();
    session.close();
  });
  const Handshake record = look_at(peer.port());
  EXPECT_EQ(to_string(record.outcome), "closed");
  ASSERT_TRUE(record.mras);
  EXPECT_EQ(record.mras->method, "OPTIONS");
  EXPECT_TRUE(record.further.empty());
}

TEST_F(ScriptedPeer, ThePeersOwnRequestsAreAnsweredAndKeepAlivesPassedOver) {
  question_.location = MrasLocation::both;
  std::vector<std::string> replies;
  TlsPeer peer(options(), [&](TlsPeer::Session& session) {
    const auto own = [](const std::string& method) {
      return method +
             " sip:fe1.contoso.example SIP/2.0\r\nVia: SIP/2.0/TLS edge1.contoso.example;branch=z9hG4bK77\r\n"
             "From: <sip:edge1.contoso.example>;tag=1\r\nTo: <sip:fe1.contoso.example>\r\nCall-ID: 9\r\nCSeq: 1 " +
             method + "\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
    };
    const std::string request = session.receive_request();
    session.send("\r\n\r\n" + own("NEGOTIATE") + "\r\n\r\n" + own("OPTIONS"));
    replies.push_back(session.receive_request());
    replies.push_back(session.receive_request());
    // The beginning of one behind the answer, its end behind the next request.
    const std::string late = own("OPTIONS");
    session.send(service_answer(request, "2.0") + late.substr(0, 60));
    const std::string second = session.receive_request();
    session.send(late.substr(60));
    replies.push_back(session.receive_request());
    session.send(service_answer(second, "2.0"));
    session.raw().stay_silent();
  });
  const Handshake record = look_at(peer.port());
  EXPECT_ENDED(record, Phase::done, Outcome::completed);
  ASSERT_EQ(replies.size(), 3U);
  EXPECT_TRUE(replies[0].starts_with("SIP/2.0 405 Method Not Allowed\r\n")) << replies[0];
  EXPECT_NE(replies[0].find("CSeq: 1 NEGOTIATE\r\n"), std::string::npos);
  EXPECT_NE(replies[0].find("Allow: OPTIONS\r\n"), std::string::npos);
  EXPECT_TRUE(replies[1].starts_with("SIP/2.0 200 OK\r\n")) << replies[1];
  EXPECT_TRUE(replies[2].starts_with("SIP/2.0 200 OK\r\n")) << replies[2];
  ASSERT_EQ(record.further.size(), 1U);
  EXPECT_EQ(record.further[0].problem, "");
  EXPECT_EQ(record.further[0].relays.size(), 1U);
}

}  // namespace
}  // namespace mrascheck::sources

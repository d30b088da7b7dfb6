// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "pki.hpp"
#include "raw_server.hpp"

namespace mrascheck::crypto {
namespace {

using test::Issued;
using test::Pki;
using test::RawServer;
using test::ServerOptions;
using test::shake_hands;
using State = TlsEngine::State;

/// One small site: a root, an issuing CA, an Edge and a Front End below it, and a stranger's root.
struct EngineSite {
  Pki pki;
  Issued root = pki.root("root");
  Issued issuing = pki.authority("issuing", root);
  Issued edge = pki.leaf("edge1", issuing);
  Issued front_end = pki.leaf("fe1", issuing);
  Issued stranger = pki.root("stranger");

  static const EngineSite& get() {
    static const EngineSite site;
    return site;
  }

  ServerOptions server(int version) const {
    return {.identity = &edge, .chain = {issuing.certificate}, .version = version, .trusted = &root};
  }
};

TlsContext context_of(const TlsContext::Options& options) {
  Result<TlsContext> context = TlsContext::client(options);
  if (!context) throw std::runtime_error(context.error().text);
  return *context;
}

TlsContext::Options options_of(const Issued& identity, std::vector<CertificateRef> chain = {}) {
  TlsContext::Options options;
  options.certificate = identity.certificate;
  options.chain = std::move(chain);
  options.key = identity.key;
  return options;
}

TlsContext front_end_context() {
  const EngineSite& site = EngineSite::get();
  return context_of(options_of(site.front_end, {site.issuing.certificate}));
}

TlsEngine engine_of(const TlsContext& context, const std::string& name = "edge1.contoso.example") {
  Result<TlsEngine> engine = TlsEngine::client(context, name);
  if (!engine) throw std::runtime_error(engine.error().text);
  return std::move(*engine);
}

std::vector<std::string> names_of(const std::vector<Alert>& alerts) {
  std::vector<std::string> names;
  names.reserve(alerts.size());
  for (const Alert& alert : alerts) names.push_back(alert.name() + (alert.fatal ? "!" : ""));
  return names;
}
using Names = std::vector<std::string>;

/// A handshake, and what comes when the client then listens: TLS 1.3 refuses only there.
State shake_hands_and_listen(TlsEngine& engine, RawServer& server) {
  State state = shake_hands(engine, server);
  if (state != State::ready) return state;
  server.feed(engine.take_output());
  server.step();
  engine.feed(server.take_output());
  std::string plaintext;
  state = engine.read(plaintext);
  EXPECT_EQ(plaintext, "");
  return state;
}

/// Which of the site's certificates these are, byte for byte.
std::vector<std::string> who(const std::vector<ByteString>& chain) {
  const EngineSite& site = EngineSite::get();
  std::vector<std::string> names;
  for (const ByteString& der : chain) {
    names.emplace_back("somebody else");
    for (const Issued* known : {&site.root, &site.issuing, &site.edge, &site.front_end, &site.stranger})
      if (known->certificate->der == der) names.back() = known->certificate->subject.common_name();
  }
  return names;
}

class BothVersions : public testing::TestWithParam<int> {
 protected:
  const EngineSite& site = EngineSite::get();
  ServerOptions options = site.server(GetParam());
  bool tls13() const { return GetParam() == TLS1_3_VERSION; }
};

INSTANTIATE_TEST_SUITE_P(Tls, BothVersions, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& row) { return row.param == TLS1_3_VERSION ? "Tls13" : "Tls12"; });

TEST_P(BothVersions, TalksToAServerThatAccepts) {
  RawServer server{options};
  TlsEngine engine = engine_of(front_end_context());
  EXPECT_EQ(engine.write("too early"), State::failed);
  ASSERT_EQ(shake_hands_and_listen(engine, server), State::want_bytes);  // session tickets are no plaintext

  TlsFacts facts = engine.facts();
  EXPECT_EQ(facts.version, tls13() ? "TLSv1.3" : "TLSv1.2");
  EXPECT_EQ(facts.cipher, server.cipher());
  EXPECT_TRUE(facts.client_certificate_requested);
  EXPECT_TRUE(facts.certificate_sent);
  EXPECT_EQ(who(facts.peer_chain), (Names{"edge1", "issuing"}));
  EXPECT_EQ(facts.alerts_sent, std::vector<Alert>{});
  EXPECT_EQ(facts.alerts_received, std::vector<Alert>{});
  EXPECT_EQ(engine.error(), "");
  EXPECT_EQ(engine.not_tls(), std::nullopt);
  EXPECT_EQ(server.server_name(), "edge1.contoso.example");
  EXPECT_EQ(who(server.client_chain()), (Names{"fe1", "issuing"}));

  EXPECT_EQ(engine.write("SERVICE sip:edge SIP/2.0\r\n"), State::ready);
  server.feed(engine.take_output());
  server.step();
  EXPECT_EQ(server.received, "SERVICE sip:edge SIP/2.0\r\n");
  server.write("SIP/2.0 200 OK\r\n");
  engine.feed(server.take_output());
  std::string answer = "> ";
  EXPECT_EQ(engine.read(answer, 7), State::ready);
  EXPECT_EQ(answer, "> SIP/2.0");
  EXPECT_EQ(engine.read(answer), State::ready);
  EXPECT_EQ(answer, "> SIP/2.0 200 OK\r\n");
  EXPECT_EQ(engine.read(answer), State::want_bytes);

  engine.shutdown();
  server.feed(engine.take_output());
  server.step();
  EXPECT_TRUE(server.saw_goodbye());
  facts = engine.facts();
  EXPECT_EQ(names_of(facts.alerts_sent), Names{"close_notify"});
}

TEST_P(BothVersions, SurvivesMovingInMidHandshake) {
  RawServer server{options};
  TlsEngine first = engine_of(front_end_context());
  EXPECT_EQ(first.handshake(), State::want_bytes);
  TlsEngine second = std::move(first);
  server.feed(second.take_output());
  server.step();
  second.feed(server.take_output());
  TlsEngine third = engine_of(front_end_context());
  third = std::move(second);
  EXPECT_EQ(shake_hands(third, server), State::ready);
  EXPECT_EQ(third.facts().peer_chain.size(), 2U);
}

TEST_P(BothVersions, HearsThatItsIssuerIsUnknown) {
  options.trusted = &site.stranger;
  RawServer server{options};
  TlsEngine engine = engine_of(front_end_context());
  EXPECT_EQ(shake_hands_and_listen(engine, server), State::failed);
  const TlsFacts facts = engine.facts();
  EXPECT_EQ(names_of(facts.alerts_received), Names{"unknown_ca!"});
  EXPECT_EQ(engine.error(), "tlsv1 alert unknown ca");
  EXPECT_TRUE(facts.certificate_sent);
  EXPECT_EQ(who(facts.peer_chain), (Names{"edge1", "issuing"}));
  std::string plaintext;
  EXPECT_EQ(engine.handshake(), State::failed);
  EXPECT_EQ(engine.read(plaintext), State::failed);
  EXPECT_EQ(engine.write("SERVICE"), State::failed);
}

TEST_P(BothVersions, HearsThatItsCertificateHasExpired) {
  options.at = 4'102'444'800;  // 2100
  RawServer server{options};
  TlsEngine engine = engine_of(front_end_context());
  EXPECT_EQ(shake_hands_and_listen(engine, server), State::failed);
  EXPECT_EQ(names_of(engine.facts().alerts_received), Names{"certificate_expired!"});
  EXPECT_EQ(engine.error(), "sslv3 alert certificate expired");
}

TEST_P(BothVersions, HearsThatACertificateIsRequired) {
  RawServer server{options};
  TlsEngine engine = engine_of(context_of(TlsContext::Options{}));
  EXPECT_EQ(shake_hands_and_listen(engine, server), State::failed);
  const TlsFacts facts = engine.facts();
  EXPECT_EQ(names_of(facts.alerts_received), Names{tls13() ? "certificate_required!" : "handshake_failure!"});
  EXPECT_EQ(engine.error(), tls13() ? "tlsv13 alert certificate required" : "sslv3 alert handshake failure");
  EXPECT_TRUE(facts.client_certificate_requested);
  EXPECT_FALSE(facts.certificate_sent);
}

TEST_P(BothVersions, KnowsWhenItWasNotAsked) {
  options.ask = false;
  RawServer server{options};
  TlsEngine engine = engine_of(front_end_context());
  EXPECT_EQ(shake_hands_and_listen(engine, server), State::want_bytes);
  EXPECT_FALSE(engine.facts().client_certificate_requested);
  EXPECT_FALSE(engine.facts().certificate_sent);
  EXPECT_TRUE(server.through());
}

TEST_P(BothVersions, SendsTheChainExactlyAsGiven) {
  // Upside down, one twice, and one that has nothing to do with it.
  const std::vector<CertificateRef> chain{site.root.certificate, site.issuing.certificate, site.stranger.certificate,
                                          site.root.certificate};
  options.trusted = nullptr;
  RawServer server{options};
  TlsEngine engine = engine_of(context_of(options_of(site.front_end, chain)));
  ASSERT_EQ(shake_hands_and_listen(engine, server), State::want_bytes);
  EXPECT_EQ(who(server.client_chain()), (Names{"fe1", "root", "issuing", "stranger", "root"}));
}

TEST_P(BothVersions, SendsNoChainWhereNoneIsGiven) {
  options.trusted = nullptr;
  RawServer server{options};
  TlsEngine engine = engine_of(context_of(options_of(site.front_end)));
  ASSERT_EQ(shake_hands_and_listen(engine, server), State::want_bytes);
  EXPECT_EQ(who(server.client_chain()), Names{"fe1"});
}

TEST_P(BothVersions, RecordsTheIssuersThatTheServerAccepts) {
  for (int i = 0; i < 220; ++i) {
    X509_NAME* name = X509_NAME_new();
    const std::string common_name = "Contoso Issuing CA " + std::to_string(i);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.c_str()),
                               -1, -1, 0);
    unsigned char* der = nullptr;
    const int size = i2d_X509_NAME(name, &der);
    options.issuers.emplace_back(der, der + size);
    OPENSSL_free(der);
    X509_NAME_free(name);
  }
  std::size_t bytes = 0;
  for (const ByteString& issuer : options.issuers) bytes += issuer.size() + 2;

  // A Windows server would not let us in with any of these names either; what it accepts is known all the same.
  options.trusted = &site.stranger;
  RawServer server{options};
  TlsEngine engine = engine_of(front_end_context());
  EXPECT_EQ(shake_hands_and_listen(engine, server), State::failed);
  const TlsFacts facts = engine.facts();
  EXPECT_EQ(facts.accepted_issuers, options.issuers);
  EXPECT_EQ(facts.accepted_issuer_count, 220U);
  EXPECT_EQ(facts.accepted_issuer_bytes, bytes);
}

TEST_P(BothVersions, LearnsThatThePeerSaidGoodbye) {
  RawServer server{options};
  TlsEngine engine = engine_of(front_end_context());
  ASSERT_EQ(shake_hands_and_listen(engine, server), State::want_bytes);
  server.write("last words");
  server.shutdown();
  engine.feed(server.take_output());
  std::string plaintext;
  EXPECT_EQ(engine.read(plaintext), State::ready);
  EXPECT_EQ(plaintext, "last words");
  EXPECT_EQ(engine.read(plaintext), State::closed);
  EXPECT_EQ(engine.read(plaintext), State::closed);
  EXPECT_EQ(names_of(engine.facts().alerts_received), Names{"close_notify"});
  EXPECT_EQ(engine.error(), "");
}

TEST_P(BothVersions, TakesTheBytesOneByOne) {
  RawServer server{options};
  TlsEngine engine = engine_of(front_end_context());
  State state = engine.handshake();
  for (int flight = 0; flight < 8 && state == State::want_bytes; ++flight) {
    server.feed(engine.take_output());
    server.step();
    for (const std::uint8_t byte : server.take_output()) {
      engine.feed({&byte, 1});
      state = engine.handshake();
    }
  }
  EXPECT_EQ(state, State::ready);
  EXPECT_EQ(who(engine.facts().peer_chain), (Names{"edge1", "issuing"}));
}

TEST_P(BothVersions, WaitsForTheRestOfWhatIsCutShort) {
  std::size_t size = 1;
  for (std::size_t cut = 0; cut < size; cut += 97) {
    RawServer server{options};
    TlsEngine engine = engine_of(front_end_context());
    EXPECT_EQ(engine.handshake(), State::want_bytes);
    server.feed(engine.take_output());
    server.step();
    const ByteString flight = server.take_output();
    size = flight.size();
    engine.feed(Bytes{flight}.first(std::min(cut, size)));
    EXPECT_EQ(engine.handshake(), State::want_bytes) << "cut at " << cut;
    EXPECT_EQ(engine.handshake(), State::want_bytes);
    EXPECT_EQ(engine.not_tls(), std::nullopt);
  }
}

/// The version in a record's header is covered by no signature and no hash, and a reader is told to ignore it (RFC
/// 8446 5.1).
bool in_record_version(const ByteString& flight, std::size_t position) {
  for (std::size_t at = 0; at + 5 <= flight.size(); at += 5U + flight[at + 3] * 256U + flight[at + 4]) {
    if (position == at + 1 || position == at + 2) return true;
  }
  return false;
}

TEST_P(BothVersions, NeverBelievesADamagedFlight) {
  std::mt19937 random{20'101};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same damage every time
  for (int turn = 0; turn < 200; ++turn) {
    RawServer server{options};
    TlsEngine engine = engine_of(front_end_context());
    const int victim = turn % 2;
    bool damaged = false;
    const State state = shake_hands(engine, server, [&](ByteString& flight, int number) {
      if (number != victim) return;
      const ByteString whole = flight;
      switch (random() % 4) {
        case 0: {
          const std::size_t at = random() % flight.size();
          if (!in_record_version(flight, at)) flight[at] ^= static_cast<std::uint8_t>(1U << random() % 8U);
          break;
        }
        case 1:
          flight.erase(flight.begin() + static_cast<std::ptrdiff_t>(random() % flight.size()));
          break;
        case 2:
          flight.insert(flight.begin() + static_cast<std::ptrdiff_t>(random() % flight.size()), 0x16);
          break;
        default:
          std::generate(flight.begin() + static_cast<std::ptrdiff_t>(random() % flight.size()), flight.end(),
                        [&] { return static_cast<std::uint8_t>(random()); });
      }
      // Chance can put in the very byte that stood there: a flight that begins with the whole one is not damaged.
      damaged = flight.size() < whole.size() || !std::equal(whole.begin(), whole.end(), flight.begin());
    });
    std::string plaintext;
    // In TLS 1.3 the second flight is only tickets, behind the handshake: there it is reading that must fail.
    if (damaged && !(tls13() && victim == 1)) {
      EXPECT_NE(state, State::ready) << "turn " << turn;
    }
    EXPECT_NE(engine.read(plaintext), State::ready) << "turn " << turn;
    EXPECT_EQ(plaintext, "");
    if (state == State::failed) {
      EXPECT_NE(engine.error(), "");
    }
  }
}

TEST_P(BothVersions, RefusesAChainWithoutEnd) {
  options.chain.assign(4'000, site.issuing.certificate);
  RawServer server{options};
  TlsEngine engine = engine_of(front_end_context());
  EXPECT_EQ(shake_hands(engine, server), State::failed);
  EXPECT_EQ(engine.error(), "excessive message size");
  EXPECT_TRUE(engine.facts().peer_chain.empty());
}

TEST_P(BothVersions, RecordsALongChainToItsLimit) {
  options.chain.assign(600, site.issuing.certificate);
  RawServer server{options};
  TlsEngine engine = engine_of(front_end_context());
  EXPECT_EQ(shake_hands_and_listen(engine, server), State::want_bytes);
  EXPECT_EQ(engine.facts().peer_chain.size(), TlsFacts::max_peer_chain);
}

TEST_P(BothVersions, SharesAContextBetweenThreads) {
  const TlsContext context = front_end_context();
  std::atomic<int> accepted = 0;
  std::vector<std::jthread> threads;
  threads.reserve(3);
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      for (int turn = 0; turn < 5; ++turn) {
        RawServer server{options};
        TlsEngine engine = engine_of(context);
        if (shake_hands(engine, server) == State::ready) ++accepted;
      }
    });
  threads.clear();
  EXPECT_EQ(accepted, 15);
}

struct Identity {
  const char* name;
  const char* key;
  const char* extra;
};

void PrintTo(const Identity& identity, std::ostream* out) {
  *out << identity.name;
}

class AnyKey : public testing::TestWithParam<Identity> {};

TEST_P(AnyKey, ServesOnBothSides) {
  const Pki pki;
  const Issued root = pki.root("root", GetParam().key);
  const Issued edge = pki.leaf("edge1", root, GetParam().key, GetParam().extra);
  const Issued front_end = pki.leaf("fe1", root, GetParam().key, GetParam().extra);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    RawServer server{{.identity = &edge, .version = version, .trusted = &root}};
    TlsEngine engine = engine_of(context_of(options_of(front_end)));
    EXPECT_EQ(shake_hands_and_listen(engine, server), State::want_bytes) << engine.error();
    EXPECT_TRUE(server.through());
    EXPECT_TRUE(engine.facts().certificate_sent);
    EXPECT_EQ(engine.facts().peer_chain, std::vector<ByteString>{edge.certificate->der});
  }
}

INSTANTIATE_TEST_SUITE_P(Tls, AnyKey,
                         testing::Values(Identity{"Rsa2048", "rsa:2048", ""}, Identity{"Ed25519", "ed25519", ""},
                                         Identity{"P384", "ec -pkeyopt ec_paramgen_curve:P-384", ""},
                                         Identity{"WeakRsa1024", "rsa:1024", ""},
                                         Identity{"WeakSha1", "rsa:2048", "-sha1"}),
                         [](const auto& row) { return row.param.name; });

TEST(TlsEngine, NamesTheOldVersionThatItDoesNotSpeak) {
  // Not an OpenSSL server: those choose TLS 1.2 or say no. Old ones answer with what they have.
  TlsEngine engine = engine_of(front_end_context());
  EXPECT_EQ(engine.handshake(), State::want_bytes);
  engine.take_output();
  engine.feed(from_hex("160301002a 02000026 0301" + std::string(64, '7') + "00 002f 00"));
  EXPECT_EQ(engine.handshake(), State::failed);
  const TlsFacts facts = engine.facts();
  EXPECT_EQ(facts.version, "TLSv1");
  EXPECT_EQ(facts.cipher, "TLS_RSA_WITH_AES_128_CBC_SHA");
  EXPECT_EQ(engine.error(), "unsupported protocol");
  EXPECT_EQ(names_of(facts.alerts_sent), Names{"protocol_version!"});
  EXPECT_FALSE(engine.take_output().empty()) << "the alert";
}

TEST(TlsEngine, SpeaksTheOldVersionsWhereAllowed) {
  const EngineSite& site = EngineSite::get();
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    RawServer server{site.server(version)};
    TlsContext::Options client = options_of(site.front_end, {site.issuing.certificate});
    client.min_version = "TLSv1";
    client.max_version = "TLSv1.2";
    TlsEngine engine = engine_of(context_of(client));
    EXPECT_EQ(shake_hands_and_listen(engine, server), State::want_bytes) << engine.error();
    EXPECT_EQ(engine.facts().version, version == TLS1_VERSION ? "TLSv1" : "TLSv1.1");
    EXPECT_TRUE(engine.facts().certificate_sent);
    EXPECT_TRUE(server.through());
  }
}

TEST(TlsEngine, KeepsACertificateThatOpenSslCannotDecode) {
  const EngineSite& site = EngineSite::get();
  ServerOptions options = site.server(TLS1_2_VERSION);  // there the Certificate message is not encrypted
  RawServer server{options};
  TlsEngine engine = engine_of(front_end_context());
  ByteString broken = site.edge.certificate->der;
  broken[4] = 0x31;  // tbsCertificate is no SEQUENCE any more
  const State state = shake_hands(engine, server, [&](ByteString& flight, int number) {
    const ByteString& whole = site.edge.certificate->der;
    const auto at = std::search(flight.begin(), flight.end(), whole.begin(), whole.end());
    if (number == 0 && at != flight.end()) std::copy(broken.begin(), broken.end(), at);
  });
  EXPECT_EQ(state, State::failed);
  EXPECT_EQ(engine.facts().peer_chain, (std::vector<ByteString>{broken, site.issuing.certificate->der}));
  EXPECT_EQ(engine.facts().alerts_sent.size(), 1U);
}

struct Goodbye {
  const char* name;
  const char* record;
  State state;
  const char* alert;
  const char* error;
};

void PrintTo(const Goodbye& goodbye, std::ostream* out) {
  *out << goodbye.name;
}

class AnswersWithAnAlert : public testing::TestWithParam<Goodbye> {};

TEST_P(AnswersWithAnAlert, InsteadOfAServerHello) {
  TlsEngine engine = engine_of(front_end_context());
  EXPECT_EQ(engine.handshake(), State::want_bytes);
  engine.feed(from_hex(GetParam().record));
  EXPECT_EQ(engine.handshake(), GetParam().state);
  EXPECT_EQ(engine.handshake(), GetParam().state);
  EXPECT_EQ(names_of(engine.facts().alerts_received), Names{GetParam().alert});
  EXPECT_EQ(engine.error(), GetParam().error);
  EXPECT_EQ(engine.facts().version, "");
  EXPECT_EQ(engine.not_tls(), std::nullopt);
  engine.shutdown();
  EXPECT_EQ(engine.write("SERVICE"), State::failed);
}

INSTANTIATE_TEST_SUITE_P(Tls, AnswersWithAnAlert,
                         testing::Values(Goodbye{"CloseNotify", "1503030002 0100", State::closed, "close_notify", ""},
                                         Goodbye{"HandshakeFailure", "1503010002 0228", State::failed,
                                                 "handshake_failure!", "sslv3 alert handshake failure"},
                                         Goodbye{"ProtocolVersion", "1503010002 0246", State::failed,
                                                 "protocol_version!", "tlsv1 alert protocol version"},
                                         Goodbye{"UnrecognizedNameWarning", "1503030002 0170", State::want_bytes,
                                                 "unrecognized_name", ""}),
                         [](const auto& row) { return row.param.name; });

TEST(TlsEngine, EndsAtAFloodOfWarnings) {
  TlsEngine engine = engine_of(front_end_context());
  engine.handshake();
  for (int i = 0; i < 10'000; ++i) engine.feed(from_hex("15030300020170"));
  EXPECT_EQ(engine.handshake(), State::failed);
  EXPECT_EQ(engine.error(), "too many warn alerts");
  EXPECT_LE(engine.facts().alerts_received.size(), TlsFacts::max_alerts);
}

struct Greeting {
  const char* name;
  std::string bytes;
  std::optional<std::string> looks_like;
};

void PrintTo(const Greeting& greeting, std::ostream* out) {
  *out << greeting.name;
}

class PeerWithoutTls : public testing::TestWithParam<Greeting> {};

TEST_P(PeerWithoutTls, IsSeenThrough) {
  TlsEngine engine = engine_of(front_end_context());
  EXPECT_EQ(engine.not_tls(), std::nullopt);
  EXPECT_EQ(engine.handshake(), State::want_bytes);
  engine.feed(as_bytes(GetParam().bytes));
  const State state = engine.handshake();
  EXPECT_EQ(engine.not_tls(), GetParam().looks_like);
  if (GetParam().bytes.size() >= 5 && GetParam().looks_like) {
    EXPECT_EQ(state, State::failed);
  }
  if (state == State::failed) {
    EXPECT_NE(engine.error(), "");
  }
  EXPECT_TRUE(engine.facts().peer_chain.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Tls, PeerWithoutTls,
    testing::Values(Greeting{"Http", "HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"},
                    Greeting{"Sip", "SIP/2.0 400 Bad Request\r\n\r\n", "SIP without TLS"},
                    Greeting{"Ssh", "SSH-2.0-OpenSSH_9.2\r\n", "SSH"},
                    Greeting{"Smtp", "220 mail ESMTP\r\n", "plain text"}, Greeting{"ShortText", "no\n", "plain text"},
                    Greeting{"Binary", std::string("\0\1\2\3\4\5\6", 7), "binary data"},
                    Greeting{"OneZero", std::string("\0", 1), "binary data"},
                    Greeting{"RecordOfAnotherMajorVersion", std::string("\x16\x02\x00\x00\x05Hello", 10),
                             "binary data"},
                    Greeting{"HalfAHeader", "\x16", std::nullopt},
                    Greeting{"RecordOfNonsense", std::string("\x16\x03\x03\x00\x05Hello", 10), std::nullopt}),
    [](const auto& row) { return row.param.name; });

struct ServerName {
  const char* name;
  std::string given;
  std::string sent;
};

void PrintTo(const ServerName& server_name, std::ostream* out) {
  *out << server_name.name;
}

class Sni : public testing::TestWithParam<ServerName> {};

TEST_P(Sni, IsForNamesOnly) {
  RawServer server{EngineSite::get().server(TLS1_3_VERSION)};
  TlsEngine engine = engine_of(front_end_context(), GetParam().given);
  EXPECT_EQ(shake_hands(engine, server), State::ready);
  EXPECT_EQ(server.server_name(), GetParam().sent);
}

INSTANTIATE_TEST_SUITE_P(Tls, Sni,
                         testing::Values(ServerName{"Name", "edge1.contoso.example", "edge1.contoso.example"},
                                         ServerName{"TrailingDot", "edge1.contoso.example.", "edge1.contoso.example"},
                                         ServerName{"Nothing", "", ""}, ServerName{"Dot", ".", ""},
                                         ServerName{"V4Literal", "192.0.2.1", ""},
                                         ServerName{"V6Literal", "2001:db8::1", ""}),
                         [](const auto& row) { return row.param.name; });

TEST(TlsEngine, RefusesANameTooLongForSni) {
  const Result<TlsEngine> engine = TlsEngine::client(front_end_context(), std::string(300, 'e'));
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().kind, ErrorKind::config);
  EXPECT_TRUE(engine.error().text.ends_with(": too long for a server name in TLS")) << engine.error().text;
}

TEST(TlsContext, SaysWhatIsWrongWithAnIdentity) {
  const EngineSite& site = EngineSite::get();
  const auto refusal = [](const TlsContext::Options& options) {
    const Result<TlsContext> context = TlsContext::client(options);
    return context ? std::string("none") : context.error().text;
  };
  TlsContext::Options options;
  options.certificate = site.front_end.certificate;
  EXPECT_EQ(refusal(options), "fe1: a certificate without its private key");
  options.key = site.edge.key;
  EXPECT_EQ(refusal(options), "fe1: the private key belongs to another certificate");
  options.certificate = nullptr;
  EXPECT_EQ(refusal(options), "a private key without its certificate");

  Certificate broken = *site.front_end.certificate;
  broken.der.resize(40);
  options.certificate = std::make_shared<Certificate>(broken);
  options.key = site.front_end.key;
  EXPECT_TRUE(refusal(options).starts_with("fe1: OpenSSL cannot decode it: ")) << refusal(options);
  options.certificate = site.front_end.certificate;
  options.chain = {std::make_shared<Certificate>(broken)};
  EXPECT_TRUE(refusal(options).starts_with("fe1: OpenSSL cannot decode it: ")) << refusal(options);

  options.chain = {};
  options.min_version = "1.2";
  EXPECT_EQ(refusal(options), "TLS version 1.2: not one of TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3");
  options.min_version = "TLSv1.3";
  options.max_version = "TLSv1.2";
  EXPECT_EQ(refusal(options), "TLS versions TLSv1.3 to TLSv1.2: none");
  options.max_version = "";
  EXPECT_EQ(refusal(options), "none");
}

}  // namespace
}  // namespace mrascheck::crypto

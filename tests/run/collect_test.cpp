// SPDX-License-Identifier: Apache-2.0
#include "run/collect.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "core/graph.hpp"
#include "support/contoso_pki.hpp"
#include "support/ldap_responder.hpp"
#include "support/name_server.hpp"
#include "support/raw_peer.hpp"
#include "support/s_server.hpp"
#include "support/tls_peer.hpp"

namespace mrascheck::run {
namespace {

using test::NameServer;
using test::RawPeer;
using test::TlsPeer;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

const test::ContosoPki& pki() {
  return test::ContosoPki::get();
}

void grant(TlsPeer::Session& session) {
  const std::string request = session.receive_request();
  session.send(test::sip_answer(request, "200 OK", test::mras_body(request)));
  session.raw().stay_silent();
}

class CollectTest : public testing::Test {
 protected:
  CollectTest() {
    pki();  // before the clock is read: its certificates are valid from now
    config_.site.name = "contoso";
    config_.site.mras.identity = "sip:probe@contoso.example";
    config_.site.mras.location = MrasLocation::intranet;
    config_.limits.step = 20s;
    config_.limits.quiet = 300ms;
    options_.now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    options_.vantage = "monitor.contoso.example";
    store("roots", {pki() / "root.crt"}, StoreKind::root);
  }

  void store(const std::string& name, std::vector<std::string> paths, StoreKind kind) {
    config_.site.stores.push_back({name, kind, "", false});
    StoreSource& source = config_.stores.emplace_back();
    source.name = name;
    source.paths = std::move(paths);
  }
  void directory(const std::string& name, const std::string& uri) {
    config_.site.stores.push_back({name, StoreKind::mixed, "", true});
    StoreSource& source = config_.stores.emplace_back();
    source.name = name;
    source.ldap_uris = {uri};
  }
  /// A Front End named `host`.contoso.example with the certificate `identity`.
  Server& front_end(const std::string& host, const std::string& identity = "fe1") {
    Server server;
    server.name = host + ".contoso.example";
    server.trusts = {"roots"};
    server.has_identity = true;
    config_.identities.push_back({server.name, pki() / (identity + ".crt"), pki() / (identity + ".key"), {}, {}});
    config_.site.servers.push_back(std::move(server));
    return config_.site.servers.back();
  }
  /// An Edge on loopback; `host` may be of the pool edge1, whose name its certificate then carries.
  Server& edge(const std::string& host, std::vector<std::string> addresses = {"127.0.0.1"}) {
    Server server;
    server.name = host + ".contoso.example";
    if (host != "edge1" && host != "edge2") server.pool = "edge1.contoso.example";
    server.role = Role::edge;
    server.addresses = std::move(addresses);
    config_.site.servers.push_back(std::move(server));
    return config_.site.servers.back();
  }
  void link(const std::string& from, const std::string& to, std::uint16_t port) {
    config_.site.links.push_back(
        {from + ".contoso.example", to + ".contoso.example", port, Service::mras, Expectation::accept});
  }

  Evidence collect() {
    const auto start = Clock::now();
    Evidence evidence = run::collect(config_, make_plan(config_), options_);
    took_ = Clock::now() - start;
    for (const Gap& gap : evidence.gaps) {
      EXPECT_NE(gap.reason, "");
      EXPECT_NE(gap.remedy, "") << gap.reason;
    }
    return evidence;
  }
  static std::vector<std::string> endings(const Evidence& evidence) {
    std::vector<std::string> lines;
    for (const Handshake& h : evidence.handshakes) {
      lines.push_back(
          fmt::format("{} {} {}", h.to.substr(0, h.to.find('.')), to_string(h.phase), to_string(h.outcome)));
    }
    return lines;
  }
  static std::vector<std::string> gaps(const Evidence& evidence, Needs need) {
    std::vector<std::string> lines;
    for (const Gap& gap : evidence.gaps) {
      if (gap.need == need) lines.push_back(gap.about + ": " + gap.reason);
    }
    return lines;
  }

  Config config_;
  Options options_;
  Clock::duration took_{};
};

using Lines = std::vector<std::string>;

TEST_F(CollectTest, EverythingOfAHealthySite) {
  TlsPeer first(pki().peer("edge1"), grant);
  TlsPeer second(pki().peer("edge2"), grant);
  front_end("fe1");
  front_end("fe2", "fe2");
  edge("edge1");
  edge("edge2");
  for (const char* from : {"fe1", "fe2"}) {
    link(from, "edge1", first.port());
    link(from, "edge2", second.port());
  }
  std::vector<std::size_t> progress;
  std::size_t all = 0;
  options_.progress = [&, thread = std::this_thread::get_id()](std::size_t done, std::size_t of,
                                                               const std::string& what) {
    EXPECT_EQ(std::this_thread::get_id(), thread);
    EXPECT_NE(what, "");
    progress.push_back(done);
    all = of;
  };
  const Evidence evidence = collect();
  EXPECT_TRUE(evidence.gaps.empty()) << evidence.gaps.front().reason;
  EXPECT_EQ(evidence.collected_at, options_.now);
  EXPECT_EQ(evidence.vantage, options_.vantage);
  EXPECT_EQ(endings(evidence),
            (Lines{"edge1 done completed", "edge2 done completed", "edge1 done completed", "edge2 done completed"}));
  for (const Handshake& handshake : evidence.handshakes) {
    ASSERT_TRUE(handshake.mras);
    EXPECT_TRUE(handshake.mras->credentials_present);
    EXPECT_EQ(handshake.variant, "");
  }
  ASSERT_EQ(evidence.stores.size(), 1U);
  EXPECT_EQ(evidence.identities.size(), 2U);
  ASSERT_EQ(evidence.resolutions.size(), 2U);
  EXPECT_TRUE(evidence.resolutions[0].configured);
  EXPECT_EQ(evidence.resolutions[0].addresses, Lines{"127.0.0.1"});
  EXPECT_TRUE(std::any_of(evidence.signatures.begin(), evidence.signatures.end(),
                          [](const SignatureProof& proof) { return proof.state == SignatureState::verified; }));
  // Two identities, one store, four links.
  EXPECT_EQ(all, 7U);
  ASSERT_EQ(progress.size(), all);
  EXPECT_TRUE(std::is_sorted(progress.begin(), progress.end()));
  EXPECT_EQ(progress.back(), all);
}

TEST_F(CollectTest, ARevocationListIsTriedWithEveryKeyOfItsIssuersName) {
  pki().openssl().self_signed("twin", "/CN=Contoso Root CA", test::ca_extensions);
  pki().openssl().shell(
      "touch index.txt; printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=index.txt\\ndefault_md=sha256\\n' > ca.cnf;"
      "openssl ca -config ca.cnf -gencrl -crldays 7 -keyfile root.key -cert root.crt -out list.pem");
  store("lists", {pki() / "list.pem", pki() / "twin.crt"}, StoreKind::root);
  const Evidence evidence = collect();
  EXPECT_TRUE(evidence.gaps.empty());
  ASSERT_EQ(evidence.stores.size(), 2U);
  ASSERT_EQ(evidence.stores[1].crls.size(), 1U);
  const Sha256 list = evidence.stores[1].crls[0].crl->sha256;
  const Certificate& root = *evidence.stores[0].entries.at(0).certificate;
  const Certificate& twin = *evidence.stores[1].entries.at(0).certificate;
  EXPECT_EQ(recorded_state(evidence.signatures, list, root.spki_sha256), SignatureState::verified);
  EXPECT_EQ(recorded_state(evidence.signatures, list, twin.spki_sha256), SignatureState::failed);
}

TEST_F(CollectTest, NothingToDo) {
  config_.stores.clear();
  config_.site.stores.clear();
  const Evidence evidence = collect();
  EXPECT_TRUE(evidence.handshakes.empty());
  EXPECT_TRUE(evidence.gaps.empty());
}

TEST_F(CollectTest, TheOrderIsThePlansWhoeverAnswersFirst) {
  std::promise<void> second_asked;
  auto asked = second_asked.get_future().share();
  TlsPeer slow(pki().peer("edge1"), [&](TlsPeer::Session& session) {
    asked.wait();
    grant(session);
  });
  TlsPeer quick(pki().peer("edge2"), [&](TlsPeer::Session& session) {
    second_asked.set_value();
    grant(session);
  });
  front_end("fe1");
  edge("edge1");
  edge("edge2");
  link("fe1", "edge1", slow.port());
  link("fe1", "edge2", quick.port());
  EXPECT_EQ(endings(collect()), (Lines{"edge1 done completed", "edge2 done completed"}));
}

TEST_F(CollectTest, EveryAddressIsLookedAt) {
  TlsPeer::Options here = pki().peer();
  TlsPeer peer(here, grant);
  front_end("fe1");
  edge("edge1", {"127.0.0.1", "127.0.0.2"});  // nothing listens on the second
  link("fe1", "edge1", peer.port());
  const Evidence evidence = collect();
  ASSERT_EQ(evidence.handshakes.size(), 2U);
  EXPECT_EQ(evidence.handshakes[0].address, "127.0.0.1");
  EXPECT_EQ(evidence.handshakes[0].outcome, Outcome::completed);
  EXPECT_EQ(evidence.handshakes[1].address, "127.0.0.2");
  EXPECT_EQ(evidence.handshakes[1].outcome, Outcome::refused);
}

TEST_F(CollectTest, SilentPeersCostOneStepAllTogether) {
  constexpr std::size_t pairs = 20;
  config_.limits.step = 2s;
  TlsPeer healthy(pki().peer(), grant);
  RawPeer silent([](RawPeer::Talk& talk) { talk.stay_silent(); });
  for (std::size_t i = 0; i < pairs; ++i) {
    front_end(fmt::format("good{}", i));
    front_end(fmt::format("bad{}", i));
    edge(fmt::format("for-good{}", i));
    edge(fmt::format("for-bad{}", i));
    link(fmt::format("bad{}", i), fmt::format("for-bad{}", i), silent.port());
    link(fmt::format("good{}", i), fmt::format("for-good{}", i), healthy.port());
  }
  const Evidence evidence = collect();
  ASSERT_EQ(evidence.handshakes.size(), 2 * pairs);
  for (std::size_t i = 0; i < pairs; ++i) {
    const Handshake& bad = evidence.handshakes[2 * i];
    const Handshake& good = evidence.handshakes[2 * i + 1];
    EXPECT_EQ(bad.outcome, Outcome::timed_out) << bad.id() << bad.detail;
    EXPECT_EQ(good.outcome, Outcome::completed) << good.id() << good.detail;
  }
  EXPECT_LT(took_, 20s);  // one after the other on their port, they would take 40
  EXPECT_TRUE(evidence.gaps.empty());
}

TEST_F(CollectTest, SoManyAtATimeOnAHostThatAnswersAsAllowed) {
  for (const unsigned allowed : {1U, 2U}) {
    SCOPED_TRACE(allowed);
    config_.site.servers.clear();
    config_.site.links.clear();
    config_.identities.clear();
    config_.limits.per_host = allowed;
    std::mutex mutex;
    std::condition_variable changed;
    unsigned open = 0;
    unsigned most = 0;
    unsigned begun = 0;
    const auto script = [&](TlsPeer::Session& session) {
      const std::string request = session.receive_request();
      {
        std::unique_lock lock(mutex);
        most = std::max(most, ++open);
        ++begun;
        changed.notify_all();
        // Where two are allowed, the second one comes by itself.
        changed.wait_for(lock, 100ms, [&] { return begun >= allowed; });
        --open;  // before the answer, which lets the next one begin
      }
      session.send(test::sip_answer(request, "200 OK"));
      session.raw().stay_silent();
    };
    TlsPeer one(pki().peer(), script);
    TlsPeer two(pki().peer(), script);
    for (int i = 0; i < 8; ++i) {
      const std::string host = fmt::format("n{}", i);
      front_end(host);
      edge("e" + host);
      link(host, "e" + host, i % 2 == 0 ? one.port() : two.port());
    }
    const Evidence evidence = collect();
    ASSERT_EQ(evidence.handshakes.size(), 8U);
    const bool quick = std::all_of(evidence.handshakes.begin(), evidence.handshakes.end(),
                                   [](const Handshake& h) { return h.connect_time + h.tls_time + h.sip_time < 100ms; });
    // On a machine so busy that one takes long, the others rightly stop waiting for it.
    if (quick) {
      EXPECT_EQ(most, allowed);
    }
  }
}

TEST_F(CollectTest, WhoSendsWithoutEndOrByteByByteCostsOnlyHisOwnSlot) {
  config_.limits.step = 2s;
  config_.limits.parallel = 3;
  std::atomic<bool> end = false;
  TlsPeer endless(pki().peer(), [&](TlsPeer::Session& session) {
    session.receive_request();
    const std::string lines(16'384, 'x');
    for (int i = 0; i < 64 && !end; ++i) session.send(lines);
  });
  std::promise<void> over;
  const std::shared_future<void> all_over = over.get_future().share();
  TlsPeer slow(pki().peer(), [&](TlsPeer::Session& session) {
    const std::string request = session.receive_request();
    const std::string answer = test::sip_answer(request, "200 OK", test::mras_body(request));
    for (const char c : answer) {
      session.send({&c, 1});
      if (all_over.wait_for(50ms) == std::future_status::ready) return;
    }
  });
  TlsPeer mute(pki().peer("edge2"), [&](TlsPeer::Session& session) { session.raw().stay_silent(); });
  TlsPeer healthy(pki().peer(), grant);
  front_end("fe1");
  edge("e1", {"127.0.0.1"});
  link("fe1", "e1", endless.port());
  edge("e2", {"127.0.0.1"});
  link("fe1", "e2", slow.port());
  edge("edge2", {"127.0.0.1"});
  link("fe1", "edge2", mute.port());
  for (int i = 3; i < 9; ++i) {
    edge(fmt::format("e{}", i), {"127.0.0.1"});
    link("fe1", fmt::format("e{}", i), healthy.port());
  }
  const Evidence evidence = collect();
  end = true;
  over.set_value();
  Lines expected{"e1 sip not-sip", "e2 sip timed-out", "edge2 sip timed-out"};
  for (int i = 3; i < 9; ++i) expected.push_back(fmt::format("e{} done completed", i));
  EXPECT_EQ(endings(evidence), expected);
  EXPECT_LT(took_, 20s);
}

TEST_F(CollectTest, NoMoreInFlightThanAllowed) {
  config_.limits.parallel = 1;
  std::atomic<int> open = 0;
  std::atomic<int> most = 0;
  const auto count = [&](TlsPeer::Session& session) {
    most = std::max<int>(most, ++open);
    const std::string request = session.receive_request();
    --open;  // before the answer, which lets the next one begin
    session.send(test::sip_answer(request, "200 OK"));
    session.raw().stay_silent();
  };
  std::deque<TlsPeer> peers;
  front_end("fe1");
  for (int i = 0; i < 4; ++i) {
    peers.emplace_back(pki().peer(), count);
    edge(fmt::format("e{}", i));
    link("fe1", fmt::format("e{}", i), peers.back().port());
  }
  EXPECT_EQ(collect().handshakes.size(), 4U);
  EXPECT_EQ(most, 1);
}

TEST_F(CollectTest, TheDeadlineEndsWhatRunsAndNamesWhatDidNotBegin) {
  config_.limits.step = 60s;
  config_.limits.deadline = 1500ms;
  config_.limits.parallel = 1;
  RawPeer first([](RawPeer::Talk& talk) { talk.stay_silent(); });
  RawPeer second([](RawPeer::Talk& talk) { talk.stay_silent(); });
  front_end("fe1");
  edge("edge1");
  edge("edge2");
  link("fe1", "edge1", first.port());
  link("fe1", "edge2", second.port());
  const Evidence evidence = collect();
  EXPECT_EQ(endings(evidence), Lines{"edge1 tls local-failure"});
  EXPECT_NE(evidence.handshakes[0].detail.find("the run's deadline"), std::string::npos)
      << evidence.handshakes[0].detail;
  const Lines missing = gaps(evidence, Needs::handshakes);
  ASSERT_EQ(missing.size(), 2U);
  EXPECT_NE(missing[0].find("when the run's deadline came"), std::string::npos) << missing[0];
  EXPECT_EQ(missing[1], fmt::format("fe1.contoso.example -> edge2.contoso.example:{}: 127.0.0.1: not begun before the "
                                    "deadline of 1.5 s",
                                    second.port()));
  for (const Gap& gap : evidence.gaps) EXPECT_TRUE(gap.remedy.starts_with("Give the run more time")) << gap.remedy;
  EXPECT_EQ(second.connections(), 0);
  EXPECT_GE(took_, 1500ms);
  EXPECT_LT(took_, 20s);
}

TEST_F(CollectTest, StoppedInMidRunItReportsWhatIsKnown) {
  std::stop_source stop;
  options_.stop = stop.get_token();
  config_.limits.step = 60s;
  config_.limits.parallel = 1;
  TlsPeer healthy(pki().peer(), grant);
  RawPeer hangs([&](RawPeer::Talk& talk) {
    talk.receive_record();
    stop.request_stop();
    talk.stay_silent();
  });
  RawPeer never([](RawPeer::Talk& talk) { talk.stay_silent(); });
  front_end("fe1");
  edge("edge1");
  edge("e2");
  edge("e3");
  link("fe1", "edge1", healthy.port());
  link("fe1", "e2", hangs.port());
  link("fe1", "e3", never.port());
  const Evidence evidence = collect();
  EXPECT_EQ(endings(evidence), (Lines{"edge1 done completed", "e2 tls local-failure"}));
  EXPECT_TRUE(evidence.handshakes[1].detail.starts_with("interrupted"));
  const Lines links = gaps(evidence, Needs::handshakes);
  ASSERT_EQ(links.size(), 2U);
  EXPECT_TRUE(links[0].starts_with(
      fmt::format("fe1.contoso.example -> e2.contoso.example:{}: 127.0.0.1: interrupted after ", hangs.port())))
      << links[0];
  EXPECT_EQ(links[1],
            fmt::format("fe1.contoso.example -> e3.contoso.example:{}: 127.0.0.1: interrupted", never.port()));
  EXPECT_LT(took_, 30s);
  EXPECT_FALSE(evidence.signatures.empty()) << "what was seen before can still be judged";
}

TEST_F(CollectTest, StoppedBeforeItBegan) {
  std::stop_source stop;
  stop.request_stop();
  options_.stop = stop.get_token();
  front_end("fe1");
  edge("edge1");
  link("fe1", "edge1", 5062);
  const Evidence evidence = collect();
  EXPECT_TRUE(evidence.handshakes.empty());
  EXPECT_EQ(gaps(evidence, Needs::handshakes), Lines{"fe1.contoso.example -> edge1.contoso.example:5062: interrupted"});
  EXPECT_LT(took_, 20s);
}

// ---- what a link needs
// -----------------------------------------------------------------------------------------------

TEST_F(CollectTest, ABrokenIdentityIsAGapAndTheOthersGoOn) {
  TlsPeer peer(pki().peer(), grant);
  front_end("fe1");
  front_end("fe2");
  config_.identities.back().key = pki() / "edge1.key";
  edge("edge1");
  link("fe1", "edge1", peer.port());
  link("fe2", "edge1", peer.port());
  const Evidence evidence = collect();
  ASSERT_EQ(evidence.handshakes.size(), 1U);
  EXPECT_EQ(evidence.handshakes[0].from, "fe1.contoso.example");
  const Lines identities = gaps(evidence, Needs::identities);
  ASSERT_EQ(identities.size(), 1U);
  EXPECT_TRUE(identities[0].starts_with("fe2.contoso.example: ")) << identities[0];
  const Lines links = gaps(evidence, Needs::handshakes);
  ASSERT_EQ(links.size(), 1U);
  EXPECT_NE(links[0].find("no identity for fe2.contoso.example"), std::string::npos) << links[0];
}

TEST_F(CollectTest, NoIdentityAndNoKeyAreGaps) {
  front_end("fe1");
  config_.identities.clear();
  front_end("fe2");
  config_.identities.back().key.clear();
  edge("edge1");
  link("fe1", "edge1", 5062);
  link("fe2", "edge1", 5062);
  const Evidence evidence = collect();
  EXPECT_TRUE(evidence.handshakes.empty());
  EXPECT_EQ(evidence.identities.size(), 1U) << "the certificate alone can still be judged";
  EXPECT_EQ(
      gaps(evidence, Needs::handshakes),
      (Lines{"fe1.contoso.example -> edge1.contoso.example:5062: no certificate and key of fe1.contoso.example are "
             "configured",
             "fe2.contoso.example -> edge1.contoso.example:5062: fe2.contoso.example has a certificate, but no "
             "private key is configured"}));
}

TEST_F(CollectTest, AStoreThatCannotBeReadIsAGapAndNoVerdictOnPeers) {
  TlsPeer peer(pki().peer(), grant);
  store("lost", {pki() / "no-such-file.pem"}, StoreKind::root);
  front_end("fe1").trusts = {"lost"};
  edge("edge1");
  link("fe1", "edge1", peer.port());
  const Evidence evidence = collect();
  EXPECT_EQ(endings(evidence), Lines{"edge1 done completed"});
  const Lines stores = gaps(evidence, Needs::stores);
  ASSERT_EQ(stores.size(), 1U);
  EXPECT_TRUE(stores[0].starts_with("lost: ")) << stores[0];
  EXPECT_NE(evidence.gaps[0].remedy.find("ls -l"), std::string::npos) << evidence.gaps[0].remedy;
}

TEST_F(CollectTest, ASilentDirectoryHoldsUpOnlyThoseWhoNeedIt) {
  std::promise<void> other_link_done;
  auto done = other_link_done.get_future().share();
  // The directory says nothing until the link that does not need it has been answered.
  test::LdapResponder responder([&](const test::LdapResponder::Request&) {
    done.wait();
    return test::LdapResponder::Reply{{}, true};
  });
  TlsPeer peer(pki().peer(), grant);
  directory("ad", responder.uri());
  front_end("fe1");
  front_end("fe2", "fe2").trusts = {"roots", "ad"};
  edge("edge1");
  link("fe1", "edge1", peer.port());
  link("fe2", "edge1", peer.port());
  options_.progress = [&, first = true](std::size_t, std::size_t, const std::string& what) mutable {
    if (!first || !what.starts_with("fe1.contoso.example ->")) return;
    first = false;
    other_link_done.set_value();
  };
  const Evidence evidence = collect();
  EXPECT_EQ(endings(evidence), (Lines{"edge1 done completed", "edge1 done completed"}));
  const Lines stores = gaps(evidence, Needs::stores);
  ASSERT_EQ(stores.size(), 1U);
  EXPECT_TRUE(stores[0].starts_with("ad: ")) << stores[0];
}

TEST_F(CollectTest, ASilentDirectoryEndsWithTheDeadline) {
  test::LdapResponder responder([](const test::LdapResponder::Request&) { return test::LdapResponder::Reply{}; });
  directory("ad", responder.uri());
  config_.limits.deadline = 1s;
  const Evidence evidence = collect();
  EXPECT_LT(took_, 20s);
  ASSERT_EQ(gaps(evidence, Needs::stores).size(), 1U);
  EXPECT_EQ(evidence.stores.size(), 1U);
}

TEST_F(CollectTest, ASilentDirectoryDoesNotCostTheHandshakes) {
  test::LdapResponder responder([](const test::LdapResponder::Request&) { return test::LdapResponder::Reply{}; });
  TlsPeer peer(pki().peer(), grant);
  directory("ad", responder.uri());
  config_.limits.deadline = 6s;
  front_end("fe1").trusts = {"ad"};
  edge("edge1");
  link("fe1", "edge1", peer.port());
  const Evidence evidence = collect();
  EXPECT_EQ(endings(evidence), Lines{"edge1 done completed"});
  EXPECT_EQ(gaps(evidence, Needs::stores).size(), 1U);
}

TEST_F(CollectTest, TiedChainsAreAllTried) {
  const test::OpensslCli& openssl = pki().openssl();
  openssl.issued("issuing", "/CN=Contoso Issuing CA", "root", test::ca_extensions);
  // The same CA certificate published twice with different serial numbers: Windows could pick either.
  openssl.shell(
      "openssl x509 -req -in issuing.csr -CA root.crt -CAkey root.key -days 825 -extfile issuing.cnf "
      "-extensions ext -out twin.crt");
  openssl.issued("fe9", "/CN=fe9.contoso.example", "issuing",
                 "extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:fe9.contoso.example\n"
                 "authorityKeyIdentifier=keyid");
  store("issuing", {pki() / "issuing.crt", pki() / "twin.crt"}, StoreKind::intermediate);
  TlsPeer peer(pki().peer(), grant);
  Server& server = front_end("fe9", "fe9");
  server.chain = ChainMode::from_stores;
  server.intermediates = {"issuing"};
  edge("edge1");
  link("fe9", "edge1", peer.port());
  const Evidence evidence = collect();
  ASSERT_EQ(evidence.handshakes.size(), 2U);
  EXPECT_EQ(evidence.handshakes[0].variant, "1/2");
  EXPECT_EQ(evidence.handshakes[1].variant, "2/2");
  for (const Handshake& handshake : evidence.handshakes) {
    EXPECT_EQ(handshake.outcome, Outcome::completed) << handshake.detail;
    ASSERT_EQ(handshake.sent_chain.size(), 2U);
  }
  EXPECT_NE(evidence.handshakes[0].sent_chain[1]->serial, evidence.handshakes[1].sent_chain[1]->serial);
}

TEST_F(CollectTest, AChainFromAStoreThatWasNotReadIsNotGuessed) {
  TlsPeer peer(pki().peer(), grant);
  store("lost", {pki() / "no-such-file.pem"}, StoreKind::intermediate);
  Server& server = front_end("fe1");
  server.chain = ChainMode::from_stores;
  server.intermediates = {"lost"};
  edge("edge1");
  link("fe1", "edge1", peer.port());
  const Evidence evidence = collect();
  EXPECT_TRUE(evidence.handshakes.empty());
  EXPECT_EQ(
      gaps(evidence, Needs::handshakes),
      Lines{fmt::format("fe1.contoso.example -> edge1.contoso.example:{}: what fe1.contoso.example would send is not "
                        "known: lost could not be read whole",
                        peer.port())});
  EXPECT_EQ(peer.connections(), 0);
}

TEST_F(CollectTest, AChainFromADamagedStoreIsNotGuessedEither) {
  const test::OpensslCli& openssl = pki().openssl();
  openssl.issued("issuing8", "/CN=Contoso Issuing CA 8", "root", test::ca_extensions);
  openssl.issued("fe8", "/CN=fe8.contoso.example", "issuing8", "subjectAltName=DNS:fe8.contoso.example\n");
  openssl.shell("sed '3s/^./*/' issuing8.crt > broken8.crt && cat broken8.crt issuing8.crt > half8.crt");
  TlsPeer peer(pki().peer(), grant);
  store("damaged", {pki() / "broken8.crt"}, StoreKind::intermediate);
  store("half", {pki() / "half8.crt"}, StoreKind::intermediate);
  Server& server = front_end("fe8", "fe8");
  server.chain = ChainMode::from_stores;
  server.intermediates = {"damaged"};
  edge("edge1");
  link("fe8", "edge1", peer.port());
  const Evidence evidence = collect();
  EXPECT_TRUE(evidence.handshakes.empty());
  EXPECT_EQ(gaps(evidence, Needs::handshakes),
            Lines{fmt::format("fe8.contoso.example -> edge1.contoso.example:{}: what fe8.contoso.example would send is "
                              "not known: something in damaged could not be read, and without it no chain is complete",
                              peer.port())});
  // What is damaged beside a chain that is complete, and valid, holds nobody up.
  options_.now += std::chrono::hours{1};
  config_.site.servers.front().intermediates = {"half"};
  EXPECT_EQ(endings(collect()), Lines{"edge1 done completed"});
}

// ---- names
// -----------------------------------------------------------------------------------------------------------

TEST_F(CollectTest, WhatElseIsTriedComesLastAndOneAtATime) {
  TlsPeer peer(pki().peer("edge1"), [](TlsPeer::Session& session) { session.raw().stay_silent(); });
  front_end("fe1");
  front_end("fe2", "fe2");
  edge("edge1");
  for (const char* from : {"fe1", "fe2"}) {
    link(from, "edge1", peer.port());
    config_.site.links.back().service = Service::tls;
  }
  config_.strangers.push_back({TrialKind::foreign_ca, {}, {"", pki() / "none.crt", pki() / "none.key", {}, {}}});
  config_.try_everywhere = {true, false, true};
  const Evidence evidence = collect();
  EXPECT_EQ(endings(evidence), (Lines{"edge1 done completed", "edge1 done completed"}));
  Lines tried;
  for (const Trial& trial : evidence.trials) {
    tried.push_back(fmt::format("{} {} {}", trial.handshake.from.substr(0, 3), to_string(trial.kind),
                                trial.handshake.accepted() ? "in" : to_string(trial.handshake.outcome)));
  }
  EXPECT_EQ(tried, (Lines{"fe1 none rejected-by-peer", "fe1 foreign-ca local-failure", "fe1 leaf-only in",
                          "fe1 full-chain in", "fe1 with-root in", "fe1 from-stores in", "fe2 none rejected-by-peer",
                          "fe2 foreign-ca local-failure", "fe2 leaf-only in", "fe2 full-chain in", "fe2 with-root in",
                          "fe2 from-stores in"}));
  EXPECT_EQ(peer.connections(), 2 + 2 * 3) << "equal chains are tried once";
  EXPECT_TRUE(evidence.gaps.empty());
}

/// As grant(), with these elements instead of the relay's host and ports.
TlsPeer::Script granting(std::vector<std::string> relays) {
  return [relays](TlsPeer::Session& session) {
    const std::string request = session.receive_request();
    std::string body = test::mras_body(request);
    const std::string open = "<mediaRelay>";
    const std::size_t begin = body.find(open);
    const std::string close = "</mediaRelay>";
    std::string all;
    for (const std::string& relay : relays)
      all += fmt::format("{}<location>intranet</location>{}{}", open, relay, close);
    body.replace(begin, body.find(close) + close.size() - begin, all);
    session.send(test::sip_answer(request, "200 OK", body));
    session.raw().stay_silent();
  };
}

Lines relays_of(const Evidence& evidence) {
  Lines lines;
  for (const RelayLook& look : evidence.relays) {
    lines.push_back(fmt::format("{} {} at {} {} {}", look.from.substr(0, 3), look.id(), look.granted_at,
                                to_string(look.outcome), look.detail));
  }
  return lines;
}

TEST_F(CollectTest, RelaysAreLookedAtByTheirNamesAndEachOnce) {
  NameServer dns([](const std::string& name, bool six) {
    if (name == "slow.contoso.example") return NameServer::Reply{2};
    if (name.starts_with("nowhere")) return NameServer::Reply{3};
    return six ? NameServer::Reply{} : NameServer::Reply{0, {"127.0.0.1"}};
  });
  options_.name_servers = {dns.address()};
  const test::RefusingPort refusing;
  const std::string port = fmt::format("<tcpPort>{}</tcpPort>", refusing.port());
  TlsPeer peer(
      pki().peer(),
      granting({"<hostName>nowhere.contoso.example</hostName>" + port, "<hostName>av.contoso.example</hostName>" + port,
                "<hostName>AV.contoso.example</hostName>" + port, "<hostName>slow.contoso.example</hostName>" + port,
                "<directIPAddress>127.0.0.1</directIPAddress>" + port,
                "<hostName>edge1.contoso.example</hostName>" + port}));
  front_end("fe1");
  edge("edge1");
  link("fe1", "edge1", peer.port());
  config_.trials[0].relay = true;
  const Evidence evidence = collect();
  EXPECT_EQ(endings(evidence), Lines{"edge1 done completed"});
  Lines relays = relays_of(evidence);
  ASSERT_EQ(relays.size(), 5U);
  const std::string refused =
      fmt::format("(127.0.0.1:{}/tcp) at 127.0.0.1 refused Connection refused", refusing.port());
  EXPECT_EQ(relays[0], "fe1 127.0.0.1 " + refused);
  EXPECT_EQ(relays[1], "fe1 av.contoso.example " + refused);
  EXPECT_EQ(relays[2], "fe1 edge1.contoso.example " + refused) << "by the configuration's word";
  EXPECT_TRUE(relays[3].starts_with("fe1 nowhere.contoso.example at 127.0.0.1 name-not-found ")) << relays[3];
  EXPECT_TRUE(relays[4].starts_with("fe1 slow.contoso.example at 127.0.0.1 local-failure ")) << relays[4];
  EXPECT_TRUE(evidence.gaps.empty());
}

TEST_F(CollectTest, OneAnswerMakesUsKnockAtSoManyRelaysAndNoMore) {
  const test::RefusingPort refusing;
  std::vector<std::string> many(40);
  for (std::size_t i = 0; i < many.size(); ++i) {
    many[i] = fmt::format("<directIPAddress>127.0.0.{}</directIPAddress><tcpPort>{}</tcpPort>", i + 1, refusing.port());
  }
  TlsPeer peer(pki().peer(), granting(many));
  front_end("fe1");
  edge("edge1");
  link("fe1", "edge1", peer.port());
  config_.try_everywhere.relay = true;
  const Evidence evidence = collect();
  ASSERT_EQ(evidence.relays.size(), 17U);
  EXPECT_EQ(std::count_if(evidence.relays.begin(), evidence.relays.end(),
                          [](const RelayLook& look) { return look.outcome == RelayOutcome::refused; }),
            16);
  EXPECT_EQ(
      relays_of(evidence).front(),
      "fe1 relays of edge1.contoso.example at 127.0.0.1 not-asked 24 relays more than the 16 that are looked at of "
      "one answer");
}

TEST_F(CollectTest, RelaysOfWhomNobodyGrantedAnythingAreNotForgotten) {
  TlsPeer refusing_peer(pki().peer(), [](TlsPeer::Session& session) {
    session.send(test::sip_answer(session.receive_request(), "403 Forbidden", ""));
    session.raw().stay_silent();
  });
  front_end("fe1");
  edge("edge1");
  edge("edge2", {"127.0.0.1"});
  link("fe1", "edge1", refusing_peer.port());
  config_.site.links.push_back(config_.site.links.front());
  config_.site.links.back().service = Service::tls;
  config_.site.links.back().to = "edge2.contoso.example";
  config_.site.links.back().port = test::RefusingPort().port();
  config_.try_everywhere.relay = true;
  EXPECT_EQ(relays_of(collect()),
            Lines{"fe1 relays of edge1.contoso.example at 127.0.0.1 not-asked MRAS granted no credentials there"});
}

TEST_F(CollectTest, NamesAreAskedForOnce) {
  NameServer dns([](const std::string&, bool six) {
    return six ? NameServer::Reply{} : NameServer::Reply{0, {"127.0.0.1"}};
  });
  options_.name_servers = {dns.address()};
  TlsPeer peer(pki().peer(), grant);
  front_end("fe1");
  front_end("fe2", "fe2");
  edge("edge1", {});
  link("fe1", "edge1", peer.port());
  link("fe2", "edge1", peer.port());
  const Evidence evidence = collect();
  EXPECT_EQ(endings(evidence), (Lines{"edge1 done completed", "edge1 done completed"}));
  ASSERT_EQ(evidence.resolutions.size(), 1U);
  EXPECT_FALSE(evidence.resolutions[0].configured);
  EXPECT_EQ(dns.questions(), 2);  // A and AAAA
}

TEST_F(CollectTest, ANameThatDoesNotExistIsARecordAndNoGap) {
  NameServer dns([](const std::string&, bool) { return NameServer::Reply{3}; });
  options_.name_servers = {dns.address()};
  front_end("fe1");
  edge("edge1", {});
  link("fe1", "edge1", 5062);
  const Evidence evidence = collect();
  ASSERT_EQ(evidence.resolutions.size(), 1U);
  EXPECT_TRUE(evidence.resolutions[0].not_found);
  EXPECT_EQ(evidence.resolutions[0].error, "Domain name not found");
  EXPECT_TRUE(evidence.gaps.empty());
  EXPECT_TRUE(evidence.handshakes.empty());
}

TEST_F(CollectTest, ANameServerThatCannotBeAskedIsAGap) {
  const test::RefusingPort nobody;
  options_.name_servers = {fmt::format("127.0.0.1:{}", nobody.port())};
  front_end("fe1");
  edge("edge1", {});
  link("fe1", "edge1", 5062);
  const Evidence evidence = collect();
  ASSERT_EQ(evidence.resolutions.size(), 1U);
  EXPECT_FALSE(evidence.resolutions[0].not_found);
  EXPECT_EQ(gaps(evidence, Needs::names),
            Lines{"edge1.contoso.example: edge1.contoso.example: Could not contact DNS servers"});
  EXPECT_EQ(gaps(evidence, Needs::handshakes).size(), 1U);
}

TEST_F(CollectTest, TheConfigurationsAddressesComeBeforeAnyNameServer) {
  NameServer dns([](const std::string&, bool) { return NameServer::Reply{3}; });
  options_.name_servers = {dns.address()};
  TlsPeer peer(pki().peer(), grant);
  front_end("fe1");
  edge("edge1", {});
  link("fe1", "edge1", peer.port());
  config_.resolve["EDGE1.contoso.example"] = {"127.0.0.1"};
  const Evidence evidence = collect();
  EXPECT_EQ(endings(evidence), Lines{"edge1 done completed"});
  ASSERT_EQ(evidence.resolutions.size(), 1U);
  EXPECT_TRUE(evidence.resolutions[0].configured);
  EXPECT_EQ(dns.questions(), 0);
}

TEST_F(CollectTest, TheFamilyIsRespected) {
  config_.family = Config::Family::v6;
  front_end("fe1");
  edge("edge1", {"127.0.0.1"});
  link("fe1", "edge1", 5062);
  const Evidence evidence = collect();
  EXPECT_TRUE(evidence.handshakes.empty());
  ASSERT_EQ(evidence.resolutions.size(), 1U);
  EXPECT_TRUE(evidence.resolutions[0].addresses.empty());
  EXPECT_EQ(evidence.resolutions[0].error, "none of its configured addresses is IPv6");
}

TEST_F(CollectTest, ASilentNameServerAtTheDeadline) {
  NameServer dns([](const std::string&, bool) { return NameServer::Reply{.silent = true}; });
  options_.name_servers = {dns.address()};
  config_.limits.deadline = 1s;
  front_end("fe1");
  edge("edge1", {});
  link("fe1", "edge1", 5062);
  const Evidence evidence = collect();
  EXPECT_EQ(gaps(evidence, Needs::names).size(), 1U);
  EXPECT_EQ(gaps(evidence, Needs::handshakes).size(), 1U);
  EXPECT_LT(took_, 20s);
}

// ---- signatures
// ------------------------------------------------------------------------------------------------------

TEST_F(CollectTest, ASignatureThatCannotBeVerifiedIsAGap) {
  // ecdsa-with-SHA256 made into an algorithm that nobody has defined, in both of its places.
  ByteString der = pki().openssl().der("fe2");
  const ByteString known = from_hex("06082a8648ce3d040302");
  for (auto at = der.begin(); (at = std::search(at, der.end(), known.begin(), known.end())) != der.end(); ++at) {
    *(at + static_cast<std::ptrdiff_t>(known.size()) - 1) = 0x7f;
  }
  const std::string path = pki().openssl().dir().write("strange.crt", der);
  front_end("fe1");
  config_.identities[0].certificate = path;
  config_.identities[0].key.clear();
  edge("edge1");
  link("fe1", "edge1", 5062);
  const Evidence evidence = collect();
  const Lines signatures = gaps(evidence, Needs::signatures);
  ASSERT_EQ(signatures.size(), 1U);
  EXPECT_TRUE(signatures[0].starts_with("fe2.contoso.example (")) << signatures[0];
}

}  // namespace
}  // namespace mrascheck::run

// SPDX-License-Identifier: Apache-2.0
#include "run/fetches.hpp"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "core/graph.hpp"
#include "run/collect.hpp"
#include "support/http_server.hpp"
#include "support/name_server.hpp"
#include "support/on_loop.hpp"
#include "support/openssl_cli.hpp"
#include "support/raw_peer.hpp"
#include "support/slapd.hpp"
#include "support/tls_peer.hpp"

namespace mrascheck::run {
namespace {

using test::HttpServer;
using test::NameServer;
using test::RawPeer;
using test::TlsPeer;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

constexpr const char* host = "pki.contoso.example";

/// A web server and a CA whose certificates name it: edge1 and fe1 issued by "Contoso Issuing CA", and that by the
/// root.
class Published {
 public:
  Published() : server_(openssl_.dir().path().string()) {
    openssl_.self_signed("root", "/CN=Contoso Root CA",
                         std::string{test::ca_extensions} + "crlDistributionPoints=URI:" + url("beyond.crl"));
    openssl_.issued("issuing", "/CN=Contoso Issuing CA", "root", test::ca_extensions + names("root.crt", "root.crl"));
    for (const std::string name : {"fe1", "edge1"}) {
      openssl_.issued(name, "/CN=" + name + ".contoso.example", "issuing",
                      "extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:" + name + ".contoso.example\n" +
                          names("issuing.crt", "issuing.crl"));
    }
    openssl_.shell("printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=index.txt\\ndefault_md=sha256\\n' > ca.cnf");
    for (const std::string name : {"root", "issuing"}) {
      openssl_.shell(fmt::format(
          ": > index.txt; openssl ca -config ca.cnf -gencrl -crldays 7 -keyfile {0}.key -cert {0}.crt -out {0}.crl",
          name));
    }
  }

  std::string url(const std::string& file) const { return server_.url(host, file); }
  std::string names(const std::string& issuer, const std::string& list) const {
    return fmt::format("authorityInfoAccess=caIssuers;URI:{}\ncrlDistributionPoints=URI:{}\n", url(issuer), url(list));
  }
  std::string operator/(const std::string& name) const { return openssl_.dir() / name; }
  const test::OpensslCli& openssl() const { return openssl_; }
  HttpServer& server() { return server_; }

 private:
  test::OpensslCli openssl_;
  HttpServer server_;
};

class FetchingSite : public testing::Test {
 protected:
  FetchingSite() {
    config_.site.name = "contoso";
    config_.limits.step = 20s;
    config_.limits.quiet = 300ms;
    config_.resolve[host] = {"127.0.0.1"};
    config_.fetch = true;
    store("roots", {published_ / "root.crt"}, StoreKind::root);
    Server fe1;
    fe1.name = "fe1.contoso.example";
    fe1.trusts = {"roots"};
    fe1.has_identity = true;
    config_.site.servers.push_back(fe1);
  }

  void store(const std::string& name, const Lines& paths, StoreKind kind) {
    config_.site.stores.push_back({name, kind, "", false});
    StoreSource& source = config_.stores.emplace_back();
    source.name = name;
    source.paths = paths;
  }
  void identity(const std::string& name) {
    config_.identities.push_back(
        {"fe1.contoso.example", published_ / (name + ".crt"), published_ / (name + ".key"), {}, {}});
  }
  /// A certificate of fe1 whose revocation list is at each of `urls`.
  void identity_with(const Lines& urls) {
    std::string points;
    for (const std::string& url : urls) points += fmt::format("{}URI:{}", points.empty() ? "" : ",", url);
    published_.openssl().issued("other", "/CN=fe1.contoso.example", "issuing", "crlDistributionPoints=" + points);
    identity("other");
  }
  void edge(std::uint16_t port) {
    Server edge1;
    edge1.name = "edge1.contoso.example";
    edge1.role = Role::edge;
    edge1.addresses = {"127.0.0.1"};
    config_.site.servers.push_back(edge1);
    config_.site.links.push_back({"fe1.contoso.example", edge1.name, port, Service::tls, Expectation::accept});
  }
  TlsPeer::Options peer() const {
    TlsPeer::Options options;
    options.certificate = published_ / "edge1.crt";
    options.key = published_ / "edge1.key";
    return options;
  }

  Evidence collect() {
    options_.now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    Evidence evidence = run::collect(config_, make_plan(config_), options_);
    for (const Gap& gap : evidence.gaps) EXPECT_NE(gap.remedy, "") << gap.reason;
    return evidence;
  }
  static Lines stores(const Evidence& evidence) {
    Lines names;
    for (const StoreContents& contents : evidence.stores) names.push_back(contents.store);
    return names;
  }
  static Lines gaps(const Evidence& evidence) {
    Lines lines;
    for (const Gap& gap : evidence.gaps) {
      EXPECT_EQ(gap.need, Needs::stores);
      lines.push_back(gap.about + ": " + gap.reason);
    }
    return lines;
  }
  Lines asked() {
    Lines files;
    for (const std::string& line : published_.server().requests())
      files.push_back(line.substr(4, line.find(' ', 4) - 4));
    return files;
  }

  Published published_;
  Config config_;
  Options options_;
};

TEST_F(FetchingSite, NothingIsAskedUnlessItIsWanted) {
  config_.fetch = false;
  identity("fe1");
  const Evidence evidence = collect();
  EXPECT_EQ(stores(evidence), Lines{"roots"});
  EXPECT_TRUE(evidence.gaps.empty());
  EXPECT_EQ(asked(), Lines{});
}

TEST_F(FetchingSite, WhatServersShowAndTheIssuersOfThat) {
  TlsPeer peer(this->peer(), [](TlsPeer::Session& session) { session.raw().stay_silent(); });
  identity("fe1");
  edge(peer.port());
  const Evidence evidence = collect();
  EXPECT_EQ(gaps(evidence), Lines{});
  Lines expected{"roots"};
  for (const char* file : {"issuing.crl", "issuing.crt", "root.crl", "root.crt"})
    expected.push_back(published_.url(file));
  EXPECT_EQ(stores(evidence), expected);
  // Each once, though two certificates name the same. The root was fetched for the issuing CA, and there it ends.
  EXPECT_EQ(asked(), (Lines{"/issuing.crl", "/issuing.crt", "/root.crl", "/root.crt"}));
  // The issuing CA is known by now; but neither server has it, so the path of none is complete.
  const CertificateGraph graph{evidence};
  const auto judgements = judge_paths(evidence, recorded_oracle(evidence.signatures));
  ASSERT_FALSE(judgements.empty());
  for (const PathJudgement& judgement : judgements) EXPECT_FALSE(judgement.result.trusted()) << judgement.judge;
  // Who signed the lists is proved.
  for (const StoreContents& contents : evidence.stores) {
    for (const CrlEntry& entry : contents.crls) {
      const auto issuers = graph.named(entry.crl->issuer);
      ASSERT_EQ(issuers.size(), 1U);
      EXPECT_EQ(recorded_state(evidence.signatures, entry.crl->sha256, issuers[0].certificate->spki_sha256),
                SignatureState::verified);
    }
  }
}

TEST_F(FetchingSite, TheCasOfItsPathsAreFetchedFor) {
  store("cas", {published_ / "issuing.crt"}, StoreKind::intermediate);
  config_.site.servers[0].intermediates = {"cas"};
  TlsPeer peer(this->peer(), [](TlsPeer::Session& session) { session.raw().stay_silent(); });
  published_.openssl().issued("other", "/CN=fe1.contoso.example", "root", "extendedKeyUsage=clientAuth");
  identity("other");
  edge(peer.port());
  const Evidence evidence = collect();
  // The root as well, being on the path: its own list is not there.
  EXPECT_EQ(gaps(evidence), Lines{published_.url("beyond.crl") + ": the web server answers 404 (Not Found)"});
  EXPECT_EQ(asked(), (Lines{"/beyond.crl", "/issuing.crl", "/issuing.crt", "/root.crl", "/root.crt"}));
}

TEST_F(FetchingSite, WhatIsNotToBeHadIsSaid) {
  const NameServer names([](const std::string& name, bool) -> NameServer::Reply {
    if (name == "broken.contoso.example") return {.code = 2};
    return {.code = 3};
  });
  options_.name_servers = {names.address()};
  const test::RefusingPort refusing;
  identity_with({published_.url("missing.crl"), "https://pki.contoso.example/a.crl", "ldap:///CN=a?b",
                 fmt::format("http://pki.contoso.example:{}/a.crl", refusing.port()),
                 "http://gone.contoso.example/a.crl", "http://broken.contoso.example/a.crl", "file://pki/a.crl"});
  const Evidence evidence = collect();
  EXPECT_EQ(stores(evidence), Lines{"roots"});
  Lines found = gaps(evidence);
  std::sort(found.begin(), found.end());
  Lines expected{
      published_.url("missing.crl") + ": the web server answers 404 (Not Found)",
      "https://pki.contoso.example/a.crl: https is not fetched: the server's certificate would have to be checked "
      "first, perhaps by what is there",
      fmt::format("http://pki.contoso.example:{0}/a.crl: 127.0.0.1 port {0}: Connection refused", refusing.port()),
      "http://gone.contoso.example/a.crl: gone.contoso.example: Domain name not found",
      "http://broken.contoso.example/a.crl: broken.contoso.example: DNS server returned general failure"};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(found, expected);
  EXPECT_TRUE(evidence.resolutions.empty()) << "names of web servers are no servers' of the site";
}

TEST_F(FetchingSite, TheAddressesOfAServerCountForItsWebServerToo) {
  config_.resolve.clear();
  Server web;
  web.name = "PKI.contoso.example";
  web.addresses = {"127.0.0.1"};
  config_.site.servers.push_back(web);
  identity("fe1");
  EXPECT_EQ(gaps(collect()), Lines{});
}

TEST_F(FetchingSite, AWebServerThatIsSilentHoldsUpNoLink) {
  config_.limits.parallel = 1;
  config_.limits.deadline = 2s;
  const RawPeer silent([](RawPeer::Talk& talk) { talk.stay_silent(); });
  Lines urls;
  for (int i = 0; i < 20; ++i) urls.push_back(fmt::format("http://{}:{}/{}.crl", host, silent.port(), i));
  TlsPeer peer(this->peer(), [](TlsPeer::Session& session) { session.raw().stay_silent(); });
  identity_with(urls);
  edge(peer.port());
  const Evidence evidence = collect();
  ASSERT_EQ(evidence.handshakes.size(), 1U);
  EXPECT_FALSE(evidence.handshakes[0].peer_chain.empty()) << evidence.handshakes[0].detail;
  std::size_t late = 0;
  for (const Gap& gap : evidence.gaps) {
    if (gap.need != Needs::stores) continue;
    EXPECT_EQ(gap.reason, "not fetched before the deadline of 2 s") << gap.about;
    EXPECT_TRUE(gap.remedy.starts_with("Give the run more time")) << gap.remedy;
    ++late;
  }
  EXPECT_GE(late, urls.size());
}

TEST_F(FetchingSite, InterruptedItSaysWhatWasNotFetched) {
  std::stop_source stop;
  options_.stop = stop.get_token();
  const RawPeer silent([&](RawPeer::Talk& talk) {
    talk.receive();
    stop.request_stop();
    talk.stay_silent();
  });
  const std::string url = fmt::format("http://{}:{}/a.crl", host, silent.port());
  identity_with({url});
  // The stores are read meanwhile, and may be interrupted as well.
  EXPECT_THAT(gaps(collect()), testing::Contains(url + ": interrupted"));
}

TEST_F(FetchingSite, WhatGoesBeyondTheNumberIsSaid) {
  const RawPeer peer([](RawPeer::Talk& talk) {
    talk.receive();
    talk.send("HTTP/1.1 404 Not Found\r\n\r\n");
  });
  Lines urls;
  for (int i = 0; i < 70; ++i) urls.push_back(fmt::format("http://{}:{}/{:02}.crl", host, peer.port(), i));
  identity_with(urls);
  const Lines found = gaps(collect());
  EXPECT_EQ(found.size(), Fetches::most_urls + 1);
  EXPECT_EQ(found.back(), urls[64] + ": not fetched, nor 5 more: one run fetches 64 URLs at most");
  EXPECT_EQ(peer.connections(), 64);
}

TEST(Fetches, KeepsSoMuchAndNoMore) {
  const test::OpensslCli openssl;
  openssl.self_signed("root", "/CN=Contoso Root CA", test::ca_extensions);
  const ByteString der = openssl.der("root");
  std::string file;
  while (file.size() + der.size() < std::size_t{16} * 1024 * 1024) file += as_text(der);
  for (int i = 0; i < 5; ++i) openssl.dir().write(fmt::format("{}.crt", i), file);
  const HttpServer server(openssl.dir().path().string());
  Certificate certificate;
  std::vector<std::string> urls;
  for (int i = 0; i < 5; ++i) urls.push_back(server.url("127.0.0.1", fmt::format("{}.crt", i)));
  certificate.ca_issuer_urls = std::move(urls);

  Config config;
  config.limits.step = 60s;
  transport::Loop loop;
  const auto pool = std::make_shared<sources::CertificatePool>();
  int began = 0;
  std::set<std::string> ended;
  Fetches fetches(loop, {&config,
                         {},
                         {},
                         pool,
                         UtcTime{},
                         {},
                         [&] { ++began; },
                         [&](const std::string& url) { EXPECT_TRUE(ended.insert(url).second); }});
  fetches.want(certificate);
  fetches.want(certificate);
  EXPECT_TRUE(loop.run_until(Deadline::Clock::now() + 60s));
  EXPECT_EQ(began, 5);
  EXPECT_EQ(ended.size(), 5U);
  Lines refused;
  for (const auto& [url, end] : fetches.ends()) {
    ASSERT_TRUE(end) << url;
    if (!*end) refused.push_back(end->error().error.text);
  }
  EXPECT_EQ(refused, Lines{"not kept: with what else was fetched it is more than 64 MiB"});
}

/// What a directory answers to whoever asks it for the one entry that a URL names.
TEST(DirectoryFetch, OneEntryIsReadAsAnybodyMay) {
  const test::TestCa ca("Contoso Root CA");
  test::SlapdSettings settings;
  settings.entries = fmt::format("dn: CN=ca1,CN=CDP,{}\nobjectClass: container\ncn: ca1\n\n", test::Slapd::services) +
                     test::crl_entry("CN=Contoso Root CA,CN=ca1,CN=CDP", ca.revocation_list(7)) +
                     test::crl_entry("CN=Another,CN=ca1,CN=CDP", ca.revocation_list(8)) +
                     test::ca_entry("CN=Contoso Root CA,CN=AIA", {ca.own_certificate()});
  const test::Slapd slapd(settings);
  const auto url = [&](const std::string& rdns, const std::string& what) {
    return fmt::format("ldap://127.0.0.1:{}/{},{}?{}", slapd.ldap_port(), rdns,
                       "CN=Public%20Key%20Services,CN=Services,CN=Configuration,dc=contoso,dc=example", what);
  };
  const std::string list = url("CN=Contoso%20Root%20CA,CN=ca1,CN=CDP", "certificateRevocationList?base");
  const std::string issuer = url("CN=Contoso%20Root%20CA,CN=AIA", "cACertificate?base");
  const std::string nothing = url("CN=Nobody,CN=AIA", "cACertificate?base");
  Certificate certificate;
  certificate.crl_urls = std::vector{list, std::string{"ldap:///CN=x?certificateRevocationList"}};
  certificate.ca_issuer_urls = std::vector{issuer, nothing};

  Config config;
  config.limits.step = 20s;
  transport::Loop loop;
  const auto pool = std::make_shared<sources::CertificatePool>();
  std::vector<std::thread> threads;
  std::size_t open = 0;
  Fetches fetches(loop, {&config,
                         {},
                         {},
                         pool,
                         UtcTime{},
                         [&](const auto& job) { threads.emplace_back([job, home = loop.courier()] { home(job()); }); },
                         [&] { ++open; },
                         [&](const std::string&) {
                           if (--open == 0) loop.leave();
                         }});
  fetches.want(certificate);
  EXPECT_EQ(open, 3U);  // without a host it is a question to the directory among the stores
  loop.run_until(Deadline::Clock::now() + 60s);
  EXPECT_EQ(open, 0U);
  for (std::thread& thread : threads) thread.join();
  const auto& of_list = fetches.ends().at(list);
  ASSERT_TRUE(of_list && *of_list);
  ASSERT_EQ((*of_list)->crls.size(), 1U);
  EXPECT_EQ((*of_list)->crls[0].crl->revoked, std::vector<std::string>{"07"});
  EXPECT_EQ((*of_list)->store, list);
  const auto& of_issuer = fetches.ends().at(issuer);
  ASSERT_TRUE(of_issuer && *of_issuer);
  ASSERT_EQ((*of_issuer)->entries.size(), 1U);
  EXPECT_EQ((*of_issuer)->entries[0].certificate->subject.common_name(), "Contoso Root CA");
  EXPECT_EQ((*of_issuer)->entries[0].kind, StoreKind::intermediate);
  const auto& of_nothing = fetches.ends().at(nothing);
  ASSERT_TRUE(of_nothing && !*of_nothing);
  EXPECT_NE(of_nothing->error().error.text.find("not there"), std::string::npos) << of_nothing->error().error.text;
}

}  // namespace
}  // namespace mrascheck::run

// SPDX-License-Identifier: Apache-2.0
// Every finding that a check can raise, by the smallest change to a site that is well.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "checks/registry.hpp"
#include "core/report.hpp"
#include "support/worlds.hpp"

namespace mrascheck {
namespace {

using test::issuer_fixture;
using test::SmallSite;

/// One name by RFC 5280, 7.1, in other bytes.
Name other_encoding(const Name& name) {
  std::string der{as_text(name.der())};
  der.back() = static_cast<char>(der.back() ^ 0x20);
  return Name{
      {.der = as_bytes(der), .canonical = name.canonical(), .text = name.text(), .common_name = name.common_name()}};
}

/// What a trace of fe1 has of its requests for edge1; `outcome` of two by two users.
TracedRequests& traced(SmallSite& site, TraceOutcome outcome) {
  Traced& all = site.evidence.traced;
  for (const char* server : {"fe1.contoso.example", "edge1.contoso.example"}) {
    if (all.servers.size() == 2) break;
    TracedServer& one = all.servers.emplace_back();
    one.server = server;
    one.files = {std::string{server} + ".txt"};
    one.first = TraceTime{std::chrono::hours{360'000}};
    one.last = one.first + std::chrono::hours{1};
    one.records = 40;
    one.requests = 10;
  }
  TracedRequests& group = all.requests.emplace_back();
  group.from = "fe1.contoso.example";
  group.to = "edge1.contoso.example";
  group.outcome = outcome;
  group.title = outcome == TraceOutcome::granted ? "" : "504 Server time-out, ms-diagnostics 1038";
  group.requests = group.users = 2;
  group.first = group.last = TraceTime{std::chrono::hours{360'000} + std::chrono::minutes{5}};
  group.call_ids = {"00112233445566778899aabbccddeeff"};
  if (outcome == TraceOutcome::failed) {
    group.answer.status = 504;
    group.answer.reason = "Server time-out";
    group.answer.diagnostics = {{1038, "", {{"WinsockFailureCode", "10061(WSAECONNREFUSED)"}}}};
  }
  return group;
}

/// fe1 and edge1 present the same healthy leaf; both trust root-r2 by way of the store "ad".
SmallSite healthy() {
  SmallSite site;
  site.own("redeployment-leaf-keyid")
      .store("root-r2", StoreKind::root)
      .store("redeployment-b", StoreKind::intermediate);
  Evidence& evidence = site.evidence;
  evidence.site.servers[1].pool = "pool.contoso.example";  // the fixture's leaf carries this name
  for (Server& server : evidence.site.servers) server.patch_level = "7.0.2046.820";
  Resolution& resolution = evidence.resolutions.emplace_back();
  resolution.name = "edge1.contoso.example";
  resolution.addresses = {"192.0.2.1"};
  Handshake& handshake = evidence.handshakes.emplace_back();
  handshake.from = "fe1.contoso.example";
  handshake.to = "edge1.contoso.example";
  handshake.address = "192.0.2.1";
  handshake.port = 5062;
  handshake.phase = Phase::done;
  handshake.outcome = Outcome::completed;
  handshake.connect_time = std::chrono::microseconds{500};
  handshake.tls_time = std::chrono::microseconds{2000};
  handshake.sip_time = std::chrono::microseconds{3000};
  handshake.tls_version = "TLSv1.2";
  handshake.cipher = "ECDHE-RSA-AES256-GCM-SHA384";
  handshake.client_certificate_requested = true;
  handshake.certificate_sent = true;
  handshake.peer_chain = {issuer_fixture("redeployment-leaf-keyid"), issuer_fixture("redeployment-b")};
  handshake.sent_chain = handshake.peer_chain;
  handshake.peer_answered = true;
  MrasExchange& exchange = handshake.mras.emplace();
  exchange.method = "SERVICE";
  exchange.answered = true;
  exchange.sip_status = 200;
  exchange.sip_reason = "OK";
  exchange.body_present = true;
  exchange.reason_phrase = "OK";
  exchange.credentials_present = true;
  exchange.credentials_well_formed = true;
  exchange.asked = exchange.granted.emplace(480);
  MediaRelay& relay = exchange.relays.emplace_back();
  relay.location = "intranet";
  relay.host = "edge.contoso.example";
  relay.udp_port = 3478;
  relay.tcp_port = 443;
  traced(site, TraceOutcome::granted);
  return site;
}

struct Change {
  const char* code;
  Status status;
  std::function<void(SmallSite&)> apply;
};

Handshake& handshake_of(SmallSite& site) {
  return site.evidence.handshakes.front();
}

/// The look at the peer ended here; nothing later was seen.
void end_at(SmallSite& site, Phase phase, Outcome outcome) {
  Handshake& handshake = handshake_of(site);
  handshake.phase = phase;
  handshake.outcome = outcome;
  handshake.mras.reset();
  handshake.peer_answered = false;
  if (phase == Phase::connect) {
    handshake.peer_chain.clear();
    handshake.sent_chain.clear();
  }
}

/// What a responder says of edge1's certificate: that it is good, now.
OcspAnswer& said(SmallSite& site) {
  OcspLook& look = site.evidence.ocsp.emplace_back();
  look.certificate = handshake_of(site).peer_chain.front();
  look.source = "http://ocsp.contoso.example/ocsp";
  OcspAnswer& answer = look.answer.emplace();
  answer.status = OcspStatus::good;
  answer.this_update = answer.produced_at = site.evidence.collected_at - std::chrono::hours{1};
  answer.next_update = site.evidence.collected_at + std::chrono::hours{23};
  answer.responder = "CN=OCSP";
  answer.signer = OcspSigner::delegate;
  return answer;
}

void threshold(SmallSite& site, const char* metric) {
  site.evidence.site.policy.thresholds[metric] = {parse_range("0.0001").value(), std::nullopt};
}

/// The same bytes, read as if they said something else: what a check makes of it needs no certificate that says so.
void changed(CertificateRef& certificate, const std::function<void(Certificate&)>& change) {
  Certificate copy = *certificate;
  change(copy);
  copy.sha256[0] ^= 1U;  // and another certificate to whoever compares
  certificate = std::make_shared<Certificate>(std::move(copy));
}

/// A store of fe1's own: the root that its peer chains to, and so many others with long names.
void own_roots(SmallSite& site, int others) {
  site.evidence.site.stores.push_back({"fe1-root", StoreKind::root, "fe1.contoso.example", false});
  StoreContents& store = site.evidence.stores.emplace_back();
  store.store = "fe1-root";
  store.entries.push_back({issuer_fixture("root-r2"), StoreKind::root, "fe1.sst", 0});
  for (int i = 0; i < others; ++i) {
    Certificate other;
    other.sha256 = {static_cast<std::uint8_t>(i), 1};
    other.thumbprint = {static_cast<std::uint8_t>(i), 1};
    other.spki_sha256 = other.sha256;
    const ByteString der(200, static_cast<std::uint8_t>(i));
    const std::string name = fmt::format("Root {}", i);
    other.subject = Name{{.der = der, .canonical = name, .text = name, .common_name = name}};
    other.issuer = other.subject;
    store.entries.push_back({std::make_shared<Certificate>(other), StoreKind::root, "fe1.sst", store.entries.size()});
  }
}

/// edge1 presents the leaf of a CA whose name was deployed twice.
SmallSite& revocable(SmallSite& s) {
  auto& entries = s.evidence.stores[0].entries;
  entries.push_back({test::revocation_fixture("root"), StoreKind::root, "CN=root", 0});
  for (const char* name : {"issuing-a", "issuing-b"})
    entries.push_back({test::revocation_fixture(name), StoreKind::intermediate, std::string{"CN="} + name, 0});
  handshake_of(s).peer_chain = {test::revocation_fixture("leaf"), test::revocation_fixture("issuing-b")};
  return s;
}

MrasExchange& exchange_of(SmallSite& site) {
  return *handshake_of(site).mras;
}

/// What else was tried on the link, and how it ended.
Trial& tried(SmallSite& site, TrialKind kind, Outcome outcome) {
  Trial& trial = site.evidence.trials.emplace_back();
  trial.kind = kind;
  trial.expect = expected(kind, Role::edge);
  trial.handshake = handshake_of(site);
  trial.handshake.mras.reset();
  trial.handshake.outcome = outcome;
  trial.handshake.phase = outcome == Outcome::completed ? Phase::done : Phase::confirm;
  trial.handshake.peer_answered = outcome == Outcome::completed;
  trial.handshake.certificate_sent = kind != TrialKind::none;
  if (kind == TrialKind::none) trial.handshake.sent_chain.clear();
  if (outcome == Outcome::rejected_by_peer) trial.handshake.alerts_received = {{48, true}};
  return trial;
}

void agreed(SmallSite& site, TlsVersion version, const char* cipher, bool complete) {
  const Handshake& link = handshake_of(site);
  TlsOffer& offer = site.evidence.offers.emplace_back();
  offer.from = link.from;
  offer.to = link.to;
  offer.address = link.address;
  offer.port = link.port;
  offer.versions.push_back({version, {cipher}, complete, "alert handshake_failure"});
}

/// The relay of edge1's answer was asked over UDP.
RelayLook& relay_asked(SmallSite& site, RelayOutcome outcome) {
  RelayLook& look = site.evidence.relays.emplace_back();
  look.from = "fe1.contoso.example";
  look.to = "edge1.contoso.example";
  look.link_port = 5062;
  look.granted_at = "192.0.2.1";
  look.relay = "edge.contoso.example";
  look.address = "192.0.2.7";
  look.port = 3478;
  look.outcome = outcome;
  if (outcome != RelayOutcome::accepted) return look;
  look.allocate_time = std::chrono::microseconds{2500};
  look.relayed = "192.0.2.7:50123";
  look.reflexive = "192.0.2.10:40000";
  look.lifetime = std::chrono::seconds{600};
  look.integrity = true;
  look.released = true;
  return look;
}

const std::vector<Change>& changes() {
  static const std::vector<Change> all{
      {"store-contents.unreadable", Status::warning,
       [](SmallSite& s) {
         s.evidence.stores[0].unreadable.push_back({"CN=x,CN=AIA", "truncated at byte 12"});
       }},
      {"store-contents.empty", Status::warning,
       [](SmallSite& s) { s.evidence.stores.emplace_back().store = "edge-root"; }},
      {"store-hygiene.not-self-signed-root", Status::warning,
       [](SmallSite& s) { s.store("redeployment-b", StoreKind::root); }},
      {"store-hygiene.too-many-roots", Status::warning, [](SmallSite& s) { own_roots(s, 101); }},
      {"store-hygiene.issuer-list-too-long", Status::warning, [](SmallSite& s) { own_roots(s, 90); }},
      {"store-hygiene.pool-differs", Status::warning,
       [](SmallSite& s) {
         own_roots(s, 0);
         s.evidence.site.servers.push_back(s.evidence.site.servers[0]);
         s.evidence.site.servers.back().name = "fe2.contoso.example";
         for (Server& server : s.evidence.site.servers) {
           if (server.role == Role::front_end) server.pool = "pool.contoso.example";
         }
         s.evidence.site.stores.push_back({"fe2-root", StoreKind::root, "fe2.contoso.example", false});
         s.evidence.stores.emplace_back().store = "fe2-root";
         s.evidence.stores.back().entries = {{issuer_fixture("root-r1"), StoreKind::root, "fe2.sst", 0}};
       }},
      {"store-hygiene.sides-differ", Status::warning,
       [](SmallSite& s) {
         // edge1 has the older installation of fe1's issuer, and only that.
         s.evidence.site.stores.push_back({"edge1", StoreKind::mixed, "edge1.contoso.example", false});
         s.evidence.stores.emplace_back().store = "edge1";
         s.evidence.stores.back().entries = {
             {issuer_fixture("root-r2"), StoreKind::root, "edge1.p7b", 0},
             {issuer_fixture("redeployment-a"), StoreKind::intermediate, "edge1.p7b", 1}};
         s.evidence.site.servers[1].trusts = {"edge1"};
         s.evidence.site.servers[1].intermediates = {"edge1"};
       }},
      {"store-hygiene.no-key-identifiers", Status::warning,
       [](SmallSite& s) {
         s.store("redeployment-plain-a", StoreKind::intermediate)
             .store("redeployment-plain-b", StoreKind::intermediate);
         handshake_of(s).peer_chain = {issuer_fixture("redeployment-plain-leaf")};
       }},
      {"store-contents.inconsistent", Status::warning,
       [](SmallSite& s) {
         s.evidence.stores[0].faults.push_back({"fe1.reg", "the registry key is named 01, and the certificate 02"});
       }},
      {"store-contents.restricted", Status::warning,
       [](SmallSite& s) {
         EntryProperties disabled;
         disabled.purposes.emplace();
         s.evidence.stores[0].entries[0].properties = std::make_shared<EntryProperties>(disabled);
       }},
      {"names-resolve.not-found", Status::critical,
       [](SmallSite& s) {
         s.evidence.resolutions[0].addresses.clear();
         s.evidence.resolutions[0].not_found = true;
       }},
      {"names-resolve.failed", Status::unknown,
       [](SmallSite& s) {
         s.evidence.resolutions[0].addresses.clear();
         s.evidence.resolutions[0].error = "server failure";
       }},
      {"port-reachable.refused", Status::critical, [](SmallSite& s) { end_at(s, Phase::connect, Outcome::refused); }},
      {"port-reachable.timed-out", Status::critical,
       [](SmallSite& s) { end_at(s, Phase::connect, Outcome::timed_out); }},
      {"port-reachable.unreachable", Status::critical,
       [](SmallSite& s) { end_at(s, Phase::connect, Outcome::unreachable); }},
      {"port-reachable.local-failure", Status::unknown,
       [](SmallSite& s) { end_at(s, Phase::connect, Outcome::local_failure); }},
      {"port-reachable.slow", Status::warning, [](SmallSite& s) { threshold(s, "connect-time"); }},
      {"port-reachable.not-tried", Status::unknown, [](SmallSite& s) { s.evidence.handshakes.clear(); }},
      {"handshake.rejected-by-peer", Status::critical,
       [](SmallSite& s) {
         end_at(s, Phase::confirm, Outcome::rejected_by_peer);
         handshake_of(s).alerts_received = {{48, true}};
       }},
      {"handshake.issuer-not-listed", Status::warning,
       [](SmallSite& s) {
         handshake_of(s).accepted_issuers = {Name{{.canonical = "another", .text = "CN=Another"}}};
         handshake_of(s).accepted_issuer_count = 1;
       }},
      {"handshake.broken-tls", Status::critical,
       [](SmallSite& s) {
         end_at(s, Phase::confirm, Outcome::rejected_by_us);
         handshake_of(s).alerts_sent = {{20, true}};
       }},
      {"handshake.rejected-by-us", Status::critical,
       [](SmallSite& s) { end_at(s, Phase::confirm, Outcome::rejected_by_us); }},
      {"handshake.no-common-tls", Status::unknown,
       [](SmallSite& s) { end_at(s, Phase::tls, Outcome::rejected_by_us); }},
      {"handshake.unreadable-certificate", Status::unknown,
       [](SmallSite& s) {
         handshake_of(s).peer_chain_unreadable.push_back({"certificate 2", "truncated at byte 9"});
       }},
      {"handshake.no-client-certificate-sent", Status::warning,
       [](SmallSite& s) { handshake_of(s).certificate_sent = false; }},
      {"handshake.reset", Status::critical, [](SmallSite& s) { end_at(s, Phase::tls, Outcome::reset); }},
      {"handshake.closed", Status::critical, [](SmallSite& s) { end_at(s, Phase::tls, Outcome::closed); }},
      {"handshake.timed-out", Status::critical, [](SmallSite& s) { end_at(s, Phase::tls, Outcome::timed_out); }},
      {"handshake.not-tls", Status::critical, [](SmallSite& s) { end_at(s, Phase::tls, Outcome::not_tls); }},
      {"handshake.stranger-accepted", Status::critical,
       [](SmallSite& s) { s.evidence.site.links[0].expect = Expectation::refuse; }},
      {"handshake.no-client-certificate-asked", Status::warning,
       [](SmallSite& s) { handshake_of(s).client_certificate_requested = false; }},
      {"handshake.weak-version", Status::warning, [](SmallSite& s) { handshake_of(s).tls_version = "TLSv1.1"; }},
      {"handshake.issuer-list-too-long", Status::warning,
       [](SmallSite& s) {
         handshake_of(s).accepted_issuer_count = 101;
         handshake_of(s).accepted_issuer_bytes = 16'300;
       }},
      {"handshake.pool-certificates-differ", Status::warning,
       [](SmallSite& s) {
         auto& servers = s.evidence.site.servers;
         const auto edge =
             std::find_if(servers.begin(), servers.end(), [](const Server& x) { return x.role == Role::edge; });
         Server second = *edge;
         second.name = "edge2.contoso.example";
         servers.push_back(second);
         s.evidence.site.links.push_back(s.evidence.site.links[0]);
         s.evidence.site.links.back().to = second.name;
         s.evidence.handshakes.push_back(handshake_of(s));
         s.evidence.handshakes.back().to = second.name;
         for (Link& link : s.evidence.site.links) link.port = 443;
         for (Handshake& handshake : s.evidence.handshakes) handshake.port = 443;
         changed(s.evidence.handshakes.back().peer_chain.front(), [](Certificate&) {});
       }},
      {"handshake.session-ticket", Status::warning,
       [](SmallSite& s) {
         handshake_of(s).session_ticket = true;
         for (Server& server : s.evidence.site.servers) server.role = Role::front_end;
       }},
      {"handshake.no-secure-renegotiation", Status::warning,
       [](SmallSite& s) { handshake_of(s).secure_renegotiation = false; }},
      {"handshake.identity-let-in", Status::critical,
       [](SmallSite& s) { tried(s, TrialKind::none, Outcome::completed); }},
      {"handshake.identity-refused", Status::warning,
       [](SmallSite& s) {
         Trial& trial = tried(s, TrialKind::server_only, Outcome::rejected_by_peer);
         trial.handshake.sent_chain = handshake_of(s).sent_chain;
         changed(trial.handshake.sent_chain.front(),
                 [](Certificate& c) { c.extended_key_usage = {{server_auth_oid}}; });
       }},
      {"handshake.trial-undecided", Status::unknown,
       [](SmallSite& s) { tried(s, TrialKind::foreign_ca, Outcome::timed_out); }},
      {"handshake.chain-matters", Status::warning,
       [](SmallSite& s) {
         tried(s, TrialKind::from_stores, Outcome::rejected_by_peer);
         tried(s, TrialKind::full_chain, Outcome::completed);
       }},
      {"handshake.old-version-offered", Status::warning,
       [](SmallSite& s) { agreed(s, TlsVersion::tls_1_1, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", true); }},
      {"handshake.nothing-for-windows", Status::warning,
       [](SmallSite& s) { agreed(s, TlsVersion::tls_1_2, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", true); }},
      {"handshake.offer-unknown", Status::unknown,
       [](SmallSite& s) { agreed(s, TlsVersion::tls_1_2, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", false); }},
      {"handshake.slow", Status::warning, [](SmallSite& s) { threshold(s, "tls-time"); }},
      {"handshake.untested-refusal", Status::unknown,
       [](SmallSite& s) {
         s.evidence.site.links[0].expect = Expectation::refuse;
         end_at(s, Phase::tls, Outcome::timed_out);
       }},
      {"handshake.not-tried", Status::unknown, [](SmallSite& s) { end_at(s, Phase::connect, Outcome::refused); }},
      {"same-name-issuers.stale", Status::critical,
       [](SmallSite& s) { s.store("redeployment-a", StoreKind::intermediate); }},
      {"same-name-issuers.several-in-use", Status::warning,
       [](SmallSite& s) { s.store("redeployment-a", StoreKind::enrollment); }},
      {"same-name-issuers.unrelated", Status::warning,
       [](SmallSite& s) {
         s.store("redeployment-plain-a", StoreKind::intermediate)
             .store("redeployment-plain-b", StoreKind::intermediate);
       }},
      {"same-name-issuers.undecided", Status::unknown,
       [](SmallSite& s) {
         s.evidence.stores[0].entries.clear();
         s.store("redeployment-a", StoreKind::intermediate).store("impostor", StoreKind::intermediate);
         handshake_of(s).peer_chain.resize(1);
         handshake_of(s).sent_chain.resize(1);
       }},
      {"same-name-issuers.not-used-yet", Status::unknown, [](SmallSite& s) { s.store("impostor", StoreKind::root); }},
      {"same-name-issuers.foreign", Status::warning,
       [](SmallSite& s) {
         StoreContents& edge = s.evidence.stores.emplace_back();
         edge.store = "edge-root";
         edge.entries.push_back({issuer_fixture("impostor"), StoreKind::root, "edge.pem", 0});
       }},
      {"same-name-issuers.contradiction", Status::warning,
       [](SmallSite& s) {
         Certificate twin = *issuer_fixture("redeployment-a");
         twin.subject_key_id = issuer_fixture("redeployment-b")->subject_key_id;
         s.evidence.stores[0].entries.push_back(
             {std::make_shared<const Certificate>(twin), StoreKind::intermediate, "CN=twin", 0});
       }},
      {"same-name-issuers.name-encoding", Status::warning,
       [](SmallSite& s) {
         s.store("name-folding-a", StoreKind::intermediate).store("name-folding-b", StoreKind::intermediate);
       }},
      {"same-name-issuers.misfiled", Status::warning,
       [](SmallSite& s) { s.store("misfiled", StoreKind::intermediate); }},
      {"certification-path.untrusted-root", Status::critical,
       [](SmallSite& s) { s.evidence.stores[0].entries[0].kind = StoreKind::intermediate; }},
      {"certification-path.incomplete", Status::critical,
       [](SmallSite& s) { s.evidence.stores[0].entries.erase(s.evidence.stores[0].entries.begin()); }},
      {"certification-path.distrusted", Status::critical,
       [](SmallSite& s) { s.store("root-r2", StoreKind::disallowed, "HKLM\\Disallowed"); }},
      {"certification-path.revoked", Status::critical, [](SmallSite& s) { revocable(s).crl("list-b-revokes-leaf"); }},
      {"certification-path.signature", Status::critical,
       [](SmallSite& s) {
         s.evidence.stores[0].entries.erase(s.evidence.stores[0].entries.begin());
         s.store("root-r1", StoreKind::root);
       }},
      {"certification-path.key-identifier", Status::critical,
       [](SmallSite& s) {
         s.evidence.stores[0].entries.pop_back();
         s.store("same-key-renewal-b", StoreKind::intermediate);
         handshake_of(s).peer_chain = {issuer_fixture("same-key-renewal-leaf-exact")};
       }},
      {"certification-path.not-valid-now", Status::critical,
       [](SmallSite& s) {
         s.evidence.collected_at = issuer_fixture("redeployment-leaf-keyid")->not_after + std::chrono::days{1};
       }},
      {"certification-path.constraint", Status::critical,
       [](SmallSite& s) {
         handshake_of(s).peer_chain = {issuer_fixture("no-cert-sign-leaf"), issuer_fixture("no-cert-sign")};
       }},
      {"certification-path.undecided", Status::unknown, [](SmallSite& s) { s.evidence.stores.clear(); }},
      {"certification-path.no-trust-configured", Status::unknown,
       [](SmallSite& s) { s.evidence.site.servers[0].trusts.clear(); }},
      {"certification-path.order-dependent", Status::warning,
       [](SmallSite& s) {
         s.store("redeployment-plain-a", StoreKind::intermediate)
             .store("redeployment-plain-b", StoreKind::intermediate);
         handshake_of(s).peer_chain = {issuer_fixture("redeployment-plain-leaf")};
       }},
      {"certification-path.weak", Status::warning,
       [](SmallSite& s) {
         changed(handshake_of(s).peer_chain.front(), [](Certificate& c) {
           c.key_algorithm = "RSA";
           c.key_bits = 512;
         });
       }},
      {"certification-path.name-encoding", Status::warning,
       [](SmallSite& s) {
         // One name by RFC 5280, 7.1, in other bytes: as fe1's own has it.
         changed(handshake_of(s).peer_chain.front(), [](Certificate& c) { c.issuer = other_encoding(c.issuer); });
       }},
      {"validity.expired", Status::critical,
       [](SmallSite& s) {
         s.evidence.collected_at = issuer_fixture("redeployment-leaf-keyid")->not_after + std::chrono::seconds{1};
       }},
      {"validity.not-yet-valid", Status::critical,
       [](SmallSite& s) {
         s.evidence.collected_at = issuer_fixture("redeployment-leaf-keyid")->not_before - std::chrono::seconds{1};
       }},
      {"validity.expires-soon", Status::warning,
       [](SmallSite& s) {
         s.evidence.collected_at = issuer_fixture("redeployment-leaf-keyid")->not_after - std::chrono::days{20};
       }},
      {"store-hygiene.cng-key", Status::warning,
       [](SmallSite& s) { s.evidence.identities.front().key_provider = "Microsoft Software Key Storage Provider"; }},
      {"crl-state.overdue", Status::warning, [](SmallSite& s) { revocable(s).crl("list-b-overdue"); }},
      {"crl-state.not-yet-valid", Status::warning,
       [](SmallSite& s) {
         revocable(s).crl("list-b");
         s.evidence.collected_at = test::crl_fixture("list-b")->this_update - std::chrono::seconds{1};
       }},
      {"crl-state.other-key", Status::warning, [](SmallSite& s) { revocable(s).crl("list-a"); }},
      {"crl-state.revoked", Status::critical, [](SmallSite& s) { revocable(s).crl("list-b-revokes-leaf"); }},
      {"crl-state.undecided", Status::unknown, [](SmallSite& s) { revocable(s).crl("list-b-unknown-critical"); }},
      {"crl-state.not-shown", Status::critical,
       [](SmallSite& s) { s.evidence.site.policy.revocation = RevocationMode::hard; }},
      {"ocsp-state.revoked", Status::critical, [](SmallSite& s) { said(s).status = OcspStatus::revoked; }},
      {"ocsp-state.not-known", Status::warning, [](SmallSite& s) { said(s).status = OcspStatus::unknown; }},
      {"ocsp-state.no-answer", Status::warning,
       [](SmallSite& s) {
         said(s);
         s.evidence.ocsp.front().answer.reset();
         s.evidence.ocsp.front().problem = "the responder gives no answer: tryLater";
         s.evidence.ocsp.front().remedy = "Look at the responder.";
       }},
      {"ocsp-state.not-asked", Status::unknown,
       [](SmallSite& s) {
         said(s);
         s.evidence.ocsp.front().asked = false;
         s.evidence.ocsp.front().answer.reset();
         s.evidence.ocsp.front().problem = "not asked before the deadline of 50 s";
         s.evidence.ocsp.front().remedy = "Give the run more time.";
       }},
      {"ocsp-state.untrusted", Status::warning,
       [](SmallSite& s) {
         said(s).signer = OcspSigner::nobody;
         s.evidence.ocsp.front().answer->doubt = "its signature does not verify";
       }},
      {"ocsp-state.outdated", Status::warning,
       [](SmallSite& s) { said(s).next_update = s.evidence.collected_at - std::chrono::minutes{6}; }},
      {"certificate-names.mismatch", Status::critical,
       [](SmallSite& s) { s.evidence.site.servers[1].pool = "other.contoso.example"; }},
      {"certificate-names.incomplete", Status::warning,
       [](SmallSite& s) { s.evidence.site.servers[0].pool = "otherpool.contoso.example"; }},
      {"certificate-names.common-name-only", Status::warning,
       [](SmallSite& s) {
         changed(handshake_of(s).peer_chain.front(), [](Certificate& c) { c.dns_names = {"edge1.contoso.example"}; });
       }},
      {"mras-credentials.sip-error", Status::critical,
       [](SmallSite& s) {
         exchange_of(s).sip_status = 504;
         exchange_of(s).sip_reason = "Server time-out";
       }},
      {"mras-credentials.refused", Status::critical,
       [](SmallSite& s) { exchange_of(s).reason_phrase = "Not Supported"; }},
      {"mras-credentials.unreadable", Status::critical, [](SmallSite& s) { exchange_of(s).body_present = false; }},
      {"mras-credentials.no-credentials", Status::critical,
       [](SmallSite& s) { exchange_of(s).credentials_present = false; }},
      {"mras-credentials.no-relay", Status::critical, [](SmallSite& s) { exchange_of(s).relays.clear(); }},
      {"mras-credentials.no-answer", Status::critical,
       [](SmallSite& s) {
         exchange_of(s).answered = false;
         handshake_of(s).phase = Phase::sip;
         handshake_of(s).outcome = Outcome::timed_out;
       }},
      {"mras-credentials.not-sip", Status::critical,
       [](SmallSite& s) {
         exchange_of(s).answered = false;
         handshake_of(s).phase = Phase::sip;
         handshake_of(s).outcome = Outcome::not_sip;
       }},
      {"mras-credentials.faulty", Status::warning,
       [](SmallSite& s) { exchange_of(s).problem = "tcpPort \"443x\" is no port"; }},
      {"mras-credentials.version-differs", Status::warning,
       [](SmallSite& s) {
         MrasExchange refused = exchange_of(s);
         refused.version = "2.0";
         refused.server_version = "1.0";
         refused.reason_phrase = "Version Mismatch";
         refused.asked_again = true;
         handshake_of(s).further.push_back(refused);
       }},
      {"mras-credentials.slow", Status::warning, [](SmallSite& s) { threshold(s, "mras-time"); }},
      {"mras-credentials.clock-differs", Status::warning,
       [](SmallSite& s) {
         exchange_of(s).answered_at = s.evidence.collected_at;
         exchange_of(s).date = s.evidence.collected_at - std::chrono::seconds{61};
       }},
      {"mras-credentials.pool-differs", Status::warning,
       [](SmallSite& s) {
         s.evidence.site.servers.push_back(s.evidence.site.servers[1]);
         s.evidence.site.servers.back().name = "edge2.contoso.example";
         s.evidence.site.links.push_back(s.evidence.site.links[0]);
         s.evidence.site.links.back().to = "edge2.contoso.example";
         s.evidence.handshakes.push_back(handshake_of(s));
         s.evidence.handshakes.back().to = "edge2.contoso.example";
         s.evidence.handshakes.back().mras->relays.front().host = "av2.contoso.example";
       }},
      {"mras-credentials.not-asked", Status::unknown, [](SmallSite& s) { end_at(s, Phase::tls, Outcome::reset); }},
      {"relay.credentials-rejected", Status::critical,
       [](SmallSite& s) {
         RelayLook& look = relay_asked(s, RelayOutcome::credentials_rejected);
         look.error_code = 431;
         look.error_text = "Integrity Check Failure";
       }},
      {"relay.error", Status::critical,
       [](SmallSite& s) {
         RelayLook& look = relay_asked(s, RelayOutcome::error);
         look.error_code = 300;
         look.alternate = "192.0.2.8:3478";
       }},
      {"relay.not-a-relay", Status::critical,
       [](SmallSite& s) { relay_asked(s, RelayOutcome::not_a_relay).detail = "HTTP: HTTP/1.1 400 Bad Request"; }},
      {"relay.no-answer", Status::critical, [](SmallSite& s) { relay_asked(s, RelayOutcome::no_answer); }},
      {"relay.not-reached", Status::warning,
       [](SmallSite& s) {
         relay_asked(s, RelayOutcome::accepted);
         RelayLook& look = relay_asked(s, RelayOutcome::refused);
         look.transport = RelayTransport::tcp;
         look.port = 443;
       }},
      {"relay.name-not-found", Status::critical,
       [](SmallSite& s) { relay_asked(s, RelayOutcome::name_not_found).address.clear(); }},
      {"relay.not-proven", Status::warning,
       [](SmallSite& s) { relay_asked(s, RelayOutcome::accepted).integrity = false; }},
      {"relay.standard-only", Status::warning,
       [](SmallSite& s) { relay_asked(s, RelayOutcome::accepted).dialect = RelayDialect::standard; }},
      {"relay.not-released", Status::warning,
       [](SmallSite& s) { relay_asked(s, RelayOutcome::accepted).released = false; }},
      {"relay.slow", Status::warning,
       [](SmallSite& s) {
         relay_asked(s, RelayOutcome::accepted);
         threshold(s, "relay-time");
       }},
      {"relay.not-tried", Status::unknown, [](SmallSite& s) { relay_asked(s, RelayOutcome::not_asked); }},
      {"mras-traces.never-reached", Status::critical,
       [](SmallSite& s) {
         TracedRequests& group = traced(s, TraceOutcome::failed);
         group.never_reached = group.left_without = 2;
       }},
      {"mras-traces.failed", Status::warning, [](SmallSite& s) { traced(s, TraceOutcome::failed); }},
      {"mras-traces.unanswered", Status::critical,
       [](SmallSite& s) { traced(s, TraceOutcome::unanswered).left_without = 1; }},
      {"mras-traces.noted", Status::warning,
       [](SmallSite& s) {
         TraceError& error = s.evidence.traced.servers[0].errors.emplace_back();
         error.grave = true;
         error.text = "TLS negotiation failed";
         error.loose = 3;
       }},
      {"mras-traces.growing", Status::warning, [](SmallSite& s) { s.evidence.traced.servers[0].records = 101; }},
      {"mras-traces.untold", Status::unknown,
       [](SmallSite& s) { s.evidence.traced.requests[0].outcome = TraceOutcome::unclear; }},
      {"server-versions.sources-differ", Status::warning,
       [](SmallSite& s) {
         s.evidence.patches = {{"fe1.contoso.example",
                                "fe1.reg",
                                PatchSource::registry,
                                {{"Skype for Business Server SE, Core Components", "7.0.2046.820"}}},
                               {"edge1.contoso.example",
                                "edge1.html",
                                PatchSource::report,
                                {{"Skype for Business Server SE, Core Components", "7.0.2046.821"}}}};
       }},
      {"server-versions.edge-behind", Status::warning,
       [](SmallSite& s) { s.evidence.site.servers[0].patch_level = "7.0.2046.830"; }},
      {"server-versions.pool-differs", Status::warning,
       [](SmallSite& s) {
         Server other = s.evidence.site.servers[1];
         other.name = "edge2.contoso.example";
         other.patch_level = "7.0.2046.830";
         s.evidence.site.servers.push_back(other);
       }},
      {"server-versions.out-of-support", Status::warning,
       [](SmallSite& s) {
         s.evidence.collected_at = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
         for (Server& server : s.evidence.site.servers) server.patch_level = "5.0.8308.992";
       }},
      {"server-versions.unknown-build", Status::unknown,
       [](SmallSite& s) { s.evidence.site.servers[1].patch_level = "9.9.1.1"; }},
  };
  return all;
}

Report report_of(SmallSite& site) {
  return judge(site.ready(), checks::all());
}

/// Status and number of the relay findings behind `change`.
std::string relay_findings(const std::function<void(SmallSite&)>& change) {
  SmallSite site = healthy();
  change(site);
  const Report report = report_of(site);
  std::string all;
  for (const CheckResult& check : report.checks) {
    if (check.id != "relay") continue;
    for (const Finding& found : check.verdict.findings)
      all += fmt::format("{} {} {}; ", to_string(found.status), found.code, found.facts.size());
    if (!check.applicable) all += "not applicable";
  }
  return all;
}

TEST(RelayFindings, AreNoneWhereNobodyAskedOrAllIsWell) {
  EXPECT_EQ(relay_findings([](SmallSite&) {}), "not applicable");
  EXPECT_EQ(relay_findings([](SmallSite& s) { relay_asked(s, RelayOutcome::accepted); }), "");
}

TEST(RelayFindings, OfOneClosedDoorDependOnTheOther) {
  const auto closed = [](SmallSite& s, RelayTransport transport) {
    RelayLook& look = relay_asked(s, RelayOutcome::no_answer);
    look.transport = transport;
    look.port = transport == RelayTransport::udp ? 3478 : 443;
  };
  EXPECT_EQ(relay_findings([&](SmallSite& s) {
              closed(s, RelayTransport::udp);
              relay_asked(s, RelayOutcome::accepted).transport = RelayTransport::tcp;
            }),
            "WARNING relay.no-answer 1; ");
  EXPECT_EQ(relay_findings([&](SmallSite& s) {
              closed(s, RelayTransport::udp);
              closed(s, RelayTransport::tcp);
            }),
            "CRITICAL relay.no-answer 1; CRITICAL relay.no-answer 1; ");
}

TEST(RelayFindings, AlikeOfSeveralEdgesAreOne) {
  EXPECT_EQ(relay_findings([](SmallSite& s) {
              relay_asked(s, RelayOutcome::no_answer);
              relay_asked(s, RelayOutcome::no_answer).granted_at = "192.0.2.2";
            }),
            "CRITICAL relay.no-answer 2; ");
}

TEST(Findings, AHealthySiteHasNone) {
  SmallSite site = healthy();
  const Report report = report_of(site);
  for (const CheckResult& check : report.checks) {
    for (const Finding& finding : check.verdict.findings) ADD_FAILURE() << finding.code << ": " << finding.summary;
    EXPECT_EQ(check.applicable, check.id != "crl-state" && check.id != "ocsp-state" && check.id != "relay")
        << check.id << ": none was seen";
    EXPECT_EQ(check.status, Status::ok) << check.id;
  }
  EXPECT_EQ(report.status, Status::ok);
}

TEST(Findings, WhatWindowsKeepsBesideACertificateTellsOfItsKeyToo) {
  for (const bool cng : {true, false}) {
    SmallSite site = healthy();
    site.store("redeployment-leaf-keyid", StoreKind::intermediate);
    EntryProperties kept;
    kept.key_provider =
        cng ? "Microsoft Software Key Storage Provider" : "Microsoft RSA SChannel Cryptographic Provider";
    kept.key_spec = cng ? "CNG" : "AT_KEYEXCHANGE";
    site.evidence.stores[0].entries.back().properties = std::make_shared<EntryProperties>(kept);
    std::size_t told = 0;
    const Report report = report_of(site);
    for (const CheckResult& check : report.checks) {
      for (const Finding& finding : check.verdict.findings) told += finding.code == "store-hygiene.cng-key" ? 1 : 0;
    }
    EXPECT_EQ(told, cng ? 1U : 0U);
  }
}

TEST(Findings, WhatAResponderSaysIsGoodForFiveMinutesMore) {
  SmallSite site = healthy();
  said(site).next_update = site.evidence.collected_at - std::chrono::minutes{5};
  site.evidence.site.policy.revocation = RevocationMode::hard;
  const Report report = report_of(site);
  for (const CheckResult& check : report.checks) {
    for (const Finding& finding : check.verdict.findings) {  // of the CA, of which nothing was said
      EXPECT_EQ(finding.code, "crl-state.not-shown");
      EXPECT_EQ(finding.summary.find("pool.contoso.example"), std::string::npos) << finding.summary;
    }
    if (check.id == "ocsp-state") {
      ASSERT_EQ(check.verdict.notes.size(), 1U);
      EXPECT_NE(check.verdict.notes[0].text.find("is not revoked, says the responder http://ocsp.contoso.example/ocsp"),
                std::string::npos);
    }
  }
}

/// fe1 as a client that edge1 must refuse, and did with `alert`.
SmallSite refused_with(std::uint8_t alert) {
  SmallSite site = healthy();
  site.evidence.site.links[0].expect = Expectation::refuse;
  site.own("impostor");
  end_at(site, Phase::confirm, Outcome::rejected_by_peer);
  handshake_of(site).sent_chain = {issuer_fixture("impostor")};
  handshake_of(site).client_certificate_requested = true;
  handshake_of(site).certificate_sent = true;
  handshake_of(site).alerts_received = {{alert, true}};
  return site;
}

TEST(Findings, WhatAStrangerThatIsRefusedSendsIsNobodysConcern) {
  SmallSite site = refused_with(48);
  const Report report = report_of(site);
  for (const CheckResult& check : report.checks) {
    for (const Finding& finding : check.verdict.findings) ADD_FAILURE() << finding.code << ": " << finding.summary;
  }
  EXPECT_EQ(report.status, Status::ok);
}

/// How a look at a stranger ended, and whether that shows that it was refused as such.
struct RefusalCase {
  const char* name;
  const char* version;
  Phase phase;
  Outcome outcome;
  std::uint8_t alert;  ///< received; 0: none
  bool renegotiation;  ///< that we declined
  Status status;
};
class RefusalTest : public testing::TestWithParam<RefusalCase> {};
TEST_P(RefusalTest, CountsWhenItCanOnlyBeAboutTheCertificate) {
  const RefusalCase& c = GetParam();
  SmallSite site = refused_with(c.alert);
  Handshake& handshake = handshake_of(site);
  handshake.tls_version = c.version;
  handshake.phase = c.phase;
  handshake.outcome = c.outcome;
  if (c.alert == 0) handshake.alerts_received.clear();
  if (c.renegotiation) handshake.alerts_sent = {{100, false}};
  EXPECT_EQ(to_string(report_of(site).status), to_string(c.status));
}
INSTANTIATE_TEST_SUITE_P(
    Strangers, RefusalTest,
    testing::Values(
        RefusalCase{"UnknownCa13", "TLSv1.3", Phase::confirm, Outcome::rejected_by_peer, 48, false, Status::ok},
        RefusalCase{"UnknownCa12", "TLSv1.2", Phase::tls, Outcome::rejected_by_peer, 48, false, Status::ok},
        RefusalCase{"Failure13", "TLSv1.3", Phase::confirm, Outcome::rejected_by_peer, 40, false, Status::ok},
        RefusalCase{"FailureAfterHandshake12", "TLSv1.2", Phase::confirm, Outcome::rejected_by_peer, 40, false,
                    Status::unknown},
        RefusalCase{"Renegotiation", "TLSv1.2", Phase::tls, Outcome::rejected_by_peer, 40, true, Status::unknown},
        RefusalCase{"Expired", "TLSv1.3", Phase::confirm, Outcome::rejected_by_peer, 45, false, Status::unknown},
        RefusalCase{"ResetInside", "TLSv1.2", Phase::tls, Outcome::reset, 0, false, Status::ok},
        RefusalCase{"ResetAfterHandshake", "TLSv1.2", Phase::confirm, Outcome::reset, 0, false, Status::unknown},
        RefusalCase{"ClosedAfterRequest", "TLSv1.2", Phase::sip, Outcome::closed, 0, false, Status::unknown}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(Findings, ARefusalThatIsNotAboutTheCertificateProvesNothing) {
  SmallSite site = refused_with(70);
  const Report report = report_of(site);
  EXPECT_EQ(report.status, Status::unknown);
  SmallSite early = refused_with(48);
  handshake_of(early).certificate_sent = false;
  EXPECT_EQ(report_of(early).status, Status::unknown);
}

TEST(Findings, AnExpiredOneThatIsStillSentAndThatNobodyNeedsIsAWarning) {
  SmallSite site = healthy();
  site.own("expired-sibling-leaf").store("expired-sibling-b", StoreKind::intermediate);
  handshake_of(site).peer_chain = {issuer_fixture("expired-sibling-leaf"), issuer_fixture("expired-sibling-a")};
  const auto expired = [](const Report& report) {
    std::vector<Finding> found;
    for (const CheckResult& check : report.checks) {
      for (const Finding& finding : check.verdict.findings) {
        if (std::string_view{finding.code} == "validity.expired") found.push_back(finding);
      }
    }
    return found;
  };
  const std::vector<Finding> idle = expired(report_of(site));
  ASSERT_EQ(idle.size(), 1U);
  EXPECT_EQ(idle[0].about, thumbprint(*issuer_fixture("expired-sibling-a")));
  EXPECT_EQ(idle[0].status, Status::warning);
  EXPECT_NE(idle[0].remedy.find("Take it out of what edge1.contoso.example sends"), std::string::npos);
  // Nobody has the renewed one: then it is what the path stands on.
  site.evidence.stores[0].entries.pop_back();
  const std::vector<Finding> needed = expired(report_of(site));
  ASSERT_EQ(needed.size(), 1U);
  EXPECT_EQ(needed[0].status, Status::critical);
}

TEST(Findings, AnyAnswerToOptionsWillDoUnlessTheServerSaysThatItIsIll) {
  for (const unsigned status : {200U, 404U, 405U, 501U, 500U, 504U, 603U}) {
    SmallSite site = healthy();
    site.evidence.site.links[0].service = Service::sip;
    exchange_of(site) = {};
    exchange_of(site).method = "OPTIONS";
    exchange_of(site).answered = true;
    exchange_of(site).sip_status = status;
    const bool ill = status >= 500 && status != 501;
    EXPECT_EQ(report_of(site).status, ill ? Status::warning : Status::ok) << status;
  }
}

TEST(Findings, ASipErrorWithoutDiagnosticsSaysWhereToLook) {
  struct Row {
    unsigned status;
    const char* words;
  };
  for (const Row& row : {Row{302, "elsewhere"}, Row{401, "log in"}, Row{403, "Enable-CsTopology"}, Row{404, "mrasUri"},
                         Row{408, "pass the request on"}, Row{486, "SIPStack trace"}, Row{503, "overloaded"},
                         Row{504, "pass the request on"}}) {
    SmallSite site = healthy();
    exchange_of(site).sip_status = row.status;
    std::string remedy;
    for (const CheckResult& check : report_of(site).checks) {
      for (const Finding& finding : check.verdict.findings) {
        if (std::string_view{finding.code} == "mras-credentials.sip-error") remedy = finding.remedy;
      }
    }
    EXPECT_NE(remedy.find(row.words), std::string::npos) << row.status << ": " << remedy;
  }
}

TEST(Findings, ARefusalThatIsNotWholeIsStillARefusal) {
  for (const Outcome outcome : {Outcome::not_sip, Outcome::closed, Outcome::timed_out}) {
    SmallSite site = healthy();
    MrasExchange& exchange = exchange_of(site);
    exchange.answered = false;
    exchange.sip_status = 504;
    exchange.sip_reason = "Server time-out";
    exchange.diagnostics = {{.id = 1038, .sub = {}, .parameters = {{"reason", "Failed to connect"}}}};
    exchange.problem = "Content-Length twice, 5 and 6";
    handshake_of(site).phase = Phase::sip;
    handshake_of(site).outcome = outcome;
    std::string facts;
    for (const CheckResult& check : report_of(site).checks) {
      for (const Finding& finding : check.verdict.findings) {
        if (std::string_view{finding.code} != "mras-credentials.sip-error") continue;
        for (const std::string& fact : finding.facts) facts += fact + "\n";
      }
    }
    EXPECT_NE(facts.find("ms-diagnostics: 1038"), std::string::npos) << facts;
    EXPECT_NE(facts.find("Content-Length twice"), std::string::npos) << facts;
  }
}

TEST(Findings, CredentialsThatAreHardlyGrantedAreFaulty) {
  SmallSite site = healthy();
  exchange_of(site).asked = std::chrono::minutes{480};
  for (const int granted : {480, 60, 10}) {
    exchange_of(site).granted = std::chrono::minutes{granted};
    EXPECT_EQ(report_of(site).status, Status::ok) << granted;
  }
  exchange_of(site).granted = std::chrono::minutes{1};
  EXPECT_EQ(report_of(site).status, Status::warning);
  exchange_of(site).asked = std::chrono::minutes{1};
  EXPECT_EQ(report_of(site).status, Status::ok) << "as it was asked for";
}

/// The status of a stale certificate beside the one in use, by how much harm it can do.
struct SeverityCase {
  const char* name;
  const char* leaf;
  const char* current;
  const char* stale;
  std::vector<StoreKind> kinds;
  Status status;
};
class SeverityTest : public testing::TestWithParam<SeverityCase> {};
TEST_P(SeverityTest, FollowsWhatIsValidAndWhereItLeads) {
  const SeverityCase& c = GetParam();
  SmallSite site = healthy();
  handshake_of(site).peer_chain = {issuer_fixture(c.leaf), issuer_fixture(c.current)};
  handshake_of(site).sent_chain = handshake_of(site).peer_chain;
  site.evidence.identities.clear();
  site.own(c.leaf).store(c.current, StoreKind::intermediate);
  for (const StoreKind kind : c.kinds) site.store(c.stale, kind);
  const Report report = report_of(site);
  Status found = Status::ok;
  for (const CheckResult& check : report.checks) {
    for (const Finding& finding : check.verdict.findings) {
      if (std::string_view{finding.code} == "same-name-issuers.stale") found = finding.status;
    }
  }
  EXPECT_EQ(to_string(found), to_string(c.status));
}
INSTANTIATE_TEST_SUITE_P(Stale, SeverityTest,
                         testing::Values(SeverityCase{"BothValidAndOneInUse",
                                                      "redeployment-leaf-keyid",
                                                      "redeployment-b",
                                                      "redeployment-a",
                                                      {StoreKind::intermediate},
                                                      Status::critical},
                                         SeverityCase{"OneKeyLeadsToBoth",
                                                      "reinstall-same-key-leaf",
                                                      "reinstall-same-key-b",
                                                      "reinstall-same-key-a",
                                                      {StoreKind::intermediate},
                                                      Status::warning},
                                         SeverityCase{"OneKeyInNtauth",
                                                      "reinstall-same-key-leaf",
                                                      "reinstall-same-key-b",
                                                      "reinstall-same-key-a",
                                                      {StoreKind::intermediate, StoreKind::ntauth},
                                                      Status::critical},
                                         SeverityCase{"Expired",
                                                      "expired-sibling-leaf",
                                                      "expired-sibling-b",
                                                      "expired-sibling-a",
                                                      {StoreKind::intermediate},
                                                      Status::warning},
                                         SeverityCase{"ExpiredInNtauth",
                                                      "expired-sibling-leaf",
                                                      "expired-sibling-b",
                                                      "expired-sibling-a",
                                                      {StoreKind::ntauth},
                                                      Status::warning},
                                         SeverityCase{"RenewedInNtauth",
                                                      "rekey-renewal-leaf",
                                                      "rekey-renewal-b",
                                                      "rekey-renewal-a",
                                                      {StoreKind::ntauth},
                                                      Status::ok}),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(Findings, AStaleCertificateThatAPathNeedsMustStay) {
  // The issuing CA was installed again on its key; the Front End still sends the old certificate, and the Edge, outside
  // the domain, has nothing but the root.
  SmallSite site = healthy();
  site.own("reinstall-same-key-leaf");
  site.store("reinstall-same-key-a", StoreKind::intermediate).store("reinstall-same-key-b", StoreKind::intermediate);
  const CertificateRef old = issuer_fixture("reinstall-same-key-a");
  StoreContents& edge = site.evidence.stores.emplace_back();
  edge.store = "edge";
  edge.entries.push_back({issuer_fixture("root-r2"), StoreKind::root, "edge.pem", 0});
  for (Server& server : site.evidence.site.servers) {
    if (server.role != Role::edge) continue;
    server.trusts = {"edge"};
    server.intermediates.clear();
  }
  handshake_of(site).sent_chain = {issuer_fixture("reinstall-same-key-leaf"), old};
  const Report report = report_of(site);
  const Finding* stale = nullptr;
  for (const CheckResult& check : report.checks) {
    for (const Finding& finding : check.verdict.findings) {
      if (std::string_view{finding.code} == "same-name-issuers.stale") stale = &finding;
    }
  }
  ASSERT_NE(stale, nullptr);
  EXPECT_NE(stale->remedy.find("must stay for now"), std::string::npos) << stale->remedy;
  EXPECT_EQ(stale->remedy.find(thumbprint(*old)), std::string::npos) << stale->remedy;
}

const Finding* find_code(const Report& report, std::string_view code) {
  for (const CheckResult& check : report.checks) {
    for (const Finding& finding : check.verdict.findings) {
      if (std::string_view{finding.code} == code) return &finding;
    }
  }
  return nullptr;
}

TEST(Findings, NtauthOfAHostIsAStoreOfItsOwn) {
  SmallSite site = healthy();
  StoreContents& host = site.evidence.stores.emplace_back();
  host.store = "fe1-ntauth";
  host.entries.push_back({issuer_fixture("redeployment-a"), StoreKind::ntauth, "fe1-ntauth.pem", 0});
  StoreSpec& spec = site.evidence.site.stores.emplace_back();
  spec.name = "fe1-ntauth";
  spec.kind = StoreKind::ntauth;
  spec.host = "fe1.contoso.example";
  const Report report = report_of(site);
  const Finding* stale = find_code(report, "same-name-issuers.stale");
  ASSERT_NE(stale, nullptr);
  EXPECT_NE(stale->remedy.find("on fe1.contoso.example: certutil -enterprise -delstore NTAuth " +
                               thumbprint(*issuer_fixture("redeployment-a"))),
            std::string::npos)
      << stale->remedy;
  EXPECT_EQ(stale->remedy.find("-delstore CA"), std::string::npos) << stale->remedy;
}

TEST(Findings, ADnInAnAddressCannotLeaveItsQuotes) {
  SmallSite site = healthy();
  for (const char* value : {"redeployment-a", "redeployment-b"})
    site.store(value, StoreKind::intermediate, "CN=A? 100% $(x) `y` \"z\",CN=AIA,CN=x");
  const Report report = report_of(site);
  const Finding* stale = find_code(report, "same-name-issuers.stale");
  ASSERT_NE(stale, nullptr);
  EXPECT_NE(stale->remedy.find("ldap:///CN=A%3F 100%25 %24%28x%29 %60y%60 %22z%22,CN=AIA,CN=x?cACertificate"),
            std::string::npos)
      << stale->remedy;
}

TEST(Findings, NothingIsToBeIssuedAgainFromACaThatNobodyVouchesFor) {
  // The Edge presents a certificate of a root that bears the name of ours and stands in no store.
  SmallSite site = healthy();
  Certificate made = *issuer_fixture("redeployment-leaf-keyid");
  made.sha256.fill(7);
  made.authority_key_id.reset();
  const CertificateRef leaf = std::make_shared<const Certificate>(std::move(made));
  handshake_of(site).peer_chain = {leaf, issuer_fixture("impostor")};
  Evidence evidence = site.ready();
  std::erase_if(evidence.signatures, [&](const SignatureProof& proof) { return proof.child == leaf->sha256; });
  for (const char* issuer : {"impostor", "redeployment-b"}) {
    const CertificateRef by = issuer_fixture(issuer);
    evidence.signatures.push_back(
        {leaf->sha256, by->spki_sha256,
         by == issuer_fixture("impostor") ? SignatureState::verified : SignatureState::failed});
  }
  normalise(evidence);
  const Report report = judge(evidence, checks::all());
  const Finding* several = find_code(report, "same-name-issuers.several-in-use");
  ASSERT_NE(several, nullptr);
  EXPECT_EQ(several->remedy.find("Issue the certificates"), std::string::npos) << several->remedy;
  EXPECT_NE(several->remedy.find("Nobody vouches for " + thumbprint(*issuer_fixture("impostor"))), std::string::npos)
      << several->remedy;
}

/// Nobody says what the Edge trusts. Of two chains to one key it refuses the one with `refused`, and lets the other in.
SmallSite of_two_chains(const char* refused, const char* let_in) {
  SmallSite site = healthy();
  site.evidence.identities.clear();
  site.own("reinstall-same-key-leaf");
  site.store("reinstall-same-key-a", StoreKind::intermediate, "CN=Issuing,CN=AIA,CN=x")
      .store("reinstall-same-key-b", StoreKind::intermediate, "CN=Issuing,CN=AIA,CN=x");
  site.evidence.site.servers[0].chain = ChainMode::from_stores;
  for (Server& server : site.evidence.site.servers) {
    if (server.role != Role::edge) continue;
    server.trusts.clear();
    server.intermediates.clear();
  }
  site.evidence.handshakes.push_back(handshake_of(site));
  end_at(site, Phase::confirm, Outcome::rejected_by_peer);
  handshake_of(site).alerts_received = {{48, true}};
  const char* issuers[] = {refused, let_in};
  for (std::size_t i = 0; i < 2; ++i) {
    Handshake& handshake = site.evidence.handshakes[i];
    handshake.variant = fmt::format("{}/2", i + 1);
    handshake.sent_chain = {issuer_fixture("reinstall-same-key-leaf"), issuer_fixture(issuers[i])};
  }
  return site;
}

TEST(Findings, OfTwoChainsTheOneThatIsLetInIsNotToBeTakenAway) {
  const std::string old = thumbprint(*issuer_fixture("reinstall-same-key-a"));
  for (const bool old_is_let_in : {true, false}) {
    const char* chains[] = {"reinstall-same-key-a", "reinstall-same-key-b"};
    SmallSite site = of_two_chains(chains[old_is_let_in ? 1 : 0], chains[old_is_let_in ? 0 : 1]);
    const Report report = report_of(site);
    const Finding* stale = find_code(report, "same-name-issuers.stale");
    const Finding* rejected = find_code(report, "handshake.rejected-by-peer");
    ASSERT_NE(stale, nullptr);
    ASSERT_NE(rejected, nullptr);
    const std::string says =
        old_is_let_in ? "(" + old + "): take nothing of it away" : "what same-name-issuers says may go";
    EXPECT_NE(rejected->remedy.find(says), std::string::npos) << rejected->remedy;
    EXPECT_EQ(stale->remedy.find("pick " + old) != std::string::npos, !old_is_let_in) << stale->remedy;
  }
}

TEST(Findings, WhatGroupPolicyDistributesIsTakenOutThere) {
  SmallSite site = healthy();
  site.store("redeployment-a", StoreKind::intermediate, "fe1.reg");
  site.evidence.site.stores = {{"ad", StoreKind::mixed, "fe1.contoso.example", false}};
  EntryProperties policy;
  policy.origin = StoreOrigin::group_policy;
  policy.windows_store = "CA";
  policy.friendly_name = "the old one";
  policy.archived = true;
  site.evidence.stores[0].entries.back().properties = std::make_shared<EntryProperties>(policy);
  const Report report = report_of(site);
  const Finding* stale = nullptr;
  for (const CheckResult& check : report.checks) {
    for (const Finding& finding : check.verdict.findings) {
      if (std::string_view{finding.code} == "same-name-issuers.stale") stale = &finding;
    }
  }
  ASSERT_NE(stale, nullptr);
  const std::string print = thumbprint(*issuer_fixture("redeployment-a"));
  EXPECT_NE(stale->remedy.find("in the group policy that gives fe1.contoso.example its store CA: remove " + print),
            std::string::npos)
      << stale->remedy;
  EXPECT_EQ(stale->remedy.find("-delstore"), std::string::npos) << "would come back: " << stale->remedy;
  EXPECT_NE(std::find(stale->facts.begin(), stale->facts.end(),
                      "  in ad: fe1.reg; group policy store CA: comes back at the next refresh; archived; friendly "
                      "name 'the old one'"),
            stale->facts.end());
}

TEST(Findings, AnUntrustedCertificateIsNoIssuer) {
  // The stale one stands among the untrusted ones only: no chain can take it, and nothing has to be removed.
  SmallSite site = healthy();
  site.store("redeployment-a", StoreKind::disallowed, "fe1.reg");
  const Report report = report_of(site);
  for (const CheckResult& check : report.checks) {
    for (const Finding& finding : check.verdict.findings) ADD_FAILURE() << finding.code << ": " << finding.summary;
  }
}

TEST(Findings, AUsersOwnStoreFeedsNoService) {
  SmallSite site = healthy();
  EntryProperties own;
  own.origin = StoreOrigin::user;
  for (StoreEntry& entry : site.evidence.stores[0].entries) entry.properties = std::make_shared<EntryProperties>(own);
  EXPECT_EQ(report_of(site).status, Status::critical);
  own.origin = StoreOrigin::local;
  for (StoreEntry& entry : site.evidence.stores[0].entries) entry.properties = std::make_shared<EntryProperties>(own);
  EXPECT_EQ(report_of(site).status, Status::ok);
}

TEST(Findings, AStoreThatWasNotReadToItsEndIsNotCalledEmpty) {
  SmallSite site = healthy();
  StoreContents& listed = site.evidence.stores.emplace_back();
  listed.store = "fe1-listed";
  listed.truncated = "fe1.txt: certutil's text names 2 certificates and holds not one";
  const Report report = report_of(site);
  EXPECT_EQ(report.status, Status::unknown);
  for (const CheckResult& check : report.checks) {
    for (const Finding& finding : check.verdict.findings) ADD_FAILURE() << finding.code << ": " << finding.summary;
  }
}

const CheckResult& result_of(const Report& report, std::string_view id) {
  return *std::find_if(report.checks.begin(), report.checks.end(), [&](const CheckResult& c) { return c.id == id; });
}

struct WeakCase {
  const char* name;
  bool of_root;  ///< else of the leaf
  std::function<void(Certificate&)> change;
  bool told;
};
class WeakTest : public testing::TestWithParam<WeakCase> {};
TEST_P(WeakTest, IsTold) {
  const WeakCase& c = GetParam();
  SmallSite site = healthy();
  CertificateRef& leaf = handshake_of(site).peer_chain.front();
  CertificateRef& root = site.evidence.stores[0].entries.front().certificate;
  changed(c.of_root ? root : leaf, c.change);
  const Report report = report_of(site);
  const auto& findings = result_of(report, "certification-path").verdict.findings;
  EXPECT_EQ(!findings.empty(), c.told);
  for (const Finding& finding : findings) EXPECT_EQ(finding.code, "certification-path.weak") << finding.summary;
}
INSTANTIATE_TEST_SUITE_P(
    Algorithms, WeakTest,
    testing::Values(
        WeakCase{"Md5", false, [](Certificate& c) { c.signature_algorithm = "md5WithRSAEncryption"; }, true},
        WeakCase{"Pss", false, [](Certificate& c) { c.signature_algorithm = "RSASSA-PSS"; }, true},
        WeakCase{"Sha1", false, [](Certificate& c) { c.signature_algorithm = "sha1WithRSAEncryption"; }, false},
        WeakCase{"Md5OfTheRoot", true, [](Certificate& c) { c.signature_algorithm = "md5WithRSAEncryption"; }, false},
        WeakCase{"ShortKeyOfTheRoot", true,
                 [](Certificate& c) {
                   c.key_algorithm = "RSA";
                   c.key_bits = 768;
                 },
                 true},
        WeakCase{"Bits1024", false,
                 [](Certificate& c) {
                   c.key_algorithm = "RSA";
                   c.key_bits = 1024;
                 },
                 false}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(Findings, WhatIsDamagedInAStoreMayBeWhatTheyLookFor) {
  SmallSite site = healthy();
  site.evidence.stores[0].unreadable.push_back({"CN=x,CN=AIA", "truncated at byte 12"});
  const Report report = report_of(site);
  EXPECT_EQ(report.status, Status::warning) << "store-contents says what to do";
  EXPECT_EQ(result_of(report, "same-name-issuers").status, Status::unknown);
  EXPECT_EQ(result_of(report, "store-contents").status, Status::warning);
  EXPECT_EQ(result_of(report, "certification-path").status, Status::ok) << "a path stands without it";
}

TEST(Findings, AnEdgeOfAPoolMustBeNamedByThePool) {
  SmallSite site = healthy();
  site.evidence.site.servers[1].pool = "edgepool.contoso.example";
  changed(handshake_of(site).peer_chain.front(),
          [](Certificate& c) { c.dns_names.push_back("edge1.contoso.example"); });
  const Report report = report_of(site);
  const CheckResult& names = result_of(report, "certificate-names");
  ASSERT_EQ(names.verdict.findings.size(), 1U);
  EXPECT_EQ(names.verdict.findings[0].code, "certificate-names.incomplete");
  EXPECT_EQ(names.verdict.findings[0].summary,
            "the certificate of edge1.contoso.example lacks edgepool.contoso.example");
  // In a pool, its own name is nobody's concern.
  site.evidence.site.servers[1].pool = "pool.contoso.example";
  EXPECT_EQ(result_of(report_of(site), "certificate-names").status, Status::ok);
}

TEST(Findings, AnExpiredFileOfAServerThatPresentsAnotherIsNoOutage) {
  SmallSite site = healthy();
  CertificateRef old = issuer_fixture("redeployment-leaf-keyid");
  changed(old, [&](Certificate& c) { c.not_after = site.evidence.collected_at - std::chrono::days{1}; });
  site.evidence.identities.push_back({"edge1.contoso.example", old, {}, false});
  const auto validity = [&] { return result_of(report_of(site), "validity"); };
  const CheckResult superseded = validity();
  ASSERT_EQ(superseded.verdict.findings.size(), 1U);
  EXPECT_EQ(superseded.verdict.findings[0].code, "validity.expired");
  EXPECT_EQ(superseded.status, Status::warning);
  EXPECT_NE(superseded.verdict.findings[0].remedy.find("Replace the file"), std::string::npos);
  // Not seen on the wire, the file is all there is.
  handshake_of(site).peer_chain.clear();
  end_at(site, Phase::connect, Outcome::refused);
  EXPECT_EQ(validity().status, Status::critical);
}

struct ClockRow {
  const char* name;
  std::optional<int> date;    ///< seconds ahead of ours
  std::optional<int> expiry;  ///< likewise, of the granted time behind ours
  bool differs;
};
class ClockTest : public testing::TestWithParam<ClockRow> {};

TEST_P(ClockTest, IsHeldAgainstOurs) {
  SmallSite site = healthy();
  MrasExchange& exchange = exchange_of(site);
  const UtcTime now = site.evidence.collected_at;
  exchange.answered_at = now;
  exchange.granted = exchange.asked = std::chrono::minutes{480};
  if (GetParam().date) exchange.date = now + std::chrono::seconds{*GetParam().date};
  if (GetParam().expiry)
    exchange.token_expiry = now + std::chrono::minutes{480} + std::chrono::seconds{*GetParam().expiry};
  std::vector<std::string> summaries;
  std::vector<double> metrics;
  std::vector<double> by_token;
  for (const CheckResult& check : report_of(site).checks) {
    for (const Finding& finding : check.verdict.findings) {
      if (std::string_view{finding.code} == "mras-credentials.clock-differs") summaries.push_back(finding.summary);
    }
    for (const Perfdata& value : check.verdict.perfdata) {
      if (value.label.starts_with("clock_")) metrics.push_back(value.value.value());
      if (value.label.starts_with("token_clock_")) by_token.push_back(value.value.value());
    }
  }
  EXPECT_EQ(summaries.size(), GetParam().differs ? 1U : 0U);
  EXPECT_EQ(by_token.size(), GetParam().date && GetParam().expiry ? 1U : 0U);
  for (const double seconds : by_token) EXPECT_EQ(seconds, *GetParam().expiry);
  const auto shown = GetParam().date ? GetParam().date : GetParam().expiry;
  if (shown && std::abs(*shown) < 86'400) {
    EXPECT_EQ(metrics, std::vector<double>{static_cast<double>(*shown)});
  } else {
    EXPECT_TRUE(metrics.empty());
  }
}
INSTANTIATE_TEST_SUITE_P(Clocks, ClockTest,
                         testing::Values(ClockRow{"Same", 0, {}, false}, ClockRow{"AMinuteIsFine", -60, {}, false},
                                         ClockRow{"Ahead", 61, {}, true}, ClockRow{"Behind", -61, {}, true},
                                         ClockRow{"ByTheExpiry", {}, 3600, true},
                                         ClockRow{"ByTheDateRatherThanTheExpiry", 1, 3600, false},
                                         ClockRow{"ADayOffIsAnotherForm", {}, 86'400, false},
                                         ClockRow{"NothingToGoBy", {}, {}, false}),
                         [](const auto& row) { return row.param.name; });

std::vector<Finding> mras_findings(SmallSite site) {
  std::vector<Finding> found;
  for (const CheckResult& check : report_of(site).checks) {
    for (const Finding& finding : check.verdict.findings) {
      if (finding.code.starts_with("mras-credentials.")) found.push_back(finding);
    }
  }
  return found;
}

/// A pool of two Edges that are asked for both locations; the users stand in their credentials as given.
SmallSite pool_of_two(std::array<const char*, 4> clients) {
  SmallSite site = healthy();
  site.evidence.site.mras.location = MrasLocation::both;
  site.evidence.site.servers.push_back(site.evidence.site.servers[1]);
  site.evidence.site.servers.back().name = "edge2.contoso.example";
  site.evidence.site.links.push_back(site.evidence.site.links[0]);
  site.evidence.site.links.back().to = "edge2.contoso.example";
  site.evidence.handshakes.push_back(handshake_of(site));
  site.evidence.handshakes.back().to = "edge2.contoso.example";
  for (std::size_t i = 0; i < 2; ++i) {
    Handshake& handshake = site.evidence.handshakes[i];
    handshake.mras->location = MrasLocation::intranet;
    handshake.mras->token_client = clients[2 * i];
    MrasExchange& other = handshake.further.emplace_back(*handshake.mras);
    other.location = MrasLocation::internet;
    other.relays.front().location = "internet";
    other.token_client = clients[2 * i + 1];
  }
  return site;
}

struct KeysRow {
  const char* name;
  std::array<const char*, 4> clients;
  bool differ;
};
class PoolKeys : public testing::TestWithParam<KeysRow> {};

TEST_P(PoolKeys, ShowInHowTheUserStandsInTheCredentials) {
  const auto found = mras_findings(pool_of_two(GetParam().clients));
  ASSERT_EQ(found.size(), GetParam().differ ? 1U : 0U);
  if (!GetParam().differ) return;
  EXPECT_EQ(found[0].code, "mras-credentials.pool-differs");
  EXPECT_NE(found[0].summary.find("probably made with different keys"), std::string::npos);
  EXPECT_EQ(found[0].facts.size(), 2U);
}
INSTANTIATE_TEST_SUITE_P(Pools, PoolKeys,
                         testing::Values(KeysRow{"Same", {"aa", "aa", "aa", "aa"}, false},
                                         KeysRow{"Different", {"aa", "aa", "bb", "bb"}, true},
                                         KeysRow{"AnotherEachTime", {"aa", "ab", "ba", "bb"}, false},
                                         KeysRow{"OneThatChanges", {"aa", "aa", "ba", "bb"}, false},
                                         KeysRow{"Opaque", {"", "", "", ""}, false},
                                         KeysRow{"OneOpaque", {"aa", "aa", "", ""}, false}),
                         [](const auto& row) { return row.param.name; });

TEST(Findings, WhatIsTheSameForBothLocationsIsSaidOnce) {
  SmallSite site = pool_of_two({"", "", "", ""});
  for (MrasExchange* exchange : {&*handshake_of(site).mras, &handshake_of(site).further[0]})
    exchange->reason_phrase = "Not Supported";
  const auto found = mras_findings(site);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].code, "mras-credentials.refused");
  EXPECT_EQ(found[0].facts.back(), "it is the same for the internet");
}

TEST(Findings, ALocationThatIsRefusedAloneIsNamed) {
  SmallSite site = pool_of_two({"", "", "", ""});
  handshake_of(site).further[0].reason_phrase = "Forbidden";
  const auto found = mras_findings(site);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].code, "mras-credentials.refused");
  EXPECT_EQ(found[0].facts.back(), "asked for the internet");
}

TEST(Findings, ALocationThatWasNotAskedIsNotFine) {
  SmallSite site = pool_of_two({"", "", "", ""});
  handshake_of(site).further.clear();
  const auto found = mras_findings(site);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.back().code, "mras-credentials.not-asked");
  EXPECT_EQ(found.back().status, Status::unknown);
  EXPECT_NE(found.back().facts.back().find("credentials for the internet"), std::string::npos);
}

TEST(Findings, AThresholdThatIsTheWrongWayRoundIsExplained) {
  SmallSite site = healthy();
  site.evidence.site.policy.thresholds["expiry"].warning = parse_range("7").value();
  std::vector<std::string> remedies;
  for (const CheckResult& check : report_of(site).checks) {
    for (const Finding& finding : check.verdict.findings) {
      if (std::string_view{finding.code} == "validity.expires-soon") remedies.push_back(finding.remedy);
    }
  }
  ASSERT_FALSE(remedies.empty());
  for (const std::string& remedy : remedies) EXPECT_NE(remedy.find("write 7:"), std::string::npos) << remedy;
}

TEST(Findings, TheLabelOfAServerDoesNotDependOnItsCertificate) {
  for (const unsigned first : {0U, 255U}) {
    SmallSite site = healthy();
    Server other = site.evidence.site.servers[1];
    other.name = "edge1.fabrikam.example";
    site.evidence.site.servers.push_back(other);
    CertificateRef certificate = issuer_fixture("redeployment-leaf-keyid");
    changed(certificate, [&](Certificate& c) {
      c.not_after = site.evidence.collected_at + std::chrono::days{100};
      c.sha256[0] = static_cast<std::uint8_t>(first);  // before and behind the other one
    });
    site.evidence.identities.push_back({other.name, certificate, {}, false});
    const Report report = report_of(site);
    std::map<std::string, double> days;
    for (const Perfdata& one : result_of(report, "validity").verdict.perfdata) days[one.label] = *one.value;
    EXPECT_EQ(days.at("days_edge1_2"), 100) << "contoso comes before fabrikam";
    EXPECT_GT(days.at("days_edge1"), 100);
  }
}

TEST(Findings, AnExtensionThatNobodyHereEvaluatesDecidesNothing) {
  SmallSite site = healthy();
  changed(handshake_of(site).peer_chain.front(), [](Certificate& c) { c.unknown_critical = {"1.2.3.4"}; });
  const Report report = report_of(site);
  const CheckResult& path = result_of(report, "certification-path");
  ASSERT_EQ(path.verdict.findings.size(), 1U);
  EXPECT_EQ(path.verdict.findings[0].code, "certification-path.undecided");
  EXPECT_EQ(path.status, Status::unknown);
}

TEST(Findings, AStaleCertificateIsTakenOutOfTheAttributeThatItStandsIn) {
  SmallSite site = healthy();
  site.store("redeployment-a", StoreKind::intermediate,
             "CN=Redeployment CA,CN=AIA,DC=x (crossCertificatePair, issuedToThisCA)");
  const Report report = report_of(site);
  std::string remedy;
  for (const CheckResult& check : report.checks) {
    for (const Finding& finding : check.verdict.findings) {
      if (std::string_view{finding.code} == "same-name-issuers.stale") remedy = finding.remedy;
    }
  }
  EXPECT_NE(remedy.find("from crossCertificatePair of CN=Redeployment CA,CN=AIA,DC=x, the value that holds\n    " +
                        thumbprint(*issuer_fixture("redeployment-a"))),
            std::string::npos)
      << remedy;
  EXPECT_EQ(remedy.find("certutil -viewdelstore"), std::string::npos) << remedy;
}

TEST(Findings, WhoseIssuerIsNotEnrolledIsTold) {
  const auto told = [](const char* enrolled) {
    SmallSite site = healthy();
    site.store(enrolled, StoreKind::enrollment, "CN=Issuing,CN=Enrollment Services,CN=x");
    const Report report = report_of(site);
    const auto& notes = result_of(report, "store-hygiene").verdict.notes;
    return std::any_of(notes.begin(), notes.end(), [](const Note& note) {
      return note.text.find("is not in Enrollment Services") != std::string::npos;
    });
  };
  EXPECT_TRUE(told("redeployment-a"));
  EXPECT_FALSE(told("redeployment-b"));
}

TEST(Findings, ARootThatOnlySaysThatItSignedItselfIsNone) {
  SmallSite site = healthy();
  site.store("redeployment-b", StoreKind::root, "CN=pretends");
  changed(site.evidence.stores[0].entries.back().certificate, [](Certificate& c) {
    c.sha256[0] ^= 0xFFU;
    c.subject = test::issuer_fixture("impostor")->subject;
    c.issuer = c.subject;
    c.authority_key_id.reset();
  });
  const Report report = report_of(site);
  const Finding* found = find_code(report, "store-hygiene.not-self-signed-root");
  ASSERT_NE(found, nullptr);
  ASSERT_FALSE(found->facts.empty());
  EXPECT_NE(found->facts.front().find("CN=pretends"), std::string::npos) << found->facts.front();
}

class FindingTest : public testing::TestWithParam<Change> {};
TEST_P(FindingTest, IsRaisedByTheChangeThatCallsForIt) {
  const Change& change = GetParam();
  SmallSite site = healthy();
  change.apply(site);
  const Report report = report_of(site);
  const Finding* raised = nullptr;
  std::string others;
  for (const CheckResult& check : report.checks) {
    for (const Finding& finding : check.verdict.findings) {
      others += fmt::format("{}: {}\n", finding.code, finding.summary);
      if (finding.code == change.code) raised = &finding;
    }
  }
  ASSERT_NE(raised, nullptr) << "raised instead:\n" << others;
  EXPECT_EQ(to_string(raised->status), to_string(change.status));
  EXPECT_FALSE(raised->about.empty());
  EXPECT_FALSE(raised->summary.empty());
  EXPECT_FALSE(raised->remedy.empty()) << "a finding tells what to do";
  EXPECT_FALSE(raised->citation.document.empty());
  EXPECT_GE(report.status, change.status);
}
INSTANTIATE_TEST_SUITE_P(Changes, FindingTest, testing::ValuesIn(changes()), [](const auto& row) {
  std::string name = row.param.code;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
});

TEST(Findings, EveryCodeOfEveryCheckIsTried) {
  std::set<std::string_view> tried;
  for (const Change& change : changes()) tried.insert(change.code);
  std::set<std::string_view> known;
  for (const Check* check : checks::all()) {
    for (const FindingKind& kind : check->kinds) known.insert(kind.code);
  }
  EXPECT_EQ(tried, known);
}

TEST(Findings, TheOrderOfEvidenceChangesNothing) {
  for (const Change& change : changes()) {
    SmallSite site = healthy();
    change.apply(site);
    const Evidence forth = site.ready();
    Evidence back = forth;
    std::reverse(back.handshakes.begin(), back.handshakes.end());
    std::reverse(back.stores.begin(), back.stores.end());
    for (StoreContents& store : back.stores) {
      std::reverse(store.entries.begin(), store.entries.end());
      std::reverse(store.crls.begin(), store.crls.end());
    }
    normalise(back);
    const Report a = judge(forth, checks::all());
    const Report b = judge(back, checks::all());
    ASSERT_EQ(a.checks.size(), b.checks.size());
    for (std::size_t i = 0; i < a.checks.size(); ++i) {
      const auto& x = a.checks[i].verdict.findings;
      const auto& y = b.checks[i].verdict.findings;
      ASSERT_EQ(x.size(), y.size()) << change.code;
      for (std::size_t k = 0; k < x.size(); ++k) {
        EXPECT_EQ(x[k].summary, y[k].summary) << change.code;
        EXPECT_EQ(x[k].facts, y[k].facts) << change.code;
      }
    }
  }
}

TEST(Findings, ASevereOneExistsExactlyWhenThePathIsInvalid) {
  for (const Change& change : changes()) {
    SmallSite site = healthy();
    change.apply(site);
    const Evidence evidence = site.ready();
    const auto judgements = judge_paths(evidence, recorded_oracle(evidence.signatures));
    const bool invalid = std::any_of(judgements.begin(), judgements.end(), [](const PathJudgement& j) {
      return j.trust_configured && j.missing_stores.empty() && !j.result.trusted() && !j.result.paths.undecided();
    });
    const Report report = judge(evidence, checks::all());
    const auto path_check = std::find_if(report.checks.begin(), report.checks.end(),
                                         [](const CheckResult& c) { return c.id == "certification-path"; });
    ASSERT_NE(path_check, report.checks.end());
    EXPECT_EQ(path_check->status == Status::critical, invalid) << change.code;
  }
}

struct IdentityCase {
  const char* name;
  TrialKind kind;
  Role role;
  bool asked;
  Outcome outcome;
  Status status;
};
class IdentityTest : public testing::TestWithParam<IdentityCase> {};

TEST_P(IdentityTest, IsJudgedByWhoCame) {
  const IdentityCase& c = GetParam();
  SmallSite site = healthy();
  Trial& trial = tried(site, c.kind, c.outcome);
  trial.expect = expected(c.kind, c.role);
  trial.handshake.client_certificate_requested = c.asked;
  if (c.kind == TrialKind::expired) {
    trial.handshake.sent_chain = handshake_of(site).sent_chain;
    changed(trial.handshake.sent_chain.front(),
            [&](Certificate& own) { own.not_after = site.evidence.collected_at - std::chrono::days{1}; });
  }
  EXPECT_EQ(to_string(report_of(site).status), to_string(c.status));
}
INSTANTIATE_TEST_SUITE_P(
    Trials, IdentityTest,
    testing::Values(
        IdentityCase{"NobodyRefused", TrialKind::none, Role::edge, true, Outcome::rejected_by_peer, Status::ok},
        IdentityCase{"NobodyCutOff", TrialKind::none, Role::edge, true, Outcome::reset, Status::ok},
        IdentityCase{"NobodyLetIn", TrialKind::none, Role::edge, true, Outcome::completed, Status::critical},
        IdentityCase{"NobodyLetInByAFrontEnd", TrialKind::none, Role::front_end, true, Outcome::completed, Status::ok},
        IdentityCase{"ForeignRefused", TrialKind::foreign_ca, Role::edge, true, Outcome::rejected_by_peer, Status::ok},
        IdentityCase{"ForeignLetIn", TrialKind::foreign_ca, Role::edge, true, Outcome::completed, Status::critical},
        IdentityCase{"StaleLetIn", TrialKind::stale_ca, Role::edge, true, Outcome::completed, Status::warning},
        IdentityCase{"ExpiredRefused", TrialKind::expired, Role::edge, true, Outcome::closed, Status::ok},
        IdentityCase{"ExpiredLetIn", TrialKind::expired, Role::edge, true, Outcome::completed, Status::critical},
        IdentityCase{"ServerOnlyWithClientUsage", TrialKind::server_only, Role::edge, true, Outcome::completed,
                     Status::unknown},
        IdentityCase{"NoAnswer", TrialKind::foreign_ca, Role::edge, true, Outcome::timed_out, Status::unknown}),
    [](const auto& row) { return row.param.name; });

struct OurAlert {
  const char* name;
  Phase phase;
  std::uint8_t alert;
  const char* version;  ///< of TLS, as the ServerHello says
  const char* code;
};

/// What an alert of ours means: that nothing could be agreed on, or that what came was no sound TLS.
class OurAlerts : public testing::TestWithParam<OurAlert> {};

TEST_P(OurAlerts, AreNoVerdictOnACertificate) {
  const OurAlert& c = GetParam();
  SmallSite site = healthy();
  end_at(site, c.phase, Outcome::rejected_by_us);
  handshake_of(site).tls_version = c.version;
  handshake_of(site).alerts_sent = {{c.alert, true}};
  const Report report = report_of(site);
  std::set<std::string> codes;
  for (const CheckResult& result : report.checks) {
    for (const Finding& finding : result.verdict.findings) {
      if (finding.code.starts_with("handshake.")) codes.emplace(finding.code);
    }
  }
  EXPECT_TRUE(codes.contains(c.code)) << fmt::format("{}", fmt::join(codes, ", "));
  EXPECT_FALSE(codes.contains("handshake.rejected-by-us"));
}

INSTANTIATE_TEST_SUITE_P(
    Checks, OurAlerts,
    testing::Values(OurAlert{"NoVersionInCommon", Phase::tls, 70, "TLSv1", "handshake.no-common-tls"},
                    OurAlert{"NoVersionSeen", Phase::tls, 70, "", "handshake.no-common-tls"},
                    OurAlert{"NoCipherInCommon", Phase::tls, 40, "TLSv1.2", "handshake.no-common-tls"},
                    OurAlert{"RecordOfNoVersion", Phase::tls, 70, "TLSv1.2", "handshake.broken-tls"},
                    OurAlert{"MessageTooLong", Phase::tls, 47, "TLSv1.2", "handshake.broken-tls"},
                    OurAlert{"CertificateOfNothing", Phase::tls, 42, "TLSv1.2", "handshake.broken-tls"},
                    OurAlert{"RecordTooLong", Phase::tls, 22, "", "handshake.broken-tls"},
                    OurAlert{"GarbageInside", Phase::confirm, 70, "TLSv1.3", "handshake.broken-tls"}),
    [](const auto& row) { return row.param.name; });

TEST(Findings, WhatAServerAgreesToIsHeldAgainstWindows) {
  SmallSite site = healthy();
  agreed(site, TlsVersion::tls_1_2, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", true);
  for (Server& server : site.evidence.site.servers) server.patch_level.clear();
  const auto codes = [&] {
    std::set<std::string> found;
    for (const CheckResult& check : report_of(site).checks) {
      for (const Finding& finding : check.verdict.findings) found.insert(finding.summary);
    }
    return found;
  };
  const std::string too_old =
      "edge1.contoso.example agrees to no cipher suite that Windows Server 2012 R2 has enabled by default";
  EXPECT_EQ(codes(), std::set<std::string>{too_old});
  site.evidence.site.servers[0].patch_level = "7.0.2046.123";
  EXPECT_FALSE(codes().contains(too_old)) << "Skype for Business Server 2019 runs on nothing so old";
}

/// The finding of that code; nothing when there is none.
std::optional<Finding> found_in(const Report& report, std::string_view code) {
  for (const CheckResult& check : report.checks) {
    for (const Finding& finding : check.verdict.findings) {
      if (finding.code == code) return finding;
    }
  }
  return std::nullopt;
}

bool has_fact(const Finding& finding, std::string_view words) {
  return std::any_of(finding.facts.begin(), finding.facts.end(),
                     [&](const std::string& fact) { return fact.find(words) != std::string::npos; });
}

TEST(Findings, ExportsOfVersionsCountLikeTheConfiguration) {
  SmallSite site = healthy();
  for (Server& server : site.evidence.site.servers) server.patch_level.clear();
  site.evidence.patches = {
      {"fe1.contoso.example", "fe1.txt", PatchSource::report, {{"Lync Server 2013, Core Components", "5.0.8308.992"}}},
      {"edge1.contoso.example",
       "edge1.reg",
       PatchSource::registry,
       {{"Microsoft Lync Server 2013, Core Components", "5.0.8308.0"}}}};
  const auto behind = found_in(report_of(site), "server-versions.edge-behind");
  ASSERT_TRUE(behind);
  EXPECT_EQ(behind->status, Status::warning);
  EXPECT_TRUE(has_fact(*behind, "edge1.contoso.example: 5.0.8308.0 (Lync Server 2013, the first release"));
  EXPECT_FALSE(has_fact(*behind, "suspect")) << "nothing failed";
}

TEST(Findings, AnEdgeBehindIsTheSuspectWhereATraceHoldsThatAnswer) {
  SmallSite site = healthy();
  site.evidence.site.servers[0].patch_level = "7.0.2046.830";
  TracedRequests& group = traced(site, TraceOutcome::failed);
  group.answer.diagnostics = {{2, "", {{"HRESULT", "0xC3E93C69(SIPPROXY_E_CONNECTION_FAILED)"}}}};
  const Report report = report_of(site);
  const auto behind = found_in(report, "server-versions.edge-behind");
  ASSERT_TRUE(behind);
  EXPECT_TRUE(has_fact(*behind, "the known suspect; that it is the cause is not shown"));
  ASSERT_EQ(report.causes.size(), 1U);
  EXPECT_FALSE(report.causes[0].shown);
  EXPECT_NE(report.causes[0].summary.find("probably because edge1.contoso.example has fewer updates"),
            std::string::npos)
      << report.causes[0].summary;
}

TEST(Findings, ARequestThatNeverCameBelongsToWhatStandsInItsWay) {
  SmallSite site = healthy();
  Handshake& handshake = site.evidence.handshakes[0];
  handshake.phase = Phase::connect;
  handshake.outcome = Outcome::refused;
  handshake.mras.reset();
  TracedRequests& group = traced(site, TraceOutcome::failed);
  group.never_reached = group.left_without = 2;
  const Report report = report_of(site);
  ASSERT_EQ(report.causes.size(), 1U);
  std::vector<std::string_view> symptoms;
  for (const FindingRef& at : report.causes[0].symptoms)
    symptoms.push_back(report.checks[at.check].verdict.findings[at.finding].code);
  EXPECT_NE(std::find(symptoms.begin(), symptoms.end(), "mras-traces.never-reached"), symptoms.end());
  const FindingRef root = report.causes[0].root;
  EXPECT_EQ(report.checks[root.check].verdict.findings[root.finding].code, "port-reachable.refused");
}

TEST(Findings, AnEdgeWithoutATraceMayHaveGotWhatAnotherDidNot) {
  SmallSite site = healthy();
  Server other = site.evidence.site.servers[1];
  other.name = "edge2.contoso.example";
  site.evidence.site.servers.push_back(other);
  TracedRequests& group = traced(site, TraceOutcome::failed);
  group.to = other.pool;
  group.never_reached = 2;
  const auto never = found_in(report_of(site), "mras-traces.never-reached");
  ASSERT_TRUE(never);
  EXPECT_NE(never->summary.find("for pool.contoso.example never reached edge1.contoso.example"), std::string::npos)
      << never->summary;
  EXPECT_TRUE(has_fact(*never, "of edge2.contoso.example there is no trace here"));
}

TEST(Findings, WhatATraceSaysOfAPasserbyIsNoOnesFault) {
  SmallSite site = healthy();
  TracedRequests& group = traced(site, TraceOutcome::failed);
  group.to = "edge7.fabrikam.example";
  group.never_reached = 1;
  const auto never = found_in(report_of(site), "mras-traces.never-reached");
  ASSERT_TRUE(never);
  EXPECT_EQ(never->status, Status::warning);
  EXPECT_EQ(never->servers, std::vector<std::string>{"fe1.contoso.example"});
  EXPECT_NE(never->summary.find("edge7.fabrikam.example"), std::string::npos);
}

}  // namespace
}  // namespace mrascheck

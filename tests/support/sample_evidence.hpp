// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/evidence.hpp"

namespace mrascheck::test {

/// Not a certificate, but as good as one where only its bytes and its SHA-256 matter: both are made from `word`.
inline CertificateRef sample_certificate(std::string_view word) {
  auto certificate = std::make_shared<Certificate>();
  certificate->der.assign(word.begin(), word.end());
  std::uint32_t state = 2166136261U;
  for (std::size_t i = 0; i < certificate->sha256.size() + word.size(); ++i) {
    state = (state ^ static_cast<std::uint8_t>(word[i % word.size()])) * 16777619U;
    certificate->sha256[i % certificate->sha256.size()] ^= static_cast<std::uint8_t>(state >> 24U);
  }
  certificate->subject = Name{{.text = "CN=" + std::string(word), .common_name = word}};
  return certificate;
}

/// The same for a revocation list.
inline CrlRef sample_crl(std::string_view word) {
  auto crl = std::make_shared<Crl>();
  crl->der.assign(word.begin(), word.end());
  crl->sha256 = sample_certificate(word)->sha256;
  crl->issuer = Name{{.text = "CN=" + std::string(word)}};
  return crl;
}

inline Name sample_name(std::string_view word) {
  ByteString der{0x30, static_cast<std::uint8_t>(word.size())};
  der.insert(der.end(), word.begin(), word.end());
  const std::string opaque = std::string("\x02\xFF\x00", 3) + std::string(word);  // neither text nor free of zeros
  return Name{{.der = der, .canonical = opaque, .text = "CN=" + std::string(word), .common_name = word}};
}

/// Evidence in which no member has its default value and each list has several items, out of order.
inline Evidence sample_evidence() {
  const auto root = sample_certificate("root");
  const auto old_ca = sample_certificate("issuing-old");
  const auto new_ca = sample_certificate("issuing-new");
  const auto fe1 = sample_certificate("fe1");
  const auto edge1 = sample_certificate("edge1");

  Evidence e;
  e.collected_at = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::hours{9};
  e.vantage = "fe1.contoso.example";
  e.site.name = "contoso";
  e.site.stores = {{"ad", StoreKind::mixed, "", true},
                   {"fe1-root", StoreKind::root, "fe1.contoso.example", false},
                   {"edge1-root", StoreKind::root, "edge1.contoso.example", false}};
  e.site.servers = {{"fe1.contoso.example",
                     Role::front_end,
                     "pool.contoso.example",
                     "fe1-int.contoso.example",
                     {},
                     {"fe1-root"},
                     {"ad"},
                     ChainMode::from_stores,
                     true,
                     "6.0.9319.0",
                     Profile::lync2013},
                    {"edge1.contoso.example",
                     Role::edge,
                     "edges.contoso.example",
                     "",
                     {"192.0.2.1", "2001:db8::1"},
                     {"edge1-root"},
                     {},
                     ChainMode::as_given,
                     false,
                     ""}};
  e.site.links = {{"fe1.contoso.example", "edge1.contoso.example", 5062, Service::mras, Expectation::accept},
                  {"edge1.contoso.example", "fe1.contoso.example", 5061, Service::tls, Expectation::refuse,
                   TlsRange{TlsVersion::tls_1_0, TlsVersion::tls_1_1}, "", Profile::ocs2007r2}};
  e.site.mras = {"sip:probe@contoso.example",           MrasLocation::internet, std::chrono::minutes{60},
                 "sip:mras@edges.contoso.example;gruu", Profile::sfb,           true};
  e.site.policy.thresholds["expiry"] = {Range{30, std::numeric_limits<double>::infinity(), false},
                                        Range{-std::numeric_limits<double>::infinity(), 10.5, true}};
  e.site.policy.revocation = RevocationMode::hard;
  e.site.policy.thresholds["tls-time"] = {Range{0, 1, false}, {}};

  e.stores = {{"fe1-root",
               "/srv/export/fe1-root.pem",
               {{root, StoreKind::root, "/srv/export/fe1-root.pem", 0,
                 std::make_shared<EntryProperties>(EntryProperties{StoreOrigin::group_policy,
                                                                   "Root",
                                                                   "the root",
                                                                   true,
                                                                   std::vector<std::string>{server_auth_oid},
                                                                   {client_auth_oid},
                                                                   "Microsoft Software Key Storage Provider",
                                                                   "CNG"})}},
               {{"/srv/export/fe1-root.pem", "block 3: truncated at byte 412"}},
               {},
               "",
               {},
               {{"/srv/export/fe1-root.pem", "the key is named 01, and the certificate 02"},
                {"/srv/export/", "0a1b2c3d.2 without .1"}},
               {{sample_crl("list"), "/srv/export/fe1-root.pem", 0}}},
              {"ad",
               "ldap://dc1.contoso.example",
               {{old_ca, StoreKind::intermediate, "CN=Issuing,CN=AIA", 1},
                {new_ca, StoreKind::intermediate, "CN=Issuing,CN=AIA", 0},
                {root, StoreKind::root, "CN=Root,CN=Certification Authorities", 0},
                {new_ca, StoreKind::ntauth, "CN=NTAuthCertificates", 0},
                {new_ca, StoreKind::enrollment, "CN=Issuing,CN=Enrollment Services", 0}},
               {{"CN=Broken,CN=AIA", "value 2: not a certificate"}, {"CN=Broken,CN=AIA", "value 1: empty"}},
               {"ldap://dc2.contoso.example/CN=AIA", "ldap://dc0.contoso.example/CN=AIA"},
               "the server gives 1000 at most",
               {"the 2nd of 2 servers answered", "12 values left out"},
               {},
               {{sample_crl("newer-list"), "CN=Issuing,CN=CDP", 1}, {sample_crl("list"), "CN=Issuing,CN=CDP", 0}}}};
  e.identities = {{"edge1.contoso.example", edge1, {new_ca}, false},
                  {"fe1.contoso.example", fe1, {old_ca, root}, true, "Microsoft Software Key Storage Provider"}};
  e.resolutions = {{"edge1.contoso.example", {"2001:db8::1", "192.0.2.1"}, false, true, ""},
                   {"fe1-int.contoso.example", {}, true, false, "Domain name not found"}};

  Handshake h;
  h.from = "fe1.contoso.example";
  h.to = "edge1.contoso.example";
  h.address = "192.0.2.1";
  h.port = 5062;
  h.variant = "1/2";
  h.phase = Phase::sip;
  h.outcome = Outcome::rejected_by_peer;
  h.detail = "tlsv1 alert unknown ca";
  h.connect_time = std::chrono::microseconds{1250};
  h.tls_time = std::chrono::microseconds{31'007};
  h.sip_time = std::chrono::microseconds{120'999};
  h.tls_version = "TLSv1.2";
  h.cipher = "ECDHE-RSA-AES256-GCM-SHA384";
  h.client_certificate_requested = true;
  h.accepted_issuers = {sample_name("Contoso Root"), sample_name("Another Root"), sample_name("Contoso Root")};
  h.accepted_issuer_count = 5;
  h.accepted_issuer_bytes = 411;
  h.alerts_sent = {{0, false}};
  h.alerts_received = {{48, true}, {255, false}};
  h.peer_chain = {edge1, new_ca};
  h.peer_chain_unreadable = {{"certificate 3", "truncated at byte 9"}};
  h.sent_chain = {fe1, old_ca};
  h.certificate_sent = true;
  h.secure_renegotiation = false;
  h.session_ticket = true;
  h.ocsp_staple = {0x30, 0x03, 0x0A, 0x01, 0x03};
  h.peer_answered = true;
  h.quiet_for = std::chrono::milliseconds{1000};
  MrasExchange m;
  m.method = "SERVICE";
  m.request_uri = "sip:edges.contoso.example@contoso.example;gruu;opaque=srvr:MRAS:x";
  m.answered = true;
  m.sip_status = 504;
  m.sip_reason = "Server time-out";
  m.server_banner = "RTC/6.0";
  m.diagnostics = {{1038, "7", {{"reason", "Failed to connect to a peer server"}, {"ErrorType", "10061"}}},
                   {2, "", {{"HRESULT", "0xC3E93C69"}}}};
  m.provisional = 1;
  m.strangers = 2;
  m.body_present = true;
  m.reason_phrase = "OK";
  m.version = "2.0";
  m.server_version = "3.0";
  m.relays = {{"intranet", "edges.contoso.example", true, 3478, {}},
              {"internet", "av.contoso.example", false, {}, 443}};
  m.asked = std::chrono::minutes{60};
  m.granted = std::chrono::minutes{480};
  m.realm = "rtcmedia";
  m.credentials_present = true;
  m.credentials_well_formed = true;
  m.date = e.collected_at + std::chrono::seconds{61};
  m.answered_at = e.collected_at + std::chrono::seconds{2};
  m.token_version = 2;
  m.token_expiry = e.collected_at + std::chrono::hours{8};
  m.token_client = "49fc3859a09e2f3a";
  m.location = MrasLocation::intranet;
  m.problem = "the body ends before its document does";
  h.mras = m;
  m.location = MrasLocation::internet;
  m.asked_again = true;
  h.further.push_back(m);
  Handshake refused;
  refused.from = "fe1.contoso.example";
  refused.to = "edge1.contoso.example";
  refused.address = "2001:db8::1";
  refused.port = 5062;
  refused.outcome = Outcome::refused;
  refused.detail = "Connection refused";
  Handshake quiet = h;
  quiet.from = "edge1.contoso.example";
  quiet.to = "fe1.contoso.example";
  quiet.port = 5061;
  quiet.variant = "";
  quiet.phase = Phase::done;
  quiet.outcome = Outcome::completed;
  quiet.mras->granted.reset();
  e.handshakes = {quiet, refused, h};
  Handshake tried = quiet;
  tried.accepted_issuers.clear();
  e.trials = {{TrialKind::with_root, "1/2", {}, tried}, {TrialKind::none, "", Expectation::refuse, refused}};
  e.offers = {{"fe1.contoso.example",
               "edge1.contoso.example",
               "192.0.2.1",
               5062,
               {{TlsVersion::tls_1_0, {}, false, "no answer in time"},
                {TlsVersion::tls_1_2, {"TLS_RSA_WITH_AES_128_CBC_SHA"}, true, "alert handshake_failure"}}}};

  e.ocsp = {{fe1, "http://ocsp.contoso.example/ocsp", false, true,
             OcspAnswer{OcspStatus::revoked, e.collected_at, e.collected_at - std::chrono::hours{1},
                        e.collected_at + std::chrono::hours{23}, e.collected_at - std::chrono::hours{48},
                        "keyCompromise", "CN=OCSP", OcspSigner::delegate, ""},
             "", ""},
            {new_ca,
             "http://ocsp.contoso.example/root",
             false,
             false,
             {},
             "not asked before the deadline of 50 s",
             "Give the run more time with --deadline."}};
  RelayLook accepted;
  accepted.from = "fe1.contoso.example";
  accepted.to = "edge1.contoso.example";
  accepted.link_port = 5062;
  accepted.granted_at = "192.0.2.1";
  accepted.relay = "edges.contoso.example";
  accepted.address = "2001:db8::7";
  accepted.port = 443;
  accepted.transport = RelayTransport::tcp;
  accepted.outcome = RelayOutcome::accepted;
  accepted.connect_time = std::chrono::microseconds{700};
  accepted.allocate_time = std::chrono::microseconds{2100};
  accepted.relayed = "[2001:db8::7]:50123";
  accepted.reflexive = "192.0.2.10:40000";
  accepted.lifetime = std::chrono::seconds{600};
  accepted.integrity = true;
  accepted.released = false;
  accepted.realm = "contoso.example";
  accepted.server = "MS-Version 2";
  accepted.alternate = "192.0.2.7:3478";
  accepted.detail = "not released: 437 No Binding";
  RelayLook rejected = accepted;
  rejected.address = "192.0.2.7";
  rejected.port = 3478;
  rejected.transport = RelayTransport::udp;
  rejected.dialect = RelayDialect::standard;
  rejected.outcome = RelayOutcome::credentials_rejected;
  rejected.error_code = 431;
  rejected.error_text = "Integrity Check Failure";
  rejected.lifetime.reset();
  rejected.released.reset();
  e.relays = {accepted, rejected};
  e.patches = {{"edge1.contoso.example",
                "/srv/export/edge1.html",
                PatchSource::report,
                {{"Skype for Business Server 2015, Core Components", "6.0.9319.102"}}},
               {"edge1.contoso.example",
                "/srv/export/edge1.reg",
                PatchSource::registry,
                {{"Skype for Business Server 2015, Core Components", "6.0.9319.0"}}}};
  const TraceTime asked{std::chrono::milliseconds{1'300'000'000'589}};
  TraceError expired;
  expired.grave = true;
  expired.text = "Message expired in the outbound queue before it could be sent";
  expired.result = "0xc3e93c69 SIPPROXY_E_CONNECTION_FAILED";
  expired.code = 0xC3E93C69;
  expired.data = "info=\"x\"";
  expired.peer = "edge1.contoso.example:5062";
  expired.count = 3;
  expired.loose = 1;
  expired.first = expired.last = {true, asked};
  TracedServer traced;
  traced.server = "fe1.contoso.example";
  traced.files = {"/srv/traces/fe1.txt"};
  traced.first = asked;
  traced.last = asked + std::chrono::minutes{5};
  traced.records = 900;
  traced.requests = 80;
  traced.errors_noted = 3;
  traced.other_timeouts = 2;
  traced.broken = 1;
  traced.errors = {expired};
  TracedRequests failed;
  failed.from = "fe1.contoso.example";
  failed.to = "edge1.contoso.example";
  failed.outcome = TraceOutcome::failed;
  failed.title = "504 Server time-out, ms-diagnostics 2, HRESULT 0xC3E93C69(SIPPROXY_E_CONNECTION_FAILED)";
  failed.answer.status = 504;
  failed.answer.reason = "Server time-out";
  failed.answer.diagnostics = {{2, "", {{"HRESULT", "0xC3E93C69(SIPPROXY_E_CONNECTION_FAILED)"}}}};
  failed.answer.relays = {"av.contoso.example"};
  failed.errors = {expired};
  failed.requests = 7;
  failed.users = 3;
  failed.left_without = 2;
  failed.never_reached = 4;
  failed.reached_unanswered = failed.reached_answered = failed.not_told = 1;
  failed.first = asked;
  failed.last = undated;
  failed.call_ids = {"00112233445566778899aabbccddeeff"};
  e.traced = {{traced},
              {failed},
              {{"edge1.contoso.example", "fe1.contoso.example", 12, true, std::chrono::milliseconds{-900},
                std::chrono::milliseconds{4}}}};

  e.signatures = {{new_ca->sha256, Sha256{1, 2, 3}, SignatureState::verified},
                  {fe1->sha256, Sha256{9}, SignatureState::failed},
                  {fe1->sha256, Sha256{1, 2, 3}, SignatureState::verified}};
  e.gaps = {{Needs::handshakes, "edge1.contoso.example -> fe1.contoso.example:5061", ErrorKind::timed_out,
             "the deadline came first", "Give the run more time with --deadline."},
            {Needs::stores, "edge1-root", ErrorKind::local, "/srv/export/edge1.pem: Permission denied",
             "Let this account read the file:\n  chmod g+r /srv/export/edge1.pem"}};
  return e;
}

}  // namespace mrascheck::test

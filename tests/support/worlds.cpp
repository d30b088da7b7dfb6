// SPDX-License-Identifier: Apache-2.0
#include "support/worlds.hpp"

#include <fmt/format.h>

#include <map>
#include <stdexcept>

#include "core/demands.hpp"
#include "x509/scan.hpp"

namespace mrascheck::test {

static x509::Scan scan_fixture(const std::string& file) {
  const auto content = sources::read_file(fmt::format("{}/fixtures/pki/{}.pem", MRASCHECK_SOURCE_DIR, file));
  if (!content) throw std::runtime_error(content.error().text);
  x509::Scan scan = x509::scan_certificates(*content);
  if (scan.certificates.size() + scan.crls.size() != 1) throw std::runtime_error(file + ": not one thing");
  return scan;
}

static CertificateRef certificate_fixture(const std::string& file) {
  static std::map<std::string, CertificateRef> known;
  static sources::CertificatePool pool;
  CertificateRef& found = known[file];
  if (found) return found;
  const auto certificate = pool.intern(scan_fixture(file).certificates.at(0).der);
  if (!certificate) throw std::runtime_error(certificate.error().text);
  found = *certificate;
  return found;
}

CertificateRef issuer_fixture(const std::string& name) {
  return certificate_fixture("issuers/" + name);
}

CertificateRef revocation_fixture(const std::string& name) {
  return certificate_fixture("revocation/" + name);
}

CrlRef crl_fixture(const std::string& name) {
  sources::CertificatePool pool;
  const auto crl = pool.intern_crl(scan_fixture("revocation/" + name).crls.at(0).der);
  if (!crl) throw std::runtime_error(crl.error().text);
  return *crl;
}

UtcTime issuers_clock() {
  return parse_iso8601("2026-06-01T00:00:00Z").value();
}

SmallSite::SmallSite() {
  evidence.collected_at = issuers_clock();
  evidence.vantage = "monitor";
  evidence.site.name = "Contoso";
  evidence.site.policy = Policy::defaults();
  StoreSpec directory;
  directory.name = "ad";
  directory.directory = true;
  evidence.site.stores.push_back(directory);
  Server front_end;
  front_end.name = "fe1.contoso.example";
  front_end.pool = "pool.contoso.example";
  front_end.trusts = {"ad"};
  front_end.has_identity = true;
  Server edge;
  edge.name = "edge1.contoso.example";
  edge.role = Role::edge;
  edge.trusts = {"ad"};
  evidence.site.servers = {front_end, edge};
  Link& link = evidence.site.links.emplace_back();
  link.from = front_end.name;
  link.to = edge.name;
  StoreContents& contents = evidence.stores.emplace_back();
  contents.store = "ad";
  contents.source = "ldap://dc1.contoso.example";
}

SmallSite& SmallSite::store(const std::string& fixture, StoreKind kind, const std::string& place) {
  auto& entries = evidence.stores.front().entries;
  entries.push_back({issuer_fixture(fixture), kind, place.empty() ? "CN=" + fixture : place, 0});
  return *this;
}

SmallSite& SmallSite::crl(const std::string& fixture) {
  evidence.stores.front().crls.push_back({crl_fixture(fixture), "CN=" + fixture + ",CN=CDP", 0});
  return *this;
}

SmallSite& SmallSite::own(const std::string& fixture) {
  evidence.identities.push_back({"fe1.contoso.example", issuer_fixture(fixture), {}, true});
  return *this;
}

Evidence SmallSite::ready() {
  crypto::SignatureVerifier verifier;
  demand_signatures(evidence, verifying_oracle(verifier));
  demand_crl_signatures(
      evidence, [&](const Crl& crl, const Certificate& issuer) { static_cast<void>(verifier.verify(crl, issuer)); });
  evidence.signatures = verifier.proofs();
  normalise(evidence);
  return evidence;
}

SignatureOracle verifying_oracle(crypto::SignatureVerifier& verifier) {
  return [&verifier](const Certificate& child, const Certificate& issuer) -> std::optional<SignatureState> {
    const auto state = verifier.verify(child, issuer);
    return state ? std::optional{*state} : std::nullopt;
  };
}

}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
#include "support/worlds.hpp"

#include <fmt/format.h>

#include <map>
#include <stdexcept>

#include "core/demands.hpp"
#include "x509/scan.hpp"

namespace mrascheck::test {

CertificateRef issuer_fixture(const std::string& name) {
  static std::map<std::string, CertificateRef> known;
  static sources::CertificatePool pool;
  CertificateRef& found = known[name];
  if (found) return found;
  const std::string path = fmt::format("{}/fixtures/pki/issuers/{}.pem", MRASCHECK_SOURCE_DIR, name);
  const auto content = sources::read_file(path);
  if (!content) throw std::runtime_error(content.error().text);
  const x509::Scan scan = x509::scan_certificates(*content);
  if (scan.certificates.size() != 1) throw std::runtime_error(path + ": not one certificate");
  const auto certificate = pool.intern(scan.certificates.front().der);
  if (!certificate) throw std::runtime_error(certificate.error().text);
  found = *certificate;
  return found;
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

SmallSite& SmallSite::own(const std::string& fixture) {
  evidence.identities.push_back({"fe1.contoso.example", issuer_fixture(fixture), {}, true});
  return *this;
}

Evidence SmallSite::ready() {
  crypto::SignatureVerifier verifier;
  demand_signatures(evidence, verifying_oracle(verifier));
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

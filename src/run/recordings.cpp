// SPDX-License-Identifier: Apache-2.0
#include "run/recordings.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <tuple>
#include <utility>

#include "core/demands.hpp"
#include "crypto/signature.hpp"
#include "json/evidence_json.hpp"
#include "sources/sources.hpp"

namespace mrascheck::run {

Result<Evidence> read_recordings(const std::vector<std::string>& paths) {
  sources::CertificatePool pool;
  return read_recordings(paths, pool);
}

Result<Evidence> read_recordings(const std::vector<std::string>& paths, sources::CertificatePool& pool) {
  std::vector<Evidence> recordings;
  for (const std::string& path : paths) {
    const auto content = sources::read_file(path);
    if (!content) return tl::unexpected(content.error());
    auto evidence = json::read_evidence(
        as_text(*content), path, [&pool](Bytes der) { return pool.intern(der); },
        [&pool](Bytes der) { return pool.intern_crl(der); });
    if (!evidence) return tl::unexpected(evidence.error());
    recordings.push_back(std::move(*evidence));
  }
  return merge(std::move(recordings));
}

void complete_proofs(Evidence& evidence, const Demand& demand) {
  const auto limit = Deadline::Clock::now() + std::chrono::minutes{1};
  crypto::SignatureVerifier verifier;
  const SignatureOracle recorded = recorded_oracle(evidence.signatures);
  demand(evidence, [&](const Certificate& child, const Certificate& issuer) -> std::optional<SignatureState> {
    if (const auto known = recorded(child, issuer)) return known;
    if (Deadline::Clock::now() >= limit) return std::nullopt;
    const Result<SignatureState> state = verifier.verify(child, issuer);
    return state ? std::optional{*state} : std::nullopt;
  });
  demand_crl_signatures(evidence, [&](const Crl& crl, const Certificate& issuer) {
    const bool known = recorded_state(evidence.signatures, crl.sha256, issuer.spki_sha256).has_value();
    if (!known && Deadline::Clock::now() < limit)
      static_cast<void>(verifier.verify(crl, issuer));  // unproved, if it cannot be
  });
  for (const SignatureProof& proof : verifier.proofs()) evidence.signatures.push_back(proof);
  std::sort(evidence.signatures.begin(), evidence.signatures.end(),
            [](const SignatureProof& a, const SignatureProof& b) {
              return std::tie(a.child, a.issuer_key) < std::tie(b.child, b.issuer_key);
            });
}

tl::expected<CertificateRef, IdentityError> try_identity(const IdentitySource& source) {
  sources::CertificatePool pool;
  return sources::load_identity(source, pool).map([](const sources::LoadedIdentity& loaded) {
    return loaded.identity.certificate;
  });
}

}  // namespace mrascheck::run

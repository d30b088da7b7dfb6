// SPDX-License-Identifier: Apache-2.0
#include "run/recordings.hpp"

#include "json/evidence_json.hpp"
#include "sources/sources.hpp"

namespace mrascheck::run {

Result<Evidence> read_recordings(const std::vector<std::string>& paths) {
  sources::CertificatePool pool;
  std::vector<Evidence> recordings;
  for (const std::string& path : paths) {
    const auto content = sources::read_file(path);
    if (!content) return tl::unexpected(content.error());
    auto evidence = json::read_evidence(as_text(*content), path, [&pool](Bytes der) { return pool.intern(der); });
    if (!evidence) return tl::unexpected(evidence.error());
    recordings.push_back(std::move(*evidence));
  }
  return merge(std::move(recordings));
}

tl::expected<CertificateRef, IdentityError> try_identity(const IdentitySource& source) {
  sources::CertificatePool pool;
  return sources::load_identity(source, pool).map([](const sources::LoadedIdentity& loaded) {
    return loaded.identity.certificate;
  });
}

}  // namespace mrascheck::run

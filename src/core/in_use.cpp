// SPDX-License-Identifier: Apache-2.0
#include "core/in_use.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace mrascheck {

static bool valid_but_for_revocation(const Path& path) {
  return std::all_of(path.problems.begin(), path.problems.end(),
                     [](const PathProblem& problem) { return problem.kind == PathProblemKind::revoked; });
}

std::string CertificateInUse::users_text() const {
  std::set<std::string> all = users;
  all.insert(ways_out.begin(), ways_out.end());
  return enumerate({all.begin(), all.end()});
}

std::map<Sha256, CertificateInUse> certificates_in_use(const Evidence& evidence, const SignatureOracle& signature) {
  std::map<Sha256, CertificateInUse> uses;
  const auto use_of = [&](const CertificateRef& certificate) -> CertificateInUse& {
    CertificateInUse& use = uses[certificate->sha256];
    use.certificate = certificate;
    return use;
  };
  for (const Identity& identity : evidence.identities) {
    if (identity.certificate && !evidence.site.stranger(identity.server))
      use_of(identity.certificate).users.insert(identity.server);
  }
  for (const Handshake& handshake : evidence.handshakes) {
    if (!handshake.peer_chain.empty()) use_of(handshake.peer_chain.front()).users.insert(handshake.to);
    if (!handshake.sent_chain.empty() && !evidence.site.stranger(handshake.from))
      use_of(handshake.sent_chain.front()).users.insert(handshake.from);
  }
  for (const PathJudgement& judgement : judge_paths(evidence, signature)) {
    const std::vector<Path>& paths = judgement.result.paths.paths;
    if (paths.empty()) continue;
    std::vector<const Path*> used;
    for (const Path& path : paths) {
      if (valid_but_for_revocation(path)) used.push_back(&path);
    }
    if (used.empty()) used.push_back(&paths.front());
    std::map<Sha256, std::size_t> in;
    for (const Path* path : used) {
      for (const CertificateRef& certificate : path->certificates) ++in[certificate->sha256];
    }
    for (const Path* path : used) {
      for (const CertificateRef& certificate : path->certificates) {
        CertificateInUse& use = use_of(certificate);
        (in[certificate->sha256] == used.size() ? use.users : use.ways_out).insert(judgement.subject);
      }
    }
  }
  return uses;
}

std::vector<CertificateRef> issuers_of(const Certificate& certificate, const CertificateGraph& graph,
                                       const SignatureOracle& signature) {
  std::vector<CertificateRef> issuers;
  for (const GraphEntry& issuer : graph.named(certificate.issuer)) {
    if (signature(certificate, *issuer.certificate) == SignatureState::verified) issuers.push_back(issuer.certificate);
  }
  return issuers;
}

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "core/drawing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace mrascheck {
namespace {

constexpr std::size_t most_arcs = 20'000;

void draw_arcs(Drawing& drawing, const SignatureOracle& signature) {
  std::map<std::string_view, std::vector<std::size_t>> by_subject;
  for (std::size_t i = 0; i < drawing.nodes.size(); ++i)
    by_subject[drawing.nodes[i].certificate->subject.canonical()].push_back(i);
  for (std::size_t child = 0; child < drawing.nodes.size(); ++child) {
    const Certificate& certificate = *drawing.nodes[child].certificate;
    const auto issuers = by_subject.find(certificate.issuer.canonical());
    if (issuers == by_subject.end()) continue;
    for (const std::size_t issuer : issuers->second) {
      if (issuer == child) continue;
      if (drawing.arcs.size() >= most_arcs) {
        drawing.bound = fmt::format("{} arcs", most_arcs);
        return;
      }
      const Certificate& above = *drawing.nodes[issuer].certificate;
      const std::optional<SignatureState> state = signature(certificate, above);
      // Two self-signed certificates of one name have nothing to do with each other.
      if (certificate.self_issued() && state != SignatureState::verified) continue;
      if (certificate.self_issued() && certificate.spki_sha256 == above.spki_sha256) continue;
      drawing.arcs.push_back({child, issuer, match_issuer(certificate, above), state});
    }
  }
}

Outlook look_out(const Evidence& evidence, const CertificateGraph& graph, PathJudgement judgement,
                 const SignatureOracle& signature) {
  Outlook outlook;
  const Server* server = evidence.site.server(judgement.judge);
  if (server == nullptr || !judgement.trust_configured) {
    outlook.unknown.push_back(fmt::format("no store says what {} trusts", judgement.judge));
  }
  for (const std::string& store : judgement.missing_stores)
    outlook.unknown.push_back(fmt::format("store {} could not be read whole", store));
  if (judgement.sent_unreadable)
    outlook.unknown.push_back(fmt::format("a certificate that {} sent could not be read", judgement.subject));
  if (outlook.unknown.empty()) {
    const TrustView trust = trust_of(evidence, *server);
    const auto trusted = trusted_in_order(evidence, *server);
    const std::span<const CertificateRef> chain{judgement.chain};
    const char* purpose = judgement.subject_is_client ? nullptr : server_auth_oid;
    outlook.openssl = predict_openssl(
        chain.front(),
        {.trusted = trusted, .untrusted = chain.subspan(1), .at = evidence.collected_at, .purpose = purpose},
        signature);
    outlook.windows = predict_windows(
        chain.front(), {.trust = &trust, .sent = chain.subspan(1), .at = evidence.collected_at, .purpose = purpose},
        signature);
    outlook.proofs = prove_orders(evidence, graph, judgement, signature);
  }
  outlook.judgement = std::move(judgement);
  return outlook;
}

}  // namespace

Drawing draw(const Evidence& evidence, const SignatureOracle& signature) {
  Drawing drawing;
  const CertificateGraph graph{evidence};
  std::map<Sha256, Standing> standings;
  for (const IssuerGroup& group : issuer_groups(evidence, graph, signature)) {
    for (const IssuerMember& member : group.members)
      standings.emplace(member.entry->certificate->sha256, member.standing);
  }
  std::set<Sha256> live;
  for (const CertificateRef& certificate : graph.live()) live.insert(certificate->sha256);
  for (const GraphEntry* entry : graph.all()) {
    DrawnCertificate& node = drawing.nodes.emplace_back();
    node.certificate = entry->certificate;
    node.places.assign(entry->locations.begin(), entry->locations.end());
    const Certificate& certificate = *entry->certificate;
    if (const auto standing = standings.find(certificate.sha256); standing != standings.end()) {
      node.twin = true;
      node.standing = standing->second;
    }
    node.live = live.contains(certificate.sha256);
    node.anchor = std::any_of(entry->locations.begin(), entry->locations.end(),
                              [](const Location& location) { return location.entry->anchor(); });
    node.time_valid = certificate.valid_at(evidence.collected_at);
  }
  draw_arcs(drawing, signature);
  for (PathJudgement& judgement : judge_paths(evidence, signature))
    drawing.outlooks.push_back(look_out(evidence, graph, std::move(judgement), signature));
  return drawing;
}

}  // namespace mrascheck

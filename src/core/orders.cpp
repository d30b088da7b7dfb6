// SPDX-License-Identifier: Apache-2.0
#include "core/orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace mrascheck {
namespace {

constexpr std::size_t most_certificates = 24;
constexpr std::size_t most_proofs = 8;

std::string short_label(const Certificate& certificate) {
  return fmt::format("{} ({})", thumbprint(certificate).substr(0, 8), short_name(certificate));
}

std::string failure(const EngineOutcome& outcome) {
  return fmt::format("error {} ({})", outcome.error, outcome.error_text);
}

class Prover {
 public:
  Prover(const Evidence& evidence, const CertificateGraph& graph, const Server& server, const PathJudgement& judgement,
         const SignatureOracle& signature)
      : evidence_(evidence), graph_(graph), server_(server), judgement_(judgement), signature_(signature) {}

  std::vector<OrderProof> run() {
    if (!collect_names()) return {};
    const std::vector<CertificateRef> trusted = at_hand();
    if (trusted.size() > most_certificates) return {};
    const EngineOutcome now = outcome(trusted);
    if (!now.undecided.empty()) return {};
    swaps(trusted, now);
    if (now.refused()) removals(trusted, now);
    if (now.accepted()) additions(trusted);
    return std::move(proofs_);
  }

 private:
  /// The names that a chain of the target may lead through. False where each has one certificate, so that no order
  /// changes anything, and where there are too many.
  bool collect_names() {
    std::vector<Name> open{judgement_.chain.front()->issuer};
    bool several = false;
    while (!open.empty()) {
      const Name name = std::move(open.back());
      open.pop_back();
      if (!names_.emplace(name.canonical(), name).second) continue;
      const auto named = graph_.named(name);
      if (named.size() > most_certificates || names_.size() > most_certificates) return false;
      several = several || named.size() > 1;
      for (const GraphEntry& entry : named) open.push_back(entry.certificate->issuer);
    }
    return several;
  }

  /// trusted_in_order() of these names.
  std::vector<CertificateRef> at_hand() const {
    struct Placed {
      std::pair<std::size_t, std::ptrdiff_t> place;  ///< which store, which entry of it
      CertificateRef certificate;
    };
    std::vector<Placed> found;
    for (const auto& [canonical, name] : names_) {
      for (const GraphEntry& entry : graph_.named(name)) {
        Placed first{{server_.trusts.size() + server_.intermediates.size(), 0}, entry.certificate};
        const std::size_t nowhere = first.place.first;
        for (const Location& location : entry.locations) {
          if (location.entry->kind == StoreKind::ntauth || location.entry->kind == StoreKind::enrollment) continue;
          for (std::size_t i = 0; i < nowhere; ++i) {
            const bool trusts = i < server_.trusts.size();
            const std::string& store = trusts ? server_.trusts[i] : server_.intermediates[i - server_.trusts.size()];
            if (store != location.store->store) continue;
            if (entry.certificate->may_be_self_signed() && !(trusts && location.entry->anchor())) continue;
            first.place = std::min(first.place, {i, location.entry - location.store->entries.data()});
          }
        }
        if (first.place.first < nowhere) found.push_back(std::move(first));
      }
    }
    std::sort(found.begin(), found.end(), [](const Placed& a, const Placed& b) { return a.place < b.place; });
    std::vector<CertificateRef> ordered;
    ordered.reserve(found.size());
    for (Placed& one : found) ordered.push_back(std::move(one.certificate));
    return ordered;
  }

  EngineOutcome outcome(const std::vector<CertificateRef>& trusted) const {
    const std::span<const CertificateRef> sent{judgement_.chain};
    OpensslQuery query{.trusted = trusted, .untrusted = sent.subspan(1), .at = evidence_.collected_at};
    query.purpose = judgement_.subject_is_client ? nullptr : server_auth_oid;
    return predict_openssl(judgement_.chain.front(), query, signature_);
  }

  void add(OrderProof proof) {
    const auto of_kind = std::count_if(proofs_.begin(), proofs_.end(),
                                       [&](const OrderProof& known) { return known.kind == proof.kind; });
    if (static_cast<std::size_t>(of_kind) < most_proofs) proofs_.push_back(std::move(proof));
  }

  void swaps(const std::vector<CertificateRef>& trusted, const EngineOutcome& now) {
    for (std::size_t i = 0; i < trusted.size(); ++i) {
      for (std::size_t j = i + 1; j < trusted.size(); ++j) {
        if (!matches(trusted[i]->subject, trusted[j]->subject)) continue;
        std::vector<CertificateRef> other = trusted;
        std::swap(other[i], other[j]);
        const EngineOutcome then = outcome(other);
        if (!then.undecided.empty() || then.accepted() == now.accepted()) continue;
        const bool fails_now = now.refused();
        OrderProof proof;
        proof.first = fails_now ? trusted[i] : trusted[j];
        proof.second = fails_now ? trusted[j] : trusted[i];
        proof.refusal = fails_now ? now : then;
        proof.text = fmt::format("if {} stands before {} in {}, OpenSSL fails with {}; the other way round it succeeds",
                                 short_label(*proof.first), short_label(*proof.second),
                                 place(*proof.first, *proof.second), failure(proof.refusal));
        add(std::move(proof));
      }
    }
  }

  void removals(const std::vector<CertificateRef>& trusted, const EngineOutcome& now) {
    for (std::size_t i = 0; i < trusted.size(); ++i) {
      const bool told = std::any_of(proofs_.begin(), proofs_.end(),
                                    [&](const OrderProof& proof) { return proof.first == trusted[i]; });
      if (told) continue;
      std::vector<CertificateRef> other = trusted;
      other.erase(other.begin() + static_cast<std::ptrdiff_t>(i));
      if (!outcome(other).accepted()) continue;
      OrderProof proof;
      proof.kind = OrderProof::Kind::removal;
      proof.first = trusted[i];
      proof.refusal = now;
      proof.text = fmt::format("with {} in {}, OpenSSL fails with {}; without it, it succeeds",
                               short_label(*proof.first), place(*proof.first, *proof.first), failure(now));
      add(std::move(proof));
    }
  }

  void additions(const std::vector<CertificateRef>& trusted) {
    std::set<Sha256> tried;
    for (const CertificateRef& one : trusted) tried.insert(one->sha256);
    for (const CertificateRef& own : trusted) {
      for (const GraphEntry& entry : graph_.named(own->subject)) {
        // A root comes into what a server trusts by a decision, an intermediate by a download or a policy.
        if (entry.certificate->self_issued() || !tried.insert(entry.certificate->sha256).second) continue;
        if (tried.size() > 2 * most_certificates) return;
        std::vector<CertificateRef> other{entry.certificate};
        other.insert(other.end(), trusted.begin(), trusted.end());
        const EngineOutcome then = outcome(other);
        if (!then.refused()) continue;
        OrderProof proof;
        proof.kind = OrderProof::Kind::addition;
        proof.first = entry.certificate;
        proof.refusal = then;
        proof.text = fmt::format(
            "if {}{} came into {} as well, OpenSSL would fail with {}", short_label(*entry.certificate),
            entry.locations.empty() ? "" : fmt::format(", which stands in {},", entry.locations.front().store->store),
            where_trusted(), failure(then));
        add(std::move(proof));
      }
    }
  }

  std::string where_trusted() const { return fmt::format("the stores of {}", server_.name); }

  /// The one store that holds both, else all that the server trusts.
  std::string place(const Certificate& a, const Certificate& b) const {
    for (const auto* names : {&server_.trusts, &server_.intermediates}) {
      for (const StoreContents& store : evidence_.stores) {
        if (std::find(names->begin(), names->end(), store.store) == names->end()) continue;
        const auto holds = [&](const Certificate& wanted) {
          return std::any_of(store.entries.begin(), store.entries.end(),
                             [&](const StoreEntry& entry) { return entry.certificate->sha256 == wanted.sha256; });
        };
        if (holds(a) && holds(b)) return fmt::format("store {}", store.store);
      }
    }
    return where_trusted();
  }

  const Evidence& evidence_;
  const CertificateGraph& graph_;
  const Server& server_;
  const PathJudgement& judgement_;
  const SignatureOracle& signature_;
  std::map<std::string_view, Name> names_;  ///< by their canonical form
  std::vector<OrderProof> proofs_;
};

}  // namespace

std::vector<OrderProof> prove_orders(const Evidence& evidence, const CertificateGraph& graph,
                                     const PathJudgement& judgement, const SignatureOracle& signature) {
  const Server* server = evidence.site.server(judgement.judge);
  if (server == nullptr || judgement.chain.empty() || !judgement.trust_configured ||
      !judgement.missing_stores.empty() || judgement.sent_unreadable)
    return {};
  return Prover{evidence, graph, *server, judgement, signature}.run();
}

}  // namespace mrascheck

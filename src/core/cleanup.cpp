// SPDX-License-Identifier: Apache-2.0
#include "core/cleanup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/engines.hpp"
#include "core/text.hpp"
#include "core/what_if.hpp"

namespace mrascheck {
namespace {

constexpr std::size_t most_children_asked = 20'000;  // (certificate, issuer) pairs, over all candidates
constexpr std::size_t most_rounds = 32;
constexpr std::size_t most_named = 6;

std::string some_of(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (names.size() > most_named) {
    const std::size_t more = names.size() - (most_named - 1);
    names.resize(most_named - 1);
    names.push_back(fmt::format("{} more", more));
  }
  return enumerate(names);
}

std::string pair_text(const PathJudgement& judgement) {
  return fmt::format("{} judges {}", judgement.judge, judgement.subject);
}

/// How many chains one way of judging accepts.
struct Tally {
  std::size_t accepted = 0;
  std::string refusal;    ///< of the first chain that it does not accept
  std::set<Sha256> used;  ///< certificates of what it accepts
};
/// All valid paths count, whichever a server would find; the two models find what these engines would.
enum Way : std::size_t { any_path, openssl, windows };
constexpr std::array<std::string_view, 3> way_text{"", ", by the model of OpenSSL", ", by the model of Windows"};

/// What stands between one server and another: all chains that the second would present to the first.
struct Pair {
  std::size_t chains = 0;
  std::array<Tally, 3> ways;
  bool configured = true;  ///< what the first trusts is known
  bool alone = false;      ///< a server that no link joins to another judges what it has itself
  bool undecided = false;  ///< no valid path, and it cannot be told whether there is one
  /// The chains themselves, and which of them it was seen to let in, or to refuse.
  std::set<std::vector<Sha256>> presented;
  std::set<std::vector<Sha256>> let_in;
  std::set<std::vector<Sha256>> refused;

  /// What its stores say is no explanation of what it does: then only what it was seen to do can tell.
  bool by_sight() const { return !configured || (ways[any_path].accepted == 0 && !let_in.empty()); }
};
using Pairs = std::map<std::string, Pair>;

void note(Tally& tally, bool accepted, const std::vector<CertificateRef>& chain, const std::string& refusal) {
  if (!accepted) {
    if (tally.refusal.empty()) tally.refusal = refusal;
    return;
  }
  ++tally.accepted;
  for (const CertificateRef& certificate : chain) tally.used.insert(certificate->sha256);
}

/// What a judging server has at hand, for all that it judges.
struct Hands {
  TrustView view;
  std::vector<CertificateRef> in_order;
};

void judge_by_models(const Evidence& evidence, const PathJudgement& judgement, const Hands& hands,
                     const SignatureOracle& signature, Pair& pair) {
  constexpr unsigned tls_security_level = 1;
  const std::span<const CertificateRef> sent = std::span{judgement.chain}.subspan(1);
  const char* purpose = judgement.subject_is_client ? nullptr : server_auth_oid;  // as judge_paths has it
  const EngineOutcome first = predict_openssl(judgement.chain.front(),
                                              {.trusted = hands.in_order,
                                               .untrusted = sent,
                                               .at = evidence.collected_at,
                                               .purpose = purpose,
                                               .security_level = tls_security_level},
                                              signature);
  note(pair.ways[openssl], first.accepted(), first.chain, first.text());
  const WindowsOutcome best =
      predict_windows(judgement.chain.front(),
                      {.trust = &hands.view, .sent = sent, .at = evidence.collected_at, .purpose = purpose}, signature);
  std::vector<CertificateRef> all;
  for (const WindowsChain& chain : best.best)
    all.insert(all.end(), chain.certificates.begin(), chain.certificates.end());
  note(pair.ways[windows], best.accepted(), all, best.text());
}

/// What was presented, and what came of it. Of a server's chain, only its own client's refusal tells.
void see(const Evidence& evidence, const PathJudgement& judgement, Pair& pair) {
  std::vector<Sha256> chain;
  for (const CertificateRef& certificate : judgement.chain) chain.push_back(certificate->sha256);
  for (const Handshake& handshake : evidence.handshakes) {
    if (std::find(judgement.seen_in.begin(), judgement.seen_in.end(), handshake.id()) == judgement.seen_in.end())
      continue;
    if (!handshake.accepted()) {
      pair.refused.insert(chain);
    } else if (judgement.subject_is_client && handshake.certificate_sent) {
      pair.let_in.insert(chain);
    }
  }
  pair.presented.insert(std::move(chain));
}

Pairs pairs_of(const Evidence& evidence, const SignatureOracle& signature) {
  Pairs pairs;
  std::map<std::string, Hands> hands;
  for (const PathJudgement& judgement : judge_paths(evidence, signature)) {
    Pair& pair = pairs[pair_text(judgement)];
    ++pair.chains;
    pair.alone = judgement.judge == judgement.subject;
    see(evidence, judgement, pair);
    if (!judgement.trust_configured) {
      pair.configured = false;
      continue;
    }
    const PathSet& set = judgement.result.paths;
    if (!set.any_valid() && (set.undecided() || !judgement.missing_stores.empty() || judgement.sent_unreadable))
      pair.undecided = true;
    std::vector<CertificateRef> used;
    for (const Path& path : set.paths) {
      if (path.valid()) used.insert(used.end(), path.certificates.begin(), path.certificates.end());
    }
    note(pair.ways[any_path], set.any_valid(), used, "no valid path");
    const auto [place, added] = hands.try_emplace(judgement.judge);
    if (const Server* judge = evidence.site.server(judgement.judge); added && judge != nullptr)
      place->second = {trust_of(evidence, *judge), trusted_in_order(evidence, *judge)};
    judge_by_models(evidence, judgement, place->second, signature, pair);
  }
  return pairs;
}

/// A copy in which nothing is wrong with the certificates of the servers themselves: expired, or of a use that is not
/// allowed, they will be issued again, by the CA that they are from, and the path must stand then.
Evidence with_sound_targets(const Evidence& evidence) {
  Evidence copy = evidence;
  std::map<Sha256, CertificateRef> known;
  const auto mend = [&](CertificateRef& target) {
    const auto& uses = target->extended_key_usage;
    const bool allowed = !uses || std::find(uses->begin(), uses->end(), server_auth_oid) != uses->end();
    if (allowed && target->valid_at(copy.collected_at) && target->unknown_critical.empty()) return;
    CertificateRef& sound_one = known[target->sha256];
    if (!sound_one) {
      Certificate made = *target;
      made.not_before = std::min(made.not_before, copy.collected_at);
      made.not_after = std::max(made.not_after, copy.collected_at);
      made.unknown_critical.clear();
      made.extended_key_usage.reset();
      sound_one = std::make_shared<const Certificate>(std::move(made));
    }
    target = sound_one;
  };
  for (Identity& identity : copy.identities) {
    if (identity.certificate) mend(identity.certificate);
  }
  for (Handshake& handshake : copy.handshakes) {
    for (auto* chain : {&handshake.peer_chain, &handshake.sent_chain}) {
      if (!chain->empty()) mend(chain->front());
    }
  }
  return copy;
}

/// One that may go, until something speaks against it.
struct Candidate {
  const IssuerGroup* group = nullptr;
  const IssuerMember* member = nullptr;
  std::vector<CertificateRef> children;  ///< unexpired, and verify under its key
  std::size_t asked = 0;                 ///< how many name it as their issuer
  std::vector<std::string> not_yet;
  std::vector<std::string> unknown;

  const Certificate& certificate() const { return *member->entry->certificate; }
  bool going() const { return not_yet.empty() && unknown.empty(); }
};

class Planner {
 public:
  Planner(const Evidence& evidence, const std::vector<IssuerGroup>& groups, const SignatureOracle& signature,
          const std::vector<std::string>& missing)
      : evidence_(evidence), signature_(signature), groups_(groups), missing_(missing) {}

  CleanupPlan run() {
    plan_.site = evidence_.site.name;
    plan_.vantage = evidence_.vantage;
    plan_.at = evidence_.collected_at;
    for (const Server& server : evidence_.site.servers) plan_.servers.push_back(server.name);
    look_for_what_is_missing();
    find_candidates();
    if (!candidates_.empty()) {
      find_children();
      judge_candidates();
    }
    conclude();
    return std::move(plan_);
  }

 private:
  void look_for_what_is_missing() {
    for (const Gap& gap : evidence_.gaps) {
      if (gap.need == Needs::stores)
        missing_.push_back(fmt::format("store {} could not be read: {}", gap.about, gap.reason));
    }
    for (const StoreContents& contents : evidence_.stores) {
      if (!contents.truncated.empty())
        missing_.push_back(fmt::format("store {} was not read whole: {}", contents.store, contents.truncated));
    }
    for (const Server& server : evidence_.site.servers) {
      if (!seen(server.name) && !evidence_.site.stranger(server.name))
        missing_.push_back(fmt::format("no certificate of {} was seen: it may be from any of them", server.name));
    }
    plan_.open = not_looked_at(evidence_);
    look_for_enrollment();
    plan_.open.push_back(
        "whatever uses these CAs outside of this site (users' certificates, other products, files signed long ago) "
        "was not looked at");
    const bool any_list = std::any_of(evidence_.stores.begin(), evidence_.stores.end(),
                                      [](const StoreContents& contents) { return !contents.crls.empty(); });
    plan_.open.push_back(fmt::format(
        "revocation lists{} were not looked at: where one is still fetched, see that it is not signed by a key that "
        "goes",
        any_list ? " that no store here holds" : ""));
  }

  /// An empty Enrollment Services cannot be told from one that is hidden.
  void look_for_enrollment() {
    for (const StoreSpec& spec : evidence_.site.stores) {
      if (!spec.directory) continue;
      for (const StoreContents& contents : evidence_.stores) {
        const auto any = [&contents](StoreKind kind) {
          return std::any_of(contents.entries.begin(), contents.entries.end(),
                             [kind](const StoreEntry& entry) { return entry.kind == kind; });
        };
        if (contents.store != spec.name || !any(StoreKind::intermediate) || any(StoreKind::enrollment)) continue;
        plan_.open.push_back(
            fmt::format("Enrollment Services of {} shows no CA at all: before anything is removed, see with an account "
                        "that may read "
                        "it that none of these stands there, as what stands there issues",
                        spec.name));
      }
    }
  }

  bool seen(const std::string& server) const {
    return std::any_of(evidence_.identities.begin(), evidence_.identities.end(),
                       [&](const Identity& identity) { return identity.server == server && identity.certificate; }) ||
           std::any_of(evidence_.handshakes.begin(), evidence_.handshakes.end(), [&](const Handshake& handshake) {
             return (handshake.to == server && !handshake.peer_chain.empty()) ||
                    (handshake.from == server && !handshake.sent_chain.empty());
           });
  }

  static bool all_explained(const IssuerGroup& group) {
    return std::all_of(group.members.begin(), group.members.end(), [&](const IssuerMember& member) {
      return &member == &group.members.front() || legitimate(member.relation.relation);
    });
  }

  void find_candidates() {
    for (const IssuerGroup& group : groups_) {
      const std::string impostor = foreign_current(group);
      for (const IssuerMember& member : group.members) {
        Candidate candidate{&group, &member, {}, 0, {}, {}};
        if (member.standing == Standing::stale) {
          candidate.unknown = missing_;
          if (missing_.empty() && !impostor.empty()) candidate.unknown.push_back(impostor);
          for (const std::string& line : group.contradictions) candidate.unknown.push_back(line);
        } else if (member.standing == Standing::undecided) {
          candidate.unknown = missing_;
          if (missing_.empty()) {
            candidate.unknown.push_back(impostor.empty() ? "which certificate of this name is in use could not be told"
                                                         : impostor);
          }
        } else if (member.standing == Standing::foreign) {
          candidate.unknown = missing_;
          // Which of the two is foreign is a question of where one stands.
          candidate.unknown.push_back(
              !impostor.empty()
                  ? impostor
                  : "nobody here issued or published it: find out who made it and how it came there, before anything "
                    "else");
        } else if (member.standing == Standing::unrelated && !all_explained(group)) {
          candidate.unknown = missing_;
          candidate.unknown.push_back("nothing that was seen chains to this name: ask whoever runs this CA");
        } else {
          continue;
        }
        by_digest_.emplace(candidate.certificate().sha256, candidates_.size());
        candidates_.push_back(std::move(candidate));
      }
      for (const IssuerMember& member : group.members)
        of_key_[{&group, member.entry->certificate->spki_sha256}].push_back(&member);
    }
  }

  /// Why the certificates in use may be an impostor's; empty when they are known. One that is only presented, or, where
  /// there is a directory, was imported by hand, is no reason to remove any other.
  std::string foreign_current(const IssuerGroup& group) const {
    const bool any_directory = std::any_of(evidence_.site.stores.begin(), evidence_.site.stores.end(),
                                           [](const StoreSpec& spec) { return spec.directory; });
    for (const IssuerMember& member : group.members) {
      if (member.standing != Standing::current) continue;
      if (member.voucher == Voucher::nobody || (any_directory && member.voucher == Voucher::root)) {
        return fmt::format(
            "{}, which is in use, is neither {} nor issued by a CA that is: nothing is removed in favour of what may "
            "be an impostor",
            label(*member.entry->certificate), any_directory ? "in the directory" : "a trusted root");
      }
    }
    return {};
  }

  template <class Visit>
  void each_certificate(const Visit& visit) const {
    for (const StoreContents& contents : evidence_.stores) {
      for (const StoreEntry& entry : contents.entries) visit(entry.certificate);
    }
    for (const Identity& identity : evidence_.identities) {
      if (identity.certificate) visit(identity.certificate);
      for (const CertificateRef& certificate : identity.chain) visit(certificate);
    }
    for (const Handshake& handshake : evidence_.handshakes) {
      for (const CertificateRef& certificate : handshake.peer_chain) visit(certificate);
      for (const CertificateRef& certificate : handshake.sent_chain) visit(certificate);
    }
  }

  /// Every unexpired certificate whose issuer bears the name of a candidate, by that name.
  void find_children() {
    std::unordered_map<std::string_view, std::map<Sha256, CertificateRef>> children;
    for (const Candidate& candidate : candidates_) children.try_emplace(candidate.certificate().subject.canonical());
    each_certificate([&](const CertificateRef& certificate) {
      const auto place = children.find(certificate->issuer.canonical());
      if (place == children.end() || certificate->not_after < evidence_.collected_at) return;
      place->second.emplace(certificate->sha256, certificate);
    });
    std::size_t asked = 0;
    for (Candidate& candidate : candidates_) {
      if (candidate.member->standing != Standing::stale) continue;
      const Certificate& issuer = candidate.certificate();
      std::vector<std::string> untried;
      for (const auto& [digest, child] : children.at(issuer.subject.canonical())) {
        if (digest == issuer.sha256) continue;
        if (++asked > most_children_asked) {
          candidate.unknown.push_back(
              fmt::format("more than {} signatures would have to be verified to tell", most_children_asked));
          break;
        }
        ++candidate.asked;
        const std::optional<SignatureState> state = signature_(*child, issuer);
        if (state == SignatureState::verified) candidate.children.push_back(child);
        if (!state) untried.push_back(label(*child));
      }
      if (!untried.empty())
        candidate.unknown.push_back(
            fmt::format("whether its key signed {} could not be verified", some_of(std::move(untried))));
    }
  }

  /// A revocation list that is in force tells of certificates that somebody still verifies.
  void hold_back_by_lists(Candidate& candidate) {
    const Certificate& issuer = candidate.certificate();
    for (const StoreContents& contents : evidence_.stores) {
      for (const CrlEntry& entry : contents.crls) {
        const Crl& crl = *entry.crl;
        if (!matches(crl.issuer, issuer.subject) || crl.overdue_at(evidence_.collected_at)) continue;
        const std::optional<SignatureState> state =
            recorded_state(evidence_.signatures, crl.sha256, issuer.spki_sha256);
        const std::string list =
            fmt::format("the revocation list of {} in {}: {}", to_date(crl.this_update), contents.store, entry.place);
        if (!state) {
          add_once(candidate.unknown, fmt::format("whether its key signed {} was not verified", list));
        } else if (state == SignatureState::verified && stand_in(candidate, nullptr) == nullptr) {
          add_once(
              candidate.not_yet,
              fmt::format("its key signed {}, which is {}, and no certificate that stays has this key", list,
                          crl.next_update ? fmt::format("in force until {}", to_date(*crl.next_update)) : "in force"));
        }
      }
    }
  }

  static void add_once(std::vector<std::string>& lines, std::string line) {
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(std::move(line));
  }

  Candidate* going(const Sha256& digest) {
    const auto found = by_digest_.find(digest);
    if (found == by_digest_.end() || !candidates_[found->second].going()) return nullptr;
    return &candidates_[found->second];
  }

  /// The certificate of the same name and key that verifies `child` when `candidate` is gone, of several the one that
  /// lasts longest; null when there is none. Without a child: any of that name and key.
  const IssuerMember* stand_in(const Candidate& candidate, const Certificate* child) {
    const IssuerMember* lasting = nullptr;
    for (const IssuerMember* other : of_key_[{candidate.group, candidate.certificate().spki_sha256}]) {
      const Certificate& certificate = *other->entry->certificate;
      if (other == candidate.member || !other->time_valid || other->entry->locations.empty()) continue;
      if (going(certificate.sha256) != nullptr) continue;
      if (child != nullptr && match_issuer(*child, certificate) == IssuerMatch::none) continue;
      if (lasting == nullptr || certificate.not_after > lasting->entry->certificate->not_after) lasting = other;
    }
    return lasting;
  }

  /// Takes back whoever signed something that stays and that nobody else verifies; again, until nothing changes.
  void hold_back_signers() {
    for (bool changed = true; changed;) {
      changed = false;
      for (Candidate& candidate : candidates_) {
        if (!candidate.going()) continue;
        hold_back_by_lists(candidate);
        for (const CertificateRef& child : candidate.children) {
          if (going(child->sha256) != nullptr) continue;
          if (const IssuerMember* other = stand_in(candidate, child.get())) {
            const Certificate& stays = *other->entry->certificate;
            const UtcTime until = std::min(child->not_after, candidate.certificate().not_after);
            if (stays.not_after >= until) continue;
            candidate.not_yet.push_back(
                fmt::format("{}, valid until {}, verifies under its key, and what would stay of this key ({}) ends "
                            "before, on {}: keep the one that lasts longer, or renew the CA first",
                            label(*child), to_date(child->not_after), thumbprint(stays), to_date(stays.not_after)));
            continue;
          }
          candidate.not_yet.push_back(
              fmt::format("{}, valid until {}, verifies under its key, and no certificate that stays has this key and "
                          "fits: have it issued again first",
                          label(*child), to_date(child->not_after)));
        }
        changed = changed || !candidate.going();
      }
    }
  }

  std::set<Sha256> all_going() const {
    std::set<Sha256> gone;
    for (const Candidate& candidate : candidates_) {
      if (candidate.going()) gone.insert(candidate.certificate().sha256);
    }
    return gone;
  }

  void hold_back_needed(const Evidence& judged) {
    const Needed needed = needed_certificates(judged, signature_);
    for (Candidate& candidate : candidates_) {
      if (!candidate.going()) continue;
      const auto users = needed.find(candidate.certificate().sha256);
      if (users == needed.end()) continue;
      for (const std::string& about : users->second) {
        candidate.not_yet.push_back(fmt::format("still needed: where {}, every valid path goes through it", about));
      }
    }
  }

  void give_up(const std::string& reason) {
    for (Candidate& candidate : candidates_) {
      if (candidate.going()) candidate.unknown.push_back(reason);
    }
  }

  /// Whatever would go is taken away from a copy; who breaks a path by that is held back, and all is tried again.
  void judge_candidates() {
    const Evidence sound = with_sound_targets(evidence_);
    hold_back_needed(sound);
    const Pairs before = pairs_of(sound, signature_);
    if (std::all_of(before.begin(), before.end(), [](const auto& pair) { return pair.second.alone; }))
      return give_up("no link between servers was judged, so what would break is not known");
    for (std::size_t round = 0; round < most_rounds; ++round) {
      hold_back_signers();
      const std::set<Sha256> gone = all_going();
      if (gone.empty()) return;
      const Pairs after = pairs_of(changed(sound, {.remove = gone, .add = {}, .at = std::nullopt}), signature_);
      if (compare(before, after, gone)) return;
    }
    give_up(fmt::format("which of them may go together was not found in {} rounds", most_rounds));
  }

  /// True when nothing that would go breaks anything.
  bool compare(const Pairs& before, const Pairs& after, const std::set<Sha256>& gone) {
    plan_.stand.clear();
    plan_.better.clear();
    bool fine = true;
    for (const auto& [about, was] : before) {
      static const Pair none;
      const auto found = after.find(about);
      const Pair& is = found == after.end() ? none : found->second;
      if (was.configured && was.undecided && was.ways[any_path].accepted == 0) {
        give_up(
            fmt::format("where {}, it cannot be told whether there is a valid path: see certification-path", about));
        return false;
      }
      if (was.by_sight() && !same_to_a_stranger(was, is)) {
        if (protect_let_in(about, was, gone)) {
          fine = false;
          continue;
        }
        give_up(fmt::format("where {}, {}, and it would be shown another chain", about,
                            was.configured ? "the stores do not explain what the judging server lets in"
                                           : "nothing says what the judging server trusts"));
        return false;
      }
      if (!was.configured) continue;
      if (was.ways[any_path].accepted == 0 && is.ways[any_path].accepted == 0) {
        give_up(fmt::format(
            "where {}, there is no valid path, with them or without: mend that first (certification-path says how)",
            about));
        return false;
      }
      for (const Way way : {any_path, openssl, windows}) {
        if (compare(about, way, was, is, gone)) continue;
        fine = false;
        break;  // one reason is enough
      }
    }
    return fine;
  }

  /// Where nobody says what the judging server trusts, only what it was seen to do can tell.
  static bool same_to_a_stranger(const Pair& was, const Pair& is) {
    const bool same = !is.presented.empty() && std::includes(was.presented.begin(), was.presented.end(),
                                                             is.presented.begin(), is.presented.end());
    const bool refused = std::any_of(is.presented.begin(), is.presented.end(),
                                     [&](const auto& chain) { return was.refused.contains(chain); });
    return same && (!refused || was.refused.size() == was.presented.size());
  }

  /// Takes back what stands in a chain that was let in. False when nothing that would go does.
  bool protect_let_in(const std::string& about, const Pair& was, const std::set<Sha256>& gone) {
    bool held = false;
    for (const Sha256& digest : gone) {
      const bool used = std::any_of(was.let_in.begin(), was.let_in.end(), [&](const std::vector<Sha256>& chain) {
        return std::find(chain.begin() + 1, chain.end(), digest) != chain.end();
      });
      if (!used) continue;
      held = true;
      candidates_[by_digest_.at(digest)].not_yet.push_back(fmt::format(
          "still needed: where {}, a chain with it was let in, and what would be sent without it was not", about));
    }
    return held;
  }

  bool compare(const std::string& pair, Way way, const Pair& was, const Pair& is, const std::set<Sha256>& gone) {
    const Tally& before = was.ways[way];
    const Tally& after = is.ways[way];
    const std::string about = fmt::format("{}{}", pair, way_text[way]);
    const bool worse =
        before.accepted > 0 && (after.accepted == 0 || (before.accepted == was.chains && after.accepted < is.chains));
    if (!worse) {
      const bool all_after = after.accepted > 0 && after.accepted == is.chains;
      if (before.accepted == 0 && after.accepted > 0) {
        plan_.better.push_back(fmt::format("{}: accepted, where it is refused now: {}", about, before.refusal));
      } else if (before.accepted > 0 && before.accepted < was.chains && all_after) {
        plan_.better.push_back(fmt::format("{}: every chain that may be sent is accepted; now {} of {} are", about,
                                           before.accepted, was.chains));
      }
      if (before.accepted > 0) plan_.stand.push_back(about);
      return true;
    }
    bool held = false;
    for (const Sha256& digest : gone) {
      if (!before.used.contains(digest)) continue;
      held = true;  // also when another pair has held it back in this round
      candidates_[by_digest_.at(digest)].not_yet.push_back(fmt::format(
          "still needed: where {}, what is accepted goes through it or others that would go as well", about));
    }
    if (!held) {
      give_up(fmt::format("where {}, it would be worse without them ({}), and it cannot be told by which", about,
                          after.refusal.empty() ? "nothing presented" : after.refusal));
    }
    return false;
  }

  std::vector<StoredCopy> copies_of(const GraphEntry& entry) const {
    std::vector<StoredCopy> copies;
    for (const Location& location : entry.locations) {
      if (location.entry->kind == StoreKind::enrollment) continue;  // goes when its CA is retired
      const StoreSpec* spec = evidence_.site.store(location.store->store);
      StoredCopy& copy = copies.emplace_back();
      copy.store = location.store->store;
      copy.source = location.store->source;
      if (spec != nullptr) copy.host = spec->host;
      if (location.entry->properties) {
        copy.origin = location.entry->properties->origin;
        copy.windows_store = location.entry->properties->windows_store;
        copy.more = location.entry->properties->text();
      }
      copy.directory = (spec != nullptr && spec->directory) || copy.origin == StoreOrigin::directory;
      copy.kind = location.entry->kind;
      const std::string_view place = location.entry->place.str();
      copy.in_pair = copy.directory && in_certificate_pair(place);
      copy.place = copy.directory ? without_mark(place) : place;
      copy.index = location.entry->index;
    }
    return copies;
  }

  std::vector<std::string> proof(const Candidate& candidate) {
    const Certificate& certificate = candidate.certificate();
    std::vector<std::string> lines;
    std::vector<std::string> as_well;
    std::vector<std::string> others;
    std::set<std::string> by;
    for (const CertificateRef& child : candidate.children) {
      if (going(child->sha256) != nullptr) {
        as_well.push_back(label(*child));
      } else if (const IssuerMember* other = stand_in(candidate, child.get())) {
        others.push_back(short_name(*child));
        by.insert(thumbprint(*other->entry->certificate));
      }
    }
    if (candidate.children.empty()) {
      lines.push_back(candidate.asked == 0
                          ? "no unexpired certificate that was seen names it as its issuer"
                          : fmt::format("no unexpired certificate that was seen verifies under its key, of {} that "
                                        "name it as their issuer",
                                        candidate.asked));
    }
    if (!as_well.empty())
      lines.push_back(fmt::format("its key signed {}, which may go as well", some_of(std::move(as_well))));
    if (!others.empty()) {
      lines.push_back(fmt::format("what verifies under its key ({}) verifies under {} as well, which stays",
                                  some_of(std::move(others)), enumerate({by.begin(), by.end()})));
    }
    if (certificate.not_after < evidence_.collected_at)
      lines.push_back(fmt::format("it expired on {}", to_date(certificate.not_after)));
    lines.push_back(plan_.stand.empty()
                        ? "no path is valid now that its removal could break"
                        : fmt::format("with it, and all others that may go, taken away, every path that is valid now "
                                      "still is, and whatever the models of OpenSSL and Windows accept they accept "
                                      "then ({} judgements)",
                                      plan_.stand.size()));
    return lines;
  }

  void conclude() {
    for (Candidate& candidate : candidates_) {
      CleanupVerdict& verdict = plan_.verdicts.emplace_back();
      verdict.certificate = candidate.member->entry->certificate;
      verdict.standing = candidate.member->standing;
      verdict.relation = candidate.member->relation;
      verdict.copies = copies_of(*candidate.member->entry);
      if (!candidate.not_yet.empty()) {
        verdict.may_go = MayGo::not_yet;
        verdict.because = candidate.not_yet;
        verdict.because.insert(verdict.because.end(), candidate.unknown.begin(), candidate.unknown.end());
      } else if (!candidate.unknown.empty()) {
        verdict.because = candidate.unknown;
      } else {
        verdict.may_go = MayGo::now;
        verdict.because = proof(candidate);
      }
    }
    if (plan_.count(MayGo::now) == 0) plan_.better.clear();
    find_removals();
  }

  /// Copies of one directory that several servers gave are one; in a directory the DN is the place, on a host the
  /// store.
  static auto place_key(const StoredCopy& copy) {
    const int order = !copy.directory ? 3 : copy.kind == StoreKind::root ? 0 : copy.kind == StoreKind::ntauth ? 1 : 2;
    const bool directory = copy.directory;
    return std::tuple{order,
                      directory ? "" : copy.host,
                      directory ? "" : copy.store,
                      copy.kind,
                      copy.origin == StoreOrigin::directory ? StoreOrigin::unknown : copy.origin,
                      to_lower(copy.windows_store),
                      directory ? to_lower(copy.place) : "",
                      copy.in_pair};
  }

  void find_removals() {
    using PlaceKey = decltype(place_key(StoredCopy{}));
    std::map<PlaceKey, Removal> removals;
    for (const CleanupVerdict& verdict : plan_.verdicts) {
      if (verdict.may_go != MayGo::now) continue;
      for (const StoredCopy& copy : verdict.copies) {
        Removal& removal = removals.try_emplace(place_key(copy), Removal{.place = copy, .values = {}}).first->second;
        const bool known = std::any_of(removal.values.begin(), removal.values.end(), [&](const CertificateRef& value) {
          return value->sha256 == verdict.certificate->sha256;
        });
        if (!known) removal.values.push_back(verdict.certificate);
      }
    }
    for (auto& entry : removals) {
      Removal& removal = entry.second;
      if (removal.place.in_pair) {
        find_pairs(removal);
      } else {
        count_values(removal);
      }
      plan_.removals.push_back(std::move(removal));
    }
  }

  void count_values(Removal& removal) const {
    std::set<Sha256> there;
    std::size_t unreadable = 0;
    for (const StoreContents& contents : evidence_.stores) {
      const bool here = removal.place.directory || contents.store == removal.place.store;
      if (!here) continue;
      const auto same = [&](std::string_view place) {
        return !removal.place.directory || equals_ignoring_case(place, removal.place.place);
      };
      for (const StoreEntry& value : contents.entries) {
        if (same(value.place.str())) there.insert(value.certificate->sha256);
      }
      if (contents.store == removal.place.store) {
        unreadable += static_cast<std::size_t>(std::count_if(contents.unreadable.begin(), contents.unreadable.end(),
                                                             [&](const Unreadable& u) { return same(u.place); }));
      }
    }
    removal.values_there = there.size() + unreadable;
    removal.whole = removal.values_there == removal.values.size();
  }

  /// The values of crossCertificatePair that hold what goes, put together again from their halves.
  void find_pairs(Removal& removal) const {
    struct Halves {
      CertificateRef forward;
      CertificateRef reverse;
    };
    std::map<std::pair<std::string, std::size_t>, Halves> values;  // by store and index
    for (const StoreContents& contents : evidence_.stores) {
      for (const StoreEntry& one : contents.entries) {
        const std::string_view place = one.place.str();
        if (!in_certificate_pair(place) || !equals_ignoring_case(without_mark(place), removal.place.place)) continue;
        Halves& halves = values[{contents.store, one.index}];
        (place.ends_with(forward_mark) ? halves.forward : halves.reverse) = one.certificate;
      }
    }
    std::set<std::vector<std::uint8_t>> there;
    for (const auto& [at, halves] : values) {
      const std::vector<std::uint8_t> der = pair_of(halves.forward, halves.reverse);
      if (!there.insert(der).second) continue;
      const auto goes = [&](const CertificateRef& half) {
        return half && std::any_of(removal.values.begin(), removal.values.end(),
                                   [&](const CertificateRef& value) { return value->sha256 == half->sha256; });
      };
      if (!goes(halves.forward) && !goes(halves.reverse)) {
        removal.other_pairs.push_back(der);
        continue;
      }
      for (const CertificateRef& half : {halves.forward, halves.reverse}) {
        if (half && !goes(half)) removal.stay.push_back(half);
      }
      removal.pairs.push_back(der);
    }
    removal.values_there = there.size();
    removal.pair_unread =
        std::any_of(evidence_.stores.begin(), evidence_.stores.end(), [&](const StoreContents& store) {
          return std::any_of(store.unreadable.begin(), store.unreadable.end(), [&](const Unreadable& unreadable) {
            return equals_ignoring_case(unreadable.place, removal.place.place) &&
                   unreadable.reason.find("crossCertificatePair") != std::string::npos;
          });
        });
  }

  /// CertificatePair ::= SEQUENCE { issuedToThisCA [0] Certificate OPTIONAL, issuedByThisCA [1] Certificate OPTIONAL },
  /// DER (X.509, 11.2.3; its module has explicit tags).
  static std::vector<std::uint8_t> pair_of(const CertificateRef& forward, const CertificateRef& reverse) {
    const auto element = [](std::uint8_t tag, const std::vector<std::uint8_t>& content) {
      std::vector<std::uint8_t> size;
      for (std::size_t rest = content.size(); rest > 0; rest >>= 8U) size.insert(size.begin(), rest & 0xFFU);
      std::vector<std::uint8_t> made{tag};
      constexpr std::size_t least_long = 0x80;
      if (content.size() >= least_long) made.push_back(static_cast<std::uint8_t>(least_long | size.size()));
      made.insert(made.end(), size.begin(), size.end());
      made.insert(made.end(), content.begin(), content.end());
      return made;
    };
    std::vector<std::uint8_t> both;
    const auto add = [&](std::uint8_t tag, const CertificateRef& half) {
      if (!half) return;
      const std::vector<std::uint8_t> made = element(tag, {half->der.begin(), half->der.end()});
      both.insert(both.end(), made.begin(), made.end());
    };
    constexpr std::uint8_t issued_to = 0xA0;
    constexpr std::uint8_t issued_by = 0xA1;
    constexpr std::uint8_t sequence = 0x30;
    add(issued_to, forward);
    add(issued_by, reverse);
    return element(sequence, both);
  }

  const Evidence& evidence_;
  const SignatureOracle& signature_;
  const std::vector<IssuerGroup>& groups_;
  std::vector<std::string> missing_;  ///< of the evidence, so that nothing can be told
  std::vector<Candidate> candidates_;
  std::map<Sha256, std::size_t> by_digest_;  ///< into candidates_
  std::map<std::pair<const IssuerGroup*, Sha256>, std::vector<const IssuerMember*>> of_key_;
  CleanupPlan plan_;
};

}  // namespace

std::string_view to_string(MayGo may_go) {
  switch (may_go) {
    case MayGo::now:
      return "may go now";
    case MayGo::not_yet:
      return "not yet";
    case MayGo::unknown:
      return "cannot be told";
  }
  return "cannot be told";
}

std::size_t CleanupPlan::count(MayGo may_go) const {
  return static_cast<std::size_t>(std::count_if(
      verdicts.begin(), verdicts.end(), [&](const CleanupVerdict& verdict) { return verdict.may_go == may_go; }));
}

Needed needed_certificates(const Evidence& evidence, const SignatureOracle& signature) {
  struct Uses {
    std::map<Sha256, std::size_t> of;  ///< in how many of the valid paths a certificate stands
    std::size_t paths = 0;
  };
  std::map<std::string, Uses> pairs;
  for (const PathJudgement& judgement : judge_paths(evidence, signature)) {
    Uses& uses = pairs[pair_text(judgement)];
    for (const Path& path : judgement.result.paths.paths) {
      if (!path.valid()) continue;
      ++uses.paths;
      for (const CertificateRef& certificate : path.certificates) ++uses.of[certificate->sha256];
    }
  }
  Needed needed;
  for (const auto& [about, uses] : pairs) {
    for (const auto& [certificate, n] : uses.of) {
      if (n == uses.paths) needed[certificate].insert(about);
    }
  }
  return needed;
}

std::vector<std::string> not_looked_at(const Evidence& evidence) {
  std::vector<std::string> lines;
  for (const Gap& gap : evidence.gaps)
    lines.push_back(gap.reason.starts_with(gap.about + ":")
                        ? gap.reason
                        : fmt::format("{} {}: {}", to_string(gap.need), gap.about, gap.reason));
  for (const StoreContents& contents : evidence.stores) {
    if (!contents.truncated.empty())
      lines.push_back(fmt::format("store {} was not read whole: {}", contents.store, contents.truncated));
    for (const Unreadable& unreadable : contents.unreadable)
      lines.push_back(unreadable.place == contents.store
                          ? fmt::format("{}: {}", unreadable.place, unreadable.reason)
                          : fmt::format("store {}: {}: {}", contents.store, unreadable.place, unreadable.reason));
  }
  for (const Handshake& handshake : evidence.handshakes) {
    for (const Unreadable& unreadable : handshake.peer_chain_unreadable)
      lines.push_back(fmt::format("{}: a certificate that was sent: {}", handshake.id(), unreadable.reason));
  }
  for (const std::string& server : unseen_servers(evidence))
    lines.push_back(fmt::format("no certificate of {} was seen", server));
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  return lines;
}

CleanupPlan plan_cleanup(const Evidence& evidence, const std::vector<IssuerGroup>& groups,
                         const SignatureOracle& signature, const std::vector<std::string>& missing) {
  return Planner{evidence, groups, signature, missing}.run();
}

CleanupPlan plan_cleanup(const Evidence& evidence, const SignatureOracle& signature,
                         const std::vector<std::string>& missing) {
  const CertificateGraph graph{evidence};
  return plan_cleanup(evidence, issuer_groups(evidence, graph, signature), signature, missing);
}

}  // namespace mrascheck

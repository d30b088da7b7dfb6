// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "checks/common.hpp"
#include "core/ca_name.hpp"
#include "core/issuers.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array kinds{
    FindingKind{"crl-state.overdue", "a revocation list is past its next update", {"RFC 5280", "5.1.2.5"}},
    FindingKind{"crl-state.not-yet-valid", "a revocation list is of a day to come", {"RFC 5280", "5.1.2.4"}},
    FindingKind{"crl-state.other-key",
                "the revocation list of a CA in use is signed by another key of that name",
                {"RFC 5280", "6.3.3"}},
    FindingKind{"crl-state.revoked", "a certificate in use is revoked", {"RFC 5280", "6.3.3"}},
    FindingKind{"crl-state.undecided",
                "whether a certificate in use is revoked by a list at hand could not be told",
                {"RFC 5280", "6.3.3"}},
};
enum Kind : std::size_t { overdue, not_yet_valid, other_key, revoked, undecided };

constexpr std::size_t most_places = 8;

/// A revocation list with every place it stands in, and the certificates of its issuer's name whose key signed it.
struct List {
  CrlRef crl;
  std::vector<std::string> places;
  std::vector<CertificateRef> signers;
  bool untried = false;  ///< with some of them
};

/// A certificate that servers use, and where.
struct Use {
  CertificateRef certificate;
  std::set<std::string> users;     ///< whose own it is, or whose every path goes through it
  std::set<std::string> ways_out;  ///< who has other paths as well
};

std::string place_text(const StoreContents& store, const CrlEntry& entry) {
  const std::string place = with_ca_name(entry.place, entry.crl->issuer.common_name());
  return entry.index == 0 ? fmt::format("{}: {}", store.store, place)
                          : fmt::format("{}: {} (list {})", store.store, place, entry.index + 1);
}

std::string describe_list(const Crl& crl) {
  std::string text =
      fmt::format("{}list{} of {}, from {}", crl.delta ? "delta " : "",
                  crl.number ? " number " + *crl.number : std::string{}, crl.issuer.text(), to_date(crl.this_update));
  if (crl.next_update) text += fmt::format(" until {}", to_iso8601(*crl.next_update));
  return text + fmt::format(", {}", count(crl.revoked.size(), "entry", "entries"));
}

/// Of evidence with at least one list.
class State {
 public:
  explicit State(const Evidence& evidence) : evidence_(evidence), graph_(evidence) {
    collect_lists();
    collect_uses();
  }

  Verdict judge() {
    verdict_.examined = lists_.size();
    for (const List& list : lists_) judge_age(list);
    for (const auto& [sha256, use] : uses_) judge_use(use);
    judge_unseen();
    return std::move(verdict_);
  }

 private:
  std::optional<SignatureState> state(const Sha256& child, const Certificate& issuer) const {
    return recorded_state(evidence_.signatures, child, issuer.spki_sha256);
  }

  void collect_lists() {
    std::map<Sha256, std::size_t> known;
    for (const StoreContents& store : evidence_.stores) {
      for (const CrlEntry& entry : store.crls) {
        const auto [at, added] = known.try_emplace(entry.crl->sha256, lists_.size());
        if (added) {
          List& list = lists_.emplace_back();
          list.crl = entry.crl;
          for (const GraphEntry& issuer : graph_.named(entry.crl->issuer)) {
            const auto tried = state(entry.crl->sha256, *issuer.certificate);
            if (tried == SignatureState::verified) list.signers.push_back(issuer.certificate);
            list.untried = list.untried || !tried;
          }
        }
        lists_[at->second].places.push_back(place_text(store, entry));
      }
    }
  }

  Use& use_of(const CertificateRef& certificate) {
    Use& use = uses_[certificate->sha256];
    use.certificate = certificate;
    return use;
  }

  void collect_uses() {
    for (const Identity& identity : evidence_.identities) {
      if (identity.certificate && !evidence_.site.stranger(identity.server))
        use_of(identity.certificate).users.insert(identity.server);
    }
    for (const Handshake& handshake : evidence_.handshakes) {
      if (!handshake.peer_chain.empty()) use_of(handshake.peer_chain.front()).users.insert(handshake.to);
      if (!handshake.sent_chain.empty() && !evidence_.site.stranger(handshake.from))
        use_of(handshake.sent_chain.front()).users.insert(handshake.from);
    }
    for (const PathJudgement& judgement : judge_paths(evidence_, recorded_oracle(evidence_.signatures))) {
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
          Use& use = use_of(certificate);
          (in[certificate->sha256] == used.size() ? use.users : use.ways_out).insert(judgement.subject);
        }
      }
    }
  }

  static bool valid_but_for_revocation(const Path& path) {
    return std::all_of(path.problems.begin(), path.problems.end(),
                       [](const PathProblem& problem) { return problem.kind == PathProblemKind::revoked; });
  }

  /// Whether two keys of one name belong to one CA, by what is known of their certificates: renewals and the like.
  bool one_ca(const Certificate& a, const Certificate& b) const {
    if (a.spki_sha256 == b.spki_sha256) return true;
    for (const GraphEntry& x : graph_.named(a.subject)) {
      if (x.certificate->spki_sha256 != a.spki_sha256) continue;
      for (const GraphEntry& y : graph_.named(b.subject)) {
        if (y.certificate->spki_sha256 == b.spki_sha256 &&
            legitimate(classify(*x.certificate, *y.certificate).relation))
          return true;
      }
    }
    return false;
  }

  bool signed_by_ca_of(const List& list, const std::vector<CertificateRef>& issuers) const {
    return std::any_of(list.signers.begin(), list.signers.end(), [&](const CertificateRef& signer) {
      return std::any_of(issuers.begin(), issuers.end(),
                         [&](const CertificateRef& issuer) { return one_ca(*signer, *issuer); });
    });
  }

  static void add_places(const List& list, std::vector<std::string>& facts) {
    for (std::size_t i = 0; i < std::min(list.places.size(), most_places); ++i)
      facts.push_back(fmt::format("  in {}", list.places[i]));
    if (list.places.size() > most_places)
      facts.push_back(fmt::format("  and in {} more places", list.places.size() - most_places));
  }

  static std::string signers_text(const List& list) {
    if (list.signers.empty()) {
      return list.untried ? "whether a key known here signed it was not verified"
                          : "signed by no key of that name that is known here";
    }
    std::set<std::string> prints;
    for (const CertificateRef& signer : list.signers) prints.insert(thumbprint(*signer));
    return fmt::format("signed by the key of {}", enumerate({prints.begin(), prints.end()}));
  }

  void judge_age(const List& list) {
    const Crl& crl = *list.crl;
    if (crl.this_update > evidence_.collected_at) {
      Finding& found = verdict_.findings.emplace_back(
          finding(kinds[not_yet_valid], Status::warning, std::string{crl.issuer.text()}));
      found.summary =
          fmt::format("a revocation list of {} is not valid before {}", crl.issuer.text(), to_iso8601(crl.this_update));
      found.facts.push_back(fmt::format("{}; {}", describe_list(crl), signers_text(list)));
      add_places(list, found.facts);
      found.remedy =
          "Compare the clock of the CA with that of this host (w32tm /query /status), set it right, and publish the "
          "list "
          "again (certutil -crl). A server that checks revocation does not accept a list of a day to come.";
      return;
    }
    if (!crl.overdue_at(evidence_.collected_at)) {
      verdict_.notes.push_back({short_issuer(crl), fmt::format("{}; {}", describe_list(crl), signers_text(list))});
      return;
    }
    const bool ca_is_gone = !list.signers.empty() &&
                            std::all_of(list.signers.begin(), list.signers.end(), [&](const CertificateRef& signer) {
                              return signer->not_after < evidence_.collected_at;
                            });
    if (ca_is_gone) {
      verdict_.notes.push_back({short_issuer(crl), fmt::format("{}; overdue, and so is the CA that signed it: its "
                                                               "certificates have all expired",
                                                               describe_list(crl))});
      return;
    }
    Finding& found =
        verdict_.findings.emplace_back(finding(kinds[overdue], Status::warning, std::string{crl.issuer.text()}));
    found.summary = fmt::format("a revocation list of {} should have been renewed by {}", crl.issuer.text(),
                                to_iso8601(*crl.next_update));
    found.facts.push_back(fmt::format("{}; {}", describe_list(crl), signers_text(list)));
    add_places(list, found.facts);
    for (const List& other : lists_) {
      if (other.crl->delta != crl.delta || !matches(other.crl->issuer, crl.issuer) ||
          other.crl->overdue_at(evidence_.collected_at) || !signed_by_ca_of(other, list.signers))
        continue;
      found.facts.push_back(fmt::format("a newer one is at hand: {}", describe_list(*other.crl)));
      add_places(other, found.facts);
    }
    found.remedy =
        "On the CA, publish a new list (certutil -crl) and see that it arrives wherever the old one stands (certutil "
        "-dspublish -f for the directory); where the CA is retired, remove the list. A server that checks revocation "
        "and finds nothing newer cannot tell, and may refuse.";
  }

  static std::string short_issuer(const Crl& crl) {
    return std::string{crl.issuer.common_name().empty() ? crl.issuer.text() : crl.issuer.common_name()};
  }

  /// The certificates whose key signed `certificate`.
  std::vector<CertificateRef> issuers_of(const Certificate& certificate) const {
    std::vector<CertificateRef> issuers;
    for (const GraphEntry& issuer : graph_.named(certificate.issuer)) {
      if (state(certificate.sha256, *issuer.certificate) == SignatureState::verified)
        issuers.push_back(issuer.certificate);
    }
    return issuers;
  }

  void judge_use(const Use& use) {
    const Certificate& certificate = *use.certificate;
    if (certificate.self_issued()) return;  // a root is not revoked by a list but removed
    const std::vector<CertificateRef> issuers = issuers_of(certificate);
    std::vector<const List*> of_its_ca;
    std::vector<const List*> of_others;
    bool told = false;
    for (const List& list : lists_) {
      if (!matches(list.crl->issuer, certificate.issuer) || !list.crl->covers(certificate)) continue;
      // Of a list that no known key signed it cannot be told whose it is: a renewal's that is not known here, perhaps.
      if ((issuers.empty() || list.signers.empty()) && list.crl->revokes(certificate)) {
        add_undecided(use, list,
                      issuers.empty() ? "which key signed the certificate is not known" : signers_text(list));
        told = true;
      } else if (!issuers.empty() && !(list.signers.empty() && list.untried)) {
        (signed_by_ca_of(list, issuers) ? of_its_ca : of_others).push_back(&list);
      }
    }
    for (const List* list : of_its_ca) {
      if (!list->crl->revokes(certificate)) continue;
      if (const List* later = taken_back(*list, of_its_ca, certificate)) {
        verdict_.notes.push_back(
            {users_text(use), fmt::format("{} stands in the {}, and no longer in the {}", short_name(certificate),
                                          describe_list(*list->crl), describe_list(*later->crl))});
        continue;
      }
      if (!list->crl->unknown_critical.empty()) {
        add_undecided(use, *list,
                      fmt::format("it has a critical extension {} that is not evaluated here",
                                  enumerate(list->crl->unknown_critical)));
      } else {
        add_revoked(use, *list);
      }
    }
    if (of_its_ca.empty() && !of_others.empty()) {
      add_other_key(use, of_others, issuers);
    } else if (of_its_ca.empty() && !told) {
      verdict_.notes.push_back(
          {users_text(use), fmt::format("whether {} is revoked was not looked at: no list that its "
                                        "issuer's key signed, as far as is known, is at hand",
                                        short_name(certificate))});
    }
  }

  /// The list of one key with `list` by which a hold was released; null when there is none.
  const List* taken_back(const List& list, const std::vector<const List*>& others,
                         const Certificate& certificate) const {
    const auto of_one_key = [&](const List& other) {
      return std::any_of(other.signers.begin(), other.signers.end(), [&](const CertificateRef& a) {
        return std::any_of(list.signers.begin(), list.signers.end(),
                           [&](const CertificateRef& b) { return a->spki_sha256 == b->spki_sha256; });
      });
    };
    const auto found = std::find_if(others.begin(), others.end(), [&](const List* other) {
      return other->crl->this_update <= evidence_.collected_at && of_one_key(*other) &&
             other->crl->takes_back(*list.crl, certificate);
    });
    return found == others.end() ? nullptr : *found;
  }

  static std::string users_text(const Use& use) {
    std::set<std::string> all = use.users;
    all.insert(use.ways_out.begin(), use.ways_out.end());
    return enumerate({all.begin(), all.end()});
  }

  void add_revoked(const Use& use, const List& list) {
    const Certificate& certificate = *use.certificate;
    Finding& found = verdict_.findings.emplace_back(
        finding(kinds[revoked], use.users.empty() ? Status::warning : Status::critical, thumbprint(certificate)));
    if (!use.users.empty()) found.certificates = {use.certificate};
    const bool held = Crl::among(list.crl->held, certificate.serial);
    found.summary =
        fmt::format("{} of {} is {}", short_name(certificate), users_text(use), held ? "revoked, on hold" : "revoked");
    found.facts = {describe(certificate), fmt::format("its serial number {} stands in the {}; {}", certificate.serial,
                                                      describe_list(*list.crl), signers_text(list))};
    add_places(list, found.facts);
    if (use.users.empty()) found.facts.push_back("there are valid paths that do not go through it");
    if (held) {
      found.remedy =
          "Ask whoever runs the CA why it was put on hold. Either release it there (certutil -revoke SERIAL unrevoke), "
          "publish the list again and see that it arrives, or replace the certificate. Whoever checks revocation "
          "refuses "
          "it already.";
      return;
    }
    found.remedy =
        "Ask whoever runs the CA why it was revoked, then replace it: for a server, request and assign a new "
        "certificate and restart its services; for a CA certificate, renew it and reissue what it signed. Whoever "
        "checks revocation refuses it already.";
  }

  void add_undecided(const Use& use, const List& list, const std::string& why) {
    const Certificate& certificate = *use.certificate;
    Finding& found =
        verdict_.findings.emplace_back(finding(kinds[undecided], Status::unknown, thumbprint(certificate)));
    found.summary = fmt::format("{} of {} stands in a revocation list of its issuer's name that could not be relied on",
                                short_name(certificate), users_text(use));
    found.facts = {describe(certificate), fmt::format("{}: {}", describe_list(*list.crl), why)};
    add_places(list, found.facts);
    found.remedy =
        "Add the certificate of the CA that signed the list to a store that is read, and look at the list: openssl crl "
        "-text.";
  }

  /// Once for each issuer's key: what it signed shares the trouble.
  void add_other_key(const Use& use, const std::vector<const List*>& others,
                     const std::vector<CertificateRef>& issuers) {
    const Certificate& certificate = *use.certificate;
    if (!told_.insert(issuers.front()->spki_sha256).second) return;
    Finding& found = verdict_.findings.emplace_back(
        finding(kinds[other_key], Status::warning, std::string{certificate.issuer.text()}));
    // A list that names the very key and does not verify with it is no other CA's.
    const bool damaged = std::all_of(others.begin(), others.end(), [&](const List* list) {
      return list->signers.empty() && list->crl->authority_key_id &&
             std::any_of(issuers.begin(), issuers.end(), [&](const CertificateRef& issuer) {
               return issuer->subject_key_id == list->crl->authority_key_id;
             });
    });
    found.summary =
        fmt::format("no revocation list of {} at hand {} the key that signed {} of {}{}", certificate.issuer.text(),
                    damaged ? "verifies with" : "is signed by", short_name(certificate), users_text(use),
                    damaged ? ", though it names that key" : ", but by another one or one that is not known");
    found.facts.push_back(
        fmt::format("{}: signed by the key of {}", describe(certificate), describe(*issuers.front())));
    for (const List* list : others) {
      found.facts.push_back(fmt::format("{}; {}", describe_list(*list->crl), signers_text(*list)));
      add_places(*list, found.facts);
    }
    for (const std::string& url : certificate.crl_urls)
      found.facts.push_back("its list should be at " + where_it_leads(evidence_, url));
    if (damaged) {
      found.remedy =
          "The list is damaged, or forged: publish it again from the CA (certutil -crl), and compare what arrives "
          "where "
          "it stands. A server that checks revocation cannot use it.";
      return;
    }
    found.remedy =
        "A CA that was installed anew under the name and on the host of an older one overwrites the older one's list. "
        "Issue the certificates that the older one signed again from the newer one; until then publish the older "
        "one's list where its certificates look for it. A server that checks revocation cannot use the list that is "
        "there.";
  }

  void judge_unseen() {
    const std::vector<std::string> unseen = unseen_servers(evidence_);
    if (unseen.empty()) return;
    Finding& found = verdict_.findings.emplace_back(finding(kinds[undecided], Status::unknown, enumerate(unseen)));
    found.summary =
        fmt::format("whether the certificate of {} is revoked could not be told: none was seen", enumerate(unseen));
    found.remedy = "Configure the certificates of these servers, or let the check reach them.";
  }

  const Evidence& evidence_;
  CertificateGraph graph_;
  std::vector<List> lists_;
  std::map<Sha256, Use> uses_;
  std::set<Sha256> told_;
  Verdict verdict_;
};

Verdict judge(const Evidence& evidence) {
  const bool any = std::any_of(evidence.stores.begin(), evidence.stores.end(),
                               [](const StoreContents& store) { return !store.crls.empty(); });
  return any ? State{evidence}.judge() : Verdict{};
}

}  // namespace

extern const Check crl_state;
constinit const Check crl_state{.id = "crl-state",
                                .title = "no certificate in use is revoked, and every revocation list is current",
                                .needs = Needs::stores | Needs::signatures,
                                .kinds = kinds,
                                .judge = judge};

}  // namespace mrascheck::checks

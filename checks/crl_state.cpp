// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "checks/common.hpp"
#include "core/ca_name.hpp"
#include "core/in_use.hpp"
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
    FindingKind{"crl-state.not-shown",
                "with `revocation: hard`, nothing at hand shows that a certificate in use is not revoked",
                {"RFC 5280", "6.3.3"}},
};
enum Kind : std::size_t { overdue, not_yet_valid, other_key, revoked, undecided, not_shown };

constexpr std::size_t most_places = 8;

/// A revocation list with every place it stands in, and the certificates of its issuer's name whose key signed it.
struct List {
  CrlRef crl;
  std::vector<std::string> places;
  std::vector<CertificateRef> signers;
  bool untried = false;  ///< with some of them
};

using Use = CertificateInUse;

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

/// Of evidence with at least one list, or with a policy that insists on them.
class State {
 public:
  explicit State(const Evidence& evidence)
      : evidence_(evidence), graph_(evidence), oracle_(recorded_oracle(evidence.signatures)) {
    collect_lists();
    uses_ = certificates_in_use(evidence_, oracle_);
  }

  Verdict judge() {
    verdict_.examined = lists_.size() + (hard() ? uses_.size() : 0);
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

  void judge_use(const Use& use) {
    const Certificate& certificate = *use.certificate;
    if (certificate.self_issued()) return;  // a root is not revoked by a list but removed
    const std::vector<CertificateRef> issuers = issuers_of(certificate, graph_, oracle_);
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
            {use.users_text(), fmt::format("{} stands in the {}, and no longer in the {}", short_name(certificate),
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
    if (hard() && !told && !shown(certificate, of_its_ca)) add_not_shown(use, of_its_ca);
    if (of_its_ca.empty() && !of_others.empty()) {
      add_other_key(use, of_others, issuers);
    } else if (of_its_ca.empty() && !told) {
      verdict_.notes.push_back(
          {use.users_text(), fmt::format("whether {} is revoked was not looked at: no list that its "
                                         "issuer's key signed, as far as is known, is at hand",
                                         short_name(certificate))});
    }
  }

  bool hard() const { return evidence_.site.policy.revocation == RevocationMode::hard; }

  /// Whether a current list of its CA has all that is revoked and can be read, or a responder says that it is good; and
  /// also where one says that it is revoked, which is told by itself.
  bool shown(const Certificate& certificate, const std::vector<const List*>& of_its_ca) const {
    const UtcTime now = evidence_.collected_at;
    const bool by_list = std::any_of(of_its_ca.begin(), of_its_ca.end(), [&](const List* list) {
      const Crl& crl = *list->crl;
      return crl.revokes(certificate) || (!crl.delta && crl.unknown_critical.empty() && crl.this_update <= now &&
                                          !crl.overdue_at(now) && crl.covers(certificate));
    });
    return by_list || std::any_of(evidence_.ocsp.begin(), evidence_.ocsp.end(), [&](const OcspLook& look) {
             return look.certificate->sha256 == certificate.sha256 && look.answer &&
                    look.answer->signer != OcspSigner::nobody &&
                    (look.answer->status == OcspStatus::revoked ||
                     (look.answer->status == OcspStatus::good && look.answer->holds_at(now)));
           });
  }

  void add_not_shown(const Use& use, const std::vector<const List*>& of_its_ca) {
    const Certificate& certificate = *use.certificate;
    Finding& found = verdict_.findings.emplace_back(
        finding(kinds[not_shown], use.users.empty() ? Status::warning : Status::critical, thumbprint(certificate)));
    found.summary =
        fmt::format("nothing at hand shows that {} of {} is not revoked, and `revocation: hard` insists on it",
                    short_name(certificate), use.users_text());
    found.facts.push_back(describe(certificate));
    for (const List* list : of_its_ca) {
      found.facts.push_back(
          fmt::format("{}: not of now, not whole, or not to be read here", describe_list(*list->crl)));
      add_places(*list, found.facts);
    }
    if (of_its_ca.empty()) found.facts.emplace_back("no revocation list that its CA's key signed is at hand");
    bool asked = false;
    for (const OcspLook& look : evidence_.ocsp) {
      if (look.certificate->sha256 != certificate.sha256) continue;
      asked = true;
      found.facts.push_back(fmt::format("OCSP, {}: {}", look.source,
                                        !look.answer                                 ? look.problem
                                        : look.answer->signer == OcspSigner::nobody  ? look.answer->doubt
                                        : look.answer->status == OcspStatus::unknown ? "does not know it"
                                                                                     : "an answer of another time"));
    }
    if (!asked) {
      found.facts.emplace_back(certificate.ocsp_urls.empty() ? "it names no OCSP responder"
                                                             : fmt::format("no OCSP responder was asked; it names {}",
                                                                           enumerate(certificate.ocsp_urls)));
    }
    found.remedy =
        "Let the check get at what decides it: fetch the lists that certificates name (--fetch), ask their responders "
        "(--ocsp), or configure a store with the list. Where these cannot be had from here, they may not be had from "
        "the "
        "servers either: certutil -verify -urlfetch FILE there.";
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

  void add_revoked(const Use& use, const List& list) {
    const Certificate& certificate = *use.certificate;
    Finding& found = verdict_.findings.emplace_back(
        finding(kinds[revoked], use.users.empty() ? Status::warning : Status::critical, thumbprint(certificate)));
    if (!use.users.empty()) found.certificates = {use.certificate};
    const bool held = Crl::among(list.crl->held, certificate.serial);
    found.summary =
        fmt::format("{} of {} is {}", short_name(certificate), use.users_text(), held ? "revoked, on hold" : "revoked");
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
                                short_name(certificate), use.users_text());
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
                    damaged ? "verifies with" : "is signed by", short_name(certificate), use.users_text(),
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
  SignatureOracle oracle_;
  std::vector<List> lists_;
  std::map<Sha256, Use> uses_;
  std::set<Sha256> told_;
  Verdict verdict_;
};

Verdict judge(const Evidence& evidence) {
  const bool any = std::any_of(evidence.stores.begin(), evidence.stores.end(),
                               [](const StoreContents& store) { return !store.crls.empty(); });
  const bool hard = evidence.site.policy.revocation == RevocationMode::hard;
  return any || hard ? State{evidence}.judge() : Verdict{};
}

}  // namespace

extern const Check crl_state;
constinit const Check crl_state{.id = "crl-state",
                                .title = "no certificate in use is revoked, and every revocation list is current",
                                .needs = Needs::stores | Needs::signatures,
                                .kinds = kinds,
                                .judge = judge};

}  // namespace mrascheck::checks

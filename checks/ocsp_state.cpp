// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "checks/common.hpp"
#include "core/in_use.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array kinds{
    FindingKind{
        "ocsp-state.revoked", "an OCSP responder says that a certificate in use is revoked", {"RFC 6960", "2.2"}},
    FindingKind{"ocsp-state.not-known", "an OCSP responder does not know a certificate in use", {"RFC 6960", "2.2"}},
    FindingKind{"ocsp-state.no-answer",
                "an OCSP responder that a certificate in use names gave no answer that could be read",
                {"RFC 6960", "2.3"}},
    FindingKind{
        "ocsp-state.not-asked", "an OCSP responder that a certificate in use names was not asked", {"RFC 6960", "2.3"}},
    FindingKind{"ocsp-state.untrusted", "an OCSP answer is not signed by who may sign it", {"RFC 6960", "4.2.2.2"}},
    FindingKind{"ocsp-state.outdated", "an OCSP answer is of another time", {"RFC 6960", "3.2"}},
};
enum Kind : std::size_t { revoked, not_known, no_answer, not_asked, untrusted, outdated };

/// Of evidence with at least one look.
class OcspState {
 public:
  explicit OcspState(const Evidence& evidence)
      : evidence_(evidence), uses_(certificates_in_use(evidence, recorded_oracle(evidence.signatures))) {}

  Verdict judge() {
    verdict_.examined = evidence_.ocsp.size();
    for (const OcspLook& look : evidence_.ocsp) {
      if (!look.asked) {
        add_not_asked(look);
      } else if (!look.answer) {
        add_no_answer(look);
      } else if (look.answer->signer == OcspSigner::nobody) {
        add_untrusted(look);
      } else if (look.answer->status == OcspStatus::revoked) {
        add_revoked(look);  // also out of date: what was revoked stays so, but for a hold
      } else if (!look.answer->holds_at(evidence_.collected_at)) {
        add_outdated(look);
      } else if (look.answer->status == OcspStatus::unknown) {
        add_not_known(look);
      } else {
        verdict_.notes.push_back({users_of(look), fmt::format("{} is not revoked, says {}",
                                                              short_name(*look.certificate), describe_answer(look))});
      }
    }
    return std::move(verdict_);
  }

 private:
  std::string users_of(const OcspLook& look) const {
    const auto use = uses_.find(look.certificate->sha256);
    return use == uses_.end() ? std::string{"nobody"} : use->second.users_text();
  }
  std::string whose(const OcspLook& look) const {
    return fmt::format("{} of {}", short_name(*look.certificate), users_of(look));
  }
  static std::string source_text(const OcspLook& look) {
    return look.stapled ? fmt::format("the answer that came along with {}", look.source)
                        : fmt::format("the responder {}", look.source);
  }
  static std::string describe_answer(const OcspLook& look) {
    const OcspAnswer& answer = *look.answer;
    std::string text = fmt::format("{}: from {}", source_text(look), to_iso8601(answer.this_update));
    text += answer.next_update ? fmt::format(" until {}", to_iso8601(*answer.next_update)) : ", newer at any time";
    const std::string by = answer.responder.empty() ? std::string{} : " " + answer.responder;
    switch (answer.signer) {
      case OcspSigner::issuer:
        return text + ", signed by the CA itself";
      case OcspSigner::delegate:
        return text + fmt::format(", signed by{}, which the CA named", by);
      case OcspSigner::nobody:
        break;
    }
    return text + fmt::format(", signed by{}", by.empty() ? " nobody known" : by);
  }
  /// One of a kind for each certificate; the answers are its facts.
  Finding& add(Kind kind, Status status, const OcspLook& look) {
    const auto [place, first] =
        told_.try_emplace(std::make_pair(kind, look.certificate->sha256), verdict_.findings.size());
    if (first) {
      Finding& found = verdict_.findings.emplace_back(finding(kinds[kind], status, thumbprint(*look.certificate)));
      found.facts.push_back(describe(*look.certificate));
    }
    return verdict_.findings[place->second];
  }

  void add_revoked(const OcspLook& look) {
    const auto use = uses_.find(look.certificate->sha256);
    const bool needed = use == uses_.end() || !use->second.users.empty();
    const OcspAnswer& answer = *look.answer;
    const bool held = answer.reason == "certificateHold";
    Finding& found = add(revoked, needed ? Status::critical : Status::warning, look);
    if (needed) found.certificates = {look.certificate};
    found.summary = fmt::format("{} is {}, says {}", whose(look), held ? "revoked, on hold" : "revoked",
                                look.stapled ? "what its server staples" : look.source);
    std::string fact = describe_answer(look);
    if (answer.revoked_at) fact += fmt::format("; revoked at {}", to_iso8601(*answer.revoked_at));
    if (!answer.reason.empty()) fact += fmt::format(", reason {}", answer.reason);
    found.facts.push_back(std::move(fact));
    if (!answer.holds_at(evidence_.collected_at))
      found.facts.push_back("the answer is of another time; what is revoked stays so, unless it was only held");
    if (!needed) found.facts.emplace_back("there are valid paths that do not go through it");
    found.remedy =
        held ? "Ask whoever runs the CA why it was put on hold. Either release it there (certutil -revoke SERIAL "
               "unrevoke) and publish the list again, from which the responder answers, or replace the certificate. "
               "Whoever checks revocation refuses it already."
             : "Ask whoever runs the CA why it was revoked, then replace it: for a server, request and assign a new "
               "certificate and restart its services; for a CA certificate, renew it and reissue what it signed. "
               "Whoever checks revocation refuses it already.";
  }

  void add_not_known(const OcspLook& look) {
    Finding& found = add(not_known, Status::warning, look);
    found.summary = fmt::format("{} does not know {}", source_text(look), whose(look));
    found.facts.push_back(describe_answer(look));
    found.remedy =
        "A responder that answers from the CA's database says this of a certificate that the CA did not issue: compare "
        "its serial number with the CA's issued certificates (certutil -view). Of one that answers from revocation "
        "lists, see that its revocation configuration is for the CA that signed the certificate: a CA that was "
        "installed anew under the same name needs one of its own.";
  }

  void add_no_answer(const OcspLook& look) {
    Finding& found = add(no_answer, Status::warning, look);
    found.summary = fmt::format("whether {} is revoked could not be told by {}", whose(look), source_text(look));
    found.facts.push_back(fmt::format("{}: {}", source_text(look), look.problem));
    found.facts.push_back(look.stapled
                              ? "a client that holds a server to what it staples refuses it; Schannel goes on without"
                              : "a server that cannot tell goes on unless it is set to insist on it");
    found.remedy = look.remedy;
  }

  void add_not_asked(const OcspLook& look) {
    Finding& found = add(not_asked, Status::unknown, look);
    found.summary =
        fmt::format("whether {} is revoked was not asked of {}: {}", whose(look), look.source, look.problem);
    found.remedy = look.remedy;
  }

  void add_untrusted(const OcspLook& look) {
    Finding& found = add(untrusted, Status::warning, look);
    found.summary = fmt::format("what {} says of {} is signed by nobody who may", source_text(look), whose(look));
    found.facts.push_back(fmt::format("it says: {}", to_string(look.answer->status)));
    found.facts.push_back(describe_answer(look));
    found.facts.push_back(look.answer->doubt);
    found.remedy =
        "Renew the responder's signing certificate from the very CA whose certificates it answers for, from the "
        "template OCSP Response Signing, and assign it (ocsp.msc, Revocation Configuration). After a CA was installed "
        "anew or its key was renewed, the responder needs a signing certificate by the new key too. Nobody may rely on "
        "this answer.";
  }

  void add_outdated(const OcspLook& look) {
    const bool early = look.answer->early_at(evidence_.collected_at);
    Finding& found = add(outdated, Status::warning, look);
    found.summary = early ? fmt::format("what {} says of {} is not valid before {}", source_text(look), whose(look),
                                        to_iso8601(look.answer->this_update))
                          : fmt::format("what {} says of {} was valid until {}", source_text(look), whose(look),
                                        to_iso8601(*look.answer->next_update));
    found.facts.push_back(describe_answer(look));
    found.remedy = early
                       ? "Compare the clock of the responder with that of this host (w32tm /query /status), and set it "
                         "right. Nobody accepts an answer of a day to come."
                       : "See that the responder gets at new revocation lists of the CA (ocsp.msc, Revocation "
                         "Configuration, the provider's state), and that the CA publishes them (certutil -crl). For a "
                         "stapled answer, see that its server gets at the responder.";
  }

  const Evidence& evidence_;
  std::map<Sha256, CertificateInUse> uses_;
  std::map<std::pair<Kind, Sha256>, std::size_t> told_;  ///< where in the findings
  Verdict verdict_;
};

Verdict judge(const Evidence& evidence) {
  return evidence.ocsp.empty() ? Verdict{} : OcspState{evidence}.judge();
}

}  // namespace

extern const Check ocsp_state;
constinit const Check ocsp_state{.id = "ocsp-state",
                                 .title = "no OCSP responder says that a certificate in use is revoked",
                                 .needs = Needs::none,
                                 .kinds = kinds,
                                 .judge = judge};

}  // namespace mrascheck::checks

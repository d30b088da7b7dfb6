// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "checks/common.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array kinds{
    FindingKind{"validity.expired", "a certificate in use has expired", {"RFC 5280", "4.1.2.5"}},
    FindingKind{"validity.not-yet-valid", "a certificate in use is not valid yet", {"RFC 5280", "4.1.2.5"}},
    FindingKind{"validity.expires-soon", "a certificate in use expires within its threshold", {"RFC 5280", "4.1.2.5"}},
};

/// A certificate in use, and who uses it.
struct Use {
  CertificateRef certificate;
  std::set<std::string> users;
  std::set<std::string> owners;  ///< servers whose own certificate it is
  bool needed = false;           ///< the chosen path of some judgement stands on it, or none is valid
  bool superseded = false;       ///< only a file has it: its server was seen to present another that is valid
  bool spare = false;            ///< somebody who was shown it has a valid path without it
};

double days_left(const Certificate& certificate, UtcTime at) {
  const double days = std::chrono::duration<double, std::ratio<86'400>>(remaining_validity(certificate, at)).count();
  return std::floor(days * 10'000) / 10'000;  // about nine seconds; rounded down, so that it never promises too much
}

/// What was presented, sent or configured, and what the chosen path of each judgement stands on.
std::map<Sha256, Use> certificates_in_use(const Evidence& evidence) {
  std::map<Sha256, Use> uses;
  const auto use = [&](const CertificateRef& certificate, const std::string& who, bool own) {
    Use& entry = uses[certificate->sha256];
    entry.certificate = certificate;
    entry.users.insert(who);
    if (own) entry.owners.insert(who);
  };
  const auto use_chain = [&](const std::vector<CertificateRef>& chain, const std::string& who) {
    for (std::size_t i = 0; i < chain.size(); ++i) use(chain[i], who, i == 0);
  };
  const auto presents_another = [&](const std::string& server, const Certificate& own) {
    bool another = false;
    for (const Handshake& handshake : evidence.handshakes) {
      if (handshake.to != server || handshake.peer_chain.empty()) continue;
      if (handshake.peer_chain.front()->sha256 == own.sha256) return false;
      another = another || handshake.peer_chain.front()->valid_at(evidence.collected_at);
    }
    return another;
  };
  for (const Identity& identity : evidence.identities) {
    if (evidence.site.stranger(identity.server)) continue;
    if (identity.certificate) {
      use(identity.certificate, identity.server, true);
      uses[identity.certificate->sha256].superseded = presents_another(identity.server, *identity.certificate);
    }
    for (const CertificateRef& certificate : identity.chain) use(certificate, identity.server, false);
  }
  for (const Handshake& handshake : evidence.handshakes) {
    use_chain(handshake.peer_chain, handshake.to);
    if (!evidence.site.stranger(handshake.from)) use_chain(handshake.sent_chain, handshake.from);
  }
  for (const PathJudgement& judgement : judge_paths(evidence, recorded_oracle(evidence.signatures))) {
    if (judgement.result.paths.paths.empty()) continue;
    const std::vector<CertificateRef>& chosen = judgement.result.paths.paths.front().certificates;
    for (const CertificateRef& certificate : chosen) {
      use(certificate, judgement.subject, certificate == judgement.chain.front());
      uses[certificate->sha256].needed = true;
    }
    for (const CertificateRef& certificate : judgement.chain) {
      if (std::find(chosen.begin(), chosen.end(), certificate) != chosen.end()) continue;
      Use& passed_over = uses[certificate->sha256];
      passed_over.certificate = certificate;
      (judgement.result.paths.any_valid() ? passed_over.spare : passed_over.needed) = true;
    }
  }
  return uses;
}

std::string users_text(const Use& use) {
  std::string text;
  for (const std::string& user : use.users) text += (text.empty() ? "" : ", ") + user;
  return text;
}

/// Percent of its validity that is over.
double lifetime_used(const Certificate& certificate, UtcTime at) {
  const std::chrono::duration<double> whole = certificate.not_after - certificate.not_before;
  const std::chrono::duration<double> over = at - certificate.not_before;
  return whole.count() > 0 ? std::ceil(over / whole * 10'000) / 100 : 100;
}

Finding aging(const Use& use, Status status, double used, const Thresholds& lifetime, UtcTime now) {
  const Certificate& certificate = *use.certificate;
  const std::string who = users_text(use);
  const Range& range = status == Status::critical ? *lifetime.critical : *lifetime.warning;
  Finding soon = finding(kinds[2], status, thumbprint(certificate));
  soon.summary = fmt::format("{:g} percent of the validity of {} of {} is over; it expires in {} days, on {}", used,
                             short_name(certificate), who, days_between(now, certificate.not_after),
                             to_date(certificate.not_after));
  soon.facts = {describe(certificate), fmt::format("the threshold of lifetime is {}", to_string(range))};
  soon.remedy =
      use.owners.empty()
          ? "Renew this CA certificate in good time, with the same key if nothing speaks against it, and publish the "
            "new one."
          : fmt::format(
                "Request a new certificate for {} now, assign it, and run this check again before the old one "
                "ends.",
                who);
  return soon;
}

/// Of a file that its server no longer goes by, or not yet: worth a word, and no outage.
std::optional<Finding> judge_superseded(const Use& use, const Evidence& evidence, const Thresholds& thresholds) {
  const Certificate& certificate = *use.certificate;
  const bool expired = evidence.collected_at > certificate.not_after;
  const bool early = evidence.collected_at < certificate.not_before;
  const std::string who = users_text(use);
  if (!expired && !early && status_of(days_left(certificate, evidence.collected_at), thresholds) == Status::ok)
    return std::nullopt;
  const FindingKind& kind = expired ? kinds[0] : early ? kinds[1] : kinds[2];
  Finding found = finding(kind, Status::warning, thumbprint(certificate));
  found.summary = fmt::format(
      "the configured certificate file of {} holds {}, valid {} to {}, and {} presents another one that is valid", who,
      short_name(certificate), to_date(certificate.not_before), to_date(certificate.not_after), who);
  found.facts = {describe(certificate)};
  for (const Handshake& handshake : evidence.handshakes) {
    if (use.owners.contains(handshake.to) && !handshake.peer_chain.empty())
      found.facts.push_back(fmt::format("seen in {}: {}", handshake.id(), describe(*handshake.peer_chain.front())));
  }
  found.remedy = fmt::format(
      "Replace the file that `certificate` of {} names (and its key) by the one that is assigned there now.", who);
  return found;
}

/// One perfdata label a server, the same in every run: two servers whose names are cut to the same one are told apart
/// by the order of their names, not by their certificates.
class ServerLabels {
 public:
  explicit ServerLabels(const Site& site) {
    std::set<std::string> names;
    for (const Server& server : site.servers) names.insert(server.name);
    for (const std::string& name : names) first_.emplace(name, labels_.unique(wanted(name)));
  }
  /// Its own for the first certificate of a server, another for each further one.
  std::string of(const std::string& server) {
    const auto own = first_.find(server);
    return own == first_.end() || !given_.insert(server).second ? labels_.unique(wanted(server)) : own->second;
  }

 private:
  static std::string wanted(const std::string& server) { return fmt::format("days_{}", short_host(server)); }
  Labels labels_;
  std::map<std::string, std::string> first_;
  std::set<std::string> given_;
};

Verdict judge(const Evidence& evidence) {
  Verdict verdict;
  ServerLabels labels{evidence.site};
  const Thresholds thresholds = evidence.site.policy.of("expiry");
  const Thresholds lifetime = evidence.site.policy.of("lifetime");
  std::optional<double> least_of_authorities;
  for (const auto& [sha256, use] : certificates_in_use(evidence)) {
    ++verdict.examined;
    const bool idle = use.owners.empty() && use.spare && !use.needed;
    const Certificate& certificate = *use.certificate;
    const double days = days_left(certificate, evidence.collected_at);
    const std::string who = users_text(use);
    const std::string about = thumbprint(certificate);
    if (use.superseded) {
      if (auto found = judge_superseded(use, evidence, thresholds)) verdict.findings.push_back(std::move(*found));
      continue;
    }
    if (evidence.collected_at > certificate.not_after) {
      Finding& expired =
          verdict.findings.emplace_back(finding(kinds[0], idle ? Status::warning : Status::critical, about));
      expired.summary =
          fmt::format("{} of {} expired on {}", short_name(certificate), who, to_iso8601(certificate.not_after));
      expired.facts = {describe(certificate), fmt::format("issued by {}", certificate.issuer.text())};
      if (!idle) expired.certificates = {use.certificate};
      if (idle) {
        expired.facts.push_back("everybody who was shown it has a valid path without it");
        expired.remedy = fmt::format(
            "Take it out of what {} sends (its chain file; on Windows its Intermediate Certification "
            "Authorities store), then restart its services: a peer that builds no path of its own would "
            "refuse it.",
            who);
        continue;
      }
      expired.remedy = use.owners.empty() ? "Renew this CA certificate, import the new one wherever the old one "
                                            "stands, then reissue what it signed if its key changed."
                                          : fmt::format(
                                                "Request and assign a new certificate on {} (Skype for Business or "
                                                "Lync deployment wizard, step 3), then restart its "
                                                "services.",
                                                who);
    } else if (evidence.collected_at < certificate.not_before) {
      Finding& early = verdict.findings.emplace_back(finding(kinds[1], Status::critical, about));
      early.summary = fmt::format("{} of {} is not valid before {}", short_name(certificate), who,
                                  to_iso8601(certificate.not_before));
      early.certificates = {use.certificate};
      early.facts = {describe(certificate),
                     fmt::format("the clock of {} says {}", evidence.vantage, to_iso8601(evidence.collected_at))};
      early.remedy =
          "Compare the clocks and time zones of this host, the servers and the CA; else wait, or assign the former "
          "certificate until then.";
    } else if (!idle) {
      const double used = lifetime_used(certificate, evidence.collected_at);
      const Status by_lifetime = status_of(used, lifetime);
      if (const Status by_days = status_of(days, thresholds); by_lifetime > by_days) {
        verdict.findings.push_back(aging(use, by_lifetime, used, lifetime, evidence.collected_at));
      } else if (const Status status = by_days; status != Status::ok) {
        Finding& soon = verdict.findings.emplace_back(finding(kinds[2], status, about));
        soon.summary =
            fmt::format("{} of {} expires in {} days, on {}", short_name(certificate), who,
                        days_between(evidence.collected_at, certificate.not_after), to_date(certificate.not_after));
        soon.facts = {describe(certificate)};
        const Range& range = status == Status::critical ? *thresholds.critical : *thresholds.warning;
        // Monitoring Plugins guidelines, Threshold and Ranges: a number alone is the most that is fine.
        const bool too_many = !range.inside && days > range.end;
        soon.remedy = too_many ? fmt::format(
                                     "The threshold {0} of expiry alerts while more than {1} days are left. To be told "
                                     "when fewer are left, write {1}: with a colon behind it.",
                                     to_string(range), range.end)
                      : use.owners.empty() ? "Renew this CA certificate in good time, with the same key if nothing "
                                             "speaks against it, and publish the new one."
                                           : fmt::format(
                                                 "Request a new certificate for {} now, assign it, and run this check "
                                                 "again before the old one ends.",
                                                 who);
      }
    }
    if (use.owners.empty()) {
      if (!idle) least_of_authorities = std::min(days, least_of_authorities.value_or(days));
      continue;
    }
    for (const std::string& owner : use.owners) {
      verdict.perfdata.push_back(
          {labels.of(owner), days, "", thresholds.warning, thresholds.critical, std::nullopt, std::nullopt});
      verdict.notes.push_back({owner, fmt::format("{}: {} days left, until {}", short_name(certificate),
                                                  days_between(evidence.collected_at, certificate.not_after),
                                                  to_date(certificate.not_after))});
    }
  }
  if (least_of_authorities) {
    verdict.perfdata.push_back({"days_ca_least", least_of_authorities, "", thresholds.warning, thresholds.critical,
                                std::nullopt, std::nullopt});
  }
  std::stable_sort(verdict.notes.begin(), verdict.notes.end(),
                   [](const Note& a, const Note& b) { return a.about < b.about; });
  std::stable_sort(verdict.perfdata.begin(), verdict.perfdata.end(),
                   [](const Perfdata& a, const Perfdata& b) { return a.label < b.label; });
  return verdict;
}

}  // namespace

extern const Check validity;
constinit const Check validity{.id = "validity",
                               .title = "every certificate in use is valid now and long enough",
                               .needs = Needs::identities | Needs::handshakes,
                               .kinds = kinds,
                               .judge = judge};

}  // namespace mrascheck::checks

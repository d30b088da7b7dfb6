// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/common.hpp"
#include "core/cleanup.hpp"
#include "core/cleanup_steps.hpp"
#include "core/issuers.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array kinds{
    FindingKind{"same-name-issuers.stale",
                "CA certificates of earlier installations share the name of a CA in use",
                {"RFC 4158", "3.5.12"}},
    FindingKind{"same-name-issuers.several-in-use",
                "several installations of one CA name are in use at once",
                {"RFC 4158", "3.5.12"}},
    FindingKind{"same-name-issuers.unrelated",
                "several CAs share a name that nothing seen here chains to",
                {"RFC 4158", "3.5.12"}},
    FindingKind{"same-name-issuers.undecided",
                "which of several CAs of one name is in use could not be told",
                {"RFC 4158", "3.5.12"}},
    FindingKind{"same-name-issuers.foreign",
                "a certificate that nobody here issued or published carries the name of a CA in use",
                {"RFC 5280", "8"}},
    FindingKind{"same-name-issuers.contradiction",
                "CA certificates of one name contradict each other",
                {"[MS-WCCE]", "3.2.1.4.3.2.39"}},
    FindingKind{"same-name-issuers.name-encoding",
                "a CA name is written in two ways, equal to OpenSSL and different to Windows",
                {"RFC 5280", "7.1"}},
    FindingKind{"same-name-issuers.not-used-yet",
                "a younger CA of a name in use has issued nothing that was seen",
                {"RFC 4158", "3.5.12"}},
    FindingKind{"same-name-issuers.misfiled",
                "a certificate that may not sign stands in a CA container under a CA's name",
                {"RFC 5280", "4.2.1.9"}},
};

enum Kind : std::size_t {
  stale_members,
  several_in_use,
  unrelated,
  undecided_members,
  foreign_members,
  contradiction,
  name_encoding,
  not_used_yet,
  misfiled_members,
};

constexpr std::size_t most_members = 20;
constexpr std::size_t most_locations = 8;

std::string used_by(const IssuerMember& member) {
  std::vector<std::string> names;
  for (const CertificateRef& child : member.signs) names.push_back(short_name(*child));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (names.size() > 6) {
    const std::size_t more = names.size() - 6;
    names.resize(6);
    names.push_back(fmt::format("{} more", more));
  }
  return enumerate(names);
}

/// What the plan says of a stale certificate; null when it says nothing.
const CleanupVerdict* verdict_on(const CleanupPlan& plan, const Certificate& certificate) {
  const auto found = std::find_if(plan.verdicts.begin(), plan.verdicts.end(), [&](const CleanupVerdict& verdict) {
    return verdict.certificate->sha256 == certificate.sha256;
  });
  return found == plan.verdicts.end() ? nullptr : &*found;
}

bool may_go(const CleanupPlan& plan, const IssuerMember& member) {
  const CleanupVerdict* verdict = verdict_on(plan, *member.entry->certificate);
  return member.standing == Standing::stale && verdict != nullptr && verdict->may_go == MayGo::now;
}

void add_member_facts(const IssuerMember& member, bool first, const CleanupPlan& plan,
                      std::vector<std::string>& facts) {
  constexpr std::size_t most_reasons = 4;
  const Certificate& certificate = *member.entry->certificate;
  std::string line = fmt::format("{}: {}", to_string(member.standing), describe(certificate));
  if (member.standing == Standing::current) {
    line +=
        fmt::format("; its key signed {}{}", used_by(member), member.enrolled ? "; stands in Enrollment Services" : "");
  } else if (!first) {
    line += fmt::format("; {} ({} confidence: {})", to_string(member.relation.relation),
                        to_string(member.relation.confidence), member.relation.because());
    line += member.signs.empty() ? "; signed nothing that is in use" : "; has the same key as one in use";
  }
  const bool vouched =
      member.standing == Standing::current || member.standing == Standing::alive || member.standing == Standing::unused;
  if (vouched && member.voucher == Voucher::nobody)
    line += "; no trusted root leads to it and no directory holds it, in what was read";
  facts.push_back(std::move(line));
  const CleanupVerdict* verdict = verdict_on(plan, certificate);
  if (member.standing == Standing::stale && verdict != nullptr && verdict->may_go != MayGo::now) {
    const auto& reasons = verdict->because;
    for (std::size_t i = 0; i < std::min(reasons.size(), most_reasons); ++i)
      facts.push_back(fmt::format(
          "  {}: {}", verdict->may_go == MayGo::not_yet ? "not to be removed yet" : "whether it may go cannot be told",
          reasons[i]));
    if (reasons.size() > most_reasons)
      facts.push_back(fmt::format("  and for {} more reasons: see mrascheck cleanup", reasons.size() - most_reasons));
  }
  const auto& locations = member.entry->locations;
  for (std::size_t i = 0; i < std::min(locations.size(), most_locations); ++i) {
    const PropertiesRef& properties = locations[i].entry->properties;
    const std::string more = properties ? properties->text() : "";
    facts.push_back(fmt::format("  in {}{}{}", locations[i].text(), more.empty() ? "" : "; ", more));
  }
  if (locations.size() > most_locations)
    facts.push_back(fmt::format("  and in {} more places", locations.size() - most_locations));
  if (locations.empty()) facts.push_back("  in no store that was read; presented on the wire or configured");
}

std::vector<std::string> group_facts(const IssuerGroup& group, const CleanupPlan& plan) {
  std::vector<std::string> facts;
  for (std::size_t i = 0; i < std::min(group.members.size(), most_members); ++i) {
    add_member_facts(group.members[i], i == 0, plan, facts);
  }
  if (group.members.size() > most_members) {
    facts.push_back(fmt::format("and {} more certificates of this name", group.members.size() - most_members));
  }
  return facts;
}

/// Whether a store's name may stand in a command that somebody will copy.
bool is_word(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// A DN for an LDAP URL (RFC 4516, 2.1) inside double quotes: whatever could end one of the two, or mean something to a
/// shell, is percent-encoded; blanks stay, as Microsoft's own examples have them.
std::string in_url(std::string_view dn) {
  static constexpr std::string_view plain = " =,.-_:@+/";
  std::string text;
  for (const char c : dn) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (word || plain.find(c) != std::string_view::npos) {
      text += c;
    } else {
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

/// How to take stale certificates out of one place. Nothing is executed: these are lines to read and copy.
std::string removal(const Removal& there, const std::vector<std::string>& thumbprints) {
  const StoredCopy& place = there.place;
  std::string lines;
  const auto name_each = [&](std::string_view before) {
    for (const std::string& print : thumbprints) lines += fmt::format("\n    {}{}", before, print);
  };
  if (place.directory && place.in_pair) {
    // certutil has no verb for this attribute.
    lines = fmt::format("\n  with adsiedit.msc, from crossCertificatePair of {}, the value that holds", place.place);
    name_each("");
    return lines;
  }
  if (place.directory && there.whole) {
    lines = fmt::format("\n  from {}: not yet, for", place.place);
    name_each("");
    return lines + fmt::format("\n    {}: mrascheck cleanup says how", by_hand_because(there));
  }
  if (place.directory) {
    lines =
        fmt::format("\n  certutil -viewdelstore \"ldap:///{}?cACertificate?base?objectClass=certificationAuthority\"",
                    in_url(place.place));
    name_each("pick ");
    return lines;
  }
  if (is_fetched(place.store)) {
    lines = fmt::format("\n  from the file that {} hands out", place.store);
    name_each("");
    return lines;
  }
  const std::string host = place.host.empty() ? "the host of " + place.store : place.host;
  const bool told = is_word(place.windows_store);
  // NTAuth is a store of its own, which comes from the directory (KB295663).
  const bool ntauth = !told && place.kind == StoreKind::ntauth;
  const std::string logical = told                            ? place.windows_store
                              : ntauth                        ? "NTAuth"
                              : place.kind == StoreKind::root ? "Root"
                                                              : "CA";
  const std::string_view option = place.origin == StoreOrigin::enterprise || ntauth ? "-enterprise "
                                  : place.origin == StoreOrigin::user               ? "-user "
                                                                                    : "";
  for (const std::string& print : thumbprints) {
    // What a policy distributes comes back from it, however often it is deleted on the host.
    lines += place.origin == StoreOrigin::group_policy
                 ? fmt::format("\n  in the group policy that gives {} its store {}: remove {}", host, logical, print)
                 : fmt::format("\n  on {}: certutil {}-delstore {} {}", host, option, logical, print);
  }
  return lines;
}

std::string remedy_for(const IssuerGroup& group, const CleanupPlan& plan) {
  struct Place {
    const Removal* removal;
    std::vector<std::string> thumbprints;
  };
  std::vector<Place> places;  // the directory's first, as the plan has them: what stands there comes back to the hosts
  for (const Removal& removal : plan.removals) {
    Place place{&removal, {}};
    for (const IssuerMember& member : group.members) {
      const bool here = std::any_of(removal.values.begin(), removal.values.end(), [&](const CertificateRef& value) {
        return value->sha256 == member.entry->certificate->sha256;
      });
      if (here && may_go(plan, member)) place.thumbprints.push_back(thumbprint(*member.entry->certificate));
    }
    if (!place.thumbprints.empty()) places.push_back(std::move(place));
  }
  const auto has = [&](MayGo wanted) {
    return std::any_of(group.members.begin(), group.members.end(), [&](const IssuerMember& member) {
      if (member.standing != Standing::stale) return false;
      const CleanupVerdict* verdict = verdict_on(plan, *member.entry->certificate);
      return (verdict == nullptr ? MayGo::unknown : verdict->may_go) == wanted;
    });
  };
  std::string first;
  if (has(MayGo::not_yet)) {
    first +=
        "What is still needed (above) must stay for now: first import the current certificates, and the root that they "
        "lead to, where a server needs the stale ones, and have issued again what the old keys signed. ";
  }
  if (has(MayGo::unknown)) {
    first +=
        "What cannot be told (above) must stay until it can: mend what is named there, and never remove one before. ";
  }
  if (!has(MayGo::now)) return first + "Then run this check again; mrascheck cleanup prints the whole plan.";
  if (places.empty()) {
    return first +
           "What may go stands in no store that was read: it was sent, or is configured. Look for it on the servers "
           "that sent it, and mrascheck cleanup prints the proof.";
  }
  if (!first.empty()) first += "For the others: ";
  std::string remedy =
      first +
      "Export the stale certificates first (they are the undo), make sure that nothing outside this site still needs "
      "them, then remove them, from the directory before the hosts, or group policy brings them back within 8 hours "
      "(mrascheck cleanup prints the proof, and each step with its way back):";
  for (std::size_t i = 0; i < std::min(places.size(), most_members); ++i) {
    remedy += removal(*places[i].removal, places[i].thumbprints);
  }
  if (places.size() > most_members) remedy += fmt::format("\n  and {} more places", places.size() - most_members);
  remedy +=
      "\nThen run gpupdate /force and certutil -pulse on the servers, restart their services, so that Schannel builds "
      "its chains anew, and run this check again. Never use certutil -dsdel here: it goes by name and would remove the "
      "CA in use as well.";
  return remedy;
}

/// How bad it is that these are still here. Worst where a certificate in use leads to one of two that are valid now:
/// whoever goes by the name alone may take the other. Less where it leads to both, as they share a key; least where
/// only one is valid. Among the roots or in NTAuth it weighs one level more.
Status severity(const IssuerGroup& group, Standing standing) {
  const bool current_valid = std::any_of(group.members.begin(), group.members.end(), [](const IssuerMember& member) {
    return member.standing == Standing::current && member.time_valid;
  });
  int worst = 0;
  for (const IssuerMember& member : group.members) {
    if (member.standing != standing) continue;
    const bool leads_here = std::any_of(member.signs.begin(), member.signs.end(), [&](const CertificateRef& child) {
      return match_issuer(*child, *member.entry->certificate) != IssuerMatch::none;
    });
    int level = !member.time_valid || !current_valid ? 0 : leads_here ? 1 : 2;
    // One root signed again under its key, with another digest say, cannot be told from this for sure.
    const bool perhaps_one_ca = leads_here && member.relation.confidence == Confidence::medium;
    const auto& places = member.entry->locations;
    if (std::any_of(places.begin(), places.end(),
                    [](const Location& location) {
                      return location.entry->kind == StoreKind::root || location.entry->kind == StoreKind::ntauth;
                    }) &&
        !perhaps_one_ca)
      ++level;
    worst = std::max(worst, level);
  }
  return worst >= 2 ? Status::critical : Status::warning;
}

/// What would tell which of an undecided group is in use.
std::string what_would_tell(const IssuerGroup& group, const std::vector<std::string>& unseen) {
  if (!unseen.empty()) {
    return "Configure the certificates of the servers that this CA serves, or let the check reach them: their "
           "signatures tell. Remove nothing before.";
  }
  const auto any = [&](const auto& holds) { return std::any_of(group.members.begin(), group.members.end(), holds); };
  if (!any([](const IssuerMember& member) { return member.standing == Standing::current; })) {
    return "None of them is known to have signed what is in use under this name: add the store in which the right one "
           "stands (of the CA, or of the server that uses it) to the configuration, and mend what could not be read "
           "or verified. Remove nothing before.";
  }
  if (!any([](const IssuerMember& member) {
        return member.standing == Standing::current && member.voucher != Voucher::nobody;
      })) {
    return "The one in use is vouched for by nobody: find out who made it and how it came where it is used; somebody "
           "may be posing as this CA. If it is yours, import the root that it leads to where it is to be trusted, and "
           "name that store in the configuration. Until then neither trust it nor remove one of the others.";
  }
  if (any([](const IssuerMember& member) {
        return member.standing == Standing::undecided && (member.relation.relation == Relation::unclear ||
                                                          member.relation.relation == Relation::predecessor_missing);
      })) {
    return "CA certificates in between are missing. Fetch every one that the CA has had, on the CA itself (INDEX from "
           "0 "
           "up):\n  certutil -ca.cert ca-INDEX.cer INDEX\nAdd these files to the configuration as a store of kind "
           "intermediate (a root: root) and run this check again: renewals name their predecessors. Remove nothing "
           "before.";
  }
  return "Mend what could not be read or verified, then run this check again. Remove nothing before.";
}

Finding judge_group(const IssuerGroup& group, const CleanupPlan& plan, const std::vector<std::string>& unseen) {
  std::size_t stale = 0;
  bool undecided = false;
  for (const IssuerMember& member : group.members) {
    undecided = undecided || member.standing == Standing::undecided;
    stale += member.standing == Standing::stale ? 1 : 0;
  }
  const std::string name{group.subject.text()};
  if (stale > 0) {
    Finding found = finding(kinds[stale_members], severity(group, Standing::stale), name);
    found.summary = fmt::format("{} different certificates are named {}, and {} stale", group.members.size(), name,
                                stale == 1 ? "one of them is" : fmt::format("{} of them are", stale));
    found.facts = group_facts(group, plan);
    found.remedy = remedy_for(group, plan);
    for (const IssuerMember& member : group.members) {
      if (member.standing == Standing::stale) found.certificates.push_back(member.entry->certificate);
    }
    return found;
  }
  Finding found =
      finding(kinds[undecided ? undecided_members : unrelated], undecided ? Status::unknown : Status::warning, name);
  found.summary = undecided ? fmt::format("which of {} certificates named {} is in use could not be told",
                                          group.members.size(), name)
                            : fmt::format("{} certificates are named {}, and nothing seen here chains to any of them",
                                          group.members.size(), name);
  found.facts = group_facts(group, plan);
  if (undecided && !unseen.empty())
    found.facts.push_back(fmt::format("no certificate of {} was seen: it may be from any of them", enumerate(unseen)));
  found.remedy = undecided ? what_would_tell(group, unseen)
                           : "Ask whoever runs this CA which installation is alive, and what outside this site still "
                             "uses the others, before anything is removed.";
  return found;
}

/// Servers that look for an issuer by its name may meet the wrong one, today or with the next certificate.
Finding several(const IssuerGroup& group, const CleanupPlan& plan) {
  Finding found = finding(kinds[several_in_use], Status::warning, std::string{group.subject.text()});
  found.summary = fmt::format("{} installations of {} are in use at once", group.installations, group.subject.text());
  found.facts = group_facts(group, plan);
  std::vector<std::string> strangers;
  bool known = false;
  for (const IssuerMember& member : group.members) {
    if (member.standing != Standing::current && member.standing != Standing::alive) continue;
    if (member.voucher == Voucher::nobody) {
      strangers.push_back(thumbprint(*member.entry->certificate));
    } else {
      known = true;
    }
  }
  if (!strangers.empty()) {
    found.remedy = fmt::format(
        "Nobody vouches for {}: no trusted root leads to it, and no directory holds it. Find out who made it and how "
        "it came where it is used; somebody may be posing as this CA. Do not import it before that is known, and "
        "remove none of the others in its favour.",
        enumerate(strangers));
    if (known)
      found.remedy +=
          " Where it is not yours, have the certificates that it signed (named above) issued by the installation that "
          "is.";
    return found;
  }
  const auto is_only_enrolled = [](const IssuerMember& member) {
    return member.standing == Standing::alive && member.enrolled;
  };
  const auto only_enrolled = std::find_if(group.members.begin(), group.members.end(), is_only_enrolled);
  if (only_enrolled != group.members.end()) {
    found.remedy = fmt::format(
        "The installation of {} stands in Enrollment Services, so it may issue at any time, and nothing that it signed "
        "was seen in use here. Decide which installation is to stay; where it is not this one, take it off the list of "
        "those that issue (certsrv.msc on its host, or remove the role), issue again what it signed, and run this "
        "check "
        "again: what is stale then may go. Remove none of them before.",
        thumbprint(*only_enrolled->entry->certificate));
    return found;
  }
  found.remedy =
      "Issue the certificates that the older installation signed (named above) again from the newer one, once every "
      "server trusts the newer one's root; then run this check again: what is stale then may go. Remove none of them "
      "before.";
  return found;
}

/// The coming CA looks like one that was installed and given up: only whoever runs it can tell.
Finding unused(const IssuerGroup& group, const CleanupPlan& plan) {
  Finding found = finding(kinds[not_used_yet], Status::unknown, std::string{group.subject.text()});
  found.summary =
      fmt::format("a younger CA is named {} as well, and nothing that was seen is from it yet", group.subject.text());
  found.facts = group_facts(group, plan);
  found.remedy =
      "Ask whoever runs this CA. If it is the coming one, leave it where it stands, and see that every server trusts "
      "its root before it issues anything. If nobody knows it, find out who made it: somebody may be posing as this "
      "CA. Remove none of them on the strength of this check.";
  return found;
}

/// Whether all that are called `standing` are younger than whatever is in use.
bool all_younger(const IssuerGroup& group, Standing standing) {
  return std::all_of(group.members.begin(), group.members.end(), [&](const IssuerMember& one) {
    return one.standing != standing ||
           std::all_of(group.members.begin(), group.members.end(), [&](const IssuerMember& other) {
             return other.standing != Standing::current ||
                    one.entry->certificate->not_before > other.entry->certificate->not_before;
           });
  });
}

Finding foreign(const IssuerGroup& group, const CleanupPlan& plan) {
  // Whether it is what the servers use, or what they might meet instead of it.
  const bool in_use = std::any_of(group.members.begin(), group.members.end(), [](const IssuerMember& member) {
    return member.foreign && member.standing == Standing::current;
  });
  // One that is younger than what is in use may have been imported ahead of its publication.
  const Status status = in_use                                  ? Status::critical
                        : all_younger(group, Standing::foreign) ? Status::warning
                                                                : severity(group, Standing::foreign);
  Finding found = finding(kinds[foreign_members], status, std::string{group.subject.text()});
  found.summary =
      in_use ? fmt::format("certificates in use come from a CA of unknown origin that is named {}, as another one is",
                           group.subject.text())
             : fmt::format("a certificate of unknown origin is named {}, as a CA in use is", group.subject.text());
  found.facts = group_facts(group, plan);
  for (const IssuerMember& member : group.members) {
    if (!member.foreign) continue;
    found.facts.push_back(
        fmt::format("of unknown origin: {} is in no container of the directory, and no other CA here "
                    "signed it",
                    thumbprint(*member.entry->certificate)));
  }
  found.remedy =
      "Find out who made the certificate of unknown origin and how it came where it stands: somebody may be posing "
      "as this CA, or its successor was imported before it was published. If it is yours, publish it in the directory; "
      "if nobody can explain it, treat it as an intrusion. Never remove one of the others in its favour.";
  return found;
}

Finding contradictory(const IssuerGroup& group) {
  Finding found = finding(kinds[contradiction], Status::warning, std::string{group.subject.text()});
  found.summary = fmt::format("certificates named {} contradict each other", group.subject.text());
  found.facts.assign(
      group.contradictions.begin(),
      group.contradictions.begin() + static_cast<std::ptrdiff_t>(std::min(group.contradictions.size(), most_members)));
  if (group.contradictions.size() > most_members)
    found.facts.push_back(fmt::format("and {} more", group.contradictions.size() - most_members));
  found.remedy =
      "Ask the CA itself which certificates it has under this name (certutil -cainfo, on the CA), and find out where "
      "the others came from before any of them is removed: no renewal makes such a pair.";
  return found;
}

Finding encoded_twice(const IssuerGroup& group) {
  constexpr std::size_t shown_octets = 96;
  Finding found = finding(kinds[name_encoding], Status::warning, std::string{group.subject.text()});
  found.summary =
      fmt::format("the name {} is written in different ways: one to OpenSSL, several to Windows", group.subject.text());
  for (const IssuerMember& member : group.members) {
    if (found.facts.size() >= most_members) break;
    const Certificate& certificate = *member.entry->certificate;
    const Bytes name = certificate.subject.der();
    found.facts.push_back(
        fmt::format("{}: {}", thumbprint(certificate), to_hex(name.first(std::min(name.size(), shown_octets)))));
  }
  found.remedy =
      "Windows compares names byte by byte, so that what was issued under one form does not lead to the other. Renew "
      "the CA so that its subject is written exactly as the issuer of the certificates in use, or issue these again.";
  return found;
}

/// Whatever stands under a CA's name in a container for CA certificates and may not sign any.
void judge_misfiled(const Evidence& evidence, const CertificateGraph& graph, Verdict& verdict) {
  std::map<std::string, std::map<Sha256, const GraphEntry*>> found;
  for (const StoreContents& store : evidence.stores) {
    const StoreSpec* spec = evidence.site.store(store.store);
    if (spec == nullptr || !(spec->directory || spec->kind != StoreKind::mixed)) continue;
    for (const StoreEntry& entry : store.entries) {
      const Certificate& certificate = *entry.certificate;
      if (!is_misfiled(certificate)) continue;
      const auto named = graph.named(certificate.subject);
      const bool shared = std::any_of(named.begin(), named.end(), [](const GraphEntry& other) {
        return other.certificate->is_ca.value_or(false) && !is_misfiled(*other.certificate);
      });
      if (shared) found[std::string{certificate.subject.text()}][certificate.sha256] = graph.find(certificate);
    }
  }
  for (const auto& [name, entries] : found) {
    Finding& raised = verdict.findings.emplace_back(finding(kinds[misfiled_members], Status::warning, name));
    raised.summary = fmt::format("{} named {}, as a CA is, may not sign certificates and {} among CA certificates",
                                 count(entries.size(), "certificate"), name, entries.size() == 1 ? "stands" : "stand");
    for (const auto& [sha256, entry] : entries) {
      raised.facts.push_back(describe(*entry->certificate));
      for (std::size_t i = 0; i < std::min(entry->locations.size(), most_locations); ++i)
        raised.facts.push_back(fmt::format("  in {}", entry->locations[i].text()));
    }
    raised.remedy =
        "Take them out of these containers by thumbprint, after an export: OpenSSL takes the first certificate of the "
        "right name for the issuer, and refuses what it leads to (error 79, invalid CA certificate).";
  }
}

bool settled(const IssuerMember& member) {
  return member.standing == Standing::current || member.standing == Standing::superseded ||
         member.standing == Standing::alive || member.standing == Standing::misfiled ||
         member.standing == Standing::foreign || member.standing == Standing::unused;
}

bool harmless(const IssuerGroup& group) {
  return std::all_of(group.members.begin(), group.members.end(), [&](const IssuerMember& member) {
    return settled(member) || &member == &group.members.front() || legitimate(member.relation.relation);
  });
}

Verdict judge(const Evidence& evidence) {
  Verdict verdict;
  const CertificateGraph graph{evidence};
  const SignatureOracle signature = recorded_oracle(evidence.signatures);
  const std::vector<std::string> unseen = unseen_servers(evidence);
  const auto groups = issuer_groups(evidence, graph, signature);
  // As mrascheck cleanup makes it, so that the two never disagree.
  const CleanupPlan plan = any_stale(groups) ? plan_cleanup(evidence, groups, signature) : CleanupPlan{};
  std::size_t conflicts = 0;
  std::size_t authorities = 0;
  for (const StoreContents& store : evidence.stores) authorities += store.entries.size();
  verdict.examined = authorities;
  for (const IssuerGroup& group : groups) {
    if (!group.contradictions.empty()) verdict.findings.push_back(contradictory(group));
    if (group.encodings_differ) verdict.findings.push_back(encoded_twice(group));
    const bool any_foreign = std::any_of(group.members.begin(), group.members.end(), [](const IssuerMember& member) {
      return member.foreign && (member.standing == Standing::foreign || member.standing == Standing::current);
    });
    const bool foreign_in_use = std::any_of(group.members.begin(), group.members.end(), [](const IssuerMember& member) {
      return member.foreign && member.standing == Standing::current;
    });
    if (any_foreign) {
      ++conflicts;
      verdict.findings.push_back(foreign(group, plan));
      if (foreign_in_use) continue;  // nothing is to be removed in its favour
    }
    const bool any_unused = std::any_of(group.members.begin(), group.members.end(),
                                        [](const IssuerMember& member) { return member.standing == Standing::unused; });
    if (any_unused) verdict.findings.push_back(unused(group, plan));
    const bool only_current = std::all_of(group.members.begin(), group.members.end(), settled);
    if (group.installations > 1) {
      conflicts += any_foreign ? 0 : 1;
      verdict.findings.push_back(several(group, plan));
      if (only_current) continue;
    } else if (only_current || harmless(group)) {
      if (any_foreign || any_unused) continue;
      verdict.notes.push_back({std::string{group.subject.text()},
                               fmt::format("{} certificates of this name, explained by {}", group.members.size(),
                                           to_string(group.members.back().relation.relation))});
      continue;
    }
    if (group.installations <= 1 && !any_foreign) ++conflicts;
    verdict.findings.push_back(judge_group(group, plan, unseen));
  }
  judge_misfiled(evidence, graph, verdict);
  if (groups.empty() && authorities > 0) {
    verdict.notes.push_back(
        {evidence.site.name, fmt::format("no two among {} share a name", count(authorities, "certificate"))});
  }
  const Range none{0, 0, false};
  verdict.perfdata.push_back(
      {"name_conflicts", static_cast<double>(conflicts), "", std::nullopt, none, 0, std::nullopt});
  verdict.perfdata.push_back(
      {"store_certificates", static_cast<double>(authorities), "", std::nullopt, std::nullopt, 0, std::nullopt});
  return verdict;
}

}  // namespace

extern const Check same_name_issuers;
constinit const Check same_name_issuers{.id = "same-name-issuers",
                                        .title = "one certificate per CA name, or a renewal that explains the others",
                                        .needs = Needs::stores | Needs::identities | Needs::signatures,
                                        .kinds = kinds,
                                        .judge = judge};

}  // namespace mrascheck::checks

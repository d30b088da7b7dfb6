// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/common.hpp"
#include "core/cleanup.hpp"
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

void add_member_facts(const IssuerMember& member, bool first, const Needed& needed, std::vector<std::string>& facts) {
  const Certificate& certificate = *member.entry->certificate;
  std::string line = fmt::format("{}: {}", to_string(member.standing), describe(certificate));
  if (member.standing == Standing::current) {
    line +=
        fmt::format("; its key signed {}{}", used_by(member), member.enrolled ? "; stands in Enrollment Services" : "");
  } else if (!first) {
    line += fmt::format("; {} ({} confidence: {})", to_string(member.relation.relation),
                        to_string(member.relation.confidence), member.relation.because);
    line += member.signs.empty() ? "; signed nothing that is in use" : "; has the same key as one in use";
  }
  facts.push_back(std::move(line));
  if (const auto users = needed.find(certificate.sha256); users != needed.end() && member.standing == Standing::stale) {
    for (const std::string& about : users->second)
      facts.push_back(fmt::format("  still needed: where {}, every valid path goes through it", about));
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

std::vector<std::string> group_facts(const IssuerGroup& group, const Needed& needed) {
  std::vector<std::string> facts;
  for (std::size_t i = 0; i < std::min(group.members.size(), most_members); ++i) {
    add_member_facts(group.members[i], i == 0, needed, facts);
  }
  if (group.members.size() > most_members) {
    facts.push_back(fmt::format("and {} more certificates of this name", group.members.size() - most_members));
  }
  return facts;
}

/// Whether the place is a DN: read from the directory, or from an export of it.
bool in_directory(const Evidence& evidence, const Location& location) {
  const StoreSpec* spec = evidence.site.store(location.store->store);
  const PropertiesRef& properties = location.entry->properties;
  return (spec != nullptr && spec->directory) || (properties && properties->origin == StoreOrigin::directory);
}

/// Whether a store's name may stand in a command that somebody will copy.
bool is_word(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// How to take stale certificates out of one place. Nothing is executed: these are lines to read and copy.
std::string removal(const Evidence& evidence, const Location& location, const std::vector<std::string>& thumbprints) {
  const StoreSpec* spec = evidence.site.store(location.store->store);
  std::string lines;
  if (in_directory(evidence, location)) {
    // A DN holds blanks and backslashes; inside double quotes the Windows shells take them as they are.
    if (location.entry->place.ends_with(cross_certificate_mark)) {
      // certutil has no verb for this attribute.
      const std::string_view dn = std::string_view{location.entry->place}.substr(
          0, location.entry->place.size() - cross_certificate_mark.size());
      lines = fmt::format("\n  with adsiedit.msc, from crossCertificatePair of {}, the value that holds", dn);
      for (const std::string& print : thumbprints) lines += fmt::format("\n    {}", print);
      return lines;
    }
    lines =
        fmt::format("\n  certutil -viewdelstore \"ldap:///{}?cACertificate?base?objectClass=certificationAuthority\"",
                    location.entry->place);
    for (const std::string& print : thumbprints) lines += fmt::format("\n    pick {}", print);
    return lines;
  }
  const PropertiesRef& properties = location.entry->properties;
  const StoreOrigin origin = properties ? properties->origin : StoreOrigin::unknown;
  const std::string host = spec != nullptr && !spec->host.empty() ? spec->host : "the host of " + location.store->store;
  const bool told = properties && is_word(properties->windows_store);
  const std::string logical = told                                      ? properties->windows_store
                              : location.entry->kind == StoreKind::root ? "Root"
                                                                        : "CA";
  const std::string_view option = origin == StoreOrigin::enterprise ? "-enterprise "
                                  : origin == StoreOrigin::user     ? "-user "
                                                                    : "";
  for (const std::string& print : thumbprints) {
    // What a policy distributes comes back from it, however often it is deleted on the host.
    lines += origin == StoreOrigin::group_policy
                 ? fmt::format("\n  in the group policy that gives {} its store {}: remove {}", host, logical, print)
                 : fmt::format("\n  on {}: certutil {}-delstore {} {}", host, option, logical, print);
  }
  return lines;
}

std::string remedy_for(const Evidence& evidence, const IssuerGroup& group, const Needed& needed) {
  struct Place {
    Location location;
    std::vector<std::string> thumbprints;
  };
  std::vector<Place> places;  // the directory's first: what stands there comes back to the hosts
  for (const bool directory : {true, false}) {
    for (const IssuerMember& member : group.members) {
      if (member.standing != Standing::stale || needed.contains(member.entry->certificate->sha256)) continue;
      for (const Location& location : member.entry->locations) {
        // An entry of Enrollment Services goes when its CA is retired, not by its certificate.
        if (location.entry->kind == StoreKind::enrollment) continue;
        if (in_directory(evidence, location) != directory) continue;
        auto place = std::find_if(places.begin(), places.end(), [&](const Place& p) {
          const StoreEntry& entry = *p.location.entry;
          return p.location.store == location.store && entry.place == location.entry->place &&
                 (directory || (entry.kind == location.entry->kind && entry.properties == location.entry->properties));
        });
        if (place == places.end()) place = places.insert(places.end(), {location, {}});
        const std::string print = thumbprint(*member.entry->certificate);
        if (place->thumbprints.empty() || place->thumbprints.back() != print) place->thumbprints.push_back(print);
      }
    }
  }
  const auto stale = [&](const IssuerMember& member, bool still_needed) {
    return member.standing == Standing::stale && needed.contains(member.entry->certificate->sha256) == still_needed;
  };
  std::string first;
  if (std::any_of(group.members.begin(), group.members.end(), [&](const IssuerMember& m) { return stale(m, true); })) {
    first =
        "What is still needed must stay for now: first import the current certificates, and the root that they lead "
        "to, where the paths above need the stale ones, and run this check again.";
    if (std::none_of(group.members.begin(), group.members.end(),
                     [&](const IssuerMember& m) { return stale(m, false); }))
      return first;
    first += " For the others: ";
  }
  std::string remedy =
      first +
      "Export the stale certificates first (they are the undo), make sure that nothing outside this site still needs "
      "them, then remove them, from the directory before the hosts, or group policy brings them back within 8 hours:";
  for (std::size_t i = 0; i < std::min(places.size(), most_members); ++i) {
    remedy += removal(evidence, places[i].location, places[i].thumbprints);
  }
  if (places.size() > most_members) remedy += fmt::format("\n  and {} more places", places.size() - most_members);
  if (places.empty()) remedy += "\n  they stand in no store that was read: look where the servers above got them from";
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
    const auto& places = member.entry->locations;
    if (std::any_of(places.begin(), places.end(), [](const Location& location) {
          return location.entry->kind == StoreKind::root || location.entry->kind == StoreKind::ntauth;
        }))
      ++level;
    worst = std::max(worst, level);
  }
  return worst >= 2 ? Status::critical : Status::warning;
}

Finding judge_group(const Evidence& evidence, const IssuerGroup& group, const Needed& needed,
                    const std::vector<std::string>& unseen) {
  std::size_t stale = 0;
  bool undecided = false;
  for (const IssuerMember& member : group.members) {
    undecided = undecided || member.standing == Standing::undecided;
    stale += member.standing == Standing::stale ? 1 : 0;
  }
  const std::string name = group.subject.text;
  if (stale > 0) {
    Finding found = finding(kinds[stale_members], severity(group, Standing::stale), name);
    found.summary = fmt::format("{} different certificates are named {}, and {} stale", group.members.size(), name,
                                stale == 1 ? "one of them is" : fmt::format("{} of them are", stale));
    found.facts = group_facts(group, needed);
    found.remedy = remedy_for(evidence, group, needed);
    return found;
  }
  Finding found =
      finding(kinds[undecided ? undecided_members : unrelated], undecided ? Status::unknown : Status::warning, name);
  found.summary = undecided ? fmt::format("which of {} certificates named {} is in use could not be told",
                                          group.members.size(), name)
                            : fmt::format("{} certificates are named {}, and nothing seen here chains to any of them",
                                          group.members.size(), name);
  found.facts = group_facts(group, needed);
  if (undecided && !unseen.empty())
    found.facts.push_back(fmt::format("no certificate of {} was seen: it may be from any of them", enumerate(unseen)));
  found.remedy = undecided ? "Configure the certificates of the servers that this CA serves, or let the check reach "
                             "them: their signatures tell. Remove nothing before."
                           : "Ask whoever runs this CA which installation is alive, and what outside this site still "
                             "uses the others, before anything is removed.";
  return found;
}

/// Servers that look for an issuer by its name may meet the wrong one, today or with the next certificate.
Finding several(const IssuerGroup& group, const Needed& needed) {
  Finding found = finding(kinds[several_in_use], Status::warning, group.subject.text);
  found.summary = fmt::format("{} installations of {} are in use at once", group.installations, group.subject.text);
  found.facts = group_facts(group, needed);
  found.remedy =
      "Issue the certificates that the older installation signed (named above) again from the newer one; then run this "
      "check again: what is stale then may go. Remove none of them before.";
  return found;
}

Finding foreign(const IssuerGroup& group, const Needed& needed) {
  // Whether it is what the servers use, or what they might meet instead of it.
  const bool in_use = std::any_of(group.members.begin(), group.members.end(), [](const IssuerMember& member) {
    return member.foreign && member.standing == Standing::current;
  });
  Finding found = finding(kinds[foreign_members], in_use ? Status::critical : severity(group, Standing::foreign),
                          group.subject.text);
  found.summary =
      in_use ? fmt::format("certificates in use come from a CA of unknown origin that is named {}, as another one is",
                           group.subject.text)
             : fmt::format("a certificate of unknown origin is named {}, as a CA in use is", group.subject.text);
  found.facts = group_facts(group, needed);
  for (const IssuerMember& member : group.members) {
    if (!member.foreign) continue;
    found.facts.push_back(
        fmt::format("of unknown origin: {} is in no container of the directory, and no other CA here "
                    "signed it",
                    thumbprint(*member.entry->certificate)));
  }
  found.remedy =
      "Find out who made the certificate of unknown origin and how it came where it stands: somebody may be posing "
      "as this CA. Take it out of these stores unless its owner can explain it, and never remove one of the others in "
      "its favour.";
  return found;
}

Finding contradictory(const IssuerGroup& group) {
  Finding found = finding(kinds[contradiction], Status::warning, group.subject.text);
  found.summary = fmt::format("certificates named {} contradict each other", group.subject.text);
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
  Finding found = finding(kinds[name_encoding], Status::warning, group.subject.text);
  found.summary =
      fmt::format("the name {} is written in different ways: one to OpenSSL, several to Windows", group.subject.text);
  for (const IssuerMember& member : group.members) {
    if (found.facts.size() >= most_members) break;
    const Certificate& certificate = *member.entry->certificate;
    const Bytes name{certificate.subject.der};
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
      if (shared) found[certificate.subject.text][certificate.sha256] = graph.find(certificate);
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
         member.standing == Standing::foreign;
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
  const Needed needed = needed_certificates(evidence, signature);
  const std::vector<std::string> unseen = unseen_servers(evidence);
  const auto groups = issuer_groups(evidence, graph, signature);
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
      verdict.findings.push_back(foreign(group, needed));
      if (foreign_in_use) continue;  // nothing is to be removed in its favour
    }
    const bool only_current = std::all_of(group.members.begin(), group.members.end(), settled);
    if (group.installations > 1) {
      conflicts += any_foreign ? 0 : 1;
      verdict.findings.push_back(several(group, needed));
      if (only_current) continue;
    } else if (only_current || harmless(group)) {
      if (any_foreign) continue;
      verdict.notes.push_back(
          {group.subject.text, fmt::format("{} certificates of this name, explained by {}", group.members.size(),
                                           to_string(group.members.back().relation.relation))});
      continue;
    }
    if (group.installations <= 1 && !any_foreign) ++conflicts;
    verdict.findings.push_back(judge_group(evidence, group, needed, unseen));
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

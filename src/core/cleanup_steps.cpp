// SPDX-License-Identifier: Apache-2.0
#include "core/cleanup_steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "core/text.hpp"

namespace mrascheck {
namespace {

using Lines = std::vector<std::string>;

/// A DN comes from the directory: one that could mean something to a shell is not put into a command.
bool harmless_in_quotes(std::string_view text) {
  static constexpr std::string_view others = " =,.-_()@!+#/:";
  return std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80 ||
           others.find(c) != std::string_view::npos;
  });
}

std::string by_hand_because_of_a_pair(const Removal& removal) {
  if (removal.pair_unread) return "a value of crossCertificatePair there could not be read: change it by hand";
  if (removal.stay.empty()) return {};
  Lines names;
  for (const CertificateRef& half : removal.stay) names.push_back(thumbprint(*half));
  return fmt::format(
      "the same value of crossCertificatePair holds {}, which stays: put a value of that alone in its "
      "place, by hand",
      enumerate(names));
}

std::string_view container_of(const StoredCopy& place) {
  switch (place.kind) {
    case StoreKind::root:
      return "Certification Authorities";
    case StoreKind::ntauth:
      return "NTAuthCertificates";
    default:
      return "AIA";
  }
}

/// What `certutil -dspublish` calls the container.
std::string_view publish_word(const StoredCopy& place) {
  switch (place.kind) {
    case StoreKind::root:
      return "RootCA";
    case StoreKind::ntauth:
      return "NTAuthCA";
    default:
      return "SubCA";
  }
}

std::string windows_store(const StoredCopy& place) {
  const std::string& name = place.windows_store;
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
  });
  if (plain) return name;
  switch (place.kind) {
    case StoreKind::root:
      return "Root";
    case StoreKind::ntauth:
      return "NTAuth";
    default:
      return "CA";
  }
}

Lines described(const Removal& removal) {
  Lines lines;
  for (const CertificateRef& value : removal.values) {
    lines.push_back(fmt::format("{}: {}, valid {} to {}", thumbprint(*value), short_name(*value),
                                to_date(value->not_before), to_date(value->not_after)));
  }
  return lines;
}

CleanupStep directory_step(const Removal& removal) {
  const StoredCopy& place = removal.place;
  CleanupStep step;
  const std::size_t values = place.in_pair ? removal.pairs.size() : removal.values.size();
  step.title = fmt::format("In the directory, from {}{}: {}", place.in_pair ? "crossCertificatePair in " : "",
                           container_of(place), count(values, "value"));
  step.notes = {fmt::format("object: {}", place.place), fmt::format("seen in store {}", place.store)};
  for (std::string& line : described(removal)) step.notes.push_back(std::move(line));
  const bool plain = harmless_in_quotes(place.place);
  // certutil has no verb that shows the values of crossCertificatePair.
  const std::string show =
      place.in_pair
          ? fmt::format("ldifde -f look.ldf -d \"{}\" -p base -l crossCertificatePair", place.place)
          : fmt::format("certutil -store \"ldap:///{}?cACertificate?base?objectClass=certificationAuthority\"",
                        place.place);
  const std::string because = by_hand_because(removal);
  if (!because.empty()) {
    step.notes.push_back(because);
    if (!removal.whole) return step;
    step.notes.push_back(
        "If the CA in use belongs into this object, publish its certificate there first (below), then make this plan "
        "again: the old values are not the last ones any more.");
    step.notes.push_back(
        "If nothing belongs there, export the object with ldifde, then delete the whole object by its DN in ADSI Edit "
        "or Active Directory Sites and Services (Show Services Node). Not NTAuthCertificates: that one must stay.");
    if (plain) step.before = {show};
    step.commands = {fmt::format("certutil -f -dspublish CURRENT.cer {}", publish_word(place))};
    if (plain) step.after = step.before;
    return step;
  }
  step.notes.push_back(fmt::format("the object holds {} now, and {} afterwards", count(removal.values_there, "value"),
                                   removal.values_there - values));
  step.commands = {"ldifde -i -f cleanup.ldf"};
  step.undo = {"ldifde -i -f undo.ldf"};
  if (plain) {
    step.before = {show};
    step.after = step.before;
    if (place.in_pair) {
      step.notes.push_back(
          "look for the values of cleanup.ldf in look.ldf: before, each is there; after, none is, and the others still "
          "are");
    } else {
      step.notes.push_back(
          "look for these thumbprints: before, each is listed; after, none is, and the others still are");
      step.notes.push_back(
          "or one by one in a window: certutil -viewdelstore with the address below; pick by thumbprint, not by name");
    }
    if (harmless_in_quotes(place.source) && !place.source.empty()) {
      const std::string look =
          fmt::format("ldapsearch -x -LLL -o ldif-wrap=no -H \"{}\" -s base -b \"{}\" \"{};binary\"", place.source,
                      place.place, attribute_of(place));
      step.notes.push_back("on OpenLDAP: ldapmodify -f cleanup.ldif (it wants ;binary, RFC 4523), and to look:");
      step.notes.push_back("  " + look);
    }
  }
  return step;
}

/// A copy that something else feeds: it goes there, and then here by itself.
CleanupStep fed_step(const Removal& removal, CleanupStep step, std::string_view scope, const std::string& store) {
  for (const CertificateRef& value : removal.values)
    step.before.push_back(fmt::format("certutil {} -store {} {}", scope, store, thumbprint(*value)));
  step.after = step.before;
  if (removal.place.origin == StoreOrigin::enterprise) {
    step.notes.push_back("It comes from the directory: when it is gone there, this lets it go here.");
    step.commands = {"gpupdate /force", "certutil -pulse"};
    step.undo = step.commands;
    return step;
  }
  step.notes.push_back(
      "It comes from group policy, and comes back from there: take it out of the policy object, in the Group Policy "
      "Management Editor below Computer Configuration, Policies, Windows Settings, Security Settings, Public Key "
      "Policies; by thumbprint, as the next certificate has the same name. To undo, import it there again.");
  step.commands = {"gpresult /h policies.html", "gpupdate /force"};
  step.undo = {"gpupdate /force"};
  return step;
}

CleanupStep host_step(const Removal& removal) {
  const StoredCopy& place = removal.place;
  const std::string store = windows_store(place);
  const std::string host = place.host.empty() ? fmt::format("the host of store {}", place.store) : place.host;
  const bool user = place.origin == StoreOrigin::user;
  CleanupStep step;
  step.title = fmt::format("On {}, from the store {} of {}: {}", host, store, user ? "the user" : "the computer",
                           count(removal.values.size(), "certificate"));
  step.notes = {fmt::format("seen in store {}, {}", place.store, place.place)};
  for (std::string& line : described(removal)) step.notes.push_back(std::move(line));
  if (place.origin == StoreOrigin::group_policy) return fed_step(removal, std::move(step), "-grouppolicy", store);
  if (place.origin == StoreOrigin::enterprise) return fed_step(removal, std::move(step), "-enterprise", store);
  step.notes.push_back(
      "Where the look after still finds one, it comes from the directory or from group policy (certutil -enterprise, "
      "certutil -grouppolicy): remove it there, or it is back within 8 hours.");
  if (place.origin == StoreOrigin::service) {
    step.notes.push_back(
        "It is one service's own copy: in mmc, Certificates, Service account, export it, then delete it, by "
        "thumbprint.");
    return step;
  }
  const bool enterprise = place.kind == StoreKind::ntauth;
  const std::string_view scope = enterprise ? "-enterprise " : user ? "-user " : "";
  const std::string_view drive = user ? "CurrentUser" : "LocalMachine";
  Lines undo_instead;
  for (const CertificateRef& value : removal.values) {
    const std::string print = thumbprint(*value);
    const std::string path = fmt::format("Cert:\\{}\\{}", drive, store);
    step.before.push_back(fmt::format("certutil {}-store {} {}", scope, store, print));
    step.before.push_back(fmt::format("certutil {0}-store {1} {2} {2}.cer", scope, store, print));
    step.commands.push_back(fmt::format("certutil {}-delstore {} {}", scope, store, print));
    step.undo.push_back(fmt::format("certutil {}-addstore {} {}.cer", scope, store, print));
    if (enterprise) continue;  // no drive of PowerShell shows that store
    step.instead.push_back(fmt::format("Remove-Item -Path {}\\{}", path, print));
    step.after.push_back(fmt::format("Test-Path {}\\{}", path, print));
    undo_instead.push_back(fmt::format("Import-Certificate -FilePath {}.cer -CertStoreLocation {}", print, path));
  }
  if (enterprise) {
    for (const CertificateRef& value : removal.values)
      step.after.push_back(fmt::format("certutil -enterprise -store NTAuth {}", thumbprint(*value)));
  }
  step.undo.insert(step.undo.end(), undo_instead.begin(), undo_instead.end());
  return step;
}

/// What a web server hands out: no store of anybody, but where those look who build chains (RFC 5280, 4.2.2.1).
CleanupStep web_step(const Removal& removal) {
  const std::string& url = removal.place.store;
  CleanupStep step;
  step.title = fmt::format("On the web server, at {}: {}", url, count(removal.values.size(), "certificate"));
  step.notes = described(removal);
  step.notes.push_back(
      "Certificates in use name this address as their issuer's: put the certificate of the CA in use there, in a file "
      "of the same name, or take these out of the file. Keep the old file: it is the way back.");
  if (!harmless_in_quotes(url)) return step;
  step.before = {fmt::format("certutil -urlcache -f \"{}\" before.cer", url)};
  step.after = {fmt::format("certutil -urlcache -f \"{}\" after.cer", url), "certutil -dump after.cer"};
  return step;
}

CleanupStep backup_step(const CleanupPlan& plan) {
  CleanupStep step;
  step.title = "Keep what is there";
  step.notes = {
      "The values that go are in the undo files, and at the end of this report: they are the way back. Keep them with "
      "a "
      "recording of the site as it is."};
  step.commands = {"mrascheck check -c SITE.yaml --record before.json",
                   "mrascheck cleanup --evidence before.json --format ldifde=cleanup.ldf --format undo-ldifde=undo.ldf "
                   "--format ldif=cleanup.ldif --format undo-ldif=undo.ldif"};
  std::set<std::string> bases;
  for (const Removal& removal : plan.removals) {
    if (!removal.place.directory) continue;
    const std::size_t at = to_lower(removal.place.place).find("cn=public key services,");
    const std::string base = at == std::string::npos ? "" : removal.place.place.substr(at);
    if (!base.empty() && harmless_in_quotes(base)) bases.insert(base);
  }
  for (const std::string& base : bases)
    step.commands.push_back(fmt::format("ldifde -f public-key-services.ldf -d \"{}\"", base));
  return step;
}

CleanupStep first_step(const CleanupPlan& plan) {
  CleanupStep step;
  step.title = "What must come first for those that may not go yet";
  for (const CleanupVerdict& verdict : plan.verdicts) {
    if (verdict.may_go != MayGo::not_yet) continue;
    for (const std::string& reason : verdict.because)
      step.notes.push_back(fmt::format("{}: {}", thumbprint(*verdict.certificate), reason));
  }
  step.notes.push_back(
      "First the trust: import the CA certificates in use, and the root that they lead to, on every server named above "
      "as judging (an Edge outside the domain gets nothing from the directory). Then have issued again, by the CA in "
      "use, what the old keys signed. Then make this plan again.");
  step.commands = {"certutil -addstore Root ROOT-IN-USE.cer", "certutil -addstore CA ISSUING-CA-IN-USE.cer"};
  step.after = {"mrascheck check -c SITE.yaml --only certification-path"};
  return step;
}

}  // namespace

std::string_view attribute_of(const StoredCopy& place) {
  return place.in_pair ? "crossCertificatePair" : "cACertificate";
}

std::string by_hand_because(const Removal& removal) {
  if (!removal.place.directory) return {};
  // printable() cuts what is too long for a line, and marks that.
  if (removal.place.place.ends_with("...") || removal.place.place.find("\xEF\xBF\xBD") != std::string::npos)
    return "the DN of this object could not be kept whole: change it by hand, value by value";
  if (removal.place.in_pair) return by_hand_because_of_a_pair(removal);
  if (removal.whole)
    return "these are all values of this object, and Active Directory demands that one is left (cACertificate is "
           "mandatory in a certificationAuthority): there is no change record for it";
  return {};
}

std::vector<CleanupStep> cleanup_steps(const CleanupPlan& plan) {
  std::vector<CleanupStep> steps;
  if (plan.count(MayGo::now) > 0) steps.push_back(backup_step(plan));
  if (plan.count(MayGo::not_yet) > 0) steps.push_back(first_step(plan));
  if (plan.removals.empty()) return steps;
  for (const Removal& removal : plan.removals) {
    steps.push_back(removal.place.directory           ? directory_step(removal)
                    : is_fetched(removal.place.store) ? web_step(removal)
                                                      : host_step(removal));
  }
  const std::string servers = plan.servers.empty() ? "every server" : enumerate(plan.servers);
  CleanupStep& refresh = steps.emplace_back();
  refresh.title = "Let it reach the servers";
  refresh.notes = {fmt::format("The first on a domain controller, the others on {}.", servers),
                   "Without that, servers in the domain learn of it within 8 hours."};
  refresh.commands = {"repadmin /syncall /AdeP", "gpupdate /force", "certutil -pulse", "certutil -urlcache * delete"};
  CleanupStep& restart = steps.emplace_back();
  restart.title = "Restart the services";
  restart.notes = {
      fmt::format("On {}, one member of a pool after the other: a service keeps the chain that it built "
                  "when it began.",
                  servers)};
  restart.commands = {"Stop-CsWindowsService", "Start-CsWindowsService"};
  CleanupStep& look = steps.emplace_back();
  look.title = "Look again";
  look.commands = {"mrascheck check -c SITE.yaml", "mrascheck cleanup -c SITE.yaml"};
  look.notes = {"If anything is worse than before, undo in the opposite order, refresh, and restart."};
  return steps;
}

}  // namespace mrascheck

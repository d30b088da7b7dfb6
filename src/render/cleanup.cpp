// SPDX-License-Identifier: Apache-2.0
#include "render/cleanup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/cleanup_steps.hpp"
#include "core/text.hpp"
#include "json/base64.hpp"
#include "render/layout.hpp"

namespace mrascheck::render {
namespace {

std::string version_of(const Certificate& certificate) {
  return certificate.ca_version ? fmt::format(", CA version V{}.{}", certificate.ca_version->certificate_index,
                                              certificate.ca_version->key_index)
                                : "";
}

/// "RSA 2048"; "EC P-256", whose name says its size.
std::string key_of(const Certificate& certificate) {
  const bool told =
      certificate.key_bits == 0 || certificate.key_algorithm.find_first_of("0123456789") != std::string::npos;
  return told ? certificate.key_algorithm : fmt::format("{} {}", certificate.key_algorithm, certificate.key_bits);
}

std::string facts_of(const Certificate& certificate) {
  return fmt::format("thumbprint {}, serial {}, {}, valid {} to {}{}, issued by {}", thumbprint(certificate),
                     certificate.serial, key_of(certificate), to_date(certificate.not_before),
                     to_date(certificate.not_after), version_of(certificate),
                     certificate.self_issued() ? "itself" : certificate.issuer.text());
}

/// A file that is a store by itself is named once.
std::string location_text(const Location& location) {
  const std::string text = location.text();
  const std::string twice = fmt::format("{0}: {0}", location.store->store);
  return text.starts_with(twice) ? text.substr(location.store->store.size() + 2) : text;
}

std::string remark_of(const PropertiesRef& properties) {
  const std::string text = properties ? properties->text() : "";
  return text.empty() ? "" : "; " + text;
}

std::string pem_of(const Certificate& certificate) {
  std::string text = "-----BEGIN CERTIFICATE-----\n";
  const std::string base64 = json::to_base64(certificate.der);
  for (std::size_t at = 0; at < base64.size(); at += 64) text += base64.substr(at, 64) + '\n';
  return text + "-----END CERTIFICATE-----\n";
}

std::string seen(const std::string& vantage, UtcTime at) {
  return fmt::format("seen from {} at {}", vantage, to_iso8601(at));
}

void commands(Page& page, std::string_view head, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  page.line(head, 3);
  for (const std::string& line : lines) page.verbatim(line, 7);
}

void print_step(Page& page, std::size_t number, const CleanupStep& step) {
  page.line(fmt::format("{}. {}", number, step.title));
  for (const std::string& note : step.notes) {
    if (note.starts_with(' ')) {
      page.verbatim(trim(note), 7);
    } else {
      page.line(note, 3);
    }
  }
  commands(page, "Look before:", step.before);
  commands(page, "Do:", step.commands);
  commands(page, "Or the same in PowerShell:", step.instead);
  commands(page, "Look after:", step.after);
  commands(page, "Undo:", step.undo);
}

/// RFC 2849: a value that is not plain ASCII, or begins like something else, is base64; long lines are folded.
class Ldif {
 public:
  void comment(std::string_view text) { out_ += fmt::format("# {}\n", one_line(text)); }
  void attribute(std::string_view name, std::string_view value) {
    const bool safe = !value.empty() && value.front() != ' ' && value.front() != ':' && value.front() != '<' &&
                      value.back() != ' ' &&
                      std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (safe) {
      fold(fmt::format("{}: {}", name, value));
    } else {
      bytes(name, as_bytes(value));
    }
  }
  void bytes(std::string_view name, Bytes value) { fold(fmt::format("{}:: {}", name, json::to_base64(value))); }
  void line(std::string_view text) { out_.append(text).push_back('\n'); }
  std::string take() { return std::move(out_); }

 private:
  void fold(std::string_view text) {
    constexpr std::size_t width = 76;
    out_.append(text.substr(0, width)).push_back('\n');
    for (std::size_t at = width; at < text.size(); at += width - 1)
      out_.append(" ").append(text.substr(at, width - 1)).push_back('\n');
  }
  std::string out_;
};

}  // namespace

std::string issuers(const Evidence& evidence, const std::vector<IssuerGroup>& groups, const CleanupPlan& plan,
                    const Options& options) {
  std::map<Sha256, const CleanupVerdict*> verdicts;
  for (const CleanupVerdict& verdict : plan.verdicts) verdicts.emplace(verdict.certificate->sha256, &verdict);
  std::size_t certificates = 0;
  std::map<Sha256, std::set<std::string>> disallowed;  // in which stores
  for (const StoreContents& contents : evidence.stores) {
    certificates += contents.entries.size();
    for (const StoreEntry& entry : contents.entries) {
      if (entry.kind == StoreKind::disallowed) disallowed[entry.certificate->sha256].insert(contents.store);
    }
  }
  Page page{options.width};
  page.line(fmt::format(
      "{}: {}, {} ({})", evidence.site.name,
      groups.empty() ? "no name is borne by two CA certificates"
                     : count(groups.size(), "name is borne by several CA certificates",
                             "names are borne by several CA certificates each"),
      fmt::format("among {} in {}", count(certificates, "certificate"), count(evidence.stores.size(), "store")),
      seen(evidence.vantage, evidence.collected_at)));
  for (const IssuerGroup& group : groups) {
    page.blank();
    page.line(fmt::format("{}: {}", group.subject.text(), count(group.members.size(), "certificate")));
    if (!group.concerns_live) page.line("nothing in use was seen that chains to this name", 2);
    for (const IssuerMember& member : group.members) {
      const Certificate& certificate = *member.entry->certificate;
      page.item(fmt::format("{}: {}", to_string(member.standing), facts_of(certificate)), 2);
      if (&member != &group.members.front()) {
        page.item(fmt::format("{}, to the first: {} confidence, {}", to_string(member.relation.relation),
                              to_string(member.relation.confidence), member.relation.because()),
                  4);
      }
      if (!member.time_valid) page.item("not valid at this time", 4);
      if (member.enrolled) page.item("stands in Enrollment Services: the directory calls it alive", 4);
      std::vector<std::string> users;
      for (const CertificateRef& child : member.signs)
        users.push_back(fmt::format("{} ({})", short_name(*child), thumbprint(*child).substr(0, 8)));
      page.item(users.empty() ? "its key signed nothing that was seen in use"
                              : fmt::format("its key signed, in use: {}", enumerate(users)),
                4);
      if (const auto found = verdicts.find(certificate.sha256); found != verdicts.end()) {
        const CleanupVerdict& verdict = *found->second;
        page.item(fmt::format("{}: {}", to_string(verdict.may_go), verdict.because.front()), 4);
        for (std::size_t i = 1; i < verdict.because.size(); ++i) page.line(verdict.because[i], 6);
      }
      for (const Location& location : member.entry->locations)
        page.item(fmt::format("in {} ({}){}", location_text(location), to_string(location.entry->kind),
                              remark_of(location.entry->properties)),
                  4);
      if (const auto found = disallowed.find(certificate.sha256); found != disallowed.end()) {
        page.item(fmt::format("among the untrusted ones (Disallowed) of {}: every path through it is refused there",
                              enumerate({found->second.begin(), found->second.end()})),
                  4);
      }
      if (member.entry->locations.empty()) page.item("in no store that was read; presented, or a server's own", 4);
    }
  }
  const std::vector<std::string> missing = not_looked_at(evidence);
  if (!missing.empty()) {
    page.blank();
    page.line("Could not be looked at:");
    for (const std::string& line : missing) page.item(line, 2);
  }
  bool any = false;
  for (const StoreContents& contents : evidence.stores) {
    for (const std::string& remark : contents.remarks) {
      if (!any) page.blank();
      if (!any) page.line("Said of the stores:");
      any = true;
      page.item(fmt::format("{}: {}", contents.store, remark), 2);
    }
  }
  return page.take();
}

std::string cleanup(const CleanupPlan& plan, const Options& options) {
  Page page{options.width};
  const std::size_t now = plan.count(MayGo::now);
  page.line(
      plan.verdicts.empty()
          ? fmt::format("{}: nothing to clean up: no stale CA certificate ({})", plan.site, seen(plan.vantage, plan.at))
          : fmt::format("{}: {} may go now, {} not yet, {} cannot be told ({})", plan.site, count(now, "certificate"),
                        plan.count(MayGo::not_yet), plan.count(MayGo::unknown), seen(plan.vantage, plan.at)));
  page.line("Nothing has been changed: this is a plan, for a person to check and to carry out.");
  const Name* subject = nullptr;
  for (const CleanupVerdict& verdict : plan.verdicts) {
    const Certificate& certificate = *verdict.certificate;
    if (subject == nullptr || !matches(*subject, certificate.subject)) {
      page.blank();
      page.line(certificate.subject.text());
      subject = &certificate.subject;
    }
    page.item(fmt::format("{}: {}", to_string(verdict.may_go), facts_of(certificate)), 2);
    page.item(
        fmt::format("{}: {} ({} confidence: {})", to_string(verdict.standing), to_string(verdict.relation.relation),
                    to_string(verdict.relation.confidence), verdict.relation.because),
        4);
    for (const std::string& line : verdict.because) page.item(line, 4);
    for (const StoredCopy& copy : verdict.copies)
      page.item(fmt::format("in {}: {} ({}){}{}", copy.store, copy.place,
                            copy.in_pair ? attribute_of(copy) : to_string(copy.kind), copy.more.empty() ? "" : "; ",
                            copy.more),
                4);
    if (verdict.copies.empty()) page.item("in no store that was read: look where the server got it from", 4);
  }
  const auto list = [&](std::string_view head, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    page.blank();
    page.line(head);
    for (const std::string& line : lines) page.item(line, 2);
  };
  list("Better afterwards:", plan.better);
  if (!plan.verdicts.empty()) list("Not known here:", plan.open);
  const std::vector<CleanupStep> steps = cleanup_steps(plan);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    page.blank();
    print_step(page, i + 1, steps[i]);
  }
  if (now > 0) {
    page.blank();
    page.line("What would go, each to be kept as THUMBPRINT.cer:");
    for (const CleanupVerdict& verdict : plan.verdicts) {
      if (verdict.may_go != MayGo::now) continue;
      page.blank();
      page.line(facts_of(*verdict.certificate));
      page.raw(pem_of(*verdict.certificate));
    }
  }
  return page.take();
}

std::string cleanup_ldif(const CleanupPlan& plan, LdifDialect dialect, LdifWay way) {
  const std::string_view option = dialect == LdifDialect::openldap ? ";binary" : "";
  const bool undo = way == LdifWay::undo;
  Ldif ldif;
  ldif.comment(fmt::format("mrascheck cleanup: {}, {}", plan.site, seen(plan.vantage, plan.at)));
  ldif.comment(undo ? "Puts back what the clean-up removed, value by value."
                    : "Removes stale CA certificates, value by value. Read the plan first.");
  ldif.comment(dialect == LdifDialect::openldap ? "For ldapmodify -f on OpenLDAP."
                                                : "For ldifde -i -f on Active Directory.");
  for (const Removal& removal : plan.removals) {
    if (!removal.place.directory) continue;
    ldif.line("");
    if (const std::string because = by_hand_because(removal); !because.empty()) {
      ldif.comment(removal.place.place);
      ldif.comment(because);
      continue;
    }
    for (const CertificateRef& value : removal.values)
      ldif.comment(fmt::format("{} {}", thumbprint(*value), short_name(*value)));
    ldif.attribute("dn", removal.place.place);
    ldif.line("changetype: modify");
    const std::string attribute = fmt::format("{}{}", attribute_of(removal.place), option);
    // OpenLDAP knows no matching rule for the values of crossCertificatePair: all are given, or none can be changed.
    const bool all = removal.place.in_pair && dialect == LdifDialect::openldap;
    ldif.attribute(all ? "replace" : undo ? "add" : "delete", attribute);
    const auto pairs = [&](const std::vector<std::vector<std::uint8_t>>& values) {
      for (const std::vector<std::uint8_t>& value : values) ldif.bytes(attribute, value);
    };
    if (all) pairs(removal.other_pairs);
    if (!all || undo) pairs(removal.pairs);
    if (!removal.place.in_pair) {
      for (const CertificateRef& value : removal.values) ldif.bytes(attribute, value->der);
    }
    ldif.line("-");
  }
  ldif.line("");
  return ldif.take();
}

}  // namespace mrascheck::render

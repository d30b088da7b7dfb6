// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/common.hpp"
#include "core/ca_name.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array kinds{
    FindingKind{"store-contents.unreadable",
                "something in a store is no certificate or revocation list that can be read",
                {"RFC 5280", "4.1"}},
    FindingKind{"store-contents.empty", "a store holds no certificate at all", {"RFC 5280", "6.1.1"}},
    FindingKind{"store-contents.inconsistent",
                "what a store says of a certificate is not so, or cannot work",
                {"[MS-GPEF]", "2.2.1.1.1"}},
    FindingKind{"store-contents.restricted",
                "a store forbids a CA certificate what its chains are needed for",
                {"Microsoft Learn, CertSetCertificateContextProperty", "CERT_ENHKEY_USAGE_PROP_ID"}},
};

constexpr std::size_t most_facts = 20;

void add_facts(Finding& finding, std::vector<std::string> lines) {
  const std::size_t all = lines.size();
  lines.resize(std::min(all, most_facts));
  if (all > most_facts) lines.push_back(fmt::format("and {} more", all - most_facts));
  finding.facts = std::move(lines);
}

std::vector<std::string> lines_of(const std::vector<Unreadable>& list) {
  std::vector<std::string> lines;
  lines.reserve(list.size());
  for (const Unreadable& one : list) lines.push_back(fmt::format("{}: {}", with_ca_name(one.place, {}), one.reason));
  return lines;
}

void judge_faults(const StoreContents& store, Verdict& verdict) {
  if (store.faults.empty()) return;
  Finding& wrong = verdict.findings.emplace_back(finding(kinds[2], Status::warning, store.store));
  wrong.summary = fmt::format("store {}: {} in it", store.store, count(store.faults.size(), "contradiction"));
  add_facts(wrong, lines_of(store.faults));
  wrong.remedy =
      "What was read was judged by its bytes. Where a registry key or a property names another certificate, delete the "
      "entry on its host and import the certificate again; where OpenSSL's hashed names do not fit, run openssl rehash "
      "on the directory.";
}

void judge_restrictions(const StoreContents& store, Verdict& verdict) {
  std::vector<std::string> lines;
  for (const StoreEntry& entry : store.entries) {
    if (!entry.properties || entry.kind == StoreKind::disallowed) continue;
    if (entry.properties->forbids(server_auth_oid)) {
      lines.push_back(
          fmt::format("{}, in {}: {}", describe(*entry.certificate), entry.place.str(), entry.properties->text()));
    }
  }
  if (lines.empty()) return;
  Finding& forbidden = verdict.findings.emplace_back(finding(kinds[3], Status::warning, store.store));
  forbidden.summary = fmt::format("store {}: {} may not be used for server authentication there", store.store,
                                  count(lines.size(), "certificate"));
  add_facts(forbidden, std::move(lines));
  forbidden.remedy =
      "On the host, open the properties of the certificate in the store and enable all purposes, or at least server "
      "and client authentication; what a chain through it is good for was judged here without this restriction.";
}

Verdict judge(const Evidence& evidence) {
  Verdict verdict;
  for (const StoreContents& store : evidence.stores) {
    ++verdict.examined;
    if (!store.unreadable.empty()) {
      Finding& bad = verdict.findings.emplace_back(finding(kinds[0], Status::warning, store.store));
      bad.summary =
          fmt::format("store {}: {} could not be read; {} could", store.store,
                      count(store.unreadable.size(), "entry", "entries"), count(store.entries.size(), "certificate"));
      add_facts(bad, lines_of(store.unreadable));
      bad.remedy =
          "Export the store again, as PEM, DER or PKCS#7, and replace what is named above; what could not be read was "
          "not judged.";
    }
    judge_faults(store, verdict);
    judge_restrictions(store, verdict);
    // Of a store that was not read to its end nobody can say that it is empty: that is a gap.
    if (store.entries.empty() && store.crls.empty() && store.truncated.empty()) {
      Finding& empty = verdict.findings.emplace_back(finding(kinds[1], Status::warning, store.store));
      empty.summary = fmt::format("store {} ({}) holds no certificate", store.store, store.source);
      empty.remedy =
          "Check that the configuration names the right file, directory or container, and that the account that reads "
          "it may see the certificates.";
    }
    std::string note = count(store.entries.size(), "certificate");
    if (!store.crls.empty()) note += fmt::format(" and {}", count(store.crls.size(), "revocation list"));
    note += fmt::format(" from {}", store.source);
    for (const std::string& referral : store.referrals) note += fmt::format("; referral not followed: {}", referral);
    for (const std::string& remark : store.remarks) note += fmt::format("; {}", remark);
    verdict.notes.push_back({store.store, std::move(note)});
  }
  return verdict;
}

}  // namespace

extern const Check store_contents;
constinit const Check store_contents{.id = "store-contents",
                                     .title = "every configured store can be read, whole",
                                     .needs = Needs::stores,
                                     .kinds = kinds,
                                     .judge = judge};

}  // namespace mrascheck::checks

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "checks/common.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array kinds{
    FindingKind{
        "store-contents.unreadable", "something in a store is no certificate that can be read", {"RFC 5280", "4.1"}},
    FindingKind{"store-contents.empty", "a store holds no certificate at all", {"RFC 5280", "6.1.1"}},
};

Verdict judge(const Evidence& evidence) {
  constexpr std::size_t most_facts = 20;
  Verdict verdict;
  for (const StoreContents& store : evidence.stores) {
    ++verdict.examined;
    if (!store.unreadable.empty()) {
      Finding& bad = verdict.findings.emplace_back(finding(kinds[0], Status::warning, store.store));
      bad.summary =
          fmt::format("store {}: {} could not be read; {} could", store.store,
                      count(store.unreadable.size(), "entry", "entries"), count(store.entries.size(), "certificate"));
      for (std::size_t i = 0; i < std::min(store.unreadable.size(), most_facts); ++i) {
        bad.facts.push_back(fmt::format("{}: {}", store.unreadable[i].place, store.unreadable[i].reason));
      }
      if (store.unreadable.size() > most_facts) {
        bad.facts.push_back(fmt::format("and {} more", store.unreadable.size() - most_facts));
      }
      bad.remedy =
          "Export the store again, as PEM, DER or PKCS#7, and replace what is named above; what could not be read was "
          "not judged.";
    }
    if (store.entries.empty()) {
      Finding& empty = verdict.findings.emplace_back(finding(kinds[1], Status::warning, store.store));
      empty.summary = fmt::format("store {} ({}) holds no certificate", store.store, store.source);
      empty.remedy =
          "Check that the configuration names the right file, directory or container, and that the account that reads "
          "it may see the certificates.";
    }
    std::string note = fmt::format("{} from {}", count(store.entries.size(), "certificate"), store.source);
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

// SPDX-License-Identifier: Apache-2.0
#include "core/issuers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace mrascheck {
namespace {

std::string version_text(const CaVersion& version) {
  return fmt::format("V{}.{}", version.certificate_index, version.key_index);
}

bool follows(const Certificate& renewed, const Certificate& before) {
  return renewed.previous_ca_hash && *renewed.previous_ca_hash == before.thumbprint;
}

/// What is wrong with a renewal that `after` says it is of `before`; empty for nothing. The certificate index rises,
/// and the key index becomes it exactly when the key is new ([MS-WCCE] 3.2.1.4.3.2.39).
std::string broken_step(const Certificate& before, const Certificate& after) {
  if (!before.ca_version || !after.ca_version) return {};
  const CaVersion& from = *before.ca_version;
  const CaVersion& to = *after.ca_version;
  const bool same_key = before.spki_sha256 == after.spki_sha256;
  if (to.certificate_index <= from.certificate_index) {
    return fmt::format("CA version {} says that it was renewed from {}, which is no earlier one", version_text(to),
                       version_text(from));
  }
  if (same_key && to.key_index != from.key_index) {
    return fmt::format("CA versions {} and {} number one key twice", version_text(from), version_text(to));
  }
  if (!same_key && to.key_index == from.key_index) {
    return fmt::format("CA versions {} and {} give two keys one number", version_text(from), version_text(to));
  }
  return {};
}

/// Self-issued, and by its key identifiers not self-signed: AD CS makes such certificates when a root gets a new key
/// ([MS-WCCE] 3.2.1.4.3.2.37). Without identifiers it cannot be told, and is taken to be self-signed.
bool signed_by_other_key(const Certificate& c) {
  return c.self_issued() && c.subject_key_id && c.authority_key_id && c.authority_key_id->key_id &&
         *c.authority_key_id->key_id != *c.subject_key_id;
}

bool signed_by_sibling(const Certificate& child, const Certificate& sibling) {
  return signed_by_other_key(child) && sibling.subject_key_id &&
         *child.authority_key_id->key_id == *sibling.subject_key_id;
}

/// What is known of one certificate beyond its own words; see Lineage.
struct Kin {
  std::optional<bool> self_signed;               ///< of a self-issued one: whether its own key verifies it
  std::map<Sha256, const Certificate*> parents;  ///< by the keys that verify it, its own excepted
  bool parents_untried = false;                  ///< a certificate of its issuer's name is here whose key was not tried
  bool published = false;                        ///< stands in a directory
  const Certificate* origin = nullptr;           ///< the oldest that its previous-CA hashes lead to
  bool origin_known = false;                     ///< and that one names no further predecessor
};

/// Both were signed, and by no key that signed the other.
bool other_parents(const Kin* a, const Kin* b) {
  return a != nullptr && b != nullptr && !a->parents.empty() && !b->parents.empty() &&
         std::none_of(a->parents.begin(), a->parents.end(),
                      [&](const auto& parent) { return b->parents.contains(parent.first); });
}

bool signed_by_other_key(const Certificate& c, const Kin* kin) {
  return kin != nullptr && kin->self_signed ? !*kin->self_signed : signed_by_other_key(c);
}

Relation relation_of(const Certificate& a, const Certificate& b);

Kinship classify_same_key(const Certificate& older, const Certificate& newer, const Kin* of_older,
                          const Kin* of_newer) {
  using enum Relation;
  using enum Confidence;
  const bool same_issuer = matches(older.issuer, newer.issuer);
  const bool versions = older.ca_version && newer.ca_version;
  if (signed_by_other_key(newer, of_newer) != signed_by_other_key(older, of_older)) {
    return {rollover, high, "the same key, once self-signed and once signed with another key of the same name"};
  }
  if (follows(newer, older)) {
    const bool next = !versions || newer.ca_version->certificate_index == older.ca_version->certificate_index + 1;
    return {same_key_renewal, next ? certain : high,
            "the same key, and the newer one carries the older one's thumbprint as its previous CA"};
  }
  if (of_older != nullptr && of_newer != nullptr && of_older->origin == of_newer->origin) {
    return {same_key_renewal, certain, "the same key, and a chain of previous-CA thumbprints from one to the other"};
  }
  if (same_issuer && versions && newer.ca_version->certificate_index > older.ca_version->certificate_index &&
      newer.ca_version->key_index == older.ca_version->key_index) {
    return {same_key_renewal, high, [](const Certificate& before, const Certificate& after) {
              return fmt::format("the same key, CA versions {} and {}", version_text(*before.ca_version),
                                 version_text(*after.ca_version));
            }};
  }
  if (!same_issuer) {
    return {cross_certificate, high, [](const Certificate& before, const Certificate& after) {
              return fmt::format("the same key, issued by {} and by {}", before.issuer.text(), after.issuer.text());
            }};
  }
  if (versions && *older.ca_version == *newer.ca_version) {
    return {reinstall_same_key, high, [](const Certificate& before, const Certificate& after) {
              return fmt::format("the same key and the same CA version {}, but serial numbers {} and {}",
                                 version_text(*after.ca_version), before.serial, after.serial);
            }};
  }
  // Two parents may share a name as well; then only the signatures tell them apart. Where one is the other's renewal,
  // so may this one be.
  if (other_parents(of_older, of_newer)) {
    const auto joined = [&](const auto& a, const auto& b) { return legitimate(relation_of(*a.second, *b.second)); };
    const bool one_family = std::any_of(of_older->parents.begin(), of_older->parents.end(), [&](const auto& a) {
      return std::any_of(of_newer->parents.begin(), of_newer->parents.end(),
                         [&](const auto& b) { return joined(a, b); });
    });
    if (!one_family) {
      return {second_parent, high, [](const Certificate&, const Certificate& after) {
                return fmt::format("the same key, signed with two different keys of the name {}", after.issuer.text());
              }};
    }
  }
  if (versions && older.ca_version->key_index != newer.ca_version->key_index) {
    return {unclear, medium, [](const Certificate& before, const Certificate& after) {
              return fmt::format("the same key under the CA versions {} and {}, which one CA never gives it",
                                 version_text(*before.ca_version), version_text(*after.ca_version));
            }};
  }
  if (newer.not_after > older.not_after) {
    return {same_key_renewal, medium,
            "the same key and issuer, and a longer validity; no Microsoft CA version to compare"};
  }
  return {reinstall_same_key, medium,
          "the same key and issuer, other serial numbers, and no renewal that explains them"};
}

/// Nobody here published it, and nobody here signed it but itself.
bool is_foreign(const Certificate& certificate, const Kin& kin, bool directory_read) {
  if (!directory_read || kin.published) return false;
  if (certificate.self_issued()) return !signed_by_other_key(certificate, &kin);
  return kin.parents.empty() && !kin.parents_untried;
}

/// Of a pair with different keys that nothing links: a new installation, and whose.
Kinship classify_unlinked(const Certificate& older, const Certificate& newer, const Kin* of_older, const Kin* of_newer,
                          bool directory_read) {
  using enum Relation;
  using enum Confidence;
  const bool told = newer.ca_version.has_value() && older.ca_version.has_value();
  if (of_older != nullptr && of_newer != nullptr) {
    if (is_foreign(newer, *of_newer, directory_read)) {
      if (newer.self_issued())
        return {foreign, medium, "another key, self-signed, and in no container of the directory"};
      return {foreign, medium, [](const Certificate&, const Certificate& after) {
                return fmt::format(
                    "another key, in no container of the directory, and no certificate of {} here signed it",
                    after.issuer.text());
              }};
    }
    if (other_parents(of_older, of_newer)) {
      return {other_hierarchy, high, "another key, no previous CA, and signed by another parent"};
    }
  }
  if (!newer.ca_version && !newer.previous_ca_hash)
    return {redeployment, medium, "another key, and nothing that links the two"};
  return {redeployment, told ? high : medium, [](const Certificate&, const Certificate& after) {
            return fmt::format(
                "another key, CA version {}, and no previous CA{}: a new installation under the old name",
                after.ca_version ? version_text(*after.ca_version) : "not said",
                after.previous_ca_hash ? " that leads to the other" : "");
          }};
}

/// Classification of an ordered pair: `newer` is the one with the higher index, else the later notBefore.
Kinship classify_ordered(const Certificate& older, const Certificate& newer, const Kin* of_older, const Kin* of_newer,
                         const std::vector<Sha256>* sibling_keys, bool directory_read) {
  using enum Relation;
  using enum Confidence;
  if (is_misfiled(older) != is_misfiled(newer)) {
    return {Relation::misfiled, certain, [](const Certificate& before, const Certificate& after) {
              return fmt::format("{} may not sign certificates", thumbprint(is_misfiled(before) ? before : after));
            }};
  }
  if (matches(older.issuer, newer.issuer) && older.serial == newer.serial) {
    return {serial_collision, certain, [](const Certificate&, const Certificate& after) {
              return fmt::format("both carry serial number {} of one issuer", after.serial);
            }};
  }
  const bool same_key = older.spki_sha256 == newer.spki_sha256;
  if (follows(newer, older)) {
    if (!broken_step(older, newer).empty()) return {unclear, medium, broken_step};
  }
  if (same_key) return classify_same_key(older, newer, of_older, of_newer);
  if (follows(newer, older)) {
    return {rekey_renewal, certain,
            "another key, and the newer one carries the older one's thumbprint as its previous CA"};
  }
  if (of_older != nullptr && of_newer != nullptr && of_older->origin == of_newer->origin) {
    return {rekey_renewal, certain, "another key, and a chain of previous-CA thumbprints from one to the other"};
  }
  const auto joins_keys = [&](const Certificate& c, const Kin* kin) {
    return kin != nullptr && c.self_issued() && kin->self_signed == false && sibling_keys != nullptr &&
           std::any_of(kin->parents.begin(), kin->parents.end(), [&](const auto& parent) {
             return std::find(sibling_keys->begin(), sibling_keys->end(), parent.first) != sibling_keys->end();
           });
  };
  if (joins_keys(newer, of_newer) || joins_keys(older, of_older)) {
    return {rollover, high, "self-issued, and verified by the key of another certificate of this name"};
  }
  if (signed_by_sibling(newer, older) || signed_by_sibling(older, newer)) {
    return {rollover, high, "self-issued, and its authority key identifier names the other one's key"};
  }
  const bool newer_is_first = !newer.ca_version || newer.ca_version->certificate_index == 0;
  if (newer_is_first && !newer.previous_ca_hash)
    return classify_unlinked(older, newer, of_older, of_newer, directory_read);
  // Each is traced to a first certificate, and these are two.
  if (of_older != nullptr && of_newer != nullptr && of_older->origin_known && of_newer->origin_known)
    return classify_unlinked(older, newer, of_older, of_newer, directory_read);
  if (newer.ca_version && older.ca_version && older.not_before > newer.not_before &&
      older.ca_version->certificate_index == 0) {
    return {redeployment, high, [](const Certificate& before, const Certificate& after) {
              return fmt::format("another key, and CA version {} after {}: a new installation under the old name",
                                 version_text(*before.ca_version), version_text(*after.ca_version));
            }};
  }
  if (newer.ca_version && newer.ca_version->certificate_index > 0 &&
      newer.ca_version->key_index == newer.ca_version->certificate_index) {
    return {predecessor_missing, medium, [](const Certificate&, const Certificate& after) {
              return fmt::format(
                  "another key under CA version {}, renewed from a CA certificate that was not found in any store",
                  version_text(*after.ca_version));
            }};
  }
  return {unclear, medium, "another key, renewed from a CA certificate that was not found in any store"};
}

struct Ordered {
  const Certificate& older;
  const Certificate& newer;
  const Kin* of_older;
  const Kin* of_newer;
};

Ordered in_order(const Certificate& a, const Certificate& b, const Kin* of_a, const Kin* of_b) {
  const auto age = [](const Certificate& c) {
    return std::tuple<int, UtcTime, UtcTime, const Sha256&>{c.ca_version ? c.ca_version->certificate_index : 0,
                                                            c.not_before, c.not_after, c.sha256};
  };
  const bool a_first = follows(a, b) ? false : follows(b, a) ? true : age(a) < age(b);
  return a_first ? Ordered{a, b, of_a, of_b} : Ordered{b, a, of_b, of_a};
}

Kinship decide(const Ordered& pair, const std::vector<Sha256>* sibling_keys, bool directory_read) {
  if (pair.older.sha256 == pair.newer.sha256)
    return {Relation::duplicate_publication, Confidence::certain, "the same bytes"};
  return classify_ordered(pair.older, pair.newer, pair.of_older, pair.of_newer, sibling_keys, directory_read);
}

Relation relation_of(const Certificate& a, const Certificate& b) {
  return decide(in_order(a, b, nullptr, nullptr), nullptr, false).relation;
}

}  // namespace

std::string_view to_string(Relation relation) {
  switch (relation) {
    case Relation::duplicate_publication:
      return "duplicate publication";
    case Relation::serial_collision:
      return "serial number collision";
    case Relation::same_key_renewal:
      return "renewal with the same key";
    case Relation::reinstall_same_key:
      return "reinstallation on the same key";
    case Relation::cross_certificate:
      return "cross certificate";
    case Relation::rekey_renewal:
      return "renewal with a new key";
    case Relation::rollover:
      return "key-rollover cross certificate";
    case Relation::redeployment:
      return "redeployment";
    case Relation::second_parent:
      return "the same key under two parents of one name";
    case Relation::other_hierarchy:
      return "redeployment under another parent";
    case Relation::foreign:
      return "foreign certificate";
    case Relation::predecessor_missing:
      return "renewal with a new key whose predecessor is missing";
    case Relation::misfiled:
      return "misfiled certificate";
    case Relation::unclear:
      return "unclear";
  }
  return "unclear";
}

std::string_view meaning(Relation relation) {
  switch (relation) {
    case Relation::duplicate_publication:
      return "the same certificate stands in several places, which is fine";
    case Relation::serial_collision:
      return "one issuer used a serial number twice: a CA database was restored or rebuilt";
    case Relation::same_key_renewal:
      return "the CA was renewed and kept its key";
    case Relation::reinstall_same_key:
      return "the CA was installed again on its existing key: chains through either certificate look equally good";
    case Relation::cross_certificate:
      return "one CA key is certified by two parents";
    case Relation::rekey_renewal:
      return "the CA was renewed with a new key";
    case Relation::rollover:
      return "it joins the old and the new key of a renewed root CA";
    case Relation::redeployment:
      return "a CA was installed anew under the name of an older one";
    case Relation::second_parent:
      return "one CA key is certified by two installations of its parent";
    case Relation::other_hierarchy:
      return "a CA was installed anew under the name of an older one, and below another parent";
    case Relation::foreign:
      return "a certificate that nobody here issued or published carries the name of a CA";
    case Relation::predecessor_missing:
      return "the CA was renewed with a new key, and the certificates in between were not found";
    case Relation::misfiled:
      return "one of the two may not sign certificates and does not belong where it stands";
    case Relation::unclear:
      return "how the two are related cannot be told from what was found";
  }
  return "";
}

std::string_view to_string(Confidence confidence) {
  switch (confidence) {
    case Confidence::medium:
      return "medium";
    case Confidence::high:
      return "high";
    case Confidence::certain:
      return "certain";
  }
  return "medium";
}

std::string_view to_string(Standing standing) {
  switch (standing) {
    case Standing::current:
      return "current";
    case Standing::superseded:
      return "superseded";
    case Standing::stale:
      return "stale";
    case Standing::unrelated:
      return "unrelated";
    case Standing::alive:
      return "alive";
    case Standing::unused:
      return "not used yet";
    case Standing::foreign:
      return "foreign";
    case Standing::misfiled:
      return "misfiled";
    case Standing::undecided:
      return "undecided";
  }
  return "undecided";
}

bool legitimate(Relation relation) {
  switch (relation) {
    case Relation::duplicate_publication:
    case Relation::same_key_renewal:
    case Relation::cross_certificate:
    case Relation::rekey_renewal:
    case Relation::rollover:
      return true;
    case Relation::serial_collision:
    case Relation::reinstall_same_key:
    case Relation::redeployment:
    case Relation::second_parent:
    case Relation::other_hierarchy:
    case Relation::foreign:
    case Relation::predecessor_missing:
    case Relation::misfiled:
    case Relation::unclear:
      return false;
  }
  return false;
}

Classification classify(const Certificate& a, const Certificate& b) {
  const Ordered pair = in_order(a, b, nullptr, nullptr);
  return decide(pair, nullptr, false).between(pair.older, pair.newer);
}

bool is_misfiled(const Certificate& certificate) {
  return (certificate.is_ca && !*certificate.is_ca) ||
         (certificate.key_usage && (*certificate.key_usage & key_cert_sign) == 0);
}

struct Lineage::Impl {
  std::vector<const Certificate*> members;  ///< all siblings; none beyond the limit
  std::vector<Kin> kin;                     ///< of each of them
  std::vector<Sha256> keys;                 ///< of each of them
  std::vector<std::string> wrong;
  bool directory_read = false;

  const Kin* find(const Certificate& certificate) const {
    const auto known = [&](const auto& same) {
      const auto found = std::find_if(members.begin(), members.end(), same);
      return found == members.end() ? nullptr : &kin[static_cast<std::size_t>(found - members.begin())];
    };
    const Kin* const itself = known([&](const Certificate* member) { return member == &certificate; });
    if (itself != nullptr) return itself;
    return known([&](const Certificate* member) { return member->sha256 == certificate.sha256; });
  }

  Kin look_at(const GraphEntry& entry, const CertificateGraph& graph, const Evidence& evidence,
              const SignatureOracle& signature) const {
    constexpr std::size_t most_issuers = 64;
    const Certificate& c = *entry.certificate;
    Kin made;
    made.published = std::any_of(entry.locations.begin(), entry.locations.end(), [&](const Location& location) {
      const StoreSpec* spec = evidence.site.store(location.store->store);
      return spec != nullptr && spec->directory;
    });
    if (c.self_issued()) {
      if (const auto own = signature(c, c)) made.self_signed = *own == SignatureState::verified;
    }
    std::vector<Sha256> tried;
    for (const GraphEntry& issuer : graph.named(c.issuer)) {
      if (tried.size() >= most_issuers) break;
      const Sha256& key = issuer.certificate->spki_sha256;
      if (key == c.spki_sha256 && c.self_issued()) continue;
      if (std::find(tried.begin(), tried.end(), key) != tried.end()) continue;
      tried.push_back(key);
      const auto state = signature(c, *issuer.certificate);
      if (state == SignatureState::verified) made.parents.emplace(key, issuer.certificate.get());
      made.parents_untried = made.parents_untried || !state;
    }
    return made;
  }

  /// Follows the previous-CA hashes of each as far as they lead inside the group.
  void trace() {
    std::map<Sha1, const Certificate*> by_thumbprint;
    const bool any_renewed = std::any_of(
        members.begin(), members.end(), [](const Certificate* member) { return member->previous_ca_hash.has_value(); });
    for (const Certificate* member : any_renewed ? members : std::vector<const Certificate*>{})
      by_thumbprint.emplace(member->thumbprint, member);
    for (std::size_t i = 0; i < members.size(); ++i) {
      const Certificate* at = members[i];
      std::size_t steps = 0;
      while (at->previous_ca_hash && steps < members.size()) {
        const auto before = by_thumbprint.find(*at->previous_ca_hash);
        if (before == by_thumbprint.end() || before->second == at) break;
        at = before->second;
        ++steps;
      }
      kin[i].origin = at;
      kin[i].origin_known = !at->previous_ca_hash && (!at->ca_version || at->ca_version->certificate_index == 0);
    }
  }

  void contradict(const CertificateGraph& graph) {
    const auto shown = [](const Certificate& c) { return thumbprint(c).substr(0, 8); };
    for (const Certificate* member : members) {
      const Certificate& c = *member;
      if (c.ca_version && c.ca_version->key_index > c.ca_version->certificate_index) {
        wrong.push_back(fmt::format("{}: CA version {} has a key index above its certificate index", shown(c),
                                    version_text(*c.ca_version)));
      }
      if (!c.previous_ca_hash) continue;
      if (*c.previous_ca_hash == c.thumbprint) {
        wrong.push_back(fmt::format("{} names itself as its previous CA", shown(c)));
        continue;
      }
      if (const Certificate* before = graph.find(*c.previous_ca_hash); before != nullptr) {
        if (!matches(before->subject, c.subject)) {
          wrong.push_back(fmt::format("{} names {} as its previous CA, which is {}", shown(c), shown(*before),
                                      before->subject.text()));
        } else if (before->not_before > c.not_before) {
          wrong.push_back(fmt::format("{} names {} as its previous CA, which is younger", shown(c), shown(*before)));
        }
        if (const std::string broken = broken_step(*before, c); !broken.empty())
          wrong.push_back(fmt::format("{} and {}: {}", shown(*before), shown(c), broken));
      }
    }
    for (std::size_t i = 0; i < members.size(); ++i) {
      for (std::size_t j = i + 1; j < members.size(); ++j) contradict(i, j);
    }
  }
  /// Key numbers are compared within one installation only: each begins at 0.
  void contradict(std::size_t one, std::size_t other) {
    const Certificate& a = *members[one];
    const Certificate& b = *members[other];
    const auto shown = [](const Certificate& c) { return thumbprint(c).substr(0, 8); };
    const bool same_key = a.spki_sha256 == b.spki_sha256;
    if (!same_key && a.subject_key_id && a.subject_key_id == b.subject_key_id) {
      wrong.push_back(fmt::format("{} and {} have one subject key identifier and two keys", shown(a), shown(b)));
    }
    if (!a.ca_version || !b.ca_version) return;
    const bool linked = kin[one].origin == kin[other].origin && !follows(a, b) && !follows(b, a);
    if (!(linked || (same_key && matches(a.issuer, b.issuer)))) return;
    if (follows(a, b) || follows(b, a)) return;  // said above, as a broken step
    if (same_key != (a.ca_version->key_index == b.ca_version->key_index)) {
      wrong.push_back(fmt::format("{} and {}: CA versions {} and {}, but {}", shown(a), shown(b),
                                  version_text(*a.ca_version), version_text(*b.ca_version),
                                  same_key ? "one key" : "two keys"));
    }
  }
};

Lineage::Lineage(std::span<const GraphEntry> siblings, const CertificateGraph& graph, const Evidence& evidence,
                 const SignatureOracle& signature)
    : impl_(std::make_unique<Impl>()) {
  constexpr std::size_t most_siblings = 64;
  if (siblings.size() > most_siblings) return;
  impl_->directory_read = std::any_of(evidence.stores.begin(), evidence.stores.end(), [&](const StoreContents& store) {
    const StoreSpec* spec = evidence.site.store(store.store);
    return spec != nullptr && spec->directory;
  });
  impl_->members.reserve(siblings.size());
  impl_->keys.reserve(siblings.size());
  impl_->kin.reserve(siblings.size());
  for (const GraphEntry& entry : siblings) {
    impl_->members.push_back(entry.certificate.get());
    impl_->keys.push_back(entry.certificate->spki_sha256);
    impl_->kin.push_back(impl_->look_at(entry, graph, evidence, signature));
  }
  impl_->trace();
  impl_->contradict(graph);
}
Lineage::~Lineage() = default;
Lineage::Lineage(Lineage&&) noexcept = default;
Lineage& Lineage::operator=(Lineage&&) noexcept = default;

Classification Lineage::classify(const Certificate& a, const Certificate& b) const {
  return kinship(a, b);
}

Kinship Lineage::kinship(const Certificate& a, const Certificate& b) const {
  const Ordered pair = in_order(a, b, impl_->find(a), impl_->find(b));
  return decide(pair, &impl_->keys, impl_->directory_read).between(pair.older, pair.newer);
}

Relation Lineage::relation(const Certificate& a, const Certificate& b) const {
  return decide(in_order(a, b, impl_->find(a), impl_->find(b)), &impl_->keys, impl_->directory_read).relation;
}

bool Lineage::foreign(const Certificate& certificate) const {
  const Kin* kin = impl_->find(certificate);
  return kin != nullptr && is_foreign(certificate, *kin, impl_->directory_read);
}

std::vector<std::string> Lineage::contradictions() const {
  return impl_->wrong;
}

std::vector<std::string> unseen_servers(const Evidence& evidence) {
  std::set<std::string> unseen;
  for (const Link& link : evidence.site.links) {
    if (link.expect == Expectation::accept) unseen.insert({link.from, link.to});
  }
  for (const Identity& identity : evidence.identities) {
    if (identity.certificate) unseen.erase(identity.server);
  }
  for (const Handshake& handshake : evidence.handshakes) {
    if (!handshake.peer_chain.empty()) unseen.erase(handshake.to);
    if (!handshake.sent_chain.empty()) unseen.erase(handshake.from);
  }
  return {unseen.begin(), unseen.end()};
}

namespace {

/// Which of some things, numbered from 0, are joined, directly or by others: a forest of disjoint sets.
class Families {
 public:
  explicit Families(std::size_t size) : parents_(size) { std::iota(parents_.begin(), parents_.end(), 0); }

  /// The same number for all that are joined, until the next join.
  std::size_t of(std::size_t i) {
    while (parents_[i] != i) i = parents_[i] = parents_[parents_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) { parents_[of(b)] = of(a); }

 private:
  std::vector<std::size_t> parents_;
};

/// Works its way up from the live certificates: at each level it finds whose keys signed what is in use, picks the
/// current certificate for each of these keys, and goes on with them.
class Analysis {
 public:
  Analysis(const Evidence& evidence, const CertificateGraph& graph, const SignatureOracle& signature)
      : evidence_(evidence), graph_(graph), signature_(signature), unseen_(unseen_servers(evidence)) {}

  std::vector<IssuerGroup> run() {
    std::vector<CertificateRef> in_use{graph_.live().begin(), graph_.live().end()};
    std::set<Sha256> taken;
    std::map<std::string_view, std::vector<CertificateRef>> signed_by;  // by the issuer's canonical name
    // A name is judged again when more of what it signed turns up: it may stand above several of the levels below.
    while (!in_use.empty()) {
      std::map<std::string_view, Name> levels;
      for (const CertificateRef& certificate : in_use) {
        if (!taken.insert(certificate->sha256).second) continue;
        signed_by[certificate->issuer.canonical()].push_back(certificate);
        levels.emplace(certificate->issuer.canonical(), certificate->issuer);
      }
      in_use.clear();
      for (const auto& [canonical, issuer] : levels) {
        for (const CertificateRef& certificate : judge_level(issuer, signed_by[canonical])) {
          if (!certificate->self_issued()) in_use.push_back(certificate);
        }
      }
    }
    std::vector<IssuerGroup> groups;
    for (const auto& entries : graph_.same_name_groups()) {
      const auto judged = judged_.find(entries.front().certificate->subject.canonical());
      groups.push_back(judged == judged_.end() ? unrelated(entries) : std::move(judged->second));
    }
    std::stable_sort(groups.begin(), groups.end(),
                     [](const IssuerGroup& a, const IssuerGroup& b) { return a.concerns_live > b.concerns_live; });
    return groups;
  }

 private:
  IssuerMember member(const GraphEntry& entry) const {
    IssuerMember made;
    made.entry = &entry;
    made.time_valid = entry.certificate->valid_at(evidence_.collected_at);
    made.enrolled = std::any_of(entry.locations.begin(), entry.locations.end(),
                                [](const Location& location) { return location.entry->kind == StoreKind::enrollment; });
    return made;
  }

  static void order(IssuerGroup& group, const Lineage& lineage) {
    // The keys beside each other: a look into each certificate at each comparison would be what a large group costs.
    std::vector<std::tuple<bool, std::chrono::seconds, Sha256, std::size_t>> order;
    order.reserve(group.members.size());
    for (const IssuerMember& one : group.members) {
      const Certificate& c = *one.entry->certificate;
      order.emplace_back(one.standing != Standing::current, -c.not_before.time_since_epoch(), c.sha256, order.size());
    }
    std::sort(order.begin(), order.end());
    std::vector<IssuerMember> members;
    members.reserve(order.size());
    for (const auto& key : order) members.push_back(std::move(group.members[std::get<std::size_t>(key)]));
    group.members = std::move(members);
    for (IssuerMember& one : group.members) {
      one.relation = lineage.kinship(*group.members.front().entry->certificate, *one.entry->certificate);
    }
  }

  /// What is wrong with the group as such, whoever of it is current.
  static void inspect(IssuerGroup& group, const Lineage& lineage) {
    group.contradictions = lineage.contradictions();
    const Certificate* first = nullptr;
    for (const IssuerMember& one : group.members) {
      const Certificate& certificate = *one.entry->certificate;
      if (!one.time_valid || is_misfiled(certificate)) continue;
      if (first == nullptr) first = &certificate;
      group.encodings_differ = group.encodings_differ || !same_bytes(certificate.subject, first->subject);
    }
  }

  IssuerGroup unrelated(std::span<const GraphEntry> entries) {
    IssuerGroup group;
    group.subject = entries.front().certificate->subject;
    for (const GraphEntry& entry : entries) group.members.push_back(member(entry));
    const Lineage lineage{entries, graph_, evidence_, signature_};
    order(group, lineage);
    inspect(group, lineage);
    settle(group, unseen_.empty() ? Standing::unrelated : Standing::undecided, lineage);
    return group;
  }

  /// Which of the certificates that share a key should be kept: the ground truth in order. One that ends before what it
  /// signed is no better than how long it carries that.
  static bool better(const IssuerMember& a, const IssuerMember& b) {
    const auto rank = [](const IssuerMember& m) {
      const Certificate& c = *m.entry->certificate;
      UtcTime carries = UtcTime::min();
      for (const CertificateRef& child : m.signs) carries = std::max(carries, std::min(child->not_after, c.not_after));
      // What was only sent along is never kept in favour of what a server trusts.
      const auto& places = m.entry->locations;
      const bool anchor =
          std::any_of(places.begin(), places.end(), [](const Location& l) { return l.entry->anchor(); });
      return std::tuple{m.enrolled,      m.time_valid, anchor,
                        !places.empty(), carries,      c.ca_version ? c.ca_version->certificate_index : 0,
                        c.not_before,    c.not_after,  c.sha256};
    };
    return rank(a) > rank(b);
  }

  std::vector<CertificateRef> judge_level(const Name& issuer, const std::vector<CertificateRef>& signed_here) {
    IssuerGroup group;
    group.subject = issuer;
    group.concerns_live = true;
    bool unknown = false;
    const auto entries = graph_.named(issuer);
    for (const GraphEntry& entry : entries) {
      IssuerMember made = member(entry);
      for (const CertificateRef& child : signed_here) {
        if (child->sha256 == entry.certificate->sha256) continue;
        const std::optional<SignatureState> state = signature_(*child, *entry.certificate);
        if (state == SignatureState::verified) made.signs.push_back(child);
        unknown = unknown || !state;
      }
      group.members.push_back(std::move(made));
    }
    std::map<Sha256, const IssuerMember*> to_keep;  // by key
    for (const IssuerMember& one : group.members) {
      const IssuerMember*& best = to_keep[one.entry->certificate->spki_sha256];
      if (best == nullptr || better(one, *best)) best = &one;
    }
    bool any_vouched = false;
    for (IssuerMember& candidate : group.members) {
      if (candidate.signs.empty() || to_keep[candidate.entry->certificate->spki_sha256] != &candidate) continue;
      candidate.standing = Standing::current;
      candidate.voucher = voucher_of(*candidate.entry);
      any_vouched = any_vouched || candidate.voucher != Voucher::nobody;
    }
    // One alone has nobody to be compared with.
    const Lineage lineage{entries.size() > 1 ? entries : std::span<const GraphEntry>{}, graph_, evidence_, signature_};
    order(group, lineage);
    inspect(group, lineage);
    settle(group, unknown || !any_vouched || !unseen_.empty() ? Standing::undecided : Standing::stale, lineage);
    // What a renewal or a cross certificate joins to the current one is part of how this CA is run: so is its issuer.
    std::vector<CertificateRef> kept;
    for (const IssuerMember& one : group.members) {
      if (one.standing == Standing::current || one.standing == Standing::superseded)
        kept.push_back(one.entry->certificate);
    }
    judged_[issuer.canonical()] = std::move(group);
    return kept;
  }

  Voucher voucher_of_itself(const GraphEntry& entry) const {
    Voucher best = Voucher::nobody;
    for (const Location& location : entry.locations) {
      const StoreSpec* spec = evidence_.site.store(location.store->store);
      const PropertiesRef& properties = location.entry->properties;
      if ((spec != nullptr && spec->directory) || (properties && properties->origin == StoreOrigin::directory))
        return Voucher::directory;
      if (location.entry->anchor()) best = Voucher::root;
    }
    return best;
  }

  /// The best that it has itself, or any CA above it: level by level, each once, for CAs may have signed each other.
  Voucher voucher_of(const GraphEntry& entry) {
    constexpr std::size_t deepest = 10;
    constexpr std::size_t most = 1'000;
    constexpr std::size_t most_parents = 64;  // of one certificate
    Voucher best = Voucher::nobody;
    std::set<const GraphEntry*> seen{&entry};
    std::vector<const GraphEntry*> level{&entry};
    for (std::size_t depth = 0; depth <= deepest && !level.empty(); ++depth) {
      std::vector<const GraphEntry*> above;
      for (const GraphEntry* one : level) {
        best = std::max(best, voucher_of_itself(*one));
        if (best == Voucher::directory) return best;
        const auto parents = graph_.named(one->certificate->issuer);
        for (const GraphEntry& parent : parents.first(std::min(parents.size(), most_parents))) {
          if (seen.size() >= most) break;
          if (!seen.contains(&parent) &&
              signature_(*one->certificate, *parent.certificate) == SignatureState::verified) {
            seen.insert(&parent);
            above.push_back(&parent);
          }
        }
      }
      level = std::move(above);
    }
    return best;
  }

  /// CA certificates in stores, unexpired and not self-issued, by the name of their issuer.
  const std::vector<CertificateRef>& authorities_below(const Name& issuer) {
    if (!below_) {
      below_.emplace();
      for (const StoreContents& store : evidence_.stores) {
        for (const StoreEntry& entry : store.entries) {
          const Certificate& one = *entry.certificate;
          if (entry.kind != StoreKind::disallowed && one.is_ca.value_or(false) && !one.self_issued() &&
              one.not_after >= evidence_.collected_at)
            (*below_)[one.issuer.canonical()].push_back(entry.certificate);
        }
      }
    }
    return (*below_)[issuer.canonical()];
  }

  /// Whether its key signed another CA's certificate that may be in use elsewhere: unexpired, and not stale itself.
  bool runs_another(const Certificate& certificate) {
    constexpr std::size_t most_asked =
        20'000;  // in the whole run: the plan of a clean-up asks again, with its own bound
    const std::vector<CertificateRef>& children = authorities_below(certificate.subject);
    return std::any_of(children.begin(), children.end(), [&](const CertificateRef& child) {
      if (++children_asked_ > most_asked) return false;
      if (signature_(*child, certificate) != SignatureState::verified) return false;
      const auto judged = judged_.find(child->subject.canonical());
      if (judged == judged_.end()) return true;
      const auto& members = judged->second.members;
      return std::none_of(members.begin(), members.end(), [&](const IssuerMember& member) {
        return member.entry->certificate->sha256 == child->sha256 &&
               (member.standing == Standing::stale || member.standing == Standing::foreign ||
                member.standing == Standing::misfiled);
      });
    });
  }

  /// Younger than all that are in use, and so perhaps the coming one; a second certificate of a key in use is not, once
  /// it is sure that it is no renewal.
  bool coming(const IssuerGroup& group, const IssuerMember& one, const Lineage& lineage) const {
    const Certificate& certificate = *one.entry->certificate;
    if (certificate.not_after < evidence_.collected_at) return false;
    return std::all_of(group.members.begin(), group.members.end(), [&](const IssuerMember& other) {
      if (other.standing != Standing::current) return true;
      const Certificate& current = *other.entry->certificate;
      return certificate.not_before > current.not_before &&
             (certificate.spki_sha256 != current.spki_sha256 ||
              lineage.kinship(current, certificate).confidence == Confidence::medium);
    });
  }

  /// Everybody who is not current: joined to the current ones by legitimate steps means superseded, else `otherwise`.
  void settle(IssuerGroup& group, Standing otherwise, const Lineage& lineage) {
    constexpr std::size_t most_compared = 64;  // beyond, each is compared with the first only: n, not n squared
    std::vector<IssuerMember>& members = group.members;
    Families families(members.size());
    const auto relation = [&](std::size_t a, std::size_t b) {
      return lineage.relation(*members[a].entry->certificate, *members[b].entry->certificate);
    };
    const auto join = [&](std::size_t a, std::size_t b) {
      if (legitimate(relation(a, b))) families.join(a, b);
    };
    const std::size_t compared_with = members.size() <= most_compared ? members.size() : 1;
    for (std::size_t a = 0; a < compared_with; ++a) {
      for (std::size_t b = a + 1; b < members.size(); ++b) join(a, b);
    }
    const bool all_compared = compared_with == members.size();
    std::vector<std::size_t> current;
    std::unordered_set<std::size_t> current_families;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i].standing != Standing::current) continue;
      current.push_back(i);
      current_families.insert(families.of(i));
    }
    for (std::size_t i = 0; i < members.size(); ++i) {
      IssuerMember& one = members[i];
      if (one.standing == Standing::current) continue;
      const bool kin = current_families.contains(families.of(i));
      bool unclear = false;
      for (const std::size_t j : all_compared ? current : std::vector<std::size_t>{}) {
        const Relation to_current = relation(j, i);
        unclear = unclear || to_current == Relation::unclear || to_current == Relation::predecessor_missing;
        const bool apart = to_current == Relation::foreign;
        one.foreign = one.foreign || (apart && lineage.foreign(*one.entry->certificate));
        members[j].foreign = members[j].foreign || (apart && lineage.foreign(*members[j].entry->certificate));
      }
      one.standing = kin                                           ? Standing::superseded
                     : one.enrolled                                ? Standing::alive
                     : is_misfiled(*one.entry->certificate)        ? Standing::misfiled
                     : unclear || !all_compared                    ? Standing::undecided
                     : one.foreign && otherwise == Standing::stale ? Standing::foreign
                                                                   : otherwise;
      if (one.standing != Standing::stale) continue;
      if (runs_another(*one.entry->certificate)) {
        one.standing = Standing::alive;
      } else if (coming(group, one, lineage)) {
        one.standing = Standing::unused;
      }
    }
    for (IssuerMember& one : members) {
      if (one.standing == Standing::alive || one.standing == Standing::unused) one.voucher = voucher_of(*one.entry);
    }
    std::set<std::size_t> installations;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i].standing == Standing::current || members[i].standing == Standing::alive)
        installations.insert(families.of(i));
    }
    group.installations = installations.size();
    // What a renewal joins to an installation that is alive is no more stale than what it joins to the current one.
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i].standing == Standing::stale && installations.contains(families.of(i)))
        members[i].standing = Standing::superseded;
    }
  }

  const Evidence& evidence_;
  const CertificateGraph& graph_;
  const SignatureOracle& signature_;
  std::vector<std::string> unseen_;
  std::unordered_map<std::string_view, IssuerGroup> judged_;
  std::optional<std::unordered_map<std::string_view, std::vector<CertificateRef>>> below_;
  std::size_t children_asked_ = 0;
};

}  // namespace

std::vector<IssuerGroup> issuer_groups(const Evidence& evidence, const CertificateGraph& graph,
                                       const SignatureOracle& signature) {
  return Analysis{evidence, graph, signature}.run();
}

bool any_stale(const std::vector<IssuerGroup>& groups) {
  return std::any_of(groups.begin(), groups.end(), [](const IssuerGroup& group) {
    return std::any_of(group.members.begin(), group.members.end(),
                       [](const IssuerMember& member) { return member.standing == Standing::stale; });
  });
}

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "core/issuers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
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

/// Classification of an ordered pair: `newer` is the one with the higher index, else the later notBefore.
Classification classify_ordered(const Certificate& older, const Certificate& newer) {
  using enum Relation;
  using enum Confidence;
  const bool same_key = older.spki_sha256 == newer.spki_sha256;
  const bool same_issuer = matches(older.issuer, newer.issuer);
  const bool versions = older.ca_version && newer.ca_version;
  if (same_issuer && older.serial == newer.serial) {
    return {serial_collision, certain, fmt::format("both carry serial number {} of one issuer", newer.serial)};
  }
  if (same_key) {
    if (signed_by_other_key(newer) != signed_by_other_key(older)) {
      return {rollover, high, "the same key, once self-signed and once signed with another key of the same name"};
    }
    if (follows(newer, older)) {
      return {same_key_renewal, certain,
              "the same key, and the newer one carries the older one's thumbprint as its previous CA"};
    }
    if (same_issuer && versions && newer.ca_version->certificate_index > older.ca_version->certificate_index &&
        newer.ca_version->key_index == older.ca_version->key_index) {
      return {same_key_renewal, high,
              fmt::format("the same key, CA versions {} and {}", version_text(*older.ca_version),
                          version_text(*newer.ca_version))};
    }
    // A different issuer name, or one self-signed and one not, is a second parent; two parents of one name that differ
    // only in key look the same from here, and are told apart by the caller, who has the signatures.
    if (!same_issuer) {
      return {cross_certificate, high,
              fmt::format("the same key, issued by {} and by {}", older.issuer.text, newer.issuer.text)};
    }
    if (versions && *older.ca_version == *newer.ca_version) {
      return {reinstall_same_key, high,
              fmt::format("the same key and the same CA version {}, but serial numbers {} and {}",
                          version_text(*newer.ca_version), older.serial, newer.serial)};
    }
    if (newer.not_after > older.not_after) {
      return {same_key_renewal, medium,
              "the same key and issuer, and a longer validity; no Microsoft CA version to compare"};
    }
    return {reinstall_same_key, medium,
            "the same key and issuer, other serial numbers, and no renewal that explains them"};
  }
  if (follows(newer, older)) {
    return {rekey_renewal, certain,
            "another key, and the newer one carries the older one's thumbprint as its previous CA"};
  }
  const bool newer_is_first = !newer.ca_version || newer.ca_version->certificate_index == 0;
  if (signed_by_sibling(newer, older) || signed_by_sibling(older, newer)) {
    return {rollover, high, "self-issued, and its authority key identifier names the other one's key"};
  }
  if (newer_is_first && !newer.previous_ca_hash) {
    const bool told = newer.ca_version.has_value();
    return {redeployment, told ? high : medium,
            told ? "another key, CA version V0.0, and no previous CA: a new installation under the old name"
                 : "another key, and nothing that links the two"};
  }
  return {unclear, medium, "another key, renewed from a CA certificate that was not found in any store"};
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
    case Relation::unclear:
      return false;
  }
  return false;
}

Classification classify(const Certificate& a, const Certificate& b) {
  if (a.sha256 == b.sha256) {
    return {Relation::duplicate_publication, Confidence::certain, "the same bytes"};
  }
  if (follows(a, b)) return classify_ordered(b, a);
  if (follows(b, a)) return classify_ordered(a, b);
  const auto age = [](const Certificate& c) {
    return std::tuple{c.ca_version ? c.ca_version->certificate_index : 0, c.not_before, c.not_after, c.sha256};
  };
  return age(a) < age(b) ? classify_ordered(a, b) : classify_ordered(b, a);
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
    std::map<std::string, std::vector<CertificateRef>> signed_by;  // by the issuer's canonical name
    // A name is judged again when more of what it signed turns up: it may stand above several of the levels below.
    while (!in_use.empty()) {
      std::map<std::string, Name> levels;
      for (const CertificateRef& certificate : in_use) {
        if (!taken.insert(certificate->sha256).second) continue;
        signed_by[certificate->issuer.canonical].push_back(certificate);
        levels.emplace(certificate->issuer.canonical, certificate->issuer);
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
      const auto judged = judged_.find(entries.front().certificate->subject.canonical);
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

  static void order(IssuerGroup& group) {
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
      one.relation = classify(*group.members.front().entry->certificate, *one.entry->certificate);
    }
  }

  IssuerGroup unrelated(std::span<const GraphEntry> entries) const {
    IssuerGroup group;
    group.subject = entries.front().certificate->subject;
    for (const GraphEntry& entry : entries) group.members.push_back(member(entry));
    order(group);
    settle(group, unseen_.empty() ? Standing::unrelated : Standing::undecided);
    return group;
  }

  /// Which of the certificates that share a key should be kept: the ground truth in order.
  static bool better(const IssuerMember& a, const IssuerMember& b) {
    const auto rank = [](const IssuerMember& m) {
      const Certificate& c = *m.entry->certificate;
      return std::tuple{m.enrolled,   m.time_valid, c.ca_version ? c.ca_version->certificate_index : 0,
                        c.not_before, c.not_after,  c.sha256};
    };
    return rank(a) > rank(b);
  }

  std::vector<CertificateRef> judge_level(const Name& issuer, const std::vector<CertificateRef>& signed_here) {
    IssuerGroup group;
    group.subject = issuer;
    group.concerns_live = true;
    bool unknown = false;
    for (const GraphEntry& entry : graph_.named(issuer)) {
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
    bool any_current = false;
    for (IssuerMember& candidate : group.members) {
      if (candidate.signs.empty() || to_keep[candidate.entry->certificate->spki_sha256] != &candidate) continue;
      candidate.standing = Standing::current;
      any_current = true;
    }
    order(group);
    settle(group, unknown || !any_current || !unseen_.empty() ? Standing::undecided : Standing::stale);
    // What a renewal or a cross certificate joins to the current one is part of how this CA is run: so is its issuer.
    std::vector<CertificateRef> kept;
    for (const IssuerMember& one : group.members) {
      if (one.standing == Standing::current || one.standing == Standing::superseded)
        kept.push_back(one.entry->certificate);
    }
    judged_[issuer.canonical] = std::move(group);
    return kept;
  }

  /// Everybody who is not current: joined to the current ones by legitimate steps means superseded, else `otherwise`.
  static void settle(IssuerGroup& group, Standing otherwise) {
    constexpr std::size_t most_compared = 64;  // beyond, each is compared with the first only: n, not n squared
    std::vector<IssuerMember>& members = group.members;
    Families families(members.size());
    const auto join = [&](std::size_t a, std::size_t b) {
      if (legitimate(classify(*members[a].entry->certificate, *members[b].entry->certificate).relation))
        families.join(a, b);
    };
    const std::size_t compared_with = members.size() <= most_compared ? members.size() : 1;
    for (std::size_t a = 0; a < compared_with; ++a) {
      for (std::size_t b = a + 1; b < members.size(); ++b) join(a, b);
    }
    const bool all_compared = compared_with == members.size();
    const auto unclear_to = [&](const IssuerMember& one, const IssuerMember& other) {
      return classify(*other.entry->certificate, *one.entry->certificate).relation == Relation::unclear;
    };
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
      const bool unclear = all_compared && std::any_of(current.begin(), current.end(),
                                                       [&](std::size_t j) { return unclear_to(one, members[j]); });
      one.standing = kin                        ? Standing::superseded
                     : one.enrolled             ? Standing::alive
                     : unclear || !all_compared ? Standing::undecided
                                                : otherwise;
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
  std::unordered_map<std::string, IssuerGroup> judged_;
};

}  // namespace

std::vector<IssuerGroup> issuer_groups(const Evidence& evidence, const CertificateGraph& graph,
                                       const SignatureOracle& signature) {
  return Analysis{evidence, graph, signature}.run();
}

}  // namespace mrascheck

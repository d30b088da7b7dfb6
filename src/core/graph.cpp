// SPDX-License-Identifier: Apache-2.0
#include "core/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <string_view>
#include <tuple>

#include "core/ca_name.hpp"
#include "core/lookups.hpp"
#include "core/text.hpp"

namespace mrascheck {
namespace {

bool by_content(const CertificateRef& a, const CertificateRef& b) {
  return a->sha256 < b->sha256;
}

/// basicConstraints decides; without it only keyCertSign, or a self-issued certificate of version 1, speaks for a CA.
bool is_certificate_authority(const Certificate& certificate) {
  if (certificate.is_ca) return *certificate.is_ca;
  if (certificate.key_usage) return (*certificate.key_usage & key_cert_sign) != 0;
  return certificate.self_issued();
}

/// Whether `name` is `base` or below it (RFC 5280, 4.2.1.10); a base that begins with a dot takes in what is below
/// only.
bool below(std::string_view name, std::string_view base) {
  if (base.empty()) return true;
  if (name.size() < base.size() || !equals_ignoring_case(name.substr(name.size() - base.size()), base)) return false;
  return name.size() == base.size() || base.front() == '.' || name[name.size() - base.size() - 1] == '.';
}

/// Relative names are parted by commas in the canonical form, and a comma inside one is escaped there.
bool below(const Name& name, const Name& base) {
  const std::string_view above = base.canonical();
  return base.empty() || matches(name, base) ||
         (name.canonical().starts_with(above) && name.canonical().substr(above.size()).starts_with(','));
}

/// The names that constraints are about, RFC 5280, 4.2.1.10. Without a dNSName the CN of the target stands for one, as
/// it does where peers are compared by name (RFC 6125, 6.4.4).
struct ConstrainedNames {
  std::vector<std::string> dns;
  std::vector<Name> directories;
  unsigned forms = 0;

  ConstrainedNames(const Certificate& certificate, bool target)
      : dns(certificate.dns_names), directories(certificate.directory_names), forms(certificate.alt_name_forms) {
    const std::string_view common = certificate.subject.common_name();
    const bool host = common.find('.') != std::string::npos && common.find_first_of(" @/:") == std::string::npos;
    if (target && dns.empty() && host) dns.emplace_back(common);
    if (!certificate.subject.empty()) directories.push_back(certificate.subject);
    if (certificate.subject.text().find("emailAddress=") != std::string::npos) forms |= 1U << form_rfc822;
  }
};

enum class Constrained { no, yes, unknown };

template <class T, class U>
bool breaks(const std::vector<T>& names, const std::vector<U>& permitted, const std::vector<U>& excluded) {
  return std::any_of(names.begin(), names.end(), [&](const T& name) {
    const auto covers = [&](const U& base) { return below(name, base); };
    return std::any_of(excluded.begin(), excluded.end(), covers) ||
           (!permitted.empty() && std::none_of(permitted.begin(), permitted.end(), covers));
  });
}

/// Whether `constraints` forbid a certificate with these names. Of the other forms only whether they could matter.
Constrained constrained(const NameConstraints& constraints, const ConstrainedNames& names) {
  if (constraints.permitted.bounded || constraints.excluded.bounded) return Constrained::unknown;
  if (breaks(names.dns, constraints.permitted.dns, constraints.excluded.dns) ||
      breaks(names.directories, constraints.permitted.directories, constraints.excluded.directories))
    return Constrained::yes;
  constexpr unsigned evaluated = 1U << form_dns | 1U << form_directory;
  const unsigned of_subtrees = constraints.permitted.forms | constraints.excluded.forms;
  return (of_subtrees & names.forms & ~evaluated) != 0 ? Constrained::unknown : Constrained::no;
}

/// Without a policy that is asked for, and none is, these forbid nothing (RFC 5280, 6.1.1: initial-explicit-policy is
/// not set); OpenSSL takes them so.
bool concerns_policies_only(std::string_view oid) {
  return oid == "2.5.29.33" || oid == "2.5.29.36" || oid == "2.5.29.54";
}

/// Whether the signature must tell if a self-issued certificate signed itself: a new key's under the old one's does not
/// always say so by key identifiers. One without extensions is not asked: such roots are older than some algorithms
/// last.
bool disproved(const Certificate& certificate, const SignatureOracle& signature) {
  const auto& by = certificate.authority_key_id;
  const bool says_so = by && by->key_id && certificate.subject_key_id;  // and it is the same: may_be_self_signed()
  return certificate.is_ca && !says_so && signature(certificate, certificate) == SignatureState::failed;
}

UtcTime lasts_until(const Path& path) {
  return (*std::min_element(path.certificates.begin(), path.certificates.end(),
                            [](const auto& a, const auto& b) { return a->not_after < b->not_after; }))
      ->not_after;
}

/// What of a certificate is weak by today's measure (NIST SP 800-131A; BSI TR-02102-1), a line each. The signature of
/// the last one of a path is nobody's concern: it is trusted as it stands.
std::vector<std::string> weaknesses_of(const Certificate& certificate, bool last) {
  constexpr unsigned least_rsa_bits = 2048;
  std::vector<std::string> found;
  const std::string algorithm = to_lower(certificate.signature_algorithm.str());
  const bool old_digest = algorithm.find("md5") != std::string::npos || algorithm.find("md2") != std::string::npos ||
                          algorithm.find("sha1") != std::string::npos;
  if (!last && old_digest)
    found.push_back(fmt::format("{} is signed with {}", label(certificate), certificate.signature_algorithm.str()));
  if (certificate.key_algorithm.starts_with("RSA") && certificate.key_bits < least_rsa_bits)
    found.push_back(fmt::format("{} has an RSA key of {} bits", label(certificate), certificate.key_bits));
  return found;
}

/// Depth-first over all issuer candidates. A path ends at a trust anchor, at a wrong signature, or where no issuer is
/// left.
class PathSearch {
 public:
  PathSearch(const PathQuery& query, const SignatureOracle& signature) : query_(query), signature_(signature) {}

  PathSet run(const CertificateRef& target) {
    path_.push_back(target);
    step();
    for (Path& path : found_.paths) complain(path);
    std::sort(found_.paths.begin(), found_.paths.end(), [](const Path& a, const Path& b) {
      if (a.problems.size() != b.problems.size()) return a.problems.size() < b.problems.size();
      if (a.certificates.size() != b.certificates.size()) return a.certificates.size() < b.certificates.size();
      if (lasts_until(a) != lasts_until(b)) return lasts_until(a) > lasts_until(b);
      return std::lexicographical_compare(a.certificates.begin(), a.certificates.end(), b.certificates.begin(),
                                          b.certificates.end(), by_content);
    });
    return std::move(found_);
  }

 private:
  bool anchored(const Certificate& certificate) const { return query_.trust->anchors.contains(certificate.sha256); }

  void step() {
    if (++steps_ > query_.max_steps) return stop(fmt::format("{} steps", query_.max_steps));
    const CertificateRef current = path_.back();
    if (anchored(*current) && !disproved(*current, signature_)) return record(std::nullopt);
    if (path_.size() >= query_.max_depth) return stop(fmt::format("{} certificates in a path", query_.max_depth));

    const std::vector<CertificateRef> candidates = issuers_of(*current);
    if (current->may_be_self_signed() && signature_(*current, *current) != SignatureState::failed) {
      record(PathProblem{PathProblemKind::untrusted_root, path_.size() - 1,
                         fmt::format("{} is no trusted root here", label(*current))});
      // A self-signed certificate may still have a cross certificate of its name and key above it, but what it signs
      // itself needs no further issuer.
      return;
    }
    if (candidates.empty()) {
      return record(PathProblem{
          PathProblemKind::incomplete, path_.size() - 1,
          fmt::format("no certificate named {}, which issued {}, is here", current->issuer.text(), label(*current))});
    }
    for (const CertificateRef& issuer : candidates) {
      if (!found_.bound.empty()) return;
      const std::optional<SignatureState> state = signature_(*current, *issuer);
      std::vector<PathProblem> added;
      if (!state) {
        added.push_back({PathProblemKind::signature_unknown, path_.size() - 1,
                         fmt::format("whether {} signed {} was not verified", label(*issuer), label(*current))});
      }
      if (match_issuer(*current, *issuer) == IssuerMatch::none) {
        added.push_back({PathProblemKind::key_identifier, path_.size() - 1,
                         fmt::format("the authority key identifier of {} names another certificate than {}",
                                     label(*current), label(*issuer))});
      }
      pending_.insert(pending_.end(), added.begin(), added.end());
      path_.push_back(issuer);
      if (state == SignatureState::failed) {
        record(PathProblem{PathProblemKind::signature, path_.size() - 2,
                           fmt::format("{} was not signed by the key of {}", label(*current), label(*issuer))});
      } else {
        step();
      }
      path_.pop_back();
      pending_.resize(pending_.size() - added.size());
    }
  }

  std::vector<CertificateRef> issuers_of(const Certificate& certificate) const {
    const auto named = query_.trust->index.named(certificate.issuer);
    std::vector<CertificateRef> issuers{named.begin(), named.end()};
    for (const CertificateRef& sent : query_.sent) {
      if (matches(sent->subject, certificate.issuer)) issuers.push_back(sent);
    }
    // No name with the same key twice in one path (RFC 4158, 2.4.2): that is a loop.
    std::erase_if(issuers, [&](const CertificateRef& issuer) {
      return std::any_of(path_.begin(), path_.end(), [&](const CertificateRef& used) {
        return used->spki_sha256 == issuer->spki_sha256 && matches(used->subject, issuer->subject);
      });
    });
    std::sort(issuers.begin(), issuers.end(), [&](const CertificateRef& a, const CertificateRef& b) {
      const auto rank = [&](const Certificate& issuer) {
        return std::tuple{match_issuer(certificate, issuer), anchored(issuer), issuer.valid_at(query_.at)};
      };
      const auto rank_a = rank(*a);
      const auto rank_b = rank(*b);
      return rank_a != rank_b ? rank_a > rank_b : by_content(a, b);
    });
    issuers.erase(std::unique(issuers.begin(), issuers.end(),
                              [](const CertificateRef& a, const CertificateRef& b) { return a->sha256 == b->sha256; }),
                  issuers.end());
    return issuers;
  }

  void record(std::optional<PathProblem> last) {
    Path path{path_, pending_};
    if (last) path.problems.push_back(std::move(*last));
    found_.paths.push_back(std::move(path));
    if (found_.paths.size() >= query_.max_paths) stop(fmt::format("{} paths", query_.max_paths));
  }

  void stop(std::string bound) {
    if (found_.bound.empty()) found_.bound = std::move(bound);
  }

  /// RFC 5280, 6.1, as far as it needs no signature.
  void complain(Path& path) const {
    const auto add = [&](PathProblemKind kind, std::size_t index, std::string text) {
      path.problems.push_back({kind, index, std::move(text)});
    };
    std::size_t intermediates_below = 0;  // that are not self-issued, RFC 5280, 4.2.1.9
    for (std::size_t i = 0; i < path.certificates.size(); ++i) {
      const Certificate& certificate = *path.certificates[i];
      for (std::string& text : weaknesses_of(certificate, i + 1 == path.certificates.size()))
        path.weaknesses.push_back({PathProblemKind::weak, i, std::move(text)});
      if (query_.trust->distrusted.contains(certificate.sha256)) {
        add(PathProblemKind::distrusted, i,
            fmt::format("{} stands in a store of untrusted certificates (Disallowed)", label(certificate)));
      }
      if (query_.at < certificate.not_before) {
        add(PathProblemKind::not_yet_valid, i,
            fmt::format("{} is not valid before {}", label(certificate), to_iso8601(certificate.not_before)));
      }
      if (query_.at > certificate.not_after) {
        add(PathProblemKind::expired, i,
            fmt::format("{} expired on {}", label(certificate), to_date(certificate.not_after)));
      }
      complain_of_names(path, i);
      complain_of_revocation(path, i);
      for (const std::string& oid : certificate.unknown_critical) {
        if (concerns_policies_only(oid)) continue;
        add(PathProblemKind::critical_extension, i,
            fmt::format("{} has a critical extension {} that is not evaluated here", label(certificate), oid));
      }
      if (query_.purpose != nullptr && certificate.extended_key_usage) {
        const auto& allowed = *certificate.extended_key_usage;
        const auto has = [&](std::string_view oid) {
          return std::find(allowed.begin(), allowed.end(), oid) != allowed.end();
        };
        if (!has(query_.purpose) && !has(any_eku_oid)) {
          add(PathProblemKind::extended_key_usage, i,
              fmt::format("the extended key usage of {} does not allow {}", label(certificate),
                          std::string_view{query_.purpose} == server_auth_oid ? "server authentication"
                                                                              : "client authentication"));
        }
      }
      if (i == 0) {
        constexpr unsigned any_of_tls = digital_signature | key_encipherment | key_agreement;
        if (query_.purpose != nullptr && certificate.key_usage && (*certificate.key_usage & any_of_tls) == 0) {
          add(PathProblemKind::key_usage, i,
              fmt::format("the key usage of {} allows neither signatures nor key encipherment nor key agreement, so no "
                          "TLS",
                          label(certificate)));
        }
        continue;
      }
      // Of a trust anchor it is known that it is a CA, of all others only by this extension (RFC 5280, 6.1.4 k).
      const bool anchor = i + 1 == path.certificates.size() && anchored(certificate);
      if (!anchor && !certificate.is_ca) {
        add(PathProblemKind::not_a_ca, i,
            fmt::format("{} has no basic constraints, which say that it is a CA certificate", label(certificate)));
      } else if (!is_certificate_authority(certificate)) {
        add(PathProblemKind::not_a_ca, i, fmt::format("{} is no CA certificate", label(certificate)));
      } else if (certificate.key_usage && (*certificate.key_usage & key_cert_sign) == 0) {
        add(PathProblemKind::key_usage, i,
            fmt::format("the key usage of {} does not allow it to sign certificates", label(certificate)));
      }
      if (certificate.path_length && intermediates_below > *certificate.path_length) {
        add(PathProblemKind::path_length, i,
            fmt::format("{} allows {} CA certificates below it, and there are {}", label(certificate),
                        *certificate.path_length, intermediates_below));
      }
      if (!certificate.self_issued()) ++intermediates_below;
    }
  }

  /// What the name constraints of the certificate at `index` say of those below it (RFC 5280, 6.1.3 b and c).
  void complain_of_names(Path& path, std::size_t index) const {
    const Certificate& authority = *path.certificates[index];
    if (index == 0 || !authority.name_constraints) return;
    for (std::size_t i = 0; i < index; ++i) {
      const Certificate& certificate = *path.certificates[i];
      if (i > 0 && certificate.self_issued()) continue;
      switch (constrained(*authority.name_constraints, ConstrainedNames{certificate, i == 0})) {
        case Constrained::no:
          break;
        case Constrained::yes:
          path.problems.push_back({PathProblemKind::name_constraint, i,
                                   fmt::format("the name constraints of {} do not allow the names of {}",
                                               label(authority), label(certificate))});
          break;
        case Constrained::unknown:
          path.problems.push_back(
              {PathProblemKind::critical_extension, i,
               fmt::format("the name constraints of {} speak of a kind of name that {} has and that "
                           "is not evaluated here",
                           label(authority), label(certificate))});
          break;
      }
    }
  }

  /// By a list of the CA certificate above: of its name, and signed by its key.
  void complain_of_revocation(Path& path, std::size_t index) const {
    if (index + 1 >= path.certificates.size()) return;
    const Certificate& certificate = *path.certificates[index];
    const Certificate& issuer = *path.certificates[index + 1];
    const auto lists = query_.trust->lists.find(certificate.issuer.canonical());
    if (lists == query_.trust->lists.end()) return;
    const auto& known = lists->second;
    for (const auto& [key, list] : known) {
      if (key != issuer.spki_sha256 || !list->revokes(certificate)) continue;
      const bool taken_back = std::any_of(known.begin(), known.end(), [&, &key = key, &list = list](const auto& other) {
        return other.first == key && other.second->this_update <= query_.at &&
               other.second->takes_back(*list, certificate);
      });
      if (taken_back) continue;
      path.problems.push_back({PathProblemKind::revoked, index,
                               fmt::format("{} is {} by a list of {} from {}", label(certificate),
                                           Crl::among(list->held, certificate.serial) ? "on hold" : "revoked",
                                           list->issuer.text(), to_date(list->this_update))});
      return;
    }
  }

  const PathQuery& query_;
  const SignatureOracle& signature_;
  std::vector<CertificateRef> path_;
  std::vector<PathProblem> pending_;
  PathSet found_;
  std::size_t steps_ = 0;
};

}  // namespace

std::string_view to_string(IssuerMatch match) {
  switch (match) {
    case IssuerMatch::none:
      return "no match";
    case IssuerMatch::name:
      return "name";
    case IssuerMatch::key:
      return "key";
    case IssuerMatch::exact:
      return "exact";
  }
  return "no match";
}

IssuerMatch match_issuer(const Certificate& child, const Certificate& issuer) {
  if (!child.authority_key_id) return IssuerMatch::name;
  const AuthorityKeyId& wanted = *child.authority_key_id;
  IssuerMatch match = IssuerMatch::name;
  if (wanted.key_id && issuer.subject_key_id) {
    if (*wanted.key_id != *issuer.subject_key_id) return IssuerMatch::none;
    match = IssuerMatch::key;
  }
  if (wanted.serial) {
    if (*wanted.serial != issuer.serial) return IssuerMatch::none;
    if (wanted.issuer && !matches(*wanted.issuer, issuer.issuer)) return IssuerMatch::none;
    match = IssuerMatch::exact;
  }
  return match;
}

std::optional<SignatureState> recorded_state(const std::vector<SignatureProof>& proofs, const Sha256& child,
                                             const Sha256& issuer_key) {
  const auto key = std::tie(child, issuer_key);
  const auto found = std::lower_bound(
      proofs.begin(), proofs.end(), key,
      [](const SignatureProof& proof, const auto& k) { return std::tie(proof.child, proof.issuer_key) < k; });
  if (found == proofs.end() || std::tie(found->child, found->issuer_key) != key) return std::nullopt;
  return found->state;
}

SignatureOracle recorded_oracle(const std::vector<SignatureProof>& proofs) {
  return [&proofs](const Certificate& child, const Certificate& issuer) {
    return recorded_state(proofs, child.sha256, issuer.spki_sha256);
  };
}

std::string Location::text() const {
  const std::string place = with_ca_name(entry->place, entry->certificate->subject.common_name());
  return entry->index == 0 ? fmt::format("{}: {}", store->store, place)
                           : fmt::format("{}: {} (value {})", store->store, place, entry->index + 1);
}

std::string_view to_string(PathProblemKind kind) {
  switch (kind) {
    case PathProblemKind::signature:
      return "signature";
    case PathProblemKind::signature_unknown:
      return "signature-unknown";
    case PathProblemKind::not_yet_valid:
      return "not-yet-valid";
    case PathProblemKind::expired:
      return "expired";
    case PathProblemKind::not_a_ca:
      return "not-a-ca";
    case PathProblemKind::path_length:
      return "path-length";
    case PathProblemKind::key_usage:
      return "key-usage";
    case PathProblemKind::extended_key_usage:
      return "extended-key-usage";
    case PathProblemKind::critical_extension:
      return "critical-extension";
    case PathProblemKind::name_constraint:
      return "name-constraint";
    case PathProblemKind::untrusted_root:
      return "untrusted-root";
    case PathProblemKind::incomplete:
      return "incomplete";
    case PathProblemKind::distrusted:
      return "distrusted";
    case PathProblemKind::revoked:
      return "revoked";
    case PathProblemKind::key_identifier:
      return "key-identifier";
    case PathProblemKind::weak:
      return "weak";
  }
  return "incomplete";
}

bool Path::has(PathProblemKind kind) const {
  return std::any_of(problems.begin(), problems.end(),
                     [&](const PathProblem& problem) { return problem.kind == kind; });
}

void IssuerIndex::add(const CertificateRef& certificate) {
  auto& same = by_subject_[&certificate->subject];
  const auto place = std::lower_bound(same.begin(), same.end(), certificate, by_content);
  if (place == same.end() || (*place)->sha256 != certificate->sha256) same.insert(place, certificate);
}

std::span<const CertificateRef> IssuerIndex::named(const Name& subject) const {
  const auto found = by_subject_.find(&subject);
  return found == by_subject_.end() ? std::span<const CertificateRef>{} : std::span{found->second};
}

static ReliableLists reliable_lists(const Evidence& evidence) {
  ReliableLists lists;
  for (const StoreContents& store : evidence.stores) {
    for (const CrlEntry& entry : store.crls) {
      if (!entry.crl->unknown_critical.empty()) continue;
      auto proof =
          std::lower_bound(evidence.signatures.begin(), evidence.signatures.end(), entry.crl->sha256,
                           [](const SignatureProof& known, const Sha256& child) { return known.child < child; });
      for (; proof != evidence.signatures.end() && proof->child == entry.crl->sha256; ++proof) {
        if (proof->state == SignatureState::verified)
          lists[std::string{entry.crl->issuer.canonical()}].emplace_back(proof->issuer_key, entry.crl);
      }
    }
  }
  return lists;
}

TrustView trust_of(const Evidence& evidence, const Server& server) {
  TrustView view;
  view.lists = reliable_lists(evidence);
  view.configured = !server.trusts.empty();
  std::vector<std::pair<Sha256, const CertificateRef*>> certificates;
  const auto take = [&](const std::vector<std::string>& names, bool trusted) {
    for (const std::string& name : names) {
      const auto store = std::find_if(evidence.stores.begin(), evidence.stores.end(),
                                      [&](const StoreContents& contents) { return contents.store == name; });
      if (store == evidence.stores.end() || !store->truncated.empty()) {
        if (std::find(view.missing.begin(), view.missing.end(), name) == view.missing.end())
          view.missing.push_back(name);
        if (store == evidence.stores.end()) continue;
      }
      if (!store->unreadable.empty()) view.damaged.push_back(name);
      for (const StoreEntry& entry : store->entries) {
        // NTAuth and Enrollment Services do not feed the stores from which chains are built (KB295663).
        if (entry.kind == StoreKind::ntauth || entry.kind == StoreKind::enrollment) continue;
        // The services of these products do not run as the user whose store it is.
        if (entry.properties && entry.properties->origin == StoreOrigin::user) continue;
        if (entry.kind == StoreKind::disallowed) {
          view.distrusted.insert(entry.certificate->sha256);
          continue;
        }
        certificates.emplace_back(entry.certificate->sha256, &entry.certificate);
        if (trusted && entry.anchor()) view.anchors.insert(entry.certificate->sha256);
      }
    }
  };
  take(server.trusts, true);
  take(server.intermediates, false);
  std::sort(certificates.begin(), certificates.end());  // the index adds at the end, however many there are of a name
  for (const auto& [digest, certificate] : certificates) view.index.add(*certificate);
  for (const Sha256& distrusted : view.distrusted) view.anchors.erase(distrusted);
  return view;
}

bool PathSet::any_valid() const {
  return std::any_of(paths.begin(), paths.end(), [](const Path& path) { return path.valid(); });
}

bool PathSet::undecided() const {
  if (any_valid()) return false;
  return !bound.empty() || std::any_of(paths.begin(), paths.end(), [](const Path& path) {
    return std::all_of(path.problems.begin(), path.problems.end(), [](const PathProblem& p) {
      return p.kind == PathProblemKind::signature_unknown || p.kind == PathProblemKind::critical_extension;
    });
  });
}

PathSet find_paths(const CertificateRef& target, const PathQuery& query, const SignatureOracle& signature) {
  return PathSearch{query, signature}.run(target);
}

std::vector<std::vector<CertificateRef>> windows_chains(const CertificateRef& target, const TrustView& trust,
                                                        UtcTime at, const SignatureOracle& signature) {
  constexpr std::size_t most = 4;
  const PathSet found = find_paths(target, {.trust = &trust, .sent = {}, .at = at}, signature);
  const auto quality = [](const Path& path) {
    using enum PathProblemKind;
    return std::tuple{!path.has(key_identifier),
                      !path.has(PathProblemKind::signature),
                      !path.has(incomplete),
                      !path.has(untrusted_root),
                      !path.has(distrusted),
                      !path.has(expired) && !path.has(not_yet_valid),
                      -static_cast<long>(path.certificates.size())};
  };
  std::vector<std::vector<CertificateRef>> chains;
  if (found.paths.empty()) return {{target}};
  const auto best = quality(*std::max_element(found.paths.begin(), found.paths.end(),
                                              [&](const Path& a, const Path& b) { return quality(a) < quality(b); }));
  for (const Path& path : found.paths) {
    if (quality(path) != best) continue;
    std::vector<CertificateRef> chain = path.certificates;
    if (path.has(PathProblemKind::signature)) chain.resize(1);  // Windows sends no issuer that did not sign
    if (chain.size() > 1 && chain.back()->self_issued()) chain.pop_back();
    if (std::find(chains.begin(), chains.end(), chain) == chains.end() && chains.size() < most) chains.push_back(chain);
  }
  return chains;
}

namespace {

/// A certificate somewhere in the evidence, with what puts it into its place in the graph.
struct KeptEntry {
  const CertificateRef* certificate;
  Location location;          ///< null when it stands in no store
  std::size_t subject;        ///< number of its subject
  std::uint64_t digest_head;  ///< of its SHA-256, in the same order: a look into each certificate at each comparison
                              ///< would be what a large group costs

  const Sha256& digest() const { return (*certificate)->sha256; }
};

}  // namespace

static std::uint64_t head_of(const Sha256& digest) {
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < sizeof head; ++i) head = head << 8U | digest[i];
  return head;
}

/// Puts those of one subject beside each other, in their order; `ends` are the numbers of sightings of each subject on
/// entry, and where the sightings of each end on return.
static std::vector<KeptEntry> by_subject(const std::vector<KeptEntry>& sightings, std::vector<std::size_t>& ends) {
  std::exclusive_scan(ends.begin(), ends.end(), ends.begin(), std::size_t{0});
  std::vector<KeptEntry> sorted(sightings.size());
  for (const KeptEntry& one : sightings) sorted[ends[one.subject]++] = one;
  return sorted;
}

static void sort_locations(std::span<Location> locations) {
  const auto before = [](const Location& a, const Location& b) {
    return std::tie(a.store->store, a.entry->place, a.entry->index) <
           std::tie(b.store->store, b.entry->place, b.entry->index);
  };
  // Stores are read in the order of their places: mostly there is nothing to do.
  if (!std::is_sorted(locations.begin(), locations.end(), before))
    std::sort(locations.begin(), locations.end(), before);
}

CertificateGraph::CertificateGraph(const Evidence& evidence) {
  std::size_t most = 0;
  for (const StoreContents& store : evidence.stores) most += store.entries.size();
  std::vector<KeptEntry> sightings;
  sightings.reserve(most);
  std::vector<std::size_t> ends;
  const auto add = [&](const CertificateRef& certificate, const StoreContents* store, const StoreEntry* entry) {
    const Name& name = certificate->subject;
    const auto same = [&name](const Subject& known) { return matches(*known.name, name); };
    const std::size_t subject = by_subject_.add(name.hash(), same, {&name, ends.size()}).first.number;
    if (subject == ends.size()) ends.push_back(0);
    ++ends[subject];
    sightings.push_back({&certificate, {store, entry}, subject, head_of(certificate->sha256)});
  };
  for (const StoreContents& store : evidence.stores) {
    for (const StoreEntry& entry : store.entries) {
      // What Windows rejects wherever it meets it is no issuer that a name could lead to.
      if (entry.kind != StoreKind::disallowed) add(entry.certificate, &store, &entry);
    }
  }
  const auto add_chain = [&](const std::vector<CertificateRef>& chain) {
    for (const CertificateRef& certificate : chain) add(certificate, nullptr, nullptr);
    if (!chain.empty()) live_.push_back(chain.front());
  };
  for (const Identity& identity : evidence.identities) {
    if (identity.certificate && !evidence.site.stranger(identity.server)) {
      add(identity.certificate, nullptr, nullptr);
      live_.push_back(identity.certificate);
    }
    for (const CertificateRef& certificate : identity.chain) add(certificate, nullptr, nullptr);
  }
  for (const Handshake& handshake : evidence.handshakes) {
    add_chain(handshake.peer_chain);
    if (!evidence.site.stranger(handshake.from)) add_chain(handshake.sent_chain);
  }

  sightings = by_subject(sightings, ends);
  locations_.reserve(sightings.size());
  entries_.reserve(sightings.size());
  subjects_.reserve(ends.size());
  auto at = sightings.begin();
  for (const std::size_t subject_end : ends) {
    const auto end = sightings.begin() + static_cast<std::ptrdiff_t>(subject_end);
    if (end - at > 1) {
      std::stable_sort(at, end, [](const KeptEntry& a, const KeptEntry& b) {
        return a.digest_head != b.digest_head ? a.digest_head < b.digest_head : a.digest() < b.digest();
      });
    }
    const std::size_t first_entry = entries_.size();
    while (at != end) {
      const CertificateRef& certificate = *at->certificate;
      const std::size_t first_location = locations_.size();
      for (; at != end && (*at->certificate == certificate || at->digest() == certificate->sha256); ++at) {
        if (at->location.store != nullptr) locations_.push_back(at->location);
      }
      const std::span<Location> locations = std::span{locations_}.subspan(first_location);
      sort_locations(locations);
      entries_.push_back({certificate, locations});
    }
    subjects_.push_back(std::span<const GraphEntry>{entries_}.subspan(first_entry));
  }
  std::sort(live_.begin(), live_.end(), by_content);
  live_.erase(std::unique(live_.begin(), live_.end(),
                          [](const CertificateRef& a, const CertificateRef& b) { return a->sha256 == b->sha256; }),
              live_.end());
}

std::span<const GraphEntry> CertificateGraph::named(const Name& subject) const {
  const Subject* const found =
      by_subject_.find(subject.hash(), [&subject](const Subject& known) { return matches(*known.name, subject); });
  return found == nullptr ? std::span<const GraphEntry>{} : subjects_[found->number];
}

const GraphEntry* CertificateGraph::find(const Certificate& certificate) const {
  const auto same = named(certificate.subject);
  const auto found = std::find_if(same.begin(), same.end(), [&](const GraphEntry& entry) {
    return entry.certificate->sha256 == certificate.sha256;
  });
  return found == same.end() ? nullptr : &*found;
}

const Certificate* CertificateGraph::find(const Sha1& thumbprint) const {
  if (by_thumbprint_.empty()) {
    for (const GraphEntry& entry : entries_)
      by_thumbprint_.emplace(as_text(entry.certificate->thumbprint), entry.certificate.get());
  }
  const auto found = by_thumbprint_.find(as_text(thumbprint));
  return found == by_thumbprint_.end() ? nullptr : found->second;
}

std::vector<const GraphEntry*> CertificateGraph::all() const {
  std::vector<const GraphEntry*> entries;
  entries.reserve(entries_.size());
  for (const GraphEntry& entry : entries_) entries.push_back(&entry);
  const auto key = [](const GraphEntry* entry) {
    return std::pair{entry->certificate->subject.canonical(), entry->certificate->sha256};
  };
  std::sort(entries.begin(), entries.end(),
            [&key](const GraphEntry* a, const GraphEntry* b) { return key(a) < key(b); });
  return entries;
}

std::vector<std::span<const GraphEntry>> CertificateGraph::same_name_groups() const {
  // Names beside their groups: the certificates would have to be fetched again at each comparison.
  std::vector<std::pair<std::string_view, std::span<const GraphEntry>>> named;
  for (const std::span<const GraphEntry> entries : subjects_) {
    if (entries.size() < 2) continue;
    const auto authorities = std::count_if(entries.begin(), entries.end(), [](const GraphEntry& entry) {
      return is_certificate_authority(*entry.certificate);
    });
    if (authorities >= 2) named.emplace_back(entries.front().certificate->subject.canonical(), entries);
  }
  std::sort(named.begin(), named.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::span<const GraphEntry>> groups;
  groups.reserve(named.size());
  for (const auto& [subject, entries] : named) groups.push_back(entries);
  return groups;
}

bool certificate_has_name(const Certificate& certificate, std::string_view name) {
  if (equals_ignoring_case(certificate.subject.common_name(), name)) return true;
  return std::any_of(certificate.dns_names.begin(), certificate.dns_names.end(),
                     [&](const std::string& dns) { return equals_ignoring_case(dns, name); });
}

static bool has_one_of(const Certificate& certificate, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return certificate_has_name(certificate, name); });
}

PeerJudgement judge_peer(const std::vector<CertificateRef>& chain, const TrustView& trust,
                         const std::vector<std::string>& names, const char* purpose, UtcTime at,
                         const SignatureOracle& signature) {
  PeerJudgement judgement;
  if (chain.empty()) return judgement;
  const std::span<const CertificateRef> sent{chain};
  judgement.paths =
      find_paths(chain.front(), {.trust = &trust, .sent = sent.subspan(1), .at = at, .purpose = purpose}, signature);
  judgement.name_matches = has_one_of(*chain.front(), names);
  return judgement;
}

std::vector<std::string> expected_names(const Server& server) {
  std::vector<std::string> names{server.name};
  if (!server.pool.empty()) names.push_back(server.pool);
  return names;
}

std::vector<PathJudgement> judge_paths(const Evidence& evidence, const SignatureOracle& signature) {
  std::vector<PathJudgement> judgements;
  std::map<std::tuple<std::string_view, std::string_view, bool, std::vector<Sha256>>, std::size_t> places;
  std::map<std::tuple<const TrustView*, bool, std::vector<Sha256>>, PathSet> searched;  // many servers, one chain
  const ServersByName servers{evidence.site};
  const HandshakesByEnds handshakes{evidence};
  std::map<std::pair<std::vector<std::string>, std::vector<std::string>>, TrustView> views;
  const auto view_of = [&](const Server& server) -> const TrustView& {
    const auto [place, added] = views.try_emplace({server.trusts, server.intermediates});
    if (added) place->second = trust_of(evidence, server);
    return place->second;
  };
  const auto judge = [&](const Server& judging, const Server& subject, bool subject_is_client,
                         const std::vector<CertificateRef>& chain, const std::string& seen_in,
                         const std::vector<std::string>& unread_by_subject) {
    if (chain.empty()) return;
    std::vector<Sha256> digests;
    digests.reserve(chain.size());
    for (const CertificateRef& certificate : chain) digests.push_back(certificate->sha256);
    const auto [known, first] =
        places.try_emplace({judging.name, subject.name, subject_is_client, digests}, judgements.size());
    if (!first) {
      if (!seen_in.empty()) judgements[known->second].seen_in.push_back(seen_in);
      return;
    }
    PathJudgement& added = judgements.emplace_back();
    added.judge = judging.name;
    added.subject = subject.name;
    added.subject_is_client = subject_is_client;
    added.chain = chain;
    if (!seen_in.empty()) added.seen_in.push_back(seen_in);
    const TrustView& view = view_of(judging);
    added.trust_configured = view.configured;
    // What could not be read might be the certificate that a path lacks.
    added.missing_stores = view.missing;
    added.missing_stores.insert(added.missing_stores.end(), view.damaged.begin(), view.damaged.end());
    for (const std::string& store : unread_by_subject) {
      if (std::find(added.missing_stores.begin(), added.missing_stores.end(), store) == added.missing_stores.end())
        added.missing_stores.push_back(store);
    }
    if (!view.configured) return;
    // Server authentication is what every certificate of these products must allow; a client's is asked for only by one
    // retired kind of partner (Microsoft Learn, "Environmental requirements for Skype for Business Server"), so the
    // client side is not held to it.
    const auto [paths, unsearched] = searched.try_emplace({&view, subject_is_client, std::move(digests)});
    if (unsearched) {
      paths->second = find_paths(chain.front(),
                                 {.trust = &view,
                                  .sent = std::span{chain}.subspan(1),
                                  .at = evidence.collected_at,
                                  .purpose = subject_is_client ? nullptr : server_auth_oid},
                                 signature);
    }
    added.result = {paths->second, has_one_of(*chain.front(), expected_names(subject))};
  };
  /// What `subject` would present, where it was not seen on the wire.
  const auto judge_configured = [&](const Server& judging, const Server& subject, bool subject_is_client,
                                    const Identity& identity) {
    if (!identity.certificate) return;
    if (subject.chain == ChainMode::from_stores) {
      const TrustView& own = view_of(subject);
      std::vector<std::string> unread = own.missing;
      unread.insert(unread.end(), own.damaged.begin(), own.damaged.end());
      for (const auto& chain : windows_chains(identity.certificate, own, evidence.collected_at, signature))
        judge(judging, subject, subject_is_client, chain, {}, unread);
      return;
    }
    std::vector<CertificateRef> chain{identity.certificate};
    chain.insert(chain.end(), identity.chain.begin(), identity.chain.end());
    judge(judging, subject, subject_is_client, chain, {}, {});
  };
  std::set<std::pair<std::string, std::string>> garbled;
  for (const Link& link : evidence.site.links) {
    const Server* from = servers.of(link.from);
    const Server* to = servers.of(link.to);
    if (from == nullptr || to == nullptr) continue;
    bool saw_client = false;
    bool saw_server = false;
    for (const Handshake* seen : handshakes.of(from->name, to->name, link.port)) {
      const Handshake& handshake = *seen;
      judge(*from, *to, false, handshake.peer_chain, handshake.id(), {});
      // That a stranger has no path to a trusted root is as it should be.
      if (link.expect == Expectation::accept) judge(*to, *from, true, handshake.sent_chain, handshake.id(), {});
      if (!handshake.peer_chain_unreadable.empty()) garbled.emplace(from->name, to->name);
      saw_server |= !handshake.peer_chain.empty() || !handshake.peer_chain_unreadable.empty();
      saw_client |= !handshake.sent_chain.empty();
    }
    if (saw_server && (saw_client || link.expect != Expectation::accept)) continue;
    for (const Identity& identity : evidence.identities) {
      if (identity.server == from->name && !saw_client && link.expect == Expectation::accept)
        judge_configured(*to, *from, true, identity);
      if (identity.server == to->name && !saw_server) judge_configured(*from, *to, false, identity);
    }
  }
  // What a server has that nobody looks at on a link is judged by its own stores: its peers may know more, not less.
  std::set<std::string> judged;
  for (const PathJudgement& judgement : judgements) judged.insert(judgement.subject);
  for (const Identity& identity : evidence.identities) {
    const Server* server = servers.of(identity.server);
    if (server == nullptr || judged.contains(identity.server) || evidence.site.stranger(identity.server)) continue;
    const std::size_t before = judgements.size();
    judge_configured(*server, *server, false, identity);
    if (judgements.size() > before) judged.insert(identity.server);
  }
  for (PathJudgement& judgement : judgements) {
    judgement.sent_unreadable = !judgement.subject_is_client && garbled.contains({judgement.judge, judgement.subject});
  }
  return judgements;
}

}  // namespace mrascheck

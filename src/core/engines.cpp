// SPDX-License-Identifier: Apache-2.0
#include "core/engines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/text.hpp"

namespace mrascheck {
namespace {

struct ErrorName {
  int number;
  std::string_view text;
};

/// x509_vfy.h and X509_verify_cert_error_string of OpenSSL 3.0.
enum X509Error : int {
  no_issuer_of_trusted = 2,
  bad_signature = 7,
  not_yet_valid = 9,
  has_expired = 10,
  self_signed_leaf = 18,
  self_signed_in_chain = 19,
  no_local_issuer = 20,
  chain_too_long = 22,
  path_length = 25,
  purpose_excluded = 26,
  no_cert_sign = 32,
  critical_extension = 34,
  proxy_certificate = 40,
  leaf_key_weak = 66,
  ca_key_weak = 67,
  digest_weak = 68,
  invalid_ca = 79,
  explicit_curve = 94,
};

constexpr std::array error_names{
    ErrorName{no_issuer_of_trusted, "unable to get issuer certificate"},
    ErrorName{bad_signature, "certificate signature failure"},
    ErrorName{not_yet_valid, "certificate is not yet valid"},
    ErrorName{has_expired, "certificate has expired"},
    ErrorName{self_signed_leaf, "self-signed certificate"},
    ErrorName{self_signed_in_chain, "self-signed certificate in certificate chain"},
    ErrorName{no_local_issuer, "unable to get local issuer certificate"},
    ErrorName{chain_too_long, "certificate chain too long"},
    ErrorName{path_length, "path length constraint exceeded"},
    ErrorName{purpose_excluded, "unsuitable certificate purpose"},
    ErrorName{no_cert_sign, "key usage does not include certificate signing"},
    ErrorName{critical_extension, "unhandled critical extension"},
    ErrorName{proxy_certificate, "proxy certificates not allowed, please set the appropriate flag"},
    ErrorName{leaf_key_weak, "EE certificate key too weak"},
    ErrorName{ca_key_weak, "CA certificate key too weak"},
    ErrorName{digest_weak, "CA signature digest algorithm too weak"},
    ErrorName{invalid_ca, "invalid CA certificate"},
    ErrorName{explicit_curve, "Certificate public key has explicit ECC parameters"},
};

/// Critical extensions that OpenSSL 3.0 takes for handled (X509_supported_extension) and that our reader does not know:
/// without a policy asked for, they refuse nothing.
constexpr std::array<std::string_view, 7> harmless_critical{
    "2.16.840.1.113730.1.1",  // nsCertType
    "1.3.6.1.5.5.7.1.7",      // sbgp-ipAddrBlock
    "1.3.6.1.5.5.7.1.8",      // sbgp-autonomousSysNum
    "1.3.6.1.5.5.7.48.1.5",   // ocsp-nocheck
    "2.5.29.33",              // policy mappings
    "2.5.29.36",              // policy constraints
    "2.5.29.54",              // inhibitAnyPolicy
};
constexpr std::string_view proxy_oid = "1.3.6.1.5.5.7.1.14";

/// X509_NAME_cmp folds blanks and the case of ASCII only; where RFC 5280, 7.1 folds more, the names differ to OpenSSL.
/// The printable text, in which everything is UTF-8, stands in for its canonical encoding.
bool same_name(const Name& a, const Name& b) {
  if (!matches(a, b)) return false;
  if (same_bytes(a, b)) return true;
  const auto folded = [](const Name& name) {
    std::string text = to_lower(name.text());
    text.erase(std::unique(text.begin(), text.end(), [](char x, char y) { return x == ' ' && y == ' '; }), text.end());
    return text;
  };
  const auto ascii = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  };
  const std::string first = folded(a);
  const std::string second = folded(b);
  return (ascii(first) && ascii(second)) || first == second;
}

/// Which kind of key makes signatures of this kind; nothing for an algorithm that we have no name for.
std::string_view signing_key(const std::string& algorithm) {
  if (algorithm.ends_with("WithRSAEncryption")) return "RSA";
  if (algorithm == "RSASSA-PSS") return "RSASSA-PSS";
  if (algorithm.starts_with("ecdsa-")) return "EC";
  if (algorithm.starts_with("dsa-")) return "DSA";
  if (algorithm == "Ed25519" || algorithm == "Ed448") return algorithm;
  return {};
}
bool key_fits(const Certificate& child, const Certificate& issuer) {
  const std::string_view wanted = signing_key(child.signature_algorithm.str());
  const std::string_view kind = std::string_view{issuer.key_algorithm}.substr(0, issuer.key_algorithm.find(' '));
  return wanted.empty() || wanted == kind || (wanted == "RSASSA-PSS" && kind == "RSA");
}

bool key_identifier_fits(const Certificate& child, const Certificate& issuer) {
  if (!child.authority_key_id) return true;
  const AuthorityKeyId& wanted = *child.authority_key_id;
  if (wanted.key_id && issuer.subject_key_id && *wanted.key_id != *issuer.subject_key_id) return false;
  if (wanted.serial && *wanted.serial != issuer.serial) return false;
  return !wanted.issuer || same_name(*wanted.issuer, issuer.issuer);
}

bool likely_issued(const Certificate& child, const Certificate& issuer) {
  return same_name(child.issuer, issuer.subject) && key_identifier_fits(child, issuer) && key_fits(child, issuer);
}

bool self_issued(const Certificate& certificate) {
  return same_name(certificate.subject, certificate.issuer);
}
bool self_signed(const Certificate& certificate) {
  return likely_issued(certificate, certificate);
}

bool valid_now(const Certificate& certificate, UtcTime at) {
  return certificate.not_before <= at && at < certificate.not_after;
}

/// Whether the version is 1: an explicit [0] in front of the serial number says otherwise (RFC 5280, 4.1).
bool version_1(const Certificate& certificate) {
  Bytes der = certificate.der;
  for (int level = 0; level < 2; ++level) {
    if (der.size() < 2 || der[0] != 0x30) return false;
    const std::size_t octets = (der[1] & 0x80U) != 0 ? der[1] & 0x7fU : 0;
    if (der.size() < 2 + octets) return false;
    der = der.subspan(2 + octets);
  }
  return !der.empty() && der[0] != 0xa0;
}

enum class Authority { none, yes, by_version, by_usage };
Authority authority(const Certificate& certificate) {
  if (certificate.key_usage && (*certificate.key_usage & key_cert_sign) == 0) return Authority::none;
  if (certificate.is_ca) return *certificate.is_ca ? Authority::yes : Authority::none;
  if (version_1(certificate) && self_signed(certificate)) return Authority::by_version;
  return certificate.key_usage ? Authority::by_usage : Authority::none;
}

/// EVP_PKEY_get_security_bits, as far as it matters to the levels 1 (80 bits), 2 (112), 3 (128), 4 (192) and 5 (256).
unsigned key_strength(const Certificate& certificate) {
  using Step = std::pair<unsigned, unsigned>;
  const auto reached = [&](std::initializer_list<Step> steps) {
    for (const auto& [bits, strength] : steps) {
      if (certificate.key_bits >= bits) return strength;
    }
    return 0U;
  };
  const std::string& kind = certificate.key_algorithm;
  if (kind == "Ed25519") return 128;
  if (kind == "Ed448") return 224;
  if (kind.starts_with("EC")) return reached({{512, 256}, {384, 192}, {256, 128}, {224, 112}, {160, 80}});
  return reached({{15360, 256}, {7680, 192}, {3072, 128}, {2048, 112}, {1024, 80}});
}
/// X509_get_signature_info; nothing where the name of the algorithm does not say the digest.
std::optional<unsigned> signature_strength(const Certificate& certificate) {
  const std::string name = to_lower(certificate.signature_algorithm.str());
  const auto has = [&](std::string_view part) { return name.find(part) != std::string::npos; };
  if (name == "ed25519") return 128;
  if (name == "ed448") return 224;
  if (has("sha512")) return 256;
  if (has("sha384")) return 192;
  if (has("sha256")) return 128;
  if (has("sha224")) return 112;
  if (has("sha1")) return 63;
  if (has("md5")) return 39;
  if (has("md2")) return 0;
  return std::nullopt;
}

/// Follows x509_vfy.c step by step; the steps that nothing here can reach are left out.
class Verification {
 public:
  Verification(const OpensslQuery& query, const SignatureOracle& signature) : query_(query), signature_(signature) {}

  EngineOutcome run(const CertificateRef& target) {
    chain().push_back(target);
    if (weak(key_strength(*target))) {
      fail(leaf_key_weak, 0);
    } else if (build() && check_extensions() && check_strength()) {
      verify();
    }
    if (outcome_.error != 0) {
      outcome_.error_text = openssl_error_text(outcome_.error);
      outcome_.undecided.clear();
    }
    return std::move(outcome_);
  }

 private:
  std::vector<CertificateRef>& chain() { return outcome_.chain; }

  bool fail(int error, std::size_t depth) {
    outcome_.error = error;
    outcome_.depth = depth;
    return false;
  }
  void doubt(std::string why) {
    if (outcome_.undecided.empty()) outcome_.undecided = std::move(why);
  }

  bool weak(unsigned strength) const {
    constexpr std::array<unsigned, 5> least{80, 112, 128, 192, 256};
    return query_.security_level > 0 &&
           strength < least[std::min<std::size_t>(query_.security_level, least.size()) - 1];
  }

  /// The first that fits and is valid now, else the first of those that expire last.
  CertificateRef best(std::span<const CertificateRef> candidates, const Certificate& child, bool no_repeat) const {
    CertificateRef found;
    for (const CertificateRef& candidate : candidates) {
      if (!likely_issued(child, *candidate)) continue;
      const auto same = [&](const CertificateRef& used) { return used->sha256 == candidate->sha256; };
      if (no_repeat && !(self_issued(child) && outcome_.chain.size() == 1) &&
          std::any_of(outcome_.chain.begin(), outcome_.chain.end(), same))
        continue;
      if (valid_now(*candidate, query_.at)) return candidate;
      if (!found || candidate->not_after > found->not_after) found = candidate;
    }
    return found;
  }

  bool build() {
    const std::size_t most_certificates = query_.max_depth + 1;
    std::vector<CertificateRef> pool{query_.untrusted.begin(), query_.untrusted.end()};
    bool search_untrusted = true;
    std::size_t sent = 1;  // how many of the chain are not from the store
    while (true) {
      const CertificateRef current = chain().back();
      const std::size_t length = chain().size();
      const CertificateRef issuer = length > most_certificates ? nullptr : best(query_.trusted, *current, false);
      if (issuer != nullptr) {
        const bool at_end = self_signed(*current);
        // A self-signed certificate that was sent must be the very one that is trusted.
        if (!at_end || current->sha256 == issuer->sha256) {
          search_untrusted = false;
          if (at_end) {
            --sent;
          } else {
            chain().push_back(issuer);
          }
          if (self_signed(*issuer)) return true;
          continue;
        }
      }
      if (!search_untrusted) break;
      const CertificateRef next =
          self_signed(*current) || length > most_certificates ? nullptr : best(pool, *current, true);
      if (next == nullptr) {
        search_untrusted = false;
        continue;
      }
      pool.erase(std::find(pool.begin(), pool.end(), next));
      chain().push_back(next);
      ++sent;
    }
    const std::size_t top = chain().size() - 1;
    if (chain().size() > most_certificates) return fail(chain_too_long, top);
    if (self_signed(*chain().back())) return fail(top == 0 ? self_signed_leaf : self_signed_in_chain, top);
    return fail(sent < chain().size() ? no_issuer_of_trusted : no_local_issuer, top);
  }

  int critical_error(const Certificate& certificate) {
    if (certificate.name_constraints)
      doubt(fmt::format("the name constraints of {} are not evaluated", short_name(certificate)));
    for (const std::string& oid : certificate.unknown_critical) {
      if (std::find(harmless_critical.begin(), harmless_critical.end(), oid) != harmless_critical.end()) continue;
      return oid == proxy_oid ? proxy_certificate : critical_extension;
    }
    return 0;
  }

  bool fits_purpose(const Certificate& certificate, bool is_issuer) const {
    if (query_.purpose == nullptr) return true;
    const bool server = std::string_view{query_.purpose} == server_auth_oid;
    if (certificate.extended_key_usage) {
      // anyExtendedKeyUsage does not count here; the two SGC usages of old do, for a server.
      const auto& allowed = *certificate.extended_key_usage;
      const auto has = [&](std::string_view oid) {
        return std::find(allowed.begin(), allowed.end(), oid) != allowed.end();
      };
      if (!has(query_.purpose) && !(server && (has("1.3.6.1.4.1.311.10.3.3") || has("2.16.840.1.113730.4.1"))))
        return false;
    }
    if (is_issuer) return authority(certificate) != Authority::none;
    unsigned wanted = digital_signature | key_agreement;
    if (server) wanted |= key_encipherment;
    return !certificate.key_usage || (*certificate.key_usage & wanted) != 0;
  }

  bool check_extensions() {
    std::size_t issuers_below = 0;
    const std::size_t size = chain().size();
    for (std::size_t i = 0; i < size; ++i) {
      const Certificate& certificate = *chain()[i];
      if (const int error = critical_error(certificate); error != 0) return fail(error, i);
      if (i > 0) {
        const Authority kind = authority(certificate);
        if (kind == Authority::none || (i + 1 < size && kind != Authority::yes)) return fail(invalid_ca, i);
      }
      if (size > 1 && certificate.key_algorithm == "EC") return fail(explicit_curve, i);
      if (!fits_purpose(certificate, i > 0)) return fail(purpose_excluded, i);
      if (i > 1 && certificate.path_length && issuers_below > *certificate.path_length) return fail(path_length, i);
      if (i > 0 && !self_issued(certificate)) ++issuers_below;
    }
    return true;
  }

  bool check_strength() {
    if (query_.security_level == 0) return true;
    for (std::size_t i = 0; i < chain().size(); ++i) {
      if (i > 0 && weak(key_strength(*chain()[i]))) return fail(ca_key_weak, i);
      if (i + 1 == chain().size()) continue;
      const std::optional<unsigned> strength = signature_strength(*chain()[i]);
      if (!strength) {
        doubt(fmt::format("how strong the signature of {} is, is not known", short_name(*chain()[i])));
      } else if (weak(*strength)) {
        return fail(digest_weak, i);
      }
    }
    return true;
  }

  /// From the anchor, whose own signature counts for nothing, down to the target.
  bool verify() {
    for (std::size_t i = chain().size(); i-- > 0;) {
      const Certificate& certificate = *chain()[i];
      if (i + 1 < chain().size()) {
        const Certificate& issuer = *chain()[i + 1];
        if (issuer.key_usage && (*issuer.key_usage & key_cert_sign) == 0) return fail(no_cert_sign, i + 1);
        const std::optional<SignatureState> state = signature_(certificate, issuer);
        if (state == SignatureState::failed) return fail(bad_signature, i);
        if (!state)
          doubt(fmt::format("whether {} signed {} was not verified", short_name(issuer), short_name(certificate)));
      }
      if (query_.at < certificate.not_before) return fail(not_yet_valid, i);
      if (query_.at >= certificate.not_after) return fail(has_expired, i);
    }
    return true;
  }

  const OpensslQuery& query_;
  const SignatureOracle& signature_;
  EngineOutcome outcome_;
};

struct TrustErrorName {
  std::uint32_t bit;
  std::string_view name;
};
constexpr std::array trust_error_names{
    TrustErrorName{windows_not_time_valid, "NOT_TIME_VALID"},
    TrustErrorName{windows_revoked, "REVOKED"},
    TrustErrorName{windows_signature, "NOT_SIGNATURE_VALID"},
    TrustErrorName{windows_usage, "NOT_VALID_FOR_USAGE"},
    TrustErrorName{windows_untrusted_root, "UNTRUSTED_ROOT"},
    TrustErrorName{windows_basic_constraints, "INVALID_BASIC_CONSTRAINTS"},
    TrustErrorName{windows_name_constraints, "INVALID_NAME_CONSTRAINTS"},
    TrustErrorName{windows_partial_chain, "PARTIAL_CHAIN"},
    TrustErrorName{windows_explicit_distrust, "EXPLICIT_DISTRUST"},
    TrustErrorName{windows_critical_extension, "HAS_NOT_SUPPORTED_CRITICAL_EXT"},
};

std::uint32_t windows_bit(PathProblemKind kind) {
  switch (kind) {
    case PathProblemKind::signature:
      return windows_signature;
    case PathProblemKind::signature_unknown:
    case PathProblemKind::weak:
      return 0;
    case PathProblemKind::not_yet_valid:
    case PathProblemKind::expired:
      return windows_not_time_valid;
    case PathProblemKind::not_a_ca:
    case PathProblemKind::path_length:
      return windows_basic_constraints;
    case PathProblemKind::key_usage:
    case PathProblemKind::extended_key_usage:
      return windows_usage;
    case PathProblemKind::critical_extension:
      return windows_critical_extension;
    case PathProblemKind::name_constraint:
      return windows_name_constraints;
    case PathProblemKind::untrusted_root:
      return windows_untrusted_root;
    case PathProblemKind::distrusted:
      return windows_explicit_distrust;
    case PathProblemKind::revoked:
      return windows_revoked;
    case PathProblemKind::incomplete:
    case PathProblemKind::key_identifier:
      return windows_partial_chain;
  }
  return windows_partial_chain;
}

struct RankedChain {
  WindowsChain chain;
  bool unknown = false;  ///< a signature in it was not tried

  /// Signatures, completeness and a trusted root first; then time; then the shorter one.
  auto rank() const {
    const auto without = [this](std::uint32_t bits) { return (chain.errors & bits) == 0; };
    return std::tuple{without(windows_signature), without(windows_partial_chain), without(windows_untrusted_root),
                      without(windows_not_time_valid), -static_cast<long>(chain.certificates.size())};
  }
};

/// A path as far as Windows would have followed it.
RankedChain as_windows_sees(const Path& path) {
  RankedChain made;
  std::size_t length = path.certificates.size();
  const auto end_at = [&](std::size_t index) {
    length = std::min(length, index + 1);
    made.chain.errors |= windows_partial_chain;
  };
  for (std::size_t i = 0; i + 1 < path.certificates.size(); ++i) {
    if (!same_bytes(path.certificates[i]->issuer, path.certificates[i + 1]->subject)) end_at(i);
  }
  for (const PathProblem& problem : path.problems) {
    if (problem.kind == PathProblemKind::key_identifier) end_at(problem.index);
  }
  for (const PathProblem& problem : path.problems) {
    // Of the last certificate that is left, what concerns the step to the next one counts no more.
    const bool step = problem.kind == PathProblemKind::signature || problem.kind == PathProblemKind::signature_unknown;
    if (problem.index >= length || (step && problem.index + 1 >= length)) continue;
    made.chain.errors |= windows_bit(problem.kind);
    made.unknown = made.unknown || problem.kind == PathProblemKind::signature_unknown;
  }
  made.chain.certificates.assign(path.certificates.begin(),
                                 path.certificates.begin() + static_cast<std::ptrdiff_t>(length));
  return made;
}

}  // namespace

std::string openssl_error_text(int error) {
  const auto found =
      std::find_if(error_names.begin(), error_names.end(), [&](const ErrorName& name) { return name.number == error; });
  return found == error_names.end() ? fmt::format("error {}", error) : std::string{found->text};
}

std::string EngineOutcome::text() const {
  if (refused()) return fmt::format("error {} at depth {}: {}", error, depth, error_text);
  return undecided.empty() ? "accepted" : "undecided: " + undecided;
}

EngineOutcome predict_openssl(const CertificateRef& target, const OpensslQuery& query,
                              const SignatureOracle& signature) {
  return Verification{query, signature}.run(target);
}

std::vector<CertificateRef> trusted_in_order(const Evidence& evidence, const Server& server) {
  std::vector<CertificateRef> ordered;
  std::set<Sha256> taken;
  const auto take = [&](const std::vector<std::string>& names, bool trusted) {
    for (const std::string& name : names) {
      for (const StoreContents& store : evidence.stores) {
        if (store.store != name) continue;
        for (const StoreEntry& entry : store.entries) {
          if (entry.kind != StoreKind::root && entry.kind != StoreKind::intermediate) continue;
          if (entry.certificate->may_be_self_signed() && !(trusted && entry.anchor())) continue;
          if (taken.insert(entry.certificate->sha256).second) ordered.push_back(entry.certificate);
        }
      }
    }
  };
  take(server.trusts, true);
  take(server.intermediates, false);
  return ordered;
}

std::string windows_error_text(std::uint32_t errors) {
  std::string text;
  for (const TrustErrorName& known : trust_error_names) {
    if ((errors & known.bit) == 0) continue;
    if (!text.empty()) text += ", ";
    text += known.name;
  }
  return text;
}

bool WindowsOutcome::accepted() const {
  return undecided.empty() && !best.empty() &&
         std::all_of(best.begin(), best.end(), [](const WindowsChain& chain) { return chain.errors == 0; });
}

bool WindowsOutcome::refused() const {
  return undecided.empty() &&
         std::all_of(best.begin(), best.end(), [](const WindowsChain& chain) { return chain.errors != 0; });
}

std::string WindowsOutcome::text() const {
  if (!undecided.empty()) return "undecided: " + undecided;
  if (accepted()) return tie() ? fmt::format("accepted, by any of {} chains that tie", best.size()) : "accepted";
  std::vector<std::string> ways;
  for (const WindowsChain& chain : best) {
    std::string words = chain.errors == 0 ? "accepted" : windows_error_text(chain.errors);
    if (std::find(ways.begin(), ways.end(), words) == ways.end()) ways.push_back(std::move(words));
  }
  std::string text;
  for (const std::string& words : ways) text += (text.empty() ? "" : ", or ") + words;
  return text;
}

WindowsOutcome predict_windows(const CertificateRef& target, const PathQuery& query, const SignatureOracle& signature) {
  constexpr std::size_t most = 4;
  const PathSet found = find_paths(target, query, signature);
  WindowsOutcome outcome;
  if (!found.bound.empty()) outcome.undecided = fmt::format("the search for chains was ended at {}", found.bound);
  std::vector<RankedChain> ranked;
  for (const Path& path : found.paths) ranked.push_back(as_windows_sees(path));
  if (ranked.empty()) {
    outcome.best.push_back({{target}, windows_partial_chain});
    return outcome;
  }
  const auto best = std::max_element(ranked.begin(), ranked.end(), [](const RankedChain& a, const RankedChain& b) {
                      return a.rank() < b.rank();
                    })->rank();
  for (RankedChain& one : ranked) {
    if (one.rank() != best) continue;
    const bool known = std::any_of(outcome.best.begin(), outcome.best.end(), [&](const WindowsChain& chain) {
      return chain.errors == one.chain.errors && chain.certificates == one.chain.certificates;
    });
    if (known) continue;
    if (one.unknown && outcome.undecided.empty()) outcome.undecided = "a signature in the best chain was not verified";
    if (outcome.best.size() < most) outcome.best.push_back(std::move(one.chain));
  }
  return outcome;
}

}  // namespace mrascheck

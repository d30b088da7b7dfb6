// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/certificate.hpp"
#include "core/evidence.hpp"
#include "core/open_table.hpp"

namespace mrascheck {

/// How an issuer candidate matches a certificate's authority key identifier (RFC 5280, 4.2.1.1), strongest last.
enum class IssuerMatch {
  none,   ///< an identifier is there and names another key or certificate
  name,   ///< names only: one side carries no identifier to compare
  key,    ///< key identifiers are equal
  exact,  ///< issuer and serial number name this very certificate
};
std::string_view to_string(IssuerMatch match);  ///< "no match", "name", "key", "exact"

/// Of two certificates whose names already fit.
IssuerMatch match_issuer(const Certificate& child, const Certificate& issuer);

/// Whether `child`'s signature verifies under `issuer`'s key; nothing when that was never tried.
/// While collecting it asks crypto and remembers, while judging it looks up what the evidence holds.
using SignatureOracle =
    std::function<std::optional<SignatureState>(const Certificate& child, const Certificate& issuer)>;

/// Whether the signature of `child`, a certificate or a revocation list, verifies under `issuer_key`; nothing when that
/// was never tried. `proofs` is sorted as normalise() leaves it.
std::optional<SignatureState> recorded_state(const std::vector<SignatureProof>& proofs, const Sha256& child,
                                             const Sha256& issuer_key);

/// The oracle of recorded proofs. Refers to `proofs`, which must outlive it and be sorted as normalise() leaves it.
SignatureOracle recorded_oracle(const std::vector<SignatureProof>& proofs);

/// A place of a certificate; refers into the evidence that the graph was made of.
struct Location {
  const StoreContents* store;
  const StoreEntry* entry;
  std::string text() const;  ///< "ad: CN=Contoso Issuing CA,CN=AIA,...,DC=example (value 2)"
};

/// A certificate of the graph with every place it was found in.
struct GraphEntry {
  CertificateRef certificate;
  std::span<const Location> locations;  ///< lives as long as the graph
};

enum class PathProblemKind {
  signature,          ///< does not verify under the next certificate's key
  signature_unknown,  ///< was not tried
  not_yet_valid,
  expired,
  not_a_ca,  ///< basicConstraints missing or cA false (RFC 5280, 6.1.4 k)
  path_length,
  key_usage,           ///< keyCertSign missing
  extended_key_usage,  ///< an element's EKU excludes the purpose
  critical_extension,  ///< nobody here knows what it forbids: undecided, neither valid nor not
  name_constraint,     ///< a CA above is not to issue such a name (RFC 5280, 4.2.1.10)
  untrusted_root,      ///< ends in a self-issued certificate that is no trust anchor here
  incomplete,          ///< no issuer found here
  distrusted,          ///< stands in a store of untrusted certificates: Windows rejects every path through it
  revoked,             ///< by a list at hand that the next certificate's key signed (RFC 5280, 6.3)
  key_identifier,  ///< its authority key identifier names another certificate: OpenSSL and Windows pass that one over
  weak,            ///< a digest or key that engines refuse by their configuration; never in Path::problems
};
std::string_view to_string(PathProblemKind kind);

struct PathProblem {
  PathProblemKind kind;
  std::size_t index;  ///< into Path::certificates
  std::string text;   ///< one line: "Contoso Issuing CA (A1B2...) expired on 2026-01-31"
};

/// One certification path, target first, trust anchor (or where it broke off) last.
struct Path {
  std::vector<CertificateRef> certificates;
  std::vector<PathProblem> problems;
  std::vector<PathProblem> weaknesses = {};  ///< what does not make it invalid: MD5, SHA-1, RSA below 2048 bits
  bool valid() const { return problems.empty(); }
  bool has(PathProblemKind kind) const;
};

/// Certificates by subject, for finding issuers. Sorted inside a subject, each certificate once.
class IssuerIndex {
 public:
  void add(const CertificateRef& certificate);
  std::span<const CertificateRef> named(const Name& subject) const;

 private:
  std::unordered_map<const Name*, std::vector<CertificateRef>, NameHash, NameEqual> by_subject_;  ///< by names in them
};

/// The revocation lists at hand that can be relied on: by the name of their issuer, with the key that signed each. A
/// list counts for everybody, since whoever checks revocation fetches it from where it is published, and one that is
/// overdue still says what was revoked.
using ReliableLists = std::map<std::string, std::vector<std::pair<Sha256, CrlRef>>, std::less<>>;

/// What one server has at hand: the roots of the stores it trusts, and the certificates of these and of the stores that
/// feed its intermediates. Nothing of another host's.
struct TrustView {
  std::set<Sha256> anchors;     ///< trust is by certificate, not by name or key
  std::set<Sha256> distrusted;  ///< in one of its stores of untrusted certificates; never an anchor
  IssuerIndex index;
  ReliableLists lists;
  bool configured = false;           ///< it names at least one store to trust
  std::vector<std::string> damaged;  ///< stores that it names in which something could not be read
  std::vector<std::string> missing;  ///< stores that it names and that were not read, or not whole
};
TrustView trust_of(const Evidence& evidence, const Server& server);

struct PathQuery {
  const TrustView* trust = nullptr;
  std::span<const CertificateRef> sent;  ///< further issuer candidates: what the peer sent along
  UtcTime at;
  const char* purpose = nullptr;  ///< an EKU OID that every element must allow; nothing: any
  std::size_t max_depth = 10;
  std::size_t max_paths = 64;
  std::size_t max_steps = 20'000;
};

struct PathSet {
  std::vector<Path> paths;  ///< valid ones first, then by fewest problems, shorter, then by content: the order is total
  std::string bound;        ///< which limit cut the search: "64 paths"; empty when the search was complete
  bool any_valid() const;
  /// No valid path, and some path fails for nothing but untried signatures, extensions that are not evaluated here, or
  /// a cut search: cannot be told.
  bool undecided() const;
};

/// All certification paths of `target` (RFC 4158): names lead, every candidate is followed, signatures judge. OpenSSL's
/// builder takes the first candidate and never looks back; this one does.
PathSet find_paths(const CertificateRef& target, const PathQuery& query, const SignatureOracle& signature);

/// What Windows would choose to send for `target`, as a model of CertGetCertificateChain's documented ordering
/// (KB2831004): valid signatures, complete, trusted root; key identifiers; time-valid; shorter. Several, at most four,
/// when they tie. Each is the chain to send: target first, root left out. Never empty: the target alone when nothing
/// fits. *Inferred*: what Windows does on a tie is not documented, so nobody should rely on the first.
std::vector<std::vector<CertificateRef>> windows_chains(const CertificateRef& target, const TrustView& trust,
                                                        UtcTime at, const SignatureOracle& signature);

/// RFC 4158: names are nodes, certificates are arcs.
class CertificateGraph {
 public:
  /// Everything in `evidence`: stores, identities, presented and sent chains. Refers to it.
  explicit CertificateGraph(const Evidence& evidence);
  CertificateGraph(const CertificateGraph&) = delete;
  CertificateGraph& operator=(const CertificateGraph&) = delete;

  /// All certificates of that subject by RFC 5280, 7.1, sorted by SHA-256. Plural by design.
  std::span<const GraphEntry> named(const Name& subject) const;
  const GraphEntry* find(const Certificate& certificate) const;
  /// By SHA-1 of the DER, as renewals name their predecessor; null when it is not here.
  const Certificate* find(const Sha1& thumbprint) const;

  /// Every certificate, sorted by subject, then by SHA-256.
  std::vector<const GraphEntry*> all() const;
  /// Groups of two or more CA certificates with one subject, sorted by subject.
  std::vector<std::span<const GraphEntry>> same_name_groups() const;
  /// Certificates that a server presented, sent, or has configured as its own, sorted, each once: the live ones.
  std::span<const CertificateRef> live() const { return live_; }

 private:
  std::vector<Location> locations_;  ///< those of one entry beside each other
  std::vector<GraphEntry> entries_;  ///< those of one subject beside each other, sorted by SHA-256
  std::vector<std::span<const GraphEntry>> subjects_;
  struct Subject {
    const Name* name = nullptr;
    std::size_t number = 0;  ///< in `subjects_`
  };
  OpenTable<Subject> by_subject_;
  mutable std::unordered_map<std::string_view, const Certificate*> by_thumbprint_;  ///< filled when first asked
  std::vector<CertificateRef> live_;
};

/// Why a server that connects by `names` would refuse `chain` (its peer's own certificate first), judged from `trust`.
struct PeerJudgement {
  PathSet paths;
  bool name_matches = false;
  bool trusted() const { return paths.any_valid(); }
};

/// RFC 6125 comparison as these products do it: dNSName, or the subject's CN; no wildcard (TechNet: not supported
/// here).
bool certificate_has_name(const Certificate& certificate, std::string_view name);

PeerJudgement judge_peer(const std::vector<CertificateRef>& chain, const TrustView& trust,
                         const std::vector<std::string>& names, const char* purpose, UtcTime at,
                         const SignatureOracle& signature);

/// Names by which a client may know `server`: its own and its pool's. One of them in the certificate is enough.
std::vector<std::string> expected_names(const Server& server);

/// One server's judgement of what another presents, each distinct chain once.
struct PathJudgement {
  std::string judge;    ///< Server::name
  std::string subject;  ///< Server::name
  bool subject_is_client = false;
  std::vector<CertificateRef> chain;
  std::vector<std::string> seen_in;  ///< Handshake::id() of those in which it was presented; empty: from its files
  bool trust_configured = false;
  bool sent_unreadable = false;             ///< something that the subject sent could not be read
  std::vector<std::string> missing_stores;  ///< not read: the judge's, and those that the subject's chain is built from
  PeerJudgement result;                     ///< empty paths when no trust is configured
};
/// For every link, both directions: what was presented on the wire, else what is configured to be: the files' chain, or
/// the one that the subject's own stores make. Of a server with a certificate and no link, it is its own judge.
std::vector<PathJudgement> judge_paths(const Evidence& evidence, const SignatureOracle& signature);

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/evidence.hpp"
#include "core/graph.hpp"
#include "core/issuers.hpp"

namespace mrascheck {

/// Certificates without which a server has no valid path to another, by SHA-256: "edge1 judges fe1".
using Needed = std::map<Sha256, std::set<std::string>>;
Needed needed_certificates(const Evidence& evidence, const SignatureOracle& signature);

enum class MayGo { now, not_yet, unknown };
std::string_view to_string(MayGo may_go);  ///< "may go now", "not yet", "cannot be told"

/// One place that holds a certificate.
struct StoredCopy {
  std::string store;       ///< StoreContents::store
  std::string source;      ///< StoreContents::source
  std::string host;        ///< whose store it is; empty: nobody's in particular
  bool directory = false;  ///< read from one, or from an export of one: the place is a DN
  StoreKind kind = StoreKind::intermediate;
  StoreOrigin origin = StoreOrigin::unknown;
  std::string windows_store;  ///< EntryProperties::windows_store
  std::string more;           ///< EntryProperties::text()
  bool in_pair = false;       ///< in a directory: a half of a value of crossCertificatePair, not a cACertificate
  std::string place;          ///< a DN, without a mark, or a file path, printable
  std::size_t index = 0;
};

struct CleanupVerdict {
  CertificateRef certificate;
  Standing standing = Standing::undecided;
  Classification relation;  ///< to the first member of its group
  MayGo may_go = MayGo::unknown;
  std::vector<std::string> because;  ///< the proof, or what stands against it; one line each
  std::vector<StoredCopy> copies;    ///< where it stands; without Enrollment Services
};

/// All that goes from one attribute of one object of a directory, or from one store of a host.
struct Removal {
  StoredCopy place;  ///< its index means nothing
  std::vector<CertificateRef> values;
  /// Of crossCertificatePair: the values that hold these certificates, and all others, DER, each once.
  std::vector<std::vector<std::uint8_t>> pairs = {};
  std::vector<std::vector<std::uint8_t>> other_pairs = {};
  bool pair_unread = false;               ///< a value of crossCertificatePair there could not be read
  std::vector<CertificateRef> stay = {};  ///< the other halves of these values, where they are not to go
  std::size_t values_there = 0;           ///< how many the place holds, readable or not
  bool whole = false;  ///< nothing would be left: of cACertificate, that is not to be done value by value
};

struct CleanupPlan {
  std::string site;
  std::string vantage;
  UtcTime at;                            ///< the now of the judgement
  std::vector<CleanupVerdict> verdicts;  ///< by subject, then as in IssuerGroup::members
  std::vector<Removal> removals;         ///< of what may go now; directories first: Root, NTAuth, AIA, then hosts
  std::vector<std::string> stand;        ///< what is accepted, and would be after the removal: paths, and by the models
  std::vector<std::string> better;       ///< what would be better
  std::vector<std::string> open;         ///< what could not be known, and does not stand against the removal by itself
  std::vector<std::string> servers;      ///< by name, in the order of the configuration
  std::size_t count(MayGo may_go) const;
};

/// What of `evidence` could not be looked at, one line each: gaps, stores that were not read whole, values that are no
/// certificate, servers whose certificate nobody saw. Empty: everything was.
std::vector<std::string> not_looked_at(const Evidence& evidence);

/// Which same-name CA certificates may go, proved; nothing is done. One may go when
///  - what it stands beside is known to the directory or leads to a trusted root, so that nobody's impostor is served,
///  - no unexpired certificate that was seen verifies under its key, but those that go as well, and those that a
///    certificate of the same name and key that stays verifies too, one that their authority key identifier allows,
///  - no revocation list that was seen and is not overdue is signed by its key, unless such a certificate stays,
///  - the certificates of its name do not contradict each other,
///  - after all that may go is gone, every server has a valid path to every other, the models of OpenSSL and Windows
///    (engines.hpp) accept what they accept now, and no chain that a server would send is worse. What is wrong with the
///    certificates of the servers themselves (expired, their use) counts for nothing in this; and where stores do not
///    explain what a server lets in, what it let in stays as it is.
/// What is missing of the evidence (stores not read, or not whole; servers whose certificate nobody saw; no link that
/// was judged; signatures nobody tried) makes it unknown.
/// Asks `signature` for more pairs than judge() does: complete the proofs of a recording first.
/// `missing`: what else keeps it from being told, one line each.
CleanupPlan plan_cleanup(const Evidence& evidence, const SignatureOracle& signature,
                         const std::vector<std::string>& missing = {});
/// With the groups that issuer_groups() made of `evidence`.
CleanupPlan plan_cleanup(const Evidence& evidence, const std::vector<IssuerGroup>& groups,
                         const SignatureOracle& signature, const std::vector<std::string>& missing = {});

}  // namespace mrascheck

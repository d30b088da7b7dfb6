// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/graph.hpp"

namespace mrascheck {

/// How two CA certificates of one name came to be.
enum class Relation {
  duplicate_publication,  ///< same bytes in several places
  serial_collision,       ///< same issuer and serial number, other bytes
  same_key_renewal,
  reinstall_same_key,   ///< same key, same CA version, another validity or serial number
  cross_certificate,    ///< same key, another issuer
  second_parent,        ///< same key, signed by two installations of one issuer
  rekey_renewal,        ///< new key, linked by the previous certificate's hash
  rollover,             ///< self-issued, not self-signed: joins the old and the new key of one root CA
  redeployment,         ///< new key, nothing links the two: a new installation under the old name
  other_hierarchy,      ///< a redeployment under another parent
  foreign,              ///< its issuer is unknown, or it is a root that no directory publishes
  predecessor_missing,  ///< new key, renewed from a CA certificate that was not found
  misfiled,             ///< one of the two may not sign certificates at all
  unclear,
};
std::string_view to_string(Relation relation);  ///< "redeployment"
std::string_view meaning(Relation relation);    ///< one line in plain words

enum class Confidence { medium, high, certain };
std::string_view to_string(Confidence confidence);

struct Classification {
  Relation relation = Relation::unclear;
  Confidence confidence = Confidence::medium;
  std::string because;  ///< the facts that decided, one line
};

/// A Classification whose facts are put into words where somebody reads them: of most pairs nobody does. Refers to both
/// certificates.
class Kinship {
 public:
  using Words = std::string (*)(const Certificate& before, const Certificate& after);

  Kinship() = default;
  Kinship(Relation of_the_two, Confidence how_sure, const char* fact)
      : relation(of_the_two), confidence(how_sure), fact_(fact) {}
  Kinship(Relation of_the_two, Confidence how_sure, Words words)
      : relation(of_the_two), confidence(how_sure), words_(words) {}
  Kinship between(const Certificate& older, const Certificate& newer) && {
    older_ = &older;
    newer_ = &newer;
    return *this;
  }

  Relation relation = Relation::unclear;
  Confidence confidence = Confidence::medium;
  std::string because() const { return words_ != nullptr ? words_(*older_, *newer_) : fact_; }
  operator Classification() const { return {relation, confidence, because()}; }  // NOLINT(*-explicit-*)

 private:
  const char* fact_ = "";
  Words words_ = nullptr;
  const Certificate* older_ = nullptr;
  const Certificate* newer_ = nullptr;
};

/// Whether it is how a CA is run: renewals, cross certificates, the same certificate in two places.
bool legitimate(Relation relation);

/// Of two certificates with matching subjects, in either order, by what they say themselves.
Classification classify(const Certificate& a, const Certificate& b);

/// Not a CA certificate, whatever container it stands in: CA:FALSE, or a key usage without keyCertSign.
bool is_misfiled(const Certificate& certificate);

/// The certificates of one name, told apart with what is known around them: who signed them, which renewals lie
/// between, where they are published. Refers to all that it is given. Beyond 64 certificates of one name it knows no
/// more than classify().
class Lineage {
 public:
  Lineage(std::span<const GraphEntry> siblings, const CertificateGraph& graph, const Evidence& evidence,
          const SignatureOracle& signature);
  ~Lineage();
  Lineage(Lineage&&) noexcept;
  Lineage& operator=(Lineage&&) noexcept;

  /// Of two siblings, in either order.
  Classification classify(const Certificate& a, const Certificate& b) const;
  Kinship kinship(const Certificate& a, const Certificate& b) const;
  /// As classify() has it, at less cost: nothing is put into words.
  Relation relation(const Certificate& a, const Certificate& b) const;
  /// In no container of a directory that was read, and self-signed or signed by nobody here.
  bool foreign(const Certificate& certificate) const;
  /// What cannot be so in the life of one CA ([MS-WCCE] 3.2.1.4.3.2.39; RFC 5280, 4.2.1.2), one line each.
  std::vector<std::string> contradictions() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class Standing {
  current,     ///< its key verifies live certificates, and among those with this key it is the one to keep
  superseded,  ///< shares key or history with the current one by a legitimate renewal or cross certification
  stale,       ///< an installation that is gone, or a second copy of the current key under another certificate
  unrelated,   ///< nothing live names this subject: which of them is right cannot be told from here
  alive,       ///< issues, though nothing that was seen in use is from it: it stands in Enrollment Services, or its
               ///< key signed another CA's unexpired certificate that is not stale itself
  unused,      ///< younger than all in use, and nothing is from it yet: the coming one, or one that failed
  foreign,     ///< carries the name, and nobody here issued or published it
  misfiled,    ///< may not sign certificates
  undecided,   ///< what would tell was not seen: signatures, or the certificates of servers
};
std::string_view to_string(Standing standing);

/// Who stands for a certificate, by its places and those of the certificates whose keys verify it, up to a root.
enum class Voucher {
  nobody,     ///< no trusted root leads to it, and no directory holds it: an impostor would look like this
  root,       ///< a trusted root of some store
  directory,  ///< a directory: [MS-WCCE] 3.2.2.2, an enterprise CA publishes its certificates there
};

struct IssuerMember {
  const GraphEntry* entry = nullptr;
  bool enrolled = false;              ///< stands in Enrollment Services: a live CA, says the directory
  std::vector<CertificateRef> signs;  ///< certificates in use that verify under its key
  bool time_valid = false;
  Standing standing = Standing::unrelated;
  Voucher voucher = Voucher::nobody;  ///< of current, alive and unused ones; not looked for otherwise
  Kinship relation;                   ///< to the group's first member; of the first one itself: meaningless
  bool foreign = false;               ///< Lineage::foreign, beside one that is not: also of what is current
};

/// Servers on links that are to be accepted of which no certificate is known, configured or seen; sorted, by name.
std::vector<std::string> unseen_servers(const Evidence& evidence);

/// CA certificates that share a subject (RFC 5280, 7.1).
struct IssuerGroup {
  Name subject;
  /// The current ones first, then by newest notBefore, then by SHA-256.
  std::vector<IssuerMember> members;
  bool concerns_live = false;     ///< certificates in use chain to this subject
  std::size_t installations = 0;  ///< that are current or alive and that no renewal or cross certificate joins
  std::vector<std::string> contradictions;  ///< Lineage::contradictions
  /// The name is written in several ways: equal by RFC 5280, 7.1 and to OpenSSL, different byte by byte to Windows.
  bool encodings_differ = false;
};

/// Every same-name group of `evidence`, those of live certificates first. Which member is current follows, in this
/// order: whose key verifies what is in use, Enrollment Services, validity now, whether it stands among the roots or in
/// another store, CA version, dates. None is stale while the certificate of a server is unseen (unseen_servers): it may
/// be from any of them; none beside current ones that nobody vouches for; and none that is younger than all current
/// ones, unless it has the key of one and is surely no renewal of it. Refers to `graph`.
std::vector<IssuerGroup> issuer_groups(const Evidence& evidence, const CertificateGraph& graph,
                                       const SignatureOracle& signature);

/// Whether there is one to be removed, so that a plan of it is worth its while.
bool any_stale(const std::vector<IssuerGroup>& groups);

}  // namespace mrascheck

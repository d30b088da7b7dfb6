// SPDX-License-Identifier: Apache-2.0
#pragma once

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
  reinstall_same_key,  ///< same key, same CA version, another validity or serial number
  cross_certificate,   ///< same key, another issuer
  rekey_renewal,       ///< new key, linked by the previous certificate's hash
  redeployment,        ///< new key, nothing links the two: a new installation under the old name
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

/// Of two certificates with matching subjects and different bytes, in either order.
Classification classify(const Certificate& a, const Certificate& b);

struct IssuerMember {
  GraphEntry entry;
  bool enrolled = false;              ///< stands in Enrollment Services: a live CA, says the directory
  std::vector<CertificateRef> signs;  ///< live certificates whose signature verifies under its key
  bool time_valid = false;
  bool stale = false;  ///< may be cleaned up, as far as this evidence tells
};

/// CA certificates that share a subject.
struct IssuerGroup {
  Name subject;
  std::vector<IssuerMember> members;  ///< those that sign something live first, then newest notBefore, then SHA-256
  struct Pair {
    std::size_t first;
    std::size_t second;  ///< indices into members, first < second
    Classification classification;
  };
  std::vector<Pair> pairs;
  bool concerns_live = false;  ///< a live certificate names this subject as its issuer, or as a further ancestor
};

/// Every same-name group of `evidence`, those of live certificates first.
std::vector<IssuerGroup> issuer_groups(const Evidence& evidence, const CertificateGraph& graph,
                                       const SignatureOracle& signature);

}  // namespace mrascheck

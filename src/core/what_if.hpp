// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/evidence.hpp"
#include "core/result.hpp"

namespace mrascheck {

/// A certificate put where it does not stand today.
struct Addition {
  CertificateRef certificate;
  std::string place;  ///< the file it comes from, printable
  std::string store;  ///< StoreContents::store; empty: every store of its kind, see changed()
};

/// What would be different. Nothing in it: nothing is.
struct Change {
  std::set<Sha256> remove;
  std::vector<Addition> add;
  std::optional<UtcTime> at;
  bool empty() const { return remove.empty() && add.empty() && !at; }
};

/// A copy of `evidence` as it would be after `change`.
/// What is removed goes from every store but Enrollment Services and those of untrusted certificates, and from behind
/// every server's own certificate, in files and on the wire. What is added without a store goes, self-issued, into the
/// root stores, else into the intermediate ones, and in any case into mixed ones and directories. What a server sends
/// that builds its chain from its stores is left to be built anew. `at` moves collected_at alone: how handshakes ended
/// stays as it was recorded. Signatures are those of `evidence`: new pairs have no proof until somebody verifies them.
Evidence changed(const Evidence& evidence, const Change& change);

/// One part of "remove:THUMBPRINT,add:FILE,at:DATE".
struct ChangeWord {
  enum class Kind { remove, add, at } kind = Kind::remove;
  std::string value;
};
/// A comma inside a file name is written twice. Error: config.
Result<std::vector<ChangeWord>> parse_change(const std::string& text);

/// The certificate of `evidence` with that SHA-1 or SHA-256, in either case, with or without blanks and colons.
/// Error: config, when it is no thumbprint or nothing that was seen has it.
Result<CertificateRef> by_thumbprint(const Evidence& evidence, const std::string& text);

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/certificate.hpp"

namespace mrascheck {

/// What a place is for. `enrollment` is AD's Enrollment Services container: the CAs that are alive (MS-WCCE 2.2.2.11).
/// `mixed` is what a configuration says of a file that may hold anything: its self-issued certificates count as roots,
/// the rest as intermediates.
enum class StoreKind { intermediate, root, ntauth, enrollment, mixed };

/// "intermediate", "root", "ntauth", "enrollment", "mixed".
std::string_view to_string(StoreKind kind);

/// One certificate where it stands.
struct StoreEntry {
  CertificateRef certificate;
  StoreKind kind = StoreKind::intermediate;  ///< never mixed: the reader has decided
  std::string place;                         ///< a DN or a file path, printable
  std::size_t index = 0;                     ///< the value's or block's number in `place`, from 0

  /// Whether chains may end here: a root by kind that names itself as its issuer. Neither Windows nor OpenSSL takes an
  /// intermediate in the root store for the end of a chain (KB2795828).
  bool anchor() const { return kind == StoreKind::root && certificate->self_issued(); }
};

/// Bytes that stood in a store and were not a certificate.
struct Unreadable {
  std::string place;   ///< as StoreEntry::place
  std::string reason;  ///< lower case, no full stop: "block 3: truncated at byte 412"
};

/// All that one configured store was seen to hold.
struct StoreContents {
  std::string store;   ///< its name in the configuration
  std::string source;  ///< the URI or path read, without credentials
  std::vector<StoreEntry> entries;
  std::vector<Unreadable> unreadable;
  std::vector<std::string> referrals;  ///< LDAP: offered and not followed
  std::string truncated;  ///< why not everything was read: "the server gives 1000 at most"; empty when all was
  std::vector<std::string> remarks;  ///< what a reader of the report should know: "the 2nd of 2 servers answered"
};

}  // namespace mrascheck

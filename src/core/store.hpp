// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/certificate.hpp"
#include "core/crl.hpp"
#include "core/shared_text.hpp"

namespace mrascheck {

/// What a place is for. `enrollment` is AD's Enrollment Services container: the CAs that are alive (MS-WCCE 2.2.2.11).
/// `mixed` is what a configuration says of a file that may hold anything: its self-signed certificates count as roots,
/// the rest as intermediates. `disallowed` is Windows' store of untrusted certificates: what stands there is rejected,
/// wherever else it stands.
enum class StoreKind { intermediate, root, ntauth, enrollment, disallowed, mixed };

/// "intermediate", "root", "ntauth", "enrollment", "disallowed", "mixed".
std::string_view to_string(StoreKind kind);

/// Who feeds the store that an export is from, as far as the export says (Microsoft Learn, "System Store Locations").
enum class StoreOrigin {
  unknown,
  local,         ///< HKLM, SystemCertificates: put there on the computer itself
  user,          ///< one user's own: services do not see it
  service,       ///< one service's own
  group_policy,  ///< comes back at the next refresh of the group policy
  enterprise,    ///< comes from Active Directory, and comes back from there
  directory,     ///< an export of the directory itself (LDIF): the place is a DN
};
/// "unknown", "local", "user", "service", "group-policy", "enterprise", "directory".
std::string_view to_string(StoreOrigin origin);

/// What a store keeps beside a certificate. Texts are printable.
struct EntryProperties {
  StoreOrigin origin = StoreOrigin::unknown;
  std::string windows_store;  ///< its name in the registry: "CA", "ROOT"; empty when not said
  std::string friendly_name;
  bool archived = false;  ///< hidden, and passed over by what looks for certificates
  /// Dotted OIDs that it may be used for here, other than its own extension says; empty: for nothing. Nothing: not
  /// restricted.
  std::optional<std::vector<std::string>> purposes;
  std::vector<std::string> rejected_purposes;  ///< dotted OIDs that it must not be used for (OpenSSL)
  std::string key_provider;                    ///< who keeps its private key, where one is said to exist
  std::string key_spec;                        ///< "CNG", "AT_KEYEXCHANGE", "AT_SIGNATURE"; else the number

  friend auto operator<=>(const EntryProperties&, const EntryProperties&) = default;  // NOLINT(modernize-use-nullptr)

  bool any() const;
  /// Whether it may not be used for `purpose` here, a dotted OID.
  bool forbids(std::string_view purpose) const;
  /// "group policy store ROOT: comes back at the next refresh; archived; friendly name 'x'"; empty when there is
  /// nothing to say.
  std::string text() const;
};

/// Null for an entry of which nothing is known but the certificate.
using PropertiesRef = std::shared_ptr<const EntryProperties>;

/// Equal properties are one value: a hundred thousand entries of one registry store share theirs.
class PropertiesPool {
 public:
  PropertiesRef share(const EntryProperties& properties);

 private:
  std::map<EntryProperties, PropertiesRef> known_;
};

/// Behind the DN of an entry: one half of a value of its crossCertificatePair (X.509, 11.2.3), not a value of its
/// cACertificate. Both halves of a value have its index.
inline constexpr std::string_view forward_mark = " (crossCertificatePair, issuedToThisCA)";
inline constexpr std::string_view reverse_mark = " (crossCertificatePair, issuedByThisCA)";

/// The DN in a place without such a mark; the whole place when there is none.
std::string_view without_mark(std::string_view place);
/// Whether the place is a half of a crossCertificatePair's value.
bool in_certificate_pair(std::string_view place);

/// One certificate where it stands.
struct StoreEntry {
  CertificateRef certificate;
  StoreKind kind = StoreKind::intermediate;  ///< never mixed: the reader has decided
  SharedText place;                          ///< a DN or a file path, printable
  std::size_t index = 0;                     ///< the value's or block's number in `place`, from 0
  PropertiesRef properties = {};

  /// Whether chains may end here: a root by kind that may have signed itself. Neither Windows nor OpenSSL takes an
  /// intermediate in the root store for the end of a chain (KB2795828). A signature that fails speaks against it yet.
  bool anchor() const { return kind == StoreKind::root && certificate->may_be_self_signed(); }
};

/// One certificate revocation list where it stands.
struct CrlEntry {
  CrlRef crl;
  std::string place;      ///< as StoreEntry::place
  std::size_t index = 0;  ///< among the lists in `place`, from 0
};

/// Bytes that stood in a store and were neither a certificate nor a revocation list.
struct Unreadable {
  std::string place;   ///< as StoreEntry::place
  std::string reason;  ///< lower case, no full stop: "block 3: truncated at byte 412"
};

/// All that one configured store was seen to hold, or what was fetched by a URL of a certificate.
struct StoreContents {
  std::string store;   ///< its name in the configuration; the URL, of what was fetched
  std::string source;  ///< the URI or path read, without credentials
  std::vector<StoreEntry> entries;
  std::vector<Unreadable> unreadable;
  std::vector<std::string> referrals;  ///< LDAP: offered and not followed
  std::string truncated;  ///< why not everything was read: "the server gives 1000 at most"; empty when all was
  std::vector<std::string> remarks;  ///< what a reader of the report should know: "the 2nd of 2 servers answered"
  /// What was read and contradicts itself or cannot work: a registry key with another certificate's name, a gap in the
  /// numbers of OpenSSL's hashed names.
  std::vector<Unreadable> faults = {};
  std::vector<CrlEntry> crls = {};
};

/// Whether a store of that name was fetched: no configured one can be named by a URL. No server trusts such a one or is
/// fed by it; it shows what whoever follows the URL would get.
bool is_fetched(std::string_view store);

}  // namespace mrascheck

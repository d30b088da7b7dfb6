// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/config.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"
#include "core/store.hpp"

namespace mrascheck::ldap {

/// One value of an attribute as the directory gave it, under whatever option (";binary").
struct DirectoryValue {
  enum class Content {
    certificate,       ///< cACertificate
    certificate_pair,  ///< crossCertificatePair
    crl,               ///< certificateRevocationList, authorityRevocationList, deltaRevocationList
  };
  Content content;
  std::string_view dn;  ///< of its entry, printable
  StoreKind kind;       ///< by its container: AIA, Certification Authorities, NTAuthCertificates, Enrollment Services
  std::size_t index;    ///< its number among the entry's values of that content, as received: values are a set
  Bytes value;          ///< valid during the call only
};

/// Who takes the values. Both are called on the thread of read_directory().
struct DirectorySink {
  std::function<void(const DirectoryValue&)> take;
  /// The server was lost in the middle of its answer, and the next one is asked from the beginning: what has been taken
  /// until now is void.
  std::function<void()> start_anew;
};

struct DirectoryAnswer {
  std::string server;  ///< the URI that answered
  std::string base;    ///< the Public Key Services container that was read
  std::vector<std::string> referrals;
  std::vector<std::string>
      remarks;  ///< "ldap://dc1: no answer within 10 s; ldap://dc2 answered", "NTAuthCertificates: no such entry"
  std::string truncated;  ///< why not everything was read: a limit, no such container, a referral; empty: all was
};

/// How the servers' names become addresses, and from which one they are connected to; as in Config.
struct NameService {
  std::map<std::string, std::vector<std::string>> addresses;  ///< name to address literals, before any resolver
  Config::Family family = Config::Family::any;
  std::vector<std::string> sources = {};  ///< Network::sources
};

/// Reads the CA certificates, cross certificates and revocation lists of Active Directory's Public Key Services
/// ([MS-WCCE] 2.2.2.11; [MS-ADTS] for rootDSE, paging, ranges). Blocks; call it on a thread of its own. Values are
/// handed to `sink` as they arrive. Every network step is bounded by `step` and by `deadline`, and ends soon after
/// `deadline.stop`. Nothing is ever written. The one zero octet, or nothing, that Active Directory keeps where a
/// revocation list must stand and there is none, is passed over.
///
/// Servers are tried in order: the next one after unreachable and timed_out, even in the middle of an answer.
/// With `source.one_entry` nothing but the entry `source.base` is read, and its certificates count as intermediates.
/// Else, where to look: `source.base`, else the DN in the URI, else the rootDSE's configurationNamingContext. A base is
/// taken for the Public Key Services container when its first RDN says so, or when there is no CN=Public Key
/// Services,CN=Services below it; otherwise for a configuration naming context. A password travels over ldaps, ldapi or
/// StartTLS only. StartTLS concerns ldap:// alone: ldaps is encrypted already, and ldapi never leaves the machine.
/// ldap.conf, ~/.ldaprc and LDAP* variables have no say.
///
/// Errors: unreachable, timed_out, rejected_by_peer (bind refused, no permission), rejected_by_us (the server's
/// certificate), malformed, local, config (a password over clear text, an empty password, a base that is not there).
/// The text begins with the URI and ends with LDAP's words and code, where it was LDAP that said no.
Result<DirectoryAnswer> read_directory(const StoreSource& source, const Secret& password,
                                       std::chrono::milliseconds step, const Deadline& deadline,
                                       const DirectorySink& sink, const NameService& names = {});

}  // namespace mrascheck::ldap

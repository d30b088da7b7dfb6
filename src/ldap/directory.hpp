// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/config.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"
#include "core/store.hpp"

namespace mrascheck::ldap {

/// One value of cACertificate as the directory gave it, under whatever option (";binary").
struct CertificateValue {
  std::string_view dn;  ///< of its entry, printable
  StoreKind kind;       ///< by its container: AIA, Certification Authorities, NTAuthCertificates, Enrollment Services
  std::size_t index;    ///< the value's number in the entry, as received: values are a set, the order means nothing
  Bytes value;          ///< valid during the call only
};

struct DirectoryAnswer {
  std::string server;  ///< the URI that answered
  std::string base;    ///< the Public Key Services container that was read
  std::vector<std::string> referrals;
  std::vector<std::string> remarks;  ///< "ldap://dc1: no answer within 10 s; ldap://dc2 answered", "NTAuthCertificates: no such entry"
  bool truncated = false;            ///< source.size_limit or the server's limit cut the answer; a remark says which
};

/// Reads the CA certificates of Active Directory's Public Key Services ([MS-WCCE] 2.2.2.11; [MS-ADTS] for rootDSE, paging).
/// Blocks; call it on a thread of its own. Values are handed to `on_value` as they arrive. Every network step is bounded
/// by `step` and by `deadline`. The servers are tried in order; nothing is ever written.
/// Errors: unreachable, timed_out, rejected_by_peer (bind refused, no permission), config (a password over clear text,
/// an empty password, a base that is not there). The text begins with the URI and ends with LDAP's words and code.
Result<DirectoryAnswer> read_directory(const StoreSource& source, const Secret& password, std::chrono::milliseconds step,
                                       const Deadline& deadline,
                                       const std::function<void(const CertificateValue&)>& on_value);

}  // namespace mrascheck::ldap

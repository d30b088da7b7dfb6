// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/config.hpp"
#include "core/deadline.hpp"
#include "core/evidence.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"
#include "crypto/private_key.hpp"
#include "ldap/directory.hpp"

namespace mrascheck::sources {

/// Decodes each distinct certificate and revocation list once a run; everything else points at that one value. Safe
/// from any thread.
class CertificatePool {
 public:
  Result<CertificateRef> intern(Bytes der);
  Result<CrlRef> intern_crl(Bytes der);

 private:
  struct FirstOctets {
    std::size_t operator()(const Sha256& digest) const noexcept;
  };
  std::mutex mutex_;
  std::unordered_map<Sha256, CertificateRef, FirstOctets> by_bytes_;  ///< key: SHA-256 of the DER
  std::unordered_map<Sha256, CrlRef, FirstOctets> crls_by_bytes_;
};

/// Error: config, naming the source, never the secret; an empty one too, and a terminal behind "fd:". One trailing
/// newline is dropped. "file:" and "fd:" are bounded to 64 KiB. What a pipe behind "fd:" gave once is kept for the next
/// call; it must come within 5 s.
Result<Secret> read_secret(const SecretSource& source);

/// The whole file. Error: local, "fe1.pem: No such file or directory"; a directory, a pipe, a device or more than
/// `limit` too. Never waits for a writer.
Result<ByteString> read_file(const std::string& path, std::size_t limit = std::size_t{256} * 1024 * 1024);

/// A store on this machine: files, and directories of files (one level; symbolic links followed; order by name).
/// What is half good gives its good half. Error only when nothing at all could be opened.
Result<StoreContents> read_local_store(const StoreSource& source, StoreKind kind, CertificatePool& pool);

/// A store in a directory service; blocks. See ldap::read_directory for the errors.
Result<StoreContents> read_directory_store(const StoreSource& source, CertificatePool& pool,
                                           std::chrono::milliseconds step, const Deadline& deadline,
                                           const ldap::NameService& names = {});

/// A server's own certificate, chain and key, checked against each other.
struct LoadedIdentity {
  Identity identity;
  std::optional<crypto::PrivateKey> key;
};
tl::expected<LoadedIdentity, IdentityError> load_identity(const IdentitySource& source, CertificatePool& pool);

}  // namespace mrascheck::sources

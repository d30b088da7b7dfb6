// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/config.hpp"
#include "core/deadline.hpp"
#include "core/evidence.hpp"
#include "core/open_table.hpp"
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

  /// The certificate that was remembered of the same base64; null when there is none. The hosts of a fleet export the
  /// same stores: what stands in a thousand files is decoded in the first one only.
  CertificateRef recall(std::string_view encoded);
  /// Bounded: when too much is to be remembered, all before is forgotten.
  void remember(std::string_view encoded, const CertificateRef& certificate);

  using Certificates = std::vector<CertificateRef>;
  /// The same of a whole text and all certificates in it, in their order; null when it is not remembered.
  std::shared_ptr<const Certificates> recall_all(std::string_view text);
  void remember_all(std::string_view text, Certificates certificates);

 private:
  struct Hash {
    std::size_t operator()(const Sha256& digest) const;
  };
  std::mutex mutex_;
  OpenTable<CertificateRef> known_;                         ///< by the SHA-256 that each carries
  std::unordered_map<Sha256, CrlRef, Hash> crls_by_bytes_;  ///< key: SHA-256 of the DER
  /// Of the end of a block, where the signature stands, which no two certificates share.
  struct EndHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view encoded) const;
  };
  std::unordered_map<std::string, CertificateRef, EndHash, std::equal_to<>> remembered_;  ///< key: base64
  struct Text {
    std::string text;
    Certificates certificates;
  };
  std::unordered_map<std::size_t, std::shared_ptr<const Text>> texts_;  ///< key: hash of the text's end
  std::size_t text_octets_ = 0;                                         ///< in texts_
};

/// Error: config, naming the source, never the secret; an empty one too, and a terminal behind "fd:". One trailing
/// newline is dropped. "file:" and "fd:" are bounded to 64 KiB. What a pipe behind "fd:" gave once is kept for the next
/// call; it must come within 5 s.
Result<Secret> read_secret(const SecretSource& source);

/// What stood in a file, of which as much may be let go as is done with.
class FileContent {
 public:
  FileContent(std::unique_ptr<std::uint8_t[]> bytes, std::size_t size) : bytes_(std::move(bytes)), size_(size) {}
  Bytes bytes() const { return {bytes_.get(), size_}; }
  /// The first `size` bytes are not looked at again: of a large file they become zero, and their memory is given back.
  void let_go(std::size_t size);

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_;
  std::size_t gone_ = 0;
};

/// As read_file.
Result<FileContent> read_content(const std::string& path, std::size_t limit = std::size_t{256} * 1024 * 1024);

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

/// What is installed on a server, by its exports; of each file one. `failed`: what could not be read, or says nothing.
struct FileFailure {
  std::string server;  ///< Server::name
  Error error;
};
std::vector<PatchExport> read_patches(const ServerFiles& files, std::vector<FileFailure>& failed);

/// All traces of a site together, as they are kept. `deadline`: what of a file is not read by then is a failure, and
/// what was read of it counts.
Traced read_traces(const std::vector<ServerFiles>& files, const Site& site, const Deadline& deadline,
                   std::vector<FileFailure>& failed);

}  // namespace mrascheck::sources

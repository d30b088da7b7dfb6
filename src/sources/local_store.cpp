// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "core/text.hpp"
#include "crypto/pkcs12.hpp"
#include "sources/descriptor.hpp"
#include "sources/hashed_names.hpp"
#include "sources/sources.hpp"
#include "stores/stores.hpp"
#include "x509/envelope.hpp"
#include "x509/scan.hpp"

namespace mrascheck::sources {

/// More files than this in one directory are a mistake in the path, not a store.
static constexpr std::size_t max_directory_entries = 200'000;

/// What one host exports. In a file beyond this, certificates are many, and other files are hardly of the same.
static constexpr std::size_t largest_usual_store = std::size_t{4} * 1024 * 1024;

static StoreKind kind_of(const Certificate& certificate, StoreKind configured) {
  if (configured != StoreKind::mixed) return configured;
  return certificate.may_be_self_signed() ? StoreKind::root : StoreKind::intermediate;
}

/// A PEM text from its first BEGIN line on, if nothing but plain text stands above, of which no reader takes notice;
/// else empty.
static std::string_view from_first_block(std::string_view text) {
  constexpr std::size_t longest_heading = 4'096;
  const std::size_t at = text.substr(0, longest_heading).find("-----");
  if (at == std::string_view::npos || !text.substr(at).starts_with("-----BEGIN ")) return {};
  const std::string_view heading = text.substr(0, at);
  if (!heading.empty() && heading.back() != '\n') return {};
  const auto plain = [](char c) { return (c >= ' ' && c <= '~') || c == '\t' || c == '\r' || c == '\n'; };
  return std::all_of(heading.begin(), heading.end(), plain) ? text.substr(at) : std::string_view{};
}

namespace {

/// One store as it is being read: what comes to it from each of its files.
class LocalStore {
 public:
  LocalStore(const StoreSource& source, StoreKind kind, CertificatePool& pool, StoreContents& contents)
      : source_(source), kind_(kind), pool_(pool), contents_(contents) {}

  void read(FileContent& content, const std::string& place) {
    const Bytes bytes = content.bytes();
    file_ = place;
    index_ = 0;
    const auto take_entry = [&](const stores::FoundEntry& found) { take(found); };
    if (std::optional<stores::Reading> reading = stores::read_store(bytes, take_entry)) {
      for (Unreadable& one : reading->unreadable)
        unreadable(one.place.empty() ? place : one.place, "", std::move(one.reason));
      for (const std::string& remark : reading->remarks)
        contents_.remarks.push_back(fmt::format("{}: {}", place, remark));
      if (!reading->truncated.empty()) cut_short(fmt::format("{}: {}", place, reading->truncated));
      return;
    }
    if (x509::looks_like_der(bytes) && x509::classify(bytes) == x509::DerKind::pkcs12) return read_pkcs12(bytes, place);
    const bool usual = bytes.size() <= largest_usual_store;
    // What a host writes above its export, its own name perhaps, is the only thing that may differ.
    const std::string_view blocks = usual ? from_first_block(as_text(bytes)) : std::string_view{};
    if (const auto known = blocks.empty() ? nullptr : pool_.recall_all(blocks)) {
      for (const CertificateRef& certificate : *known) keep({}, certificate);
      return;
    }
    CertificatePool::Certificates plain_ones;
    bool all_plain = true;
    const auto keep_found = [&](const x509::CertificateView& found) {
      content.let_go(found.behind);
      stores::FoundEntry plain;
      plain.der = found.der;
      plain.where = found.where;
      if (found.trust) {
        plain.properties.purposes = found.trust->purposes;
        plain.properties.rejected_purposes = found.trust->rejected;
        plain.properties.friendly_name = found.trust->alias;
      }
      const CertificateRef certificate = take(plain);
      all_plain = all_plain && certificate && !found.trust;
      if (all_plain) plain_ones.push_back(certificate);
      if (certificate && usual && !found.encoded.empty()) pool_.remember(found.encoded, certificate);
    };
    const auto keep_known = [&](const x509::CertificateView& found) {
      CertificateRef certificate = usual ? pool_.recall(found.encoded) : nullptr;
      if (!certificate) return false;
      if (all_plain) plain_ones.push_back(certificate);
      keep({}, std::move(certificate));
      return true;
    };
    x509::Scan scan = x509::scan_certificates(bytes, keep_found, keep_known);
    constexpr std::size_t worth_it = 8;
    if (!blocks.empty() && all_plain && plain_ones.size() >= worth_it && scan.crls.empty() && scan.unreadable.empty())
      pool_.remember_all(blocks, std::move(plain_ones));
    for (std::size_t i = 0; i < scan.crls.size(); ++i) {
      const x509::FoundCrl& found = scan.crls[i];
      Result<CrlRef> crl = pool_.intern_crl(found.der);
      if (crl) {
        contents_.crls.push_back({*std::move(crl), place, i});
      } else {
        unreadable(place, found.where, "not a revocation list: " + crl.error().text);
      }
    }
    for (Unreadable& one : scan.unreadable) unreadable(place, "", std::move(one.reason));
  }

  /// Why not everything was read, once for each file.
  void cut_short(const std::string& reason) {
    contents_.truncated += contents_.truncated.empty() ? reason : "; " + reason;
  }
  /// A file or directory that our own means could not read: nobody knows what stands in it.
  void unopened(const std::string& place, const std::string& reason) {
    unopened_.push_back(fmt::format("{}: {}", place, reason));
  }
  const std::vector<std::string>& unopened() const { return unopened_; }
  void unreadable(const std::string& place, const std::string& where, std::string reason) {
    contents_.unreadable.push_back({place, where.empty() ? std::move(reason) : fmt::format("{}: {}", where, reason)});
  }
  StoreContents& contents() { return contents_; }

 private:
  /// A locked file is a store that was not read, not one with a bad entry in it.
  void read_pkcs12(Bytes content, const std::string& place) {
    Result<std::optional<Secret>> passphrase = secret();
    if (!passphrase) return cut_short(fmt::format("{}: passphrase: {}", place, passphrase.error().text));
    const Result<crypto::Pkcs12> file = crypto::read_pkcs12(content, *passphrase ? &**passphrase : nullptr);
    if (!file) return cut_short(fmt::format("{}: a PKCS#12 file: {}", place, file.error().text));
    if (!file->old_encryption.empty()) {
      contents_.remarks.push_back(
          fmt::format("{}: old encryption {}, which hardly protects its private key: export it again with AES", place,
                      file->old_encryption));
    }
    for (std::size_t i = 0; i < file->certificates.size(); ++i) {
      stores::FoundEntry plain;
      plain.der = file->certificates[i].der;
      plain.where = fmt::format("certificate {} of the PKCS#12", i + 1);
      plain.properties.friendly_name = file->certificates[i].friendly_name;
      take(plain);
    }
    for (const std::string& trouble : file->trouble) unreadable(place, "", trouble);
    if (file->certificates.empty() && file->trouble.empty())
      unreadable(place, "", "a PKCS#12 file without any certificate");
  }

  Result<std::optional<Secret>> secret() const {
    if (!source_.passphrase) return std::optional<Secret>{};
    Result<Secret> passphrase = read_secret(*source_.passphrase);
    if (!passphrase) return tl::unexpected(std::move(passphrase).error());
    return std::optional<Secret>{*std::move(passphrase)};
  }

  /// Null when it is none.
  CertificateRef take(const stores::FoundEntry& found) {
    Result<CertificateRef> certificate = pool_.intern(found.der);
    if (certificate) {
      keep(found, *certificate);
      return *std::move(certificate);
    }
    if (found.dn.empty()) ++index_;
    unreadable(found.dn.empty() ? file_.str() : found.dn, found.where, certificate.error().text);
    return nullptr;
  }

  void keep(const stores::FoundEntry& found, CertificateRef certificate) {
    const std::size_t index = found.dn.empty() ? index_++ : found.index;
    const SharedText place = found.dn.empty() ? file_ : SharedText{found.dn};
    for (std::string& fault : stores::contradictions(found, *certificate))
      contents_.faults.push_back({place, std::move(fault)});
    const StoreKind decided = decide(found, *certificate);
    contents_.entries.push_back({std::move(certificate), decided, place, index, properties_.share(found.properties)});
  }

  /// What the export says decides where the configuration leaves it open. That a certificate is not to be trusted, or
  /// that it stands in no root store of the computer, is true whatever the configuration says.
  StoreKind decide(const stores::FoundEntry& found, const Certificate& certificate) const {
    if (!found.kind) return kind_of(certificate, kind_);
    const bool open = kind_ == StoreKind::mixed || kind_ == StoreKind::root || found.kind == StoreKind::disallowed;
    return open ? *found.kind : kind_;
  }

  const StoreSource& source_;
  StoreKind kind_;
  CertificatePool& pool_;
  StoreContents& contents_;
  PropertiesPool properties_;
  std::vector<std::string> unopened_;
  SharedText file_;  ///< that is being read
  std::size_t index_ = 0;
};

}  // namespace

/// The cause alone of an error text that begins with the path.
static std::string cause(const Error& error, const std::string& place) {
  const std::string prefix = place + ": ";
  return error.text.starts_with(prefix) ? error.text.substr(prefix.size()) : error.text;
}

/// False when the file could not be opened. Of one that a directory lists and that is not there, a link to nowhere,
/// there is nothing to be read.
static bool read_one_file(const std::string& path, bool listed, LocalStore& into) {
  const std::string place = printable(path);
  Result<FileContent> content = read_content(path);
  if (!content) {
    struct stat target {};
    if (listed && ::stat(path.c_str(), &target) != 0 && errno == ENOENT) {
      into.unreadable(place, "", error_text(ENOENT));
    } else {
      into.unopened(place, cause(content.error(), place));
    }
    return false;
  }
  into.read(*content, place);
  return true;
}

namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

using FileId = std::pair<dev_t, ino_t>;

struct Listing {
  std::vector<std::string> names;  ///< sorted
  std::size_t directories = 0;     ///< passed over
  bool cut = false;
  std::vector<std::pair<HashedName, FileId>> hashed;  ///< OpenSSL's; the files behind them, but for the dangling ones
  std::map<std::string, FileId> files;  ///< of `names`; empty where there are neither links nor hashed ones
};

}  // namespace

/// What is to be read in `path`, by name. Hidden names are passed over, directories too, and symbolic links to a file
/// of the same directory: OpenSSL's hashed names (openssl-rehash(1)) are no second place.
static Result<Listing> list_directory(const std::string& path) {
  const std::unique_ptr<DIR, CloseDirectory> directory{::opendir(path.c_str())};
  if (!directory) return fail(ErrorKind::local, error_text(errno));
  Listing listing;
  std::vector<std::pair<std::string, FileId>> links;
  const int number = ::dirfd(directory.get());
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());  // one thread has this DIR
    if (entry == nullptr) {
      if (errno != 0) return fail(ErrorKind::local, error_text(errno));
      break;
    }
    std::string name = entry->d_name;
    if (name.starts_with('.')) continue;
    if (listing.names.size() + links.size() == max_directory_entries) {
      listing.cut = true;
      break;
    }
    std::optional<HashedName> hashed = hashed_name(name);
    // Most are plain files, and most file systems say so without being asked for each.
    if (entry->d_type == DT_REG && !hashed) {
      listing.names.push_back(std::move(name));
      continue;
    }
    struct stat self {};
    struct stat target {};
    const bool known = ::fstatat(number, name.c_str(), &self, AT_SYMLINK_NOFOLLOW) == 0;
    if (known && S_ISLNK(self.st_mode)) {
      const bool there = ::fstatat(number, name.c_str(), &target, 0) == 0;
      if (there && S_ISDIR(target.st_mode)) {
        ++listing.directories;
        continue;
      }
      if (hashed) {
        hashed->dangling = !there && errno == ENOENT;
        listing.hashed.emplace_back(*hashed, FileId{target.st_dev, target.st_ino});
        if (hashed->dangling) continue;
      }
      if (there) {
        links.emplace_back(std::move(name), FileId{target.st_dev, target.st_ino});
        continue;
      }
    }
    if (known && S_ISDIR(self.st_mode)) {
      ++listing.directories;
      continue;
    }
    if (known && hashed && !S_ISLNK(self.st_mode))
      listing.hashed.emplace_back(*std::move(hashed), FileId{self.st_dev, self.st_ino});
    listing.names.push_back(std::move(name));  // a dangling link too: reading it says so
  }
  if (!links.empty() || !listing.hashed.empty()) {
    std::set<FileId> here;
    for (const std::string& name : listing.names) {
      struct stat self {};
      if (::fstatat(number, name.c_str(), &self, AT_SYMLINK_NOFOLLOW) != 0) continue;
      here.emplace(self.st_dev, self.st_ino);
      listing.files.emplace(name, FileId{self.st_dev, self.st_ino});
    }
    for (auto& [name, target] : links) {
      if (here.contains(target)) continue;
      listing.files.emplace(name, target);
      listing.names.push_back(std::move(name));
    }
  }
  std::sort(listing.names.begin(), listing.names.end());
  return listing;
}

static bool read_one_directory(const std::string& path, LocalStore& into) {
  const std::string place = printable(path);
  const Result<Listing> listing = list_directory(path);
  if (!listing) {
    into.unopened(place, listing.error().text);
    return false;
  }
  const auto found = [&into] { return into.contents().entries.size() + into.contents().crls.size(); };
  const std::size_t before = found();
  std::map<FileId, std::vector<CertificateRef>> certificates;  // behind hashed names
  for (const std::string& name : listing->names) {
    const std::size_t first = into.contents().entries.size();
    const std::string opened = fmt::format("{}{}{}", path, path.ends_with('/') ? "" : "/", name);
    read_one_file(opened, true, into);
    const auto file = listing->files.find(name);
    if (listing->hashed.empty() || file == listing->files.end()) continue;
    for (std::size_t i = first; i < into.contents().entries.size(); ++i)
      certificates[file->second].push_back(into.contents().entries[i].certificate);
  }
  std::vector<HashedName> hashed;
  for (const auto& [name, file] : listing->hashed) {
    hashed.push_back(name);
    const auto behind = certificates.find(file);
    if (!name.dangling && behind != certificates.end()) hashed.back().certificates = behind->second;
  }
  for (Unreadable& fault : faults_of(std::move(hashed), place)) into.contents().faults.push_back(std::move(fault));
  if (found() == before && into.unopened().empty()) into.unreadable(place, "", "no certificate in this directory");
  if (listing->cut)
    into.cut_short(fmt::format("{}: more than {} files: the rest is left out", place, max_directory_entries));
  if (listing->directories > 0) {
    into.contents().remarks.push_back(fmt::format("{}: {} in it left out, only files are read", place,
                                                  count(listing->directories, "directory", "directories")));
  }
  return true;
}

Result<StoreContents> read_local_store(const StoreSource& source, StoreKind kind, CertificatePool& pool) {
  StoreContents contents;
  contents.store = source.name;
  LocalStore store(source, kind, pool, contents);
  bool any_opened = false;
  for (const std::string& path : source.paths) {
    if (!contents.source.empty()) contents.source += ", ";
    contents.source += printable(path);
    struct stat status {};
    const bool directory = ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    const bool opened = directory ? read_one_directory(path, store) : read_one_file(path, false, store);
    any_opened = any_opened || opened;
  }
  const std::vector<std::string>& unopened = store.unopened();
  if (!any_opened && unopened.empty()) {
    return fail(ErrorKind::config, fmt::format("store {}: neither a path nor an LDAP URI", printable(source.name)));
  }
  if (unopened.empty()) return contents;
  std::string text = unopened.front();
  if (unopened.size() > 1) text += fmt::format(" (and {} more)", unopened.size() - 1);
  if (!any_opened) return fail(ErrorKind::local, std::move(text));
  store.cut_short(text);
  return contents;
}

}  // namespace mrascheck::sources

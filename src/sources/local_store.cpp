// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>

#include "core/text.hpp"
#include "sources/descriptor.hpp"
#include "sources/sources.hpp"
#include "x509/scan.hpp"

namespace mrascheck::sources {

/// More files than this in one directory are a mistake in the path, not a store.
static constexpr std::size_t max_directory_entries = 200'000;

static StoreKind kind_of(const Certificate& certificate, StoreKind configured) {
  if (configured != StoreKind::mixed) return configured;
  return certificate.self_issued() ? StoreKind::root : StoreKind::intermediate;
}

static void read_certificates(FileContent& content, const std::string& place, StoreKind kind, CertificatePool& pool,
                              StoreContents& into) {
  std::size_t index = 0;
  const auto take = [&](const x509::CertificateView& found) {
    const std::size_t i = index++;
    content.let_go(found.behind);
    Result<CertificateRef> certificate = pool.intern(found.der);
    if (certificate) {
      const StoreKind decided = kind_of(**certificate, kind);
      into.entries.push_back({*std::move(certificate), decided, place, i});
    } else if (found.where.empty()) {
      into.unreadable.push_back({place, certificate.error().text});
    } else {
      into.unreadable.push_back({place, fmt::format("{}: {}", found.where, certificate.error().text)});
    }
  };
  x509::Scan scan = x509::scan_certificates(content.bytes(), take);
  for (Unreadable& unreadable : scan.unreadable) into.unreadable.push_back({place, std::move(unreadable.reason)});
}

/// The cause alone of an error text that begins with the path.
static std::string cause(const Error& error, const std::string& place) {
  const std::string prefix = place + ": ";
  return error.text.starts_with(prefix) ? error.text.substr(prefix.size()) : error.text;
}

/// False when the file could not be opened.
static bool read_one_file(const std::string& path, StoreKind kind, CertificatePool& pool, StoreContents& into) {
  const std::string place = printable(path);
  Result<FileContent> content = read_content(path);
  if (!content) {
    into.unreadable.push_back({place, cause(content.error(), place)});
    return false;
  }
  read_certificates(*content, place, kind, pool, into);
  return true;
}

namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

struct Listing {
  std::vector<std::string> names;  ///< sorted
  std::size_t directories = 0;     ///< passed over
  bool cut = false;
};

using FileId = std::pair<dev_t, ino_t>;

}  // namespace

/// What is to be read in `path`, by name. Hidden names are passed over, directories too, and symbolic links to a file
/// of the same directory: OpenSSL's hashed names (openssl-rehash(1)) are no second place.
static Result<Listing> list_directory(const std::string& path) {
  const std::unique_ptr<DIR, CloseDirectory> directory{::opendir(path.c_str())};
  if (!directory) return fail(ErrorKind::local, error_text(errno));
  Listing listing;
  std::set<FileId> here;
  std::vector<std::pair<std::string, FileId>> links;
  const int number = ::dirfd(directory.get());
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());  // one thread has this DIR
    if (entry == nullptr) {
      if (errno != 0) return fail(ErrorKind::local, error_text(errno));
      break;
    }
    const std::string name = entry->d_name;
    if (name.starts_with('.')) continue;
    if (listing.names.size() + links.size() == max_directory_entries) {
      listing.cut = true;
      break;
    }
    struct stat self {};
    struct stat target {};
    const bool known = ::fstatat(number, name.c_str(), &self, AT_SYMLINK_NOFOLLOW) == 0;
    if (known && S_ISLNK(self.st_mode) && ::fstatat(number, name.c_str(), &target, 0) == 0) {
      if (S_ISDIR(target.st_mode)) {
        ++listing.directories;
      } else {
        links.emplace_back(name, FileId{target.st_dev, target.st_ino});
      }
      continue;
    }
    if (known && S_ISDIR(self.st_mode)) {
      ++listing.directories;
      continue;
    }
    if (known) here.emplace(self.st_dev, self.st_ino);
    listing.names.push_back(name);  // a dangling link too: reading it says so
  }
  for (auto& [name, target] : links) {
    if (!here.contains(target)) listing.names.push_back(std::move(name));
  }
  std::sort(listing.names.begin(), listing.names.end());
  return listing;
}

static bool read_one_directory(const std::string& path, StoreKind kind, CertificatePool& pool, StoreContents& into) {
  const std::string place = printable(path);
  const Result<Listing> listing = list_directory(path);
  if (!listing) {
    into.unreadable.push_back({place, listing.error().text});
    return false;
  }
  const std::size_t before = into.entries.size();
  for (const std::string& name : listing->names) {
    read_one_file(fmt::format("{}{}{}", path, path.ends_with('/') ? "" : "/", name), kind, pool, into);
  }
  if (into.entries.size() == before) into.unreadable.push_back({place, "no certificate in this directory"});
  if (listing->cut) {
    into.truncated = fmt::format("{}: more than {} files: the rest is left out", place, max_directory_entries);
  }
  if (listing->directories > 0) {
    into.remarks.push_back(fmt::format("{}: {} in it left out, only files are read", place,
                                       count(listing->directories, "directory", "directories")));
  }
  return true;
}

Result<StoreContents> read_local_store(const StoreSource& source, StoreKind kind, CertificatePool& pool) {
  StoreContents contents;
  contents.store = source.name;
  bool any_opened = false;
  for (const std::string& path : source.paths) {
    if (!contents.source.empty()) contents.source += ", ";
    contents.source += printable(path);
    struct stat status {};
    const bool directory = ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    const bool opened =
        directory ? read_one_directory(path, kind, pool, contents) : read_one_file(path, kind, pool, contents);
    any_opened = any_opened || opened;
  }
  if (any_opened) return contents;
  if (contents.unreadable.empty()) {
    return fail(ErrorKind::config, fmt::format("store {}: neither a path nor an LDAP URI", printable(source.name)));
  }
  const Unreadable& first = contents.unreadable.front();
  std::string text = fmt::format("{}: {}", first.place, first.reason);
  if (contents.unreadable.size() > 1) text += fmt::format(" (and {} more)", contents.unreadable.size() - 1);
  return fail(ErrorKind::local, std::move(text));
}

}  // namespace mrascheck::sources

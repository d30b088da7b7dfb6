// SPDX-License-Identifier: Apache-2.0
#include "yaml/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace mrascheck::yaml {
namespace {

std::string reason(int error) {
  return std::generic_category().message(error);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

/// Never waits: a pipe without a writer opens at once.
int open_to_read(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

}  // namespace

Result<TextFile> read_text_file(const std::string& path, std::size_t limit) {
  const Descriptor file{open_to_read(path)};
  if (file.get() < 0) return fail(ErrorKind::local, reason(errno));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail(ErrorKind::local, reason(errno));
  if (S_ISDIR(status.st_mode)) return fail(ErrorKind::local, "is a directory, a file is needed");
  if (!S_ISREG(status.st_mode)) return fail(ErrorKind::local, "is no regular file");
  TextFile result{{}, {status.st_dev, status.st_ino}};
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorKind::local, reason(errno));
    if (got == 0) return result;
    result.text.append(buffer.data(), static_cast<std::size_t>(got));
    if (result.text.size() > limit) return fail(ErrorKind::local, fmt::format("is larger than {} bytes", limit));
  }
}

std::string why_unreadable(const std::string& path, Expected expected) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return reason(errno);
  if (S_ISDIR(status.st_mode)) {
    if (expected != Expected::file_or_directory) return "is a directory, a file is needed";
    return ::faccessat(AT_FDCWD, path.c_str(), R_OK | X_OK, AT_EACCESS) == 0 ? std::string{} : reason(errno);
  }
  if (expected == Expected::secret && !S_ISREG(status.st_mode)) {
    return ::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) == 0 ? std::string{} : reason(errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return expected == Expected::file_or_directory ? "is neither a file nor a directory" : "is no regular file";
  }
  const Descriptor file{open_to_read(path)};
  return file.get() < 0 ? reason(errno) : std::string{};
}

std::string beside(const std::string& base, const std::string& path) {
  if (path.starts_with('/')) return path;
  const std::size_t slash = base.rfind('/');
  return slash == std::string::npos ? path : base.substr(0, slash + 1) + path;
}

}  // namespace mrascheck::yaml

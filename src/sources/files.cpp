// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/text.hpp"
#include "sources/descriptor.hpp"
#include "sources/sources.hpp"

namespace mrascheck::sources {

static tl::unexpected<Error> refuse(const std::string& path, std::string_view why) {
  return fail(ErrorKind::local, fmt::format("{}: {}", printable(path), why));
}

std::string error_text(int number) {
  return std::generic_category().message(number);
}

Result<std::size_t> read_some(int descriptor, std::uint8_t* into, std::size_t size) {
  while (true) {
    const ssize_t got = ::read(descriptor, into, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail(ErrorKind::local, error_text(errno));
  }
}

Result<ByteString> read_file(const std::string& path, std::size_t limit) {
  // A path with NUL in it would open another file than the one it names.
  if (path.find('\0') != std::string::npos) return refuse(path, "a path with a NUL in it");
  // O_NONBLOCK: opening a pipe without a writer must not wait for one.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (!file.open()) {
    return refuse(path, errno == ENXIO ? "a socket or a device, not a file" : error_text(errno));
  }
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) return refuse(path, error_text(errno));
  if (S_ISDIR(status.st_mode)) return refuse(path, "a directory, not a file");
  if (S_ISFIFO(status.st_mode)) return refuse(path, "a pipe, not a file");
  if (!S_ISREG(status.st_mode)) return refuse(path, "a device, not a file");
  const auto too_large = [&] { return refuse(path, fmt::format("larger than {} bytes", limit)); };
  if (status.st_size > 0 && static_cast<std::size_t>(status.st_size) > limit) return too_large();

  // One octet more than fstat says: the end is then seen without growing, and a file of size 0 (/proc) is read as well.
  ByteString content(static_cast<std::size_t>(status.st_size) + 1);
  std::size_t size = 0;
  while (true) {
    if (size == content.size()) content.resize(std::min(limit + 1, content.size() + 65'536));
    const Result<std::size_t> got = read_some(file.number(), content.data() + size, content.size() - size);
    if (!got) return refuse(path, got.error().text);
    if (*got == 0) break;
    size += *got;
    if (size > limit) return too_large();
  }
  content.resize(size);
  return content;
}

}  // namespace mrascheck::sources

// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <system_error>

#include "core/text.hpp"
#include "sources/descriptor.hpp"
#include "sources/memory.hpp"
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

/// Below this, giving memory back costs more than it saves.
static constexpr std::size_t large = std::size_t{4} * 1024 * 1024;

/// Fills what `room` gives, which is at least as many bytes as it is asked for, those before kept; how many there are.
static Result<std::size_t> read_into(const std::function<std::uint8_t*(std::size_t)>& room, const std::string& path,
                                     std::size_t limit) {
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
  std::size_t capacity = static_cast<std::size_t>(status.st_size) + 1;
  std::uint8_t* content = room(capacity);
  std::size_t size = 0;
  while (true) {
    if (size == capacity) {
      capacity = std::min(limit + 1, capacity + 65'536);
      content = room(capacity);
    }
    const Result<std::size_t> got = read_some(file.number(), content + size, capacity - size);
    if (!got) return refuse(path, got.error().text);
    if (*got == 0) return size;
    size += *got;
    if (size > limit) return too_large();
  }
}

Result<ByteString> read_file(const std::string& path, std::size_t limit) {
  ByteString content;
  const auto room = [&content](std::size_t size) {
    content.resize(size);
    return content.data();
  };
  const Result<std::size_t> size = read_into(room, path, limit);
  if (!size) return tl::unexpected(size.error());
  content.resize(*size);
  return content;
}

Result<FileContent> read_content(const std::string& path, std::size_t limit) {
  std::unique_ptr<std::uint8_t[]> content;
  std::size_t capacity = 0;
  const auto room = [&](std::size_t wanted) {
    auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(wanted);  // no zeros that the file overwrites
    if (wanted >= large) ask_for_large_pages(larger.get(), wanted);
    if (content) std::memcpy(larger.get(), content.get(), capacity);
    content = std::move(larger);
    capacity = wanted;
    return content.get();
  };
  const Result<std::size_t> size = read_into(room, path, limit);
  if (!size) return tl::unexpected(size.error());
  return FileContent{std::move(content), *size};
}

void FileContent::let_go(std::size_t size) {
  if (size < gone_ + large) return;
  const auto [begin, bytes] = whole_pages(bytes_.get() + gone_, size - gone_);
  ::madvise(begin, bytes, MADV_DONTNEED);  // advice: where it is not taken, nothing is lost but memory
  gone_ = size;
}

}  // namespace mrascheck::sources

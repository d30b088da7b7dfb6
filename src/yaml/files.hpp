// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "core/result.hpp"

namespace mrascheck::yaml {

struct TextFile {
  std::string text;
  std::pair<std::uint64_t, std::uint64_t> identity;  ///< device and inode: the same file under any name
};

/// A regular file of at most `limit` bytes. Error: local, the reason alone ("No such file or directory").
Result<TextFile> read_text_file(const std::string& path, std::size_t limit);

enum class Expected {
  file,
  file_or_directory,
  secret,  ///< a file, or a pipe: it is not opened, because what is read from a pipe is gone
};

/// Why `path` could not be read: "No such file or directory", "is a directory, a file is needed". Empty when it can.
std::string why_unreadable(const std::string& path, Expected expected);

/// `path` as seen from the directory of the file `base`.
std::string beside(const std::string& base, const std::string& path);

}  // namespace mrascheck::yaml

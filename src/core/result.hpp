// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace mrascheck {

/// Who must act on an error.
enum class ErrorKind {
  config,            ///< whoever wrote the configuration or the command line
  local,             ///< whoever runs this machine: files, permissions, libraries
  unreachable,       ///< the network, or the service behind it
  timed_out,         ///< the same, but nothing said no
  rejected_by_peer,  ///< the peer's administrator: it answered, and the answer was no
  rejected_by_us,    ///< the peer's administrator: what it sent is not acceptable
  malformed,         ///< whoever made the bytes
  bug,               ///< the authors of this program
};

/// `text` is one line, lower case, the thing first and the cause last: "fe1.pem: not a certificate: truncated at byte
/// 12".
struct Error {
  ErrorKind kind = ErrorKind::bug;
  std::string text;

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorKind kind, std::string text) {
  return tl::unexpected<Error>(Error{kind, std::move(text)});
}

}  // namespace mrascheck

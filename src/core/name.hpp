// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/bytes.hpp"

namespace mrascheck {

/// A distinguished name in its three forms.
struct Name {
  ByteString der;           ///< the RDNSequence as it stands in the certificate; what Windows compares
  std::string canonical;    ///< equal exactly when two names match by RFC 5280, 7.1; opaque, not for display
  std::string text;         ///< RFC 4514 order and escapes, printable; for people
  std::string common_name;  ///< the last CN, printable; empty when there is none

  bool empty() const { return canonical.empty(); }

  /// RFC 5280, 7.1: what decides whether one certificate may have issued another.
  friend bool matches(const Name& a, const Name& b) { return a.canonical == b.canonical; }
};

}  // namespace mrascheck

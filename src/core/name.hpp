// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/bytes.hpp"

namespace mrascheck {

/// A distinguished name in its three forms. It never changes once made, and copies share what it holds: a store of a
/// hundred thousand certificates has few names of issuers. What its members return lives as long as any copy.
class Name {
 public:
  struct Forms {
    Bytes der = {};                   ///< the RDNSequence as it stands in the certificate; what Windows compares
    std::string_view canonical = {};  ///< equal exactly when two names match by RFC 5280, 7.1; opaque, not for display
    std::string_view text = {};       ///< RFC 4514 order and escapes, printable; for people
    std::string_view common_name = {};  ///< the last CN, printable; empty when there is none
  };

  Name() = default;
  explicit Name(const Forms& forms);  ///< copies them; each shorter than 4 GiB

  Bytes der() const { return as_bytes(part(0, der_end_)); }
  std::string_view canonical() const { return part(der_end_, canonical_end_); }
  std::string_view text() const { return part(canonical_end_, text_end_); }
  std::string_view common_name() const { return part(text_end_, end_); }

  bool empty() const { return canonical().empty(); }
  /// Equal for names that match. Kept, since the letters of many names are far apart in memory.
  std::size_t hash() const { return hash_; }

  /// RFC 5280, 7.1: what decides whether one certificate may have issued another.
  friend bool matches(const Name& a, const Name& b) {
    return a.forms_ == b.forms_ || (a.hash_ == b.hash_ && a.canonical() == b.canonical());
  }
  /// Byte by byte, as Windows compares.
  friend bool same_bytes(const Name& a, const Name& b) {
    return a.forms_ == b.forms_ || as_text(a.der()) == as_text(b.der());
  }

 private:
  std::string_view part(std::uint32_t begin, std::uint32_t end) const { return {forms_.get() + begin, end - begin}; }

  std::shared_ptr<const char[]> forms_;  ///< one behind the other
  std::uint32_t der_end_ = 0;
  std::uint32_t canonical_end_ = 0;
  std::uint32_t text_end_ = 0;
  std::uint32_t end_ = 0;
  std::size_t hash_ = 0;
};

/// For containers whose keys are names that live elsewhere, at least as long: equal are those that match. The hash may
/// throw as far as a container knows, so that it keeps what it was told.
struct NameHash {
  std::size_t operator()(const Name* name) const { return name->hash(); }
};
struct NameEqual {
  bool operator()(const Name* a, const Name* b) const { return matches(*a, *b); }
};

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/result.hpp"

/// Strict DER (X.690, 10 and 11) as far as certificates need it: tag numbers up to 30, definite and minimal lengths.
/// Nothing here copies or allocates; every slice points into the bytes given.
namespace mrascheck::x509::der {

enum Tag : std::uint8_t {
  boolean = 0x01,
  integer = 0x02,
  bit_string = 0x03,
  octet_string = 0x04,
  null = 0x05,
  object_identifier = 0x06,
  utf8_string = 0x0c,
  numeric_string = 0x12,
  printable_string = 0x13,
  teletex_string = 0x14,
  ia5_string = 0x16,
  utc_time = 0x17,
  generalized_time = 0x18,
  universal_string = 0x1c,
  bmp_string = 0x1e,
  sequence = 0x30,
  set = 0x31,
};

constexpr std::uint8_t primitive(unsigned number) {
  return static_cast<std::uint8_t>(0x80U | number);
}
constexpr std::uint8_t constructed(unsigned number) {
  return static_cast<std::uint8_t>(0xa0U | number);
}

/// The first thing that was wrong, and where. Every method that reports returns false, so that a reader can return it.
class Trouble {
 public:
  explicit Trouble(Bytes whole) : whole_(whole) {}

  /// Names what is being read from here on; `part` must outlive this object.
  void enter(std::string_view part) { part_ = part; }

  bool at(const std::uint8_t* where, std::string_view what) {
    if (what_.empty()) {
      what_ = what;
      offset_ = static_cast<std::size_t>(where - whole_.data());
      blamed_ = part_;
    }
    return false;
  }
  bool at(Bytes where, std::string_view what) { return at(where.data(), what); }
  /// An element that does not fit into what holds it, `end` being the end of the latter. Before any enter() that is the
  /// whole input, which then was cut off.
  bool too_long(const std::uint8_t* where, const std::uint8_t* end) {
    if (part_.empty()) return at(end, "truncated");
    return at(where, "longer than what holds it");
  }

  /// Malformed: "validity: not a time at byte 97".
  Error error() const;

 private:
  Bytes whole_;
  std::string_view part_;
  std::string_view blamed_;
  std::string_view what_;
  std::size_t offset_ = 0;
};

struct Element {
  std::uint8_t tag = 0;
  Bytes content;
  Bytes whole;  ///< with tag and length
};

/// Walks the elements that stand one behind the other in some content.
class Reader {
 public:
  Reader(Bytes content, Trouble& trouble)
      : at_(content.data()), end_(content.data() + content.size()), trouble_(&trouble) {}

  bool empty() const { return at_ == end_; }
  /// The tag that comes next; 0, which no element of a certificate has, at the end.
  std::uint8_t peek() const { return empty() ? std::uint8_t{0} : *at_; }

  bool any(Element& into) {
    // Nearly all elements are short; what is not, and what is wrong, is looked at below.
    const auto left = static_cast<std::size_t>(end_ - at_);
    if (left < 2 || (at_[0] & 0x1fU) == 0x1fU || at_[1] >= 0x80U || left - 2 < at_[1]) return any_other(into);
    into.tag = at_[0];
    into.content = {at_ + 2, at_[1]};
    into.whole = {at_, std::size_t{2} + at_[1]};
    at_ += into.whole.size();
    return true;
  }
  /// `otherwise` is what to say when another tag stands here, or none: "not a SEQUENCE".
  bool take(std::uint8_t tag, Element& into, std::string_view otherwise) {
    return peek() == tag ? any(into) : trouble_->at(at_, otherwise);
  }
  /// False only after trouble; `found` says whether it was there.
  bool take_optional(std::uint8_t tag, Element& into, bool& found) {
    found = peek() == tag;
    return !found || any(into);
  }
  bool end(std::string_view otherwise) { return empty() || trouble_->at(at_, otherwise); }

  const std::uint8_t* position() const { return at_; }

 private:
  bool any_other(Element& into);

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  Trouble* trouble_;
};

/// Content of an INTEGER: at least one octet, none too many (X.690, 8.3.2).
bool check_integer(Bytes content, Trouble& trouble);
/// Content of an OBJECT IDENTIFIER, at most 128 octets (X.690, 8.19).
bool check_oid(Bytes content, Trouble& trouble);
/// Content of a BOOLEAN: 00 or FF (X.690, 11.1).
bool read_boolean(Bytes content, Trouble& trouble, bool& into);
/// Content of a BIT STRING without its first octet; padding must be zero (X.690, 11.2.1).
bool read_bits(Bytes content, Trouble& trouble, Bytes& octets, unsigned& unused);

/// "1.2.840.113549.1.1.11" of content that check_oid let through; arcs of any size.
std::string dotted(Bytes oid);

}  // namespace mrascheck::x509::der

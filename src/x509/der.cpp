// SPDX-License-Identifier: Apache-2.0
#include "x509/der.hpp"

#include <fmt/format.h>

#include <charconv>

namespace mrascheck::x509::der {

Error Trouble::error() const {
  if (blamed_.empty()) return {ErrorKind::malformed, fmt::format("{} at byte {}", what_, offset_)};
  return {ErrorKind::malformed, fmt::format("{}: {} at byte {}", blamed_, what_, offset_)};
}

bool Reader::any_other(Element& into) {
  const std::uint8_t* start = at_;
  if (end_ - at_ < 2) return trouble_->too_long(start, end_);
  into.tag = *at_++;
  if ((into.tag & 0x1fU) == 0x1fU) return trouble_->at(start, "a tag number above 30");
  std::size_t length = *at_++;
  if (length >= 0x80U) {
    const std::size_t octets = length & 0x7fU;
    if (octets == 0) return trouble_->at(start, "an indefinite length, which DER forbids");
    if (octets > 4) return trouble_->at(start, "an absurd length");
    if (static_cast<std::size_t>(end_ - at_) < octets) return trouble_->too_long(start, end_);
    length = 0;
    for (std::size_t i = 0; i < octets; ++i) length = length << 8U | *at_++;
    if (length < 0x80U || length >> (8U * (octets - 1)) == 0) {
      return trouble_->at(start, "a length in more octets than needed");
    }
  }
  if (static_cast<std::size_t>(end_ - at_) < length) return trouble_->too_long(start, end_);
  into.content = {at_, length};
  at_ += length;
  into.whole = {start, static_cast<std::size_t>(at_ - start)};
  return true;
}

bool check_integer(Bytes content, Trouble& trouble) {
  if (content.empty()) return trouble.at(content, "an empty INTEGER");
  if (content.size() > 1 && ((content[0] == 0x00 && content[1] < 0x80) || (content[0] == 0xff && content[1] >= 0x80))) {
    return trouble.at(content, "an INTEGER in more octets than needed");
  }
  return true;
}

bool check_oid(Bytes content, Trouble& trouble) {
  if (content.empty()) return trouble.at(content, "an empty object identifier");
  if (content.size() > 128) return trouble.at(content, "an object identifier of more than 128 octets");
  if ((content.back() & 0x80U) != 0) return trouble.at(content, "an object identifier that breaks off");
  std::uint8_t before = 0;
  for (const std::uint8_t& octet : content) {
    if (octet == 0x80 && before < 0x80) return trouble.at(&octet, "an object identifier in more octets than needed");
    before = octet;
  }
  return true;
}

bool read_boolean(Bytes content, Trouble& trouble, bool& into) {
  if (content.size() != 1 || (content[0] != 0x00 && content[0] != 0xff)) {
    return trouble.at(content, "a BOOLEAN that is neither 00 nor FF");
  }
  into = content[0] != 0;
  return true;
}

bool read_bits(Bytes content, Trouble& trouble, Bytes& octets, unsigned& unused) {
  if (content.empty()) return trouble.at(content, "an empty BIT STRING");
  unused = content[0];
  octets = content.subspan(1);
  if (unused > 7 || (unused > 0 && octets.empty())) return trouble.at(content, "a BIT STRING with wrong padding");
  if (unused > 0 && (octets.back() & ((1U << unused) - 1U)) != 0) {
    return trouble.at(content, "a BIT STRING whose padding is not zero");
  }
  return true;
}

static void append_number(std::string& text, std::uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
  text.append(digits, end);
}

/// An arc of more than 63 bits, such as those below 2.25 (X.667): base 128 to base 10, digit by digit.
static void append_big_number(std::string& text, Bytes arc, unsigned minus) {
  std::string digits = "0";  // least significant first
  for (const std::uint8_t octet : arc) {
    unsigned carry = octet & 0x7fU;
    for (char& digit : digits) {
      carry += static_cast<unsigned>(digit - '0') * 128U;
      digit = static_cast<char>('0' + carry % 10U);
      carry /= 10U;
    }
    for (; carry != 0; carry /= 10U) digits.push_back(static_cast<char>('0' + carry % 10U));
  }
  for (char& digit : digits) {
    const int left = digit - '0' - static_cast<int>(minus % 10U);
    minus /= 10U;
    if (left < 0) ++minus;
    digit = static_cast<char>('0' + (left < 0 ? left + 10 : left));
  }
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  text.append(digits.rbegin(), digits.rend());
}

std::string dotted(Bytes oid) {
  std::string text;
  text.reserve(32);
  while (!oid.empty()) {
    std::size_t length = 1;
    while ((oid[length - 1] & 0x80U) != 0) ++length;
    const Bytes arc = oid.first(length);
    oid = oid.subspan(length);
    std::uint64_t value = 0;
    if (length <= 9) {
      for (const std::uint8_t octet : arc) value = value << 7U | (octet & 0x7fU);
    }
    unsigned minus = 0;
    if (text.empty()) {  // X.690, 8.19.4: the first two arcs share a number
      const unsigned root = length > 1 || value >= 80 ? 2 : static_cast<unsigned>(value / 40);
      minus = root * 40;
      text.push_back(static_cast<char>('0' + root));
    }
    text.push_back('.');
    if (length <= 9) {
      append_number(text, value - minus);
    } else {
      append_big_number(text, arc, minus);
    }
  }
  return text;
}

}  // namespace mrascheck::x509::der

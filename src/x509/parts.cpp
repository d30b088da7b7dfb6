// SPDX-License-Identifier: Apache-2.0
#include "x509/parts.hpp"

#include <algorithm>

#include "x509/name_reader.hpp"

namespace mrascheck::x509 {

using der::Element;
using der::Reader;
using der::Trouble;

static constexpr std::size_t max_serial_octets = 64;  // RFC 5280, 4.1.2.2 allows 20; older ones are longer

static std::string serial_text(Bytes content) {
  while (content.size() > 1 && content[0] == 0) content = content.subspan(1);
  return to_hex(content);
}

bool take_serial(Reader& in, Trouble& trouble, std::string& into) {
  Element serial;
  if (!in.take(der::integer, serial, "not an INTEGER") || !der::check_integer(serial.content, trouble)) return false;
  if (serial.content.size() > max_serial_octets)
    return trouble.at(serial.whole, "a serial number of more than 64 octets");
  into = serial_text(serial.content);
  return true;
}

bool take_algorithm(Reader& in, Trouble& trouble, AlgorithmIdentifier& into) {
  Element sequence;
  Element oid;
  if (!in.take(der::sequence, sequence, "not an algorithm identifier")) return false;
  into.whole = sequence.whole;
  Reader inside(sequence.content, trouble);
  if (!inside.take(der::object_identifier, oid, "an algorithm without an object identifier") ||
      !der::check_oid(oid.content, trouble)) {
    return false;
  }
  into.oid = oid.content;
  into.parameters = {};
  if (inside.empty()) return true;
  Element parameters;
  if (!inside.any(parameters)) return false;
  into.parameters = parameters.whole;
  const bool null = parameters.tag == der::null && parameters.content.empty();
  const bool curve = parameters.tag == der::object_identifier;
  if (!null && !curve && parameters.tag != der::sequence) {
    return trouble.at(parameters.whole, "algorithm parameters of an unknown kind");
  }
  if (curve && !der::check_oid(parameters.content, trouble)) return false;
  return inside.end("something behind the algorithm parameters");
}

/// RFC 5280, 4.1.2.5: seconds are there, the zone is Z, no fraction. GeneralizedTime before 2050 is a CA's mistake that
/// relying parties live with.
bool take_time(Reader& in, Trouble& trouble, UtcTime& into) {
  Element time;
  const std::uint8_t tag = in.peek();
  if (tag != der::utc_time && tag != der::generalized_time) return trouble.at(in.position(), "not a time");
  if (!in.any(time)) return false;
  const std::size_t year_digits = tag == der::utc_time ? 2 : 4;
  const Bytes text = time.content;
  if (text.size() != year_digits + 11 || text.back() != 'Z' ||
      !std::all_of(text.begin(), text.end() - 1, [](std::uint8_t c) { return c >= '0' && c <= '9'; })) {
    return trouble.at(time.whole, "not a time");
  }
  const auto pair = [&text](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  int year = pair(0);
  year = tag == der::generalized_time ? year * 100 + pair(2) : year + (year < 50 ? 2000 : 1900);
  const std::size_t rest = year_digits;
  const std::chrono::year_month_day day{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(pair(rest))},
                                        std::chrono::day{static_cast<unsigned>(pair(rest + 2))}};
  const int hour = pair(rest + 4);
  const int minute = pair(rest + 6);
  const int second = pair(rest + 8);
  if (!day.ok() || hour > 23 || minute > 59 || second > 59) return trouble.at(time.whole, "a time that does not exist");
  into = std::chrono::sys_days{day} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second};
  return true;
}

bool take_general_name(Reader& in, Trouble& trouble, Element& into) {
  if (!in.any(into)) return false;
  switch (into.tag) {
    case der::constructed(0):  // otherName
    case der::primitive(1):    // rfc822Name
    case der::primitive(2):    // dNSName
    case der::constructed(3):  // x400Address
    case der::constructed(4):  // directoryName
    case der::constructed(5):  // ediPartyName
    case der::primitive(6):    // uniformResourceIdentifier
    case der::primitive(7):    // iPAddress
    case der::primitive(8):    // registeredID
      return true;
    default:
      return trouble.at(into.whole, "not a GeneralName");
  }
}

bool take_only_sequence(Bytes value, Trouble& trouble, Element& into) {
  Reader in(value, trouble);
  return in.take(der::sequence, into, "not a SEQUENCE") && in.end("something behind the extension's content");
}

bool take_extension(Reader& in, Trouble& trouble, Extension& into) {
  Element extension;
  Element oid;
  Element element;
  bool found = false;
  into.critical = false;
  if (!in.take(der::sequence, extension, "not a SEQUENCE")) return false;
  Reader inside(extension.content, trouble);
  if (!inside.take(der::object_identifier, oid, "an extension without an object identifier") ||
      !der::check_oid(oid.content, trouble) || !inside.take_optional(der::boolean, element, found) ||
      (found && !der::read_boolean(element.content, trouble, into.critical)) ||
      !inside.take(der::octet_string, element, "an extension without a value") ||
      !inside.end("something behind an extension's value")) {
    return false;
  }
  into.oid = oid.content;
  into.value = element.content;
  into.whole = extension.whole;
  return true;
}

bool read_authority_key_id(Bytes value, Trouble& trouble, AuthorityKeyId& id) {
  Element sequence;
  if (!take_only_sequence(value, trouble, sequence)) return false;
  Reader in(sequence.content, trouble);
  Element element;
  bool found = false;
  if (!in.take_optional(der::primitive(0), element, found)) return false;
  if (found) id.key_id.emplace(element.content.begin(), element.content.end());
  if (!in.take_optional(der::constructed(1), element, found)) return false;
  if (found) {
    Reader names(element.content, trouble);
    while (!names.empty()) {
      Element name;
      if (!take_general_name(names, trouble, name)) return false;
      if (name.tag != der::constructed(4) || id.issuer) continue;
      Reader inside(name.content, trouble);  // Name is a CHOICE: the tag is explicit
      if (!take_name(inside, trouble, id.issuer.emplace()) || !inside.end("something behind the name")) return false;
    }
  }
  if (!in.take_optional(der::primitive(2), element, found)) return false;
  if (found) {
    if (!der::check_integer(element.content, trouble)) return false;
    if (element.content.size() > max_serial_octets) {
      return trouble.at(element.whole, "a serial number of more than 64 octets");
    }
    id.serial = serial_text(element.content);
  }
  return in.end("not a part of it");
}

bool read_ca_version(Bytes value, Trouble& trouble, CaVersion& into) {
  Reader in(value, trouble);
  Element version;
  if (!in.take(der::integer, version, "not an INTEGER") || !der::check_integer(version.content, trouble) ||
      !in.end("something behind the INTEGER")) {
    return false;
  }
  Bytes octets = version.content;
  if ((octets[0] & 0x80U) != 0) return trouble.at(version.whole, "a negative version");
  if (octets[0] == 0) octets = octets.subspan(1);
  if (octets.size() > 4) return trouble.at(version.whole, "a version of more than 32 bits");
  std::uint32_t number = 0;
  for (const std::uint8_t octet : octets) number = number << 8U | octet;
  into = {.certificate_index = static_cast<std::uint16_t>(number & 0xffffU),
          .key_index = static_cast<std::uint16_t>(number >> 16U)};
  return true;
}

}  // namespace mrascheck::x509

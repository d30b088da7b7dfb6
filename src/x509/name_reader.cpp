// SPDX-License-Identifier: Apache-2.0
#include "x509/name_reader.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "x509/certificate_reader.hpp"

namespace mrascheck::x509 {

using namespace std::string_view_literals;

using der::Element;
using der::Reader;
using der::Trouble;

static constexpr std::size_t max_relative_names = 64;
static constexpr std::size_t max_attributes = 16;

static void append_utf8(std::string& text, char32_t c) {
  const auto push = [&text](char32_t octet) { text.push_back(static_cast<char>(octet)); };
  if (c < 0x80) {
    push(c);
  } else if (c < 0x800) {
    push(0xc0U | c >> 6U);
    push(0x80U | (c & 0x3fU));
  } else if (c < 0x10000) {
    push(0xe0U | c >> 12U);
    push(0x80U | (c >> 6U & 0x3fU));
    push(0x80U | (c & 0x3fU));
  } else {
    push(0xf0U | c >> 18U);
    push(0x80U | (c >> 12U & 0x3fU));
    push(0x80U | (c >> 6U & 0x3fU));
    push(0x80U | (c & 0x3fU));
  }
}

static constexpr char32_t no_character = 0xffffffff;

static bool is_character(char32_t c) {
  return c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

/// The character at the front of `text`, which is taken away; no_character for what is not UTF-8 (RFC 3629, 4).
static char32_t take_utf8(std::string_view& text) {
  const auto octet = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const char32_t lead = octet(0);
  std::size_t length = 1;
  char32_t c = lead;
  char32_t least = 0;
  if (lead >= 0x80) {
    if (lead >= 0xc2 && lead <= 0xdf) {
      length = 2, c = lead & 0x1fU, least = 0x80;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      length = 3, c = lead & 0x0fU, least = 0x800;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      length = 4, c = lead & 0x07U, least = 0x10000;
    } else {
      return no_character;
    }
    if (text.size() < length) return no_character;
    for (std::size_t i = 1; i < length; ++i) {
      if ((octet(i) & 0xc0U) != 0x80U) return no_character;
      c = c << 6U | (octet(i) & 0x3fU);
    }
    if (c < least || !is_character(c)) return no_character;
  }
  text.remove_prefix(length);
  return c;
}

static bool all_ascii(Bytes octets) {
  return std::all_of(octets.begin(), octets.end(), [](std::uint8_t octet) { return octet < 0x80; });
}

static bool wide_to_utf8(Bytes octets, std::size_t width, std::string& into) {
  if (octets.size() % width != 0) return false;
  for (; !octets.empty(); octets = octets.subspan(width)) {
    char32_t c = 0;
    for (std::size_t i = 0; i < width; ++i) c = c << 8U | octets[i];
    if (!is_character(c)) return false;  // BMPString has no surrogates (X.680, 41)
    append_utf8(into, c);
  }
  return true;
}

/// The text of a string element; nothing when it is none, or not of its type. It stands in the element itself or, where
/// its octets had to be changed, in `buffer`.
static std::optional<std::string_view> decode_string(const Element& element, std::string& buffer) {
  const std::string_view octets = as_text(element.content);
  buffer.clear();
  switch (element.tag) {
    case der::utf8_string:
      for (std::string_view rest = all_ascii(element.content) ? std::string_view{} : octets; !rest.empty();) {
        if (take_utf8(rest) == no_character) return std::nullopt;
      }
      return octets;
    case der::printable_string:
    case der::numeric_string:
    case der::teletex_string:
    case der::ia5_string:
      if (all_ascii(element.content)) return octets;
      for (const std::uint8_t octet : element.content) append_utf8(buffer, octet);
      return buffer;
    case der::bmp_string:
      if (!wide_to_utf8(element.content, 2, buffer)) return std::nullopt;
      return buffer;
    case der::universal_string:
      if (!wide_to_utf8(element.content, 4, buffer)) return std::nullopt;
      return buffer;
    default:
      return std::nullopt;
  }
}

std::optional<std::string> to_utf8(const Element& element) {
  std::string buffer;
  const std::optional<std::string_view> text = decode_string(element, buffer);
  if (!text) return std::nullopt;
  return std::string{*text};
}

static bool within(char32_t c, char32_t first, char32_t last) {
  return first <= c && c <= last;
}

/// RFC 4518, 2.2: what is mapped to a space.
static bool is_blank(char32_t c) {
  return within(c, 0x09, 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 || within(c, 0x2000, 0x200a) ||
         c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/// RFC 4518, 2.2: what is mapped to nothing. NUL and the other C0 and C1 controls stay, so that a name with one in it
/// never passes for the name without.
static bool is_dropped(char32_t c) {
  return c == 0xad || c == 0x34f || c == 0x1806 || within(c, 0x180b, 0x180e) || within(c, 0x200b, 0x200f) ||
         within(c, 0x202a, 0x202e) || within(c, 0x2060, 0x2063) || within(c, 0x206a, 0x206f) ||
         within(c, 0xfe00, 0xfe0f) || c == 0xfeff || within(c, 0xfff9, 0xfffc) || within(c, 0xe0001, 0xe007f);
}

static bool upper_is_even(char32_t c) {
  return within(c, 0x100, 0x12e) || within(c, 0x132, 0x136) || within(c, 0x14a, 0x176) || within(c, 0x460, 0x480) ||
         within(c, 0x48a, 0x4be) || within(c, 0x4d0, 0x52e) || within(c, 0x1e00, 0x1e94) || within(c, 0x1ea0, 0x1efe);
}
static bool upper_is_odd(char32_t c) {
  return within(c, 0x139, 0x147) || within(c, 0x179, 0x17d) || within(c, 0x4c1, 0x4cd);
}

/// Case folding by RFC 3454, table B.2, for Latin (ASCII, Latin-1, Extended-A, Extended Additional), Greek without the
/// polytonic block, Cyrillic, Armenian and the fullwidth letters. Other scripts with case, and the compatibility
/// normalisation of RFC 4518, 2.3 (NFKC), are left as they are: such names match only when written alike.
static void append_folded(std::string& text, char32_t c) {
  const auto push = [&text](char32_t folded) { append_utf8(text, folded); };
  if (within(c, 0xc0, 0xde) && c != 0xd7) return push(c + 0x20);
  if (c == 0xb5) return push(0x3bc);
  if (c == 0xdf || c == 0x1e9e) return push('s'), push('s');
  if (c == 0x130) return push('i'), push(0x307);
  if (c == 0x149) return push(0x2bc), push('n');
  if (c == 0x178) return push(0xff);
  if (c == 0x17f) return push('s');
  if (c == 0x386) return push(0x3ac);
  if (within(c, 0x388, 0x38a)) return push(c + 37);
  if (c == 0x38c) return push(0x3cc);
  if (c == 0x38e || c == 0x38f) return push(c + 63);
  if (within(c, 0x391, 0x3ab) && c != 0x3a2) return push(c + 32);
  if (c == 0x3c2) return push(0x3c3);
  if (within(c, 0x400, 0x40f)) return push(c + 80);
  if (within(c, 0x410, 0x42f)) return push(c + 32);
  if (c == 0x4c0) return push(0x4cf);
  if (within(c, 0x531, 0x556)) return push(c + 48);
  if (within(c, 0xff21, 0xff3a)) return push(c + 32);
  if ((upper_is_even(c) && c % 2 == 0) || (upper_is_odd(c) && c % 2 == 1)) return push(c + 1);
  push(c);
}

/// What becomes of an ASCII character in a canonical value: itself in lower case, or one of these two.
static constexpr char canonical_blank = ' ';
static constexpr char canonical_escaped = '\\';
static constexpr std::array<char, 128> canonical_ascii = [] {
  std::array<char, 128> table{};
  for (std::size_t c = 0; c < table.size(); ++c) {
    const bool upper = c >= 'A' && c <= 'Z';
    table[c] = static_cast<char>(upper ? c + ('a' - 'A') : c);
  }
  for (const char c : {'\t', '\n', '\v', '\f', '\r', ' '}) table[static_cast<unsigned char>(c)] = canonical_blank;
  for (const char c : {',', '+', '#', '\\'}) table[static_cast<unsigned char>(c)] = canonical_escaped;
  return table;
}();

/// What most values are: ASCII, single blanks between words, nothing to escape. False, and nothing done, for others.
static bool append_plain(std::string& into, std::string_view ascii) {
  const std::size_t begin = into.size();
  into.append(ascii);
  char before = canonical_blank;
  for (auto at = into.begin() + static_cast<std::ptrdiff_t>(begin); at != into.end(); ++at) {
    const auto octet = static_cast<unsigned char>(*at);
    const char c = octet < 0x80 ? canonical_ascii[octet] : canonical_escaped;
    if (c == canonical_escaped || (c == canonical_blank && before == canonical_blank)) {
      into.resize(begin);
      return false;
    }
    *at = before = c;
  }
  if (before != canonical_blank) return true;
  into.resize(begin);  // a blank at the end, or nothing at all
  return false;
}

/// RFC 5280, 7.1, with the insignificant spaces of RFC 4518, 2.6.1, left out at both ends and one between words.
static void append_canonical_value(std::string& into, std::string_view utf8) {
  // Table B.2 turns no character into more than three times its octets; an escape is twice, a blank at most once its
  // own.
  const std::size_t begin = into.size();
  if (append_plain(into, utf8)) return;
  std::string wide;
  bool blank = false;
  into.resize(begin + 3 * utf8.size());
  char* out = into.data() + begin;
  const char* const start = out;
  while (!utf8.empty()) {
    const auto octet = static_cast<unsigned char>(utf8.front());
    char c = '\0';
    wide.clear();
    if (octet < 0x80) {
      utf8.remove_prefix(1);
      c = canonical_ascii[octet];
    } else {
      const char32_t character = take_utf8(utf8);
      if (is_dropped(character)) continue;
      if (is_blank(character)) {
        c = canonical_blank;
      } else {
        append_folded(wide, character);
      }
    }
    if (c == canonical_blank) {
      blank = out != start;
      continue;
    }
    if (blank) *out++ = ' ';
    blank = false;
    if (!wide.empty()) {
      out = std::copy(wide.begin(), wide.end(), out);
    } else if (c == canonical_escaped) {
      *out++ = '\\';
      *out++ = static_cast<char>(octet);
    } else {
      *out++ = c;
    }
  }
  into.resize(static_cast<std::size_t>(out - into.data()));
}

static void append_hex(std::string& text, Bytes octets) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::size_t at = text.size();
  text.resize(at + 2 * octets.size());
  for (const std::uint8_t octet : octets) {
    text[at++] = digits[octet >> 4U];
    text[at++] = digits[octet & 0x0fU];
  }
}

namespace {

struct KnownAttribute {
  std::string_view oid;        ///< its content octets
  std::string_view name;       ///< RFC 4514, 3, and beyond its table the descriptors of RFC 4519 and RFC 2985
  std::string_view canonical;  ///< the OID in hexadecimal and '='
};

}  // namespace

/// The usual ones first.
static constexpr KnownAttribute known_attributes[] = {
    {"\x55\x04\x03"sv, "CN", "550403="},
    {"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"sv, "DC", "0992268993f22c640119="},
    {"\x55\x04\x0a"sv, "O", "55040a="},
    {"\x55\x04\x0b"sv, "OU", "55040b="},
    {"\x55\x04\x06"sv, "C", "550406="},
    {"\x55\x04\x07"sv, "L", "550407="},
    {"\x55\x04\x08"sv, "ST", "550408="},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"sv, "emailAddress", "2a864886f70d010901="},
    {"\x55\x04\x05"sv, "serialNumber", "550405="},
    {"\x55\x04\x04"sv, "SN", "550404="},
    {"\x55\x04\x09"sv, "STREET", "550409="},
    {"\x55\x04\x0c"sv, "title", "55040c="},
    {"\x55\x04\x2a"sv, "givenName", "55042a="},
    {"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"sv, "UID", "0992268993f22c640101="},
};

static const KnownAttribute* find_attribute(Bytes oid) {
  for (const KnownAttribute& known : known_attributes) {
    if (known.oid.size() == oid.size() && known.oid.back() == static_cast<char>(oid.back()) &&
        known.oid == as_text(oid)) {
      return &known;
    }
  }
  return nullptr;
}

static constexpr std::array<bool, 256> special = [] {
  std::array<bool, 256> table{};
  for (const char c : "\"+,;<>\\\0"sv) table[static_cast<unsigned char>(c)] = true;
  return table;
}();
static bool is_special(char c) {
  return special[static_cast<unsigned char>(c)];
}

/// RFC 4514, 2.4.
static void append_escaped(std::string& text, std::string_view value) {
  if (value.empty()) return;
  const bool odd_ends = value.front() == ' ' || value.front() == '#' || value.back() == ' ';
  if (!odd_ends && std::none_of(value.begin(), value.end(), is_special)) {
    text += value;
    return;
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '\0') {
      text += "\\00";
      continue;
    }
    const bool at_start = i == 0 && (c == ' ' || c == '#');
    const bool at_end = i + 1 == value.size() && c == ' ';
    if (at_start || at_end || is_special(c)) text.push_back('\\');
    text.push_back(c);
  }
}

/// printable() without its work where there is nothing to do.
static void make_printable(std::string& text) {
  const bool plain =
      text.size() <= 512 && std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (!plain) text = printable(text);
}

namespace {

/// One AttributeTypeAndValue, decoded into buffers that the next one reuses.
struct Attribute {
  Bytes type;
  const KnownAttribute* known = nullptr;
  Element value;
  bool is_string = false;
  std::string_view utf8;  ///< in the certificate or in `buffer`
  std::string buffer;
};

}  // namespace

static bool take_attribute(Reader& in, Trouble& trouble, Attribute& into) {
  Element pair;
  if (!in.take(der::sequence, pair, "not an attribute of a name")) return false;
  Reader inside(pair.content, trouble);
  Element type;
  if (!inside.take(der::object_identifier, type, "an attribute without a type")) return false;
  into.type = type.content;
  into.known = type.content.empty() ? nullptr : find_attribute(type.content);
  if ((into.known == nullptr && !der::check_oid(type.content, trouble)) || !inside.any(into.value) ||
      !inside.end("something behind the value of an attribute")) {
    return false;
  }
  into.is_string = into.value.tag != der::bit_string;
  if (into.is_string) {
    const std::optional<std::string_view> text = decode_string(into.value, into.buffer);
    if (!text) return trouble.at(into.value.whole, "an attribute value that is not the text its type says");
    into.utf8 = *text;
    return true;
  }
  Bytes octets;
  unsigned unused = 0;
  return der::read_bits(into.value.content, trouble, octets, unused);
}

static void append_canonical(std::string& into, const Attribute& attribute) {
  if (attribute.known != nullptr) {
    into += attribute.known->canonical;
  } else {
    append_hex(into, attribute.type);
    into.push_back('=');
  }
  if (attribute.is_string) {
    append_canonical_value(into, attribute.utf8);
  } else {
    into.push_back('#');
    append_hex(into, attribute.value.whole);
  }
}

static void append_text(std::string& into, const Attribute& attribute) {
  if (attribute.known == nullptr) {
    into += der::dotted(attribute.type);
  } else {
    into += attribute.known->name;
  }
  into.push_back('=');
  if (attribute.is_string && attribute.known != nullptr) {
    append_escaped(into, attribute.utf8);
  } else {  // RFC 4514, 2.4: a type without a name has its value in hexadecimal
    into.push_back('#');
    append_hex(into, attribute.value.whole.first(std::min<std::size_t>(attribute.value.whole.size(), 256)));
  }
}

static bool is_common_name(Bytes type) {
  return type.size() == 3 && type[0] == 0x55 && type[1] == 0x04 && type[2] == 0x03;
}

/// Appends one RelativeDistinguishedName to `canonical` and `text`. RFC 5280, 7.1 compares its attributes as a set.
static bool take_relative_name(Reader& in, Trouble& trouble, Attribute& attribute, std::string& canonical,
                               std::string& text, std::string& common_name) {
  Element set;
  if (!in.take(der::set, set, "not a relative name")) return false;
  Reader inside(set.content, trouble);
  if (inside.empty()) return trouble.at(set.whole, "an empty relative name");
  std::size_t count = 0;
  std::vector<std::string> several;
  do {
    if (++count > max_attributes) return trouble.at(inside.position(), "more than 16 attributes in one relative name");
    if (!take_attribute(inside, trouble, attribute)) return false;
    if (count > 1) text.push_back('+');
    append_text(text, attribute);
    if (attribute.is_string && is_common_name(attribute.type)) common_name = attribute.utf8;
    if (count == 1 && inside.empty()) {
      append_canonical(canonical, attribute);
      return true;
    }
    append_canonical(several.emplace_back(), attribute);
  } while (!inside.empty());
  std::sort(several.begin(), several.end());
  for (std::size_t i = 0; i < several.size(); ++i) {
    if (i > 0) canonical.push_back('+');
    canonical += several[i];
  }
  return true;
}

static bool decode_name(const Element& name, Trouble& trouble, Name& into) {
  Reader inside(name.content, trouble);
  Attribute attribute;
  // Put together here and copied in the end, so that the next name finds the room ready.
  thread_local std::string canonical;
  thread_local std::string forward;
  thread_local std::string text;
  thread_local std::string common_name;
  for (std::string* part : {&canonical, &forward, &text, &common_name}) part->clear();
  std::array<std::size_t, max_relative_names + 1> starts{};
  std::size_t count = 0;
  while (!inside.empty()) {
    if (count == max_relative_names) return trouble.at(inside.position(), "more than 64 relative names");
    if (count > 0) canonical.push_back(',');
    if (!take_relative_name(inside, trouble, attribute, canonical, forward, common_name)) return false;
    starts[++count] = forward.size();
  }
  for (std::size_t i = count; i > 0; --i) {  // RFC 4514, 2.1: the last relative name comes first
    if (i < count) text.push_back(',');
    text.append(forward, starts[i - 1], starts[i] - starts[i - 1]);
  }
  make_printable(text);
  make_printable(common_name);
  into = Name{{.der = name.whole, .canonical = canonical, .text = text, .common_name = common_name}};
  return true;
}

bool take_name(Reader& in, Trouble& trouble, Name& into) {
  Element name;
  return in.take(der::sequence, name, "not a name") && decode_name(name, trouble, into);
}

bool take_name(Reader& in, Trouble& trouble, Name& into, const Name& known) {
  Element name;
  if (!in.take(der::sequence, name, "not a name")) return false;
  if (as_text(name.whole) != as_text(known.der())) return decode_name(name, trouble, into);
  into = known;
  return true;
}

bool take_name(Reader& in, Trouble& trouble, Name& into, const KnownNames& known, bool& found) {
  Element name;
  if (!in.take(der::sequence, name, "not a name")) return false;
  const Name* const same = known.find(name.whole);
  found = same != nullptr;
  if (!found) return decode_name(name, trouble, into);
  into = *same;
  return true;
}

static constexpr std::size_t known_names = 4'096;

/// Names of one site differ near their ends and in their lengths, if anywhere.
std::size_t KnownNames::place_of(Bytes der) {
  std::size_t place = der.size();
  for (const std::uint8_t octet : der.last(std::min<std::size_t>(der.size(), 16))) place = place * 31 + octet;
  return place % known_names;
}

const Name* KnownNames::find(Bytes der) const {
  if (names_.empty()) return nullptr;
  const Name& known = names_[place_of(der)];
  return as_text(known.der()) == as_text(der) ? &known : nullptr;
}

void KnownNames::keep(const Name& name) {
  constexpr std::size_t most_octets = 1'024;
  if (name.der().size() > most_octets) return;
  if (names_.empty()) names_.resize(known_names);
  names_[place_of(name.der())] = name;
}

Result<Name> read_name(Bytes der) {
  Trouble trouble(der);
  Name name;
  if (der.size() > max_certificate_size) {
    return fail(ErrorKind::malformed, "larger than 256 KiB");
  }
  Reader in(der, trouble);
  if (!take_name(in, trouble, name) || !in.end("something behind the name")) return tl::unexpected(trouble.error());
  return name;
}

}  // namespace mrascheck::x509

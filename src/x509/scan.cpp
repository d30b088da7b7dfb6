// SPDX-License-Identifier: Apache-2.0
#include "x509/scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>

#include "core/text.hpp"
#include "x509/der.hpp"
#include "x509/envelope.hpp"

namespace mrascheck::x509 {

using namespace std::string_view_literals;

static constexpr std::size_t max_file_size = std::size_t{256} * 1024 * 1024;
static constexpr std::size_t max_certificates = 200'000;
static constexpr std::size_t max_crls = 10'000;
static constexpr std::size_t max_complaints = 1'000;

namespace {

/// Collects what is found, within the bounds.
class Collector {
 public:
  Collector(Scan& scan, const TakeCertificate& take, const TakeKnown& take_known, Bytes content)
      : scan_(scan), take_(take), take_known_(take_known), content_(content) {}

  /// Whether the caller has taken what `encoded` holds.
  bool known(std::string_view encoded, const std::string& where) {
    if (!take_known_ || certificates_ == max_certificates) return false;
    if (!take_known_({.der = {}, .where = where, .trust = {}, .behind = behind_, .encoded = encoded})) return false;
    ++certificates_;
    return true;
  }
  void certificate(Bytes der, std::string where, std::shared_ptr<const TrustSettings> trust = {},
                   std::string_view encoded = {}) {
    if (certificates_ < max_certificates) {
      ++certificates_;
      const std::less<> before;
      const bool inside = !before(der.data(), content_.data()) && before(der.data(), content_.data() + content_.size());
      const std::size_t offset = inside ? static_cast<std::size_t>(der.data() - content_.data()) : 0;
      take_({der, std::move(where), std::move(trust), std::max(offset, behind_), encoded});
    } else {
      ++certificates_left_out_;
    }
  }
  void crl(Bytes der, std::string where) {
    if (scan_.crls.size() < max_crls) {
      scan_.crls.push_back({{der.begin(), der.end()}, std::move(where)});
    } else {
      ++crls_left_out_;
    }
  }
  void complain(std::string reason) {
    if (scan_.unreadable.size() < max_complaints) {
      scan_.unreadable.push_back({{}, std::move(reason)});
    } else {
      ++complaints_left_out_;
    }
  }
  /// Something whole that holds no certificate; worth a word only when nothing else does.
  void other(std::string_view what) {
    if (other_.empty()) other_ = what;
  }
  void private_key() { scan_.private_keys = true; }
  /// From here on, only what stands behind the first `size` bytes of the content is looked at. Of certificates that
  /// stand in the content itself this is known.
  void behind(std::size_t size) { behind_ = size; }
  /// For what one block holds.
  ByteString& buffer() { return buffer_; }
  bool full() const { return certificates_left_out_ > 0; }

  void finish(std::string_view when_nothing) {
    if (certificates_left_out_ > 0)
      complain(fmt::format("more than {} certificates: the rest is left out", max_certificates));
    if (crls_left_out_ > 0) complain(fmt::format("more than {} revocation lists: the rest is left out", max_crls));
    if (complaints_left_out_ > 0) {
      scan_.unreadable.back() = {{}, fmt::format("and {} more bad blocks", complaints_left_out_ + 1)};
    }
    if (certificates_ > 0 || !scan_.crls.empty() || !scan_.unreadable.empty()) return;
    if (!other_.empty()) {
      complain(fmt::format("no certificate in it, only {}", other_));
    } else if (scan_.private_keys) {
      complain("no certificate in it, only a private key");
    } else {
      complain(std::string{when_nothing});
    }
  }

 private:
  Scan& scan_;
  const TakeCertificate& take_;
  const TakeKnown& take_known_;
  Bytes content_;
  std::size_t behind_ = 0;
  ByteString buffer_;
  std::size_t certificates_ = 0;
  std::size_t certificates_left_out_ = 0;
  std::size_t crls_left_out_ = 0;
  std::size_t complaints_left_out_ = 0;
  std::string other_;
};

}  // namespace

/// "block 3: certificate 2" of its parts; either may be empty.
static std::string join(std::string_view where, std::string_view inner) {
  if (where.empty() || inner.empty()) return std::string{where.empty() ? inner : where};
  return fmt::format("{}, {}", where, inner);
}

static std::string about(std::string_view where, std::string_view reason) {
  return where.empty() ? std::string{reason} : fmt::format("{}: {}", where, reason);
}

static void scan_envelope(Bytes der, const std::string& where, Collector& into) {
  Envelope envelope = open_pkcs7(der);
  for (std::size_t i = 0; i < envelope.certificates.size() && !into.full(); ++i) {
    into.certificate(envelope.certificates[i], join(where, "certificate " + std::to_string(i + 1) + " of the PKCS#7"));
  }
  for (std::size_t i = 0; i < envelope.crls.size(); ++i) {
    into.crl(envelope.crls[i], join(where, fmt::format("revocation list {} of the PKCS#7", i + 1)));
  }
  if (!envelope.trouble.empty()) {
    into.complain(about(where, envelope.trouble));
  } else if (envelope.certificates.empty() && envelope.crls.empty()) {
    into.complain(about(where, "a PKCS#7 without any certificate"));
  }
}

/// What is not a certificate, in words that say what to do about it.
static std::string_view advice(DerKind kind) {
  switch (kind) {
    case DerKind::pkcs12:
      return "a PKCS#12 file: export the certificates as PEM or PKCS#7";
    case DerKind::private_key:
      return "a private key, not a certificate";
    case DerKind::request:
      return "a certificate request, not a certificate: it has not been issued yet";
    case DerKind::public_key:
      return "a bare public key, not a certificate";
    case DerKind::other_pkcs7:
      return "a PKCS#7 of another kind than signed data: export the certificates as PEM or PKCS#7";
    default:
      return "DER, but not a certificate";
  }
}

/// Where the next whole certificate of 256 bytes to 64 KiB begins, from `from` on; the end when there is none, or when
/// too much looks like one. How to go on behind a damaged length.
static std::size_t next_certificate(Bytes all, std::size_t from) {
  constexpr std::size_t most_tried = 4'096;
  static constexpr std::string_view sequence_of_two_octets = "\x30\x82"sv;
  const std::string_view text = as_text(all);
  std::size_t tried = 0;
  for (std::size_t at = text.find(sequence_of_two_octets, from); at != std::string_view::npos;
       at = text.find(sequence_of_two_octets, at + 1)) {
    if (all.size() - at < 6 || ++tried > most_tried) break;
    const std::size_t size = std::size_t{4} + (std::size_t{all[at + 2]} << 8U | all[at + 3]);
    const bool definite_inside = all[at + 4] == der::sequence && all[at + 5] != 0x80;
    if (size <= all.size() - at && definite_inside && classify(all.subspan(at, size)) == DerKind::certificate)
      return at;
  }
  return all.size();
}

/// One or more DER structures, one behind the other. `where` is the PEM block and `encoded` its base64, or empty.
static void scan_der(Bytes der, const std::string& where, Collector& into, std::string_view encoded = {}) {
  // Transfers in text mode and old tools leave these at the end.
  const auto padding = [](std::uint8_t c) { return c == 0x00 || c == '\r' || c == '\n' || c == 0x1a; };
  // The certificates of a PKCS#7 that is cut off are found, and what else stands in it is no further damage.
  static constexpr std::string_view signed_data = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"sv;
  const bool pkcs7 =
      as_text(der.first(std::min<std::size_t>(der.size(), 32))).find(signed_data) != std::string_view::npos;
  std::size_t number = 0;
  const Bytes all = der;
  while (!der.empty() && !into.full()) {
    ++number;
    const std::size_t offset = all.size() - der.size();
    const auto here = [&](bool alone) {
      return alone ? where
                   : join(where, fmt::format("certificate {} of {}", number, where.empty() ? "the file" : "it"));
    };
    const DerSize size = der_size(der);
    if (!size.whole) {
      const bool alone = number == 1;
      const Bytes behind = all.subspan(next_certificate(all, offset + 1));
      if (pkcs7 && !alone && behind.empty()) return;
      if (size.announced > der.size()) {
        into.complain(
            about(here(alone), fmt::format("truncated: {} of {} bytes are there", der.size(), size.announced)));
      } else if (alone) {
        into.complain(about(where, "not DER"));
      } else {
        into.complain(about(
            where, fmt::format("{} at its end that are not DER, from byte {} on", count(der.size(), "byte"), offset)));
      }
      der = behind;
      continue;
    }
    const Bytes element = der.first(*size.whole);
    der = der.subspan(*size.whole);
    if (std::all_of(der.begin(), der.end(), padding)) der = {};
    const bool alone = number == 1 && der.empty();
    switch (const DerKind kind = classify(element)) {
      case DerKind::certificate:
        into.certificate(element, here(alone), {}, alone ? encoded : std::string_view{});
        break;
      case DerKind::crl:
        into.crl(element, here(alone));
        break;
      case DerKind::signed_data:
        scan_envelope(element, here(alone), into);
        break;
      default:
        if (kind == DerKind::private_key) into.private_key();
        into.complain(about(here(alone), advice(kind)));
    }
  }
}

/// What base64 makes of each octet: a digit's value, or one of these.
static constexpr std::int8_t base64_foreign = -1;
static constexpr std::int8_t base64_blank = -2;
static constexpr std::int8_t base64_padding = -3;
static constexpr std::array<std::int8_t, 256> base64_values = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(base64_foreign);
  std::int8_t next = 0;
  for (const char c : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"sv) {
    values[static_cast<unsigned char>(c)] = next++;
  }
  for (const char c : " \t\r\n\v\f"sv) values[static_cast<unsigned char>(c)] = base64_blank;
  values[static_cast<unsigned char>('=')] = base64_padding;
  return values;
}();

/// What each of four digits adds to the three octets that they make together, as these stand in memory. An octet more
/// tells that it was no digit. So a group is put together without a branch.
using Group = std::array<std::uint8_t, 4>;
static constexpr std::array<std::array<Group, 256>, 4> base64_groups = [] {
  std::array<std::array<Group, 256>, 4> groups{};
  for (std::size_t place = 0; place < groups.size(); ++place) {
    for (std::size_t c = 0; c < base64_values.size(); ++c) {
      const auto value = static_cast<std::uint32_t>(base64_values[c]) << (18 - 6 * place);
      if (base64_values[c] < 0) {
        groups[place][c] = {0, 0, 0, 0xff};
      } else {
        groups[place][c] = {static_cast<std::uint8_t>(value >> 16U), static_cast<std::uint8_t>(value >> 8U),
                            static_cast<std::uint8_t>(value), 0};
      }
    }
  }
  return groups;
}();
static constexpr std::uint32_t no_group = std::bit_cast<std::uint32_t>(Group{0, 0, 0, 0xff});

namespace {

/// As Base64, its bytes in a buffer that the next block may have again.
struct Decoded {
  Bytes bytes;
  std::string trouble;
  std::size_t offset = 0;
};

}  // namespace

static Decoded decode_base64(std::string_view text, ByteString& buffer) {
  Decoded result;
  buffer.resize(std::max(buffer.size(), text.size() / 4 * 3 + 4));
  std::uint8_t* out = buffer.data();
  const auto put = [&out](std::uint32_t octet) { *out++ = static_cast<std::uint8_t>(octet); };
  const auto octet_at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto added = [&](std::size_t place, std::size_t i) {
    return std::bit_cast<std::uint32_t>(base64_groups[place][octet_at(i)]);
  };
  std::uint32_t group = 0;
  unsigned digits = 0;
  unsigned padding = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (digits == 0 && padding == 0) {
      while (text.size() - i >= 4) {
        const std::uint32_t octets = added(0, i) | added(1, i + 1) | added(2, i + 2) | added(3, i + 3);
        if ((octets & no_group) != 0) break;  // a blank, a '=' or worse is among them: one by one
        std::memcpy(out, &octets, sizeof octets);
        out += 3;
        i += 4;
      }
      if (i == text.size()) break;
    }
    const std::int8_t value = base64_values[octet_at(i)];
    if (value == base64_blank) continue;
    if (value == base64_foreign || (value >= 0 && padding > 0) ||
        (value == base64_padding && (digits < 2 || digits + padding >= 4))) {
      result.trouble = value == base64_foreign ? fmt::format("not base64: '{}'", printable(text.substr(i, 1)))
                                               : "not base64: misplaced '='";
      if (value >= 0) result.trouble = "not base64: something behind the '='";
      result.offset = i;
      return result;
    }
    if (value == base64_padding) {
      ++padding;
      continue;
    }
    group = group << 6U | static_cast<std::uint32_t>(value);
    if (++digits == 4) {
      put(group >> 16U), put(group >> 8U), put(group);
      group = 0;
      digits = 0;
    }
  }
  if (digits == 1 || (digits > 1 && digits + padding != 4)) {
    result.trouble = "not base64: it breaks off";
    result.offset = std::min(text.find_last_not_of(" \t\r\n\v\f"), text.size());
  } else if (digits == 2) {
    put(group >> 4U);
  } else if (digits == 3) {
    put(group >> 10U), put(group >> 2U);
  }
  result.bytes = Bytes{buffer}.first(static_cast<std::size_t>(out - buffer.data()));
  return result;
}

Base64 decode_base64(std::string_view text) {
  ByteString buffer;
  Decoded decoded = decode_base64(text, buffer);
  buffer.resize(decoded.bytes.size());
  return {std::move(buffer), std::move(decoded.trouble), decoded.offset};
}

/// SEQUENCE OF OBJECT IDENTIFIER, without its tag and length.
static bool read_purposes(Bytes content, der::Trouble& trouble, std::vector<std::string>& into) {
  constexpr std::size_t most = 64;
  der::Reader in(content, trouble);
  while (!in.empty()) {
    der::Element oid;
    if (into.size() == most || !in.take(der::object_identifier, oid, "not an OID") ||
        !der::check_oid(oid.content, trouble)) {
      return false;
    }
    into.push_back(der::dotted(oid.content));
  }
  return true;
}

/// X509_CERT_AUX of OpenSSL: SEQUENCE { trust SEQUENCE OF OID OPTIONAL, reject [0] SEQUENCE OF OID OPTIONAL, alias
/// UTF8String OPTIONAL, keyid OCTET STRING OPTIONAL, other [1] OPTIONAL }. Null when it is anything else.
static std::shared_ptr<const TrustSettings> read_trust(Bytes element) {
  der::Trouble trouble(element);
  der::Reader outside(element, trouble);
  der::Element all;
  der::Element part;
  bool found = false;
  if (!outside.take(der::sequence, all, "not a SEQUENCE") || !outside.empty()) return nullptr;
  auto settings = std::make_shared<TrustSettings>();
  der::Reader in(all.content, trouble);
  if (!in.take_optional(der::sequence, part, found)) return nullptr;
  if (found && !read_purposes(part.content, trouble, settings->purposes.emplace())) return nullptr;
  if (!in.take_optional(der::constructed(0), part, found)) return nullptr;
  if (found && !read_purposes(part.content, trouble, settings->rejected)) return nullptr;
  if (!in.take_optional(der::utf8_string, part, found)) return nullptr;
  if (found) settings->alias = printable(as_text(part.content), 256);
  if (!in.take_optional(der::octet_string, part, found) || !in.take_optional(der::constructed(1), part, found) ||
      !in.empty()) {
    return nullptr;
  }
  return settings;
}

/// PEM TRUSTED CERTIFICATE: what OpenSSL trusts it for stands behind the certificate in one more SEQUENCE.
static void scan_trusted(Bytes der, const std::string& where, Collector& into) {
  const DerSize first = der_size(der);
  if (!first.whole || *first.whole == der.size()) return scan_der(der, where, into);
  const Bytes certificate = der.first(*first.whole);
  if (classify(certificate) != DerKind::certificate) return scan_der(der, where, into);
  std::shared_ptr<const TrustSettings> trust = read_trust(der.subspan(*first.whole));
  if (!trust) into.complain(about(where, "what it is trusted for cannot be read; the certificate itself can"));
  into.certificate(certificate, where, std::move(trust));
}

static constexpr std::array<std::string_view, 7> known_labels{
    "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PKCS7", "PKCS #7 SIGNED DATA", "CMS", "X509 CRL"};

/// A block of a label that is none of ours: of no concern, unless it is one of ours misspelt.
static void scan_stranger(std::string_view label, std::string_view body, const std::string& where, Collector& into) {
  const std::string_view meant = did_you_mean(label, known_labels);
  const Decoded decoded = decode_base64(body, into.buffer());
  const DerKind kind = decoded.trouble.empty() ? classify(decoded.bytes) : DerKind::unknown;
  const bool holds = kind == DerKind::certificate || kind == DerKind::signed_data || kind == DerKind::crl;
  const std::string name = fmt::format("a PEM block called {}", printable(label, 64));
  if (meant.empty() && !holds) return into.other(name);
  into.complain(about(where, fmt::format("{}, which is no label of a certificate: not read{}", name,
                                         meant.empty() ? "" : fmt::format("; did you mean {}?", meant))));
}

/// In steps of a size that compilers know, so that they compare many octets at once.
static std::size_t line_breaks(std::string_view text) {
  constexpr std::size_t step = 64;
  std::size_t all = 0;
  for (; text.size() >= step; text.remove_prefix(step)) {
    std::uint8_t here = 0;
    for (std::size_t i = 0; i < step; ++i) here = static_cast<std::uint8_t>(here + (text[i] == '\n' ? 1 : 0));
    all += here;
  }
  return all + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

static void scan_block(std::string_view label, std::string_view body, std::size_t line, const std::string& where,
                       Collector& into) {
  if (label.ends_with("PRIVATE KEY")) return into.private_key();
  const bool trusted = label == "TRUSTED CERTIFICATE";
  if (std::find(known_labels.begin(), known_labels.end(), label) == known_labels.end()) {
    if (label == "ATTRIBUTE CERTIFICATE") return into.other("an attribute certificate");
    if (label.ends_with("CERTIFICATE REQUEST")) return into.other("a certificate request: it has not been issued yet");
    return scan_stranger(label, body, where, into);
  }
  if (!trusted && into.known(body, where)) return;
  const Decoded decoded = decode_base64(body, into.buffer());
  if (!decoded.trouble.empty()) {
    return into.complain(about(
        where, fmt::format("{} in line {}", decoded.trouble, line + line_breaks(body.substr(0, decoded.offset)))));
  }
  if (decoded.bytes.empty()) return into.complain(about(where, "empty"));
  trusted ? scan_trusted(decoded.bytes, where, into) : scan_der(decoded.bytes, where, into, body);
}

static constexpr std::string_view begin_mark = "-----BEGIN ";
static constexpr std::string_view end_mark = "-----END ";
static constexpr std::string_view dashes = "-----";

/// Whether the text before `at` leaves it at the start of a line, a few blanks aside, or behind an END line: files that
/// are put together without a line break between them have one behind the other.
static bool begins_line(std::string_view text, std::size_t at) {
  constexpr std::size_t most = 128;  // looked back at, so that a file of one endless line is no endless work
  std::string_view before = text.substr(at - std::min(at, most), std::min(at, most));
  const std::size_t line = before.find_last_of("\r\n");
  if (line == std::string_view::npos && at > most) return false;
  if (line != std::string_view::npos) before.remove_prefix(line + 1);
  before = trim(before);
  return before.empty() || (before.starts_with(end_mark) && before.ends_with(dashes));
}

static std::size_t find_mark(std::string_view text, std::string_view mark, std::size_t from) {
  std::size_t at = text.find(mark, from);
  while (at != std::string_view::npos && !begins_line(text, at)) at = text.find(mark, at + mark.size());
  return at;
}

/// The first BEGIN or END line of all, whichever it is.
static std::size_t find_any_mark(std::string_view text, std::size_t from) {
  const auto other = [&](std::size_t at) {
    const std::string_view rest = text.substr(at);
    return !(rest.starts_with(begin_mark) || rest.starts_with(end_mark)) || !begins_line(text, at);
  };
  std::size_t at = text.find(dashes, from);
  while (at != std::string_view::npos && other(at)) at = text.find(dashes, at + 1);
  return at;
}

/// The label behind a mark and where the rest of its line begins; nothing when the dashes are missing.
static std::optional<std::string_view> label_at(std::string_view text, std::size_t& at) {
  const std::size_t end = text.find(dashes, at);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view label = text.substr(at, end - at);
  if (label.find('\n') != std::string_view::npos || label.find('\r') != std::string_view::npos) return std::nullopt;
  at = end + dashes.size();
  return label;
}

/// False when there is not one BEGIN line.
static bool scan_pem(std::string_view text, Collector& into) {
  std::size_t begin = find_mark(text, begin_mark, 0);
  if (begin == std::string_view::npos) return false;
  std::size_t number = 0;
  std::size_t line = 1;
  std::size_t counted = 0;  // lines are counted up to here
  std::size_t behind = 0;   // the last block's END line
  // A BEGIN line with a dash too few is none, and would take its certificate away without a word.
  const auto look_between = [&](std::size_t end) {
    const std::size_t stray = find_mark(text.substr(0, end), end_mark, behind);
    if (stray == std::string_view::npos) return;
    const std::size_t breaks = line_breaks(text.substr(counted, stray - counted));
    into.complain(fmt::format("line {}: an END line without its BEGIN line", line + breaks));
  };
  while (begin != std::string_view::npos && !into.full()) {
    look_between(begin);
    line += line_breaks(text.substr(counted, begin - counted));
    counted = begin;
    into.behind(begin);
    const std::string where = "block " + std::to_string(++number);
    std::size_t body = begin + begin_mark.size();
    const std::size_t mark = find_any_mark(text, body);
    const bool ends = mark != std::string_view::npos && text.substr(mark).starts_with(end_mark);
    const std::size_t end = ends ? mark : std::string_view::npos;
    const std::size_t next = ends ? find_mark(text, begin_mark, mark + end_mark.size()) : mark;
    const std::string_view here = text.substr(0, next);
    const std::optional<std::string_view> label = label_at(here, body);
    begin = next;
    behind = std::min(next, text.size());
    if (!label) {
      into.complain(fmt::format("{}: its BEGIN line in line {} lacks the dashes at its end", where, line));
      continue;
    }
    if (end == std::string_view::npos) {
      if (label->ends_with("PRIVATE KEY")) into.private_key();
      into.complain(
          fmt::format("{}: truncated: no END line for the BEGIN {} in line {}", where, printable(*label, 64), line));
      continue;
    }
    behind = end + end_mark.size();
    if (label_at(here, behind) != label) {
      into.complain(fmt::format("{}: the BEGIN {} in line {} has an END line of another kind", where,
                                printable(*label, 64), line));
      continue;
    }
    scan_block(*label, here.substr(body, end - body), line, where, into);
  }
  if (!into.full()) look_between(text.size());
  return true;
}

/// UTF-16 to ASCII; what is not ASCII can only stand between PEM blocks and becomes '?'.
static std::string narrow(Bytes utf16, bool big_endian) {
  std::string text;
  text.reserve(utf16.size() / 2);
  for (std::size_t i = 0; i + 1 < utf16.size(); i += 2) {
    const unsigned high = utf16[big_endian ? i : i + 1];
    const unsigned low = utf16[big_endian ? i + 1 : i];
    text.push_back(high == 0 && low < 0x80 ? static_cast<char>(low) : '?');
  }
  return text;
}

/// Formats that hold certificates, or are taken for such, and that cannot be read here.
static std::string_view recognise(std::string_view content) {
  const auto starts = [content](std::string_view magic) { return content.starts_with(magic); };
  if (starts("\0\0\0\0CERT"sv)) return "a Microsoft serialized store (.sst): export the certificates as PKCS#7 (.p7b)";
  if (starts("\xfe\xed\xfe\xed"sv) || starts("\xce\xce\xce\xce"sv)) {
    return "a Java key store: export the certificates with keytool -exportcert -rfc";
  }
  if (starts("PReg"sv)) return "a group policy file (Registry.pol): export the certificates as PKCS#7 (.p7b)";
  if (starts("PK\x03\x04"sv)) return "a ZIP archive: unpack it first";
  const std::string head = to_lower(trim(content.substr(0, 512)));
  if (head.starts_with("windows registry editor") || head.starts_with("regedit4")) {
    return "a registry export (.reg): export the certificates as PKCS#7 (.p7b)";
  }
  if (head.starts_with("<!doctype html") || head.starts_with("<html")) {
    return "an HTML page: what was saved is not the file but a page about it";
  }
  if (head.starts_with("<?xml")) return "an XML file, not certificates";
  if (content.find("================ ") != std::string_view::npos) {
    return "certutil's text, which has no certificates in it: export them as PKCS#7 (.p7b)";
  }
  return "neither PEM nor DER nor PKCS#7";
}

/// Base64 without the BEGIN and END lines, as it is copied out of mails and directories.
static bool scan_bare_base64(std::string_view text, Collector& into) {
  const std::string_view trimmed = trim(text);
  if (!trimmed.starts_with("MI")) return false;  // how a SEQUENCE of 256 bytes and more begins
  const Decoded decoded = decode_base64(trimmed, into.buffer());
  if (!decoded.trouble.empty()) return false;
  scan_der(decoded.bytes, {}, into);
  return true;
}

static void scan_text(std::string_view text, Collector& into) {
  if (scan_pem(text, into) || scan_bare_base64(text, into)) return;
  into.complain(std::string{recognise(text)});
}

Scan scan_certificates(Bytes content) {
  std::vector<FoundCertificate> found;
  Scan scan = scan_certificates(content, [&found](const CertificateView& one) {
    found.push_back({{one.der.begin(), one.der.end()}, one.where, one.trust});
  });
  scan.certificates = std::move(found);
  return scan;
}

Scan scan_certificates(Bytes content, const TakeCertificate& take, const TakeKnown& take_known) {
  Scan scan;
  Collector into(scan, take, take_known, content);
  if (content.size() > max_file_size) {
    into.complain("larger than 256 MiB");
    return scan;
  }
  const std::string_view text = as_text(content);
  if (trim(text).empty()) {
    into.complain("empty file");
  } else if (text.starts_with("\xff\xfe"sv) || text.starts_with("\xfe\xff"sv)) {
    scan_text(narrow(content.subspan(2), text.starts_with("\xfe\xff"sv)), into);
  } else if (looks_like_der(content) ||
             (der_size(content).whole == content.size() && classify(content) != DerKind::unknown)) {
    scan_der(content, {}, into);
  } else {
    scan_text(text.starts_with("\xef\xbb\xbf"sv) ? text.substr(3) : text, into);
  }
  into.finish("no certificate in it");
  return scan;
}

}  // namespace mrascheck::x509

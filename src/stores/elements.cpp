// SPDX-License-Identifier: Apache-2.0
// The element layout that .sst files and registry Blobs share ([MS-GPEF], 2.2.1.1.1): id, encoding (always 1), length,
// all 32 bits little-endian, then the value. Properties stand before the certificate that they are of.
#include "stores/elements.hpp"

#include <algorithm>

#include "stores/encoding.hpp"
#include "x509/der.hpp"
#include "x509/envelope.hpp"

namespace mrascheck::stores {

using namespace std::string_view_literals;

namespace {

constexpr std::size_t header_size = 12;
constexpr std::string_view file_magic = "\0\0\0\0CERT"sv;

enum Id : std::uint32_t {
  key_provider_info = 2,
  sha1_hash = 3,
  enhanced_key_usage = 9,
  friendly_name = 11,
  archived = 19,
  certificate = 32,
  revocation_list = 33,
  trust_list = 34,
};

struct Header {
  std::uint32_t id = 0;
  std::uint32_t encoding = 0;
  std::uint32_t length = 0;
};

Header header_at(Bytes content, std::size_t at) {
  return {u32(content, at), u32(content, at + 4), u32(content, at + 8)};
}

bool plausible(const Header& header) {
  return header.id != 0 && header.id <= 0xFFFF && header.encoding == 1;
}

bool is_end(const Header& header) {
  return header.id == 0 && header.encoding == 0 && header.length == 0;
}

/// Whether an element of a length that fits, the end marker or the end stands at `at`.
bool goes_on(Bytes content, std::size_t at) {
  if (at == content.size()) return true;
  if (content.size() - at < header_size) return false;
  const Header header = header_at(content, at);
  return is_end(header) || (plausible(header) && header.length <= content.size() - at - header_size);
}

/// Whether `value` is one SEQUENCE of definite length and nothing else: a bound on the search for certificates in
/// damaged files, which must not look at a byte twice.
bool is_whole_sequence(Bytes value) {
  if (value.size() < 4 || value[0] != 0x30 || value[1] < 0x81 || value[1] > 0x84) return false;
  const std::size_t octets = value[1] & 0x7FU;
  if (value.size() < 2 + octets) return false;
  std::size_t length = 0;
  for (std::size_t i = 0; i < octets; ++i) length = length << 8U | value[2 + i];
  return length == value.size() - 2 - octets;
}

/// The next element from `from` on that holds a whole certificate by its lengths, or npos: how to go on in a damaged
/// file.
std::size_t next_certificate(Bytes content, std::size_t from) {
  static constexpr std::string_view mark = "\x20\0\0\0\x01\0\0\0"sv;
  const std::string_view text = as_text(content);
  for (std::size_t at = text.find(mark, from); at != std::string_view::npos; at = text.find(mark, at + 1)) {
    if (content.size() - at < header_size) break;
    const std::size_t length = u32(content, at + 8);
    if (length <= content.size() - at - header_size && is_whole_sequence(content.subspan(at + header_size, length)))
      return at;
  }
  return std::string_view::npos;
}

/// ExtKeyUsageSyntax, as the certificate's own extension has it. That an empty one means "disabled for all purposes" is
/// *unconfirmed*: Windows' dialog leaves one behind.
std::optional<std::vector<std::string>> purposes_of(Bytes value) {
  x509::der::Trouble trouble(value);
  x509::der::Reader in(value, trouble);
  x509::der::Element list;
  if (!in.take(x509::der::sequence, list, "not a SEQUENCE") || !in.empty()) return std::nullopt;
  std::vector<std::string> purposes;
  x509::der::Reader items(list.content, trouble);
  while (!items.empty()) {
    x509::der::Element oid;
    if (purposes.size() == 64 || !items.take(x509::der::object_identifier, oid, "no OID") ||
        !x509::der::check_oid(oid.content, trouble)) {
      return std::nullopt;
    }
    purposes.push_back(x509::der::dotted(oid.content));
  }
  return purposes;
}

/// CRYPT_KEY_PROV_INFO (wincrypt.h) with offsets from its start for pointers, 32 bits each on every machine. The layout
/// is *inferred*: what does not fit it says nothing of a key.
void read_key_provider(Bytes value, EntryProperties& into) {
  constexpr std::size_t fixed = 28;
  if (value.size() < fixed) return;
  const std::uint32_t name = u32(value, 4);
  const std::uint32_t type = u32(value, 8);
  const std::uint32_t spec = u32(value, 24);
  if (name < fixed || name >= value.size()) return;
  into.key_provider = printable(utf16le(value.subspan(name)), 256);
  // A provider type of 0 says that the name is one of a CNG provider.
  into.key_spec = type == 0   ? "CNG"
                  : spec == 1 ? "AT_KEYEXCHANGE"
                  : spec == 2 ? "AT_SIGNATURE"
                              : fmt::format("{}", spec);
}

class ElementReader {
 public:
  ElementReader(Bytes content, bool file, const FoundEntry& model, Collector& into)
      : content_(content), file_(file), model_(model), into_(into), pending_(model) {}

  void run(std::size_t at) {
    while (!into_.full()) {
      const std::size_t rest = content_.size() - at;
      if (rest == 0) {
        if (file_) complain("it ends without its end marker: it may have been cut off");
        return leftover();
      }
      if (rest < header_size) return complain(fmt::format("truncated at byte {}", content_.size()));
      const Header header = header_at(content_, at);
      if (file_ && is_end(header)) {
        leftover();
        at += header_size;
        if (at == content_.size()) return;
        if (!as_text(content_.subspan(at)).starts_with(file_magic))
          return complain(fmt::format("{} behind its end", count(content_.size() - at, "byte")));
        at += file_magic.size();  // one store behind the other
        suspect_ = at;
        continue;
      }
      if (!plausible(header) || header.length > rest - header_size) {
        complain(plausible(header) ? fmt::format("cut off or damaged: at byte {} stand {} of {} bytes", at,
                                                 rest - header_size, header.length)
                                   : fmt::format("damaged: no element at byte {}", at));
        at = next_certificate(content_, suspect_);
        if (at == std::string_view::npos) return;
        pending_ = model_;  // whatever properties stood before the damage are not this one's
        suspect_ = at;
        continue;
      }
      const Bytes value = content_.subspan(at + header_size, header.length);
      const std::size_t next = at + header_size + value.size();
      // The length may be what is damaged: then the search begins in the value, not behind it.
      suspect_ = header.id == Id::certificate && is_whole_sequence(value) ? next : at + header_size;
      if (suspect_ == next || goes_on(content_, next)) take(header.id, value);
      at = next;
    }
  }

 private:
  void complain(std::string_view reason) { into_.complain(model_.where, reason); }

  void leftover() {
    if (properties_ > 0)
      complain(fmt::format("{} without a certificate behind them", count(properties_, "property", "properties")));
    properties_ = 0;
  }

  void take(std::uint32_t id, Bytes value) {
    ++properties_;
    EntryProperties& properties = pending_.properties;
    switch (id) {
      case Id::key_provider_info:
        return read_key_provider(value, properties);
      case Id::sha1_hash:
        if (value.size() == Sha1{}.size())
          std::copy(value.begin(), value.end(), pending_.sha1_property.emplace().begin());
        return;
      case Id::enhanced_key_usage:
        properties.purposes = purposes_of(value);
        return;
      case Id::friendly_name:
        properties.friendly_name = printable(utf16le(value), 256);
        return;
      case Id::archived:
        properties.archived = true;
        return;
      case Id::certificate:
        ++number_;
        pending_.der = value;
        if (file_) pending_.where = "certificate " + std::to_string(number_);
        into_.certificate(pending_);
        return reset();
      case Id::revocation_list:
      case Id::trust_list:
        if (disguised(value)) break;
        id == Id::revocation_list ? into_.revocation_list() : into_.trust_list();
        return reset();
      default:
        if (disguised(value)) break;
        return;
    }
    complain(fmt::format(
        "an element of kind {} holds a certificate, which stands in those of kind 32 only: not counted", id));
    reset();
  }

  /// A certificate in an element of another kind: its id was damaged.
  static bool disguised(Bytes value) {
    return is_whole_sequence(value) && x509::classify(value) == x509::DerKind::certificate;
  }

  void reset() {
    pending_ = model_;
    properties_ = 0;
  }

  const Bytes content_;
  const bool file_;
  const FoundEntry& model_;
  Collector& into_;
  FoundEntry pending_;
  std::size_t properties_ = 0;  ///< elements since the last certificate
  std::size_t number_ = 0;
  std::size_t suspect_ = 0;  ///< from here on nothing is certain
};

}  // namespace

bool begins_with_element(Bytes content) {
  if (content.size() < 8 || (content[0] == 0x30 && content[1] >= 0x80)) return false;
  return plausible({u32(content, 0), u32(content, 4), 0});
}

void read_blob(Bytes content, const FoundEntry& model, Collector& into) {
  const std::size_t before = into.found() + into.reading().unreadable.size();
  ElementReader{content, false, model, into}.run(0);
  if (into.found() + into.reading().unreadable.size() == before && !into.full())
    into.complain(model.where, "no certificate in this Blob");
}

void read_registry_blob(Bytes content, Collector& into) {
  read_blob(content, {}, into);
}

void read_serialized_store(Bytes content, Collector& into) {
  const FoundEntry model;
  ElementReader{content, true, model, into}.run(file_magic.size());
}

}  // namespace mrascheck::stores

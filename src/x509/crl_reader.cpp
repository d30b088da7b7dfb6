// SPDX-License-Identifier: Apache-2.0
#include "x509/crl_reader.hpp"

#include <algorithm>

#include "x509/algorithms.hpp"
#include "x509/der.hpp"
#include "x509/name_reader.hpp"
#include "x509/parts.hpp"

namespace mrascheck::x509 {

using der::Element;
using der::Reader;
using der::Trouble;
using namespace std::string_view_literals;

static constexpr std::size_t max_unknown = 16;

static constexpr std::string_view issuer_alt_name_oid = "\x55\x1d\x12"sv;
static constexpr std::string_view crl_number_oid = "\x55\x1d\x14"sv;
static constexpr std::string_view reason_code_oid = "\x55\x1d\x15"sv;
static constexpr std::string_view invalidity_date_oid = "\x55\x1d\x18"sv;
static constexpr std::string_view delta_indicator_oid = "\x55\x1d\x1b"sv;
static constexpr std::string_view distribution_point_oid = "\x55\x1d\x1c"sv;
static constexpr std::string_view certificate_issuer_oid = "\x55\x1d\x1d"sv;
static constexpr std::string_view authority_key_id_oid = "\x55\x1d\x23"sv;
static constexpr std::string_view ca_version_oid = "\x2b\x06\x01\x04\x01\x82\x37\x15\x01"sv;

static void note_unknown(Crl& into, Bytes oid) {
  if (as_text(oid).starts_with(microsoft_arc) || into.unknown_critical.size() == max_unknown) return;
  std::string text = der::dotted(oid);
  const auto known = std::find(into.unknown_critical.begin(), into.unknown_critical.end(), text);
  if (known == into.unknown_critical.end()) into.unknown_critical.push_back(std::move(text));
}

/// The one INTEGER that an extension is.
static bool read_number(Bytes value, Trouble& trouble, std::string& into) {
  Reader in(value, trouble);
  return take_serial(in, trouble, into) && in.end("something behind the INTEGER");
}

/// Of a SEQUENCE OF Extension: each once, at most 128 (RFC 5280, 4.2).
template <class Use>
static bool take_extensions(Bytes content, Trouble& trouble, Use use) {
  Reader in(content, trouble);
  if (in.empty()) return trouble.at(content, "an empty list");
  std::vector<std::string_view> seen;
  while (!in.empty()) {
    if (seen.size() == max_extensions) return trouble.at(in.position(), "more than 128 of them");
    Extension extension;
    if (!take_extension(in, trouble, extension)) return false;
    const std::string_view id = as_text(extension.oid);
    if (std::find(seen.begin(), seen.end(), id) != seen.end()) {
      return trouble.at(extension.whole, "the same extension twice");
    }
    seen.push_back(id);
    if (!use(id, extension)) return false;
  }
  return true;
}

namespace {

/// What an entry's extensions say of it.
struct EntryNotes {
  bool removed = false;  ///< removeFromCRL: a delta list takes it off its base (RFC 5280, 5.3.1)
  bool held = false;     ///< certificateHold
  std::optional<bool>
      ours;  ///< certificateIssuer: whether this entry and those behind it are the list's issuer's (5.3.3)
};

}  // namespace

/// Whether one of a certificateIssuer's names is the list's own issuer.
static bool read_certificate_issuer(Bytes value, Trouble& trouble, const Name& issuer, EntryNotes& into) {
  Element names;
  if (!take_only_sequence(value, trouble, names)) return false;
  Reader in(names.content, trouble);
  into.ours = false;
  while (!in.empty()) {
    Element name;
    if (!take_general_name(in, trouble, name)) return false;
    if (name.tag != der::constructed(4)) continue;
    Name found;
    Reader inside(name.content, trouble);
    if (!take_name(inside, trouble, found) || !inside.end("something behind the name")) return false;
    if (matches(found, issuer)) into.ours = true;
  }
  return true;
}

static bool read_entry_extensions(Bytes content, Trouble& trouble, EntryNotes& notes, Crl& into) {
  return take_extensions(content, trouble, [&](std::string_view id, const Extension& extension) {
    if (id == reason_code_oid) {
      Reader in(extension.value, trouble);
      Element reason;
      constexpr std::uint8_t enumerated = 0x0a;
      if (!in.take(enumerated, reason, "a reason that is no ENUMERATED") ||
          !der::check_integer(reason.content, trouble) || !in.end("something behind the reason")) {
        return false;
      }
      notes.removed = reason.content.size() == 1 && reason.content[0] == 8;
      notes.held = reason.content.size() == 1 && reason.content[0] == 6;
    } else if (id == certificate_issuer_oid) {
      return read_certificate_issuer(extension.value, trouble, into.issuer, notes);
    } else if (extension.critical && id != invalidity_date_oid) {
      note_unknown(into, extension.oid);
    }
    return true;
  });
}

static bool read_revoked(Bytes content, Trouble& trouble, unsigned version, Crl& into) {
  Reader in(content, trouble);
  bool ours = true;
  while (!in.empty()) {
    Element entry;
    if (!in.take(der::sequence, entry, "not a SEQUENCE")) return false;
    Reader inside(entry.content, trouble);
    std::string serial;
    UtcTime since;
    EntryNotes notes;
    if (!take_serial(inside, trouble, serial) || !take_time(inside, trouble, since)) return false;
    if (!inside.empty()) {
      Element extensions;
      if (!inside.take(der::sequence, extensions, "not a SEQUENCE") || !inside.end("something behind the extensions"))
        return false;
      if (version != 1) return trouble.at(extensions.whole, "extensions of an entry, but it is no version 2 list");
      if (!read_entry_extensions(extensions.content, trouble, notes, into)) return false;
    }
    ours = notes.ours.value_or(ours);
    if (!ours) continue;
    if (notes.held) into.held.push_back(serial);
    (notes.removed ? into.taken_off : into.revoked).push_back(std::move(serial));
  }
  for (std::vector<std::string>* serials : {&into.revoked, &into.held, &into.taken_off}) {
    std::sort(serials->begin(), serials->end());
    serials->erase(std::unique(serials->begin(), serials->end()), serials->end());
  }
  return true;
}

/// IssuingDistributionPoint (RFC 5280, 5.2.5): of what it says only the kinds of certificates are taken out.
static bool read_scope(Bytes value, Trouble& trouble, Crl& into) {
  Element scope;
  if (!take_only_sequence(value, trouble, scope)) return false;
  into.scope.assign(value.begin(), value.end());
  constexpr std::uint8_t only_user_certificates = 0x81;  // [1] IMPLICIT BOOLEAN
  constexpr std::uint8_t only_ca_certificates = 0x82;
  Reader in(scope.content, trouble);
  while (!in.empty()) {
    const std::uint8_t tag = in.peek();
    Element field;
    if (!in.take(tag, field, "not a field of a scope")) return false;
    const bool set = field.content.size() == 1 && field.content[0] != 0;
    if (tag == only_user_certificates) into.only_users = set;
    if (tag == only_ca_certificates) into.only_authorities = set;
  }
  return true;
}

static bool read_list_extensions(Bytes content, Trouble& trouble, Crl& into) {
  Element list;
  if (!take_only_sequence(content, trouble, list)) return false;
  return take_extensions(list.content, trouble, [&](std::string_view id, const Extension& extension) {
    if (id == authority_key_id_oid) {
      AuthorityKeyId key;
      if (!read_authority_key_id(extension.value, trouble, key)) return false;
      into.authority_key_id = std::move(key.key_id);
    } else if (id == crl_number_oid) {
      return read_number(extension.value, trouble, into.number.emplace());
    } else if (id == delta_indicator_oid) {
      std::string base;
      into.delta = true;
      return read_number(extension.value, trouble, base);
    } else if (id == ca_version_oid) {
      return read_ca_version(extension.value, trouble, into.ca_version.emplace());
    } else if (id == distribution_point_oid) {
      return read_scope(extension.value, trouble, into);
    } else if (extension.critical && id != issuer_alt_name_oid) {
      note_unknown(into, extension.oid);
    }
    return true;
  });
}

/// TBSCertList, RFC 5280, 5.1.2.
static bool read_body(Bytes content, Trouble& trouble, Crl& into, AlgorithmIdentifier& algorithm) {
  Reader in(content, trouble);
  Element element;
  bool found = false;
  unsigned version = 0;
  trouble.enter("version");
  if (!in.take_optional(der::integer, element, found)) return false;
  if (found) {
    if (element.content.size() != 1 || element.content[0] != 1) return trouble.at(element.whole, "not 2");
    version = 1;
  }
  trouble.enter("signature algorithm");
  if (!take_algorithm(in, trouble, algorithm)) return false;
  trouble.enter("issuer");
  const std::uint8_t* issuer = in.position();
  if (!take_name(in, trouble, into.issuer)) return false;
  if (into.issuer.empty()) return trouble.at(issuer, "an empty name");
  trouble.enter("thisUpdate");
  if (!take_time(in, trouble, into.this_update)) return false;
  trouble.enter("nextUpdate");
  if (in.peek() == der::utc_time || in.peek() == der::generalized_time) {
    if (!take_time(in, trouble, into.next_update.emplace())) return false;
  }
  trouble.enter("revoked certificates");
  if (!in.take_optional(der::sequence, element, found)) return false;
  if (found && !read_revoked(element.content, trouble, version, into)) return false;
  trouble.enter("extensions");
  if (!in.take_optional(der::constructed(0), element, found)) return false;
  if (found) {
    if (version != 1) return trouble.at(element.whole, "there are some, but it is no version 2 list");
    if (!read_list_extensions(element.content, trouble, into)) return false;
  }
  return in.end("something unknown behind the known fields");
}

static bool read_whole(Bytes der, Trouble& trouble, Crl& into) {
  Reader in(der, trouble);
  Element list;
  if (!in.take(der::sequence, list, "not a SEQUENCE") || !in.end("something behind the list")) return false;
  Reader inside(list.content, trouble);
  Element body;
  AlgorithmIdentifier inner;
  AlgorithmIdentifier outer;
  trouble.enter("body");
  if (!inside.take(der::sequence, body, "not a SEQUENCE") || !read_body(body.content, trouble, into, inner))
    return false;
  trouble.enter("signature algorithm");
  if (!take_algorithm(inside, trouble, outer)) return false;
  if (!std::equal(inner.whole.begin(), inner.whole.end(), outer.whole.begin(), outer.whole.end())) {
    return trouble.at(outer.whole, "the one outside differs from the one inside");  // RFC 5280, 5.1.1.2
  }
  into.signature_algorithm = signature_algorithm_name(outer.oid).str();
  trouble.enter("signature");
  Element signature;
  Bytes octets;
  unsigned unused = 0;
  if (!inside.take(der::bit_string, signature, "not a BIT STRING") ||
      !der::read_bits(signature.content, trouble, octets, unused)) {
    return false;
  }
  if (unused != 0) return trouble.at(signature.whole, "no whole number of octets");
  return inside.end("something behind it");
}

Result<Crl> read_crl(Bytes der, const Sha256& sha256) {
  if (der.empty()) return fail(ErrorKind::malformed, "no bytes at all");
  if (der.size() > max_crl_size) return fail(ErrorKind::malformed, "larger than 16 MiB");
  Result<Crl> result;
  Trouble trouble(der);
  if (!read_whole(der, trouble, *result)) return tl::unexpected(trouble.error());
  result->der.assign(der.begin(), der.end());
  result->sha256 = sha256;
  return result;
}

Result<Crl> read_crl(Bytes der, const Hasher& hasher) {
  return read_crl(der, der.size() > max_crl_size ? Sha256{} : hasher.sha256(der));
}

}  // namespace mrascheck::x509

// SPDX-License-Identifier: Apache-2.0
#include "x509/certificate_reader.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "x509/algorithms.hpp"
#include "x509/der.hpp"
#include "x509/name_reader.hpp"
#include "x509/parts.hpp"

namespace mrascheck::x509 {

using der::Element;
using der::Reader;
using der::Trouble;
using namespace std::string_view_literals;

static constexpr std::size_t max_url_bytes = 2048;

static ByteString copy(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

static bool take_validity(Reader& in, Trouble& trouble, Certificate& into) {
  Element validity;
  if (!in.take(der::sequence, validity, "not a SEQUENCE")) return false;
  Reader inside(validity.content, trouble);
  return take_time(inside, trouble, into.not_before) && take_time(inside, trouble, into.not_after) &&
         inside.end("something behind notAfter");
}

static bool take_public_key(Reader& in, Trouble& trouble, Certificate& into, Bytes& spki) {
  Element sequence;
  if (!in.take(der::sequence, sequence, "not a SEQUENCE")) return false;
  spki = sequence.whole;
  Reader inside(sequence.content, trouble);
  AlgorithmIdentifier algorithm;
  Element key;
  Bytes octets;
  unsigned unused = 0;
  if (!take_algorithm(inside, trouble, algorithm) ||
      !inside.take(der::bit_string, key, "a key that is no BIT STRING") ||
      !der::read_bits(key.content, trouble, octets, unused) || !inside.end("something behind the key")) {
    return false;
  }
  if (unused != 0) return trouble.at(key.whole, "a key that is no whole number of octets");
  KeyKind kind = key_kind(algorithm.oid, algorithm.parameters, octets);
  into.key_algorithm = std::move(kind.name);
  into.key_bits = kind.bits;
  return true;
}

// Extensions. Each reader gets the content of extnValue and must use all of it.

static bool read_basic_constraints(Bytes value, Trouble& trouble, Certificate& into) {
  Element sequence;
  if (!take_only_sequence(value, trouble, sequence)) return false;
  Reader in(sequence.content, trouble);
  bool is_ca = false;
  bool found = false;
  Element element;
  if (!in.take_optional(der::boolean, element, found)) return false;
  if (found && !der::read_boolean(element.content, trouble, is_ca)) return false;
  if (!in.take_optional(der::integer, element, found)) return false;
  if (found) {
    if (!der::check_integer(element.content, trouble)) return false;
    if ((element.content[0] & 0x80U) != 0) return trouble.at(element.whole, "a negative path length");
    unsigned length = 0;
    if (element.content.size() > 4) return trouble.at(element.whole, "an absurd path length");
    for (const std::uint8_t octet : element.content) length = length << 8U | octet;
    into.path_length = length;
  }
  into.is_ca = is_ca;
  return in.end("something behind the path length");
}

static bool read_key_usage(Bytes value, Trouble& trouble, Certificate& into) {
  Reader in(value, trouble);
  Element element;
  Bytes octets;
  unsigned unused = 0;
  if (!in.take(der::bit_string, element, "not a BIT STRING") ||
      !der::read_bits(element.content, trouble, octets, unused) || !in.end("something behind the BIT STRING")) {
    return false;
  }
  unsigned bits = 0;
  for (std::size_t bit = 0; bit < 16 && bit / 8 < octets.size(); ++bit) {
    if ((octets[bit / 8] & (0x80U >> bit % 8)) != 0) bits |= 1U << bit;
  }
  into.key_usage = static_cast<std::uint16_t>(bits);
  return true;
}

static bool read_extended_key_usage(Bytes value, Trouble& trouble, Certificate& into) {
  Element sequence;
  if (!take_only_sequence(value, trouble, sequence)) return false;
  Reader in(sequence.content, trouble);
  std::vector<std::string>& usages = into.extended_key_usage.emplace();
  while (!in.empty()) {
    Element oid;
    if (!in.take(der::object_identifier, oid, "not an object identifier") || !der::check_oid(oid.content, trouble)) {
      return false;
    }
    usages.push_back(der::dotted(oid.content));
  }
  return true;
}

/// The bit of a GeneralName's form: the number of its tag.
static std::uint16_t form_bit(const Element& name) {
  for (unsigned form = 0; form <= 8; ++form) {
    if (name.tag == der::primitive(form) || name.tag == der::constructed(form))
      return static_cast<std::uint16_t>(1U << form);
  }
  return 0;
}

/// GeneralSubtrees, RFC 5280, 4.2.1.10. minimum and maximum, which no profile uses, are not evaluated.
static bool read_subtrees(Bytes content, Trouble& trouble, NameConstraints::Subtrees& into) {
  constexpr std::size_t max_subtrees = 1024;
  Reader in(content, trouble);
  for (std::size_t count = 0; !in.empty(); ++count) {
    Element subtree;
    Element base;
    if (count == max_subtrees) return trouble.at(in.position(), "more than 1024 subtrees");
    if (!in.take(der::sequence, subtree, "not a subtree")) return false;
    Reader inside(subtree.content, trouble);
    if (!take_general_name(inside, trouble, base)) return false;
    into.forms |= form_bit(base);
    into.bounded = into.bounded || !inside.empty();
    if (base.tag == der::primitive(2)) into.dns.push_back(printable(as_text(base.content)));
    if (base.tag == der::constructed(4)) {
      Reader name(base.content, trouble);
      if (!take_name(name, trouble, into.directories.emplace_back()) || !name.end("something behind the name"))
        return false;
    }
  }
  return true;
}

static bool read_name_constraints(Bytes value, Trouble& trouble, Certificate& into) {
  Element sequence;
  Element subtrees;
  bool found = false;
  if (!take_only_sequence(value, trouble, sequence)) return false;
  Reader in(sequence.content, trouble);
  const auto constraints = std::make_shared<NameConstraints>();
  into.name_constraints = constraints;
  if (!in.take_optional(der::constructed(0), subtrees, found)) return false;
  if (found && !read_subtrees(subtrees.content, trouble, constraints->permitted)) return false;
  if (!in.take_optional(der::constructed(1), subtrees, found)) return false;
  if (found && !read_subtrees(subtrees.content, trouble, constraints->excluded)) return false;
  return in.end("something behind the subtrees");
}

static bool read_subject_alt_name(Bytes value, Trouble& trouble, Certificate& into) {
  Element sequence;
  if (!take_only_sequence(value, trouble, sequence)) return false;
  Reader in(sequence.content, trouble);
  while (!in.empty()) {
    Element name;
    if (!take_general_name(in, trouble, name)) return false;
    into.alt_name_forms |= form_bit(name);
    if (name.tag == der::constructed(4)) {
      Reader inside(name.content, trouble);  // Name is a CHOICE: the tag is explicit
      if (!take_name(inside, trouble, into.directory_names.emplace_back()) || !inside.end("something behind the name"))
        return false;
    }
    if (name.tag == der::primitive(2)) into.dns_names.push_back(printable(as_text(name.content)));
    if (name.tag == der::primitive(7)) {
      if (name.content.size() != 4 && name.content.size() != 16) {
        return trouble.at(name.whole, "an IP address of neither 4 nor 16 octets");
      }
      into.ip_addresses.push_back(copy(name.content));
    }
  }
  return true;
}

static bool read_subject_key_id(Bytes value, Trouble& trouble, Certificate& into) {
  Reader in(value, trouble);
  Element id;
  if (!in.take(der::octet_string, id, "not an OCTET STRING") || !in.end("something behind the OCTET STRING"))
    return false;
  into.subject_key_id = copy(id.content);
  return true;
}

static bool read_distribution_points(Bytes value, Trouble& trouble, std::vector<std::string>& into) {
  Element sequence;
  if (!take_only_sequence(value, trouble, sequence)) return false;
  Reader in(sequence.content, trouble);
  while (!in.empty()) {
    Element point;
    Element part;
    bool found = false;
    if (!in.take(der::sequence, point, "not a distribution point")) return false;
    Reader inside(point.content, trouble);
    if (!inside.take_optional(der::constructed(0), part, found)) return false;
    if (found) {
      Reader choice(part.content, trouble);
      Element names;
      if (!choice.any(names) || !choice.end("something behind the distribution point's name")) return false;
      if (names.tag == der::constructed(0)) {
        Reader full_name(names.content, trouble);
        while (!full_name.empty()) {
          Element name;
          if (!take_general_name(full_name, trouble, name)) return false;
          if (name.tag == der::primitive(6)) into.push_back(printable(as_text(name.content), max_url_bytes));
        }
      } else if (names.tag != der::constructed(1)) {
        return trouble.at(names.whole, "not a distribution point's name");
      }
    }
    if (!inside.take_optional(der::primitive(1), part, found) ||
        !inside.take_optional(der::constructed(2), part, found) || !inside.end("not a part of a distribution point")) {
      return false;
    }
  }
  return true;
}

/// What an extension says of URLs: of its first kind and of its second.
struct Urls {
  std::vector<std::string> first;
  std::vector<std::string> second;
};

/// caIssuers first, then OCSP (RFC 5280, 4.2.2.1).
static bool read_access_descriptions(Bytes value, Trouble& trouble, Urls& into) {
  Element sequence;
  if (!take_only_sequence(value, trouble, sequence)) return false;
  Reader in(sequence.content, trouble);
  while (!in.empty()) {
    Element description;
    Element method;
    Element location;
    if (!in.take(der::sequence, description, "not an access description")) return false;
    Reader inside(description.content, trouble);
    if (!inside.take(der::object_identifier, method, "not an access method") ||
        !der::check_oid(method.content, trouble) || !take_general_name(inside, trouble, location) ||
        !inside.end("something behind the access location")) {
      return false;
    }
    if (location.tag != der::primitive(6)) continue;
    const std::string_view kind = as_text(method.content);
    const bool ca_issuers = kind == "\x2b\x06\x01\x05\x05\x07\x30\x02"sv;
    const bool ocsp = kind == "\x2b\x06\x01\x05\x05\x07\x30\x01"sv;
    if (ca_issuers || ocsp)
      (ca_issuers ? into.first : into.second).push_back(printable(as_text(location.content), max_url_bytes));
  }
  return true;
}

namespace {

/// URLs as extensions of the same bytes have said them before.
class KnownUrls {
 public:
  using Read = bool (*)(Bytes value, Trouble& trouble, Urls& into);
  struct Shared {
    SharedTexts first;
    SharedTexts second;
  };

  /// Null: they cannot be read. Else there until the next call.
  const Shared* take(Bytes value, Trouble& trouble, Read read) {
    constexpr std::size_t most_octets = 512;
    Known& known = value.size() > most_octets ? large_ : known_[place_of(value)];
    if (&known == &large_ || known.value.empty() || known.value != as_text(value)) {
      Urls urls;
      if (!read(value, trouble, urls)) return nullptr;
      known.value = &known == &large_ ? std::string{} : std::string{as_text(value)};
      known.urls = {std::move(urls.first), std::move(urls.second)};
    }
    return &known.urls;
  }

 private:
  struct Known {
    std::string value;
    Shared urls;
  };

  /// Those of one site differ near their ends, if anywhere.
  static std::size_t place_of(Bytes value) {
    std::size_t place = value.size();
    for (const std::uint8_t octet : value.last(std::min<std::size_t>(value.size(), 16))) place = place * 31 + octet;
    return place % places;
  }

  static constexpr std::size_t places = 256;
  std::array<Known, places> known_;
  Known large_;
};

}  // namespace

static bool read_crl_distribution_points(Bytes value, Trouble& trouble, Certificate& into) {
  thread_local KnownUrls known;
  const KnownUrls::Shared* urls = known.take(value, trouble, [](Bytes bytes, Trouble& wrong, Urls& found) {
    return read_distribution_points(bytes, wrong, found.first);
  });
  if (urls != nullptr) into.crl_urls = urls->first;
  return urls != nullptr;
}

static bool read_authority_info_access(Bytes value, Trouble& trouble, Certificate& into) {
  thread_local KnownUrls known;
  const KnownUrls::Shared* urls = known.take(value, trouble, read_access_descriptions);
  if (urls == nullptr) return false;
  into.ca_issuer_urls = urls->first;
  into.ocsp_urls = urls->second;
  return true;
}

/// Policies are not evaluated, so that each is looked at no deeper than its OID.
static bool read_certificate_policies(Bytes value, Trouble& trouble, Certificate&) {
  Element sequence;
  if (!take_only_sequence(value, trouble, sequence)) return false;
  Reader in(sequence.content, trouble);
  while (!in.empty()) {
    Element policy;
    Element oid;
    if (!in.take(der::sequence, policy, "not a policy")) return false;
    Reader inside(policy.content, trouble);
    if (!inside.take(der::object_identifier, oid, "a policy without an object identifier") ||
        !der::check_oid(oid.content, trouble)) {
      return false;
    }
  }
  return true;
}

static bool read_previous_ca_hash(Bytes value, Trouble& trouble, Certificate& into) {
  Reader in(value, trouble);
  Element hash;
  if (!in.take(der::octet_string, hash, "not an OCTET STRING") || !in.end("something behind the OCTET STRING"))
    return false;
  if (hash.content.size() != Sha1{}.size()) return trouble.at(hash.whole, "not a SHA-1");
  std::copy(hash.content.begin(), hash.content.end(), into.previous_ca_hash.emplace().begin());
  return true;
}

/// MS-WCCE 2.2.2.7.7.1 has SEQUENCE { UTF8String }; AD CS writes a BMPString and nothing around it.
static bool read_template_name(Bytes value, Trouble& trouble, Certificate& into) {
  Reader in(value, trouble);
  Element name;
  if (!in.any(name) || !in.end("something behind the name")) return false;
  if (name.tag == der::sequence) {
    Reader inside(name.content, trouble);
    if (!inside.any(name)) return false;
  }
  const std::optional<std::string> text = to_utf8(name);
  if (!text) return trouble.at(name.whole, "not a text");
  into.template_name = printable(*text);
  return true;
}

namespace {

using ReadExtension = bool (*)(Bytes value, Trouble& trouble, Certificate& into);

struct KnownExtension {
  std::string_view oid;
  std::string_view name;
  ReadExtension read;
};

}  // namespace

static constexpr KnownExtension known_extensions[] = {
    {"\x55\x1d\x0e"sv, "subject key identifier", read_subject_key_id},
    {"\x55\x1d\x23"sv, "authority key identifier",
     [](Bytes value, Trouble& trouble, Certificate& into) {
       return read_authority_key_id(value, trouble, into.authority_key_id.emplace());
     }},
    {"\x55\x1d\x0f"sv, "key usage", read_key_usage},
    {"\x55\x1d\x13"sv, "basic constraints", read_basic_constraints},
    {"\x55\x1d\x25"sv, "extended key usage", read_extended_key_usage},
    {"\x55\x1d\x11"sv, "subject alternative name", read_subject_alt_name},
    {"\x55\x1d\x1e"sv, "name constraints", read_name_constraints},
    {"\x55\x1d\x1f"sv, "CRL distribution points", read_crl_distribution_points},
    {"\x55\x1d\x20"sv, "certificate policies", read_certificate_policies},
    {"\x2b\x06\x01\x05\x05\x07\x01\x01"sv, "authority information access", read_authority_info_access},
    {"\x2b\x06\x01\x04\x01\x82\x37\x15\x01"sv, "CA version",
     [](Bytes value, Trouble& trouble, Certificate& into) {
       return read_ca_version(value, trouble, into.ca_version.emplace());
     }},
    {"\x2b\x06\x01\x04\x01\x82\x37\x15\x02"sv, "previous CA hash", read_previous_ca_hash},
    {"\x2b\x06\x01\x04\x01\x82\x37\x14\x02"sv, "template name", read_template_name},
};

static const KnownExtension* find_extension(std::string_view oid) {
  for (const KnownExtension& known : known_extensions) {
    if (known.oid.size() == oid.size() && known.oid.back() == oid.back() && known.oid == oid) return &known;
  }
  return nullptr;
}

static bool read_extensions(Bytes content, Trouble& trouble, Certificate& into) {
  Element list;
  if (!take_only_sequence(content, trouble, list)) return false;
  Reader in(list.content, trouble);
  if (in.empty()) return trouble.at(list.whole, "an empty list");
  std::array<bool, std::size(known_extensions)> known_seen{};
  std::vector<std::string_view> others_seen;
  std::size_t count = 0;
  while (!in.empty()) {
    trouble.enter("extensions");
    if (count++ == max_extensions) return trouble.at(in.position(), "more than 128 of them");
    Extension extension;
    if (!take_extension(in, trouble, extension)) return false;
    const std::string_view id = as_text(extension.oid);
    const KnownExtension* const known = find_extension(id);
    const bool again = known != nullptr
                           ? std::exchange(known_seen[static_cast<std::size_t>(known - known_extensions)], true)
                           : std::find(others_seen.begin(), others_seen.end(), id) != others_seen.end();
    if (again) return trouble.at(extension.whole, "the same extension twice");  // RFC 5280, 4.2
    if (known == nullptr) others_seen.push_back(id);
    if (known != nullptr) {
      trouble.enter(known->name);
      if (!known->read(extension.value, trouble, into)) return false;
    } else if (extension.critical && !id.starts_with(microsoft_arc)) {
      into.unknown_critical.push_back(der::dotted(extension.oid));
    }
  }
  return true;
}

static bool skip_unique_id(Reader& in, Trouble& trouble, unsigned number, unsigned version) {
  Element id;
  bool found = false;
  if (!in.take_optional(der::primitive(number), id, found)) return false;
  if (!found) return true;
  if (version < 1) return trouble.at(id.whole, "a unique identifier in a version 1 certificate");
  Bytes octets;
  unsigned unused = 0;
  return der::read_bits(id.content, trouble, octets, unused);
}

/// TBSCertificate, RFC 5280, 4.1.2.
static bool read_body(Bytes content, Trouble& trouble, Certificate& into, AlgorithmIdentifier& algorithm, Bytes& spki) {
  Reader in(content, trouble);
  unsigned version = 0;
  bool found = false;
  Element element;

  trouble.enter("version");
  if (!in.take_optional(der::constructed(0), element, found)) return false;
  if (found) {
    Reader inside(element.content, trouble);
    Element number;
    if (!inside.take(der::integer, number, "not an INTEGER") || !inside.end("something behind the number"))
      return false;
    if (number.content.size() != 1 || number.content[0] > 2) return trouble.at(number.whole, "neither 1, 2 nor 3");
    version = number.content[0];
  }
  trouble.enter("serial number");
  if (!take_serial(in, trouble, into.serial)) return false;
  trouble.enter("signature algorithm");
  if (!take_algorithm(in, trouble, algorithm)) return false;
  trouble.enter("issuer");
  const std::uint8_t* issuer = in.position();
  // Certificates come from few issuers, or each from itself.
  thread_local KnownNames issuers;
  bool known_issuer = false;
  if (!take_name(in, trouble, into.issuer, issuers, known_issuer)) return false;
  if (into.issuer.empty()) return trouble.at(issuer, "an empty name");  // RFC 5280, 4.1.2.4
  trouble.enter("validity");
  if (!take_validity(in, trouble, into)) return false;
  trouble.enter("subject");
  if (!take_name(in, trouble, into.subject, into.issuer)) return false;
  if (!known_issuer && !into.self_issued()) issuers.keep(into.issuer);
  trouble.enter("public key");
  if (!take_public_key(in, trouble, into, spki)) return false;
  trouble.enter("unique identifiers");
  if (!skip_unique_id(in, trouble, 1, version) || !skip_unique_id(in, trouble, 2, version)) return false;
  trouble.enter("extensions");
  if (!in.take_optional(der::constructed(3), element, found)) return false;
  if (found) {
    if (version != 2) return trouble.at(element.whole, "there are some, but it is no version 3 certificate");
    if (!read_extensions(element.content, trouble, into)) return false;
    trouble.enter("extensions");
  }
  return in.end("something unknown behind the known fields");
}

static bool read_whole(Bytes der, Trouble& trouble, Certificate& into, Bytes& spki) {
  Reader in(der, trouble);
  Element certificate;
  if (!in.take(der::sequence, certificate, "not a SEQUENCE") || !in.end("something behind the certificate"))
    return false;
  Reader inside(certificate.content, trouble);
  Element body;
  AlgorithmIdentifier inner;
  AlgorithmIdentifier outer;
  trouble.enter("body");
  if (!inside.take(der::sequence, body, "not a SEQUENCE") || !read_body(body.content, trouble, into, inner, spki)) {
    return false;
  }
  trouble.enter("signature algorithm");
  if (!take_algorithm(inside, trouble, outer)) return false;
  if (!std::equal(inner.whole.begin(), inner.whole.end(), outer.whole.begin(), outer.whole.end())) {
    return trouble.at(outer.whole, "the one outside differs from the one inside");  // RFC 5280, 4.1.1.2
  }
  into.signature_algorithm = signature_algorithm_name(outer.oid);
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

/// What is wrong with it, in a good case nothing.
static std::optional<Error> read_into(Certificate& into, Bytes der, const Hasher& hasher) {
  if (der.empty()) return Error{ErrorKind::malformed, "no bytes at all"};
  if (der.size() > max_certificate_size) return Error{ErrorKind::malformed, "larger than 256 KiB"};
  Trouble trouble(der);
  Bytes spki;
  if (!read_whole(der, trouble, into, spki)) return trouble.error();
  into.der = copy(der);
  into.thumbprint = hasher.sha1(der);
  into.spki_sha256 = hasher.sha256(spki);
  return std::nullopt;
}

Result<CertificateRef> read_shared_certificate(Bytes der, const Hasher& hasher, const Sha256& sha256) {
  const auto made = std::make_shared<Certificate>();
  if (std::optional<Error> error = read_into(*made, der, hasher)) return tl::unexpected(*std::move(error));
  made->sha256 = sha256;
  return made;
}

Result<Certificate> read_certificate(Bytes der, const Hasher& hasher) {
  Result<Certificate> result;
  if (std::optional<Error> error = read_into(*result, der, hasher)) return tl::unexpected(*std::move(error));
  result->sha256 = hasher.sha256(der);
  return result;
}

}  // namespace mrascheck::x509

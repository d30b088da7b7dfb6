// SPDX-License-Identifier: Apache-2.0
#include "x509/envelope.hpp"

#include <fmt/format.h>

#include "x509/der.hpp"

namespace mrascheck::x509 {

using namespace std::string_view_literals;

static constexpr unsigned max_depth = 32;

namespace {

struct Ber {
  std::uint8_t tag = 0;
  Bytes content;
  std::size_t size = 0;  ///< with tag, length and, where there are any, end-of-contents octets
};

struct Header {
  std::uint8_t tag = 0;
  std::size_t size = 0;
  std::size_t length = 0;
  bool indefinite = false;
};

}  // namespace

static std::optional<Header> read_header(Bytes in) {
  if (in.size() < 2 || (in[0] & 0x1fU) == 0x1fU) return std::nullopt;
  Header header{.tag = in[0], .size = 2, .length = in[1], .indefinite = in[1] == 0x80};
  if (header.indefinite) {
    header.length = 0;
    if ((header.tag & 0x20U) == 0) return std::nullopt;  // X.690, 8.1.3.2: only for what is constructed
  } else if (header.length > 0x80) {
    const std::size_t octets = header.length & 0x7fU;
    if (octets > 4 || in.size() < 2 + octets) return std::nullopt;
    header.length = 0;
    for (std::size_t i = 0; i < octets; ++i) header.length = header.length << 8U | in[2 + i];
    header.size += octets;
  }
  return header;
}

/// The size of what stands between a header of indefinite length and its end-of-contents octets, without these. One
/// pass with a stack of depths instead of recursion: every byte is looked at once however elements are nested.
static std::optional<std::size_t> indefinite_size(Bytes in) {
  unsigned open = 1;
  std::size_t at = 0;
  while (true) {
    const std::optional<Header> header = read_header(in.subspan(at));
    if (!header) return std::nullopt;
    if (header->tag == 0x00) {
      if (header->length != 0 || header->indefinite) return std::nullopt;
      if (--open == 0) return at;
      at += 2;
    } else if (header->indefinite) {
      if (++open > max_depth) return std::nullopt;
      at += header->size;
    } else {
      if (in.size() - at - header->size < header->length) return std::nullopt;
      at += header->size + header->length;
    }
  }
}

/// Takes the element at the front of `in` away.
static std::optional<Ber> take(Bytes& in) {
  const std::optional<Header> header = read_header(in);
  if (!header) return std::nullopt;
  Ber element{.tag = header->tag, .content = {}, .size = header->size};
  const Bytes rest = in.subspan(header->size);
  if (header->indefinite) {
    const std::optional<std::size_t> length = indefinite_size(rest);
    if (!length) return std::nullopt;
    element.content = rest.first(*length);
    element.size += *length + 2;
  } else {
    if (rest.size() < header->length) return std::nullopt;
    element.content = rest.first(header->length);
    element.size += header->length;
  }
  in = in.subspan(element.size);
  return element;
}

static std::optional<Ber> take(Bytes& in, std::uint8_t tag) {
  if (in.empty() || in[0] != tag) return std::nullopt;
  return take(in);
}

bool looks_like_der(Bytes content) {
  return content.size() >= 2 && content[0] == der::sequence && content[1] >= 0x80 && content[1] <= 0x84;
}

DerSize der_size(Bytes content) {
  DerSize size;
  if (!content.empty() && content[0] != der::sequence) return size;
  Bytes rest = content;
  if (const std::optional<Ber> element = take(rest)) {
    size.whole = element->size;
  } else if (const std::optional<Header> header = read_header(content)) {
    size.announced = header->size + header->length;
  }
  return size;
}

static bool is_time(std::uint8_t tag) {
  return tag == der::utc_time || tag == der::generalized_time;
}

/// Of SEQUENCE { SEQUENCE ...: the tags in the inner one tell certificates, revocation lists and requests apart.
static DerKind classify_signed(Bytes body, std::uint8_t behind) {
  std::uint8_t tags[4] = {};
  Bytes fourth;
  Bytes rest = body;
  for (std::uint8_t& tag : tags) {
    const std::optional<Ber> element = take(rest);
    if (!element) break;
    tag = element->tag;
    fourth = element->content;
  }
  if (tags[0] == der::constructed(0)) return DerKind::certificate;
  if (tags[0] == der::integer && tags[1] == der::sequence && tags[2] == der::sequence) {
    if (is_time(tags[3])) return DerKind::crl;
    const bool validity = tags[3] == der::sequence && !fourth.empty() && is_time(fourth[0]);
    return validity ? DerKind::certificate : DerKind::request;
  }
  if (tags[0] == der::sequence && tags[1] == der::sequence && is_time(tags[2])) return DerKind::crl;
  if (tags[0] == der::object_identifier && behind == der::bit_string) return DerKind::public_key;
  if (tags[0] == der::object_identifier && behind == der::octet_string)
    return DerKind::private_key;  // encrypted PKCS#8
  return DerKind::unknown;
}

static constexpr std::string_view pkcs7_arc = "\x2a\x86\x48\x86\xf7\x0d\x01\x07"sv;
static constexpr std::string_view signed_data_oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"sv;
static constexpr std::string_view trust_list_oid = "\x2b\x06\x01\x04\x01\x82\x37\x0a\x01"sv;

DerKind classify(Bytes element) {
  const std::optional<Ber> outside = take(element, der::sequence);
  if (!outside) return DerKind::unknown;
  Bytes in = outside->content;
  const std::optional<Ber> first = take(in);
  if (!first) return DerKind::unknown;
  const std::uint8_t behind = in.empty() ? std::uint8_t{0} : in[0];
  if (first->tag == der::sequence) return classify_signed(first->content, behind);
  if (first->tag == der::object_identifier) {
    const std::string_view oid = as_text(first->content);
    if (oid == signed_data_oid) return DerKind::signed_data;
    return oid.starts_with(pkcs7_arc) ? DerKind::other_pkcs7 : DerKind::unknown;
  }
  if (first->tag == der::integer && first->content.size() == 1) {
    const std::uint8_t version = first->content[0];
    if (version == 3 && behind == der::sequence) return DerKind::pkcs12;           // RFC 7292, 4
    if (version == 0 && behind == der::integer) return DerKind::private_key;       // RFC 8017, A.1.2
    if (version <= 1 && behind == der::sequence) return DerKind::private_key;      // RFC 5958
    if (version == 1 && behind == der::octet_string) return DerKind::private_key;  // RFC 5915
  }
  return DerKind::unknown;
}

Envelope open_pkcs7(Bytes element) {
  Envelope envelope;
  const auto broken = [&envelope](std::string_view why) {
    envelope.trouble = fmt::format("a PKCS#7 that cannot be read: {}", why);
    return envelope;
  };
  // ContentInfo { contentType, [0] SignedData { version, digestAlgorithms, encapContentInfo, [0] certificates ...
  const std::optional<Ber> info = take(element, der::sequence);
  if (!info) return broken("not a SEQUENCE");
  Bytes in = info->content;
  if (!take(in, der::object_identifier)) return broken("no content type");
  const std::optional<Ber> content = take(in, der::constructed(0));
  if (!content) return broken("no content");
  in = content->content;
  const std::optional<Ber> signed_data = take(in, der::sequence);
  if (!signed_data) return broken("no signed data");
  in = signed_data->content;
  if (!take(in, der::integer)) return broken("no version");
  if (!take(in, der::set)) return broken("no digest algorithms");
  const std::optional<Ber> inner = take(in, der::sequence);
  if (!inner) return broken("no inner content");
  Bytes inner_content = inner->content;
  const std::optional<Ber> inner_type = take(inner_content, der::object_identifier);
  if (inner_type && as_text(inner_type->content) == trust_list_oid) {
    // Certificates in it are those of who signed the list.
    envelope.trouble = "a certificate trust list (.stl): it holds hashes of certificates, not certificates";
    return envelope;
  }
  const std::optional<Ber> certificates = take(in, der::constructed(0));
  if (!certificates && !in.empty() && in[0] == der::constructed(0)) return broken("its certificates are cut off");
  Bytes list = certificates ? certificates->content : Bytes{};
  while (!list.empty()) {
    const Bytes whole = list;
    const std::optional<Ber> certificate = take(list);
    if (!certificate) return broken(fmt::format("certificate {} is cut off", envelope.certificates.size() + 1));
    // RFC 5652, 10.2.2: the other choices are attribute certificates and things long obsolete.
    if (certificate->tag == der::sequence) envelope.certificates.push_back(whole.first(certificate->size));
  }
  const std::optional<Ber> crls = take(in, der::constructed(1));
  if (!crls && !in.empty() && in[0] == der::constructed(1)) return broken("its revocation lists are cut off");
  list = crls ? crls->content : Bytes{};
  while (!list.empty()) {
    const Bytes whole = list;
    const std::optional<Ber> crl = take(list);
    if (!crl) return broken(fmt::format("revocation list {} is cut off", envelope.crls.size() + 1));
    if (crl->tag == der::sequence) envelope.crls.push_back(whole.first(crl->size));  // the others: RFC 5652, 10.2.1
  }
  return envelope;
}

}  // namespace mrascheck::x509

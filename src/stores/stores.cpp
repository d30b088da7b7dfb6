// SPDX-License-Identifier: Apache-2.0
#include "stores/stores.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "stores/collector.hpp"
#include "stores/elements.hpp"
#include "stores/encoding.hpp"

namespace mrascheck::stores {

using namespace std::string_view_literals;

std::string_view to_string(Format format) {
  switch (format) {
    case Format::serialized_store:
      return "a serialized store (.sst)";
    case Format::registry_blob:
      return "the Blob of a registry value";
    case Format::registry_export:
      return "a registry export (.reg)";
    case Format::registry_policy:
      return "a group policy file (Registry.pol)";
    case Format::ldif:
      return "LDIF";
    case Format::certutil_text:
      return "certutil's text";
  }
  return "a store";
}

/// Its first line that is neither empty nor a comment, which may be folded too, says dn: or version: (RFC 2849).
static bool begins_as_ldif(std::string_view head) {
  bool comment = false;
  while (!head.empty()) {
    const std::string_view line = take_line(head);
    comment = line.starts_with('#') || (comment && line.starts_with(' '));
    if (comment || trim(line).empty()) continue;
    return equals_ignoring_case(line.substr(0, 3), "dn:") || equals_ignoring_case(line.substr(0, 8), "version:");
  }
  return false;
}

static bool has_separator(Bytes content) {
  static constexpr std::string_view narrow = "================ "sv;
  const std::string_view text = as_text(content);
  if (!is_utf16(content)) return text.find(narrow) != std::string_view::npos && text.find("-----BEGIN ") == text.npos;
  std::string wide;
  for (const char c : narrow) wide.append({c, '\0'});
  if (text.starts_with("\xFE\xFF")) wide = '\0' + wide.substr(0, wide.size() - 1);
  return text.find(wide) != std::string_view::npos;
}

std::optional<Format> recognise(Bytes content) {
  const std::string_view text = as_text(content);
  if (text.starts_with("\0\0\0\0CERT"sv)) return Format::serialized_store;
  if (text.starts_with("PReg"sv)) return Format::registry_policy;
  if (begins_with_element(content)) return Format::registry_blob;
  if (content.size() >= 2 && content[0] == 0x30 && content[1] >= 0x80) return std::nullopt;  // DER
  const std::string head = decode_text(content.first(std::min<std::size_t>(content.size(), 4'096)));
  const std::string_view begin = trim(head);
  if (begin.starts_with("-----BEGIN ")) return std::nullopt;
  const auto starts = [begin](std::string_view word) {
    return equals_ignoring_case(begin.substr(0, word.size()), word);
  };
  if (starts("Windows Registry Editor Version") || starts("REGEDIT4")) return Format::registry_export;
  if (begins_as_ldif(head)) return Format::ldif;
  return has_separator(content) ? std::optional{Format::certutil_text} : std::nullopt;
}

std::optional<Reading> read_store(Bytes content, const Sink& sink) {
  const std::optional<Format> format = recognise(content);
  if (!format) return std::nullopt;
  Reading reading;
  Collector into(sink, reading);
  switch (*format) {
    case Format::serialized_store:
      read_serialized_store(content, into);
      break;
    case Format::registry_blob:
      read_registry_blob(content, into);
      break;
    case Format::registry_export:
      read_registry_export(content, into);
      break;
    case Format::registry_policy:
      read_registry_policy(content, into);
      break;
    case Format::ldif:
      read_ldif(content, into);
      break;
    case Format::certutil_text:
      read_certutil_text(content, into);
      break;
  }
  into.finish();
  return reading;
}

std::vector<std::string> contradictions(const FoundEntry& entry, const Certificate& certificate) {
  std::vector<std::string> all;
  if (entry.key_name && !equals_ignoring_case(*entry.key_name, thumbprint(certificate))) {
    all.push_back(fmt::format("{}: the registry key is named {}, and the certificate in it has the thumbprint {}",
                              entry.where, *entry.key_name, thumbprint(certificate)));
  }
  if (entry.sha1_property && *entry.sha1_property != certificate.thumbprint) {
    all.push_back(fmt::format("{}: its SHA-1 property says {}, and the certificate has the thumbprint {}",
                              entry.where.empty() ? "the certificate" : entry.where, to_upper_hex(*entry.sha1_property),
                              thumbprint(certificate)));
  }
  return all;
}

}  // namespace mrascheck::stores

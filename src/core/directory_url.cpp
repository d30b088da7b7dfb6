// SPDX-License-Identifier: Apache-2.0
#include "core/directory_url.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"

namespace mrascheck {

static std::optional<std::string> percent_decoded(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    if (text.front() != '%') {
      plain += text.front();
      text.remove_prefix(1);
      continue;
    }
    const ByteString octet = text.size() < 3 ? ByteString{} : from_hex(text.substr(1, 2));
    if (octet.size() != 1) return std::nullopt;
    plain += static_cast<char>(octet.front());
    text.remove_prefix(3);
  }
  return plain;
}

/// What stands behind the host and its slash.
static std::optional<DirectoryReference> reference_in(std::string_view url) {
  const std::size_t question = url.find('?');
  auto dn = percent_decoded(url.substr(0, question));
  if (!dn || dn->empty()) return std::nullopt;
  DirectoryReference reference{printable(*dn, 4096), {}};
  if (question != std::string_view::npos) {
    url.remove_prefix(question + 1);
    const auto attribute = percent_decoded(url.substr(0, url.find_first_of(",?")));
    if (!attribute) return std::nullopt;
    reference.attribute = printable(*attribute);
  }
  return reference;
}

std::optional<DirectoryReference> hostless_reference(std::string_view url) {
  constexpr std::string_view beginning = "ldap:///";
  if (!equals_ignoring_case(url.substr(0, beginning.size()), beginning)) return std::nullopt;
  return reference_in(url.substr(beginning.size()));
}

std::optional<RemoteReference> remote_reference(std::string_view url) {
  for (const std::string_view scheme : {"ldap://", "ldaps://"}) {
    if (!equals_ignoring_case(url.substr(0, scheme.size()), scheme)) continue;
    const std::size_t end = url.find('/', scheme.size());
    if (end == std::string_view::npos || end == scheme.size()) return std::nullopt;
    auto entry = reference_in(url.substr(end + 1));
    if (!entry) return std::nullopt;
    const std::string_view host = url.substr(scheme.size(), end - scheme.size());
    return RemoteReference{std::string{scheme} + printable(host, 300), *std::move(entry)};
  }
  return std::nullopt;
}

/// The part of a DN up to its next separator, without blanks around it; it is taken off the front.
static std::string_view next_part(std::string_view& dn) {
  std::size_t end = 0;
  while (end < dn.size() && dn[end] != ',' && dn[end] != '=') end += dn[end] == '\\' ? 2 : 1;
  end = std::min(end, dn.size());
  const std::string_view part = trim(dn.substr(0, end));
  dn.remove_prefix(std::min(dn.size(), end + 1));
  return part;
}

bool same_dn(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (!equals_ignoring_case(next_part(a), next_part(b))) return false;
  }
  return a.empty() && b.empty();
}

}  // namespace mrascheck

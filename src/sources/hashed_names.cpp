// SPDX-License-Identifier: Apache-2.0
#include "sources/hashed_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

#include "core/text.hpp"
#include "crypto/name_hash.hpp"

namespace mrascheck::sources {

static constexpr std::size_t digits = 8;

static bool begins_with_hash(std::string_view name) {
  return name.size() > digits + 1 && name[digits] == '.' &&
         std::all_of(name.begin(), name.begin() + digits,
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// A number without leading zeros, of at most nine digits.
static std::optional<unsigned> number_of(std::string_view text) {
  unsigned number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end || text.size() > 9 || (text.size() > 1 && text[0] == '0'))
    return std::nullopt;
  return number;
}

std::optional<HashedName> hashed_name(std::string_view name) {
  if (!begins_with_hash(name)) return std::nullopt;
  const std::optional<unsigned> number = number_of(name.substr(digits + 1));
  if (!number) return std::nullopt;
  HashedName hashed;
  hashed.name = name;
  hashed.number = *number;
  std::from_chars(name.data(), name.data() + digits, hashed.hash, 16);
  return hashed;
}

/// Why OpenSSL, looking for the subject of what stands behind it, does not come here; empty when it does.
static std::string misnamed(const HashedName& name) {
  std::string why;
  for (const CertificateRef& certificate : name.certificates) {
    const std::optional<std::uint32_t> hash = crypto::name_hash(certificate->subject);
    if (!hash || *hash == name.hash) return {};
    if (!why.empty()) continue;
    const bool old = crypto::old_name_hash(certificate->subject) == name.hash;
    why = fmt::format("{}: holds {}, whose hash is {:08x}{}: OpenSSL does not find it by this name", name.name,
                      short_name(*certificate), *hash, old ? ", and this one was that of OpenSSL before 1.0" : "");
  }
  return why;
}

std::vector<Unreadable> faults_of(std::vector<HashedName> names, const std::string& directory) {
  std::sort(names.begin(), names.end(), [](const HashedName& a, const HashedName& b) {
    return std::tie(a.hash, a.number) < std::tie(b.hash, b.number);
  });
  std::vector<Unreadable> faults;
  const auto add = [&](std::string reason) { faults.push_back({directory, std::move(reason)}); };
  for (auto first = names.begin(); first != names.end();) {
    const auto last = std::find_if(first, names.end(), [&](const HashedName& n) { return n.hash != first->hash; });
    unsigned expected = 0;
    std::vector<std::string> unreached;
    for (auto name = first; name != last; ++name) {
      if (name->dangling) {
        add(fmt::format("{}: a link to nothing", name->name));
      } else if (name->number != expected) {
        unreached.push_back(name->name);
      } else {
        ++expected;
      }
      if (std::string why = misnamed(*name); !why.empty()) add(std::move(why));
    }
    if (!unreached.empty()) {
      add(fmt::format("OpenSSL never gets to {}, since it stops at {:08x}.{}, which is not there", enumerate(unreached),
                      first->hash, expected));
    }
    first = last;
  }
  return faults;
}

}  // namespace mrascheck::sources

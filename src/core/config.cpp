// SPDX-License-Identifier: Apache-2.0
#include "core/config.hpp"
#include "core/text.hpp"

#include <algorithm>

namespace mrascheck {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

// Nothing of `text` stands in an error: it may be the secret itself.
Result<SecretSource> parse_secret_source(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view scheme = colon == std::string_view::npos ? std::string_view{} : text.substr(0, colon);
  const std::string_view value = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  if (scheme == "file") {
    if (value.empty()) return fail(ErrorKind::config, "file: needs a path, as in file:/etc/mrascheck/fe1.pass");
    return SecretSource{SecretSource::Kind::file, std::string{value}};
  }
  if (scheme == "env") {
    const bool named = !value.empty() && is_letter(value.front()) &&
                       std::all_of(value.begin(), value.end(), [](char c) { return is_letter(c) || is_digit(c); });
    if (!named) {
      return fail(ErrorKind::config, "env: needs the name of a variable (letters, digits and '_'), as in env:FE1_PASS");
    }
    return SecretSource{SecretSource::Kind::env, std::string{value}};
  }
  if (scheme == "fd") {
    const bool number = !value.empty() && value.size() <= 6 && std::all_of(value.begin(), value.end(), is_digit);
    if (!number) return fail(ErrorKind::config, "fd: needs the number of an open file descriptor, as in fd:3");
    return SecretSource{SecretSource::Kind::fd, std::string{value}};
  }
  return fail(ErrorKind::config,
              "a secret must not stand here itself, where process lists, backups and everybody who may read this show "
              "it; say where it is: file:PATH, env:NAME or fd:NUMBER");
}

Trials Config::trials_of(std::size_t link) const {
  Trials wanted = site.links[link].expect == Expectation::accept ? try_everywhere : Trials{};
  if (const auto own = trials.find(link); own != trials.end()) {
    wanted.identities = wanted.identities || own->second.identities;
    wanted.offer = wanted.offer || own->second.offer;
    wanted.chains = wanted.chains || own->second.chains;
    if (own->second.relay) wanted.relay = own->second.relay;
  }
  if (site.links[link].service != Service::mras) wanted.relay = false;  // nobody else grants credentials
  return wanted;
}

}  // namespace mrascheck

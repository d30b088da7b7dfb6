// SPDX-License-Identifier: Apache-2.0
// Who refuses whom, as a report in JSON says it: what a real handshake and a rehearsed one are compared by.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace mrascheck::test {

/// Each finding of a handshake from `from` to `to`: "server: unknown_ca" where `to` refused, "client" where `from`
/// would refuse.
inline std::set<std::string> verdicts(const std::string& json, const std::string& from, const std::string& to) {
  static constexpr std::string_view key = "\"summary\": \"";
  std::set<std::string> found;
  for (std::size_t at = json.find(key); at != std::string::npos; at = json.find(key, at + 1)) {
    const std::size_t begin = at + key.size();
    const std::string summary = json.substr(begin, json.find('"', begin) - begin);
    const std::string refused = to + " refused " + from + " with the TLS alert ";
    if (summary.starts_with(refused)) found.insert("server: " + summary.substr(refused.size()));
    if (summary.starts_with(from + " would refuse " + to)) found.insert("client");
  }
  return found;
}

}  // namespace mrascheck::test

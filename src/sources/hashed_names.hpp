// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/store.hpp"

namespace mrascheck::sources {

/// A file by whose name OpenSSL finds certificates (openssl-rehash(1)): the subject's hash and a number.
struct HashedName {
  std::string name;  ///< "0a1b2c3d.0"
  std::uint32_t hash = 0;
  unsigned number = 0;
  bool dangling = false;                     ///< a link whose target is not there
  std::vector<CertificateRef> certificates;  ///< in it, or in what it is a link to; none where it cannot be read
};

/// Nothing for any other name: eight lower-case digits and a number as OpenSSL writes them.
std::optional<HashedName> hashed_name(std::string_view name);

/// What keeps OpenSSL from finding certificates in `directory`: links to nothing, numbers that it never gets to, since
/// it stops at the first one missing, and names that are not of the certificates behind them.
std::vector<Unreadable> faults_of(std::vector<HashedName> names, const std::string& directory);

}  // namespace mrascheck::sources

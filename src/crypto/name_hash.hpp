// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "core/name.hpp"

namespace mrascheck::crypto {

/// The number by which OpenSSL looks a name up in a directory (X509_NAME_hash(3), openssl-rehash(1)): from SHA-1 of its
/// own canonical form. Nothing when OpenSSL cannot decode the name.
std::optional<std::uint32_t> name_hash(const Name& name);

/// The same as OpenSSL before 1.0 made it, from MD5 of the name as it stands.
std::optional<std::uint32_t> old_name_hash(const Name& name);

}  // namespace mrascheck::crypto

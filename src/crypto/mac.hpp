// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "core/bytes.hpp"
#include "core/result.hpp"

namespace mrascheck::crypto {

using Md5 = std::array<std::uint8_t, 16>;

/// For STUN's long-term credentials alone, whose key it makes (RFC 8489, 9.2.2); it protects nothing by itself. Error:
/// local, where the OpenSSL of this host has it switched off.
Result<Md5> md5(Bytes bytes);

/// RFC 2104. Error: local.
Result<Sha1> hmac_sha1(Bytes key, Bytes message);

/// In a time that tells nothing of where they differ.
bool equal_in_constant_time(Bytes a, Bytes b);

}  // namespace mrascheck::crypto

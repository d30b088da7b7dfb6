// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"

namespace mrascheck::crypto {

/// OpenSSL's digests, fetched once, safe from any thread.
Hasher hasher();

}  // namespace mrascheck::crypto

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"

namespace mrascheck::json {

/// RFC 4648, 4: with padding, no line breaks.
std::string to_base64(Bytes bytes);

/// Reads exactly what to_base64 writes: one text for each sequence of bytes, so unused bits must be 0.
std::optional<ByteString> from_base64(std::string_view text);

}  // namespace mrascheck::json

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace mrascheck::ldap {

/// An attribute description (RFC 4512, 2.5) taken apart: "cACertificate;binary;range=0-1499".
struct AttributeDescription {
  /// Part of a large attribute ([MS-ADTS] 3.1.1.3.1.3.3): the numbers of the first and the last value, both inclusive.
  struct Range {
    std::size_t first = 0;
    std::optional<std::size_t> last;  ///< nothing for "*": these are the last ones
  };

  std::string_view type;  ///< without any option; as it was spelt
  std::optional<Range> range;

  /// Types are compared ignoring case.
  bool is(std::string_view name) const;
};

/// `text` is referred to, not copied. Options other than "range" are skipped, whatever they are.
/// Nothing, when the type is empty, or a range is not two numbers in order, or there are two ranges.
std::optional<AttributeDescription> parse_attribute(std::string_view text);

}  // namespace mrascheck::ldap

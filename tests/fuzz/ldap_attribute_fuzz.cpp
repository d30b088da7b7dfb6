// SPDX-License-Identifier: Apache-2.0
// An attribute description by whatever calls itself a domain controller.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ldap/attribute.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto attribute = mrascheck::ldap::parse_attribute(text);
  if (!attribute) return 0;
  // The type is a piece of the text without options, and a range is in order.
  if (attribute->type.empty() || !text.starts_with(attribute->type)) abort();
  if (attribute->type.find(';') != std::string_view::npos) abort();
  if (attribute->range && attribute->range->last && *attribute->range->last < attribute->range->first) abort();
  return 0;
}

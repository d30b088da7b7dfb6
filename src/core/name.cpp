// SPDX-License-Identifier: Apache-2.0
#include "core/name.hpp"

#include <algorithm>
#include <functional>

namespace mrascheck {

Name::Name(const Forms& forms) {
  const std::string_view parts[] = {as_text(forms.der), forms.canonical, forms.text, forms.common_name};
  std::size_t size = 0;
  for (const std::string_view one : parts) size += one.size();
  const auto all = std::make_shared_for_overwrite<char[]>(size);
  char* out = all.get();
  std::uint32_t* const ends[] = {&der_end_, &canonical_end_, &text_end_, &end_};
  for (std::size_t i = 0; i < std::size(parts); ++i) {
    out = std::copy(parts[i].begin(), parts[i].end(), out);
    *ends[i] = static_cast<std::uint32_t>(out - all.get());
  }
  forms_ = all;
  if (!forms.canonical.empty()) hash_ = std::hash<std::string_view>{}(forms.canonical);
}

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "core/diagnostics.hpp"

#include <cstdint>
#include <cstdlib>

#include "core/bytes.hpp"
#include "core/explain.hpp"
#include "core/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto diagnostics = mrascheck::parse_diagnostics(mrascheck::as_text({data, size}));
  if (!diagnostics) return 0;
  if (diagnostics->parameters.size() > 64) std::abort();
  for (const auto& [name, value] : diagnostics->parameters) {
    if (name.empty() || value.size() > 4096 + 3 || value != mrascheck::printable(value, value.size())) std::abort();
  }
  const std::string text = mrascheck::explain(*diagnostics);
  if (text.empty() || text != mrascheck::printable(text, text.size())) std::abort();
  return 0;
}

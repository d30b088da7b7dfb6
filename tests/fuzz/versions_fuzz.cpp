// SPDX-License-Identifier: Apache-2.0
// Whatever is said to be a report of versions: what is read of it is bounded, of a product, sorted, and fit to print.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "core/text.hpp"
#include "stores/patches.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const mrascheck::stores::InstalledList list = mrascheck::stores::read_installed({data, size});
  const auto& all = list.components;
  if (all.size() > 500 || !std::is_sorted(all.begin(), all.end())) std::abort();
  for (const mrascheck::InstalledComponent& one : all) {
    if (one.name.empty() || !mrascheck::is_of_product(one.name) || mrascheck::printable(one.name, 1024) != one.name)
      std::abort();
  }
  mrascheck::PatchExport patches;
  patches.components = all;
  if (const auto level = mrascheck::update_level(patches)) {
    const auto again = mrascheck::parse_server_version(mrascheck::to_text(*level));
    if (!again || *again != *level) std::abort();
  }
  return 0;
}

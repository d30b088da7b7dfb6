// SPDX-License-Identifier: Apache-2.0
#include "core/plan.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "core/text.hpp"

namespace mrascheck {
namespace {

std::vector<std::size_t> all_of(std::size_t size) {
  std::vector<std::size_t> indices(size);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}

}  // namespace

Plan make_plan(const Config& config) {
  Plan plan{all_of(config.stores.size()), all_of(config.identities.size()), {}, all_of(config.site.links.size())};
  // Only what a link goes to is connected to; what is known already, and what was met before, is not asked for.
  std::set<std::string> known;
  for (const auto& [name, addresses] : config.resolve) known.insert(to_lower(name));
  for (const Link& link : config.site.links) {
    const Server* const to = config.site.server(link.to);
    if (to == nullptr || !to->addresses.empty()) continue;
    if (known.insert(to_lower(to->resolved_name())).second) plan.names.push_back(to->resolved_name());
  }
  return plan;
}

}  // namespace mrascheck

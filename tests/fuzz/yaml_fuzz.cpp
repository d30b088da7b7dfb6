// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string_view>

#include "core/plan.hpp"
#include "core/text.hpp"
#include "yaml/config_reader.hpp"

using namespace mrascheck;

/// What must hold of any text: it ends, says its problems in printable lines with a place, and what passes is sound.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A directory that is not there: relative paths name nothing.
  const yaml::ConfigFile file = yaml::read_config_text(std::string{as_text({data, size})}, "/nowhere/site.yaml");
  for (const std::string& line : file.problems) {
    const bool placed = line.find(": ") != std::string::npos || line.ends_with("left out here");
    if (!placed || printable(line, line.size()) != line) std::abort();
  }
  if (!file.problems.empty()) return 0;
  const Config& config = file.config;
  if (config.stores.size() != config.site.stores.size()) std::abort();
  for (std::size_t i = 0; i < config.stores.size(); ++i) {
    if (config.stores[i].name != config.site.stores[i].name) std::abort();
    if (config.stores[i].ldap_uris.empty() == config.stores[i].paths.empty()) std::abort();
  }
  for (const Link& link : config.site.links) {
    const Server* const from = config.site.server(link.from);
    const Server* const to = config.site.server(link.to);
    if (from == nullptr || to == nullptr || from == to || !from->has_identity) std::abort();
    if (link.service == Service::mras && config.site.mras.identity.empty()) std::abort();
  }
  if (make_plan(config).links.size() != config.site.links.size()) std::abort();
  return 0;
}

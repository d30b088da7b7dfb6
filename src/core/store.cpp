// SPDX-License-Identifier: Apache-2.0
#include "core/store.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/directory_url.hpp"
#include "core/http_url.hpp"
#include "core/text.hpp"

namespace mrascheck {

std::string_view to_string(StoreOrigin origin) {
  switch (origin) {
    case StoreOrigin::unknown:
      return "unknown";
    case StoreOrigin::local:
      return "local";
    case StoreOrigin::user:
      return "user";
    case StoreOrigin::service:
      return "service";
    case StoreOrigin::group_policy:
      return "group-policy";
    case StoreOrigin::enterprise:
      return "enterprise";
    case StoreOrigin::directory:
      return "directory";
  }
  return "unknown";
}

bool EntryProperties::any() const {
  static const EntryProperties none;
  return *this != none;
}

bool EntryProperties::forbids(std::string_view purpose) const {
  const auto names = [purpose](const std::vector<std::string>& oids) {
    return std::any_of(oids.begin(), oids.end(),
                       [purpose](const std::string& oid) { return oid == purpose || oid == any_eku_oid; });
  };
  return names(rejected_purposes) || (purposes && !names(*purposes));
}

static std::string store_text(const EntryProperties& p) {
  const std::string store = p.windows_store.empty() ? "store" : fmt::format("store {}", p.windows_store);
  switch (p.origin) {
    case StoreOrigin::unknown:
    case StoreOrigin::directory:
      return p.windows_store.empty() ? "" : store;
    case StoreOrigin::local:
      return fmt::format("local {}", store);
    case StoreOrigin::user:
      return fmt::format("a user's own {}, which services do not see", store);
    case StoreOrigin::service:
      return fmt::format("a service's own {}", store);
    case StoreOrigin::group_policy:
      return fmt::format("group policy {}: comes back at the next refresh", store);
    case StoreOrigin::enterprise:
      return fmt::format("enterprise {}: comes back from Active Directory", store);
  }
  return {};
}

std::string EntryProperties::text() const {
  std::string all = store_text(*this);
  const auto add = [&all](const std::string& part) {
    if (!all.empty()) all += "; ";
    all += part;
  };
  if (archived) add("archived");
  if (!friendly_name.empty()) add(fmt::format("friendly name '{}'", friendly_name));
  if (purposes)
    add(purposes->empty() ? "disabled for all purposes" : fmt::format("enabled for {} only", enumerate(*purposes)));
  if (!rejected_purposes.empty()) add(fmt::format("rejected for {}", enumerate(rejected_purposes)));
  if (!key_provider.empty()) {
    add(fmt::format("private key in {}{}", key_provider, key_spec.empty() ? "" : fmt::format(" ({})", key_spec)));
  }
  return all;
}

PropertiesRef PropertiesPool::share(const EntryProperties& properties) {
  if (!properties.any()) return nullptr;
  const auto [place, added] = known_.try_emplace(properties);
  if (added) place->second = std::make_shared<const EntryProperties>(place->first);
  return place->second;
}

std::string_view without_mark(std::string_view place) {
  for (const std::string_view mark : {forward_mark, reverse_mark}) {
    if (place.ends_with(mark)) place.remove_suffix(mark.size());
  }
  return place;
}

bool in_certificate_pair(std::string_view place) {
  return without_mark(place).size() != place.size();
}

bool is_fetched(std::string_view store) {
  return is_http(store) || remote_reference(store).has_value();
}

}  // namespace mrascheck

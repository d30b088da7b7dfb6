// SPDX-License-Identifier: Apache-2.0
#include "checks/registry.hpp"

#include <array>

namespace mrascheck::checks {

#define CHECK(name) extern const Check name;
#include "checks/checks.def"
#undef CHECK

namespace {

constexpr std::array registered{
#define CHECK(name) &(name),
#include "checks/checks.def"
#undef CHECK
};

}  // namespace

std::span<const Check* const> all() {
  return registered;
}

const Check* find(std::string_view id) {
  for (const Check* check : registered) {
    if (check->id == id) return check;
  }
  return nullptr;
}

}  // namespace mrascheck::checks

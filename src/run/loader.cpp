// SPDX-License-Identifier: Apache-2.0
#include "module/find.hpp"
#include "run/door.hpp"

namespace mrascheck::run {

const Result<const Door*>& door() {
  static const Result<const Door*> found =
      module::find(module_file, door_symbol).map([](const void* symbol) { return static_cast<const Door*>(symbol); });
  return found;
}

}  // namespace mrascheck::run

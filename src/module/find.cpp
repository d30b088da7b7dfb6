// SPDX-License-Identifier: Apache-2.0
#include "module/find.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <system_error>

namespace mrascheck::module {

Result<void*> find(const char* file, const char* symbol) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) {
    return fail(ErrorKind::local,
                fmt::format("{}, a part of mrascheck, cannot be found: /proc/self/exe: {}", file, error.message()));
  }
  fs::path place;
  for (const char* beside : std::array{"../lib/mrascheck", MRASCHECK_MODULE_PLACE}) {
    place = (program.parent_path() / beside / file).lexically_normal();
    if (fs::exists(place, error)) break;
  }
  // RTLD_NODELETE: libraries behind it leave thread-local data behind.
  void* module = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  void* found = module == nullptr ? nullptr : ::dlsym(module, symbol);
  if (found == nullptr) {
    const char* why = ::dlerror();
    return fail(ErrorKind::local, fmt::format("{}, a part of mrascheck, cannot be loaded: {}", file,
                                              why == nullptr ? "no reason given" : why));
  }
  return found;
}

}  // namespace mrascheck::module

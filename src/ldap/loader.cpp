// SPDX-License-Identifier: Apache-2.0
// libldap brings a second TLS library and ten more behind it, which cost every start several times what the program
// itself does. So they are loaded when a directory is to be read, and never for --help or a check without one.
#include <dlfcn.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <array>
#include <filesystem>

#include "ldap/module.hpp"

namespace mrascheck::ldap {
namespace {

/// For libldap, which then reads no ldap.conf (session.cpp says more): set here, because the module is loaded when
/// there are threads, and setenv is safe only while there is one.
[[gnu::constructor]] void ignore_ldap_conf() {
  ::setenv("LDAPNOINIT", "1", 0);
}

Result<ReadDirectory> load() {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) {
    return fail(ErrorKind::local, fmt::format("{}: cannot be found, so no directory can be read: /proc/self/exe: {}",
                                              module_file, error.message()));
  }
  // Beside the program, as it was built and as it is installed. Never by a search path, which others may set.
  fs::path file;
  for (const char* place : std::array{"../lib/mrascheck", MRASCHECK_MODULE_PLACE}) {
    file = program.parent_path() / place / module_file;
    if (fs::exists(file, error)) break;
  }
  // Never unloaded: GnuTLS leaves thread-local data behind.
  void* module = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  void* symbol = module == nullptr ? nullptr : ::dlsym(module, read_directory_symbol);
  if (symbol == nullptr) {
    const char* why = ::dlerror();
    return fail(ErrorKind::local, fmt::format("{}: cannot be loaded, so no directory can be read: {}", module_file,
                                              why == nullptr ? "no reason given" : why));
  }
  return reinterpret_cast<ReadDirectory>(symbol);
}

}  // namespace

Result<DirectoryAnswer> read_directory(const StoreSource& source, const Secret& password,
                                       std::chrono::milliseconds step, const Deadline& deadline,
                                       const std::function<void(const CertificateValue&)>& on_value,
                                       const NameService& names) {
  static const Result<ReadDirectory> door = load();
  if (!door) return tl::unexpected(door.error());
  Result<DirectoryAnswer> answer;
  (*door)(source, password, step, deadline, on_value, names, answer);
  return answer;
}

}  // namespace mrascheck::ldap

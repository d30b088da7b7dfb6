// SPDX-License-Identifier: Apache-2.0
// libldap brings a second TLS library and ten more behind it, which cost every start several times what the program
// itself does. So they are loaded when a directory is to be read, and never for a check without one.
#include <stdlib.h>

#include "ldap/module.hpp"
#include "module/find.hpp"

namespace mrascheck::ldap {
namespace {

/// For libldap, which then reads no ldap.conf (session.cpp says more): set here, because the module is loaded when
/// there are threads, and setenv is safe only while there is one.
[[gnu::constructor]] void ignore_ldap_conf() {
  ::setenv("LDAPNOINIT", "1", 0);
}

}  // namespace

Result<DirectoryAnswer> read_directory(const StoreSource& source, const Secret& password,
                                       std::chrono::milliseconds step, const Deadline& deadline,
                                       const DirectorySink& sink, const NameService& names) {
  static const Result<void*> door = module::find(module_file, read_directory_symbol);
  if (!door) return tl::unexpected(door.error());
  Result<DirectoryAnswer> answer;
  reinterpret_cast<ReadDirectory> (*door)(source, password, step, deadline, sink, names, answer);
  return answer;
}

}  // namespace mrascheck::ldap

// SPDX-License-Identifier: Apache-2.0
#include "ldap/module.hpp"

using namespace mrascheck;

extern "C" __attribute__((visibility("default"))) void mrascheck_ldap_read_directory(
    const StoreSource& source, const Secret& password, std::chrono::milliseconds step, const Deadline& deadline,
    const ldap::DirectorySink& sink, const ldap::NameService& names, Result<ldap::DirectoryAnswer>& into) {
  into = ldap::read_directory(source, password, step, deadline, sink, names);
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ldap/directory.hpp"

namespace mrascheck::ldap {

/// The one door of mrascheck-ldap.so: read_directory() with its answer in `into`. Both sides are built together and
/// from one tree, so C++ values pass; only the name is C's, because dlsym() must find it.
using ReadDirectory = void (*)(const StoreSource& source, const Secret& password, std::chrono::milliseconds step,
                               const Deadline& deadline, const DirectorySink& sink, const NameService& names,
                               Result<DirectoryAnswer>& into);
inline constexpr const char* read_directory_symbol = "mrascheck_ldap_read_directory";
inline constexpr const char* module_file = "mrascheck-ldap.so";

}  // namespace mrascheck::ldap

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/builds.hpp"
#include "core/bytes.hpp"

namespace mrascheck::stores {

/// What an export says is installed, as far as it is of Lync Server and its like.
struct InstalledList {
  PatchSource kind = PatchSource::report;
  std::vector<InstalledComponent> components;  ///< sorted, each once; printable
  std::size_t others = 0;                      ///< programs of other products, and versions that belong to no name
  bool cut = false;                            ///< there are more than are kept
};

/// Of what Get-CsServerPatchVersion prints (a table, a list or CSV), of the HTML that its -Report writes, and of a .reg
/// with Uninstall keys; by content. UTF-8, UTF-16 or ANSI. Public documents name the properties ComponentName and
/// Version, and show no report: whatever puts a name and a version on one line, or one under the other, is read.
InstalledList read_installed(Bytes content);

}  // namespace mrascheck::stores

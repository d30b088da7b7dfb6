// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/report.hpp"

namespace mrascheck {

/// What is to be made of a look that could not be finished, where it is not to be as the checks have it. Never ok.
struct Results {
  std::optional<Status> timeout;  ///< a server did not answer in time
  std::optional<Status> refused;  ///< a server refused or reset the connection
  std::optional<Status> source;   ///< a directory or what was to be fetched could not be reached: a Gap
};

/// Changes the findings that `results` is about, and with them the status of their checks, of causes, and of the
/// report. `report` is what judging made of `evidence`.
void regrade(const Results& results, const Evidence& evidence, Report& report);

}  // namespace mrascheck

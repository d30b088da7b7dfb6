// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/report.hpp"

namespace mrascheck::render {

/// JUnit XML as Jenkins' schema has it: a suite a link, a suite a store, and one of the site for what is of neither. A
/// critical finding is a failure, an unknown one and a gap an error, a warning passes with its text in system-out
/// (`strict`: fails); what a check could not come to is skipped. `site` is what `report` is about.
std::string junit(const Report& report, const Site& site, bool strict);

}  // namespace mrascheck::render

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/arguments.hpp"

namespace mrascheck::cli {

/// `arguments` with each --extra-opts[=[SECTION][@FILE]] replaced by what that section of that INI file says
/// (Monitoring Plugins, "Extra-Opts"): "key=value" or "key", a key of one letter being a short option. What the command
/// line says itself stands, where an option may be given once only. SECTION is `program` by default; the file is that
/// of MP_CONFIG_FILE, else the first of the usual places that is there. Error: config or local, one line.
Result<std::vector<std::string>> with_extra_opts(const std::vector<std::string>& arguments, std::string_view program,
                                                 const po::options_description& options);

}  // namespace mrascheck::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "core/report.hpp"

namespace mrascheck::render {

struct Options {
  bool color = false;  ///< ANSI; only ever for a terminal
  std::size_t width = 80;
  int verbosity = 0;              ///< -v up to -vvv
  std::size_t max_output = 4096;  ///< plugin form: bytes, the cut is said in the last line
};

/// For people: verdict, findings worst first with a remedy under each, what could not be looked at, what is fine.
std::string text(const Report& report, const Options& options);

/// Monitoring Plugins Development Guidelines: "MRAS CRITICAL - ... | perfdata", then long output.
std::string plugin(const Report& report, const Options& options);

}  // namespace mrascheck::render

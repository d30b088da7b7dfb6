// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "core/report.hpp"

namespace mrascheck::render {

struct Options {
  bool color = false;  ///< ANSI; only ever for a terminal
  std::size_t width = 80;
  int verbosity = 0;                                ///< -v up to -vvv
  std::size_t max_output = 4096;                    ///< plugin form: bytes, the cut is said in the last line
  ThresholdForm thresholds = ThresholdForm::range;  ///< plugin form: of the performance data
};

/// For people: verdict, findings worst first with a remedy under each, what could not be looked at, what is fine.
/// Verbosity: 1 lists everything that is fine, 2 adds what was measured. A word longer than `width` is not broken.
std::string text(const Report& report, const Options& options);

/// Monitoring Plugins Development Guidelines: "MRAS CRITICAL - ... | perfdata", then long output, one line a finding
/// and gap. Verbosity: 1 adds remedies and a fuller first line, 2 facts and what is fine, 3 sources and circumstances.
/// Never more than `max_output` bytes, always whole lines; '|' in any text becomes a blank.
std::string plugin(const Report& report, const Options& options);

}  // namespace mrascheck::render

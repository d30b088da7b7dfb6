// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/evidence.hpp"
#include "core/plan.hpp"

namespace mrascheck::run {

struct Options {
  UtcTime now;                            ///< becomes Evidence::collected_at
  std::string vantage;                    ///< this host's name
  std::vector<std::string> name_servers;  ///< "127.0.0.1:5353"; empty: those of resolv.conf
  std::stop_token stop;                   ///< SIGTERM, SIGINT: end early, report what is known
  /// Called from the collecting thread whenever a look ends: how many of how many, and what it was. May be empty.
  std::function<void(std::size_t done, std::size_t all, const std::string& what)> progress;
};

/// Looks at everything in `plan`, all at once within Config::limits, and returns by the deadline at the latest. Never
/// fails: what went wrong is in the evidence, as a record where the target failed, as a Gap where our own means did.
Evidence collect(const Config& config, const Plan& plan, const Options& options);

}  // namespace mrascheck::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/evidence.hpp"
#include "core/result.hpp"

namespace mrascheck::run {

struct RehearsalOptions {
  UtcTime at;                           ///< becomes Evidence::collected_at
  std::optional<UtcTime> through;       ///< then every instant up to here at which something may turn out otherwise
  std::string vantage;                  ///< this host's name
  std::vector<std::string> recordings;  ///< stand in for directories, and for servers without a certificate here

  /// Instants after `at` that are looked at; the deadline of Config::limits bounds them as well.
  static constexpr std::size_t most_instants = 200;
};

/// Called for `at`, then for each instant after it, in order of time.
using Judge = std::function<void(const Evidence&)>;

/// What was left out behind the last instant that was judged; nothing where it is all.
struct RehearsalEnd {
  std::optional<UtcTime> first_left_out;
  std::string why;
};

/// Shakes hands in memory: for each link, and the other way round where both ends have a certificate, a TLS client and
/// a TLS server with what the configuration gives either end to send and to trust. No network: what stands in a
/// directory service comes from a recording, or is a gap. In Evidence::site every link ends after TLS
/// (Service::tls), and those of the other way round stand behind the others. Error: local, malformed or config, of the
/// recordings alone.
Result<RehearsalEnd> rehearse(const Config& config, const RehearsalOptions& options, const Judge& judge);

}  // namespace mrascheck::run

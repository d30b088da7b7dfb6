// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/report.hpp"

namespace mrascheck::render {

/// Names of other exporters' metrics, given besides our own to dashboards that know them.
struct PrometheusCompat {
  bool blackbox = false;
  bool ssl_exporter = false;
  bool x509 = false;
};

/// A metric family: all are gauges.
struct MetricFamily {
  std::string_view name;
  std::string_view help;
};
/// Every family that prometheus() may write, in its order; those of other exporters last.
std::span<const MetricFamily> metric_families();

/// Prometheus text exposition, version 0.0.4, as the textfile collector of node_exporter takes it: each family once,
/// no timestamps, no label set twice. What was not reached has no duration, and a success of 0. `report` is what
/// judging made of `evidence`.
std::string prometheus(const Report& report, const Evidence& evidence, const PrometheusCompat& compat);

}  // namespace mrascheck::render

// SPDX-License-Identifier: Apache-2.0
// Days to come: when what was judged may turn out otherwise, and what is worse then.
#pragma once

#include <vector>

#include "core/evidence.hpp"
#include "core/report.hpp"

namespace mrascheck {

/// The instants after Evidence::collected_at, up to and with `through`, at which a certificate that is presented or
/// stands above one that is becomes valid or has just ended, or a revocation list of their issuers has; in order.
/// Between two of them nothing of a certificate's or list's validity changes. Thresholds are not looked at.
std::vector<UtcTime> turning_points(const Evidence& evidence, UtcTime through);

/// Adds to `whole` what `day` finds, or could not look at, and `before` did not: each says from when on. A finding that
/// is there again after a better day counts anew. All three are judged by the same checks, in one order.
void add_day(Report& whole, const Report& before, const Report& day);

}  // namespace mrascheck

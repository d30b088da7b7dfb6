// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace mrascheck::bench {

/// What the SIP codec reads in a second, on one core.
void sip();

}  // namespace mrascheck::bench

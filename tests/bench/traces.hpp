// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace mrascheck::bench {

/// A trace of 1 GiB, made here and deleted afterwards, to what `wc -l` needs for it.
void traces();

}  // namespace mrascheck::bench

// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace mrascheck::bench {

/// Links by the thousand against farm.cpp: dialler.cpp, dialler.py and `openssl s_client` do the same by turns.
void handshakes();

}  // namespace mrascheck::bench

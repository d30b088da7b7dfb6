// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace mrascheck::test {

/// Writes so many CA certificates with OpenSSL, each issued by the one before and the first by `root`.crt, all with the
/// one key `root`.key: all of them to `chain` (PEM), the last one first, and the last one alone to `last`.
void write_long_chain(const std::string& root, int length, const std::string& chain, const std::string& last);

}  // namespace mrascheck::test

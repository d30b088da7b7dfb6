// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/evidence.hpp"
#include "core/result.hpp"

namespace mrascheck::run {

/// Reads recordings and joins them. Error: local, malformed or config, naming the file.
Result<Evidence> read_recordings(const std::vector<std::string>& paths);

/// Loads a server's certificate, chain and key as a run would, so that what is wrong is told before anything is tried.
tl::expected<CertificateRef, IdentityError> try_identity(const IdentitySource& source);

}  // namespace mrascheck::run

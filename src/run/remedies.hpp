// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/config.hpp"
#include "core/evidence.hpp"
#include "core/result.hpp"

namespace mrascheck::run {

/// Gap::remedy of a store that could not be read.
std::string store_remedy(const StoreSource& source, const Error& error);
/// Gap::remedy of an identity that could not be loaded.
std::string identity_remedy(const IdentitySource& source, const IdentityError& error);

/// Gap::remedy of a report of versions, a registry export or a trace.
std::string server_file_remedy(Needs need, const std::string& server, const Error& error);

}  // namespace mrascheck::run

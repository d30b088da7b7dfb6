// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "run/collect.hpp"
#include "run/recordings.hpp"
#include "run/rehearsal.hpp"

namespace mrascheck::run {

/// All that looks and reads, by way of mrascheck-run.so: OpenSSL and what else stands behind it is loaded when
/// something is to be looked at, and never for --help. Both sides are built together and from one tree, so C++ values
/// pass.
struct Door {
  Evidence (*collect)(const Config&, const Plan&, const Options&);
  tl::expected<CertificateRef, IdentityError> (*try_identity)(const IdentitySource&);
  Result<Evidence> (*read_recordings)(const std::vector<std::string>& paths);
  void (*complete_proofs)(Evidence&, const Demand&);
  Result<RehearsalEnd> (*rehearse)(const Config&, const RehearsalOptions&, const Judge&);
};

/// Loaded by the first call, which must be made while the program has one thread. Error: local.
const Result<const Door*>& door();

inline constexpr const char* door_symbol = "mrascheck_run_door";
inline constexpr const char* module_file = "mrascheck-run.so";

}  // namespace mrascheck::run

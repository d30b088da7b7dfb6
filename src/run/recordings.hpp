// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/evidence.hpp"
#include "core/graph.hpp"
#include "core/result.hpp"

namespace mrascheck::sources {
class CertificatePool;
}

namespace mrascheck::run {

/// Reads recordings and joins them. Error: local, malformed or config, naming the file.
Result<Evidence> read_recordings(const std::vector<std::string>& paths);
/// The same, with the certificates of a run that has others already.
Result<Evidence> read_recordings(const std::vector<std::string>& paths, sources::CertificatePool& pool);

/// Asks an oracle for every signature that some judgement of the evidence needs.
using Demand = std::function<void(const Evidence&, const SignatureOracle&)>;
/// Verifies what `demand` asks for, and who signed the revocation lists, where `evidence` has no proof of it, and adds
/// the proofs. What cannot be verified stays unproved. Verifying is bounded to a minute.
void complete_proofs(Evidence& evidence, const Demand& demand);

/// Loads a server's certificate, chain and key as a run would, so that what is wrong is told before anything is tried.
tl::expected<CertificateRef, IdentityError> try_identity(const IdentitySource& source);

}  // namespace mrascheck::run

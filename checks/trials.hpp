// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "core/evidence.hpp"
#include "core/finding.hpp"

namespace mrascheck::checks {

/// Findings of the check `handshake` about what was tried on request.
inline constexpr std::array trial_kinds{
    FindingKind{"handshake.identity-let-in", "a server lets in somebody whom it must refuse", {"RFC 8446", "4.4.2.4"}},
    FindingKind{
        "handshake.identity-refused", "a server refuses somebody whom it must let in", {"RFC 5280", "4.2.1.12"}},
    FindingKind{"handshake.trial-undecided", "something that was to be tried gave no answer", {"RFC 8446", "4.4.2.4"}},
    FindingKind{"handshake.chain-matters",
                "whether a server lets a client in depends on what is sent behind its certificate",
                {"RFC 8446", "4.4.2"}},
    FindingKind{"handshake.old-version-offered", "a server agrees to TLS 1.0 or 1.1", {"RFC 8996", "4"}},
    FindingKind{"handshake.nothing-for-windows",
                "a server agrees to no cipher suite of a release of Windows",
                {"TLS Cipher Suites in Windows 8.1", "Default priority order"}},
    FindingKind{"handshake.offer-unknown", "what a server agrees to could not be found out", {"RFC 8446", "4.1.1"}},
};

void judge_trials(const Evidence& evidence, Verdict& verdict);

}  // namespace mrascheck::checks

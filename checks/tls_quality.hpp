// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "core/evidence.hpp"
#include "core/finding.hpp"

namespace mrascheck::checks {

/// Findings of the check `handshake` about links that work: what TLS itself should not look like.
inline constexpr std::array tls_quality_kinds{
    FindingKind{"handshake.weak-version", "a link runs on TLS 1.0 or 1.1", {"RFC 8996", "4"}},
    FindingKind{"handshake.issuer-list-too-long",
                "the list of issuers that a peer sends is as long as Windows lets one be",
                {"KB2464556", "Cause"}},
    FindingKind{"handshake.pool-certificates-differ",
                "members of an Edge pool present different external certificates",
                {"Edge Server environmental requirements in Skype for Business Server", "External Certificates"}},
    FindingKind{"handshake.session-ticket", "a Front End hands out TLS session tickets", {"KB2901554", "Resolution"}},
    FindingKind{
        "handshake.no-secure-renegotiation", "a peer does not know secure renegotiation of TLS", {"RFC 5746", "4.1"}},
};

void judge_tls_quality(const Evidence& evidence, Verdict& verdict);

}  // namespace mrascheck::checks

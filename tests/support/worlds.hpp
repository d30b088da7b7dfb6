// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/evidence.hpp"
#include "core/graph.hpp"
#include "crypto/signature.hpp"
#include "sources/sources.hpp"

namespace mrascheck::test {

/// Certificates of fixtures/pki/issuers, by file name without ".pem". Their clock is issuers_clock().
CertificateRef issuer_fixture(const std::string& name);
UtcTime issuers_clock();

/// Certificates and revocation lists of fixtures/pki/revocation, under the same clock.
CertificateRef revocation_fixture(const std::string& name);
CrlRef crl_fixture(const std::string& name);

/// A site of fe1 (Front End, certificate `leaf`) and edge1, with one store that fe1 trusts.
struct SmallSite {
  Evidence evidence;

  SmallSite();
  /// Into the store "ad": roots and intermediates by their kind.
  SmallSite& store(const std::string& fixture, StoreKind kind, const std::string& place = "");
  /// A list of crl_fixture() into the store "ad".
  SmallSite& crl(const std::string& fixture);
  /// The certificate that fe1 is configured with.
  SmallSite& own(const std::string& fixture);
  /// Verifies what judging asks for, as collecting does.
  Evidence ready();
};

/// An oracle that verifies with OpenSSL.
SignatureOracle verifying_oracle(crypto::SignatureVerifier& verifier);

}  // namespace mrascheck::test

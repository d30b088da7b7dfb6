// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/graph.hpp"

namespace mrascheck {

/// What an engine that takes the first fitting issuer and never looks back has at hand, all in its order.
struct OpensslQuery {
  /// In the order of the CAfile: only a self-signed one ends a path, the others are issuers like those that were sent,
  /// and preferred to these. Certificates of a CApath directory are not asked for once the file has one of that name.
  std::span<const CertificateRef> trusted;
  std::span<const CertificateRef> untrusted;  ///< as sent; whether the target itself is among them makes no difference
  UtcTime at;
  const char* purpose = nullptr;  ///< server_auth_oid or client_auth_oid; nothing: any, as `openssl verify` has it
  unsigned security_level = 0;    ///< 0 is what `openssl verify` has; a TLS peer has 1, on Debian and Red Hat 2
  std::size_t max_depth = 100;    ///< X509_VERIFY_PARAM_set_depth: issuers between the target and the anchor
};

/// One verification as OpenSSL 3.0 goes about it.
struct EngineOutcome {
  std::vector<CertificateRef> chain;  ///< as it was built, target first, also when it was refused
  int error = 0;                      ///< the first X509_V_ERR number, at which a TLS peer ends; 0 when accepted
  std::string error_text;             ///< as X509_verify_cert_error_string has it; empty when accepted
  std::size_t depth = 0;              ///< where in `chain` the error is, the target being 0; 0 when accepted
  std::string undecided;              ///< why neither can be told; then `error` is 0
  bool accepted() const { return error == 0 && undecided.empty(); }
  bool refused() const { return error != 0; }
  std::string text() const;  ///< "accepted", "error 7 at depth 0: certificate signature failure", "undecided: ..."
};

/// The words of OpenSSL 3.0 for its X509_V_ERR numbers; "error 123" for those that predict_openssl() never says.
std::string openssl_error_text(int error);

/// A model of X509_verify_cert of OpenSSL 3.0, as `openssl verify` and TLS peers on OpenSSL use it: trusted
/// certificates first, the first candidate by name and key identifier that is valid now (else the one that expires
/// last), no looking back; signatures are verified when the chain stands. Not modelled: nsCertType, proxy certificates,
/// trust settings of a TRUSTED CERTIFICATE, revocation. notAfter itself counts as expired, other than in RFC
/// 5280, 4.1.2.5. Where a signature higher up was not tried and a later step is sure to fail, `error` is that of the
/// later step.
EngineOutcome predict_openssl(const CertificateRef& target, const OpensslQuery& query,
                              const SignatureOracle& signature);

/// What a CAfile made of the stores of `server` would hold, in the order of its configuration: the certificates of the
/// stores that it trusts, then those of its intermediates; each once, no self-issued one that is no anchor.
std::vector<CertificateRef> trusted_in_order(const Evidence& evidence, const Server& server);

/// Bits of CERT_TRUST_STATUS::dwErrorStatus (Microsoft Learn, wincrypt.h).
enum WindowsTrustError : std::uint32_t {
  windows_not_time_valid = 0x1,
  windows_revoked = 0x4,
  windows_signature = 0x8,
  windows_usage = 0x10,
  windows_untrusted_root = 0x20,
  windows_basic_constraints = 0x400,
  windows_name_constraints = 0x800,
  windows_partial_chain = 0x10000,
  windows_explicit_distrust = 0x4000000,
  windows_critical_extension = 0x8000000,
};

struct WindowsChain {
  std::vector<CertificateRef> certificates;  ///< target first, the root included
  std::uint32_t errors = 0;                  ///< WindowsTrustError bits; 0 is a chain without fault
};

/// What a Windows peer would make of a certificate.
struct WindowsOutcome {
  std::vector<WindowsChain> best;  ///< at most four; several when they tie: which of them is taken is not documented
  std::string undecided;           ///< why it cannot be told; empty when it can
  bool tie() const { return best.size() > 1; }
  /// Whichever of the best is taken, it has no fault.
  bool accepted() const;
  /// Whichever is taken, it has one.
  bool refused() const;
  std::string text() const;  ///< "accepted", "accepted, by one of 2 chains", "NOT_TIME_VALID, UNTRUSTED_ROOT", ...
};

/// "NOT_TIME_VALID, UNTRUSTED_ROOT": the names of the bits without their CERT_TRUST_IS_; empty for none.
std::string windows_error_text(std::uint32_t errors);

/// A model of CertGetCertificateChain: all chains are built, the best one counts (KB2831004; "Troubleshooting
/// Certificate Status and Revocation"). Names are compared byte by byte there, and an authority key identifier that
/// names another certificate excludes a candidate. *Inferred*: that candidates without a subject key identifier stay
/// candidates, and the order of the criteria after "signatures, completeness, trusted root". Neither AIA downloads nor
/// the cache of chains are modelled.
WindowsOutcome predict_windows(const CertificateRef& target, const PathQuery& query, const SignatureOracle& signature);

}  // namespace mrascheck

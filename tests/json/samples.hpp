// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "json/evidence_json.hpp"
#include "support/sample_evidence.hpp"
#include "support/worlds.hpp"

namespace mrascheck::test {

/// Decodes what sample_certificate() made.
inline Result<CertificateRef> decode_sample(Bytes der) {
  if (der.empty()) return fail(ErrorKind::malformed, "truncated at byte 0");
  return sample_certificate(as_text(der));
}

inline Result<CrlRef> decode_sample_crl(Bytes der) {
  if (der.empty()) return fail(ErrorKind::malformed, "truncated at byte 0");
  return sample_crl(as_text(der));
}

/// One issuing CA deployed twice; fe1 and edge1 have certificates by the second.
inline Evidence redeployed_site() {
  SmallSite site;
  site.own("redeployment-leaf-keyid").store("root-r2", StoreKind::root);
  site.evidence.identities.push_back({"edge1.contoso.example", issuer_fixture("redeployment-leaf-keyid"), {}, true});
  site.store("redeployment-a", StoreKind::intermediate, "CN=Issuing,CN=AIA,CN=x");
  site.store("redeployment-b", StoreKind::intermediate, "CN=Issuing,CN=AIA,CN=x");
  return site.ready();
}

inline Result<Evidence> read_sample(std::string_view text) {
  return json::read_evidence(text, "incident.json", decode_sample, decode_sample_crl);
}

}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
#include "core/ocsp.hpp"

namespace mrascheck {

std::string_view to_string(OcspStatus status) {
  switch (status) {
    case OcspStatus::good:
      return "good";
    case OcspStatus::revoked:
      return "revoked";
    case OcspStatus::unknown:
      break;
  }
  return "unknown";
}

std::string_view to_string(OcspSigner signer) {
  switch (signer) {
    case OcspSigner::issuer:
      return "issuer";
    case OcspSigner::delegate:
      return "delegate";
    case OcspSigner::nobody:
      break;
  }
  return "nobody";
}

}  // namespace mrascheck

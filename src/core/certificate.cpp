// SPDX-License-Identifier: Apache-2.0
#include "core/certificate.hpp"

namespace mrascheck {

std::string thumbprint(const Certificate& certificate) {
  return to_upper_hex(certificate.thumbprint);
}

std::string short_name(const Certificate& certificate) {
  return certificate.subject.common_name.empty() ? certificate.subject.text : certificate.subject.common_name;
}

std::chrono::seconds remaining_validity(const Certificate& certificate, UtcTime at) {
  return certificate.not_after - at;
}

}  // namespace mrascheck

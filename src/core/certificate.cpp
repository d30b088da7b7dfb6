// SPDX-License-Identifier: Apache-2.0
#include "core/certificate.hpp"

#include <fmt/format.h>

namespace mrascheck {

std::string thumbprint(const Certificate& certificate) {
  return to_upper_hex(certificate.thumbprint);
}

std::string short_name(const Certificate& certificate) {
  const Name& subject = certificate.subject;
  return std::string{subject.common_name().empty() ? subject.text() : subject.common_name()};
}

std::string label(const Certificate& certificate) {
  return fmt::format("{} ({})", short_name(certificate), thumbprint(certificate));
}

bool Certificate::may_be_self_signed() const {
  if (!self_issued()) return false;
  if (!authority_key_id) return true;
  const AuthorityKeyId& by = *authority_key_id;
  if (by.key_id && subject_key_id && *by.key_id != *subject_key_id) return false;
  if (!by.serial) return true;
  return *by.serial == serial && (!by.issuer || matches(*by.issuer, issuer));
}

std::chrono::seconds remaining_validity(const Certificate& certificate, UtcTime at) {
  return certificate.not_after - at;
}

}  // namespace mrascheck

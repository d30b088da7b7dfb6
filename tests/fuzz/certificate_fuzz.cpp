// SPDX-License-Identifier: Apache-2.0
// Bytes from a peer, a directory or a file, as one certificate and as one name. Whatever we accept OpenSSL must accept,
// and read the same way; tests/support/d2i_agreement.hpp says where we are stricter.
#include <fmt/core.h>

#include <cstdlib>

#include "tests/support/d2i_agreement.hpp"
#include "x509/certificate_reader.hpp"

using mrascheck::Bytes;

static void require(bool holds, std::string_view what) {
  if (holds) return;
  fmt::print(stderr, "{}\n", what);
  std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes{data, size};
  const auto certificate = mrascheck::x509::read_certificate(bytes, mrascheck::test::plain_hasher);
  if (certificate) {
    const std::string disagreement = mrascheck::test::disagreement(*certificate);
    require(disagreement.empty(), disagreement);
    // A name taken out of it reads as the name in it.
    const auto subject = mrascheck::x509::read_name(certificate->subject.der());
    require(subject && subject->canonical() == certificate->subject.canonical(), "subject");
  } else {
    require(certificate.error().kind == mrascheck::ErrorKind::malformed && !certificate.error().text.empty(), "error");
  }
  static_cast<void>(mrascheck::x509::read_name(bytes));
  return 0;
}

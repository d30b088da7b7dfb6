// SPDX-License-Identifier: Apache-2.0
// Bytes from a directory or a file, as one revocation list. Whatever we accept OpenSSL must accept, and read the same
// way; tests/support/d2i_crl_agreement.hpp says where we are stricter.
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "tests/support/d2i_crl_agreement.hpp"
#include "x509/crl_reader.hpp"

static void require(bool holds, std::string_view what) {
  if (holds) return;
  fmt::print(stderr, "{}\n", what);
  std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto crl = mrascheck::x509::read_crl({data, size}, mrascheck::test::plain_hasher);
  if (!crl) {
    require(crl.error().kind == mrascheck::ErrorKind::malformed && !crl.error().text.empty(), "error");
    return 0;
  }
  const std::string disagreement = mrascheck::test::disagreement(*crl);
  require(disagreement.empty(), disagreement);
  require(std::is_sorted(crl->revoked.begin(), crl->revoked.end()), "order");
  for (const std::string& serial : crl->revoked) require(crl->lists(serial), "lists");
  return 0;
}

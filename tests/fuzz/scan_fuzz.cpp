// SPDX-License-Identifier: Apache-2.0
// A file of any kind: something is always said about it, and nothing is found that was not in it.
#include <algorithm>
#include <cstdlib>

#include "x509/scan.hpp"

static void require(bool holds) {
  if (!holds) std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const mrascheck::x509::Scan scan = mrascheck::x509::scan_certificates({data, size});
  require(!scan.certificates.empty() || !scan.crls.empty() || !scan.unreadable.empty());
  std::size_t found = 0;
  for (const auto& certificate : scan.certificates) {
    require(!certificate.der.empty());
    found += certificate.der.size();
  }
  for (const auto& crl : scan.crls) {
    require(!crl.der.empty());
    found += crl.der.size();
  }
  require(found <= size);
  for (const auto& unreadable : scan.unreadable) {
    require(!unreadable.reason.empty() && unreadable.place.empty());
    require(std::none_of(unreadable.reason.begin(), unreadable.reason.end(),
                         [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
  }
  return 0;
}

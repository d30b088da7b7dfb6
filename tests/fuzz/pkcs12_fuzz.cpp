// SPDX-License-Identifier: Apache-2.0
// Any bytes as a PKCS#12 file: a line that says why not, or certificates that are whole.
#include <cstdlib>

#include "core/text.hpp"
#include "crypto/pkcs12.hpp"

static void require(bool holds) {
  if (!holds) std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mrascheck;
  const Secret passphrase("geheim");
  for (const Secret* given : {static_cast<const Secret*>(nullptr), &passphrase}) {
    const auto file = crypto::read_pkcs12({data, size}, given, crypto::Pkcs12Keys::read);
    if (!file) {
      require(!file.error().text.empty() && printable(file.error().text, 4'096) == file.error().text);
      continue;
    }
    for (const auto& one : file->certificates) {
      require(!one.der.empty() && one.der[0] == 0x30);
      require(printable(one.friendly_name, 256) == one.friendly_name);
    }
    for (const auto& one : file->keys) require(printable(one.provider, 256) == one.provider);
    for (const std::string& one : file->trouble) require(printable(one, 4'096) == one);
  }
  return 0;
}

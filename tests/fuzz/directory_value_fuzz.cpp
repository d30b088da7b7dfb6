// SPDX-License-Identifier: Apache-2.0
// What a directory or a certificate may hold besides certificates: certificate pairs, names of CA objects, LDAP URLs.
#include <algorithm>
#include <cstdlib>

#include "core/ca_name.hpp"
#include "core/directory_url.hpp"
#include "core/text.hpp"
#include "x509/certificate_pair.hpp"

using namespace mrascheck;

static void require(bool holds) {
  if (!holds) std::abort();
}

static bool inside(Bytes part, Bytes whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes{data, size};
  const auto pair = x509::read_certificate_pair(bytes);
  if (pair) {
    require(inside(pair->forward, bytes) && inside(pair->reverse, bytes));
    require(!pair->forward.empty() || !pair->reverse.empty());
  } else {
    require(!pair.error().text.empty());
  }

  const std::string text{as_text(bytes)};
  const std::string object = ca_object_name(text);
  require(object.size() <= 57);
  require(std::all_of(object.begin(), object.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
  const std::string real = unescaped_ca_name(text);
  require(printable(real) == real);
  require(with_ca_name("CN=" + text, "").starts_with("CN=" + text));

  if (const auto reference = hostless_reference(text)) {
    require(!reference->dn.empty() && same_dn(reference->dn, reference->dn));
  }
  const std::string half = text.substr(0, size / 2);
  require(same_dn(half, text) == same_dn(text, half));
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Any bytes as an export of a store: what is recognised is always said something about, in printable words, and nothing
// is found that was not in it.
#include <algorithm>
#include <cstdlib>

#include "core/text.hpp"
#include "stores/stores.hpp"

namespace {

using namespace mrascheck;

void require(bool holds) {
  if (!holds) std::abort();
}

bool shown_as_it_is(const std::string& text) {
  return printable(text, 100'000) == text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::size_t entries = 0;
  std::size_t octets = 0;
  const Certificate none;
  const auto reading = stores::read_store({data, size}, [&](const stores::FoundEntry& entry) {
    ++entries;
    octets += entry.der.size();
    require(entry.kind != StoreKind::mixed);
    require(shown_as_it_is(entry.where) && shown_as_it_is(entry.dn) && shown_as_it_is(entry.properties.text()));
    for (const std::string& one : stores::contradictions(entry, none)) require(shown_as_it_is(one));
  });
  require(reading.has_value() == stores::recognise({data, size}).has_value());
  if (!reading) return 0;
  require(entries > 0 || !reading->unreadable.empty() || !reading->truncated.empty());
  require(octets <= size);
  require(shown_as_it_is(reading->truncated));
  for (const std::string& remark : reading->remarks) require(shown_as_it_is(remark));
  for (const Unreadable& one : reading->unreadable)
    require(!one.reason.empty() && shown_as_it_is(one.reason) && shown_as_it_is(one.place));
  return 0;
}

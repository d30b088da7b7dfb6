// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/bytes.hpp"
#include "core/text.hpp"
#include "sip/mras_body.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto require = [](bool condition) {
    if (!condition) std::abort();
  };
  mrascheck::MrasExchange e;
  mrascheck::sip::read_credentials_response(std::string(mrascheck::as_text({data, size})), "4711", e);
  require(e.relays.size() <= mrascheck::sip::max_relays);
  require(e.body_present || !e.problem.empty());
  require(e.credentials_present || !e.credentials_well_formed);
  for (const auto& text : {e.problem, e.reason_phrase, e.server_version, e.realm}) {
    require(text == mrascheck::printable(text, text.size()));
  }
  for (const auto& relay : e.relays) require(!relay.host.empty());
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// What somebody pasted out of a log.
#include <cstdint>
#include <cstdlib>

#include "core/bytes.hpp"
#include "core/look_up.hpp"
#include "core/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const mrascheck::LookUp found = mrascheck::look_up(mrascheck::as_text({data, size}));
  for (const mrascheck::Meaning& meaning : found.meanings) {
    if (meaning.row == nullptr) std::abort();
  }
  if (found.summary != mrascheck::printable(found.summary, found.summary.size())) std::abort();
  for (const std::string& remark : found.remarks) {
    if (remark.empty() || remark != mrascheck::printable(remark, remark.size())) std::abort();
  }
  return 0;
}

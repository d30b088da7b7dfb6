// SPDX-License-Identifier: Apache-2.0
// Whatever a trace holds, and in whatever pieces it comes: the same is read, and it can be studied.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/trace.hpp"
#include "json/trace_json.hpp"
#include "trace/reader.hpp"

namespace {

mrascheck::Traces read(std::string_view bytes, std::size_t piece) {
  mrascheck::trace::Limits limits;
  limits.buffer = 4096;  // so that records and lines that are too long are met as well
  limits.transactions = 64;
  limits.answers = 8;
  limits.errors = 8;
  limits.names = 8;
  limits.samples = 16;
  limits.servers = 4;
  mrascheck::trace::Reader reader{limits};
  reader.begin("fuzzed");
  while (!bytes.empty()) {
    const auto space = reader.space();
    const std::size_t n = std::min({piece, space.size(), bytes.size()});
    if (n == 0) std::abort();
    std::copy_n(bytes.data(), n, space.data());
    reader.filled(n);
    bytes.remove_prefix(n);
  }
  reader.end();
  return reader.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = mrascheck::json::write_trace(mrascheck::study(read(bytes, size + 1)));
  const std::string pieces = mrascheck::json::write_trace(mrascheck::study(read(bytes, 7)));
  if (whole != pieces) std::abort();
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Any bytes as evidence: an error on one line, or evidence that is written and read without change, put in order and
// joined. Certificates are stand-ins whose SHA-256 follows from their bytes, so that the fuzzer can make them up.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/text.hpp"
#include "json/evidence_json.hpp"

namespace {

using namespace mrascheck;

Result<CertificateRef> decode(Bytes der) {
  if (der.empty()) return fail(ErrorKind::malformed, "truncated at byte 0");
  auto certificate = std::make_shared<Certificate>();
  certificate->der.assign(der.begin(), der.end());
  for (std::size_t i = 0; i < der.size(); ++i) certificate->sha256[i % certificate->sha256.size()] ^= der[i];
  return certificate;
}

Result<CrlRef> decode_crl(Bytes der) {
  const auto stand_in = decode(der);
  if (!stand_in) return tl::unexpected(stand_in.error());
  auto crl = std::make_shared<Crl>();
  crl->der = (*stand_in)->der;
  crl->sha256 = (*stand_in)->sha256;
  return crl;
}

void demand(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  auto evidence = json::read_evidence(text, "fuzz", decode, decode_crl);
  if (!evidence) {
    demand(!evidence.error().text.empty() && printable(evidence.error().text, 4096) == evidence.error().text);
    return 0;
  }
  const std::string written = json::write_evidence(*evidence);
  const auto again = json::read_evidence(written, "written", decode, decode_crl);
  demand(again.has_value());
  demand(json::write_evidence(*again) == written);

  Evidence ordered = *evidence;
  normalise(ordered);
  const std::string first = json::write_evidence(ordered);
  normalise(ordered);
  demand(json::write_evidence(ordered) == first);

  auto merged = merge({*evidence, *again});
  demand(merged.has_value());
  const std::string joined = json::write_evidence(*merged);
  demand(joined == first);

  Evidence other = *evidence;
  other.vantage += "2";
  other.collected_at += std::chrono::hours{1};
  if (!other.stores.empty()) other.stores.front().source += "2";
  if (!other.handshakes.empty()) other.handshakes.pop_back();
  other.gaps.clear();
  const auto both = merge({*evidence, other});
  const auto both_reversed = merge({other, *evidence});
  demand(both.has_value() && both_reversed.has_value());
  demand(json::write_evidence(*both) == json::write_evidence(*both_reversed));
  return 0;
}

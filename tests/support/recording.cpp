// SPDX-License-Identifier: Apache-2.0
#include "support/recording.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "json/evidence_json.hpp"
#include "sources/sources.hpp"

namespace mrascheck::test {

Evidence recording(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  sources::CertificatePool pool;
  auto evidence = json::read_evidence(
      text, path, [&](Bytes der) { return pool.intern(der); }, [&](Bytes der) { return pool.intern_crl(der); });
  EXPECT_TRUE(evidence) << (evidence ? "" : evidence.error().text);
  return evidence ? *std::move(evidence) : Evidence{};
}

}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
// What the tests of the commands share: what is printed without its line ends, and the places of recordings and files.
#pragma once

#include <sstream>
#include <string>

namespace mrascheck::test {

/// In one line, however it was wrapped.
inline std::string flat(const std::string& text) {
  std::string line;
  std::istringstream words(text);
  for (std::string word; words >> word;) line += (line.empty() ? "" : " ") + word;
  return line;
}

inline std::string world(const std::string& name) {
  return MRASCHECK_SOURCE_DIR "/fixtures/worlds/" + name + "/evidence.json";
}

inline std::string fixture(const std::string& name) {
  return MRASCHECK_SOURCE_DIR "/fixtures/pki/issuers/" + name + ".pem";
}

}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
// What certutil -store prints (Microsoft Learn, certutil): names and thumbprints, and no certificate. Its labels are in
// the language of the Windows that it ran on, so that the separators, the digits and the order have to tell.
#include <algorithm>
#include <vector>

#include "stores/collector.hpp"
#include "stores/encoding.hpp"

namespace mrascheck::stores {
namespace {

constexpr std::string_view rule = "================";

/// "================ Certificate 0 ================", in any language.
bool is_separator(std::string_view line) {
  return line.size() > 2 * rule.size() && line.starts_with(rule) && line.ends_with(rule);
}

struct Listed {
  std::string common_name;  ///< of the subject; the last CN= of the block, since the issuer comes first
  std::string thumbprint;
  bool labelled = false;  ///< its label said that it is the certificate's hash
};

/// The hexadecimal digits of "2d 0b ..." in upper case; empty when it is anything else, or not 20 bytes.
std::string as_thumbprint(std::string_view value) {
  const ByteString bytes = from_hex(trim(value));
  return bytes.size() == Sha1{}.size() ? to_upper_hex(bytes) : "";
}

void read_line(std::string_view line, Listed& into) {
  const std::size_t colon = line.find(": ");
  if (colon != std::string_view::npos) {
    const std::string label = to_lower(trim(line.substr(0, colon)));
    const std::string print = as_thumbprint(line.substr(colon + 2));
    // Without -v the certificate's is the one hash of 20 bytes whose label names SHA-1. With -v the English label
    // tells, else the last such: those of names and keys come before it, *inferred* from published listings.
    if (!print.empty() && label.find("sha1") != std::string::npos && !into.labelled) {
      into.thumbprint = print;
      into.labelled = label == "cert hash(sha1)";
    }
  }
  const std::size_t cn = line.find("CN=");
  if (cn == std::string_view::npos || (cn > 0 && line[cn - 1] != ' ' && line[cn - 1] != '\t' && line[cn - 1] != ':'))
    return;
  const std::string_view name = line.substr(cn + 3);
  into.common_name = printable(trim(name.substr(0, name.find(", "))), 128);
}

}  // namespace

void read_certutil_text(Bytes content, Collector& into) {
  const std::string decoded = decode_text(content);
  std::string_view text = decoded;
  std::vector<Listed> listed;
  bool inside = false;
  std::size_t more = 0;
  constexpr std::size_t most = 1'000;
  while (!text.empty()) {
    const std::string_view line = trim(take_line(text));
    if (is_separator(line)) {
      inside = true;
      listed.size() < most ? static_cast<void>(listed.emplace_back()) : static_cast<void>(++more);
    } else if (inside && more == 0) {
      read_line(line, listed.back());
    }
  }
  Reading& reading = into.reading();
  constexpr std::size_t most_remarks = 20;
  for (std::size_t i = 0; i < std::min(listed.size(), most_remarks); ++i) {
    const Listed& one = listed[i];
    reading.remarks.push_back(
        fmt::format("listed without its bytes: {}, thumbprint {}",
                    one.common_name.empty() ? "a certificate without a common name" : one.common_name,
                    one.thumbprint.empty() ? "not told" : one.thumbprint));
  }
  if (listed.size() > most_remarks)
    reading.remarks.push_back(fmt::format("and {} more listed", listed.size() + more - most_remarks));
  reading.truncated = fmt::format(
      "certutil's text names {} and holds not one: export the store itself (certutil -store has no bytes; "
      "PowerShell's Export-Certificate -Type SST has)",
      count(listed.size() + more, "certificate"));
}

}  // namespace mrascheck::stores

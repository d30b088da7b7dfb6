// SPDX-License-Identifier: Apache-2.0
// What every program that reports same-name groups prints, so that answers can be compared byte for byte with the
// truth.txt of make_authorities.cpp: how many entries, distinct certificates and groups there are; then a line a group,
// sorted by its first thumbprint: the common name of that member, the number of members, all thumbprints in order.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace mrascheck::bench {

struct Member {
  std::array<std::uint8_t, 20> thumbprint{};
  std::string_view common_name;
};

inline void print_report(std::size_t entries, std::size_t distinct, std::vector<std::vector<Member>>& groups) {
  const auto by_thumbprint = [](const Member& a, const Member& b) { return a.thumbprint < b.thumbprint; };
  for (std::vector<Member>& members : groups) std::sort(members.begin(), members.end(), by_thumbprint);
  std::sort(groups.begin(), groups.end(),
            [&](const auto& a, const auto& b) { return by_thumbprint(a.front(), b.front()); });
  std::string text = "entries " + std::to_string(entries) + "\ndistinct " + std::to_string(distinct) + "\ngroups " +
                     std::to_string(groups.size()) + "\n";
  for (const std::vector<Member>& members : groups) {
    text += members.front().common_name;
    text += "\t" + std::to_string(members.size()) + "\t";
    for (const Member& member : members) {
      char digits[41];
      for (std::size_t i = 0; i < 20; ++i) {
        digits[2 * i] = "0123456789ABCDEF"[member.thumbprint[i] >> 4U];
        digits[2 * i + 1] = "0123456789ABCDEF"[member.thumbprint[i] & 15U];
      }
      digits[40] = ' ';
      text.append(digits, sizeof digits);
    }
    text.push_back('\n');
    if (text.size() > 65'536) {
      std::fwrite(text.data(), 1, text.size(), stdout);
      text.clear();
    }
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace mrascheck::bench

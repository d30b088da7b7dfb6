// SPDX-License-Identifier: Apache-2.0
#include "core/pairings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "core/text.hpp"

namespace mrascheck {

namespace {

template <int... Numbers>
constexpr std::array<int, sizeof...(Numbers)> errors{Numbers...};
template <std::uint8_t... Numbers>
constexpr std::array<std::uint8_t, sizeof...(Numbers)> sent{Numbers...};

// MS-ERREF, 2.1.1; X509_STORE_CTX_get_error(3); RFC 8446, 6. Where Windows closes without an alert there is none.
constexpr auto pairs = std::to_array<Pairing>({
    {0x80090322, errors<62, 64>, {}},
    {0x80090325, errors<19, 18, 20>, sent<48>},
    {0x80090326, {}, sent<40, 70, 42>},
    {0x80090327, errors<1, 27>, sent<46>},
    {0x80090328, errors<10, 9>, sent<45>},
    {0x80090331, {}, sent<40, 70, 71>},
    {0x80090349, errors<26>, sent<43>},
    {0x8009030D, {}, sent<40>},
    {0x8009030E, {}, sent<40>},
    {0x8009030F, {}, sent<20>},
    {0x80090308, {}, sent<10, 70>},
    {0x80090317, {}, sent<0>},
    {0x80090318, {}, sent<0>},
    {0x00090320, {}, sent<116>},
    {0x80090324, errors<9, 10>, sent<45>},
    {0x80090329, {}, sent<51>},
    {0x80090330, {}, sent<20>},
    {0x80092010, errors<23>, sent<44>},
    {0x80092012, errors<3>, {}},
    {0x80092013, errors<3, 12>, {}},
    {0x800B0101, errors<10, 9>, sent<45>},
    {0x800B0109, errors<19, 18>, sent<48>},
    {0x800B010A, errors<2, 20, 21>, sent<48>},
    {0x800B010C, errors<23>, sent<44>},
    {0x800B010F, errors<62>, {}},
    {0x800B0110, errors<26>, sent<43>},
    {0x800B0112, errors<24, 25, 26, 27, 28, 79>, sent<48>},
    {0x800B0114, errors<47>, sent<42>},
    {0x80096004, errors<7>, sent<42, 51>},
    {0, errors<66, 67, 68>, sent<71>},
});

struct PosixPair {
  int winsock;
  std::string_view name;
};
constexpr auto posix_names = std::to_array<PosixPair>({
    {10013, "EACCES"},
    {10048, "EADDRINUSE"},
    {10049, "EADDRNOTAVAIL"},
    {10050, "ENETDOWN"},
    {10051, "ENETUNREACH"},
    {10052, "ENETRESET"},
    {10053, "ECONNABORTED"},
    {10054, "ECONNRESET"},
    {10055, "ENOBUFS"},
    {10060, "ETIMEDOUT"},
    {10061, "ECONNREFUSED"},
    {10064, "EHOSTDOWN"},
    {10065, "EHOSTUNREACH"},
    {11001, "EAI_NONAME"},
    {11002, "EAI_AGAIN"},
    {11003, "EAI_FAIL"},
    {11004, "EAI_NODATA"},
});

/// The number that a row's key is.
template <class Number>
Number number_of(std::string_view key) {
  Number number{};
  const bool hex = key.starts_with("0x");
  const std::string_view digits = hex ? key.substr(2) : key;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
  return number;
}

template <class Range, class Number>
bool holds(const Range& range, Number number) {
  return std::find(range.begin(), range.end(), number) != range.end();
}

/// "SEC_E_UNTRUSTED_ROOT (0x80090325)"
std::string called(const Explanation* row, std::string_view key) {
  return row == nullptr || row->name.empty() ? std::string(key) : fmt::format("{} ({})", row->name, row->key);
}

std::string verify_text(std::span<const int> numbers) {
  std::vector<std::string> names;
  for (const int number : numbers) names.push_back(called(explain_verify_error(number), std::to_string(number)));
  return names.empty() ? "" : fmt::format("OpenSSL {}", fmt::join(names, ", "));
}

std::string alert_text(std::span<const std::uint8_t> numbers) {
  std::vector<std::string> names;
  for (const std::uint8_t number : numbers) names.push_back(called(explain_alert(number), std::to_string(number)));
  return names.empty() ? "" : fmt::format("TLS alert {}", fmt::join(names, ", "));
}

}  // namespace

std::span<const Pairing> pairings() {
  return pairs;
}

std::string_view posix_name(int winsock) {
  for (const auto& pair : posix_names) {
    if (pair.winsock == winsock) return pair.name;
  }
  return {};
}

const Explanation* explain_posix_name(std::string_view name) {
  for (const auto& pair : posix_names) {
    if (equals_ignoring_case(pair.name, trim(name))) return explain_winsock(pair.winsock);
  }
  return nullptr;
}

std::string counterparts(CodeKind kind, const Explanation& row) {
  if (kind == CodeKind::winsock) {
    const std::string_view name = posix_name(number_of<int>(row.key));
    return name.empty() ? "" : fmt::format("Linux {}", name);
  }
  std::vector<std::string> parts;
  const auto add = [&parts](std::string part) {
    if (!part.empty() && !holds(parts, part)) parts.push_back(std::move(part));
  };
  std::vector<std::string> windows;
  for (const Pairing& pair : pairs) {
    const bool ours = kind == CodeKind::hresult
                          ? row.key.starts_with("0x") && pair.hresult == number_of<std::uint32_t>(row.key)
                      : kind == CodeKind::verify_error ? holds(pair.verify_errors, number_of<int>(row.key))
                      : kind == CodeKind::alert ? holds(pair.alerts, static_cast<std::uint8_t>(number_of<int>(row.key)))
                                                : false;
    if (!ours) continue;
    if (kind != CodeKind::hresult && pair.hresult != 0) {
      const Explanation* other = explain_hresult(pair.hresult);
      windows.push_back(called(other, fmt::format("0x{:08X}", pair.hresult)));
    }
    if (kind == CodeKind::hresult) {
      add(verify_text(pair.verify_errors));
      add(alert_text(pair.alerts));
    }
  }
  if (!windows.empty()) add(fmt::format("Windows {}", fmt::join(windows, ", ")));
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
// Exports as Windows writes them, put together from the documented layouts and not by the readers' code: .sst and Blob
// ([MS-GPEF], 2.2.1.1.1), Registry.pol ([MS-GPREG], 2.2.1), .reg.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/bytes.hpp"

namespace mrascheck::test {

inline std::string little_endian(std::uint32_t number) {
  std::string bytes;
  for (int i = 0; i < 4; ++i, number >>= 8U) bytes.push_back(static_cast<char>(static_cast<std::uint8_t>(number)));
  return bytes;
}

/// ASCII and Latin-1 as UTF-16LE, without a NUL.
inline std::string wide(std::string_view text) {
  std::string bytes;
  for (const char c : text) bytes.append({c, '\0'});
  return bytes;
}

inline std::string wide_z(std::string_view text) {
  return wide(text) + std::string(2, '\0');
}

inline std::string element(std::uint32_t id, std::string_view value) {
  return little_endian(id) + little_endian(1) + little_endian(static_cast<std::uint32_t>(value.size())) +
         std::string{value};
}

inline std::string certificate_element(const std::string& der) {
  return element(0x20, der);
}

inline std::string sst(const std::string& elements) {
  return std::string(4, '\0') + "CERT" + elements + std::string(12, '\0');
}

/// CRYPT_KEY_PROV_INFO: offsets of container and provider, type, flags, no parameters, key spec; then the two names.
inline std::string key_provider(std::string_view container, std::string_view provider, std::uint32_t type,
                                std::uint32_t spec) {
  const std::string first = wide_z(container);
  return little_endian(28) + little_endian(static_cast<std::uint32_t>(28 + first.size())) + little_endian(type) +
         little_endian(0x20) + little_endian(0) + little_endian(0) + little_endian(spec) + first + wide_z(provider);
}

struct RegistryValue {
  std::string key;  ///< with its hive for .reg, without it for Registry.pol
  std::string data;
  std::string name = "Blob";
};

/// "Blob"=hex:03,00,... folded as regedit folds it: at 80 columns, two blanks in front.
inline std::string reg_text(const std::vector<RegistryValue>& values, const std::string& signature) {
  std::string text = signature + "\r\n\r\n";
  for (const RegistryValue& value : values) {
    text += "[" + value.key + "]\r\n";
    std::string line = "\"" + value.name + "\"=hex:";
    for (std::size_t i = 0; i < value.data.size(); ++i) {
      const Bytes one = as_bytes(std::string_view{value.data}.substr(i, 1));
      line += to_hex(one);
      if (i + 1 == value.data.size()) break;
      line += ",";
      if (line.size() > 76) {
        text += line + "\\\r\n";
        line = "  ";
      }
    }
    text += line + "\r\n\r\n";
  }
  return text;
}

inline std::string reg_utf16(const std::vector<RegistryValue>& values) {
  return "\xFF\xFE" + wide(reg_text(values, "Windows Registry Editor Version 5.00"));
}

inline std::string reg_ansi(const std::vector<RegistryValue>& values) {
  return reg_text(values, "REGEDIT4");
}

inline std::string registry_pol(const std::vector<RegistryValue>& values) {
  std::string file = "PReg" + little_endian(1);
  for (const RegistryValue& value : values) {
    file += wide("[") + wide_z(value.key) + wide(";") + wide_z(value.name) + wide(";") + little_endian(3) + wide(";") +
            little_endian(static_cast<std::uint32_t>(value.data.size())) + wide(";") + value.data + wide("]");
  }
  return file;
}

}  // namespace mrascheck::test

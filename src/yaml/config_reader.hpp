// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/config.hpp"

namespace mrascheck::yaml {

/// A configuration as read, with what is wrong with it. `config` is complete only when `problems` is empty.
struct ConfigFile {
  Config config;
  std::vector<std::string>
      problems;  ///< "site.yaml:12:7: unknown key 'adresses'; did you mean 'addresses'?", in file order
  /// Where a value stands, for problems that only later rooms can see: "identities.fe1.key" -> "site.yaml:12:10".
  /// Keys: identities.<server>.{certificate,key,chain,passphrase}, stores.<name>.{file,ldap,ca,bind}, links.<n>, where
  /// n counts Site::links from 0; links that nobody wrote (see mrascheck.yaml(5)) have no place.
  std::map<std::string, std::string> positions;
};

/// Reads mrascheck.yaml(5) and what it includes. Relative paths are relative to the file that names them. Checks
/// everything that can be known without opening a certificate: keys, types, values, duplicates, references between
/// parts, that named files exist and can be read. Never throws.
ConfigFile read_config(const std::string& path);

/// The same for text that is here already; `name` stands for the file's path in messages and for relative paths.
ConfigFile read_config_text(std::string text, const std::string& name);

}  // namespace mrascheck::yaml

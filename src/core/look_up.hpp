// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/explain.hpp"

namespace mrascheck {

struct Meaning {
  CodeKind kind;
  const Explanation* row;
};

/// What somebody pasted, out of a log, a trace or a screen, can mean.
struct LookUp {
  std::string summary;            ///< of an ms-diagnostics header: explain() of the whole
  std::vector<Meaning> meanings;  ///< a number can be a code of several kinds
  /// What can be said of a code that no table holds: the parts of an HRESULT, the owner of an id, both byte orders of a
  /// serial number. One sentence each.
  std::vector<std::string> remarks;
  std::string_view near;  ///< when there is nothing else: the name in the tables that was probably meant; or empty

  bool empty() const { return summary.empty() && meanings.empty() && remarks.empty(); }
};

/// Takes an ms-diagnostics header with or without its name; codes as "0xc3e93c69", "C3E93C69", "-1008124823",
/// "10061(WSAECONNREFUSED)", "TURN 401"; names in any case, with blanks, '_' or '-': "unknown ca", "tlsv1 alert unknown
/// ca", "X509_V_ERR_CERT_HAS_EXPIRED"; a serial number of a certificate in hexadecimal digits.
LookUp look_up(std::string_view pasted);

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/cleanup.hpp"

namespace mrascheck {

/// One step of a clean-up, for a person to do. Commands are single lines, to be copied as they stand.
struct CleanupStep {
  std::string title;
  std::vector<std::string> notes;
  std::vector<std::string> before;  ///< what shows that the step is still to be done
  std::vector<std::string> commands;
  std::vector<std::string> instead;  ///< the same in PowerShell
  std::vector<std::string> after;    ///< what shows that it is done
  std::vector<std::string> undo;
};

/// Inventory and backup; what must come before some may go; the directory, Root and NTAuth before AIA; the hosts;
/// refresh, restart, look again (KB889250, KB295663; certutil reference). Every removal is by value or by SHA-1, never
/// by name: the CA in use bears the same one.
std::vector<CleanupStep> cleanup_steps(const CleanupPlan& plan);

/// "cACertificate" or "crossCertificatePair": where in an object of a directory it stands.
std::string_view attribute_of(const StoredCopy& place);

/// Why an object of a directory has no change record: its last value would go, its DN is not known whole, or what goes
/// shares a value with what stays. Empty: it has one.
std::string by_hand_because(const Removal& removal);

}  // namespace mrascheck

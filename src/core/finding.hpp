// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/evidence.hpp"
#include "core/perfdata.hpp"
#include "core/status.hpp"

namespace mrascheck {

/// A public document and where in it: {"RFC 5280", "4.1.2.5"}.
struct Citation {
  std::string_view document;
  std::string_view section;
};

/// A finding that a check can raise. Its `code` is "<check>.<what>"; conventions_test holds each against the man page.
struct FindingKind {
  std::string_view code;
  std::string_view meaning;  ///< one line for `list checks` and `explain`
  Citation citation;
};

/// One thing wrong.
struct Finding {
  std::string_view code;  ///< FindingKind::code
  Status status = Status::critical;
  std::string about;               ///< the object: link, store, thumbprint
  std::string summary;             ///< one sentence: what is wrong and where
  std::vector<std::string> facts;  ///< what shows it, one line each
  std::string remedy;  ///< what to do now, in the words of who must do it; a line that begins with blanks is to be
                       ///< copied as it stands (a command), the others are running text
  Citation citation;

  /// What find_causes() goes by; no form of the report prints them.
  std::vector<std::string> servers = {};          ///< who acts first: from and to, who judges and who is judged
  std::vector<CertificateRef> certificates = {};  ///< what is at fault, or was sent
  std::string reason = {};                        ///< the fault as a clause; empty: the summary is one
  bool about_connection = false;                  ///< a request failed for want of a connection to the second server
};

/// One thing found right, worth a line.
struct Note {
  std::string about;
  std::string text;
};

struct Verdict {
  std::size_t examined = 0;  ///< objects looked at; none means not applicable, which is not the same as passed
  std::vector<Finding> findings;
  std::vector<Note> notes;
  std::vector<Perfdata> perfdata;
};

/// A check is a constant with one pure function: no I/O, no clock but Evidence::collected_at.
struct Check {
  std::string_view id;
  std::string_view title;  ///< what it makes sure of: "one certificate per issuer name"
  Needs needs;
  std::span<const FindingKind> kinds;
  Verdict (*judge)(const Evidence&);
};

}  // namespace mrascheck

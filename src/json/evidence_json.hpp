// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/evidence.hpp"
#include "core/report.hpp"
#include "core/result.hpp"

namespace mrascheck::json {

/// Turns DER into a certificate; x509 behind a name, so that this room needs none of it. Called once for each distinct
/// one.
using CertificateDecoder = std::function<Result<CertificateRef>(Bytes der)>;
/// The same for revocation lists.
using CrlDecoder = std::function<Result<CrlRef>(Bytes der)>;

/// mrascheck-evidence(5): UTF-8, keys in fixed order, two blanks of indent, a newline at the end. Each distinct
/// certificate stands once, as base64 DER under "certificates"; everywhere else it is its SHA-256. So do revocation
/// lists, under "crls".
std::string write_evidence(const Evidence& evidence);

/// Error: malformed, "incident.json: not evidence: ..." with the place in the document (JSON pointer) or line and
/// column; config, for a format version newer than ours. Bounded: 256 MiB, 64 levels. Lists come in the document's
/// order: pass what is read through merge(), or normalise(), before it is judged.
Result<Evidence> read_evidence(std::string_view text, std::string_view origin, const CertificateDecoder& decode,
                               const CrlDecoder& decode_crl);

/// The report for programs; the schema is src/json/report.schema.json.
std::string write_report(const Report& report);

/// The same as JSON Lines, an object a line: the report, its causes, and every check with its findings, notes and
/// performance data, and the gaps; the schema of a line is src/json/report-line.schema.json.
std::string write_report_lines(const Report& report);

}  // namespace mrascheck::json

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/cli.hpp"
#include "core/config.hpp"
#include "core/evidence.hpp"
#include "core/finding.hpp"
#include "core/result.hpp"

namespace mrascheck::cli {

inline constexpr std::string_view version = MRASCHECK_VERSION;

/// Of the option that every command has which looks at a site.
inline constexpr const char* fetch_help =
    "also fetch what the certificates in use name by http:// as their issuer's certificate and revocation list";
inline constexpr const char* ocsp_help =
    "also ask the OCSP responders that the certificates in use name whether these are revoked";
inline constexpr const char* revocation_help =
    "soft: what cannot be told of revocation is told as such; hard: it is CRITICAL (default soft)";

inline constexpr const char* identities_help =
    "also try on every link who else is let in: no certificate, and the strangers of the configuration";
inline constexpr const char* enumerate_help =
    "also find out which versions of TLS and cipher suites every server agrees to (many connections, one at a time)";
inline constexpr const char* relay_help =
    "also ask every relay that MRAS names for an allocation, with the credentials that it grants, and give it back";
inline constexpr const char* chain_variants_help =
    "also try what may be sent behind the certificate: nothing, the chain, the root too, what the stores make";

inline constexpr const char* profile_help =
    "as whose Front End it asks: ocs2007r2, lync2010, lync2013 or sfb (default lync2010)";
inline constexpr const char* options_first_help = "send an OPTIONS before the SERVICE, on the same connection";

/// A configuration that everything can be done with, or all that is wrong with it, a line each.
tl::expected<Config, std::vector<std::string>> load_config(const std::string& path);

/// --revocation; nothing when it is not given. Error: config.
Result<std::optional<RevocationMode>> revocation_mode(const Arguments& args);

/// Notes "-w 30:", "-C expiry=10:", "-w expiry=80%": a bare range is for expiry, and a percentage is of the metric
/// lifetime. Error: config.
Result<void> set_threshold(Policy& policy, const std::string& text, bool critical);
/// What was noted, done to `policy`: a threshold of lifetime takes the place of that of expiry, unless both were given.
void override_thresholds(Policy& policy, const Policy& noted);

/// The value of --profile. Error: config, with the names that there are.
Result<Profile> parse_profile(const std::string& text);

/// The checks chosen by --only and --skip, in their order. Error: config, with a "did you mean".
Result<std::vector<const Check*>> select_checks(const std::vector<std::string>& only,
                                                const std::vector<std::string>& skip);

/// What this host calls itself: Evidence::vantage.
std::string host_name();

/// Looks at everything in `config`, with progress on a terminal; SIGTERM and SIGINT end it early.
/// Error: local, when a part of the program is not there.
Result<Evidence> look(const Config& config, bool progress);

/// Writes a whole file by way of a temporary one beside it; what is no regular file (a pipe, /dev/null) is written to,
/// and a symbolic link is written through. Error: local, "out.json: No space left on device".
Result<void> write_file(const std::string& path, const std::string& content);

/// The value of --max-output, in bytes. Error: config, for what is no number or too few to hold a verdict.
Result<std::size_t> parse_max_output(const std::string& text);

/// Error: config, when the whole run is over before a peer can have been quiet for long enough.
Result<void> deadline_fits(const Limits& limits);

/// Flushes standard output: `status`, or at least UNKNOWN, said on standard error, when not all of it could be written.
Status flushed(Streams io, Status status);

/// "UNKNOWN: ..." lines for what kept the program from beginning; returns the exit code of UNKNOWN.
int refuse(std::ostream& out, std::string_view headline, const std::vector<std::string>& problems);

}  // namespace mrascheck::cli

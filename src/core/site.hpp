// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/range.hpp"
#include "core/store.hpp"

namespace mrascheck {

enum class Role { front_end, edge };
enum class Service { mras, sip, tls };
enum class Expectation { accept, refuse };
/// Where the certificates that a server sends behind its own come from: the file, or what its host's stores would make
/// of it.
enum class ChainMode { as_given, from_stores };
/// What it means that nothing at hand shows whether a certificate in use is revoked.
enum class RevocationMode {
  soft,  ///< it is told
  hard,  ///< CRITICAL, as for a server that is set to insist on it
};
enum class MrasLocation { intranet, internet, both };
/// As whose Front End it asks: what the request looks like differs by generation.
enum class Profile { ocs2007r2, lync2010, lync2013, sfb };
enum class TlsVersion { tls_1_0, tls_1_1, tls_1_2, tls_1_3 };

std::string_view to_string(Role role);                ///< "front-end", "edge"
std::string_view to_string(Service service);          ///< "mras", "sip", "tls"
std::string_view to_string(Expectation expectation);  ///< "accept", "refuse"
std::string_view to_string(ChainMode mode);           ///< "file", "stores"
std::string_view to_string(RevocationMode mode);      ///< "soft", "hard"
std::string_view to_string(MrasLocation location);    ///< "intranet", "internet", "both"
std::string_view to_string(Profile profile);          ///< "ocs2007r2", "lync2010", "lync2013", "sfb"

std::string_view to_string(TlsVersion version);  ///< "TLSv1", "TLSv1.1", as OpenSSL and Handshake::tls_version

/// The versions of TLS that a client goes along with; both ends are among them.
struct TlsRange {
  TlsVersion min = TlsVersion::tls_1_2;
  TlsVersion max = TlsVersion::tls_1_3;
  friend bool operator==(const TlsRange&, const TlsRange&) = default;
};
std::string to_string(const TlsRange& range);  ///< "TLSv1.2 to TLSv1.3", "TLSv1"

/// A store as the checks need to know it: no URI with credentials, no bind name.
struct StoreSpec {
  std::string name;
  StoreKind kind = StoreKind::mixed;
  std::string host;  ///< the server whose store this is; empty for one of the whole site
  bool directory = false;
};

/// A Front End or an Edge as the checks need to know it: no file of a key, no passphrase.
struct Server {
  std::string name;  ///< its FQDN; its id everywhere
  Role role = Role::front_end;
  std::string pool;                        ///< the pool's FQDN; empty for a server of its own
  std::string dns;                         ///< the name to resolve where it is not `name`; empty otherwise
  std::vector<std::string> addresses;      ///< literals; when given, nothing is resolved
  std::vector<std::string> trusts;         ///< names of stores whose roots it trusts
  std::vector<std::string> intermediates;  ///< names of stores that feed its intermediates
  ChainMode chain = ChainMode::as_given;
  bool has_identity = false;            ///< certificate and key are configured: it can be the client of a link
  std::string patch_level;              ///< "4.0.7577.230"; empty when not said
  std::optional<Profile> profile = {};  ///< of a Front End: how it asks; nothing: as the site says

  const std::string& resolved_name() const { return dns.empty() ? name : dns; }
};

struct Link {
  std::string from;  ///< Server::name; the client of the handshake
  std::string to;    ///< Server::name, pools already spread over their members
  std::uint16_t port = 5062;
  Service service = Service::mras;
  Expectation expect = Expectation::accept;
  std::optional<TlsRange> tls = {};             ///< nothing: TlsRange{}
  std::optional<std::string> server_name = {};  ///< SNI; nothing: the name of `to`; empty: none is sent
  std::optional<Profile> profile = {};          ///< nothing: that of `from`

  TlsRange versions() const { return tls.value_or(TlsRange{}); }
  std::string id() const;  ///< "fe1.contoso.example -> edge1.contoso.example:5062"
};

struct MrasQuestion {
  std::string identity;                        ///< SIP URI of the user on whose behalf it asks
  MrasLocation location = MrasLocation::both;  ///< both: one request for each
  std::chrono::minutes duration{480};
  std::string service_uri;              ///< the MRAS GRUU for To; empty: made from Edge and domain
  std::optional<Profile> profile = {};  ///< nothing: lync2010
  bool options_first = false;           ///< an OPTIONS goes before the SERVICE
};

/// Thresholds by metric; the metrics are listed in mrascheck.yaml(5).
struct Policy {
  std::map<std::string, Thresholds> thresholds;
  std::optional<RevocationMode> revocation = {};  ///< nothing: soft

  /// Those of `metric`; empty ones when none are set.
  Thresholds of(const std::string& metric) const;

  /// expiry (days) warning 30:, critical 10:. Nothing else alerts on its own.
  static Policy defaults();
};

/// Metric names that a configuration may set thresholds for, with unit and meaning.
struct Metric {
  std::string_view name;
  std::string_view unit;
  std::string_view meaning;
};
std::span<const Metric> metrics();

/// What was asked to be looked at, without anything secret: it travels inside the evidence.
struct Site {
  std::string name;
  std::vector<StoreSpec> stores;
  std::vector<Server> servers;
  std::vector<Link> links;
  MrasQuestion mras;
  Policy policy;

  const Server* server(std::string_view name) const;
  /// A client that is to be refused, and at neither end of a link that is to be accepted: its certificate is nobody's
  /// concern but the refusing server's.
  bool stranger(std::string_view client) const;
  const StoreSpec* store(std::string_view name) const;
  /// Members of `pool`, in configuration order; a server's own name finds that server.
  std::vector<const Server*> members(std::string_view pool) const;
  /// As what `link` is asked: what it says itself, else what its client says, else the site.
  Profile profile_of(const Link& link) const;
};

}  // namespace mrascheck

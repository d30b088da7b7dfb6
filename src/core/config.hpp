// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/site.hpp"
#include "core/trial.hpp"

namespace mrascheck {

/// Where a secret is to be read from, never the secret: "file:PATH", "env:NAME" or "fd:N".
struct SecretSource {
  enum class Kind { file, env, fd } kind = Kind::file;
  std::string value;  ///< the path, the name, or the number
};

/// Error: config, for any other form; "pass:" and a bare value are refused with the reason (visible in the process
/// list).
Result<SecretSource> parse_secret_source(std::string_view text);

enum class StartTls { automatic, required, off };

/// Who a directory is told is asking, and how that is proved.
struct LdapBind {
  std::string dn;         ///< simple only
  SecretSource password;  ///< simple only
  enum class Method {
    simple,
    gssapi,    ///< Kerberos 5, by the ticket of whoever runs this (RFC 4752)
    external,  ///< by what the connection shows: the user at the other end of ldapi, or a TLS certificate (RFC 4422, A)
  } method = Method::simple;
  bool channel_binding = false;  ///< gssapi over TLS: bound to the server's certificate (RFC 5929, 4)
  std::string certificate = {};  ///< external over TLS: PEM file
  std::string key = {};          ///< its private key: PEM file, without a passphrase
};

/// How to read one store; its StoreSpec of the same name is in Site::stores, at the same index.
struct StoreSource {
  std::string name;
  std::vector<std::string> ldap_uris;       ///< tried in order; empty for a local store
  std::vector<std::string> paths;           ///< files or directories; empty for a directory service
  StartTls starttls = StartTls::automatic;  ///< automatic: on, wherever a password would otherwise travel in clear text
  std::string ca_file;                      ///< what the directory's TLS certificate must chain to; empty: the system's
  bool verify_server = true;
  std::optional<LdapBind> bind;            ///< nothing: anonymous
  std::string base;                        ///< instead of rootDSE's configurationNamingContext; usually empty
  bool one_entry = false;                  ///< `base` is the one entry to read, wherever it stands; never configured
  std::size_t size_limit = 100'000;        ///< certificates read at most; more is a remark, never silence
  std::optional<SecretSource> passphrase;  ///< of PKCS#12 files among `paths`; nothing: the empty one is tried
};

/// The files of one server's identity; Server::name says whose.
struct IdentitySource {
  std::string server;
  std::string certificate;  ///< path
  std::string key;          ///< path; empty where only the certificate is to be judged
  std::string chain;        ///< path; empty: what else stands in `certificate`
  std::optional<SecretSource> passphrase;
};

/// Files of one server: reports and registry exports that say what is installed on it, or its traces.
struct ServerFiles {
  std::string server;  ///< Server::name
  std::vector<std::string> paths;
};

/// What is wrong with them. config: key and certificate do not belong together, the passphrase is wrong, a file is no
/// certificate; local: a file cannot be read.
struct IdentityError {
  Error error;
  std::string field;  ///< the key of the configuration at fault: "key"
};

struct Limits {
  static constexpr unsigned most_at_once = 10'000;  ///< of what is counted below; one at least
  std::chrono::milliseconds step{10'000};           ///< each of resolve, connect, TLS, SIP; from its own start
  std::chrono::milliseconds quiet{1'000};           ///< how long a peer must stay silent to count as having accepted us
  std::chrono::milliseconds deadline{50'000};       ///< the whole run; below the 60 s of Nagios and Icinga
  unsigned parallel = 1'024;                        ///< links in flight
  unsigned per_host = 1;                            ///< connections to one address at a time, while it answers
};

/// By which way it is asked and connected.
struct Network {
  std::vector<std::string>
      name_servers;                  ///< "192.0.2.53", "192.0.2.53:5353", "[2001:db8::53]:53"; empty: resolv.conf's
  std::vector<std::string> sources;  ///< literals, one of a family at most; of another family the system chooses
};

/// What else is tried on a link, on request: each takes connections of its own.
struct Trials {
  bool identities = false;  ///< who else is let in: nobody's certificate, and those of Config::strangers
  bool offer = false;       ///< the versions and cipher suites that the server agrees to
  bool chains = false;      ///< what the client may send behind its certificate
  /// Whether the relays of MRAS' answer take the credentials that it grants; a link's own word counts before the
  /// site's.
  std::optional<bool> relay = {};
  bool asks_relay() const { return relay.value_or(false); }
  /// Those that connect to the server of the link itself.
  bool any() const { return identities || offer || chains; }
};

/// A certificate to try on links, that is no server's own.
struct StrangerSource {
  TrialKind kind = TrialKind::foreign_ca;
  std::optional<Expectation> expect;  ///< nothing: expected()
  IdentitySource source;              ///< its server is empty
};

/// A validated configuration. Where something of it stood in a file is gone: all complaints have been made.
struct Config {
  Site site;
  std::vector<StoreSource> stores;
  std::vector<IdentitySource> identities;
  std::vector<ServerFiles> patches;
  std::vector<ServerFiles> traces;
  Limits limits;
  Network network;
  std::vector<StrangerSource> strangers;
  Trials try_everywhere;                 ///< on every link that is to be accepted
  std::map<std::size_t, Trials> trials;  ///< by link
  Trials trials_of(std::size_t link) const;
  bool fetch = false;  ///< GET what certificates in use say by http of their issuers (AIA) and revocation lists (CDP)
  bool ocsp = false;   ///< ask the OCSP responders that certificates in use name by http
  std::map<std::string, std::vector<std::string>> resolve;  ///< name to address literals, before any DNS
  enum class Family { any, v4, v6 } family = Family::any;
};

}  // namespace mrascheck

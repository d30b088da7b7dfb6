// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/builds.hpp"
#include "core/handshake.hpp"
#include "core/ocsp.hpp"
#include "core/relay.hpp"
#include "core/result.hpp"
#include "core/site.hpp"
#include "core/status.hpp"
#include "core/store.hpp"
#include "core/traced.hpp"
#include "core/trial.hpp"

namespace mrascheck {

/// What a check looks at; a gap names what is missing of it.
enum class Needs : std::uint8_t {
  none = 0,
  stores = 1,
  identities = 2,
  names = 4,
  handshakes = 8,
  signatures = 16,
  versions = 32,
  traces = 64
};
constexpr Needs operator|(Needs a, Needs b) {
  return static_cast<Needs>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool meet(Needs a, Needs b) {
  return (static_cast<unsigned>(a) & static_cast<unsigned>(b)) != 0;
}
std::string_view to_string(Needs need);  ///< of a single one: "stores", "identities", "names", "handshakes",
                                         ///< "signatures", "versions", "traces"

/// Something that could not be looked at because our own means failed: the checks that need it say unknown.
struct Gap {
  Needs need = Needs::none;  ///< exactly one
  std::string about;         ///< the store, server or link, by its name
  ErrorKind kind = ErrorKind::local;
  std::string reason;               ///< Error::text
  std::string remedy;               ///< what to do about it; never empty
  Status status = Status::unknown;  ///< in a report: what it counts as (Results::source)
};

/// What a server presents as its own, from its files.
struct Identity {
  std::string server;  ///< Server::name
  CertificateRef certificate;
  std::vector<CertificateRef> chain;             ///< from the file, without the certificate itself
  bool key_matches = false;                      ///< a private key was given and is this certificate's
  std::optional<std::string> key_provider = {};  ///< who kept it, by the PKCS#12 file that it came in
};

/// One name asked for. An empty `addresses` means that it has none; `error` then says why.
struct Resolution {
  std::string name;
  std::vector<std::string> addresses;
  bool not_found = false;   ///< the name server said that there is no such name or no address for it
  bool configured = false;  ///< from the configuration or --resolve, no name server asked
  std::string error;        ///< c-ares' words when it failed
};

enum class SignatureState { verified, failed };

/// That `child`'s signature does or does not verify under `issuer`'s key: what judging needs of cryptography.
struct SignatureProof {
  Sha256 child{};       ///< Certificate::sha256 or Crl::sha256
  Sha256 issuer_key{};  ///< Certificate::spki_sha256
  SignatureState state = SignatureState::failed;
  friend bool operator==(const SignatureProof&, const SignatureProof&) = default;
};

/// Everything that was seen: the one input of judging, and a file format (mrascheck-evidence(5)). Times are UTC.
/// There is no field for a private key, a passphrase, a bind password or an MRAS password.
struct Evidence {
  static constexpr int format_version = 2;

  UtcTime collected_at;  ///< the "now" of every check
  std::string vantage;   ///< the host that looked
  Site site;
  std::vector<StoreContents> stores;
  std::vector<Identity> identities;
  std::vector<Resolution> resolutions;
  std::vector<Handshake> handshakes;
  std::vector<Trial> trials;               ///< on request
  std::vector<TlsOffer> offers;            ///< on request
  std::vector<OcspLook> ocsp;              ///< on request, and what was stapled
  std::vector<RelayLook> relays;           ///< on request
  std::vector<PatchExport> patches;        ///< where exports of what is installed are given
  Traced traced;                           ///< where traces are given
  std::vector<SignatureProof> signatures;  ///< sorted, each pair once
  std::vector<Gap> gaps;
};

/// Recordings of several vantage points that were made within this time of each other are one round: what one could not
/// see, an earlier one of another vantage has seen for it.
inline constexpr std::chrono::hours longest_round{24};

/// Puts every list into its one order (plan order first, then by content), so that the same things seen in another
/// order are the same evidence.
void normalise(Evidence& evidence);

/// Joins recordings from several vantage points of one site: the newest collected_at, all that each has seen,
/// duplicates once, in one order whatever the order of `recordings`. A gap that another recording fills is none, unless
/// what fills it is older: of the same vantage, or by more than longest_round. What one vantage has looked at twice
/// counts as it was seen last. Where they disagree about the site itself, the newest is
/// right. Error: config, when their sites have different names.
Result<Evidence> merge(std::vector<Evidence> recordings);

}  // namespace mrascheck

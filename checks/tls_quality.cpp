// SPDX-License-Identifier: Apache-2.0
#include "checks/tls_quality.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "checks/common.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

enum Kind : std::size_t {
  weak_version,
  issuer_list_too_long,
  pool_certificates_differ,
  session_ticket,
  no_renegotiation
};

constexpr std::string_view schannel = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL";

/// Schannel cuts the list that it sends (KB2464556), between two names: what comes so near has most likely been cut.
constexpr std::size_t longest_list = std::size_t{16} * 1024;
constexpr std::size_t near_longest = longest_list - 256;
/// A client does not take a longer handshake message (TLS registry settings, MessageLimitClient).
constexpr std::size_t longest_message = std::size_t{32} * 1024;

Finding& add(Verdict& verdict, Kind kind, std::string about) {
  return verdict.findings.emplace_back(finding(tls_quality_kinds[kind], Status::warning, std::move(about)));
}

bool ran_on_tls(const Handshake& handshake) {
  return handshake.phase == Phase::confirm || handshake.phase == Phase::sip || handshake.phase == Phase::done;
}

void judge_version(const LinksByEnds& links, const Handshake& handshake, Verdict& verdict) {
  const std::string& version = handshake.tls_version;
  if (version != "TLSv1" && version != "TLSv1.1" && version != "SSLv3") return;
  Finding& weak = add(verdict, weak_version, handshake.id());
  weak.summary =
      fmt::format("{} and {} agree on {}, which is no longer to be used", handshake.from, handshake.to, version);
  weak.facts.push_back(fmt::format("{} with {}", version, handshake.cipher));
  const Link* link = links.of(handshake);
  if (link != nullptr && link->versions().max < TlsVersion::tls_1_2) {
    weak.facts.push_back(
        fmt::format("this link is configured to go no further than {}", to_string(link->versions().max)));
    weak.remedy = fmt::format(
        "Let this link go up to TLS 1.2 (`tls` of the link), and run this check again: then it shows whether {} can do "
        "better.",
        handshake.to);
    return;
  }
  weak.remedy = fmt::format(
      "On {}, enable TLS 1.2 ({}\\Protocols\\TLS 1.2\\Server and \\Client: Enabled = 1, DisabledByDefault = 0; "
      "SchUseStrongCrypto = 1 for .NET), restart it, and disable the old versions when nobody needs them any more: "
      "Skype for Business Server works without them from 2015 CU9 and 2019 CU1 on.",
      handshake.to, schannel);
}

void judge_issuer_list(const Handshake& handshake, Verdict& verdict) {
  if (handshake.accepted_issuer_bytes < near_longest) return;
  Finding& long_list = add(verdict, issuer_list_too_long, handshake.id());
  long_list.summary = fmt::format(
      "the list of issuers that {} sends has {} names in {} bytes: {}", handshake.to, handshake.accepted_issuer_count,
      handshake.accepted_issuer_bytes,
      handshake.accepted_issuer_bytes <= longest_list      ? "a Windows server has most likely cut it"
      : handshake.accepted_issuer_bytes <= longest_message ? "a Windows server would cut it"
                                                           : "a Windows client does not take so long a message");
  long_list.facts.push_back(
      fmt::format("Windows sends {} bytes at most; whose CA is not named any more sends no "
                  "certificate (event 36885)",
                  longest_list));
  long_list.remedy = fmt::format(
      "Remove what is not needed from the trusted roots of {}, or stop it from sending the list: SendTrustedIssuerList "
      "= 0 under {}, then restart its services.",
      handshake.to, schannel);
}

void judge_ticket(const Evidence& evidence, const Handshake& handshake, Verdict& verdict) {
  const Server* to = evidence.site.server(handshake.to);
  if (to == nullptr || to->role != Role::front_end || handshake.session_ticket != true) return;
  Finding& ticket = add(verdict, session_ticket, handshake.id());
  ticket.summary = fmt::format(
      "{} hands out TLS session tickets: on Windows Server 2012 R2 and later this breaks connections between Front "
      "Ends "
      "(events 32042 and 61045)",
      handshake.to);
  ticket.remedy =
      fmt::format("On {}, look at EnableSessionTicket under {}: set it to 2 (DWORD), and restart the server.",
                  handshake.to, schannel);
}

void judge_renegotiation(const Handshake& handshake, Verdict& verdict) {
  if (handshake.secure_renegotiation != false) return;
  Finding& insecure = add(verdict, no_renegotiation, handshake.id());
  insecure.summary = fmt::format(
      "{} does not know secure renegotiation: a Windows peer that insists on it does not connect", handshake.to);
  insecure.remedy = fmt::format(
      "Bring Windows on {0} up to date (MS10-049, KB980436), or look for a device in between that ends TLS. Until "
      "then, "
      "AllowInsecureRenegoServers on {1} and AllowInsecureRenegoClients on {0}, under {2}, decide: 0 refuses.",
      handshake.to, handshake.from, schannel);
}

/// All Edges of a pool must have the very same certificate and key for media relay authentication, and that one is the
/// external one. Their internal ones, on 5061 and 5062, need not be the same, nor need those of Front Ends. On an Edge,
/// TLS on 443 is the external interface.
void judge_pools(const Evidence& evidence, Verdict& verdict) {
  constexpr std::uint16_t external = 443;
  struct Shown {
    CertificateRef certificate;
    std::set<std::string> by;
  };
  std::map<std::string, std::map<Sha256, Shown>> pools;
  for (const Handshake& handshake : evidence.handshakes) {
    const Server* to = evidence.site.server(handshake.to);
    if (to == nullptr || to->role != Role::edge || handshake.port != external || handshake.peer_chain.empty()) continue;
    Shown& shown = pools[to->pool.empty() ? to->name : to->pool][handshake.peer_chain.front()->sha256];
    shown.certificate = handshake.peer_chain.front();
    shown.by.insert(fmt::format("{} ({})", to->name, handshake.address));
  }
  for (const auto& [pool, certificates] : pools) {
    if (certificates.size() < 2) continue;
    Finding& differ = add(verdict, pool_certificates_differ, fmt::format("{}:{}", pool, external));
    differ.summary =
        fmt::format("the Edges behind {} present {} different external certificates", pool, certificates.size());
    for (const auto& [sha256, shown] : certificates) {
      differ.facts.push_back(fmt::format("{}: {}", enumerate(std::vector(shown.by.begin(), shown.by.end())),
                                         describe(*shown.certificate)));
    }
    std::sort(differ.facts.begin(), differ.facts.end());
    differ.remedy = fmt::format(
        "Export the certificate that shall stay from one Edge behind {}, with its private key, import it on the "
        "others, "
        "and assign it there (Set-CsCertificate -Type AccessEdgeExternal,DataEdgeExternal,AudioVideoAuthentication): "
        "with another key for media relay authentication, credentials of one Edge are worth nothing on the next.",
        pool);
  }
}

}  // namespace

void judge_tls_quality(const Evidence& evidence, Verdict& verdict) {
  const LinksByEnds links{evidence};
  std::set<std::string> seen;
  for (const Handshake& handshake : evidence.handshakes) {
    if (handshake.phase == Phase::connect) continue;
    // With several chains a link is tried as often, and shows the same of its peer each time.
    if (!seen.insert(fmt::format("{} {} {}", handshake.id(), handshake.tls_version, ran_on_tls(handshake))).second)
      continue;
    if (ran_on_tls(handshake)) {
      judge_version(links, handshake, verdict);
      judge_renegotiation(handshake, verdict);
      judge_ticket(evidence, handshake, verdict);
    }
    judge_issuer_list(handshake, verdict);
  }
  judge_pools(evidence, verdict);
}

}  // namespace mrascheck::checks

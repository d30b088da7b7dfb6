// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "checks/common.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

// Microsoft Learn, "Environmental requirements for Skype for Business Server" and "Edge Server environmental
// requirements": a Front End's certificate names pool and server; the Edge's internal one names the pool, or the server
// where it stands alone.
constexpr std::array kinds{
    FindingKind{"certificate-names.mismatch", "a certificate carries none of its server's names", {"RFC 6125", "6.4"}},
    FindingKind{"certificate-names.incomplete",
                "a certificate lacks its pool's name, or a Front End's that of the server",
                {"Microsoft Learn, Environmental requirements for Skype for Business Server",
                 "Certificates for internal servers"}},
    FindingKind{"certificate-names.common-name-only",
                "a name stands in the subject only, where the alternative names leave it out",
                {"RFC 6125", "6.4.4"}},
};

std::string names_of(const Certificate& certificate) {
  std::vector<std::string> names;
  if (!certificate.subject.common_name().empty()) names.emplace_back(certificate.subject.common_name());
  constexpr std::size_t most = 12;
  for (const std::string& name : certificate.dns_names) {
    if (names.size() >= most) {
      names.push_back(fmt::format("{} more", certificate.dns_names.size() - most));
      break;
    }
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names.empty() ? "no name at all" : enumerate(names);
}

/// Names that the subject carries and the alternative names, of which there are some, do not.
std::vector<std::string> common_name_only(const Certificate& certificate, const std::vector<std::string>& wanted) {
  std::vector<std::string> names;
  if (certificate.dns_names.empty()) return names;
  for (const std::string& name : wanted) {
    const bool alternative = std::any_of(certificate.dns_names.begin(), certificate.dns_names.end(),
                                         [&](const std::string& dns) { return equals_ignoring_case(dns, name); });
    if (!alternative && equals_ignoring_case(certificate.subject.common_name(), name)) names.push_back(name);
  }
  return names;
}

void judge_one(const Server& server, const Certificate& certificate, Verdict& verdict) {
  ++verdict.examined;
  const std::vector<std::string> wanted = expected_names(server);
  std::vector<std::string> missing;
  for (const std::string& name : wanted) {
    if (!certificate_has_name(certificate, name)) missing.push_back(name);
  }
  if (missing.size() == wanted.size()) {
    Finding& wrong = verdict.findings.emplace_back(finding(kinds[0], Status::critical, server.name));
    wrong.summary =
        fmt::format("the certificate of {} does not name it: it carries {}", server.name, names_of(certificate));
    wrong.servers = {server.name};
    wrong.facts = {describe(certificate), fmt::format("looked for {}", enumerate(wanted)),
                   "on Windows: SEC_E_WRONG_PRINCIPAL (0x80090322), SIPPROXY_E_ROUTING_MSG_CERT_MISMATCH (0xC3E93D67)"};
    wrong.remedy = fmt::format(
        "Assign a certificate whose subject or alternative names hold {} on {}; wildcards do not count here.",
        enumerate(wanted), server.name);
  } else if (std::any_of(missing.begin(), missing.end(), [&](const std::string& name) {
               return server.role == Role::front_end || name == server.pool;
             })) {
    Finding& partial = verdict.findings.emplace_back(finding(kinds[1], Status::warning, server.name));
    partial.summary = fmt::format("the certificate of {} lacks {}", server.name, enumerate(missing));
    partial.facts = {describe(certificate), fmt::format("it carries {}", names_of(certificate))};
    partial.remedy =
        server.role == Role::front_end
            ? fmt::format(
                  "Request the certificate of {} again with the pool's and the server's FQDN as alternative names.",
                  server.name)
            : fmt::format(
                  "Request the certificate of {} again with the pool's FQDN as a name: by that name the Front Ends of "
                  "the topology connect to it.",
                  server.name);
  } else if (const std::vector<std::string> ignored = common_name_only(certificate, wanted); !ignored.empty()) {
    Finding& hidden = verdict.findings.emplace_back(finding(kinds[2], Status::warning, server.name));
    hidden.summary =
        fmt::format("the certificate of {} carries {} in its subject only, not among its alternative names",
                    server.name, enumerate(ignored));
    hidden.facts = {describe(certificate), fmt::format("it carries {}", names_of(certificate)),
                    "where there are alternative DNS names, a peer that follows RFC 6125 passes the subject over"};
    hidden.remedy = fmt::format("Request the certificate of {} again with {} as an alternative name.", server.name,
                                enumerate(ignored));
  } else {
    verdict.notes.push_back({server.name, fmt::format("named {}", names_of(certificate))});
  }
}

Verdict judge(const Evidence& evidence) {
  Verdict verdict;
  std::map<std::pair<std::string, Sha256>, std::pair<const Server*, CertificateRef>> shown;
  const auto show = [&](const std::string& name, const CertificateRef& certificate) {
    const Server* server = evidence.site.server(name);
    if (server != nullptr && certificate) shown[{server->name, certificate->sha256}] = {server, certificate};
  };
  for (const Identity& identity : evidence.identities) {
    if (!evidence.site.stranger(identity.server)) show(identity.server, identity.certificate);
  }
  for (const Handshake& handshake : evidence.handshakes) {
    if (!handshake.peer_chain.empty()) show(handshake.to, handshake.peer_chain.front());
    if (!handshake.sent_chain.empty() && !evidence.site.stranger(handshake.from))
      show(handshake.from, handshake.sent_chain.front());
  }
  for (const auto& [key, pair] : shown) judge_one(*pair.first, *pair.second, verdict);
  return verdict;
}

}  // namespace

extern const Check certificate_names;
constinit const Check certificate_names{.id = "certificate-names",
                                        .title = "every certificate carries its server's names",
                                        .needs = Needs::identities | Needs::handshakes,
                                        .kinds = kinds,
                                        .judge = judge};

}  // namespace mrascheck::checks

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <limits>
#include <string>
#include <vector>

#include "core/report.hpp"

namespace mrascheck::test {

inline UtcTime sample_time() {
  return std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::hours{9} + std::chrono::minutes{30};
}

inline CheckResult sample_result(std::string_view id, std::string_view title, Status status, std::size_t examined) {
  CheckResult result;
  result.id = id;
  result.title = title;
  result.status = status;
  result.verdict.examined = examined;
  result.applicable = examined > 0 || status != Status::ok;
  return result;
}

/// A site in trouble: two checks failed, one with warnings, one unknown, one without anything to look at.
inline Report sample_report() {
  Report report;
  report.site = "contoso";
  report.vantage = "fe1.contoso.example";
  report.collected_at = sample_time();
  report.status = Status::critical;
  report.gaps = {{Needs::stores, "edge1-root", ErrorKind::local, "/srv/export/edge1.pem: Permission denied",
                  "Let the account that runs this check read the file:\n  chmod g+r /srv/export/edge1.pem"}};

  CheckResult names = sample_result("names-resolve", "every name has an address", Status::ok, 7);
  for (int i = 1; i <= 7; ++i) {
    names.verdict.notes.push_back({"edge" + std::to_string(i) + ".contoso.example", "192.0.2." + std::to_string(i)});
  }

  CheckResult shake = sample_result("handshake", "mutual TLS ends as it should", Status::critical, 2);
  const std::string remedy =
      "Remove the stale certificates from the stores that feed fe1.contoso.example, on that host:\n"
      "  certutil -delstore CA 9F0B2C6E1D4A58377C21E0B6A1F3D2C4E5B60718\n"
      "Then restart its services and run this check again.";
  for (const char* address : {"192.0.2.1", "192.0.2.2"}) {
    shake.verdict.findings.push_back(
        {.code = "handshake.refused-by-peer",
         .status = Status::critical,
         .about = std::string("fe1.contoso.example -> edge1.contoso.example (") + address + ":5062)",
         .summary = std::string("edge1.contoso.example (") + address +
                    ":5062) refused the certificate of fe1.contoso.example with the alert unknown_ca",
         .facts = {"TLSv1.2, ECDHE-RSA-AES256-GCM-SHA384",
                   "sent: fe1.contoso.example (5E1D22A0) <- CN=Contoso Issuing CA 1,CN=AIA,CN=Public Key "
                   "Services,CN=Services,CN=Configuration,DC=contoso,DC=example",
                   "  which was valid from 2019-03-01 to 2029-03-01"},
         .remedy = remedy,
         .citation = {"RFC 5246", "7.2.2"}});
  }
  shake.verdict.notes = {{"fe2.contoso.example -> edge1.contoso.example (192.0.2.1:5062)", "TLSv1.2, 31.0 ms"}};
  shake.verdict.perfdata = {{"tls_fe1_edge1", std::nullopt, "s", std::nullopt, Range{0, 5, false}, 0, std::nullopt},
                            {"tls_fe2_edge1", 0.031, "s", std::nullopt, Range{0, 5, false}, 0, std::nullopt}};

  CheckResult issuers = sample_result("same-name-issuers", "one certificate per issuer name", Status::critical, 42);
  issuers.verdict.findings = {{.code = "same-name-issuers.stale",
                               .status = Status::critical,
                               .about = "CN=Contoso Issuing CA 1,DC=contoso,DC=example",
                               .summary = "2 different certificates share one name, and one of them is stale",
                               .facts = {"9F0B2C6E1D4A58377C21E0B6A1F3D2C4E5B60718: signs nothing seen here"},
                               .remedy = "See the commands under handshake.",
                               .citation = {"RFC 4158", "3.5.12"}}};
  issuers.verdict.perfdata = {{"name_conflicts", 1, "", std::nullopt, Range{0, 0, false}, 0, std::nullopt}};

  CheckResult path = sample_result("certification-path", "every chain ends in a trusted root", Status::unknown, 3);
  path.gaps = {0};
  path.verdict.notes = {{"edge1.contoso.example", "fe1.contoso.example <- Contoso Issuing CA 1 <- Contoso Root"}};

  static constexpr double endless = std::numeric_limits<double>::infinity();
  CheckResult validity = sample_result("validity", "nothing expires soon", Status::warning, 12);
  validity.verdict.findings = {{.code = "validity.expires-soon",
                                .status = Status::warning,
                                .about = "edge1.contoso.example",
                                .summary = "the certificate of edge1.contoso.example expires in 21 days",
                                .facts = {},
                                .remedy = "Renew it, and restart the services of the Edge.",
                                .citation = {"RFC 5280", "4.1.2.5"}}};
  validity.verdict.perfdata = {{"days_edge1", 21, "", Range{30, endless, false}, Range{10, endless, false}, {}, {}}};

  CheckResult mras = sample_result("mras-credentials", "MRAS hands out credentials", Status::ok, 0);

  report.checks = {names, shake, issuers, path, validity, mras};
  return report;
}

inline Report healthy_report() {
  Report report;
  report.site = "contoso";
  report.vantage = "fe1.contoso.example";
  report.collected_at = sample_time();
  report.status = Status::ok;
  CheckResult shake = sample_result("handshake", "mutual TLS ends as it should", Status::ok, 1);
  shake.verdict.notes = {{"fe1.contoso.example -> edge1.contoso.example (192.0.2.1:5062)",
                          "TLSv1.2, ECDHE-RSA-AES256-GCM-SHA384, 31.0 ms; the peer answered"}};
  shake.verdict.perfdata = {{"tls_fe1_edge1", 0.031, "s", std::nullopt, std::nullopt, 0, std::nullopt}};
  CheckResult mras = sample_result("mras-credentials", "MRAS hands out credentials", Status::ok, 1);
  mras.verdict.notes = {{"fe1.contoso.example -> edge1.contoso.example (192.0.2.1:5062)",
                         "credentials for 480 minutes; relays edges.contoso.example (intranet, UDP 3478, TCP 443)"}};
  report.checks = {shake, mras};
  return report;
}

/// Nothing was reached, and a directory could not be read: neither good nor bad.
inline Report blind_report() {
  Report report;
  report.site = "contoso";
  report.vantage = "fe1.contoso.example";
  report.collected_at = sample_time();
  report.status = Status::unknown;
  report.gaps = {{Needs::stores, "ad", ErrorKind::unreachable, "ldap://dc1.contoso.example: Can't contact LDAP server",
                  "Check that dc1.contoso.example answers on port 389."},
                 {Needs::stores, "ad2", ErrorKind::unreachable, "ldap://dc2.contoso.example: Can't contact LDAP server",
                  "Check that dc1.contoso.example answers on port 389."}};
  CheckResult issuers = sample_result("same-name-issuers", "one certificate per issuer name", Status::unknown, 0);
  issuers.gaps = {0, 1};
  CheckResult shake = sample_result("handshake", "mutual TLS ends as it should", Status::ok, 0);
  report.checks = {issuers, shake};
  return report;
}

}  // namespace mrascheck::test

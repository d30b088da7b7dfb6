// SPDX-License-Identifier: Apache-2.0
#include "json/sarif_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "core/text.hpp"
#include "json/document.hpp"

namespace mrascheck::json {
namespace {

/// RFC 3986, 2.3: what is not unreserved is written by its octets; the slashes of a path stay.
std::string uri_of(std::string_view path) {
  std::string uri;
  for (const char c : path) {
    const auto octet = static_cast<std::uint8_t>(c);
    const bool plain = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') || is_digit(c) || c == '-' ||
                       c == '.' || c == '_' || c == '~' || c == '/';
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", octet);
  }
  return path.starts_with('/') ? "file://" + uri : uri;
}

/// FNV-1a of 64 bits: the same finding about the same thing is the same result, run after run (SARIF 3.27.17).
std::string fingerprint_of(const Finding& finding) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : fmt::format("{}\n{}", finding.code, finding.about))
    hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211U;
  return fmt::format("{:016x}", hash);
}

Json message(const std::string& text) {
  return {{"text", safe_lines(text)}};
}

std::string_view level_of(Status status) {
  return status == Status::critical ? "error" : status == Status::warning ? "warning" : "none";
}

/// What was not decided is an open result, whose level is "none" (SARIF 3.27.9, 3.27.10).
Json result_of(const Finding& finding, std::size_t rule, std::string_view artifact) {
  std::string text = finding.summary;
  for (const std::string& fact : finding.facts) text += "\n- " + fact;
  if (!finding.remedy.empty()) text += "\nWhat to do: " + finding.remedy;
  Json location;
  if (!artifact.empty()) {
    location["physicalLocation"] = {{"artifactLocation", {{"uri", uri_of(artifact)}}}, {"region", {{"startLine", 1}}}};
  }
  location["logicalLocations"] =
      Json::array({{{"fullyQualifiedName", safe_text(finding.about.empty() ? std::string{"site"} : finding.about)},
                    {"kind", "resource"}}});
  Json result;
  result["ruleId"] = safe_text(finding.code);
  result["ruleIndex"] = rule;
  result["kind"] = finding.status == Status::unknown ? "open" : "fail";
  result["level"] = level_of(finding.status);
  result["message"] = message(text);
  result["locations"] = Json::array({std::move(location)});
  result["partialFingerprints"] = {{"mrascheckFinding/v1", fingerprint_of(finding)}};
  return result;
}

}  // namespace

std::string write_sarif(const Report& report, std::span<const Check* const> checks, std::string_view version,
                        std::string_view artifact) {
  Json rules = Json::array();
  std::map<std::string_view, std::size_t> index;
  for (const Check* check : checks) {
    for (const FindingKind& kind : check->kinds) {
      index.emplace(kind.code, rules.size());
      Json rule;
      rule["id"] = kind.code;
      rule["shortDescription"] = message(std::string{kind.meaning});
      rule["fullDescription"] =
          message(fmt::format("{}; see {}, {}", kind.meaning, kind.citation.document, kind.citation.section));
      rule["help"] = message(fmt::format("mrascheck explain {}", kind.code));
      rules.push_back(std::move(rule));
    }
  }
  Json results = Json::array();
  for (const CheckResult& check : report.checks) {
    for (const Finding& finding : check.verdict.findings) {
      const auto rule = index.find(finding.code);
      if (rule == index.end()) continue;
      results.push_back(result_of(finding, rule->second, artifact));
    }
  }
  Json notifications = Json::array();
  for (const Gap& gap : report.gaps) {
    notifications.push_back({{"level", "error"},
                             {"message", message(fmt::format("{} {}: {}\nWhat to do: {}", to_string(gap.need),
                                                             gap.about, gap.reason, gap.remedy))}});
  }
  Json invocation;
  invocation["executionSuccessful"] = report.gaps.empty();
  invocation["exitCode"] = exit_code(report.status);
  invocation["exitCodeDescription"] = to_string(report.status);
  invocation["startTimeUtc"] = to_iso8601(report.collected_at);
  invocation["machine"] = safe_text(report.vantage);
  invocation["toolExecutionNotifications"] = std::move(notifications);
  Json driver;
  driver["name"] = "mrascheck";
  driver["version"] = version;
  driver["rules"] = std::move(rules);
  Json run;
  run["tool"] = {{"driver", std::move(driver)}};
  run["automationDetails"] = {{"id", "mrascheck/" + safe_text(report.site)}};
  run["invocations"] = Json::array({std::move(invocation)});
  run["columnKind"] = "unicodeCodePoints";
  run["results"] = std::move(results);
  Json document;
  document["$schema"] = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
  document["version"] = "2.1.0";
  document["runs"] = Json::array({std::move(run)});
  return print_document(document);
}

}  // namespace mrascheck::json

// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <optional>
#include <string>

#include "json/document.hpp"
#include "json/evidence_json.hpp"
#include "json/words.hpp"

namespace mrascheck::json {
namespace {

constexpr int report_version = 1;

/// JSON has no infinity and no NaN.
Json number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

Json range(const std::optional<Range>& value) {
  return value ? Json(to_string(*value)) : Json(nullptr);
}

Json to_json(const Finding& finding) {
  Json facts = Json::array();
  for (const std::string& fact : finding.facts) facts.push_back(safe_text(fact));
  Json object;
  object["code"] = safe_text(finding.code);
  object["status"] = to_string(finding.status);
  object["about"] = safe_text(finding.about);
  object["summary"] = safe_text(finding.summary);
  object["facts"] = std::move(facts);
  object["remedy"] = safe_lines(finding.remedy);
  object["citation"] = {{"document", safe_text(finding.citation.document)},
                        {"section", safe_text(finding.citation.section)}};
  return object;
}

Json to_json(const Perfdata& perfdata) {
  Json object;
  object["label"] = safe_text(perfdata.label);
  object["value"] = number(perfdata.value);
  object["unit"] = safe_text(perfdata.unit);
  object["warning"] = range(perfdata.warning);
  object["critical"] = range(perfdata.critical);
  object["min"] = number(perfdata.min);
  object["max"] = number(perfdata.max);
  return object;
}

Json to_json(const Gap& gap) {
  Json object;
  object["need"] = to_word(gap.need);
  object["about"] = safe_text(gap.about);
  object["kind"] = to_word(gap.kind);
  object["reason"] = safe_text(gap.reason);
  object["remedy"] = safe_lines(gap.remedy);
  return object;
}

Json to_json(const CheckResult& check, const Report& report) {
  Json findings = Json::array();
  for (const Finding& finding : check.verdict.findings) findings.push_back(to_json(finding));
  Json notes = Json::array();
  for (const Note& note : check.verdict.notes) {
    notes.push_back({{"about", safe_text(note.about)}, {"text", safe_text(note.text)}});
  }
  Json perfdata = Json::array();
  for (const Perfdata& item : check.verdict.perfdata) perfdata.push_back(to_json(item));
  Json unknown_because = Json::array();
  for (const std::size_t index : check.gaps) {
    if (index >= report.gaps.size()) continue;
    const Gap& gap = report.gaps[index];
    unknown_because.push_back(safe_text(gap.about.empty() ? gap.reason : gap.about + ": " + gap.reason));
  }
  Json object;
  object["id"] = safe_text(check.id);
  object["title"] = safe_text(check.title);
  object["status"] = to_string(check.status);
  object["applicable"] = check.applicable;
  object["examined"] = check.verdict.examined;
  object["findings"] = std::move(findings);
  object["notes"] = std::move(notes);
  object["perfdata"] = std::move(perfdata);
  object["unknown_because"] = std::move(unknown_because);
  return object;
}

/// A finding by the id of its check and its index among that check's findings.
Json to_json(const FindingRef& at, const Report& report) {
  return {{"check", safe_text(report.checks[at.check].id)}, {"finding", at.finding}};
}

Json to_json(const Cause& cause, const Report& report) {
  Json symptoms = Json::array();
  for (const FindingRef& at : cause.symptoms) symptoms.push_back(to_json(at, report));
  Json object;
  object["status"] = to_string(cause.status);
  object["summary"] = safe_text(cause.summary);
  object["shown"] = cause.shown;
  object["root"] = to_json(cause.root, report);
  object["symptoms"] = std::move(symptoms);
  return object;
}

}  // namespace

std::string write_report(const Report& report) {
  Json document;
  document["format"] = "mrascheck-report";
  document["version"] = report_version;
  document["status"] = to_string(report.status);
  document["exit_code"] = exit_code(report.status);
  document["site"] = safe_text(report.site);
  document["vantage"] = safe_text(report.vantage);
  document["collected_at"] = to_iso8601(report.collected_at);
  std::string text = print_document(document);
  std::size_t lines = 0;
  for (const CheckResult& check : report.checks)
    lines += 5 * check.verdict.notes.size() + 11 * check.verdict.perfdata.size();
  text.reserve(lines * 40);
  append_array(text, "causes", report.causes.size(), [&](std::size_t i) { return to_json(report.causes[i], report); });
  append_array(text, "checks", report.checks.size(), [&](std::size_t i) { return to_json(report.checks[i], report); });
  append_array(text, "gaps", report.gaps.size(), [&](std::size_t i) { return to_json(report.gaps[i]); });
  return text;
}

std::string write_report_lines(const Report& report) {
  std::string out;
  const auto line = [&](std::string_view type, const Json& members) {
    Json object;
    object["type"] = type;
    object["site"] = safe_text(report.site);
    object["collected_at"] = to_iso8601(report.collected_at);
    object.update(members);
    out += object.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
  };
  line("report", {{"format", "mrascheck-report-lines"},
                  {"version", report_version},
                  {"status", to_string(report.status)},
                  {"exit_code", exit_code(report.status)},
                  {"vantage", safe_text(report.vantage)}});
  for (const Cause& cause : report.causes) line("cause", to_json(cause, report));
  for (const CheckResult& check : report.checks) {
    const auto of_check = [&](std::string_view type, const Json& members) {
      Json object;
      object["check"] = safe_text(check.id);
      object.update(members);
      line(type, object);
    };
    of_check("check", {{"title", safe_text(check.title)},
                       {"status", to_string(check.status)},
                       {"applicable", check.applicable},
                       {"examined", check.verdict.examined}});
    for (const Finding& finding : check.verdict.findings) of_check("finding", to_json(finding));
    for (const Note& note : check.verdict.notes)
      of_check("note", {{"about", safe_text(note.about)}, {"text", safe_text(note.text)}});
    for (const Perfdata& item : check.verdict.perfdata) of_check("perfdata", to_json(item));
  }
  for (const Gap& gap : report.gaps) line("gap", to_json(gap));
  return out;
}

}  // namespace mrascheck::json

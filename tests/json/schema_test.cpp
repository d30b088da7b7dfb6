// SPDX-License-Identifier: Apache-2.0
// What we write, held against the schemas by a validator that we did not write: Debian's python3-jsonschema.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "json/cleanup_json.hpp"
#include "json/evidence_json.hpp"
#include "json/trace_json.hpp"
#include "samples.hpp"
#include "support/temp_dir.hpp"

namespace mrascheck {
namespace {

struct Ran {
  int status = -1;
  std::string output;
};

/// Both arguments are paths that this test made or the house knows: nothing in them needs quoting but blanks.
Ran validate(const std::string& document, const std::string& schema) {
  const std::string command = "/usr/bin/python3 -W ignore -m jsonschema -i '" + document + "' '" + schema + "' 2>&1";
  Ran ran;
  FILE* pipe = ::popen(command.c_str(), "r");  // NOLINT(cert-env33-c)
  if (pipe == nullptr) return ran;
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) ran.output.append(buffer, n);
  const int status = ::pclose(pipe);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

const std::string evidence_schema = MRASCHECK_SOURCE_DIR "/src/json/evidence.schema.json";
const std::string report_schema = MRASCHECK_SOURCE_DIR "/src/json/report.schema.json";
const std::string issuers_schema = MRASCHECK_SOURCE_DIR "/src/json/issuers.schema.json";
const std::string trace_schema = MRASCHECK_SOURCE_DIR "/src/json/trace.schema.json";
const std::string cleanup_schema = MRASCHECK_SOURCE_DIR "/src/json/cleanup.schema.json";

std::string issuers_document(const Evidence& evidence) {
  crypto::SignatureVerifier verifier;
  const SignatureOracle oracle = test::verifying_oracle(verifier);
  const CertificateGraph graph{evidence};
  return json::write_issuers(evidence, issuer_groups(evidence, graph, oracle), plan_cleanup(evidence, oracle));
}

std::string cleanup_document(const Evidence& evidence) {
  crypto::SignatureVerifier verifier;
  return json::write_cleanup(plan_cleanup(evidence, test::verifying_oracle(verifier)));
}

/// A Front End that the Edge refuses, and an Edge of which only the name is known.
std::string trace_document() {
  const TraceTime at{std::chrono::seconds{1'300'000'000}};
  TraceLog front_end;
  front_end.server = "fe01";
  front_end.files = {"fe01.txt"};
  front_end.role = TraceRole::front_end;
  front_end.first = at;
  front_end.last = at + std::chrono::minutes{1};
  front_end.requests = 1;
  front_end.records = 3;
  front_end.names = {"sip:probe@contoso.example", "edge.contoso.example"};
  TraceAnswer timed_out;
  timed_out.status = 504;
  timed_out.reason = "Server time-out";
  timed_out.diagnostics = {{1038, "", {{"HRESULT", "0x80072746"}}}};
  front_end.answers = {timed_out};
  TraceError closed;
  closed.grave = true;
  closed.text = "closed";
  closed.count = 2;
  closed.loose = 1;
  closed.first = {true, at};
  closed.last = {true, at};
  front_end.errors = {closed};
  TraceTransaction transaction;
  transaction.call_id = "0123";
  transaction.cseq = 1;
  transaction.user = 0;
  transaction.edge = 1;
  transaction.taken = {true, at + std::chrono::seconds{5}};
  transaction.replied = {true, undated};
  transaction.answer_replied = 0;
  transaction.errors[0] = 0;
  front_end.transactions = {transaction};
  TraceLog edge;
  edge.server = "edge";
  edge.role = TraceRole::edge;
  edge.first = at - std::chrono::minutes{1};
  edge.last = at + std::chrono::minutes{1};
  Traces traces;
  traces.files = {{"fe01.txt", 1024, 3, false}};
  traces.logs = {front_end, edge};
  traces.unread = {"x: gone"};
  return json::write_trace(study(std::move(traces)));
}

Report sample_report() {
  Report report;
  report.site = "contoso";
  report.vantage = "fe1.contoso.example";
  report.collected_at = test::sample_evidence().collected_at;
  report.status = Status::critical;
  report.gaps = test::sample_evidence().gaps;
  CheckResult check;
  check.id = "validity";
  check.title = "nothing expires soon";
  check.status = Status::critical;
  check.gaps = {1};
  check.verdict.examined = 3;
  check.verdict.findings = {{.code = "validity.expired",
                             .status = Status::critical,
                             .about = "edge1.contoso.example",
                             .summary = "the certificate of edge1 expired",
                             .facts = {"notAfter 2026-11-01"},
                             .remedy = "Renew it:\n  certreq -enroll -machine -cert HASH renew",
                             .citation = {"RFC 5280", "4.1.2.5"}}};
  check.verdict.notes = {{"fe1.contoso.example", "valid until 2028-01-01"}};
  check.verdict.perfdata = {{"days_fe1", 405.5, "", Range{30, 1e300 * 1e300, false}, {}, 0, {}},
                            {"days_edge1", std::nullopt, "", {}, {}, {}, {}},
                            {"odd", 1e300 * 1e300, "s", {}, {}, {}, {}}};
  CheckResult idle;
  idle.id = "mras-credentials";
  idle.title = "MRAS hands out credentials";
  idle.applicable = false;
  report.checks = {check, idle};
  return report;
}

struct SchemaRow {
  const char* name;
  std::string document;
  const std::string& schema;
};
class SchemaTest : public testing::TestWithParam<SchemaRow> {};

TEST_P(SchemaTest, TheDocumentIsValid) {
  const test::TempDir dir;
  const Ran ran = validate(dir.write("document.json", GetParam().document), GetParam().schema);
  EXPECT_EQ(ran.status, 0) << ran.output;
}

INSTANTIATE_TEST_SUITE_P(
    Written, SchemaTest,
    testing::Values(SchemaRow{"Evidence", json::write_evidence(test::sample_evidence()), evidence_schema},
                    SchemaRow{"EmptyEvidence", json::write_evidence({}), evidence_schema},
                    SchemaRow{"Report", json::write_report(sample_report()), report_schema},
                    SchemaRow{"EmptyReport", json::write_report({}), report_schema},
                    SchemaRow{"Issuers", issuers_document(test::redeployed_site()), issuers_schema},
                    SchemaRow{"EmptyIssuers", issuers_document({}), issuers_schema},
                    SchemaRow{"Cleanup", cleanup_document(test::redeployed_site()), cleanup_schema},
                    SchemaRow{"Trace", trace_document(), trace_schema},
                    SchemaRow{"EmptyTrace", json::write_trace(study({})), trace_schema},
                    SchemaRow{"EmptyCleanup", cleanup_document({}), cleanup_schema}),
    [](const auto& row) { return row.param.name; });

TEST(Schema, IsStrict) {
  const test::TempDir dir;
  auto evidence = nlohmann::ordered_json::parse(json::write_evidence(test::sample_evidence()));
  evidence["handshakes"][2]["mras"]["password"] = "secret";
  EXPECT_EQ(validate(dir.write("evidence.json", evidence.dump()), evidence_schema).status, 1);
  auto report = nlohmann::ordered_json::parse(json::write_report(sample_report()));
  report["status"] = "FINE";
  EXPECT_EQ(validate(dir.write("report.json", report.dump()), report_schema).status, 1);
  auto issuers = nlohmann::ordered_json::parse(issuers_document(test::redeployed_site()));
  issuers["groups"][0]["members"][0]["standing"] = "fine";
  EXPECT_EQ(validate(dir.write("issuers.json", issuers.dump()), issuers_schema).status, 1);
  auto trace = nlohmann::ordered_json::parse(trace_document());
  EXPECT_EQ(trace["causes"][0]["tally"]["never_reached"], 1);
  trace["requests"][0]["password"] = "secret";
  EXPECT_EQ(validate(dir.write("trace.json", trace.dump()), trace_schema).status, 1);
  auto cleanup = nlohmann::ordered_json::parse(cleanup_document(test::redeployed_site()));
  cleanup["certificates"][0]["places"][0].erase("store");
  EXPECT_EQ(validate(dir.write("cleanup.json", cleanup.dump()), cleanup_schema).status, 1);
}

TEST(ReportJson, SaysWhatTheReportSays) {
  const auto report = nlohmann::ordered_json::parse(json::write_report(sample_report()));
  EXPECT_EQ(report["status"], "CRITICAL");
  EXPECT_EQ(report["exit_code"], 2);
  EXPECT_EQ(report["collected_at"], "2026-11-22T09:00:00Z");
  const auto& check = report["checks"][0];
  EXPECT_EQ(check["findings"][0]["code"], "validity.expired");
  EXPECT_EQ(check["findings"][0]["remedy"], "Renew it:\n  certreq -enroll -machine -cert HASH renew");
  EXPECT_EQ(check["findings"][0]["citation"]["section"], "4.1.2.5");
  EXPECT_EQ(check["perfdata"][0]["value"], 405.5);
  EXPECT_EQ(check["perfdata"][0]["warning"], "30:");
  EXPECT_TRUE(check["perfdata"][1]["value"].is_null());
  EXPECT_TRUE(check["perfdata"][2]["value"].is_null()) << "JSON has no infinity";
  EXPECT_EQ(check["unknown_because"][0], "edge1-root: /srv/export/edge1.pem: Permission denied");
  EXPECT_EQ(report["checks"][1]["applicable"], false);
  EXPECT_EQ(report["gaps"].size(), 2U);
}

TEST(ReportJson, ForeignTextIsMadePrintable) {
  Report report = sample_report();
  report.checks[0].verdict.findings[0].summary = std::string("a\0b\033\xFF\n", 6);
  report.checks[0].verdict.findings[0].facts = {std::string(5000, 'x')};
  const auto parsed = nlohmann::ordered_json::parse(json::write_report(report));
  EXPECT_EQ(parsed["checks"][0]["findings"][0]["summary"], "a?b?\xEF\xBF\xBD?");
  EXPECT_EQ(parsed["checks"][0]["findings"][0]["facts"][0].get<std::string>().size(), 5000U);
}

}  // namespace
}  // namespace mrascheck

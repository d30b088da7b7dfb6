// SPDX-License-Identifier: Apache-2.0
// The metrics, as Prometheus' own promtool reads them, and the rules and the dashboard that are made for them.
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "render/prometheus.hpp"
#include "support/program.hpp"
#include "support/temp_dir.hpp"
#include "words.hpp"

namespace mrascheck::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Ended metrics_of(const std::string& name, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words{"check", "--evidence", world(name), "--format", "prometheus"};
  words.insert(words.end(), more.begin(), more.end());
  return mrascheck(words);
}

/// Name and labels of every sample, without its value.
std::vector<std::string> series_in(const std::string& metrics) {
  std::vector<std::string> found;
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) found.push_back(line.substr(0, line.rfind(' ')));
  }
  return found;
}

std::string content_of_file(const std::string& path) {
  std::ifstream file(std::string{MRASCHECK_SOURCE_DIR "/"} + path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> known_metrics() {
  std::set<std::string> names;
  for (const render::MetricFamily& family : render::metric_families()) names.emplace(family.name);
  return names;
}

/// Every name in `text` that looks like a metric of ours.
std::set<std::string> own_metrics_in(const std::string& text) {
  static const std::regex name{"mrascheck_[a-z0-9_]+"};
  return {std::sregex_token_iterator(text.begin(), text.end(), name), {}};
}

TEST(Metrics, OfEveryWorldAreAsPromtoolWantsThem) {
  for (const auto& entry : std::filesystem::directory_iterator(MRASCHECK_SOURCE_DIR "/fixtures/worlds")) {
    const std::string name = entry.path().filename().string();
    const Ended ended =
        metrics_of(name, {"--prometheus-compat", "blackbox,ssl_exporter", "--prometheus-compat", "x509"});
    EXPECT_EQ(ended.err, "") << name;
    const Ended judged = run({{"promtool", "check", "metrics"}, {}, ended.out});
    EXPECT_EQ(judged.code, 0) << name << ": " << judged.err;
    EXPECT_EQ(judged.err, "") << name;
    const auto series = series_in(ended.out);
    EXPECT_EQ(std::set<std::string>(series.begin(), series.end()).size(), series.size()) << name;
    EXPECT_THAT(ended.out, ContainsRegex(fmt::format("\nmrascheck_status\\{{site=\"[^\"]+\"\\}} {}\n", ended.code)));
    for (const std::string& one : series) {
      if (one.find("cert") != std::string::npos && one.find("_cert_") != std::string::npos)
        EXPECT_THAT(one, HasSubstr("fingerprint_sha256=\"")) << name;
      if (one.starts_with("mrascheck_certificate_") || one.starts_with("mrascheck_crl_"))
        EXPECT_THAT(one, HasSubstr("fingerprint_sha256=\"")) << name;
    }
  }
}

TEST(Metrics, TellOfWhatFailed) {
  const Ended refused = metrics_of("edge-knows-another-root", {"--prometheus-compat", "blackbox"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.out, ContainsRegex("\nmrascheck_connect_success\\{[^}]*\\} 1\n"));
  EXPECT_THAT(refused.out, ContainsRegex("\nmrascheck_handshake_success\\{[^}]*\\} 0\n"));
  EXPECT_THAT(refused.out, ContainsRegex("\nmrascheck_mras_success\\{[^}]*\\} 0\n"));
  EXPECT_THAT(refused.out, Not(HasSubstr("\nmrascheck_mras_duration_seconds")));
  EXPECT_THAT(refused.out, ContainsRegex("\nprobe_success\\{[^}]*\\} 0\n"));
  EXPECT_THAT(refused.out, ContainsRegex("\nprobe_ssl_earliest_cert_expiry\\{[^}]*\\} [0-9]+\n"));

  const Ended closed = metrics_of("port-closed");
  EXPECT_THAT(closed.out, ContainsRegex("\nmrascheck_connect_success\\{[^}]*\\} 0\n"));
  EXPECT_THAT(closed.out, ContainsRegex("\nmrascheck_certificate_not_after_timestamp_seconds\\{[^}]*\\} [0-9]+\n"));

  const Ended nameless = metrics_of("edge-name-unknown");
  EXPECT_THAT(nameless.out, ContainsRegex("\nmrascheck_name_addresses\\{[^}]*\\} 0\n"));
  EXPECT_THAT(nameless.out, ContainsRegex("\nmrascheck_mras_success\\{[^}]*address=\"\"[^}]*\\} 0\n"));

  const Ended blind = metrics_of("directory-down");
  EXPECT_THAT(blind.out, ContainsRegex("\nmrascheck_source_up\\{[^}]*\\} 0\n"));
  EXPECT_THAT(blind.out, ContainsRegex("\nmrascheck_gaps\\{[^}]*missing=\"stores\"\\} [1-9]"));

  const Ended well = metrics_of("healthy-pool");
  EXPECT_THAT(well.out, ContainsRegex("\nmrascheck_mras_success\\{[^}]*\\} 1\n"));
  EXPECT_THAT(well.out, Not(ContainsRegex("\nmrascheck_[a-z]*_success\\{[^}]*\\} 0\n")));
  EXPECT_THAT(well.out, Not(HasSubstr("probe_"))) << "nobody asked for the names of others";
}

TEST(Metrics, OfOthersAreNamedRightly) {
  const Ended ended = mrascheck({"check", "--evidence", world("healthy-pool"), "--prometheus-compat", "x510"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.err, HasSubstr("--prometheus-compat x510: it is blackbox, ssl_exporter or x509"));
}

TEST(Metrics, StandInTheManual) {
  const std::string manual = content_of_file("man/mrascheck.1");
  for (const std::string& name : known_metrics()) EXPECT_THAT(manual, HasSubstr(".It Li " + name + "\n"));
}

TEST(AlertRules, AreAsPromtoolWantsThemAndNameWhatThereIs) {
  const std::string rules = "packaging/prometheus/mrascheck.rules.yml";
  const Ended judged = run({{"promtool", "check", "rules", MRASCHECK_SOURCE_DIR "/" + rules}, {}, {}});
  EXPECT_EQ(judged.code, 0) << judged.err;
  const auto known = known_metrics();
  const auto named = own_metrics_in(content_of_file(rules));
  EXPECT_GT(named.size(), 8U);
  for (const std::string& name : named) EXPECT_TRUE(known.contains(name)) << name;
}

/// A site that was fine for an hour and then refused, while its certificate comes to its end.
TEST(AlertRules, AlertWhenTheyShould) {
  const TempDir dir;
  const std::string link = R"(site="contoso",from="fe1",to="edge1",address="192.0.2.1",port="5062")";
  dir.write("test.yml", fmt::format(R"(
rule_files: [{}/packaging/prometheus/mrascheck.rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'mrascheck_last_run_timestamp_seconds{{site="contoso"}}'
        values: '0+60x60 3600x200'
      - series: 'mrascheck_mras_success{{{}}}'
        values: '1x60 0x200'
      - series: 'mrascheck_certificate_not_after_timestamp_seconds{{site="contoso",fingerprint_sha256="a"}}'
        values: '5184000x260'
    alert_rule_test:
      - {{eval_time: 59m, alertname: MrascheckNoCredentials, exp_alerts: []}}
      - {{eval_time: 59m, alertname: MrascheckNotRun, exp_alerts: []}}
    promql_expr_test:
      - expr: count(ALERTS{{alertname="MrascheckNoCredentials",alertstate="firing"}})
        eval_time: 80m
        exp_samples: [{{value: 1, labels: '{{}}'}}]
      - expr: count(ALERTS{{alertname="MrascheckNotRun",alertstate="firing"}})
        eval_time: 200m
        exp_samples: [{{value: 1, labels: '{{}}'}}]
)",
                                    MRASCHECK_SOURCE_DIR, link));
  const Ended judged = run({{"promtool", "test", "rules", dir / "test.yml"}, {}, {}});
  EXPECT_EQ(judged.code, 0) << judged.out << judged.err;
}

TEST(Dashboard, AsksForWhatThereIs) {
  const std::string dashboard = content_of_file("packaging/grafana/mrascheck.json");
  const Ended judged = run({{"/usr/bin/python3", "-m", "json.tool"}, {}, dashboard});
  EXPECT_EQ(judged.code, 0) << judged.err;
  static const std::regex query{"\"expr\": \"([^\"\\\\]|\\\\.)*\""};
  const std::ptrdiff_t queries =
      std::distance(std::sregex_iterator(dashboard.begin(), dashboard.end(), query), std::sregex_iterator{});
  EXPECT_GT(queries, 10);
  const auto known = known_metrics();
  for (const std::string& name : own_metrics_in(dashboard)) EXPECT_TRUE(known.contains(name)) << name;
}

struct OutputFileCase {
  const char* name;
  const char* path;
  const char* why;
};
class OutputFileTest : public testing::TestWithParam<OutputFileCase> {};

TEST_P(OutputFileTest, TakesNothingFromTheVerdict) {
  for (const char* format : {"json", "prometheus", "plugin", "text"}) {
    const Ended ended = mrascheck({"check", "--evidence", world("port-closed"), "--format", "text", "--format",
                                   fmt::format("{}={}", format, GetParam().path)});
    EXPECT_EQ(ended.code, 2) << format;
    EXPECT_THAT(ended.out, StartsWith("CRITICAL: ")) << format;
    EXPECT_EQ(ended.err, fmt::format("could not be written: {}: {}\n", GetParam().path, GetParam().why));
  }
}

// Nobody, root included, makes a file in sysfs.
INSTANTIATE_TEST_SUITE_P(Places, OutputFileTest,
                         testing::Values(OutputFileCase{"Missing", "/nowhere/out.prom", "No such file or directory"},
                                         OutputFileCase{"ReadOnly", "/sys/out.prom", "Permission denied"},
                                         OutputFileCase{"Full", "/dev/full", "No space left on device"}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::test

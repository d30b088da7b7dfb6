// SPDX-License-Identifier: Apache-2.0
// fixtures/worlds: recordings with their own clock. Each is judged again and compared with the report it must give;
// MRASCHECK_REBASE=1 writes the reports anew, to be read in the diff.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "checks/registry.hpp"
#include "core/report.hpp"
#include "json/evidence_json.hpp"
#include "render/render.hpp"
#include "sources/sources.hpp"

namespace mrascheck {
namespace {

namespace fs = std::filesystem;

const fs::path worlds_directory = fs::path{MRASCHECK_SOURCE_DIR} / "fixtures" / "worlds";

std::vector<std::string> world_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(worlds_directory)) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Evidence read_world(const std::string& name) {
  sources::CertificatePool pool;
  const std::string text = content_of(worlds_directory / name / "evidence.json");
  auto evidence = json::read_evidence(
      text, name, [&pool](Bytes der) { return pool.intern(der); }, [&pool](Bytes der) { return pool.intern_crl(der); });
  if (!evidence) {
    ADD_FAILURE() << evidence.error().text;
    return {};
  }
  std::vector<Evidence> one;
  one.push_back(std::move(*evidence));
  return merge(std::move(one)).value();
}

class WorldTest : public testing::TestWithParam<std::string> {};

TEST_P(WorldTest, GivesTheReportThatItMust) {
  const Report report = judge(read_world(GetParam()), checks::all());
  const std::string text = render::text(report, {});
  const fs::path expected = worlds_directory / GetParam() / "expected.txt";
  if (::getenv("MRASCHECK_REBASE") != nullptr) {
    std::ofstream(expected, std::ios::binary) << text;
    return;
  }
  EXPECT_EQ(text, content_of(expected));
}

TEST_P(WorldTest, IsWrittenBackByteForByte) {
  const fs::path recording = worlds_directory / GetParam() / "evidence.json";
  const std::string written = json::write_evidence(read_world(GetParam()));
  if (::getenv("MRASCHECK_REBASE") != nullptr) {  // a newer version of the format
    std::ofstream(recording, std::ios::binary) << written;
    return;
  }
  EXPECT_EQ(written, content_of(recording));
}

INSTANTIATE_TEST_SUITE_P(Worlds, WorldTest, testing::ValuesIn(world_names()), [](const auto& row) {
  std::string name = row.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Worlds, EachCheckFindsSomethingInOneAndNothingInAnother) {
  std::map<std::string_view, std::pair<int, int>> seen;  // with findings, without
  for (const std::string& name : world_names()) {
    const Report report = judge(read_world(name), checks::all());
    for (const CheckResult& check : report.checks) {
      if (check.verdict.findings.empty() && check.verdict.examined > 0 && check.gaps.empty()) ++seen[check.id].second;
      if (!check.verdict.findings.empty()) ++seen[check.id].first;
    }
  }
  for (const Check* check : checks::all()) {
    EXPECT_GT(seen[check->id].first, 0) << check->id << " fires in no world";
    EXPECT_GT(seen[check->id].second, 0) << check->id << " passes in no world";
  }
}

}  // namespace
}  // namespace mrascheck

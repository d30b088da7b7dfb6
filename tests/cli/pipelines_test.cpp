// SPDX-License-Identifier: Apache-2.0
// What pipelines read: JUnit XML, SARIF and JSON Lines, held against their schemas by programs that we did not write.
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "support/program.hpp"
#include "support/temp_dir.hpp"
#include "words.hpp"

namespace mrascheck::test {
namespace {

using testing::HasSubstr;
using testing::Not;

Ended formatted(const std::string& name, const std::string& format, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words{"check", "--evidence", world(name), "--format", format};
  words.insert(words.end(), more.begin(), more.end());
  return mrascheck(words);
}

Ended xmllint(const std::string& document) {
  return run(
      {{"xmllint", "--nonet", "--noout", "--schema", MRASCHECK_SOURCE_DIR "/src/render/junit.xsd", "-"}, {}, document});
}

std::string xpath(const std::string& document, const std::string& expression) {
  const Ended ended = run({{"xmllint", "--nonet", "--xpath", expression, "-"}, {}, document});
  return ended.out.substr(0, ended.out.find('\n'));
}

/// By Debian's python3-jsonschema; every line by itself.
Ended against_schema(const std::string& schema, const std::string& lines) {
  static const std::string program =
      "import json, sys, jsonschema\n"
      "judge = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))\n"
      "for line in sys.stdin:\n"
      "  for problem in judge.iter_errors(json.loads(line)): print(line[:200], problem.message[:200])\n";
  return run(
      {{"/usr/bin/python3", "-W", "ignore", "-c", program, MRASCHECK_SOURCE_DIR "/src/json/" + schema}, {}, lines});
}

TEST(JUnit, OfEveryWorldIsAsTheSchemaHasIt) {
  for (const auto& entry : std::filesystem::directory_iterator(MRASCHECK_SOURCE_DIR "/fixtures/worlds")) {
    const std::string name = entry.path().filename().string();
    for (const std::vector<std::string>& strictness : {std::vector<std::string>{}, {"--strict"}}) {
      const Ended ended = formatted(name, "junit", strictness);
      EXPECT_EQ(xmllint(ended.out).code, 0) << name << ": " << xmllint(ended.out).err;
      const bool bad = xpath(ended.out, "count(//failure) + count(//error)") != "0";
      if (ended.code >= (strictness.empty() ? 2 : 1)) {
        EXPECT_TRUE(bad) << name << " ends with " << ended.code;
      } else if (xpath(ended.out, "count(//error)") == "0") {  // a gap is an error, also beside a warning
        EXPECT_FALSE(bad) << name << " ends with " << ended.code;
      }
      for (const std::string what : {"failure", "error"})
        EXPECT_EQ(xpath(ended.out, fmt::format("string(/testsuites/@{}s)", what)),
                  xpath(ended.out, fmt::format("count(//{})", what)));
      EXPECT_EQ(xpath(ended.out, "count(//testsuite[@tests != count(testcase)])"), "0") << name;
      EXPECT_EQ(xpath(ended.out, "string(/testsuites/@tests)"), xpath(ended.out, "count(//testcase)")) << name;
    }
  }
}

TEST(JUnit, HasASuiteALinkAndASuiteAStore) {
  const Ended well = formatted("healthy-pool", "junit", {"--strict"});
  EXPECT_EQ(xpath(well.out, "count(//failure) + count(//error)"), "0");
  EXPECT_EQ(xpath(well.out, "count(//testsuite[contains(@name, ' -> ')])"), "2");
  EXPECT_EQ(xpath(well.out, "count(//testsuite[starts-with(@name, 'store ')])"), "3");
  EXPECT_EQ(xpath(well.out, "count(//testsuite[starts-with(@name, 'site ')])"), "1");
  EXPECT_EQ(
      xpath(well.out, "count(//testsuite[contains(@name, ' -> ')]/testcase[@classname='mrascheck.mras-credentials'])"),
      "2");

  const Ended down = formatted("directory-down", "junit");
  EXPECT_EQ(xpath(down.out, "count(//testsuite[@name='store active-directory']/testcase/error[@type='gap.stores'])"),
            "1");

  const Ended silent = formatted("edge-silent-after-handshake", "junit");
  EXPECT_NE(xpath(silent.out, "count(//testsuite[contains(@name, ' -> ')]/testcase/failure)"), "0");
  EXPECT_THAT(silent.out, HasSubstr("What to do: "));
}

TEST(Sarif, OfEveryWorldIsAsTheSchemaHasIt) {
  std::string lines;
  for (const auto& entry : std::filesystem::directory_iterator(MRASCHECK_SOURCE_DIR "/fixtures/worlds")) {
    std::string document = formatted(entry.path().filename().string(), "sarif").out;
    std::replace(document.begin(), document.end(), '\n', ' ');  // between tokens only: in strings they are escaped
    lines += document + '\n';
  }
  const Ended judged = against_schema("sarif.schema.json", lines);
  EXPECT_EQ(judged.code, 0) << judged.err;
  EXPECT_EQ(judged.out, "");
}

TEST(Sarif, NamesRulesAndWhereTheyWereBroken) {
  const Ended ended = formatted("edge-certificate-expired", "sarif");
  EXPECT_THAT(ended.out, HasSubstr("\"ruleId\": \"validity.expired\""));
  EXPECT_THAT(ended.out, HasSubstr("\"uri\": \"file://"));
  EXPECT_THAT(ended.out, HasSubstr("\"exitCode\": 2"));
  EXPECT_THAT(formatted("directory-down", "sarif").out, HasSubstr("\"executionSuccessful\": false"));
  // The same fault is the same result in the next run.
  EXPECT_EQ(ended.out, formatted("edge-certificate-expired", "sarif").out);
}

TEST(JsonLines, OfEveryWorldAreAsTheSchemaHasThem) {
  std::string lines;
  for (const auto& entry : std::filesystem::directory_iterator(MRASCHECK_SOURCE_DIR "/fixtures/worlds"))
    lines += formatted(entry.path().filename().string(), "jsonl").out;
  const Ended judged = against_schema("report-line.schema.json", lines);
  EXPECT_EQ(judged.code, 0) << judged.err;
  EXPECT_EQ(judged.out, "");
  for (const std::string type : {"report", "cause", "check", "finding", "note", "perfdata", "gap"})
    EXPECT_THAT(lines, HasSubstr("{\"type\":\"" + type + "\",\"site\":\""));
  const Ended strict = against_schema("report-line.schema.json", "{\"type\":\"finding\"}\n");
  EXPECT_NE(strict.out, "") << "the schema is strict";
}

TEST(Pipelines, UseOptionsThatThereAre) {
  const std::string help = mrascheck({"rehearse", "--help"}).out;
  for (const std::string name : {"github", "gitlab", "azure"}) {
    const std::string path = std::string{MRASCHECK_SOURCE_DIR "/packaging/pipelines/"} + name + ".yml";
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_THAT(text, HasSubstr("mrascheck rehearse ")) << path;
    static const std::regex option{" --([a-z-]+)"};
    for (auto it = std::sregex_iterator(text.begin(), text.end(), option); it != std::sregex_iterator(); ++it)
      EXPECT_THAT(help, HasSubstr("--" + (*it)[1].str())) << path;
    const Ended parsed = run({{"/usr/bin/python3", "-c", "import sys, yaml; yaml.safe_load(sys.stdin)"}, {}, text});
    if (parsed.err.find("ModuleNotFoundError") == std::string::npos) EXPECT_EQ(parsed.code, 0) << path << parsed.err;
  }
}

}  // namespace
}  // namespace mrascheck::test

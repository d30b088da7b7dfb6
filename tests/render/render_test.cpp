// SPDX-License-Identifier: Apache-2.0
#include "render/render.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.hpp"
#include "json/evidence_json.hpp"
#include "json/sarif_json.hpp"
#include "render/junit.hpp"
#include "render/layout.hpp"
#include "sample_report.hpp"
#include "support/temp_dir.hpp"

namespace mrascheck {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::size_t occurrences(const std::string& text, std::string_view of) {
  std::size_t n = 0;
  for (std::size_t at = text.find(of); at != std::string::npos; at = text.find(of, at + of.size())) ++n;
  return n;
}

/// Every text of a report, so that a test can put something nasty everywhere.
template <class Change>
void change_all_texts(Report& report, Change change) {
  change(report.site);
  change(report.vantage);
  for (Gap& gap : report.gaps) {
    change(gap.about);
    change(gap.reason);
    change(gap.remedy);
  }
  for (CheckResult& check : report.checks) {
    for (Finding& finding : check.verdict.findings) {
      change(finding.about);
      change(finding.summary);
      for (std::string& fact : finding.facts) change(fact);
      change(finding.remedy);
    }
    for (Note& note : check.verdict.notes) {
      change(note.about);
      change(note.text);
    }
    for (Perfdata& perfdata : check.verdict.perfdata) change(perfdata.label);
  }
}

struct Hostile {
  const char* name;
  std::string text;
};

/// A character of each of the 17 planes, and the noncharacter at its end (Unicode 15, 23.7).
std::string every_plane() {
  std::string text;
  const auto add = [&](std::uint32_t c) {
    if (c < 0x10000) {
      text += static_cast<char>(0xE0U | c >> 12U);
    } else {
      text += static_cast<char>(0xF0U | c >> 18U);
      text += static_cast<char>(0x80U | (c >> 12U & 0x3FU));
    }
    text += static_cast<char>(0x80U | (c >> 6U & 0x3FU));
    text += static_cast<char>(0x80U | (c & 0x3FU));
  };
  for (std::uint32_t plane = 0; plane <= 16; ++plane) {
    add(plane * 0x10000 + 0x2460);
    add(plane * 0x10000 + 0xFFFE);
    add(plane * 0x10000 + 0xFFFF);
  }
  return text;
}

const std::vector<Hostile>& hostile_texts() {
  static const std::vector<Hostile> rows{
      {"Pipe", "a|b | c"},
      {"LineEnds", "one\ntwo\r\nthree\rfour"},
      {"Escape", "\033[31mred\033[0m\007"},
      {"C1Controls",
       "\xC2\x9B"
       "31m\xC2\x85"},
      {"RightToLeft",
       "\xE2\x80\xAE"
       "gnp.exe\xE2\x80\xAC\xE2\x81\xA6"},
      {"LineSeparator",
       "a\xE2\x80\xA8"
       "b\xE2\x80\xA9"},
      {"InvalidUtf8", "\xFF\xFE\x80 caf\xE9"},
      {"Nul", std::string("a\0b", 3)},
      {"FiveThousandCharacters", std::string(5000, 'x')},
      {"FiveThousandWords",
       [] {
         std::string text;
         for (int i = 0; i < 5000; ++i) text += "word ";
         return text;
       }()},
      {"ManyUmlauts",
       [] {
         std::string text;
         for (int i = 0; i < 2500; ++i) text += "\xC3\xBC";
         return text;
       }()},
      {"QuotesAndEquals", "it's a=b;'c'=1"},
      {"Markup", "<script>alert('x')</script> &amp; ]]> <!-- \"quoted\" \\u0041"},
      {"EveryPlane", every_plane()},
      {"OnlyBlanks", "      "},
      {"Empty", ""},
  };
  return rows;
}

class HostileTest : public testing::TestWithParam<Hostile> {
 protected:
  HostileTest() : report_(test::sample_report()) {
    change_all_texts(report_, [](std::string& text) { text = GetParam().text; });
  }
  Report report_;
};

/// What a terminal would take for more than letters: nothing but line ends may be left of it.
void expect_harmless(const std::string& output) {
  std::string without_line_ends = output;
  std::erase(without_line_ends, '\n');
  EXPECT_EQ(printable(without_line_ends, without_line_ends.size() * 3), without_line_ends);
}

TEST_P(HostileTest, TextStaysHarmless) {
  for (const std::size_t width : {std::size_t{0}, std::size_t{40}, std::size_t{80}, std::size_t{120}}) {
    const std::string output = render::text(report_, {.width = width, .verbosity = 3});
    expect_harmless(output);
    EXPECT_EQ(output.back(), '\n');
  }
}

TEST_P(HostileTest, PluginKeepsItsFormAtEveryBudget) {
  for (int verbosity = 0; verbosity <= 3; ++verbosity) {
    for (const std::size_t budget : {std::size_t{200}, std::size_t{333}, std::size_t{1024}, std::size_t{4096}}) {
      const std::string output = render::plugin(report_, {.verbosity = verbosity, .max_output = budget});
      ASSERT_LE(output.size(), budget);
      ASSERT_EQ(output.back(), '\n');
      expect_harmless(output);
      const auto lines = lines_of(output);
      EXPECT_TRUE(lines.at(0).starts_with("MRAS CRITICAL - ")) << lines.at(0);
      EXPECT_LE(occurrences(lines.at(0), " | "), 1U);
      EXPECT_EQ(std::count(output.begin(), output.end(), '|'), std::count(lines[0].begin(), lines[0].end(), '|'));
    }
  }
}

/// What `program` says of `document`, which it is given by a file; empty when it is content.
std::string complaint(const std::string& program, const std::string& document) {
  const test::TempDir dir;
  const std::string command = fmt::format("{} '{}' 2>&1", program, dir.write("document", document));
  FILE* pipe = ::popen(command.c_str(), "r");  // NOLINT(cert-env33-c)
  std::string said;
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) said.append(buffer, n);
  return ::pclose(pipe) == 0 ? "" : said + "(failed)";
}

TEST_P(HostileTest, JUnitStaysXml) {
  Site site;
  site.name = GetParam().text;
  site.stores = {{GetParam().text, StoreKind::mixed, "", false}};
  site.links = {{GetParam().text, GetParam().text}};
  for (const bool strict : {false, true}) {
    const std::string document = render::junit(report_, site, strict);
    expect_harmless(document);
    EXPECT_EQ(complaint("xmllint --nonet --noout --schema " MRASCHECK_SOURCE_DIR "/src/render/junit.xsd", document),
              "");
    EXPECT_EQ(document.find("<script"), std::string::npos);
  }
}

TEST_P(HostileTest, JsonStaysJson) {
  EXPECT_EQ(complaint("/usr/bin/python3 -m json.tool", json::write_report(report_)).substr(0, 200), "");
  EXPECT_EQ(
      complaint("/usr/bin/python3 -m json.tool", json::write_sarif(report_, {}, "0", GetParam().text)).substr(0, 200),
      "");
  const std::string lines = json::write_report_lines(report_);
  expect_harmless(lines);
  EXPECT_EQ(complaint("/usr/bin/python3 -m json.tool --json-lines", lines).substr(0, 200), "");
}

INSTANTIATE_TEST_SUITE_P(Render, HostileTest, testing::ValuesIn(hostile_texts()),
                         [](const auto& row) { return row.param.name; });

TEST(Text, NoLineIsLongerThanTheWidthUnlessOneWordIs) {
  for (std::size_t width = 24; width <= 140; width += 4) {
    for (const std::string& line : lines_of(render::text(test::sample_report(), {.width = width, .verbosity = 2}))) {
      if (render::columns(line) <= width) continue;
      if (line.find("  certutil ") != std::string::npos || line.find("  chmod ") != std::string::npos) continue;
      const std::string_view words = trim(line);
      const std::string_view rest = words.starts_with("- ") ? words.substr(2) : words;
      EXPECT_EQ(rest.find(' '), std::string_view::npos) << "at width " << width << ": " << line;
    }
  }
}

TEST(Text, ColorIsOnlyThereWhenAskedFor) {
  const std::string plain = render::text(test::sample_report(), {});
  std::string colored = render::text(test::sample_report(), {.color = true});
  EXPECT_EQ(plain.find('\033'), std::string::npos);
  EXPECT_NE(colored.find("\033[1;31mCRITICAL\033[0m"), std::string::npos);
  // Without its escape sequences it is the same text: colour moves no line break.
  while (true) {
    const std::size_t start = colored.find('\033');
    if (start == std::string::npos) break;
    colored.erase(start, colored.find('m', start) - start + 1);
  }
  EXPECT_EQ(colored, plain);
}

TEST(Text, CommandsAreLeftWhole) {
  const auto lines = lines_of(render::text(test::sample_report(), {.width = 40}));
  const std::string command = "  certutil -delstore CA 9F0B2C6E1D4A58377C21E0B6A1F3D2C4E5B60718";
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(), [&](const std::string& line) { return line.ends_with(command); }),
            1)
      << "once: the second finding has the same remedy";
}

TEST(Text, WorstComesFirst) {
  const std::string output = render::text(test::sample_report(), {});
  EXPECT_LT(output.find("[same-name-issuers.stale]"), output.find("[validity.expires-soon]"));
  EXPECT_LT(output.find("[validity.expires-soon]"), output.find("Could not be looked at"));
  EXPECT_LT(output.find("Could not be looked at"), output.find("Fine"));
}

TEST(Text, ListsOfWhatIsFineAreCutUnlessVerbose) {
  const std::string brief = render::text(test::sample_report(), {});
  EXPECT_EQ(brief.find("edge5.contoso.example"), std::string::npos);
  EXPECT_NE(brief.find("- and 3 more (-v lists them)"), std::string::npos);
  const std::string full = render::text(test::sample_report(), {.verbosity = 1});
  EXPECT_NE(full.find("edge7.contoso.example"), std::string::npos);
  EXPECT_EQ(full.find("-v lists them"), std::string::npos);
}

TEST(Text, AboutStandsThereWhenTheSummaryDoesNotSayIt) {
  EXPECT_NE(render::text(test::sample_report(), {}).find("- concerns CN=Contoso Issuing CA 1,DC=contoso,DC=example"),
            std::string::npos);
}

TEST(Text, AnEmptyReportSaysSo) {
  Report report;
  report.site = "contoso";
  EXPECT_NE(render::text(report, {}).find("UNKNOWN: contoso: nothing could be checked"), std::string::npos);
  EXPECT_EQ(render::plugin(report, {}), "MRAS UNKNOWN - contoso: nothing could be checked\n");
}

TEST(Text, AGapThatNoCheckNeedsIsNotPassedOver) {
  Report report = test::healthy_report();
  report.status = Status::unknown;
  report.gaps = test::blind_report().gaps;
  EXPECT_NE(render::text(report, {}).find("all 2 checks passed, 2 things could not be looked at"), std::string::npos);
}

TEST(Plugin, FirstLineIsAtMost80ColumnsBeforeThePerfdata) {
  const std::string line = lines_of(render::plugin(test::sample_report(), {})).at(0);
  EXPECT_LE(render::columns(line.substr(0, line.find(" | "))), 80U) << line;
  EXPECT_TRUE(line.substr(0, line.find(" | ")).ends_with("(+4 more)")) << line;
}

class BudgetTest : public testing::TestWithParam<int> {};

TEST_P(BudgetTest, IsNeverExceededAndTheOutputEndsInAWholeLine) {
  const int verbosity = GetParam();
  Report report = test::sample_report();
  for (int i = 0; i < 25; ++i) report.checks.at(1).verdict.findings.push_back(report.checks.at(1).verdict.findings[0]);
  for (int i = 0; i < 30; ++i) {
    report.checks.at(1).verdict.perfdata.push_back({"time_" + std::to_string(i), 0.1 * i, "s", {}, {}, 0, {}});
  }
  const auto whole = lines_of(render::plugin(report, {.verbosity = verbosity, .max_output = 1'000'000}));
  const auto whole_values = whole[0].substr(whole[0].find(" | ") + 3);
  // Every size in the plain form; the others go the same way.
  for (std::size_t budget = 200; budget <= 4096; budget += verbosity == 0 ? 1 : 89) {
    const std::string output = render::plugin(report, {.verbosity = verbosity, .max_output = budget});
    ASSERT_LE(output.size(), budget);
    ASSERT_EQ(output.back(), '\n');
    const auto lines = lines_of(output);
    ASSERT_TRUE(lines.back().ends_with(" left out; run mrascheck check for the whole report")) << budget;
    // What is there is the beginning of the whole, and what is not there is counted.
    for (std::size_t i = 1; i + 1 < lines.size(); ++i) ASSERT_EQ(lines[i], whole.at(i));
    const std::size_t missing = whole.size() - (lines.size() - 1);
    if (missing > 0) {
      ASSERT_TRUE(lines.back().starts_with(count(missing, "line"))) << lines.back();
    }
    if (const std::size_t pipe = lines[0].find(" | "); pipe != std::string::npos) {
      const std::string values = lines[0].substr(pipe + 3);
      ASSERT_EQ(whole_values.substr(0, values.size()), values);
      const std::size_t left = occurrences(whole_values, "=") - occurrences(values, "=");
      ASSERT_EQ(lines.back().find("performance value") != std::string::npos, left > 0);
      if (left > 0) {
        ASSERT_NE(lines.back().find(count(left, "performance value")), std::string::npos);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Verbosity, BudgetTest, testing::Values(0, 1, 2, 3));

TEST(Plugin, PerfdataComesBeforeLongOutput) {
  Report report = test::sample_report();
  for (int i = 0; i < 20; ++i) {
    report.checks.at(1).verdict.perfdata.push_back({"time_" + std::to_string(i), 0.5, "s", {}, {}, 0, {}});
  }
  const auto lines = lines_of(render::plugin(report, {.max_output = 650}));
  EXPECT_NE(lines.at(0).find("time_19=0.5s"), std::string::npos);
  EXPECT_EQ(lines.back(), "5 lines left out; run mrascheck check for the whole report");
}

TEST(Plugin, TinyBudgetsStillSayTheVerdict) {
  for (std::size_t budget = 0; budget < 200; ++budget) {
    const std::string output = render::plugin(test::sample_report(), {.max_output = budget});
    ASSERT_LE(output.size(), budget);
    if (budget > 0) {
      ASSERT_EQ(output.back(), '\n');
    }
    if (budget >= 14) {
      ASSERT_TRUE(output.starts_with("MRAS CRITICAL")) << budget;
    }
  }
}

TEST(Plugin, AValueThatCouldNotBeFoundIsU) {
  EXPECT_NE(render::plugin(test::sample_report(), {}).find("tls_fe1_edge1=U;;5;0"), std::string::npos);
}

std::vector<std::string> labels_of(const std::vector<std::string>& wanted) {
  Report report = test::healthy_report();
  report.checks.at(0).verdict.perfdata.clear();
  for (const std::string& label : wanted) report.checks[0].verdict.perfdata.push_back({label, 1, "", {}, {}, {}, {}});
  const std::string line = lines_of(render::plugin(report, {.max_output = 100'000})).at(0);
  std::vector<std::string> labels;
  std::istringstream in(line.substr(line.find(" | ") + 3));
  for (std::string item; in >> item;) labels.push_back(item.substr(0, item.find('=')));
  return labels;
}

TEST(Plugin, LabelsAreUniqueInTheirFirst19Characters) {
  const std::vector<std::string> wanted{"tls_frontend1_edgeserver1", "tls_frontend1_edgeserver2", "tls_short",
                                        "tls_frontend1_edges",       "tls_frontend1_edgeserver1", "tls_short"};
  const auto labels = labels_of(wanted);
  ASSERT_EQ(labels.size(), wanted.size());
  std::set<std::string> heads;
  for (const std::string& label : labels) EXPECT_TRUE(heads.insert(label.substr(0, 19)).second) << label;
}

TEST(Plugin, ALabelKeepsItsNameWhateverElseIsThere) {
  const auto a = labels_of({"tls_frontend1_edgeserver1", "tls_frontend1_edgeserver2"});
  const auto b =
      labels_of({"x", "tls_frontend1_edgeserver3", "tls_frontend1_edgeserver2", "tls_frontend1_edgeserver1"});
  EXPECT_EQ(a.at(0), b.at(3));
  EXPECT_EQ(a.at(1), b.at(2));
  EXPECT_EQ(labels_of({"tls_frontend1_edgeserver1"}).at(0), "tls_frontend1_edgeserver1");
}

struct Shortening {
  const char* name;
  std::string text;
  std::size_t limit;
  std::string expected;
};
class ShortenedTest : public testing::TestWithParam<Shortening> {};
TEST_P(ShortenedTest, CutsBetweenWords) {
  const Shortening& row = GetParam();
  EXPECT_EQ(render::shortened(row.text, row.limit), row.expected);
}
INSTANTIATE_TEST_SUITE_P(
    Layout, ShortenedTest,
    testing::Values(Shortening{"Fits", "one two", 7, "one two"},
                    Shortening{"BetweenWords", "one two three four", 14, "one two..."},
                    Shortening{"ExactlyAtABlank", "one two three", 10, "one two..."},
                    Shortening{"OneLongWord", "abcdefghij", 8, "abcde..."},
                    Shortening{"ALongWordBehindAShortOne", "at abcdefghijklmnopqrstuvwxyz0123456789", 36,
                               "at abcdefghijklmnopqrstuvwxyz0123..."},
                    Shortening{"WholeCharacters", "\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC", 4, "\xC3\xBC..."},
                    Shortening{"NoRoom", "abcdef", 2, ".."}, Shortening{"Empty", "", 0, ""}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck

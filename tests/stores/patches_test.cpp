// SPDX-License-Identifier: Apache-2.0
#include "stores/patches.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace mrascheck {
namespace {

using stores::InstalledList;
using stores::read_installed;

InstalledList read_text(std::string_view text) {
  return read_installed(as_bytes(text));
}

std::vector<std::string> components(const InstalledList& list) {
  std::vector<std::string> lines;
  for (const InstalledComponent& one : list.components) lines.push_back(one.name + " = " + one.version);
  return lines;
}

std::string level_of(const InstalledList& list) {
  PatchExport patches;
  patches.components = list.components;
  const auto level = update_level(patches);
  return level ? to_text(*level) : "none";
}

struct VersionsFile {
  const char* name;
  const char* file;
  PatchSource kind;
  std::size_t components;
  std::size_t others;
  const char* level;
};
class VersionsFileTest : public testing::TestWithParam<VersionsFile> {};

TEST_P(VersionsFileTest, TellsTheUpdate) {
  const VersionsFile& row = GetParam();
  std::ifstream file(fmt::format("{}/fixtures/versions/{}", MRASCHECK_SOURCE_DIR, row.file), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  ASSERT_FALSE(bytes.empty());
  const InstalledList list = read_text(bytes);
  EXPECT_EQ(list.kind, row.kind);
  EXPECT_EQ(list.components.size(), row.components) << fmt::format("{}", fmt::join(components(list), "\n"));
  EXPECT_EQ(list.others, row.others);
  EXPECT_FALSE(list.cut);
  EXPECT_EQ(level_of(list), row.level);
}

INSTANTIATE_TEST_SUITE_P(
    Files, VersionsFileTest,
    testing::Values(
        VersionsFile{"TableInUtf16", "front-end-table-utf16.txt", PatchSource::report, 5, 1, "6.0.9319.548"},
        VersionsFile{"ListThatIsWrapped", "edge-list.txt", PatchSource::report, 2, 0, "6.0.9319.0"},
        VersionsFile{"Html", "edge-report.html", PatchSource::report, 2, 0, "6.0.9319.102"},
        VersionsFile{"RegistryInUtf16", "edge-uninstall.reg", PatchSource::registry, 2, 1, "5.0.8308.291"},
        VersionsFile{"RegistryInAnsi", "front-end-uninstall-ansi.reg", PatchSource::registry, 1, 1, "3.5.6907.0"}),
    [](const auto& row) { return row.param.name; });

TEST(Versions, RegistryStringsAreReadInBothForms) {
  std::ifstream file(MRASCHECK_SOURCE_DIR "/fixtures/versions/edge-uninstall.reg", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const std::vector<std::string> both{"Microsoft Lync Server 2013, Core Components = 5.0.8308.291",
                                      "Microsoft Lync Server 2013, Edge = 5.0.8308.0"};
  EXPECT_EQ(components(read_text(bytes)), both);
}

TEST(Versions, UninstallKeysOfNoServerProductAreCounted) {
  const InstalledList list = read_text(
      "REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\A]\n"
      "\"DisplayName\"=\"Microsoft Lync 2013\"\n\"DisplayVersion\"=\"15.0.4420.1017\"\n");
  EXPECT_TRUE(list.components.empty());
  EXPECT_EQ(list.others, 1U);
}

struct ConsoleForm {
  const char* name;
  std::string text;
  const char* level;
};
class ConsoleFormTest : public testing::TestWithParam<ConsoleForm> {};

TEST_P(ConsoleFormTest, IsRead) {
  EXPECT_EQ(level_of(read_text(GetParam().text)), GetParam().level);
}

const std::string core_row = "Lync Server 2013, Core Components     5.0.8308.556";

INSTANTIATE_TEST_SUITE_P(
    Console, ConsoleFormTest,
    testing::Values(
        ConsoleForm{"OneLine", core_row, "5.0.8308.556"},
        ConsoleForm{"CarriageReturns", core_row + "\r", "5.0.8308.556"},
        ConsoleForm{"Utf8Mark", "\xEF\xBB\xBF" + core_row, "5.0.8308.556"},
        ConsoleForm{"CutNames", "Skype for Business Server 2019, Core Compo... 7.0.2046.252", "7.0.2046.252"},
        ConsoleForm{"CutTooShort", "Skype for Business Server 2019, Co... 7.0.2046.252", "none"},
        ConsoleForm{"WrappedTable", "Skype for Business Server 2019, Core     7.0.2046.252\nComponents\n",
                    "7.0.2046.252"},
        ConsoleForm{"WhatFollowsIsNoPartOfTheName",
                    "Skype for Business Server 2019, Core Tools     7.0.2046.252\nComponents\n", "none"},
        ConsoleForm{"Csv", "\"ComponentName\",\"Version\"\n\"Lync Server 2013, Core Components\",\"5.0.8308.577\"\n",
                    "5.0.8308.577"},
        ConsoleForm{"VersionFirst", "5.0.8308.577  Lync Server 2013, Core Components", "5.0.8308.577"},
        ConsoleForm{
            "ListWithoutBlankLines",
            "DisplayName: Lync Server 2013, Mediation\nDisplayVersion: 5.0.8308.1\nDisplayName: Lync Server 2013, "
            "Core Components\nDisplayVersion: 5.0.8308.2\n",
            "5.0.8308.2"},
        ConsoleForm{"ListVersionFirst",
                    "Version : 5.0.8308.2\nName    : Lync Server 2013, Core\n          Components\n", "5.0.8308.2"},
        ConsoleForm{"TwoVersionsInALine", "Lync Server 2013, Core Components 5.0.8308.1 5.0.8308.2", "none"},
        ConsoleForm{"FiveNumbers", "Lync Server 2013, Core Components 5.0.8308.1.2", "none"},
        ConsoleForm{"AnotherProduct", "Exchange Server 2013, Core Components 15.0.8308.1", "none"},
        ConsoleForm{"TheNewerOfTwoProducts",
                    "Lync Server 2013, Core Components 5.0.8308.1\nSkype for Business Server 2015, Core Components "
                    "6.0.9319.0",
                    "6.0.9319.0"},
        ConsoleForm{"HtmlWithoutEnd", "<html><td>Lync Server 2013, Core Components<td>5.0.8308.3<tr><a", "5.0.8308.3"},
        ConsoleForm{"HtmlInPre", "<html><pre>\n" + core_row + "\nLync Server 2013, Edge 5.0.8308.0\n</pre>",
                    "5.0.8308.556"},
        ConsoleForm{"HtmlScriptWithoutEnd", "<html><script>\n" + core_row, "none"}, ConsoleForm{"Empty", "", "none"}),
    [](const auto& row) { return row.param.name; });

TEST(Versions, ANameIsOfTheProductAsFarAsItIsKept) {
  const InstalledList list = read_text(std::string(300, 'x') + " Lync Server 2013, Core Components  5.0.8308.1");
  EXPECT_TRUE(list.components.empty());
  EXPECT_EQ(list.others, 1U);
}

TEST(Versions, ALotIsCutAndSaid) {
  std::string text;
  for (int i = 0; i < 600; ++i) text += fmt::format("Lync Server 2013, Part {}  5.0.8308.{}\n", i, i);
  const InstalledList list = read_text(text);
  EXPECT_EQ(list.components.size(), 500U);
  EXPECT_TRUE(list.cut);
}

}  // namespace
}  // namespace mrascheck

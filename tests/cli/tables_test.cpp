// SPDX-License-Identifier: Apache-2.0
// What is made from the table of options: completion as shells take it, and definitions as Icinga 2 and Nagios do.
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/tables.hpp"
#include "core/text.hpp"
#include "support/program.hpp"
#include "support/temp_dir.hpp"
#include "words.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string tables_dir = MRASCHECK_TABLES_DIR;

std::string bytes_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<const cli::Command*> all_programs() {
  std::vector<const cli::Command*> all{&cli::plugin_command};
  for (const cli::Command* command : cli::commands()) all.push_back(command);
  return all;
}

cli::OptionRow row_named(const cli::Command& command, const std::string& name) {
  for (cli::OptionRow& row : cli::rows_of(command.options())) {
    if (row.name == name) return row;
  }
  ADD_FAILURE() << command.name << " has no --" << name;
  return {};
}

TEST(OptionTable, WhatWasBuiltIsWhatTheProgramHas) {
  for (const auto& [name, file] : {std::pair{"bash", "bash-completion/mrascheck"},
                                   {"zsh", "zsh/_mrascheck"},
                                   {"fish", "fish/mrascheck.fish"},
                                   {"icinga2", "icinga2/commands.conf"},
                                   {"nagios", "nagios/commands.cfg"},
                                   {"nrpe", "nrpe/mrascheck.cfg"}}) {
    EXPECT_EQ(bytes_in(tables_dir + "/" + file), cli::table(name)) << name;
  }
  EXPECT_EQ(cli::table("nothing"), "");
}

TEST(OptionTable, HasEveryOptionOfEveryCommand) {
  const std::string bash = cli::bash_completion();
  const std::string zsh = cli::zsh_completion();
  const std::string fish = cli::fish_completion();
  const std::string icinga = cli::icinga2_commands();
  for (const cli::Command* command : all_programs()) {
    const bool plugin = command == &cli::plugin_command;
    const std::string help =
        plugin ? check_mras({"--help"}).out : mrascheck({std::string{command->name}, "--help"}).out;
    const auto rows = cli::rows_of(command->options());
    EXPECT_FALSE(rows.empty());
    for (const cli::OptionRow& row : rows) {
      EXPECT_THAT(help, HasSubstr("--" + row.name)) << command->name;
      EXPECT_FALSE(row.text.empty()) << row.name;
      const std::string part = bash.substr(bash.find(fmt::format("\n    {}) words=", command->name)) + 1);
      EXPECT_THAT(part.substr(0, part.find('\n')), HasSubstr("--" + row.name)) << command->name;
      EXPECT_THAT(zsh, HasSubstr(fmt::format("--{}[", row.name))) << command->name;
      EXPECT_THAT(fish, HasSubstr(fmt::format(" -l {} ", row.name))) << command->name;
      if ((plugin || command->name == "check") && row.name != "help" && row.name != "version")
        EXPECT_THAT(icinga, HasSubstr(fmt::format("    \"--{}\" = {{\n", row.name)));
    }
    for (const cli::OptionGroup& group : command->groups) {
      row_named(*command, std::string{group.first});
      EXPECT_THAT(help, HasSubstr(fmt::format("\n{}:\n", group.title))) << command->name;
    }
    EXPECT_THAT(help, Not(HasSubstr("\n\n\n"))) << command->name;
  }
}

TEST(OptionTable, KnowsTheWordsThatAnOptionTakes) {
  EXPECT_THAT(row_named(cli::plugin_command, "service").choices, ElementsAre("mras", "sip", "tls"));
  EXPECT_THAT(row_named(cli::plugin_command, "expect").choices, ElementsAre("accept", "refuse"));
  EXPECT_THAT(row_named(cli::plugin_command, "timeout-result").choices, ElementsAre("critical", "warning", "unknown"));
  EXPECT_THAT(row_named(cli::check_command, "color").choices, ElementsAre("auto", "always", "never"));
  EXPECT_THAT(row_named(cli::check_command, "format").choices,
              AllOf(Contains("text"), Contains("junit"), Contains("prometheus")));
  EXPECT_TRUE(row_named(cli::plugin_command, "deadline").choices.empty());
  EXPECT_EQ(row_named(cli::plugin_command, "hostname").letter, 'H');
  EXPECT_TRUE(row_named(cli::plugin_command, "trust").repeatable);
}

/// "--stranger KIND=FILE,KEY" is kind, file, key here and in ".It Fl Fl stranger Ar kind Ns = Ns Ar file Ns , Ns Ar
/// key".
std::vector<std::string> value_words(std::string text) {
  static const std::regex macros{"\\b(Ar|Ns|Oo|Oc|Op|Cm|Fl|or)\\b"};
  static const std::regex word{"[a-z]+"};
  text = to_lower(std::regex_replace(text, macros, ""));
  return {std::sregex_token_iterator(text.begin(), text.end(), word), {}};
}

/// The head of every option in the manual is what the table has: its letter, what it takes, and its default.
TEST(OptionTable, IsWhatTheManualHas) {
  static const std::regex default_value{"\\(default ([^);,]+)"};
  for (const cli::Command* command : all_programs()) {
    if (command->name == "list") continue;  // described in words
    const std::string name{command->name};
    const std::string page = name == "check_mras" ? "check_mras.1"
                             : name == "check"    ? "mrascheck.1"
                                                  : "mrascheck-" + name + ".1";
    std::string manual = bytes_in(MRASCHECK_SOURCE_DIR "/man/" + page);
    for (std::size_t at = manual.find("\\&"); at != std::string::npos; at = manual.find("\\&", at)) manual.erase(at, 2);
    for (const cli::OptionRow& row : cli::rows_of(command->options())) {
      const std::string letter = row.letter == '\0' ? "" : fmt::format("Fl {} , ", row.letter);
      const std::string head = fmt::format("\n.It {}Fl Fl {}", letter, row.name);
      std::size_t at = manual.find(head + "\n");
      if (at == std::string::npos) at = manual.find(head + " ");
      ASSERT_NE(at, std::string::npos) << page << ":" << head;
      const std::size_t begin = at + head.size();
      const auto there = value_words(manual.substr(begin, manual.find('\n', begin) - begin));
      const auto here = value_words(row.value);
      EXPECT_TRUE(there.size() >= here.size() && std::equal(here.begin(), here.end(), there.begin()))
          << page << ": --" << row.name << " " << row.value;
      EXPECT_EQ(there.empty(), here.empty()) << page << ": --" << row.name;
      std::smatch found;
      if (std::regex_search(row.text, found, default_value) && found[1].str().find(' ') == std::string::npos)
        EXPECT_THAT(manual, HasSubstr(found[1].str())) << page << ": the default of --" << row.name;
    }
  }
}

/// What bash offers for the last of `words`.
std::vector<std::string> offered(const std::string& words) {
  const Ended ended =
      run({{"bash", "--norc", "-c",
            fmt::format("source {}/bash-completion/mrascheck; COMP_WORDS=({}); "
                        "COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); _mrascheck; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
                        tables_dir, words)},
           {},
           {}});
  EXPECT_EQ(ended.err, "") << words;
  std::istringstream lines(ended.out);
  std::vector<std::string> found;
  for (std::string line; std::getline(lines, line);) found.push_back(line);
  return found;
}

TEST(Completion, OfBashOffersWhatFits) {
  EXPECT_THAT(offered("mrascheck reh"), ElementsAre("rehearse"));
  EXPECT_THAT(offered("mrascheck check --prom"), ElementsAre("--prometheus-compat"));
  EXPECT_THAT(offered("mrascheck check --only mras-c"), ElementsAre("mras-credentials"));
  EXPECT_THAT(offered("mrascheck check --format j"), ElementsAre("json", "jsonl", "junit"));
  EXPECT_THAT(offered("check_mras --service s"), ElementsAre("sip"));
  EXPECT_THAT(offered("check_mras --hostn"), ElementsAre("--hostname"));
}

TEST(Completion, IsAsTheShellsReadIt) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"bash", "-n", tables_dir + "/bash-completion/mrascheck"},
        {"zsh", "-n", tables_dir + "/zsh/_mrascheck"},
        {"fish", "--no-execute", tables_dir + "/fish/mrascheck.fish"}}) {
    const Ended ended = run({words, {}, {}});
    EXPECT_EQ(ended.code, 0) << words[0] << ": " << ended.err;
    EXPECT_EQ(ended.err, "") << words[0];
  }
  const Ended fish =
      run({{"fish", "--no-config", "-c",
            fmt::format("source {}/fish/mrascheck.fish; complete -C 'mrascheck check --color a'", tables_dir)},
           {},
           {}});
  EXPECT_THAT(fish.out, AllOf(HasSubstr("always"), HasSubstr("auto"))) << fish.err;
}

/// Of the account that runs the tests: by default these daemons change to another.
std::string own_name(const std::string& which) {
  const std::string name = run({{"id", which}, {}, {}}).out;
  return name.substr(0, name.find('\n'));
}

/// Icinga 2 with a configuration of its own, its state below a directory of the test.
std::vector<std::string> icinga2(const TempDir& dir, const std::string& config) {
  std::vector<std::string> words{"icinga2", "daemon", "-C", "-c", dir.write("main.conf", config)};
  for (const std::string name : {"DataDir", "CacheDir", "LogDir", "InitRunDir", "SpoolDir"}) {
    std::filesystem::create_directories(dir.path() / name);
    words.insert(words.end(), {"-D", name + "=" + (dir / name)});
  }
  words.insert(words.end(), {"-D", "RunAsUser=" + own_name("-un"), "-D", "RunAsGroup=" + own_name("-gn")});
  return words;
}

TEST(Icinga2, TakesOurDefinitions) {
  const TempDir dir;
  const std::string ours = MRASCHECK_SOURCE_DIR "/packaging/icinga2/";
  const Ended ended = run({icinga2(dir, fmt::format("include <itl>\ninclude <plugins>\n"
                                                    "const PluginDir = \"/usr/lib/nagios/plugins\"\n"
                                                    "const NodeName = \"master\"\n"
                                                    "include \"{0}zones.example.conf\"\n"
                                                    "include \"{1}/icinga2/commands.conf\"\n"
                                                    "include \"{0}services.conf\"\n"
                                                    "include \"{0}hosts.example.conf\"\n",
                                                    ours, tables_dir)),
                           {},
                           {}});
  EXPECT_EQ(ended.code, 0) << ended.out;
  EXPECT_THAT(ended.out, HasSubstr("Instantiated 3 Services."));
  EXPECT_THAT(ended.out, HasSubstr("Instantiated 3 Zones."));
  EXPECT_THAT(ended.out, Not(HasSubstr("warning/"))) << ended.out;
  EXPECT_THAT(ended.out, Not(HasSubstr("critical/"))) << ended.out;
}

TEST(Icinga2, WouldNotTakeWhatItDoesNotKnow) {
  const TempDir dir;
  const Ended ended = run({icinga2(dir, "include <itl>\nobject Host \"h\" { check_command = \"mras\" }\n"), {}, {}});
  EXPECT_NE(ended.code, 0) << "or the test above shows nothing";
}

TEST(Nagios, TakesOurDefinitions) {
  const TempDir dir;
  const std::string base =
      "define contact {\n contact_name admin\n host_notifications_enabled 0\n service_notifications_enabled 0\n"
      " host_notification_period always\n service_notification_period always\n host_notification_options n\n"
      " service_notification_options n\n host_notification_commands check-host-alive\n"
      " service_notification_commands check-host-alive\n}\n"
      "define timeperiod {\n timeperiod_name always\n alias always\n monday 00:00-24:00\n}\n"
      "define command {\n command_name check-host-alive\n command_line /bin/true\n}\n"
      "define host {\n name generic-host\n register 0\n check_period always\n notification_period always\n contacts "
      "admin\n}\n"
      "define service {\n name generic-service\n register 0\n check_period always\n notification_period always\n "
      "contacts admin\n}\n";
  dir.write("resource.cfg", "$USER1$=/usr/lib/nagios/plugins\n");
  const std::string config = dir.write(
      "nagios.cfg",
      fmt::format("log_file={0}/nagios.log\nobject_cache_file={0}/objects.cache\nresource_file={0}/resource.cfg\n"
                  "status_file={0}/status.dat\ntemp_file={0}/nagios.tmp\ntemp_path={0}\ncommand_file={0}/nagios.cmd\n"
                  "lock_file={0}/"
                  "nagios.lock\ncheck_result_path={0}\nillegal_macro_output_chars=`~$&|'<>\nnagios_user={3}\nnagios_"
                  "group={4}\nstate_retention_file={0}/"
                  "retention.dat\n"
                  "cfg_file={1}\ncfg_file={2}/nagios/commands.cfg\n"
                  "cfg_file=" MRASCHECK_SOURCE_DIR "/packaging/nagios/mrascheck.example.cfg\n",
                  dir.path().string(), dir.write("base.cfg", base), tables_dir, own_name("-un"), own_name("-gn")));
  const Ended ended = run({{"nagios4", "-v", config}, {}, {}});
  EXPECT_EQ(ended.code, 0) << ended.out;
  EXPECT_THAT(ended.out,
              AllOf(HasSubstr("Checked 3 services."), HasSubstr("Total Warnings: 0"), HasSubstr("Total Errors:   0")));
}

TEST(Passive, ResultsForNscaAreOneLine) {
  const Ended ended = run(
      {{MRASCHECK_SOURCE_DIR "/packaging/passive/send-nsca.sh", "edge1", "MRAS", "--evidence", world("port-closed")},
       {{"MRASCHECK", built("mrascheck")}},
       {}});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(std::count(ended.out.begin(), ended.out.end(), '\n'), 1);
  EXPECT_EQ(std::count(ended.out.begin(), ended.out.end(), '\t'), 3);
  EXPECT_THAT(ended.out, StartsWith("edge1\tMRAS\t2\tMRAS CRITICAL - "));
  EXPECT_THAT(ended.out, HasSubstr("\\n[CRITICAL] cause: "));
}

TEST(Passive, ResultsForTheApiOfIcinga2HaveOutputAndPerformanceDataApart) {
  const Ended ended = run({{MRASCHECK_SOURCE_DIR "/packaging/passive/icinga2-api.py", "--url", "-", "edge1", "MRAS",
                            "--evidence", world("healthy-pool")},
                           {{"MRASCHECK", built("mrascheck")}},
                           {}});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, AllOf(HasSubstr("\"exit_status\": 0"), HasSubstr("\"plugin_output\": \"MRAS OK - healthy: "),
                               HasSubstr("\"days_edge1=304.9999;30;10\"")));
}

TEST(PluginsIni, OfTheExampleHasOptionsThatThereAre) {
  const Ended ended = check_mras(
      {"--extra-opts=edge@" MRASCHECK_SOURCE_DIR "/packaging/nrpe/plugins.example.ini", "--key", "/nowhere/k"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.out, AllOf(StartsWith("MRAS UNKNOWN - "), HasSubstr("No such file or directory")));
}

}  // namespace
}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
#include "cli/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <regex>
#include <stdexcept>

#include "checks/registry.hpp"
#include "cli/command.hpp"
#include "core/text.hpp"

namespace mrascheck::cli {
namespace {

constexpr std::string_view made = "Made from the options of this version when it was built: change nothing here.";
constexpr std::array list_words{"checks", "metrics", "stores", "links"};

bool takes_file(const OptionRow& row) {
  return row.value.starts_with("FILE") || row.value == "PATH";
}

/// What may stand for the value of an option; empty where nothing is known of it.
std::vector<std::string> candidates(const OptionRow& row) {
  if (!row.choices.empty()) return row.choices;
  std::vector<std::string> words;
  if (row.value == "CHECK") {
    for (const Check* check : checks::all()) words.emplace_back(check->id);
  } else if (row.value == "[METRIC=]RANGE") {
    for (const Metric& metric : metrics()) words.push_back(fmt::format("{}=", metric.name));
  }
  return words;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

const OptionRow& row_of(const std::vector<OptionRow>& rows, std::string_view name) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const OptionRow& r) { return r.name == name; });
  if (row == rows.end()) throw std::logic_error(fmt::format("there is no option --{}", name));
  return *row;
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

/// The plugin, then the subcommands.
std::vector<const Command*> tabled() {
  std::vector<const Command*> all{&plugin_command};
  for (const Command* command : commands()) all.push_back(command);
  return all;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command* command : commands()) names.emplace_back(command->name);
  return names;
}

}  // namespace

std::vector<OptionRow> rows_of(const po::options_description& options) {
  // "mras, sip or tls", at the start or behind a colon, up to the next mark.
  static const std::regex words_of{"(?:^|: )([a-z0-9_]+(?:, [a-z0-9_]+)*) or ([a-z0-9_]+)(?=[,;]| \\(|$)"};
  static const std::regex word{"[a-z0-9_]+"};
  std::vector<OptionRow> rows;
  for (const auto& option : options.options()) {
    OptionRow row;
    row.name = option->long_name();
    const std::string names = option->format_name();  // "-H [ --hostname ]", "--name"
    if (names.size() > 2 && names[1] != '-') row.letter = names[1];
    if (option->semantic()->max_tokens() > 0) row.value = option->format_parameter();
    row.repeatable = option->semantic()->is_composing();
    row.text = option->description();
    std::smatch found;
    if (!row.value.empty() && std::regex_search(row.text, found, words_of)) {
      const std::string list = found[1].str() + " " + found[2].str();
      row.choices.assign(std::sregex_token_iterator(list.begin(), list.end(), word), {});
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string bash_completion() {
  std::string values;
  std::string options;
  for (const Command* command : tabled()) {
    std::vector<std::string> words;
    for (const OptionRow& row : rows_of(command->options())) {
      if (row.letter != '\0') words.push_back(fmt::format("-{}", row.letter));
      words.push_back("--" + row.name);
      if (row.value.empty()) continue;
      std::string what = ":";
      if (const auto known = candidates(row); !known.empty()) {
        what = fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$cur\"))", joined(known));
      } else if (takes_file(row)) {
        what = "COMPREPLY=($(compgen -f -- \"$cur\"))";
      }
      std::string names = fmt::format("{}:--{}", command->name, row.name);
      if (row.letter != '\0') names += fmt::format(" | {}:-{}", command->name, row.letter);
      values += fmt::format("    {}) {}; return ;;\n", names, what);
    }
    if (command->name == "list") words.insert(words.end(), list_words.begin(), list_words.end());
    options += fmt::format("    {}) words='{}' ;;\n", command->name, joined(words));
  }
  return fmt::format(R"(# bash completion for mrascheck(1) and check_mras(1)
# {}
_mrascheck() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[1]}} words=
  COMPREPLY=()
  if [[ ${{COMP_WORDS[0]##*/}} == check_mras ]]; then
    command=check_mras
  elif [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W '{} --help --version' -- "$cur"))
    return
  fi
  case $command:$prev in
{}  esac
  case $command in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  [[ $cur == -* ]] || COMPREPLY+=($(compgen -f -- "$cur"))
}}
complete -o filenames -F _mrascheck mrascheck check_mras
)",
                     made, joined(command_names()), values, options);
}

std::string zsh_completion() {
  // In _arguments, brackets, colons and quotes are its own.
  const auto safe = [](const std::string& text) {
    return replaced(replaced(replaced(replaced(replaced(text, "\\", "\\\\"), "[", "\\["), "]", "\\]"), ":", "\\:"), "'",
                    "'\\''");
  };
  std::string functions;
  std::string choose;
  for (const Command* command : tabled()) {
    std::string specs;
    for (const OptionRow& row : rows_of(command->options())) {
      std::string action;
      if (!row.value.empty()) {
        const auto known = candidates(row);
        action = fmt::format(":{}:{}", safe(to_lower(row.value)),
                             !known.empty()    ? fmt::format("({})", joined(known))
                             : takes_file(row) ? "_files"
                                               : " ");
      }
      const auto spec = [&](const std::string& name) {
        specs += fmt::format(" \\\n    '{}{}[{}]{}'", row.repeatable || row.name == "verbose" ? "*" : "", name,
                             safe(row.text), action);
      };
      if (row.letter != '\0') spec(fmt::format("-{}", row.letter));
      spec("--" + row.name);
    }
    if (command->name == "list") {
      specs += fmt::format(" \\\n    '1:what:({})'", fmt::join(list_words, " "));
    } else if (command->name != "check_mras") {
      specs += " \\\n    '*:file:_files'";
    }
    functions += fmt::format("_mrascheck_{}() {{\n  _arguments{}\n}}\n", command->name, specs);
    if (command->name != "check_mras")
      choose += fmt::format("    '{}:{}'\n", command->name, safe(std::string{command->summary}));
  }
  return fmt::format(R"(#compdef mrascheck check_mras
# {}
{}_mrascheck() {{
  local -a known
  known=(
{}  )
  if [[ $service == check_mras ]]; then
    _mrascheck_check_mras
  elif (( CURRENT == 2 )); then
    _describe command known
  else
    local command=$words[2]
    shift words
    (( CURRENT-- ))
    (( $+functions[_mrascheck_$command] )) && _mrascheck_$command
  fi
}}
_mrascheck "$@"
)",
                     made, functions, choose);
}

std::string fish_completion() {
  const auto safe = [](const std::string& text) { return replaced(replaced(text, "\\", "\\\\"), "'", "\\'"); };
  std::string out = fmt::format("# fish completion for mrascheck(1) and check_mras(1)\n# {}\n", made);
  const std::string all = joined(command_names());
  for (const Command* command : commands()) {
    out += fmt::format("complete -c mrascheck -f -n 'not __fish_seen_subcommand_from {}' -a {} -d '{}'\n", all,
                       command->name, safe(std::string{command->summary}));
  }
  for (const Command* command : tabled()) {
    const bool plugin = command->name == "check_mras";
    const std::string head =
        plugin ? "complete -c check_mras"
               : fmt::format("complete -c mrascheck -n '__fish_seen_subcommand_from {}'", command->name);
    for (const OptionRow& row : rows_of(command->options())) {
      std::string line = head;
      if (row.letter != '\0') line += fmt::format(" -s {}", row.letter);
      line += fmt::format(" -l {}", row.name);
      if (!row.value.empty()) {
        const auto known = candidates(row);
        line += !known.empty() ? fmt::format(" -x -a '{}'", joined(known)) : takes_file(row) ? " -r -F" : " -x";
      }
      out += fmt::format("{} -d '{}'\n", line, safe(row.text));
    }
    if (command->name == "list") out += fmt::format("{} -f -a '{}'\n", head, fmt::join(list_words, " "));
  }
  return out;
}

namespace {

/// In a string of Icinga 2's language, and without the $ of its macros.
std::string icinga_text(const std::string& text) {
  return replaced(replaced(replaced(text, "\\", "\\\\"), "\"", "\\\""), "$", "$$");
}

std::string icinga_command(const Command& command, std::string_view name, std::string_view program,
                           std::string_view defaults) {
  std::string out = fmt::format("object CheckCommand \"{}\" {{\n", name);
  if (name == "mras") out += "  import \"ipv4-or-ipv6\"\n\n";
  out += fmt::format("  command = [ {} ]\n  timeout = 1m\n\n  arguments = {{\n", program);
  for (const OptionRow& row : rows_of(command.options())) {
    if (row.name == "help" || row.name == "version") continue;
    const std::string macro = fmt::format("${}_{}$", name, replaced(row.name, "-", "_"));
    out += fmt::format("    \"--{}\" = {{\n", row.name);
    if (row.value.empty()) {
      out += fmt::format("      set_if = \"{}\"\n", macro);
    } else {
      out += fmt::format("      value = \"{}\"\n", macro);
      if (row.repeatable) out += "      repeat_key = true\n";
      if (row.name == "extra-opts") out += "      separator = \"=\"\n";  // its value may be missing
    }
    out += fmt::format("      description = \"{}\"\n    }}\n", icinga_text(row.text));
  }
  return out + fmt::format("  }}\n\n{}}}\n", defaults);
}

/// "--certificate '$ARG1$'": one argument an option, quoted.
std::string with_arguments(const Command& command, std::initializer_list<std::string_view> names) {
  const auto rows = rows_of(command.options());
  std::string out;
  int number = 0;
  for (const std::string_view name : names) out += fmt::format(" --{} '$ARG{}$'", row_of(rows, name).name, ++number);
  return out;
}

/// The options must be there: what they are called is said nowhere else.
std::string fixed(const Command& command, std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
  const auto rows = rows_of(command.options());
  std::string out;
  for (const auto& [name, value] : values) {
    out += " --" + row_of(rows, name).name;
    if (!value.empty()) out += fmt::format(" {}", value);
  }
  return out;
}

}  // namespace

std::string icinga2_commands() {
  return fmt::format(
      "// CheckCommands for Icinga 2. {}\n"
      "// An option --max-output is the custom variable mras_max_output of \"mras\"; a switch wants true; what may be\n"
      "// repeated takes an array. Icinga 2 drops thresholds that are ranges, so they are plain numbers "
      "here.\n\n{}\n{}",
      made,
      icinga_command(plugin_command, "mras", "PluginDir + \"/check_mras\"",
                     "  vars.mras_hostname = \"$check_address$\"\n"
                     "  vars.mras_name = \"$host.name$\"\n"
                     "  vars.mras_perfdata_thresholds = \"plain\"\n"),
      icinga_command(check_command, "mrascheck", "\"/usr/bin/mrascheck\", \"check\"",
                     "  vars.mrascheck_format = [ \"plugin\" ]\n"
                     "  vars.mrascheck_perfdata_thresholds = \"plain\"\n"));
}

std::string nagios_commands() {
  std::string out = fmt::format(
      "# Commands for Nagios and Naemon. {}\n"
      "# Everything else that check_mras(1) knows goes into an INI file: use check_mras_ini.\n",
      made);
  const auto define = [&](std::string_view name, const std::string& line) {
    out += fmt::format("\ndefine command {{\n    command_name  {}\n    command_line  {}\n}}\n", name, line);
  };
  const std::string server =
      "$USER1$/check_mras" + fixed(plugin_command, {{"hostname", "'$HOSTADDRESS$'"}, {"name", "'$HOSTNAME$'"}});
  out += "\n# certificate ! key ! what the Front End trusts ! sip:USER@DOMAIN ! warning ! critical\n";
  define("check_mras",
         server + with_arguments(plugin_command, {"certificate", "key", "trust", "identity", "warning", "critical"}));
  out += "\n# The same without asking for credentials: certificate ! key ! trust ! warning ! critical\n";
  define("check_mras_tls", server + fixed(plugin_command, {{"no-mras", ""}}) +
                               with_arguments(plugin_command, {"certificate", "key", "trust", "warning", "critical"}));
  out += "\n# SECTION@FILE of an INI file with all options but the server: see EXTRA OPTIONS in check_mras(1)\n";
  define("check_mras_ini",
         fmt::format("{} --{}='$ARG1$'", server, row_of(rows_of(plugin_command.options()), "extra-opts").name));
  out += "\n# A whole site: its configuration\n";
  define("check_mras_site", "/usr/bin/mrascheck check" + fixed(check_command, {{"format", "plugin"}}) +
                                with_arguments(check_command, {"config"}));
  return out;
}

std::string nrpe_commands() {
  return fmt::format(
      "# Commands for NRPE, on a host in the Front Ends' network. {0}\n"
      "# No arguments are taken from the network. NRPE 4 carries 64 KiB; before, 1024 bytes: then --max-output 1000.\n"
      "command[check_mras_edge]=/usr/lib/nagios/plugins/check_mras --{1}=edge@/etc/mrascheck/plugins.ini\n"
      "command[check_mras_site]=/usr/bin/mrascheck check{2}\n",
      made, row_of(rows_of(plugin_command.options()), "extra-opts").name,
      fixed(check_command, {{"format", "plugin"}, {"config", "/etc/mrascheck/site.yaml"}}));
}

std::string table(std::string_view name) {
  if (name == "bash") return bash_completion();
  if (name == "zsh") return zsh_completion();
  if (name == "fish") return fish_completion();
  if (name == "icinga2") return icinga2_commands();
  if (name == "nagios") return nagios_commands();
  if (name == "nrpe") return nrpe_commands();
  return {};
}

}  // namespace mrascheck::cli

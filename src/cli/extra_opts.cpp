// SPDX-License-Identifier: Apache-2.0
#include "cli/extra_opts.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include "core/text.hpp"

namespace mrascheck::cli {
namespace {

constexpr std::size_t most_of_ini = 64UL * 1024;  // bytes
constexpr std::string_view extra_opts = "--extra-opts";

/// As the Monitoring Plugins of Debian and of the project itself look for it.
constexpr std::array usual_places{"/etc/monitoring-plugins/monitoring-plugins.ini",
                                  "/etc/monitoring-plugins.ini",
                                  "/usr/local/etc/monitoring-plugins/monitoring-plugins.ini",
                                  "/usr/local/etc/monitoring-plugins.ini",
                                  "/etc/nagios/plugins.ini",
                                  "/etc/nagios-plugins.ini",
                                  "/usr/local/nagios/etc/plugins.ini",
                                  "/usr/local/etc/nagios/plugins.ini"};

struct Setting {
  std::string key;
  std::optional<std::string> value;
};

Result<std::string> find_ini() {
  if (const char* named = std::getenv("MP_CONFIG_FILE"); named != nullptr && *named != '\0') return named;
  for (const char* place : usual_places) {
    if (::access(place, F_OK) == 0) return place;
  }
  return fail(ErrorKind::config, fmt::format("{}: there is no monitoring-plugins.ini in the usual places: name one, as "
                                             "{}=@FILE",
                                             extra_opts, extra_opts));
}

Result<std::vector<Setting>> read_section(const std::string& path, const std::string& wanted) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) text.assign(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad())
    return fail(ErrorKind::local, fmt::format("{}: {}", printable(path, 200), std::strerror(errno != 0 ? errno : EIO)));
  if (text.size() > most_of_ini)
    return fail(ErrorKind::config, fmt::format("{}: larger than {} bytes", printable(path, 200), most_of_ini));
  std::vector<Setting> settings;
  bool found = false;
  bool inside = false;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trim(std::string_view{text}.substr(begin, end - begin));
    begin = end + 1;
    ++number;
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      if (line.back() != ']')
        return fail(ErrorKind::config, fmt::format("{}:{}: a section ends with ]", printable(path, 200), number));
      inside = line.substr(1, line.size() - 2) == wanted;
      found = found || inside;
      continue;
    }
    if (!inside) continue;
    const std::size_t equals = line.find('=');
    std::string key{trim(line.substr(0, equals))};
    if (key.empty() || key.front() == '-')
      return fail(ErrorKind::config, fmt::format("{}:{}: write the name of an option, without dashes, = and its value",
                                                 printable(path, 200), number));
    if (equals == std::string_view::npos) {
      settings.push_back({std::move(key), std::nullopt});
    } else {
      settings.push_back({std::move(key), std::string{trim(line.substr(equals + 1))}});
    }
  }
  if (!found)
    return fail(ErrorKind::config,
                fmt::format("{}: it has no section [{}]", printable(path, 200), printable(wanted, 80)));
  return settings;
}

/// Whether the command line has the option by one of its names.
bool given(const std::vector<std::string>& arguments, const std::string& long_name, char short_name) {
  return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& word) {
    return word == "--" + long_name || word.starts_with("--" + long_name + "=") ||
           (short_name != '\0' && word.size() >= 2 && word[0] == '-' && word[1] == short_name);
  });
}

}  // namespace

Result<std::vector<std::string>> with_extra_opts(const std::vector<std::string>& arguments, std::string_view program,
                                                 const po::options_description& options) {
  std::vector<std::string> words;
  std::vector<std::string> from_files;
  for (const std::string& argument : arguments) {
    if (argument != extra_opts && !argument.starts_with(std::string{extra_opts} + "=")) {
      words.push_back(argument);
      continue;
    }
    const std::string said = argument.size() > extra_opts.size() ? argument.substr(extra_opts.size() + 1) : "";
    const std::size_t at = said.find('@');
    const std::string section = at == 0 || said.empty() ? std::string{program} : said.substr(0, at);
    const auto path = at == std::string::npos ? find_ini() : Result<std::string>{said.substr(at + 1)};
    if (!path) return tl::unexpected(path.error());
    const auto settings = read_section(*path, section);
    if (!settings) return tl::unexpected(settings.error());
    for (const Setting& setting : *settings) {
      const bool letter = setting.key.size() == 1;
      std::string long_name = setting.key;
      char short_name = letter ? setting.key.front() : '\0';
      bool repeatable = false;
      for (const auto& option : options.options()) {
        const std::string formatted = option->format_name();  // "-H [ --hostname ]", "--name"
        const char its_letter = formatted.size() > 2 && formatted[1] != '-' ? formatted[1] : '\0';
        if (letter ? its_letter != short_name : option->long_name() != long_name) continue;
        long_name = option->long_name();
        short_name = its_letter;
        repeatable = option->semantic()->is_composing();
      }
      if (!repeatable && given(arguments, long_name, short_name)) continue;
      const std::string word = letter && long_name.size() == 1 ? "-" + long_name : "--" + long_name;
      from_files.push_back(!setting.value           ? word
                           : word.starts_with("--") ? fmt::format("{}={}", word, *setting.value)
                                                    : word + *setting.value);
    }
  }
  // Ahead of the command line, so that an option that takes several values there does not swallow them.
  from_files.insert(from_files.end(), words.begin(), words.end());
  return from_files;
}

}  // namespace mrascheck::cli

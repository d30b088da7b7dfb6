// SPDX-License-Identifier: Apache-2.0
#include "stores/patches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "core/text.hpp"
#include "stores/encoding.hpp"
#include "stores/registry_text.hpp"

namespace mrascheck::stores {
namespace {

constexpr std::size_t most_components = 500;
constexpr std::size_t longest_component_name = 200;

class Installed {
 public:
  void add(std::string_view name, std::string_view version) {
    std::string shown = printable(trim(name), longest_component_name);
    if (!is_of_product(shown)) {
      ++list_.others;
      return;
    }
    if (list_.components.size() == most_components) {
      list_.cut = true;
      return;
    }
    list_.components.push_back({std::move(shown), printable(trim(version), 64)});
  }
  void unnamed() { ++list_.others; }
  /// What a narrow console has put on the line below.
  void lengthen_last(std::string_view rest) {
    if (list_.components.empty()) return;
    std::string& name = list_.components.back().name;
    const std::string longer = printable(fmt::format("{} {}", name, rest), longest_component_name);
    constexpr std::string_view core = "core components";
    if (to_lower(name).find(core) == std::string::npos && to_lower(longer).find(core) != std::string::npos)
      name = longer;
  }
  InstalledList take(PatchSource kind) {
    list_.kind = kind;
    std::vector<InstalledComponent>& all = list_.components;
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return std::move(list_);
  }

 private:
  InstalledList list_;
};

// .reg: SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{PRODUCT}, with DisplayName and DisplayVersion.

bool is_uninstall_key(std::string_view path) {
  const std::size_t last = path.rfind('\\');
  if (last == std::string_view::npos) return false;
  constexpr std::string_view parent = "\\uninstall";
  const std::string above = to_lower(path.substr(0, last));
  return above.ends_with(parent);
}

InstalledList read_uninstall_keys(std::string_view text) {
  Installed found;
  RegistryText lines{text};
  bool inside = false;
  std::string name;
  std::string version;
  const auto end_program = [&] {
    if (inside && !name.empty() && !version.empty()) found.add(name, version);
    name.clear();
    version.clear();
  };
  while (const std::optional<RegistryLine> line = lines.next()) {
    switch (line->is) {
      case RegistryLine::Is::key:
      case RegistryLine::Is::removed_key:
      case RegistryLine::Is::broken_key:
        end_program();
        inside = line->is == RegistryLine::Is::key && is_uninstall_key(line->name);
        break;
      case RegistryLine::Is::value:
        if (!inside) break;
        if (equals_ignoring_case(line->name, "DisplayName")) name = registry_string(*line).value_or("");
        if (equals_ignoring_case(line->name, "DisplayVersion")) version = registry_string(*line).value_or("");
        break;
      case RegistryLine::Is::neither:
        break;
    }
  }
  end_program();
  return found.take(PatchSource::registry);
}

// HTML as lines of text, the cells of a row separated by tabs.

bool is_html(std::string_view text) {
  constexpr std::size_t head = 4'096;
  const std::string front = to_lower(text.substr(0, head));
  for (const std::string_view tag : {"<html", "<table", "<!doctype html", "<body"}) {
    if (front.find(tag) != std::string::npos) return true;
  }
  return false;
}

void append_entity(std::string& out, std::string_view name) {
  struct Entity {
    std::string_view name, text;
  };
  static constexpr Entity known[] = {{"amp", "&"},   {"lt", "<"},   {"gt", ">"},
                                     {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}};
  for (const Entity& entity : known) {
    if (entity.name == name) {
      out += entity.text;
      return;
    }
  }
  unsigned code = 0;
  if (name.starts_with('#')) {
    const bool hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
    name.remove_prefix(hex ? 2 : 1);
    std::from_chars(name.data(), name.data() + name.size(), code, hex ? 16 : 10);
  }
  // What it is beyond ASCII is in no name that is looked for.
  out += code >= 0x20 && code < 0x7F ? static_cast<char>(code) : ' ';
}

std::string text_of_html(std::string_view html) {
  std::string out;
  bool as_it_stands = false;  // inside <pre>
  // Without its end, all that follows belongs to it.
  const auto behind = [&html](std::string_view end) {
    std::size_t at = html.find(end.substr(0, 2));
    while (at != std::string_view::npos && !equals_ignoring_case(html.substr(at, end.size()), end))
      at = html.find(end.substr(0, 2), at + 1);
    html.remove_prefix(at == std::string_view::npos ? html.size() : at + end.size());
  };
  while (!html.empty()) {
    const char c = html.front();
    if (c == '&') {
      constexpr std::size_t longest = 10;
      const std::size_t end = html.substr(0, longest).find(';');
      if (end != std::string_view::npos) {
        append_entity(out, html.substr(1, end - 1));
        html.remove_prefix(end + 1);
        continue;
      }
    } else if (c == '<') {
      if (html.starts_with("<!--")) {
        behind("-->");
        continue;
      }
      const std::size_t end = html.find('>');
      if (end == std::string_view::npos) break;
      std::string_view tag = html.substr(1, end - 1);
      html.remove_prefix(end + 1);
      const bool closes = tag.starts_with('/');
      if (closes) tag.remove_prefix(1);
      const std::string name = to_lower(tag.substr(0, tag.find_first_of(" \t\r\n/")));
      const auto is = [&](std::initializer_list<std::string_view> names) {
        return std::find(names.begin(), names.end(), name) != names.end();
      };
      if (!closes && name == "script") behind("</script>");
      if (!closes && name == "style") behind("</style>");
      if (name == "pre") as_it_stands = !closes;
      if (is({"td", "th"})) out += '\t';
      if (is({"tr", "table", "p", "div", "br", "li", "pre", "h1", "h2", "h3", "body", "html"})) out += '\n';
      continue;
    }
    out += as_it_stands || (c != '\r' && c != '\n') ? c : ' ';
    html.remove_prefix(1);
  }
  return out;
}

// Lines of text.

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Where four numbers with dots between stand alone in a line, if that is in one place.
struct VersionPlace {
  std::size_t at = 0;
  std::size_t size = 0;
  std::size_t count = 0;
};
VersionPlace find_version(std::string_view line) {
  VersionPlace place;
  for (std::size_t i = 0; i < line.size();) {
    if (!is_digit(line[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < line.size() && (is_digit(line[end]) || line[end] == '.')) ++end;
    const std::string_view number = line.substr(i, end - i);
    if (parse_server_version(number)) {
      if (place.count++ == 0) {
        place.at = i;
        place.size = number.size();
      }
    }
    i = end;
  }
  return place;
}

std::string_view stripped(std::string_view text) {
  constexpr std::string_view around = " \t\",;|:()'";
  const std::size_t from = text.find_first_not_of(around);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(around) + 1 - from);
}

/// "ComponentName : Lync Server 2013, Core Components": what stands before the first colon, where that is one word.
std::string_view key_of(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view key = trim(line.substr(0, colon));
  const bool word = std::all_of(key.begin(), key.end(), [](char c) { return c >= 'A' && c <= 'z'; });
  return word ? key : std::string_view{};
}

class ReportReader {
 public:
  InstalledList read(std::string_view text) {
    while (!text.empty()) line(take_line(text));
    return found_.take(PatchSource::report);
  }

 private:
  void line(std::string_view whole) {
    const std::string_view line = trim(whole);
    if (line.empty()) {
      name_.clear();
      version_.clear();
      after_row_ = in_name_ = false;
      return;
    }
    const std::string_view key = key_of(line);
    const std::string_view value = key.empty() ? std::string_view{} : stripped(line.substr(line.find(':') + 1));
    const bool names = is(key, {"ComponentName", "DisplayName", "Name", "Component"});
    if (names || is(key, {"Version", "DisplayVersion"})) {
      if (!(names ? name_ : version_).empty()) {  // the next one, without a blank line between
        name_.clear();
        version_.clear();
      }
      (names ? name_ : version_) = value;
      in_name_ = names;
      after_row_ = false;
      if (!name_.empty() && !version_.empty()) found_.add(name_, version_);
      return;
    }
    if (in_name_ && key.empty() && whole.size() > line.size() && (whole.front() == ' ' || whole.front() == '\t')) {
      if (!version_.empty()) return found_.lengthen_last(line);
      name_ += fmt::format(" {}", line);
      if (name_.size() > longest_component_name) name_.resize(longest_component_name);
      return;
    }
    in_name_ = false;
    const VersionPlace place = find_version(line);
    if (place.count == 0) {
      if (after_row_) found_.lengthen_last(line);
      after_row_ = false;
      return;
    }
    std::string_view name = stripped(line.substr(0, place.at));
    if (name.empty()) name = stripped(line.substr(place.at + place.size));
    after_row_ = place.count == 1 && !name.empty();
    if (after_row_) {
      found_.add(name, line.substr(place.at, place.size));
    } else {
      found_.unnamed();
    }
  }

  static bool is(std::string_view key, std::initializer_list<std::string_view> names) {
    return std::any_of(names.begin(), names.end(),
                       [key](std::string_view name) { return equals_ignoring_case(key, name); });
  }

  Installed found_;
  std::string name_;
  std::string version_;
  bool in_name_ = false;
  bool after_row_ = false;
};

}  // namespace

InstalledList read_installed(Bytes content) {
  const std::string text = decode_text(content);
  if (is_registry_text(text)) return read_uninstall_keys(text);
  return ReportReader{}.read(is_html(text) ? text_of_html(text) : text);
}

}  // namespace mrascheck::stores

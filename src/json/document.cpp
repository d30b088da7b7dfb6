// SPDX-License-Identifier: Apache-2.0
#include "json/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

#include "core/text.hpp"

namespace mrascheck::json {
namespace {

/// Where byte number `offset` stands, for people.
std::string line_and_column(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("line {}, column {}", lines + 1, before.size() - start + 1);
}

/// The library's words without its own prefix: "[json.exception...] parse error at line 1, column 2: ".
std::string_view reason_in(std::string_view what) {
  const std::size_t position = what.find("column ");
  const std::size_t colon = position == std::string_view::npos ? position : what.find(": ", position);
  if (colon != std::string_view::npos) what.remove_prefix(colon + 2);
  return what;
}

/// Builds the document value by value, so that each bound is held before memory is spent.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(std::string_view text) : text_(text) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& /*as_written*/) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return refuse("binary data"); }

  bool start_object(std::size_t /*elements*/) override { return open(Json::object()); }
  bool key(string_t& name) override {
    const Json& object = *open_.back();
    if (object.size() >= max_members) return refuse(fmt::format("more than {} members in one object", max_members));
    if (object.contains(name)) return refuse(fmt::format("'{}' stands twice", printable(name, 64)));
    name_ = std::move(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*elements*/) override { return open(Json::array()); }
  bool end_array() override { return close(); }

  bool parse_error(std::size_t position, const std::string& /*last_token*/,
                   const nlohmann::json::exception& error) override {
    const std::size_t offset = position == 0 ? 0 : std::min(position - 1, text_.size());
    problem_ = fmt::format("{}: {}", line_and_column(text_, offset), printable(reason_in(error.what()), 200));
    return false;
  }

  const std::string& problem() const { return problem_; }
  Json take() { return std::move(root_); }

 private:
  bool refuse(std::string_view why) {
    problem_ = why;
    return false;
  }
  Json* place(Json&& value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_object()) return &(parent[std::move(name_)] = std::move(value));
    parent.push_back(std::move(value));
    return &parent.back();
  }
  bool add(Json&& value) {
    if (++values_ > max_values) return refuse(fmt::format("more than {} values", max_values));
    place(std::move(value));
    return true;
  }
  bool open(Json&& container) {
    if (open_.size() >= max_depth) return refuse(fmt::format("more than {} levels deep", max_depth));
    if (++values_ > max_values) return refuse(fmt::format("more than {} values", max_values));
    open_.push_back(place(std::move(container)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  Json root_;
  std::vector<Json*> open_;  // the containers that are not closed yet; none of them moves while it is open
  std::string name_;
  std::size_t values_ = 0;
  std::string problem_;
};

}  // namespace

Result<Json> parse_document(std::string_view text) {
  if (text.size() > max_document_bytes) {
    return fail(ErrorKind::malformed, fmt::format("larger than {} MiB", max_document_bytes / 1024 / 1024));
  }
  Builder builder{text};
  try {
    if (Json::sax_parse(text, &builder)) return builder.take();
  } catch (const std::exception& e) {
    return fail(ErrorKind::malformed, printable(e.what(), 200));
  }
  return fail(ErrorKind::malformed, builder.problem());
}

std::string print_document(const Json& document) {
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void append_array(std::string& document, std::string_view name, std::size_t size,
                  const std::function<Json(std::size_t)>& element) {
  document.resize(document.rfind('}') - 1);  // and the line break before it
  document += fmt::format(",\n  \"{}\": [", name);
  for (std::size_t i = 0; i < size; ++i) {
    const std::string text = element(i).dump(2, ' ', false, Json::error_handler_t::replace);
    document += i == 0 ? "\n    " : ",\n    ";
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
      document.append(text, at, end - at);
      if (end < text.size()) document += "    ";
      at = end;
    }
  }
  document += size == 0 ? "]\n}\n" : "\n  ]\n}\n";
}

std::string safe_text(std::string_view text) {
  return printable(text, text.size() * 3 + 3);  // U+FFFD takes three bytes
}

std::string safe_lines(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t end = text.find('\n');
    out += safe_text(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

}  // namespace mrascheck::json

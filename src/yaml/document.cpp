// SPDX-License-Identifier: Apache-2.0
#include "yaml/document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <optional>
#include <sstream>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/text.hpp"

namespace mrascheck::yaml {
namespace {

constexpr std::string_view too_deep = "lists and mappings are nested more than 32 deep";
static_assert(max_depth == 32);

/// Length of the character at the start of `text` by RFC 3629; 0 when it is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first < 0xE0   ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  const std::uint8_t second = byte(1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second >= 0xA0;
  const bool beyond = first == 0xF4 && second >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<std::uint8_t>(c) & 0xC0U) != 0x80; }));
}

/// CR LF and lone CR become LF; a byte order mark goes.
std::string with_unix_lines(std::string text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  std::size_t out = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    text[out++] = text[i] == '\r' ? '\n' : text[i];
  }
  text.resize(out);
  return text;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

/// What must not reach the YAML scanner at all: it takes some of these for the end of the file, and older versions of
/// it died of deep nesting. The depth here is only guessed, from brackets outside comments; the builder counts it
/// truly.
class RawCheck {
 public:
  RawCheck(const std::vector<std::string_view>& lines, std::size_t file, Problems& problems)
      : lines_(lines), file_(file), problems_(problems) {}

  bool passes() {
    for (number_ = 1; number_ <= lines_.size(); ++number_) {
      const std::string_view line = lines_[number_ - 1];
      if (!check_bytes(line)) return false;
      check_indentation(line);
      if (!check_depth(line)) return false;
    }
    return sound_;
  }

 private:
  bool refuse(std::size_t offset, std::string text) {
    problems_.add({file_, number_, characters(lines_[number_ - 1].substr(0, offset)) + 1}, std::move(text));
    return sound_ = false;
  }

  bool check_bytes(std::string_view line) {
    if (line.size() > max_line_bytes) {
      return refuse(0, fmt::format("a line of {} bytes; at most {} can stand in one", line.size(), max_line_bytes));
    }
    for (std::size_t i = 0; i < line.size();) {
      const std::size_t length = utf8_length(line.substr(i));
      const auto byte = static_cast<std::uint8_t>(line[i]);
      if (length == 0) return refuse(i, fmt::format("byte 0x{:02X} is not UTF-8; save the file as UTF-8", byte));
      if (byte == 0) return refuse(i, "a NUL byte; a configuration is UTF-8 text (not UTF-16, nothing binary)");
      if ((byte < 0x20 && byte != '\t') || byte == 0x7F) {
        return refuse(i,
                      fmt::format("control character 0x{:02X}; only text, blanks and line ends can stand here", byte));
      }
      i += length;
    }
    return true;
  }

  void check_indentation(std::string_view line) {
    const std::size_t text = line.find_first_not_of(" \t");
    if (text == std::string_view::npos || line[text] == '#') return;
    const std::size_t tab = line.substr(0, text).find('\t');
    if (tab != std::string_view::npos) refuse(tab, "a tab in the indentation; YAML wants blanks there");
  }

  bool check_depth(std::string_view line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (c == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) return true;
      if (c == '[' || c == '{') {
        if (++depth_ > 2 * max_depth) return refuse(i, std::string{too_deep});
      } else if ((c == ']' || c == '}') && depth_ > 0) {
        --depth_;
      }
    }
    return true;
  }

  const std::vector<std::string_view>& lines_;
  std::size_t file_;
  Problems& problems_;
  std::size_t number_ = 1;
  std::size_t depth_ = 0;
  bool sound_ = true;
};

/// Ends the parsing from inside an event.
struct Stop : std::exception {
  Stop(Position where, std::string what) : at(where), text(std::move(what)) {}
  Position at;
  std::string text;
};

/// Builds nodes from yaml-cpp's events, so that nothing is expanded, nested or forgotten before it has been counted.
class Builder : public YAML::EventHandler {
 public:
  Builder(const std::vector<std::string_view>& lines, std::size_t file, Problems& problems)
      : lines_(lines), file_(file), problems_(problems) {}

  ValueRef root() const { return root_; }

  Position position(const YAML::Mark& mark) const {
    if (mark.line < 0) return {file_, 1, 1};
    // At the end of the file the mark may stand behind the last line.
    const std::size_t line = std::min(static_cast<std::size_t>(mark.line), lines_.size() - 1);
    const auto column = static_cast<std::size_t>(std::max(mark.column, 0));
    return {file_, line + 1, characters(lines_[line].substr(0, column)) + 1};
  }

  /// Makes a problem of what yaml-cpp could not read: its words for the mistakes that people make, in words that say
  /// what to do and, where it only noticed at the end, where it began.
  void refuse(const YAML::Exception& error) {
    const std::string& theirs = error.msg;
    const Position at = position(error.mark);
    const auto said = [&](const char* message) { return theirs.starts_with(message); };
    if (said(YAML::ErrorMsg::EOF_IN_SCALAR) || said(YAML::ErrorMsg::DOC_IN_SCALAR)) {
      problems_.add(last_, "not YAML: a quotation mark behind this, here or on the next lines, is not closed");
    } else if (said(YAML::ErrorMsg::END_OF_MAP_FLOW)) {
      problems_.add(at, unclosed(Value::Type::mapping, '{'));
    } else if (said(YAML::ErrorMsg::END_OF_SEQ_FLOW)) {
      problems_.add(at, unclosed(Value::Type::list, '['));
    } else {
      problems_.add(at, fmt::format("not YAML: {}", explain(theirs)));
    }
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      throw Stop{position(mark), "a second document begins here; one file is one document (remove the '---')"};
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(leaf(mark, Value::Type::nothing), anchor); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    const auto node = leaf(mark, Value::Type::text);
    if (printable(value, value.size()) != value) {
      problems_.add(node->at, "line ends or control characters in a value; it must be one line of plain text");
      node->text = printable(value);
    } else {
      node->text = value;
    }
    add(node, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) throw Stop{position(mark), "this alias stands inside what it is an alias of"};
    const Anchored& target = known->second;
    if (frames_.size() + target.height > max_depth) throw Stop{position(mark), std::string{too_deep}};
    count(target.weight, position(mark));
    if (!frames_.empty()) frames_.back().height = std::max(frames_.back().height, target.height);
    place(target.node, position(mark));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Value::Type::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Value::Type::mapping);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    std::shared_ptr<Value> node;
    YAML::anchor_t anchor;
    std::size_t counted_before;
    std::size_t height = 0;                           ///< of the tallest child
    std::optional<Located> key;                       ///< of a mapping: read, its value not yet
    bool keep = true;                                 ///< of a mapping: whether that key counts
    std::unordered_map<std::string, Position> known;  ///< of a mapping: the keys so far
  };
  struct Anchored {
    ValueRef node;
    std::size_t weight;  ///< nodes in it, aliases as what they stand for
    std::size_t height;  ///< 0 for a scalar
  };

  std::string unclosed(Value::Type type, char bracket) const {
    const auto open =
        std::find_if(frames_.rbegin(), frames_.rend(), [&](const Frame& frame) { return frame.node->type == type; });
    const std::string where = open == frames_.rend() ? "" : " of " + problems_.where(open->node->at);
    // "{warning: 30:, ...}": between braces and brackets a ':' before a ',' begins a value.
    return fmt::format(
        "not YAML: the '{}'{} is not closed before this, or a ',' is missing, or text that ends in ':' is not in "
        "quotes",
        bracket, where);
  }

  static std::string explain(const std::string& message) {
    struct Hint {
      const char* theirs;
      const char* ours;
    };
    static const std::array<Hint, 6> hints{{
        {YAML::ErrorMsg::MAP_VALUE,
         "a ':' where no value can begin; put text that holds ': ' or ends in ':' into quotes, and check the "
         "indentation"},
        {YAML::ErrorMsg::END_OF_MAP,
         "this does not fit into the mapping around it; check the indentation and the quotes"},
        {YAML::ErrorMsg::END_OF_SEQ, "this does not fit into the list around it; check the indentation and the '-'"},
        {YAML::ErrorMsg::UNKNOWN_TOKEN, "no value can begin with this character; put the text into quotes"},
        {YAML::ErrorMsg::BLOCK_ENTRY, "a '-' where no list can begin; check the indentation"},
        {YAML::ErrorMsg::UNKNOWN_ANCHOR, "an alias of an anchor that is not defined above"},
    }};
    const auto* const hint =
        std::find_if(hints.begin(), hints.end(), [&](const Hint& h) { return message.starts_with(h.theirs); });
    return hint == hints.end() ? printable(message) : std::string{hint->ours};
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    // "?" and "!" are the scanner's own words for plain and quoted values without a tag.
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw Stop{position(mark),
               fmt::format("the tag {} is not allowed; tags mean nothing here, leave it out", in_quotes(tag))};
  }

  void count(std::size_t weight, Position at) {
    counted_ += weight;
    if (counted_ > max_nodes) throw Stop{at, fmt::format("more than {} values, aliases expanded", max_nodes)};
  }

  std::shared_ptr<Value> leaf(const YAML::Mark& mark, Value::Type type) {
    auto node = std::make_shared<Value>();
    node->type = type;
    node->at = last_ = position(mark);
    count(1, node->at);
    return node;
  }

  void add(const std::shared_ptr<Value>& node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) anchors_.insert_or_assign(anchor, Anchored{node, 1, 0});
    place(node, node->at);
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Value::Type type) {
    refuse_tag(mark, tag);
    if (frames_.size() == max_depth) throw Stop{position(mark), std::string{too_deep}};
    const std::size_t before = counted_;
    frames_.push_back({leaf(mark, type), anchor, before, 0, std::nullopt, true, {}});
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    const std::size_t height = frame.height + 1;
    if (frame.anchor != YAML::NullAnchor) {
      anchors_.insert_or_assign(frame.anchor, Anchored{frame.node, counted_ - frame.counted_before, height});
    }
    if (!frames_.empty()) frames_.back().height = std::max(frames_.back().height, height);
    place(frame.node, frame.node->at);
  }

  void place(const ValueRef& node, Position at) {
    if (frames_.empty()) {
      root_ = node;
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node->type == Value::Type::list) {
      frame.node->items.push_back(node);
    } else if (!frame.key) {
      begin_entry(frame, *node, at);
    } else {
      if (frame.keep) frame.node->entries.push_back({frame.key->at, std::move(frame.key->text), node});
      frame.key.reset();
    }
  }

  void begin_entry(Frame& frame, const Value& key, Position at) {
    frame.key = Located{key.text, at};
    frame.keep = false;
    if (key.type != Value::Type::text) {
      problems_.add(at, fmt::format("a key must be a string, this is {}", to_string(key.type)));
    } else if (key.text == "<<") {
      problems_.add(at, "merge keys ('<<') are not supported; write the keys out, or use an alias for a whole value");
    } else if (const auto [first, fresh] = frame.known.try_emplace(key.text, at); !fresh) {
      problems_.add(at, fmt::format("key {} is already given at {}; a key stands once in a mapping",
                                    in_quotes(key.text), problems_.where(first->second)));
    } else {
      frame.keep = true;
    }
  }

  const std::vector<std::string_view>& lines_;
  std::size_t file_;
  Problems& problems_;
  std::size_t documents_ = 0;
  std::size_t counted_ = 0;
  Position last_{file_, 1, 1};  ///< of the last value met
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  ValueRef root_;
};

}  // namespace

const char* to_string(Value::Type type) {
  switch (type) {
    case Value::Type::nothing:
      return "nothing";
    case Value::Type::text:
      return "a string";
    case Value::Type::list:
      return "a list";
    case Value::Type::mapping:
      return "a mapping";
  }
  return "nothing";
}

ValueRef parse_document(std::string text, std::size_t file, Problems& problems) {
  const Position start{file, 1, 1};
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    problems.add(start, "the file is UTF-16; save it as UTF-8");
    return nullptr;
  }
  text = with_unix_lines(std::move(text));
  const std::vector<std::string_view> lines = split_lines(text);
  if (!RawCheck{lines, file, problems}.passes()) return nullptr;

  Builder builder{lines, file, problems};
  try {
    // A document's end behind the last line: without it yaml-cpp takes an open quotation mark at the end for closed.
    std::istringstream stream{text + (text.ends_with('\n') ? "...\n" : "\n...\n")};
    YAML::Parser parser{stream};
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop& stop) {
    problems.add(stop.at, stop.text);
    return nullptr;
  } catch (const YAML::Exception& error) {
    builder.refuse(error);
    return nullptr;
  } catch (const std::exception& error) {
    problems.add(start, fmt::format("not YAML: {}", printable(error.what())));
    return nullptr;
  }
  if (!builder.root() || builder.root()->type == Value::Type::nothing) {
    problems.add(start, "the file is empty: nothing but blanks and comments");
    return nullptr;
  }
  return builder.root();
}

}  // namespace mrascheck::yaml

// SPDX-License-Identifier: Apache-2.0
#include "yaml/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/time.hpp"

namespace mrascheck::yaml {
namespace {

std::string in_words(std::chrono::milliseconds time) {
  if (time.count() % 3'600'000 == 0) return fmt::format("{}h", time.count() / 3'600'000);
  return time.count() % 1000 == 0 ? fmt::format("{}s", time.count() / 1000) : fmt::format("{}ms", time.count());
}

void expect(const Entry& entry, std::string_view owner, std::string_view wanted, Problems& problems) {
  if (entry.value->type == Value::Type::nothing) return;
  problems.add(entry.value->at,
               fmt::format("{}: expected {}, got {}", label(entry.key, owner), wanted, to_string(entry.value->type)));
}

}  // namespace

std::string label(std::string_view key, std::string_view owner) {
  return owner.empty() ? std::string{key} : fmt::format("{} of {}", key, owner);
}

const Value* list_of(const Entry& entry, std::string_view owner, Problems& problems) {
  if (entry.value->type == Value::Type::list) return entry.value.get();
  expect(entry, owner, "a list", problems);
  return nullptr;
}

const Value* mapping_of(const Entry& entry, std::string_view owner, Problems& problems) {
  if (entry.value->type == Value::Type::mapping) return entry.value.get();
  expect(entry, owner, "a mapping", problems);
  return nullptr;
}

std::optional<std::vector<Located>> texts_of(const Entry& entry, std::string_view owner, Problems& problems) {
  const Value& value = *entry.value;
  if (value.type != Value::Type::text && value.type != Value::Type::list) {
    expect(entry, owner, "a string or a list of strings", problems);
    return std::nullopt;
  }
  const std::vector<ValueRef> single{entry.value};
  std::vector<Located> texts;
  for (const ValueRef& item : value.type == Value::Type::list ? value.items : single) {
    if (item->type != Value::Type::text) {
      problems.add(item->at, fmt::format("{}: expected a list of strings, got {} in it", label(entry.key, owner),
                                         to_string(item->type)));
    } else if (item->text.empty()) {
      problems.add(item->at, fmt::format("{}: an empty string means nothing here", label(entry.key, owner)));
    } else {
      texts.push_back({item->text, item->at});
    }
  }
  return texts;
}

Fields::Fields(const Value& mapping, std::string owner, std::span<const std::string_view> allowed, Problems& problems)
    : mapping_(mapping), owner_(std::move(owner)), problems_(problems) {
  for (const Entry& entry : mapping_.entries) {
    if (std::find(allowed.begin(), allowed.end(), entry.key) == allowed.end()) {
      const std::string near = problems_.suggestion(entry.key, allowed);
      problems_.add(entry.at,
                    fmt::format("unknown key {}{}{}{}", in_quotes(entry.key), owner_.empty() ? "" : " in ", owner_,
                                near.empty() ? fmt::format("; the keys are {}", enumerate(allowed)) : near));
    } else if (entry.value->type == Value::Type::nothing) {
      problems_.add(entry.at,
                    fmt::format("{}: has no value; give it one or leave the key out", label(entry.key, owner_)));
    }
  }
}

const Entry* Fields::find(std::string_view key) const {
  const auto found = std::find_if(mapping_.entries.begin(), mapping_.entries.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == mapping_.entries.end() ? nullptr : &*found;
}

std::optional<Located> Fields::text(std::string_view key) const {
  const Entry* const entry = find(key);
  if (entry == nullptr) return std::nullopt;
  if (entry->value->type != Value::Type::text) {
    expect(*entry, owner_, "a string", problems_);
    return std::nullopt;
  }
  if (entry->value->text.empty()) {
    refuse(key, entry->value->at, "an empty string means nothing here; leave the key out");
    return std::nullopt;
  }
  return Located{entry->value->text, entry->value->at};
}

std::optional<std::vector<Located>> Fields::texts(std::string_view key) const {
  const Entry* const entry = find(key);
  if (entry == nullptr) return std::nullopt;
  return texts_of(*entry, owner_, problems_);
}

std::optional<bool> Fields::boolean(std::string_view key) const {
  const auto value = text(key);
  if (!value) return std::nullopt;
  if (value->text == "true") return true;
  if (value->text == "false") return false;
  refuse(key, value->at, fmt::format("expected true or false, got {}", in_quotes(value->text)));
  return std::nullopt;
}

std::optional<std::size_t> Fields::number(std::string_view key, std::size_t min, std::size_t max) const {
  const auto value = text(key);
  if (!value) return std::nullopt;
  std::size_t number = 0;
  const char* const end = value->text.data() + value->text.size();
  const auto [stop, error] = std::from_chars(value->text.data(), end, number);
  if (error == std::errc{} && stop == end && min <= number && number <= max) return number;
  refuse(key, value->at,
         fmt::format("expected a whole number from {} to {}, got {}", min, max, in_quotes(value->text)));
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> Fields::duration(std::string_view key, std::chrono::milliseconds min,
                                                          std::chrono::milliseconds max) const {
  const auto value = text(key);
  if (!value) return std::nullopt;
  const auto time = parse_duration(value->text);
  if (time && min <= *time && *time <= max) return time;
  refuse(key, value->at,
         fmt::format("expected a time from {} to {} such as 500ms, 10s, 2m or 8h, got {}", in_words(min), in_words(max),
                     in_quotes(value->text)));
  return std::nullopt;
}

void Fields::refuse(std::string_view key, Position at, const std::string& why) const {
  problems_.add(at, fmt::format("{}: {}", label(key, owner_), why));
}

void Fields::require(std::string_view key, std::string_view example) const {
  if (find(key) == nullptr) {
    problems_.add(mapping_.at, fmt::format("{}: is missing; add '{}'", label(key, owner_), example));
  }
}

void Fields::refuse_choice(std::string_view key, const Located& value, std::span<const std::string_view> words) const {
  refuse(key, value.at,
         fmt::format("unknown value {}, allowed are {}{}", in_quotes(value.text), enumerate(words),
                     problems_.suggestion(value.text, words)));
}

}  // namespace mrascheck::yaml

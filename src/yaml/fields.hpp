// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "yaml/document.hpp"
#include "yaml/problems.hpp"

namespace mrascheck::yaml {

/// A mapping read strictly: any key that is not `allowed` is a problem, and so is a key without a value. Every reader
/// returns nothing for a key that is not there, and makes a problem of a value that is not what it reads.
class Fields {
 public:
  /// `owner` says whose keys these are, for messages: "store 'ad'"; empty at the top of a file.
  Fields(const Value& mapping, std::string owner, std::span<const std::string_view> allowed, Problems& problems);

  const std::string& owner() const { return owner_; }
  Position at() const { return mapping_.at; }

  /// The key as it is, without a look at its value; null when it is not there.
  const Entry* find(std::string_view key) const;

  std::optional<Located> text(std::string_view key) const;
  /// A list of strings; a single string is a list of one.
  std::optional<std::vector<Located>> texts(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::size_t> number(std::string_view key, std::size_t min, std::size_t max) const;
  std::optional<std::chrono::milliseconds> duration(std::string_view key, std::chrono::milliseconds min,
                                                    std::chrono::milliseconds max) const;
  template <class T, std::size_t N>
  std::optional<T> choice(std::string_view key, const std::array<std::pair<std::string_view, T>, N>& table) const {
    const auto value = text(key);
    if (!value) return std::nullopt;
    std::array<std::string_view, N> words;
    for (std::size_t i = 0; i < N; ++i) {
      if (table[i].first == value->text) return table[i].second;
      words[i] = table[i].first;
    }
    refuse_choice(key, *value, words);
    return std::nullopt;
  }

  /// Makes a problem about the value of `key`: "ca of store 'ad': ...".
  void refuse(std::string_view key, Position at, const std::string& why) const;
  /// The key must be there; `example` shows one.
  void require(std::string_view key, std::string_view example) const;

 private:
  void refuse_choice(std::string_view key, const Located& value, std::span<const std::string_view> words) const;

  const Value& mapping_;
  std::string owner_;
  Problems& problems_;
};

/// "kind of store 'ad'"; only the key where `owner` is empty.
std::string label(std::string_view key, std::string_view owner);

/// The value of `entry` when it is a list, a mapping; else a problem ("stores: expected a list, got a string") and
/// null. An entry without a value is left to Fields, which has told of it.
const Value* list_of(const Entry& entry, std::string_view owner, Problems& problems);
const Value* mapping_of(const Entry& entry, std::string_view owner, Problems& problems);
std::optional<std::vector<Located>> texts_of(const Entry& entry, std::string_view owner, Problems& problems);

}  // namespace mrascheck::yaml

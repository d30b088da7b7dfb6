// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mrascheck {

/// Text that never changes and that copies share: the path of a file in which a hundred thousand certificates stand is
/// kept once.
class SharedText {
 public:
  SharedText() = default;
  SharedText(std::string text) : text_(std::make_shared<const std::string>(std::move(text))) {}  // NOLINT(*-explicit-*)
  SharedText(const char* text) : SharedText(std::string{text}) {}                                // NOLINT(*-explicit-*)

  const std::string& str() const {
    static const std::string nothing;
    return text_ ? *text_ : nothing;
  }
  operator const std::string&() const { return str(); }  // NOLINT(*-explicit-*)

  friend bool operator==(const SharedText& a, const SharedText& b) { return a.text_ == b.text_ || a.str() == b.str(); }
  friend std::strong_ordering operator<=>(const SharedText& a, const SharedText& b) {
    return a.text_ == b.text_ ? std::strong_ordering::equal : a.str() <=> b.str();
  }

 private:
  std::shared_ptr<const std::string> text_;
};

/// The same of several texts: what a CA writes into all that it issues.
class SharedTexts {
 public:
  SharedTexts() = default;
  SharedTexts(std::vector<std::string> texts)  // NOLINT(*-explicit-*)
      : texts_(texts.empty() ? nullptr : std::make_shared<const std::vector<std::string>>(std::move(texts))) {}

  const std::vector<std::string>& all() const {
    static const std::vector<std::string> none;
    return texts_ ? *texts_ : none;
  }
  operator const std::vector<std::string>&() const { return all(); }  // NOLINT(*-explicit-*)
  auto begin() const { return all().begin(); }
  auto end() const { return all().end(); }
  bool empty() const { return !texts_; }
  std::size_t size() const { return all().size(); }

  friend bool operator==(const SharedTexts& a, const std::vector<std::string>& b) { return a.all() == b; }

 private:
  std::shared_ptr<const std::vector<std::string>> texts_;
};

}  // namespace mrascheck

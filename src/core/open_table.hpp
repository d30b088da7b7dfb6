// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace mrascheck {

/// Values by hashes that the caller has at hand, beside each other in memory: of a hundred thousand, most looks end in
/// one place. Nothing is ever taken out.
template <class Value>
class OpenTable {
 public:
  /// Null when there is none of that hash for which `same(value)`. Valid until the next add().
  template <class Same>
  const Value* find(std::size_t hash, const Same& same) const {
    if (slots_.empty()) return nullptr;
    const Slot& slot = slots_[place_of(hash, same)];
    return slot.mark == 0 ? nullptr : &slot.value;
  }

  /// The value that is there already, or else `value`; and whether it is the latter. Valid until the next add().
  template <class Same>
  std::pair<const Value&, bool> add(std::size_t hash, const Same& same, Value value) {
    if (taken_ * 2 >= slots_.size()) grow();
    Slot& slot = slots_[place_of(hash, same)];
    if (slot.mark != 0) return {slot.value, false};
    slot = {mark_of(hash), std::move(value)};
    ++taken_;
    return {slot.value, true};
  }

 private:
  struct Slot {
    std::size_t mark = 0;  ///< of the hash; 0: nothing stands here
    Value value{};
  };
  static std::size_t mark_of(std::size_t hash) { return hash | 1U; }
  std::size_t next(std::size_t place) const { return (place + 1) & (slots_.size() - 1); }
  std::size_t first(std::size_t mark) const { return (mark >> 1U) & (slots_.size() - 1); }

  template <class Same>
  std::size_t place_of(std::size_t hash, const Same& same) const {
    const std::size_t mark = mark_of(hash);
    std::size_t place = first(mark);
    while (slots_[place].mark != 0 && (slots_[place].mark != mark || !same(slots_[place].value))) place = next(place);
    return place;
  }

  void grow() {
    constexpr std::size_t fewest = 64;
    std::vector<Slot> before(std::max(fewest, slots_.size() * 4));
    before.swap(slots_);
    for (Slot& slot : before) {
      if (slot.mark == 0) continue;
      std::size_t place = first(slot.mark);
      while (slots_[place].mark != 0) place = next(place);
      slots_[place] = std::move(slot);
    }
  }

  std::vector<Slot> slots_;  ///< a power of two, at most half of them taken
  std::size_t taken_ = 0;
};

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
// Private to the room.
#pragma once

#include <fmt/format.h>

#include "core/text.hpp"
#include "stores/stores.hpp"

namespace mrascheck::stores {

/// Takes what a reader finds, within the bounds.
class Collector {
 public:
  Collector(const Sink& sink, Reading& reading) : sink_(sink), reading_(reading) {}

  void certificate(const FoundEntry& entry) {
    if (found_ < max_certificates) {
      ++found_;
      sink_(entry);
    } else {
      ++left_out_;
    }
  }
  void complain(const std::string& place, std::string_view where, std::string_view reason) {
    if (reading_.unreadable.size() < max_complaints) {
      reading_.unreadable.push_back(
          {place, where.empty() ? std::string{reason} : fmt::format("{}: {}", where, reason)});
    } else {
      ++complaints_left_out_;
    }
  }
  void complain(std::string_view where, std::string_view reason) { complain({}, where, reason); }
  void revocation_list() { ++revocation_lists_; }
  void trust_list() { ++trust_lists_; }

  /// Enough has been found, or enough is broken: what is left is not worth the time.
  bool full() const { return left_out_ > 0 || complaints_left_out_ > 0; }
  std::size_t found() const { return found_; }
  Reading& reading() { return reading_; }

  void finish() {
    if (left_out_ > 0) reading_.truncated = fmt::format("more than {} certificates", max_certificates);
    if (complaints_left_out_ > 0)
      reading_.truncated = fmt::format("more than {} damaged parts: the rest was not read", max_complaints);
    if (revocation_lists_ > 0)
      reading_.remarks.push_back(fmt::format("{} passed over", count(revocation_lists_, "revocation list")));
    if (trust_lists_ > 0) {
      reading_.remarks.push_back(
          fmt::format("{} passed over: they hold hashes, not certificates",
                      count(trust_lists_, "certificate trust list (CTL)", "certificate trust lists (CTL)")));
    }
    if (found_ == 0 && reading_.unreadable.empty() && reading_.truncated.empty())
      reading_.unreadable.push_back({{}, "no certificate in it"});
  }

 private:
  static constexpr std::size_t max_certificates = 200'000;
  static constexpr std::size_t max_complaints = 1'000;
  const Sink& sink_;
  Reading& reading_;
  std::size_t found_ = 0;
  std::size_t left_out_ = 0;
  std::size_t complaints_left_out_ = 0;
  std::size_t revocation_lists_ = 0;
  std::size_t trust_lists_ = 0;
};

/// The readers, one a format.
void read_serialized_store(Bytes content, Collector& into);
void read_registry_blob(Bytes content, Collector& into);
void read_registry_export(Bytes content, Collector& into);
void read_registry_policy(Bytes content, Collector& into);
void read_ldif(Bytes content, Collector& into);
void read_certutil_text(Bytes content, Collector& into);

}  // namespace mrascheck::stores

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "core/result.hpp"

namespace mrascheck::sources {

/// A file descriptor that is closed when it ends.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (open()) ::close(number_);
  }

  bool open() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int number_;
};

/// "No such file or directory".
std::string error_text(int number);

/// read(2), begun again when a signal broke it off. 0 at the end. Error: local, with error_text() alone.
Result<std::size_t> read_some(int descriptor, std::uint8_t* into, std::size_t size);

}  // namespace mrascheck::sources

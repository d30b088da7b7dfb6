// SPDX-License-Identifier: Apache-2.0
#include "sources/memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

namespace mrascheck::sources {

std::pair<std::uint8_t*, std::size_t> whole_pages(std::uint8_t* begin, std::size_t size) {
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* at = begin;
  std::size_t space = size;
  if (std::align(page, page, at, space) == nullptr) return {begin, 0};
  return {static_cast<std::uint8_t*>(at), space / page * page};
}

void ask_for_large_pages(std::uint8_t* begin, std::size_t size) {
  const auto [at, bytes] = whole_pages(begin, size);
  ::madvise(at, bytes, MADV_HUGEPAGE);  // advice: where it is not taken, nothing is lost but time
}

void expect_small_values(std::size_t size) {
  constexpr std::size_t few = std::size_t{1} << 20U;
  constexpr std::size_t room = std::size_t{16} << 20U;
  thread_local std::size_t left = few;
  if (size <= left) {
    left -= size;
    return;
  }
  // What is given back at the end of the heap stays with the process (M_TRIM_THRESHOLD, main.cpp), and so is what
  // the allocator takes next.
  if (void* const piece = std::malloc(room)) {
    ask_for_large_pages(static_cast<std::uint8_t*>(piece), room);
    std::free(piece);
  }
  left = room;
}

}  // namespace mrascheck::sources

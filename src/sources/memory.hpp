// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace mrascheck::sources {

/// The part of a buffer that has its pages for itself.
std::pair<std::uint8_t*, std::size_t> whole_pages(std::uint8_t* begin, std::size_t size);

/// Of a buffer that nobody has touched yet: a page fault for each 2 MiB in place of one for each 4 KiB, where the
/// system allows it.
void ask_for_large_pages(std::uint8_t* begin, std::size_t size);

/// Tells that this thread is about to make small values of `size` bytes in all. Once these are many, it takes room for
/// the next ones in one piece, in large pages: page by page, that would be a sixth of what reading a large store costs.
void expect_small_values(std::size_t size);

}  // namespace mrascheck::sources

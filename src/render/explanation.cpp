// SPDX-License-Identifier: Apache-2.0
#include "render/explanation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/pairings.hpp"
#include "render/layout.hpp"

namespace mrascheck::render {
namespace {

/// How the tables mark what no public document says outright: core/explain.hpp.
std::string_view how_sure(const Explanation& row) {
  if (row.source.find("unconfirmed") != std::string_view::npos) return "not confirmed by a public document";
  if (row.meaning.find("probably") != std::string_view::npos)
    return "the code is documented; what says \"probably\" is inferred";
  if (row.source.find("OfficeSIP") != std::string_view::npos)
    return "the code is documented; when it comes is known from one other implementation";
  if (row.source.find("public SIP traces") != std::string_view::npos ||
      row.source.find("blog") != std::string_view::npos)
    return "seen in the field; no document of the product says it";
  return "documented";
}

}  // namespace

std::string explanation(const LookUp& found, const Options& options) {
  const std::size_t width = std::max<std::size_t>(options.width, 20);
  std::string out;
  const auto line = [&out, width](std::size_t indent, std::string_view text) {
    out.append(indent, ' ');
    out += wrapped(one_line(text), indent, indent + 2, width);
  };
  if (!found.summary.empty()) line(0, found.summary);
  for (const Meaning& meaning : found.meanings) {
    const Explanation& row = *meaning.row;
    if (!out.empty()) out += '\n';
    line(0, row.name.empty() || row.name == row.key
                ? fmt::format("{} {}", to_string(meaning.kind), row.key)
                : fmt::format("{} {}, {}", to_string(meaning.kind), row.key, row.name));
    line(2, row.meaning);
    line(2, fmt::format("Who must act: {}", row.who));
    line(2, fmt::format("What to do: {}", row.remedy));
    if (const std::string other = counterparts(meaning.kind, row); !other.empty())
      line(2, fmt::format("Elsewhere: {}", other));
    line(2, fmt::format("How sure: {}", how_sure(row)));
    line(2, fmt::format("Source: {}", row.source));
  }
  for (const std::string& remark : found.remarks) {
    if (!out.empty()) out += '\n';
    line(0, remark);
  }
  return out;
}

}  // namespace mrascheck::render

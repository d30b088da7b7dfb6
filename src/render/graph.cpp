// SPDX-License-Identifier: Apache-2.0
#include "render/graph.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "render/layout.hpp"

namespace mrascheck::render {
namespace {

constexpr std::size_t most_paths = 8;
constexpr std::size_t most_places = 8;

std::string short_print(const Certificate& certificate) {
  return thumbprint(certificate).substr(0, 8);
}

std::string_view word(const std::optional<SignatureState>& state) {
  if (!state) return "signature not verified";
  return *state == SignatureState::verified ? "signed" : "did not sign";
}

std::string path_text(const Path& path) {
  std::string text;
  for (const CertificateRef& certificate : path.certificates) {
    if (!text.empty()) text += " <- ";
    text += fmt::format("{} ({})", short_name(*certificate), short_print(*certificate));
  }
  return text;
}

void print_certificate(const Drawing& drawing, std::size_t index, Page& page) {
  const DrawnCertificate& node = drawing.nodes[index];
  const Certificate& certificate = *node.certificate;
  std::string text =
      fmt::format("{}, valid {} to {}{}, {}", thumbprint(certificate), to_date(certificate.not_before),
                  to_date(certificate.not_after), node.time_valid ? "" : " (not now)", certificate.key_algorithm);
  if (node.standing) text += fmt::format(", {}", to_string(*node.standing));
  if (node.live) text += ", in use";
  if (node.anchor) text += ", a root";
  page.item(text, 2);
  const auto first = std::lower_bound(drawing.arcs.begin(), drawing.arcs.end(), index,
                                      [](const Arc& arc, std::size_t child) { return arc.child < child; });
  bool any = false;
  for (auto arc = first; arc != drawing.arcs.end() && arc->child == index; ++arc) {
    const Certificate& issuer = *drawing.nodes[arc->issuer].certificate;
    page.item(fmt::format("by name from {} ({}): {}, {}", short_name(issuer), short_print(issuer), word(arc->signature),
                          arc->match == IssuerMatch::none ? "and its key identifier names another"
                                                          : fmt::format("match by {}", to_string(arc->match))),
              4);
    any = true;
  }
  if (!any && !certificate.self_issued())
    page.item(fmt::format("no certificate of its issuer {} is here", certificate.issuer.text()), 4);
  const auto& places = node.places;
  for (std::size_t i = 0; i < std::min(places.size(), most_places); ++i)
    page.item(fmt::format("in {}", places[i].text()), 4);
  if (places.size() > most_places) page.item(fmt::format("and in {} more places", places.size() - most_places), 4);
}

void print_outlook(const Outlook& outlook, Page& page) {
  const PathJudgement& judgement = outlook.judgement;
  page.blank();
  page.line(fmt::format("{} judges {}{}", judgement.judge, judgement.subject,
                        judgement.subject_is_client ? ", a client" : ""));
  for (const std::string& why : outlook.unknown) page.item("unknown: " + why, 2);
  if (outlook.unknown.empty()) {
    page.item("OpenSSL 3.0 would say (a model): " + outlook.openssl.text(), 2);
    page.item("Windows would say (a model): " + outlook.windows.text(), 2);
  }
  const PathSet& set = judgement.result.paths;
  for (std::size_t i = 0; i < std::min(set.paths.size(), most_paths); ++i) {
    const Path& path = set.paths[i];
    page.item(fmt::format("{} path: {}", path.valid() ? "valid" : "invalid", path_text(path)), 2);
    for (const PathProblem& problem : path.problems) page.item(problem.text, 4);
    for (const PathProblem& weakness : path.weaknesses) page.item("weak: " + weakness.text, 4);
  }
  if (set.paths.size() > most_paths) page.item(fmt::format("and {} more paths", set.paths.size() - most_paths), 2);
  if (!set.bound.empty()) page.item(fmt::format("the search for paths was ended at {}", set.bound), 2);
  for (const OrderProof& proof : outlook.proofs) page.item(proof.text, 2);
}

/// A quoted string of DOT. A backslash begins an escape of its own there ("\N" is the node's name), so it is doubled.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : one_line(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// Several lines in one label.
std::string label(const std::vector<std::string>& lines) {
  std::string out = "\"";
  for (const std::string& line : lines) {
    const std::string one = in_quotes(line);
    if (out.size() > 1) out += "\\n";
    out.append(one, 1, one.size() - 2);
  }
  return out + '"';
}

}  // namespace

std::string graph(const Drawing& drawing, const Options& options) {
  Page page{options.width};
  const Name* name = nullptr;
  for (std::size_t i = 0; i < drawing.nodes.size(); ++i) {
    const Name& subject = drawing.nodes[i].certificate->subject;
    if (name == nullptr || !matches(*name, subject)) {
      page.blank();
      page.line(drawing.nodes[i].twin ? fmt::format("{}: a name that several CA certificates share", subject.text())
                                      : std::string{subject.text()});
    }
    name = &subject;
    print_certificate(drawing, i, page);
  }
  if (drawing.nodes.empty()) page.line("no certificate was found");
  if (!drawing.bound.empty()) page.line(fmt::format("the graph was ended at {}", drawing.bound));
  for (const Outlook& outlook : drawing.outlooks) print_outlook(outlook, page);
  return page.take();
}

std::string graph_dot(const Drawing& drawing) {
  std::string out = "digraph certificates {\n  rankdir=BT;\n  node [shape=box, fontname=\"sans-serif\"];\n";
  if (!drawing.bound.empty()) out += fmt::format("  label={};\n", in_quotes("ended at " + drawing.bound));
  const auto id = [&](std::size_t index) {
    return fmt::format("\"{}\"", to_hex(drawing.nodes[index].certificate->sha256));
  };
  for (std::size_t i = 0; i < drawing.nodes.size(); ++i) {
    const DrawnCertificate& node = drawing.nodes[i];
    const Certificate& certificate = *node.certificate;
    std::vector<std::string> lines{
        short_name(certificate), short_print(certificate),
        fmt::format("{} to {}", to_date(certificate.not_before), to_date(certificate.not_after))};
    if (node.standing) lines.emplace_back(to_string(*node.standing));
    out += fmt::format("  {} [label={}, tooltip={}", id(i), label(lines), in_quotes(certificate.subject.text()));
    if (node.twin) out += ", color=red, fontcolor=red";
    if (node.anchor) out += ", peripheries=2";
    if (!node.time_valid || node.live) out += fmt::format(", style={}", node.time_valid ? "bold" : "dashed");
    out += "];\n";
  }
  for (const Arc& arc : drawing.arcs) {
    out += fmt::format("  {} -> {} [label={}", id(arc.child), id(arc.issuer), in_quotes(to_string(arc.match)));
    if (!arc.signature) out += ", style=dashed";
    if (arc.signature == SignatureState::failed) out += ", style=dotted, color=gray, constraint=false";
    out += "];\n";
  }
  return out + "}\n";
}

}  // namespace mrascheck::render

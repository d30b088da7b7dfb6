// SPDX-License-Identifier: Apache-2.0
#include "render/graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

namespace mrascheck {
namespace {

CertificateRef certificate(std::uint8_t number, const std::string& subject, const std::string& issuer) {
  Certificate made;
  for (const auto& [name, text] : {std::pair{&made.subject, subject}, std::pair{&made.issuer, issuer}})
    *name = Name{{.canonical = text, .text = "CN=" + text, .common_name = text}};
  made.thumbprint.fill(number);
  made.sha256.fill(number);
  made.spki_sha256.fill(number);
  made.key_algorithm = "EC P-256";
  made.not_before = parse_iso8601("2024-01-01").value();
  made.not_after = parse_iso8601("2034-01-01").value();
  made.is_ca = true;
  return std::make_shared<const Certificate>(std::move(made));
}

/// A root, two CAs of one name below it with two keys, and the certificate that the second one issued. The root's name
/// is one that would break out of a label.
Evidence twins() {
  static const std::string wild = "Root \\N \"x\"];\nevil -> b";
  Evidence evidence;
  evidence.collected_at = parse_iso8601("2026-01-01").value();
  StoreContents& store = evidence.stores.emplace_back();
  store.store = "ad";
  store.entries.push_back({certificate(1, wild, wild), StoreKind::root, "CN=root", 0});
  store.entries.push_back({certificate(2, "twin", wild), StoreKind::intermediate, "CN=twin", 0});
  store.entries.push_back({certificate(3, "twin", wild), StoreKind::intermediate, "CN=twin", 1});
  evidence.identities.push_back({"fe1", certificate(4, "leaf", "twin"), {}, true});
  return evidence;
}

std::optional<SignatureState> signer(const Certificate& child, const Certificate& issuer) {
  const std::uint8_t by = child.sha256[0] == 4 ? 3 : 1;
  if (child.sha256[0] == 2) return std::nullopt;
  return issuer.sha256[0] == by ? SignatureState::verified : SignatureState::failed;
}

TEST(Graph, AsTextTellsWhoSignedWhat) {
  const Evidence evidence = twins();
  render::Options wide;
  wide.width = 200;
  const std::string text = render::graph(draw(evidence, signer), wide);
  for (const char* part :
       {"CN=twin: a name that several CA certificates share",
        "- by name from twin (02020202): did not sign, match by name",
        "- by name from twin (03030303): signed, match by name", ": signature not verified, match by name",
        "- in ad: CN=twin (value 2)", ", in use", ", a root"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(Graph, AsDotHasTwinsInRedAndKeepsNamesInTheirQuotes) {
  const Evidence evidence = twins();
  const std::string dot = render::graph_dot(draw(evidence, signer));
  const auto id = [](const char* pair) {
    std::string hex = "\"";
    for (int i = 0; i < 32; ++i) hex += pair;
    return hex + '"';
  };
  EXPECT_TRUE(dot.starts_with("digraph certificates {\n"));
  EXPECT_TRUE(dot.ends_with("}\n"));
  EXPECT_NE(dot.find("\"Root \\\\N \\\"x\\\"]; evil -> b\\n01010101\\n"), std::string::npos) << dot;
  EXPECT_NE(dot.find("  " + id("04") + " -> " + id("03") + " [label=\"name\"];\n"), std::string::npos) << dot;
  EXPECT_NE(dot.find("  " + id("04") + " -> " + id("02") + " [label=\"name\", style=dotted"), std::string::npos) << dot;
  EXPECT_NE(dot.find("  " + id("02") + " -> " + id("01") + " [label=\"name\", style=dashed];\n"), std::string::npos);
  std::size_t red = 0;
  std::size_t lines = 0;
  for (std::size_t at = 0; at < dot.size(); at = dot.find('\n', at) + 1) {
    const std::string line = dot.substr(at, dot.find('\n', at) - at);
    ++lines;
    if (line.find("color=red") == std::string::npos) continue;
    ++red;
    EXPECT_NE(line.find("label=\"twin\\n"), std::string::npos) << line;
  }
  EXPECT_EQ(red, 2U) << dot;
  EXPECT_EQ(lines, 3U + 4U + 4U + 1U) << "a line each: head, certificates, arcs, end";
}

TEST(Graph, IsTheSameWhateverTheOrderOfTheEvidence) {
  const Evidence forth = twins();
  Evidence back = forth;
  std::reverse(back.stores.front().entries.begin(), back.stores.front().entries.end());
  EXPECT_EQ(render::graph_dot(draw(forth, signer)), render::graph_dot(draw(back, signer)));
  EXPECT_EQ(render::graph(draw(forth, signer), {}), render::graph(draw(back, signer), {}));
}

TEST(Graph, OfNothingSaysSo) {
  const Evidence nothing;
  EXPECT_EQ(render::graph(draw(nothing, signer), {}), "no certificate was found\n");
}

}  // namespace
}  // namespace mrascheck

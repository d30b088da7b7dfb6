// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/site_command.hpp"
#include "cli/support.hpp"
#include "core/cleanup.hpp"
#include "core/drawing.hpp"
#include "core/text.hpp"
#include "render/graph.hpp"
#include "run/door.hpp"

namespace mrascheck::cli {
namespace {

using Texts = std::vector<std::string>;

po::options_description graph_options() {
  po::options_description all{"Options", 80};
  offer_sources(all, "draw");
  // clang-format off
  all.add_options()
      ("dot", "in the DOT language, for dot -Tsvg, instead of text");
  // clang-format on
  offer_limits(all);
  all.add_options()("help,h", "this text");
  return all;
}

int run_graph(const std::vector<std::string>& arguments, Streams io) {
  const po::options_description known = graph_options();
  const auto args = parse(arguments, known);
  if (!args) return refuse(io.err, args.error().text, {});
  if (args->has("help")) {
    io.out << "Usage: mrascheck graph [-c FILE | --evidence FILE...] [options]\n"
              "       mrascheck graph FILE... [--dot]\n"
              "Prints the certificates of a site, who issued which, every path from one server\nto another's "
              "certificate, and what OpenSSL and Windows would make of it. With\nfiles and directories of certificates "
              "it reads these alone: no configuration,\nno network.\n\n"
           << help(known)
           << "\nExamples:\n"
              "  mrascheck graph -c site.yaml\n"
              "  mrascheck graph --evidence monday.json --dot | dot -Tsvg >monday.svg\n"
              "  mrascheck graph fe1-ca.p7b edge1-ca.p7b\n"
              "\nExit codes: 0 everything could be looked at, 3 something could not.\n";
    return 0;
  }
  auto gathered = evidence_of(*args, io.err);
  if (!gathered) return gathered.error();
  Evidence evidence = *std::move(gathered);
  const Texts problems = not_looked_at(evidence);
  const auto& door = run::door();
  if (!door) return refuse(io.err, door.error().text, {});
  (*door)->complete_proofs(evidence,
                           [](const Evidence& judged, const SignatureOracle& oracle) { draw(judged, oracle); });
  const Drawing drawing = draw(evidence, recorded_oracle(evidence.signatures));
  io.out << (args->has("dot") ? render::graph_dot(drawing) : render::graph(drawing, {})) << std::flush;
  for (const std::string& problem : problems) io.err << "not looked at: " << problem << '\n';
  return exit_code(flushed(io, problems.empty() ? Status::ok : Status::unknown));
}

}  // namespace

extern const Command graph_command;
constinit const Command graph_command{"graph", "draw the certificates, who issued which, and every path", run_graph,
                                      graph_options};

}  // namespace mrascheck::cli

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <vector>

#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/site_command.hpp"
#include "cli/support.hpp"
#include "core/cleanup.hpp"
#include "core/issuers.hpp"
#include "core/text.hpp"
#include "json/cleanup_json.hpp"
#include "render/cleanup.hpp"

namespace mrascheck::cli {
namespace {

using Texts = std::vector<std::string>;

po::options_description issuers_options() {
  po::options_description all{"Options", 80};
  offer_sources(all, "judge");
  // clang-format off
  all.add_options()
      ("format", po::value<Texts>()->composing()->value_name("NAME[=FILE]"),
       "text or json, to standard output or a file; repeatable (default text)");
  // clang-format on
  offer_limits(all);
  all.add_options()("help,h", "this text");
  return all;
}

int run_issuers(const std::vector<std::string>& arguments, Streams io) {
  const po::options_description known = issuers_options();
  const auto args = parse(arguments, known);
  if (!args) return refuse(io.err, args.error().text, {});
  if (args->has("help")) {
    io.out << "Usage: mrascheck issuers [-c FILE | --evidence FILE...] [options]\n"
              "       mrascheck issuers FILE... [options]\n"
              "Lists the CA certificates that share a name: how each came to be, where it\nstands, what it signed, and "
              "whether it may go. With files and directories of\ncertificates it reads these alone: no configuration, "
              "no network.\n\n"
           << help(known)
           << "\nExamples:\n"
              "  mrascheck issuers -c site.yaml\n"
              "  mrascheck issuers --evidence monday.json --format json\n"
              "  mrascheck issuers fe1-ca.p7b edge1-ca.p7b fe1.pem\n"
              "\nExit codes: 0 everything could be looked at, 3 something could not.\n";
    return 0;
  }
  const auto wanted = formats(*args, {"text", "json"});
  if (!wanted) return refuse(io.err, wanted.error().text, {});
  auto gathered = evidence_of(*args, io.err);
  if (!gathered) return gathered.error();
  // Never freed: the process is about to end, and thousands of certificates freed one by one are time spent for nobody.
  Evidence& evidence = *new Evidence(*std::move(gathered));
  Texts missing;
  if (!args->positional.empty())
    missing.emplace_back("files alone do not show which servers use these CAs: judge a site (-c FILE)");
  if (const auto done = complete(evidence); !done) return refuse(io.err, done.error().text, {});
  const CertificateGraph graph{evidence};
  const SignatureOracle oracle = recorded_oracle(evidence.signatures);
  const std::vector<IssuerGroup> groups = issuer_groups(evidence, graph, oracle);
  const CleanupPlan plan = plan_cleanup(evidence, oracle, missing);
  const Texts failed = write_formats(*wanted, io, [&](const Format& format) {
    return format.name == "json" ? json::write_issuers(evidence, groups, plan)
                                 : render::issuers(evidence, groups, plan, {});
  });
  for (const std::string& complaint : failed) io.err << "could not be written: " << complaint << '\n';
  const bool whole = failed.empty() && not_looked_at(evidence).empty();
  return exit_code(flushed(io, whole ? Status::ok : Status::unknown));
}

}  // namespace

extern const Command issuers_command;
constinit const Command issuers_command{"issuers", "list the CA certificates that share a name, and which may go",
                                        run_issuers, issuers_options};

}  // namespace mrascheck::cli

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

po::options_description options() {
  po::options_description all{"Options", 80};
  // clang-format off
  all.add_options()
      ("config,c", po::value<std::string>()->value_name("FILE"), "configuration (default /etc/mrascheck/site.yaml)")
      ("fetch", fetch_help)
      ("evidence", po::value<Texts>()->composing()->value_name("FILE"),
       "judge this recording instead of looking; repeat it to join recordings from several hosts")
      ("format", po::value<Texts>()->composing()->value_name("NAME[=FILE]"),
       "text or json, to standard output or a file; repeatable (default text)")
      ("timeout,t", po::value<std::string>()->value_name("TIME"), "limit of each step, as 10s or 500ms (default 10s)")
      ("deadline", po::value<std::string>()->value_name("TIME"), "limit of the whole run (default 50s)")
      ("help,h", "this text");
  // clang-format on
  return all;
}

int run_issuers(const std::vector<std::string>& arguments, Streams io) {
  const po::options_description known = options();
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
  const bool files = !args->positional.empty();
  for (const char* option : {"config", "fetch", "evidence", "timeout", "deadline"}) {
    if (files && args->has(option))
      return refuse(io.err, fmt::format("--{} does not go with files of certificates", option), {});
  }
  const auto wanted = formats(*args, {"text", "json"});
  if (!wanted) return refuse(io.err, wanted.error().text, {});
  auto gathered = files ? read_files(args->positional).map_error([](const Error& error) { return Texts{error.text}; })
                        : gather(*args);
  if (!gathered) {
    return refuse(io.err, fmt::format("nothing was looked at: {}", count(gathered.error().size(), "problem")),
                  gathered.error());
  }
  // Never freed: the process is about to end, and thousands of certificates freed one by one are time spent for nobody.
  Evidence& evidence = *new Evidence(*std::move(gathered));
  Texts missing;
  if (files) {
    const bool any = std::any_of(evidence.stores.begin(), evidence.stores.end(),
                                 [](const StoreContents& contents) { return !contents.entries.empty(); });
    if (const Texts problems = not_looked_at(evidence); !any && !problems.empty())
      return refuse(io.err, problems.front(), {problems.begin() + 1, problems.end()});
    missing.emplace_back("files alone do not show which servers use these CAs: judge a site (-c FILE)");
  }
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
                                        run_issuers};

}  // namespace mrascheck::cli

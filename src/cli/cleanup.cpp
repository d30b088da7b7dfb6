// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <vector>

#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/site_command.hpp"
#include "cli/support.hpp"
#include "core/cleanup.hpp"
#include "core/text.hpp"
#include "json/cleanup_json.hpp"
#include "render/cleanup.hpp"

namespace mrascheck::cli {
namespace {

using Texts = std::vector<std::string>;

po::options_description cleanup_options() {
  po::options_description all{"Options", 80};
  offer_sources(all, "judge");
  // clang-format off
  all.add_options()
      ("format", po::value<Texts>()->composing()->value_name("NAME[=FILE]"),
       "text, json, ldif, undo-ldif (OpenLDAP), ldifde or undo-ldifde (Active Directory), to standard output or a "
       "file; repeatable (default text)")
      ("what-if", po::value<Texts>()->composing()->value_name("CHANGES"), what_if_help);
  // clang-format on
  offer_limits(all);
  all.add_options()("help,h", "this text");
  return all;
}

std::string bytes_of(const CleanupPlan& plan, const Format& format) {
  using render::LdifDialect;
  using render::LdifWay;
  if (format.name == "json") return json::write_cleanup(plan);
  if (format.name == "text") return render::cleanup(plan, {});
  return render::cleanup_ldif(plan,
                              format.name.ends_with("ldifde") ? LdifDialect::active_directory : LdifDialect::openldap,
                              format.name.starts_with("undo-") ? LdifWay::undo : LdifWay::remove);
}

int run_cleanup(const std::vector<std::string>& arguments, Streams io) {
  const po::options_description known = cleanup_options();
  const auto args = parse(arguments, known);
  if (!args) return refuse(io.err, args.error().text, {});
  if (args->has("help")) {
    io.out << "Usage: mrascheck cleanup [-c FILE | --evidence FILE...] [options]\n"
              "Plans the removal of stale CA certificates: the proof first, then the steps,\neach with a look before, "
              "a look after, and the way back. It only prints.\n\n"
           << help(known)
           << "\nExamples:\n"
              "  mrascheck cleanup -c site.yaml\n"
              "  mrascheck cleanup --evidence monday.json --format text=plan.txt \\\n"
              "      --format ldifde=cleanup.ldf --format undo-ldifde=undo.ldf\n"
              "  mrascheck cleanup --evidence monday.json --what-if at:2027-03-01\n"
              "\nExit codes: 0 the plan is whole, 3 for some certificate it could not be told.\n";
    return 0;
  }
  if (!args->positional.empty()) {
    return refuse(io.err,
                  fmt::format("{}: mrascheck cleanup takes options only", printable(args->positional.front(), 80)), {});
  }
  const auto wanted = formats(*args, {"text", "json", "ldif", "undo-ldif", "ldifde", "undo-ldifde"});
  if (!wanted) return refuse(io.err, wanted.error().text, {});
  auto gathered = evidence_of(*args, io.err);
  if (!gathered) return gathered.error();
  Evidence evidence = *std::move(gathered);
  if (const auto done = apply_what_if(*args, evidence); !done) return refuse(io.err, done.error().text, {});
  if (const auto done = complete(evidence); !done) return refuse(io.err, done.error().text, {});
  const CleanupPlan plan = plan_cleanup(evidence, recorded_oracle(evidence.signatures));
  const Texts failed = write_formats(*wanted, io, [&](const Format& format) { return bytes_of(plan, format); });
  for (const std::string& complaint : failed) io.err << "could not be written: " << complaint << '\n';
  const bool whole = failed.empty() && plan.count(MayGo::unknown) == 0 && not_looked_at(evidence).empty();
  return exit_code(flushed(io, whole ? Status::ok : Status::unknown));
}

}  // namespace

extern const Command cleanup_command;
constinit const Command cleanup_command{"cleanup", "plan the removal of stale CA certificates, with proof and undo",
                                        run_cleanup, cleanup_options};

}  // namespace mrascheck::cli

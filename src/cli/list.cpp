// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <vector>

#include "checks/registry.hpp"
#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/support.hpp"
#include "core/plan.hpp"
#include "core/text.hpp"

namespace mrascheck::cli {
namespace {

po::options_description list_options() {
  po::options_description all{"Options", 80};
  // clang-format off
  all.add_options()
      ("config,c", po::value<std::string>()->value_name("FILE"), "configuration (default /etc/mrascheck/site.yaml)")
      ("help,h", "this text");
  // clang-format on
  return all;
}

void list_checks(std::ostream& out) {
  for (const Check* check : checks::all()) {
    out << fmt::format("{}: {}\n", check->id, check->title);
    for (const FindingKind& kind : check->kinds) out << fmt::format("  {}: {}\n", kind.code, kind.meaning);
  }
}

void list_metrics(std::ostream& out) {
  for (const Metric& metric : metrics()) out << fmt::format("{} ({}): {}\n", metric.name, metric.unit, metric.meaning);
}

void list_stores(const Config& config, std::ostream& out) {
  for (std::size_t i = 0; i < config.stores.size(); ++i) {
    const StoreSource& source = config.stores[i];
    const StoreSpec& spec = config.site.stores[i];
    const std::string host = spec.host.empty() ? "" : fmt::format(" of {}", spec.host);
    out << fmt::format("{} ({}{}): {}\n", source.name, to_string(spec.kind), host,
                       enumerate(source.ldap_uris.empty() ? source.paths : source.ldap_uris));
  }
}

void list_links(const Config& config, std::ostream& out) {
  const Plan plan = make_plan(config);
  for (const std::size_t index : plan.links) {
    const Link& link = config.site.links[index];
    const Server* to = config.site.server(link.to);
    const auto resolved = to == nullptr ? config.resolve.end() : config.resolve.find(to->resolved_name());
    const std::string where = to == nullptr            ? ""
                              : !to->addresses.empty() ? enumerate(to->addresses)
                              : resolved != config.resolve.end()
                                  ? enumerate(resolved->second)
                                  : fmt::format("every address of {}", to->resolved_name());
    const std::string how = link.tls ? fmt::format(", {}", to_string(*link.tls)) : "";
    out << fmt::format("{}: {}, expect {}{}, at {}\n", link.id(), to_string(link.service), to_string(link.expect), how,
                       where);
  }
}

int run_list(const std::vector<std::string>& arguments, Streams io) {
  const po::options_description known = list_options();
  const auto args = parse(arguments, known);
  if (!args) return refuse(io.err, args.error().text, {});
  if (args->has("help")) {
    io.out << "Usage: mrascheck list checks|metrics\n"
              "       mrascheck list stores|links [-c FILE]\n"
              "Prints what there is, or what would be looked at; looks at nothing.\n\n"
           << help(known);
    return 0;
  }
  static constexpr std::string_view things[] = {"checks", "metrics", "stores", "links"};
  if (args->positional.size() != 1) return refuse(io.err, "list what? checks, metrics, stores or links", {});
  const std::string& what = args->positional.front();
  if (what == "checks") {
    list_checks(io.out);
    return 0;
  }
  if (what == "metrics") {
    list_metrics(io.out);
    return 0;
  }
  if (what != "stores" && what != "links") {
    const std::string_view near = did_you_mean(what, things);
    return refuse(
        io.err,
        fmt::format("list {}: {}", printable(what, 40),
                    near.empty() ? "it is checks, metrics, stores or links" : fmt::format("did you mean {}?", near)),
        {});
  }
  const auto config = load_config(args->has("config") ? args->text("config") : "/etc/mrascheck/site.yaml");
  if (!config)
    return refuse(io.err, fmt::format("the configuration has {}", count(config.error().size(), "problem")),
                  config.error());
  if (what == "stores") {
    list_stores(*config, io.out);
  } else {
    list_links(*config, io.out);
  }
  return 0;
}

}  // namespace

extern const Command list_command;
constinit const Command list_command{"list", "print checks, metrics, stores or links", run_list, list_options};

}  // namespace mrascheck::cli

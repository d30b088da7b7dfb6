// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/site_command.hpp"
#include "cli/support.hpp"
#include "core/rehearsal.hpp"
#include "core/report.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "run/door.hpp"

namespace mrascheck::cli {
namespace {

using Texts = std::vector<std::string>;

/// Checks of what only a network shows.
constexpr std::array network_only{"names-resolve", "port-reachable", "mras-credentials"};

constexpr std::array rehearse_groups{
    OptionGroup{"What is rehearsed", "config"},
    OptionGroup{"What is written", "format"},
    OptionGroup{"How it is judged", "only"},
    OptionGroup{"How it is shown", "max-output"},
};

po::options_description rehearse_options() {
  po::options_description all{"Options", 80};
  // clang-format off
  all.add_options()
      ("config,c", po::value<std::string>()->value_name("FILE"), "configuration (default /etc/mrascheck/site.yaml)")
      ("assign", po::value<Texts>()->composing()->value_name("SERVER=FILE[,KEY]"),
       "as if SERVER had the certificate in FILE, with the chain in it, and its private key in KEY; repeatable")
      ("at", po::value<std::string>()->value_name("DATE"), "the day to rehearse (default now)")
      ("through", po::value<std::string>()->value_name("DATE"), "and every day up to this one on which something breaks")
      ("evidence", po::value<Texts>()->composing()->value_name("FILE"),
       "take what directories hold, and what servers without a certificate here show, from this recording; repeatable")
      ("format", po::value<Texts>()->composing()->value_name("NAME[=FILE]"),
       "text, plugin, json, jsonl, junit or sarif, to standard output or a file; repeatable (default text)")
      ("strict", strict_help)
      ("only", po::value<Texts>()->composing()->value_name("CHECK"), "only this check; repeatable")
      ("skip", po::value<Texts>()->composing()->value_name("CHECK"), "all but this check; repeatable");
  // clang-format on
  offer_report(all);
  all.add_options()("help,h", "this text");
  return all;
}

/// The checks of --only and --skip that need no network.
Result<std::vector<const Check*>> offline_checks(const Arguments& args) {
  for (const char* id : network_only) {
    const Texts only = args.texts("only");
    if (std::find(only.begin(), only.end(), id) != only.end())
      return fail(ErrorKind::config, fmt::format("--only {}: that needs the network, and a rehearsal uses none", id));
  }
  Texts skip = args.texts("skip");
  skip.insert(skip.end(), network_only.begin(), network_only.end());
  return select_checks(args.texts("only"), skip);
}

/// A whole day ends with its last second.
Result<std::optional<UtcTime>> instant(const Arguments& args, const char* option, bool end_of_day) {
  if (!args.has(option)) return std::optional<UtcTime>{};
  const std::string text = args.text(option);
  auto time = parse_iso8601(text);
  if (!time) {
    return fail(ErrorKind::config, fmt::format("--{} {}: not a date such as 2026-11-22 or 2026-11-22T09:30:00Z", option,
                                               printable(text, 40)));
  }
  if (end_of_day && text.find('T') == std::string::npos) *time += std::chrono::hours{24} - std::chrono::seconds{1};
  return time;
}

/// "SERVER=FILE" or "SERVER=FILE,KEY", done to `config`. A passphrase that the server's configuration names is tried on
/// the new key as well.
Result<void> assign(Config& config, const std::string& text) {
  const std::string said = "--assign " + printable(text, 200);
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size())
    return fail(ErrorKind::config, said + ": not SERVER=FILE or SERVER=FILE,KEY");
  const std::string name = text.substr(0, equals);
  std::vector<Server>& servers = config.site.servers;
  const auto server =
      std::find_if(servers.begin(), servers.end(), [&](const Server& s) { return equals_ignoring_case(s.name, name); });
  if (server == servers.end()) {
    std::vector<std::string_view> names;
    names.reserve(servers.size());
    for (const Server& s : servers) names.push_back(s.name);
    const std::string_view near = did_you_mean(name, names);
    return fail(ErrorKind::config, fmt::format("{}: no such server in the configuration{}", said,
                                               near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }
  IdentitySource source;
  source.server = server->name;
  const std::size_t comma = text.rfind(',');
  const bool key = comma != std::string::npos && comma > equals;
  source.certificate = text.substr(equals + 1, (key ? comma : text.size()) - equals - 1);
  if (key) source.key = text.substr(comma + 1);
  if (source.certificate.empty() || (key && source.key.empty()))
    return fail(ErrorKind::config, said + ": not SERVER=FILE or SERVER=FILE,KEY");
  server->has_identity = key;
  std::vector<IdentitySource>& sources = config.identities;
  const auto old =
      std::find_if(sources.begin(), sources.end(), [&](const IdentitySource& s) { return s.server == source.server; });
  if (old != sources.end()) source.passphrase = old->passphrase;
  const auto& door = run::door();
  if (!door) return tl::unexpected(door.error());
  if (const auto tried = (*door)->try_identity(source); !tried)
    return fail(tried.error().error.kind, fmt::format("--assign {}: {}", source.server, tried.error().error.text));
  if (old != sources.end()) {
    *old = std::move(source);
  } else {
    sources.push_back(std::move(source));
  }
  return {};
}

/// Reports of all days as one: what comes later says from when on.
class Days {
 public:
  explicit Days(std::vector<const Check*> checks) : checks_(std::move(checks)) {}

  void judge(const Evidence& evidence) {
    if (!whole_) {
      before_ = mrascheck::judge(evidence, checks_);
      whole_ = before_;
      seen_ = evidence;
      return;
    }
    // Thresholds leave time to act before a day like this; on the day itself, only what breaks counts.
    Evidence later = evidence;
    later.site.policy.thresholds.clear();
    Report day = mrascheck::judge(later, checks_);
    add_day(*whole_, before_, day);
    before_ = std::move(day);
    ++later_;
  }

  /// What was rehearsed for the first day.
  const Evidence& seen() const { return seen_; }

  Report report(const std::optional<UtcTime>& through, const run::RehearsalEnd& end) {
    if (!through) return *std::move(whole_);
    whole_->vantage += fmt::format(" through {} with {},", to_date(*through),
                                   count(later_, "day that changes something", "days that change something"));
    if (end.first_left_out) {
      whole_->gaps.push_back({Needs::handshakes, whole_->site, ErrorKind::local,
                              fmt::format("not rehearsed from {} on: {}", to_iso8601(*end.first_left_out), end.why),
                              fmt::format("Rehearse the rest by itself: --at {} --through {}",
                                          to_iso8601(*end.first_left_out), to_date(*through))});
      for (CheckResult& result : whole_->checks) {
        result.gaps.push_back(whole_->gaps.size() - 1);
        result.status = worst(result.status, Status::unknown);
        result.applicable = true;
      }
      whole_->status = worst(whole_->status, Status::unknown);
    }
    return *std::move(whole_);
  }

 private:
  std::vector<const Check*> checks_;
  std::optional<Report> whole_;
  Evidence seen_;
  Report before_;
  std::size_t later_ = 0;
};

int run_rehearse(const std::vector<std::string>& arguments, Streams io) {
  const po::options_description known = rehearse_options();
  const auto args = parse(arguments, known);
  if (!args) return refuse(io.err, args.error().text, {});
  if (args->has("help")) {
    io.out
        << "Usage: mrascheck rehearse [-c FILE] [--assign SERVER=FILE[,KEY]]... [options]\n"
           "Who would refuse whom? Shakes hands in memory, both ways, with the certificates,\nkeys and stores of the "
           "configuration, on any day: before a certificate is\nassigned, and without the network. Exits with 0 (OK), "
           "1 (WARNING), 2 (CRITICAL)\nor 3 (UNKNOWN).\n\n"
        << help(known, rehearse_groups)
        << "\nExamples:\n"
           "  mrascheck rehearse -c site.yaml --at 2026-11-30\n"
           "  mrascheck rehearse --assign fe1.contoso.example=new.pem,new.key\n"
           "  mrascheck rehearse --evidence monday.json --through 2028-12-31\n";
    return 0;
  }
  if (!args->positional.empty()) {
    return refuse(
        io.err, fmt::format("{}: mrascheck rehearse takes options only", printable(args->positional.front(), 80)), {});
  }
  const auto wanted = formats(*args, {"text", "plugin", "json", "jsonl", "junit", "sarif"});
  const auto how = report_options(*args);
  const auto selected = offline_checks(*args);
  const auto at = instant(*args, "at", false);
  const auto through = instant(*args, "through", true);
  if (!wanted) return refuse(io.err, wanted.error().text, {});
  if (!how) return refuse(io.err, how.error().text, {});
  if (!selected) return refuse(io.err, selected.error().text, {});
  if (!at) return refuse(io.err, at.error().text, {});
  if (!through) return refuse(io.err, through.error().text, {});

  run::RehearsalOptions day;
  day.at = at->value_or(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
  day.through = *through;
  day.vantage = host_name();
  day.recordings = args->texts("evidence");
  if (day.through && *day.through < day.at) {
    return refuse(io.err,
                  fmt::format("--through {}: before {}, which is to be rehearsed first",
                              printable(args->text("through"), 40), to_iso8601(day.at)),
                  {});
  }
  auto config = load_config(args->has("config") ? args->text("config") : "/etc/mrascheck/site.yaml");
  if (!config) {
    return refuse(io.err, fmt::format("nothing was rehearsed: {}", count(config.error().size(), "problem")),
                  config.error());
  }
  for (const std::string& text : args->texts("assign")) {
    if (const auto done = assign(*config, text); !done) return refuse(io.err, done.error().text, {});
  }
  const auto& door = run::door();
  if (!door) return refuse(io.err, door.error().text, {});
  Days days{*selected};
  const auto end = (*door)->rehearse(*config, day, [&](const Evidence& evidence) { days.judge(evidence); });
  if (!end) return refuse(io.err, end.error().text, {});
  const Report report = days.report(day.through, *end);
  return end_with(
      report,
      write_report(report, {days.seen(), *selected, artifact_of(*args), args->has("strict")}, *wanted, *how, io), io);
}

}  // namespace

extern const Command rehearse_command;
constinit const Command rehearse_command{"rehearse", "shake hands in memory: who would refuse whom, on what day",
                                         run_rehearse, rehearse_options, rehearse_groups};

}  // namespace mrascheck::cli

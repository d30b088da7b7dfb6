// SPDX-License-Identifier: Apache-2.0
#include "cli/site_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "cli/support.hpp"
#include "core/cleanup.hpp"
#include "core/demands.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "core/what_if.hpp"
#include "json/evidence_json.hpp"
#include "json/sarif_json.hpp"
#include "render/junit.hpp"
#include "run/door.hpp"

namespace mrascheck::cli {
namespace {

Result<void> set_time(const Arguments& args, const char* option, std::chrono::milliseconds& limit) {
  if (!args.has(option)) return {};
  const auto time = parse_duration(args.text(option));
  if (!time || time->count() == 0) {
    return fail(ErrorKind::config,
                fmt::format("--{} {}: not a time such as 10s or 500ms", option, printable(args.text(option), 40)));
  }
  limit = *time;
  return {};
}

Result<void> set_count(const Arguments& args, const char* option, unsigned& limit) {
  if (!args.has(option)) return {};
  const std::string text = args.text(option);
  const bool digits = !text.empty() && text.size() <= 6 && text.find_first_not_of("0123456789") == std::string::npos;
  const unsigned long number = digits ? std::stoul(text) : 0;
  if (number == 0 || number > Limits::most_at_once) {
    return fail(ErrorKind::config, fmt::format("--{} {}: not a whole number from 1 to {}", option, printable(text, 40),
                                               Limits::most_at_once));
  }
  limit = static_cast<unsigned>(number);
  return {};
}

/// Files tell nothing of servers; but a certificate in them that is no CA's shows whose key signed it.
void take_as_used(Evidence& evidence) {
  for (const StoreContents& contents : evidence.stores) {
    for (const StoreEntry& entry : contents.entries) {
      const Certificate& certificate = *entry.certificate;
      const bool signs =
          certificate.is_ca.value_or(false) || (certificate.key_usage && (*certificate.key_usage & key_cert_sign) != 0);
      if (!signs && !certificate.self_issued() && certificate.not_after >= evidence.collected_at)
        evidence.identities.push_back({entry.place, entry.certificate, {}, false});
    }
  }
}

Result<Evidence> read_files(const std::vector<std::string>& files) {
  Config config;
  config.site.name = files.size() == 1 ? printable(files.front(), 200) : count(files.size(), "file");
  for (const std::string& file : files) {
    StoreSource source;
    source.name = printable(file);
    source.paths = {file};
    if (config.site.store(source.name) != nullptr) continue;  // named twice
    StoreSpec spec;
    spec.name = source.name;
    config.site.stores.push_back(std::move(spec));
    config.stores.push_back(std::move(source));
  }
  auto evidence = look(config, false);
  if (evidence) take_as_used(*evidence);
  return evidence;
}

/// From recordings, or from the site of a configuration. Error: all that is wrong, a line each.
/// --trace SERVER=FILE, each as if it stood under `traces` of that server. Error: config.
Result<void> add_traces(const Arguments& args, Config& config) {
  for (const std::string& text : args.has("trace") ? args.texts("trace") : std::vector<std::string>{}) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
      return fail(
          ErrorKind::config,
          fmt::format("--trace {}: SERVER=FILE is needed, with a server of the configuration", printable(text, 120)));
    }
    const Server* server = config.site.server(name);
    if (server == nullptr) {
      std::vector<std::string_view> names;
      for (const Server& one : config.site.servers) names.emplace_back(one.name);
      const std::string_view meant = did_you_mean(name, names);
      return fail(ErrorKind::config,
                  fmt::format("--trace {}: the configuration has no such server{}", printable(text, 120),
                              meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant)));
    }
    config.traces.push_back({server->name, {text.substr(equals + 1)}});
  }
  return {};
}

tl::expected<Evidence, std::vector<std::string>> gather(const Arguments& args) {
  if (args.has("evidence")) {
    for (const char* const option : {"fetch", "ocsp"}) {
      if (args.has(option)) {
        return tl::unexpected(
            std::vector{fmt::format("--{} asks the network, and a recording is judged without it", option)});
      }
    }
    for (const char* const option : {"profile", "options-first"}) {
      if (args.has(option)) {
        return tl::unexpected(
            std::vector{fmt::format("--{} says how to ask, and a recording is judged without asking", option)});
      }
    }
    for (const char* const option : {"identities", "enumerate", "chain-variants", "relay"}) {
      if (args.has(option)) {
        return tl::unexpected(std::vector{
            fmt::format("--{} tries something on the network, and a recording is judged without it", option)});
      }
    }
    if (args.has("trace"))
      return tl::unexpected(std::vector<std::string>{"--trace reads a file now, and a recording is judged as it is"});
    const auto& door = run::door();
    if (!door) return tl::unexpected(std::vector{door.error().text});
    auto evidence = (*door)->read_recordings(args.texts("evidence"));
    if (!evidence) return tl::unexpected(std::vector{evidence.error().text});
    return std::move(*evidence);
  }
  auto config = load_config(args.has("config") ? args.text("config") : "/etc/mrascheck/site.yaml");
  if (!config) return tl::unexpected(config.error());
  for (const auto& set :
       {set_time(args, "timeout", config->limits.step), set_time(args, "deadline", config->limits.deadline),
        set_count(args, "parallel", config->limits.parallel), set_count(args, "per-host", config->limits.per_host)}) {
    if (!set) return tl::unexpected(std::vector{set.error().text});
  }
  if (auto fits = deadline_fits(config->limits); !fits) return tl::unexpected(std::vector{fits.error().text});
  if (auto added = add_traces(args, *config); !added) return tl::unexpected(std::vector{added.error().text});
  config->fetch = config->fetch || args.has("fetch");
  config->ocsp = config->ocsp || args.has("ocsp");
  if (args.has("profile")) {
    const auto profile = parse_profile(args.text("profile"));
    if (!profile) return tl::unexpected(std::vector{profile.error().text});
    config->site.mras.profile = *profile;
    for (Server& server : config->site.servers) server.profile.reset();
    for (Link& link : config->site.links) link.profile.reset();
  }
  config->site.mras.options_first = config->site.mras.options_first || args.has("options-first");
  Trials& everywhere = config->try_everywhere;
  everywhere.identities = args.has("identities");
  everywhere.offer = args.has("enumerate");
  everywhere.chains = args.has("chain-variants");
  if (args.has("relay")) everywhere.relay = true;
  return look(*config, ::isatty(STDERR_FILENO) == 1).map_error([](const Error& error) {
    return std::vector{error.text};
  });
}

Result<bool> color(const Arguments& args) {
  const std::string when = args.has("color") ? args.text("color") : "auto";
  if (when == "always") return true;
  if (when == "never") return false;
  if (when != "auto")
    return fail(ErrorKind::config, fmt::format("--color {}: it is auto, always or never", printable(when, 40)));
  const char* no_color = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

/// "FILE" or "FILE@STORE", where there is a store of that name.
Result<std::vector<Addition>> additions(const std::string& text, const Evidence& evidence) {
  std::string file = text;
  std::string store;
  if (const std::size_t at = text.rfind('@'); at != std::string::npos) {
    const std::string name = text.substr(at + 1);
    if (std::any_of(evidence.stores.begin(), evidence.stores.end(),
                    [&](const StoreContents& contents) { return contents.store == name; })) {
      file = text.substr(0, at);
      store = name;
    }
  }
  const auto read = read_files({file});
  if (!read) return tl::unexpected(read.error());
  if (const auto problems = not_looked_at(*read); !problems.empty()) {
    const std::size_t at = text.rfind('@');
    if (store.empty() && at != std::string::npos && ::access(text.c_str(), F_OK) != 0 &&
        ::access(text.substr(0, at).c_str(), F_OK) == 0) {
      return fail(ErrorKind::config, fmt::format("{}: no store of that name was read", printable(text.substr(at + 1))));
    }
    return fail(ErrorKind::local, problems.front());
  }
  std::vector<Addition> added;
  for (const StoreContents& contents : read->stores) {
    for (const StoreEntry& entry : contents.entries) added.push_back({entry.certificate, entry.place, store});
  }
  return added;
}

}  // namespace

void offer_sources(po::options_description& options, std::string_view verb) {
  const std::string recording =
      fmt::format("{} this recording instead of looking; repeat it to join recordings from several hosts", verb);
  // clang-format off
  options.add_options()
      ("config,c", po::value<std::string>()->value_name("FILE"), "configuration (default /etc/mrascheck/site.yaml)")
      ("fetch", fetch_help)
      ("evidence", po::value<std::vector<std::string>>()->composing()->value_name("FILE"), recording.c_str());
  // clang-format on
}

void offer_limits(po::options_description& options) {
  // clang-format off
  options.add_options()
      ("timeout,t", po::value<std::string>()->value_name("TIME"), "limit of each step, as 10s or 500ms (default 10s)")
      ("deadline", po::value<std::string>()->value_name("TIME"), "limit of the whole run (default 50s)")
      ("parallel", po::value<std::string>()->value_name("NUMBER"), "links to try at the same time (default 1024)")
      ("per-host", po::value<std::string>()->value_name("NUMBER"), "connections to one address at the same time (default 1)");
  // clang-format on
}

tl::expected<Evidence, int> evidence_of(const Arguments& args, std::ostream& err) {
  using Gathered = tl::expected<Evidence, std::vector<std::string>>;
  const bool files = !args.positional.empty();
  for (const char* option : {"config", "fetch", "evidence", "timeout", "deadline", "parallel", "per-host"}) {
    if (files && args.has(option))
      return tl::unexpected(refuse(err, fmt::format("--{} does not go with files of certificates", option), {}));
  }
  Gathered gathered =
      files
          ? Gathered{read_files(args.positional).map_error([](const Error& error) { return std::vector{error.text}; })}
          : gather(args);
  if (!gathered) {
    return tl::unexpected(refuse(
        err, fmt::format("nothing was looked at: {}", count(gathered.error().size(), "problem")), gathered.error()));
  }
  const bool any = std::any_of(gathered->stores.begin(), gathered->stores.end(),
                               [](const StoreContents& contents) { return !contents.entries.empty(); });
  if (files && !any) {
    const auto problems = not_looked_at(*gathered);
    if (problems.empty()) return tl::unexpected(refuse(err, "no certificate in what was named", {}));
    std::vector<std::string> more{problems.begin() + 1, problems.end()};
    for (const StoreContents& contents : gathered->stores)
      more.insert(more.end(), contents.remarks.begin(), contents.remarks.end());
    return tl::unexpected(refuse(err, problems.front(), more));
  }
  return *std::move(gathered);
}

Result<void> complete(Evidence& evidence) {
  const auto& door = run::door();
  if (!door) return tl::unexpected(door.error());
  (*door)->complete_proofs(evidence, [](const Evidence& judged, const SignatureOracle& oracle) {
    demand_signatures(judged, oracle);
    plan_cleanup(judged, oracle);
  });
  return {};
}

Result<void> apply_what_if(const Arguments& args, Evidence& evidence) {
  Change change;
  for (const std::string& text : args.texts("what-if")) {
    const auto words = parse_change(text);
    if (!words) return tl::unexpected(words.error());
    for (const ChangeWord& word : *words) {
      if (word.kind == ChangeWord::Kind::at) {
        change.at = parse_iso8601(word.value);
        if (!change.at) {
          return fail(ErrorKind::config, fmt::format("--what-if at:{}: not a date such as 2026-11-22 or "
                                                     "2026-11-22T09:30:00Z",
                                                     printable(word.value, 40)));
        }
      } else if (word.kind == ChangeWord::Kind::remove) {
        const auto certificate = by_thumbprint(evidence, word.value);
        if (!certificate) return fail(ErrorKind::config, "--what-if remove: " + certificate.error().text);
        change.remove.insert((*certificate)->sha256);
      } else {
        const auto added = additions(word.value, evidence);
        if (!added) return fail(added.error().kind, "--what-if add: " + added.error().text);
        change.add.insert(change.add.end(), added->begin(), added->end());
      }
    }
  }
  if (change.empty()) return {};
  const std::string before = to_iso8601(evidence.collected_at);
  evidence = changed(evidence, change);
  normalise(evidence);
  evidence.vantage += fmt::format(", what if {}, handshakes as they ended at {},",
                                  printable(enumerate(args.texts("what-if")), 400), before);
  return {};
}

Result<std::vector<Format>> formats(const Arguments& args, std::initializer_list<std::string_view> known) {
  std::vector<Format> wanted;
  for (const std::string& text : args.texts("format")) {
    const std::size_t equals = text.find('=');
    Format format{text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1)};
    if (std::find(known.begin(), known.end(), format.name) == known.end()) {
      std::string names;
      for (const std::string_view name : known) {
        if (!names.empty()) names += name == *(known.end() - 1) ? " or " : ", ";
        names += name;
      }
      return fail(ErrorKind::config, fmt::format("unknown format '{}': it is {}", printable(format.name, 40), names));
    }
    for (const Format& other : wanted) {
      if (format.file.empty() || format.file != other.file) continue;
      return fail(ErrorKind::config, fmt::format("--format: {} and {} would both be written to {}", other.name,
                                                 format.name, printable(format.file, 200)));
    }
    wanted.push_back(std::move(format));
  }
  if (wanted.empty()) wanted.push_back({std::string{*known.begin()}, ""});
  return wanted;
}

std::vector<std::string> write_formats(const std::vector<Format>& wanted, Streams io,
                                       const std::function<std::string(const Format&)>& bytes_of) {
  std::vector<std::string> complaints;
  for (const Format& format : wanted) {
    const std::string bytes = bytes_of(format);
    if (format.file.empty()) {
      io.out << bytes << std::flush;
    } else if (const auto done = write_file(format.file, bytes); !done) {
      complaints.push_back(done.error().text);
    }
  }
  return complaints;
}

std::string artifact_of(const Arguments& args) {
  if (args.has("config")) return args.text("config");
  return args.has("evidence") ? args.texts("evidence").front() : "/etc/mrascheck/site.yaml";
}

void offer_results(po::options_description& options) {
  // clang-format off
  options.add_options()
      ("timeout-result", po::value<std::string>()->value_name("STATUS"),
       "what a server is that does not answer in time: critical, warning or unknown (default critical)")
      ("refused-result", po::value<std::string>()->value_name("STATUS"),
       "the same of one that refuses or resets the connection (default critical)")
      ("source-result", po::value<std::string>()->value_name("STATUS"),
       "the same of a directory or web server that cannot be reached (default unknown)");
  // clang-format on
}

Result<Results> result_options(const Arguments& args) {
  Results results;
  for (auto [option, result] :
       {std::pair{"timeout-result", &results.timeout}, std::pair{"refused-result", &results.refused},
        std::pair{"source-result", &results.source}}) {
    if (!args.has(option)) continue;
    const std::string text = args.text(option);
    for (const Status status : {Status::critical, Status::warning, Status::unknown}) {
      if (equals_ignoring_case(text, to_string(status))) *result = status;
    }
    if (!*result) {
      return fail(ErrorKind::config,
                  fmt::format("--{} {}: it is critical, warning or unknown; what was not looked at is never ok", option,
                              printable(text, 40)));
    }
  }
  return results;
}

Result<ThresholdForm> parse_threshold_form(const std::string& text) {
  if (text == "range") return ThresholdForm::range;
  if (text == "plain") return ThresholdForm::plain;
  if (text == "none") return ThresholdForm::none;
  return fail(ErrorKind::config,
              fmt::format("--perfdata-thresholds {}: it is range, plain or none", printable(text, 40)));
}

void offer_report(po::options_description& options) {
  // clang-format off
  options.add_options()
      ("max-output", po::value<std::string>()->value_name("BYTES"), "limit of the plugin format (default 4096)")
      ("perfdata-thresholds", po::value<std::string>()->value_name("FORM"), threshold_form_help)
      ("color", po::value<std::string>()->value_name("WHEN"), "auto, always or never (default auto; NO_COLOR is honoured)")
      ("verbose,v", "more of the report; up to three times");
  // clang-format on
}

Result<render::Options> report_options(const Arguments& args) {
  const auto colored = color(args);
  if (!colored) return tl::unexpected(colored.error());
  render::Options how;
  how.color = *colored;
  how.verbosity = args.verbosity;
  if (args.has("max-output")) {
    const auto most = parse_max_output(args.text("max-output"));
    if (!most) return tl::unexpected(most.error());
    how.max_output = *most;
  }
  if (args.has("perfdata-thresholds")) {
    const auto form = parse_threshold_form(args.text("perfdata-thresholds"));
    if (!form) return tl::unexpected(form.error());
    how.thresholds = *form;
  }
  return how;
}

Result<render::PrometheusCompat> prometheus_compat(const Arguments& args) {
  render::PrometheusCompat compat;
  for (const std::string& text : args.texts("prometheus-compat")) {
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      const std::string name = text.substr(begin, end - begin);
      begin = end + 1;
      if (name == "blackbox") {
        compat.blackbox = true;
      } else if (name == "ssl_exporter") {
        compat.ssl_exporter = true;
      } else if (name == "x509") {
        compat.x509 = true;
      } else {
        return fail(ErrorKind::config,
                    fmt::format("--prometheus-compat {}: it is blackbox, ssl_exporter or x509", printable(name, 40)));
      }
    }
  }
  return compat;
}

std::vector<std::string> write_report(const Report& report, const Judged& judged, const std::vector<Format>& wanted,
                                      const render::Options& how, Streams io) {
  return write_formats(wanted, io, [&](const Format& format) {
    render::Options here = how;
    here.color = how.color && format.file.empty();
    if (format.name == "json") return json::write_report(report);
    if (format.name == "jsonl") return json::write_report_lines(report);
    if (format.name == "sarif") return json::write_sarif(report, judged.checks, version, judged.artifact);
    if (format.name == "junit") return render::junit(report, judged.evidence.site, judged.strict);
    if (format.name == "prometheus") return render::prometheus(report, judged.evidence, judged.compat);
    return format.name == "plugin" ? render::plugin(report, here) : render::text(report, here);
  });
}

int end_with(const Report& report, const std::vector<std::string>& complaints, Streams io) {
  for (const std::string& complaint : complaints) io.err << "could not be written: " << complaint << '\n';
  const Status status = complaints.empty() ? report.status : worst(report.status, Status::unknown);
  return exit_code(flushed(io, status));
}

}  // namespace mrascheck::cli

// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <vector>

#include "checks/registry.hpp"
#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/extra_opts.hpp"
#include "cli/site_command.hpp"
#include "cli/support.hpp"
#include "core/report.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "json/evidence_json.hpp"
#include "render/render.hpp"
#include "run/door.hpp"

namespace mrascheck::cli {
namespace {

using Texts = std::vector<std::string>;

constexpr std::array plugin_groups{
    OptionGroup{"The server", "hostname"},
    OptionGroup{"The Front End", "certificate"},
    OptionGroup{"What is asked", "identity"},
    OptionGroup{"The way there", "tls"},
    OptionGroup{"What else is tried", "fetch"},
    OptionGroup{"Limits", "timeout"},
    OptionGroup{"How it is judged", "warning"},
    OptionGroup{"How it is shown", "max-output"},
    OptionGroup{"Help", "version"},
};

po::options_description plugin_options() {
  po::options_description all{"Options", 80};
  // clang-format off
  all.add_options()
      ("hostname,H", po::value<std::string>()->value_name("EDGE"), "the server to check: its FQDN, or an address with --name")
      ("name", po::value<std::string>()->value_name("FQDN"), "the name its certificate must carry (default: that of -H)")
      ("pool", po::value<std::string>()->value_name("FQDN"), "the pool it belongs to: its certificate may name that instead")
      ("port,p", po::value<unsigned>()->value_name("PORT"), "TCP port (default 5062)")
      ("certificate", po::value<std::string>()->value_name("FILE"), "the Front End's certificate")
      ("key", po::value<std::string>()->value_name("FILE"), "its private key")
      ("passphrase", po::value<std::string>()->value_name("SOURCE"), "the key's passphrase: file:PATH, env:NAME or fd:NUMBER")
      ("chain", po::value<std::string>()->value_name("FILE"),
       "what is sent behind the certificate; `stores`: as the Front End's stores would make it (default: what else the certificate file holds)")
      ("from", po::value<std::string>()->value_name("FQDN"), "the Front End's name (default: that of its certificate)")
      ("trust", po::value<Texts>()->multitoken()->composing()->value_name("FILE..."),
       "certificates that the Front End trusts: the self-signed ones as roots")
      ("store", po::value<Texts>()->multitoken()->composing()->value_name("FILE|URI..."),
       "further stores that feed its intermediate certificates: files, directories, or an LDAP URI")
      ("identity", po::value<std::string>()->value_name("URI"), "whose credentials to ask for: sip:USER@DOMAIN")
      ("location", po::value<std::string>()->value_name("WHERE"), "intranet, internet or both, one after the other (default both)")
      ("profile", po::value<std::string>()->value_name("NAME"), profile_help)
      ("options-first", options_first_help)
      ("service", po::value<std::string>()->value_name("NAME"), "mras, sip or tls (default mras)")
      ("no-mras", "stop after the handshake: the same as --service tls")
      ("expect", po::value<std::string>()->value_name("WHAT"), "accept or refuse (default accept)")
      ("tls", po::value<std::string>()->value_name("VERSION[-VERSION]"), "versions of TLS, from 1.0 to 1.3 (default 1.2-1.3)")
      ("sni", po::value<std::string>()->value_name("NAME"), "the server name that TLS asks for; off: none (default: --name)")
      ("source", po::value<std::string>()->value_name("ADDRESS"), "connect from this address of this host")
      ("name-server", po::value<Texts>()->composing()->value_name("ADDRESS"), "ask this name server, ADDRESS[:PORT]; repeatable")
      ("resolve", po::value<Texts>()->composing()->value_name("NAME=ADDRESS"), "use this address for that name; repeatable")
      ("fetch", fetch_help)
      ("ocsp", ocsp_help)
      ("revocation", po::value<std::string>()->value_name("MODE"), revocation_help)
      ("identities", "also try who else is let in: no certificate, and the strangers")
      ("stranger", po::value<Texts>()->composing()->value_name("KIND=FILE,KEY[,SOURCE]"),
       "a certificate for --identities, its key and where that one's passphrase is; KIND is foreign-ca, stale-ca, expired or server-only; repeatable")
      ("enumerate", enumerate_help)
      ("chain-variants", chain_variants_help)
      ("relay", relay_help)
      ("use-ipv4,4", "IPv4 only")
      ("use-ipv6,6", "IPv6 only")
      ("timeout,t", po::value<std::string>()->value_name("TIME"), "limit of each step, in seconds or as 500ms (default 10s)")
      ("deadline", po::value<std::string>()->value_name("TIME"), "limit of the whole run (default 50s)")
      ("warning,w", po::value<Texts>()->composing()->value_name("[METRIC=]RANGE"),
       "warning threshold; a bare range is for expiry, in days, or as 80% of a lifetime (default 30:)")
      ("critical,c", po::value<Texts>()->composing()->value_name("[METRIC=]RANGE"), "critical threshold (default 10:)")
      ;
  offer_results(all);
  all.add_options()
      ("max-output", po::value<std::string>()->value_name("BYTES"), "cut the output at a line end before this (default 4096)")
      ("perfdata-thresholds", po::value<std::string>()->value_name("FORM"), threshold_form_help)
      ("record", po::value<std::string>()->value_name("FILE"), "write what was seen, for mrascheck check --evidence")
      ("extra-opts", po::value<Texts>()->composing()->value_name("[SECTION][@FILE]"),
       "also the options in this section of this INI file of the Monitoring Plugins (default check_mras, in the usual places)")
      ("verbose,v", "more of the report; up to three times")
      ("version,V", "the version")
      ("help,h", "this text");
  // clang-format on
  return all;
}

int usage(std::ostream& out, const std::string& problem) {
  out << "MRAS UNKNOWN - " << problem
      << "\nUsage: check_mras -H EDGE --certificate FILE --key FILE --trust FILE...\n"
         "                  --identity sip:USER@DOMAIN [options]; --help lists them\n";
  return exit_code(Status::unknown);
}

bool is_address(const std::string& text) {
  std::array<unsigned char, 16> address{};
  return ::inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

bool is_ldap_uri(const std::string& text) {
  const std::string lower = to_lower(text.substr(0, 8));
  return lower.starts_with("ldap://") || lower.starts_with("ldaps://") || lower.starts_with("ldapi://");
}

Result<void> set_service(const Arguments& args, Link& link, MrasQuestion& question) {
  if (args.has("no-mras") && args.has("service") && args.text("service") != "tls")
    return fail(ErrorKind::config,
                fmt::format("--no-mras and --service {} exclude each other", printable(args.text("service"), 40)));
  const std::string service = args.has("no-mras") ? "tls" : args.has("service") ? args.text("service") : "mras";
  if (service == "mras") {
    link.service = Service::mras;
  } else if (service == "sip") {
    link.service = Service::sip;
  } else if (service == "tls") {
    link.service = Service::tls;
  } else {
    return fail(ErrorKind::config, fmt::format("--service {}: it is mras, sip or tls", printable(service, 40)));
  }
  const std::string expect = args.has("expect") ? args.text("expect") : "accept";
  if (expect != "accept" && expect != "refuse") {
    return fail(ErrorKind::config, fmt::format("--expect {}: it is accept or refuse", printable(expect, 40)));
  }
  link.expect = expect == "accept" ? Expectation::accept : Expectation::refuse;
  question.identity = args.text("identity");
  const std::size_t at = question.identity.find('@');
  const bool sip_uri = question.identity.starts_with("sip:") && at != std::string::npos && at > 4 &&
                       at + 1 < question.identity.size() &&
                       std::all_of(question.identity.begin(), question.identity.end(),
                                   [](char c) { return c > ' ' && c < 127 && c != '<' && c != '>' && c != '"'; });
  if ((link.service == Service::mras || !question.identity.empty()) && !sip_uri) {
    return fail(ErrorKind::config, "--identity must be a SIP URI such as sip:probe@contoso.example (or say --no-mras)");
  }
  const std::string location = args.has("location") ? args.text("location") : "both";
  if (location == "both") {
    question.location = MrasLocation::both;
  } else if (location == "intranet") {
    question.location = MrasLocation::intranet;
  } else if (location == "internet") {
    question.location = MrasLocation::internet;
  } else {
    return fail(ErrorKind::config,
                fmt::format("--location {}: it is intranet, internet or both", printable(location, 40)));
  }
  question.options_first = args.has("options-first");
  if (args.has("profile")) {
    const auto profile = parse_profile(args.text("profile"));
    if (!profile) return tl::unexpected(profile.error());
    question.profile = *profile;
  }
  if (link.service == Service::mras) return {};
  for (const char* option : {"location", "profile", "options-first"}) {
    if (args.has(option))
      return fail(ErrorKind::config, fmt::format("--{} goes with the service mras, not with {}", option, service));
  }
  return {};
}

/// RFC 1123, 2.1, with the underscores of the field and the dot of a full name: letters somewhere in the last label, or
/// it is some way of writing an address.
bool is_host_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > 253) return false;
  std::string_view rest = name;
  std::string_view label;
  while (true) {
    label = rest.substr(0, rest.find('.'));
    if (label.empty() || label.size() > 63 || label.starts_with('-') || label.ends_with('-')) return false;
    const bool known = std::all_of(label.begin(), label.end(),
                                   [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
    if (!known) return false;
    if (label.size() == rest.size()) break;
    rest.remove_prefix(label.size() + 1);
  }
  return std::any_of(label.begin(), label.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
}

Result<TlsVersion> tls_version(const std::string& text) {
  for (const TlsVersion version :
       {TlsVersion::tls_1_0, TlsVersion::tls_1_1, TlsVersion::tls_1_2, TlsVersion::tls_1_3}) {
    if (text == fmt::format("1.{}", static_cast<int>(version))) return version;
  }
  return fail(ErrorKind::config, fmt::format("'{}' is not one of 1.0, 1.1, 1.2 and 1.3", printable(text, 40)));
}

/// How TLS begins, and by which way.
Result<void> set_network(const Arguments& args, Config& config, Link& link) {
  if (args.has("tls")) {
    const std::string text = args.text("tls");
    const std::size_t dash = text.find('-');
    const auto min = tls_version(text.substr(0, dash));
    const auto max = dash == std::string::npos ? min : tls_version(text.substr(dash + 1));
    if (!min || !max) return fail(ErrorKind::config, "--tls: " + (min ? max : min).error().text);
    if (*min > *max) return fail(ErrorKind::config, fmt::format("--tls {}: the older version comes first", text));
    link.tls = TlsRange{*min, *max};
  }
  if (args.has("sni")) {
    const std::string name = args.text("sni");
    if (name != "off" && !is_host_name(name))
      return fail(ErrorKind::config, fmt::format("--sni {}: not a host name; or write off", printable(name, 80)));
    link.server_name = name == "off" ? "" : name;
  }
  if (args.has("source")) {
    if (!is_address(args.text("source"))) {
      return fail(ErrorKind::config,
                  fmt::format("--source {}: not an IPv4 or IPv6 address", printable(args.text("source"), 80)));
    }
    config.network.sources = {args.text("source")};
  }
  for (const std::string& server : args.texts("name-server")) {
    const std::size_t colon = server.rfind(':');
    std::string address = server;
    if (!is_address(server) && colon != std::string::npos) address = server.substr(0, colon);
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    const std::string port = address == server || colon == std::string::npos ? "53" : server.substr(colon + 1);
    const bool digits = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
    if (!is_address(address) || !digits || std::stoul(port) == 0 || std::stoul(port) > 65'535) {
      return fail(ErrorKind::config,
                  fmt::format("--name-server {}: write ADDRESS or ADDRESS:PORT", printable(server, 80)));
    }
    config.network.name_servers.push_back(server);
  }
  return {};
}

/// "KIND=FILE,KEY" or "KIND=FILE,KEY,SOURCE", as --stranger takes it. Its files are read when the run has begun: what
/// is wrong with them leaves this one trial open, and the others are made.
Result<StrangerSource> stranger_of(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::size_t comma = text.find(',', equals == std::string::npos ? 0 : equals);
  const std::size_t second = comma == std::string::npos ? comma : text.find(',', comma + 1);
  const std::string said = "--stranger " + printable(text.substr(0, second), 200);  // behind it, it may be a secret
  StrangerSource stranger;
  if (equals != std::string::npos && comma != std::string::npos) {
    stranger.source.certificate = text.substr(equals + 1, comma - equals - 1);
    stranger.source.key = text.substr(comma + 1, second == std::string::npos ? second : second - comma - 1);
  }
  if (stranger.source.certificate.empty() || stranger.source.key.empty())
    return fail(ErrorKind::config, said + ": not KIND=FILE,KEY or KIND=FILE,KEY,SOURCE");
  if (second != std::string::npos) {
    auto source = parse_secret_source(text.substr(second + 1));
    if (!source) return fail(ErrorKind::config, fmt::format("{}: {}", said, source.error().text));
    stranger.source.passphrase = *source;
  }
  for (const TrialKind kind :
       {TrialKind::foreign_ca, TrialKind::stale_ca, TrialKind::expired, TrialKind::server_only}) {
    if (to_string(kind) != text.substr(0, equals)) continue;
    stranger.kind = kind;
    return stranger;
  }
  return fail(ErrorKind::config, fmt::format("{}: KIND is foreign-ca, stale-ca, expired or server-only", said));
}

/// What else is tried on the link.
Result<void> set_trials(const Arguments& args, Config& config, const Link& link) {
  if (args.has("stranger") && !args.has("identities"))
    return fail(ErrorKind::config, "--stranger without --identities: nothing would be tried with it");
  for (const char* option : {"identities", "enumerate", "chain-variants", "relay"}) {
    if (args.has(option) && link.expect == Expectation::refuse) {
      return fail(ErrorKind::config, fmt::format("--{} and --expect refuse exclude each other: what is tried is held "
                                                 "against what a certificate gets that is let in",
                                                 option));
    }
  }
  if (args.has("relay") && link.service != Service::mras)
    return fail(ErrorKind::config,
                "--relay needs the credentials that MRAS grants: leave --no-mras and --service away");
  config.try_everywhere = {args.has("identities"), args.has("enumerate"), args.has("chain-variants"),
                           args.has("relay")};
  for (const std::string& text : args.texts("stranger")) {
    auto stranger = stranger_of(text);
    if (!stranger) return tl::unexpected(std::move(stranger).error());
    config.strangers.push_back(*std::move(stranger));
  }
  if (config.strangers.size() > 32)
    return fail(ErrorKind::config, fmt::format("--stranger: {} of them, at most 32", config.strangers.size()));
  return {};
}

Result<void> set_limits(const Arguments& args, Config& config) {
  for (auto [option, limit] :
       {std::pair{"timeout", &config.limits.step}, std::pair{"deadline", &config.limits.deadline}}) {
    if (!args.has(option)) continue;
    const auto time = parse_duration(args.text(option));
    if (!time || time->count() == 0) {
      return fail(ErrorKind::config,
                  fmt::format("--{} {}: not a time such as 10 or 500ms", option, printable(args.text(option), 40)));
    }
    *limit = *time;
  }
  if (auto fits = deadline_fits(config.limits); !fits) return fits;
  for (const std::string& text : args.texts("resolve")) {
    const std::size_t equals = text.find('=');
    const std::string address = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (equals == 0 || !is_address(address)) {
      return fail(ErrorKind::config,
                  fmt::format("--resolve {}: write NAME=ADDRESS, with an IPv4 or IPv6 address", printable(text, 80)));
    }
    config.resolve[text.substr(0, equals)].push_back(address);
  }
  if (args.has("use-ipv4") && args.has("use-ipv6")) return fail(ErrorKind::config, "-4 and -6 exclude each other");
  if (args.has("use-ipv4")) config.family = Config::Family::v4;
  if (args.has("use-ipv6")) config.family = Config::Family::v6;
  return {};
}

void add_stores(const Arguments& args, Config& config, Server& front_end) {
  const auto add = [&](const std::string& what, const std::string& name, std::vector<std::string>& user) {
    StoreSource source;
    source.name = name;
    (is_ldap_uri(what) ? source.ldap_uris : source.paths).push_back(what);
    config.site.stores.push_back({name, StoreKind::mixed, front_end.name, is_ldap_uri(what)});
    config.stores.push_back(std::move(source));
    user.push_back(name);
  };
  for (const std::string& path : args.texts("trust")) add(path, fmt::format("trust {}", path), front_end.trusts);
  for (const std::string& path : args.texts("store")) add(path, fmt::format("store {}", path), front_end.intermediates);
}

/// One Front End, one Edge, one link.
Result<Config> config_from(const Arguments& args) {
  Config config;
  for (const char* needed : {"hostname", "certificate", "key", "trust"}) {
    if (!args.has(needed)) return fail(ErrorKind::config, fmt::format("--{} is missing", needed));
  }
  for (const char* name : {"name", "from", "pool"}) {
    if (args.has(name) && args.text(name).empty()) return fail(ErrorKind::config, fmt::format("--{} is empty", name));
  }
  std::string host = args.text("hostname");
  if (host.size() > 2 && host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const bool literal = is_address(host);
  if (!literal && !is_host_name(host)) {
    return fail(ErrorKind::config,
                fmt::format("-H {}: neither a host name nor an address; the port goes behind -p", printable(host, 80)));
  }
  if (!literal && host.ends_with('.')) host.pop_back();
  if (literal && !args.has("name")) {
    return fail(ErrorKind::config,
                fmt::format("-H {} is an address: say with --name which name its certificate must carry", host));
  }
  Server edge;
  edge.role = Role::edge;
  edge.name = args.has("name") ? args.text("name") : host;
  if (!is_host_name(edge.name)) {
    return fail(ErrorKind::config,
                fmt::format("--name {}: not a host name (these products use no wildcards)", printable(edge.name, 80)));
  }
  if (edge.name.ends_with('.')) edge.name.pop_back();
  edge.pool = args.text("pool");
  if (literal) {
    edge.addresses = {host};
  } else if (edge.name != host) {
    edge.dns = host;
  }

  IdentitySource identity;
  identity.certificate = args.text("certificate");
  identity.key = args.text("key");
  Server front_end;
  front_end.role = Role::front_end;
  front_end.has_identity = true;
  if (args.text("chain") == "stores") {
    front_end.chain = ChainMode::from_stores;
  } else {
    identity.chain = args.text("chain");
  }
  if (args.has("passphrase")) {
    auto source = parse_secret_source(args.text("passphrase"));
    if (!source) return fail(ErrorKind::config, "--passphrase: " + source.error().text);
    identity.passphrase = *source;
  }
  if (!run::door()) return tl::unexpected(run::door().error());
  const auto certificate = (*run::door())->try_identity(identity);
  if (!certificate) return tl::unexpected(certificate.error().error);
  front_end.name = args.has("from") ? args.text("from") : short_name(**certificate);
  if (equals_ignoring_case(front_end.name, edge.name)) {
    return fail(ErrorKind::config,
                fmt::format("the Front End and the Edge have the same name, {}: say with --from which Front End asks",
                            printable(edge.name, 80)));
  }
  identity.server = front_end.name;
  config.identities.push_back(std::move(identity));

  Link link;
  link.from = front_end.name;
  link.to = edge.name;
  if (args.has("port")) {
    const unsigned port = args.values["port"].as<unsigned>();
    if (port == 0 || port > 65'535) return fail(ErrorKind::config, fmt::format("-p {}: a port is 1 to 65535", port));
    link.port = static_cast<std::uint16_t>(port);
  }
  if (auto set = set_service(args, link, config.site.mras); !set) return tl::unexpected(set.error());
  if (auto set = set_limits(args, config); !set) return tl::unexpected(set.error());
  if (auto set = set_network(args, config, link); !set) return tl::unexpected(set.error());
  add_stores(args, config, front_end);
  config.fetch = args.has("fetch");
  config.ocsp = args.has("ocsp");
  if (auto set = set_trials(args, config, link); !set) return tl::unexpected(set.error());
  config.site.name = edge.name;
  config.site.links.push_back(link);
  config.site.servers = {front_end, edge};
  config.site.policy = Policy::defaults();
  const auto revocation = revocation_mode(args);
  if (!revocation) return tl::unexpected(revocation.error());
  config.site.policy.revocation = *revocation;
  Policy noted;
  for (const bool critical : {false, true}) {
    for (const std::string& text : args.texts(critical ? "critical" : "warning")) {
      if (auto set = set_threshold(noted, text, critical); !set) return tl::unexpected(set.error());
    }
  }
  override_thresholds(config.site.policy, noted);
  return config;
}

}  // namespace

int run_plugin(const std::vector<std::string>& arguments, Streams io) {
  const po::options_description known = plugin_options();
  const auto words = with_extra_opts(arguments, "check_mras", known);
  if (!words) return usage(io.out, words.error().text);
  const auto args = parse(*words, known);
  if (!args) return usage(io.out, args.error().text);
  if (args->has("help")) {
    io.out << "check_mras " << version
           << "\nChecks one Edge as a Front End would use it: name, port, mutual TLS,\ncertificates, "
              "media relay credentials.\n\n"
              "Usage: check_mras -H EDGE --certificate FILE --key FILE --trust FILE...\n"
              "                  --identity sip:USER@DOMAIN [options]\n\n"
           << help(known, plugin_groups)
           << "\nExamples:\n"
              "  check_mras -H edge1.contoso.example --certificate fe1.crt --key fe1.key \\\n"
              "    --trust root.pem --identity sip:probe@contoso.example -w 30: -c 10:\n"
              "\nExit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (also for this text).\n";
    return exit_code(Status::unknown);
  }
  if (args->has("version")) {
    io.out << "check_mras " << version << '\n';
    return exit_code(Status::unknown);
  }
  if (!args->positional.empty())
    return usage(io.out, fmt::format("{}: options only", printable(args->positional.front(), 80)));
  const auto max_output = parse_max_output(args->has("max-output") ? args->text("max-output") : "4096");
  if (!max_output) return usage(io.out, max_output.error().text);
  const auto form =
      parse_threshold_form(args->has("perfdata-thresholds") ? args->text("perfdata-thresholds") : "range");
  if (!form) return usage(io.out, form.error().text);
  const auto results = result_options(*args);
  if (!results) return usage(io.out, results.error().text);
  const auto config = config_from(*args);
  if (!config) return usage(io.out, config.error().text);
  const auto looked = look(*config, false);
  if (!looked) return usage(io.out, looked.error().text);
  const Evidence& evidence = *looked;
  std::string complaint;
  if (args->has("record")) {
    if (const auto done = write_file(args->text("record"), json::write_evidence(evidence)); !done)
      complaint = done.error().text;
  }
  Report report = judge(evidence, checks::all());
  regrade(*results, evidence, report);
  if (!complaint.empty()) {
    report.gaps.push_back({Needs::none, "the recording", ErrorKind::local, "could not be written: " + complaint,
                           "Give --record a file in a directory that the account of this check may write to."});
    report.status = worst(report.status, Status::unknown);
  }
  render::Options how;
  how.verbosity = args->verbosity;
  how.max_output = *max_output;
  how.thresholds = *form;
  io.out << render::plugin(report, how);
  return exit_code(flushed(io, report.status));
}

extern const Command plugin_command;
constinit const Command plugin_command{"check_mras", "check one Edge, as a monitoring plugin", run_plugin,
                                       plugin_options, plugin_groups};

}  // namespace mrascheck::cli

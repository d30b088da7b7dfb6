// SPDX-License-Identifier: Apache-2.0
#include "cli/support.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <stop_token>
#include <thread>

#include "checks/registry.hpp"
#include "core/status.hpp"
#include "core/text.hpp"
#include "run/door.hpp"
#include "yaml/config_reader.hpp"

namespace mrascheck::cli {
namespace {

/// Turns SIGTERM and SIGINT into a stop request while it lives. The signals are blocked in the thread that makes it,
/// and in all that it starts afterwards; a thread of its own waits for them.
class SignalWatch {
 public:
  SignalWatch() {
    ::sigemptyset(&signals_);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&signals_, number);
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    // By value, so that the thread outlives this object by a slice without touching it.
    waiter_ = std::jthread([signals = signals_, source = source_](const std::stop_token& over) mutable {
      constexpr timespec slice{0, 50'000'000};
      while (!over.stop_requested()) {
        if (::sigtimedwait(&signals, nullptr, &slice) > 0) source.request_stop();
      }
    });
  }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch() {
    waiter_.request_stop();
    waiter_.detach();
  }

  std::stop_token token() const { return source_.get_token(); }

 private:
  sigset_t signals_{};
  std::stop_source source_;
  std::jthread waiter_;
};

}  // namespace

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "this host";
  return printable(name.data());
}

tl::expected<Config, std::vector<std::string>> load_config(const std::string& path) {
  yaml::ConfigFile file = yaml::read_config(path);
  std::vector<std::string> problems = std::move(file.problems);
  // Keys and certificates are looked into as well, so that a wrong pair is told with its place, before anything is
  // tried.
  if (!run::door()) return tl::unexpected(std::vector{run::door().error().text});
  const auto complained = [&](const IdentitySource& source) {
    return std::any_of(file.positions.begin(), file.positions.end(), [&](const auto& position) {
      return position.first.starts_with(fmt::format("identities.{}.", source.server)) &&
             std::any_of(problems.begin(), problems.end(),
                         [&](const std::string& problem) { return problem.starts_with(position.second + ":"); });
    });
  };
  for (const IdentitySource& source : file.config.identities) {
    if (complained(source)) continue;  // a file that is not there needs no second line
    const auto tried = (*run::door())->try_identity(source);
    if (tried) continue;
    const auto where = file.positions.find(fmt::format("identities.{}.{}", source.server, tried.error().field));
    problems.push_back(where == file.positions.end() ? tried.error().error.text
                                                     : fmt::format("{}: {}", where->second, tried.error().error.text));
  }
  if (!problems.empty()) return tl::unexpected(std::move(problems));
  return std::move(file.config);
}

Result<Profile> parse_profile(const std::string& text) {
  for (const Profile profile : {Profile::ocs2007r2, Profile::lync2010, Profile::lync2013, Profile::sfb}) {
    if (text == to_string(profile)) return profile;
  }
  return fail(ErrorKind::config,
              fmt::format("--profile {}: it is ocs2007r2, lync2010, lync2013 or sfb", printable(text, 40)));
}

Result<std::optional<RevocationMode>> revocation_mode(const Arguments& args) {
  if (!args.has("revocation")) return std::nullopt;
  const std::string mode = args.text("revocation");
  for (const RevocationMode known : {RevocationMode::soft, RevocationMode::hard}) {
    if (mode == to_string(known)) return known;
  }
  return fail(ErrorKind::config, fmt::format("--revocation {}: it is soft or hard", printable(mode, 40)));
}

Result<void> set_threshold(Policy& policy, const std::string& text, bool critical) {
  const std::size_t equals = text.find('=');
  std::string metric = equals == std::string::npos ? "expiry" : text.substr(0, equals);
  std::string value = equals == std::string::npos ? text : text.substr(equals + 1);
  if ((metric == "expiry" || metric == "lifetime") && value.ends_with('%')) {
    metric = "lifetime";
    value.pop_back();
  }
  const auto known = metrics();
  if (std::none_of(known.begin(), known.end(), [&](const Metric& m) { return m.name == metric; })) {
    std::vector<std::string_view> names;
    for (const Metric& m : known) names.push_back(m.name);
    const std::string_view near = did_you_mean(metric, names);
    return fail(ErrorKind::config, fmt::format("unknown metric '{}'{}", printable(metric, 40),
                                               near.empty() ? "; mrascheck list metrics shows them"
                                                            : fmt::format("; did you mean '{}'?", near)));
  }
  const auto range = parse_range(value);
  if (!range) return tl::unexpected(range.error());
  Thresholds& thresholds = policy.thresholds[metric];
  (critical ? thresholds.critical : thresholds.warning) = *range;
  return {};
}

void override_thresholds(Policy& policy, const Policy& noted) {
  const Thresholds by_days = noted.of("expiry");
  const Thresholds by_lifetime = noted.of("lifetime");
  for (const auto& [metric, thresholds] : noted.thresholds) {
    Thresholds& present = policy.thresholds[metric];
    if (thresholds.warning) present.warning = thresholds.warning;
    if (thresholds.critical) present.critical = thresholds.critical;
  }
  Thresholds& expiry = policy.thresholds["expiry"];
  if (by_lifetime.warning && !by_days.warning) expiry.warning.reset();
  if (by_lifetime.critical && !by_days.critical) expiry.critical.reset();
}

Result<std::vector<const Check*>> select_checks(const std::vector<std::string>& only,
                                                const std::vector<std::string>& skip) {
  std::vector<std::string_view> ids;
  for (const Check* check : checks::all()) ids.push_back(check->id);
  for (const auto* list : {&only, &skip}) {
    for (const std::string& id : *list) {
      if (checks::find(id) != nullptr) continue;
      const std::string_view near = did_you_mean(id, ids);
      return fail(ErrorKind::config, fmt::format("unknown check '{}'{}", printable(id, 40),
                                                 near.empty() ? "; mrascheck list checks shows them"
                                                              : fmt::format("; did you mean '{}'?", near)));
    }
  }
  const auto named = [](const std::vector<std::string>& list, std::string_view id) {
    return std::find(list.begin(), list.end(), id) != list.end();
  };
  std::vector<const Check*> chosen;
  for (const Check* check : checks::all()) {
    if ((only.empty() || named(only, check->id)) && !named(skip, check->id)) chosen.push_back(check);
  }
  if (chosen.empty()) return fail(ErrorKind::config, "no check is left: --only and --skip exclude them all");
  return chosen;
}

Result<Evidence> look(const Config& config, bool progress) {
  const auto& door = run::door();
  if (!door) return tl::unexpected(door.error());
  const SignalWatch signals;
  run::Options options;
  options.now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  options.vantage = host_name();
  options.stop = signals.token();
  if (progress) {
    options.progress = [](std::size_t done, std::size_t all, const std::string& what) {
      std::cerr << fmt::format("\r\033[K[{}/{}] {}", done, all, printable(what, 60)) << std::flush;
    };
  }
  Evidence evidence = (*door)->collect(config, make_plan(config), options);
  if (progress) std::cerr << "\r\033[K" << std::flush;
  return evidence;
}

Result<void> write_file(const std::string& path, const std::string& content) {
  const auto problem = [&] { return fail(ErrorKind::local, fmt::format("{}: {}", path, std::strerror(errno))); };
  // A symbolic link stays one: what it points to is written. One that points to nothing yet is replaced.
  std::string target = path;
  if (char* real = ::realpath(path.c_str(), nullptr)) {
    target = real;
    std::free(real);
  }
  struct stat found {};
  // A pipe, a terminal or /dev/null is written to: what a rename would put in its place is not what was meant.
  const bool direct = ::stat(target.c_str(), &found) == 0 && !S_ISREG(found.st_mode);
  const std::string temporary = direct ? target : fmt::format("{}.{}.part", target, ::getpid());
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CLOEXEC | (direct ? 0 : O_CREAT | O_EXCL), 0666);
  if (file < 0) return problem();
  std::size_t written = 0;
  bool fine = true;
  while (fine && written < content.size()) {
    const ssize_t n = ::write(file, content.data() + written, content.size() - written);
    if (n > 0) {
      written += static_cast<std::size_t>(n);
    } else {
      fine = n < 0 && errno == EINTR;
    }
  }
  fine = fine && (direct || ::fsync(file) == 0);
  auto result = fine ? Result<void>{} : Result<void>{problem()};
  ::close(file);
  if (direct) return result;
  if (result && ::rename(temporary.c_str(), target.c_str()) != 0) result = problem();
  if (!result) ::unlink(temporary.c_str());
  return result;
}

Result<std::size_t> parse_max_output(const std::string& text) {
  constexpr std::size_t least = 256;  // a first line, and the note on what was left out
  std::size_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error == std::errc{} && end == text.data() + text.size() && bytes >= least) return bytes;
  return fail(ErrorKind::config,
              fmt::format("--max-output {}: not a number of bytes, {} or more", printable(text, 40), least));
}

Result<void> deadline_fits(const Limits& limits) {
  if (limits.quiet < limits.deadline) return {};
  return fail(ErrorKind::config, fmt::format("the deadline must be longer than the quiet time of {:g} s",
                                             std::chrono::duration<double>(limits.quiet).count()));
}

Status flushed(Streams io, Status status) {
  if (io.out.flush()) return status;
  io.err << "standard output could not be written\n";
  return worst(status, Status::unknown);
}

int refuse(std::ostream& out, std::string_view headline, const std::vector<std::string>& problems) {
  out << "UNKNOWN: " << headline << '\n';
  for (const std::string& problem : problems) out << problem << '\n';
  return exit_code(Status::unknown);
}

}  // namespace mrascheck::cli

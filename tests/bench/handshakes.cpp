// SPDX-License-Identifier: Apache-2.0
#include "handshakes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runner.hpp"
#include "support/name_server.hpp"
#include "support/openssl_cli.hpp"
#include "support/temp_dir.hpp"

namespace mrascheck::bench {
namespace {

constexpr const char* edge_name = "edge.contoso.example";
constexpr std::size_t front_ends = 100;
constexpr std::chrono::milliseconds name_delay{20};

/// A Front End's and an Edge's certificate, three of each sent, below one root; RSA-2048 throughout.
class Identities {
 public:
  Identities() {
    constexpr const char* rsa = "rsa:2048";
    const std::string leaf = "extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:";
    openssl_.self_signed("root", "/CN=Contoso Root CA", test::ca_extensions, rsa);
    openssl_.self_signed("stranger", "/CN=Fabrikam Root CA", test::ca_extensions, rsa);
    openssl_.issued("policy", "/CN=Contoso Policy CA", "root", test::ca_extensions, rsa);
    openssl_.issued("issuing", "/CN=Contoso Issuing CA", "policy", test::ca_extensions, rsa);
    openssl_.issued("edge", std::string{"/CN="} + edge_name, "issuing", leaf + edge_name, rsa);
    openssl_.issued("fe0", "/CN=fe0.contoso.example", "issuing", leaf + "fe0.contoso.example", rsa);
    openssl_.shell(
        "for i in $(seq 1 99); do printf 'extendedKeyUsage=serverAuth,clientAuth\\nsubjectAltName=DNS:fe%d."
        "contoso.example\\n' $i > fe$i.ext; openssl req -new -key fe0.key -subj /CN=fe$i.contoso.example | openssl "
        "x509 "
        "-req -CA issuing.crt -CAkey issuing.key -set_serial $((9000 + i)) -days 300 -extfile fe$i.ext -out fe$i.crt; "
        "done; for i in $(seq 0 99); do cat fe$i.crt issuing.crt policy.crt > fe$i.pem; done; cat edge.crt issuing.crt "
        "policy.crt > edge.pem; cp fe0.pem fe.pem; cp fe0.key fe.key; cat issuing.crt policy.crt > chain.pem; cp "
        "root.crt root.pem; cp stranger.crt stranger.pem");
  }
  std::string operator/(const std::string& name) const { return openssl_.dir() / name; }
  std::string directory() const { return openssl_.dir() / ""; }

 private:
  test::OpensslCli openssl_;
};

const Identities& identities() {
  static const Identities made;
  return made;
}

struct Place {
  std::string address;
  std::string port;
  std::string behaviour;
};

std::string loopback(std::size_t number) {
  return fmt::format("127.1.{}.{}", number / 250, number % 250 + 1);
}

/// mrascheck-bench-farm, up and listening.
class Farm {
 public:
  explicit Farm(const std::vector<std::string>& behaviours) {
    int in[2];
    int out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) give_up("pipe");
    const std::string program = bin + "/mrascheck-bench-farm";
    const std::string directory = identities().directory();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::execl(program.c_str(), program.c_str(), directory.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    in_ = in[1];
    out_ = out[0];
    for (std::size_t i = 0; i < behaviours.size(); ++i) say(loopback(i) + " " + behaviours[i] + "\n");
    say("\n");
    for (const std::string& behaviour : behaviours) {
      const std::string line = next_line();
      const std::size_t space = line.find(' ');
      places_.push_back({line.substr(0, space), line.substr(space + 1), behaviour});
    }
  }
  Farm(const Farm&) = delete;
  Farm& operator=(const Farm&) = delete;
  ~Farm() {
    ::close(in_);
    ::close(out_);
    ::waitpid(pid_, nullptr, 0);
  }

  const std::vector<Place>& places() const { return places_; }
  /// That the farm has seen so many handshakes through, and answered as many requests, since it was last asked.
  void must_have_seen(const std::string& who, std::size_t handshakes, std::size_t answers) {
    const std::string seen = seen_since();
    const std::string wanted = fmt::format("{} {}", handshakes, answers);
    if (seen != wanted)
      give_up(fmt::format("{}: the farm saw '{}' handshakes and answers, not '{}'", who, seen, wanted));
  }
  std::string seen_since() {
    say("?\n");
    return next_line();
  }

 private:
  void say(const std::string& text) const {
    if (::write(in_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) give_up("the farm has gone");
  }
  std::string next_line() {
    for (;;) {
      const std::size_t end = read_.find('\n');
      if (end != std::string::npos) {
        std::string line = read_.substr(0, end);
        read_.erase(0, end + 1);
        return line;
      }
      char buffer[4096];
      pollfd ready{out_, POLLIN, 0};
      const ssize_t got = ::poll(&ready, 1, 60'000) == 1 ? ::read(out_, buffer, sizeof buffer) : -1;
      if (got <= 0) give_up("the farm does not come up");
      read_.append(buffer, static_cast<std::size_t>(got));
    }
  }

  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::string read_;
  std::vector<Place> places_;
};

std::size_t count_of(const std::string& text, const std::string& words) {
  std::size_t found = 0;
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + words.size())) ++found;
  return found;
}

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Something that is run by turns with others.
struct Competitor {
  std::string name;
  std::function<Cost()> run;
  double times = 1;  ///< what it does is so many times too little
  std::vector<Cost> costs = {};
};

void take_turns(std::vector<Competitor>& all, int turns) {
  for (Competitor& one : all) one.run();
  for (int turn = 0; turn < turns; ++turn) {
    for (Competitor& one : all) one.costs.push_back(one.run());
  }
}

void print_ratio(const std::string& what, const Competitor& ours, const Competitor& theirs, double Cost::*figure,
                 double bound) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.costs.size(); ++i)
    ratios.push_back(ours.costs[i].*figure * ours.times / (theirs.costs[i].*figure * theirs.times));
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  const double middle = median_of(ratios);
  const std::string limit = bound > 0 ? fmt::format("; bound {:.2f}{}", bound, middle <= bound ? "" : ": MISSED") : "";
  std::cout << fmt::format("{}: {:.3f} ({:.3f} to {:.3f} over {} turns{})\n", what, middle, *least, *most,
                           ratios.size(), limit)
            << std::flush;
}

void print_value(const std::string& what, double value, const char* unit, double bound) {
  std::cout << fmt::format("{}: {:.3f} {} (bound {:.3f}{})\n", what, value, unit, bound,
                           value <= bound ? "" : ": MISSED")
            << std::flush;
}

void print_load(const char* when) {
  double load[3] = {};
  if (::getloadavg(load, 3) == 3) std::cout << fmt::format("load {}: {:.2f}\n", when, load[0]) << std::flush;
}

class Bench {
 public:
  void run();

 private:
  std::string targets(const Farm& farm, std::size_t count) const {
    std::string lines;
    for (std::size_t i = 0; i < count; ++i) lines += farm.places()[i].address + " " + farm.places()[i].port + "\n";
    return dir_.write("targets", lines);
  }

  struct Site {
    std::size_t front_ends = 1;
    bool by_name = false;  ///< addresses are asked for
    std::string limits = "step: 10s, deadline: 120s";
    std::string more_stores = {};  ///< lines of `stores`
    std::string more_trusts = {};
    std::string network = {};
  };
  std::string site(const Farm& farm, const Site& how, const std::string& file = "site.yaml") const {
    std::string text = fmt::format(
        "site: bench\n{}stores:\n  - {{name: roots, kind: root, file: {}}}\n{}mras: {{identity: "
        "\"sip:probe@contoso.example\", location: intranet}}\nlimits: {{{}}}\nservers:\n",
        how.network, identities() / "root.pem", how.more_stores, how.limits);
    for (std::size_t f = 0; f < how.front_ends; ++f)
      text += fmt::format(
          "  - {{name: fe{}.contoso.example, role: front-end, certificate: {}, key: {}, trusts: [roots{}]}}\n", f,
          identities() / fmt::format("fe{}.pem", f), identities() / "fe0.key", how.more_trusts);
    std::string links = "links:\n";
    for (std::size_t i = 0; i < farm.places().size(); ++i) {
      const Place& place = farm.places()[i];
      text += fmt::format("  - {{name: e{}.contoso.example, role: edge, pool: {}{}}}\n", i, edge_name,
                          how.by_name ? std::string{} : ", addresses: [" + place.address + "]");
      for (std::size_t f = 0; f < how.front_ends; ++f)
        links +=
            fmt::format("  - {{from: fe{}.contoso.example, to: e{}.contoso.example, port: {}}}\n", f, i, place.port);
    }
    return dir_.write(file, text + links);
  }

  Runner ours(const std::string& config, int exit_code) const {
    return {{bin + "/mrascheck", "check", "-c", config, "--format", "json"}, exit_code, "\"status\""};
  }
  static void must_name(const Farm& farm, const std::string& report) {
    for (std::size_t i = 0; i < farm.places().size(); ++i) {
      const Place& place = farm.places()[i];
      if (report.find(fmt::format("e{}.contoso.example ({}:{})", i, place.address, place.port)) == std::string::npos)
        give_up("the report leaves out a link to one that is " + place.behaviour);
    }
  }
  /// Runs ours and looks whether the report has `granted` links with credentials and a word on each link.
  Cost measured(Farm& farm, const Runner& runner, std::size_t handshakes, std::size_t granted) {
    const Cost cost = cost_of(runner, dir_ / "ours");
    farm.must_have_seen("mrascheck", handshakes, granted);
    const std::string report = dir_.read("ours");
    const std::size_t credentials = count_of(report, granted_words);
    if (credentials != granted)
      give_up(fmt::format("the report has {} links with credentials, not {}: {}", credentials, granted, dir_ / "ours"));
    must_name(farm, report);
    return cost;
  }

  void thousand();
  void bad_ones();
  void dead_ones();
  void hundred_by_hundred();
  void names();
  void many_authorities();
  void one_cold();

  static constexpr const char* granted_words = "credentials for";
  test::TempDir dir_;
  Cost healthy_;  ///< of ours at 1,000 links, medians
};

void Bench::thousand() {
  constexpr std::size_t links = 1'000;
  constexpr std::size_t sample = 100;
  Farm farm(std::vector<std::string>(links, "good"));
  const std::string list = targets(farm, links);
  const std::string said = fmt::format("{} said 200 OK\n", links);
  const Runner ours_runner = ours(site(farm, {}), 0);
  const auto peer = [&](const Runner& runner, const std::string& who) {
    return [&, runner, who] {
      const Cost cost = cost_of(runner, dir_ / "peer");
      farm.must_have_seen(who, links, links);
      return cost;
    };
  };
  const Runner floor_runner{{bin + "/mrascheck-bench-dialler", identities().directory(), list}, 0, said};
  const Runner python_runner{
      {"/usr/bin/python3", std::string{MRASCHECK_BENCH_DIR} + "/dialler.py", identities().directory(), list}, 0, said};
  const auto s_clients = [&] {
    Cost all;
    for (std::size_t i = 0; i < sample; ++i) {
      const Place& place = farm.places()[i];
      const Cost one = cost_of(
          {{"openssl", "s_client", "-connect", place.address + ":" + place.port, "-cert", identities() / "fe0.crt",
            "-key", identities() / "fe0.key", "-cert_chain", identities() / "chain.pem", "-CAfile",
            identities() / "root.pem", "-verify_return_error", "-servername", edge_name},
           0,
           "Verify return code: 0 (ok)"},
          dir_ / "peer");
      all.wall += one.wall;
      all.cpu += one.cpu;
    }
    farm.seen_since();  // it leaves without waiting whether the server is content: not every handshake counts there
    return all;
  };
  std::vector<Competitor> all;
  all.push_back({"floor", peer(floor_runner, "the floor")});
  all.push_back({"ours", [&] { return measured(farm, ours_runner, links, links); }});
  all.push_back({"floor again", peer(floor_runner, "the floor")});
  all.push_back({"python", peer(python_runner, "asyncio")});
  all.push_back({"s_client", s_clients, static_cast<double>(links) / sample});
  take_turns(all, 7);
  const Competitor &floor = all[0], &own = all[1], &again = all[2], &python = all[3], &s_client = all[4];
  print_ratio("A/A: the floor to itself, CPU", again, floor, &Cost::cpu, 0);
  print_ratio("A/A: the floor to itself, wall", again, floor, &Cost::wall, 0);
  print_ratio("1,000 links and the report, CPU to the floor", own, floor, &Cost::cpu, 1.15);
  print_ratio("the same, wall to the floor", own, floor, &Cost::wall, 1.15);
  print_ratio("the same, peak memory to the floor", own, floor, &Cost::peak, 2.0);
  print_ratio("the same, wall to openssl s_client per link", own, s_client, &Cost::wall, 0.18);
  print_ratio("the same, CPU to openssl s_client per link", own, s_client, &Cost::cpu, 0.18);
  print_ratio("the same, wall to Python's asyncio", own, python, &Cost::wall, 1.0);
  print_ratio("the same, CPU to Python's asyncio", own, python, &Cost::cpu, 1.0);
  print_ratio("Python's asyncio, CPU to the floor", python, floor, &Cost::cpu, 0);
  const auto medians = [&](double Cost::*figure) {
    std::vector<double> values;
    for (const Cost& cost : own.costs) values.push_back(cost.*figure);
    return median_of(values);
  };
  healthy_ = {medians(&Cost::wall), medians(&Cost::cpu), medians(&Cost::peak)};
  std::cout << fmt::format("1,000 links: {:.2f} s wall, {:.2f} s CPU, {:.0f} MiB\n", healthy_.wall, healthy_.cpu,
                           healthy_.peak);
}

void Bench::bad_ones() {
  constexpr double step = 3.0;
  std::vector<std::string> behaviours;
  for (std::size_t i = 0; i < 1'000; ++i) {
    const std::size_t bad = i % 7 == 3 ? i / 7 : 1'000;  // spread out
    behaviours.emplace_back(bad < 50    ? "tarpit"
                            : bad < 60  ? "mute"
                            : bad < 65  ? "half"
                            : bad < 95  ? "refuse"
                            : bad < 120 ? "reset"
                            : bad < 143 ? "reject"
                                        : "good");
  }
  // i % 7 == 3 has 143 of the first 1,000; two more make 145.
  behaviours[0] = behaviours[1] = "endless";
  Farm farm(behaviours);
  const auto good = static_cast<std::size_t>(std::count(behaviours.begin(), behaviours.end(), "good"));
  const Runner runner = ours(site(farm, {.limits = fmt::format("step: {}s, deadline: 60s", step)}), 2);
  std::vector<double> beyond;
  for (int turn = 0; turn < 3; ++turn) {
    const Cost cost = cost_of(runner, dir_ / "ours");
    const std::string report = dir_.read("ours");
    const std::size_t granted = count_of(report, granted_words);
    if (granted != good) give_up(fmt::format("{} of {} good links have credentials", granted, good));
    must_name(farm, report);
    beyond.push_back((cost.wall - step) / healthy_.wall);
  }
  print_value(fmt::format("1,000 links, {} of them bad: wall beyond the step limit to the healthy run", 1'000 - good),
              median_of(beyond), "", 1.2);
}

void Bench::dead_ones() {
  constexpr double step = 3.0;
  std::vector<std::string> behaviours;
  for (int i = 0; i < 900; ++i) behaviours.emplace_back(i % 2 == 0 ? "tarpit" : "full");
  Farm farm(behaviours);
  const Runner runner = ours(site(farm, {.limits = fmt::format("step: {}s, deadline: 60s", step)}), 2);
  std::vector<double> beyond;
  std::vector<double> peak;
  for (int turn = 0; turn < 3; ++turn) {
    const Cost cost = measured(farm, runner, 0, 0);
    beyond.push_back(cost.wall - step);
    peak.push_back(cost.peak);
  }
  print_value("900 dead links: beyond the step limit", median_of(beyond), "s", 0.5);
  print_value("the same, peak memory", median_of(peak), "MiB", 100);
}

void Bench::hundred_by_hundred() {
  constexpr std::size_t side = front_ends;
  Farm farm(std::vector<std::string>(side, "good"));
  std::mutex mutex;
  std::set<std::string> names;
  const test::NameServer server(
      [&](const std::string& name, bool six) {
        const std::lock_guard lock(mutex);
        names.insert(name);
        const std::size_t number = static_cast<std::size_t>(std::atol(name.c_str() + 1));
        return test::NameServer::Reply{
            0, six ? std::vector<std::string>{} : std::vector{farm.places().at(number).address}};
      },
      name_delay);
  const std::string network = fmt::format("network: {{name-servers: \"{}\"}}\n", server.address());
  const std::string config = site(farm, {.front_ends = side, .by_name = true, .network = network});
  Runner runner = ours(config, 0);
  const Cost cost = measured(farm, runner, side * side, side * side);
  print_value("100 by 100 servers: CPU of a link to that at 1,000 links",
              cost.cpu / static_cast<double>(side * side) / (healthy_.cpu / 1'000), "", 1.1);
  std::cout << fmt::format("the same: {:.2f} s wall, {:.2f} s CPU, {:.0f} MiB; {} names asked for, {} questions\n",
                           cost.wall, cost.cpu, cost.peak, names.size(), server.questions());
  const std::string counter = dir_ / "contexts";
  runner.arguments.insert(runner.arguments.begin(), {"/usr/bin/env", "MRASCHECK_BENCH_CONTEXTS=" + counter,
                                                     "LD_PRELOAD=" + bin + "/mrascheck-bench-count-contexts.so"});
  measured(farm, runner, side * side, side * side);
  std::cout << fmt::format("the same: {} SSL_CTX made\n", std::stoi(dir_.read("contexts"))) << std::flush;
}

void Bench::names() {
  Farm farm(std::vector<std::string>(200, "refuse"));
  const test::NameServer server(
      [&](const std::string& name, bool six) {
        const auto number = static_cast<std::size_t>(std::atol(name.c_str() + 1));
        return test::NameServer::Reply{
            0, six ? std::vector<std::string>{} : std::vector{farm.places().at(number).address}};
      },
      name_delay);
  const std::string plain = site(farm, {}, "plain.yaml");
  const std::string named =
      site(farm, {.by_name = true, .network = fmt::format("network: {{name-servers: \"{}\"}}\n", server.address())});
  std::vector<Competitor> all;
  all.push_back({"plain", [&] { return measured(farm, ours(plain, 2), 0, 0); }});
  all.push_back({"named", [&] { return measured(farm, ours(named, 2), 0, 0); }});
  take_turns(all, 5);
  std::vector<double> more;
  for (std::size_t i = 0; i < all[0].costs.size(); ++i) more.push_back(all[1].costs[i].wall - all[0].costs[i].wall);
  print_value("200 names at 20 ms each: what asking for them adds, wall", median_of(more), "s", 0.3);
}

void Bench::many_authorities() {
  const std::string world = dir_ / "authorities";
  cost_of({{bin + "/mrascheck-bench-make", world, "10000", "distinct"}, 0, {}}, dir_ / "output");
  Farm farm(std::vector<std::string>(100, "good"));
  const std::string plain = site(farm, {}, "plain.yaml");
  const std::string config =
      site(farm, {.more_stores = fmt::format("  - {{name: many, kind: root, file: {}/all.pem}}\n", world),
                  .more_trusts = ", many"});
  std::vector<Competitor> all;
  all.push_back({"plain", [&] { return measured(farm, ours(plain, 0), 100, 100); }});
  all.push_back({"many", [&] { return measured(farm, ours(config, 1), 100, 100); }});
  take_turns(all, 15);
  for (const auto& [what, figure] : {std::pair{"wall", &Cost::wall}, std::pair{"CPU", &Cost::cpu}}) {
    std::vector<double> more;
    for (std::size_t i = 0; i < all[0].costs.size(); ++i)
      more.push_back((all[1].costs[i].*figure - all[0].costs[i].*figure) * 1'000);
    print_value(fmt::format("10,000 CAs in the trust set: what they add to 100 links, {}", what), median_of(more), "ms",
                60);
  }
}

void Bench::one_cold() {
  Farm farm({"good"});
  const Place& place = farm.places().front();
  const Runner check{{bin + "/check_mras", "-H", "e0.contoso.example", "--pool", edge_name, "-p", place.port,
                      "--resolve", "e0.contoso.example=" + place.address, "--certificate", identities() / "fe0.pem",
                      "--key", identities() / "fe0.key", "--trust", identities() / "root.pem", "--identity",
                      "sip:probe@contoso.example", "--location", "intranet"},
                     0,
                     "MRAS OK"};
  const Runner s_client{
      {"openssl", "s_client", "-connect", place.address + ":" + place.port, "-cert", identities() / "fe0.crt", "-key",
       identities() / "fe0.key", "-cert_chain", identities() / "chain.pem", "-CAfile", identities() / "root.pem",
       "-verify_return_error", "-servername", edge_name},
      0,
      "Verify return code: 0 (ok)"};
  const Runner floor{
      {bin + "/mrascheck-bench-dialler", identities().directory(), targets(farm, 1)}, 0, "1 said 200 OK\n"};
  const auto run = [&](const Runner& runner) { return [&, runner] { return cost_of(runner, dir_ / "one"); }; };
  std::vector<Competitor> all;
  all.push_back({"s_client", run(s_client)});
  all.push_back({"ours", run(check)});
  all.push_back({"s_client again", run(s_client)});
  all.push_back({"floor", run(floor)});
  take_turns(all, 101);
  print_ratio("A/A: s_client to itself, wall", all[2], all[0], &Cost::wall, 0);
  print_ratio("one cold link with SERVICE, wall to s_client without", all[1], all[0], &Cost::wall, 1.2);
  print_ratio("the same, CPU", all[1], all[0], &Cost::cpu, 0);
  print_ratio("the floor's one cold link with SERVICE, wall to s_client", all[3], all[0], &Cost::wall, 0);
}

void Bench::run() {
  print_load("at first");
  thousand();
  bad_ones();
  dead_ones();
  hundred_by_hundred();
  names();
  many_authorities();
  one_cold();
  print_load("at last");
}

}  // namespace

void handshakes() {
  Bench().run();
}

}  // namespace mrascheck::bench

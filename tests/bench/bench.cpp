// SPDX-License-Identifier: Apache-2.0
// Ratios against programs that we did not write, by turns in one run (A B A B ...): the median of the per-turn ratios,
// with the smallest and the greatest. Every answer is checked before its time counts. Absolute times mean nothing here.
// mrascheck-bench runs all, mrascheck-bench NAME one: the names are in main(). Reading stores is measured against
// floor.cpp, on worlds of make_authorities.cpp; all three can be run and profiled by hand.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <regex>
#include <string>
#include <vector>

#include "handshakes.hpp"
#include "runner.hpp"
#include "sip.hpp"
#include "stores.hpp"
#include "support/slapd.hpp"
#include "support/temp_dir.hpp"
#include "traces.hpp"

namespace mrascheck {
namespace {

using bench::bin;
using bench::Cost;
using bench::give_up;
using bench::Runner;

void compare(const std::string& what, const Runner& ours, const Runner& theirs, double bound, int turns) {
  bench::compare(what, ours, theirs, &Cost::wall, bound, turns);
}

/// mrascheck-lab in the background, ready.
class Lab {
 public:
  explicit Lab(const std::string& world) {
    int out[2];
    if (::pipe(out) != 0) give_up("pipe");
    const std::string directory = dir_ / "site";
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::close(out[0]);
      const std::string program = bin + "/mrascheck-lab";
      ::execl(program.c_str(), program.c_str(), "up", world.c_str(), "--dir", directory.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    std::string line;
    char c = 0;
    pollfd ready{out[0], POLLIN, 0};
    while (c != '\n') {
      if (::poll(&ready, 1, 60'000) <= 0 || ::read(out[0], &c, 1) != 1) give_up("the lab did not come up");
      line.push_back(c);
    }
    output_ = out[0];
  }
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;
  ~Lab() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    ::close(output_);
  }
  std::string path(const std::string& name) const { return dir_ / ("site/" + name); }
  std::string content(const std::string& name) const { return dir_.read("site/" + name); }
  const test::TempDir& dir() const { return dir_; }

 private:
  test::TempDir dir_;
  pid_t pid_ = -1;
  int output_ = -1;
};

std::string port_of(const Lab& lab) {
  std::smatch found;
  const std::string site = lab.content("site.yaml");
  if (!std::regex_search(site, found, std::regex("port: ([0-9]+)"))) give_up("no port in site.yaml");
  return found[1];
}

void start_up() {
  const Runner peer{{"/usr/lib/nagios/plugins/check_tcp", "--version"}, 3, "check_tcp"};
  compare("start-up: mrascheck --version to check_tcp --version", {{bin + "/mrascheck", "--version"}, 0, "mrascheck"},
          peer, 1.0, 101);
  compare("start-up: mrascheck --help to check_tcp --version", {{bin + "/mrascheck", "--help"}, 0, "Commands"}, peer,
          1.0, 101);
}

void one_cold_check() {
  const Lab lab("healthy");
  const std::string port = port_of(lab);
  const Runner ours{{bin + "/check_mras",
                     "-H",
                     "edge1.contoso.example",
                     "--pool",
                     "edge.contoso.example",
                     "-p",
                     port,
                     "--resolve",
                     "edge1.contoso.example=127.0.0.11",
                     "--certificate",
                     lab.path("pki/fe1.pem"),
                     "--key",
                     lab.path("pki/fe1.key"),
                     "--trust",
                     lab.path("stores/edge-root.pem"),
                     "--store",
                     lab.path("stores/fe1-intermediate.pem"),
                     "--chain",
                     "stores",
                     "--identity",
                     "sip:probe@contoso.example",
                     "--location",
                     "intranet"},
                    0,
                    "MRAS OK"};
  const Runner theirs{{"openssl", "s_client", "-connect", "127.0.0.11:" + port, "-cert", lab.path("pki/fe1.pem"),
                       "-key", lab.path("pki/fe1.key"), "-cert_chain", lab.path("stores/fe1-intermediate.pem"),
                       "-CAfile", lab.path("stores/edge-root.pem"), "-verify_return_error"},
                      0,
                      "Verify return code: 0 (ok)"};
  compare("one cold mutual TLS check with SERVICE to one s_client", ours, theirs, 1.5, 51);
}

/// A socket that accepts (the kernel does) and never says a word.
int silent_listener(std::uint16_t& port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 8) != 0)
    give_up("listen");
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return listener;
}

void many_links() {
  constexpr int good = 150;
  constexpr int silent = 50;
  constexpr double step = 3.0;
  const Lab lab("healthy");
  const std::string port = port_of(lab);
  std::string site = fmt::format(
      "site: many\nstores:\n  - name: roots\n    kind: mixed\n    file: [stores/edge-root.pem, "
      "stores/fe1-intermediate.pem]\n"
      "mras: {{identity: \"sip:probe@contoso.example\", location: intranet}}\nlimits: {{step: {}s, deadline: "
      "40s}}\nservers:\n"
      "  - {{name: fe1.contoso.example, role: front-end, certificate: pki/fe1.pem, key: pki/fe1.key, chain: stores, "
      "trusts: "
      "[roots]}}\n",
      step);
  std::string links = "links:\n";
  std::vector<int> listeners;
  for (int i = 0; i < good + silent; ++i) {
    std::string where = port;
    std::string address = i % 2 == 0 ? "127.0.0.11" : "127.0.0.12";
    if (i >= good) {
      std::uint16_t free_port = 0;
      listeners.push_back(silent_listener(free_port));
      where = std::to_string(free_port);
      address = "127.0.0.1";
    }
    site += fmt::format("  - {{name: e{}.contoso.example, role: edge, pool: edge.contoso.example, addresses: [{}]}}\n",
                        i, address);
    links += fmt::format("  - {{from: fe1.contoso.example, to: e{}.contoso.example, port: {}}}\n", i, where);
  }
  const std::string path = lab.dir().write("site/many.yaml", site + links);
  const std::string json = lab.dir() / "many.json";
  const double seconds =
      bench::cost_of({{bin + "/mrascheck", "check", "-c", path, "--format", "json"}, 2, "\"status\""}, json).wall;
  const std::string report = lab.dir().read("many.json");
  std::size_t granted = 0;
  for (std::size_t at = report.find("credentials for"); at != std::string::npos;
       at = report.find("credentials for", at + 1))
    ++granted;
  for (const int listener : listeners) ::close(listener);
  if (granted != good) give_up(fmt::format("only {} of {} good links were reported", granted, good));
  std::cout
      << fmt::format(
             "200 links, 50 of them silent, all 150 good ones reported: {:.2f} s beyond the step limit (bound 1.00)\n",
             seconds - step)
      << std::flush;
}

void directory() {
  constexpr int authorities = 10'000;
  const test::TestCa ca("CN=Bench Root");
  test::SlapdSettings settings;
  settings.database = "sizelimit unlimited\n";
  for (int i = 0; i < authorities; ++i) {
    const std::string name = fmt::format("CN=Bench CA {:05}", i);
    settings.entries += test::ca_entry(name + ",CN=AIA", {ca.ca_certificate(name, i + 2)}) + "\n";
  }
  const test::Slapd slapd(settings);
  const test::TempDir dir;
  const std::string site =
      dir.write("site.yaml", fmt::format("site: bench\nstores:\n  - name: ad\n    ldap: {}\nservers:\n"
                                         "  - {{name: fe1.contoso.example, role: front-end, trusts: [ad]}}\n"
                                         "links: []\n",
                                         slapd.ldap()));
  const Runner ours{{bin + "/mrascheck", "check", "-c", site, "--only", "same-name-issuers", "--format", "plugin"},
                    0,
                    fmt::format("store_certificates={}", authorities)};
  const Runner theirs{{"ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-E", "pr=1000/noprompt", "-H", slapd.ldap(),
                       "-b", test::Slapd::services, "(cACertificate=*)", "cACertificate"},
                      0,
                      "Bench CA 09999"};
  compare("10,000 CA certificates fetched and analysed to ldapsearch of the same", ours, theirs, 1.5, 15);
}

}  // namespace
}  // namespace mrascheck

int main(int argc, char** argv) {
  const std::vector<std::pair<std::string, void (*)()>> parts{
      {"start-up", mrascheck::start_up},          {"cold", mrascheck::one_cold_check},
      {"links", mrascheck::many_links},           {"handshakes", mrascheck::bench::handshakes},
      {"directory", mrascheck::directory},        {"stores", mrascheck::bench::stores},
      {"shapes", mrascheck::bench::store_shapes}, {"threads", mrascheck::bench::store_threads},
      {"fleet", mrascheck::bench::store_fleet},   {"mesh", mrascheck::bench::mesh},
      {"traces", mrascheck::bench::traces},       {"sip", mrascheck::bench::sip}};
  try {
    for (const auto& [name, run] : parts) {
      if (argc < 2 || argv[1] == name) run();
    }
  } catch (const std::exception& problem) {
    std::cerr << "bench: " << problem.what() << '\n';
    return 1;
  }
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// What a network does to a check: two namespaces of their own with a cable between them, openssl s_server in one and
// mrascheck in the other, and the rules of a firewall on the server's side.
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "cli/edge_pki.hpp"
#include "core/handshake.hpp"
#include "support/program.hpp"
#include "support/recording.hpp"

namespace mrascheck::test {
namespace {

using testing::HasSubstr;

struct NetworkCase {
  const char* name;
  const char* chain;    ///< of nftables, at the server: input or output
  const char* rule;     ///< nullptr: none
  const char* command;  ///< for a shell; may be empty
  const char* service;
  Phase phase;
  Outcome outcome;
  const char* detail;
};

const NetworkCase network_cases[]{
    {"Healthy", "input", nullptr, "", "tls", Phase::done, Outcome::completed, ""},
    {"NoAnswerToSyn", "input", "tcp dport 5062 drop", "", "tls", Phase::connect, Outcome::timed_out,
     "no answer within 1 s"},
    {"ResetOnSyn", "input", "tcp dport 5062 reject with tcp reset", "", "tls", Phase::connect, Outcome::refused,
     "Connection refused"},
    {"PortUnreachable", "input", "tcp dport 5062 reject with icmp type port-unreachable", "", "tls", Phase::connect,
     Outcome::refused, "Connection refused"},
    {"Prohibited", "input", "tcp dport 5062 reject with icmp type admin-prohibited", "", "tls", Phase::connect,
     Outcome::unreachable, "No route to host"},
    {"HostUnreachable", "input", "tcp dport 5062 reject with icmp type host-unreachable", "", "tls", Phase::connect,
     Outcome::unreachable, "No route to host"},
    {"NoRoute", "input", nullptr, "ip link set v0 down", "tls", Phase::connect, Outcome::unreachable,
     "Network is unreachable"},
    // From here on, by what a segment begins with: 22 is a handshake, 23 is what stands inside TLS.
    {"ClientHelloDropped", "input", "tcp dport 5062 @ih,0,8 22 drop", "", "tls", Phase::tls, Outcome::timed_out,
     "no answer within 1 s"},
    {"ClientHelloReset", "input", "tcp dport 5062 @ih,0,8 22 reject with tcp reset", "", "tls", Phase::tls,
     Outcome::reset, "Connection reset by peer"},
    {"ServerHelloDropped", "output", "tcp sport 5062 @ih,0,8 22 drop", "", "tls", Phase::tls, Outcome::timed_out,
     "no answer within 1 s"},
    {"RequestDropped", "input", "tcp dport 5062 @ih,0,8 23 drop", "", "sip", Phase::sip, Outcome::timed_out,
     "no answer within 1 s"},
    {"RequestReset", "input", "tcp dport 5062 @ih,0,8 23 reject with tcp reset", "", "sip", Phase::confirm,
     Outcome::reset, "Connection reset by peer"},
    {"Slow", "input", nullptr, "tc -n edge qdisc add dev v1 root netem delay 200ms", "tls", Phase::done,
     Outcome::completed, ""},
};

/// The end of a shell that could not do what it was told.
constexpr int not_here = 77;

/// All of them at once: they wait, and share nothing but the certificates.
class Networks {
 public:
  static Networks& get() {
    static Networks networks;
    return networks;
  }

  Ended ended(std::size_t index) { return children_[index]->wait(); }
  std::string file(const std::string& name) const { return pki_.file(name); }

 private:
  Networks() {
    pki_.openssl().dir().write(
        "world.sh",
        "mount -t tmpfs none /run && mkdir /run/netns && ip link set lo up && ip netns add edge &&\n"
        "ip link add v0 type veth peer name v1 netns edge && ip addr add 192.0.2.1/24 dev v0 &&\n"
        "ip link set v0 up && ip -n edge addr add 192.0.2.2/24 dev v1 && ip -n edge link set v1 up &&\n"
        "ip netns exec edge nft add table inet t || exit 77\n");
    for (const NetworkCase& row : network_cases) {
      const std::string name = row.name;
      const std::string config = pki_.openssl().dir().write(
          name + ".yaml",
          fmt::format(
              "site: contoso\nlimits: {{step: 1s, quiet: {}}}\nstores: [{{name: roots, kind: root, file: "
              "root.crt}}]\nservers:\n  - {{name: fe1.contoso.example, role: front-end, certificate: fe1.crt, "
              "key: fe1.key, chain: issuing.crt, trusts: roots}}\n  - {{name: edge.contoso.example, role: edge, "
              "addresses: 192.0.2.2}}\nlinks:\n  - {{from: fe1.contoso.example, to: edge.contoso.example, "
              "service: {}}}\n",
              row.outcome == Outcome::reset ? "10s" : "300ms", row.service));  // a reset comes before quiet counts
      const std::string rule =
          row.rule == nullptr
              ? ""
              : fmt::format(
                    "ip netns exec edge nft 'add chain inet t c {{ type filter hook {} priority 0; }}' &&\n"
                    "ip netns exec edge nft 'add rule inet t c {}' || exit 77\n",
                    row.chain, row.rule);
      const std::string script = fmt::format(
          ". {0}/world.sh\ncd {0}\n"
          "ip netns exec edge openssl s_server -accept 192.0.2.2:5062 -www -tls1_2 -cert edge.crt -key edge.key "
          "-cert_chain issuing.crt -CAfile root.crt -Verify 3 </dev/null >{1}.log 2>&1 &\nserver=$!\n"
          "trap 'kill $server' EXIT\n"
          "until ip netns exec edge grep -q '020200C0:13C6 00000000:0000 0A' /proc/net/tcp; do\n"
          "  kill -0 $server || exit 77\n  sleep 0.02\ndone\n"
          "{2}{3} || exit 77\n{4} check -c {5} --only handshake --only port-reachable --only mras-credentials --format "
          "json --record {1}.json\n",
          pki_.openssl().dir().path().string(), name, rule, *row.command == '\0' ? ":" : row.command,
          built("mrascheck"), config);
      children_.push_back(std::make_unique<Child>(
          Command{{"unshare", "--map-root-user", "--net", "--mount", "/bin/sh", "-c", script}, {}, {}}));
    }
  }

  EdgePki pki_;
  std::vector<std::unique_ptr<Child>> children_;
};

class NetworkFaults : public testing::TestWithParam<std::size_t> {};

TEST_P(NetworkFaults, AreToldWithTheirPhase) {
  const Ended may = run({{"unshare", "--map-root-user", "--net", "--mount", "true"}, {}, {}});
  if (may.code != 0) GTEST_SKIP() << "namespaces may not be made here: " << may.err;
  const NetworkCase& row = network_cases[GetParam()];
  const Ended check = Networks::get().ended(GetParam());
  if (check.code == not_here) GTEST_SKIP() << "the kernel does not do this here: " << check.err;
  const Evidence evidence = recording(Networks::get().file(std::string(row.name) + ".json"));
  ASSERT_EQ(evidence.handshakes.size(), 1U) << check.out << check.err;
  const Handshake& record = evidence.handshakes.front();
  EXPECT_EQ(to_string(record.phase), to_string(row.phase));
  EXPECT_EQ(to_string(record.outcome), to_string(row.outcome)) << record.detail;
  EXPECT_THAT(record.detail, HasSubstr(row.detail));
  EXPECT_EQ(check.code, row.outcome == Outcome::completed ? 0 : 2) << check.out;
  if (std::string_view{row.name} == "Slow") EXPECT_GE(record.connect_time, std::chrono::milliseconds(200));
}

INSTANTIATE_TEST_SUITE_P(CommandLine, NetworkFaults, testing::Range<std::size_t>(0, std::size(network_cases)),
                         [](const auto& row) { return std::string(network_cases[row.param].name); });

}  // namespace
}  // namespace mrascheck::test

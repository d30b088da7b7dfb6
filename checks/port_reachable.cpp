// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "checks/common.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array kinds{
    FindingKind{"port-reachable.refused", "the host answered, and nothing listens on the port", {"RFC 9293", "3.5.3"}},
    FindingKind{"port-reachable.timed-out", "nothing answered at all", {"RFC 9293", "3.8.3"}},
    FindingKind{"port-reachable.unreachable", "there is no route to the host", {"RFC 1122", "4.2.3.9"}},
    FindingKind{"port-reachable.local-failure", "this host could not even try", {"RFC 9293", "3.9.1"}},
    FindingKind{"port-reachable.slow", "the connection took longer than its threshold allows", {"RFC 9293", "3.5"}},
    FindingKind{"port-reachable.not-tried", "links for which there was no address to try", {"RFC 1035", "4.1.1"}},
};

Finding connect_finding(const Handshake& handshake, const Link* link) {
  const std::string id = handshake.id();
  // A closed port lets nobody in, but says nothing of what an open one would have done.
  const Status status = link != nullptr && link->expect == Expectation::refuse ? Status::unknown : Status::critical;
  switch (handshake.outcome) {
    case Outcome::refused:
    case Outcome::reset: {
      Finding refused = finding(kinds[0], status, id);
      refused.summary =
          fmt::format("{} refuses connections from here: nothing listens on {}", handshake.to, handshake.endpoint());
      refused.facts = {"on Windows: 10061 (WSAECONNREFUSED)"};
      refused.remedy = fmt::format(
          "On {}: check that the service behind port {} runs (5062 is the A/V Authentication service) and listens on "
          "this address "
          "of its internal interface; a firewall that rejects looks the same.",
          handshake.to, handshake.port);
      return refused;
    }
    case Outcome::timed_out: {
      Finding silent = finding(kinds[1], status, id);
      silent.summary = fmt::format("{} does not answer on {}", handshake.to, handshake.endpoint());
      silent.facts = {"on Windows: 10060 (WSAETIMEDOUT)"};
      silent.remedy = fmt::format(
          "Look for a firewall that drops TCP {} between this host and {}, a wrong address, or a missing route back on "
          "the internal "
          "interface of the Edge (it has no default gateway there).",
          handshake.port, handshake.address);
      return silent;
    }
    case Outcome::unreachable: {
      Finding lost = finding(kinds[2], status, id);
      lost.summary = fmt::format("{} cannot be reached from here: {}", handshake.endpoint(), handshake.detail);
      lost.facts = {"on Windows: 10051 (WSAENETUNREACH) or 10065 (WSAEHOSTUNREACH)"};
      lost.remedy =
          "Check the routes of this host and of the other one, and whether the address is right and the host is up.";
      return lost;
    }
    default: {
      Finding local = finding(kinds[3], Status::unknown, id);
      local.summary = fmt::format("{} could not be tried: {}", handshake.endpoint(), handshake.detail);
      local.remedy =
          "This is about the host that runs the check: look at its limits (open files, memory) and its network.";
      return local;
    }
  }
}

Verdict judge(const Evidence& evidence) {
  Verdict verdict;
  Labels labels;
  const LinksByEnds links{evidence};
  const Thresholds thresholds = evidence.site.policy.of("connect-time");
  for (const Handshake& handshake : evidence.handshakes) {
    ++verdict.examined;
    const std::string label =
        labels.unique(fmt::format("tcp_{}_{}", short_host(handshake.from), short_host(handshake.to)));
    if (handshake.phase == Phase::connect) {
      verdict.findings.push_back(connect_finding(handshake, links.of(handshake)));
      verdict.findings.back().servers = {handshake.from, handshake.to};
      verdict.perfdata.push_back({label, std::nullopt, "s", thresholds.warning, thresholds.critical, 0, std::nullopt});
      continue;
    }
    const double seconds = std::chrono::duration<double>(handshake.connect_time).count();
    verdict.notes.push_back({handshake.id(), fmt::format("TCP connection in {:.1f} ms", seconds * 1000)});
    verdict.perfdata.push_back({label, seconds, "s", thresholds.warning, thresholds.critical, 0, std::nullopt});
    const Status slow = status_of(seconds, thresholds);
    if (slow != Status::ok) {
      Finding& late = verdict.findings.emplace_back(finding(kinds[4], slow, handshake.id()));
      late.summary = fmt::format("{} answered on {} only after {:.3f} s", handshake.to, handshake.endpoint(), seconds);
      late.remedy = "Look at the load of the network between the two, or set other thresholds for connect-time.";
    }
  }
  auto untried = links_not_reaching(evidence, Phase::connect, [](const Link&) { return true; });
  if (!untried.empty()) {
    Finding& skipped = verdict.findings.emplace_back(finding(kinds[5], Status::unknown, evidence.site.name));
    skipped.summary = fmt::format("{} could not be tried", count(untried.size(), "link"));
    skipped.facts = std::move(untried);
    skipped.remedy = "See names-resolve: give the names their addresses first.";
  }
  return verdict;
}

}  // namespace

extern const Check port_reachable;
constinit const Check port_reachable{.id = "port-reachable",
                                     .title = "every address of every link accepts connections",
                                     .needs = Needs::handshakes | Needs::names,
                                     .kinds = kinds,
                                     .judge = judge};

}  // namespace mrascheck::checks

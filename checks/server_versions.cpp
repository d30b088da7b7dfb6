// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "checks/common.hpp"
#include "core/builds.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array kinds{
    FindingKind{"server-versions.edge-behind",
                "an Edge has fewer updates than a Front End that it serves",
                {"dodeitte, Issues with MRAS and Limited External Calling", "issue 2"}},
    FindingKind{"server-versions.pool-differs",
                "members of one pool have different updates",
                {"Microsoft Learn, Updates for Skype for Business Server", "installation"}},
    FindingKind{
        "server-versions.out-of-support", "the product gets no updates any more", {"Microsoft Lifecycle", "end date"}},
    FindingKind{"server-versions.unknown-build",
                "a version that is no known product's",
                {"Microsoft Learn, Get-CsServerPatchVersion", "description"}},
};

enum Kind : std::size_t { edge_behind, pool_differs, out_of_support, unknown_build };

constexpr std::string_view connection_failed = "0xC3E93C69";

std::optional<ServerVersion> version_of(const Server* server) {
  return server == nullptr ? std::nullopt : parse_server_version(server->patch_level);
}

/// "4.0.7577.230 (Lync Server 2010, CU12, April 2014)".
std::string describe_version(const Server& server) {
  const auto version = version_of(&server);
  if (!version) return server.patch_level;
  const ServerProduct* product = product_of(*version);
  if (product == nullptr) return server.patch_level;
  return fmt::format("{} ({}, {})", server.patch_level, product->name, release_of(*version));
}

/// The answer that was seen when an Edge without the Front End's updates refused it.
const Handshake* failed_connection(const Evidence& evidence, const std::string& from, const std::string& to) {
  for (const Handshake& handshake : evidence.handshakes) {
    if (handshake.from != from || handshake.to != to || !handshake.mras) continue;
    for (const MsDiagnostics& diagnostics : handshake.mras->diagnostics) {
      const std::string result = to_lower(diagnostics.parameter("HRESULT"));
      if (diagnostics.id == 2 && result.find(to_lower(connection_failed)) != std::string::npos) return &handshake;
    }
  }
  return nullptr;
}

void judge_edges(const Evidence& evidence, Verdict& verdict) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const Link& link : evidence.site.links) {
    if (link.service != Service::mras || link.expect != Expectation::accept) continue;
    const Server* front_end = evidence.site.server(link.from);
    const Server* edge = evidence.site.server(link.to);
    const auto ours = version_of(front_end);
    const auto theirs = version_of(edge);
    if (!ours || !theirs || product_of(*ours) == nullptr || product_of(*theirs) == nullptr) continue;
    if (edge->role != Role::edge || front_end->role != Role::front_end) continue;
    if (!(*theirs < *ours) || !seen.emplace(link.from, link.to).second) continue;
    Finding found = finding(kinds[edge_behind], Status::warning, fmt::format("{} -> {}", link.from, link.to));
    found.servers = {link.from, link.to};
    found.summary = fmt::format("{} has fewer updates than {}, which asks it for credentials", link.to, link.from);
    found.facts.push_back(fmt::format("{}: {}", link.to, describe_version(*edge)));
    found.facts.push_back(fmt::format("{}: {}", link.from, describe_version(*front_end)));
    if (const Handshake* failed = failed_connection(evidence, link.from, link.to)) {
      found.facts.push_back(fmt::format(
          "{} answered with ms-diagnostics 2 and {} (SIPPROXY_E_CONNECTION_FAILED): where port, names and chains are "
          "in order, such a difference is the known suspect; that it is the cause is not shown",
          failed->id(), connection_failed));
    }
    found.remedy = fmt::format(
        "Bring {} to the updates of {}, which are one package for Front End and Edge. On {}:\n"
        "  Stop-CsWindowsService\n"
        "  (run the update installer of the product, as an administrator)\n"
        "  Start-CsWindowsService\n"
        "Then set its patch-level in the configuration, and run this check again.",
        link.to, link.from, link.to);
    verdict.findings.push_back(std::move(found));
  }
}

void judge_pools(const Evidence& evidence, Verdict& verdict) {
  std::map<std::pair<Role, std::string>, std::vector<const Server*>> pools;
  for (const Server& server : evidence.site.servers) {
    if (!server.pool.empty() && version_of(&server)) pools[{server.role, server.pool}].push_back(&server);
  }
  for (const auto& [pool, members] : pools) {
    std::set<ServerVersion> versions;
    for (const Server* member : members) versions.insert(*version_of(member));
    if (versions.size() < 2) continue;
    Finding found = finding(kinds[pool_differs], Status::warning, pool.second);
    found.summary = fmt::format("the members of {} have different updates", pool.second);
    std::vector<std::string> behind;
    for (const Server* member : members) {
      found.facts.push_back(fmt::format("{}: {}", member->name, describe_version(*member)));
      if (*version_of(member) != *versions.rbegin()) behind.push_back(member->name);
    }
    found.remedy = fmt::format("Install on {} what the other members have; an update is for every member of a pool.",
                               enumerate(behind));
    verdict.findings.push_back(std::move(found));
  }
}

void judge_products(const Evidence& evidence, Verdict& verdict) {
  std::map<std::string_view, std::pair<const ServerProduct*, std::vector<std::string>>> ended;
  const auto look = [&](const ServerProduct& product, std::string server) {
    if (!product.support_ended || evidence.collected_at < *product.support_ended) return;
    auto& [of, servers] = ended[product.name];
    of = &product;
    servers.push_back(std::move(server));
  };
  for (const Server& server : evidence.site.servers) {
    if (const auto version = version_of(&server)) {
      ++verdict.examined;
      const ServerProduct* product = product_of(*version);
      if (product == nullptr) {
        Finding found = finding(kinds[unknown_build], Status::unknown, server.name);
        found.summary =
            fmt::format("{}: {} is no version of a product that is known here", server.name, server.patch_level);
        found.remedy =
            "Compare its patch-level in the configuration with what Get-CsServerPatchVersion shows on the server; of a "
            "product newer than this program nothing can be said.";
        verdict.findings.push_back(std::move(found));
        continue;
      }
      verdict.notes.push_back({server.name, describe_version(server)});
      look(*product, server.name);
      continue;
    }
    // The banner of an answer names the product, not its updates.
    for (const Handshake& handshake : evidence.handshakes) {
      if (handshake.to != server.name || !handshake.mras) continue;
      const ServerProduct* product = product_of_banner(handshake.mras->server_banner);
      if (product == nullptr) continue;
      ++verdict.examined;
      // It is whatever the peer says of itself: worth a line, no finding.
      std::string text =
          fmt::format("{}, by its banner {}; its updates are not known", product->name, handshake.mras->server_banner);
      if (product->support_ended && evidence.collected_at >= *product->support_ended)
        text += fmt::format("; out of support since {}", to_date(*product->support_ended));
      verdict.notes.push_back({server.name, std::move(text)});
      break;
    }
  }
  for (const auto& [name, entry] : ended) {
    const auto& [product, servers] = entry;
    Finding found = finding(kinds[out_of_support], Status::warning, std::string{name});
    found.summary = fmt::format("{} has been out of support since {}: {}", name, to_date(*product->support_ended),
                                enumerate(servers));
    found.remedy =
        "Nothing more is mended in it, certificates and TLS included: plan the move to a product that is in "
        "support.";
    verdict.findings.push_back(std::move(found));
  }
}

Verdict judge_versions(const Evidence& evidence) {
  Verdict verdict;
  judge_products(evidence, verdict);
  judge_edges(evidence, verdict);
  judge_pools(evidence, verdict);
  return verdict;
}

}  // namespace

extern const Check server_versions;
constinit const Check server_versions{.id = "server-versions",
                                      .title = "every server has the updates of those that it works with",
                                      .needs = Needs::none,
                                      .kinds = kinds,
                                      .judge = judge_versions};

}  // namespace mrascheck::checks

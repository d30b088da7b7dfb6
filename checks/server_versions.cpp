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
    FindingKind{"server-versions.sources-differ",
                "configuration, report and registry name different versions of one server",
                {"Microsoft Learn, Get-CsServerPatchVersion", "description"}},
    FindingKind{"server-versions.unknown-build",
                "a version that is no known product's",
                {"Microsoft Learn, Get-CsServerPatchVersion", "description"}},
};

enum Kind : std::size_t { edge_behind, pool_differs, out_of_support, sources_differ, unknown_build };

constexpr std::string_view connection_failed = "0xC3E93C69";

/// A version and who says so.
struct Statement {
  ServerVersion version;
  std::string source;  ///< "its report (edge1.html)", "the configuration"
};

/// What is said of a server's Core Components: what it wrote itself first, then what somebody has put down.
std::vector<Statement> statements_on(const Evidence& evidence, const Server& server) {
  std::vector<Statement> statements;
  for (const PatchSource kind : {PatchSource::report, PatchSource::registry}) {
    for (const PatchExport& patches : evidence.patches) {
      if (patches.kind != kind || !equals_ignoring_case(patches.server, server.name)) continue;
      if (const auto version = update_level(patches))
        statements.push_back(
            {*version,
             fmt::format("its {} ({})", kind == PatchSource::report ? "report" : "registry export", patches.source)});
    }
  }
  if (const auto version = parse_server_version(server.patch_level))
    statements.push_back({*version, "patch-level in the configuration"});
  return statements;
}

/// What is known of each server's version.
class KnownVersions {
 public:
  explicit KnownVersions(const Evidence& evidence) {
    for (const Server& server : evidence.site.servers) {
      const std::vector<Statement> statements = statements_on(evidence, server);
      if (!statements.empty()) versions_.emplace(server.name, statements.front().version);
    }
  }
  std::optional<ServerVersion> of(const Server* server) const {
    const auto found = server == nullptr ? versions_.end() : versions_.find(server->name);
    return found == versions_.end() ? std::nullopt : std::optional{found->second};
  }

 private:
  std::map<std::string, ServerVersion> versions_;
};

/// "4.0.7577.230 (Lync Server 2010, CU12, April 2014)".
std::string describe_version(const ServerVersion& version) {
  const ServerProduct* product = product_of(version);
  return product == nullptr ? to_text(version)
                            : fmt::format("{} ({}, {})", to_text(version), product->name, release_of(version));
}

bool is_failed_connection(const std::vector<MsDiagnostics>& list) {
  return std::any_of(list.begin(), list.end(), [](const MsDiagnostics& diagnostics) {
    return diagnostics.id == 2 &&
           to_lower(diagnostics.parameter("HRESULT")).find(to_lower(connection_failed)) != std::string::npos;
  });
}

/// The answer that was seen when an Edge without the Front End's updates refused it.
const Handshake* failed_connection(const Evidence& evidence, const std::string& from, const std::string& to) {
  for (const Handshake& handshake : evidence.handshakes) {
    if (handshake.from == from && handshake.to == to && handshake.mras &&
        is_failed_connection(handshake.mras->diagnostics))
      return &handshake;
  }
  return nullptr;
}

/// How often the traces of a Front End hold that answer to a request for this Edge, or for its pool.
std::uint64_t failed_connections(const Evidence& evidence, const std::string& from, const Server& edge) {
  std::uint64_t n = 0;
  for (const TracedRequests& group : evidence.traced.requests) {
    const bool about = group.from == from && (group.to == edge.name || (!edge.pool.empty() && group.to == edge.pool));
    if (about && is_failed_connection(group.answer.diagnostics)) n += group.requests;
  }
  return n;
}

void judge_edges(const Evidence& evidence, const KnownVersions& known, Verdict& verdict) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const Link& link : evidence.site.links) {
    if (link.service != Service::mras || link.expect != Expectation::accept) continue;
    const Server* front_end = evidence.site.server(link.from);
    const Server* edge = evidence.site.server(link.to);
    const auto ours = known.of(front_end);
    const auto theirs = known.of(edge);
    if (!ours || !theirs || product_of(*ours) == nullptr || product_of(*theirs) == nullptr) continue;
    if (edge->role != Role::edge || front_end->role != Role::front_end) continue;
    if (!(*theirs < *ours) || !seen.emplace(link.from, link.to).second) continue;
    Finding found = finding(kinds[edge_behind], Status::warning, fmt::format("{} -> {}", link.from, link.to));
    found.servers = {link.from, link.to};
    found.summary = fmt::format("{} has fewer updates than {}, which asks it for credentials", link.to, link.from);
    found.facts.push_back(fmt::format("{}: {}", link.to, describe_version(*theirs)));
    found.facts.push_back(fmt::format("{}: {}", link.from, describe_version(*ours)));
    if (const Handshake* failed = failed_connection(evidence, link.from, link.to)) {
      found.facts.push_back(fmt::format(
          "{} answered with ms-diagnostics 2 and {} (SIPPROXY_E_CONNECTION_FAILED): where port, names and chains are "
          "in order, such a difference is the known suspect; that it is the cause is not shown",
          failed->id(), connection_failed));
    }
    if (const std::uint64_t n = failed_connections(evidence, link.from, *edge); n > 0) {
      found.facts.push_back(fmt::format(
          "the trace of {} holds {} with ms-diagnostics 2 and {} (SIPPROXY_E_CONNECTION_FAILED) to requests for {}: "
          "where "
          "port, names and chains are in order, such a difference is the known suspect; that it is the cause is not "
          "shown",
          link.from, count(n, "answer"), connection_failed, edge->pool.empty() ? edge->name : edge->pool));
    }
    found.remedy = fmt::format(
        "Bring {} to the updates of {}, which are one package for Front End and Edge. On {}:\n"
        "  Stop-CsWindowsService\n"
        "  (run the update installer of the product, as an administrator)\n"
        "  Start-CsWindowsService\n"
        "Then take its report anew, or set its patch-level in the configuration, and run this check again.",
        link.to, link.from, link.to);
    verdict.findings.push_back(std::move(found));
  }
}

void judge_pools(const Evidence& evidence, const KnownVersions& known, Verdict& verdict) {
  std::map<std::pair<Role, std::string>, std::vector<const Server*>> pools;
  for (const Server& server : evidence.site.servers) {
    if (!server.pool.empty() && known.of(&server)) pools[{server.role, server.pool}].push_back(&server);
  }
  for (const auto& [pool, members] : pools) {
    std::set<ServerVersion> versions;
    for (const Server* member : members) versions.insert(*known.of(member));
    if (versions.size() < 2) continue;
    Finding found = finding(kinds[pool_differs], Status::warning, pool.second);
    found.summary = fmt::format("the members of {} have different updates", pool.second);
    std::vector<std::string> behind;
    for (const Server* member : members) {
      found.facts.push_back(fmt::format("{}: {}", member->name, describe_version(*known.of(member))));
      if (*known.of(member) != *versions.rbegin()) behind.push_back(member->name);
    }
    found.remedy = fmt::format("Install on {} what the other members have; an update is for every member of a pool.",
                               enumerate(behind));
    verdict.findings.push_back(std::move(found));
  }
}

/// Two exports and the configuration may be of different days: which of them is right is for the server to say.
void judge_statements(const Evidence& evidence, Verdict& verdict) {
  for (const Server& server : evidence.site.servers) {
    const std::vector<Statement> statements = statements_on(evidence, server);
    const bool alike = std::all_of(statements.begin(), statements.end(), [&](const Statement& statement) {
      return statement.version == statements.front().version;
    });
    if (alike) continue;
    Finding found = finding(kinds[sources_differ], Status::warning, server.name);
    found.summary = fmt::format("what is said of the version of {} does not agree", server.name);
    for (const Statement& statement : statements)
      found.facts.push_back(fmt::format("{}: {}", statement.source, describe_version(statement.version)));
    found.facts.push_back(fmt::format("everything else here goes by {}", statements.front().source));
    found.remedy = fmt::format(
        "Ask the server: Get-CsServerPatchVersion on {}, or DisplayVersion of its Core Components below the Uninstall "
        "key of the registry. Then replace the export that is old, and correct its patch-level or take it out.",
        server.name);
    verdict.findings.push_back(std::move(found));
  }
}

void judge_products(const Evidence& evidence, const KnownVersions& known, Verdict& verdict) {
  std::map<std::string_view, std::pair<const ServerProduct*, std::vector<std::string>>> ended;
  const auto look = [&](const ServerProduct& product, std::string server) {
    if (!product.support_ended || evidence.collected_at < *product.support_ended) return;
    auto& [of, servers] = ended[product.name];
    of = &product;
    servers.push_back(std::move(server));
  };
  for (const Server& server : evidence.site.servers) {
    if (const auto version = known.of(&server)) {
      ++verdict.examined;
      const ServerProduct* product = product_of(*version);
      if (product == nullptr) {
        Finding found = finding(kinds[unknown_build], Status::unknown, server.name);
        found.summary =
            fmt::format("{}: {} is no version of a product that is known here", server.name, to_text(*version));
        found.remedy =
            "Compare it with what Get-CsServerPatchVersion shows on the server; of a "
            "product newer than this program nothing can be said.";
        verdict.findings.push_back(std::move(found));
        continue;
      }
      verdict.notes.push_back({server.name, describe_version(*version)});
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
  const KnownVersions known{evidence};
  judge_products(evidence, known, verdict);
  judge_statements(evidence, verdict);
  judge_edges(evidence, known, verdict);
  judge_pools(evidence, known, verdict);
  return verdict;
}

}  // namespace

extern const Check server_versions;
constinit const Check server_versions{.id = "server-versions",
                                      .title = "every server has the updates of those that it works with",
                                      .needs = Needs::versions,
                                      .kinds = kinds,
                                      .judge = judge_versions};

}  // namespace mrascheck::checks

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "core/causes.hpp"
#include "core/issuers.hpp"
#include "core/report.hpp"
#include "core/text.hpp"

namespace mrascheck {

namespace {

/// What was asked for and is neither here nor said to be missing: collecting leaves no such hole, so somebody changed
/// the recording, or another program wrote it.
void add_holes(const Evidence& evidence, std::vector<Gap>& gaps) {
  constexpr std::string_view remedy = "Make the recording again, with mrascheck check --record, and leave it as it is.";
  for (const StoreSpec& spec : evidence.site.stores) {
    const bool read = std::any_of(evidence.stores.begin(), evidence.stores.end(),
                                  [&](const StoreContents& contents) { return contents.store == spec.name; });
    const bool told = std::any_of(evidence.gaps.begin(), evidence.gaps.end(),
                                  [&](const Gap& gap) { return gap.need == Needs::stores && gap.about == spec.name; });
    if (read || told) continue;
    gaps.push_back({Needs::stores, spec.name, ErrorKind::malformed,
                    "it is configured, and the recording neither holds it nor says why not", std::string{remedy}});
  }
  for (const Handshake& handshake : evidence.handshakes) {
    const auto link = std::find_if(evidence.site.links.begin(), evidence.site.links.end(), [&](const Link& l) {
      return l.from == handshake.from && l.to == handshake.to && l.port == handshake.port;
    });
    if (link == evidence.site.links.end() || handshake.outcome != Outcome::completed) continue;
    const auto fatal = [](const std::vector<Alert>& seen) {
      return std::any_of(seen.begin(), seen.end(), [](const Alert& alert) { return alert.fatal; });
    };
    const auto hole = [&](std::string reason) {
      gaps.push_back({Needs::handshakes, link->id(), ErrorKind::malformed,
                      "the recording contradicts itself: " + std::move(reason), std::string{remedy}});
    };
    if (handshake.peer_chain.empty() && handshake.peer_chain_unreadable.empty())
      hole("a handshake that was completed, without a certificate of the server");
    if (fatal(handshake.alerts_received) || fatal(handshake.alerts_sent))
      hole("a handshake that was completed, with a fatal alert");
    if (!handshake.mras && link->service != Service::tls && link->expect == Expectation::accept)
      hole("a look that was completed, without the request that belongs to it");
  }
}

/// Servers of which nothing at all was asked for: no link, no certificate, no store of their own.
void add_bystanders(const Evidence& evidence, std::vector<Gap>& gaps) {
  std::set<std::string_view> met;
  for (const Link& link : evidence.site.links) met.insert({link.from, link.to});
  for (const StoreSpec& store : evidence.site.stores) met.insert(store.host);
  for (const Identity& identity : evidence.identities) met.insert(identity.server);
  for (const Gap& gap : evidence.gaps) met.insert(gap.about);
  for (const Server& server : evidence.site.servers) {
    if (met.contains(server.name)) continue;
    gaps.push_back({Needs::identities, server.name, ErrorKind::config,
                    "it is in no link, and neither a certificate nor a store of it is configured: nothing of it was "
                    "looked at",
                    fmt::format("Name {} in a link, or set its `certificate`; or take it out of the configuration.",
                                server.name)});
  }
}

/// Checks that judge what servers present, on the wire or from their files.
bool looks_at_certificates(const Check* check) {
  return meet(check->needs, Needs::identities) && meet(check->needs, Needs::handshakes);
}

/// Checks that say what a store holds: what could not be read of it might be what they look for. store-contents names
/// it, and those that judge what servers present tell themselves where it matters.
bool speaks_of_whole_stores(const Check& check) {
  return meet(check.needs, Needs::stores) && meet(check.needs, Needs::signatures) &&
         !meet(check.needs, Needs::handshakes);
}

}  // namespace

Report judge(const Evidence& evidence, std::span<const Check* const> checks) {
  Report report;
  report.site = evidence.site.name;
  report.vantage = evidence.vantage;
  report.collected_at = evidence.collected_at;
  report.gaps = evidence.gaps;
  // What a limit cut off was not looked at, for every check that looks at stores.
  for (const StoreContents& store : evidence.stores) {
    if (store.truncated.empty()) continue;
    report.gaps.push_back(
        {Needs::stores, store.store, ErrorKind::local, "not read to its end: " + store.truncated,
         "Raise the limit that is named (size-limit in the configuration, or the directory's own), "
         "let this account read what is named, or give the export or the passphrase that is asked for, "
         "so that no certificate is overlooked."});
  }
  add_holes(evidence, report.gaps);
  const bool certificates = std::any_of(checks.begin(), checks.end(), looks_at_certificates);
  if (certificates) add_bystanders(evidence, report.gaps);
  const std::size_t of_all = report.gaps.size();
  if (std::any_of(checks.begin(), checks.end(), [](const Check* check) { return speaks_of_whole_stores(*check); })) {
    for (const StoreContents& store : evidence.stores) {
      if (store.unreadable.empty()) continue;
      report.gaps.push_back(
          {Needs::stores, store.store, ErrorKind::malformed,
           fmt::format("{} in it could not be read, and might be what is looked for",
                       count(store.unreadable.size(), "entry", "entries")),
           "See store-contents, which names what could not be read: replace or remove it, then run this again."});
    }
  }
  report.status = Status::ok;
  bool looked_at_something = false;
  for (const Check* check : checks) {
    CheckResult& result = report.checks.emplace_back();
    result.id = check->id;
    result.title = check->title;
    result.verdict = check->judge(evidence);
    auto& findings = result.verdict.findings;
    std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
      return std::tuple{b.status, std::string_view{a.code}, std::string_view{a.about}} <
             std::tuple{a.status, std::string_view{b.code}, std::string_view{b.about}};
    });
    for (const Finding& finding : findings) result.status = worst(result.status, finding.status);
    for (std::size_t i = 0; i < report.gaps.size(); ++i) {
      const bool concerned = i < of_all ? meet(check->needs, report.gaps[i].need) : speaks_of_whole_stores(*check);
      if (concerned) result.gaps.push_back(i);
    }
    if (!result.gaps.empty()) result.status = worst(result.status, Status::unknown);
    result.applicable = result.verdict.examined > 0 || !findings.empty() || !result.gaps.empty();
    looked_at_something = looked_at_something || result.verdict.examined > 0;
    report.status = worst(report.status, result.status);
  }
  report.causes = find_causes(evidence, report.checks);
  // What a selection of checks does not say by a finding of its own: nobody's certificate is in order unseen.
  if (report.status == Status::ok) {
    for (const std::string& server : certificates ? unseen_servers(evidence) : std::vector<std::string>{}) {
      for (std::size_t i = 0; i < checks.size(); ++i) {
        if (!looks_at_certificates(checks[i])) continue;
        report.checks[i].gaps.push_back(report.gaps.size());
        report.checks[i].status = Status::unknown;
        report.checks[i].applicable = true;
      }
      report.gaps.push_back({Needs::handshakes, server, ErrorKind::unreachable,
                             "none of its certificates was seen: no connection got that far, and none is configured",
                             "Run all checks, without --only and --skip: they say why no connection got that far."});
    }
  }
  // A gap that no selected check needs is still something that was asked for and not seen.
  if (!report.gaps.empty() || !looked_at_something) report.status = worst(report.status, Status::unknown);
  return report;
}

}  // namespace mrascheck

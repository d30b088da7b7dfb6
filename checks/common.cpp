// SPDX-License-Identifier: Apache-2.0
#include "checks/common.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/directory_url.hpp"
#include "core/http_url.hpp"
#include "core/lookups.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {

Finding finding(const FindingKind& kind, Status status, std::string about) {
  Finding made;
  made.code = kind.code;
  made.status = status;
  made.about = std::move(about);
  made.citation = kind.citation;
  return made;
}

std::string describe(const Certificate& certificate) {
  return fmt::format("{}, thumbprint {}, valid {} to {}", short_name(certificate), thumbprint(certificate),
                     to_date(certificate.not_before), to_date(certificate.not_after));
}

std::string Labels::unique(const std::string& wanted) {
  const int seen = used_[wanted]++;
  return seen == 0 ? wanted : fmt::format("{}_{}", wanted, seen + 1);
}

std::vector<std::string> links_not_reaching(const Evidence& evidence, Phase phase, bool (*concerns)(const Link&)) {
  std::vector<std::string> lines;
  const HandshakesByEnds handshakes{evidence};
  std::set<std::string_view> gaps;
  for (const Gap& gap : evidence.gaps) {
    if (gap.need == Needs::handshakes) gaps.insert(gap.about);
  }
  for (const Link& link : evidence.site.links) {
    if (!concerns(link)) continue;
    const bool gap = gaps.contains(link.from) || gaps.contains(link.to) || gaps.contains(link.id());
    // Each address is a server of its own; of several chains that were tried there, the one that came furthest counts.
    std::map<std::string, const Handshake*> furthest;
    for (const Handshake* handshake : handshakes.of(link.from, link.to, link.port)) {
      const Handshake*& known = furthest[handshake->address];
      if (known == nullptr || handshake->phase > known->phase) known = handshake;
    }
    if (furthest.empty() && !gap) lines.push_back(fmt::format("{}: no address to connect to", link.id()));
    for (const auto& [address, handshake] : furthest) {
      if (handshake->phase >= phase) continue;
      lines.push_back(fmt::format("{}{}: ended in phase {} ({})", link.id(),
                                  furthest.size() > 1 ? fmt::format(" at {}", address) : "",
                                  to_string(handshake->phase), to_string(handshake->outcome)));
    }
  }
  return lines;
}

static std::string contents_text(std::size_t certificates, std::size_t lists) {
  std::string what;
  if (certificates > 0) what = count(certificates, "certificate");
  if (lists > 0) {
    if (!what.empty()) what += " and ";
    what += count(lists, "revocation list");
  }
  return what;
}

/// Where it was fetched, what came of it.
static std::string where_fetching_leads(const Evidence& evidence, const std::string& url) {
  for (const StoreContents& store : evidence.stores) {
    if (store.store == url)
      return fmt::format("{} (fetched: {} there)", url, contents_text(store.entries.size(), store.crls.size()));
  }
  for (const Gap& gap : evidence.gaps) {
    if (gap.need == Needs::stores && gap.about == url) return fmt::format("{} (not to be had: {})", url, gap.reason);
  }
  return url;
}

std::string where_it_leads(const Evidence& evidence, const std::string& url) {
  if (is_http(url) || remote_reference(url)) return where_fetching_leads(evidence, url);
  const auto reference = hostless_reference(url);
  if (!reference) return url;
  std::string found;
  for (const StoreSpec& spec : evidence.site.stores) {
    if (!spec.directory) continue;
    const auto store = std::find_if(evidence.stores.begin(), evidence.stores.end(),
                                    [&](const StoreContents& s) { return s.store == spec.name; });
    if (!found.empty()) found += "; ";
    if (store == evidence.stores.end()) {
      found += fmt::format("the directory {} was not read", spec.name);
      continue;
    }
    const auto here = [&](const auto& entry) {
      const std::string& place = entry.place;
      return same_dn(place, reference->dn);
    };
    const auto certificates = std::count_if(store->entries.begin(), store->entries.end(), here);
    const auto lists = std::count_if(store->crls.begin(), store->crls.end(), here);
    const std::string what = contents_text(static_cast<std::size_t>(certificates), static_cast<std::size_t>(lists));
    found += fmt::format("in the directory {}: {}", spec.name,
                         !what.empty()              ? what + " there"
                         : store->truncated.empty() ? "nothing there"
                                                    : "nothing there that was read");
  }
  if (found.empty()) found = "in the directory of the forest, and none is configured here";
  return fmt::format("{} ({})", url, found);
}

LinksByEnds::LinksByEnds(const Evidence& evidence) {
  for (const Link& link : evidence.site.links) links_.try_emplace({link.from, link.to, link.port}, &link);
}

const Link* LinksByEnds::of(const Handshake& handshake) const {
  const auto found = links_.find({handshake.from, handshake.to, handshake.port});
  return found == links_.end() ? nullptr : found->second;
}

Status status_of(double value, const Thresholds& thresholds) {
  if (thresholds.critical && thresholds.critical->alerts_on(value)) return Status::critical;
  if (thresholds.warning && thresholds.warning->alerts_on(value)) return Status::warning;
  return Status::ok;
}

}  // namespace mrascheck::checks

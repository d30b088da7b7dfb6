// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/evidence.hpp"
#include "core/finding.hpp"
#include "core/graph.hpp"

namespace mrascheck::checks {

/// The citation of one of `kinds`, by its code.
Finding finding(const FindingKind& kind, Status status, std::string about);

/// "Contoso Issuing CA, thumbprint A1B2..., valid 2026-01-01 to 2028-01-01".
std::string describe(const Certificate& certificate);

/// Perfdata labels "<prefix>_<short host>..." made unique among those given out so far by a number at the end.
class Labels {
 public:
  std::string unique(const std::string& wanted);

 private:
  std::map<std::string, int> used_;
};

/// Links of the site, and of those the addresses, on which nothing got as far as `phase`, and that no gap speaks of:
/// with the reason where one is known.
std::vector<std::string> links_not_reaching(const Evidence& evidence, Phase phase, bool (*concerns)(const Link&));

/// `url` of an AIA or CDP extension. One without a host means the directory that the reader's own host is in: that is
/// the configured one, and what was found there is said with it; as is what was fetched by one of http.
std::string where_it_leads(const Evidence& evidence, const std::string& url);

/// The links of a site, by who asks whom on which port. The evidence must outlive it.
class LinksByEnds {
 public:
  explicit LinksByEnds(const Evidence& evidence);
  /// The link that a handshake belongs to; null when the site has none such.
  const Link* of(const Handshake& handshake) const;

 private:
  std::map<std::tuple<std::string_view, std::string_view, std::uint16_t>, const Link*> links_;
};

/// Status::critical or warning, by the thresholds of `metric`; ok when neither alerts.
Status status_of(double value, const Thresholds& thresholds);

}  // namespace mrascheck::checks

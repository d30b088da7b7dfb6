// SPDX-License-Identifier: Apache-2.0
#include "core/causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/text.hpp"

namespace mrascheck {
namespace {

using WhoAndWhom = std::pair<std::string, std::string>;  ///< who judges or asks, and whom

constexpr std::size_t most_servers_named = 3;

// RFC 8446, 6.2.
constexpr std::uint8_t handshake_failure_alert = 40;
constexpr std::uint8_t bad_certificate_alert = 42;
constexpr std::uint8_t certificate_expired_alert = 45;
constexpr std::uint8_t access_denied_alert = 49;

/// From bad_certificate over revoked, expired, certificate_unknown and unknown_ca to access_denied.
bool is_about_certificates(std::uint8_t alert) {
  constexpr std::uint8_t illegal_parameter = 47;
  return alert >= bad_certificate_alert && alert <= access_denied_alert && alert != illegal_parameter;
}
/// Those that do not say what is wrong with it.
bool is_certificate_trouble(std::uint8_t alert) {
  constexpr std::uint8_t certificate_unknown = 46;
  constexpr std::uint8_t unknown_ca = 48;
  return alert == bad_certificate_alert || alert == certificate_unknown || alert == unknown_ca ||
         alert == access_denied_alert;
}

/// `text` without each of `names`: what two servers are told alike is the same behind it.
std::string without(std::string text, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    for (std::size_t at = name.empty() ? std::string::npos : text.find(name); at != std::string::npos;
         at = text.find(name, at))
      text.erase(at, name.size());
  }
  return text;
}

/// Each once, in the order of their coming.
class Names {
 public:
  void add(const std::string& name) {
    if (seen_.insert(name).second) names_.push_back(name);
  }
  const std::vector<std::string>& all() const { return names_; }
  bool same_as(const Names& other) const { return seen_ == other.seen_; }

 private:
  std::vector<std::string> names_;
  std::set<std::string> seen_;
};

/// "edge1, edge2 and 4 more"
std::string some_servers(const std::vector<std::string>& names) {
  if (names.size() <= most_servers_named) return enumerate(names);
  std::vector<std::string> shown(names.begin(), names.begin() + (most_servers_named - 1));
  shown.push_back(fmt::format("{} more", names.size() - shown.size()));
  return enumerate(shown);
}

/// Thumbprints cut to their first eight digits: the finding below holds them whole.
std::string with_short_prints(std::string_view text) {
  constexpr std::size_t whole = 40;
  constexpr std::size_t kept = 8;
  std::string out;
  std::size_t run = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool digit = i < text.size() && std::string_view{"0123456789ABCDEF"}.find(text[i]) != std::string_view::npos;
    if (digit) {
      ++run;
      continue;
    }
    out += text.substr(i - run, run == whole ? kept : run);
    run = 0;
    if (i < text.size()) out += text[i];
  }
  return out;
}

class Causes {
 public:
  Causes(const Evidence& evidence, std::span<const CheckResult> checks) : evidence_(evidence) {
    for (std::size_t check = 0; check < checks.size(); ++check) {
      const std::vector<Finding>& findings = checks[check].verdict.findings;
      for (std::size_t i = 0; i < findings.size(); ++i) nodes_.push_back({{check, i}, &findings[i]});
    }
  }

  std::vector<Cause> find() {
    if (nodes_.size() < 2) return {};
    count_short_names();
    index();
    for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i].parent = parent_of(nodes_[i]);
    merge_equal_roots();
    std::map<std::size_t, std::vector<std::size_t>> families;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const std::size_t root = root_of(i);
      if (root != i) families[root].push_back(i);
    }
    add_what_was_not_tried(families);
    std::vector<Cause> causes;
    causes.reserve(families.size());
    for (const auto& [root, symptoms] : families) causes.push_back(make(root, symptoms));
    std::stable_sort(causes.begin(), causes.end(), [](const Cause& a, const Cause& b) { return b.status < a.status; });
    return causes;
  }

 private:
  struct KnownFinding {
    FindingRef at;
    const Finding* finding;
    std::optional<std::size_t> parent = std::nullopt;
    bool probably = false;  ///< the parent is likely, and not shown
  };

  static bool is(const Finding& finding, std::string_view check) {
    return finding.code.starts_with(check) && finding.code.size() > check.size() && finding.code[check.size()] == '.';
  }
  static bool refused_by_peer(const Finding& finding) {
    return finding.status == Status::critical &&
           (finding.code == "handshake.rejected-by-peer" || finding.code == "handshake.reset" ||
            finding.code == "handshake.closed");
  }
  static bool not_tried(const Finding& finding) {
    return finding.code.ends_with(".not-tried") || finding.code == "mras-credentials.not-asked";
  }

  void index() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Finding& finding = *nodes_[i].finding;
      if (is(finding, "certification-path") && finding.servers.size() == 2) {
        if (finding.status == Status::critical) paths_.try_emplace({finding.servers[0], finding.servers[1]}, i);
      } else if (finding.code == "certificate-names.mismatch" && !finding.servers.empty()) {
        names_.try_emplace(finding.servers[0], i);
      } else if (finding.code == "server-versions.edge-behind" && finding.servers.size() == 2) {
        behind_.try_emplace({finding.servers[0], finding.servers[1]}, i);
      } else if (finding.servers.size() == 2 && finding.status == Status::critical &&
                 (refused_by_peer(finding) || is(finding, "port-reachable") ||
                  finding.code == "handshake.rejected-by-us")) {
        live_.try_emplace({finding.servers[0], finding.servers[1]}, i);
      } else if (finding.code == "same-name-issuers.stale") {
        add_by_certificate(stale_, i);
      } else if (is(finding, "validity") && finding.status == Status::critical) {
        add_by_certificate(ended_, i);
      } else if ((finding.code == "crl-state.revoked" || finding.code == "ocsp-state.revoked") &&
                 finding.status == Status::critical) {
        add_by_certificate(revoked_, i);
      }
    }
    for (const Handshake& handshake : evidence_.handshakes) {
      if (!handshake.variant.empty() && handshake.accepted()) let_in_.insert({handshake.from, handshake.to});
      by_id_.try_emplace(handshake.id(), &handshake);
    }
  }
  using ByCertificate = std::map<Sha256, std::size_t>;
  void add_by_certificate(ByCertificate& into, std::size_t node) const {
    for (const CertificateRef& certificate : nodes_[node].finding->certificates)
      into.try_emplace(certificate->sha256, node);
  }
  static std::optional<std::size_t> any_of(const ByCertificate& among, std::span<const CertificateRef> certificates) {
    for (const CertificateRef& certificate : certificates) {
      if (const auto found = among.find(certificate->sha256); found != among.end()) return found->second;
    }
    return std::nullopt;
  }
  std::optional<std::size_t> path_finding(const std::string& judge, const std::string& subject) const {
    const auto found = paths_.find({judge, subject});
    return found == paths_.end() ? std::nullopt : std::optional{found->second};
  }

  std::optional<std::size_t> parent_of(KnownFinding& node) const {
    const Finding& finding = *node.finding;
    if (is(finding, "certification-path") && finding.status == Status::critical) {
      if (finding.code == "certification-path.revoked") return any_of(revoked_, finding.certificates);
      if (finding.code == "certification-path.not-valid-now") {
        if (const auto ended = any_of(ended_, finding.certificates)) return ended;
      }
      // Only where it is let in without the stale one does taking that away mend anything.
      return let_in_otherwise(finding.servers[1], finding.servers[0]) ? any_of(stale_, finding.certificates)
                                                                      : std::nullopt;
    }
    if (finding.code == "handshake.rejected-by-us" && finding.servers.size() == 2) {
      if (const auto path = path_finding(finding.servers[0], finding.servers[1])) return path;
      const auto name = names_.find(finding.servers[1]);
      return name == names_.end() ? std::nullopt : std::optional{name->second};
    }
    if (refused_by_peer(finding) && finding.servers.size() == 2 && !finding.certificates.empty())
      return why_refused(node);
    if (finding.code == "ocsp-state.revoked") {  // a list and a responder say the same
      const auto told = any_of(revoked_, finding.certificates);
      return told && nodes_[*told].finding != &finding ? told : std::nullopt;
    }
    // Seen where a Front End's stores held several CAs of one name, and the Edge never got the request: to the Front
    // End the connection failed.
    if (finding.code == "mras-credentials.sip-error" && finding.servers.size() == 2 &&
        finding.reason.find("ms-diagnostics 1038") != std::string::npos) {
      if (const auto stale = stale_beside(finding.about)) {
        node.probably = true;
        return stale;
      }
    }
    if (is(finding, "mras-traces") && finding.servers.size() >= 2) return why_traced(node);
    // Known to go together; that one comes of the other is not shown.
    if (finding.code == "mras-credentials.sip-error" && finding.servers.size() == 2 &&
        finding.reason.find("0xC3E93C69") != std::string::npos) {
      const auto behind = behind_.find({finding.servers[0], finding.servers[1]});
      if (behind == behind_.end()) return std::nullopt;
      node.probably = true;
      return behind->second;
    }
    return std::nullopt;
  }

  /// A stale CA that was sent, or that has the name of the one that issued what was sent.
  std::optional<std::size_t> stale_beside(const std::string& handshake) const {
    const auto seen = by_id_.find(handshake);
    if (seen == by_id_.end() || seen->second->sent_chain.empty()) return std::nullopt;
    const std::vector<CertificateRef>& sent = seen->second->sent_chain;
    if (const auto found = any_of(stale_, sent)) return found;
    const Name& issuer = sent.front()->issuer;
    for (const auto& [print, node] : stale_) {
      for (const CertificateRef& certificate : nodes_[node].finding->certificates) {
        if (!issuer.empty() && matches(certificate->subject, issuer)) return node;
      }
    }
    return std::nullopt;
  }

  /// A request that could not be sent, or never came: what stands between those two servers now is why. Of an Edge
  /// without the Front End's updates that is not shown.
  std::optional<std::size_t> why_traced(KnownFinding& node) const {
    const Finding& finding = *node.finding;
    const std::string& from = finding.servers[0];
    const bool never_came = finding.code == "mras-traces.never-reached";
    const bool could_not_connect = finding.reason.find("0xC3E93C69") != std::string::npos;
    for (std::size_t i = 1; i < finding.servers.size(); ++i) {
      const std::string& edge = finding.servers[i];
      if (never_came || finding.about_connection) {
        if (const auto live = live_.find({from, edge}); live != live_.end()) return live->second;
        if (const auto path = path_finding(edge, from)) return path;
        if (const auto path = path_finding(from, edge)) return path;
      }
      const auto behind = behind_.find({from, edge});
      if (could_not_connect && behind != behind_.end()) {
        node.probably = true;
        return behind->second;
      }
    }
    return std::nullopt;
  }

  /// Where the peer's stores are not known, nobody can show why it refused; but the other of two chains that it let in
  /// does.
  std::optional<std::size_t> why_refused(KnownFinding& node) const {
    const Finding& finding = *node.finding;
    const auto seen = by_id_.find(finding.about);
    if (seen == by_id_.end()) return std::nullopt;
    const Handshake& handshake = *seen->second;
    const auto above = std::span{finding.certificates}.subspan(1);
    const auto stale = any_of(stale_, above);
    const bool told_why = !handshake.alerts_received.empty();
    const std::uint8_t alert = told_why ? handshake.alerts_received.back().description : std::uint8_t{0};
    if (told_why && !is_about_certificates(alert) && alert != handshake_failure_alert) return std::nullopt;
    if (const auto path = path_finding(finding.servers[1], finding.servers[0])) {
      node.probably = !is_about_certificates(alert);
      return path;
    }
    if (stale && let_in_otherwise(handshake.from, handshake.to)) return stale;
    if (!told_why || is_certificate_trouble(alert) || alert == certificate_expired_alert) {
      if (const auto ended = any_of(ended_, finding.certificates)) {
        node.probably = alert != certificate_expired_alert;
        return ended;
      }
    }
    constexpr std::uint8_t certificate_revoked = 44;
    if (alert == certificate_revoked) return any_of(revoked_, finding.certificates);
    if (!stale || (told_why && !is_certificate_trouble(alert))) return std::nullopt;
    node.probably = true;
    return stale;
  }

  bool let_in_otherwise(const std::string& from, const std::string& to) const { return let_in_.contains({from, to}); }

  std::size_t root_of(std::size_t node) const {
    while (nodes_[node].parent) node = *nodes_[node].parent;
    return node;
  }

  /// The same trouble, with the same remedy and the same consequences, in several places: said once, with its places.
  void merge_equal_roots() {
    std::vector<std::set<std::string_view>> consequences(nodes_.size());
    for (const KnownFinding& node : nodes_) {
      if (node.parent) consequences[*node.parent].insert(node.finding->code);
    }
    std::map<std::string, std::size_t> first;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Finding& finding = *nodes_[i].finding;
      if (nodes_[i].parent || finding.servers.size() != 2 || finding.status < Status::warning) continue;
      const bool path = is(finding, "certification-path");
      if (path && finding.reason.empty()) continue;
      std::string key = fmt::format("{}\n{}\n{}\n{}", finding.code, path ? std::string{} : finding.servers[0],
                                    finding.reason, without(finding.remedy, finding.servers));
      for (const std::string_view code : consequences[i]) key += fmt::format("\n{}", code);
      const auto [at, added] = first.try_emplace(std::move(key), i);
      if (!added) nodes_[i].parent = at->second;
    }
  }

  /// What could not begin belongs to what stood in its way, where that is one thing.
  void add_what_was_not_tried(std::map<std::size_t, std::vector<std::size_t>>& families) const {
    std::set<std::size_t> obstacles;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Finding& finding = *nodes_[i].finding;
      if (not_tried(finding)) continue;
      const bool before = is(finding, "names-resolve") || is(finding, "port-reachable") || is(finding, "handshake");
      if (before && finding.status != Status::warning) obstacles.insert(root_of(i));
    }
    if (obstacles.size() != 1) return;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (not_tried(*nodes_[i].finding)) families[*obstacles.begin()].push_back(i);
    }
    if (const auto family = families.find(*obstacles.begin()); family != families.end())
      std::sort(family->second.begin(), family->second.end());
  }

  Cause make(std::size_t root, const std::vector<std::size_t>& symptoms) const {
    Cause cause;
    cause.root = nodes_[root].at;
    cause.status = nodes_[root].finding->status;
    for (const std::size_t symptom : symptoms) {
      cause.symptoms.push_back(nodes_[symptom].at);
      cause.status = worst(cause.status, nodes_[symptom].finding->status);
    }
    cause.shown = std::none_of(symptoms.begin(), symptoms.end(), [&](std::size_t i) { return nodes_[i].probably; });
    cause.summary = words(root, symptoms, cause.shown);
    return cause;
  }

  std::string words(std::size_t root, const std::vector<std::size_t>& symptoms, bool shown) const {
    const Finding& cause = *nodes_[root].finding;
    std::vector<std::size_t> all{root};
    all.insert(all.end(), symptoms.begin(), symptoms.end());
    std::vector<WhoAndWhom> refusals;  // who refuses, and whom
    std::vector<WhoAndWhom> broken;    // who has no path, and to whom
    std::set<std::pair<bool, WhoAndWhom>> seen;
    const auto add = [&](std::vector<WhoAndWhom>& into, WhoAndWhom pair) {
      if (seen.insert({&into == &refusals, pair}).second) into.push_back(std::move(pair));
    };
    for (const std::size_t i : all) {
      const Finding& finding = *nodes_[i].finding;
      if (finding.servers.size() != 2) continue;
      const std::string& first = finding.servers[0];
      const std::string& second = finding.servers[1];
      if (refused_by_peer(finding)) {
        add(refusals, {second, first});
      } else if (finding.code == "handshake.rejected-by-us") {
        add(refusals, {first, second});
      } else if (is(finding, "certification-path")) {
        add(broken, {first, second});
      }
    }
    const bool silent = refusals.empty() && broken.empty();
    if (!shown && (is(cause, "server-versions") || (silent && cause.code == "same-name-issuers.stale"))) {
      const auto failed =
          std::find_if(symptoms.begin(), symptoms.end(), [&](std::size_t i) { return nodes_[i].probably; });
      return fmt::format(
          "{}, probably because {}", likewise(*nodes_[*failed].finding, symptoms),
          is(cause, "server-versions")
              ? cause.summary
              : fmt::format("a stale {} ({}) stands in the stores", short_name(*cause.certificates.front()),
                            thumbprint(*cause.certificates.front()).substr(0, 8)));
    }
    if (is(cause, "handshake") || (refusals.empty() && broken.empty())) return likewise(cause, symptoms);
    const std::string effect = refusals.empty() ? said(broken, "has no valid path to", "have no valid path to")
                                                : said(refusals, "refuses", "refuse");
    return fmt::format("{}, {}because {}", effect, shown ? "" : "probably ",
                       why(cause, all, refusals.empty() ? broken : refusals));
  }

  std::string why(const Finding& cause, const std::vector<std::size_t>& all,
                  const std::vector<WhoAndWhom>& pairs) const {
    if (cause.code != "same-name-issuers.stale") {
      std::string clause = with_short_prints(cause.reason.empty() ? cause.summary : cause.reason);
      const bool one = std::all_of(pairs.begin(), pairs.end(),
                                   [&](const WhoAndWhom& pair) { return pair.first == pairs.front().first; });
      if (is(cause, "certification-path") && clause.ends_with(" here"))
        clause.replace(clause.size() - 4, 4, one ? "in its stores" : "in their stores");
      return clause;
    }
    for (const std::size_t i : all) {
      const Finding& finding = *nodes_[i].finding;
      if (!refused_by_peer(finding)) continue;
      for (const CertificateRef& sent : finding.certificates) {
        const bool stale = std::any_of(cause.certificates.begin(), cause.certificates.end(),
                                       [&](const CertificateRef& other) { return other->sha256 == sent->sha256; });
        if (stale)
          return fmt::format("{} sends a stale {} ({})", host(finding.servers[0]), short_name(*sent),
                             thumbprint(*sent).substr(0, 8));
      }
    }
    const Certificate& stale = *cause.certificates.front();
    return fmt::format("a stale {} stands in the way", short_name(stale));
  }

  /// "fe1 refuses edge1 and edge2". Where not everybody named does it to everybody named: what the first does, and how
  /// often it is so besides.
  std::string said(const std::vector<WhoAndWhom>& pairs, std::string_view one_does, std::string_view many_do) const {
    Names subjects;
    Names objects;
    Names of_the_first;
    for (const auto& [subject, object] : pairs) {
      subjects.add(host(subject));
      objects.add(host(object));
      if (subject == pairs.front().first) of_the_first.add(host(object));
    }
    const std::size_t many = subjects.all().size();
    if (many > 1 && pairs.size() == many * (many - 1) && subjects.same_as(objects))
      return fmt::format("{} {} each other", some_servers(subjects.all()), many_do);
    if (pairs.size() < many * objects.all().size())
      return fmt::format("{} {} {} (and so on {})", subjects.all().front(), one_does, some_servers(of_the_first.all()),
                         count(pairs.size() - of_the_first.all().size(), "more link"));
    return fmt::format("{} {} {}", some_servers(subjects.all()), many == 1 ? one_does : many_do,
                       some_servers(objects.all()));
  }

  std::string likewise(const Finding& cause, const std::vector<std::size_t>& symptoms) const {
    Names others;
    for (const std::size_t i : symptoms) {
      const Finding& finding = *nodes_[i].finding;
      if (finding.code == cause.code && finding.servers.size() == 2 && cause.servers.size() == 2 &&
          finding.servers[1] != cause.servers[1])
        others.add(host(finding.servers[1]));
    }
    return others.all().empty() ? cause.summary
                                : fmt::format("{}; likewise {}", cause.summary, some_servers(others.all()));
  }

  void count_short_names() {
    for (const Server& server : evidence_.site.servers) ++short_names_[short_host(server.name)];
  }
  /// The first label of a server's name, where no other server of the site has it.
  std::string host(const std::string& server) const {
    const std::string label = short_host(server);
    const auto found = short_names_.find(label);
    return found != short_names_.end() && found->second == 1 ? label : server;
  }

  const Evidence& evidence_;
  std::vector<KnownFinding> nodes_;
  std::map<WhoAndWhom, std::size_t> paths_;
  std::map<std::string, std::size_t> names_;
  std::map<WhoAndWhom, std::size_t> live_;    ///< a connection of the one to the other that failed just now
  std::map<WhoAndWhom, std::size_t> behind_;  ///< an Edge with fewer updates than its Front End
  ByCertificate stale_;
  ByCertificate ended_;
  ByCertificate revoked_;
  std::set<WhoAndWhom> let_in_;  ///< with one of several chains
  std::map<std::string, const Handshake*> by_id_;
  std::map<std::string, int> short_names_;
};

}  // namespace

std::vector<Cause> find_causes(const Evidence& evidence, std::span<const CheckResult> checks) {
  return Causes{evidence, checks}.find();
}

}  // namespace mrascheck

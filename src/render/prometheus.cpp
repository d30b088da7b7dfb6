// SPDX-License-Identifier: Apache-2.0
#include "render/prometheus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/text.hpp"

namespace mrascheck::render {
namespace {

/// Indices into `all_families`.
enum class Family : std::size_t {
  status,
  last_run,
  run_info,
  check_status,
  check_examined,
  check_findings,
  findings,
  gaps,
  name_addresses,
  source_up,
  store_certificates,
  issuer_conflicts,
  connect_success,
  handshake_success,
  handshake_expected,
  mras_success,
  connect_duration,
  tls_duration,
  mras_duration,
  tls_info,
  trusted_issuers,
  trusted_issuer_list_bytes,
  clock_offset,
  certificate_not_after,
  certificate_not_before,
  certificate_use,
  crl_next_update,
  crl_this_update,
  blackbox_success,
  blackbox_earliest_expiry,
  blackbox_chain_info,
  blackbox_tls_version,
  ssl_success,
  ssl_not_after,
  ssl_not_before,
  ssl_tls_version,
  x509_not_after,
  x509_not_before,
  x509_expired,
  x509_crl_next_update,
  x509_crl_this_update,
  count_of_them,
};

constexpr std::array all_families{
    MetricFamily{"mrascheck_status", "Status of the whole report: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."},
    MetricFamily{"mrascheck_last_run_timestamp_seconds", "When the site was looked at, in seconds since 1970."},
    MetricFamily{"mrascheck_run_info", "Always 1; from which host the site was seen."},
    MetricFamily{"mrascheck_check_status", "Status of a check: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."},
    MetricFamily{"mrascheck_check_examined", "How many objects a check looked at; 0: it was not applicable."},
    MetricFamily{"mrascheck_check_findings", "Findings of a check, by their status."},
    MetricFamily{"mrascheck_findings", "Findings, by code and status; only those that were raised."},
    MetricFamily{"mrascheck_gaps", "What could not be looked at, by what is missing."},
    MetricFamily{"mrascheck_name_addresses", "Addresses that a name was found to have."},
    MetricFamily{"mrascheck_source_up", "1: the store of certificates was read to its end."},
    MetricFamily{"mrascheck_store_certificates", "Certificates that a store was seen to hold."},
    MetricFamily{"mrascheck_issuer_conflicts", "CA names that several unexplained certificates share."},
    MetricFamily{"mrascheck_connect_success", "1: the address took a TCP connection."},
    MetricFamily{"mrascheck_handshake_success", "1: the server let the client in, over mutual TLS."},
    MetricFamily{"mrascheck_handshake_expected", "1: the server let the client in, or refused it, as it is to do."},
    MetricFamily{"mrascheck_mras_success", "1: MRAS gave credentials and named a relay."},
    MetricFamily{"mrascheck_connect_duration_seconds", "Time that the TCP connection took."},
    MetricFamily{"mrascheck_tls_duration_seconds", "Time that the TLS handshake took."},
    MetricFamily{"mrascheck_mras_duration_seconds", "Time that the answer to the SIP request took."},
    MetricFamily{"mrascheck_tls_info", "Always 1; the version of TLS and the cipher suite that were agreed on."},
    MetricFamily{"mrascheck_trusted_issuers", "Names of issuers in the server's request for a certificate."},
    MetricFamily{"mrascheck_trusted_issuer_list_bytes", "Size of that list of names; Schannel cuts it at 16384."},
    MetricFamily{"mrascheck_clock_offset_seconds", "How far the clock of the server is ahead of this host's."},
    MetricFamily{"mrascheck_certificate_not_after_timestamp_seconds", "End of a certificate's validity."},
    MetricFamily{"mrascheck_certificate_not_before_timestamp_seconds", "Begin of a certificate's validity."},
    MetricFamily{"mrascheck_certificate_use_info", "Always 1; which server has the certificate, and as what."},
    MetricFamily{"mrascheck_crl_next_update_timestamp_seconds", "When a revocation list is to be replaced."},
    MetricFamily{"mrascheck_crl_this_update_timestamp_seconds", "When a revocation list was issued."},
    MetricFamily{"probe_success", "As blackbox_exporter: 1: all that was asked of the server took place."},
    MetricFamily{"probe_ssl_earliest_cert_expiry",
                 "As blackbox_exporter: first expiry in the chain that was presented."},
    MetricFamily{"probe_ssl_last_chain_info", "As blackbox_exporter: always 1; the certificate that was presented."},
    MetricFamily{"probe_tls_version_info", "As blackbox_exporter: always 1; the version of TLS."},
    MetricFamily{"ssl_probe_success", "As ssl_exporter: 1: the server presented a certificate."},
    MetricFamily{"ssl_cert_not_after", "As ssl_exporter: end of the validity of a certificate that was presented."},
    MetricFamily{"ssl_cert_not_before", "As ssl_exporter: begin of the validity of a certificate that was presented."},
    MetricFamily{"ssl_tls_version_info", "As ssl_exporter: always 1; the version of TLS."},
    MetricFamily{"x509_cert_not_after", "As x509-certificate-exporter: end of a certificate's validity."},
    MetricFamily{"x509_cert_not_before", "As x509-certificate-exporter: begin of a certificate's validity."},
    MetricFamily{"x509_cert_expired", "As x509-certificate-exporter: 1: the certificate has expired."},
    MetricFamily{"x509_crl_next_update", "As x509-certificate-exporter: when a revocation list is to be replaced."},
    MetricFamily{"x509_crl_this_update", "As x509-certificate-exporter: when a revocation list was issued."},
};
static_assert(all_families.size() == static_cast<std::size_t>(Family::count_of_them));

constexpr std::size_t longest_label = 256;  // bytes of a value

/// Exposition formats, "Text-based format": backslash, quote and line feed are escaped; printable() leaves no other
/// character that ends a line.
std::string label_pair(std::string_view name, std::string_view value) {
  std::string text{name};
  text += "=\"";
  for (const char c : printable(value, longest_label)) {
    if (c == '\\' || c == '"') text += '\\';
    text += c;
  }
  return text + '"';
}

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

class Exposition {
 public:
  explicit Exposition(const std::string& site) : site_(label_pair("site", site)), samples_(all_families.size()) {}

  void add(Family family, const Labels& labels, double value) {
    std::string set = site_;
    for (const auto& [name, text] : labels) set += ',' + label_pair(name, text);
    samples_[static_cast<std::size_t>(family)].emplace_back(std::move(set), value);
  }
  void add(Family family, const Labels& labels, UtcTime time) {
    add(family, labels, static_cast<double>(time.time_since_epoch().count()));
  }
  void add(Family family, const Labels& labels, bool yes) { add(family, labels, yes ? 1.0 : 0.0); }

  std::string print() {
    std::string out;
    for (std::size_t i = 0; i < all_families.size(); ++i) {
      auto& samples = samples_[i];
      if (samples.empty()) continue;
      // Of several with one set of labels the least stands: what failed once did not succeed.
      std::sort(samples.begin(), samples.end());
      samples.erase(
          std::unique(samples.begin(), samples.end(), [](const auto& a, const auto& b) { return a.first == b.first; }),
          samples.end());
      const MetricFamily& family = all_families[i];
      out += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", family.name, family.help);
      for (const auto& [set, value] : samples) out += fmt::format("{}{{{}}} {}\n", family.name, set, value);
    }
    return out;
  }

 private:
  std::string site_;
  std::vector<std::vector<std::pair<std::string, double>>> samples_;
};

double in_seconds(std::chrono::microseconds time) {
  return std::chrono::duration<double>(time).count();
}

/// As the check mras-credentials has it.
bool gave_credentials(const Handshake& handshake) {
  if (!handshake.mras) return false;
  const MrasExchange& exchange = *handshake.mras;
  return handshake.outcome != Outcome::not_sip && exchange.answered && exchange.sip_status / 100 == 2 &&
         exchange.body_present && equals_ignoring_case(exchange.reason_phrase, "OK") && exchange.credentials_present &&
         exchange.credentials_well_formed && !(exchange.granted && exchange.granted->count() <= 0) &&
         !exchange.relays.empty();
}

/// What is known of a certificate by name, in the words of each exporter.
struct Described {
  std::string fingerprint;
  std::string thumbprint;
  std::string subject;
  std::string issuer;
  std::string names;  ///< ",a,b," as ssl_exporter has it

  explicit Described(const Certificate& certificate)
      : fingerprint(to_hex(certificate.sha256)),
        thumbprint(mrascheck::thumbprint(certificate)),
        subject(certificate.subject.common_name()),
        issuer(certificate.issuer.common_name()),
        names(",") {
    if (subject.empty()) subject = certificate.subject.text();
    if (issuer.empty()) issuer = certificate.issuer.text();
    for (const std::string& name : certificate.dns_names) names += name + ",";
  }
};

class Writer {
 public:
  Writer(const Report& report, const Evidence& evidence, const PrometheusCompat& compat)
      : report_(report), evidence_(evidence), compat_(compat), out_(report.site) {
    for (const Link& link : evidence.site.links) links_.emplace(key(link), &link);
  }

  std::string write() {
    of_the_run();
    of_stores();
    for (const Handshake& handshake : evidence_.handshakes) of(handshake);
    for (const Link& link : evidence_.site.links) of_untried(link);
    of_certificates();
    return out_.print();
  }

 private:
  void of_the_run() {
    out_.add(Family::status, {}, static_cast<double>(exit_code(report_.status)));
    out_.add(Family::last_run, {}, report_.collected_at);
    out_.add(Family::run_info, {{"vantage", report_.vantage}}, true);
    std::map<std::pair<std::string_view, Status>, std::size_t> by_code;
    for (const CheckResult& check : report_.checks) {
      out_.add(Family::check_status, {{"check", check.id}}, static_cast<double>(exit_code(check.status)));
      out_.add(Family::check_examined, {{"check", check.id}}, static_cast<double>(check.verdict.examined));
      std::map<Status, std::size_t> by_status{{Status::unknown, 0}, {Status::warning, 0}, {Status::critical, 0}};
      for (const Finding& finding : check.verdict.findings) {
        ++by_status[finding.status];
        ++by_code[{finding.code, finding.status}];
      }
      for (const auto& [level, n] : by_status)
        out_.add(Family::check_findings, {{"check", check.id}, {"status", to_string(level)}}, static_cast<double>(n));
      if (check.id != "same-name-issuers") continue;
      for (const Perfdata& perfdata : check.verdict.perfdata) {
        if (perfdata.label == "name_conflicts" && perfdata.value)
          out_.add(Family::issuer_conflicts, {}, *perfdata.value);
      }
    }
    for (const auto& [key, n] : by_code)
      out_.add(Family::findings, {{"code", key.first}, {"status", to_string(key.second)}}, static_cast<double>(n));
    for (const Needs need : {Needs::stores, Needs::identities, Needs::names, Needs::handshakes, Needs::signatures}) {
      const auto n =
          std::count_if(report_.gaps.begin(), report_.gaps.end(), [&](const Gap& gap) { return gap.need == need; });
      out_.add(Family::gaps, {{"missing", to_string(need)}}, static_cast<double>(n));
    }
    for (const Resolution& resolution : evidence_.resolutions)
      out_.add(Family::name_addresses, {{"name", resolution.name}}, static_cast<double>(resolution.addresses.size()));
  }

  void of_stores() {
    std::set<std::string_view> lacking;
    for (const Gap& gap : report_.gaps) {
      if (gap.need == Needs::stores) lacking.insert(gap.about);
    }
    for (const StoreSpec& store : evidence_.site.stores) {
      const bool read = std::any_of(evidence_.stores.begin(), evidence_.stores.end(),
                                    [&](const StoreContents& contents) { return contents.store == store.name; });
      out_.add(Family::source_up, {{"source", store.name}}, read && !lacking.contains(store.name));
    }
    for (const StoreContents& contents : evidence_.stores) {
      out_.add(Family::store_certificates, {{"source", contents.store}}, static_cast<double>(contents.entries.size()));
      for (const CrlEntry& entry : contents.crls) of(*entry.crl);
    }
  }

  void of(const Crl& crl) {
    const std::string fingerprint = to_hex(crl.sha256);
    std::string_view issuer = crl.issuer.common_name();
    if (issuer.empty()) issuer = crl.issuer.text();
    const Labels labels{
        {"fingerprint_sha256", fingerprint}, {"issuer_cn", issuer}, {"kind", crl.delta ? "delta" : "base"}};
    out_.add(Family::crl_this_update, labels, crl.this_update);
    if (crl.next_update) out_.add(Family::crl_next_update, labels, *crl.next_update);
    if (!compat_.x509) return;
    const Labels theirs{{"issuer_CN", issuer}, {"fingerprint_sha256", fingerprint}};
    out_.add(Family::x509_crl_this_update, theirs, crl.this_update);
    if (crl.next_update) out_.add(Family::x509_crl_next_update, theirs, *crl.next_update);
  }

  using Ends = std::tuple<std::string_view, std::string_view, std::uint16_t>;
  template <class T>
  static Ends key(const T& of) {
    return {of.from, of.to, of.port};
  }

  void of(const Handshake& handshake) {
    tried_.insert(key(handshake));
    const std::string port = std::to_string(handshake.port);
    Labels labels{{"from", handshake.from}, {"to", handshake.to}, {"address", handshake.address}, {"port", port}};
    if (!handshake.variant.empty()) labels.emplace_back("variant", handshake.variant);
    const auto found = links_.find(key(handshake));
    const Link* link = found == links_.end() ? nullptr : found->second;
    const bool to_be_refused = link != nullptr && link->expect == Expectation::refuse;
    const bool let_in = handshake.accepted();
    const bool asked = link != nullptr && link->service == Service::mras && !to_be_refused;
    out_.add(Family::connect_success, labels, handshake.phase > Phase::connect);
    out_.add(Family::handshake_success, labels, let_in);
    out_.add(Family::handshake_expected, labels,
             to_be_refused ? handshake.outcome == Outcome::rejected_by_peer : let_in);
    if (asked) out_.add(Family::mras_success, labels, gave_credentials(handshake));
    if (handshake.connect_time.count() > 0)
      out_.add(Family::connect_duration, labels, in_seconds(handshake.connect_time));
    if (handshake.tls_time.count() > 0) out_.add(Family::tls_duration, labels, in_seconds(handshake.tls_time));
    if (handshake.mras && handshake.mras->answered)
      out_.add(Family::mras_duration, labels, in_seconds(handshake.sip_time));
    if (!handshake.tls_version.empty()) {
      Labels agreed = labels;
      agreed.emplace_back("version", handshake.tls_version);
      agreed.emplace_back("cipher", handshake.cipher);
      out_.add(Family::tls_info, agreed, true);
    }
    if (handshake.client_certificate_requested) {
      out_.add(Family::trusted_issuers, labels, static_cast<double>(handshake.accepted_issuer_count));
      out_.add(Family::trusted_issuer_list_bytes, labels, static_cast<double>(handshake.accepted_issuer_bytes));
    }
    if (handshake.mras && handshake.mras->date && handshake.mras->answered_at) {
      const auto ahead = *handshake.mras->date - *handshake.mras->answered_at;
      out_.add(Family::clock_offset, labels, static_cast<double>(ahead.count()));
    }
    const bool as_asked = to_be_refused ? handshake.outcome == Outcome::rejected_by_peer
                          : asked       ? let_in && gave_credentials(handshake)
                                        : let_in && handshake.outcome == Outcome::completed;
    for_dashboards(handshake, as_asked);
  }

  void for_dashboards(const Handshake& handshake, bool as_asked) {
    const std::string target = fmt::format("{}:{}", handshake.to, handshake.port);
    Labels labels{{"target", target}, {"address", handshake.address}, {"from", handshake.from}};
    if (!handshake.variant.empty()) labels.emplace_back("variant", handshake.variant);
    const auto with = [&](const Labels& more) {
      Labels all = labels;
      all.insert(all.end(), more.begin(), more.end());
      return all;
    };
    if (compat_.blackbox) {
      out_.add(Family::blackbox_success, labels, as_asked);
      if (!handshake.tls_version.empty())
        out_.add(Family::blackbox_tls_version, with({{"version", handshake.tls_version}}), true);
      const auto first = std::min_element(
          handshake.peer_chain.begin(), handshake.peer_chain.end(),
          [](const CertificateRef& a, const CertificateRef& b) { return a->not_after < b->not_after; });
      if (first != handshake.peer_chain.end()) {
        const Described ending{**first};
        out_.add(Family::blackbox_earliest_expiry, with({{"fingerprint_sha256", ending.fingerprint}}),
                 (*first)->not_after);
        const Certificate& own = *handshake.peer_chain.front();
        const Described words{own};
        const std::string subject{own.subject.text()};
        const std::string issuer{own.issuer.text()};
        const std::string names = words.names.size() > 2 ? words.names.substr(1, words.names.size() - 2) : "";
        out_.add(Family::blackbox_chain_info,
                 with({{"fingerprint_sha256", words.fingerprint},
                       {"issuer", issuer},
                       {"subject", subject},
                       {"subjectalternative", names},
                       {"serialnumber", own.serial}}),
                 true);
      }
    }
    if (compat_.ssl_exporter) {
      out_.add(Family::ssl_success, labels, !handshake.peer_chain.empty());
      if (!handshake.tls_version.empty())
        out_.add(Family::ssl_tls_version, with({{"version", handshake.tls_version}}), true);
      for (const CertificateRef& certificate : handshake.peer_chain) {
        const Described words{*certificate};
        const Labels theirs =
            with({{"serial_no", certificate->serial},
                  {"issuer_cn", words.issuer},
                  {"cn", words.subject},
                  {"dnsnames", words.names.size() > 1 ? std::string_view{words.names} : std::string_view{}},
                  {"fingerprint_sha256", words.fingerprint}});
        out_.add(Family::ssl_not_after, theirs, certificate->not_after);
        out_.add(Family::ssl_not_before, theirs, certificate->not_before);
      }
    }
  }

  /// A link of which nothing was seen, because its name has no address or the time was over: it did not succeed.
  void of_untried(const Link& link) {
    if (tried_.contains(key(link))) return;
    const std::string port = std::to_string(link.port);
    const Labels labels{{"from", link.from}, {"to", link.to}, {"address", ""}, {"port", port}};
    out_.add(Family::connect_success, labels, false);
    out_.add(Family::handshake_success, labels, false);
    out_.add(Family::handshake_expected, labels, false);
    if (link.service == Service::mras && link.expect == Expectation::accept)
      out_.add(Family::mras_success, labels, false);
    const std::string target = fmt::format("{}:{}", link.to, link.port);
    const Labels theirs{{"target", target}, {"address", ""}, {"from", link.from}};
    if (compat_.blackbox) out_.add(Family::blackbox_success, theirs, false);
    if (compat_.ssl_exporter) out_.add(Family::ssl_success, theirs, false);
  }

  void use(const CertificateRef& certificate, std::string_view server, std::string_view as) {
    if (!certificate) return;
    const Described& words = describe(certificate);
    out_.add(Family::certificate_use, {{"fingerprint_sha256", words.fingerprint}, {"server", server}, {"as", as}},
             true);
  }
  const Described& describe(const CertificateRef& certificate) {
    const auto [at, fresh] = described_.try_emplace(certificate->sha256, *certificate);
    const Described& words = at->second;
    if (!fresh) return words;
    const Labels labels{{"fingerprint_sha256", words.fingerprint},
                        {"thumbprint", words.thumbprint},
                        {"subject_cn", words.subject},
                        {"issuer_cn", words.issuer},
                        {"serial_number", certificate->serial}};
    out_.add(Family::certificate_not_after, labels, certificate->not_after);
    out_.add(Family::certificate_not_before, labels, certificate->not_before);
    if (compat_.x509) {
      const Labels theirs{{"serial_number", certificate->serial},
                          {"subject_CN", words.subject},
                          {"issuer_CN", words.issuer},
                          {"fingerprint_sha256", words.fingerprint}};
      out_.add(Family::x509_not_after, theirs, certificate->not_after);
      out_.add(Family::x509_not_before, theirs, certificate->not_before);
      out_.add(Family::x509_expired, theirs, certificate->not_after < report_.collected_at);
    }
    return words;
  }

  void of_certificates() {
    for (const Identity& identity : evidence_.identities) {
      use(identity.certificate, identity.server, "configured");
      for (const CertificateRef& certificate : identity.chain) use(certificate, identity.server, "configured-chain");
    }
    for (const Handshake& handshake : evidence_.handshakes) {
      for (std::size_t i = 0; i < handshake.peer_chain.size(); ++i)
        use(handshake.peer_chain[i], handshake.to, i == 0 ? "presented" : "presented-chain");
      for (std::size_t i = 0; i < handshake.sent_chain.size(); ++i)
        use(handshake.sent_chain[i], handshake.from, i == 0 ? "sent" : "sent-chain");
    }
  }

  const Report& report_;
  const Evidence& evidence_;
  const PrometheusCompat& compat_;
  Exposition out_;
  std::map<Ends, const Link*> links_;
  std::set<Ends> tried_;
  std::map<Sha256, Described> described_;
};

}  // namespace

std::span<const MetricFamily> metric_families() {
  return all_families;
}

std::string prometheus(const Report& report, const Evidence& evidence, const PrometheusCompat& compat) {
  return Writer{report, evidence, compat}.write();
}

}  // namespace mrascheck::render

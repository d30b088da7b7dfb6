// SPDX-License-Identifier: Apache-2.0
#include "run/fetches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

#include "core/directory_url.hpp"
#include "core/http_url.hpp"
#include "core/text.hpp"
#include "crypto/ocsp.hpp"
#include "transport/resolve.hpp"

namespace mrascheck::run {

using Task = boost::asio::awaitable<void>;

Fetches::Fetches(transport::Loop& loop, Setting setting)
    : loop_(loop),
      setting_(std::move(setting)),
      at_once_(loop, std::min(setting_.config->limits.parallel, unsigned{most_at_once})) {}

void Fetches::want(const Certificate& certificate) {
  for (const auto* urls : {&certificate.ca_issuer_urls, &certificate.crl_urls}) {
    for (const std::string& url : *urls) {
      if ((!is_http(url) && !is_https(url) && !remote_reference(url)) || ends_.contains(url)) continue;
      if (ends_.size() < most_urls) {
        ends_.try_emplace(url);
        setting_.began();
        loop_.spawn(run(url));
      } else if (std::find(left_out_.begin(), left_out_.end(), url) == left_out_.end()) {
        left_out_.insert(std::upper_bound(left_out_.begin(), left_out_.end(), url), url);
      }
    }
  }
}

void Fetches::hurry() {
  at_once_.lift();
}

/// Asks a directory that a URL names for the one entry, as anybody may.
boost::asio::awaitable<sources::Fetched<StoreContents>> Fetches::read_entry(std::string url) {
  const auto reference = remote_reference(url);
  StoreSource source;
  source.name = url;
  source.ldap_uris = {reference->server};
  source.base = reference->entry.dn;
  source.one_entry = true;
  Entry& entry = entries_.try_emplace(url, loop_).first->second;
  const ldap::NameService names{setting_.config->resolve, setting_.config->family, setting_.config->network.sources};
  setting_.on_thread([this, source, names, url, pool = setting_.pool, step = setting_.config->limits.step,
                      deadline = setting_.deadline]() -> std::function<void()> {
    auto result = std::make_shared<Result<StoreContents>>();
    try {
      *result = sources::read_directory_store(source, *pool, step, deadline, names);
    } catch (const std::exception& cause) {
      *result = fail(ErrorKind::local, printable(cause.what()));
    }
    return [this, url, result] {
      Entry& waiting = entries_.at(url);
      waiting.contents = std::move(*result);
      waiting.ready.open();
    };
  });
  co_await entry.ready.opened();
  if (!entry.contents) {
    co_return tl::unexpected(sources::FetchFailure{
        std::move(entry.contents).error(),
        "See that the directory that the URL names answers to whoever asks without a user name, and has the entry: "
        "ldapsearch -x -H SERVER -s base -b DN. A server that gets no answer there either can build no chain by it, "
        "and "
        "check no revocation."});
  }
  if (entry.contents->entries.empty() && entry.contents->crls.empty()) {
    co_return tl::unexpected(
        sources::FetchFailure{{ErrorKind::malformed, "the entry has neither a certificate nor a revocation list"},
                              "Publish what belongs there (certutil -dspublish), or have the CA leave this URL out of "
                              "the certificates that it "
                              "issues."});
  }
  co_return std::move(*entry.contents);
}

sources::Fetch Fetches::fetch_of(std::string url) {
  sources::Fetch what;
  what.url = std::move(url);
  what.addresses_of = [this](std::string host) { return addresses_of(std::move(host)); };
  what.pool = setting_.pool.get();
  what.step = setting_.config->limits.step;
  what.sources = setting_.config->network.sources;
  return what;
}

void Fetches::ask_status(const CertificateRef& certificate, std::vector<CertificateRef> issuers) {
  const std::vector<std::string>& urls = certificate->ocsp_urls;
  if (std::none_of(urls.begin(), urls.end(), is_http) || !asked_.insert(certificate->sha256).second) return;
  if (asked_.size() > most_questions) {
    not_asked_.push_back(certificate);
    return;
  }
  setting_.began();
  loop_.spawn(ask(certificate, std::move(issuers)));
}

Task Fetches::ask(CertificateRef certificate, std::vector<CertificateRef> issuers) {
  co_await at_once_.taken();
  bool late = setting_.deadline.over();
  bool answered = false;
  for (const std::string& url : certificate->ocsp_urls) {
    if (!is_http(url) || answered || late) continue;
    OcspLook look;
    look.certificate = certificate;
    look.source = url;
    if (const auto silent = silent_.find(url); silent != silent_.end()) {
      look.problem = silent->second.error.text;
      look.remedy = silent->second.remedy;
    } else {
      co_await ask_one(look, issuers);
      late = !look.answer && setting_.deadline.over();  // whose fault it was cannot be told
    }
    answered = look.answer.has_value();
    if (!late) looks_.push_back(std::move(look));
  }
  if (late) not_asked_.push_back(certificate);
  at_once_.give_back();
  setting_.ended(fmt::format("status of {}", short_name(*certificate)));
}

Task Fetches::ask_one(OcspLook& look, const std::vector<CertificateRef>& issuers) {
  const Result<ByteString> request = crypto::ocsp_request(*look.certificate, *issuers.front());
  if (!request) {
    look.problem = request.error().text;
    look.remedy = "Look at the certificate and at that of its issuer: openssl x509 -text.";
    co_return;
  }
  auto came = co_await sources::ask_responder(fetch_of(look.source), *request, setting_.deadline);
  if (!came) {
    const ErrorKind kind = came.error().error.kind;
    if (kind == ErrorKind::unreachable || kind == ErrorKind::timed_out) silent_.try_emplace(look.source, came.error());
    look.problem = came.error().error.text;
    look.remedy = came.error().remedy;
    co_return;
  }
  auto answer = crypto::read_ocsp_response(*came, *look.certificate, issuers, setting_.now);
  if (answer) {
    look.answer = std::move(*answer);
    co_return;
  }
  look.problem = answer.error().text;
  look.remedy =
      answer.error().kind == ErrorKind::rejected_by_peer
          ? "On the responder, see that it has a revocation configuration for the CA that issued the certificate, and "
            "that this one works (ocsp.msc for Microsoft's Online Responder); `unauthorized` says that it knows "
            "nothing "
            "of that CA (RFC 5019, 2.2.3)."
          : "See what answers there: openssl ocsp -issuer ISSUER -cert FILE -url URL -resp_text.";
}

Task Fetches::run(std::string url) {
  co_await at_once_.taken();
  if (!setting_.deadline.over()) {
    sources::Fetched<StoreContents> came;
    if (remote_reference(url)) {  // not by ?:, over which GCC 12 breaks down where there is a co_await in it
      came = co_await read_entry(url);
    } else {
      came = co_await sources::fetch(fetch_of(url), setting_.deadline);
    }
    keep(ends_.at(url), std::move(came));
  }
  at_once_.give_back();
  setting_.ended(url);
}

void Fetches::keep(End& end, sources::Fetched<StoreContents> came) {
  // What time cut off has not ended by itself: whose fault it was cannot be told.
  if (!came && setting_.deadline.over() && came.error().error.kind == ErrorKind::timed_out) return;
  std::size_t bytes = 0;
  if (came) {
    for (const StoreEntry& entry : came->entries) bytes += entry.certificate->der.size();
    for (const CrlEntry& entry : came->crls) bytes += entry.crl->der.size();
  }
  if (bytes > most_bytes - bytes_) {
    end = tl::unexpected(sources::FetchFailure{
        {ErrorKind::rejected_by_us,
         fmt::format("not kept: with what else was fetched it is more than {} MiB", most_bytes / 1024 / 1024)},
        "See which of the URLs that certificates name lead to something that large, and why: curl -sv URL."});
    return;
  }
  bytes_ += bytes;
  end = std::move(came);
}

const std::vector<std::string>* Fetches::configured_addresses(const std::string& host) const {
  const Config& config = *setting_.config;
  const auto given = std::find_if(config.resolve.begin(), config.resolve.end(),
                                  [&](const auto& entry) { return equals_ignoring_case(entry.first, host); });
  if (given != config.resolve.end()) return &given->second;
  const auto server = std::find_if(config.site.servers.begin(), config.site.servers.end(), [&](const Server& one) {
    return equals_ignoring_case(one.resolved_name(), host) && !one.addresses.empty();
  });
  return server == config.site.servers.end() ? nullptr : &server->addresses;
}

boost::asio::awaitable<Fetches::Addresses> Fetches::addresses_of(std::string host) {
  const auto [place, first] = hosts_.try_emplace(to_lower(host), loop_);
  Host& known = place->second;
  if (!first) {
    co_await known.ready.opened();
    co_return known.addresses;
  }
  const Config& config = *setting_.config;
  const auto nothing = [](ErrorKind kind, std::string text, std::string remedy) {
    return tl::unexpected(sources::FetchFailure{{kind, std::move(text)}, std::move(remedy)});
  };
  if (const auto* given = configured_addresses(host)) {
    known.addresses = transport::literals(*given, config.family);
    if (known.addresses->empty()) {
      known.addresses =
          nothing(ErrorKind::config, fmt::format("{}: none of its configured addresses can be used", host),
                  fmt::format("Correct the addresses of {} in the configuration, under `resolve` or "
                              "`addresses`.",
                              host));
    }
  } else {
    const transport::NameServers servers{config.family, setting_.name_servers};
    const transport::Resolved found =
        co_await transport::resolve(host, servers, setting_.deadline.within(config.limits.step));
    const bool asked = found.answer == transport::Answer::not_found;
    const bool ours = found.answer == transport::Answer::local_failure;
    if (found.answer == transport::Answer::found) {
      known.addresses = found.record.addresses;
    } else {
      known.addresses = nothing(
          ours                       ? ErrorKind::local
          : setting_.deadline.over() ? ErrorKind::timed_out
                                     : ErrorKind::unreachable,
          fmt::format("{}: {}", host, found.record.error),
          asked ? fmt::format("Enter {0} in the DNS that this host asks, or give its addresses under `resolve`. "
                              "If the name is out of use, have the CA leave it out of the certificates that it "
                              "issues.",
                              host)
                : fmt::format("Check the name servers in /etc/resolv.conf of this host: host {}; or give its "
                              "addresses under `resolve`.",
                              host));
    }
  }
  known.ready.open();
  co_return known.addresses;
}

}  // namespace mrascheck::run

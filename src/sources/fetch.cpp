// SPDX-License-Identifier: Apache-2.0
#include "sources/fetch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/http_url.hpp"
#include "core/text.hpp"
#include "transport/connection.hpp"
#include "transport/http_get.hpp"
#include "x509/scan.hpp"

namespace mrascheck::sources {

using transport::HttpAnswer;

namespace {

constexpr int most_redirects = 2;
/// Of one host; who has more of them is not tried further.
constexpr std::size_t most_addresses = 4;
constexpr std::string_view fetched_place = "fetched";

constexpr std::string_view not_http_remedy =
    "Have the CA write an http:// URL into the certificates that it issues (certsrv.msc, Properties, Extensions): what "
    "is there is signed and needs no other protection (RFC 5280, 8).";
constexpr std::string_view redirect_remedy =
    "Take the redirect off the web server for these files, or let it lead to an http:// URL: what is there is signed "
    "and "
    "needs no other protection (RFC 5280, 8).";
constexpr std::string_view no_server_remedy =
    "See that the web server runs and that the firewalls let this host through to it: curl -sv URL. A server that gets "
    "no answer there either can build no chain by it, and check no revocation.";
constexpr std::string_view not_there_remedy =
    "Put the file where the URL says: a revocation list by certutil -crl on the CA, a CA's certificate from its "
    "CertEnroll folder. Or have the CA leave this URL out of the certificates that it issues.";
constexpr std::string_view not_that_remedy =
    "See what the web server sends there: curl -sv URL. It must be one certificate in DER, a PKCS #7 file of "
    "certificates, or a revocation list in DER (RFC 5280, 4.2.1.13 and 4.2.2.1).";

tl::unexpected<FetchFailure> failed(Error error, std::string_view remedy) {
  return tl::unexpected(FetchFailure{std::move(error), std::string{remedy}});
}

tl::unexpected<FetchFailure> failed(ErrorKind kind, std::string text, std::string_view remedy) {
  return failed(Error{kind, std::move(text)}, remedy);
}

bool redirects(const HttpAnswer& answer) {
  constexpr std::array<unsigned, 5> kinds{301, 302, 303, 307, 308};
  return std::find(kinds.begin(), kinds.end(), answer.status) != kinds.end() && !answer.location.empty();
}

/// Connects to the first address that lets us, and asks there.
boost::asio::awaitable<Fetched<HttpAnswer>> ask(const Fetch& what, const HttpUrl& url, const Deadline& run) {
  const Fetched<std::vector<std::string>> addresses = co_await what.addresses_of(url.host);
  if (!addresses) co_return tl::unexpected(addresses.error());
  std::optional<Error> refused;
  for (std::size_t i = 0; i < std::min(addresses->size(), most_addresses); ++i) {
    const std::string& address = (*addresses)[i];
    transport::Connected connected =
        co_await transport::connect(address, url.port, run.within(what.step), what.sources);
    if (!connected.end.ok()) {
      refused = transport::error_of(connected.end);
      refused->text = fmt::format("{} port {}: {}", address, url.port, refused->text);
      continue;
    }
    Result<HttpAnswer> answer =
        co_await transport::http_get(std::move(*connected.connection), url, {}, run.within(what.step));
    if (answer) co_return std::move(*answer);
    const bool cut_off = answer.error().kind == ErrorKind::unreachable || answer.error().kind == ErrorKind::timed_out;
    Error error = std::move(answer).error();
    error.text = fmt::format("{} port {}: {}", address, url.port, error.text);
    co_return failed(std::move(error), cut_off ? no_server_remedy : not_that_remedy);
  }
  if (!refused) refused = Error{ErrorKind::unreachable, fmt::format("{}: no address", url.host)};
  co_return failed(std::move(*refused), no_server_remedy);
}

Fetched<StoreContents> read(Bytes body, const std::string& url, CertificatePool& pool) {
  StoreContents contents;
  contents.store = url;
  const auto unreadable = [&](const std::string& where, const std::string& reason) {
    contents.unreadable.push_back(
        {std::string{fetched_place}, where.empty() ? reason : fmt::format("{}: {}", where, reason)});
  };
  const x509::Scan scan = x509::scan_certificates(body);
  for (const x509::FoundCertificate& found : scan.certificates) {
    Result<CertificateRef> certificate = pool.intern(found.der);
    if (!certificate) {
      unreadable(found.where, certificate.error().text);
      continue;
    }
    contents.entries.push_back(
        {*std::move(certificate), StoreKind::intermediate, std::string{fetched_place}, contents.entries.size()});
  }
  for (const x509::FoundCrl& found : scan.crls) {
    Result<CrlRef> crl = pool.intern_crl(found.der);
    if (!crl) {
      unreadable(found.where, "not a revocation list: " + crl.error().text);
      continue;
    }
    contents.crls.push_back({*std::move(crl), std::string{fetched_place}, contents.crls.size()});
  }
  for (const Unreadable& one : scan.unreadable) unreadable({}, one.reason);
  if (!contents.entries.empty() || !contents.crls.empty()) return contents;
  return failed(ErrorKind::malformed,
                fmt::format("what is there is neither a certificate nor a revocation list: {}",
                            contents.unreadable.empty() ? "empty" : contents.unreadable.front().reason),
                not_that_remedy);
}

Fetched<StoreContents> read(const HttpAnswer& answer, const std::string& url, CertificatePool& pool) {
  if (answer.status != 200) {
    return failed(ErrorKind::rejected_by_peer,
                  fmt::format("the web server answers {}", transport::status_text(answer.status)), not_there_remedy);
  }
  if (!answer.encoding.empty() && !equals_ignoring_case(answer.encoding, "identity")) {
    return failed(ErrorKind::malformed,
                  fmt::format("it is sent compressed ({}), which was not asked for", printable(answer.encoding, 40)),
                  not_that_remedy);
  }
  return read(answer.body, url, pool);
}

}  // namespace

boost::asio::awaitable<Fetched<StoreContents>> fetch(Fetch what, Deadline run) {
  Result<HttpUrl> at = parse_http_url(what.url);
  if (!at) co_return failed(at.error(), not_http_remedy);
  std::string by_way_of;  // what a failure begins with, once the URL has led elsewhere
  for (int redirect = 0;; ++redirect) {
    Fetched<HttpAnswer> answer = co_await ask(what, *at, run);
    if (!answer) {
      answer.error().error.text.insert(0, by_way_of);
      co_return tl::unexpected(std::move(answer).error());
    }
    if (!redirects(*answer)) {
      Fetched<StoreContents> contents = read(*answer, what.url, *what.pool);
      if (contents) {
        contents->source = redirect == 0 ? what.url : at->text();
      } else {
        contents.error().error.text.insert(0, by_way_of);
      }
      co_return contents;
    }
    const std::string where = printable(answer->location, 200);
    if (redirect == most_redirects) {
      co_return failed(ErrorKind::rejected_by_us,
                       fmt::format("redirected more than {} times, at last to {}", most_redirects, where),
                       not_that_remedy);
    }
    at = redirected(*at, answer->location);
    if (!at) {
      co_return failed(at.error().kind, fmt::format("redirected to {}: {}", where, at.error().text), redirect_remedy);
    }
    by_way_of = fmt::format("redirected to {}: ", printable(at->text(), 200));
  }
}

}  // namespace mrascheck::sources

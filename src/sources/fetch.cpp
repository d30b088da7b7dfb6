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
constexpr transport::HttpLimits responder_limits{.body = std::size_t{256} * 1024};

/// What to do, by where it ended.
struct Remedies {
  std::string_view not_http;
  std::string_view redirect;
  std::string_view no_server;
  std::string_view not_there;
  std::string_view not_that;
};

constexpr Remedies of_files{
    "Have the CA write an http:// URL into the certificates that it issues (certsrv.msc, Properties, Extensions): what "
    "is there is signed and needs no other protection (RFC 5280, 8).",
    "Take the redirect off the web server for these files, or let it lead to an http:// URL: what is there is signed "
    "and needs no other protection (RFC 5280, 8).",
    "See that the web server runs and that the firewalls let this host through to it: curl -sv URL. A server that gets "
    "no answer there either can build no chain by it, and check no revocation.",
    "Put the file where the URL says: a revocation list by certutil -crl on the CA, a CA's certificate from its "
    "CertEnroll folder. Or have the CA leave this URL out of the certificates that it issues.",
    "See what the web server sends there: curl -sv URL. It must be one certificate in DER, a PKCS #7 file of "
    "certificates, or a revocation list in DER (RFC 5280, 4.2.1.13 and 4.2.2.1)."};
constexpr Remedies of_responders{
    "Have the CA write the http:// URL of its responder into the certificates that it issues (certsrv.msc, Properties, "
    "Extensions): an answer is signed and needs no other protection (RFC 6960, A.1).",
    "Take the redirect off the web server for the responder, or let it lead to an http:// URL.",
    "See that the responder runs (ocsp.msc for Microsoft's Online Responder) and that the firewalls let this host "
    "through to it: certutil -url FILE on a server. A server that gets no answer there either cannot tell by it "
    "whether "
    "the certificate is revoked.",
    "See that the responder is installed where the URL says (Microsoft's: http://HOST/ocsp), or have the CA leave this "
    "URL out of the certificates that it issues.",
    "See what answers there: openssl ocsp -issuer ISSUER -cert FILE -url URL -resp_text. It must be an OCSP responder "
    "(RFC 6960)."};

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
boost::asio::awaitable<Fetched<HttpAnswer>> ask(const Fetch& what, const HttpUrl& url,
                                                const std::optional<transport::HttpPost>& post,
                                                const Remedies& remedies, const Deadline& run) {
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
    Result<HttpAnswer> answer;
    if (post) {
      answer = co_await transport::http_post(std::move(*connected.connection), url, *post, responder_limits,
                                             run.within(what.step));
    } else {
      answer = co_await transport::http_get(std::move(*connected.connection), url, {}, run.within(what.step));
    }
    if (answer) co_return std::move(*answer);
    const bool cut_off = answer.error().kind == ErrorKind::unreachable || answer.error().kind == ErrorKind::timed_out;
    Error error = std::move(answer).error();
    error.text = fmt::format("{} port {}: {}", address, url.port, error.text);
    co_return failed(std::move(error), cut_off ? remedies.no_server : remedies.not_that);
  }
  if (!refused) refused = Error{ErrorKind::unreachable, fmt::format("{}: no address", url.host)};
  co_return failed(std::move(*refused), remedies.no_server);
}

/// An answer that is no redirect, and where it came from.
struct Followed {
  HttpAnswer answer;
  std::string at;
  std::string by_way_of;  ///< what a failure begins with, once the URL has led elsewhere
};

boost::asio::awaitable<Fetched<Followed>> follow(const Fetch& what, std::optional<transport::HttpPost> post,
                                                 const Remedies& remedies, const Deadline& run) {
  Result<HttpUrl> at = parse_http_url(what.url);
  if (!at) co_return failed(at.error(), remedies.not_http);
  std::string by_way_of;
  for (int redirect = 0;; ++redirect) {
    Fetched<HttpAnswer> answer = co_await ask(what, *at, post, remedies, run);
    if (!answer) {
      answer.error().error.text.insert(0, by_way_of);
      co_return tl::unexpected(std::move(answer).error());
    }
    if (!redirects(*answer))
      co_return Followed{std::move(*answer), redirect == 0 ? what.url : at->text(), std::move(by_way_of)};
    const std::string where = printable(answer->location, 200);
    if (redirect == most_redirects) {
      co_return failed(ErrorKind::rejected_by_us,
                       fmt::format("redirected more than {} times, at last to {}", most_redirects, where),
                       remedies.not_that);
    }
    at = redirected(*at, answer->location);
    if (!at) {
      co_return failed(at.error().kind, fmt::format("redirected to {}: {}", where, at.error().text), remedies.redirect);
    }
    by_way_of = fmt::format("redirected to {}: ", printable(at->text(), 200));
  }
}

/// Why the body of `answer` is not to be read; nothing where it is.
std::optional<FetchFailure> no_body(const HttpAnswer& answer, std::string_view who, const Remedies& remedies) {
  if (answer.status != 200) {
    return failed(ErrorKind::rejected_by_peer, fmt::format("{} answers {}", who, transport::status_text(answer.status)),
                  remedies.not_there)
        .value();
  }
  if (!answer.encoding.empty() && !equals_ignoring_case(answer.encoding, "identity")) {
    return failed(ErrorKind::malformed,
                  fmt::format("it is sent compressed ({}), which was not asked for", printable(answer.encoding, 40)),
                  remedies.not_that)
        .value();
  }
  return std::nullopt;
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
                of_files.not_that);
}

}  // namespace

boost::asio::awaitable<Fetched<StoreContents>> fetch(Fetch what, Deadline run) {
  Fetched<Followed> came = co_await follow(what, std::nullopt, of_files, run);
  if (!came) co_return tl::unexpected(std::move(came).error());
  Fetched<StoreContents> contents;
  if (auto why_not = no_body(came->answer, "the web server", of_files)) {
    contents = tl::unexpected(*std::move(why_not));
  } else {
    contents = read(came->answer.body, what.url, *what.pool);
  }
  if (contents) {
    contents->source = came->at;
  } else {
    contents.error().error.text.insert(0, came->by_way_of);
  }
  co_return contents;
}

boost::asio::awaitable<Fetched<ByteString>> ask_responder(Fetch what, ByteString request, Deadline run) {
  transport::HttpPost post{"application/ocsp-request", std::move(request), "application/ocsp-response"};
  Fetched<Followed> came = co_await follow(what, std::move(post), of_responders, run);
  if (!came) co_return tl::unexpected(std::move(came).error());
  if (auto why_not = no_body(came->answer, "the responder", of_responders)) {
    why_not->error.text.insert(0, came->by_way_of);
    co_return tl::unexpected(*std::move(why_not));
  }
  co_return std::move(came->answer.body);
}

}  // namespace mrascheck::sources

// SPDX-License-Identifier: Apache-2.0
#include "sources/offer.hpp"

#include <algorithm>
#include <utility>

#include "core/text.hpp"
#include "crypto/tls_engine.hpp"
#include "transport/connection.hpp"
#include "transport/tls_stream.hpp"

namespace mrascheck::sources {
namespace {

/// How one connection ended, for who wants to know whether the server agrees.
struct Asked {
  std::string version;
  std::string cipher;
  transport::StepEnd end;
};

boost::asio::awaitable<Asked> ask(const OfferProbe& task, const crypto::TlsContext& context, const Deadline& run) {
  Asked asked;
  transport::Connected connected =
      co_await transport::connect(task.address, task.port, run.within(task.step), task.sources);
  asked.end = connected.end;
  if (!connected.end.ok()) co_return asked;
  auto engine = crypto::TlsEngine::client(context, task.server_name);
  if (!engine) {
    asked.end = {Outcome::local_failure, 0, engine.error().text};
    co_return asked;
  }
  transport::TlsStream stream(std::move(*connected.connection), std::move(*engine));
  asked.end = co_await stream.handshake(run.within(task.step));
  const crypto::TlsFacts facts = stream.engine().facts();
  asked.version = facts.version;
  asked.cipher = facts.cipher;
  stream.close();
  co_return asked;
}

/// Whether that is the server's word that it does not agree to what was asked for.
bool refuses(const Asked& asked, std::string_view version) {
  const Outcome outcome = asked.end.outcome;
  if (outcome == Outcome::rejected_by_peer || outcome == Outcome::reset || outcome == Outcome::closed) return true;
  // OpenSSL breaks off where the server goes for another version.
  return outcome == Outcome::rejected_by_us && !asked.version.empty() && asked.version != version;
}

}  // namespace

boost::asio::awaitable<TlsOffer> find_offer(OfferProbe task, Deadline run) {
  TlsOffer offer;
  offer.from = task.from;
  offer.to = task.to;
  offer.address = task.address;
  offer.port = task.port;
  unsigned connections = 0;
  for (const TlsVersion version :
       {TlsVersion::tls_1_3, TlsVersion::tls_1_2, TlsVersion::tls_1_1, TlsVersion::tls_1_0}) {
    TlsOffer::Version& found = offer.versions.emplace_back();
    found.version = version;
    const std::string name{to_string(version)};
    while (true) {
      if (run.over() || connections == most_connections) {
        found.detail = run.over() ? "not asked before the run's end" : "not asked: too many connections";
        break;
      }
      crypto::TlsContext::Options options;
      if (!task.chain.empty() && task.key) {
        options.certificate = task.chain.front();
        options.chain.assign(task.chain.begin() + 1, task.chain.end());
        options.key = task.key;
      }
      options.min_version = options.max_version = name;
      options.all_ciphers_but = found.ciphers;
      const auto context = crypto::TlsContext::client(options);
      if (!context) {
        found.complete = found.offered();  // nothing is left to ask for
        found.detail = found.offered() ? "all that OpenSSL has" : context.error().text;
        break;
      }
      ++connections;
      const Asked asked = co_await ask(task, *context, run);
      const bool fresh = std::find(found.ciphers.begin(), found.ciphers.end(), asked.cipher) == found.ciphers.end();
      if (asked.version == name && !asked.cipher.empty() && fresh) {
        found.ciphers.push_back(asked.cipher);
        continue;
      }
      found.detail = asked.end.ok() ? "agreed on what was not asked for" : printable(asked.end.detail, 200);
      // With no cipher suite left, OpenSSL itself has nothing to ask for.
      const bool nothing_left =
          asked.end.outcome == Outcome::rejected_by_us && asked.version.empty() && found.offered();
      found.complete = refuses(asked, name) || nothing_left;
      if (nothing_left) found.detail = "all that OpenSSL has";
      if (asked.end.outcome == Outcome::refused || asked.end.outcome == Outcome::unreachable ||
          asked.end.outcome == Outcome::local_failure) {
        co_return offer;  // nothing will be found out here
      }
      break;
    }
  }
  // Who cuts every connection, whatever it asks for, has said nothing about versions.
  const bool any = std::any_of(offer.versions.begin(), offer.versions.end(),
                               [](const TlsOffer::Version& version) { return version.offered(); });
  for (TlsOffer::Version& version : offer.versions) version.complete = version.complete && any;
  std::reverse(offer.versions.begin(), offer.versions.end());
  co_return offer;
}

}  // namespace mrascheck::sources

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/store.hpp"
#include "sources/sources.hpp"

namespace mrascheck::sources {

/// Why nothing came of a URL, and what to do about it.
struct FetchFailure {
  Error error;
  std::string remedy;
};
template <class T>
using Fetched = tl::expected<T, FetchFailure>;

/// One URL of an AIA or CDP extension.
struct Fetch {
  std::string url;
  /// Literals of a host, at least one. Asked again for each host that a redirect leads to.
  std::function<boost::asio::awaitable<Fetched<std::vector<std::string>>>(std::string host)> addresses_of;
  CertificatePool* pool = nullptr;
  std::chrono::milliseconds step{};       ///< for each connection, and for each answer
  std::vector<std::string> sources = {};  ///< Network::sources
};

/// GETs `what.url`, following two redirects at most and to http only, and reads what came by its content: a
/// certificate, a PKCS#7 or PEM file of several, or a revocation list (RFC 5280, 4.2.2.1 and 4.2.1.13; RFC 4387). The
/// contents are named by the URL, and their source is where a redirect led. Nothing is an anchor there, whatever it is.
boost::asio::awaitable<Fetched<StoreContents>> fetch(Fetch what, Deadline run);

/// POSTs `request` to `what.url`, a responder's (RFC 6960, A.1): its response, whatever that is.
boost::asio::awaitable<Fetched<ByteString>> ask_responder(Fetch what, ByteString request, Deadline run);

}  // namespace mrascheck::sources

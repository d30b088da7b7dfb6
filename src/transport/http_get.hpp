// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string>

#include "core/bytes.hpp"
#include "core/deadline.hpp"
#include "core/http_url.hpp"
#include "core/result.hpp"
#include "transport/connection.hpp"

namespace mrascheck::transport {

struct HttpLimits {
  std::size_t header = std::size_t{16} * 1024;       ///< status line and fields
  std::size_t body = std::size_t{16} * 1024 * 1024;  ///< what a chunked one holds, without its frames
};

struct HttpAnswer {
  unsigned status = 0;   ///< final: never 1xx
  std::string location;  ///< the field Location, as sent
  std::string encoding;  ///< the field Content-Encoding, as sent; empty: the body is what was asked for
  ByteString body;       ///< of a 200 only
};

/// What is sent with a POST (RFC 9110, 9.3.3), and which type of answer is wanted.
struct HttpPost {
  std::string type;  ///< "application/ocsp-request"
  ByteString body;
  std::string wanted;
};

/// "404 (Not Found)"; the number alone where RFC 9110 has no name for it.
std::string status_text(unsigned status);

/// The kind of a step that did not complete.
Error error_of(const StepEnd& end);

/// Asks for `url` by one GET of HTTP/1.1 (RFC 9112): no proxy, no credentials, no cookies, and no redirect is followed.
/// `step` is for the whole of it. Nothing else can be asked for on the connection afterwards.
/// Error: as error_of; malformed for what is no HTTP, or is cut short; rejected_by_us for more than `limits` allow.
asio::awaitable<Result<HttpAnswer>> http_get(Connection connection, HttpUrl url, HttpLimits limits, Deadline step);
/// The same by one POST.
asio::awaitable<Result<HttpAnswer>> http_post(Connection connection, HttpUrl url, HttpPost post, HttpLimits limits,
                                              Deadline step);

}  // namespace mrascheck::transport

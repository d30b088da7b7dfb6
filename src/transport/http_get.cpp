// SPDX-License-Identifier: Apache-2.0
#include "transport/http_get.hpp"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "core/text.hpp"

namespace mrascheck::transport {

namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;

namespace {

/// Interim answers (RFC 9110, 15.2) that are passed over; we ask for none.
constexpr int most_interim = 8;

std::string size_text(std::size_t bytes) {
  constexpr std::size_t kib = 1024;
  return bytes >= kib * kib ? fmt::format("{} MiB", bytes / kib / kib) : fmt::format("{} KiB", bytes / kib);
}

/// An answer as its bytes arrive.
class Reading {
 public:
  explicit Reading(const HttpLimits& limits) : limits_(limits) { begin(); }

  /// What arrived is appended here.
  ByteString& unread() { return unread_; }

  /// Takes what is whole of unread().
  Result<void> take() {
    if (received_ == 0 && !begins_as_http()) return fail(ErrorKind::malformed, "not an answer of HTTP");
    while (!unread_.empty() && !done() && !too_little()) {
      ErrorCode failed;
      const std::size_t taken = parser_->put(boost::asio::buffer(unread_), failed);
      received_ += taken;
      unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(taken));
      if (failed && failed != http::error::need_more) return trouble(failed);
      // The line before a chunk is not counted by the parser.
      if (unread_.size() > limits_.header) return trouble(http::error::header_limit);
      if (parser_->is_header_done() && status() / 100 == 1) {
        if (++interim_ > most_interim) return fail(ErrorKind::malformed, "one interim answer after the other");
        begin();
      } else if (taken == 0) {
        break;
      }
    }
    return {};
  }

  /// The peer has said all that it will: which is how some bodies end (RFC 9112, 6.3).
  Result<void> end() {
    if (!parser_->got_some()) return fail(ErrorKind::unreachable, "closed the connection without an answer");
    ErrorCode failed;
    parser_->put_eof(failed);
    if (failed) return trouble(failed);
    return {};
  }

  /// Only the body of a 200 is waited for.
  bool done() const { return parser_->is_done() || (parser_->is_header_done() && status() != 200); }
  std::size_t received() const { return received_ + unread_.size(); }

  HttpAnswer answer() {
    auto& message = parser_->get();
    HttpAnswer made;
    made.status = message.result_int();
    made.location = field(http::field::location);
    made.encoding = field(http::field::content_encoding);
    if (made.status == 200) made.body = std::move(message.body());
    return made;
  }

 private:
  void begin() {
    parser_.emplace();
    parser_->eager(true);
    parser_->header_limit(static_cast<std::uint32_t>(limits_.header));
    parser_->body_limit(limits_.body);
  }
  /// The parser would wait for the end of a header, which other protocols do not have.
  bool begins_as_http() const {
    constexpr std::string_view beginning = "HTTP/1.";
    return beginning.starts_with(as_text(unread_).substr(0, beginning.size()));
  }
  /// The parser takes for granted that the last chunk, of five octets at least, does not come in parts.
  bool too_little() const { return parser_->is_header_done() && parser_->chunked() && unread_.size() < 5; }
  unsigned status() const { return parser_->get().result_int(); }
  std::string field(http::field name) const {
    const auto found = parser_->get()[name];
    return {found.data(), found.size()};
  }

  tl::unexpected<Error> trouble(const ErrorCode& code) const {
    if (code == http::error::body_limit)
      return fail(ErrorKind::rejected_by_us, fmt::format("larger than {}", size_text(limits_.body)));
    if (code == http::error::header_limit) {
      return fail(ErrorKind::rejected_by_us, fmt::format("a header of more than {}", size_text(limits_.header)));
    }
    if (code == http::error::partial_message || code == http::error::end_of_stream)
      return fail(ErrorKind::malformed, fmt::format("cut short after {}", count(received(), "byte")));
    return fail(ErrorKind::malformed, fmt::format("not an answer of HTTP: {}", printable(code.message())));
  }

  HttpLimits limits_;
  ByteString unread_;
  std::size_t received_ = 0;
  int interim_ = 0;
  std::optional<http::response_parser<http::vector_body<std::uint8_t>>> parser_;
};

std::string head_of(std::string_view method, const HttpUrl& url, std::string_view wanted) {
  return fmt::format(
      "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: mrascheck\r\nAccept: {}\r\nAccept-Encoding: identity\r\n"
      "Connection: close\r\n",
      method, url.target, url.authority(), wanted);
}

asio::awaitable<Result<HttpAnswer>> ask_for(Connection connection, std::string request, HttpLimits limits,
                                            Deadline step) {
  StepEnd end = co_await connection.send(as_bytes(request), step);
  if (end.outcome == Outcome::timed_out) co_return tl::unexpected(error_of(end));
  Reading reading(limits);
  while (!reading.done()) {
    end = co_await connection.receive(reading.unread(), step);
    if (end.outcome == Outcome::closed) {
      if (auto ended = reading.end(); !ended) co_return tl::unexpected(std::move(ended).error());
      break;
    }
    if (!end.ok()) {
      if (end.outcome == Outcome::timed_out && reading.received() > 0 && !step.stop.stop_requested())
        end.detail = fmt::format("no end of it in time, after {}", count(reading.received(), "byte"));
      co_return tl::unexpected(error_of(end));
    }
    if (auto taken = reading.take(); !taken) co_return tl::unexpected(std::move(taken).error());
  }
  co_return reading.answer();
}

}  // namespace

std::string status_text(unsigned status) {
  const auto name = http::obsolete_reason(http::int_to_status(status));
  if (http::int_to_status(status) == http::status::unknown) return fmt::format("{}", status);
  return fmt::format("{} ({})", status, std::string_view{name.data(), name.size()});
}

Error error_of(const StepEnd& end) {
  switch (end.outcome) {
    case Outcome::timed_out:
      return {ErrorKind::timed_out, end.detail};
    case Outcome::local_failure:
      return {ErrorKind::local, end.detail};
    default:
      return {ErrorKind::unreachable, end.detail};
  }
}

asio::awaitable<Result<HttpAnswer>> http_get(Connection connection, HttpUrl url, HttpLimits limits, Deadline step) {
  co_return co_await ask_for(std::move(connection), head_of("GET", url, "*/*") + "\r\n", limits, std::move(step));
}

asio::awaitable<Result<HttpAnswer>> http_post(Connection connection, HttpUrl url, HttpPost post, HttpLimits limits,
                                              Deadline step) {
  std::string request = fmt::format("{}Content-Type: {}\r\nContent-Length: {}\r\n\r\n",
                                    head_of("POST", url, post.wanted), post.type, post.body.size());
  request += as_text(post.body);
  co_return co_await ask_for(std::move(connection), std::move(request), limits, std::move(step));
}

}  // namespace mrascheck::transport

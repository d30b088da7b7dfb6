// SPDX-License-Identifier: Apache-2.0
#include "core/http_url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>

#include "core/text.hpp"

namespace mrascheck {
namespace {

constexpr std::string_view http_scheme = "http://";
constexpr std::string_view https_scheme = "https://";
constexpr std::size_t longest_host = 253;  // RFC 1035, 2.3.4, as text
constexpr std::size_t longest_url = 4096;

bool begins_with(std::string_view text, std::string_view beginning) {
  return equals_ignoring_case(text.substr(0, beginning.size()), beginning);
}

bool consists_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [others](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

std::optional<std::uint16_t> port_of(std::string_view digits) {
  if (digits.empty()) return std::uint16_t{80};
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failed != std::errc{} || end != digits.data() + digits.size() || port == 0) return std::nullopt;
  return port;
}

std::optional<std::string> target_of(std::string_view text) {
  std::string target = text.empty() || text.front() == '?' ? "/" : "";
  for (const char c : text) {
    if (c < ' ' || c > '~') return std::nullopt;
    if (c == ' ') {
      target += "%20";
    } else {
      target += c;
    }
  }
  return target;
}

}  // namespace

std::string HttpUrl::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
  return port == 80 ? name : fmt::format("{}:{}", name, port);
}

std::string HttpUrl::text() const {
  return fmt::format("{}{}{}", http_scheme, authority(), target);
}

bool is_http(std::string_view url) {
  return begins_with(url, http_scheme);
}

bool is_https(std::string_view url) {
  return begins_with(url, https_scheme);
}

Result<HttpUrl> parse_http_url(std::string_view url) {
  if (is_https(url)) {
    return fail(ErrorKind::rejected_by_us,
                "https is not fetched: the server's certificate would have to be checked first, perhaps by what is "
                "there");
  }
  if (!is_http(url)) return fail(ErrorKind::malformed, "not an http:// URL");
  if (url.size() > longest_url) return fail(ErrorKind::malformed, "a URL that is too long");
  url.remove_prefix(http_scheme.size());
  url = url.substr(0, url.find('#'));
  const std::size_t end = std::min(url.find_first_of("/?"), url.size());
  std::string_view authority = url.substr(0, end);
  if (authority.find('@') != std::string_view::npos)
    return fail(ErrorKind::rejected_by_us, "a user name stands in the URL, and none is ever sent");

  HttpUrl made;
  const bool bracketed = authority.starts_with('[');
  const std::size_t close = bracketed ? authority.find(']') : 0;
  if (close == std::string_view::npos) return fail(ErrorKind::malformed, "not a URL: a bracket that is not closed");
  const std::size_t colon = authority.find(':', close);
  made.host = authority.substr(0, colon);
  if (bracketed) made.host = authority.substr(1, close - 1);
  const bool odd_behind = bracketed && close + 1 != std::min(colon, authority.size());
  if (made.host.empty() || made.host.size() > longest_host || odd_behind ||
      !consists_of(made.host, bracketed ? ".:" : "-._"))
    return fail(ErrorKind::malformed, "not a URL: no host name or address in it");
  const auto port = port_of(colon == std::string_view::npos ? std::string_view{} : authority.substr(colon + 1));
  if (!port) return fail(ErrorKind::malformed, "not a URL: its port is not one of 1 to 65535");
  made.port = *port;
  auto target = target_of(url.substr(end));
  if (!target) return fail(ErrorKind::malformed, "not a URL: a character in it that no URL has");
  made.target = std::move(*target);
  // Escaped, it has grown.
  if (made.text().size() > longest_url) return fail(ErrorKind::malformed, "a URL that is too long");
  return made;
}

Result<HttpUrl> redirected(const HttpUrl& base, std::string_view location) {
  location = trim(location);
  if (location.starts_with("//")) return parse_http_url(fmt::format("http:{}", location));
  // A scheme ends before anything else can begin (RFC 3986, 4.2).
  const std::size_t colon = location.find(':');
  if (colon != std::string_view::npos && colon < location.find_first_of("/?#")) return parse_http_url(location);
  const std::string path = base.target.substr(0, base.target.find('?'));
  const std::string start = fmt::format("{}{}", http_scheme, base.authority());
  if (location.starts_with('/')) return parse_http_url(fmt::format("{}{}", start, location));
  if (location.starts_with('?') || location.empty())
    return parse_http_url(fmt::format("{}{}{}", start, path, location));
  return parse_http_url(fmt::format("{}{}{}", start, path.substr(0, path.rfind('/') + 1), location));
}

}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
// A URL out of a foreign certificate, and the Location of whoever answers there: what is asked for must stay one line
// of a request, and be read back as what it is.
#include <cstdint>
#include <cstdlib>

#include "core/bytes.hpp"
#include "core/http_url.hpp"
#include "core/text.hpp"

namespace {

void require(const mrascheck::Result<mrascheck::HttpUrl>& url) {
  if (!url) {
    if (url.error().text.empty()) std::abort();
    return;
  }
  if (url->host.empty() || url->target.empty()) std::abort();
  for (const char c : url->authority() + url->target) {
    if (c <= ' ' || c > '~') std::abort();
  }
  const auto again = mrascheck::parse_http_url(url->text());
  if (!again || again->text() != url->text()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = mrascheck::as_text({data, size});
  require(mrascheck::parse_http_url(text));
  require(mrascheck::redirected({.host = "pki.contoso.example", .port = 8080, .target = "/a/b"}, text));
  return 0;
}

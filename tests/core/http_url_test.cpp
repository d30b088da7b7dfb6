// SPDX-License-Identifier: Apache-2.0
#include "core/http_url.hpp"

#include <gtest/gtest.h>

namespace mrascheck {
namespace {

const auto by_name = [](const auto& row) { return std::string{row.param.name}; };

struct HttpUrlRow {
  const char* name;
  std::string url;
  std::string text;  ///< as it is asked for; behind "! ", the error
};
class HttpUrlTest : public testing::TestWithParam<HttpUrlRow> {};

std::string text_of(const Result<HttpUrl>& url) {
  return url ? url->text() : "! " + url.error().text;
}

TEST_P(HttpUrlTest, SaysWhatIsAskedOfWhom) {
  EXPECT_EQ(text_of(parse_http_url(GetParam().url)), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    HttpUrl, HttpUrlTest,
    testing::Values(
        HttpUrlRow{"Plain", "http://pki.contoso.example/root.crl", "http://pki.contoso.example/root.crl"},
        HttpUrlRow{"NoPath", "http://pki.contoso.example", "http://pki.contoso.example/"},
        HttpUrlRow{"OnlyAQuery", "http://pki.contoso.example?id=1", "http://pki.contoso.example/?id=1"},
        HttpUrlRow{"Query", "http://pki/certs?sHash=a%2Bb", "http://pki/certs?sHash=a%2Bb"},
        HttpUrlRow{"SchemeInCapitals", "HTTP://pki/a", "http://pki/a"},
        HttpUrlRow{"Port", "http://pki:8080/a", "http://pki:8080/a"},
        HttpUrlRow{"TheUsualPort", "http://pki:80/a", "http://pki/a"},
        HttpUrlRow{"EmptyPort", "http://pki:/a", "http://pki/a"},
        HttpUrlRow{"Ipv4", "http://192.0.2.1/a", "http://192.0.2.1/a"},
        HttpUrlRow{"Ipv6", "http://[2001:db8::1]:81/a", "http://[2001:db8::1]:81/a"},
        HttpUrlRow{"Fragment", "http://pki/a#b", "http://pki/a"},
        HttpUrlRow{"Blanks", "http://pki/CertEnroll/Contoso Root CA.crl",
                   "http://pki/CertEnroll/Contoso%20Root%20CA.crl"},
        HttpUrlRow{"Https", "HTTPS://pki/a",
                   "! https is not fetched: the server's certificate would have to be checked first, perhaps by "
                   "what is there"},
        HttpUrlRow{"Ldap", "ldap:///CN=a", "! not an http:// URL"}, HttpUrlRow{"Nothing", "", "! not an http:// URL"},
        HttpUrlRow{"NoHost", "http:///a", "! not a URL: no host name or address in it"},
        HttpUrlRow{"OnlyAPort", "http://:80/a", "! not a URL: no host name or address in it"},
        HttpUrlRow{"BlankInTheHost", "http://p ki/a", "! not a URL: no host name or address in it"},
        HttpUrlRow{"LineEndInTheHost", "http://pki\r\nX: y/a", "! not a URL: no host name or address in it"},
        HttpUrlRow{"EmptyBrackets", "http://[]/a", "! not a URL: no host name or address in it"},
        HttpUrlRow{"WordBehindBrackets", "http://[::1]x/a", "! not a URL: no host name or address in it"},
        HttpUrlRow{"OpenBracket", "http://[::1/a", "! not a URL: a bracket that is not closed"},
        HttpUrlRow{"PortZero", "http://pki:0/a", "! not a URL: its port is not one of 1 to 65535"},
        HttpUrlRow{"PortTooLarge", "http://pki:65536/a", "! not a URL: its port is not one of 1 to 65535"},
        HttpUrlRow{"PortOfLetters", "http://pki:8o/a", "! not a URL: its port is not one of 1 to 65535"},
        HttpUrlRow{"User", "http://user:secret@pki/a", "! a user name stands in the URL, and none is ever sent"},
        HttpUrlRow{"LineEnd", "http://pki/a HTTP/1.1\r\nX: y", "! not a URL: a character in it that no URL has"},
        HttpUrlRow{"NotAscii", "http://pki/M\xC3\xBCller", "! not a URL: a character in it that no URL has"},
        HttpUrlRow{"TooLongWhenEscaped", "http://pki/" + std::string(2000, ' '), "! a URL that is too long"},
        HttpUrlRow{"TooLong", "http://pki/" + std::string(5000, 'a'), "! a URL that is too long"}),
    by_name);

struct LocationRow {
  const char* name;
  std::string location;
  std::string text;
};
class RedirectTest : public testing::TestWithParam<LocationRow> {};

TEST_P(RedirectTest, LeadsWhereTheLocationSays) {
  const auto base = parse_http_url("http://pki:8080/certs/root.crl?x=a/b");
  ASSERT_TRUE(base);
  EXPECT_EQ(text_of(redirected(*base, GetParam().location)), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    HttpUrl, RedirectTest,
    testing::Values(LocationRow{"Elsewhere", "http://web/root.crl", "http://web/root.crl"},
                    LocationRow{"HostAlone", "//web/root.crl", "http://web/root.crl"},
                    LocationRow{"FromTheRoot", "/root.crl", "http://pki:8080/root.crl"},
                    LocationRow{"Beside", "new/root.crl", "http://pki:8080/certs/new/root.crl"},
                    LocationRow{"WithAColonInThePath", "./a:b", "http://pki:8080/certs/./a:b"},
                    LocationRow{"QueryAlone", "?y", "http://pki:8080/certs/root.crl?y"},
                    LocationRow{"Blanks", " /root.crl ", "http://pki:8080/root.crl"},
                    LocationRow{"Itself", "", "http://pki:8080/certs/root.crl"},
                    LocationRow{
                        "Https", "https://pki/root.crl",
                        "! https is not fetched: the server's certificate would have to be checked first, perhaps "
                        "by what is there"},
                    LocationRow{"AnotherScheme", "ftp://pki/root.crl", "! not an http:// URL"}),
    by_name);

TEST(HttpUrl, KnowsItsScheme) {
  EXPECT_TRUE(is_http("Http://pki/"));
  EXPECT_FALSE(is_http("https://pki/"));
  EXPECT_FALSE(is_http("http:/pki"));
  EXPECT_TRUE(is_https("https://pki/"));
  EXPECT_FALSE(is_https("http://pki/"));
}

}  // namespace
}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
#include "sources/fetch.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "support/http_server.hpp"
#include "support/on_loop.hpp"
#include "support/openssl_cli.hpp"
#include "support/raw_peer.hpp"

namespace mrascheck::sources {
namespace {

using test::HttpServer;
using test::in;
using test::plenty;
using test::RawPeer;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

/// What a CA publishes, made by openssl, and other things.
const test::OpensslCli& published() {
  static const test::OpensslCli* const made = [] {
    auto* openssl = new test::OpensslCli;
    openssl->self_signed("root", "/CN=Contoso Root CA", test::ca_extensions);
    openssl->issued("issuing", "/CN=Contoso Issuing CA", "root", test::ca_extensions);
    openssl->shell(
        "touch index.txt; printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=index.txt\\ndefault_md=sha256\\n' > ca.cnf;"
        "openssl ca -config ca.cnf -gencrl -crldays 7 -keyfile root.key -cert root.crt -out list.pem;"
        "openssl crl -in list.pem -outform DER -out list.crl;"
        "openssl x509 -in root.crt -outform DER -out root.der;"
        "openssl crl2pkcs7 -in list.pem -certfile root.crt -certfile issuing.crt -outform DER -out both.p7b;"
        "printf '<html><body>Sign in first</body></html>' > page.html; : > empty.crl;"
        "(cat root.crt; printf -- '-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n') > half.pem");
    return openssl;
  }();
  return *made;
}

std::string outline(const StoreContents& contents) {
  std::string text;
  for (const StoreEntry& entry : contents.entries) {
    text += fmt::format("{} {} {} {}; ", to_string(entry.kind), entry.certificate->subject.common_name(),
                        entry.place.str(), entry.index);
  }
  for (const CrlEntry& entry : contents.crls)
    text += fmt::format("list of {} {} {}; ", entry.crl->issuer.common_name(), entry.place, entry.index);
  for (const Unreadable& one : contents.unreadable) text += fmt::format("unreadable {}: {}; ", one.place, one.reason);
  return text;
}

class FetchTest : public testing::Test {
 protected:
  using Answer = Fetched<Lines>;

  Fetched<StoreContents> fetch(const std::string& url, const Deadline& run = plenty()) {
    Fetch what;
    what.url = url;
    what.addresses_of = [this](std::string host) { return addresses_of(std::move(host)); };
    what.pool = &pool_;
    what.step = 20s;
    transport::Loop loop;
    return test::run_on(loop, sources::fetch(std::move(what), run));
  }
  std::string trouble(const std::string& url, const Deadline& run = plenty()) {
    const Fetched<StoreContents> fetched = fetch(url, run);
    if (fetched) return "nothing wrong: " + outline(*fetched);
    EXPECT_NE(fetched.error().remedy, "");
    remedy_ = fetched.error().remedy;
    kind_ = fetched.error().error.kind;
    return fetched.error().error.text;
  }

  Answer addresses_ = Lines{"127.0.0.1"};
  Lines hosts_;  ///< that were asked for
  CertificatePool pool_;
  std::string remedy_;
  ErrorKind kind_ = ErrorKind::bug;

 private:
  boost::asio::awaitable<Answer> addresses_of(std::string host) {
    hosts_.push_back(host);
    co_return addresses_;
  }
};

TEST_F(FetchTest, WhateverACaPublishes) {
  const HttpServer server(published().dir().path().string());
  const std::map<std::string, std::string> files{
      {"root.der", "intermediate Contoso Root CA fetched 0; "},
      {"root.crt", "intermediate Contoso Root CA fetched 0; "},
      {"list.crl", "list of Contoso Root CA fetched 0; "},
      {"list.pem", "list of Contoso Root CA fetched 0; "},
      {"both.p7b",
       "intermediate Contoso Root CA fetched 0; intermediate Contoso Issuing CA fetched 1; list of Contoso Root CA "
       "fetched 0; "},
  };
  for (const auto& [file, expected] : files) {
    const std::string url = server.url("pki.contoso.example", file);
    const auto fetched = fetch(url);
    ASSERT_TRUE(fetched) << file << fetched.error().error.text;
    EXPECT_EQ(outline(*fetched), expected) << file;
    EXPECT_EQ(fetched->store, url);
    EXPECT_EQ(fetched->source, url);
    EXPECT_TRUE(is_fetched(fetched->store));
    for (const StoreEntry& entry : fetched->entries) EXPECT_FALSE(entry.anchor());
  }
  EXPECT_EQ(hosts_.front(), "pki.contoso.example");
}

TEST_F(FetchTest, TheGoodHalfOfAFileIsKept) {
  const HttpServer server(published().dir().path().string());
  const auto fetched = fetch(server.url("pki", "half.pem"));
  ASSERT_TRUE(fetched);
  EXPECT_EQ(fetched->entries.size(), 1U);
  ASSERT_EQ(fetched->unreadable.size(), 1U);
  EXPECT_EQ(fetched->unreadable[0].place, "fetched");
}

TEST_F(FetchTest, WhatIsNoCertificateIsSaid) {
  const HttpServer server(published().dir().path().string());
  EXPECT_TRUE(trouble(server.url("pki", "page.html"))
                  .starts_with("what is there is neither a certificate nor a revocation list: "));
  EXPECT_EQ(kind_, ErrorKind::malformed);
  EXPECT_TRUE(trouble(server.url("pki", "empty.crl"))
                  .starts_with("what is there is neither a certificate nor a revocation list: "));
  EXPECT_EQ(trouble(server.url("pki", "missing.crl")), "the web server answers 404 (Not Found)");
  EXPECT_EQ(kind_, ErrorKind::rejected_by_peer);
  EXPECT_NE(remedy_.find("certutil -crl"), std::string::npos);
}

TEST_F(FetchTest, OnlyHttpIsAsked) {
  EXPECT_TRUE(trouble("https://pki.contoso.example/root.crl").starts_with("https is not fetched"));
  EXPECT_EQ(kind_, ErrorKind::rejected_by_us);
  EXPECT_NE(remedy_.find("RFC 5280, 8"), std::string::npos);
  EXPECT_EQ(trouble("http://user:secret@pki/root.crl"), "a user name stands in the URL, and none is ever sent");
  EXPECT_EQ(hosts_, Lines{});
}

TEST_F(FetchTest, EachAddressIsTriedUntilOneLetsUsIn) {
  const HttpServer server(published().dir().path().string());
  addresses_ = Lines{"127.0.0.9", "127.0.0.1"};  // nothing listens on the first
  EXPECT_TRUE(fetch(server.url("pki", "root.der")));
  addresses_ = Lines{"127.0.0.9"};
  EXPECT_EQ(trouble(server.url("pki", "root.der")),
            fmt::format("127.0.0.9 port {}: Connection refused", server.port()));
  EXPECT_EQ(kind_, ErrorKind::unreachable);
}

TEST_F(FetchTest, ANameThatLeadsNowhereIsSaidInItsWords) {
  addresses_ = tl::unexpected(FetchFailure{{ErrorKind::unreachable, "pki: Domain name not found"}, "Enter it."});
  EXPECT_EQ(trouble("http://pki/root.crl"), "pki: Domain name not found");
  EXPECT_EQ(remedy_, "Enter it.");
}

TEST_F(FetchTest, SilenceEndsWithTheRun) {
  RawPeer peer([](RawPeer::Talk& talk) { talk.stay_silent(); });
  EXPECT_EQ(trouble(fmt::format("http://pki:{}/root.crl", peer.port()), in(200ms)),
            fmt::format("127.0.0.1 port {}: no answer in time", peer.port()));
  EXPECT_EQ(kind_, ErrorKind::timed_out);
}

/// A server that answers each request with what `answer` makes of its target.
RawPeer::Script serving(std::function<std::string(const std::string& target)> answer) {
  return [answer = std::move(answer)](RawPeer::Talk& talk) {
    std::string request = talk.receive();
    const std::size_t begin = request.find(' ') + 1;
    talk.send(answer(request.substr(begin, request.find(' ', begin) - begin)));
  };
}

std::string moved(const std::string& where) {
  return "HTTP/1.1 301 Moved Permanently\r\nLocation: " + where + "\r\n\r\n";
}

TEST_F(FetchTest, TwoRedirectsAreFollowed) {
  const HttpServer server(published().dir().path().string());
  const RawPeer peer(serving([&](const std::string& target) {
    return moved(target == "/old" ? "older" : server.url("web.contoso.example", "list.crl"));
  }));
  const std::string url = fmt::format("http://pki:{}/old", peer.port());
  const auto fetched = fetch(url);
  ASSERT_TRUE(fetched) << fetched.error().error.text;
  EXPECT_EQ(outline(*fetched), "list of Contoso Root CA fetched 0; ");
  EXPECT_EQ(fetched->store, url);
  EXPECT_EQ(fetched->source, server.url("web.contoso.example", "list.crl"));
  EXPECT_EQ(hosts_, (Lines{"pki", "pki", "web.contoso.example"}));
}

TEST_F(FetchTest, ALoopOfRedirectsEnds) {
  const RawPeer peer(serving([](const std::string&) { return moved("/again"); }));
  EXPECT_EQ(trouble(fmt::format("http://pki:{}/root.crl", peer.port())),
            "redirected more than 2 times, at last to /again");
  EXPECT_EQ(peer.connections(), 3);
}

TEST_F(FetchTest, NoRedirectLeadsToHttps) {
  const RawPeer peer(serving([](const std::string&) { return moved("https://pki/root.crl"); }));
  EXPECT_TRUE(trouble(fmt::format("http://pki:{}/root.crl", peer.port()))
                  .starts_with("redirected to https://pki/root.crl: https is not fetched"));
  EXPECT_EQ(peer.connections(), 1);
}

TEST_F(FetchTest, WhatGoesWrongBehindARedirectSaysWhere) {
  const HttpServer server(published().dir().path().string());
  const RawPeer peer(serving([&](const std::string&) { return moved(server.url("web", "missing")); }));
  EXPECT_EQ(trouble(fmt::format("http://pki:{}/root.crl", peer.port())),
            fmt::format("redirected to {}: the web server answers 404 (Not Found)", server.url("web", "missing")));
}

TEST_F(FetchTest, ARedirectWithoutALocationIsAnAnswer) {
  const RawPeer peer(serving([](const std::string&) { return "HTTP/1.1 302 Found\r\n\r\n"; }));
  EXPECT_EQ(trouble(fmt::format("http://pki:{}/root.crl", peer.port())), "the web server answers 302 (Found)");
}

TEST_F(FetchTest, HostileAnswersAreOneLine) {
  const std::map<std::string, std::string> answers{
      {"SSH-2.0-OpenSSH_9.2\r\n", "not an answer of HTTP"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "cut short after 43 bytes"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", "larger than 16 MiB"},
  };
  for (const auto& [answer, text] : answers) {
    const RawPeer peer(serving([said = answer](const std::string&) { return said; }));
    EXPECT_EQ(trouble(fmt::format("http://pki:{}/root.crl", peer.port())),
              fmt::format("127.0.0.1 port {}: {}", peer.port(), text));
  }
  const RawPeer packed(serving(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"; }));
  EXPECT_EQ(trouble(fmt::format("http://pki:{}/root.crl", packed.port())),
            "it is sent compressed (gzip), which was not asked for");
}

}  // namespace
}  // namespace mrascheck::sources

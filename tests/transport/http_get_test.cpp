// SPDX-License-Identifier: Apache-2.0
#include "transport/http_get.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "support/http_server.hpp"
#include "support/on_loop.hpp"
#include "support/raw_peer.hpp"
#include "support/temp_dir.hpp"

namespace mrascheck::transport {
namespace {

using test::in;
using test::plenty;
using test::RawPeer;
using test::run_on;
using namespace std::chrono_literals;

asio::awaitable<Result<HttpAnswer>> ask(std::uint16_t port, std::string target, Deadline step, HttpLimits limits = {}) {
  Connected made = co_await connect("127.0.0.1", port, plenty());
  if (!made.connection) co_return tl::unexpected(error_of(made.end));
  HttpUrl url{"pki.contoso.example", port, std::move(target)};
  co_return co_await http_get(std::move(*made.connection), std::move(url), limits, step);
}

Result<HttpAnswer> get(std::uint16_t port, const std::string& target, const Deadline& step = plenty()) {
  Loop loop;
  return run_on(loop, ask(port, target, step));
}

TEST(HttpGet, AFileOfARealServer) {
  const test::TempDir dir;
  std::string large(3'000'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 % 251);
  dir.write("large.crl", large);
  dir.write("empty.crl", "");
  test::HttpServer server(dir.path().string());
  const auto found = get(server.port(), "/large.crl");
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->status, 200U);
  EXPECT_EQ(as_text(found->body), large);
  const auto empty = get(server.port(), "/empty.crl");
  ASSERT_TRUE(empty) << empty.error().text;
  EXPECT_EQ(empty->status, 200U);
  EXPECT_TRUE(empty->body.empty());
  const auto missing = get(server.port(), "/missing.crl");
  ASSERT_TRUE(missing) << missing.error().text;
  EXPECT_EQ(missing->status, 404U);
  EXPECT_TRUE(missing->body.empty());
  EXPECT_EQ(server.requests(), (std::vector<std::string>{"GET /empty.crl HTTP/1.1", "GET /large.crl HTTP/1.1",
                                                         "GET /missing.crl HTTP/1.1"}));
}

TEST(HttpGet, SaysWhoIsAskedAndNothingOfUs) {
  std::promise<std::string> request;
  RawPeer peer([&](RawPeer::Talk& talk) {
    request.set_value(talk.receive());
    talk.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
  });
  ASSERT_TRUE(get(peer.port(), "/a?b"));
  EXPECT_EQ(request.get_future().get(),
            "GET /a?b HTTP/1.1\r\nHost: pki.contoso.example:" + std::to_string(peer.port()) +
                "\r\nUser-Agent: mrascheck\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
                "Connection: close\r\n\r\n");
}

/// Whatever a server sends, in one piece and octet by octet.
struct HttpGetRow {
  const char* name;
  std::string answer;
  std::string result;  ///< status, location, encoding and body; behind "! ", the error
  bool stays_open = false;
};
class AnswerTest : public testing::TestWithParam<HttpGetRow> {};

std::string text_of(const Result<HttpAnswer>& answer) {
  if (!answer) return "! " + answer.error().text;
  std::string text = std::to_string(answer->status);
  for (const std::string& part : {answer->location, answer->encoding, std::string{as_text(answer->body)}})
    text += " [" + part + "]";
  return text;
}

TEST_P(AnswerTest, IsTakenOrRefused) {
  const HttpGetRow& row = GetParam();
  RawPeer whole([&](RawPeer::Talk& talk) {
    talk.receive();
    talk.send(row.answer);
    if (row.stays_open) talk.stay_silent();
  });
  EXPECT_EQ(text_of(get(whole.port(), "/")), row.result);
  if (row.answer.size() > 4096) return;
  RawPeer parts([&](RawPeer::Talk& talk) {
    talk.receive();
    for (const char c : row.answer) {
      talk.send({&c, 1});
      std::this_thread::yield();
    }
    if (row.stays_open) talk.stay_silent();
  });
  EXPECT_EQ(text_of(get(parts.port(), "/")), row.result) << "octet by octet";
}

std::string chunks(std::size_t n) {
  std::string all;
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (std::size_t i = 0; i < n; ++i) all += chunk;
  return all;
}

INSTANTIATE_TEST_SUITE_P(
    Http, AnswerTest,
    testing::Values(
        HttpGetRow{"LengthGiven", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "200 [] [] [abc]", true},
        HttpGetRow{"MoreThanTheLength", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", "200 [] [] [abc]", true},
        HttpGetRow{"UntilItCloses", "HTTP/1.0 200 OK\r\n\r\nabc", "200 [] [] [abc]"},
        HttpGetRow{"Chunks",
                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: u\r\n\r\n",
                   "200 [] [] [abc]", true},
        HttpGetRow{"NoChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200 [] [] []", true},
        HttpGetRow{"InterimFirst",
                   "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
                   "200 [] [] [x]", true},
        HttpGetRow{"Redirect", "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 100\r\n\r\n", "302 [/b] [] []",
                   true},
        HttpGetRow{"Compressed", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
                   "200 [] [gzip] [x]", true},
        HttpGetRow{"BodyOfAnErrorIsNotWaitedFor", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1000\r\n\r\n",
                   "503 [] [] []", true},
        HttpGetRow{"Nothing", "", "! closed the connection without an answer"},
        HttpGetRow{"CutInTheStatusLine", "HTTP/1.1 20", "! cut short after 11 bytes"},
        HttpGetRow{"CutInTheHeader", "HTTP/1.1 200 OK\r\nContent-", "! cut short after 25 bytes"},
        HttpGetRow{"CutInTheBody", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "! cut short after 41 bytes"},
        HttpGetRow{"CutInAChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                   "! cut short after 52 bytes"},
        HttpGetRow{"CutBeforeTheLastChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r",
                   "! cut short after 55 bytes"},
        HttpGetRow{"CutBehindTheLastChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
                   "! cut short after 50 bytes"},
        HttpGetRow{"Garbage", "220 mail.contoso.example ESMTP\r\n", "! not an answer of HTTP", true},
        HttpGetRow{"OtherVersion", "HTTP/3.0 200 OK\r\n\r\n", "! not an answer of HTTP", true},
        HttpGetRow{"NoStatus", "HTTP/1.1 OK\r\n\r\n", "! not an answer of HTTP: bad status", true},
        HttpGetRow{"TwoLengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
                   "! not an answer of HTTP: multiple Content-Length", true},
        HttpGetRow{"BadChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n",
                   "! not an answer of HTTP: bad chunk", true},
        HttpGetRow{"HeaderWithoutEnd", "HTTP/1.1 200 OK\r\n" + std::string(40'000, 'a'),
                   "! a header of more than 16 KiB", true},
        HttpGetRow{"FieldsWithoutEnd",
                   "HTTP/1.1 200 OK\r\n" +
                       [] {
                         std::string fields;
                         for (int i = 0; i < 5000; ++i) fields += "X-Field: value\r\n";
                         return fields;
                       }(),
                   "! a header of more than 16 KiB", true},
        HttpGetRow{"ChunkExtensionWithoutEnd",
                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(40'000, 'a'),
                   "! a header of more than 16 KiB", true},
        HttpGetRow{"TrailerWithoutEnd",
                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(40'000, 'a'),
                   "! a header of more than 16 KiB", true},
        HttpGetRow{"InterimWithoutEnd",
                   [] {
                     std::string all;
                     for (int i = 0; i < 20; ++i) all += "HTTP/1.1 102 Processing\r\n\r\n";
                     return all;
                   }(),
                   "! one interim answer after the other", true},
        HttpGetRow{"LengthTooLarge", "HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\n", "! larger than 16 MiB",
                   true},
        HttpGetRow{"LengthBeyondNumbers", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
                   "! not an answer of HTTP: bad Content-Length", true},
        HttpGetRow{"BodyTooLarge", "HTTP/1.0 200 OK\r\n\r\n" + std::string(16'777'217, 'x'), "! larger than 16 MiB",
                   true},
        HttpGetRow{"ChunksTooLarge", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(257),
                   "! larger than 16 MiB", true},
        HttpGetRow{"OneChunkTooLarge", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                   "! larger than 16 MiB", true}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(HttpGet, SilenceEndsWithItsStep) {
  RawPeer peer([](RawPeer::Talk& talk) { talk.stay_silent(); });
  const auto answer = get(peer.port(), "/", in(200ms));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), (Error{ErrorKind::timed_out, "no answer in time"}));
}

TEST(HttpGet, ADripDoesNotRenewTheStep) {
  std::atomic<bool> over = false;
  RawPeer peer([&](RawPeer::Talk& talk) {
    talk.receive();
    talk.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    for (int i = 0; i < 100'000 && !over; ++i) {
      talk.send("x");
      std::this_thread::sleep_for(1ms);
    }
  });
  const auto answer = get(peer.port(), "/", in(300ms));
  over = true;
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::timed_out);
  EXPECT_TRUE(answer.error().text.starts_with("no end of it in time, after ")) << answer.error().text;
}

TEST(HttpGet, StoppedFromAnotherThread) {
  std::stop_source stop;
  RawPeer peer([&](RawPeer::Talk& talk) {
    talk.receive();
    talk.send("HTTP/1.1 200 OK\r\n");
    stop.request_stop();
    talk.stay_silent();
  });
  const auto answer = get(peer.port(), "/", {Deadline::Clock::now() + 50s, stop.get_token()});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), (Error{ErrorKind::timed_out, "interrupted"}));
}

TEST(HttpGet, AResetIsSaid) {
  RawPeer peer([](RawPeer::Talk& talk) {
    talk.receive();
    talk.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na");
    talk.reset();
  });
  const auto answer = get(peer.port(), "/");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::unreachable) << answer.error().text;
}

TEST(HttpGet, StatusesHaveNames) {
  EXPECT_EQ(status_text(404), "404 (Not Found)");
  EXPECT_EQ(status_text(799), "799");
}

}  // namespace
}  // namespace mrascheck::transport

// SPDX-License-Identifier: Apache-2.0
// The engine against the real `openssl s_server`, over a socket: what we record must be what it says of itself.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "crypto/tls_engine.hpp"
#include "pki.hpp"

extern char** environ;

namespace mrascheck::crypto {
namespace {

using test::Issued;
using test::Pki;
using State = TlsEngine::State;

/// `openssl s_server` on a port of its own choice, for one connection; ended by its pid.
class SServer {
 public:
  explicit SServer(std::vector<std::string> arguments) {
    std::vector<std::string> command{"openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-state"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(command.size() + 1);
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);

    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDERR_FILENO);
    if (posix_spawnp(&pid_, "openssl", &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    stdin_ = in[1];
    stdout_ = out[0];

    const std::string sign = "ACCEPT 127.0.0.1:";
    while (port_ == 0 && read_more()) {
      const std::size_t at = said_.find(sign);
      const std::size_t end = at == std::string::npos ? at : said_.find('\n', at);
      if (end != std::string::npos) port_ = static_cast<std::uint16_t>(std::stoul(said_.substr(at + sign.size())));
    }
  }
  ~SServer() {
    if (pid_ > 0) {
      kill(pid_, SIGTERM);
      waitpid(pid_, nullptr, 0);
    }
    close(stdin_);
    close(stdout_);
  }
  SServer(const SServer&) = delete;
  SServer& operator=(const SServer&) = delete;

  std::uint16_t port() const { return port_; }
  /// All it has said; it ends when our side has hung up.
  std::string last_words() {
    while (read_more()) {
    }
    return said_;
  }

 private:
  bool read_more() {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::read(stdout_, buffer.data(), buffer.size());
    if (size > 0) said_.append(buffer.data(), static_cast<std::size_t>(size));
    return size > 0;
  }

  pid_t pid_ = -1;
  int stdin_ = -1;  // open, because s_server ends with it
  int stdout_ = -1;
  std::uint16_t port_ = 0;
  std::string said_;
};

class Socket {
 public:
  explicit Socket(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Socket() { hang_up(); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  void hang_up() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  bool connected() const { return connected_; }
  void send(const ByteString& bytes) const { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  /// Empty at the end of the connection, and when nothing came in time.
  ByteString receive() const {
    ByteString bytes(4096);
    const ssize_t size = recv(fd_, bytes.data(), bytes.size(), 0);
    bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return bytes;
  }

 private:
  int fd_;
  bool connected_ = false;
};

/// Goes on with `step` until it needs no more bytes, or there are none.
template <class Step>
State pump(const Socket& socket, TlsEngine& engine, const Step& step) {
  for (;;) {
    const State state = step();
    socket.send(engine.take_output());
    if (state != State::want_bytes) return state;
    const ByteString bytes = socket.receive();
    if (bytes.empty()) return state;
    engine.feed(bytes);
  }
}

struct ServerSite {
  Pki pki;
  Issued root = pki.root("root");
  Issued issuing = pki.authority("issuing", root);
  Issued edge = pki.leaf("edge1", issuing);
  Issued front_end = pki.leaf("fe1", issuing);
  Issued stranger = pki.root("stranger");
  static const ServerSite& get() {
    static const ServerSite site;
    return site;
  }

  std::vector<std::string> server(const char* version, const Issued& trusted) const {
    return {version,
            "-cert",
            edge.certificate_file,
            "-key",
            edge.key_file,
            "-cert_chain",
            issuing.certificate_file,
            "-CAfile",
            trusted.certificate_file,
            "-no-CApath",
            "-no-CAstore",
            "-Verify",
            "2",
            "-verify_return_error"};
  }
  TlsContext front_end_context(std::vector<CertificateRef> chain) const {
    TlsContext::Options options;
    options.certificate = front_end.certificate;
    options.chain = std::move(chain);
    options.key = front_end.key;
    Result<TlsContext> context = TlsContext::client(options);
    if (!context) throw std::runtime_error(context.error().text);
    return *context;
  }
};

class SServerOf : public testing::TestWithParam<const char*> {
 protected:
  const ServerSite& site = ServerSite::get();
  bool tls13() const { return std::string_view(GetParam()) == "-tls1_3"; }

  /// The refusal as the client meets it: in the handshake in TLS 1.2, in reading in TLS 1.3.
  void expect_refusal(TlsEngine& engine, const Socket& socket) const {
    State state = pump(socket, engine, [&] { return engine.handshake(); });
    if (tls13()) {
      EXPECT_EQ(state, State::ready) << engine.error();
      std::string plaintext;
      state = pump(socket, engine, [&] { return engine.read(plaintext); });
      EXPECT_EQ(plaintext, "");
    }
    EXPECT_EQ(state, State::failed);
  }
};

INSTANTIATE_TEST_SUITE_P(OpenSsl, SServerOf, testing::Values("-tls1_2", "-tls1_3"),
                         [](const auto& row) { return std::string(row.param) == "-tls1_2" ? "Tls12" : "Tls13"; });

TEST_P(SServerOf, Accepts) {
  std::vector<std::string> arguments = site.server(GetParam(), site.root);
  arguments.emplace_back("-rev");
  SServer server{arguments};
  Socket socket{server.port()};
  ASSERT_TRUE(socket.connected()) << server.port();
  TlsEngine engine = *TlsEngine::client(site.front_end_context({site.issuing.certificate}), "edge1");
  ASSERT_EQ(pump(socket, engine, [&] { return engine.handshake(); }), State::ready) << engine.error();
  ASSERT_EQ(engine.write("ECIVRES\n"), State::ready);
  std::string answer;
  EXPECT_EQ(pump(socket, engine, [&] { return engine.read(answer); }), State::ready);
  EXPECT_EQ(answer, "SERVICE\n");

  const TlsFacts facts = engine.facts();
  EXPECT_EQ(facts.version, tls13() ? "TLSv1.3" : "TLSv1.2");
  EXPECT_TRUE(facts.client_certificate_requested);
  EXPECT_TRUE(facts.certificate_sent);
  EXPECT_EQ(facts.peer_chain, (std::vector<ByteString>{site.edge.certificate->der, site.issuing.certificate->der}));
  // s_server accepts the names of its -CAfile.
  const Bytes name = site.root.certificate->subject.der();
  EXPECT_EQ(facts.accepted_issuers, std::vector<ByteString>{ByteString(name.begin(), name.end())});
  EXPECT_EQ(facts.accepted_issuer_count, 1U);
  EXPECT_EQ(facts.accepted_issuer_bytes, name.size() + 2);

  ASSERT_EQ(engine.write("CLOSE\n"), State::ready);  // what ends a -rev connection
  socket.send(engine.take_output());
  std::string rest;
  EXPECT_EQ(pump(socket, engine, [&] { return engine.read(rest); }), State::closed);
  EXPECT_EQ(engine.facts().alerts_received, (std::vector<Alert>{{.description = 0, .fatal = false}}));
  socket.hang_up();
  const std::string said = server.last_words();
  EXPECT_NE(said.find("depth=0 CN = fe1"), std::string::npos) << said;
  EXPECT_NE(said.find("Protocol version: " + facts.version), std::string::npos) << said;
  EXPECT_EQ(said.find("verify error"), std::string::npos) << said;
  EXPECT_EQ(said.find("alert:fatal"), std::string::npos) << said;
}

TEST_P(SServerOf, DoesNotKnowOurIssuer) {
  SServer server{site.server(GetParam(), site.stranger)};
  Socket socket{server.port()};
  TlsEngine engine = *TlsEngine::client(site.front_end_context({site.issuing.certificate}), "edge1");
  expect_refusal(engine, socket);
  EXPECT_EQ(engine.facts().alerts_received, (std::vector<Alert>{{.description = 48, .fatal = true}}));
  EXPECT_EQ(engine.error(), "tlsv1 alert unknown ca");
  EXPECT_TRUE(engine.facts().certificate_sent);
  EXPECT_EQ(engine.facts().peer_chain.size(), 2U);
  socket.hang_up();
  const std::string said = server.last_words();
  EXPECT_NE(said.find("verify error:num=20"), std::string::npos) << said;
  EXPECT_NE(said.find("SSL3 alert write:fatal:unknown CA"), std::string::npos) << said;
}

TEST_P(SServerOf, LacksTheIntermediateThatWeDoNotSend) {
  SServer server{site.server(GetParam(), site.root)};
  Socket socket{server.port()};
  TlsEngine engine = *TlsEngine::client(site.front_end_context({}), "edge1");
  expect_refusal(engine, socket);
  EXPECT_EQ(engine.facts().alerts_received, (std::vector<Alert>{{.description = 48, .fatal = true}}));
  socket.hang_up();
  const std::string said = server.last_words();
  EXPECT_NE(said.find("SSL3 alert write:fatal:unknown CA"), std::string::npos) << said;
}

TEST_P(SServerOf, FindsOurCertificateExpired) {
  std::vector<std::string> arguments = site.server(GetParam(), site.root);
  arguments.insert(arguments.end(), {"-attime", "4102444800"});  // 2100
  SServer server{arguments};
  Socket socket{server.port()};
  TlsEngine engine = *TlsEngine::client(site.front_end_context({site.issuing.certificate}), "edge1");
  expect_refusal(engine, socket);
  EXPECT_EQ(engine.facts().alerts_received, (std::vector<Alert>{{.description = 45, .fatal = true}}));
  socket.hang_up();
  const std::string said = server.last_words();
  EXPECT_NE(said.find("verify error:num=10"), std::string::npos) << said;
  EXPECT_NE(said.find("SSL3 alert write:fatal:certificate expired"), std::string::npos) << said;
}

TEST_P(SServerOf, MissesOurCertificate) {
  SServer server{site.server(GetParam(), site.root)};
  Socket socket{server.port()};
  TlsEngine engine = *TlsEngine::client(*TlsContext::client(TlsContext::Options{}), "edge1");
  expect_refusal(engine, socket);
  const std::uint8_t alert = tls13() ? 116 : 40;
  EXPECT_EQ(engine.facts().alerts_received, (std::vector<Alert>{{.description = alert, .fatal = true}}));
  EXPECT_TRUE(engine.facts().client_certificate_requested);
  EXPECT_FALSE(engine.facts().certificate_sent);
  socket.hang_up();
  const std::string said = server.last_words();
  // OpenSSL 3.0 has no name for alert 116 here: "unknown".
  EXPECT_NE(said.find(tls13() ? "SSL3 alert write:fatal:unknown" : "SSL3 alert write:fatal:handshake failure"),
            std::string::npos)
      << said;
}

}  // namespace
}  // namespace mrascheck::crypto

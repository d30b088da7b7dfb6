// SPDX-License-Identifier: Apache-2.0
// A server engine and a client engine, joined in memory. That s_server says the same is shown where rehearsals are
// compared with it (tests/cli/rehearse_test.cpp).
#include <gtest/gtest.h>

#include <chrono>

#include "crypto/tls_engine.hpp"
#include "pki.hpp"

namespace mrascheck::crypto {
namespace {

using test::Issued;
using test::Pki;
using State = TlsEngine::State;
using namespace std::chrono_literals;

struct TwoSites {
  Pki pki;
  Issued root = pki.root("root");
  Issued issuing = pki.authority("issuing", root);
  Issued edge = pki.leaf("edge1", root);
  Issued front_end = pki.leaf("fe1", issuing, test::p256, "-days 400");  // ends before those above it
  UtcTime end = end_of("fe1");
  static const TwoSites& get() {
    static const TwoSites site;
    return site;
  }

 private:
  /// notAfter by OpenSSL.
  UtcTime end_of(const std::string& name) const {
    const auto file = test::read_file(pki.path(name + ".crt"));
    const std::unique_ptr<BIO, int (*)(BIO*)> bio{BIO_new_mem_buf(file.data(), static_cast<int>(file.size())),
                                                  BIO_free};
    const std::unique_ptr<X509, void (*)(X509*)> x509{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                      X509_free};
    std::tm fields{};
    ASN1_TIME_to_tm(X509_get0_notAfter(x509.get()), &fields);
    return UtcTime{std::chrono::seconds{timegm(&fields)}};
  }
};

struct TlsServerCase {
  const char* name;
  bool chain;               ///< whether the client sends its intermediate
  bool knows_intermediate;  ///< whether the server has it
  bool trusts_root;
  int after;  ///< seconds from the end of the client's certificate
  bool distrusted;
  bool revoked;
  bool anonymous;
  int alert;  ///< that the client gets; -1: none
  const char* complaint;
};

class ServerEngine : public testing::TestWithParam<std::tuple<const char*, TlsServerCase>> {};

TEST_P(ServerEngine, JudgesItsClient) {
  const auto& [version, c] = GetParam();
  const TwoSites& site = TwoSites::get();
  TlsContext::Options own;
  own.certificate = site.edge.certificate;
  own.key = site.edge.key;
  own.min_version = own.max_version = version;
  TlsContext::ClientTrust trust;
  trust.at = site.end + std::chrono::seconds{c.after};
  if (c.trusts_root) trust.trusted.push_back(site.root.certificate);
  if (c.knows_intermediate) trust.trusted.push_back(site.issuing.certificate);
  if (c.distrusted) trust.distrusted.insert(site.issuing.certificate->sha256);
  if (c.revoked) trust.revoked.insert(site.front_end.certificate->sha256);
  TlsContext::Options client_options;
  if (!c.anonymous) {
    client_options.certificate = site.front_end.certificate;
    client_options.key = site.front_end.key;
    if (c.chain) client_options.chain = {site.issuing.certificate};
  }
  const auto server_context = TlsContext::server(own, trust);
  const auto client_context = TlsContext::client(client_options);
  ASSERT_TRUE(server_context && client_context);
  auto server = TlsEngine::server(*server_context);
  auto client = TlsEngine::client(*client_context, "edge1");
  ASSERT_TRUE(server && client);
  for (bool moved = true; moved;) {
    client->handshake();
    const ByteString up = client->take_output();
    server->feed(up);
    server->handshake();
    const ByteString down = server->take_output();
    client->feed(down);
    moved = !up.empty() || !down.empty();
  }
  server->write("hello");
  client->feed(server->take_output());
  std::string heard;
  client->read(heard);
  EXPECT_EQ(server->complaint(), c.complaint);
  EXPECT_EQ(server->facts().version, version);
  EXPECT_EQ(client->facts().version, version);
  EXPECT_EQ(client->facts().peer_chain, std::vector<ByteString>{site.edge.certificate->der});
  EXPECT_TRUE(client->facts().client_certificate_requested);
  EXPECT_TRUE(client->facts().accepted_issuers.empty());
  if (c.alert < 0) {
    EXPECT_EQ(heard, "hello");
    EXPECT_TRUE(client->facts().alerts_received.empty());
    EXPECT_EQ(server->facts().peer_chain.front(), site.front_end.certificate->der);
    return;
  }
  EXPECT_EQ(heard, "");
  EXPECT_NE(server->error(), "");
  ASSERT_EQ(client->facts().alerts_received.size(), 1U);
  EXPECT_EQ(client->facts().alerts_received.front().description, c.alert);
  EXPECT_TRUE(client->facts().alerts_received.front().fatal);
  EXPECT_EQ(server->facts().alerts_sent, client->facts().alerts_received);
}

INSTANTIATE_TEST_SUITE_P(
    Joined, ServerEngine,
    testing::Combine(
        testing::Values("TLSv1.2", "TLSv1.3"),
        testing::Values(
            TlsServerCase{"ChainSent", true, false, true, -60, false, false, false, -1, ""},
            TlsServerCase{"IntermediateKnown", false, true, true, -60, false, false, false, -1, ""},
            TlsServerCase{"IntermediateMissing", false, false, true, -60, false, false, false, 48,
                          "unable to get local issuer certificate"},
            TlsServerCase{"RootUnknown", true, false, false, -60, false, false, false, 48,
                          "unable to get local issuer certificate"},
            TlsServerCase{"InItsLastSecond", true, false, true, 0, false, false, false, -1, ""},
            TlsServerCase{"ASecondLater", true, false, true, 1, false, false, false, 45, "certificate has expired"},
            TlsServerCase{"DistrustedIntermediate", true, false, true, -60, true, false, false, 42,
                          "certificate rejected"},
            TlsServerCase{"Revoked", true, false, true, -60, false, true, false, 44, "certificate revoked"})),
    [](const auto& row) {
      return std::get<1>(row.param).name +
             std::string(std::string_view{std::get<0>(row.param)}.ends_with('2') ? "12" : "13");
    });

/// RFC 8446, 6.2: certificate_required; before TLS 1.3, handshake_failure.
INSTANTIATE_TEST_SUITE_P(Anonymous12, ServerEngine,
                         testing::Combine(testing::Values("TLSv1.2"),
                                          testing::Values(TlsServerCase{"NoCertificate", false, false, true, -60, false,
                                                                        false, true, 40, ""})));
INSTANTIATE_TEST_SUITE_P(Anonymous13, ServerEngine,
                         testing::Combine(testing::Values("TLSv1.3"),
                                          testing::Values(TlsServerCase{"NoCertificate", false, false, true, -60, false,
                                                                        false, true, 116, ""})));

/// RFC 5280, 6.1: an anchor is given, and not held to what a CA certificate must say. `openssl verify` says error 79.
TEST(ServerContext, AnAnchorNeedNotSayThatItIsACa) {
  const Pki pki;
  const Issued root = pki.root("old", test::p256, "subjectKeyIdentifier=hash\n");
  const Issued edge = pki.leaf("edge1", root);
  TlsContext::Options own;
  own.certificate = edge.certificate;
  own.key = edge.key;
  TlsContext::ClientTrust trust;
  trust.at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) + 60s;  // they are made now
  trust.trusted = {root.certificate};
  const auto server_context = TlsContext::server(own, trust);
  const auto client_context = TlsContext::client(own);
  ASSERT_TRUE(server_context && client_context);
  auto server = TlsEngine::server(*server_context);
  auto client = TlsEngine::client(*client_context, "edge1");
  ASSERT_TRUE(server && client);
  for (bool moved = true; moved;) {
    client->handshake();
    const ByteString up = client->take_output();
    server->feed(up);
    server->handshake();
    const ByteString down = server->take_output();
    client->feed(down);
    moved = !up.empty() || !down.empty();
  }
  EXPECT_EQ(server->complaint(), "");
  EXPECT_EQ(server->error(), "");
  EXPECT_TRUE(server->facts().alerts_sent.empty());
}

TEST(ServerContext, NeedsACertificate) {
  const auto bare = TlsContext::server({}, {});
  ASSERT_FALSE(bare);
  EXPECT_EQ(bare.error().text, "a TLS server without a certificate");
}

}  // namespace
}  // namespace mrascheck::crypto

// SPDX-License-Identifier: Apache-2.0
// What a server agrees to, asked of the real openssl s_server and of peers that say nothing.
#include "sources/offer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "sources/sources.hpp"
#include "support/contoso_pki.hpp"
#include "support/on_loop.hpp"
#include "support/raw_peer.hpp"
#include "support/s_server.hpp"

namespace mrascheck::sources {
namespace {

using test::ContosoPki;
using namespace std::chrono_literals;

TlsOffer offer_at(std::uint16_t port, const Deadline& run, std::chrono::milliseconds step = 20s) {
  const ContosoPki& pki = ContosoPki::get();
  CertificatePool pool;
  auto loaded = load_identity({"fe1.contoso.example", pki / "fe1.crt", pki / "fe1.key", {}, {}}, pool);
  OfferProbe task;
  task.from = "fe1.contoso.example";
  task.to = "edge1.contoso.example";
  task.address = "127.0.0.1";
  task.port = port;
  task.chain = {loaded->identity.certificate};
  task.key = loaded->key;
  task.step = step;
  transport::Loop loop;
  return test::run_on(loop, find_offer(std::move(task), run));
}

std::string text_of(const TlsOffer& offer) {
  std::string text;
  for (const TlsOffer::Version& version : offer.versions) {
    text += std::string{to_string(version.version)} + (version.complete ? ":" : "?");
    for (const std::string& cipher : version.ciphers) text += " " + cipher;
    text += "\n";
  }
  return text;
}

struct OfferCase {
  const char* name;
  std::vector<std::string> arguments;
  const char* offer;
};
class Offers : public testing::TestWithParam<OfferCase> {};

TEST_P(Offers, AreFoundOutWhole) {
  const ContosoPki& pki = ContosoPki::get();
  std::vector<std::string> arguments{"-cert", pki / "edge1.crt", "-key",          pki / "edge1.key", "-Verify",
                                     "3",     "-CAfile",         pki / "root.crt"};
  arguments.insert(arguments.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  test::SServer server(arguments);
  EXPECT_EQ(text_of(offer_at(server.port(), test::in(50s))), GetParam().offer) << server.last_words();
}
INSTANTIATE_TEST_SUITE_P(
    OpenSsl, Offers,
    testing::Values(
        OfferCase{"OneOfEach",
                  {"-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", "-serverpref",
                   "-ciphersuites", "TLS_AES_128_GCM_SHA256"},
                  "TLSv1: TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA\n"
                  "TLSv1.1: TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA\n"
                  "TLSv1.2: TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA\n"
                  "TLSv1.3: TLS_AES_128_GCM_SHA256\n"},
        OfferCase{"Tls12Only",
                  {"-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"},
                  "TLSv1:\nTLSv1.1:\nTLSv1.2: TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256\nTLSv1.3:\n"},
        OfferCase{"Tls13WithAllThatOpenSslHas",
                  {"-tls1_3", "-serverpref", "-ciphersuites",
                   "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256:"
                   "TLS_AES_128_CCM_8_SHA256"},
                  "TLSv1:\nTLSv1.1:\nTLSv1.2:\nTLSv1.3: TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 "
                  "TLS_AES_128_GCM_SHA256 TLS_AES_128_CCM_SHA256 TLS_AES_128_CCM_8_SHA256\n"}),
    [](const auto& row) { return row.param.name; });

TEST(Offers, OfAPeerThatCutsEveryConnectionAreUnknown) {
  std::atomic<int> open = 0;
  std::atomic<int> most = 0;
  test::RawPeer peer([&](test::RawPeer::Talk& talk) {
    most = std::max<int>(most, ++open);
    talk.receive_record();
    --open;  // before the reset, which lets the next one begin
    talk.reset();
  });
  EXPECT_EQ(text_of(offer_at(peer.port(), test::in(50s))), "TLSv1?\nTLSv1.1?\nTLSv1.2?\nTLSv1.3?\n");
  EXPECT_EQ(peer.connections(), 4);
  EXPECT_EQ(most, 1);
}

TEST(Offers, OfAPeerThatSaysNothingAreUnknown) {
  test::RawPeer peer([](test::RawPeer::Talk& talk) { talk.stay_silent(); });
  const TlsOffer offer = offer_at(peer.port(), test::in(50s), 50ms);
  EXPECT_EQ(text_of(offer), "TLSv1?\nTLSv1.1?\nTLSv1.2?\nTLSv1.3?\n");
  EXPECT_NE(offer.versions.front().detail, "");
}

TEST(Offers, EndWithTheRun) {
  test::RawPeer peer([](test::RawPeer::Talk& talk) { talk.stay_silent(); });
  const TlsOffer offer = offer_at(peer.port(), test::in(100ms));
  EXPECT_EQ(text_of(offer), "TLSv1?\nTLSv1.1?\nTLSv1.2?\nTLSv1.3?\n");
  EXPECT_EQ(peer.connections(), 1);
  EXPECT_EQ(offer.versions.front().detail, "not asked before the run's end");
}

}  // namespace
}  // namespace mrascheck::sources

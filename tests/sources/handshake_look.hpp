// SPDX-License-Identifier: Apache-2.0
// One look at one peer, as a test makes it: fe1 with a certificate of its own at edge1 on a port of 127.0.0.1.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "crypto/signature.hpp"
#include "sources/handshake.hpp"
#include "support/contoso_pki.hpp"
#include "support/on_loop.hpp"

namespace mrascheck::sources {

using namespace std::chrono_literals;

inline const test::ContosoPki& pki() {
  return test::ContosoPki::get();
}

class HandshakeTest : public testing::Test {
 protected:
  HandshakeTest() {
    from_.name = "fe1.contoso.example";
    to_.name = "edge1.contoso.example";
    to_.role = Role::edge;
    link_.from = from_.name;
    link_.to = to_.name;
    limits_.step = 20s;
    limits_.quiet = 300ms;
    question_.identity = "sip:probe@contoso.example";
    question_.location = MrasLocation::intranet;
    trust("root");
  }

  CertificateRef certificate(const std::string& name) {
    const ByteString der = pki().openssl().der(name);
    return pool_.intern(der).value();
  }
  void trust(const std::string& root) {
    trust_ = {};
    trust_.configured = true;
    const CertificateRef anchor = certificate(root);
    trust_.anchors.insert(anchor->sha256);
    trust_.index.add(anchor);
  }

  Handshake look_at(std::uint16_t port, const Deadline& run) {
    link_.port = port;
    auto loaded = load_identity({from_.name, pki() / "fe1.crt", pki() / "fe1.key", {}, {}}, pool_);
    if (!loaded) throw std::runtime_error(loaded.error().error.text);
    crypto::TlsContext::Options options;
    options.certificate = loaded->identity.certificate;
    options.key = loaded->key;
    Probe task{&from_,
               &to_,
               &link_,
               "127.0.0.1",
               "",
               crypto::TlsContext::client(options).value(),
               {loaded->identity.certificate},
               &trust_,
               question_,
               limits_,
               std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()),
               [this](const Certificate& child, const Certificate& issuer) -> std::optional<SignatureState> {
                 const auto state = verifier_.verify(child, issuer);
                 return state ? std::optional(*state) : std::nullopt;
               },
               &pool_};
    transport::Loop loop;
    Handshake record = test::run_on(loop, probe(std::move(task), run));
    EXPECT_EQ(record.from, from_.name);
    EXPECT_EQ(record.to, to_.name);
    EXPECT_EQ(record.address, "127.0.0.1");
    EXPECT_EQ(record.port, port);
    EXPECT_EQ(record.phase == Phase::done, record.outcome == Outcome::completed);
    return record;
  }
  Handshake look_at(std::uint16_t port) { return look_at(port, test::in(50s)); }

  Server from_;
  Server to_;
  Link link_;
  TrustView trust_;
  MrasQuestion question_;
  Limits limits_;
  CertificatePool pool_;
  crypto::SignatureVerifier verifier_;
};

/// Phase and outcome in one comparison, with the record's own words in the failure.
#define EXPECT_ENDED(record, phase_, outcome_)             \
  EXPECT_EQ(to_string((record).phase), to_string(phase_)); \
  EXPECT_EQ(to_string((record).outcome), to_string(outcome_)) << (record).detail

}  // namespace mrascheck::sources

// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <thread>
#include <vector>

#include "crypto/tls_engine.hpp"
#include "support/temp_dir.hpp"

namespace mrascheck::crypto {
namespace {

// FIPS 180-2, appendices A.1 and B.1; the digests of nothing are those of sha1sum and sha256sum.
TEST(Digest, IsTheStandards) {
  EXPECT_EQ(to_hex(hasher().sha1(as_bytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(to_hex(hasher().sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(hasher().sha1({})), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(to_hex(hasher().sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, MayBeTakenInManyThreads) {
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&wrong, i] {
      const std::string text(static_cast<std::size_t>(i) * 1000, 'x');
      const Sha256 expected = hasher().sha256(as_bytes(text));
      for (int turn = 0; turn < 500; ++turn) {
        if (hasher().sha256(as_bytes(text)) != expected) ++wrong;
        if (to_hex(hasher().sha1(as_bytes("abc"))).substr(0, 8) != "a9993e36") ++wrong;
      }
    });
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

// A configuration that takes every algorithm away: had OpenSSL read it, there would be no digest and no TLS.
TEST(OpenSslConfiguration, IsNotReadByAProbe) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a process in which nothing has touched OpenSSL before
  EXPECT_EXIT(
      {
        bool works = false;
        {
          const mrascheck::test::TempDir directory;
          const std::string file = directory.write("openssl.cnf",
                                                   "openssl_conf = start\n[start]\nproviders = few\n"
                                                   "[few]\nbase = base\n[base]\nactivate = 1\n");
          setenv("OPENSSL_CONF", file.c_str(), 1);
          works = to_hex(hasher().sha1(as_bytes("abc"))).starts_with("a9993e36") &&
                  TlsContext::client(TlsContext::Options{}).has_value();
        }
        exit(works ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace mrascheck::crypto

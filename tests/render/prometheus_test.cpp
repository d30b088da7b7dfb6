// SPDX-License-Identifier: Apache-2.0
#include "render/prometheus.hpp"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

#include "sample_report.hpp"
#include "support/sample_evidence.hpp"

namespace mrascheck {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr render::PrometheusCompat all_names{true, true, true};

/// Each family stands together, headed once; each sample has labels and a number; no set of labels stands twice.
void expect_exposition(const std::string& text) {
  std::istringstream lines(text);
  std::set<std::string> families;
  std::set<std::string> series;
  std::string family;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(families.insert(family).second) << line;
    } else if (line.starts_with("# TYPE ")) {
      EXPECT_EQ(line, "# TYPE " + family + " gauge");
    } else {
      EXPECT_TRUE(line.starts_with(family + "{site=\"")) << line;
      const std::size_t end = line.rfind("} ");
      ASSERT_NE(end, std::string::npos) << line;
      EXPECT_TRUE(series.insert(line.substr(0, end)).second) << line;
      EXPECT_EQ(line.find_first_not_of("0123456789.e+-", end + 2), std::string::npos) << line;
    }
  }
}

TEST(Prometheus, HasTwinsOfOneNameApart) {
  Evidence evidence = test::sample_evidence();
  auto renewed = std::make_shared<Certificate>(*evidence.identities.front().certificate);
  renewed->sha256[0] ^= 1U;
  evidence.identities.push_back({evidence.identities.front().server, renewed, {}, false});
  const std::string text = render::prometheus(test::sample_report(), evidence, all_names);
  expect_exposition(text);
  EXPECT_THAT(text, HasSubstr(to_hex(renewed->sha256)));
  EXPECT_THAT(text, HasSubstr(to_hex(evidence.identities.front().certificate->sha256)));
}

TEST(Prometheus, OfOneThingSeenTwiceTellsTheWorse) {
  Evidence evidence = test::sample_evidence();
  Handshake good = evidence.handshakes.front();
  good.outcome = Outcome::completed;
  good.phase = Phase::done;
  good.peer_answered = true;
  good.variant.clear();
  Handshake bad = good;
  bad.outcome = Outcome::refused;
  bad.phase = Phase::connect;
  for (const bool good_first : {false, true}) {
    evidence.handshakes = good_first ? std::vector{good, bad} : std::vector{bad, good};
    const std::string text = render::prometheus(test::sample_report(), evidence, all_names);
    expect_exposition(text);
    const std::string sample =
        fmt::format("\nmrascheck_connect_success{{site=\"contoso\",from=\"{}\",to=\"{}\",address=\"{}\",port=\"{}\"}} ",
                    good.from, good.to, good.address, good.port);
    EXPECT_THAT(text, HasSubstr(sample + "0\n"));
    EXPECT_THAT(text, Not(HasSubstr(sample + "1\n")));
  }
}

class PrometheusHostile : public testing::TestWithParam<std::string> {};

TEST_P(PrometheusHostile, NamesStayInTheirQuotes) {
  Evidence evidence = test::sample_evidence();
  Report report = test::sample_report();
  report.site = GetParam();
  report.vantage = GetParam();
  for (StoreSpec& store : evidence.site.stores) store.name = GetParam();
  for (StoreContents& contents : evidence.stores) contents.store = GetParam();
  for (Resolution& resolution : evidence.resolutions) resolution.name = GetParam();
  for (Handshake& handshake : evidence.handshakes) {
    handshake.from = handshake.to = handshake.address = handshake.tls_version = handshake.cipher = GetParam();
    for (CertificateRef& certificate : handshake.peer_chain) {
      auto named = std::make_shared<Certificate>(*certificate);
      named->subject = Name{{.text = GetParam(), .common_name = GetParam()}};
      named->dns_names = {GetParam()};
      certificate = named;
    }
  }
  expect_exposition(render::prometheus(report, evidence, all_names));
}

INSTANTIATE_TEST_SUITE_P(Names, PrometheusHostile,
                         testing::Values("say \"hello\"", "back\\slash\\", "one\ntwo\r\nthree", "{a=\"b\"} 1", "} 7",
                                         "<script>alert(1)</script>", "a|b", std::string("nul\0nul", 7), "\xFF\xFE",
                                         std::string(5000, 'x'), std::string(255, 'y') + "\"",
                                         "\xF0\x9F\x98\x80 \xF0\xA0\x80\x80 \xF3\xA0\x80\x81 \xF4\x8F\xBF\xBF", ""));

}  // namespace
}  // namespace mrascheck

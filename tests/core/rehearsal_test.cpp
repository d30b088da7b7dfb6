// SPDX-License-Identifier: Apache-2.0
#include "core/rehearsal.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

namespace mrascheck {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr UtcTime monday{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};

Name name_of(const std::string& common_name) {
  return Name{{.canonical = common_name, .text = common_name, .common_name = common_name}};
}

CertificateRef certificate(std::uint8_t number, const std::string& subject, const std::string& issuer, UtcTime from,
                           UtcTime to) {
  auto made = std::make_shared<Certificate>();
  made->sha256[0] = number;
  made->subject = name_of(subject);
  made->issuer = name_of(issuer);
  made->not_before = from;
  made->not_after = to;
  return made;
}

StoreContents store(const std::vector<CertificateRef>& certificates) {
  StoreContents contents;
  contents.store = "roots";
  for (const CertificateRef& each : certificates) contents.entries.push_back({each, StoreKind::root, "roots.pem"});
  return contents;
}

TEST(TurningPoints, AreWhereCertificatesInUseAndTheirIssuersBeginAndEnd) {
  Evidence evidence;
  evidence.collected_at = monday;
  Identity fe1;
  fe1.server = "fe1.contoso.example";
  fe1.certificate = certificate(1, "fe1", "Issuing", monday - 24h, monday + 240h);
  evidence.identities = {fe1};
  evidence.stores = {store({certificate(2, "Root", "Root", monday - 24h, monday + 480h),
                            certificate(3, "Issuing", "Root", monday + 48h, monday + 120h),
                            certificate(4, "Stranger", "Stranger", monday - 24h, monday + 24h)})};
  auto crl = std::make_shared<Crl>();
  crl->issuer = name_of("Issuing");
  crl->next_update = monday + 168h;
  evidence.stores.front().crls = {{crl, "issuing.crl"}};

  EXPECT_THAT(turning_points(evidence, monday + 240h),
              ElementsAre(monday + 48h, monday + 120h + 1s, monday + 168h + 1s));
  EXPECT_THAT(
      turning_points(evidence, monday + 480h + 1s),
      ElementsAre(monday + 48h, monday + 120h + 1s, monday + 168h + 1s, monday + 240h + 1s, monday + 480h + 1s));
  EXPECT_TRUE(turning_points(evidence, monday + 47h).empty());
}

Report report(UtcTime at, const std::vector<std::pair<const char*, Status>>& findings) {
  Report made;
  made.collected_at = at;
  made.status = Status::ok;
  CheckResult& check = made.checks.emplace_back();
  for (const auto& [about, status] : findings) {
    Finding& found = check.verdict.findings.emplace_back();
    found.code = "validity.expired";
    found.status = status;
    found.about = about;
    found.summary = about;
    check.status = worst(check.status, status);
  }
  made.status = check.status;
  return made;
}

std::vector<std::string> summaries(const Report& report) {
  std::vector<std::string> lines;
  for (const Finding& finding : report.checks.front().verdict.findings) lines.push_back(finding.summary);
  return lines;
}

TEST(Days, AddWhatIsNewOrWorseAndSaySinceWhen) {
  const Report first = report(monday, {{"fe1", Status::warning}});
  Report whole = first;
  const Report second = report(monday + 24h, {{"edge1", Status::critical}, {"fe1", Status::warning}});
  add_day(whole, first, second);
  EXPECT_THAT(summaries(whole), ElementsAre("from 2026-11-24T00:00:00Z on: edge1", "fe1"));
  EXPECT_EQ(whole.status, Status::critical);
  EXPECT_EQ(whole.checks.front().status, Status::critical);

  const Report third = report(monday + 48h, {{"fe1", Status::critical}});
  add_day(whole, second, third);
  const Report fourth = report(monday + 72h, {{"edge1", Status::critical}});
  add_day(whole, third, fourth);
  EXPECT_THAT(summaries(whole), ElementsAre("from 2026-11-24T00:00:00Z on: edge1", "from 2026-11-25T00:00:00Z on: fe1",
                                            "from 2026-11-26T00:00:00Z on: edge1", "fe1"));
}

TEST(Days, AddWhatCouldNotBeLookedAtOnce) {
  const Report first = report(monday, {});
  Report whole = first;
  Report later = report(monday + 24h, {});
  later.gaps.push_back({Needs::handshakes, "fe1 -> edge1:5062", ErrorKind::local, "cannot be told", "Mend it."});
  later.checks.front().gaps = {0};
  later.checks.front().status = later.status = Status::unknown;
  add_day(whole, first, later);
  Report latest = later;
  latest.collected_at = monday + 48h;
  add_day(whole, later, latest);
  ASSERT_EQ(whole.gaps.size(), 1U);
  EXPECT_EQ(whole.gaps.front().reason, "from 2026-11-24T00:00:00Z on: cannot be told");
  EXPECT_THAT(whole.checks.front().gaps, ElementsAre(0U));
  EXPECT_EQ(whole.status, Status::unknown);
}

}  // namespace
}  // namespace mrascheck

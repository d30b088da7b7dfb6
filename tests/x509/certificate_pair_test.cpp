// SPDX-License-Identifier: Apache-2.0
#include "x509/certificate_pair.hpp"

#include <gtest/gtest.h>

namespace mrascheck::x509 {

namespace {

struct CertificatePairRow {
  const char* name;
  const char* der;
  const char* forward;
  const char* reverse;
  const char* error;
};
void PrintTo(const CertificatePairRow& row, std::ostream* out) {
  *out << row.name;
}

}  // namespace

class CertificatePairTest : public testing::TestWithParam<CertificatePairRow> {};
TEST_P(CertificatePairTest, IsTakenApart) {
  const ByteString der = from_hex(GetParam().der);
  const auto pair = read_certificate_pair(der);
  EXPECT_EQ(pair ? "" : pair.error().text, GetParam().error);
  if (!pair) return;
  EXPECT_EQ(to_hex(pair->forward), GetParam().forward);
  EXPECT_EQ(to_hex(pair->reverse), GetParam().reverse);
}
INSTANTIATE_TEST_SUITE_P(
    Rfc4523, CertificatePairTest,
    testing::Values(
        CertificatePairRow{"Both", "300ca0043002050aa1043002050b", "3002050a", "3002050b", ""},
        CertificatePairRow{"Forward", "3006a0043002050a", "3002050a", "", ""},
        CertificatePairRow{"Reverse", "3006a1043002050a", "", "3002050a", ""},
        CertificatePairRow{"Neither", "3000", "", "", "certificate pair: neither certificate in it at byte 0"},
        CertificatePairRow{"Certificate", "30043002050a", "", "", "certificate pair: not a part of it at byte 2"},
        CertificatePairRow{"Swapped", "300ca1043002050aa0043002050b", "", "",
                           "certificate pair: not a part of it at byte 8"},
        CertificatePairRow{"TwoInOne", "3008a0063002050a0500", "", "",
                           "certificate pair: something behind a certificate at byte 8"},
        CertificatePairRow{"NotOne", "3005a003020105", "", "", "certificate pair: not a certificate at byte 4"},
        CertificatePairRow{"Behind", "3006a0043002050a00", "", "", "certificate pair: something behind it at byte 8"},
        CertificatePairRow{"Cut", "3006a0043002", "", "", "certificate pair: longer than what holds it at byte 0"},
        CertificatePairRow{"Nothing", "", "", "", "certificate pair: not a SEQUENCE at byte 0"}),
    [](const auto& row) { return row.param.name; });

}  // namespace mrascheck::x509

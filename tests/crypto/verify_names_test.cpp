// SPDX-License-Identifier: Apache-2.0
// The numbers and names of verify errors in core/explain.cpp are OpenSSL's own.
#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <string_view>

#include "core/explain.hpp"

namespace mrascheck {
namespace {

struct Name {
  int number;
  std::string_view name;
};

#define OF_OPENSSL(name)     \
  Name {                     \
    X509_V_ERR_##name, #name \
  }
constexpr std::array names{OF_OPENSSL(UNSPECIFIED),
                           OF_OPENSSL(UNABLE_TO_GET_ISSUER_CERT),
                           OF_OPENSSL(UNABLE_TO_GET_CRL),
                           OF_OPENSSL(CERT_SIGNATURE_FAILURE),
                           OF_OPENSSL(CERT_NOT_YET_VALID),
                           OF_OPENSSL(CERT_HAS_EXPIRED),
                           OF_OPENSSL(CRL_HAS_EXPIRED),
                           OF_OPENSSL(DEPTH_ZERO_SELF_SIGNED_CERT),
                           OF_OPENSSL(SELF_SIGNED_CERT_IN_CHAIN),
                           OF_OPENSSL(UNABLE_TO_GET_ISSUER_CERT_LOCALLY),
                           OF_OPENSSL(UNABLE_TO_VERIFY_LEAF_SIGNATURE),
                           OF_OPENSSL(CERT_CHAIN_TOO_LONG),
                           OF_OPENSSL(CERT_REVOKED),
                           OF_OPENSSL(NO_ISSUER_PUBLIC_KEY),
                           OF_OPENSSL(PATH_LENGTH_EXCEEDED),
                           OF_OPENSSL(INVALID_PURPOSE),
                           OF_OPENSSL(CERT_UNTRUSTED),
                           OF_OPENSSL(CERT_REJECTED),
                           OF_OPENSSL(SUBJECT_ISSUER_MISMATCH),
                           OF_OPENSSL(AKID_SKID_MISMATCH),
                           OF_OPENSSL(AKID_ISSUER_SERIAL_MISMATCH),
                           OF_OPENSSL(KEYUSAGE_NO_CERTSIGN),
                           OF_OPENSSL(UNHANDLED_CRITICAL_EXTENSION),
                           OF_OPENSSL(PERMITTED_VIOLATION),
                           OF_OPENSSL(EXCLUDED_VIOLATION),
                           OF_OPENSSL(HOSTNAME_MISMATCH),
                           OF_OPENSSL(IP_ADDRESS_MISMATCH),
                           OF_OPENSSL(EE_KEY_TOO_SMALL),
                           OF_OPENSSL(CA_KEY_TOO_SMALL),
                           OF_OPENSSL(CA_MD_TOO_WEAK),
                           OF_OPENSSL(INVALID_CA)};
#undef OF_OPENSSL

TEST(VerifyErrors, HaveTheNumbersAndNamesOfOpenssl) {
  for (const Name& each : names) {
    const Explanation* row = explain_verify_error(each.number);
    ASSERT_NE(row, nullptr) << each.name;
    EXPECT_EQ(row->name, each.name);
  }
  std::size_t rows = 0;
  each_explanation([&rows](CodeKind kind, const Explanation&) { rows += kind == CodeKind::verify_error ? 1U : 0U; });
  EXPECT_EQ(rows, names.size());
}

}  // namespace
}  // namespace mrascheck

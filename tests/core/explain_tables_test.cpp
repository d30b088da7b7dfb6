// SPDX-License-Identifier: Apache-2.0
// Every code that an administrator may meet on the way from a Front End to a relay, row by row: it is there, by its
// name, with all that an explanation needs, and with what the same fault is called elsewhere.
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/explain.hpp"
#include "core/look_up.hpp"
#include "core/pairings.hpp"

namespace mrascheck {
namespace {

using testing::HasSubstr;

void expect_whole(const Explanation* row, std::string_view key, std::string_view name) {
  SCOPED_TRACE(std::string(key));
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->key, key);
  if (!name.empty()) EXPECT_THAT(std::string(row->name), HasSubstr(std::string(name)));
  EXPECT_GE(row->meaning.size(), 10U);
  EXPECT_GE(row->who.size(), 5U);
  EXPECT_GE(row->remedy.size(), 8U);
  EXPECT_GE(row->source.size(), 7U);
}

bool means(std::string_view pasted, const Explanation* row) {
  for (const Meaning& meaning : look_up(pasted).meanings) {
    if (meaning.row == row) return true;
  }
  return false;
}

// MS-OCER; "Ms-Diagnostics Header".
TEST(ExplainTables, DiagnosticsIds) {
  struct Row {
    unsigned id;
    const char* reason;
  };
  for (const Row& row : {Row{0, "Server internal error"},
                         {1, "Service unavailable"},
                         {2, "See response code and reason phrase"},
                         {4, "Insufficient bandwidth to establish session. Do not attempt re-route"},
                         {1000, "Final handshake failed"},
                         {1001, "public IM"},
                         {1002, "federated partners"},
                         {1003, "User does not exist"},
                         {1004, "Route set is no longer valid"},
                         {1005, "Cannot route to destination domain"},
                         {1006, "Error routing on client connection"},
                         {1007, "Temporarily cannot route"},
                         {1008, "Unable to resolve DNS SRV record"},
                         {1009, "Conflicting SRV and host domains in DNS"},
                         {1010, "Certificate trust with next-hop server could not be established"},
                         {1011, "s-diagnostics header not provided by previous hop"},
                         {1012, "users outside the enterprise"},
                         {1013, "Significant time skew detected during authentication"},
                         {1014, "Unable to resolve DNS A record"},
                         {1017, "Cannot route From and To domains in this combination"},
                         {1027, "Cannot route this type of SIP request to or from federated partners"},
                         {1034, "Previous hop federated peer did not report diagnostic information"},
                         {1036, "Previous hop shared address space peer did not report"},
                         {1038, "Failed to connect to a peer server"},
                         {1046, "Failed to connect to a federated peer server"},
                         {1047, "Failed to complete TLS negotiation with a federated peer server"},
                         {4003, "not enabled for remote access"},
                         {4004, "not authorized for the From URI"},
                         {4005, "unknown or not enabled"},
                         {4006, "not homed in this pool"},
                         {5000, "One or more critical applications are not running"},
                         {5001, "Request timed out"},
                         {7001, "NAT/Firewall traversal service not available"},
                         {9000, ""},
                         {9001, ""},
                         {10003, "Proxy returned a SIP failure code"}}) {
    const std::string key = std::to_string(row.id);
    expect_whole(explain_diagnostics(row.id), key, row.reason);
    EXPECT_TRUE(
        means("ms-diagnostics: " + key + ";source=\"fe1.contoso.example\";reason=\"x\"", explain_diagnostics(row.id)))
        << key;
  }
}

TEST(ExplainTables, WinsockErrors) {
  struct Row {
    int code;
    const char* name;
    const char* posix;
  };
  for (const Row& row : {Row{10013, "WSAEACCES", "EACCES"},
                         {10048, "WSAEADDRINUSE", "EADDRINUSE"},
                         {10049, "WSAEADDRNOTAVAIL", "EADDRNOTAVAIL"},
                         {10050, "WSAENETDOWN", "ENETDOWN"},
                         {10051, "WSAENETUNREACH", "ENETUNREACH"},
                         {10052, "WSAENETRESET", "ENETRESET"},
                         {10053, "WSAECONNABORTED", "ECONNABORTED"},
                         {10054, "WSAECONNRESET", "ECONNRESET"},
                         {10055, "WSAENOBUFS", "ENOBUFS"},
                         {10060, "WSAETIMEDOUT", "ETIMEDOUT"},
                         {10061, "WSAECONNREFUSED", "ECONNREFUSED"},
                         {10064, "WSAEHOSTDOWN", "EHOSTDOWN"},
                         {10065, "WSAEHOSTUNREACH", "EHOSTUNREACH"},
                         {11001, "WSAHOST_NOT_FOUND", "EAI_NONAME"},
                         {11002, "WSATRY_AGAIN", "EAI_AGAIN"},
                         {11003, "WSANO_RECOVERY", "EAI_FAIL"},
                         {11004, "WSANO_DATA", "EAI_NODATA"}}) {
    const Explanation* found = explain_winsock(row.code);
    expect_whole(found, std::to_string(row.code), row.name);
    EXPECT_EQ(posix_name(row.code), row.posix);
    EXPECT_EQ(counterparts(CodeKind::winsock, *found), std::string("Linux ") + row.posix);
    // As an HRESULT of FACILITY_WIN32, by either name, and as logs print it.
    EXPECT_EQ(explain_hresult(0x80070000U + static_cast<std::uint32_t>(row.code)), found);
    for (const std::string& pasted : {std::to_string(row.code), std::string(row.name), std::string(row.posix),
                                      std::to_string(row.code) + "(" + row.name + ")"})
      EXPECT_TRUE(means(pasted, found)) << pasted;
  }
}

/// What else the fault is called is in what counterparts() says, each by its number.
TEST(ExplainTables, HresultsOfSchannelAndTrust) {
  struct Row {
    std::uint32_t code;
    const char* name;
    std::vector<int> verify_errors;
    std::vector<int> alerts;
  };
  for (const Row& row : {Row{0x80090322, "SEC_E_WRONG_PRINCIPAL", {62, 64}, {}},
                         {0x80090325, "SEC_E_UNTRUSTED_ROOT", {19, 18, 20}, {48}},
                         {0x80090326, "SEC_E_ILLEGAL_MESSAGE", {}, {40, 70, 42}},
                         {0x80090327, "SEC_E_CERT_UNKNOWN", {1, 27}, {46}},
                         {0x80090328, "SEC_E_CERT_EXPIRED", {10, 9}, {45}},
                         {0x80090331, "SEC_E_ALGORITHM_MISMATCH", {}, {40, 70, 71}},
                         {0x80090349, "SEC_E_CERT_WRONG_USAGE", {26}, {43}},
                         {0x8009030C, "SEC_E_LOGON_DENIED", {}, {}},
                         {0x8009030D, "SEC_E_UNKNOWN_CREDENTIALS", {}, {40}},
                         {0x8009030E, "SEC_E_NO_CREDENTIALS", {}, {40}},
                         {0x8009030F, "SEC_E_MESSAGE_ALTERED", {}, {20}},
                         {0x80090308, "SEC_E_INVALID_TOKEN", {}, {10, 70}},
                         {0x80090317, "CONTEXT_EXPIRED", {}, {0}},
                         {0x80090318, "INCOMPLETE_MESSAGE", {}, {0}},
                         {0x00090320, "SEC_I_INCOMPLETE_CREDENTIALS", {}, {116}},
                         {0x80090324, "SEC_E_TIME_SKEW", {9, 10}, {45}},
                         {0x80090329, "ENCRYPT_FAILURE", {}, {51}},
                         {0x80090330, "DECRYPT_FAILURE", {}, {20}},
                         {0x80092010, "CRYPT_E_REVOKED", {23}, {44}},
                         {0x80092012, "NO_REVOCATION_CHECK", {3}, {}},
                         {0x80092013, "REVOCATION_OFFLINE", {3, 12}, {}},
                         {0x800B0101, "CERT_E_EXPIRED", {10, 9}, {45}},
                         {0x800B0109, "CERT_E_UNTRUSTEDROOT", {19, 18}, {48}},
                         {0x800B010A, "CERT_E_CHAINING", {2, 20, 21}, {48}},
                         {0x800B010C, "CERT_E_REVOKED", {23}, {44}},
                         {0x800B010F, "CERT_E_CN_NO_MATCH", {62}, {}},
                         {0x800B0110, "CERT_E_WRONG_USAGE", {26}, {43}},
                         {0x800B0112, "CERT_E_UNTRUSTEDCA", {24, 25, 26, 27, 28, 79}, {48}},
                         {0x800B0114, "CERT_E_INVALID_NAME", {47}, {42}},
                         {0x80096004, "TRUST_E_CERT_SIGNATURE", {7}, {42, 51}}}) {
    char key[11];
    std::snprintf(key, sizeof key, "0x%08X", row.code);
    const Explanation* found = explain_hresult(row.code);
    expect_whole(found, key, row.name);
    const std::string elsewhere = counterparts(CodeKind::hresult, *found);
    for (const int error : row.verify_errors) {
      const Explanation* verify = explain_verify_error(error);
      expect_whole(verify, std::to_string(error), "");
      EXPECT_THAT(elsewhere, HasSubstr(std::string(verify->name) + " (" + std::to_string(error) + ")"));
      EXPECT_THAT(counterparts(CodeKind::verify_error, *verify), HasSubstr(key));
    }
    for (const int number : row.alerts) {
      const Explanation* alert = explain_alert(static_cast<std::uint8_t>(number));
      expect_whole(alert, std::to_string(number), "");
      EXPECT_THAT(elsewhere, HasSubstr(std::string(alert->name) + " (" + std::to_string(number) + ")"));
      EXPECT_THAT(counterparts(CodeKind::alert, *alert), HasSubstr(key));
    }
    EXPECT_EQ(elsewhere.empty(), row.verify_errors.empty() && row.alerts.empty()) << elsewhere;
    // Each form that people paste.
    const std::string hex(key);
    std::string lower = hex.substr(2);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (const std::string& pasted :
         {hex, hex.substr(2), "0x" + lower, lower, std::string(found->name), hex + "(" + std::string(found->name) + ")",
          "0x" + lower + " " + std::string(found->name)})
      EXPECT_TRUE(means(pasted, found)) << pasted;
    if (row.code >= 0x80000000U) EXPECT_TRUE(means(std::to_string(static_cast<std::int32_t>(row.code)), found)) << key;
  }
  for (const int weak : {66, 67, 68}) expect_whole(explain_verify_error(weak), std::to_string(weak), "");
}

TEST(ExplainTables, HresultsOfTheServers) {
  struct Row {
    std::uint32_t code;
    const char* name;
  };
  for (const Row& row : {Row{0xC3E93C5E, "SIPPROXY_E_ROUTING"},
                         {0xC3E93C2F, "SIPPROXY_E_UNKNOWN_USER_OR_EPID"},
                         {0xC3E93D67, "SIPPROXY_E_ROUTING_MSG_CERT_MISMATCH"},
                         {0xC3E93D6F, "SIPPROXY_E_EPROUTING_MSG_ALLOWED_DOMAIN_NO_SRV_MATCH"},
                         {0xC3E8302D, "SIPPROXY_E_WORKER_PROCESS_SLOW_INITIALIZING"},
                         {0xC3EE78F8, "stored procedure version mismatch"},
                         {0xC3E93C5F, "SIPPROXY_E_ROUTING_UNKNOWN_DOMAIN"},
                         {0xC3E93C69, "SIPPROXY_E_CONNECTION_FAILED"}}) {
    char key[11];
    std::snprintf(key, sizeof key, "0x%08X", row.code);
    expect_whole(explain_hresult(row.code), key, row.name);
    EXPECT_TRUE(means(row.name, explain_hresult(row.code))) << row.name;
  }
  // Known by its name alone.
  const LookUp split = look_up("SIPPROXY_E_EPROUTING_MSG_INVALID_EXT_SPLIT_DOMAIN");
  ASSERT_EQ(split.meanings.size(), 1U);
  EXPECT_EQ(split.meanings[0].kind, CodeKind::hresult);
  EXPECT_THAT(std::string(split.meanings[0].row->meaning), HasSubstr("split"));
  // The facilities of those that no table holds.
  EXPECT_THAT(look_up("0xC3E91234").remarks, testing::ElementsAre(HasSubstr("facility 1001")));
  EXPECT_THAT(look_up("0xC3E81234").remarks, testing::ElementsAre(HasSubstr("facility 1000")));
  EXPECT_THAT(look_up("0xC3EE1234").remarks, testing::ElementsAre(HasSubstr("facility 1006")));
}

TEST(ExplainTables, Events) {
  for (const unsigned id : {14428U, 32042U, 30998U, 61029U, 12303U, 14694U, 14397U, 14517U, 12330U, 30968U}) {
    expect_whole(explain_event(id), std::to_string(id), "");
    EXPECT_TRUE(means(std::to_string(id), explain_event(id))) << id;
  }
  // One that comes without a number, with an exception behind it.
  const LookUp contacted =
      look_up("The A/V Authentication Service cannot be contacted. Exception: System.TimeoutException");
  ASSERT_EQ(contacted.meanings.size(), 1U);
  EXPECT_EQ(contacted.meanings[0].kind, CodeKind::event);
}

TEST(ExplainTables, MrasReasons) {
  for (const char* reason : {"OK", "Request Malformed", "Request Too Large", "Not Supported", "Server Busy", "Time Out",
                             "Forbidden", "Internal Server Error", "Other Failure", "Version Mismatch"}) {
    expect_whole(explain_mras_reason(reason), reason, reason);
    EXPECT_TRUE(means(reason, explain_mras_reason(reason))) << reason;
  }
}

TEST(ExplainTables, RelayErrors) {
  struct Row {
    unsigned code;
    const char* name;
  };
  for (const Row& row : {Row{300, "Try Alternate"},
                         {400, "Bad Request"},
                         {401, "Unauthorized"},
                         {420, "Unknown Attribute"},
                         {430, "Stale Credentials"},
                         {431, "Integrity Check Failure"},
                         {432, "Missing Username"},
                         {434, "Missing Realm"},
                         {435, "Missing Nonce"},
                         {436, "Unknown Username"},
                         {437, "No Binding"},
                         {438, "Stale Nonce"},
                         {439, "Transitioning"},
                         {440, "No Destination"},
                         {441, "Wrong Username"},
                         {500, "Server Error"},
                         {600, "Global Failure"}})
    expect_whole(explain_relay_error(row.code), std::to_string(row.code), row.name);
}

TEST(ExplainTables, SerialNumbersInEitherOrder) {
  for (const char* pasted : {"61234f00000000012a", "61 23 4f 00 00 00 00 01 2a", "61:23:4F:00:00:00:00:01:2A"}) {
    const LookUp found = look_up(pasted);
    ASSERT_EQ(found.remarks.size(), 1U) << pasted;
    EXPECT_THAT(found.remarks[0], HasSubstr("61234f00000000012a"));
    EXPECT_THAT(found.remarks[0], HasSubstr("2a01000000004f2361"));
  }
}

}  // namespace
}  // namespace mrascheck

// SPDX-License-Identifier: Apache-2.0
// A real slapd that looks like a domain controller, for one test: its own directory, free ports on 127.0.0.1.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/bytes.hpp"

namespace mrascheck::test {

/// A CA made by OpenSSL: an EC key, and certificates that it signs. All of them carry that one key, so many are made
/// quickly.
class TestCa {
 public:
  explicit TestCa(std::string name);
  TestCa(TestCa&&) = delete;
  ~TestCa();

  /// A CA certificate, DER, named `subject`, signed by this CA.
  ByteString ca_certificate(const std::string& subject, long serial) const;
  /// This CA's own certificate, self-signed, DER.
  ByteString own_certificate() const { return ca_certificate(name_, 1); }
  std::string own_certificate_pem() const;
  /// PEM, for 127.0.0.1 and the given DNS names; valid for `days` from now, in the past when negative.
  std::string server_certificate_pem(const std::vector<std::string>& dns_names, int days = 30) const;
  std::string key_pem() const;
  /// A list that revokes the certificate with the number `revoked`, DER.
  ByteString revocation_list(long revoked) const;

 private:
  std::string name_;
  void* key_;  ///< EVP_PKEY
};

/// One LDIF record below the Public Key Services: "CN=Issuing CA" in "CN=AIA".
std::string ca_entry(const std::string& rdns, const std::vector<ByteString>& certificates);

/// One LDIF record for a list, below a CDP container: "CN=Issuing CA,CN=ca1,CN=CDP".
std::string crl_entry(const std::string& rdns, const ByteString& list);

/// A crossCertificatePair's value of these two, either of which may be empty (RFC 4523, 2.5).
ByteString certificate_pair(const ByteString& forward, const ByteString& reverse);

/// One line of LDIF: "cACertificate;binary:: MII...".
std::string binary_line(const std::string& attribute, const ByteString& value);

/// A record that refers elsewhere (RFC 3296).
std::string referral_entry(const std::string& rdns, const std::string& uri);

struct SlapdSettings {
  std::string entries;   ///< LDIF, behind the AD-shaped tree
  std::string global;    ///< lines of slapd.conf before the database: SASL, TLS
  std::string database;  ///< lines of slapd.conf for the database: limits, access
  std::vector<std::string> containers = {"AIA", "Certification Authorities", "NTAuthCertificates",
                                         "Enrollment Services", "CDP"};
  bool names_configuration_context = true;  ///< in its rootDSE, as a domain controller does
  std::vector<std::string> dns_names = {"dc1.contoso.example"};
  int certificate_days = 30;
};

class Slapd {
 public:
  explicit Slapd(const SlapdSettings& settings = {});
  Slapd(Slapd&&) = delete;
  ~Slapd();

  std::string ldap() const;
  std::string ldaps() const;
  std::string ldapi() const;
  int ldap_port() const { return ldap_port_; }
  std::string certificate_file() const { return directory_ / "server.pem"; }
  std::string key_file() const { return directory_ / "server.key"; }
  std::string ca_file() const { return directory_ / "ca.pem"; }
  std::string other_ca_file() const { return directory_ / "other-ca.pem"; }  ///< did not sign its certificate
  const std::filesystem::path& directory() const { return directory_; }

  /// Stops it without a word to its clients: connections are accepted by the kernel, and nobody answers.
  void freeze() const;
  void stop();

  static constexpr const char* suffix = "dc=contoso,dc=example";
  static constexpr const char* configuration = "CN=Configuration,dc=contoso,dc=example";
  static constexpr const char* services = "CN=Public Key Services,CN=Services,CN=Configuration,dc=contoso,dc=example";
  static constexpr const char* reader = "cn=reader,dc=contoso,dc=example";
  static constexpr const char* password = "correct horse";

 private:
  void write_configuration(const SlapdSettings& settings);
  bool start();

  std::filesystem::path directory_;
  int ldap_port_ = 0;
  int ldaps_port_ = 0;
  pid_t pid_ = -1;
  std::thread log_reader_;
};

/// A port of 127.0.0.1 that nobody listened on a moment ago.
int free_port();

void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace mrascheck::test

// SPDX-License-Identifier: Apache-2.0
// What certificates forbid by their extensions, held against openssl verify.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <string>

#include "core/graph.hpp"
#include "support/openssl_cli.hpp"
#include "support/worlds.hpp"

namespace mrascheck {
namespace {

using test::OpensslCli;

constexpr const char* leaf_names = "subjectAltName=DNS:edge1.contoso.example\nextendedKeyUsage=serverAuth\n";

struct ConstraintRow {
  const char* name;
  std::string issuing;  ///< extensions of the intermediate, behind those of every CA
  std::string leaf;     ///< extensions
  const char* openssl;  ///< what openssl verify says: "OK", "error 47"
  enum class Verdict { valid, invalid, undecided } verdict;
  const char* subject = "/O=Contoso/CN=edge1.contoso.example";
};

CertificateRef certificate_of(sources::CertificatePool& pool, const OpensslCli& openssl, const char* name) {
  auto certificate = pool.intern(openssl.der(name));
  EXPECT_TRUE(certificate) << certificate.error().text;
  return certificate ? *certificate : nullptr;
}

/// All paths to "leaf", with "root" trusted and "issuing" sent along.
PathSet paths_to_leaf(const OpensslCli& openssl) {
  sources::CertificatePool pool;
  crypto::SignatureVerifier verifier;
  TrustView trust;
  trust.configured = true;
  const CertificateRef root = certificate_of(pool, openssl, "root");
  const CertificateRef leaf = certificate_of(pool, openssl, "leaf");
  const std::vector<CertificateRef> sent{certificate_of(pool, openssl, "issuing")};
  if (!root || !leaf || !sent.front()) return {};
  trust.index.add(root);
  trust.anchors.insert(root->sha256);
  return find_paths(leaf, {.trust = &trust, .sent = sent, .at = leaf->not_before, .purpose = server_auth_oid},
                    test::verifying_oracle(verifier));
}

std::string problems_of(const PathSet& set) {
  std::string problems;
  for (const Path& path : set.paths) {
    for (const PathProblem& problem : path.problems)
      problems += fmt::format("{}: {}\n", to_string(problem.kind), problem.text);
  }
  return problems;
}

class ConstraintTest : public testing::TestWithParam<ConstraintRow> {};
TEST_P(ConstraintTest, IsJudgedAsOpensslVerifyDoesOrIsUndecided) {
  const ConstraintRow& row = GetParam();
  const OpensslCli openssl;
  openssl.self_signed("root", "/CN=Root", test::ca_extensions);
  openssl.issued("issuing", "/CN=Issuing", "root", test::ca_extensions + row.issuing);
  openssl.issued("leaf", row.subject, "issuing", row.leaf);
  const std::string said = openssl.shell(
      "openssl verify -purpose sslserver -no-CApath -no-CAstore -CAfile root.crt -untrusted issuing.crt leaf.crt; "
      "true");
  EXPECT_NE(said.find(row.openssl), std::string::npos) << said;
  const PathSet set = paths_to_leaf(openssl);
  EXPECT_EQ(set.any_valid(), row.verdict == ConstraintRow::Verdict::valid) << problems_of(set);
  EXPECT_EQ(set.undecided(), row.verdict == ConstraintRow::Verdict::undecided) << problems_of(set);
}

/// RFC 5280, 6.1.4 k.
TEST(Constraints, AnIntermediateWithoutBasicConstraintsIsNoCa) {
  const OpensslCli openssl;
  openssl.self_signed("root", "/CN=Root", test::ca_extensions);
  openssl.issued("issuing", "/CN=Issuing", "root", "keyUsage=critical,keyCertSign,cRLSign\n");
  openssl.issued("leaf", "/O=Contoso/CN=edge1.contoso.example", "issuing", leaf_names);
  const std::string said = openssl.shell(
      "openssl verify -no-CApath -no-CAstore -CAfile root.crt -untrusted issuing.crt leaf.crt 2>&1; true");
  EXPECT_NE(said.find("error 79"), std::string::npos) << said;
  const PathSet set = paths_to_leaf(openssl);
  EXPECT_FALSE(set.any_valid());
  EXPECT_NE(problems_of(set).find("not-a-ca: Issuing ("), std::string::npos) << problems_of(set);
}

using enum ConstraintRow::Verdict;
INSTANTIATE_TEST_SUITE_P(
    Extensions, ConstraintTest,
    testing::Values(
        ConstraintRow{"PolicyConstraints", "policyConstraints=critical,requireExplicitPolicy:0\n", leaf_names, "OK",
                      valid},
        ConstraintRow{"InhibitAnyPolicy", "inhibitAnyPolicy=critical,0\n", leaf_names, "OK", valid},
        ConstraintRow{"PolicyMappings", "certificatePolicies=1.2.3.4\npolicyMappings=critical,1.2.3.4:1.2.3.5\n",
                      leaf_names, "OK", valid},
        ConstraintRow{"UnknownCritical", "1.2.3.4=critical,DER:05:00\n", leaf_names, "error 34", undecided},
        ConstraintRow{"UnknownCriticalOfTheLeaf", "", std::string{leaf_names} + "1.2.3.4=critical,DER:05:00\n",
                      "error 34", undecided},
        ConstraintRow{"PermittedName", "nameConstraints=critical,permitted;DNS:contoso.example\n", leaf_names, "OK",
                      valid},
        ConstraintRow{"NameOfAnother", "nameConstraints=critical,permitted;DNS:fabrikam.example\n", leaf_names,
                      "error 47", invalid},
        ConstraintRow{"NameOfAnotherNotCritical", "nameConstraints=permitted;DNS:fabrikam.example\n", leaf_names,
                      "error 47", invalid},
        ConstraintRow{"ExcludedName", "nameConstraints=critical,excluded;DNS:edge1.CONTOSO.example\n", leaf_names,
                      "error 48", invalid},
        ConstraintRow{"EndsAlikeOnly", "nameConstraints=critical,permitted;DNS:toso.example\n", leaf_names, "error 47",
                      invalid},
        ConstraintRow{"BelowADot", "nameConstraints=critical,permitted;DNS:.contoso.example\n", leaf_names, "OK",
                      valid},
        ConstraintRow{"ItselfIsNotBelowADot", "nameConstraints=critical,permitted;DNS:.edge1.contoso.example\n",
                      leaf_names, "error 47", invalid},
        ConstraintRow{"CommonNameInPlaceOfADnsName", "nameConstraints=critical,permitted;DNS:fabrikam.example\n",
                      "extendedKeyUsage=serverAuth\n", "error 47", invalid},
        ConstraintRow{"PermittedDirectory", "nameConstraints=critical,permitted;dirName:dir\n[dir]\nO=Contoso\n",
                      leaf_names, "OK", valid},
        ConstraintRow{"AnotherDirectory", "nameConstraints=critical,permitted;dirName:dir\n[dir]\nO=Fabrikam\n",
                      leaf_names, "error 47", invalid},
        ConstraintRow{"ExcludedDirectory", "nameConstraints=critical,excluded;dirName:dir\n[dir]\nO=Contoso\n",
                      leaf_names, "error 48", invalid},
        ConstraintRow{"AddressesWhereThereAreNone", "nameConstraints=critical,excluded;IP:0.0.0.0/0.0.0.0\n",
                      leaf_names, "OK", valid},
        ConstraintRow{"AddressesWhereThereIsOne", "nameConstraints=critical,excluded;IP:0.0.0.0/0.0.0.0\n",
                      "subjectAltName=DNS:edge1.contoso.example,IP:192.0.2.1\n", "error 48", undecided},
        ConstraintRow{"KeyUsageOfTheLeafForListsOnly", "", std::string{leaf_names} + "keyUsage=critical,cRLSign\n",
                      "error 26", invalid},
        ConstraintRow{"KeyUsageOfTheLeafForSignatures", "",
                      std::string{leaf_names} + "keyUsage=critical,digitalSignature\n", "OK", valid}),
    [](const auto& row) { return std::string{row.param.name}; });

/// A root that changes its key signs the new one, under its own name, with the old one (RFC 4210, 4.4).
struct Rollover {
  const char* name;
  const char* extensions;
  bool by_identifiers;  ///< that it is not self-signed shows in its key identifiers
};
class RolloverTest : public testing::TestWithParam<Rollover> {};
TEST_P(RolloverTest, IsNoTrustAnchor) {
  const OpensslCli openssl;
  openssl.self_signed("old", "/CN=Root", test::ca_extensions);
  openssl.issued("new", "/CN=Root", "old", test::ca_extensions + std::string{GetParam().extensions});
  openssl.issued("leaf", "/CN=edge1.contoso.example", "new", leaf_names);
  const auto said = [&](const char* trusted) {
    return openssl.shell(
        fmt::format("openssl verify -no-CApath -no-CAstore -CAfile {} -untrusted new.crt leaf.crt; true", trusted));
  };
  // Without identifiers OpenSSL takes it for a root, whose signature it does not verify; by its signature it is none.
  EXPECT_EQ(said("new.crt").find("OK") == std::string::npos, GetParam().by_identifiers);
  EXPECT_EQ(said("old.crt").find("OK") != std::string::npos, GetParam().by_identifiers);

  Evidence evidence;
  Server server;
  server.name = "fe1.contoso.example";
  server.trusts = {"trusted"};
  evidence.site.servers = {server};
  crypto::SignatureVerifier verifier;
  sources::CertificatePool pool;
  const auto judged = [&](const std::vector<std::string>& files) {
    StoreSource source;
    source.name = "trusted";
    for (const std::string& file : files) source.paths.push_back((openssl.dir().path() / file).string());
    evidence.stores = {sources::read_local_store(source, StoreKind::mixed, pool).value()};
    const TrustView trust = trust_of(evidence, server);
    const CertificateRef leaf = certificate_of(pool, openssl, "leaf");
    return find_paths(leaf, {.trust = &trust, .sent = {}, .at = leaf->not_before}, test::verifying_oracle(verifier));
  };
  const PathSet alone = judged({"new.crt"});
  ASSERT_EQ(alone.paths.size(), 1U);
  EXPECT_TRUE(alone.paths.front().has(PathProblemKind::incomplete));
  EXPECT_EQ(evidence.stores.front().entries.front().anchor(), !GetParam().by_identifiers);
  const PathSet both = judged({"new.crt", "old.crt"});
  ASSERT_TRUE(both.any_valid());
  EXPECT_EQ(both.paths.front().certificates.size(), 3U);
}
INSTANTIATE_TEST_SUITE_P(Certificates, RolloverTest,
                         testing::Values(Rollover{"WithKeyIdentifier", "authorityKeyIdentifier=keyid:always\n", true},
                                         Rollover{"WithIssuerAndSerial", "authorityKeyIdentifier=issuer:always\n",
                                                  true},
                                         Rollover{"WithoutIdentifiers", "authorityKeyIdentifier=none\n", false}),
                         [](const auto& row) { return std::string{row.param.name}; });

}  // namespace
}  // namespace mrascheck

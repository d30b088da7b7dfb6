// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <thread>

#include "crypto/digest.hpp"
#include "sources/sources.hpp"
#include "stores/builders.hpp"
#include "support/openssl_cli.hpp"

namespace mrascheck::sources {

namespace fs = std::filesystem;
using test::OpensslCli;
using test::TempDir;

/// A root, an intermediate below it and a server below that, made once a process.
static const OpensslCli& pki() {
  static const OpensslCli openssl;
  static const bool once = [] {
    openssl.self_signed("root", "/CN=Root", test::ca_extensions);
    openssl.issued("sub", "/CN=Sub", "root", test::ca_extensions);
    openssl.issued("server", "/CN=Server", "sub", "subjectAltName=DNS:server.example\n");
    return true;
  }();
  EXPECT_TRUE(once);
  return openssl;
}
static std::string pem(const std::string& name) {
  return pki().dir().read(name + ".crt");
}

class LocalStoreTest : public testing::Test {
 protected:
  Result<StoreContents> read(std::vector<std::string> paths, StoreKind kind = StoreKind::intermediate,
                             std::optional<SecretSource> passphrase = std::nullopt) {
    StoreSource source;
    source.name = "fe1";
    source.paths = std::move(paths);
    source.passphrase = std::move(passphrase);
    return read_local_store(source, kind, pool_);
  }
  /// "Root root fe1.pem 0", with the directory left out of the place.
  std::vector<std::string> entries(const StoreContents& contents) const {
    std::vector<std::string> lines;
    for (const StoreEntry& entry : contents.entries) {
      lines.push_back(std::string{entry.certificate->subject.common_name()} + " " + std::string{to_string(entry.kind)} +
                      " " + shortened(entry.place.str()) + " " + std::to_string(entry.index));
    }
    return lines;
  }
  std::vector<std::string> complaints(const StoreContents& contents) const {
    std::vector<std::string> lines;
    for (const Unreadable& one : contents.unreadable) lines.push_back(shortened(one.place) + ": " + one.reason);
    return lines;
  }
  std::string shortened(const std::string& place) const {
    const std::string prefix = dir_.path().string() + "/";
    return place.starts_with(prefix) ? place.substr(prefix.size()) : place;
  }

  using Lines = std::vector<std::string>;
  const TempDir dir_;
  CertificatePool pool_;
};

TEST_F(LocalStoreTest, SaysWhatStandsWhere) {
  const auto contents = read({dir_.write("a.pem", pem("sub") + pem("root")), dir_.write("b.pem", pem("server"))});
  ASSERT_TRUE(contents);
  EXPECT_EQ(contents->store, "fe1");
  EXPECT_EQ(contents->source, (dir_ / "a.pem") + ", " + (dir_ / "b.pem"));
  EXPECT_EQ(entries(*contents),
            (Lines{"Sub intermediate a.pem 0", "Root intermediate a.pem 1", "Server intermediate b.pem 0"}));
  EXPECT_TRUE(contents->unreadable.empty());
}

TEST_F(LocalStoreTest, KeepsRevocationListsAsWhatTheyAre) {
  pki().shell(
      "touch index.txt; printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=index.txt\\ndefault_md=sha256\\n' > ca.cnf;"
      "openssl ca -config ca.cnf -gencrl -crldays 7 -keyfile root.key -cert root.crt -out l.pem;"
      "openssl crl -in l.pem -outform DER -out l.der");
  const std::string list = pki().dir().read("l.pem");
  const auto contents = read({dir_.write("a.pem", pem("root") + list), dir_.write("b.crl", pki().dir().read("l.der"))});
  ASSERT_TRUE(contents);
  EXPECT_TRUE(contents->unreadable.empty());
  EXPECT_EQ(entries(*contents), Lines{"Root intermediate a.pem 0"});
  ASSERT_EQ(contents->crls.size(), 2U);
  EXPECT_EQ(contents->crls[0].crl, contents->crls[1].crl) << "equal bytes are one value";
  EXPECT_EQ(contents->crls[0].crl->issuer.text(), "CN=Root");
  EXPECT_EQ(shortened(contents->crls[0].place), "a.pem");
  EXPECT_EQ(shortened(contents->crls[1].place), "b.crl");
}

TEST_F(LocalStoreTest, DecidesForAMixedStore) {
  const auto contents = read({dir_.write("a.pem", pem("sub") + pem("root"))}, StoreKind::mixed);
  ASSERT_TRUE(contents);
  EXPECT_EQ(entries(*contents), (Lines{"Sub intermediate a.pem 0", "Root root a.pem 1"}));
}

TEST_F(LocalStoreTest, TakesAnyOtherKindAsItIs) {
  const std::string path = dir_.write("a.pem", pem("sub"));
  for (const StoreKind kind : {StoreKind::root, StoreKind::ntauth, StoreKind::enrollment, StoreKind::intermediate}) {
    const auto contents = read({path}, kind);
    ASSERT_TRUE(contents);
    EXPECT_EQ(contents->entries.at(0).kind, kind);
  }
}

TEST_F(LocalStoreTest, PointsAtOneValueForEqualBytes) {
  const auto contents = read({dir_.write("a.pem", pem("sub")), dir_.write("b.pem", pem("sub") + pem("sub"))});
  ASSERT_TRUE(contents);
  ASSERT_EQ(contents->entries.size(), 3U);
  EXPECT_EQ(contents->entries[0].certificate.get(), contents->entries[2].certificate.get());
  EXPECT_EQ(contents->entries[1].certificate.get(), contents->entries[2].certificate.get());
}

TEST_F(LocalStoreTest, KeepsTheGoodHalf) {
  std::string broken = pem("server");
  broken.replace(80, 1, "*");
  const auto contents = read({dir_.write("a.pem", pem("sub") + broken + pem("root")), dir_ / "none.pem"});
  ASSERT_TRUE(contents);
  EXPECT_EQ(entries(*contents), (Lines{"Sub intermediate a.pem 0", "Root intermediate a.pem 1"}));
  ASSERT_EQ(contents->unreadable.size(), 1U);
  EXPECT_TRUE(complaints(*contents)[0].starts_with("a.pem: block 2: not base64: '*' in line "))
      << complaints(*contents)[0];
  EXPECT_EQ(contents->truncated, (dir_ / "none.pem") + ": No such file or directory")
      << "nobody knows what stands in it: that is no bad entry but a store not read to its end";
}

TEST_F(LocalStoreTest, SaysWhyACertificateCannotBeDecoded) {
  const ByteString der = pki().der("sub");
  std::string bad{as_text(der)};
  const std::size_t version = bad.find("\xa0\x03\x02\x01\x02");
  ASSERT_NE(version, std::string::npos);
  bad[version + 4] = '\x07';
  const auto contents = read({dir_.write("one.der", bad), dir_.write("two.der", std::string{as_text(der)} + bad)});
  ASSERT_TRUE(contents);
  EXPECT_EQ(entries(*contents), (Lines{"Sub intermediate two.der 0"}));
  ASSERT_EQ(contents->unreadable.size(), 2U);
  EXPECT_TRUE(complaints(*contents)[0].starts_with("one.der: version: neither 1, 2 nor 3 at byte "))
      << complaints(*contents)[0];
  EXPECT_TRUE(complaints(*contents)[1].starts_with("two.der: certificate 2 of the file: version: neither"));
}

TEST_F(LocalStoreTest, ReadsADirectoryByName) {
  dir_.write("c.der", pki().der("root"));
  dir_.write("a.pem", pem("sub"));
  dir_.write("b.crt", pem("server"));
  dir_.write(".hidden", pem("server"));
  dir_.write("notes.txt", "hello");
  fs::create_directory(dir_.path() / "below");
  const auto contents = read({dir_.path().string()}, StoreKind::mixed);
  ASSERT_TRUE(contents);
  EXPECT_EQ(entries(*contents),
            (Lines{"Sub intermediate a.pem 0", "Server intermediate b.crt 0", "Root root c.der 0"}));
  EXPECT_EQ(complaints(*contents), Lines{"notes.txt: neither PEM nor DER nor PKCS#7"});
  EXPECT_EQ(contents->remarks, Lines{dir_.path().string() + ": 1 directory in it left out, only files are read"});
}

TEST_F(LocalStoreTest, FollowsLinksButNotOpensslsHashes) {
  const TempDir elsewhere;
  dir_.write("root.pem", pem("root"));
  fs::create_symlink("root.pem", dir_.path() / "4a6481c9.0");
  fs::create_symlink(elsewhere.write("sub.pem", pem("sub")), dir_.path() / "sub.pem");
  fs::create_symlink("nowhere", dir_.path() / "zz.pem");
  const auto contents = read({dir_.path().string()});
  ASSERT_TRUE(contents);
  EXPECT_EQ(entries(*contents), (Lines{"Root intermediate root.pem 0", "Sub intermediate sub.pem 0"}));
  EXPECT_EQ(complaints(*contents), Lines{"zz.pem: No such file or directory"});
}

TEST_F(LocalStoreTest, ReadsWhatOpensslRehashMade) {
  dir_.write("root.pem", pem("root"));
  dir_.write("sub.pem", pem("sub"));
  pki().shell("openssl rehash " + dir_.path().string());
  const auto contents = read({dir_.path().string() + "/"});
  ASSERT_TRUE(contents);
  EXPECT_EQ(entries(*contents), (Lines{"Root intermediate root.pem 0", "Sub intermediate sub.pem 0"}));
}

// What Windows and directories export: tests/stores has the formats, this the decisions.

static std::string der_of(const std::string& name) {
  const ByteString bytes = pki().der(name);
  return std::string{as_text(bytes)};
}
static std::string key(const std::string& path, const std::string& name) {
  const ByteString bytes = pki().der(name);
  return path + "\\Certificates\\" + to_upper_hex(crypto::hasher().sha1(bytes));
}
static const std::string machine = R"(HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\)";

TEST_F(LocalStoreTest, TheRegistryDecidesWhatAMixedStoreLeavesOpen) {
  const std::string sub = test::certificate_element(der_of("sub"));
  const std::string root = test::certificate_element(der_of("root"));
  const std::string path = dir_.write(
      "fe1.reg",
      test::reg_utf16({{key(machine + "ROOT", "root"), root},
                       {key(machine + "CA", "root"), root},
                       {key(machine + "Disallowed", "sub"), sub},
                       {key(R"(HKEY_CURRENT_USER\Software\Microsoft\SystemCertificates\Root)", "root"), root}}));
  const auto mixed = read({path}, StoreKind::mixed);
  ASSERT_TRUE(mixed);
  EXPECT_EQ(entries(*mixed), (Lines{"Root root fe1.reg 0", "Root intermediate fe1.reg 1", "Sub disallowed fe1.reg 2",
                                    "Root intermediate fe1.reg 3"}));
  const auto root_only = read({path}, StoreKind::root);
  ASSERT_TRUE(root_only);
  EXPECT_EQ(entries(*root_only), entries(*mixed)) << "no root by the configuration alone";
  const auto issuers_only = read({path}, StoreKind::intermediate);
  ASSERT_TRUE(issuers_only);
  EXPECT_EQ(entries(*issuers_only), (Lines{"Root intermediate fe1.reg 0", "Root intermediate fe1.reg 1",
                                           "Sub disallowed fe1.reg 2", "Root intermediate fe1.reg 3"}));
  EXPECT_TRUE(mixed->faults.empty());
}

TEST_F(LocalStoreTest, EqualPropertiesAreSharedAndPlainEntriesHaveNone) {
  const std::string sub = test::certificate_element(der_of("sub"));
  const std::string root = test::certificate_element(der_of("root"));
  const auto contents =
      read({dir_.write("a.pol",
                       test::registry_pol({{key(machine + "CA", "root"), root}, {key(machine + "CA", "sub"), sub}})),
            dir_.write("b.sst", test::sst(root + sub))});
  ASSERT_TRUE(contents);
  ASSERT_EQ(contents->entries.size(), 4U);
  EXPECT_NE(contents->entries[0].properties, nullptr);
  EXPECT_EQ(contents->entries[0].properties, contents->entries[1].properties);
  EXPECT_EQ(contents->entries[2].properties, nullptr);
}

TEST_F(LocalStoreTest, SaysThatARegistryKeyIsNamedForAnother) {
  const std::string path =
      dir_.write("fe1.reg", test::reg_utf16({{key(machine + "CA", "root"), test::certificate_element(der_of("sub"))}}));
  const auto contents = read({path}, StoreKind::mixed);
  ASSERT_TRUE(contents);
  EXPECT_EQ(entries(*contents), Lines{"Sub intermediate fe1.reg 0"});
  ASSERT_EQ(contents->faults.size(), 1U);
  EXPECT_EQ(contents->faults[0].place, path);
  EXPECT_NE(contents->faults[0].reason.find("the registry key is named "), std::string::npos);
}

TEST_F(LocalStoreTest, AnLdifKeepsTheDnAsThePlace) {
  const std::string dn = "CN=Sub,CN=AIA,CN=Public Key Services,CN=Services,CN=Configuration,DC=contoso,DC=example";
  pki().shell("openssl x509 -in sub.crt -outform DER | base64 -w0 > sub.b64");
  const auto contents = read({dir_.write("ad.ldif", "dn: " + dn + "\ncACertificate:: " + pki().dir().read("sub.b64") +
                                                        "\ncACertificate:: MAA=\n")},
                             StoreKind::mixed);
  ASSERT_TRUE(contents);
  EXPECT_EQ(entries(*contents), Lines{"Sub intermediate " + dn + " 0"});
  ASSERT_EQ(contents->unreadable.size(), 1U);
  EXPECT_EQ(contents->unreadable[0].place, dn);
  EXPECT_TRUE(contents->unreadable[0].reason.starts_with("value 2: ")) << contents->unreadable[0].reason;
  EXPECT_EQ(contents->source, dir_ / "ad.ldif");
}

TEST_F(LocalStoreTest, WhatCertutilListsIsNotRead) {
  const auto contents =
      read({dir_.write("fe1.txt", "================ Certificate 0 ================\nSubject: CN=x\nCert Hash(sha1): " +
                                      std::string(40, 'a') + "\n"),
            dir_.write("fe1.pem", pem("sub"))});
  ASSERT_TRUE(contents);
  EXPECT_EQ(entries(*contents), Lines{"Sub intermediate fe1.pem 0"});
  EXPECT_TRUE(contents->truncated.starts_with((dir_ / "fe1.txt") + ": certutil's text names 1 certificate"))
      << contents->truncated;
  EXPECT_EQ(contents->remarks,
            Lines{(dir_ / "fe1.txt") + ": listed without its bytes: x, thumbprint " + std::string(40, 'A')});
}

TEST_F(LocalStoreTest, KeepsWhatOpensslIsToldOfACertificate) {
  const std::string text = pki().shell("openssl x509 -in root.crt -trustout -addreject serverAuth -setalias mine");
  const auto contents = read({dir_.write("a.pem", text)}, StoreKind::mixed);
  ASSERT_TRUE(contents);
  ASSERT_EQ(entries(*contents), Lines{"Root root a.pem 0"});
  ASSERT_TRUE(contents->entries[0].properties);
  EXPECT_EQ(contents->entries[0].properties->friendly_name, "mine");
  EXPECT_TRUE(contents->entries[0].properties->forbids(server_auth_oid));
  EXPECT_FALSE(contents->entries[0].properties->forbids(client_auth_oid));
}

TEST_F(LocalStoreTest, ReadsAPkcs12WithItsPassphrase) {
  pki().shell(
      "cat sub.crt root.crt > rest.crt; for old in '' '-legacy -certpbe PBE-SHA1-RC2-40'; do openssl pkcs12 -export "
      "-in "
      "server.crt -inkey server.key -certfile rest.crt -name 'the server' -passout pass:geheim $old -out f${#old}.p12; "
      "done; openssl pkcs12 -export -nokeys -in root.crt -passout pass: -out open.p12");
  const std::string modern = dir_.write("new.pfx", pki().dir().read("f0.p12"));
  const std::string old = dir_.write("old.pfx", pki().dir().read("f32.p12"));
  const std::string open = dir_.write("open.pfx", pki().dir().read("open.p12"));
  const SecretSource right{SecretSource::Kind::file, dir_.write("passphrase", "geheim\n")};
  const SecretSource wrong{SecretSource::Kind::file, dir_.write("wrong", "falsch\n")};

  const auto contents = read({modern, old}, StoreKind::mixed, right);
  ASSERT_TRUE(contents);
  EXPECT_EQ(contents->truncated, "");
  EXPECT_EQ(complaints(*contents), Lines{});
  const std::vector<std::string> all = entries(*contents);
  ASSERT_EQ(all.size(), 6U);
  for (const char* const one : {"Root root new.pfx", "Sub intermediate new.pfx", "Server intermediate new.pfx"}) {
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const std::string& line) { return line.starts_with(one); }))
        << one;
  }
  EXPECT_TRUE(std::any_of(contents->entries.begin(), contents->entries.end(), [](const StoreEntry& entry) {
    return entry.properties && entry.properties->friendly_name == "the server";
  }));
  EXPECT_EQ(contents->remarks, Lines{old + ": old encryption RC2-40, which hardly protects its private key: export it "
                                           "again with AES"});

  const auto locked = read({modern, open}, StoreKind::mixed);
  ASSERT_TRUE(locked);
  EXPECT_EQ(entries(*locked), Lines{"Root root open.pfx 0"}) << "the empty passphrase is tried unasked";
  EXPECT_EQ(locked->truncated, modern + ": a PKCS#12 file: encrypted, and no passphrase is configured");

  const auto refused = read({modern}, StoreKind::mixed, wrong);
  ASSERT_TRUE(refused);
  EXPECT_TRUE(refused->entries.empty());
  EXPECT_EQ(complaints(*refused), Lines{});
  EXPECT_EQ(refused->truncated, modern + ": a PKCS#12 file: wrong passphrase");

  const SecretSource none{SecretSource::Kind::file, dir_ / "none"};
  const auto unread = read({modern}, StoreKind::mixed, none);
  ASSERT_TRUE(unread);
  EXPECT_TRUE(unread->truncated.starts_with(modern + ": passphrase: ")) << unread->truncated;
}

/// A directory as openssl rehash leaves it, of two roots of one name and one of another; the names it made.
class HashedDirectoryTest : public LocalStoreTest {
 protected:
  HashedDirectoryTest() {
    const OpensslCli& openssl = pki();
    openssl.self_signed("twin", "/CN=Root", test::ca_extensions);
    dir_.write("root.pem", pem("root"));
    dir_.write("sub.pem", pem("sub"));
    dir_.write("twin.pem", openssl.dir().read("twin.crt"));
    openssl.shell("openssl rehash " + dir_.path().string());
    root_ = hash("-subject_hash", "root");
    sub_ = hash("-subject_hash", "sub");
  }
  static std::string hash(const std::string& option, const std::string& name) {
    return pki().shell("openssl x509 -noout " + option + " -in " + name + ".crt").substr(0, 8);
  }
  void rename(const std::string& from, const std::string& to) const {
    fs::rename(dir_.path() / from, dir_.path() / to);
  }
  Lines faults(const StoreContents& contents) const {
    Lines lines;
    for (const Unreadable& one : contents.faults) {
      EXPECT_EQ(one.place, dir_.path().string());
      lines.push_back(one.reason);
    }
    return lines;
  }
  std::string root_;
  std::string sub_;
};

TEST_F(HashedDirectoryTest, AsOpensslMadeItIsWell) {
  const auto contents = read({dir_.path().string()});
  ASSERT_TRUE(contents);
  EXPECT_EQ(contents->entries.size(), 3U);
  EXPECT_EQ(faults(*contents), Lines{});
  EXPECT_EQ(complaints(*contents), Lines{});
}

TEST_F(HashedDirectoryTest, ANumberMissingHidesWhatIsBehindIt) {
  rename(root_ + ".1", root_ + ".2");
  const auto contents = read({dir_.path().string()});
  ASSERT_TRUE(contents);
  EXPECT_EQ(contents->entries.size(), 3U) << "read all the same";
  EXPECT_EQ(faults(*contents),
            Lines{"OpenSSL never gets to " + root_ + ".2, since it stops at " + root_ + ".1, which is not there"});
}

TEST_F(HashedDirectoryTest, ALinkToNothingIsOne) {
  fs::remove(dir_.path() / (root_ + ".0"));
  fs::create_symlink("gone.pem", dir_.path() / (root_ + ".0"));
  const auto contents = read({dir_.path().string()});
  ASSERT_TRUE(contents);
  EXPECT_EQ(faults(*contents),
            (Lines{root_ + ".0: a link to nothing",
                   "OpenSSL never gets to " + root_ + ".1, since it stops at " + root_ + ".0, which is not there"}));
  EXPECT_EQ(complaints(*contents), Lines{}) << "said once";
}

TEST_F(HashedDirectoryTest, ANameOfAnotherCertificateIsOne) {
  rename(sub_ + ".0", "00000000.0");
  dir_.write(hash("-subject_hash_old", "server") + ".0", pem("server"));
  const auto contents = read({dir_.path().string()});
  ASSERT_TRUE(contents);
  EXPECT_EQ(contents->entries.size(), 4U);
  Lines all = faults(*contents);
  std::sort(all.begin(), all.end());
  Lines expected{"00000000.0: holds Sub, whose hash is " + sub_ + ": OpenSSL does not find it by this name",
                 hash("-subject_hash_old", "server") + ".0: holds Server, whose hash is " +
                     hash("-subject_hash", "server") +
                     ", and this one was that of OpenSSL before 1.0: OpenSSL does not find it by this name"};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(all, expected);
}

TEST_F(HashedDirectoryTest, RevocationListsAreReadAsWell) {
  dir_.write(root_ + ".r0", "a list");
  const auto contents = read({dir_.path().string()});
  ASSERT_TRUE(contents);
  EXPECT_EQ(complaints(*contents), Lines{root_ + ".r0: neither PEM nor DER nor PKCS#7"});
  EXPECT_EQ(faults(*contents), Lines{});
}

namespace {

struct HeadingCase {
  const char* name;
  const char* heading;
  const char* behind;
};

class ExportedAgain : public LocalStoreTest, public testing::WithParamInterface<HeadingCase> {};

}  // namespace

TEST_P(ExportedAgain, ReadsAsIfItWereTheFirst) {
  std::string blocks;
  for (int i = 0; i < 4; ++i) blocks += pem("sub") + pem("root") + pem("server");
  const std::string first = dir_.write("first.pem", "exported from fe1\n" + blocks);
  const std::string again = dir_.write("again.pem", GetParam().heading + blocks + GetParam().behind);
  ASSERT_TRUE(read({first}, StoreKind::mixed));
  const auto after = read({again}, StoreKind::mixed);
  StoreSource source;
  source.name = "fe1";
  source.paths = {again};
  CertificatePool fresh;
  const auto alone = read_local_store(source, StoreKind::mixed, fresh);
  ASSERT_TRUE(after && alone);
  EXPECT_EQ(entries(*after), entries(*alone));
  EXPECT_EQ(complaints(*after), complaints(*alone));
  EXPECT_GE(after->entries.size(), 11U);
}

INSTANTIATE_TEST_SUITE_P(Headings, ExportedAgain,
                         testing::Values(HeadingCase{"None", "", ""},
                                         HeadingCase{"AnotherHost", "exported from fe2\r\n\r\n", ""},
                                         HeadingCase{"AStrayEnd", "-----END CERTIFICATE-----\n", ""},
                                         HeadingCase{"ABlankAbove", "fe2\n  ", ""},
                                         HeadingCase{"TextInTheSameLine", "fe2\n: ", ""},
                                         HeadingCase{"AByteOrderMark", "\xef\xbb\xbf", ""},
                                         HeadingCase{"SomethingBehind", "", "-----BEGIN CERTIFICATE-----\n"}),
                         [](const auto& row) { return row.param.name; });

TEST_F(LocalStoreTest, SaysThatADirectoryIsEmpty) {
  const auto contents = read({dir_.path().string()});
  ASSERT_TRUE(contents);
  EXPECT_TRUE(contents->entries.empty());
  EXPECT_EQ(complaints(*contents), Lines{dir_.path().string() + ": no certificate in this directory"});
}

TEST_F(LocalStoreTest, SaysThatAFileIsEmpty) {
  const auto contents = read({dir_.write("a.pem", "")});
  ASSERT_TRUE(contents);
  EXPECT_EQ(complaints(*contents), Lines{"a.pem: empty file"});
}

TEST_F(LocalStoreTest, IsNotReadToItsEndWithAFileThatCannotBeRead) {
  dir_.write("a.pem", pem("root"));
  fs::create_symlink(dir_.path() / "loop.pem", dir_.path() / "loop.pem");  // fails for root as well
  const auto contents = read({dir_.path().string()});
  ASSERT_TRUE(contents);
  EXPECT_EQ(entries(*contents), Lines{"Root intermediate a.pem 0"});
  EXPECT_TRUE(contents->unreadable.empty());
  EXPECT_EQ(contents->truncated, (dir_ / "loop.pem") + ": Too many levels of symbolic links");
}

TEST_F(LocalStoreTest, FailsWhenNothingCanBeOpened) {
  const auto one = read({dir_ / "none.pem"});
  ASSERT_FALSE(one);
  EXPECT_EQ(one.error(), (Error{ErrorKind::local, (dir_ / "none.pem") + ": No such file or directory"}));
  const auto two = read({dir_ / "none.pem", dir_ / "neither.pem"});
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().text, (dir_ / "none.pem") + ": No such file or directory (and 1 more)");
}

TEST(CertificatePoolTest, DecodesOnceFromAnyThread) {
  const ByteString root = pki().der("root");
  const ByteString sub = pki().der("sub");
  CertificatePool pool;
  std::vector<std::vector<CertificateRef>> seen(4);
  {
    std::vector<std::jthread> threads;
    threads.reserve(seen.size());
    for (std::vector<CertificateRef>& mine : seen) {
      threads.emplace_back([&] {
        for (int i = 0; i < 200; ++i) mine.push_back(pool.intern(i % 2 == 0 ? root : sub).value());
      });
    }
  }
  std::set<const Certificate*> values;
  for (const auto& mine : seen) {
    for (const CertificateRef& one : mine) values.insert(one.get());
  }
  EXPECT_EQ(values.size(), 2U);
}

TEST(CertificatePoolTest, RefusesWhatIsNoCertificate) {
  CertificatePool pool;
  const Result<CertificateRef> none = pool.intern(as_bytes("hello"));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error(), (Error{ErrorKind::malformed, "not a SEQUENCE at byte 0"}));
  EXPECT_EQ(pool.intern(ByteString(300'000)).error().text, "larger than 256 KiB");
}

}  // namespace mrascheck::sources

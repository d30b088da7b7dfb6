// SPDX-License-Identifier: Apache-2.0
#include "x509/scan.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/d2i_agreement.hpp"
#include "support/openssl_cli.hpp"
#include "x509/certificate_reader.hpp"

namespace mrascheck::x509 {

using test::OpensslCli;
using namespace std::string_literals;

/// Three certificates and their keys, and what openssl(1) and certtool(1) make of them, each in one directory a
/// process.
static const OpensslCli& files() {
  static const OpensslCli openssl;
  static const bool once = [] {
    for (const char* name : {"a", "b", "c"}) openssl.self_signed(name, "/CN="s + name, test::ca_extensions);
    for (const char* name : {"a", "b", "c"}) openssl.der(name);
    openssl.shell("cat a.crt b.crt c.crt > all.crt; cat a.der b.der c.der > all.der");
    openssl.shell("openssl crl2pkcs7 -nocrl -certfile all.crt -out all.p7b");
    openssl.shell("openssl crl2pkcs7 -nocrl -certfile all.crt -outform DER -out all.p7.der");
    openssl.shell(
        "touch index.txt; printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=index.txt\\ndefault_md=sha256\\n' > ca.cnf;"
        "openssl ca -config ca.cnf -gencrl -crldays 7 -keyfile a.key -cert a.crt -out l.pem;"
        "openssl crl -in l.pem -outform DER -out l.der");
    openssl.shell("openssl crl2pkcs7 -in l.pem -certfile all.crt -out l.p7b; openssl crl2pkcs7 -in l.pem -out lo.p7b");
    return true;
  }();
  EXPECT_TRUE(once);
  return openssl;
}

static std::string file(const std::string& name) {
  return files().dir().read(name);
}

static Scan scan(const std::string& content) {
  return scan_certificates(as_bytes(content));
}

/// The common names found, in their order: "abc".
static std::string found(const Scan& scan) {
  std::string names;
  for (const FoundCertificate& one : scan.certificates) {
    const Result<Certificate> certificate = read_certificate(one.der, test::plain_hasher);
    names += certificate ? certificate->subject.common_name() : "!";
  }
  return names;
}

static std::vector<std::string> reasons(const Scan& scan) {
  std::vector<std::string> all;
  for (const Unreadable& one : scan.unreadable) {
    EXPECT_EQ(one.place, "");
    all.push_back(one.reason);
  }
  return all;
}

static std::vector<std::string> places(const Scan& scan) {
  std::vector<std::string> all;
  for (const FoundCertificate& one : scan.certificates) all.push_back(one.where);
  return all;
}

static std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

static std::string utf16(const std::string& text, bool big_endian) {
  std::string wide = big_endian ? "\xfe\xff" : "\xff\xfe";
  for (const char c : text) wide += big_endian ? std::string{'\0', c} : std::string{c, '\0'};
  return wide;
}

struct Whole {
  const char* name;
  std::string (*content)();
  const char* found;
};
class WholeTest : public testing::TestWithParam<Whole> {};
TEST_P(WholeTest, IsReadWithoutComplaint) {
  const Scan result = scan(GetParam().content());
  std::string names = found(result);
  // A PKCS#7 has a SET of certificates, whose order is that of their bytes.
  if (std::string_view{GetParam().name}.starts_with("Pkcs7")) std::sort(names.begin(), names.end());
  EXPECT_EQ(names, GetParam().found);
  EXPECT_TRUE(reasons(result).empty()) << reasons(result).front();
}
INSTANTIATE_TEST_SUITE_P(
    Forms, WholeTest,
    testing::Values(
        Whole{"Pem", [] { return file("a.crt"); }, "a"}, Whole{"PemBundle", [] { return file("all.crt"); }, "abc"},
        Whole{
            "PemWithText",
            [] { return files().shell("for f in a b c; do openssl x509 -in $f.crt -text; echo; done") + "the end\n"; },
            "abc"},
        Whole{"PemCrLf", [] { return replaced(file("all.crt"), "\n", "\r\n"); }, "abc"},
        Whole{"PemCrOnly", [] { return replaced(file("all.crt"), "\n", "\r"); }, "abc"},
        Whole{"PemIndented", [] { return replaced("\n" + file("all.crt"), "\n", "\n    "); }, "abc"},
        Whole{"PemUtf8Mark", [] { return "\xef\xbb\xbf" + file("all.crt"); }, "abc"},
        Whole{"PemUtf16LittleEndian", [] { return utf16(file("all.crt"), false); }, "abc"},
        Whole{"PemUtf16BigEndian", [] { return utf16("Gr\xfc\xdf e\r\n" + file("all.crt"), true); }, "abc"},
        Whole{"PemWithoutLastNewline",
              [] {
                const std::string text = file("all.crt");
                return text.substr(0, text.size() - 1);
              },
              "abc"},
        Whole{"PemX509Label", [] { return replaced(file("all.crt"), " CERTIFICATE", " X509 CERTIFICATE"); }, "abc"},
        Whole{"PemTrusted",
              [] {
                return files().shell(
                    "openssl x509 -in a.crt -trustout -addtrust serverAuth -setalias x; openssl x509 -in b.crt "
                    "-trustout");
              },
              "ab"},
        Whole{"PemKeyBeside", [] { return file("a.key") + file("a.crt"); }, "a"},
        Whole{"PemPutTogetherWithoutALineBreak",
              [] { return replaced(file("all.crt"), "-----\n-----BEGIN", "----------BEGIN"); }, "abc"},
        Whole{"PemOnOneLine",
              [] {
                const std::string body = replaced(file("a.crt"), "\n", "");
                return replaced(replaced(body, "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n"),
                                "-----END", "\n-----END");
              },
              "a"},
        Whole{"BareBase64",
              [] {
                return replaced(replaced(file("a.crt"), "-----BEGIN CERTIFICATE-----", ""), "-----END CERTIFICATE-----",
                                "");
              },
              "a"},
        Whole{"Der", [] { return file("a.der"); }, "a"},
        Whole{"DerConcatenated", [] { return file("all.der"); }, "abc"},
        Whole{"DerWithNewlineBehind", [] { return file("a.der") + "\r\n"; }, "a"},
        Whole{"Pkcs7Pem", [] { return file("all.p7b"); }, "abc"},
        Whole{"Pkcs7Der", [] { return file("all.p7.der"); }, "abc"},
        Whole{"Pkcs7CalledCertificate", [] { return replaced(file("all.p7b"), " PKCS7", " CERTIFICATE"); }, "abc"},
        Whole{"Pkcs7CalledCms", [] { return replaced(file("all.p7b"), " PKCS7", " CMS"); }, "abc"},
        Whole{"CertificateCalledPkcs7", [] { return replaced(file("a.crt"), " CERTIFICATE", " PKCS7"); }, "a"},
        Whole{"Pkcs7OfCerttoolPem",
              [] {
                return files().shell(
                    "certtool --p7-generate --load-certificate all.crt --load-privkey a.key --p7-include-cert "
                    "--p7-detached-sign --infile a.key");
              },
              "abc"},
        Whole{"Pkcs7SignedByOpenssl",
              [] {
                return files().shell(
                    "openssl cms -sign -in all.crt -signer a.crt -inkey a.key -certfile b.crt -outform PEM");
              },
              "ab"},
        Whole{
            "Pkcs7WithIndefiniteLengths",
            [] {
              files().shell(
                  "openssl cms -sign -stream -nodetach -in all.crt -signer a.crt -inkey a.key -outform DER -out s.der");
              return file("s.der");
            },
            "a"}),
    [](const auto& row) { return row.param.name; });

TEST(Trusted, SaysWhatOpensslIsToldOfIt) {
  const Scan result = scan(files().shell(
      "openssl x509 -in a.crt -trustout -addtrust serverAuth -addreject emailProtection -setalias 'the root'; openssl "
      "x509 -in b.crt -trustout -addreject serverAuth; openssl x509 -in c.crt"));
  ASSERT_EQ(found(result), "abc");
  ASSERT_TRUE(result.certificates[0].trust);
  EXPECT_EQ(result.certificates[0].trust->purposes, (std::vector<std::string>{server_auth_oid}));
  EXPECT_EQ(result.certificates[0].trust->rejected, (std::vector<std::string>{"1.3.6.1.5.5.7.3.4"}));
  EXPECT_EQ(result.certificates[0].trust->alias, "the root");
  ASSERT_TRUE(result.certificates[1].trust);
  EXPECT_EQ(result.certificates[1].trust->purposes, std::nullopt);
  EXPECT_EQ(result.certificates[1].trust->rejected, (std::vector<std::string>{server_auth_oid}));
  EXPECT_EQ(result.certificates[2].trust, nullptr);
}

struct Bad {
  const char* name;
  std::string (*content)();
  const char* found;
  std::vector<std::string> says;
};
class BadTest : public testing::TestWithParam<Bad> {};
TEST_P(BadTest, KeepsTheGoodAndNamesTheRest) {
  const Scan result = scan(GetParam().content());
  EXPECT_EQ(found(result), GetParam().found);
  EXPECT_EQ(reasons(result), GetParam().says);
}

/// all.crt with something done to the base64 of its second certificate.
static std::string with_second(std::string (*change)(std::string)) {
  std::string text = file("all.crt");
  const std::size_t begin = text.find("-----BEGIN", 1) + 28;
  const std::size_t end = text.find("-----END", begin);
  return text.substr(0, begin) + change(text.substr(begin, end - begin)) + text.substr(end);
}

INSTANTIATE_TEST_SUITE_P(
    Pem, BadTest,
    testing::Values(
        Bad{"BadCharacter",
            [] {
              return with_second([](std::string body) {
                body[70] = '*';  // in its second line
                return body;
              });
            },
            "ac",
            {"block 2: not base64: '*' in line 13"}},
        Bad{"Empty", [] { return with_second([](std::string) { return ""s; }); }, "ac", {"block 2: empty"}},
        Bad{"BrokenOff",
            [] { return with_second([](std::string body) { return body.substr(0, 131) + "\n"; }); },
            "ac",
            {"block 2: not base64: it breaks off in line 14"}},
        Bad{"NotDer",
            [] { return with_second([](std::string) { return "aGVsbG8=\n"s; }); },
            "ac",
            {"block 2: not DER"}},
        Bad{"WithoutEnd",
            [] {
              std::string text = file("all.crt");
              const std::size_t end = text.find("-----END", text.find("-----END") + 1);
              return text.erase(end, text.find('\n', end) + 1 - end);
            },
            "ac",
            {"block 2: truncated: no END line for the BEGIN CERTIFICATE in line 11"}},
        Bad{"OtherEnd",
            [] {
              std::string text = file("a.crt");
              return replaced(text, "END CERTIFICATE", "END PKCS7") + file("b.crt");
            },
            "b",
            {"block 1: the BEGIN CERTIFICATE in line 1 has an END line of another kind"}},
        Bad{"BeginWithoutDashes",
            [] { return "-----BEGIN CERTIFICATE\nMII\n" + file("b.crt"); },
            "b",
            {"block 1: its BEGIN line in line 1 lacks the dashes at its end"}},
        Bad{"MisspeltLabel",
            [] { return replaced(file("a.crt"), " CERTIFICATE", " CERTIFICAT") + file("b.crt"); },
            "b",
            {"block 1: a PEM block called CERTIFICAT, which is no label of a certificate: not read; did "
             "you mean CERTIFICATE?"}},
        Bad{"LabelOfItsOwn",
            [] { return replaced(file("a.crt"), " CERTIFICATE", " MY ROOT") + file("b.crt"); },
            "b",
            {"block 1: a PEM block called MY ROOT, which is no label of a certificate: not read"}},
        Bad{"DashMissingInBegin",
            [] { return file("a.crt") + file("b.crt").substr(1) + file("c.crt"); },
            "ac",
            {"line 20: an END line without its BEGIN line"}},
        Bad{"DashMissingInTheLast",
            [] { return file("a.crt") + file("b.crt").substr(1); },
            "a",
            {"line 20: an END line without its BEGIN line"}},
        Bad{"TrustThatCannotBeRead",
            [] {
              files().shell(
                  "{ openssl x509 -in a.crt -outform DER; printf '\\060\\003\\002\\001\\001'; } | base64 > t.b64");
              return "-----BEGIN TRUSTED CERTIFICATE-----\n" + file("t.b64") + "-----END TRUSTED CERTIFICATE-----\n";
            },
            "a",
            {"block 1: what it is trusted for cannot be read; the certificate itself can"}},
        Bad{"KeyOnly", [] { return file("a.key"); }, "", {"no certificate in it, only a private key"}},
        Bad{"RequestOnly",
            [] { return files().shell("openssl req -new -key a.key -subj /CN=x -config a.cnf"); },
            "",
            {"no certificate in it, only a certificate request: it has not been issued yet"}},
        Bad{"ParametersOnly",
            [] { return files().shell("openssl ecparam -name prime256v1"); },
            "",
            {"no certificate in it, only a PEM block called EC PARAMETERS"}},
        Bad{"KeyCalledCertificate",
            [] { return replaced(file("a.key"), "PRIVATE KEY", "CERTIFICATE"); },
            "",
            {"block 1: a private key, not a certificate"}}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Others, BadTest,
    testing::Values(
        Bad{"Empty", [] { return ""s; }, "", {"empty file"}},
        Bad{"Blank", [] { return " \r\n\n"s; }, "", {"empty file"}},
        Bad{"Text", [] { return "hello\n"s; }, "", {"neither PEM nor DER nor PKCS#7"}},
        Bad{"Html",
            [] { return "\r\n<!DOCTYPE html><html>"s; },
            "",
            {"an HTML page: what was saved is not the file but a page about it"}},
        Bad{"Pkcs12",
            [] {
              files().shell("openssl pkcs12 -export -in a.crt -inkey a.key -passout pass:x -out a.p12");
              return file("a.p12");
            },
            "",
            {"a PKCS#12 file: export the certificates as PEM or PKCS#7"}},
        Bad{"SerializedStore",
            [] { return "\0\0\0\0CERT\0"s; },
            "",
            {"a Microsoft serialized store (.sst): export the certificates as PKCS#7 (.p7b)"}},
        Bad{"RegistryExport",
            [] { return utf16("Windows Registry Editor Version 5.00\r\n", false); },
            "",
            {"a registry export (.reg): export the certificates as PKCS#7 (.p7b)"}},
        Bad{"KeyStore",
            [] { return "\xfe\xed\xfe\xed\0\0\0\2"s; },
            "",
            {"a Java key store: export the certificates with keytool -exportcert -rfc"}},
        Bad{"PrivateKeyDer",
            [] {
              files().shell("openssl pkey -in a.key -outform DER -out k.der");
              return file("k.der");
            },
            "",
            {"a private key, not a certificate"}},
        Bad{"PublicKeyDer",
            [] {
              files().shell("openssl genrsa -out r.key 2048; openssl rsa -in r.key -pubout -outform DER -out p.der");
              return file("p.der");
            },
            "",
            {"a bare public key, not a certificate"}},
        Bad{"RequestDer",
            [] {
              files().shell("openssl req -new -key a.key -subj /CN=x -config a.cnf -outform DER -out r.der");
              return file("r.der");
            },
            "",
            {"a certificate request, not a certificate: it has not been issued yet"}},
        Bad{"RevocationListThatIsNone",
            [] { return "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"s; },
            "",
            {"block 1: DER, but not a certificate"}},
        Bad{"EncryptedDataPkcs7",
            [] {
              files().shell("openssl cms -encrypt -in a.crt -aes256 -outform DER -out e.der a.crt");
              return file("e.der");
            },
            "",
            {"a PKCS#7 of another kind than signed data: export the certificates as PEM or PKCS#7"}},
        Bad{"Pkcs7WithoutCertificates",
            [] {
              files().shell(
                  "openssl cms -sign -nocerts -in all.crt -signer a.crt -inkey a.key -outform DER -out n.der");
              return file("n.der");
            },
            "",
            {"a PKCS#7 without any certificate"}}),
    [](const auto& row) { return row.param.name; });

struct List {
  const char* name;
  std::string (*content)();
  const char* certificates;
  std::vector<std::string> places;
};
class ListTest : public testing::TestWithParam<List> {};
TEST_P(ListTest, IsTakenForARevocationList) {
  const Scan result = scan(GetParam().content());
  EXPECT_EQ(found(result).size(), std::string_view{GetParam().certificates}.size());
  EXPECT_TRUE(reasons(result).empty()) << reasons(result).front();
  std::vector<std::string> places;
  for (const FoundCrl& crl : result.crls) {
    EXPECT_EQ(as_text(crl.der), file("l.der"));
    places.push_back(crl.where);
  }
  EXPECT_EQ(places, GetParam().places);
}
INSTANTIATE_TEST_SUITE_P(
    Forms, ListTest,
    testing::Values(List{"Der", [] { return file("l.der"); }, "", {""}},
                    List{"Pem", [] { return file("l.pem"); }, "", {"block 1"}},
                    List{"BesideCertificates", [] { return file("all.crt") + file("l.pem"); }, "abc", {"block 4"}},
                    List{"BehindACertificateInDer",
                         [] { return file("a.der") + file("l.der"); },
                         "a",
                         {"certificate 2 of the file"}},
                    List{"Pkcs7", [] { return file("l.p7b"); }, "abc", {"block 1, revocation list 1 of the PKCS#7"}},
                    List{"Pkcs7WithoutCertificates",
                         [] { return file("lo.p7b"); },
                         "",
                         {"block 1, revocation list 1 of the PKCS#7"}}),
    [](const auto& row) { return row.param.name; });

TEST(ScanTest, SaysWhereEachCertificateStood) {
  EXPECT_EQ(places(scan(file("a.crt"))), std::vector<std::string>{"block 1"});
  EXPECT_EQ(places(scan(file("a.key") + file("a.crt"))), std::vector<std::string>{"block 2"});
  EXPECT_EQ(places(scan(file("a.der"))), std::vector<std::string>{""});
  EXPECT_EQ(places(scan(file("all.der"))),
            (std::vector<std::string>{"certificate 1 of the file", "certificate 2 of the file",
                                      "certificate 3 of the file"}));
  EXPECT_EQ(places(scan(file("all.p7.der")))[1], "certificate 2 of the PKCS#7");
  EXPECT_EQ(places(scan(file("all.p7b")))[1], "block 1, certificate 2 of the PKCS#7");
}

TEST(ScanTest, SaysWhatStandsBehindGoodDer) {
  const std::string good = file("a.der") + file("b.der");
  const Scan result = scan(good + "garbage");
  EXPECT_EQ(found(result), "ab");
  EXPECT_EQ(reasons(result),
            std::vector<std::string>{fmt::format("7 bytes at its end that are not DER, from byte {} on", good.size())});
}

TEST(ScanTest, SaysThatThereWasAKeyAndKeepsNothingOfIt) {
  EXPECT_TRUE(scan(file("a.key") + file("a.crt")).private_keys);
  EXPECT_FALSE(scan(file("all.crt")).private_keys);
  const std::string half_a_key = file("a.key").substr(0, 100);
  const Scan result = scan(half_a_key);
  EXPECT_TRUE(result.private_keys);
  EXPECT_EQ(reasons(result),
            std::vector<std::string>{"block 1: truncated: no END line for the BEGIN PRIVATE KEY in line 1"});
}

TEST(ScanTest, SurvivesEveryTruncation) {
  for (const char* name : {"all.crt", "all.der", "all.p7b", "all.p7.der"}) {
    const std::string whole = file(name);
    std::size_t last = 0;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string cut(whole, 0, size);
      const Scan result = scan(std::string(cut.data(), cut.size()));
      // Between two certificates of a PEM or DER bundle a cut leaves a good file.
      const bool between = !result.certificates.empty() && result.unreadable.empty();
      EXPECT_EQ(result.unreadable.size(), between ? 0U : 1U) << name << " cut at " << size;
      EXPECT_GE(result.certificates.size(), last) << name << " cut at " << size;
      last = result.certificates.size();
      EXPECT_EQ(found(result).find('!'), std::string::npos);
    }
  }
}

/// One byte is another: in files of certificates side by side, at most the certificate that it stands in is lost.
TEST(ScanTest, AFlippedByteLosesNoNeighbour) {
  files().shell("for f in a b c; do openssl x509 -in $f.crt -trustout -addreject emailProtection; done > trusted.crt");
  for (const char* name : {"all.crt", "trusted.crt", "all.der", "all.p7.der", "all.p7b"}) {
    const std::string whole = file(name);
    const bool one_structure = std::string_view{name}.find("p7") != std::string_view::npos;
    std::mt19937 random(20261123);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same flips every time
    for (int round = 0; round < 1'000; ++round) {
      std::string damaged = whole;
      const std::size_t at = random() % damaged.size();
      const auto flipped = static_cast<std::uint8_t>(random() % 255 + 1);
      damaged[at] = static_cast<char>(static_cast<std::uint8_t>(damaged[at]) ^ flipped);
      const Scan result = scan(damaged);
      const std::string names = found(result);
      const auto good = static_cast<std::size_t>((names.find('a') != names.npos) + (names.find('b') != names.npos) +
                                                 (names.find('c') != names.npos));
      // The line break between two PEM blocks belongs to both, and the length of a DER says where its neighbour begins.
      const bool in_length = std::string_view{name} == "all.der" && (at < 4 || at - file("a.der").size() < 4 ||
                                                                     at - (whole.size() - file("c.der").size()) < 4);
      const std::size_t least = one_structure || in_length ? 0 : whole[at] == '\n' ? 1 : 2;
      EXPECT_GE(good, least) << name << ", byte " << at << " xor " << int{flipped} << ": " << names;
      EXPECT_TRUE(!names.empty() || !result.unreadable.empty()) << name << ", byte " << at;
      EXPECT_FALSE(good < 2 && names.find('!') == names.npos && result.unreadable.empty()) << name << ", byte " << at;
    }
  }
}

TEST(ScanTest, CutsTheComplaintsOfAHopelessFile) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n";
  const Scan result = scan(text);
  ASSERT_EQ(result.unreadable.size(), 1000U);
  EXPECT_EQ(result.unreadable.back().reason, "and 4001 more bad blocks");
}

TEST(ScanTest, StopsAtTheMostCertificates) {
  const std::string one = "0\x80\0\0"s;  // not a certificate
  EXPECT_EQ(found(scan(one)), "");
  // The smallest thing that is taken for a certificate: SEQUENCE { SEQUENCE { [0] {} } }
  const std::string small = "0\x81\x04\x30\x02\xa0\x00"s;
  std::string many;
  for (std::size_t i = 0; i < 200'001; ++i) many += small;
  const Scan result = scan(many);
  EXPECT_EQ(result.certificates.size(), 200'000U);
  EXPECT_EQ(reasons(result), std::vector<std::string>{"more than 200000 certificates: the rest is left out"});
}

/// Time grows with the size, not with its square: a megabyte of the worst cases in well under a second.
TEST(ScanTest, IsLinear) {
  for (const std::string& piece :
       {"\x30\x82\x01\x00\x30\x02\xa0\x80"s, "-----BEGIN "s, "-----BEGIN CERTIFICATE-----\n"s,
        "-----END CERTIFICATE-----\n"s, "0\x80"s, " "s, "-----BEGIN A-----\n-----END "s}) {
    std::string text;
    while (text.size() < 1'000'000) text += piece;
    EXPECT_LE(scan(text).unreadable.size(), 1000U);
  }
}

}  // namespace mrascheck::x509

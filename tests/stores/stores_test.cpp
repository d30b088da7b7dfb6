// SPDX-License-Identifier: Apache-2.0
#include "stores/stores.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "builders.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "support/openssl_cli.hpp"
#include "x509/certificate_reader.hpp"
#include "x509/scan.hpp"

namespace mrascheck::stores {
namespace {

using namespace std::string_literals;
using test::certificate_element;
using test::element;
using test::OpensslCli;
using test::reg_ansi;
using test::reg_utf16;
using test::registry_pol;
using test::sst;

/// Three self-signed certificates a, b and c in DER, made once a process.
const std::string& der(char name) {
  static const std::vector<std::string> all = [] {
    const OpensslCli openssl;
    std::vector<std::string> made;
    for (const char* const one : {"a", "b", "c"}) {
      openssl.self_signed(one, "/CN="s + one, test::ca_extensions);
      const ByteString bytes = openssl.der(one);
      made.emplace_back(as_text(bytes));
    }
    return made;
  }();
  return all.at(static_cast<std::size_t>(name - 'a'));
}

std::string print_of(const std::string& certificate) {
  return to_upper_hex(crypto::hasher().sha1(as_bytes(certificate)));
}

std::string base64(const std::string& bytes) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8U | (i + k < bytes.size() ? static_cast<std::uint8_t>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k > bytes.size() ? '=' : digits[group >> (18U - 6U * static_cast<unsigned>(k)) & 63U];
  }
  return text;
}

/// As ldapsearch folds: 76 columns, one blank in front of the rest.
std::string folded(std::string line) {
  for (std::size_t at = 76; at < line.size(); at += 78) line.insert(at, "\n ");
  return line + "\n";
}

struct Seen {
  std::string names;  ///< the common names in their order: "abc"; '!' for what cannot be decoded
  std::vector<FoundEntry> entries;
  std::vector<std::string> contradictions;
  Reading reading;
};

Seen read(const std::string& content) {
  Seen seen;
  const auto keep = [&](const FoundEntry& entry) {
    EXPECT_FALSE(entry.kind == StoreKind::mixed);
    seen.entries.push_back(entry);
    const auto certificate = x509::read_certificate(entry.der, crypto::hasher());
    seen.names += certificate ? certificate->subject.common_name() : "!";
    if (!certificate) return;
    for (std::string& one : contradictions(entry, *certificate)) seen.contradictions.push_back(std::move(one));
  };
  auto reading = read_store(as_bytes(content), keep);
  if (!reading) {
    ADD_FAILURE() << "not recognised";
    return seen;
  }
  seen.reading = std::move(*reading);
  return seen;
}

std::vector<std::string> complaints(const Seen& seen) {
  std::vector<std::string> lines;
  for (const Unreadable& one : seen.reading.unreadable)
    lines.push_back(one.place.empty() ? one.reason : one.place + ": " + one.reason);
  return lines;
}

using Lines = std::vector<std::string>;

const std::string machine = R"(HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\)";
const std::string policies = R"(Software\Policies\Microsoft\SystemCertificates\)";

std::string key_of(const std::string& prefix, const std::string& store, const std::string& certificate) {
  return prefix + store + "\\Certificates\\" + print_of(certificate);
}

std::string ldif_entry(const std::string& dn, const std::string& attribute, const Lines& values) {
  std::string text = folded("dn: " + dn) + "objectClass: certificationAuthority\n";
  for (const std::string& value : values) text += folded(attribute + ":: " + base64(value));
  return text + "\n";
}

const std::string services = "CN=Public Key Services,CN=Services,CN=Configuration,DC=contoso,DC=example";

/// Each format with three certificates, small and whole.
struct Form {
  const char* name;
  Format format;
  std::string (*content)();
};
const std::vector<Form>& forms() {
  static const std::vector<Form> all{
      {"SerializedStore", Format::serialized_store,
       [] {
         return sst(element(3, std::string{as_text(crypto::hasher().sha1(as_bytes(der('a'))))}) +
                    certificate_element(der('a')) + element(11, test::wide_z("second")) +
                    certificate_element(der('b')) + certificate_element(der('c')));
       }},
      {"RegistryBlob", Format::registry_blob,
       [] {
         return element(3, std::string{as_text(crypto::hasher().sha1(as_bytes(der('a'))))}) +
                certificate_element(der('a')) + certificate_element(der('b')) + certificate_element(der('c'));
       }},
      {"RegistryExport", Format::registry_export,
       [] {
         return reg_utf16({{key_of(machine, "ROOT", der('a')), certificate_element(der('a'))},
                           {key_of(machine, "CA", der('b')), certificate_element(der('b'))},
                           {key_of(machine, "CA", der('c')), certificate_element(der('c'))}});
       }},
      {"RegistryExportAnsi", Format::registry_export,
       [] {
         return reg_ansi({{key_of(machine, "ROOT", der('a')), certificate_element(der('a'))},
                          {key_of(machine, "CA", der('b')), certificate_element(der('b'))},
                          {key_of(machine, "CA", der('c')), certificate_element(der('c'))}});
       }},
      {"RegistryPolicy", Format::registry_policy,
       [] {
         return registry_pol({{key_of(policies, "Root", der('a')), certificate_element(der('a'))},
                              {key_of(policies, "CA", der('b')), certificate_element(der('b'))},
                              {key_of(policies, "CA", der('c')), certificate_element(der('c'))}});
       }},
      {"Ldif", Format::ldif,
       [] {
         return "# the public key\n  services\n\nversion: 1\n\n" +
                ldif_entry("CN=a,CN=Certification Authorities," + services, "cACertificate", {der('a')}) +
                ldif_entry("CN=b,CN=AIA," + services, "cACertificate;binary", {der('b'), der('c')});
       }},
  };
  return all;
}

class FormTest : public testing::TestWithParam<Form> {};

TEST_P(FormTest, IsRecognisedAndReadWhole) {
  const std::string content = GetParam().content();
  EXPECT_EQ(recognise(as_bytes(content)), GetParam().format);
  const Seen seen = read(content);
  EXPECT_EQ(seen.names, "abc");
  EXPECT_EQ(complaints(seen), Lines{});
  EXPECT_EQ(seen.contradictions, Lines{});
  EXPECT_EQ(seen.reading.truncated, "");
  EXPECT_EQ(seen.reading.remarks, Lines{});
}

/// The certificates before the cut are all there, and where something is missing it is said or it was whole.
TEST_P(FormTest, CutAnywhereKeepsWhatStandsBefore) {
  const std::string content = GetParam().content();
  std::size_t before = 0;
  for (std::size_t size = 0; size <= content.size(); ++size) {
    const std::string cut = content.substr(0, size);
    if (!recognise(as_bytes(cut))) {
      EXPECT_LT(size, 128U) << "recognised by its beginning";
      continue;
    }
    const Seen seen = read(cut);
    const auto good =
        static_cast<std::size_t>(std::count_if(seen.names.begin(), seen.names.end(), [](char c) { return c != '!'; }));
    EXPECT_GE(good, before) << "cut at " << size;
    before = good;
    EXPECT_TRUE(good > 0 || seen.names == "!" || !seen.reading.unreadable.empty()) << "cut at " << size;
    EXPECT_EQ(seen.names.substr(0, good), "abc"s.substr(0, good));
  }
  EXPECT_EQ(before, 3U);
}

/// One byte is another: at most the certificate that it stands in or in front of is lost, and that is said.
TEST_P(FormTest, AFlippedByteLosesNoNeighbour) {
  const std::string content = GetParam().content();
  std::mt19937 random(20261123);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same flips every time
  for (int round = 0; round < 1'000; ++round) {
    std::string damaged = content;
    const std::size_t at = random() % damaged.size();
    const auto flipped = static_cast<std::uint8_t>(random() % 255 + 1);
    damaged[at] = static_cast<char>(static_cast<std::uint8_t>(damaged[at]) ^ flipped);
    if (!recognise(as_bytes(damaged))) {
      EXPECT_LT(at, 128U) << "recognised by its beginning";
      continue;
    }
    const Seen seen = read(damaged);
    const std::set<char> names(seen.names.begin(), seen.names.end());
    const auto good = names.count('a') + names.count('b') + names.count('c');
    // The line break between two values of an LDIF belongs to both.
    const std::size_t least = GetParam().format == Format::ldif && content[at] == '\n' ? 1 : 2;
    EXPECT_GE(good, least) << "byte " << at << " xor " << int{flipped} << ": " << seen.names;
    for (const Unreadable& one : seen.reading.unreadable) {
      EXPECT_FALSE(one.reason.empty());
      EXPECT_EQ(printable(one.reason, 4'096), one.reason);
    }
    EXPECT_LE(seen.reading.unreadable.size(), 3U) << fmt::format("{}", fmt::join(complaints(seen), "\n"));
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, FormTest, testing::ValuesIn(forms()), [](const auto& row) { return row.param.name; });

TEST(Recognise, LeavesCertificateFilesAlone) {
  const OpensslCli openssl;
  openssl.self_signed("a", "/CN=dn: a", test::ca_extensions);
  const std::string pem = openssl.dir().read("a.crt");
  for (const std::string& content :
       {pem, "================ before ================\n" + pem, "\xEF\xBB\xBF" + pem, der('a'), der('a') + der('b'),
        "\xFF\xFE" + test::wide(pem), ""s, "hello"s, std::string(64, '\0'), "dnsmasq: yes"s}) {
    EXPECT_FALSE(recognise(as_bytes(content))) << content.substr(0, 40);
  }
}

TEST(SerializedStore, KeepsWhatWindowsSaysOfACertificate) {
  const std::string eku = "\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02";
  const Seen seen =
      read(sst(element(11, test::wide_z("Contoso \xFC")) + element(19, "") + element(9, eku) +
               element(2, test::key_provider("{GUID}", "Microsoft Software Key Storage Provider", 0, 0)) +
               certificate_element(der('a')) + element(9, std::string{"\x30\x00", 2}) +
               element(2, test::key_provider("le-1", "Microsoft RSA SChannel Cryptographic Provider", 12, 1)) +
               certificate_element(der('b')) + certificate_element(der('c'))));
  ASSERT_EQ(seen.names, "abc");
  const EntryProperties& a = seen.entries[0].properties;
  EXPECT_EQ(a.friendly_name, "Contoso \xC3\xBC");
  EXPECT_TRUE(a.archived);
  EXPECT_EQ(a.purposes, (Lines{server_auth_oid, client_auth_oid}));
  EXPECT_EQ(a.key_provider, "Microsoft Software Key Storage Provider");
  EXPECT_EQ(a.key_spec, "CNG");
  EXPECT_FALSE(a.forbids(server_auth_oid));
  const EntryProperties& b = seen.entries[1].properties;
  EXPECT_EQ(b.friendly_name, "") << "the neighbour's";
  EXPECT_FALSE(b.archived);
  EXPECT_EQ(b.key_spec, "AT_KEYEXCHANGE");
  EXPECT_TRUE(b.forbids(server_auth_oid));
  EXPECT_FALSE(seen.entries[2].properties.any());
}

TEST(SerializedStore, SaysWhichPropertyIsAnotherCertificates) {
  const std::string other{as_text(crypto::hasher().sha1(as_bytes(der('b'))))};
  const Seen seen = read(sst(element(3, other) + certificate_element(der('a')) + certificate_element(der('b'))));
  EXPECT_EQ(seen.names, "ab");
  EXPECT_EQ(seen.contradictions,
            Lines{fmt::format("certificate 1: its SHA-1 property says {}, and the certificate has the thumbprint {}",
                              print_of(der('b')), print_of(der('a')))});
}

struct Damage {
  const char* name;
  std::string (*content)();
  const char* names;
  Lines says;
};
class DamageTest : public testing::TestWithParam<Damage> {};
TEST_P(DamageTest, KeepsTheGoodAndNamesTheRest) {
  const Seen seen = read(GetParam().content());
  EXPECT_EQ(seen.names, GetParam().names);
  EXPECT_EQ(complaints(seen), GetParam().says);
}
INSTANTIATE_TEST_SUITE_P(
    SerializedStore, DamageTest,
    testing::Values(
        Damage{"Empty", [] { return sst(""); }, "", {"no certificate in it"}},
        Damage{"NoEndMarker",
               [] { return sst(certificate_element(der('a'))).substr(0, 8 + 12 + der('a').size()); },
               "a",
               {"it ends without its end marker: it may have been cut off"}},
        Damage{"OnlyAProperty",
               [] { return sst(element(11, test::wide_z("x"))); },
               "",
               {"1 property without a certificate behind them"}},
        Damage{"TwoBehindEachOther",
               [] { return sst(certificate_element(der('a'))) + sst(certificate_element(der('b'))); },
               "ab",
               {}},
        Damage{"SomethingBehind",
               [] { return sst(certificate_element(der('a'))) + "abc"; },
               "a",
               {"3 bytes behind its end"}},
        Damage{"AnotherKindsElement",
               [] { return sst(element(0x24, der('a')) + certificate_element(der('b'))); },
               "b",
               {"an element of kind 36 holds a certificate, which stands in those of kind 32 only: not counted"}},
        Damage{"EncodingBroken",
               [] {
                 std::string bad = certificate_element(der('b'));
                 bad[4] = 2;
                 return sst(certificate_element(der('a')) + bad + certificate_element(der('c')));
               },
               "ac",
               {fmt::format("damaged: no element at byte {}", 8 + 12 + der('a').size())}}),
    [](const auto& row) { return row.param.name; });

TEST(SerializedStore, StopsAtTheMostDamageAndSaysThatItDid) {
  const std::string bad = test::little_endian(9) + test::little_endian(7) + test::little_endian(0);
  std::string elements;
  for (int i = 0; i < 1'002; ++i) elements += bad + certificate_element(der('a'));
  const Seen seen = read(sst(elements));
  EXPECT_EQ(seen.reading.unreadable.size(), 1'000U);
  EXPECT_EQ(seen.reading.truncated, "more than 1000 damaged parts: the rest was not read");
  EXPECT_GE(seen.entries.size(), 1'000U);
}

TEST(SerializedStore, PassesOverWhatIsNoCertificate) {
  const Seen seen =
      read(sst(element(0x21, "a list") + element(0x22, "x") + element(0x22, "y") + certificate_element(der('a'))));
  EXPECT_EQ(seen.names, "a");
  EXPECT_EQ(complaints(seen), Lines{});
  EXPECT_EQ(seen.reading.remarks, (Lines{"1 revocation list passed over",
                                         "2 certificate trust lists (CTL) passed over: they hold hashes, not "
                                         "certificates"}));
}

// What kind of Windows store an entry is from.

struct Path {
  const char* name;
  const char* key;  ///< without the thumbprint
  StoreOrigin origin;
  const char* store;
  StoreKind kind;
};
class PathTest : public testing::TestWithParam<Path> {};
TEST_P(PathTest, SaysWhereAnEntryIsFrom) {
  const Path& path = GetParam();
  const Seen seen = read(reg_utf16({{path.key + print_of(der('a')), certificate_element(der('a'))}}));
  ASSERT_EQ(seen.names, "a");
  EXPECT_EQ(to_string(seen.entries[0].properties.origin), to_string(path.origin));
  EXPECT_EQ(seen.entries[0].properties.windows_store, path.store);
  ASSERT_TRUE(seen.entries[0].kind);
  EXPECT_EQ(to_string(*seen.entries[0].kind), to_string(path.kind));
  EXPECT_EQ(seen.contradictions, Lines{});
}
INSTANTIATE_TEST_SUITE_P(
    Registry, PathTest,
    testing::Values(
        Path{"MachineRoot", R"(HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\ROOT\Certificates\)",
             StoreOrigin::local, "ROOT", StoreKind::root},
        Path{"MachineCa", R"(HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\CA\Certificates\)",
             StoreOrigin::local, "CA", StoreKind::intermediate},
        Path{"LowerCase", R"(hkey_local_machine\software\microsoft\systemcertificates\root\certificates\)",
             StoreOrigin::local, "root", StoreKind::root},
        Path{"ThirdPartyRoots", R"(HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\AuthRoot\Certificates\)",
             StoreOrigin::local, "AuthRoot", StoreKind::root},
        Path{"Personal", R"(HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\MY\Certificates\)",
             StoreOrigin::local, "MY", StoreKind::intermediate},
        Path{"Disallowed", R"(HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\Disallowed\Certificates\)",
             StoreOrigin::local, "Disallowed", StoreKind::disallowed},
        Path{"GroupPolicy", R"(HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\SystemCertificates\Root\Certificates\)",
             StoreOrigin::group_policy, "Root", StoreKind::root},
        Path{"Enterprise", R"(HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\EnterpriseCertificates\CA\Certificates\)",
             StoreOrigin::enterprise, "CA", StoreKind::intermediate},
        Path{"NtAuth", R"(HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\EnterpriseCertificates\NTAuth\Certificates\)",
             StoreOrigin::enterprise, "NTAuth", StoreKind::ntauth},
        Path{"AUsersRootIsNoServicesRoot",
             R"(HKEY_CURRENT_USER\Software\Microsoft\SystemCertificates\Root\Certificates\)", StoreOrigin::user, "Root",
             StoreKind::intermediate},
        Path{
            "AService",
            R"(HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Cryptography\Services\RTCSRV\SystemCertificates\My\Certificates\)",
            StoreOrigin::service, "My", StoreKind::intermediate}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    RegistryExport, DamageTest,
    testing::Values(
        Damage{
            "OtherKeysAreNobodysConcern",
            [] {
              return "Windows Registry Editor Version 5.00\r\n\r\n; a comment\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\X]\r\n"
                     "\"Blob\"=dword:00000001\r\n@=\"x\"\r\n\"Path\"=\"C:\\\\\"\r\n\r\n"
                     "[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SystemCertificates\\CA\\Certificates\\AA]\r\n"
                     "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SystemCertificates\\CA\\Certificates]\r\n"s;
            },
            "",
            {"no certificate in it"}},
        Damage{"NotHexadecimal",
               [] {
                 std::string text = reg_ansi({{key_of(machine, "CA", der('a')), certificate_element(der('a'))},
                                              {key_of(machine, "CA", der('b')), certificate_element(der('b'))}});
                 text.replace(text.find("hex:") + 4, 2, "zz");
                 return text;
               },
               "b",
               {fmt::format("CA\\Certificates\\{}: the Blob in line 4: not hexadecimal", print_of(der('a')))}},
        Damage{"NoBlob",
               [] { return "REGEDIT4\n[" + key_of(machine, "CA", der('a')) + "]\n"; },
               "",
               {fmt::format("CA\\Certificates\\{}: a certificate's key without its Blob", print_of(der('a')))}},
        Damage{"BlobElsewhere",
               [] {
                 return reg_ansi({{R"(HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertifikates\CA\Certificates\AA)",
                                   certificate_element(der('a'))}});
               },
               "",
               {"line 4: a Blob outside of any certificate store's key: not counted"}}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    RegistryPolicy, DamageTest,
    testing::Values(Damage{"AnotherVersion",
                           [] { return "PReg" + test::little_endian(2); },
                           "",
                           {"of version 2, where only 1 is known: read as if it were that"}},
                    Damage{"Deletions",
                           [] {
                             return registry_pol({{policies + "CA\\Certificates\\AA", " ", "**del.Blob"},
                                                  {key_of(policies, "CA", der('a')), certificate_element(der('a'))}});
                           },
                           "a",
                           {}},
                    Damage{"OtherPolicies",
                           [] {
                             return registry_pol({{"Software\\Policies\\X", "1", "Enabled"}});
                           },
                           "",
                           {"no certificate in it"}}),
    [](const auto& row) { return row.param.name; });

TEST(Registry, SaysWhichKeyIsNamedForAnotherCertificate) {
  const Seen seen = read(reg_utf16({{key_of(machine, "CA", der('b')), certificate_element(der('a'))}}));
  EXPECT_EQ(seen.names, "a");
  EXPECT_EQ(seen.contradictions,
            Lines{fmt::format("CA\\Certificates\\{0}: the registry key is named {0}, and the certificate in it has the "
                              "thumbprint {1}",
                              print_of(der('b')), print_of(der('a')))});
}

TEST(RegistryPolicy, IsGroupPolicy) {
  const Seen seen = read(registry_pol({{key_of(policies, "Root", der('a')), certificate_element(der('a'))}}));
  ASSERT_EQ(seen.names, "a");
  EXPECT_EQ(seen.entries[0].properties.origin, StoreOrigin::group_policy);
  EXPECT_EQ(seen.entries[0].kind, StoreKind::root);
  EXPECT_EQ(seen.entries[0].properties.text(), "group policy store Root: comes back at the next refresh");
}

// LDIF.

TEST(Ldif, SaysWhereEachValueStands) {
  const std::string pair = [] {
    const auto wrapped = [](char tag, const std::string& content) {
      const std::size_t n = content.size();
      return std::string{tag, '\x82', static_cast<char>(n >> 8U), static_cast<char>(n & 0xFFU)} + content;
    };
    return wrapped('\x30', wrapped('\xA0', der('a')) + wrapped('\xA1', der('b')));
  }();
  const std::string dn = R"(CN=Contoso\, Inc. CA,CN=AIA,)" + services;
  const Seen seen = read(ldif_entry(dn, "cACertificate", {der('a'), der('b')}) +
                         ldif_entry("CN=NTAuthCertificates," + services, "cACertificate;binary", {der('c')}) +
                         ldif_entry("CN=x,CN=Enrollment Services," + services, "CACERTIFICATE", {der('c')}) +
                         ldif_entry("CN=x,OU=y", "crossCertificatePair;binary", {pair}) +
                         ldif_entry("CN=z,CN=KRA," + services, "userCertificate", {der('c')}) +
                         ldif_entry("CN=own,DC=x", "cACertificate", {der('a')}));
  EXPECT_EQ(complaints(seen), Lines{});
  ASSERT_EQ(seen.names, "abccabca");
  EXPECT_EQ(seen.entries[0].dn, dn);
  EXPECT_EQ(seen.entries[1].index, 1U);
  const auto kind = [&](std::size_t i) { return seen.entries[i].kind; };
  EXPECT_EQ(kind(0), StoreKind::intermediate);
  EXPECT_EQ(kind(2), StoreKind::ntauth);
  EXPECT_EQ(kind(3), StoreKind::enrollment);
  EXPECT_EQ(kind(4), StoreKind::intermediate);
  EXPECT_EQ(kind(6), StoreKind::intermediate) << "no root by being self-signed";
  EXPECT_EQ(kind(7), std::nullopt) << "no container that says what it is for";
}

TEST(Ldif, ReadsADnInBase64AndUtf16) {
  const std::string text =
      "dn:: " + base64("CN=Gr\xC3\xBC\xC3\x9F,CN=AIA," + services) + "\r\ncACertificate:: " + base64(der('a')) + "\r\n";
  const Seen seen = read("\xFF\xFE" + test::wide(text));
  EXPECT_EQ(seen.names, "a");
  EXPECT_EQ(seen.entries.at(0).dn, "CN=Gr\xC3\xBC\xC3\x9F,CN=AIA," + services);
}

INSTANTIATE_TEST_SUITE_P(
    Ldif, DamageTest,
    testing::Values(Damage{"NoCertificates", [] { return "dn: CN=x\ncn: x\n"s; }, "", {"no certificate in it"}},
                    Damage{"NotBase64",
                           [] {
                             return "dn: CN=x\ncACertificate:: MII*\n\n" +
                                    ldif_entry("CN=y", "cACertificate", {der('a')});
                           },
                           "a",
                           {"CN=x: line 2: not base64: '*'"}},
                    Damage{"ByReference",
                           [] { return "dn: CN=x\ncACertificate:< file:///x.crt\n"s; },
                           "",
                           {"CN=x: line 2: a reference to a file, not a value: export the values themselves"}},
                    Damage{"PlainValue",
                           [] { return "dn: CN=x\ncACertificate: MIIB\n"s; },
                           "",
                           {"CN=x: line 2: cacertificate is not base64: it must follow two colons"}},
                    Damage{"NoDn",
                           [] { return "version: 1\n\ncACertificate:: " + base64(der('a')) + "\n"; },
                           "a",
                           {"line 3: a certificate of an entry without its dn"}},
                    Damage{"BadPair",
                           [] { return "dn: CN=x\ncrossCertificatePair:: " + base64("\x30\x02\x05\x00"s) + "\n"; },
                           "",
                           {"CN=x: crossCertificatePair, value 1: certificate pair: not a part of it at byte 2"}}),
    [](const auto& row) { return row.param.name; });

TEST(Ldif, CountsNothingThatIsToBeChanged) {
  const Seen seen = read("dn: CN=x\nchangetype: modify\ndelete: cACertificate\ncACertificate:: " + base64(der('a')) +
                         "\n-\n\n" + ldif_entry("CN=y", "cACertificate", {der('b')}));
  EXPECT_EQ(seen.names, "b");
  EXPECT_EQ(complaints(seen), Lines{});
  EXPECT_EQ(seen.reading.remarks,
            Lines{"1 change record passed over: an order to change a directory, not what one holds"});
}

// certutil's text.

struct Listing {
  const char* name;
  std::string text;
};
class CertutilTest : public testing::TestWithParam<Listing> {};
TEST_P(CertutilTest, IsNamedAndNeverCounted) {
  const Seen seen = read(GetParam().text);
  EXPECT_EQ(seen.names, "");
  EXPECT_EQ(complaints(seen), Lines{});
  EXPECT_EQ(seen.reading.remarks, (Lines{"listed without its bytes: Contoso Issuing CA, thumbprint "
                                         "2D0B1F2E3C4D5E6F708192A3B4C5D6E7F8091A2B",
                                         "listed without its bytes: Contoso Root CA, thumbprint "
                                         "0011223344556677889900AABBCCDDEEFF001122"}));
  EXPECT_NE(seen.reading.truncated.find("names 2 certificates and holds not one"), std::string::npos);
}
const std::string english =
    "CA \"Intermediate Certification Authorities\"\r\n"
    "================ Certificate 0 ================\r\n"
    "Serial Number: 6b78c2307e334f482b990da644256d48\r\n"
    "Issuer: CN=Contoso Root CA, DC=contoso, DC=example\r\n"
    " NotBefore: 11/22/2024 9:00 AM\r\n NotAfter: 11/22/2034 9:00 AM\r\n"
    "Subject: CN=Contoso Issuing CA, DC=contoso, DC=example\r\n"
    "CA Version: V1.1\r\nTemplate: SubCA\r\n"
    "Cert Hash(sha1): 2d0b1f2e3c4d5e6f708192a3b4c5d6e7f8091a2b\r\n"
    "  No key provider information\r\n\r\n"
    "================ Certificate 1 ================\r\n"
    "Serial Number: 01\r\nIssuer: CN=Contoso Root CA\r\nSubject: CN=Contoso Root CA\r\n"
    "Signature matches Public Key\r\nCert Hash(sha1): 00 11 22 33 44 55 66 77 88 99 00 aa bb cc dd ee ff 00 11 22\r\n"
    "CertUtil: -store command completed successfully.\r\n";
const std::string german =
    "CA \"Zwischenzertifizierungsstellen\"\n"
    "================ Zertifikat 0 ================\n"
    "Seriennummer: 6b78c2307e334f482b990da644256d48\n"
    "Aussteller: CN=Contoso Root CA, DC=contoso, DC=example\n"
    " Nicht vor: 22.11.2024 09:00\n Nicht nach: 22.11.2034 09:00\n"
    "Antragsteller: CN=Contoso Issuing CA, DC=contoso, DC=example\n"
    "Zertifikathash(sha1): 2d0b1f2e3c4d5e6f708192a3b4c5d6e7f8091a2b\n\n"
    "================ Zertifikat 1 ================\n"
    "Seriennummer: 01\nAussteller: CN=Contoso Root CA\nAntragsteller: CN=Contoso Root CA\n"
    "Zertifikathash(sha1): 0011223344556677889900aabbccddeeff001122\n";
const std::string verbose = [] {
  std::string text = english;
  const std::string label = "Cert Hash(sha1): ";
  for (std::size_t at = text.find(label); at != std::string::npos; at = text.find(label, at + 80)) {
    text.insert(at, "Name Hash(sha1): ffffffffffffffffffffffffffffffffffffffff\r\n");
    at = text.find(label, at);
    text.insert(text.find("\r\n", at), "\r\nSignature Hash(sha1): eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
  }
  return text;
}();
INSTANTIATE_TEST_SUITE_P(Languages, CertutilTest,
                         testing::Values(Listing{"English", english}, Listing{"German", german},
                                         Listing{"Verbose", verbose},
                                         Listing{"RedirectedByPowerShell", "\xFF\xFE" + test::wide(english)}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::stores

// SPDX-License-Identifier: Apache-2.0
// The plan carried out on a real slapd, and taken back; and what `issuers` and --what-if say.
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cli/words.hpp"
#include "lab/lab_site.hpp"
#include "support/program.hpp"
#include "support/slapd.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// What a directory holds, values as sets: by DN, the "name: value" lines.
using Entries = std::map<std::string, std::set<std::string>>;

Entries entries_in(const std::string& ldif) {
  Entries entries;
  std::string dn;
  std::istringstream lines(ldif);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("dn:")) dn = line;
    // Who changed an entry when is not what it holds.
    const bool operational =
        line.starts_with("entryCSN:") || line.starts_with("modifyTimestamp:") || line.starts_with("modifiersName:");
    if (!line.empty() && !operational && !entries[dn].insert(line).second) ADD_FAILURE() << dn << ": twice " << line;
  }
  return entries;
}

/// Every entry of the lab's directory, operational attributes included, as slapcat has them.
Entries directory(const LabSite& site) {
  int code = -1;
  const std::string ldif = site.shell("slapcat -f ldap/slapd.conf -o ldif-wrap=no 2>slapcat.err", &code);
  EXPECT_EQ(code, 0) << site.read("slapcat.err");
  return entries_in(ldif);
}

void modify(const LabSite& site, const std::string& file) {
  int code = -1;
  const std::string said = site.shell(
      "ldapmodify -x -H \"${ldapi_uri:-ldap://127.0.0.1:$ldap_port}\" -D CN=admin,DC=contoso,DC=example "
      "-y ldap-admin.pass -f " +
          file + " 2>&1",
      &code);
  EXPECT_EQ(code, 0) << said;
}

/// The certificates in the export of a store, PEM, that the lab calls stale; and the others.
struct Export {
  std::vector<std::string> stale;
  std::string kept;
};
Export export_of(const LabSite& site) {
  std::istringstream pem(site.read("stores/fe1-intermediate.pem"));
  const std::string stale = site.read("stale-thumbprints");
  Export found;
  std::string block;
  for (std::string line; std::getline(pem, line);) {
    block += line + '\n';
    if (line != "-----END CERTIFICATE-----") continue;
    site.dir().write("one.pem", block);
    std::string print = site.shell("openssl x509 -noout -fingerprint -sha1 -in '" + (site.dir() / "one.pem") + "'");
    print.erase(0, print.find('=') + 1);
    std::erase_if(print, [](char c) { return c == ':' || c == '\n'; });
    if (stale.find(print) == std::string::npos) {
      found.kept += block;
    } else {
      found.stale.push_back(block);
    }
    block.clear();
  }
  return found;
}

/// Takes out of the export of a store what the lab calls stale, as `certutil -delstore` would on the host.
void clean_export(const LabSite& site) {
  site.dir().write("site/stores/fe1-intermediate.pem", export_of(site).kept);
}

/// Another attribute of the object that holds the CA certificates: a pair with a stale one.
void add_cross_certificate_pair(const LabSite& site) {
  site.dir().write("stale.pem", export_of(site).stale.front());
  const std::string der = site.shell("openssl x509 -outform DER -in '" + (site.dir() / "stale.pem") + "'");
  const ByteString pair = certificate_pair({der.begin(), der.end()}, {});
  site.dir().write("site/pair.ldif",
                   "dn: CN=Contoso Issuing CA,CN=AIA,CN=Public Key Services,CN=Services,CN=Configuration,DC=contoso,"
                   "DC=example\nchangetype: modify\nadd: crossCertificatePair;binary\n" +
                       binary_line("crossCertificatePair", pair));
  modify(site, "pair.ldif");
}

TEST(CleanupOfTheLab, MendsTheSiteAndIsTakenBackByteForByte) {
  const LabSite site("stale-issuing-ca");
  const std::string config = site.file("site.yaml");
  add_cross_certificate_pair(site);
  const Entries before = directory(site);
  EXPECT_EQ(mrascheck({"check", "-c", config, "--record", site.file("before.json")}).code, 2);

  const std::vector<std::string> outputs{
      "--format", "text=" + site.file("plan.txt"),       "--format", "ldif=" + site.file("cleanup.ldif"),
      "--format", "undo-ldif=" + site.file("undo.ldif"), "--format", "ldifde=" + site.file("cleanup.ldf")};
  const Ended plan = mrascheck(std::vector<std::string>{"cleanup", "-c", config} + outputs);
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_EQ(plan.err, "");
  const std::string text = site.read("plan.txt");
  EXPECT_THAT(text, StartsWith("stale-issuing-ca: 4 certificates may go now, 0 not yet, 0 cannot be told"));
  EXPECT_THAT(text, AllOf(HasSubstr("Better afterwards:"), HasSubstr("certutil -delstore CA "),
                          HasSubstr("Remove-Item -Path Cert:\\LocalMachine\\CA\\"),
                          HasSubstr("-----BEGIN CERTIFICATE-----"), Not(HasSubstr("-dsdel"))));
  EXPECT_THAT(flat(text), HasSubstr("every chain that may be sent is accepted; now 1 of 2 are"));
  std::istringstream listed(site.read("stale-thumbprints"));
  for (std::string print; std::getline(listed, print);) EXPECT_THAT(text, HasSubstr("may go now: thumbprint " + print));
  EXPECT_THAT(site.read("cleanup.ldf"),
              AllOf(HasSubstr("\ndelete: cACertificate\n"), HasSubstr("\ndelete: crossCertificatePair\n"),
                    Not(HasSubstr(";binary"))));

  modify(site, "cleanup.ldif");
  const Entries cleaned = directory(site);
  std::size_t gone = 0;
  for (const auto& [dn, lines] : before) {
    ASSERT_TRUE(cleaned.contains(dn)) << dn;
    EXPECT_TRUE(std::includes(lines.begin(), lines.end(), cleaned.at(dn).begin(), cleaned.at(dn).end())) << dn;
    gone += lines.size() - cleaned.at(dn).size();
  }
  EXPECT_EQ(gone, 8U);  // three issuing CAs in AIA and in NTAuthCertificates, the old root, and the pair
  clean_export(site);
  const Ended mended = mrascheck({"check", "-c", config});
  EXPECT_EQ(mended.code, 0) << mended.out;
  const Ended nothing_left = mrascheck({"cleanup", "-c", config});
  EXPECT_EQ(nothing_left.code, 0);
  EXPECT_THAT(nothing_left.out, HasSubstr("nothing to clean up: no stale CA certificate"));

  modify(site, "undo.ldif");
  EXPECT_EQ(directory(site), before);
}

TEST(CleanupOfTheLab, IsTheSameFromARecordingAndSaysWhatACopyWouldDo) {
  std::optional<LabSite> site("stale-issuing-ca");
  const TempDir dir;
  const std::string recording = dir / "before.json";
  EXPECT_EQ(mrascheck({"check", "-c", site->file("site.yaml"), "--record", recording}).code, 2);
  const std::string issuing = site->shell("cat pki/issuing.pem");
  std::string removals;
  std::istringstream listed(site->read("stale-thumbprints"));
  for (std::string print; std::getline(listed, print);) removals += (removals.empty() ? "remove:" : ",remove:") + print;
  dir.write("edge-root.pem", site->read("stores/edge-root.pem"));
  site.reset();

  const Ended first = mrascheck({"cleanup", "--evidence", recording, "--format", "json"});
  EXPECT_EQ(first.code, 0);
  EXPECT_EQ(first.err, "");
  EXPECT_THAT(first.out, AllOf(HasSubstr("\"format\": \"mrascheck-cleanup\""), HasSubstr("\"may_go_now\": 4"),
                               HasSubstr("\"cannot_be_told\": 0")));
  EXPECT_EQ(mrascheck({"cleanup", "--evidence", recording, "--format", "json"}).out, first.out);

  const Ended without = mrascheck({"check", "--evidence", recording, "--what-if", removals, "--only",
                                   "same-name-issuers", "--only", "certification-path"});
  EXPECT_EQ(without.code, 0) << without.out;
  EXPECT_THAT(flat(without.out), HasSubstr("what if remove:"));
  // The refusal that was seen is still what was seen.
  EXPECT_EQ(mrascheck({"check", "--evidence", recording, "--what-if", removals}).code, 2);
  const Ended planless = mrascheck({"cleanup", "--evidence", recording, "--what-if", removals});
  EXPECT_EQ(planless.code, 0);
  EXPECT_THAT(planless.out, HasSubstr("nothing to clean up"));
  const Ended later = mrascheck({"check", "--evidence", recording, "--what-if", "at:2060-01-01"});
  EXPECT_EQ(later.code, 2);
  EXPECT_THAT(flat(later.out), AllOf(HasSubstr("validity.expired"), HasSubstr("what if at:2060-01-01")));
  const Ended added = mrascheck({"check", "--evidence", recording, "--what-if",
                                 "add:" + (dir / "edge-root.pem") + "@fe1-intermediate", "--format", "json"});
  EXPECT_EQ(added.code, 2);
  EXPECT_THAT(added.out, HasSubstr("what if add:"));
}

struct BadCase {
  const char* name;
  std::vector<std::string> arguments;
  const char* line;
};
class BadWords : public testing::TestWithParam<BadCase> {};
TEST_P(BadWords, AreToldInOneLineWithExitCodeThree) {
  const BadCase& c = GetParam();
  const TempDir dir;
  dir.write("empty.pem", "");
  std::vector<std::string> arguments = c.arguments;
  for (std::string& word : arguments) {
    if (const std::size_t at = word.find("DIR/"); at != std::string::npos) word.replace(at, 3, dir.path().string());
  }
  const Ended ended = mrascheck(arguments);
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, AllOf(StartsWith("UNKNOWN: "), HasSubstr(c.line), EndsWith("\n")));
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
}

const std::string healthy = world("healthy-pool");

INSTANTIATE_TEST_SUITE_P(
    CommandLine, BadWords,
    testing::Values(
        BadCase{"EmptyFile", {"issuers", "DIR/empty.pem"}, "/empty.pem: empty file"},
        BadCase{"NoFile", {"issuers", "DIR/nowhere.pem"}, "/nowhere.pem: No such file or directory"},
        BadCase{"FilesAndEvidence", {"issuers", "DIR/empty.pem", "--evidence", healthy}, "--evidence does not go with"},
        BadCase{"UnknownFormat", {"issuers", "--format", "ldif"}, "unknown format 'ldif': it is text or json"},
        BadCase{"UnknownCleanupFormat",
                {"cleanup", "--format", "xml"},
                "unknown format 'xml': it is text, json, ldif, undo-ldif, ldifde or undo-ldifde"},
        BadCase{"CleanupOfAFile", {"cleanup", "DIR/empty.pem"}, "mrascheck cleanup takes options only"},
        BadCase{"NoChange", {"cleanup", "--evidence", healthy, "--what-if", "nonsense"}, "it is remove:THUMBPRINT"},
        BadCase{"NoThumbprint", {"cleanup", "--evidence", healthy, "--what-if", "remove:12"}, "'12' is no thumbprint"},
        BadCase{"NobodysThumbprint",
                {"check", "--evidence", healthy, "--what-if", "remove:0000000000000000000000000000000000000000"},
                "no certificate that was seen has the thumbprint 0000"},
        BadCase{"NoDate", {"cleanup", "--evidence", healthy, "--what-if", "at:tomorrow"}, "not a date such as"},
        BadCase{"NoFileToAdd",
                {"cleanup", "--evidence", healthy, "--what-if", "add:DIR/nowhere.pem"},
                "/nowhere.pem: No such file or directory"},
        BadCase{"EmptyFileToAdd", {"cleanup", "--evidence", healthy, "--what-if", "add:DIR/empty.pem"}, "empty file"},
        BadCase{"RecordedAndChanged",
                {"check", "--evidence", healthy, "--record", "DIR/x.json", "--what-if", "at:2030-01-01"},
                "--record keeps what was seen"}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(Issuers, OfFilesTellsWhichSignedWhatIsThereAndPromisesNothing) {
  const Ended ended =
      mrascheck({"issuers", fixture("redeployment-a"), fixture("redeployment-b"), fixture("redeployment-leaf-keyid")});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(flat(ended.out),
              AllOf(HasSubstr("current: thumbprint"), HasSubstr("its key signed, in use: pool.contoso"),
                    HasSubstr("redeployment, to the first: high"), HasSubstr("CA version V0.0"),
                    HasSubstr("redeployment-a.pem (intermediate)"),
                    HasSubstr("cannot be told: files alone do not show"), Not(HasSubstr("may go now"))));
}

TEST(Issuers, OfFilesReadsTheGoodOnesAndSaysWhichIsNot) {
  const TempDir dir;
  const Ended ended = mrascheck({"issuers", "--format", "json", fixture("root-r1"), fixture("root-r2"), dir / "gone"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("\"format\": \"mrascheck-issuers\""), HasSubstr("\"standing\": \"unrelated\""),
                               HasSubstr("gone: No such file")));
}

TEST(Issuers, NamesWhatCertutilListsWithoutItsBytes) {
  const TempDir dir;
  dir.write("ca.txt",
            "CA \"Zwischenzertifizierungsstellen\"\r\n================ Zertifikat 0 ================\r\n"
            "Seriennummer: 6b78c2307e334f482b990da644256d48\r\nAntragsteller: CN=Contoso Issuing CA, DC=contoso\r\n"
            "Zertifikathash(sha1): 9d1c5e3f23ad111603e13c1396dc4f044786e29a\r\n");
  const auto listed =
      HasSubstr("listed without its bytes: Contoso Issuing CA, thumbprint 9D1C5E3F23AD111603E13C1396DC4F044786E29A");
  const Ended alone = mrascheck({"issuers", dir / "ca.txt"});
  EXPECT_EQ(alone.code, 3);
  EXPECT_THAT(alone.err, AllOf(StartsWith("UNKNOWN: "), listed));
  const Ended beside = mrascheck({"issuers", fixture("root-r1"), dir / "ca.txt"});
  EXPECT_EQ(beside.code, 3);
  EXPECT_THAT(flat(beside.out), listed);
}

TEST(Issuers, OfASiteTellsStandingUsersAndPlaces) {
  const LabSite site("stale-issuing-ca");
  const Ended ended = mrascheck({"issuers", "-c", site.file("site.yaml"), "--format", "json"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  std::istringstream listed(site.read("stale-thumbprints"));
  for (std::string print; std::getline(listed, print);) {
    const std::size_t at = ended.out.find("\"thumbprint\": \"" + print);
    ASSERT_NE(at, std::string::npos) << print;
    EXPECT_NE(ended.out.find("\"standing\": \"stale\"", at), std::string::npos);
  }
  EXPECT_THAT(ended.out, AllOf(HasSubstr("\"may_go\": \"may go now\""), HasSubstr("\"kind\": \"ntauth\""),
                               HasSubstr("\"enrolled\": true"), HasSubstr("\"not_looked_at\": []")));
}

}  // namespace
}  // namespace mrascheck::test

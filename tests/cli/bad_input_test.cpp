// SPDX-License-Identifier: Apache-2.0
// What is wrong with what the program is given is said in one line that names it, and the exit code never says OK.
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "support/openssl_cli.hpp"
#include "support/program.hpp"
#include "support/slapd.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string replaced_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

/// Files good and bad. Where a row says DIR, their directory is meant.
class Files {
 public:
  Files() {
    openssl_.self_signed("root", "/CN=Contoso Root CA", ca_extensions);
    openssl_.self_signed("fe1", "/CN=fe1.contoso.example", "subjectAltName=DNS:fe1.contoso.example\n");
    openssl_.shell(
        "openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out other.key; "
        "openssl pkcs8 -topk8 -in fe1.key -out locked.key -passout pass:right; "
        "openssl x509 -in fe1.crt -outform DER -out whole.der && head -c 100 whole.der > truncated.der; "
        "sed '3s/^..../!!!!/' fe1.crt > base64.crt; : > empty.crt; mkdir nothing; echo no > nothing/readme");
    openssl_.dir().write("wrong.pass", "wrong\n");
    openssl_.dir().write("site.yaml", site("file: root.crt"));
    openssl_.dir().write("key.yaml", replaced_all(site("file: root.crt"), "    trusts:", "    trsts:"));
    openssl_.dir().write("pair.yaml", replaced_all(site("file: root.crt"), "fe1.key", "other.key"));
    openssl_.dir().write("lost.yaml", site("file: nowhere.crt"));
    openssl_.dir().write("two.yaml", replaced_all(site("file: nowhere.crt"), "    trusts:", "    trsts:"));
    openssl_.dir().write("tab.yaml", "site: small\nstores:\n\t- name: local\n");
    for (const char* store : {"empty.crt", "truncated.der", "base64.crt", "nothing"})
      openssl_.dir().write(std::string("store-") + store + ".yaml", site(std::string("file: ") + store));
  }

  /// A configuration of one store, and one server that trusts it; nothing to connect to.
  static std::string site(const std::string& store) {
    return "site: small\nstores:\n  - name: local\n    " + store +
           "\nservers:\n  - name: fe1.contoso.example\n    role: front-end\n    certificate: fe1.crt\n"
           "    key: fe1.key\n    trusts: [local]\n";
  }

  const TempDir& dir() const { return openssl_.dir(); }
  std::string of(const std::string& row) const { return replaced_all(row, "DIR", dir().path().string()); }
  std::vector<std::string> of(std::vector<std::string> row) const {
    for (std::string& word : row) word = of(word);
    return row;
  }

 private:
  OpensslCli openssl_;
};

struct BadInputCase {
  const char* name;
  std::vector<std::string> words;
  const char* says;  ///< a whole line ends with that, or with a colon and more
};

std::vector<std::string> plugin_words(const std::vector<std::string>& more) {
  std::vector<std::string> words{
      "check_mras", "-H",      "edge.contoso.example", "--resolve", "edge.contoso.example=127.0.0.1",
      "--no-mras",  "--trust", "DIR/root.crt"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::vector<std::string> pair(const std::string& certificate, const std::string& key,
                              const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = plugin_words({"--certificate", certificate, "--key", key});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::vector<std::string> check(const std::vector<std::string>& more) {
  std::vector<std::string> words{"mrascheck", "check"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Ended run_built(std::vector<std::string> words) {
  words.front() = built(words.front());
  return run({words, {{"WRONG", "wrong"}}, {}});
}

class Refused : public testing::TestWithParam<BadInputCase> {};

// Refused before anything is tried: as a plugin on standard output, where a monitoring system reads it; otherwise on
// standard error, and nothing on standard output.
TEST_P(Refused, NamesItInOneLineAndExitsWithUnknown) {
  const BadInputCase& c = GetParam();
  const Files files;
  const Ended ended = run_built(files.of(c.words));
  EXPECT_EQ(ended.code, 3);
  const bool plugin = c.words.front() == "check_mras";
  const std::string& said = plugin ? ended.out : ended.err;
  EXPECT_EQ(plugin ? ended.err : ended.out, "");
  EXPECT_THAT(said, StartsWith(plugin ? "MRAS UNKNOWN - " : "UNKNOWN: "));
  EXPECT_THAT(said, EndsWith("\n"));
  const std::string line = files.of(c.says);
  const std::size_t at = said.find(line);
  ASSERT_NE(at, std::string::npos) << said << "has no " << line;
  EXPECT_EQ(said.find(line, at + 1), std::string::npos) << "told twice: " << said;
  EXPECT_LE(std::count(said.begin(), said.end(), '\n'), 3) << said;
}

INSTANTIATE_TEST_SUITE_P(
    Certificates, Refused,
    testing::Values(
        BadInputCase{"EmptyFile", pair("DIR/empty.crt", "DIR/fe1.key"), "DIR/empty.crt: empty file\n"},
        BadInputCase{"MissingFile", pair("DIR/lost.crt", "DIR/fe1.key"), "DIR/lost.crt: No such file or directory\n"},
        BadInputCase{"TruncatedDer", pair("DIR/truncated.der", "DIR/fe1.key"), "DIR/truncated.der: truncated: 100 of "},
        BadInputCase{"BadBase64", pair("DIR/base64.crt", "DIR/fe1.key"),
                     "DIR/base64.crt: block 1: not base64: '!' in line 3\n"},
        BadInputCase{"KeyOfAnother", pair("DIR/fe1.crt", "DIR/other.key"),
                     "DIR/other.key: not the private key of DIR/fe1.crt (thumbprint "},
        BadInputCase{"MissingKey", pair("DIR/fe1.crt", "DIR/lost.key"), "DIR/lost.key: No such file or directory\n"},
        BadInputCase{"NoKeyInTheFile", pair("DIR/fe1.crt", "DIR/root.crt"), "DIR/root.crt: no private key in it\n"},
        BadInputCase{"WrongPassphrase", pair("DIR/fe1.crt", "DIR/locked.key", {"--passphrase", "env:WRONG"}),
                     "DIR/locked.key: wrong passphrase\n"},
        BadInputCase{"NoPassphrase", pair("DIR/fe1.crt", "DIR/locked.key"),
                     "DIR/locked.key: encrypted, and no passphrase is configured\n"},
        BadInputCase{"PassphraseFromNowhere",
                     pair("DIR/fe1.crt", "DIR/locked.key", {"--passphrase", "env:NOT_SET_ANYWHERE"}),
                     "env:NOT_SET_ANYWHERE: no such environment variable\n"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    PluginOptions, Refused,
    testing::Values(
        BadInputCase{"Unknown", {"check_mras", "--trsut", "x"}, "unknown option --trsut; did you mean --trust?\n"},
        BadInputCase{"NoHost", {"check_mras", "-p", "5062"}, "--hostname is missing\n"},
        BadInputCase{"AddressWithoutName",
                     {"check_mras", "-H", "127.0.0.1", "--certificate", "DIR/fe1.crt", "--key", "DIR/fe1.key",
                      "--trust", "DIR/root.crt", "--no-mras"},
                     "-H 127.0.0.1 is an address: say with --name which name its certificate must carry\n"},
        BadInputCase{"ResolveWithoutAddress", pair("DIR/fe1.crt", "DIR/fe1.key", {"--resolve", "edge"}),
                     "--resolve edge: write NAME=ADDRESS, with an IPv4 or IPv6 address\n"},
        BadInputCase{"ResolveToAName", pair("DIR/fe1.crt", "DIR/fe1.key", {"--resolve", "edge=other"}),
                     "--resolve edge=other: write NAME=ADDRESS, with an IPv4 or IPv6 address\n"},
        BadInputCase{"PortTooHigh", pair("DIR/fe1.crt", "DIR/fe1.key", {"-p", "70000"}),
                     "-p 70000: a port is 1 to 65535\n"},
        BadInputCase{"BadRange", pair("DIR/fe1.crt", "DIR/fe1.key", {"-w", "1:x"}), "'1:x': not a threshold range: "},
        BadInputCase{"BadTime", pair("DIR/fe1.crt", "DIR/fe1.key", {"-t", "never"}),
                     "--timeout never: not a time such as "},
        BadInputCase{"DeadlineWithinTheQuietTime", pair("DIR/fe1.crt", "DIR/fe1.key", {"--deadline", "1s"}),
                     "the deadline must be longer than the quiet time of 1 s\n"},
        BadInputCase{"FrontEndIsTheEdge", pair("DIR/fe1.crt", "DIR/fe1.key", {"--from", "Edge.contoso.example"}),
                     "the Front End and the Edge have the same name, edge.contoso.example: say with --from which"},
        BadInputCase{"EmptyPool", pair("DIR/fe1.crt", "DIR/fe1.key", {"--pool", ""}), "--pool is empty\n"},
        BadInputCase{"NoMrasAndMras", pair("DIR/fe1.crt", "DIR/fe1.key", {"--service", "mras"}),
                     "--no-mras and --service mras exclude each other\n"},
        BadInputCase{"BothFamilies", pair("DIR/fe1.crt", "DIR/fe1.key", {"-4", "-6"}),
                     "-4 and -6 exclude each other\n"},
        BadInputCase{"BadIdentity",
                     {"check_mras", "-H", "edge", "--certificate", "DIR/fe1.crt", "--key", "DIR/fe1.key", "--trust",
                      "DIR/root.crt", "--identity", "probe"},
                     "--identity must be a SIP URI such as "},
        BadInputCase{"Stray", pair("DIR/fe1.crt", "DIR/fe1.key", {"--", "stray"}), "stray: options only\n"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Options, Refused,
    testing::Values(
        BadInputCase{"NoCommand", {"mrascheck"}, "no command; mrascheck --help lists them\n"},
        BadInputCase{"UnknownCommand", {"mrascheck", "chek"}, "unknown command chek; did you mean check?\n"},
        BadInputCase{"Unknown", check({"--confg", "x"}), "unknown option --confg; did you mean --config?\n"},
        BadInputCase{"UnknownCheck", check({"--only", "portreachable"}),
                     "unknown check 'portreachable'; did you mean 'port-reachable'?\n"},
        BadInputCase{"UnknownFormat", check({"--format", "xml"}),
                     "unknown format 'xml': it is text, plugin, json, jsonl, junit, sarif or prometheus\n"},
        BadInputCase{"TwoFormatsToOneFile", check({"--format", "text=out", "--format", "json=out"}),
                     "--format: text and json would both be written to out\n"},
        BadInputCase{"UnknownMetric", check({"-C", "expirry=1:"}),
                     "unknown metric 'expirry'; did you mean 'expiry'?\n"},
        BadInputCase{"NoValue", check({"--config"}), "'--config' is missing\n"},
        BadInputCase{"Stray", check({"stray"}), "stray: mrascheck check takes options only\n"},
        BadInputCase{"ListOfWhat", {"mrascheck", "list", "colours"}, "colours"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Configuration, Refused,
    testing::Values(
        BadInputCase{"Missing", check({"-c", "DIR/lost.yml"}), "DIR/lost.yml: No such file or directory\n"},
        BadInputCase{
            "UnknownKey", check({"-c", "DIR/key.yaml"}),
            "DIR/key.yaml:10:5: unknown key 'trsts' in server 'fe1.contoso.example'; did you mean 'trusts'?\n"},
        BadInputCase{"KeyOfAnother", check({"-c", "DIR/pair.yaml"}),
                     "DIR/pair.yaml:9:10: DIR/other.key: not the private key of DIR/fe1.crt (thumbprint "},
        BadInputCase{"MissingStore", check({"-c", "DIR/lost.yaml"}), "DIR/lost.yaml:4:11: file of store 'local': "},
        BadInputCase{"TheFirstOfTwo", check({"-c", "DIR/two.yaml"}), "DIR/two.yaml:4:11: file of store 'local': "},
        BadInputCase{"TheSecondOfTwo", check({"-c", "DIR/two.yaml"}),
                     "DIR/two.yaml:10:5: unknown key 'trsts' in server "},
        BadInputCase{"NothingAtATime", check({"-c", "DIR/site.yaml", "--parallel", "0"}),
                     "--parallel 0: not a whole number from 1 to 10000\n"},
        BadInputCase{"TooManyAHost", check({"-c", "DIR/site.yaml", "--per-host", "10001"}),
                     "--per-host 10001: not a whole number from 1 to 10000\n"},
        BadInputCase{"NotYaml", check({"-c", "DIR/tab.yaml"}), "DIR/tab.yaml:3:"},
        BadInputCase{"Certificate", check({"-c", "DIR/fe1.crt"}), "DIR/fe1.crt:"}),
    [](const auto& row) { return row.param.name; });

TEST(Recording, ThatIsNotWholeIsRefusedWithItsLine) {
  const Files files;
  const std::string whole = files.dir() / "whole.json";
  EXPECT_EQ(mrascheck({"check", "-c", files.dir() / "site.yaml", "--record", whole}).err, "");
  const std::string content = files.dir().read("whole.json");
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, content.size() / 2, content.size() - 2}) {
    const std::string cut = files.dir().write("cut.json", content.substr(0, size));
    const Ended ended = mrascheck({"check", "--evidence", cut});
    EXPECT_EQ(ended.code, 3) << size;
    EXPECT_EQ(ended.out, "") << size;
    EXPECT_THAT(ended.err, AllOf(StartsWith("UNKNOWN: "), HasSubstr(cut + ": not evidence: line "))) << size;
  }
  const Ended missing = mrascheck({"check", "--evidence", files.dir() / "lost.json"});
  EXPECT_EQ(missing.code, 3);
  EXPECT_THAT(missing.err, HasSubstr("lost.json: No such file or directory\n"));
}

struct StoreCase {
  const char* name;
  const char* file;
  std::vector<const char*> says;
};

class BadStore : public testing::TestWithParam<StoreCase> {};

// A store is looked at like everything else: what is wrong with it is a finding, and the rest of the report stands.
TEST_P(BadStore, IsAFindingThatNamesIt) {
  const StoreCase& c = GetParam();
  const Files files;
  const Ended ended =
      mrascheck({"check", "-c", files.dir() / fmt::format("store-{}.yaml", c.file), "--format", "json"});
  EXPECT_EQ(ended.code, 1) << ended.out;
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(ended.out, AllOf(HasSubstr("store-contents.empty"), HasSubstr("store-contents.unreadable")));
  for (const char* text : c.says) EXPECT_THAT(ended.out, HasSubstr(files.of(text)));
}

INSTANTIATE_TEST_SUITE_P(
    CommandLine, BadStore,
    testing::Values(StoreCase{"EmptyFile", "empty.crt", {"DIR/empty.crt: empty file"}},
                    StoreCase{"TruncatedDer", "truncated.der", {"DIR/truncated.der: truncated: 100 of "}},
                    StoreCase{"BadBase64", "base64.crt", {"DIR/base64.crt: block 1: not base64: '!' in line 3"}},
                    StoreCase{"DirectoryWithoutCertificates",
                              "nothing",
                              {"DIR/nothing: no certificate in this directory",
                               "DIR/nothing/readme: neither PEM nor DER nor PKCS#7"}}),
    [](const auto& row) { return row.param.name; });

// What cannot be read at all is a gap: unknown, with the server's name and why.
Ended look_at_directory(const Files& files, const std::string& store) {
  files.dir().write("ldap.yaml", Files::site(store));
  const Ended ended = mrascheck(
      {"check", "-c", files.dir() / "ldap.yaml", "-t", "20s", "--format", "plugin", "-w", "1:", "-C", "1:", "-vv"});
  EXPECT_EQ(ended.code, 3) << ended.out;
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(ended.out, AllOf(StartsWith("MRAS UNKNOWN - "), HasSubstr("what to do: ")));
  return ended;
}

TEST(BadDirectory, ThatIsDownIsNamed) {
  const Files files;
  const std::string uri = fmt::format("ldap://127.0.0.1:{}", free_port());
  const Ended ended = look_at_directory(files, "ldap: " + uri);
  EXPECT_THAT(ended.out, AllOf(HasSubstr(uri), HasSubstr("onnection refused")));
}

TEST(BadDirectory, ThatRefusesTheBindIsNamed) {
  const Files files;
  const Slapd slapd;
  const Ended ended = look_at_directory(
      files, fmt::format("ldap: {}\n    ca: {}\n    bind: {{dn: \"{}\", password: \"file:wrong.pass\"}}", slapd.ldaps(),
                         slapd.ca_file(), Slapd::reader));
  EXPECT_THAT(ended.out, AllOf(HasSubstr(slapd.ldaps()), HasSubstr("nvalid credentials")));
  EXPECT_THAT(ended.out, Not(HasSubstr("wrong\n")));
}

TEST(BadDirectory, WithoutTheBaseIsNamed) {
  const Files files;
  const Slapd slapd;
  const Ended ended =
      look_at_directory(files, fmt::format("ldap: {}\n    base: \"CN=Nowhere,{}\"", slapd.ldap(), Slapd::suffix));
  EXPECT_THAT(ended.out, AllOf(HasSubstr(slapd.ldap()), HasSubstr("CN=Nowhere")));
}

TEST(BadDirectory, ThatStopsEarlyIsUnknownForEveryCheckThatLooksAtStores) {
  const Files files;
  const test::TestCa ca("CN=Contoso Root CA");
  test::SlapdSettings settings;
  settings.database = "sizelimit 10\n";
  for (int i = 0; i < 30; ++i) {
    const std::string name = fmt::format("CN=Contoso CA {}", i);
    settings.entries += test::ca_entry(name + ",CN=AIA", {ca.ca_certificate(name, i + 2)}) + "\n";
  }
  const Slapd slapd(settings);
  const Ended ended = look_at_directory(files, "ldap: " + slapd.ldap());
  EXPECT_THAT(ended.out,
              AllOf(HasSubstr("stores local: not read to its end: " + slapd.ldap() + ": the server stopped"),
                    HasSubstr("unknown because of this: store-contents, store-hygiene, same-name-issuers, ")));
}

TEST(OutputFile, InAMissingDirectoryTakesNothingFromTheVerdict) {
  const Files files;
  const std::string lost = files.dir() / "lost/file.json";
  const std::vector<std::string> look{"check", "-c",     files.dir() / "site.yaml", "-w", "1:", "-C",
                                      "1:",    "--skip", "certification-path"};
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--record", lost},
        std::vector<std::string>{"--format", "text", "--format", "json=" + lost}}) {
    std::vector<std::string> words = look;
    words.insert(words.end(), more.begin(), more.end());
    const Ended ended = mrascheck(words);
    EXPECT_EQ(ended.code, 3) << ended.out;
    EXPECT_THAT(ended.out, StartsWith("OK: small: "));
    EXPECT_EQ(ended.err, "could not be written: " + lost + ": No such file or directory\n");
  }
  const Ended plugin =
      run_built(files.of(pair("DIR/fe1.crt", "DIR/fe1.key", {"-p", std::to_string(free_port()), "--record", lost})));
  EXPECT_EQ(plugin.code, 2);
  EXPECT_THAT(plugin.out,
              AllOf(StartsWith("MRAS CRITICAL - "), HasSubstr("could not be written: " + lost + ": No such file")));
  EXPECT_EQ(plugin.err, "");
}

TEST(OutputFile, ThatIsALinkOrADeviceIsWrittenThrough) {
  const Files files;
  const std::filesystem::path link = files.dir() / "link.json";
  files.dir().write("real.json", "old");
  std::filesystem::create_symlink("real.json", link);
  for (const std::string& place : {link.string(), std::string("/dev/null")}) {
    const Ended ended =
        mrascheck({"check", "-c", files.dir() / "site.yaml", "-w", "1:", "-C", "1:", "--record", place});
    EXPECT_EQ(ended.err, "");
  }
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_GT(std::filesystem::file_size(files.dir() / "real.json"), 100U);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(StandardOutput, ThatIsFullIsNeverOk) {
  const Files files;
  const std::string check = fmt::format("{} check -c {} -w 1: -C 1: --skip certification-path > /dev/full",
                                        built("mrascheck"), std::string(files.dir() / "site.yaml"));
  const Ended ended = run({{"/bin/sh", "-c", check}, {}, {}});
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(ended.err, "standard output could not be written\n");
}

struct HelpCase {
  const char* name;
  std::vector<std::string> words;
  int code;
  const char* begins;
};

class HelpAndVersion : public testing::TestWithParam<HelpCase> {};

TEST_P(HelpAndVersion, StandOnStandardOutput) {
  const HelpCase& c = GetParam();
  const Ended ended = run_built(c.words);
  EXPECT_EQ(ended.code, c.code);
  EXPECT_THAT(ended.out, StartsWith(c.begins));
  EXPECT_EQ(ended.err, "");
}

// The Monitoring Plugins guidelines want 3 of a plugin that has judged nothing.
INSTANTIATE_TEST_SUITE_P(
    CommandLine, HelpAndVersion,
    testing::Values(HelpCase{"Help", {"mrascheck", "--help"}, 0, "Usage: mrascheck COMMAND"},
                    HelpCase{"Version", {"mrascheck", "--version"}, 0, "mrascheck 0."},
                    HelpCase{"CheckHelp", {"mrascheck", "check", "--help"}, 0, "Usage: mrascheck check"},
                    HelpCase{"ListHelp", {"mrascheck", "list", "--help"}, 0, "Usage: mrascheck list"},
                    HelpCase{"PluginHelp", {"check_mras", "--help"}, 3, "check_mras 0."},
                    HelpCase{"PluginVersion", {"check_mras", "--version"}, 3, "check_mras 0."},
                    HelpCase{"PluginShortVersion", {"check_mras", "-V"}, 3, "check_mras 0."}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::test

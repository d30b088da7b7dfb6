// SPDX-License-Identifier: Apache-2.0
#include "yaml/config_reader.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

#include "support/temp_dir.hpp"

namespace mrascheck::yaml {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

/// A directory with the files that the examples name; they need not hold anything.
class Site {
 public:
  Site() {
    for (const char* const name : {"more", "conf"}) std::filesystem::create_directory(dir_ / name);
    for (const char* const name : {"fe1.crt", "fe1.key", "fe1-chain.pem", "fe1.pass", "ldap.pass", "dc-ca.pem",
                                   "edge1.crt", "roots.p7b", "more/a.crt", "conf/own.pem"}) {
      dir_.write(name, "");
    }
  }

  const test::TempDir& dir() const { return dir_; }
  ConfigFile read(std::string_view yaml) const { return read_config(dir_.write("site.yaml", yaml)); }

  /// The problems, with paths as seen from the directory.
  Lines problems(const ConfigFile& file) const {
    Lines lines;
    for (std::string line : file.problems) {
      const std::string prefix = dir_ / "";
      for (std::size_t at = line.find(prefix); at != std::string::npos; at = line.find(prefix))
        line.erase(at, prefix.size());
      lines.push_back(std::move(line));
    }
    return lines;
  }

 private:
  test::TempDir dir_;
};

std::string joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// ---- What is wrong is said, with its place.

struct ConfigReaderCase {
  const char* name;
  std::string yaml;
  std::string problems;  ///< one a line, without "site.yaml:"
};

class ProblemTest : public testing::TestWithParam<ConfigReaderCase> {};

TEST_P(ProblemTest, IsSaidWithItsPlace) {
  const Site site;
  const ConfigFile file = site.read(GetParam().yaml);
  std::string got;
  for (const std::string& line : site.problems(file)) {
    EXPECT_TRUE(line.starts_with("site.yaml:")) << line;
    got += line.substr(line.find(':') + 1) + "\n";
  }
  EXPECT_EQ(got, GetParam().problems) << GetParam().yaml.substr(0, 2000);
}

const auto by_name = [](const auto& row) { return std::string{row.param.name}; };

ConfigReaderCase row(const char* name, std::string yaml, const std::string& problems) {
  return {name, std::move(yaml), problems + "\n"};
}

/// A whole site around what a row is about.
std::string site_with(const std::string& more) {
  return "site: Contoso\n" + more;
}
std::string server_with(const std::string& more) {
  return "site: Contoso\nservers:\n  - name: fe1.contoso.example\n    role: front-end\n" + more;
}
std::string file_store_with(const std::string& more) {
  return "site: Contoso\nstores:\n  - name: local\n    file: roots.p7b\n" + more;
}
std::string ldap_store_with(const std::string& more) {
  return "site: Contoso\nstores:\n  - name: ad\n    ldap: ldap://dc1.contoso.example\n" + more;
}
/// Line 7 is the first of `more`.
std::string pair_with(const std::string& more) {
  return "site: Contoso\nservers:\n"
         "  - {name: fe1.contoso.example, role: front-end, pool: pool.contoso.example, certificate: fe1.crt, key: "
         "fe1.key}\n"
         "  - {name: edge1.contoso.example, role: edge, pool: edge.contoso.example}\n"
         "  - {name: edge2.contoso.example, role: edge, pool: edge.contoso.example}\n"
         "mras: {identity: \"sip:probe@contoso.example\"}\n" +
         more;
}

INSTANTIATE_TEST_SUITE_P(
    Yaml, ProblemTest,
    testing::Values(
        row("EmptyFile", "", "1:1: the file is empty: nothing but blanks and comments"),
        row("OnlyComments", "# nothing\n\n", "1:1: the file is empty: nothing but blanks and comments"),
        row("OnlyMarker", "---\n", "1:1: the file is empty: nothing but blanks and comments"),
        row("OnlyNull", "~\n", "1:1: the file is empty: nothing but blanks and comments"),
        row("NoMapping", "- site\n",
            "1:1: expected a mapping with the keys site, include, stores, servers, links, mras, thresholds, limits, "
            "resolve, fetch, ocsp, revocation, network, strangers and relay, got a list"),
        row("NoMappingButText", "Contoso\n",
            "1:1: expected a mapping with the keys site, include, stores, servers, links, mras, thresholds, limits, "
            "resolve, fetch, ocsp, revocation, network, strangers and relay, got a string"),
        row("Nul", std::string{"site: A\nx: \0\n", 13},
            "2:4: a NUL byte; a configuration is UTF-8 text (not UTF-16, nothing binary)"),
        row("Escape", "site: \x1B[31m\n",
            "1:7: control character 0x1B; only text, blanks and line ends can stand here"),
        row("EndOfTransmission", "site: A\n\x04\nstores: []\n",
            "2:1: control character 0x04; only text, blanks and line ends can stand here"),
        row("Latin1", "site: Fr\xE4nkisch\n", "1:9: byte 0xE4 is not UTF-8; save the file as UTF-8"),
        row("OverlongUtf8", "site: \xC0\xAF\n", "1:7: byte 0xC0 is not UTF-8; save the file as UTF-8"),
        row("Surrogate", "site: \xED\xA0\x80\n", "1:7: byte 0xED is not UTF-8; save the file as UTF-8"),
        row("Utf16", std::string{"\xFF\xFEs\0i\0", 6}, "1:1: the file is UTF-16; save it as UTF-8"),
        row("TabIndentation", "mras:\n\tidentity: x\nlimits:\n  \tstep: 1s\n",
            "2:1: a tab in the indentation; YAML wants blanks there\n4:3: a tab in the indentation; YAML wants blanks "
            "there"),
        row("OpenBracket", "site: [A\n",
            "2:1: not YAML: the '[' of site.yaml:1:7 is not closed before this, or a ',' is missing, or text that ends "
            "in ':' is not in quotes"),
        row("OpenBrace", "site: A\nmras: {identity: x\n",
            "3:1: not YAML: the '{' of site.yaml:2:7 is not closed before this, or a ',' is missing, or text that ends "
            "in ':' is not in quotes"),
        row("ColonInFlowStyle", "site: A\nthresholds:\n  expiry: {warning: 30:, critical: 10:}\n",
            "3:23: not YAML: the '{' of site.yaml:3:11 is not closed before this, or a ',' is missing, or text that "
            "ends "
            "in ':' is not in quotes"),
        row("OpenQuote", "site: \"A\n",
            "1:1: not YAML: a quotation mark behind this, here or on the next lines, is not closed"),
        row("ColonAtTheEnd", "thresholds:\n  expiry:\n    warning: 30:\n",
            "3:16: not YAML: a ':' where no value can begin; put text that holds ': ' or ends in ':' into quotes, and "
            "check "
            "the indentation"),
        row("QuoteOpenedFarAbove", "site: A\nmras:\n  identity: \"sip:a@b\n  location: intranet\nlimits: {}\n",
            "3:3: not YAML: a quotation mark behind this, here or on the next lines, is not closed"),
        row("WrongIndentation", "mras:\n  location: intranet\n duration: 8h\n",
            "3:2: not YAML: this does not fit into the mapping around it; check the indentation and the quotes"),
        row("AtSign", "site: @10\n", "1:7: not YAML: no value can begin with this character; put the text into quotes"),
        row("UnknownAlias", "site: *a\n", "1:7: not YAML: an alias of an anchor that is not defined above"),
        row("AliasOfItself", "stores: &a [*a]\n", "1:13: this alias stands inside what it is an alias of"),
        row("Tag", "site: !!binary aGVsbG8=\n",
            "1:7: the tag 'tag:yaml.org,2002:binary' is not allowed; tags mean nothing here, leave it out"),
        row("TagOnList", "stores: !set [a]\n",
            "1:9: the tag '!set' is not allowed; tags mean nothing here, leave it out"),
        row("SecondDocument", "site: A\n---\nsite: B\n",
            "2:1: a second document begins here; one file is one document (remove the '---')"),
        row("LongLine", "site: A\nx: [" + std::string(10'000, ',') + "]\n",
            "2:1: a line of 10005 bytes; at most 8192 can stand in one"),
        row("DeepBracketsOnOneLine", std::string(100'000, '['),
            "1:1: a line of 100000 bytes; at most 8192 can stand in one"),
        row(
            "DeepBrackets",
            [] {
              std::string text;
              for (int i = 0; i < 50'000; ++i) text += "[[\n";
              return text;
            }(),
            "33:1: lists and mappings are nested more than 32 deep"),
        row("DeepBraces", "a: " + std::string(40, '{'), "1:35: lists and mappings are nested more than 32 deep"),
        row(
            "DeepBehindQuotes",
            [] {
              std::string text;
              for (int i = 0; i < 200; ++i) text += "[ ']',\n";
              return text;
            }(),
            "17:1: lists and mappings are nested more than 32 deep"),
        row(
            "DeepDashes",
            [] {
              std::string text;
              for (int i = 0; i < 4'000; ++i) text += "- ";
              return text;
            }(),
            "1:65: lists and mappings are nested more than 32 deep"),
        row("BillionLaughs",
            "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c "
            "[*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
            "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
            "5:29: more than 100000 values, aliases expanded"),
        row(
            "DeepByAliases",
            [] {
              std::string text = "k0: &k0 [x]\n";
              for (int i = 1; i < 40; ++i) {
                text += "k" + std::to_string(i) + ": &k" + std::to_string(i) + " [*k" + std::to_string(i - 1) + "]\n";
              }
              return text;
            }(),
            "32:12: lists and mappings are nested more than 32 deep")),
    by_name);

INSTANTIATE_TEST_SUITE_P(
    Keys, ProblemTest,
    testing::Values(
        row("UnknownKey", site_with("serversr: []\nstores: [{name: a, file: roots.p7b}]\n"),
            "2:1: unknown key 'serversr'; did you mean 'servers'?"),
        row("UnknownKeyWithoutNeighbour", site_with("colour: red\nstores: [{name: a, file: roots.p7b}]\n"),
            "2:1: unknown key 'colour'; the keys are site, include, stores, servers, links, mras, thresholds, limits, "
            "resolve, fetch, ocsp, revocation, network, strangers and relay"),
        row("FetchIsYesOrNo", site_with("stores: [{name: a, file: roots.p7b}]\nfetch: sometimes\n"),
            "3:8: fetch: expected true or false, got 'sometimes'"),
        row("FetchIsNoList", site_with("stores: [{name: a, file: roots.p7b}]\nfetch: [\"http://pki/\"]\n"),
            "3:8: fetch: expected a string, got a list"),
        row("UnknownKeyInServer", server_with("    adresses: 127.0.0.1\n"),
            "5:5: unknown key 'adresses' in server 'fe1.contoso.example'; did you mean 'addresses'?"),
        row("UnderscoreForDash", ldap_store_with("    size_limit: 5\n"),
            "5:5: unknown key 'size_limit' in store 'ad'; did you mean 'size-limit'?"),
        row("MergeKey", site_with("stores:\n  - &a {name: a, file: roots.p7b}\n  - {<<: *a, name: b, file: more}\n"),
            "4:6: merge keys ('<<') are not supported; write the keys out, or use an alias for a whole value"),
        row("DuplicateKey", "site: A\nsite: B\nstores: [{name: a, file: roots.p7b, name: b}]\n",
            "2:1: key 'site' is already given at site.yaml:1:1; a key stands once in a mapping\n"
            "3:37: key 'name' is already given at site.yaml:3:11; a key stands once in a mapping"),
        row("DuplicateKeyInQuotes", "site: A\n\"site\": B\nstores: [{name: a, file: roots.p7b}]\n",
            "2:1: key 'site' is already given at site.yaml:1:1; a key stands once in a mapping"),
        row("KeyThatIsAList", site_with("[a, b]: c\nstores: [{name: a, file: roots.p7b}]\n"),
            "2:1: a key must be a string, this is a list"),
        row("ColumnInCharacters",
            "site: A\nstores: [{name: a, file: roots.p7b}] # \xC3\xA4\nmras: {location: \"\xC3\xA4\", x: 1}\n",
            "3:18: location of mras: unknown value '\xC3\xA4', allowed are intranet, internet and both\n"
            "3:23: unknown key 'x' in mras; the keys are identity, location, duration, service, profile and "
            "options-first"),
        row("NoValue", server_with("    certificate:\n    pool: ~\n"),
            "5:5: certificate of server 'fe1.contoso.example': has no value; give it one or leave the key out\n"
            "6:5: pool of server 'fe1.contoso.example': has no value; give it one or leave the key out"),
        row("EmptyString", server_with("    pool: \"\"\n"),
            "5:11: pool of server 'fe1.contoso.example': an empty string means nothing here; leave the key out"),
        row("MappingForString", server_with("    pool: {a: b}\n"),
            "5:11: pool of server 'fe1.contoso.example': expected a string, got a mapping"),
        row("MappingForList", site_with("stores: {name: a}\n"), "2:9: stores: expected a list, got a mapping"),
        row("StringForMapping", site_with("limits: 10s\nstores: [{name: a, file: roots.p7b}]\n"),
            "2:9: limits: expected a mapping, got a string"),
        row("MappingForStrings", "site: A\nstores: [{name: a, file: {path: x}}]\n",
            "2:26: file of store 'a': expected a string or a list of strings, got a mapping"),
        row("ListInStrings", "site: A\nstores: [{name: a, file: [[roots.p7b], ~]}]\n",
            "2:27: file of store 'a': expected a list of strings, got a list in it\n"
            "2:40: file of store 'a': expected a list of strings, got nothing in it"),
        row("StringForStore", site_with("stores: [ad]\n"),
            "2:10: stores: expected a mapping for each store, got a string"),
        row("ControlCharacters", "site: \"a\\0b\"\nstores: [{name: a, file: \"ro\\ets\"}]\n",
            "1:7: line ends or control characters in a value; it must be one line of plain text\n"
            "2:26: line ends or control characters in a value; it must be one line of plain text\n"
            "2:26: file of store 'a': ro?ts: No such file or directory"),
        row("LineEnds", "site: |\n  Contoso\nstores: [{name: a, file: roots.p7b}]\n",
            "1:7: line ends or control characters in a value; it must be one line of plain text"),
        row("NoSite", "stores: [{name: a, file: roots.p7b}]\n",
            "1:1: site: is missing; add 'site: NAME', the name that reports and recordings carry"),
        row("NothingToLookAt", "site: A\n", "1:1: nothing to look at: there are neither 'stores' nor 'servers'"),
        row("LongSiteName", "site: " + std::string(129, 'a') + "\nstores: [{name: a, file: roots.p7b}]\n",
            "1:7: site: a name has at most 128 characters")),
    by_name);

INSTANTIATE_TEST_SUITE_P(
    Stores, ProblemTest,
    testing::Values(
        row("WithoutName", site_with("stores: [{file: roots.p7b}]\n"),
            "2:10: name of store 1: is missing; add 'name: ad'"),
        row("BadName", site_with("stores: [{name: my store, file: roots.p7b}]\n"),
            "2:17: name of store: 'my store' is not a store's name; use at most 64 letters, digits, '-', '.' and '_'"),
        row("SameName", site_with("stores:\n  - {name: ad, file: roots.p7b}\n  - {name: AD, file: more}\n"),
            "4:12: name of store: another store is already named 'AD', at site.yaml:3:12"),
        row("NeitherSource", site_with("stores:\n  - name: ad\n"),
            "3:5: store 'ad': says neither 'ldap' nor 'file', so there is nothing to read; add one"),
        row("BothSources", ldap_store_with("    file: roots.p7b\n"),
            "5:5: store 'ad': has both 'ldap' and 'file'; make two "
            "stores of it"),
        row("UnknownKind", file_store_with("    kind: rot\n"),
            "5:11: kind of store 'local': unknown value 'rot', allowed are intermediate, root, ntauth and mixed; did "
            "you mean "
            "'root'?"),
        row("KindOfDirectory", ldap_store_with("    kind: root\n"),
            "5:11: kind of store 'ad': a directory service says itself what each container is for; leave 'kind' out"),
        row("DirectoryKeysOfFiles",
            file_store_with("    starttls: off\n    ca: dc-ca.pem\n    verify: true\n    base: DC=x\n"
                            "    size-limit: 5\n    bind: {}\n"),
            "5:5: starttls of store 'local': says how to read a directory service and goes with 'ldap' only\n"
            "6:5: ca of store 'local': says how to read a directory service and goes with 'ldap' only\n"
            "7:5: verify of store 'local': says how to read a directory service and goes with 'ldap' only\n"
            "8:5: base of store 'local': says how to read a directory service and goes with 'ldap' only\n"
            "9:5: size-limit of store 'local': says how to read a directory service and goes with 'ldap' only\n"
            "10:5: bind of store 'local': says how to read a directory service and goes with 'ldap' only"),
        row("PassphraseOfDirectory", ldap_store_with("    passphrase: env:P\n"),
            "5:5: passphrase of store 'ad': opens PKCS #12 files and goes with 'file' only"),
        row("PassphraseItself", file_store_with("    passphrase: hunter2\n"),
            "5:17: passphrase of store 'local': a secret must not stand here itself, where process lists, backups and "
            "everybody who may read this show it; say where it is: file:PATH, env:NAME or fd:NUMBER"),
        row("MissingFile", site_with("stores:\n  - name: a\n    file: [roots.p7b, rots.p7b, more/]\n"),
            "4:23: file of store 'a': rots.p7b: No such file or directory"),
        row("TildePath", site_with("stores: [{name: a, file: ~/roots.p7b}]\n"),
            "2:26: file of store 'a': '~/roots.p7b': a tilde is not expanded here; write the whole path"),
        row("DeviceAsFile", site_with("stores: [{name: a, file: /dev/null}]\n"),
            "2:26: file of store 'a': /dev/null: is neither a file nor a directory"),
        row("EmptyList", site_with("stores: [{name: a, file: []}, {name: b, ldap: []}]\n"),
            "2:26: file of store 'a': is an empty list; name a file or a directory\n"
            "2:47: ldap of store 'b': is an empty list; name a server"),
        row("DirectoryAsCa", ldap_store_with("    ca: more\n"),
            "5:9: ca of store 'ad': more: is a directory, a file is needed"),
        row("NotLdap", site_with("stores: [{name: a, ldap: \"https://dc1\"}]\n"),
            "2:26: ldap of store 'a': not a directory's URI; write ldap://host, ldaps://host (with :port where it is "
            "not 389 "
            "or 636) or ldapi://%2Fpath"),
        row("BareHost", site_with("stores: [{name: a, ldap: dc1.contoso.example}]\n"),
            "2:26: ldap of store 'a': not a directory's URI; write ldap://host, ldaps://host (with :port where it is "
            "not 389 "
            "or 636) or ldapi://%2Fpath"),
        row("LdapWithDn", site_with("stores: [{name: a, ldap: \"ldap://dc1/DC=contoso\"}]\n"),
            "2:26: ldap of store 'a': 'ldap://dc1/DC=contoso': nothing can stand behind the host; give a DN as 'base'"),
        row("LdapWithPassword", site_with("stores: [{name: a, ldap: \"ldap://reader:hunter2@dc1\"}]\n"),
            "2:26: ldap of store 'a': no user or password can stand in the URI; use 'bind'"),
        row("LdapWithoutHost", site_with("stores: [{name: a, ldap: \"ldap://\"}]\n"),
            "2:26: ldap of store 'a': 'ldap://': a name is missing"),
        row("LdapPort",
            site_with("stores: [{name: a, ldap: [\"ldap://dc1:0\", \"ldap://dc1:65536\", \"ldap://[::1]:x\"]}]\n"),
            "2:27: ldap of store 'a': 'ldap://dc1:0': a port is a number from 1 to 65535\n"
            "2:43: ldap of store 'a': 'ldap://dc1:65536': a port is a number from 1 to 65535\n"
            "2:63: ldap of store 'a': 'ldap://[::1]:x': a port is a number from 1 to 65535"),
        row("LdapBadAddress", site_with("stores: [{name: a, ldap: \"ldap://[::1\"}]\n"),
            "2:26: ldap of store 'a': 'ldap://[::1': ']' is missing"),
        row("LdapiWithSlash", site_with("stores: [{name: a, ldap: \"ldapi:///run/slapd\"}]\n"),
            "2:26: ldap of store 'a': 'ldapi:///run/slapd': the path behind ldapi:// is written with %2F for '/'"),
        row("Starttls", ldap_store_with("    starttls: on\n"),
            "5:15: starttls of store 'ad': unknown value 'on', allowed are automatic, required and off"),
        row("Verify", ldap_store_with("    verify: perhaps\n"),
            "5:13: verify of store 'ad': expected true or false, got 'perhaps'"),
        row("SizeLimit", ldap_store_with("    size-limit: -1\n"),
            "5:17: size-limit of store 'ad': expected a whole number from 1 to 10000000, got '-1'"),
        row("BindWithoutParts", ldap_store_with("    bind: {}\n"),
            "5:11: dn of bind of store 'ad': is missing; add 'dn: \"CN=reader,DC=contoso,DC=example\"'\n"
            "5:11: password of bind of store 'ad': is missing; add 'password: file:/etc/mrascheck/ldap.pass'"),
        row("BindWithBarePassword", ldap_store_with("    bind: {dn: CN=reader, password: hunter2}\n"),
            "5:37: password of bind of store 'ad': a secret must not stand here itself, where process lists, backups "
            "and "
            "everybody who may read this show it; say where it is: file:PATH, env:NAME or fd:NUMBER"),
        row("BindInClearText",
            ldap_store_with("    starttls: off\n    bind: {dn: CN=reader, password: \"file:ldap.pass\"}\n"),
            "5:15: starttls of store 'ad': the password of 'bind' would travel over ldap:// in clear text; use "
            "automatic or "
            "required, or ldaps://"),
        row("SaslWord", ldap_store_with("    bind: {sasl: digest-md5}\n"),
            "5:18: sasl of bind of store 'ad': unknown value 'digest-md5', allowed are gssapi and external"),
        row("SaslWithPassword",
            ldap_store_with("    bind: {sasl: gssapi, dn: CN=reader, password: \"file:ldap.pass\"}\n"),
            "5:26: dn of bind of store 'ad': goes with a simple bind; with 'sasl' leave it out\n"
            "5:41: password of bind of store 'ad': goes with a simple bind; with 'sasl' leave it out"),
        row("ChannelBindingWithoutTls", ldap_store_with("    bind: {sasl: gssapi, channel-binding: true}\n"),
            "5:43: channel-binding of bind of store 'ad': binds to a TLS certificate, and not every URI leads to one; "
            "use ldaps://, or 'starttls: required'"),
        row("KerberosWithCertificate", ldap_store_with("    bind: {sasl: gssapi, certificate: ldap.pass}\n"),
            "5:26: certificate of bind of store 'ad': goes with 'sasl: external' only"),
        row("ExternalWithChannelBinding",
            ldap_store_with(
                "    bind: {sasl: external, channel-binding: true, certificate: ldap.pass, key: ldap.pass}\n"),
            "5:28: channel-binding of bind of store 'ad': goes with 'sasl: gssapi' only"),
        row("ExternalWithNothingToGoBy", ldap_store_with("    bind: {sasl: external}\n"),
            "5:18: sasl of bind of store 'ad': external goes by the user of ldapi://, or by 'certificate' and 'key' "
            "under TLS"),
        row("ExternalWithoutKey", ldap_store_with("    bind: {sasl: external, certificate: ldap.pass}\n"),
            "5:28: certificate of bind of store 'ad': means nothing without 'key'; add that"),
        row("ExternalWithoutTls",
            ldap_store_with("    starttls: off\n    bind: {sasl: external, certificate: ldap.pass, key: ldap.pass}\n"),
            "6:41: certificate of bind of store 'ad': is shown under TLS only, and 'starttls' is off; use automatic or "
            "required, or ldaps://"),
        row("SimpleWithCertificate",
            ldap_store_with("    bind: {dn: CN=reader, password: \"file:ldap.pass\", key: ldap.pass}\n"),
            "5:55: key of bind of store 'ad': goes with 'sasl' only"),
        row("UnknownHost", pair_with("stores:\n  - {name: a, host: edge3.contoso.example, file: roots.p7b}\n"),
            "8:21: host of store 'a': there is no server or pool 'edge3.contoso.example'; did you mean "
            "'edge1.contoso.example'?")),
    by_name);

INSTANTIATE_TEST_SUITE_P(
    Servers, ProblemTest,
    testing::Values(
        row("WithoutAnything", site_with("servers:\n  - {}\n"),
            "3:5: name of server 1: is missing; add 'name: fe1.contoso.example'\n"
            "3:5: role of server 1: is missing; add 'role: front-end'"),
        row("UnknownRole", site_with("servers: [{name: fe1, role: frontend}]\n"),
            "2:29: role of server 'fe1': unknown value 'frontend', allowed are front-end and edge; did you mean "
            "'front-end'?"),
        row("AddressAsName", site_with("servers: [{name: 192.0.2.1, role: edge}]\n"),
            "2:18: name of server: '192.0.2.1' is an address; give the name that stands in the certificate"),
        row("BlankInName", site_with("servers: [{name: fe 1, role: edge}]\n"),
            "2:18: name of server: 'fe 1' is not a host name: a name has letters, digits, '-' and '.' only"),
        row("EmptyLabel", site_with("servers: [{name: fe1..contoso, role: edge}]\n"),
            "2:18: name of server: 'fe1..contoso' is not a host name: a part between two dots is empty"),
        row("DashAtTheEnd", site_with("servers: [{name: fe1-.contoso, role: edge}]\n"),
            "2:18: name of server: 'fe1-.contoso' is not a host name: a part begins or ends with '-'"),
        row("LongLabel", site_with("servers: [{name: " + std::string(64, 'a') + ", role: edge}]\n"),
            "2:18: name of server: '" + std::string(64, 'a') +
                "' is not a host name: a part is longer than 63 characters"),
        row("SameServerName", site_with("servers:\n  - {name: FE1, role: edge}\n  - {name: fe1, role: edge}\n"),
            "4:12: name of server: another server is already named 'fe1', at site.yaml:3:12"),
        row("BadAddress", server_with("    addresses: [127.0.0.1, 127.0.0.256, \"[::1]\", fe80::1%eth0]\n"),
            "5:28: addresses of server 'fe1.contoso.example': '127.0.0.256' is not an address; give an IPv4 or IPv6 "
            "literal "
            "such as 192.0.2.1 or \"2001:db8::1\"\n"
            "5:41: addresses of server 'fe1.contoso.example': '[::1]' is not an address; give an IPv4 or IPv6 literal "
            "such as "
            "192.0.2.1 or \"2001:db8::1\"\n"
            "5:50: addresses of server 'fe1.contoso.example': 'fe80::1%eth0' is not an address; give an IPv4 or IPv6 "
            "literal "
            "such as 192.0.2.1 or \"2001:db8::1\""),
        row("NoAddress", server_with("    addresses: []\n"),
            "5:16: addresses of server 'fe1.contoso.example': is an empty list; give it addresses, or leave the key "
            "out "
            "to have the name resolved"),
        row("DnsAndAddresses", server_with("    dns: inside.contoso.example\n    addresses: 127.0.0.1\n"),
            "6:5: server 'fe1.contoso.example': has both 'dns' and 'addresses'; with addresses no name is resolved, "
            "leave one "
            "out"),
        row("MissingCertificate", server_with("    certificate: fe2.crt\n"),
            "5:18: certificate of server 'fe1.contoso.example': fe2.crt: No such file or directory"),
        row("DirectoryAsKey", server_with("    certificate: fe1.crt\n    key: more\n"),
            "6:10: key of server 'fe1.contoso.example': more: is a directory, a file is needed"),
        row("KeyWithoutCertificate", server_with("    key: fe1.key\n"),
            "5:5: key of server 'fe1.contoso.example': means nothing without 'certificate'; add that"),
        row("ChainWithoutCertificate", server_with("    chain: stores\n    intermediates: []\n"),
            "5:5: chain of server 'fe1.contoso.example': means nothing without 'certificate'; add that\n"
            "5:12: chain of server 'fe1.contoso.example': no stores to make it from; name them under 'intermediates' "
            "(a file "
            "called stores is written ./stores)"),
        row("PassphraseWithoutKey", server_with("    certificate: fe1.crt\n    passphrase: env:P\n"),
            "6:5: passphrase of server 'fe1.contoso.example': means nothing without 'key'; add that"),
        row("PassphraseInFull",
            server_with("    certificate: fe1.crt\n    key: fe1.key\n    passphrase: pass:hunter2\n"),
            "7:17: passphrase of server 'fe1.contoso.example': a secret must not stand here itself, where process "
            "lists, "
            "backups and everybody who may read this show it; say where it is: file:PATH, env:NAME or fd:NUMBER"),
        row("PassphraseFileMissing",
            server_with("    certificate: fe1.crt\n    key: fe1.key\n    passphrase: file:nix\n"),
            "7:17: passphrase of server 'fe1.contoso.example': nix: No such file or directory"),
        row("UnknownStore",
            server_with("    trusts: [da]\n    intermediates: [ad, nowhere]\n"
                        "stores:\n  - {name: ad, file: roots.p7b}\n"),
            "5:14: trusts of server 'fe1.contoso.example': there is no store 'da'; add it under 'stores'\n"
            "6:25: intermediates of server 'fe1.contoso.example': there is no store 'nowhere'; add it under 'stores'"),
        row("NearlyAStore", server_with("    trusts: corp-root\nstores:\n  - {name: corp-roots, file: roots.p7b}\n"),
            "5:13: trusts of server 'fe1.contoso.example': there is no store 'corp-root'; did you mean 'corp-roots'?"),
        row("TrustsIntermediates",
            server_with("    trusts: [sub]\nstores:\n  - {name: sub, kind: intermediate, file: more}\n"),
            "5:14: trusts of server 'fe1.contoso.example': store 'sub' is of kind intermediate and holds no roots; "
            "name one "
            "of kind root or mixed"),
        row("PatchLevel", server_with("    patch-level: 4.0.7577\n"),
            "5:18: patch-level of server 'fe1.contoso.example': '4.0.7577' is not a version of four numbers such as "
            "4.0.7577.230 (Get-CsServerPatchVersion shows it)"),
        row("UnknownProfile", server_with("    profile: lync\n"),
            "5:14: profile of server 'fe1.contoso.example': unknown value 'lync', allowed are ocs2007r2, lync2010, "
            "lync2013 and sfb"),
        row("ProfileOfAnEdge", server_with("  - {name: edge1, role: edge, profile: sfb}\n"),
            "5:40: profile of server 'edge1': says how a Front End asks, and this is an Edge; leave it out"),
        row("NoTraces", server_with("    traces: []\n"),
            "5:13: traces of server 'fe1.contoso.example': is an empty list; name a file"),
        row("TraceThatIsNotThere", server_with("    traces: [gone.txt]\n"),
            "5:14: traces of server 'fe1.contoso.example': gone.txt: No such file or directory"),
        row("ReportThatIsNoFile", server_with("    patch-report: more\n"),
            "5:19: patch-report of server 'fe1.contoso.example': more: is a directory, a file is needed"),
        row("PoolOfTwoRoles",
            server_with("    pool: pool.contoso.example\n"
                        "  - {name: edge1, role: edge, pool: POOL.contoso.example}\n"),
            "6:37: pool of server 'edge1': 'POOL.contoso.example' has a front-end in it already (fe1.contoso.example); "
            "a pool "
            "has one role"),
        row("PoolNamedAsAnother", server_with("  - {name: fe2, role: front-end, pool: fe1.contoso.example}\n"),
            "5:40: pool of server 'fe2': 'fe1.contoso.example' is the name of another server; a pool has a name of its "
            "own, "
            "or that of its only server")),
    by_name);

INSTANTIATE_TEST_SUITE_P(
    LinksAndTheRest, ProblemTest,
    testing::Values(
        row("WithoutEnds", pair_with("links:\n  - {}\n"),
            "8:5: from of link 1: is missing; add 'from: fe1.contoso.example'\n"
            "8:5: to of link 1: is missing; add 'to: edge1.contoso.example'"),
        row("UnknownServer", pair_with("links:\n  - {from: fe2.contoso.example, to: elsewhere}\n"),
            "8:12: from of link: there is no server or pool 'fe2.contoso.example'; did you mean "
            "'fe1.contoso.example'?\n"
            "8:37: to of link: there is no server or pool 'elsewhere'; add it under 'servers'"),
        row("FromWithoutKey",
            pair_with("links:\n  - {from: edge1.contoso.example, to: fe1.contoso.example, service: tls}\n"),
            "8:12: from of link: server 'edge1.contoso.example' has no certificate and key, so it cannot be the "
            "client; give "
            "it both"),
        row("PortTooHigh",
            pair_with("links:\n  - {from: fe1.contoso.example, to: edge.contoso.example, port: 65536}\n"),
            "8:65: port of link 1: expected a whole number from 1 to 65535, got '65536'"),
        row("PortAsWord", pair_with("links:\n  - {from: fe1.contoso.example, to: edge.contoso.example, port: sip}\n"),
            "8:65: port of link 1: expected a whole number from 1 to 65535, got 'sip'"),
        row("UnknownTlsVersion",
            pair_with("links:\n  - {from: fe1.contoso.example, to: edge.contoso.example, tls: {min: 1.4}}\n"),
            "8:70: min of tls of link 1: unknown value '1.4', allowed are 1.0, 1.1, 1.2 and 1.3; did you mean '1.0'?"),
        row("NoTlsVersionLeft",
            pair_with("links:\n  - {from: fe1.contoso.example, to: edge.contoso.example, tls: {min: 1.2, max: 1.1}}\n"),
            "8:70: min of tls of link 1: is above 'max', so that no version is left"),
        row("EmptyTls", pair_with("links:\n  - {from: fe1.contoso.example, to: edge.contoso.example, tls: {}}\n"),
            "8:64: tls of link 1: is empty; give 'min', 'max' or both"),
        row("AddressAsSni",
            pair_with("links:\n  - {from: fe1.contoso.example, to: edge.contoso.example, sni: 192.0.2.1}\n"),
            "8:64: sni of link 1: '192.0.2.1' is an address; give the name that stands in the certificate; or write "
            "off"),
        row("ProfileOfALinkWithoutMras",
            pair_with("links:\n  - {from: fe1.contoso.example, to: edge.contoso.example, service: tls, profile: "
                      "sfb}\n"),
            "8:82: profile of link 1: goes with 'service: mras' only; leave it out"),
        row("UnknownTrial",
            pair_with("links:\n  - {from: fe1.contoso.example, to: edge.contoso.example, try: [identities, all]}\n"),
            "8:77: try of link 1: unknown value 'all', allowed are identities, enumerate and chain-variants"),
        row("TrialsWhereNobodyIsLetIn",
            pair_with("links:\n  - {from: fe1.contoso.example, to: edge.contoso.example, expect: refuse, try: "
                      "enumerate}\n"),
            "8:80: try of link 1: goes with links that are to be accepted: what is tried is held against what they "
            "get"),
        row("RelayWhereNobodyIsLetIn",
            pair_with("links:\n  - {from: fe1.contoso.example, to: edge.contoso.example, expect: refuse, relay: "
                      "true}\n"),
            "8:82: relay of link 1: goes with links of 'service: mras' that are to be accepted: nobody else grants the "
            "credentials"),
        row("RelayBehindTls",
            pair_with("links:\n  - {from: fe1.contoso.example, to: edge.contoso.example, service: tls, relay: true}\n"),
            "8:80: relay of link 1: goes with links of 'service: mras' that are to be accepted: nobody else grants the "
            "credentials"),
        row("RelayAsWord", pair_with("relay: often\n"), "7:8: relay: expected true or false, got 'often'"),
        row("StrangerOfNoKind", pair_with("strangers:\n  - {kind: friend, certificate: fe1.crt, key: fe1.key}\n"),
            "8:12: kind of stranger 1: unknown value 'friend', allowed are foreign-ca, stale-ca, expired and "
            "server-only"),
        row("StrangerWithoutKey", pair_with("strangers:\n  - {kind: expired, certificate: fe1.crt}\n"),
            "8:5: key of stranger 1: is missing; add 'key: stranger.key'"),
        row("BadNameServer",
            pair_with("network: {name-servers: [dns1, \"192.0.2.53:0\", \"::1:53\", \"[::1]:5353\"]}\n"),
            "7:26: name-servers of network: 'dns1' is not the address of a name server; write 192.0.2.53, "
            "\"192.0.2.53:5353\" or \"[2001:db8::53]:53\"\n"
            "7:32: name-servers of network: '192.0.2.53:0' is not the address of a name server; write 192.0.2.53, "
            "\"192.0.2.53:5353\" or \"[2001:db8::53]:53\""),
        row("TwoSourcesOfAFamily", pair_with("network: {source: [192.0.2.1, \"2001:db8::1\", 192.0.2.2]}\n"),
            "7:46: source of network: is the second of IPv4; give one"),
        row("NoSource", pair_with("network: {source: []}\n"),
            "7:19: source of network: is an empty list; leave the key out instead"),
        row("UnknownService",
            pair_with("links:\n  - {from: fe1.contoso.example, to: edge.contoso.example, service: sips}\n"),
            "8:68: service of link 1: unknown value 'sips', allowed are mras, sip and tls; did you mean 'sip'?"),
        row("UnknownExpectation",
            pair_with("links:\n  - {from: fe1.contoso.example, to: edge.contoso.example, expect: reject}\n"),
            "8:67: expect of link 1: unknown value 'reject', allowed are accept and refuse"),
        row("SameLink",
            pair_with("links:\n  - {from: pool.contoso.example, to: edge.contoso.example}\n"
                      "  - {from: FE1.contoso.example, to: edge2.contoso.example, service: tls}\n"),
            "9:5: link fe1.contoso.example -> edge2.contoso.example:5062: is already given at site.yaml:8:5; say each "
            "once"),
        row("ToItself", pair_with("links:\n  - {from: fe1.contoso.example, to: fe1.contoso.example, service: tls}\n"),
            "8:37: to of link: 'fe1.contoso.example' would shake hands with itself; name two servers"),
        row("MrasAtAFrontEnd",
            server_with("    certificate: fe1.crt\n    key: fe1.key\n  - {name: fe2, role: front-end}\n"
                        "mras: {identity: \"sip:a@b\"}\nlinks: [{from: fe1.contoso.example, to: fe2}]\n"),
            "9:41: to of link: 'fe2' is a front-end, and only Edges answer MRAS; add 'service: sip' or 'service: tls'"),
        row("MrasWithoutIdentity",
            server_with("    certificate: fe1.crt\n    key: fe1.key\n  - {name: edge1, role: edge}\n"
                        "links:\n  - {from: fe1.contoso.example, to: edge1}\n"),
            "9:5: mras: identity is missing; fe1.contoso.example -> edge1:5062 asks for MRAS credentials, which needs "
            "a user: "
            "add 'mras: {identity: \"sip:probe@contoso.example\"}'"),
        row("DefaultLinksWithoutIdentity",
            server_with("    certificate: fe1.crt\n    key: fe1.key\n  - {name: edge1, role: edge}\n"),
            "3:5: mras: identity is missing; no links are given, so fe1.contoso.example -> edge1:5062 asks for MRAS "
            "credentials, which needs a user: add 'mras: {identity: \"sip:probe@contoso.example\"}'"),
        row("DefaultLinksWithoutKey", server_with("    certificate: fe1.crt\n  - {name: edge1, role: edge}\n"),
            "3:5: server 'fe1.contoso.example': it has a certificate but no key, and no links are given, so none would "
            "begin at it; add its key, or say which links there are"),
        row("Identity", file_store_with("mras: {identity: probe@contoso.example}\n"),
            "5:18: identity of mras: 'probe@contoso.example' is not a user's SIP URI such as "
            "sip:probe@contoso.example: it "
            "must begin with sip:"),
        row("IdentityWithoutUser", file_store_with("mras: {identity: \"sip:@contoso.example\"}\n"),
            "5:18: identity of mras: 'sip:@contoso.example' is not a user's SIP URI such as sip:probe@contoso.example: "
            "the "
            "user before '@' is missing"),
        row("IdentityWithoutAt", file_store_with("mras: {identity: \"sip:contoso.example\"}\n"),
            "5:18: identity of mras: 'sip:contoso.example' is not a user's SIP URI such as sip:probe@contoso.example: "
            "there is "
            "no '@'"),
        row("IdentityWithBlank", file_store_with("mras: {identity: \"sip:a b@contoso.example\"}\n"),
            "5:18: identity of mras: 'sip:a b@contoso.example' is not a user's SIP URI such as "
            "sip:probe@contoso.example: the "
            "user before '@' holds a character that a SIP URI cannot have there"),
        row("IdentityWithLineEnd", file_store_with("mras: {identity: \"sip:a@b\\r\\nX: y\"}\n"),
            "5:18: line ends or control characters in a value; it must be one line of plain text\n"
            "5:18: identity of mras: 'sip:a@b??X: y' is not a user's SIP URI such as sip:probe@contoso.example: the "
            "domain "
            "after '@': a name has letters, digits, '-' and '.' only"),
        row("IdentityWithParameter", file_store_with("mras: {identity: \"sip:a@b;gruu\"}\n"),
            "5:18: identity of mras: 'sip:a@b;gruu' is not a user's SIP URI such as sip:probe@contoso.example: it has "
            "parameters behind the domain"),
        row("ServiceUri", file_store_with("mras: {service: \"sip:e@b;gruu;opaque=<x>\"}\n"),
            "5:17: service of mras: 'sip:e@b;gruu;opaque=<x>' is not a service's SIP URI such as "
            "sip:edge@contoso.example;gruu;opaque=srvr:MRAS:ID: its parameters hold a character that a SIP URI cannot "
            "have "
            "there"),
        row("Location", file_store_with("mras: {location: extranet}\n"),
            "5:18: location of mras: unknown value 'extranet', allowed are intranet, internet and both; did you mean "
            "'intranet'?"),
        row("DurationInSeconds", file_store_with("mras: {duration: 90s}\n"),
            "5:18: duration of mras: MRAS counts whole minutes, '90s' is not"),
        row("DurationZero", file_store_with("mras: {duration: 0}\n"),
            "5:18: duration of mras: expected a time from 60s to 720h such as 500ms, 10s, 2m or 8h, got '0'"),
        row("UnknownMetric", file_store_with("thresholds: {expirey: {warning: 10}}\n"),
            "5:14: unknown key 'expirey' in thresholds; did you mean 'expiry'?"),
        row("ThresholdAsString", file_store_with("thresholds: {expiry: \"30:\"}\n"),
            "5:22: expiry of thresholds: expected a mapping, got a string"),
        row("BadRange", file_store_with("thresholds: {expiry: {warning: \"20:10\", critical: ten}}\n"),
            "5:32: warning of threshold 'expiry': '20:10': not a threshold range: its start is greater than its end "
            "(write "
            "10, 10:, ~:10, 10:20 or @10:20)\n"
            "5:51: critical of threshold 'expiry': 'ten': not a threshold range: 'ten' is not a number (write 10, 10:, "
            "~:10, "
            "10:20 or @10:20)"),
        row("EmptyThreshold", file_store_with("thresholds: {expiry: {}}\n"),
            "5:22: expiry of thresholds: is empty; give 'warning', 'critical' or both"),
        row("Limits", file_store_with("limits: {step: 10 s, quiet: 0, deadline: 2h, parallel: 0, per-host: 10001}\n"),
            "5:16: step of limits: expected a time from 1ms to 1h such as 500ms, 10s, 2m or 8h, got '10 s'\n"
            "5:29: quiet of limits: expected a time from 1ms to 1h such as 500ms, 10s, 2m or 8h, got '0'\n"
            "5:42: deadline of limits: expected a time from 1ms to 1h such as 500ms, 10s, 2m or 8h, got '2h'\n"
            "5:56: parallel of limits: expected a whole number from 1 to 10000, got '0'\n"
            "5:69: per-host of limits: expected a whole number from 1 to 10000, got '10001'"),
        row("QuietBeyondDeadline", file_store_with("limits: {deadline: 500ms}\n"),
            "5:10: limits: 'quiet' must be shorter than 'deadline', or no peer can ever be said to have accepted"),
        row("Resolve",
            file_store_with(
                "resolve:\n  e 1: 127.0.0.1\n  e2: localhost\n  e3: []\n  e4: {}\n  e5:\n  e6: ::1\n  E6: ::1\n"),
            "6:3: resolve: 'e 1' is not a host name: a name has letters, digits, '-' and '.' only\n"
            "7:7: e2 of resolve: 'localhost' is not an address; give an IPv4 or IPv6 literal such as 192.0.2.1 or "
            "\"2001:db8::1\"\n"
            "8:7: e3 of resolve: is an empty list; give it addresses\n"
            "9:7: e4 of resolve: expected a string or a list of strings, got a mapping\n"
            "10:3: e5 of resolve: has no value; give it addresses\n"
            "12:3: resolve.e6: is already given at site.yaml:11:3; it can stand once in all files together")),
    by_name);

TEST(ProblemsTest, AreAllThereInFileOrder) {
  const Site site;
  site.dir().write("second.yaml", "stores:\n  - {nam: x, file: more}\nlinkz: {}\n");
  const ConfigFile file = site.read(
      "include: second.yaml\n"
      "servers:\n  - {name: fe1, role: front, certificate: nix.crt}\n"
      "limts: {}\n");
  EXPECT_EQ(joined(site.problems(file)),
            "site.yaml:1:1: site: is missing; add 'site: NAME', the name that reports and recordings carry\n"
            "site.yaml:3:23: role of server 'fe1': unknown value 'front', allowed are front-end and edge\n"
            "site.yaml:3:43: certificate of server 'fe1': nix.crt: No such file or directory\n"
            "site.yaml:4:1: unknown key 'limts'; did you mean 'limits'?\n"
            "second.yaml:2:5: name of store 1: is missing; add 'name: ad'\n"
            "second.yaml:2:6: unknown key 'nam' in store 1; did you mean 'name'?\n"
            "second.yaml:3:1: unknown key 'linkz'; did you mean 'links'?\n");
}

TEST(ProblemsTest, OfAnAnchorAreSaidOnceHoweverOftenItIsUsed) {
  const Site site;
  EXPECT_EQ(joined(site.problems(site.read("site: A\nservers:\n"
                                           "  - {name: fe1, role: front-end, trusts: &t [nowhere]}\n"
                                           "  - {name: fe2, role: front-end, intermediates: *t, addresses: &a [x]}\n"
                                           "  - {name: fe1.x, role: front-end, addresses: *a}\n"))),
            "site.yaml:3:46: trusts of server 'fe1': there is no store 'nowhere'; add it under 'stores'\n"
            "site.yaml:3:46: intermediates of server 'fe2': there is no store 'nowhere'; add it under 'stores'\n"
            "site.yaml:4:68: addresses of server 'fe2': 'x' is not an address; give an IPv4 or IPv6 literal such as "
            "192.0.2.1 "
            "or \"2001:db8::1\"\n"
            "site.yaml:4:68: addresses of server 'fe1.x': 'x' is not an address; give an IPv4 or IPv6 literal such as "
            "192.0.2.1 or \"2001:db8::1\"\n");
}

TEST(ProblemsTest, AreCutWhenThereAreThousands) {
  const Site site;
  std::string yaml = "site: A\nstores: [{name: a, file: more}]\n";
  for (int i = 0; i < 1500; ++i) yaml += "k" + std::to_string(i) + ": x\n";
  const ConfigFile file = site.read(yaml);
  ASSERT_EQ(file.problems.size(), 1001U);
  EXPECT_EQ(file.problems.back(), "500 more problems are left out here");
}

TEST(ProblemsTest, OfTheFileAsAWholeNameIt) {
  const Site site;
  EXPECT_EQ(joined(site.problems(read_config(site.dir() / "nix.yaml"))), "nix.yaml: No such file or directory\n");
  EXPECT_EQ(joined(site.problems(read_config(site.dir() / "more"))), "more: is a directory, a file is needed\n");
  EXPECT_EQ(read_config("/dev/zero").problems, Lines{"/dev/zero: is no regular file"});
}

TEST(ProblemsTest, AnOversizedFileIsRefused) {
  const Site site;
  EXPECT_EQ(joined(site.problems(site.read(std::string(4 * 1024 * 1024 + 1, '#')))),
            "site.yaml: is larger than 4194304 bytes\n");
}

TEST(ProblemsTest, APipeIsRefusedWithoutWaitingForItsWriter) {
  const Site site;
  ASSERT_EQ(::mkfifo((site.dir() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(joined(site.problems(read_config(site.dir() / "pipe"))), "pipe: is no regular file\n");
  EXPECT_EQ(joined(site.problems(site.read("site: A\nstores: [{name: a, file: pipe}]\n"))),
            "site.yaml:2:26: file of store 'a': pipe: is neither a file nor a directory\n");
}

TEST(ProblemsTest, AFileWithoutPermissionIsSaid) {
  const Site site;
  site.dir().write("site.yaml", server_with("    certificate: fe1.crt\n    key: fe1.key\n"));
  ASSERT_EQ(::chmod((site.dir() / "fe1.key").c_str(), 0), 0);
  // Root may read everything, so that it reads as somebody else here.
  const uid_t self = ::geteuid();
  constexpr uid_t nobody = 65'534;
  if (self == 0) {
    ASSERT_EQ(::chmod(site.dir().path().c_str(), 0755), 0);
    ASSERT_EQ(::seteuid(nobody), 0);
  }
  const ConfigFile file = read_config(site.dir() / "site.yaml");
  ASSERT_EQ(::seteuid(self), 0);
  EXPECT_EQ(joined(site.problems(file)),
            "site.yaml:6:10: key of server 'fe1.contoso.example': fe1.key: Permission denied\n");
}

TEST(ProblemsTest, APartThatCouldNotBeReadMakesNoFalseReferences) {
  const Site site;
  site.dir().write("stores.yaml", "stores: [\n");
  EXPECT_EQ(joined(site.problems(site.read("site: A\ninclude: stores.yaml\nservers:\n"
                                           "  - {name: fe1, role: front-end, trusts: ad}\n"
                                           "links: [{from: fe1, to: edge1}]\n"))),
            "stores.yaml:2:1: not YAML: the '[' of stores.yaml:1:9 is not closed before this, or a ',' is missing, or "
            "text that ends "
            "in ':' is not in quotes\n");
}

// ---- Includes.

TEST(FetchTest, IsOffUnlessItIsAskedFor) {
  const Site site;
  const std::string stores = "stores: [{name: a, file: roots.p7b}]\n";
  EXPECT_FALSE(site.read(site_with(stores)).config.fetch);
  EXPECT_FALSE(site.read(site_with(stores + "fetch: false\n")).config.fetch);
  EXPECT_TRUE(site.read(site_with(stores + "fetch: true\n")).config.fetch);
}

TEST(OcspTest, IsOffUnlessItIsAskedFor) {
  const Site site;
  const std::string stores = "stores: [{name: a, file: roots.p7b}]\n";
  EXPECT_FALSE(site.read(site_with(stores)).config.ocsp);
  EXPECT_TRUE(site.read(site_with(stores + "ocsp: true\n")).config.ocsp);
  EXPECT_EQ(joined(site.problems(site.read(site_with(stores + "ocsp: hard\n")))),
            "site.yaml:3:7: ocsp: expected true or false, got 'hard'\n");
  EXPECT_FALSE(site.read(site_with(stores)).config.site.policy.revocation);
  EXPECT_EQ(site.read(site_with(stores + "revocation: hard\n")).config.site.policy.revocation, RevocationMode::hard);
}

TEST(IncludeTest, AppendsListsAndTakesScalarsFromAnyFile) {
  const Site site;
  site.dir().write("conf/servers.yaml",
                   "servers:\n  - {name: edge1, role: edge}\nmras: {identity: \"sip:probe@contoso.example\"}\n"
                   "thresholds: {tls-time: {warning: 1}}\n");
  site.dir().write("conf/stores.yaml",
                   "include: servers.yaml\nsite: Contoso\nstores:\n  - {name: own, file: own.pem}\n");
  const ConfigFile file = site.read(
      "include: [conf/stores.yaml]\nmras: {duration: 1h}\nthresholds: {mras-time: {critical: 5}}\n"
      "stores: [{name: first, file: more/}]\nservers: [{name: fe1, role: front-end, certificate: fe1.crt, key: "
      "fe1.key}]\n");
  ASSERT_EQ(joined(site.problems(file)), "");
  EXPECT_EQ(file.config.site.name, "Contoso");
  ASSERT_EQ(file.config.stores.size(), 2U);
  EXPECT_EQ(file.config.stores[0].name, "first");
  EXPECT_EQ(file.config.stores[1].paths, Lines{site.dir() / "conf/own.pem"});
  ASSERT_EQ(file.config.site.servers.size(), 2U);
  EXPECT_EQ(file.config.site.servers[1].name, "edge1");
  EXPECT_EQ(file.config.site.mras.identity, "sip:probe@contoso.example");
  EXPECT_EQ(file.config.site.mras.duration, 60min);
  EXPECT_EQ(file.config.site.policy.thresholds.size(), 4U);
  EXPECT_EQ(file.positions.at("stores.own.file"), site.dir() / "conf/stores.yaml:4:23");
}

TEST(IncludeTest, RefusesACircleByName) {
  const Site site;
  site.dir().write("conf/a.yaml", "include: ../b.yaml\n");
  site.dir().write("b.yaml", "stores: [{name: a, file: more}]\ninclude: [conf/../conf/a.yaml]\n");
  EXPECT_EQ(joined(site.problems(site.read("site: A\ninclude: conf/a.yaml\n"))),
            "conf/../b.yaml:2:11: include: 'conf/../conf/a.yaml': goes in a circle: conf/a.yaml -> conf/../b.yaml -> "
            "conf/a.yaml\n");
  EXPECT_EQ(joined(site.problems(site.read("site: A\ninclude: site.yaml\n"))),
            "site.yaml:2:10: include: 'site.yaml': goes in a circle: site.yaml -> site.yaml\n");
}

TEST(IncludeTest, RefusesWhatItCannotTake) {
  const Site site;
  site.dir().write("a.yaml", "stores: [{name: a, file: more}]\n");
  EXPECT_EQ(
      joined(site.problems(site.read("site: A\ninclude:\n  - a.yaml\n  - a.yaml\n  - nix.yaml\n  - more\n  - ~/x\n"))),
      "site.yaml:4:5: include: 'a.yaml': is already included; its parts would all be there twice\n"
      "site.yaml:5:5: include: 'nix.yaml': No such file or directory\n"
      "site.yaml:6:5: include: 'more': is a directory, a file is needed\n"
      "site.yaml:7:5: include: '~/x': a tilde is not expanded here; write the whole path\n");
  EXPECT_EQ(joined(site.problems(site.read("site: A\ninclude: {a: b}\n"))),
            "site.yaml:2:10: include: expected a string or a list of strings, got a mapping\n");
}

TEST(IncludeTest, RefusesWhatIsGivenInTwoFiles) {
  const Site site;
  site.dir().write("a.yaml",
                   "site: B\nmras: {location: internet}\nthresholds: {expiry: {warning: 3}}\nlimits: {step: 1s}\n"
                   "resolve: {E1: 127.0.0.1}\nstores: [{name: A, file: more}]\nfetch: true\nocsp: true\n");
  EXPECT_EQ(
      joined(site.problems(
          site.read("site: A\ninclude: a.yaml\nmras: {location: intranet}\nthresholds: {expiry: {critical: 1}}\n"
                    "limits: {step: 2s}\nresolve: {e1: 127.0.0.1}\nstores: [{name: a, file: more}]\nfetch: true\nocsp: "
                    "false\n"))),
      "a.yaml:1:7: site: is already given at site.yaml:1:7; it can stand once in all files together\n"
      "a.yaml:2:8: mras.location: is already given at site.yaml:3:8; it can stand once in all files together\n"
      "a.yaml:3:14: thresholds.expiry: is already given at site.yaml:4:14; it can stand once in all files together\n"
      "a.yaml:4:10: limits.step: is already given at site.yaml:5:10; it can stand once in all files together\n"
      "a.yaml:5:11: resolve.e1: is already given at site.yaml:6:11; it can stand once in all files together\n"
      "a.yaml:6:17: name of store: another store is already named 'A', at site.yaml:7:17\n"
      "a.yaml:7:1: fetch: is already given at site.yaml:8:1; it can stand once in all files together\n"
      "a.yaml:8:1: ocsp: is already given at site.yaml:9:1; it can stand once in all files together\n");
}

TEST(IncludeTest, IsBoundedInDepthAndNumber) {
  const Site site;
  for (int i = 0; i < 40; ++i) {
    site.dir().write("d" + std::to_string(i) + ".yaml", "include: d" + std::to_string(i + 1) + ".yaml\n");
  }
  EXPECT_EQ(joined(site.problems(site.read("site: A\ninclude: d0.yaml\n"))),
            "d30.yaml:1:10: include: 'd31.yaml': files include one another more than 32 deep\n");
  std::string many = "site: A\nstores: [{name: a, file: more}]\ninclude:\n";
  for (int i = 0; i < 65; ++i) {
    const std::string name = "w" + std::to_string(i) + ".yaml";
    site.dir().write(name, "stores: []\n");
    many += "  - " + name + "\n";
  }
  EXPECT_EQ(joined(site.problems(site.read(many))),
            "site.yaml:67:5: include: 'w63.yaml': more than 64 files\n"
            "site.yaml:68:5: include: 'w64.yaml': more than 64 files\n");
}

// ---- What is right is read.

TEST(ConfigReaderTest, ReadsEveryKey) {
  const Site site;
  const ConfigFile file = site.read(R"(site: Contoso
stores:
  - name: ad
    kind: mixed
    ldap: [ldap://dc1.contoso.example, "LDAPS://dc2.contoso.example:636", "ldap://[::1]:389", ldapi://%2Frun%2Fldapi]
    starttls: required
    ca: dc-ca.pem
    verify: false
    bind: {dn: "CN=reader,DC=contoso,DC=example", password: file:ldap.pass}
    base: "CN=Public Key Services,CN=Services,CN=Configuration,DC=contoso,DC=example"
    size-limit: 5000
  - name: edge-roots
    kind: root
    host: EDGE.contoso.example
    file: [roots.p7b, more/]
  - {name: fe1-sub, kind: intermediate, host: fe1.contoso.example, file: more}
  - {name: nt, kind: ntauth, file: roots.p7b, passphrase: env:P}
servers:
  - name: fe1.contoso.example
    role: front-end
    pool: pool.contoso.example
    dns: fe1-inside.contoso.example
    certificate: fe1.crt
    chain: fe1-chain.pem
    key: fe1.key
    passphrase: file:fe1.pass
    trusts: [AD, edge-roots]
    intermediates: ad
    patch-level: 4.0.7577.230
    patch-report: [roots.p7b, fe1.crt]
    traces: fe1.key
  - {name: fe2.contoso.example, role: front-end, pool: pool.contoso.example, certificate: fe1.crt, key: fe1.key, passphrase: env:P,
     chain: stores, intermediates: [fe1-sub]}
  - {name: edge1.contoso.example, role: edge, pool: edge.contoso.example, addresses: [127.0.0.2, "::1"], certificate: edge1.crt}
  - {name: edge2.contoso.example, role: edge, pool: Edge.contoso.example, trusts: []}
links:
  - {from: pool.contoso.example, to: edge.contoso.example, port: 5061, service: sip, expect: refuse}
  - {from: fe2.contoso.example, to: edge1.contoso.example}
  - {from: fe1.contoso.example, to: pool.contoso.example, service: tls}
mras:
  identity: sip:probe@contoso.example
  location: internet
  duration: 90m
  service: "sip:edge.contoso.example@contoso.example;gruu;opaque=srvr:MRAS:AAECAwQFBgcICQoLDA0ODwAA"
thresholds:
  expiry: {warning: "60:"}
  mras-time: {warning: 2, critical: "@5:10"}
limits: {step: 5s, quiet: 500ms, deadline: 2m, parallel: 8, per-host: 3}
resolve:
  EDGE2.contoso.example: ["192.0.2.1", "2001:db8::1"]
  other.contoso.example: 192.0.2.9
)");
  ASSERT_EQ(joined(site.problems(file)), "");
  const Config& config = file.config;
  EXPECT_EQ(config.site.name, "Contoso");

  ASSERT_EQ(config.stores.size(), 4U);
  ASSERT_EQ(config.site.stores.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(config.stores[i].name, config.site.stores[i].name);
  const StoreSource& ad = config.stores[0];
  EXPECT_TRUE(config.site.stores[0].directory);
  EXPECT_EQ(ad.ldap_uris.size(), 4U);
  EXPECT_EQ(ad.starttls, StartTls::required);
  EXPECT_EQ(ad.ca_file, site.dir() / "dc-ca.pem");
  EXPECT_FALSE(ad.verify_server);
  ASSERT_TRUE(ad.bind);
  EXPECT_EQ(ad.bind->dn, "CN=reader,DC=contoso,DC=example");
  EXPECT_EQ(ad.bind->password.value, site.dir() / "ldap.pass");
  EXPECT_TRUE(ad.base.starts_with("CN=Public Key Services"));
  EXPECT_EQ(ad.size_limit, 5000U);
  EXPECT_EQ(config.site.stores[1].host, "edge.contoso.example");
  EXPECT_EQ(config.site.stores[1].kind, StoreKind::root);
  EXPECT_FALSE(config.site.stores[1].directory);
  EXPECT_EQ(config.stores[1].paths, (Lines{site.dir() / "roots.p7b", site.dir() / "more/"}));
  EXPECT_EQ(config.site.stores[3].kind, StoreKind::ntauth);
  ASSERT_TRUE(config.stores[3].passphrase);
  EXPECT_EQ(config.stores[3].passphrase->value, "P");
  EXPECT_FALSE(config.stores[1].passphrase);

  ASSERT_EQ(config.site.servers.size(), 4U);
  const Server& fe1 = config.site.servers[0];
  EXPECT_EQ(fe1.dns, "fe1-inside.contoso.example");
  EXPECT_EQ(fe1.trusts, (Lines{"ad", "edge-roots"}));
  EXPECT_EQ(fe1.intermediates, Lines{"ad"});
  EXPECT_EQ(fe1.patch_level, "4.0.7577.230");
  ASSERT_EQ(config.patches.size(), 1U);
  EXPECT_EQ(config.patches[0].server, "fe1.contoso.example");
  EXPECT_EQ(config.patches[0].paths, (Lines{site.dir() / "roots.p7b", site.dir() / "fe1.crt"}));
  ASSERT_EQ(config.traces.size(), 1U);
  EXPECT_EQ(config.traces[0].paths, Lines{site.dir() / "fe1.key"});
  EXPECT_EQ(fe1.chain, ChainMode::as_given);
  EXPECT_TRUE(fe1.has_identity);
  const Server& fe2 = config.site.servers[1];
  EXPECT_EQ(fe2.chain, ChainMode::from_stores);
  EXPECT_EQ(fe2.intermediates, Lines{"fe1-sub"});
  EXPECT_TRUE(fe2.trusts.empty());
  const Server& edge1 = config.site.servers[2];
  EXPECT_EQ(edge1.addresses, (Lines{"127.0.0.2", "::1"}));
  EXPECT_FALSE(edge1.has_identity);
  EXPECT_EQ(edge1.trusts, Lines{"edge-roots"}) << "the stores that stand on it, where none are named";
  EXPECT_TRUE(config.site.servers[3].trusts.empty()) << "an empty list means none";
  EXPECT_EQ(config.site.servers[3].pool, "edge.contoso.example") << "one spelling a pool";

  ASSERT_EQ(config.identities.size(), 3U);
  EXPECT_EQ(config.identities[0].server, "fe1.contoso.example");
  EXPECT_EQ(config.identities[0].certificate, site.dir() / "fe1.crt");
  EXPECT_EQ(config.identities[0].chain, site.dir() / "fe1-chain.pem");
  EXPECT_EQ(config.identities[0].key, site.dir() / "fe1.key");
  ASSERT_TRUE(config.identities[0].passphrase);
  EXPECT_EQ(config.identities[0].passphrase->value, site.dir() / "fe1.pass");
  EXPECT_EQ(config.identities[1].passphrase->kind, SecretSource::Kind::env);
  EXPECT_TRUE(config.identities[1].chain.empty());
  EXPECT_EQ(config.identities[2].server, "edge1.contoso.example");
  EXPECT_TRUE(config.identities[2].key.empty());

  Lines links;
  for (const Link& link : config.site.links) {
    links.push_back(link.id() + " " + std::string{to_string(link.service)} + " " + std::string{to_string(link.expect)});
  }
  EXPECT_EQ(joined(links),
            "fe1.contoso.example -> edge1.contoso.example:5061 sip refuse\n"
            "fe1.contoso.example -> edge2.contoso.example:5061 sip refuse\n"
            "fe2.contoso.example -> edge1.contoso.example:5061 sip refuse\n"
            "fe2.contoso.example -> edge2.contoso.example:5061 sip refuse\n"
            "fe2.contoso.example -> edge1.contoso.example:5062 mras accept\n"
            "fe1.contoso.example -> fe2.contoso.example:5062 tls accept\n");

  EXPECT_EQ(config.site.mras.identity, "sip:probe@contoso.example");
  EXPECT_EQ(config.site.mras.location, MrasLocation::internet);
  EXPECT_EQ(config.site.mras.duration, 90min);
  EXPECT_TRUE(config.site.mras.service_uri.ends_with("opaque=srvr:MRAS:AAECAwQFBgcICQoLDA0ODwAA"));
  constexpr double endless = std::numeric_limits<double>::infinity();
  EXPECT_EQ(config.site.policy.of("expiry").warning, (Range{60, endless, false}));
  EXPECT_EQ(config.site.policy.of("expiry").critical, (Range{10, endless, false})) << "what is not given stays";
  EXPECT_EQ(config.site.policy.of("mras-time").critical, (Range{5, 10, true}));
  EXPECT_EQ(config.limits.step, 5s);
  EXPECT_EQ(config.limits.quiet, 500ms);
  EXPECT_EQ(config.limits.deadline, 2min);
  EXPECT_EQ(config.limits.parallel, 8U);
  EXPECT_EQ(config.limits.per_host, 3U);
  EXPECT_EQ(config.resolve.at("edge2.contoso.example"), (Lines{"192.0.2.1", "2001:db8::1"}))
      << "as the server is spelled";
  EXPECT_EQ(config.resolve.at("other.contoso.example"), Lines{"192.0.2.9"});

  const auto at = [&](const char* key) { return site.problems({{}, {file.positions.at(key)}, {}}).front(); };
  EXPECT_EQ(at("stores.ad.bind"), "site.yaml:9:11");
  EXPECT_EQ(at("stores.ad.ca"), "site.yaml:7:9");
  EXPECT_EQ(at("stores.edge-roots.file"), "site.yaml:15:11");
  EXPECT_EQ(at("stores.nt.passphrase"), "site.yaml:17:59");
  EXPECT_EQ(at("identities.fe1.contoso.example.certificate"), "site.yaml:23:18");
  EXPECT_EQ(at("identities.fe1.contoso.example.chain"), "site.yaml:24:12");
  EXPECT_EQ(at("identities.fe1.contoso.example.key"), "site.yaml:25:10");
  EXPECT_EQ(at("identities.fe1.contoso.example.passphrase"), "site.yaml:26:17");
  EXPECT_EQ(at("links.0"), "site.yaml:37:5");
  EXPECT_EQ(at("links.3"), "site.yaml:37:5") << "all links that one line makes stand there";
  EXPECT_EQ(at("links.4"), "site.yaml:38:5");
}

TEST(ConfigReaderTest, WhatElseIsTried) {
  const Site site;
  const ConfigFile file = site.read(
      pair_with("strangers:\n"
                "  - {kind: foreign-ca, certificate: edge1.crt, key: fe1.key}\n"
                "  - {kind: server-only, certificate: fe1.crt, key: fe1.key, chain: fe1-chain.pem, expect: refuse, "
                "passphrase: \"file:fe1.pass\"}\n"
                "links:\n"
                "  - {from: fe1.contoso.example, to: edge.contoso.example, try: [identities, chain-variants]}\n"
                "  - {from: fe1.contoso.example, to: edge1.contoso.example, port: 5061, try: enumerate}\n"
                "  - {from: fe1.contoso.example, to: edge2.contoso.example, port: 5061, expect: refuse}\n"));
  EXPECT_EQ(joined(site.problems(file)), "");
  const Config& config = file.config;
  ASSERT_EQ(config.strangers.size(), 2U);
  EXPECT_EQ(config.strangers[0].kind, TrialKind::foreign_ca);
  EXPECT_EQ(config.strangers[0].expect, std::nullopt);
  EXPECT_EQ(config.strangers[0].source.certificate, site.dir() / "edge1.crt");
  EXPECT_EQ(config.strangers[1].expect, Expectation::refuse);
  EXPECT_EQ(config.strangers[1].source.chain, site.dir() / "fe1-chain.pem");
  ASSERT_TRUE(config.strangers[1].source.passphrase);
  std::string tried;
  Config everywhere = config;
  everywhere.try_everywhere = {true, true, true};
  for (const Config* one : {&config, static_cast<const Config*>(&everywhere)}) {
    for (std::size_t i = 0; i < one->site.links.size(); ++i) {
      const Trials trials = one->trials_of(i);
      tried +=
          fmt::format("{}{}{} ", trials.identities ? "i" : "-", trials.offer ? "o" : "-", trials.chains ? "c" : "-");
    }
  }
  EXPECT_EQ(tried, "i-c i-c -o- --- ioc ioc ioc --- ");
}

TEST(ConfigReaderTest, ALinksWordOnRelaysCountsBeforeTheSites) {
  const Site site;
  const auto relays = [&](const std::string& text, bool option) {
    ConfigFile file = site.read(pair_with(text));
    EXPECT_EQ(joined(site.problems(file)), "");
    if (option) file.config.try_everywhere.relay = true;
    std::string asked;
    for (std::size_t i = 0; i < file.config.site.links.size(); ++i)
      asked += file.config.trials_of(i).asks_relay() ? "r" : "-";
    return asked;
  };
  const auto links = [](const std::string& first) {
    return fmt::format(
        "links:\n  - {{from: fe1.contoso.example, to: edge1.contoso.example{}}}\n"
        "  - {{from: fe1.contoso.example, to: edge2.contoso.example}}\n"
        "  - {{from: fe1.contoso.example, to: edge1.contoso.example, port: 5061, service: sip}}\n",
        first);
  };
  EXPECT_EQ(relays(links(""), false), "---");
  EXPECT_EQ(relays(links(", relay: true"), false), "r--");
  EXPECT_EQ(relays("relay: true\n" + links(", relay: false"), false), "-r-");
  EXPECT_EQ(relays(links(", relay: false"), true), "-r-");
}

struct VersionsCase {
  const char* name;
  const char* yaml;
  const char* versions;
  const char* sni;
};
class LinkTls : public testing::TestWithParam<VersionsCase> {};

TEST_P(LinkTls, IsAsWritten) {
  const Site site;
  const ConfigFile file =
      site.read(pair_with(fmt::format("links:\n  - {{from: fe1.contoso.example, to: edge1.contoso.example{}}}\n"
                                      "network: {{name-servers: 192.0.2.53, source: [192.0.2.9]}}\n",
                                      GetParam().yaml)));
  EXPECT_EQ(joined(site.problems(file)), "");
  ASSERT_EQ(file.config.site.links.size(), 1U);
  const Link& link = file.config.site.links.front();
  EXPECT_EQ(to_string(link.versions()), GetParam().versions);
  EXPECT_EQ(link.server_name.value_or("(its name)"), GetParam().sni);
  EXPECT_EQ(file.config.network.name_servers, Lines{"192.0.2.53"});
  EXPECT_EQ(file.config.network.sources, Lines{"192.0.2.9"});
}
INSTANTIATE_TEST_SUITE_P(
    Links, LinkTls,
    testing::Values(VersionsCase{"Default", "", "TLSv1.2 to TLSv1.3", "(its name)"},
                    VersionsCase{"FromTheOldest", ", tls: {min: 1.0}", "TLSv1 to TLSv1.3", "(its name)"},
                    VersionsCase{"OneOnly", ", tls: {min: 1.1, max: 1.1}", "TLSv1.1", "(its name)"},
                    VersionsCase{"MaxTakesMinAlong", ", tls: {max: 1.0}", "TLSv1", "(its name)"},
                    VersionsCase{"NoSni", ", sni: off", "TLSv1.2 to TLSv1.3", ""},
                    VersionsCase{"OtherSni", ", sni: sip.contoso.example", "TLSv1.2 to TLSv1.3",
                                 "sip.contoso.example"}),
    by_name);

TEST(ConfigReaderTest, TheNearestProfileHolds) {
  const Site site;
  const ConfigFile file = site.read(
      "site: Contoso\nmras: {identity: \"sip:probe@contoso.example\", profile: sfb, options-first: true, location: "
      "both}\n"
      "servers:\n"
      "  - {name: fe1.contoso.example, role: front-end, certificate: fe1.crt, key: fe1.key}\n"
      "  - {name: fe2.contoso.example, role: front-end, certificate: fe1.crt, key: fe1.key, profile: lync2013}\n"
      "  - {name: edge1.contoso.example, role: edge}\n"
      "links:\n"
      "  - {from: fe1.contoso.example, to: edge1.contoso.example}\n"
      "  - {from: fe2.contoso.example, to: edge1.contoso.example}\n"
      "  - {from: fe2.contoso.example, to: edge1.contoso.example, port: 5063, profile: ocs2007r2}\n");
  ASSERT_EQ(joined(site.problems(file)), "");
  const auto& read = file.config.site;
  ASSERT_EQ(read.links.size(), 3U);
  EXPECT_EQ(read.profile_of(read.links[0]), Profile::sfb);
  EXPECT_EQ(read.profile_of(read.links[1]), Profile::lync2013);
  EXPECT_EQ(read.profile_of(read.links[2]), Profile::ocs2007r2);
  EXPECT_TRUE(read.mras.options_first);
  EXPECT_EQ(read.mras.location, MrasLocation::both);

  const ConfigFile bare = site.read(pair_with("  # nothing\n"));
  EXPECT_EQ(bare.config.site.profile_of(bare.config.site.links.front()), Profile::lync2010);
  EXPECT_FALSE(bare.config.site.mras.options_first);
  EXPECT_EQ(bare.config.site.mras.location, MrasLocation::both);
}

TEST(ConfigReaderTest, WithoutLinksEveryFrontEndWithAKeyAsksEveryEdge) {
  const Site site;
  const ConfigFile file = site.read(pair_with("  # no links\n"));
  ASSERT_EQ(joined(site.problems(file)), "");
  ASSERT_EQ(file.config.site.links.size(), 2U);
  EXPECT_EQ(file.config.site.links[0].id(), "fe1.contoso.example -> edge1.contoso.example:5062");
  EXPECT_EQ(file.config.site.links[1].id(), "fe1.contoso.example -> edge2.contoso.example:5062");
  EXPECT_EQ(file.config.site.links[0].service, Service::mras);
  EXPECT_FALSE(file.positions.contains("links.0"));
}

TEST(ConfigReaderTest, AnEmptyListOfLinksMeansNone) {
  const Site site;
  const ConfigFile file = site.read(pair_with("links: []\n"));
  ASSERT_EQ(joined(site.problems(file)), "");
  EXPECT_TRUE(file.config.site.links.empty());
}

TEST(ConfigReaderTest, DefaultsAreThoseOfTheTypes) {
  const Site site;
  const ConfigFile file = site.read("site: A\nstores: [{name: a, ldap: ldap://dc1}]\n");
  ASSERT_EQ(joined(site.problems(file)), "");
  EXPECT_EQ(file.config.stores[0].starttls, StartTls::automatic);
  EXPECT_TRUE(file.config.stores[0].verify_server);
  EXPECT_EQ(file.config.stores[0].size_limit, 100'000U);
  EXPECT_EQ(file.config.limits.step, 10s);
  EXPECT_EQ(file.config.limits.deadline, 50s);
  EXPECT_EQ(file.config.site.policy.thresholds, Policy::defaults().thresholds);
}

TEST(ConfigReaderTest, TakesMarksLineEndsAndAliases) {
  const Site site;
  const ConfigFile file = site.read(
      "\xEF\xBB\xBF%YAML 1.2\r\n---\r\nsite: \"Contoso \xC3\xA4\"\r\nstores:\r\n  - {name: a, file: &f [more]}\r\n"
      "  - {name: b, file: *f}\r\n\t# a tab before a comment is no indentation\r\n...\r\n");
  ASSERT_EQ(joined(site.problems(file)), "");
  EXPECT_EQ(file.config.site.name, "Contoso \xC3\xA4");
  EXPECT_EQ(file.config.stores[1].paths, file.config.stores[0].paths);
}

TEST(ConfigReaderTest, TextThatIsHereIsReadAsAFileWouldBe) {
  const Site site;
  const ConfigFile file =
      read_config_text("site: A\nstores: [{name: a, file: more}, {name: b, file: nix}]\n", site.dir() / "given.yaml");
  EXPECT_EQ(joined(site.problems(file)), "given.yaml:2:49: file of store 'b': nix: No such file or directory\n");
}

TEST(ConfigReaderTest, RelativePathsStayRelativeToAFileNamedRelatively) {
  const ConfigFile file = read_config_text("site: A\nstores: [{name: a, file: nix}]\n", "given.yaml");
  EXPECT_EQ(file.problems, Lines{"given.yaml:2:26: file of store 'a': nix: No such file or directory"});
}

TEST(ConfigReaderTest, TheExampleIsGoodOnceItsFilesAreThere) {
  const test::TempDir dir;
  for (const char* const name : {"dc-ca.pem", "ldap.pass", "fe1-intermediate.p7b", "edge-root.p7b",
                                 "edge-intermediate.p7b", "fe1.crt", "fe1.key", "fe1.pass", "fe2.crt"}) {
    dir.write(name, "");
  }
  std::filesystem::create_directory(dir / "more-intermediates");
  std::filesystem::copy_file(MRASCHECK_SOURCE_DIR "/packaging/site.example.yaml", dir / "site.yaml");
  const ConfigFile file = read_config(dir / "site.yaml");
  EXPECT_EQ(joined(file.problems), "");
  EXPECT_EQ(file.config.stores.size(), 4U);
  ASSERT_EQ(file.config.site.servers.size(), 4U);
  EXPECT_EQ(file.config.site.servers[3].trusts, Lines{"edge-root"});
  EXPECT_EQ(file.config.site.servers[3].intermediates, Lines{"edge-intermediate"});
  EXPECT_EQ(file.config.site.links.size(), 5U);
}

struct Sasl {
  const char* name;
  const char* ldap;
  const char* bind;
  LdapBind::Method method;
  bool channel_binding = false;
  bool certificate = false;
};
class SaslTest : public testing::TestWithParam<Sasl> {};

TEST_P(SaslTest, IsRead) {
  const Site site;
  const ConfigFile file = site.read(
      fmt::format("site: Contoso\nstores:\n  - {{name: ad, ldap: {}, bind: {}}}\n", GetParam().ldap, GetParam().bind));
  for (const std::string& problem : file.problems) EXPECT_EQ(problem.find("bind"), std::string::npos) << problem;
  ASSERT_EQ(file.config.stores.size(), 1U);
  const auto& bind = file.config.stores[0].bind;
  ASSERT_TRUE(bind);
  EXPECT_EQ(bind->method, GetParam().method);
  EXPECT_EQ(bind->channel_binding, GetParam().channel_binding);
  EXPECT_EQ(!bind->certificate.empty(), GetParam().certificate);
  EXPECT_EQ(!bind->key.empty(), GetParam().certificate);
}

INSTANTIATE_TEST_SUITE_P(
    Bind, SaslTest,
    testing::Values(Sasl{"Kerberos", "ldap://dc1.contoso.example", "{sasl: gssapi}", LdapBind::Method::gssapi},
                    Sasl{"KerberosBound", "ldaps://dc1.contoso.example", "{sasl: gssapi, channel-binding: true}",
                         LdapBind::Method::gssapi, true},
                    Sasl{"LocalUser", "ldapi://%2Frun%2Fldapi", "{sasl: external}", LdapBind::Method::external},
                    Sasl{"Certificate", "ldap://dc1.contoso.example",
                         "{sasl: external, certificate: ldap.pass, key: ldap.pass}", LdapBind::Method::external, false,
                         true}),
    [](const auto& row) { return row.param.name; });

TEST(ManualTest, DocumentsEveryKeyAndMetric) {
  std::ifstream file{MRASCHECK_SOURCE_DIR "/man/mrascheck.yaml.5"};
  const std::string page{std::istreambuf_iterator<char>{file}, {}};
  // Where a key is unknown and none is near, the message lists all: what it lists is what is read.
  const Site site;
  const ConfigFile strange = site.read(
      "qqqqqqqq: 1\nstores: [{qqqqqqqq: 1}, {bind: {qqqqqqqq: 1}, ldap: ldap://a}]\nservers: [{qqqqqqqq: 1}]\n"
      "links: [{qqqqqqqq: 1}, {tls: {qqqqqqqq: 1}}]\nnetwork: {qqqqqqqq: 1}\nstrangers: [{qqqqqqqq: 1}]\nmras: "
      "{qqqqqqqq: 1}\nthresholds: "
      "{qqqqqqqq: 1, expiry: {qqqqqqqq: 1}}\nlimits: "
      "{qqqqqqqq: 1}\n");
  std::size_t lists = 0;
  std::size_t keys = 0;
  for (const std::string& line : strange.problems) {
    const std::size_t list = line.find("; the keys are ");
    if (list == std::string::npos) continue;
    ++lists;
    std::istringstream words{line.substr(list + 15)};
    for (std::string word; words >> word;) {
      if (word == "and") continue;
      if (word.ends_with(',')) word.pop_back();
      ++keys;
      EXPECT_NE(page.find("Ic " + word), std::string::npos) << word;
    }
  }
  EXPECT_EQ(lists, 12U);
  EXPECT_EQ(keys, 15U + 12 + 6 + 15 + 10 + 2 + 2 + 6 + 7 + 7 + 2 + 4);
}

}  // namespace
}  // namespace mrascheck::yaml

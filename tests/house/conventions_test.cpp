// SPDX-License-Identifier: Apache-2.0
// The rules of the house, held against the tree as it stands.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "checks/registry.hpp"

namespace mrascheck {
namespace {

namespace fs = std::filesystem;

const fs::path root{MRASCHECK_SOURCE_DIR};

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> files_below(const std::vector<std::string>& places, const std::set<std::string>& extensions) {
  std::vector<fs::path> found;
  for (const std::string& place : places) {
    if (!fs::exists(root / place)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / place)) {
      if (entry.is_regular_file() && extensions.contains(entry.path().extension().string()))
        found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> includes_of(const fs::path& path, const std::regex& form) {
  const std::string text = content_of(path);
  std::vector<std::string> found;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), form); it != std::sregex_iterator(); ++it)
    found.push_back((*it)[1]);
  return found;
}

/// Which rooms each room may include; the ones below it, never one beside or above.
const std::map<std::string, std::set<std::string>>& rooms() {
  static const std::set<std::string> plain{"core"};
  static const std::map<std::string, std::set<std::string>> allowed{
      {"core", {}},
      {"x509", plain},
      {"stores", {"core", "x509"}},
      {"crypto", plain},
      {"module", plain},
      {"ldap", {"core", "module"}},
      {"yaml", plain},
      {"json", plain},
      {"sip", plain},
      {"trace", plain},
      {"turn", {"core", "crypto"}},
      {"transport", {"core", "crypto"}},  // its TLS stream pumps a crypto::TlsEngine
      {"sources", {"core", "x509", "stores", "crypto", "ldap", "json", "sip", "trace", "turn", "transport"}},
      {"run", {"core", "crypto", "json", "module", "sources", "transport"}},
      {"render", {"core", "json"}},
      {"checks", plain},
      {"cli", {"core", "run", "render", "checks", "yaml", "json", "trace"}},
  };
  return allowed;
}

std::string room_of(const fs::path& path) {
  const fs::path relative = fs::relative(path, root);
  auto part = relative.begin();
  if (*part == "src") ++part;
  return part->string();
}

TEST(House, RoomsIncludeOnlyWhatIsBelowThem) {
  static const std::regex own{"#include \"([^\"]+)\""};
  for (const fs::path& path : files_below({"src", "checks"}, {".cpp", ".hpp"})) {
    const std::string room = room_of(path);
    if (room == "main.cpp") continue;
    ASSERT_TRUE(rooms().contains(room)) << path << " stands in a room that the house does not know";
    for (const std::string& include : includes_of(path, own)) {
      const std::string other = include.substr(0, include.find('/'));
      EXPECT_TRUE(other == room || rooms().at(room).contains(other)) << path << " includes " << include;
    }
  }
}

TEST(House, AForeignLibraryStaysInItsRoom) {
  static const std::regex foreign{
      "#include <((?:openssl|yaml-cpp|nlohmann|boost)/[^>]+|ldap[^>]*|lber[^>]*|pugixml[^>]*|ares[^>]*)>"};
  static const std::map<std::string, std::set<std::string>> homes{
      {"openssl", {"crypto"}},      {"ldap", {"ldap"}},
      {"lber", {"ldap"}},           {"yaml-cpp", {"yaml"}},
      {"nlohmann", {"json"}},       {"pugixml", {"sip"}},
      {"ares", {"transport"}},      {"asio", {"transport", "sources", "run"}},
      {"program_options", {"cli"}}, {"beast", {"transport"}},
  };
  for (const fs::path& path : files_below({"src", "checks"}, {".cpp", ".hpp"})) {
    for (const std::string& include : includes_of(path, foreign)) {
      std::string library = include.substr(0, include.find_first_of("/._"));
      if (library == "boost") {
        const std::string rest = include.substr(6);
        library = rest.substr(0, rest.find_first_of("/."));
        if (library == "system" || library == "outcome") library = "asio";
      }
      ASSERT_TRUE(homes.contains(library)) << path << " includes " << include << ", which has no room";
      EXPECT_TRUE(homes.at(library).contains(room_of(path))) << path << " includes " << include;
      const bool public_header = path.extension() == ".hpp";
      const bool allowed_in_header =
          library == "asio" || library == "program_options" || path.filename() == "openssl.hpp";
      if (public_header && !allowed_in_header) {
        // A header that only its own room includes is not public.
        const std::string self = fs::relative(path, root / "src").string();
        for (const fs::path& user : files_below({"src", "checks"}, {".cpp", ".hpp"})) {
          if (room_of(user) == room_of(path)) continue;
          EXPECT_EQ(content_of(user).find("\"" + self + "\""), std::string::npos)
              << user << " sees " << include << " by way of " << path;
        }
      }
    }
  }
}

TEST(House, EveryFileSaysItsLicence) {
  for (const fs::path& path :
       files_below({"src", "checks", "tests", "fixtures", "packaging"}, {".cpp", ".hpp", ".sh", ".def"})) {
    EXPECT_NE(content_of(path).substr(0, 200).find("SPDX-License-Identifier: Apache-2.0"), std::string::npos) << path;
  }
}

TEST(House, EveryFuzzerHasSomethingToBeginWith) {
  for (const fs::path& path : files_below({"tests/fuzz"}, {".cpp"})) {
    std::string name = path.stem().string();
    name.resize(name.size() - std::string_view{"_fuzz"}.size());
    const fs::path corpus = root / "tests" / "fuzz" / "corpus" / name;
    EXPECT_TRUE(fs::is_directory(corpus) && !fs::is_empty(corpus)) << corpus;
  }
}

TEST(House, NothingIsLeftForLater) {
  static const std::regex marks{"\\b(TODO|FIXME|XXX|HACK)\\b"};
  for (const fs::path& path :
       files_below({"src", "checks", "fixtures", "man"}, {".cpp", ".hpp", ".sh", ".1", ".5", ".7"})) {
    EXPECT_FALSE(std::regex_search(content_of(path), marks)) << path;
  }
}

TEST(House, ChecksAreNamedAfterTheirFiles) {
  const std::string definitions = content_of(root / "checks" / "checks.def");
  for (const Check* check : checks::all()) {
    std::string file{check->id};
    std::replace(file.begin(), file.end(), '-', '_');
    EXPECT_TRUE(fs::exists(root / "checks" / (file + ".cpp"))) << file;
    EXPECT_NE(definitions.find("CHECK(" + file + ")"), std::string::npos) << file;
  }
}

TEST(House, EveryFindingHasItsCheckACitationAndItsPlaceInTheManual) {
  const std::string manual = content_of(root / "man" / "mrascheck-checks.7");
  std::set<std::string_view> codes;
  for (const Check* check : checks::all()) {
    EXPECT_NE(manual.find(fmt::format(".Ss {}\n", check->id)), std::string::npos) << check->id;
    EXPECT_FALSE(check->title.empty());
    EXPECT_FALSE(check->kinds.empty()) << check->id;
    for (const FindingKind& kind : check->kinds) {
      EXPECT_TRUE(codes.insert(kind.code).second) << kind.code << " stands twice";
      EXPECT_TRUE(kind.code.starts_with(fmt::format("{}.", check->id))) << kind.code;
      EXPECT_FALSE(kind.meaning.empty()) << kind.code;
      EXPECT_FALSE(kind.citation.document.empty()) << kind.code;
      EXPECT_FALSE(kind.citation.section.empty()) << kind.code;
      EXPECT_NE(manual.find(fmt::format(".It {}\n", kind.code)), std::string::npos)
          << kind.code << " is not in the manual";
    }
  }
}

TEST(House, EveryManualPageThatIsReferredToIsThere) {
  static const std::regex reference{"\\n\\.Xr ((?:check_mras|mrascheck)[a-z.-]*) ([1-8])"};
  for (const fs::path& page : files_below({"man"}, {".1", ".5", ".7"})) {
    const std::string text = content_of(page);
    for (auto it = std::sregex_iterator(text.begin(), text.end(), reference); it != std::sregex_iterator(); ++it) {
      EXPECT_TRUE(fs::exists(root / "man" / fmt::format("{}.{}", (*it)[1].str(), (*it)[2].str())))
          << page << ": " << (*it)[0];
    }
  }
}

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen((std::string{MRASCHECK_BIN_DIR} + "/" + command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return output;
  char buffer[4096];
  while (const std::size_t n = ::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, n);
  ::pclose(pipe);
  return output;
}

std::set<std::string> options_in(const std::string& help) {
  std::set<std::string> found;
  // Only the option column: two blanks, then the option; examples and sentences name options as well.
  static const std::regex line{"(?:^|\n)  (?:-[A-Za-z0-9] \\[ )?--([a-z][a-z0-9-]+)"};
  for (auto it = std::sregex_iterator(help.begin(), help.end(), line); it != std::sregex_iterator(); ++it)
    found.insert((*it)[1]);
  return found;
}

TEST(House, EveryOptionIsInTheManualAndTheManualNamesNoOther) {
  const std::vector<std::pair<std::string, std::string>> programs{
      {"mrascheck check --help", "mrascheck.1"},           {"mrascheck rehearse --help", "mrascheck-rehearse.1"},
      {"mrascheck issuers --help", "mrascheck-issuers.1"}, {"mrascheck cleanup --help", "mrascheck-cleanup.1"},
      {"mrascheck graph --help", "mrascheck-graph.1"},     {"mrascheck explain --help", "mrascheck-explain.1"},
      {"mrascheck trace --help", "mrascheck-trace.1"},     {"check_mras --help", "check_mras.1"}};
  static const std::regex item{"\n\\.It (?:Fl [A-Za-z0-9] (?:Ar \\S+ )?, )?Fl Fl ([a-z][a-z0-9-]+)"};
  for (const auto& [command, page] : programs) {
    const auto options = options_in(output_of(command));
    const bool small = command == "mrascheck explain --help" || command == "mrascheck trace --help";
    EXPECT_GT(options.size(), small ? 0U : 5U) << command;
    const std::string manual = content_of(root / "man" / page);
    std::set<std::string> described;
    for (auto it = std::sregex_iterator(manual.begin(), manual.end(), item); it != std::sregex_iterator(); ++it)
      described.insert((*it)[1]);
    for (const std::string& option : options) EXPECT_TRUE(described.contains(option)) << page << " lacks --" << option;
    if (page != "mrascheck.1") {  // which describes several commands
      for (const std::string& option : described)
        EXPECT_TRUE(options.contains(option)) << page << " describes --" << option;
    }
  }
}

TEST(House, HelpNamesEveryCheckAndFinding) {
  const std::string help = output_of("mrascheck --help");
  for (const Check* check : checks::all()) {
    for (const FindingKind& kind : check->kinds) EXPECT_NE(help.find(kind.code), std::string::npos) << kind.code;
  }
}

TEST(House, HelpFitsEightyColumns) {
  for (const char* command : {"mrascheck --help", "mrascheck check --help", "mrascheck rehearse --help",
                              "mrascheck issuers --help", "mrascheck explain --help", "mrascheck trace --help",
                              "mrascheck cleanup --help", "mrascheck list --help", "check_mras --help"}) {
    const std::string help = output_of(command);
    std::size_t begin = 0;
    while (begin < help.size()) {
      const std::size_t end = std::min(help.find('\n', begin), help.size());
      EXPECT_LE(end - begin, 80U) << command << ": " << help.substr(begin, end - begin);
      begin = end + 1;
    }
  }
}

}  // namespace
}  // namespace mrascheck

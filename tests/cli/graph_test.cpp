// SPDX-License-Identifier: Apache-2.0
// What `mrascheck graph` draws of a recording and of files.
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "cli/words.hpp"
#include "support/program.hpp"
#include "support/temp_dir.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Ended graph(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "graph");
  return mrascheck(std::move(arguments));
}

TEST(Graph, OfARecordingHasEveryPathAndBothModels) {
  const Ended ended = graph({"--evidence", world("reinstalled-issuing-ca-of-one-key")});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(flat(ended.out),
              AllOf(HasSubstr("CN=Contoso Issuing CA,DC=contoso,DC=example: a name that several CA certificates share"),
                    HasSubstr("signed, match by key"), HasSubstr("did not sign, and its key identifier names another"),
                    HasSubstr("edge1.contoso.example judges fe1.contoso.example, a client"),
                    HasSubstr("OpenSSL 3.0 would say (a model): accepted"),
                    HasSubstr("OpenSSL 3.0 would say (a model): error "), HasSubstr("Windows would say (a model): "),
                    HasSubstr("invalid path: "), HasSubstr("valid path: ")));
}

TEST(Graph, OfAHealthySiteIsAcceptedEverywhere) {
  const Ended ended = graph({"--evidence", world("healthy-pool")});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(flat(ended.out), AllOf(HasSubstr("OpenSSL 3.0 would say (a model): accepted"),
                                     HasSubstr("Windows would say (a model): accepted"), Not(HasSubstr("error ")),
                                     Not(HasSubstr("invalid path"))));
}

TEST(Graph, AsDotPaintsTwinsRedAndIsReadByGraphviz) {
  const Ended ended = graph({"--dot", "--evidence", world("reinstalled-issuing-ca-of-one-key")});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, AllOf(StartsWith("digraph certificates {\n"), HasSubstr("color=red"), HasSubstr(" -> ")));
  if (std::system("command -v dot >/dev/null 2>&1") != 0) GTEST_SKIP() << "no Graphviz here";
  const TempDir dir;
  dir.write("g.dot", ended.out);
  EXPECT_EQ(std::system(("dot -Tsvg -o /dev/null '" + (dir / "g.dot") + "'").c_str()), 0);
}

TEST(Graph, OfFilesVerifiesWhatIsInThem) {
  const Ended ended = graph(
      {fixture("root-r2"), fixture("redeployment-a"), fixture("redeployment-b"), fixture("redeployment-leaf-keyid")});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(flat(ended.out),
              AllOf(HasSubstr("signed, match by key"), HasSubstr("did not sign, and its key identifier names another"),
                    HasSubstr("redeployment-a.pem"), Not(HasSubstr("not verified"))));
}

TEST(Graph, OfFilesDrawsTheGoodOnesAndSaysWhichIsNot) {
  const TempDir dir;
  const Ended ended = graph({fixture("root-r1"), dir / "gone"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.out, HasSubstr("Contoso Root CA"));
  EXPECT_THAT(ended.err, AllOf(StartsWith("not looked at: "), HasSubstr("gone: No such file")));
}

struct GraphBadCase {
  const char* name;
  std::vector<std::string> arguments;
  const char* line;
};
class GraphBadWords : public testing::TestWithParam<GraphBadCase> {};
TEST_P(GraphBadWords, AreToldInOneLineWithExitCodeThree) {
  const Ended ended = graph(GetParam().arguments);
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, AllOf(StartsWith("UNKNOWN: "), HasSubstr(GetParam().line)));
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
}
INSTANTIATE_TEST_SUITE_P(
    CommandLine, GraphBadWords,
    testing::Values(GraphBadCase{"NoFile", {"/nowhere/at/all.pem"}, "/nowhere/at/all.pem: No such file or directory"},
                    GraphBadCase{"FilesAndEvidence",
                                 {"x.pem", "--evidence", "y.json"},
                                 "--evidence does not go with files of certificates"},
                    GraphBadCase{"UnknownOption", {"--dott"}, "unknown option --dott; did you mean --dot?"}),
    [](const auto& row) { return std::string{row.param.name}; });

}  // namespace
}  // namespace mrascheck::test

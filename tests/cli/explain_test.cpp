// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/program.hpp"

namespace mrascheck::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Ended explain(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "explain");
  return mrascheck(std::move(arguments));
}

TEST(ExplainCommand, SaysWhatWhoAndWhatToDo) {
  const Ended ended = explain({"-1008124823"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out,
              AllOf(HasSubstr("HRESULT 0xC3E93C69, SIPPROXY_E_CONNECTION_FAILED\n"), HasSubstr("  Who must act: "),
                    HasSubstr("  What to do: "), HasSubstr("  How sure: "), HasSubstr("  Source: ")));
  EXPECT_EQ(ended.err, "");
}

TEST(ExplainCommand, SeveralWordsAreOneName) {
  EXPECT_THAT(explain({"unknown", "ca"}).out, HasSubstr("TLS alert 48, unknown_ca\n"));
}

TEST(ExplainCommand, KnowsItsOwnFindings) {
  const Ended ended = explain({"same-name-issuers.stale"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("Finding same-name-issuers.stale: "),
                               HasSubstr("Of the check same-name-issuers"), HasSubstr("mrascheck-checks")));
}

TEST(ExplainCommand, WhatIsNotKnownIsOneLine) {
  const Ended typo = explain({"unkown_ca"});
  EXPECT_EQ(typo.code, 3);
  EXPECT_EQ(typo.err, "UNKNOWN: nothing is known of 'unkown_ca'; did you mean unknown_ca?\n");
  EXPECT_EQ(typo.out, "");
  EXPECT_EQ(explain({}).code, 3);
  EXPECT_EQ(explain({"--nonsense"}).code, 3);
}

TEST(ExplainCommand, ReadsLines) {
  const auto with_input = [](std::string input) {
    return run({{built("mrascheck"), "explain", "-"}, {}, std::move(input)});
  };
  const Ended ended = with_input("ms-diagnostics: 2;HRESULT=\"0xC3E93C69\"\n\n10061\n");
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, AllOf(HasSubstr("SIPPROXY_E_CONNECTION_FAILED"), HasSubstr("WSAECONNREFUSED")));
  const Ended one_unknown = with_input("10061\nqwertz");
  EXPECT_EQ(one_unknown.code, 3);
  EXPECT_THAT(one_unknown.out, HasSubstr("WSAECONNREFUSED"));
  EXPECT_THAT(one_unknown.err, HasSubstr("nothing is known of 'qwertz'"));
  EXPECT_EQ(with_input("\n").err, "UNKNOWN: standard input held nothing\n");
}

}  // namespace
}  // namespace mrascheck::test

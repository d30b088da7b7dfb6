// SPDX-License-Identifier: Apache-2.0
#include "core/config.hpp"

#include <gtest/gtest.h>

namespace mrascheck {
namespace {

struct Source {
  const char* name;
  const char* text;
  SecretSource::Kind kind;
  const char* value;
};

class SecretSourceTest : public testing::TestWithParam<Source> {};

TEST_P(SecretSourceTest, SaysWhereTheSecretIs) {
  const auto source = parse_secret_source(GetParam().text);
  ASSERT_TRUE(source) << source.error().text;
  EXPECT_EQ(source->kind, GetParam().kind);
  EXPECT_EQ(source->value, GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(Forms, SecretSourceTest,
                         testing::Values(Source{"File", "file:/etc/pass", SecretSource::Kind::file, "/etc/pass"},
                                         Source{"FileWithColon", "file:a:b", SecretSource::Kind::file, "a:b"},
                                         Source{"Variable", "env:FE1_PASS", SecretSource::Kind::env, "FE1_PASS"},
                                         Source{"Descriptor", "fd:3", SecretSource::Kind::fd, "3"}),
                         [](const auto& row) { return row.param.name; });

struct Refusal {
  const char* name;
  const char* text;
  const char* part;  ///< of the reason
};

class SecretRefusalTest : public testing::TestWithParam<Refusal> {};

TEST_P(SecretRefusalTest, GivesTheReasonAndNeverTheText) {
  const auto source = parse_secret_source(GetParam().text);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().kind, ErrorKind::config);
  EXPECT_NE(source.error().text.find(GetParam().part), std::string::npos) << source.error().text;
  EXPECT_EQ(source.error().text.find("hunter2"), std::string::npos) << source.error().text;
}

INSTANTIATE_TEST_SUITE_P(Forms, SecretRefusalTest,
                         testing::Values(Refusal{"Bare", "hunter2", "process lists"},
                                         Refusal{"OpenSslPass", "pass:hunter2", "process lists"},
                                         Refusal{"SomethingWithColon", "hunter2:x", "file:PATH, env:NAME or fd:NUMBER"},
                                         Refusal{"OtherCase", "FILE:hunter2", "file:PATH"},
                                         Refusal{"Nothing", "", "file:PATH"},
                                         Refusal{"FileWithoutPath", "file:", "needs a path"},
                                         Refusal{"VariableWithoutName", "env:", "needs the name"},
                                         Refusal{"VariableWithBlank", "env:hunter2 x", "needs the name"},
                                         Refusal{"VariableWithDigitFirst", "env:2hunter2", "needs the name"},
                                         Refusal{"DescriptorWithoutNumber", "fd:", "needs the number"},
                                         Refusal{"NegativeDescriptor", "fd:-1", "needs the number"},
                                         Refusal{"HugeDescriptor", "fd:12345678901234567890", "needs the number"}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck

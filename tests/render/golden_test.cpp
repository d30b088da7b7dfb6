// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "render/render.hpp"
#include "sample_report.hpp"

namespace mrascheck {
namespace {

using Render = std::string (*)(const Report&, const render::Options&);

struct Golden {
  const char* name;  ///< of the file, too
  Report (*report)();
  Render render;
  render::Options options;
};

class GoldenTest : public testing::TestWithParam<Golden> {};

/// With REBASE set in the environment the files are written instead of compared.
TEST_P(GoldenTest, OutputIsAsItWas) {
  const Golden& row = GetParam();
  const std::string path = std::string(MRASCHECK_SOURCE_DIR "/tests/render/golden/") + row.name + ".txt";
  const std::string output = row.render(row.report(), row.options);
  if (std::getenv("REBASE") != nullptr) {
    std::ofstream(path, std::ios::binary) << output;
    GTEST_SKIP() << path << " written";
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path;
  const std::string expected{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(output, expected);
}

constexpr render::Options wide(std::size_t width) {
  return {.color = false, .width = width, .verbosity = 0, .max_output = 4096};
}
constexpr render::Options verbose(int verbosity) {
  return {.color = false, .width = 80, .verbosity = verbosity, .max_output = 4096};
}

INSTANTIATE_TEST_SUITE_P(
    Render, GoldenTest,
    testing::Values(Golden{"text_trouble_40", test::sample_report, render::text, wide(40)},
                    Golden{"text_trouble_80", test::sample_report, render::text, wide(80)},
                    Golden{"text_trouble_120", test::sample_report, render::text, wide(120)},
                    Golden{"text_trouble_vv", test::sample_report, render::text, verbose(2)},
                    Golden{"text_trouble_color", test::sample_report, render::text, {.color = true}},
                    Golden{"text_healthy", test::healthy_report, render::text, wide(80)},
                    Golden{"text_blind", test::blind_report, render::text, wide(80)},
                    Golden{"plugin_trouble", test::sample_report, render::plugin, verbose(0)},
                    Golden{"plugin_trouble_v", test::sample_report, render::plugin, verbose(1)},
                    Golden{"plugin_trouble_vv", test::sample_report, render::plugin, verbose(2)},
                    Golden{"plugin_trouble_vvv", test::sample_report, render::plugin, verbose(3)},
                    Golden{"plugin_trouble_500_bytes", test::sample_report, render::plugin, {.max_output = 500}},
                    Golden{"plugin_healthy", test::healthy_report, render::plugin, verbose(0)},
                    Golden{"plugin_healthy_vv", test::healthy_report, render::plugin, verbose(2)},
                    Golden{"plugin_blind", test::blind_report, render::plugin, verbose(0)}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck

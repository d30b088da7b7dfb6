// SPDX-License-Identifier: Apache-2.0
#include "core/plan.hpp"

#include <gtest/gtest.h>

namespace mrascheck {
namespace {

using Indices = std::vector<std::size_t>;
using Names = std::vector<std::string>;

Server server(std::string name, Role role) {
  Server made;
  made.name = std::move(name);
  made.role = role;
  return made;
}

Link link(std::string from, std::string to, std::uint16_t port = 5062) {
  Link made;
  made.from = std::move(from);
  made.to = std::move(to);
  made.port = port;
  return made;
}

Config two_edges() {
  Config config;
  config.site.servers = {server("fe1.contoso.example", Role::front_end), server("edge1.contoso.example", Role::edge),
                         server("edge2.contoso.example", Role::edge)};
  config.site.links = {link("fe1.contoso.example", "edge1.contoso.example"),
                       link("fe1.contoso.example", "edge2.contoso.example"),
                       link("fe1.contoso.example", "edge1.contoso.example", 5061)};
  return config;
}

TEST(PlanTest, TakesEverythingInConfigurationOrder) {
  Config config = two_edges();
  config.stores.resize(3);
  config.identities.resize(2);
  const Plan plan = make_plan(config);
  EXPECT_EQ(plan.stores, (Indices{0, 1, 2}));
  EXPECT_EQ(plan.identities, (Indices{0, 1}));
  EXPECT_EQ(plan.links, (Indices{0, 1, 2}));
  EXPECT_EQ(plan.names, (Names{"edge1.contoso.example", "edge2.contoso.example"}));
}

TEST(PlanTest, ResolvesTheOtherNameOfAServer) {
  Config config = two_edges();
  config.site.servers[1].dns = "inside.contoso.example";
  config.site.servers[2].dns = "INSIDE.contoso.example";
  EXPECT_EQ(make_plan(config).names, Names{"inside.contoso.example"});
}

TEST(PlanTest, AsksNobodyForWhatIsGiven) {
  Config config = two_edges();
  config.site.servers[1].addresses = {"127.0.0.1"};
  config.resolve["EDGE2.contoso.example"] = {"127.0.0.2"};
  EXPECT_TRUE(make_plan(config).names.empty());
}

TEST(PlanTest, OfNothingIsNothing) {
  const Plan plan = make_plan(Config{});
  EXPECT_TRUE(plan.stores.empty() && plan.identities.empty() && plan.names.empty() && plan.links.empty());
}

}  // namespace
}  // namespace mrascheck
